"""Which factor an activity gets, and why: by series, then by place, then by time, then by version.

Knows `factors_schema`, regions, units' dimensions and the order of series. Must not know where factors or activities
are kept, nor any formula. Two series are never mixed: first one series is chosen for the activity, by name where one is
asked for, else by the order in `factor_series.csv`; then the narrowest region of that series, then the factor of the
period, the nearest earlier one or the nearest later one, then the newest document. The parameters of combustion (net
calorific value, carbon content, oxidation) of one activity come from one series.

Region goes before period: grids of one country differ by more than one grid does from year to year (GHG Protocol
Scope 2 Guidance, 2015, table 6.2: the more precise region first).
"""

from datetime import date
from typing import TYPE_CHECKING, Final

from carbon.footprints.factor_ranking import choose_series, rank_rows, recorded_factors, usable_factors
from carbon.footprints.factor_reasons import reason_words, reasons_of
from carbon.footprints.units import conversion, dimensions

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NO_FACTOR", "candidates", "match_factors"]

NO_FACTOR: Final = "no_factor"
FORCED: Final = "forced"
_KEY: Final = ["activity", "region", "first_day", "last_day", "parameter", "series", "method", "factor_id", "unit"]
_OUT: Final = [
    *("factor_id", "gas", "value", "numerator", "denominator", "lower", "upper", "distribution", "biogenic"),
    *("series", "method", "region", "valid_from", "valid_to", "confidence", "assumed"),
]


def match_factors(requests: "pl.DataFrame", factors: "pl.DataFrame", *, as_of: date | None = None) -> "pl.DataFrame":
    """The factor of every request: one row a request and gas, in the order of the requests.

    requests : request (Int64, unique), activity, region (code), first_day, last_day (Date), parameter; series, method
        and factor_id may be null or left out; unit, where given, prefers factors per that kind of unit (natural gas by
        the cubic metre or by the tonne)
    factors : `factors_schema`; as_of : only what was recorded by this day
    Result: request, factor_id, gas, value, numerator, denominator, lower, upper, distribution, biogenic, series,
        method, region, valid_from, valid_to, confidence, assumed, reason
    reason : exact, region_fallback (the series has narrower regions than the one used, but not for this place),
        period_fallback (the factor is not, or not wholly, of the period), both, forced (by factor_id; a correction of
        that factor is followed), or no_factor with nulls.
    A request for the market-based way takes factors for it, then those of the location.
    """
    import polars as pl

    known = usable_factors(factors, as_of)
    full = _with_optional(requests)
    keys = full.select(_KEY).unique(maintain_order=True).with_row_index("key")
    free, forced = keys.filter(pl.col("factor_id").is_null()), keys.filter(pl.col("factor_id").is_not_null())
    chosen = pl.concat([_choose(free, known), _force(forced, known, recorded_factors(factors, as_of))])
    numbered = full.select("request", *_KEY).join(keys, on=_KEY, nulls_equal=True, maintain_order="left")
    return (
        numbered.select("request", "key")
        .join(chosen, on="key", how="left", maintain_order="left_right")
        .with_columns(pl.col("reason").fill_null(NO_FACTOR))
        .drop("key")
    )


def candidates(
    factors: "pl.DataFrame",
    activity: str,
    *,
    region: str,
    first_day: date,
    last_day: date,
    parameter: str = "emission_factor",
    series: str | None = None,
    method: str | None = None,
    unit: str | None = None,
    as_of: date | None = None,
) -> "pl.DataFrame":
    """Every factor that could serve one activity in one place and time, the best first.

    Result: rank (Int64 from 1; the gases of one factor share it), chosen (Boolean), reason (as in `match_factors` for
    the chosen one; else unit_unlike, other_series, asked_only, other_method, other_unit, wider_region, other_period or
    older_version), reason_zh, reason_en, then the columns of `factors_schema`. Empty where there is none.
    unit : of the amount; a factor that it cannot be turned into, also not through the calorific value of a fuel, is
    never chosen. Raises UnknownUnit.
    """
    import polars as pl

    if unit is not None:
        conversion(unit, unit)
    known = usable_factors(factors, as_of)
    asked = pl.DataFrame(
        {
            **{"activity": [activity], "region": [region], "first_day": [first_day], "last_day": [last_day]},
            **{"parameter": [parameter], "series": [series], "method": [method], "factor_id": [None], "unit": [unit]},
        }
    )
    keys = _with_optional(asked.with_columns(request=pl.lit(0, pl.Int64))).select(_KEY).with_row_index("key")
    best = choose_series(keys, known)
    ranked = rank_rows(keys, known, best, every_series=True)
    unlike = _unlike_units(ranked, known, activity, unit)
    told = reasons_of(ranked, _leading_group(ranked).filter(~pl.col("factor_id").is_in(unlike.implode())), unlike)
    details = told.join(known, on="factor_id", maintain_order="left")
    return reason_words(details).select("rank", "chosen", "reason", "reason_zh", "reason_en", *known.columns)


