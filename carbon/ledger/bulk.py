"""Many movements at once: a history from another register, or a day's clearing, proven as a whole and then written.

Knows how a batch is refused with every problem it has, or booked as one transaction with one leg a movement. Must not
know any file's layout. Instruments with serial numbers do not enter here: their numbers need the guards of each leg.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from sqlalchemy import Connection, text

from carbon.errors import Problem
from carbon.findings import no_findings, to_problems
from carbon.ledger.batch import Batch, Book, Keys, check_frame, keys_of, read_book, resolve
from carbon.ledger.batch_rules import find_broken_rules
from carbon.ledger.book import Act, Refusal, book
from carbon.ledger.bulk_write import hold_writers, move_holdings, prove_transfers, write_transfers
from carbon.ledger.guards import without_movement_guards
from carbon.ledger.orders import BadOrder, Receipt, check_id
from carbon.ledger.outside import ensure_foreign_accounts, ensure_instruments
from carbon.ledger.overdraft import Ints, booked_in_order, find_dips, first_overdraft, net_by_key

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "STEPS",
    "ImportReport",
    "ensure_foreign_accounts",
    "ensure_instruments",
    "first_overdraft",
    "import_movements",
]

STEPS: Final = ("checking", "booking", "proving")
Progress = Callable[[str], None]
"""Called with the name of each of STEPS as it begins."""
_ASSUMED: Final = "assumed opening"


@dataclass(frozen=True, eq=False)
class ImportReport:
    """What became of a batch. rows_read = rows_booked + rejected.height, unless it was replayed.

    quantity_booked : sum of the booked movements, without openings
    openings : account, instrument, quantity of what the history took for granted; assumed, not observed
    rejected : the rows set apart as they were given; findings : every problem (see `carbon.findings`)
    """

    receipt: Receipt
    rows_read: int
    rows_booked: int
    quantity_booked: int
    openings: "pl.DataFrame"
    rejected: "pl.DataFrame"
    findings: "pl.DataFrame"

    def problems(self, file: str) -> list[Problem]:
        """The findings as problems of a file."""
        return to_problems(self.findings, file)


@dataclass(frozen=True, eq=False)
class _Plan:
    """What a batch comes down to: the movements to book, openings first; what they touch; what was set apart."""

    book: Book
    batch: Batch
    keys: Keys
    openings: int
    bad_rows: Ints
    findings: "pl.DataFrame"


def import_movements(
    connection: Connection,
    act: Act,
    movements: "pl.DataFrame",
    *,
    scheme: str,
    source_name: str,
    sha256: str,
    openings: Literal["refuse", "assume"] = "refuse",
    keep_good: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Book a frame of movements as one transaction of kind `import`, inside the writer's own database transaction.

    movements : kind, source, target, instrument (codes), quantity (whole units), at_us (microseconds since 1970 UTC);
    may have compliance_year, reference (its id in its own register), row (line of its file, else 1, 2, ...). They are
    booked in order of time, and as given within one moment.
    scheme : whose register they come from; source_name, sha256 : name and SHA-256 of the file
    openings : "assume" first books the least that each account must have held for the history to be possible: kind
    `opening` from its scheme's issuance account, at the time of the first movement, reference "assumed opening"
    keep_good : sets bad rows apart and books the rest, also setting apart what depended on them; else any bad row
    refuses the whole batch, which is then recorded as failed (C20)

    A file that was booked before (by SHA-256 and scheme, whatever the act's id) is not booked again: replayed. So is
    the same id with the same body. Raises IdInUse (C19), BadOrder where columns are missing or of other types.
    """
    check_id(act.client_id)
    if openings not in ("refuse", "assume"):
        raise BadOrder(f"found openings {openings!r}, expected refuse or assume")
    say = progress or _say_nothing
    frame = check_frame(movements)
    hold_writers(connection)
    earlier = _booked_before(connection, act, scheme, sha256)
    plans: list[_Plan] = []

    def plan() -> tuple[tuple[()], None]:
        say("checking")
        plans.append(_plan(connection, frame, openings == "assume", keep_good))
        if plans[0].findings.height and not keep_good:
            raise _refusal(plans[0].findings)
        return (), None

    def effect(transaction_id: int) -> None:
        _write(connection, transaction_id, plans[0], say)

    body = _body(frame, source_name, sha256, scheme, openings, keep_good)
    receipt = earlier or book(connection, act, "import", body, scheme=scheme, subject=sha256, plan=plan, effect=effect)
    return _report(receipt, frame, plans)


def _say_nothing(_step: str) -> None:
    return


