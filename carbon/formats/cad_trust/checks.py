"""What a set of CAD Trust tables must satisfy, as findings with their codes.

Knows keys, parents, vocabularies, vintages, counts and blocks of one schema. Must not know files or containers.

    c14_key_repeated      the key of a table stands once                                  error
    key_missing           a row without key (an import file leaves it to the receiver)    warning
    c08_parent_missing    the row a child belongs to is not named, or not in its table    error
    parent_not_in_file    the parent's table is not in the file, so it cannot be checked  warning
    c42_unknown_value     a value outside the vocabulary                                  error
    c30_vintage           no year, or a year outside the range of the version             error
    c16_count             no whole number of units above zero                             error
    c26_count             end - start + 1 is not the count                                error
    c26_block             start and end cannot be read as a block of numbers              error
    c27_overlap           two blocks share a number                                       error
    c44_metric            a metric that is not tonnes                                     warning
    unknown_column        a column the version does not know (kept)                       warning
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from carbon.findings import findings_where, no_findings
from carbon.formats.cad_trust.schema import ROW, BlockColumns, Schema, Table

if TYPE_CHECKING:
    import polars as pl

__all__ = ["check_tables", "read_blocks"]

_TONNES = "tCO2e"
_BLOCK_END = r"(\d{1,18})$"
_UNITS = "units"


def check_tables(tables: "Mapping[str, pl.DataFrame]", schema: Schema) -> "pl.DataFrame":
    """All findings on a set of tables.

    tables : name in the schema -> source_row Int64 and String columns; a table the schema does not know is not checked
    Result : table String, then the columns of `carbon.findings`; row is source_row, null for a whole table.
    """
    import polars as pl

    parts = [pl.DataFrame(schema={"table": pl.String}).hstack(no_findings())]
    for name, frame in tables.items():
        table = schema.tables.get(name)
        if table is None:
            continue
        # The rules see every column of the table, null where the file has none.
        missing = [pl.lit(None, dtype=pl.String).alias(c) for c in table.columns if c not in frame.columns]
        rows = frame.rename({ROW: "row"}).with_columns(missing)
        found = [*_keys(rows, table), *_parents(rows, table, tables, schema), *_values(rows, table, schema)]
        found += [_unknown_columns(frame, table)]
        if name == _UNITS:
            found += list(_unit_rules(rows, schema.blocks))
        parts += [part.select(pl.lit(name).alias("table"), pl.all()) for part in found]
    return pl.concat(parts)


def _keys(rows: "pl.DataFrame", table: Table) -> "Iterator[pl.DataFrame]":
    import polars as pl

    if table.key is None:
        return
    key = pl.col(table.key)
    yield findings_where(
        rows,
        key.is_not_null() & key.is_duplicated(),
        code="c14_key_repeated",
        severity="error",
        column=table.key,
        found=key,
        expected=pl.lit("each key once"),
    )
    yield findings_where(
        rows,
        key.is_null(),
        code="key_missing",
        severity="warning",
        column=table.key,
        found=key,
        expected=pl.lit("a key"),
    )


def _parents(
    rows: "pl.DataFrame", table: Table, tables: "Mapping[str, pl.DataFrame]", schema: Schema
) -> "Iterator[pl.DataFrame]":
    import polars as pl

    for parent in table.parents:
        column = pl.col(parent.column)
        if parent.required:
            yield findings_where(
                rows,
                column.is_null(),
                code="c08_parent_missing",
                severity="error",
                column=parent.column,
                found=column,
                expected=pl.lit(f"the key of a row of {parent.table}"),
            )
        key = schema.tables[parent.table].key
        above = tables.get(parent.table)
        if rows[parent.column].null_count() == rows.height:
            continue
        if above is None or key is None or key not in above.columns:
            text = f"a table {parent.table} to check {rows[parent.column].n_unique()} different keys against"
            yield _whole_table("parent_not_in_file", parent.column, "no such table", text)
            continue
        yield findings_where(
            rows,
            ~column.is_in(above[key].drop_nulls().implode()),
            code="c08_parent_missing",
            severity="error",
            column=parent.column,
            found=column,
            expected=pl.lit(f"the key of a row of {parent.table}"),
        )


def _whole_table(code: str, column: str, found: str, expected: str) -> "pl.DataFrame":
    import polars as pl

    row = {
        "row": None,
        "column": column,
        "found": found,
        "expected": expected,
        "code": code,
        "severity": "warning",
    }
    return pl.DataFrame([row], schema=no_findings().schema)


def _unknown_columns(frame: "pl.DataFrame", table: Table) -> "pl.DataFrame":
    import polars as pl

    unknown = [name for name in frame.columns if name != ROW and name not in table.columns]
    text = f"a column of {table.name}; it is kept"
    return pl.concat([no_findings(), *[_whole_table("unknown_column", name, name, text) for name in unknown]])


def _values(rows: "pl.DataFrame", table: Table, schema: Schema) -> "Iterator[pl.DataFrame]":
    import polars as pl

    for (name, column), allowed in schema.vocabularies.items():
        if name != table.name:
            continue
        yield findings_where(
            rows,
            ~pl.col(column).is_in(list(allowed)),
            code="c42_unknown_value",
            severity="error",
            column=column,
            found=pl.col(column),
            expected=pl.lit("one of " + ", ".join(allowed)),
        )
        if (name, column) in schema.metrics:
            yield findings_where(
                rows,
                pl.col(column).is_in(list(allowed)) & (pl.col(column) != _TONNES),
                code="c44_metric",
                severity="warning",
                column=column,
                found=pl.col(column),
                expected=pl.lit(_TONNES),
            )


def read_blocks(rows: "pl.DataFrame", columns: BlockColumns) -> "pl.DataFrame":
    """The rows with what their block columns mean: stem String, first, last, count Int64, scope String.

    The number of a block is the digits (at most 18) its start and end finish with, the stem all before them. Two blocks
    can only overlap within one scope: the stem, or where there is none the serial with its range taken out, or the
    issuance.
    """
    import polars as pl

    start, end, count = pl.col(columns.start), pl.col(columns.end), pl.col(columns.count)
    stems = [text.str.replace(_BLOCK_END, "").alias(name) for text, name in [(start, "stem"), (end, "end_stem")]]
    numbers = [
        text.str.extract(_BLOCK_END, 1).cast(pl.Int64).alias(name) for text, name in [(start, "first"), (end, "last")]
    ]
    # "4001.0" is whole; a count in E notation or with a thousands sign is not read.
    whole = count.str.extract(r"^(\d{1,18})(?:\.0+)?$", 1).cast(pl.Int64).alias("count")
    serial = pl.col(columns.serial) if columns.serial else pl.lit(None, dtype=pl.String)
    span = pl.format("{}-{}", start.fill_null(""), end.fill_null(""))
    around = serial.str.split(span).list.join("*")
    scope = pl.when(pl.col("stem") != "").then(pl.lit("stem ") + pl.col("stem"))
    inner = pl.coalesce(pl.lit("serial ") + around, pl.lit("issuance ") + pl.col(columns.issuance), pl.lit(""))
    return rows.with_columns(*stems, *numbers, whole).with_columns(scope.otherwise(inner).alias("scope"))


def _unit_rules(rows: "pl.DataFrame", columns: BlockColumns) -> "Iterator[pl.DataFrame]":
    import polars as pl

    read = read_blocks(rows, columns)
    year = pl.col(columns.vintage).str.extract(r"^(\d{4})(?:\.0+)?$", 1).cast(pl.Int64)
    span = f"a year from {columns.vintage_from} to {columns.vintage_to}"
    yield findings_where(
        read,
        ~year.is_between(columns.vintage_from, columns.vintage_to).fill_null(False),
        code="c30_vintage",
        severity="error",
        column=columns.vintage,
        found=pl.col(columns.vintage),
        expected=pl.lit(span),
    )
    yield findings_where(
        read,
        ~(pl.col("count") > 0).fill_null(False),
        code="c16_count",
        severity="error",
        column=columns.count,
        found=pl.col(columns.count),
        expected=pl.lit("a whole number of units above zero"),
    )
    first, last = pl.col("first"), pl.col("last")
    is_block = (pl.col("stem") == pl.col("end_stem")) & (first <= last)
    block = pl.format("{} to {}", pl.col(columns.start).fill_null("nothing"), pl.col(columns.end).fill_null("nothing"))
    yield findings_where(
        read,
        ~is_block.fill_null(False),
        code="c26_block",
        severity="error",
        column=columns.start,
        found=block,
        expected=pl.lit("one stem with a first and a last number, in this order, of at most 18 digits"),
    )
    yield findings_where(
        read,
        is_block & (pl.col("count") > 0) & (last - first + 1 != pl.col("count")),
        code="c26_count",
        severity="error",
        column=columns.count,
        found=pl.format("{} for {}", pl.col(columns.count), block),
        expected=pl.format("{}, which is last - first + 1", last - first + 1),
    )
    yield _overlaps(read.filter(is_block), columns, block)


def _overlaps(read: "pl.DataFrame", columns: BlockColumns, block: "pl.Expr") -> "pl.DataFrame":
    import polars as pl

    ordered = read.sort("scope", "first", "last", "row")
    before = pl.col("last").cum_max().shift(1).over("scope")
    after = pl.col("first").shift(-1).over("scope")
    marked = ordered.with_columns(
        (pl.col("first") <= before).fill_null(False).alias("hits_earlier"),
        (pl.col("last") >= after).fill_null(False).alias("hits_later"),
    )
    return findings_where(
        marked,
        pl.col("hits_earlier") | pl.col("hits_later"),
        code="c27_overlap",
        severity="error",
        column=columns.start,
        found=block,
        expected=pl.lit("a block that shares no number with another of its scope"),
    )
