"""The pictures by name: which rows each is drawn of, and which of them need a city.

Knows the verbs of the analyses and their usual numbers of draws. Draws and computes nothing itself. Knows no HTTP and
no screen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from api import DEFAULT_YEAR, moves, perception, policy, queries, robustness, sensitivity, standing_analyses, structure
from api import tracking as tracks
from api.lang import Lang
from api.pictures import choices, city, field, ranks
from api.pictures import policy as policy_pictures
from api.pictures.kept import keep
from api.store import Store, current_edition
from fhi.errors import one_of
from fhi.hubs import find_hub
from green_index.errors import GreenIndexError
from green_index.index import RANKING, TRACKING, Base
from green_index.obstacles import LEADER, NotScored

__all__ = [
    "BAND_DRAWS",
    "IMPORTANCE_DRAWS",
    "PICTURES",
    "Picture",
    "SameCity",
    "UnknownPicture",
    "Wanted",
    "WithoutCity",
    "band_rows",
    "draw",
    "importance_rows",
    "tier_rows",
    "track_rows",
    "weight_rows",
]

BAND_DRAWS: Final = 2000
"""Of a picture or page unless others are asked for: few, so that it comes at once."""
IMPORTANCE_DRAWS: Final = 256
SEED: Final = 1
_DUAL: Final = ("fintech", "carbon_finance")


class UnknownPicture(GreenIndexError):
    """No picture has this name."""


class WithoutCity(GreenIndexError):
    """A picture of one city was asked for without naming it."""


class SameCity(GreenIndexError):
    """A city is to be compared with itself."""


@dataclass(frozen=True)
class Wanted:
    """What a picture is asked for.

    hub : slug of a city, drawn or marked; to : slug of another, or the leader, for `gap`; draws : of bands and of
    `importance`, the usual number without it.
    """

    lang: Lang
    hub: str | None = None
    year: int = DEFAULT_YEAR
    base: Base = "open"
    to: str = LEADER
    draws: int | None = None
    seed: int = SEED


@dataclass(frozen=True)
class Picture:
    """One kind of picture. hub : needed, marked (one may be named), or none."""

    make: Callable[[Store, Wanted], str]
    hub: Literal["needed", "marked", "none"]


def draw(store: Store, name: str, wanted: Wanted) -> str:
    """The SVG of this name.

    Raises UnknownPicture, WithoutCity, SameCity, UnknownHub, UnknownPeriod, and the errors of the analysis shown.
    """
    if name not in PICTURES:
        raise UnknownPicture(f"picture: found {name!r}; expected {one_of(PICTURES, name)}")
    picture = PICTURES[name]
    if picture.hub == "needed" and wanted.hub is None:
        raise WithoutCity(f"picture {name}: found no city; expected one, whose picture it is")
    hub = None if wanted.hub is None else find_hub(wanted.hub)
    to = wanted.to if wanted.to == LEADER else find_hub(wanted.to)
    asked = Wanted(wanted.lang, hub, wanted.year, wanted.base, to, wanted.draws, wanted.seed)
    return picture.make(store, asked)


def band_rows(store: Store, year: int, base: Base, draws: int = BAND_DRAWS, seed: int = SEED) -> pl.DataFrame:
    """Rows of `api.robustness.bands` with its usual choices."""
    return robustness.bands(store, year, base, robustness.Asked(), robustness.Run(draws=draws, seed=seed))


def importance_rows(
    store: Store, year: int, base: Base, hub: str | None, draws: int = IMPORTANCE_DRAWS, seed: int = SEED
) -> pl.DataFrame:
    """Rows of `api.sensitivity.sensitivity` for one city, or for the whole ranking, with the choices of `band_rows`."""
    study = sensitivity.Study(draws=draws, seed=seed)
    rows = sensitivity.sensitivity(store, year, base, sensitivity.Asked(), study, hub)
    return rows if hub is not None else rows.filter(pl.col("target") == sensitivity.RANKING_TARGET)


def track_rows(store: Store, hub: str, base: Base, draws: int = BAND_DRAWS, seed: int = SEED) -> pl.DataFrame:
    """Rows of `api.tracking.track` of one city in all years, with bands. Raises NotScored for one never ranked."""
    editions = (current_edition(store, base, RANKING).id, current_edition(store, base, TRACKING).id)
    every = keep(("track", *editions, draws, seed), lambda: tracks.track(store, base, None, None, draws, seed))
    rows = every.filter(pl.col("hub") == hub)
    if rows["rank"].null_count() == rows.height:
        raise NotScored(f"{hub} is ranked in no year")
    return rows


def tier_rows(store: Store, year: int, base: Base) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tables of `api.structure.tiers` by natural breaks of the total."""
    key = ("tiers", current_edition(store, base, RANKING).id, year)
    resamples, seed = structure.RESAMPLES, structure.SEED
    return keep(key, lambda: structure.tiers(store, year, base, "natural_breaks", None, resamples, seed))


