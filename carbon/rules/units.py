"""What an allocation is calculated from: power units and industrial plants with one year's figures.

Knows which figures exist, their units and bounds. Must not know rules or files.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["INDUSTRY_CLASSES", "POWER_CLASSES", "EmittingUnit", "IndustrialUnit", "PowerUnit"]

PowerClass = Literal["coal_gt300MW", "coal_le300MW", "coal_unconventional", "gas"]
IndustryClass = Literal["steel", "cement", "cement_white", "cement_carbide_slag", "cement_gypsum_acid", "aluminium"]

POWER_CLASSES: tuple[str, ...] = ("coal_gt300MW", "coal_le300MW", "coal_unconventional", "gas")
INDUSTRY_CLASSES: tuple[str, ...] = (
    *("steel", "cement", "cement_white", "cement_carbide_slag", "cement_gypsum_acid"),
    "aluminium",
)

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_Amount = Annotated[Decimal, Field(ge=0, le=10**12)]
_Share = Annotated[Decimal, Field(ge=0, le=1)]
_Tonnes = Annotated[int, Field(ge=0, le=10**12)]
_Year = Annotated[int, Field(ge=2000, le=2100)]
_Name = Annotated[str, Field(min_length=1)]


class PowerUnit(BaseModel):
    """One power unit in one compliance year. A figure unknown is null, never zero.

    unit_class : coal_gt300MW, coal_le300MW, coal_unconventional or gas
    net_supply_mwh : electricity supplied, the basis until 2022; gross_generation_mwh : generated, the basis from 2023
    heat_gj : heat supplied, 0 where none; load_factor : 0..1, 0.6 for 60 %; heat_ratio : 0..1, heat-supply ratio
    cooling : water, air or back_pressure
    verified_t : verified emissions of the year; base_verified_t : those that the pre-allocation is based on (of 2021
    for 2021 and 2022, else of the year before); pre_allocated_t : what was in fact pre-allocated
    """

    model_config = _FROZEN

    entity: _Name
    unit: _Name
    unit_class: PowerClass
    year: _Year
    net_supply_mwh: _Amount | None = None
    gross_generation_mwh: _Amount | None = None
    heat_gj: _Amount
    load_factor: _Share | None = None
    heat_ratio: _Share | None = None
    cooling: Literal["water", "air", "back_pressure"] | None = None
    verified_t: _Tonnes | None = None
    base_verified_t: _Tonnes | None = None
    pre_allocated_t: _Tonnes | None = None

    @property
    def sector(self) -> str:
        """The sector in the words of the rules."""
        return "power"


class IndustrialUnit(BaseModel):
    """One plant of steel, cement or aluminium smelting in one compliance year.

    unit_class : steel, cement, cement_white, cement_carbide_slag (over 15 %), cement_gypsum_acid or aluminium
    verified_t : verified emissions of the year; pre_allocated_t : what was in fact pre-allocated
    """

    model_config = _FROZEN

    entity: _Name
    unit: _Name
    unit_class: IndustryClass
    year: _Year
    verified_t: _Tonnes | None = None
    pre_allocated_t: _Tonnes | None = None

    @property
    def sector(self) -> str:
        """The sector in the words of the rules."""
        return "industry"


EmittingUnit = PowerUnit | IndustrialUnit
