"""`greenfin load trade-records` and `greenfin trades` as a user runs them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]

TRADES = """time,market,product,method,buyer,seller,price_cny,quantity_t
2024-01-02 09:30:00,CEA,CEA23,listing,1,2,80.50,100
2024-01-02 14:00:00,CEA,CEA23,block,,3,79,100000
2024-02-01 09:30:00,CEA,CEA22,listing,2,1,81,50
2024-01-03 09:30:00,HBEA,HBEA,listing,1,2,nothing,100
"""


@pytest.fixture
def run(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command in a folder with a file of trades."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text(TRADES, encoding="utf-8")
    return run


def test_loading_lists_what_is_wrong_and_twice_changes_nothing(run: Run) -> None:
    code, out, err = run("load", "trade-records", "mine.csv", "--format", "json")
    assert code == 0
    (problem,) = json.loads(out)
    assert (problem["row"], problem["column"], problem["found"]) == (5, "price_cny", "nothing")
    assert "mine.csv: 4 rows of trades; 3 new, 1 set apart" in err
    assert "assumed: no column vintage" in err
    code, out, err = run("load", "trade-records", "mine.csv", "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert "loaded before, nothing changed" in err


def test_summary_by_month_year_and_part(run: Run) -> None:
    run("load", "trade-records", "mine.csv")
    _, out, _ = run("trades", "summary", "--market", "cea", "--format", "json")
    january, february = json.loads(out)
    assert (january["period"], january["volume_t"]) == ("2024-01", 100 + 100_000)
    assert january["value_fen"] == 100 * 8050 + 100_000 * 7900
    assert (january["buyers"], january["sellers"], february["close_fen_per_t"]) == (1, 2, 8100)
    _, out, _ = run("trades", "summary", "--by", "year", "--split", "method,vintage", "--format", "json")
    parts = {(row["vintage"], row["method"]): row["volume_t"] for row in json.loads(out)}
    assert parts == {(2023, "listing"): 100, (2023, "block"): 100_000, (2022, "listing"): 50}


def test_summary_with_allowances_gives_the_turnover(run: Run) -> None:
    run("load", "trade-records", "mine.csv")
    Path("allowances.csv").write_text(
        "market,period,allowances_t,source\nCEA,2024,1000000,a notice\n", encoding="utf-8"
    )
    words = ("trades", "summary", "--by", "year", "--allowances", "allowances.csv")
    _, out, _ = run(*words, "--format", "json")
    assert json.loads(out)[0]["turnover"] == (100 + 100_000 + 50) / 1_000_000
    _, out, _ = run(*words, "--format", "table", "--lang", "zh")
    assert "换手率" in out
    assert "CEA" in out


def test_summary_as_a_table_says_how_many_files_were_read(run: Run) -> None:
    run("load", "trade-records", "mine.csv")
    _, out, _ = run("trades", "summary", "--format", "table")
    assert "1 files of trades, 1 of them read now" in out
    _, out, _ = run("trades", "summary", "--format", "table")
    assert "1 files of trades, 0 of them read now" in out


def test_participants_with_those_not_known(run: Run) -> None:
    run("load", "trade-records", "mine.csv")
    _, out, _ = run("trades", "participants", "--format", "json")
    found = {row["participant"]: (row["bought_t"], row["sold_t"]) for row in json.loads(out)}
    assert found == {None: (100_000, 0), 1: (100, 50), 2: (50, 100), 3: (0, 100_000)}
    _, out, _ = run("trades", "participants", "--top", "1", "--format", "table", "--lang", "zh")
    assert "100,000" in out
    assert run("trades", "participants", "--market", "Hubei")[0] == 3


@pytest.mark.parametrize(
    ("by", "periods"),
    [
        ("day", ["2024-01-02", "2024-02-01"]),
        ("week", ["2024-W01", "2024-W05"]),
        ("month", ["2024-01", "2024-02"]),
        ("quarter", ["2024Q1"]),
        ("all", ["all"]),
    ],
)
def test_summary_by_any_period(run: Run, by: str, periods: list[str]) -> None:
    run("load", "trade-records", "mine.csv")
    _, out, _ = run("trades", "summary", "--by", by, "--format", "json")
    rows = json.loads(out)
    assert [row["period"] for row in rows] == periods
    assert {row["by"] for row in rows} == {by}
    assert sum(row["volume_t"] for row in rows) == 100 + 100_000 + 50
    assert sum(row["returns"] for row in rows) == 1
    assert (rows[0]["participants"] is None) == (by in ("day", "week"))


def test_participants_by_name(run: Run) -> None:
    lines = TRADES.replace(",1,2,", ",武钢,华能,").replace(",,3,", ",,Li,").replace(",2,1,", ",华能,武钢,")
    Path("names.csv").write_text(lines, encoding="utf-8")
    _, _, err = run("load", "trade-records", "names.csv")
    assert "names.csv: assumed: buyer and seller hold no whole number: taken as names" in err
    _, out, _ = run("trades", "participants", "--by", "quarter", "--format", "json")
    found = {row["name"]: (row["period"], row["bought_t"], row["sold_t"]) for row in json.loads(out)}
    assert found["Li"] == ("2024Q1", 0, 100_000)
    assert set(found) == {None, "Li", "武钢", "华能"}
    _, out, _ = run("trades", "participants", "--by", "all", "--format", "table")
    assert "武钢" in out
    assert "10737418" not in out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("trades", "summary"), 3, "found no trades"),
        (("trades", "summary", "--market", "XYZ"), 3, "XYZ"),
        (("trades", "summary", "--by", "decade"), 2, "day, week, month, quarter, year, all"),
        (("trades", "participants", "--by", "week"), 2, "expected month, quarter, year, all"),
        (("trades", "summary", "--split", "buyer"), 2, "vintage or method"),
        (("trades", "summary", "--engine", "dask"), 4, "local-cluster"),
        (("load", "trade-records", "absent.csv"), 4, "no file absent.csv"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, words: tuple[str, ...], code: int, message: str) -> None:
    got, _, err = run(*words)
    assert got == code
    assert message in err
