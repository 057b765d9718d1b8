"""Whose emissions a company reports: equity share, or control, along the chain of ownership.

Knows the two approaches of the GHG Protocol Corporate Standard (2004), chapter 3: by equity share a company counts its
share of a plant's emissions, shares along a chain multiplied and chains added; by control it counts all of what it
controls and nothing of what it does not. Must not know factors or storage.

A link says that a parent has a share of a child on certain days. Where it does not say who controls, more than half of
the shares is taken for control and marked as assumed; exactly half is not decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "APPROACHES",
    "Approach",
    "Bounded",
    "InvalidOwnership",
    "apply_boundary",
    "group_shares",
    "ownership_schema",
]

Approach = Literal["equity", "operational", "financial"]
APPROACHES: Final[tuple[Approach, ...]] = ("equity", "operational", "financial")
_HALF: Final = 0.5
_TOLERANCE: Final = 1e-9
_LAST: Final = date(9999, 12, 30)
_ASSUMED: Final = "control_assumed"


class InvalidOwnership(CarbonError):
    """Ownership that runs in a circle, is more than the whole, or leaves control open."""


@dataclass(frozen=True)
class Bounded:
    """Lines within the boundary, share and co2e_kg those of the reporting company; and the lines left out, with reason:
    not_in_group, counted_twice (the same activity stands there already) or intra_group."""

    lines: "pl.DataFrame"
    outside: "pl.DataFrame"


def ownership_schema() -> "dict[str, type[pl.DataType]]":
    """parent, child : codes of entities; share : 0..1; operational, financial : whether the parent controls, null where
    not told; first_day, last_day : included, null without limit; row : where it was found."""
    import polars as pl

    return {
        **{"parent": pl.String, "child": pl.String, "share": pl.Float64},
        **{"operational": pl.Boolean, "financial": pl.Boolean},
        **{"first_day": pl.Date, "last_day": pl.Date, "row": pl.Int64},
    }


def group_shares(links: "pl.DataFrame", company: str, approach: Approach) -> "pl.DataFrame":
    """What part of each entity the company counts, and when.

    links : `ownership_schema`; company : the one that reports; approach : equity, operational or financial
    Result, ascending by entity and day: entity, first_day, last_day, share (over 0, at most 1; 1 for the company
    itself), remark (control_assumed where a control along the chain was taken from the shares).
    Raises InvalidOwnership, naming the links: a circle, shares of a child over 1 at one time, control not decided.
    """
    import polars as pl

    rows = links.with_columns(pl.col("first_day").fill_null(date.min), pl.col("last_day").fill_null(_LAST)).sort(
        "parent", "child", "first_day"
    )
    edges = sorted({date.min, *rows["first_day"], *(day + timedelta(days=1) for day in rows["last_day"])})
    found: list[tuple[str, date, date, float, str | None]] = []
    for start, end in pairwise([*edges, _LAST + timedelta(days=1)]):
        here = rows.filter((pl.col("first_day") <= start) & (pl.col("last_day") >= start))
        weights = _weights(list(here.iter_rows(named=True)), approach)
        for entity, (share, remark) in sorted(_walk(weights, company).items()):
            found.append((entity, start, end - timedelta(days=1), share, remark))
    names = {"entity": pl.String, "first_day": pl.Date, "last_day": pl.Date, "share": pl.Float64, "remark": pl.String}
    return pl.DataFrame(found, schema=names, orient="row").filter(pl.col("share") > 0).sort("entity", "first_day")


def apply_boundary(lines: "pl.DataFrame", shares: "pl.DataFrame", counted_by: "pl.DataFrame | None" = None) -> Bounded:
    """The lines that the reporting company counts, at its share.

    lines : `lines_schema`; shares : from `group_shares`; where a share changes within a line's period it is weighted by
    days (remark share_changed_in_period: that emissions are even over the period is assumed)
    counted_by : activity_id and platform: who else counts the same activity. Where that is another entity of the group,
    its part is taken off (remark intra_group), so that nothing is counted twice inside the group.
    share, co2e_kg : replaced; the share that a row itself gave is not used. Lines that stand twice (same activity,
    method, gas) are counted once.
    """
    import polars as pl

    key = ["activity_id", "method", "biogenic", "gas"]
    ordered = lines.sort(*key, "entity")
    again = pl.int_range(pl.len()).over(key) > 0
    once, twice = ordered.filter(~again), ordered.filter(again)
    spans = once.select("entity", "first_day", "last_day").unique()
    told = once.drop("share").join(
        _shares_of_spans(spans, shares), on=["entity", "first_day", "last_day"], how="left", maintain_order="left"
    )
    told = _less_others(told, shares, counted_by)
    is_in = pl.col("part").is_not_null() & (pl.col("part") > 0)
    joined = pl.concat_str("remarks", "told", "taken", separator="; ", ignore_nulls=True)
    inside = told.filter(is_in).with_columns(
        share="part",
        co2e_kg=pl.col("emissions_kg") * pl.col("gwp") * pl.col("part"),
        remarks=pl.when(joined != "").then(joined),
    )
    reason = pl.when(pl.col("part").is_null()).then(pl.lit("not_in_group")).otherwise(pl.lit("intra_group"))
    outside = [
        told.filter(~is_in).with_columns(reason=reason, share=pl.lit(0.0)).select(*lines.columns, "reason"),
        twice.with_columns(reason=pl.lit("counted_twice")).select(*lines.columns, "reason"),
    ]
    return Bounded(inside.select(lines.columns), pl.concat(outside))


def _shares_of_spans(spans: "pl.DataFrame", shares: "pl.DataFrame") -> "pl.DataFrame":
    """part (share over the span, weighted by days) and told (remarks) for each entity and span with any share."""
    import polars as pl

    from_day, to_day = pl.max_horizontal("first_day", "from"), pl.min_horizontal("last_day", "to")
    held = shares.select("entity", "share", "remark", pl.col("first_day").alias("from"), pl.col("last_day").alias("to"))
    days = (pl.col("last_day") - pl.col("first_day")).dt.total_days() + 1
    meets = (pl.col("from") <= pl.col("last_day")) & (pl.col("to") >= pl.col("first_day"))
    both = spans.join(held, on="entity").filter(meets).sort("entity", "first_day", "last_day", "from")
    both = both.with_columns(held=(to_day - from_day).dt.total_days() + 1, days=days)
    is_even = (pl.col("share").n_unique() == 1) & (pl.col("held").sum() == pl.col("days").first())
    changed = pl.when(~is_even).then(pl.lit("share_changed_in_period"))
    return (
        both.group_by("entity", "first_day", "last_day")
        .agg(
            part=pl.when(is_even)
            .then(pl.col("share").first())
            .otherwise((pl.col("share") * pl.col("held")).sum() / pl.col("days").first()),
            told=pl.concat_str(changed, pl.col("remark").drop_nulls().first(), separator="; ", ignore_nulls=True),
        )
        .with_columns(told=pl.when(pl.col("told") != "").then("told"))
    )


def _less_others(lines: "pl.DataFrame", shares: "pl.DataFrame", counted_by: "pl.DataFrame | None") -> "pl.DataFrame":
    """Lines with part less what another entity of the group counts of the same activity."""
    import polars as pl

    if counted_by is None:
        return lines.with_columns(taken=pl.lit(None, dtype=pl.String))
    others = counted_by.select("activity_id", other="platform").drop_nulls().unique("activity_id", keep="any")
    marked = lines.join(others, on="activity_id", how="left", maintain_order="left")
    is_other = pl.col("other").is_not_null() & (pl.col("other") != pl.col("entity"))
    spans = marked.filter(is_other).select(pl.col("other").alias("entity"), "first_day", "last_day").unique()
    theirs = _shares_of_spans(spans, shares).select(
        pl.col("entity").alias("other"), "first_day", "last_day", their_part="part"
    )
    both = marked.join(theirs, on=["other", "first_day", "last_day"], how="left", maintain_order="left")
    counts = is_other & (pl.col("their_part") > 0)
    return both.with_columns(
        part=pl.when(counts).then(pl.col("part") * (1 - pl.col("their_part"))).otherwise("part"),
        taken=pl.when(counts & (pl.col("part") > 0)).then(pl.lit("intra_group")),
    ).drop("other", "their_part")


def _weights(
    links: Sequence[Mapping[str, object]], approach: Approach
) -> dict[str, list[tuple[str, float, str | None]]]:
    """Children of each parent with the weight of the link. Raises InvalidOwnership."""
    weights: dict[str, list[tuple[str, float, str | None]]] = {}
    held: dict[str, float] = {}
    for link in links:
        parent, child, share = str(link["parent"]), str(link["child"]), float(str(link["share"]))
        held[child] = held.get(child, 0.0) + share
        weight, remark = (share, None) if approach == "equity" else _control(link, share, approach)
        weights.setdefault(parent, []).append((child, weight, remark))
    over = {child: share for child, share in held.items() if share > 1 + _TOLERANCE}
    if over:
        told = ", ".join(f"{child} {share:.4g}" for child, share in sorted(over.items()))
        raise InvalidOwnership(f"found shares of one time that add up to more than 1: {told}; expected at most 1")
    return weights


def _control(link: Mapping[str, object], share: float, approach: Approach) -> tuple[float, str | None]:
    told = link[approach]
    if told is not None:
        return float(bool(told)), None
    if share == _HALF:
        raise InvalidOwnership(
            f"found {link['parent']} with half of {link['child']} and no word on {approach} control; expected yes or no"
        )
    return float(share > _HALF), _ASSUMED


def _walk(
    weights: Mapping[str, Sequence[tuple[str, float, str | None]]], company: str
) -> dict[str, tuple[float, str | None]]:
    """The company's share of every entity below it: along chains multiplied, chains added, never more than 1."""
    shares: dict[str, tuple[float, str | None]] = {}

    def descend(entity: str, share: float, remark: str | None, above: tuple[str, ...]) -> None:
        if entity in above:
            circle = " -> ".join((*above[above.index(entity) :], entity))
            raise InvalidOwnership(f"found ownership in a circle: {circle}; expected none")
        before, told = shares.get(entity, (0.0, None))
        shares[entity] = (min(1.0, before + share), told or remark)
        for child, weight, assumed in weights.get(entity, ()):
            if weight > 0:
                descend(child, share * weight, remark or assumed, (*above, entity))

    descend(company, 1.0, None, ())
    return shares
