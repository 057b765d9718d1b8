"""From version 1 of CAD Trust to version 2 and back, with every cell that has no place on the other side listed.

Knows how `mapping.csv` is applied. Must not know any column but the two that tie an issuance to its verification.
Source of the mapping: the columns of both versions (see the schemas), matched by their meaning; confidence M.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from carbon.formats.cad_trust.reading import SCHEMAS, CadTrustTables, Version, make_tables
from carbon.formats.cad_trust.schema import ROW

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Conversion", "convert", "load_mapping"]

_STAMPS = ("orgUid", "createdAt", "updatedAt")
_VERIFICATION = "cadTrustVerificationId"
_DERIVED_SERIAL = "units without serialNumberBlock: unitSerialId is assumed to be unitStartBlock-unitEndBlock"
_SHARED_KEY = "an issuance of v1 is assumed to be one issuance and one verification of v2 under the same key"


@dataclass(frozen=True, eq=False)
class Conversion:
    """What came over and what did not.

    tables : the tables of the other version, checked as if read
    left_behind : table String, row Int64 (source_row), column, value, reason String: each filled cell without a place
    assumed : what was assumed, in plain words
    """

    tables: CadTrustTables
    left_behind: "pl.DataFrame"
    assumed: tuple[str, ...]


@dataclass(frozen=True)
class _Field:
    source_table: str
    source: str
    target_table: str
    target: str


@cache
def load_mapping() -> "pl.DataFrame":
    """The mapping as shipped: v1_table, v1_field, v2_table, v2_field, way (both | to_v2, null: no place), note."""
    import polars as pl

    text = files("carbon.formats.cad_trust").joinpath("mapping.csv").read_text(encoding="utf-8")
    rows = [{key: value or None for key, value in row.items()} for row in csv.DictReader(text.splitlines())]
    return pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))


def _fields(to: Version) -> list[_Field]:
    """The pairs of fields for one direction, the stamps of each pair of tables included."""
    found = []
    for v1_table, v1_field, v2_table, v2_field, way, _ in load_mapping().iter_rows():
        if way == "both" or way == f"to_{to}":
            one, two = (v1_table, v1_field), (v2_table, v2_field)
            found.append(_Field(*one, *two) if to == "v2" else _Field(*two, *one))
    pairs = dict.fromkeys((field.source_table, field.target_table) for field in found)
    # Where two tables become one, the stamps come from the table that gives the name.
    plain = {pair for pair in pairs if to == "v2" or pair != ("verifications", "issuances")}
    return found + [
        _Field(source, stamp, target, stamp)
        for source, target in pairs
        if (source, target) in plain
        for stamp in _STAMPS
    ]


def convert(tables: CadTrustTables, to: Version) -> Conversion:
    """The tables in the other version; the same version is given back as it is.

    Rows set apart for errors do not come over: they are listed, like each field and value without a place.
    """
    import polars as pl

    if tables.version == to:
        return Conversion(tables, _left_behind([]), ())
    fields = _fields(to)
    sources = _merge_verifications(tables.tables) if to == "v1" else dict(tables.tables)
    made: dict[str, list[pl.DataFrame]] = {}
    for source, target in dict.fromkeys((field.source_table, field.target_table) for field in fields):
        frame = sources.get(source)
        if frame is None or (to == "v1" and source == "verifications"):
            continue
        pairs = {
            field.target: field.source
            for field in fields
            if field.target_table == target and (field.source_table == source or _is_merged(field, target, to))
        }
        present = [pl.col(old).alias(new) for new, old in pairs.items() if old in frame.columns]
        made.setdefault(target, []).append(frame.select(ROW, *present))
    result = {name: pl.concat(parts, how="diagonal") for name, parts in made.items()}
    assumed: list[str] = []
    if to == "v2":
        result, assumed = _with_serials(result)
        assumed += [_SHARED_KEY] if "issuances" in result else []
    result, strange = _without_strange_values(result, to)
    lost = [_unmapped(name, frame, fields, tables) for name, frame in tables.tables.items()]
    aside = [_cells(name, frame, "the row was set apart for its errors") for name, frame in tables.apart.items()]
    return Conversion(make_tables(result, to, file=f"to {to}"), _left_behind([*lost, *aside, *strange]), tuple(assumed))


def _is_merged(field: _Field, target: str, to: Version) -> bool:
    return to == "v1" and field.source_table == "verifications" and target == "issuances"


def _merge_verifications(tables: "dict[str, pl.DataFrame]") -> "dict[str, pl.DataFrame]":
    """The tables of v2 with the columns of its verification beside each issuance, as v1 holds them."""
    issuances, verifications = tables.get("issuances"), tables.get("verifications")
    if issuances is None or verifications is None:
        return dict(tables)
    if _VERIFICATION not in issuances.columns or _VERIFICATION not in verifications.columns:
        return dict(tables)
    own = [name for name in verifications.columns if name == _VERIFICATION or name not in issuances.columns]
    beside = verifications.select(own).unique(_VERIFICATION, keep="first", maintain_order=True)
    return {**tables, "issuances": issuances.join(beside, on=_VERIFICATION, how="left", maintain_order="left")}


def _with_serials(tables: "dict[str, pl.DataFrame]") -> "tuple[dict[str, pl.DataFrame], list[str]]":
    import polars as pl

    units = tables.get("units")
    if units is None or not {"unitStartBlock", "unitEndBlock"} <= set(units.columns):
        return tables, []
    given = pl.col("unitSerialId") if "unitSerialId" in units.columns else pl.lit(None, dtype=pl.String)
    derived = pl.format("{}-{}", "unitStartBlock", "unitEndBlock")
    filled = units.with_columns(pl.coalesce(given, derived).alias("unitSerialId"))
    before = units["unitSerialId"].null_count() if "unitSerialId" in units.columns else units.height
    was_derived = before > filled["unitSerialId"].null_count()
    return {**tables, "units": filled}, [_DERIVED_SERIAL] if was_derived else []


def _without_strange_values(
    tables: "dict[str, pl.DataFrame]", to: Version
) -> "tuple[dict[str, pl.DataFrame], list[pl.DataFrame]]":
    """Values the other side's vocabulary does not know become null and are listed, never changed into a near one."""
    import polars as pl

    result, strange = dict(tables), []
    for (table, column), allowed in SCHEMAS[to].vocabularies.items():
        frame = result.get(table)
        if frame is None or column not in frame.columns:
            continue
        known = pl.col(column).is_in(list(allowed))
        bad = frame.filter(pl.col(column).is_not_null() & ~known).select(ROW, column)
        strange.append(_cells(table, bad, f"no such value in {to}"))
        result[table] = frame.with_columns(pl.when(known).then(pl.col(column)).alias(column))
    return result, strange


