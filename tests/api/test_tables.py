import codecs
import json
from datetime import date

import polars as pl

from api.tables import to_csv, to_json

FRAME = pl.DataFrame({"name_zh": ["武汉"], "rank": [None], "day": [date(2022, 1, 4)], "notes": [["a", "b"]]})


def test_json_is_a_flat_list_with_null_for_missing() -> None:
    assert json.loads(to_json(FRAME)) == [{"name_zh": "武汉", "rank": None, "day": "2022-01-04", "notes": ["a", "b"]}]
    assert json.loads(to_json(FRAME.clear())) == []


def test_csv_opens_rightly_in_a_spreadsheet() -> None:
    content = to_csv(FRAME)
    assert content.startswith(codecs.BOM_UTF8)
    assert content.decode("utf-8-sig").splitlines() == ["name_zh,rank,day,notes", "武汉,,2022-01-04,a; b"]
