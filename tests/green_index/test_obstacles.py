import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fhi.arrays import Array
from fhi.index import IndexResult
from green_index.bridge import CarbonFacts, carbon_panel
from green_index.errors import UnknownPeriod
from green_index.index import RANKING, build_green_index, city_years
from green_index.obstacles import (
    AT_ALL_MAXIMA,
    GAP_SCHEMA,
    LEADER,
    OBSTACLE_SCHEMA,
    ONLY_HERE,
    ONLY_THERE,
    NotAdditive,
    NotScored,
    ScoreOutOfRange,
    gap_parts,
    gap_table,
    level_one_group,
    obstacle_degrees,
    obstacle_table,
)


@pytest.fixture
def ranking(carbon: CarbonFacts) -> IndexResult:
    return build_green_index("open", carbon_panel(carbon, city_years()), RANKING).index


def obstacles(ranking: IndexResult, hub: str = "wuhan") -> pl.DataFrame:
    return obstacle_table(ranking.scores, ranking.inputs, ranking.framework, hub)


def gaps(ranking: IndexResult, hub: str, to: str, period: str = "2023") -> pl.DataFrame:
    return gap_table(ranking.scores, ranking.inputs, ranking.framework, hub, to, period)


def total(ranking: IndexResult, hub: str, period: str) -> float:
    root = ranking.framework.root
    found = ranking.scores.filter(pl.col("hub") == hub, pl.col("period") == period, pl.col("code") == root)
    return float(found["score"][0])


def test_worked_example_of_six_units(reference: Path) -> None:
    path = reference / "composite" / "mcdm" / "mathmodels_reference.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    x = np.array([list(row.values()) for row in known["data"]])
    weights = np.array([0.4, 0.3, 0.3])
    expected = np.column_stack([known["obstacle_w433_scaled"][name] for name in ("s1", "s2", "s3")])
    found = obstacle_degrees(x, weights)
    assert found == pytest.approx(expected, abs=1e-12)
    assert found[0] == pytest.approx([0.472827, 0.262415, 0.264758], abs=5e-7)
    raw = np.column_stack([known["obstacle_w433_raw"][name] for name in ("s1", "s2", "s3")])
    assert weights * (1 - x) == pytest.approx(raw, abs=1e-12)


def test_first_row_by_hand() -> None:
    lost = [0.4 * (1 - 0.0162), 0.3 * (1 - 0.272), 0.3 * (1 - 0.2655)]
    found = obstacle_degrees(np.array([[0.0162, 0.272, 0.2655]]), np.array([0.4, 0.3, 0.3]))
    assert found[0] == pytest.approx([part / sum(lost) for part in lost], abs=1e-15)


def test_who_lacks_nothing_has_no_obstacle() -> None:
    x = np.array([[1.0, 1.0], [1.0, np.nan], [0.5, np.nan]])
    found = obstacle_degrees(x, np.array([0.5, 0.5]))
    assert np.array_equal(found, [[np.nan, np.nan], [np.nan, np.nan], [1.0, np.nan]], equal_nan=True)
    with pytest.raises(ScoreOutOfRange, match="found 50"):
        obstacle_degrees(np.array([[50.0]]), np.array([1.0]))


@given(
    hnp.arrays(np.float64, (4, 6), elements=st.one_of(st.floats(0, 1), st.just(np.nan))),
    hnp.arrays(np.float64, (4, 6), elements=st.floats(0.001, 1)),
)
def test_obstacles_are_shares_of_what_is_lacking(x: Array, weights: Array) -> None:
    found = obstacle_degrees(x, weights)
    told = ~np.isnan(found).all(axis=1)
    assert np.array_equal(told, (np.nan_to_num(1 - x) > 0).any(axis=1))
    assert np.nansum(found[told], axis=1) == pytest.approx(1, abs=1e-12)
    assert (found[~np.isnan(found)] >= 0).all()
    assert np.array_equal(np.isnan(found[told]), np.isnan(x[told]))
    assert obstacle_degrees(x, 2 * weights) == pytest.approx(found, abs=1e-12, nan_ok=True)


