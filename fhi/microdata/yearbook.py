"""Yearbook rows: official figures of whole cities, and the nodes of the ecosystem that they make.

Knows the items, their units and one table of formulas. Knows no file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from fhi.microdata.rows import MICRO, Builder, Given, Rows, no_rows, panel_rows, with_population
from fhi.microdata.schema import Column, InputSchema

# Unit as written, by what an item measures, and how many of the base unit it is.
_UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "money": {"CNY": 1.0, "10^4 CNY": 1e4, "10^8 CNY": 1e8},
    "persons": {"persons": 1.0, "10^4 persons": 1e4},
    "area": {"m2": 1.0, "10^4 m2": 1e4},
    "count": {"count": 1.0, "10^4": 1e4},
    "price": {"CNY per m2": 1.0},
}
_WRITTEN: Final[Mapping[str, tuple[str, ...]]] = {
    "CNY": ("元", "yuan", "元/人"),
    "10^4 CNY": ("万元", "10k CNY"),
    "10^8 CNY": ("亿元", "100m CNY"),
    "persons": ("人",),
    "10^4 persons": ("万人", "10k persons"),
    "m2": ("平方米", "㎡", "sq m"),
    "10^4 m2": ("万平方米", "万㎡"),
    "count": ("个", "家", "所", "户", "处", "部"),
    "10^4": ("万户", "万个", "万部", "10k"),
    "CNY per m2": ("元/平方米", "元/㎡", "CNY/m2"),
}


@dataclass(frozen=True)
class Item:
    """One official figure: what may be written for it, and what it measures."""

    written: tuple[str, ...]
    measures: str


@dataclass(frozen=True)
class NodeRule:
    """How items make one node. status: estimated where the report does not print the rule and it is assumed."""

    code: str
    items: tuple[str, ...]
    formula: Literal["value", "sum", "ratio", "mean_per_head"]
    unit: str
    status: Literal["observed", "estimated"]
    remark: str


ITEMS: Final[Mapping[str, Item]] = {
    "resident_population": Item(("常住人口", "年末常住人口"), "persons"),
    "gdp_per_capita": Item(("人均GDP", "人均地区生产总值"), "money"),
    "finance_value_added": Item(("金融业增加值",), "money"),
    "technology_value_added": Item(("高新技术产业增加值", "科技产业增加值"), "money"),
    "house_price": Item(("商品住宅均价", "房价", "住宅商品房平均销售价格"), "price"),
    "income_per_head": Item(("居民人均可支配收入", "城镇居民人均可支配收入"), "money"),
    "bank_outlets": Item(("银行网点数", "金融机构网点数"), "count"),
    "mobile_subscribers": Item(("移动电话用户数", "移动电话年末用户数"), "count"),
    "internet_subscribers": Item(("互联网宽带接入用户数", "国际互联网用户数"), "count"),
    "universities": Item(("普通高等学校数", "高等学校数"), "count"),
    "fintech_institutes": Item(("金融科技研究机构数", "互联网金融研究机构数"), "count"),
    "students": Item(("普通高等学校在校学生数", "在校大学生数"), "persons"),
    "science_expenditure": Item(("科学技术支出", "财政科学技术支出"), "money"),
    "incubator_area": Item(("国家级科技企业孵化器场地总面积", "国家级孵化器面积"), "area"),
    "regulators": Item(("监管机构数", "监管机构数量"), "count"),
    "associations": Item(("自律协会数", "行业协会数"), "count"),
}
_ASSUMED: Final = "the report names the node only; this figure is assumed to stand for it"
NODES: Final = (
    NodeRule("ecosystem.business.gdp_per_capita", ("gdp_per_capita",), "value", "CNY per head", "observed", ""),
    NodeRule("ecosystem.business.finance", ("finance_value_added",), "value", "CNY", "observed", ""),
    NodeRule("ecosystem.business.technology", ("technology_value_added",), "value", "CNY", "estimated", _ASSUMED),
    NodeRule(
        "ecosystem.business.cost", ("house_price", "income_per_head"), "ratio", "years of income per head for one m2",
        "observed", "house price to income",
    ),
    NodeRule(
        "ecosystem.infrastructure.financial", ("bank_outlets", "resident_population"), "ratio", "outlets per head",
        "estimated", _ASSUMED,
    ),
    NodeRule(
        "ecosystem.infrastructure.information", ("mobile_subscribers", "internet_subscribers", "resident_population"),
        "mean_per_head", "subscribers per head", "estimated", "mean of both penetrations; equal weight is assumed",
    ),
    NodeRule("ecosystem.research.universities", ("universities",), "value", "universities", "estimated", _ASSUMED),
    NodeRule("ecosystem.research.institutes", ("fintech_institutes",), "value", "institutes", "observed", ""),
    NodeRule(
        "ecosystem.research.talent", ("students", "resident_population"), "ratio", "students per head", "estimated",
        _ASSUMED,
    ),
    NodeRule("ecosystem.policy.funding", ("science_expenditure",), "value", "CNY", "observed", ""),
    NodeRule("ecosystem.policy.support", ("incubator_area",), "value", "m2", "observed", ""),
    NodeRule("ecosystem.regulation.bodies", ("regulators", "associations"), "sum", "bodies", "observed", ""),
)  # fmt: skip

YEARBOOK: Final = InputSchema(
    "yearbook",
    "yearbook rows: one row a city, year and item",
    "年鉴数据：每城市、年份、项目一行",
    (
        Column("city", "城市", "city", "the whole city", "城市（全市）"),
        Column("year", "年份", "year", "year that the figure is of", "数据年份", True, 1949, 2100),
        Column(
            "item", "项目", "category", "what is measured", "项目",
            values={name: item.written for name, item in ITEMS.items()},
        ),
        Column("value", "数值", "number", "the figure in the unit of the row", "数值（按本行单位）", True, 0.0),
        Column("unit", "单位", "category", "unit; must fit the item", "单位，须与项目相符", values=_WRITTEN),
    ),
    whole_city=True,
    agree=("item", "unit", {name: tuple(_UNITS[item.measures]) for name, item in ITEMS.items()}),
)  # fmt: skip


def make_yearbook(groups: pl.DataFrame, given: Given) -> Rows:
    """The nodes whose items the file has. `NODES` is the table of formulas.

    groups: hub, period, item, unit, and smallest and largest value (millionths). Population is the open figure where
    the file has none. A node is null where an item of it is missing for the hub, or given twice with different
    figures; the source says which.
    """
    factor = pl.struct("item", "unit").map_elements(
        lambda pair: _UNITS[ITEMS[pair["item"]].measures][pair["unit"]], return_dtype=pl.Float64
    )
    based = groups.with_columns(
        low=pl.col("low").cast(pl.Float64) * factor / MICRO, high=pl.col("high").cast(pl.Float64) * factor / MICRO
    )
    items = based.group_by("hub", "period", "item").agg(pl.col("low").min(), pl.col("high").max())
    made = [no_rows()]
    for node in NODES:
        wanted = [name for name in node.items if name != "resident_population"]
        if items["item"].is_in(wanted).any():
            made.append(_make_node(items, node, given))
    return Rows(pl.concat(made), no_rows())


def _make_node(items: pl.DataFrame, node: NodeRule, given: Given) -> pl.DataFrame:
    wanted = [name for name in node.items if name != "resident_population"]
    frame = with_population(
        items.filter(pl.col("item").is_in(wanted)).select("hub", "period").unique().sort("hub", "period")
    )
    doubts = []
    for name in node.items:
        one = items.filter(pl.col("item") == name).select("hub", "period", low=pl.col("low"), high=pl.col("high"))
        frame = frame.join(one, on=["hub", "period"], how="left", maintain_order="left")
        same = (pl.col("high") - pl.col("low")) <= 1e-9 * pl.col("high").abs()
        given_figure = pl.when(same).then("low")
        spare = pl.when(pl.col("low").is_null()).then("population" if name == "resident_population" else None)
        figure = pl.coalesce(given_figure, spare)
        frame = frame.with_columns(figure.alias(name), doubt=(~same).fill_null(False)).rename({"doubt": f"two:{name}"})
        frame = frame.drop("low", "high")
        twice = pl.when(pl.col(f"two:{name}")).then(pl.lit(f"{name} given twice, differently"))
        absent = pl.when(pl.col(name).is_null()).then(pl.lit(f"{name} missing"))
        doubts.append(pl.coalesce(twice, absent))
    value = _FORMULAS[node.formula]([pl.col(name) for name in node.items])
    joined = {"value": "", "sum": " + ", "ratio": " / ", "mean_per_head": ", "}[node.formula].join(node.items)
    remark = f"; {node.remark}" if node.remark else ""
    why = pl.concat_str([pl.lit("; ") + doubt for doubt in doubts], ignore_nulls=True)
    cite = pl.lit(f"{given.files}: {joined}{remark}") + why
    finite = pl.when(value.is_finite()).then(value)
    return panel_rows(frame, pl.lit(node.code), finite, node.unit, pl.lit(node.status), cite)


def _sum(parts: list[pl.Expr]) -> pl.Expr:
    return parts[0] + parts[1]


_FORMULAS: Final[Mapping[str, Callable[[list[pl.Expr]], pl.Expr]]] = {
    "value": lambda parts: parts[0],
    "sum": _sum,
    "ratio": lambda parts: parts[0] / parts[1],
    "mean_per_head": lambda parts: _sum(parts) / 2 / parts[2],
}

BUILDERS: Final = {
    "yearbook": Builder(
        schema=YEARBOOK,
        codes=tuple(node.code for node in NODES),
        dated="year",
        keys=("item", "unit"),
        sums={
            "low": (pl.col("value") * MICRO).round().cast(pl.Int128).min(),
            "high": (pl.col("value") * MICRO).round().cast(pl.Int128).max(),
        },
        make=make_yearbook,
    )
}
