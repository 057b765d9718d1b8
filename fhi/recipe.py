"""Every choice of a run as one frozen value, in Python or in a TOML file.

Knows the names of the methods and their options; the methods live in the modules that the names point to. Knows no
data. A choice that names an indicator, group or unit is checked against the data where the run begins.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fhi.errors import Problem, RecipeError, one_of, plain_words
from fhi.numbers import Number

ImputeMethod = Literal[
    "none",
    "mean",
    "median",
    "group_mean",
    "group_median",
    "row_mean",
    "row_median",
    "carry_forward",
    "linear",
    "knn",
    "iterative",
]
TreatMethod = Literal["none", "winsorise", "log", "boxcox"]
NormaliseMethod = Literal[
    "minmax",
    "zscore",
    "rank",
    "percentile_rank",
    "borda",
    "distance_to_best",
    "distance_to_reference",
    "distance_to_target",
    "goalposts",
    "scaled",
    "share_of_best",
]
WeightMethod = Literal[
    "framework",
    "given",
    "equal",
    "ahp",
    "pca_nicoletti",
    "pca_composite",
    "pca_first",
    "factor",
    "entropy",
    "critic",
    "bod",
    "target",
    "blend",
]
AggregateMethod = Literal["arithmetic", "geometric", "harmonic", "power", "ordered", "copeland", "kemeny", "topsis"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ScreenStep(_Frozen):
    """Which units and indicators have figures enough to take part.

    Shares are of cells with a figure: of a unit over all indicators, of an indicator over all units, of a unit inside
    every lowest group. `absent` says whether a zero counts as no figure. Units in `keep` stay and units in `drop` go
    whatever their share.
    """

    method: Literal["none", "availability"] = "none"
    min_unit_share: float = Field(default=0.0, ge=0, le=1)
    min_indicator_share: float = Field(default=0.0, ge=0, le=1)
    min_group_share: float = Field(default=0.0, ge=0, le=1)
    absent: Literal["null", "null_or_zero"] = "null"
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class DenominateStep(_Frozen):
    """Whether figures are divided by the denominators that the framework declares."""

    method: Literal["none", "framework"] = "none"


class ImputeStep(_Frozen):
    """How missing figures are filled.

    `group` names the attribute of units that group_mean and group_median go by. `hold_out_share` of the observed cells
    of each indicator, drawn once with the seed, are hidden to learn the error of the method.
    """

    method: ImputeMethod = "none"
    group: str | None = None
    neighbours: int = Field(default=5, ge=1)
    max_rounds: int = Field(default=50, ge=1)
    hold_out_share: float = Field(default=0.1, gt=0, le=0.5)

    @model_validator(mode="after")
    def _names_a_group(self) -> Self:
        if self.method in ("group_mean", "group_median") and self.group is None:
            raise ValueError(f'{self.method} needs group = "...", the attribute of units to go by')
        return self


class ForcedTreatment(_Frozen):
    """What is done to one indicator whatever its skewness; `points` is how many cells `winsorise` moves."""

    method: TreatMethod
    points: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _says_how_many(self) -> Self:
        if (self.method == "winsorise") != (self.points is not None):
            raise ValueError('winsorise needs points = N, how many cells to move; other methods take no "points"')
        return self


class TreatStep(_Frozen):
    """How outliers are tamed: an indicator passes while |skewness| < max_skewness or kurtosis < max_kurtosis.

    One that does not pass has its extreme cells moved to the next one, one at a time, up to `max_points`; then the
    original is transformed by `fall_back` (its mirror image where it is skewed to the left).
    """

    method: Literal["none", "winsorise"] = "none"
    max_skewness: Number = Field(default=2.0, gt=0)
    max_kurtosis: Number = 3.5
    max_points: int = Field(default=5, ge=0)
    fall_back: Literal["none", "log", "boxcox"] = "log"
    by_indicator: dict[str, ForcedTreatment] = Field(default_factory=dict)


class NormaliseRule(_Frozen):
    """How the figures of an indicator become scores.

    lower, upper: the scale of minmax, distance_to_best, goalposts. mean, sd: the scale of zscore. from_lower,
    from_upper: the figures that `scaled` maps to lower and upper. reference: the unit that distance_to_reference
    measures from.
    """

    method: NormaliseMethod = "minmax"
    lower: Number = 0.0
    upper: Number = 100.0
    mean: Number = 0.0
    sd: Number = Field(default=1.0, gt=0)
    from_lower: Number = 0.0
    from_upper: Number = 100.0
    reference: str | None = None

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        if self.lower >= self.upper:
            raise ValueError(f"lower {self.lower:g} must be below upper {self.upper:g}")
        if self.from_lower >= self.from_upper:
            raise ValueError(f"from_lower {self.from_lower:g} must be below from_upper {self.from_upper:g}")
        if (self.method == "distance_to_reference") != (self.reference is not None):
            raise ValueError('distance_to_reference needs reference = "...", a unit; other methods take none')
        return self


class NormaliseStep(NormaliseRule):
    """How figures become scores, with other rules for single indicators.

    bounds: of each period alone, pooled over all periods (years then compare), or `fixed`: the goalposts of the
    framework, which every indicator must then have. min_hubs: an indicator that fewer hubs have in a period is not
    used there, for min-max would make the lesser of two figures a zero.
    """

    bounds: Literal["period", "pooled", "fixed"] = "period"
    constant: Literal["drop", "error"] = "drop"
    min_hubs: int = Field(default=1, ge=1)
    by_indicator: dict[str, NormaliseRule] = Field(default_factory=dict)


class WeighStep(_Frozen):
    """How children are weighed: `method` for every group, unless `by_level` or `by_group` name another.

    `framework` takes what the tree states: the judgement of a group (AHP), else the weights given to its children;
    where it states neither, `otherwise` decides. Levels count from the root, whose children are weighed at level 0.
    """

    method: WeightMethod = "framework"
    otherwise: WeightMethod = "equal"
    by_level: dict[int, WeightMethod] = Field(default_factory=dict)
    by_group: dict[str, WeightMethod] = Field(default_factory=dict)
    random_index: Literal[
        "saaty1980",
        "saaty2005_2008",
        "alonso_lamata_2006",
        "donegan_dodd_1991",
        "tummala_ling_1998",
        "ahpsurvey_500k_sims",
    ] = "saaty1980"
    max_consistency_ratio: Number = Field(default=0.1, gt=0)
    priority: Literal["eigenvector", "geometric_mean"] = "eigenvector"
    entropy_zeros: Literal["zero", "shift", "rescale"] = "zero"
    critic_direction: Literal["turned", "raw"] = "turned"
    bod_min_share: float = Field(default=0.0, ge=0, le=1)
    bod_max_share: float = Field(default=1.0, ge=0, le=1)
    targets: dict[str, Number] = Field(default_factory=dict)
    blend: dict[WeightMethod, Number] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        used = {self.method, self.otherwise, *self.by_level.values(), *self.by_group.values()}
        if self.otherwise == "framework":
            raise ValueError("otherwise says what to do where the framework is silent; it cannot be framework")
        if ("blend" in used) != bool(self.blend):
            raise ValueError('method "blend" and the table blend = { method = share, ... } go together')
        if any(share <= 0 for share in self.blend.values()) or {"blend", "bod"} & self.blend.keys():
            raise ValueError("blend needs positive shares of methods other than blend and bod")
        if "framework" in self.blend and self.otherwise in ("blend", "bod"):
            raise ValueError("a blend of framework needs an otherwise that is neither blend nor bod")
        if any(target < 0 for target in self.targets.values()):
            raise ValueError("targets are shares of influence and cannot be negative")
        if self.bod_min_share >= self.bod_max_share:
            raise ValueError(f"bod_min_share {self.bod_min_share:g} must be below bod_max_share {self.bod_max_share:g}")
        return self

    def method_of(self, group: str, level: int) -> WeightMethod:
        """The method asked for a group: by its code, else by its level, else the general one."""
        return self.by_group.get(group, self.by_level.get(level, self.method))


class AggregateStep(_Frozen):
    """How child scores become a parent's, and how much may be missing.

    `by_level` names other methods for groups of that level, the root being level 0. `exponent` belongs to `power`;
    `order_weights` to `ordered`: the weight of the best child first, of the worst last. A share counts the weight of
    the children that a hub has, out of the children that any hub has in that period. Below `min_share` a group is
    null; below `min_share_root` a hub is not ranked.
    """

    method: AggregateMethod = "arithmetic"
    by_level: dict[int, AggregateMethod] = Field(default_factory=dict)
    exponent: Number = 2.0
    order_weights: tuple[Number, ...] = ()
    min_share: float = Field(default=1 / 3, ge=0, le=1)
    min_share_root: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        used = {self.method, *self.by_level.values()}
        if ("ordered" in used) != bool(self.order_weights):
            raise ValueError('method "ordered" and order_weights = [best, ..., worst] go together')
        if any(weight < 0 for weight in self.order_weights) or (self.order_weights and not sum(self.order_weights)):
            raise ValueError("order_weights cannot be negative and must not all be zero")
        if self.exponent == 0:
            raise ValueError('exponent 0 is the geometric mean: use method = "geometric"')
        return self

    def method_of(self, level: int) -> AggregateMethod:
        """The method of groups of one level."""
        return self.by_level.get(level, self.method)


class Recipe(_Frozen):
    """All choices of one run. `seed` serves every draw of a run and is part of the provenance."""

    screen: ScreenStep = ScreenStep()
    denominate: DenominateStep = DenominateStep()
    impute: ImputeStep = ImputeStep()
    treat: TreatStep = TreatStep()
    normalise: NormaliseStep = NormaliseStep()
    weights: WeighStep = WeighStep()
    aggregate: AggregateStep = AggregateStep()
    seed: int = Field(default=0, ge=0)

    def hash(self) -> str:
        """SHA-256 of all choices."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file: one table a step, each key an option of that step.

    A step without table keeps its defaults. Raises RecipeError with every problem at once: table, key, what was found
    and what was expected.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise RecipeError([Problem(str(path), "no such file", "a TOML file", "no_file")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError([Problem(path.name, str(error), "valid TOML in UTF-8", "not_toml")]) from error
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError(problems_of(path.name, error)) from error


def problems_of(source: str, error: ValidationError) -> list[Problem]:
    """What pydantic refused of a recipe, as problems; source: the file or whatever else the choices came from."""
    return [_problem_of(source, dict(detail)) for detail in error.errors()]


def _problem_of(name: str, detail: dict[str, Any]) -> Problem:
    keys = [str(part) for part in detail["loc"] if part != "[key]"]
    where = f"{name}: {_place(keys)}"
    model = _model_at(keys[:-1])
    if detail["type"] == "extra_forbidden" and model is not None:
        return Problem(where, "an unknown key", one_of(model.model_fields, keys[-1]), "unknown_key")
    if detail["type"] == "literal_error":
        allowed = [str(value) for value in get_args(_annotation(keys))] or [detail["ctx"]["expected"]]
        return Problem(where, repr(detail["input"]), one_of(allowed, detail["input"]), "wrong_value")
    found = "the table as it stands" if isinstance(detail["input"], dict) else repr(detail["input"])
    return Problem(where, found, plain_words(detail["msg"]), "wrong_value")


def _place(keys: list[str]) -> str:
    table, *rest = keys
    return f"[{table}] {'.'.join(rest)}".strip() if table != "seed" else "seed"


def _model_at(keys: list[str]) -> type[BaseModel] | None:
    """The step that a path of keys leads into; None inside a table of free names."""
    model: type[BaseModel] = Recipe
    for key in keys:
        annotation = model.model_fields[key].annotation if key in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return None
        model = annotation
    return model


def _annotation(keys: list[str]) -> object:
    model = _model_at(keys[:-1])
    return model.model_fields[keys[-1]].annotation if model is not None and keys[-1] in model.model_fields else None
