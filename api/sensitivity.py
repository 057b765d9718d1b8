"""The verb about which choice matters most: Sobol indices of a year's choices, for the ranking and for every city.

Knows which figures are asked, the choices that are varied unless others are named, and the words in the rows. Computes
nothing: the rules live in `green_index.robustness.sobol_study`. Knows no HTTP and no screen.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Final

import polars as pl

from api.lang import LANGUAGES, texts
from api.robustness import KIND_ZH, WEIGHTS, Asked, read_choices
from api.store import Store, current_edition, current_panel
from fhi.errors import Problem
from fhi.hubs import find_hub, hubs
from green_index.index import RANKING, Base, green_framework
from green_index.obstacles import NotScored
from green_index.robustness.choices import Choices, axes_of
from green_index.robustness.draws import ChoiceError
from green_index.robustness.sobol_study import FACTORS, RANKING_TARGET, REASONS, sobol_study
from green_index.robustness.variants import Progress
from green_index.standing import check_period

__all__ = ["DRAWS", "LEAST_DRAWS", "RANKING_TARGET", "USUAL", "Asked", "Study", "sensitivity"]

USUAL: Final = (WEIGHTS, "normalisation", "aggregation", "imputation", "treatment")
"""What is varied unless more or less is asked for."""
DRAWS: Final = 1024
LEAST_DRAWS: Final = 16

_COLUMNS: Final = (
    *("target", "name_zh", "name_en", "year", "base", "edition", "choice", "choice_zh", "choice_en", "options"),
    *("between", "first_order", "first_order_low", "first_order_high", "total", "total_low", "total_high", "moved"),
    *("mean", "deviation", "reason", "reason_zh", "reason_en", "draws", "runs", "seed", "kind", "kind_zh"),
)


@dataclass(frozen=True)
class Study:
    """How a study is done: draws of each of the two samples, seed, at most so many variants, and who is told of its
    progress."""

    draws: int = DRAWS
    seed: int = 1
    most_variants: int | None = None
    progress: Progress | None = field(default=None, compare=False)
    building: Progress | None = field(default=None, compare=False)


@dataclass(frozen=True)
class _Question:
    """All that an answer depends on; the figures are those of the edition."""

    edition: str
    base: Base
    year: int
    asked: Asked
    study: Study
    choices: Choices = field(compare=False)
    panel: pl.DataFrame = field(compare=False)


def sensitivity(
    store: Store, year: int, base: Base, asked: Asked, study: Study, hub: str | None = None
) -> pl.DataFrame:
    """One row a target and choice, targets by stated rank, choices by total index: rows of
    `green_index.robustness.sobol_study.IMPORTANCE_SCHEMA` with names, year, base, edition and words in both languages.

    hub : rows of one city alone; the ranking's and all cities' without it. Raises ChoiceError with everything that
    cannot be chosen, UnknownHub, UnknownPeriod, also where the city has no total.
    """
    wanted = None if hub is None else find_hub(hub)
    edition = current_edition(store, base, RANKING)
    check_period(edition.scores, str(year))
    counted = edition.inputs.filter((pl.col("period") == str(year)) & (pl.col("weight") > 0))
    choices = read_choices(asked, counted["code"].unique().sort().to_list())
    _check_size(choices, base, study.most_variants)
    rows = _answer(_Question(edition.id, base, year, asked, study, choices, current_panel(store, base)))
    if wanted is None:
        return rows
    own = rows.filter(pl.col("target") == wanted)
    if own.is_empty():
        raise NotScored(f"{wanted} has no total in {year}, so that no choice moves its rank")
    return own


def _check_size(choices: Choices, base: Base, most: int | None) -> None:
    """Raises ChoiceError for more variants than may be asked for here."""
    sizes = {axis.name: len(axis.options) for axis in axes_of(choices, green_framework(base), RANKING)}
    count = prod(sizes.values())
    if most is not None and count > most:
        found = f"{' x '.join(f'{size} {name}' for name, size in sizes.items() if size > 1)} = {count} combinations"
        raise ChoiceError([Problem("choices", found, f"at most {most}; choose fewer at once", "too_many")])


@lru_cache(maxsize=16)
def _answer(question: _Question) -> pl.DataFrame:
    """Kept, so that a page does not compute again what it shows."""
    study = sobol_study(
        question.panel,
        green_framework(question.base),
        RANKING,
        str(question.year),
        question.choices,
        question.study.draws,
        question.study.seed,
        progress=question.study.progress,
        building=question.study.building,
    )
    names = hubs().select("name_zh", "name_en", target="hub")
    said = {f"name_{lang}": texts("analyses", lang)["sensitivity_target_ranking"] for lang in LANGUAGES}
    named = study.rows().join(names, on="target", how="left", maintain_order="left")
    is_ranking = pl.col("target") == RANKING_TARGET
    seen = {"year": pl.lit(question.year), "base": pl.lit(question.base), "edition": pl.lit(question.edition)}
    return named.with_columns(
        *(pl.when(is_ranking).then(pl.lit(words)).otherwise(name).alias(name) for name, words in said.items()),
        *_words("choice", FACTORS),
        *_words("reason", REASONS),
        **seen,
        kind_zh=pl.lit(KIND_ZH),
    ).select(_COLUMNS)


def _words(name: str, codes: tuple[str, ...]) -> list[pl.Expr]:
    """The words of a column of codes, in a column a language."""
    return [
        pl.col(name)
        .replace_strict({code: texts("analyses", lang)[f"sensitivity_{name}_{code}"] for code in codes}, default=None)
        .alias(f"{name}_{lang}")
        for lang in LANGUAGES
    ]
