"""The dual wheel: do the parts of a city's system develop together, and which of them leads?

Knows coupling coordination of two to four systems, its two formulas, its ten grades, and how systems are taken from
the scores of a tree. Knows no carbon, no SQL and no HTTP.

Years compare only where scores stand on bounds pooled over the years; on bounds of each year, only cities of one year
do. A zero means the least of all cities and years (or a true zero such as no exchange), not that nothing is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal, get_args

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.errors import Problem, one_of
from fhi.framework import Framework
from green_index.errors import GreenIndexError

Formula = Literal["corrected", "standard"]
FORMULAS: Final[tuple[Formula, ...]] = get_args(Formula)
SYSTEM_SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "dual": ("fintech", "carbon_finance"),
    "three-way": ("fintech", "carbon_finance", "sustainability_data"),
}
"""Systems by name: the dual wheel of the 2021 paper on Wuhan, and the nearest to its three-way development of fintech,
green finance and technology finance that the tree has. Parts of one another cannot be systems: they would couple by
construction, which is why no indicator inside fintech stands for technology finance."""
ASSUMED: Final[Mapping[tuple[str, ...], str]] = {
    SYSTEM_SETS["three-way"]: (
        "carbon_finance for green finance; sustainability_data in the place of technology finance, of which the tree "
        "has no figure"
    )
}
"""What a set of systems stands for where that is our assumption."""
MOST_SYSTEMS: Final = 4
HIGH: Final = 0.5
"""A system is high from half its scale on. Not the median: most cities have no carbon exchange, so that the median of
carbon finance is the least there is."""
BAND: Final = 0.1
"""Systems whose scores differ by no more than this go together; none leads. Ours: the width of one grade."""
GRADES: Final = (
    ("极度失调", "extreme imbalance"),
    ("严重失调", "severe imbalance"),
    ("中度失调", "moderate imbalance"),
    ("轻度失调", "slight imbalance"),
    ("濒临失调", "verge of imbalance"),
    ("勉强协调", "bare coordination"),
    ("初级协调", "primary coordination"),
    ("中级协调", "intermediate coordination"),
    ("良好协调", "good coordination"),
    ("优质协调", "excellent coordination"),
)
"""Names of the ten tenths of D, worst first, after Liao Chongbin (1999, Tropical Geography 19(2)), who prints them at
two digits (0.80-0.89, 0.90-1.00): a value at a bound belongs to the upper grade. Some later papers close the upper end
instead."""
_BOUNDS: Final = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
MISSING: Final = "missing_system"
ALL_ZERO: Final = "all_zero"
TOGETHER: Final = "together"
_NAMED: Final[Mapping[str, tuple[str, str]]] = {
    TOGETHER: ("齐头并进", "together"),
    "both_high": ("双高", "both high"),
    "both_low": ("双低", "both low"),
}
_SCORES: Final = tuple(f"u_{i}" for i in range(1, MOST_SYSTEMS + 1))
_FIGURES: Final = (
    *("coupling", "development", "coordination"),
    *("coupling_corrected", "coordination_corrected", "coupling_standard", "coordination_standard"),
)
COORDINATION_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(("hub",), pl.String()),
        "year": pl.Int64(),
        **dict.fromkeys(("systems", "weights", "assumed", "formula"), pl.String()),
        **dict.fromkeys((*_SCORES, *_FIGURES), pl.Float64()),
        **dict.fromkeys(("rank", "ranked", "grade"), pl.Int64()),
        **dict.fromkeys(("grade_zh", "grade_en"), pl.String()),
        "lead": pl.Float64(),
        **dict.fromkeys(("leading", "leading_zh", "leading_en"), pl.String()),
        **dict.fromkeys(("quadrant", "quadrant_zh", "quadrant_en"), pl.String()),
        "coverage": pl.Float64(),
        "reason": pl.String(),
    }
)


class InvalidSystems(GreenIndexError):
    """The systems asked for cannot be coupled; carries every problem at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in problems))


@dataclass(frozen=True)
class Coordinated:
    """C, T and D of every row of systems: arrays of the rows' shape, in 0..1, NaN where they are not defined."""

    coupling: Array
    development: Array
    coordination: Array


