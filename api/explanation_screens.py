"""How the explanation of a city's standing reaches a person: one screen of short tables, with sources by number.

Knows which rows and columns of `api.standing_analyses.explanation` a reader wants. Computes nothing.
"""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from api.analysis_screens import show_analysis
from api.lang import Lang, texts
from api.output import NONE, show, write_lines
from fhi.framework import Framework
from fhi.hubs import find_hub, hubs
from green_index.index import as_base, green_framework

MOST: Final = 5


def show_explanation(rows: pl.DataFrame, lang: Lang) -> None:
    """Headline, groups, figures, obstacles, gaps, strengths, weaknesses, what has no figure, sources and remarks."""
    text = texts("analyses", lang)
    named = rows.with_columns(node=pl.col(f"name_{lang}"))
    total = named.filter(pl.col("part") == "total").row(0, named=True)
    city = city_name(total["hub"], lang)
    if total["rank"] is None:
        reason = total["remark_zh" if lang == "zh" else "remark"]
        headline = text["title_explain_unranked"].format(city=city, year=total["year"], reason=reason)
    else:
        headline = text["title_explain"].format(city=city, **{name: total[name] for name in _HEAD})
    write_lines([headline, ""], "table")
    _show_groups(named, total, lang)
    indicators = named.filter(pl.col("part") == "indicator")
    sources = indicators["source"].unique(maintain_order=True).to_list()
    _show_figures(indicators, sources, lang)
    if total["rank"] is not None:
        _show_parts(indicators, total, lang)
    lacking = named.filter(pl.col("part") == "no_figure")
    tree = green_framework(as_base(total["base"]))
    names = text["explain_semicolon"].join(_lacking(tree, tree.root, frozenset(lacking["code"]), lang))
    counts = {"count": lacking.height, "indicators": lacking.height + indicators.height}
    lines = ["", text["explain_no_figure"].format(names=names, **counts), "", text["explain_sources"]]
    lines += [f"  [{number}] {source}" for number, source in enumerate(sources, 1)]
    remark = "remark_zh" if lang == "zh" else "remark"
    notes = [f"  - {note}" for note in named.filter(pl.col("part") == "note")[remark]]
    write_lines([*lines, *(["", text["explain_notes"], *notes] if notes else [])], "table")


_HEAD: Final = ("year", "rank", "ranked", "score", "coverage")


def city_name(hub: str, lang: Lang) -> str:
    """What people call a city, whichever of its names was given. Raises UnknownHub."""
    return str(hubs().filter(pl.col("hub") == find_hub(hub))[f"name_{lang}"][0])


def verdicts(rows: pl.DataFrame, lang: Lang) -> pl.DataFrame:
    """Strength and weakness as words of one language."""
    words = {name: texts("analyses", lang)[f"standing_{name}"] for name in ("strength", "weakness")}
    return rows.with_columns(pl.col("verdict", "peer_verdict").replace(words))


