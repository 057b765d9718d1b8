"""Factors applied to totals: every figure by hand, reasons where there is none, and no row read for a new factor."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.footprints.bulk.emissions import add_emissions, emissions_schema
from carbon.footprints.bulk.sums import totals_schema
from carbon.footprints.factors import embedded_factors
from carbon.footprints.persons.methods import embedded_methods, method_schema
from carbon.footprints.schemas import factors_schema

G = 10**6  # micrograms
NO_FACTORS = pl.DataFrame(schema=factors_schema())


def total(hub: str, month: str, activity: str, unit: str, amount_milli: int) -> pl.DataFrame:
    row = (hub, month, activity, unit, 2, amount_milli, amount_milli / 1000, 1, 1)
    return pl.DataFrame([row], schema=totals_schema(), orient="row")


def method(
    name: str,
    *,
    baseline_g: int = 100,
    activity_g: int = 30,
    first: date = date(2024, 1, 1),
    last: date | None = None,
    region: str | None = None,
    unit: str = "pkm",
) -> pl.DataFrame:
    schema = method_schema()
    row = {
        **dict.fromkeys(schema),
        **{"method": name, "valid_from": first, "valid_to": last, "activity": "bus", "region": region, "unit": unit},
        **{"baseline_ug": baseline_g * G, "activity_ug": activity_g * G},
    }
    return pl.DataFrame([row], schema=schema)


def figures(
    totals: pl.DataFrame, methods: list[pl.DataFrame], factors: pl.DataFrame = NO_FACTORS
) -> list[tuple[object, ...]]:
    known = pl.concat(methods) if methods else pl.DataFrame(schema=method_schema())
    found = add_emissions(totals, methods=known, factors=factors, gwp_set="AR5GWP100")
    assert found.columns == [*totals.columns, *emissions_schema()]
    assert found.select(totals.columns).equals(totals)
    return found.select("basis", "co2e_kg", "baseline_kg", "reduction_kg", "remarks").rows()


def near(*values: float) -> list[object]:
    return [pytest.approx(value, rel=1e-12) for value in values]


def test_amount_times_factor_and_what_is_saved() -> None:
    bus = total("wuhan", "2024-05", "bus", "pkm", 12_500)
    (row,) = figures(bus, [method("m")])
    assert list(row) == ["method", *near(12.5 * 0.030, 12.5 * 0.100, 12.5 * (0.100 - 0.030)), None]


def test_an_act_that_emits_more_than_its_baseline_saves_nothing() -> None:
    (row,) = figures(total("wuhan", "2024-05", "bus", "pkm", 1000), [method("m", baseline_g=20, activity_g=30)])
    assert list(row) == ["method", *near(0.030, 0.020, 0.0), None]


def test_units_of_one_kind_are_converted_and_others_refused() -> None:
    (row,) = figures(total("wuhan", "2024-05", "bus", "km", 3000), [method("m", unit="m", activity_g=1)])
    assert row[1] == pytest.approx(3 * 1000 * 0.001, rel=1e-12)
    assert figures(total("wuhan", "2024-05", "bus", "kWh", 3000), [method("m")]) == [
        (None, None, None, None, "no_factor")
    ]


def test_the_narrowest_region_counts_and_two_of_one_are_unclear() -> None:
    bus = total("wuhan", "2024-05", "bus", "pkm", 1000)
    anywhere, china = method("a", activity_g=1), method("b", activity_g=2, region="CN")
    hubei, wuhan = method("c", activity_g=3, region="420000"), method("d", activity_g=4, region="420100")
    beijing = method("e", activity_g=5, region="110000")
    assert figures(bus, [beijing]) == [(None, None, None, None, "no_factor")]
    for known, grams in (([anywhere], 1), ([anywhere, china], 2), ([hubei, china], 3), ([wuhan, hubei, beijing], 4)):
        assert figures(bus, known)[0][1] == pytest.approx(grams / 1000, rel=1e-12)
    twice = figures(bus, [hubei, method("f", region="420000")])
    assert twice == [(None, None, None, None, "several_methods")]


@pytest.mark.parametrize(
    ("month", "grams", "remark"),
    [
        ("2024-01", None, "no_factor"),
        ("2024-02", 30, None),
        ("2024-05", None, "changes_within_month"),
        ("2024-06", 20, None),
        ("2024-07", None, "changes_within_month"),
        ("2024-08", None, "no_factor"),
    ],
)
def test_a_method_counts_for_whole_months_only(month: str, grams: int | None, remark: str | None) -> None:
    rows = [
        method("m", first=date(2024, 2, 1)),
        method("m", first=date(2024, 5, 16), last=date(2024, 7, 30), activity_g=20),
    ]
    (found,) = figures(total("wuhan", month, "bus", "pkm", 1000), rows)
    assert found[1] == (None if grams is None else pytest.approx(grams / 1000, rel=1e-12))
    assert found[4] == remark


def test_what_has_no_method_gets_its_factor_as_any_footprint_does() -> None:
    grid = embedded_factors().filter(factor_id="cn-grid_average-2023-420000")
    (kg_per_kwh,) = grid["value"]
    (row,) = figures(total("wuhan", "2023-05", "electricity", "MWh", 2500), [], embedded_factors())
    assert list(row) == ["factor", pytest.approx(2.5 * 1000 * kg_per_kwh, rel=1e-12), None, None, None]
    later = figures(total("wuhan", "2031-05", "electricity", "kWh", 1000), [], embedded_factors())
    assert later[0][4] == "period_fallback"


@pytest.mark.parametrize(
    ("hub", "activity", "unit", "remark"),
    [
        ("wuhan", "juggling", "km", "no_factor"),
        ("atlantis", "electricity", "kWh", "unknown_region"),
        ("wuhan", "electricity", "km", "unit_mismatch"),
    ],
)
def test_without_a_figure_there_is_a_reason_and_no_zero(hub: str, activity: str, unit: str, remark: str) -> None:
    found = figures(total(hub, "2023-05", activity, unit, 1000), [], embedded_factors())
    assert found == [(None, None, None, None, remark)]


def test_gases_are_weighed_and_biogenic_ones_left_out() -> None:
    grid = embedded_factors().filter(factor_id="cn-grid_average-2023-420000")
    gases = [("CO2", 0.5, False), ("CH4", 0.001, False), ("CO2", 7.0, True)]
    rows = pl.concat(
        grid.with_columns(
            factor_id=pl.lit(f"x:{number}"), gas=pl.lit(gas), value=pl.lit(value), biogenic=pl.lit(biogenic)
        )
        for number, (gas, value, biogenic) in enumerate(gases)
    )
    totals = total("wuhan", "2023-05", "electricity", "kWh", 2000)
    (row,) = figures(totals, [], rows)
    # CH4 counts 28 in the Fifth Assessment Report (IPCC 2013, table 8.A.1).
    assert row[1] == pytest.approx(2 * (0.5 + 0.001 * 28), rel=1e-12)


@given(amounts=st.lists(st.integers(0, 10**12), min_size=1, max_size=5), grams=st.integers(0, 10**6))
def test_emissions_are_linear_in_amount_and_factor(amounts: list[int], grams: int) -> None:
    known = [method("m", baseline_g=2 * grams, activity_g=grams)]
    rows = [total("wuhan", "2024-05", "bus", "pkm", one) for one in (*amounts, sum(amounts))]
    *parts, whole = figures(pl.concat(rows), known)
    for place in (1, 2, 3):
        assert whole[place] == pytest.approx(sum(float(str(part[place])) for part in parts), rel=1e-9)
    assert whole[1] == pytest.approx(sum(amounts) / 1000 * grams / 1000, rel=1e-12)


def test_embedded_methods_give_beijing_its_bus() -> None:
    found = add_emissions(
        total("beijing", "2024-10", "bus", "pkm", 10_000),
        methods=embedded_methods(),
        factors=embedded_factors(),
        gwp_set="AR5GWP100",
    )
    # 104 and 52 g per person-kilometre, as the embedded rows have them with their source.
    assert found["reduction_kg"].to_list() == near(10 * (104 - 52) / 1000)
    assert found["factor_ids"].to_list() == [["bj-bus from 2024-10-01"]]


def test_no_totals_give_no_rows() -> None:
    found = add_emissions(
        pl.DataFrame(schema=totals_schema()),
        methods=embedded_methods(),
        factors=embedded_factors(),
        gwp_set="AR5GWP100",
    )
    assert found.is_empty()
    assert found.schema == {**totals_schema(), **emissions_schema()}
