"""The verbs about footprints: calculate, show, write out, trace, calculate anew; the same for command line and HTTP.

Knows which store holds which input and in which order they are asked. Computes nothing: the rules live in
`carbon.footprints`. Knows no HTTP and no screen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl
from sqlmodel import Session

from api import __version__
from api.clock import now_us
from api.lang import Lang
from api.store import Store
from carbon.errors import CarbonError, Problem
from carbon.footprints.activity_store import read_stored
from carbon.footprints.boundary import Approach, Bounded, apply_boundary, group_shares
from carbon.footprints.calculate import Calculation, calculate, current_activities
from carbon.footprints.factor_tables import all_factors
from carbon.footprints.gwp import DEFAULT_GWP_SET
from carbon.footprints.ownership_files import read_ownership
from carbon.footprints.recompute import Recomputation, recompute
from carbon.footprints.runs import (
    Result,
    RunTerms,
    StoredRun,
    current_runs,
    frame_sha256,
    latest_result,
    latest_run,
    list_runs,
    read_run,
    runs_on_other_terms,
    runs_stamp,
    save_run,
)
from carbon.footprints.totals import calculated_share, totals
from carbon.footprints.working import write_out

__all__ = [
    "Calculated",
    "NoActivities",
    "UnknownActivity",
    "activity",
    "calculate_footprint",
    "footprint_calculated",
    "footprint_left_out",
    "footprint_lines",
    "footprint_totals",
    "other_terms",
    "recompute_footprint",
    "runs",
    "stamp",
    "trace",
]

_EPOCH: Final = datetime(1970, 1, 1)


class NoActivities(CarbonError):
    """No stored activity fits what was asked for."""


class UnknownActivity(CarbonError):
    """No activity has this id."""


@dataclass(frozen=True)
class Calculated:
    """A footprint just calculated. is_new : it was not stored before; outside : lines beyond the boundary, with reason;
    problems : of the ownership file and of activities that were not calculated."""

    run: str
    is_new: bool
    calculation: Calculation
    outside: pl.DataFrame
    problems: tuple[Problem, ...]


def calculate_footprint(
    store: Store,
    *,
    entity: str | None = None,
    year: int | None = None,
    gwp_set: str = DEFAULT_GWP_SET,
    as_of: date | None = None,
    approach: Approach | None = None,
    company: str | None = None,
    ownership: Path | None = None,
) -> Calculated:
    """Calculate the stored activities and keep the result.

    entity, year : of the activities, all without; as_of : only factors recorded by that day
    approach, company, ownership : the organisational boundary; without them each row's own share counts
    Raises NoActivities, UnknownGwpSet, InvalidOwnership.
    """
    with Session(store.engine) as session:
        rows = read_stored(session, entities=None if entity is None else [entity])
        rows = rows if year is None else rows.filter(pl.col("last_day").dt.year() == year)
        if rows.is_empty():
            raise NoActivities(
                f"found no activities of {entity or 'any entity'}{f' in {year}' if year else ''}, expected some"
            )
        factors = all_factors(session)
        made = calculate(rows, factors, gwp_set=gwp_set, as_of=as_of)
        terms = RunTerms(entity=entity, year=year, gwp_set=gwp_set, as_of=as_of)
        bounded = Bounded(made.lines, made.lines.clear())
        problems: tuple[Problem, ...] = ()
        if approach is not None and company is not None and ownership is not None:
            reading = read_ownership(ownership)
            shares = group_shares(reading.links, company, approach)
            counted_by = current_activities(rows).select("activity_id", "platform")
            bounded, problems = apply_boundary(made.lines, shares, counted_by), reading.problems
            links = frame_sha256(reading.links.drop("row"), ["parent", "child", "first_day"])
            terms = replace(terms, approach=approach, company=company, ownership_sha256=links)
        kept = replace(made, lines=bounded.lines)
        run, is_new = save_run(session, kept, rows, factors, terms, created_us=now_us())
    return Calculated(run, is_new, kept, bounded.outside, (*problems, *made.problems))


def result(store: Store, run: str | None = None, gwp_set: str | None = None) -> Result:
    """The frames of one run, or of what counts today without."""
    with Session(store.engine) as session:
        if run is None:
            return latest_result(session, gwp_set=gwp_set)
        stored = read_run(session, run)
        return Result((stored.run.id,), stored.lines, stored.left_out, stored.factors)


def footprint_totals(
    store: Store, by: Sequence[str] = (), *, run: str | None = None, entity: str | None = None, year: int | None = None
) -> pl.DataFrame:
    """Totals by scope, method and the groups asked for (`carbon.footprints.totals.totals`)."""
    return totals(_within(result(store, run).lines, entity, year), by)


def footprint_calculated(
    store: Store, by: Sequence[str] = (), *, run: str | None = None, entity: str | None = None, year: int | None = None
) -> pl.DataFrame:
    """How many of the activities were calculated (`carbon.footprints.totals.calculated_share`)."""
    found = result(store, run)
    return calculated_share(_within(found.lines, entity, year), _within(found.left_out, entity, year), by)


def footprint_left_out(
    store: Store, *, run: str | None = None, entity: str | None = None, year: int | None = None
) -> pl.DataFrame:
    """The activities that were not calculated, with the reason."""
    return _within(result(store, run).left_out, entity, year)


def footprint_lines(
    store: Store,
    *,
    run: str | None = None,
    entity: str | None = None,
    year: int | None = None,
    lang: Lang = "en",
) -> pl.DataFrame:
    """Every line with the names of its factors and its arithmetic written out."""
    found = result(store, run)
    return write_out(_within(found.lines, entity, year), found.factors, lang)


def other_terms(store: Store) -> pl.DataFrame:
    """The runs that stand and do not count beside the newest one: id, entity, year, gwp_set, approach, company."""
    with Session(store.engine) as session:
        found = runs_on_other_terms(session)
    return found.select("id", "entity", "year", "gwp_set", "approach", "company")


def runs(store: Store) -> pl.DataFrame:
    """All runs, the newest first, with the time as text and the run that superseded each."""
    with Session(store.engine) as session:
        found = list_runs(session)
    created = pl.col("created_us").cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return found.select("id", created.alias("created"), pl.exclude("id", "created_us"))


def trace(store: Store, activity_id: str, lang: Lang = "en") -> pl.DataFrame:
    """What became of one activity: a row for each run, line and factor, the newest run first, factors in the order of
    the formula; a run that left it out has a row that says why.

    Raises UnknownActivity.
    """
    with Session(store.engine) as session:
        activity_id = str(_one_activity(session, activity_id)["activity_id"][0])
        known = list_runs(session)
        parts = [
            _traced(read_run(session, run), activity_id, superseded, lang)
            for run, superseded in known.select("id", "superseded_by").iter_rows()
        ]
    return pl.concat([pl.DataFrame(schema=_trace_schema()), *parts])


def activity(store: Store, activity_id: str) -> pl.DataFrame:
    """One stored activity as a row, and the one that corrected it as a second. Raises UnknownActivity."""
    with Session(store.engine) as session:
        found = _one_activity(session, activity_id)
        rows = read_stored(session, entities=[found["entity"][0]], replaced=True)
    return pl.concat([found, rows.filter(pl.col("replaces") == found["activity_id"][0])])


def recompute_footprint(store: Store, since: date, run: str | None = None) -> list[Recomputation]:
    """Calculate one run, or all that count today, anew with the factors recorded since a day
    (`carbon.footprints.recompute`). Raises UnknownRun."""
    with Session(store.engine) as session:
        current = [latest_run(session).id, *current_runs(session)["id"][1:]]
        wanted = current if run is None else [run]
        activities, factors = read_stored(session, replaced=True), all_factors(session)
        return [recompute(session, activities, factors, since=since, created_us=now_us(), run_id=one) for one in wanted]


def stamp(store: Store) -> str:
    """A text that changes when answers about footprints may change."""
    with Session(store.engine) as session:
        return f"{__version__} {runs_stamp(session)}"


def _one_activity(session: Session, activity_id: str) -> pl.DataFrame:
    """The stored activity of this id, or of the only id that begins so (eight signs or more)."""
    least = 8
    rows = read_stored(session, replaced=True)
    exact = rows.filter(pl.col("activity_id") == activity_id)
    begun = rows.filter(pl.col("activity_id").str.starts_with(activity_id)) if len(activity_id) >= least else exact
    found = exact if exact.height else begun
    if found.height != 1:
        raise UnknownActivity(f"found no activity {activity_id!r}, expected an id (greenfin activities list)")
    return found


def _within(frame: pl.DataFrame, entity: str | None, year: int | None) -> pl.DataFrame:
    chosen = frame if entity is None else frame.filter(pl.col("entity") == entity)
    return chosen if year is None else chosen.filter(pl.col("last_day").dt.year() == year)


def _trace_schema() -> dict[str, pl.DataType]:
    texts = ("run", "created", "superseded_by", "method", "gas", "formula", "working", "remarks", "left_out")
    factor = ("factor_id", "factor_name", "unit", "region", "series", "source", "confidence")
    return {
        **dict.fromkeys(texts, pl.String()),
        **dict.fromkeys(("emissions_kg", "co2e_kg"), pl.Float64()),
        "place": pl.Int64(),
        **dict.fromkeys(factor, pl.String()),
        "value": pl.Float64(),
        **dict.fromkeys(("valid_from", "valid_to", "recorded"), pl.Date()),
        "assumed": pl.Boolean(),
    }


def _traced(stored: StoredRun, activity_id: str, superseded: str | None, lang: Lang) -> pl.DataFrame:
    told = {
        "run": stored.run.id,
        "created": (_EPOCH + timedelta(microseconds=stored.run.created_us)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "superseded_by": superseded,
    }
    constants = [pl.lit(value, dtype=pl.String).alias(name) for name, value in told.items()]
    own = stored.lines.filter(pl.col("activity_id") == activity_id)
    written = write_out(own, stored.factors, lang).select(
        *("method", "gas", "formula", "working", "remarks", "emissions_kg", "co2e_kg"), factor_id="factor_ids"
    )
    placed = written.with_columns(place=pl.int_ranges(1, pl.col("factor_id").list.len() + 1)).explode(
        "factor_id", "place"
    )
    named = stored.factors.select(
        *("factor_id", "gas", "parameter", "region", "series", "source", "confidence", "value"),
        *("valid_from", "valid_to", "recorded", "assumed"),
        unit=pl.concat_str("numerator", pl.lit("/"), "denominator"),
        factor_name=f"name_{lang}",
    )
    same = pl.col("gas").eq_missing(pl.col("gas_factor")) | (pl.col("parameter") != "emission_factor")
    factors = placed.join(named, on="factor_id", how="left", suffix="_factor", maintain_order="left").filter(
        same | pl.col("value").is_null()
    )
    missing = stored.left_out.filter(pl.col("activity_id") == activity_id).select(
        "method", left_out=pl.format("{}: found {}, expected {}", "code", "found", "expected")
    )
    both = pl.concat([factors, missing], how="diagonal").with_columns(constants)
    return both.select(pl.col(name).cast(kind) for name, kind in _trace_schema().items())
