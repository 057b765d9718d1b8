import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.denominate import denominate

NAN = np.nan
PEOPLE = np.array([[[50.0], [200.0]]])


def test_figures_per_thousand_people() -> None:
    x = np.array([[[2.0, 7.0], [5.0, 8.0]]])
    found = denominate(x, PEOPLE, np.array([0, -1]), np.array([1000.0, NAN]))
    assert found.cube[0].tolist() == [[2 / 50 * 1000, 7.0], [5 / 200 * 1000, 8.0]]
    assert found.lost.is_empty()


def test_each_indicator_has_its_own_denominator() -> None:
    denominators = np.array([[[50.0, 4.0]]])
    found = denominate(np.array([[[3.0, 3.0]]]), denominators, np.array([1, 0]), np.array([1.0, 100.0]))
    assert found.cube[0, 0].tolist() == [3 / 4, 3 / 50 * 100]


def test_a_denominator_that_is_zero_negative_or_missing_gives_a_missing_figure_and_is_told() -> None:
    x = np.array([[[1.0], [2.0], [3.0]], [[4.0], [NAN], [6.0]]])
    people = np.array([[[0.0], [10.0], [NAN]], [[-2.0], [0.0], [10.0]]])
    found = denominate(x, people, np.array([0]), np.array([1.0]))
    assert np.isnan(found.cube[:, :, 0]).tolist() == [[True, False, True], [True, True, False]]
    assert found.lost.rows() == [(0, 0, 0, 0, 0.0), (0, 2, 0, 0, None), (1, 0, 0, 0, -2.0)]


def test_a_quotient_too_great_for_a_number_is_missing_and_told() -> None:
    found = denominate(np.array([[[1e300]]]), np.array([[[1e-300]]]), np.array([0]), np.array([1.0]))
    assert np.isnan(found.cube).all()
    assert found.lost["found"].to_list() == [1e-300]


FIGURES = arrays(np.float64, (2, 3, 2), elements=st.floats(-1e9, 1e9) | st.just(NAN))
SIZES = arrays(np.float64, (2, 3, 1), elements=st.floats(1e-3, 1e9) | st.sampled_from([0.0, NAN]))


@given(FIGURES, SIZES)
def test_no_figure_is_lost_without_a_row_and_none_is_infinite(x: np.ndarray, sizes: np.ndarray) -> None:
    found = denominate(x, sizes, np.array([0, -1]), np.array([1.0, 1.0]))
    assert not np.isinf(found.cube).any()
    assert len(found.lost) == (np.isnan(found.cube) & ~np.isnan(x)).sum()
    assert np.array_equal(found.cube[:, :, 1], x[:, :, 1], equal_nan=True)
    here = ~np.isnan(found.cube[:, :, 0])
    assert np.allclose((found.cube[:, :, :1] * sizes)[here], x[:, :, :1][here], rtol=1e-12)
