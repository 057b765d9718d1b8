"""The commands `greenfin city-emissions` and `greenfin decoupling`, as a user runs them."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from api import output
from api.lang import texts

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_wuhans_table_in_both_languages(run: Run, lang: str) -> None:
    code, out, err = run("city-emissions", "wuhan", "--format", "table", "--lang", lang)
    assert code == 0, err
    text = texts("notes", "zh" if lang == "zh" else "en")
    lines = {line.split()[0]: line.split()[1:4] for line in out.splitlines() if line[:2] == "20"}
    assert lines["2019"] == ["99.15", "127.62", f"{99.149 / 127.622:.2f}"]
    assert lines["2023"][:2] == ["105.79", "–"]
    said = text["emissions_disagree"].format(year=2019, edgar="99.1", ceads="127.6", factor=f"{127.622 / 99.149:.2f}")
    assert said in out
    assert text["emissions_ends"].format(series="CEADs", last=2019) in out
    assert "EDGAR v8.0" in out


def test_a_pipe_gets_rows(run: Run) -> None:
    code, out, err = run("city-emissions", "wuhan", "--years", "2018-2019")
    assert (code, err) == (0, "")
    rows = pl.read_csv(io.StringIO(out))
    assert rows["period"].to_list() == [2018, 2019]
    assert rows["edgar_t"].to_list() == [92.62e6, 99.149e6]
    code, out, _ = run("city-emissions", "武汉", "--list", "trends", "--years", "2013-2023", "--format", "json")
    trends = {(row["series"], row["measure"]): row for row in json.loads(out)}
    assert trends["EDGAR", "emissions"]["change_whole"] == pytest.approx((105.792 / 89.176) ** (1 / 10) - 1)
    assert trends["CEADS", "emissions"]["missing_years"] == "2020; 2021; 2022; 2023"
    code, out, _ = run("city-emissions", "wuhan", "--list", "sums", "--by", "period,entity", "--format", "csv")
    assert (code, out) == (0, "hub,period,entity,scope,method,entities,lines,co2e_t,biogenic_t\n")


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_cut_on_a_screen(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str, width: int
) -> None:
    """With footprints beside the inventories, which have all columns filled: headings are wrapped, and whole."""
    path = tmp_path / "a.csv"
    head = "entity,hub,period,scope,category,activity,amount,unit"
    rows = (
        "mill,wuhan,2019,1,stationary,natural_gas,90000,万Nm3",
        "mill,wuhan,2019,2,electricity,electricity,900000,MWh",
    )
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    assert run("load", "activities", str(path))[0] == 0
    assert run("footprint", "calculate")[0] == 0
    monkeypatch.setattr(output, "PIPE_WIDTH", width)
    code, out, err = run("city-emissions", "wuhan", "--years", "2017-2020", "--format", "table", "--lang", lang)
    assert code == 0, err
    assert "…" not in out
    text = texts("cli", "zh" if lang == "zh" else "en")
    tables = out[: out.index(texts("notes", "zh" if lang == "zh" else "en")["emissions_edgar"])]
    told = set(out.split())
    for label in ("edgar_mt", "edgar_per_gdp", "ceads_change", "scope_1", "scope_2_market", "share_of_edgar"):
        assert set(text[f"emissions_{label}"].split()) <= told, label
    assert text["title_emissions_footprints"].format(hub={"en": "Wuhan", "zh": "武汉"}[lang]) in out
    assert tables
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line[:4] == "2019"}
    # The last row of 2019 is that of the footprints: one entity.
    assert lines["2019"][1] == "1"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_lists_for_people(run: Run, lang: str) -> None:
    text = texts("cli", "zh" if lang == "zh" else "en")
    for listed in ("trends", "sums"):
        code, out, err = run("city-emissions", "wuhan", "--list", listed, "--format", "table", "--lang", lang)
        assert code == 0, err
        assert out.startswith(text[f"title_emissions_{listed}"].format(hub={"en": "Wuhan", "zh": "武汉"}[lang]))
    code, out, err = run("decoupling", "wuhan", "--years", "2019-2020", "--format", "table", "--lang", lang)
    assert code == 0, err
    assert {"en": "expansive negative decoupling", "zh": "扩张负脱钩"}[lang] in out
    assert texts("notes", "zh" if lang == "zh" else "en")["emissions_current_prices"] in out
    assert text["emissions_lacks_emissions"] in out
    assert "CEADS" not in out


def test_decoupling_against_a_year_and_with_deflators(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("decoupling", "wuhan", "--base", "2013", "--years", "2023", "--format", "json")
    rows = {row["series"]: row for row in json.loads(out)}
    expected = (105.792 / 89.176 - 1) / (20011.65 / 9051.27 - 1)
    assert rows["EDGAR"]["elasticity"] == pytest.approx(expected)
    assert (code, rows["CEADS"]["missing"]) == (0, "emissions")
    path = tmp_path / "prices.csv"
    path.write_text("year,deflator\n", encoding="utf-8")
    code, _out, err = run("decoupling", "wuhan", "--deflator", str(path))
    assert code == 4
    assert "found no deflator of wuhan" in err
    path.write_text("year,deflator\n2018,1\n2019,1\n2020,soon\n", encoding="utf-8")
    code, out, err = run("decoupling", "wuhan", "--deflator", str(path), "--years", "2019", "--format", "json")
    assert code == 4
    assert "row 4, column deflator: found soon" in err
    (edgar,) = (row for row in json.loads(out) if row["series"] == "EDGAR")
    assert edgar["elasticity"] == pytest.approx((99.149 / 92.62 - 1) / (16223.21 / 14847.29 - 1))
    assert edgar["gdp_basis"] == "constant"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("city-emissions", "atlantis"), 3, "unknown hub"),
        (("decoupling", "atlantis"), 3, "unknown hub"),
        (("city-emissions", "wuhan", "--years", "soon"), 2, "expected years from 1990"),
        (("city-emissions", "wuhan", "--years", "2023-2013"), 2, "expected years from 1990"),
        (("city-emissions", "wuhan", "--list", "all"), 2, "expected years, trends, sums"),
        (("city-emissions", "wuhan", "--list", "sums", "--by", "colour"), 2, "expected some of year"),
        (("city-emissions", "wuhan", "--list", "sums", "--by", "gas,gas"), 2, "each once"),
        (("decoupling", "wuhan", "--base", "13"), 2, "1990"),
        (("decoupling", "wuhan", "--deflator", "nowhere.csv"), 4, "nowhere.csv"),
        (("decoupling", "wuhan", "--format", "xml"), 2, "expected table, json or csv"),
    ],
)
def test_wrong_words_are_told_without_a_traceback(run: Run, words: tuple[str, ...], code: int, said: str) -> None:
    found, _, err = run(*words)
    assert found == code
    assert said in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
