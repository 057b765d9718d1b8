"""The steps before weights: screen, denominate, impute, treat, normalise, in this order, over one panel.

Knows the order of the steps and how a panel becomes a cube; each step's arithmetic lives in the module named after it.
Knows no weights and no source of figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from fhi.denominate import denominate
from fhi.errors import ConstantIndicator, Problem, RecipeError
from fhi.framework import Framework, Indicator
from fhi.impute import Context, hold_out_error, impute
from fhi.normalise import Facts, constant, normalise, rules_of
from fhi.notes import Note
from fhi.recipe import NormaliseRule, NormaliseStep, Recipe
from fhi.screen import screen
from fhi.treat import TRANSFORMS, treat

CHANGE_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "code": pl.String,
        "step": pl.String,
        "before": pl.Float64,
        "after": pl.Float64,
    }
)
_AXES: Final = ("period", "hub", "code")


@dataclass(frozen=True)
class Steps:
    """What became of the figures before weights.

    cubes: (periods, hubs, indicators) after each step that was done, `data` first and `normalised` last, NaN where
    missing. denominators: (periods, hubs, denominators). within: scores on bounds of each period alone or on fixed
    marks, which weights come from. changes: CHANGE_SCHEMA, one row a cell that a step filled, moved or lost. screening,
    imputation, treatment: what each of these steps found and did, empty where it was not done.
    """

    periods: tuple[str, ...]
    hubs: tuple[str, ...]
    codes: tuple[str, ...]
    cubes: Mapping[str, Array]
    denominators: Array
    within: Array
    changes: pl.DataFrame
    screening: pl.DataFrame
    imputation: pl.DataFrame
    treatment: pl.DataFrame
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class _Names:
    """Names along the axes, for tables that steps give by position."""

    periods: tuple[str, ...]
    hubs: tuple[str, ...]
    codes: tuple[str, ...]

    def named(self, table: pl.DataFrame) -> pl.DataFrame:
        """period, unit and indicator positions as names; other columns as they are."""
        axes = {"unit": ("hub", self.hubs), "period": ("period", self.periods), "indicator": ("code", self.codes)}
        columns = [
            pl.lit(pl.Series(names, dtype=pl.String)).gather(pl.col(old)).alias(new)
            for old, (new, names) in axes.items()
            if old in table.columns
        ]
        return table.select(*columns, pl.exclude("unit", "period", "indicator"))


def prepare(panel: pl.DataFrame, framework: Framework, recipe: Recipe, units: pl.DataFrame) -> Steps:
    """All steps from a checked panel to scores of the indicators.

    panel: fhi.panel.PANEL_SCHEMA without problems; units: `hub` and one column an attribute that `[impute] group` may
    name. Raises ConstantIndicator where the recipe asks for it, RecipeError where a step cannot be done on these
    figures.
    """
    names = _Names(
        tuple(panel["period"].unique().sort()), tuple(panel["hub"].unique().sort()), tuple(framework.indicator)
    )
    notes: list[Note] = []
    cubes = {"data": cube_of(panel, names.periods, names.hubs, names.codes)}
    x = cubes["data"]
    sizes = cube_of(panel, names.periods, names.hubs, list(framework.denominator))
    changes = [pl.DataFrame(schema=CHANGE_SCHEMA)]

    screened = screen(x, recipe.screen, lowest_groups(framework), names.hubs)
    screening = names.named(screened.gone)
    if recipe.screen.method != "none":
        x = cubes["screened"] = screened.cube
        notes += _screened_out(screening)

    if recipe.denominate.method != "none" and framework.denominators:
        x, lost, remarks = _denominate(x, sizes, framework, names)
        cubes["denominated"] = x
        changes.append(lost)
        notes += remarks

    imputation = pl.DataFrame()
    if recipe.impute.method != "none":
        here = screened.rows[:, :, None] & screened.indicators
        x, filled, imputation, remarks = _impute(x, here, framework, recipe, units, names)
        cubes["imputed"] = x
        changes.append(filled)
        notes += remarks

    treated, altered, treatment = _treat(x, framework, recipe, names, pooled=recipe.normalise.bounds != "period")
    _check_scales(treatment, framework, recipe, names)
    if recipe.treat.method != "none" or recipe.treat.by_indicator or not np.array_equal(treated, x, equal_nan=True):
        cubes["treated"] = treated
        changes.append(altered)
        notes += _treatment_notes(altered, treatment, recipe)
    normalised, remarks = _normalise(treated, framework.indicators, recipe.normalise, names)
    cubes["normalised"] = normalised
    return Steps(
        periods=names.periods,
        hubs=names.hubs,
        codes=names.codes,
        cubes=cubes,
        denominators=sizes,
        within=_within_periods(x, normalised, framework, recipe, names),
        changes=pl.concat(changes),
        screening=screening,
        imputation=imputation,
        treatment=treatment,
        notes=(*notes, *remarks),
    )


def cube_of(panel: pl.DataFrame, periods: Sequence[str], hubs: Sequence[str], codes: Sequence[str]) -> Array:
    """Figures of these codes as (periods, hubs, codes), NaN where missing; rows of other codes are passed over."""
    cube = np.full((len(periods), len(hubs), len(codes)), np.nan)
    if not codes:
        return cube
    rows = panel.lazy().select(*_AXES, "value").filter(pl.col("code").is_in(codes)).collect()
    cube[positions(rows, periods, hubs, codes)] = rows["value"].fill_null(np.nan).to_numpy()
    return cube


def positions(
    rows: pl.DataFrame, periods: Sequence[str], hubs: Sequence[str], codes: Sequence[str]
) -> tuple[npt.NDArray[np.int64], ...]:
    """Where each row of a panel stands in a cube with these axes."""
    # As categories of an Enum names become positions without a look-up in Python.
    kinds = dict(zip(_AXES, (periods, hubs, codes), strict=True))
    found = rows.select(
        pl.col(name).cast(pl.Enum(list(names))).to_physical().cast(pl.Int64) for name, names in kinds.items()
    )
    return tuple(found[name].to_numpy() for name in _AXES)


def lowest_groups(framework: Framework) -> dict[str, list[int]]:
    """Positions of the indicators of every group that has indicators of its own."""
    place = {code: i for i, code in enumerate(framework.indicator)}
    below = {group: [place[c] for c in children if c in place] for group, children in framework.children.items()}
    return {group: columns for group, columns in below.items() if columns}


def wide_table(steps: Steps, name: str) -> pl.DataFrame:
    """The figures after one step: hub, period, and one column an indicator; null where missing."""
    cube = steps.cubes[name]
    axes = pl.DataFrame({"period": list(steps.periods)}).join(pl.DataFrame({"hub": list(steps.hubs)}), how="cross")
    flat = cube.reshape(-1, cube.shape[2])
    columns = [pl.Series(code, flat[:, i]).fill_nan(None) for i, code in enumerate(steps.codes)]
    return axes.select("hub", "period").with_columns(columns)


def _screened_out(screening: pl.DataFrame) -> list[Note]:
    """What was left out: indicators for all periods, units by period."""
    notes = [
        Note("indicator_screened_out", code) for code in screening["code"].drop_nulls().unique(maintain_order=True)
    ]
    gone = (
        screening.filter(pl.col("hub").is_not_null())
        .group_by("hub", maintain_order=True)
        .agg(pl.col("period").unique(maintain_order=True))
    )
    return [*notes, *(Note("unit_screened_out", hub, tuple(periods)) for hub, periods in gone.iter_rows())]


def _denominate(x: Array, sizes: Array, framework: Framework, names: _Names) -> tuple[Array, pl.DataFrame, list[Note]]:
    order = list(framework.denominator)
    which = [order.index(entry.denominator) if entry.denominator else -1 for entry in framework.indicators]
    per = np.array([entry.per for entry in framework.indicators])
    done = denominate(x, sizes, np.array(which, dtype=np.int64), per)
    where = tuple(done.lost[axis].to_numpy() for axis in ("period", "unit", "indicator"))
    lost = names.named(done.lost).with_columns(
        step=pl.lit("denominate"), before=pl.Series(x[where]), after=pl.lit(None, dtype=pl.Float64)
    )
    counts = done.lost.group_by("denominator", maintain_order=True).len().iter_rows()
    notes = [Note("lost_to_denominator", order[position], detail=str(count)) for position, count in counts]
    return done.cube, lost.select(CHANGE_SCHEMA.names()), notes


def _impute(
    x: Array,
    here: npt.NDArray[np.bool_],
    framework: Framework,
    recipe: Recipe,
    units: pl.DataFrame,
    names: _Names,
) -> tuple[Array, pl.DataFrame, pl.DataFrame, list[Note]]:
    """Figures with fillings, the cells filled, counts and errors by indicator; only cells that are `here`, since what
    screening took out stays out."""
    step = recipe.impute
    _check_order(names.periods)
    context = Context(
        unit_group=_unit_groups(units, step.group, names.hubs),
        indicator_group=_indicator_groups(framework),
        direction=np.array([entry.direction for entry in framework.indicators], dtype=np.float64),
        time=np.array([time_of(period) for period in names.periods]),
    )
    done = impute(x, step, context, recipe.seed)
    mask = done.mask & here
    where = np.nonzero(mask)
    filled = names.named(
        pl.DataFrame({"period": where[0], "unit": where[1], "indicator": where[2], "after": done.cube[where]})
    ).with_columns(step=pl.lit(f"impute {step.method}"), before=pl.lit(None, dtype=pl.Float64))
    counts = pl.DataFrame(
        {
            "code": list(names.codes),
            "method": step.method,
            "missing": (np.isnan(x) & here).sum(axis=(0, 1)),
            "imputed": mask.sum(axis=(0, 1)),
        }
    )
    errors = names.named(hold_out_error(x, step, context, recipe.seed))
    notes = [Note("imputed", step.method, detail=str(int(mask.sum())))] if mask.any() else []
    if done.unsettled:
        notes.append(Note("imputation_unsettled", step.method, tuple(names.periods[p] for p in done.unsettled)))
    table = counts.join(errors, on="code", maintain_order="left")
    return np.where(here, done.cube, np.nan), filled.select(CHANGE_SCHEMA.names()), table, notes


def _check_order(periods: Sequence[str]) -> None:
    """Raises RecipeError where two periods begin at once, or come in another order by name than in time: imputation
    goes along time, so they must be of one kind."""
    for first, second in pairwise(sorted(periods, key=time_of)):
        if time_of(first) == time_of(second) or first > second:
            expected = "years, quarters or months alone where figures are imputed, or [impute] method = none"
            raise RecipeError([Problem("[impute]", f"periods {first} and {second}", expected, "mixed_periods")])


def _unit_groups(units: pl.DataFrame, group: str | None, hubs: Sequence[str]) -> npt.NDArray[np.int64]:
    if group is None:
        return np.full(len(hubs), -1, dtype=np.int64)
    own = pl.LazyFrame({"hub": list(hubs)}).join(units.lazy(), on="hub", how="left", maintain_order="left")
    codes = own.select(pl.col(group).rank("dense").cast(pl.Int64).fill_null(0) - 1).collect()
    return codes[group].to_numpy()


def _indicator_groups(framework: Framework) -> npt.NDArray[np.int64]:
    parents = list(framework.children)
    return np.array([parents.index(entry.parent) for entry in framework.indicators], dtype=np.int64)


def time_of(period: str) -> float:
    """Where a period begins, in years: 2022 -> 2022.0, 2022-Q3 -> 2022.5, 2022-04 -> 2022.25; undated -> 0."""
    if not period[:1].isdigit():
        return 0.0
    year, _, part = period.partition("-")
    if part.startswith("Q"):
        return int(year) + (int(part[1:]) - 1) / 4
    return int(year) + ((int(part) - 1) / 12 if part else 0)


def _treat(
    x: Array, framework: Framework, recipe: Recipe, names: _Names, *, pooled: bool
) -> tuple[Array, pl.DataFrame, pl.DataFrame]:
    """Declared transformations first, then what the recipe does about outliers."""
    columns = []
    for i, entry in enumerate(framework.indicators):
        try:
            columns.append(TRANSFORMS[entry.transform](x[:, :, i]))
        except ValueError as error:
            expected = f"figures that {entry.transform} can take; choose another imputation or transform"
            raise RecipeError([Problem(entry.code, str(error), expected, "wrong_figures")]) from error
    done = treat(np.stack(columns, axis=2), recipe.treat, names.codes, pooled=pooled)
    altered = names.named(done.changes).with_columns(step=pl.lit("treat"))
    return done.cube, altered.select(CHANGE_SCHEMA.names()), names.named(done.summary)


def _check_scales(treatment: pl.DataFrame, framework: Framework, recipe: Recipe, names: _Names) -> None:
    """Raises RecipeError where figures were transformed and are to be scored on marks in the unit they had."""
    moved = set(treatment.filter(pl.col("method").is_in(["log", "boxcox"]))["code"])
    problems = []
    for entry, rule in zip(framework.indicators, rules_of(recipe.normalise, names.codes), strict=True):
        if entry.code in moved and rule.method != "distance_to_reference" and _on_marks(rule, entry):
            found = f"transformed by the treatment, then scored by {rule.method} on marks in its own unit"
            expected = f'[treat.by_indicator."{entry.code}"] method = "none", or fall_back = "none"'
            problems.append(Problem(f"[treat] {entry.code}", found, expected, "transformed"))
        if entry.transform != "none" and rule.method == "scaled":
            found = f"transformed by {entry.transform}, then scored by scaled on marks in its own unit"
            expected = "goalposts in the framework and method goalposts, which are transformed as the figures are"
            problems.append(Problem(f"[normalise] {entry.code}", found, expected, "transformed"))
    if problems:
        raise RecipeError(problems)


def _on_marks(rule: NormaliseRule, entry: Indicator) -> bool:
    """Is the indicator scored on marks that do not come from the figures of a period?"""
    goalposts = rule.method == "minmax" and entry.lower is not None
    return goalposts or rule.method in ("goalposts", "scaled", "distance_to_target", "distance_to_reference")


def _treatment_notes(altered: pl.DataFrame, treatment: pl.DataFrame, recipe: Recipe) -> list[Note]:
    """How many cells were changed, and which indicators no treatment helped."""
    notes = [Note("treated", recipe.treat.method, detail=str(altered.height))] if altered.height else []
    if recipe.treat.method == "none":
        return notes
    still = treatment.filter(~pl.col("passed")).group_by("code", maintain_order=True).agg(pl.col("period").drop_nulls())
    return [*notes, *(Note("still_skewed", code, tuple(periods)) for code, periods in still.iter_rows())]


def _normalise(x: Array, entries: Sequence[Indicator], step: NormaliseStep, names: _Names) -> tuple[Array, list[Note]]:
    rare, notes = _too_rare(x, names, step.min_hubs)
    x = np.where(rare[:, None, :], np.nan, x)
    facts, rules = _facts(entries), rules_of(step, names.codes)
    notes += _constants(constant(x, facts, rules, pooled=step.bounds == "pooled"), names, step)
    return normalise(x, facts, rules, bounds=step.bounds, units=names.hubs, periods=names.periods), notes


def _facts(entries: Sequence[Indicator]) -> Facts:
    """What the tree says of each indicator's scale. Goalposts and targets are transformed as the figures are."""
    figures = [
        [np.nan if value is None else float(TRANSFORMS[entry.transform](np.array(value))) for entry, value in column]
        for column in (
            [(entry, entry.lower) for entry in entries],
            [(entry, entry.upper) for entry in entries],
            [(entry, entry.target) for entry in entries],
        )
    ]
    direction = np.array([entry.direction for entry in entries], dtype=np.float64)
    return Facts(tuple(entry.code for entry in entries), direction, *(np.array(column) for column in figures))


