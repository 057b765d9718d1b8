"""The panel: observations of hubs, one row a hub, period and indicator.

Knows the schema and how to check it. Knows no source of figures and no formula.
Missing is null, never NaN and never zero.
"""

import hashlib
import io
from typing import Final

import polars as pl

from fhi.errors import Problem
from fhi.framework import Framework
from fhi.numbers import IN_RANGE, out_of_range

STATUSES: Final = ("observed", "estimated", "imputed", "carried_forward")

PANEL_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "code": pl.String,
        "value": pl.Float64,
        "unit": pl.String,
        "status": pl.String,
        "source": pl.String,
    }
)
_KEY: Final = ["hub", "period", "code"]
_SLICE: Final = 200_000
UNDATED: Final = "undated"
PERIOD: Final = rf"^(\d{{4}}(-Q[1-4]|-(0[1-9]|1[0-2]))?|{UNDATED})$"
PERIODS: Final = "2022, 2022-Q3, 2022-06, or undated where figures have no time"
NOT_NEGATIVE: Final = "zero or more, since ln(1 + x) is taken before scoring"


def check_panel(panel: pl.DataFrame, framework: Framework) -> list[Problem]:
    """Everything wrong with a panel, at once: schema, periods, statuses, codes, duplicates, NaN.

    panel: PANEL_SCHEMA, one row a (hub, period, code), `value` in the row's unit, null where unknown.
    """
    if panel.schema != PANEL_SCHEMA:
        return [Problem("panel", str(dict(panel.schema)), str(dict(PANEL_SCHEMA)), "panel_schema")]
    known = [*framework.indicator, *framework.denominator]
    logged = [code for code, indicator in framework.indicator.items() if indicator.transform == "log1p"]
    faults = {
        "unknown_code": (~pl.col("code").is_in(known), "code", "an indicator or denominator of the framework"),
        "wrong_period": (~pl.col("period").str.contains(PERIOD), "period", PERIODS),
        "wrong_status": (~pl.col("status").is_in(STATUSES), "status", f"one of {', '.join(STATUSES)}"),
        "not_finite": (~pl.col("value").is_finite(), "value", "a finite number, or null where unknown"),
        "out_of_range": (pl.col("value").is_finite() & out_of_range(pl.col("value")), "value", IN_RANGE),
        "negative_for_log": (
            pl.col("code").is_in(logged) & (pl.col("value") < 0),
            "value",
            NOT_NEGATIVE,
        ),
        "duplicate": (pl.struct(_KEY).is_duplicated(), "code", "one row a hub, period and indicator"),
        "null_key": (pl.any_horizontal(pl.col(_KEY).is_null()), "hub", "hub, period and code in every row"),
    }
    # Rows in ascending order cannot be there twice, which is far cheaper to see than to count.
    asked = {code: broken.any() for code, (broken, _, _) in faults.items()} | {"duplicate": ~_ascending()}
    found = panel.select(**asked).row(0, named=True)
    problems = []
    for code, (broken, column, expected) in faults.items():
        for row in panel.filter(broken).iter_rows(named=True) if found[code] else ():
            where = f"panel row {row['hub']} {row['period']} {row['code']}"
            problems.append(Problem(where, f"{column} {row[column]}", expected, code))
    return problems


def _ascending() -> pl.Expr:
    """Is every row after the one before it?"""
    hub, period, code = (pl.col(name) for name in _KEY)
    before = [pl.col(name).shift(1) for name in _KEY]
    later = (period > before[1]) | ((period == before[1]) & (code > before[2]))
    ascends = (hub > before[0]) | ((hub == before[0]) & later)
    return ascends.slice(1).fill_null(value=False).all()


def sort_panel(panel: pl.DataFrame) -> pl.DataFrame:
    """The same rows in the one order that hashes and stores use."""
    ordered = panel.select(PANEL_SCHEMA.names())
    return ordered if ordered.select(_ascending()).item() else ordered.sort(_KEY)


def hash_panel(panel: pl.DataFrame) -> str:
    """SHA-256 of the rows in their one order: the version of the data that a result was made from."""
    digest = hashlib.sha256()
    # A slice at a time: the text of a great panel is several times the panel.
    for number, rows in enumerate(sort_panel(panel).iter_slices(_SLICE) if panel.height else [panel]):
        text = io.BytesIO()
        rows.write_csv(text, include_header=number == 0)
        digest.update(text.getbuffer())
    return digest.hexdigest()
