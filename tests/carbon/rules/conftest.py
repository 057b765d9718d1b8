"""All embedded rules, and units to calculate with."""

from decimal import Decimal

import pytest

from carbon.rules.book import Rules, load_rules
from carbon.rules.units import PowerUnit


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load_rules()


@pytest.fixture(scope="session")
def make_unit():
    """A unit of 2024 above 300 MW that fits every year's rules; other figures by name."""

    def make(**changes) -> PowerUnit:
        figures = {
            "entity": "E",
            "unit": "1",
            "unit_class": "coal_gt300MW",
            "year": 2024,
            "net_supply_mwh": Decimal(940_000),
            "gross_generation_mwh": Decimal(1_000_000),
            "heat_gj": Decimal(500_000),
            "load_factor": Decimal("0.70"),
            "heat_ratio": Decimal("0.10"),
            "cooling": "water",
            "verified_t": 850_000,
            "base_verified_t": 800_000,
        }
        return PowerUnit.model_validate({**figures, **changes})

    return make
