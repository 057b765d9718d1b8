"""Movements that are known by their quantity alone, booked as one batch for each scheme.

Knows which accounts events without serial numbers move between, and how the bulk import's report is read. Must not
know files.
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from carbon.errors import Problem
from carbon.imports.report import ImportRefused, Source, no_openings, sub_act
from carbon.ledger.bulk import import_movements

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Booked", "book_movements", "book_quantities", "join_booked"]


@dataclass(frozen=True, eq=False)
class Booked:
    """What came of events: fate (key Int64; fate "booked", "repeated" or "apart"), units opened, and problems."""

    fate: "pl.DataFrame"
    openings: "pl.DataFrame"
    problems: tuple[Problem, ...]


def join_booked(parts: "list[Booked]") -> Booked:
    """Several results as one."""
    import polars as pl

    fate = pl.DataFrame(schema={"key": pl.Int64, "fate": pl.String})
    return Booked(
        pl.concat([fate, *[part.fate for part in parts]]),
        pl.concat([no_openings(), *[part.openings for part in parts]]),
        tuple(problem for part in parts for problem in part.problems),
    )


def book_movements(
    connection: Connection,
    source: Source,
    part: str,
    movements: "pl.DataFrame",
    *,
    scheme: str,
    file: str | None = None,
) -> Booked:
    """Book movements of instruments without serial numbers; bad rows are set apart, missing openings are assumed.

    movements : key Int64, and what `carbon.ledger.bulk.import_movements` takes; key comes back in the result
    file : name to print in problems, the source's by default. Raises ImportRefused.
    """
    import polars as pl

    if movements.is_empty():
        return join_booked([])
    report = import_movements(
        connection,
        sub_act(source, part),
        movements,
        scheme=scheme,
        source_name=source.file,
        sha256=sha256(f"{source.sha256}:{part}".encode()).hexdigest(),
        openings="assume",
        keep_good=True,
    )
    if not report.receipt.done:
        raise ImportRefused(report.receipt.message or f"found {part} of {source.file} refused")
    apart = report.rejected["key"].implode()
    fate = pl.when(pl.col("key").is_in(apart)).then(pl.lit("apart")).otherwise(pl.lit("booked"))
    return Booked(
        movements.select("key", fate.alias("fate")),
        report.openings.select(pl.col("account", "instrument"), pl.col("quantity").cast(pl.Int64)),
        tuple(report.problems(file or source.file)),
    )


def book_quantities(connection: Connection, source: Source, events: "pl.DataFrame") -> Booked:
    """Book issuances, retirements and cancellations without serial numbers, one batch a scheme, in order of time.

    events : key Int64, scheme, instrument, holder, reference, file String, row, at_us, quantity_t Int64, is_issuance
    Boolean. Issuances go from the scheme's issuance account to the holder, all others from there to its cancellation
    account; on one day issuances come first. Raises ImportRefused.
    """
    import polars as pl

    issued = pl.col("is_issuance")
    movements = events.sort("at_us", issued.not_(), "key").select(
        "key",
        "row",
        "scheme",
        "file",
        pl.when(issued).then(pl.lit("issue")).otherwise(pl.lit("cancel")).alias("kind"),
        pl.when(issued).then(pl.format("{}:issuance", "scheme")).otherwise("holder").alias("source"),
        pl.when(issued).then("holder").otherwise(pl.format("{}:cancellation", "scheme")).alias("target"),
        "instrument",
        pl.col("quantity_t").alias("quantity"),
        "at_us",
        "reference",
    )
    # A scheme's batch may come from several files, whose line numbers say nothing without the file's name.
    booked = []
    for (scheme,), part in movements.group_by("scheme", maintain_order=True):
        done = book_movements(
            connection, source, f"quantities:{scheme}", part.drop("scheme", "file"), scheme=str(scheme)
        )
        files = part["file"].unique().to_list()
        named = [_in_file(problem, part, files) for problem in done.problems]
        booked.append(Booked(done.fate, done.openings, tuple(named)))
    return join_booked(booked)


def _in_file(problem: Problem, rows: "pl.DataFrame", files: list[str]) -> Problem:
    """The problem with the name of the file its row is of, as far as only one file has such a row."""
    import polars as pl

    found = files if len(files) == 1 else rows.filter(pl.col("row") == problem.row)["file"].unique().to_list()
    return replace(problem, file=found[0]) if len(found) == 1 else problem
