"""Names of tidy series: what `CEA.25.listing.volume.d` means, and how such a name is written.

The one place that documents series ids. Knows measures, their units and at which frequencies they exist. Knows no
store, no figure and no HTTP.

    MARKET[.VINTAGE][.METHOD].MEASURE.FREQUENCY

MARKET     key of a market: CEA, Hubei, Guangdong, ...
VINTAGE    two digits of a year of this century: 25 is 2025; left out for all vintages together
METHOD     listing, block or auction; left out for all methods together
MEASURE    one of MEASURES; prices are those of listed trading, so only amounts are told apart by method
FREQUENCY  d day, m month, q quarter, y year

An id names the same series for ever: measures are added, never renamed. `parse_series_id` and `write_series_id` are
inverse to each other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from carbon.errors import CarbonError
from carbon.rows import AUCTION, BLOCK, LISTING, METHOD_NAMES

__all__ = [
    "BY",
    "FREQUENCIES",
    "MEASURES",
    "METHODS",
    "Frequency",
    "Measure",
    "Method",
    "SeriesId",
    "UnknownSeries",
    "parse_series_id",
    "write_series_id",
]

Frequency = Literal["d", "m", "q", "y"]
Method = Literal["listing", "block", "auction"]

FREQUENCIES: Final[tuple[Frequency, ...]] = get_args(Frequency)
BY: Final[Mapping[Frequency, Literal["day", "month", "quarter", "year"]]] = {
    "d": "day",
    "m": "month",
    "q": "quarter",
    "y": "year",
}
METHODS: Final[Mapping[str, int]] = {METHOD_NAMES[code]: code for code in (LISTING, BLOCK, AUCTION)}
_CENTURY: Final = 2000
_ID: Final = re.compile(
    r"(?P<market>[A-Za-z]+)(?:\.(?P<vintage>[0-9]{2}))?(?:\.(?P<method>listing|block|auction))?"
    r"\.(?P<measure>[a-z_]+)\.(?P<frequency>[dmqy])"
)
_SHAPE: Final = "MARKET[.VINTAGE][.METHOD].MEASURE.FREQUENCY, such as CEA.close.d or CEA.25.listing.volume.d"


class UnknownSeries(CarbonError):
    """No series has this id."""


@dataclass(frozen=True)
class Measure:
    """What is measured.

    column : of daily bars (`carbon.market.bars_schema`) and of period statistics; prices there are in fen
    unit : of the value; is_money : the value is in the market's currency (per tonne or not) and can be converted
    is_price : may be carried forward over days without trade; by_method : exists for one method alone
    daily : exists at frequency d; at m, q and y all of them do
    """

    column: str
    unit: str
    is_money: bool = False
    is_price: bool = False
    by_method: bool = False
    daily: bool = True


MEASURES: Final[Mapping[str, Measure]] = {
    "open": Measure("open_fen_per_t", "{currency}/t", is_money=True, is_price=True),
    "high": Measure("high_fen_per_t", "{currency}/t", is_money=True, is_price=True),
    "low": Measure("low_fen_per_t", "{currency}/t", is_money=True, is_price=True),
    "close": Measure("close_fen_per_t", "{currency}/t", is_money=True, is_price=True),
    "vwap": Measure("vwap_cny_per_t", "{currency}/t", is_money=True, is_price=True, by_method=True),
    "volume": Measure("volume_t", "t", by_method=True),
    "value": Measure("value_fen", "{currency}", is_money=True, by_method=True),
    "block_share": Measure("block_share", "1"),
    "sessions": Measure("sessions", "days", by_method=True, daily=False),
    "volatility": Measure("volatility_annual", "1", daily=False),
    "amihud": Measure("amihud_per_million_cny", "1/million CNY", daily=False),
    "roll_spread": Measure("roll_spread_cny_per_t", "{currency}/t", is_money=True, daily=False),
    "zero_return_share": Measure("zero_return_share", "1", daily=False),
}


@dataclass(frozen=True)
class SeriesId:
    """The parts of a series id. vintage : the whole year, 2025; vintage and method null where all are together."""

    market: str
    measure: str
    frequency: Frequency
    vintage: int | None = None
    method: Method | None = None


def write_series_id(series: SeriesId) -> str:
    """The id as text. Raises UnknownSeries where no id can say it (a vintage outside 2000-2099, no such measure)."""
    if series.vintage is not None and not _CENTURY <= series.vintage < _CENTURY + 100:
        raise UnknownSeries(f"found vintage {series.vintage}, expected a year from {_CENTURY} to {_CENTURY + 99}")
    vintage = None if series.vintage is None else f"{series.vintage - _CENTURY:02d}"
    parts = (series.market, vintage, series.method, series.measure, series.frequency)
    text = ".".join(part for part in parts if part is not None)
    parse_series_id(text)
    return text


def parse_series_id(text: str) -> SeriesId:
    """The parts of an id. Whether the market exists is not looked up here.

    Raises UnknownSeries, saying what was found and what was expected.
    """
    match = _ID.fullmatch(text)
    if match is None:
        raise UnknownSeries(f"found series {text!r}, expected {_SHAPE}")
    found = match.groupdict()
    frequency = next(each for each in FREQUENCIES if each == found["frequency"])
    method = next((each for each in get_args(Method) if each == found["method"]), None)
    measure = MEASURES.get(found["measure"])
    allowed = [
        name
        for name, each in MEASURES.items()
        if (each.daily or frequency != "d") and (each.by_method or method is None)
    ]
    if measure is None or found["measure"] not in allowed:
        kind = f"of {BY[frequency]}s" + (f" by method {method}" if method else "")
        raise UnknownSeries(
            f"found series {text!r}: no measure {found['measure']!r} {kind}, expected {', '.join(allowed)}"
        )
    vintage = None if found["vintage"] is None else _CENTURY + int(found["vintage"])
    return SeriesId(found["market"], found["measure"], frequency, vintage, method)
