"""Tidy series of the carbon markets, and the list of them.

Knows where the figures of a series come from (loaded rows, embedded years, loaded rates) and how a series is laid on
its calendar. Knows no HTTP. Frames out; without trade a value is null, and nothing is carried forward unless asked for
and marked.
"""

from datetime import date
from typing import Final, Literal

import polars as pl
from sqlmodel import Session

from api import queries
from api.market_frames import BadParameter, check_span, within
from api.market_rates import with_rates
from api.market_series import BY, FREQUENCIES, MEASURES, METHODS, Frequency, Measure, SeriesId, write_series_id
from api.store import Store
from carbon.calendar import market_sessions
from carbon.embedded import resolve_market
from carbon.facts import market_periods
from carbon.lake import lake_markets, read_rows
from carbon.listed import Split
from carbon.periods import market_statistics
from carbon.rows import rows_schema
from carbon.units import cny_from_fen_expr

__all__ = ["LIST_SCHEMA", "SERIES_SCHEMA", "Fill", "SeriesCurrency", "list_series", "series_rows"]

Fill = Literal["none", "forward"]
SeriesCurrency = Literal["local", "CNY", "EUR"]

_EVERY: Final = {"d": "1d", "m": "1mo", "q": "1q", "y": "1y"}
_FORMAT: Final = {"d": "%Y-%m-%d", "m": "%Y-%m", "y": "%Y"}
_PARTS: Final = ("market", "vintage", "method", "measure")
_SPAN: Final = ("first", "last", "source")
_EMBEDDED: Final = ("close", "vwap", "volume", "value", "sessions")

LIST_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(("series_id", "market", "measure"), pl.String()),
        "vintage": pl.Int32(),
        **dict.fromkeys(("method", "unit", "currency", "frequency"), pl.String()),
        **dict.fromkeys(("first", "last"), pl.Date()),
        "source": pl.String(),
    }
)
SERIES_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(("series_id", "period"), pl.String()),
        "day": pl.Date(),
        "value": pl.Float64(),
        **dict.fromkeys(("unit", "currency"), pl.String()),
        **dict.fromkeys(("value_cny", "value_eur", "rate"), pl.Float64()),
        "rate_day": pl.Date(),
        "filled": pl.Boolean(),
        **dict.fromkeys(("source", "note"), pl.String()),
    }
)


def list_series(
    store: Store, *, market: str | None = None, measure: str | None = None, frequency: Frequency | None = None
) -> pl.DataFrame:
    """Every series that has figures, in `LIST_SCHEMA`, ascending by id: those of loaded rows, and by year those of
    embedded sums.

    first, last : first and last day of its figures; source : feeds and publishers, joined by `;`.
    Raises UnknownMarket, and BadParameter for a measure that does not exist.
    """
    if measure is not None and measure not in MEASURES:
        raise BadParameter("measure", measure, f"one of {', '.join(MEASURES)}")
    keys = lake_markets(store.lake) if market is None else [resolve_market(market)]
    loaded = pl.concat([pl.DataFrame(schema=rows_schema()), *[read_rows(store.lake, key) for key in keys]])
    spans = [_loaded_spans(loaded), _embedded_spans(store, None if market is None else keys[0])]
    found = (
        pl.concat(spans)
        .filter(_equals("measure", measure), _equals("frequency", frequency))
        .group_by(*_PARTS, "frequency")
        .agg(pl.col("first").min(), pl.col("last").max(), pl.col("source").unique().sort().str.join(";"))
    )
    currency = dict(queries.markets(store).select("market", "currency").iter_rows())
    rows = [{**row, **_named(row, currency[row["market"]])} for row in found.iter_rows(named=True)]
    return pl.DataFrame(rows, schema=LIST_SCHEMA).sort("series_id")


