"""Units: goldens worked by hand, and properties of the formulas."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.rules.allocation import allocate_unit
from carbon.rules.book import load_rules, rules_for
from carbon.rules.corrections import MissingFigure, correct
from carbon.rules.lines import printed, total_t
from carbon.rules.selection import NoRule, find_rules
from carbon.rules.units import IndustrialUnit, PowerUnit

RULES = load_rules()
YEARS = {year: rules_for(RULES, "CN", year) for year in range(2018, 2027)}
DRAFTS = {year: rules_for(RULES, "CN", year, drafts=True) for year in range(2018, 2027)}
CLASSES = ["coal_gt300MW", "coal_le300MW", "coal_unconventional", "gas"]


def allocated(unit, *, drafts=False):
    return allocate_unit(unit, (DRAFTS if drafts else YEARS)[unit.year], RULES)


def factor(unit, item):
    rule = find_rules(YEARS[unit.year], "correction", item=item, unit_class=unit.unit_class)[0]
    return correct(unit, rule).value


def test_golden_of_2024_at_full_load(make_unit):
    found = allocated(make_unit(load_factor="0.65"))
    assert found.allocation_t == 791_000 + 51_650 == 842_650
    assert {line.what: line.value for line in found.lines if line.adds} == {
        "electricity": Decimal(1_000_000) * Decimal("0.7910"),
        "heat": Decimal(500_000) * Decimal("0.1033"),
        "rounding": 0,
    }


def test_golden_of_2024_at_60_per_cent(make_unit):
    found = allocated(make_unit(load_factor="0.60"))
    exact = Decimal("1.015") ** 4
    assert round(exact, 7) == Decimal("1.0613636")
    (line,) = [line for line in found.lines if line.what == "peak_shaving"]
    assert line.value == exact
    assert line.formula == "1.015^(16 - 20 × 0.6)"
    # 791,000 x 1.061363550625 + 51,650 = 891,188.568544375
    assert found.allocation_t == round(791_000 * exact + 51_650) == 891_189


def test_2019_by_hand(make_unit):
    unit = make_unit(year=2019, cooling="air", load_factor="0.82", heat_gj=0, heat_ratio=0)
    # 940,000 x 0.877 x 1.05 x 1 x (1 + 0.0014 x 3)
    exact = Decimal(940_000) * Decimal("0.877") * Decimal("1.05") * Decimal("1.0042")
    assert allocated(unit).allocation_t == round(exact) == 869_235


def test_2022_gas_by_hand(make_unit):
    unit = make_unit(year=2022, unit_class="gas", heat_ratio="0.25", verified_t=0)
    # 940,000 x 0.3901 x (1 - 0.6 x 0.25) + 500,000 x 0.0557
    assert allocated(unit).allocation_t == round(940_000 * Decimal("0.3901") * Decimal("0.85")) + 27_850 == 339_540


def test_the_basis_is_net_supply_until_2022_and_gross_generation_from_2023(make_unit):
    for year in range(2019, 2025):
        missing = "net_supply_mwh" if year <= 2022 else "gross_generation_mwh"
        other = "gross_generation_mwh" if year <= 2022 else "net_supply_mwh"
        with pytest.raises(MissingFigure, match=f"no {missing}"):
            allocated(make_unit(year=year, **{missing: None}))
        assert allocated(make_unit(year=year, **{other: None})).allocation_t > 0


def test_the_load_correction_is_continuous_at_85_80_and_75_per_cent(make_unit):
    """At 85 %: 1 = 1 + 0.0014 x 0; at 80 %: 1 + 0.0014 x 5 = 1.007; at 75 %: 1.007 + 0.0016 x 5 = 1.015 = 1.015^1."""
    for edge, value in [("0.85", "1"), ("0.80", "1.007"), ("0.75", "1.015")]:
        at = make_unit(year=2019, heat_gj=0, load_factor=edge)
        below = make_unit(year=2019, heat_gj=0, load_factor=Decimal(edge) - Decimal("1e-9"))
        assert factor(at, "load") == Decimal(value)
        assert abs(factor(below, "load") - Decimal(value)) < Decimal("1e-6")


def test_the_peak_shaving_factor_jumps_at_65_per_cent(make_unit):
    """It is not continuous: just below 65 % it is 1.015^3, from 65 % on 1."""
    at = make_unit(load_factor="0.65")
    below = make_unit(load_factor=Decimal("0.65") - Decimal("1e-9"))
    assert factor(at, "peak_shaving") == 1
    assert abs(factor(below, "peak_shaving") - Decimal("1.015") ** 3) < Decimal("1e-6")


@pytest.mark.parametrize(
    ("load", "published"),
    [
        *[("0.45", "1.126"), ("0.40", "1.160"), ("0.30", "1.281"), ("0.20", "1.609"), ("0.10", "2.747")],
        *[("0.4999", "1.100"), ("0.50", "1"), ("1", "1")],
    ],
)
def test_the_drafts_factor_is_that_of_its_table_2(make_unit, load, published):
    rule = find_rules(DRAFTS[2025], "correction", item="peak_shaving")[0]
    assert rule.status == "draft"
    assert abs(correct(make_unit(load_factor=load), rule).value - Decimal(published)) < Decimal("0.0005")


def test_the_load_correction_of_2019_is_for_condensing_units_only(make_unit):
    assert factor(make_unit(year=2019, load_factor="0.5", heat_gj=1), "load") == 1
    assert factor(make_unit(year=2019, load_factor="0.5", heat_gj=0), "load") == Decimal("1.015") ** 6
    assert factor(make_unit(year=2021, load_factor="0.5", heat_gj=1), "load") == Decimal("1.015") ** 6


def test_cooling(make_unit):
    assert factor(make_unit(year=2020, cooling="air"), "cooling") == Decimal("1.05")
    assert factor(make_unit(year=2021, cooling="back_pressure"), "cooling") == 1
    with pytest.raises(NoRule, match="expected one of water, air"):
        factor(make_unit(year=2020, cooling="back_pressure"), "cooling")


@pytest.mark.parametrize("name", ["cooling", "heat_ratio", "load_factor"])
def test_a_missing_figure_is_never_taken_for_a_default(make_unit, name):
    with pytest.raises(MissingFigure, match=f"no {name}"):
        allocated(make_unit(year=2021, **{name: None}))


def test_corrections_are_those_of_the_class_and_year(make_unit):
    expected = {
        (2021, "coal_gt300MW"): ["cooling", "heat_supply", "load"],
        (2021, "coal_unconventional"): ["cooling", "heat_supply"],
        (2021, "gas"): ["heat_supply"],
        (2024, "coal_le300MW"): ["peak_shaving"],
        (2024, "coal_unconventional"): [],
        (2024, "gas"): [],
    }
    for (year, unit_class), items in expected.items():
        lines = allocated(make_unit(year=year, unit_class=unit_class)).lines
        assert [line.what for line in lines if line.unit == "1"] == items


def test_what_is_not_ruled_is_refused_by_name(make_unit):
    with pytest.raises(
        NoRule, match=r"class coal_gt300MW in 2025 .*2019-2020, 2021, 2022, 2023, 2024; drafts.*2025, 2026"
    ):
        allocated(make_unit(year=2025))
    with pytest.raises(NoRule, match="in 2018"):
        allocated(make_unit(year=2018))


def test_a_draft_is_used_when_asked_for_and_says_so(make_unit):
    found = allocated(make_unit(year=2025), drafts=True)
    assert {line.status for line in found.lines} == {"draft", "assumed"}
    assert found.allocation_t == round(Decimal(1_000_000) * Decimal("0.7902") + 500_000 * Decimal("0.1027"))


def test_a_gas_unit_is_topped_up_to_its_verified_emissions(make_unit):
    plain = allocated(make_unit(unit_class="gas", verified_t=0)).allocation_t
    assert allocated(make_unit(unit_class="gas", verified_t=plain + 7)).allocation_t == plain + 7
    assert allocated(make_unit(unit_class="gas", verified_t=plain - 7)).allocation_t == plain
    unknown = allocated(make_unit(unit_class="gas", verified_t=None))
    assert unknown.allocation_t == plain
    assert "no verified emissions" in unknown.notes[0]
    in_2019 = allocated(make_unit(year=2019, unit_class="gas", verified_t=10**9))
    assert "gas_top_up" not in [line.what for line in in_2019.lines]


def industrial(**changes):
    plain = {"entity": "S", "unit": "1", "unit_class": "steel", "year": 2024, "verified_t": 123_456}
    return IndustrialUnit.model_validate({**plain, **changes})


def test_industry_in_2024_receives_its_verified_emissions():
    for unit_class in ["steel", "cement", "cement_white", "aluminium"]:
        assert allocated(industrial(unit_class=unit_class)).allocation_t == 123_456
    with pytest.raises(MissingFigure, match="no verified_t"):
        allocated(industrial(verified_t=None))


def test_industry_in_2025_only_where_excepted():
    assert allocated(industrial(unit_class="cement_white", year=2025)).allocation_t == 123_456
    with pytest.raises(NoRule, match=r"class steel in 2025 .*expected one of the years 2024"):
        allocated(industrial(year=2025))


AMOUNTS = st.decimals(min_value=0, max_value=10**7, places=3, allow_nan=False)
SHARES = st.decimals(min_value=0, max_value=1, places=4, allow_nan=False)


@st.composite
def power_units(draw):
    return PowerUnit.model_validate(
        {
            "entity": "E",
            "unit": "1",
            "unit_class": draw(st.sampled_from(CLASSES)),
            "year": draw(st.integers(2019, 2024)),
            "net_supply_mwh": draw(AMOUNTS),
            "gross_generation_mwh": draw(AMOUNTS),
            "heat_gj": draw(AMOUNTS),
            "load_factor": draw(SHARES),
            "heat_ratio": draw(SHARES),
            "cooling": draw(st.sampled_from(["water", "air"])),
            "verified_t": draw(st.integers(0, 10**7)),
        }
    )


@given(power_units())
def test_no_tonne_is_unexplained(unit):
    found = allocated(unit)
    assert total_t(found.lines) == found.allocation_t
    assert all(line.rule for line in found.lines)
    exact = sum(line.value for line in found.lines if line.what in ("electricity", "heat"))
    (rounding,) = [line.value for line in found.lines if line.what == "rounding"]
    assert abs(rounding) <= Decimal("0.5")
    assert exact + rounding == (exact + rounding).to_integral_value()
    assert not {line.status for line in found.lines} & {"draft"}


@given(power_units(), AMOUNTS)
def test_more_output_never_means_fewer_allowances(unit, more):
    name = "net_supply_mwh" if unit.year <= 2022 else "gross_generation_mwh"
    larger = unit.model_copy(update={name: getattr(unit, name) + more})
    assert allocated(larger).allocation_t >= allocated(unit).allocation_t
    # Heat moves a condensing unit of 2019-20 out of the load correction, so only units that supply some are compared.
    if unit.heat_gj > 0:
        warmer = unit.model_copy(update={"heat_gj": unit.heat_gj + more})
        assert allocated(warmer).allocation_t >= allocated(unit).allocation_t


@given(SHARES, SHARES)
def test_a_lower_load_is_never_corrected_less(low, high):
    low, high = sorted((low, high))
    rules = [find_rules(DRAFTS[year], "correction", item=item)[0] for year, item in LOADS]
    for rule in rules:
        values = [correct(_at(load), rule).value for load in (low, high)]
        assert values[0] >= values[1] >= 1


LOADS = [(2019, "load"), (2022, "load"), (2024, "peak_shaving"), (2026, "peak_shaving")]


def _at(load):
    return PowerUnit(entity="E", unit="1", unit_class="coal_gt300MW", year=2024, heat_gj=Decimal(0), load_factor=load)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("791000.000", "791,000"),
        ("0.7910", "0.791"),
        ("-0.05", "-0.05"),
        ("0", "0"),
        ("1.061363550625", "1.0613635506…"),
    ],
)
def test_numbers_as_printed(value, text):
    assert printed(Decimal(value)) == text
