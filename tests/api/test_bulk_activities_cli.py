"""`greenfin load personal-activities` and `greenfin footprint city-totals` as a user runs them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]

ACTIVITIES = """day,hub,activity,person,amount,unit
2024-10-01,北京,bus,12,5.5,pkm
2024-10-02,beijing,bus,13,2,pkm
2024-10-02,110000,electricity,13,100,kWh
2023-05-02,武汉,electricity,7,120.25,度
2023-05-02,武汉,electricity,13800138000,120.25,度
"""


@pytest.fixture
def run(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, command: Run) -> Run:
    """Run one command in a folder with a file of activities."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GREENFIN_HOME", str(home))
    (tmp_path / "mine.csv").write_text(ACTIVITIES, encoding="utf-8")
    return command


def test_loading_lists_what_is_wrong_without_naming_anybody(run: Run) -> None:
    code, out, err = run("load", "personal-activities", "mine.csv", "--format", "json")
    assert code == 0
    (problem,) = json.loads(out)
    assert (problem["row"], problem["column"], problem["code"]) == (6, "person", "unreadable_cell")
    assert "13800138000" not in out + err
    assert "mine.csv: 5 activities of persons; 4 new, 1 set apart" in err
    code, out, err = run("load", "personal-activities", "mine.csv", "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert "loaded before, nothing changed" in err


def test_a_file_without_a_good_row_ends_with_4(run: Run) -> None:
    Path("bad.csv").write_text("day,hub,activity,person,amount,unit\n2024-10-01,x,bus,1,1,pkm\n", encoding="utf-8")
    assert run("load", "personal-activities", "bad.csv")[0] == 4
    Path("no.csv").write_text("day,hub\n", encoding="utf-8")
    code, _, err = run("load", "personal-activities", "no.csv")
    assert code == 4
    assert "expected also activity" in err


def test_totals_with_what_is_emitted_and_saved(run: Run) -> None:
    run("load", "personal-activities", "mine.csv")
    everything = ("footprint", "city-totals", "--format", "json", "--least-persons", "1")
    code, out, _ = run(*everything)
    assert code == 0
    bus, power, wuhan = json.loads(out)
    assert (bus["hub"], bus["month"], bus["activity"], bus["unit"]) == ("beijing", "2024-10", "bus", "pkm")
    assert (bus["rows"], bus["amount_milli"], bus["persons"], power["persons"]) == (2, 5500 + 2000, 2, 2)
    # 104 and 52 g per person-kilometre (Beijing's standard as embedded).
    assert bus["co2e_kg"] == pytest.approx(7.5 * 0.052, rel=1e-12)
    assert bus["reduction_kg"] == pytest.approx(7.5 * (0.104 - 0.052), rel=1e-12)
    # Hubei's grid, 2023: 0.4044 kg/kWh (cn-grid_average-2023-420000).
    assert (wuhan["hub"], wuhan["basis"], wuhan["reduction_kg"]) == ("wuhan", "factor", None)
    assert wuhan["co2e_kg"] == pytest.approx(120.25 * 0.4044, rel=1e-12)
    assert (bus["activity_persons"], power["activity_persons"], bus["suppressed"]) == (2, 1, False)
    _, out, _ = run(*everything, "--hub", "武汉", "--hub", "北京", "--year", "2023")
    assert json.loads(out) == [wuhan]


def test_other_potentials_read_no_row_again_and_labels_are_in_both_languages(run: Run) -> None:
    run("load", "personal-activities", "mine.csv")
    _, out, _ = run("footprint", "city-totals", "--format", "table")
    assert "Persons' activities of 2 cities and years, 2 of them read now" in out
    code, out, _ = run("footprint", "city-totals", "--format", "table", "--gwp", "AR6GWP100", "--lang", "zh")
    assert code == 0
    assert "2个城市年份的个人活动，本次读取0个" in out
    assert "武汉" in out
    assert "不可相加" in out


def test_nothing_loaded_or_asked_wrongly(run: Run) -> None:
    code, _, err = run("footprint", "city-totals")
    assert code == 3
    assert "greenfin load personal-activities" in err
    run("load", "personal-activities", "mine.csv")
    assert run("footprint", "city-totals", "--hub", "lhasa")[0] == 3
    assert run("footprint", "city-totals", "--hub", "atlantis")[0] == 3
    assert run("footprint", "city-totals", "--engine", "dask")[0] == 4
    assert run("footprint", "city-totals", "--gwp", "AR9")[0] == 4


def test_rows_of_few_persons_are_not_shown(run: Run) -> None:
    """Five persons take the bus, one of them ten times; four use electricity."""
    lines = ["day,hub,activity,person,amount,unit"]
    lines += [f"2024-10-01,wuhan,bus,{person},2,pkm" for person in (1, 2, 3, 4, *[5] * 10)]
    lines += [f"2024-10-01,wuhan,electricity,{person},7.25,kWh" for person in (1, 2, 3, *[4] * 10)]
    Path("few.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run("load", "personal-activities", "few.csv")
    ask = ("footprint", "city-totals", "--format")
    _, out, err = run(*ask, "json")
    bus, power = json.loads(out)
    assert (bus["suppressed"], bus["rows"], bus["amount"], bus["activity_persons"]) == (False, 14, 2.0 * 14, 5)
    figures = ("rows", "amount_milli", "amount", "persons", "activity_persons", "co2e_kg", "reduction_kg")
    assert (power["suppressed"], {power[name] for name in figures}) == (True, {None})
    assert "1 of 2 rows are not shown: fewer than 5 persons" in err
    assert "94.25" not in run(*ask, "csv")[1] + run(*ask, "table")[1]
    assert "2行中有1行不显示：不足5人" in run(*ask, "table", "--lang", "zh")[1]
    _, out, err = run(*ask, "json", "--least-persons", "4")
    assert json.loads(out)[1]["amount"] == 7.25 * 13
    assert "not shown" not in err
    assert run(*ask, "json", "--least-persons", "0")[0] == 2
    assert run(*ask, "json", "--least-persons", "101")[0] == 2


@pytest.mark.parametrize("name", ["broken.parquet", "crowded.csv", "n" * 300 + ".csv"])
def test_a_file_that_cannot_be_read_is_told_in_one_line(run: Run, name: str) -> None:
    if len(name) < 255:
        content = {"broken.parquet": "PAR1", "crowded.csv": ACTIVITIES + "2024-10-01,北京,bus,12,5.5,pkm,,ann\n"}
        Path(name).write_text(content[name], encoding="utf-8")
    code, _, err = run("load", "personal-activities", name)
    assert code == 4
    assert "expected a" in err
    assert "ann" not in err
    assert len([line for line in err.splitlines() if line.startswith("greenfin")]) == 1
