"""The commands about uncertainty, quality, disclosure and portfolios, on activities loaded and calculated before."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from api.lang import texts

Run = Callable[..., tuple[int, str, str]]

HEADER = "entity,period,scope,category,activity,amount,unit,city,recorded,evidence,lower,upper,distribution,verified"
ACTIVITIES = [
    "mill,2023,2,electricity,electricity,1000,MWh,武汉,2024-01-10,metered,950,1050,normal,",
    "mill,2023-01,1,stationary,natural_gas,100,万Nm3,武汉,2023-02-10,invoice,,,,true",
    "mill,2023-02,1,stationary,natural_gas,100,万Nm3,武汉,2023-03-10,invoice,,,,",
]
PORTFOLIO = "investee,entity,asset_class,outstanding,evic,scope_1_t,scope_2_t,scope_3_t,score"


@pytest.fixture
def calculated(run: Run, tmp_path: Path) -> Run:
    """The same home with three activities calculated."""
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *ACTIVITIES]) + "\n", encoding="utf-8")
    assert run("load", "activities", str(path))[0] == 0
    assert run("footprint", "calculate")[0] == 0
    return run


def asked(run: Run, *words: str) -> list[dict[str, object]]:
    code, out, err = run(*words, "--format", "json")
    assert code == 0, err
    rows: list[dict[str, object]] = json.loads(out)
    return rows


def test_intervals(calculated: Run) -> None:
    """Only the electricity has a range, of 5 %: the interval is that, and what is covered is told."""
    total = asked(calculated, "footprint", "show")
    (electricity,) = (row for row in total if (row["scope"], row["method"]) == ("2", "location"))
    (whole,) = asked(calculated, "footprint", "uncertainty")
    assert isinstance(electricity["co2e_kg"], float)
    assert whole["upper_kg"] == pytest.approx(whole["co2e_kg"] + 0.05 * electricity["co2e_kg"])
    assert whole["ranged_share"] == pytest.approx(electricity["co2e_kg"] / whole["co2e_kg"])
    by_scope = asked(calculated, "footprint", "uncertainty", "--by", "scope", "--method", "market")
    assert [(row["scope"], row["ranged_share"]) for row in by_scope] == [(1, 0.0), (2, 1.0)]


def test_what_makes_it_uncertain_and_what_is_not_known(calculated: Run) -> None:
    (source,) = asked(calculated, "footprint", "uncertainty", "--contributions")
    assert (source["kind"], source["variance_share"]) == ("activity", 1.0)
    unknown = asked(calculated, "footprint", "uncertainty", "--unknown")
    assert {row["activity"] for row in unknown} == {"natural_gas"}


def test_trials_with_a_seed(calculated: Run) -> None:
    words = ("footprint", "uncertainty", "--monte-carlo", "--trials", "2000", "--seed")
    first, again, other = (asked(calculated, *words, seed) for seed in ("3", "3", "4"))
    assert first == again != other
    (exact,) = asked(calculated, "footprint", "uncertainty")
    half = float(str(exact["upper_kg"])) - float(str(exact["co2e_kg"]))
    # 2.67 deviations over the root of the trials is the standard error of the percentile of a normal.
    error = 2.67 * half / 1.96 / math.sqrt(2000)
    assert first[0]["p97_5_kg"] == pytest.approx(exact["upper_kg"], abs=5 * error)
    assert first[0]["ranged_share"] == exact["ranged_share"]


def test_quality(calculated: Run) -> None:
    """Verified gas of January scores 1, the rest 2; electricity is metered; gas lacks ten months."""
    (found,) = asked(calculated, "footprint", "quality", "--entity", "mill", "--year", "2023")
    totals = {(row["scope"], row["method"]): row["co2e_kg"] for row in asked(calculated, "footprint", "show")}
    gas, electricity = (float(str(totals[key])) for key in (("1", None), ("2", "location")))
    whole = gas + electricity
    assert (found["entity"], found["year"], found["activities"]) == ("mill", 2023, 3)
    assert found["score"] == pytest.approx((1 * gas / 2 + 2 * gas / 2 + 2 * electricity) / whole)
    assert found["verified_share"] == pytest.approx(gas / 2 / whole)
    assert found["measured_or_verified_share"] == pytest.approx((gas / 2 + electricity) / whole)
    assert found["completeness_share"] == pytest.approx((12 + 2) / 24)
    assert str(found["gaps"]).startswith("natural_gas: 2023-03, 2023-04")
    assert found["timeliness_days"] == 10
    evidence = {row["evidence"]: row["share"] for row in asked(calculated, "footprint", "quality", "--evidence")}
    assert evidence == pytest.approx({"metered": electricity / whole, "invoice": gas / whole})


def test_rules_of_the_score_have_sources(run: Run) -> None:
    rules = asked(run, "footprint", "quality", "--rules")
    assert {row["score"] for row in rules} == {1, 2, 3, 4, 5}
    assert all(row["source"] and row["confidence"] for row in rules)


def test_disclosure(calculated: Run) -> None:
    words = ("footprint", "disclosure", "--net-revenue", "2000000", "--ets-entity", "mill")
    found = {row["row_id"]: row for row in asked(calculated, *words)}
    totals = {(row["scope"], row["method"]): row["co2e_kg"] for row in asked(calculated, "footprint", "show")}
    tonnes = {key: float(str(mass)) / 1000 for key, mass in totals.items()}
    assert found["gri-305-1-a"]["value"] == pytest.approx(tonnes["1", None], rel=1e-12)
    assert found["gri-305-2-a"]["value"] == pytest.approx(tonnes["2", "location"], rel=1e-12)
    assert found["gri-305-2-b"]["value"] == pytest.approx(tonnes["2", "market"], rel=1e-12)
    assert found["gri-305-4-a"]["value"] == pytest.approx(tonnes["1+2", "location"] / 2)
    assert found["esrs-e1-6-48-b"]["value"] == 100
    assert (found["gri-305-3-a"]["value"], found["gri-305-3-a"]["reason"]) == (None, "no_lines")
    assert found["gri-305-1-a"]["boundary"] == texts("cli", "en")["boundary_rows"]
    only = asked(calculated, "footprint", "disclosure", "--standard", "IFRS S2", "--boundary", "ours")
    assert {row["standard"] for row in only} == {"IFRS S2"}
    assert {row["boundary"] for row in only} == {"ours"}


@pytest.mark.parametrize(("lang", "asks"), [("en", "asks for the potentials over 100 years"), ("zh", "最新评估")])
def test_people_are_told_of_potentials_that_are_not_the_latest(run: Run, tmp_path: Path, lang: str, asks: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *ACTIVITIES]) + "\n", encoding="utf-8")
    assert run("load", "activities", str(path))[0] == 0
    for gwp, said in (("AR5GWP100", 2), ("AR6GWP100", 0)):
        assert run("footprint", "calculate", "--gwp", gwp)[0] == 0
        _, out, _ = run("footprint", "disclosure", "--format", "table", "--lang", lang)
        assert out.count(asks) == said


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tables_in_both_languages(calculated: Run, lang: str, tmp_path: Path) -> None:
    text = texts("cli", "zh" if lang == "zh" else "en")
    place = tmp_path / "p.csv"
    place.write_text(f"{PORTFOLIO}\nA,mill,business_loan,10,100,,,,\n", encoding="utf-8")
    for words, title in (
        (("footprint", "uncertainty"), "title_uncertainty"),
        (("footprint", "uncertainty", "--contributions"), "title_contributions"),
        (("footprint", "uncertainty", "--unknown"), "title_unknown_lines"),
        (("footprint", "uncertainty", "--monte-carlo", "--trials", "50"), "title_monte_carlo"),
        (("footprint", "quality"), "title_quality"),
        (("footprint", "quality", "--evidence"), "title_quality"),
        (("footprint", "quality", "--rules"), "title_pcaf_rules"),
        (("footprint", "disclosure"), "title_disclosure"),
        (("financed", str(place)), "title_financed"),
        (("financed", str(place), "--rows"), "title_financed"),
    ):
        code, out, err = calculated(*words, "--format", "table", "--lang", lang)
        assert (code, err) == (0, ""), words
        assert out.startswith(text[title].split("{")[0])
        headings = out.splitlines()[1]
        assert "column_" not in headings
        assert "_" not in headings, headings


def test_a_portfolio(calculated: Run, tmp_path: Path) -> None:
    """One investee gives its emissions, one has a footprint here, one cannot be attributed."""
    place = tmp_path / "p.csv"
    lines = [
        "A,,listed_equity,10,100,50,5,,1",
        "M,mill,business_loan,25,100,,,,",
        "B,,listed_equity,5,,1,1,1,1",
        "x,,x,,,,,,",
    ]
    place.write_text("\n".join([PORTFOLIO, *lines]) + "\n", encoding="utf-8")
    code, out, err = calculated("financed", str(place), "--format", "json")
    assert code == 0
    found = {row["scope"]: row for row in json.loads(out)}
    scope_1 = next(row["co2e_kg"] for row in asked(calculated, "footprint", "show") if row["scope"] == "1")
    assert found["1"]["financed_t"] == pytest.approx(0.1 * 50 + 0.25 * float(str(scope_1)) / 1000)
    assert found["3"]["financed_t"] is None
    assert found["1"]["attributed_share"] == pytest.approx(35 / 40)
    for code_ in ("missing_denominator", "unknown_asset_class", "missing"):
        assert f"[{code_}]" in err
    rows = asked(calculated, "financed", str(place), "--rows")
    assert [(row["investee"], row["from_1"]) for row in rows] == [("A", "given"), ("M", "lines"), ("B", "given")]


def test_a_portfolio_of_which_nothing_can_be_attributed(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "p.csv"
    place.write_text(f"{PORTFOLIO}\nB,,listed_equity,5,,1,1,1,1\n", encoding="utf-8")
    code, out, err = run("financed", str(place))
    assert code == 4
    assert pl.read_csv(out.encode())["financed_t"].null_count() == 4
    assert "missing_denominator" in err
    place.write_text(f"{PORTFOLIO}\n", encoding="utf-8")
    assert run("financed", str(place))[0] == 4
    place.write_text(f"{PORTFOLIO}\nB,,listed_equity,5,10,1,1,1,1,beyond\n", encoding="utf-8")
    code, _, err = run("financed", str(place))
    assert code == 4
    assert "too_many_cells" in err


def test_nothing_calculated_is_not_found(run: Run) -> None:
    for command in ("uncertainty", "quality", "disclosure"):
        code, out, err = run("footprint", command)
        assert (code, out) == (3, "")
        assert texts("cli", "en")["no_footprint_lines"] in err


@pytest.mark.parametrize(
    "words",
    [
        ("footprint", "uncertainty", "--method", "spot"),
        ("footprint", "uncertainty", "--unknown", "--monte-carlo"),
        ("footprint", "disclosure", "--standard", "TCFD"),
    ],
)
def test_wrong_usage(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words)[0] == 2


def test_an_unknown_group_is_invalid(calculated: Run) -> None:
    code, _, err = calculated("footprint", "uncertainty", "--by", "colour")
    assert code == 4
    assert "colour" in err
