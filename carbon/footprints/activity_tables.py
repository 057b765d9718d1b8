"""The SQL table of activities that the user has loaded.

Knows columns, keys and CHECK constraints, for SQLite and PostgreSQL alike. Must not know files or rules beyond one row.
Rows are only ever added: a correction is a new row that names the one it replaces, and each row is replaced once at
most.
"""

from datetime import date

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from carbon.footprints.activities import REPORTED
from carbon.footprints.schemas import DISTRIBUTIONS, EVIDENCE, METHODS, SCOPE_1, SCOPE_2, SCOPE_3

__all__ = ["FootprintActivity"]


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


class FootprintActivity(SQLModel, table=True):
    """One activity, as `carbon.footprints.schemas.activities_schema` says; content is the SHA-256 of what it says."""

    __tablename__ = "carbon_footprint_activity"
    __table_args__ = (
        # Each branch is true or false, never unknown: a check that is unknown lets a row pass.
        CheckConstraint(
            f"(category IS NULL AND activity = '{REPORTED}' AND scope IN (1, 2, 3)) OR (category IS NOT NULL AND ("
            f"(scope = 1 AND {_one_of('category', SCOPE_1)}) OR (scope = 2 AND {_one_of('category', SCOPE_2)}) "
            f"OR (scope = 3 AND {_one_of('category', SCOPE_3)})))",
            name="footprint_activity_category",
        ),
        CheckConstraint(
            "(amount >= 0 AND NOT credit_note) OR (amount < 0 AND credit_note)", name="footprint_activity_sign"
        ),
        CheckConstraint("share >= 0 AND share <= 1", name="footprint_activity_share"),
        CheckConstraint("lower <= amount", name="footprint_activity_lower"),
        CheckConstraint("amount <= upper", name="footprint_activity_upper"),
        CheckConstraint("first_day <= last_day", name="footprint_activity_days"),
        CheckConstraint("recorded >= first_day", name="footprint_activity_recorded"),
        CheckConstraint(f"method IS NULL OR (scope = 2 AND {_one_of('method', METHODS)})", name="footprint_method"),
        CheckConstraint(f"evidence IS NULL OR {_one_of('evidence', EVIDENCE)}", name="footprint_activity_evidence"),
        CheckConstraint(
            f"distribution IS NULL OR {_one_of('distribution', DISTRIBUTIONS)}", name="footprint_activity_distribution"
        ),
        CheckConstraint("replaces <> activity_id", name="footprint_activity_replaces"),
        CheckConstraint("length(content) = 64", name="footprint_activity_content"),
    )

    activity_id: str = Field(primary_key=True)
    entity: str = Field(index=True)
    share: float
    hub: str | None = None
    sector: str | None = None
    period: str
    first_day: date
    last_day: date
    scope: int
    category: str | None = None
    activity: str
    amount: float
    unit: str
    credit_note: bool
    lower: float | None = None
    upper: float | None = None
    distribution: str | None = None
    region: str | None = None
    method: str | None = None
    factor_id: str | None = None
    series: str | None = None
    contract: str | None = None
    evidence: str | None = None
    evidence_ref: str | None = None
    verified: bool | None = None
    platform: str | None = Field(default=None, index=True)
    recorded: date | None = Field(default=None, index=True)
    replaces: str | None = Field(default=None, unique=True, foreign_key="carbon_footprint_activity.activity_id")
    file: str
    row: int | None = None
    content: str
