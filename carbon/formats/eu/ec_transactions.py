"""The transaction file of the European Commission, the input of the euets.info scraper.

Knows its headings, its type code in one cell and its unit type in two. Must not know the ledger or euets.info.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import Problem, UnknownFormat
from carbon.findings import findings_where, no_findings, to_problems
from carbon.formats.eu.cells import find_untyped, parse_cell, tonnes_rule
from carbon.formats.eu.layouts import ColumnType
from carbon.formats.eu.movements import movements_of
from carbon.formats.text import MAX_BYTES, decode, read_bytes, read_header, split_cells

if TYPE_CHECKING:
    import polars as pl

__all__ = ["EcTransactions", "ec_movements", "read_ec_transactions"]

# heading -> (our name, type); the release's own order.
_COLUMNS: Mapping[str, tuple[str, ColumnType]] = {
    "TRANSACTION_ID": ("transaction_id", "text"),
    "TRANSACTION_TYPE": ("transaction_type", "text"),
    "TRANSACTION_DATE": ("at", "moment"),
    "UNIT_TYPE_DESCRIPTION": ("unit_type_description", "text"),
    "SUPP_UNIT_TYPE_DESCRIPTION": ("supp_unit_type_description", "text"),
    "ORIGINATING_REGISTRY": ("originating_registry", "text"),
    "PROJECT_IDENTIFIER": ("project_id", "whole"),
    "TRACK": ("track", "whole"),
    "AMOUNT": ("quantity_t", "whole"),
    "TRANSFERRING_REGISTRY_NAME": ("transferring_registry", "text"),
    "ACQUIRING_REGISTRY_NAME": ("acquiring_registry", "text"),
    "TRANSFERRING_ACCOUNT_NAME": ("transferring_account_name", "text"),
    "ACQUIRING_ACCOUNT_NAME": ("acquiring_account_name", "text"),
    "TRANSFERRING_ACCOUNT_IDENTIFIER": ("transferring_account", "whole"),
    "ACQUIRING_ACCOUNT_IDENTIFIER": ("acquiring_account", "whole"),
}
_NEEDED = ("TRANSACTION_ID", "TRANSACTION_TYPE", "TRANSACTION_DATE", "UNIT_TYPE_DESCRIPTION", "AMOUNT")
_TYPE_CODE = r"^(\d+)-(\d+)$"


@dataclass(frozen=True, eq=False)
class EcTransactions:
    """What one file holds.

    rows : typed blocks with main and supplementary type, unit_type (null where the two texts are unknown, which stay
    in their columns) and row; rejected : rows set apart as text, with row; problems : everything found
    """

    rows: "pl.DataFrame"
    rejected: "pl.DataFrame"
    problems: tuple[Problem, ...]


def read_ec_transactions(path: Path, *, max_bytes: int = MAX_BYTES) -> EcTransactions:
    """Read the Commission's transaction file (CSV, plain or gzip).

    Texts are stripped (registry names carry spaces), amounts are whole tonnes, moments are read as UTC. Columns the
    file has beyond the fifteen of the scraper are reported, not read. Raises UnreadableFile, FileTooLarge, and
    UnknownFormat where a column without which a block means nothing is missing.
    """
    import polars as pl

    text = decode(read_bytes(path, max_bytes=max_bytes), path.name)
    header = read_header(path)
    missing = [heading for heading in _NEEDED if heading not in header]
    if missing:
        raise UnknownFormat(f"found {path.name} without {', '.join(missing)}, expected {', '.join(_COLUMNS)}")
    raw = split_cells(text, path.name, width=len(header), header_rows=1)
    cells = raw.select(
        "row",
        *[
            (pl.col(f"c{header.index(heading)}") if heading in header else pl.lit(None, dtype=pl.String)).alias(heading)
            for heading in _COLUMNS
        ],
    )
    typed = cells.select(
        "row", *[parse_cell(pl.col(heading), kind).alias(name) for heading, (name, kind) in _COLUMNS.items()]
    ).with_columns(
        pl.col("transaction_type").str.extract(_TYPE_CODE, 1).cast(pl.Int64).alias("main"),
        pl.col("transaction_type").str.extract(_TYPE_CODE, 2).cast(pl.Int64).alias("supplementary"),
        _unit_type().alias("unit_type"),
    )
    findings = _findings(cells, typed)
    bad = typed["row"].is_in(findings.filter(pl.col("severity") == "error")["row"].implode())
    return EcTransactions(
        rows=typed.filter(~bad),
        rejected=cells.filter(bad),
        problems=tuple(_header_problems(header, path.name) + to_problems(findings, path.name)),
    )


def ec_movements(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The blocks of `read_ec_transactions` as movements (see `carbon.formats.eu.movements.movements_of`).

    An account is named "registry:identifier", for identifiers are only unique within a registry; null where the file
    gives none. Reference is "TRANSACTION_ID/row": the file numbers no blocks.
    """
    import polars as pl

    def account(side: str) -> pl.Expr:
        return pl.format("{}:{}", pl.col(f"{side}_registry").fill_null("?"), pl.col(f"{side}_account"))

    return movements_of(
        rows.select(
            pl.format("{}/{}", "transaction_id", "row").alias("reference"),
            "at",
            "main",
            "supplementary",
            account("transferring").alias("source"),
            account("acquiring").alias("target"),
            pl.col("unit_type").alias("instrument"),
            "quantity_t",
            "row",
        )
    )


