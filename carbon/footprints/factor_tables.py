"""Factors in SQL: the user's own, kept once and never changed, beside those that ship with the package.

Knows columns, keys and CHECK constraints, for SQLite and PostgreSQL alike, and what makes storing safe to repeat. Must
not know file layouts or how a factor is chosen. A correction is a new row that names the one it replaces.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from carbon.errors import Problem
from carbon.footprints.schemas import CONFIDENCES, DISTRIBUTIONS, METHODS, PARAMETERS, factors_schema

if TYPE_CHECKING:
    import polars as pl
    from sqlmodel import Session

__all__ = ["FactorsReport", "FootprintFactor", "all_factors", "store_factors", "user_factors"]

_NOT_CONTENT: Final = ("recorded",)
"""Loading the same file on another day says nothing new."""


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IS NULL OR {column} IN ({', '.join(repr(word) for word in words)})"


class FootprintFactor(SQLModel, table=True):
    """One factor, as `carbon.footprints.schemas.factors_schema` says; content is the SHA-256 of what it says."""

    __tablename__ = "carbon_footprint_factor"
    __table_args__ = (
        CheckConstraint(_one_of("parameter", PARAMETERS), name="footprint_factor_parameter"),
        CheckConstraint(_one_of("method", METHODS), name="footprint_factor_method"),
        CheckConstraint(_one_of("distribution", DISTRIBUTIONS), name="footprint_factor_distribution"),
        CheckConstraint(_one_of("confidence", CONFIDENCES), name="footprint_factor_confidence"),
        CheckConstraint("value >= 0", name="footprint_factor_value"),
        CheckConstraint("lower <= value", name="footprint_factor_lower"),
        CheckConstraint("value <= upper", name="footprint_factor_upper"),
        CheckConstraint("valid_from <= valid_to", name="footprint_factor_days"),
        CheckConstraint("replaces <> factor_id", name="footprint_factor_replaces"),
        CheckConstraint("length(content) = 64", name="footprint_factor_content"),
    )

    factor_id: str = Field(primary_key=True)
    activity: str = Field(index=True)
    kind: str
    parameter: str
    gas: str | None = None
    value: float
    numerator: str
    denominator: str
    region: str
    valid_from: date | None = None
    valid_to: date | None = None
    series: str
    method: str | None = None
    biogenic: bool
    lower: float | None = None
    upper: float | None = None
    distribution: str | None = None
    source: str
    published: date | None = None
    recorded: date | None = None
    replaces: str | None = Field(default=None, unique=True)
    confidence: str | None = None
    assumed: bool
    name_zh: str | None = None
    name_en: str | None = None
    remark: str | None = None
    content: str


@dataclass(frozen=True)
class FactorsReport:
    """What became of rows: given = new + already_loaded + refused; problems name the factors refused."""

    given: int
    new: int
    already_loaded: int
    refused: int
    problems: tuple[Problem, ...]


def user_factors(session: "Session") -> "pl.DataFrame":
    """The factors that the user has loaded, corrected ones too, in `factors_schema`, ascending by factor_id."""
    return _stored(session).drop("content")


def all_factors(session: "Session") -> "pl.DataFrame":
    """The embedded factors and the user's, in `factors_schema`, ascending by factor_id."""
    import polars as pl

    from carbon.footprints.factors import embedded_factors

    return pl.concat([embedded_factors(), user_factors(session)]).sort("factor_id")


def store_factors(session: "Session", rows: "pl.DataFrame", file: str) -> FactorsReport:
    """Keep the factors that are not stored yet, and commit (one transaction).

    rows : `factors_schema`, checked row by row (`carbon.footprints.factor_files.read_factors`); file : for problems
    The same factor again changes nothing. Refused: an id that is stored or embedded with other content
    (`already_loaded_otherwise`), a correction of a factor that nobody knows (`unknown_replaced`) or that another one
    has corrected before (`replaced_before`), and a correction of a refused one.
    """
    import polars as pl
    from sqlmodel import insert

    from carbon.footprints.factors import embedded_factors

    stored = _stored(session)
    embedded = embedded_factors()
    known = pl.concat([stored, embedded.with_columns(content=_contents(embedded))])
    given = rows.with_columns(content=_contents(rows))
    beside = given.join(known.select("factor_id", known_content="content"), on="factor_id", how="left")
    already = beside.filter(pl.col("content") == pl.col("known_content"))
    unlike = beside.filter(pl.col("content") != pl.col("known_content"))["factor_id"]
    fresh = beside.filter(pl.col("known_content").is_null()).select(given.columns)
    wrong = _wrong_corrections(fresh, known)
    good = fresh.filter(~pl.col("factor_id").is_in(wrong["factor_id"].implode()))
    try:
        if not good.is_empty():
            session.exec(insert(FootprintFactor), params=good.to_dicts())
        session.commit()
    except Exception:
        session.rollback()
        raise
    expected = "the factor that is there, or a factor_id of its own that names the old one in `replaces`"
    problems = [
        *(
            Problem(
                file, None, "factor_id", f"{name} with other figures", expected, "already_loaded_otherwise", "error"
            )
            for name in unlike
        ),
        *(
            Problem(file, None, "replaces", f"{replaces} in {name}", "a known factor, replaced once", code, "error")
            for name, replaces, code in wrong.iter_rows()
        ),
    ]
    refused = rows.height - good.height - already.height
    return FactorsReport(rows.height, good.height, already.height, refused, tuple(problems))


def _wrong_corrections(fresh: "pl.DataFrame", known: "pl.DataFrame") -> "pl.DataFrame":
    """factor_id, replaces, code of the corrections that cannot stand, and of those that correct such a one."""
    import polars as pl

    named = fresh.drop_nulls("replaces").select("factor_id", "replaces")
    twice = pl.col("replaces").is_in(known["replaces"].drop_nulls().implode()) | ~pl.col("replaces").is_first_distinct()
    wrong = named.filter(twice).with_columns(code=pl.lit("replaced_before"))
    while True:
        lost = pl.concat([known["factor_id"], fresh["factor_id"]]).filter(
            ~pl.concat([known["factor_id"], fresh["factor_id"]]).is_in(wrong["factor_id"].implode())
        )
        more = named.filter(
            ~pl.col("replaces").is_in(lost.implode()) & ~pl.col("factor_id").is_in(wrong["factor_id"].implode())
        )
        if more.is_empty():
            return wrong
        wrong = pl.concat([wrong, more.with_columns(code=pl.lit("unknown_replaced"))])


def _stored(session: "Session") -> "pl.DataFrame":
    import polars as pl
    from sqlmodel import col, select

    schema = {**factors_schema(), "content": pl.String}
    found = session.exec(select(FootprintFactor).order_by(col(FootprintFactor.factor_id)))
    rows = pl.DataFrame([tuple(getattr(row, name) for name in schema) for row in found], schema=schema, orient="row")
    # A database may sort names by its own rules.
    return rows.sort("factor_id")


def _contents(rows: "pl.DataFrame") -> "pl.Series":
    """SHA-256 of what each factor says, apart from the day on which it was recorded."""
    import polars as pl

    said = rows.select(name for name in factors_schema() if name not in _NOT_CONTENT)
    texts = said.select(pl.struct(pl.all()).struct.json_encode().alias("text"))["text"]
    return pl.Series("content", [hashlib.sha256(text.encode()).hexdigest() for text in texts], dtype=pl.String)
