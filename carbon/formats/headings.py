"""A layout from a line of headings, for formats with one heading a column.

Knows how headings are matched to roles. Must not know any one publisher's headings.
"""

from collections.abc import Mapping, Sequence

from carbon.layout import Layout, PriceRule

__all__ = ["layout_by_headings"]


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
