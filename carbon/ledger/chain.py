"""The hash chain over the log: sealed segments, so that writers never wait for each other because of it.

Knows how a segment is sealed, how the chain is verified, and how the first row that differs is named. Must not know
what a row means. The bytes of rows are those of `canonical`.

A seal covers, of each table of the log, the rows with after < id <= up_to. Its `covers` is JSON with sorted keys and no
spaces: `{"tables":{"registry_account":[after,up_to,rows,sha256],...},"version":1}`, where sha256 is over the canonical
bytes of those rows. Its own digest is SHA-256 over the previous seal's digest (64 hexadecimal characters in ASCII; 64
zeros before the first), `sealed_at_us` as little-endian int64, the length of `covers` in bytes likewise, `covers` in
UTF-8, and the SHA-256 of `locators`. The chain proves that nothing before a published digest (`head`) was changed;
without a published digest whoever can write to the database could seal everything anew.
"""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from carbon.errors import CarbonError
from carbon.ledger.canonical import LOG_TABLES, canonical_bytes, locators_of, log_table, read_chunks
from carbon.ledger.post import begin_writing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SEGMENT_ROWS", "Break", "SealBusy", "Sealed", "Verification", "seal", "verify"]

SEGMENT_ROWS: Final = 250_000
_GENESIS: Final = "0" * 64
_NOTHING: Final = sha256().hexdigest()
_SEALS: Final = "registry_seal"
_PATIENCE: Final = "500ms"
What = Literal["changed", "removed", "slipped in", "seal changed", "chain broken"]


class SealBusy(CarbonError):
    """Writers kept the log busy, so that nothing was sealed; it can be sealed later."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """One link of the chain: its id, its digest, and how many rows it covers. The digest is what to publish."""

    id: int
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Break:
    """The first row of one segment that is not as it was sealed.

    client_id : the client's id of the transaction that the row belongs to, as far as it is still known
    """

    table: str
    id: int | None
    client_id: str | None
    what: What
    found: str
    expected: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of verifying: the breaks in order of the chain, the last digest, and how many rows are sealed or not.

    unsealed : rows by table of the log that no seal covers yet
    """

    breaks: tuple[Break, ...]
    head: str | None
    seals: int
    sealed_rows: int
    unsealed: dict[str, int] = field(default_factory=dict)

    @property
    def intact(self) -> bool:
        """Whether every sealed row is as it was sealed."""
        return not self.breaks

    @property
    def unsealed_rows(self) -> int:
        """Rows of the log that no seal covers yet."""
        return sum(self.unsealed.values())


@dataclass(frozen=True, slots=True)
class _Run:
    """The rows of one table in one segment."""

    after: int
    up_to: int
    rows: int
    sha256: str


def seal(connection: Connection, at_us: int) -> Sealed | None:
    """Seal everything in the log that is not sealed yet, in segments of at most 250,000 rows.

    connection : idle, since each segment is a database transaction of its own; at_us : time to note, microseconds
    since 1970 UTC. Result : the last link made here, null where nothing was left to seal (another sealer may have done
    it meanwhile). Writers on PostgreSQL are held up only while the last ids are looked up. Raises SealBusy where
    other writers held the log for longer than half a second, ValueError where the connection is not idle.
    """
    if connection.in_transaction():
        raise ValueError("found a connection inside a transaction, expected an idle one: sealing commits by itself")
    limits = _settled_ids(connection)
    made: Sealed | None = None
    while True:
        previous, ends = _end(connection)
        runs, locators = _next_segment(connection, ends, limits)
        connection.rollback()
        rows = sum(run.rows for run in runs.values())
        if rows == 0:
            return made
        covers = _covers(runs)
        digest = _link_sha256(previous, at_us, covers, locators)
        values = {"previous_sha256": previous, "sha256": digest, "sealed_at_us": at_us, "covers": covers}
        made = _append(connection, {**values, "locators": locators}, digest, rows) or made


