import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from carbon.anomalies.rules import RULES
from carbon.reconciliation.reconciling import differences_schema, lines_schema

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]

PRICE = "日期,交易品种,交易类型,收盘价（元/吨）,最高价（元/吨）,最低价（元/吨）,成交量（吨）,成交额（元）"
PRICES = ["2026-1-5,CEA,挂牌协议,50,50,50,42,2100", "2026-1-6,CEA,挂牌协议,50,50,50,10,500"]
SETTLEMENT = "日期,配额类型,交易方式,本日成交量_吨,本日成交额_元,累计成交量_吨,累计成交额_元"
SETTLED = [
    "2026-01-05,CEA24,挂牌协议交易,30,1500,130,6500",
    "2026-01-05,CEA25,挂牌协议交易,12,600,12,600",
    "2026-01-06,CEA25,挂牌协议交易,10,500,22,1100",
]


def write(folder: Path, name: str, header: str, lines: list[str]) -> str:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return str(path)


def bulletins(folder: Path, prices: list[str]) -> list[str]:
    return [write(folder, "price.csv", PRICE, prices), write(folder, "volume.csv", SETTLEMENT, SETTLED)]


def test_two_bulletins_that_agree(run: Run, tmp_path: Path) -> None:
    code, out, err = run("reconcile", *bulletins(tmp_path, PRICES), "--market", "cea")
    assert code == 0
    lines = pl.read_csv(out.encode())
    assert lines.columns == list(lines_schema())
    exact = lines.filter(pl.col("must_be_exact"))
    assert dict(exact.select("check", "compared").unique().iter_rows()) == {
        "running sum = days": 1,
        "vintages = composite": 2,
    }
    assert exact["holds"].all()
    assert "not checked: " in err
    assert "2026-03-06" in err


def test_a_tonne_too_few_ends_with_four(run: Run, tmp_path: Path) -> None:
    files = bulletins(tmp_path, [PRICES[0].replace(",42,", ",41,"), PRICES[1]])
    code, out, _ = run("reconcile", *files, "--market", "CEA", "--differences", "--format", "json")
    assert code == 4
    rows = json.loads(out)
    assert list(rows[0]) == list(differences_schema())
    wrong = [row for row in rows if row["must_be_exact"]]
    assert [(row["check"], row["day"], row["left"], row["right"]) for row in wrong] == [
        ("vintages = composite", "2026-01-05", 42, 41)
    ]


def test_printed_sums_of_a_file(run: Run, tmp_path: Path) -> None:
    files = bulletins(tmp_path, PRICES)
    good = write(tmp_path, "good.csv", "from,day,volume_t,value_cny,source", ["2026-01-05,2026-01-06,52,2600,page 1"])
    assert run("reconcile", *files, "--market", "CEA", "--against", good)[0] == 0
    bad = write(tmp_path, "bad.csv", "from,day,volume_t,source", ["2026-01-05,2026-01-06,53,page 1"])
    code, out, _ = run("reconcile", *files, "--market", "CEA", "--against", bad, "--format", "table")
    assert code == 4
    assert "NOT EXACT" in out
    assert "printed sum" in out
    code, _, err = run("reconcile", *files, "--market", "CEA", "--against", write(tmp_path, "no.csv", "a,b", ["1,2"]))
    assert code == 4
    assert "no.csv, row 1: found a, b, expected a column day" in err


@pytest.mark.parametrize(("lang", "word"), [("en", "Verdict"), ("zh", "结论")])
def test_the_table_in_both_languages(run: Run, tmp_path: Path, lang: str, word: str) -> None:
    code, out, _ = run(
        "reconcile", *bulletins(tmp_path, PRICES), "--market", "CEA", "--format", "table", "--lang", lang
    )
    assert code == 0
    assert word in out
    assert "vintages" in out


def test_what_is_loaded_is_reconciled_without_files(run: Run, tmp_path: Path) -> None:
    code, _, err = run("reconcile", "--market", "CEA")
    assert code == 3
    assert "no rows of CEA" in err
    for file in bulletins(tmp_path, PRICES):
        assert run("load", "trades", file, "--market", "CEA")[0] == 0
    code, out, _ = run("reconcile", "--market", "CEA")
    assert code == 0
    assert set(pl.read_csv(out.encode())["check"]) == {"running sum = days", "vintages = composite", "two sources"}


def test_rows_set_apart_are_told(run: Run, tmp_path: Path) -> None:
    files = bulletins(tmp_path, [*PRICES, "2026-1-7,CEA,挂牌协议,50,40,50,10,500"])
    _, _, err = run("reconcile", *files, "--market", "CEA")
    assert "price.csv: 1 lines set apart" in err
    assert "high_below_low" in err


def test_unknown_markets_and_files(run: Run, tmp_path: Path) -> None:
    assert run("reconcile", "--market", "Atlantis")[0] == 3
    assert run("reconcile", write(tmp_path, "a.csv", "x,y", ["1,2"]), "--market", "CEA")[0] == 4
    assert run("reconcile", str(tmp_path / "none.csv"), "--market", "CEA")[0] in (1, 4)


