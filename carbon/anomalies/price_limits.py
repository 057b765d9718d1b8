"""How far a price may lie from the close before, how small a block may be, and the rows that lie beyond.

Knows how the rule book (`carbon.rules`) says it and what a fair comparison needs. Must not know files or screens. A
market without such a rule in the book has no limit here: none is guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from carbon.anomalies.rows import mark_rows, no_anomalies
from carbon.calendar import market_sessions
from carbon.findings import price_text
from carbon.products import vintage_expr
from carbon.rows import BLOCK, LISTING
from carbon.rules.book import Rules, load_rules
from carbon.rules.models import Rule
from carbon.rules.schemes import load_schemes
from carbon.rules.selection import choose_rule, find_rules, number

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "PriceLimits",
    "find_block_beyond_limit",
    "find_listing_beyond_limit",
    "find_small_blocks",
    "limits_of",
]

_PRICES = ("open_fen_per_t", "high_fen_per_t", "low_fen_per_t", "close_fen_per_t")
_PART_OF = ["market", "feed", "product"]


@dataclass(frozen=True)
class PriceLimits:
    """The limits of one market.

    since : first day of both price limits; listing_share, block_share : 0.1 is ten per cent of the listing close before
    block_from_t : least tonnes of a block deal, null where the book does not say; the sources say who rules it
    composite_since : first day on which a product without vintage is a composite of several; null for never
    """

    market: str
    since: date
    listing_share: float
    listing_source: str
    block_share: float
    block_source: str
    block_from_t: int | None
    lot_source: str
    composite_since: date | None


def limits_of(markets: Iterable[str]) -> list[PriceLimits]:
    """The limits of those of the markets for which the rule book has them, by market key.

    Raises `carbon.rules.selection.RuleConflict` where two rules of equal rank differ.
    """
    wanted = set(markets)
    of_market = {
        str(row["market"]): str(row["scheme"]) for row in load_schemes().iter_rows(named=True) if row["market"]
    }
    found = [_limits(market, load_rules(of_market[market])) for market in sorted(wanted & of_market.keys())]
    return [limits for limits in found if limits is not None]


def _limits(market: str, rules: Rules) -> PriceLimits | None:
    listing = choose_rule(find_rules(rules, "price_limit", item="listing"))
    block = choose_rule(find_rules(rules, "price_limit", item="block"))
    if listing is None or block is None or listing.from_date is None or block.from_date is None:
        return None
    lot = choose_rule(find_rules(rules, "trading", item="methods"))
    composite = choose_rule(find_rules(rules, "trading", item="headline_price"))
    return PriceLimits(
        market=market,
        since=max(listing.from_date, block.from_date),
        listing_share=float(number(listing, "share")),
        listing_source=_said_by(listing),
        block_share=float(number(block, "share")),
        block_source=_said_by(block),
        block_from_t=None if lot is None else int(number(lot, "block_from")),
        lot_source="" if lot is None else _said_by(lot),
        composite_since=None if composite is None else composite.from_date,
    )


def _said_by(rule: Rule) -> str:
    return f"{rule.document or rule.source} ({rule.confidence})"


def find_listing_beyond_limit(rows: "pl.DataFrame") -> "pl.DataFrame":
    """A listing price beyond the limit from the listing close before, rounded to the fen (C36).

    Only where no session of the feed is missing in between. A note where the close is a composite of vintages: the
    limit is each vintage's own.
    """
    import polars as pl

    found = [no_anomalies()]
    for limits in limits_of(rows["market"].unique().to_list()):
        known = _with_close_before(rows, limits).filter(pl.col("method") == LISTING)
        low, high = _bounds(limits.listing_share)
        for price in _PRICES:
            broken = known.filter((pl.col(price) > high) | (pl.col(price) < low))
            found.append(
                mark_rows(
                    broken,
                    "listing_beyond_limit",
                    found=pl.format("{} of {} CNY/t", pl.lit(price.split("_")[0]), price_text(price)),
                    expected=_expected_range(low, high, limits.listing_share),
                    source=limits.listing_source,
                    severity=_composite_is_note(),
                )
            )
    return pl.concat(found).unique(["market", "feed", "product", "day", "row"], keep="last", maintain_order=True)


def find_block_beyond_limit(rows: "pl.DataFrame") -> "pl.DataFrame":
    """A day's block price (value / volume) beyond the limit from the listing close before, rounded to the fen (C36).

    The limits are those of single deals; a mean of the day within them proves nothing, one outside proves a breach.
    """
    import polars as pl

    found = [no_anomalies()]
    for limits in limits_of(rows["market"].unique().to_list()):
        known = _with_close_before(rows, limits).filter((pl.col("method") == BLOCK) & (pl.col("volume_t") > 0))
        low, high = _bounds(limits.block_share)
        value = pl.col("value_fen")
        broken = known.filter((value > high * pl.col("volume_t")) | (value < low * pl.col("volume_t")))
        found.append(
            mark_rows(
                broken,
                "block_beyond_limit",
                found=pl.format("{} CNY/t on average", (value / pl.col("volume_t") / 100).round(4)),
                expected=_expected_range(low, high, limits.block_share),
                source=limits.block_source,
                severity=_composite_is_note(),
            )
        )
    return pl.concat(found)


def find_small_blocks(rows: "pl.DataFrame") -> "pl.DataFrame":
    """A day with fewer block tonnes than a single block deal must have (C35)."""
    import polars as pl

    found = [no_anomalies()]
    for limits in limits_of(rows["market"].unique().to_list()):
        if limits.block_from_t is None:
            continue
        mine = (pl.col("market") == limits.market) & (pl.col("day") >= limits.since) & (pl.col("method") == BLOCK)
        broken = rows.filter(mine & pl.col("volume_t").is_between(1, limits.block_from_t - 1))
        found.append(
            mark_rows(
                broken,
                "block_too_small",
                found=pl.format("{} t", "volume_t"),
                expected=pl.lit(f"at least {limits.block_from_t} t in a block deal"),
                source=limits.lot_source,
            )
        )
    return pl.concat(found)


def _with_close_before(rows: "pl.DataFrame", limits: PriceLimits) -> "pl.DataFrame":
    """Rows of the market since its limits, with `_before`, the listing close of their feed and product before their
    day, and `_is_composite`.

    Rows without such a close are left out, and rows with a session of the feed missing in between: the close of that
    session may be the one that counts.
    """
    import polars as pl

    mine = rows.filter((pl.col("market") == limits.market) & (pl.col("day") >= limits.since)).sort("day")
    is_close = (pl.col("method") == LISTING) & (pl.col("close_fen_per_t") > 0)
    closes = mine.filter(is_close).select(*_PART_OF, "day", _before="close_fen_per_t", _closed_on="day")
    dated = mine.join_asof(
        closes, on="day", by=_PART_OF, strategy="backward", allow_exact_matches=False, check_sortedness=False
    ).filter(pl.col("_before").is_not_null())
    missing = _missing_sessions(mine)
    counted = dated
    for name in ("day", "_closed_on"):
        until = missing.rename({"day": name, "missing": f"_missing_{name}"})
        counted = counted.join(until, on=["feed", name], how="left", maintain_order="left")
    is_composite = pl.lit(False)
    if limits.composite_since is not None:
        is_composite = vintage_expr("product").is_null() & (pl.col("day") >= limits.composite_since)
    return counted.filter(pl.col("_missing_day") == pl.col("_missing__closed_on")).with_columns(
        is_composite.alias("_is_composite")
    )


def _missing_sessions(rows: "pl.DataFrame") -> "pl.DataFrame":
    """feed, day of its rows, and how many sessions before that day it has no row for (`missing`)."""
    import polars as pl

    found = [pl.DataFrame(schema={"feed": pl.String, "day": pl.Date, "missing": pl.Int64})]
    for (market, feed), part in rows.group_by("market", "feed"):
        days = part["day"].unique().sort()
        sessions = market_sessions(str(market), sorted(set(days.dt.year().to_list())))
        absent = sessions.filter((sessions >= days.min()) & ~sessions.is_in(days.implode()))
        before = pl.Series("missing", absent.search_sorted(days), dtype=pl.Int64)
        found.append(
            pl.DataFrame({"day": days, "missing": before}).select(pl.lit(feed).alias("feed"), "day", "missing")
        )
    return pl.concat(found)


def _bounds(share: float) -> "tuple[pl.Expr, pl.Expr]":
    """Lowest and highest price in fen that a share of the close before allows, rounded half up to the fen, as the
    exchange rounds: 3021 of 4316 at 30 %.
    """
    import polars as pl

    per_mille, before = round(share * 1000), pl.col("_before")
    return (before * (1000 - per_mille) + 500) // 1000, (before * (1000 + per_mille) + 500) // 1000


def _expected_range(low: "pl.Expr", high: "pl.Expr", share: float) -> "pl.Expr":
    import polars as pl

    day = pl.col("_closed_on").cast(pl.String)
    note = (
        pl.when("_is_composite").then(pl.lit("; a composite of vintages, each has its own limit")).otherwise(pl.lit(""))
    )
    return pl.format(
        f"{{}} to {{}} CNY/t, within {share:.0%} of the close of {{}} on {{}}{{}}",
        (low / 100).round(2),
        (high / 100).round(2),
        price_text("_before"),
        day,
        note,
    )


def _composite_is_note() -> "pl.Expr":
    import polars as pl

    return pl.when("_is_composite").then(pl.lit("note")).otherwise(pl.lit("warning"))
