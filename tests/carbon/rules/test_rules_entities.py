"""Entities: gap cap, pre-allocation, settlement; obligations, deadlines and status."""

from datetime import date, timedelta
from decimal import Decimal
from math import ceil

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.rules.book import load_rules
from carbon.rules.entities import CannotAllocate, allocate, allocation_rows
from carbon.rules.lines import total_t
from carbon.rules.obligation import deadline_of, obligation_of, penalty_of, status_expr, status_of
from carbon.rules.units import IndustrialUnit, PowerUnit

RULES = load_rules()


def entity(*units, **options):
    (found,) = allocate(units, RULES, **options)
    return found


def test_an_entity_is_the_sum_of_its_units(make_unit):
    found = entity(make_unit(), make_unit(unit="2", heat_gj=0))
    assert found.allocation_t == 842_650 + 791_000
    assert found.verified_t == 2 * 850_000
    assert [unit.allocation_t for unit in found.units] == [842_650, 791_000]


def test_gap_cap_of_2024_tops_the_allocation_up(make_unit):
    found = entity(make_unit(verified_t=1_200_001))
    assert found.allocation_t == ceil(0.8 * 1_200_001) == 960_001
    owed = obligation_of(found, RULES)
    assert owed.obligation_t == 1_200_001
    assert owed.obligation_t - found.allocation_t <= 0.2 * 1_200_001
    assert any("acts on the allocation" in note for note in found.notes)


def test_gap_cap_of_2019_takes_the_obligation_down(make_unit):
    unit = make_unit(year=2019, verified_t=2_000_003)
    found = entity(unit)
    plain = entity(make_unit(year=2019, verified_t=0)).allocation_t
    assert found.allocation_t == plain
    owed = obligation_of(found, RULES)
    assert owed.obligation_t == int(plain + Decimal("0.2") * 2_000_003)
    assert [line.what for line in owed.lines] == ["verified", "gap_cap", "obligation"]
    assert "acts on the obligation" in owed.lines[1].formula


def test_a_gas_unit_owes_at_most_its_allocation_in_2019(make_unit):
    gas = make_unit(year=2019, unit_class="gas", verified_t=400_000)
    found = entity(gas)
    assert found.allocation_t < 400_000
    owed = obligation_of(found, RULES)
    assert owed.obligation_t == found.allocation_t
    assert [line.what for line in owed.lines] == ["verified", "gas_cap", "obligation"]


def test_pre_allocation_and_what_is_left(make_unit):
    found = entity(make_unit())
    assert found.pre_allocation_t == 560_000 == 0.7 * 800_000
    assert found.settlement_t == 842_650 - 560_000
    recalled = entity(make_unit(pre_allocated_t=900_000))
    assert recalled.settlement_t == 842_650 - 900_000
    assert [line.what for line in recalled.lines][-1] == "recall"
    unknown = entity(make_unit(base_verified_t=None))
    assert (unknown.pre_allocation_t, unknown.settlement_t) == (None, None)
    assert any("pre-allocation not calculated" in note for note in unknown.notes)


def test_pre_allocation_of_2021_and_2022_is_from_2021(make_unit):
    assert entity(make_unit(year=2021, base_verified_t=None)).pre_allocation_t == 0.7 * 850_000
    assert entity(make_unit(year=2022, base_verified_t=None)).pre_allocation_t is None
    assert entity(make_unit(year=2022)).pre_allocation_t == 0.7 * 800_000


def test_industry_has_no_pre_allocation_and_a_zero_gap():
    plant = IndustrialUnit(entity="S", unit="1", unit_class="cement", year=2024, verified_t=77)
    found = entity(plant)
    assert (found.allocation_t, found.pre_allocation_t, found.settlement_t) == (77, 0, 77)
    owed = obligation_of(found, RULES)
    assert (owed.obligation_t, owed.deadline) == (77, date(2025, 12, 31))


def test_missing_verified_emissions_are_said_and_not_zero(make_unit):
    found = entity(make_unit(verified_t=None))
    assert found.verified_t is None
    assert any("gap cap" in note for note in found.notes)
    owed = obligation_of(found, RULES)
    assert owed.obligation_t is None
    assert owed.notes
    assert status_of(owed.obligation_t, 5, owed.deadline, date(2026, 1, 1)) == "unverified"


def test_every_refusal_is_named_at_once(make_unit):
    units = [make_unit(year=2025), make_unit(unit="2", load_factor=None), make_unit(unit="3"), make_unit(unit="3")]
    with pytest.raises(CannotAllocate) as caught:
        allocate(units, RULES)
    assert len(caught.value.reasons) == 3
    assert any("found twice" in reason for reason in caught.value.reasons)
    assert any("in 2025" in reason for reason in caught.value.reasons)
    assert any("no load_factor" in reason for reason in caught.value.reasons)


def test_drafts_show(make_unit):
    found = entity(make_unit(year=2026), drafts=True)
    assert found.uses_drafts
    assert found.notes[0].startswith("drafts used, not in force: cn-power-")
    assert "draft" in allocation_rows([found])["status"].to_list()
    assert not entity(make_unit()).uses_drafts


def test_a_question_as_of_an_earlier_day(make_unit):
    with pytest.raises(CannotAllocate, match="as known on the day"):
        allocate([make_unit()], RULES, on_date=date(2024, 1, 1))
    assert entity(make_unit(), on_date=date(2025, 1, 1)).allocation_t == 842_650


