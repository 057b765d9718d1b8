"""Regions of weights: all, those near the stated ones, within bounds, or in an order.

Knows names of weighed codes and what a region may be. Must not know scores or ranks.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fhi.arrays import Array
from fhi.errors import Problem, one_of
from green_index.moves.errors import UnusableRegion

FREE: Final = "free"
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Region:
    """Weights w with lower <= w <= upper, sum 1, and w[a] >= w[b] for every pair of `orders`.

    lower, upper: (codes,), shares from 0 to 1; orders: positions of codes.
    """

    name: str
    lower: Array
    upper: Array
    orders: tuple[tuple[int, int], ...] = ()


def read_bounds(texts: Sequence[str]) -> tuple[dict[str, float], dict[str, float], list[tuple[str, str]]]:
    """Further limits as people write them: CODE>=SHARE, CODE<=SHARE, or CODE>=CODE for an order.

    Returns lower bounds, upper bounds and orders for `read_region`. Raises UnusableRegion with every text that is none,
    or that says a bound twice.
    """
    lower: dict[str, float] = {}
    upper: dict[str, float] = {}
    orders: list[tuple[str, str]] = []
    problems = []
    for text in texts:
        found = re.fullmatch(r"\s*([\w.]+)\s*(>=|<=)\s*([\w.]+)\s*", text)
        if found is None:
            problems.append(Problem("bound", repr(text), "CODE>=SHARE, CODE<=SHARE or CODE>=CODE", "no_bound"))
            continue
        code, sign, other = found.groups()
        if not re.fullmatch(r"\d*\.?\d+", other):
            orders.append((code, other) if sign == ">=" else (other, code))
            continue
        side = lower if sign == ">=" else upper
        if code in side:
            problems.append(Problem("bound", repr(text), f"one bound {sign} of {code}", "duplicate"))
        side[code] = float(other)
    if problems:
        raise UnusableRegion(problems)
    return lower, upper, orders


def read_region(
    text: str,
    codes: Sequence[str],
    weights: Array,
    lower: Mapping[str, float] | None = None,
    upper: Mapping[str, float] | None = None,
    orders: Sequence[tuple[str, str]] = (),
) -> Region:
    """A region by its name: `free`, or `20%` for weights within 20 per cent of each stated one.

    codes, weights: what is weighed and how; lower, upper: further bounds by code; orders: pairs of codes, the first to
    weigh as much as the second at least. Raises UnusableRegion with every problem at once, also where no weights are
    left.
    """
    problems = []
    spread = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", text)
    if spread is None and text.strip() != FREE:
        problems.append(Problem("region", repr(text), f"{FREE}, or per cent around the stated weights: 20%", "region"))
    share = float(spread[1]) / 100 if spread is not None else np.inf
    free = not np.isfinite(share)
    low = np.zeros(len(codes)) if free else np.maximum(0.0, weights * (1 - share))
    high = np.ones(len(codes)) if free else np.minimum(1.0, weights * (1 + share))
    for name, given, bounds, tighter in (("lower", lower, low, max), ("upper", upper, high, min)):
        for code, bound in (given or {}).items():
            if code not in codes:
                problems.append(Problem(f"{name} bound", repr(code), one_of(codes, code), "unknown_code"))
            elif not 0 <= bound <= 1:
                problems.append(Problem(f"{name} bound of {code}", f"{bound:g}", "a share from 0 to 1", "no_share"))
            else:
                place = list(codes).index(code)
                bounds[place] = tighter(bounds[place], bound)
    for pair in orders:
        problems += [Problem("order", repr(c), one_of(codes, c), "unknown_code") for c in pair if c not in codes]
    if problems:
        raise UnusableRegion(problems)
    places = tuple((list(codes).index(first), list(codes).index(second)) for first, second in orders)
    more = [f"{code} >= {bound:g}" for code, bound in (lower or {}).items()]
    more += [f"{code} <= {bound:g}" for code, bound in (upper or {}).items()]
    more += [f"{first} >= {second}" for first, second in orders]
    region = Region("; ".join([text.strip(), *more]), low, high, places)
    _check_weights(region, codes)
    return region


def order_rows(region: Region) -> Array:
    """The orders as rows r with r @ w <= 0, (orders, codes)."""
    rows = np.zeros((len(region.orders), len(region.lower)))
    for row, (first, second) in zip(rows, region.orders, strict=True):
        row[second] += 1.0
        row[first] -= 1.0
    return rows


def _check_weights(region: Region, codes: Sequence[str]) -> None:
    """Raises UnusableRegion where no weights are in the region."""
    crossed = [
        Problem(f"weight of {code}", f"at least {low:g} and at most {high:g}", "the first no greater", "empty")
        for code, low, high in zip(codes, region.lower, region.upper, strict=True)
        if low > high + _ROUNDING
    ]
    if crossed:
        raise UnusableRegion(crossed)
    if region.lower.sum() > 1 + _ROUNDING or region.upper.sum() < 1 - _ROUNDING:
        found = f"lower bounds that sum to {region.lower.sum():g}, upper bounds to {region.upper.sum():g}"
        raise UnusableRegion([Problem("region", found, "sums with 1 between them", "empty")])
    if not region.orders:
        return
    from scipy.optimize import linprog

    n = len(region.lower)
    bounds = np.stack([region.lower, region.upper], axis=1)
    rows = order_rows(region)
    found = linprog(np.zeros(n), A_ub=rows, b_ub=np.zeros(len(rows)), A_eq=np.ones((1, n)), b_eq=[1.0], bounds=bounds)
    if found.status != 0:
        raise UnusableRegion([Problem("region", region.name, "bounds and orders that some weights meet", "empty")])
