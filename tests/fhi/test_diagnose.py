"""Tables about a run, each by hand on a small one."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fhi.diagnose import DIAGNOSES, weights_table
from fhi.framework import Denominator, Framework, load_framework
from fhi.index import IndexResult, build_index
from fhi.panel import PANEL_SCHEMA
from fhi.rebuild import adjust
from fhi.recipe import Recipe

SMALL = load_framework(Path(__file__).parent / "small.toml")
TREE = Framework.model_validate(
    {**SMALL.model_dump(), "denominators": [Denominator(code="heads", name_en="Heads", name_zh="人口")]}
)
RNG = np.random.default_rng(11)


@pytest.fixture(scope="module")
def result() -> IndexResult:
    """a and heads go together, b repeats a (less is better, so it opposes it), c and d are by chance."""
    rows = []
    for unit in range(40):
        a = float(unit)
        figures = {"a": a, "b": 2 * a + 1, "c": RNG.random(), "d": 10 * RNG.random(), "heads": 100 + a}
        rows += [
            {
                "hub": f"u{unit:02}",
                "period": "2022",
                "code": code,
                "value": None if (unit, code) == (3, "c") else value,
                "unit": "u",
                "status": "observed",
                "source": "s",
            }
            for code, value in figures.items()
        ]
    recipe = adjust(Recipe(), {"impute.method": "mean", "treat.method": "winsorise"})
    return build_index(pl.DataFrame(rows, schema=PANEL_SCHEMA), TREE, recipe)


def test_every_question_has_a_table(result: IndexResult) -> None:
    for name, table in DIAGNOSES.items():
        assert table(result).height > 0, name


def test_flags_name_opposites_and_size(result: IndexResult) -> None:
    flags = DIAGNOSES["flags"](result)
    found = {(row["flag"], row["a"], row["b"]) for row in flags.iter_rows(named=True)}
    assert ("opposed_siblings", "a", "b") in found
    assert ("redundant", "a", "b") in found
    assert ("size", "a", "heads") in found
    assert flags.filter(pl.col("flag") == "size", pl.col("a") == "a")["r"].item() == pytest.approx(1)


def test_availability_counts_cells(result: IndexResult) -> None:
    table = DIAGNOSES["availability"](result)
    row = table.filter(pl.col("kind") == "unit").row(0, named=True)
    assert (row["hub"], row["share"]) == ("u03", 3 / 4)
    assert table.filter(kind="indicator", code="c")["share"].item() == 39 / 40
    assert table.filter(kind="group", hub="u03", code="h")["share"].item() == 1 / 2


def test_correlations_hide_nothing(result: IndexResult) -> None:
    table = DIAGNOSES["correlations"](result)
    assert table.height == 3 * (4 * 3 // 2)
    assert table["r"].null_count() == 0
    assert table.filter(kind="pearson", a="a", b="b")["inside"].item()
    assert not table.filter(kind="pearson", a="a", b="c")["inside"].item()


def test_alpha_and_adequacy_of_groups(result: IndexResult) -> None:
    table = DIAGNOSES["reliability"](result)
    assert table.filter(group="g")["alpha"].to_list() == [None, None]  # opposites have no common sum
    h = np.stack([result.tree.scores[code].ravel() for code in ("c", "d")], axis=1)
    covariance = np.cov(h, rowvar=False)
    alpha = 2**2 * covariance[0, 1] / covariance.sum()
    assert table.filter(group="h")["alpha"][0] == pytest.approx(alpha)


def test_components_of_two_opposites(result: IndexResult) -> None:
    table = DIAGNOSES["components"](result).filter(pl.col("group") == "g", pl.col("component") == 1)
    assert table["eigenvalue"][0] == pytest.approx(2)
    assert table["share"][0] == pytest.approx(1)


def test_statistics_are_of_raw_figures(result: IndexResult) -> None:
    row = DIAGNOSES["statistics"](result).filter(code="a").row(0, named=True)
    assert (row["n"], row["missing"], row["min"], row["max"], row["mean"]) == (40, 0, 0.0, 39.0, 39 / 2)


def test_imputation_says_what_was_filled_and_how_far_off_it_may_be(result: IndexResult) -> None:
    row = DIAGNOSES["imputation"](result).filter(code="c").row(0, named=True)
    assert (row["method"], row["missing"], row["imputed"]) == ("mean", 1, 1)
    assert row["rmse"] == pytest.approx(row["mean_rmse"])  # the method is its own yardstick


def test_weights_beside_what_they_do(result: IndexResult) -> None:
    table = weights_table(result)
    in_total = dict(table.select("code", "weight_in_total").iter_rows())
    assert in_total == pytest.approx({"g": 3 / 4, "h": 1 / 4, "a": 3 / 8, "b": 3 / 8, "c": 1 / 8, "d": 1 / 8})
    influence = table.group_by("group").agg(pl.col("influence").sum())
    assert influence.filter(pl.col("group") != "g")["influence"].to_list() == pytest.approx([1, 1])
