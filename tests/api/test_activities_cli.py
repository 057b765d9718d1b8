import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

Run = Callable[..., tuple[int, str, str]]
HEADER = "entity,period,scope,category,activity,amount,unit,city,recorded"
GOOD = "plant-1,2023-06,2,electricity,electricity,1200.5,MWh,武汉,2023-07-10"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def written(*lines: str, header: str = HEADER, name: str = "a.csv") -> str:
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return str(path)

    return written


def test_load_and_list(run: Run, write: Callable[..., str]) -> None:
    code, _, err = run("load", "activities", write(GOOD))
    assert code == 0
    assert "a.csv: 1 rows; 1 new, 0 loaded before, 0 set apart, 0 examples left out" in err
    assert "assumed: 1 rows without a share" in err
    code, out, _ = run("activities", "list", "--format", "json")
    assert code == 0
    (row,) = json.loads(out)
    assert (row["entity"], row["hub"], row["amount"], row["unit"]) == ("plant-1", "wuhan", 1200.5, "MWh")
    assert (row["first_day"], row["last_day"], row["recorded"]) == ("2023-06-01", "2023-06-30", "2023-07-10")


def test_what_was_taken_for_granted_is_said_of_the_rows_that_are_kept(run: Run, write: Callable[..., str]) -> None:
    code, _, err = run("load", "activities", write(GOOD, GOOD.replace("1200.5", "many")))
    assert code == 0
    assert "1 new, 0 loaded before, 1 set apart" in err
    assert "assumed: 1 rows without a share" in err


def test_what_was_read_before_a_file_that_cannot_be_is_told(run: Run, write: Callable[..., str]) -> None:
    code, _, err = run("load", "activities", write(GOOD), "absent.csv")
    assert code == 4
    assert "a.csv: 1 rows; 1 new" in err
    assert "found no file absent.csv" in err


def test_twice_changes_nothing(run: Run, write: Callable[..., str]) -> None:
    run("load", "activities", write(GOOD))
    code, _, err = run("load", "activities", write(GOOD, name="b.csv"))
    assert code == 0
    assert "b.csv: 1 rows; 0 new, 1 loaded before, 0 set apart" in err


def test_every_problem_is_listed_and_nothing_good_is_an_error(run: Run, write: Callable[..., str]) -> None:
    bad = "plant-1,2023-07,2,electricity,electricity,-1,furlong,Gotham,"
    code, out, err = run("load", "activities", write(bad), "--format", "json")
    assert code == 4
    assert {problem["code"] for problem in json.loads(out)} == {"negative_amount", "unknown_unit", "unknown_hub"}
    assert "1 set apart" in err
    code, _, _ = run("load", "activities", write(bad, GOOD))
    assert code == 0


def test_unusable_headings(run: Run, write: Callable[..., str]) -> None:
    code, out, err = run("load", "activities", write("1", header="amount"), "--lang", "zh")
    assert code == 4
    assert out.count("missing_heading") == 6
    assert "表头或映射不可用" in err


def test_entity_and_year_for_rows_that_name_none(run: Run, write: Callable[..., str]) -> None:
    file = write("2,electricity,electricity,1,kWh", header="scope,category,activity,amount,unit")
    code, _, _ = run("load", "activities", file, "--entity", "plant-7", "--year", "2023")
    assert code == 0
    _, out, _ = run("activities", "list", "--entity", "plant-7")
    assert pl.read_csv(out.encode())["period"].to_list() == [2023]


def test_a_mapping(run: Run, write: Callable[..., str], tmp_path: Path) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text('[columns]\namount = "用量"\n[fixed]\nentity = "plant-8"\nperiod = "2023"\n', encoding="utf-8")
    file = write("2,electricity,electricity,7,kWh", header="scope,category,activity,用量,unit")
    assert run("load", "activities", file, "--mapping", str(mapping))[0] == 0
    mapping.write_text('[columns]\nvolume = "用量"\n', encoding="utf-8")
    code, out, _ = run("load", "activities", file, "--mapping", str(mapping))
    assert code == 4
    assert "unknown_column" in out
    assert "missing_heading" in out


def test_list_as_a_table_in_chinese_and_nothing_found(run: Run, write: Callable[..., str]) -> None:
    code, _, err = run("activities", "list")
    assert code == 3
    assert "no activities" in err
    run("load", "activities", write(GOOD))
    code, out, _ = run("activities", "list", "--format", "table", "--lang", "zh")
    assert code == 0
    for text in ("活动数据：1行", "主体", "数量", "1200.5"):
        assert text in out
    assert run("activities", "list", "--since", "2023-07-11")[0] == 3
    assert run("activities", "list", "--since", "July")[0] == 2


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_template_that_can_be_loaded(run: Run, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"t.{kind}"
    code, _, err = run("template", "activity", "--output", str(path), "--lang", "zh")
    assert code == 0
    assert "已写入" in err
    code, _, err = run("load", "activities", str(path))
    assert code == 4
    assert "1 examples left out" in err
    assert run("template", "activity", "--output", str(path))[0] == 2
    assert run("template", "activity", "--output", str(path), "--overwrite")[0] == 0
    assert run("template", "activity", "--output", str(tmp_path / "t.ods"))[0] == 4


def test_reported_emissions_of_a_sheet(run: Run, write: Callable[..., str]) -> None:
    header = "company_id,sector,report_date,metric,submetric,unit,2019,2020"
    lines = ["US01,Steel,2021-12-31,S1,,t CO2e,100,110", "US01,Steel,2021-12-31,S2,market,t CO2e,20,"]
    code, out, err = run("load", "reported", write(*lines, header=header, name="esg.csv"))
    assert (code, out) == (0, "file,row,column,found,expected,code,severity\n")
    assert "esg.csv: 3 rows; 3 new" in err
    missing = [line for line in err.splitlines() if line.startswith("no figure")]
    assert missing == [
        "no figure: US01, 2019, scope 3 (empty)",
        "no figure: US01, 2020, scope 2 (empty)",
        "no figure: US01, 2020, scope 3 (empty)",
    ]
    _, out, _ = run("activities", "list")
    assert pl.read_csv(out.encode())["amount"].to_list() == [100.0, 20.0, 110.0]
    # What the company sums up in its own report is not summed up again.
    diesel = "US01,2019-05,1,mobile,diesel,3,t,,2021-01-01"
    code, out, _ = run("load", "activities", write(diesel))
    assert code == 4
    assert "reported_beside_rows" in out
