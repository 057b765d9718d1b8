"""Where a factor holds: cities, provinces, grid regions, China, other countries, the world, and what lies in what.

Knows `carbon/data/factor_regions.csv` and the code of administrative divisions GB/T 2260. Must not know factors.
A city is looked for in its province, then in its grid region, in China and in the world.
"""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "LEVELS",
    "UnknownRegion",
    "embedded_regions",
    "known_region_expr",
    "region_chains",
    "region_of_hub",
    "resolve_region",
]

LEVELS: Final = {"world": 0, "country": 1, "grid": 2, "province": 3, "city": 4}
"""How narrow each kind of region is."""

_WORLD: Final = "World"
_COUNTRY: Final = r"^[A-Z]{2}$"
_DIVISION: Final = r"^[1-8]\d{5}$"


class UnknownRegion(CarbonError):
    """No region has this code or name."""


def embedded_regions() -> "pl.DataFrame":
    """The regions known by name: region, parent, kind (one of LEVELS), hub, name_zh, name_en, source, note (String)."""
    return _regions().clone()


def region_of_hub(hub: str) -> str:
    """The code of the city that a hub is: region_of_hub("wuhan") is 420100. Raises UnknownRegion."""
    import polars as pl

    found = _regions().filter(pl.col("hub") == hub)
    if found.is_empty():
        known = ", ".join(_regions()["hub"].drop_nulls().sort())
        raise UnknownRegion(f"found hub {hub!r}, expected one of: {known}")
    return str(found["region"][0])


def resolve_region(text: str) -> str:
    """The region meant by a code, a hub or a name in Chinese or English: 420000, CN-grid-central, wuhan, 湖北, Hubei.

    Codes of divisions and of countries (two capital letters) need not be in the table. Raises UnknownRegion.
    """
    import polars as pl

    wanted = text.strip()
    if _written_as(wanted, _DIVISION) or _written_as(wanted, _COUNTRY):
        return wanted
    same = pl.any_horizontal(
        pl.col(name).str.to_lowercase() == wanted.lower() for name in ("region", "hub", "name_zh", "name_en")
    )
    # A municipality and its only hub are one row; the narrowest of equal names counts (吉林 is a province here).
    found = _regions().filter(same)
    if found.is_empty():
        raise UnknownRegion(
            f"found region {text!r}, expected a code such as 420000, CN-grid-central, CN or World, a hub, or the name "
            "of a province or hub"
        )
    return str(found["region"][0])


def region_chains(regions: "pl.Series") -> "pl.DataFrame":
    """Every region and what it lies in: region, ancestor (itself too), depth (Int64, 0 is itself), level (Int64).

    regions : codes, nulls and repeats allowed; a null lies in the world only
    A division that the table does not have lies in its prefecture (first four digits), that in its province; a code
    that nothing is known of lies in the world.
    """
    import polars as pl

    start = pl.DataFrame({"region": regions.cast(pl.String).unique()}).with_columns(ancestor=pl.col("region"))
    step = start.with_columns(depth=pl.lit(0, pl.Int64))
    steps = [step]
    while not step.is_empty():
        step = (
            step.filter(pl.col("ancestor").ne_missing(_WORLD))
            .join(_parents(step["ancestor"]), on="ancestor", nulls_equal=True)
            .select("region", ancestor="parent", depth=pl.col("depth") + 1)
        )
        steps.append(step)
    chains = pl.concat(steps).drop_nulls("ancestor")
    return chains.with_columns(_level(pl.col("ancestor")).alias("level"))


def known_region_expr(region: "pl.Expr") -> "pl.Expr":
    """True where a column holds the code of a region in the table, of any division or of any country."""
    in_table = region.is_in(_regions()["region"].implode())
    return in_table | region.str.contains(_DIVISION) | region.str.contains(_COUNTRY)


def _parents(regions: "pl.Series") -> "pl.DataFrame":
    """ancestor, parent: what each region lies in next."""
    import polars as pl

    code = pl.col("ancestor")
    by_code = (
        pl.when(code.str.contains(_DIVISION) & ~code.str.ends_with("00"))
        .then(code.str.slice(0, 4) + "00")
        .when(code.str.contains(_DIVISION) & ~code.str.ends_with("0000"))
        .then(code.str.slice(0, 2) + "0000")
        .otherwise(pl.lit(_WORLD))
    )
    known = _regions().select(ancestor="region", known="parent")
    distinct = pl.DataFrame({"ancestor": regions.unique()})
    return distinct.join(known, on="ancestor", how="left").select("ancestor", parent=pl.coalesce("known", by_code))


def _level(region: "pl.Expr") -> "pl.Expr":
    import polars as pl

    kinds = dict(_regions().select("region", "kind").iter_rows())
    levels = {code: LEVELS[kind] for code, kind in kinds.items()}
    by_code = (
        pl.when(region.str.contains(r"^[1-8]\d0000$"))
        .then(LEVELS["province"])
        .when(region.str.contains(_DIVISION))
        .then(LEVELS["city"])
        .otherwise(LEVELS["country"])
    )
    return pl.coalesce(region.replace_strict(levels, default=None, return_dtype=pl.Int64), by_code.cast(pl.Int64))


def _written_as(text: str, pattern: str) -> bool:
    import re

    return re.search(pattern, text) is not None


@cache
def _regions() -> "pl.DataFrame":
    import polars as pl

    text = files("carbon").joinpath("data", "factor_regions.csv").read_bytes()
    names = ("region", "parent", "kind", "hub", "name_zh", "name_en", "source", "note")
    return pl.read_csv(text, schema=dict.fromkeys(names, pl.String))
