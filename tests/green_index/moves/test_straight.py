import numpy as np
import pytest

from fhi.framework import Framework
from fhi.index import build_index
from fhi.recipe import AggregateStep, Recipe, WeighStep
from green_index.moves.errors import NotStraight
from green_index.moves.straight import INDICATORS, rank_of, straight_line, totals_of

from .conftest import FIGURES, panel_of, tree

GIVEN = Recipe(weights=WeighStep(method="given"))
TOTALS = {"ash": 125 / 3, "birch": 50.0, "cedar": 40.625, "elm": 12.5 + 25 / 3 + 25}


@pytest.mark.parametrize(
    ("level", "codes", "weights"),
    [
        (None, ("work", "care"), (0.5, 0.5)),
        ("work", ("size", "speed"), (0.75, 0.25)),
        ("care", ("waste", "pilot"), (0.5, 0.5)),
        (INDICATORS, ("size", "speed", "waste", "pilot"), (0.375, 0.125, 0.25, 0.25)),
    ],
)
def test_every_level_gives_the_totals_of_the_index(
    framework: Framework, level: str | None, codes: tuple[str, ...], weights: tuple[float, ...]
) -> None:
    line = straight_line(build_index(panel_of(dict(FIGURES)), framework, GIVEN), "2020", level)
    assert line.codes == codes
    assert line.weights == pytest.approx(np.array(weights))
    assert dict(zip(line.hubs, totals_of(line, line.weights), strict=True)) == pytest.approx(TOTALS)
    assert line.left_out == ()


def test_other_weights_in_a_group_are_the_index_of_that_tree() -> None:
    line = straight_line(build_index(panel_of(dict(FIGURES)), tree(), GIVEN), "2020", "work")
    again = build_index(panel_of(dict(FIGURES)), tree((1, 4, 1, 1)), GIVEN)
    expected = dict(again.scores.filter(code="all").select("hub", "score").iter_rows())
    assert dict(zip(line.hubs, totals_of(line, np.array([0.2, 0.8])), strict=True)) == pytest.approx(expected)


def test_what_only_some_hubs_have_is_left_out_or_refused(framework: Framework) -> None:
    result = build_index(panel_of({**FIGURES, "ash": (0.0, None, 4.0, 1.0)}), framework, GIVEN)
    line = straight_line(result, "2020", INDICATORS)
    assert (line.codes, line.left_out) == (("size", "waste", "pilot"), ("speed",))
    assert line.weights == pytest.approx(np.array([0.5, 0.25, 0.25]))
    with pytest.raises(NotStraight, match=r"speed in 2020: found no score of ash; .* level indicators"):
        straight_line(result, "2020", "work")
    # The level above holds whole groups, whatever is missing below.
    root = straight_line(result, "2020")
    ash = float(result.scores.filter(code="all", hub="ash")["score"].item())
    assert totals_of(root, root.weights)[root.hubs.index("ash")] == pytest.approx(ash)


def test_hubs_that_are_not_ranked_take_no_part(framework: Framework) -> None:
    result = build_index(panel_of({**FIGURES, "ash": (None, None, 4.0, 1.0)}), framework, GIVEN)
    assert straight_line(result, "2020").hubs == ("birch", "cedar", "elm")


def test_levels_and_means_that_are_no_line_are_refused(framework: Framework) -> None:
    panel = panel_of(dict(FIGURES))
    with pytest.raises(NotStraight, match="'work'"):
        straight_line(build_index(panel, framework, GIVEN), "2020", "wrok")
    recipe = Recipe(
        weights=WeighStep(method="given"), aggregate=AggregateStep(method="power", by_level={0: "arithmetic"})
    )
    result = build_index(panel, framework, recipe)
    assert straight_line(result, "2020").codes == ("work", "care")
    for level in ("work", INDICATORS):
        with pytest.raises(NotStraight, match=r"\[aggregate\] work: found power"):
            straight_line(result, "2020", level)
    doubt = build_index(panel, framework, Recipe(weights=WeighStep(method="bod")))
    with pytest.raises(NotStraight, match=r"\[weights\] all: found bod"):
        straight_line(doubt, "2020")


def test_ties_take_the_better_rank() -> None:
    totals = np.array([5.0, 7.0, 5.0, 3.0])
    assert [rank_of(totals, hub) for hub in range(4)] == [2, 1, 2, 4]
