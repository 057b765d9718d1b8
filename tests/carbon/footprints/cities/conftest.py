"""Makers of small frames: only what a test is about is named."""

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from carbon.footprints.decoupling import series_schema
from carbon.footprints.schemas import lines_schema

Make = Callable[..., pl.DataFrame]
PLAIN = {
    "entity": "plant",
    "hub": "wuhan",
    "sector": "steel",
    "scope": 1,
    "gas": "CO2",
    "biogenic": False,
    "factor_ids": ["f"],
    "gwp_set": "AR5GWP100",
    "first_day": date(2023, 1, 1),
    "last_day": date(2023, 12, 31),
    "recorded": date(2024, 1, 30),
}


@pytest.fixture(scope="session")
def make_lines() -> Make:
    """Lines of the given rows, of a steel plant in Wuhan in 2023 where they do not say otherwise."""

    def make(*rows: dict[str, Any]) -> pl.DataFrame:
        schema = lines_schema()
        whole = [{**dict.fromkeys(schema), "activity_id": f"a{at}", **PLAIN, **row} for at, row in enumerate(rows)]
        return pl.DataFrame(whole, schema=schema, orient="row")

    return make


@pytest.fixture(scope="session")
def make_series() -> Make:
    """Emissions and GDP of one city and series: (year, emissions, GDP) each, at current prices."""

    def make(*rows: tuple[int, float | None, float | None], hub: str = "wuhan", series: str = "EDGAR") -> pl.DataFrame:
        whole = [(hub, series, year, emissions, gdp, "current") for year, emissions, gdp in rows]
        return pl.DataFrame(whole, schema=series_schema(), orient="row")

    return make
