"""How the factors that could serve a request are put in order: the steps behind `carbon.footprints.factor_choice`.

Knows `factors_schema`, regions, units' dimensions and `carbon/data/factor_series.csv`. Must not know files of users or
storage. Everything is a join: a million requests cost what their different places, periods and activities cost.
"""

from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from carbon.footprints.factor_regions import region_chains
from carbon.footprints.units import dimensions

if TYPE_CHECKING:
    import polars as pl

__all__ = ["choose_series", "rank_rows", "recorded_factors", "series_table", "usable_factors"]

_COMBUSTION: Final = ("net_calorific_value", "carbon_content", "oxidation")
_LAST_PRIORITY: Final = 1_000_000
"""Of a series that the table does not have: a user's own, taken unasked only where there is nothing else."""
_FIRST_DAY, _LAST_DAY = date(1, 1, 1), date(9999, 12, 31)


def series_table() -> "pl.DataFrame":
    """The series by name: series, priority (Int64), name_zh, name_en, why_zh, why_en (String).

    priority : which is taken first where none is asked for; null is taken only when asked for by name
    """
    return _series().clone()


def recorded_factors(factors: "pl.DataFrame", as_of: date | None) -> "pl.DataFrame":
    """The factors recorded by this day, or by any day without it; one without a day of record was always there."""
    import polars as pl

    if as_of is None:
        return factors
    return factors.filter(pl.col("recorded").is_null() | (pl.col("recorded") <= as_of))


def usable_factors(factors: "pl.DataFrame", as_of: date | None) -> "pl.DataFrame":
    """The factors recorded by this day, without those that another of them corrects."""
    import polars as pl

    known = recorded_factors(factors, as_of)
    return known.filter(~pl.col("factor_id").is_in(known["replaces"].drop_nulls().implode()))


def choose_series(keys: "pl.DataFrame", known: "pl.DataFrame") -> "pl.DataFrame":
    """The one series of every request that has any: key, series.

    keys : key, activity, region, parameter, series (null: none asked for), method, unit
    known : `factors_schema`
    """
    import polars as pl

    wanted = ["activity", "family", "region", "series", "method", "unit"]
    asked = keys.with_columns(_family().alias("family"))
    distinct = asked.select(wanted).unique(maintain_order=True).with_row_index("question")
    pairs = (
        distinct.join(region_chains(distinct["region"]), on="region", nulls_equal=True)
        .with_columns(unit_measures=_dimensions_of(pl.col("unit"), distinct["unit"]))
        .join(_offers(known), left_on=["activity", "family", "ancestor"], right_on=["activity", "family", "place"])
        .join(
            _series().select("series", "priority", is_listed=pl.lit(True)),
            left_on="offered",
            right_on="series",
            how="left",
        )
        .with_columns(_method_rank("method", "offered_method").alias("method_rank"))
    )
    is_asked = pl.col("series").is_not_null()
    priority = pl.when(is_asked).then(0).when(pl.col("is_listed")).then("priority").otherwise(_LAST_PRIORITY)
    is_free = pl.col("method_rank").is_not_null() & priority.is_not_null()
    fits = (pl.col("unit_measures") == pl.col("measured")).fill_null(False)
    best = (
        pairs.filter(pl.when(is_asked).then(pl.col("series") == pl.col("offered")).otherwise(is_free))
        .with_columns(order=priority, misfit=~fits & pl.col("unit").is_not_null())
        .sort("question", "misfit", pl.col("method_rank").fill_null(0), "incomplete", "order", "offered")
        .unique("question", keep="first", maintain_order=True)
        .select("question", chosen="offered")
    )
    answered = distinct.join(best, on="question").drop("question")
    found = asked.join(answered, on=wanted, nulls_equal=True, maintain_order="left")
    return found.select("key", series="chosen")


