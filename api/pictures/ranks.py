"""Pictures of ranks: bands of all cities, a city over the years, why its rank moved, and its rank by weight of a group.

Knows rows of `api.robustness.bands`, `api.tracking.track` and `api.moves.break_even`. Computes no figure.
"""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from api.choice_words import in_words
from api.lang import Lang, texts
from api.pictures.canvas import (
    LEFT,
    RIGHT,
    Scale,
    breadth,
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

__all__ = ["draw_rank_bands", "draw_rank_changes", "draw_rank_weights", "draw_rank_years"]

_ROW: Final = 19
_NAMES_END: Final = 150
_TALL: Final = 320
_PARTS: Final = (("own", "c1"), ("others", "c2"), ("method", "c4"), ("revision", "c3"))


def draw_rank_bands(rows: pl.DataFrame, lang: Lang, hub: str | None = None) -> str:
    """All cities of a year by stated rank: a dot for the rank, a bar from the 5th to the 95th percentile of the ranks
    drawn, a tick for their median.

    rows : of `api.robustness.bands`; hub : slug of the city to be marked. Cities that are not ranked are named below.
    """
    said = texts("analyses", lang)
    ranked = rows.filter(pl.col("rank").is_not_null()).sort("rank", "hub").to_dicts()
    absent = rows.filter(pl.col("rank").is_null())[f"name_{lang}"].to_list()
    first = rows.row(0, named=True)
    high = max([2, *(row["rank_p95"] or row["rank"] for row in ranked)])
    places = Scale(1, high, _NAMES_END + 12, RIGHT - 8)
    foot = 8 + _ROW * len(ranked)
    marks = _marks(high)
    body = [line(places.at(mark), 0, places.at(mark), foot) for mark in marks]
    body += [text(places.at(mark), foot + 16, str(mark), "quiet", "middle") for mark in marks]
    for number, row in enumerate(ranked):
        body += _band_row(row, 8 + _ROW * number + _ROW / 2, places, row[f"name_{lang}"], marked=row["hub"] == hub)
    body += legend(
        [("dot", said["picture_stated_rank"]), ("band", said["picture_band"]), ("whisker", said["picture_median"])],
        foot + 42,
    )
    notes = [said["picture_sensitivity"], _drawn(said, rows, lang)]
    if absent:
        notes.append(said["picture_not_ranked"].format(cities="、".join(absent) if lang == "zh" else ", ".join(absent)))
    title = said["picture_rank_bands_title"].format(year=first["year"])
    return frame("rank-bands", title, foot + 52, body, notes)


def _band_row(row: dict[str, Any], y: float, places: Scale, name: str, *, marked: bool) -> list[str]:
    parts = [rect(16, y - _ROW / 2, RIGHT - 8, _ROW, "mark")] if marked else []
    parts += [
        text(42, y + 4.5, str(row["rank"]), "bold" if marked else "quiet", "end"),
        text(50, y + 4.5, shorten(name, _NAMES_END - 54), "bold" if marked else ""),
    ]
    if row["rank_p05"] is not None:
        low, high, middle = (places.at(row[key]) for key in ("rank_p05", "rank_p95", "rank_median"))
        told = f"{name}: {row['rank_p05']:g}–{row['rank_p95']:g}"
        parts.append(rect(low - 3, y - 5, high - low + 6, 10, "own-band" if marked else "band", told, radius=4))
        parts.append(line(middle, y - 6, middle, y + 6, "whisker"))
    return [*parts, circle(places.at(row["rank"]), y, 4.2, "own" if marked else "dot", f"{name}: {row['rank']}")]


def draw_rank_years(rows: pl.DataFrame, lang: Lang, draws: int, seed: int) -> str:
    """One city over the years: rank on pooled bounds as a line with its band, and the rank of each year by itself.

    rows : of `api.tracking.track` for one city, with bands of so many draws of this seed; a year without rank breaks
    the line.
    """
    said = texts("analyses", lang)
    years = rows.sort("year").to_dicts()
    city = years[0][f"name_{lang}"]
    known = [row[key] for row in years for key in ("rank", "rank_pooled", "rank_p95") if row[key] is not None]
    ranks = Scale(1, max([5, *known]), 14, _TALL)
    along = _years_scale([row["year"] for row in years])
    marks = _marks(ranks.high)
    body = [line(LEFT, ranks.at(mark), RIGHT, ranks.at(mark)) for mark in marks]
    body += [text(LEFT - 8, ranks.at(mark) + 4, str(mark), "quiet", "end") for mark in marks]
    for row in years:
        x = along.at(row["year"])
        body.append(text(x, _TALL + 26, str(row["year"]), "quiet", "middle"))
        if row["rank_p05"] is not None:
            top, foot = ranks.at(row["rank_p05"]), ranks.at(row["rank_p95"])
            told = f"{row['year']}: {row['rank_p05']:g}–{row['rank_p95']:g}"
            body.append(rect(x - 9, top - 3, 18, foot - top + 6, "own-band", told, radius=4))
    line_of = [
        None if row["rank_pooled"] is None else (along.at(row["year"]), ranks.at(row["rank_pooled"])) for row in years
    ]
    body.append(path(line_of, "own-line"))
    for row in years:
        x = along.at(row["year"])
        if row["rank"] is not None:
            body.append(circle(x, ranks.at(row["rank"]), 7, "ring", f"{row['year']}: {row['rank']}"))
        if row["rank_pooled"] is not None:
            body.append(circle(x, ranks.at(row["rank_pooled"]), 4.2, "own", f"{row['year']}: {row['rank_pooled']}"))
    entries = [
        ("own", said["picture_rank_pooled"]),
        ("own-band", said["picture_band"]),
        ("ring", said["picture_rank_by_itself"]),
    ]
    body += legend(entries, _TALL + 54)
    title = said["picture_rank_years_title"].format(city=city, first=years[0]["year"], last=years[-1]["year"])
    drawn = said["picture_draws"].format(draws=f"{draws:,}", seed=seed, choices=said["picture_weights_alone"])
    notes = [said["picture_sensitivity"], said["picture_rank_years_note"], drawn]
    return frame("rank-years", title, _TALL + 64, body, notes)


def draw_rank_changes(rows: pl.DataFrame, lang: Lang) -> str:
    """Places gained or lost from year to year, split into four parts that sum to it: gains above the line.

    rows : of `api.tracking.track` for one city; a year without parts is left empty.
    """
    said = texts("analyses", lang)
    years = rows.sort("year").filter(pl.col("from_year").is_not_null()).to_dicts()
    city = rows[f"name_{lang}"][0]
    sides = [[row[part] or 0.0 for part, _ in _PARTS] for row in years]
    up = max([1.0, *(sum(max(part, 0) for part in side) for side in sides)])
    down = min([-1.0, *(sum(min(part, 0) for part in side) for side in sides)])
    heights = scale_of(down, up, _TALL, 14)
    along = _years_scale([row["year"] for row in years])
    body = [*y_axis(heights, LEFT, RIGHT), line(LEFT, heights.at(0), RIGHT, heights.at(0), "axis")]
    for row in years:
        x, above, below = along.at(row["year"]), 0.0, 0.0
        body.append(text(x, _TALL + 22, str(row["year"]), "quiet", "middle"))
        if row["gained"] is None:
            body.append(text(x, heights.at(0) - 6, "—", "quiet", "middle"))
            continue
        for part, kind in _PARTS:
            size = row[part] or 0.0
            start = above if size > 0 else below
            told = f"{row['year']} {said[f'track_part_{part}']}: {signed(size, 2)}"
            top, foot = sorted((heights.at(start), heights.at(start + size)))
            if size:
                body.append(rect(x - 17, top, 34, foot - top, kind, told))
            above, below = (above + size, below) if size > 0 else (above, below + size)
        body.append(circle(x, heights.at(row["gained"]), 5, "ring", f"{row['year']}: {signed(row['gained'], 0)}"))
    parts = [(kind, said[f"track_part_{part}"]) for part, kind in _PARTS]
    body += legend([*parts, ("ring", said["picture_gained"])], _TALL + 48)
    title = said["picture_rank_changes_title"].format(city=city)
    return frame("rank-changes", title, _TALL + 58, body, [said["picture_rank_changes_note"]])


def draw_rank_weights(rows: pl.DataFrame, lang: Lang) -> str:
    """The rank of a city by the weight of each group, its siblings keeping their proportions: one strip a group.

    rows : `intervals` of `api.moves.break_even`.
    """
    said = texts("analyses", lang)
    first = rows.row(0, named=True)
    codes = rows["code"].unique(maintain_order=True).to_list()
    weights = Scale(0, 1, 210, RIGHT - 10, (0, 0.2, 0.4, 0.6, 0.8, 1))
    foot = 52 * len(codes)
    best, worst = (int(found) for found in rows.select(pl.col("rank").min(), worst=pl.col("rank").max()).row(0))
    body = x_axis(weights, 0, foot)
    for number, code in enumerate(codes):
        y = 52 * number + 8
        held = rows.filter(pl.col("code") == code).to_dicts()
        body.append(text(200, y + 20, shorten(held[0][f"group_{lang}"], 180), "bold", "end"))
        for row in held:
            left, right = weights.at(row["weight_from"]), weights.at(row["weight_to"])
            faint = 0.15 + 0.75 * (worst - row["rank"]) / max(worst - best, 1)
            told = f"{row['rank']}: {row['weight_from']:.3f}–{row['weight_to']:.3f}"
            body.append(rect(left, y, right - left, 30, "c1", told, opacity=faint))
            body.append(line(left, y, left, y + 30, "axis"))
            if right - left > breadth(str(row["rank"])) + 4:
                body.append(text((left + right) / 2, y + 20, str(row["rank"]), "bold", "middle"))
        stated = weights.at(held[0]["weight_stated"])
        body.append(line(stated, y - 5, stated, y + 35, "other-line"))
    body += legend([("c1", said["picture_weight_rank"]), ("other-line", said["picture_weight_stated"])], foot + 42)
    title = said["picture_rank_weights_title"].format(city=first[f"name_{lang}"], year=first["year"])
    return frame("rank-weights", title, foot + 52, body, [said["picture_rank_weights_note"]])


def _marks(last: float) -> list[int]:
    """Ranks to be marked on an axis: each of a few, else every fifth."""
    return list(range(1, int(last) + 1)) if last <= 12 else [1, *range(5, int(last) + 1, 5)]


def _years_scale(years: Sequence[int]) -> Scale:
    return Scale(years[0], max(years[-1], years[0] + 1), LEFT + 36, RIGHT - 36)


def _drawn(said: Any, rows: pl.DataFrame, lang: Lang) -> str:
    """How many draws of which choices the bands rest on."""
    first = rows.sort("rank", nulls_last=True).row(0, named=True)
    return str(
        said["picture_draws"].format(
            draws=f"{first['draws']:,}", seed=first["seed"], choices=in_words(first["choices"], lang)
        )
    )
