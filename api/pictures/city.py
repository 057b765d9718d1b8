"""Pictures of one city: its coordination over the years, what holds it back by year, and what lies before it.

Knows rows of `api.standing_analyses`. Computes no figure beyond the order of rows.
"""

from typing import Final

import polars as pl

from api.lang import Lang, texts
from api.pictures.canvas import (
    LEFT,
    RIGHT,
    Scale,
    circle,
    frame,
    legend,
    line,
    path,
    rect,
    scale_of,
    shorten,
    signed,
    text,
    x_axis,
    y_axis,
)
from green_index.coordination import GRADES

__all__ = ["draw_coordination_years", "draw_gap", "draw_obstacles"]

_TALL: Final = 400
_NAMES_END: Final = 250
_GROUPS_END: Final = 330


def draw_coordination_years(rows: pl.DataFrame, lang: Lang) -> str:
    """Coordination D of one city over the years on its ten grades, by the corrected and the standard formula.

    rows : of `api.standing_analyses.coordination` for one city; a year without figure breaks the lines.
    """
    said = texts("analyses", lang)
    years = rows.sort("year").to_dicts()
    right = RIGHT - 180
    degrees = Scale(0, 1, _TALL, 0, tuple(round(0.1 * step, 1) for step in range(11)))
    along = Scale(years[0]["year"], max(years[-1]["year"], years[0]["year"] + 1), LEFT + 30, right - 30)
    body = []
    for number, names in enumerate(GRADES):
        top = degrees.at((number + 1) / 10)
        if number % 2 == 0:
            body.append(rect(LEFT, top, RIGHT - LEFT, _TALL / 10, "shade"))
        body.append(text(right + 8, top + _TALL / 20 + 4, names[0 if lang == "zh" else 1], "quiet"))
    body += y_axis(degrees, LEFT, right)
    body += [text(along.at(row["year"]), _TALL + 20, str(row["year"]), "quiet", "middle") for row in years]
    for formula, kind in (("standard", "other"), ("corrected", "own")):
        places = [
            None
            if row[f"coordination_{formula}"] is None
            else (along.at(row["year"]), degrees.at(row[f"coordination_{formula}"]))
            for row in years
        ]
        body.append(path(places, f"{kind}-line"))
        for row, place in zip(years, places, strict=True):
            if place is not None:
                body.append(circle(*place, 4.2, kind, f"{row['year']}: {row[f'coordination_{formula}']:.3f}"))
    entries = [("own-line", said["picture_corrected"]), ("other-line", said["picture_standard"])]
    body += legend(entries, _TALL + 46)
    title = said["picture_coordination_years_title"].format(city=years[0][f"name_{lang}"])
    return frame("coordination-years", title, _TALL + 56, body, [said["picture_coordination_years_note"]])


def draw_obstacles(rows: pl.DataFrame, lang: Lang, city: str) -> str:
    """What holds a city back: the share of each indicator in all that it lacks, by year; the darker, the more.

    rows : of `api.standing_analyses.obstacles` for one city; city : its name. Indicators are in the order of their mean
    share within their level-1 group, groups likewise; an empty cell has no figure, as on none of the years' totals.
    """
    said = texts("analyses", lang)
    own = rows.filter(pl.col("kind") == "indicator")
    group_names = dict(rows.filter(pl.col("level") == 1).select("code", f"name_{lang}").iter_rows())
    years = own["year"].unique().sort().to_list()
    order = (
        own.group_by("group", "code", maintain_order=True)
        .agg(pl.col(f"name_{lang}").first().alias("name"), pl.col("obstacle").sum().alias("whole"))
        .with_columns(pl.col("whole").sum().over("group").alias("of_group"))
        .sort("of_group", "group", "whole", "code", descending=[True, False, True, False])
        .to_dicts()
    )
    degree = {(code, year): share for code, year, share in own.select("code", "year", "obstacle").iter_rows()}
    most = max([0.01, *(share for share in degree.values() if share is not None)])
    wide = (RIGHT - _NAMES_END) / len(years)
    body = [text(_NAMES_END + wide * (i + 0.5), 10, str(year), "quiet", "middle") for i, year in enumerate(years)]
    y, group = 16.0, None
    for entry in order:
        if entry["group"] != group:
            group = entry["group"]
            body.append(text(24, y + 18, group_names.get(group, group), "bold"))
            y += 24
        body.append(text(_NAMES_END - 10, y + 15, shorten(entry["name"], _NAMES_END - 34), "", "end"))
        for i, year in enumerate(years):
            share = degree.get((entry["code"], year))
            if share is None:
                continue
            told = f"{entry['name']}, {year}: {share:.1%}"
            body.append(
                rect(
                    _NAMES_END + wide * i + 1,
                    y,
                    wide - 2,
                    20,
                    "heat",
                    told,
                    opacity=round(0.04 + 0.6 * share / most, 2),
                )
            )
            body.append(text(_NAMES_END + wide * (i + 0.5), y + 14.5, f"{100 * share:.0f}", "small", "middle"))
        y += 22
    title = said["picture_obstacles_title"].format(city=city, first=years[0], last=years[-1])
    return frame("obstacles", title, y + 8, body, [said["picture_obstacles_note"]])


