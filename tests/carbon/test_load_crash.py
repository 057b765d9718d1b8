"""`kill -9` in the middle of `load trades`, at random moments of every step: nothing is half-written, whoever reads
meanwhile sees whole files only, and loading again completes. GREENFIN_TEST_SEED repeats a run as far as the machine
does; GREENFIN_TEST_KILLS is the number of deaths.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random, SystemRandom
from threading import Event, Thread
from time import perf_counter
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Connection, Engine, text
from sqlmodel import Session, select

from api.db import create_tables, make_engine
from carbon.embedded import load_embedded
from carbon.formats import read_trades
from carbon.lake import lake_version, read_rows
from carbon.loading import STEPS, ensure_fresh, refresh_market
from carbon.market import bars_schema, day_bars
from carbon.tables import DailyBar, TradeFile, TradeSummary

from .ledger.workers import Workers, kill

KILLS = int(os.environ.get("GREENFIN_TEST_KILLS", "100"))
HEADER = "日期,配额类型,开盘价,最高价,最低价,收盘价,涨幅,日成交量,日成交额,交易方式"
PRODUCTS = {"CEA": "CEA", "Hubei": "HBEA-20", "Shenzhen": "SZA-20"}
ROWS = 400
LISTED_CNY, BLOCK_CNY = 58, 55


@dataclass(frozen=True)
class DayFile:
    """One generated file, and what must come of it: added up here, from the numbers as they are written."""

    market: str
    path: Path
    volume_t: int
    value_fen: int


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    script = Path(__file__).with_name("load_crash_worker.py")
    process = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield Workers(process)
    process.communicate()


def write_file(folder: Path, number: int, random: Random, *, with_bad_line: bool = False) -> DayFile:
    """File `number`: one vintage of one market, listing and block on each of 200 weekdays that lie in two years.

    with_bad_line : also one line of another vintage whose high is below its low, on the first of these days
    """
    market = list(PRODUCTS)[number % len(PRODUCTS)]
    block, vintage = number // len(PRODUCTS) % 4, 13 + number // len(PRODUCTS) // 4
    day, lines, volume_t, value_fen = date(2021 + block, 7, 16), [HEADER], 0, 0
    while len(lines) < 1 + ROWS:
        if day.weekday() < 5:
            for price, method in ((LISTED_CNY, "挂牌协议交易"), (BLOCK_CNY, "大宗协议交易")):
                volume = random.randint(1, 99_999)
                prices = ",".join([f"{LISTED_CNY}.0"] * 4)
                lines.append(f"{day},{PRODUCTS[market]}{vintage},{prices},0.0,{volume},{price * volume},{method}")
                volume_t, value_fen = volume_t + volume, value_fen + 100 * price * volume
        day += timedelta(1)
    if with_bad_line:
        first_day = lines[1].split(",")[0]
        lines.append(f"{first_day},{PRODUCTS[market]}99,58.0,57.0,58.0,58.0,0.0,1,58,挂牌协议交易")
    path = folder / f"{number:03d}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return DayFile(market, path, volume_t, value_fen)


def sums_of(files: list[DayFile]) -> dict[str, list[tuple[int, int]]]:
    """Tonnes and fen of each market after none, one, two, ... of its files."""
    return {
        market: list(
            accumulate(
                ((file.volume_t, file.value_fen) for file in files if file.market == market),
                lambda sum_, one: (sum_[0] + one[0], sum_[1] + one[1]),
                initial=(0, 0),
            )
        )
        for market in PRODUCTS
    }


SUMS = """
SELECT market, 'day' AS "by", sum(volume_t) AS volume_t, sum(value_fen) AS value_fen
  FROM carbon_daily_bar GROUP BY market
UNION ALL
SELECT market, "by", sum(volume_t), sum(value_fen)
  FROM carbon_trade_summary WHERE origin = 'loaded' GROUP BY market, "by"
