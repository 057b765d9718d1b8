"""What every import has in common: which file it was, whether it was booked before, and what is said at its end.

Knows ids, digests of files, the header transaction of an import and its report. Must not know any format.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, text

from carbon.errors import CarbonError, Problem, UnreadableFile
from carbon.ledger.book import Act, book, one_row
from carbon.ledger.bulk_write import hold_writers
from carbon.ledger.orders import IdInUse

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ImportRefused",
    "ImportReport",
    "Progress",
    "Source",
    "booked_before",
    "ignore_progress",
    "named_source",
    "no_openings",
    "open_import",
    "replayed_report",
    "report_rows",
    "sub_act",
]

Progress = Callable[[int, int], None]
"""Called with the steps done and the steps in all."""

_CHUNK_BYTES: Final = 1 << 20
_KIND: Final = "import_file"


class ImportRefused(CarbonError):
    """The ledger refused an import as a whole; the database transaction should be undone."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is imported, and the act that does it: its client id is given, or import:<format>:<sha256>."""

    format: str
    file: str
    sha256: str
    act: Act


@dataclass(frozen=True, eq=False)
class ImportReport:
    """What came of an import.

    rows_read = rows_booked + rows_apart + rows_repeated; replayed : the file was imported before and nothing changed
    sums : what was summed (in words, with its unit) -> the sum over the rows booked
    openings : account, instrument (String), quantity (Int64): units that the file takes for granted, booked as
    `opening` and assumed; notes : other assumptions and counts, what -> how many
    problems : everything found, of the file and of the booking
    """

    source: Source
    rows_read: int
    rows_booked: int
    rows_apart: int
    rows_repeated: int
    openings: "pl.DataFrame"
    replayed: bool = False
    sums: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def named_source(format: str, path: Path, act: Act) -> Source:
    """The source of a file or folder. act : with an empty client id it gets the one that follows from the content.

    The digest of a folder is over the names and digests of its files. Raises UnreadableFile.
    """
    try:
        digest = _folder_sha256(path) if path.is_dir() else _file_sha256(path)
    except OSError as error:
        raise UnreadableFile(f"found {path.name}: {error.strerror or error}; expected a readable file") from error
    named = act if act.client_id else replace(act, client_id=f"import:{format}:{digest}")
    return Source(format, path.name, digest, named)


def booked_before(connection: Connection, source: Source) -> bool:
    """Whether this very file was imported, under this id or another. Raises IdInUse where the id was used otherwise."""
    by_id = "SELECT id, status, kind, body FROM registry_transaction WHERE client_id = :id"
    seen = one_row(connection, by_id, {"id": source.act.client_id})
    if seen is not None and not _is_import(seen, source):
        raise IdInUse(
            f"found the id {source.act.client_id!r} in use for another act (transaction {seen.id}), expected a new id "
            "or the same file (C19)"
        )
    by_file = "SELECT id, status, kind, body FROM registry_transaction WHERE subject = :sha256 AND kind = :kind"
    values = {"sha256": source.sha256, "kind": _KIND}
    return seen is not None or any(_is_import(row, source) for row in connection.execute(text(by_file), values))


def _is_import(row: Any, source: Source) -> bool:
    body: dict[str, Any] = json.loads(row.body) if row.kind == _KIND else {}
    return row.status == "done" and (body.get("format"), body.get("sha256")) == (source.format, source.sha256)


def open_import(
    connection: Connection,
    source: Source,
    facts: Mapping[str, object],
    effect: Callable[[int], None],
    *,
    scheme: str | None = None,
) -> int:
    """Book the header of an import and, in the same savepoint, everything that `effect` writes, given its id.

    facts : what the body says of the file beside its name and digest. Other writers wait until it is committed.
    Result : id of the header. Raises ImportRefused where the ledger refuses; the caller's transaction is to be undone.
    """
    hold_writers(connection, accounts=True)
    body = {"format": source.format, "file": source.file, "sha256": source.sha256, **facts}
    receipt = book(connection, source.act, _KIND, body, scheme=scheme, subject=source.sha256, effect=effect)
    if not receipt.done:
        raise ImportRefused(receipt.message or f"found {source.file} refused")
    return receipt.transaction_id


def sub_act(source: Source, part: str) -> Act:
    """The act of one part of an import, with an id that follows from the header's."""
    return replace(source.act, client_id=f"{source.act.client_id}:{part}")


def no_openings() -> "pl.DataFrame":
    """A frame of openings without rows."""
    import polars as pl

    return pl.DataFrame(schema={"account": pl.String, "instrument": pl.String, "quantity": pl.Int64})


def replayed_report(source: Source, rows_read: int, problems: Iterable[Problem] = ()) -> ImportReport:
    """The report of a file that was imported before: every row is a repeat, and nothing was changed."""
    return ImportReport(
        source=source,
        rows_read=rows_read,
        rows_booked=0,
        rows_apart=0,
        rows_repeated=rows_read,
        openings=no_openings(),
        replayed=True,
        problems=tuple(problems),
    )


def report_rows(report: ImportReport) -> "pl.DataFrame":
    """The report as a table: what (String), figure (Int64); openings and problems by their number and sum."""
    import polars as pl

    errors = sum(problem.severity == "error" for problem in report.problems)
    figures = {
        "rows read": report.rows_read,
        "rows booked": report.rows_booked,
        "rows set apart": report.rows_apart,
        "rows repeated": report.rows_repeated,
        **report.sums,
        "openings assumed": report.openings.height,
        "openings assumed, units": int(report.openings["quantity"].sum()),
        **report.notes,
        "errors": errors,
        "warnings": len(report.problems) - errors,
    }
    return pl.DataFrame(
        {"what": list(figures), "figure": list(figures.values())}, schema={"what": pl.String, "figure": pl.Int64}
    )


def ignore_progress(_done: int, _all: int) -> None:
    """Report progress to nobody."""


def _file_sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _folder_sha256(path: Path) -> str:
    files = sorted(file for file in path.rglob("*") if file.is_file())
    lines = [f"{file.relative_to(path).as_posix()} {_file_sha256(file)}\n" for file in files]
    return sha256("".join(lines).encode()).hexdigest()
