"""The whole study: what is learnt from known ratings, its errors, predictions for other cities, what factors add.

Knows hubs and factors by name. Knows no file, no edition and no store. Refuses to predict a city that is unlike those
learnt from, unless told otherwise, and says so either way.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from fhi.correlations import correlate
from fhi.errors import Problem
from green_index.perception import held_out
from green_index.perception.domain import place
from green_index.perception.errors import PerceptionError
from green_index.perception.held_out import Errors, LeftOut, Tick
from green_index.perception.model import Grid, fit_tuned, predict
from green_index.perception.ratings import centred_errors, combine, counted, hub_ratings

FEWEST_HUBS: Final = 10
"""Fewer known hubs leave nothing to tune on once one is left out. Ours."""
FEWEST_RATINGS: Final = 5
"""A hub with fewer ratings is not learnt from. Ours; GFCI asks for 150."""
OUT_OF_RANGE: Final = "out_of_range"
MISSING_FACTOR: Final = "missing_factor"
CONSTANT: Final = "constant"
INTERVAL_KNOWN: Final = "jackknife"
INTERVAL_NEW: Final = "jackknife+"
PREDICTION_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String(),
        "known": pl.Boolean(),
        "actual": pl.Float64(),
        "predicted": pl.Float64(),
        "error": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "level": pl.Float64(),
        "interval": pl.String(),
        "in_range": pl.Boolean(),
        "outside": pl.List(pl.String),
        "distance": pl.Float64(),
        "distance_limit": pl.Float64(),
        "nearest_hub": pl.String(),
        "missing": pl.List(pl.String),
        "reason": pl.String(),
        "ratings": pl.Int64(),
        "respondents": pl.Int64(),
        "combined": pl.Float64(),
    }
)
ERROR_SCHEMA: Final = pl.Schema(
    {
        "kind": pl.String,
        "group": pl.String,
        "of": pl.String,
        "n": pl.Int64,
        "rmse": pl.Float64,
        "mae": pl.Float64,
        "r2": pl.Float64,
        "spearman": pl.Float64,
        "spread": pl.Float64,
        "baseline_rmse": pl.Float64,
        "baseline_mae": pl.Float64,
        "reason": pl.String,
    }
)
IMPORTANCE_SCHEMA: Final = pl.Schema(
    {
        "factor": pl.String,
        "importance": pl.Float64,
        "spread": pl.Float64,
        "repeats": pl.Int64,
        "nearest_factor": pl.String,
        "correlation": pl.Float64,
        "reason": pl.String,
    }
)
FEW_HUBS: Final = "too_few_hubs"
LEAVE_ONE_OUT: Final = "leave_one_out"
IN_RANGE_ONLY: Final = "leave_one_out_in_range"
LEAVE_REGION_OUT: Final = "leave_region_out"
LEAVE_HOME_OUT: Final = "leave_home_out"


@dataclass(frozen=True)
class Settings:
    """level: of the intervals, 0.5 to 0.99; beyond_range: predict cities unlike the known ones too; repeats: shuffles
    of each factor; centred: take off each respondent's level; half_life_days: how fast ratings count less."""

    level: float = 0.9
    beyond_range: bool = False
    repeats: int = 30
    seed: int = 1
    grid: Grid = field(default_factory=Grid)
    centred: bool = True
    half_life_days: float | None = None
    fewest_ratings: int = FEWEST_RATINGS


@dataclass(frozen=True)
class Perception:
    """predictions (PREDICTION_SCHEMA), errors (ERROR_SCHEMA), importances (IMPORTANCE_SCHEMA, the greatest first, then
    the factors that were left out, with the `reason`: MISSING_FACTOR where a known hub lacks it, CONSTANT where it is
    the same for all known hubs); `factors` that were used."""

    predictions: pl.DataFrame
    errors: pl.DataFrame
    importances: pl.DataFrame
    factors: tuple[str, ...]


@dataclass(frozen=True)
class _Known:
    hubs: tuple[str, ...]
    factors: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    x: Array
    y: Array
    left: LeftOut
    in_range: npt.NDArray[np.bool_]