"""


def sql_sums(connection: Connection) -> dict[str, tuple[int, int]]:
    """Tonnes and fen of each market as SQL has them; days, months and years, read in one statement, must agree."""
    found: dict[str, dict[str, tuple[int, int]]] = {market: {} for market in PRODUCTS}
    for row in connection.execute(text(SUMS)):
        found[row.market][row.by] = (int(row.volume_t), int(row.value_fen))
    for market, by in found.items():
        assert by.keys() in ({"day", "month", "year"}, set()), f"{market}: {by}"
        assert len(set(by.values())) <= 1, f"{market}: {by}"
    return {market: by.get("day", (0, 0)) for market, by in found.items()}


def lake_files(lake: Path, files: list[DayFile], market: str) -> int:
    """How many files of a market the lake has: each as a whole, in the order of loading."""
    rows = dict(read_rows(lake, market).group_by("file").len().iter_rows())
    names = [file.path.name for file in files if file.market == market][: len(rows)]
    assert rows == dict.fromkeys(names, ROWS)
    return len(rows)


class Reader:
    """Somebody who reads all the time: SQL and then the lake, which is never behind it."""

    def __init__(self, engine: Engine, lake: Path, files: list[DayFile]) -> None:
        self.engine, self.lake, self.files = engine, lake, files
        self.sums = sums_of(files)
        self.failures: list[BaseException] = []
        self.looks, self.seen = 0, dict.fromkeys(PRODUCTS, 0)
        self.market = files[0].market  # the one that is being loaded is looked at
        self.stop = Event()
        self.thread = Thread(target=self.run)

    def run(self) -> None:
        try:
            while not self.stop.wait(0.02):
                self.look(self.market)
                self.looks += 1
        except BaseException as failure:
            self.failures.append(failure)

    def look(self, market: str) -> None:
        with self.engine.connect() as connection:
            found = sql_sums(connection)
        for name, sum_ in found.items():
            assert sum_ in self.sums[name], f"{name}: a part of a file"
        in_sql, in_lake = self.sums[market].index(found[market]), lake_files(self.lake, self.files, market)
        assert self.seen[market] <= in_sql <= in_lake, f"{market} went back, or SQL went ahead"
        self.seen[market] = in_sql


@pytest.fixture
def random() -> Random:
    seed = int(os.environ.get("GREENFIN_TEST_SEED") or SystemRandom().getrandbits(32))
    print(f"GREENFIN_TEST_SEED={seed}")  # shown where the test fails
    return Random(seed)


@dataclass(frozen=True)
class Death:
    """What a killed job had said: files acknowledged, and the step that it died in (null where it had ended)."""

    acknowledged: list[str]
    step: str | None
    durations_s: list[tuple[str, float]]


def die(workers: Workers, job: dict[str, Any], step_number: int, later_s: float) -> Death:
    """Start a job and kill it `later_s` after it announces its step number `step_number` (0 is the start)."""
    workers.start(job)
    acknowledged: list[str] = []
    durations: list[tuple[str, float]] = []
    pid, ended, step, begun = 0, False, "starting", 0.0
    announced = 0
    for words in workers.lines():
        now = perf_counter()
        assert words[1] != "failed", words
        if words[1] == "pid":
            pid = int(words[2])
        if words[1] in ("step", "ack") and step != "starting":
            durations.append((step, now - begun))
        if words[1] == "step":
            step, begun, announced = words[3], now, announced + 1
        if words[1] == "ack":
            acknowledged.append(words[2])
            step = "starting"
        ended |= words[1] == "end"
        if words[1] in ("ready", "step") and announced == step_number:
            Event().wait(later_s)
            kill(pid)
    return Death(acknowledged, None if ended else step, durations)


def settled(engine: Engine) -> Connection:
    """A connection that sees the figures once the dead writer's database transaction is over."""
    connection = engine.connect()
    if engine.dialect.name != "sqlite":
        # The server may need a moment to learn that its client died; this lock waits for that.
        connection.execute(text("LOCK TABLE carbon_daily_bar, carbon_trade_summary, carbon_trade_file IN SHARE MODE"))
    return connection


def figures(engine: Engine) -> list[list[dict[str, Any]]]:
    """Every derived row of SQL, in one order."""
    with Session(engine) as session:
        named = [[row.model_dump() for row in session.exec(select(table))] for table in (DailyBar, TradeSummary)]
    return [sorted(rows, key=lambda row: [str(value) for value in row.values()]) for rows in named]


def is_derived_from_lake(engine: Engine, lake: Path, market: str) -> bool:
    """Whether the bars of SQL are those made afresh from the lake."""
    with Session(engine) as session:
        found = session.exec(select(DailyBar).where(DailyBar.market == market).order_by(DailyBar.day)).all()
    schema = {name: kind for name, kind in bars_schema().items() if name in DailyBar.model_fields}
    bars = pl.DataFrame([bar.model_dump() for bar in found], schema=schema)
    return bars.equals(day_bars(read_rows(lake, market)).select(schema.keys()))


