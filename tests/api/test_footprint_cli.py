import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings

Run = Callable[..., tuple[int, str, str]]
ACTIVITIES = """activity_id,entity,hub,period,scope,category,activity,amount,unit,evidence,recorded
power-2023,works,wuhan,2023,2,electricity,electricity,1000,MWh,invoice,2024-01-10
clinker-2023,works,wuhan,2023,1,process,clinker,200,t,metered,2024-01-10
lost-2023,works,wuhan,2023,3,c01,unheard_of,5,t,spend,2024-01-10
power-2022,office,wuhan,2022,2,electricity,electricity,10,MWh,invoice,2023-01-10
"""
FACTORS = """factor_id,activity,kind,parameter,gas,value,numerator,denominator,region,series,source,recorded,replaces
clinker-old,clinker,process,emission_factor,CO2,0.5,t,t,CN,own,laboratory note 1,2024-02-01,
"""
NEWER = """factor_id,activity,kind,parameter,gas,value,numerator,denominator,region,series,source,recorded,replaces
clinker-new,clinker,process,emission_factor,CO2,0.55,t,t,CN,own,laboratory note 2,,clinker-old
"""
OWNERSHIP = "parent,child,share,operational\nholding,works,0.6,yes\nholding,office,0.3,no\n"


@pytest.fixture
def loaded(run: Run, tmp_path: Path) -> Run:
    """The same with activities and a factor of the user's own."""
    for name, text in (("activities", ACTIVITIES), ("factors", FACTORS)):
        path = tmp_path / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        code, out, err = run("load", name, str(path))
        assert code == 0, out + err
    return run


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def asked(run: Run, *words: str) -> Any:
    """The rows of a command as JSON."""
    code, out, err = run("footprint", *words, "--format", "json")
    assert code == 0, err
    return json.loads(out)


def test_calculate_tells_totals_and_what_is_left_out(loaded: Run) -> None:
    code, out, err = loaded("footprint", "calculate", "--entity", "works", "--year", "2023")
    assert code == 0
    told = {(row["scope"], row["method"]): float(row["co2e_kg"]) for row in rows_of(out)}
    assert told == {
        ("1", ""): 200 * 0.5 * 1000,
        ("2", "location"): 1_000_000 * 0.4044,
        ("2", "market"): 1_000_000 * 0.6096,
        ("1+2", "location"): 100_000 + 404_400,
        ("1+2", "market"): 100_000 + 609_600,
    }
    assert "activities.csv, row 4, column activity: found unheard_of in 420100" in err
    assert "3 activities, 3 lines; 1 activities not calculated" in err
    again = loaded("footprint", "calculate", "--entity", "works", "--year", "2023")
    assert again[1] == out
    assert "calculated before from the same inputs" in again[2]
    assert len(asked(loaded, "runs")) == 1


def test_show_totals_coverage_and_left_out(loaded: Run) -> None:
    loaded("footprint", "calculate")
    by_year = {
        (row["year"], row["scope"]): row["co2e_kg"]
        for row in asked(loaded, "show", "--by", "year")
        if row["method"] != "market"
    }
    assert by_year[2022, "2"] == pytest.approx(10_000 * 0.4364)
    assert by_year[2023, "2"] == 404_400
    covered = asked(loaded, "show", "--list", "calculated")
    assert [(row["scope"], row["method"], row["calculated_share"]) for row in covered] == [
        (1, None, 1.0),
        (2, "location", 1.0),
        (2, "market", 1.0),
        (3, None, 0.0),
    ]
    (left,) = asked(loaded, "show", "--list", "left_out")
    assert (left["activity_id"], left["code"]) == ("lost-2023", "no_factor")
    code, out, _ = loaded("footprint", "show", "--format", "table", "--lang", "zh")
    assert code == 0
    # 200 t x 0.5 = 100 t; 1000 MWh x 0.4044 = 404.4 t; 10 MWh x 0.4364 = 4.364 t
    assert "508.764" in out
    assert "有 1 项活动未能核算" in out


def test_people_read_words_where_programs_read_codes(loaded: Run) -> None:
    loaded("footprint", "calculate")
    table = ("--format", "table", "--lang")
    _, out, _ = loaded("footprint", "show", "--by", "hub", *table, "zh")
    assert {"武汉", "基于位置", "基于市场"} <= set(out.split())
    assert not {"wuhan", "location", "market"} & set(out.split())
    _, out, _ = loaded("footprint", "show", "--by", "hub", *table, "en")
    assert {"Wuhan"} <= set(out.split())
    _, out, _ = loaded("footprint", "runs", *table, "zh")
    assert {"核算", "按各行份额"} <= set(out.split())
    assert not {"calculate", "rows"} & set(out.split())
    _, out, _ = loaded("footprint", "trace", "clinker-2023", *table, "zh")
    assert {"工业过程", "计量"} <= set(out.split())
    assert not {"False", "no", "yes"} & set(out.split())
    assert {row["hub"] for row in asked(loaded, "show", "--by", "hub")} == {"wuhan"}
    assert {row["kind"] for row in asked(loaded, "runs")} == {"calculate"}


def test_lines_can_be_checked_by_hand(loaded: Run) -> None:
    loaded("footprint", "calculate")
    lines = {(row["activity_id"], row["method"]): row for row in asked(loaded, "lines")}
    assert lines["clinker-2023", None]["working"] == (
        "200 t x 0.5 t/t = 100000 kg CO2; x GWP 1 x share 1 = 100000 kg CO2e"
    )
    assert lines["power-2023", "location"]["factor_names"] == "average grid electricity 2023, Hubei"
    (first,) = asked(loaded, "lines", "--top", "1")
    assert (first["activity_id"], first["method"]) == ("power-2023", "market")
    code, out, _ = loaded("footprint", "lines", "--format", "table", "--lang", "zh")
    assert code == 0
    assert "power-2023" in out
    assert "剩余组合因子" in out


