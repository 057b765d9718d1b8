"""The lists that the ledger can be read as: which tables, which columns, which filters and orders.

Knows the tables and what a reader calls their columns (codes instead of ids). Must not know how a page is read
(`listing`). Lookups are outer joins, so that the database walks the listed table itself in the order of its key.
"""

from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, FromClause, and_, case, exists
from sqlmodel import SQLModel

from carbon.errors import CarbonError
from carbon.ledger import tables
from carbon.ledger.listing import Column, Listing, Page, list_page

__all__ = ["LISTINGS", "UnknownListing", "find_listing", "list_rows"]

LISTINGS: Final = (
    "schemes",
    "instruments",
    "entities",
    "accounts",
    "representatives",
    "holdings",
    "transactions",
    "transfers",
    "blocks",
    "statements",
    "seals",
)


class UnknownListing(CarbonError):
    """The ledger has no list of this name."""


def list_rows(
    connection: Connection,
    name: str,
    *,
    filters: "dict[str, Any] | None" = None,
    sort: str | None = None,
    after: str | None = None,
    limit: int = 100,
    private: bool = False,
) -> Page:
    """One page of one of LISTINGS: see `listing.list_page`. Raises UnknownListing, BadFilter, BadCursor."""
    listing = find_listing(name)
    return list_page(connection, listing, filters=filters, sort=sort, after=after, limit=limit, private=private)


def find_listing(name: str) -> Listing:
    """The listing of this name. Raises UnknownListing."""
    if name not in LISTINGS:
        raise UnknownListing(f"unknown list {name!r}; known: {', '.join(LISTINGS)}")
    return _listings()[name]


@cache
def _listings() -> dict[str, Listing]:
    made = (
        _schemes(),
        _instruments(),
        _entities(),
        _accounts(),
        _representatives(),
        _holdings(),
        _transactions(),
        _transfers(),
        _blocks(),
        _statements(),
        _seals(),
    )
    return {listing.name: listing for listing in made}


def _table(model: type[SQLModel]) -> FromClause:
    return SQLModel.metadata.tables[str(model.__tablename__)]


def _text(
    name: str,
    value: ColumnElement[Any],
    *,
    sort: bool = False,
    nullable: bool = False,
    shown: bool = True,
    private: bool = False,
) -> Column:
    return Column(name, "text", value, sort=sort, nullable=nullable, shown=shown, private=private)


def _whole(
    name: str,
    value: ColumnElement[Any],
    *,
    sort: bool = False,
    nullable: bool = False,
    shown: bool = True,
    private: bool = False,
) -> Column:
    return Column(name, "whole", value, sort=sort, nullable=nullable, shown=shown, private=private)


def _code(name: str, of: FromClause, *via: ColumnElement[Any], nullable: bool = False) -> Column:
    """The code of the row of `of` whose id stands in the first column of `via`."""
    return Column(name, "text", of.c.code, nullable=nullable, via=via, of=of)


def _schemes() -> Listing:
    s = _table(tables.Scheme)
    columns = (
        _text("scheme", s.c.scheme, sort=True),
        _text("kind", s.c.kind),
        _text("name_zh", s.c.name_zh),
        _text("name_en", s.c.name_en, sort=True),
        _text("registry_hub", s.c.registry_hub, nullable=True),
        _text("market", s.c.market, nullable=True),
        _text("state", s.c.state),
        _text("source", s.c.source),
    )
    return Listing("schemes", s, columns, (s.c.scheme,))


def _instruments() -> Listing:
    i, x = _table(tables.Instrument), _table(tables.Transaction)
    columns = (
        _text("instrument", i.c.code, sort=True),
        _text("scheme", i.c.scheme),
        _text("kind", i.c.kind),
        _text("unit", i.c.unit),
        _whole("vintage_from", i.c.vintage_from, nullable=True, sort=True),
        _whole("vintage_to", i.c.vintage_to, nullable=True),
        Column("serialised", "flag", i.c.serialised),
        _whole("next_serial", i.c.next_serial),
        _text("stem", i.c.stem, nullable=True),
        _text("programme", i.c.programme, nullable=True),
        _text("project", i.c.project, nullable=True),
        _text("only_kinds", i.c.only_kinds, nullable=True),
        _text("source", i.c.source, nullable=True),
        _text("client_id", x.c.client_id, nullable=True),
    )
    return Listing("instruments", i.outerjoin(x, x.c.id == i.c.transaction_id), columns, (i.c.id,))


