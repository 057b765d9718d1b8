"""The verb about perception: what respondents or a printed index would say of a city, learnt from figures.

Knows which figures and which target are asked, and the words of codes. Computes nothing: the rules live in
`green_index.perception`. Knows no HTTP and no screen.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, get_args

import polars as pl

from api.lang import LANGUAGES, Lang, texts
from api.store import Store, current_edition
from fhi.hubs import hubs
from fhi.published import FHI_2017, PRINTED_PERIOD, printed_totals
from green_index.index import RANKING
from green_index.perception.factors import FACTOR_NAMES, Factors, indicator_factors, measure_factors, own_factors
from green_index.perception.files import read_factors, read_ratings
from green_index.perception.perceive import Perception, Settings, perceive, perceive_ratings
from green_index.regions import hub_regions

Target = Literal["fhi2017", "ratings"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)
MEASURES: Final = "measures"
INDICATORS: Final = "indicators"
PRINTED_YEAR: Final = int(PRINTED_PERIOD)
MOST_NAMED: Final = 3
DECIMALS: Final = 4
"""Digits kept: the regression is solved to a tolerance, so that more would differ from machine to machine."""
Tick = Callable[[], None]


@dataclass(frozen=True)
class Question:
    """What is asked: the year of the figures; the ratings file, or none for the printed FHI 2017 totals; `factors`:
    `measures`, `indicators`, or a file; and how."""

    year: int = PRINTED_YEAR
    ratings: Path | None = None
    factors: str = MEASURES
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class Study:
    """The three tables of one study, with names and words in both languages."""

    predictions: pl.DataFrame
    errors: pl.DataFrame
    importances: pl.DataFrame


def study(store: Store, question: Question, tick: Tick | None = None) -> Study:
    """Predictions, errors and importances: see `green_index.perception.perceive`.

    predictions: hub, name_zh, name_en, year, target, factors, then PREDICTION_SCHEMA with the names of the nearest
    hub, and remark_zh and remark_en, which say why there is no prediction or why not to trust it; errors: year, target,
    factors, then ERROR_SCHEMA with group_zh and group_en; importances: factor with name_zh, name_en and unit, year,
    target, then IMPORTANCE_SCHEMA with the names of the nearest factor. Raises UnknownPeriod and PerceptionError.
    """
    factors = _factors(store, question)
    regions = hub_regions().select("hub", "region")
    if question.ratings is None:
        totals = printed_totals().select("hub", actual="total")
        found = perceive(factors.table, totals, regions, question.settings, tick)
    else:
        ratings = read_ratings(question.ratings)
        found = perceive_ratings(factors.table, ratings, regions, question.settings, tick)
    return _named(found, factors.names, question)


@lru_cache(maxsize=16)
def printed_study(year: int, *, beyond_range: bool = False) -> Study:
    """The study of the printed totals on the open measures of one year, which rests on embedded figures alone; kept,
    for it takes seconds. Raises UnknownPeriod."""
    factors = measure_factors(year)
    totals = printed_totals().select("hub", actual="total")
    question = Question(year, settings=Settings(beyond_range=beyond_range))
    found = perceive(factors.table, totals, hub_regions().select("hub", "region"), question.settings)
    return _named(found, factors.names, question)


def target_name(question: Question) -> str:
    """What is predicted: the printed index, or the file of ratings."""
    return FHI_2017 if question.ratings is None else question.ratings.name


def last_printed() -> float:
    """The least total that the 2017 report prints; cities that it does not print stand below it."""
    return float(printed_totals().select(pl.col("total").min()).item())


def _factors(store: Store, question: Question) -> Factors:
    if question.factors == MEASURES:
        return measure_factors(question.year)
    if question.factors == INDICATORS:
        edition = current_edition(store, "open", RANKING)
        return indicator_factors(edition.inputs, edition.framework, question.year)
    return own_factors(read_factors(Path(question.factors)))


def _named(found: Perception, names: pl.DataFrame, question: Question) -> Study:
    asked = {
        "year": pl.lit(question.year, pl.Int64),
        "target": pl.lit(target_name(question)),
        "factors": pl.lit(
            question.factors if question.factors in (MEASURES, INDICATORS) else Path(question.factors).name
        ),
    }
    return Study(
        predictions=_rounded(_predictions(found.predictions, names, asked)),
        errors=_rounded(_errors(found.errors, asked)),
        importances=_rounded(_importances(found.importances, names, asked)),
    )


def _rounded(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col(pl.Float64).round(DECIMALS))


def _predictions(rows: pl.DataFrame, names: pl.DataFrame, asked: dict[str, pl.Expr]) -> pl.DataFrame:
    """Known cities first, as they were rated; then the predicted ones, the best first; then the others."""
    cities = hubs().select("hub", "name_zh", "name_en")
    nearest = cities.select(nearest_hub="hub", nearest_zh="name_zh", nearest_en="name_en")
    first = ["hub", "name_zh", "name_en"]
    return (
        rows.join(cities, on="hub", how="left", maintain_order="left")
        .join(nearest, on="nearest_hub", how="left", maintain_order="left")
        .with_columns(**asked, **{f"remark_{lang}": _why(rows, names, lang) for lang in LANGUAGES})
        .sort("known", "actual", "predicted", "hub", descending=[True, True, True, False], nulls_last=True)
        .select(*first, *asked, pl.exclude(*first, *asked))
    )


def _why(rows: pl.DataFrame, names: pl.DataFrame, lang: Lang) -> pl.Series:
    """Why a city is not predicted, or is unlike those that were learnt from; null where nothing is to be said."""
    said = texts("analyses", lang)
    name_of = dict(names.select("factor", f"name_{lang}").iter_rows())

    def listed(items: list[str]) -> str:
        more = said["perception_more"].format(count=len(items) - MOST_NAMED) if len(items) > MOST_NAMED else ""
        return said["perception_comma"].join(items[:MOST_NAMED]) + more

    def sentence(row: dict[str, object]) -> str | None:
        missing, outside = row["missing"], row["outside"]
        if isinstance(missing, list) and missing:
            return said["perception_missing"].format(factors=listed([name_of[name] for name in missing]))
        if isinstance(outside, list) and outside:
            parts = [entry.rsplit(" ", 1) for entry in outside]
            return said["perception_outside"].format(
                factors=listed([said[f"perception_{side}"].format(factor=name_of[name]) for name, side in parts])
            )
        return said["perception_far"] if row["in_range"] is False else None

    return pl.Series([sentence(row) for row in rows.iter_rows(named=True)], dtype=pl.String)


def _errors(rows: pl.DataFrame, asked: dict[str, pl.Expr]) -> pl.DataFrame:
    regions = hub_regions().unique("region").select("region", "region_zh", "region_en").rows()
    cities = hubs().select("hub", "name_zh", "name_en").rows()
    group = pl.col("group")
    named = {
        f"group_{lang}": group.replace_strict({row[0]: row[place] for row in (*regions, *cities)}, default=group)
        for place, lang in ((1, "zh"), (2, "en"))
    }
    worded = {
        f"kind_{lang}": pl.col("kind").replace_strict(
            {kind: texts("analyses", lang)[f"perception_{kind}"] for kind in rows["kind"].unique()},
            return_dtype=pl.String,
        )
        for lang in LANGUAGES
    }
    table = rows.with_columns(**asked, **named, **worded)
    return table.select(*asked, "kind", *worded, "group", *named, pl.exclude(*asked, "kind", *worded, "group", *named))


def _importances(rows: pl.DataFrame, names: pl.DataFrame, asked: dict[str, pl.Expr]) -> pl.DataFrame:
    nearest = names.select(nearest_factor="factor", nearest_zh="name_zh", nearest_en="name_en")
    return (
        rows.join(names, on="factor", how="left", maintain_order="left")
        .join(nearest, on="nearest_factor", how="left", maintain_order="left")
        .with_columns(**asked)
        .select(*FACTOR_NAMES.names(), *asked, pl.exclude(*FACTOR_NAMES.names(), *asked))
    )
