from datetime import date
from typing import Any

import polars as pl
import pytest

from carbon.footprints.calculate import calculate
from carbon.footprints.combustion import combustion_rules

from .frames import SCOPE_1, activity_rows, factor_rows, fuel, month

COAL: dict[str, Any] = {**SCOPE_1, "activity": "coal", "unit": "t"}
DEFAULTS = fuel("coal", 20.0, 0.03, 0.98)


def measured(months: dict[int, float], parameter: str = "carbon_content", **more: Any) -> pl.DataFrame:
    """What entity E measured, a factor a month: t/GJ of carbon, or GJ/t."""
    units = {"carbon_content": ("C", "t", "GJ"), "net_calorific_value": (None, "GJ", "t")}
    gas, numerator, denominator = units[parameter]
    return factor_rows(
        *(
            {
                **{"factor_id": f"m-{parameter}-{number:02}", "activity": "coal", "parameter": parameter, "gas": gas},
                **{"value": value, "numerator": numerator, "denominator": denominator, "region": "E"},
                **{"series": "measured", "valid_from": span["first_day"], "valid_to": span["last_day"], **more},
            }
            for number, value in months.items()
            for span in [month(number)]
        )
    )


def test_amount_times_energy_times_carbon_times_oxidation() -> None:
    (line,) = calculate(activity_rows({**COAL, "amount": 100.0}), DEFAULTS).lines.iter_rows(named=True)
    assert line["emissions_kg"] == pytest.approx(100 * 20 * 0.03 * 0.98 * 44 / 12 * 1000, rel=1e-14)
    assert line["factor_ids"] == ["net_calorific_value-coal", "carbon_content-coal", "oxidation-coal"]
    assert line["formula"] == "amount x NCV x carbon x oxidation x 44/12"
    assert (line["gas"], line["remarks"]) == ("CO2", "default_used")


def test_energy_needs_no_calorific_value() -> None:
    (line,) = calculate(activity_rows({**COAL, "amount": 50.0, "unit": "TJ"}), DEFAULTS).lines.iter_rows(named=True)
    assert line["emissions_kg"] == pytest.approx(50_000 * 0.03 * 0.98 * 44 / 12 * 1000, rel=1e-14)
    assert line["factor_ids"] == ["carbon_content-coal", "oxidation-coal"]
    assert line["formula"] == "amount x carbon x oxidation x 44/12"


def test_carbon_by_mass_needs_none_either() -> None:
    by_mass = factor_rows(
        {"factor_id": "c", "activity": "coal", "parameter": "carbon_content", "gas": "C", "value": 0.6}
        | {"numerator": "t", "denominator": "t"}
    )
    (line,) = calculate(activity_rows({**COAL, "amount": 10.0}), by_mass).lines.iter_rows(named=True)
    assert line["emissions_kg"] == pytest.approx(10 * 0.6 * 44 / 12 * 1000, rel=1e-14)
    assert "oxidation_assumed" in line["remarks"]


def test_a_fuel_without_calorific_value_or_in_another_unit_is_left_out() -> None:
    without = DEFAULTS.filter(pl.col("parameter") != "net_calorific_value")
    assert [p.code for p in calculate(activity_rows({**COAL, "amount": 1.0}), without).problems] == [
        "no_calorific_value"
    ]
    gas = activity_rows({**COAL, "amount": 1.0, "unit": "Nm3"})
    assert [p.code for p in calculate(gas, DEFAULTS).problems] == ["unit_mismatch"]


def test_factors_of_other_gases_come_beside_through_the_calorific_value() -> None:
    more = factor_rows(
        *(
            {"factor_id": f"coal-{gas}", "activity": "coal", "gas": gas, "value": value, "denominator": "TJ"}
            for gas, value in (("CH4", 1.0), ("N2O", 1.5), ("CO2", 94_600.0))
        )
    )
    found = calculate(activity_rows({**COAL, "amount": 1000.0}), pl.concat([DEFAULTS, more])).lines
    # 1000 t x 20 GJ/t = 20 TJ; the CO2 comes of the carbon, not of the factor
    assert dict(found.select("gas", "emissions_kg").iter_rows()) == pytest.approx(
        {"CH4": 20 * 1.0, "N2O": 20 * 1.5, "CO2": 20_000 * 0.03 * 0.98 * 44 / 12 * 1000}
    )
    methane = found.filter(pl.col("gas") == "CH4").row(0, named=True)
    assert methane["factor_ids"] == ["net_calorific_value-coal", "coal-CH4"]
    assert methane["formula"] == "amount x NCV x factor"


