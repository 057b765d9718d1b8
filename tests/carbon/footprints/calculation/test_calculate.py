from datetime import date
from typing import Any

import polars as pl
import pytest

from carbon.footprints.calculate import Calculation, calculate
from carbon.footprints.gwp import UnknownGwpSet
from carbon.footprints.quality import UnknownGrouping, check_grouping
from carbon.footprints.schemas import lines_schema
from carbon.footprints.totals import UnlikeLines, calculated_share, totals

from .frames import GRID, POWER, RESIDUAL, activity_rows, factor_rows

CLINKER: dict[str, Any] = {"scope": 1, "category": "process", "activity": "clinker", "unit": "t"}
CLINKER_FACTOR = factor_rows(
    {"factor_id": "clinker", "activity": "clinker", "value": 0.5, "numerator": "t", "denominator": "t"}
)


def co2e(calculation: Calculation, method: str | None = None) -> list[float]:
    chosen = calculation.lines.filter(pl.col("method").eq_missing(method))
    return chosen["co2e_kg"].to_list()


def codes(calculation: Calculation) -> list[str]:
    return [problem.code for problem in calculation.problems]


def test_amount_times_factor_in_the_units_of_the_factor() -> None:
    found = calculate(activity_rows({**CLINKER, "amount": 2.0, "unit": "kt"}), CLINKER_FACTOR)
    # 2 kt = 2000 t, x 0.5 t CO2 per t = 1000 t
    assert co2e(found) == [1000 * 1000]
    line = found.lines.row(0, named=True)
    assert (line["factor_ids"], line["formula"], line["gwp"], line["gwp_set"]) == (
        ["clinker"],
        "amount x factor",
        1.0,
        "AR5GWP100",
    )
    assert (line["amount"], line["unit"], line["remarks"]) == (2.0, "kt", None)
    assert found.lines.schema == pl.Schema(lines_schema())
    assert found.problems == ()


def test_scope_2_is_told_by_location_and_by_market() -> None:
    found = calculate(activity_rows({**POWER, "amount": 100.0}), pl.concat([GRID, RESIDUAL]))
    assert co2e(found, "location") == [100 * 0.5]
    assert co2e(found, "market") == [100 * 0.75]
    assert found.lines.filter(pl.col("method") == "market")["remarks"].to_list() == ["residual_factor"]


def test_a_market_without_figures_equals_the_location_and_says_so() -> None:
    found = calculate(activity_rows({**POWER, "amount": 100.0}), GRID)
    assert co2e(found, "location") == co2e(found, "market") == [50.0]
    assert found.lines["remarks"].to_list() == [None, "market_equals_location"]


def test_a_contract_is_worth_its_own_factor_and_none_without_one() -> None:
    green = factor_rows(
        {"factor_id": "gec-7", "activity": "electricity", "value": 0.0, "denominator": "kWh", "method": "market"}
        | {"region": "nowhere", "series": "contract"}
    )
    rows = activity_rows(
        {**POWER, "amount": 100.0, "contract": "gec-7"}, {**POWER, "amount": 100.0, "contract": "lost"}
    )
    found = calculate(rows, pl.concat([GRID, RESIDUAL, green]))
    assert co2e(found, "location") == [50.0, 50.0]
    assert co2e(found, "market") == [0.0, 75.0]
    remarks = found.lines.filter(pl.col("method") == "market")["remarks"].to_list()
    assert remarks == ["contract_factor", "residual_factor; contract_without_factor"]


def test_the_contract_of_one_company_is_no_residual_mix_of_another() -> None:
    heat = {"scope": 2, "category": "heat", "activity": "heat", "unit": "GJ", "amount": 100.0}
    default = factor_rows({"factor_id": "heat", "activity": "heat", "value": 110.0, "denominator": "GJ"})
    green = factor_rows(
        {"factor_id": "geothermal", "activity": "heat", "value": 2.0, "denominator": "GJ", "method": "market"}
        | {"series": "contract"}
    )
    rows = activity_rows(
        {**heat, "contract": "geothermal"}, heat, {**heat, "method": "market", "series": "contract"}
    ).with_columns(entity=pl.Series(["E", "F", "G"]))
    found = calculate(rows, pl.concat([default, green]))
    # 100 GJ x 2 kg/GJ by contract or by the series that the row asks for, else 100 GJ x 110 kg/GJ as by location.
    assert co2e(found, "market") == [200.0, 11_000.0, 200.0]
    remarks = found.lines.filter(pl.col("method") == "market")["remarks"].to_list()
    assert remarks == ["contract_factor", "market_equals_location", "residual_factor"]


