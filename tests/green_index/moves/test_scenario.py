import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhi.framework import Framework
from fhi.index import build_index
from fhi.recipe import AggregateStep, NormaliseStep, Recipe, TreatStep, WeighStep
from green_index.errors import UnknownPeriod
from green_index.moves.changes import Change
from green_index.moves.errors import NotStraight
from green_index.moves.scale import figures_of, scale_of, scores_of
from green_index.moves.scenario import SHIFT_SCHEMA, WHAT_IF_SCHEMA, what_if

from .conftest import FIGURES, panel_of, tree

GIVEN = Recipe(weights=WeighStep(method="given"))


def row(found: pl.DataFrame, hub: str, code: str = "all") -> dict[str, float]:
    (only,) = found.filter(hub=hub, code=code).to_dicts()
    return only


def test_scores_before_and_after_by_hand(panel: pl.DataFrame, framework: Framework, recipe: Recipe) -> None:
    # Cedar gets a pilot: 0 becomes 100 in half of one half of its total.
    found = what_if(panel, framework, recipe, "2020", [Change("cedar", "pilot", "to", 1.0)])
    cedar = row(found.hubs, "cedar")
    before = 0.5 * (0.75 * 100 + 0.25 * 25) + 0.5 * (0.5 * 0 + 0.5 * 0)
    assert cedar["score_before"] == pytest.approx(before, rel=1e-12)
    assert cedar["score_after"] == pytest.approx(before + 25, rel=1e-12)
    assert cedar["score_frozen"] == pytest.approx(before + 25, rel=1e-12)
    assert (cedar["rank_before"], cedar["rank_after"], cedar["rank_frozen"]) == (4, 1, 1)
    assert row(found.hubs, "cedar", "care")["score_change"] == pytest.approx(50, rel=1e-12)
    assert row(found.hubs, "ash")["score_change"] == 0
    assert found.hubs.schema == WHAT_IF_SCHEMA
    assert found.shifts.is_empty()
    assert found.shifts.schema == SHIFT_SCHEMA
    (cell,) = found.cells.to_dicts()
    assert (cell["unit"], cell["normalised_before"], cell["normalised_after"]) == ("0 or 1", 0.0, 100.0)
    assert (cell["normalised_frozen"], cell["weight_after"], cell["counts"]) == (100.0, 0.25, True)


def test_a_figure_beyond_the_best_moves_bounds_only_where_they_may_move(
    panel: pl.DataFrame, framework: Framework, recipe: Recipe
) -> None:
    # Ash becomes the fastest at 90: rebuilt bounds are 20..90, frozen ones stay 10..50.
    found = what_if(panel, framework, recipe, "2020", [Change("ash", "speed", "to", 90.0)])
    elm = row(found.hubs, "elm", "work")
    assert elm["score_before"] == elm["score_frozen"] == pytest.approx(0.25 * 100)
    assert elm["score_after"] == pytest.approx(0.25 * (50 - 20) / (90 - 20) * 100)
    ash = row(found.hubs, "ash", "work")
    assert ash["score_frozen"] == ash["score_after"] == pytest.approx(25)
    assert found.shifts.rows() == [("worst", "speed", "km", 10.0, 20.0), ("best", "speed", "km", 50.0, 90.0)]


def test_weights_from_figures_move_and_are_told(panel: pl.DataFrame, framework: Framework) -> None:
    recipe = Recipe(weights=WeighStep(method="entropy"))
    found = what_if(panel, framework, recipe, "2020", [Change("birch", "speed", "to", 50.0)])
    moved = found.shifts.filter(what="weight")
    assert {"size", "speed"} <= set(moved["code"])
    changed = panel_of({**FIGURES, "birch": (9.0, 50.0, 2.0, 0.0)})
    again = build_index(changed, framework, recipe)
    weights = dict(again.weights.select("code", "weight").iter_rows())
    for code, after in moved.select("code", "after").iter_rows():
        assert after == pytest.approx(weights[code], rel=1e-12)
    old = dict(build_index(panel, framework, recipe).weights.select("code", "weight").iter_rows())
    birch = row(found.hubs, "birch", "work")
    assert birch["score_frozen"] == pytest.approx(old["size"] * 50 + old["speed"] * 100)
    assert birch["score_after"] == pytest.approx(weights["size"] * 50 + weights["speed"] * 100)


def test_a_figure_that_too_few_hubs_have_does_not_count(framework: Framework) -> None:
    panel = panel_of({hub: (size, None, *rest) for hub, (size, _, *rest) in FIGURES.items()})
    recipe = Recipe(weights=WeighStep(method="given"), normalise=NormaliseStep(min_hubs=3))
    found = what_if(panel, framework, recipe, "2020", [Change("ash", "speed", "to", 5.0)])
    (cell,) = found.cells.to_dicts()
    assert (cell["counts"], cell["normalised_after"], cell["normalised_frozen"]) == (False, None, None)
    assert row(found.hubs, "ash")["score_change"] == 0


def test_a_hub_that_was_not_ranked_can_become_ranked(framework: Framework) -> None:
    panel = panel_of({**FIGURES, "elm": (None, None, 6.0, 1.0)})
    found = what_if(panel, framework, GIVEN, "2020", [Change("elm", "size", "to", 99.0)])
    elm = row(found.hubs, "elm")
    assert (elm["rank_before"], elm["score_before"], elm["ranked_before"], elm["ranked_after"]) == (None, None, 3, 4)
    assert elm["score_after"] == elm["score_frozen"] == pytest.approx(0.5 * 100 + 0.5 * (0.5 * 100 / 3 + 50))


