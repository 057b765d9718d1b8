"""The policy scorecard and the stage tracker: what a city has done of the 16 proposals and of the three paths.

Knows the printed proposals and paths, and dated evidence of them in the shape of its schemas. Knows no file format, no
index, no SQL and no HTTP. What no evidence speaks of is unknown, which is neither adopted nor not adopted.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

from fhi.hubs import hubs
from green_index.printed import printed_table

ADOPTED: Final = "adopted"
PARTLY: Final = "partly"
NOT_ADOPTED: Final = "not_adopted"
UNKNOWN: Final = "unknown"
STATUSES: Final = (ADOPTED, PARTLY, NOT_ADOPTED, UNKNOWN)
"""Of a proposal. Adopted: in force or carried out as proposed; partly: begun, decided, or done in a narrower form."""
STAGES: Final = ("done", "under_way", "not_begun", UNKNOWN)
ALL_AREAS: Final = "all"
OURS: Final = "embedded"
_TOLD: Final = {
    "status": pl.String(),
    "evidence_zh": pl.String(),
    "evidence_en": pl.String(),
    "date": pl.String(),
    "source": pl.String(),
    "origin": pl.String(),
}
PROPOSAL_EVIDENCE: Final = pl.Schema({"hub": pl.String(), "proposal": pl.Int64(), **_TOLD})
STAGE_EVIDENCE: Final = pl.Schema({"hub": pl.String(), "path": pl.String(), "step": pl.Int64(), **_TOLD})
PROPOSAL_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String(),
        **dict.fromkeys(("area", "area_zh", "area_en"), pl.String()),
        "proposal": pl.Int64(),
        **dict.fromkeys(("proposal_zh", "proposal_en"), pl.String()),
        **_TOLD,
    }
)
AREA_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(("hub", "area", "area_zh", "area_en"), pl.String()),
        **dict.fromkeys(("proposals", *STATUSES), pl.Int64()),
        **dict.fromkeys(("known_share", "share_low", "share_high"), pl.Float64()),
    }
)
STAGE_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(("hub", "path", "path_zh", "path_en"), pl.String()),
        "step": pl.Int64(),
        **dict.fromkeys(("stage_zh", "stage_en"), pl.String()),
        **_TOLD,
    }
)
# The paper names the paths in Chinese only.
_PATHS_EN: Final[Mapping[str, str]] = {
    "government_led": "Led by government (Switzerland)",
    "innovation_led": "Led by innovation in green finance (United Kingdom, Singapore)",
    "wuhan": "Proposed for Wuhan",
}


@cache
def proposals() -> pl.DataFrame:
    """The 16 proposals of the Swiss Green Fintech Network (2021) as the paper cites them: area, area_zh, area_en,
    proposal (1..16), proposal_zh, proposal_en."""
    return printed_table("policy_proposals").select(
        "area", "area_zh", "area_en", pl.col("proposal").cast(pl.Int64), "proposal_zh", "proposal_en"
    )


@cache
def stages() -> pl.DataFrame:
    """The steps of the three paths in order: path, path_zh, path_en, step, stage_zh, stage_en."""
    return printed_table("development_paths").select(
        "path",
        "path_zh",
        pl.col("path").replace_strict(_PATHS_EN, return_dtype=pl.String).alias("path_en"),
        pl.col("step").cast(pl.Int64),
        "stage_zh",
        "stage_en",
    )


@cache
def proposal_evidence() -> pl.DataFrame:
    """The evidence of proposals that ships with the package (PROPOSAL_EVIDENCE): Wuhan's."""
    return _embedded("policy_evidence", PROPOSAL_EVIDENCE)


@cache
def stage_evidence() -> pl.DataFrame:
    """The evidence of stages that ships with the package (STAGE_EVIDENCE): Wuhan's."""
    return _embedded("path_evidence", STAGE_EVIDENCE)


def _embedded(name: str, schema: pl.Schema) -> pl.DataFrame:
    text = files("green_index").joinpath("data", f"{name}.csv").read_bytes()
    return (
        pl.read_csv(text, infer_schema=False)
        .with_columns(pl.lit(OURS).alias("origin"))
        .select(pl.col(column).cast(kind) for column, kind in schema.items())
    )


def evidence_sources() -> pl.DataFrame:
    """Who says what the embedded evidence holds, one row a source: file, column (*), publisher, unit, terms, remark."""
    parts = [
        evidence.select(pl.lit(file).alias("file"), pl.col("source").alias("publisher")).unique(maintain_order=True)
        for file, evidence in (("policy_evidence.csv", proposal_evidence()), ("path_evidence.csv", stage_evidence()))
    ]
    told = pl.concat(parts).with_columns(
        pl.lit("cite the source").alias("terms"),
        pl.lit("status and evidence by this project, from what the source says").alias("remark"),
    )
    return told.select("file", pl.lit("*").alias("column"), "publisher", pl.lit("-").alias("unit"), "terms", "remark")