def test_a_supplier_s_factor_is_for_its_customer_in_its_time() -> None:
    own = factor_rows(
        {"factor_id": "supplier", "activity": "electricity", "value": 0.2, "denominator": "kWh", "method": "market"}
        | {"region": "E", "series": "supplier", "valid_from": date(2023, 1, 1), "valid_to": date(2023, 12, 31)}
    )
    earlier = {"period": "2022", "first_day": date(2022, 1, 1), "last_day": date(2022, 12, 31)}
    rows = activity_rows(
        {**POWER, "amount": 100.0}, {**POWER, "amount": 100.0, "entity": "F"}, {**POWER, "amount": 100.0, **earlier}
    )
    found = calculate(rows, pl.concat([GRID, RESIDUAL, own]))
    assert co2e(found, "market") == pytest.approx([20.0, 75.0, 75.0])
    assert co2e(found, "location") == [50.0, 50.0, 50.0]


def test_a_row_for_one_method_alone_and_methods_left_out() -> None:
    rows = activity_rows({**POWER, "amount": 1.0, "method": "market"}, {**POWER, "amount": 2.0, "method": "location"})
    found = calculate(rows, pl.concat([GRID, RESIDUAL]))
    assert co2e(found, "market") == [0.75]
    assert co2e(found, "location") == [1.0]
    only = calculate(activity_rows({**POWER, "amount": 1.0}), pl.concat([GRID, RESIDUAL]), methods=("location",))
    assert only.lines["method"].to_list() == ["location"]


def test_a_factor_by_location_that_the_row_names_is_not_its_figure_by_market() -> None:
    other = GRID.with_columns(factor_id=pl.lit("grid_reporting"), value=pl.lit(0.6), series=pl.lit("reporting"))
    rows = activity_rows({**POWER, "amount": 10.0, "factor_id": "grid_reporting"})
    found = calculate(rows, pl.concat([GRID, RESIDUAL, other]))
    assert co2e(found, "location") == [6.0]
    assert co2e(found, "market") == [7.5]
    bought = calculate(activity_rows({**POWER, "amount": 10.0, "factor_id": "residual"}), pl.concat([GRID, RESIDUAL]))
    assert co2e(bought, "location") == [5.0]
    assert co2e(bought, "market") == [7.5]


def test_gases_are_weighed_by_the_set_and_their_total_alone_counts() -> None:
    burning = {"activity": "burning", "denominator": "t"}
    parts = [
        {**burning, "factor_id": "burning-CH4", "gas": "CH4", "value": 2.0},
        {**burning, "factor_id": "burning-N2O", "gas": "N2O", "value": 1.0},
    ]
    row = activity_rows({"scope": 1, "category": "fugitive", "activity": "burning", "amount": 3.0, "unit": "t"})
    found = calculate(row, factor_rows(*parts))
    assert found.lines.select("gas", "emissions_kg", "co2e_kg").rows() == [
        # IPCC AR5: CH4 28, N2O 265
        ("CH4", 3 * 2.0, 3 * 2.0 * 28),
        ("N2O", 3 * 1.0, 3 * 1.0 * 265),
    ]
    # IPCC AR6: CH4 27.9, N2O 273
    newer = calculate(row, factor_rows(*parts), gwp_set="AR6GWP100")
    assert co2e(newer) == pytest.approx([3 * 2 * 27.9, 3 * 273])
    whole = {**burning, "factor_id": "burning-CO2e", "gas": "CO2e", "value": 321.0}
    together = calculate(row, factor_rows(*parts, whole))
    assert together.lines.select("gas", "co2e_kg", "gwp", "gwp_set").rows() == [("CO2e", 3 * 321.0, 1.0, None)]