def draw_gap(rows: pl.DataFrame, lang: Lang, names: tuple[str, str]) -> str:
    """From a city's total to another's, group by group: bars that begin where the one before ends.

    rows : of `api.standing_analyses.gaps`; names : of the city and of the other.
    """
    said = texts("analyses", lang)
    steps = _gap_steps(rows)
    level_one = rows.filter(pl.col("level") == 1)
    start, end = (float(level_one[key].sum()) for key in ("points", "points_to"))
    entries: list[tuple[str, float, float, str]] = [(names[0], 0.0, start, "own")]
    at = start
    for name, gap in steps.select(f"name_{lang}", "gap").iter_rows():
        entries.append((name, at, at + gap, "c2" if gap > 0 else "c3"))
        at += gap
    entries.append((names[1], 0.0, end, "band"))
    reached = [place for _, low, high, _ in entries for place in (low, high) if place]
    scale = scale_of(max(min(reached) - 6, 0), max(reached) + 2, _GROUPS_END, RIGHT - 60, 6)
    foot = 30 * len(entries)
    body = x_axis(scale, 0, foot)
    for number, (name, low, high, kind) in enumerate(entries):
        y = 30 * number
        is_total = number in (0, len(entries) - 1)
        left, right = sorted((scale.at(max(low, scale.low)), scale.at(high)))
        figure = f"{high:.1f}" if is_total else signed(high - low)
        body.append(text(_GROUPS_END - 10, y + 20, shorten(name, _GROUPS_END - 34), "bold" if is_total else "", "end"))
        body.append(rect(left, y + 5, max(right - left, 1), 20, kind, f"{name}: {figure}"))
        body.append(text(right + 6, y + 20, figure, "bold" if is_total else ""))
        if number < len(entries) - 1:
            body.append(line(scale.at(high), y + 25, scale.at(high), y + 35, "axis"))
    body += legend([("c2", said["picture_gap_behind"]), ("c3", said["picture_gap_ahead"])], foot + 44)
    title = said["picture_gap_title"].format(city=names[0], other=names[1], year=rows["year"][0])
    return frame("gap", title, foot + 54, body, [said["picture_gap_note"]])


def _gap_steps(rows: pl.DataFrame) -> pl.DataFrame:
    """Groups that make up the whole gap: those of level 2, and of level 1 where these do not add up to it."""
    groups = rows.filter(pl.col("kind") == "group")
    below = groups.filter(pl.col("level") == 2)
    whole = dict(groups.filter(pl.col("level") == 1).select("code", "gap").iter_rows())
    parts = dict(below.group_by("group").agg(pl.col("gap").sum()).iter_rows())
    split = [code for code, gap in whole.items() if code in parts and abs(parts[code] - gap) < 1e-9]
    return pl.concat(
        [
            below.filter(pl.col("group").is_in(split)),
            groups.filter(pl.col("level") == 1, ~pl.col("code").is_in(split)),
        ]
    ).sort("gap", "code", descending=[True, False])
