"""The verbs of a compliance year and what follows from them, on SQLite and PostgreSQL alike."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from carbon.ledger.book import Act
from carbon.ledger.compliance import compliance, obligation_t
from carbon.ledger.obligations import (
    carry_over,
    finalise_allocation,
    net_sales_t,
    report_verified,
    surrender,
    use_offsets,
)
from carbon.ledger.orders import BadOrder, us_from_time
from carbon.ledger.parties import open_account, register_entity
from carbon.ledger.verbs import issue, pre_allocate, reverse, transfer
from carbon.rules.book import load_rules

RULES = load_rules()
GRANT = {"scheme": "CN", "account": "A", "instrument": "CEA24", "compliance_year": 2024}


def on(day: date, client_id: str) -> Act:
    return Act(client_id, us_from_time(datetime(day.year, day.month, day.day, 4, tzinfo=UTC)), "t")


def row(writer, account="A", year=2024, as_of=date(2025, 12, 1)) -> dict:
    rows = compliance(writer, RULES, as_of, account=account, year=year)
    assert rows.height == 1
    return rows.row(0, named=True)


@pytest.fixture
def year_2024(do):
    """A was granted 700 t of 2024 beforehand; government keeps 9,300 t, and 10,000 t of 2025."""
    assert do(issue, scheme="CN", instrument="CEA24", quantity=10_000).done
    assert do(issue, scheme="CN", instrument="CEA25", quantity=10_000).done
    assert do(pre_allocate, quantity=700, **GRANT).done
    return do


def test_a_supplement_or_recall_settles_the_final_allocation_once(writer, year_2024):
    assert finalise_allocation(writer, on(date(2025, 9, 1), "up"), final_t=842, **GRANT).done
    assert row(writer)["allocated_t"] == 842
    assert year_2024(finalise_allocation, final_t=843, **GRANT).code == "C34"
    assert year_2024(reverse, original="up", reason="wrong output").done
    assert (row(writer)["allocated_t"], row(writer)["final_allocation_t"]) == (700, None)
    assert finalise_allocation(writer, on(date(2025, 9, 2), "down"), final_t=650, **GRANT).done
    assert (row(writer)["allocated_t"], row(writer)["final_allocation_t"]) == (650, 650)


def test_an_equal_final_allocation_moves_nothing(writer, year_2024):
    assert year_2024(finalise_allocation, final_t=700, **GRANT).done
    assert row(writer)["final_allocation_t"] == 700


def test_a_recall_of_more_than_is_held_is_refused(year_2024):
    assert year_2024(transfer, source="A", target="B", instrument="CEA24", quantity=600).done
    assert year_2024(finalise_allocation, final_t=599, **GRANT).code == "C18"
    assert year_2024(finalise_allocation, final_t=600, **GRANT).done


def test_the_status_follows_from_figures_and_day(writer, year_2024):
    assert row(writer)["status"] == "unverified"
    assert row(writer)["obligation_t"] is None
    assert year_2024(report_verified, account="A", compliance_year=2024, quantity_t=600, source="report 1").done
    assert row(writer)["status"] == "open"
    asked = {"rules": RULES, **GRANT}
    assert surrender(writer, on(date(2025, 11, 1), "part"), quantity=100, **asked).done
    here = row(writer)
    assert (here["status"], here["outstanding_t"], here["surrendered_t"]) == ("short", 600 - 100, 100)
    # The day after the deadline of the national scheme for 2024.
    assert here["deadline"] == date(2025, 12, 31)
    assert row(writer, as_of=date(2026, 1, 1))["status"] == "overdue"
    assert surrender(writer, on(date(2025, 11, 2), "rest"), quantity=500, **asked).done
    assert (row(writer)["status"], row(writer)["outstanding_t"]) == ("met", 0)
    assert row(writer, as_of=date(2025, 11, 1))["surrendered_t"] == 100
    assert year_2024(report_verified, account="A", compliance_year=2024, quantity_t=601, source="report 2").done
    assert row(writer)["status"] == "short"


def test_a_reversed_report_counts_no_more(writer, year_2024):
    assert report_verified(writer, on(date(2025, 3, 1), "r1"), account="A", compliance_year=2024, quantity_t=5).done
    assert report_verified(writer, on(date(2025, 3, 2), "r2"), account="A", compliance_year=2024, quantity_t=6).done
    assert year_2024(reverse, original="r2", reason="typing").done
    assert row(writer, as_of=date(2026, 1, 1))["verified_t"] == 5


@pytest.mark.usefixtures("year_2024")
def test_what_is_reversed_later_still_stood_before(writer):
    assert report_verified(writer, on(date(2025, 3, 1), "r1"), account="A", compliance_year=2024, quantity_t=500).done
    assert report_verified(writer, on(date(2025, 3, 5), "r2"), account="A", compliance_year=2024, quantity_t=400).done
    asked = {"rules": RULES, **GRANT}
    assert surrender(writer, on(date(2025, 11, 1), "s1"), quantity=400, **asked).done
    assert reverse(writer, on(date(2025, 11, 10), "u1"), original="s1", reason="wrong account").done
    assert reverse(writer, on(date(2025, 11, 20), "u2"), original="r2", reason="typing").done
    then = row(writer, as_of=date(2025, 11, 9))
    assert (then["surrendered_t"], then["verified_t"], then["status"]) == (400, 400, "met")
    assert row(writer, as_of=date(2025, 11, 10))["surrendered_t"] == 0
    assert row(writer, as_of=date(2025, 11, 19))["verified_t"] == 400
    assert row(writer, as_of=date(2025, 11, 20))["verified_t"] == 500


@pytest.mark.usefixtures("year_2024")
def test_a_day_ends_when_it_ends_in_china(writer):
    asked = {"rules": RULES, **GRANT}
    for minute, client_id in ((59, "last minute"), (60, "too late")):
        # The deadline's day, 2025-12-31, ends at 16:00 UTC.
        time = datetime(2025, 12, 31, 15, tzinfo=UTC) + timedelta(minutes=minute)
        assert surrender(writer, Act(client_id, us_from_time(time), "t"), quantity=100, **asked).done
    assert row(writer, as_of=date(2025, 12, 31))["surrendered_t"] == 100
    assert row(writer, as_of=date(2026, 1, 1))["surrendered_t"] == 200


def test_the_window_of_sales_begins_and_ends_in_china(writer, do):
    assert do(issue, scheme="CN", instrument="CEA24", quantity=9_999).done
    assert do(pre_allocate, quantity=9_999, **GRANT).done
    # From 2024-01-01 to 2025-12-31, both included: 16:00 UTC of the evening before is the first of them.
    times = [datetime(*day, tzinfo=UTC) for day in ((2023, 12, 31, 15, 59), (2023, 12, 31, 16), (2025, 12, 31, 15, 59))]
    for number, time in enumerate([*times, datetime(2025, 12, 31, 16, tzinfo=UTC)]):
        act = Act(f"sold {number}", us_from_time(time), "t")
        assert transfer(writer, act, source="A", target="B", instrument="CEA24", quantity=10**number).done
    assert net_sales_t(writer, RULES, "A", "CN", "power") == 10 + 100


@pytest.mark.parametrize("quantity_t", [-1, 1.5, True, 2**53 + 1])
def test_verified_emissions_are_whole_tonnes(do, quantity_t):
    with pytest.raises(BadOrder, match="C16"):
        do(report_verified, account="A", compliance_year=2024, quantity_t=quantity_t)


def test_only_operators_have_compliance_years(do):
    assert do(report_verified, account="CN:government", compliance_year=2024, quantity_t=1).code == "C29"
    assert do(report_verified, account="nobody", compliance_year=2024, quantity_t=1).code == "C03"
    with pytest.raises(BadOrder, match="1990"):
        do(report_verified, account="A", compliance_year=1989, quantity_t=1)


def test_a_later_vintage_does_not_serve_an_earlier_year(year_2024):
    assert year_2024(transfer, source="CN:government", target="A", instrument="CEA25", quantity=10).done
    refused = year_2024(surrender, rules=RULES, quantity=10, **(GRANT | {"instrument": "CEA25"}))
    assert refused.code == "C30"
    assert "2025" in refused.message


def test_offsets_stay_within_five_per_cent_of_the_obligation(writer, year_2024):
    owner = {"code": "owner", "scheme": "CCER", "type": "trading", "entity": "B", "primary": "P", "secondary": "S"}
    assert year_2024(open_account, **owner).done
    assert year_2024(issue, scheme="CN", instrument="CCER", quantity=1000, target="A").code == "C04"
    assert year_2024(issue, scheme="CCER", instrument="CCER", quantity=1000, target="owner").done
    sale = {"source": "owner", "target": "A", "instrument": "CCER", "quantity": 1000}
    assert year_2024(transfer, **sale).code == "C04"
    assert year_2024(transfer, kind="external", **sale).done
    asked = {"rules": RULES, **(GRANT | {"instrument": "CCER"})}
    assert year_2024(use_offsets, quantity=1, **asked).code == "C32"
    assert year_2024(report_verified, account="A", compliance_year=2024, quantity_t=1019).done
    # 5 % of 1,019 t is 50.95 t, rounded down.
    assert row(writer)["offset_limit_t"] == 1019 * 5 // 100 == 50
    assert use_offsets(writer, on(date(2025, 11, 1), "o1"), quantity=40, **asked).done
    refused = use_offsets(writer, on(date(2025, 11, 1), "o2"), quantity=11, **asked)
    assert refused.code == "C32"
    assert "40 t used and 11 t asked for, more than 50 t" in refused.message
    assert use_offsets(writer, on(date(2025, 11, 1), "o3"), quantity=10, **asked).done
    assert (row(writer)["offsets_t"], row(writer)["outstanding_t"]) == (50, 1019 - 50)


def test_carry_over_is_base_and_net_sales_within_the_holding(writer, do, new_act):
    assert register_entity(writer, new_act(), name="Power", code="P", sector="power", contact="K").done
    opened = {"scheme": "CN", "type": "operator", "entity": "P", "primary": "X", "secondary": "Y"}
    assert open_account(writer, new_act(), code="P", **opened).done
    assert do(issue, scheme="CN", instrument="CEA24", quantity=100_000).done
    grant = {"scheme": "CN", "account": "P", "instrument": "CEA24", "compliance_year": 2024}
    assert do(pre_allocate, quantity=80_000, **grant).done
    sold = {"source": "P", "target": "B", "instrument": "CEA24"}
    assert transfer(writer, on(date(2025, 5, 1), "sold"), quantity=20_000, **sold).done
    assert transfer(writer, on(date(2023, 5, 1), "before the window"), quantity=1, **sold).done
    assert transfer(writer, on(date(2026, 1, 1), "after the window"), quantity=1, **sold).done
    asked = {"rules": RULES, "scheme": "CN", "account": "P", "instrument": "CEA24", "into": "CEA25"}
    # Net sales 20,000 t and 59,998 t held: 10,000 + 1.5 x 20,000 = 40,000 t.
    refused = carry_over(writer, on(date(2026, 6, 1), "c0"), quantity=40_001, **asked)
    assert refused.code == "C33"
    assert "more than 40000 t" in refused.message
    assert carry_over(writer, on(date(2026, 6, 1), "c1"), quantity=39_000, **asked).done
    assert carry_over(writer, on(date(2026, 6, 1), "c2"), quantity=1_001, **asked).code == "C33"
    assert carry_over(writer, on(date(2026, 6, 1), "c3"), quantity=1_000, **asked).done
    assert carry_over(writer, on(date(2026, 6, 11), "late"), quantity=1, **asked).code == "C33"
    wrong = asked | {"into": "CEA23"}
    assert carry_over(writer, on(date(2026, 6, 1), "c4"), quantity=1, **wrong).code == "C30"


def test_the_gap_cap_acts_on_the_obligation_of_2019_and_2020_only():
    # At most the allocation and 20 % of the verified emissions: 700 + 200.
    assert obligation_t(RULES, "CN", 2020, 1000, 700) == 700 + 1000 * 20 // 100
    assert obligation_t(RULES, "CN", 2020, 1000, 900) == 1000
    assert obligation_t(RULES, "CN", 2020, 1000, None) is None
    assert obligation_t(RULES, "CN", 2024, 1000, 700) == 1000
    assert obligation_t(RULES, "CN", 2024, None, 700) is None


def test_hubei_gave_more_allowances_beyond_its_cap_and_took_nothing_off_the_obligation():
    assert obligation_t(RULES, "CN-HB", 2014, 1000, 700) == 1000


def test_the_first_cycle_is_served_by_its_own_product(do):
    assert do(issue, scheme="CN", instrument="CEA19-20", quantity=10).done
    grant = {"scheme": "CN", "account": "A", "instrument": "CEA19-20", "compliance_year": 2019}
    assert do(pre_allocate, quantity=10, **grant).done
    assert do(surrender, rules=RULES, quantity=10, **grant).done


def test_an_account_serves_its_years(do, new_act, writer):
    assert register_entity(writer, new_act(), name="Q", code="Q", contact="K").done
    assert open_account(
        writer, new_act(), code="Q", scheme="CN", type="operator", entity="Q", first_year=2019, last_year=2023,
        primary="X", secondary="Y",
    ).done  # fmt: skip
    assert do(issue, scheme="CN", instrument="CEA24", quantity=10).done
    refused = do(pre_allocate, scheme="CN", account="Q", instrument="CEA24", quantity=1, compliance_year=2024)
    assert refused.code == "C15"


def test_a_ledger_without_compliance_has_the_columns_all_the_same(writer):
    empty = compliance(writer, RULES, date(2025, 12, 31))
    assert empty.height == 0
    assert empty.schema["obligation_t"] == pl.Int64
    assert empty.schema["status"] == pl.String
