"""Which choice matters most: studies against every combination counted out, and what rows say of idle choices."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import polars as pl
import pytest

from fhi.arrays import Array
from fhi.recipe import AggregateStep, NormaliseStep, Recipe, WeighStep
from green_index.errors import UnknownPeriod
from green_index.robustness.alternatives import rank_runs, score_runs
from green_index.robustness.choices import Choices, Revision
from green_index.robustness.draws import ChoiceError, WeightChoice
from green_index.robustness.sobol_study import (
    FACTORS,
    IMPORTANCE_SCHEMA,
    RANKING_TARGET,
    REASONS,
    SobolStudy,
    mean_shift,
    sobol_study,
    study_variants,
)
from green_index.robustness.variants import Variants, variants

from .conftest import PERIOD, Case, make_case

RECIPE = Recipe(
    normalise=NormaliseStep(lower=0, upper=100),
    weights=WeighStep(method="given"),
    aggregate=AggregateStep(min_share=0, min_share_root=0),
)
STATED = WeightChoice("stated")
SEVERAL = Choices(
    weights=STATED,
    normalisation=("minmax", "zscore", "rank"),
    aggregation=("arithmetic", "geometric"),
    left_out=("a1", "b"),
    odds={"normalisation": {"minmax": 3.0}, "left_out": {"none": 2.0}},
)


def made(case: Case, choices: Choices) -> Variants:
    return variants(case.panel, case.framework, RECIPE, PERIOD, choices)


def exact_indices(made_of: Variants, output: Array, axes: Sequence[str]) -> tuple[Array, Array]:
    """First-order and total indices of discrete choices by definition, from the output of every combination and its
    odds: V(E(y | x)) / V and 1 - V(E(y | all but x)) / V."""
    shape = made_of.shape
    table, first, total = output.reshape(shape), [], []
    odds = np.array([np.prod(chances) for chances in product(*(axis.odds for axis in made_of.axes))]).reshape(shape)
    mean = (table * odds).sum()
    variance = ((table - mean) ** 2 * odds).sum()
    for i, axis in enumerate(made_of.axes):
        if axis.name not in axes:
            continue
        others = tuple(j for j in range(len(shape)) if j != i)
        chance = odds.sum(axis=others)
        given_it = (table * odds).sum(axis=others) / chance
        first.append(((given_it - mean) ** 2 * chance).sum() / variance)
        chance = odds.sum(axis=i)
        given_rest = (table * odds).sum(axis=i) / chance
        total.append(1 - ((given_rest - mean) ** 2 * chance).sum() / variance)
    return np.array(first), np.array(total)


def ranks_of_all(made_of: Variants) -> Array:
    """Ranks of every combination by the stated weights, (combinations, hubs)."""
    count = len(made_of.variants)
    weights = {group.group: np.repeat(group.weights[:, None], count, axis=1) for group in made_of.groups}
    return rank_runs(score_runs(made_of, np.arange(count), weights))


def test_indices_are_those_of_all_combinations_counted_out(two_levels: Case) -> None:
    made_of = made(two_levels, SEVERAL)
    study = study_variants(made_of, STATED, 4096, 1, resamples=100)
    assert study.factors == ("normalisation", "aggregation", "left_out")
    assert study.options == (3, 2, 3)
    assert study.runs == 4096 * 5
    ranks = ranks_of_all(made_of)
    outputs = np.column_stack([np.abs(ranks - made_of.stated_ranks).mean(axis=1), ranks])
    odds = np.array([variant.odds for variant in made_of.variants])
    seen = 0
    for output in range(outputs.shape[1]):
        mean = odds @ outputs[:, output]
        deviation = np.sqrt(odds @ (outputs[:, output] - mean) ** 2)
        assert study.mean[output] == pytest.approx(mean, abs=0.02)
        assert study.deviation[output] == pytest.approx(deviation, abs=0.02)
        if deviation < 0.1:
            continue
        first, total = exact_indices(made_of, outputs[:, output], study.factors)
        assert np.abs(study.indices.first_order[:, output] - first).max() < 0.04
        assert np.abs(study.indices.total[:, output] - total).max() < 0.04
        seen += 1
    assert seen >= 3


def test_moved_is_the_share_of_runs_that_a_choice_changed(two_levels: Case) -> None:
    made_of = made(two_levels, SEVERAL)
    study = study_variants(made_of, STATED, 4096, 3, resamples=1)
    ranks = ranks_of_all(made_of).reshape(*made_of.shape, -1)[..., 0]
    axis = [axis.name for axis in made_of.axes].index("aggregation")
    odds = np.array([variant.odds for variant in made_of.variants]).reshape(made_of.shape)
    arithmetic, geometric = (np.take(ranks, option, axis=axis) for option in (0, 1))
    # Two draws of two even options differ half of the time.
    expected = (odds.sum(axis=axis) * (arithmetic != geometric)).sum() / 2
    found = study.moved[study.factors.index("aggregation"), 1 + made_of.hubs.index("h0")]
    assert found == pytest.approx(expected, abs=0.03)


def test_rows_name_every_choice_and_those_that_were_not_varied(two_levels: Case) -> None:
    study = study_variants(made(two_levels, SEVERAL), STATED, 64, 5)
    rows = study.rows()
    assert rows.schema == IMPORTANCE_SCHEMA
    stated = dict(zip(study.made_of.hubs, study.made_of.stated_ranks, strict=True))
    targets = rows["target"].unique(maintain_order=True).to_list()
    assert targets == [RANKING_TARGET, *sorted(stated, key=lambda hub: (stated[hub], hub))]
    for _, own in rows.group_by("target"):
        assert set(own["choice"]) == set(FACTORS)
        varied = own.filter(pl.col("reason").ne_missing("one_option"))
        assert set(varied["choice"]) == set(study.factors)
        assert varied["total"].drop_nulls().is_sorted(descending=True)
        idle = own.filter(reason="one_option")
        assert idle["options"].to_list() == [1] * 4
        assert idle["total"].null_count() == idle["moved"].null_count() == 4
    by_choice = {row["choice"]: row["between"] for row in rows.filter(target=RANKING_TARGET).iter_rows(named=True)}
    assert by_choice["weights"] == "stated"
    assert by_choice["left_out"] == "none, a1, b"
    assert set(rows["reason"].drop_nulls()) <= set(REASONS)
    assert rows.select(pl.col("draws", "runs", "seed").unique()).rows() == [(64, 320, 5)]


@pytest.fixture
def complete() -> Case:
    """One group of two; the ranking is h0, h1, h2 by any weights; nothing is missing."""
    return make_case({"t": ("a", "b")}, {"a": 1, "b": 1}, {"a": (9.0, 5.0, 1.0), "b": (8.0, 5.5, 2.0)})


def reasons(study: SobolStudy) -> dict[tuple[str, str], str | None]:
    return {(row["target"], row["choice"]): row["reason"] for row in study.rows().iter_rows(named=True)}


def test_a_ranking_that_nothing_moves_has_no_indices(complete: Case) -> None:
    study = study_variants(made(complete, Choices(normalisation=("minmax", "zscore"))), WeightChoice("flat"), 32, 1)
    assert study.factors == ("weights", "normalisation")
    assert set(reasons(study).values()) == {"target_constant", "one_option"}
    assert study.rows()["total"].null_count() == study.rows().height
    assert study.rows().filter(target="h1")["mean"].unique().to_list() == [2.0]


def test_a_choice_that_changed_nothing_is_said_to() -> None:
    """These hubs lack nothing, so that filling in what is missing is idle."""
    case = make_case({"t": ("a", "b")}, {"a": 1, "b": 1}, {"a": (9.0, 5.0, 1.0, 4.0), "b": (1.0, 5.5, 8.0, 4.5)})
    choices = Choices(weights=WeightChoice("flat"), imputation=("none", "mean"))
    study = sobol_study(case.panel, case.framework, RECIPE, PERIOD, choices, 256, 1, resamples=50)
    found = reasons(study)
    assert found["ranking", "imputation"] == "changed_nothing"
    assert found["ranking", "weights"] is None
    row = study.rows().filter(target="ranking", choice="imputation").row(0, named=True)
    assert (row["first_order"], row["total"], row["moved"]) == (0, 0, 0)
    # Weights are all that moves anything.
    row = study.rows().filter(target="ranking", choice="weights").row(0, named=True)
    assert row["total"] == pytest.approx(1, abs=0.15)


def test_a_hub_that_some_choice_does_not_rank_has_no_index(two_levels: Case) -> None:
    """Where every child is needed, h3, which lacks a2, is ranked once a2 is left out or filled in, and otherwise not;
    the stated run must rank it to name it, so that the stated run fills in here."""
    recipe = RECIPE.model_copy(update={"aggregate": AggregateStep(min_share=1, min_share_root=1)})
    filled = recipe.model_copy(update={"impute": recipe.impute.model_copy(update={"method": "mean"})})
    choices = Choices(weights=STATED, imputation=("mean", "none"), normalisation=("minmax", "zscore"))
    study = sobol_study(two_levels.panel, two_levels.framework, filled, PERIOD, choices, 64, 1, resamples=20)
    found = reasons(study)
    assert found["h3", "imputation"] == found["h4", "normalisation"] == "not_ranked"
    assert found["h0", "imputation"] != "not_ranked"
    rows = study.rows()
    assert rows.filter(target="h3")["total"].null_count() == len(FACTORS)
    assert rows.filter(target=RANKING_TARGET)["mean"].null_count() == 0


def test_mean_shift_is_over_hubs_that_are_ranked() -> None:
    ranks = np.array([[1.0, 3.0, 2.0], [2.0, np.nan, 1.0], [np.nan, np.nan, np.nan]])
    found = mean_shift(ranks, np.array([1.0, 2.0, 3.0]))
    assert found[:2].tolist() == [(0 + 1 + 1) / 3, (1 + 2) / 2]
    assert np.isnan(found[2])


def test_the_same_seed_gives_the_same_bytes(two_levels: Case) -> None:
    choices = Choices(aggregation=("arithmetic", "geometric"), revision=Revision(0.1, 2))
    case = (two_levels.panel, two_levels.framework, RECIPE, PERIOD, choices)
    told: list[tuple[int, int]] = []
    one = sobol_study(*case, 100, 7, resamples=20, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (500, 500)
    assert one.rows().equals(sobol_study(*case, 100, 7, resamples=20).rows())
    assert not one.rows().equals(sobol_study(*case, 100, 8, resamples=20).rows())


def test_what_cannot_be_studied_is_refused(two_levels: Case) -> None:
    case = (two_levels.panel, two_levels.framework, RECIPE)
    with pytest.raises(ChoiceError, match="found each of one option; expected a choice with two options"):
        sobol_study(*case, PERIOD, Choices(weights=STATED), 64, 1)
    with pytest.raises(ChoiceError, match="found 0 sets of weights"):
        sobol_study(*case, PERIOD, Choices(), 64, 1, weight_sets=0)
    with pytest.raises(ChoiceError, match="draws: found 1; expected 2 or more"):
        sobol_study(*case, PERIOD, Choices(), 1, 1)
    with pytest.raises(UnknownPeriod):
        sobol_study(*case, "1999", Choices(), 64, 1)
