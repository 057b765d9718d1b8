"""The FinTech Hub Index as printed in 2017: totals and ranks of 20 cities, partial ranks, single facts.

Knows what was printed and nothing else: no raw figure and no weight was ever published.
"""

from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

from fhi.panel import PANEL_SCHEMA

PRINTED_PERIOD: Final = "2017"
PRINTED_CODE: Final = "fhi.printed_total"
PRINTED_SOURCE: Final = "FinTech Hub Index report 2017, ranking table"
_DATA: Final = files("fhi").joinpath("data")


@cache
def printed_totals() -> pl.DataFrame:
    """The 20 printed cities: hub, total (score 0-100), rank, industry_rank, experience_rank, ecosystem_rank."""
    return pl.read_csv(_DATA.joinpath("fhi2017_totals.csv").read_bytes())


@cache
def printed_partial_ranks() -> pl.DataFrame:
    """Printed orders of the first few cities by node: code, hubs_in_order (list of hubs, best first), note."""
    frame = pl.read_csv(_DATA.joinpath("fhi2017_partial_ranks.csv").read_bytes())
    return frame.with_columns(pl.col("hubs_in_order").str.split("|"))


@cache
def printed_facts() -> pl.DataFrame:
    """Single printed figures: place (hub or `china`), code, value, unit, period, note."""
    return pl.read_csv(_DATA.joinpath("fhi2017_facts.csv").read_bytes(), schema_overrides={"period": pl.String})


def printed_panel(periods: list[str]) -> pl.DataFrame:
    """Panel rows (fhi.panel.PANEL_SCHEMA) of the printed totals for each period from 2017 on.

    Later periods carry the printed total forward and are marked so; earlier ones have no row.
    """
    totals = printed_totals().select("hub", value=pl.col("total"))
    wanted = [period for period in periods if period[:4] >= PRINTED_PERIOD]
    printed = pl.col("period") == PRINTED_PERIOD
    return (
        totals.join(pl.DataFrame({"period": wanted}, schema={"period": pl.String}), how="cross")
        .with_columns(
            code=pl.lit(PRINTED_CODE),
            unit=pl.lit("score 0-100"),
            status=pl.when(printed).then(pl.lit("observed")).otherwise(pl.lit("carried_forward")),
            source=pl.when(printed)
            .then(pl.lit(PRINTED_SOURCE))
            .otherwise(pl.lit(f"{PRINTED_SOURCE}; carried forward from 2017")),
        )
        .select(PANEL_SCHEMA.names())
        .cast(PANEL_SCHEMA)
    )
