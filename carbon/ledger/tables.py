"""The SQL tables of the ledger: who may hold what, every movement that was ever booked, and what follows from them.

Knows columns, keys and CHECK constraints, for SQLite and PostgreSQL alike. Must not know how a movement is checked
(`guards`) or booked (`post`). Three kinds of tables:

* **the log**, append-only and sealed: Entity, Account, Representative, Instrument, Transaction, Transfer, Piece,
  Statement; the guards refuse every change and removal of what stands there;
* **what follows from the log**, kept by the guards and recomputed by the audit: Holding, Block, and the columns
  `Account.status`, `Scheme.state` and `Instrument.next_serial`;
* **what the rules are made of**, seeded from data files: Scheme, Movement, Acceptance.

Quantities are whole units of the instrument: tonnes of CO2e, or fen where the instrument is money (`Instrument.unit`).
Times are microseconds since 1970-01-01 UTC (`at_us`), so that both databases order and hash them alike.
"""

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

__all__ = [
    "Acceptance",
    "Account",
    "Block",
    "Entity",
    "Holding",
    "Instrument",
    "Movement",
    "Piece",
    "Representative",
    "Scheme",
    "Seal",
    "Statement",
    "Transaction",
    "Transfer",
]

# SQLite numbers rows by itself only in a column declared INTEGER; PostgreSQL needs eight bytes.
_ID = BigInteger().with_variant(Integer, "sqlite")


def _once(name: str, column: str) -> Index:
    """A value stands once in the column; rows without one, nearly all, cost the index nothing."""
    there = text(f"{column} IS NOT NULL")
    return Index(name, column, unique=True, sqlite_where=there, postgresql_where=there)


class Scheme(SQLModel, table=True):
    """One emissions-trading scheme or offset programme. A closed scheme takes no movement (C01)."""

    __tablename__ = "registry_scheme"
    __table_args__ = (
        CheckConstraint("kind IN ('national', 'pilot', 'foreign', 'offset')", name="scheme_kind"),
        CheckConstraint("state IN ('open', 'closed')", name="scheme_state"),
    )

    scheme: str = Field(primary_key=True)
    kind: str
    name_zh: str
    name_en: str
    registry_hub: str | None = None
    market: str | None = Field(default=None, foreign_key="carbon_market.market")
    state: str = "open"
    source: str


class Acceptance(SQLModel, table=True):
    """Accounts of `scheme` may hold units of `unit_scheme` (C04: national and pilot units never mix)."""

    __tablename__ = "registry_acceptance"

    scheme: str = Field(primary_key=True, foreign_key="registry_scheme.scheme")
    unit_scheme: str = Field(primary_key=True, foreign_key="registry_scheme.scheme")


class Movement(SQLModel, table=True):
    """One kind of movement that is allowed between two types of accounts for one kind of unit (C29).

    from_blocked : the movement may leave a blocked account (C07)
    """

    __tablename__ = "registry_movement"

    kind: str = Field(primary_key=True)
    source_type: str = Field(primary_key=True)
    target_type: str = Field(primary_key=True)
    unit_kind: str = Field(primary_key=True)
    from_blocked: bool


class Entity(SQLModel, table=True):
    """One holder: a company, institution or person, with its unified social credit code where it has one."""

    __tablename__ = "registry_entity"

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    code: str = Field(unique=True)
    uscc: str | None = Field(default=None, unique=True)
    name: str
    name_en: str | None = None
    hub: str | None = Field(default=None, index=True)
    sector: str | None = None
    country: str | None = None
    contact: str | None = None
    transaction_id: int = Field(foreign_key="registry_transaction.id", sa_type=_ID, index=True)


