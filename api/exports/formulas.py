"""What the engine computes, said again as Excel formulas.

Text in, text out: cell references go in, a formula comes out. Knows the arithmetic of `fhi.normalise` and
`fhi.aggregate`; knows no sheet and no figure. Functions newer than Excel 2007 carry the prefix `_xlfn.`, as the file
format asks. No array formulas, so that every version of Excel and LibreOffice reads them alike.
"""

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Final

from fhi.recipe import AggregateMethod

LONGEST: Final = 8192
"""Characters that Excel allows in one formula."""

_BETWEEN: Final = "{low}+({high}-{low})*"
_RANK_UP: Final = "_xlfn.RANK.EQ({x},{column},1)"
_RANK_DOWN: Final = "_xlfn.RANK.EQ({x},{column},0)"
MEASURES: Final[Mapping[str, tuple[str, str]]] = {
    "minmax": (
        _BETWEEN + "({x}-{least})/({greatest}-{least})",
        _BETWEEN + "({greatest}-{x})/({greatest}-{least})",
    ),
    "goalposts": (
        _BETWEEN + "MAX(0,MIN(1,({x}-{goal_low})/({goal_high}-{goal_low})))",
        _BETWEEN + "MAX(0,MIN(1,({goal_high}-{x})/({goal_high}-{goal_low})))",
    ),
    "scaled": (
        _BETWEEN + "({x}-{from_low})/({from_high}-{from_low})",
        _BETWEEN + "({from_high}-{x})/({from_high}-{from_low})",
    ),
    "zscore": ("{centre}+{spread}*({x}-{mean})/{sd}", "{centre}+{spread}*({mean}-{x})/{sd}"),
    "rank": (_RANK_UP, _RANK_DOWN),
    "percentile_rank": (f"({_RANK_UP}-1)/({{count}}-1)", f"({_RANK_DOWN}-1)/({{count}}-1)"),
    "borda": (f"{_RANK_UP}-1", f"{_RANK_DOWN}-1"),
    "distance_to_best": (
        _BETWEEN + "(1-({greatest}-{x})/({greatest}-{least}))",
        _BETWEEN + "(1-({x}-{least})/({greatest}-{least}))",
    ),
    "distance_to_reference": (
        "1-({reference}-{x})/({reference}-{least})",
        "1-({x}-{reference})/({greatest}-{reference})",
    ),
    "distance_to_target": ("({x}-{least})/({target}-{least})", "({greatest}-{x})/({greatest}-{target})"),
    "share_of_best": ("{x}/{greatest}", "{least}/{x}"),
}
"""Score of one figure by method of normalising: where more is better, and where less is."""

_COUNTED: Final = "IF(ISNUMBER({x})*({w}>0),{term},0)"
_MEANS: Final[Mapping[AggregateMethod, tuple[str, str]]] = {
    "arithmetic": ("N({x})*{w}", "({sum})/({own})"),
    "geometric": (_COUNTED.replace("{term}", "{w}*LN({x})"), "EXP(({sum})/({own}))"),
    "harmonic": (_COUNTED.replace("{term}", "{w}/{x}"), "({own})/({sum})"),
    "power": (_COUNTED.replace("{term}", "{w}*{x}^{p}"), "(({sum})/({own}))^(1/{p})"),
}
MEANS: Final[tuple[AggregateMethod, ...]] = tuple(_MEANS)
"""Methods of aggregating that a formula can say."""

STATISTICS: Final[Mapping[str, str]] = {
    "count": "COUNT({column})",
    "least": 'IF({count}>0,MIN({column}),"")',
    "greatest": 'IF({count}>0,MAX({column}),"")',
    "mean": 'IF({count}>0,AVERAGE({column}),"")',
    "sd": 'IF({count}>1,_xlfn.STDEV.S({column}),"")',
}
"""What scales are made from; `column` is the range of one indicator's figures, `count` the cell of the first."""


