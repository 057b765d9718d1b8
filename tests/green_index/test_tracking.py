"""Tracks of a real edition, and printed ranks beside our back-cast."""

import polars as pl
import pytest

from fhi.frames import SCORE_SCHEMA
from fhi.index import build_index
from fhi.observations import open_panel
from green_index.bridge import CarbonFacts, carbon_panel
from green_index.errors import UnknownPeriod
from green_index.index import RANKING, TRACKING, base_framework, build_green_index, city_years, green_framework
from green_index.tracking import BESIDE_SCHEMA, TRACK_SCHEMA, printed_beside_backcast, track_rows

Scores = tuple[pl.DataFrame, pl.DataFrame]


@pytest.fixture(scope="module")
def kept() -> dict[str, Scores]:
    return {}


@pytest.fixture
def scores(carbon: CarbonFacts, kept: dict[str, Scores]) -> Scores:
    """Of the ranking and of the tracking recipe."""
    if not kept:
        rows = carbon_panel(carbon, city_years())
        kept["it"] = tuple(build_green_index("open", rows, recipe).index.scores for recipe in (RANKING, TRACKING))
    return kept["it"]


def test_a_track_has_both_ranks_and_each_change_of_the_pooled_one_in_parts(scores: Scores) -> None:
    tree = green_framework("open")
    rows = track_rows(*scores, tree, range(2013, 2024))
    assert rows.schema == TRACK_SCHEMA
    assert rows.height == 37 * 11
    for frame, rank in zip(scores, ("rank", "rank_pooled"), strict=True):
        stored = frame.filter(pl.col("code") == tree.root).select("hub", pl.col("period").cast(pl.Int64), stored="rank")
        both = rows.join(stored, left_on=["hub", "year"], right_on=["hub", "period"])
        assert both[rank].equals(both["stored"].alias(rank))
    first = rows.filter(pl.col("year") == 2013)
    assert first.select("from_year", "gained", "own", "score_change", "reason").null_count().row(0) == (37,) * 5
    later = rows.filter(pl.col("year") > 2013).sort("hub", "year")
    before = rows.filter(pl.col("year") < 2023).sort("hub", "year")
    assert (later["gained"] == before["rank_pooled"] - later["rank_pooled"]).all()
    assert (later["own"] + later["others"] == later["gained"]).all()
    assert (later["from_year"] == later["year"] - 1).all()
    assert later.select(pl.col("method", "revision").abs().sum()).row(0) == (0, 0)
    change = later["score_pooled"] - before["score_pooled"]
    assert later["score_change"].to_list() == pytest.approx(change.to_list())


def test_years_left_out_are_stepped_over(scores: Scores) -> None:
    rows = track_rows(*scores, green_framework("open"), [2013, 2020]).filter(pl.col("hub") == "wuhan")
    assert rows["from_year"].to_list() == [None, 2013]
    ranks = rows["rank_pooled"].to_list()
    assert rows["gained"].to_list() == [None, ranks[0] - ranks[1]]
    assert track_rows(*scores, green_framework("open"), [2020])["gained"].null_count() == 37
    with pytest.raises(UnknownPeriod, match="2050"):
        track_rows(*scores, green_framework("open"), [2020, 2050])


def test_printed_and_computed_stand_side_by_side_and_never_fill_each_other(scores: Scores) -> None:
    rows = printed_beside_backcast(scores[0], green_framework("open"), "wuhan")
    assert rows.schema == BESIDE_SCHEMA
    totals = {
        (row["year"], row["index"]): row for row in rows.filter(pl.col("code") == "fintech").iter_rows(named=True)
    }
    printed = {key: row["printed_rank"] for key, row in totals.items() if row["printed_rank"] is not None}
    assert printed == {(2017, "FHI"): 7, (2018, "FHI"): 11, (2019, "FHI"): 9}
    base = build_index(open_panel(), base_framework("open"), RANKING).scores.filter(
        pl.col("hub") == "wuhan", pl.col("code") == base_framework("open").root
    )
    ours = {(int(row["period"]), "FHI"): row["rank"] for row in base.iter_rows(named=True)}
    assert {key: row["backcast_rank"] for key, row in totals.items() if key[1] == "FHI"} == ours
    gfhi = totals[2021, "GFHI"]
    assert (gfhi["printed_rank"], gfhi["printed_text"], gfhi["printed_ranked"]) == (None, "not listed", 9 + 41)
    assert gfhi["backcast_rank"] == ours[2021, "FHI"]
    industry = rows.filter(pl.col("code") == "industry").select("year", "printed_rank", "backcast_rank").rows()
    assert industry == [(2017, 13, None), (2019, 16, None)]
    policy = rows.filter(pl.col("code") == "ecosystem.policy").row(0, named=True)
    assert (policy["printed_rank"], policy["backcast_rank"], policy["extended_rank"]) == (3, None, None)
    assert totals[2013, "FHI"]["printed_source"] is None
    assert totals[2017, "FHI"]["printed_score"] == 47.2
    extended = scores[0].filter(pl.col("hub") == "wuhan", pl.col("code") == "green")
    assert {year: row["extended_rank"] for (year, index), row in totals.items() if index == "FHI"} == {
        int(row["period"]): row["rank"] for row in extended.iter_rows(named=True)
    }


def test_a_hub_that_was_never_printed_has_our_ranks_only(scores: Scores) -> None:
    rows = printed_beside_backcast(scores[0], green_framework("open"), "lhasa")
    fintech = rows.filter(pl.col("code") == "fintech")
    assert fintech["year"].to_list() == list(range(2013, 2024))
    assert fintech["printed_rank"].null_count() == fintech.height
    assert fintech["backcast_rank"].null_count() == 0


def test_what_was_printed_stands_also_where_we_have_no_figures_at_all() -> None:
    rows = printed_beside_backcast(pl.DataFrame(schema=SCORE_SCHEMA), green_framework("open"), "chengdu")
    tier = rows.filter(pl.col("index") == "GFHI").row(0, named=True)
    assert (tier["printed_text"], tier["backcast_rank"], tier["extended_rank"]) == ("regional hub", None, None)
