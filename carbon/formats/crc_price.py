"""The registry's daily price bulletin: one row a day and method, priced across all vintages.

Knows its headings and its habits. Prices are composite: value / volume of a row may lie outside low and high. On days
without listed trading high and low are printed as 0. Must not know other formats.
"""

from collections.abc import Sequence

from carbon.formats.headings import CHINESE_METHODS, layout_by_headings
from carbon.layout import Layout

__all__ = ["HEADINGS", "KNOWN_HEADER", "NAME", "find_layout"]

NAME = "crc_price"

HEADINGS = {
    "day": "日期",
    "product": "交易品种",
    "method": "交易类型",
    "close": "收盘价（元/吨）",
    "high": "最高价（元/吨）",
    "low": "最低价（元/吨）",
    "volume": "成交量（吨）",
    "value": "成交额（元）",
}
KNOWN_HEADER = ",".join(HEADINGS.values())


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of a file with this first line; null where a heading is missing. Order and further columns do not
    matter.
    """
    return layout_by_headings(NAME, header, HEADINGS, CHINESE_METHODS, price_rule="composite")
