"""Every choice of a run as one frozen value.

Knows the names of the methods; the methods live in the modules that the names point to. Knows no data.
"""

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NormaliseStep(_Frozen):
    """How figures become scores.

    bounds: of each period alone, or pooled over all periods (years then compare). min_hubs: an indicator that fewer
    hubs have in a period is not used there, for min-max would make the lesser of two figures a zero.
    """

    method: Literal["minmax"] = "minmax"
    lower: float = 0.0
    upper: float = 100.0
    bounds: Literal["period", "pooled"] = "period"
    constant: Literal["drop", "error"] = "drop"
    min_hubs: int = Field(default=1, ge=1)


class WeighStep(_Frozen):
    """How children are weighed. A group with a judgement uses it (AHP); other groups of indicators use `indicators`."""

    indicators: Literal["pca_nicoletti", "equal"] = "pca_nicoletti"
    random_index: Literal["saaty1980", "saaty2005_2008", "alonso_lamata_2006", "donegan_dodd_1991"] = "saaty1980"
    max_consistency_ratio: float = Field(default=0.1, gt=0)


class AggregateStep(_Frozen):
    """How child scores become a parent's, and how much may be missing.

    A share counts the weight of the children that a hub has, out of the children that any hub has in that period.
    Below `min_share` a group is null; below `min_share_root` a hub is not ranked.
    """

    method: Literal["arithmetic"] = "arithmetic"
    min_share: float = Field(default=1 / 3, ge=0, le=1)
    min_share_root: float = Field(default=1.0, ge=0, le=1)


class Recipe(_Frozen):
    """All choices of one run. `seed` is kept for the draws of robustness runs and is part of the provenance."""

    normalise: NormaliseStep = NormaliseStep()
    weigh: WeighStep = WeighStep()
    aggregate: AggregateStep = AggregateStep()
    seed: int = 0

    def hash(self) -> str:
        """SHA-256 of all choices."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
