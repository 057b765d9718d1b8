"""What must hold for any amounts: linearity, sign, units, order, and sums."""

from itertools import combinations
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.footprints.calculate import calculate
from carbon.footprints.runs import frame_sha256
from carbon.footprints.totals import GROUPS, TotalTooLarge, UnlikeLines, calculated_share, totals

from .frames import GRID, POWER, RESIDUAL, SCOPE_1, activity_rows, factor_rows, fuel, month

FACTORS = pl.concat(
    [
        GRID,
        RESIDUAL,
        fuel("coal", 20.9, 0.0262, 0.97),
        factor_rows(
            {"factor_id": "leak", "activity": "leak", "gas": "HFC134a", "value": 1.0, "denominator": "kg"},
            {"factor_id": "wood", "activity": "wood", "value": 1.7, "denominator": "kg", "biogenic": True},
            {"factor_id": "goods", "activity": "goods", "gas": "CO2e", "value": 0.3, "denominator": "CNY"},
        ),
    ]
)
KINDS: tuple[dict[str, Any], ...] = (
    POWER,
    {**SCOPE_1, "activity": "coal", "unit": "t"},
    {"scope": 1, "category": "fugitive", "activity": "leak", "unit": "g"},
    {"scope": 1, "category": "fugitive", "activity": "wood", "unit": "t"},
    {"scope": 3, "category": "c01", "activity": "goods", "unit": "万CNY"},
    {"scope": 3, "category": "c02", "activity": "nothing_known", "unit": "t"},
)
AMOUNTS = st.floats(min_value=1e-6, max_value=1e9)
# A calculation costs the same for one row as for hundreds: few examples, each of many rows.
EXAMPLES = 8
ROWS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        AMOUNTS,
        st.sampled_from(["E", "F", "G"]),
        st.sampled_from(["wuhan", "beijing", None]),
        st.integers(1, 12),
        st.booleans(),
    ),
    min_size=6,
    max_size=60,
)
Drawn = list[tuple[dict[str, Any], float, str, str | None, int, bool]]


def frame(drawn: Drawn, scale: float = 1.0) -> pl.DataFrame:
    return activity_rows(
        *(
            {
                **{**kind, **month(number), "entity": entity, "hub": hub},
                **{"amount": amount * scale * (-1 if is_note else 1), "credit_note": is_note},
            }
            for kind, amount, entity, hub, number, is_note in drawn
        )
    )


# Three times the largest amount still is what a total may hold: 1e9 x 1e4 CNY x 0.3 kg x 3 = 9e12 kg.
@given(ROWS, st.floats(min_value=1e-3, max_value=3))
@settings(max_examples=EXAMPLES)
def test_emissions_are_linear_in_the_amounts(drawn: Drawn, scale: float) -> None:
    once, scaled = calculate(frame(drawn), FACTORS).lines, calculate(frame(drawn, scale), FACTORS).lines
    assert once["activity_id"].equals(scaled["activity_id"])
    expected = [kg * scale for kg in once["co2e_kg"]]
    assert scaled["co2e_kg"].to_list() == pytest.approx(expected, rel=1e-12)


@given(ROWS)
@settings(max_examples=EXAMPLES)
def test_only_credit_notes_are_below_zero_and_they_always_are(drawn: Drawn) -> None:
    rows = frame(drawn)
    signs = calculate(rows, FACTORS).lines.join(rows.select("activity_id", "credit_note"), on="activity_id")
    assert signs.filter((pl.col("co2e_kg") < 0) != pl.col("credit_note")).is_empty()


@given(st.lists(AMOUNTS, min_size=1, max_size=20))
@settings(max_examples=EXAMPLES)
def test_the_unit_of_an_amount_changes_nothing(amounts: list[float]) -> None:
    kwh_of = {"kWh": 1.0, "MWh": 1e3, "万kWh": 1e4, "GWh": 1e6, "GJ": 1e9 / 3.6e6, "tce": 29_307.6 / 3.6}
    rows = activity_rows(
        *({**POWER, "amount": one / kwh, "unit": name} for one in amounts for name, kwh in kwh_of.items())
    )
    lines = calculate(rows, FACTORS).lines
    for method, figure in (("location", 0.5), ("market", 0.75)):
        found = dict(lines.filter(pl.col("method") == method).select("activity_id", "co2e_kg").rows())
        expected = [one * figure for one in amounts for _ in kwh_of]
        assert [found[name] for name in rows["activity_id"]] == pytest.approx(expected, rel=1e-12)


