import gzip
from datetime import date

import polars as pl
import pytest
from sqlalchemy.exc import IntegrityError

from carbon.errors import UnknownFormat, UnknownMarket
from carbon.formats import QuotesOnly, icap, read_trades, recognise
from carbon.formats.headings import RepeatedHeading
from carbon.formats.rates_csv import KNOWN_HEADER
from carbon.quotes import MarketNeeded, quotes_schema, rates_schema, read_quotes
from carbon.rates import NoRates, load_rates, rates_stamp, read_rates
from carbon.rates_tables import FxRate

EU = "European Union Emissions Trading System"
ICAP = [
    f",{EU},,,,,Hubei (Pilot) Emissions Trading System,,,,",
    "Date,Primary Market,Secondary Market,Market Currency,Exchange rate EUR/EUR,,"
    "Secondary Market,Market Currency,Exchange rate CNY/EUR,Exchange rate CNY/USD,",
    "2024-06-28,60.1,61.25,EUR,1,,40.5,CNY,0.13,0.14,",
    "01/07/2024,,62,EUR,1,,,CNY,0.131,,",
]


@pytest.fixture
def write(tmp_path):
    def write_lines(lines, name="prices.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes("\n".join(lines).encode(encoding))
        return path

    return write_lines


def codes_of(reading):
    return [(problem.row, problem.code) for problem in reading.problems]


def prices_of(reading):
    return reading.quotes.select("day", "market", "kind", "price_micro_per_t", "currency", "row").rows()


# --- the ICAP price explorer


def test_blocks_of_any_width_and_order(write):
    reading = read_quotes(write(ICAP))
    assert dict(reading.quotes.schema) == quotes_schema()
    assert dict(reading.rates.schema) == rates_schema()
    assert prices_of(reading) == [
        (date(2024, 6, 28), EU, "primary", 60_100_000, "EUR", 3),
        (date(2024, 6, 28), EU, "secondary", 61_250_000, "EUR", 3),
        (date(2024, 6, 28), "Hubei", "secondary", 40_500_000, "CNY", 3),
        (date(2024, 7, 1), EU, "secondary", 62_000_000, "EUR", 4),
    ]
    assert reading.rates.select("day", "currency", "per_eur", "per_usd").rows() == [
        (date(2024, 6, 28), "CNY", 0.13, 0.14),
        (date(2024, 6, 28), "EUR", 1.0, None),
        (date(2024, 7, 1), "CNY", 0.131, None),
        (date(2024, 7, 1), "EUR", 1.0, None),
    ]
    assert reading.problems == ()


def test_older_files_say_reference_market(write):
    lines = [ICAP[0], ICAP[1].replace("Primary Market", "Reference Market"), ICAP[2]]
    assert read_quotes(write(lines), market=EU).quotes["kind"].to_list() == ["secondary", "unstated"]


def test_latin_1_notes_and_unsorted_rows(write):
    lines = [",Québec Cap-and-Trade System,,,", "Date,Primary Market,Market Currency,Exchange rate CAD/EUR,"]
    lines += [
        "02/01/2024,30.5,CAD,0.68,",
        "01/01/2024,29.5,CAD,0.68,",
        "",
        "Source: ICAP,,,,",
        '"Prices, no advice",,,,',
    ]
    path = write(lines, encoding="latin-1")
    assert recognise(path) == "icap_prices"
    reading = read_quotes(path)
    assert reading.quotes.select("day", "market", "row").rows() == [
        (date(2024, 1, 1), "Québec Cap-and-Trade System", 4),
        (date(2024, 1, 2), "Québec Cap-and-Trade System", 3),
    ]
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("2024-06-28", "2024-06-31", "unreadable_date"),
        ("2024-06-28", "28.06.2024", "unreadable_date"),
        ("40.5,CNY", "n/a,CNY", "unreadable_number"),
        ("40.5,CNY", "0,CNY", "unreadable_number"),
        ("40.5,CNY", "40.5,KRW", "currency_mismatch"),
        ("0.13,0.14", "none,0.14", "unreadable_rate"),
        ("0.13,0.14", "-0.13,0.14", "unreadable_rate"),
    ],
)
def test_faults_are_said_with_their_row_and_left_out(write, before, after, code):
    assert before in ICAP[2]
    lines = [*ICAP[:2], ICAP[2].replace(before, after), ICAP[3]]
    reading = read_quotes(write(lines))
    assert set(codes_of(reading)) == {(3, code)}
    quotes, rates = reading.quotes, reading.rates.filter((pl.col("row") == 3) & (pl.col("currency") == "CNY"))
    kept = [(3, EU), (3, EU), (3, "Hubei"), (4, EU)]
    if code == "unreadable_date":
        kept = kept[3:]
    elif code != "unreadable_rate":
        kept.remove((3, "Hubei"))
    assert quotes.select("row", "market").rows() == kept
    expected = {"unreadable_date": [], "unreadable_rate": [(None, 0.14)]}
    assert rates.select("per_eur", "per_usd").rows() == expected.get(code, [(0.13, 0.14)])


