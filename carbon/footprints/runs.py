"""Results as they were calculated: kept, found again, and calculated anew where a factor has changed.

Knows what a run is made from, how its frames are stored, and which run answers for what. Must not know formulas or
screens. Times and days are passed in.

The id of a run is the hash of its inputs: the content of the activities, the factors that were used with their values,
the ownership, the warming potentials, the version of the rules and the days. The same inputs give the same id, and the
frames the same bytes; nothing is stored twice and nothing stored is changed.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from carbon.errors import CarbonError
from carbon.footprints.calculate import RULES_VERSION, Calculation, left_out_schema
from carbon.footprints.combustion import combustion_rules
from carbon.footprints.gwp import DEFAULT_GWP_SET
from carbon.footprints.schemas import METHODS, factors_schema, lines_schema

if TYPE_CHECKING:
    import polars as pl
    from sqlmodel import Session

    from carbon.footprints.run_tables import FootprintRun

__all__ = [
    "Result",
    "RunTerms",
    "StoredRun",
    "UnknownRun",
    "current_runs",
    "frame_sha256",
    "latest_lines",
    "latest_result",
    "latest_run",
    "list_runs",
    "read_run",
    "rules_version",
    "runs_on_other_terms",
    "runs_stamp",
    "save_run",
    "used_factors",
]

ROWS: Final = "rows"
_TERMS: Final = ["gwp_set", "approach", "company", "methods"]
_ROWS_A_PART: Final = 100_000
_COMPRESSION_LEVEL: Final = 3


class UnknownRun(CarbonError):
    """No run has this id, or there is none yet."""


@dataclass(frozen=True)
class RunTerms:
    """On what terms a run was calculated.

    entity, year : what was asked for, null is all; approach : rows, equity, operational or financial; company : that
    reports, null for rows; ownership_sha256 : of the links; supersedes, since : of a recomputation
    """

    entity: str | None = None
    year: int | None = None
    gwp_set: str = DEFAULT_GWP_SET
    as_of: date | None = None
    methods: tuple[str, ...] = METHODS
    approach: str = ROWS
    company: str | None = None
    ownership_sha256: str | None = None
    supersedes: str | None = None
    since: date | None = None


@dataclass(frozen=True)
class Result:
    """Frames of one run or of several that go together, in the schemas of their names; factors : those used."""

    runs: tuple[str, ...]
    lines: "pl.DataFrame"
    left_out: "pl.DataFrame"
    factors: "pl.DataFrame"


@dataclass(frozen=True)
class StoredRun:
    """A run read back: its row, lines (`lines_schema`), left_out (`left_out_schema`) and the factors used."""

    run: "FootprintRun"
    lines: "pl.DataFrame"
    left_out: "pl.DataFrame"
    factors: "pl.DataFrame"


def frame_sha256(frame: "pl.DataFrame", order: Sequence[str]) -> str:
    """SHA-256 of the content of a frame, whatever the order of its rows: sorted, as CSV with nulls told apart."""
    import polars as pl

    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    flat = frame.with_columns(pl.col(lists).list.join(";")).sort(order)
    digest = hashlib.sha256(",".join(frame.columns).encode())
    for part in flat.iter_slices(_ROWS_A_PART):
        digest.update(part.write_csv(include_header=False, null_value="\x00").encode())
    return digest.hexdigest()


def save_run(
    session: "Session",
    calculation: Calculation,
    activities: "pl.DataFrame",
    factors: "pl.DataFrame",
    terms: RunTerms,
    *,
    created_us: int,
) -> tuple[str, bool]:
    """Keep a result, and commit (one transaction): the id of its run, and whether it is new.

    activities, factors : what it was calculated from; of the factors those that the lines name are kept
    The same inputs again change nothing.
    """
    from carbon.footprints.run_tables import FootprintRun

    used = used_factors(calculation.lines, factors)
    inputs = _inputs(activities, used, terms)
    run_id = hashlib.sha256(json.dumps(inputs, default=str, sort_keys=True).encode()).hexdigest()
    if _find(session, run_id) is not None:
        return run_id, False
    frames = {"lines": calculation.lines, "left_out": calculation.left_out, "factors": used}
    parts = [part for name, frame in frames.items() for part in _parts(run_id, name, frame)]
    run = FootprintRun(
        id=run_id,
        created_us=created_us,
        kind="calculate" if terms.supersedes is None else "recompute",
        result_sha256=_result_sha256(parts, calculation.left_out),
        activities=calculation.activities,
        lines=calculation.lines.height,
        left_out=calculation.left_out.height,
        **inputs,
    )
    try:
        session.add(run)
        session.flush()
        session.add_all(parts)
        session.commit()
    except Exception:
        session.rollback()
        # Another process may have stored the same run meanwhile.
        if _find(session, run_id) is None:
            raise
        return run_id, False
    return run_id, True


def _result_sha256(parts: Sequence[Any], left_out: "pl.DataFrame") -> str:
    """Where a row was found is told to people, and says nothing about the result."""
    content = left_out.drop("file", "row", strict=False)
    told = [part.sha256 for part in parts if part.name != "left_out"]
    return hashlib.sha256("".join([*told, frame_sha256(content, content.columns)]).encode()).hexdigest()


def used_factors(lines: "pl.DataFrame", factors: "pl.DataFrame") -> "pl.DataFrame":
    """The factors that lines name, in `factors_schema`, ascending by factor_id and gas."""
    import polars as pl

    ids = lines["factor_ids"].explode(keep_nulls=False, empty_as_null=False).unique()
    schema = factors_schema()
    named = factors.filter(pl.col("factor_id").is_in(ids.implode())).select(schema.keys())
    return named.unique().sort("factor_id", "gas", "value")


def read_run(session: "Session", run_id: str | None = None) -> StoredRun:
    """A run by its id (or the beginning of it, eight signs or more); the newest without. Raises UnknownRun."""
    run = latest_run(session) if run_id is None else _named(session, run_id)
    return StoredRun(run, **_read_frames(session, run.id))


def latest_run(session: "Session") -> "FootprintRun":
    """The newest run, a recomputation standing where the run stood that it supersedes. Raises UnknownRun for none."""
    current = current_runs(session)
    if current.is_empty():
        raise UnknownRun("found no calculated footprint, expected one; see greenfin footprint calculate")
    return _named(session, current["id"][0])


def current_runs(session: "Session", *, gwp_set: str | None = None, approach: str | None = None) -> "pl.DataFrame":
    """The runs that count today (columns of `list_runs`), those that go before others first.

    A recomputation takes the place of the run that it supersedes. Only runs on the first one's set, approach, company
    and methods go with it (`runs_on_other_terms` names the others); one that those before it cover wholly is left out.
    gwp_set, approach : only runs of these; those of the newest run without
    """
    import polars as pl

    runs = _standing(session, gwp_set, approach)
    alike = runs.join(runs.head(1).select(_TERMS), on=_TERMS, how="semi", nulls_equal=True, maintain_order="left")
    kept: list[tuple[str | None, int | None]] = []
    shown: list[bool] = []
    for entity, year in alike.select("entity", "year").iter_rows():
        covered = any(e in (None, entity) and y in (None, year) for e, y in kept)
        shown.append(not covered)
        kept.append((entity, year))
    return alike.filter(pl.Series(shown, dtype=pl.Boolean)).drop("place")


def runs_on_other_terms(session: "Session") -> "pl.DataFrame":
    """The runs that stand but do not count beside the newest one: set, approach, company or methods are others."""
    runs = _standing(session)
    newest = runs.head(1).select(_TERMS)
    return runs.join(newest, on=_TERMS, how="anti", nulls_equal=True, maintain_order="left").drop("place")


def list_runs(session: "Session") -> "pl.DataFrame":
    """All runs, the newest first: the columns of `FootprintRun`, and superseded_by (id, null where none)."""
    import polars as pl
    from sqlmodel import select

    from carbon.footprints.run_tables import FootprintRun

    schema = _runs_schema()
    rows = [run.model_dump() for run in session.exec(select(FootprintRun))]
    runs = pl.DataFrame(rows, schema=schema).sort("number", descending=True)
    later = (
        runs.select("supersedes", superseded_by="id")
        .drop_nulls()
        .unique("supersedes", keep="first", maintain_order=True)
    )
    return runs.join(later, left_on="id", right_on="supersedes", how="left", maintain_order="left")


def latest_result(session: "Session", *, gwp_set: str | None = None, approach: str | None = None) -> Result:
    """What counts today: of each entity and year the frames of the newest run that covers it.

    gwp_set, approach : only runs of these; those of the newest run without. Only runs on the newest run's terms count:
    lines of unlike boundaries are not put together. Without any run the frames have no rows.
    """
    import polars as pl

    schemas = _schemas()
    found: dict[str, list[pl.DataFrame]] = {name: [pl.DataFrame(schema=kind)] for name, kind in schemas.items()}
    ids: list[str] = []
    is_covered = pl.lit(False)
    current = current_runs(session, gwp_set=gwp_set, approach=approach)
    for run_id, entity, year in current.select("id", "entity", "year").iter_rows():
        frames = _read_frames(session, run_id)
        for name in ("lines", "left_out"):
            found[name].append(frames[name].filter(~is_covered))
        found["factors"].append(frames["factors"])
        ids.append(run_id)
        is_covered = is_covered | _covers(entity, year)
    whole = {name: pl.concat(frames) for name, frames in found.items()}
    factors = whole["factors"].unique(maintain_order=True)
    return Result(tuple(ids), whole["lines"], whole["left_out"], factors)


def latest_lines(session: "Session", *, gwp_set: str | None = None, approach: str | None = None) -> "pl.DataFrame":
    """The lines of `latest_result`, in `lines_schema`."""
    return latest_result(session, gwp_set=gwp_set, approach=approach).lines


def runs_stamp(session: "Session") -> str:
    """A text that changes whenever a run is added."""
    from sqlmodel import func, select

    from carbon.footprints.run_tables import FootprintRun

    count, last = session.exec(select(func.count(), func.max(FootprintRun.number))).one()
    return f"runs {count} {last}"


def _standing(session: "Session", gwp_set: str | None = None, approach: str | None = None) -> "pl.DataFrame":
    """The runs that no later one put right, by place, the highest first."""
    import polars as pl

    of_set = pl.col("gwp_set") == gwp_set if gwp_set else pl.lit(True)
    of_approach = pl.col("approach") == approach if approach else pl.lit(True)
    return _placed(list_runs(session)).filter(pl.col("superseded_by").is_null(), of_set, of_approach)


def _placed(runs: "pl.DataFrame") -> "pl.DataFrame":
    """Runs by place, the highest first: the number of the run at the beginning of each chain of recomputations."""
    import polars as pl

    before = dict(runs.select("id", "supersedes").iter_rows())
    numbers = dict(runs.select("id", "number").iter_rows())

    def first_of(run_id: str) -> str:
        earlier = before[run_id]
        return run_id if earlier is None else first_of(earlier)

    places = pl.Series("place", [numbers[first_of(run_id)] for run_id in runs["id"]], dtype=pl.Int64)
    return runs.with_columns(places).sort("place", "number", descending=True)


def _covers(entity: str | None, year: int | None) -> "pl.Expr":
    import polars as pl

    same = pl.lit(True) if entity is None else pl.col("entity") == entity
    return same if year is None else same & (pl.col("last_day").dt.year() == year)


def _inputs(activities: "pl.DataFrame", used: "pl.DataFrame", terms: RunTerms) -> dict[str, Any]:
    """Everything that a run is made from, by column of `FootprintRun`."""
    # Where a row was found says nothing about what it says.
    content = activities.drop("file", "row", strict=False)
    return {
        "entity": terms.entity,
        "year": terms.year,
        "gwp_set": terms.gwp_set,
        "rules_version": rules_version(),
        "as_of": terms.as_of,
        "methods": ";".join(terms.methods),
        "approach": terms.approach,
        "company": terms.company,
        "ownership_sha256": terms.ownership_sha256,
        "supersedes": terms.supersedes,
        "since": terms.since,
        "activities_sha256": frame_sha256(content, ["activity_id"]),
        "factors_sha256": frame_sha256(used, ["factor_id", "gas", "value"]),
    }


def rules_version() -> str:
    """The version of the rules: that of the code, and the beginning of the hash of the rules that are data."""
    return f"{RULES_VERSION}-{frame_sha256(combustion_rules(), ['rule'])[:8]}"


def _parts(run_id: str, name: str, frame: "pl.DataFrame") -> Iterator[Any]:
    from carbon.footprints.run_tables import FootprintRunPart

    for number, rows in enumerate(frame.iter_slices(_ROWS_A_PART)):
        stream = io.BytesIO()
        rows.write_parquet(stream, compression="zstd", compression_level=_COMPRESSION_LEVEL)
        content = stream.getvalue()
        digest = hashlib.sha256(content).hexdigest()
        yield FootprintRunPart(run=run_id, name=name, part=number, height=rows.height, sha256=digest, content=content)


def _schemas() -> "dict[str, Mapping[str, type[pl.DataType] | pl.DataType]]":
    return {"lines": lines_schema(), "left_out": left_out_schema(), "factors": factors_schema()}


def _read_frames(session: "Session", run_id: str) -> "dict[str, pl.DataFrame]":
    return {name: _read_parts(session, run_id, name, schema) for name, schema in _schemas().items()}


def _read_parts(
    session: "Session", run_id: str, name: str, schema: "Mapping[str, type[pl.DataType] | pl.DataType]"
) -> "pl.DataFrame":
    import polars as pl
    from sqlmodel import col, select

    from carbon.footprints.run_tables import FootprintRunPart as Part

    wanted = select(Part.content).where(Part.run == run_id, Part.name == name).order_by(col(Part.part))
    frames = [pl.read_parquet(io.BytesIO(content)) for content in session.exec(wanted)]
    return pl.concat([pl.DataFrame(schema=schema), *frames])


def _find(session: "Session", run_id: str) -> "FootprintRun | None":
    from sqlmodel import select

    from carbon.footprints.run_tables import FootprintRun

    return session.exec(select(FootprintRun).where(FootprintRun.id == run_id)).first()


def _named(session: "Session", run_id: str) -> "FootprintRun":
    from sqlmodel import col, select

    from carbon.footprints.run_tables import FootprintRun

    # Only what an id may hold goes to the database: PostgreSQL cannot even be asked for a text with a zero byte.
    is_asked = re.fullmatch(r"[0-9a-f]{8,64}", run_id) is not None
    wanted = select(FootprintRun).where(col(FootprintRun.id).startswith(run_id, autoescape=True))
    found = session.exec(wanted.limit(2)).all() if is_asked else []
    if len(found) != 1:
        what = "two runs" if found else "no run"
        raise UnknownRun(f"found {what} of the id {run_id!r}, expected an id, or eight or more signs of its beginning")
    return found[0]


def _runs_schema() -> "dict[str, type[pl.DataType] | pl.DataType]":
    import polars as pl

    whole = ("number", "created_us", "year", "activities", "lines", "left_out")
    texts = ("kind", "supersedes", "entity", "gwp_set", "rules_version", "methods", "approach", "company")
    hashes = ("activities_sha256", "factors_sha256", "ownership_sha256", "result_sha256")
    return {
        "number": pl.Int64,
        "id": pl.String,
        **dict.fromkeys(whole[1:], pl.Int64),
        **dict.fromkeys((*texts, *hashes), pl.String),
        **dict.fromkeys(("since", "as_of"), pl.Date),
    }
