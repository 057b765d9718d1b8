"""Methodologies: what an act that saves carbon is worth, as dated rows; the embedded ones and those of the user.

Knows `carbon/data/personal_methods.csv`, the layout of a user's file and the table of the user's rows. Must not know
persons. A row is for whole units: grams of CO2e that the baseline and the act itself would emit. A figure that no
published text gave is not embedded: of the ten Wuhan methodologies of 2023-11-30 and 2024-09-02 only the names were
read, so whoever has the texts loads them.
"""

from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, select

from carbon.errors import Problem
from carbon.footprints.persons.queries import hold_persons, read_frame, table_of, write_rows
from carbon.footprints.persons.tables import Method

if TYPE_CHECKING:
    import polars as pl

    from carbon.formats.user_tables import FileReading

__all__ = [
    "METHOD_COLUMNS",
    "all_methods",
    "embedded_methods",
    "method_schema",
    "methods_in_force",
    "read_methods",
    "store_methods",
]

METHOD_COLUMNS: Final = (
    *("method", "valid_from", "valid_to", "activity", "baseline_g", "activity_g", "unit", "cap_day_g", "cap_year_g"),
    *("region", "source", "published", "confidence", "name_zh", "name_en", "remark"),
)
"""Headings of a file of methods. baseline_g, activity_g : grams of CO2e per unit, at most six decimals."""
_OPTIONAL: Final = ("valid_to", "cap_day_g", "cap_year_g", "region", "published", "remark")
_DATES: Final = ("valid_from", "valid_to", "published")
_UG_DECIMALS: Final = 6
_LARGEST_UG: Final = 10**12  # a tonne per unit


def method_schema() -> "dict[str, type[pl.DataType] | pl.DataType]":
    """Columns of a frame of methods.

    baseline_ug, activity_ug : micrograms of CO2e per unit; cap_day_g, cap_year_g : grams that one person may be
    credited with, null without cap; region : GB/T 2260 code or a wider region, null for anywhere; origin : embedded
    or user
    """
    import polars as pl

    whole, text, day = pl.Int64, pl.String, pl.Date
    return {
        **{"method": text, "valid_from": day, "valid_to": day, "activity": text, "baseline_ug": whole},
        **{"activity_ug": whole, "unit": text, "cap_day_g": whole, "cap_year_g": whole, "region": text},
        **{"source": text, "published": day, "confidence": text, "name_zh": text, "name_en": text, "remark": text},
        "origin": text,
    }


@cache
def _embedded() -> "FileReading":
    from carbon.formats.user_tables import cells_of

    text = files("carbon").joinpath("data", "personal_methods.csv").read_text(encoding="utf-8")
    return _typed(cells_of(text, "personal_methods.csv", METHOD_COLUMNS, ()), "embedded")


def embedded_methods() -> "pl.DataFrame":
    """The methods that ship with the package, as `method_schema` has them, each with its source and confidence."""
    return _embedded().rows.clone()


def read_methods(path: Path, *, file: str | None = None) -> "FileReading":
    """The methods of a user's CSV file (METHOD_COLUMNS in any order), good rows kept and bad ones reported.

    Raises UnknownFormat where headings are missing, UnreadableFile.
    """
    from carbon.formats.user_tables import read_cells

    needed = tuple(name for name in METHOD_COLUMNS if name not in _OPTIONAL)
    return _typed(read_cells(path, needed, _OPTIONAL, file=file), "user")


