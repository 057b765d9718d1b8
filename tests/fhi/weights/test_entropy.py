import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import WeightError
from fhi.weights.entropy import EntropyZeros, entropy_weights

RULES: list[EntropyZeros] = ["zero", "shift", "rescale"]


@pytest.mark.parametrize("case", ["xu2004_entropy", "zavadskas_podvezko2016", "ersoy2021"])
def test_published_cases(reference: Path, case: str) -> None:
    """Xu 2004; Zavadskas & Podvezko 2016; Ersoy 2021, as printed to three or four places."""
    given_case = json.loads((reference / "composite/mcdm/mcdm_reference.json").read_text(encoding="utf-8"))[case]
    found = entropy_weights(np.array(given_case["matrix"]), zeros="zero")
    assert np.abs(found - given_case["published"]["entropy"]).max() < (0.0005 if case == "ersoy2021" else 0.00005)
    for name in ("pymcdm", "pyrepo_mcda", "scikit_criteria"):
        assert np.allclose(found, given_case["entropy"][name], rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("column", "rule", "minmax"),
    [
        ("raw_sum", "zero", False),
        ("minmax_0log0", "zero", True),
        ("pyrepo_mcda on min-max data", "zero", True),
        ("scikit-criteria on min-max data", "zero", True),
        ("minmax_plus_0.0001", "shift", True),
        ("rescale_0.002_0.998 (mathmodels)", "rescale", False),
        ("rescale_0.002_0.998 (mathmodels)", "rescale", True),
    ],
)
def test_variants_on_the_handbooks_data(reference: Path, column: str, rule: EntropyZeros, minmax: bool) -> None:
    raw = pl.read_csv(reference / "composite/tai/tai_raw_23.csv").select(pl.selectors.numeric()).to_numpy()
    scores = (raw - raw.min(axis=0)) / np.ptp(raw, axis=0) if minmax else raw
    table = pl.read_csv(reference / "composite/mcdm/entropy_variants_tai.csv")
    assert np.allclose(entropy_weights(scores, zeros=rule), table[column].to_numpy(), rtol=0, atol=1e-13)


def test_the_example_of_mathmodels(reference: Path) -> None:
    """Its second column is of cost, so it is turned first."""
    text = (reference / "composite/mcdm/mathmodels_reference.json").read_text(encoding="utf-8")
    example = json.loads(text)["entropy_weight_example"]
    figures = np.array([[row["x1"], -row["x2"]] for row in example["X"]], dtype=np.float64)
    scores = (figures - figures.min(axis=0)) / np.ptp(figures, axis=0)
    assert np.allclose(entropy_weights(scores, zeros="rescale"), example["result"]["w"], rtol=0, atol=1e-12)


def test_two_units_by_hand() -> None:
    """Shares 1/4 and 3/4 against all and nothing: entropies 2 - 3/4 log2 3 and 0 bits, of 1 that there could be."""
    found = entropy_weights(np.array([[1.0, 0.0], [3.0, 5.0]]), zeros="zero")
    first = 1 - (2 - 3 / 4 * np.log2(3))
    assert np.allclose(found, [first / (first + 1), 1 / (first + 1)])


positive = arrays(np.float64, (6, 3), elements=st.integers(0, 50).map(float))


@given(positive, st.sampled_from(RULES), st.floats(0.01, 1000), st.permutations(range(3)))
def test_weights_whatever_the_scale_and_the_order(
    scores: np.ndarray, rule: EntropyZeros, factor: float, order: list[int]
) -> None:
    assume((np.ptp(scores, axis=0) > 0).all())
    found = entropy_weights(scores, zeros=rule)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    assert np.allclose(entropy_weights(scores[:, order] * factor, zeros=rule), found[order])


def test_an_indicator_shared_evenly_weighs_nothing() -> None:
    found = entropy_weights(np.array([[2.0, 1.0], [2.0, 3.0], [2.0, 8.0]]), zeros="zero")
    assert np.allclose(found, [0, 1])


@pytest.mark.parametrize(
    ("scores", "rule", "said"),
    [
        ([[1.0, -1.0], [2.0, 3.0]], "zero", r"column\(s\) 2 hold negative"),
        ([[1.0, 0.0], [2.0, 0.0]], "zero", r"column\(s\) 2 are zero everywhere"),
        ([[1.0, 0.0], [2.0, 0.0]], "shift", r"column\(s\) 2 are zero everywhere"),
        ([[1.0, 5.0], [2.0, 5.0]], "rescale", r"column\(s\) 2 do not vary"),
        ([[1.0, 5.0], [1.0, 5.0]], "zero", "shared evenly"),
        ([[1.0, np.nan], [2.0, 5.0]], "zero", r"column\(s\) 2 lack figures"),
        ([[1.0, 2.0]], "zero", "1 complete observations"),
    ],
)
def test_scores_without_shares(scores: list[list[float]], rule: EntropyZeros, said: str) -> None:
    with pytest.raises(WeightError, match=said):
        entropy_weights(np.array(scores), zeros=rule)