def check_settings(settings: Settings) -> None:
    """Raises PerceptionError for a level, a count of shuffles, a half-life or a least number that cannot be."""
    half_life = settings.half_life_days
    rules = (
        (0.5 <= settings.level <= 0.99, "level", settings.level, "0.5 to 0.99"),
        (2 <= settings.repeats <= 1000, "repeats", settings.repeats, "2 to 1000"),
        (half_life is None or 0 < half_life < math.inf, "half-life", half_life, "days, more than 0"),
        (settings.fewest_ratings >= 1, "fewest ratings", settings.fewest_ratings, "at least 1"),
    )
    wrong = [Problem(name, str(found), expected, "wrong_setting") for held, name, found, expected in rules if not held]
    if wrong:
        raise PerceptionError(wrong)


def perceive(
    factors: pl.DataFrame,
    target: pl.DataFrame,
    regions: pl.DataFrame,
    settings: Settings | None = None,
    tick: Tick | None = None,
) -> Perception:
    """What known figures of hubs say of a target, and of hubs without one.

    factors: hub and one column a factor, null where unknown; target: hub, actual, in any unit; regions: hub, region;
    tick: called after each known hub. Known is a hub with a target and any figure; a factor that one of them lacks, or
    that is the same for all, is left out. Of a known hub `predicted` is what the model without it says, always, and
    `low` to `high` the jackknife interval about it; of others what the model of all known hubs says, with the
    jackknife+ interval, or null with the `reason`. Raises PerceptionError for fewer known hubs than FEWEST_HUBS or
    than the level takes, without factors that all of them have, and for settings that cannot be.
    """
    settings = settings or Settings()
    check_settings(settings)
    known = _learn(factors, target, settings, tick)
    errors = [*_left_out_errors(known), *_region_errors(known, regions, settings)]
    return Perception(
        predictions=_predictions(known, factors, settings),
        errors=pl.DataFrame(errors, schema=ERROR_SCHEMA, orient="row"),
        importances=_importances(known, settings),
        factors=known.factors,
    )


def perceive_ratings(
    factors: pl.DataFrame,
    ratings: pl.DataFrame,
    regions: pl.DataFrame,
    settings: Settings | None = None,
    tick: Tick | None = None,
) -> Perception:
    """`perceive` with respondents' ratings as the target: also `ratings` and `respondents` of each hub, `combined`
    (`green_index.perception.ratings.combine`), and errors where the respondents of one home are left out.

    ratings: green_index.perception.ratings.RATING_SCHEMA. Raises PerceptionError also for ratings that cannot be
    weighted or compared.
    """
    settings = settings or Settings()
    check_settings(settings)
    rows = counted(ratings, settings.half_life_days)
    seen = hub_ratings(rows, centred=settings.centred)
    enough = seen.filter(pl.col("ratings") >= settings.fewest_ratings)
    target = enough.select("hub", actual="rating")
    found = perceive(factors, target, regions, settings, tick)
    table = found.predictions.drop("ratings", "respondents", "combined").join(
        seen.select("hub", "ratings", "respondents"), on="hub", how="left", maintain_order="left"
    )
    usable = pl.col("predicted") if settings.beyond_range else pl.when("in_range").then("predicted")
    predicted = table.select(usable.fill_null(np.nan))["predicted"].to_numpy()
    combined = combine(rows, table["hub"].to_list(), predicted)
    homes = _home_errors(rows, factors.select("hub", *found.factors), settings)
    return Perception(
        predictions=table.with_columns(
            pl.col("ratings", "respondents").fill_null(0), combined=pl.Series(combined, nan_to_null=True)
        ).select(PREDICTION_SCHEMA.names()),
        errors=pl.concat([found.errors, pl.DataFrame(homes, schema=ERROR_SCHEMA, orient="row")]),
        importances=found.importances,
        factors=found.factors,
    )


