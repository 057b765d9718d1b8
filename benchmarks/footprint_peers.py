"""The same totals of cities by other engines, each in its own words, for `bench_footprints`.

Runs under the interpreter of the peers: `python footprint_peers.py WAY LAKE RUNS`, prints the figures and leaves the
answer as `LAKE/answer-WAY.parquet`: by hub, month and activity (its code) rows, amount_milli and persons (different
ones of the hub and month). Every engine reads the same files.
"""

import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

from measuring import best_of

COLUMNS = ("day", "person", "activity", "amount_milli")
TABLE = "personal_activities"


def with_polars(lake: Path):
    import polars as pl

    rows = pl.scan_parquet(lake / TABLE / "**" / "*.parquet", hive_partitioning=True)
    month = pl.col("day").dt.truncate("1mo").alias("month")
    asked = [
        rows.group_by("hub", month, "activity").agg(
            rows=pl.len(), amount_milli=pl.col("amount_milli").cast(pl.Int64).sum()
        ),
        rows.group_by("hub", month).agg(persons=pl.col("person").n_unique()),
    ]
    # One after the other: together they hold both tables of groups at the same time, and are no quicker.
    sums, persons = (query.collect(engine="streaming") for query in asked)
    return sums.join(persons, on=["hub", "month"])


def with_duckdb(lake: Path):
    import duckdb
    import polars as pl

    files = f"read_parquet('{lake}/{TABLE}/*/*/*.parquet', hive_partitioning = true)"
    query = f"""
    WITH sums AS (
      SELECT hub, date_trunc('month', day) AS month, activity, count(*) AS rows,
        CAST(sum(CAST(amount_milli AS BIGINT)) AS BIGINT) AS amount_milli
      FROM {files} GROUP BY 1, 2, 3),
    people AS (
      SELECT hub, month, count(*) AS persons
      FROM (SELECT DISTINCT hub, date_trunc('month', day) AS month, person FROM {files}) GROUP BY 1, 2)
    SELECT * FROM sums JOIN people USING (hub, month)
    """
    found = duckdb.connect().execute(query).fetchnumpy()
    return pl.DataFrame({name: values.tolist() for name, values in found.items()}).with_columns(
        pl.col("month").cast(pl.Date)
    )


def with_pandas(lake: Path):
    import pandas as pd
    import polars as pl

    # pandas has no reader of its own for Parquet; the columns are handed over as arrays.
    rows = pl.scan_parquet(lake / TABLE / "**" / "*.parquet", hive_partitioning=True)
    names = rows.select(pl.col("hub").unique().sort()).collect()["hub"].to_list()
    read = rows.select(*COLUMNS, pl.col("hub").cast(pl.Enum(names)).to_physical()).collect()
    frame = pd.DataFrame({name: read[name].to_numpy() for name in read.columns}, copy=False)
    del read
    frame["month"] = frame["day"].to_numpy().astype("datetime64[M]").astype("datetime64[s]")
    frame["amount_milli"] = frame["amount_milli"].astype("int64")
    amounts = frame.groupby(["hub", "month", "activity"])["amount_milli"]
    sums = amounts.agg(rows="size", amount_milli="sum").reset_index()
    persons = frame.groupby(["hub", "month"])["person"].nunique().rename("persons").reset_index()
    found = sums.merge(persons, on=["hub", "month"])
    found["month"] = found["month"].astype("datetime64[ms]")
    return pl.DataFrame({name: found[name].to_numpy() for name in found.columns}).with_columns(
        pl.col("month").cast(pl.Date), pl.col("hub").replace_strict(dict(enumerate(names)), return_dtype=pl.String)
    )


WAYS = {"polars": with_polars, "duckdb": with_duckdb, "pandas": with_pandas}


def main() -> None:
    way, lake, runs = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    answer, figures = best_of(partial(WAYS[way], lake), runs, runs)
    answer.write_parquet(lake / f"answer-{way}.parquet")
    print(json.dumps(asdict(figures)))


if __name__ == "__main__":
    main()
