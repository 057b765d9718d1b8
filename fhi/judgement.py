"""A judgement: how people compared the children of one group, as they answered it.

Knows the shape of answers and gives them as arrays. Must not know how weights follow from them, nor the tree.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Final, Literal

import numpy as np
from pydantic import Field, model_validator

from fhi.arrays import Array
from fhi.errors import JudgementError
from fhi.nodes import Frozen, fault
from fhi.weights.ahp import check_reciprocal

JudgementRule = Literal["pairwise", "ratio", "saaty_difference", "learned", "equal"]
Combine = Literal["aij", "aip"]
Matrix = tuple[tuple[str | float, ...], ...]

NOT_ANSWERED: Final = "?"
_MATRIX_ENTRY: Final = 'a number, a fraction such as "1/3", or "?" where not answered'


class Expert(Frozen):
    """The answers of one person: a matrix or scores, as the rule of the judgement asks; `weight` is their say."""

    who: str = Field(min_length=1, description="a name or role")
    weight: float = Field(default=1.0, gt=0, description="a number above zero")
    matrix: Matrix = ()
    scores: tuple[float, ...] = ()
    holistic: dict[str, float] = Field(default_factory=dict)


class Judgement(Frozen):
    """How the children of one group were compared, by whom, and whether that is assumed.

    rule: `pairwise` has the whole matrix, entries as numbers, fractions ("1/3") or "?" where not answered (then in
    both mirror cells); `ratio` has one score a child and a_ij = s_i / s_j; `saaty_difference` has one score a child,
    of which the difference is set on Saaty's scale; `learned` has one score a child and, to learn from, either
    `holistic` scores of whole units or a pairwise matrix of answers; `equal` has none of these.

    Where several people answered, each is an `expert` with a matrix or scores of their own and the judgement itself
    has none; `combine` says whether their matrices (aij) or their weights (aip) are combined. Children named in
    `apart` are shown but not counted (weight 0). Texts left out are "" and mean "not stated".
    """

    group: str = Field(description="the code of the group whose children are compared")
    items: tuple[str, ...] = Field(min_length=1, description="the codes of the children, in the order of the answers")
    rule: JudgementRule = Field(description="pairwise, ratio, saaty_difference, learned or equal")
    matrix: Matrix = ()
    scores: tuple[float, ...] = ()
    holistic: dict[str, float] = Field(default_factory=dict)
    expert: tuple[Expert, ...] = ()
    combine: Combine = Field(default="aij", description="aij or aip")
    apart: tuple[str, ...] = ()
    who: str = Field(description="who judged")
    when: str = ""
    assumed: bool = Field(description="true (nobody was asked) or false (people answered)")
    reason: str = ""
    reason_zh: str = ""

    @model_validator(mode="after")
    def _names_each_item_once(self) -> "Judgement":
        named = [*self.items, *self.apart]
        twice = sorted({code for code in named if named.count(code) > 1})
        if twice:
            raise fault("items", f"{', '.join(twice)} more than once", "each child once, in items or in apart")
        return self

    @model_validator(mode="after")
    def _fits_its_rule(self) -> "Judgement":
        own = [key for key in ("matrix", "scores", "holistic") if getattr(self, key)]
        if self.expert and self.rule == "equal":
            raise fault("expert", "answers of experts", "none: the rule equal has no answers")
        if self.expert and own:
            raise fault(own[0], "answers beside those of experts", "none: each expert has answers of their own")
        if len({expert.who for expert in self.expert}) < len(self.expert):
            raise fault("expert", "one who twice", "a different who for every expert")
        for number, opinion in enumerate(self.opinions, 1):
            at = f"expert[{number}]." if self.expert else ""
            _check_opinion(at, self.rule, len(self.items), opinion)
        return self

    @cached_property
    def opinions(self) -> tuple[Expert, ...]:
        """Whose answers there are: the experts, or the judgement's own as those of one person with weight 1."""
        own = Expert.model_construct(
            who=self.who, weight=1.0, matrix=self.matrix, scores=self.scores, holistic=self.holistic
        )
        return self.expert or (own,)

    @property
    def expert_weights(self) -> Array:
        """The say of each opinion, (opinions,), as given: not yet summing to 1."""
        return np.array([opinion.weight for opinion in self.opinions])

    @property
    def expert_scores(self) -> list[Array]:
        """The scores of each opinion, (items,) each; empty where the rule has none."""
        return [np.array(opinion.scores, dtype=np.float64) for opinion in self.opinions]

    @property
    def expert_matrices(self) -> list[Array]:
        """The reciprocal matrix of each opinion, (items, items) each, NaN where not answered.

        From the answers for `pairwise` and, where it has any, `learned` (else (0, 0)); s_i / s_j for `ratio`; ones
        for `equal`. Raises JudgementError for `saaty_difference`, whose matrix is a matter of the weights module.
        """
        return [_matrix_of(self.rule, len(self.items), opinion) for opinion in self.opinions]


