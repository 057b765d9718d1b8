"""Many acts one after the other, a hundred to a commit: what came of each.

Knows when to commit, what to do where an act is refused, and that an act which was carried out before is only looked
up again. Must not know files or screens.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, text

from api.registry.files import FileAct
from api.registry.store import VERBS
from api.store import Store
from carbon.errors import CarbonError
from carbon.ledger.book import Act
from carbon.ledger.orders import Receipt
from carbon.ledger.post import writing
from carbon.rules.book import Rules, load_rules

__all__ = ["ACTS_PER_COMMIT", "Outcome", "run_acts"]

ACTS_PER_COMMIT: Final = 100
_TIMES: Final = text("SELECT client_id, at_us FROM registry_transaction WHERE client_id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one act of a file: its receipt, or why nothing was recorded of it; neither where it was not run."""

    act: FileAct
    receipt: Receipt | None
    message: str | None = None

    @property
    def status(self) -> str:
        """done, failed (recorded, for ever), not_booked (malformed or an id in use: nothing recorded), or not_run."""
        if self.receipt is not None:
            return self.receipt.status
        return "not_run" if self.message is None else "not_booked"


def run_acts(
    store: Store,
    acts: Sequence[FileAct],
    *,
    now_us: Callable[[], int],
    actor: str,
    keep_going: bool,
    advance: Callable[[int], None],
) -> list[Outcome]:
    """Carry out acts in their order, a hundred to a commit.

    now_us : the time of acts that name none; actor : who acts where the file does not say
    keep_going : whether to go on after an act that was not done; else what follows is left alone, so that no later
    act fails, for ever, for want of an earlier one. advance : told how many acts more are through
    """
    rules = load_rules()
    outcomes: list[Outcome] = []
    for start in range(0, len(acts), ACTS_PER_COMMIT):
        part = acts[start : start + ACTS_PER_COMMIT]
        try:
            with writing(store.engine) as connection:
                done = list(_run(connection, part, rules, now_us, actor, keep_going))
        except CarbonError:
            # One of them is malformed and nothing of the hundred was kept: one commit for each, to keep the others.
            done = list(_run_alone(store, part, rules, now_us, actor, keep_going))
        outcomes += done
        advance(len(part))
        if len(done) < len(part) or (not keep_going and done[-1].status != "done"):
            break
    return outcomes + [Outcome(act, None) for act in acts[len(outcomes) :]]


def _run(
    connection: Connection,
    acts: Sequence[FileAct],
    rules: Rules,
    now_us: Callable[[], int],
    actor: str,
    keep_going: bool,
) -> Iterator[Outcome]:
    # A replayed act happens at the time of its first booking, as it does alone.
    booked = connection.execute(_TIMES, {"ids": [act.client_id for act in acts]})
    first_us: dict[str, int] = {row.client_id: row.at_us for row in booked}
    for act in acts:
        at_us = first_us.get(act.client_id, act.at_us)
        verb = VERBS[act.verb]
        receipt = verb.call(
            connection,
            Act(act.client_id, now_us() if at_us is None else at_us, act.actor or actor),
            **act.body.asked(),
            **({"rules": rules} if verb.ruled else {}),
        )
        yield Outcome(act, receipt)
        if not receipt.done and not keep_going:
            return


def _run_alone(
    store: Store, acts: Sequence[FileAct], rules: Rules, now_us: Callable[[], int], actor: str, keep_going: bool
) -> Iterator[Outcome]:
    for act in acts:
        try:
            with writing(store.engine) as connection:
                (outcome,) = _run(connection, [act], rules, now_us, actor, keep_going)
        except CarbonError as refused:
            outcome = Outcome(act, None, str(refused))
        yield outcome
        if outcome.status != "done" and not keep_going:
            return
