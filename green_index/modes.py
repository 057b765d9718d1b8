"""Modes of hubs: what drives a hub, by a rule that a reader can follow, with the margin by which it decides.

Knows the printed modes and a table that says which indicators speak for which side. Both sides and the rule are ours:
the sources name modes and examples and no rule. Knows no weights and no total.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

from fhi.errors import UnknownHub
from fhi.hubs import find_hub
from green_index.printed import printed_table

AIF: Final = "AIF 2019"
LI_WEI: Final = "Li Wei 2020"
HALF: Final = 50.0
"""Position from which a side counts as strong: better than half of the hubs."""
RULE_EN: Final = (
    "position = mean over the side's indicators of the share of other hubs that score lower (ties count half), "
    "0 to 100. AIF 2019: finance and technology both at 50 or more; the greater comes first. "
    "Li Wei 2020: the greatest side, if it is at 50 or more."
)
RULE_ZH: Final = (
    "位置＝该侧各指标中得分低于该市的城市占比（并列计半）的均值，0至100。AIF 2019：金融与科技均不低于50，大者在前；"
    "Li Wei 2020：取最大的一侧，且不低于50。"
)
SIDES: Final = ("finance", "technology", "ecosystem", "regulation")
MODE_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(("hub", "scheme", "mode_zh", "mode_en"), pl.String()),
        **dict.fromkeys(SIDES, pl.Float64()),
        "margin": pl.Float64(),
        "decided_by_zh": pl.String(),
        "decided_by_en": pl.String(),
        "unknown_sides": pl.String(),
        "coverage": pl.Float64(),
        "printed_mode_zh": pl.String(),
        "printed_mode_en": pl.String(),
        "agrees": pl.Boolean(),
        "assumed": pl.Boolean(),
    }
)
_MODE_OF_SIDE: Final = {side: f"{side} driven" for side in SIDES}


@cache
def mode_rules() -> pl.DataFrame:
    """Which indicators speak for which side of which scheme, and why: scheme, side, code, reason_en, reason_zh."""
    return pl.read_csv(files("green_index").joinpath("data", "hub_mode_rules.csv").read_bytes())


def side_positions(inputs: pl.DataFrame, period: str) -> pl.DataFrame:
    """Where each hub stands on each side: hub, scheme, side, position (0 to 100, null without any indicator), known and
    listed indicators.

    inputs: hub, period, code, normalised (higher is better). An indicator that one hub alone has says nothing of a
    position and is left out.
    """
    here = inputs.filter(pl.col("period") == period).drop_nulls("normalised").select("hub", "code", "normalised")
    others = pl.len().over("code") - 1
    lower = (pl.col("normalised").rank("average").over("code") - 1) / others
    placed = here.filter(pl.len().over("code") > 1).select("hub", "code", position=100 * lower)
    hubs = here.select("hub").unique()
    rules = mode_rules().select("scheme", "side", "code")
    return (
        hubs.join(rules, how="cross")
        .join(placed, on=["hub", "code"], how="left")
        .group_by("hub", "scheme", "side")
        .agg(
            position=pl.col("position").mean(),
            known=pl.col("position").is_not_null().sum().cast(pl.Int64),
            listed=pl.len().cast(pl.Int64),
        )
        .sort("hub", "scheme", "side")
    )


def hub_modes(inputs: pl.DataFrame, period: str) -> pl.DataFrame:
    """The mode of every hub in one period by both schemes: MODE_SCHEMA.

    inputs: as for `side_positions`. The rule is RULE_EN. A hub that meets no rule has a null mode. margin: by how many
    points of position the nearest of the rule's comparisons is met (or missed, where the mode is null), named in
    `decided_by_en`, such as `technology > finance` or `finance >= 50`: that is what would flip it. A side without any
    figure is unknown, takes part in no comparison and is named. coverage: share of the scheme's indicators with a
    figure. agrees: whether a printed example of the sources comes out as printed; null for hubs that they do not name.
    """
    positions = side_positions(inputs, period)
    wide = positions.pivot("side", index=["hub", "scheme"], values="position").sort("hub", "scheme")
    covered = positions.group_by("hub", "scheme").agg(coverage=pl.col("known").sum() / pl.col("listed").sum())
    listed = {scheme: set(rows["side"]) for (scheme,), rows in mode_rules().group_by("scheme")}
    rows = []
    for row in wide.iter_rows(named=True):
        sides = {side: row.get(side) for side in SIDES if side in listed[row["scheme"]]}
        known = {side: position for side, position in sides.items() if position is not None}
        mode, margin, why = _aif(known) if row["scheme"] == AIF else _greatest(known)
        unknown = "; ".join(side for side in sides if side not in known) or None
        rows.append(
            {"hub": row["hub"], "scheme": row["scheme"], "mode_en": mode, **{s: sides.get(s) for s in SIDES}}
            | {"margin": margin, "decided_by_en": why, "unknown_sides": unknown}
        )
    names = printed_table("hub_modes").select("scheme", "mode_en", "mode_zh")
    frame = pl.DataFrame(rows, schema={name: MODE_SCHEMA[name] for name in rows[0]}) if rows else None
    if frame is None:
        return pl.DataFrame(schema=MODE_SCHEMA)
    return (
        frame.join(names, on=["scheme", "mode_en"], how="left")
        .join(covered, on=["hub", "scheme"], how="left")
        .join(_printed_examples(), on=["hub", "scheme"], how="left")
        .with_columns(
            agrees=pl.when(pl.col("printed_mode_en").is_not_null()).then(
                pl.col("mode_en").eq_missing(pl.col("printed_mode_en"))
            ),
            decided_by_zh=_in_chinese(pl.col("decided_by_en")),
            assumed=pl.lit(value=True),
        )
        .select(MODE_SCHEMA.names())
        .cast(MODE_SCHEMA)
        .sort("hub", "scheme")
    )


def _in_chinese(comparison: pl.Expr) -> pl.Expr:
    """A comparison such as `finance >= 50` with the sides' Chinese names."""
    return comparison.str.replace_many(list(SIDES), ["金融", "科技", "生态", "监管"])


