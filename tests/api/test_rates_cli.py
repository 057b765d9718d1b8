import json
from collections.abc import Callable
from pathlib import Path

import pytest

from api.rates_cli import _MAX_AGE_DAYS
from carbon.fx import MAX_AGE_DAYS

Run = Callable[..., tuple[int, str, str]]
HEADER = "day,currency,per_eur,per_usd,source"


@pytest.fixture
def rates_file(tmp_path: Path) -> str:
    path = tmp_path / "rates.csv"
    path.write_text(f"{HEADER}\n2024-06-28,CNY,0.13,0.14,ECB\n2024-07-01,CNY,0.131,,ECB\n", encoding="utf-8")
    return str(path)


def test_load_and_look_up(run: Run, rates_file: str) -> None:
    code, _, err = run("load", "rates", rates_file)
    assert (code, err) == (0, "rates.csv: 2 rates; 2 new, 0 loaded before, 0 unlike those loaded before and left out\n")
    code, out, _ = run("rates", "--currency", "cny", "--day", "2024-07-03", "--format", "json")
    assert code == 0
    euro, dollar = json.loads(out)
    assert euro == {
        **{"day": "2024-07-03", "currency": "CNY", "to": "EUR", "rate": 0.131},
        **{"rate_day": "2024-07-01", "rate_age_days": 2, "rate_source": "ECB"},
    }
    # No dollar rate was printed on 1 July: the one before stands, with its own day.
    assert (dollar["rate"], dollar["rate_day"], dollar["rate_age_days"]) == (0.14, "2024-06-28", 5)


def test_all_rates_as_csv_and_as_a_table(run: Run, rates_file: str) -> None:
    run("load", "rates", rates_file)
    code, out, _ = run("rates")
    assert code == 0
    assert out.splitlines() == [
        "currency,day,per_eur,per_usd,source,file",
        "CNY,2024-06-28,0.13,0.14,ECB,rates.csv",
        "CNY,2024-07-01,0.131,,ECB,rates.csv",
    ]
    code, out, _ = run("rates", "--format", "table", "--lang", "zh")
    assert code == 0
    assert "CNY汇率" in out
    assert "0.131" in out


def test_twice_changes_nothing(run: Run, rates_file: str) -> None:
    run("load", "rates", rates_file)
    code, _, err = run("load", "rates", rates_file)
    assert code == 0
    assert "0 new, 2 loaded before" in err


def test_no_rate_ends_with_3(run: Run, rates_file: str) -> None:
    run("load", "rates", rates_file)
    for words in (["--day", "2024-06-27"], ["--day", "2025-01-01"], ["--currency", "KRW"]):
        code, out, err = run("rates", *words)
        assert (code, out) == (3, "")
        assert "greenfin load rates FILE" in err
    assert run("rates", "--day", "2025-01-01", "--max-age-days", "400")[0] == 0


def test_wrong_words(run: Run) -> None:
    code, _, err = run("rates", "--day", "yesterday")
    assert code == 2
    assert "2026-01-05" in err


def test_bad_rows_are_listed_and_good_ones_kept(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    path.write_text(f"{HEADER}\n2024-06-28,CNY,-1,,ECB\n2024-07-01,CNY,0.131,,ECB\n", encoding="utf-8")
    code, out, err = run("load", "rates", str(path), "--format", "csv")
    assert code == 0
    assert out.splitlines()[1].startswith('mixed.csv,2,per_eur,-1,"a rate above zero, from ')
    assert "1 rates; 1 new" in err
    path.write_text(f"{HEADER}\n2024-06-28,CNY,-1,,ECB\n", encoding="utf-8")
    code, out, err = run("load", "rates", str(path), "--format", "table")
    assert code == 1
    assert "a rate above zero" in out
    assert "no rate in mixed.csv that can be used" in err
    path.write_text(HEADER + "\n", encoding="utf-8")
    code, _, err = run("load", "rates", str(path), "--lang", "zh")
    assert code == 1
    assert "mixed.csv 中没有可用的汇率" in err


def test_a_rate_carried_forward_is_as_old_as_the_month_it_is_of(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "icap.csv"
    lines = ["01/03/2024,40,CNY,0.13,", "29/03/2024,40,CNY,0.13,", "15/04/2024,40,CNY,0.13,", "20/05/2024,40,CNY,0.13,"]
    names = ",Hubei (Pilot) Emissions Trading System,,,\nDate,Secondary Market,Market Currency,Exchange rate CNY/EUR,"
    path.write_text("\n".join([names, *lines]) + "\n", encoding="utf-8")
    assert run("load", "rates", str(path))[0] == 0
    _, out, _ = run("rates", "--day", "2024-04-15", "--format", "json")
    # The rate of March is one for the whole month; from its last day to 15 April are 15 days.
    (euro,) = (row for row in json.loads(out) if row["to"] == "EUR")
    assert (euro["rate"], euro["rate_day"], euro["rate_age_days"]) == (0.13, "2024-03-31", 15)
    # On 20 May the same rate is printed again, but by then it is older than rates may be.
    assert run("rates", "--day", "2024-05-20")[0] == 3
    _, out, _ = run("rates", "--day", "2024-05-20", "--max-age-days", "50", "--format", "json")
    assert json.loads(out)[0]["rate_age_days"] == 30 + 20


def test_files_that_hold_no_rates(run: Run, tmp_path: Path, outside_data: Path) -> None:
    code, _, err = run("load", "rates", str(outside_data / "markets" / "raw_wind_HBEA.csv.gz"))
    assert code == 4
    assert "expected rates" in err
    code, _, err = run("load", "rates", str(tmp_path / "absent.csv"))
    assert code == 4
    assert "absent.csv" in err


def test_the_help_s_age_is_the_rule_s() -> None:
    assert _MAX_AGE_DAYS == MAX_AGE_DAYS
