"""The units of activities and factors: their names, what each measures, and how one is turned into another.

Knows `carbon/data/units.csv`. Must not know factors, activities or files of users. A unit measures one thing: tonnes of
standard coal are energy, a cubic metre and a normal cubic metre are two things, and so are two currencies.

Sizes: the litre, the mile (1609.344 m), the nautical mile (1852 m), the kilowatt-hour (3.6 MJ) and the International
Table calorie (4.1868 J) are exact by definition; standard coal is 29 307.6 kJ/kg, 7000 such kilocalories, in GB/T 2589.
"""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["UnitMismatch", "UnknownUnit", "canonical_units", "conversion", "conversions", "dimensions", "unit_names"]

UNKNOWN: Final = "unknown_unit"
MISMATCH: Final = "unit_mismatch"


class UnknownUnit(CarbonError):
    """No unit has this name."""


class UnitMismatch(CarbonError):
    """Two units that measure different things."""


def unit_names() -> "pl.DataFrame":
    """Every unit: unit, dimension, size (in g, J, L, m, person-m, or one of the unit), name_zh, name_en, aliases.

    aliases : other ways to write it, a list of String. Written wide or narrow (ｋＷｈ, m³) makes no difference.
    """
    return _units().clone()


def conversion(unit: str, to: str) -> float:
    """How many of the unit `to` one `unit` is: conversion("MWh", "kWh") is 1000.

    Raises UnknownUnit, and UnitMismatch where the two measure different things.
    """
    import polars as pl

    row = conversions(pl.DataFrame({"unit": [unit], "to": [to]})).row(0, named=True)
    if row["problem"] is None:
        return float(row["factor"])
    if row["problem"] == UNKNOWN:
        known = " ".join(_units()["unit"])
        unknown = next(name for name in (unit, to) if dimensions(pl.Series([name])).null_count())
        raise UnknownUnit(f"found unit {unknown!r}, expected one of: {known}")
    measured = dimensions(pl.Series([unit, to]))
    raise UnitMismatch(f"found {unit} ({measured[0]}) for {to} ({measured[1]}), expected two units of one dimension")


def conversions(pairs: "pl.DataFrame") -> "pl.DataFrame":
    """Conversions of many pairs at once, in the order of the rows.

    pairs : unit, to (String)
    Result: unit, to, factor (Float64, how many `to` one `unit` is; null where impossible), problem (String: null,
    unknown_unit or unit_mismatch).
    """
    import polars as pl

    # A file has millions of rows and a handful of units.
    wanted = pairs.select(pl.col("unit", "to").cast(pl.String))
    if wanted.is_empty():
        # Most calls have nothing to convert, and a dozen queries of nothing cost as much as those of something.
        return wanted.with_columns(factor=pl.lit(None, dtype=pl.Float64), problem=pl.lit(None, dtype=pl.String))
    distinct = wanted.unique()
    found = distinct.with_columns(
        *_measured(distinct["unit"]).select(from_dimension="dimension", from_size="size"),
        *_measured(distinct["to"]).select(to_dimension="dimension", to_size="size"),
    )
    is_unknown = pl.col("from_dimension").is_null() | pl.col("to_dimension").is_null()
    is_unlike = pl.col("from_dimension") != pl.col("to_dimension")
    told = found.select(
        "unit",
        "to",
        factor=pl.when(~is_unknown & ~is_unlike).then(pl.col("from_size") / pl.col("to_size")),
        problem=pl.when(is_unknown).then(pl.lit(UNKNOWN)).when(is_unlike).then(pl.lit(MISMATCH)),
    )
    return wanted.join(told, on=["unit", "to"], how="left", nulls_equal=True, maintain_order="left")


def dimensions(units: "pl.Series") -> "pl.Series":
    """What each unit measures (mass, energy, volume, ...), in order; null for a unit that is not known."""
    return _measured(units)["dimension"]


def canonical_units(units: "pl.Series") -> "pl.Series":
    """The name in the table of each unit as written ("litres" is L), in order; null for a unit that is not known."""
    return _measured(units)["unit"]


def _measured(units: "pl.Series") -> "pl.DataFrame":
    """unit, dimension and size of each unit as written, in order."""
    import polars as pl

    named = pl.DataFrame({"written": units.cast(pl.String).str.normalize("NFKC").str.strip_chars()})
    return named.join(_spellings(), on="written", how="left", maintain_order="left").select("unit", "dimension", "size")


@cache
def _units() -> "pl.DataFrame":
    import polars as pl

    schema = dict.fromkeys(("unit", "dimension", "size", "name_zh", "name_en", "aliases"), pl.String)
    text = files("carbon").joinpath("data", "units.csv").read_bytes()
    return pl.read_csv(text, schema=schema).with_columns(
        pl.col("size").cast(pl.Float64),
        pl.col("aliases").str.split(";").fill_null([]),
    )


@cache
def _spellings() -> "pl.DataFrame":
    """written, unit, dimension, size: one row for each way to write a unit."""
    import polars as pl

    return (
        _units()
        .with_columns(written=pl.concat_list(pl.concat_list("unit"), "aliases"))
        .explode("written")
        .select(pl.col("written").str.normalize("NFKC"), "unit", "dimension", "size")
        .unique("written", keep="first", maintain_order=True)
    )