def coupling(systems: Array, formula: Formula = "corrected") -> Array:
    """How evenly systems are developed, C in 0..1.

    systems: (..., n) scores in 0..1, n of two or more, NaN for missing. Returns (...): NaN where any is missing or all
    are zero, for then neither formula is defined; 0 where some are zero.
    standard: n (U_1 ... U_n)^(1/n) / (U_1 + ... + U_n). corrected, which tells more where scores are unlike: the root
    of [1 - mean over pairs of |U_i - U_j|] x [(U_1 ... U_n) / max(U)^n]^(1 / (n - 1)) (both as in Wang Shujia et al.
    2021, Journal of Natural Resources 36(3) 793-810). Raises InvalidSystems for scores outside 0..1 or fewer than two.
    """
    _check_scores(systems)
    n = systems.shape[-1]
    largest = systems.max(axis=-1, keepdims=True)
    # Scores over their largest have the same C, and no product of theirs underflows for being small alone.
    ratio = systems / np.where(largest > 0, largest, np.nan)
    product = ratio.prod(axis=-1)
    if formula == "standard":
        found: Array = np.minimum(n * product ** (1 / n) / ratio.sum(axis=-1), 1.0)
        return found
    pairs = np.array(list(combinations(range(n), 2)))
    apart = abs(systems[..., pairs[:, 0]] - systems[..., pairs[:, 1]]).mean(axis=-1)
    corrected: Array = np.sqrt((1 - apart) * product ** (1 / (n - 1)))
    return corrected


def coordinate(systems: Array, weights: Array | None = None, formula: Formula = "corrected") -> Coordinated:
    """C, T = sum of a_i U_i, and D = sqrt(C T), the degree of coordinated development, all in 0..1.

    systems: as for `coupling`; weights: (n,) positive, what each system counts in T; only their proportions matter;
    equal without them. T is NaN where a system is missing. Raises InvalidSystems. Source as for `coupling`.
    """
    together = coupling(systems, formula)
    share = shares(weights, systems.shape[-1])
    development = np.minimum((systems * share).sum(axis=-1), 1.0)
    return Coordinated(together, development, np.sqrt(together * development))


def shares(weights: Array | None, n: int) -> Array:
    """What each of n systems counts, of sum 1: the proportions of weights, equal ones without them. Raises
    InvalidSystems unless there are n positive numbers."""
    if weights is None:
        return np.full(n, 1 / n)
    if weights.shape != (n,) or not (np.isfinite(weights).all() and (weights > 0).all()):
        listed = ", ".join(f"{value:g}" for value in weights.ravel())
        raise InvalidSystems([Problem("weights", listed, f"{n} positive numbers, one a system", "weights")])
    proportions = weights / weights.max()
    return np.asarray(proportions / proportions.sum())


def grade_numbers(coordination: Array) -> Array:
    """Grades 1 (worst) to 10 of degrees D in 0..1: tenths that hold their lower bound, the last one both (GRADES).
    NaN where NaN."""
    grades = np.searchsorted(_BOUNDS, coordination, side="right") + 1.0
    return np.where(np.isnan(coordination), np.nan, grades)


def systems_of(named: str) -> tuple[str, ...]:
    """The systems of a set (`dual`, `three-way`) or of codes by comma, in their order."""
    if named in SYSTEM_SETS:
        return SYSTEM_SETS[named]
    return tuple(code.strip() for code in named.split(",") if code.strip())


def check_systems(framework: Framework, systems: Sequence[str]) -> list[Problem]:
    """Everything wrong with the systems of a tree asked for: how many, unknown, named twice, or one within another."""
    problems = []
    if not 2 <= len(systems) <= MOST_SYSTEMS:
        expected = f"2 to {MOST_SYSTEMS} codes of the tree, or one of {', '.join(SYSTEM_SETS)}"
        problems.append(Problem("systems", str(len(systems)), expected, "count"))
    for code in dict.fromkeys(systems):
        if code not in framework.node or code == framework.root:
            known = [group for group in framework.children if group != framework.root]
            problems.append(Problem("systems", repr(code), one_of(known, code), "unknown_system"))
    for code in dict.fromkeys(code for code in systems if systems.count(code) > 1):
        problems.append(Problem("systems", f"{code} twice", "each system once", "twice"))
    for first, second in combinations(dict.fromkeys(systems), 2):
        for inner, outer in ((first, second), (second, first)):
            if outer != framework.root and outer in _ancestors(framework, inner):
                expected = "systems apart from each other, for parts of one another couple by construction"
                problems.append(Problem("systems", f"{inner} within {outer}", expected, "within"))
    return problems


