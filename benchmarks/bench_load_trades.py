"""Load a generated daily file in the exchange's layout, beside a plain row-by-row loop of csv and pydantic.

The workload: read, check and append 100,000 to 1,000,000 rows (first argument, 300,000 by default). The named peer
reads the same file with `csv.DictReader`, validates each row with a pydantic model (dates, decimals, the value rule)
and keeps a list: it neither looks for repeats nor stores anything. Times are of the best of two runs; memory is the
peak of a process each.
"""

import csv
import random
import sys
import tempfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from measuring import measure_apart

HEADER = ["日期", "配额类型", "开盘价", "最高价", "最低价", "收盘价", "涨幅", "日成交量", "日成交额", "交易方式"]
SEED = 20220301
VINTAGES = [f"CEA{first}-{second:02d}" for first in range(1, 1000) for second in range(100)]


def write_file(path: Path, rows: int) -> None:
    """One listing row a day and vintage, priced so that the close is value / volume to the fen."""
    rng = random.Random(SEED)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for number in range(rows):
            day = date(2021, 7, 16) + timedelta(days=number % 1000)
            close_fen, volume_t = rng.randint(4000, 9000), rng.randint(1, 99_999)
            low_fen, high_fen = close_fen - rng.randint(0, 100), close_fen + rng.randint(0, 100)
            open_fen = rng.randint(low_fen, high_fen)
            prices = [f"{fen / 100:.2f}" for fen in (open_fen, high_fen, low_fen, close_fen)]
            value = f"{Decimal(close_fen * volume_t) / 100:.2f}"
            writer.writerow([day, VINTAGES[number // 1000], *prices, "0.0", f"{volume_t}.0", value, "挂牌协议交易"])


def load(path: Path) -> int:
    """Ours: read, check and append to a new lake."""
    from carbon.formats import read_trades
    from carbon.lake import append_rows

    with tempfile.TemporaryDirectory() as folder:
        _, reading = read_trades(path, market="CEA")
        if reading.problems:
            raise SystemExit(f"the generated file should be clean, but: {reading.problems[0]}")
        return append_rows(Path(folder), reading.rows)


def load_row_by_row(path: Path) -> int:
    """The peer: csv and pydantic, row by row, without storing."""
    from pydantic import BaseModel, Field, model_validator

    class Row(BaseModel):
        day: date
        product: str = Field(pattern=r"^CEA[\d-]*$")
        open: Decimal = Field(ge=0)
        high: Decimal = Field(ge=0)
        low: Decimal = Field(ge=0)
        close: Decimal = Field(ge=0)
        volume: Decimal = Field(ge=0, multiple_of=1)
        value: Decimal = Field(ge=0)

        @model_validator(mode="after")
        def _agree(self) -> "Row":
            if self.high < self.low or abs(self.value - self.close * self.volume) * 200 > self.volume + 2:
                raise ValueError("figures disagree")
            return self

    names = dict(
        zip(HEADER, ["day", "product", "open", "high", "low", "close", "", "volume", "value", ""], strict=True)
    )
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = [
            Row.model_validate({names[head]: cell for head, cell in line.items() if names[head]})
            for line in csv.DictReader(stream)
        ]
    return len(rows)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated.csv"
        write_file(path, rows)
        print(f"{rows} rows, {path.stat().st_size / 1e6:.1f} MB, seed {SEED}")
        for name, work in (("carbon", load), ("peer", load_row_by_row)):
            loaded, told = measure_apart(work, path)
            if loaded != rows:
                raise SystemExit(f"{name}: found {loaded} rows, expected {rows}")
            seconds[name] = told.wall_s
            print(f"{name}: {told.wall_s:.2f} s, {rows / told.wall_s:,.0f} rows/s, peak {told.peak_mb:.0f} MB")
    ratio = seconds["peer"] / seconds["carbon"]
    print(f"ratio: carbon (read + check + append) is {ratio:.1f} times as fast as csv + pydantic (read + check)")


if __name__ == "__main__":
    main()
