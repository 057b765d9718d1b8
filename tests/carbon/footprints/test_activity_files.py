"""Files of activities: three kinds, two languages, other people's columns, and everything wrong told at once."""

import gzip
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from carbon.errors import UnknownFormat, UnreadableFile
from carbon.footprints.activity_files import read_activities
from carbon.footprints.activity_mapping import ActivityMapping, UnusableActivities, read_mapping, with_fixed
from carbon.footprints.schemas import activities_schema
from carbon.formats.text import decode
from carbon.row_rules import PROBLEMS_A_RULE

HEADER = "entity,period,scope,category,activity,amount,unit"
LINES = ["plant-1,2023-06,2,electricity,electricity,1200.5,MWh", "plant-1,2023-06,1,stationary,natural_gas,3,万Nm3"]
DAY = date(2024, 1, 15)


@pytest.fixture
def write(tmp_path):
    def written(lines=LINES, header=HEADER, name="a.csv", encoding="utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(("\n".join([header, *lines]) + "\n").encode(encoding))
        return path

    return written


@pytest.fixture
def mapped(tmp_path):
    def read(text) -> ActivityMapping:
        path = tmp_path / "map.toml"
        path.write_text(text, encoding="utf-8")
        return read_mapping(path)

    return read


def codes(reading):
    return [(problem.code, problem.row, problem.column) for problem in reading.problems]


def test_a_plain_file(write):
    reading = read_activities(write(), recorded=DAY)
    assert reading.rows.schema == activities_schema()
    assert (reading.rows_read, reading.examples, reading.problems) == (2, 0, ())
    first = reading.rows.row(0, named=True)
    assert (first["amount"], first["unit"], first["file"], first["row"]) == (1200.5, "MWh", "a.csv", 2)
    assert (first["first_day"], first["last_day"], first["recorded"]) == (date(2023, 6, 1), date(2023, 6, 30), DAY)
    assert reading.assumed == (
        "2 rows without a share: counted whole (control approach)",
        "2 rows without a day of record: 2024-01-15, the day of loading",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_headings_and_words_in_any_encoding(write, encoding):
    header = "主体,期间,范围,类别,活动,数量,单位,城市,证据种类,已核查"
    lines = ['第一发电厂,2023年6月,范围二,外购电力,electricity,"1,200.5",兆瓦时,wuhan,发票,是'] * 1
    reading = read_activities(write(lines, header, encoding=encoding), recorded=DAY)
    assert reading.problems == ()
    row = reading.rows.row(0, named=True)
    assert (row["entity"], row["period"], row["scope"], row["category"]) == ("第一发电厂", "2023-06", 2, "electricity")
    assert (row["amount"], row["unit"], row["evidence"], row["verified"]) == (1200.5, "MWh", "invoice", True)


def test_the_same_rows_in_each_kind_of_file_have_the_same_ids(write, tmp_path):
    from_csv = read_activities(write())
    packed = tmp_path / "b.csv.gz"
    packed.write_bytes(gzip.compress(write().read_bytes()))
    typed = pl.read_csv(write(), schema_overrides={"period": pl.String})
    typed.write_parquet(tmp_path / "c.parquet")
    typed.write_excel(tmp_path / "d.xlsx")
    for other in (packed, tmp_path / "c.parquet", tmp_path / "d.xlsx"):
        reading = read_activities(other)
        assert reading.problems == ()
        assert reading.rows["activity_id"].to_list() == from_csv.rows["activity_id"].to_list()
        assert reading.rows["amount"].to_list() == [1200.5, 3.0]
    assert read_activities(tmp_path / "c.parquet").rows["row"].to_list() == [1, 2]
    assert read_activities(tmp_path / "d.xlsx").rows["row"].to_list() == [2, 3]


def test_cells_of_a_workbook(tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("cover")
        sheet = book.add_worksheet("activities")
        months = book.add_format({"num_format": "mmm-yy"})
        days = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(
            0, 0, ["entity", "period", "scope", "category", "activity", "amount", "unit", "recorded", "verified"]
        )
        sheet.write_row(1, 0, ["a", 2023, 2, "electricity", "electricity", 1 / 3, "kWh"])
        sheet.write_datetime(1, 7, datetime(2024, 1, 15), days)
        sheet.write_boolean(1, 8, True)
        # Row 3 is empty. 2023-06 typed into a cell becomes a day.
        sheet.write_row(3, 0, ["b", None, 2, "electricity", "electricity", 1, "kWh"])
        sheet.write_datetime(3, 1, datetime(2023, 6, 1), months)
        sheet.write_row(4, 0, ["c", "2023-06", 2, "electricity", "electricity", None, "kWh"])
        sheet.write_formula(4, 5, "=1/0", None, "#DIV/0!")
    reading = read_activities(path)
    assert reading.rows_read == 3
    row = reading.rows.row(0, named=True)
    assert (row["period"], row["amount"], row["recorded"], row["verified"]) == ("2023", 1 / 3, DAY, True)
    assert codes(reading) == [("missing_cell", 5, "amount"), ("ambiguous_period", 4, "period")]


def test_all_faults_of_a_file_are_told_and_the_good_rows_kept(write):
    lines = [
        "p,2023-06,2,electricity,electricity,1,kWh",
        "p,2023-13,9,electricity,electricity,x,furlong",
        "p,2023-07,2,electricity,electricity,-1,kWh",
        "",
        "p,2023,2,electricity,electricity,5,kWh",
        "p,2023-06,2,electricity,electricity,1.0,kWh",
        "p,2023-08,2,electricity,electricity,1,kWh,extra",
        "q,2023-08,2,electricity,electricity,1,kWh",
    ]
    reading = read_activities(write(lines))
    assert reading.rows["row"].to_list() == [2, 9]
    assert reading.rows_read == 7
    assert sorted(codes(reading), key=str) == sorted(
        [
            ("unreadable_cell", 3, "amount"),
            ("unknown_period", 3, "period"),
            ("unknown_scope", 3, "scope"),
            ("unknown_unit", 3, "unit"),
            ("negative_amount", 4, "amount"),
            ("period_overlap", 6, "period"),
            ("repeated_row", 7, "activity_id"),
            ("too_many_cells", 8, None),
        ],
        key=str,
    )
    overlap = next(problem for problem in reading.problems if problem.code == "period_overlap")
    assert "a.csv row 2" in overlap.found


def test_problems_name_the_heading_as_it_is_printed(write):
    header = HEADER.replace("amount", "数量")
    assert codes(read_activities(write(["p,2023,2,electricity,electricity,x,kWh"], header))) == [
        ("unreadable_cell", 2, "数量")
    ]


def test_a_column_that_nobody_reads_is_told(write):
    reading = read_activities(write([f"{LINES[0]},hello"], f"{HEADER},remark of ours"))
    assert codes(reading) == [("unread_heading", None, "remark of ours")]
    assert reading.problems[0].severity == "warning"
    assert reading.rows.height == 1


def test_thousands_of_wrong_rows_are_counted(write):
    lines = [f"p{at},2023,2,electricity,electricity,x,kWh" for at in range(PROBLEMS_A_RULE + 5)]
    reading = read_activities(write(lines))
    assert len(reading.problems) == PROBLEMS_A_RULE + 1
    assert reading.problems[-1].found == "5 more rows like this"
    assert reading.rows.is_empty()


def test_all_wrong_headings_at_once(write):
    with pytest.raises(UnusableActivities) as caught:
        read_activities(write(["1"], "amount,数量"))
    told = [(problem.code, problem.expected) for problem in caught.value.problems]
    assert told[0] == ("repeated_heading", "one amount")
    assert [code for code, _ in told[1:]] == ["missing_heading"] * 6
    assert "entity (主体)" in told[1][1]


@pytest.mark.parametrize(("name", "error"), [("a.txt", UnknownFormat), ("none.csv", UnreadableFile)])
def test_files_that_are_none(write, tmp_path, name, error):
    if name == "a.txt":
        write(name=name)
    with pytest.raises(error):
        read_activities(tmp_path / name)


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet"])
def test_a_file_that_is_not_what_its_name_says(write, name):
    with pytest.raises(UnreadableFile):
        read_activities(write(name=name))


def test_no_rows(write):
    reading = read_activities(write([]))
    assert (reading.rows.height, reading.rows_read, reading.problems) == (0, 0, ())


MAP = """
header_row = 2
separator = ";"
[columns]
amount = "用量"
period = "Jahr"
[values.unit]
"deg" = "kWh"
[values.category]
"Strom" = "electricity"
[fixed]
scope = 2
activity = "electricity"
entity = "plant-9"
[amount]
decimal = ","
"""


def test_a_file_of_other_peoples_columns(write, mapped):
    lines = ["Jahr;用量;unit;category;entity", "2023;1.234,5;deg;Strom;", "2023;7;kWh;electricity;plant-1"]
    reading = read_activities(write(lines, "Stromverbrauch"), mapping=mapped(MAP))
    assert reading.problems == ()
    found = reading.rows.select("entity", "period", "scope", "amount", "unit", "category", "row").rows()
    assert found == [
        ("plant-9", "2023", 2, 1234.5, "kWh", "electricity", 3),
        ("plant-1", "2023", 2, 7.0, "kWh", "electricity", 4),
    ]


def test_all_mistakes_of_a_mapping_are_told_together(write, mapped):
    mapping = mapped(
        """
        colour = 1
        header_row = 0
        [columns]
        amount = "not there"
        nonsense = "x"
        period = ["a"]
        [values.unit]
        "deg" = "furlong"
        [values.scope]
        "II" = 4
        [values.other]
        "a" = "b"
        [fixed]
        category = "c99"
        entity = "anything"
        [amount]
        decimal = ";"
        comma = 1
        """
    )
    with pytest.raises(UnusableActivities) as caught:
        read_activities(write(), mapping=mapping)
    told = {(problem.code, problem.column) for problem in caught.value.problems}
    assert told == {
        ("unknown_key", "colour"),
        ("wrong_type", "header_row"),
        ("unknown_column", "columns.nonsense"),
        ("wrong_type", "columns.period"),
        ("unknown_unit", "values.unit"),
        ("unknown_scope", "values.scope"),
        ("unknown_column", "values.other"),
        ("unknown_category", "fixed.category"),
        ("wrong_type", "amount.decimal"),
        ("unknown_key", "amount.comma"),
        ("missing_heading", None),
    }
    assert "map.toml" in str(caught.value)


def test_a_broken_mapping_and_a_missing_sheet(write, mapped, tmp_path):
    with pytest.raises(UnusableActivities, match="not_toml"):
        read_activities(write(), mapping=mapped("= 1"))
    pl.read_csv(write()).write_excel(tmp_path / "d.xlsx")
    with pytest.raises(UnusableActivities, match="missing_sheet"):
        read_activities(tmp_path / "d.xlsx", mapping=mapped('sheet = "用量"'))


def test_fixed_values_from_outside(write):
    header, lines = "scope,category,activity,amount,unit", ["2,electricity,electricity,1,kWh"]
    mapping = with_fixed(ActivityMapping(), {"entity": "plant-1", "period": "2023"})
    assert read_activities(write(lines, header), mapping=mapping).rows["period"].to_list() == ["2023"]
    with pytest.raises(UnusableActivities, match="unknown_period"):
        read_activities(write(lines, header), mapping=with_fixed(mapping, {"period": "23"}))


def test_cities_by_any_name_that_the_caller_knows(write):
    lines = [f"{LINES[0]},武汉", f"{LINES[1]},Gotham"]
    path = write(lines, f"{HEADER},城市")
    known = {"武汉": "wuhan"}
    reading = read_activities(path, hubs=lambda names: names.replace_strict(known, default=None))
    assert reading.rows["hub"].to_list() == ["wuhan"]
    assert codes(reading) == [("unknown_hub", 3, "城市")]


def test_a_period_that_has_not_begun_on_the_day_of_loading(write):
    reading = read_activities(write(["p,2024-03,2,electricity,electricity,1,kWh"]), recorded=DAY)
    assert [(problem.code, problem.found) for problem in reading.problems] == [("recorded_too_early", "2024-01-15")]


@pytest.mark.parametrize("text", ["甲厂,5,度\n", "a,度\n", "汉口,电力\n"])
def test_a_handful_of_chinese_signs_is_read_as_they_stand(text):
    assert decode(text.encode("gb18030"), "a.csv") == text
    assert decode("臺灣電力公司,度,碳\n".encode("big5"), "a.csv") == "臺灣電力公司,度,碳\n"
