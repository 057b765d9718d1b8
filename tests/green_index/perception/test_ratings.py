from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from green_index.perception.errors import PerceptionError
from green_index.perception.ratings import RATING_SCHEMA, centred_errors, combine, counted, hub_ratings

HUBS = ("beijing", "shanghai", "wuhan", "chengdu")


def _ratings(
    given_by: Mapping[str, Mapping[str, float]],
    homes: Mapping[str, str] | None = None,
    dates: Mapping[str, date] | None = None,
) -> pl.DataFrame:
    rows = [
        (who, (homes or {}).get(who), hub, rating, (dates or {}).get(who))
        for who, own in given_by.items()
        for hub, rating in own.items()
    ]
    return pl.DataFrame(rows, schema=RATING_SCHEMA, orient="row")


def _by_hub(frame: pl.DataFrame) -> dict[str, float]:
    return dict(frame.select("hub", "rating").iter_rows())


@settings(max_examples=20)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=3))
def test_ratings_of_the_home_city_change_nothing(home_ratings: list[float]) -> None:
    given_by = {"a": {"beijing": 7.0, "shanghai": 6.0}, "b": {"shanghai": 5.0, "chengdu": 4.0}}
    homes = {"a": "wuhan", "b": "wuhan"}
    without = counted(_ratings(given_by, homes))
    more = pl.DataFrame([("a", "wuhan", "wuhan", value, None) for value in home_ratings], RATING_SCHEMA, orient="row")
    assert counted(pl.concat([_ratings(given_by, homes), more])).equals(without)


def test_a_respondent_from_elsewhere_counts_everywhere() -> None:
    assert counted(_ratings({"a": {"wuhan": 7.0}})).height == 1


def test_older_ratings_count_less() -> None:
    dates = {"a": date(2024, 1, 11), "b": date(2024, 1, 1)}
    rows = _ratings({"a": {"wuhan": 8.0}, "b": {"wuhan": 2.0}}, dates=dates)
    weighted = counted(rows, half_life_days=10)
    assert weighted["weight"].to_list() == [1.0, 0.5]
    assert _by_hub(hub_ratings(weighted, centred=False))["wuhan"] == pytest.approx((8 + 0.5 * 2) / 1.5)
    # 10 days are 20 half-lives of half a day, and 25 of 0.4 days.
    assert counted(rows, half_life_days=0.5)["weight"].to_list() == [1.0, 0.5**20]
    assert counted(rows, half_life_days=0.4)["weight"].to_list() == [1.0]
    with pytest.raises(PerceptionError, match="1 rows without date"):
        counted(_ratings({"a": {"wuhan": 8.0}, "b": {"wuhan": 2.0}}, dates={"a": date(2024, 1, 1)}), half_life_days=10)


def test_levels_of_respondents_are_taken_off() -> None:
    """rating = level + city, each respondent with two cities only: the cities differ as they do in truth."""
    cities = dict(zip(HUBS, (9.0, 8.0, 5.0, 3.0), strict=True))
    levels = {"a": -2.0, "b": 0.0, "c": 2.0}
    pairs = {"a": ("beijing", "shanghai"), "b": ("shanghai", "wuhan"), "c": ("wuhan", "chengdu")}
    rows = counted(_ratings({who: {hub: cities[hub] + levels[who] for hub in pairs[who]} for who in pairs}))
    found = hub_ratings(rows)
    # The middle level of the three respondents is 0.
    assert _by_hub(found) == pytest.approx(cities)
    assert found["respondents"].to_list() == [1, 1, 2, 2]
    plain = _by_hub(hub_ratings(rows, centred=False))
    assert plain["wuhan"] == pytest.approx((5 + 0 + 5 + 2) / 2)


@settings(max_examples=20)
@given(st.floats(-20, 20), st.integers(0, 1000))
def test_how_generous_one_respondent_is_does_not_matter_between_cities(more: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    given_by = {
        who: {hub: float(rng.normal()) for hub in HUBS if rng.random() < 0.8 or hub == "wuhan"} for who in "abc"
    }
    one = _by_hub(hub_ratings(counted(_ratings(given_by))))
    given_by["a"] = {hub: rating + more for hub, rating in given_by["a"].items()}
    two = _by_hub(hub_ratings(counted(_ratings(given_by))))
    apart = [two[hub] - one[hub] for hub in one]
    np.testing.assert_allclose(apart, np.full(len(apart), apart[0]), rtol=0, atol=1e-9)


def test_complete_ratings_give_plain_means() -> None:
    given_by = {"a": {"wuhan": 4.0, "beijing": 8.0}, "b": {"wuhan": 6.0, "beijing": 9.0}}
    rows = counted(_ratings(given_by))
    assert _by_hub(hub_ratings(rows)) == pytest.approx({"wuhan": 5.0, "beijing": 8.5})


def test_cities_that_no_respondent_links_cannot_be_compared() -> None:
    rows = counted(_ratings({"a": {"beijing": 7.0, "shanghai": 6.0}, "b": {"wuhan": 5.0, "chengdu": 4.0}}))
    with pytest.raises(PerceptionError, match="no respondent who rated one of chengdu, wuhan and any other"):
        hub_ratings(rows)
    assert hub_ratings(rows, centred=False).height == 4


def test_combined_is_own_rating_or_prediction_at_the_own_level() -> None:
    given_by = {"a": {"beijing": 9.0, "shanghai": 8.0}, "b": {"beijing": 4.0}, "c": {"shanghai": 7.0}}
    rows = counted(_ratings(given_by, {"c": "wuhan"}))
    predicted: Sequence[float] = (6.0, 7.0, 5.0, float("nan"))
    found = combine(rows, list(HUBS), np.array(predicted))
    levels = {"a": ((9 - 6) + (8 - 7)) / 2, "b": 4.0 - 6, "c": 7.0 - 7}
    assert found[0] == pytest.approx((9 + 4 + (6 + levels["c"])) / 3)
    assert found[1] == pytest.approx((8 + (7 + levels["b"]) + 7) / 3)
    # c is at home in Wuhan, and is not asked what they would say of it.
    assert found[2] == pytest.approx(((5 + levels["a"]) + (5 + levels["b"])) / 2)
    assert np.isnan(found[3])


def test_combined_of_ratings_that_are_all_there_is_their_mean() -> None:
    given_by = {who: dict(zip(HUBS, own, strict=True)) for who, own in (("a", (9, 8, 7, 6)), ("b", (5, 6, 3, 2)))}
    found = combine(counted(_ratings(given_by)), list(HUBS), np.array([1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_allclose(found, [7, 7, 5, 4])


def test_errors_less_the_level_that_no_model_can_know() -> None:
    rows = counted(_ratings({"a": {"beijing": 9.0, "wuhan": 5.0}, "b": {"wuhan": 4.0}}))
    predicted = pl.DataFrame({"hub": ["beijing", "wuhan"], "predicted": [3.0, 2.0]})
    actual, said = centred_errors(rows, predicted)
    assert actual.tolist() == [2.0, -2.0]
    assert said.tolist() == [0.5, -0.5]
