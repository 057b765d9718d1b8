"""What people see of what would move a city: tables of some columns, and what must be said below them.

Knows rows of `api.moves`, the locale file `analyses` and shapes of output. Computes nothing.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from api.analysis_screens import show_analysis
from api.lang import Lang, texts
from api.moves import BreakEvenRows, RankRangeRows, TargetRows, WhatIfRows
from api.output import Format, write_lines

_FIGURE: Final = "{}"
_WEIGHT: Final = "{:.3f}"
_POINTS: Final = "{:.2f}"
_CHANGE: Final = "{:+.2f}"
_MOST: Final = 15
"""Cities shown to people where most of them did not move."""


def show_what_if(rows: WhatIfRows, listed: str, year: int, form: Format, lang: Lang) -> None:
    """The changed figures, then the ranks of the cities that moved, or one of the three tables for programs."""
    text = texts("analyses", lang)
    if form != "table":
        table = {"ranks": rows.ranks, "figures": rows.figures, "shifts": rows.shifts}[listed]
        show_analysis(table, "", {}, form, lang)
        return
    if listed == "shifts" and rows.shifts.is_empty():
        write_lines([text["no_shifts"].format(year=year)], form)
        return
    if listed == "shifts":
        words = {what: text[f"shift_{what}"] for what in ("worst", "best", "weight")}
        named = rows.shifts.with_columns(what=pl.col("what").replace_strict(words))
        columns = {"what": "{}", f"indicator_{lang}": "{}", "before": _FIGURE, "after": _FIGURE, _unit(lang): "{}"}
        show_analysis(named, text["title_shifts"].format(year=year), columns, form, lang)
        return
    figures = {
        f"name_{lang}": "{}",
        f"indicator_{lang}": "{}",
        "value_before": _FIGURE,
        "value_after": _FIGURE,
        _unit(lang): "{}",
        "normalised_before": "{:.1f}",
        "normalised_after": "{:.1f}",
        "weight_after": _WEIGHT,
    }
    show_analysis(rows.figures, text["title_what_if_figures"].format(year=year), figures, form, lang)
    idle = rows.figures.filter(~pl.col("counts"))[f"indicator_{lang}"].to_list()
    said = [text["what_if_idle"].format(names="; ".join(idle))] if idle else []
    if listed == "figures":
        write_lines(said, form)
        return
    write_lines([*said, ""], form)
    _show_ranks(rows, year, form, lang)


def _show_ranks(rows: WhatIfRows, year: int, form: Format, lang: Lang) -> None:
    text = texts("analyses", lang)
    changed = rows.figures["hub"].unique()
    total = rows.ranks.filter(pl.col("level") == 0)
    moved = total.filter(pl.col("hub").is_in(changed.implode()) | (pl.col("rank_before") != pl.col("rank_after")))
    columns = {
        f"name_{lang}": "{}",
        "rank_before": "{}",
        "rank_after": "{}",
        "rank_frozen": "{}",
        "score_before": _POINTS,
        "score_after": _POINTS,
        "score_change": _CHANGE,
        "score_frozen": _POINTS,
    }
    remarks = [text["what_if_rebuilt"].format(shifts=rows.shifts.height), text["what_if_assumed"]]
    if moved.height > _MOST:
        remarks.insert(0, text["more_rows"].format(count=moved.height - _MOST))
    show_analysis(moved.head(_MOST), text["title_what_if"].format(year=year), columns, form, lang, remarks)
    if total["draws"].null_count() < total.height:
        write_lines([""], form)
        bands = {f"name_{lang}": "{}"} | {
            f"{name}_{side}": "{:.0f}" if name != "rank_median" else "{:.1f}"
            for name in ("rank_median", "rank_p05", "rank_p95")
            for side in ("before", "after")
        }
        draws = total["draws"].drop_nulls()[0]
        said = [total[f"kind_{lang}"].drop_nulls()[0]]
        show_analysis(moved.head(_MOST), text["title_bands_beside"].format(draws=draws), bands, form, lang, said)
    groups = rows.ranks.filter(pl.col("level") == 1)
    if groups.height:
        write_lines([""], form)
        named = {f"name_{lang}": "{}", f"group_{lang}": "{}", "rank_before": "{}", "rank_after": "{}"}
        scores = {"score_before": _POINTS, "score_after": _POINTS, "score_change": _CHANGE}
        show_analysis(groups, text["title_what_if_groups"], {**named, **scores}, form, lang)


def show_target(rows: TargetRows, listed: str, year: int, form: Format, lang: Lang) -> None:
    """The figures needed, and below them what they reach; or one of the two tables for programs."""
    text, said = texts("analyses", lang), rows.answer.row(0, named=True)
    remarks = _target_lines(said, text, lang)
    if form != "table":
        show_analysis(rows.answer if listed == "answer" else rows.moves, "", {}, form, lang, remarks)
        return
    goal = text["goal_rank" if said["wanted_rank"] is not None else "goal_score"].format(
        rank=said["wanted_rank"], score=said["wanted_score"]
    )
    title = text["title_target"].format(city=said[f"name_{lang}"], goal=goal, year=year)
    columns = {
        f"indicator_{lang}": "{}",
        "value_before": _FIGURE,
        "value_after": _FIGURE,
        _unit(lang): "{}",
        "normalised_before": "{:.1f}",
        "normalised_after": "{:.1f}",
        "points": _CHANGE,
        "cost": _POINTS,
    }
    if rows.moves.is_empty():
        write_lines([title, *remarks], form)
    else:
        show_analysis(rows.moves, title, columns, form, lang, remarks)


def _target_lines(said: Mapping[str, object], text: Mapping[str, str], lang: Lang) -> list[str]:
    """What the search found: how the city stands, what it would reach as things are, and with the index built again."""
    values = {**said, "city": said[f"name_{lang}"], "passed": said[f"pass_{lang}"]}
    lines = [text["target_now"].format(**values)]
    if not said["reachable"]:
        lines.append(text["target_out_of_reach"].format(**values))
        if said["score_needed"] is not None:
            lines.append(text["target_needed"].format(**values))
    elif not said["moved"]:
        lines.append(text["target_reached"].format(**values))
    else:
        lines.append(text["target_found"].format(**values))
    if said["moved"] and said["rank_rebuilt"] is not None:
        key = "target_rebuilt" if said["holds_rebuilt"] or not said["reachable"] else "target_rebuilt_not"
        lines.append(text[key].format(**values))
    if said["aimed_higher"]:
        lines.append(text["target_aimed_higher"].format(**values))
    if said["without_figure"]:
        lines.append(text["target_without_figure"].format(**values))
    if said["unused"]:
        lines.append(text["target_unused"].format(**values))
    return [*lines, text["target_terms"]]


def show_break_even(rows: BreakEvenRows, listed: str, year: int, form: Format, lang: Lang) -> None:
    """One of the three tables."""
    text = texts("analyses", lang)
    table = {"nearest": rows.nearest, "intervals": rows.intervals, "pairs": rows.pairs}[listed]
    weight = {f"group_{lang}": "{}", "weight_stated": _WEIGHT}
    columns: dict[str, dict[str, str]] = {
        "nearest": {
            **weight,
            "rank": "{}",
            "nearest_weight": _WEIGHT,
            "nearest_change": "{:+.3f}",
            "nearest_rank": "{}",
            "best_rank": "{}",
            "worst_rank": "{}",
        },
        "intervals": {**weight, "weight_from": _WEIGHT, "weight_to": _WEIGHT, "rank": "{}"},
        "pairs": {
            f"other_{lang}": "{}",
            **weight,
            "ahead_by": _CHANGE,
            "weight_even": _WEIGHT,
            "weight_change": "{:+.3f}",
        },
    }
    shown = table.drop_nulls("weight_even") if listed == "pairs" and form == "table" else table
    city = rows.nearest[f"name_{lang}"][0]
    title = text[f"title_break_even_{listed}"].format(city=city, year=year)
    remarks = [text["break_even_terms"], *_left_out(rows.nearest, text)] if form == "table" else []
    show_analysis(shown, title, columns[listed], form, lang, remarks)


def show_rank_range(rows: RankRangeRows, listed: str, year: int, form: Format, lang: Lang) -> None:
    """Best and worst ranks, or the weights that give them."""
    text = texts("analyses", lang)
    region = text["range_free"] if rows.ranges["region"][0] == "free" else rows.ranges["region"][0]
    if listed == "weights":
        ends = {end: text[f"end_{end}"] for end in ("best", "worst")}
        shown = rows.weights.with_columns(end=pl.col("end").replace_strict(ends)) if form == "table" else rows.weights
        columns = {
            f"name_{lang}": "{}",
            "end": "{}",
            "rank": "{}",
            f"group_{lang}": "{}",
            "weight_stated": _WEIGHT,
            "weight": _WEIGHT,
        }
        show_analysis(shown, text["title_range_weights"].format(year=year, region=region), columns, form, lang)
        return
    columns = {
        f"name_{lang}": "{}",
        "score": _POINTS,
        "rank": "{}",
        "best_rank": "{}",
        "worst_rank": "{}",
        "best_margin": _POINTS,
        "worst_margin": _POINTS,
    }
    remarks: list[str] = []
    if form == "table":
        ranges = rows.ranges
        counts = {name: int(ranges[name].sum()) for name in ("can_be_first", "first_alone")}
        if ranges.height > 1:
            remarks.append(text["range_first"].format(cities=ranges.height, **counts))
        remarks += [text["range_terms"], *_left_out(ranges, text)]
        if not ranges["verified"].all():
            remarks.append(text["range_unverified"])
    title = text["title_rank_range"].format(year=year, region=region)
    show_analysis(rows.ranges, title, columns, form, lang, remarks)


def _left_out(rows: pl.DataFrame, text: Mapping[str, str]) -> list[str]:
    names = rows["left_out"][0]
    return [] if names is None else [text["line_left_out"].format(names=names)]


def _unit(lang: Lang) -> str:
    return "unit_zh" if lang == "zh" else "unit"
