"""The ledger beside the usual ways to keep one: imports, single commits, the first overdraft, holdings as a frame.

Four parts, each with its peers in the same run and the same `synchronous` setting:
(a) import of 1,000,000 transfers (first argument) between 10,000 accounts with every check on, beside SQLModel and
    plain ORM objects (20,000 rows) and Core insert-many (100,000 rows) on double entry as such code usually keeps it;
    rates compared. And the floor: the same rows without any check or index, as fast as the driver takes them;
(b) one transfer a commit beside SQLModel and plain ORM sessions, on PostgreSQL also with eight threads; 100 a commit;
    and the floor: one row without any check or index a commit, on a bare connection of the driver;
(c) the first overdraft among 10,000,000 movements over 200,000 keys, beside polars `cum_sum().over()`;
(d) 1,000,000 holdings as a frame, beside ORM objects and `polars.read_database`.
SQLite always; PostgreSQL where GREENFIN_TEST_POSTGRESQL names a server (a schema of its own, dropped at the end).
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from uuid import uuid4

import ledger_peers as peers
import numpy as np
import polars as pl
from beside import say_ratio
from measuring import measure_apart
from sqlalchemy import Engine, event, text
from sqlmodel import Session

from api.db import create_tables, make_engine
from carbon.embedded import load_embedded
from carbon.ledger.book import Act
from carbon.ledger.bulk import ensure_foreign_accounts, ensure_instruments, first_overdraft, import_movements
from carbon.ledger.frames import holdings
from carbon.ledger.post import writing
from carbon.ledger.seed import seed_registry
from carbon.ledger.verbs import transfer

SEED = 20261122
ACCOUNTS = 10_000
STOCK = 10**7
ORM_ROWS, CORE_ROWS, COMMITS = 20_000, 100_000, 500
ROUNDS = 3
THREADS = 8
GOALS = {
    "sqlite": {"sqlmodel": 100, "core": 10, "commit": 30},
    "postgresql": {"sqlmodel": 100, "core": 20, "commit": 10},
}
KEYS, KEY_ROWS = 200_000, 10_000_000
HOLDERS, UNITS, ORM_HOLDINGS = 50_000, 20, 200_000


def pairs(rows: int, accounts: int = ACCOUNTS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sources, targets (never the same) and quantities."""
    rng = np.random.default_rng(SEED)
    source = rng.integers(0, accounts, rows)
    target = (source + rng.integers(1, accounts, rows)) % accounts
    return source, target, rng.integers(1, 1000, rows)


def ledger_engine(url: str) -> Engine:
    """An engine on a new ledger of foreign accounts that hold STOCK each of one unit."""
    engine = make_engine(url)
    create_tables(engine)
    with Session(engine) as session:
        load_embedded(session)
    seed_registry(engine, 0)
    codes = [f"EU:A{n}" for n in range(ACCOUNTS)]
    stock = pl.DataFrame({"target": codes}).with_columns(
        kind=pl.lit("issue"), source=pl.lit("EU:issuance"), instrument=pl.lit("EU:X"), quantity=STOCK, at_us=0
    )
    with writing(engine) as connection:
        ensure_foreign_accounts(connection, Act("accounts", 0, "bench"), codes, "EU")
        ensure_instruments(
            connection, Act("unit", 0, "bench"), pl.DataFrame({"code": ["EU:X"], "kind": ["allowance"]}), "EU"
        )
        act = Act("stock", 0, "bench")
        report = import_movements(connection, act, stock, scheme="EU", source_name="stock", sha256="0" * 64)
    if not report.receipt.done:
        raise SystemExit(f"the stock should be booked: {report.findings}")
    return engine


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def import_ours(given: tuple[str, int]) -> float:
    """Seconds for the checked import, commit included, of a ledger that holds the accounts."""
    url, rows = given
    engine = ledger_engine(url)
    source, target, quantity = pairs(rows)
    codes = pl.Series([f"EU:A{n}" for n in range(ACCOUNTS)])
    moves = pl.DataFrame({"quantity": quantity, "at_us": np.arange(rows)}).with_columns(
        kind=pl.lit("transfer"),
        source=codes.gather(source),
        target=codes.gather(target),
        instrument=pl.lit("EU:X"),
        reference=pl.format("r{}", pl.int_range(rows)),
    )

    def work() -> None:
        with writing(engine) as connection:
            act = Act("bench", 1, "bench")
            report = import_movements(connection, act, moves, scheme="EU", source_name="m", sha256="1" * 64)
        if report.rows_booked != rows:
            raise SystemExit(f"found {report.rows_booked} rows, expected {rows}: {report.findings}")

    seconds = timed(work)
    engine.dispose()
    return seconds


