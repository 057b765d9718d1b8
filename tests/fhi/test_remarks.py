from pathlib import Path

import pytest

from fhi.framework import load_framework
from fhi.notes import Note
from fhi.recipe import Recipe
from fhi.remarks import remark_choices

TREE = load_framework(Path(__file__).parent / "small.toml")


def remarks(periods: tuple[str, ...] = ("2021", "2022"), **choices: object) -> list[Note]:
    return remark_choices(TREE, Recipe.model_validate(choices), periods)


def test_the_defaults_leave_nothing_to_remark() -> None:
    assert remarks() == []


@pytest.mark.parametrize(
    ("weights", "passed"),
    [
        ({"method": "equal"}, "total, g, h"),
        ({"by_group": {"g": "entropy"}}, "g"),
        ({"by_level": {1: "blend"}, "blend": {"equal": 1, "critic": 1}}, "g, h"),
        ({"method": "blend", "blend": {"ahp": 1, "critic": 1}}, None),
        ({"method": "ahp"}, None),
    ],
)
def test_judgements_that_are_not_heeded_are_named(weights: dict[str, object], passed: str | None) -> None:
    expected = [] if passed is None else [Note("judgement_passed_over", "total", detail=passed)]
    assert remarks(weights=weights) == expected


@pytest.mark.parametrize("method", ["copeland", "kemeny", "topsis"])
def test_an_order_within_a_period_does_not_compare_periods(method: str) -> None:
    note = Note("periods_do_not_compare", "total", detail=method)
    assert note in remarks(aggregate={"by_level": {0: method}})
    assert note in remarks(aggregate={"by_level": {0: method}}, normalise={"bounds": "pooled"})
    assert remarks(("2022",), aggregate={"by_level": {0: method}}) == []


def test_peers_of_a_period_alone_do_not_compare_periods() -> None:
    doubt = {"by_group": {"g": "bod"}}
    assert Note("periods_do_not_compare", "total", detail="bod") in remarks(weights=doubt)
    assert [note.code for note in remarks(weights=doubt, normalise={"bounds": "pooled"})] == ["judgement_passed_over"]


def test_children_on_unlike_scales_are_named() -> None:
    """Group h is hung beside an indicator, so that its closeness from 0 to 1 meets a score from 0 to 100."""
    entries = [
        entry.model_copy(update={"parent": "total"}) if entry.code == "a" else entry for entry in TREE.indicators
    ]
    uneven = TREE.model_copy(update={"indicators": tuple(entries), "judgements": ()}).model_dump()
    tree = type(TREE).model_validate(uneven)
    recipe = Recipe.model_validate({"aggregate": {"by_level": {1: "topsis"}}})
    assert Note("mixed_scales", "total", detail="topsis, scores") in remark_choices(tree, recipe, ("2022",))
    assert "mixed_scales" not in {note.code for note in remark_choices(tree, Recipe(), ("2022",))}


def test_children_that_nobody_weighed_are_named() -> None:
    bare = type(TREE).model_validate({**TREE.model_dump(), "judgements": TREE.judgements[:1]})
    note = Note("nobody_weighed", "total", detail="g, h")
    assert note in remark_choices(bare, Recipe(), ("2022",))
    assert note not in remark_choices(bare, Recipe.model_validate({"weights": {"method": "equal"}}), ("2022",))
    assert note not in remark_choices(TREE, Recipe(), ("2022",))
