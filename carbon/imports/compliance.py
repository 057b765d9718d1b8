"""Compliance rows of outside registers: the EU log's years of each account, and the UK's allocation table.

Knows how the rows are stored and how the derived status is put beside the printed code. Must not know how a file is
laid out, nor the rule of the status.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, text

from carbon.errors import CarbonError, Problem
from carbon.formats.eu import read_eutl_compliance, read_uk_allocations
from carbon.imports.report import (
    ImportReport,
    Progress,
    Source,
    booked_before,
    ignore_progress,
    named_source,
    no_openings,
    open_import,
    replayed_report,
)
from carbon.imports.rows import insert_frame, pack_tables, write_kept
from carbon.ledger.book import Act
from carbon.rules.eu_status import explain_status

if TYPE_CHECKING:
    import polars as pl

__all__ = ["UnknownComplianceScheme", "compliance_view", "import_compliance"]

_FIGURES: Final = ("allocated_t", "allocated_second_t", "allocated_third_t", "verified_t", "surrendered_t")
_COLUMNS: Final = ("party", "year", *_FIGURES, "allocated_note", "verified_status", "printed_code", "row")
_TEXTS: Final = ("scheme", "party", "allocated_note", "verified_status", "printed_code")


class UnknownComplianceScheme(CarbonError):
    """No compliance file of this scheme is known."""


def import_compliance(
    connection: Connection, act: Act, path: Path, *, scheme: str, progress: Progress = ignore_progress
) -> ImportReport:
    """Bring the compliance rows of a file into registry_compliance.

    connection : of a writer (`carbon.ledger.post.writing`); act : an empty client id stands for the file's own
    scheme : EU (Parquet of the EU log's account pages) or UK (allocation workbook, allocated figures only)
    Figures are whole tonnes and null where none is printed. The same file again changes nothing.
    Raises UnknownComplianceScheme, UnreadableFile, UnknownFormat, IdInUse, ImportRefused.
    """
    import polars as pl

    source = named_source(f"compliance-{scheme}", path, act)
    rows, kept, rejected, problems = _read(path, scheme)
    progress(1, 2)
    if booked_before(connection, source):
        return replayed_report(source, rows.height + rejected, problems)
    sums = {
        f"{name.removesuffix('_t').replace('_', ' ')}, t": int(rows[name].sum())
        for name in _FIGURES
        if rows[name].count()
    }
    parts = pack_tables(kept)

    def effect(transaction_id: int) -> None:
        frame = rows.with_columns(
            pl.lit(scheme).alias("scheme"), pl.lit(transaction_id, dtype=pl.Int64).alias("transaction_id")
        )
        insert_frame(connection, "registry_compliance", frame)
        write_kept(connection, parts, transaction_id)

    facts = {"rows": rows.height, "sums": sums, "kept": {f"{n}.{p}": sha for (n, p), (_, _, sha) in parts.items()}}
    open_import(connection, source, facts, effect, scheme=scheme)
    progress(2, 2)
    return _report(source, rows, rejected, sums, problems)


def compliance_view(
    connection: Connection,
    *,
    scheme: str,
    party: str | None = None,
    first_year: int | None = None,
    last_year: int | None = None,
) -> "pl.DataFrame":
    """The compliance rows that count, with the derived status beside the printed code.

    Result: scheme, party (String), year (Int64), the five figures (Int64, tonnes), allocated_note, verified_status,
    printed_code (String), row, transaction_id (Int64); phase, balance_t (Int64), derived_code, explanation (String):
    see `carbon.rules.eu_status`; null outside the scheme EU, whose rule alone is known. Years before `first_year` still
    enter the balance. The rows are in order of party and year.
    """
    import polars as pl

    rows = _latest(connection, scheme, party)
    if scheme == "EU":
        status = explain_status(
            rows.select("year", "verified_t", "surrendered_t", "verified_status", account_id="party").with_columns(
                compliance_code=rows["printed_code"]
            )
        ).select("phase", "balance_t", "derived_code", "explanation")
        rows = pl.concat([rows, status], how="horizontal")
    else:
        whole = [pl.lit(None, dtype=pl.Int64).alias(name) for name in ("phase", "balance_t")]
        words = [pl.lit(None, dtype=pl.String).alias(name) for name in ("derived_code", "explanation")]
        rows = rows.with_columns(*whole, *words)
    if first_year is not None:
        rows = rows.filter(pl.col("year") >= first_year)
    return rows if last_year is None else rows.filter(pl.col("year") <= last_year)


def _latest(connection: Connection, scheme: str, party: str | None) -> "pl.DataFrame":
    """The row of the latest import for each party and year."""
    import polars as pl

    names = ["scheme", *_COLUMNS, "transaction_id"]
    query = f"SELECT {', '.join(names)} FROM registry_compliance WHERE scheme = :scheme"  # noqa: S608
    one = "" if party is None else " AND party = :party"
    values = {"scheme": scheme} if party is None else {"scheme": scheme, "party": party}
    found = connection.execute(text(query + one), values).all()
    schema = {name: pl.String if name in _TEXTS else pl.Int64 for name in names}
    rows = pl.DataFrame([tuple(row) for row in found], schema=schema, orient="row")
    return rows.sort("party", "year", "transaction_id").unique(["party", "year"], keep="last", maintain_order=True)


def _read(path: Path, scheme: str) -> "tuple[pl.DataFrame, dict[str, pl.DataFrame], int, tuple[Problem, ...]]":
    """Rows of registry_compliance, tables to keep beside them, how many rows were set apart, and what was found."""
    import polars as pl

    if scheme == "EU":
        read = read_eutl_compliance(path)
        names = {"allocated_raw": "allocated_note", "compliance_code": "printed_code"}
        rows = read.rows.rename(names).with_columns(pl.col("account_id").cast(pl.String).alias("party"))
        kept = {"rejected/compliance": read.rejected} if read.rejected.height else {}
        return rows.select(_COLUMNS), kept, read.rejected.height, read.problems
    if scheme == "UK":
        return _read_uk(path)
    raise UnknownComplianceScheme(f"found the scheme {scheme!r}, expected EU or UK")


def _read_uk(path: Path) -> "tuple[pl.DataFrame, dict[str, pl.DataFrame], int, tuple[Problem, ...]]":
    import polars as pl

    read = read_uk_allocations(path)
    kinds = {"standard": "allocated_t", "new_entrants": "allocated_second_t"}
    named = read.allocations.with_columns(pl.col("kind").replace_strict(kinds))
    wide = named.pivot(on="kind", index=["installation_id", "year", "row"], values="allocated_t")
    missing = [pl.lit(None, dtype=pl.Int64).alias(name) for name in _FIGURES if name not in wide.columns]
    texts = [pl.lit(None, dtype=pl.String).alias(name) for name in _TEXTS[2:]]
    rows = wide.rename({"installation_id": "party"}).with_columns(*missing, *texts)
    kept = {"tables/installations": read.installations}
    if read.rejected.height:
        kept["rejected/allocations"] = read.rejected
    return rows.select(_COLUMNS), kept, read.rejected.height, read.problems


def _report(
    source: Source, rows: "pl.DataFrame", rejected: int, sums: dict[str, int], problems: tuple[Problem, ...]
) -> ImportReport:
    return ImportReport(
        source=source,
        rows_read=rows.height + rejected,
        rows_booked=rows.height,
        rows_apart=rejected,
        rows_repeated=0,
        openings=no_openings(),
        sums=sums,
        problems=problems,
    )
