"""The commands `what-if`, `target`, `break-even` and `rank-range`, as a user runs them."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from api.lang import Lang, texts
from api.settings import Settings

Run = Callable[..., tuple[int, str, str]]
VOLUME = "carbon_finance.market.volume"


@pytest.fixture
def ask(settings: Settings, monkeypatch: pytest.MonkeyPatch, command: Run) -> Run:
    """Run one command on the store that all tests share, which these commands only read."""
    monkeypatch.setenv("GREENFIN_HOME", str(settings.home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return command


def wide(text: str) -> int:
    """Columns of a terminal that a line takes; Chinese characters take two."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_if_for_people(ask: Run, lang: Lang) -> None:
    words = ("what-if", "chengdu", "--set", f"{VOLUME}=best", "--set", "xian/ecosystem.business.cost=by:-5%")
    code, out, err = ask(*words, "--draws", "30", "--year", "2022", "--format", "table", "--lang", lang)
    assert (code, err) == (0, "")
    text = texts("analyses", lang)
    for key in ("title_what_if_figures", "title_what_if"):
        assert text[key].format(year=2022) in out
    assert text["title_bands_beside"].format(draws=30) in out
    assert text["kind_sensitivity"] in out
    assert text["what_if_assumed"] in out
    assert {"en": "Chengdu", "zh": "成都"}[lang] in out
    assert "…" not in out
    table = out.split(text["title_what_if"].format(year=2022))[1].split(text["what_if_assumed"])[0]
    assert max(map(wide, table.splitlines()[:3])) <= 120


def test_what_if_for_programs(ask: Run) -> None:
    words = ("what-if", "wuhan", "--set", f"{VOLUME}=by:10%", "--year", "2022")
    code, out, err = ask(*words, "--list", "figures", "--format", "json")
    assert (code, err) == (0, "")
    (row,) = json.loads(out)
    assert row["value_after"] == pytest.approx(row["value_before"] * 1.1)
    assert (row["unit"], row["status_after"], row["how"]) == ("t", "assumed", "percent")
    code, out, _ = ask(*words, "--format", "csv")
    ranks = pl.read_csv(io.StringIO(out))
    assert ranks.filter(code="green").height == 37
    code, out, _ = ask(
        "what-if", "wuhan", "--to", "shanghai", "--year", "2022", "--list", "figures", "--format", "json"
    )
    assert all(row["how"] == "as" for row in json.loads(out))
    for form in ("table", "csv"):
        code, out, _ = ask(*words, "--list", "shifts", "--format", form)
        assert code == 0
    code, out, _ = ask(*words, "--list", "figures", "--format", "table")
    assert code == 0
    moved = ("what-if", "wuhan", "--set", "ecosystem.business.finance=best", "--year", "2022", "--list", "shifts")
    code, out, _ = ask(*moved, "--format", "table")
    assert code == 0
    assert "weight in its group" in out
    code, out, _ = ask(
        "what-if", "wuhan", "--set", "carbon_finance.market.volume=by:0", "--list", "shifts", "--format", "table"
    )
    assert out.startswith("No bound and no weight moves")


def test_a_target_of_the_base_index_alone_knows_no_added_group(ask: Run) -> None:
    words = ("target", "wuhan", "--rank", "5", "--year", "2023", "--base-alone", "--format", "json")
    code, out, _ = ask(*words)
    moves = json.loads(out)
    assert code == 0
    assert {row["edition"] for row in moves} == {None}
    assert {row["code"].split(".")[0] for row in moves} <= {"industry", "experience", "ecosystem"}
    code, out, _ = ask(*words, "--list", "answer")
    (answer,) = json.loads(out)
    assert (answer["rank_before"], answer["rank_rebuilt"]) == (7, 5)


def test_moves_that_miss_the_goal_say_so_to_programs(ask: Run) -> None:
    words = ("target", "lhasa", "--score", "100", "--fix", "carbon_finance", "--year", "2022")
    code, out, err = ask(*words, "--format", "json")
    rows = json.loads(out)
    assert code == 0
    assert {row["reachable"] for row in rows} == {False}
    assert texts("analyses", "en")["target_terms"] in err
    code, out, _ = ask("target", "wuhan", "--rank", "1", "--year", "2022", "--format", "json")
    assert {row["reachable"] for row in json.loads(out)} == {True}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_target_for_people(ask: Run, lang: Lang) -> None:
    text = texts("analyses", lang)
    code, out, err = ask("target", "wuhan", "--rank", "1", "--year", "2022", "--format", "table", "--lang", lang)
    assert (code, err) == (0, "")
    goal = text["goal_rank"].format(rank=1)
    assert text["title_target"].format(city={"en": "Wuhan", "zh": "武汉"}[lang], goal=goal, year=2022) in out
    assert "79.74" in out
    assert "…" not in out
    code, out, _ = ask("target", "wuhan", "--rank", "5", "--year", "2022", "--format", "table", "--lang", lang)
    assert code == 0
    assert text["target_reached"] in out
    words = ("target", "lhasa", "--score", "99", "--fix", "fintech", "--year", "2022")
    code, out, _ = ask(*words, "--format", "table", "--lang", lang)
    assert code == 0
    assert {"en": "Out of reach", "zh": "无法达到"}[lang] in out
    code, out, _ = ask("target", "lanzhou", "--rank", "1", "--year", "2022", "--format", "table", "--lang", lang)
    assert "--hold" in out
    words = ("target", "lanzhou", "--rank", "1", "--hold", "--year", "2022")
    code, out, _ = ask(*words, "--list", "answer", "--format", "json")
    (answer,) = json.loads(out)
    assert (answer["rank_rebuilt"], answer["holds_rebuilt"]) == (1, True)
    assert answer["aimed_higher"] > 0


