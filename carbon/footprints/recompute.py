"""A run calculated anew where a factor it used was replaced, or a better one came: what changes, and by how much.

Knows how an old and a new result are compared. Must not know formulas, files or screens. The old run stays as it was;
the new one names it. A line changes only where its new figure uses a factor recorded since the day asked for, or its
old one a factor that one of those replaces (the correction may be for another place, time or unit): all others are
carried over as they stand.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from carbon.footprints.calculate import Calculation, calculate, left_out_schema
from carbon.footprints.runs import ROWS, RunTerms, StoredRun, read_run, save_run
from carbon.footprints.schemas import lines_schema

if TYPE_CHECKING:
    import polars as pl
    from sqlmodel import Session

__all__ = ["Recomputation", "recompute"]

_KEY: Final = ["activity_id", "method", "biogenic", "gas"]
_OF_BOUNDARY: Final = ("control_assumed", "share_changed_in_period", "intra_group")
_US_PER_S: Final = 1_000_000


@dataclass(frozen=True)
class Recomputation:
    """What came of it. old : the run that was looked at; new : the run that supersedes it, null where nothing changed

    is_new : whether `new` was stored now (the same recomputation again gives the same run)
    changes : one row a line that changed, came or went: activity_id, entity, scope, category, activity, method, gas,
    old_factor_ids, new_factor_ids, old_co2e_kg, new_co2e_kg (null where there was or is none), difference_kg
    """

    old: str
    new: str | None
    is_new: bool
    changes: "pl.DataFrame"


def recompute(
    session: "Session",
    activities: "pl.DataFrame",
    factors: "pl.DataFrame",
    *,
    since: date,
    created_us: int,
    run_id: str | None = None,
) -> Recomputation:
    """Calculate the activities of a run anew with the factors recorded since a day, and keep the result as a new run.

    activities : stored ones, those that corrections replace too: a run is put right for the factors only, on the very
    rows that it was made of; factors : all that are known now; run_id : the newest run without
    Under a boundary (approach equity, operational, financial) each activity keeps the share that the run gave it, and
    one that had no line stays without. Raises UnknownRun.
    """
    import polars as pl

    stored = read_run(session, run_id)
    rows = _rows_of(stored, activities)
    anew = calculate(
        rows,
        _known_factors(stored, factors, since),
        gwp_set=stored.run.gwp_set,
        as_of=None,
        methods=tuple(stored.run.methods.split(";")),
    )
    anew = replace(anew, lines=_with_boundary_remarks(stored, anew.lines))
    newer = factors.filter(pl.col("recorded") >= since)
    changes = _changes(stored.lines, anew.lines, newer)
    if changes.is_empty():
        return Recomputation(stored.run.id, None, False, changes)
    terms = RunTerms(
        entity=stored.run.entity,
        year=stored.run.year,
        gwp_set=stored.run.gwp_set,
        methods=tuple(stored.run.methods.split(";")),
        approach=stored.run.approach,
        company=stored.run.company,
        ownership_sha256=stored.run.ownership_sha256,
        supersedes=stored.run.id,
        since=since,
    )
    merged = _merged(stored, anew, changes["activity_id"].unique())
    every = pl.concat([factors, stored.factors.select(factors.columns)]).unique(maintain_order=True)
    new, is_new = save_run(session, merged, rows, every, terms, created_us=created_us)
    return Recomputation(stored.run.id, new, is_new, changes)


def _rows_of(stored: StoredRun, activities: "pl.DataFrame") -> "pl.DataFrame":
    """The activities that a run was made of; under a boundary with the share that it gave them."""
    import polars as pl

    with_lines = stored.lines.select("activity_id", run_share="share").unique("activity_id")
    if stored.run.approach != ROWS:
        shared = activities.join(with_lines, on="activity_id", maintain_order="left")
        return shared.with_columns(share="run_share").select(activities.columns)
    ids = pl.concat([with_lines["activity_id"], stored.left_out["activity_id"]]).unique()
    return activities.filter(pl.col("activity_id").is_in(ids.implode()))


def _known_factors(stored: StoredRun, factors: "pl.DataFrame", since: date) -> "pl.DataFrame":
    """What the run saw, and what was recorded since the day; not what came between the two."""
    import polars as pl

    calculated = datetime.fromtimestamp(stored.run.created_us / _US_PER_S, tz=UTC).date()
    seen_until = stored.run.as_of or calculated
    used = stored.factors["factor_id"].unique().implode()
    day = pl.col("recorded")
    return factors.filter(day.is_null() | (day <= seen_until) | (day >= since) | pl.col("factor_id").is_in(used))


def _with_boundary_remarks(stored: StoredRun, lines: "pl.DataFrame") -> "pl.DataFrame":
    """Remarks about the share stay with the activity, whatever its factor."""
    import polars as pl

    if stored.run.approach == ROWS:
        return lines
    words = pl.col("remarks").str.split("; ").list.set_intersection(list(_OF_BOUNDARY))
    told = stored.lines.select("activity_id", words=words.list.sort().list.join("; ")).unique("activity_id")
    joined = lines.join(told, on="activity_id", how="left", maintain_order="left")
    own = pl.when(pl.col("words") != "").then("words")
    both = pl.concat_str("remarks", own, separator="; ", ignore_nulls=True)
    return joined.with_columns(remarks=pl.when(both != "").then(both)).select(lines.columns)


def _changes(old: "pl.DataFrame", new: "pl.DataFrame", newer: "pl.DataFrame") -> "pl.DataFrame":
    """Lines of activities of which a line differs and uses a newer factor, or used one that a newer one replaces: as
    they were, as they are. newer : factors"""
    import polars as pl

    told = ["entity", "scope", "category", "activity"]
    figures = ["factor_ids", "co2e_kg", "emissions_kg"]
    both = old.select(*_KEY, *told, *(pl.col(name).alias(f"old_{name}") for name in figures)).join(
        new.select(*_KEY, *told, *(pl.col(name).alias(f"new_{name}") for name in figures)),
        on=_KEY,
        how="full",
        coalesce=True,
        nulls_equal=True,
        suffix="_new",
    )
    differs = pl.col("old_factor_ids").list.join("; ").ne_missing(pl.col("new_factor_ids").list.join("; ")) | pl.col(
        "old_emissions_kg"
    ).ne_missing(pl.col("new_emissions_kg"))
    uses_newer = _names_any("new_factor_ids", newer["factor_id"])
    used_replaced = _names_any("old_factor_ids", newer["replaces"].drop_nulls())
    moved = both.filter(differs)
    affected = moved.filter(uses_newer | used_replaced)["activity_id"].unique()
    difference = pl.col("new_co2e_kg").fill_null(0.0) - pl.col("old_co2e_kg").fill_null(0.0)
    return (
        moved.filter(pl.col("activity_id").is_in(affected.implode()))
        .sort(_KEY)
        .select(
            "activity_id",
            *(pl.coalesce(name, f"{name}_new").alias(name) for name in told),
            "method",
            "gas",
            *("old_factor_ids", "new_factor_ids", "old_co2e_kg", "new_co2e_kg"),
            difference_kg=difference,
        )
    )


def _names_any(column: str, ids: "pl.Series") -> "pl.Expr":
    """Whether a list of factor ids names one of these."""
    import polars as pl

    return pl.col(column).list.eval(pl.element().is_in(ids.unique().implode())).list.any().fill_null(False)


def _merged(stored: StoredRun, anew: Calculation, affected: "pl.Series") -> Calculation:
    """The new lines of the activities that changed, and the old ones of all others."""
    import polars as pl

    is_affected = pl.col("activity_id").is_in(affected.implode())
    lines = pl.concat([stored.lines.filter(~is_affected), anew.lines.filter(is_affected)]).select(lines_schema().keys())
    left = pl.concat([stored.left_out.filter(~is_affected), anew.left_out.filter(is_affected)])
    left = left.select(left_out_schema().keys()).sort("file", "row", "activity_id", "method", "code", "found")
    return Calculation(lines.sort(_KEY), left, (), stored.run.activities)
