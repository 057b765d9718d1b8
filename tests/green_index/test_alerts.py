"""Alerts by hand-made bands: the rule at and beside its edges."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from green_index.alerts import ALERT_SCHEMA, band_alerts

COLUMNS = ("hub", "rank", "rank_median", "rank_p05", "rank_p95")


def bands(*rows: tuple[str, int, float, float, float]) -> pl.DataFrame:
    schema = dict(zip(COLUMNS, (pl.String, pl.Int64, *[pl.Float64] * 3), strict=True))
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_strong_weak_and_nothing() -> None:
    before = bands(("a", 5, 5, 4, 6), ("b", 5, 5, 4, 6), ("c", 5, 5, 4, 6), ("d", 5, 5, 4, 6), ("e", 5, 5, 4, 6))
    after = bands(
        ("a", 2, 2, 1, 3),  # shares no rank: strong
        ("b", 3, 3, 1, 4),  # shares rank 4, the median left: weak
        ("c", 4, 4, 1, 4),  # the median is on the edge: nothing
        ("d", 9, 9, 7, 12),  # strong, down
        ("e", 7, 6.5, 6, 9),  # weak, down
    )
    found = band_alerts(before, after, "2021", "2022")
    assert found.schema == ALERT_SCHEMA
    assert found.select("hub", "kind", "direction").rows() == [
        ("d", "strong", "down"),
        ("a", "strong", "up"),
        ("b", "weak", "up"),
        ("e", "weak", "down"),
    ]
    row = found.row(1, named=True)
    assert (row["from_period"], row["to_period"], row["rank_before"], row["rank_after"]) == ("2021", "2022", 5, 2)
    assert (row["rank_p05_before"], row["rank_p95_before"], row["rank_p05_after"], row["rank_p95_after"]) == (
        4,
        6,
        1,
        3,
    )


def test_who_is_ranked_on_one_side_only_is_told_without_direction() -> None:
    found = band_alerts(bands(("a", 1, 1, 1, 1)), bands(("b", 1, 1, 1, 1)), "2021", "2022")
    assert found.select("hub", "kind", "direction").rows() == [("b", "entered", None), ("a", "left", None)]
    assert found.filter(hub="a")["rank_after"].to_list() == [None]


BAND = st.tuples(st.integers(1, 20), st.integers(0, 6), st.integers(0, 6)).map(
    lambda drawn: ("a", drawn[0], float(drawn[0]), float(max(1, drawn[0] - drawn[1])), float(drawn[0] + drawn[2]))
)


@given(BAND, BAND)
def test_the_rule_and_its_mirror(
    one: tuple[str, int, float, float, float], two: tuple[str, int, float, float, float]
) -> None:
    forth, back = band_alerts(bands(one), bands(two), "1", "2"), band_alerts(bands(two), bands(one), "2", "1")
    shared = one[3] <= two[4] and two[3] <= one[4]
    strong = forth.filter(kind="strong").height == 1
    assert strong == (not shared)
    assert strong == (back.filter(kind="strong").height == 1)
    if strong:
        assert {forth["direction"][0], back["direction"][0]} == {"up", "down"}
    elif forth.height:
        assert not one[3] <= two[2] <= one[4]
    else:
        assert one[3] <= two[2] <= one[4]


def test_no_alert_without_change() -> None:
    same = bands(("a", 1, 1, 1, 2), ("b", 2, 2, 1, 2))
    assert band_alerts(same, same, "1", "2").is_empty()
