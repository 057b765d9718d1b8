"""The registry's daily settlement bulletin (China Carbon Registration and Clearing, Wuhan): tonnes and value by
vintage.

Knows its headings: no prices, but running sums since the first day of each vintage. Must not know other formats.
"""

from collections.abc import Sequence

from carbon.formats.headings import CHINESE_METHODS, layout_by_headings
from carbon.layout import Layout

__all__ = ["HEADINGS", "KNOWN_HEADER", "NAME", "find_layout"]

NAME = "crc_settlement"

HEADINGS = {
    "day": "日期",
    "product": "配额类型",
    "method": "交易方式",
    "volume": "本日成交量_吨",
    "value": "本日成交额_元",
    "cumulative_volume": "累计成交量_吨",
    "cumulative_value": "累计成交额_元",
}
KNOWN_HEADER = ",".join(HEADINGS.values())


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of a file with this first line; null where a heading is missing. Order and further columns do not
    matter.
    """
    return layout_by_headings(NAME, header, HEADINGS, CHINESE_METHODS, price_rule="none")
