"""The carbon registry's market side: markets, facilities, trades and what others may read of them.

Knows Chinese carbon markets, their trading files and statistics. Must not know any index, web page or clock. The
names below are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carbon.calendar import exchange_sessions
    from carbon.embedded import load_embedded, resolve_market
    from carbon.errors import (
        CarbonError,
        FileTooLarge,
        LakeBusy,
        Problem,
        UnknownFormat,
        UnknownMarket,
        UnreadableFile,
    )
    from carbon.facts import (
        city_inventories,
        facilities,
        lowcarbon_pilots,
        market_periods,
        market_years,
        markets,
        sources,
    )
    from carbon.formats import FORMATS, read_trades, recognise
    from carbon.lake import append_rows, lake_version, read_rows
    from carbon.loading import LoadReport, ensure_fresh, load_trades, refresh_market
    from carbon.market import day_bars, summarise
    from carbon.statistics import (
        amihud,
        block_discount,
        herfindahl,
        log_returns,
        realised_volatility,
        roll_spread,
        vwap,
        zero_return_share,
    )

__all__ = [
    "FORMATS",
    "CarbonError",
    "FileTooLarge",
    "LakeBusy",
    "LoadReport",
    "Problem",
    "UnknownFormat",
    "UnknownMarket",
    "UnreadableFile",
    "amihud",
    "append_rows",
    "block_discount",
    "city_inventories",
    "day_bars",
    "ensure_fresh",
    "exchange_sessions",
    "facilities",
    "herfindahl",
    "lake_version",
    "load_embedded",
    "load_trades",
    "log_returns",
    "lowcarbon_pilots",
    "market_periods",
    "market_years",
    "markets",
    "read_rows",
    "read_trades",
    "realised_volatility",
    "recognise",
    "refresh_market",
    "resolve_market",
    "roll_spread",
    "sources",
    "summarise",
    "vwap",
    "zero_return_share",
]

_HOMES = {
    "calendar": ["exchange_sessions"],
    "embedded": ["load_embedded", "resolve_market"],
    "errors": [
        *["CarbonError", "FileTooLarge", "LakeBusy", "Problem"],
        *["UnknownFormat", "UnknownMarket", "UnreadableFile"],
    ],
    "facts": [
        *["city_inventories", "facilities", "lowcarbon_pilots", "market_periods", "market_years", "markets"],
        "sources",
    ],
    "formats": ["FORMATS", "read_trades", "recognise"],
    "lake": ["append_rows", "lake_version", "read_rows"],
    "loading": ["LoadReport", "ensure_fresh", "load_trades", "refresh_market"],
    "market": ["day_bars", "summarise"],
    "statistics": [
        *["amihud", "block_discount", "herfindahl", "log_returns", "realised_volatility", "roll_spread", "vwap"],
        "zero_return_share",
    ],
}
_HOME_OF = {name: f"carbon.{home}" for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'carbon' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
