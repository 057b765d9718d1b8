"""What is made of the kernel's sums: statistics by market and period, vintage and method.

Knows how sums of files are put together and which statistic comes of which. Must not know files, tables or engines.
The measures of days (prices, returns, volatility, liquidity, spread, sessions, blocks) are those of
`carbon.periods.traded_statistics` on the same days, so that each is defined once; concentration is that of
`carbon.statistics.herfindahl`. Participants are summed by month, so that days and weeks know none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal, get_args

from carbon.periods import Span, UnknownBreakdown, period_name, traded_statistics
from carbon.periods import statistics_schema as statistics_of_days_schema
from carbon.rows import LISTING, METHOD_NAMES, PARTS
from carbon.trades.kernel import Partials, merge_days, merge_parties
from carbon.turnover import add_turnover

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from carbon.listed import Split

__all__ = ["PartySpan", "combine", "participants", "participants_schema", "statistics_schema"]

PartySpan = Literal["month", "quarter", "year", "all"]
"""The periods that participants are known by."""

_PARTY_EVERY = {"quarter": "1q", "year": "1y"}
_PRICES = tuple(f"{name}_fen_per_t" for name in ("open", "high", "low", "close"))
_FEED = "trades"


def statistics_schema() -> dict[str, type[pl.DataType]]:
    """Columns and types of `combine`: those of `carbon.periods.statistics_schema` without product and hhi_vintage, the
    number of trades, who traded, and turnover."""
    import polars as pl

    of_days = {
        name: kind for name, kind in statistics_of_days_schema().items() if name not in ("product", "hhi_vintage")
    }
    last = {name: of_days.pop(name) for name in ("first_day", "last_day", "feed")}
    keys = {name: of_days.pop(name) for name in ("market", "period", "by", "vintage", "method")}
    return {
        **keys,
        "trades": pl.Int64,
        **of_days,
        **dict.fromkeys(("buyers", "sellers", "participants"), pl.Int64),
        **dict.fromkeys(("buyer_hhi", "seller_hhi", "buyer_known_share", "seller_known_share"), pl.Float64),
        **{"turnover": pl.Float64, "allowances_t": pl.Int64, "allowances_source": pl.String},
        **last,
    }


def combine(
    parts: Sequence[Partials],
    *,
    by: Span,
    sessions: pl.Series | None = None,
    split: tuple[Split, ...] = (),
    allowances: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row a market, period and split with trades, ascending, in `statistics_schema`.

    parts : sums of files, in any order, all with this split, of "vintage" and "method"
    sessions : ascending session days, for calendar_sessions and continuity; each market's own without them
    allowances : in issue by market and period (`carbon.turnover.read_allowances`), for turnover; null without

    vintage, method : null where all are together. Prices, returns and what is made of them are those of
    `carbon.periods.market_statistics`, where the last listed trade of a day closes it: all products of the group
    together (split by vintage to see the returns of each); a return runs from the listed close before, across borders
    of periods and files. The blocks of a day are one price beside that close.
    buyers, sellers, participants : how many are known, null where nobody is; buyer_hhi, seller_hhi : sum of squared
    shares of the known tonnes; buyer_known_share, seller_known_share : known tonnes / tonnes. All null by day and week.
    """
    import polars as pl

    if not parts:
        return pl.DataFrame(schema=statistics_schema())
    keys = ["market", "period", *split]
    days = _with_method_names(_merged_days(parts, split), split)
    counts = days.group_by("market", period_name(pl.col("day"), by).alias("period"), *split).agg(pl.col("trades").sum())
    told = (
        traded_statistics(_traded(days, split), by=by, split=split, sessions=sessions)
        .join(counts, on=keys, how="left", nulls_equal=True)
        .join(_parties(parts, by, split), on=keys, how="left", nulls_equal=True)
    )
    known = pl.col("buyer_known_t", "seller_known_t")
    complete = _with_turnover(told, allowances).with_columns(
        known.truediv(pl.col("volume_t")).name.replace("_t$", "_share")
    )
    schema = statistics_schema()
    return complete.select(pl.col(name).cast(kind) for name, kind in schema.items()).sort(
        "market", "period", "vintage", "method"
    )


