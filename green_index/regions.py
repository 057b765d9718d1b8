"""The region of each hub: the four regions of the National Bureau of Statistics, by province.

Knows the first two digits of a hub's GB/T 2260 code and the table of regions. Knows no score.
"""

from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

from fhi.hubs import hubs

REGIONS_SOURCE: Final = "National Bureau of Statistics, division into east, central, west and northeast, 13 June 2011"
REGION_SCHEMA: Final = pl.Schema(
    {"hub": pl.String, "region": pl.String, "region_zh": pl.String, "region_en": pl.String}
)


@cache
def hub_regions() -> pl.DataFrame:
    """The region of every hub: REGION_SCHEMA, in the order of the hubs. Source: REGIONS_SOURCE."""
    table = files("green_index").joinpath("data", "hub_regions.csv").read_bytes()
    provinces = pl.read_csv(table, schema_overrides={"province": pl.String})
    codes = hubs().select("hub", province=pl.col("gbt2260").cast(pl.String).str.head(2))
    return codes.join(provinces, on="province", how="left", maintain_order="left").select(REGION_SCHEMA.names())
