"""A city's part of the carbon market, period by period: its custody, its pilot exchange, and its shares.

Knows which trades count as screen trades and which as all venues, and how shares are taken. Must not know files, SQL,
any one city or today's date. Pure: frames in, frames out. Screen trades and all-venue totals are two fields and are
never added or mixed: what one feed prints as total may hold block, auction and negotiated deals of the other's days.
What all venues are is the feed's own claim; no figure here adds forward trade, which no daily file carries.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from carbon.attribution import By, MarketFrames, attribute_markets
from carbon.market import SCREEN_ONLY_FEEDS, choose_feeds
from carbon.rows import LISTING

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "EMBEDDED_VENUES",
    "VENUES",
    "Venue",
    "city_standing",
    "comparable_figures",
    "venue_days",
    "venue_periods",
    "venues_schema",
    "with_embedded_years",
]

Venue = Literal["screen", "all_venue"]
VENUES: Final[tuple[Venue, ...]] = ("screen", "all_venue")

EMBEDDED_VENUES: Final[Mapping[str, Venue]] = {"Hubei": "screen", "CEA": "all_venue"}
"""What the embedded yearly figures count: Wind's Hubei series holds screen trades only, the national series listing,
block and auction together (confidence H: the research notes on scope of volume, splice exact to the tonne). Of the
other pilots it is not stated, so that they stand in neither field."""

_FORMS: Final[Mapping[By, str]] = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


def venues_schema() -> "dict[str, type[pl.DataType]]":
    """Columns of figures by venue: market, period, venue (screen | all_venue) String, volume_t and value_fen Int64
    (value null where the feed prints none), days Int64 (with tonnes; null where not known), first_day, last_day Date,
    source String.
    """
    import polars as pl

    return {
        **{"market": pl.String, "period": pl.String, "venue": pl.String, "volume_t": pl.Int64, "value_fen": pl.Int64},
        **{"days": pl.Int64, "first_day": pl.Date, "last_day": pl.Date, "source": pl.String},
    }


def venue_days(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Screen trades and all-venue totals of each market and day, a row each, in `venues_schema`.

    rows : canonical rows of any markets and feeds
    Screen trades are the listing rows of the best feed that has any (`carbon.market.choose_feeds`). All-venue totals
    are all rows of the best feed that does not print screen trades only: one that tells methods apart or one that
    prints them together. Rows of one feed only make a figure, so that no tonne counts twice.
    """
    import polars as pl

    parts = {
        "screen": rows.filter(pl.col("method") == LISTING),
        "all_venue": rows.filter(~pl.col("feed").is_in(list(SCREEN_ONLY_FEEDS))),
    }
    found = [_best_feed(part).with_columns(venue=pl.lit(venue)) for venue, part in parts.items()]
    days = pl.concat(found).with_columns(
        period=pl.col("day").dt.strftime(_FORMS["day"]),
        days=(pl.col("volume_t") > 0).cast(pl.Int64),
        first_day="day",
        last_day="day",
        source="feed",
    )
    return days.select(pl.col(name).cast(kind) for name, kind in venues_schema().items()).sort(
        "market", "venue", "first_day"
    )