def coordination_table(
    scores: pl.DataFrame,
    inputs: pl.DataFrame,
    framework: Framework,
    systems: Sequence[str] = SYSTEM_SETS["dual"],
    weights: Sequence[float] | None = None,
    formula: Formula = "corrected",
) -> pl.DataFrame:
    """Coupling coordination of every hub and year: COORDINATION_SCHEMA, by year, best first.

    scores, inputs: of one edition (fhi.frames.SCORE_SCHEMA, and its inputs for systems that are single indicators), in
    points of 0..100; those of the tracking recipe, if years are to compare. `u_1` to `u_4`: scores of the systems in
    0..1. `coupling`, `coordination`: by the formula asked for; both formulas stand beside. `grade` 1..10 of
    `coordination` with its names. `lead`: U_1 - U_2 of two systems, of more the highest less the lowest. `leading`: the
    code of the highest system and, by comma, of those within BAND of it; `together` if they all are. `quadrant`, of
    two systems: both_high, both_low, or the code of the one that alone reaches HIGH. `coverage`: the least among the
    systems. `reason`: why there is no coordination. Raises InvalidSystems with every problem at once.
    """
    problems = check_systems(framework, systems)
    if problems:
        raise InvalidSystems(problems)
    wide = _system_scores(scores, inputs, systems)
    u = wide.select(systems).to_numpy() / 100
    share = None if weights is None else np.array(weights, dtype=np.float64)
    found = {name: coordinate(u, share, name) for name in FORMULAS}
    chosen = found[formula]
    figures = {
        **{f"u_{i + 1}": u[:, i] for i in range(len(systems))},
        "coupling": chosen.coupling,
        "development": chosen.development,
        "coordination": chosen.coordination,
        **{f"coupling_{name}": found[name].coupling for name in FORMULAS},
        **{f"coordination_{name}": found[name].coordination for name in FORMULAS},
        "grade": grade_numbers(chosen.coordination),
        "lead": _lead(u),
    }
    frame = wide.select("hub", year=pl.col("period").cast(pl.Int64), coverage="coverage").with_columns(
        pl.lit(",".join(systems)).alias("systems"),
        pl.lit(",".join(f"{value:.6g}" for value in shares(share, len(systems)))).alias("weights"),
        pl.lit(ASSUMED.get(tuple(systems)), dtype=pl.String).alias("assumed"),
        pl.lit(formula).alias("formula"),
        pl.Series("reason", _reasons(u), dtype=pl.String),
        pl.Series("leading", _leading(u, systems), dtype=pl.List(pl.String)),
        pl.Series("quadrant", _quadrants(u, systems), dtype=pl.String),
        *(pl.Series(name, values, nan_to_null=True) for name, values in figures.items()),
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in _SCORES[len(systems) :]),
    )
    return _named(frame, framework).select(COORDINATION_SCHEMA.names()).cast(COORDINATION_SCHEMA)


def _ancestors(framework: Framework, code: str) -> list[str]:
    found = []
    node = framework.node.get(code)
    while node is not None and node.parent is not None:
        found.append(node.parent)
        node = framework.node.get(node.parent)
    return found


def _check_scores(systems: Array) -> None:
    problems = []
    if systems.shape[-1] < 2:
        problems.append(Problem("systems", str(systems.shape[-1]), "two or more", "count"))
    wrong = (systems < 0) | (systems > 1)
    if wrong.any():
        expected = "scores in 0..1, such as points of a min-max scale over 100"
        problems.append(Problem("scores", f"{systems[wrong][0]:g}", expected, "out_of_range"))
    if problems:
        raise InvalidSystems(problems)


