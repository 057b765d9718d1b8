"""Weights of groups drawn at random around, or in place of, the stated ones.

Knows weights as arrays and a generator that is handed in. Knows no tree, no scores and no ranks. Weights are drawn in
32-bit floats and only their proportions count: a scorer divides by their sum over the children that a hub has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array
from fhi.errors import Problem
from green_index.errors import GreenIndexError

Kind = Literal["stated", "flat", "dirichlet", "uniform", "experts"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Weights = npt.NDArray[np.float32]
# No weight drawn is quite zero, so that a hub with one child only always has a mean.
_LEAST: Final = np.float32(1e-30)
_HALF_STEP: Final = np.float32(2.0**-24)


class ChoiceError(GreenIndexError):
    """Choices of a robustness run that cannot be made; carries every problem at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} problem(s):\n{lines}")


@dataclass(frozen=True)
class WeightChoice:
    """How weights are drawn in every group.

    stated : as the run has them; nothing is drawn
    flat : Dirichlet(1), every point of the simplex alike, whatever was stated
    dirichlet : Dirichlet around the stated weights; `spread` is the relative standard deviation that an equal weight
        among so many children would have
    uniform : each stated weight times a number drawn evenly from 1 - spread to 1 + spread, then re-scaled (the noise
        of COINr's get_noisy_weights; Becker et al. 2022)
    experts : the experts' own weights mixed by a say drawn from Dirichlet(1), the same say in every group
    """

    kind: Kind = "dirichlet"
    spread: float = 0.25


@dataclass(frozen=True)
class GroupWeight:
    """The stated weights of one group's children that can count.

    weights : (children,), above zero, sum 1; experts : (experts, children), each row of sum 1, where there are several
    """

    group: str
    children: tuple[str, ...]
    weights: Array
    experts: Array | None = None


def concentration(spread: float, children: int) -> float:
    """The sum of the parameters of a Dirichlet in which an equal weight 1/k has the relative standard deviation s.

    The variance of a weight of mean m is m (1 - m) / (a + 1) (Kotz, Balakrishnan and Johnson 2000), so that m = 1/k
    gives s^2 = (k - 1) / (a + 1) and a = (k - 1) / s^2 - 1. It is above zero where s^2 < k - 1.

    spread : s, a share; children : k, two or more
    """
    return (children - 1) / spread**2 - 1


def check_weights(choice: WeightChoice, groups: Sequence[GroupWeight]) -> list[Problem]:
    """What of a choice these groups cannot have, each problem with its group."""
    where = f"weights {choice.kind}"
    if choice.kind == "uniform" and not 0 < choice.spread < 1:
        return [Problem(f"{where}, spread", f"{choice.spread:g}", "above 0 and below 1", "wrong_value")]
    if choice.kind == "dirichlet" and not choice.spread > 0:
        return [Problem(f"{where}, spread", f"{choice.spread:g}", "a number above 0", "wrong_value")]
    if choice.kind == "dirichlet":
        return [
            Problem(f"{where}, group {group.group}", f"spread {choice.spread:g}", _most(group), "wrong_value")
            for group in groups
            if len(group.children) > 1 and choice.spread**2 >= len(group.children) - 1
        ]
    several = [group for group in groups if group.experts is not None]
    if choice.kind == "experts" and not several:
        return [Problem(where, "no group with two experts or more", "judgements of several experts", "no_experts")]
    counts = {group.group: len(group.experts) for group in several if group.experts is not None}
    if choice.kind == "experts" and len(set(counts.values())) > 1:
        found = ", ".join(f"{count} for {group}" for group, count in counts.items())
        return [Problem(where, f"experts differ in number: {found}", "the same experts in every group", "wrong_value")]
    return []


def _most(group: GroupWeight) -> str:
    k = len(group.children)
    return f"below {(k - 1) ** 0.5:.4g}, the square root of {k - 1}, for {k} children"


def exponentials(generator: np.random.Generator, shape: tuple[int, ...]) -> Weights:
    """Standard exponential numbers, -ln u, with u at the middles of 2^23 even steps between 0 and 1.

    shape : of the result. Faster than the generator's own, since logarithms of 32-bit floats are taken several at once.
    """
    size = int(np.prod(shape))
    bits = generator.integers(0, 2**64 - 1, size=(size + 1) // 2, dtype=np.uint64, endpoint=True).view(np.uint32)
    bits >>= np.uint32(9)
    bits |= np.uint32(0x3F800000)
    # The bits are those of floats from 1 to 2 now.
    u = bits.view(np.float32)[:size]
    u -= np.float32(1) - _HALF_STEP
    np.log(u, out=u)
    np.negative(u, out=u)
    return u.reshape(shape)


def draw_weights(
    choice: WeightChoice, groups: Sequence[GroupWeight], draws: int, generator: np.random.Generator
) -> Mapping[str, Weights]:
    """Weights of every group, (children, draws) each, up to a factor that differs by draw and group.

    groups : in the order that they are drawn in. A choice that `check_weights` refuses gives no meaningful weights.
    """
    experts = [len(group.experts) for group in groups if group.experts is not None]
    say = exponentials(generator, (experts[0], draws)) if choice.kind == "experts" else None
    return {group.group: _draw_group(choice, group, draws, generator, say) for group in groups}


def _draw_group(
    choice: WeightChoice, group: GroupWeight, draws: int, generator: np.random.Generator, say: Weights | None
) -> Weights:
    stated = group.weights.astype(np.float32)[:, None]
    shape = (len(group.children), draws)
    if choice.kind == "flat":
        return exponentials(generator, shape)
    if choice.kind == "uniform":
        noise = generator.random(shape, dtype=np.float32)
        noise *= np.float32(2 * choice.spread)
        noise += np.float32(1 - choice.spread)
        noise *= stated
        return noise
    if choice.kind == "dirichlet" and len(group.children) > 1:
        shapes = group.weights * concentration(choice.spread, len(group.children))
        drawn = np.empty(shape, dtype=np.float32)
        for row, parameter in zip(drawn, shapes, strict=True):
            generator.standard_gamma(float(parameter), dtype=np.float32, out=row)
        return np.maximum(drawn, _LEAST, out=drawn)
    if choice.kind == "experts" and say is not None and group.experts is not None:
        mixed: Weights = group.experts.T.astype(np.float32) @ say
        return np.maximum(mixed, _LEAST, out=mixed)
    return np.broadcast_to(stated, shape)
