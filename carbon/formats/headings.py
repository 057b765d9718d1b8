"""A layout from a line of headings, for formats with one heading a column.

Knows how headings are matched to roles, and the words for the three ways of trading that all national bulletins use.
Must not know any one publisher's headings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from carbon.layout import Layout, PriceRule
from carbon.rows import AUCTION, BLOCK, LISTING

__all__ = ["CHINESE_METHODS", "layout_by_headings", "layout_of_one_method", "place_headings"]

_HALF_WIDTH = str.maketrans("（）", "()")

# The three ways of trading as the national bulletins print them, with and without the word for trading.
CHINESE_METHODS = {
    "挂牌协议交易": LISTING,
    "挂牌协议": LISTING,
    "大宗协议交易": BLOCK,
    "大宗协议": BLOCK,
    "单向竞价交易": AUCTION,
    "单向竞价": AUCTION,
}


def place_headings(header: Sequence[str], headings: Mapping[str, str]) -> dict[str, int] | None:
    """The column number of every role; null where a heading is missing.

    header : cells of the first line; headings : role -> heading
    Full-width and half-width brackets and spaces make no difference; units in brackets do.
    """
    printed = [_plain(cell) for cell in header]
    wanted = {role: _plain(heading) for role, heading in headings.items()}
    if any(heading not in printed for heading in wanted.values()):
        return None
    return {role: printed.index(heading) for role, heading in wanted.items()}


def _plain(heading: str) -> str:
    return "".join(heading.translate(_HALF_WIDTH).split())


def layout_by_headings(
    feed: str,
    header: Sequence[str],
    headings: Mapping[str, str],
    methods: Mapping[str, int],
    *,
    price_rule: PriceRule,
) -> Layout | None:
    """The layout of a file whose first line holds all the headings; null where one is missing.

    header : cells of the first line; headings : role -> heading; methods : method as printed -> code
    """
    positions = place_headings(header, headings)
    if positions is None:
        return None
    return Layout(
        feed=feed,
        columns={role: header[position] for role, position in positions.items()},
        positions=positions,
        width=len(header),
        header_rows=1,
        price_rule=price_rule,
        methods=dict(methods),
    )


def layout_of_one_method(
    feed: str,
    header: Sequence[str],
    variants: Sequence[Mapping[str, str]],
    method: int,
    *,
    price_rule: PriceRule,
) -> Layout | None:
    """The layout of a file whose rows are all of one method; null where the first line has none of the variants.

    variants : headings by role, one mapping for each way that the feed has been printed, tried in order
    """
    for headings in variants:
        layout = layout_by_headings(feed, header, headings, {}, price_rule=price_rule)
        if layout is not None:
            return replace(layout, fixed_method=method)
    return None
