"""Tables that a user brings: respondents' ratings, and instrumental factors.

Knows the two layouts. Knows no model. A file is read whole or refused with everything wrong with it.
"""

from pathlib import Path
from typing import Final

import polars as pl

from fhi.errors import Problem, UnknownHub, one_of
from fhi.formats.tables import ROW, is_blank, read_table
from fhi.hubs import find_hub, hubs
from green_index.perception.errors import PerceptionError
from green_index.perception.ratings import MOST_RATINGS, RATING_SCHEMA

ELSEWHERE: Final = "elsewhere"
"""What stands for a home that is none of the hubs."""
MOST_FACTORS: Final = 150
_NEEDED: Final = ("respondent", "home", "hub", "rating")
_MOST_TOLD: Final = 100


def read_ratings(path: Path) -> pl.DataFrame:
    """Respondents' ratings: RATING_SCHEMA, from a CSV or XLSX file.

    Columns respondent, home, hub, rating and, where there is one, date (2024-05-31). home is the hub where the
    respondent works, or `elsewhere`: it must be told, for ratings of one's own city do not count. A respondent may
    rate a hub again on another day. Raises PerceptionError with every problem (the first hundred of rows): columns
    missing, more than MOST_RATINGS rows, cells empty, cities unknown, a rating that is no number, a date that is none,
    a hub rated twice by one respondent on one day.
    """
    table, problems = read_table(path, ["ratings"])
    if table is None:
        raise PerceptionError(problems)
    names = {heading: heading.strip().lower() for heading in table.headings}
    frame = table.frame.rename(names)
    problems += _missing(table.name, list(names.values()), _NEEDED)
    if frame.height > MOST_RATINGS:
        found = f"{frame.height} ratings"
        problems.append(Problem(table.name, found, f"at most {MOST_RATINGS}", "too_many_rows"))
    if problems:
        raise PerceptionError(problems)
    if "date" not in frame.columns:
        frame = frame.with_columns(date=pl.lit(None, pl.String))
    texts = frame.select(ROW, *(_text(name) for name in RATING_SCHEMA.names()))
    known = {name: _hub(name) for column in ("home", "hub") for name in texts[column].drop_nulls().unique()}
    typed = texts.with_columns(
        pl.col("home", "hub").replace_strict(known, default=None, return_dtype=pl.String).name.suffix("_known"),
        number=pl.col("rating").cast(pl.Float64, strict=False),
        day=pl.col("date").str.to_date("%Y-%m-%d", strict=False),
    )
    faults = _rating_faults(typed, table.name)
    if faults:
        raise PerceptionError(faults)
    return typed.select(
        "respondent", home=pl.col("home_known"), hub=pl.col("hub_known"), rating=pl.col("number"), date=pl.col("day")
    ).cast(RATING_SCHEMA)


def read_factors(path: Path) -> pl.DataFrame:
    """Instrumental factors: hub and one column of numbers a factor, from a CSV or XLSX file; empty is unknown.

    Raises PerceptionError with every problem: no column hub, no factor or more than MOST_FACTORS, a city unknown or
    twice, a figure that is no number.
    """
    table, problems = read_table(path, ["factors"])
    if table is None:
        raise PerceptionError(problems)
    frame = table.frame.rename({name: "hub" for name in table.headings if name.strip().lower() == "hub"})
    problems += _missing(table.name, frame.columns, ("hub",))
    factors = [name for name in frame.columns if name not in ("hub", ROW)]
    if not 1 <= len(factors) <= MOST_FACTORS:
        expected = f"1 to {MOST_FACTORS} columns of figures"
        problems.append(Problem(table.name, f"{len(factors)} factors", expected, "wrong_factors"))
    if problems:
        raise PerceptionError(problems)
    frame = frame.select(ROW, _text("hub"), *(_text(name) for name in factors))
    known = {name: _hub(name) for name in frame["hub"].drop_nulls().unique()}
    found = pl.col("hub").replace_strict(known, default=None, return_dtype=pl.String)
    frame = frame.with_columns(known=found)
    faults = _told(frame.filter(pl.col("known").is_null()), table.name, "hub", _a_city(), "unknown_hub")
    twice = pl.col("known").is_not_null() & pl.col("known").is_duplicated()
    faults += _told(frame.filter(twice), table.name, "hub", "one row a city", "duplicate")
    for name in factors:
        wrong = ~pl.col(name).cast(pl.Float64, strict=False).is_finite().fill_null(value=False)
        rows = frame.filter(pl.col(name).is_not_null() & wrong)
        faults += _told(rows, table.name, name, "a number, or nothing", "wrong_number")
    if faults:
        raise PerceptionError(faults)
    return frame.select(pl.col("known").alias("hub"), *(pl.col(name).cast(pl.Float64) for name in factors))


def _rating_faults(rows: pl.DataFrame, name: str) -> list[Problem]:
    number = pl.col("number").is_finite().fill_null(value=False)
    abroad = pl.col("home").str.to_lowercase() == ELSEWHERE
    twice = pl.struct("respondent", "hub_known", "date").is_duplicated() & pl.col("hub_known").is_not_null()
    rules = (
        (pl.col("respondent").is_null(), "respondent", "a name or number of the respondent", "missing_value"),
        (
            pl.col("home_known").is_null() & ~abroad.fill_null(value=False),
            "home",
            f"{_a_city()}, or {ELSEWHERE}",
            "unknown_hub",
        ),
        (pl.col("hub_known").is_null(), "hub", _a_city(), "unknown_hub"),
        (~number, "rating", "a number", "wrong_number"),
        (pl.col("date").is_not_null() & pl.col("day").is_null(), "date", "a date such as 2024-05-31", "wrong_date"),
        (twice, "hub", "one rating of a city by one respondent on one day", "duplicate"),
    )
    found = [
        problem
        for broken, column, expected, code in rules
        for problem in _told(rows.filter(broken), name, column, expected, code)
    ]
    return found[:_MOST_TOLD]


def _told(rows: pl.DataFrame, name: str, column: str, expected: str, code: str) -> list[Problem]:
    """One problem a row, as a spreadsheet counts rows."""
    return [
        Problem(f"{name} row {row}, column {column}", "nothing" if value is None else repr(value), expected, code)
        for row, value in rows.head(_MOST_TOLD).select(ROW, column).iter_rows()
    ]


def _missing(name: str, found: list[str], needed: tuple[str, ...]) -> list[Problem]:
    expected = f"columns {', '.join(needed)}"
    lacking = [column for column in needed if column not in found]
    return [Problem(name, f"no column {column}", expected, "missing_column") for column in lacking]


def _text(name: str) -> pl.Expr:
    column = pl.col(name).cast(pl.String)
    return pl.when(~is_blank(column)).then(column.str.strip_chars()).alias(name)


def _hub(name: str) -> str | None:
    try:
        return find_hub(name)
    except UnknownHub:
        return None


def _a_city() -> str:
    return f"a city of the index: {one_of(hubs()['hub'])}"
