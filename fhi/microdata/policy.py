"""Policy texts: how often plans and work reports speak of FinTech, and where.

Knows the input, the three terms and the node government emphasis. Knows no city but as a hub.

Blanks and line ends are taken out first, since text out of a PDF breaks terms over lines; positions and lengths are
of the text without them. A stretch of text is one mention: terms are looked for from the left, without overlap. So
互联网金融科技 is one mention, of 互联网金融, and 科技金融科技 one of 科技金融, where counting each term by itself would
find two.
"""

from typing import Final

import polars as pl

from fhi.microdata.rows import Builder, Given, Rows, panel_rows
from fhi.microdata.schema import Column, InputSchema

TERMS: Final = {"internet_finance": "互联网金融", "fintech": "金融科技", "technology_finance": "科技金融"}
CONTEXT: Final = 30
_PATTERN: Final = "|".join(TERMS.values())
_KINDS: Final = {
    "five_year_plan": ("五年规划", "十三五规划", "十四五规划", "规划", "plan"),
    "work_report": ("政府工作报告", "工作报告", "report"),
}
PASSAGES: Final = pl.Schema(
    {
        "file": pl.String,
        "row": pl.Int64,
        "hub": pl.String,
        "period": pl.String,
        "kind": pl.String,
        "term": pl.String,
        "position": pl.Int64,
        "passage": pl.String,
    }
)

POLICY: Final = InputSchema(
    "policy",
    "policy texts: one row a document",
    "政策文本：每份一行",
    (
        Column("city", "城市", "city", "city whose government issued it", "发文城市"),
        Column("year", "年份", "year", "year of issue", "发布年份", True, 1949, 2100),
        Column("kind", "类型", "category", "kind of document", "文件类型", values=_KINDS),
        Column("text", "正文", "text", "the whole text", "全文"),
    ),
    whole_city=True,
)


def make_policy(groups: pl.DataFrame, given: Given) -> Rows:
    """Mentions of the three terms in the documents of the year; per term, per 10,000 characters and documents as parts.

    groups: hub, period, rows (documents), mentions, characters, and mentions of each term. A plan counts in its year
    of issue only.
    """
    code, observed = pl.lit("ecosystem.policy.emphasis"), pl.lit("observed")
    cite = pl.format(
        f"{given.files}: mentions of {', '.join(TERMS.values())} in {{}} documents, without overlap", "rows"
    )
    panel = panel_rows(groups, code, pl.col("mentions"), "mentions", observed, cite)
    rate = pl.when(pl.col("characters") > 0).then(pl.col("mentions") / pl.col("characters") * 10_000)
    parts = [
        ("per_10k_characters", rate, "mentions per 10^4 characters"),
        ("documents", pl.col("rows"), "documents"),
        *((name, pl.col(f"mentions:{name}"), "mentions") for name in TERMS),
    ]
    cite = pl.lit(f"{given.files}: policy texts")
    made = [panel_rows(groups, code + f".{part}", value, unit, observed, cite) for part, value, unit in parts]
    return Rows(panel, pl.concat(made))


def find_passages(good: pl.LazyFrame) -> pl.LazyFrame:
    """Every mention: file, row, hub, period, kind, term, position (character, from 1), passage (30 around it).

    good: checked rows with file, row, city (hub), year, kind and text.
    """
    matches = (
        good.with_columns(text=_bare(), period=pl.col("year").cast(pl.String))
        .with_columns(offset=pl.col("text").str.find_many(list(TERMS.values()), leftmost=True))
        .filter(pl.col("offset").list.len() > 0)
        .explode("offset")
    )
    before = pl.col("text").cast(pl.Binary).bin.slice(0, pl.col("offset")).cast(pl.String).str.len_chars()
    located = matches.with_columns(position=before.cast(pl.Int64))
    start = (pl.col("position") - CONTEXT).clip(0)
    term = pl.col("text").str.slice(pl.col("position")).str.extract(f"^({_PATTERN})")
    length = pl.col("position") - start + term.str.len_chars() + CONTEXT
    return located.select(
        "file",
        "row",
        "period",
        "kind",
        hub="city",
        term=term,
        position=pl.col("position") + 1,
        passage=pl.col("text").str.slice(start, length),
    ).select(PASSAGES.names())


def _bare() -> pl.Expr:
    return pl.col("text").str.replace_all(r"\s+", "")


def _found() -> pl.Expr:
    return _bare().str.extract_all(_PATTERN)


_FIGURES: Final = {
    "characters": _bare().str.len_chars(),
    "mentions": _found().list.len(),
    **{f"mentions:{name}": _found().list.count_matches(term) for name, term in TERMS.items()},
}

BUILDERS: Final = {
    "policy": Builder(
        schema=POLICY,
        codes=("ecosystem.policy.emphasis",),
        dated="year",
        keys=(),
        sums={name: pl.col(name).sum().cast(pl.Int64) for name in _FIGURES},
        make=make_policy,
        figures=_FIGURES,
    )
}
