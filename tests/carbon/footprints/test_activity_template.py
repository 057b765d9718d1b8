"""The template: what it holds, that its example is left out, and that a filled one reads back."""

import io

import fastexcel
import polars as pl
import pytest
import xlsxwriter

from carbon.errors import UnknownFormat
from carbon.footprints.activity_files import read_activities
from carbon.footprints.activity_template import EXAMPLE, template, write_template
from carbon.footprints.activity_words import CODES, COLUMNS
from carbon.footprints.units import unit_names


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_unfilled_template_holds_an_example_and_nothing_else(tmp_path, kind, lang):
    path = tmp_path / f"template.{kind}"
    write_template(path, lang=lang)
    reading = read_activities(path)
    assert (reading.rows.height, reading.rows_read, reading.examples, reading.problems) == (0, 1, 1, ())
    assert path.read_bytes() == template(kind, lang=lang)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_example_is_a_good_row_but_for_its_mark(tmp_path, lang):
    path = tmp_path / "template.csv"
    text = template("csv", lang=lang).decode("utf-8-sig")
    path.write_text(text.replace("EXAMPLE", "mine").replace("示例", "mine"), encoding="utf-8")
    reading = read_activities(path)
    assert reading.problems == ()
    row = reading.rows.row(0, named=True)
    assert {name: str(row[name]) for name in EXAMPLE} == dict(EXAMPLE)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_filled_workbook_reads_back(tmp_path, lang):
    book = fastexcel.read_excel(template("xlsx", lang=lang))
    assert book.sheet_names == (["活动数据", "说明", "用语"] if lang == "zh" else ["activities", "notes", "words"])
    cells = book.load_sheet(0, header_row=None, skip_rows=0, dtypes="string").to_polars().rows()
    word = 0 if lang == "zh" else 1
    filled = {
        **{"entity": "plant-1", "period": "2023-06", "scope": "1", "category": CODES["category"]["mobile"][word]},
        **{"activity": "diesel", "amount": 12.5, "unit": "t", "evidence": CODES["evidence"]["metered"][word]},
        **{"credit_note": CODES["credit_note"]["false"][word], "verified": CODES["verified"]["true"][word]},
    }
    path = tmp_path / "filled.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet(book.sheet_names[0])
        for line, row in enumerate([*cells, [filled.get(one.name) for one in COLUMNS]]):
            sheet.write_row(line, 0, row)
    reading = read_activities(path)
    assert (reading.problems, reading.examples, reading.rows_read) == ((), 1, 2)
    row = reading.rows.row(0, named=True)
    assert (row["category"], row["amount"], row["evidence"], row["verified"]) == ("mobile", 12.5, "metered", True)
    assert row["row"] == 3


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_word_of_the_lists_is_understood(tmp_path, lang):
    words = (
        fastexcel.read_excel(template("xlsx", lang=lang)).load_sheet(2, header_row=None, dtypes="string").to_polars()
    )
    lists = {
        words[at][0]: words[at][1:].drop_nulls().to_list()
        for at in map(words.columns.__getitem__, range(0, words.width, 5))
    }
    assert set(lists) == {*CODES, "unit"}
    assert lists["unit"] == unit_names()["unit"].to_list()
    assert [len(lists[name]) for name in CODES] == [len(CODES[name]) for name in CODES]
    scope_of = {"stationary": 1, "mobile": 1, "process": 1, "fugitive": 1}
    scope_of |= {"electricity": 2, "heat": 2, "steam": 2, "cooling": 2}
    lines = ["entity,period,scope,category,activity,amount,unit,evidence"]
    for at, (code, word) in enumerate(zip(CODES["category"], lists["category"], strict=True)):
        evidence = lists["evidence"][at % len(lists["evidence"])]
        lines.append(f"e{at},2023,{scope_of.get(code, 3)},{word},x,1,kWh,{evidence}")
    path = tmp_path / "words.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    reading = read_activities(path)
    assert reading.problems == ()
    assert reading.rows["category"].to_list() == list(CODES["category"])


def test_lists_and_text_cells_are_in_the_workbook():
    import zipfile

    with zipfile.ZipFile(io.BytesIO(template("xlsx"))) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count('type="list"') == len(CODES) + 1
    assert sheet.count("<dataValidation ") == len(COLUMNS)


def test_the_same_bytes_each_time_and_no_other_kind():
    assert template("xlsx") == template("xlsx")
    with pytest.raises(UnknownFormat, match=r"\.xlsx or \.csv"):
        template("ods")


def test_headings_are_told_apart():
    for lang in ("zh", "en"):
        header = template("csv", lang=lang).decode("utf-8-sig").splitlines()[0].split(",")
        assert len(set(header)) == len(COLUMNS)
    assert pl.Series([one.note_zh for one in COLUMNS]).str.len_chars().min() > 0
