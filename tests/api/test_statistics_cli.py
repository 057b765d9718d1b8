import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from api.lang import texts
from carbon.fx import MAX_AGE_DAYS

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]

NATIONAL = "日期,配额类型,开盘价,最高价,最低价,收盘价,涨幅,日成交量,日成交额,交易方式"
NATIONAL_LINES = [
    "2022-03-31,CEA,58.0,58.5,57.5,58.0,0.0,1000,58000,挂牌协议交易",
    "2022-04-01,CEA,58.0,59.0,58.0,58.58,1.0,2000,117160,挂牌协议交易",
    "2022-04-01,CEA,58.0,59.0,58.0,58.58,1.0,100000,5220000,大宗协议交易",
]
SETTLED = "日期,配额类型,交易方式,本日成交量_吨,本日成交额_元,累计成交量_吨,累计成交额_元"
SETTLED_LINES = [
    "2022-04-01,CEA20,挂牌协议交易,1500,87870.00,1500,87870.00",
    "2022-04-01,CEA21,挂牌协议交易,500,29290.00,500,29290.00",
]


def write(folder: Path, header: str, lines: list[str], name: str) -> str:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def loaded(run: Run, tmp_path: Path) -> Run:
    """The same home with three national rows."""
    code, _, err = run("load", "trades", write(tmp_path, NATIONAL, NATIONAL_LINES, "national.csv"), "--market", "CEA")
    assert code == 0, err
    return run


def test_months_in_a_pipe_are_csv(loaded: Run) -> None:
    code, out, _ = loaded("market-statistics", "--market", "cea", "--by", "month")
    assert code == 0
    march, april = pl.read_csv(out.encode()).to_dicts()
    assert (march["market"], march["period"], march["volume_t"], march["returns"]) == ("CEA", "2022-03", 1000, 0)
    assert (april["volume_t"], april["value_fen"]) == (102_000, (117_160 + 5_220_000) * 100)
    assert april["realised_variance"] == pytest.approx(math.log(58.58 / 58) ** 2)
    assert april["block_discount_mean"] == pytest.approx(52.2 / 58 - 1)
    assert march["block_discount_mean"] is None


def test_parts_as_json(loaded: Run) -> None:
    _, out, _ = loaded("market-statistics", "--split", "method", "--by", "all", "--format", "json")
    assert [(part["method"], part["volume_t"]) for part in json.loads(out)] == [("block", 100_000), ("listing", 3000)]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_table_in_both_languages(loaded: Run, lang: str) -> None:
    text = texts("cli", "zh" if lang == "zh" else "en")
    _, out, _ = loaded("market-statistics", "--by", "month", "--split", "method", "--format", "table", "--lang", lang)
    assert out.startswith(text["title_market_statistics"].format(markets="CEA"))
    for label in ("method", "close", "block_share"):
        assert text[label].split()[0] in out
    (listed,) = (line.split() for line in out.splitlines() if "2022-04" in line and "listing" in line)
    assert {"2,000", "58.58", "0%"} <= set(listed)


def test_the_feed_that_tells_vintages_can_be_asked_for(loaded: Run, tmp_path: Path) -> None:
    loaded("load", "trades", write(tmp_path, SETTLED, SETTLED_LINES, "settled.csv"), "--market", "CEA")
    asked = ("market-statistics", "--by", "month", "--split", "vintage", "--format", "json")
    _, out, _ = loaded(*asked)
    assert {(part["vintage"], part["feed"]) for part in json.loads(out)} == {(None, "cneeex_daily")}
    _, out, _ = loaded(*asked, "--feed", "crc_settlement")
    april = [part for part in json.loads(out) if part["period"] == "2022-04"]
    assert [(part["vintage"], part["volume_t"]) for part in april] == [(2020, 1500), (2021, 500)]


def test_turnover_is_added_from_a_file(loaded: Run, tmp_path: Path) -> None:
    known = write(tmp_path, "market,period,allowances_t,source", ["CEA,2022,1030000,a report"], "allowances.csv")
    code, out, _ = loaded("market-statistics", "--allowances", known, "--format", "json")
    (year,) = json.loads(out)
    assert code == 0
    assert (year["turnover"], year["allowances_source"]) == (103_000 / 1_030_000, "a report")
    _, out, _ = loaded("market-statistics", "--allowances", known, "--format", "table")
    assert "10%" in out
    bad = write(tmp_path, "market,period,allowances_t,source", ["CEA,2022,-5,a report"], "bad.csv")
    code, _, err = loaded("market-statistics", "--allowances", bad)
    assert code == 4
    assert "row 2: found '-5'" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--by", "week"), "expected day, month, quarter, year, all"),
        (("--split", "vintage,buyer"), "expected vintage, method, product"),
        (("--feed", "wind_daily"), "loaded are cneeex_daily"),
        (("--currency", "GBP"), "expected EUR, USD"),
        (("--currency", "EUR", "--garch"), "returns have no currency"),
        (("--format", "xlsx"), "expected table, json or csv"),
    ],
)
def test_wrong_options_are_wrong_usage(loaded: Run, words: tuple[str, str], expected: str) -> None:
    code, out, err = loaded("market-statistics", *words)
    assert (code, out) == (2, "")
    assert expected in " ".join(err.replace("│", " ").split())


