"""Shenzhen as the exchange prints it and akshare's energy_carbon_sz gives it: one line a day and vintage.

Knows its headings and its habits. Open, high, low, average and close are those of listed trading, volume and value take
in block deals: 51 of 788 averages differ from value / volume, and 21 lines have blocks only, with neither high nor low
beside the last price (H). Every method together; the prices of a line without a range are carried forward and left out.

akshare's energy_carbon_eu has the same headings for quotes of European allowances, close and tonnes without a value:
a file of such lines is refused. Must not know other formats.
"""

from collections.abc import Sequence
from dataclasses import replace

from carbon.formats.headings import layout_of_one_method
from carbon.layout import Layout
from carbon.rows import ALL

__all__ = ["HEADINGS", "KNOWN_HEADER", "NAME", "QUOTES", "find_layout"]

NAME = "akshare_sz"

HEADINGS = {
    "day": "交易日期",
    "product": "市场交易指数",
    "open": "开盘价",
    "high": "最高价",
    "low": "最低价",
    "average": "成交均价",
    "close": "收盘价",
    "volume": "成交量",
    "value": "成交额",
}
KNOWN_HEADER = ",".join(HEADINGS.values())
_WHY = "expected trades of a Chinese market; European prices are quotes without a value (akshare energy_carbon_eu)"
QUOTES = {"欧盟EUA": _WHY, "欧盟CER": _WHY}


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of a file with this first line; null where a heading is missing. Order and further columns do not
    matter.
    """
    layout = layout_of_one_method(NAME, header, (HEADINGS,), ALL, price_rule="total")
    return None if layout is None else replace(layout, refused=QUOTES, zero_is_no_trade=True)