def test_a_day_twice_with_another_price(write):
    reading = read_quotes(write([*ICAP, ICAP[3].replace("62", "63")]))
    assert codes_of(reading) == [(4, "duplicate_key"), (5, "duplicate_key")]
    assert reading.quotes["day"].unique().to_list() == [date(2024, 6, 28)]


def test_blocks_that_print_different_rates_of_one_currency(write):
    lines = [
        ",Hubei (Pilot) Emissions Trading System,,,,China National Emissions Trading System,,,",
        "Date,Secondary Market,Market Currency,Exchange rate CNY/EUR,,"
        "Secondary Market,Market Currency,Exchange rate CNY/EUR,",
        "2024-06-28,40.5,CNY,0.13,,90.5,CNY,0.14,",
        "2024-07-01,40.5,CNY,0.13,,90.5,CNY,0.13,",
    ]
    reading = read_quotes(write(lines))
    assert codes_of(reading) == [(3, "rates_differ"), (3, "rates_differ")]
    assert reading.rates.select("day", "per_eur").rows() == [(date(2024, 7, 1), 0.13)]
    assert reading.quotes.height == 4


def test_a_column_nobody_knows_is_told(write):
    lines = [ICAP[0], ICAP[1].replace("Market Currency", "Futures", 1), ICAP[2]]
    assert codes_of(read_quotes(write(lines))) == [(2, "unknown_column")]


def test_a_rate_printed_in_two_columns_of_a_block_is_none(write):
    lines = [
        ",Hubei (Pilot) Emissions Trading System,,,,",
        "Date,Secondary Market,Market Currency,Exchange rate CNY/EUR,Exchange rate CNY/EUR,Exchange rate CNY/USD",
        "01/03/2024,40,CNY,0.13,0.14,0.15",
    ]
    reading = read_quotes(write(lines))
    assert codes_of(reading) == [(2, "repeated_heading")]
    assert "Exchange rate CNY/EUR over several columns of Hubei (Pilot)" in reading.problems[0].found
    assert reading.rates.select("per_eur", "per_usd").rows() == [(None, 0.15)]
    assert reading.quotes["price_micro_per_t"].to_list() == [40_000_000]


def test_a_table_of_rates_with_two_columns_of_one_heading_is_refused(write):
    lines = ["day,currency,per_eur,per_usd,source,per_eur", "2024-03-01,CNY,0.13,,ECB,0.14"]
    with pytest.raises(RepeatedHeading, match="heading 'per_eur' over columns 3, 6 with unlike cells"):
        read_quotes(write(lines))


def test_a_rate_that_outlives_its_month_says_so(write):
    lines = [
        ",Hubei (Pilot) Emissions Trading System,,,",
        "Date,Secondary Market,Market Currency,Exchange rate CNY/EUR,",
    ]
    rates = [("01/03/2024", "0.13"), ("29/03/2024", "0.13"), ("01/04/2024", "0.13"), ("02/05/2024", "0.131")]
    reading = read_quotes(write(lines + [f"{day},40,CNY,{rate}," for day, rate in rates]))
    assert codes_of(reading) == [(5, "rate_carried_forward")]
    assert reading.problems[0].severity == "warning"
    assert reading.rates.select("day", "source").rows() == [
        (date(2024, 3, 1), "icap_prices (one rate for the month)"),
        (date(2024, 3, 29), "icap_prices (one rate for the month)"),
        (date(2024, 4, 1), "icap_prices (carried forward since 2024-03)"),
        (date(2024, 5, 2), "icap_prices (one rate for the month)"),
    ]


def test_names_of_markets():
    assert icap.market_of("China National Emissions Trading System") == "CEA"
    assert icap.market_of("Guangdong (Pilot) Emissions Trading System") == "Guangdong"
    assert icap.market_of("Korean Emissions Trading System") == "Korean Emissions Trading System"


def test_the_wide_real_file(market_files):
    reading = read_quotes(market_files / "icap-graph-price-data-excerpt.csv")
    assert reading.problems == ()
    last = reading.quotes.filter((pl.col("day") == date(2024, 12, 31)) & (pl.col("currency") == "CNY"))
    # As printed on 31/12/2024.
    assert dict(last.select("market", "price_micro_per_t").iter_rows()) == {
        **{"CEA": 97_930_000, "Shenzhen": 46_980_000, "Shanghai": 73_800_000, "Beijing": 105_000_000},
        **{"Guangdong": 38_090_000, "Tianjin": 37_500_000, "Hubei": 36_980_000, "Chongqing": 37_240_000},
        "Fujian": 24_780_000,
    }
    rate = reading.rates.filter((pl.col("currency") == "CNY") & (pl.col("day") == date(2024, 12, 31)))
    assert rate.select("per_eur", "per_usd").rows() == [(0.128099405, 0.13782215)]