class Account(SQLModel, table=True):
    """One account of one scheme. `first_year`, `last_year`: compliance years it serves, null without limit (C15)."""

    __tablename__ = "registry_account"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'blocked', 'closed')", name="account_status"),
        CheckConstraint("first_year <= last_year", name="account_years"),
        # C10: exactly one holder, except for the scheme's own accounts and those known only by a foreign number.
        CheckConstraint("(type IN ('operator', 'trading')) = (entity_id IS NOT NULL)", name="account_holder"),
        CheckConstraint(
            "type IN ('issuance', 'government', 'operator', 'trading', 'surrender', 'cancellation', 'carried_over',"
            " 'external', 'foreign')",
            name="account_type",
        ),
        # C13: one operator account for each entity and scheme, as long as it is not closed.
        Index(
            "account_one_operator",
            "scheme",
            "entity_id",
            unique=True,
            sqlite_where=text("type = 'operator' AND status <> 'closed'"),
            postgresql_where=text("type = 'operator' AND status <> 'closed'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    code: str = Field(unique=True)
    scheme: str = Field(foreign_key="registry_scheme.scheme", index=True)
    type: str
    entity_id: int | None = Field(default=None, foreign_key="registry_entity.id", sa_type=_ID, index=True)
    first_year: int | None = None
    last_year: int | None = None
    status: str = "open"
    transaction_id: int = Field(foreign_key="registry_transaction.id", sa_type=_ID, index=True)


class Representative(SQLModel, table=True):
    """Who may act for an account. The latest row of a role counts; primary and secondary differ (C11)."""

    __tablename__ = "registry_representative"
    __table_args__ = (CheckConstraint("role IN ('primary', 'secondary')", name="representative_role"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    account_id: int = Field(foreign_key="registry_account.id", sa_type=_ID, index=True)
    role: str
    name: str
    transaction_id: int = Field(foreign_key="registry_transaction.id", sa_type=_ID, index=True)


class Instrument(SQLModel, table=True):
    """One kind of unit: a vintage of an allowance, a batch of offset credits, or money.

    serialised : each unit has a number, and blocks of numbers are followed; next_serial : the next number to issue
    stem : how an outside register writes the numbers, with {first} and {last} where they stand; null for our own form
    only_kinds : ";issue;surrender;" limits a restricted class to these kinds of movement (C06); null without limit
    """

    __tablename__ = "registry_instrument"
    __table_args__ = (
        CheckConstraint("kind IN ('allowance', 'offset', 'money')", name="instrument_kind"),
        CheckConstraint("unit IN ('t', 'fen')", name="instrument_unit"),
        CheckConstraint("(kind = 'money') = (unit = 'fen')", name="instrument_money_in_fen"),
        CheckConstraint("vintage_from <= vintage_to", name="instrument_vintage"),
        CheckConstraint("next_serial > 0", name="instrument_next_serial"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    code: str = Field(unique=True)
    scheme: str = Field(foreign_key="registry_scheme.scheme", index=True)
    kind: str
    unit: str = "t"
    vintage_from: int | None = None
    vintage_to: int | None = None
    serialised: bool
    next_serial: int = Field(default=1, sa_type=BigInteger)
    stem: str | None = Field(default=None, unique=True)
    programme: str | None = None
    project: str | None = Field(default=None, index=True)
    only_kinds: str | None = None
    source: str | None = None
    transaction_id: int | None = Field(default=None, foreign_key="registry_transaction.id", sa_type=_ID, index=True)


class Transaction(SQLModel, table=True):
    """One act, done or refused, under the id that its client gave it.

    body : the order as it was asked for, canonical JSON; code, message : why it was refused
    subject : code of the account, entity or scheme that the act is about; reverses : the transaction it undoes
    """

    __tablename__ = "registry_transaction"
    __table_args__ = (
        CheckConstraint("status IN ('done', 'failed')", name="transaction_status"),
        CheckConstraint("(status = 'failed') = (code IS NOT NULL)", name="transaction_code"),
        CheckConstraint("length(body_sha256) = 64", name="transaction_sha256"),
        CheckConstraint("length(client_id) BETWEEN 1 AND 128", name="transaction_client_id"),
        # C28: reversed once.
        Index(
            "transaction_reversed_once",
            "reverses",
            unique=True,
            sqlite_where=text("status = 'done' AND reverses IS NOT NULL"),
            postgresql_where=text("status = 'done' AND reverses IS NOT NULL"),
        ),
        # Movements, the most frequent acts, are about no one subject.
        Index(
            "transaction_subject",
            "subject",
            sqlite_where=text("subject IS NOT NULL"),
            postgresql_where=text("subject IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    client_id: str = Field(unique=True)
    kind: str
    scheme: str | None = Field(default=None, foreign_key="registry_scheme.scheme")
    subject: str | None = None
    at_us: int = Field(sa_type=BigInteger)
    actor: str
    status: str
    code: str | None = None
    message: str | None = None
    body: str
    body_sha256: str
    reverses: int | None = Field(default=None, foreign_key="registry_transaction.id", sa_type=_ID)


class Transfer(SQLModel, table=True):
    """One leg: units of one instrument from one account to another; so debits equal credits by construction.

    phase : posted at once, or reserved first and then settled or voided (`reserve_id` names the reserved leg)
    first_serial : first of the consecutive numbers asked for; null takes the lowest that are free
    reverses_id : the leg that this one undoes; reference : the id of an imported movement in its own register

    No foreign keys: the guards look up every row that a leg names before it enters, and no row of the log ever leaves,
    so that they would only prove the same a second time.
    """

    __tablename__ = "registry_transfer"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="transfer_quantity"),
        CheckConstraint("source_id <> target_id", name="transfer_two_accounts"),
        # Cheapest first: nearly every leg is posted, and these are looked at for every row of a large import.
        CheckConstraint(
            "phase = 'posted' OR phase = 'reserve' OR phase = 'settle' OR phase = 'void'", name="transfer_phase"
        ),
        CheckConstraint(
            "CASE phase WHEN 'posted' THEN reserve_id IS NULL WHEN 'reserve' THEN reserve_id IS NULL"
            " ELSE reserve_id IS NOT NULL END",
            name="transfer_names_reserve",
        ),
        CheckConstraint("(expires_at_us IS NOT NULL) = (phase = 'reserve')", name="transfer_expiry"),
        CheckConstraint("(kind = 'reverse') = (reverses_id IS NOT NULL)", name="transfer_names_original"),
        CheckConstraint("reverses_id IS NULL OR phase = 'posted'", name="transfer_reversal_posted"),
        _once("transfer_reserve_once", "reserve_id"),
        _once("transfer_reversed_once", "reverses_id"),
        Index("transfer_source", "source_id"),
        Index("transfer_target", "target_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    transaction_id: int = Field(sa_type=_ID, index=True)
    kind: str
    phase: str = "posted"
    source_id: int = Field(sa_type=_ID)
    target_id: int = Field(sa_type=_ID)
    instrument_id: int = Field(sa_type=_ID)
    quantity: int = Field(sa_type=BigInteger)
    first_serial: int | None = Field(default=None, sa_type=BigInteger)
    compliance_year: int | None = None
    at_us: int = Field(sa_type=BigInteger)
    expires_at_us: int | None = Field(default=None, sa_type=BigInteger)
    reserve_id: int | None = Field(default=None, sa_type=_ID)
    reverses_id: int | None = Field(default=None, sa_type=_ID)
    reference: str | None = None


class Piece(SQLModel, table=True):
    """The numbers that one leg took out of one block, and which block that was: the whole tree of splits."""

    __tablename__ = "registry_piece"
    __table_args__ = (
        CheckConstraint("parent_first <= serial_first AND serial_last <= parent_last", name="piece_within_parent"),
        CheckConstraint("serial_first <= serial_last AND serial_first > 0", name="piece_order"),
        Index("piece_serials", "instrument_id", "serial_first"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    transfer_id: int = Field(foreign_key="registry_transfer.id", sa_type=_ID, index=True)
    instrument_id: int = Field(foreign_key="registry_instrument.id", sa_type=_ID)
    serial_first: int = Field(sa_type=BigInteger)
    serial_last: int = Field(sa_type=BigInteger)
    parent_first: int = Field(sa_type=BigInteger)
    parent_last: int = Field(sa_type=BigInteger)


class Statement(SQLModel, table=True):
    """One figure of an account's compliance year: verified emissions, or the allocation as finally decided.

    The latest version whose transaction was not reversed counts.
    """

    __tablename__ = "registry_statement"
    __table_args__ = (
        CheckConstraint("kind IN ('verified', 'final_allocation')", name="statement_kind"),
        CheckConstraint("quantity_t >= 0", name="statement_quantity"),
        UniqueConstraint("account_id", "compliance_year", "kind", "version", name="statement_version"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    account_id: int = Field(foreign_key="registry_account.id", sa_type=_ID)
    compliance_year: int
    kind: str
    version: int
    quantity_t: int = Field(sa_type=BigInteger)
    source: str | None = None
    transaction_id: int = Field(foreign_key="registry_transaction.id", sa_type=_ID, index=True)


class Holding(SQLModel, table=True):
    """What an account holds of an instrument now, and how much of it is reserved. Kept by the guards alone.

    contra : the issuance account, whose quantity is minus what was issued; so each instrument adds up to zero.
    """

    __tablename__ = "registry_holding"
    __table_args__ = (
        CheckConstraint("reserved >= 0", name="holding_reserved"),
        CheckConstraint("quantity >= reserved OR contra", name="holding_covers_reserved"),
        Index("holding_instrument", "instrument_id"),
    )

    account_id: int = Field(primary_key=True, foreign_key="registry_account.id", sa_type=_ID)
    instrument_id: int = Field(primary_key=True, foreign_key="registry_instrument.id", sa_type=_ID)
    quantity: int = Field(default=0, sa_type=BigInteger)
    reserved: int = Field(default=0, sa_type=BigInteger)
    contra: bool = False


class Block(SQLModel, table=True):
    """A run of numbers that one account holds now; reserve_id names the leg that reserved it. Kept by the guards."""

    __tablename__ = "registry_block"
    __table_args__ = (
        CheckConstraint("serial_first <= serial_last AND serial_first > 0", name="block_order"),
        Index("block_account", "account_id", "instrument_id", "serial_first"),
        Index("block_reserve", "reserve_id"),
    )

    instrument_id: int = Field(primary_key=True, foreign_key="registry_instrument.id", sa_type=_ID)
    serial_first: int = Field(primary_key=True, sa_type=BigInteger)
    serial_last: int = Field(sa_type=BigInteger)
    account_id: int = Field(foreign_key="registry_account.id", sa_type=_ID)
    reserve_id: int | None = Field(default=None, foreign_key="registry_transfer.id", sa_type=_ID)


class Seal(SQLModel, table=True):
    """One link of the hash chain: what it covers, and the digest over the link before and every row covered.

    covers : JSON, for each table of the log its first and last id and the number of rows
    locators : eight bytes a row in the same order, so that a broken link can name the first row that differs
    """

    __tablename__ = "registry_seal"
    __table_args__ = (
        CheckConstraint("length(sha256) = 64 AND length(previous_sha256) = 64", name="seal_sha256"),
        UniqueConstraint("previous_sha256", name="seal_no_fork"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    previous_sha256: str
    sha256: str
    sealed_at_us: int = Field(sa_type=BigInteger)
    covers: str
    locators: bytes = Field(sa_type=LargeBinary)
