"""Given alternatives: COINr's uncertainty analysis of its ASEM example from its own drawn runs, and what is refused."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fhi.formats.panel_files import PanelFile, load_panel
from fhi.framework import Framework, load_framework
from fhi.recipe import (
    AggregateStep,
    DenominateStep,
    ImputeStep,
    NormaliseStep,
    Recipe,
    TreatStep,
    WeighStep,
)
from green_index.errors import UnknownPeriod
from green_index.robustness.alternatives import AlternativeRuns, run_alternatives
from green_index.robustness.bands import quantile_of_counts
from green_index.robustness.draws import ChoiceError

from .conftest import Case

# The package's vignette: what is drawn by column and value of the files, as changes of a recipe.
OPTIONS = {
    "winmax": {points: {"treat.max_points": points} for points in range(1, 6)},
    "norm": {
        "n_minmax": {"normalise.method": "minmax", "normalise.lower": 1.0, "normalise.upper": 100.0},
        "n_zscore": {"normalise.method": "zscore", "normalise.mean": 10.0, "normalise.sd": 2.0},
    },
    "f_ag": {"a_amean": {"aggregate.method": "arithmetic"}, "a_gmean": {"aggregate.method": "geometric"}},
}
EXAMPLE = Recipe(
    denominate=DenominateStep(method="framework"),
    impute=ImputeStep(method="group_mean", group="EurAsia_group"),
    treat=TreatStep(method="winsorise"),
    normalise=NormaliseStep(lower=0, upper=100),
    weights=WeighStep(method="given"),
    aggregate=AggregateStep(min_share=0, min_share_root=0),
)


@dataclass(frozen=True)
class Asem:
    folder: Path
    framework: Framework
    file: PanelFile

    @property
    def period(self) -> str:
        period: str = self.file.panel["period"][0]
        return period

    def sets(self) -> dict[int, dict[str, float]]:
        rows = pl.read_csv(self.folder / "sa/noisy_weight_sets.csv").iter_rows(named=True)
        return {row.pop("set"): row for row in rows}

    def run(self, file: str) -> AlternativeRuns:
        runs = pl.read_csv(self.folder / "sa" / file)
        panel, units = self.file.panel, self.file.units
        return run_alternatives(panel, self.framework, EXAMPLE, self.period, runs, OPTIONS, self.sets(), units)


@pytest.fixture(scope="module")
def asem(reference: Path) -> Asem:
    folder = reference / "composite/coinr_asem"
    framework = load_framework(folder / "iMeta.csv")
    return Asem(folder, framework, load_panel(folder / "iData.csv", framework))


@pytest.fixture(scope="module")
def hundred(asem: Asem) -> AlternativeRuns:
    return asem.run("ua_n100_para.csv")


def by_hub(asem: Asem, file: str, hubs: tuple[str, ...]) -> pl.DataFrame:
    frame = pl.read_csv(asem.folder / "sa" / file)
    return pl.DataFrame({"uCode": hubs}).join(frame, on="uCode", how="left", maintain_order="left")


def test_scores_of_coinr_at_n_100(asem: Asem, hundred: AlternativeRuns) -> None:
    """5,100 scores; those above 1 relative to their size: 1e-12 of a score of 60 is less than its last digit."""
    expected = by_hub(asem, "ua_n100_scores.csv", hundred.hubs)
    theirs = expected.select(f"r_{run}" for run in range(1, 101)).to_numpy().T
    assert theirs.shape == hundred.scores.shape == (100, 51)
    assert np.abs(hundred.scores / theirs - 1).max() < 1e-12
    assert np.abs(hundred.stated_scores / expected["Nominal"].to_numpy() - 1).max() < 1e-12


def test_ranks_of_coinr_at_n_100_exactly(asem: Asem, hundred: AlternativeRuns) -> None:
    expected = by_hub(asem, "ua_n100_ranks.csv", hundred.hubs)
    theirs = expected.select(f"r_{run}" for run in range(1, 101)).to_numpy().T
    assert np.array_equal(hundred.ranks, theirs)
    assert np.array_equal(hundred.stated_ranks, expected["Nominal"].to_numpy())


def test_rank_statistics_of_coinr_at_n_100_exactly(asem: Asem, hundred: AlternativeRuns) -> None:
    """Quantiles but for the last digits that R's own interpolation loses: its file has 7.09999999999999 for 7.1."""
    expected = by_hub(asem, "ua_n100_rankstats.csv", hundred.hubs)
    places = np.arange(1, len(hundred.hubs) + 1)
    counts = (hundred.ranks.T[:, :, None] == places).sum(axis=1)
    assert (counts.sum(axis=1) == 100).all()
    assert (counts @ places / 100).tolist() == expected["Mean"].to_list()
    for column, percent in (("Median", 50), ("Q5", 5), ("Q95", 95)):
        assert np.abs(quantile_of_counts(counts, percent) - expected[column].to_numpy()).max() < 1e-13, column