def test_biogenic_co2_has_a_line_of_its_own() -> None:
    wood = {"activity": "wood", "denominator": "t", "gas": "CO2"}
    rows = factor_rows(
        {**wood, "factor_id": "wood-bio", "value": 1700.0, "biogenic": True},
        {**wood, "factor_id": "wood-fossil", "value": 15.0},
    )
    found = calculate(
        activity_rows({"scope": 3, "category": "c03", "activity": "wood", "amount": 2.0, "unit": "t"}), rows
    )
    assert found.lines.select("biogenic", "co2e_kg").rows() == [(False, 30.0), (True, 3400.0)]


def test_what_cannot_be_calculated_is_told_with_its_place() -> None:
    rows = activity_rows(
        {**CLINKER, "amount": 1.0, "activity": "unheard_of"},
        {**CLINKER, "amount": 1.0, "unit": "kWh"},
        {**CLINKER, "amount": None},
        {**CLINKER, "amount": float("nan")},
        {**CLINKER, "amount": -1.0},
        {**CLINKER, "amount": 1.0, "credit_note": True},
        {**CLINKER, "amount": 1.0, "factor_id": "no-such-factor"},
        {**CLINKER, "amount": 1.0, "activity": "strange"},
        {**CLINKER, "amount": 1.0},
    )
    strange = factor_rows({"factor_id": "xe", "activity": "strange", "gas": "Xe", "value": 1.0, "denominator": "t"})
    found = calculate(rows, pl.concat([CLINKER_FACTOR, strange]))
    assert [(problem.row, problem.code) for problem in found.problems] == [
        (2, "no_factor"),
        (3, "unit_mismatch"),
        (4, "no_amount"),
        (5, "no_amount"),
        (6, "negative_amount"),
        (7, "positive_credit_note"),
        (8, "unknown_factor"),
        (9, "unknown_gas"),
    ]
    assert "activity a0" in found.problems[0].found
    assert found.problems[1].found.startswith("kWh for the factor clinker")
    assert found.lines["activity_id"].to_list() == ["a8"]
    assert found.left_out["activity_id"].to_list() == [f"a{at}" for at in range(8)]
    assert found.activities == 9


def test_scope_2_without_any_factor_is_left_out_both_ways() -> None:
    found = calculate(activity_rows({**POWER, "amount": 1.0}), CLINKER_FACTOR)
    assert found.lines.is_empty()
    assert found.left_out["method"].to_list() == ["location", "market"]


def test_a_credit_note_takes_back_exactly_what_was_counted() -> None:
    rows = activity_rows({**CLINKER, "amount": 7.0}, {**CLINKER, "amount": -7.0, "credit_note": True})
    found = calculate(rows, CLINKER_FACTOR)
    assert co2e(found) == [3500.0, -3500.0]


def test_a_corrected_row_does_not_count_beside_its_correction() -> None:
    rows = activity_rows(
        {**CLINKER, "amount": 7.0},
        {**CLINKER, "amount": 8.0, "replaces": "a0"},
        {**CLINKER, "amount": 9.0, "replaces": "a1"},
    )
    found = calculate(rows, CLINKER_FACTOR)
    assert co2e(found) == [4500.0]
    assert found.activities == 1


def test_rows_of_one_id_are_refused_all() -> None:
    rows = activity_rows({**CLINKER, "amount": 7.0, "activity_id": "a"}, {**CLINKER, "amount": 8.0, "activity_id": "a"})
    found = calculate(rows, CLINKER_FACTOR)
    assert found.lines.is_empty()
    assert codes(found) == ["repeated_activity"] * 2


def test_the_share_counts_and_one_not_given_is_whole_and_said() -> None:
    rows = activity_rows({**CLINKER, "amount": 10.0, "share": 0.4}, {**CLINKER, "amount": 10.0, "share": None})
    found = calculate(rows, CLINKER_FACTOR)
    assert found.lines.select("emissions_kg", "co2e_kg", "share", "remarks").rows() == [
        (5000.0, 5000.0 * 0.4, 0.4, None),
        (5000.0, 5000.0, 1.0, "share_assumed"),
    ]


