"""Emissions in the rows that disclosure standards ask for: GRI 305, IFRS S2 29(a) and ESRS E1-6.

Knows `carbon/data/disclosure_rows.csv` (rows, paragraphs, names in both languages and what each needs) and how a row is
filled from lines. Must not know files of users, storage or how a line was calculated. A row that cannot be filled is
null with its reason, never 0; a scope of which nothing is known is not nothing emitted, so that totals want all scopes.

Sources of the names: GRI 305: Emissions 2016; IFRS S2 (June 2023), paragraph 29(a); ESRS E1, Commission Delegated
Regulation (EU) 2023/2772, disclosure requirement E1-6, paragraphs 44 to 55. The Chinese names are ours.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from carbon.footprints.gwp import LATEST_GWP_SET
from carbon.footprints.quality import countable
from carbon.footprints.totals import MG_PER_KG
from carbon.units import KG_PER_T

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LATEST_GWP_RULES", "REASONS", "Facts", "disclose", "disclosure_rows"]

_MILLION: Final = 1_000_000
_STANDARD: Final = "GHG Protocol: A Corporate Accounting and Reporting Standard (2004)"

REASONS: Final = {
    "no_lines": ("没有该范围、方法或类别的排放数据", "no emissions of this scope, method or category are held"),
    "no_biogenic": ("没有生物源二氧化碳的数据", "no biogenic CO2 is held"),
    "mixed_gwp_sets": (
        "数据使用了不同的全球变暖潜势，不能相加",
        "the lines use unlike sets of global warming potentials",
    ),
    "no_net_revenue": ("缺少净收入", "net revenue is missing"),
    "no_ets_entities": (
        "未说明哪些企业受排放交易体系覆盖",
        "not told which entities are under an emissions trading scheme",
    ),
    "no_consolidated_entities": (
        "未说明哪些企业属于合并会计集团",
        "not told which entities the consolidated group has",
    ),
    "no_boundary": ("未说明合并方法", "the consolidation approach is not told"),
    "no_reduction_initiatives": ("本系统不含减排举措的数据", "no data of reduction initiatives are held"),
    "no_ods": ("本系统不含消耗臭氧层物质的数据", "no data of ozone-depleting substances are held"),
    "no_air_pollutants": ("本系统不含大气污染物的数据", "no data of air pollutants are held"),
    "no_contracts": ("结果行不含合同工具的信息", "lines hold no information about contractual instruments"),
}
"""Why a row is empty, in Chinese and English."""

LATEST_GWP_RULES: Final = {
    "IFRS S2": "IFRS S2 (2023), B21-B22",
    "ESRS E1-6": "ESRS E1, AR 39 (d)",
}
"""The standards that ask for potentials over 100 years of the latest assessment of the IPCC, and where they do; GRI 305
recommends them. A jurisdiction may ask for others."""

_NOT_LATEST_ZH: Final = "本行采用 {sets}；{rule} 要求采用 IPCC 最新评估的百年全球变暖潜势（{latest}）"
_NOT_LATEST_EN: Final = (
    "this row is calculated with {sets}; {rule} asks for the potentials over 100 years of the latest assessment of the "
    "IPCC ({latest})"
)


@dataclass(frozen=True)
class Facts:
    """What lines do not say.

    boundary : the consolidation approach, in words; net_revenue_cny : of the same entities and period; ets_entities :
    those whose scope 1 is under an emissions trading scheme; consolidated_entities : those of the accounting group;
    null where not known
    """

    boundary: str | None = None
    net_revenue_cny: float | None = None
    ets_entities: Collection[str] | None = None
    consolidated_entities: Collection[str] | None = None


@dataclass(frozen=True)
class _Answer:
    value: float | None = None
    text: str | None = None
    reason: str | None = None
    lines: int = 0
    missing: str | None = None


def disclosure_rows() -> "pl.DataFrame":
    """The rows in the order of their standards.

    row_id, standard, paragraph, name_zh, name_en; figure, how it is filled; unit; scopes with ";"; method; category;
    needs, what lines do not hold; source, confidence, remark. All String, null where empty.
    """
    return _rows().clone()


@cache
def _rows() -> "pl.DataFrame":
    import polars as pl

    text = files("carbon").joinpath("data", "disclosure_rows.csv").read_bytes()
    return pl.read_csv(text, infer_schema=False)


def disclose(
    lines: "pl.DataFrame", facts: Facts = Facts(), *, standards: Collection[str] | None = None
) -> "pl.DataFrame":
    """Every row that the standards ask for, filled from the lines of the reporting entities and period.

    lines : `lines_schema`, already of one reporting company and period; facts : what lines do not say
    standards : some of GRI 305, IFRS S2 and ESRS E1-6; all without
    Result: row_id, standard, paragraph, name_zh, name_en; value Float64, null where text or reason stands; unit; text
    String, for rows that ask for words; reason String, a code of `REASONS`, reason_zh, reason_en; missing String, the
    scopes without lines; lines Int64, how many it is made of; boundary; gwp_set, the sets of those lines; method,
    location or market; source, confidence, remark; gwp_remark_zh, gwp_remark_en, where the standard asks for the latest
    warming potentials (`LATEST_GWP_RULES`) and the lines have others. Sums are exact (`carbon.footprints.totals`).
    """
    import polars as pl

    wanted = _rows()
    if standards is not None:
        wanted = wanted.filter(pl.col("standard").is_in(list(standards)))
    answers = []
    for row in wanted.iter_rows(named=True):
        part = _part(lines, row)
        answer = _fill(part, row, facts)
        reason_zh, reason_en = REASONS.get(answer.reason or "", (None, None))
        why = (answer.reason, reason_zh, reason_en, answer.missing)
        sets = _gwp_sets(part)
        answers.append((answer.value, answer.text, *why, answer.lines, sets, *_gwp_remarks(row["standard"], sets)))
    schema = {
        "value": pl.Float64,
        **dict.fromkeys(["text", "reason", "reason_zh", "reason_en", "missing"], pl.String),
        "lines": pl.Int64,
        **dict.fromkeys(["gwp_set", "gwp_remark_zh", "gwp_remark_en"], pl.String),
    }
    filled = pl.DataFrame(answers, schema=schema, orient="row")
    return wanted.hstack(filled).select(
        *("row_id", "standard", "paragraph", "name_zh", "name_en", "value", "unit", "text"),
        *("reason", "reason_zh", "reason_en", "missing", "lines"),
        pl.lit(facts.boundary, dtype=pl.String).alias("boundary"),
        *("gwp_set", "method", "source", "confidence", "remark", "gwp_remark_zh", "gwp_remark_en"),
    )


def _scopes(row: dict[str, str | None]) -> list[int]:
    return [int(scope) for scope in (row["scopes"] or "").split(";") if scope]


def _part(lines: "pl.DataFrame", row: dict[str, str | None]) -> "pl.DataFrame":
    """The lines that a row is about."""
    import polars as pl

    part = lines.filter(pl.col("co2e_kg").is_not_null())
    method = row["method"] or "location"
    if row["figure"] == "biogenic":
        part = part.filter(
            pl.col("biogenic").fill_null(False) & (pl.col("method").is_null() | (pl.col("method") == method))
        )
    else:
        part = countable(part, method)
    if row["scopes"] is not None:
        part = part.filter(pl.col("scope").is_in(_scopes(row)))
    if row["category"] is not None:
        part = part.filter(pl.col("category") == row["category"])
    return part


def _gwp_sets(part: "pl.DataFrame") -> str | None:
    return "; ".join(part["gwp_set"].drop_nulls().unique().sort()) or None


def _gwp_remarks(standard: str, sets: str | None) -> tuple[str | None, str | None]:
    """That the row is not made with the potentials which its standard asks for, in Chinese and English."""
    if standard not in LATEST_GWP_RULES or sets in (None, LATEST_GWP_SET):
        return None, None
    told = {"sets": sets, "rule": LATEST_GWP_RULES[standard], "latest": LATEST_GWP_SET}
    return _NOT_LATEST_ZH.format(**told), _NOT_LATEST_EN.format(**told)


def _fill(part: "pl.DataFrame", row: dict[str, str | None], facts: Facts) -> _Answer:
    figure = row["figure"]
    if figure == "not_held":
        return _Answer(reason=f"no_{row['needs']}")
    if figure == "boundary":
        return _Answer(text=facts.boundary, reason=None if facts.boundary else "no_boundary")
    if figure == "standard":
        return _Answer(text=_STANDARD)
    if figure in ("group_sum", "others_sum"):
        return _group(part, row, facts)
    if figure == "ets_share":
        return _ets_share(part, row, facts)
    if figure in ("gases", "categories", "approach"):
        return _words(part, figure)
    total = _total(part, row)
    if figure == "intensity" and total.value is not None:
        revenue = facts.net_revenue_cny
        intensity = total.value / revenue * _MILLION if revenue and 0 < revenue < math.inf else math.nan
        if not math.isfinite(intensity):
            return _Answer(reason="no_net_revenue", lines=total.lines)
        return _Answer(value=intensity, lines=total.lines)
    return total


def _total(part: "pl.DataFrame", row: dict[str, str | None]) -> _Answer:
    """The sum in tonnes; refused where a scope is missing or unlike sets of GWP meet."""
    missing = [scope for scope in _scopes(row) if scope not in part["scope"]]
    if missing:
        reason = "no_biogenic" if row["figure"] == "biogenic" else "no_lines"
        return _Answer(reason=reason, missing="; ".join(f"scope {scope}" for scope in missing))
    if part["gwp_set"].drop_nulls().n_unique() > 1:
        return _Answer(reason="mixed_gwp_sets", lines=part.height)
    return _Answer(value=_tonnes(part), lines=part.height)


def _tonnes(part: "pl.DataFrame") -> float:
    """The sum of whole milligrams, in tonnes: the same in any order, and the same as in totals."""
    import polars as pl

    size_mg = part.select((pl.col("co2e_kg") * MG_PER_KG).round().cast(pl.Int128).sum()).item()
    return int(size_mg) / (MG_PER_KG * KG_PER_T)


def _group(part: "pl.DataFrame", row: dict[str, str | None], facts: Facts) -> _Answer:
    import polars as pl

    if facts.consolidated_entities is None:
        return _Answer(reason="no_consolidated_entities")
    inside = pl.col("entity").is_in(list(facts.consolidated_entities))
    return _total(part.filter(inside if row["figure"] == "group_sum" else ~inside), row)


def _ets_share(part: "pl.DataFrame", row: dict[str, str | None], facts: Facts) -> _Answer:
    """Per cent of scope 1 from entities under an emissions trading scheme."""
    import polars as pl

    if facts.ets_entities is None:
        return _Answer(reason="no_ets_entities")
    total = _total(part, row)
    if not total.value:
        return _Answer(reason=total.reason or "no_lines")
    covered = part.filter(pl.col("entity").is_in(list(facts.ets_entities)))
    return _Answer(value=_tonnes(covered) / total.value * 100, lines=part.height)


def _words(part: "pl.DataFrame", figure: str) -> _Answer:
    """What the lines hold, in words."""
    columns = {"gases": ["gas"], "categories": ["category"], "approach": ["formula", "gwp_set"]}
    words = [word for column in columns[figure] for word in part[column].drop_nulls().unique().sort()]
    return _Answer(text="; ".join(words) or None, reason=None if words else "no_lines", lines=part.height)