def series_rows(
    store: Store,
    series: SeriesId,
    *,
    start: date | None = None,
    end: date | None = None,
    currency: SeriesCurrency = "local",
    fill: Fill = "none",
) -> pl.DataFrame:
    """One series in `SERIES_SCHEMA`, ascending: a row for each session day (d) or period (m, q, y) from its first to
    its last figure, and for days with trades that the calendar does not know. No rows where it has no figures.

    day : the day, or the first one of the period; value : in the row's unit and currency, null without trade.
    currency : of `value`; value_cny and value_eur stand beside it, null for measures that are no money.
    fill : "forward" carries prices, never amounts or shares, over days and periods without trade, marked filled.
    rate : EUR for one unit of the market's currency, that of rate_day, the last day with a rate that is not after the
    day (of a period: after its last day with trades). start, end : days, both included. source : feed or publisher.
    Raises UnknownMarket, BadParameter.
    """
    check_span(start, end)
    key = resolve_market(series.market)
    measure = MEASURES[series.measure]
    local = str(queries.markets(store).filter(pl.col("market") == key)["currency"].item())
    figures = _loaded_figures(store, key, series, measure)
    if series.frequency == "y" and series.measure in _EMBEDDED and series.vintage is None and series.method is None:
        years = _embedded_years(store).filter(pl.col("market") == key)
        known = years.select("day", "until", pl.col(series.measure).alias("value"), "source")
        figures = pl.concat([figures, known.join(figures, on="day", how="anti")])
    laid = _on_calendar(figures.drop_nulls("value"), key, series.frequency)
    gaps = pl.col("value").is_null()
    if fill == "forward" and measure.is_price:
        laid = laid.with_columns(gaps.alias("filled"), pl.col("value", "source").forward_fill())
    else:
        laid = laid.with_columns(pl.lit(False).alias("filled"))
    name = SeriesId(key, series.measure, series.frequency, series.vintage, series.method)
    shown = _in_currencies(store, laid.filter(within(start, end)), measure, local, currency)
    typed = shown.with_columns(pl.lit(write_series_id(name)).alias("series_id"), _period(series.frequency))
    return typed.select(pl.col(column).cast(kind) for column, kind in SERIES_SCHEMA.items())


def _equals(column: str, wanted: str | None) -> pl.Expr:
    return pl.lit(True) if wanted is None else pl.col(column) == wanted


def _named(row: dict[str, object], currency: str) -> dict[str, object]:
    measure = MEASURES[str(row["measure"])]
    series = SeriesId(**{part: row[part] for part in (*_PARTS, "frequency")})  # type: ignore[arg-type]
    return {
        "series_id": write_series_id(series),
        "unit": measure.unit.format(currency=currency),
        "currency": currency if measure.is_money else None,
    }


def _loaded_spans(rows: pl.DataFrame) -> pl.DataFrame:
    """Every series of the loaded rows that has a figure: its identity, first, last, source."""
    splits: tuple[tuple[Split, ...], ...] = ((), ("vintage",), ("method",), ("vintage", "method"))
    return pl.concat(_spans_of(rows, split, each) for split in splits for each in FREQUENCIES)


def _spans_of(rows: pl.DataFrame, split: tuple[Split, ...], frequency: Frequency) -> pl.DataFrame:
    names = [
        name
        for name, measure in MEASURES.items()
        if (measure.daily or frequency != "d") and (measure.by_method or "method" not in split)
    ]
    made = market_statistics(rows, by=BY[frequency], split=split).drop_nulls(list(split))
    told = made.filter(pl.col("method").is_null() | pl.col("method").is_in(list(METHODS)))
    figures = told.select(
        *("market", "vintage", "method", "first_day", "last_day", "feed"),
        *[pl.col(MEASURES[name].column).cast(pl.Float64).alias(name) for name in names],
    )
    parts = ["market", "vintage", "method", "first_day", "last_day", "feed"]
    spans = figures.unpivot(names, index=parts, variable_name="measure", value_name="figure").drop_nulls("figure")
    return (
        spans.group_by("market", "vintage", "method", "measure")
        .agg(
            pl.col("first_day").min().alias("first"),
            pl.col("last_day").max().alias("last"),
            pl.col("feed").unique().sort().str.join(";").alias("source"),
        )
        .select(*_PARTS, pl.lit(frequency).alias("frequency"), *_SPAN)
    )


def _embedded_spans(store: Store, key: str | None) -> pl.DataFrame:
    """The yearly series of the embedded sums: identity, first, last, source."""
    years = _embedded_years(store).filter(_equals("market", key))
    figures = years.unpivot(
        list(_EMBEDDED), index=["market", "first", "until", "source"], variable_name="measure", value_name="figure"
    )
    return figures.drop_nulls("figure").select(
        "market",
        pl.lit(None, pl.Int32).alias("vintage"),
        pl.lit(None, pl.String).alias("method"),
        "measure",
        pl.lit("y").alias("frequency"),
        "first",
        pl.col("until").alias("last"),
        "source",
    )


