from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhi.framework import Framework
from fhi.index import build_index
from fhi.recipe import AggregateStep, Recipe, WeighStep
from green_index.moves.efforts import Effort
from green_index.moves.errors import NotStraight, UnusableEffort
from green_index.moves.goals import Goal
from green_index.moves.targets import ANSWER_SCHEMA, MOVE_SCHEMA, Target, find_target

from .conftest import FIGURES, panel_of, tree

GIVEN = Recipe(weights=WeighStep(method="given"))
WEIGHTS = {"size": 0.375, "speed": 0.125, "waste": 0.25, "pilot": 0.25}
SCORES = {
    "ash": (0.0, 0.0, 100 * 2 / 3, 100.0),
    "birch": (50.0, 50.0, 100.0, 0.0),
    "cedar": (100.0, 25.0, 0.0, 0.0),
    "elm": (0.0, 100.0, 100 / 3, 100.0),
}
TOTALS = {hub: sum(w * x for w, x in zip(WEIGHTS.values(), row, strict=True)) for hub, row in SCORES.items()}


def answer(target: Target) -> dict[str, object]:
    (row,) = target.answer.to_dicts()
    return row


def test_totals_of_the_small_tree_are_as_told(panel: pl.DataFrame, framework: Framework) -> None:
    scores = build_index(panel, framework, GIVEN).scores.filter(code="all")
    assert dict(scores.select("hub", "score").iter_rows()) == pytest.approx(TOTALS)
    assert sorted(TOTALS, key=lambda hub: -TOTALS[hub]) == ["birch", "elm", "ash", "cedar"]


def test_the_cheapest_points_by_hand(panel: pl.DataFrame, framework: Framework) -> None:
    # Cedar to the first: 50 - 40.625 = 9.375 points are missing. At 1 a point the dearest weights are cheapest: size is
    # full; waste has a weight of .25, so 37.5 points of it.
    found = find_target(panel, framework, GIVEN, "2020", "cedar", Goal(rank=1), {"pilot": Effort(cost_per_point=5.0)})
    said = answer(found)
    (move,) = found.moves.to_dicts()
    assert (move["code"], move["normalised_after"], move["cost"]) == ("waste", pytest.approx(37.5), pytest.approx(37.5))
    assert move["value_after"] == pytest.approx(8 - 0.06 * 37.5)
    assert (move["value_before"], move["unit"], move["points"]) == (8.0, "t", pytest.approx(9.375))
    assert (said["rank_before"], said["rank_frozen"], said["hub_to_pass"]) == (4, 1, "birch")
    assert said["score_needed"] == pytest.approx(TOTALS["birch"])
    assert said["score_frozen"] == pytest.approx(TOTALS["birch"])
    # Rebuilt: Cedar was the worst in waste, so that the worst is now Elm's 6; all scores of waste fall.
    after = 8 - 0.06 * 37.5
    cedar = TOTALS["cedar"] + 0.25 * (6 - after) / 4 * 100
    birch, elm = TOTALS["birch"], TOTALS["elm"] - 0.25 * 100 / 3
    assert said["score_rebuilt"] == pytest.approx(cedar)
    assert said["rank_rebuilt"] == 1 + (birch > cedar) + (elm > cedar)
    assert said["holds_rebuilt"] == (said["rank_rebuilt"] == 1)
    assert found.answer.schema == ANSWER_SCHEMA
    assert found.moves.schema == MOVE_SCHEMA


def test_a_lead_is_asked_for_and_taken_in_part_where_it_cannot_be_had(
    panel: pl.DataFrame, framework: Framework
) -> None:
    found = answer(find_target(panel, framework, GIVEN, "2020", "elm", Goal(rank=1, lead=2.0)))
    assert found["score_frozen"] == pytest.approx(TOTALS["birch"] + 2)
    tight = {"size": Effort(upper=10.0), "waste": Effort(upper=100 / 3)}
    limit = TOTALS["elm"] + 0.375 * 10
    only = answer(find_target(panel, framework, GIVEN, "2020", "elm", Goal(rank=1, lead=90.0), tight))
    assert limit < TOTALS["birch"] + 90
    if limit >= TOTALS["birch"]:
        assert (only["reachable"], only["score_frozen"]) == (True, pytest.approx(limit))
    else:
        assert (only["reachable"], only["rank_frozen"]) == (False, 2)


