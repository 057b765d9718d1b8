"""Weights from the pairwise judgements of several experts, and how consistent each of them is.

Arrays in, arrays out. Knows no tree and no names: experts and items are counted from 1 in what it says. Source of the
two ways: Forman & Peniwati 1998, Aggregating individual judgments and priorities, EJOR 108, 165-169.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fhi.arrays import Array
from fhi.errors import JudgementError
from fhi.weights.ahp import AhpWeights, Priority, mirrored, priority_weights
from fhi.weights.incomplete import parts_of


@dataclass(frozen=True)
class ExpertWeights:
    """Weights of a group of experts, which sum to 1, beside each expert's own.

    `matrix` and `group` (its analysis) are of the joint judgements, null where priorities were averaged instead.
    `experts` has one entry an expert, null where that expert's answers alone do not connect all items.
    """

    weights: Array
    experts: tuple[AhpWeights | None, ...]
    matrix: Array | None = None
    group: AhpWeights | None = None

    @property
    def ratios(self) -> tuple[float | None, ...]:
        """Consistency ratio of each expert, null where there is none."""
        return tuple(None if expert is None else expert.consistency_ratio for expert in self.experts)


def join_judgements(
    matrices: Array, *, random_index: str, priority: Priority = "eigenvector", importance: Array | None = None
) -> ExpertWeights:
    """Weights of the matrix whose entries are the experts' weighted geometric means (aggregation of judgements, AIJ).

    matrices: (experts, n, n), each reciprocal, NaN for a pair that an expert did not answer; importance: (experts,),
    not negative, equal unless given. Each entry is the mean over the experts who answered it, with their importance
    rescaled; a pair that nobody answered stays open (see `priority_weights`). Raises JudgementError for what is no
    judgement, naming the expert, and for answers that together do not connect all items.
    """
    stack, shares = _checked(matrices, importance)
    logs = np.log(stack)
    answered = ~np.isnan(logs)
    weight = answered * shares[:, None, None]
    total = weight.sum(axis=0)
    mean = (np.where(answered, logs, 0.0) * weight).sum(axis=0) / np.where(total > 0, total, np.nan)
    matrix: Array = np.exp(mean)
    group = priority_weights(matrix, priority=priority, random_index=random_index)
    experts = tuple(_own(one, priority, random_index) for one in stack)
    return ExpertWeights(group.weights, experts, matrix, group)


def join_priorities(
    matrices: Array,
    *,
    random_index: str,
    priority: Priority = "eigenvector",
    importance: Array | None = None,
    mean: Literal["arithmetic", "geometric"] = "arithmetic",
) -> ExpertWeights:
    """Weighted mean of the experts' own weights, scaled to sum 1 (aggregation of individual priorities, AIP).

    Arguments as in `join_judgements`. Raises JudgementError for what is no judgement, and for an expert of any
    importance whose answers do not connect all items, naming the expert.
    """
    stack, shares = _checked(matrices, importance)
    experts = tuple(_own(one, priority, random_index) for one in stack)
    silent = [number for number, own in enumerate(experts, 1) if own is None and shares[number - 1] > 0]
    if silent:
        raise JudgementError(
            f"expert(s) {', '.join(map(str, silent))}: the answers do not connect all items; "
            "expected weights of each expert: ask again, or join judgements instead of priorities"
        )
    counted = np.array([own.weights for own in experts if own is not None])
    share = np.array([part for part, own in zip(shares, experts, strict=True) if own is not None])[:, None]
    joint = (counted * share).sum(axis=0) if mean == "arithmetic" else np.exp((np.log(counted) * share).sum(axis=0))
    return ExpertWeights(joint / joint.sum(), experts)


def _checked(matrices: Array, importance: Array | None) -> tuple[Array, Array]:
    if matrices.ndim != 3 or len(matrices) == 0 or matrices.shape[1] != matrices.shape[2]:
        raise JudgementError(f"found matrices of shape {matrices.shape}; expected (experts, items, items)")
    shares = np.ones(len(matrices)) if importance is None else importance
    if shares.shape != (len(matrices),) or not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() <= 0:
        raise JudgementError(
            f"found importance {np.array2string(shares, threshold=5)}; expected {len(matrices)} figures, one for "
            "each expert, none negative and not all zero"
        )
    return np.stack([_one(number, matrix) for number, matrix in enumerate(matrices, 1)]), shares / shares.sum()


def _one(number: int, matrix: Array) -> Array:
    try:
        return mirrored(matrix)
    except JudgementError as error:
        raise JudgementError(f"expert {number}: {error}") from error


def _own(matrix: Array, priority: Priority, random_index: str) -> AhpWeights | None:
    if len(parts_of(~np.isnan(matrix))) > 1:
        return None
    return priority_weights(matrix, priority=priority, random_index=random_index)