def _entities() -> Listing:
    e, x = _table(tables.Entity), _table(tables.Transaction)
    columns = (
        _text("entity", e.c.code, sort=True),
        _text("uscc", e.c.uscc, nullable=True),
        _text("name", e.c.name, sort=True),
        _text("name_en", e.c.name_en, nullable=True),
        _text("hub", e.c.hub, nullable=True, sort=True),
        _text("sector", e.c.sector, nullable=True, sort=True),
        _text("country", e.c.country, nullable=True),
        _text("contact", e.c.contact, nullable=True, private=True),
        _text("client_id", x.c.client_id),
        Column("at", "time", x.c.at_us),
    )
    return Listing("entities", e.outerjoin(x, x.c.id == e.c.transaction_id), columns, (e.c.id,))


def _accounts() -> Listing:
    a, e, x = _table(tables.Account), _table(tables.Entity), _table(tables.Transaction)
    columns = (
        _text("account", a.c.code, sort=True),
        _text("scheme", a.c.scheme, sort=True),
        _text("type", a.c.type),
        _text("status", a.c.status),
        _code("entity", e, a.c.entity_id, nullable=True),
        _text("entity_name", e.c.name, nullable=True),
        _text("hub", e.c.hub, nullable=True),
        _whole("first_year", a.c.first_year, nullable=True),
        _whole("last_year", a.c.last_year, nullable=True),
        _text("client_id", x.c.client_id),
        Column("at", "time", x.c.at_us),
    )
    source = a.outerjoin(e, e.c.id == a.c.entity_id).outerjoin(x, x.c.id == a.c.transaction_id)
    return Listing("accounts", source, columns, (a.c.id,))


def _representatives() -> Listing:
    r, a, x = _table(tables.Representative), _table(tables.Account), _table(tables.Transaction)
    newer = r.alias("newer")
    replaced = exists().where(newer.c.account_id == r.c.account_id, newer.c.role == r.c.role, newer.c.id > r.c.id)
    columns = (
        _code("account", a, r.c.account_id),
        _text("role", r.c.role),
        _text("name", r.c.name),
        Column("current", "flag", ~replaced),
        _text("client_id", x.c.client_id),
        Column("at", "time", x.c.at_us, sort=True),
    )
    source = r.outerjoin(a, a.c.id == r.c.account_id).outerjoin(x, x.c.id == r.c.transaction_id)
    return Listing("representatives", source, columns, (r.c.id,), private=True)


def _holdings() -> Listing:
    h, a, i, e = (_table(kind) for kind in (tables.Holding, tables.Account, tables.Instrument, tables.Entity))
    columns = (
        _code("account", a, h.c.account_id),
        _text("scheme", a.c.scheme),
        _text("account_type", a.c.type),
        _code("entity", e, a.c.entity_id, nullable=True),
        _code("instrument", i, h.c.instrument_id),
        _text("kind", i.c.kind),
        _text("unit", i.c.unit),
        _whole("quantity", h.c.quantity, sort=True),
        _whole("reserved", h.c.reserved, sort=True),
        _whole("free", h.c.quantity - h.c.reserved),
        Column("contra", "flag", h.c.contra),
    )
    source = (
        h.outerjoin(a, a.c.id == h.c.account_id)
        .outerjoin(i, i.c.id == h.c.instrument_id)
        .outerjoin(e, e.c.id == a.c.entity_id)
    )
    return Listing("holdings", source, columns, (h.c.account_id, h.c.instrument_id))


def _transactions() -> Listing:
    x = _table(tables.Transaction)
    original = x.alias("original")
    columns = (
        _whole("transaction", x.c.id, sort=True),
        _text("client_id", x.c.client_id),
        _text("kind", x.c.kind),
        _text("scheme", x.c.scheme, nullable=True),
        _text("subject", x.c.subject, nullable=True),
        Column("at", "time", x.c.at_us, sort=True),
        _text("actor", x.c.actor, private=True),
        _text("status", x.c.status),
        _text("code", x.c.code, nullable=True),
        _text("message", x.c.message, nullable=True),
        _text("reverses", original.c.client_id, nullable=True),
        _text("body", x.c.body, private=True),
        # All else of an appointment is public: whoever has a list of names would find the name by its digest.
        _text("body_sha256", x.c.body_sha256, private=True),
    )
    return Listing("transactions", x.outerjoin(original, original.c.id == x.c.reverses), columns, (x.c.id,))


