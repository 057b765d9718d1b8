import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from api import cli
from api.lang import texts

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]

HEADER = "日期,配额类型,开盘价,最高价,最低价,收盘价,涨幅,日成交量,日成交额,交易方式"
LINES = [
    "2022-03-01,CEA,58.0,58.5,57.5,58.0,0.0,1000,58000,挂牌协议交易",
    "2022-03-02,CEA,58.0,59.0,58.0,58.58,1.0,2000,117160,挂牌协议交易",
]


def trades(folder: Path, lines: list[str], name: str = "trades.csv") -> str:
    path = folder / name
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return str(path)


def test_rank_in_a_pipe_is_csv_with_remarks_on_standard_error(run: Run) -> None:
    code, out, err = run("rank")
    assert code == 0
    table = pl.read_csv(out.encode())
    assert table.height == 37
    assert table["rank"].to_list() == list(range(1, 38))
    assert set(table["year"]) == {2022}
    assert "Edition open-period-" in err


def test_rank_as_json_has_the_promised_fields(run: Run) -> None:
    _, out, _ = run("rank", "--format", "json", "--top", "3", "--year", "2021")
    rows = json.loads(out)
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert {"hub", "year", "rank", "score", "fintech", "carbon_finance", "sustainability_data"} <= set(rows[0])


@pytest.mark.parametrize(("lang", "city", "head"), [("en", "Wuhan", "Carbon finance"), ("zh", "武汉", "碳金融")])
def test_rank_as_a_table_in_both_languages(run: Run, lang: str, city: str, head: str) -> None:
    _, out, _ = run("rank", "--format", "table", "--lang", lang)
    assert city in out
    assert head in out
    assert "%" in out


def test_cities_that_are_not_ranked_come_with_a_reason(run: Run) -> None:
    _, out, _ = run("rank", "--base", "published", "--year", "2017", "--format", "table")
    (line,) = (line for line in out.splitlines() if line.startswith("not ranked"))
    assert "no score of FinTech" in line
    assert "Suzhou" in line
    _, out, _ = run("standing", "suzhou", "--base", "published", "--year", "2017", "--format", "table")
    assert out.startswith("Suzhou 2017: not ranked (too few figures)")
    _, out, _ = run("rank", "--base", "published", "--year", "2017", "--format", "json")
    assert sum(row["rank"] is None and row["reason"] is not None for row in json.loads(out)) == 17


def test_standing_tells_ranks_gaps_and_causes(run: Run) -> None:
    _, out, _ = run("standing", "wuhan", "--format", "table")
    text = texts("cli", "en")
    for title in ("title_groups", "title_holds_back", "title_leads", "title_years"):
        assert text[title].split("(")[0].strip() in out
    assert "Custody and settlement" in out
    _, out, _ = run("standing", "武汉", "--format", "json")
    rows = json.loads(out)
    assert {row["year"] for row in rows} == set(range(2013, 2024))
    assert {row["kind"] for row in rows} == {"score", "holds_back", "leads", "printed"}


def test_loading_changes_the_market_and_the_ranking_says_so(run: Run, tmp_path: Path) -> None:
    """A file over the whole embedded year takes the place of its sums; volume and value are those of its rows."""
    days = [day for day in pl.date_range(date(2022, 1, 4), date(2022, 12, 30), eager=True) if day.weekday() < 5]
    lines = [LINES[0].replace("2022-03-01", day.isoformat()) for day in days]
    code, _, err = run("load", "trades", trades(tmp_path, lines), "--market", "CEA")
    assert code == 0, err
    assert f"{len(days)} new" in err
    _, out, _ = run("market", "CEA", "--by", "year", "--format", "json")
    (row,) = (row for row in json.loads(out) if row["period"] == "2022")
    assert row["origin"] == "loaded"
    assert (row["volume_t"], row["value_cny"]) == (len(days) * 1000, len(days) * 58000)
    assert row["vwap_cny_per_t"] == pytest.approx(58000 / 1000)
    _, out, err = run("standing", "wuhan", "--year", "2022", "--format", "json")
    (custody,) = (row for row in json.loads(out) if row["code"] == "carbon_finance.infrastructure.custody")
    assert custody["value"] == len(days) * 1000
    _, _, err = run("rank")
    assert "China national ETS: figures of 2022 come from loaded trading files" in err


def test_a_less_complete_file_does_not_replace_the_embedded_year(run: Run, tmp_path: Path) -> None:
    """Said also where the very edition was stored before the file came, since its figures do not change."""
    _, before, err = run("rank")
    assert "embedded kept" not in err
    run("load", "trades", trades(tmp_path, LINES), "--market", "CEA")
    _, out, _ = run("market", "CEA", "--by", "year", "--format", "json")
    (row,) = (row for row in json.loads(out) if row["period"] == "2022")
    assert row["volume_t"] == 1000 + 2000
    assert "embedded volume 50889493 t" in row["note"]
    _, after, err = run("rank")
    assert "embedded kept" in err
    assert after == before


def test_loading_twice_changes_nothing(run: Run, tmp_path: Path) -> None:
    file = trades(tmp_path, LINES)
    run("load", "trades", file, "--market", "CEA")
    before = run("market", "CEA", "--format", "json")[1], run("rank")[1]
    _, _, err = run("load", "trades", file, "--market", "CEA")
    assert "0 new, 2 loaded before" in err
    assert (run("market", "CEA", "--format", "json")[1], run("rank")[1]) == before