def test_anomalies_of_files(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, "price.csv", PRICE, [*PRICES, "2026-1-7,CEA,大宗协议,50,50,50,99999,4999950"])
    code, out, _ = run("anomalies", file, "--market", "CEA", "--format", "json")
    assert code == 0
    (small,) = json.loads(out)
    assert (small["rule"], small["severity"], small["row"], small["found"]) == (
        "block_too_small",
        "warning",
        4,
        "99999 t",
    )
    _, out, _ = run("anomalies", file, "--market", "CEA", "--rates")
    rates = pl.read_csv(out.encode())
    assert rates["rule"].to_list() == list(RULES)
    assert rates.filter(rule="block_too_small").select("rows", "warnings").row(0) == (3, 1)
    _, out, _ = run("anomalies", file, "--market", "CEA", "--format", "table", "--lang", "zh")
    assert "规则" in out.splitlines()[1]
    assert "rule" not in out.splitlines()[1]
    _, out, _ = run("anomalies", file, "--market", "CEA", "--format", "table")
    assert "what looks wrong in 3 rows" in out


ICAP = [
    ",Hubei (Pilot) Emissions Trading System,,,,",
    "Date,Primary Market,Secondary Market,Market Currency,Exchange rate CNY/EUR,",
    "01/03/2024,,40,CNY,0.13,",
]


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "no row of Guangdong in icap.csv"), ("zh", "icap.csv 中没有Guangdong")]
)
def test_a_file_without_the_market_ends_with_one(run: Run, tmp_path: Path, lang: str, said: str) -> None:
    icap = write(tmp_path, "icap.csv", ICAP[0], ICAP[1:])
    code, out, err = run("reconcile", icap, "--market", "Guangdong", "--lang", lang)
    assert (code, out) == (1, "")
    assert said in err
    assert run("reconcile", icap, "--market", "Hubei")[0] == 0
    # Prices without tonnes are compared, but there is no row that could be odd.
    code, out, err = run("anomalies", icap, "--market", "Hubei")
    assert (code, out) == (1, "")
    assert "no row of Hubei in icap.csv that can be used" in err


@pytest.mark.parametrize("verb", [("reconcile",), ("anomalies",), ("load", "trades")])
@pytest.mark.parametrize(
    ("market", "lines"),
    [
        pytest.param("CEA", [], id="header only"),
        pytest.param("Hubei", PRICES, id="wrong market"),
        pytest.param("CEA", ["2026-1-5,CEA,挂牌协议,50,40,50,42,2100"], id="nothing but bad rows"),
    ],
)
def test_nothing_usable_is_one_rule(
    run: Run, tmp_path: Path, verb: tuple[str, ...], market: str, lines: list[str]
) -> None:
    code, _, err = run(*verb, write(tmp_path, "price.csv", PRICE, lines), "--market", market, "--format", "csv")
    assert code == 1
    assert f"no row of {market} in price.csv that can be used" in err


def test_one_unusable_file_of_two_is_named_and_the_other_is_used(run: Run, tmp_path: Path) -> None:
    files = [write(tmp_path, "price.csv", PRICE, PRICES), write(tmp_path, "empty.csv", PRICE, [])]
    for verb, columns in (("reconcile", list(lines_schema())), ("anomalies", ["rule"])):
        code, out, err = run(verb, *files, "--market", "CEA", "--format", "csv")
        assert code == 1
        assert out.splitlines()[0].split(",")[: len(columns)] == columns
        assert [line for line in err.splitlines() if "that can be used" in line] == [
            "greenfin: no row of CEA in empty.csv that can be used"
        ]


def test_the_rule_stands_in_the_help(run: Run) -> None:
    for verb in (("reconcile",), ("anomalies",), ("load", "trades"), ("load", "rates")):
        assert "Ends with 1 where a file holds no r" in " ".join(run(*verb, "--help")[1].split())


@pytest.mark.parametrize(("lang", "title"), [("en", "Lines set apart"), ("zh", "剔除")])
def test_lines_set_apart_are_shown_beside_each_pair(run: Run, tmp_path: Path, lang: str, title: str) -> None:
    files = bulletins(tmp_path, [PRICES[0], PRICES[1].replace(",50,50,50,", ",50,40,50,")])
    asked = ("reconcile", *files, "--market", "CEA")
    _, out, _ = run(*asked, "--format", "table", "--lang", lang)
    (line,) = (line.split() for line in out.splitlines() if "~ crc_settlement  volume " in line and "%" not in line)
    assert line == ["crc_price", "~", "crc_settlement", "volume", "1", "0", "1", "2"]
    assert title in out
    lines = pl.read_csv(run(*asked, "--format", "csv")[1].encode()).filter(check="two sources", measure="volume")
    assert lines.select("compared", "left_set_apart", "right_set_apart", "days_if_kept").row(0) == (1, 1, 0, 2)
    clean = run("reconcile", *bulletins(tmp_path, PRICES), "--market", "CEA", "--format", "table", "--lang", lang)[1]
    assert title not in clean