def participants_schema() -> dict[str, type[pl.DataType]]:
    """Columns and types of `participants`."""
    import polars as pl

    return {
        **{"market": pl.String, "period": pl.String, "by": pl.String, "vintage": pl.Int32, "method": pl.String},
        **{"participant": pl.Int32, "name": pl.String},
        **{"bought_t": pl.Int64, "sold_t": pl.Int64, "net_t": pl.Int64},
        **{"bought_share": pl.Float64, "sold_share": pl.Float64},
    }


def participants(
    parts: Sequence[Partials], *, by: PartySpan, split: tuple[Split, ...] = (), names: pl.DataFrame | None = None
) -> pl.DataFrame:
    """What each participant bought and sold, in `participants_schema`: by market, period and split, the largest first.

    parts, split : as for `combine`; names : participant (code) and name, where names are known
    participant : null for the tonnes whose buyer or seller is not known; so both sides add up to the volume of the
    period. bought_share, sold_share : of all tonnes of the period, known or not; net_t : bought less sold.
    Raises UnknownBreakdown for a day or week: sums of participants are kept by month.
    """
    import polars as pl

    if by not in get_args(PartySpan):
        known = ", ".join(get_args(PartySpan))
        raise UnknownBreakdown(f"found period {by!r}, expected one of {known}: participants are summed by month")
    if not parts:
        return pl.DataFrame(schema=participants_schema())
    keys = ["market", "month", *split]
    periods = pl.concat(part.parties for part in parts).with_columns(_first_month(by).alias("month"))
    sums = _with_method_names(
        periods.group_by(*keys, participant="party").agg(pl.col("bought_t", "sold_t").sum()), split
    )
    unnamed = pl.DataFrame(schema={"participant": pl.Int32, "name": pl.String})
    told = sums.join(unnamed if names is None else names, on="participant", how="left").with_columns(
        period=period_name(pl.col("month"), by),
        by=pl.lit(by),
        net_t=pl.col("bought_t") - pl.col("sold_t"),
        bought_share=pl.col("bought_t") / pl.col("bought_t").sum().over(keys),
        sold_share=pl.col("sold_t") / pl.col("sold_t").sum().over(keys),
        **{part: pl.lit(None) for part in ("vintage", "method") if part not in split},
    )
    largest = (pl.col("bought_t") + pl.col("sold_t")).neg()
    return told.select(pl.col(name).cast(kind) for name, kind in participants_schema().items()).sort(
        "market", "period", "vintage", "method", largest, "participant"
    )


def _merged_days(parts: Sequence[Partials], split: tuple[Split, ...]) -> pl.DataFrame:
    """One row a market, day and split; merged only where files hold the same days, which takes time."""
    import polars as pl

    days = pl.concat(part.days for part in parts)
    keys = ["market", "day", *split]
    return merge_days(days, split) if days.select(keys).is_duplicated().any() else days.sort(keys)


def _with_method_names(frame: pl.DataFrame, split: tuple[Split, ...]) -> pl.DataFrame:
    import polars as pl

    name = pl.col("method").replace_strict(METHOD_NAMES, return_dtype=pl.String)
    return frame.with_columns(name) if "method" in split else frame


def _traded(days: pl.DataFrame, split: tuple[Split, ...]) -> pl.DataFrame:
    """The days as `carbon.listed.traded_rows` gives those of bars: one row a market, day, vintage and method."""
    import polars as pl

    vintage = pl.col("vintage").cast(pl.Int32) if "vintage" in split else pl.lit(None, pl.Int32)
    rows = []
    for code in PARTS:
        name = METHOD_NAMES[code]
        prices = [pl.col(price) if code == LISTING else pl.lit(None, pl.Int64).alias(price) for price in _PRICES]
        rows.append(
            days.filter(pl.col(f"{name}_volume_t") > 0).select(
                "market",
                "day",
                # Vintages are what trades are told apart by; each is a product of its own, and so are those of none.
                vintage.cast(pl.String).fill_null("").alias("product"),
                vintage.alias("vintage"),
                pl.lit(name).alias("method"),
                pl.lit(True).alias("method_known"),
                *prices,
                pl.col(f"{name}_volume_t").alias("volume_t"),
                pl.col(f"{name}_value_fen").alias("value_fen"),
                pl.lit(_FEED).alias("feed"),
            )
        )
    return pl.concat(rows).sort("market", "day", "product", "method")


def _with_turnover(statistics: pl.DataFrame, allowances: pl.DataFrame | None) -> pl.DataFrame:
    import polars as pl

    if allowances is None:
        return statistics.with_columns(turnover=pl.lit(None), allowances_t=pl.lit(None), allowances_source=pl.lit(None))
    return add_turnover(statistics, allowances)


