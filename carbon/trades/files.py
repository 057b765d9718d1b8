"""A user's own file of single trades, CSV or Parquet: columns by name in, checked trades and problems out.

Knows headings, units of outside columns and how a moment is written. Must not know where trades are kept. Everything
is a lazy scan, so that a Parquet file larger than memory can be read; only broken rows are ever listed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.embedded import resolve_market
from carbon.errors import Problem, UnknownFormat, UnknownMarket
from carbon.products import vintage_expr
from carbon.scans import (
    ScannedTable,
    check_rows,
    collect_scan,
    find_headings,
    found_expr,
    replaced_expr,
    scaled_expr,
    scan_table,
)
from carbon.trades.records import FIRST_NAME_CODE, METHODS, day_expr, trade_rules, trades_schema
from carbon.units import scaled_from_text_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = ["HEADINGS", "TradeReading", "scan_trade_file"]

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "time_us": ("time_us", "time"),
    "market": ("market",),
    "product": ("product", "instrument"),
    "vintage": ("vintage",),
    "method": ("method",),
    "buyer": ("buyer", "buyer_name"),
    "seller": ("seller", "seller_name"),
    "price_fen": ("price_fen", "price_cny"),
    "quantity_t": ("quantity_t",),
}
"""Headings that each column may have, one of them at a time. Units are in the heading; nothing is guessed from the
figures. Buyers and sellers are codes or names, never both in one file: names under buyer_name and seller_name, and
under buyer and seller where these hold texts but no whole number."""

_PARTIES = ("buyer", "seller")
_OPTIONAL = ("vintage", "buyer", "seller", "method")
_UTC8_MINUTES = 8 * 60
_MINUTE_US = 60_000_000
_OFFSET = r"(Z|[+-]\d{2}:?\d{2})$"
_METHOD_WORDS = METHODS | {"挂牌协议交易": 10, "大宗协议交易": 20, "单向竞价": 21}


@dataclass(frozen=True)
class TradeReading:
    """A file of trades, checked but not yet read into memory.

    good : the rows to keep, in `trades_schema`, in the order of the file; rows_read, rows_kept : counts
    names : of buyers and sellers, ascending, where the file holds names: buyer and seller are then places in this list
    problems : by rule, then row; assumed : what the file does not say and was taken for granted, in words
    """

    good: "pl.LazyFrame"
    rows_read: int
    rows_kept: int
    problems: tuple[Problem, ...]
    assumed: tuple[str, ...]
    names: tuple[str, ...] = ()


def scan_trade_file(path: Path, *, market: str | None = None, file: str | None = None) -> TradeReading:
    """Scan and check a file of trades.

    path : .csv (UTF-8, first line the headings) or .parquet
    market : key or product code, for a file without a column `market`; file : name to print, the path's own by default
    Row numbers count the heading of a CSV file as line 1; the first row of a Parquet file is row 1.
    Raises UnreadableFile, UnknownFormat (all missing columns and columns given twice at once), UnknownMarket.
    """
    import polars as pl

    name = file or path.name
    table = scan_table(path, name, "trades")
    schema = table.schema
    headings = find_headings(table, HEADINGS, _OPTIONAL if market is None else (*_OPTIONAL, "market"))
    raw = table.rows.select(
        pl.col("row").cast(pl.Int64),
        *(
            _raw(headings.get(role), schema, {"market": market, "method": "listing"}.get(role)).alias(f"{role}_raw")
            for role in HEADINGS
        ),
    )
    market_keys = _market_keys(raw, market, table)
    names = _names_in(raw, table) if _holds_names(raw, headings, table) else None
    typed = _typed(raw, headings, schema, market_keys, names)
    checked = check_rows(typed, trade_rules(), headings, table)
    good = checked.good.select(trades_schema().keys())
    assumed = _assumed(headings, typed, names, table)
    return TradeReading(good, checked.rows_read, checked.rows_kept, checked.problems, assumed, tuple(names or ()))


def _typed(
    raw: "pl.LazyFrame",
    headings: Mapping[str, str],
    schema: "pl.Schema",
    market_keys: "pl.DataFrame",
    names: list[str] | None,
) -> "pl.LazyFrame":
    """The columns of `trades_schema` beside the cells they came of; null where a cell cannot be read."""
    import polars as pl

    typed = raw.with_columns(
        _moment(headings["time_us"], schema[headings["time_us"]]).alias("time_us"),
        replaced_expr(pl.col("market_raw").cast(pl.String), market_keys["written"], market_keys["market"]).alias(
            "market"
        ),
        pl.col("product_raw").cast(pl.String).str.strip_chars().alias("product"),
        _method().alias("method"),
        _scaled("price_fen", headings["price_fen"], schema).cast(pl.Int32, strict=False).alias("price_fen"),
        *(
            _scaled(role, headings.get(role), schema).cast(kind, strict=False).alias(role)
            for role, kind in trades_schema().items()
            if role in ("quantity_t", "vintage")
        ),
        *(_party(role, headings.get(role), schema, names).alias(role) for role in _PARTIES),
    )
    if "vintage" not in headings:
        typed = typed.with_columns(vintage_expr("product").cast(pl.Int16).alias("vintage"))
    return typed.with_columns(day_expr(pl.col("time_us")).alias("day"))


def _raw(heading: str | None, schema: "pl.Schema", otherwise: str | None) -> "pl.Expr":
    """The cell as it was found, an empty text as null; what stands for it in a file without the column."""
    import polars as pl

    if heading is None:
        return pl.lit(otherwise, dtype=pl.String)
    return found_expr(heading, schema)


def _market_keys(raw: "pl.LazyFrame", market: str | None, table: ScannedTable) -> "pl.DataFrame":
    """What the file calls its markets, and the keys of those that are known: written, market (String)."""
    import polars as pl

    if market is not None:
        resolve_market(market)
    names = collect_scan(raw.select(pl.col("market_raw").cast(pl.String).unique()), table)["market_raw"]
    keys = {}
    for name in names.drop_nulls():
        try:
            keys[name] = resolve_market(name)
        except UnknownMarket:
            continue
    return pl.DataFrame(list(keys.items()), schema={"written": pl.String, "market": pl.String}, orient="row")


def _holds_names(raw: "pl.LazyFrame", headings: Mapping[str, str], table: ScannedTable) -> bool:
    """Whether buyers and sellers are names. Raises UnknownFormat where the headings say both."""
    import polars as pl

    parties = [headings[role] for role in _PARTIES if role in headings]
    named = [heading for heading in parties if heading not in _PARTIES]
    if named:
        if len(named) < len(parties):
            raise UnknownFormat(
                f"found in {table.file} the columns {' and '.join(parties)}; expected names or codes in both"
            )
        return True
    if not parties or any(table.schema[heading].is_numeric() for heading in parties):
        return False
    cells = [pl.col(f"{role}_raw").cast(pl.String) for role in _PARTIES if role in headings]
    told = raw.select(
        pl.any_horizontal(cell.is_not_null().any() for cell in cells).alias("is_some"),
        pl.any_horizontal(scaled_from_text_expr(cell, 0).is_not_null().any() for cell in cells).alias("is_number"),
    )
    is_some, is_number = collect_scan(told, table).row(0)
    return bool(is_some and not is_number)


def _names_in(raw: "pl.LazyFrame", table: ScannedTable) -> list[str]:
    """The names of buyers and sellers, ascending."""
    import polars as pl

    sides = (raw.select(pl.col(f"{role}_raw").cast(pl.String).str.strip_chars().alias("name")) for role in _PARTIES)
    names = collect_scan(pl.concat(sides).unique(), table)["name"]
    return [name for name in names.drop_nulls().sort() if name]


def _party(role: str, heading: str | None, schema: "pl.Schema", names: list[str] | None) -> "pl.Expr":
    """The code of a participant, or the place of its name."""
    import polars as pl

    if names is None:
        code = _scaled(role, heading, schema)
        return pl.when(code < FIRST_NAME_CODE).then(code).cast(pl.Int32, strict=False)
    text = pl.col(f"{role}_raw").cast(pl.String).str.strip_chars()
    return text.cast(pl.Enum(names), strict=False).to_physical().cast(pl.Int32)


def _moment(heading: str, kind: "pl.DataType") -> "pl.Expr":
    """Microseconds since 1970 UTC. A moment without an offset is taken as China Standard Time."""
    import polars as pl

    raw = pl.col("time_us_raw")
    if kind.is_integer():
        return raw.cast(pl.Int64, strict=False)
    if isinstance(kind, pl.Datetime):
        return raw.dt.epoch("us") - (0 if kind.time_zone else _UTC8_MINUTES * _MINUTE_US)
    text = raw.cast(pl.String)
    if heading == "time_us":
        return text.cast(pl.Int64, strict=False)
    offset = text.str.extract(_OFFSET, 1).str.replace(":", "")
    sign = pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    hours, minutes = (offset.str.slice(at, 2).cast(pl.Int64, strict=False) for at in (1, 3))
    ahead = pl.when(offset == "Z").then(0).otherwise(sign * (hours * 60 + minutes))
    plain = text.str.replace(_OFFSET, "").str.replace("T", " ", literal=True).str.strip_chars()
    clock = pl.coalesce(
        plain.str.to_datetime(form, time_unit="us", strict=False) for form in ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
    )
    return clock.dt.epoch("us") - ahead.fill_null(_UTC8_MINUTES) * _MINUTE_US


def _scaled(role: str, heading: str | None, schema: "pl.Schema") -> "pl.Expr":
    """Whole numbers of the unit of the column; null where the cell is no such number."""
    import polars as pl

    raw = pl.col(f"{role}_raw")
    if heading is None:
        return raw.cast(pl.Int64)
    return scaled_expr(raw, schema[heading], 2 if heading == "price_cny" else 0)


def _method() -> "pl.Expr":
    import polars as pl

    known = _METHOD_WORDS | {str(code): code for code in METHODS.values()}
    text = pl.col("method_raw").cast(pl.String).str.to_lowercase()
    return replaced_expr(text, pl.Series(known.keys()), pl.Series(known.values(), dtype=pl.Int8))


def _assumed(
    headings: Mapping[str, str], typed: "pl.LazyFrame", names: list[str] | None, table: ScannedTable
) -> tuple[str, ...]:
    import polars as pl

    assumed = []
    if "method" not in headings:
        assumed.append("no column method: every trade is taken as listed")
    if "vintage" not in headings:
        assumed.append("no column vintage: taken from the end of the product's code")
    kind = table.schema[headings["time_us"]]
    if isinstance(kind, pl.Datetime) and kind.time_zone is None:
        assumed.append("times without an offset are taken as China Standard Time (UTC+8)")
    if kind == pl.String and headings["time_us"] == "time":
        plain = (~pl.col("time_us_raw").str.contains(_OFFSET)).any()
        if collect_scan(typed.select(plain), table).item():
            assumed.append("times without an offset are taken as China Standard Time (UTC+8)")
    if names is not None and any(headings.get(role) == role for role in _PARTIES):
        assumed.append("buyer and seller hold no whole number: taken as names")
    return tuple(assumed)
