"""Guangdong as the exchange's page prints it and akshare's energy_carbon_gz gives it: one line a day.

Knows its headings. Days are written 20200911. The exchange's figures equal Wind's on 99.7 % of 2,313 days, which counts
screen trades only, so that all of it is listing (M). Must not know other formats.
"""

from collections.abc import Sequence
from dataclasses import replace

from carbon.formats.headings import layout_of_one_method
from carbon.layout import Layout
from carbon.rows import LISTING

__all__ = ["HEADINGS", "KNOWN_HEADER", "NAME", "find_layout"]

NAME = "akshare_gz"

HEADINGS = {
    "day": "日期",
    "product": "品种",
    "open": "开盘价",
    "close": "收盘价",
    "high": "最高价",
    "low": "最低价",
    "volume": "成交数量",
    "value": "成交金额",
}
KNOWN_HEADER = "日期,品种,开盘价,收盘价,最高价,最低价,涨跌,涨跌幅,成交数量,成交金额"


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of a file with this first line; null where a heading is missing. Order and further columns do not
    matter.
    """
    layout = layout_of_one_method(NAME, header, (HEADINGS,), LISTING, price_rule="close")
    return None if layout is None else replace(layout, zero_is_no_trade=True)
