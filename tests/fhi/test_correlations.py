import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from fhi.correlations import (
    CORRELATION_SCHEMA,
    FLAG_SCHEMA,
    INFLUENCE_SCHEMA,
    CorrelationKind,
    correlate,
    correlation_frame,
    covariances,
    cross_frame,
    flag_pairs,
    influence,
    mark_groups,
)

NAN = float("nan")
KINDS: tuple[CorrelationKind, ...] = ("pearson", "spearman", "kendall")


def with_holes(units: int, columns: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 12, (units, columns)) + rng.integers(0, 5, (units, 1)).astype(float)
    x[rng.random(x.shape) < 0.2] = NAN
    return x


@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_is_what_scipy_gives_for_the_units_that_both_have(kind: CorrelationKind) -> None:
    x, y = with_holes(30, 6, 1), with_holes(30, 3, 2)
    of_scipy = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}[kind]
    found = correlate(x, y, kind)
    for i in range(6):
        for j in range(3):
            both = ~np.isnan(x[:, i]) & ~np.isnan(y[:, j])
            r, p = of_scipy(x[both, i], y[both, j])
            assert found.n[i, j] == both.sum()
            assert found.r[i, j] == pytest.approx(r, abs=1e-13)
            assert found.p[i, j] == pytest.approx(p, abs=1e-10)
    own = correlate(x, kind=kind)
    assert np.allclose(own.r, own.r.T, atol=1e-14)
    assert np.diag(own.r).tolist() == [1] * 6


@pytest.mark.parametrize("kind", KINDS)
def test_too_few_common_units_and_what_does_not_vary_have_no_correlation(kind: CorrelationKind) -> None:
    x = np.array([[1.0, 5.0, NAN], [2.0, 5.0, 4.0], [4.0, 5.0, 3.0], [NAN, 5.0, 9.0]])
    found = correlate(x, kind=kind)
    assert found.n.tolist() == [[3, 3, 2], [3, 4, 3], [2, 3, 3]]
    assert np.isnan(found.r).tolist() == [[False, True, True], [True, True, True], [True, True, False]]
    assert np.isnan(found.p).tolist() == np.isnan(found.r).tolist()


def test_the_long_frame_holds_every_pair_once_and_hides_none() -> None:
    x = np.array([[1.0, 1.0, 3.0], [2.0, 3.0, 3.0], [3.0, 2.0, 3.0], [4.0, 4.0, 3.0]])
    found = correlation_frame(x, ["a", "b", "c"])
    assert found.schema == CORRELATION_SCHEMA
    assert found.select("a", "b").rows() == [("a", "b"), ("a", "c"), ("b", "c")]
    r = (1.5 * 1.5 - 0.5 * 0.5 - 0.5 * 0.5 + 1.5 * 1.5) / (1.5**2 + 0.5**2 + 0.5**2 + 1.5**2)
    assert found["r"].to_list() == [pytest.approx(r), None, None]
    # Not significant, and shown all the same.
    assert found["p"][0] == pytest.approx(2 * stats.t.sf(r * np.sqrt(2 / (1 - r**2)), 2))
    assert found["p"][0] > 0.05
    assert found["n"].to_list() == [4, 4, 4]


def test_coinr_correlations_of_indicators_with_their_pillar(reference: Path) -> None:
    folder = reference / "composite/coinr_asem"
    scores = pl.read_csv(folder / "pipeline_aggregated.csv")
    pillars = ["Physical", "ConEcFin", "Political", "Instit", "P2P", "Environ", "Social", "SusEcFin"]
    leaves = scores.columns[1:50]
    found = cross_frame(scores.select(leaves).to_numpy(), leaves, scores.select(pillars).to_numpy(), pillars)
    printed = pl.read_csv(folder / "corr_ind_to_pillar_pearson.csv")
    both = printed.join(found, left_on=["Var2", "Var1"], right_on=["a", "b"])
    assert len(both) == 49
    assert float((both["r"] - both["Correlation"]).abs().max()) < 1e-12  # type: ignore[arg-type]


