import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import WeightError
from fhi.weights.critic import critic_weights


@pytest.fixture(scope="module")
def cases(reference: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((reference / "composite/mcdm/mcdm_reference.json").read_text(encoding="utf-8"))
    assert len(found) == 6
    return found


def test_the_authors_own_example(cases: dict[str, Any]) -> None:
    """Diakoulaki et al. 1995: .20222554 .48090173 .31687273."""
    found = critic_weights(np.array(cases["diakoulaki1995_critic"]["matrix"]))
    assert np.abs(found - [0.20222554, 0.48090173, 0.31687273]).max() < 5e-9


def test_printed_weights_of_figures_as_they_stand(cases: dict[str, Any]) -> None:
    """Tus & Aytac Adali 2019 print .157 .249 .168 .121 .154 .151, with the cost criterion not turned."""
    case = cases["tus_adali2019_critic"]
    matrix = np.array(case["matrix"])
    assert np.abs(critic_weights(matrix) - case["published"]["critic"]).max() < 0.0006
    turned = critic_weights(matrix * np.array(case["types"]))
    assert np.abs(turned - case["published"]["critic"]).max() > 0.02


def test_both_directions_as_others_computed_them(cases: dict[str, Any]) -> None:
    for name, case in cases.items():
        matrix, direction = np.array(case["matrix"]), np.array(case["types"])
        turned, raw = critic_weights(matrix * direction), critic_weights(matrix)
        assert np.allclose(turned, case["critic"]["scikit_criteria"], rtol=0, atol=1e-14), name
        assert np.allclose(raw, case["critic"]["pymcdm"], rtol=0, atol=1e-14), name
        assert np.allclose(turned, case["critic"]["pyDecision"], rtol=0, atol=1e-8), name


def test_the_handbooks_data(reference: Path) -> None:
    raw = pl.read_csv(reference / "composite/tai/tai_raw_23.csv").select(pl.selectors.numeric()).to_numpy()
    text = (reference / "composite/mcdm/mathmodels_reference.json").read_text(encoding="utf-8")
    assert np.allclose(critic_weights(raw), json.loads(text)["tai_critic"], rtol=0, atol=1e-12)


def test_two_indicators_by_hand() -> None:
    """Both conflict alike, so that min-max deviations decide: of 0, 1/2, 1 it is 1/2, of 0, 0, 1 the root of 1/3."""
    found = critic_weights(np.array([[0.0, 3.0], [5.0, 3.0], [10.0, 4.0]]))
    first, second = 1 / 2, (1 / 3) ** 0.5
    assert np.allclose(found, [first / (first + second), second / (first + second)])


@given(
    arrays(np.float64, (7, 3), elements=st.integers(-50, 50).map(float)),
    st.permutations(range(3)),
    st.tuples(*[st.floats(0.01, 1000)] * 3),
)
def test_weights_whatever_the_units_and_the_order(
    scores: np.ndarray, order: list[int], factors: tuple[float, ...]
) -> None:
    assume((np.ptp(scores, axis=0) > 0).all())
    assume((np.corrcoef(scores, rowvar=False) < 1 - 1e-9).any())
    found = critic_weights(scores)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    assert np.allclose(critic_weights((scores * np.array(factors) + 5)[:, order]), found[order], atol=1e-6)


def test_indicators_that_say_the_same_have_no_weights() -> None:
    same = np.array([[1.0, 2.0], [2.0, 4.0], [5.0, 10.0]])
    with pytest.raises(WeightError, match="fully correlated"):
        critic_weights(same)
    with pytest.raises(WeightError, match=r"column\(s\) 2 do not vary"):
        critic_weights(np.array([[1.0, 2.0], [2.0, 2.0], [5.0, 2.0]]))
    with pytest.raises(WeightError, match=r"scores of shape \(2,\); expected \(observations, indicators\)"):
        critic_weights(np.array([1.0, 2.0]))
