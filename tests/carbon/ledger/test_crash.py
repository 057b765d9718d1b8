"""`kill -9` at random moments: nothing is half-written, nothing that was acknowledged is lost, and doing it again
completes it. GREENFIN_TEST_SEED repeats a run as far as the machine does; GREENFIN_TEST_KILLS is the number of deaths.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random, SystemRandom
from time import perf_counter
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Connection, Engine
from sqlmodel import Session, select

from api.db import create_tables, make_engine
from carbon.embedded import load_embedded
from carbon.lake import read_rows
from carbon.ledger.audit import audit
from carbon.ledger.book import Act
from carbon.ledger.bulk import ensure_foreign_accounts, ensure_instruments
from carbon.ledger.post import writing
from carbon.ledger.seed import seed_registry
from carbon.loading import ensure_fresh, load_trades
from carbon.tables import DailyBar, TradeFile, TradeSummary

from .acts import START_US, Source, Step, national_rules, outcomes, town_steps
from .proof import faults, rows, state
from .workers import Workers, kill, warm_workers

KILLS = int(os.environ.get("GREENFIN_TEST_KILLS", "100"))
ROWS = 5_000


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with warm_workers() as warm:
        yield warm


@pytest.fixture
def random() -> Iterator[Random]:
    seed = int(os.environ.get("GREENFIN_TEST_SEED") or SystemRandom().getrandbits(32))
    print(f"GREENFIN_TEST_SEED={seed}")  # shown where the test fails
    return Random(seed)


def die(workers: Workers, job: dict[str, Any], acks: int, later_s: float) -> tuple[list[list[str]], bool]:
    """Start a job and kill it `later_s` after its acknowledgement number `acks`; what it acknowledged, and whether it
    came to its end before.
    """
    workers.start(job)
    acknowledged: list[list[str]] = []
    pid, ended = 0, False
    for words in workers.lines():
        assert words[1] != "failed", words
        if words[1] == "pid":
            pid = int(words[2])
        if words[1] == "ack":
            acknowledged.append(words[2:])
        ended |= words[1] == "end"
        if words[1] in ("ready", "ack") and len(acknowledged) == acks:
            moment = perf_counter() + later_s
            while perf_counter() < moment:
                pass
            kill(pid)
    return acknowledged, ended


def settled(engine: Engine) -> Connection:
    """A connection that sees the ledger once the dead writer's database transaction is over."""
    connection = engine.connect()
    if engine.dialect.name != "sqlite":
        # The server may need a moment to learn that its client died; this lock waits for that.
        connection.exec_driver_sql("LOCK TABLE registry_transaction IN SHARE MODE")
    return connection


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def audit_is_clean(engine: Engine) -> None:
    with engine.connect() as connection:
        findings = audit(connection, rules=national_rules())
    errors = findings.filter(pl.col("severity") == "error")
    assert errors.is_empty(), errors.to_dicts()[:5]


def undisturbed(tmp_path: Path, steps: list[Step]) -> tuple[dict[str, Any], list[set[str]]]:
    """State of a ledger that nobody killed, and which ids each act left in it; on SQLite, since both say the same."""
    engine = make_engine(f"sqlite:///{tmp_path / 'undisturbed.sqlite'}")
    create_tables(engine)
    with Session(engine) as session:
        load_embedded(session)
    seed_registry(engine, 0)
    with writing(engine) as connection:
        left = [{one[0] for one in outcomes(connection, step)} for step in steps]
    with engine.connect() as connection:
        assert faults(connection) == []
        said = state(connection)
    audit_is_clean(engine)
    engine.dispose()
    return said, left


def random_steps(random: Random, number: int) -> list[Step]:
    """Acts whose outcome does not depend on how often they are done again."""
    source = Source(random)
    steps = [source.next() for _ in range(number)]
    return [*town_steps(), *(step for step in steps if 0 not in (step[3].get("quantities") or ()))]


def recorded(connection: Connection) -> dict[str, tuple[str, str | None]]:
    query = "SELECT client_id, status, code FROM registry_transaction WHERE client_id NOT LIKE 'seed:%'"
    return {row.client_id: (row.status, row.code) for row in rows(connection, query)}


