"""The words of activity files in Chinese and English: what columns and codes are called, and what they ask for.

Knows labels and notes for people. Must not know files, rules or storage. Names of scope 3 categories are those of the
Corporate Value Chain (Scope 3) Accounting and Reporting Standard (GHG Protocol, 2011), table 5.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from carbon.footprints.schemas import DISTRIBUTIONS, EVIDENCE, METHODS, SCOPE_1, SCOPE_2, SCOPE_3

__all__ = ["CODES", "COLUMNS", "REQUIRED", "Column", "category_words", "heading_words", "words_of"]


@dataclass(frozen=True)
class Column:
    """One column of an activity file: its name, labels, and what is to be written in it."""

    name: str
    name_zh: str
    name_en: str
    note_zh: str
    note_en: str


COLUMNS: Final = tuple(
    Column(*line)
    for line in (
        ("activity_id", "编号", "Id", "可空；空则由内容生成", "may be empty: then made from the content"),
        ("entity", "主体", "Entity", "企业、工厂或平台的代码", "code of the company, plant or platform"),
        ("hub", "城市", "City", "城市名称或代码，可空", "name or code of the city, may be empty"),
        ("sector", "行业", "Sector", "可空", "may be empty"),
        ("period", "期间", "Period", "2023、2023-Q3、2023-06 或 2023-06-30", "2023, 2023-Q3, 2023-06 or 2023-06-30"),
        ("scope", "范围", "Scope", "1、2 或 3", "1, 2 or 3"),
        ("category", "类别", "Category", "见“用语”", "see sheet “words”"),
        ("activity", "活动", "Activity", "与排放因子同名，如 electricity", "as in the factors, such as electricity"),
        ("amount", "数量", "Amount", "不为负；红字凭证为负", "never negative; a credit note never positive"),
        ("unit", "单位", "Unit", "见“用语”", "see sheet “words”"),
        ("credit_note", "红字", "Credit note", "是：冲回此前的数量；空为否", "yes takes back an amount; empty: no"),
        ("lower", "下限", "Lower", "数量的95%区间下限，可空", "lower end of the amount's 95 % range, may be empty"),
        ("upper", "上限", "Upper", "数量的95%区间上限，可空", "upper end of the amount's 95 % range, may be empty"),
        ("distribution", "分布", "Distribution", "区间的分布，可空", "distribution of the range, may be empty"),
        ("share", "权益比例", "Share", "0 至 1；空为 1（控制权法）", "0 to 1; empty: 1 (control approach)"),
        (
            "region",
            "因子地区",
            "Region",
            "与城市不同时填写，如 CN、420000",
            "where not the city's, such as CN or 420000",
        ),
        ("method", "方法", "Method", "仅用于范围二：位置或市场", "scope 2 only: location or market"),
        ("factor_id", "因子编号", "Factor id", "指定因子，可空", "a factor of your choice, may be empty"),
        ("series", "因子系列", "Series", "指定系列，可空", "a series of your choice, may be empty"),
        ("contract", "合同或凭证", "Contract", "市场法的绿证或合同", "certificate or contract behind a market figure"),
        ("evidence", "证据种类", "Evidence", "见“用语”，可空", "see sheet “words”, may be empty"),
        ("evidence_ref", "证据编号", "Evidence ref", "发票或计量文件的编号", "number of the invoice or meter document"),
        ("verified", "已核查", "Verified", "是或否；空为未知", "yes or no; empty: not known"),
        ("platform", "平台", "Platform", "另外计入同一活动者", "who else counts the same activity"),
        ("recorded", "记录日", "Recorded", "如 2024-01-15；空为载入日", "such as 2024-01-15; empty: day of loading"),
        ("replaces", "更正", "Replaces", "被本行更正的编号", "id of the row that this one corrects"),
    )
)
"""The columns of the template, in order; those of `activities_schema` but what is computed (days, file, row)."""

REQUIRED: Final = ("entity", "period", "scope", "category", "activity", "amount", "unit")

_CATEGORIES: Final = {
    "stationary": ("固定燃烧", "stationary combustion"),
    "mobile": ("移动燃烧", "mobile combustion"),
    "process": ("工业过程", "process emissions"),
    "fugitive": ("逸散", "fugitive emissions"),
    "electricity": ("外购电力", "purchased electricity"),
    "heat": ("外购热力", "purchased heat"),
    "steam": ("外购蒸汽", "purchased steam"),
    "cooling": ("外购冷量", "purchased cooling"),
    "c01": ("外购商品和服务", "purchased goods and services"),
    "c02": ("资本商品", "capital goods"),
    "c03": ("燃料和能源相关活动", "fuel- and energy-related activities"),
    "c04": ("上游运输和配送", "upstream transportation and distribution"),
    "c05": ("运营中产生的废弃物", "waste generated in operations"),
    "c06": ("商务旅行", "business travel"),
    "c07": ("员工通勤", "employee commuting"),
    "c08": ("上游租赁资产", "upstream leased assets"),
    "c09": ("下游运输和配送", "downstream transportation and distribution"),
    "c10": ("售出产品的加工", "processing of sold products"),
    "c11": ("售出产品的使用", "use of sold products"),
    "c12": ("售出产品的报废处理", "end-of-life treatment of sold products"),
    "c13": ("下游租赁资产", "downstream leased assets"),
    "c14": ("特许经营", "franchises"),
    "c15": ("投资", "investments"),
}
CODES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "scope": {"1": ("范围一", "scope 1"), "2": ("范围二", "scope 2"), "3": ("范围三", "scope 3")},
    "category": {code: _CATEGORIES[code] for code in (*SCOPE_1, *SCOPE_2, *SCOPE_3)},
    "method": dict(zip(METHODS, (("位置", "location"), ("市场", "market")), strict=True)),
    "distribution": dict(
        zip(
            DISTRIBUTIONS,
            (("正态", "normal"), ("对数正态", "lognormal"), ("三角", "triangular"), ("均匀", "uniform")),
            strict=True,
        )
    ),
    "evidence": dict(
        zip(
            EVIDENCE,
            (
                ("计量", "metered"),
                ("发票", "invoice"),
                ("供应商", "supplier"),
                ("估计", "estimate"),
                ("支出", "spend"),
                ("行业平均", "sector average"),
            ),
            strict=True,
        )
    ),
    "credit_note": {"true": ("是", "yes"), "false": ("否", "no")},
    "verified": {"true": ("是", "yes"), "false": ("否", "no")},
}
"""Column to code to its words (zh, en). A file may write the code or either word, in any case."""


def heading_words() -> dict[str, str]:
    """What a heading may say, in lower case, to the name of its column."""
    return {word.casefold(): one.name for one in COLUMNS for word in (one.name, one.name_zh, one.name_en)}


def words_of(column: str) -> dict[str, str]:
    """What a cell of a column of `CODES` may say, in lower case, to its code."""
    if column == "category":
        return category_words()
    known = {word.casefold(): code for code, words in CODES[column].items() for word in (code, *words)}
    if column == "scope":
        return known | {f"范围{code}": code for code in CODES["scope"]}
    if column in ("credit_note", "verified"):
        return known | {"1": "true", "0": "false"}
    return known


def category_words() -> dict[str, str]:
    """What a category may be called, in lower case, to its code; 1..15 and c1..c15 are categories of scope 3."""
    numbers = {form: f"c{n:02}" for n in range(1, 16) for form in (f"{n}", f"{n:02}", f"c{n}")}
    return numbers | {word.casefold(): code for code, words in CODES["category"].items() for word in (code, *words)}