def test_out_of_reach_says_the_best_that_can_be_had(panel: pl.DataFrame, framework: Framework) -> None:
    fixed = ("size", "pilot")
    found = find_target(panel, framework, GIVEN, "2020", "ash", Goal(score=90.0), fixed=fixed)
    said = answer(found)
    best = 0.125 * 100 + 0.25 * 100 + 0.25 * 100
    assert (said["reachable"], said["holds_rebuilt"]) == (False, False)
    assert said["best_score"] == said["score_frozen"] == pytest.approx(best)
    assert said["best_rank"] == 1 + sum(total > best for hub, total in TOTALS.items() if hub != "ash")
    assert set(found.moves["code"]) == {"speed", "waste"}
    assert said["hub_to_pass"] is None


def test_a_goal_that_is_reached_costs_nothing(panel: pl.DataFrame, framework: Framework) -> None:
    for goal in (Goal(rank=4), Goal(rank=3, lead=5.0), Goal(rank=99), Goal(score=10.0)):
        said = answer(find_target(panel, framework, GIVEN, "2020", "ash", goal))
        assert (said["cost"], said["moved"], said["reachable"], said["holds_rebuilt"]) == (0.0, 0, True, True)
        assert said["hub_to_pass"] is None


def test_a_switch_by_its_unit_and_costs_by_the_unit_of_figures(panel: pl.DataFrame, framework: Framework) -> None:
    efforts = {
        "pilot": Effort(cost_per_point=0.0, fixed_cost=12.0),
        "waste": Effort(cost_per_unit=1.0),
        "speed": Effort(cost_per_unit=1.0),
        "size": Effort(cost_per_point=9.0),
    }
    # Cedar needs 20 points: waste costs 6 for 25 points of the total, by its unit .06 a point of its own score.
    found = find_target(panel, framework, GIVEN, "2020", "cedar", Goal(score=TOTALS["cedar"] + 20), efforts)
    (move,) = found.moves.to_dicts()
    assert (move["code"], move["cost"]) == ("waste", pytest.approx(80 * 0.06))
    found = find_target(
        panel, framework, GIVEN, "2020", "cedar", Goal(score=TOTALS["cedar"] + 20), efforts, fixed=("waste",)
    )
    (move,) = found.moves.to_dicts()
    assert (move["code"], move["cost"], move["value_after"], move["switch"]) == ("pilot", 12.0, 1.0, True)


def test_indicators_without_figure_stay_and_are_counted(framework: Framework) -> None:
    panel = panel_of({**FIGURES, "ash": (0.0, None, 4.0, 1.0)})
    found = find_target(panel, framework, GIVEN, "2020", "ash", Goal(score=100.0), {"speed": Effort(upper=50.0)})
    said = answer(found)
    assert (said["without_figure"], said["unused"]) == (1, "speed")
    assert "speed" not in found.moves["code"].to_list()
    assert found.moves.filter(code="size")["weight"].item() == pytest.approx(0.5)
    assert said["rank_frozen"] == 1


def test_every_problem_is_told_at_once(panel: pl.DataFrame, framework: Framework) -> None:
    efforts = {
        "size": Effort(cost_per_unit=1.0),
        "speed": Effort(upper=120.0),
        "pilot": Effort(upper=50.0),
        "sped": Effort(),
    }
    with pytest.raises(UnusableEffort) as caught:
        find_target(panel, framework, GIVEN, "2020", "oak", Goal(rank=0, score=3.0), efforts)
    codes = [problem.code for problem in caught.value.problems]
    assert codes == ["unknown_hub", "no_goal", "no_goal", "logarithm", "out_of_scale", "no_half", "unknown_code"]


