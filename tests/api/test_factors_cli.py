import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
HEADER = "factor_id,activity,kind,parameter,gas,value,numerator,denominator,region,series,source,replaces"
OWN = "own-1,electricity,electricity,emission_factor,CO2,0.41,kg,度,wuhan,supplier,contract 7,"


def test_find_shows_candidates_the_choice_and_why(run: Run) -> None:
    code, out, _ = run("factors", "find", "electricity", "--region", "wuhan", "--year", "2023", "--format", "table")
    assert code == 0
    # Hubei 2023, as announced; the grid region and the country are shown beside it.
    assert "0.4044 kg CO2/kWh" in out
    assert "0.5271 kg CO2/kWh" in out
    assert "0.5306 kg CO2/kWh" in out
    assert "Taken: cn-grid_average-2023-420000" in out
    assert "average of the grid in its year" in out
    assert "announcement 2025 No. 47" in out
    code, out, _ = run(
        *("factors", "find", "electricity", "--region", "武汉", "--day", "2024-06-01"),
        *("--method", "market", "--format", "table", "--lang", "zh"),
    )
    assert code == 0
    assert "选用：cn-grid_residual-2023-national，0.6096 kg CO2/kWh" in out
    assert "所求期间无因子，取最近一期" in out


def test_find_for_programs(run: Run) -> None:
    code, out, _ = run(
        *("factors", "find", "electricity", "--region", "Hubei", "--year", "2022"),
        *("--series", "grid_reporting", "--format", "json"),
    )
    assert code == 0
    rows = json.loads(out)
    (chosen,) = [row for row in rows if row["chosen"]]
    assert (chosen["factor_id"], chosen["value"]) == ("cn-grid_reporting-2022-national", 0.5703)
    assert {row["reason"] for row in rows if row["series"] == "grid_average"} == {"other_series"}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("unicorn", "--year", "2023"), 3, "no factor for unicorn in CN; there are factors for: anthracite"),
        (("electricity", "--region", "atlantis", "--year", "2023"), 3, "found region 'atlantis'"),
        (("electricity",), 2, "expected one of --year and --day"),
        (("electricity", "--year", "2023", "--day", "2023-01-01"), 2, "expected one of --year and --day"),
        (("electricity", "--day", "tomorrow"), 2, "expected a day"),
        (("electricity", "--year", "2023", "--method", "both"), 2, "expected location, market"),
        (("electricity", "--year", "2023", "--parameter", "ef"), 2, "expected emission_factor"),
        (("electricity", "--year", "2023", "--series", "grid"), 3, "series: found 'grid', expected one of: "),
        (("electricity", "--year", "2023", "--unit", "parsec"), 4, "found unit 'parsec'"),
        (("coal", "--year", "2023"), 3, "of coal there is no emission_factor, but by --parameter: carbon_content"),
    ],
)
def test_find_says_what_is_wrong(run: Run, words: tuple[str, ...], code: int, told: str) -> None:
    found, _, err = run("factors", "find", *words)
    assert found == code
    assert told in " ".join(err.replace("│", " ").split())


def test_a_series_that_must_be_asked_for(run: Run) -> None:
    code, out, _ = run(
        "factors", "find", "coal", "--year", "2023", "--parameter", "carbon_content", "--format", "table"
    )
    assert code == 0
    assert "None is taken: name a series with --series." in out
    code, out, _ = run("factors", "find", "diesel", "--year", "2023", "--format", "table")
    assert code == 0
    assert "None is taken: name a series with --series." in out
    assert "Of diesel there are also, by --parameter: carbon_content, net_calorific_value, oxidation" in out


@pytest.mark.parametrize(
    ("lang", "none"), [("en", "None is taken: the amount's unit"), ("zh", "未选用任何因子：数量单位")]
)
def test_no_factor_is_taken_for_a_unit_that_cannot_be_converted(run: Run, lang: str, none: str) -> None:
    words = ("factors", "find", "electricity", "--region", "wuhan", "--year", "2023", "--unit")
    code, out, _ = run(*words, "t", "--format", "table", "--lang", lang)
    assert code == 0
    assert none in out
    assert "cn-grid_average-2023-420000" in out
    code, out, _ = run(*words, "t", "--format", "json")
    rows = json.loads(out)
    assert rows
    assert {(row["chosen"], row["reason"]) for row in rows} == {(False, "unit_unlike")}
    # A gigajoule is 277.8 kWh: the same factor as without a unit.
    _, out, _ = run(*words, "GJ", "--format", "json")
    assert [row["factor_id"] for row in json.loads(out) if row["chosen"]] == ["cn-grid_average-2023-420000"]


