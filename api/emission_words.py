"""What a reader must be told of a city's emissions, in plain sentences of either language.

Knows which figures a sentence holds and when it is said. Computes nothing but differences of the figures shown.
"""

from itertools import pairwise
from typing import Any

import polars as pl

from api.lang import Lang, texts
from carbon.footprints.city_emissions import MAIN, SECOND

__all__ = ["disagreement", "prices", "standing_apart"]

_T_PER_MT = 1e6
_SHORT = {MAIN: "edgar", SECOND: "ceads"}


def disagreement(rows: pl.DataFrame, states: pl.DataFrame, lang: Lang) -> list[str]:
    """How far the two inventories disagree: on the last common year, over all of them, on the way that emissions went,
    and on the states of decoupling; and which years one of them lacks.

    rows : result of `carbon.footprints.city_emissions.city_emissions`; states : of `decoupling` with the year before
    """
    text = texts("notes", lang)
    both = rows.drop_nulls("ratio").with_columns(factor=pl.col("abs_log_ratio").exp()).to_dicts()
    told = [_last_year(both[-1], text)] if both else []
    if len(both) > 1:
        told += [_span(both, text), _ways(both[0], both[-1], text)]
    shared = _shared_states(states)
    if shared.height:
        same = shared.filter(pl.col("state") == pl.col("state_second")).height
        told.append(text["emissions_states_differ"].format(same=same, years=shared.height))
    return [*told, *(sentence for series in (MAIN, SECOND) for sentence in _gaps(rows, series, text))]


def _last_year(row: dict[str, Any], text: Any) -> str:
    return str(
        text["emissions_disagree"].format(
            year=row["period"],
            edgar=_mt(row["edgar_t"]),
            ceads=_mt(row["ceads_t"]),
            factor=f"{row['factor']:.2f}",
        )
    )


def _span(both: list[dict[str, Any]], text: Any) -> str:
    least, most = (choose(both, key=lambda row: row["factor"]) for choose in (min, max))
    return str(
        text["emissions_disagree_span"].format(
            first=both[0]["period"],
            last=both[-1]["period"],
            least=f"{least['factor']:.2f}",
            least_year=least["period"],
            most=f"{most['factor']:.2f}",
            most_year=most["period"],
            lower=sum(row["ratio"] < 1 for row in both),
            years=len(both),
        )
    )


def _ways(first: dict[str, Any], last: dict[str, Any], text: Any) -> str:
    changes = {name: f"{last[f'{name}_t'] / first[f'{name}_t'] - 1:+.1%}" for name in ("edgar", "ceads")}
    return str(text["emissions_ways"].format(first=first["period"], last=last["period"], **changes))


def _shared_states(states: pl.DataFrame) -> pl.DataFrame:
    """Years with a state of either inventory: year, state, state_second."""
    told = states.drop_nulls("state")
    second = told.filter(pl.col("series") == SECOND).select("year", state_second="state")
    return told.filter(pl.col("series") == MAIN).join(second, on="year").select("year", "state", "state_second")


def _gaps(rows: pl.DataFrame, series: str, text: Any) -> list[str]:
    """That an inventory has no figure at all, none after a year, or none in some years."""
    known = pl.col(f"{_SHORT[series]}_t").is_not_null()
    years = rows.filter(known)["period"].cast(pl.Int32).to_list()
    lacking = rows.filter(~known)["period"].cast(pl.Int32).to_list()
    name = text[f"emissions_{_SHORT[series]}"]
    if not lacking:
        return []
    if not years:
        return [text["emissions_none"].format(series=name)]
    after = [year for year in lacking if year > years[-1]]
    inside = [year for year in lacking if year < years[-1]]
    told = [text["emissions_ends"].format(series=name, last=years[-1])] if after else []
    return [*([text["emissions_gaps"].format(series=name, years=_listed(inside))] if inside else []), *told]


def _listed(years: list[int]) -> str:
    """Years in order, runs of three or more as first-last."""
    runs: list[list[int]] = [years[:1]]
    for before, year in pairwise(years):
        if year == before + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def _mt(tonnes: float) -> str:
    return f"{tonnes / _T_PER_MT:,.1f}"


def prices(states: pl.DataFrame, lang: Lang) -> str:
    """Which prices the GDP of the elasticities is told in, and what that does to them."""
    constant = states.height > 0 and set(states["gdp_basis"]) == {"constant"}
    return texts("notes", lang)["emissions_constant_prices" if constant else "emissions_current_prices"]


def standing_apart(rows: pl.DataFrame, lang: Lang) -> str:
    """How the footprints of the store stand beside the inventory in the last year that has any, or that there are none.

    rows : result of `carbon.footprints.city_emissions.city_emissions`
    """
    text = texts("notes", lang)
    told = rows.drop_nulls("bottom_up_entities").tail(1).to_dicts()
    if not told:
        return text["emissions_no_footprints"]
    row = told[0]
    if row["bottom_up_share_of_edgar"] is None:
        return text["emissions_footprints"].format(year=row["period"], entities=row["bottom_up_entities"])
    return text["emissions_footprints_share"].format(
        year=row["period"], entities=row["bottom_up_entities"], share=f"{row['bottom_up_share_of_edgar']:.2%}"
    )
