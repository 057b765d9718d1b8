import math

import numpy as np
import pytest

from fhi.treat import TRANSFORMS, log1p


def test_log_keeps_zero_and_missing() -> None:
    found = log1p(np.array([0.0, math.e - 1, np.nan]))
    assert found[:2].tolist() == [0.0, pytest.approx(1.0)]
    assert np.isnan(found[2])


def test_log_of_a_negative_figure_is_an_error_that_shows_it() -> None:
    with pytest.raises(ValueError, match=r"found -2\.5"):
        log1p(np.array([1.0, -2.5]))


def test_none_keeps_every_figure() -> None:
    x = np.array([-1.0, 2.0])
    assert TRANSFORMS["none"](x) is x
