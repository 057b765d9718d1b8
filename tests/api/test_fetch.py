"""`greenfin fetch` as a user runs it, with a stand-in for akshare: its real functions ask sites of exchanges."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import active_children
from pathlib import Path

import pytest

from api.fetching import SOURCES, fetch, find_source, write_whole

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]
Stand = Callable[[str], None]

# Rows as the file of 2021 has them, float noise and all; the quote of a Sunday is carried forward.
DOMESTIC = """
import pandas as pd

__version__ = "1.19.5"

def energy_carbon_domestic(symbol="湖北"):
    return pd.DataFrame(
        {
            "日期": [pd.Timestamp(day).date() for day in ("2014-04-02", "2014-04-03", "2014-04-06")],
            "成交价": [21.0, 24.200000762939453, 24.200000762939453],
            "成交量": [510020.0, 51468.0, 0.0],
            "成交额": [10710400.0, 1245530.0, 0.0],
            "地点": [symbol] * 3,
        }
    )
"""
DOMESTIC_CSV = """日期,成交价,成交量,成交额,地点
2014-04-02,21.0,510020.0,10710400.0,湖北
2014-04-03,24.200000762939453,51468.0,1245530.0,湖北
2014-04-06,24.200000762939453,0.0,0.0,湖北
"""
NINE = "交易日期,市场交易指数,开盘价,最高价,最低价,成交均价,收盘价,成交量,成交额"


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Put a module named akshare where the process that asks will find it: it gets this process's path."""
    folder = tmp_path / "akshare stands here"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)

    def write(source: str) -> None:
        (folder / "akshare.py").write_text(source, encoding="utf-8")

    return write


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The place of the file, in a folder of its own that shows whatever else was written."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "fetched.csv"


def function(name: str, body: str) -> str:
    """Source of a stand-in with one function."""
    return f"import pandas as pd\n__version__ = '1.19.5'\ndef {name}(symbol='湖北'):\n    {body}\n"


def test_the_frame_is_kept_as_it_came(run: Run, stand: Stand, out: Path) -> None:
    stand(DOMESTIC)
    code, said, err = run("fetch", "湖北", "--to", str(out))
    assert (code, said) == (0, "")
    assert err == f"{out}: 3 rows of energy_carbon_domestic, akshare 1.19.5\n"
    assert out.read_bytes() == DOMESTIC_CSV.encode("utf-8")
    assert list(out.parent.iterdir()) == [out]
    assert active_children() == []


@pytest.mark.parametrize("place", ["上海", "北京", "重庆", "广东", "天津", "深圳", "福建"])
def test_every_place_is_asked_for_by_its_name(place: str) -> None:
    source = find_source(place)
    assert source is not None
    assert (source.function, source.place) == ("energy_carbon_domestic", place)


@pytest.mark.parametrize(
    ("symbol", "columns"),
    [
        ("bj", "日期,成交量,成交均价,成交额,成交单位"),
        ("sz", NINE),
        ("eu", NINE),
        ("hb", "日期,成交价,成交量,最新,涨跌"),
        ("hb", "交易品种,日期,最新,涨跌幅,最高,最低,成交量,成交额,昨收盘价"),
        ("gz", "日期,品种,开盘价,收盘价,最高价,最低价,涨跌,涨跌幅,成交数量,成交金额"),
    ],
)
def test_every_exchange_gives_the_headings_of_its_own(stand: Stand, symbol: str, columns: str) -> None:
    names = columns.split(",")
    stand(
        f"import pandas as pd\ndef energy_carbon_{symbol}():\n    return pd.DataFrame([{names!r}], columns={names!r})\n"
    )
    source = find_source(f"energy_carbon_{symbol}")
    assert source is SOURCES[symbol]
    fetched = fetch(source, timeout_s=60)
    assert (fetched.text, fetched.rows, fetched.version) == (f"{columns}\n{columns}\n", 1, "of unknown version")