def test_handbook_table_6(reference: Path) -> None:
    folder = reference / "composite/tai"
    x = pl.read_csv(folder / "tai_raw_23.csv").drop("country").to_numpy()
    printed = pl.read_csv(folder / "table6_correlation_published.csv").select(pl.selectors.numeric()).to_numpy()
    assert np.abs(correlate(x).r - printed).max() < 0.0185  # the logarithms are printed with two digits


def test_groups_of_a_pair() -> None:
    pairs = correlation_frame(np.arange(12.0).reshape(4, 3) ** 2, ["a", "b", "x"])
    found = mark_groups(pairs, {"a": "G", "b": "G"})
    assert found.select("group_a", "group_b", "inside").rows() == [
        ("G", "G", True),
        ("G", None, False),
        ("G", None, False),
    ]


def test_flags_name_the_group_and_the_reason() -> None:
    def pair(a: str, b: str, r: float | None) -> dict[str, object]:
        return {"a": a, "b": b, "kind": "pearson", "r": r, "n": 30, "p": 0.01}

    rows = [
        pair("a", "b", 0.9),
        pair("a", "c", -0.4),
        pair("b", "c", -0.95),
        pair("a", "x", 0.99),
        pair("a", "G", -0.5),
        pair("G", "b", -0.45),
        pair("x", "G", -0.8),
        pair("c", "population", 0.7),
        pair("b", "population", 0.5),
        pair("x", "y", None),
    ]
    parent = {"a": "G", "b": "G", "c": "G", "x": "H", "y": "H", "G": "root", "H": "root"}
    found = flag_pairs(pl.DataFrame(rows, schema=CORRELATION_SCHEMA), parent, denominators=["population"])
    assert found.schema == FLAG_SCHEMA
    assert found.select("flag", "group", "a", "b").rows() == [
        ("opposed_siblings", "G", "b", "c"),
        ("redundant", "G", "b", "c"),
        ("redundant", "G", "a", "b"),
        ("size", "G", "c", "population"),
        ("opposed_parent", "G", "a", "G"),
        ("opposed_parent", "G", "G", "b"),
        ("opposed_siblings", "G", "a", "c"),
    ]
    assert flag_pairs(pl.DataFrame(rows[:1], schema=CORRELATION_SCHEMA), parent, redundant=0.91).is_empty()


def test_influence_beside_weights() -> None:
    # Uncorrelated children: the parent's variance is 0.5^2 x 4 + 0.5^2 x 1, so that the first holds 4/5 of it.
    children = np.array([[-2.0, -1.0], [-2.0, 1.0], [2.0, -1.0], [2.0, 1.0]])
    found = influence(children, children @ np.array([0.5, 0.5]), ["wide", "narrow"], np.array([0.5, 0.5]))
    assert found.schema == INFLUENCE_SCHEMA
    assert found["squared"].to_list() == pytest.approx([4 / 5, 1 / 5])
    assert found["influence"].to_list() == pytest.approx([4 / 5, 1 / 5])
    assert found["weight"].to_list() == [0.5, 0.5]
    against = influence(children, -children[:, 0], ["wide", "narrow"], np.array([NAN, 0.5]))
    assert against["r"].to_list() == pytest.approx([-1, 0])
    assert against["weight"].to_list() == [None, 0.5]
    flat = influence(children, np.ones(4), ["wide", "narrow"], np.array([0.5, 0.5]))
    assert flat["influence"].to_list() == [None, None]


