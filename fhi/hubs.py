"""The hubs: cities that are ranked, with their names and codes. Knows nothing measured about them."""

from functools import cache
from importlib.resources import files

import polars as pl

from fhi.errors import UnknownHub


@cache
def hubs() -> pl.DataFrame:
    """All hubs: hub (slug), name_zh, name_en, gbt2260, administrative_rank, latitude and longitude in degrees.

    Coordinates: GeoNames (CC BY 4.0). The 2017 report speaks of 37 cities chosen as municipalities, plan-listed,
    sub-provincial and provincial-capital cities; that rule gives 36, the list is not printed, and Suzhou is added
    as the 37th, marked `prefecture`.
    """
    text = files("fhi").joinpath("data", "hubs.csv").read_bytes()
    return pl.read_csv(text, schema_overrides={"gbt2260": pl.String})


def find_hub(name: str) -> str:
    """The hub that a slug, a name in either language or a GB/T 2260 code stands for.

    Raises UnknownHub with the nearest slugs.
    """
    wanted = name.strip().lower().removesuffix("市")
    columns = ("hub", "name_zh", "name_en", "gbt2260")
    for row in hubs().iter_rows(named=True):
        if wanted in {str(row[column]).lower() for column in columns}:
            return str(row["hub"])
    import difflib

    known = hubs()["hub"].to_list()
    near = difflib.get_close_matches(wanted, known, n=3) or known
    raise UnknownHub(f"unknown hub {name!r}; nearest: {', '.join(near)}")
