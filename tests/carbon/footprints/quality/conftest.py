"""Makers of small frames: only what a test is about is named, the rest is a plain row of 2023."""

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from carbon.footprints.schemas import activities_schema, factors_schema, lines_schema

Make = Callable[..., pl.DataFrame]

PLAIN_LINE = {
    "entity": "plant",
    "scope": 1,
    "gas": "CO2",
    "biogenic": False,
    "factor_ids": ["f"],
    "gwp_set": "AR5GWP100",
    "first_day": date(2023, 1, 1),
    "last_day": date(2023, 12, 31),
    "recorded": date(2024, 1, 30),
}


def _frame(rows: tuple[dict[str, Any], ...], schema: dict[str, Any], plain: dict[str, Any]) -> pl.DataFrame:
    whole = [{**dict.fromkeys(schema), **plain, **row} for row in rows]
    return pl.DataFrame(whole, schema=schema, orient="row")


@pytest.fixture(scope="session")
def make_lines() -> Make:
    """Lines of the given rows; activity_id is a0, a1, ... where a row names none."""

    def make(*rows: dict[str, Any]) -> pl.DataFrame:
        named = tuple({"activity_id": f"a{at}", **row} for at, row in enumerate(rows))
        return _frame(named, lines_schema(), PLAIN_LINE)

    return make


@pytest.fixture(scope="session")
def make_factors() -> Make:
    """Factors of the given rows, of CO2, confidence H, from a source."""

    def make(*rows: dict[str, Any]) -> pl.DataFrame:
        plain = {"gas": "CO2", "parameter": "emission_factor", "confidence": "H", "assumed": False}
        return _frame(rows, factors_schema(), plain)

    return make


@pytest.fixture(scope="session")
def make_activities() -> Make:
    """Activities of the given rows."""

    def make(*rows: dict[str, Any]) -> pl.DataFrame:
        return _frame(rows, activities_schema(), {})

    return make


@pytest.fixture(scope="session")
def ranged(make_factors: Make) -> Callable[..., pl.DataFrame]:
    """Factors by name with even half-widths as shares of 1: ranged(f=0.1, g=0.05)."""

    def make(**shares: float) -> pl.DataFrame:
        rows = [{"factor_id": name, "value": 1.0, "lower": 1 - u, "upper": 1 + u} for name, u in shares.items()]
        return make_factors(*rows)

    return make
