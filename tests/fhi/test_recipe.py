from pathlib import Path

import pytest

from fhi.errors import RecipeError
from fhi.recipe import AggregateStep, Recipe, WeighStep, load_recipe

EVERY_STEP = """
seed = 7
[screen]
method = "availability"
min_unit_share = 0.65
drop = ["x"]
[denominate]
method = "framework"
[impute]
method = "group_median"
group = "region"
[treat]
method = "winsorise"
max_points = 3
fall_back = "boxcox"
[treat.by_indicator.a]
method = "winsorise"
points = 2
[normalise]
method = "minmax"
lower = 1
upper = 100
[normalise.by_indicator.b]
method = "zscore"
[weights]
method = "entropy"
by_level = { 0 = "equal" }
by_group = { g = "blend" }
blend = { equal = 1, critic = 2 }
[aggregate]
method = "harmonic"
by_level = { 0 = "geometric" }
min_share = 0.5
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        load_recipe(written(folder, text))
    return [str(problem) for problem in caught.value.problems]


def test_every_step_has_a_table(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, EVERY_STEP))
    assert recipe.normalise.upper == 100
    assert recipe.normalise.by_indicator["b"].method == "zscore"
    assert recipe.treat.by_indicator["a"].points == 2
    assert recipe.weights.method_of("g", 1) == "blend"
    assert recipe.weights.method_of("total", 0) == "equal"
    assert recipe.weights.method_of("h", 1) == "entropy"
    assert (recipe.aggregate.method_of(0), recipe.aggregate.method_of(1)) == ("geometric", "harmonic")
    assert recipe.seed == 7


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert load_recipe(written(tmp_path, "")) == Recipe()


def test_the_hash_tells_recipes_apart(tmp_path: Path) -> None:
    hashes = {load_recipe(written(tmp_path, text)).hash() for text in ("", EVERY_STEP, "seed = 1")}
    assert len(hashes) == 3


def test_all_problems_come_at_once_with_table_key_and_remedy(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        '[normalise]\nmethod = "minmx"\nlowr = 1\n[agregate]\n'
        '[weights]\nby_level = { 0 = "equl" }\n[screen]\nmin_unit_share = 2',
    )
    assert len(found) == 5
    text = "\n".join(found)
    assert "recipe.toml: [normalise] method: found 'minmx'; expected 'minmax'? known: borda, distance_to_best" in text
    assert "[normalise] lowr: found an unknown key; expected 'lower'? known:" in text
    assert "[agregate]: found an unknown key; expected 'aggregate'? known:" in text
    assert "[weights] by_level.0: found 'equl'; expected" in text
    assert "[screen] min_unit_share: found 2; expected less than or equal to 1" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[impute]\nmethod = "group_mean"', 'group_mean needs group = "..."'),
        ('[treat.by_indicator.a]\nmethod = "winsorise"', "winsorise needs points = N"),
        ("[normalise]\nlower = 9\nupper = 1", "lower 9 must be below upper 1"),
        ('[normalise]\nmethod = "distance_to_reference"', "needs reference"),
        ('[weights]\nmethod = "blend"', "go together"),
        ('[weights]\notherwise = "framework"', "cannot be framework"),
        ("[weights]\ntargets = { a = -1 }", "cannot be negative"),
        ('[aggregate]\nmethod = "ordered"', "order_weights"),
        ("[aggregate]\nexponent = 0", 'use method = "geometric"'),
        (
            '[weights]\nmethod = "blend"\notherwise = "blend"\nblend = { framework = 1, equal = 1 }',
            "neither blend nor bod",
        ),
        ("[weights]\nbod_min_share = 0.5\nbod_max_share = 0.2", "must be below"),
    ],
)
def test_choices_that_contradict_each_other(tmp_path: Path, text: str, message: str) -> None:
    (found,) = problems(tmp_path, text)
    assert message in found


def test_no_file_and_no_toml(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.toml: found no such file"):
        load_recipe(tmp_path / "none.toml")
    assert "valid TOML" in problems(tmp_path, "[normalise")[0]


def test_a_blend_is_not_made_of_blends() -> None:
    with pytest.raises(ValueError, match="other than blend"):
        WeighStep(method="blend", blend={"blend": 1})


def test_order_weights_of_nothing() -> None:
    with pytest.raises(ValueError, match="must not all be zero"):
        AggregateStep(method="ordered", order_weights=(0.0, 0.0))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("[normalise]\nlower = nan", "[normalise] lower: found nan; expected a finite number"),
        ("[normalise]\nupper = inf", "[normalise] upper: found inf; expected a finite number"),
        ("[normalise]\nmethod = 'scaled'\nfrom_upper = 1e-308", "a number from 1e-50 to 1e50 in size"),
        ("[aggregate]\nmethod = 'ordered'\norder_weights = [1e308, 1e308]", "a number from 1e-50 to 1e50 in size"),
        ("[aggregate]\nmethod = 'power'\nexponent = inf", "expected a finite number"),
        ("seed = -1", "seed: found -1; expected greater than or equal to 0"),
    ],
)
def test_numbers_that_nothing_can_be_computed_with(tmp_path: Path, step: str, said: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(step, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert said in str(caught.value)


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="found no such file"):
        load_recipe(tmp_path)