def test_figures_in_another_currency(loaded: Run, tmp_path: Path) -> None:
    rates = write(tmp_path, "day,currency,per_eur,per_usd,source", ["2022-03-30,CNY,0.14,,ECB"], "rates.csv")
    assert loaded("load", "rates", rates)[0] == 0
    asked = ("market-statistics", "--by", "month", "--currency", "eur")
    march, april = json.loads(loaded(*asked, "--format", "json")[1])
    for row, value, last in ((march, 58_000, "2022-03-31"), (april, 117_160 + 5_220_000, "2022-04-01")):
        assert row["value_in_currency"] == pytest.approx(value * 0.14)
        assert (row["currency"], row["rate"], row["rate_day"]) == ("EUR", 0.14, "2022-03-30")
        assert (row["last_day"], row["rate_carried_forward"], row["rate_note"]) == (last, True, None)
    assert "currency" not in json.loads(loaded("market-statistics", "--format", "json")[1])[0]
    (dollar,) = json.loads(loaded("market-statistics", "--currency", "USD", "--format", "json")[1])
    assert (dollar["value_in_currency"], dollar["rate_carried_forward"]) == (None, None)
    assert "no rate of USD" in dollar["rate_note"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_table_in_another_currency(loaded: Run, tmp_path: Path, lang: str) -> None:
    text = texts("cli", "zh" if lang == "zh" else "en")
    asked = ("market-statistics", "--by", "month", "--currency", "EUR", "--format", "table", "--lang", lang)
    reason = text["statistics_no_rate"].format(currency="EUR", days=MAX_AGE_DAYS)
    assert loaded(*asked)[1].splitlines()[-1] == reason
    rates = write(tmp_path, "day,currency,per_eur,per_usd,source", ["2022-03-31,CNY,0.14,,ECB"], "rates.csv")
    loaded("load", "rates", rates)
    _, out, _ = loaded(*asked)
    assert out.startswith(text["title_in_currency"].format(markets="CEA", currency="EUR"))
    march, april = (line.split() for line in out.splitlines() if line.startswith("2022-"))
    # 58 CNY/t at 0.14 are 8.12 EUR/t; only the rate of April is of another day.
    assert march == ["2022-03", "1,000", "58000.00", "8120.00", "58.00", "8.12", "0.140000", "2022-03-31"]
    assert april[-1] == "2022-03-31*"
    assert out.splitlines()[-1] == text["statistics_rate_carried"]


def test_what_is_not_there_is_not_found(run: Run, tmp_path: Path) -> None:
    code, _, err = run("market-statistics")
    assert (code, err) == (3, f"greenfin: {texts('cli', 'en')['no_rows_at_all']}\n")
    run("load", "trades", write(tmp_path, NATIONAL, NATIONAL_LINES, "national.csv"), "--market", "CEA")
    code, _, err = run("market-statistics", "--market", "CEA", "--market", "HBEA", "--lang", "zh")
    assert (code, "尚未载入Hubei的数据" in err) == (3, True)
    code, _, err = run("market-statistics", "--market", "nowhere")
    assert (code, "found market 'nowhere'" in err) == (3, True)


def test_too_few_returns_are_refused_with_the_reason(loaded: Run) -> None:
    code, out, err = loaded("market-statistics", "--garch", "--format", "json")
    (fit,) = json.loads(out)
    assert code == 4
    assert (fit["market"], fit["returns"], fit["alpha"]) == ("CEA", 1, None)
    assert "CEA: found 1 returns, expected 250 at least" in err


def test_without_the_extra_its_name_is_told(loaded: Run, monkeypatch: pytest.MonkeyPatch, outside_data: Path) -> None:
    national = outside_data / "markets" / "cneeex_2021_2023_merged.csv"
    loaded("load", "trades", str(national), "--market", "CEA")
    code, out, err = loaded("market-statistics", "--garch", "--format", "table")
    assert code == 0
    assert out.startswith(texts("cli", "en")["title_garch"])
    assert texts("cli", "en")["garch_integrated"] in out
    assert err == ""
    monkeypatch.setitem(sys.modules, "arch", None)
    code, out, err = loaded("market-statistics", "--garch")
    assert (code, out) == (4, "")
    assert "pip install greenfin[garch]" in err
