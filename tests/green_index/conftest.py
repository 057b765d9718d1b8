"""A handful of carbon facts, made for the tests."""

from datetime import date

import polars as pl
import pytest

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
    return CarbonFacts(markets, years, facilities, inventories, pilots)
