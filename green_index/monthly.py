"""Monthly editions: what is known by month beside yearly figures carried forward, as one panel of months.

Knows months and how a figure of a year serves the months after it. Knows no carbon, no SQL and no HTTP; which
indicators are known by month is for the caller to say. No yearly sum is ever split over months.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from fhi.framework import Framework
from fhi.panel import PANEL_SCHEMA
from green_index.errors import GreenIndexError, UnknownPeriod
from green_index.standing import level_one

CARRIED: Final = "carried_forward"
_MONTH: Final = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])")
MOST_MONTHS: Final = 240


class WrongMonths(GreenIndexError):
    """What is no month, or no span of months."""


class NoMonths(UnknownPeriod):
    """No month of the span has what a monthly edition needs."""


def month_span(first: str, last: str) -> list[str]:
    """Every month from the first to the last, such as 2022-01 to 2023-12. Raises WrongMonths."""
    for month in (first, last):
        if not _MONTH.fullmatch(month):
            raise WrongMonths(f"found month {month!r}; expected a year and a month such as 2022-01")
    if first > last:
        raise WrongMonths(f"found months from {first} to {last}; expected the first not after the last")
    start, end = (date(int(month[:4]), int(month[5:]), 1) for month in (first, last))
    months = pl.date_range(start, end, "1mo", eager=True).dt.strftime("%Y-%m").to_list()
    if len(months) > MOST_MONTHS:
        raise WrongMonths(f"found {len(months)} months from {first} to {last}; expected at most {MOST_MONTHS}")
    return months


def loaded_span(fast_months: Sequence[str], yearly: Sequence[str]) -> tuple[str, str]:
    """The first and the last month that can be told: with daily figures of any market, and after a whole year.

    fast_months : months with figures, in any order; yearly : years with figures. Raises NoMonths where there is none.
    """
    known = sorted(month for month in fast_months if month[:4] > min(yearly))
    if not known:
        raise NoMonths(
            "no month has daily figures of a market; load a daily file: greenfin load trades FILE --market CEA"
        )
    return known[0], known[-1]


def check_loaded(fast_months: Sequence[str], months: Sequence[str]) -> None:
    """Raises NoMonths where none of the months has daily figures of any market."""
    if not set(fast_months) & set(months):
        held = (
            f"months with daily figures: {min(fast_months)} to {max(fast_months)}" if fast_months else "none is loaded"
        )
        raise NoMonths(
            f"no daily figures of any market from {months[0]} to {months[-1]}; {held}. "
            "Load a daily file: greenfin load trades FILE --market CEA"
        )


def carry_forward(yearly: pl.DataFrame, months: Sequence[str]) -> pl.DataFrame:
    """Yearly rows as rows of months: each month has the figures of the last whole year before it that is held.

    yearly : fhi.panel.PANEL_SCHEMA, periods are years; months : such as 2022-06. Returns PANEL_SCHEMA; a figure has
    the status `carried_forward` and its year in the source, and one that the year does not have stays null: an earlier
    year does not stand in for it. Raises NoMonths for a month without a year before it.
    """
    years = yearly["period"].unique().sort().to_list()
    before = {month: [year for year in years if year < month[:4]] for month in months}
    without = [month for month, held in before.items() if not held]
    if without:
        raise NoMonths(f"found no yearly figures before {without[0]}; expected months from {int(years[0]) + 1}-01 on")
    of_months = pl.DataFrame(
        [(month, held[-1]) for month, held in before.items()], schema=["month", "period"], orient="row"
    )
    told = pl.format("{}; carried forward from {}", "source", "period")
    is_known = pl.col("value").is_not_null()
    return (
        yearly.join(of_months, on="period")
        .with_columns(
            status=pl.when(is_known).then(pl.lit(CARRIED)).otherwise("status"),
            source=pl.when(is_known).then(told).otherwise("source"),
            period="month",
        )
        .select(PANEL_SCHEMA.names())
    )


def monthly_panel(yearly: pl.DataFrame, fast: pl.DataFrame, months: Sequence[str]) -> pl.DataFrame:
    """The panel of a monthly edition: fast rows as they are, all other indicators carried forward from whole years.

    yearly, fast : fhi.panel.PANEL_SCHEMA, of years and of months. An indicator with fast rows is never carried
    forward, also where its month is null. Raises what `carry_forward` raises.
    """
    codes = fast["code"].unique()
    slow = carry_forward(yearly.filter(~pl.col("code").is_in(codes.implode())), months)
    return pl.concat([slow, fast.filter(pl.col("period").is_in(list(months))).select(PANEL_SCHEMA.names())])


def monthly_scores(
    scores: pl.DataFrame, inputs: pl.DataFrame, framework: Framework, sums: Sequence[str]
) -> pl.DataFrame:
    """One row a hub and month: hub, month, rank, ranked, score (on bounds pooled over all months of the edition), the
    counted level-1 scores by code, coverage (0..1), carried_share (0..1, of the weight in the hub's total, how much
    rests on figures carried forward; null where it is not ranked), missing (codes of `sums` that are null).

    scores, inputs : of the edition (fhi.frames.SCORE_SCHEMA, editions.INPUT_SCHEMA); sums : codes that every hub has a
    figure of, a zero where it has nothing to sum, so that null says that a daily file is not loaded
    """
    total = scores.filter(pl.col("code") == framework.root)
    groups = [code for code in level_one(framework) if code in scores["code"]]
    wide = total
    for code in groups:
        own = scores.filter(pl.col("code") == code).select("hub", "period", pl.col("score").alias(code))
        wide = wide.join(own, on=["hub", "period"], how="left", maintain_order="left")
    weight = pl.col("weight").fill_null(0.0)
    shares = inputs.group_by("hub", "period").agg(
        carried_share=weight.filter(pl.col("status") == CARRIED).sum() / weight.sum()
    )
    unknown = inputs.filter(pl.col("code").is_in(list(sums)), pl.col("value").is_null())
    missing = unknown.sort("code").group_by("hub", "period", maintain_order=True).agg(missing="code")
    return (
        wide.join(shares, on=["hub", "period"], how="left", maintain_order="left")
        .join(missing, on=["hub", "period"], how="left", maintain_order="left")
        .with_columns(carried_share=pl.when(pl.col("rank").is_not_null()).then("carried_share"))
        .rename({"period": "month"})
        .select("hub", "month", "rank", "ranked", "score", *groups, "coverage", "carried_share", "missing")
        .sort("month", "rank", "hub", nulls_last=True)
    )