def test_a_factor_of_the_region_goes_before_carbon_of_the_whole_world() -> None:
    world = DEFAULTS.with_columns(region=pl.lit("World"))
    own = factor_rows(
        {"factor_id": "cn", "activity": "coal", "gas": "CO2e", "value": 1.9, "numerator": "t"} | {"denominator": "t"}
    )
    found = calculate(activity_rows({**COAL, "amount": 10.0}), pl.concat([world, own])).lines
    assert found.select("gas", "co2e_kg").rows() == [("CO2e", 19_000.0)]
    both = calculate(activity_rows({**COAL, "amount": 10.0}), pl.concat([DEFAULTS, own])).lines
    assert both["gas"].to_list() == ["CO2"]


def test_a_process_goes_by_its_factor_before_its_carbon() -> None:
    limestone = {"scope": 1, "category": "process", "activity": "limestone", "unit": "t", "amount": 10.0}
    carbon = factor_rows(
        {"factor_id": "c", "activity": "limestone", "parameter": "carbon_content", "gas": "C", "value": 0.12}
        | {"numerator": "t", "denominator": "t"}
    )
    own = factor_rows({"factor_id": "f", "activity": "limestone", "value": 0.44, "numerator": "t", "denominator": "t"})
    assert calculate(activity_rows(limestone), carbon).lines["emissions_kg"].to_list() == pytest.approx(
        [10 * 0.12 * 44 / 12 * 1000]
    )
    assert calculate(activity_rows(limestone), pl.concat([carbon, own])).lines["emissions_kg"].to_list() == [4400.0]


def test_a_factor_that_the_row_names_decides_the_formula() -> None:
    own = factor_rows({"factor_id": "named", "activity": "coal", "value": 2.0, "numerator": "t", "denominator": "t"})
    both = pl.concat([DEFAULTS, own])
    named = calculate(activity_rows({**COAL, "amount": 1.0, "factor_id": "named"}), both).lines
    assert named.select("emissions_kg", "formula", "remarks").rows() == [(2000.0, "amount x factor", "forced_factor")]
    carbon = calculate(activity_rows({**COAL, "amount": 1.0, "factor_id": "carbon_content-coal"}), both).lines
    assert carbon["formula"].to_list() == ["amount x NCV x carbon x oxidation x 44/12"]


def carbon_of(found: pl.DataFrame) -> dict[str, float]:
    """The carbon content behind each row's figure, from the figure itself."""
    content = pl.col("emissions_kg") / (pl.col("amount") * 20 * 0.98 * 44 / 12 * 1000)
    return dict(found.select("period", content).iter_rows())


def test_two_measured_months_are_too_few_for_the_others() -> None:
    rows = activity_rows(*({**COAL, "amount": 10.0, **month(number)} for number in (1, 2, 3)))
    found = calculate(rows, pl.concat([DEFAULTS, measured({1: 0.025, 2: 0.027})])).lines
    assert carbon_of(found) == pytest.approx({"2023-01": 0.025, "2023-02": 0.027, "2023-03": 0.03})
    used = found.sort("period").select("remarks", pl.col("factor_ids").list.get(1)).rows()
    # The calorific value is a default in all three.
    assert used == [
        ("default_used", "m-carbon_content-01"),
        ("default_used", "m-carbon_content-02"),
        ("default_used", "carbon_content-coal"),
    ]