def verify(connection: Connection, head: str | None = None) -> Verification:
    """Recompute every seal and name the first row of each segment that was changed, removed or slipped in.

    head : a digest published earlier; where no seal has it any more, the whole chain was written anew
    Rows are read in chunks: memory does not grow with the log.
    """
    breaks: list[Break] = []
    ends = dict.fromkeys(LOG_TABLES, 0)
    previous, sealed, digests = _GENESIS, 0, set()
    seals = log_table(_SEALS)
    ids = connection.execute(select(seals.c.id).order_by(seals.c.id)).scalars().all()
    breaks += _rows_before_the_first(connection)
    for id in ids:
        row = connection.execute(select(seals).where(seals.c.id == id)).one()
        runs, wrong = _read_link(row, previous, ends)
        if wrong is not None:
            breaks.append(wrong)
        if runs is not None:
            found = _first_break(connection, runs, row.locators)
            breaks += [] if found is None else [found]
            ends = {table: runs[table].up_to for table in LOG_TABLES}
            sealed += sum(run.rows for run in runs.values())
        previous = row.sha256
        digests.add(previous)
    if head is not None and head not in digests:
        said = f"no seal with the published digest {head}"
        breaks.append(Break(_SEALS, None, None, "chain broken", said, "a seal with that digest: all was sealed anew"))
    unsealed = {table: _count_after(connection, table, end) for table, end in ends.items()}
    return Verification(tuple(breaks), previous if ids else None, len(ids), sealed, unsealed)


def _settled_ids(connection: Connection) -> dict[str, int]:
    """The highest id of each table below which every row is committed or never will be."""
    try:
        if connection.dialect.name != "sqlite":
            # Every writer of the log begins with a row here, so once this lock is held none is under way.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
            connection.exec_driver_sql("LOCK TABLE registry_transaction IN SHARE MODE")
        columns = {name: log_table(name).c.id for name in LOG_TABLES}
        return {
            name: connection.execute(select(func.coalesce(func.max(id), 0))).scalar_one()
            for name, id in columns.items()
        }
    except OperationalError as busy:
        raise SealBusy(f"found the log in use by other writers for {_PATIENCE}, expected a quiet moment") from busy
    finally:
        connection.rollback()


def _end(connection: Connection) -> tuple[str, dict[str, int]]:
    """Digest of the last seal, and the last id of each table that is sealed."""
    seals = log_table(_SEALS)
    last = connection.execute(select(seals.c.sha256, seals.c.covers).order_by(seals.c.id.desc()).limit(1)).first()
    if last is None:
        return _GENESIS, dict.fromkeys(LOG_TABLES, 0)
    return last.sha256, {table: run.up_to for table, run in _runs(last.covers).items()}


def _next_segment(
    connection: Connection, ends: dict[str, int], limits: dict[str, int]
) -> tuple[dict[str, _Run], bytes]:
    """The runs of the next segment, at most 250,000 rows of all tables together, and their locators."""
    left, runs, locators = SEGMENT_ROWS, {}, []
    for table in LOG_TABLES:
        after, limit = ends[table], max(limits[table], ends[table])
        digest, marks, last = _digest(connection, table, after, limit, left)
        left -= len(marks)
        runs[table] = _Run(after, last if left == 0 else limit, len(marks), digest)
        locators.append(marks.astype("<u8", copy=False).tobytes())
    return runs, b"".join(locators)


def _digest(
    connection: Connection, table: str, after: int, up_to: int, most: int | None = None
) -> "tuple[str, NDArray[np.uint64], int]":
    """SHA-256 of the rows with after < id <= up_to, their locators, and the last of their ids."""
    import numpy as np

    whole, marks, last = sha256(), [np.empty(0, np.uint64)], after
    if most != 0 and after < up_to:
        for chunk in read_chunks(connection, table, after=after, up_to=up_to, most=most):
            for part in canonical_bytes(chunk):
                whole.update(part)
            marks.append(locators_of(chunk, after))
            last = int(chunk.columns["id"].ints[-1])
    return whole.hexdigest(), np.concatenate(marks), last


def _append(connection: Connection, values: dict[str, Any], digest: str, rows: int) -> Sealed | None:
    """Write the link; null where another sealer was first."""
    begin_writing(connection)
    try:
        made = connection.execute(insert(log_table(_SEALS)).values(values))
        connection.commit()
    except IntegrityError:
        connection.rollback()
        return None
    return Sealed(int(made.inserted_primary_key[0]), digest, rows)  # type: ignore[index]


def _covers(runs: dict[str, _Run]) -> str:
    tables = {table: [run.after, run.up_to, run.rows, run.sha256] for table, run in runs.items()}
    return json.dumps({"version": 1, "tables": tables}, sort_keys=True, separators=(",", ":"))


def _runs(covers: str) -> dict[str, _Run]:
    """What a seal covers; nothing of a table that there was not yet when it was made."""
    tables = json.loads(covers)["tables"]
    return {table: _Run(*tables.get(table, (0, 0, 0, _NOTHING))) for table in LOG_TABLES}


def _link_sha256(previous: str, at_us: int, covers: str, locators: bytes) -> str:
    said = covers.encode()
    head = previous.encode() + at_us.to_bytes(8, "little", signed=True) + len(said).to_bytes(8, "little")
    return sha256(head + said + sha256(locators).digest()).hexdigest()


