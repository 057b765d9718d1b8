from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhi.errors import PanelError
from fhi.other_indices import GFHF_ASSUMED, GFHF_RANKS, GFHF_SCHEMA, TIER_SCHEMA, gfhf_scores, gfhi_tiers, other_indices

Ranks = tuple[int | None, int | None, int | None]
RANK = st.integers(1, 200)


def table(rows: dict[str, Ranks]) -> pl.DataFrame:
    schema = {"place": pl.String, **dict.fromkeys(GFHF_RANKS, pl.Int64)}
    return pl.DataFrame([(place, *ranks) for place, ranks in rows.items()], schema=schema, orient="row")


def test_the_indices_are_those_of_the_paper(reference: Path) -> None:
    assert other_indices().equals(pl.read_csv(reference / "wuhan2021" / "other_indices.csv"))


def test_tiers_are_printed_or_follow_from_the_rank() -> None:
    tiers = gfhi_tiers()
    assert tiers.schema == TIER_SCHEMA
    found = {row["place"]: (row["rank"], row["tier"], row["basis"]) for row in tiers.iter_rows(named=True)}
    assert found == {
        "London": (6, "global hub", "derived"),
        "Singapore": (8, "global hub", "derived"),
        "Zurich": (23, "regional hub", "derived"),
        "Geneva": (42, "regional hub", "derived"),
        "Chengdu": (None, "regional hub", "printed"),
        "Chongqing": (None, "regional hub", "printed"),
        "Xi'an": (None, "regional hub", "printed"),
        "Wuhan": (None, "not listed", "printed"),
    }


def test_every_printed_gfhi_place_has_a_tier(reference: Path) -> None:
    printed = pl.read_csv(reference / "wuhan2021" / "rank_history.csv", infer_schema=False).filter(index="GFHI")
    assert gfhi_tiers().height == printed.height
    method = pl.read_csv(reference / "wuhan2021" / "other_indices.csv").filter(index="GFHI")["method"].item()
    assert "9 global hubs, 41 regional hubs" in method


def test_gfhf_gives_the_scores_that_deloitte_printed_in_2016(outside_data: Path) -> None:
    """From the ranks of GII 2016, GFCI 19 and Doing Business 2016, in this order."""
    ranks: dict[str, Ranks] = {
        "London": (3, 1, 6),
        "Singapore": (6, 3, 1),
        "New York": (4, 2, 7),
        "Hong Kong": (14, 4, 5),
    }
    printed = pl.read_csv(outside_data / "indices" / "city_index_ranks.csv", infer_schema=False).filter(
        pl.col("index").str.starts_with("Deloitte"), edition="2016"
    )
    expected = {city: int(score) for city, score in printed.select("city", "score").iter_rows() if city in ranks}
    assert len(expected) == 4
    scores = gfhf_scores(table(ranks))
    assert dict(scores.select("place", "score").iter_rows()) == expected
    assert scores["rank"].to_list() == [1, 1, 3, 4]
    assert set(scores["assumed"]) == {GFHF_ASSUMED}


def test_a_missing_rank_leaves_score_and_rank_null_and_is_named() -> None:
    scores = gfhf_scores(table({"a": (10, 10, 10), "b": (1, None, 1), "c": (None, 2, None), "d": (1, 2, 3)}))
    assert scores["score"].to_list() == [30, None, None, 6]
    assert scores["rank"].to_list() == [2, None, None, 1]
    assert scores["missing"].to_list() == [None, "financial_centre_rank", "innovation_rank, business_rank", None]


def test_every_wrong_rank_and_place_is_told_at_once() -> None:
    frame = pl.DataFrame(
        {
            "place": ["a", "a", "b", None],
            "innovation_rank": [1.0, 2.5, float("nan"), 1.0],
            "financial_centre_rank": [1, 0, 1, 1],
            "business_rank": [1, 1, -3, 1],
        }
    )
    with pytest.raises(PanelError) as raised:
        gfhf_scores(frame)
    assert {(problem.where, problem.found) for problem in raised.value.problems} == {
        ("ranks, column place", "'a' more than once"),
        ("ranks, column place", "a place without name"),
        ("a, innovation_rank", "2.5"),
        ("b, innovation_rank", "nan"),
        ("a, financial_centre_rank", "0"),
        ("b, business_rank", "-3"),
    }


def test_columns_that_are_absent_or_no_numbers_are_named() -> None:
    with pytest.raises(PanelError, match="columns place; expected columns place, innovation_rank"):
        gfhf_scores(pl.DataFrame({"place": ["a"]}))
    with pytest.raises(PanelError, match="column business_rank: found String"):
        gfhf_scores(table({"a": (1, 1, 1)}).with_columns(business_rank=pl.lit("first")))
    with pytest.raises(PanelError, match="column place: found Int64"):
        gfhf_scores(table({"a": (1, 1, 1)}).with_columns(place=pl.lit(1, pl.Int64)))


def test_no_places_have_no_scores() -> None:
    assert gfhf_scores(table({})).equals(pl.DataFrame(schema=GFHF_SCHEMA))


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.tuples(RANK, RANK, RANK), min_size=1))
def test_a_smaller_sum_never_ranks_behind_a_greater_one_and_equal_sums_share(rows: dict[str, Ranks]) -> None:
    scores = gfhf_scores(table(rows)).sort("score")
    assert sorted(scores["score"]) == sorted(sum(rank for rank in ranks if rank) for ranks in rows.values())
    pairs = list(scores.select("score", "rank").iter_rows())
    assert pairs[0][1] == 1
    for position, (before, after) in enumerate(pairwise(pairs), 2):
        assert after[1] == (before[1] if after[0] == before[0] else position)
