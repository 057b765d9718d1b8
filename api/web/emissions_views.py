"""What the page of a city's emissions shows: its picture, its tables, and what must be said of them.

Knows which rows of the API the page is made of. Knows no HTTP and computes no figure.
"""

from typing import Any

import polars as pl

from api import emission_words, emissions, queries
from api.lang import Lang
from api.store import Store
from api.web.emissions_chart import HEIGHT, WIDTH, draw_years
from api.web.views import NotFound
from carbon import facts
from carbon.footprints.decoupling import decoupling_states
from fhi.errors import UnknownHub

__all__ = ["show_emissions"]

Row = dict[str, Any]
_T_PER_MT = 1e6


def show_emissions(store: Store, lang: Lang, hub: str) -> Row:
    """Data of the page of a city's emissions. Raises NotFound."""
    try:
        city = queries.hub(store, hub).row(0, named=True)
    except UnknownHub as error:
        raise NotFound("hub", hub) from error
    rows = emissions.city_emissions(store, city["hub"])
    years = [int(period) for period in rows["period"]]
    steps = emissions.decoupling(store, city["hub"]).rows
    whole = emissions.decoupling(store, city["hub"], base_year=years[0]).rows
    return {
        "city": city,
        "cities": queries.hubs(store).sort("gbt2260").to_dicts(),
        "years": years,
        "rows": rows.to_dicts(),
        "trends": emissions.trends(store, city["hub"]).to_dicts(),
        "steps": _side_by_side(steps, whole),
        "states": decoupling_states().to_dicts(),
        "sums": emissions.bottom_up(store, city["hub"]).to_dicts(),
        "disagreement": emission_words.disagreement(rows, steps, lang),
        "prices": emission_words.prices(steps, lang),
        "footprints": emission_words.standing_apart(rows, lang),
        "chart": draw_years(
            years,
            {name: (rows[f"{name}_t"] / _T_PER_MT).to_list() for name in ("edgar", "ceads")},
            {name: rows[f"{name}_t_per_10k_cny"].to_list() for name in ("edgar", "ceads")},
        ),
        "size": {"width": WIDTH, "height": HEIGHT},
        "sources": facts.sources().filter(pl.col("column").str.starts_with("co2_mt (")).to_dicts(),
    }


def _side_by_side(steps: pl.DataFrame, whole: pl.DataFrame) -> list[Row]:
    """Each year's states by both inventories, against the year before and against the first year."""
    keys = steps.select("year").unique().sort("year").to_series().to_list()
    told = {
        (kind, row["series"], row["year"]): row
        for kind, frame in (("step", steps), ("whole", whole))
        for row in frame.to_dicts()
    }
    return [
        {
            "year": year,
            **{
                f"{kind}_{series.lower()}": told.get((kind, series, year))
                for kind in ("step", "whole")
                for series in ("EDGAR", "CEADS")
            },
        }
        for year in keys
    ]
