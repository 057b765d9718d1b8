"""Who may hold what: entities, accounts and their representatives, instruments, and schemes that open and close.

Knows the verbs that bring these into the ledger and change their state. Must not know movements.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from carbon.ledger.book import Act, Refusal, book, one_row
from carbon.ledger.orders import BadOrder, Order, Receipt
from carbon.ledger.post import post

__all__ = [
    "add_instrument",
    "appoint",
    "block_account",
    "close_account",
    "close_scheme",
    "open_account",
    "open_scheme",
    "register_entity",
    "unblock_account",
]

_HELD_BY_ENTITY = ("operator", "trading")
_OWN = ("issuance", "government", "surrender", "cancellation", "carried_over", "external", "foreign")


def register_entity(
    connection: Connection,
    act: Act,
    *,
    name: str,
    uscc: str | None = None,
    code: str | None = None,
    name_en: str | None = None,
    hub: str | None = None,
    sector: str | None = None,
    country: str | None = None,
    contact: str | None = None,
) -> Receipt:
    """Register a holder: a company with its unified social credit code, or any other holder with a code of its own.

    hub : slug of the city it belongs to; contact : the one person an operator names (C12)
    Refused with C14 where the code is taken. Raises InvalidCreditCode, BadOrder, IdInUse.
    """
    from carbon.uscc import check_uscc

    credit_code = check_uscc(uscc) if uscc is not None else None
    own = code or credit_code
    if own is None or not name.strip():
        raise BadOrder(f"found an entity {name!r} without code, expected a unified social credit code or a code")
    row = {
        "code": own,
        "uscc": credit_code,
        "name": name,
        "name_en": name_en,
        "hub": hub,
        "sector": sector,
        "country": country,
        "contact": contact,
    }
    return book(
        connection,
        act,
        "register_entity",
        row,
        subject=own,
        effect=lambda transaction: _insert(connection, "registry_entity", {**row, "transaction_id": transaction}),
    )


def open_account(
    connection: Connection,
    act: Act,
    *,
    code: str,
    scheme: str,
    type: str,
    entity: str | None = None,
    first_year: int | None = None,
    last_year: int | None = None,
    primary: str | None = None,
    secondary: str | None = None,
) -> Receipt:
    """Open an account; operator and trading accounts belong to one entity and name two representatives.

    entity : code of the holder; first_year, last_year : compliance years it serves (C15)
    Refused with C09 (exists), C10 (holder), C11 (representatives), C13 (a second operator account). Raises BadOrder.
    """
    if type not in _HELD_BY_ENTITY + _OWN:
        raise BadOrder(f"found the account type {type!r}, expected one of {', '.join(_HELD_BY_ENTITY + _OWN)}")
    body = {
        "code": code,
        "scheme": scheme,
        "type": type,
        "entity": entity,
        "first_year": first_year,
        "last_year": last_year,
        "primary": primary,
        "secondary": secondary,
    }

    def effect(transaction: int) -> None:
        _known_scheme(connection, scheme)
        holder = None if entity is None else _id_of(connection, "registry_entity", entity, "C10")
        if type in _HELD_BY_ENTITY and (primary is None or secondary is None):
            raise Refusal("C11", f"{type} account {code} without its two representatives")
        # Which of two broken constraints a database names is its own affair; this one goes first.
        if one_row(connection, "SELECT 1 FROM registry_account WHERE code = :code", {"code": code}) is not None:
            raise Refusal("C09", f"the account {code!r} there already")
        row = {"code": code, "scheme": scheme, "type": type, "entity_id": holder, "status": "open"}
        years = {"first_year": first_year, "last_year": last_year}
        _insert(connection, "registry_account", {**row, **years, "transaction_id": transaction})
        account = _id_of(connection, "registry_account", code, "C03")
        for role, person in (("primary", primary), ("secondary", secondary)):
            if person is not None:
                _represent(connection, account, role, person, transaction)

    return book(connection, act, "open_account", body, scheme=None, subject=code, effect=effect)


def appoint(connection: Connection, act: Act, *, account: str, role: str, name: str) -> Receipt:
    """Appoint a representative in the place of the one before. role : primary or secondary; refused with C03, C11."""
    if role not in ("primary", "secondary"):
        raise BadOrder(f"found the role {role!r}, expected primary or secondary")
    return book(
        connection,
        act,
        "appoint",
        {"account": account, "role": role, "name": name},
        subject=account,
        effect=lambda transaction: _represent(
            connection, _id_of(connection, "registry_account", account, "C03"), role, name, transaction
        ),
    )


def close_account(connection: Connection, act: Act, *, account: str) -> Receipt:
    """Close an account for ever; only an empty one closes (C23)."""
    return _change(connection, act, "close_account", account)


def block_account(connection: Connection, act: Act, *, account: str, reason: str | None = None) -> Receipt:
    """Block an account: only surrender, cancellation against replacement and recall leave it (C07)."""
    return _change(connection, act, "block_account", account, reason)


def unblock_account(connection: Connection, act: Act, *, account: str, reason: str | None = None) -> Receipt:
    """Let a blocked account move again."""
    return _change(connection, act, "unblock_account", account, reason)


def open_scheme(connection: Connection, act: Act, *, scheme: str) -> Receipt:
    """Open the registry of a scheme for movements."""
    return _change(connection, act, "open_scheme", scheme)


def close_scheme(connection: Connection, act: Act, *, scheme: str, reason: str | None = None) -> Receipt:
    """Close the registry of a scheme: no movement touches its accounts (C01)."""
    return _change(connection, act, "close_scheme", scheme, reason)


def add_instrument(
    connection: Connection,
    act: Act,
    *,
    code: str,
    scheme: str,
    kind: str,
    serialised: bool,
    vintage_from: int | None = None,
    vintage_to: int | None = None,
    stem: str | None = None,
    programme: str | None = None,
    project: str | None = None,
    only_kinds: tuple[str, ...] = (),
    source: str | None = None,
) -> Receipt:
    """Add a kind of unit: kind allowance, offset (tonnes) or money (fen); other arguments as `Instrument` has them.

    only_kinds : the movements a restricted class is limited to, none for no limit (C06). Refused with C14 where the
    code or the stem is taken. Raises BadOrder.
    """
    if kind not in ("allowance", "offset", "money"):
        raise BadOrder(f"found the instrument kind {kind!r}, expected allowance, offset or money")
    row = {
        "code": code,
        "scheme": scheme,
        "kind": kind,
        "unit": "fen" if kind == "money" else "t",
        "serialised": serialised,
        "vintage_from": vintage_from,
        "vintage_to": vintage_to,
        "stem": stem,
        "programme": programme,
        "project": project,
        "only_kinds": f";{';'.join(only_kinds)};" if only_kinds else None,
        "source": source,
    }

    def effect(transaction: int) -> None:
        _known_scheme(connection, scheme)
        _insert(connection, "registry_instrument", {**row, "next_serial": 1, "transaction_id": transaction})

    return book(connection, act, "add_instrument", row, subject=code, effect=effect)


def _change(connection: Connection, act: Act, kind: str, subject: str, reason: str | None = None) -> Receipt:
    body = {"subject": subject, "reason": reason}
    return post(connection, Order(act.client_id, kind, act.at_us, act.actor, body, (), None, subject))


def _represent(connection: Connection, account: int, role: str, name: str, transaction: int) -> None:
    row = {"account_id": account, "role": role, "name": name, "transaction_id": transaction}
    _insert(connection, "registry_representative", row)


def _insert(connection: Connection, table: str, row: Mapping[str, object]) -> None:
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), dict(row))  # noqa: S608


def _known_scheme(connection: Connection, scheme: str) -> None:
    if one_row(connection, "SELECT 1 FROM registry_scheme WHERE scheme = :scheme", {"scheme": scheme}) is None:
        raise Refusal("C42", f"the scheme {scheme!r}")


def _id_of(connection: Connection, table: str, code: str, refusal: str) -> int:
    found = one_row(connection, f"SELECT id FROM {table} WHERE code = :code", {"code": code})  # noqa: S608
    if found is None:
        raise Refusal(refusal, f"no row {code!r} in {table.removeprefix('registry_')}")
    return int(found.id)
