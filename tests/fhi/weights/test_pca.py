from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import WeightError
from fhi.weights.pca import (
    components_of,
    composite_weights,
    correlation_matrix,
    first_component_weights,
    nicoletti_weights,
    squared_loading_weights,
    varimax,
)


@pytest.fixture(scope="module")
def tai(reference: Path) -> np.ndarray:
    return pl.read_csv(reference / "composite/tai/tai_raw_23.csv").select(pl.selectors.numeric()).to_numpy()


def test_eigenvalues_of_the_handbook(tai: np.ndarray) -> None:
    printed = [3.3544, 1.7461, 0.9849, 0.8939, 0.4712, 0.2995, 0.1744, 0.0757]
    found = nicoletti_weights(tai)
    assert np.abs(found.eigenvalues - printed).max() < 0.00005
    assert found.kept == 4


def test_variance_explained_of_the_handbook(tai: np.ndarray, reference: Path) -> None:
    """Tables 7 and 16, printed to one place from figures less rounded than those of table A.2."""
    printed = pl.read_csv(reference / "composite/tai/table7_16_eigenvalues_published.csv")
    found = nicoletti_weights(tai)
    assert np.abs(found.eigenvalues - printed["eigenvalue"].to_numpy()).max() < 0.06
    assert np.abs(100 * found.explained - printed["pct_variance"].to_numpy()).max() < 0.12
    assert np.abs(100 * found.explained.cumsum() - printed["cumulative"].to_numpy()).max() < 0.12


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
    with pytest.raises(WeightError, match=r"column\(s\) 1 lack figures"):
        nicoletti_weights(np.array([[1.0, 2.0], [np.nan, 1.0], [3.0, 3.0]]))


def table(reference: Path, name: str, factors: list[str]) -> np.ndarray:
    return pl.read_csv(reference / "composite/tai" / name).select(factors).to_numpy()


def test_component_loadings_of_the_handbook(tai: np.ndarray, reference: Path) -> None:
    """Table 8; the raw table is rounded to two places, so that its loadings come within 0.012."""
    names = [f"PC{i}" for i in range(1, 9)]
    printed = table(reference, "table8_component_loadings_published.csv", names)
    recomputed = table(reference, "recomputed_component_loadings.csv", names)
    found = components_of(correlation_matrix(tai)).loadings
    assert np.abs(np.abs(found) - np.abs(recomputed)).max() < 1e-12
    assert np.abs(np.abs(found) - np.abs(printed)).max() < 0.013


def test_squared_scaled_loadings_of_the_handbook(tai: np.ndarray, reference: Path) -> None:
    """Tables 9 and 17, in the Handbook's order of factors and up to sign, and the weights of table 18."""
    found = nicoletti_weights(tai)
    turned = table(reference, "table9_17_varimax_loadings_published.csv", ["F1", "F2", "F3", "F4"])
    order = [int(np.argmax(np.abs(found.loadings.T @ factor))) for factor in turned.T]
    assert sorted(order) == [0, 1, 2, 3]
    assert np.abs(np.abs(found.loadings[:, order]) - np.abs(turned)).max() < 0.015
    squared = found.loadings[:, order] ** 2
    assert np.abs(squared.sum(axis=0) - [2.63, 1.39, 1.18, 1.78]).max() < 0.02
    scaled = table(reference, "table17_squared_scaled_loadings_published.csv", ["F1", "F2", "F3", "F4"])
    assert np.abs(squared / squared.sum(axis=0) - scaled).max() < 0.015
    weights = table(reference, "table18_22_weights_published.csv", ["PC_table18"])[:, 0]
    assert np.abs(found.weights - weights).max() < 0.015