def test_mean_rank_change_of_coinrs_600_runs(asem: Asem) -> None:
    expected = pl.read_csv(asem.folder / "sa/sa_n100_y.csv")["mean_abs_rank_change"].to_numpy()
    shift = asem.run("sa_n100_para.csv").mean_shift()
    assert shift.shape == expected.shape == (600,)
    assert np.abs(shift - expected).max() < 1e-12
    assert np.array_equal(np.round(shift * 51), np.round(expected * 51))


def test_all_wrong_values_are_told_at_once(asem: Asem) -> None:
    runs = pl.DataFrame({"winmax": [9], "norm": ["n_minmx"], "weight_set": [1]})
    sets = {1: {"Conn": 1.0}, 2: {"Cnn": 1.0}, 3: {"Conn": -1.0, "Sust": 1.0}, 4: {"Conn": 0.0, "Sust": 0.0}}
    with pytest.raises(ChoiceError) as raised:
        run_alternatives(asem.file.panel, asem.framework, EXAMPLE, asem.period, runs, OPTIONS, sets)
    told = [(problem.where, problem.code) for problem in raised.value.problems]
    assert told == [
        ("runs", "no_column"),
        ("runs, column winmax", "unknown_name"),
        ("runs, column norm", "unknown_name"),
        ("weight set 1, group Index", "incomplete"),
        ("weight set 2", "unknown_name"),
        ("weight set 3, group Index", "wrong_value"),
        ("weight set 4, group Index", "wrong_value"),
    ]
    assert "'n_minmax'?" in str(raised.value)


def test_options_that_cannot_go_together_are_refused(asem: Asem) -> None:
    runs = pl.DataFrame({"f_ag": ["a_gmean"]})
    options = {"f_ag": {"a_gmean": {"aggregate.method": "geometric"}}}
    panel, units = asem.file.panel, asem.file.units
    with pytest.raises(ChoiceError, match=r"(?s)runs of f_ag a_gmean: found .*scores above zero for a geometric mean"):
        run_alternatives(panel, asem.framework, EXAMPLE, asem.period, runs, options, units=units)
    copeland = {"f_ag": {"a_gmean": {"aggregate.method": "copeland"}}}
    with pytest.raises(ChoiceError, match="found copeland; expected arithmetic, geometric, harmonic"):
        run_alternatives(panel, asem.framework, EXAMPLE, asem.period, runs, copeland, units=units)
    with pytest.raises(UnknownPeriod):
        run_alternatives(panel, asem.framework, EXAMPLE, "1999", runs, options, units=units)


def test_a_hub_without_any_weight_in_a_run_is_not_ranked_there(two_levels: Case) -> None:
    """h3 has no a2: where a1 weighs nothing it has no a, and its total is that of b and c, 1 : 1."""
    recipe = Recipe(weights=WeighStep(method="given"), aggregate=AggregateStep(min_share=0, min_share_root=0))
    runs = pl.DataFrame({"weight_set": ["only_a", "plain"]})
    sets = {"only_a": {"a": 1.0, "b": 0.0, "c": 0.0, "a1": 0.0, "a2": 1.0}, "plain": {"a": 2.0, "b": 1.0, "c": 1.0}}
    found = run_alternatives(two_levels.panel, two_levels.framework, recipe, "2022", runs, {}, sets)
    assert np.isnan(found.scores[0]).tolist() == [hub == "h3" for hub in found.hubs]
    # a2 alone, 9 2 5 1 5 within 1..9.
    expected = [100.0, 100 * 1 / 8, 50.0, np.nan, 0.0, 50.0]
    assert found.scores[0] == pytest.approx(expected, nan_ok=True)
    assert found.ranks[0].tolist()[:3] == [1.0, 4.0, 2.0]
    assert found.scores[1] == pytest.approx(found.stated_scores)


def test_benefit_of_the_doubt_is_refused(two_levels: Case) -> None:
    recipe = Recipe(weights=WeighStep(method="given", by_group={"b": "bod"}))
    with pytest.raises(ChoiceError, match="group b: found weighed by benefit of the doubt"):
        run_alternatives(two_levels.panel, two_levels.framework, recipe, "2022", pl.DataFrame({"x": [1]}), {})
