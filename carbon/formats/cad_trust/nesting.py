"""From the nested objects of the CAD Trust API to tables.

Knows how a project carries its locations and a unit its issuance and labels. Must not know files or checks.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from carbon.errors import UnreadableFile
from carbon.formats.cad_trust.schema import ROW, Schema, Table, find_table

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_records", "flatten", "stated_columns"]

Record = dict[str, str | None]


def find_records(content: Any) -> "dict[str | None, list[Any]]":
    """The lists of objects in a JSON content, by table name; null names the one list of an API answer.

    Read are: {"tables": {name: [...]}} as this package writes it, {name: [...]}, {"data": [...]} of a paged answer, a
    list, and one object.
    """
    if isinstance(content, list):
        return {None: content}
    if isinstance(content, dict):
        named = content.get("tables")
        if isinstance(named, dict):
            _refuse_no_lists(named)
            return dict(named)
        if isinstance(content.get("data"), list):
            return {None: content["data"]}
        if content and all(
            isinstance(value, list) and all(isinstance(item, dict) for item in value) for value in content.values()
        ):
            return dict(content)
        return {None: [content]}
    raise UnreadableFile(f"found a JSON {type(content).__name__}, expected a list or an object of CAD Trust records")


def stated_columns(content: Any) -> dict[str, list[str]]:
    """The columns that {"columns": {name: [...]}, "tables": ...} states for its tables; empty where there are none."""
    stated = content.get("columns") if isinstance(content, dict) and "tables" in content else None
    if stated is None:
        return {}
    if not isinstance(stated, dict):
        raise UnreadableFile("found columns that are no object, expected a list of names for each table")
    _refuse_no_lists(stated)
    for name, columns in stated.items():
        if len(set(map(str, columns))) != len(columns) or not all(
            isinstance(column, str) and column != ROW for column in columns
        ):
            raise UnreadableFile(f"found columns {str(columns)[:80]} of {name}, expected different names")
    return dict(stated)


def _refuse_no_lists(named: Mapping[str, Any]) -> None:
    for name, items in named.items():
        if not isinstance(items, list):
            raise UnreadableFile(f"found {str(items)[:80]!r} for the table {name}, expected a list")


def flatten(records: "Mapping[str, Sequence[Any]]", schema: Schema) -> "dict[str, pl.DataFrame]":
    """The tables of named lists of objects; a nested object or list of objects goes to its own table.

    A child without the key of its parent gets it where its table has such a column, so that no tie is lost. A list of
    plain values, and an object that no table is known for, stay in their cell as JSON.
    Result : source_row Int64 (number of the record in its table, from 1), then String columns.
    """
    import polars as pl

    rows: dict[str, list[Record]] = {}
    for name, items in records.items():
        table = find_table(schema, name)
        for item in items:
            _place(item, table.name if table else name, table, schema, rows)
    frames = {}
    for name, found in rows.items():
        columns = list(dict.fromkeys(column for row in found for column in row))
        schema_of = {ROW: pl.Int64, **dict.fromkeys(columns, pl.String)}
        filled = [{ROW: number, **row} for number, row in enumerate(found, start=1)]
        frames[name] = pl.DataFrame(filled, schema=schema_of)
    return frames


def _place(item: Any, name: str, table: Table | None, schema: Schema, rows: dict[str, list[Record]]) -> Record:
    if not isinstance(item, dict) or ROW in item:
        raise UnreadableFile(f"found {str(item)[:80]!r} among the records of {name}, expected an object")
    record: Record = {}
    rows.setdefault(name, []).append(record)
    for column, value in item.items():
        children = _children(value)
        child = find_table(schema, column) if children is not None else None
        if children is None or child is None or table is None:
            record[column] = _text(value)
            continue
        for entry in children:
            placed = _place(entry, child.name, child, schema, rows)
            _tie(record, item, table, placed, child)
    return record


def _children(value: Any) -> list[Any] | None:
    """The objects nested in a cell; null for a plain value, and for an empty list, which is kept as such."""
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        return value
    return None


def _tie(record: Record, item: Mapping[str, Any], table: Table, placed: Record, child: Table) -> None:
    for parent in child.parents:
        key = item.get(table.key or "")
        if parent.table == table.name and placed.get(parent.column) is None and key is not None:
            placed[parent.column] = _text(key)
    for parent in table.parents:
        key = placed.get(child.key or "")
        if parent.table == child.name and record.get(parent.column) is None and key is not None:
            record[parent.column] = key


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
