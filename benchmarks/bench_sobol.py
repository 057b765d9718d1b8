"""Sobol indices of a robustness run: a whole study beside COINr, indices with bootstrap beside SALib, and their errors.

Three parts. First errors of the first-order index on Ishigami's function shifted by 20: our centred estimator and
COINr's, which does not centre, at equal runs. Second a study of 6,000 recomputations of an index of 37 hubs and 55
indicators (weights, normalisation, aggregation and treatment; 1,000 draws a sample), from the panel to the rows, beside
the 0.17 CPU s a recomputation that COINr 1.1.14 took for its own example (51 countries x 49 indicators) on another
two-core machine; that figure is given, COINr is not run here. Third the indices alone, 8 factors, 37 outputs, 100
resamples, beside SALib where the peers' environment has it, timed on 3 outputs and scaled, and otherwise beside a plain
numpy loop over outputs and factors that resamples by index as SALib does, which is said. Their indices must agree with
ours. Times are CPU seconds of the best run, which counts every thread, with one thread of linear algebra.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from beside import PEERS_PYTHON, say_ratio
from measuring import Array, best_of

# Threads of linear algebra that wait for each other count as CPU time too, so everybody gets one.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
COINR_S = 0.17
COINR_GOAL, SALIB_GOAL = 1000.0, 150.0
HUBS, GROUPS, IN_GROUP = 37, 5, 11
DRAWS = 1000
FACTORS, OUTPUTS, RESAMPLES = 8, 37, 100
TIMED_OUTPUTS = 3
SIZES = (2**12, 2**14)
REPETITIONS = 300
SHIFT = 20.0
SEED = 20220301
ISHIGAMI_S1 = np.array([0.31390519114781146, 0.4424111447900409, 0.0])
AGREE = 1e-3


def ishigami(points: Array) -> Array:
    """Ishigami's function with a = 7 and b = 0.1 of points in the unit cube."""
    x = np.pi * (2 * points - 1)
    found: Array = np.sin(x[..., 0]) * (1 + 0.1 * x[..., 2] ** 4) + 7 * np.sin(x[..., 1]) ** 2
    return found


def coinr_first_order(y_a: Array, y_b: Array, y_ab: Array) -> Array:
    """COINr's estimator, outputs not centred."""
    found: Array = (y_b * (y_ab - y_a)).mean(axis=1) / np.concatenate([y_a, y_b]).var(ddof=1)
    return found


def show_errors(runs: int) -> None:
    """Root mean square errors of both estimators over many repetitions."""
    from green_index.robustness.sobol import sobol_design, sobol_indices

    for kind in ("random", "sobol"):
        ours, theirs = [], []
        for seed in range(REPETITIONS):
            y = ishigami(sobol_design(3, runs, seed, "random" if kind == "random" else "sobol").stacked()) + SHIFT
            ours.append(sobol_indices(y[0, :, None], y[1, :, None], y[2:, :, None], 1).first_order[:, 0])
            theirs.append(coinr_first_order(y[0], y[1], y[2:]))
        errors = [np.sqrt(np.square(np.array(found) - ISHIGAMI_S1).mean()) for found in (ours, theirs)]
        print(f"Ishigami + {SHIFT:g}, N = {runs}, {kind} design, {REPETITIONS} repetitions: ", end="")
        print(f"root mean square error of S1 {errors[0]:.4f}; of COINr's estimator {errors[1]:.4f}")
        say_ratio(f"COINr's error beside ours, N = {runs}, {kind} design", errors[1] / errors[0])


