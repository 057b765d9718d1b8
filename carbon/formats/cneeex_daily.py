"""The national exchange's daily table, in Chinese: one row a day, product and method.

Knows its headings and its habits. Block rows repeat the listing prices of the day; the listing close is value / volume.
Must not know other formats.
"""

from collections.abc import Sequence

from carbon.formats.headings import CHINESE_METHODS, layout_by_headings
from carbon.layout import Layout

__all__ = ["HEADINGS", "KNOWN_HEADER", "NAME", "find_layout"]

NAME = "cneeex_daily"

HEADINGS = {
    "day": "日期",
    "product": "配额类型",
    "open": "开盘价",
    "high": "最高价",
    "low": "最低价",
    "close": "收盘价",
    "volume": "日成交量",
    "value": "日成交额",
    "method": "交易方式",
}
KNOWN_HEADER = ",".join(HEADINGS.values())


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of a file with this first line; null where a heading is missing. Order and further columns do not
    matter.
    """
    return layout_by_headings(NAME, header, HEADINGS, CHINESE_METHODS, price_rule="close_is_vwap")
