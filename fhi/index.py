"""The base index: from a panel, a framework and a recipe to scores of every node of the tree.

Knows the order of the steps; each step's arithmetic lives in the module named after it. Knows no source of figures,
no database and no carbon.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.aggregate import AGGREGATORS, rescaled_weights
from fhi.arrays import Array
from fhi.errors import ConstantIndicator, PanelError
from fhi.framework import Framework
from fhi.normalise import NORMALISERS, Bounds, observed_bounds
from fhi.notes import Note
from fhi.panel import check_panel, hash_panel, sort_panel
from fhi.recipe import Recipe
from fhi.treat import TRANSFORMS
from fhi.weigh import WEIGHT_SCHEMA, GroupWeights, weigh_group

SCORE_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "code": pl.String,
        "level": pl.Int64,
        "score": pl.Float64,
        "rank": pl.Int64,
        "ranked": pl.Int64,
        "coverage": pl.Float64,
        "reason": pl.String,
    }
)
NO_FIGURES: Final = "no_figures"
BELOW_MIN_SHARE: Final = "below_min_share"


@dataclass(frozen=True)
class IndexResult:
    """One run, frozen.

    scores: SCORE_SCHEMA, one row a hub, period and node; null score and rank with a `reason` where not ranked.
    inputs: the panel with each figure's `normalised` score, effective `weight` in the total of that hub and `points`
        (weight x normalised; they add up to the total).
    weights: stated weights by group and child. notes: what the run did that a reader must know.
    """

    framework: Framework
    recipe: Recipe
    scores: pl.DataFrame
    inputs: pl.DataFrame
    weights: pl.DataFrame
    notes: tuple[Note, ...]
    provenance: Mapping[str, str | int]


def build_index(panel: pl.DataFrame, framework: Framework, recipe: Recipe) -> IndexResult:
    """Score every hub and period: transform, normalise, weigh, aggregate up the tree, rank.

    panel: fhi.panel.PANEL_SCHEMA. Raises PanelError with every problem of the panel, ConstantIndicator where the
    recipe asks for it, WeightError and JudgementError from the weighting.
    """
    problems = check_panel(panel, framework)
    if problems:
        raise PanelError(problems)
    panel = sort_panel(panel)
    hubs = panel["hub"].unique().sort().to_list()
    periods = panel["period"].unique().sort().to_list()
    raw = _cube(panel, hubs, periods, framework)
    normalised, notes = _normalise(raw, framework, recipe, periods)
    weights = _weigh(raw, framework, recipe, periods)
    stated = {entry.group: entry.weights for entry in weights}
    scores, local = _aggregate(normalised, framework, stated, recipe)
    coverage = _coverage(raw, framework, stated)
    effective = _effective_weights(framework, local)
    return IndexResult(
        framework=framework,
        recipe=recipe,
        scores=_score_frame(framework, hubs, periods, scores, coverage),
        inputs=_input_frame(panel, framework, hubs, periods, normalised, effective),
        weights=_weight_frame(framework, weights, recipe),
        notes=(*_carried_forward(panel), *notes, *(note for entry in weights for note in entry.notes)),
        provenance=provenance(panel, framework, recipe),
    )


def provenance(panel: pl.DataFrame, framework: Framework, recipe: Recipe) -> dict[str, str | int]:
    """What a result was made from: hashes of framework, recipe and data, and the seed."""
    return {
        "framework": framework.id,
        "framework_hash": framework.hash,
        "recipe_hash": recipe.hash(),
        "data_version": hash_panel(panel),
        "seed": recipe.seed,
    }


def _columns(framework: Framework, group: str) -> list[int]:
    """Positions of a group's indicators among all indicators (child groups have none)."""
    position = {code: i for i, code in enumerate(framework.indicator)}
    return [position[child] for child in framework.children[group] if child in position]


def _positions(panel: pl.DataFrame, hubs: list[str], periods: list[str], codes: list[str]) -> tuple[Array, ...]:
    lookup = [(name, values) for name, values in zip(("period", "hub", "code"), (periods, hubs, codes), strict=True)]
    return tuple(
        panel[name].replace_strict(values, range(len(values)), return_dtype=pl.Int64).to_numpy()
        for name, values in lookup
    )


