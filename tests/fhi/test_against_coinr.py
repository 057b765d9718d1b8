"""Whole runs held against COINr 1.1.14 on its ASEM data: 51 countries, 49 indicators, four levels.

Every table within 1e-9 and every rank exact; where one is not, the message is the report of `hold_against`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fhi.diagnose import DIAGNOSES, weights_table
from fhi.formats.expected import hold_against
from fhi.formats.panel_files import PanelFile, load_panel
from fhi.framework import Framework, load_framework
from fhi.index import IndexResult, build_index
from fhi.rebuild import adjust, leave_one_out
from fhi.recipe import AggregateStep, DenominateStep, ImputeStep, NormaliseStep, Recipe, TreatStep

TOLERANCE = 1e-9
EXAMPLE = Recipe(
    denominate=DenominateStep(method="framework"),
    impute=ImputeStep(method="group_mean", group="EurAsia_group"),
    treat=TreatStep(method="winsorise"),
)


@dataclass(frozen=True)
class Asem:
    folder: Path
    framework: Framework
    file: PanelFile

    def build(self, recipe: Recipe) -> IndexResult:
        return build_index(self.file.panel, self.framework, recipe, self.file.units)

    def assert_agrees(self, result: IndexResult, **tables: str) -> None:
        report = hold_against(result, [(name, self.folder / file) for name, file in tables.items()])
        agree = (report["largest_difference"] <= TOLERANCE) & (report["only_ours"] == 0) & (report["only_theirs"] == 0)
        with pl.Config(tbl_cols=-1, tbl_width_chars=200):
            assert agree.all(), f"\n{report}"
        ranks = report.filter(pl.col("table") == "ranks")["largest_difference"]
        assert ranks.to_list() in ([], [0.0])


@pytest.fixture(scope="module")
def asem(reference: Path) -> Asem:
    folder = reference / "composite/coinr_asem"
    framework = load_framework(folder / "iMeta.csv")
    return Asem(folder, framework, load_panel(folder / "iData.csv", framework))


@pytest.fixture(scope="module")
def example(asem: Asem) -> IndexResult:
    return asem.build(EXAMPLE)


def test_the_example_pipeline_step_by_step(asem: Asem, example: IndexResult) -> None:
    asem.assert_agrees(
        example,
        denominated="pipeline_denominated.csv",
        imputed="pipeline_imputed.csv",
        treated="pipeline_treated.csv",
        normalised="pipeline_normalised.csv",
        scores="pipeline_aggregated.csv",
        ranks="agg_example_amean_ranks.csv",
    )
    total = dict(example.scores.filter(pl.col("code") == "Index").select("hub", "score").iter_rows())
    assert total["CHE"] == pytest.approx(68.3837242383417, abs=TOLERANCE)
    assert total["NLD"] == pytest.approx(64.8195161698175, abs=TOLERANCE)


def test_raw_data_with_63_gaps_by_the_arithmetic_mean(asem: Asem) -> None:
    result = asem.build(Recipe())
    asem.assert_agrees(
        result,
        normalised="norm_minmax_0_100.csv",
        scores="agg_raw_minmax0_100_amean_scores.csv",
        ranks="agg_raw_minmax0_100_amean_ranks.csv",
    )
    leaves = result.scores.filter(pl.col("code").is_in(list(asem.framework.indicator)))
    assert leaves.filter(pl.col("coverage") == 0).height == 63


def test_raw_data_by_the_geometric_mean(asem: Asem) -> None:
    recipe = Recipe(normalise=NormaliseStep(lower=1, upper=100), aggregate=AggregateStep(method="geometric"))
    asem.assert_agrees(
        asem.build(recipe),
        normalised="norm_minmax_1_100.csv",
        scores="agg_raw_minmax1_100_gmean_scores.csv",
        ranks="agg_raw_minmax1_100_gmean_ranks.csv",
    )


@pytest.mark.parametrize(
    ("method", "file"),
    [
        ("zscore", "norm_zscore_0_1.csv"),
        ("rank", "norm_rank.csv"),
        ("percentile_rank", "norm_prank.csv"),
        ("borda", "norm_borda.csv"),
    ],
)
def test_normalisations(asem: Asem, method: str, file: str) -> None:
    result = asem.build(adjust(Recipe(), {"normalise.method": method}))
    asem.assert_agrees(result, normalised=file)


def test_treatment_of_raw_figures(asem: Asem) -> None:
    result = asem.build(Recipe(treat=TreatStep(method="winsorise")))
    asem.assert_agrees(result, treated="treat_raw_default.csv")
    moved = result.steps.changes.filter(pl.col("step") == "treat")
    details = pl.read_csv(asem.folder / "treat_raw_default_details.csv", null_values=["", "NA"])
    points = dict(details.select("iCode", "winsorise.nwin").drop_nulls().iter_rows())
    assert dict(result.steps.treatment.filter(pl.col("points") > 0).select("code", "points").iter_rows()) == points
    assert moved.height == 30


def test_imputed_cells_are_marked_counted_and_leave_the_others_alone(example: IndexResult) -> None:
    marked = example.inputs.filter(pl.col("status") == "imputed")
    before, after = example.steps.cubes["denominated"], example.steps.cubes["imputed"]
    assert marked.height == int(np.isnan(before).sum()) == example.steps.imputation["imputed"].sum()
    assert np.array_equal(after[~np.isnan(before)], before[~np.isnan(before)])
    assert marked["source"].str.starts_with("imputed: group_mean").all()
    divided = {entry.code for entry in example.framework.indicators if entry.denominator}
    assert set(marked.filter(pl.col("source").str.contains(", 1 / "))["code"]) == set(marked["code"]) & divided


def test_leaving_one_pillar_out_moves_ranks_as_in_coinr(asem: Asem, example: IndexResult) -> None:
    expected = dict(pl.read_csv(asem.folder / "remove_elements_level2.csv").iter_rows())
    found = leave_one_out(example).filter(pl.col("level") == 2)
    ours = dict(found.select("code", "mean_shift").iter_rows())
    assert set(ours) == set(expected) - {"Nominal"}
    for pillar, shift in ours.items():
        assert shift == pytest.approx(expected[pillar], abs=TOLERANCE), pillar


def test_effective_weights(asem: Asem, example: IndexResult) -> None:
    expected = dict(pl.read_csv(asem.folder / "weights_effective.csv").select("iCode", "EffWeight").iter_rows())
    ours = dict(weights_table(example).select("code", "weight_in_total").iter_rows())
    assert {code: pytest.approx(expected[code], abs=TOLERANCE) for code in ours} == ours
    leaves = [value for code, value in ours.items() if code in asem.framework.indicator]
    assert sum(leaves) == pytest.approx(1)


def test_alpha_of_every_pillar(asem: Asem, example: IndexResult) -> None:
    expected = pl.read_csv(asem.folder / "cronbach.csv").filter(pl.col("dset") == "Normalised")
    ours = dict(DIAGNOSES["reliability"](example).select("group", "alpha").unique().iter_rows())
    compared = 0
    for group, _, alpha in expected.iter_rows():
        if group in asem.framework.children:
            assert ours[group] == pytest.approx(alpha, abs=TOLERANCE), group
            compared += 1
    assert compared == 8


def test_first_components_of_every_group(asem: Asem, example: IndexResult) -> None:
    """COINr's vector is of unit length and of arbitrary sign; ours sums to more than zero."""
    expected = pl.read_csv(asem.folder / "pca_weights_by_group.csv")
    found = DIAGNOSES["components"](example).filter(pl.col("component") == 1)
    both = found.join(expected, left_on=["group", "code"], right_on=["group", "iCode"], how="full", coalesce=True)
    assert both.height == expected.height
    assert both.null_count().sum_horizontal().sum() == 0
    ours = both.select("group", unit_length=pl.col("loading") / pl.col("eigenvalue").sqrt(), theirs="pc1_loading")
    turned = ours.with_columns(theirs=pl.col("theirs") * pl.col("theirs").sum().sign().over("group"))
    assert turned.select((pl.col("unit_length") - pl.col("theirs")).abs().max()).item() < TOLERANCE
    assert both.select((pl.col("eigenvalue") - pl.col("eig1")).abs().max()).item() < TOLERANCE


def test_copeland_is_a_choice_of_the_recipe(asem: Asem) -> None:
    """COINr's Aggregate(f_ag = "a_copeland") fails; its function called on the two sub-indices gives the reference."""
    expected = dict(
        pl.read_csv(asem.folder / "agg_example_copeland.csv").select("uCode", "copeland_2subindices").iter_rows()
    )
    result = asem.build(adjust(EXAMPLE, {"aggregate.by_level.0": "copeland"}))
    ours = dict(result.scores.filter(pl.col("code") == "Index").select("hub", "score").iter_rows())
    assert ours == expected
