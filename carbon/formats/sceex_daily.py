"""The Sichuan exchange's page of all pilots: one line a day, exchange and product.

Knows its headings, the names of the exchanges and the page's habits. Days without trade print dashes; lines cut in two
by the page leave cells empty, and such a line is set apart. Open, high, low and average are those of listed trading;
volume and value take in deals off the screen (Hubei 2023: 2.27 Mt against 0.67 Mt on the 78 days that Wind has too), so
every method together (H). Beijing, Tianjin and Fujian never print a range: there the average is value / volume, or
tonnes of an offset were counted in, and the line is set apart (of 150 lines of Beijing that differ from the exchange's
own page 137 are found so).

One file holds eight markets: the rows of the market asked for are read, the others are counted. Must not know other
formats.
"""

from collections.abc import Sequence
from dataclasses import replace

from carbon.formats.headings import layout_of_one_method
from carbon.layout import Layout
from carbon.rows import ALL

__all__ = ["EXCHANGES", "HEADINGS", "KNOWN_HEADER", "NAME", "find_layout"]

NAME = "sceex_daily"

HEADINGS = {
    "day": "交易日期",
    "market": "交易机构",
    "product": "交易品种",
    "open": "开盘价",
    "high": "最高价",
    "low": "最低价",
    "average": "成交均价",
    "volume": "成交量",
    "value": "成交金额",
}
KNOWN_HEADER = ",".join(HEADINGS.values())
EXCHANGES = {
    "北京环境交易所": "Beijing",
    "北京绿色交易所": "Beijing",
    "上海环境能源交易所": "Shanghai",
    "广州碳排放权交易所": "Guangdong",
    "天津排放权交易所": "Tianjin",
    "深圳排放权交易所": "Shenzhen",
    "湖北碳排放权交易中心": "Hubei",
    "重庆碳排放权交易中心": "Chongqing",
    "海峡股权交易中心": "Fujian",
    "福建海峡交易中心": "Fujian",
    "欧洲气候交易所": None,
    "欧洲能源交易所": None,
}
# Shenzhen's vintages are printed SZA2014 and SZA-2014.
_SPELLINGS = (r"^SZA(\d{4})$", "SZA-$1")


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of a file with this first line; null where a heading is missing. Order and further columns do not
    matter.
    """
    layout = layout_of_one_method(NAME, header, (HEADINGS,), ALL, price_rule="total")
    return None if layout is None else replace(layout, markets=EXCHANGES, spellings=_SPELLINGS, dash_is_no_trade=True)