def test_the_installed_command_finds_it_too(tmp_path: Path, out: Path) -> None:
    (tmp_path / "akshare.py").write_text(DOMESTIC, encoding="utf-8")
    script = Path(sys.executable).with_name("greenfin")
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "GREENFIN_HOME": str(tmp_path / "home")}
    words = [script, "fetch", "湖北", "--to", out, "--timeout", "60"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "3 rows" in done.stderr
    assert out.read_bytes() == DOMESTIC_CSV.encode("utf-8")


BROKEN = {
    "not installed": (
        "raise ModuleNotFoundError(\"No module named 'akshare'\", name='akshare')",
        "found no akshare, expected it to be installed: pip install 'greenfin[fetch]'",
    ),
    "a part of it missing": ("import a_module_nobody_has", "cannot be imported (ModuleNotFoundError: No module named"),
    "an older one": ("__version__ = '0.8.40'", "akshare 0.8.40, energy_carbon_domestic(湖北): found no such function"),
    "no network": (
        function("energy_carbon_domestic", "raise ConnectionError('Max retries\\nexceeded')"),
        "found its page out of reach (ConnectionError: Max retries exceeded), expected an answer",
    ),
    "another page": (
        function("energy_carbon_domestic", "raise KeyError(symbol)"),
        "found it failing (KeyError: '湖北'), expected a frame",
    ),
    "empty": (
        function("energy_carbon_domestic", "return pd.DataFrame(columns='日期 成交价 成交量 成交额 地点'.split())"),
        "found a frame without rows, expected the days traded",
    ),
    "empty without headings": (
        function("energy_carbon_domestic", "return pd.DataFrame()"),
        "found the columns nothing; expected 日期, 成交价, 成交量, 成交额, 地点",
    ),
    "other headings": (
        function("energy_carbon_domestic", "return pd.DataFrame({'日期': ['2024-01-02'], '价': [40.0]})"),
        "found the columns 日期, 价; expected 日期, 成交价, 成交量, 成交额, 地点",
    ),
    "headings only": (
        function(
            "energy_carbon_domestic",
            "return pd.DataFrame([[None, 1.0, 1.0, 1.0, symbol]], columns='日期 成交价 成交量 成交额 地点'.split())",
        ),
        "found nothing in column 日期 of all 1 rows, expected figures",
    ),
    "no price": (
        function(
            "energy_carbon_domestic",
            "return pd.DataFrame([['2024-01-02', None, 1, 1, 1]], columns='日期 成交价 成交量 成交额 地点'.split())",
        ),
        "found nothing in column 成交价 of all 1 rows, expected figures",
    ),
    "no frame": (
        function("energy_carbon_domestic", "return None"),
        "found a value of type NoneType, expected a frame",
    ),
    "sudden death": (
        function("energy_carbon_domestic", "__import__('os')._exit(3)"),
        "ended with code 3 and without an answer, expected a frame",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_went_wrong_is_one_message_and_no_file(run: Run, stand: Stand, out: Path, case: str) -> None:
    source, message = BROKEN[case]
    stand(source)
    code, said, err = run("fetch", "湖北", "--to", str(out), "--load")
    assert (code, said) == (1, "")
    assert message in err
    assert err.startswith("greenfin: ")
    assert err.count("\n") == 1
    assert list(out.parent.iterdir()) == []
    assert active_children() == []


def test_one_that_never_answers_is_ended(run: Run, stand: Stand, out: Path) -> None:
    stand(function("energy_carbon_domestic", "__import__('threading').Event().wait()"))
    code, said, err = run("fetch", "湖北", "--to", str(out), "--timeout", "1")
    assert (code, said) == (1, "")
    assert err == (
        "greenfin: found no answer of akshare's energy_carbon_domestic within 1 s, expected one; try again later, or "
        "allow more with --timeout\n"
    )
    assert list(out.parent.iterdir()) == []
    assert active_children() == []


def test_what_akshare_prints_stays_out_of_the_way(run: Run, stand: Stand, out: Path) -> None:
    noise = "import os, sys, warnings\nprint('x')\nos.write(2, b'x')\nwarnings.warn('x', stacklevel=1)\n"
    stand(noise + DOMESTIC)
    code, said, err = run("fetch", "湖北", "--to", str(out))
    assert (code, said, err) == (0, "", f"{out}: 3 rows of energy_carbon_domestic, akshare 1.19.5\n")


def test_rows_without_a_day_are_kept_and_counted(run: Run, stand: Stand, out: Path) -> None:
    stand(DOMESTIC.replace('"2014-04-06")]', '"2014-04-06")[:2]] + [pd.NaT]'))
    code, _, err = run("fetch", "湖北", "--to", str(out), "--lang", "en")
    assert code == 0
    assert f"{out}: 1 of 3 rows have no day; akshare could not read it" in err
    assert out.read_text(encoding="utf-8").splitlines()[-1] == ",24.200000762939453,0.0,0.0,湖北"


def test_a_file_that_is_there_is_replaced_only_when_asked(run: Run, stand: Stand, out: Path) -> None:
    stand(DOMESTIC)
    out.write_text("mine", encoding="utf-8")
    code, _, err = run("fetch", "湖北", "--to", str(out))
    assert (code, out.read_text(encoding="utf-8")) == (2, "mine")
    assert "--force to replace it" in " ".join(err.split())
    assert run("fetch", "湖北", "--to", str(out), "--force")[0] == 0
    assert out.read_bytes() == DOMESTIC_CSV.encode("utf-8")


def test_a_failure_leaves_the_file_that_was_there(run: Run, stand: Stand, out: Path) -> None:
    stand(BROKEN["no network"][0])
    out.write_text("mine", encoding="utf-8")
    assert run("fetch", "湖北", "--to", str(out), "--force")[0] == 1
    assert out.read_text(encoding="utf-8") == "mine"
    assert list(out.parent.iterdir()) == [out]


# One real row of each function, as akshare's own documentation prints it, under the headings of today.
LOADED = {
    "sz": (
        f"{NINE}\n2020-09-10,SZA-2018,21.44,26.2,21.44,21.44,26.2,4575.0,98097.52\n",
        ("Shenzhen", "2020", 4575, 98097.52),
    ),
    "gz": (
        "日期,品种,开盘价,收盘价,最高价,最低价,涨跌,涨跌幅,成交数量,成交金额\n"
        "2020-09-11,GDEA,27.87,28.05,28.1,27.8,0.18,0.65,114991,3225804.6\n",
        ("Guangdong", "2020", 114991, 3225804.60),
    ),
    "bj": (
        "日期,成交量,成交均价,成交额,成交单位\n2019-12-12,9215,74.66,687957.0,BEA\n",
        ("Beijing", "2019", 9215, 687957.00),
    ),
    "hb": (
        "交易品种,日期,最新,涨跌幅,最高,最低,成交量,成交额,昨收盘价\n"
        "HBEA,2020-09-11,29.28,1.81,31.0,28.5,54874.0,1590609.55,28.76\n",
        ("Hubei", "2020", 54874, 1590609.55),
    ),
}


def loaded_year(run: Run, market: str, period: str) -> tuple[int, float]:
    _, out, _ = run("market", market, "--by", "year", "--format", "json")
    (row,) = [row for row in json.loads(out) if row["period"] == period and row["origin"] == "loaded"]
    return row["volume_t"], row["value_cny"]


@pytest.mark.parametrize("symbol", LOADED)
def test_load_brings_each_layout_into_its_market(run: Run, stand: Stand, out: Path, symbol: str) -> None:
    csv, (market, period, volume_t, value_cny) = LOADED[symbol]
    stand(
        f"import io\nimport pandas as pd\ndef energy_carbon_{symbol}():\n    return pd.read_csv(io.StringIO({csv!r}))\n"
    )
    code, said, err = run("fetch", symbol, "--to", str(out), "--load", "--format", "csv")
    assert (code, out.read_text(encoding="utf-8")) == (0, csv)
    assert ",error" not in said
    assert "1 new" in err
    assert loaded_year(run, market, period) == (volume_t, pytest.approx(value_cny, abs=0.001))


def test_load_of_the_site_for_all_pilots(run: Run, stand: Stand, out: Path) -> None:
    stand(DOMESTIC)
    code, _, err = run("fetch", "湖北", "--to", str(out), "--load", "--format", "csv")
    assert code == 0
    assert "2 new" in err
    assert loaded_year(run, "Hubei", "2014") == (510_020 + 51_468, pytest.approx(10_710_400 + 1_245_530, abs=0.001))
    code, _, err = run("fetch", "湖北", "--to", str(out), "--load", "--force", "--format", "csv")
    assert code == 0
    assert "0 new, 2 loaded before" in err


def test_load_says_when_no_row_could_be_kept(run: Run, stand: Stand, out: Path) -> None:
    stand(DOMESTIC.replace("symbol] * 3", "'武汉'] * 3"))
    code, said, err = run("fetch", "湖北", "--to", str(out), "--load", "--format", "csv")
    assert code == 4
    assert "武汉" in said
    assert "nothing was kept" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["武汉", "--to", "a.csv"], "found '武汉'; expected 湖北, 上海"),
        (["eu", "--to", "a.csv", "--load"], "whose rows belong to no market of the registry"),
        (["hb", "--to", "a.xlsx"], "expected a name that ends in .csv"),
        (["hb", "--to", "nowhere/a.csv"], "expected one that exists"),
        (["hb", "--to", "folder.csv"], "expected the name of a file"),
        (["hb", "--to", "a.csv", "--timeout", "0"], "greater than or equal to 1"),
    ],
)
def test_wrong_use_is_told_before_anything_is_asked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    code, _, err = run("fetch", *words)
    assert code == 2
    assert message in " ".join(err.split())


def test_a_write_that_fails_leaves_nothing(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="disk is full"):
        write_whole(out, "x")
    assert list(out.parent.iterdir()) == []


def test_the_file_can_be_read_by_whom_any_new_file_can(out: Path) -> None:
    write_whole(out, DOMESTIC_CSV)
    plain = out.with_name("plain")
    plain.touch()
    assert out.stat().st_mode == plain.stat().st_mode
