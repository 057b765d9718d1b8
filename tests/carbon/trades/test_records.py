"""A user's file of trades: every broken row told at once with its place, good rows kept as they are."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from carbon import scans
from carbon.errors import UnknownFormat, UnknownMarket, UnreadableFile
from carbon.trades.files import scan_trade_file
from carbon.trades.records import LARGEST_VALUE_FEN, trades_schema

HEADER = "time,market,product,vintage,method,buyer,seller,price_cny,quantity_t"
GOOD = "2024-01-02 09:30:01.5,CEA,CEA23,2023,listing,1,2,80.50,100"


def us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1_000_000)


@pytest.fixture
def write(tmp_path: Path):
    def write_csv(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / "mine.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return write_csv


def test_a_good_row_is_read_with_its_units(write) -> None:
    reading = scan_trade_file(write(GOOD))
    (row,) = reading.good.collect().to_dicts()
    assert row["time_us"] == us(2024, 1, 2, 1, 30, 1) + 500_000
    assert (row["price_fen"], row["quantity_t"], row["method"]) == (8050, 100, 10)
    assert (row["market"], row["product"], row["vintage"], row["buyer"]) == ("CEA", "CEA23", 2023, 1)
    assert reading.good.collect_schema() == trades_schema()
    assert reading.problems == ()
    assert reading.assumed == ("times without an offset are taken as China Standard Time (UTC+8)",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-02T01:30:00Z", us(2024, 1, 2, 1, 30)),
        ("2024-01-02T09:30:00+08:00", us(2024, 1, 2, 1, 30)),
        ("2024-01-01 23:30:00-0230", us(2024, 1, 2, 2, 0)),
        ("2024-01-02 09:30", us(2024, 1, 2, 1, 30)),
    ],
)
def test_moments(write, text: str, expected: int) -> None:
    assert (
        scan_trade_file(write(GOOD.replace("2024-01-02 09:30:01.5", text))).good.collect()["time_us"].item() == expected
    )


def test_microseconds_stand_for_themselves(write) -> None:
    line = GOOD.replace("2024-01-02 09:30:01.5", str(us(2024, 1, 2, 1, 30)))
    header = HEADER.replace("time,", "time_us,")
    assert scan_trade_file(write(line, header=header)).good.collect()["time_us"].to_list() == [us(2024, 1, 2, 1, 30)]
    broken = scan_trade_file(write(line, GOOD, header=header))
    assert [(p.code, p.row, p.column) for p in broken.problems] == [("unreadable_cell", 3, "time_us")]


def test_a_file_of_no_market_that_is_known(write) -> None:
    reading = scan_trade_file(write(GOOD.replace("CEA,CEA23", "Atlantis,CEA23"), GOOD.replace("CEA,CEA23", ",CEA23")))
    assert [(p.code, p.row) for p in reading.problems] == [("missing_cell", 3), ("unknown_market", 2)]
    assert (reading.rows_read, reading.rows_kept) == (2, 0)


def test_the_day_is_that_of_china(write) -> None:
    late = GOOD.replace("2024-01-02 09:30:01.5", "2023-12-31T16:00:00Z")
    assert str(scan_trade_file(write(late)).good.collect()["day"].item()) == "2024-01-01"


BROKEN = [
    ("someday", "time", "unreadable_cell", 0),
    ("", "time", "missing_cell", 0),
    ("XYZ", "market", "unknown_market", 1),
    ("", "product", "missing_cell", 2),
    ("dark pool", "method", "unknown_method", 4),
    ("-1", "buyer", "negative_code", 5),
    ("Li", "seller", "unreadable_cell", 6),
    ("2147483648", "buyer", "unreadable_cell", 5),
    ("80.505", "price_cny", "unreadable_cell", 7),
    ("0", "price_cny", "not_positive", 7),
    ("-3", "price_cny", "not_positive", 7),
    ("0.5", "quantity_t", "unreadable_cell", 8),
    ("0", "quantity_t", "not_positive", 8),
    ("twenty", "vintage", "unreadable_cell", 3),
]


def test_every_broken_row_is_told_at_once_with_its_place(write) -> None:
    lines = []
    for text, _, _, place in BROKEN:
        cells = GOOD.split(",")
        cells[place] = text
        lines.append(",".join(cells))
    reading = scan_trade_file(write(GOOD, *lines, GOOD))
    assert reading.rows_read == len(BROKEN) + 2
    assert reading.good.collect().height == reading.rows_kept == 2
    told = {(p.row, p.column, p.code): p.found for p in reading.problems}
    wanted = {(row, column, code): text or "nothing" for row, (text, column, code, _) in enumerate(BROKEN, 3)}
    assert told == wanted
    assert {p.severity for p in reading.problems} == {"error"}


def test_a_trade_with_oneself_is_kept_and_told(write) -> None:
    reading = scan_trade_file(write(GOOD.replace(",1,2,", ",7,7,")))
    assert reading.rows_kept == 1
    assert [(p.code, p.severity, p.row) for p in reading.problems] == [("buyer_is_seller", "warning", 2)]


def test_a_trade_too_large_to_be_one_is_set_apart(write) -> None:
    lines = [GOOD.replace("80.50,100", f"{price / 100:.2f},{LARGEST_VALUE_FEN // 2048}") for price in (2048, 2047)]
    reading = scan_trade_file(write(*lines))
    assert [(p.code, p.row) for p in reading.problems] == [("value_too_large", 2)]
    assert reading.rows_kept == 1


def test_many_broken_rows_are_counted_not_listed(write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "PROBLEMS_A_RULE", 3)
    reading = scan_trade_file(write(*[GOOD.replace("80.50", "0")] * 10))
    assert [p.row for p in reading.problems] == [2, 3, 4, None]
    assert reading.problems[-1].found == "7 more rows like this"


def test_what_a_file_does_not_say_is_told_as_assumed(write) -> None:
    path = write("2024-01-02T01:30:00Z,CEA23,8050,100", header="time,product,price_fen,quantity_t")
    reading = scan_trade_file(path, market="cea")
    (row,) = reading.good.collect().to_dicts()
    assert (row["market"], row["method"], row["vintage"], row["buyer"], row["price_fen"]) == (
        "CEA",
        10,
        2023,
        None,
        8050,
    )
    assert len(reading.assumed) == 2
    assert reading.problems == ()


def test_parquet_keeps_types_and_counts_rows_from_one(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "time": pl.Series([datetime(2024, 1, 2, 9, 30)] * 3),
            "market": "CEA",
            "product": "CEA",
            "method": pl.Series([10, 20, 99], dtype=pl.Int64),
            "buyer": pl.Series([1, None, 1 << 40], dtype=pl.Int64),
            "price_cny": pl.Series([80.5, 79.99, 80.0]),
            "quantity_t": pl.Series([100, 1 << 33, 5], dtype=pl.Int64),
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    reading = scan_trade_file(tmp_path / "a.parquet")
    assert [(p.row, p.column, p.code) for p in reading.problems] == [
        (3, "buyer", "unreadable_cell"),
        (2, "quantity_t", "unreadable_cell"),
        (3, "method", "unknown_method"),
    ]
    (row,) = reading.good.collect().to_dicts()
    assert (row["time_us"], row["price_fen"]) == (us(2024, 1, 2, 1, 30), 8050)


def test_missing_columns_are_told_at_once(write) -> None:
    with pytest.raises(UnknownFormat, match=r"time_us or time; product or instrument; quantity_t"):
        scan_trade_file(write("CEA,80", header="market,price_cny"))


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("time,market,product,price_fen,price_fen,quantity_t", "price_fen and price_fen;"),
        ("time,market,product,price_fen,price_cny,quantity_t", "price_fen and price_cny;"),
        (
            "time,market,product,price_fen,price_cny,quantity_t,time_us,note,note",
            "time and time_us; price_fen and price_cny;",
        ),
    ],
)
def test_one_thing_under_two_headings_is_refused(write, header: str, told: str) -> None:
    with pytest.raises(UnknownFormat, match=rf"found in mine\.csv the columns {told} expected one"):
        scan_trade_file(write("2024-01-02,CEA,CEA,1,2,3", header=header))


def test_other_headings_may_come_twice(write) -> None:
    path = write("2024-01-02 09:30,CEA,CEA,1,3,x,y", header="time,market,product,price_fen,quantity_t,note,note")
    assert scan_trade_file(path).rows_kept == 1


def test_a_parquet_file_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"price_fen": [1], "price_fem": [2]}).write_parquet(path, compression="uncompressed")
    path.write_bytes(path.read_bytes().replace(b"price_fem", b"price_fen"))
    with pytest.raises(UnknownFormat, match=r"a\.parquet.*price_fen.*expected each heading once"):
        scan_trade_file(path)


def test_a_file_of_uneven_lines_is_told(write) -> None:
    with pytest.raises(UnreadableFile, match=r"mine\.csv to be unreadable"):
        scan_trade_file(write(GOOD, GOOD + ",1,2"))


def test_files_that_cannot_be_read_are_told(tmp_path: Path, write) -> None:
    with pytest.raises(UnreadableFile, match=r"no file absent\.csv"):
        scan_trade_file(tmp_path / "absent.csv")
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(UnreadableFile, match=r"a\.parquet"):
        scan_trade_file(tmp_path / "a.parquet")
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(UnknownFormat, match=r"\.csv or \.parquet"):
        scan_trade_file(tmp_path / "a.xlsx")
    with pytest.raises(UnknownMarket):
        scan_trade_file(write("2024-01-02,CEA,1,1", header="time,product,price_fen,quantity_t"), market="XYZ")
