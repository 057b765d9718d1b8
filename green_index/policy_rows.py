"""Panel rows of the group green_policy: plans issued, proposals adopted, application scenarios served.

Knows the printed plans and scenarios, evidence of proposals and lists of firms. Knows no carbon, no SQL and no HTTP.
What is not known has no row; a zero stands only where a source says that there is none.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

from fhi.panel import PANEL_SCHEMA
from fhi.published import WUHAN_2021
from green_index.policy import ADOPTED, NOT_ADOPTED, PARTLY, UNKNOWN, proposal_evidence, proposals, standing_evidence
from green_index.policy_files import FIRM_SCHEMA
from green_index.printed import printed_table

PLAN: Final = "green_policy.plan"
PROPOSALS: Final = "green_policy.proposals"
SCENARIOS: Final = "green_policy.scenarios"
PRINTED_YEAR: Final = 2021
"""The year of the paper: of the plans that it gives no date for, this is the first year they are known of."""
MIN_KNOWN: Final = 12
"""So many of the 16 proposals must be known for a share of those adopted: three of four. Ours."""


def policy_panel(
    periods: Sequence[str], evidence: pl.DataFrame | None = None, firms: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Rows (fhi.panel.PANEL_SCHEMA) of green_policy for yearly periods: what `plan_rows`, `proposal_rows` and
    `scenario_rows` say.

    evidence: green_index.policy.PROPOSAL_EVIDENCE, the embedded one without it; firms:
    green_index.policy_files.FIRM_SCHEMA, the embedded ones, of which there are none yet, without it.
    """
    known = proposal_evidence() if evidence is None else evidence
    listed = _embedded_firms() if firms is None else firms
    return pl.concat([plan_rows(periods), proposal_rows(periods, known), scenario_rows(periods, listed)])


@cache
def _embedded_firms() -> pl.DataFrame:
    text = files("green_index").joinpath("data", "scenario_firms.csv").read_bytes()
    return pl.read_csv(text, schema=FIRM_SCHEMA)


def plan_rows(periods: Sequence[str]) -> pl.DataFrame:
    """Has the hub issued a fintech plan (1) or not (0)? PANEL_SCHEMA; as the 2021 paper says.

    One that was issued counts from its year on, or from the paper's where it has no date: what was issued stays so.
    One that had not been issued when the paper was printed is a zero up to that year and unknown after it. Places
    that are no hub (Hunan, a province) and hubs that the paper does not name have no row.
    """
    rows = []
    for plan in printed_table("fintech_plans").drop_nulls("hub").iter_rows(named=True):
        first = int(plan["year"] or PRINTED_YEAR)
        for period in periods:
            if plan["issued"] and int(period) >= first:
                dated = f"issued in {plan['year']}" if plan["year"] else f"issued by {PRINTED_YEAR}, undated"
                rows.append((plan["hub"], period, 1.0, dated))
            if not plan["issued"] and int(period) <= PRINTED_YEAR:
                rows.append((plan["hub"], period, 0.0, f"none issued by {PRINTED_YEAR}"))
    return _panel_rows([(*row[:3], f"{WUHAN_2021}: {row[3]}") for row in rows], PLAN, "0 or 1")


def proposal_rows(periods: Sequence[str], evidence: pl.DataFrame) -> pl.DataFrame:
    """Share of the proposals adopted out of those known, where at least MIN_KNOWN are known (PANEL_SCHEMA).

    evidence: green_index.policy.PROPOSAL_EVIDENCE. What was adopted, or partly so, in an earlier year stays so; that
    something was not adopted holds for the year of its evidence only, since it may have been adopted afterwards. One
    adopted partly is known and does not count as adopted.
    """
    rows = []
    for period in periods:
        known = _known_in(evidence, int(period))
        for (hub,), part in known.group_by("hub", maintain_order=True):
            if part.height >= MIN_KNOWN:
                share = int((part["status"] == ADOPTED).sum()) / part.height
                about = (
                    f"{part.height} of {proposals().height} proposals known, {(part['status'] == PARTLY).sum()} partly"
                )
                origins = "; ".join(part["origin"].unique().sort())
                rows.append((str(hub), period, share, f"policy evidence ({origins}): {about}"))
    return _panel_rows(rows, PROPOSALS, "share")


def _known_in(evidence: pl.DataFrame, year: int) -> pl.DataFrame:
    """The latest evidence of each hub and proposal up to a year, of those that still hold in it."""
    latest = standing_evidence(evidence, year)
    stale = (pl.col("status") == NOT_ADOPTED) & (pl.col("date").str.slice(0, 4).cast(pl.Int64) < year)
    return latest.filter(pl.col("status") != UNKNOWN, ~stale).sort("hub", "proposal")


def scenario_rows(periods: Sequence[str], firms: pl.DataFrame) -> pl.DataFrame:
    """Share of the 19 application scenarios with a firm in the hub (PANEL_SCHEMA), for hubs and years with a list.

    firms: green_index.policy_files.FIRM_SCHEMA, taken to be whole for each hub and year that it names.
    """
    listed = firms.filter(pl.col("year").cast(pl.String).is_in(list(periods)))
    served = listed.group_by("hub", "year", maintain_order=True).agg(
        pl.col("scenario").drop_nulls().n_unique(),
        pl.col("firm").drop_nulls().n_unique(),
        pl.col("source").unique(maintain_order=True).str.join("; "),
    )
    total = printed_table("application_scenarios").height
    rows = [
        (hub, str(year), scenarios / total, f"list of {count} firms: {source}")
        for hub, year, scenarios, count, source in served.iter_rows()
    ]
    return _panel_rows(rows, SCENARIOS, "share")


def _panel_rows(rows: Sequence[tuple[str, str, float, str]], code: str, unit: str) -> pl.DataFrame:
    frame = pl.DataFrame(list(rows), schema=["hub", "period", "value", "source"], orient="row")
    return frame.with_columns(code=pl.lit(code), unit=pl.lit(unit), status=pl.lit("observed")).select(
        pl.col(name).cast(kind) for name, kind in PANEL_SCHEMA.items()
    )
