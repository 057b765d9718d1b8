"""The SQL tables of calculated footprints: each run as it was, never changed.

Knows columns, keys and CHECK constraints, for SQLite and PostgreSQL alike. Must not know formulas. A run is written
once and whole; a later run that knows better names the one it supersedes, which stays as it was.
"""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary
from sqlmodel import Field, SQLModel

__all__ = ["FootprintRun", "FootprintRunPart"]

_ID = BigInteger().with_variant(Integer, "sqlite")


class FootprintRun(SQLModel, table=True):
    """One calculation. id : SHA-256 of everything it was made from, so that the same inputs are the same run.

    number : order of arrival; created_us : microseconds since 1970-01-01 UTC
    entity, year : what was asked for, null is all; the newest run answers for what it covers
    gwp_set, rules_version, as_of, methods : the terms; approach : rows (the share that each row gives), equity,
    operational or financial, of the reporting company
    activities_sha256, factors_sha256, ownership_sha256 : of the rows that went in; result_sha256 : of the sha256 of all
    parts of lines and factors, in order, and of what was left out, without the place where it was found
    activities : how many were asked for; lines, left_out : how many rows came out
    kind : calculate or recompute; supersedes : the run that this one puts right; since : day from which new factors
    were looked at
    """

    __tablename__ = "carbon_footprint_run"
    __table_args__ = (
        CheckConstraint("length(id) = 64", name="footprint_run_id"),
        CheckConstraint("kind IN ('calculate', 'recompute')", name="footprint_run_kind"),
        CheckConstraint("(kind = 'recompute') = (supersedes IS NOT NULL)", name="footprint_run_supersedes"),
        CheckConstraint("approach IN ('rows', 'equity', 'operational', 'financial')", name="footprint_run_approach"),
        CheckConstraint("(approach = 'rows') = (company IS NULL)", name="footprint_run_company"),
        CheckConstraint("activities >= 0 AND lines >= 0 AND left_out >= 0", name="footprint_run_counts"),
        {"sqlite_autoincrement": True},
    )

    number: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    id: str = Field(unique=True)
    created_us: int = Field(sa_type=BigInteger)
    kind: str
    supersedes: str | None = Field(default=None, foreign_key="carbon_footprint_run.id")
    since: date | None = None
    entity: str | None = None
    year: int | None = None
    gwp_set: str
    rules_version: str
    as_of: date | None = None
    methods: str
    approach: str
    company: str | None = None
    activities_sha256: str
    factors_sha256: str
    ownership_sha256: str | None = None
    result_sha256: str
    activities: int
    lines: int
    left_out: int


class FootprintRunPart(SQLModel, table=True):
    """One part of a frame of a run, as Parquet: name (lines, left_out, factors), part from 0.

    factors : the rows of every factor that the lines name, as the run saw them.
    """

    __tablename__ = "carbon_footprint_run_part"
    __table_args__ = (
        CheckConstraint("name IN ('lines', 'left_out', 'factors')", name="footprint_run_part_name"),
        CheckConstraint("part >= 0 AND height >= 0", name="footprint_run_part_counts"),
        CheckConstraint("length(sha256) = 64", name="footprint_run_part_sha256"),
        Index("footprint_run_part_once", "run", "name", "part", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ID)
    run: str = Field(foreign_key="carbon_footprint_run.id")
    name: str
    part: int
    height: int
    sha256: str
    content: bytes = Field(sa_type=LargeBinary)