def test_target_with_costs(ask: Run, tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text(
        "code,cost_per_point,fixed_cost,upper\necosystem.infrastructure.financial,9,,\n"
        "ecosystem.infrastructure.information,9,,90\n",
        encoding="utf-8",
    )
    words = ("target", "wuhan", "--rank", "1", "--year", "2022", "--costs", str(costs))
    code, out, err = ask(*words, "--format", "json")
    assert code == 0
    assert texts("analyses", "en")["target_terms"] in err
    found = json.loads(out)
    assert not any(row["code"].startswith("ecosystem.infrastructure") for row in found)
    code, out, _ = ask(*words, "--list", "answer", "--format", "json")
    (answer,) = json.loads(out)
    assert answer["cost"] == pytest.approx(sum(row["cost"] for row in found))
    costs.write_text("code,cost_per_point\nnothing,dear\n", encoding="utf-8")
    code, out, err = ask(*words)
    assert (code, out) == (4, "")
    assert "costs.csv row 2, column code" in err
    assert "costs.csv row 2, column cost_per_point: found 'dear'" in err


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_weights_for_people(ask: Run, lang: Lang) -> None:
    text, city = texts("analyses", lang), {"en": "Wuhan", "zh": "武汉"}[lang]
    common = ("--year", "2022", "--format", "table", "--lang", lang)
    for listed in ("nearest", "intervals", "pairs"):
        code, out, err = ask("break-even", "wuhan", "--list", listed, *common)
        assert (code, err) == (0, "")
        assert text[f"title_break_even_{listed}"].format(city=city, year=2022) in out
        assert "…" not in out
    code, out, err = ask("rank-range", "wuhan", "--level", "indicators", "--region", "20%", *common)
    assert (code, err.strip()) == (0, "")
    assert text["line_left_out"].format(names="ecosystem.business.cost; carbon_finance.market.continuity") in out
    code, out, err = ask("rank-range", "wuhan", "--list", "weights", *common)
    assert (code, err.strip()) == (0, "")
    assert text["end_worst"] in out
    code, out, err = ask("rank-range", "--region", "5%", *common)
    assert (code, err.strip()) == (0, "")
    assert text["range_first"].format(cities=37, can_be_first=1, first_alone=1) in out
    assert "…" not in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("what-if", "wuhan"), 2, "--set"),
        (("what-if", "wuhan", "--set", f"{VOLUME}=1", "--list", "all"), 2, "ranks, figures, shifts"),
        (("what-if", "atlantis", "--set", f"{VOLUME}=1"), 3, "unknown hub 'atlantis'"),
        (("what-if", "wuhan", "--set", f"{VOLUME}=1", "--year", "1999"), 3, "2013 to 2023"),
        (("what-if", "wuhan", "--set", f"{VOLUME}=-1", "--set", "x=2"), 4, "2 problem(s)"),
        (("target", "wuhan"), 2, "--rank"),
        (("target", "wuhan", "--rank", "1", "--score", "9"), 2, "--rank"),
        (("target", "wuhan", "--rank", "9" * 20), 2, "--rank"),
        (("what-if", "wuhan", "--to", "shanghai", "--draws", "1", "--seed", "9" * 20), 2, "--seed"),
        (("target", "wuhan", "--rank", "1", "--fix", "nothing"), 4, "'nothing'"),
        (("target", "wuhan", "--rank", "1", "--costs", "nowhere.csv"), 4, "nowhere.csv"),
        (("break-even", "wuhan", "--level", "carbon_finance.market", "--year", "2022"), 4, "every ranked hub"),
        (("rank-range", "--region", "wide"), 4, "'wide'"),
        (("rank-range", "wuhan", "--base", "printed"), 4, "unknown base"),
    ],
)
def test_what_cannot_be_is_said_without_a_traceback(ask: Run, words: tuple[str, ...], code: int, said: str) -> None:
    found, out, err = ask(*words)
    assert (found, out) == (code, "")
    assert said in err
    assert "Traceback" not in err
