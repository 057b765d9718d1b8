"""A portfolio of the ITR tool with reported emissions of its companies, through the commands.

The portfolio is an excerpt of os-climate/ITR, test/inputs/data_test_temperature_score.csv @ 0b6d92b (Apache-2.0); the
reported emissions are made up, in the layout of that tool, since its workbooks give no text to quote.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
PORTFOLIO = """company_name;company_id;isic;ghg_s1s2;ghg_s3;investment_value;company_ev_plus_cash
Company AA;Company AA;A12;1601576;1601576;42881;51067.38
Company B;NL0000000002;A12;1247710;1247710;56155;87928.54
"""
REPORTED = """company_name;company_lei;company_id;sector;report_date;emissions_metric;2019_ghg_s1;2019_ghg_s2
Company B;LEI2;NL0000000002;test;2021-12-31;kt CO2e;1.5;0.25
"""


@pytest.fixture
def portfolio(tmp_path: Path) -> str:
    path = tmp_path / "scores.csv"
    path.write_text(PORTFOLIO, encoding="utf-8")
    return str(path)


def test_a_portfolio_takes_the_reported_emissions_of_its_companies(run: Run, tmp_path: Path, portfolio: str) -> None:
    path = tmp_path / "esg.csv"
    path.write_text(REPORTED, encoding="utf-8")
    for words in (("load", "reported", str(path)), ("footprint", "calculate")):
        code, out, err = run(*words)
        assert code == 0, out + err
    asked = ("financed", portfolio, "--set", "asset_class=listed_equity", "--rows", "--format", "json")
    code, out, err = run(*asked)
    assert code == 0, err
    rows = {row["entity"]: row for row in json.loads(out)}
    share = 56155 / 87928.54
    assert rows["NL0000000002"]["attribution"] == pytest.approx(share)
    assert rows["NL0000000002"]["financed_1_t"] == pytest.approx(share * 1500)
    assert rows["NL0000000002"]["financed_2_t"] == pytest.approx(share * 250)
    assert rows["Company AA"]["attribution"] == pytest.approx(42881 / 51067.38)
    assert rows["Company AA"]["financed_1_t"] is None
    assert "asset_class of every row: listed_equity" in err
    assert "ghg_s1s2" in err


@pytest.mark.parametrize("word", ["asset_class", "=listed_equity", "asset_class="])
def test_what_is_set_has_a_column_and_a_text(run: Run, portfolio: str, word: str) -> None:
    code, _, err = run("financed", portfolio, "--set", word)
    assert code == 2
    assert "COLUMN=TEXT" in err


def test_without_an_asset_class_the_missing_column_is_said(run: Run, portfolio: str) -> None:
    code, _, err = run("financed", portfolio)
    assert code != 0
    assert "expected also asset_class" in err