def weight_rows(store: Store, hub: str, year: int, base: Base) -> moves.BreakEvenRows:
    """Tables of `api.moves.break_even` for the groups of level 1."""
    key = ("weights", current_edition(store, base, RANKING).id, hub, year)
    return keep(key, lambda: moves.break_even(store, hub, year, base))


def _name(store: Store, hub: str, lang: Lang) -> str:
    return str(queries.hub(store, hub)[f"name_{lang}"][0])


def _rank_bands(store: Store, wanted: Wanted) -> str:
    rows = band_rows(store, wanted.year, wanted.base, wanted.draws or BAND_DRAWS, wanted.seed)
    return ranks.draw_rank_bands(rows, wanted.lang, wanted.hub)


def _rank_years(store: Store, wanted: Wanted) -> str:
    draws = wanted.draws or BAND_DRAWS
    rows = track_rows(store, _hub(wanted), wanted.base, draws, wanted.seed)
    return ranks.draw_rank_years(rows, wanted.lang, draws, wanted.seed)


def _rank_changes(store: Store, wanted: Wanted) -> str:
    return ranks.draw_rank_changes(track_rows(store, _hub(wanted), wanted.base, 0), wanted.lang)


def _rank_weights(store: Store, wanted: Wanted) -> str:
    rows = weight_rows(store, _hub(wanted), wanted.year, wanted.base).intervals
    return ranks.draw_rank_weights(rows, wanted.lang)


def _wheel(store: Store, wanted: Wanted) -> str:
    rows = standing_analyses.coordination(store, wanted.base, year=wanted.year)
    nodes = current_edition(store, wanted.base, TRACKING).framework.node
    first, second = (getattr(nodes[code], f"name_{wanted.lang}") for code in _DUAL)
    return field.draw_wheel(rows, wanted.lang, (first, second), wanted.hub)


def _coordination_years(store: Store, wanted: Wanted) -> str:
    rows = standing_analyses.coordination(store, wanted.base, hub=wanted.hub)
    return city.draw_coordination_years(rows, wanted.lang)


def _obstacles(store: Store, wanted: Wanted) -> str:
    rows = standing_analyses.obstacles(store, _hub(wanted), wanted.base)
    return city.draw_obstacles(rows, wanted.lang, _name(store, _hub(wanted), wanted.lang))


def _gap(store: Store, wanted: Wanted) -> str:
    rows = standing_analyses.gaps(store, _hub(wanted), wanted.base, wanted.year, wanted.to)
    if rows["to_hub"][0] == _hub(wanted):
        raise SameCity(
            f"picture gap: found {wanted.hub} itself, which leads or was named; expected another city as `to`"
        )
    names = (_name(store, _hub(wanted), wanted.lang), _name(store, rows["to_hub"][0], wanted.lang))
    return city.draw_gap(rows, wanted.lang, names)


def _tiers(store: Store, wanted: Wanted) -> str:
    found, _ = tier_rows(store, wanted.year, wanted.base)
    return field.draw_tiers(found, wanted.lang, wanted.hub)


def _inequality(store: Store, wanted: Wanted) -> str:
    root = structure.root_of(store, wanted.base)
    return field.draw_inequality(structure.inequality_by(store, wanted.base, root, "region", None)[0], wanted.lang)


def _importance(store: Store, wanted: Wanted) -> str:
    draws = wanted.draws or IMPORTANCE_DRAWS
    rows = importance_rows(store, wanted.year, wanted.base, wanted.hub, draws, wanted.seed)
    return choices.draw_importance(rows, wanted.lang)


def _perception(_store: Store, wanted: Wanted) -> str:
    rows = perception.printed_study(perception.PRINTED_YEAR).predictions
    return choices.draw_perception(rows, wanted.lang, wanted.hub)


def _scorecard(store: Store, wanted: Wanted) -> str:
    return policy_pictures.draw_scorecard(policy.policy(store, _hub(wanted)), wanted.lang)


def _paths(store: Store, wanted: Wanted) -> str:
    return policy_pictures.draw_paths(policy.policy_paths(store, _hub(wanted)), wanted.lang)


def _hub(wanted: Wanted) -> str:
    assert wanted.hub is not None
    return wanted.hub


PICTURES: Final[Mapping[str, Picture]] = {
    "rank-bands": Picture(_rank_bands, "marked"),
    "rank-years": Picture(_rank_years, "needed"),
    "rank-changes": Picture(_rank_changes, "needed"),
    "rank-weights": Picture(_rank_weights, "needed"),
    "wheel": Picture(_wheel, "marked"),
    "coordination-years": Picture(_coordination_years, "needed"),
    "obstacles": Picture(_obstacles, "needed"),
    "gap": Picture(_gap, "needed"),
    "tiers": Picture(_tiers, "marked"),
    "inequality": Picture(_inequality, "none"),
    "importance": Picture(_importance, "marked"),
    "perception": Picture(_perception, "marked"),
    "scorecard": Picture(_scorecard, "needed"),
    "paths": Picture(_paths, "needed"),
}
