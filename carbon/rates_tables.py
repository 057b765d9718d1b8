"""The SQL table of rates of exchange that the user has loaded.

Knows columns, keys and CHECK constraints, for SQLite and PostgreSQL alike. Must not know any file format. A rate is
written once and never changed: another one for the same day, currency and source is a conflict.
"""

from datetime import date

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

__all__ = ["FxRate"]


class FxRate(SQLModel, table=True):
    """One currency, day and source. per_eur, per_usd: EUR and USD for one unit of the currency, null: not printed."""

    __tablename__ = "carbon_fx_rate"
    __table_args__ = (
        CheckConstraint("length(currency) = 3", name="fx_rate_currency"),
        CheckConstraint("per_eur > 0", name="fx_rate_per_eur"),
        CheckConstraint("per_usd > 0", name="fx_rate_per_usd"),
        CheckConstraint("per_eur IS NOT NULL OR per_usd IS NOT NULL", name="fx_rate_given"),
        CheckConstraint("length(sha256) = 64", name="fx_rate_sha256"),
    )

    currency: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    source: str = Field(primary_key=True)
    per_eur: float | None = None
    per_usd: float | None = None
    file: str
    sha256: str
