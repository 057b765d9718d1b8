"""The choices of a robustness or sensitivity run in the words of one language.

Knows the codes of choices and options that rows hold, such as `normalisation minmax/zscore/rank`. Computes nothing.
"""

import re
from collections.abc import Mapping
from typing import Final

from api.lang import Lang

_CHINESE: Final[Mapping[str, str]] = {
    "weights": "权重",
    "normalisation": "标准化",
    "aggregation": "合成方法",
    "imputation": "缺失值插补",
    "treatment": "异常值处理",
    "left_out": "剔除指标",
    "revision": "数据修订",
    "error": "误差",
    "none": "无",
    "sets": "组",
    "spread": "离散度",
    "dirichlet": "狄利克雷",
    "uniform": "均匀",
    "flat": "全单纯形",
    "experts": "专家",
    "stated": "既定",
    "minmax": "极差法",
    "zscore": "Z值法",
    "rank": "位次法",
    "percentile_rank": "百分位法",
    "borda": "博尔达计分",
    "arithmetic": "算术平均",
    "geometric": "几何平均",
    "harmonic": "调和平均",
    "winsorise": "缩尾",
    "mean": "均值",
    "median": "中位数",
    "group_mean": "分组均值",
    "group_median": "分组中位数",
    "linear": "线性插值",
    "carry_forward": "沿用前值",
    "knn": "K近邻",
    "iterative": "迭代法",
    "as_reported": "原数据",
}


def in_words(told: str, lang: Lang) -> str:
    """Codes of choices with Chinese names where Chinese is asked for; in English they are words already. What has no
    name here, such as the code of an indicator, stays."""
    if lang == "en":
        return told
    named = re.sub(r"(?<![\w.])[a-z_]+(?![\w.])", lambda word: _CHINESE.get(word[0], word[0]), told)
    return named.replace("; ", "；").replace(", ", "、").replace(": ", "：")