def test_a_hub_that_is_not_ranked_has_no_target(framework: Framework) -> None:
    panel = panel_of({**FIGURES, "ash": (None, None, 4.0, 1.0)})
    with pytest.raises(UnusableEffort, match="not ranked"):
        find_target(panel, framework, GIVEN, "2020", "ash", Goal(rank=1))


def test_other_means_and_own_weights_are_refused_by_name(panel: pl.DataFrame, framework: Framework) -> None:
    geometric = Recipe(
        weights=WeighStep(method="given"), aggregate=AggregateStep(method="power", by_level={0: "arithmetic"})
    )
    with pytest.raises(NotStraight, match=r"\[aggregate\] work: found power"):
        find_target(panel, framework, geometric, "2020", "ash", Goal(rank=1))
    doubt = Recipe(weights=WeighStep(method="given", by_group={"care": "bod"}))
    with pytest.raises(NotStraight, match=r"\[weights\] care: found bod"):
        find_target(panel, framework, doubt, "2020", "ash", Goal(rank=1))


HUBS = st.sampled_from(sorted(FIGURES))
COSTS = st.tuples(*(st.integers(min_value=1, max_value=8).map(float) for _ in WEIGHTS))
FIXED_COSTS = st.tuples(*(st.sampled_from([0.0, 0.0, 40.0]) for _ in WEIGHTS))


@settings(max_examples=40)
@given(HUBS, st.integers(min_value=1, max_value=3), COSTS, FIXED_COSTS)
def test_no_point_of_a_grid_reaches_the_rank_for_less(
    hub: str, rank: int, costs: tuple[float, ...], fixed_costs: tuple[float, ...]
) -> None:
    efforts = {
        code: Effort(cost_per_point=cost, fixed_cost=fixed)
        for code, cost, fixed in zip(WEIGHTS, costs, fixed_costs, strict=True)
    }
    found = find_target(panel_of(dict(FIGURES)), tree(), GIVEN, "2020", hub, Goal(rank=rank), efforts)
    said = answer(found)
    assert said["reachable"]
    assert said["rank_frozen"] <= rank
    now = np.array(SCORES[hub])
    axes = [np.linspace(score, 100, 9) for score in now[:3]] + [np.unique([now[3], 100.0])]
    others = np.array([total for name, total in TOTALS.items() if name != hub])
    weights, price, once = np.array(list(WEIGHTS.values())), np.array(costs), np.array(fixed_costs)
    grid = np.array(list(product(*axes)))
    ranks = 1 + (others[None] > (grid @ weights)[:, None] + 1e-9).sum(axis=1)
    effort = (grid - now) @ price + (grid > now) @ once
    assert said["cost"] <= effort[ranks <= rank].min() + 1e-6


def test_a_goal_that_has_to_hold_aims_higher(panel: pl.DataFrame, framework: Framework) -> None:
    # As by hand above: rebuilt, Cedar falls behind since the worst figure of waste was its own.
    efforts = {"pilot": Effort(cost_per_point=5.0)}
    plain = answer(find_target(panel, framework, GIVEN, "2020", "cedar", Goal(rank=1), efforts))
    assert not plain["holds_rebuilt"]
    found = find_target(panel, framework, GIVEN, "2020", "cedar", Goal(rank=1, hold=True), efforts)
    said = answer(found)
    assert said["holds_rebuilt"]
    assert said["rank_rebuilt"] == 1
    assert said["aimed_higher"] == pytest.approx(float(said["score_frozen"]) - TOTALS["birch"])
    assert float(said["cost"]) > float(plain["cost"])
    # What can never hold is answered as without it.
    limits = {"pilot": Effort(upper=0.0), "speed": Effort(upper=25.0), "waste": Effort(upper=38.0)}
    first, again = (
        answer(find_target(panel, framework, GIVEN, "2020", "cedar", Goal(rank=1, hold=hold), limits))
        for hold in (False, True)
    )
    assert first == again
    assert (first["reachable"], first["holds_rebuilt"]) == (True, False)
    held = answer(find_target(panel, framework, GIVEN, "2020", "elm", Goal(score=60.0, hold=True)))
    assert held["holds_rebuilt"]
    assert float(held["score_rebuilt"]) >= 60 - 1e-9
