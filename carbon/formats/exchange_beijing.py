"""The Beijing exchange's page of daily trading, by itself or by akshare's energy_carbon_bj: tonnes, average and value.

Knows its headings and its habits. The product stands in brackets behind the value, full-width or half-width, at times
doubled, or in a column of akshare's; before 2015 mostly nowhere. Such a row is read as BEA, with one warning for the
file, where no other row stands on its day and its average is near its neighbours' (M); else it is set apart. Offsets
(CCER, PCER, forestry credits) print beside BEA on one date: they are counted as rows of others, never as BEA.

The page does not say which methods it counts, and its average leaves the 20 % a day of public trading behind: every
method together (M). Must not know other formats.
"""

from collections.abc import Sequence
from dataclasses import replace

from carbon.formats.headings import layout_of_one_method
from carbon.layout import Layout
from carbon.rows import ALL

__all__ = ["KNOWN_HEADER", "NAME", "OFFSETS", "VARIANTS", "find_layout"]

NAME = "exchange_beijing"

_AKSHARE = {"day": "日期", "volume": "成交量", "average": "成交均价", "value": "成交额"}
VARIANTS = (
    {"day": "日期", "volume": "成交量（吨）", "average": "成交均价（元/吨）", "value": "成交额（元）"},
    {**_AKSHARE, "product": "成交单位"},
    _AKSHARE,
)
KNOWN_HEADER = "日期,成交量（吨）,成交均价（元/吨）,成交额（元）"
OFFSETS = "CCER|PCER|VER|林业|碳汇|绿色出行"

# The exchanges' own tables of other cities have these beside the same words.
_NOT_WITH = ("开盘价", "收盘价", "品种", "交易品种", "地点", "交易方式", "交易机构")


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of a file with this first line; null where a heading is missing. Order does not matter."""
    if any(heading in header for heading in _NOT_WITH):
        return None
    layout = layout_of_one_method(NAME, header, VARIANTS, ALL, price_rule="average")
    if layout is None:
        return None
    columns = {"product": layout.columns["value"], **layout.columns}
    return replace(layout, columns=columns, product_in_value=True, assumed_product="BEA", other_products=OFFSETS)
