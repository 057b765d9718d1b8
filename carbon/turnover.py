"""Turnover: what was traded as a share of the allowances in issue, where their number is known.

Knows the table of allowances that a user brings, and the ratio. Must not know rows, prices or how statistics are made.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import CarbonError, UnreadableFile
from carbon.units import scaled_from_text_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ALLOWANCE_COLUMNS", "BadAllowances", "add_turnover", "check_allowances", "read_allowances"]

ALLOWANCE_COLUMNS = ("market", "period", "allowances_t", "source")


class BadAllowances(CarbonError):
    """The table of allowances cannot be used; the message lists everything wrong with it."""


def read_allowances(path: Path) -> "pl.DataFrame":
    """The allowances in issue that a CSV file lists: market, period (String), allowances_t Int64, source.

    path : CSV in any encoding that market files come in (`carbon.formats.text.decode`), one row a market and period,
    with the columns of the result; `period` as statistics write it (2025, 2025Q1, 2025-01, all), `allowances_t` in
    whole tonnes, `source` the document the figure is from
    Raises UnreadableFile where the file cannot be read, RepeatedHeading where two columns of one heading differ,
    BadAllowances with every bad row otherwise.
    """
    import polars as pl

    from carbon.formats.headings import refuse_repeated_headings
    from carbon.formats.text import decode, read_bytes, read_header

    refuse_repeated_headings(path, read_header(path), ALLOWANCE_COLUMNS)
    text = decode(read_bytes(path), path.name)
    try:
        texts = pl.read_csv(text.encode(), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise UnreadableFile(f"found {path.name} unreadable as CSV ({error}), expected a table with a header") from None
    _check_columns(texts, path.name)
    trimmed = texts.select(pl.col(ALLOWANCE_COLUMNS).str.strip_chars())
    tonnes = trimmed.with_columns(allowances_t=scaled_from_text_expr(pl.col("allowances_t"), 0), text="allowances_t")
    # A spreadsheet shows the first row below the header as row 2.
    bad = tonnes.with_row_index("row", 2).filter((pl.col("allowances_t") > 0).fill_null(False).not_())
    if bad.height:
        told = [
            f"row {row}: found {text!r}, expected tonnes above zero" for row, text in bad.select("row", "text").rows()
        ]
        raise BadAllowances(f"{path.name}, column allowances_t: " + "; ".join(told))
    return check_allowances(tonnes.select(ALLOWANCE_COLUMNS), path.name)


def check_allowances(allowances: "pl.DataFrame", name: str = "allowances") -> "pl.DataFrame":
    """The same frame, where every column is there, every figure has a source and no market and period comes twice.

    name : what messages call the table. Raises BadAllowances with everything that is wrong.
    """
    import polars as pl

    _check_columns(allowances, name)
    twice = allowances.filter(pl.struct("market", "period").is_duplicated()).select("market", "period").unique()
    unsourced = allowances.filter(pl.col("source").fill_null("") == "").select("market", "period")
    told = [f"found {market} {period} more than once, expected it once" for market, period in sorted(twice.rows())]
    told += [f"found {market} {period} without a source, expected one" for market, period in unsourced.rows()]
    if told:
        raise BadAllowances(f"{name}: " + "; ".join(told))
    return allowances


def add_turnover(statistics: "pl.DataFrame", allowances: "pl.DataFrame") -> "pl.DataFrame":
    """Add turnover (volume / allowances, Float64), allowances_t and allowances_source to statistics.

    statistics : with market, period and volume_t, such as `carbon.periods.market_statistics`; a part (vintage, method)
    is divided by the same allowances, so that the turnover of parts adds up to that of the whole
    allowances : market, period (String), allowances_t (Int64, tonnes in issue), source; one row a market and period
    Null where no allowances are known or where they are not above zero. Raises BadAllowances.
    """
    import polars as pl

    known = check_allowances(allowances).select("market", "period", "allowances_t", allowances_source="source")
    joined = statistics.join(known, on=["market", "period"], how="left", maintain_order="left")
    tonnes = pl.when(pl.col("allowances_t") > 0).then(pl.col("allowances_t"))
    return joined.with_columns(turnover=pl.col("volume_t") / tonnes)


def _check_columns(table: "pl.DataFrame", name: str) -> None:
    lacking = [column for column in ALLOWANCE_COLUMNS if column not in table.columns]
    if lacking:
        raise BadAllowances(f"{name}: found no column {', '.join(lacking)}, expected {', '.join(ALLOWANCE_COLUMNS)}")
