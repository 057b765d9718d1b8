"""What the command says of a file that holds several markets."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]

HEADER = "交易日期,交易机构,交易品种,开盘价,最高价,最低价,成交均价,成交量,成交金额"
LINES = [
    "2022-03-01,福建海峡交易中心,FJEA,-,-,-,20.00,100,2000.00",
    "2022-03-01,天津排放权交易所,TJEA,-,-,-,30.00,10,300.00",
    "2022-03-01,重庆碳排放权交易中心,CQEA-1,-,-,-,-,-,-",
]


def test_rows_of_other_markets_are_counted(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "sceex.csv"
    file.write_text("\n".join([HEADER, *LINES]) + "\n", encoding="gb18030")
    code, _, err = run("load", "trades", str(file), "--market", "FJEA")
    assert code == 0
    assert "read as sceex_daily, 3 rows; 1 new, 0 loaded before, 0 set apart" in err
    assert "2 rows are about other markets or about offsets, not about Fujian" in err
    _, out, _ = run("market", "Fujian", "--format", "json")
    (loaded,) = (row for row in json.loads(out) if row["period"] == "2022")
    assert (loaded["origin"], loaded["volume_t"], loaded["value_cny"]) == ("loaded", 100, 2000.0)
    assert loaded["coverage"] == "lower_bound"
    assert loaded["block_share"] is None


def test_rows_that_were_left_out_are_counted(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "sceex.csv"
    silent = "2022-03-02,福建海峡交易中心,FJEA,-,-,-,-,-,-"
    file.write_text("\n".join([HEADER, LINES[0], LINES[0], silent]) + "\n", encoding="utf-8")
    code, _, err = run("load", "trades", str(file), "--market", "FJEA")
    assert code == 0
    assert "3 rows; 1 new, 0 loaded before, 0 set apart" in err
    assert "1 rows of days without trade and 1 rows that repeat an earlier one are left out" in err
    _, _, err = run("load", "trades", str(file), "--market", "FJEA", "--lang", "zh")
    assert "略去无交易日 1 行，与前文重复 1 行" in err


def test_a_month_that_lost_a_day_is_a_part_in_the_command(run: Run, tmp_path: Path) -> None:
    header = "日期,配额类型,开盘价,最高价,最低价,收盘价,涨幅,日成交量,日成交额,交易方式"
    lines = [
        f"{day},CEA,58.0,{high},57.5,58.0,0.0,1000,58000,挂牌协议交易"
        for day, high in (("2022-02-28", 58.5), ("2022-03-01", 58.5), ("2022-03-02", 57.0), ("2022-04-01", 58.5))
    ]

    def march(*rows: str) -> str:
        file = tmp_path / f"{len(rows)}.csv"
        file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        run("load", "trades", str(file), "--market", "CEA")
        _, out, _ = run("market", "CEA", "--by", "month", "--format", "json")
        (found,) = (row["coverage"] for row in json.loads(out) if row["period"] == "2022-03")
        return str(found)

    assert march(*lines) == "part_of_month"
    assert march(lines[2].replace("57.0", "58.5")) == "whole_month"
