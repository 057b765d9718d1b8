"""The verbs about how far a ranking hangs on choices: bands of rank, acceptability, pairs, and the choices themselves.

Knows which figures are asked, the usual options of each choice, and the names in the rows. Computes nothing: the rules
live in `green_index.robustness`. Knows no HTTP and no screen.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final, get_args

import polars as pl

from api import queries
from api.store import Store, current_edition, current_panel
from fhi.errors import Problem, one_of
from fhi.hubs import find_hub, hubs
from fhi.recipe import AggregateMethod, ImputeMethod, NormaliseMethod, TreatMethod
from green_index.index import RANKING, Base, green_framework
from green_index.robustness.bands import KIND
from green_index.robustness.choices import AXES, Choices, Revision
from green_index.robustness.draws import KINDS, ChoiceError, WeightChoice
from green_index.robustness.study import RobustnessResult, robustness
from green_index.robustness.variants import Progress
from green_index.standing import check_period

WEIGHTS: Final = "weights"
CHOICES: Final = (WEIGHTS, *AXES)
USUAL: Final = (WEIGHTS, "normalisation", "aggregation")
"""What is varied unless more or less is asked for."""

RELATIVE_ERROR: Final = 0.05
PANELS: Final = 5
MOST_OVER_HTTP: Final = 300
"""Variants of one answer over HTTP; each is a whole index of its own."""
KIND_ZH: Final = "对选择的敏感性，不是置信区间"

# Options of an axis unless others are named. Ours, and said so in every answer.
_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "normalisation": ("minmax", "zscore", "rank"),
    "aggregation": ("arithmetic", "geometric"),
    "imputation": ("none", "median", "knn"),
    "treatment": ("none", "winsorise"),
}
_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "normalisation": get_args(NormaliseMethod),
    "aggregation": get_args(AggregateMethod),
    "imputation": get_args(ImputeMethod),
    "treatment": get_args(TreatMethod),
}
_MOST_KEPT: Final = 16


@dataclass(frozen=True)
class Asked:
    """What of a run is varied, as text.

    choices : names of CHOICES by comma; options : other options of an axis than the usual ones, as
    `normalisation=minmax,zscore`; weights, spread : how weights are drawn, see `WeightChoice`; error : relative error
    of the figures in the choice `revision`
    """

    choices: str = ",".join(USUAL)
    options: tuple[str, ...] = ()
    weights: str = "dirichlet"
    spread: float = 0.25
    error: float = RELATIVE_ERROR


@dataclass(frozen=True)
class _Answer:
    """A run with the edition that it is about, and its choices in words."""

    result: RobustnessResult
    edition: str
    words: str


_Key = tuple[str, int, Asked, int, int]
_kept: OrderedDict[_Key, _Answer] = OrderedDict()
_keeping: Final = Lock()


@dataclass(frozen=True)
class Run:
    """How a run is done: number of draws, seed, threads, at most so many variants, and who is told of its progress."""

    draws: int = 10_000
    seed: int = 1
    threads: int = 1
    most_variants: int | None = None
    progress: Progress | None = None
    building: Progress | None = None


def bands(store: Store, year: int, base: Base, asked: Asked, run: Run) -> pl.DataFrame:
    """One row a city, by stated rank, those not ranked last with the reason: rank, mean, median, 5 % and 95 % of its
    ranks over the draws, best and worst, shares of draws in which it is first, among five, and where it is stated.
    """
    answer = study(store, year, base, asked, run)
    stated = queries.scores(store, year, base).drop("edition")
    rows = stated.join(answer.result.bands().drop("rank", "kind", "seed"), on="hub", how="left", maintain_order="left")
    return _told(rows, answer, year, base, run).select(
        *("hub", "name_zh", "name_en", "year", "base", "edition", "rank", "ranked", "rank_mean", "rank_median"),
        *("rank_p05", "rank_p95", "rank_min", "rank_max", "share_first", "share_top5", "share_as_stated"),
        *("coverage", "reason", "reason_zh", "draws", "seed", "choices", "kind", "kind_zh"),
    )


def acceptability(store: Store, year: int, base: Base, asked: Asked, run: Run, name: str | None = None) -> pl.DataFrame:
    """One row a city and rank that it took: the share of draws in which it did. Of one city, or of all."""
    answer = study(store, year, base, asked, run)
    rows = _of_hub(answer.result.acceptability().drop("kind"), name)
    named = rows.join(_names("hub", "name"), on="hub", how="left", maintain_order="left")
    return _told(named, answer, year, base, run).select(
        *("hub", "name_zh", "name_en", "year", "base", "edition", "rank", "share"),
        *("draws", "seed", "choices", "kind", "kind_zh"),
    )


def pairwise(store: Store, year: int, base: Base, asked: Asked, run: Run, name: str | None = None) -> pl.DataFrame:
    """One row an ordered pair of cities: the share of draws in which the first is above the other, ties counting half,
    and in which they tie. Of one city against all others, or of all.
    """
    answer = study(store, year, base, asked, run)
    rows = _of_hub(answer.result.pairs().drop("kind"), name)
    named = rows.join(_names("hub", "name"), on="hub", how="left", maintain_order="left")
    both = named.join(_names("other", "other"), on="other", how="left", maintain_order="left")
    return _told(both, answer, year, base, run).select(
        *("hub", "name_zh", "name_en", "other", "other_zh", "other_en", "year", "base", "edition"),
        *("share", "share_tied", "draws", "seed", "choices", "kind", "kind_zh"),
    )


def variants(store: Store, year: int, base: Base, asked: Asked, run: Run) -> pl.DataFrame:
    """One row a combination of choices: its options, odds, scale, and how far it alone moves the ranking."""
    answer = study(store, year, base, asked, run)
    table = answer.result.made_of.table.with_columns(pl.lit(year).alias("year"), pl.lit(base).alias("base"))
    return table.with_columns(pl.lit(answer.edition).alias("edition"))


def study(store: Store, year: int, base: Base, asked: Asked, run: Run) -> _Answer:
    """The run that is asked for, kept by the edition and all that it was asked with.

    Raises ChoiceError with everything that cannot be chosen, UnknownPeriod for a year without figures.
    """
    edition = current_edition(store, base, RANKING)
    check_period(edition.scores, str(year))
    key = (edition.id, year, asked, run.draws, run.seed)
    with _keeping:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    counted = edition.inputs.filter((pl.col("period") == str(year)) & (pl.col("weight") > 0))
    choices = read_choices(asked, counted["code"].unique().sort().to_list())
    _check_size(choices, run.most_variants)
    result = robustness(
        current_panel(store, base),
        green_framework(base),
        RANKING,
        str(year),
        choices,
        run.draws,
        run.seed,
        run.threads,
        progress=run.progress,
        building=run.building,
    )
    answer = _Answer(result, edition.id, _in_words(result))
    with _keeping:
        _kept[key] = answer
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return answer


def forget() -> None:
    """Drop every kept run, so that the next question is drawn anew."""
    with _keeping:
        _kept.clear()


def read_choices(asked: Asked, indicators: list[str]) -> Choices:
    """The choices that a text means. indicators : codes that `left_out` leaves out unless others are named.

    Raises ChoiceError with every name that is unknown.
    """
    wanted = [name.strip() for name in asked.choices.split(",") if name.strip()]
    problems = [
        Problem("choices", name, one_of(CHOICES, name), "unknown_name") for name in wanted if name not in CHOICES
    ]
    options = {"left_out": tuple(indicators), **_OPTIONS}
    for text in asked.options:
        axis, _, listed = (part.strip() for part in text.partition("="))
        named = tuple(option.strip() for option in listed.split(",") if option.strip())
        if axis not in options or not named:
            expected = f"AXIS=OPTION,OPTION with AXIS one of {', '.join(options)}"
            problems.append(Problem("options", repr(text), expected, "wrong_value"))
            continue
        known = _METHODS.get(axis, named)
        problems += [
            Problem(f"options {axis}", name, one_of(known, name), "unknown_name") for name in named if name not in known
        ]
        options[axis] = named
        wanted = [*wanted, axis] if axis not in wanted else wanted
    if asked.weights not in KINDS:
        problems.append(Problem("weights", asked.weights, one_of(KINDS, asked.weights), "unknown_name"))
    if problems:
        raise ChoiceError(problems)
    revised = "revision" in wanted
    kind = next(kind for kind in KINDS if kind == (asked.weights if WEIGHTS in wanted else "stated"))
    chosen = {axis: options[axis] for axis in options if axis in wanted}
    revision = Revision(asked.error, PANELS) if revised else Revision()
    return Choices(weights=WeightChoice(kind, asked.spread), revision=revision, **chosen)  # type: ignore[arg-type]


def _check_size(choices: Choices, most: int | None) -> None:
    """Raises ChoiceError for more variants than may be asked for here."""
    sizes = {name: max(len(getattr(choices, name)), 1) for name in AXES[:4]}
    sizes |= {"left_out": len(choices.left_out) + 1, "revision": choices.revision.panels + 1}
    count = 1
    for size in sizes.values():
        count *= size
    if most is not None and count > most:
        found = f"{' x '.join(f'{size} {name}' for name, size in sizes.items() if size > 1)} = {count} combinations"
        raise ChoiceError([Problem("choices", found, f"at most {most}; choose fewer at once", "too_many")])


def _in_words(result: RobustnessResult) -> str:
    """The choices that were varied, for every row: what an answer rests on."""
    weights = result.choices.weights
    spread = f" {weights.spread:g}" if weights.kind in ("dirichlet", "uniform") else ""
    varied = [f"weights {weights.kind}{spread}"] if weights.kind != "stated" else []
    varied += [f"{axis.name} {'/'.join(axis.options)}" for axis in result.made_of.axes if len(axis.options) > 1]
    error = result.choices.revision.relative_error
    return "; ".join(varied + ([f"error {error:g}"] if error else [])) or "none"


def _told(rows: pl.DataFrame, answer: _Answer, year: int, base: Base, run: Run) -> pl.DataFrame:
    """The rows with all that they rest on. `draws` of a city are those in which it was ranked."""
    draws = pl.col("draws").fill_null(0) if "draws" in rows.columns else pl.lit(run.draws)
    return rows.with_columns(
        pl.lit(year).alias("year"),
        pl.lit(base).alias("base"),
        pl.lit(answer.edition).alias("edition"),
        draws.alias("draws"),
        pl.lit(run.seed).alias("seed"),
        pl.lit(answer.words).alias("choices"),
        pl.lit(KIND).alias("kind"),
        pl.lit(KIND_ZH).alias("kind_zh"),
    )


def _names(key: str, prefix: str) -> pl.DataFrame:
    return hubs().select(
        pl.col("hub").alias(key), pl.col("name_zh").alias(f"{prefix}_zh"), pl.col("name_en").alias(f"{prefix}_en")
    )


def _of_hub(rows: pl.DataFrame, name: str | None) -> pl.DataFrame:
    return rows if name is None else rows.filter(pl.col("hub") == find_hub(name))
