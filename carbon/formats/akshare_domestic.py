"""The pilots as akshare's energy_carbon_domestic gives them (the tanjiaoyi feed): price, tonnes, value and place.

Knows its headings and its habits. What the price is nobody says: in Hubei it equals Wind's average on 48 % and Wind's
close on 36 % of days, so it never becomes a close. Days without trade, weekends among them until 2014, print zeros
beside the last price. Numbers went through single precision (24.200000762939453 for 24.20). The product is not printed
and is the market's own, without a vintage; which methods are counted is not said either, and differs from city to city:
every method together (L). Must not know other formats.
"""

from collections.abc import Sequence
from dataclasses import replace

from carbon.formats.headings import layout_of_one_method
from carbon.layout import Layout
from carbon.rows import ALL

__all__ = ["HEADINGS", "KNOWN_HEADER", "NAME", "PLACES", "PRODUCTS", "find_layout"]

NAME = "akshare_domestic"

HEADINGS = {"day": "日期", "price": "成交价", "volume": "成交量", "value": "成交额", "market": "地点"}
KNOWN_HEADER = ",日期,成交价,成交量,成交额,地点"
PLACES = {
    "湖北": "Hubei",
    "上海": "Shanghai",
    "北京": "Beijing",
    "重庆": "Chongqing",
    "广东": "Guangdong",
    "天津": "Tianjin",
    "深圳": "Shenzhen",
    "福建": "Fujian",
}
PRODUCTS = {
    "Hubei": "HBEA",
    "Shanghai": "SHEA",
    "Beijing": "BEA",
    "Chongqing": "CQEA",
    "Guangdong": "GDEA",
    "Tianjin": "TJEA",
    "Shenzhen": "SZA",
    "Fujian": "FJEA",
}


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of a file with this first line; null where a heading is missing. Order and further columns do not
    matter.
    """
    layout = layout_of_one_method(NAME, header, (HEADINGS,), ALL, price_rule="unstated")
    if layout is None:
        return None
    return replace(
        layout,
        columns={**layout.columns, "product": layout.columns["market"]},
        markets=PLACES,
        market_products=PRODUCTS,
        single_precision=True,
        zero_is_no_trade=True,
    )
