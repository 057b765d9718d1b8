"""A layout from a line of headings, for formats with one heading a column.

Knows how headings are matched to roles, and the words for the three ways of trading that all national bulletins use.
Must not know any one publisher's headings.
"""

from collections.abc import Mapping, Sequence

from carbon.layout import Layout, PriceRule
from carbon.rows import AUCTION, BLOCK, LISTING

__all__ = ["CHINESE_METHODS", "layout_by_headings"]

# The three ways of trading as the national bulletins print them, with and without the word for trading.
CHINESE_METHODS = {
    "挂牌协议交易": LISTING,
    "挂牌协议": LISTING,
    "大宗协议交易": BLOCK,
    "大宗协议": BLOCK,
    "单向竞价交易": AUCTION,
    "单向竞价": AUCTION,
}


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
    if any(heading not in header for heading in headings.values()):
        return None
    return Layout(
        feed=feed,
        columns=dict(headings),
        positions={role: header.index(heading) for role, heading in headings.items()},
        width=len(header),
        header_rows=1,
        price_rule=price_rule,
        methods=dict(methods),
    )