def _learn(factors: pl.DataFrame, target: pl.DataFrame, settings: Settings, tick: Tick | None) -> _Known:
    names = [name for name in factors.columns if name != "hub"]
    known = target.drop_nulls().join(factors, on="hub").sort("hub")
    known = known.filter(pl.any_horizontal(pl.col(names).is_not_null()))
    fewest = max(FEWEST_HUBS, held_out.fewest_for(settings.level) + 1)
    if known.height < fewest:
        found = f"{known.height} cities with a rating and any factor"
        raise PerceptionError([Problem("ratings and factors", found, f"at least {fewest}", "too_few_hubs")])
    gaps = tuple((name, MISSING_FACTOR) for name in names if known[name].null_count())
    same = tuple((name, CONSTANT) for name in names if not known[name].null_count() and known[name].n_unique() == 1)
    dropped = {name for name, _ in (*gaps, *same)}
    used = [name for name in names if name not in dropped]
    if not used:
        found = f"none of {len(names)} that all {known.height} known cities have and that varies among them"
        raise PerceptionError([Problem("factors", found, "at least one", "no_factor")])
    x, y = known.select(used).to_numpy().astype(np.float64), known["actual"].to_numpy().astype(np.float64)
    left = held_out.leave_one_out(x, y, settings.grid, settings.seed, tick)
    within = [place(np.delete(x, unit, axis=0), x[[unit]]).within[0] for unit in range(len(y))]
    return _Known(tuple(known["hub"]), tuple(used), (*gaps, *same), x, y, left, np.array(within))