def test_three_measured_months_stand_in_for_the_others() -> None:
    rows = activity_rows(*({**COAL, "amount": 10.0, **month(number)} for number in (1, 2, 3, 4)))
    months = measured({1: 0.025, 2: 0.027, 3: 0.032})
    found = calculate(rows, pl.concat([DEFAULTS, months])).lines
    mean = (0.025 + 0.027 + 0.032) / 3
    assert carbon_of(found) == pytest.approx({"2023-01": 0.025, "2023-02": 0.027, "2023-03": 0.032, "2023-04": mean})
    last = found.filter(pl.col("period") == "2023-04").row(0, named=True)
    assert last["factor_ids"][1:-1] == [f"m-carbon_content-0{number}" for number in (1, 2, 3)]
    assert "mean_of_measured_months" in last["remarks"]
    # Months of another year are no months of this one.
    other = activity_rows({**COAL, "amount": 10.0, **month(4, 2022)})
    assert carbon_of(calculate(other, pl.concat([DEFAULTS, months])).lines) == pytest.approx({"2022-04": 0.03})


def test_a_whole_year_takes_the_mean_of_its_months() -> None:
    rows = activity_rows({**COAL, "amount": 10.0})
    every = measured({number: 0.024 + number / 1000 for number in range(1, 13)})
    found = calculate(rows, pl.concat([DEFAULTS, every])).lines
    assert carbon_of(found) == pytest.approx({"2023": sum(0.024 + number / 1000 for number in range(1, 13)) / 12})
    assert found["remarks"].to_list() == ["default_used; mean_of_months; plain_mean_assumed"]
    eleven = every.filter(pl.col("factor_id") != "m-carbon_content-12")
    # Enough months for the rule on missing ones: the mean of the eleven.
    few = calculate(rows, pl.concat([DEFAULTS, eleven])).lines
    assert carbon_of(few) == pytest.approx({"2023": sum(0.024 + number / 1000 for number in range(1, 12)) / 11})


def test_a_mean_of_months_is_weighted_by_what_was_used_in_them() -> None:
    """A quarter by three months of 10, 30 and 60 t; carbon per energy is weighted by amount x calorific value."""
    used = {1: 10.0, 2: 30.0, 3: 60.0}
    quarter = {**COAL, "amount": 100.0, "period": "2023-Q1", "first_day": date(2023, 1, 1)}
    quarter |= {"last_day": date(2023, 3, 31)}
    monthly = ({**COAL, "amount": amount, **month(number)} for number, amount in used.items())
    values, carbon = {1: 20.0, 2: 22.0, 3: 24.0}, {1: 0.025, 2: 0.027, 3: 0.032}
    rows = activity_rows(quarter, *monthly)
    own = [measured(values, "net_calorific_value"), measured(carbon)]
    found = calculate(rows, pl.concat([DEFAULTS, *own])).lines.sort("period")
    energy = {number: used[number] * values[number] for number in used}
    ncv = sum(energy.values()) / 100
    content = sum(energy[number] * carbon[number] for number in used) / sum(energy.values())
    whole = found.filter(pl.col("period") == "2023-Q1").row(0, named=True)
    assert whole["emissions_kg"] == pytest.approx(100 * ncv * content * 0.98 * 44 / 12 * 1000)
    assert "weighted_by_amount" in whole["remarks"]
    assert "plain_mean_assumed" not in whole["remarks"]
    # So weighted, the quarter is what its months are together.
    assert whole["emissions_kg"] == pytest.approx(
        found.filter(pl.col("period") != "2023-Q1")["emissions_kg"].sum(), rel=1e-12
    )
    # Without the amount of one month nothing can be weighed.
    plain = calculate(rows.head(3), pl.concat([DEFAULTS, *own])).lines.filter(pl.col("period") == "2023-Q1")
    assert plain["emissions_kg"].to_list() == pytest.approx(
        [100 * 22 * sum(carbon.values()) / 3 * 0.98 * 44 / 12 * 1000]
    )
    assert "plain_mean_assumed" in plain["remarks"][0]


