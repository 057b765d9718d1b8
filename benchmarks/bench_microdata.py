"""Build the talent indicators from generated job advertisements, beside polars read whole; then every other kind.

The workload: 1,000,000 to 100,000,000 advertisements (first argument, 10,000,000 by default) in Parquet files, with
cities written in many ways, one row in a hundred bad and some cities unknown. The named peer is polars itself used the
common way: `read_parquet` of all files, the same names joined, the same bad rows left out, one `group_by`; it lists no
bad rows and no unknown cities, and sums floats. Both must find the same means. Then every kind is built from rows of
its own (second argument, 1,000,000 by default), which no peer does, to show that its memory stays within bounds. All
run in processes of their own; times are of the best of two runs, memory is the peak of the process.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from generated_microdata import FRAMES, SECTORS, SEED, write_files
from measuring import measure_apart

CANONICAL = dict(zip(SECTORS, ["p2p", "p2p", "crowdfunding", "payment", "credit", "blockchain"], strict=True))
MOST_MB = 1_000


def build(paths: Sequence[Path]) -> dict[str, float]:
    """Ours: streamed, checked, with bad rows and unknown cities listed."""
    from fhi.microdata.build import build_microdata

    result = build_microdata("jobs", paths)
    salary = result.parts.filter(pl.col("code").str.ends_with(".salary"))
    keys = salary["hub"] + " " + salary["period"] + " " + salary["code"].str.split(".").list.get(1)
    return dict(zip(keys, salary["value"], strict=True))


def build_whole(paths: Sequence[Path]) -> dict[str, float]:
    """The peer: all files in memory, joined and grouped."""
    from fhi.hubs import resolve_hubs

    frame = pl.read_parquet(list(paths))
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


def build_kind(given: tuple[str, Sequence[Path]]) -> tuple[int, int]:
    """One kind: the rows read and the figures made."""
    from fhi.microdata.build import BUILDERS, build_microdata

    kind, paths = given
    result = build_microdata(kind, paths, period=None if BUILDERS[kind].dated else "2017")
    return result.counts.rows, result.panel.height


def compare(rows: int, folder: Path) -> None:
    """Advertisements, ours and the peer."""
    paths = write_files("jobs", folder, rows)
    print(f"jobs: {rows} rows, {sum(path.stat().st_size for path in paths) / 1e6:.1f} MB, seed {SEED}")
    means, told = {}, {}
    for name, work in (("fhi", build), ("peer", build_whole)):
        means[name], told[name] = measure_apart(work, paths)
        wall = told[name].wall_s
        print(f"{name}: {wall:.2f} s, {rows / wall:,.0f} rows/s, peak {told[name].peak_mb:.0f} MB")
    if means["fhi"].keys() != means["peer"].keys():
        raise SystemExit("the means are of other hubs, periods or sectors")
    furthest = max(abs(means["fhi"][key] / mean - 1) for key, mean in means["peer"].items())
    if not furthest <= 1e-12:
        raise SystemExit(f"the means differ by up to {furthest:.1e}")
    time, memory = (getattr(told["fhi"], of) / getattr(told["peer"], of) for of in ("wall_s", "peak_mb"))
    print(
        f"ratio: fhi (streamed and checked) takes {time:.2f} of the time and {memory:.2f} of the memory of polars read "
        f"whole; {len(means['peer'])} means agree within {furthest:.0e}"
    )


def build_all(rows: int, folder: Path) -> None:
    """Every kind, one after another; more memory than MOST_MB is a failure."""
    for kind in FRAMES:
        paths = write_files(kind, folder, rows)
        (read, figures), told = measure_apart(build_kind, (kind, paths), runs=1)
        print(f"{kind}: {read} rows, {figures} figures, {told.wall_s:.2f} s, peak {told.peak_mb:.0f} MB")
        if read != rows or told.peak_mb > MOST_MB:
            raise SystemExit(f"{kind}: expected {rows} rows and a peak within {MOST_MB} MB")
        for path in paths:
            path.unlink()


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    rows_of_kind = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        compare(rows, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        build_all(rows_of_kind, Path(folder))


if __name__ == "__main__":
    main()
