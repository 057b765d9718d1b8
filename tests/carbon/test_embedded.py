import re
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from sqlmodel import func, select

from carbon import embedded
from carbon.errors import UnknownMarket
from carbon.tables import EmbeddedStamp, Facility, Market, TradeSummary

FILES = [
    "markets",
    "market_years",
    "facilities",
    "facility_weights",
    "city_inventories",
    "lowcarbon_pilots",
    "sources",
]


def counts(session):
    return [session.exec(select(func.count()).select_from(table)).one() for table in (Market, Facility, TradeSummary)]


def test_load_embedded_twice_changes_nothing(session):
    embedded.load_embedded(session)
    first = counts(session), [row.model_dump() for row in session.exec(select(TradeSummary))]
    embedded.load_embedded(session)
    assert (counts(session), [row.model_dump() for row in session.exec(select(TradeSummary))]) == first
    assert first[0] == [9, 11, embedded.read_embedded("market_years").height]


def test_loaded_summaries_stay(session):
    embedded.load_embedded(session)
    figures = {"volume_t": 1, "value_fen": 5000, "sessions": 1, "coverage": "part_of_year", "source": "loaded: a"}
    session.add(TradeSummary(market="CEA", period="2022", by="year", origin="loaded", **figures))
    session.commit()
    embedded.load_embedded(session)
    kept = session.get(TradeSummary, ("CEA", "2022", "year", "loaded"))
    assert kept is not None
    assert kept.volume_t == 1


@pytest.mark.parametrize("name", FILES)
def test_every_column_names_its_publisher(name):
    documented = embedded.read_embedded("sources").filter(pl.col("file") == f"{name}.csv")["column"]
    columns = {re.sub(r" \(.*", "", column) for column in documented}
    if name != "sources":
        assert set(embedded.read_embedded(name).columns) == columns


def test_figures_equal_the_bundle(outside_data):
    ours = embedded.read_embedded("market_years")
    bundle = pl.read_csv(outside_data / "bundle" / "market_years.csv", infer_schema=False)
    assert ours["market"].to_list() == bundle["market"].to_list()
    assert ours["volume_t"].sum() == sum(int(text) for text in bundle["volume_t"])
    assert ours["value_fen"].to_list() == [int(Decimal(text) * 100) for text in bundle["value_cny"]]
    assert ours["coverage"].value_counts().sort("coverage").rows() == [
        ("lower_bound", bundle.filter(pl.col("coverage").str.starts_with("lower bound")).height),
        ("part_of_year", bundle.filter(pl.col("coverage") == "part of the year").height),
        ("whole_year", bundle.filter(pl.col("coverage") == "whole year").height),
    ]


def test_inventories_have_no_row_for_what_is_missing(outside_data):
    ours = embedded.read_embedded("city_inventories")
    bundle = pl.read_csv(outside_data / "bundle" / "city_years.csv", infer_schema_length=None)
    for series, column in (("EDGAR", "co2_edgar_mt"), ("CEADS", "co2_ceads_mt")):
        part = ours.filter(pl.col("series") == series)
        assert part.height == bundle[column].drop_nulls().len()
        assert part["co2_mt"].sum() == pytest.approx(bundle[column].sum())
    assert ours["co2_mt"].null_count() == 0


def test_continuity_of_embedded_years():
    years = embedded.embedded_summaries()
    national_2023 = years.row(by_predicate=(pl.col("market") == "CEA") & (pl.col("period") == "2023"), named=True)
    assert (national_2023["sessions"], national_2023["calendar_sessions"]) == (242, 242)
    assert national_2023["continuity"] == 242 / 242
    assert national_2023["vwap_cny_per_t"] == pytest.approx(14443915802.01 / 211943768)
    # Guangdong opens on weekends before the deadline, which its own calendar knows.
    assert years.filter(pl.col("sessions") > pl.col("calendar_sessions")).is_empty()


@pytest.mark.parametrize("name", ["CEA", "cea", "Hubei", "hubei", "HBEA", "hbea", "SZEA", "SZA", " fujian "])
def test_markets_by_key_or_product(name):
    keys = {"cea": "CEA", "hubei": "Hubei", "hbea": "Hubei", "szea": "Shenzhen", "sza": "Shenzhen", "fujian": "Fujian"}
    assert embedded.resolve_market(name) == keys[name.strip().lower()]


def test_an_unknown_market_lists_those_that_exist():
    with pytest.raises(UnknownMarket, match=r"'EUA'.*CEA.*Hubei \(HBEA\)"):
        embedded.resolve_market("EUA")


@pytest.mark.parametrize(
    ("market", "product", "expected"),
    [
        ("CEA", "CEA", True),
        ("CEA", "CEA19-20", True),
        ("CEA", "CEA25", True),
        ("CEA", "COMCEA", True),
        ("CEA", "HBEA", False),
        ("CEA", "CEAX", False),
        ("Beijing", "GDEA", False),
        ("Beijing", "BEA", True),
        ("Shenzhen", "SZA-2014", True),
        ("Chongqing", "CQEA-1", True),
        ("Tianjin", "TJEA24", True),
    ],
)
def test_product_patterns(market, product, expected):
    assert bool(re.search(embedded.product_pattern(market), product)) is expected


def test_figures_of_a_newer_release_replace_the_embedded_ones_and_nothing_else(session):
    embedded.load_embedded(session)
    session.get(EmbeddedStamp, 1).sha256 = "of an older release"
    session.get(Market, "CEA").note = "an older note"
    loaded = TradeSummary(
        **{"market": "CEA", "period": "2022", "by": "year", "origin": "loaded", "volume_t": 10, "value_fen": 500},
        **{"sessions": 1, "coverage": "part_of_year", "source": "loaded: a.csv"},
        **{"first_day": date(2022, 1, 4), "last_day": date(2022, 1, 4)},
    )
    session.add(loaded)
    session.commit()
    embedded.load_embedded(session)
    assert session.get(Market, "CEA").note == "trades in Shanghai; allowances are registered and settled in Wuhan"
    assert session.exec(select(TradeSummary.volume_t).where(TradeSummary.origin == "loaded")).all() == [10]
    assert session.get(EmbeddedStamp, 1).sha256 != "of an older release"
