"""The verbs about the field of hubs as a whole: tiers, modes, inequality and convergence.

Knows which edition answers which question: a year's own bounds for tiers and modes, pooled bounds over years. Computes
nothing: the rules live in `green_index.{tiers,modes,inequality,convergence}`. Knows no HTTP and no screen.
"""

from collections.abc import Sequence
from typing import Final, Literal, get_args

import polars as pl

from api.lang import Lang
from api.store import Store, current_edition
from fhi.hubs import find_hub
from fhi.hubs import hubs as all_hubs
from green_index.convergence import beta, sigma
from green_index.editions import EditionContent
from green_index.errors import GreenIndexError, UnknownPeriod
from green_index.index import RANKING, TRACKING, Base
from green_index.inequality import group_pairs, inequality
from green_index.modes import hub_modes
from green_index.regions import hub_regions
from green_index.standing import check_period, score_table
from green_index.tiers import TierMethod, tier_table

Grouping = Literal["region", "administrative_rank"]
GROUPINGS: Final[tuple[Grouping, ...]] = get_args(Grouping)
RESAMPLES: Final = 200
MOST_RESAMPLES: Final = 2000
SEED: Final = 1


class UnknownNode(GreenIndexError):
    """No group or indicator with figures has this code."""


def tiers(
    store: Store, year: int, base: Base, method: TierMethod, wanted: int | None, resamples: int, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The hubs of a year by tier, and the tiers: see `green_index.tiers.tier_table`; with names and what they rest on.

    Raises UnknownPeriod and TierError."""
    edition = current_edition(store, base, RANKING)
    table = score_table(edition.scores, edition.framework, str(year)).filter(pl.col("rank").is_not_null())
    level_one = [code for code in table.columns if code in edition.framework.children]
    hubs, summary = tier_table(table.select("hub", "rank", "score", *level_one), method, wanted, resamples, seed)
    seen = {"year": pl.lit(year), "base": pl.lit(base), "edition": pl.lit(edition.id), "method": pl.lit(method)}
    return _named(hubs).with_columns(**seen), summary.with_columns(**seen)


def modes(store: Store, year: int, base: Base, hub: str | None = None) -> pl.DataFrame:
    """What drives each hub, or one: see `green_index.modes.hub_modes`; with names, year, base and edition.

    Raises UnknownHub and UnknownPeriod."""
    edition = current_edition(store, base, RANKING)
    check_period(edition.scores, str(year))
    rows = hub_modes(edition.inputs, str(year))
    if hub is not None:
        rows = rows.filter(pl.col("hub") == find_hub(hub))
    return _named(rows).with_columns(year=pl.lit(year), base=pl.lit(base), edition=pl.lit(edition.id))


def inequality_by(
    store: Store, base: Base, code: str, by: Grouping, years: Sequence[int] | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Theil and Dagum of a node's scores by year, and the Gini ratio of every two groups: see `green_index.inequality`.

    Scores are on bounds pooled over all years. by: the regions of the statistics bureau, or the administrative rank of
    the city. Raises UnknownNode and UnknownPeriod.
    """
    edition = current_edition(store, base, TRACKING)
    figures = _figures(edition, code, years)
    groups = hub_groups(by)
    seen = {"by": pl.lit(by), "base": pl.lit(base), "edition": pl.lit(edition.id)}
    whole, pairs = inequality(figures, groups), group_pairs(figures, groups)
    return (
        whole.with_columns(year=pl.col("period").cast(pl.Int64), **seen).drop("period"),
        pairs.with_columns(year=pl.col("period").cast(pl.Int64), **seen).drop("period"),
    )


def convergence(store: Store, base: Base, code: str, years: Sequence[int] | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Spread by year (sigma) and catching up over the years (beta, absolute and within regions) of a node's scores on
    pooled bounds: see `green_index.convergence`. Raises UnknownNode and UnknownPeriod."""
    edition = current_edition(store, base, TRACKING)
    figures = _figures(edition, code, years)
    seen = {"code": pl.lit(code), "base": pl.lit(base), "edition": pl.lit(edition.id)}
    spread = sigma(figures).with_columns(year=pl.col("period").cast(pl.Int64), **seen).drop("period")
    within = beta(figures, hub_groups("region"))
    return spread, pl.concat([beta(figures), within]).with_columns(**seen)


def hub_groups(by: Grouping) -> pl.DataFrame:
    """The group of every hub: hub, group."""
    if by == "region":
        return hub_regions().select("hub", group="region")
    return all_hubs().select("hub", group="administrative_rank")


def group_names(by: Grouping, lang: Lang) -> dict[str, str]:
    """Words for the groups of a grouping that has any; administrative ranks are shown as they are listed."""
    if by != "region":
        return {}
    return dict(hub_regions().select("region", f"region_{lang}").iter_rows())


def edition_of(store: Store, base: Base) -> str:
    """The id of the edition on pooled bounds, which answers about several years are made of."""
    return current_edition(store, base, TRACKING).id


def root_of(store: Store, base: Base) -> str:
    """The code of the total."""
    return current_edition(store, base, TRACKING).framework.root


def node_name(store: Store, base: Base, code: str, lang: Lang) -> str:
    """The name of a group or indicator in one language."""
    node = current_edition(store, base, TRACKING).framework.node[code]
    return node.name_zh if lang == "zh" else node.name_en


def _figures(edition: EditionContent, code: str, years: Sequence[int] | None) -> pl.DataFrame:
    """Scores of one node: hub, period, code, value; of a group from the scores, of an indicator from the inputs."""
    groups = edition.scores.filter(pl.col("code") == code).select("hub", "period", "code", value="score")
    own = edition.inputs.filter(pl.col("code") == code).select("hub", "period", "code", value="normalised")
    rows = groups if groups.height else own
    if rows["value"].null_count() == rows.height:
        known = sorted({*edition.scores["code"], *edition.inputs.drop_nulls("normalised")["code"]})
        raise UnknownNode(f"no scores of {code!r}; known: {', '.join(known)}")
    if years is None:
        return rows
    wanted = [str(year) for year in years]
    here = rows.filter(pl.col("period").is_in(wanted))
    if here.is_empty():
        periods = rows["period"].unique().sort()
        raise UnknownPeriod(f"no figures for {wanted[0]} to {wanted[-1]}; known: {periods[0]} to {periods[-1]}")
    return here


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    names = all_hubs().select("hub", "name_zh", "name_en")
    return rows.join(names, on="hub", how="left", maintain_order="left").select(
        "hub", "name_zh", "name_en", pl.exclude("hub", "name_zh", "name_en")
    )
