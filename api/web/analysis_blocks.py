"""The parts that pages of analyses are made of: a picture, its figures as a table, remarks, links to the same rows.

Knows how cells look in a table. Knows no analysis and no HTTP.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import polars as pl

from api.lang import Lang, texts
from api.pictures.canvas import signed
from api.web.render import MINUS, format_figure
from fhi.errors import FhiError
from green_index.errors import GreenIndexError

__all__ = ["Block", "Cell", "Form", "Section", "Table", "block", "table"]

_FORMATS: Final[Mapping[str, Callable[[float], str]]] = {
    "whole": "{:,.0f}".format,
    "points": "{:,.1f}".format,
    "figure": format_figure,
    "degree": "{:.3f}".format,
    "share": "{:.0%}".format,
    "signed": signed,
}


@dataclass(frozen=True)
class Cell:
    """One cell: its text (none where the figure is missing), and the slug of the city that it links to."""

    text: str | None
    hub: str | None = None


@dataclass(frozen=True)
class Table:
    """headings : of the columns, with whether they hold numbers; rows : cells, the first of each its heading."""

    caption: str
    headings: list[tuple[str, bool]]
    rows: list[list[Cell]]


@dataclass(frozen=True)
class Form:
    """A question that the reader may ask: an indicator of `options` (code and words), and another figure for it.
    code, value : as asked, or empty."""

    options: list[tuple[str, str]]
    code: str = ""
    value: str = ""


@dataclass(frozen=True)
class Block:
    """One analysis. picture : its name, and query : what it is asked with; links : path below /v1 and its query;
    problem : why there is nothing to be shown; form : a question that it answers."""

    key: str
    title: str
    remarks: list[str] = field(default_factory=list)
    picture: str | None = None
    query: dict[str, Any] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    links: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    problem: str | None = None
    form: Form | None = None


@dataclass(frozen=True)
class Section:
    """A heading and the analyses below it."""

    title: str
    blocks: list[Block]


def block(empty: Block, fill: Callable[[Block], Block]) -> Block:
    """The block filled, or the empty one with the reason why it cannot be."""
    try:
        return fill(empty)
    except (GreenIndexError, FhiError) as error:
        return replace(empty, problem=str(error))


def table(
    rows: pl.DataFrame,
    columns: Sequence[tuple[str, str]],
    caption: str,
    lang: Lang,
    headings: Mapping[str, str] | None = None,
) -> Table:
    """Columns of rows as a table.

    columns : name and kind of each: text, hub (a city's name, linked), or a key of the number formats; columns that
    are empty throughout are left out. headings : for names whose usual heading (`column_<name>`) does not fit.
    """
    said = texts("analyses", lang)
    other = headings or {}
    shown = [(name, kind) for name, kind in columns if rows[name].null_count() < rows.height]
    return Table(
        caption=caption,
        headings=[(other.get(name) or said[f"column_{name}"], kind in _FORMATS) for name, kind in shown],
        rows=[[_cell(row, name, kind) for name, kind in shown] for row in rows.iter_rows(named=True)],
    )


def _cell(row: Mapping[str, Any], name: str, kind: str) -> Cell:
    value = row[name]
    if value is None:
        return Cell(None)
    if kind == "hub":
        return Cell(str(value), row["hub"])
    if kind == "text":
        return Cell(str(value))
    return Cell(_FORMATS[kind](value).replace("-", MINUS))
