"""The factors that ship with the package, what series they belong to, and which of them an activity gets.

Knows `carbon/data/emission_factors` (one file a family of series). Must not know files of activities, formulas or
storage. How one is chosen is in `carbon.footprints.factor_choice`.
"""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from carbon.footprints.factor_choice import candidates, match_factors
from carbon.footprints.factor_ranking import series_table
from carbon.footprints.factor_regions import region_of_hub, resolve_region
from carbon.footprints.schemas import factors_schema

if TYPE_CHECKING:
    import polars as pl

__all__ = ["candidates", "embedded_factors", "match_factors", "region_of_hub", "resolve_region", "series_table"]


def embedded_factors() -> "pl.DataFrame":
    """Every factor that ships with the package, ascending by factor_id, in `factors_schema`.

    Each row carries its source and confidence; what no source gives is null.
    """
    return _embedded().clone()


@cache
def _embedded() -> "pl.DataFrame":
    import polars as pl

    folder = files("carbon").joinpath("data", "emission_factors")
    texts = [place.read_bytes() for place in folder.iterdir() if place.name.endswith(".csv")]
    schema = factors_schema()
    return pl.concat(pl.read_csv(text, schema=schema) for text in texts).sort("factor_id")