@given(ROWS, st.randoms())
@settings(max_examples=EXAMPLES)
def test_the_order_of_rows_and_factors_changes_no_byte(drawn: Drawn, random: Any) -> None:
    rows, factors = frame(drawn), FACTORS
    once = calculate(rows, factors)
    places, others = list(range(rows.height)), list(range(factors.height))
    random.shuffle(places)
    random.shuffle(others)
    again = calculate(rows[places], factors[others])
    assert once.lines.equals(again.lines)
    assert once.left_out.equals(again.left_out)
    assert frame_sha256(once.lines, ["activity_id", "method", "gas"]) == frame_sha256(
        again.lines[::-1], ["activity_id", "method", "gas"]
    )


@given(ROWS, st.randoms())
@settings(max_examples=EXAMPLES)
def test_parts_add_up_to_the_total_exactly_over_any_grouping(drawn: Drawn, random: Any) -> None:
    lines = calculate(frame(drawn), FACTORS).lines
    whole = totals(lines)
    sizes = [*combinations(GROUPS, 1), *combinations(GROUPS, 2), GROUPS]
    for by in random.sample(sizes, 6):
        parts = totals(lines, by).filter(pl.col("scope") != "1+2")
        summed = parts.group_by("scope", "method").agg(pl.col("co2e_mg").sum(), pl.col("lines").sum())
        both = whole.filter(pl.col("scope") != "1+2").join(summed, on=["scope", "method"], nulls_equal=True)
        assert both.height == whole.filter(pl.col("scope") != "1+2").height
        assert both["co2e_mg"].fill_null(0).equals(both["co2e_mg_right"], check_names=False)
        assert both["lines"].equals(both["lines_right"], check_names=False)


@given(ROWS)
@settings(max_examples=EXAMPLES)
def test_every_activity_is_calculated_or_listed(drawn: Drawn) -> None:
    rows = frame(drawn)
    found = calculate(rows, FACTORS)
    told = set(found.lines["activity_id"]) | set(found.left_out["activity_id"])
    assert told == set(rows["activity_id"])
    covered = calculated_share(found.lines, found.left_out).filter(pl.col("method").ne_missing("market"))
    assert covered["activities"].sum() == rows.height
    nothing = (rows["activity"] == "nothing_known").sum()
    assert covered["calculated"].sum() == rows.height - nothing


def test_totals_by_hand() -> None:
    rows = activity_rows(
        {**POWER, "amount": 100.0},
        {**POWER, "amount": 10.0, "entity": "F"},
        {"scope": 1, "category": "fugitive", "activity": "leak", "unit": "kg", "amount": 2.0},
        {"scope": 1, "category": "fugitive", "activity": "wood", "unit": "kg", "amount": 10.0},
        {"scope": 3, "category": "c01", "activity": "goods", "unit": "CNY", "amount": 10.0},
    )
    lines = calculate(rows, FACTORS).lines
    leak_kg = 2 * 1300
    assert totals(lines).select("scope", "method", "lines", "co2e_kg", "biogenic_kg").rows() == [
        ("1", None, 1, leak_kg, 17.0),
        ("1+2", "location", 3, leak_kg + 110 * 0.5, 17.0),
        ("1+2", "market", 3, leak_kg + 110 * 0.75, 17.0),
        ("2", "location", 2, 110 * 0.5, None),
        ("2", "market", 2, 110 * 0.75, None),
        ("3", None, 1, 3.0, None),
    ]
    # F has no line of scope 1: nothing is known of it, and no sum of both is told.
    of_f = totals(lines, ["entity"]).filter(pl.col("entity") == "F")
    assert of_f.select("scope", "method", "co2e_mg").rows() == [
        ("2", "location", 5_000_000),
        ("2", "market", 7_500_000),
    ]


def test_unlike_lines_are_not_added() -> None:
    rows = activity_rows({**POWER, "amount": 100.0})
    older, newer = (calculate(rows, FACTORS, gwp_set=name).lines for name in ("AR5GWP100", "AR6GWP100"))
    with pytest.raises(UnlikeLines, match="AR5GWP100 and AR6GWP100"):
        totals(pl.concat([older, newer]))
    with pytest.raises(UnlikeLines, match="colour"):
        totals(older, ["colour"])


def test_a_total_beyond_64_bits_is_refused_and_a_large_one_is_exact() -> None:
    lines = calculate(activity_rows({**POWER, "amount": 1.0}), FACTORS, methods=("location",)).lines
    large = pl.concat([lines.with_columns(co2e_kg=pl.lit(value)) for value in (9.0e12, 1e-6)])
    assert totals(large)["co2e_mg"].to_list() == [9 * 10**18 + 1]
    with pytest.raises(TotalTooLarge):
        totals(pl.concat([large, large]))