def plain_zeros(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Points that two digits show as nothing as plain zeros, for nobody reads -0.00."""
    point = pl.col(columns)
    return rows.with_columns(pl.when(point.abs() < 0.005).then(0.0).otherwise(point).name.keep())


def _lacking(tree: Framework, group: str, lacking: frozenset[str], lang: Lang) -> list[str]:
    """What has no figure below a group: whole groups by their name and number, the rest one by one."""
    text = texts("analyses", lang)
    parts, single = [], []
    for code in tree.children[group]:
        name = getattr(tree.node[code], f"name_{lang}")
        if code in tree.children:
            below = _indicators_below(tree, code)
            gone = len(lacking.intersection(below))
            if gone == len(below):
                parts.append(text["explain_all_of"].format(count=gone, name=name))
            else:
                parts += _lacking(tree, code, lacking, lang)
        elif code in lacking:
            single.append(name)
    if single:
        names = text["explain_comma"].join(single)
        parts.insert(0, text["explain_some_of"].format(name=getattr(tree.node[group], f"name_{lang}"), names=names))
    return parts


def _indicators_below(tree: Framework, group: str) -> list[str]:
    return [
        code
        for child in tree.children[group]
        for code in (_indicators_below(tree, child) if child in tree.children else [child])
    ]


def _show_groups(named: pl.DataFrame, total: dict[str, Any], lang: Lang) -> None:
    text = texts("analyses", lang)
    ranked = total["rank"] is not None
    groups = plain_zeros(named.filter(pl.col("part").is_in(["total", "group"])), ("gap_in_total",)).with_columns(
        ahead=pl.col("ahead_hub").map_elements(lambda hub: city_name(hub, lang), return_dtype=pl.String),
    )
    columns = {
        "node": "{}",
        "score": "{:.1f}",
        "rank": "{}",
        "ranked": "{}",
        "weight": "{:.3f}",
        "points": "{:.2f}",
        "gap_in_total": "{:.2f}",
        "ahead": "{}",
        "gap_to_ahead": "{:.2f}",
        "coverage": "{:.0%}",
    }
    key = "title_explain_groups" if ranked else "title_explain_groups_unranked"
    leader = city_name(total["total_leader"], lang) if ranked else NONE
    show_analysis(groups, text[key].format(leader=leader), columns, "table", lang)


def _show_figures(indicators: pl.DataFrame, sources: list[str], lang: Lang) -> None:
    numbers = {source: f"[{number}]" for number, source in enumerate(sources, 1)}
    words = {
        key.removeprefix("status_"): word for key, word in texts("page", lang).items() if key.startswith("status_")
    }
    unit = "unit_zh" if lang == "zh" else "unit_en"
    figures = indicators.rename({"unit": "unit_en"}).with_columns(
        value_unit=pl.col("value").map_elements(show, return_dtype=pl.String),
        reference=pl.concat_str(pl.col("status").replace(words), pl.lit(" "), pl.col("source").replace(numbers)),
    )
    columns = {
        "node": "{}",
        "value_unit": "{}",
        unit: "{}",
        "score": "{:.1f}",
        "rank": "{}",
        "ranked": "{}",
        "weight": "{:.3f}",
        "points": "{:.2f}",
        "reference": "{}",
    }
    write_lines([""], "table")
    show_analysis(figures, texts("analyses", lang)["title_explain_indicators"], columns, "table", lang)


def _show_parts(indicators: pl.DataFrame, total: dict[str, Any], lang: Lang) -> None:
    text = texts("analyses", lang)
    costs = indicators.filter(pl.col("points_lost") > 0).sort("obstacle_place").head(MOST)
    write_lines([""], "table")
    columns = {"node": "{}", "score": "{:.1f}", "points_lost": "{:.2f}", "obstacle": "{:.1%}"}
    show_analysis(costs, text["title_explain_obstacles"], columns, "table", lang)
    leader = city_name(total["total_leader"], lang)
    apart = indicators.filter(pl.col("gap_in_total") > 0.005).sort("gap_in_total", "code", descending=[True, False])
    if total["total_leader"] != total["hub"] and apart.height:
        write_lines([""], "table")
        columns = dict.fromkeys(("gap_in_total", "gap_score_part", "gap_coverage_part"), "{:.2f}")
        rounded = plain_zeros(apart.head(MOST), tuple(columns))
        show_analysis(
            rounded, text["title_explain_gaps"].format(leader=leader), {"node": "{}", **columns}, "table", lang
        )
    lines = [""]
    for verdict, key in (("strength", "explain_strengths"), ("weakness", "explain_weaknesses")):
        found = {
            place: text["explain_comma"].join(indicators.filter(pl.col(column) == verdict)["node"])
            or text["explain_none"]
            for place, column in (("all", "verdict"), ("peers", "peer_verdict"))
        }
        lines.append(text[key].format(**found))
    write_lines(lines, "table")
