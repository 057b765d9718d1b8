from math import log
from statistics import mean, stdev

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhi.index import IndexResult
from green_index.bridge import CarbonFacts, carbon_panel
from green_index.errors import UnknownPeriod
from green_index.index import RANKING, build_green_index, city_years
from green_index.obstacles import NotScored
from green_index.strengths import (
    MIN_FIELD,
    POSITION_SCHEMA,
    STRENGTH,
    TOO_FEW,
    WEAKNESS,
    InvalidRule,
    Rule,
    peers_of,
    position_table,
)


@pytest.fixture
def ranking(carbon: CarbonFacts) -> IndexResult:
    return build_green_index("open", carbon_panel(carbon, city_years()), RANKING).index


def positions(ranking: IndexResult, hub: str, period: str = "2023", rule: Rule | None = None) -> pl.DataFrame:
    return position_table(ranking.inputs, ranking.framework, city_years(), hub, period, rule)


SIZES = pl.DataFrame(
    [
        # population 10k, GDP 100m: a and b alike; c as rich and larger; d as large and poorer; e unknown
        ("a", "2020", 100.0, 10.0),
        ("b", "2020", 110.0, 11.0),
        ("c", "2020", 1000.0, 100.0),
        ("d", "2020", 50.0, 10.0),
        ("e", "2020", None, 10.0),
        ("a", "2021", 100.0, 10.0),
    ],
    schema=["hub", "period", "gdp_100m_cny", "population_10k"],
    orient="row",
)


def test_peers_are_the_nearest_in_size_and_income() -> None:
    size = {"a": log(10), "b": log(11), "c": log(100), "d": log(10)}
    income = {"a": log(10), "b": log(10), "c": log(10), "d": log(5)}

    def distance(hub: str) -> float:
        parts = ((values[hub] - values["a"]) / stdev(values.values()) for values in (size, income))
        return float(sum(part**2 for part in parts) ** 0.5)

    expected = sorted("bcd", key=distance)
    assert peers_of(SIZES, "a", "2020", 3) == expected
    assert peers_of(SIZES, "a", "2020", 1) == ["b"]
    assert "e" not in peers_of(SIZES, "a", "2020", 9)
    with pytest.raises(NotScored, match="e has no population and GDP of 2020"):
        peers_of(SIZES, "e", "2020", 2)


@given(st.sampled_from(sorted(city_years()["hub"].unique())), st.floats(0.1, 10), st.floats(0.1, 10))
def test_peers_know_no_units(hub: str, persons: float, money: float) -> None:
    sizes = city_years().filter(pl.col("period") == "2019")
    other = sizes.with_columns(pl.col("population_10k") * persons, pl.col("gdp_100m_cny") * money)
    near = peers_of(sizes, hub, "2019", 9)
    assert len(set(near)) == 9
    assert hub not in near
    assert set(peers_of(other, hub, "2019", 9)) == set(near)


def test_positions_and_verdicts_by_counting(ranking: IndexResult) -> None:
    table = positions(ranking, "wuhan")
    assert table.schema == POSITION_SCHEMA
    for row in table.iter_rows(named=True):
        field = ranking.inputs.filter(pl.col("period") == "2023", pl.col("code") == row["code"]).drop_nulls(
            "normalised"
        )
        below = (field["normalised"] < row["score"] - 1e-9).sum()
        above = (field["normalised"] > row["score"] + 1e-9).sum()
        ties = field.height - below - above - 1
        assert (row["rank"], row["ranked"]) == (above + 1, field.height)
        position = (below + ties / 2) / (field.height - 1)
        assert row["position"] == pytest.approx(position)
        expected = STRENGTH if position >= 0.9 else WEAKNESS if position <= 0.1 else None
        assert row["verdict"] == (expected if field.height >= MIN_FIELD else None)
        assert (row["reason"] == TOO_FEW) == (field.height < MIN_FIELD)
    assert table["position"].to_list() == sorted(table["position"], reverse=True)
    assert STRENGTH in table["verdict"].to_list()


def test_the_group_of_peers_by_hand(ranking: IndexResult) -> None:
    table = positions(ranking, "wuhan")
    group = ["wuhan", *table["peer_hubs"][0].split(",")]
    assert len(group) == 10
    row = table.row(by_predicate=pl.col("code") == "ecosystem.business.gdp_per_capita", named=True)
    scores = ranking.inputs.filter(
        pl.col("period") == "2023", pl.col("code") == row["code"], pl.col("hub").is_in(group)
    )["normalised"].to_list()
    assert row["peers"] == 10
    assert row["peer_mean"] == pytest.approx(mean(scores))
    assert row["peer_sd"] == pytest.approx(stdev(scores))
    assert row["peer_distance"] == pytest.approx((row["score"] - mean(scores)) / stdev(scores))
    assert row["peer_rank"] == sum(score > row["score"] for score in scores) + 1
    for entry in table.drop_nulls("peer_distance").iter_rows(named=True):
        beyond = STRENGTH if entry["peer_distance"] > 1 else WEAKNESS if entry["peer_distance"] < -1 else None
        assert entry["peer_verdict"] == beyond


def test_what_all_but_one_lack_is_no_weakness(ranking: IndexResult) -> None:
    """36 hubs without a facility tie at nothing: each is in the middle of them."""
    row = positions(ranking, "lanzhou").row(
        by_predicate=pl.col("code") == "carbon_finance.infrastructure.facilities", named=True
    )
    assert row["position"] == pytest.approx((0 + 35 / 2) / 36)
    assert (row["verdict"], row["peer_sd"], row["peer_distance"], row["peer_verdict"]) == (None, 0, None, None)


def test_a_wider_cut_holds_more(ranking: IndexResult) -> None:
    narrow, wide = (positions(ranking, "beijing", rule=Rule(cut=cut, nearest=5)) for cut in (0.05, 0.3))
    assert wide["verdict"].null_count() < narrow["verdict"].null_count()
    assert "0.3" in wide["rule"][0]
    assert len(wide["peer_hubs"][0].split(",")) == 5


def test_what_cannot_be_asked(ranking: IndexResult) -> None:
    for rule in (Rule(cut=0), Rule(cut=0.5), Rule(nearest=1)):
        with pytest.raises(InvalidRule, match=r"expected a cut between 0 and 0\.5, and 4 hubs or more"):
            positions(ranking, "wuhan", rule=rule)
    with pytest.raises(UnknownPeriod, match="2013 to 2023"):
        positions(ranking, "wuhan", "1999")
    with pytest.raises(NotScored, match="atlantis has no figure"):
        positions(ranking, "atlantis")
