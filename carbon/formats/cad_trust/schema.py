"""The shape of a CAD Trust schema, and how a table or a version is told by its name and headings.

Knows what a table, a key, a parent and a vocabulary are. Must not know any column of either version: those are data in
`schema_v1` and `schema_v2`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["ROW", "BlockColumns", "Parent", "Schema", "Table", "find_table", "known_headings", "plain_name"]

ROW = "source_row"
"""Column in front of every table: the line in the file (the headings are line 1), or the record's number in JSON."""


@dataclass(frozen=True)
class Parent:
    """A column that holds the key of a row in another table; required where the child means nothing without it."""

    column: str
    table: str
    required: bool


@dataclass(frozen=True)
class Table:
    """One table: its name as a sheet prints it, its key (null for a link of two keys), its columns and parents."""

    name: str
    key: str | None
    columns: tuple[str, ...]
    parents: tuple[Parent, ...] = ()


@dataclass(frozen=True)
class BlockColumns:
    """Where the table of units holds a block of serial numbers; serial is null where the version has no such column."""

    start: str
    end: str
    count: str
    serial: str | None
    issuance: str
    vintage: str
    vintage_from: int
    vintage_to: int


@dataclass(frozen=True)
class Schema:
    """One version.

    tables : name -> table; nested : name of a nested object in the API's JSON -> name of its table
    vocabularies : (table, column) -> allowed values; blocks : columns of the table "units"
    metrics : (table, column) that should say tonnes
    """

    version: str
    tables: Mapping[str, Table]
    nested: Mapping[str, str]
    vocabularies: Mapping[tuple[str, str], tuple[str, ...]]
    blocks: BlockColumns
    metrics: tuple[tuple[str, str], ...]


def plain_name(name: str) -> str:
    """A name of a sheet, file or object as it is compared: lower case, letters and digits only, without plural s."""
    letters = re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix("v2")
    return letters[:-3] + "y" if letters.endswith("ies") else letters.removesuffix("s")


def find_table(schema: Schema, name: str) -> Table | None:
    """The table of a sheet, file or nested object by its name; null where the version has none."""
    known = {plain_name(table): table for table in schema.tables} | {
        plain_name(alias): table for alias, table in schema.nested.items()
    }
    found = known.get(plain_name(name))
    return schema.tables[found] if found is not None else None


def known_headings(schema: Schema, names: Iterable[str]) -> int:
    """How many of the headings the version knows, in any of its tables."""
    everything = {column for table in schema.tables.values() for column in table.columns}
    return sum(name in everything for name in names)
