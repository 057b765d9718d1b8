"""The verbs of a compliance year, with the scheme's rules: verified emissions, final allocation, surrender of the right
vintages, offsets within their limit, carry-over.

Knows which rule stands before which act, and that the figures it is held against are read in the same database
transaction, the account's row locked. Must not know the rules' figures (`carbon.rules`).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from carbon.ledger.book import Act, Refusal, book, one_row
from carbon.ledger.compliance import (
    day_start_us,
    final_allocation_t,
    granted_t,
    handed_in_t,
    obligation_t,
    sector_of,
    verified_t,
)
from carbon.ledger.orders import BadOrder, Leg, Receipt, check_quantity, time_from_us
from carbon.ledger.verbs import system_account
from carbon.rules.book import Rules

__all__ = ["carry_over", "finalise_allocation", "net_sales_t", "report_verified", "surrender", "use_offsets"]

_LARGEST_T = 2**53
_US_PER_DAY = 86_400_000_000


def report_verified(
    connection: Connection, act: Act, *, account: str, compliance_year: int, quantity_t: int, source: str | None = None
) -> Receipt:
    """State the verified emissions of a compliance year, whole tonnes, 0 and more. A later statement replaces it."""
    body = {"account": account, "compliance_year": compliance_year, "quantity_t": quantity_t, "source": source}
    _check_statement(quantity_t, compliance_year)
    return book(
        connection,
        act,
        "report_verified",
        body,
        subject=account,
        effect=lambda made: _state(connection, account, compliance_year, "verified", quantity_t, source, made),
    )


def finalise_allocation(
    connection: Connection,
    act: Act,
    *,
    scheme: str,
    account: str,
    instrument: str,
    compliance_year: int,
    final_t: int,
    source: str | None = None,
) -> Receipt:
    """State the final allocation and settle the difference to what was granted before: supplement or recall (C34).

    final_t : whole tonnes, 0 and more. Refused with C34 where the year was settled before (reverse that one first),
    with C18 where more must be recalled than is held.
    """
    _check_statement(final_t, compliance_year)
    government = system_account(scheme, "government")

    def plan() -> tuple[tuple[Leg, ...], int | None]:
        _lock(connection, account)
        missing = final_t - granted_t(connection, account, compliance_year)
        if missing > 0:
            return (Leg("supplement", government, account, instrument, missing, compliance_year=compliance_year),), None
        if missing < 0:
            return (Leg("recall", account, government, instrument, -missing, compliance_year=compliance_year),), None
        return (), None

    body = {
        "scheme": scheme,
        "account": account,
        "instrument": instrument,
        "compliance_year": compliance_year,
        "final_t": final_t,
        "source": source,
    }
    return book(
        connection,
        act,
        "finalise_allocation",
        body,
        subject=account,
        plan=plan,
        effect=lambda made: _state(connection, account, compliance_year, "final_allocation", final_t, source, made),
    )


def surrender(
    connection: Connection,
    act: Act,
    *,
    rules: Rules,
    scheme: str,
    account: str,
    instrument: str,
    quantity: int,
    compliance_year: int,
    first_serial: int | None = None,
) -> Receipt:
    """Hand allowances in for a compliance year, of a vintage that the scheme's rules accept on the act's day (C30).

    Where no rule on vintages is known, any vintage is accepted. More than is owed may be handed in.
    """
    from carbon.rules.vintages import vintage_use

    check_quantity(quantity)
    sink = system_account(scheme, "surrender")

    def plan() -> tuple[tuple[Leg, ...], int | None]:
        unit = _unit(connection, instrument)
        if unit.vintage_from is not None:
            use = vintage_use(
                rules,
                scheme=scheme,
                vintage_from=unit.vintage_from,
                vintage_to=unit.vintage_to or unit.vintage_from,
                year=compliance_year,
                on_date=_day(act),
            )
            if use.allowed is False:
                raise Refusal("C30", use.reason.removeprefix("found "))
        leg = Leg("surrender", account, sink, instrument, quantity, "posted", first_serial, compliance_year)
        return (leg,), None

    body = _asked(scheme, account, instrument, quantity, compliance_year, first_serial)
    return book(connection, act, "surrender", body, subject=account, plan=plan)


def use_offsets(
    connection: Connection,
    act: Act,
    *,
    rules: Rules,
    scheme: str,
    account: str,
    instrument: str,
    quantity: int,
    compliance_year: int,
    first_serial: int | None = None,
) -> Receipt:
    """Hand offset credits in for a compliance year, within the limit of the scheme's rules (C32).

    Refused where no limit is known, or where the figure that the limit is a share of has not been stated yet.
    """
    from carbon.rules.offset_limit import offset_limit
    from carbon.rules.selection import NoRule

    check_quantity(quantity)
    sink = system_account(scheme, "surrender")

    def plan() -> tuple[tuple[Leg, ...], int | None]:
        _lock(connection, account)
        verified = verified_t(connection, account, compliance_year)
        final = final_allocation_t(connection, account, compliance_year)
        owed = obligation_t(rules, scheme, compliance_year, verified, final)
        try:
            limit = offset_limit(
                rules, scheme=scheme, year=compliance_year, obligation_t=owed, allocation_t=final, on_date=_day(act)
            )
        except (NoRule, ValueError) as unknown:
            raise Refusal("C32", str(unknown).removeprefix("found ")) from None
        used = handed_in_t(connection, account, compliance_year, "use_offsets")
        if used + quantity > limit.limit_t:
            raise Refusal(
                "C32",
                f"{used} t used and {quantity} t asked for, more than {limit.limit_t} t ({limit.rule.id})",
            )
        leg = Leg("use_offsets", account, sink, instrument, quantity, "posted", first_serial, compliance_year)
        return (leg,), None

    body = _asked(scheme, account, instrument, quantity, compliance_year, first_serial)
    return book(connection, act, "use_offsets", body, subject=account, plan=plan)


def carry_over(
    connection: Connection,
    act: Act,
    *,
    rules: Rules,
    scheme: str,
    account: str,
    instrument: str,
    into: str,
    quantity: int,
) -> Receipt:
    """Turn allowances of an old vintage into as many of a later one, within base plus net sales and holding (C33).

    instrument, into : codes of the old and the new vintage. Net sales and what was carried before come from the log.
    """
    from carbon.rules.carry_over import carry_over_limit
    from carbon.rules.selection import NoRule

    check_quantity(quantity)

    def plan() -> tuple[tuple[Leg, ...], int | None]:
        _lock(connection, account)
        old, new = _unit(connection, instrument), _unit(connection, into)
        sector = _sector(connection, account)
        carried = _carried_t(connection, account, scheme)
        try:
            limit = carry_over_limit(
                rules,
                sector=sector,
                net_sales_t=net_sales_t(connection, rules, account, scheme, sector),
                holding_t=_free_t(connection, account, scheme, new.vintage_from) + carried,
                scheme=scheme,
                on_date=_day(act),
            )
        except NoRule as unknown:
            raise Refusal("C33", str(unknown).removeprefix("found ")) from None
        first, last = limit.first_vintage, limit.last_vintage
        fits = old.vintage_from is not None and (first or 0) <= old.vintage_from and old.vintage_to <= (last or 9999)
        if not fits or new.vintage_from != limit.into_year:
            raise Refusal("C30", f"{instrument} into {into}, by rule {limit.rule.id}")
        if carried + quantity > limit.limit_t:
            raise Refusal(
                "C33", f"{carried} t carried and {quantity} t asked for, more than {limit.limit_t} t ({limit.rule.id})"
            )
        gone = system_account(scheme, "carried_over")
        fresh = system_account(scheme, "issuance")
        return (
            Leg("carry_over", account, gone, instrument, quantity),
            Leg("carry_over", fresh, account, into, quantity),
        ), None

    body = {"scheme": scheme, "account": account, "instrument": instrument, "into": into, "quantity": quantity}
    return book(connection, act, "carry_over", body, subject=account, plan=plan)


def net_sales_t(connection: Connection, rules: Rules, account: str, scheme: str, sector: str) -> int:
    """Allowances sold less bought within the window of the carry-over rule, tonnes; reversed ones left out.

    The whole log where the rule has no window.
    """
    from carbon.rules.book import rules_for
    from carbon.rules.selection import choose_rule, find_rules

    rule = choose_rule(find_rules(rules_for(rules, scheme), "carry_over", sector=sector))
    days = {} if rule is None else {value.name: value.value for value in rule.values if isinstance(value.value, date)}
    found = one_row(
        connection,
        "SELECT coalesce(sum(CASE WHEN s.code = :account THEN l.quantity ELSE -l.quantity END), 0) AS net"
        " FROM registry_transfer l JOIN registry_account s ON s.id = l.source_id"
        " JOIN registry_account t ON t.id = l.target_id JOIN registry_instrument i ON i.id = l.instrument_id"
        " WHERE l.kind IN ('transfer', 'auction') AND l.phase IN ('posted', 'settle') AND :account IN (s.code, t.code)"
        " AND i.scheme = :scheme AND i.kind = 'allowance' AND l.at_us BETWEEN :from_us AND :to_us"
        " AND NOT EXISTS (SELECT 1 FROM registry_transfer r WHERE r.reverses_id = l.id)",
        {
            "account": account,
            "scheme": scheme,
            "from_us": day_start_us(days["sales_from"]) if "sales_from" in days else -(2**62),
            "to_us": day_start_us(days["sales_to"]) + _US_PER_DAY - 1 if "sales_to" in days else 2**62,
        },
    )
    return int(found.net)


def _carried_t(connection: Connection, account: str, scheme: str) -> int:
    found = one_row(
        connection,
        "SELECT coalesce(sum(l.quantity), 0) AS carried FROM registry_transfer l"
        " JOIN registry_account s ON s.id = l.source_id JOIN registry_account t ON t.id = l.target_id"
        " WHERE l.kind = 'carry_over' AND s.code = :account AND t.code = :gone"
        " AND NOT EXISTS (SELECT 1 FROM registry_transfer r WHERE r.reverses_id = l.id)",
        {"account": account, "gone": system_account(scheme, "carried_over")},
    )
    return int(found.carried)


def _free_t(connection: Connection, account: str, scheme: str, before: int | None) -> int:
    """What is held free of the scheme's allowances older than a vintage, tonnes."""
    found = one_row(
        connection,
        "SELECT coalesce(sum(h.quantity - h.reserved), 0) AS free FROM registry_holding h"
        " JOIN registry_account a ON a.id = h.account_id JOIN registry_instrument i ON i.id = h.instrument_id"
        " WHERE a.code = :account AND i.scheme = :scheme AND i.kind = 'allowance' AND i.vintage_to < :before",
        {"account": account, "scheme": scheme, "before": before or 9999},
    )
    return int(found.free)


