"""Editions: results frozen for good, with all that is needed to name and repeat them.

Knows the tables of editions and how to write and read them. An edition is never changed: the same inputs give the
same id and the same bytes, and the database refuses updates and deletions. Knows no HTTP and no clock.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Final

import polars as pl
from sqlalchemy import DDL, event
from sqlalchemy.schema import ExecutableDDLElement
from sqlmodel import Field, Session, SQLModel, col, insert, select

from fhi.frames import SCORE_SCHEMA
from fhi.framework import Framework
from fhi.notes import Note
from fhi.panel import PANEL_SCHEMA
from fhi.weigh import WEIGHT_SCHEMA
from green_index.errors import ChangedEdition, UnknownEdition
from green_index.index import GreenResult

DECIMALS: Final = 10
"""Digits kept of computed scores: beyond them, linear-algebra libraries of two machines may differ."""

INPUT_SCHEMA: Final = pl.Schema(
    {**PANEL_SCHEMA, "normalised": pl.Float64(), "weight": pl.Float64(), "points": pl.Float64()}
)


class Edition(SQLModel, table=True):
    """One frozen run. `content_hash` is the SHA-256 of its scores, inputs, weights and notes."""

    __tablename__ = "edition"
    id: str = Field(primary_key=True)
    base: str = Field(index=True)
    bounds: str
    first_period: str
    last_period: str
    framework: str
    framework_hash: str
    framework_json: str
    recipe_hash: str
    recipe_json: str
    data_version: str
    seed: int
    engine: str
    notes_json: str
    content_hash: str


class EditionScore(SQLModel, table=True):
    """Score of one group in one hub and period; null score and rank with a reason where not ranked."""

    __tablename__ = "edition_score"
    edition: str = Field(primary_key=True, foreign_key="edition.id")
    period: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    hub: str = Field(primary_key=True)
    level: int
    score: float | None
    rank: int | None
    ranked: int
    coverage: float
    reason: str | None


class EditionInput(SQLModel, table=True):
    """One figure behind an edition: raw value, normalised score, weight in the hub's total, points brought."""

    __tablename__ = "edition_input"
    edition: str = Field(primary_key=True, foreign_key="edition.id")
    period: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    hub: str = Field(primary_key=True)
    value: float | None
    unit: str
    status: str
    source: str
    normalised: float | None
    weight: float | None
    points: float | None


class EditionWeight(SQLModel, table=True):
    """Stated weight of a child in its group, by which method, and how consistent or adequate the ground for it is."""

    __tablename__ = "edition_weight"
    edition: str = Field(primary_key=True, foreign_key="edition.id")
    group: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    weight: float | None
    method: str
    assumed: bool
    consistency_ratio: float | None
    random_index: str | None
    kmo: float | None
    bartlett_chi_square: float | None
    bartlett_df: int | None


_TABLES: Final = (Edition, EditionScore, EditionInput, EditionWeight)


def _ddl(statement: str) -> ExecutableDDLElement:
    element: ExecutableDDLElement = DDL(statement)  # type: ignore[no-untyped-call]
    return element


def _forbid_changes(table: str) -> None:
    """Let the database itself refuse to change or delete rows of an edition."""
    target = SQLModel.metadata.tables[table]
    for verb in ("UPDATE", "DELETE"):
        name = f"{table}_no_{verb.lower()}"
        sqlite = (
            f"CREATE TRIGGER {name} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, 'editions are immutable'); END"
        )
        event.listen(target, "after_create", _ddl(sqlite).execute_if(dialect="sqlite"))
    function = (
        f"CREATE OR REPLACE FUNCTION {table}_is_immutable() RETURNS trigger AS $$ "
        "BEGIN RAISE EXCEPTION 'editions are immutable'; END $$ LANGUAGE plpgsql"
    )
    trigger = (
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_is_immutable()"
    )
    for statement in (function, trigger):
        event.listen(target, "after_create", _ddl(statement).execute_if(dialect="postgresql"))


for _table in _TABLES:
    _forbid_changes(str(_table.__tablename__))


@dataclass(frozen=True)
class EditionContent:
    """What an edition holds, whether just built or read back: the same frames either way.

    scores: SCORE_SCHEMA, the groups that any hub has a score of (an indicator's score is `normalised` of its input);
    inputs: INPUT_SCHEMA;
    weights: WEIGHT_SCHEMA. provenance: what it was made from.
    """

    id: str
    framework: Framework
    provenance: dict[str, Any]
    notes: tuple[Note, ...]
    scores: pl.DataFrame
    inputs: pl.DataFrame
    weights: pl.DataFrame


