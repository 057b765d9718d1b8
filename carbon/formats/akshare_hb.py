"""Hubei as the newer akshare function energy_carbon_hb gives it: price, tonnes and latest price, but no value.

Knows its headings and its habits. Nobody says what "成交价" means (close and average differ by 0.5 % in the median and
up to 32 %), so only "最新" is a close (M). Tonnes come without a value: the value is null, and such rows make no daily
bar. The page behind it prints screen trades only. Must not know other formats.
"""

from collections.abc import Sequence
from dataclasses import replace

from carbon.formats.headings import layout_of_one_method
from carbon.layout import Layout
from carbon.rows import LISTING

__all__ = ["HEADINGS", "KNOWN_HEADER", "NAME", "find_layout"]

NAME = "akshare_hb"

HEADINGS = {"day": "日期", "price": "成交价", "volume": "成交量", "close": "最新"}
KNOWN_HEADER = "日期,成交价,成交量,最新,涨跌"

# The older layout has these too, and says more.
_NOT_WITH = ("成交额", "最高")


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of a file with this first line; null where a heading is missing or a value is printed."""
    if any(heading in header for heading in _NOT_WITH):
        return None
    layout = layout_of_one_method(NAME, header, (HEADINGS,), LISTING, price_rule="unstated")
    return None if layout is None else replace(layout, fixed_product="HBEA", zero_is_no_trade=True)
