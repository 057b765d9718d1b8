"""What looks wrong in rows that can be read: prices beyond the limits, days without a session, tonnes without value.

Knows the rules of trading (from the rule book, dated), the trading calendar and what each rule needs to be fair. Must
not know files, screens or how a finding is put right: nothing is changed. Each rule takes all canonical rows and
returns its findings; a market for which no limit is known is not held to one.

Severity: "warning" where a rule is broken, "note" where something is only unusual, or where the rule cannot be applied
in full and the finding says why.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from carbon.anomalies.outliers import ISOLATION_LIMIT, ROBUST_LIMIT, isolation_scores, robust_scores
from carbon.anomalies.price_limits import (
    find_block_beyond_limit,
    find_listing_beyond_limit,
    find_small_blocks,
    limits_of,
)
from carbon.anomalies.rows import anomalies_schema, mark_rows, no_anomalies
from carbon.calendar import is_session, market_sessions
from carbon.findings import price_text
from carbon.rows import LISTING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["RULES", "anomalies_schema", "count_by_rule", "find_anomalies"]

_PART_OF = ["market", "feed", "product"]
_CALENDAR = "State Council holiday notices (chinese_calendar) and carbon/data/calendar_additions.csv"


def find_anomalies(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Every anomaly of canonical rows, of one market or several, by market, day and rule, in `anomalies_schema`."""
    import polars as pl

    found = pl.concat([no_anomalies(), *(rule(rows) for rule in RULES.values())])
    return found.sort("market", "day", "rule", "feed", "product", "row", nulls_last=True)


def count_by_rule(rows: "pl.DataFrame", anomalies: "pl.DataFrame") -> "pl.DataFrame":
    """How many rows each rule marks, every rule once: rule, rows (in all), warnings, notes, share of rows marked."""
    import polars as pl

    severity = pl.col("severity")
    counted = anomalies.group_by("rule").agg(
        (severity == "warning").sum().cast(pl.Int64).alias("warnings"),
        (severity == "note").sum().cast(pl.Int64).alias("notes"),
    )
    every = pl.DataFrame({"rule": list(RULES)}).join(counted, on="rule", how="left", maintain_order="left")
    filled = every.with_columns(pl.col("warnings", "notes").fill_null(0), rows=pl.lit(rows.height, dtype=pl.Int64))
    marked = pl.col("warnings") + pl.col("notes")
    return filled.select(
        *["rule", "rows", "warnings", "notes"], pl.when(pl.col("rows") > 0).then(marked / pl.col("rows")).alias("share")
    )


