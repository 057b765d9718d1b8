"""Carry-over (C33), offsets (C32), borrowing and vintages (C30)."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.rules.book import load_rules
from carbon.rules.borrowing import borrowing_limit
from carbon.rules.carry_over import carry_over_limit
from carbon.rules.lines import total_t
from carbon.rules.offset_limit import offset_limit
from carbon.rules.schemes import load_instruments
from carbon.rules.selection import NoRule
from carbon.rules.vintages import vintage_use

RULES = load_rules()
TONNES = st.integers(0, 10**9)


def test_golden_of_the_carry_over():
    found = carry_over_limit(RULES, sector="power", net_sales_t=20_000, holding_t=60_000)
    assert found.limit_t == 10_000 + 3 * 20_000 // 2 == 40_000
    assert (found.first_vintage, found.last_vintage, found.into_year) == (2019, 2024, 2025)
    assert [line.formula for line in found.lines] == ["10,000 t", "1.5 × 20,000", "10,000 + 30,000"]


def test_carry_over_is_limited_to_the_holding_and_never_rounded_up():
    assert carry_over_limit(RULES, sector="power", net_sales_t=20_000, holding_t=39_999).limit_t == 39_999
    assert carry_over_limit(RULES, sector="power", net_sales_t=1, holding_t=60_000).limit_t == 10_001
    assert carry_over_limit(RULES, sector="power", net_sales_t=-500, holding_t=60_000).limit_t == 10_000
    assert carry_over_limit(RULES, sector="industry", net_sales_t=0, holding_t=10**6).limit_t == 100_000


def test_carry_over_ends_with_its_last_day():
    for day, limit in [(date(2026, 6, 10), 40_000), (date(2026, 6, 11), 0)]:
        found = carry_over_limit(RULES, sector="power", net_sales_t=20_000, holding_t=60_000, on_date=day)
        assert found.limit_t == limit


def test_carry_over_of_what_is_not_ruled():
    with pytest.raises(NoRule, match="expected one of industry, power"):
        carry_over_limit(RULES, sector="aviation", net_sales_t=0, holding_t=0)
    with pytest.raises(NoRule, match="none known"):
        carry_over_limit(RULES, scheme="CN-HB", sector="power", net_sales_t=0, holding_t=0)
    with pytest.raises(ValueError, match="expected 0 t or more"):
        carry_over_limit(RULES, sector="power", net_sales_t=0, holding_t=-1)


@given(st.integers(-(10**9), 10**9), TONNES)
def test_carry_over_is_its_formula_and_its_lines_add_up(net_sales_t, holding_t):
    found = carry_over_limit(RULES, sector="power", net_sales_t=net_sales_t, holding_t=holding_t)
    assert found.limit_t == min(holding_t, 10_000 + 3 * max(0, net_sales_t) // 2)
    assert total_t(found.lines) == found.limit_t
    assert all(line.rule for line in found.lines)


def test_the_offset_limit_is_5_per_cent_rounded_down():
    found = offset_limit(RULES, scheme="CN", year=2024, obligation_t=1_019)
    assert found.limit_t == 50  # 50.95
    assert [line.what for line in found.lines] == ["offset_limit", "rounding"]
    assert found.lines[1].status == "assumed"
    assert "rounding" not in [
        line.what for line in offset_limit(RULES, scheme="CN", year=2024, obligation_t=1_000).lines
    ]


@given(TONNES)
def test_offsets_stay_within_5_per_cent(obligation_t):
    found = offset_limit(RULES, scheme="CN", year=2023, obligation_t=obligation_t)
    assert found.limit_t == obligation_t // 20
    assert total_t(found.lines) == found.limit_t


def test_pilots_have_their_own_limits():
    hubei = offset_limit(RULES, scheme="CN-HB", year=2024, allocation_t=1_000, obligation_t=5_000)
    assert (hubei.limit_t, hubei.base) == (50, "allocation")
    assert hubei.rivals == ("cn-hb-offset-2024-contradicting",)
    assert offset_limit(RULES, scheme="CN-HB", year=2014, allocation_t=1_000).limit_t == 100
    assert offset_limit(RULES, scheme="CN-GD", year=2024, obligation_t=1_000).limit_t == 100
    with pytest.raises(ValueError, match="allocation_t = None"):
        offset_limit(RULES, scheme="CN-HB", year=2024, obligation_t=1_000)
    with pytest.raises(NoRule, match="no offset limit of CN-TJ"):
        offset_limit(RULES, scheme="CN-TJ", year=2024, obligation_t=1_000)


def test_borrowing_by_hand():
    found = borrowing_limit(RULES, year=2022, obligation_t=1_001, allocation_t=800)
    assert (found.limit_t, found.from_year) == (100, 2023)  # half of 201, rounded down
    assert borrowing_limit(RULES, year=2021, obligation_t=1_000, allocation_t=900).limit_t == 50
    assert borrowing_limit(RULES, year=2021, obligation_t=1_000, allocation_t=901).limit_t == 0
    assert borrowing_limit(RULES, year=2023, obligation_t=1_000, allocation_t=0).limit_t == 0
    assert borrowing_limit(RULES, year=2021, obligation_t=0, allocation_t=0).limit_t == 0
    with pytest.raises(NoRule, match="2019"):
        borrowing_limit(RULES, year=2019, obligation_t=1, allocation_t=0)
    with pytest.raises(ValueError, match="expected 0 t or more"):
        borrowing_limit(RULES, year=2021, obligation_t=-1, allocation_t=0)


@given(TONNES, TONNES)
def test_never_more_than_half_the_gap_is_borrowed(obligation_t, allocation_t):
    found = borrowing_limit(RULES, year=2022, obligation_t=obligation_t, allocation_t=allocation_t)
    gap = max(0, obligation_t - allocation_t)
    wide = gap > 0 and 10 * gap >= obligation_t
    assert found.limit_t == (gap // 2 if wide else 0)


def use(first, last, year, **options):
    return vintage_use(RULES, scheme="CN", vintage_from=first, vintage_to=last, year=year, **options)


def test_vintages():
    assert use(2019, 2020, 2024).allowed
    assert use(2024, 2024, 2024).allowed
    assert use(2025, 2025, 2024).allowed is False
    # Both years of the first cycle are served by one product.
    assert use(2019, 2020, 2019).allowed
    assert use(2021, 2021, 2020).allowed is False
    assert use(2022, 2022, 2021).allowed is False
    assert use(2024, 2024, 2025).allowed is False
    assert use(2025, 2025, 2025).allowed
    assert "expected vintage 2025" in use(2024, 2024, 2025).reason


def test_a_later_vintage_only_where_it_was_borrowed():
    assert use(2023, 2023, 2022).allowed is False
    assert use(2023, 2023, 2022, borrowed=True).allowed
    assert use(2024, 2024, 2022, borrowed=True).allowed is False
    assert use(2025, 2025, 2024, borrowed=True).allowed is False
    assert use(2020, 2020, 2019, borrowed=True).allowed is None


def test_unknown_is_neither_yes_nor_no():
    found = vintage_use(RULES, scheme="CN-SZ", vintage_from=2014, vintage_to=2014, year=2014)
    assert found.allowed is None
    assert found.rule is None


def test_every_national_instrument_has_a_year_that_it_can_be_used_for():
    rows = load_instruments().filter(scheme="CN", kind="allowance").drop_nulls("vintage_from")
    for code, first, last in rows.select("code", "vintage_from", "vintage_to").iter_rows():
        usable = [year for year in range(2019, 2027) if use(first, last, year).allowed]
        assert usable == ([2025] if code == "CEA25" else list(range(2019 if last == 2020 else last, 2025)))


def test_figures_are_whole_tonnes():
    found = carry_over_limit(RULES, sector="power", net_sales_t=3, holding_t=60_000)
    assert found.limit_t == 10_004
    assert [line.value for line in found.lines if line.what == "rounding"] == [Decimal("-0.5")]
