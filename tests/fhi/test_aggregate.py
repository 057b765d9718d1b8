import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.aggregate import arithmetic, rescaled_weights

NAN = float("nan")


def mean(scores: list[list[float]], weights: list[float], min_share: float = 0.0) -> np.ndarray:
    cube = np.array([scores])
    return arithmetic(cube, rescaled_weights(cube, np.array(weights), min_share))[0]


def test_weighted_mean() -> None:
    assert mean([[10.0, 40.0]], [0.75, 0.25]).tolist() == [0.75 * 10 + 0.25 * 40]


def test_weights_of_missing_children_go_to_the_others() -> None:
    found = mean([[10.0, 40.0, NAN], [1.0, 2.0, 3.0]], [0.5, 0.3, 0.2])
    assert np.isclose(found[0], (0.5 * 10 + 0.3 * 40) / (0.5 + 0.3))


def test_a_child_that_nobody_has_is_not_held_against_anyone() -> None:
    assert mean([[10.0, NAN], [20.0, NAN]], [0.1, 0.9], min_share=1.0).tolist() == [10.0, 20.0]


def test_below_the_least_share_a_group_is_missing() -> None:
    found = mean([[10.0, NAN], [20.0, 30.0]], [0.4, 0.6], min_share=0.5)
    assert np.isnan(found[0])
    assert found[1] == 0.4 * 20 + 0.6 * 30


def test_a_share_just_at_the_least_is_enough() -> None:
    assert mean([[10.0, NAN, NAN], [1.0, 2.0, 3.0]], [1 / 3, 1 / 3, 1 / 3], min_share=1 / 3)[0] == 10


def test_nobody_has_anything() -> None:
    assert np.isnan(mean([[NAN, NAN]], [0.5, 0.5])).all()


def test_a_child_of_weight_zero_is_shown_and_not_counted() -> None:
    assert mean([[10.0, NAN], [20.0, 99.0]], [1.0, 0.0], min_share=1.0).tolist() == [10.0, 20.0]


@given(
    arrays(np.float64, (2, 5, 4), elements=st.one_of(st.just(NAN), st.floats(0, 100))),
    arrays(np.float64, (4,), elements=st.floats(0.01, 1)),
    st.floats(0, 1),
)
def test_rescaled_weights_sum_to_one_and_means_stay_within_the_children(
    scores: np.ndarray, weights: np.ndarray, min_share: float
) -> None:
    local = rescaled_weights(scores, weights, min_share)
    found = arithmetic(scores, local)
    scored = ~np.isnan(found)
    assert np.allclose(local[scored].sum(axis=1), 1)
    assert (found[scored] >= np.nanmin(scores, axis=2, initial=np.inf)[scored] - 1e-9).all()
    assert (found[scored] <= np.nanmax(scores, axis=2, initial=-np.inf)[scored] + 1e-9).all()
