"""A handful of carbon facts, made for the tests."""

import dataclasses
from datetime import date

import polars as pl
import pytest

from carbon.facts import SCHEMAS
from green_index.bridge import CarbonFacts

YEARS = ("2013", "2014", "2015", "2016", "2017", "2018")


@pytest.fixture
def cities() -> pl.DataFrame:
    """Two cities over six years: GDP 100, 200 (10^8 CNY) and 10, 20 (10^4 persons)."""
    rows = [
        (hub, year, gdp, people)
        for hub, gdp, people in (("wuhan", 100.0, 10.0), ("xian", 200.0, 20.0))
        for year in YEARS
    ]
    return pl.DataFrame(rows, schema=["hub", "period", "gdp_100m_cny", "population_10k"], orient="row")


def market_year(market: str, period: str, **changes: object) -> dict[str, object]:
    return {
        "market": market,
        "period": period,
        "used": "embedded",
        "volume_t": 1000,
        "value_cny": 20_000.0,
        "continuity": 0.5,
        "volatility_annual": None,
        "amihud_per_million_cny": None,
        "coverage": "whole_year",
        "source": "sums",
        "note": None,
        "passed_over": None,
        **changes,
    }


MARKET_YEAR_TYPES = {
    "volatility_annual": pl.Float64,
    "amihud_per_million_cny": pl.Float64,
    "note": pl.String,
    "passed_over": pl.String,
    "continuity": pl.Float64,
}


@pytest.fixture
def carbon() -> CarbonFacts:
    """One pilot and one national market in Wuhan, a national registry there from 2016, inventories and a pilot."""
    markets = pl.DataFrame(
        [
            {"market": "P", "scope": "pilot", "hub": "wuhan", "opened": date(2014, 4, 2)},
            {"market": "N", "scope": "national", "hub": "wuhan", "opened": date(2016, 1, 1)},
        ]
    )
    years = pl.DataFrame(
        [
            market_year("P", "2014", coverage="part_of_year"),
            market_year("P", "2015"),
            market_year("P", "2016", amihud_per_million_cny=3.0),
            market_year("N", "2016", volume_t=3000, value_cny=60_000.0, continuity=1.0, used="loaded"),
            market_year("N", "2017"),
        ],
        schema_overrides=MARKET_YEAR_TYPES,
    )
    facilities = pl.DataFrame(
        [
            {
                "facility": "registry",
                "role": "registry",
                "market": "N",
                "scope": "national",
                "hub": "wuhan",
                "since": date(2016, 7, 1),
                "weight": 3.0,
            },
            {
                "facility": "exchange",
                "role": "exchange",
                "market": "P",
                "scope": "pilot",
                "hub": "wuhan",
                "since": date(2014, 4, 2),
                "weight": 1.0,
            },
        ]
    )
    inventories = pl.DataFrame(
        [("wuhan", year, "EDGAR", 1e6 * 1.1**i, "E") for i, year in enumerate(YEARS)]
        + [("wuhan", "2013", "CEADS", 2e6, "C")],
        schema=["hub", "period", "series", "co2_t", "source"],
        orient="row",
    )
    pilots = pl.DataFrame({"hub": ["wuhan"], "since_year": [2015], "source": ["list"]})
    stored = ("footprint_quality", "footprint_entities", "covered_entities", "personal_accounts")
    nothing = (typed(name) for name in stored)
    return CarbonFacts(markets, years, facilities, inventories, pilots, *nothing)


def typed(name: str, *rows: tuple[object, ...]) -> pl.DataFrame:
    """A frame of `carbon.facts.SCHEMAS`."""
    schema = {column: getattr(pl, kind) for column, kind in SCHEMAS[name].items()}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


@pytest.fixture
def footprints(carbon: CarbonFacts) -> CarbonFacts:
    """The same facts and, of 2016, footprints of two entities in Wuhan and of one in a city outside the index.

    Operators: a steel works known by its credit code, a mill, one closed in 2015, one that serves from 2017 on, all in
    Wuhan; one in Xi'an; one of no known city.
    """
    works = "91420100000000000X"
    return dataclasses.replace(
        carbon,
        footprint_quality=typed(
            "footprint_quality",
            ("wuhan", "2016", 2, 9.0, 2.5, 1.0, 0.75, 0.25, 60.0),
            ("yichang", "2016", 1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
        ),
        footprint_entities=typed("footprint_entities", (works, "2016"), ("trader", "2016"), ("closed", "2016")),
        covered_entities=typed(
            "covered_entities",
            ("works", works, "wuhan", "CN", None, None, None),
            ("works", works, "wuhan", "HB", None, None, None),
            ("mill", None, "wuhan", "CN", 2013, 2016, None),
            ("closed", None, "wuhan", "CN", None, None, 2015),
            ("later", None, "wuhan", "CN", 2017, None, None),
            ("xian-1", None, "xian", "CN", None, None, None),
            ("nowhere", None, None, "CN", None, None, None),
        ),
        personal_accounts=typed(
            "personal_accounts",
            ("wuhan", "2016", 500, "counted", False),
            ("wuhan", "2016", 2000, "printed", True),
            ("wuhan", "2017", 900, "counted", False),
            ("wuhan", "2025", 1_600_000, "printed", True),
            ("yichang", "2016", 7, "counted", False),
        ),
    )