def test_acts_survive_a_kill(ledger: Engine, workers: Workers, random: Random, tmp_path: Path) -> None:
    steps = random_steps(random, 12 * KILLS)
    expected, left = undisturbed(tmp_path, steps)
    file = tmp_path / "acts.json"
    file.write_text(json.dumps(steps))
    job = {"name": "w", "do": "acts", "url": url_of(ledger), "file": str(file), "to": len(steps)}
    reached, before = 0, set[str]()
    for number in range(KILLS):
        group = random.choice((1, 1, 1, 5))
        start = max(0, reached - random.randrange(12)) if reached < len(steps) else random.randrange(len(steps))
        moment = random.randrange(24), random.uniform(0, 0.004)
        acknowledged, _ended = die(workers, job | {"from": start, "group": group}, *moment)
        if random.random() < 0.5:
            ledger.dispose()  # else this process has the database open all the time
        with settled(ledger) as connection:
            wrong = faults(connection)
            found = recorded(connection)
        assert wrong == [], f"kill {number}"
        for _place, client_id, status, code in acknowledged:
            assert found.get(client_id) == (status, None if code == "None" else code), f"lost after kill {number}"
        done = 1 + max((int(one[0]) for one in acknowledged), default=start - 1)
        done = start + -(-(done - start) // group) * group
        # What was committed without anyone hearing of it is a group as a whole, or nothing.
        news = found.keys() - before - {one[1] for one in acknowledged}
        groups = [set().union(*left[at : at + group]) - before for at in range(start, len(steps), group)]
        assert not news or any(news <= one and one <= found.keys() for one in groups), f"kill {number}: {news}"
        reached, before = max(reached, min(done, len(steps))), set(found)
    workers.start(job | {"from": max(0, reached - 20), "group": 7})
    assert [words for words in workers.lines() if words[1] == "failed"] == []
    with settled(ledger) as connection:
        assert faults(connection) == []
        found_state = state(connection)
    for name, said in expected.items():
        assert found_state[name] == said, name
    audit_is_clean(ledger)


def movements(random: Random) -> pl.DataFrame:
    """A history between the accounts of an outside register, as an importer makes it."""
    codes = [f"EU{number}" for number in range(200)]
    pairs = [random.sample(codes, 2) for _ in range(ROWS)]
    return pl.DataFrame(
        {
            "kind": ["transfer"] * ROWS,
            "source": [pair[0] for pair in pairs],
            "target": [pair[1] for pair in pairs],
            "instrument": [random.choice(("EUA-x", "CER-x")) for _ in range(ROWS)],
            "quantity": [random.randint(1, 1000) for _ in range(ROWS)],
            "at_us": [START_US + number for number in range(ROWS)],
        }
    )


def schema_of(connection: Connection) -> list[str]:
    """Every trigger, index and constraint: an import takes some away and must not die without them."""
    if connection.dialect.name == "sqlite":
        return sorted(row.sql or row.name for row in rows(connection, "SELECT name, sql FROM sqlite_master"))
    query = (
        "SELECT tgname AS name, tgrelid::regclass || tgenabled::text AS more FROM pg_trigger WHERE NOT tgisinternal"
        " AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)"
        " UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
        " UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = current_schema()::regnamespace"
    )
    return sorted(f"{row.name} {row.more}" for row in rows(connection, query))


def test_imports_survive_a_kill(ledger: Engine, workers: Workers, random: Random, tmp_path: Path) -> None:
    frame = movements(random)
    file = tmp_path / "movements.arrow"
    frame.write_ipc(file)
    with writing(ledger) as connection:
        codes = [f"EU{number}" for number in range(200)]
        assert ensure_foreign_accounts(connection, Act("accounts", 0, "t"), codes, "EU").done
        units = pl.DataFrame({"code": ["EUA-x", "CER-x"], "kind": ["allowance", "offset"]})
        assert ensure_instruments(connection, Act("units", 0, "t"), units, "EU").done
    with ledger.connect() as connection:
        schema = schema_of(connection)
    job = {"name": "w", "do": "import", "url": url_of(ledger), "file": str(file)}
    booked, longest_s, counts = 0, 0.5, "SELECT count(*) AS legs, sum(quantity) AS sum FROM registry_transfer"
    for number in range(KILLS):
        started = perf_counter()
        acknowledged, _ended = die(workers, job | {"id": f"import {booked}"}, 0, random.uniform(0, longest_s))
        with settled(ledger) as connection:
            heads = rows(connection, "SELECT client_id FROM registry_transaction WHERE kind = 'import' ORDER BY id")
            query = f"{counts} WHERE kind <> 'opening'"
            legs = rows(connection, query)[0]
            loose = rows(connection, "SELECT sum(quantity) FROM registry_holding GROUP BY instrument_id")
            assert schema_of(connection) == schema, f"kill {number}"
        assert len(heads) in (booked, booked + 1), f"kill {number}"
        if len(heads) > booked:
            longest_s = 0.8 * (perf_counter() - started)  # it was quicker than the signal: let it die earlier
        else:
            longest_s *= 1.02
        assert len(heads) > booked or not acknowledged, f"lost after kill {number}"
        assert (legs.legs, int(legs.sum or 0)) == (len(heads) * ROWS, len(heads) * frame["quantity"].sum())
        assert not any(total for (total,) in loose), f"kill {number}"
        booked = len(heads)
    print(f"{booked} of {KILLS} came too late")
    workers.start(job | {"id": f"import {booked}"})
    said = [words for words in workers.lines() if words[1] in ("ack", "failed")]
    assert said == [["w", "ack", "done", str(ROWS)]]
    workers.start(job | {"id": f"import {booked}"})
    assert [words for words in workers.lines() if words[1] == "failed"] == []
    with settled(ledger) as connection:
        assert rows(connection, f"{counts} WHERE kind <> 'opening'")[0].legs == (booked + 1) * ROWS
        assert faults(connection) == []
        assert schema_of(connection) == schema
    audit_is_clean(ledger)


HEADER = "日期,配额类型,开盘价,最高价,最低价,收盘价,涨幅,日成交量,日成交额,交易方式"


def trade_files(folder: Path, random: Random, number: int) -> list[Path]:
    """Files of the national exchange, a month each, of which each adds rows that the ones before did not have."""
    files = []
    for month in range(number):
        year, of_year = 2014 + month // 12, 1 + month % 12
        lines = [HEADER]
        for day in range(1, 29):
            volume = random.randint(1, 9999)
            price = f"58.0,58.0,58.0,58.0,0.0,{volume},{58 * volume}"
            lines.append(f"{year}-{of_year:02d}-{day:02d},CEA,{price},挂牌协议交易")
        files.append(folder / f"trades{month}.csv")
        files[-1].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return files


def figures(engine: Engine) -> list[Any]:
    with Session(engine) as session:
        tables = (DailyBar, TradeSummary, TradeFile)
        named = [
            [row.model_dump(exclude={"id", "lake_version"}) for row in session.exec(select(table))] for table in tables
        ]
    return [sorted(str(sorted(row.items(), key=str)) for row in table) for table in named]


def test_lakes_survive_a_kill(engine: Engine, workers: Workers, random: Random, tmp_path: Path) -> None:
    """The lake and the figures beside it: a file's rows are there as a whole or not at all, and loading heals.

    A few kills at any moment; `tests/carbon/test_load_crash.py` kills a load as often as asked in each of its steps.
    """
    kills = max(KILLS // 10, 2)
    files = trade_files(tmp_path, random, kills + 1)
    lake = tmp_path / "lake"
    job = {"name": "w", "do": "load", "url": url_of(engine), "lake": str(lake)}
    loaded: list[Path] = []
    longest_s = 0.4
    for number in range(kills):
        file = files[len(loaded)]
        started = perf_counter()
        acknowledged, _ended = die(workers, job | {"files": [str(file)]}, 0, random.uniform(0, longest_s))
        found = read_rows(lake, "CEA")
        rows_of = dict(found.group_by("file").len().iter_rows())
        assert rows_of in (
            {one.name: 28 for one in loaded},
            {one.name: 28 for one in [*loaded, file]},
        ), f"kill {number}"
        if file.name in rows_of:
            longest_s = 0.8 * (perf_counter() - started)
        else:
            longest_s *= 1.02
            assert not acknowledged, f"lost after kill {number}"
        with Session(engine) as session:
            ensure_fresh(session, lake)
            volume = sum(bar.volume_t for bar in session.exec(select(DailyBar)))
            if file.name in rows_of:
                # Once more, as somebody would who was never told that it had worked.
                assert load_trades(session, lake, file, market="CEA").rows_new == 0
                loaded.append(file)
        assert volume == found["volume_t"].sum(), f"kill {number}"
    print(f"{len(loaded)} of {kills} came too late")
    files = files[: len(loaded) + 1]
    workers.start(job | {"files": [str(file) for file in files]})
    assert [words for words in workers.lines() if words[1] == "failed"] == []
    assert read_rows(lake, "CEA").height == 28 * len(files)
    other = make_engine(f"sqlite:///{tmp_path / 'other.sqlite'}")
    create_tables(other)
    with Session(other) as session:
        for file in files:
            load_trades(session, tmp_path / "other", file, market="CEA")
    columns = read_rows(lake, "CEA").columns
    assert read_rows(lake, "CEA").equals(read_rows(tmp_path / "other", "CEA").select(columns))
    assert figures(engine) == figures(other)
    other.dispose()