def _system_scores(scores: pl.DataFrame, inputs: pl.DataFrame, systems: Sequence[str]) -> pl.DataFrame:
    """hub, period, one column a system (points, NaN where missing) and the least `coverage` among them."""
    figure = ("hub", "period", "code", "score", "coverage")
    own = inputs.select(
        "hub",
        "period",
        "code",
        score="normalised",
        coverage=pl.col("value").is_not_null().cast(pl.Float64),
    )
    groups = scores.filter(pl.col("code").is_in(list(systems))).select(figure)
    singles = own.filter(pl.col("code").is_in(list(systems)), ~pl.col("code").is_in(groups["code"].unique().implode()))
    parts = pl.concat([groups, singles])
    grid = scores.select("hub", "period").unique().sort("period", "hub")
    for code in systems:
        one = parts.filter(pl.col("code") == code).select("hub", "period", score=_points(), covered="coverage")
        grid = grid.join(one, on=["hub", "period"], how="left", maintain_order="left").rename(
            {"score": code, "covered": f"coverage {code}"}
        )
    least = pl.min_horizontal(pl.col(f"coverage {code}").fill_null(0.0) for code in systems)
    return grid.select("hub", "period", *(pl.col(code).fill_null(np.nan) for code in systems), coverage=least)


def _points() -> pl.Expr:
    """A score as points of 0..100: what rounding carried over an end of the scale is brought back to it."""
    score = pl.col("score")
    return pl.when(score.is_between(-1e-9, 100 + 1e-9)).then(score.clip(0.0, 100.0)).otherwise(score)


def _lead(u: Array) -> Array:
    lead: Array = u[:, 0] - u[:, 1] if u.shape[1] == 2 else u.max(axis=1) - u.min(axis=1)
    return lead


def _leading(u: Array, systems: Sequence[str]) -> list[list[str] | None]:
    near = u >= u.max(axis=1, keepdims=True) - BAND
    codes = [[code for code, is_near in zip(systems, row, strict=True) if is_near] for row in near]
    return [
        None if np.isnan(row).any() else [TOGETHER] if len(names) == len(systems) else names
        for row, names in zip(u, codes, strict=True)
    ]


def _quadrants(u: Array, systems: Sequence[str]) -> list[str | None]:
    if len(systems) != 2:
        return [None] * len(u)
    names = {(True, True): "both_high", (False, False): "both_low", (True, False): systems[0]}
    return [
        None if np.isnan(row).any() else names.get((bool(row[0] >= HIGH), bool(row[1] >= HIGH)), systems[1])
        for row in u
    ]


def _reasons(u: Array) -> list[str | None]:
    return [MISSING if np.isnan(row).any() else ALL_ZERO if not row.any() else None for row in u]


def _named(frame: pl.DataFrame, framework: Framework) -> pl.DataFrame:
    """Grades, leaders and quadrants in words, and the rank of D in each year."""
    names = {code: (node.name_zh, node.name_en) for code, node in framework.node.items()}
    known = [
        {**{code: pair[i] for code, pair in _NAMED.items()}, **{c: named[i] for c, named in names.items()}}
        for i in (0, 1)
    ]
    words = [
        pl.col("quadrant").replace_strict(found, default=None, return_dtype=pl.String).alias(f"quadrant_{lang}")
        for found, lang in zip(known, ("zh", "en"), strict=True)
    ]
    leaders = [
        pl.col("leading").list.eval(pl.element().replace(found)).list.join(comma).alias(f"leading_{lang}")
        for found, comma, lang in zip(known, ("、", ", "), ("zh", "en"), strict=True)
    ]
    # Ten digits: sums in another order must not part what ties.
    degree = pl.col("coordination").round(10)
    grades = [
        pl.col("grade")
        .cast(pl.Int64)
        .replace_strict({k + 1: pair[i] for k, pair in enumerate(GRADES)}, default=None, return_dtype=pl.String)
        .alias(f"grade_{lang}")
        for i, lang in enumerate(("zh", "en"))
    ]
    return frame.with_columns(
        *words,
        *leaders,
        *grades,
        leading=pl.col("leading").list.join(","),
        rank=degree.rank("min", descending=True).over("year"),
        ranked=pl.col("coordination").is_not_null().sum().over("year"),
    ).sort("year", "rank", "hub", nulls_last=True)
