from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fhi.diagnostics import bartlett, chi_square_p, kmo
from fhi.weights.pca import correlation_matrix


def test_handbook_data_against_the_psych_package(reference: Path) -> None:
    data = pl.read_csv(reference / "composite/tai/tai_raw_23.csv").select(pl.selectors.numeric()).to_numpy()
    correlation = correlation_matrix(data)
    assert kmo(correlation) == pytest.approx(0.5006, abs=0.00005)
    found = bartlett(correlation, len(data))
    assert found is not None
    assert found.chi_square == pytest.approx(85.93, abs=0.005)
    assert found.degrees_of_freedom == 8 * 7 // 2
    assert chi_square_p(found.chi_square, found.degrees_of_freedom) == pytest.approx(8.5e-8, abs=0.05e-8)


def test_uncorrelated_indicators_are_spherical() -> None:
    found = bartlett(np.eye(3), 50)
    assert found is not None
    assert found.chi_square == 0
    assert chi_square_p(found.chi_square, found.degrees_of_freedom) == 1


def test_nothing_to_say_of_one_indicator_or_of_copies() -> None:
    assert kmo(np.eye(1)) is None
    assert kmo(np.ones((2, 2))) is None
    assert bartlett(np.ones((2, 2)), 10) is None
    assert kmo(np.eye(3)) is None