def _transfers() -> Listing:
    t, x, i = _table(tables.Transfer), _table(tables.Transaction), _table(tables.Instrument)
    accounts = _table(tables.Account)
    source, target, end = accounts.alias("source"), accounts.alias("target"), t.alias("ending")
    ended = exists().where(end.c.reserve_id == t.c.id)
    columns = (
        _whole("transfer", t.c.id, sort=True),
        _whole("transaction", t.c.transaction_id),
        _text("client_id", x.c.client_id),
        _text("kind", t.c.kind),
        _text("phase", t.c.phase),
        _code("source", source, t.c.source_id),
        _code("target", target, t.c.target_id),
        Column("account", "text", source.c.code, shown=False, via=(t.c.source_id, t.c.target_id), of=accounts),
        _code("instrument", i, t.c.instrument_id),
        _whole("quantity", t.c.quantity, sort=True),
        _whole("first_serial", t.c.first_serial, nullable=True),
        _whole("compliance_year", t.c.compliance_year, nullable=True, sort=True),
        Column("at", "time", t.c.at_us, sort=True),
        Column("expires_at", "time", t.c.expires_at_us, nullable=True, sort=True),
        Column("open", "flag", case((t.c.phase == "reserve", ~ended)), nullable=True),
        _whole("reserve", t.c.reserve_id, nullable=True),
        _whole("reverses", t.c.reverses_id, nullable=True),
        _text("reference", t.c.reference, nullable=True),
    )
    joined = (
        t.outerjoin(x, x.c.id == t.c.transaction_id)
        .outerjoin(source, source.c.id == t.c.source_id)
        .outerjoin(target, target.c.id == t.c.target_id)
        .outerjoin(i, i.c.id == t.c.instrument_id)
    )
    return Listing("transfers", joined, columns, (t.c.id,))


def _blocks() -> Listing:
    b, a, i, t = (_table(kind) for kind in (tables.Block, tables.Account, tables.Instrument, tables.Transfer))
    x = _table(tables.Transaction)
    columns = (
        _code("instrument", i, b.c.instrument_id),
        _whole("serial_first", b.c.serial_first, sort=True),
        _whole("serial_last", b.c.serial_last, sort=True),
        _whole("quantity", b.c.serial_last - b.c.serial_first + 1),
        _code("account", a, b.c.account_id),
        _text("reserved_by", x.c.client_id, nullable=True),
    )
    source = (
        b.outerjoin(a, a.c.id == b.c.account_id)
        .outerjoin(i, i.c.id == b.c.instrument_id)
        .outerjoin(t, t.c.id == b.c.reserve_id)
        .outerjoin(x, x.c.id == t.c.transaction_id)
    )
    return Listing("blocks", source, columns, (b.c.instrument_id, b.c.serial_first))


def _statements() -> Listing:
    s, a, x = _table(tables.Statement), _table(tables.Account), _table(tables.Transaction)
    undoing = x.alias("undoing")
    undone = exists().where(and_(undoing.c.reverses == s.c.transaction_id, undoing.c.status == "done"))
    columns = (
        _whole("statement", s.c.id, sort=True),
        _code("account", a, s.c.account_id),
        _text("scheme", a.c.scheme),
        _whole("compliance_year", s.c.compliance_year, sort=True),
        _text("kind", s.c.kind),
        _whole("version", s.c.version),
        _whole("quantity_t", s.c.quantity_t, sort=True),
        _text("source", s.c.source, nullable=True),
        Column("reversed", "flag", undone),
        _text("client_id", x.c.client_id),
        Column("at", "time", x.c.at_us),
    )
    source = s.outerjoin(a, a.c.id == s.c.account_id).outerjoin(x, x.c.id == s.c.transaction_id)
    return Listing("statements", source, columns, (s.c.id,))


def _seals() -> Listing:
    s = _table(tables.Seal)
    columns = (
        _whole("seal", s.c.id, sort=True),
        Column("at", "time", s.c.sealed_at_us, sort=True),
        _text("previous_sha256", s.c.previous_sha256),
        _text("sha256", s.c.sha256),
        _text("covers", s.c.covers),
    )
    return Listing("seals", s, columns, (s.c.id,))
