"""The figures that ship with the package: markets, their years, facilities, city inventories and who published each.

Knows the files in `carbon/data` and the schemas they are read with. Must not know outside formats, the lake or the
network.
"""

import re
from importlib.resources import files
from typing import TYPE_CHECKING

from carbon.errors import UnknownMarket

if TYPE_CHECKING:
    import polars as pl
    from sqlmodel import Session

__all__ = ["load_embedded", "product_codes", "product_pattern", "read_embedded", "resolve_market"]

_VINTAGE = r"(?:-?\d{1,4}(?:-\d{2})?)?"


def _schema(name: str) -> "dict[str, type[pl.DataType]]":
    import polars as pl

    text, whole, day, real = pl.String, pl.Int64, pl.Date, pl.Float64
    schemas: dict[str, dict[str, type[pl.DataType]]] = {
        "markets": {
            **dict.fromkeys(["market", "scope", "name_zh", "name_en", "exchange_zh", "exchange_en"], text),
            **{"hub": text, "currency": text, "opened": day, "products": text, "note": text},
        },
        "market_years": {
            **{"market": text, "year": pl.Int32, "volume_t": whole, "value_fen": whole},
            **{"last_close_fen_per_t": whole, "sessions": whole, "first_day": day, "last_day": day},
            **{"coverage": text, "source": text, "note": text},
        },
        "facilities": {
            **dict.fromkeys(["facility", "name_zh", "name_en", "role", "scope", "market", "hub"], text),
            **{"since": day, "note": text},
        },
        "facility_weights": {"scope": text, "weight": real, "assumed": pl.Boolean, "reason": text},
        "city_inventories": {"hub": text, "year": pl.Int32, "series": text, "co2_mt": real},
        "lowcarbon_pilots": {"hub": text, "since_year": pl.Int32, "source": text},
        "sources": dict.fromkeys(["file", "column", "publisher", "unit", "terms", "remark"], text),
    }
    return schemas[name]


def read_embedded(name: str) -> "pl.DataFrame":
    """One embedded table as a typed frame; an empty cell is null.

    name : file name in `carbon/data` without `.csv`, e.g. "market_years"
    Raises KeyError for a name that does not exist.
    """
    import polars as pl

    schema = _schema(name)
    text = files("carbon").joinpath("data", f"{name}.csv").read_bytes()
    return pl.read_csv(text, schema=schema)


def resolve_market(name: str) -> str:
    """The market key ("CEA", "Hubei", ...) of a key or product code, in any case: "hbea" gives "Hubei".

    Raises UnknownMarket, listing the markets that exist.
    """
    markets = read_embedded("markets")
    wanted = name.strip().casefold()
    for market, products in markets.select("market", "products").iter_rows():
        if wanted == market.casefold() or wanted in products.casefold().split(";"):
            return str(market)
    known = ", ".join(f"{m} ({p})" for m, p in markets.select("market", "products").iter_rows())
    raise UnknownMarket(f"found market {name!r}, expected a market key or product code; known: {known}")


def product_pattern(market: str) -> str:
    """A regular expression for the product codes of a market, upper case, with or without a vintage.

    "CEA" allows CEA, CEA25 and CEA19-20; "Shenzhen" allows SZA-2014. Raises UnknownMarket.
    """
    codes = "|".join(re.escape(code) for code in _codes(market))
    return f"^(?:{codes}){_VINTAGE}$"


def product_codes(market: str) -> str:
    """The product codes of a market without vintages, for a reader: "CEA, COMCEA". Raises UnknownMarket."""
    return ", ".join(_codes(market))


def _codes(market: str) -> list[str]:
    row = read_embedded("markets").row(by_predicate=_is("market", resolve_market(market)), named=True)
    return str(row["products"]).split(";")


def _is(column: str, value: str) -> "pl.Expr":
    import polars as pl

    return pl.col(column) == value


def load_embedded(session: "Session") -> None:
    """Write the embedded markets, facilities and yearly summaries to SQL, and commit (one transaction).

    Nothing is written where the database already holds these very figures. Rows are written by key; summaries of
    origin "loaded" are never touched.
    """
    from carbon.tables import EmbeddedStamp, Facility, Market, TradeSummary

    digest = _embedded_digest()
    stamp = session.get(EmbeddedStamp, 1)
    if stamp is not None and stamp.sha256 == digest:
        return
    markets = [Market(**row) for row in read_embedded("markets").iter_rows(named=True)]
    others = [
        *(Facility(**row) for row in read_embedded("facilities").iter_rows(named=True)),
        *(TradeSummary(**row) for row in embedded_summaries().iter_rows(named=True)),
    ]
    # Markets first: the other rows refer to them.
    for rows in (markets, others):
        if stamp is None:
            session.add_all(rows)
        else:
            for row in rows:
                session.merge(row)
        session.flush()
    if stamp is None:
        session.add(EmbeddedStamp(sha256=digest))
    else:
        stamp.sha256 = digest
    session.commit()


def _embedded_digest() -> str:
    """SHA-256 of what the embedded rows of SQL are made from: four files and the holiday calendar's known years."""
    import hashlib

    import chinese_calendar

    digest = hashlib.sha256(chinese_calendar.__version__.encode())
    for name in ("markets", "facilities", "market_years", "calendar_additions"):
        digest.update(files("carbon").joinpath("data", f"{name}.csv").read_bytes())
    return digest.hexdigest()


def embedded_summaries() -> "pl.DataFrame":
    """The yearly figures of `market_years.csv` in the columns of `TradeSummary`, origin "embedded".

    VWAP is value / volume; continuity is counted by the rule of `carbon.market.count_calendar_sessions`, with the first
    and last day that the embedded figures of the market cover.
    """
    import polars as pl

    from carbon.calendar import market_sessions
    from carbon.market import count_calendar_sessions
    from carbon.units import FEN_PER_CNY

    years = read_embedded("market_years")
    spans = years.group_by("market").agg(first_loaded=pl.col("first_day").min(), last_loaded=pl.col("last_day").max())
    rows = years.join(spans, on="market").with_columns(
        period=pl.col("year").cast(pl.String),
        period_start=pl.date("year", 1, 1),
        period_end=pl.date("year", 12, 31),
    )
    known = years["year"].unique().to_list()
    counted = pl.concat(
        count_calendar_sessions(part, market_sessions(str(market), known))
        for (market,), part in rows.group_by("market", maintain_order=True)
    )
    return counted.select(
        "market",
        "period",
        by=pl.lit("year"),
        origin=pl.lit("embedded"),
        volume_t="volume_t",
        value_fen="value_fen",
        vwap_cny_per_t=pl.when(pl.col("volume_t") > 0).then(pl.col("value_fen") / pl.col("volume_t") / FEN_PER_CNY),
        sessions="sessions",
        calendar_sessions="calendar_sessions",
        continuity="continuity",
        last_close_fen_per_t="last_close_fen_per_t",
        first_day="first_day",
        last_day="last_day",
        coverage="coverage",
        source="source",
        note="note",
    ).sort("market", "period")