def test_list_and_show(run: Run) -> None:
    code, out, _ = run("factors", "list", "--series", "power_guide", "--format", "csv")
    assert code == 0
    assert [line.split(",")[0] for line in out.splitlines()] == [
        *("factor_id", "cn-power-carbon-coal-2021", "cn-power-carbon-coal-2022", "cn-power-oxidation-coal")
    ]
    code, out, _ = run("factors", "list", "--activity", "heat", "--format", "table", "--lang", "zh")
    assert code == 0
    assert "热力二氧化碳排放因子缺省值" in out
    code, out, _ = run("factors", "show", "cn-power-carbon-coal-2022", "--format", "table")
    assert code == 0
    assert "30.85" in out
    assert "2022-06-08" in out
    code, out, _ = run("factors", "show", "cn-power-carbon-coal-2022", "--format", "json")
    assert json.loads(out)[0]["value"] == 30.85
    assert run("factors", "show", "nothing")[0] == 3
    for words in (("--activity", "nothing"), ("--series", "nothing")):
        code, _, err = run("factors", "list", *words)
        assert code == 3
        assert "found 'nothing', expected one of: " in err
    assert run("factors", "list", "--region", "atlantis")[0] == 3
    assert run("factors", "list", "--parameter", "ef")[0] == 2


def test_units(run: Run) -> None:
    code, out, _ = run("factors", "units", "--format", "json")
    assert code == 0
    kwh = next(row for row in json.loads(out) if row["unit"] == "kWh")
    assert (kwh["dimension"], kwh["name_zh"]) == ("energy", "千瓦时")
    assert "能量" in run("factors", "units", "--format", "table", "--lang", "zh")[1]
    assert "度" in kwh["aliases"]
    code, out, _ = run("factors", "units", "--format", "table", "--lang", "zh")
    assert code == 0
    assert "吨标准煤" in out


def test_load_find_and_correct_a_factor_of_ones_own(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"{HEADER}\n{OWN.replace('wuhan', '420100')}\n", encoding="utf-8")
    code, _, err = run("load", "factors", str(path))
    assert (code, err) == (
        0,
        "own.csv: read as own, 1 rows; 1 new, 0 loaded before, 0 without a figure, 0 set apart\n",
    )
    code, _, err = run("load", "factors", str(path))
    assert code == 0
    assert "0 new, 1 loaded before" in err
    asked = ("factors", "find", "electricity", "--region", "wuhan", "--year", "2023", "--series", "supplier")
    code, out, _ = run(*asked, "--format", "json")
    assert [row["value"] for row in json.loads(out) if row["chosen"]] == [0.41]
    path.write_text(f"{HEADER}\n{OWN.replace('wuhan', '420100').replace('0.41', '0.42')}\n", encoding="utf-8")
    code, out, err = run("load", "factors", str(path))
    assert code == 4
    assert "already_loaded_otherwise" in out
    correction = OWN.replace("wuhan", "420100").replace("0.41", "0.42").replace("own-1", "own-2")
    path.write_text(f"{HEADER}\n{correction}own-1\n", encoding="utf-8")
    assert run("load", "factors", str(path))[0] == 0
    code, out, _ = run(*asked, "--format", "json")
    assert [(row["factor_id"], row["value"]) for row in json.loads(out) if row["chosen"]] == [("own-2", 0.42)]


def test_a_line_with_more_cells_than_headings_is_set_apart(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"{HEADER}\n{OWN.replace('wuhan', '420100')},beyond\n", encoding="utf-8")
    code, out, err = run("load", "factors", str(path))
    assert code == 4
    assert "beyond,no more cells than headings,too_many_cells" in out
    assert "1 set apart" in err


def test_what_was_read_before_a_file_that_cannot_be_is_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"{HEADER}\n{OWN.replace('wuhan', '420100')}\n", encoding="utf-8")
    code, _, err = run("load", "factors", str(path), str(tmp_path / "absent.csv"))
    assert code == 4
    assert "1 new" in err
    assert "found no file absent.csv" in err


def test_load_tells_every_fault(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    bad = "x,electricity,electricity,emission_factor,CO2,lots,kg,barrel,CN,supplier,contract 7,"
    path.write_text(f"{HEADER}\n{bad}\n", encoding="utf-8")
    code, out, err = run("load", "factors", str(path), "--lang", "zh")
    assert code == 4
    assert "unreadable_cell" in out
    assert "unknown_unit" in out
    assert "剔出 1" in err
