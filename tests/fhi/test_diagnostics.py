import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.diagnostics import (
    COMPONENT_SCHEMA,
    LOADING_SCHEMA,
    RELIABILITY_SCHEMA,
    STATISTICS_SCHEMA,
    bartlett,
    chi_square_p,
    component_frame,
    cronbach,
    describe_indicators,
    kmo,
    kmo_each,
    loading_frame,
    reliability,
)
from fhi.weights.pca import components_of, correlation_matrix

NAN = float("nan")


def handbook_data(reference: Path) -> pl.DataFrame:
    return pl.read_csv(reference / "composite/tai/tai_raw_23.csv").drop("country")


def test_handbook_data_against_the_psych_package(reference: Path) -> None:
    data = handbook_data(reference).to_numpy()
    correlation = correlation_matrix(data)
    assert kmo(correlation) == pytest.approx(0.5006, abs=0.00005)
    found = bartlett(correlation, len(data))
    assert found is not None
    assert found.chi_square == pytest.approx(85.93, abs=0.005)
    assert found.degrees_of_freedom == 8 * 7 // 2
    assert chi_square_p(found.chi_square, found.degrees_of_freedom) == pytest.approx(8.5e-8, abs=0.05e-8)


def test_adequacy_of_each_indicator_against_the_psych_package(reference: Path) -> None:
    printed = json.loads((reference / "composite/tai/psych_reference.json").read_text())
    data = handbook_data(reference)
    correlation = correlation_matrix(data.to_numpy())
    found = kmo_each(correlation)
    assert found is not None
    assert list(printed["KMO_each"]) == data.columns
    assert found.tolist() == pytest.approx(list(printed["KMO_each"].values()), abs=1e-10)
    assert kmo(correlation) == pytest.approx(printed["KMO_overall"], abs=1e-10)


def test_uncorrelated_indicators_are_spherical() -> None:
    found = bartlett(np.eye(3), 50)
    assert found is not None
    assert found.chi_square == 0
    assert chi_square_p(found.chi_square, found.degrees_of_freedom) == 1


def test_nothing_to_say_of_one_indicator_or_of_copies() -> None:
    assert kmo(np.eye(1)) is None
    assert kmo(np.ones((2, 2))) is None
    assert kmo_each(np.ones((2, 2))) is None
    assert bartlett(np.ones((2, 2)), 10) is None
    assert kmo(np.eye(3)) is None
    found = kmo_each(np.eye(3))
    assert found is not None
    assert np.isnan(found).all()


def test_two_indicators_share_their_adequacy() -> None:
    # Of two there is nobody to partial out: partial and simple correlation are one.
    found = kmo_each(np.array([[1.0, 0.3], [0.3, 1.0]]))
    assert found is not None
    assert found.tolist() == pytest.approx([0.5, 0.5])


def test_handbook_components_of_tables_7_and_8(reference: Path) -> None:
    folder = reference / "composite/tai"
    data = handbook_data(reference)
    found = components_of(correlation_matrix(data.to_numpy()))
    exact = json.loads((folder / "recomputed.json").read_text())["pca_eigenvalues"]
    assert found.eigenvalues.tolist() == pytest.approx(exact, abs=1e-12)
    table = component_frame(found)
    assert table.schema == COMPONENT_SCHEMA
    printed = pl.read_csv(folder / "table7_16_eigenvalues_published.csv")
    # The figures that the tables print rest on more digits than the data printed beside them.
    assert (100 * table["share"] - printed["pct_variance"]).abs().to_numpy().max() < 0.115
    assert (100 * table["cumulated"] - printed["cumulative"]).abs().to_numpy().max() < 0.115
    loadings = pl.read_csv(folder / "table8_component_loadings_published.csv").select(pl.selectors.numeric()).to_numpy()
    assert np.abs(np.abs(found.loadings) - np.abs(loadings)).max() < 0.0125
    long = loading_frame(found, data.columns)
    assert long.schema == LOADING_SCHEMA
    assert long.filter(code="INTERNET", component=2)["loading"].item() == found.loadings[2, 1]


def test_coinr_eigenvalues_of_49_indicators(reference: Path) -> None:
    folder = reference / "composite/coinr_asem"
    scores = pl.read_csv(folder / "pipeline_normalised.csv").drop("uCode").to_numpy()
    found = component_frame(components_of(correlation_matrix(scores)))
    printed = pl.read_csv(folder / "pca_all_eigenvalues.csv")
    assert (found["eigenvalue"][: len(printed)] - printed["eigenvalue"]).abs().to_numpy().max() < 1e-10
    assert (found["share"][: len(printed)] - printed["share"]).abs().to_numpy().max() < 1e-12


@given(arrays(np.float64, (12, 4), elements=st.floats(-100, 100)))
def test_components_hold_all_variance_and_have_a_fixed_sign(x: np.ndarray) -> None:
    assume((np.std(x, axis=0) > 1e-3).all())
    correlation = correlation_matrix(x)
    found = components_of(correlation)
    assert component_frame(found)["cumulated"][-1] == pytest.approx(1)
    assert np.allclose(found.loadings @ found.loadings.T, correlation, atol=1e-9)
    assert np.allclose((found.loadings**2).sum(axis=0), found.eigenvalues, atol=1e-9)
    assert (found.vectors.sum(axis=0) >= -1e-12).all()


def test_alpha_is_covariance_between_indicators_out_of_all() -> None:
    x = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0]])
    between, one, two = 1.5, 1.0, 13 / 3
    assert cronbach(x) == pytest.approx(4 * between / (one + two + 2 * between))
    assert cronbach(np.repeat(x[:, :1], 3, axis=1)) == pytest.approx(1)


