from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import WeightError
from fhi.weights.pca import correlation_matrix, nicoletti_weights, varimax


@pytest.fixture(scope="module")
def tai(reference: Path) -> np.ndarray:
    return pl.read_csv(reference / "composite/tai/tai_raw_23.csv").select(pl.selectors.numeric()).to_numpy()


def test_eigenvalues_of_the_handbook(tai: np.ndarray) -> None:
    printed = [3.3544, 1.7461, 0.9849, 0.8939, 0.4712, 0.2995, 0.1744, 0.0757]
    found = nicoletti_weights(tai)
    assert np.abs(found.eigenvalues - printed).max() < 0.00005
    assert found.kept == 4


def test_weights_of_the_handbooks_technology_index(tai: np.ndarray) -> None:
    recomputed = [0.1680, 0.1546, 0.1113, 0.0565, 0.0862, 0.1186, 0.1388, 0.1660]
    found = nicoletti_weights(tai).weights
    assert np.abs(found - recomputed).max() < 0.00005
    assert found.sum() == pytest.approx(1)


def test_varimax_loadings_of_the_handbook(tai: np.ndarray, reference: Path) -> None:
    values, vectors = np.linalg.eigh(correlation_matrix(tai))
    loadings = (vectors[:, ::-1] * np.sqrt(values[::-1]))[:, :4]
    turned = varimax(loadings)
    table = pl.read_csv(reference / "composite/tai/recomputed_varimax_loadings.csv")
    recomputed = table.select(pl.selectors.numeric()).to_numpy()[:8, :4]
    for factor in recomputed.T:
        nearest = min(np.abs(np.abs(column) - np.abs(factor)).max() for column in turned.T)
        assert nearest < 1e-4


def test_turning_keeps_communalities(tai: np.ndarray) -> None:
    values, vectors = np.linalg.eigh(correlation_matrix(tai))
    loadings = (vectors[:, ::-1] * np.sqrt(values[::-1]))[:, :3]
    assert np.allclose((varimax(loadings) ** 2).sum(axis=1), (loadings**2).sum(axis=1))


@given(arrays(np.float64, (12, 4), elements=st.floats(-100, 100), unique=True))
def test_weights_are_never_negative_and_sum_to_one(scores: np.ndarray) -> None:
    if (np.std(scores, axis=0) < 1e-6).any():
        return
    found = nicoletti_weights(scores).weights
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1)


@given(arrays(np.float64, (10, 3), elements=st.integers(-50, 50).map(float)), st.floats(0.1, 10))
def test_units_do_not_matter(scores: np.ndarray, factor: float) -> None:
    if (np.ptp(scores, axis=0) == 0).any():
        return
    correlation = correlation_matrix(scores)
    assert np.allclose(correlation_matrix(scores * factor + 7), correlation)


def test_two_indicators_weigh_alike() -> None:
    scores = np.array([[1.0, 5.0], [2.0, 3.0], [3.0, 9.0], [7.0, 4.0]])
    assert np.allclose(nicoletti_weights(scores).weights, [0.5, 0.5])


def test_too_little_to_correlate() -> None:
    with pytest.raises(WeightError, match="2 complete observations"):
        nicoletti_weights(np.array([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(WeightError, match=r"column\(s\) 2 do not vary"):
        nicoletti_weights(np.array([[1.0, 2.0], [2.0, 2.0], [3.0, 2.0]]))