def _cube(panel: pl.DataFrame, hubs: list[str], periods: list[str], framework: Framework) -> Array:
    """Raw figures as (periods, hubs, indicators), NaN where missing."""
    codes = list(framework.indicator)
    cube = np.full((len(periods), len(hubs), len(codes)), np.nan)
    cube[_positions(panel, hubs, periods, codes)] = panel["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return cube


def _normalise(raw: Array, framework: Framework, recipe: Recipe, periods: list[str]) -> tuple[Array, list[Note]]:
    step = recipe.normalise
    indicators = list(framework.indicator.values())
    x = np.stack([TRANSFORMS[entry.transform](raw[:, :, i]) for i, entry in enumerate(indicators)], axis=2)
    rare, notes = _too_rare(x, list(framework.indicator), periods, step.min_hubs)
    x = np.where(rare[:, None, :], np.nan, x)
    least, greatest = observed_bounds(x, pooled=step.bounds == "pooled")
    for i, entry in enumerate(indicators):
        if entry.lower is not None and entry.upper is not None:
            transform = TRANSFORMS[entry.transform]
            least[:, :, i] = transform(np.array(entry.lower))
            greatest[:, :, i] = transform(np.array(entry.upper))
    notes += _constants((least, greatest), list(framework.indicator), periods, recipe)
    direction = np.array([entry.direction for entry in indicators], dtype=np.float64)
    scores = NORMALISERS[step.method](x, (least, greatest), direction, step.lower, step.upper)
    return scores, notes


def _carried_forward(panel: pl.DataFrame) -> list[Note]:
    """Which indicators rest on figures of an earlier period, and where."""
    carried = (
        panel.filter(pl.col("status") == "carried_forward").select("code", "period").unique().sort("code", "period")
    )
    by_code = carried.group_by("code", maintain_order=True).agg("period")
    return [Note("carried_forward", code, tuple(periods)) for code, periods in by_code.iter_rows()]


def _too_rare(
    x: Array, codes: list[str], periods: list[str], min_hubs: int
) -> tuple[npt.NDArray[np.bool_], list[Note]]:
    """Where an indicator has figures of too few hubs to be compared, (periods, indicators), and what to say of it."""
    count = (~np.isnan(x)).sum(axis=1)
    rare = (count > 0) & (count < min_hubs)
    found = {code: [periods[p] for p in np.flatnonzero(rare[:, i])] for i, code in enumerate(codes) if rare[:, i].any()}
    return rare, [Note("too_few_hubs", code, tuple(where), str(min_hubs)) for code, where in found.items()]


def _weigh(raw: Array, framework: Framework, recipe: Recipe, periods: list[str]) -> list[GroupWeights]:
    """Weights of every group, derived from scores within each period whatever the bounds of the run: a trend that all
    hubs share is no ground for weights, and runs that differ in bounds only keep the same ones."""
    within = recipe.model_copy(update={"normalise": recipe.normalise.model_copy(update={"bounds": "period"})})
    scores, _ = _normalise(raw, framework, within, periods)
    return [
        weigh_group(group, framework, scores[:, :, _columns(framework, group)], recipe) for group in framework.top_down
    ]


def _constants(bounds: Bounds, codes: list[str], periods: list[str], recipe: Recipe) -> list[Note]:
    """Say which indicators tell hubs apart in no way, or raise, as the recipe asks."""
    least, greatest = bounds
    flat = (least == greatest)[:, 0, :]
    found = {code: [periods[p] for p in np.flatnonzero(flat[:, i])] for i, code in enumerate(codes) if flat[:, i].any()}
    if found and recipe.normalise.constant == "error":
        listing = "; ".join(f"{code} in {', '.join(where)}" for code, where in found.items())
        raise ConstantIndicator(f'one value only: {listing}. Use constant = "drop" to leave such figures out')
    return [Note("one_value_only", code, tuple(where)) for code, where in found.items()]


def _aggregate(
    normalised: Array, framework: Framework, stated: Mapping[str, Array], recipe: Recipe
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Scores (periods, hubs) of every node, and each group's re-scaled weights (periods, hubs, children)."""
    scores = {code: normalised[:, :, i] for i, code in enumerate(framework.indicator)}
    local: dict[str, Array] = {}
    aggregate = AGGREGATORS[recipe.aggregate.method]
    for group in reversed(framework.top_down):
        children = np.stack([scores[child] for child in framework.children[group]], axis=2)
        step = recipe.aggregate
        share = step.min_share_root if group == framework.root else step.min_share
        local[group] = rescaled_weights(children, np.nan_to_num(stated[group]), share)
        scores[group] = aggregate(children, local[group])
    return scores, local


def _coverage(raw: Array, framework: Framework, stated: Mapping[str, Array]) -> dict[str, Array]:
    """Share of each node's indicators that have a figure, each child counted by its stated weight.

    Where weights come from the data (PCA) they say nothing about indicators without figures, so children count
    alike there; `stated` holds NaN for these.
    """
    coverage = {code: (~np.isnan(raw[:, :, i])).astype(np.float64) for i, code in enumerate(framework.indicator)}
    for group in reversed(framework.top_down):
        weights = stated[group]
        from_data = np.isnan(weights).any() or group not in framework.judgement
        parts = np.ones(len(weights)) if from_data else weights
        children = np.stack([coverage[child] for child in framework.children[group]], axis=2)
        coverage[group] = (children * parts).sum(axis=2) / parts.sum()
    return coverage


def _effective_weights(framework: Framework, local: Mapping[str, Array]) -> Array:
    """Weight of each indicator in each hub's own total, (periods, hubs, indicators); sums to 1 for a ranked hub."""
    root = local[framework.root]
    reach = {framework.root: np.where(np.isnan(root[:, :, 0]), np.nan, 1.0)}
    for group in framework.top_down:
        for i, child in enumerate(framework.children[group]):
            part = local[group][:, :, i]
            reach[child] = np.where((part == 0) | (reach[group] == 0), 0.0, reach[group] * part)
    return np.stack([reach[code] for code in framework.indicator], axis=2)


def _score_frame(
    framework: Framework,
    hubs: list[str],
    periods: list[str],
    scores: Mapping[str, Array],
    coverage: Mapping[str, Array],
) -> pl.DataFrame:
    codes = list(framework.node)
    grid = pl.DataFrame({"code": codes}).join(pl.DataFrame({"period": periods}), how="cross")
    grid = grid.join(pl.DataFrame({"hub": hubs}), how="cross")
    frame = grid.with_columns(
        level=pl.col("code").replace_strict(framework.level, return_dtype=pl.Int64),
        score=pl.Series(np.concatenate([scores[code].ravel() for code in codes])).fill_nan(None),
        coverage=pl.Series(np.concatenate([coverage[code].ravel() for code in codes])),
    )
    node = ["code", "period"]
    ranked = frame.with_columns(
        rank=pl.col("score").rank("min", descending=True).over(node).cast(pl.Int64),
        ranked=pl.col("score").is_not_null().sum().over(node).cast(pl.Int64),
        reason=pl.when(pl.col("score").is_not_null())
        .then(None)
        .when(pl.col("coverage") > 0)
        .then(pl.lit(BELOW_MIN_SHARE))
        .otherwise(pl.lit(NO_FIGURES)),
    )
    return ranked.select(SCORE_SCHEMA.names()).cast(SCORE_SCHEMA).sort("period", "level", "code", "hub")


def _input_frame(
    panel: pl.DataFrame,
    framework: Framework,
    hubs: list[str],
    periods: list[str],
    normalised: Array,
    effective: Array,
) -> pl.DataFrame:
    where = _positions(panel, hubs, periods, list(framework.indicator))
    score, weight = normalised[where], effective[where]
    return panel.with_columns(
        normalised=pl.Series(score).fill_nan(None),
        weight=pl.Series(weight).fill_nan(None),
        points=pl.Series(np.where(np.isnan(score), np.nan, score * weight)).fill_nan(None),
    )


def _weight_frame(framework: Framework, weights: list[GroupWeights], recipe: Recipe) -> pl.DataFrame:
    rows = []
    for entry in weights:
        for child, weight in zip(framework.children[entry.group], entry.weights, strict=True):
            rows.append(
                {
                    "group": entry.group,
                    "code": child,
                    "weight": None if np.isnan(weight) else float(weight),
                    "method": entry.method,
                    "assumed": entry.assumed,
                    "consistency_ratio": entry.consistency_ratio,
                    "random_index": recipe.weigh.random_index if entry.consistency_ratio is not None else None,
                    "kmo": entry.kmo,
                    "bartlett_chi_square": entry.sphericity.chi_square if entry.sphericity else None,
                    "bartlett_df": entry.sphericity.degrees_of_freedom if entry.sphericity else None,
                }
            )
    return pl.DataFrame(rows, schema=WEIGHT_SCHEMA)
