"""What a period such as 2023, 2023-Q3, 2023-06 or 2023-06-30 spans.

Knows how periods are written and their first and last day. Must not know activities, factors or today's date.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "EXPECTED_PERIOD",
    "PERIOD_LEVELS",
    "first_day_expr",
    "last_day_expr",
    "period_expr",
    "period_level_expr",
    "periods_of",
]

EXPECTED_PERIOD: Final = "a year 2023, a quarter 2023-Q3, a month 2023-06 or a day 2023-06-30, from 1990 to 2100"
PERIOD_LEVELS: Final = ("year", "quarter", "month", "day")
"""The four lengths; each lies wholly in one of the length before it."""

_YEAR = r"(?:19[9]\d|20\d\d|2100)"
_FORMS = {
    "year": rf"^{_YEAR}$",
    "quarter": rf"^{_YEAR}-Q[1-4]$",
    "month": rf"^{_YEAR}-(?:0[1-9]|1[0-2])$",
    "day": rf"^{_YEAR}-\d\d-\d\d$",
}
_EVERY = {"year": "1y", "quarter": "1q", "month": "1mo", "day": "1d"}
_PLACES = r"^(\d{4})-(\d{1,2})(?:-(\d{1,2}))?$"


def period_expr(text: "pl.Expr") -> "pl.Expr":
    """The period as it is written here; null where the text is no period from 1990 to 2100.

    text : String; 2023年, 2023Q3, 2023年6月, 2023/6/30 and 2023-06-30 00:00:00 are read too
    Result : String, one of the four forms of EXPECTED_PERIOD.
    """
    import polars as pl

    plain = (
        text.str.strip_chars()
        .str.replace(r"[T ]00:00:00(?:\.0+)?$", "")
        .str.replace_all(r"[年月/]", "-")
        .str.replace_all(r"日|-$", "")
        .str.to_uppercase()
        .str.replace(r"^(\d{4})-?(?:第([1-4])季度|Q([1-4]))$", "$1-Q$2$3")
    )
    padded = pl.concat_str(
        plain.str.extract(_PLACES, 1),
        pl.lit("-"),
        plain.str.extract(_PLACES, 2).str.zfill(2),
        (pl.lit("-") + plain.str.extract(_PLACES, 3).str.zfill(2)).fill_null(""),
    )
    written = pl.coalesce(padded, plain)
    return pl.when(first_day_expr(written).is_not_null()).then(written)


def period_level_expr(period: "pl.Expr") -> "pl.Expr":
    """One of PERIOD_LEVELS for a period in the form of `period_expr`, else null."""
    import polars as pl

    levels = [pl.when(period.str.contains(form)).then(pl.lit(level)) for level, form in _FORMS.items()]
    return pl.coalesce(levels)


def first_day_expr(period: "pl.Expr") -> "pl.Expr":
    """First day (Date) of a period in the form of `period_expr`; null for anything else."""
    import polars as pl

    level = period_level_expr(period)
    year = period.str.slice(0, 4).cast(pl.Int32, strict=False)
    month = (
        pl.when(level == "quarter")
        .then(period.str.slice(6, 1).cast(pl.Int8, strict=False) * 3 - 2)
        .when(level.is_in(["month", "day"]))
        .then(period.str.slice(5, 2).cast(pl.Int8, strict=False))
        .otherwise(1)
    )
    first = pl.when(level != "day").then(pl.date(year, month.fill_null(1), 1))
    return pl.coalesce(first, pl.when(level == "day").then(period.str.to_date("%Y-%m-%d", strict=False)))


def last_day_expr(period: "pl.Expr") -> "pl.Expr":
    """Last day (Date) of a period in the form of `period_expr`; null for anything else."""
    import polars as pl

    first, level = first_day_expr(period), period_level_expr(period)
    ends = [
        pl.when(level == name).then(first.dt.offset_by(every).dt.offset_by("-1d")) for name, every in _EVERY.items()
    ]
    return pl.coalesce(ends)


def periods_of(texts: "pl.Series") -> "pl.DataFrame":
    """Each distinct text once, with what it spans: text, period, level String; first_day, last_day Date.

    All but text are null where the text is no period. Large columns hold few distinct periods: join with this.
    """
    import polars as pl

    found = pl.DataFrame({"text": texts.drop_nulls().unique().sort()}, schema={"text": pl.String})
    written = found.with_columns(period_expr(pl.col("text")).alias("period"))
    period = pl.col("period")
    return written.with_columns(
        period_level_expr(period).alias("level"),
        first_day_expr(period).alias("first_day"),
        last_day_expr(period).alias("last_day"),
    )
