import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import WeightError
from fhi.weights.blend import blend_weights

NONE = np.nan


def test_a_mean_by_hand() -> None:
    """Shares 3 and 1 of (1/2, 1/2) and of (1, 3), which is (1/4, 3/4)."""
    found = blend_weights(np.array([[0.5, 0.5], [1.0, 3.0]]), np.array([3.0, 1.0]))
    assert np.allclose(found, [(3 * 1 / 2 + 1 / 4) / 4, (3 * 1 / 2 + 3 / 4) / 4])


def test_a_child_that_one_method_leaves_out_is_left_out() -> None:
    """Over the first two children the vectors are (1/4, 3/4) and (1/2, 1/2)."""
    found = blend_weights(np.array([[0.2, 0.6, 0.2], [0.5, 0.5, NONE]]), np.array([1.0, 1.0]))
    assert np.allclose(found[:2], [(1 / 4 + 1 / 2) / 2, (3 / 4 + 1 / 2) / 2])
    assert np.isnan(found[2])


@given(
    arrays(np.float64, (3, 4), elements=st.floats(0.01, 1)),
    arrays(np.float64, 3, elements=st.floats(0.1, 5)),
    st.permutations(range(4)),
)
def test_a_blend_lies_between_its_parts(vectors: np.ndarray, shares: np.ndarray, order: list[int]) -> None:
    found = blend_weights(vectors, shares)
    assert found.sum() == pytest.approx(1)
    scaled = vectors / vectors.sum(axis=1, keepdims=True)
    assert (found >= scaled.min(axis=0) - 1e-12).all()
    assert (found <= scaled.max(axis=0) + 1e-12).all()
    assert np.allclose(blend_weights(vectors[:, order], shares * 7), found[order])


@pytest.mark.parametrize(
    ("vectors", "shares", "said"),
    [
        ([[0.5, 0.5]], [1.0, 1.0], "expected one share a vector"),
        ([[0.5, 0.5]], [0.0], "not positive"),
        ([[1.5, -0.5]], [1.0], "negative weight"),
        ([[0.5, 0.5], [0.0, NONE]], [1.0, 1.0], "vector 2 has no weight"),
    ],
)
def test_vectors_that_do_not_blend(vectors: list[list[float]], shares: list[float], said: str) -> None:
    with pytest.raises(WeightError, match=said):
        blend_weights(np.array(vectors), np.array(shares))