def _predictions(known: _Known, factors: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    table = factors.select("hub", *known.factors).sort("hub")
    rest = table.filter(~pl.col("hub").is_in(known.hubs))
    whole = rest.drop_nulls()
    rows = [*_known_rows(known, settings), *_new_rows(known, whole, settings)]
    for hub, *figures in rest.filter(~pl.col("hub").is_in(whole["hub"].implode())).iter_rows():
        lacking = [name for name, figure in zip(known.factors, figures, strict=True) if figure is None]
        rows.append({"hub": hub, "known": False, "missing": lacking, "reason": MISSING_FACTOR})
    return pl.DataFrame(rows, schema=PREDICTION_SCHEMA).fill_nan(None).sort("known", "hub", descending=[True, False])


def _known_rows(known: _Known, settings: Settings) -> Iterator[dict[str, object]]:
    low, high = held_out.jackknife(known.left, known.y, settings.level)
    for unit, hub in enumerate(known.hubs):
        others = np.arange(len(known.y)) != unit
        names = [name for name, other in zip(known.hubs, others, strict=True) if other]
        yield {
            **_placed(known.x[others], known.x[[unit]], names, known.factors)[0],
            "hub": hub,
            "known": True,
            "actual": known.y[unit],
            "predicted": known.left.predicted[unit],
            "error": known.left.predicted[unit] - known.y[unit],
            "low": low[unit],
            "high": high[unit],
            "level": settings.level,
            "interval": INTERVAL_KNOWN,
        }


def _new_rows(known: _Known, whole: pl.DataFrame, settings: Settings) -> Iterator[dict[str, object]]:
    if whole.is_empty():
        return
    x = whole.select(known.factors).to_numpy().astype(np.float64)
    predicted = predict(fit_tuned(known.x, known.y, settings.grid, settings.seed), x)
    low, high = held_out.jackknife_plus(known.left, known.y, x, settings.level)
    placed = _placed(known.x, x, known.hubs, known.factors)
    for unit, hub in enumerate(whole["hub"]):
        row = {**placed[unit], "hub": hub, "known": False}
        if row["in_range"] or settings.beyond_range:
            row |= {"predicted": predicted[unit], "low": low[unit], "high": high[unit], "level": settings.level}
            row["interval"] = INTERVAL_NEW
        else:
            row["reason"] = OUT_OF_RANGE
        yield row


def _placed(known: Array, units: Array, hubs: Sequence[str], factors: Sequence[str]) -> list[dict[str, object]]:
    where = place(known, units)
    words = {1: "above", -1: "below"}
    return [
        {
            "in_range": bool(where.within[unit]),
            "outside": [
                f"{name} {words[side]}"
                for name, side in zip(factors, where.outside[unit].tolist(), strict=True)
                if side in words
            ],
            "distance": where.distance[unit],
            "distance_limit": where.limit,
            "nearest_hub": hubs[where.nearest[unit]],
            "missing": [],
        }
        for unit in range(len(units))
    ]


def _left_out_errors(known: _Known) -> Iterator[tuple[object, ...]]:
    means = held_out.mean_of_others(known.y)
    for kind, chosen in ((LEAVE_ONE_OUT, np.full(len(known.y), True)), (IN_RANGE_ONLY, known.in_range)):
        yield _error_row(kind, None, "hubs", known.y[chosen], known.left.predicted[chosen], means[chosen])


def _region_errors(known: _Known, regions: pl.DataFrame, settings: Settings) -> Iterator[tuple[object, ...]]:
    """All regions together, then each; a region without which too few hubs are left has no errors, and says so."""
    region_of = dict(regions.select("hub", "region").iter_rows())
    groups = [region_of.get(hub) or "-" for hub in known.hubs]
    predicted, means = held_out.leave_group_out(known.x, known.y, groups, FEWEST_HUBS - 1, settings.grid, settings.seed)
    there = ~np.isnan(predicted)
    yield _error_row(LEAVE_REGION_OUT, None, "hubs", known.y[there], predicted[there], means[there])
    for group in sorted(set(groups)):
        here = np.array([own == group for own in groups])
        one = here & there
        size = int(here.sum())
        yield _error_row(LEAVE_REGION_OUT, group, "hubs", known.y[one], predicted[one], means[one], size)


def _home_errors(rows: pl.DataFrame, factors: pl.DataFrame, settings: Settings) -> Iterator[tuple[object, ...]]:
    """Ratings of the respondents of one home, from a model of all other respondents' ratings."""
    homes = rows["home"].drop_nulls().unique().sort().to_list()
    pairs = [_home_pair(rows, factors, home, settings) for home in homes]
    actual, predicted = (np.concatenate([np.empty(0), *(pair[side] for pair in pairs)]) for side in (0, 1))
    yield _error_row(LEAVE_HOME_OUT, None, "ratings", actual, predicted, np.zeros(len(actual)))
    for home, (one, said) in zip(homes, pairs, strict=True):
        yield _error_row(LEAVE_HOME_OUT, home, "ratings", one, said, np.zeros(len(one)))


def _home_pair(rows: pl.DataFrame, factors: pl.DataFrame, home: str, settings: Settings) -> tuple[Array, Array]:
    """Actual and predicted ratings of one home's respondents; none where the others rated too few hubs in common."""
    try:
        seen = hub_ratings(rows.filter(pl.col("home").ne_missing(home)), centred=settings.centred)
    except PerceptionError:
        return np.empty(0), np.empty(0)
    enough = seen.filter(pl.col("ratings") >= settings.fewest_ratings)
    known = enough.join(factors.drop_nulls(), on="hub").sort("hub")
    if known.height < FEWEST_HUBS - 1:
        return np.empty(0), np.empty(0)
    x = known.select(factors.columns[1:]).to_numpy().astype(np.float64)
    model = fit_tuned(x, known["rating"].to_numpy(), settings.grid, settings.seed)
    mine = rows.filter(home=home).join(known.select("hub"), on="hub", how="semi", maintain_order="left")
    return centred_errors(mine, known.select("hub", predicted=pl.Series(predict(model, x))))


def _error_row(
    kind: str, group: str | None, of: str, actual: Array, predicted: Array, baseline: Array, size: int | None = None
) -> tuple[object, ...]:
    if not len(actual):
        return (kind, group, of, size or 0, *[None] * 7, FEW_HUBS)
    found: Errors = held_out.errors_of(actual, predicted, baseline)
    figures = (found.rmse, found.mae, found.r2, found.spearman, found.spread, found.baseline_rmse, found.baseline_mae)
    return (kind, group, of, found.n, *(None if math.isnan(figure) else figure for figure in figures), None)


def _importances(known: _Known, settings: Settings) -> pl.DataFrame:
    rises = held_out.importances(known.left, known.x, known.y, settings.repeats, settings.seed)
    together = correlate(known.x).r
    np.fill_diagonal(together, 0.0)
    nearest = np.abs(together).argmax(axis=1) if len(known.factors) > 1 else None
    columns = {
        "factor": list(known.factors),
        "importance": rises.mean(axis=0),
        "spread": rises.std(axis=0, ddof=1),
        "repeats": [settings.repeats] * len(known.factors),
        "nearest_factor": None if nearest is None else [known.factors[place] for place in nearest],
        "correlation": None if nearest is None else together[np.arange(len(nearest)), nearest],
    }
    used = pl.DataFrame(columns).with_columns(reason=pl.lit(None, pl.String)).cast(IMPORTANCE_SCHEMA).fill_nan(None)
    rest = [{"factor": factor, "reason": reason} for factor, reason in known.left_out]
    ordered = used.sort("importance", "factor", descending=[True, False])
    return pl.concat([ordered, pl.DataFrame(rest, schema=IMPORTANCE_SCHEMA)])