def _read_link(row: Any, previous: str, ends: dict[str, int]) -> tuple[dict[str, _Run] | None, Break | None]:
    """What a seal covers, and what is wrong with the seal itself; a seal that was changed covers nothing."""
    try:
        recomputed = _link_sha256(row.previous_sha256, row.sealed_at_us, row.covers, row.locators)
    except (AttributeError, TypeError, OverflowError):
        recomputed = "no digest: a value of a wrong type"
    if recomputed != row.sha256:
        return None, Break(_SEALS, row.id, None, "seal changed", f"a seal whose digest is {recomputed}", row.sha256)
    try:
        runs = _runs(row.covers)
        whole = len(row.locators) == 8 * sum(run.rows for run in runs.values())
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        found = "a seal that does not say what it covers"
        return None, Break(_SEALS, row.id, None, "seal changed", found, "rows of each table, and eight bytes for each")
    if row.previous_sha256 != previous:
        found = f"a seal that follows {row.previous_sha256}"
        return runs, Break(_SEALS, row.id, None, "chain broken", found, f"a seal that follows {previous}")
    if any(runs[table].after != ends[table] for table in LOG_TABLES):
        found = "a seal that does not begin where the one before ended"
        return runs, Break(_SEALS, row.id, None, "chain broken", found, "seals without gap")
    return runs, None


def _first_break(connection: Connection, runs: dict[str, _Run], locators: bytes) -> Break | None:
    """The first row of a segment that is not as it was sealed."""
    import numpy as np

    stored, at = np.frombuffer(locators, "<u8").astype(np.uint64), 0
    for table, run in runs.items():
        sealed = stored[at : at + run.rows]
        at += run.rows
        digest, present, _last = _digest(connection, table, run.after, run.up_to)
        if digest != run.sha256:
            return _name_row(connection, table, run, sealed, present)
    return None


def _name_row(
    connection: Connection, table: str, run: _Run, sealed: "NDArray[np.uint64]", present: "NDArray[np.uint64]"
) -> Break:
    """Compare the locators by id: which rows are gone, new or different, and the first of them."""
    import numpy as np

    half = np.uint64(32)
    before, now = sealed >> half, present >> half
    gone, new = np.setdiff1d(before, now), np.setdiff1d(now, before)
    _ids, here, there = np.intersect1d(before, now, return_indices=True)
    changed = before[here][sealed[here] != present[there]]
    kinds: tuple[tuple[NDArray[np.uint64], What], ...] = ((changed, "changed"), (gone, "removed"), (new, "slipped in"))
    events = [(int(offsets.min()), what) for offsets, what in kinds if offsets.size]
    if not events:
        found = "other rows than were sealed, which the locators cannot tell apart"
        return Break(table, None, None, "changed", found, f"{run.rows} rows with SHA-256 {run.sha256}")
    offset, what = min(events)
    total = len(gone) + len(new) + len(changed)
    id = run.after + offset
    found = f"row {id} {what}; {total} rows between ids {run.after + 1} and {run.up_to} differ"
    return Break(table, id, _client_of(connection, table, id), what, found, f"the {run.rows} rows as they were sealed")


def _client_of(connection: Connection, table: str, id: int) -> str | None:
    """The client's id of the transaction that a row belongs to; null where the row or the transaction is gone."""
    transactions, rows = log_table("registry_transaction"), log_table(table)
    if table == "registry_transaction":
        query = select(transactions.c.client_id).where(transactions.c.id == id)
    elif table == "registry_piece":
        legs = log_table("registry_transfer")
        joined = transactions.join(legs, legs.c.transaction_id == transactions.c.id)
        query = select(transactions.c.client_id).select_from(joined.join(rows, rows.c.transfer_id == legs.c.id))
        query = query.where(rows.c.id == id)
    else:
        joined = transactions.join(rows, rows.c.transaction_id == transactions.c.id)
        query = select(transactions.c.client_id).select_from(joined).where(rows.c.id == id)
    return connection.execute(query).scalar_one_or_none()


def _rows_before_the_first(connection: Connection) -> list[Break]:
    """Rows with ids that no database gives, which no seal would cover."""
    breaks = []
    for table in LOG_TABLES:
        rows = log_table(table)
        low = connection.execute(select(func.min(rows.c.id)).where(rows.c.id <= 0)).scalar_one()
        if low is not None:
            client = _client_of(connection, table, low)
            breaks.append(Break(table, low, client, "slipped in", f"a row with id {low}", "ids from 1"))
    return breaks


def _count_after(connection: Connection, table: str, end: int) -> int:
    rows = log_table(table)
    return connection.execute(select(func.count()).select_from(rows).where(rows.c.id > end)).scalar_one()
