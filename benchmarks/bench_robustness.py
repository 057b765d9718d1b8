"""Ranks over random weights: ours beside a plain loop, polars, a blocked argsort, and the matrix product alone.

Work: Dirichlet(1) weights over a random matrix of 37 x 55 or 1,000 x 100, a score and a rank of every unit for every
draw, and how often each unit takes each place. All ways run here and now, each size in a process of its own so that the
peak of memory is its own; ours on two threads and on one, numpy's way with as many threads as its matrix product takes.
The plain loop (scipy's rankdata) and polars, and at 1,000 x 100 argsort, run on fewer draws, and their time is scaled:
so said at each. Then the parts of ours by themselves on one thread, since drawing, product, sorting and counting cost
about the same and no single one is the bound. All counts must agree within five standard errors, for each way draws by
itself. Two threads help only where the machine has a second processor to spare.

Sizes are arguments (37x55 1000x100 by default), then numbers of draws (10000 100000 1000000).
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from measuring import Array, Figures, measure_apart
from robustness_peers import Counts, blocked_argsort, by_polars, drawing_alone, plain_loop, product_alone

SEED = 20220301
MOST_LOOP = {"37x55": 10_000, "1000x100": 1_000}
MOST_POLARS = {"37x55": 100_000, "1000x100": 2_000}
MOST_ARGSORT = {"1000x100": 100_000}
ONCE_FROM = 5 * 10**8
"""Ranks from which on a way runs once, for the benchmark's own time."""
GOAL_LOOP, GOAL_ARGSORT, MOST_PRODUCT, MOST_MB = 100, 2, 10, 300
GOALS_FOR = ("37x55", (100_000, 1_000_000))


def make_matrix(size: str) -> Array:
    units, indicators = (int(number) for number in size.split("x"))
    return np.random.default_rng(SEED).uniform(0, 100, (units, indicators))


def ours(threads: int, given: tuple[str, int]) -> Counts:
    """The product's own way."""
    from green_index.robustness.draws import GroupWeight, WeightChoice
    from green_index.robustness.study import count_draws
    from green_index.robustness.tree_draws import plan_matrix

    size, draws = given
    matrix = make_matrix(size)
    units, indicators = matrix.shape
    names = tuple(f"i{number}" for number in range(indicators))
    groups = [GroupWeight("total", names, np.full(indicators, 1 / indicators))]
    plan = plan_matrix(matrix)
    return count_draws([plan], [1.0], WeightChoice("flat"), groups, units, draws, SEED, threads, pairs=False).places


def theirs(way: Callable[[Array, int, int], Counts], given: tuple[str, int]) -> Counts:
    size, draws = given
    return way(make_matrix(size), draws, SEED + 1)


def product_of_one_thread(given: tuple[str, int]) -> Counts:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return theirs(product_alone, given)


