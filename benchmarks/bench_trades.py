"""Summary of single trades by market and month, beside polars streaming, DuckDB, pandas and SQLite, and on Spark.

The workload: 10,000,000 generated trades by default (first argument: another number, such as 1000000 or 100000000; or
`all` for 10^6, 10^7 and 10^8 one after another, with the growth) in eight markets and five years; by market and month
trades, volume, value, VWAP, open, high, low, close, volatility of daily log returns, Amihud, HHI of buyers and sellers,
participants. All read the same files and must give the same answer: whole numbers alike, floats to 1e-9. The limit is
reading the columns alone, by the same reader and threads. pandas runs up to 10^7, SQLite up to 10^6 (its table is
filled beforehand). Each way runs in a process of its own; the figures are the best of its runs and its peak memory.
Then one of the files is changed and the summary made again; then the same kernel as tasks of Spark on
`local-cluster[2,1,1024]`, beside Spark's own DataFrame plan, both warm (left out where Java or PySpark is absent, and
for 10^8).
"""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
from beside import AT_SCALE, SPARK_MASTER, Peers, bench_engines, bench_sizes, has_spark, say_ratio
from generated_trades import MARKETS, SEED, YEARS, part_of_trades, write_trades
from measuring import measure_apart

COLUMNS = ["day", "method", "price_fen", "quantity_t", "buyer", "seller"]
WHOLE = ("trades", "volume_t", "value_fen", "open", "high", "low", "close", "participants")
FLOATS = ("volatility_annual", "amihud_per_million_cny", "buyer_hhi", "seller_hhi")
PEERS = Peers(
    "trade_peers.py",
    most_rows={"polars": 10**9, "duckdb": 10**9, "pandas": 10**7, "sqlite": 10**6},
    goals={"polars": 5, "duckdb": 4, "pandas": 8, "sqlite": 40},
    goal_rows={"polars": 10**8, "duckdb": 10**8, "pandas": 10**7, "sqlite": 10**6},
    once=("sqlite",),
)
SPARK_GOAL = 20


def read_columns(lake: Path) -> int:
    """The limit: every column that the kernel needs, read and let go again."""
    from carbon.trades.executors import open_engine
    from carbon.trades.table import trade_files

    def read(path: Path) -> int:
        return pl.read_parquet(path, columns=COLUMNS, hive_partitioning=False).height

    with open_engine() as engine, ThreadPoolExecutor(engine.threads) as pool:
        return sum(pool.map(read, [file.path for file in trade_files(lake)]))


def summarise(lake: Path) -> pl.DataFrame:
    from carbon.trades.summary import summarise_trades

    return summarise_trades(lake, by="month", keep=False).rows


def summarise_kept(lake: Path) -> int:
    """With the sums of each file kept: the number of files that had to be read."""
    from carbon.trades.summary import summarise_trades

    return summarise_trades(lake, by="month").files_read


def refresh(lake: Path) -> tuple[int, float]:
    """Another file of one market and year comes; how many files are read then, and the seconds."""
    from carbon.trades.table import commit_parts, write_part

    summarise_kept(lake)
    # A year of its own, so that no other file is touched.
    part = part_of_trades(MARKETS[0], YEARS[-1] + 1, 100_000)
    commit_parts(lake, [write_part(lake, part, MARKETS[0], YEARS[-1] + 1, "refresh")], "refresh")
    start = time.perf_counter()
    return summarise_kept(lake), time.perf_counter() - start


def check_alike(ours: pl.DataFrame, theirs: pl.DataFrame, way: str) -> None:
    """Stop unless whole numbers are the same and floats alike to 1e-9; columns that the other lacks are left out."""
    both = ours.rename({f"{name}_fen_per_t": name for name in ("open", "high", "low", "close")}).with_columns(
        month=pl.col("period").str.to_date("%Y-%m")
    )
    joined = both.join(theirs, on=["market", "month"], suffix="_of_peer")
    if joined.height != ours.height or theirs.height != ours.height:
        raise SystemExit(f"{way}: found {theirs.height} rows, expected {ours.height}")
    for name in (name for name in (*WHOLE, *FLOATS) if name in theirs.columns):
        left, right = joined[name], joined[f"{name}_of_peer"]
        known = left.is_not_null()
        gap = ((left - right).abs() / left.abs().clip(lower_bound=1e-300)).filter(known).max()
        if (left != right).any() if name in WHOLE else not (isinstance(gap, float) and gap <= 1e-9):
            raise SystemExit(f"{way}: {name} differs by up to {gap}")