def _sector(connection: Connection, account: str) -> str:
    found = one_row(
        connection,
        "SELECT e.sector FROM registry_account a JOIN registry_entity e ON e.id = a.entity_id WHERE a.code = :code",
        {"code": account},
    )
    sector = sector_of(None if found is None else found.sector)
    if sector is None:
        raise Refusal("C33", f"no sector of the holder of {account}")
    return sector


def _unit(connection: Connection, code: str) -> Any:
    found = one_row(
        connection, "SELECT vintage_from, vintage_to FROM registry_instrument WHERE code = :code", {"code": code}
    )
    if found is None:
        raise Refusal("C42", f"the instrument {code!r}")
    return found


def _lock(connection: Connection, account: str) -> None:
    """Keep other writers of this account waiting until this act is booked, so that what is read here stays true."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT 1 FROM registry_account WHERE code = :code FOR UPDATE"), {"code": account})


def _state(
    connection: Connection, account: str, year: int, kind: str, quantity_t: int, source: str | None, transaction: int
) -> None:
    _lock(connection, account)
    found = one_row(connection, "SELECT id, type FROM registry_account WHERE code = :code", {"code": account})
    if found is None:
        raise Refusal("C03", f"no account {account!r}")
    if found.type != "operator":
        raise Refusal("C29", f"the {found.type} account {account}")
    last = one_row(
        connection,
        "SELECT max(version) AS version FROM registry_statement WHERE account_id = :id AND compliance_year = :year"
        " AND kind = :kind",
        {"id": found.id, "year": year, "kind": kind},
    )
    connection.execute(
        text(
            "INSERT INTO registry_statement (account_id, compliance_year, kind, version, quantity_t, source,"
            " transaction_id) VALUES (:id, :year, :kind, :version, :quantity_t, :source, :transaction_id)"
        ),
        {
            "id": found.id,
            "year": year,
            "kind": kind,
            "version": (last.version or 0) + 1,
            "quantity_t": quantity_t,
            "source": source,
            "transaction_id": transaction,
        },
    )


def _check_statement(quantity_t: int, year: int) -> None:
    if isinstance(quantity_t, bool) or not isinstance(quantity_t, int) or not 0 <= quantity_t <= _LARGEST_T:
        raise BadOrder(f"found {quantity_t!r} t, expected a whole number of tonnes from 0 to {_LARGEST_T} (C16)")
    if not 1990 <= year <= 2100:
        raise BadOrder(f"found the compliance year {year!r}, expected one from 1990 to 2100")


def _asked(
    scheme: str, account: str, instrument: str, quantity: int, compliance_year: int, first_serial: int | None
) -> Mapping[str, object]:
    return {
        "scheme": scheme,
        "account": account,
        "instrument": instrument,
        "quantity": quantity,
        "compliance_year": compliance_year,
        "first_serial": first_serial,
    }


def _day(act: Act) -> date:
    """The act's day in China (UTC+8), whose calendar the rules follow."""
    return time_from_us(act.at_us + 8 * 3_600_000_000).date()
