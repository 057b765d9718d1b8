from collections.abc import Sequence
from datetime import date, datetime

import polars as pl
import pytest

from fhi.microdata.build import BUILDERS
from fhi.microdata.schema import Column, describe_schema, is_present, list_faults, parse


def read(kind: str, cells: Sequence[object], dtype: type[pl.DataType] = pl.String) -> list[object]:
    column = Column("x", "某", kind, "", "")  # type: ignore[arg-type]
    frame = pl.DataFrame({"x": pl.Series(cells, dtype=dtype)})
    together = frame.select(x=parse(column, "x", dtype()))["x"].to_list()
    alone = [frame.slice(place, 1).select(x=parse(column, "x", dtype()))["x"][0] for place in range(len(cells))]
    assert alone == together
    return together


def test_numbers_are_read_only_where_they_can_mean_one_thing() -> None:
    cells = ["12", " 1.5 ", "1,234,567.5", "-3", "1e3", "1,5", "12万", "inf", "abc", "1e16"]
    assert read("number", cells) == [12, 1.5, 1234567.5, -3, 1000, None, None, None, None, None]
    assert read("number", [1, None], pl.Int64) == [1, None]
    assert read("number", [float("inf"), 2.5], pl.Float64) == [None, 2.5]


def test_dates_in_every_usual_form() -> None:
    day = date(2017, 3, 1)
    forms = [
        "2017-03-01",
        "2017/3/1",
        "20170301",
        "2017年3月1日",
        "2017.3.1",
        "2017-03-01T08:00:00",
        "2017-03-01 08:00",
    ]
    assert read("date", forms) == [day] * len(forms)
    assert (
        read(
            "date", ["2017-13-01", "2017-02-29", "2017-111", "2017311", "2017-03", "1/3/2017", "17-03-01", "+017-03-01"]
        )
        == [None] * 8
    )
    assert read("date", [datetime(2017, 3, 1, 23, 59)], pl.Datetime) == [day]
    assert read("date", [20170301], pl.Int64) == [day]


def test_years_and_dates_in_them() -> None:
    assert read("year", ["2017", "2017年", "2017-03-01", "2017年3月", "17", "20170", "x"]) == [2017] * 4 + [None] * 3
    assert read("year", [2017], pl.Int64) == [2017]
    assert read("year", [date(2017, 3, 1)], pl.Date) == [2017]


def test_a_salary_range_counts_as_its_middle() -> None:
    cells = ["8000", "8000-12000", "8k-12k", "8-12k", "0.8-1.2万", "8千-1.2万", "8,000~12,000元/月"]
    assert read("salary", cells) == [8000.0] + [10000.0] * 6
    assert read("salary", ["12k-8k", "8k-12k·13薪", "20万/年", "8000以上", "inf", "1e300"]) == [None] * 6


def test_marks_of_nothing_are_nothing() -> None:
    cells = ["", " ", "-", "N/A", "NaN", "null", "未披露", None, "0", "无"]
    frame = pl.DataFrame({"x": pl.Series(cells, dtype=pl.String)})
    assert frame.select(is_present("x", pl.String()))["x"].to_list() == [False] * 8 + [True] * 2
    figures = pl.DataFrame({"x": [float("nan"), None, 0.0]})
    assert figures.select(is_present("x", pl.Float64()))["x"].to_list() == [False, False, True]


@pytest.mark.parametrize("kind", list(BUILDERS))
def test_every_schema_can_be_shown_and_is_whole(kind: str) -> None:
    schema = BUILDERS[kind].schema
    table = describe_schema(schema)
    assert schema.kind == kind
    assert table.height == len(schema.columns) == table["name"].n_unique() == table["name_zh"].n_unique()
    assert table.null_count().sum_horizontal()[0] == 0
    assert all(text for row in table.iter_rows() for text in row if isinstance(text, str))
    assert schema.of_type("city")
    assert set(BUILDERS[kind].keys) <= set(table["name"])


@pytest.mark.parametrize("kind", list(BUILDERS))
def test_no_way_of_writing_means_two_categories(kind: str) -> None:
    for column in BUILDERS[kind].schema.of_type("category"):
        assert column.values is not None
        written = [
            form.lower() for value, forms in column.values.items() for form in {value.lower(), *map(str.lower, forms)}
        ]
        assert len(written) == len(set(written))


def test_faults_are_numbered_in_the_order_of_columns() -> None:
    faults = list_faults(BUILDERS["credit_users"].schema)
    assert [(fault.number, fault.column, fault.code) for fault in faults] == [
        (1, "city", "missing"),
        (2, "users", "missing"),
        (3, "users", "unreadable"),
        (4, "users", "out_of_range"),
        (5, "population", "unreadable"),
        (6, "population", "out_of_range"),
    ]