def test_bad_rows_are_listed_and_good_ones_kept(run: Run, tmp_path: Path) -> None:
    bad = LINES[1].replace("117160", "-117160")
    code, out, err = run("load", "trades", trades(tmp_path, [LINES[0], bad]), "--market", "CEA")
    assert code == 0
    row = pl.read_csv(out.encode()).row(0, named=True)
    assert (row["file"], row["row"], row["column"]) == ("trades.csv", 3, "日成交额")
    assert "-117160" in str(row["found"])
    assert row["expected"]
    assert "1 new" in err
    assert "1 set apart" in err


def test_strict_keeps_none_and_says_so_by_its_exit_code(run: Run, tmp_path: Path) -> None:
    bad = LINES[1].replace("117160", "-117160")
    code, _, err = run("load", "trades", trades(tmp_path, [LINES[0], bad]), "--market", "CEA", "--strict")
    assert code == cli.INVALID_DATA
    assert "trades.csv: nothing was kept" in err
    _, out, _ = run("market", "CEA", "--format", "json")
    assert {row["origin"] for row in json.loads(out)} == {"embedded"}


def test_real_national_file(run: Run, outside_data: Path) -> None:
    file = outside_data / "markets" / "cneeex_2021_2023_merged.csv"
    code, out, err = run("load", "trades", str(file), "--market", "CEA")
    assert code == 0, err
    _, out, _ = run("market", "CEA", "--by", "year", "--format", "json")
    rows = {row["period"]: row for row in json.loads(out)}
    assert [row["origin"] for row in rows.values()] == ["loaded"] * 3 + ["embedded"] * 2
    annual = pl.read_csv(outside_data / "facts" / "national_cea_annual.csv")
    for year, volume, value, days in annual.select(
        "year", "volume_t", "value_cny", "trading_days_with_trades"
    ).iter_rows():
        if year < 2023:
            found = rows[str(year)]
            assert (found["volume_t"], found["sessions"]) == (volume, days)
            assert found["value_cny"] == pytest.approx(value, abs=0.005)
    assert all(
        rows["2022"][name] is not None for name in ("block_share", "volatility_annual", "amihud_per_million_cny")
    )
    _, _, err = run("rank", "--year", "2023")
    assert "2023-08-25" in err


def test_validation_prints_both_bases_and_takes_other_ranks(run: Run, outside_data: Path) -> None:
    _, out, _ = run("validate", "--format", "json")
    rows = json.loads(out)
    assert [row["candidate"] for row in rows[:2]] == ["open base", "open base without size measures"]
    ranks = outside_data / "indices" / "city_index_ranks.csv"
    _, out, err = run("validate", "--ranks", str(ranks), "--format", "json")
    cfci = [row for row in json.loads(out) if row["against"] == "CFCI 14"]
    assert cfci[0]["hubs"] == 34
    assert "无锡" in err
    code, _, err = run("validate", "--ranks", str(ranks), "--index", "CFCI 99")
    assert code == cli.INVALID_DATA
    assert "CFCI 14" in err


@pytest.mark.parametrize(
    "words",
    ["hubs", "sources", "markets", "editions", "framework green", "market HBEA", "printed", "printed hub_modes"],
)
def test_every_list_comes_as_table_csv_and_json(run: Run, words: str) -> None:
    command = words.split()
    code, out, _ = run(*command, "--format", "table")
    assert code == 0
    assert out
    rows = json.loads(run(*command, "--format", "json")[1])
    assert pl.read_csv(run(*command, "--format", "csv")[1].encode()).height == len(rows)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("standing", "atlantis"), cli.NOT_FOUND, "unknown hub 'atlantis'"),
        (("market", "MARS"), cli.NOT_FOUND, "CEA"),
        (("framework", "other"), cli.NOT_FOUND, "green-2017"),
        (("printed", "other"), cli.NOT_FOUND, "rank_history"),
        (("rank", "--year", "1999"), cli.NOT_FOUND, "2013 to 2023"),
        (("standing", "wuhan", "--year", "1999", "--format", "table"), cli.NOT_FOUND, "2013 to 2023"),
        (("standing", "wuhan", "--year", "1999", "--format", "json"), cli.NOT_FOUND, "2013 to 2023"),
        (("rank", "--base", "printed"), cli.INVALID_DATA, "open, published"),
        (("rank", "--format", "xml"), 2, "table, json or csv"),
        (("rank", "--lang", "fr"), 2, "zh or en"),
        (("market", "CEA", "--by", "hour"), 2, "month or year"),
        (("load", "trades", "nowhere.csv", "--market", "CEA"), cli.INVALID_DATA, "nowhere.csv"),
        (("load", "trades", "nowhere.csv", "--market", "MARS"), cli.NOT_FOUND, "MARS"),
        (("load", "trades", "nowhere.csv", "--market", "CEA", "--format-in", "x"), cli.INVALID_DATA, "cneeex_daily"),
    ],
)
def test_wrong_input_gets_a_message_and_a_code_and_no_traceback(
    run: Run, words: tuple[str, ...], code: int, said: str
) -> None:
    found, _, err = run(*words)
    assert found == code
    assert said in err
    assert "Traceback" not in err


def test_a_database_that_cannot_be_opened_is_one_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/at/all/x.sqlite")
    code, _, err = run("hubs")
    assert code == cli.FAILED
    assert "Traceback" not in err


def test_help_names_every_layout() -> None:
    from carbon.formats import FORMATS

    assert set(cli.LAYOUTS.replace(" or ", ", ").split(", ")) == set(FORMATS)


def test_help_imports_nothing_heavy() -> None:
    """`--help` stays quick because none of these is imported for it."""
    script = (
        "import sys\n"
        "from api.cli import main\n"
        "sys.argv = ['greenfin', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'polars', 'numpy', 'sqlmodel', 'sqlalchemy', 'fastapi', 'pydantic', 'deltalake', 'rich', 'scipy'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("heavy: []")
    assert "rank" in done.stdout