def test_a_recipe_without_bounds_that_could_stay_has_no_frozen_side(panel: pl.DataFrame, framework: Framework) -> None:
    recipe = Recipe(weights=WeighStep(method="given"), normalise=NormaliseStep(method="rank"))
    found = what_if(panel, framework, recipe, "2020", [Change("ash", "speed", "to", 90.0)])
    assert found.hubs["score_frozen"].null_count() == found.hubs.height
    assert row(found.hubs, "ash")["score_after"] is not None


def test_an_unknown_year_names_the_known_ones(panel: pl.DataFrame, framework: Framework, recipe: Recipe) -> None:
    with pytest.raises(UnknownPeriod, match="2020 to 2020"):
        what_if(panel, framework, recipe, "1999", [Change("ash", "speed", "to", 1.0)])


def test_other_periods_feel_pooled_bounds_only_in_their_own(framework: Framework) -> None:
    later = {hub: (size, speed + 10, waste, pilot) for hub, (size, speed, waste, pilot) in FIGURES.items()}
    panel = pl.concat([panel_of(dict(FIGURES)), panel_of(later, "2021")])
    recipe = Recipe(weights=WeighStep(method="given"), normalise=NormaliseStep(bounds="pooled"))
    found = what_if(panel, framework, recipe, "2020", [Change("ash", "speed", "to", 60.0)])
    # Pooled bounds 10..60 stay 20..60 without Ash's 10: the least is Cedar's 20 of 2020 and Ash's 20 of 2021.
    assert row(found.hubs, "elm", "work")["score_before"] == pytest.approx(25 * (50 - 10) / 50)
    assert row(found.hubs, "elm", "work")["score_after"] == pytest.approx(25 * (50 - 20) / 40)


@given(
    st.sampled_from(["ash", "birch", "cedar", "elm"]),
    st.sampled_from(["size", "speed", "waste"]),
    st.floats(min_value=0, max_value=1e6),
)
def test_the_rebuilt_side_is_the_index_of_the_changed_figures(hub: str, code: str, figure: float) -> None:
    figure = 0.0 if figure < 1e-6 else figure
    panel, framework = panel_of(dict(FIGURES)), tree()
    found = what_if(panel, framework, GIVEN, "2020", [Change(hub, code, "to", figure)])
    place = ["size", "speed", "waste", "pilot"].index(code)
    values = {name: list(row) for name, row in FIGURES.items()}
    values[hub][place] = figure
    again = build_index(panel_of({name: tuple(row) for name, row in values.items()}), framework, GIVEN)
    expected = again.scores.filter(code="all").sort("hub")
    got = found.hubs.filter(code="all").sort("hub")
    assert got["score_after"].to_list() == expected["score"].to_list()
    assert got["rank_after"].to_list() == expected["rank"].to_list()
    # Frozen: nobody else moves, and nobody leaves the scale.
    others = got.filter(pl.col("hub") != hub)
    assert others["score_frozen"].to_list() == others["score_before"].to_list()
    assert got["score_frozen"].is_between(0, 100).all()


@given(st.lists(st.floats(min_value=0, max_value=100), min_size=4, max_size=4))
def test_figures_and_scores_are_there_and_back(scores: list[float]) -> None:
    result = build_index(panel_of(dict(FIGURES)), tree(), GIVEN)
    scale = scale_of(result, "2020")
    figures = figures_of(np.array(scores), scale)
    assert scores_of(figures, scale) == pytest.approx(np.array(scores), abs=1e-9)
    # By hand: size 10^(s / 50) - 1, waste 8 - .06 s.
    assert figures[0] == pytest.approx(10 ** (scores[0] / 50) - 1, rel=1e-9, abs=1e-9)
    assert figures[2] == pytest.approx(8 - 0.06 * scores[2], rel=1e-9)


def test_scale_refuses_by_name(panel: pl.DataFrame, framework: Framework) -> None:
    zscore = build_index(panel, framework, Recipe(normalise=NormaliseStep(method="zscore")))
    with pytest.raises(NotStraight, match=r"\[normalise\] size: found zscore"):
        scale_of(zscore, "2020")
    treated = build_index(panel, framework, Recipe(treat=TreatStep(method="winsorise")))
    with pytest.raises(NotStraight, match=r"\[treat\]: found winsorise"):
        scale_of(treated, "2020")


def test_goalposts_are_the_scale_where_there_are_any(recipe: Recipe) -> None:
    plain = tree()
    posts = tuple(
        entry.model_copy(update={"lower": 0.0, "upper": 200.0}) if entry.code == "speed" else entry
        for entry in plain.indicators
    )
    framework = plain.model_copy(update={"indicators": posts})
    scale = scale_of(build_index(panel_of(dict(FIGURES)), framework, recipe), "2020")
    assert (scale.worst[1], scale.best[1]) == (0.0, 200.0)


def test_geometric_means_can_be_asked_what_if(panel: pl.DataFrame, framework: Framework) -> None:
    recipe = Recipe(
        weights=WeighStep(method="given"),
        normalise=NormaliseStep(lower=1.0, upper=100.0),
        aggregate=AggregateStep(method="geometric"),
    )
    found = what_if(panel, framework, recipe, "2020", [Change("cedar", "pilot", "to", 1.0)])
    care = row(found.hubs, "cedar", "care")
    assert care["score_before"] == pytest.approx(1.0)
    assert care["score_after"] == pytest.approx((1 * 100) ** 0.5)
