"""What the page of a market shows: its picture, its tables, and Wuhan's part in it.

Knows which rows of the API the page is made of. Knows no HTTP; the only arithmetic is sums of tonnes and their shares.
"""

from typing import Any, Final

import polars as pl
from sqlmodel import Session

from api import city_market, market_frames, queries
from api.store import Store
from api.web.market_chart import HEIGHT, WIDTH, Chart, choose_bucket, draw_chart
from carbon import facts
from carbon.calendar import market_sessions
from carbon.embedded import resolve_market
from carbon.units import cny_from_fen_expr

__all__ = ["market_names", "show_market"]

Row = dict[str, Any]
WUHAN: Final = "wuhan"
NATIONAL: Final = "CEA"
HUBEI: Final = "Hubei"
STACKED: Final = ("listing", "block", "auction", "all")
_EVERY: Final = {"day": "1d", "week": "1w", "month": "1mo"}


def market_names(store: Store) -> list[Row]:
    """Every market with its names, the national one first."""
    return queries.markets(store).sort(pl.col("scope") != "national", "market").to_dicts()


def show_market(store: Store, market: str) -> Row:
    """Data of a market's page, from loaded files where there are any, else from the embedded yearly sums.

    Raises UnknownMarket.
    """
    key = resolve_market(market)
    rows = market_names(store)
    years = queries.market_statistics(store, key, "year")
    months = queries.market_statistics(store, key, "month")
    bars = market_frames.bars(store, key)
    return {
        "market": next(row for row in rows if row["market"] == key),
        "markets": rows,
        "loaded": not bars.is_empty(),
        "years": years.reverse().to_dicts(),
        "months": months.reverse().to_dicts(),
        "blocks_unknown": bars["block_volume_t"].null_count() > 0,
        "feeds": bars["feed"].unique().sort().to_list(),
        "chart": _daily_chart(key, bars) if not bars.is_empty() else _yearly_chart(years),
        "size": {"width": WIDTH, "height": HEIGHT},
        "summary": _summary(bars) if not bars.is_empty() else None,
        **_show_wuhan(store, key),
    }


def _daily_chart(key: str, bars: pl.DataFrame) -> Chart:
    priced = bars.filter(pl.col("close_fen_per_t").is_not_null()).select(
        "day", price=cny_from_fen_expr("close_fen_per_t")
    )
    bucket = choose_bucket(bars.height)
    stacked = bars.with_columns(
        # Where a feed prints methods together, nothing else is known of the day.
        pl.when(pl.col("listing_volume_t").is_null()).then(pl.col("volume_t")).alias("all_volume_t"),
        start=pl.col("day").dt.truncate(_EVERY[bucket]),
    )
    amounts = (
        stacked.group_by("start", maintain_order=True)
        .agg(pl.col([f"{name}_volume_t" for name in STACKED]).sum())
        .with_columns(end=pl.col("start").dt.offset_by(_EVERY[bucket]).dt.offset_by("-1d"))
        .unpivot(index=["start", "end"], variable_name="method", value_name="volume_t")
        .with_columns(pl.col("method").str.strip_suffix("_volume_t"))
    )
    return draw_chart(_with_breaks(key, priced), amounts, bucket)


def _with_breaks(key: str, priced: pl.DataFrame) -> pl.DataFrame:
    """Add breaks: true where a session without a listed close lies before the day. In years that the calendar does not
    know the line is not broken.
    """
    sessions = market_sessions(key, priced["day"].dt.year().unique().to_list())
    missing = sessions.filter(~sessions.is_in(priced["day"].implode())).rename("missed").to_frame()
    before = priced.join_asof(
        missing.set_sorted("missed"), left_on="day", right_on="missed", strategy="backward", coalesce=False
    )
    return before.with_columns(breaks=(pl.col("missed") > pl.col("day").shift(1)).fill_null(False)).drop("missed")


def _yearly_chart(years: pl.DataFrame) -> Chart | None:
    """The embedded sums: a bar a year, and the year's average price as a level line."""
    if years.is_empty():
        return None
    spans = years.with_columns(
        start=pl.date(pl.col("period").cast(pl.Int32), 1, 1), end=pl.date(pl.col("period").cast(pl.Int32), 12, 31)
    )
    known = spans.drop_nulls("vwap_cny_per_t")
    ends = [known.select("period", day=pl.col(end), price="vwap_cny_per_t") for end in ("start", "end")]
    prices = pl.concat(ends).sort("day").with_columns(breaks=pl.col("period").ne_missing(pl.col("period").shift(1)))
    amounts = spans.select(pl.lit("all").alias("method"), "start", "end", "volume_t")
    return draw_chart(prices.select("day", "price", "breaks"), amounts, "year")


def _summary(bars: pl.DataFrame) -> Row:
    """The figures that the picture's description names."""
    priced = bars.drop_nulls("close_fen_per_t")
    last = priced.tail(1)
    told = bars.drop_nulls("block_volume_t")
    shares = told.select(pl.col("block_volume_t").sum() / pl.col("volume_t").sum())
    is_told = told.height == bars.height and told["volume_t"].sum() > 0
    return {
        "first": bars["day"].min(),
        "last": bars["day"].max(),
        "days": bars.height,
        "volume_t": bars["volume_t"].sum(),
        "close_day": last["day"].item() if last.height else None,
        "close": last.select(cny_from_fen_expr("close_fen_per_t")).item() if last.height else None,
        "block_share": shares.item() if is_told else None,
    }


def _show_wuhan(store: Store, key: str) -> Row:
    """Wuhan's facilities, and by year what its registry settles and its exchange trades."""
    with Session(store.engine) as session:
        facilities = facts.facilities(session).filter(pl.col("hub") == WUHAN)
    return {
        "wuhan_facilities": facilities.to_dicts(),
        "wuhan_years": city_market.city_market(store, WUHAN, "year").reverse().to_dicts(),
        "wuhan_role": "custody" if key == NATIONAL else "exchange" if key == HUBEI else "none",
        "custody_since": facilities.filter(pl.col("role") == "registry")["since"].min(),
    }