def test_factors_are_those_known_by_the_day() -> None:
    newer = CLINKER_FACTOR.with_columns(
        factor_id=pl.lit("clinker-2"), replaces=pl.lit("clinker"), value=pl.lit(0.6), recorded=date(2025, 5, 1)
    )
    both = pl.concat([CLINKER_FACTOR, newer])
    rows = activity_rows({**CLINKER, "amount": 1.0})
    assert co2e(calculate(rows, both, as_of=date(2025, 4, 30))) == [500.0]
    assert co2e(calculate(rows, both)) == [600.0]
    # Where that day is the reason, it is named.
    (problem,) = calculate(rows, both, as_of=date(2023, 12, 31)).problems
    assert "a factor recorded by 2023-12-31 for it" in problem.expected


def test_ranges_of_amount_and_factor_combine_in_quadrature() -> None:
    factor = CLINKER_FACTOR.with_columns(lower=pl.lit(0.5 * (1 - 0.03)), upper=pl.lit(0.5 * (1 + 0.06)))
    rows = activity_rows({**CLINKER, "amount": 100.0, "lower": 96.0, "upper": 108.0}, {**CLINKER, "amount": 100.0})
    found = calculate(rows, factor).lines
    # sqrt(3^2 + 4^2) = 5, sqrt(6^2 + 8^2) = 10
    assert found["relative_low"].to_list() == pytest.approx([0.05, 0.03])
    assert found["relative_high"].to_list() == pytest.approx([0.10, 0.06])
    bare = calculate(activity_rows({**CLINKER, "amount": 100.0}), CLINKER_FACTOR).lines
    assert bare.select("relative_low", "relative_high").row(0) == (None, None)


def test_an_assumed_factor_and_a_wider_region_are_said() -> None:
    assumed = CLINKER_FACTOR.with_columns(assumed=True)
    found = calculate(activity_rows({**CLINKER, "amount": 1.0}), assumed)
    assert found.lines["remarks"].to_list() == ["assumed_factor"]
    nowhere = calculate(activity_rows({**CLINKER, "amount": 1.0, "region": None}), CLINKER_FACTOR)
    assert nowhere.lines.is_empty()
    assert "unknown region" in nowhere.problems[0].found


def test_the_city_gives_the_region() -> None:
    hubei = GRID.with_columns(region=pl.lit("420000"), value=pl.lit(0.4), factor_id=pl.lit("hubei"))
    rows = activity_rows({**POWER, "amount": 10.0, "region": None, "hub": "wuhan"}, {**POWER, "amount": 10.0})
    found = calculate(rows, pl.concat([GRID, hubei]), methods=("location",))
    assert co2e(found, "location") == [4.0, 5.0]


def test_emissions_that_no_total_can_hold_are_left_out_and_the_others_count() -> None:
    rows = [{**CLINKER, "amount": amount} for amount in (1e308, 2.0, 1e11)]
    found = calculate(activity_rows(*rows), CLINKER_FACTOR)
    # 64 bits hold 2**63 - 1 mg = 9.2 thousand million t; the third is 1e11 t x 0.5
    assert co2e(found) == [2 * 0.5 * 1000]
    assert found.left_out.select("activity_id", "code", "file", "row").rows() == [
        ("a0", "too_large", "x.csv", 2),
        ("a2", "too_large", "x.csv", 4),
    ]
    assert totals(found.lines)["co2e_kg"].to_list() == [1000.0]


@pytest.mark.parametrize("by", [["gas", "gas"], ["nothing"]])
def test_a_group_twice_or_unknown_is_refused(by: list[str]) -> None:
    found = calculate(activity_rows({**CLINKER, "amount": 2.0}), CLINKER_FACTOR)
    with pytest.raises(UnlikeLines, match="each once"):
        totals(found.lines, by)
    with pytest.raises(UnlikeLines, match="each once"):
        calculated_share(found.lines, found.left_out, by)
    with pytest.raises(UnknownGrouping, match="each once"):
        check_grouping(found.lines, by)


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(UnknownGwpSet):
        calculate(activity_rows({**CLINKER, "amount": 1.0}), CLINKER_FACTOR, gwp_set="AR9GWP100")


def test_no_activities_give_no_lines() -> None:
    found = calculate(activity_rows(), CLINKER_FACTOR)
    assert (found.lines.height, found.left_out.height, found.problems) == (0, 0, ())
