"""A workbook read cell by cell, and calculated anew as Excel calculates it, by the package `formulas`."""

import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from fhi.index import IndexResult
from fhi.panel import PANEL_SCHEMA

Cells = dict[tuple[str, str], object]
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REFERENCE = re.compile(r"([A-Z]+)(\d+)(?::([A-Z]+)(\d+))?$")
_REFERENCES = re.compile(r"(?:(?:'[^']+'|\w+)!)?\$?\b[A-Z]{1,3}\$?\d+\b(?::\$?[A-Z]{1,3}\$?\d+\b)?(?![\w(.])")


@dataclass(frozen=True)
class Formula:
    """A formula, told from a text that looks like one."""

    text: str


def read_cells(path: Path) -> Cells:
    """Every cell by sheet and place: a number, a text or a formula."""
    found: Cells = {}
    with zipfile.ZipFile(path) as book:
        shared = []
        if "xl/sharedStrings.xml" in book.namelist():
            items = ElementTree.fromstring(book.read("xl/sharedStrings.xml")).iter(f"{_MAIN}si")
            shared = ["".join(text.text or "" for text in item.iter(f"{_MAIN}t")) for item in items]
        for number, name in enumerate(sheet_names(book), 1):
            root = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
            for cell in root.iter(f"{_MAIN}c"):
                formula, value = cell.find(f"{_MAIN}f"), cell.find(f"{_MAIN}v")
                place = name.upper(), cell.attrib["r"]
                if formula is not None:
                    found[place] = Formula(f"={formula.text}")
                elif cell.attrib.get("t") == "inlineStr":
                    found[place] = "".join(text.text or "" for text in cell.iter(f"{_MAIN}t"))
                elif value is not None and value.text is not None:
                    text = cell.attrib.get("t") == "s"
                    found[place] = shared[int(value.text)] if text else float(value.text)
    return found


def sheet_names(book: zipfile.ZipFile) -> list[str]:
    root = ElementTree.fromstring(book.read("xl/workbook.xml"))
    return [sheet.attrib["name"] for sheet in root.iter(f"{_MAIN}sheet")]


def _stand_in(reference: str, number: int) -> str:
    """A place of the same shape, a cell or a range."""
    return f"A{number}:B{number}" if ":" in reference else f"A{number}"