def state(engine: Engine, lake: Path) -> tuple[object, ...]:
    """All that a run may change: SQL with ids, the lake's version and the names of its files."""
    with engine.connect() as connection:
        tables = ("carbon_daily_bar", "carbon_trade_summary", "carbon_trade_file", "carbon_day_set_apart")
        rows = [sorted(map(str, connection.execute(text(f"SELECT * FROM {table}")))) for table in tables]
    return rows, lake_version(lake), sorted(str(path) for path in lake.rglob("*"))


def check_after_death(engine: Engine, lake: Path, files: list[DayFile], heard: list[str]) -> bool:
    """Nothing that was acknowledged is lost; SQL has whole files, and the lake's where it says so.

    Result : whether the death lay between the two stores, so that the lake has a file that SQL has not
    """
    is_between = False
    sums = sums_of(files)
    with settled(engine) as connection:
        found = sql_sums(connection)
        recorded = connection.execute(
            text("SELECT market, min(lake_version), max(lake_version) FROM carbon_trade_summary GROUP BY market")
        ).all()
        log = connection.execute(text("SELECT file, market FROM carbon_trade_file")).all()
        set_apart = connection.execute(
            text("SELECT f.file FROM carbon_day_set_apart d JOIN carbon_trade_file f ON f.id = d.trade_file")
        ).scalars()
        assert sorted(set_apart) == sorted(file for file, _market in log), "a file without its days set apart"
    versions = {market: (least, most) for market, least, most in recorded if least is not None}
    logged = [file for file, _market in log]
    assert len(set(logged)) == len(logged)
    assert set(heard) <= set(logged) <= {file.path.name for file in files}
    for market in PRODUCTS:
        in_lake, in_sql = lake_files(lake, files, market), sums[market].index(found[market])
        heard_of = sum(file.market == market and file.path.name in heard for file in files)
        assert heard_of <= in_sql <= in_lake <= heard_of + 1, market
        assert sum(one == market for _file, one in log) <= in_sql, f"{market}: logged before its figures"
        least, most = versions.get(market, (None, None))
        assert least == most
        assert in_sql == in_lake or least != lake_version(lake), f"{market}: old figures under the new version"
        is_between |= in_sql < in_lake
    return is_between


def rows_as_written(files: list[DayFile], market: str) -> pl.DataFrame:
    """The rows of a market's files, read and put one after the other without any lake."""
    ours = [file for file in files if file.market == market]
    rows = [read_trades(file.path, market=market)[1].rows for file in ours]
    return pl.concat(rows).sort("day", "product", "method", "feed")


def derived_afresh(lake: Path, folder: Path) -> list[list[dict[str, Any]]]:
    """Bars and summaries as an empty database gets them from the lake."""
    engine = make_engine(f"sqlite:///{folder / 'afresh.sqlite'}")
    create_tables(engine)
    with Session(engine) as session:
        for market in PRODUCTS:
            refresh_market(session, lake, market)
    found = figures(engine)
    engine.dispose()
    return found


def test_loads_survive_a_kill(engine: Engine, workers: Workers, random: Random, tmp_path: Path) -> None:
    files = [write_file(tmp_path, number, random, with_bad_line=True) for number in range(2 * KILLS + 2)]
    lake = tmp_path / "lake"
    with Session(engine) as session:
        load_embedded(session)
    url = engine.url.render_as_string(hide_password=False)
    job = {"name": "w", "do": "trades", "url": url, "lake": str(lake)}
    reading = make_engine(url)
    reader = Reader(reading, lake, files)
    reader.thread.start()
    heard: list[str] = []
    between = 0
    usual_s, died_in = dict.fromkeys(STEPS, 0.02), Counter[str | None]()
    try:
        for number in range(KILLS):
            # One more than is heard of may be in the lake: it is loaded again, as by one who was never told.
            at = len(heard)
            number_of_files = random.choice((1, 1, 2))
            step = random.randrange(1, number_of_files * len(STEPS) + 1)
            later_s = random.uniform(0, 1.2 * usual_s[STEPS[(step - 1) % len(STEPS)]])
            reader.market = files[at].market
            next_files = [[file.market, str(file.path)] for file in files[at : at + number_of_files]]
            death = die(workers, job | {"files": next_files}, step, later_s)
            died_in[death.step] += 1
            for name, seen_s in death.durations_s:
                usual_s[name] = (usual_s[name] + seen_s) / 2
            heard += death.acknowledged
            if random.random() < 0.5:
                engine.dispose()  # else this process has the database open all the time
            between += check_after_death(engine, lake, files, heard)
            if random.random() < 0.2:
                with Session(engine) as session:
                    ensure_fresh(session, lake)
                    assert ensure_fresh(session, lake) == [], f"kill {number}"
                market = files[at].market
                assert is_derived_from_lake(engine, lake, market), f"kill {number}"
    finally:
        reader.stop.set()
        reader.thread.join()
        reading.dispose()
    print(f"died in {dict(died_in)}; {between} between the stores; {len(heard)} files heard of; {reader.looks} looks")
    assert not reader.failures, reader.failures
    assert reader.looks >= KILLS
    if KILLS >= 50:
        assert between
        assert all(died_in[step] for step in STEPS), died_in
    check_completion(engine, lake, workers, job, files[: len(heard) + 2], tmp_path)