def rank_rows(
    keys: "pl.DataFrame", known: "pl.DataFrame", best: "pl.DataFrame", *, every_series: bool
) -> "pl.DataFrame":
    """The factors that could serve each request, by key and best first.

    keys : as for `choose_series`, with first_day, last_day and factor_id (null); best : its result
    every_series : also the factors of other series (for people); without it only those of the best
    Result: key, factor_id, series, region, valid_from, valid_to, measured, method_rank, gas, biogenic, depth, misfit,
    period (0 whole, 1 in part, 2 earlier, 3 later), is_series, is_allowed, asked_only, reason
    """
    import polars as pl

    chains = region_chains(keys["region"])
    wanted = keys.drop("factor_id").join(
        best.rename({"series": "best"}), on="key", how="left" if every_series else "inner"
    )
    offers = _light(known)
    on_left, on_right = ["activity", "parameter", "ancestor"], ["activity", "parameter", "place"]
    if not every_series:
        on_left, on_right = [*on_left, "best"], [*on_right, "offered"]
    levels = chains.filter(pl.col("depth") == 0).select("region", asked_level="level")
    pairs = (
        wanted.join(chains, on="region", nulls_equal=True)
        .join(levels, on="region", how="left", nulls_equal=True)
        .join(offers, left_on=on_left, right_on=on_right, coalesce=False)
        .join(
            _series().select("series", "priority", is_listed=pl.lit(True)),
            left_on="offered",
            right_on="series",
            how="left",
        )
        .with_columns(
            is_series=(pl.col("offered") == pl.col("best")).fill_null(False),
            method_rank=_method_rank("method", "offered_method"),
            asked_only=pl.col("is_listed").fill_null(False) & pl.col("priority").is_null(),
            misfit=_misfit(wanted["unit"]),
            period=_period_class(),
            distance=_period_distance(),
        )
    )
    is_allowed = pl.col("is_series") & (pl.col("method_rank").is_not_null() | pl.col("series").is_not_null())
    ordered = pairs.with_columns(is_allowed=is_allowed).sort(_best_first())
    return ordered.select(
        *("key", "factor_id", pl.col("offered").alias("series"), pl.col("place").alias("region"), "valid_from"),
        *("valid_to", "measured", pl.col("method_rank").fill_null(2), "gas", "biogenic", "depth", "misfit", "period"),
        *("is_series", "is_allowed", "asked_only", _reason().alias("reason")),
    )


def _best_first() -> "list[pl.Expr]":
    """The order of `rank_rows`: series, way of counting, kind of unit, region, period, newest document."""
    import polars as pl

    newest = [pl.col(name).fill_null(_FIRST_DAY).dt.epoch("d").neg() for name in ("published", "recorded")]
    return [
        pl.col("key"),
        pl.col("is_allowed").not_(),
        pl.col("is_series").not_(),
        pl.col("asked_only"),
        pl.col("priority").fill_null(_LAST_PRIORITY),
        pl.col("offered"),
        pl.col("method_rank").fill_null(2),
        *(pl.col(name) for name in ("misfit", "depth", "period", "distance")),
        *newest,
        pl.col("factor_id"),
    ]


def _family() -> "pl.Expr":
    """Parameters that must come from one series are one family."""
    import polars as pl

    parameter = pl.col("parameter")
    return pl.when(parameter.is_in(_COMBUSTION)).then(pl.lit("combustion")).otherwise(parameter)


def _offers(known: "pl.DataFrame") -> "pl.DataFrame":
    """What each series has: activity, family, place, offered (series), offered_method, measured, incomplete.

    measured : what the amount of the activity may measure; of combustion, what the calorific value is per and what the
    carbon content is per. incomplete : a series of combustion without carbon contents, which cannot stand alone
    """
    import polars as pl

    rows = known.select(
        "activity",
        "parameter",
        _family().alias("family"),
        place="region",
        offered="series",
        offered_method="method",
        measured=_dimensions_of(pl.col("denominator"), known["denominator"]),
    )
    has_carbon = (pl.col("parameter") == "carbon_content").any().over("activity", "offered")
    return (
        rows.with_columns(incomplete=(pl.col("family") == "combustion") & ~has_carbon)
        .filter(pl.col("parameter") != "oxidation")
        .select("activity", "family", "place", "offered", "offered_method", "measured", "incomplete")
        .unique(maintain_order=True)
    )


