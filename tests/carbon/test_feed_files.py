"""The real files of the feeds that print one line a market and day: every row accounted for, every fault reported."""

from collections import Counter
from datetime import date

import polars as pl
import pytest

from carbon.formats import read_trades
from carbon.loading import load_trades
from carbon.tables import DailyBar

HUBEI, BEIJING = "raw_exchange_hubei.csv.gz", "raw_exchange_beijing.csv.gz"
DOMESTIC, SHENZHEN = "raw_tanjiaoyi_hubei.csv.gz", "raw_shenzhen_by_vintage_2020_2021.csv.gz"
SCEEX = "raw_sceex_all_markets_2016_2023.csv.gz"
PILOTS = ("Beijing", "Shanghai", "Guangdong", "Tianjin", "Shenzhen", "Hubei", "Chongqing", "Fujian")


@pytest.fixture(scope="module")
def reading_of(market_files):
    known = {}

    def read(file, market):
        if (file, market) not in known:
            known[file, market] = read_trades(market_files / file, market=market)[1]
        return known[file, market]

    return read


def rows_with(reading, code):
    return [problem.row for problem in reading.problems if problem.code == code]


def error_rows(reading):
    return {problem.row for problem in reading.problems if problem.severity == "error"}


# file, market, then lines: read, kept, set apart, without trade, repeated; then the problems by code
COUNTS = [
    (HUBEI, "Hubei", (1740, 1733, 0, 4, 3), {"repeated_row": 3}),
    (
        *(BEIJING, "Beijing", (1527, 1504, 21, 0, 2)),
        {
            "repeated_row": 2,
            "duplicate_key": 2,
            "unreadable_number": 6,
            "value_not_price_x_volume": 13,
            "product_assumed": 1,
        },
    ),
    (
        *(DOMESTIC, "Hubei", (1852, 1640, 9, 203, 0)),
        {
            "price_outside_limits": 7,
            "not_whole_tonnes": 1,
            "finer_than_fen": 1,
            "price_moved_without_trade": 6,
            "single_precision": 1,
        },
    ),
    (
        *(SHENZHEN, "Shenzhen", (788, 777, 11, 0, 0)),
        {
            "average_not_value_per_volume": 51,
            "duplicate_key": 6,
            "high_below_low": 3,
            "price_outside_limits": 2,
            "open_outside_low_high": 3,
            "close_outside_low_high": 3,
        },
    ),
]


@pytest.mark.parametrize(("file", "market", "counts", "problems"), COUNTS)
def test_every_row_is_kept_or_accounted_for(reading_of, file, market, counts, problems):
    reading = reading_of(file, market)
    parts = (reading.rows.height, reading.rows_rejected, reading.rows_without_trade, reading.rows_repeated)
    assert (reading.rows_read, *parts) == counts
    assert sum(parts) + reading.rows_of_others == reading.rows_read
    assert Counter(problem.code for problem in reading.problems) == problems


def test_the_faulty_rows_of_the_exchange_pages(reading_of):
    assert rows_with(reading_of(HUBEI, "Hubei"), "repeated_row") == [1361, 1410, 1424]
    beijing = reading_of(BEIJING, "Beijing")
    # Two days twice alike, one day twice with other tonnes.
    assert rows_with(beijing, "repeated_row") == [18, 1087]
    assert rows_with(beijing, "duplicate_key") == [735, 736]
    # Points and commas out of place, such as 1,799.431.00 and 29,,800.00.
    assert rows_with(beijing, "unreadable_number") == [206, 837, 894, 996, 1048, 1139]
    assumed = next(problem for problem in beijing.problems if problem.code == "product_assumed")
    assert (assumed.row, assumed.found) == (None, "291 rows without a product, rows 618 to 1528")


def test_volumes_and_values_that_changed_places_in_the_domestic_feed(reading_of):
    reading = reading_of(DOMESTIC, "Hubei")
    # 83,552 t at 24.36 CNY are printed as 2,034,940 t for 83,552 CNY; prices of row 1692 and 1702 are doubled.
    assert {30, 609, 1692, 1702} <= error_rows(reading)
    assert all(problem.row not in (2, 3, 4) for problem in reading.problems)


def test_the_splice_of_hubei_is_exact(reading_of):
    """Tonnes before Wind begins = Wind's running sum of its first day less that day (research, data.md 2)."""
    before = reading_of(DOMESTIC, "Hubei").rows.filter(pl.col("day") < date(2014, 4, 28))
    wind = reading_of("raw_wind_HBEA.csv.gz", "Hubei").rows.filter(pl.col("day") == date(2014, 4, 28))
    assert before["volume_t"].sum() == 1_994_298
    assert (wind["cumulative_volume_t"] - wind["volume_t"]).to_list() == [1_994_298]