def check_completion(
    engine: Engine, lake: Path, workers: Workers, job: dict[str, Any], files: list[DayFile], folder: Path
) -> None:
    """Loading all of it again completes, to the tonne and fen; a further run changes nothing."""
    everything = [[file.market, str(file.path)] for file in files]
    workers.start(job | {"files": everything[-5:]})
    said = [words for words in workers.lines() if words[1] in ("ack", "failed")]
    assert [words[1:4] for words in said] == [["ack", file.path.name, str(ROWS)] for file in files[-5:]]
    with Session(engine) as session:
        ensure_fresh(session, lake)
        logged = session.exec(select(TradeFile)).all()
    assert sorted((one.file, one.market, one.rows_kept, one.rows_read, one.rows_rejected) for one in logged) == [
        (file.path.name, file.market, ROWS, ROWS + 1, 1) for file in files
    ]
    with engine.connect() as connection:
        assert sql_sums(connection) == {market: sums[-1] for market, sums in sums_of(files).items()}
    for market in PRODUCTS:
        assert read_rows(lake, market).equals(rows_as_written(files, market))
    assert figures(engine) == derived_afresh(lake, folder)
    before = state(engine, lake)
    workers.start(job | {"files": everything})
    said = [words for words in workers.lines() if words[1] in ("ack", "failed")]
    assert [words[1:] for words in said] == [["ack", file.path.name, str(ROWS), "0"] for file in files]
    assert state(engine, lake) == before


def test_the_command_survives_a_kill(random: Random, tmp_path: Path) -> None:
    """From the first moment of an empty home on: whatever was left half-made, the command repeated completes it."""
    files = [write_file(tmp_path, number * len(PRODUCTS), random) for number in range(5)]
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    env |= {"GREENFIN_HOME": str(tmp_path / "home")}
    program = str(Path(sys.executable).with_name("greenfin"))
    load = [program, "load", "trades", *(str(file.path) for file in files), "--market", "CEA"]
    for _ in range(max(1, KILLS // 25)):
        process = subprocess.Popen(load, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert process.wait(timeout=random.uniform(0.2, 2.5)) == 0
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for _ in range(2):
        done = subprocess.run(load, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"{ROWS} rows; 0 new, {ROWS} loaded before") == len(files)
    words = [program, "market", "CEA", "--by", "month", "--format", "json"]
    months = json.loads(subprocess.run(words, env=env, capture_output=True, text=True, check=True).stdout)
    loaded = [month for month in months if month["origin"] == "loaded"]
    assert sum(month["volume_t"] for month in loaded) == sum(file.volume_t for file in files)
    assert sum(round(100 * month["value_cny"]) for month in loaded) == sum(file.value_fen for file in files)


def test_two_loads_of_one_market_at_once(engine: Engine, workers: Workers, random: Random, tmp_path: Path) -> None:
    """Neither loader disturbs the other: the figures of a market are derived by one of them at a time."""
    files = [write_file(tmp_path, number * len(PRODUCTS), random) for number in range(8)]
    lake = tmp_path / "lake"
    with Session(engine) as session:
        load_embedded(session)
    url = engine.url.render_as_string(hide_password=False)
    jobs = [
        {"name": name, "do": "trades", "url": url, "lake": str(lake), "files": [["CEA", str(one.path)] for one in part]}
        for name, part in (("a", files[::2]), ("b", files[1::2]))
    ]
    workers.start(*jobs)
    assert [words for words in workers.lines(children=2) if words[1] == "failed"] == []
    with Session(engine) as session:
        ensure_fresh(session, lake)
        assert len(session.exec(select(TradeFile)).all()) == len(files)
    with engine.connect() as connection:
        assert sql_sums(connection)["CEA"] == sums_of(files)["CEA"][-1]
