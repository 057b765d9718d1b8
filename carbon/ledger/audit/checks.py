"""The table of checks: C01-C44, and those of the chain and of the bodies, each with its severity and where it runs.

Knows which function answers for which code. Must not know how a check works. Names and the response codes of the EU's
registry stand in `codes.csv`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from carbon.ledger.audit import (
    balances,
    holders,
    identity,
    links,
    movements,
    obligations,
    reservations,
    serials,
    states,
)
from carbon.ledger.audit.log import Log

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CHECKS", "Applies", "Check", "Level"]

Level = Literal["error", "warning", "info"]
Applies = Literal["ledger", "trades", "imports"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check. severity : that of its findings unless a finding says otherwise.

    applies : ledger (the audit runs it), trades (market files as they are loaded) or imports (files of other registers)
    find : the function of the audit, null where the check runs elsewhere; where : names of the functions that do it
    """

    code: str
    severity: Level
    applies: Applies
    find: "Callable[[Log], pl.DataFrame] | None"
    where: tuple[str, ...]


def _ledger(code: str, find: "Callable[[Log], pl.DataFrame]", severity: Level = "error") -> Check:
    return Check(code, severity, "ledger", find, (f"{find.__module__}.{find.__name__}",))


def _trades(code: str, *names: str, severity: Level = "error") -> Check:
    return Check(code, severity, "trades", None, names)


def _imports(code: str, *names: str, severity: Level = "error") -> Check:
    return Check(code, severity, "imports", None, names)


_TABLE: Final = (
    _ledger("C01", states.find_closed_schemes),
    _ledger("C02", movements.find_unknown_targets),
    _ledger("C03", movements.find_unknown_sources),
    _ledger("C04", movements.find_mixed_schemes),
    _ledger("C05", movements.find_misplaced_externals),
    _ledger("C06", movements.find_restricted),
    _ledger("C07", states.find_blocked_moves),
    _ledger("C08", serials.find_foreign_units),
    _ledger("C09", holders.find_repeated_accounts),
    _ledger("C10", holders.find_holderless),
    _ledger("C11", holders.find_equal_representatives),
    _ledger("C12", holders.find_unreachable_operators, "warning"),
    _ledger("C13", holders.find_second_operators),
    _ledger("C14", holders.find_wrong_identifiers),
    _ledger("C15", holders.find_wrong_periods),
    _ledger("C16", movements.find_wrong_quantities),
    _ledger("C17", movements.find_self_transfers),
    _ledger("C18", balances.find_overdrafts),
    _ledger("C19", identity.find_repeated_ids),
    _ledger("C20", identity.find_effects_of_failed),
    _ledger("C21", identity.find_missing_legs),
    _ledger("C22", reservations.find_wrong_reservations),
    _ledger("C23", states.find_closed_moves),
    _ledger("C24", balances.find_unbalanced),
    _ledger("C25", balances.find_untrue_holdings),
    _ledger("C26", serials.find_wrong_counts),
    _ledger("C27", serials.find_overlaps),
    _ledger("C28", reservations.find_wrong_reversals),
    _ledger("C29", movements.find_unallowed),
    _ledger("C30", obligations.find_wrong_vintages),
    _ledger("C31", obligations.find_overdue),
    _ledger("C32", obligations.find_excess_offsets),
    _ledger("C33", obligations.find_excess_carry_overs),
    _ledger("C34", obligations.find_unsettled_allocations),
    _trades("C35", "carbon.checks.find_fractions"),
    _trades("C36", "carbon.checks.find_wide_prices"),
    _trades("C37", "carbon.checks.find_high_below_low", "carbon.checks.find_outside_low_high"),
    _trades("C38", "carbon.checks.find_cumulative_steps"),
    _trades("C39", "carbon.cross_checks.find_conflicts"),
    _trades("C40", "carbon.checks.find_unreadable_dates"),
    _ledger("C41", identity.find_repeated_rows, "info"),
    _ledger("C42", identity.find_unknown_codes),
    _imports("C43", "carbon.formats.offsets.loads.check_not_fewer", severity="warning"),
    _imports("C44", "carbon.formats.offsets.event_checks.check_event_rows"),
    _ledger("BODY", identity.find_untrue_bodies),
    _ledger("ROWS", identity.find_untrue_rows),
    _ledger("SEAL", links.find_breaks),
)

CHECKS: Final[dict[str, Check]] = {check.code: check for check in _TABLE}
"""Every check by its code."""
