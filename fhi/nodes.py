"""What a tree is made of: groups, indicators, denominators and attributes of units, each checked by itself.

Knows one entry at a time. Must not know its file, its siblings or the tree; these are checked where entries meet.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from fhi.numbers import Number

Transform = Literal["none", "log1p"]

A_NAME: Final = "a name: name_en (English), name_zh (Chinese) or both"


def fault(key: str, found: str, expected: str) -> PydanticCustomError:
    """A refused value as an error that readers of files turn into a Problem: key of the entry, found, expected."""
    return PydanticCustomError(
        "fault", "{key}: found {found}; expected {expected}", {"key": key, "found": found, "expected": expected}
    )


class Frozen(BaseModel):
    """A value that never changes, knows all its keys and holds finite numbers only."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Named(Frozen):
    """A code, unique in the tree, and a name; where one language is left out, the other one's name stands for it."""

    code: str = Field(min_length=1, description="a short code, unique in the tree")
    name_zh: str
    name_en: str

    @model_validator(mode="before")
    @classmethod
    def _named_in_one_language(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        name = content.get("name_en") or content.get("name_zh")
        if not name:
            raise fault("name_en", "nothing", A_NAME)
        return {**content, "name_zh": content.get("name_zh") or name, "name_en": content.get("name_en") or name}


class Node(Named):
    """What groups and indicators share: a code, a place below a parent, names, and perhaps a weight.

    weight: how much the node counts among the children of its parent, in any unit (2 counts twice as much as 1).
    """

    parent: str | None = Field(default=None, description="the code of the group above")
    weight: Number | None = Field(default=None, ge=0, description="a number, zero or more")


class Group(Node):
    """An inner node of the tree. With `stands_for` it takes the place of that root of another file."""

    stands_for: str | None = None


class Indicator(Node):
    """A leaf of the tree: one measured thing, with all that is needed to read its figure rightly.

    Texts left out are "" and mean "not stated". `lower` and `upper` are fixed goalposts in the indicator's unit;
    without them bounds come from the data. `target` is the figure to reach, in the same unit. With `denominator` a
    figure becomes value / denominator * per wherever the recipe asks for it; goalposts and target then are in the
    unit after the division.
    """

    parent: str = Field(description="the code of the group above")
    direction: Literal[1, -1] = Field(description="1 (more is better) or -1 (less is better)")
    unit: str = ""
    unit_zh: str = ""
    definition: str = ""
    definition_zh: str = ""
    null_means: str = ""
    null_means_zh: str = ""
    zero_means: str = ""
    zero_means_zh: str = ""
    source: str = ""
    transform: Transform = Field(default="none", description="none or log1p")
    lower: Number | None = Field(default=None, description="a number")
    upper: Number | None = Field(default=None, description="a number")
    target: Number | None = Field(default=None, description="a number")
    denominator: str | None = Field(default=None, description="the code of a denominator")
    per: Number = Field(default=1.0, gt=0, description="a number above zero")

    @model_validator(mode="after")
    def _goalposts_in_order(self) -> "Indicator":
        if (self.lower is None) != (self.upper is None):
            missing, given = ("lower", "upper") if self.lower is None else ("upper", "lower")
            raise fault(missing, f"nothing, but {given} is given", "both goalposts, lower and upper, or neither")
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise fault(
                "lower", f"{self.lower:g}, upper is {self.upper:g}", "lower below upper, whatever the direction"
            )
        return self

    @model_validator(mode="after")
    def _divides_by_something(self) -> "Indicator":
        if self.per != 1 and self.denominator is None:
            raise fault("per", f"{self.per:g} without denominator", "a denominator to divide by, or no per")
        return self


class Denominator(Named):
    """A size of units that indicators are divided by, such as residents; it has no place in the tree."""

    unit: str = ""
    unit_zh: str = ""


class Attribute(Named):
    """A property of units that is no figure, such as a region: a column of a data file that imputation can go by."""