def test_rows_add_up_for_a_reader(make_unit):
    allocations = allocate([make_unit(), make_unit(unit="2"), make_unit(entity="F", verified_t=2_000_000)], RULES)
    rows = allocation_rows(allocations)
    of_units = rows.filter(pl.col("unit").is_not_null(), "adds").group_by("entity", "unit").agg(pl.col("value").sum())
    for allocation in allocations:
        own = rows.filter(pl.col("entity") == allocation.entity)
        assert own.filter(pl.col("unit").is_null(), "adds")["value"].sum() == allocation.allocation_t
        for unit in allocation.units:
            (value,) = of_units.filter(entity=allocation.entity, unit=unit.unit.unit)["value"]
            assert value == unit.allocation_t
    assert rows["label_zh"].null_count() == rows["label_en"].null_count() == rows["formula"].null_count() == 0
    assert allocation_rows([]).columns == rows.columns


@given(
    st.integers(2019, 2024),
    st.lists(
        st.tuples(st.sampled_from(["coal_gt300MW", "gas"]), st.integers(0, 10**6), st.integers(0, 10**6)),
        min_size=1,
        max_size=3,
    ),
)
def test_the_caps_never_widen_the_gap(year, figures):
    units = [
        PowerUnit(
            entity="E",
            unit=str(place),
            unit_class=unit_class,
            year=year,
            net_supply_mwh=Decimal(mwh),
            gross_generation_mwh=Decimal(mwh),
            heat_gj=Decimal(0),
            load_factor=Decimal("0.8"),
            heat_ratio=Decimal(0),
            cooling="water",
            verified_t=verified,
        )
        for place, (unit_class, mwh, verified) in enumerate(figures)
    ]
    found = entity(*units)
    owed = obligation_of(found, RULES)
    verified = sum(unit.verified_t for unit in units)
    plain = sum(
        sum(line.value for line in unit.lines if line.what != "gas_top_up" and line.adds) for unit in found.units
    )
    assert found.verified_t == verified
    assert owed.obligation_t is not None
    assert owed.obligation_t <= verified
    assert max(0, owed.obligation_t - found.allocation_t) <= max(0, verified - plain)
    assert owed.obligation_t - found.allocation_t <= Decimal("0.2") * verified
    assert total_t(found.lines) == found.allocation_t
    for unit in found.units:
        if unit.unit.unit_class == "gas" and len(found.units) == 1:
            assert owed.obligation_t <= found.allocation_t


def test_deadlines():
    found = {year: deadline_of(RULES, "CN", year) for year in range(2018, 2027)}
    assert found == {
        2018: None,
        2019: date(2021, 12, 31),
        2020: date(2021, 12, 31),
        2021: date(2023, 12, 31),
        2022: date(2023, 12, 31),
        2023: date(2024, 12, 31),
        2024: date(2025, 12, 31),
        2025: date(2026, 12, 31),
        2026: None,
    }
    assert deadline_of(RULES, "CN", 2023, sector="industry") is None
    assert deadline_of(RULES, "CN", 2024, date(2024, 1, 1)) is None
    assert deadline_of(RULES, "EU", 2010) == date(2011, 4, 30)
    assert deadline_of(RULES, "EU", 2024) == date(2025, 9, 30)
    assert deadline_of(RULES, "UK", 2023) == date(2024, 4, 30)


def test_penalties_are_those_in_force_at_the_deadline(make_unit):
    old = obligation_of(entity(make_unit(year=2022)), RULES).penalty
    new = obligation_of(entity(make_unit(year=2023)), RULES).penalty
    assert old is not None
    assert new is not None
    assert (old.id, old.confidence) == ("cn-penalty-before-2024-05", "low")
    assert (new.id, new.confidence) == ("cn-penalty-order-775", "high")
    assert new.text_zh is not None
    assert "5倍以上10倍以下" in new.text_zh
    assert penalty_of(RULES, "CN-HB", 2024, None) is None


DEADLINE = date(2025, 12, 31)


@pytest.mark.parametrize(
    ("owed", "surrendered", "deadline", "as_of", "status"),
    [
        (None, 0, DEADLINE, DEADLINE, "unverified"),
        (10, 0, DEADLINE, DEADLINE, "open"),
        (10, 9, DEADLINE, DEADLINE, "short"),
        (10, 10, DEADLINE, DEADLINE, "met"),
        (10, 9, DEADLINE, DEADLINE + timedelta(days=1), "overdue"),
        (10, 11, DEADLINE, DEADLINE + timedelta(days=1), "met"),
        (0, 0, DEADLINE, DEADLINE, "met"),
        (10, 0, None, DEADLINE, "open"),
    ],
)
def test_status(owed, surrendered, deadline, as_of, status):
    assert status_of(owed, surrendered, deadline, as_of) == status


NEAR = st.dates(date(2025, 12, 29), date(2026, 1, 2))


@given(st.lists(st.tuples(st.none() | st.integers(0, 3), st.integers(0, 3), st.none() | NEAR), min_size=1), NEAR)
def test_status_of_columns_is_that_of_values(rows, as_of):
    schema = {"owed": pl.Int64, "surrendered": pl.Int64, "deadline": pl.Date}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    found = frame.select(status_expr(pl.col("owed"), pl.col("surrendered"), pl.col("deadline"), as_of)).to_series()
    assert found.to_list() == [status_of(*row, as_of) for row in rows]