def _unmapped(name: str, frame: "pl.DataFrame", fields: list[_Field], tables: CadTrustTables) -> "pl.DataFrame":
    import polars as pl

    mapped = {field.source for field in fields if field.source_table == name}
    rest = frame.select(ROW, *[column for column in frame.columns if column != ROW and column not in mapped])
    cells = _cells(name, rest, "no place on the other side")
    if tables.version != "v2" or name != "verifications" or _VERIFICATION not in frame.columns:
        return cells
    issuances = tables.tables.get("issuances")
    if issuances is None or _VERIFICATION not in issuances.columns:
        return _cells(name, frame, "no issuance names this verification")
    used = issuances[_VERIFICATION].drop_nulls().implode()
    idle = frame.filter(
        ~pl.col(_VERIFICATION).is_in(used).fill_null(False) | ~pl.col(_VERIFICATION).is_first_distinct()
    )
    kept = cells.filter(~pl.col("row").is_in(idle[ROW].implode()))
    return pl.concat([kept, _cells(name, idle, "no issuance names this verification")])


def _cells(table: str, frame: "pl.DataFrame", reason: str) -> "pl.DataFrame":
    """Each filled cell of a frame as a row."""
    import polars as pl

    long = frame.unpivot(index=ROW, variable_name="column", value_name="value").drop_nulls("value")
    return long.select(
        pl.lit(table).alias("table"),
        pl.col(ROW).alias("row"),
        "column",
        pl.col("value").cast(pl.String),
        pl.lit(reason).alias("reason"),
    )


def _left_behind(parts: "list[pl.DataFrame]") -> "pl.DataFrame":
    import polars as pl

    texts = dict.fromkeys(["column", "value", "reason"], pl.String)
    empty = pl.DataFrame(schema={"table": pl.String, "row": pl.Int64, **texts})
    return pl.concat([empty, *parts])