def _typed(read: "FileReading", origin: str) -> "FileReading":
    import polars as pl

    from carbon.footprints.persons.files import apart
    from carbon.footprints.schemas import CONFIDENCES
    from carbon.footprints.units import dimensions
    from carbon.formats.user_tables import FileReading
    from carbon.units import scaled_from_text_expr

    text = pl.col
    rows = read.rows.with_columns(
        *(text(name).str.to_date("%Y-%m-%d", strict=False).alias(f"{name}_day") for name in _DATES),
        scaled_from_text_expr(text("baseline_g"), _UG_DECIMALS).alias("baseline_ug"),
        scaled_from_text_expr(text("activity_g"), _UG_DECIMALS).alias("activity_ug"),
        scaled_from_text_expr(text("cap_day_g"), 0).alias("day_g"),
        scaled_from_text_expr(text("cap_year_g"), 0).alias("year_g"),
        dimensions(read.rows["unit"]).is_not_null().alias("unit_known"),
        pl.lit(origin).alias("origin"),
    )
    needed = [name for name in METHOD_COLUMNS if name not in _OPTIONAL]
    factor = f"grams of CO2e from 0 to {_LARGEST_UG // 10**_UG_DECIMALS} with at most six decimals"
    rules: list[tuple[str, str, pl.Expr, str]] = [
        *(("empty_cell", name, text(name).is_null(), "a text") for name in needed),
        *(("bad_date", name, text(name).is_not_null() & text(f"{name}_day").is_null(), "a day") for name in _DATES),
        ("bad_date", "valid_to", text("valid_to_day") < text("valid_from_day"), "a day from valid_from on"),
        *(
            (
                *("bad_number", f"{name}_g"),
                text(f"{name}_g").is_not_null() & ~text(f"{name}_ug").is_between(0, _LARGEST_UG).fill_null(False),
                factor,
            )
            for name in ("baseline", "activity")
        ),
        *(
            (
                *("bad_number", f"cap_{name}"),
                text(f"cap_{name}").is_not_null() & ~(text(name) >= 0).fill_null(False),
                "whole grams",
            )
            for name in ("day_g", "year_g")
        ),
        ("unknown_unit", "unit", text("unit").is_not_null() & ~text("unit_known"), "a unit of the list of units"),
        ("bad_confidence", "confidence", ~text("confidence").is_in(CONFIDENCES), "H, M or L"),
        ("repeated", "method", ~pl.struct("method", "valid_from").is_first_distinct(), "each method and day once"),
    ]
    good, problems = apart(rows, rules, read.file)
    picked = good.select(
        *("method", text("valid_from_day").alias("valid_from"), text("valid_to_day").alias("valid_to"), "activity"),
        *("baseline_ug", "activity_ug", "unit", text("day_g").alias("cap_day_g"), text("year_g").alias("cap_year_g")),
        *("region", "source", text("published_day").alias("published"), "confidence", "name_zh", "name_en", "remark"),
        "origin",
    )
    return FileReading(read.file, picked, read.rows_read, (*read.problems, *problems))


def store_methods(
    connection: Connection, methods: "pl.DataFrame", *, at_us: int, file: str = "methods"
) -> tuple[int, tuple[Problem, ...]]:
    """Keep a user's methods for ever; rows that are there already change nothing.

    methods : as `read_methods` gives them. A method and day that are taken by other figures, or by an embedded
    method, are reported and left out: what was credited under a row must stay what it was. A correction is a row
    with a later valid_from. Result : rows added, problems.
    """
    import polars as pl

    hold_persons(connection)
    keys = ["method", "valid_from"]
    columns = [name for name in method_schema() if name != "origin"]
    there = all_methods(connection)
    taken = methods.join(there.select(keys), on=keys, how="semi")
    same = taken.select(columns).join(there.select(columns), on=columns, how="semi", nulls_equal=True)
    other = taken.join(same.select(keys), on=keys, how="anti")
    problems = tuple(
        Problem(
            *(file, None, "method", f"{method} from {day}, which is there with other figures"),
            *("a later valid_from, or another method id", "method_in_use", "error"),
        )
        for method, day in other.select(keys).iter_rows()
    )
    new = methods.select(columns).join(there.select(keys), on=keys, how="anti")
    write_rows(connection, Method, new.with_columns(pl.lit(at_us).alias("at_us")).to_dicts())
    return new.height, problems


def all_methods(connection: Connection) -> "pl.DataFrame":
    """The embedded methods and those of the user, by method and day: see `method_schema`."""
    import polars as pl

    table = table_of(Method)
    columns = {name: kind for name, kind in method_schema().items() if name != "origin"}
    own = read_frame(connection, select(*(table.c[name] for name in columns)), columns)
    return pl.concat([embedded_methods(), own.with_columns(pl.lit("user").alias("origin"))]).sort(
        "method", "valid_from"
    )


def methods_in_force(rows: "pl.DataFrame", methods: "pl.DataFrame") -> "pl.DataFrame":
    """The row of each method that holds on a day: the one with the latest valid_from, if it has not ended before.

    rows : row Int64, method String, day Date. Result : row, then the columns of the method; rows without are left out.
    """
    import polars as pl

    dated = methods.rename({"valid_from": "from_day"}).with_columns(pl.col("from_day").alias("valid_from"))
    asked = rows.select("row", "method", "day").drop_nulls().sort("day")
    found = asked.join_asof(
        dated.sort("from_day"),
        left_on="day",
        right_on="from_day",
        by="method",
        strategy="backward",
        check_sortedness=False,
    )
    held = found.filter(pl.col("valid_from").is_not_null() & (pl.col("day") <= pl.col("valid_to").fill_null(_LAST)))
    return held.drop("day", "from_day").sort("row")


_LAST: Final = date(9999, 12, 31)