def find_closed_days(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Tonnes on a day that the trading calendar of the market does not know as a session; without tonnes only a note
    (some feeds print calendar days). Years that the calendar does not know are left alone (C40).
    """
    import polars as pl

    outside = is_session(rows).filter(~pl.col("is_session"))
    has_tonnes = pl.col("volume_t").fill_null(0) > 0
    return mark_rows(
        outside,
        "closed_day",
        found=pl.format("{} t on a {}", pl.col("volume_t").cast(pl.String).fill_null("no"), "reason"),
        expected=pl.lit("trading on sessions only"),
        source=_CALENDAR,
        severity=pl.when(has_tonnes).then(pl.lit("warning")).otherwise(pl.lit("note")),
    )


def find_gaps(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Sessions between a feed's first and last day on which it has no row at all (C40), one note for each run of them,
    on its first day and without a row.

    Only for markets held to limits: in thin markets a session without trade is usual.
    """
    import polars as pl

    held = [limits.market for limits in limits_of(rows["market"].unique().to_list())]
    found = [no_anomalies()]
    for (market, feed), part in rows.filter(pl.col("market").is_in(held)).group_by("market", "feed"):
        days = part["day"].unique()
        sessions = market_sessions(str(market), sorted(set(days.dt.year().to_list())))
        inside = sessions.filter((sessions >= days.min()) & (sessions <= days.max())).to_frame().with_row_index("at")
        # Within a run of missing sessions, place less rank stays the same.
        absent = inside.filter(~pl.col("day").is_in(days.implode())).with_row_index("rank")
        runs = absent.group_by(pl.col("at").cast(pl.Int64) - pl.col("rank").cast(pl.Int64)).agg(
            pl.col("day").min(), pl.col("day").max().alias("until"), pl.len().alias("sessions")
        )
        empty = {"product": pl.String, "method": pl.Int8, "file": pl.String, "row": pl.Int64}
        found.append(
            mark_rows(
                runs.with_columns(
                    pl.lit(market).alias("market"),
                    pl.lit(feed).alias("feed"),
                    *(pl.lit(None, dtype=kind).alias(name) for name, kind in empty.items()),
                ),
                "session_without_row",
                found=pl.format("no row on {} sessions until {}", "sessions", pl.col("until").cast(pl.String)),
                expected=pl.lit("a row on each session, with zeros where nothing was traded"),
                source=_CALENDAR,
                severity=pl.lit("note"),
            )
        )
    return pl.concat(found)


def find_prices_without_tonnes(rows: "pl.DataFrame") -> "pl.DataFrame":
    """A close on a row without tonnes, as a note: most feeds carry the last price forward and some print another."""
    import polars as pl

    close = pl.col("close_fen_per_t")
    idle = rows.filter(close.is_not_null() & (pl.col("volume_t").fill_null(0) == 0))
    return mark_rows(
        idle,
        "price_without_tonnes",
        found=pl.format("a close of {} and no tonnes", price_text("close_fen_per_t")),
        expected=pl.lit("no price where nothing was traded; it is no move of the market"),
        source="domain notes on the daily data, section 2, defect 2",
        severity=pl.lit("note"),
    )


def find_stale_closes(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The close of the row before repeated, although it lies outside the day's own low and high."""
    import polars as pl

    close = pl.col("close_fen_per_t")
    before = rows.filter(close.is_not_null()).sort("day").with_columns(_before=close.shift(1).over(_PART_OF))
    is_outside = (close < pl.col("low_fen_per_t")) | (close > pl.col("high_fen_per_t"))
    return mark_rows(
        before.filter((pl.col("volume_t") > 0) & (close == pl.col("_before")) & is_outside),
        "stale_close",
        found=pl.format("the close of the row before, {}", price_text("close_fen_per_t")),
        expected=pl.format("from {} to {}", price_text("low_fen_per_t"), price_text("high_fen_per_t")),
        source="C37: low <= close <= high",
    )


def find_half_figures(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Tonnes without value or value without tonnes, in feeds that print both on other rows."""
    import polars as pl

    volume, value = pl.col("volume_t").fill_null(0), pl.col("value_fen").fill_null(0)
    prints_both = (value > 0).any().over("feed") & (volume > 0).any().over("feed")
    return mark_rows(
        rows.filter(prints_both & ((volume > 0) != (value > 0))),
        "half_figure",
        found=pl.format("{} t and {} CNY", volume, (value / 100).round(2)),
        expected=pl.lit("tonnes and value together, or neither"),
        source="C37: value = price x volume",
    )


def find_outliers(rows: "pl.DataFrame") -> "pl.DataFrame":
    """A move of the listing close that both methods of `outliers` mark, as a note: large moves may be lawful.

    Moves are log returns between consecutive listing days with tonnes of one feed and product; the second method sees
    the size of the move, the logarithm of the tonnes and the day's range over the close.
    """
    import polars as pl

    is_listed = (pl.col("method") == LISTING) & (pl.col("volume_t") > 0) & (pl.col("close_fen_per_t") > 0)
    listed = rows.filter(is_listed).sort("day")
    if listed.is_empty():
        return no_anomalies()
    return pl.concat(
        [no_anomalies(), *(_outliers_of(part) for part in listed.partition_by(_PART_OF, maintain_order=True))]
    )


def _outliers_of(listed: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    close = pl.col("close_fen_per_t")
    spread = ((pl.col("high_fen_per_t") - pl.col("low_fen_per_t")) / close).fill_null(0.0)
    moves = listed.with_columns(
        close.cast(pl.Float64).log().diff().alias("_move"),
        pl.col("volume_t").log().alias("_size"),
        spread.alias("_spread"),
    ).slice(1)
    if moves.is_empty():
        return no_anomalies()
    robust = robust_scores(moves["_move"].to_numpy())
    isolation = isolation_scores(moves.select(pl.col("_move").abs(), "_size", "_spread").to_numpy())
    scored = moves.with_columns(pl.Series("_robust", robust).fill_nan(None), pl.Series("_isolation", isolation))
    both = (pl.col("_robust") > ROBUST_LIMIT) & (pl.col("_isolation") > ISOLATION_LIMIT)
    return mark_rows(
        scored.filter(both),
        "outlier",
        found=pl.format(
            "a move of {} %, {} usual moves, isolation {}",
            (pl.col("_move").exp() * 100 - 100).round(2),
            pl.col("_robust").round(1),
            pl.col("_isolation").round(2),
        ),
        expected=pl.lit(f"at most {ROBUST_LIMIT:g} usual moves, or isolation at most {ISOLATION_LIMIT:g}"),
        source="two methods in intersection (domain notes 7.3); both limits are assumed",
        severity=pl.lit("note"),
    )


Rule = Callable[["pl.DataFrame"], "pl.DataFrame"]

RULES: dict[str, Rule] = {
    "listing_beyond_limit": find_listing_beyond_limit,
    "block_beyond_limit": find_block_beyond_limit,
    "block_too_small": find_small_blocks,
    "closed_day": find_closed_days,
    "session_without_row": find_gaps,
    "price_without_tonnes": find_prices_without_tonnes,
    "stale_close": find_stale_closes,
    "half_figure": find_half_figures,
    "outlier": find_outliers,
}
