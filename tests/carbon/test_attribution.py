"""What belongs to which city: each rule alone, the sums over all of them, and the same from a real ledger."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session

from carbon.attribution import (
    SUMMED,
    LedgerFrames,
    MarketFrames,
    attribute,
    attribute_ledger,
    attribute_markets,
    check_sums,
    national_totals,
    period_frame,
)
from carbon.attribution_inputs import day_figures, read_ledger, read_markets
from carbon.embedded import load_embedded
from carbon.ledger.book import Act
from carbon.ledger.frames import holdings
from carbon.ledger.obligations import report_verified, surrender
from carbon.ledger.orders import us_from_time
from carbon.ledger.parties import close_account, open_account, register_entity
from carbon.ledger.post import writing
from carbon.ledger.seed import seed_registry
from carbon.ledger.verbs import issue, transfer
from carbon.rules.book import load_rules

CEA, PILOT = ("CEA", date(2021, 7, 16)), ("Hubei", date(2014, 4, 2))
FIGURES = {
    **{"market": pl.String, "period": pl.String, "volume_t": pl.Int64, "value_fen": pl.Int64},
    **{"first_day": pl.Date, "coverage": pl.String, "source": pl.String},
}
SEATS = {"facility": pl.String, "market": pl.String, "role": pl.String, "hub": pl.String, "since": pl.Date}
ACCOUNTS = {"account": pl.String, "hub": pl.String, "opened": pl.Date, "closed": pl.Date}
HOLDINGS = {"period": pl.String, "account": pl.String, "kind": pl.String, "quantity_t": pl.Int64}
COMPLIANCE = {
    **{"account": pl.String, "hub": pl.String, "compliance_year": pl.Int64, "verified_t": pl.Int64},
    **{"obligation_t": pl.Int64, "surrendered_t": pl.Int64, "offsets_t": pl.Int64},
}


def rows_of(schema: dict[str, Any], *rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def figure(
    market: str, period: str, volume: int | None, value: int | None, first: date | None = None
) -> tuple[Any, ...]:
    return (market, period, volume, value, first, "whole_year", f"paper of {market}")


def markets_of(*given: tuple[str, date]) -> pl.DataFrame:
    return pl.DataFrame(given, schema={"market": pl.String, "opened": pl.Date}, orient="row")


NATIONAL_SEATS = (
    ("exchange", "CEA", "exchange", "shanghai", date(2021, 7, 16)),
    ("registry", "CEA", "registry", "wuhan", date(2021, 7, 16)),
    ("hubei", "Hubei", "exchange", "wuhan", date(2014, 4, 2)),
)


def national(*figures: tuple[Any, ...]) -> MarketFrames:
    return MarketFrames(rows_of(FIGURES, *figures), markets_of(CEA, PILOT), rows_of(SEATS, *NATIONAL_SEATS))


def year(number: int) -> pl.DataFrame:
    return period_frame("year", date(number, 1, 1), date(number, 12, 31))


def of_hub(rows: pl.DataFrame, hub: str | None) -> dict[str, Any]:
    (row,) = rows.filter(pl.col("hub").eq_missing(pl.lit(hub, dtype=pl.String))).to_dicts()
    return row


EMPTY_LEDGER = LedgerFrames(rows_of(ACCOUNTS), rows_of(HOLDINGS), rows_of(COMPLIANCE))


def test_periods_of_each_length() -> None:
    months = period_frame("month", date(2024, 1, 31), date(2024, 3, 1))
    assert months.rows() == [
        ("2024-01", date(2024, 1, 1), date(2024, 1, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-03", date(2024, 3, 1), date(2024, 3, 31)),
    ]
    assert year(2025).rows() == [("2025", date(2025, 1, 1), date(2025, 12, 31))]
    assert period_frame("day", date(2025, 1, 1), date(2025, 1, 2))["period"].to_list() == ["2025-01-01", "2025-01-02"]


def test_trades_go_to_the_exchange_and_custody_to_the_registry() -> None:
    rows = attribute_markets(national(figure("CEA", "2022", 50, 2750), figure("Hubei", "2022", 6, 270)), year(2022))
    shanghai, wuhan, nowhere = of_hub(rows, "shanghai"), of_hub(rows, "wuhan"), of_hub(rows, None)
    assert (shanghai["traded_volume_t"], shanghai["traded_value_fen"]) == (50, 2750)
    # No pilot trades in this table's Shanghai, so that the one registry not known cannot be its.
    assert (shanghai["custody_volume_t"], shanghai["settled_value_fen"]) == (0, 0)
    assert (wuhan["traded_volume_t"], wuhan["traded_value_fen"]) == (6, 270)
    assert (wuhan["custody_volume_t"], wuhan["settled_value_fen"]) == (50, 2750)
    # No registry of the pilot is known: its tonnes are kept and belong to nobody.
    assert (nowhere["traded_volume_t"], nowhere["custody_volume_t"], nowhere["settled_value_fen"]) == (0, 6, 270)
    assert wuhan["custody_source"] == "CEA: paper of CEA (whole year)"
    assert nowhere["custody_source"] == "no registry known; Hubei: paper of Hubei (whole year)"


def test_a_market_without_figure_is_null_for_its_hub_and_zero_where_no_exchange_sits() -> None:
    rows = attribute_markets(national(figure("CEA", "2022", 50, 2750)), year(2022), hubs=["lhasa"])
    wuhan, lhasa = of_hub(rows, "wuhan"), of_hub(rows, "lhasa")
    assert (wuhan["traded_volume_t"], wuhan["traded_value_fen"], wuhan["traded_missing"]) == (None, None, "Hubei")
    assert (wuhan["traded_known_t"], wuhan["traded_source"]) == (0, "Hubei: no figure")
    assert (lhasa["traded_volume_t"], lhasa["traded_value_fen"]) == (0, 0)
    assert lhasa["traded_source"] == "no exchange known to sit here"
    # The pilot's registry may sit where the pilot trades; nothing of it can be a city's that has no market at all.
    assert (lhasa["custody_volume_t"], wuhan["custody_volume_t"]) == (0, 50)


WITH_SHANGHAI = (*NATIONAL_SEATS, ("pilot", "Shanghai", "exchange", "shanghai", date(2013, 11, 26)))


@pytest.mark.parametrize(
    ("of_shanghai", "expected"), [((8, 80), None), ((None, None), None), ((8, None), None), ((0, 0), 0)]
)
def test_custody_is_null_where_tonnes_of_no_known_registry_might_be_the_citys(
    of_shanghai: tuple[int | None, int | None], expected: int | None
) -> None:
    figures = rows_of(FIGURES, figure("CEA", "2022", 50, 2750), figure("Shanghai", "2022", *of_shanghai))
    markets = markets_of(CEA, ("Shanghai", date(2013, 11, 26)))
    market = MarketFrames(figures, markets, rows_of(SEATS, *WITH_SHANGHAI))
    rows = attribute_markets(market, year(2022), hubs=["lhasa"])
    shanghai, wuhan, nowhere, lhasa = (of_hub(rows, hub) for hub in ("shanghai", "wuhan", None, "lhasa"))
    assert (shanghai["custody_volume_t"], shanghai["settled_value_fen"]) == (expected, expected)
    assert (wuhan["custody_volume_t"], wuhan["settled_value_fen"]) == (50, 2750)
    assert (lhasa["custody_volume_t"], lhasa["settled_value_fen"]) == (0, 0)
    assert shanghai["custody_known_t"] + wuhan["custody_known_t"] + nowhere["custody_known_t"] == 50 + (
        of_shanghai[0] or 0
    )
    told = "no registry known to sit here"
    assert lhasa["custody_source"] == told
    assert shanghai["custody_source"] == told + ("" if expected == 0 else "; where that of Shanghai sits is not known")
    assert shanghai["traded_volume_t"] == (None if of_shanghai[0] is None else 50 + of_shanghai[0])


def test_tonnes_of_a_market_that_sits_nowhere_might_be_any_citys() -> None:
    rows = attribute_markets(national(figure("CEA", "2022", 50, 2750), figure("Mars", "2022", 5, 50)), year(2022))
    assert of_hub(rows, "wuhan")["custody_volume_t"] == 50
    assert of_hub(rows, "shanghai")["custody_volume_t"] is None
    assert of_hub(rows, "shanghai")["traded_volume_t"] == 50


def test_a_facility_of_later_years_claims_nothing() -> None:
    seats = rows_of(SEATS, *NATIONAL_SEATS, ("moved", "Hubei", "exchange", "chengdu", date(2024, 1, 1)))
    figures = rows_of(FIGURES, *(figure("Hubei", str(number), 7, 70) for number in (2015, 2024)))
    market = MarketFrames(figures, markets_of(PILOT), seats)
    early, late = (of_hub(attribute_markets(market, year(number)), "chengdu") for number in (2015, 2024))
    assert (early["custody_volume_t"], late["custody_volume_t"]) == (0, None)


def test_one_hub_with_a_known_and_an_unknown_market_is_null_and_keeps_what_is_known() -> None:
    market = national(figure("CEA", "2022", 50, 2750))
    seats = rows_of(SEATS, *NATIONAL_SEATS, ("pilot", "Shanghai", "exchange", "shanghai", date(2013, 11, 26)))
    markets = markets_of(CEA, PILOT, ("Shanghai", date(2013, 11, 26)))
    shanghai = of_hub(attribute_markets(MarketFrames(market.figures, markets, seats), year(2022)), "shanghai")
    assert (shanghai["traded_volume_t"], shanghai["traded_known_t"]) == (None, 50)
    assert shanghai["traded_missing"] == "Shanghai"


def test_a_value_that_is_not_printed_is_null_beside_its_tonnes() -> None:
    wuhan = of_hub(attribute_markets(national(figure("Hubei", "2015", 7, None)), year(2015)), "wuhan")
    assert (wuhan["traded_volume_t"], wuhan["traded_value_fen"], wuhan["traded_missing"]) == (7, None, "Hubei")


def test_before_a_market_opens_nothing_is_missing() -> None:
    rows = attribute_markets(national(figure("Hubei", "2015", 7, 210)), year(2015))
    assert of_hub(rows, "shanghai")["traded_volume_t"] == 0
    assert of_hub(rows, "shanghai")["custody_volume_t"] == 0
    # Where the pilot's registry sits is not known: it may well be here.
    assert of_hub(rows, "wuhan")["custody_volume_t"] is None


def test_custody_begins_with_the_registry() -> None:
    """A figure that began before the registry cannot be told apart; by day it can."""
    before, after = date(2022, 2, 28), date(2022, 3, 1)
    first, second = ("first", "CEA", "registry", "shanghai", CEA[1]), ("next", "CEA", "registry", "wuhan", after)
    seats = rows_of(SEATS, first, second)
    bars = pl.DataFrame(
        {"market": "CEA", "day": [before, after], "volume_t": [3, 4], "value_fen": [30, 40], "feed": "f"}
    )
    days = period_frame("day", before, after)
    daily = attribute_markets(MarketFrames(day_figures(bars), markets_of(CEA), seats), days)
    assert daily.filter(pl.col("custody_volume_t") > 0).select("hub", "period", "custody_volume_t").rows() == [
        ("shanghai", "2022-02-28", 3),
        ("wuhan", "2022-03-01", 4),
    ]
    figures = rows_of(FIGURES, figure("CEA", "2021", 9, 90, date(2021, 7, 1)))
    early = attribute_markets(MarketFrames(figures, markets_of(CEA), seats), year(2021))
    assert of_hub(early, None)["custody_volume_t"] == 9
    assert of_hub(early, "shanghai")["custody_volume_t"] is None


def test_two_hubs_that_claim_one_market_get_nothing() -> None:
    seats = rows_of(SEATS, ("a", "CEA", "exchange", "shanghai", CEA[1]), ("b", "CEA", "exchange", "beijing", CEA[1]))
    rows = attribute_markets(
        MarketFrames(rows_of(FIGURES, figure("CEA", "2022", 5, 50)), markets_of(CEA), seats), year(2022)
    )
    assert of_hub(rows, None)["traded_volume_t"] == 5
    assert of_hub(rows, "beijing")["traded_volume_t"] is None


def test_a_figure_of_a_market_that_nobody_listed_is_kept() -> None:
    rows = attribute_markets(national(figure("Mars", "2022", 5, 50)), year(2022))
    assert of_hub(rows, None)["traded_known_t"] == 5


def test_holdings_compliance_and_accounts_go_to_the_entity() -> None:
    ledger = LedgerFrames(
        rows_of(
            ACCOUNTS,
            ("A", "wuhan", date(2024, 1, 5), None),
            ("B", None, date(2024, 1, 5), None),
            ("C", "wuhan", date(2024, 1, 5), date(2024, 6, 1)),
            ("D", "wuhan", date(2025, 1, 1), None),
        ),
        rows_of(HOLDINGS, ("2024", "A", "allowance", 70), ("2024", "A", "offset", 3), ("2024", "B", "allowance", 30)),
        rows_of(
            COMPLIANCE,
            ("A", "wuhan", 2024, 100, 90, 50, 5),
            ("C", "wuhan", 2024, None, None, 0, 0),
            ("B", None, 2024, None, None, 7, 0),
            ("A", "wuhan", 2023, 1000, 1000, 1000, 0),
        ),
    )
    rows = attribute_ledger(ledger, year(2024), hubs=["lhasa"])
    wuhan, nowhere, lhasa = of_hub(rows, "wuhan"), of_hub(rows, None), of_hub(rows, "lhasa")
    assert (wuhan["holdings_t"], wuhan["offset_holdings_t"], wuhan["participants"]) == (70, 3, 1)
    assert (wuhan["verified_t"], wuhan["due_t"], wuhan["surrendered_t"], wuhan["offsets_used_t"]) == (100, 90, 50, 5)
    assert (wuhan["unreported"], wuhan["undetermined"]) == (1, 1)
    assert (nowhere["holdings_t"], nowhere["verified_t"], nowhere["surrendered_t"]) == (30, None, 7)
    assert (lhasa["holdings_t"], lhasa["verified_t"], lhasa["due_t"], lhasa["participants"]) == (0, 0, 0, 0)


def test_a_month_is_no_compliance_year() -> None:
    ledger = LedgerFrames(
        rows_of(ACCOUNTS, ("A", "wuhan", date(2024, 1, 5), None)),
        rows_of(HOLDINGS, ("2024-01", "A", "allowance", 70)),
        rows_of(COMPLIANCE, ("A", "wuhan", 2024, 100, 90, 50, 5)),
    )
    row = of_hub(attribute_ledger(ledger, period_frame("month", date(2024, 1, 1), date(2024, 1, 31))), "wuhan")
    assert (row["holdings_t"], row["participants"]) == (70, 1)
    assert (row["verified_t"], row["surrendered_t"], row["unreported"]) == (None, None, None)


def test_a_ledger_in_which_nothing_was_entered_says_so() -> None:
    row = of_hub(attribute_ledger(EMPTY_LEDGER, year(2024), hubs=["wuhan"]), "wuhan")
    assert {row[name] for name in ("holdings_t", "verified_t", "participants", "surrendered_t")} == {None}
    assert row["registry_source"] == "no account entered in the registry"


hub_names = st.sampled_from(["wuhan", "shanghai", "beijing", None])
tonnes = st.integers(0, 10**12)
maybe = st.one_of(st.none(), tonnes)
codes = [f"A{number}" for number in range(6)]


@st.composite
def ledgers(draw: st.DrawFn) -> LedgerFrames:
    """Small ledgers of a few accounts, some of no known hub, some closed, with any holdings and years."""
    held = draw(st.lists(st.sampled_from(codes), unique=True))
    hubs = {code: draw(hub_names) for code in codes}
    days = st.dates(date(2023, 1, 1), date(2025, 12, 31))
    accounts = [(code, hubs[code], draw(days), draw(st.one_of(st.none(), days))) for code in held]
    keys = st.tuples(
        st.sampled_from(["2024", "2025"]), st.sampled_from(codes), st.sampled_from(["allowance", "offset"])
    )
    units = [(*key, draw(tonnes)) for key in draw(st.lists(keys, unique=True))]
    owed = draw(st.lists(st.tuples(st.sampled_from(codes), st.sampled_from([2023, 2024, 2025])), unique=True))
    years = [(code, hubs[code], number, draw(maybe), draw(maybe), draw(tonnes), draw(tonnes)) for code, number in owed]
    return LedgerFrames(rows_of(ACCOUNTS, *accounts), rows_of(HOLDINGS, *units), rows_of(COMPLIANCE, *years))


@st.composite
def market_sides(draw: st.DrawFn) -> MarketFrames:
    """A few markets, some without facility or figure, facilities that move, and figures of unknown markets."""
    names = ["M1", "M2", "M3", "M4"]
    opened = st.dates(date(2022, 1, 1), date(2025, 12, 31))
    keys = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(["2024", "2025"])), unique=True))
    figures = [(*key, draw(maybe), draw(maybe), draw(st.one_of(st.none(), opened)), "whole_year", "s") for key in keys]
    markets = markets_of(*[(name, draw(opened)) for name in draw(st.lists(st.sampled_from(names), unique=True))])
    roles = st.sampled_from(["exchange", "registry", "offset_exchange"])
    places = draw(st.lists(st.tuples(st.sampled_from([*names, None]), roles, hub_names, opened), max_size=8))
    seats = [(f"F{number}", market, role, hub, since) for number, (market, role, hub, since) in enumerate(places)]
    return MarketFrames(rows_of(FIGURES, *figures), markets, rows_of(SEATS, *seats))


@given(market_sides(), ledgers())
def test_every_column_adds_up_to_its_national_figure(market: MarketFrames, ledger: LedgerFrames) -> None:
    periods = period_frame("year", date(2024, 1, 1), date(2025, 12, 31))
    rows = attribute(market, ledger, periods, hubs=["lhasa"])
    assert rows.select("hub", "period").is_unique().all()
    assert set(rows["hub"]) >= {"lhasa", None}
    sums = check_sums(rows, national_totals(market, ledger, periods))
    assert sums.height == periods.height * len(SUMMED)
    assert sums["difference"].to_list() == [0] * sums.height


@given(market_sides())
def test_a_figure_is_null_or_what_is_known(market: MarketFrames) -> None:
    """The strict column is the known one wherever it is there, and is not there wherever a market lacks."""
    rows = attribute_markets(market, period_frame("year", date(2024, 1, 1), date(2025, 12, 31)))
    for strict, known, missing in (
        ("traded_volume_t", "traded_known_t", "traded_missing"),
        ("custody_volume_t", "custody_known_t", "custody_missing"),
    ):
        there = rows.filter(pl.col(strict).is_not_null())
        assert there[strict].to_list() == there[known].to_list()
        complete = rows.filter(pl.col(missing).is_null() & (pl.col(known) > 0))
        assert complete[strict].null_count() == 0


def test_the_check_sees_a_tonne_that_was_lost() -> None:
    market, periods = national(figure("CEA", "2022", 50, 2750)), year(2022)
    rows = attribute(market, EMPTY_LEDGER, periods)
    spoilt = rows.with_columns(
        pl.when(pl.col("hub") == "shanghai").then(49).otherwise("traded_known_t").alias("traded_known_t")
    )
    sums = check_sums(spoilt, national_totals(market, EMPTY_LEDGER, periods))
    assert dict(sums.filter(pl.col("difference") != 0).select("column", "difference").iter_rows()) == {
        "traded_known_t": -1
    }


def at(*when: int) -> int:
    return us_from_time(datetime(*when, tzinfo=UTC))


def numbered(when: int, mark: str) -> Act:
    return Act(f"act-{mark}", when, "tester")


@pytest.fixture
def ledger_of_three(engine: Engine) -> Engine:
    """Two plants, one in Wuhan and one of no known city, and a trader of Wuhan that closed its account."""
    with Session(engine) as session:
        load_embedded(session)
    seed_registry(engine, 0)
    people = {"primary": "P", "secondary": "S"}
    with writing(engine) as connection:
        early = at(2024, 3, 31, 15, 59)  # still March in China
        for name, hub, kind in (("A", "wuhan", "operator"), ("B", None, "operator"), ("T", "wuhan", "trading")):
            assert register_entity(
                connection, numbered(early, f"e{name}"), name=name, code=name, contact="K", hub=hub
            ).done
            done = open_account(
                connection, numbered(early, f"o{name}"), code=name, scheme="CN", type=kind, entity=name, **people
            )
            assert done.done
        late = at(2024, 3, 31, 16, 0)  # the first minute of April in China
        for target, quantity in (("A", 1000), ("B", 400)):
            assert issue(
                connection,
                numbered(early, f"i{target}"),
                scheme="CN",
                instrument="CEA24",
                quantity=quantity,
                target=target,
            ).done
        moved = transfer(connection, numbered(late, "t"), source="A", target="B", instrument="CEA24", quantity=100)
        assert moved.done
        assert close_account(connection, numbered(at(2024, 5, 1), "c"), account="T").done
        stated = report_verified(
            connection, numbered(at(2025, 3, 1), "v"), account="A", compliance_year=2024, quantity_t=300
        )
        assert stated.done
        handed = surrender(
            connection, numbered(at(2025, 11, 1), "s"), scheme="CN", account="A", instrument="CEA24", quantity=250,
            compliance_year=2024, rules=load_rules("CN"),
        )  # fmt: skip
        assert handed.done, handed.message
    return engine


def test_a_real_ledger_by_month_and_by_year(ledger_of_three: Engine) -> None:
    """Holdings follow the days of China; compliance stands on the day asked for."""

    def rows_on(periods: pl.DataFrame, day: date) -> Callable[[str | None, str], dict[str, Any]]:
        with ledger_of_three.connect() as connection:
            ledger = read_ledger(connection, load_rules(), periods, day, schemes=["CN"])
        rows = attribute_ledger(ledger, periods)
        totals = national_totals(national(), ledger, periods)
        whole = attribute(national(), ledger, periods)
        assert set(check_sums(whole, totals)["difference"]) == {0}
        return lambda hub, period: of_hub(rows.filter(pl.col("period") == period), hub)

    months = rows_on(period_frame("month", date(2024, 3, 1), date(2024, 5, 31)), date(2026, 1, 1))
    assert (months("wuhan", "2024-03")["holdings_t"], months(None, "2024-03")["holdings_t"]) == (1000, 400)
    assert (months("wuhan", "2024-04")["holdings_t"], months(None, "2024-04")["holdings_t"]) == (1000 - 100, 400 + 100)
    assert [months("wuhan", f"2024-0{number}")["participants"] for number in (3, 4, 5)] == [2, 2, 1]
    before = rows_on(year(2024), date(2025, 10, 31))
    assert (before("wuhan", "2024")["verified_t"], before("wuhan", "2024")["surrendered_t"]) == (300, 0)
    after = rows_on(year(2024), date(2025, 12, 31))
    assert (after("wuhan", "2024")["due_t"], after("wuhan", "2024")["surrendered_t"]) == (300, 250)
    # At the end of 2024 nothing was handed in yet: holdings are of the period, not of the day asked for.
    assert after("wuhan", "2024")["holdings_t"] == 1000 - 100
    later = rows_on(year(2025), date(2025, 12, 31))
    assert later("wuhan", "2025")["holdings_t"] == 1000 - 100 - 250
    with ledger_of_three.connect() as connection:
        now = holdings(connection, scheme="CN").filter(pl.col("account").is_in(["A", "B", "T"]))
    assert later("wuhan", "2025")["holdings_t"] + later(None, "2025")["holdings_t"] == now["quantity"].sum()


def test_a_period_that_has_not_begun_has_no_holdings(ledger_of_three: Engine) -> None:
    periods = period_frame("month", date(2024, 3, 1), date(2024, 5, 31))
    with ledger_of_three.connect() as connection:
        ledger = read_ledger(connection, load_rules(), periods, date(2024, 4, 10), schemes=["CN"])
        other = read_ledger(connection, load_rules(), periods, date(2024, 4, 10), schemes=["CN-HB"])
    assert set(ledger.holdings["period"]) == {"2024-03", "2024-04"}
    assert (other.accounts.height, other.holdings.height, other.compliance.height) == (0, 0, 0)


def test_embedded_years_of_all_markets(engine: Engine) -> None:
    """2022: nine markets; the annual sums are those of the shared research on prices, rounded there to 0.01 Mt."""
    with Session(engine) as session:
        load_embedded(session)
        market = read_markets(session, "year")
    rows = attribute_markets(market, year(2022))
    printed_mt = {"wuhan": 5.73, "guangzhou": 14.61, "beijing": 1.75, "tianjin": 5.45, "shanghai": 50.89 + 0.47}
    for hub, mt in printed_mt.items():
        assert of_hub(rows, hub)["traded_volume_t"] / 1e6 == pytest.approx(mt, abs=0.01)
    assert of_hub(rows, "wuhan")["custody_volume_t"] == 50_889_493
    assert rows["traded_known_t"].sum() == rows["custody_known_t"].sum()
    assert of_hub(attribute_markets(market, year(2024)), "chongqing")["traded_missing"] == "Chongqing"
