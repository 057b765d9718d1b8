from pathlib import Path

from fhi.framework import load_framework
from fhi.recipe import AggregateStep, ForcedTreatment, ImputeStep, Recipe, ScreenStep, TreatStep, WeighStep
from fhi.recipe_checks import check_recipe

TREE = load_framework(Path(__file__).parent / "small.toml")


def messages(recipe: Recipe) -> list[str]:
    return [str(problem) for problem in check_recipe(recipe, TREE, ["x", "y", "z"], ["region"])]


def test_the_defaults_fit_everything() -> None:
    assert messages(Recipe()) == []


def test_every_unknown_name_is_told_with_the_nearest() -> None:
    recipe = Recipe(
        screen=ScreenStep(keep=("q",)),
        impute=ImputeStep(method="group_mean", group="regoin"),
        treat=TreatStep(by_indicator={"aa": ForcedTreatment(method="log")}),
        weights=WeighStep(by_group={"totl": "equal"}, by_level={5: "equal"}),
    )
    found = messages(recipe)
    assert found[0].startswith("[screen] keep: found 'q'; expected a unit of the data: one of x, y, z")
    assert "[impute] group: found 'regoin'; expected an attribute of the units: 'region'?" in found[1]
    assert "[treat] by_indicator: found 'aa'; expected an indicator of the framework: 'a'?" in found[2]
    assert "[weights] by_group: found 'totl'; expected a group of the framework: 'total'?" in found[3]
    assert "[weights] by_level: found level 5; expected a level that has groups: 0, 1" in found[4]


def test_weights_by_unit_need_the_arithmetic_mean() -> None:
    recipe = Recipe(weights=WeighStep(by_group={"g": "bod"}), aggregate=AggregateStep(method="geometric"))
    assert "group g, weighed by bod" in messages(recipe)[0]