def edition_id(provenance: dict[str, Any]) -> str:
    """The name of the edition that these inputs make: base, bounds and twelve digits of their hash."""
    text = json.dumps(provenance, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{provenance['base']}-{provenance['bounds']}-{digest}"


def freeze(result: GreenResult, engine: str) -> EditionContent:
    """A result as the content of an edition, rows in their one order and scores at DECIMALS digits.

    engine: name and version of the software that computed it; part of the provenance, so that a later version never
    passes off its own figures under an old id.
    """
    index = result.index
    provenance = edition_provenance(result.base, index.provenance, index.recipe.normalise.bounds, engine)
    scored = pl.col("score").is_not_null().any().over("code") | (pl.col("code") == index.framework.root)
    scores = index.scores.filter(pl.col("code").is_in(list(index.framework.children)) & scored)
    scores = scores.sort("period", "code", "hub")
    inputs = index.inputs.select(INPUT_SCHEMA.names()).sort("period", "code", "hub")
    return EditionContent(
        id=edition_id(provenance),
        framework=index.framework,
        provenance={**provenance, "recipe": json.loads(index.recipe.model_dump_json())},
        notes=result.notes,
        scores=scores.with_columns(pl.col("score", "coverage").round(DECIMALS)),
        inputs=inputs.with_columns(pl.col("normalised", "weight", "points").round(DECIMALS)),
        weights=index.weights.with_columns(
            pl.col("weight", "consistency_ratio", "kmo", "bartlett_chi_square").round(DECIMALS)
        ).sort("group", "code"),
    )


def edition_provenance(base: str, made_from: Any, bounds: str, engine: str) -> dict[str, Any]:
    """Base, bounds and engine beside the hashes of `fhi.index.provenance`."""
    return {"base": base, "bounds": bounds, "engine": engine, **made_from}


def content_hash(content: EditionContent) -> str:
    """SHA-256 over the rows of scores, inputs and weights and the notes: equal bytes, equal hash."""
    digest = hashlib.sha256()
    for frame in (content.scores, content.inputs, content.weights):
        digest.update(frame.write_csv().encode())
    digest.update(_notes_json(content.notes).encode())
    return digest.hexdigest()


def save_edition(session: Session, content: EditionContent) -> str:
    """Store an edition once, in one transaction that the caller commits; the same edition again changes nothing.

    Returns its id. Raises ChangedEdition where the id is stored with other bytes.
    """
    found = session.get(Edition, content.id)
    fingerprint = content_hash(content)
    if found is not None:
        if found.content_hash != fingerprint:
            raise ChangedEdition(f"edition {content.id} is stored with other bytes than this run gives")
        return content.id
    made_from = content.provenance
    periods = content.scores["period"].unique().sort()
    session.add(
        Edition(
            id=content.id,
            base=made_from["base"],
            bounds=made_from["bounds"],
            first_period=periods[0],
            last_period=periods[-1],
            framework=made_from["framework"],
            framework_hash=made_from["framework_hash"],
            framework_json=content.framework.model_dump_json(),
            recipe_hash=made_from["recipe_hash"],
            recipe_json=json.dumps(made_from["recipe"]),
            data_version=made_from["data_version"],
            seed=made_from["seed"],
            engine=made_from["engine"],
            notes_json=_notes_json(content.notes),
            content_hash=fingerprint,
        )
    )
    session.flush()
    for table, frame in (
        (EditionScore, content.scores),
        (EditionInput, content.inputs),
        (EditionWeight, content.weights),
    ):
        rows = frame.with_columns(edition=pl.lit(content.id)).to_dicts()
        session.connection().execute(insert(table), rows)
    return content.id


def load_edition(session: Session, wanted: str) -> EditionContent:
    """An edition as it was frozen. Raises UnknownEdition, naming those that are stored."""
    found = session.get(Edition, wanted)
    if found is None:
        known = session.exec(select(Edition.id).order_by(col(Edition.id))).all()
        raise UnknownEdition(f"no edition {wanted!r}; stored: {', '.join(known) or 'none'}")
    return EditionContent(
        id=found.id,
        framework=Framework.model_validate_json(found.framework_json),
        provenance={
            "base": found.base,
            "bounds": found.bounds,
            "engine": found.engine,
            "framework": found.framework,
            "framework_hash": found.framework_hash,
            "recipe_hash": found.recipe_hash,
            "data_version": found.data_version,
            "seed": found.seed,
            "recipe": json.loads(found.recipe_json),
        },
        notes=_notes_of(found.notes_json),
        scores=_read(session, EditionScore, found.id, SCORE_SCHEMA).sort("period", "code", "hub"),
        inputs=_read(session, EditionInput, found.id, INPUT_SCHEMA).sort("period", "code", "hub"),
        weights=_read(session, EditionWeight, found.id, WEIGHT_SCHEMA).sort("group", "code"),
    )


def list_editions(session: Session) -> pl.DataFrame:
    """All editions: edition, base, bounds, first_year, last_year, framework, hashes, data_version, seed, engine."""
    rows = [
        {
            "edition": found.id,
            "base": found.base,
            "bounds": found.bounds,
            "first_year": int(found.first_period[:4]),
            "last_year": int(found.last_period[:4]),
            "framework": found.framework,
            "framework_hash": found.framework_hash,
            "recipe_hash": found.recipe_hash,
            "data_version": found.data_version,
            "seed": found.seed,
            "engine": found.engine,
            "content_hash": found.content_hash,
        }
        for found in session.exec(select(Edition).order_by(col(Edition.id))).all()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _notes_json(notes: tuple[Note, ...]) -> str:
    return json.dumps([asdict(note) for note in notes], ensure_ascii=False)


def _notes_of(text: str) -> tuple[Note, ...]:
    return tuple(Note(**{**entry, "periods": tuple(entry["periods"])}) for entry in json.loads(text))


def _read(session: Session, table: type[SQLModel], wanted: str, schema: pl.Schema) -> pl.DataFrame:
    columns = SQLModel.metadata.tables[str(table.__tablename__)].columns
    query = select(*(columns[name] for name in schema.names())).where(columns["edition"] == wanted)
    rows = session.connection().execute(query).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")
