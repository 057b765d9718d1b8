"""Generated files of every kind of microdata: cities written in many ways, one row in a hundred of an unknown city.

Firms are the hard case: nearly every row names another one.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

SEED = 20170929
CHUNK = 1_000_000
SECTORS = ["p2p", "网贷", "众筹", "第三方支付", "大数据征信", "区块链"]
DEGREES = ["不限", "大专", "本科", "本科及以上", "硕士", "博士"]
SENTENCES = [
    "加快发展互联网金融和金融科技",
    "推动科技金融深度融合，完善服务体系",
    "坚持稳中求进工作总基调，着力改善民生",
    "建设现代化产业体系，提升城市能级和核心竞争力",
]


def write_files(kind: str, folder: Path, rows: int) -> list[Path]:
    """Parquet files of one kind, a chunk of rows each."""
    rng = np.random.default_rng(SEED)
    paths = []
    for number, start in enumerate(range(0, rows, CHUNK)):
        path = folder / f"{kind}-{number:03d}.parquet"
        FRAMES[kind](rng, min(CHUNK, rows - start)).write_parquet(path)
        paths.append(path)
    return paths


def _pick(rng: np.random.Generator, size: int, values: Sequence[str]) -> pl.Series:
    return pl.Series(values, dtype=pl.String).gather(rng.integers(0, len(values), size))


def _cities(rng: np.random.Generator, size: int) -> pl.Series:
    from fhi.hubs import hubs

    names = hubs().select("name_zh", "name_en", "gbt2260").rows()
    return _pick(rng, size, [form for zh, en, code in names for form in (zh, f"{zh}市", en, code)] + ["雅安", "洪山区"])


def _days(rng: np.random.Generator, size: int) -> pl.Series:
    return (pl.Series(rng.integers(0, 1_000, size)).cast(pl.Int32) + 16_071).cast(pl.Date)


def _firms(rng: np.random.Generator, size: int) -> pl.DataFrame:
    names = "某某金融信息服务" + pl.Series(rng.integers(0, 10**12, size)).cast(pl.String) + "有限公司"
    return pl.DataFrame(
        {
            "name": names,
            "sector": _pick(rng, size, SECTORS),
            "city": _cities(rng, size),
            "operating": _pick(rng, size, ["是", "是", "是", "停业"]),
            "registered_capital_cny": rng.integers(1, 10**9, size) / 100,
            "founded": rng.integers(1990, 2020, size),
        }
    )


def _deals(rng: np.random.Generator, size: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "sector": _pick(rng, size, SECTORS),
            "city": _cities(rng, size),
            "date": _days(rng, size),
            "amount_cny": rng.integers(1, 10**10, size) / 100,
            "round": _pick(rng, size, ["天使", "A", "B", "C"]),
        }
    )


def _jobs(rng: np.random.Generator, size: int) -> pl.DataFrame:
    salary = rng.integers(3_000, 40_000, size).astype(float)
    salary[rng.random(size) < 0.01] = -1.0
    return pl.DataFrame(
        {
            "sector": _pick(rng, size, SECTORS),
            "city": _cities(rng, size),
            "date": _days(rng, size),
            "salary_cny_per_month": salary,
            "degree": _pick(rng, size, DEGREES),
        }
    )


def _projects(rng: np.random.Generator, size: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "platform_kind": _pick(rng, size, ["p2p", "众筹"]),
            "platform_city": _cities(rng, size),
            "borrower_city": _cities(rng, size),
            "date": _days(rng, size),
            "amount_cny": rng.integers(1, 10**8, size) / 100,
        }
    )


def _services(rng: np.random.Generator, size: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "city": _cities(rng, size),
            "app": _pick(rng, size, ["支付宝", "微信"]),
            "service": "服务" + pl.Series(rng.integers(0, 10**9, size)).cast(pl.String),
        }
    )


def _credit_users(rng: np.random.Generator, size: int) -> pl.DataFrame:
    return pl.DataFrame(
        {"city": _cities(rng, size), "users": rng.integers(1, 10**6, size), "population": np.full(size, 10**7)}
    )


def _survey(rng: np.random.Generator, size: int) -> pl.DataFrame:
    questions = ["区块链", "数字货币", "比特币", "参与度"]
    return pl.DataFrame(
        {"city": _cities(rng, size), "question": _pick(rng, size, questions), "score": rng.integers(0, 101, size)}
    )


def _policy(rng: np.random.Generator, size: int) -> pl.DataFrame:
    text = _pick(rng, size, SENTENCES)
    for _ in range(5):
        text = text + "。" + _pick(rng, size, SENTENCES)
    return pl.DataFrame(
        {
            "city": _cities(rng, size),
            "year": rng.integers(2015, 2020, size),
            "kind": _pick(rng, size, ["规划", "政府工作报告"]),
            "text": text,
        }
    )


def _searches(rng: np.random.Generator, size: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "city": _cities(rng, size),
            "date": _days(rng, size),
            "term": _pick(rng, size, ["金融科技", "互联网金融", "Fintech"]),
            "index": rng.integers(0, 5_000, size),
        }
    )


def _yearbook(rng: np.random.Generator, size: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "city": _cities(rng, size),
            "year": rng.integers(2015, 2020, size),
            "item": _pick(rng, size, ["科学技术支出", "金融业增加值"]),
            "value": rng.integers(1, 10**6, size) / 100,
            "unit": _pick(rng, size, ["亿元", "万元"]),
        }
    )


FRAMES: dict[str, Callable[[np.random.Generator, int], pl.DataFrame]] = {
    "firms": _firms,
    "deals": _deals,
    "jobs": _jobs,
    "projects": _projects,
    "services": _services,
    "credit_users": _credit_users,
    "survey": _survey,
    "policy": _policy,
    "searches": _searches,
    "yearbook": _yearbook,
}