def test_first_components_of_coinr(reference: Path) -> None:
    """COINr's vector at unit length and its eigenvalue, up to a sign, in all eleven groups of its ASEM example."""
    folder = reference / "composite/coinr_asem"
    given = pl.read_csv(folder / "pca_weights_by_group.csv")
    groups = given.group_by("level", "group", maintain_order=True)
    mixed = []
    for (level, group), rows in groups:
        file = "pipeline_normalised.csv" if level == 1 else "pipeline_aggregated.csv"
        scores = pl.read_csv(folder / file).select(rows["iCode"].to_list()).cast(pl.Float64).to_numpy()
        found = components_of(correlation_matrix(scores))
        theirs = rows["pc1_loading"].to_numpy()
        assert np.abs(np.abs(found.vectors[:, 0]) - np.abs(theirs)).max() < 1e-12, group
        assert found.eigenvalues[0] == pytest.approx(rows["eig1"][0], abs=1e-12)
        assert found.explained[0] == pytest.approx(rows["eig1_share"][0], abs=1e-12)
        if (theirs > 0).all() or (theirs < 0).all():
            assert np.allclose(first_component_weights(scores).weights, theirs / theirs.sum())
        else:
            mixed.append(group)
            with pytest.raises(WeightError, match=r"column\(s\) .* would weigh -0\."):
                first_component_weights(scores)
    assert mixed == ["Instit", "Environ", "SusEcFin", "Sust"]


@pytest.mark.parametrize("other", [[5.0, 3.0, 9.0, 4.0], [4.0, 5.0, 6.0, 9.0]])
def test_a_component_without_a_sign_favours_nobody(other: list[float]) -> None:
    """Two indicators have components (1, 1) and (1, -1), whatever the sign of their correlation."""
    found = composite_weights(np.column_stack([[1.0, 2.0, 3.0, 7.0], other]), kept=2)
    assert np.allclose(found.weights, [0.5, 0.5])


def test_composite_weights_average_the_components_by_variance(tai: np.ndarray) -> None:
    found = composite_weights(tai, kept=2)
    correlation = np.corrcoef(tai, rowvar=False)
    for component in range(2):
        vector = found.vectors[:, component]
        assert np.allclose(correlation @ vector, found.eigenvalues[component] * vector)
        assert vector.sum() > 0
    negative = found.vectors[3, 0]
    assert negative < 0
    raw = found.vectors[:, 0] * found.eigenvalues[0] + found.vectors[:, 1] * found.eigenvalues[1]
    assert (raw > 0).all()
    assert np.allclose(found.weights, raw / raw.sum())
    assert composite_weights(tai).kept == 4


def test_a_negative_coefficient_names_its_column(tai: np.ndarray) -> None:
    """Exports run against the first component of the Handbook's data."""
    with pytest.raises(WeightError, match=r"column\(s\) 4 would weigh -0\.192"):
        first_component_weights(tai)
    with pytest.raises(WeightError, match=r"column\(s\) 4 would weigh"):
        composite_weights(tai, kept=1)
    with pytest.raises(WeightError, match="9 components to keep; expected 1 to 8"):
        composite_weights(tai, kept=9)


@given(st.integers(0, 10_000), st.permutations(range(4)), st.floats(0.01, 100))
def test_order_and_units_of_indicators_do_not_matter(seed: int, order: list[int], factor: float) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(20, 4)) + 2 * rng.normal(size=(20, 1))
    for rule in (nicoletti_weights, first_component_weights, composite_weights):
        try:
            found = rule(scores).weights
        except WeightError:
            continue
        assert np.allclose(rule(scores[:, order] * factor + 3).weights, found[order], atol=1e-6)
        assert found.sum() == pytest.approx(1)
        assert (found >= 0).all()


def test_nicolettis_rule_by_hand() -> None:
    """Squared loadings .81 .64 on the first factor, .49 on the second: each over their sum."""
    loadings = np.array([[0.9, 0.1], [0.8, -0.2], [0.3, -0.7]])
    assert np.allclose(squared_loading_weights(loadings), np.array([0.81, 0.64, 0.49]) / (0.81 + 0.64 + 0.49))