def bench_study() -> None:
    """The whole study on a generated panel, and the same once its variants are made."""
    import polars as pl

    from fhi.framework import Framework, Group, Indicator
    from fhi.recipe import AggregateStep, NormaliseStep, Recipe, WeighStep
    from green_index.robustness.choices import Choices
    from green_index.robustness.sobol_study import sobol_study, study_variants
    from green_index.robustness.variants import variants

    groups = [f"g{group}" for group in range(GROUPS)]
    codes = {f"{group}i{number:02}": group for group in groups for number in range(IN_GROUP)}
    framework = Framework(
        groups=(
            Group(code="total", name_zh="总", name_en="Total"),
            *(Group(code=group, name_zh=group, name_en=group, parent="total") for group in groups),
        ),
        indicators=tuple(
            Indicator(code=code, parent=group, name_zh=code, name_en=code, direction=1) for code, group in codes.items()
        ),
        title_zh="随机",
        title_en="random",
        source="generated",
        id="random",
        version="1",
    )
    figures = np.random.default_rng(SEED).lognormal(size=(HUBS, len(codes)))
    rows = [
        (f"h{hub:02}", "2022", code, float(figures[hub, column]), "point", "observed", "generated")
        for hub in range(HUBS)
        for column, code in enumerate(codes)
    ]
    names = ["hub", "period", "code", "value", "unit", "status", "source"]
    panel = pl.DataFrame(rows, schema=names, orient="row")
    recipe = Recipe(
        normalise=NormaliseStep(lower=1, upper=100),
        weights=WeighStep(method="equal"),
        aggregate=AggregateStep(min_share=0, min_share_root=0),
    )
    choices = Choices(
        normalisation=("minmax", "zscore"), aggregation=("arithmetic", "geometric"), treatment=("none", "winsorise")
    )
    study, whole = best_of(lambda: sobol_study(panel, framework, recipe, "2022", choices, DRAWS, SEED), 3, 10, 2.0)
    if study.rows().height != (1 + HUBS) * 7:
        raise SystemExit(f"found {study.rows().height} rows, expected {(1 + HUBS) * 7}")
    made_of = variants(panel, framework, recipe, "2022", choices, SEED)
    _, rest = best_of(lambda: study_variants(made_of, choices.weights, DRAWS, SEED), 3, 10, 2.0)
    coinr = COINR_S * study.runs
    print(
        f"a study of {study.runs:,} recomputations of {HUBS} x {len(codes)}, with 500 resamples, from the panel: ",
        end="",
    )
    print(f"{whole.cpu_s:.3f} s CPU, {whole.wall_s:.3f} s wall, peak {whole.peak_mb:.0f} MB; ", end="")
    print(f"{rest.cpu_s:.3f} s CPU once its {len(made_of.variants)} variants are made")
    print(f"COINr: {COINR_S} CPU s a recomputation, {coinr:,.0f} s (given, another machine and example, not run here)")
    say_ratio("a whole study is faster than COINr's", coinr / whole.cpu_s, COINR_GOAL)


def loop_indices(y_a: Array, y_b: Array, y_ab: Array) -> Array:
    """First-order indices of outputs one by one, (factors, outputs); intervals are worked out too and dropped."""
    generator = np.random.default_rng(SEED)
    first = np.empty((len(y_ab), y_a.shape[1]))
    for output in range(y_a.shape[1]):
        shift = np.concatenate([y_a[:, output], y_b[:, output]])
        a, b = ((y[:, output] - shift.mean()) / shift.std() for y in (y_a, y_b))
        drawn = generator.integers(0, len(a), size=(len(a), RESAMPLES))
        for factor, y in enumerate(y_ab):
            ab = (y[:, output] - shift.mean()) / shift.std()
            first[factor, output] = np.mean(b * (ab - a)) / np.concatenate([a, b]).var()
            variance = np.concatenate([a[drawn], b[drawn]]).var(axis=0)
            (np.mean(b[drawn] * (ab[drawn] - a[drawn]), axis=0) / variance).std(ddof=1)
            (np.mean((a[drawn] - ab[drawn]) ** 2, axis=0) / (2 * variance)).std(ddof=1)
    return first


