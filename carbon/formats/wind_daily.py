"""The daily export of the Wind terminal for one pilot market: one line a calendar day, screen trades only.

Knows how its headings name measure and product ("湖北:收盘价:碳排放权(HBEA)"), its four lines below the first one and
its footer. Days without trade have empty cells; the last column is printed twice. Must not know other formats.
"""

import re
from collections.abc import Sequence

from carbon.layout import Layout
from carbon.rows import LISTING

__all__ = ["FIRST_CELL", "HEADING", "KNOWN_HEADER", "MEASURES", "NAME", "find_layout"]

NAME = "wind_daily"

FIRST_CELL = "指标名称"
HEADING = re.compile(r"^[^:：]+[:：](?P<measure>[^:：]+)[:：]碳排放权[（(](?P<product>[A-Za-z0-9-]+)[）)]$")
MEASURES = {
    "开盘价": "open",
    "最高价": "high",
    "最低价": "low",
    "收盘价": "close",
    "成交均价": "average",
    "当日成交量": "volume",
    "成交量": "volume",
    "当日成交额": "value",
    "成交额": "value",
    "累计成交量": "cumulative_volume",
    "累计成交额": "cumulative_value",
}
KNOWN_HEADER = f"{FIRST_CELL},湖北:收盘价:碳排放权(HBEA),湖北:成交均价:碳排放权(HBEA),..."

# Name, frequency, unit, identifier, source.
_HEADER_ROWS = 5


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of an export with this first line; null where it is none, or names several products.

    Volume and value must be there; of a measure printed twice the first column is read.
    """
    if not header or header[0] != FIRST_CELL:
        return None
    positions, products = {"day": 0}, set()
    for position, heading in enumerate(header[1:], start=1):
        match = HEADING.match(heading)
        if match is None:
            return None
        products.add(match["product"])
        role = MEASURES.get(match["measure"])
        if role is not None:
            positions.setdefault(role, position)
    if len(products) != 1 or not {"volume", "value"} <= positions.keys():
        return None
    return Layout(
        feed=NAME,
        columns={role: header[position] for role, position in positions.items()}
        | {"product": header[positions["volume"]]},
        positions=positions,
        width=len(header),
        header_rows=_HEADER_ROWS,
        price_rule="average" if "average" in positions else "none",
        fixed_method=LISTING,
        fixed_product=products.pop(),
    )
