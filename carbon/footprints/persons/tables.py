"""The SQL tables of personal carbon accounts, for SQLite and PostgreSQL alike, and the guards that keep them.

Knows columns, keys, CHECK constraints and triggers. Must not know how anything is computed. Three kinds of tables:

* **kept for ever**: Platform, Method, Claim, Certification; the guards refuse every change and removal;
* **a person's own**: Account, Consent, Entry, Share. Rows are only added. They leave only while the account stands in
  Erasing, which lasts as long as the transaction that erases it;
* **sums without persons**: Erased, ErasedShare, ErasedAccount hold what was erased, added up, so that totals stay.

A person is an HMAC of the platform's own id under a salt that is not in the database. An account id is random, so that
nothing that was erased can be computed again. Masses are whole grams; times microseconds since 1970-01-01 UTC.
"""

from datetime import date
from typing import Any, Final

from sqlalchemy import DDL, BigInteger, CheckConstraint, Index, Integer, Table, UniqueConstraint, event
from sqlmodel import Field, SQLModel

__all__ = [
    "Account",
    "Certification",
    "Claim",
    "Consent",
    "Entry",
    "Erased",
    "ErasedAccount",
    "ErasedShare",
    "Erasing",
    "Method",
    "Platform",
    "Share",
]

_ID = BigInteger().with_variant(Integer, "sqlite")
_HEX: Final = "length({0}) = 64"


class Platform(SQLModel, table=True):
    """Who runs an app: its city, and the ledger account that its credits are issued to (null where it certifies none).

    salt_check, claims_check : prove that the salts are still the same ones; neither salt can be found from them
    """

    __tablename__ = "person_platform"
    __table_args__ = (
        CheckConstraint("(scheme IS NULL) = (ledger_account IS NULL)", name="person_platform_account"),
        CheckConstraint("(scheme IS NULL) = (instrument IS NULL)", name="person_platform_instrument"),
    )

    platform: str = Field(primary_key=True)
    name: str
    scheme: str | None = Field(default=None, foreign_key="registry_scheme.scheme")
    ledger_account: str | None = None
    instrument: str | None = None
    salt_check: str
    claims_check: str
    at_us: int = Field(sa_type=BigInteger)


class Method(SQLModel, table=True):
    """One dated row of a methodology that the user loaded; the embedded ones stand in `personal_methods.csv`.

    baseline_ug, activity_ug : micrograms of CO2e per unit; cap_day_g, cap_year_g : a person's most, null without cap
    """

    __tablename__ = "person_method"
    __table_args__ = (
        CheckConstraint("baseline_ug >= 0 AND activity_ug >= 0", name="person_method_factors"),
        CheckConstraint("cap_day_g >= 0", name="person_method_day"),
        CheckConstraint("cap_year_g >= 0", name="person_method_year"),
        CheckConstraint("valid_from <= valid_to", name="person_method_dates"),
        CheckConstraint("confidence IN ('H', 'M', 'L')", name="person_method_confidence"),
    )

    method: str = Field(primary_key=True)
    valid_from: date = Field(primary_key=True)
    valid_to: date | None = None
    activity: str
    baseline_ug: int = Field(sa_type=BigInteger)
    activity_ug: int = Field(sa_type=BigInteger)
    unit: str
    cap_day_g: int | None = Field(default=None, sa_type=BigInteger)
    cap_year_g: int | None = Field(default=None, sa_type=BigInteger)
    region: str | None = None
    source: str
    published: date | None = None
    confidence: str
    name_zh: str
    name_en: str
    remark: str | None = None
    at_us: int = Field(sa_type=BigInteger)


class Account(SQLModel, table=True):
    """One person on one platform. account : random; person_sha256 : the salted hash of the platform's id."""

    __tablename__ = "person_account"
    __table_args__ = (CheckConstraint(_HEX.format("person_sha256"), name="person_account_hash"),)

    account: str = Field(primary_key=True)
    platform: str = Field(foreign_key="person_platform.platform", index=True)
    person_sha256: str = Field(unique=True)
    hub: str = Field(index=True)
    opened: date
    at_us: int = Field(sa_type=BigInteger)


