"""A composite index from figures to ranks: beside COINr on its own example, scikit-criteria and pymcdm on any size.

Three parts. The example of COINr (51 countries x 49 indicators: denominate, impute, treat, normalise, aggregate)
through `build_index`, checked against its printed total, beside the 0.17 CPU s a run that COINr 1.1.14 took on a
two-core machine; that figure is given, COINr is not run here. Then one random matrix of mixed directions at several
sizes, by our array verbs, scikit-criteria 0.10 and pymcdm 1.4, each in a process of its own:

- entropy: min-max to [0.01, 1] (pymcdm takes the entropy of a column with a zero as 0), entropy weights, weighted
  sum, ranks;
- topsis: CRITIC weights of turned figures, vector-normalised TOPSIS, ranks.

Scores must agree within 1e-9 and ranks exactly, but that we let scores within 1e-12 of
the greatest tie. Last, the whole `build_index` on the entropy workload: it does more
(checks of the panel, coverage, frames of every node, hashes), so that it has no ratio. Times are CPU seconds of the
best run, which counts every thread, after a warm-up; memory is the peak of the process. Sizes are arguments
(37x55 1000x100 100000x100 by default).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import Array, Figures, handed_over, measure_scores

HERE = Path(__file__).resolve().parent
PEERS_PYTHON = HERE.parent / ".venv" / "peers" / "bin" / "python"
PEERS = {"scikit-criteria": "with_scikit_criteria.py", "pymcdm": "with_pymcdm.py"}
EXAMPLE = HERE.parents[1] / "shared" / "reference" / "composite" / "coinr_asem"
EXAMPLE_RUNS = 100
EXAMPLE_TOTAL_CHE = 68.3837242383417
COINR_S = 0.17
SIZES = ("37x55", "1000x100", "100000x100")
SEED = 20220301
TOLERANCE = 1e-9
# Threads of linear algebra that wait for each other count as CPU time too, so everybody gets one.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def run_example() -> None:
    """COINr's example pipeline, loaded once and built many times."""
    import polars as pl

    from fhi.formats.panel_files import load_panel
    from fhi.framework import load_framework
    from fhi.index import build_index
    from fhi.recipe import Recipe

    framework = load_framework(EXAMPLE / "iMeta.csv")
    data = load_panel(EXAMPLE / "iData.csv", framework)
    recipe = Recipe.model_validate(
        {
            "denominate": {"method": "framework"},
            "impute": {"method": "group_mean", "group": "EurAsia_group"},
            "treat": {"method": "winsorise", "max_points": 5, "fall_back": "log"},
            "normalise": {"method": "minmax", "lower": 0, "upper": 100},
            "weights": {"method": "given"},
            "aggregate": {"method": "arithmetic", "min_share": 0, "min_share_root": 0},
        }
    )
    result = build_index(data.panel, framework, recipe, data.units)
    found = result.scores.filter((pl.col("hub") == "CHE") & (pl.col("code") == framework.root))["score"].item()
    if not abs(found - EXAMPLE_TOTAL_CHE) <= TOLERANCE:
        raise SystemExit(f"the total of CHE is {found!r}, expected {EXAMPLE_TOTAL_CHE} within {TOLERANCE:g}")
    seconds = []
    for _ in range(EXAMPLE_RUNS):
        started = time.process_time()
        build_index(data.panel, framework, recipe, data.units)
        seconds.append(time.process_time() - started)
    mean, best = sum(seconds) / EXAMPLE_RUNS, min(seconds)
    print(f"total of CHE {found:.13f}, off by {abs(found - EXAMPLE_TOTAL_CHE):.1e} (allowed {TOLERANCE:g})")
    print(f"fhi: {mean * 1000:.1f} ms CPU a run, best {best * 1000:.1f} ms")
    print(f"ratio: {COINR_S / mean:.0f} times as fast as COINr's published {COINR_S} CPU s a run (given, not run here)")


def by_entropy(matrix: Array, directions: Array) -> tuple[Array, Array]:
    """Ours, verb by verb."""
    from fhi.aggregate import arithmetic
    from fhi.frames import descending_ranks
    from fhi.normalise import Facts, normalise
    from fhi.recipe import NormaliseRule
    from fhi.weights.entropy import entropy_weights

    units, indicators = matrix.shape
    bare = np.full(indicators, np.nan)
    facts = Facts(("",) * indicators, directions, lower=bare, upper=bare, target=bare)
    rules = [NormaliseRule(lower=0.01, upper=1.0)] * indicators
    scores = normalise(matrix[None], facts, rules, bounds="period", units=("",) * units, periods=("2022",))
    total = arithmetic(scores, entropy_weights(scores[0], zeros="zero"))
    return total[0], descending_ranks(total[None])[0, 0]


def by_topsis(matrix: Array, directions: Array) -> tuple[Array, Array]:
    """Ours, verb by verb."""
    from fhi.frames import descending_ranks
    from fhi.topsis import topsis
    from fhi.weights.critic import critic_weights

    closeness = topsis(matrix, critic_weights(matrix * directions), directions)
    return closeness, descending_ranks(closeness[None, None])[0, 0]