def merge_evidence(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Evidence of both, where theirs takes the place of ours for every hub and item that it speaks of.

    ours, theirs: PROPOSAL_EVIDENCE, or both STAGE_EVIDENCE.
    """
    item = _item(ours)
    return pl.concat([ours.join(theirs, on=item, how="anti", maintain_order="left"), theirs])


def standing_evidence(evidence: pl.DataFrame, year: int | None = None) -> pl.DataFrame:
    """The latest evidence of each hub and item, of those dated no later than the end of the year where one is given.

    evidence: PROPOSAL_EVIDENCE or STAGE_EVIDENCE, `date` as 2021, 2021-11 or 2021-11-30. Same columns.
    """
    item = _item(evidence)
    known = evidence if year is None else evidence.filter(pl.col("date").str.slice(0, 4).cast(pl.Int64) <= year)
    return known.sort("date", nulls_last=False).group_by(item, maintain_order=True).last().select(evidence.columns)


def _item(evidence: pl.DataFrame) -> list[str]:
    return [name for name in ("hub", "proposal", "path", "step") if name in evidence.columns]


def scorecard(evidence: pl.DataFrame, of_hubs: Sequence[str], year: int | None = None) -> pl.DataFrame:
    """Every proposal of every hub asked for (PROPOSAL_SCHEMA): its latest status with evidence, date and source.

    evidence: PROPOSAL_EVIDENCE; year: as known at the end of it. What nothing speaks of has status `unknown` and null
    beside it. Rows by hub as asked for, then by proposal.
    """
    return _placed(proposals(), standing_evidence(evidence, year), of_hubs, ["hub", "proposal"], PROPOSAL_SCHEMA)


def stage_tracker(evidence: pl.DataFrame, of_hubs: Sequence[str], year: int | None = None) -> pl.DataFrame:
    """Every step of the three paths for every hub asked for (STAGE_SCHEMA); otherwise as `scorecard`."""
    return _placed(stages(), standing_evidence(evidence, year), of_hubs, ["hub", "path", "step"], STAGE_SCHEMA)


def _placed(
    items: pl.DataFrame, evidence: pl.DataFrame, of_hubs: Sequence[str], key: list[str], schema: pl.Schema
) -> pl.DataFrame:
    grid = pl.DataFrame({"hub": list(of_hubs)}, schema={"hub": pl.String})
    return (
        grid.join(items, how="cross", maintain_order="left_right")
        .join(evidence, on=key, how="left", maintain_order="left")
        .with_columns(pl.col("status").fill_null(UNKNOWN))
        .select(pl.col(name).cast(kind) for name, kind in schema.items())
    )


def area_shares(card: pl.DataFrame) -> pl.DataFrame:
    """How many proposals a hub has adopted by area, and of all areas together (AREA_SCHEMA, area `all` last).

    card: rows of `scorecard`. share_low = adopted / proposals; share_high = (adopted + unknown) / proposals: where
    the share adopted lies whatever the unknown ones are; known_share = 1 - unknown / proposals. One adopted partly is
    counted by itself and raises neither share.
    """
    area = ["area", "area_zh", "area_en"]
    every = card.with_columns(
        pl.lit(ALL_AREAS).alias("area"), pl.lit("全部领域").alias("area_zh"), pl.lit("All areas").alias("area_en")
    )
    counted = (
        pl.concat([card, every])
        .group_by("hub", *area, maintain_order=True)
        .agg(pl.len().alias("proposals"), *((pl.col("status") == status).sum().alias(status) for status in STATUSES))
        .with_columns(
            known_share=1 - pl.col(UNKNOWN) / pl.col("proposals"),
            share_low=pl.col(ADOPTED) / pl.col("proposals"),
            share_high=(pl.col(ADOPTED) + pl.col(UNKNOWN)) / pl.col("proposals"),
        )
    )
    order = {hub: place for place, hub in enumerate(card["hub"].unique(maintain_order=True))}
    return counted.select(pl.col(name).cast(kind) for name, kind in AREA_SCHEMA.items()).sort(
        pl.col("hub").replace_strict(order, return_dtype=pl.Int64), maintain_order=True
    )


def every_hub() -> list[str]:
    """The slugs of all hubs, in their order."""
    return hubs()["hub"].to_list()