def generated_outputs(runs: int) -> Array:
    """Outputs at A, B and the mixed points, (factors + 2, runs, outputs)."""
    from green_index.robustness.sobol import sobol_design

    points = sobol_design(FACTORS, runs, SEED).stacked()
    slopes = np.random.default_rng(SEED).normal(size=(FACTORS, OUTPUTS))
    found: Array = np.asarray(points @ slopes + np.square(points @ slopes[:, ::-1]) / 4)
    return found


def serve_salib() -> None:
    """SALib on some outputs of a file, in the peers' environment; its first-order indices and figures to the folder."""
    from SALib.analyze import sobol

    folder = Path(sys.argv[2])
    y = np.load(folder / "y.npy")[:, :, :TIMED_OUTPUTS]
    problem = {"num_vars": FACTORS, "names": [f"x{i}" for i in range(FACTORS)], "bounds": [[0, 1]] * FACTORS}
    # One run of A, the mixed ones in order, then B, run by run.
    order = [0, *range(2, FACTORS + 2), 1]

    def work() -> Array:
        found = [
            sobol.analyze(problem, y[order, :, output].T.ravel(), calc_second_order=False, num_resamples=RESAMPLES)[
                "S1"
            ]
            for output in range(y.shape[2])
        ]
        return np.array(found).T

    first, figures = best_of(work, 2, 2)
    np.save(folder / "first.npy", first)
    print(json.dumps(figures.cpu_s))


def run_salib(y: Array) -> tuple[Array, float] | None:
    """SALib's indices of some outputs and its CPU seconds; nothing where it is not installed."""
    if not PEERS_PYTHON.exists():
        return None
    asked = subprocess.run([str(PEERS_PYTHON), "-c", "import SALib"], capture_output=True, check=False)
    if asked.returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "y.npy", y)
        command = [str(PEERS_PYTHON), str(Path(__file__).resolve()), "salib", folder]
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(Path(__file__).resolve().parent)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise SystemExit(f"SALib failed:\n{done.stderr}")
        return np.load(Path(folder) / "first.npy"), json.loads(done.stdout.splitlines()[-1])


def bench_indices(runs: int) -> None:
    """Indices of all outputs with their intervals, beside SALib or a plain loop."""
    from green_index.robustness.sobol import sobol_indices

    y = generated_outputs(runs)
    ours, figures = best_of(lambda: sobol_indices(y[0], y[1], y[2:], RESAMPLES, SEED), 3, 10, 2.0)
    print(f"indices, n = {runs:,}: {FACTORS} factors, {OUTPUTS} outputs, {RESAMPLES} resamples: ", end="")
    print(f"{figures.cpu_s:.3f} s CPU, {figures.wall_s:.3f} s wall")
    salib = run_salib(y)
    if salib is None:
        print("SALib: left out, the peers' environment does not have it; a plain numpy loop instead")
        few = [part[..., :TIMED_OUTPUTS] for part in (y[0], y[1], y[2:])]
        theirs, told = best_of(lambda: loop_indices(*few), 2, 2)
        seconds, peer = told.cpu_s, "a plain loop over outputs and factors"
    else:
        (theirs, seconds), peer = salib, "SALib"
    off = float(np.abs(theirs - ours.first_order[:, :TIMED_OUTPUTS]).max())
    if not off <= AGREE:
        raise SystemExit(f"{peer}: indices are off by {off:.1e} (allowed {AGREE:g})")
    scaled = seconds * OUTPUTS / TIMED_OUTPUTS
    print(
        f"{peer}: {seconds:.2f} s CPU for {TIMED_OUTPUTS} outputs, {scaled:.1f} s scaled to {OUTPUTS}; off by {off:.0e}"
    )
    goal = None if salib is None else SALIB_GOAL
    say_ratio(f"indices with intervals are faster than {peer}, n = {runs:,}", scaled / figures.cpu_s, goal)


def main() -> None:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        for runs in (128, 1024):
            show_errors(runs)
        bench_study()
        for runs in SIZES:
            bench_indices(runs)


if __name__ == "__main__":
    if sys.argv[1:2] == ["salib"]:
        serve_salib()
    else:
        main()