def _unlike_units(ranked: "pl.DataFrame", known: "pl.DataFrame", activity: str, unit: str | None) -> "pl.Series":
    """The ids of ranked factors that no amount of this unit can be multiplied with.

    A factor per energy fits an amount of a fuel that has a calorific value per such an amount: amount x NCV x factor.
    """
    import polars as pl

    misfits = ranked.filter(pl.col("misfit"))
    if unit is None or misfits.is_empty():
        return ranked.head(0)["factor_id"]
    is_value = (pl.col("activity") == activity) & (pl.col("parameter") == "net_calorific_value")
    measures = dimensions(known.filter(is_value)["denominator"])
    joined = misfits.select("factor_id", "measured").join(known.select("factor_id", "parameter"), on="factor_id")
    by_energy = (pl.col("measured") == "energy") & (pl.col("parameter") == "emission_factor")
    has_value = dimensions(pl.Series([unit]))[0] in measures
    return joined.filter(~(by_energy & has_value))["factor_id"]


def _choose(keys: "pl.DataFrame", known: "pl.DataFrame") -> "pl.DataFrame":
    """key, the columns of the result and reason, for the requests without a factor of their own."""
    import polars as pl

    ranked = rank_rows(keys, known, choose_series(keys, known), every_series=False)
    group = _leading_group(ranked)
    rows = group.join(known.select(_OUT), on="factor_id", maintain_order="left")
    return rows.select("key", *_OUT, pl.col("reason"))


def _leading_group(ranked: "pl.DataFrame") -> "pl.DataFrame":
    """The first row of every key and what belongs to it: the other gases of the same series, region, span and unit.

    A factor of CO2e stands alone beside single gases, since it holds them already; what is biogenic is apart.
    """
    import polars as pl

    same = ["key", "series", "region", "valid_from", "valid_to", "measured", "method_rank"]
    allowed = ranked.filter(pl.col("is_allowed"))
    first = allowed.unique("key", keep="first", maintain_order=True)
    group = allowed.join(first.select(same), on=same, how="semi", nulls_equal=True, maintain_order="left")
    each = group.unique(["key", "gas", "biogenic"], keep="first", maintain_order=True)
    holds_all = ((pl.col("gas") == "CO2e") & ~pl.col("biogenic")).any().over("key")
    return each.filter(pl.col("biogenic") | ~holds_all | (pl.col("gas") == "CO2e"))


def _force(keys: "pl.DataFrame", known: "pl.DataFrame", every: "pl.DataFrame") -> "pl.DataFrame":
    """The factors asked for by id: that one, all gases of one (id before the colon), or the row that corrects it."""
    import polars as pl

    current = _corrections(every.select("factor_id", "replaces"), known["factor_id"])
    names = pl.concat(
        [
            current,
            current.with_columns(pl.col("asked").str.split(":").list.first()).filter(
                ~pl.col("asked").is_in(current["asked"].implode())
            ),
        ]
    ).unique(maintain_order=True)
    found = (
        keys.select("key", "parameter", asked="factor_id")
        .join(names, on="asked", maintain_order="left")
        .join(known.select("parameter", *_OUT), on=["factor_id", "parameter"], maintain_order="left")
    )
    return found.select("key", *_OUT, reason=pl.lit(FORCED))


def _corrections(every: "pl.DataFrame", known: "pl.Series") -> "pl.DataFrame":
    """asked, factor_id: what each id, corrected or not, is called in its newest version."""
    import polars as pl

    newer = every.drop_nulls("replaces")
    step = every.select(asked="factor_id", factor_id="factor_id").unique(maintain_order=True)
    done = [step.filter(pl.col("factor_id").is_in(known.implode()))]
    for _ in range(newer.height):
        step = step.join(newer, left_on="factor_id", right_on="replaces").select("asked", factor_id="factor_id_right")
        if step.is_empty():
            break
        done.append(step.filter(pl.col("factor_id").is_in(known.implode())))
    return pl.concat(done).unique(["asked", "factor_id"], maintain_order=True)


def _with_optional(requests: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    kinds = {name: pl.Date() if name.endswith("_day") else pl.String() for name in _KEY}
    absent = [name for name in ("series", "method", "factor_id", "unit") if name not in requests.columns]
    return requests.with_columns(pl.lit(None, pl.String).alias(name) for name in absent).cast(kinds)  # type: ignore[arg-type]