def test_the_narrow_real_file(market_files):
    reading = read_quotes(market_files / "raw_icap_secondary_7_ets.csv.gz")
    # The rate of February 2024 stands to the end of June; the others have one rate a month to the end of June.
    assert codes_of(reading) == [(row, "rate_carried_forward") for row in (3643, 3725, 3725, 3732)]
    assert reading.problems[0].found == "CNY 0.128099405, the rate of 2024-02, on 80 later days to 2024-06-28"
    assert reading.quotes["day"].is_sorted()
    national = reading.quotes.filter(pl.col("market") == "CEA")
    assert (national["kind"].unique().to_list(), national.height) == (["secondary"], 719)
    raw = gzip.decompress((market_files / "raw_icap_secondary_7_ets.csv.gz").read_bytes()).decode("latin-1")
    cells = [line.split(",") for line in raw.splitlines()[2:]]
    # The Hubei block is the last one: Primary, Secondary, Currency, two rates, and an empty cell.
    assert reading.quotes.filter(pl.col("market") == "Hubei").height == sum(
        bool(line[-6]) + bool(line[-5]) for line in cells
    )


def test_hubei_s_quotes_are_wind_s_averages(market_files, wind_file):
    icap_quotes = read_quotes(market_files / "raw_icap_secondary_7_ets.csv.gz", market="HBEA").quotes
    averages = read_quotes(wind_file, market="Hubei").quotes.filter(pl.col("kind") == "average")
    shared = averages.join(icap_quotes.filter(pl.col("kind") == "secondary"), on="day")
    ratio = shared["price_micro_per_t"] / shared["price_micro_per_t_right"]
    # 93.6 % of 2,399 days are equal within 1e-4 (data notes, section 2).
    assert shared.height == 2_399
    assert round(((ratio - 1).abs() < 1e-4).sum() / shared.height, 3) == 0.936


# --- other formats


def test_trades_cannot_be_read_from_quotes(market_files):
    path = market_files / "icap-graph-price-data-excerpt.csv"
    with pytest.raises(QuotesOnly, match=r"icap_prices, which prints no tonnes"):
        read_trades(path, market="CEA")


def test_a_market_must_be_named_where_the_file_does_not(wind_file, market_files):
    with pytest.raises(MarketNeeded, match="wind_daily without a market"):
        read_quotes(wind_file)
    with pytest.raises(UnknownMarket, match=r"'EUA', expected one of .*Hubei"):
        read_quotes(market_files / "raw_icap_secondary_7_ets.csv.gz", market="EUA")
    with pytest.raises(UnknownFormat, match="'excel'"):
        read_quotes(wind_file, market="Hubei", format_name="excel")


@pytest.mark.parametrize(
    ("file", "market", "kinds"),
    [
        ("raw_wind_HBEA.csv.gz", "Hubei", {"close", "average"}),
        ("raw_exchange_hubei.csv.gz", "Hubei", {"latest"}),
        ("raw_tanjiaoyi_hubei.csv.gz", "Hubei", {"unstated"}),
        ("raw_exchange_beijing.csv.gz", "Beijing", {"average"}),
        ("raw_sceex_all_markets_2016_2023.csv.gz", "Hubei", {"average"}),
        ("cneeex_2021_2023_merged.csv", "CEA", {"close"}),
        ("cea_daily_2025_cneeex.csv", "CEA", {"close"}),
        ("cea_daily_by_vintage_excerpt.csv", "CEA", {"close"}),
        ("CRC_price_C.csv", "CEA", {"close"}),
        ("CRC_volume_C.csv", "CEA", set()),
        ("seee_bulletins.txt", "CEA", {"close"}),
    ],
)
def test_the_kind_of_price_of_each_format(market_files, file, market, kinds):
    quotes = read_quotes(market_files / file, market=market).quotes
    assert set(quotes["kind"]) == kinds
    assert (quotes["price_micro_per_t"] > 0).all()
    assert set(quotes["market"]) <= {market}
    assert dict(quotes.schema) == quotes_schema()


def test_the_close_of_every_day_of_2025(market_files):
    quotes = read_quotes(market_files / "cea_daily_2025_cneeex.csv", market="CEA").quotes
    assert quotes.height == 243
    assert quotes.row(-1, named=True)["price_micro_per_t"] == 74_630_000


