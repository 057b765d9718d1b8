"""A layout from a line of headings, for formats with one heading a column.

Knows how headings are matched to roles, which of two equal headings may be read, and the words for the three ways of
trading that all national bulletins use.
Must not know any one publisher's headings.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from carbon.errors import CarbonError
from carbon.formats.text import MAX_BYTES, MAX_ROWS, decode, extra_column, read_bytes, split_cells
from carbon.layout import Layout, PriceRule
from carbon.rows import AUCTION, BLOCK, LISTING

__all__ = [
    "CHINESE_METHODS",
    "RepeatedHeading",
    "layout_by_headings",
    "layout_of_one_method",
    "place_headings",
    "refuse_repeated_headings",
]

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


class RepeatedHeading(CarbonError):
    """Two columns of a file have one heading and unlike cells, so that nothing says which of them is meant."""


def refuse_repeated_headings(
    path: Path,
    header: Sequence[str],
    read: Collection[str],
    *,
    header_rows: int = 1,
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
) -> None:
    """Refuse a file of which a heading that is read stands over several columns with unlike cells.

    header : cells of the first line; read : the headings that the format reads; header_rows, max_bytes and max_rows as
    in `carbon.formats.text`. Columns that say the same in every line (Wind prints one twice) do no harm, nor do
    headings that nobody reads. Equal are headings that differ in spaces and the width of their brackets only.
    Raises RepeatedHeading, naming every such heading and its columns, UnreadableFile and FileTooLarge.
    """
    wanted = {_plain(heading) for heading in read}
    places: dict[str, list[int]] = {}
    for position, heading in enumerate(header):
        places.setdefault(_plain(heading), []).append(position)
    repeated = {name: found for name, found in places.items() if name in wanted and len(found) > 1}
    if not repeated:
        return
    text = decode(read_bytes(path, max_bytes=max_bytes), path.name)
    cells = split_cells(text, path.name, width=len(header), header_rows=header_rows, max_rows=max_rows)
    cells = cells.drop(extra_column(len(header)))
    unlike = {
        name: found
        for name, found in repeated.items()
        if any(cells[f"c{found[0]}"].ne_missing(cells[f"c{other}"]).any() for other in found[1:])
    }
    if unlike:
        told = "; ".join(
            f"heading {header[found[0]]!r} over columns {', '.join(str(place + 1) for place in found)}"
            for found in unlike.values()
        )
        raise RepeatedHeading(f"found in {path.name} {told} with unlike cells, expected each once")


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