def _booked_before(connection: Connection, act: Act, scheme: str, sha256: str) -> Receipt | None:
    """The receipt of the same file under another id, unless that was reversed."""
    found = connection.execute(
        text(
            "SELECT id, client_id FROM registry_transaction x WHERE subject = :sha256 AND scheme = :scheme"
            " AND kind = 'import' AND status = 'done' AND client_id <> :id AND NOT EXISTS"
            " (SELECT 1 FROM registry_transaction r WHERE r.reverses = x.id AND r.status = 'done')"
            " AND NOT EXISTS (SELECT 1 FROM registry_transaction o WHERE o.client_id = :id)"
        ),
        {"sha256": sha256, "scheme": scheme, "id": act.client_id},
    ).first()
    return None if found is None else Receipt(found.id, found.client_id, "import", "done", replayed=True)


def _body(
    frame: "pl.DataFrame", source_name: str, sha256: str, scheme: str, openings: str, keep_good: bool
) -> dict[str, object]:
    import polars as pl

    sums = frame.group_by("kind").agg(pl.len(), pl.col("quantity").cast(pl.Int128).sum()).sort("kind")
    return {
        "file": source_name,
        "sha256": sha256,
        "scheme": scheme,
        "openings": openings,
        "keep_good": keep_good,
        "rows": frame.height,
        "sums": [{"kind": kind, "rows": rows, "quantity": int(total)} for kind, rows, total in sums.iter_rows()],
    }


def _refusal(findings: "pl.DataFrame") -> Refusal:
    first = findings.row(0, named=True)
    where = f"row {first['row']}" + (f", column {first['column']}" if first["column"] else "")
    more = f" and {findings.height - 1} more problems" if findings.height > 1 else ""
    return Refusal(first["code"], f"{where}: {first['found']}{more}")


def _plan(connection: Connection, frame: "pl.DataFrame", assume: bool, keep_good: bool) -> _Plan:
    """Check the whole batch: single movements first, then what they add up to in their order."""
    import polars as pl

    schemes = connection.execute(text("SELECT scheme FROM registry_scheme")).scalars()
    known = read_book(connection, frame, tuple(f"{scheme}:issuance" for scheme in schemes))
    batch = resolve(frame, known)
    findings = [no_findings()]
    bad = np.zeros(frame.height, np.bool_)
    for code, column, expected, mask in find_broken_rules(batch, known):
        findings.append(_found(batch.rows.filter(pl.Series(mask)), code, column, expected))
        bad |= mask
    bad_rows = [np.flatnonzero(bad)]
    places = np.flatnonzero(~bad)
    good = batch if places.size == frame.height else batch.keep(~bad)
    keys = keys_of(connection, good, known)
    added = 0
    if assume:
        good, keys, added = _with_openings(connection, good, keys, known)
    short, amounts = _short(keys, good, keep_good)
    if short.size:
        findings.append(_overdrawn(good, short, amounts))
        if keep_good:
            kept = np.ones(good.quantity.size, np.bool_)
            kept[short] = False
            good = good.keep(kept)
            keys = replace(keys, source_key=keys.source_key[kept], target_key=keys.target_key[kept])
        bad_rows.append(places[short - added])
    order = ["row", "code", "column"]
    return _Plan(known, good, keys, added, np.concatenate(bad_rows), pl.concat(findings).sort(order, nulls_last=False))


def _short(keys: Keys, batch: Batch, every: bool) -> tuple[Ints, Ints]:
    """The movements for which too little is left, and how much is missing: the first of each key, or every one."""
    given = (keys.source_key, keys.target_key, batch.quantity, keys.free)
    dips = find_dips(*given)
    if not every or not dips.key.size:
        order = np.argsort(dips.row)
        return dips.row[order], -dips.lowest[order]
    short = np.flatnonzero(~booked_in_order(*given))
    return short, np.zeros(short.size, np.int64)