def _embedded_years(store: Store) -> pl.DataFrame:
    """The embedded yearly sums: market, day (first of the year), first, until (last day), source, and the measures."""
    with Session(store.engine) as session:
        found = market_periods(session, "year")
    return found.filter(pl.col("origin") == "embedded").select(
        "market",
        pl.date(pl.col("period").cast(pl.Int32), 1, 1).alias("day"),
        "source",
        first="first_day",
        until="last_day",
        close="last_close_cny_per_t",
        vwap="vwap_cny_per_t",
        volume=pl.col("volume_t").cast(pl.Float64),
        value="value_cny",
        sessions=pl.col("sessions").cast(pl.Float64),
    )


def _loaded_figures(store: Store, key: str, series: SeriesId, measure: Measure) -> pl.DataFrame:
    """Figures of the loaded rows: day, until (last day with trades), value, source."""
    wanted: dict[Split, int | str | None] = {"vintage": series.vintage, "method": series.method}
    split = [part for part, value in wanted.items() if value is not None]
    made = market_statistics(read_rows(store.lake, key), by=BY[series.frequency], split=split)
    for part in split:
        made = made.filter(pl.col(part) == wanted[part])
    fen = "_fen" in measure.column
    value = cny_from_fen_expr(measure.column) if fen else pl.col(measure.column).cast(pl.Float64)
    return made.select(
        pl.col("first_day").dt.truncate(_EVERY[series.frequency]).alias("day"),
        pl.col("last_day").alias("until"),
        value.alias("value"),
        pl.col("feed").alias("source"),
    )


def _on_calendar(figures: pl.DataFrame, key: str, frequency: Frequency) -> pl.DataFrame:
    """The figures with a row of nulls for each session day or period between that has none, ascending."""
    first, last = figures["day"].min(), figures["day"].max()
    if not isinstance(first, date) or not isinstance(last, date):
        return figures
    if frequency == "d":
        days = market_sessions(key, range(first.year, last.year + 1))
        calendar = days.filter((days >= first) & (days <= last)).alias("day").to_frame()
    else:
        calendar = pl.date_range(first, last, _EVERY[frequency], eager=True).alias("day").to_frame()
    every = pl.concat([calendar, figures.select("day")]).unique().sort("day")
    return every.join(figures, on="day", how="left", maintain_order="left")


def _period(frequency: Frequency) -> pl.Expr:
    """The name of the period that begins on `day`."""
    day = pl.col("day")
    if frequency == "q":
        return pl.format("{}Q{}", day.dt.year(), day.dt.quarter()).alias("period")
    return day.dt.strftime(_FORMAT[frequency]).alias("period")


def _in_currencies(
    store: Store, laid: pl.DataFrame, measure: Measure, local: str, currency: SeriesCurrency
) -> pl.DataFrame:
    """Add unit, currency, value_cny, value_eur, rate, rate_day and note; `value` in the currency asked for.

    Every market of ours trades in CNY (`markets.csv`), so that CNY is the local currency.
    """
    if not measure.is_money:
        kinds = {"currency": pl.String, "value_cny": pl.Float64, "value_eur": pl.Float64, "rate": pl.Float64}
        empty = {**kinds, "rate_day": pl.Date, "note": pl.String}
        return laid.with_columns(
            pl.lit(measure.unit).alias("unit"), *[pl.lit(None, t).alias(n) for n, t in empty.items()]
        )
    dated = laid.with_columns(pl.coalesce("until", "day").alias("rated"))
    money = with_rates(store, dated, "rated", local).with_columns(
        pl.col("value").alias("value_cny"), (pl.col("value") * pl.col("rate")).alias("value_eur")
    )
    unit = "EUR" if currency == "EUR" else local
    value = "value_eur" if currency == "EUR" else "value_cny"
    return money.with_columns(
        pl.lit(measure.unit.format(currency=unit)).alias("unit"),
        pl.lit(unit).alias("currency"),
        pl.col(value).alias("value"),
    )
