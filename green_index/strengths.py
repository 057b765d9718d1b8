"""Where a city is strong and where it is weak: its position in every indicator, among all and among its like.

Knows the inputs of an edition and the population and GDP of the hubs. Knows no carbon, no SQL and no HTTP.

Two rules, both after the Global Innovation Index (2023 report, p. 218), with what we changed: among all hubs, a
position in the best or worst tenth (the report takes the ten best of an economy's own some 80 indicators, too many for
some 18); among peers, a score beyond the mean of the group by more than its standard deviation (as there).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from fhi.framework import Framework
from green_index.errors import GreenIndexError
from green_index.obstacles import NotScored, with_node_names
from green_index.standing import check_period

STRENGTH: Final = "strength"
WEAKNESS: Final = "weakness"
TOO_FEW: Final = "too_few_hubs"
MIN_FIELD: Final = 10
"""Fewer hubs with a figure have no tenth to be in. Ours."""
MIN_PEERS: Final = 5
"""Fewer figures in the group of peers have no spread to go by. Ours."""
_SLACK: Final = 1e-9
POSITION_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String(),
        "year": pl.Int64(),
        "level": pl.Int64(),
        **dict.fromkeys(("code", "group", "name_zh", "name_en"), pl.String()),
        "value": pl.Float64(),
        **dict.fromkeys(("unit", "status", "source"), pl.String()),
        **dict.fromkeys(("score", "weight"), pl.Float64()),
        **dict.fromkeys(("rank", "ranked"), pl.Int64()),
        "position": pl.Float64(),
        "verdict": pl.String(),
        **dict.fromkeys(("peer_rank", "peers"), pl.Int64()),
        **dict.fromkeys(("peer_mean", "peer_sd", "peer_distance"), pl.Float64()),
        **dict.fromkeys(("peer_verdict", "rule", "peer_rule", "peer_hubs", "reason"), pl.String()),
    }
)


class InvalidRule(GreenIndexError):
    """A cut or a number of peers that no rule can have."""


@dataclass(frozen=True)
class Rule:
    """What counts as a strength: a position within `cut` of either end of all hubs; and how many nearest hubs are the
    peers."""

    cut: float = 0.1
    nearest: int = 9


def peers_of(sizes: pl.DataFrame, hub: str, period: str, nearest: int) -> list[str]:
    """The hubs most like a hub in size and income, nearest first.

    sizes: hub, period, gdp_100m_cny (10^8 CNY), population_10k (10^4 persons); of the period, those with both figures.
    Near in the plane of ln population and ln GDP per head, each over its standard deviation (n - 1) among the hubs;
    hubs at the same distance by name. Raises NotScored where the hub has no figures of both.
    """
    both = (pl.col("gdp_100m_cny") > 0) & (pl.col("population_10k") > 0)
    here = sizes.filter(pl.col("period") == period, both).sort("hub")
    if hub not in here["hub"]:
        raise NotScored(f"{hub} has no population and GDP of {period}, so that its peers are not known")
    people = here["population_10k"].log()
    axes = np.column_stack([people, here["gdp_100m_cny"].log() - people])
    spread = axes.std(axis=0, ddof=1)
    axes = axes / np.where(spread > 0, spread, 1.0)
    own = axes[here["hub"].to_list().index(hub)]
    apart = here.select("hub", distance=pl.Series(np.hypot(*(axes - own).T).round(10)))
    return apart.filter(pl.col("hub") != hub).sort("distance", "hub").head(nearest)["hub"].to_list()


def position_table(
    inputs: pl.DataFrame,
    framework: Framework,
    sizes: pl.DataFrame,
    hub: str,
    period: str,
    rule: Rule | None = None,
) -> pl.DataFrame:
    """Where a hub stands in each indicator that counts in its total: POSITION_SCHEMA, best position first.

    inputs: of one edition; sizes: as for `peers_of`. `rank` of `ranked` hubs with a figure; `position`: share of the
    other hubs that score less, those that tie counting half (0..1), so that a figure that most hubs share is no
    weakness. `verdict`: strength or weakness within `cut` of either end, null between them. `peers`: hubs of the group
    with a figure, the hub itself among them; `peer_distance` = (score - peer_mean) / peer_sd (n - 1); `peer_verdict`
    beyond 1 or -1. `rule`, `peer_rule`: both in words; `peer_hubs` by comma; `reason` where there are too few hubs for
    the first. Raises UnknownPeriod, NotScored, InvalidRule.
    """
    chosen = rule or Rule()
    if not 0 < chosen.cut < 0.5 or chosen.nearest < MIN_PEERS - 1:
        found = f"cut {chosen.cut:g} and {chosen.nearest} nearest hubs"
        raise InvalidRule(f"found {found}; expected a cut between 0 and 0.5, and {MIN_PEERS - 1} hubs or more")
    check_period(inputs, period)
    here = inputs.filter(pl.col("period") == period, pl.col("normalised").is_not_null())
    own = here.filter(pl.col("hub") == hub, pl.col("weight") > 0)
    if own.is_empty():
        raise NotScored(f"{hub} has no figure that counts in {period}")
    near = peers_of(sizes, hub, period, chosen.nearest)
    rows = (
        own.rename({"normalised": "score"})
        .join(_in_the_field(here, hub), on="code")
        .join(_among_peers(here, hub, near), on="code", how="left")
    )
    rows = rows.with_columns(
        year=pl.lit(int(period)),
        reason=pl.when(pl.col("ranked") < MIN_FIELD).then(pl.lit(TOO_FEW)),
        rule=pl.lit(f"position within {chosen.cut:g} of either end among all hubs with a figure, {MIN_FIELD} at least"),
        peer_rule=pl.lit(
            f"{chosen.nearest} nearest hubs in ln population and ln GDP per head, and the hub itself; "
            "beyond their mean by more than one standard deviation"
        ),
        peer_hubs=pl.lit(",".join(near)),
    ).with_columns(
        # A little slack on the inner side: a position at the cut counts, a distance of 1 does not.
        verdict=pl.when(pl.col("reason").is_null()).then(_verdict(pl.col("position") - 0.5, 0.5 - chosen.cut - _SLACK)),
        peer_verdict=_verdict(pl.col("peer_distance"), 1.0 + _SLACK),
    )
    return (
        with_node_names(rows, framework)
        .select(POSITION_SCHEMA.names())
        .cast(POSITION_SCHEMA)
        .sort(pl.col("position"), pl.col("score"), pl.col("code"), descending=[True, True, False], nulls_last=True)
    )


def _in_the_field(here: pl.DataFrame, hub: str) -> pl.DataFrame:
    """code, rank, ranked and position of a hub among all; no position in a field of one."""
    score = pl.col("normalised").round(10)
    place = (score.rank("average").over("code") - 1) / (pl.len().over("code") - 1)
    return (
        here.select(
            "hub",
            "code",
            rank=score.rank("min", descending=True).over("code"),
            ranked=pl.len().over("code"),
            position=pl.when(pl.len().over("code") > 1).then(place),
        )
        .filter(pl.col("hub") == hub)
        .drop("hub")
    )


def _among_peers(here: pl.DataFrame, hub: str, near: list[str]) -> pl.DataFrame:
    """code, peers, peer_mean, peer_sd, peer_rank and peer_distance of a hub in the group of its peers and itself."""
    score = pl.col("normalised")
    own = score.filter(pl.col("hub") == hub).first()
    tellable = (pl.len() >= MIN_PEERS) & (score.std() > _SLACK)
    group = here.filter(pl.col("hub").is_in([hub, *near])).group_by("code")
    return group.agg(
        peers=pl.len(),
        peer_mean=score.mean(),
        peer_sd=score.std(),
        peer_rank=score.round(10).rank("min", descending=True).filter(pl.col("hub") == hub).first(),
        peer_distance=pl.when(tellable).then((own - score.mean()) / score.std()),
    )


def _verdict(figure: pl.Expr, bound: float) -> pl.Expr:
    return pl.when(figure >= bound).then(pl.lit(STRENGTH)).when(figure <= -bound).then(pl.lit(WEAKNESS))
