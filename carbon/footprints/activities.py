"""Activities: the rules that each row must keep, and the name that its content gives it.

Knows one row: what, where, when, how much and on what evidence. Must not know files, storage, factors or results.

A credit note takes back an amount that was counted before: its amount is below zero and its row says credit_note. A row
that does not say so is never below zero, and a credit note never above: what is true of amounts is so of emissions.
"""

import hashlib
from typing import TYPE_CHECKING, Final

from carbon.footprints.activity_words import CODES, REQUIRED
from carbon.footprints.periods import EXPECTED_PERIOD
from carbon.footprints.schemas import SCOPE_1, SCOPE_2, SCOPE_3, activities_schema
from carbon.row_rules import RowRule, is_lost

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CONTENT", "REPORTED", "activity_rules", "content_hashes", "with_ids"]

CONTENT: Final = tuple(
    name
    for name in (
        *("entity", "share", "hub", "sector", "period", "scope", "category", "activity", "amount", "unit"),
        *("credit_note", "lower", "upper", "distribution", "region", "method", "factor_id", "series", "contract"),
        *("evidence", "evidence_ref", "verified", "platform", "replaces"),
    )
)
"""What makes a row the row that it is. Not: its id, the days that the period gives, when and where it was found."""

REPORTED: Final = "reported_emissions"
"""The activity of emissions as a company reports them: mass of CO2e, of a category, or without one of a whole scope."""

_NUMBER = "a finite number such as 1200.5"
_UNREADABLE: Final = {
    "amount": _NUMBER,
    "lower": _NUMBER,
    "upper": _NUMBER,
    "share": "a number from 0 to 1",
    "recorded": "a day such as 2024-01-15",
    "credit_note": "yes or no (是, 否)",
    "verified": "yes or no (是, 否)",
}
_FIELD = "\x1f"
_NOTHING = "\x00"


def activity_rules() -> list[RowRule]:
    """The rules of a row of `carbon.footprints.activity_cells.type_activities`; all are errors.

    missing_cell        a cell that every activity needs is empty
    unreadable_cell     a cell that is no number, no day, neither yes nor no
    unknown_period, unknown_scope, unknown_category, unknown_unit, unknown_word, unknown_hub
    ambiguous_period    a day cell of a workbook on the first of a month: the day, or the month?
    category_of_other_scope   a category that its scope does not have
    negative_amount     below zero without credit_note
    positive_credit_note   a credit note that is not below zero
    share_out_of_range  a share below 0 or above 1
    bounds_out_of_order lower <= amount <= upper is broken
    method_without_scope_2   location or market for another scope
    recorded_too_early  recorded before the period began
    replaces_itself     a correction of its own row
    """
    import polars as pl

    # What a company reports of a whole scope has no category.
    is_whole = (pl.col("activity") == REPORTED).fill_null(False)
    rules = [
        RowRule(
            "missing_cell",
            "error",
            name,
            pl.col(f"{name}_raw").is_null() & (~is_whole if name == "category" else True),
            "a value in every row",
        )
        for name in REQUIRED
    ]
    rules += [
        RowRule("unreadable_cell", "error", name, is_lost(name), expected) for name, expected in _UNREADABLE.items()
    ]
    rules += [
        RowRule("unknown_period", "error", "period", is_lost("period"), EXPECTED_PERIOD),
        RowRule("unknown_scope", "error", "scope", is_lost("scope"), "1, 2 or 3"),
        RowRule("unknown_category", "error", "category", is_lost("category"), _all_categories()),
        RowRule("unknown_unit", "error", "unit", is_lost("unit"), "a unit of the list, such as kWh, t or 万Nm3"),
        RowRule("unknown_hub", "error", "hub", is_lost("hub"), "the key of a city that is known, or nothing"),
    ]
    rules += [
        RowRule("unknown_word", "error", name, is_lost(name), f"one of {', '.join(CODES[name])}")
        for name in ("method", "distribution", "evidence")
    ]
    return [*rules, _ambiguous_period(), *_scope_rules(), *_amount_rules(), *_day_rules()]


def content_hashes(rows: "pl.DataFrame") -> "pl.Series":
    """SHA-256 of the content of each row (64 hexadecimal digits): the same row has the same one in any file.

    rows : the columns of CONTENT. Numbers count by value (1200 and 1200.0 are one), texts letter by letter.
    """
    import polars as pl

    schema = activities_schema()
    texts = [pl.col(name).cast(schema[name]).cast(pl.String).fill_null(_NOTHING) for name in CONTENT]
    content = rows.select(pl.concat_str(texts, separator=_FIELD)).to_series()
    return pl.Series("content", [hashlib.sha256(text.encode()).hexdigest() for text in content], dtype=pl.String)


def with_ids(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The same rows; activity_id made from the content where none is given."""
    import polars as pl

    return rows.with_columns(pl.coalesce("activity_id", content_hashes(rows)).alias("activity_id"))


def _all_categories() -> str:
    return f"{', '.join((*SCOPE_1, *SCOPE_2))}, or for scope 3 c01 .. c15 (also 1 .. 15)"


def _ambiguous_period() -> RowRule:
    import polars as pl

    is_cell = pl.col("period_raw").str.contains(r"[T ]00:00:00")
    return RowRule(
        "ambiguous_period",
        "error",
        "period",
        is_cell & (pl.col("first_day").dt.day() == 1),
        "text such as 2023-06 for the month or 2023-06-01 for the day; a cell formatted as a day may mean either",
    )


def _scope_rules() -> list[RowRule]:
    import polars as pl

    categories = {1: SCOPE_1, 2: SCOPE_2, 3: SCOPE_3}
    rules = [
        RowRule(
            "category_of_other_scope",
            "error",
            "category",
            (pl.col("scope") == scope) & ~pl.col("category").is_in(list(known)),
            f"a category of scope {scope}: {', '.join(known)}",
        )
        for scope, known in categories.items()
    ]
    where = pl.col("method").is_not_null() & (pl.col("scope") != 2)
    return [*rules, RowRule("method_without_scope_2", "error", "method", where, "nothing, but for scope 2")]


def _amount_rules() -> list[RowRule]:
    import polars as pl

    amount, lower, upper, share = (pl.col(name) for name in ("amount", "lower", "upper", "share"))
    negative = "zero or more; an amount taken back is a row of its own with credit_note = yes"
    positive = "below zero: a credit note takes back what was counted before, so it carries a minus sign"
    is_note = pl.col("credit_note")
    return [
        RowRule("negative_amount", "error", "amount", ~is_note & (amount < 0), negative),
        RowRule("positive_credit_note", "error", "amount", is_note & (amount >= 0), positive),
        RowRule("share_out_of_range", "error", "share", ~share.is_between(0, 1), "a number from 0 to 1"),
        RowRule("bounds_out_of_order", "error", "lower", lower > amount, "lower <= amount <= upper"),
        RowRule("bounds_out_of_order", "error", "upper", upper < amount, "lower <= amount <= upper"),
    ]


def _day_rules() -> list[RowRule]:
    import polars as pl

    early = pl.col("recorded") < pl.col("first_day")
    itself = pl.col("replaces") == pl.col("activity_id")
    return [
        RowRule("recorded_too_early", "error", "recorded", early, "a day not before the period began"),
        RowRule("replaces_itself", "error", "replaces", itself, "the id of another row"),
    ]
