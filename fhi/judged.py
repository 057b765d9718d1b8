"""Weights of a group from its judgement: one set of answers or several experts', complete or not, or from scores.

Knows judgements and the options of a recipe. The arithmetic lives in `fhi.weights`. Knows no figures but the scores
that a learned rule is fitted to.
"""

from collections.abc import Sequence

import numpy as np

from fhi.arrays import Array
from fhi.errors import JudgementError
from fhi.group_weights import GroupWeights
from fhi.judgement import Expert, Judgement
from fhi.notes import Note
from fhi.recipe import WeighStep
from fhi.weights.ahp import AhpWeights, priority_weights
from fhi.weights.ahp_groups import join_judgements, join_priorities
from fhi.weights.scores import LearnedWeights, learn_from_answers, learn_from_holistic, matrix_from_scores


def judged_weights(
    judgement: Judgement, children: Sequence[str], scores: Array, step: WeighStep, hubs: Sequence[str]
) -> GroupWeights:
    """Weights of `children` by a judgement of them; children set apart weigh 0.

    scores: (periods, hubs, children), which the rule `learned` is fitted to where the judgement has holistic scores of
    hubs. Raises JudgementError for answers less consistent than the recipe allows, naming the three items that
    contradict each other most, and for scores that nothing can be learnt from.
    """
    try:
        if judgement.rule == "learned":
            weights, ratio, notes = _learned(judgement, children, scores, hubs)
        else:
            weights, ratio, notes = _compared(judgement, step)
    except JudgementError as error:
        raise JudgementError(f"judgement of {judgement.group}: {error}") from error
    weight = dict(zip(judgement.items, weights, strict=True))
    ordered = np.array([weight.get(child, 0.0) for child in children])
    return GroupWeights(
        judgement.group,
        ordered,
        f"ahp_{judgement.rule}" + (f"_{judgement.combine}" if len(judgement.opinions) > 1 else ""),
        assumed=judgement.assumed,
        stated=True,
        consistency_ratio=ratio,
        notes=notes,
    )


def _compared(judgement: Judgement, step: WeighStep) -> tuple[Array, float | None, tuple[Note, ...]]:
    """Weights, consistency ratio and remarks of pairwise answers, or of scores turned into them."""
    matrices = _matrices(judgement)
    if len(matrices) == 1:
        found = priority_weights(matrices[0], priority=step.priority, random_index=step.random_index)
        _check_ratio(found, judgement.items, step)
        notes = [Note("incomplete_judgement", judgement.group, detail=str(found.missing))] if found.missing else []
        return found.weights, found.consistency_ratio, tuple(notes)
    join = join_judgements if judgement.combine == "aij" else join_priorities
    joined = join(
        np.stack(matrices),
        random_index=step.random_index,
        priority=step.priority,
        importance=judgement.expert_weights,
    )
    if joined.group is not None:
        _check_ratio(joined.group, judgement.items, step)
    ratio = joined.group.consistency_ratio if joined.group is not None else None
    notes = [
        Note("inconsistent_expert", judgement.group, detail=f"{expert.who}: {own:.3f}")
        for expert, own in zip(judgement.opinions, joined.ratios, strict=True)
        if own is not None and own > step.max_consistency_ratio
    ]
    return joined.weights, ratio, tuple(notes)


def _matrices(judgement: Judgement) -> list[Array]:
    if judgement.rule == "saaty_difference":
        return [matrix_from_scores(scores, "saaty_difference") for scores in judgement.expert_scores]
    return judgement.expert_matrices


def _check_ratio(found: AhpWeights, items: Sequence[str], step: WeighStep) -> None:
    ratio = found.consistency_ratio
    if ratio is None or ratio <= step.max_consistency_ratio:
        return
    worst = ""
    if found.worst is not None:
        named = ", ".join(items[i] for i in found.worst.items)
        worst = f"; the answers about {named} contradict each other most"
    raise JudgementError(
        f"consistency ratio {ratio:.3f} ({found.random_index}); expected at most {step.max_consistency_ratio:g}{worst}"
    )


def _learned(
    judgement: Judgement, children: Sequence[str], scores: Array, hubs: Sequence[str]
) -> tuple[Array, float | None, tuple[Note, ...]]:
    """Each opinion's rule fitted by itself; several are averaged by their say."""
    columns = [children.index(item) for item in judgement.items]
    fits = [
        _fit(opinion, own, matrix, scores[:, :, columns], hubs)
        for opinion, own, matrix in zip(
            judgement.opinions, judgement.expert_scores, judgement.expert_matrices, strict=True
        )
    ]
    say = judgement.expert_weights / judgement.expert_weights.sum()
    weights: Array = say @ np.stack([fit.weights for fit in fits])
    notes = tuple(
        Note("learned_rule", judgement.group, detail=f"{opinion.who}: k = {fit.slope:.4g}, {fit.measure} {fit.fit:.3f}")
        for opinion, fit in zip(judgement.opinions, fits, strict=True)
    )
    return weights, fits[0].consistency_ratio, notes


def _fit(opinion: Expert, own: Array, matrix: Array, scores: Array, hubs: Sequence[str]) -> LearnedWeights:
    if not opinion.holistic:
        return learn_from_answers(own, matrix)
    unknown = sorted(set(opinion.holistic) - set(hubs))
    if unknown:
        raise JudgementError(f"holistic scores of {', '.join(unknown)}; expected units of the data")
    # An expert's opinion of a hub is about the latest figures there are.
    holistic = np.array([opinion.holistic.get(hub, np.nan) for hub in hubs])
    return learn_from_holistic(own, scores[-1], holistic)
