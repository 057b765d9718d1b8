"""Totals of cities from activities of persons, beside polars streaming, DuckDB and pandas, and on Spark.

The workload: 10,000,000 generated activities by default (first argument: another number, such as 1000000 or 100000000;
or `all` for 10^6, 10^7 and 10^8 one after another, with the growth) of ten million persons in 37 cities and three
years; by city, month and activity the rows, the exact sum of amounts, and how many different persons the city and month
has. All read the same files and must give the same whole numbers. The limit is reading the columns alone, by the same
reader and threads. pandas runs up to 10^7. Each way runs in a process of its own; the figures are the best of its runs
and its peak memory. Then factors are applied to the totals, changed and applied again, which reads no row; then a file
of one city and year is added and the totals made again; then the same kernel as tasks of Spark on
`local-cluster[2,1,1024]`, warm, equal to the bit (left out where Java or PySpark is absent, and for 10^8).
"""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import polars as pl
from beside import AT_SCALE, SPARK_MASTER, Peers, bench_engines, bench_sizes, has_spark, say_ratio
from generated_activities import ACTIVITIES, HUBS, SEED, UNITS, YEARS, part_of_activities, write_activities
from measuring import measure_apart

COLUMNS = ["day", "person", "activity", "amount_milli"]
KEYS = ["hub", "month", "activity"]
WHOLE = ["rows", "amount_milli", "persons"]
PEERS = Peers(
    "footprint_peers.py",
    most_rows={"polars": 10**9, "duckdb": 10**9, "pandas": 10**7},
    goals={"polars": 5, "duckdb": 4, "pandas": 8},
    goal_rows={"polars": 10**8, "duckdb": 10**8, "pandas": 10**7},
)


def read_columns(lake: Path) -> int:
    """The limit: every column that the kernel needs, read and let go again."""
    from carbon.footprints.bulk.table import activity_parts
    from carbon.trades.executors import open_engine

    def read(path: str) -> int:
        return pl.read_parquet(path, columns=COLUMNS, hive_partitioning=False).height

    with open_engine() as engine, ThreadPoolExecutor(engine.threads) as pool:
        return sum(pool.map(read, [path for part in activity_parts(lake) for path in part.paths]))


def sum_all(lake: Path) -> pl.DataFrame:
    from carbon.footprints.bulk.summary import sum_cities

    return sum_cities(lake, keep=False).rows


def sum_kept(lake: Path) -> int:
    """With the sums of each city and year kept: how many of these had to be read."""
    from carbon.footprints.bulk.summary import sum_cities

    return sum_cities(lake).parts_read


def change_factor(lake: Path) -> tuple[int, float, float]:
    """Totals with the factors of one method each, then with others: parts read, kg before over kg after, seconds."""
    from carbon.footprints.bulk.emissions import add_emissions
    from carbon.footprints.bulk.summary import sum_cities
    from carbon.footprints.factors import embedded_factors

    sum_kept(lake)
    start = time.perf_counter()
    found = sum_cities(lake)
    kilograms = [
        add_emissions(
            # The invented cities lie in no region; any known one will do.
            found.rows.with_columns(hub=pl.lit("wuhan")).unique(["month", "activity", "unit"]),
            methods=methods_of(grams),
            factors=embedded_factors(),
            gwp_set="AR5GWP100",
        )["co2e_kg"].sum()
        for grams in (50, 100)
    ]
    return found.parts_read, kilograms[1] / kilograms[0], time.perf_counter() - start


def methods_of(grams: int) -> pl.DataFrame:
    """An invented method for each activity, of so many grams per unit."""
    from carbon.footprints.persons.methods import method_schema

    return pl.DataFrame({"activity": ACTIVITIES}).select(
        pl.format("method of {}", "activity").alias("method"),
        pl.lit(date(2020, 1, 1)).alias("valid_from"),
        "activity",
        pl.lit(2 * grams * 10**6, pl.Int64).alias("baseline_ug"),
        pl.lit(grams * 10**6, pl.Int64).alias("activity_ug"),
        pl.Series("unit", [UNITS[number % len(UNITS)] for number in range(len(ACTIVITIES))]),
        *(pl.lit(None, kind).alias(name) for name, kind in method_schema().items() if name in ("valid_to", "region")),
    )


def refresh(lake: Path) -> tuple[int, float]:
    """Another file of one city and year comes; how many cities and years are read then, and the seconds."""
    from carbon.footprints.bulk.table import commit_parts, write_part

    sum_kept(lake)
    rows = part_of_activities(HUBS[-1], YEARS[0], 100_000)
    commit_parts(lake, [write_part(lake, rows, HUBS[-1], YEARS[0], "refresh")], "refresh")
    start = time.perf_counter()
    return sum_kept(lake), time.perf_counter() - start


def check_equal(ours: pl.DataFrame, theirs: pl.DataFrame, way: str) -> None:
    """Stop unless every whole number is the same."""
    told = theirs.with_columns(
        pl.col("hub").cast(pl.String),
        pl.col("month").dt.strftime("%Y-%m"),
        pl.col("activity").cast(pl.Int64).replace_strict(dict(enumerate(ACTIVITIES)), return_dtype=pl.String),
        pl.col(WHOLE).cast(pl.Int64),
    )
    left, right = (frame.select(KEYS + WHOLE).sort(KEYS) for frame in (ours, told))
    if not left.equals(right):
        raise SystemExit(f"{way}: found other totals ({right.height} rows), expected ours ({left.height} rows)")


def bench_spark(lake: Path) -> None:
    from carbon.footprints.bulk.summary import sum_cities
    from carbon.trades.executors import open_engine

    here = sum_all(lake)
    start = time.perf_counter()
    with open_engine(SPARK_MASTER) as engine:
        print(f"Spark {SPARK_MASTER}: start {time.perf_counter() - start:.1f} s", flush=True)
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            there = sum_cities(lake, keep=False, engine=engine).rows
            seconds.append(time.perf_counter() - start)
    if not there.equals(here):
        raise SystemExit("Spark: found other totals than by threads, expected the same")
    print(f"kernel on Spark: {seconds[0]:.2f} s cold, {min(seconds[1:]):.2f} s warm; the same totals to the bit")


def bench(rows: int, folder: Path) -> float:
    lake = folder / f"lake{rows}"
    start = time.perf_counter()
    write_activities(lake, rows)
    size = sum(path.stat().st_size for path in lake.rglob("*.parquet"))
    took = time.perf_counter() - start
    print(f"-- {rows:,} activities, seed {SEED}, {size / rows:.1f} B a row, written in {took:.1f} s", flush=True)
    seconds = bench_engines(lake, rows, read_columns, sum_all, check_equal, PEERS)
    if rows < AT_SCALE and has_spark():
        bench_spark(lake)
    (read, change, took), _ = measure_apart(change_factor, lake, 1)
    print(f"factors applied and changed, {change:.0f} times as large: {read} cities and years read, {took:.3f} s")
    (read, again), _ = measure_apart(refresh, lake, 1)
    print(f"one file of 100,000 rows is new: {read} city and year read, {again:.3f} s")
    say_ratio("refreshing beside all totals", seconds / again)
    shutil.rmtree(lake)
    return seconds


if __name__ == "__main__":
    bench_sizes(bench)