def product_of_two_halves(given: tuple[str, int]) -> Counts:
    """The same on two threads: half of the draws each."""
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import threadpool_limits

    size, draws = given
    with threadpool_limits(1), ThreadPoolExecutor(2) as pool:
        return next(iter(pool.map(partial(theirs, product_alone), [(size, draws // 2)] * 2)))


def parts(given: tuple[str, int]) -> dict[str, float]:
    """CPU seconds of the parts of ours on one thread."""
    from threadpoolctl import threadpool_limits

    from green_index.robustness.draws import GroupWeight, WeightChoice, draw_weights
    from green_index.robustness.ranks import count_places, order_draws, places_taken
    from green_index.robustness.study import block_sizes, scale_of_plan
    from green_index.robustness.tree_draws import plan_matrix, score_draws, score_points

    size, draws = given
    matrix = make_matrix(size)
    units, indicators = matrix.shape
    names = tuple(f"i{number}" for number in range(indicators))
    groups = [GroupWeight("total", names, np.full(indicators, 1 / indicators))]
    plan, choice = plan_matrix(matrix), WeightChoice("flat")
    scale = scale_of_plan(plan)
    generator = np.random.Generator(np.random.SFC64(SEED))
    spent = dict.fromkeys(("drawing", "scoring", "ranking", "counting"), 0.0)
    waiting: list[Counts] = []
    with threadpool_limits(1):
        for block in block_sizes(draws, units):
            marks = [time.thread_time()]
            weights = draw_weights(choice, groups, block, generator)
            marks.append(time.thread_time())
            scores = score_draws(plan, weights)
            marks.append(time.thread_time())
            order = order_draws(scores, scale, partial(score_points, plan, weights))
            marks.append(time.thread_time())
            waiting.append(places_taken(order, units))
            if sum(map(len, waiting)) >= 2 * units * units:
                count_places(np.concatenate(waiting), units)
                waiting.clear()
            marks.append(time.thread_time())
            for name, begin, end in zip(spent, marks[:-1], marks[1:], strict=True):
                spent[name] += end - begin
    return spent


def check(mine: Counts, other: Counts, way: str) -> None:
    """Stops where mean ranks differ by more than five standard errors."""
    places = np.arange(1, len(mine) + 1)
    mean, second = ((counts @ places**power) / counts.sum(axis=1) for counts in (mine,) for power in (1, 2))
    found = other @ places / other.sum(axis=1)
    error = np.sqrt((second - mean**2) * (1 / mine.sum(axis=1) + 1 / other.sum(axis=1)))
    off = np.abs(found - mean) / np.maximum(error, 1e-9)
    if off.max() > 5:
        raise SystemExit(f"{way}: a mean rank is off by {off.max():.1f} standard errors")


def tell(name: str, told: Figures, note: str = "") -> None:
    print(f"{name}: {told.wall_s:.3f} s wall, {told.cpu_s:.3f} s CPU, peak {told.peak_mb:.0f} MB{note}", flush=True)


def say(what: str, ratio: float, goal: float | None = None, *, most: bool = False) -> None:
    reached = goal is not None and (ratio <= goal if most else ratio >= goal)
    told = (
        ""
        if goal is None
        else f" (goal {'at most' if most else 'at least'} {goal:g}: {'met' if reached else 'missed'})"
    )
    print(f"ratio: {what}: {ratio:.1f} times{told}", flush=True)


def bench(size: str, draws: int) -> None:
    """Every way at one size."""
    print(f"-- {size}, {draws:,} draws, seed {SEED}, {os.cpu_count()} processors")
    runs = 1 if draws * len(make_matrix(size)) >= ONCE_FROM else 3
    counts, two = measure_apart(partial(ours, 2), (size, draws), runs)
    again, one = measure_apart(partial(ours, 1), (size, draws), runs)
    if not np.array_equal(counts, again):
        raise SystemExit("one thread and two gave other counts")
    tell("ours, 2 threads", two)
    tell("ours, 1 thread, the same bytes", one)
    goals = size == GOALS_FOR[0] and draws in GOALS_FOR[1]
    for name, way, most, goal in (
        ("plain loop", plain_loop, MOST_LOOP.get(size, 1000), GOAL_LOOP),
        ("polars rank over", by_polars, MOST_POLARS.get(size, 1000), None),
        ("blocked argsort", blocked_argsort, MOST_ARGSORT.get(size, draws), GOAL_ARGSORT),
    ):
        done = min(draws, most)
        answer, told = measure_apart(partial(theirs, way), (size, done), 1 if way is plain_loop else 2)
        check(counts, answer, name)
        scale = draws / done
        note = f"; {done:,} draws, time scaled by {scale:g} below" if scale > 1 else ""
        tell(name, told, note)
        say(f"faster than {name}", told.wall_s * scale / two.wall_s, goal if goals else None)
        say(f"less CPU than {name}", told.cpu_s * scale / two.cpu_s)
    _, product = measure_apart(product_of_one_thread, (size, draws), 3)
    _, halves = measure_apart(product_of_two_halves, (size, draws), 3)
    tell("matrix product alone, 1 thread", product)
    tell("matrix product alone, 2 threads", halves)
    say(
        "ours on one thread as multiple of the product",
        one.cpu_s / product.cpu_s,
        MOST_PRODUCT if goals else None,
        most=True,
    )
    say("ours on two threads as multiple of the product", two.wall_s / halves.wall_s)
    _, drawing = measure_apart(partial(theirs, drawing_alone), (size, draws), 2)
    tell("drawing alone, numpy's 64-bit exponentials", drawing)
    spent, _ = measure_apart(parts, (size, draws), 1)
    told_parts = ", ".join(f"{name} {seconds:.3f}" for name, seconds in spent.items())
    print(f"parts of ours, CPU s: {told_parts}; sum {sum(spent.values()):.3f}")
    say("ours on one thread as multiple of its parts", one.cpu_s / sum(spent.values()))
    met = "met" if two.peak_mb <= MOST_MB else "missed"
    print(f"ratio: peak memory of ours: {two.peak_mb:.0f} MB (goal at most {MOST_MB}: {met})", flush=True)


def main() -> None:
    sizes = [word for word in sys.argv[1:] if "x" in word] or ["37x55", "1000x100"]
    numbers = [int(word) for word in sys.argv[1:] if "x" not in word] or [10_000, 100_000, 1_000_000]
    for size in sizes:
        for draws in numbers:
            bench(size, draws)


if __name__ == "__main__":
    main()
