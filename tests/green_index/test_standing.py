import polars as pl
import pytest

from fhi.index import IndexResult
from green_index.bridge import CarbonFacts, carbon_panel
from green_index.errors import UnknownPeriod
from green_index.index import TRACKING, build_green_index, city_years
from green_index.standing import MOST, STANDING_SCHEMA, level_one, score_table, standing


@pytest.fixture
def ranking(carbon: CarbonFacts) -> IndexResult:
    return build_green_index("open", carbon_panel(carbon, city_years())).index


@pytest.fixture
def rows(carbon: CarbonFacts, ranking: IndexResult) -> pl.DataFrame:
    tracking = build_green_index("open", carbon_panel(carbon, city_years()), TRACKING).index
    return standing(ranking.scores, ranking.inputs, tracking.scores, ranking.framework, "wuhan")


def test_table_is_ordered_and_counts_only_what_is_weighed(ranking: IndexResult) -> None:
    table = score_table(ranking.scores, ranking.framework, "2016")
    assert table["rank"].to_list() == sorted(table["rank"].to_list())
    assert table.height == 37
    assert level_one(ranking.framework) == ("fintech", "carbon_finance", "sustainability_data")
    assert table.columns[:4] == ["hub", "rank", "ranked", "score"]


def test_total_is_the_weighted_sum_of_its_groups(ranking: IndexResult) -> None:
    table = score_table(ranking.scores, ranking.framework, "2016")
    weights = dict(ranking.weights.filter(pl.col("group") == "green").select("code", "weight").iter_rows())
    for row in table.iter_rows(named=True):
        parts = {code: row[code] for code in level_one(ranking.framework)}
        assert row["score"] == pytest.approx(sum(weights[code] * score for code, score in parts.items()))


def test_an_unknown_year_names_the_known_ones(ranking: IndexResult) -> None:
    with pytest.raises(UnknownPeriod, match="2013 to 2023"):
        score_table(ranking.scores, ranking.framework, "1999")


def test_schema_and_years(rows: pl.DataFrame) -> None:
    assert rows.schema == STANDING_SCHEMA
    assert rows["year"].unique().sort().to_list() == list(range(2013, 2024))


def test_gaps_are_differences_of_scores(ranking: IndexResult, rows: pl.DataFrame) -> None:
    scores = ranking.scores.filter(pl.col("period") == "2016")
    for row in rows.filter(pl.col("year") == 2016, pl.col("kind") == "score").iter_rows(named=True):
        group = scores.filter(pl.col("code") == row["code"]).sort("score", descending=True)
        assert row["gap_to_leader"] == pytest.approx(group["score"][0] - row["score"])
        better = group.filter(pl.col("score") > row["score"])
        assert row["rank"] == better.height + 1
        if better.height:
            assert row["gap_to_ahead"] == pytest.approx(better["score"][-1] - row["score"])
        else:
            assert row["ahead_hub"] is None
            assert row["gap_to_leader"] == 0


def test_what_is_lost_is_never_more_than_the_whole(ranking: IndexResult, rows: pl.DataFrame) -> None:
    """All points lost are 100 less the total; the five greatest are a part of them."""
    for year in (2014, 2020):
        here = rows.filter(pl.col("year") == year)
        lost = here.filter(pl.col("kind") == "holds_back")["points"]
        inputs = ranking.inputs.filter(pl.col("hub") == "wuhan", pl.col("period") == str(year))
        every = inputs.select(pl.col("weight") * (100 - pl.col("normalised"))).to_series()
        total = here.filter(pl.col("level") == 0)["score"][0]
        assert every.sum() == pytest.approx(100 - total)
        assert lost.to_list() == pytest.approx(every.drop_nulls().sort(descending=True).head(MOST).to_list())


def test_leads_are_above_the_median_city(ranking: IndexResult, rows: pl.DataFrame) -> None:
    leads = rows.filter(pl.col("year") == 2016, pl.col("kind") == "leads")
    assert 0 < leads.height <= MOST
    for row in leads.iter_rows(named=True):
        column = ranking.inputs.filter(pl.col("code") == row["code"], pl.col("period") == "2016")["normalised"]
        assert row["score"] > column.median()
        assert row["source"]
        assert row["unit"]


def test_pooled_scores_stand_beside_the_ranked_ones(rows: pl.DataFrame) -> None:
    totals = rows.filter(pl.col("kind") == "score", pl.col("level") == 0)
    assert totals["score_pooled"].null_count() == 0
    assert totals["score_pooled"].to_list() != totals["score"].to_list()
