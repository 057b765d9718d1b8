import csv
import json
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fhi.arrays import Array
from fhi.framework import Framework
from fhi.index import IndexResult
from green_index.bridge import CarbonFacts, carbon_panel
from green_index.coordination import (
    ALL_ZERO,
    BAND,
    COORDINATION_SCHEMA,
    GRADES,
    HIGH,
    MISSING,
    SYSTEM_SETS,
    Formula,
    InvalidSystems,
    check_systems,
    coordinate,
    coordination_table,
    coupling,
    grade_numbers,
    systems_of,
)
from green_index.index import TRACKING, build_green_index, city_years, green_framework

WORKED = ("coupling_3_equal", "coupling_2_equal")
FORMULA: dict[str, Formula] = {"standard": "standard", "adjusted": "corrected"}


@pytest.fixture(scope="module")
def methods() -> Framework:
    return green_framework("open")


@pytest.fixture
def tracked(carbon: CarbonFacts) -> IndexResult:
    return build_green_index("open", carbon_panel(carbon, city_years()), TRACKING).index


def read(reference: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((reference / "composite" / "mcdm" / name).read_text(encoding="utf-8"))
    return found


def test_the_case_of_six_and_three_tenths(reference: Path) -> None:
    """The two formulas give what is published; none of the misuses that Wang et al. list comes out."""
    known = read(reference, "chinese_methods_reference.json")["common_errors_U_0.6_0.3"]
    u = np.array([0.6, 0.3])
    assert coupling(u, "standard") == pytest.approx(known["correct_C"], abs=1e-12)
    assert coupling(u) == pytest.approx(known["adjusted"], abs=1e-12)
    misuses = [value for name, value in known.items() if name.startswith(("error_", "liao"))]
    assert len(misuses) == 4
    for found in (coupling(u, "standard"), coupling(u)):
        assert all(abs(found - wrong) > 0.03 for wrong in misuses)


def test_the_same_case_by_hand() -> None:
    assert coupling(np.array([0.6, 0.3]), "standard") == pytest.approx(2 * sqrt(0.6 * 0.3) / 0.9, abs=1e-15)
    assert coupling(np.array([0.6, 0.3])) == pytest.approx(sqrt((1 - 0.3) * 0.5), abs=1e-15)
    done = coordinate(np.array([0.6, 0.3]), np.array([2.0, 1.0]), "standard")
    assert done.development == pytest.approx((2 * 0.6 + 0.3) / 3, abs=1e-15)
    assert done.coordination == pytest.approx(sqrt(2 * sqrt(0.18) / 0.9 * 0.5), abs=1e-15)


@pytest.mark.parametrize("way", FORMULA)
@pytest.mark.parametrize("case", WORKED)
def test_worked_example_of_six_units(reference: Path, case: str, way: str) -> None:
    known = read(reference, "mathmodels_reference.json")
    systems = int(case[9])
    u = np.array([list(row.values())[:systems] for row in known["data"]])
    assert u.shape == (6, systems)
    done = coordinate(u, formula=FORMULA[way])
    # The reference is printed to thirteen digits after the point.
    for name, found in (
        ("coupling", done.coupling),
        ("coord", done.development),
        ("coupling_coord", done.coordination),
    ):
        assert found == pytest.approx(known[f"{case}_{way}"][name], abs=1e-12)


def test_worked_example_with_unlike_weights(reference: Path) -> None:
    known = read(reference, "mathmodels_reference.json")
    u = np.array([list(row.values()) for row in known["data"]])
    done = coordinate(u, np.array([0.4, 0.3, 0.3]))
    assert done.development == pytest.approx(known["coupling_3_w433_adjusted"]["coord"], abs=1e-12)
    assert done.coordination == pytest.approx(known["coupling_3_w433_adjusted"]["coupling_coord"], abs=1e-12)


def test_table_of_beijing_tianjin_hebei(reference: Path) -> None:
    """Wang et al. (2021), Table 8: their scores are not printed, but each printed pair (C, corrected C) of two systems
    has one pair of scores, r = min / max from C = 2 root(r) / (1 + r) and max - min = 1 - C'^2 / r; scores that exist
    (within 0..1) and give both printed figures again show that both formulas are theirs. Not where C is so near 1 that
    its four digits fix no ratio."""
    with (reference / "composite" / "mcdm" / "wang2021_table8_C.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    told = 0
    for row in rows:
        c, corrected = float(row["C_original"]), float(row["C_modified"])
        if c >= 0.995:
            continue
        ratio = ((1 - sqrt(1 - c**2)) / c) ** 2
        largest = (1 - corrected**2 / ratio) / (1 - ratio)
        u = np.array([largest, ratio * largest])
        assert 0 < u[1] < u[0] <= 1, row
        assert round(float(coupling(u, "standard")), 4) == c, row
        assert round(float(coupling(u)), 4) == corrected, row
        told += 1
    assert (len(rows), told) == (91, 85)


def test_means_over_even_scores(reference: Path) -> None:
    """Why corrected: over even scores, the standard C hardly ever is low. The error of a mean over 40,000 draws is
    below a fifth of 1/sqrt(40,000) here; 0.005 is more than four times that."""
    known = read(reference, "chinese_methods_reference.json")["uniform_U"]
    u = np.random.default_rng(20210328).random((40_000, 2))
    for formula, name in (("standard", "standard"), ("corrected", "adjusted")):
        assert coupling(u, FORMULA[name]).mean() == pytest.approx(known[f"mean_C_{name}"], abs=0.005), formula
    assert (coupling(u, "standard") > 0.8).mean() == pytest.approx(known["share_C_standard_above_0_8"], abs=0.01)
    assert (coupling(u) > 0.8).mean() == pytest.approx(known["share_adj_above_0_8"], abs=0.01)


def test_nothing_at_all_has_no_coupling() -> None:
    u = np.array([[0.0, 0.0], [0.7, 0.0], [np.nan, 0.4]])
    for formula in FORMULA.values():
        done = coordinate(u, formula=formula)
        assert np.array_equal(done.coupling, [np.nan, 0.0, np.nan], equal_nan=True)
        assert np.array_equal(done.coordination, [np.nan, 0.0, np.nan], equal_nan=True)
        assert np.array_equal(done.development, [0.0, 0.35, np.nan], equal_nan=True)


def test_scores_and_weights_that_cannot_be() -> None:
    with pytest.raises(InvalidSystems, match="found 60"):
        coupling(np.array([60.0, 30.0]))
    with pytest.raises(InvalidSystems, match="expected two or more"):
        coupling(np.array([0.5]))
    for wrong in ([0.5], [1.0, 0.0], [1.0, -1.0], [1.0, np.nan], [1.0, np.inf]):
        with pytest.raises(InvalidSystems, match="2 positive numbers"):
            coordinate(np.array([0.5, 0.5]), np.array(wrong))


scores_of = st.integers(2, 4).flatmap(
    lambda n: hnp.arrays(np.float64, (5, n), elements=st.floats(0, 1, allow_subnormal=True))
)


@given(scores_of, st.sampled_from(list(FORMULA.values())))
def test_degrees_lie_in_their_range_and_know_no_order(u: Array, formula: Formula) -> None:
    done = coordinate(u, formula=formula)
    empty = ~u.any(axis=1)
    assert np.array_equal(np.isnan(done.coupling), empty)
    for figures in (done.coupling[~empty], done.development, done.coordination[~empty]):
        assert ((figures >= 0) & (figures <= 1)).all()
    assert coupling(u[:, ::-1], formula) == pytest.approx(done.coupling, abs=1e-12, nan_ok=True)
    assert (done.coupling[(u == 0).any(axis=1) & ~empty] == 0).all()


@given(scores_of)
def test_the_corrected_coupling_is_never_the_greater_one(u: Array) -> None:
    corrected, standard = coupling(u), coupling(u, "standard")
    known = ~np.isnan(standard)
    if u.shape[1] == 2:
        assert (corrected[known] <= standard[known] + 1e-12).all()
    assert (corrected[known] <= 1).all()


@given(st.floats(1e-6, 1), st.integers(2, 4))
def test_equal_systems_are_wholly_coupled(level: float, n: int) -> None:
    u = np.full((1, n), level)
    assert coupling(u, "standard")[0] == pytest.approx(1, abs=1e-12)
    assert coupling(u)[0] == pytest.approx(1, abs=1e-12)
    assert coordinate(u).coordination[0] == pytest.approx(sqrt(level), abs=1e-12)


def test_grades_hold_their_lower_bound() -> None:
    bounds = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    assert grade_numbers(bounds).tolist() == list(range(1, 11))
    assert grade_numbers(np.nextafter(bounds[1:], 0)).tolist() == list(range(1, 10))
    assert grade_numbers(np.array([1.0, np.nan])).tolist()[0] == 10
    assert np.isnan(grade_numbers(np.array([np.nan]))[0])
    assert (GRADES[0][0], GRADES[4][0], GRADES[9][0]) == ("极度失调", "濒临失调", "优质协调")
    assert len(set(GRADES)) == 10


def test_systems_are_checked_all_at_once(methods: Framework) -> None:
    assert check_systems(methods, SYSTEM_SETS["dual"]) == check_systems(methods, SYSTEM_SETS["three-way"]) == []
    codes = [
        problem.code for problem in check_systems(methods, ("fintech", "experience", "fintec", "green", "fintech"))
    ]
    assert codes == ["count", "unknown_system", "unknown_system", "twice", "within"]
    assert "'fintech'?" in check_systems(methods, ("fintec", "carbon_finance"))[0].expected
    assert systems_of("dual") == SYSTEM_SETS["dual"]
    assert systems_of(" experience, carbon_finance ") == ("experience", "carbon_finance")


def test_the_dual_wheel_of_every_hub_and_year(tracked: IndexResult) -> None:
    table = coordination_table(tracked.scores, tracked.inputs, tracked.framework)
    assert table.schema == COORDINATION_SCHEMA
    assert table.height == 37 * 11
    row = table.row(by_predicate=(pl.col("hub") == "wuhan") & (pl.col("year") == 2017), named=True)
    points = {
        code: tracked.scores.row(
            by_predicate=(pl.col("hub") == "wuhan") & (pl.col("period") == "2017") & (pl.col("code") == code),
            named=True,
        )["score"]
        / 100
        for code in SYSTEM_SETS["dual"]
    }
    first, second = points["fintech"], points["carbon_finance"]
    assert (row["u_1"], row["u_2"], row["u_3"]) == (pytest.approx(first), pytest.approx(second), None)
    assert row["lead"] == pytest.approx(first - second)
    coupled = sqrt((1 - abs(first - second)) * min(first, second) / max(first, second))
    assert row["coupling"] == row["coupling_corrected"] == pytest.approx(coupled)
    assert row["coordination"] == pytest.approx(sqrt(coupled * (first + second) / 2))
    assert row["coordination_standard"] == pytest.approx(sqrt(sqrt(first * second)))
    assert (row["weights"], row["assumed"], row["formula"]) == ("0.5,0.5", None, "corrected")
    year = table.filter(pl.col("year") == 2017)
    assert row["rank"] == (year["coordination"] > row["coordination"]).sum() + 1
    assert row["grade_en"] == GRADES[row["grade"] - 1][1]


def test_leaders_and_quadrants_follow_their_rules(tracked: IndexResult) -> None:
    table = coordination_table(tracked.scores, tracked.inputs, tracked.framework)
    assert table["quadrant"].n_unique() > 2
    for row in table.iter_rows(named=True):
        first, second = row["u_1"], row["u_2"]
        together = abs(first - second) <= BAND
        assert row["leading"] == ("together" if together else "fintech" if first > second else "carbon_finance")
        high = (first >= HIGH, second >= HIGH)
        assert (
            row["quadrant"]
            == {
                (True, True): "both_high",
                (True, False): "fintech",
                (False, True): "carbon_finance",
                (False, False): "both_low",
            }[high]
        )


def test_three_ways_are_said_to_be_assumed(tracked: IndexResult) -> None:
    names = SYSTEM_SETS["three-way"]
    table = coordination_table(tracked.scores, tracked.inputs, tracked.framework, names, (4, 3, 3), "standard")
    assert "carbon_finance for green finance" in table["assumed"][0]
    assert table["weights"].unique().to_list() == ["0.4,0.3,0.3"]
    assert table["quadrant"].null_count() == table.height
    for row in table.filter(pl.col("year") == 2016).iter_rows(named=True):
        u = [row["u_1"], row["u_2"], row["u_3"]]
        near = [name for name, score in zip(names, u, strict=True) if score >= max(u) - BAND]
        assert row["leading"] == ("together" if len(near) == 3 else ",".join(near))
        assert row["development"] == pytest.approx(0.4 * u[0] + 0.3 * u[1] + 0.3 * u[2])
        assert row["coordination"] == row["coordination_standard"]


def test_an_indicator_can_be_a_system_and_what_is_missing_is_said(tracked: IndexResult) -> None:
    names = ("ecosystem.business.cost", "carbon_finance")
    table = coordination_table(tracked.scores, tracked.inputs, tracked.framework, names)
    missing = table.filter(pl.col("hub") == "lhasa", pl.col("year") == 2013).row(0, named=True)
    assert (missing["reason"], missing["coordination"], missing["rank"], missing["coverage"]) == (
        MISSING,
        None,
        None,
        0,
    )
    there = table.filter(pl.col("hub") == "wuhan", pl.col("year") == 2016).row(0, named=True)
    own = tracked.inputs.filter(
        pl.col("hub") == "wuhan", pl.col("period") == "2016", pl.col("code") == "ecosystem.business.cost"
    )
    assert there["u_1"] == pytest.approx(own["normalised"][0] / 100)


def test_all_at_nothing_is_no_coordination(tracked: IndexResult) -> None:
    names = SYSTEM_SETS["dual"]
    flat = tracked.scores.with_columns(score=pl.when(pl.col("code").is_in(names)).then(0.0).otherwise(pl.col("score")))
    table = coordination_table(flat, tracked.inputs, tracked.framework)
    assert table["reason"].unique().to_list() == [ALL_ZERO]
    assert table["coordination"].null_count() == table["grade"].null_count() == table.height


def test_wrong_systems_are_refused(tracked: IndexResult) -> None:
    with pytest.raises(InvalidSystems, match="experience within fintech"):
        coordination_table(tracked.scores, tracked.inputs, tracked.framework, ("fintech", "experience"))
