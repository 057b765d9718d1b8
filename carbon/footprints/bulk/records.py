"""Activities of persons: their columns and units, and the rules that each row must keep.

Knows one activity: on which day, in which city, of which person (a whole-number code and nothing else), what, and how
much. Must not know files, headings, storage or sums. Amounts are whole thousandths of their unit.
"""

from typing import TYPE_CHECKING, Final

from carbon.row_rules import RowRule, is_lost

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "DECIMALS",
    "LARGEST_CODE",
    "MILLI",
    "REQUIRED",
    "activity_rules",
    "records_schema",
    "words_schema",
]

DECIMALS: Final = 3
MILLI: Final = 10**DECIMALS
LARGEST_CODE: Final = (1 << 31) - 1
"""Of a person, and of an amount in thousandths: sums of 2**22 amounts then stay within the 2**53 that a double holds
exactly, and sums of 2**32 within int64."""

REQUIRED: Final = ("day", "hub", "activity", "person", "amount", "unit")
_NOT_SHOWN = "something else (not shown: it may name a person)"
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_UNREADABLE = {
    "day": "a day such as 2024-01-31",
    "person": f"a whole-number code from 0 to {LARGEST_CODE}; names, phone numbers and ids may not enter",
    "amount": f"a number with at most {DECIMALS} decimals, up to {LARGEST_CODE / MILLI:.3f}; "
    "where it is larger or finer, in another unit",
}


def records_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of the table but those it is parted by (hub String, year Int32).

    day Date; person Int32, from 0; activity Int16, code of an activity and unit (`words_schema`); amount_milli Int32,
    thousandths of the unit, from 0
    """
    import polars as pl

    return {"day": pl.Date, "person": pl.Int32, "activity": pl.Int16, "amount_milli": pl.Int32}


def words_schema() -> "dict[str, type[pl.DataType]]":
    """Columns of the activities known to a lake: activity Int16 (the code), name String, unit String.

    One activity in two units has two codes, so that no amount is converted before it is summed.
    """
    import polars as pl

    return {"activity": pl.Int16, "name": pl.String, "unit": pl.String}


def activity_rules() -> list[RowRule]:
    """The rules of a row that has day, hub, unit, person, amount_milli, typed, and `<column>_raw` for each of REQUIRED.

    missing_cell      a cell that every row needs is empty
    unreadable_cell   a day, person or amount that is none; of a person the cell is not printed
    unknown_hub, unknown_unit   a city or unit that nobody knows
    implausible_day   a year before 2000 or after 2100
    negative          an amount below zero
    """
    import polars as pl

    rules = [
        RowRule("missing_cell", "error", name, pl.col(f"{name}_raw").is_null(), "a value in every row")
        for name in REQUIRED
    ]
    rules += [
        RowRule("unreadable_cell", "error", name, is_lost(name), expected, _NOT_SHOWN if name == "person" else None)
        for name, expected in _UNREADABLE.items()
    ]
    return [
        *rules,
        RowRule("unknown_hub", "error", "hub", is_lost("hub"), "a city of the list: its key, name or GB/T 2260 code"),
        RowRule("unknown_unit", "error", "unit", is_lost("unit"), "a unit of the list of units"),
        RowRule(
            "implausible_day",
            "error",
            "day",
            ~pl.col("day").dt.year().is_between(_FIRST_YEAR, _LAST_YEAR),
            f"a day from {_FIRST_YEAR} to {_LAST_YEAR}",
        ),
        RowRule("negative", "error", "amount", pl.col("amount") < 0, "zero or more"),
    ]