def _aif(known: dict[str, float]) -> tuple[str | None, float | None, str | None]:
    """Both sides strong, the greater named first."""
    if not {"finance", "technology"} <= set(known):
        return None, None, None
    weak = [(HALF - known[side], f"{side} >= {HALF:g}") for side in ("finance", "technology") if known[side] < HALF]
    if weak:
        return None, *max(weak)
    ahead, behind = sorted(("finance", "technology"), key=lambda side: -known[side])
    comparisons = [
        (known[ahead] - known[behind], f"{ahead} > {behind}"),
        (known[behind] - HALF, f"{behind} >= {HALF:g}"),
    ]
    return f"{ahead} + {behind} driven", *min(comparisons)


def _greatest(known: dict[str, float]) -> tuple[str | None, float | None, str | None]:
    """The strongest side, where it is strong."""
    ordered = sorted(known, key=lambda side: -known[side])
    if len(ordered) < 2:
        return None, None, None
    first, second = ordered[:2]
    if known[first] < HALF:
        return None, HALF - known[first], f"{first} >= {HALF:g}"
    comparisons = [(known[first] - known[second], f"{first} > {second}"), (known[first] - HALF, f"{first} >= {HALF:g}")]
    return _MODE_OF_SIDE[first], *min(comparisons)


def _printed_examples() -> pl.DataFrame:
    """The examples of the sources that are hubs of ours: hub, scheme, printed_mode_zh, printed_mode_en."""
    rows = [
        (found, row["scheme"], row["mode_zh"], row["mode_en"])
        for row in printed_table("hub_modes").iter_rows(named=True)
        for found in _hubs_of(row["examples_zh"].split("; "))
    ]
    schema = dict.fromkeys(("hub", "scheme", "printed_mode_zh", "printed_mode_en"), pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _hubs_of(places: Sequence[str]) -> list[str]:
    """Those of the places that are hubs; the others are cities abroad."""
    found = []
    for place in places:
        try:
            found.append(find_hub(place))
        except UnknownHub:
            continue
    return found