def test_coinr_influence_follows_its_correlations(reference: Path) -> None:
    folder = reference / "composite/coinr_asem"
    scores = pl.read_csv(folder / "pipeline_aggregated.csv")
    printed = pl.read_csv(folder / "corr_ind_to_pillar_pearson.csv").filter(pl.col("Var1") == "Physical")
    with (folder / "iMeta.csv").open(encoding="utf-8") as file:
        leaves = [row["iCode"] for row in csv.DictReader(file) if row["Parent"] == "Physical"]
    weights = np.full(len(leaves), 1 / len(leaves))
    found = influence(scores.select(leaves).to_numpy(), scores["Physical"].to_numpy(), leaves, weights)
    squares = {row["Var2"]: row["Correlation"] ** 2 for row in printed.iter_rows(named=True)}
    assert found["influence"].to_list() == pytest.approx([squares[leaf] / sum(squares.values()) for leaf in leaves])


def test_covariances_leave_out_pair_by_pair() -> None:
    x = np.array([[1.0, 2.0, NAN], [2.0, NAN, NAN], [4.0, 8.0, 1.0], [6.0, 3.0, NAN]])
    found = covariances(x)
    assert found[0, 0] == pytest.approx(np.var([1, 2, 4, 6], ddof=1))
    assert found[0, 1] == pytest.approx(np.cov([1, 4, 6], [2, 8, 3])[0, 1])
    assert np.isnan(found[2]).all()
    complete = with_holes(9, 4, 3)
    complete = np.nan_to_num(complete)
    assert np.allclose(covariances(complete), np.cov(complete, rowvar=False))


figures = arrays(np.float64, (12, 4), elements=st.one_of(st.just(NAN), st.integers(-30, 30).map(float)))


@given(figures, st.floats(0.01, 1000), st.floats(-1000, 1000), st.permutations(range(12)))
def test_correlations_need_no_unit_and_no_order_of_the_units(
    x: np.ndarray, factor: float, offset: float, turn: list[int]
) -> None:
    for kind in ("pearson", "spearman"):
        found = correlate(x, kind=kind)  # type: ignore[arg-type]
        assert (np.abs(found.r[~np.isnan(found.r)]) <= 1).all()
        assert ((found.p >= 0) & (found.p <= 1))[~np.isnan(found.r)].all()
        other = correlate(x[turn] * [factor, 1, 1, 1] + [offset, 0, 0, 0], kind=kind)  # type: ignore[arg-type]
        assert np.allclose(other.r, found.r, atol=1e-9, equal_nan=True)
    ranked, stretched = correlate(x, kind="spearman"), correlate(x**3 + x, kind="spearman")
    assert np.allclose(stretched.r, ranked.r, atol=1e-12, equal_nan=True)
    pearson, turned = correlate(x), correlate(x * [-1, 1, 1, 1])
    assert np.allclose(turned.r[0, 1:], -pearson.r[0, 1:], equal_nan=True)


def test_common_units_far_from_the_mean_of_the_column_are_summed_on_their_own() -> None:
    near = np.array([1.0, 3.0, 2.0, 5.0])
    x = np.concatenate([1e6 + near, np.zeros(50)])
    y = np.concatenate([near[::-1], np.full(50, NAN)])
    flat = np.concatenate([np.full(4, 0.1), np.arange(50.0)])
    found = correlate(np.stack([x, flat], axis=1), y[:, None])
    assert found.r[0, 0] == pytest.approx(np.corrcoef(near, near[::-1])[0, 1], abs=1e-10)
    assert np.isnan(found.r[1, 0])
    assert covariances(np.stack([x, y], axis=1))[0, 1] == pytest.approx(np.cov(near, near[::-1])[0, 1], rel=1e-9)


def test_very_great_and_very_small_figures() -> None:
    x = np.array([[1e200, 1e-200], [2e200, 3e-200], [4e200, 2e-200]])
    assert correlate(x).r[0, 1] == pytest.approx(np.corrcoef([1, 2, 4], [1, 3, 2])[0, 1])


@given(arrays(np.float64, (10, 3), elements=st.floats(-1e6, 1e6)))
def test_without_gaps_pearson_is_numpys(x: np.ndarray) -> None:
    assume((np.ptp(x, axis=0) > 1e-3).all())
    assert np.allclose(correlate(x).r, np.corrcoef(x, rowvar=False), atol=1e-8)