def _best_feed(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Tonnes and fen a market and day of the feed that comes first: market, day, volume_t, value_fen, feed."""
    import polars as pl

    return (
        choose_feeds(rows)
        .group_by("market", "day")
        .agg(_whole_sum("volume_t"), _whole_sum("value_fen"), pl.col("feed").first())
    )


def _whole_sum(name: str) -> "pl.Expr":
    """The sum of a column; null as soon as one value is not known."""
    import polars as pl

    return pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name)


def venue_periods(days: "pl.DataFrame", by: By) -> "pl.DataFrame":
    """The same figures by day, month or year, in `venues_schema`; the source names every feed that made the period.

    days : result of `venue_days`
    """
    import polars as pl

    grouped = (
        days.with_columns(period=pl.col("first_day").dt.strftime(_FORMS[by]))
        .group_by("market", "period", "venue")
        .agg(
            _whole_sum("volume_t"),
            _whole_sum("value_fen"),
            pl.col("days").sum(),
            pl.col("first_day").min(),
            pl.col("last_day").max(),
            pl.format("loaded: {}", pl.col("source").unique().sort().str.join(", ")).first().alias("source"),
        )
    )
    return grouped.select(venues_schema().keys()).sort("market", "venue", "period")


def with_embedded_years(venues: "pl.DataFrame", embedded: "pl.DataFrame") -> "pl.DataFrame":
    """Yearly figures by venue, with the embedded ones where the loaded ones of the same venue are less complete.

    venues : result of `venue_periods` by year; embedded : `carbon.facts.market_periods` by year, origin embedded
    Loaded figures stay where they reach over the embedded first_day..last_day with at least as many days with tonnes:
    the rule of `carbon.facts.market_years`, here for each venue. An embedded figure enters the venue that
    EMBEDDED_VENUES names for its market, no other.
    """
    import polars as pl

    key = ["market", "period", "venue"]
    named = embedded.filter(pl.col("market").is_in(list(EMBEDDED_VENUES)))
    wanted = named.select(
        *("market", "period"),
        pl.col("market").replace_strict(dict(EMBEDDED_VENUES), return_dtype=pl.String).alias("venue"),
        *("volume_t", "value_fen"),
        pl.col("sessions").alias("days"),
        *("first_day", "last_day"),
        pl.format("embedded: {}", "source").alias("source"),
    )
    both = venues.join(wanted, on=key, suffix="_embedded")
    complete = both.filter(
        (pl.col("first_day") <= pl.col("first_day_embedded"))
        & (pl.col("last_day") >= pl.col("last_day_embedded"))
        & (pl.col("days") >= pl.col("days_embedded"))
    )
    taken = wanted.join(complete, on=key, how="anti")
    kept = venues.join(taken, on=key, how="anti")
    return pl.concat([kept, taken]).sort("market", "venue", "period")


def city_standing(
    market: MarketFrames, venues: "pl.DataFrame", periods: "pl.DataFrame", hub: str, *, by: By
) -> "pl.DataFrame":
    """One row for each period in which the national market or the hub's own pilot has a figure, ascending.

    market : figures of all markets (with scope in `markets`); venues : result of `venue_periods` or
    `with_embedded_years` of the same kind of period; periods : result of `carbon.attribution.period_frame`

    hub, period, by; custody_volume_t and settled_value_fen (of the national market: what the registry in the hub
    registers and settles, from the day it began; where the pilots' registries sit is mostly not known),
    custody_source; national_volume_t, national_value_fen; custody_share_of_national and traded_share_of_national
    (0..1, of tonnes: the registry's and the exchange's part); pilot_screen_ and pilot_all_venue_ volume_t, value_fen,
    days, source of the pilot exchanges in the hub; pilot_all_venue_is_low (true where fewer tonnes are known of all
    venues than of the screen alone, so that the feed must have left sessions out); pilot_volume_t (the figure that
    shares are taken of, as `carbon.facts` chooses it, whatever its venue) with pilot_source; pilots_volume_t (all
    pilots; null where one lacks or is known in part), pilots_known_t (what is known), pilots_missing and
    pilots_partial (pilots without figure, and with a figure for part of the period, by "; "); pilot_share (of all
    pilots) and pilot_share_at_most (of what is known, so an upper bound; null where the hub's own figure is a part).
    A share is null where a figure lacks or the whole is zero.
    """
    import polars as pl

    national, pilots = (_of_scope(market, scope) for scope in ("national", "pilot"))
    in_nation = _of_hub(attribute_markets(national, periods, hubs=[hub]), hub)
    in_pilots = _of_hub(attribute_markets(pilots, periods, hubs=[hub]), hub)
    seated = _pilots_seated(market, hub)
    told = pl.concat([national.figures["period"], _figures_of(market, seated)["period"]]).unique().implode()
    rows = (
        in_nation.select(
            "period", "custody_volume_t", "settled_value_fen", "custody_source", nation_traded="traded_volume_t"
        )
        .join(_scope_sums(national, periods, "national"), on="period", how="left")
        .join(_scope_sums(pilots, periods, "pilots"), on="period", how="left")
        .join(in_pilots.select("period", pilot_volume_t="traded_volume_t", pilot_source="traded_source"), on="period")
        .with_columns(own_is_partial=pl.col("period").is_in(_partial_periods(market, seated)))
    )
    for venue in VENUES:
        rows = rows.join(_venue_of(venues, seated, venue), on="period", how="left")
    shared = rows.filter(pl.col("period").is_in(told)).with_columns(
        hub=pl.lit(hub),
        by=pl.lit(by),
        custody_share_of_national=_share("custody_volume_t", "national_volume_t"),
        traded_share_of_national=_share("nation_traded", "national_volume_t"),
        pilot_all_venue_is_low=pl.col("pilot_all_venue_volume_t") < pl.col("pilot_screen_volume_t"),
        pilot_share=_share("pilot_volume_t", "pilots_volume_t"),
        pilot_share_at_most=pl.when(~pl.col("own_is_partial")).then(_share("pilot_volume_t", "pilots_known_t")),
    )
    return shared.select(_COLUMNS).sort("period")


_VENUE_COLUMNS: Final = [
    f"pilot_{venue}_{name}" for venue in VENUES for name in ("volume_t", "value_fen", "days", "source")
]
_COLUMNS: Final = [
    *("hub", "period", "by", "custody_volume_t", "settled_value_fen", "custody_source"),
    *("national_volume_t", "national_value_fen", "custody_share_of_national", "traded_share_of_national"),
    *_VENUE_COLUMNS,
    "pilot_all_venue_is_low",
    *("pilot_volume_t", "pilot_source", "pilots_volume_t", "pilots_known_t", "pilots_missing", "pilots_partial"),
    *("pilot_share", "pilot_share_at_most"),
]


def _of_hub(rows: "pl.DataFrame", hub: str) -> "pl.DataFrame":
    import polars as pl

    return rows.filter(pl.col("hub") == hub)


def _of_scope(market: MarketFrames, scope: str) -> MarketFrames:
    import polars as pl

    markets = market.markets.filter(pl.col("scope") == scope)
    figures = market.figures.join(markets.select("market"), on="market", how="semi")
    return MarketFrames(figures=figures, markets=markets, facilities=market.facilities)


def _figures_of(market: MarketFrames, keys: "pl.DataFrame") -> "pl.DataFrame":
    return market.figures.join(keys, on="market", how="semi")


def _pilots_seated(market: MarketFrames, hub: str) -> "pl.DataFrame":
    """The pilot markets whose exchange sits in the hub: market."""
    import polars as pl

    seats = market.facilities.filter((pl.col("role") == "exchange") & (pl.col("hub") == hub))
    pilots = market.markets.filter(pl.col("scope") == "pilot")
    return pilots.join(seats.select("market"), on="market", how="semi").select("market")


def _partial_periods(market: MarketFrames, keys: "pl.DataFrame") -> "pl.Series":
    """The periods of which one of these markets' figures covers a part only, as one list."""

    return _figures_of(market, keys).filter(~_is_whole())["period"].unique().implode()


def _is_whole() -> "pl.Expr":
    import polars as pl

    return pl.col("coverage").str.starts_with("whole_").fill_null(False)


def _scope_sums(market: MarketFrames, periods: "pl.DataFrame", name: str) -> "pl.DataFrame":
    """Sums over all markets of a scope that were open: period, {name}_volume_t, {name}_value_fen (null where one
    lacks; of pilots also where one is known in part), {name}_known_t, {name}_missing, {name}_partial. A period before
    the first opening is zero.
    """
    import polars as pl

    opened = market.markets.select("market", "opened").join(periods, how="cross")
    figures = market.figures.select("market", "period", "volume_t", "value_fen", is_whole=_is_whole())
    partial = pl.col("volume_t").is_not_null() & ~pl.col("is_whole")
    # Of one market a part is still its figure, and says so; a sum over some whole markets and some parts is neither.
    adds_up = ~partial.any() | (pl.len() == 1)
    volume, value, known, missing, parts = (
        f"{name}_{ending}" for ending in ("volume_t", "value_fen", "known_t", "missing", "partial")
    )
    sums = (
        opened.filter(pl.col("opened") <= pl.col("end"))
        .join(figures, on=["market", "period"], how="left")
        .group_by("period")
        .agg(
            pl.when(adds_up).then(_whole_sum("volume_t")).alias(volume),
            pl.when(adds_up).then(_whole_sum("value_fen")).alias(value),
            pl.col("volume_t").sum().alias(known),
            pl.col("market").filter(pl.col("volume_t").is_null()).sort().str.join("; ").alias(missing),
            pl.col("market").filter(partial).sort().str.join("; ").alias(parts),
        )
    )
    whole = periods.select("period").join(sums, on="period", how="left")
    before = pl.col(missing).is_null()
    return whole.with_columns(
        *(pl.when(before).then(0).otherwise(pl.col(amount)).alias(amount) for amount in (volume, value, known)),
        *(pl.when(pl.col(text) != "").then(text).alias(text) for text in (missing, parts)),
    )


def _venue_of(venues: "pl.DataFrame", seated: "pl.DataFrame", venue: Venue) -> "pl.DataFrame":
    """One venue's figures of the seated pilots, a row a period, in columns pilot_{venue}_..."""
    import polars as pl

    own = venues.filter(pl.col("venue") == venue).join(seated, on="market", how="semi")
    return own.group_by("period").agg(
        _whole_sum("volume_t").alias(f"pilot_{venue}_volume_t"),
        _whole_sum("value_fen").alias(f"pilot_{venue}_value_fen"),
        _whole_sum("days").alias(f"pilot_{venue}_days"),
        pl.format("{}: {} ({} to {})", "market", "source", "first_day", "last_day")
        .sort()
        .str.join("; ")
        .alias(f"pilot_{venue}_source"),
    )


def _share(part: str, whole: str) -> "pl.Expr":
    import polars as pl

    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))


def comparable_figures(days: "pl.DataFrame", years: "pl.DataFrame", markets: "pl.DataFrame") -> "pl.DataFrame":
    """What printed facts are compared with: daily figures by venue where there are any, else yearly ones.

    days : of `venue_days`; years : of `carbon.facts.market_years`; markets : market, scope, opened
    Result: market, venue, first_day, last_day, volume_t, value_cny, whole, source, as `carbon.printed_facts` reads
    them. All pilots together have one figure a year, venue "as_stored": the sum of what each source prints.
    """
    import polars as pl

    from carbon.printed_facts import PILOTS
    from carbon.units import cny_from_fen_expr

    columns = ["market", "venue", "first_day", "last_day", "volume_t", "value_fen", "whole", "source"]
    daily = days.with_columns(whole=pl.lit(True)).select(columns)
    spans = years.join(markets.select("market", "scope", "opened"), on="market").with_columns(
        whole=pl.col("coverage") == "whole_year",
        first_day=pl.max_horizontal(pl.date("year", 1, 1), "opened"),
        last_day=pl.when(pl.col("coverage") == "whole_year").then(pl.date("year", 12, 31)).otherwise("last_day"),
    )
    yearly = (
        spans.filter(pl.col("market").is_in(list(EMBEDDED_VENUES)))
        .with_columns(venue=pl.col("market").replace_strict(dict(EMBEDDED_VENUES), return_dtype=pl.String))
        .join(daily.select("market", "venue").unique(), on=["market", "venue"], how="anti")
        .select(columns)
    )
    all_pilots = spans.filter(pl.col("scope") == "pilot")
    wanted = markets.filter(pl.col("scope") == "pilot").height
    together = all_pilots.group_by("year").agg(
        pl.lit(PILOTS).alias("market"),
        pl.lit("as_stored").alias("venue"),
        pl.date("year", 1, 1).first().alias("first_day"),
        pl.date("year", 12, 31).first().alias("last_day"),
        pl.col("volume_t", "value_fen").sum(),
        (pl.col("whole").all() & (pl.len() == wanted)).alias("whole"),
        pl.format("{} {}", "market", pl.col("coverage").str.replace_all("_", " "))
        .sort()
        .str.join(", ")
        .alias("source"),
    )
    merged = pl.concat([daily, yearly, together.select(columns)])
    return merged.with_columns(value_cny=cny_from_fen_expr("value_fen")).drop("value_fen")
