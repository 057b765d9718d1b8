import pytest

from fhi.framework import Framework
from fhi.recipe import Recipe, WeighStep
from green_index.moves.bands import BAND_SCHEMA, bands_beside
from green_index.robustness.draws import ChoiceError

from .conftest import FIGURES, panel_of

GIVEN = Recipe(weights=WeighStep(method="given"))


def test_bands_of_figures_that_settle_the_matter(framework: Framework) -> None:
    """Birch that is best in all is first whatever the weights, and was not before."""
    before = panel_of(dict(FIGURES))
    after = panel_of({**FIGURES, "birch": (99.0, 50.0, 2.0, 1.0)})
    rows = bands_beside(before, after, framework, GIVEN, "2020", 300, 5)
    assert rows.schema == BAND_SCHEMA
    birch = rows.filter(hub="birch").to_dicts()[0]
    assert (birch["rank_median_after"], birch["rank_p05_after"], birch["rank_p95_after"]) == (1.0, 1.0, 1.0)
    assert birch["rank_p95_before"] > 1
    assert (birch["draws"], birch["seed"]) == (300, 5)
    same = bands_beside(before, before, framework, GIVEN, "2020", 300, 5)
    for name in ("rank_median", "rank_p05", "rank_p95"):
        assert same[f"{name}_before"].to_list() == same[f"{name}_after"].to_list()


def test_no_draws_are_no_run(framework: Framework) -> None:
    panel = panel_of(dict(FIGURES))
    with pytest.raises(ChoiceError, match="draws"):
        bands_beside(panel, panel, framework, GIVEN, "2020", 0)