def calculator(path: Path, changed: Mapping[tuple[str, str], object] | None = None) -> Callable[[str, str], object]:
    """A function of sheet and place that calculates the cell and all that it rests on; never a value of the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import formulas
        import schedula
    cells = {**read_cells(path), **(changed or {})}
    with zipfile.ZipFile(path) as book:
        root = ElementTree.fromstring(book.read("xl/workbook.xml"))
    names = {entry.attrib["name"].upper(): entry.text or "" for entry in root.iter(f"{_MAIN}definedName")}
    parser, known, compiled = formulas.Parser(), {}, {}

    def function_of(text: str) -> tuple[Callable[..., object], list[str]]:
        """What a formula computes and the references it takes; those that differ in their references are read once."""
        references = list(dict.fromkeys(_REFERENCES.findall(text)))
        shape = _REFERENCES.sub(lambda match: f"Z!{_stand_in(match[0], references.index(match[0]) + 1)}", text)
        if shape not in compiled:
            compiled[shape] = parser.ast(shape)[1].compile()
        stands_for = {f"Z!{_stand_in(own, i)}": own for i, own in enumerate(references, 1)}
        return compiled[shape], [stands_for.get(name.replace("$", ""), name) for name in compiled[shape].inputs]

    def value(sheet: str, place: str) -> object:
        cell = cells.get((sheet.upper(), place))
        if not isinstance(cell, Formula):
            return cell
        if (sheet, place) not in known:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function, references = function_of(cell.text)
                result = function(*(argument(sheet, reference) for reference in references))
            found = np.asarray(getattr(result, "value", result), dtype=object).ravel()[0]
            known[sheet, place] = None if found is schedula.EMPTY or found == "" else found
        return known[sheet, place]

    def argument(sheet: str, reference: str) -> object:
        target, _, place = names.get(reference, reference).replace("$", "").rpartition("!")
        match = _REFERENCE.match(place.upper())
        assert match is not None, reference
        column, first, last_column, last = match.groups()
        assert last_column in (None, column), reference
        home = target.strip("'") or sheet
        rows = range(int(first), int(last or first) + 1)
        block = [value(home.upper(), f"{column}{row}") for row in rows]
        empty = [[schedula.EMPTY if entry is None else entry] for entry in block]
        return formulas.Ranges().push(f"{column}{first}:{column}{last or first}", np.array(empty, dtype=object))

    return value


def table(path: Path, sheet: str) -> pl.DataFrame:
    """A sheet as a program reads it, by the row of keys."""
    return pl.read_excel(path, sheet_name=sheet, read_options={"header_row": 1, "schema_sample_rows": None})


def fills(path: Path, sheet: str) -> dict[str, str]:
    """Colour of every coloured figure of a sheet."""
    with zipfile.ZipFile(path) as book:
        styles = ElementTree.fromstring(book.read("xl/styles.xml"))
        number = sheet_names(book).index(sheet) + 1
        root = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
    colours = [
        fill.attrib["rgb"][2:] if fill is not None else None
        for fill in (entry.find(f".//{_MAIN}fgColor") for entry in styles.findall(f"{_MAIN}fills/{_MAIN}fill"))
    ]
    formats = [int(entry.attrib["fillId"]) for entry in styles.findall(f"{_MAIN}cellXfs/{_MAIN}xf")]
    found = {cell.attrib["r"]: colours[formats[int(cell.attrib.get("s", 0))]] for cell in root.iter(f"{_MAIN}c")}
    return {place: colour for place, colour in found.items() if colour is not None and int(place[1:]) > 2}


def calculated(path: Path, sheet: str, changed: Mapping[tuple[str, str], object] | None = None) -> pl.DataFrame:
    """A sheet with every formula calculated anew, texts beside them."""
    value = calculator(path, changed)
    cells = [place for name, place in read_cells(path) if name == sheet.upper()]
    split = [_REFERENCE.match(place) for place in cells]
    columns = sorted({m.group(1) for m in split if m}, key=lambda letters: (len(letters), letters))
    last = max(int(m.group(2)) for m in split if m)
    data = {
        str(value(sheet, f"{letters}2")): [value(sheet, f"{letters}{row}") for row in range(3, last + 1)]
        for letters in columns
        if value(sheet, f"{letters}2") is not None
    }
    return pl.DataFrame({key: pl.Series(values, strict=False) for key, values in data.items()})


def panel(figures: Mapping[str, Mapping[str, float | None]], period: str = "2022") -> pl.DataFrame:
    rows = [
        {"hub": hub, "period": period, "code": code, "value": value, "unit": "u", "status": "observed", "source": "s"}
        for hub, values in figures.items()
        for code, value in values.items()
    ]
    return pl.DataFrame(rows, schema=PANEL_SCHEMA)


def keys_of(result: IndexResult) -> list[str]:
    return ["unit", "period"] if len(result.steps.periods) > 1 else ["unit"]


def expected_scores(result: IndexResult) -> pl.DataFrame:
    """Scores as Results should have them: one row a unit (and period), a column a group."""
    groups = result.scores.filter(pl.col("code").is_in(result.framework.top_down)).rename({"hub": "unit"})
    return groups.pivot("code", index=keys_of(result), values="score")


def largest_gap(found: pl.DataFrame, expected: pl.DataFrame, keys: list[str]) -> float:
    """The largest difference; infinite where one has a figure and the other none."""
    codes = [column for column in expected.columns if column not in keys]
    first = found.sort(keys).select(pl.col(codes).cast(pl.Float64)).to_numpy()
    second = expected.sort(keys).select(codes).to_numpy()
    assert first.shape == second.shape
    assert found.sort(keys)[keys].equals(expected.sort(keys)[keys])
    if not np.array_equal(np.isnan(first), np.isnan(second)):
        return float("inf")
    return float(np.abs(np.nan_to_num(first - second)).max(initial=0.0))


@pytest.fixture(scope="session")
def books() -> SimpleNamespace:
    """The functions above, which test modules cannot import from here."""
    return SimpleNamespace(
        calculated=calculated,
        expected_scores=expected_scores,
        largest_gap=largest_gap,
        panel=panel,
        calculator=calculator,
        fills=fills,
        formulas=lambda path: {
            place: cell.text for place, cell in read_cells(path).items() if isinstance(cell, Formula)
        },
        cells=read_cells,
        sheets=lambda path: sheet_names(zipfile.ZipFile(path)),
        table=table,
    )