def _unit_type() -> "pl.Expr":
    """The unit type from its two texts; the second counts only for the kinds whose name alone does not tell."""
    import polars as pl

    data = files("carbon").joinpath("formats", "eu", "unit_types.csv").read_bytes()
    types = pl.read_csv(data, infer_schema=False)
    first, second = pl.col("unit_type_description"), pl.col("supp_unit_type_description")
    alone = types.filter(pl.col("supp_unit_type_description").is_null())
    both = types.drop_nulls("supp_unit_type_description")
    keys = (both["unit_type_description"] + "|" + both["supp_unit_type_description"]).to_list()
    by_pair = pl.concat_str(first, second, separator="|").replace_strict(
        keys, both["unit_type"].to_list(), default=None
    )
    by_first = first.replace_strict(
        alone["unit_type_description"].to_list(), alone["unit_type"].to_list(), default=None
    )
    return pl.coalesce(by_pair, by_first)


def _findings(cells: "pl.DataFrame", typed: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    untyped = [find_untyped(cells, heading, kind) for heading, (_, kind) in _COLUMNS.items()]
    empty = [
        findings_where(
            cells,
            pl.col(heading).is_null(),
            code="missing_cell",
            severity="error",
            column=heading,
            found=pl.col(heading),
            expected=pl.lit("a value"),
        )
        for heading in _NEEDED
    ]
    code = findings_where(
        typed,
        pl.col("transaction_type").is_not_null() & pl.col("main").is_null(),
        code="transaction_type",
        severity="error",
        column="TRANSACTION_TYPE",
        found=pl.col("transaction_type"),
        expected=pl.lit('two numbers as in "10-2"'),
    )
    unit = findings_where(
        typed,
        pl.col("unit_type_description").is_not_null() & pl.col("unit_type").is_null(),
        code="unknown_unit_type",
        severity="warning",
        column="UNIT_TYPE_DESCRIPTION",
        found=pl.concat_str("unit_type_description", "supp_unit_type_description", separator=" | ", ignore_nulls=True),
        expected=pl.lit("a unit type of carbon/formats/eu/unit_types.csv"),
    )
    return pl.concat([no_findings(), *untyped, *empty, code, unit, tonnes_rule(typed, "quantity_t")])


def _header_problems(header: list[str], file: str) -> list[Problem]:
    lacking = [heading for heading in _COLUMNS if heading not in header]
    extra = [heading for heading in header if heading and heading not in _COLUMNS]
    expected = "the fifteen columns of the scraper"
    return [Problem(file, 1, h, "no such column", expected, "missing_column", "warning") for h in lacking] + [
        Problem(file, 1, h, "an unknown column, not read", expected, "unknown_column", "warning") for h in extra
    ]
