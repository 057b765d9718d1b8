"""Trees scored in blocks against the same trees worked out node by node in plain Python."""

from itertools import product

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from fhi.index import build_index
from fhi.recipe import AggregateStep, NormaliseStep, Recipe, WeighStep
from green_index.robustness.choices import Choices
from green_index.robustness.draws import WeightChoice, draw_weights
from green_index.robustness.ranks import count_places, order_draws, places_taken, rank_table
from green_index.robustness.study import scale_of_plan
from green_index.robustness.tree_draws import score_draws, score_points, total_scores
from green_index.robustness.variants import Variants, variants

from .conftest import PERIOD, Case, make_case, plain_ranks, plain_score

DRAWS = 200
MEANS = st.sampled_from(["arithmetic", "geometric", "harmonic"])


def recipe_of(means: dict[int, str], share: float = 0.0) -> Recipe:
    return Recipe(
        normalise=NormaliseStep(lower=1, upper=100),
        weights=WeighStep(method="given"),
        aggregate=AggregateStep.model_validate({"by_level": means, "min_share": share, "min_share_root": share}),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Case, Recipe]:
    """A tree of two or three levels with one to four children a group, three to nine hubs, one cell in six missing;
    some figures are small whole numbers, so that hubs tie."""
    tree: dict[str, tuple[str, ...]] = {"t": ()}
    leaves = []
    for branch in range(draw(st.integers(1, 3))):
        group = f"g{branch}"
        tree["t"] = (*tree["t"], group)
        tree[group] = tuple(f"{group}x{leaf}" for leaf in range(draw(st.integers(1, 4))))
        leaves += list(tree[group])
        if draw(st.booleans()):
            inner = f"{group}h"
            tree[group] = (*tree[group], inner)
            tree[inner] = tuple(f"{inner}y{leaf}" for leaf in range(draw(st.integers(1, 3))))
            leaves += list(tree[inner])
    hubs = draw(st.integers(3, 9))
    nodes = [child for children in tree.values() for child in children]
    weights = {node: draw(st.integers(1, 4)) for node in nodes}
    whole = st.integers(0, 3).map(float)
    fine = st.integers(0, 3000).map(lambda thousandths: thousandths / 1000)
    cell = st.integers(0, 5).flatmap(lambda luck: st.none() if luck == 0 else (whole if luck < 3 else fine))
    figures = {leaf: tuple(draw(st.lists(cell, min_size=hubs, max_size=hubs))) for leaf in leaves}
    means = {level: draw(MEANS) for level in range(3 if any("h" in group for group in tree) else 2)}
    return make_case(tree, weights, figures), recipe_of(means, draw(st.sampled_from([0.0, 0.5])))


def plain_runs(case: Case, recipe: Recipe, made_of: Variants, weights: dict[str, np.ndarray]) -> list[list[float]]:
    """Scores by draw and hub, from the stated run's normalised figures and masks."""
    tree = build_index(case.panel, case.framework, recipe)
    hubs = [tree.steps.hubs.index(hub) for hub in made_of.hubs]
    drawn = {
        code: row for group in made_of.groups for code, row in zip(group.children, weights[group.group], strict=True)
    }
    runs = []
    for draw in range(DRAWS):
        own = {code: float(drawn[code][draw]) if code in drawn else 1.0 for code in case.framework.node}
        scores = []
        for hub in hubs:
            has = {
                (group, child): bool(tree.tree.local[group][0, hub, i] > 0)
                for group, children in case.framework.children.items()
                for i, child in enumerate(children)
            }
            figures = {code: float(tree.tree.scores[code][0, hub]) for code in case.framework.indicator}
            root = case.framework.root
            scores.append(plain_score(case.framework, root, has, figures, own, recipe.aggregate.method_of))
        runs.append(scores)
    return runs


# Every example is 200 runs in plain Python: what fails is told as it was found, not made smaller for minutes.
@settings(max_examples=20, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(cases(), st.sampled_from(["flat", "dirichlet", "uniform"]), st.integers(0, 2**32 - 1))
def test_blocks_are_the_plain_model(made: tuple[Case, Recipe], kind: str, seed: int) -> None:
    case, recipe = made
    assume(case.panel.height > 0)
    ranked = build_index(case.panel, case.framework, recipe).tree.scores[case.framework.root]
    assume((~np.isnan(ranked)).sum() > 1)
    choice = WeightChoice(kind, 0.3)  # type: ignore[arg-type]
    made_of = variants(case.panel, case.framework, recipe, PERIOD, Choices(choice))
    plan = made_of.variants[0].plan
    weights = dict(draw_weights(choice, made_of.groups, DRAWS, np.random.default_rng(seed)))
    plain = np.array(plain_runs(case, recipe, made_of, weights))
    fine = total_scores(plan, score_draws(plan, weights, precise=True))
    assert np.abs(fine / plain - 1).max() < 1e-12

    draws, hubs = (np.array(axis) for axis in zip(*product(range(0, DRAWS, 9), range(plain.shape[1])), strict=True))
    points = score_points(plan, weights, draws, hubs)
    assert np.abs(points / plain[draws, hubs] - 1).max() < 1e-12

    coarse = score_draws(plan, weights)
    order = order_draws(coarse, scale_of_plan(plan), lambda draw, hub: score_points(plan, weights, draw, hub))
    expected = np.array([plain_ranks(scores) for scores in plain.tolist()])
    assert np.array_equal(rank_table(order, plain.shape[1]).T + 1, expected)
    counts = count_places(places_taken(order, plain.shape[1]), plain.shape[1])
    assert np.array_equal(counts, (expected.T[:, :, None] == np.arange(1, plain.shape[1] + 1)).sum(axis=1))


def test_stated_weights_give_the_stated_scores(two_levels: Case) -> None:
    """h4 has no c1: its total is that of a and b alone, by 2 : 1."""
    recipe = recipe_of({})
    made_of = variants(two_levels.panel, two_levels.framework, recipe, PERIOD, Choices(WeightChoice("stated")))
    plan = made_of.variants[0].plan
    weights = draw_weights(WeightChoice("stated"), made_of.groups, 1, np.random.default_rng(0))
    fine = total_scores(plan, score_draws(plan, weights, precise=True))[0]
    assert fine == pytest.approx(made_of.stated_scores, rel=1e-6)
    # Min-max to 1..100: a1 of h4 is 2 in 1..5, a2 1 in 1..9; b 7 in 1..8, 6 in 2..8, 9 in 1..9.
    a = (1 * (1 + 99 * 1 / 4) + 3 * 1) / 4
    b = (1 * (1 + 99 * 6 / 7) + 1 * (1 + 99 * 4 / 6) + 2 * 100) / 4
    assert made_of.hubs == ("h0", "h1", "h2", "h3", "h4", "h5")
    assert fine[4] == pytest.approx((2 * a + 1 * b) / 3, rel=1e-6)
    assert [(group.group, group.children) for group in made_of.groups] == [
        ("t", ("a", "b", "c")),
        ("a", ("a1", "a2")),
        ("b", ("b1", "b2", "b3")),
    ]