def import_theirs(given: tuple[str, int, str]) -> float:
    url, rows, way = given
    engine = make_engine(url)
    peers.make_tables(engine, ACCOUNTS, STOCK)
    moves = [(s + 1, t + 1, q) for s, t, q in zip(*(part.tolist() for part in pairs(rows)), strict=True)]

    def work() -> None:
        if way in peers.OBJECTS:
            peers.import_with_objects(engine, moves, peers.OBJECTS[way])
        elif way == "core":
            peers.import_with_core(engine, moves)
        else:
            peers.import_at_the_floor(engine, moves)

    seconds = timed(work)
    engine.dispose()
    return seconds


def commits(given: tuple[str, int, str]) -> dict[str, float]:
    """Transfers a second of each way, in turns on one database, so that all meet the same machine: best of ROUNDS."""
    url, threads, synchronous = given
    engine = ledger_engine(url)
    peers.make_tables(engine, ACCOUNTS, STOCK)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA synchronous = {synchronous}"))
        engine.dispose()
    peers.import_at_the_floor(engine, [])
    # Many acts in one commit lock in no one order, so that only one writer does that.
    sizes = {"sqlmodel": 1, "orm": 1, "floor": 1, "ours": 1, **({"ours, 100 a commit": 100} if threads == 1 else {})}
    source, target, quantity = (part.tolist() for part in pairs(COMMITS * threads))
    ids = count()

    def work(way: str, part: range) -> None:
        if not way.startswith("ours"):
            rows = [(source[n] + 1, target[n] + 1, quantity[n]) for n in part]
            if way == "floor":
                peers.commit_at_the_floor(engine, rows)
            else:
                peers.commit_with_objects(engine, rows, peers.OBJECTS[way])
            return
        for start in range(part.start, part.stop, sizes[way]):
            with writing(engine) as connection:
                for n in range(start, min(start + sizes[way], part.stop)):
                    asked = {"source": f"EU:A{source[n]}", "target": f"EU:A{target[n]}", "quantity": quantity[n]}
                    receipt = transfer(connection, Act(f"t{next(ids)}", n, "bench"), instrument="EU:X", **asked)
                    if not receipt.done:
                        raise SystemExit(f"found {receipt}, expected it to be booked")

    rates = dict.fromkeys(sizes, 0.0)
    parts = [range(n * COMMITS, (n + 1) * COMMITS) for n in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        for way in sizes:
            list(pool.map(partial(work, way), [range(part.start, part.start + 100) for part in parts]))
        for way in list(sizes) * ROUNDS:
            seconds = timed(lambda way=way: list(pool.map(partial(work, way), parts)))
            rates[way] = max(rates[way], COMMITS * threads / seconds)
    engine.dispose()
    return rates


def keyed() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    source, target, quantity = pairs(KEY_ROWS, KEYS)
    # Enough for nearly all of the batch: the first overdraft comes late, and most keys are near it.
    return source, target, quantity, np.full(KEYS, 26_000)


def overdraft_ours(_: None) -> tuple[float, int]:
    given = keyed()
    seconds = [timed(lambda: first_overdraft(*given)) for _ in range(3)]
    return min(seconds), first_overdraft(*given)


def overdraft_polars(_: None) -> tuple[float, int]:
    source, target, quantity, opening = keyed()
    found = []

    def work() -> None:
        # Both sides of a movement one after the other, so that nothing needs to be sorted.
        lines = pl.DataFrame(
            {
                "key": np.column_stack((source, target)).ravel(),
                "change": np.column_stack((-quantity, quantity)).ravel(),
            }
        )
        after = lines.select(pl.col("change").cum_sum().over("key") + pl.Series(opening).gather(lines["key"]))
        below = after.select((pl.col("change") < 0).arg_true().min()).item()
        found.append(-1 if below is None else below // 2)

    seconds = min(timed(work) for _ in range(2))
    return seconds, found[0]


def fill_holdings(engine: Engine, orm: bool) -> None:
    """HOLDERS x UNITS holdings, written past the guards: only reading is measured."""
    with writing(engine) as connection:
        codes = [f"EU:H{n}" for n in range(HOLDERS)]
        ensure_foreign_accounts(connection, Act("holders", 0, "bench"), codes, "EU")
        units = pl.DataFrame({"code": [f"EU:U{n}" for n in range(UNITS)]}).with_columns(kind=pl.lit("allowance"))
        ensure_instruments(connection, Act("units", 0, "bench"), units, "EU")
        connection.execute(
            text(
                "INSERT INTO registry_holding (account_id, instrument_id, quantity, reserved, contra)"
                " SELECT a.id, i.id, a.id * 1000 + i.id, 0, false FROM registry_account a, registry_instrument i"
                " WHERE a.code LIKE 'EU:H%' AND i.code LIKE 'EU:U%'"
            )
        )
        if orm:
            connection.execute(
                text(
                    "INSERT INTO peer_holding SELECT a.id, i.code, 7 FROM peer_account a, registry_instrument i"
                    f" WHERE i.code LIKE 'EU:U%' AND a.id <= {ORM_HOLDINGS // UNITS}"
                )
            )


def read_holdings(given: tuple[str, str]) -> float:
    """Rows a second."""
    url, way = given
    engine = ledger_engine(url)
    if way == "orm":
        peers.make_tables(engine, ORM_HOLDINGS // UNITS, 1)
    fill_holdings(engine, way == "orm")
    rows = []
    query = (
        "SELECT a.code AS account, i.code AS instrument, h.quantity, h.reserved FROM registry_holding h"
        " JOIN registry_account a ON a.id = h.account_id JOIN registry_instrument i ON i.id = h.instrument_id"
    )

    def work() -> None:
        if way == "orm":
            rows.append(peers.read_with_orm(engine))
            return
        with engine.connect() as connection:
            frame = holdings(connection) if way == "ours" else pl.read_database(query, connection)
            rows.append(frame.height)

    seconds = min(timed(work) for _ in range(2))
    engine.dispose()
    return rows[-1] / seconds


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """URL of an empty database."""
    name = f"bench_{uuid4().hex}"
    if kind == "sqlite":
        yield f"sqlite:///{folder / name}.sqlite"
        return
    url = os.environ["GREENFIN_TEST_POSTGRESQL"]
    server = make_engine(url)
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    try:
        yield f"{url}?options=-csearch_path%3D{name}"
    finally:
        with server.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        server.dispose()


def bench_import(kind: str, folder: Path, rows: int) -> None:
    rates = {}
    with database(kind, folder) as url:
        seconds, figures = measure_apart(import_ours, (url, rows), 1)
    rates["ours"] = rows / seconds
    print(f"{kind}: import of {rows} transfers: {seconds:.2f} s, {rates['ours']:,.0f}/s, peak {figures.peak_mb:.0f} MB")
    for way, size in (("sqlmodel", ORM_ROWS), ("orm", ORM_ROWS), ("core", CORE_ROWS), ("floor", rows)):
        with database(kind, folder) as url:
            seconds, figures = measure_apart(import_theirs, (url, size, way), 1)
        rates[way] = size / seconds
        print(f"{kind}: {way}, {size} transfers: {seconds:.2f} s, {rates[way]:,.0f}/s, peak {figures.peak_mb:.0f} MB")
        say_ratio(f"{kind} import beside {way}, by rate", rates["ours"] / rates[way], GOALS[kind].get(way))


def bench_commits(kind: str, folder: Path) -> None:
    for synchronous in ("FULL", "NORMAL") if kind == "sqlite" else ("on",):
        for threads in (1,) if kind == "sqlite" else (1, THREADS):
            told = f"{kind}, synchronous {synchronous}, {threads} threads"
            with database(kind, folder) as url:
                rates, _ = measure_apart(commits, (url, threads, synchronous), 1)
            for way, rate in rates.items():
                print(f"{told}: {way}: {rate:,.0f} transfers/s")
            say_ratio(
                f"{told}: single commits beside SQLModel", rates["ours"] / rates["sqlmodel"], GOALS[kind]["commit"]
            )
            for way in ("orm", "floor"):
                say_ratio(f"{told}: single commits beside {way}", rates["ours"] / rates[way])
            if threads == 1:
                say_ratio(f"{told}: 100 a commit beside SQLModel", rates["ours, 100 a commit"] / rates["sqlmodel"])


def bench_overdraft() -> None:
    (ours, row), figures = measure_apart(overdraft_ours, None, 1)
    print(
        f"first overdraft of {KEY_ROWS} movements, {KEYS} keys: {ours:.3f} s, row {row}, peak {figures.peak_mb:.0f} MB"
    )
    (theirs, same), figures = measure_apart(overdraft_polars, None, 1)
    print(f"polars cum_sum().over(): {theirs:.2f} s, row {same}, peak {figures.peak_mb:.0f} MB")
    if row != same:
        raise SystemExit(f"found rows {row} and {same}, expected the same")
    say_ratio("first overdraft beside polars", theirs / ours, 10)


def bench_reading(kind: str, folder: Path) -> None:
    rates = {}
    for way in ("ours", "read_database", "orm"):
        with database(kind, folder) as url:
            rates[way], figures = measure_apart(read_holdings, (url, way), 1)
        size = ORM_HOLDINGS if way == "orm" else HOLDERS * UNITS
        print(f"{kind}: {size} holdings read, {way}: {rates[way]:,.0f} rows/s, peak {figures.peak_mb:.0f} MB")
    for way in ("read_database", "orm"):
        say_ratio(f"{kind} holdings as a frame beside {way}, by rate", rates["ours"] / rates[way])


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    kinds = ["sqlite"] + (["postgresql"] if "GREENFIN_TEST_POSTGRESQL" in os.environ else [])
    print(f"seed {SEED}, {ACCOUNTS} accounts")
    with tempfile.TemporaryDirectory() as name:
        for kind in kinds:
            bench_import(kind, Path(name), rows)
            bench_commits(kind, Path(name))
            bench_reading(kind, Path(name))
    bench_overdraft()
    if "postgresql" not in kinds:
        print("postgresql: skipped, GREENFIN_TEST_POSTGRESQL holds no URL")


if __name__ == "__main__":
    main()