def test_alpha_that_is_not_defined() -> None:
    assert math.isnan(cronbach(np.array([[1.0], [2.0]])))
    assert math.isnan(cronbach(np.array([[1.0, -1.0], [2.0, -2.0]])))
    assert math.isnan(cronbach(np.array([[1.0, NAN], [NAN, 2.0], [3.0, NAN]])))
    found = reliability(np.array([[1.0, NAN], [NAN, 2.0], [3.0, NAN]]), ["a", "b"])
    assert found.items.rows() == [("a", 2, None, None, None), ("b", 1, None, None, None)]


def test_coinr_alphas(reference: Path) -> None:
    folder = reference / "composite/coinr_asem"
    scores = pl.read_csv(folder / "pipeline_aggregated.csv")
    raw = pl.read_csv(folder / "iData.csv", null_values=["NA"])
    meta = pl.read_csv(folder / "iMeta.csv", null_values=["NA"])
    checked = 0
    for group, data, alpha in pl.read_csv(folder / "cronbach.csv").iter_rows():
        named = meta.filter(pl.col("Type") == "Indicator") if group == "Index" else meta.filter(Parent=group)
        frame = raw if data.startswith("Raw") else scores
        x = frame.select(named["iCode"].to_list()).cast(pl.Float64).fill_null(NAN).to_numpy()
        assert cronbach(x) == pytest.approx(alpha, abs=1e-12), (group, data)
        checked += 1
    assert checked == 19


def test_handbook_table_11(reference: Path) -> None:
    folder = reference / "composite/tai"
    data = handbook_data(reference)
    z = (data.to_numpy() - data.to_numpy().mean(axis=0)) / data.to_numpy().std(axis=0, ddof=1)
    found = reliability(z, data.columns)
    printed = pl.read_csv(folder / "table11_cronbach_published.csv")
    recomputed = pl.read_csv(folder / "recomputed_cronbach.csv")
    assert found.items.schema == RELIABILITY_SCHEMA
    assert found.alpha == pytest.approx(0.70354275796, abs=1e-10)
    items = found.items
    assert (items["alpha_without"] - printed["alpha_if_deleted"]).abs().to_numpy().max() < 0.0015
    assert (items["rest_correlation"] - printed["corr_with_total"]).abs().to_numpy().max() < 0.006
    assert (items["alpha_without"] - recomputed["alpha_if_deleted"]).abs().to_numpy().max() < 1e-12
    assert (items["rest_correlation"] - recomputed["corr_with_total"]).abs().to_numpy().max() < 1e-12
    totals = [np.corrcoef(z[:, i], z.sum(axis=1))[0, 1] for i in range(8)]
    assert items["total_correlation"].to_list() == pytest.approx(totals)


def test_statistics_of_each_indicator() -> None:
    x = np.array(
        [[1.0, 0.0, NAN, 7.0], [2.0, 0.0, NAN, NAN], [2.0, 5.0, NAN, NAN], [4.0, NAN, NAN, NAN], [9.0, 0, NAN, NAN]]
    )
    found = describe_indicators(x, ["a", "b", "empty", "one"])
    assert found.schema == STATISTICS_SCHEMA
    first = found.row(0, named=True)
    # Mean 3.6: squares 6.76 + 2.56 + 2.56 + .16 + 29.16 = 41.2.
    cubes, fourths = -(2.6**3) - 2 * 1.6**3 + 0.4**3 + 5.4**3, 2.6**4 + 2 * 1.6**4 + 0.4**4 + 5.4**4
    second = 41.2 / 5
    expected = {
        "code": "a", "n": 5, "missing": 0, "min": 1.0, "max": 9.0, "mean": 3.6, "median": 2.0,
        "sd": math.sqrt(41.2 / 4),
        "skewness": cubes / 5 / second**1.5 * math.sqrt(5 * 4) / 3,
        "kurtosis": 4 * (6 * (fourths / 5 / second**2 - 3) + 6) / (3 * 2),
        "unique_share": 4 / 5,
        "zero_share": 0.0,
    }  # fmt: skip
    assert first == {key: value if isinstance(value, str) else pytest.approx(value) for key, value in expected.items()}
    second_row = found.row(1, named=True)
    assert second_row["median"] == 0
    assert second_row["zero_share"] == 3 / 4
    assert second_row["unique_share"] == 2 / 4
    assert second_row["missing"] == 1
    assert found.row(2) == ("empty", 0, 5, *[None] * 9)
    assert found.row(3) == ("one", 1, 4, 7.0, 7.0, 7.0, 7.0, None, None, None, 1.0, 0.0)


def test_statistics_of_nobody() -> None:
    assert describe_indicators(np.empty((0, 1)), ["a"]).row(0) == ("a", 0, 0, *[None] * 9)


@given(arrays(np.float64, (9, 3), elements=st.one_of(st.just(NAN), st.integers(-50, 50).map(float))))
def test_statistics_agree_with_polars(x: np.ndarray) -> None:
    codes = ["a", "b", "c"]
    found = describe_indicators(x, codes)
    frame = pl.DataFrame(x, schema=codes).fill_nan(None)
    for code in codes:
        row, column = found.row(by_predicate=pl.col("code") == code, named=True), frame[code].drop_nulls()
        assert row["n"] == len(column)
        assert row["median"] == column.median()
        assert row["min"] == column.min()
        assert row["sd"] == (pytest.approx(column.std(), abs=1e-9) if len(column) > 1 else None)
        assert row["unique_share"] == (pytest.approx(column.n_unique() / len(column)) if len(column) else None)