def _with_openings(connection: Connection, batch: Batch, keys: Keys, known: Book) -> tuple[Batch, Keys, int]:
    """The batch with the least openings before it that keep every holding from falling below zero."""
    import polars as pl

    dips = find_dips(keys.source_key, keys.target_key, batch.quantity, keys.free)
    if not dips.key.size:
        return batch, keys, 0
    accounts, units = known.accounts, known.instruments
    to = pl.DataFrame({"place": keys.account[dips.key], "unit": keys.instrument[dips.key], "quantity": -dips.lowest})
    row = to.select(
        pl.lit("opening").alias("kind"),
        pl.format("{}:issuance", accounts["scheme"].gather(to["place"])).alias("source"),
        accounts["code"].gather(to["place"]).alias("target"),
        units["code"].gather(to["unit"]).alias("instrument"),
        "quantity",
        pl.lit(batch.rows["at_us"].min()).alias("at_us"),
        pl.lit(_ASSUMED).alias("reference"),
    )
    opening = resolve(check_frame(row), known)
    allowed = np.ones(row.height, np.bool_)
    for _code, _column, _expected, mask in find_broken_rules(opening, known):
        allowed &= ~mask
    opening = opening.keep(allowed)
    parts = ("kind", "source", "target", "instrument", "quantity")
    both = Batch(
        pl.concat([opening.rows, batch.rows], how="diagonal_relaxed"),
        batch.kinds,
        *(np.concatenate((getattr(opening, part), getattr(batch, part))) for part in parts),
    )
    return both, keys_of(connection, both, known), opening.quantity.size


def _found(rows: "pl.DataFrame", code: str, column: str | None, expected: str) -> "pl.DataFrame":
    import polars as pl

    what = pl.format(
        "{} of {} from {} to {}",
        *(pl.col(name).fill_null("nothing") for name in ("kind", "instrument", "source", "target")),
    )
    return rows.select(
        "row",
        pl.lit(column, dtype=pl.String).alias("column"),
        (what if column is None else pl.col(column).cast(pl.String).fill_null("nothing")).alias("found"),
        pl.lit(expected).alias("expected"),
        pl.lit(code).alias("code"),
        pl.lit("error").alias("severity"),
    )


def _overdrawn(batch: Batch, short: Ints, missing: Ints) -> "pl.DataFrame":
    import polars as pl

    rows = batch.rows[short].with_columns(pl.Series("missing", missing))
    taken = pl.format("{} {} from {}", "quantity", "instrument", "source")
    deepest = pl.format("no more than is held and not reserved ({} missing at the worst)", "missing")
    return rows.select(
        "row",
        pl.lit("quantity").alias("column"),
        taken.alias("found"),
        pl.when(pl.col("missing") > 0)
        .then(deepest)
        .otherwise(pl.lit("no more than is held and not reserved"))
        .alias("expected"),
        pl.lit("C18").alias("code"),
        pl.lit("error").alias("severity"),
    )


def _write(connection: Connection, transaction_id: int, plan: _Plan, say: Progress) -> None:
    import polars as pl

    batch, known, keys = plan.batch, plan.book, plan.keys
    if not batch.quantity.size:
        return
    say("booking")
    accounts, units = known.accounts["id"].to_numpy(), known.instruments["id"].to_numpy()
    rows = batch.rows.select("kind", "at_us", "compliance_year", "reference").with_columns(
        pl.Series("source_id", accounts[batch.source]),
        pl.Series("target_id", accounts[batch.target]),
        pl.Series("instrument_id", units[batch.instrument]),
        pl.Series("quantity", batch.quantity),
    )
    gain = net_by_key(keys.source_key, keys.target_key, batch.quantity, keys.account.size)
    touched = np.zeros(keys.account.size, np.bool_)
    touched[keys.source_key] = touched[keys.target_key] = True
    contra = (known.accounts["type"] == "issuance").to_numpy()[keys.account]
    with without_movement_guards(connection):
        first, _last = write_transfers(connection, transaction_id, rows)
    move_holdings(
        connection, accounts[keys.account[touched]], units[keys.instrument[touched]], contra[touched], gain[touched]
    )
    say("proving")
    prove_transfers(connection, transaction_id, first, rows)
    after = keys_of(connection, batch, known)
    if (keys.held + gain)[touched].tolist() != after.held.tolist():
        raise RuntimeError("found holdings after the import that differ from the log; nothing was booked")


def _report(receipt: Receipt, frame: "pl.DataFrame", plans: list[_Plan]) -> ImportReport:
    import polars as pl

    nothing = pl.DataFrame(schema={"account": pl.String, "instrument": pl.String, "quantity": pl.Int64})
    if not plans:
        return ImportReport(receipt, frame.height, 0, 0, nothing, frame.clear(), no_findings())
    plan = plans[0]
    if not receipt.done:
        return ImportReport(receipt, frame.height, 0, 0, nothing, frame, plan.findings)
    assumed = plan.batch.rows.head(plan.openings)
    return ImportReport(
        receipt,
        frame.height,
        plan.batch.quantity.size - plan.openings,
        int(plan.batch.quantity[plan.openings :].sum()),
        assumed.select(pl.col("target").alias("account"), "instrument", "quantity"),
        frame[np.sort(plan.bad_rows)],
        plan.findings,
    )
