from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhi.errors import WeightError
from fhi.weights.influence import influence_weights

RNG = np.random.default_rng(8)


def correlations(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    composite = scores @ weights
    return np.array([np.corrcoef(column, composite)[0, 1] for column in scores.T])


def asem(reference: Path, names: list[str]) -> np.ndarray:
    table = pl.read_csv(reference / "composite/coinr_asem/pipeline_aggregated.csv")
    return table.select(names).cast(pl.Float64).to_numpy()


def test_two_sub_indices_of_coinr(reference: Path) -> None:
    """Equal influence of Conn and Sust: .385317 and .614683."""
    scores = asem(reference, ["Conn", "Sust"])
    found = influence_weights(scores, ["Conn", "Sust"], {"Sust": 1, "Conn": 1})
    assert np.abs(found.weights - [0.385317, 0.614683]).max() < 1e-6
    assert found.reached
    inverse = 1 / np.std(scores, axis=0, ddof=1)
    assert np.allclose(found.weights, inverse / inverse.sum())


def test_a_target_belongs_to_its_name(reference: Path) -> None:
    """COINr gives a fifth meant for ConEcFin to Environ; here the order of the targets is nothing."""
    names = ["P2P", "ConEcFin", "Instit"]
    targets = {"Instit": 5.0, "ConEcFin": 4.0, "P2P": 5.0}
    scores = asem(reference, names)
    found = influence_weights(scores, names, targets)
    assert found.reached
    reached = correlations(scores, found.weights)
    assert np.allclose(reached / reached.sum(), [5 / 14, 4 / 14, 5 / 14])
    assert np.allclose(found.obtained, [5 / 14, 4 / 14, 5 / 14])


def test_what_cannot_be_reached_is_not_called_reached(reference: Path) -> None:
    """Equal influence of all eight pillars needs a negative weight: COINr returns one, or stops and says success."""
    names = ["ConEcFin", "Instit", "P2P", "Physical", "Political", "Environ", "Social", "SusEcFin"]
    scores = asem(reference, names)
    found = influence_weights(scores, names, dict.fromkeys(names, 1.0))
    assert not found.reached
    assert (found.weights >= 0).all()
    assert found.weights.sum() == pytest.approx(1)
    reached = correlations(scores, found.weights)
    assert np.allclose(found.obtained, reached / reached.sum(), atol=1e-9)
    assert found.largest_miss == pytest.approx(np.abs(found.obtained - 1 / 8).max())
    assert found.largest_miss > found.tolerance
    standard = scores / np.std(scores, axis=0, ddof=1)
    for _ in range(200):
        other = correlations(standard, RNG.dirichlet(np.ones(8)))
        assert ((other / other.sum() - 1 / 8) ** 2).sum() >= ((found.obtained - 1 / 8) ** 2).sum() - 1e-12


def test_a_wide_tolerance_is_stated_with_the_result(reference: Path) -> None:
    """P2P and Physical rise together, so that all influence for one of them asks for a negative weight of the other."""
    scores = asem(reference, ["P2P", "Physical"])
    targets = {"P2P": 1.0, "Physical": 0.0}
    found = influence_weights(scores, ["P2P", "Physical"], targets)
    assert not found.reached
    assert np.allclose(found.weights, [1, 0])
    r = np.corrcoef(scores, rowvar=False)[0, 1]
    assert np.allclose(found.obtained, [1 / (1 + r), r / (1 + r)])
    lenient = influence_weights(scores, ["P2P", "Physical"], targets, tolerance=0.9)
    assert lenient.reached
    assert lenient.tolerance == 0.9


@given(st.floats(0.1, 100), st.floats(0.1, 100), st.floats(-0.9, 0.9))
def test_equal_influence_of_two_is_inverse_to_their_deviations(first: float, second: float, mix: float) -> None:
    base = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5], [2.0, 3.0], [0.0, -1.0]])
    scores = np.column_stack([base[:, 0] * first, (mix * base[:, 0] + base[:, 1]) * second])
    found = influence_weights(scores, ["a", "b"], {"a": 0.5, "b": 0.5})
    inverse = 1 / np.std(scores, axis=0, ddof=1)
    assert np.allclose(found.weights, inverse / inverse.sum())
    assert found.reached


@given(st.integers(0, 1000), st.permutations(range(4)), st.tuples(*[st.floats(0.5, 3)] * 4))
def test_targets_move_with_their_children(seed: int, order: list[int], parts: tuple[float, ...]) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(30, 4)) + rng.normal(size=(30, 1))
    names = ["a", "b", "c", "d"]
    targets = dict(zip(names, parts, strict=True))
    found = influence_weights(scores, names, targets)
    moved = influence_weights(scores[:, order] * 5, [names[i] for i in order], targets)
    assert np.allclose(moved.weights, found.weights[order], atol=1e-5)
    assert np.allclose(found.targets, np.array(parts) / sum(parts))
    assert found.reached == (found.largest_miss <= found.tolerance)
    if found.reached:
        reached = correlations(scores, found.weights)
        assert np.abs(reached / reached.sum() - found.targets).max() <= found.tolerance + 1e-9


SCORES = RNG.normal(size=(10, 2))


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ({"a": 1.0}, "no target of b; expected one target a child: a, b"),
        ({"a": 1.0, "b": 1.0, "c": 1.0}, "a target of c, no child here"),
        ({"a": 1.0, "x": 1.0}, "no target of b and a target of x"),
        ({"a": 1.0, "b": -1.0}, "none negative"),
        ({"a": 0.0, "b": 0.0}, "not all zero"),
        ({"a": 1.0, "b": np.nan}, "found targets a 1, b nan"),
    ],
)
def test_targets_that_fit_no_children(targets: dict[str, float], said: str) -> None:
    with pytest.raises(WeightError, match=said):
        influence_weights(SCORES, ["a", "b"], targets)


def test_scores_that_fit_no_names() -> None:
    with pytest.raises(WeightError, match="one column for each of 3 children"):
        influence_weights(SCORES, ["a", "b", "c"], {"a": 1, "b": 1, "c": 1})
    with pytest.raises(WeightError, match="a name twice"):
        influence_weights(SCORES, ["a", "a"], {"a": 1})