def test_a_missing_month_takes_the_weighted_mean_of_the_measured_ones() -> None:
    used, carbon = {1: 10.0, 2: 30.0, 3: 60.0}, {1: 0.025, 2: 0.027, 3: 0.032}
    rows = activity_rows(*({**COAL, "amount": amount, **month(at)} for at, amount in {**used, 4: 5.0}.items()))
    found = calculate(rows, pl.concat([DEFAULTS, measured(carbon)])).lines
    # The calorific value is one default for all months, so that the amounts alone weigh.
    mean = sum(used[number] * carbon[number] for number in used) / 100
    assert carbon_of(found)["2023-04"] == pytest.approx(mean)
    # In kilograms, in any order, and in two rows a month it is the same.
    parts = [{**COAL, "amount": 500 * amount, "unit": "kg", **month(at)} for at, amount in used.items()]
    again = calculate(
        activity_rows({**COAL, "amount": 5.0, **month(4)}, *parts[::-1], *parts),
        pl.concat([DEFAULTS, measured(carbon)]),
    ).lines
    assert carbon_of(again.filter(pl.col("period") == "2023-04"))["2023-04"] == pytest.approx(mean)


def test_months_of_amounts_in_unlike_units_are_not_weighed() -> None:
    carbon = {1: 0.025, 2: 0.027, 3: 0.032}
    rows = activity_rows(
        *({**COAL, "amount": 10.0 * at, **month(at)} for at in (1, 2, 3, 4)),
        {**COAL, "amount": 5.0, "unit": "GJ", **month(2)},
    )
    found = calculate(rows, pl.concat([DEFAULTS, measured(carbon)])).lines
    last = found.filter(pl.col("period") == "2023-04")
    assert carbon_of(last)["2023-04"] == pytest.approx(sum(carbon.values()) / 3)
    assert "plain_mean_assumed" in last["remarks"][0]


def test_calorific_values_have_no_rule_on_missing_months() -> None:
    rows = activity_rows({**COAL, "amount": 10.0, **month(1)}, {**COAL, "amount": 10.0, **month(5)})
    months = measured({1: 21.0, 2: 22.0, 3: 23.0}, "net_calorific_value")
    found = calculate(rows, pl.concat([DEFAULTS, months])).lines
    assert found["emissions_kg"].to_list() == pytest.approx(
        [10 * ncv * 0.03 * 0.98 * 44 / 12 * 1000 for ncv in (21, 20)]
    )


def test_another_plant_s_measurements_are_not_taken() -> None:
    rows = activity_rows({**COAL, "amount": 10.0, "entity": "F", **month(1)})
    found = calculate(rows, pl.concat([DEFAULTS, measured({1: 0.025})])).lines
    assert carbon_of(found) == pytest.approx({"2023-01": 0.03})


def test_measured_in_other_units_is_the_same() -> None:
    rows = activity_rows({**COAL, "amount": 10.0})
    per_tj = measured(dict.fromkeys(range(1, 7), 25.0), denominator="TJ")
    per_gj = measured(dict.fromkeys(range(7, 13), 0.027))
    found = calculate(rows, pl.concat([DEFAULTS, per_tj, per_gj])).lines
    assert carbon_of(found) == pytest.approx({"2023": (0.025 + 0.027) / 2})


def test_a_corrected_measurement_gives_way() -> None:
    old = measured({1: 0.025})
    new = old.with_columns(
        factor_id=pl.lit("better"), replaces="factor_id", value=pl.lit(0.026), recorded=date(2024, 6, 1)
    )
    rows = activity_rows({**COAL, "amount": 10.0, **month(1)})
    every = pl.concat([DEFAULTS, old, new])
    assert carbon_of(calculate(rows, every).lines) == pytest.approx({"2023-01": 0.026})
    assert carbon_of(calculate(rows, every, as_of=date(2024, 5, 31)).lines) == pytest.approx({"2023-01": 0.025})


def test_rules_are_data_with_a_source() -> None:
    rules = combustion_rules()
    assert rules.filter(pl.col("rule") == "least_measured_months")["value"].to_list() == [3.0]
    assert rules["source"].null_count() == 0
    assert set(rules["confidence"]) <= {"H", "M", "L"}