def _light(known: "pl.DataFrame") -> "pl.DataFrame":
    """What ranking needs of each factor, with `series_level`: the narrowest kind of region in its series."""
    import polars as pl

    levels = region_chains(known["region"]).filter(pl.col("depth") == 0).select("region", series_level="level")
    rows = known.with_columns(measured=_dimensions_of(pl.col("denominator"), known["denominator"]))
    return (
        rows.join(levels, on="region", how="left", maintain_order="left")
        .with_columns(pl.col("series_level").max().over("activity", "parameter", "series"))
        .select(
            *("activity", "parameter", "factor_id", "gas", "biogenic", "valid_from", "valid_to", "published"),
            *("recorded", "measured", "series_level"),
            place="region",
            offered="series",
            offered_method="method",
        )
    )


def _dimensions_of(column: "pl.Expr", units: "pl.Series") -> "pl.Expr":
    """What the units of a column measure (`carbon.footprints.units.dimensions`); units : the column, for its values."""
    import polars as pl

    distinct = units.cast(pl.String).drop_nulls().unique()
    known = dict(zip(distinct, dimensions(distinct), strict=True))
    if not known:
        return pl.lit(None, pl.String)
    return column.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)


def _method_rank(asked: str, offered: str) -> "pl.Expr":
    """0 where the factor is for the way asked for (or for either), 1 where it stands in, null where it may not."""
    import polars as pl

    is_market = pl.col(asked).fill_null("location") == "market"
    is_same = pl.col(offered) == pl.col(asked).fill_null("location")
    rank = pl.when(is_same).then(0).when(pl.col(offered).is_null()).then(pl.when(is_market).then(1).otherwise(0))
    return rank.when(is_market & (pl.col(offered) == "location")).then(1)


def _misfit(units: "pl.Series") -> "pl.Expr":
    """True where the amount has a unit of another kind than the factor is per."""
    import polars as pl

    is_per_amount = pl.col("parameter").is_in(["emission_factor", "net_calorific_value"])
    unlike = _dimensions_of(pl.col("unit"), units).ne_missing(pl.col("measured"))
    return is_per_amount & pl.col("unit").is_not_null() & unlike


def _span() -> "tuple[pl.Expr, pl.Expr, pl.Expr, pl.Expr]":
    import polars as pl

    start, end = pl.col("valid_from").fill_null(_FIRST_DAY), pl.col("valid_to").fill_null(_LAST_DAY)
    # A request without a period takes the newest factor.
    return start, end, pl.col("first_day").fill_null(_LAST_DAY), pl.col("last_day").fill_null(_LAST_DAY)


def _period_class() -> "pl.Expr":
    import polars as pl

    start, end, first, last = _span()
    whole = (start <= first) & (end >= last)
    part = (start <= last) & (end >= first)
    return pl.when(whole).then(0).when(part).then(1).when(end < first).then(2).otherwise(3)


def _period_distance() -> "pl.Expr":
    """Within its class the less the better: minus the days in common, or the days in between."""
    import polars as pl

    start, end, first, last = _span()
    common = (pl.min_horizontal(end, last) - pl.max_horizontal(start, first)).dt.total_days()
    return -common


def _reason() -> "pl.Expr":
    import polars as pl

    wider = (pl.col("level") < pl.min_horizontal("asked_level", "series_level")).fill_null(False)
    other = pl.col("period") > 0
    return (
        pl.when(wider & other)
        .then(pl.lit("both"))
        .when(wider)
        .then(pl.lit("region_fallback"))
        .when(other)
        .then(pl.lit("period_fallback"))
        .otherwise(pl.lit("exact"))
    )


@cache
def _series() -> "pl.DataFrame":
    import polars as pl

    names = ("name_zh", "name_en", "why_zh", "why_en")
    schema = {"series": pl.String(), "priority": pl.Int64(), **{name: pl.String() for name in names}}
    return pl.read_csv(files("carbon").joinpath("data", "factor_series.csv").read_bytes(), schema=schema)
