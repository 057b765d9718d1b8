from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from green_index.tiers import GOOD_FIT, TierError, choose_tiers, goodness, k_means, natural_breaks, tier_table

SCORES = st.lists(st.integers(0, 40), min_size=2, max_size=9, unique=True)


def squares(scores: np.ndarray, tier_of: np.ndarray) -> float:
    return sum(float(((scores[tier_of == k] - scores[tier_of == k].mean()) ** 2).sum()) for k in set(tier_of.tolist()))


@given(SCORES, st.integers(1, 4))
@settings(max_examples=60)
def test_no_other_division_has_less_spread_within(scores: list[int], tiers: int) -> None:
    tiers = min(tiers, len(scores))
    y = np.array(sorted(scores), dtype=float)
    divisions = [
        np.searchsorted(np.array(cuts), np.arange(len(y)), side="right")
        for cuts in combinations(range(1, len(y)), tiers - 1)
    ]
    least = min(squares(y, division) for division in divisions)
    assert squares(y, natural_breaks(y, tiers)) == pytest.approx(least, abs=1e-9)


@given(SCORES, st.integers(1, 3), st.floats(0.5, 20), st.floats(-50, 50))
@settings(max_examples=40)
def test_unit_and_zero_of_the_scale_do_not_matter(scores: list[int], tiers: int, scale: float, shift: float) -> None:
    y = np.array(scores, dtype=float)
    tiers = min(tiers, len(y))
    moved = y * scale + shift
    assert squares(y, natural_breaks(moved, tiers)) == pytest.approx(squares(y, natural_breaks(y, tiers)), abs=1e-6)


def test_tier_one_is_the_highest_and_equal_scores_share_a_tier() -> None:
    assert natural_breaks(np.array([10.0, 90.0, 11.0, 90.0, 50.0]), 3).tolist() == [3, 1, 3, 1, 2]


def test_goodness_and_the_least_number_that_fits() -> None:
    y = np.array([0.0, 2.0, 10.0, 12.0])
    # Within two tiers 2 + 2, of all 4 x 26 - ... : deviations -6, -4, 4, 6 give 104.
    assert goodness(y, natural_breaks(y, 2)) == pytest.approx(1 - 4 / 104)
    assert choose_tiers(y) == 2
    assert goodness(y, natural_breaks(y, 1)) < GOOD_FIT
    assert choose_tiers(np.array([5.0, 5.0])) == 1


def test_k_means_finds_clouds_that_lie_apart_and_orders_them_by_the_total() -> None:
    points = np.array([[1.0, 1.0], [1.0, 2.0], [90.0, 95.0], [91.0, 94.0], [50.0, 10.0]])
    totals = points.mean(axis=1)
    assert k_means(points, totals, 3, seed=1).tolist() == [3, 3, 1, 1, 2]


def table(scores: list[float]) -> pl.DataFrame:
    rank = pl.Series(scores).rank("min", descending=True).cast(pl.Int64)
    return pl.DataFrame({"hub": [f"h{i}" for i in range(len(scores))], "rank": rank, "score": scores, "part": scores})


@pytest.mark.parametrize("method", ["natural_breaks", "k_means"])
def test_tiers_that_lie_far_apart_are_firm(method: str) -> None:
    scores = [10.0, 11.0, 12.0, 13.0, 14.0, 80.0, 81.0, 82.0, 83.0, 84.0]
    hubs, tiers = tier_table(table(scores), method, 2, 50, seed=3)  # type: ignore[arg-type]
    assert hubs["stability"].to_list() == [1.0] * 10
    assert tiers["jaccard"].to_list() == [1.0, 1.0]
    assert tiers.select("hubs", "lowest", "highest").rows() == [(5, 80.0, 84.0), (5, 10.0, 14.0)]
    assert hubs.filter(pl.col("hub") == "h4").select("other_tier", "points_to_other").row(0) == (1, 66.0)


def test_a_hub_between_two_tiers_is_less_firm_than_the_others() -> None:
    scores = [10.0, 11.0, 12.0, 13.0, 14.0, 47.0, 80.0, 81.0, 82.0, 83.0, 84.0]
    hubs, _ = tier_table(table(scores), "natural_breaks", 2, 200, seed=3)
    firm = dict(hubs.select("hub", "stability").iter_rows())
    assert firm.pop("h5") < min(firm.values())
    assert min(firm.values()) > 0.8


def test_the_same_seed_gives_the_same_tiers() -> None:
    scores = table([float(score) for score in np.random.default_rng(1).normal(50, 10, 20)])
    first, second = (tier_table(scores, "k_means", 3, 20, seed=5) for _ in range(2))
    assert first[0].equals(second[0])
    assert first[1].equals(second[1])


def test_one_tier_has_no_other_to_be_near() -> None:
    hubs, _ = tier_table(table([1.0, 2.0]), "natural_breaks", 1, 5, seed=0)
    assert hubs.select("other_tier", "points_to_other").null_count().row(0) == (2, 2)


def test_impossible_tiers_say_what_is_possible() -> None:
    with pytest.raises(TierError, match="5 tiers; expected 1 to 3"):
        tier_table(table([1.0, 2.0, 3.0]), "natural_breaks", 5, 0, seed=0)
    with pytest.raises(TierError, match="expected two or more"):
        tier_table(table([1.0]), "natural_breaks", None, 0, seed=0)