def test_trace_gives_every_factor_with_its_source(loaded: Run) -> None:
    loaded("footprint", "calculate")
    (row,) = asked(loaded, "trace", "clinker-2023")
    assert (row["factor_id"], row["value"], row["unit"], row["source"]) == (
        *("clinker-old", 0.5, "t/t", "laboratory note 1"),
    )
    (lost,) = asked(loaded, "trace", "lost-2023")
    assert lost["left_out"].startswith("no_factor: found unheard_of")
    code, out, _ = loaded("footprint", "trace", "clinker-2023", "--format", "table")
    assert code == 0
    assert "200 t x 0.5 t/t" in out
    assert loaded("footprint", "trace", "nobody")[0] == 3


def test_recompute_tells_old_new_and_difference(loaded: Run, tmp_path: Path) -> None:
    loaded("footprint", "calculate")
    assert asked(loaded, "recompute", "--since", "2024-01-01") == []
    path = tmp_path / "newer.csv"
    path.write_text(NEWER, encoding="utf-8")
    assert loaded("load", "factors", str(path))[0] == 0
    (change,) = asked(loaded, "recompute", "--since", "2024-01-01")
    assert (change["old_factor_ids"], change["new_factor_ids"]) == (["clinker-old"], ["clinker-new"])
    assert (change["old_co2e_kg"], change["new_co2e_kg"]) == (100_000, pytest.approx(110_000))
    assert change["difference_kg"] == pytest.approx(10_000)
    newest, oldest = asked(loaded, "runs")
    assert (newest["kind"], newest["supersedes"], oldest["superseded_by"]) == (
        *("recompute", oldest["id"], newest["id"]),
    )
    traced = asked(loaded, "trace", "clinker-2023")
    assert [row["factor_id"] for row in traced] == ["clinker-new", "clinker-old"]
    code, out, _ = loaded("footprint", "recompute", "--since", "2024-01-01", "--format", "table")
    assert (code, "it stands" in out) == (0, True)
    before = asked(loaded, "show", "--run", oldest["id"][:10])
    assert before[0]["co2e_kg"] == 100_000


def test_a_boundary_counts_the_company_s_share(loaded: Run, tmp_path: Path) -> None:
    path = tmp_path / "group.csv"
    path.write_text(OWNERSHIP, encoding="utf-8")
    options = ("--company", "holding", "--ownership", str(path))
    told = asked(loaded, "calculate", "--approach", "equity", *options)
    assert told[0]["co2e_kg"] == pytest.approx(0.6 * 100_000)
    code, out, err = loaded("footprint", "calculate", "--approach", "operational", *options)
    assert code == 0
    assert float(rows_of(out)[0]["co2e_kg"]) == 100_000
    assert "2 lines are outside the boundary: not_in_group 2" in err
    assert {row["approach"] for row in asked(loaded, "runs")} == {"equity", "operational"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("calculate", "--approach", "equity"), 2),
        (("calculate", "--company", "holding"), 2),
        (("calculate", "--entity", "nobody"), 3),
        (("calculate", "--gwp", "AR9"), 4),
        (("calculate", "--as-of", "yesterday"), 2),
        (("show",), 3),
        (("show", "--list", "everything"), 2),
        (("show", "--by", "colour"), 4),
        (("lines",), 3),
        (("lines", "--run", "0123456789"), 3),
        (("recompute", "--since", "2024-01-01"), 3),
        (("recompute", "--since", "spring"), 2),
    ],
)
def test_wrong_questions_have_their_exit_codes(loaded: Run, words: tuple[str, ...], code: int) -> None:
    assert loaded("footprint", *words)[0] == code


def test_http_gives_the_same_numbers(loaded: Run, home: Path) -> None:
    loaded("footprint", "calculate")
    by_hand = asked(loaded, "show", "--by", "entity,year")
    lines, runs = asked(loaded, "lines"), asked(loaded, "runs")
    with TestClient(create_app(Settings.from_env({"GREENFIN_HOME": str(home)}))) as client:
        told = client.get("/v1/footprints", params={"by": "entity,year"}).json()
        assert [{name: row[name] for name in by_hand[0]} for row in told] == by_hand
        first = client.get("/v1/footprints/lines", params={"limit": 2})
        rest = client.get(first.links["next"]["url"])
        pages = first.json() + rest.json()
        while "next" in rest.links:
            rest = client.get(rest.links["next"]["url"])
            pages += rest.json()
        assert pages == lines
        assert client.get("/v1/footprints/runs").json() == runs
        assert client.get("/v1/footprints", params={"by": "colour"}).status_code == 422
        assert client.get("/v1/footprints/lines", params={"run": "0123456789"}).status_code == 404
        in_chinese = client.get("/v1/footprints/lines", params={"lang": "zh", "entity": "works"}).json()
        assert "2023年湖北电力平均二氧化碳排放因子" in {row["factor_names"] for row in in_chinese}
        assert client.get("/v1/footprints/lines.csv", params={"year": 2022}).text.count("power-2022") == 2
        document = client.get("/openapi.json").json()
        for path, rows in (("", told), ("/lines", lines), ("/runs", runs)):
            content = document["paths"][f"/v1/footprints{path}"]["get"]["responses"]["200"]["content"]
            assert content["application/json"]["example"][0].keys() <= rows[0].keys()


def test_without_a_calculation_lists_are_empty(home: Path) -> None:
    with TestClient(create_app(Settings.from_env({"GREENFIN_HOME": str(home)}))) as client:
        for path in ("", "/lines", "/runs"):
            assert client.get(f"/v1/footprints{path}").json() == []