def _within_periods(x: Array, normalised: Array, framework: Framework, recipe: Recipe, names: _Names) -> Array:
    """Scores on bounds of each period alone: a trend that all hubs share is no ground for weights, and runs that
    differ in bounds only keep the same ones. Scores on fixed marks stay: no period has marks of its own, and may lack
    what the run as a whole has, a reference unit or a figure below the target."""
    rules = rules_of(recipe.normalise, names.codes)
    moving = [i for i, entry in enumerate(framework.indicators) if not _on_marks(rules[i], entry)]
    if recipe.normalise.bounds == "period" or not moving:
        return normalised
    treated, _, _ = _treat(x, framework, recipe, names, pooled=False)
    step = recipe.normalise.model_copy(update={"bounds": "period", "constant": "drop"})
    own = replace(names, codes=tuple(names.codes[i] for i in moving))
    within = normalised.copy()
    within[:, :, moving], _ = _normalise(treated[:, :, moving], [framework.indicators[i] for i in moving], step, own)
    return within


def _too_rare(x: Array, names: _Names, min_hubs: int) -> tuple[npt.NDArray[np.bool_], list[Note]]:
    """Where an indicator has figures of too few hubs to be compared, (periods, indicators), and what to say of it."""
    count = (~np.isnan(x)).sum(axis=1)
    rare = (count > 0) & (count < min_hubs)
    return rare, [Note("too_few_hubs", code, where, str(min_hubs)) for code, where in _where(rare, names).items()]


def _constants(flat: npt.NDArray[np.bool_], names: _Names, step: NormaliseStep) -> list[Note]:
    """Say which indicators tell hubs apart in no way, or raise, as the recipe asks."""
    found = _where(flat, names)
    if found and step.constant == "error":
        listing = "; ".join(f"{code} in {', '.join(where)}" for code, where in found.items())
        raise ConstantIndicator(f'one value only: {listing}. Use constant = "drop" to leave such figures out')
    return [Note("one_value_only", code, where) for code, where in found.items()]


def _where(flags: npt.NDArray[np.bool_], names: _Names) -> dict[str, tuple[str, ...]]:
    """Indicators with a flag, and the periods it is set in; flags: (periods, indicators)."""
    return {
        code: tuple(names.periods[p] for p in np.flatnonzero(flags[:, i]))
        for i, code in enumerate(names.codes)
        if flags[:, i].any()
    }
