"""The Hubei exchange's own page of daily quotes: one line a day, screen trades only.

Knows its headings, as the page and the older akshare function print them. "Latest" is the last price of the day: it
equals Wind's close on 99.6 % of 1,726 days, and volume on 99.8 %, where Wind counts screen trades only; so both are
read as the close and the listing of the day (H). Days without trade print dashes beside the last price. Must not know
other formats.
"""

from collections.abc import Sequence
from dataclasses import replace

from carbon.formats.headings import layout_of_one_method
from carbon.layout import Layout
from carbon.rows import LISTING

__all__ = ["KNOWN_HEADER", "NAME", "VARIANTS", "find_layout"]

NAME = "exchange_hubei"

_FIGURES = {
    "day": "日期",
    "close": "最新",
    "high": "最高",
    "low": "最低",
    "volume": "成交量",
    "value": "成交额",
}
VARIANTS = ({"product": "品种", **_FIGURES}, {"product": "交易品种", **_FIGURES})
KNOWN_HEADER = "品种,日期,最新,涨跌幅,最高,最低,成交量,成交额,昨收盘价"


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of a file with this first line; null where a heading is missing. Order and further columns do not
    matter.
    """
    layout = layout_of_one_method(NAME, header, VARIANTS, LISTING, price_rule="close")
    return None if layout is None else replace(layout, zero_is_no_trade=True)
