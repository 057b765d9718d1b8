"""Pairwise judgements made from scores of importance, by a named rule or by a rule that is learnt.

Arrays in, arrays out. Knows no tree and nobody's scores.

基于打分规则学习的层次分析法, "AHP with scoring-rule learning", is named in Chinese reports on hub indices but has no
public definition that we could find. What stands here is ours: a rule with one free number, fitted to the experts' own
answers and reported with its fit, so that a reader can see and repeat it.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from fhi.arrays import Array
from fhi.errors import JudgementError
from fhi.weights.ahp import mirrored

ScoreRule = Literal["ratio", "saaty_difference", "saaty_ratio"]

_MAX_LOG_RATIO: Final = 20.0
_STEPS: Final = 2000
_TIE: Final = 1e-9


@dataclass(frozen=True)
class LearnedWeights:
    """Weights softmax(k s), which sum to 1, the slope k that was learnt, and how well it fits, by the named measure.

    `spearman` is the rank correlation of composite and holistic scores; `r_squared` is 1 - (squared errors) /
    (squares) of the logarithms of the answers. The judgements are consistent by construction: the ratio is 0, or null
    for one or two items.
    """

    weights: Array
    slope: float
    fit: float
    measure: Literal["spearman", "r_squared"]
    consistency_ratio: float | None


def matrix_from_scores(scores: Array, rule: ScoreRule) -> Array:
    """Pairwise matrix (n, n) from one score of importance a child (n,), greater for the more important.

    `ratio`: a_ij = s_i / s_j, always consistent (R `ahp`, AHPy). `saaty_difference`: a_ij = min(1 + s_i - s_j, 9)
    where s_i >= s_j, else the reciprocal of a_ji; for scores in steps of Saaty's scale. `saaty_ratio`: a_ij = the whole
    part of s_i / s_j, at most 9, else the reciprocal; this is what pymcdm 1.4 does with rankings, although its text
    speaks of differences: its documented ranking 1, 2, 4, 3 is here the scores 1, 1/2, 1/4, 1/3. Raises JudgementError,
    naming the score, for one that is not finite, or not positive where a ratio is taken.
    """
    wrong = ~np.isfinite(scores) if rule == "saaty_difference" else ~(np.isfinite(scores) & (scores > 0))
    if scores.ndim != 1 or len(scores) == 0 or wrong.any():
        found = f"score {int(np.argmax(wrong)) + 1} is {scores[wrong][0]:g}" if wrong.any() else "no list of scores"
        expected = "a finite score" if rule == "saaty_difference" else "a positive score"
        raise JudgementError(f"{found}; expected {expected} for each child under the rule {rule}")
    left, right = scores[:, None], scores[None, :]
    if rule == "ratio":
        matrix: Array = left / right
        return matrix
    if rule == "saaty_difference":
        step = np.minimum(1 + np.abs(left - right), 9.0)
    else:
        step = np.clip(np.floor(np.maximum(left / right, right / left) + _TIE), 1.0, 9.0)
    stepped: Array = np.where(left >= right, step, 1 / step)
    return stepped


def learn_from_answers(scores: Array, matrix: Array) -> LearnedWeights:
    """The rule a_ij = exp(k (s_i - s_j)), k >= 0, that least squares of logarithms fits to given pairwise answers.

    scores: (n,), finite; matrix: (n, n), reciprocal, NaN where not answered, at least one answer between children whose
    scores differ. k = sum (s_i - s_j) ln a_ij / sum (s_i - s_j)^2 over answered pairs, not below zero. Raises
    JudgementError for what is no judgement, or answers from which nothing can be learnt.
    """
    _check_scores(scores)
    answers = mirrored(matrix)
    if len(answers) != len(scores):
        raise JudgementError(f"{len(scores)} scores and answers about {len(answers)} children; expected as many")
    upper = np.triu_indices(len(scores), 1)
    given = ~np.isnan(answers[upper])
    logs = np.log(answers[upper][given])
    gaps = (scores[:, None] - scores[None, :])[upper][given]
    if not (gaps**2).sum() > 0:
        raise JudgementError("no answer compares children whose scores differ; expected one or more, or equal weights")
    slope = max(float((gaps * logs).sum() / (gaps**2).sum()), 0.0)
    squares = float((logs**2).sum())
    # Answers of 1 but for rounding are followed by any slope that is zero but for rounding.
    fit = 1 - float(((logs - slope * gaps) ** 2).sum()) / squares if squares > _TIE**2 else 1.0
    return LearnedWeights(_softmax(slope * scores), slope, fit, "r_squared", _ratio(len(scores)))


def learn_from_holistic(scores: Array, children: Array, holistic: Array) -> LearnedWeights:
    """The rule a_ij = exp(k (s_i - s_j)), k >= 0, whose composite agrees best with the experts' scores of whole units.

    scores: (n,), importance of the children; children: (units, n), their scores; holistic: (units,), what the experts
    think of a unit as a whole; NaN for none, and a unit with any gap is left out. Best is the greatest Spearman
    correlation of holistic scores and composites under weights softmax(k s); among slopes of equal rank agreement the
    one with the greatest Pearson correlation (least squares of a straight line), then the least slope. Slopes are
    searched up to a ratio of e^20 between the greatest and the least weight. Raises JudgementError for fewer than
    three units, or scores of any kind that do not differ.
    """
    from scipy.optimize import minimize_scalar

    _check_scores(scores)
    if children.ndim != 2 or children.shape != (len(holistic), len(scores)):
        raise JudgementError(
            f"children's scores of shape {children.shape}; expected {len(holistic)} units by {len(scores)} children"
        )
    full = np.isfinite(children).all(axis=1) & np.isfinite(holistic)
    values, thought = children[full], holistic[full]
    if len(values) < 3 or np.ptp(thought) == 0 or not np.ptp(values, axis=0).any():
        raise JudgementError(
            f"{len(values)} complete units with a holistic score; expected three or more, that differ in the holistic "
            "score and in some child"
        )
    slopes = np.linspace(0.0, _MAX_LOG_RATIO / float(np.ptp(scores)), _STEPS + 1)
    ranked, linear = _agreement(_composites(slopes, scores, values), thought)
    top = ranked >= ranked.max() - _TIE
    best = int(np.argmax(np.where(top, linear, -np.inf)))
    step = float(slopes[1])
    around = (max(float(slopes[best]) - step, 0.0), float(slopes[best]) + step)

    def misfit(slope: float) -> float:
        return -float(_agreement(_composites(np.array([slope]), scores, values), thought)[1][0])

    finer = minimize_scalar(misfit, bounds=around, method="bounded", options={"xatol": 1e-12})
    candidates = np.array([slopes[best], float(finer.x)])
    ranks, lines = _agreement(_composites(candidates, scores, values), thought)
    chosen = 1 if ranks[1] >= ranks[0] - _TIE and lines[1] > lines[0] else 0
    slope = float(candidates[chosen])
    return LearnedWeights(_softmax(slope * scores), slope, float(ranks[chosen]), "spearman", _ratio(len(scores)))


def _check_scores(scores: Array) -> None:
    if scores.ndim != 1 or not np.isfinite(scores).all() or len(scores) < 2 or np.ptp(scores) == 0:
        raise JudgementError(
            f"found scores {np.array2string(scores, threshold=6)}; expected finite scores of two or more children "
            "that differ, or equal weights"
        )


def _ratio(n: int) -> float | None:
    return 0.0 if n > 2 else None


def _softmax(logs: Array) -> Array:
    shares = np.exp(logs - logs.max(axis=-1, keepdims=True))
    weights: Array = shares / shares.sum(axis=-1, keepdims=True)
    return weights


def _composites(slopes: Array, scores: Array, children: Array) -> Array:
    """Composites (slopes, units)."""
    return _softmax(slopes[:, None] * scores) @ children.T


def _agreement(composites: Array, holistic: Array) -> tuple[Array, Array]:
    """Spearman and Pearson correlations (slopes,) of each composite with the holistic scores; -1 where it is flat."""
    from scipy.stats import rankdata

    scale = np.abs(composites).max(axis=1, keepdims=True)
    rounded = np.round(composites / np.where(scale > 0, scale, 1.0), 12)
    return _correlations(rankdata(rounded, axis=1), rankdata(holistic)), _correlations(composites, holistic)


def _correlations(rows: Array, vector: Array) -> Array:
    centred, other = rows - rows.mean(axis=1, keepdims=True), vector - vector.mean()
    length = np.sqrt((centred**2).sum(axis=1) * (other**2).sum())
    flat = length <= _TIE * np.abs(rows).max(axis=1, initial=0.0)
    found: Array = np.where(flat, -1.0, (centred @ other) / np.where(flat, 1.0, length))
    return found
