import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.footprints.units import (
    UnitMismatch,
    UnknownUnit,
    canonical_units,
    conversion,
    conversions,
    unit_names,
)

GROUPS = unit_names().group_by("dimension").agg("unit").sort("dimension")["unit"].to_list()


def of_one_dimension(count: int) -> st.SearchStrategy[list[str]]:
    return st.sampled_from(GROUPS).flatmap(
        lambda group: st.lists(st.sampled_from(group), min_size=count, max_size=count)
    )


@pytest.mark.parametrize(
    ("unit", "to", "factor"),
    [
        ("t", "kg", 1000),
        ("万t", "t", 10_000),
        ("MWh", "kWh", 1000),
        ("万kWh", "kWh", 10_000),
        ("kWh", "MJ", 3.6),
        ("GWh", "TJ", 3.6),
        ("tce", "GJ", 29.3076),  # GB/T 2589: 29 307.6 kJ/kg
        ("kgce", "kcal", 29307.6 / 4.1868),  # 7000 kilocalories
        ("万Nm3", "Nm3", 10_000),
        ("m3", "L", 1000),
        ("mile", "km", 1.609344),
        ("万CNY", "CNY", 10_000),
        ("%", "1", 0.01),
    ],
)
def test_published_sizes(unit: str, to: str, factor: float) -> None:
    assert conversion(unit, to) == pytest.approx(factor, rel=1e-15)
    assert conversion(to, unit) == pytest.approx(1 / factor, rel=1e-15)


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("度", "kWh"),
        ("吨", "t"),
        ("m³", "m3"),
        ("ｋＷｈ", "kWh"),
        (" 万元 ", "万CNY"),
        ("人公里", "pkm"),
        ("litres", "L"),
    ],
)
def test_other_spellings(written: str, unit: str) -> None:
    assert canonical_units(pl.Series([written])).to_list() == [unit]
    assert conversion(written, unit) == 1


@pytest.mark.parametrize(
    ("unit", "to"),
    [("m3", "Nm3"), ("t", "GJ"), ("tce", "t"), ("CNY", "USD"), ("kWh", "kWh_gross"), ("km", "pkm"), ("trip", "piece")],
)
def test_what_measures_something_else_is_refused(unit: str, to: str) -> None:
    with pytest.raises(UnitMismatch, match="one dimension"):
        conversion(unit, to)


@pytest.mark.parametrize("unit", ["MT", "Kwh/h", "", "TON", "mwH"])
def test_nothing_is_guessed_from_a_name_that_is_near(unit: str) -> None:
    with pytest.raises(UnknownUnit, match="kWh"):
        conversion(unit, "kWh")


def test_many_pairs_keep_their_order_and_say_what_is_wrong() -> None:
    pairs = pl.DataFrame({"unit": ["t", "m3", None, "furlong", "t"], "to": ["kg", "Nm3", "kg", "kg", "kg"]})
    assert conversions(pairs).rows() == [
        ("t", "kg", 1000.0, None),
        ("m3", "Nm3", None, "unit_mismatch"),
        (None, "kg", None, "unknown_unit"),
        ("furlong", "kg", None, "unknown_unit"),
        ("t", "kg", 1000.0, None),
    ]


def test_a_million_pairs_are_a_join() -> None:
    pairs = pl.DataFrame({"unit": pl.Series(["MWh", "t"]).gather([0, 1] * 500_000)}).with_columns(to=pl.lit("kWh"))
    told = conversions(pairs)
    assert told.height == 1_000_000
    assert told["factor"].null_count() == 500_000


def test_every_name_and_spelling_is_one_unit() -> None:
    names = unit_names()
    spellings = pl.concat([names["unit"], names["aliases"].explode().drop_nulls()])
    assert spellings.str.normalize("NFKC").n_unique() <= spellings.len()
    by_unit = names.explode("aliases").drop_nulls("aliases")
    assert by_unit["aliases"].str.normalize("NFKC").n_unique() == by_unit["aliases"].n_unique()
    assert names["unit"].n_unique() == names.height
    assert names.filter(pl.any_horizontal(pl.col("dimension", "size", "name_zh", "name_en").is_null())).is_empty()
    assert canonical_units(by_unit["aliases"]).to_list() == by_unit["unit"].to_list()


def test_the_table_given_out_is_not_the_one_kept() -> None:
    unit_names().drop_in_place("unit")
    assert "unit" in unit_names().columns


@given(pair=of_one_dimension(2))
def test_there_and_back(pair: list[str]) -> None:
    assert conversion(*pair) * conversion(*reversed(pair)) == pytest.approx(1, rel=1e-15)


@given(three=of_one_dimension(3))
def test_by_way_of_a_third(three: list[str]) -> None:
    first, second, third = three
    through = conversion(first, second) * conversion(second, third)
    assert through == pytest.approx(conversion(first, third), rel=1e-14)