def test_the_long_table_keeps_the_kinds_of_its_sources(market_files):
    quotes = read_quotes(market_files / "cn_carbon_daily_best.csv.gz", market="Hubei").quotes
    found = quotes.group_by("feed", "kind").agg(pl.len()).sort("feed", "kind").rows()
    assert found == [
        ("long_daily:sirui_wind:screen", "average", 2610),
        ("long_daily:sirui_wind:screen", "close", 2609),
        ("long_daily:zeka_tanjiaoyi", "unstated", 26),
    ]


# --- rates of the user's own

TABLE = [KNOWN_HEADER, "2024-06-28,CNY,0.13,0.14,ECB", "2024-07-01,CNY,0.131,,ECB", "", "2024-07-01,KRW,,0.0007,ECB"]


def test_a_table_of_rates(write):
    path = write(TABLE)
    assert recognise(path) == "rates_csv"
    reading = read_quotes(path)
    assert reading.rates.select("day", "currency", "per_eur", "per_usd", "source", "row").rows() == [
        (date(2024, 6, 28), "CNY", 0.13, 0.14, "ECB", 2),
        (date(2024, 7, 1), "CNY", 0.131, None, "ECB", 3),
        (date(2024, 7, 1), "KRW", None, 0.0007, "ECB", 5),
    ]
    assert reading.problems == ()
    assert reading.quotes.is_empty()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("2024-06-31,CNY,0.13,,ECB", "unreadable_date"),
        ("2024-06-28,yuan,0.13,,ECB", "unknown_currency"),
        ("2024-06-28,CNY,0,,ECB", "unreadable_rate"),
        ("2024-06-28,CNY,inf,,ECB", "unreadable_rate"),
        ("2024-06-28,CNY,1e308,,ECB", "unreadable_rate"),
        ("2024-06-28,CNY,0.13,one,ECB", "unreadable_rate"),
        ("2024-06-28,CNY,,,ECB", "missing_figure"),
        ("2024-06-28,CNY,0.13,,", "missing_figure"),
    ],
)
def test_faults_of_a_table_of_rates(write, line, code):
    reading = read_quotes(write([KNOWN_HEADER, line, "2024-07-02,CNY,0.13,,ECB"]))
    assert codes_of(reading) == [(2, code)]
    assert reading.rates["day"].to_list() == [date(2024, 7, 2)]


def test_the_same_rate_twice_in_a_table(write):
    reading = read_quotes(write([*TABLE[:2], TABLE[1]]))
    assert codes_of(reading) == [(2, "duplicate_key"), (3, "duplicate_key")]
    assert reading.rates.is_empty()


def test_loading_twice_changes_nothing(session, write):
    path = write(TABLE)
    first, again = load_rates(session, path), load_rates(session, path)
    assert (first.rates_read, first.rates_new, first.rates_already_loaded) == (3, 3, 0)
    assert (again.rates_read, again.rates_new, again.rates_already_loaded) == (3, 0, 3)
    assert read_rates(session, "cny").select("day", "per_eur", "per_usd", "source", "file").rows() == [
        (date(2024, 6, 28), 0.13, 0.14, "ECB", "prices.csv"),
        (date(2024, 7, 1), 0.131, None, "ECB", "prices.csv"),
    ]
    assert read_rates(session).height == 3


def test_another_rate_of_a_known_day_is_a_conflict(session, write):
    load_rates(session, write(TABLE))
    stamp = rates_stamp(session)
    other = write([KNOWN_HEADER, "2024-06-28,CNY,0.2,0.14,ECB", "2024-07-02,CNY,0.2,,ECB"], name="other.csv")
    report = load_rates(session, other)
    assert (report.rates_new, report.rates_in_conflict) == (1, 1)
    assert [(problem.row, problem.code) for problem in report.problems] == [(2, "already_loaded_otherwise")]
    assert "as loaded from prices.csv" in report.problems[0].expected
    assert read_rates(session, "CNY")["per_eur"].to_list() == [0.13, 0.131, 0.2]
    assert rates_stamp(session) != stamp


def test_the_database_keeps_its_own_rules(session):
    session.add(FxRate(currency="CNY", day=date(2024, 1, 1), source="x", per_eur=-1.0, file="f", sha256="0" * 64))
    with pytest.raises(IntegrityError):
        session.commit()


def test_a_file_without_rates(session, wind_file):
    with pytest.raises(NoRates, match="wind_daily, expected rates: icap_prices, rates_csv"):
        load_rates(session, wind_file)


def test_loading_the_real_rates(session, market_files):
    report = load_rates(session, market_files / "icap-graph-price-data-excerpt.csv")
    assert (report.rates_read, report.rates_new, report.problems) == (12 - 1, 12 - 1, ())
