"""The same summary of trades by other engines, each in its own words, for `bench_trades`.

Runs under the interpreter of the peers: `python trade_peers.py WAY LAKE RUNS`, prints the figures and leaves the answer
as `LAKE/answer-WAY.parquet`: by market and month trades, volume_t, value_fen, open, high, low, close (listed trading),
volatility_annual, amihud_per_million_cny, buyer_hhi, seller_hhi, participants. Every engine reads the same files.
"""

import json
import sqlite3
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

from measuring import best_of

COLUMNS = ("day", "method", "price_fen", "quantity_t", "buyer", "seller")
KEYS = ("market", "month")
# By day: rows of one file are ascending by time, so that the first and last in the file are open and close.
SQL = """
WITH rows AS ({rows}),
days AS (
  SELECT market, day, {month} AS month, count(*) AS trades, sum(CAST(quantity_t AS BIGINT)) AS volume_t,
    sum(CAST(price_fen AS BIGINT) * quantity_t) AS value_fen,
    {listed_sum} AS listed_fen, {open} AS open, {close} AS close, {high} AS high, {low} AS low
  FROM rows GROUP BY market, day),
moves AS (
  SELECT *, ln(close) - lag(ln(close)) OVER (PARTITION BY market ORDER BY day) AS move FROM days),
months AS (
  SELECT market, month, sum(trades) AS trades, sum(volume_t) AS volume_t, sum(value_fen) AS value_fen,
    {first_day} AS open, max(high) AS high, min(low) AS low, {last_day} AS close,
    sqrt((sum(move * move) - sum(move) * sum(move) / count(move)) / (count(move) - 1) * 252) AS volatility_annual,
    avg(abs(move) / (listed_fen / 1e8)) AS amihud_per_million_cny
  FROM moves GROUP BY market, month),
sides AS (
  SELECT market, {month} AS month, buyer AS party, sum(CAST(quantity_t AS BIGINT)) AS bought, 0 AS sold
  FROM rows GROUP BY 1, 2, 3
  UNION ALL
  SELECT market, {month} AS month, seller AS party, 0 AS bought, sum(CAST(quantity_t AS BIGINT)) AS sold
  FROM rows GROUP BY 1, 2, 3),
parties AS (SELECT market, month, party, sum(bought) AS bought, sum(sold) AS sold FROM sides GROUP BY 1, 2, 3),
shares AS (
  SELECT market, month, count(*) AS participants,
    sum(1.0 * bought * bought) / (1.0 * sum(bought) * sum(bought)) AS buyer_hhi,
    sum(1.0 * sold * sold) / (1.0 * sum(sold) * sum(sold)) AS seller_hhi
  FROM parties GROUP BY 1, 2)
SELECT * FROM months JOIN shares USING (market, month)
"""


def with_polars(lake: Path):
    import polars as pl

    rows = pl.scan_parquet(lake / "trades" / "**" / "*.parquet", hive_partitioning=True)
    listed = pl.col("method") == 10
    price, quantity = pl.col("price_fen").cast(pl.Int64), pl.col("quantity_t").cast(pl.Int64)
    month = pl.col("day").dt.truncate("1mo").alias("month")
    listed_price = pl.col("price_fen").filter(listed)
    days = (
        rows.group_by("market", "day")
        .agg(
            trades=pl.len(),
            volume_t=quantity.sum(),
            value_fen=(price * quantity).sum(),
            listed_fen=(price * quantity).filter(listed).sum(),
            open=listed_price.first(),
            close=listed_price.last(),
            high=listed_price.max(),
            low=listed_price.min(),
        )
        .collect(engine="streaming")
    )
    months = (
        days.sort("market", "day")
        .with_columns(month, move=pl.col("close").log().diff().over("market"))
        .group_by("market", "month")
        .agg(
            pl.col("trades", "volume_t", "value_fen").sum(),
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            volatility_annual=pl.col("move").std() * 252**0.5,
            amihud_per_million_cny=(pl.col("move").abs() / (pl.col("listed_fen") / 1e8)).mean(),
        )
    )
    sides = [
        rows.group_by("market", month, pl.col(side).alias("party")).agg(quantity.sum().alias(amount))
        for side, amount in (("buyer", "bought"), ("seller", "sold"))
    ]
    parties = pl.concat(pl.collect_all(sides, engine="streaming"), how="diagonal")
    shares = (
        parties.group_by("market", "month", "party")
        .agg(pl.col("bought", "sold").sum())
        .group_by("market", "month")
        .agg(
            participants=pl.len(),
            buyer_hhi=((pl.col("bought") / pl.col("bought").sum()) ** 2).sum(),
            seller_hhi=((pl.col("sold") / pl.col("sold").sum()) ** 2).sum(),
        )
    )
    return months.join(shares, on=["market", "month"])


def with_duckdb(lake: Path):
    import duckdb
    import polars as pl

    files = f"read_parquet('{lake}/trades/*/*/*.parquet', hive_partitioning = true, file_row_number = true)"
    listed = "FILTER (WHERE method = 10)"
    query = SQL.format(
        rows=f"SELECT market, file_row_number AS place, {', '.join(COLUMNS)} FROM {files}",
        month="date_trunc('month', day)",
        listed_sum=f"sum(CAST(price_fen AS BIGINT) * quantity_t) {listed}",
        # first() and last() over sorted files gave wrong prices on two threads.
        open=f"arg_min(price_fen, place) {listed}",
        close=f"arg_max(price_fen, place) {listed}",
        high=f"max(price_fen) {listed}",
        low=f"min(price_fen) {listed}",
        first_day="arg_min(open, day)",
        last_day="arg_max(close, day)",
    )
    found = duckdb.connect().execute(query).fetchnumpy()
    return pl.DataFrame({name: values.tolist() for name, values in found.items()}).with_columns(
        pl.col("month").cast(pl.Date)
    )