def test_every_year_adds_up_by_indicator_and_by_group(ranking: IndexResult) -> None:
    table = obstacles(ranking)
    assert table.schema == OBSTACLE_SCHEMA
    assert table["year"].unique().sort().to_list() == list(range(2013, 2024))
    for (year,), rows in table.group_by("year"):
        single = rows.filter(pl.col("kind") == "indicator")
        assert single["obstacle"].sum() == pytest.approx(1, abs=1e-12)
        assert single["points_lost"].sum() == pytest.approx(100 - total(ranking, "wuhan", str(year)), abs=1e-9)
        first = rows.filter(pl.col("kind") == "group", pl.col("level") == 1)
        assert first["obstacle"].sum() == pytest.approx(1, abs=1e-12)
        for group in first.iter_rows(named=True):
            below = single.filter(pl.col("group") == group["code"])
            assert group["obstacle"] == pytest.approx(below["obstacle"].sum(), abs=1e-12)
            assert group["points_lost"] == pytest.approx(group["weight"] * (100 - group["score"]), abs=1e-7)
    assert table["coverage"].is_between(0, 1, closed="both").all()


def test_one_indicator_by_hand(ranking: IndexResult) -> None:
    own = ranking.inputs.filter(pl.col("hub") == "wuhan", pl.col("period") == "2020").drop_nulls("normalised")
    lost = {
        code: weight * (100 - score) for code, weight, score in own.select("code", "weight", "normalised").iter_rows()
    }
    rows = obstacles(ranking).filter(pl.col("year") == 2020, pl.col("kind") == "indicator")
    assert set(rows["code"]) == {code for code, part in lost.items() if part or code in rows["code"]}
    for row in rows.iter_rows(named=True):
        assert row["obstacle"] == pytest.approx(lost[row["code"]] / sum(lost.values()), abs=1e-9)
    assert rows["place"].to_list() == sorted(rows["place"].to_list())
    assert rows["code"][0] == max(lost, key=lambda code: lost[code])


def test_a_hub_at_all_maxima_says_so(ranking: IndexResult) -> None:
    best = ranking.inputs.with_columns(normalised=pl.when(pl.col("normalised").is_not_null()).then(100.0))
    table = obstacle_table(ranking.scores, best, ranking.framework, "wuhan")
    assert table["reason"].unique().to_list() == [AT_ALL_MAXIMA]
    assert table["obstacle"].null_count() == table.height
    assert table["points_lost"].abs().max() == 0


def test_no_total_no_obstacle(ranking: IndexResult) -> None:
    root = ranking.framework.root
    unscored = ranking.scores.with_columns(score=pl.when(pl.col("code") != root).then(pl.col("score")))
    with pytest.raises(NotScored, match="wuhan has no total"):
        gap_table(unscored, ranking.inputs, ranking.framework, "wuhan", "beijing", "2023")
    with pytest.raises(NotScored, match="none leads"):
        gap_table(unscored, ranking.inputs, ranking.framework, "wuhan", LEADER, "2023")
    with pytest.raises(NotScored, match="no total in any year"):
        obstacle_table(ranking.scores, ranking.inputs, ranking.framework, "atlantis")
    mean = ranking.inputs.with_columns(points=pl.lit(None, dtype=pl.Float64))
    with pytest.raises(NotAdditive, match="no sum of points"):
        obstacle_table(ranking.scores, mean, ranking.framework, "wuhan")
    with pytest.raises(UnknownPeriod, match="2013 to 2023"):
        gaps(ranking, "wuhan", LEADER, "1999")


def test_gap_by_hand() -> None:
    """Own: a third each, the third of them missing there, where two halves stand. m is the mean of both totals."""
    third = 1 / 3
    score_part, coverage_part = gap_parts(
        np.array([30.0, 60.0, 90.0]), np.full(3, third), np.array([50.0, 40.0, np.nan]), np.array([0.5, 0.5, 0.0])
    )
    middle = (60 + 45) / 2
    assert score_part == pytest.approx([(third + 0.5) / 2 * 20, (third + 0.5) / 2 * -20, 0])
    assert coverage_part == pytest.approx(
        [(0.5 - third) * (40 - middle), (0.5 - third) * (50 - middle), -third * (90 - middle)]
    )
    assert score_part.sum() + coverage_part.sum() == pytest.approx(45 - 60)


shares = hnp.arrays(np.float64, 5, elements=st.floats(0.01, 1))
points = hnp.arrays(np.float64, 5, elements=st.floats(0, 100))
missing = st.sets(st.integers(0, 4), max_size=4)