def test_shares_of_days_on_which_exchange_and_wind_agree(reading_of):
    """Hubei, 1,726 shared days: close 99.6 %, volume 99.8 % (research, data.md 2)."""
    wind = reading_of("raw_wind_HBEA.csv.gz", "Hubei").rows
    both = reading_of(HUBEI, "Hubei").rows.join(wind, on="day", suffix="_wind")
    assert both.height == 1726
    assert round((both["close_fen_per_t"] == both["close_fen_per_t_wind"]).mean(), 3) == 0.996
    assert round((both["volume_t"] == both["volume_t_wind"]).mean(), 3) == 0.998


def test_all_markets_of_the_sichuan_page_make_up_the_file(reading_of):
    readings = [reading_of(SCEEX, market) for market in PILOTS]
    for reading in readings:
        parts = reading.rows.height + reading.rows_rejected + reading.rows_without_trade + reading.rows_repeated
        assert parts + reading.rows_of_others == reading.rows_read == 12_408 - 1  # one line of the file is blank
    nobody = set.intersection(*(set(rows_with(reading, "unknown_market")) for reading in readings))
    own = [reading.rows_read - reading.rows_of_others - len(nobody) for reading in readings]
    # 44 lines name neither exchange nor product, 7 are European.
    assert (len(nobody), sum(own) + len(nobody) + 7) == (44, 12_407)


def test_the_faulty_rows_of_the_sichuan_page(reading_of):
    readings = [reading_of(SCEEX, market) for market in PILOTS]
    crossed = sorted(row for reading in readings for row in rows_with(reading, "high_below_low"))
    assert crossed == [
        *(78, 285, 724, 1841, 2002, 2311, 2321, 2337, 3315, 4177, 5155, 5329, 5534, 5990, 6559, 6744, 6807, 6820),
        *(6906, 6972, 7572),
    ]
    products = {
        problem.row: problem.found
        for reading in readings
        for problem in reading.problems
        if problem.code == "unknown_product" and problem.found != "nothing"
    }
    assert products == {
        **{9428: "CQEA-1", 9505: "TJEA16", 9839: "HBEA", 9928: "TJEA16", 10501: "GDEA", 11129: "GDEA"},
        **{12039: "SZA2014", 12042: "SZA2016", 12403: "SZA-2016"},
    }
    last = reading_of(SCEEX, "Shenzhen").rows.filter(pl.col("row") == 12_409)
    assert last.select("product", "volume_t", "value_fen").row(0) == ("SZA-2015", 10_000, 30_800_000)


@pytest.mark.parametrize(
    ("market", "witness", "agree", "flagged"),
    [("Hubei", "raw_wind_HBEA.csv.gz", 842, 3), ("Beijing", BEIJING, 382, 9), ("Shenzhen", SHENZHEN, 359, 2)],
)
def test_rows_of_the_sichuan_page_that_a_witness_confirms(reading_of, market_files, market, witness, agree, flagged):
    """Lines whose tonnes and value another source prints too; those set apart contradict themselves in their prices."""
    names = {"交易日期": "day", "交易品种": "product", "成交量": "volume_t", "成交金额": "value"}
    raw = pl.read_csv(market_files / SCEEX, infer_schema=False).with_row_index("row", offset=2).rename(names)
    lines = raw.select(
        pl.col("row").cast(pl.Int64),
        pl.col("day").str.to_date(strict=False),
        pl.col("product").str.replace(r"^SZA(\d{4})$", "SZA-$1"),
        pl.col("volume_t").str.replace_all(",", "").cast(pl.Float64, strict=False).cast(pl.Int64),
        (pl.col("value").str.replace_all(",", "").cast(pl.Float64, strict=False) * 100)
        .round()
        .cast(pl.Int64)
        .alias("value_fen"),
    )
    confirmed = lines.join(reading_of(witness, market).rows, on=["day", "product", "volume_t", "value_fen"], suffix="_")
    set_apart = confirmed.filter(pl.col("row").is_in(sorted(error_rows(reading_of(SCEEX, market)))))
    assert (confirmed.height, set_apart.height) == (agree, flagged)


def test_loading_shenzhen_makes_bars_whose_listing_is_unknown(session, lake, market_files):
    report = load_trades(session, lake, market_files / SHENZHEN, market="Shenzhen")
    assert (report.rows_read, report.rows_new, report.rejected, report.rows_of_others) == (788, 777, 11, 0)
    bar = session.get(DailyBar, ("Shenzhen", date(2021, 12, 8)))
    assert (bar.volume_t, bar.value_fen) == (1 + 91_000 + 69_001 + 2, 1147 + 91_000_000 + 77_280_972 + 2396)
    assert (bar.listing_volume_t, bar.block_value_fen, bar.auction_volume_t) == (None, None, None)
    assert bar.close_fen_per_t == 972  # SZA-2016 has more tonnes, but no listed price


def test_loading_one_market_of_many_counts_the_others(session, lake, market_files):
    report = load_trades(session, lake, market_files / SCEEX, market="FJEA")
    assert report.rows_of_others + report.rows_kept + report.rejected + report.rows_without_trade == report.rows_read
    again = load_trades(session, lake, market_files / SCEEX, market="FJEA")
    assert (again.rows_new, again.rows_already_loaded) == (0, report.rows_new)