def _matrix_of(rule: JudgementRule, n: int, opinion: Expert) -> Array:
    if rule in ("pairwise", "learned"):
        return _numbers(opinion.matrix)
    if rule == "saaty_difference":
        raise JudgementError("scores by differences have no matrix before a rule is applied; use expert_scores")
    scores = np.array(opinion.scores if rule == "ratio" else (1.0,) * n)
    return np.asarray(scores[:, None] / scores[None, :])


def _numbers(matrix: Matrix) -> Array:
    if not matrix:
        return np.empty((0, 0))
    return np.array([[np.nan if entry == NOT_ANSWERED else _ratio(entry) for entry in row] for row in matrix])


def _ratio(entry: str | float) -> float:
    try:
        return float(Fraction(str(entry)))
    except (ValueError, ZeroDivisionError) as error:
        raise JudgementError(f"{entry!r} is no ratio") from error


def _check_opinion(at: str, rule: JudgementRule, n: int, opinion: Expert) -> None:
    """Raises a fault unless one set of answers has what its rule asks for, and nothing else."""
    wanted = {"pairwise": ["matrix"], "ratio": ["scores"], "saaty_difference": ["scores"], "equal": []}
    given = [key for key in ("matrix", "scores", "holistic") if getattr(opinion, key)]
    if rule == "learned":
        if "scores" not in given or len(given) != 2:
            found = " and ".join(given) or "no answers"
            raise fault(f"{at}scores", found, "scores, and either holistic scores of units or a matrix of answers")
    else:
        for key in set(given) - set(wanted[rule]):
            raise fault(f"{at}{key}", "a value", f"none: the rule {rule} does not use it")
    if rule in ("ratio", "saaty_difference", "learned"):
        _check_scores(at, rule, n, opinion.scores)
    if rule == "pairwise" or opinion.matrix:
        _check_matrix(at, n, opinion.matrix)


def _check_scores(at: str, rule: JudgementRule, n: int, scores: Sequence[float]) -> None:
    if len(scores) != n:
        raise fault(f"{at}scores", f"{len(scores)} scores for {n} items", "one score for every code in items")
    if rule == "ratio" and min(scores) <= 0:
        raise fault(f"{at}scores", f"{min(scores):g}", "scores above zero, since ratios are taken of them")


def _check_matrix(at: str, n: int, matrix: Matrix) -> None:
    where = f"{at}matrix"
    if len(matrix) != n or any(len(row) != n for row in matrix):
        shape = f"{len(matrix)} rows of {', '.join(str(len(row)) for row in matrix) or 'no'} entries"
        raise fault(where, shape, f"{n} rows of {n} entries, one row and one column for every code in items")
    for i, row in enumerate(matrix, 1):
        for j, entry in enumerate(row, 1):
            _check_entry(where, i, j, entry, matrix[j - 1][i - 1])
    numbers = _numbers(matrix)
    try:
        check_reciprocal(np.where(np.isnan(numbers), 1.0, numbers))
    except JudgementError as error:
        found, _, expected = str(error).partition("; expected ")
        raise fault(where, found, f'{expected}, such as 3 and "1/3"') from error


def _check_entry(where: str, row: int, column: int, entry: str | float, mirror: str | float) -> None:
    here = f"{where}, row {row}, column {column}"
    if entry == NOT_ANSWERED:
        if row == column:
            raise fault(here, "'?'", "1: every child is as important as itself")
        if mirror != NOT_ANSWERED:
            raise fault(here, f"'?' and {mirror!r} in the mirror cell", '"?" in both cells, or in neither')
        return
    try:
        _ratio(entry)
    except JudgementError as error:
        raise fault(here, repr(entry), _MATRIX_ENTRY) from error
