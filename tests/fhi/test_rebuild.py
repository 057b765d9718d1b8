from pathlib import Path

import polars as pl
import pytest

from fhi.errors import RecipeError
from fhi.framework import load_framework
from fhi.index import IndexResult, build_index
from fhi.panel import PANEL_SCHEMA
from fhi.rebuild import adjust, leave_one_out
from fhi.recipe import Recipe

TREE = load_framework(Path(__file__).parent / "small.toml")


def result() -> IndexResult:
    """Three units on both scales of 0 to 100: by g they stand x, y, z, by h the other way round."""
    figures = {"x": (9, 0, 0, 0), "y": (5, 5, 5, 5), "z": (0, 9, 9, 9)}
    rows = [
        {
            "hub": hub,
            "period": "2022",
            "code": code,
            "value": float(value),
            "unit": "u",
            "status": "observed",
            "source": "s",
        }
        for hub, values in figures.items()
        for code, value in zip("abcd", values, strict=True)
    ]
    return build_index(pl.DataFrame(rows, schema=PANEL_SCHEMA), TREE, Recipe())


def test_one_choice_changed_by_its_address() -> None:
    recipe = adjust(Recipe(), {"normalise.method": "zscore", "aggregate.by_level.0": "geometric", "seed": 3})
    assert recipe.normalise.method == "zscore"
    assert recipe.aggregate.method_of(0) == "geometric"
    assert recipe.aggregate.method_of(1) == "arithmetic"
    assert recipe.seed == 3


@pytest.mark.parametrize("key", ["normalise.methd", "nothing.method", "seed.deep"])
def test_a_choice_that_does_not_exist_is_an_error(key: str) -> None:
    with pytest.raises(RecipeError):
        adjust(Recipe(), {key: "zscore"})


def test_a_group_left_out_turns_the_ranking() -> None:
    # g weighs 3 of 4 and ranks x first; without it h decides and ranks z first.
    table = leave_one_out(result())
    row = table.filter(pl.col("code") == "g").row(0, named=True)
    assert (row["level"], row["group"], row["n"]) == (1, "total", 3)
    assert (row["mean_shift"], row["largest_shift"], row["moved_most"]) == ((2 + 0 + 2) / 3, 2, "x")


def test_what_does_not_matter_moves_nobody() -> None:
    row = leave_one_out(result()).filter(pl.col("code") == "h").row(0, named=True)
    assert (row["mean_shift"], row["moved_most"], row["no_longer_ranked"]) == (0.0, None, 0)


def test_every_node_but_the_root_is_left_out_once() -> None:
    assert sorted(leave_one_out(result())["code"]) == sorted(code for code in TREE.node if code != TREE.root)


def test_an_only_child_takes_its_group_with_it() -> None:
    """With h gone from view, leaving g out leaves nothing to rank."""
    lone = result().inputs.filter(pl.col("code").is_in(["a", "b"])).select(PANEL_SCHEMA.names())
    table = leave_one_out(build_index(lone, TREE, Recipe()))
    row = table.filter(pl.col("code") == "g").row(0, named=True)
    assert (row["n"], row["mean_shift"], row["no_longer_ranked"]) == (0, None, 3)


def test_what_is_left_is_weighed_anew_by_benefit_of_the_doubt() -> None:
    """x has all its weight on a, yet is ranked without a: by b alone, x, y, z have 0, 5 / 9 and 1 of the best."""
    recipe = adjust(Recipe(), {"weights.method": "equal", "weights.by_group": {"g": "bod"}, "aggregate.min_share": 0})
    figures = result().inputs.select(PANEL_SCHEMA.names())
    built = build_index(figures.filter(pl.col("code") != "d"), TREE, recipe)
    row = leave_one_out(built).filter(pl.col("code") == "a").row(0, named=True)
    assert (row["n"], row["no_longer_ranked"]) == (3, 0)
