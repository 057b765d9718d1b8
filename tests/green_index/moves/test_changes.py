import polars as pl
import pytest

from fhi.errors import Problem
from fhi.framework import Framework
from fhi.index import build_index
from fhi.recipe import Recipe
from green_index.moves.changes import (
    SOURCE,
    Change,
    indicators_below,
    natural_bounds,
    read_change,
    settle_changes,
    with_figures,
)
from green_index.moves.errors import ImpossibleChange

from .conftest import FIGURES, panel_of


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("size=5", Change("ash", "size", "to", 5.0)),
        ("size:-5.5", Change("ash", "size", "to", -5.5)),
        (" size = 1e3 ", Change("ash", "size", "to", 1000.0)),
        ("size=by:-2", Change("ash", "size", "by", -2.0)),
        ("size:by:+10%", Change("ash", "size", "percent", 10.0)),
        ("size=best", Change("ash", "size", "best")),
        ("work=as:elm", Change("ash", "work", "as", other="elm")),
    ],
)
def test_a_change_as_people_write_it(text: str, change: Change) -> None:
    assert read_change("ash", text) == change


@pytest.mark.parametrize("text", ["size", "size=", "size=much", "size=as:", "size=5%", "size=nan", "size=by:"])
def test_a_text_that_is_no_change_says_what_one_is(text: str) -> None:
    found = read_change("ash", text)
    assert isinstance(found, Problem)
    assert repr(text) in str(found)
    assert "by:AMOUNT" in str(found)


def settle(panel: pl.DataFrame, framework: Framework, *changes: Change) -> list[tuple[str, str, float | None, float]]:
    cells = settle_changes(panel, framework, "2020", changes)
    return cells.select("hub", "code", "value_before", "value_after").rows()


def test_figures_are_worked_out(panel: pl.DataFrame, framework: Framework) -> None:
    assert settle(
        panel,
        framework,
        Change("ash", "size", "to", 7.0),
        Change("birch", "size", "by", -4.0),
        Change("birch", "speed", "percent", 10.0),
        Change("cedar", "waste", "best"),
        Change("cedar", "speed", "best"),
        Change("elm", "waste", "as", other="ash"),
    ) == [
        ("ash", "size", 0.0, 7.0),
        ("birch", "size", 9.0, 5.0),
        ("birch", "speed", 30.0, 30.0 * (1 + 10 / 100)),
        ("cedar", "waste", 8.0, 2.0),
        ("cedar", "speed", 20.0, 50.0),
        ("elm", "waste", 6.0, 4.0),
    ]


def test_a_group_takes_all_figures_that_the_other_hub_has(framework: Framework) -> None:
    panel = panel_of({**FIGURES, "elm": (None, 50.0, 6.0, 1.0)})
    assert settle(panel, framework, Change("ash", "all", "as", other="elm")) == [
        ("ash", "speed", 10.0, 50.0),
        ("ash", "waste", 4.0, 6.0),
        ("ash", "pilot", 1.0, 1.0),
    ]


def test_a_figure_that_the_hub_lacks_is_assumed(framework: Framework, recipe: Recipe) -> None:
    panel = panel_of({**FIGURES, "elm": (None, 50.0, 6.0, 1.0)})
    cells = settle_changes(panel, framework, "2020", [Change("elm", "size", "to", 9.0)])
    (row,) = cells.to_dicts()
    assert (row["value_before"], row["status_before"], row["status_after"]) == (None, None, "assumed")
    changed = with_figures(panel, cells)
    (cell,) = changed.filter(hub="elm", code="size").to_dicts()
    assert (cell["value"], cell["status"], cell["source"]) == (9.0, "estimated", SOURCE)
    assert changed.height == panel.height + 1
    assert build_index(changed, framework, recipe).scores.filter(hub="elm", code="all")["score"].is_not_null().all()


def test_every_problem_is_told_at_once(framework: Framework) -> None:
    panel = panel_of({**FIGURES, "elm": (None, 50.0, 6.0, 1.0)})
    with pytest.raises(ImpossibleChange) as caught:
        settle_changes(
            panel,
            framework,
            "2020",
            [
                Change("oak", "size", "to", 1.0),
                Change("ash", "sise", "to", 1.0),
                Change("ash", "work", "to", 1.0),
                Change("ash", "size", "to", -1.0),
                Change("ash", "speed", "to", -3.0),
                Change("ash", "pilot", "to", 0.5),
                Change("elm", "size", "by", 1.0),
                Change("ash", "waste", "as", other="oak"),
                Change("birch", "size", "as", other="elm"),
                Change("cedar", "size", "to", 1.0),
                Change("cedar", "size", "to", 2.0),
                Change("cedar", "speed", "to", float("inf")),
            ],
        )
    codes = [problem.code for problem in caught.value.problems]
    assert codes == [
        *("unknown_hub", "unknown_code", "not_an_indicator", "impossible", "impossible", "impossible", "no_figure"),
        *("unknown_hub", "no_figure", "duplicate", "impossible"),
    ]
    assert "'size'?" in str(caught.value)
    assert "-1 t" in str(caught.value)


def test_no_change_is_a_problem(panel: pl.DataFrame, framework: Framework) -> None:
    with pytest.raises(ImpossibleChange, match="no change"):
        settle_changes(panel, framework, "2020", [])


def test_bounds_come_from_the_unit_of_the_figures(framework: Framework) -> None:
    assert natural_bounds(framework.indicator["speed"], "share of residents") == (0.0, 1.0)
    assert natural_bounds(framework.indicator["speed"], "index") == (0.0, float("inf"))
    assert natural_bounds(framework.indicator["speed"], "per year") == (-1.0, float("inf"))
    assert natural_bounds(framework.indicator["size"], "") == (0.0, float("inf"))


def test_indicators_below(framework: Framework) -> None:
    assert indicators_below(framework, "all") == ("size", "speed", "waste", "pilot")
    assert indicators_below(framework, "speed") == ("speed",)
