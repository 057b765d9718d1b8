"""The commands about rules: every figure here is arithmetic on the documents' own figures, done by hand."""

import json
import math
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import polars as pl
import pytest

Run = Callable[..., tuple[int, str, str]]

HEADER = "entity,unit,unit_class,year,gross_generation_mwh,heat_gj,load_factor,verified_t,base_verified_t"
PLANT = "Plant,1,coal_gt300MW,2024,1000000,500000,0.7,860000,850000"


@pytest.fixture
def run(command: Run) -> Run:
    return command


def units(folder: Path, *lines: str) -> str:
    path = folder / "units.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return str(path)


def lines_of(out: str) -> dict[tuple[str, str | None, str], dict[str, object]]:
    """Lines by part, unit and step."""
    return {(row["part"], row["unit"], row["line"]): row for row in json.loads(out)}


def test_allocation_by_hand(run: Run, tmp_path: Path) -> None:
    code, out, err = run("allocate", units(tmp_path, PLANT), "--format", "json")
    assert (code, err) == (0, "")
    found = lines_of(out)
    assert found["allocation", "1", "electricity"]["value"] == 1_000_000 * 0.791
    assert found["allocation", "1", "heat"]["value"] == 500_000 * 0.1033
    assert found["allocation", None, "final"]["value"] == 791_000 + 51_650
    assert found["allocation", None, "pre_allocation"]["value"] == 850_000 * 7 // 10
    assert found["allocation", None, "supplement"]["value"] == 842_650 - 595_000
    assert found["obligation", None, "obligation"]["value"] == 860_000
    assert found["obligation", None, "deadline"]["value_text"] == "2025-12-31"
    assert found["obligation", None, "penalty"]["document"] == "国务院令第775号，第二十四条"
    assert found["offset_limit", None, "offset_limit"]["value"] == 860_000 * 5 // 100
    assert (
        found["allocation", "1", "electricity"]["rule"] is None or found["allocation", "1", "electricity"]["document"]
    )


def test_the_peak_shaving_factor_is_told(run: Run, tmp_path: Path) -> None:
    _, out, _ = run("allocate", units(tmp_path, PLANT.replace("0.7,", "0.6,")), "--format", "json")
    factor = lines_of(out)["allocation", "1", "peak_shaving"]["value"]
    assert factor == pytest.approx(1.015 ** (16 - 20 * 0.6), abs=1e-12)
    assert round(float(str(factor)), 7) == 1.0613636


def test_lines_that_add_make_the_total(run: Run, tmp_path: Path) -> None:
    gas = "Plant,2,gas,2024,200000,0,,82000,80000"
    _, out, _ = run("allocate", units(tmp_path, PLANT, gas), "--format", "csv")
    table = pl.read_csv(StringIO(out)).filter(pl.col("part") == "allocation")
    per_unit = table.filter(pl.col("unit").is_not_null(), "adds")["value"].sum()
    entity = table.filter(pl.col("unit").is_null(), "adds")["value"].sum()
    assert per_unit == entity == table.filter(line="final")["value"].item()


def test_carry_over_lines(run: Run, tmp_path: Path) -> None:
    words = ("allocate", units(tmp_path, PLANT), "--net-sales", "20000", "--holding", "60000", "--format", "json")
    found = lines_of(run(*words)[1])
    assert found["carry_over", None, "carry_over"]["value"] == 10_000 + 20_000 * 3 // 2
    assert run("allocate", units(tmp_path, PLANT), "--holding", "60000")[0] == 2
    other = PLANT.replace("Plant", "Other")
    assert run("allocate", units(tmp_path, PLANT, other), "--net-sales", "1", "--holding", "1")[0] == 2


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            (
                "Final allocation",
                "842,650 t",
                "Last day to surrender",
                "国环规气候〔2024〕1号; final, medium",
                "Penalty",
            ),
        ),
        ("zh", ("年度应发放配额", "842,650 t", "清缴截止日", "所依规则", "未足额清缴的处罚")),
    ],
)
def test_a_table_in_both_languages(run: Run, tmp_path: Path, lang: str, words: tuple[str, ...]) -> None:
    code, out, _ = run("allocate", units(tmp_path, PLANT), "--format", "table", "--lang", lang)
    assert code == 0
    for word in words:
        assert word in out
    assert "…" not in out


def test_all_faults_at_once_and_the_rest_is_calculated(run: Run, tmp_path: Path) -> None:
    """Two wrong cells and a unit without a benchmark; the good plant is still there."""
    wrong = ("Bad,1,coal_gt300MW,2024,-5,0,1.7,,", "Bad,2,unicorn,2024,1,0,,,", "Late,1,gas,2031,1,0,,,")
    code, out, err = run("allocate", units(tmp_path, PLANT, *wrong), "--format", "json")
    assert code == 4
    assert {row["entity"] for row in json.loads(out)} == {"Plant"}
    for place in ("row 3", "gross_generation_mwh", "load_factor", "row 4", "unicorn", "2031"):
        assert place in err
    assert "2 rows set apart, 1 refused" in err
    assert "2行被剔出" in run("allocate", units(tmp_path, PLANT, *wrong), "--lang", "zh")[2]


def test_drafts_only_when_asked_for_and_marked(run: Run, tmp_path: Path) -> None:
    later = PLANT.replace("2024", "2025")
    code, _, err = run("allocate", units(tmp_path, later))
    assert code == 4
    assert "2025" in err
    code, out, err = run("allocate", units(tmp_path, later), "--drafts", "--format", "json")
    assert code == 0
    assert "draft" in {row["status"] for row in json.loads(out)}
    assert "drafts used, not in force" in err


