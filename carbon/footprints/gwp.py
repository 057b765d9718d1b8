"""Global warming potentials: how much CO2 a kilogram of another gas counts for, by assessment report and horizon.

Knows the sets of the package `globalwarmingpotentials` (IPCC assessment reports, as printed) and the composition of
refrigerant blends. Must not know factors of activities or emissions. The set used is part of every result: two results
with two sets are not added.
"""

from functools import cache
from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["BLENDS", "DEFAULT_GWP_SET", "LATEST_GWP_SET", "UnknownGwpSet", "gwp_sets", "gwp_values"]

DEFAULT_GWP_SET: Final = "AR5GWP100"
"""IPCC 2013 without climate-carbon feedback: CH4 28, as the Chinese provincial guide of 2025 prints it, and what the
GHG Protocol and the reporting rules under the Paris Agreement (decision 18/CMA.1, annex, paragraph 37) ask for."""

LATEST_GWP_SET: Final = "AR6GWP100"
"""100 years, of the latest assessment: IPCC, Sixth Assessment Report, Working Group I (2021), chapter 7, table 7.15 and
the supplementary material of the chapter."""

BLENDS: Final[dict[str, dict[str, float]]] = {
    "R404A": {"HFC125": 0.44, "HFC143a": 0.52, "HFC134a": 0.04},
    "R407A": {"HFC32": 0.20, "HFC125": 0.40, "HFC134a": 0.40},
    "R407C": {"HFC32": 0.23, "HFC125": 0.25, "HFC134a": 0.52},
    "R407F": {"HFC32": 0.30, "HFC125": 0.30, "HFC134a": 0.40},
    "R410A": {"HFC32": 0.50, "HFC125": 0.50},
    "R507A": {"HFC125": 0.50, "HFC143a": 0.50},
    "R508B": {"HFC23": 0.46, "C2F6": 0.54},
}
"""Shares by mass, as the safety classification of refrigerants names them (ANSI/ASHRAE Standard 34; IPCC 2006
Guidelines, volume 3, table 7.8)."""


class UnknownGwpSet(CarbonError):
    """No set of warming potentials has this name."""


def gwp_sets() -> list[str]:
    """The names of the sets, ascending: AR4GWP100, AR5GWP100, AR5CCFGWP100 (with feedback), AR6GWP100, ..."""
    from globalwarmingpotentials import data  # type: ignore[import-untyped]

    return sorted(data)


def gwp_values(name: str = DEFAULT_GWP_SET) -> "pl.DataFrame":
    """One set: gas (String, ascending), gwp (Float64, kg CO2e per kg).

    CO2 is 1 by definition, and CO2e is 1 since it is counted already. Blends are sums of their parts by mass; one with
    a part that the set does not have is left out.
    Raises UnknownGwpSet, listing the sets that exist.
    """
    return _values(name).clone()


@cache
def _values(name: str) -> "pl.DataFrame":
    import polars as pl
    from globalwarmingpotentials import data

    if name not in data:
        raise UnknownGwpSet(f"found set of warming potentials {name!r}, expected one of: {', '.join(gwp_sets())}")
    single = {"CO2": 1.0, "CO2e": 1.0, **data[name]}
    blended = {
        blend: sum(share * single[gas] for gas, share in parts.items())
        for blend, parts in BLENDS.items()
        if parts.keys() <= single.keys()
    }
    gases = sorted((single | blended).items())
    return pl.DataFrame(gases, schema={"gas": pl.String, "gwp": pl.Float64}, orient="row")