def measure_fields(method: str, direction: int) -> frozenset[str]:
    """The references that the score of a figure needs beside the figure `x` and its `column`."""
    template = _pick(method, direction)
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name) - {"x", "column"}


def score_formula(method: str, direction: int, references: Mapping[str, str]) -> str:
    """The score of one figure as a formula (fhi.normalise.SCORERS).

    method: of MEASURES, `goalposts` also for min-max between goalposts; direction: 1 or -1; references: cells by
    name, `x` the figure, `column` the figures it is compared with.
    """
    return "=" + _pick(method, direction).format_map(references)


def share_formula(children: Sequence[str], weights: Sequence[str], possible: str) -> str:
    """The share of a group's weight that a unit has scores for (fhi.aggregate.rescaled_weights).

    children, weights: their cells; possible: the range of the weights that count in that period.
    """
    own = "+".join(f"COUNT({x})*{w}" for x, w in zip(children, weights, strict=True))
    return f"=IF(SUM({possible})>0,({own})/SUM({possible}),0)"


def mean_formula(
    method: AggregateMethod,
    children: Sequence[str],
    weights: Sequence[str],
    share: str,
    possible: str,
    least_share: str,
    exponent: float,
) -> str:
    """A group's score as a weighted mean of the children that a unit has (fhi.aggregate), empty below the least share.

    method: of MEANS; children, weights, share, possible: references as in `share_formula`; least_share: a cell or
    name; exponent: of the power mean, no matter otherwise.
    """
    term, whole = _MEANS[method]
    power = f"({exponent!r})"
    total = "+".join(term.format(x=x, w=w, p=power) for x, w in zip(children, weights, strict=True))
    mean = whole.format(sum=total, own=f"{share}*SUM({possible})", p=power)
    return f'=IF(AND({share}>0,{share}>={least_share}-1E-12),{mean},"")'


def rank_formula(score: str, scores: str) -> str:
    """Place of a score among a range of them, 1 the greatest, ties taking the better place; empty without a score."""
    return f'=IF(ISNUMBER({score}),_xlfn.RANK.EQ({score},{scores}),"")'


def pick_formula(column: str, row: str) -> str:
    """The number in one row of a column; empty where there is none, for INDEX alone makes a zero of an empty cell."""
    return f'=IF(ISNUMBER(INDEX({column},{row})),INDEX({column},{row}),"")'


def place_formula(score: str, column: str, periods: str | None, period: str) -> str:
    """`rank_formula` within one of several periods; `periods`, their numbers, is None where there is one only.

    Not by COUNTIFS, which compares fifteen digits of a score with all of it.
    """
    if periods is None:
        return rank_formula(score, column)
    return f'=IF(ISNUMBER({score}),SUMPRODUCT(({periods}={period})*ISNUMBER({column})*({column}>{score}))+1,"")'


def average_formula(column: str, periods: str | None, period: str) -> str:
    """Mean of the numbers of a column, of one period where there are several; empty where there are none."""
    mean = f"AVERAGE({column})" if periods is None else f"AVERAGEIFS({column},{periods},{period})"
    return f'=IFERROR({mean},"")'


def best_formula(average: str, column: str, periods: str | None, period: str) -> str:
    """Greatest number of a column, of one period where there are several; empty where `average` is."""
    best = f"MAX({column})" if periods is None else f"_xlfn.MAXIFS({column},{periods},{period})"
    return f'=IF(ISNUMBER({average}),{best},"")'


def match_formula(text: str, column: str) -> str:
    """Row of a text in a column, its own wildcards taken as they stand."""
    plain = text
    for sign in ("~", "*", "?"):
        plain = f'SUBSTITUTE({plain},"{sign}","~{sign}")'
    return f"=MATCH({plain},{column},0)"


def _pick(method: str, direction: int) -> str:
    return MEASURES[method][0 if direction > 0 else 1]
