"""Who is ranked on which figures: coverage by group, and the groups that a hub lacks."""

import polars as pl
import pytest

from fhi.framework import Framework
from green_index.bridge import CarbonFacts, carbon_panel
from green_index.coverage import COVERAGE_SCHEMA, coverage_table
from green_index.errors import UnknownPeriod
from green_index.index import GreenResult, as_base, build_green_index, city_years, green_framework

GROUPS = ("fintech", "carbon_finance", "sustainability_data", "green_policy")


def built(carbon: CarbonFacts, base: str) -> GreenResult:
    return build_green_index(as_base(base), carbon_panel(carbon, city_years()))


def table(result: GreenResult, period: str) -> pl.DataFrame:
    return coverage_table(result.index.scores, result.index.weights, result.index.framework, period)


def test_a_row_for_the_total_and_each_group_of_each_hub(carbon: CarbonFacts) -> None:
    rows = table(built(carbon, "published"), "2017")
    assert rows.schema == COVERAGE_SCHEMA
    assert rows.filter(hub="wuhan")["code"].to_list() == ["green", *GROUPS]
    assert rows.height == rows["hub"].n_unique() * 5
    totals = rows.filter(level=0)["rank"]
    assert totals.to_list() == sorted(totals.drop_nulls()) + [None] * totals.null_count()


def test_the_group_set_apart_is_shown_and_not_counted(carbon: CarbonFacts) -> None:
    rows = table(built(carbon, "published"), "2017").filter(hub="wuhan")
    counted = dict(rows.select("code", "counted").iter_rows())
    assert counted == {"green": True, **dict.fromkeys(GROUPS, True), "green_policy": False}
    weights = dict(rows.filter(level=1).select("code", "weight").iter_rows())
    assert weights["green_policy"] == 0
    assert sum(weights.values()) == pytest.approx(1)


def test_the_coverage_of_the_total_is_the_weighted_mean_of_its_groups(carbon: CarbonFacts) -> None:
    rows = table(built(carbon, "open"), "2016").filter(hub="wuhan")
    groups = rows.filter(level=1)
    expected = (groups["weight"] * groups["coverage"]).sum()
    assert rows.filter(level=0)["coverage"][0] == pytest.approx(expected)


def test_a_hub_that_is_not_ranked_names_the_groups_that_it_lacks(carbon: CarbonFacts) -> None:
    """Twenty cities have a printed total; Suzhou has none, so it lacks fintech and is not ranked."""
    result = built(carbon, "published")
    suzhou = table(result, "2017").filter(hub="suzhou")
    total = suzhou.row(0, named=True)
    assert (total["rank"], total["score"]) == (None, None)
    assert "fintech" in total["missing"]
    (lacks,) = suzhou.filter(code="fintech").iter_rows(named=True)
    assert (lacks["coverage"], lacks["reason"], lacks["missing"]) == (0.0, "no_figures", None)
    for row in table(result, "2017").filter(pl.col("rank").is_not_null(), level=0).iter_rows(named=True):
        assert (row["missing"], row["reason"]) == ([], None)


def test_too_few_figures_are_told_apart_from_none() -> None:
    tree: Framework = green_framework("open")
    scores = pl.DataFrame(
        [
            ("wuhan", "2020", "green", 0, None, None, 0, 0.1, "below_min_share"),
            ("wuhan", "2020", "fintech", 1, None, None, 3, 0.2, "below_min_share"),
            ("wuhan", "2020", "green_policy", 1, None, None, 0, 0.3, "below_min_share"),
            ("wuhan", "2020", "carbon_finance", 1, 50.0, 1, 1, 0.4, None),
        ],
        schema=["hub", "period", "code", "level", "score", "rank", "ranked", "coverage", "reason"],
        orient="row",
    )
    weights = pl.DataFrame({"group": ["green"], "code": ["fintech"], "weight": [0.5]})
    rows = {row["code"]: row for row in coverage_table(scores, weights, tree, "2020").iter_rows(named=True)}
    assert rows["fintech"]["reason"] == "below_min_share"
    assert rows["carbon_finance"]["reason"] is None
    # Figures that nobody has a score from are the same for all, or of too few hubs.
    assert rows["green_policy"]["reason"] == "unused_figures"
    # A group that nobody has a score of is not in the scores of an edition.
    assert (rows["sustainability_data"]["reason"], rows["sustainability_data"]["coverage"]) == ("no_figures", None)
    assert rows["green"]["missing"] == ["fintech", "sustainability_data"]


def test_a_year_without_figures_is_refused(carbon: CarbonFacts) -> None:
    with pytest.raises(UnknownPeriod, match="2013 to 2023"):
        table(built(carbon, "open"), "2050")