class Consent(SQLModel, table=True):
    """Consent given or withdrawn from a day on, for one purpose and one method, or `*` for all of them.

    In force on a day is the row recorded last among those that begin on or before it.
    """

    __tablename__ = "person_consent"
    __table_args__ = (
        CheckConstraint("event IN ('given', 'withdrawn')", name="person_consent_event"),
        CheckConstraint("purpose IN ('record', 'certify')", name="person_consent_purpose"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    account: str = Field(foreign_key="person_account.account", index=True)
    event: str
    purpose: str
    method: str
    day: date
    at_us: int = Field(sa_type=BigInteger)


class Claim(SQLModel, table=True):
    """That one trip, kWh or act was claimed, and through whom. Never says for whom, so that it outlives an erasure."""

    __tablename__ = "person_claim"
    __table_args__ = (CheckConstraint(_HEX.format("claim_sha256"), name="person_claim_hash"),)

    claim_sha256: str = Field(primary_key=True)
    platform: str = Field(foreign_key="person_platform.platform")


class Entry(SQLModel, table=True):
    """One reduction of one person: reduction_g by the formula, credited_g of it within the caps.

    amount_milli : thousandths of the unit; certifiable : the method's figures are known well enough to issue credits
    """

    __tablename__ = "person_entry"
    __table_args__ = (
        CheckConstraint("amount_milli > 0", name="person_entry_amount"),
        CheckConstraint("credited_g >= 0 AND credited_g <= reduction_g", name="person_entry_credited"),
        Index("person_entry_account", "account", "day"),
        Index("person_entry_platform", "platform", "day"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    account: str = Field(foreign_key="person_account.account")
    claim_sha256: str = Field(unique=True, foreign_key="person_claim.claim_sha256")
    platform: str
    hub: str
    day: date
    method: str
    valid_from: date
    amount_milli: int = Field(sa_type=BigInteger)
    reduction_g: int = Field(sa_type=BigInteger)
    credited_g: int = Field(sa_type=BigInteger)
    certifiable: bool
    at_us: int = Field(sa_type=BigInteger)


class Certification(SQLModel, table=True):
    """Whole tonnes that were made of persons' grams and issued in the ledger under the same client's id."""

    __tablename__ = "person_certification"
    __table_args__ = (
        CheckConstraint("tonnes > 0", name="person_certification_tonnes"),
        CheckConstraint("rule IN ('fifo', 'pro_rata')", name="person_certification_rule"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    client_id: str = Field(unique=True)
    platform: str = Field(foreign_key="person_platform.platform", index=True)
    tonnes: int = Field(sa_type=BigInteger)
    rule: str
    day: date
    transaction_id: int = Field(foreign_key="registry_transaction.id", sa_type=_ID)
    at_us: int = Field(sa_type=BigInteger)


class Share(SQLModel, table=True):
    """The grams of one entry that went into one certification."""

    __tablename__ = "person_share"
    __table_args__ = (CheckConstraint("grams > 0", name="person_share_grams"),)

    certification_id: int = Field(primary_key=True, foreign_key="person_certification.id", sa_type=_ID)
    entry_id: int = Field(primary_key=True, foreign_key="person_entry.id", sa_type=_ID, index=True)
    grams: int = Field(sa_type=BigInteger)


class Erasing(SQLModel, table=True):
    """The account that the running transaction erases; empty at the end of every transaction."""

    __tablename__ = "person_erasing"

    account: str = Field(primary_key=True)


class Erased(SQLModel, table=True):
    """What erased accounts had, added up by platform, city, month and method."""

    __tablename__ = "person_erased"
    __table_args__ = (
        UniqueConstraint("platform", "hub", "month", "method", name="person_erased_place"),
        CheckConstraint("certified_g >= 0 AND certified_g <= credited_g", name="person_erased_certified"),
        CheckConstraint("credited_g <= reduction_g", name="person_erased_credited"),
    )

    platform: str = Field(primary_key=True, foreign_key="person_platform.platform")
    hub: str = Field(primary_key=True)
    month: str = Field(primary_key=True)
    method: str = Field(primary_key=True)
    entries: int = Field(sa_type=BigInteger)
    reduction_g: int = Field(sa_type=BigInteger)
    credited_g: int = Field(sa_type=BigInteger)
    certified_g: int = Field(sa_type=BigInteger)


class ErasedShare(SQLModel, table=True):
    """The grams of erased accounts in one certification, added up."""

    __tablename__ = "person_erased_share"

    certification_id: int = Field(primary_key=True, foreign_key="person_certification.id", sa_type=_ID)
    grams: int = Field(sa_type=BigInteger)


class ErasedAccount(SQLModel, table=True):
    """How many accounts were opened in one month and erased in another."""

    __tablename__ = "person_erased_account"

    platform: str = Field(primary_key=True, foreign_key="person_platform.platform")
    hub: str = Field(primary_key=True)
    opened_month: str = Field(primary_key=True)
    erased_month: str = Field(primary_key=True)
    accounts: int = Field(sa_type=BigInteger)


_NO_UPDATE: Final = (Platform, Method, Account, Consent, Claim, Entry, Certification, Share)
_NO_DELETE: Final = (Platform, Method, Claim, Certification, Erased, ErasedShare, ErasedAccount)
_OWNER: Final = {
    Account: "OLD.account",
    Consent: "OLD.account",
    Entry: "OLD.account",
    Share: "(SELECT account FROM person_entry WHERE id = OLD.entry_id)",
}
_REFUSE: Final = (
    "CREATE OR REPLACE FUNCTION person_refuse() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION '%% only ever grows', TG_TABLE_NAME; END $$"
)
_LEAVE: Final = (
    "CREATE OR REPLACE FUNCTION {name}_leave() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF NOT EXISTS (SELECT 1 FROM person_erasing WHERE account = {owner}) THEN"
    " RAISE EXCEPTION '{name} leaves only by an erasure'; END IF; RETURN OLD; END $$"
)


def _guards(table: type[SQLModel]) -> "list[tuple[str, str]]":
    """The triggers of one table: database, statement."""
    name = str(table.__tablename__)
    made = []
    for action, kept in (("UPDATE", _NO_UPDATE), ("DELETE", _NO_DELETE)):
        if table in kept:
            head = f"CREATE TRIGGER {name}_no_{action.lower()} BEFORE {action} ON {name}"
            refuse = f"BEGIN SELECT RAISE(ABORT, '{name} only ever grows'); END"
            made.append(("sqlite", f"{head} {refuse}"))
            made.append(("postgresql", _REFUSE))
            made.append(("postgresql", f"{head} FOR EACH ROW EXECUTE FUNCTION person_refuse()"))
    if table in _OWNER:
        head = f"CREATE TRIGGER {name}_leave BEFORE DELETE ON {name}"
        outside = f"NOT EXISTS (SELECT 1 FROM person_erasing WHERE account = {_OWNER[table]})"  # noqa: S608
        refuse = f"BEGIN SELECT RAISE(ABORT, '{name} leaves only by an erasure'); END"
        made.append(("sqlite", f"{head} WHEN {outside} {refuse}"))
        made.append(("postgresql", _LEAVE.format(name=name, owner=_OWNER[table])))
        made.append(("postgresql", f"{head} FOR EACH ROW EXECUTE FUNCTION {name}_leave()"))
    return made


def _listen(table: type[SQLModel]) -> None:
    made: Any = table
    place: Table = made.__table__
    for database, statement in _guards(table):
        ddl: Any = DDL
        event.listen(place, "after_create", ddl(statement).execute_if(dialect=database))


for _table in (*_NO_UPDATE, Erased, ErasedShare, ErasedAccount):
    _listen(_table)
