"""Small frames of activities and factors, with the columns that a test does not care about filled in."""

from datetime import date
from typing import Any

import polars as pl

from carbon.footprints.schemas import activities_schema, factors_schema

YEAR = {"period": "2023", "first_day": date(2023, 1, 1), "last_day": date(2023, 12, 31)}
SCOPE_1 = {"scope": 1, "category": "stationary"}
POWER = {"scope": 2, "category": "electricity", "activity": "electricity", "unit": "kWh"}


def month(number: int, year: int = 2023) -> dict[str, Any]:
    """Period, first and last day of a month."""
    following = date(year + number // 12, number % 12 + 1, 1)
    return {
        "period": f"{year}-{number:02}",
        "first_day": date(year, number, 1),
        "last_day": date.fromordinal(following.toordinal() - 1),
    }


def activity_rows(*rows: dict[str, Any]) -> pl.DataFrame:
    """Activities a0, a1, ... of entity E in China in 2023, counted whole."""
    schema = activities_schema()
    usual = {"entity": "E", "share": 1.0, "region": "CN", "credit_note": False, "file": "x.csv", **YEAR}
    filled = [
        {**dict.fromkeys(schema), **usual, "activity_id": f"a{at}", "row": at + 2, **row} for at, row in enumerate(rows)
    ]
    return pl.DataFrame(filled, schema=schema)


def factor_rows(*rows: dict[str, Any]) -> pl.DataFrame:
    """Factors of China without limit in time, of the series "test"; an emission factor of CO2 unless told otherwise."""
    schema = factors_schema()
    usual = {
        **{"kind": "process", "parameter": "emission_factor", "gas": "CO2", "region": "CN", "series": "test"},
        **{"biogenic": False, "assumed": False, "recorded": date(2024, 1, 1), "confidence": "H", "source": "a test"},
    }
    filled = [{**dict.fromkeys(schema), **usual, "numerator": "kg", **row} for row in rows]
    return pl.DataFrame(filled, schema=schema)


def fuel(activity: str, ncv: float, carbon_t_per_gj: float, oxidation: float, **more: Any) -> pl.DataFrame:
    """The three parameters of a fuel: GJ/t, t/GJ and a share."""
    return factor_rows(
        *(
            {"factor_id": f"{parameter}-{activity}", "activity": activity, "parameter": parameter, **figures, **more}
            for parameter, figures in (
                ("net_calorific_value", {"gas": None, "value": ncv, "numerator": "GJ", "denominator": "t"}),
                ("carbon_content", {"gas": "C", "value": carbon_t_per_gj, "numerator": "t", "denominator": "GJ"}),
                ("oxidation", {"gas": None, "value": oxidation, "numerator": "1", "denominator": "1"}),
            )
        )
    )


GRID = factor_rows(
    {"factor_id": "grid", "activity": "electricity", "value": 0.5, "denominator": "kWh", "method": "location"}
)
RESIDUAL = factor_rows(
    {"factor_id": "residual", "activity": "electricity", "value": 0.75, "denominator": "kWh", "method": "market"}
    | {"series": "test_residual"}
)