@given(shares, points, missing, shares, points, missing)
def test_parts_of_a_gap_add_up(w: Array, x: Array, gone: set[int], w_to: Array, x_to: Array, gone_to: set[int]) -> None:
    totals = []
    for weight, score, lacking in ((w, x, gone), (w_to, x_to, gone_to)):
        score[list(lacking)], weight[list(lacking)] = np.nan, 0.0
        weight /= weight.sum()
        totals.append(np.nansum(weight * score))
    parts = gap_parts(x, w, x_to, w_to)
    assert parts[0].sum() + parts[1].sum() == pytest.approx(totals[1] - totals[0], abs=1e-9)
    back = gap_parts(x_to, w_to, x, w)
    assert back[0] == pytest.approx(-parts[0], abs=1e-9)
    assert back[1] == pytest.approx(-parts[1], abs=1e-9)
    for part in parts:
        assert (part[list(gone & gone_to)] == 0).all()
    assert (parts[0][list(gone | gone_to)] == 0).all()


@pytest.mark.parametrize(("hub", "to"), [("wuhan", LEADER), ("lhasa", "beijing"), ("shanghai", "wuhan")])
def test_gaps_add_up_to_the_difference_of_totals(ranking: IndexResult, hub: str, to: str) -> None:
    for period in ("2013", "2019", "2023"):
        table = gaps(ranking, hub, to, period)
        assert table.schema == GAP_SCHEMA
        whole = table.filter(pl.col("kind") == "total").row(0, named=True)
        other = whole["to_hub"]
        wanted = total(ranking, other, period) - total(ranking, hub, period)
        assert whole["gap"] == pytest.approx(wanted, abs=1e-9)
        assert whole["gap"] == pytest.approx(whole["points_to"] - whole["points"], abs=1e-9)
        single = table.filter(pl.col("kind") == "indicator")
        first = table.filter(pl.col("kind") == "group", pl.col("level") == 1)
        for column in ("gap", "score_part", "coverage_part"):
            assert single[column].sum() == pytest.approx(whole[column], abs=1e-9)
            assert first[column].sum() == pytest.approx(whole[column], abs=1e-9)
        assert table.select((pl.col("gap") - pl.col("score_part") - pl.col("coverage_part")).abs().max()).item() < 1e-12
    if to == LEADER:
        assert (
            total(ranking, other, period)
            == ranking.scores.filter(pl.col("period") == period, pl.col("code") == ranking.framework.root)[
                "score"
            ].max()
        )


def test_what_one_side_lacks_is_said_and_counts_as_coverage(ranking: IndexResult) -> None:
    """Shanghai has no house price for 2023, so that the weight of its cost stands on the rest of that group."""
    code = "ecosystem.business.cost"
    there = gaps(ranking, "wuhan", "shanghai").row(by_predicate=pl.col("code") == code, named=True)
    here = gaps(ranking, "shanghai", "wuhan").row(by_predicate=pl.col("code") == code, named=True)
    assert (there["reason"], here["reason"]) == (ONLY_HERE, ONLY_THERE)
    assert (there["score_to"], here["score"]) == (None, None)
    assert there["score_part"] == 0
    assert there["gap"] == there["coverage_part"] == pytest.approx(-here["gap"], abs=1e-12)
    middle = (total(ranking, "wuhan", "2023") + total(ranking, "shanghai", "2023")) / 2
    assert there["gap"] == pytest.approx(-there["weight"] * (there["score"] - middle), abs=1e-7)
    whole = gaps(ranking, "wuhan", "shanghai").filter(pl.col("kind") == "total")
    assert abs(whole["coverage_part"][0]) > 0.5


def test_the_leader_has_no_gap_to_itself(ranking: IndexResult) -> None:
    leader = gaps(ranking, "wuhan", LEADER)["to_hub"][0]
    table = gaps(ranking, leader, LEADER)
    assert table["to_hub"].unique().to_list() == [leader]
    assert table["gap"].abs().max() == 0


def test_every_node_knows_its_level_one_group(ranking: IndexResult) -> None:
    tree = ranking.framework
    assert level_one_group(tree, tree.root) is None
    assert level_one_group(tree, "carbon_finance") == "carbon_finance"
    assert level_one_group(tree, "ecosystem.business.cost") == "fintech"