def _parties(parts: Sequence[Partials], by: Span, split: tuple[Split, ...]) -> pl.DataFrame:
    """Counts and concentration of buyers and sellers, by market, period and split; no row by day and week."""
    import numpy as np
    import polars as pl

    keys = ["market", "month", *split]
    # A market and year at a time stays in the processor's cache.
    pieces = [
        (parties, starts, _concentration(parties, starts))
        for parties in _parties_of_periods(parts, by, split)
        for starts in [_starts(parties, keys)]
    ]
    heads = {name: pl.concat(parties[name].gather(starts) for parties, starts, _ in pieces) for name in keys}
    counts = {name: np.concatenate([counts[name] for *_, counts in pieces]) for name in pieces[0][2]}
    found = _with_method_names(pl.DataFrame(heads | counts), split)
    nobody = {f"{side}{end}": f"{side}_known_t" for side in ("buyer", "seller") for end in ("s", "_hhi")}
    nobody["participants"] = "participants"
    known = found.with_columns(pl.when(pl.col(tonnes) > 0).then(pl.col(name)) for name, tonnes in nobody.items())
    return known.with_columns(period=period_name(pl.col("month"), by)).drop("month")


def _parties_of_periods(parts: Sequence[Partials], by: Span, split: tuple[Split, ...]) -> list[pl.DataFrame]:
    """The sums of participants by market and period, those of a period in one frame; an empty one by day and week."""
    import polars as pl

    if by not in get_args(PartySpan):
        return [parts[0].parties.clear()]
    files: dict[object, list[pl.DataFrame]] = {}
    for part in parts:
        market, month, *_ = part.parties.row(0)
        files.setdefault(market if by == "all" else (market, month.year), []).append(part.parties)
    # A file holds each month and party once: only several files, or longer periods, need to be added up.
    return [
        frames[0]
        if by == "month" and len(frames) == 1
        else merge_parties(pl.concat(frames).with_columns(_first_month(by).alias("month")), split)
        for frames in files.values()
    ]


def _first_month(by: Span) -> pl.Expr:
    """The month that stands for the whole period of each month."""
    import polars as pl

    if by == "all":
        return pl.lit(date(1970, 1, 1))
    return pl.col("month").dt.truncate(_PARTY_EVERY[by]) if by in _PARTY_EVERY else pl.col("month")


def _starts(parties: pl.DataFrame, keys: list[str]) -> NDArray[np.int64]:
    """Where each run of equal keys begins."""
    import numpy as np

    is_first = np.ones(parties.height, np.bool_)
    is_first[1:] = False
    for name in keys[1:]:  # Of one market.
        column = parties[name].to_physical()
        is_first[1:] |= np.diff(column.fill_null(0).to_numpy()) != 0
        if column.null_count():
            is_first[1:] |= np.diff(column.is_null().to_numpy())
    return np.flatnonzero(is_first)


def _concentration(parties: pl.DataFrame, starts: NDArray[np.int64]) -> dict[str, NDArray[np.int64 | np.float64]]:
    """Known tonnes, counts and concentration of each run that begins at a start; zero where nobody is known."""
    import numpy as np

    is_known = parties["party"].is_not_null().to_numpy()
    counts: dict[str, NDArray[np.int64 | np.float64]] = {}
    for side, column in (("buyer", "bought_t"), ("seller", "sold_t")):
        tonnes = np.where(is_known, parties[column].to_numpy(), 0)
        sums = np.add.reduceat(tonnes, starts)
        counts[f"{side}_known_t"] = sums
        counts[f"{side}s"] = np.add.reduceat((tonnes > 0).astype(np.int64), starts)
        counts[f"{side}_hhi"] = _herfindahls(tonnes, sums, starts)
    counts["participants"] = np.add.reduceat(is_known.astype(np.int64), starts)
    return counts


def _herfindahls(tonnes: NDArray[np.int64], sums: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """`carbon.statistics.herfindahl` of each run that begins at a start; 0 where it adds up to nothing."""
    import numpy as np

    whole = np.repeat(np.maximum(sums, 1), np.diff(starts, append=tonnes.size))
    squares: NDArray[np.float64] = np.add.reduceat((tonnes / whole) ** 2, starts)
    return squares
