"""Whole runs: the same bytes for any number of threads, and counts against a model of every draw."""

import numpy as np
import polars as pl
import pytest

from fhi.frames import descending_ranks
from fhi.index import build_index
from fhi.recipe import AggregateStep, Recipe, WeighStep
from green_index.errors import UnknownPeriod
from green_index.robustness import study
from green_index.robustness.alternatives import rank_runs, score_runs
from green_index.robustness.bands import KIND
from green_index.robustness.choices import Choices, Revision
from green_index.robustness.draws import ChoiceError, GroupWeight, WeightChoice, draw_weights
from green_index.robustness.study import RobustnessResult, chunk_sizes, count_draws, robustness
from green_index.robustness.tree_draws import plan_matrix
from green_index.robustness.variants import variants

from .conftest import PERIOD, Case, make_case

RECIPE = Recipe(weights=WeighStep(method="given"), aggregate=AggregateStep(min_share=0, min_share_root=0))
ALL = Choices(
    normalisation=("minmax", "rank"),
    aggregation=("arithmetic", "geometric"),
    imputation=("none", "median"),
    left_out=("b1", "c"),
    revision=Revision(0.1, 1),
)


def run(case: Case, choices: Choices, draws: int, threads: int = 1, seed: int = 5) -> RobustnessResult:
    return robustness(case.panel, case.framework, RECIPE, PERIOD, choices, draws, seed, threads)


@pytest.mark.parametrize("draws", [1, 999, 1000, 1001, 4321])
def test_the_same_bytes_for_any_number_of_threads(
    two_levels: Case, monkeypatch: pytest.MonkeyPatch, draws: int
) -> None:
    """Chunks of a thousand draws: one, one to the last draw, one and a draw, several with a rest."""
    monkeypatch.setattr(study, "_CHUNK", 1000)
    monkeypatch.setattr(study, "_DRAWS_A_VARIANT", 1)
    runs = [run(two_levels, ALL, draws, threads).counts for threads in (1, 2, 3)]
    for part in ("places", "wins", "ties"):
        assert len({getattr(counts, part).tobytes() for counts in runs}) == 1
    assert runs[0].places.sum() == 6 * draws
    assert np.array_equal(runs[0].wins + runs[0].wins.T + runs[0].ties, draws * (1 - np.eye(6, dtype=np.int64)))


def test_another_seed_draws_otherwise(two_levels: Case) -> None:
    assert not np.array_equal(run(two_levels, ALL, 500).counts.places, run(two_levels, ALL, 500, seed=6).counts.places)


def test_counts_of_one_chunk_are_those_of_its_draws_one_by_one(two_levels: Case) -> None:
    """The chunk's own generator gives the shares of the variants, then each variant's weights."""
    draws, seed = 700, 11
    made_of = variants(two_levels.panel, two_levels.framework, RECIPE, PERIOD, ALL, seed)
    generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(0, 0))))
    places = np.zeros((6, 6), dtype=np.int64)
    shares = generator.multinomial(draws, [variant.odds for variant in made_of.variants])
    for number, share in enumerate(shares):
        if share:
            weights = draw_weights(ALL.weights, made_of.groups, int(share), generator)
            ranks = rank_runs(score_runs(made_of, np.full(share, number), weights))
            places += (ranks.T[:, :, None] == np.arange(1, 7)).sum(axis=1)
    found = run(two_levels, ALL, draws, seed=seed)
    assert np.array_equal(found.counts.places, places)
    assert found.bands()["kind"].unique().to_list() == [KIND]
    assert found.pairs().height == 6 * 5
    sums = found.acceptability().group_by("hub").agg(pl.col("share").sum())
    assert sums["share"].to_list() == pytest.approx([1.0] * 6)


def test_hubs_alike_tie_in_every_draw(two_levels: Case) -> None:
    """h5 has the figures of h2, so that neither is ever above the other and both take the better rank."""
    found = run(two_levels, Choices(WeightChoice("flat")), 3000)
    hubs = found.made_of.hubs
    one, other = hubs.index("h2"), hubs.index("h5")
    assert np.array_equal(found.counts.places[one], found.counts.places[other])
    assert found.counts.ties[one, other] == 3000
    pair = {(a, b): (share, tied) for a, b, share, tied, _ in found.pairs().rows()}
    assert pair["h2", "h5"] == (0.5, 1.0)


def test_stated_weights_alone_give_the_stated_ranks(two_levels: Case) -> None:
    found = run(two_levels, Choices(WeightChoice("stated")), 50).bands()
    result = build_index(two_levels.panel, two_levels.framework, RECIPE)
    stated = descending_ranks(result.tree.scores["t"][0][None, None])[0, 0]
    assert dict(found.select("hub", "rank_mean").rows()) == dict(zip(result.steps.hubs, stated, strict=True))
    assert found["share_as_stated"].to_list() == [1.0] * 6


@pytest.mark.parametrize("hubs", [20, 90])
def test_a_large_run_is_exact_on_every_draw(hubs: int) -> None:
    """Ranks by 32-bit sums put right are those of 64-bit sums for 20,000 draws over crowded scores."""
    matrix = 50 + np.random.default_rng(hubs).uniform(0, 1, (hubs, 12))
    plan = plan_matrix(matrix)
    group = GroupWeight("total", tuple(f"i{number}" for number in range(12)), np.full(12, 1 / 12))
    choice, draws = WeightChoice("flat"), 9000
    counts = count_draws([plan], [1.0], choice, [group], hubs, draws, 3, pairs=False)
    generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(3, spawn_key=(0, 0))))
    expected = np.zeros((hubs, hubs), dtype=np.int64)
    left, block = draws, 2**17 // hubs
    while left:
        weights = draw_weights(choice, [group], min(block, left), generator)["total"].astype(np.float64)
        ranks = descending_ranks((weights / weights.sum(axis=0)).T[:, None] @ matrix.T)[:, 0]
        np.add.at(expected, (np.arange(hubs), ranks.astype(np.int64) - 1), 1)
        left -= min(block, left)
    assert counts.wins.size == 0
    assert np.array_equal(counts.places, expected)


def test_progress_is_told(two_levels: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "_CHUNK", 400)
    drawn: list[tuple[int, int]] = []
    made: list[tuple[int, int]] = []
    robustness(
        two_levels.panel,
        two_levels.framework,
        RECIPE,
        PERIOD,
        Choices(),
        1000,
        0,
        progress=lambda done, of: drawn.append((done, of)),
        building=lambda done, of: made.append((done, of)),
    )
    assert drawn == [(400, 1000), (800, 1000), (1000, 1000)]
    assert made == [(1, 1)]
    assert chunk_sizes(1000, 1) == [400, 400, 200]


def test_wrong_numbers_are_told_at_once(two_levels: Case) -> None:
    with pytest.raises(ChoiceError) as raised:
        robustness(two_levels.panel, two_levels.framework, RECIPE, PERIOD, Choices(), 0, -1, 0)
    assert [problem.where for problem in raised.value.problems] == ["draws", "seed", "threads"]
    with pytest.raises(UnknownPeriod):
        robustness(two_levels.panel, two_levels.framework, RECIPE, "1999", Choices(), 1, 0)


def test_a_total_of_one_indicator_is_counted_in_every_draw() -> None:
    case = make_case({"t": ("a",), "a": ("a1",)}, {"a": 1, "a1": 1}, {"a1": (1.0, 3.0, None, 2.0)})
    found = run(case, Choices(), 500)
    assert found.made_of.hubs == ("h0", "h1", "h3")
    assert found.counts.places.tolist() == [[0, 0, 500], [500, 0, 0], [0, 500, 0]]
