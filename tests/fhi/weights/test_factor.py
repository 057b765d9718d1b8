import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fhi.errors import WeightError
from fhi.weights.factor import FactorWeights, factor_weights


@pytest.fixture(scope="module")
def tai(reference: Path) -> np.ndarray:
    return pl.read_csv(reference / "composite/tai/tai_raw_23.csv").select(pl.selectors.numeric()).to_numpy()


@pytest.fixture(scope="module")
def found(tai: np.ndarray) -> FactorWeights:
    return factor_weights(tai)


@pytest.fixture(scope="module")
def psych(reference: Path) -> dict[str, Any]:
    text = (reference / "composite/tai/psych_reference.json").read_text(encoding="utf-8")
    computed: dict[str, Any] = json.loads(text)
    return computed


def model(loadings: np.ndarray) -> np.ndarray:
    """Observations whose correlation matrix is exactly that of the factor model with these loadings."""
    k = len(loadings)
    correlation = loadings @ loadings.T
    correlation += np.diag(1 - np.diag(correlation))
    drawn = np.random.default_rng(5).normal(size=(60, k))
    drawn -= drawn.mean(axis=0)
    white = drawn @ np.linalg.inv(np.linalg.cholesky(drawn.T @ drawn / 59)).T
    observed: np.ndarray = white @ np.linalg.cholesky(correlation).T
    return observed


def test_factanal_of_the_handbooks_data(found: FactorWeights, psych: dict[str, Any]) -> None:
    """R's varimax stops at 1e-5, hence 0.0005 for its loadings; communalities do not turn."""
    assert (found.factors, found.degrees_of_freedom, found.at_bound) == (4, 2, 2)
    communalities = list(psych["factanal_communality"].values())
    assert np.abs(found.communalities - communalities).max() < 0.00002
    theirs = np.array(psych["factanal_ML4_varimax"])
    order = [int(np.argmax(np.abs(found.loadings.T @ factor))) for factor in theirs.T]
    assert sorted(order) == [0, 1, 2, 3]
    assert np.abs(np.abs(found.loadings[:, order]) - np.abs(theirs)).max() < 0.0005
    weights = list(psych["nicoletti_weights_ML"].values())
    assert np.abs(found.weights - weights).max() < 0.0001


def test_the_printed_weights_of_the_handbook(found: FactorWeights, reference: Path) -> None:
    """Table 18, maximum likelihood: a Heywood case, in which other software lands up to 0.04 away."""
    printed = pl.read_csv(reference / "composite/tai/table18_22_weights_published.csv")["ML_table18"].to_numpy()
    assert np.abs(found.weights - printed).max() < 0.045


def test_one_factor_is_found_again() -> None:
    loadings = np.array([[0.9], [0.8], [0.7], [0.6], [0.5]])
    found = factor_weights(model(loadings), factors=1)
    assert np.allclose(np.abs(found.loadings), loadings, atol=1e-5)
    assert np.allclose(found.weights, loadings[:, 0] ** 2 / (0.81 + 0.64 + 0.49 + 0.36 + 0.25), atol=1e-5)
    assert found.discrepancy == pytest.approx(0, abs=1e-9)
    assert found.at_bound == 0


def test_two_factors_are_found_again() -> None:
    loadings = np.array([[0.9, 0], [0.8, 0], [0.7, 0], [0, 0.8], [0, 0.7], [0, 0.6]])
    found = factor_weights(model(loadings), factors=2)
    squares = np.array([0.81, 0.64, 0.49, 0.64, 0.49, 0.36])
    assert np.allclose(found.communalities, squares, atol=1e-5)
    assert np.allclose(found.weights, squares / squares.sum(), atol=1e-5)
    assert found.degrees_of_freedom == ((6 - 2) ** 2 - 6 - 2) / 2


def test_units_and_order_of_indicators_do_not_matter(tai: np.ndarray) -> None:
    order = [3, 1, 7, 5, 0, 2, 6, 4]
    found = factor_weights(tai, factors=2)
    moved = factor_weights(tai[:, order] * 7 - 2, factors=2)
    assert np.allclose(moved.weights, found.weights[order], atol=1e-5)
    assert found.weights.sum() == pytest.approx(1)


def test_too_many_factors_are_refused(tai: np.ndarray) -> None:
    with pytest.raises(
        WeightError, match=r"5 factors of 8 indicators leave -2 degrees of freedom; .* at most 4 factors"
    ):
        factor_weights(tai, factors=5)
    with pytest.raises(WeightError, match="0 factors"):
        factor_weights(tai, factors=0)
    with pytest.raises(WeightError, match="1 factors of 2 indicators leave -1"):
        factor_weights(tai[:, :2], factors=1)


def test_an_indicator_that_repeats_others_is_refused(tai: np.ndarray) -> None:
    repeated = np.column_stack([tai, tai[:, 0] * 2 + tai[:, 1]])
    with pytest.raises(WeightError, match="singular"):
        factor_weights(repeated, factors=2)
