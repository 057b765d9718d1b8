"""Build the talent indicators from generated job advertisements, beside polars read whole.

The workload: 1,000,000 to 100,000,000 advertisements (first argument, 10,000,000 by default) in one Parquet file, with
cities written in many ways, one row in a hundred bad and some cities unknown. The named peer is polars itself used the
common way: `read_parquet` of the whole file, the same names joined, the same bad rows left out, one `group_by`; it
lists no bad rows and no unknown cities, and sums floats. Both run in a process of their own; times are of the best of
two runs, memory is the peak of the process. Both must find the same means.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

SEED = 20170929
RUNS = 2
CHUNK = 1_000_000
SECTORS = ["p2p", "网贷", "众筹", "第三方支付", "大数据征信", "区块链"]
DEGREES = ["不限", "大专", "本科", "本科及以上", "硕士", "博士"]
CANONICAL = dict(zip(SECTORS, ["p2p", "p2p", "crowdfunding", "payment", "credit", "blockchain"], strict=True))


def write_chunks(folder: Path, rows: int) -> None:
    """One Parquet file a chunk of rows."""
    from fhi.hubs import hubs

    rng = np.random.default_rng(SEED)
    names = hubs().select("name_zh", "name_en", "gbt2260").rows()
    forms = [form for zh, en, code in names for form in (zh, f"{zh}市", en, code)] + ["雅安", "洪山区"]
    for number, start in enumerate(range(0, rows, CHUNK)):
        size = min(CHUNK, rows - start)
        salary = rng.integers(3_000, 40_000, size).astype(float)
        salary[rng.random(size) < 0.01] = -1.0
        days = pl.Series(rng.integers(0, 1_000, size)).cast(pl.Int32) + 16_071
        pl.DataFrame(
            {
                "sector": np.array(SECTORS, dtype=object)[rng.integers(0, len(SECTORS), size)],
                "city": np.array(forms, dtype=object)[rng.integers(0, len(forms), size)],
                "date": days.cast(pl.Date),
                "salary_cny_per_month": salary,
                "degree": np.array(DEGREES, dtype=object)[rng.integers(0, len(DEGREES), size)],
            },
            schema_overrides={"sector": pl.String, "city": pl.String, "degree": pl.String},
        ).write_parquet(folder / f"part-{number:03d}.parquet")


def build(path: Path) -> dict[str, float]:
    """Ours: streamed, checked, with bad rows and unknown cities listed."""
    from fhi.microdata.build import build_microdata

    result = build_microdata("jobs", [path])
    salary = result.parts.filter(pl.col("code").str.ends_with(".salary"))
    keys = salary["hub"] + " " + salary["period"] + " " + salary["code"].str.split(".").list.get(1)
    return dict(zip(keys, salary["value"], strict=True))


def build_whole(path: Path) -> dict[str, float]:
    """The peer: the whole file in memory, joined and grouped."""
    from fhi.hubs import resolve_hubs

    frame = pl.read_parquet(path)
    named = resolve_hubs(frame["city"]).select("name", "hub")
    good = (
        frame.join(named, left_on="city", right_on="name", how="left")
        .with_columns(
            pl.col("sector").replace_strict(CANONICAL, default=None, return_dtype=pl.String),
            masters=pl.col("degree").is_in(["硕士", "博士"]),
            period=pl.col("date").dt.year(),
        )
        .filter(pl.col("hub").is_not_null() & pl.col("sector").is_not_null() & (pl.col("salary_cny_per_month") >= 1))
    )
    means = good.group_by("hub", "period", "sector").agg(
        pl.col("salary_cny_per_month").mean(), pl.col("masters").mean(), pl.len()
    )
    return {f"{hub} {period} {sector}": salary for hub, period, sector, salary, _, _ in means.iter_rows()}


def measure(name: str, path: Path, answer: "multiprocessing.Queue[tuple[float, float, dict[str, float]]]") -> None:
    """Best time in seconds, peak memory in MB and the means of one way, in a process of its own."""
    work = {"fhi": build, "peer": build_whole}[name]
    best, means = float("inf"), {}
    for _ in range(RUNS):
        start = time.perf_counter()
        means = work(path)
        best = min(best, time.perf_counter() - start)
    answer.put((best, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, means))


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    context = multiprocessing.get_context("spawn")
    seconds, peak_mb, means = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated.parquet"
        write_chunks(Path(folder), rows)
        pl.scan_parquet(Path(folder) / "part-*.parquet").sink_parquet(path)
        print(f"{rows} rows, {path.stat().st_size / 1e6:.1f} MB, seed {SEED}")
        for name in ("fhi", "peer"):
            answer = context.Queue()
            process = context.Process(target=measure, args=(name, path, answer))
            process.start()
            seconds[name], peak_mb[name], means[name] = answer.get()
            process.join()
            print(f"{name}: {seconds[name]:.2f} s, {rows / seconds[name]:,.0f} rows/s, peak {peak_mb[name]:.0f} MB")
    furthest = max(abs(means["fhi"][key] / mean - 1) for key, mean in means["peer"].items())
    if means["fhi"].keys() != means["peer"].keys() or furthest > 1e-12:
        raise SystemExit(f"the means differ by up to {furthest:.1e}")
    print(
        f"ratio: fhi (streamed and checked) takes {seconds['fhi'] / seconds['peer']:.2f} of the time and "
        f"{peak_mb['fhi'] / peak_mb['peer']:.2f} of the memory of polars read whole; "
        f"{len(means['peer'])} means agree within {furthest:.0e}"
    )


if __name__ == "__main__":
    main()