def test_rules_are_as_they_were_known_on_a_day(run: Run, tmp_path: Path) -> None:
    code, _, err = run("allocate", units(tmp_path, PLANT), "--on", "2024-10-20")
    assert (code, "2024" in err) == (4, True)
    assert run("allocate", units(tmp_path, PLANT), "--on", "2024-10-21")[0] == 0
    assert run("allocate", units(tmp_path, PLANT), "--on", "21/10/2024")[0] == 2


def test_own_rules_replace_and_say_so(run: Run, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'scheme = "CN"\n[[rule]]\nid = "mine"\nkind = "offset_limit"\nfirst_year = 2024\nlast_year = 2024\n'
        'values = [{ name = "share", value = 0.1, unit = "share" },'
        ' { name = "base", value = "obligation", unit = "text" }]\n'
        'text_en = "Ten per cent"\nsource = "me"\nconfidence = "low"\nstatus = "final"\n',
        encoding="utf-8",
    )
    _, out, err = run("allocate", units(tmp_path, PLANT), "--rules", str(own), "--format", "json")
    line = lines_of(out)["offset_limit", None, "offset_limit"]
    assert (line["value"], line["rule"], line["origin"]) == (860_000 // 10, "mine", "user")
    assert "cn-offset-limit" in err
    _, out, _ = run("rules", "--file", str(own), "--kind", "offset_limit", "--year", "2024", "--scheme", "CN")
    assert "mine" in pl.read_csv(StringIO(out))["rule"]
    own.write_text('scheme = "CN"\n[[rule]]\nid = "mine"\n', encoding="utf-8")
    code, _, err = run("rules", "--file", str(own))
    assert code == 4
    assert err.count("own.toml") > 3


def test_the_example_is_a_file_that_works(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("allocate", "--example")
    assert code == 0
    path = tmp_path / "example.toml"
    path.write_text(out, encoding="utf-8")
    code, out, err = run("allocate", str(path), "--format", "json")
    assert (code, err) == (0, "")
    assert lines_of(out)["allocation", None, "final"]["value"] == 842_650 + 82_000


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("allocate",), 2),
        (("allocate", "absent.csv"), 4),
        (("allocate", "--format", "xml", "x.csv"), 2),
        (("rules", "--kind", "nonsense"), 2),
        (("rules", "--scheme", "XX"), 3),
        (("rules", "--lang", "fr"), 2),
        (("check-code",), 2),
    ],
)
def test_wrong_usage(run: Run, words: tuple[str, ...], expected: int) -> None:
    code, out, err = run(*words)
    assert code == expected
    assert out == ""
    assert err


def test_a_scheme_that_is_not_there(run: Run, tmp_path: Path) -> None:
    code, _, err = run("allocate", units(tmp_path, PLANT), "--scheme", "XX")
    assert code == 3
    assert "CN-HB" in err


def test_rules_by_kind_and_year(run: Run) -> None:
    code, out, _ = run("rules", "--scheme", "CN", "--year", "2024", "--kind", "benchmark", "--format", "json")
    assert code == 0
    rows = {row["rule"]: row for row in json.loads(out)}
    assert "electricity 0.7910 t/MWh; heat 0.1033 t/GJ" in rows["cn-power-2024-coal_gt300MW"]["values"]
    assert all(row["document"] and row["source"] and row["confidence"] for row in rows.values())


def test_drafts_are_shown_with_their_status_or_left_out(run: Run) -> None:
    every = pl.read_csv(StringIO(run("rules", "--scheme", "CN", "--format", "csv")[1]))
    final = pl.read_csv(StringIO(run("rules", "--scheme", "CN", "--no-drafts", "--format", "csv")[1]))
    assert "draft" in every["status"]
    assert final.height == every.height - every.filter(status="draft").height


@pytest.mark.parametrize(("lang", "words"), [("en", ("Confidence", "Offsets")), ("zh", ("可信度", "来源"))])
def test_rules_as_a_table(run: Run, lang: str, words: tuple[str, ...]) -> None:
    _, out, _ = run("rules", "--scheme", "CN-HB", "--kind", "offset_limit", "--format", "table", "--lang", lang)
    for word in (*words, "cn-hb-offset-2024", "reported", "medium"):
        assert word in out
    _, out, _ = run("rules", "--scheme", "CN", "--kind", "penalty", "--format", "table", "--lang", lang)
    assert "…" not in out


def test_credit_codes_are_told_right_or_wrong(run: Run) -> None:
    """The example of python-stdnum, and it with its last character changed."""
    code, out, _ = run("check-code", "91110000600037341L", " 9111-0000 600037341l ", "--format", "json")
    assert code == 0
    assert [row["normalised"] for row in json.loads(out)] == ["91110000600037341L"] * 2
    code, out, _ = run("check-code", "91110000600037341K", "91110000600037341L", "short", "--format", "json")
    assert code == 4
    wrong, right, short = json.loads(out)
    assert (wrong["valid"], right["valid"], short["valid"]) == (False, True, False)
    assert wrong["finding"] == "uscc_check_character"
    assert "L" not in wrong["expected"].replace("91110000600037341K", "")
    _, out, _ = run("check-code", "short", "--format", "table", "--lang", "zh")
    assert "统一社会信用代码" in out


def test_the_offset_limit_is_rounded_down(run: Run, tmp_path: Path) -> None:
    odd = PLANT.replace("860000", "860019")
    found = lines_of(run("allocate", units(tmp_path, odd), "--format", "json")[1])
    parts = [found["offset_limit", None, name]["value"] for name in ("offset_limit", "rounding")]
    assert sum(float(str(part)) for part in parts) == pytest.approx(math.floor(0.05 * 860_019))
    assert found["offset_limit", None, "rounding"]["rule"]
