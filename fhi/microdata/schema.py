"""Declared input: what columns a kind of microdata has, how each is read, and what counts as a fault.

Knows columns, types, ranges and how text becomes a figure, a date or a year, as polars expressions. Knows no file, no
hub and no indicator.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

Type = Literal["text", "city", "category", "number", "salary", "date", "year"]

FaultCode = Literal["missing", "unreadable", "out_of_range", "mismatch"]

MISSING: Final = ("", "-", "--", "—", "/", "na", "n/a", "nan", "null", "none", "缺失", "未披露", "面议")
LARGEST: Final = 1e15
_THOUSANDS: Final = r"^-?\d{1,3}(,\d{3})+(\.\d+)?$"
_DATE: Final = r"^(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ].*)?|(\d{2})(\d{2}))$"
_PLAIN_DATE: Final = r"^\d{4}-\d\d-\d\d$"
_YEAR: Final = r"^(\d{4})(?:年.*|[-/.].*)?$"
_SALARY: Final = (
    r"^(?P<low>-?\d+(?:\.\d+)?)(?P<of_low>[k千万])?(?:[-~–—至到](?P<high>\d+(?:\.\d+)?)(?P<of_high>[k千万])?)?"
    r"元?(?:/月|每月)?$"
)
_EXPECTED: Final[Mapping[Type, str]] = {
    "text": "any text",
    "city": "a city: name in either language or GB/T 2260 code",
    "category": "one of a list",
    "number": "a number such as 1234.5 or 1,234.5",
    "salary": "CNY a month: 8000, 8000-12000, 8k-12k or 0.8-1.2万; a range counts as its middle",
    "date": "a date: 2017-03-01, 2017/3/1, 20170301 or 2017年3月1日",
    "year": "a year: 2017, or a date in it",
}


@dataclass(frozen=True)
class Column:
    """One declared column.

    name, name_zh: accepted headers; type: how a cell is read; low, high: bounds that belong to the range;
    values: for a category, what may be written for each value; meaning: what the cell says, with its unit.
    """

    name: str
    name_zh: str
    type: Type
    meaning: str
    meaning_zh: str
    required: bool = True
    low: float | None = None
    high: float | None = None
    values: Mapping[str, tuple[str, ...]] | None = None

    @property
    def rule(self) -> str:
        """What a cell must be, in words."""
        if self.values is not None:
            return f"one of {', '.join(self.values)}"
        words = [_EXPECTED[self.type]]
        if self.low is not None:
            words.append(f"{self.low:g} or more")
        if self.high is not None:
            words.append(f"{self.high:g} or less")
        return "; ".join(words)


@dataclass(frozen=True)
class InputSchema:
    """The declared input of one kind of microdata.

    whole_city: figures are of whole cities, so that the name of a district is not taken for its city; agree: two
    categories and which values of the second fit each of the first.
    """

    kind: str
    title: str
    title_zh: str
    columns: tuple[Column, ...]
    whole_city: bool = False
    agree: tuple[str, str, Mapping[str, tuple[str, ...]]] | None = None

    def of_type(self, *types: Type) -> tuple[Column, ...]:
        """Its columns of these types, in order."""
        return tuple(column for column in self.columns if column.type in types)


@dataclass(frozen=True)
class Fault:
    """One way in which a row can be bad: the column, the rule that it breaks and what was expected there."""

    number: int
    column: str
    code: FaultCode
    expected: str


def describe_schema(schema: InputSchema) -> pl.DataFrame:
    """The schema as a table for people: name, name_zh, type, required, rule, meaning, meaning_zh; one row a column."""
    return pl.DataFrame(
        [
            {
                "name": column.name,
                "name_zh": column.name_zh,
                "type": column.type,
                "required": column.required,
                "rule": column.rule,
                "meaning": column.meaning,
                "meaning_zh": column.meaning_zh,
            }
            for column in schema.columns
        ]
    )


def is_present(name: str, dtype: pl.DataType) -> pl.Expr:
    """Is there anything in the cell? Blanks, NaN and the usual marks of nothing are not.

    name: column of type `dtype` in the file as it stands.
    """
    raw = pl.col(name)
    if dtype == pl.String:
        return (raw.is_not_null() & ~raw.str.strip_chars().str.to_lowercase().is_in(MISSING)).fill_null(False)
    return raw.is_not_null() & ~raw.is_nan() if dtype.is_float() else raw.is_not_null()


def parse(column: Column, name: str, dtype: pl.DataType) -> pl.Expr:
    """The cell as a figure (Float64), a date (Date) or a year (Int32); null where it cannot be read as such.

    column: of type number, salary, date or year; name, dtype: the column of the file.
    """
    raw = pl.col(name)
    if dtype.is_temporal() and column.type in ("date", "year"):
        return raw.cast(pl.Date) if column.type == "date" else raw.dt.year()
    read, result = _READERS[column.type]
    if dtype.is_numeric() and result == pl.Float64():
        figure = raw.cast(pl.Float64)
        return pl.when(figure.is_finite() & (figure.abs() <= LARGEST)).then(figure)
    return raw.cast(pl.String).str.strip_chars().map_batches(read, return_dtype=result, is_elementwise=True)


# These work on whole batches, not as expressions, since a lazy expression that uses a match twice searches twice. The
# quick way only saves time: a cell must read the same whatever else is in its batch.


def _in_range(figures: pl.Series) -> pl.Series:
    return figures.set(~(figures.is_finite() & (figures.abs() <= LARGEST)), None)


def _read_numbers(cells: pl.Series) -> pl.Series:
    figures = cells.cast(pl.Float64, strict=False)
    if figures.null_count() > cells.null_count():
        grouped = cells.set(~cells.str.contains(_THOUSANDS), None).str.replace_all(",", "", literal=True)
        figures = figures.fill_null(grouped.cast(pl.Float64, strict=False))
    return _in_range(figures)


def _read_dates(cells: pl.Series) -> pl.Series:
    plain = cells.set(~cells.str.contains(_PLAIN_DATE), None).str.to_date("%Y-%m-%d", strict=False)
    if plain.null_count() == cells.null_count():
        return plain
    parts = cells.str.extract_groups(_DATE).struct.unnest()
    month, day = (parts[one].fill_null(parts[other]).str.zfill(2) for one, other in (("2", "4"), ("3", "5")))
    return plain.fill_null((parts["1"] + "-" + month + "-" + day).str.to_date("%Y-%m-%d", strict=False))


def _read_years(cells: pl.Series) -> pl.Series:
    return cells.str.extract(_YEAR).cast(pl.Int32, strict=False)


def _read_salaries(cells: pl.Series) -> pl.Series:
    plain = cells.cast(pl.Float64, strict=False)
    if plain.null_count() == cells.null_count():
        return _in_range(plain)
    bare = cells.str.to_lowercase().str.replace_all(r"[\s,，¥￥]", "")
    parts = bare.str.extract_groups(_SALARY).struct.unnest()
    low, high = (parts[name].cast(pl.Float64, strict=False) for name in ("low", "high"))
    one, other = (parts[name].replace_strict(_TIMES, default=None, return_dtype=pl.Float64) for name in _OF)
    bottom = low * one.fill_null(other).fill_null(1.0)
    top = (high * other.fill_null(one).fill_null(1.0)).fill_null(bottom)
    middle = (bottom + top) / 2
    return _in_range(plain.fill_null(middle.set(bottom > top, None)))


_OF: Final = ("of_low", "of_high")
_TIMES: Final = {"k": 1e3, "千": 1e3, "万": 1e4}
_READERS: Final[Mapping[Type, tuple[Callable[[pl.Series], pl.Series], pl.DataType]]] = {
    "number": (_read_numbers, pl.Float64()),
    "salary": (_read_salaries, pl.Float64()),
    "date": (_read_dates, pl.Date()),
    "year": (_read_years, pl.Int32()),
}


def list_faults(schema: InputSchema) -> tuple[Fault, ...]:
    """Every way in which a row of this kind can be bad, in the order of columns; numbers count from 1."""
    kinds: list[tuple[str, FaultCode, str]] = []
    for column in schema.columns:
        if column.required:
            kinds.append((column.name, "missing", column.rule))
        if column.type not in ("text", "city"):
            kinds.append((column.name, "unreadable", column.rule))
        if column.low is not None or column.high is not None:
            kinds.append((column.name, "out_of_range", column.rule))
    if schema.agree is not None:
        first, second, allowed = schema.agree
        words = "; ".join(f"{value}: {' or '.join(fits)}" for value, fits in allowed.items())
        kinds.append((second, "mismatch", f"a {second} that fits the {first}: {words}"))
    return tuple(Fault(number, *kind) for number, kind in enumerate(kinds, start=1))