def spark_plan(spark: object, lake: Path) -> float:
    """Seconds of Spark's own DataFrame plan, open and close by time; the rows are counted."""
    from pyspark.sql import SparkSession, Window
    from pyspark.sql import functions as f

    session = SparkSession(spark)
    start = time.perf_counter()
    rows = session.read.parquet(str(lake / "trades")).withColumn("month", f.trunc("day", "month"))
    quantity = f.col("quantity_t").cast("long")
    value = f.col("price_fen").cast("long") * quantity
    listed = f.when(f.col("method") == 10, f.col("price_fen"))
    at = f.when(f.col("method") == 10, f.col("time_us"))
    days = rows.groupBy("market", "month", "day").agg(
        f.count("*").alias("trades"),
        f.sum(quantity).alias("volume_t"),
        f.sum(value).alias("value_fen"),
        f.sum(f.when(f.col("method") == 10, value)).alias("listed_fen"),
        f.min_by(listed, at).alias("open"),
        f.max_by(listed, at).alias("close"),
        f.max(listed).alias("high"),
        f.min(listed).alias("low"),
    )
    window = Window.partitionBy("market").orderBy("day")
    moves = days.withColumn("move", f.log("close") - f.lag(f.log("close")).over(window))
    months = moves.groupBy("market", "month").agg(
        *(f.sum(name).alias(name) for name in ("trades", "volume_t", "value_fen")),
        f.min_by("open", "day").alias("open"),
        f.max("high").alias("high"),
        f.min("low").alias("low"),
        f.max_by("close", "day").alias("close"),
        (f.stddev_samp("move") * f.sqrt(f.lit(252.0))).alias("volatility_annual"),
        f.avg(f.abs("move") / (f.col("listed_fen") / f.lit(1e8))).alias("amihud_per_million_cny"),
    )
    sides = [
        rows.groupBy("market", "month", f.col(side).alias("party")).agg(f.sum(quantity).alias(side))
        for side in ("buyer", "seller")
    ]
    parties = sides[0].join(sides[1], ["market", "month", "party"], "outer")
    shares = parties.groupBy("market", "month").agg(
        f.count("*").alias("participants"),
        *(
            (f.sum(f.pow(side, f.lit(2))) / f.pow(f.sum(side), f.lit(2))).alias(f"{side}_hhi")
            for side in ("buyer", "seller")
        ),
    )
    found = months.join(shares, ["market", "month"]).collect()
    seconds = time.perf_counter() - start
    answer = pl.DataFrame([row.asDict() for row in found], infer_schema_length=None)
    check_alike(summarise(lake), answer, "Spark's own plan")
    return seconds


def bench_spark(lake: Path, rows: int) -> None:
    from carbon.trades.executors import open_engine
    from carbon.trades.summary import summarise_trades

    here = summarise(lake)
    start = time.perf_counter()
    with open_engine(SPARK_MASTER) as engine:
        print(f"Spark {SPARK_MASTER}: start {time.perf_counter() - start:.1f} s", flush=True)
        seconds = []
        for _ in range(4):
            start = time.perf_counter()
            there = summarise_trades(lake, by="month", keep=False, engine=engine).rows
            seconds.append(time.perf_counter() - start)
        floats = pl.selectors.float()
        gaps = (there.select(floats) - here.select(floats)).to_numpy()
        largest = float(abs(gaps[gaps == gaps]).max(initial=0.0))
        if not there.select(~floats).equals(here.select(~floats)) or largest > 1e-12:
            raise SystemExit(f"Spark: whole numbers or floats differ from threads, by up to {largest}")
        print(
            f"kernel on Spark: {seconds[0]:.2f} s cold, {min(seconds[1:]):.2f} s warm; floats differ by {largest:.0e}"
        )
        plans = [spark_plan(engine.spark, lake) for _ in range(2)]
        print(f"Spark's own plan: {plans[0]:.2f} s cold, {plans[1]:.2f} s warm; the same answer", flush=True)
        goal = SPARK_GOAL if rows >= 10**7 else None
        say_ratio("kernel on Spark beside Spark's own plan, warm", plans[1] / min(seconds[1:]), goal)


def bench(rows: int, folder: Path) -> float:
    lake = folder / f"lake{rows}"
    start = time.perf_counter()
    write_trades(lake, rows)
    size = sum(path.stat().st_size for path in lake.rglob("*.parquet"))
    print(f"-- {rows:,} trades, seed {SEED}, {size / rows:.1f} B a row, written in {time.perf_counter() - start:.1f} s")
    seconds = bench_engines(lake, rows, read_columns, summarise, check_alike, PEERS)
    if rows < AT_SCALE and has_spark():
        bench_spark(lake, rows)
    (read, again), _ = measure_apart(refresh, lake, 1)
    print(f"one file of 100,000 rows is new: {read} file read, {again:.3f} s")
    say_ratio("refreshing beside the whole summary", seconds / again)
    shutil.rmtree(lake)
    return seconds


if __name__ == "__main__":
    bench_sizes(bench)
