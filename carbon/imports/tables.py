"""The SQL tables of outside registers: what their files say that is no fact of the ledger itself.

Knows columns, keys and CHECK constraints. Must not know any file format. Both are append-only like the log: a newer
file adds rows under a transaction of its own and never changes older ones.
"""

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

__all__ = ["KeptTable", "RegistryCompliance"]

_ID = BigInteger().with_variant(Integer, "sqlite")


class RegistryCompliance(SQLModel, table=True):
    """One year of one account or installation of an outside register, as printed there; tonnes, null: not printed.

    party : the register's own number of the account (EU) or installation (UK)
    allocated_t : free allocation; allocated_second_t, allocated_third_t : further figures of the allocation (EU: of
    Article 10c and of the new entrants' reserve; UK: of the new entrants' reserve); allocated_note : that cell as text
    printed_code : the compliance code as published; the derived one is never stored (`compliance_view`)
    row : place in the file, from 1 or as a spreadsheet counts
    Of several imports, the row with the highest transaction_id counts.
    """

    __tablename__ = "registry_compliance"
    __table_args__ = (
        CheckConstraint(
            "coalesce(allocated_t, 0) >= 0 AND coalesce(allocated_second_t, 0) >= 0"
            " AND coalesce(allocated_third_t, 0) >= 0 AND coalesce(verified_t, 0) >= 0"
            " AND coalesce(surrendered_t, 0) >= 0",
            name="compliance_tonnes",
        ),
        UniqueConstraint("scheme", "party", "year", "transaction_id", name="compliance_once"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    scheme: str = Field(foreign_key="registry_scheme.scheme")
    party: str
    year: int
    allocated_t: int | None = Field(default=None, sa_type=BigInteger)
    allocated_second_t: int | None = Field(default=None, sa_type=BigInteger)
    allocated_third_t: int | None = Field(default=None, sa_type=BigInteger)
    allocated_note: str | None = None
    verified_t: int | None = Field(default=None, sa_type=BigInteger)
    verified_status: str | None = None
    surrendered_t: int | None = Field(default=None, sa_type=BigInteger)
    printed_code: str | None = None
    row: int | None = None
    transaction_id: int = Field(foreign_key="registry_transaction.id", sa_type=_ID, index=True)


class KeptTable(SQLModel, table=True):
    """One table of an imported file, kept whole beside the ledger so that it can be given back value by value.

    name : of the table, after the kind of table ("tables/account", "extras/transaction", "holders/accounts")
    part : from 0; a large table is kept in parts of bounded size
    content : the part as Parquet; sha256 : of the content, also written in the body of the transaction
    """

    __tablename__ = "registry_kept_table"
    __table_args__ = (
        CheckConstraint("length(sha256) = 64", name="kept_sha256"),
        CheckConstraint("part >= 0 AND height >= 0", name="kept_counts"),
        Index("kept_once", "transaction_id", "name", "part", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    name: str
    part: int
    height: int
    sha256: str
    content: bytes = Field(sa_type=LargeBinary)
    transaction_id: int = Field(foreign_key="registry_transaction.id", sa_type=_ID)
