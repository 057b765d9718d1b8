"""Which formula answers an ask: carbon in the fuel, amount x factor, by location or by market.

Knows the order in which ways to calculate are tried. Must not know amounts, files or storage.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from carbon.footprints.coefficients import (
    TOTAL,
    chosen_factors,
    coefficients_schema,
    direct_coefficients,
    market_factors,
    no_troubles,
    troubles,
)
from carbon.footprints.combustion import CARBON_CATEGORIES, FUEL_CATEGORIES, combustion_coefficients, fuel_parameters

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

__all__ = ["answer_asks"]

_FACTOR: Final = "emission_factor"
_WORLD: Final = "World"
_Answer = tuple["pl.DataFrame", "pl.DataFrame"]


def answer_asks(
    asks: "pl.DataFrame",
    factors: "pl.DataFrame",
    *,
    methods: Sequence[str],
    as_of: "date | None" = None,
    amounts: "pl.DataFrame | None" = None,
) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """Coefficients (`coefficients_schema`) of asks, and troubles: every ask and method is in one of the two.

    asks : see `carbon.footprints.coefficients`; methods : the ways to count scope 2; amounts : what was used in each
    month, to weigh measurements (`carbon.footprints.month_weights.month_amounts`); nothing is known without
    """
    import polars as pl

    ids = factors["factor_id"].unique().implode()
    is_unknown = pl.col("factor_id").is_not_null() & ~pl.col("factor_id").is_in(ids)
    lost, known = asks.filter(is_unknown), asks.filter(~is_unknown)
    bought = known.filter(pl.col("scope") == 2)
    pairs = [_fuels(known, factors, as_of, amounts), _others(known, factors, as_of)]
    pairs += [_by_location(bought, factors, as_of)] if "location" in methods else []
    pairs += [_by_market(bought, factors, as_of)] if "market" in methods else []
    answers = pl.concat([pl.DataFrame(schema=coefficients_schema()), *(pair[0] for pair in pairs)])
    found, expected = pl.col("factor_id"), pl.lit("the id of a factor that is known (greenfin factors list)")
    unknown = troubles(lost, "unknown_factor", "factor_id", found, expected)
    return answers, pl.concat([no_troubles(), unknown, *(pair[1] for pair in pairs)])


def _fuels(
    asks: "pl.DataFrame", factors: "pl.DataFrame", as_of: "date | None", amounts: "pl.DataFrame | None"
) -> _Answer:
    """Fuels and processes: by their carbon where it is known, gases beside CO2 by factor; else all by factor."""
    import polars as pl

    fuels = asks.filter((pl.col("scope") == 1) & pl.col("category").is_in(CARBON_CATEGORIES)).with_columns(
        method=pl.lit(None, dtype=pl.String)
    )
    direct_ids = factors.filter(pl.col("parameter") == _FACTOR)["factor_id"].implode()
    is_direct = pl.col("factor_id").is_in(direct_ids).fill_null(False)
    free = fuels.filter(~is_direct)
    carbon = fuel_parameters(free, factors, "carbon_content", as_of=as_of, amounts=amounts)
    burnt = free.filter(pl.col("category").is_in(FUEL_CATEGORIES))
    oxidation = fuel_parameters(burnt, factors, "oxidation", as_of=as_of, amounts=amounts)
    energy = fuel_parameters(fuels, factors, "net_calorific_value", as_of=as_of, amounts=amounts)
    by_factor = fuels.filter(is_direct | pl.col("factor_id").is_null())
    chosen = chosen_factors(by_factor, factors, parameter=_FACTOR, as_of=as_of)
    formula = carbon.join(_better_by_factor(fuels, chosen, carbon, factors), on="ask", how="anti")
    answers, failed = combustion_coefficients(free, formula, energy, oxidation)
    has_total = (pl.col("gas") == TOTAL).any().over("ask")
    is_formula = pl.col("ask").is_in(formula["ask"].implode())
    beside = chosen.filter(~is_formula | (~has_total & (pl.col("gas") != "CO2")))
    direct, unmet = direct_coefficients(fuels, beside, method=None, energy=energy)
    none = fuels.join(chosen, on="ask", how="anti").join(formula, on="ask", how="anti")
    return pl.concat([answers, direct]), pl.concat([failed, unmet, _without(none, as_of)])


def _better_by_factor(
    fuels: "pl.DataFrame", chosen: "pl.DataFrame", carbon: "pl.DataFrame", factors: "pl.DataFrame"
) -> "pl.DataFrame":
    """The asks that go by their factor of CO2 or CO2e although a carbon content is known: processes, and fuels whose
    factor is of a region while the carbon content is of the whole world."""
    import polars as pl

    is_worldwide = (pl.col("region") == _WORLD) & (pl.col("parameter") == "carbon_content")
    worldwide = factors.filter(is_worldwide)["factor_id"].implode()
    world = carbon.filter(pl.col("factor_ids").list.first().is_in(worldwide)).select("ask")
    whole = chosen.filter(pl.col("gas").is_in(["CO2", TOTAL]) & ~pl.col("biogenic"))
    narrower = whole.filter(pl.col("region") != _WORLD).join(world, on="ask", how="semi").select("ask")
    processes = fuels.filter(pl.col("category") == "process").select("ask")
    return pl.concat([narrower, whole.join(processes, on="ask", how="semi").select("ask")])


def _others(asks: "pl.DataFrame", factors: "pl.DataFrame", as_of: "date | None") -> _Answer:
    """Whatever is neither fuel nor process nor bought energy: amount x factor."""
    import polars as pl

    is_carbon = (pl.col("scope") == 1) & pl.col("category").is_in(CARBON_CATEGORIES).fill_null(False)
    others = asks.filter((pl.col("scope") != 2) & ~is_carbon).with_columns(method=pl.lit(None, dtype=pl.String))
    chosen = chosen_factors(others, factors, parameter=_FACTOR, as_of=as_of)
    answers, unmet = direct_coefficients(others, chosen, method=None)
    return answers, _concat(unmet, _without(others.join(chosen, on="ask", how="anti"), as_of))


def _by_location(asks: "pl.DataFrame", factors: "pl.DataFrame", as_of: "date | None") -> _Answer:
    import polars as pl

    wanted = asks.filter(pl.col("method").ne_missing("market")).with_columns(method=pl.lit("location"))
    chosen = _located(wanted, factors, as_of)
    answers, unmet = direct_coefficients(wanted, chosen, method="location")
    return answers, _concat(unmet, _without(wanted.join(chosen, on="ask", how="anti"), as_of))


def _by_market(asks: "pl.DataFrame", factors: "pl.DataFrame", as_of: "date | None") -> _Answer:
    import polars as pl

    wanted = asks.filter(pl.col("method").ne_missing("location"))
    chosen = market_factors(wanted, factors, as_of=as_of)
    wanted = wanted.with_columns(method=pl.lit("market"))
    rest = wanted.join(chosen, on="ask", how="anti")
    remarks = (
        pl.when(pl.col("contract").is_not_null())
        .then(["market_equals_location", "contract_without_factor"])
        .otherwise(["market_equals_location"])
    )
    located = _located(rest, factors, as_of).join(rest.select("ask", told=remarks), on="ask")
    same = located.with_columns(remarks=pl.concat_list("remarks", "told")).drop("told")
    found = pl.concat([chosen, same])
    answers, unmet = direct_coefficients(wanted, found, method="market")
    return answers, _concat(unmet, _without(wanted.join(found, on="ask", how="anti"), as_of))


def _located(asks: "pl.DataFrame", factors: "pl.DataFrame", as_of: "date | None") -> "pl.DataFrame":
    """The factors of the location; one by market that the row names is for its other figure."""
    import polars as pl

    by_market = factors.filter(pl.col("method") == "market")["factor_id"].implode()
    free = asks.with_columns(
        factor_id=pl.when(~pl.col("factor_id").is_in(by_market)).then("factor_id"),
    )
    common = factors.filter(pl.col("method").ne_missing("market"))
    return chosen_factors(free, common, parameter=_FACTOR, method="location", as_of=as_of)


def _without(asks: "pl.DataFrame", as_of: "date | None") -> "pl.DataFrame":
    """Asks for which there is no factor, or none recorded by the day asked for."""
    import polars as pl

    place = pl.col("region").fill_null("an unknown region")
    found = pl.format("{} in {}, {} to {}", "activity", place, "first_day", "last_day")
    named = pl.when(pl.col("series").is_null()).then(pl.lit("")).otherwise(pl.format(" of the series {}", "series"))
    by_then = "" if as_of is None else f" recorded by {as_of}"
    expected = pl.format(
        f"a factor{{}}{by_then} for it (greenfin factors find; greenfin load factors adds your own)", named
    )
    return troubles(asks, "no_factor", "activity", found, expected)


def _concat(*frames: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return pl.concat(frames)