def with_pandas(lake: Path):
    import numpy as np
    import pandas as pd
    import polars as pl

    # pandas has no reader of its own for Parquet; the columns are handed over as arrays.
    rows = pl.scan_parquet(lake / "trades" / "**" / "*.parquet", hive_partitioning=True)
    names = rows.select(pl.col("market").unique().sort()).collect()["market"].to_list()
    read = rows.select(*COLUMNS, pl.col("market").cast(pl.Enum(names)).to_physical()).collect()
    frame = pd.DataFrame({name: read[name].to_numpy() for name in read.columns}, copy=False)
    del read
    frame["month"] = frame["day"].to_numpy().astype("datetime64[M]").astype("datetime64[s]")
    frame["value_fen"] = frame["price_fen"].astype("int64") * frame["quantity_t"]
    frame["quantity_t"] = frame["quantity_t"].astype("int64")
    by_day = frame.groupby(["market", "month", "day"])
    listed = frame[frame["method"] == 10].groupby(["market", "month", "day"])
    days = by_day.agg(trades=("day", "size"), volume_t=("quantity_t", "sum"), value_fen=("value_fen", "sum"))
    prices = listed["price_fen"].agg(open="first", close="last", high="max", low="min")
    days = days.join(prices).join(listed["value_fen"].sum().rename("listed_fen")).reset_index()
    days["move"] = np.log(days["close"]).groupby(days["market"]).diff()
    days["ratio"] = days["move"].abs() / (days["listed_fen"] / 1e8)
    months = days.groupby(["market", "month"]).agg(
        trades=("trades", "sum"),
        volume_t=("volume_t", "sum"),
        value_fen=("value_fen", "sum"),
        open=("open", "first"),
        high=("high", "max"),
        low=("low", "min"),
        close=("close", "last"),
        volatility_annual=("move", "std"),
        amihud_per_million_cny=("ratio", "mean"),
    )
    months["volatility_annual"] *= 252**0.5
    sums = [frame.groupby(["market", "month", side])["quantity_t"].sum() for side in ("buyer", "seller")]
    months["participants"] = sums[0].index.union(sums[1].index).to_frame().groupby(level=[0, 1]).size()
    for side, tonnes in zip(("buyer", "seller"), sums, strict=True):
        shares = tonnes / tonnes.groupby(level=[0, 1]).transform("sum")
        months[f"{side}_hhi"] = (shares**2).groupby(level=[0, 1]).sum()
    found = months.reset_index()
    found["month"] = found["month"].astype("datetime64[ms]")
    answer = pl.DataFrame({name: found[name].to_numpy() for name in found.columns})
    return answer.with_columns(
        pl.col("month").cast(pl.Date), pl.col("market").replace_strict(dict(enumerate(names)), return_dtype=pl.String)
    )


def fill_sqlite(lake: Path) -> Path:
    """A table of the same trades, ascending by time; loading is not measured."""
    import polars as pl

    place = lake / "trades.sqlite"
    if place.exists():
        return place
    rows = pl.scan_parquet(lake / "trades" / "**" / "*.parquet", hive_partitioning=True)
    frame = (
        rows.select("market", pl.col("day").cast(pl.String), "time_us", *COLUMNS[1:])
        .sort("market", "time_us")
        .collect()
    )
    with sqlite3.connect(place) as connection:
        connection.execute("CREATE TABLE trades (market, day, place, method, price_fen, quantity_t, buyer, seller)")
        connection.executemany("INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?, ?, ?)", frame.iter_rows())
    return place


def with_sqlite(lake: Path):
    """Without the open and close of the month, which would cost it more still."""
    import polars as pl

    # A bare column beside one max() or min() comes from the row of the extreme; more than one would be ambiguous.
    prices = "SELECT market, day, price_fen, {ends}(rowid) FROM trades WHERE method = 10 GROUP BY market, day"
    query = SQL.format(
        rows=f"SELECT market, {', '.join(COLUMNS)} FROM trades",
        month="substr(day, 1, 7)",
        listed_sum="sum(CASE method WHEN 10 THEN price_fen * quantity_t END)",
        open="NULL",
        close="(SELECT c.price_fen FROM closes c WHERE c.market = rows.market AND c.day = rows.day)",
        high="max(CASE method WHEN 10 THEN price_fen END)",
        low="min(CASE method WHEN 10 THEN price_fen END)",
        first_day="NULL",
        last_day="NULL",
    ).replace(
        "WITH rows AS",
        "WITH closes AS MATERIALIZED (" + prices.format(ends="max") + "), rows AS",
        1,
    )
    with sqlite3.connect(fill_sqlite(lake)) as connection:
        cursor = connection.execute(query)
        names = [part[0] for part in cursor.description]
        answer = pl.DataFrame(cursor.fetchall(), schema=names, orient="row", infer_schema_length=None)
    return answer.drop("open", "close").with_columns(pl.col("month").str.to_date("%Y-%m"))


WAYS = {"polars": with_polars, "duckdb": with_duckdb, "pandas": with_pandas, "sqlite": with_sqlite}


def main() -> None:
    way, lake, runs = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if way == "sqlite":
        fill_sqlite(lake)
    answer, figures = best_of(partial(WAYS[way], lake), runs, runs)
    answer.write_parquet(lake / f"answer-{way}.parquet")
    print(json.dumps(asdict(figures)))


if __name__ == "__main__":
    main()