def prepare_build(matrix: Array, directions: Array) -> tuple[object, ...]:
    """The same matrix as a panel, a framework of one group and a recipe; no cell of the panel is shared."""
    import polars as pl

    from fhi.framework import Framework, Group, Indicator
    from fhi.recipe import Recipe

    units, indicators = matrix.shape
    codes = [f"i{number:03}" for number in range(indicators)]
    named = {"title_zh": "随机", "title_en": "random", "source": "generated", "id": "random", "version": "1"}
    framework = Framework(
        groups=(Group(code="total", name_zh="总指数", name_en="Total"),),
        indicators=tuple(
            Indicator(code=code, parent="total", name_zh=code, name_en=code, direction=1 if direction > 0 else -1)
            for code, direction in zip(codes, directions, strict=True)
        ),
        **named,
    )
    hubs = pl.Series("hub", [f"u{number:06}" for number in range(units)])
    alike = np.zeros(matrix.size, dtype=np.int64)
    panel = pl.DataFrame(
        [
            hubs.gather(np.repeat(np.arange(units), indicators)),
            pl.Series("period", ["2022"]).gather(alike),
            pl.Series("code", codes).gather(np.tile(np.arange(indicators), units)),
            pl.Series("value", matrix.ravel()),
            pl.Series("unit", ["point"]).gather(alike),
            pl.Series("status", ["observed"]).gather(alike),
            pl.Series("source", ["generated"]).gather(alike),
        ]
    )
    recipe = Recipe.model_validate({"normalise": {"lower": 1, "upper": 100}, "weights": {"method": "entropy"}})
    return panel, framework, recipe


def serve_verbs() -> None:
    """One of our workloads by array verbs, in this process."""
    workload, folder, matrix, directions = handed_over()
    work = {"entropy": by_entropy, "topsis": by_topsis}[workload]
    measure_scores(lambda: work(matrix, directions), folder)


def serve_build() -> None:
    """The whole build in this process; its panel is made before the clock starts."""
    import polars as pl

    from fhi.index import build_index

    _, folder, matrix, directions = handed_over()
    panel, framework, recipe = prepare_build(matrix, directions)

    def build() -> tuple[Array, Array]:
        scores = build_index(panel, framework, recipe).scores.filter(pl.col("code") == "total").sort("hub")
        return scores["score"].to_numpy() / 100, scores["rank"].to_numpy()

    measure_scores(build, folder)


def run_apart(command: list[str], workload: str, folder: Path) -> tuple[Figures, Array, Array]:
    """What a process of its own measured, its scores and its ranks."""
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(HERE)}
    done = subprocess.run(
        [*command, workload, str(folder)], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return (
        Figures(**json.loads(done.stdout.splitlines()[-1])),
        np.load(folder / "scores.npy"),
        np.load(folder / "ranks.npy"),
    )


def compare(size: str, folder: Path) -> None:
    """Both workloads at one size, ours first, then the peers, then the whole build."""
    from fhi.frames import descending_ranks

    units, indicators = (int(number) for number in size.split("x"))
    generator = np.random.default_rng(SEED)
    np.save(folder / "matrix.npy", generator.uniform(1, 100, (units, indicators)))
    np.save(folder / "directions.npy", np.where(np.arange(indicators) % 3 == 2, -1.0, 1.0))
    ours = [sys.executable, str(Path(__file__).resolve())]
    peers = {name: [str(PEERS_PYTHON), str(HERE / "peers" / script)] for name, script in PEERS.items()}
    for workload in ("entropy", "topsis"):
        print(f"-- {size}, {workload}, seed {SEED}")
        verbs, scores, ranks = run_apart([*ours, "verbs"], workload, folder)
        print(f"fhi verbs: {figures(verbs)}")
        others = {**peers, "fhi build_index": [*ours, "build"]} if workload == "entropy" else peers
        for name, command in others.items():
            told, their_scores, their_ranks = run_apart(command, workload, folder)
            off = float(np.abs(scores - their_scores).max())
            theirs_by_our_rule = descending_ranks(their_scores[None, None])[0, 0]
            if not off <= TOLERANCE or not np.array_equal(ranks, theirs_by_our_rule):
                places = int((ranks != theirs_by_our_rule).sum())
                raise SystemExit(f"{name}: scores are off by {off:.1e} (allowed {TOLERANCE:g}), {places} ranks differ")
            ties = int((their_ranks != theirs_by_our_rule).sum())
            said = f"ranks alike but for {ties} near-tie(s)" if ties else "ranks alike"
            print(f"{name}: {figures(told)}; scores off by {off:.0e}, {said}")
            if name in peers:
                speed, memory = told.cpu_s / verbs.cpu_s, told.peak_mb / verbs.peak_mb
                print(
                    f"ratio: fhi verbs are {speed:.1f} times as fast as {name}, which has {memory:.1f} times the peak"
                )


def figures(told: Figures) -> str:
    return f"{told.cpu_s * 1000:.2f} ms CPU, {told.wall_s * 1000:.2f} ms wall, peak {told.peak_mb:.0f} MB"


def main() -> None:
    if not PEERS_PYTHON.exists():
        raise SystemExit("the peers' environment .venv/peers is absent; make it with: make .venv/peers.stamp")
    if EXAMPLE.is_dir():
        run_example()
    else:
        print(f"COINr's example is left out: no folder {EXAMPLE.name} in ../shared/reference beside this checkout")
    with tempfile.TemporaryDirectory() as folder:
        for size in sys.argv[1:] or SIZES:
            compare(size, Path(folder))


SERVICES = {"verbs": serve_verbs, "build": serve_build}

if __name__ == "__main__":
    SERVICES.get(sys.argv[1] if len(sys.argv) > 1 else "", main)()
