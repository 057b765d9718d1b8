"""The commands `greenfin city-market` and `greenfin attribution`, as a user runs them."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from api.lang import texts

Run = Callable[..., tuple[int, str, str]]
FACTS = """as_of,place,fact,value,unit,note,source
2016-12-31,Hubei,cumulative volume,40000000,t,,page
2014-09-09,Hubei,first pledge loan,40000000,CNY,,page
soon,Hubei,monthly volume,1,t,,page
"""
HEADER = "日期,配额类型,开盘价,最高价,最低价,收盘价,涨幅,日成交量,日成交额,交易方式"
LINES = [
    "2022-03-01,CEA,58.0,58.5,57.5,58.0,0.0,1000,58000,挂牌协议交易",
    "2022-03-01,CEA,58.0,58.5,57.5,58.0,0.0,100000,5500000,大宗协议交易",
    "2022-04-01,CEA,58.0,59.0,58.0,58.58,1.0,2000,117160,挂牌协议交易",
]


@pytest.fixture
def facts(tmp_path: Path) -> str:
    path = tmp_path / "facts.csv"
    path.write_text(FACTS, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tables_in_both_languages(run: Run, facts: str, lang: str) -> None:
    text = texts("cli", lang)
    code, out, err = run("city-market", "wuhan", "--facts", facts, "--format", "table", "--lang", lang)
    assert code == 0, err
    for label in ("city_custody", "city_screen", "title_city_facts", "fact_printed"):
        assert text[label].split()[0] in out
    assert "234,597,856" in out
    assert text["facts_unmatched"].format(count=1) in out
    assert "row 4, column as_of: found soon" in out
    code, out, err = run("attribution", "--year", "2025", "--format", "table", "--lang", lang)
    assert code == 0, err
    assert {"en": "Wuhan", "zh": "武汉"}[lang] in out
    assert {"en": "unattributed", "zh": "未归属"}[lang] in out
    assert "Lhasa" not in out


def test_a_pipe_gets_the_periods_or_the_facts(run: Run, facts: str) -> None:
    code, out, err = run("city-market", "wuhan", "--facts", facts, "--from", "2024-05-01", "--to", "2025-01-01")
    assert code == 0
    assert pl.read_csv(io.StringIO(out))["period"].to_list() == [2024, 2025]
    assert "first pledge loan" in err
    code, out, _ = run("city-market", "wuhan", "--facts", facts, "--list", "facts", "--format", "json")
    rows = json.loads(out)
    assert code == 0
    assert [(row["row"], row["status"], row["venue"]) for row in rows] == [
        (2, "compared", "screen"),
        (2, "not_covered", "all_venue"),
        (3, "unmatched", None),
    ]


def test_months_of_a_loaded_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text("\n".join([HEADER, *LINES]) + "\n", encoding="utf-8")
    assert run("load", "trades", str(path), "--market", "CEA")[0] == 0
    _, out, _ = run("city-market", "wuhan", "--by", "month", "--format", "json")
    rows = {row["period"]: row for row in json.loads(out)}
    assert list(rows) == ["2022-03", "2022-04"]
    assert rows["2022-03"]["custody_volume_t"] == 1000 + 100_000
    assert rows["2022-03"]["settled_value_fen"] == (58_000 + 5_500_000) * 100
    _, out, _ = run("city-market", "wuhan", "--by", "day", "--format", "json")
    assert [row["period"] for row in json.loads(out)] == ["2022-03-01", "2022-04-01"]
    _, out, _ = run("attribution", "--year", "2022", "--by", "month", "--sums", "--format", "json")
    sums = {(row["period"], row["column"]): row for row in json.loads(out)}
    assert {row["difference"] for row in sums.values()} == {0}
    assert sums["2022-03", "traded_known_t"]["national"] == 1000 + 100_000
    assert sums["2022-04", "custody_known_t"]["hubs"] == 2000


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("city-market", "atlantis"), 3, "unknown hub"),
        (("city-market", "wuhan", "--by", "week"), 2, "expected day, month, year"),
        (("city-market", "wuhan", "--from", "soon"), 2, "expected a day such as"),
        (("city-market", "wuhan", "--list", "facts"), 2, "found no --facts"),
        (("city-market", "wuhan", "--list", "all"), 2, "expected periods or facts"),
        (("city-market", "wuhan", "--facts", "nowhere.csv"), 4, "nowhere.csv"),
        (("attribution", "--by", "day"), 2, "expected year, month"),
    ],
)
def test_wrong_words_are_told_without_a_traceback(run: Run, words: tuple[str, ...], code: int, said: str) -> None:
    found, _, err = run(*words)
    assert found == code
    assert said in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
