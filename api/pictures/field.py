"""Pictures of all cities together: the dual wheel, tiers, and inequality over the years.

Knows rows of `api.standing_analyses.coordination` and `api.structure`. Computes no figure.
"""

from typing import Any, Final

import polars as pl

from api.lang import Lang, texts
from api.pictures.canvas import (
    LEFT,
    RIGHT,
    WIDTH,
    Scale,
    breadth,
    circle,
    frame,
    legend,
    line,
    rect,
    scale_of,
    text,
    wrap,
    x_axis,
    y_axis,
)
from green_index.coordination import BAND, HIGH

__all__ = ["draw_inequality", "draw_tiers", "draw_wheel"]

_WHEEL: Final = 560
_TALL: Final = 300
_TIER_KINDS: Final = ("c1", "c3", "c2", "c4", "c5", "c6", "c1", "c3")
_GINI: Final = (("gini_within", "c1"), ("gini_between", "c2"), ("gini_transvariation", "c3"))
_FIRM: Final = 0.8
_Box = tuple[float, float, float, float]


def draw_wheel(rows: pl.DataFrame, lang: Lang, systems: tuple[str, str], hub: str | None = None) -> str:
    """Every city by the scores of two systems, in quadrants of the leading wheel; the dots of those without the second
    lie at the bottom and are named only where there is room.

    rows : of `api.standing_analyses.coordination` of one year and two systems; systems : their names; hub : slug of the
    city to be marked.
    """
    said = texts("analyses", lang)
    shown = rows.drop_nulls(["u_1", "u_2"])
    left = 90.0
    across, up = (
        Scale(0, 1, left, left + _WHEEL, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        Scale(0, 1, _WHEEL, 0, (0, 0.2, 0.4, 0.6, 0.8, 1)),
    )
    side = left + _WHEEL
    body = [rect(across.at(HIGH), 0, side - across.at(HIGH), up.at(HIGH), "shade")]
    body += [*x_axis(across, 0, _WHEEL), *y_axis(up, left, side)]
    body += [
        line(across.at(HIGH), 0, across.at(HIGH), _WHEEL, "axis"),
        line(left, up.at(HIGH), side, up.at(HIGH), "axis"),
    ]
    for shift in (BAND, -BAND):
        low, high = max(0, -shift), min(1, 1 - shift)
        body.append(line(across.at(low), up.at(low + shift), across.at(high), up.at(high + shift), "even"))
    body += _quadrant_names(said, systems, across, up)
    dots = [(across.at(u_1), up.at(u_2)) for u_1, u_2 in shown.select("u_1", "u_2").iter_rows()]
    taken: list[_Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in dots]
    for row in sorted(shown.to_dicts(), key=lambda row: (row["hub"] != hub, -row["u_2"], -row["u_1"])):
        x, y, name = across.at(row["u_1"]), up.at(row["u_2"]), row[f"name_{lang}"]
        degree = "" if row["coordination"] is None else f", D {row['coordination']:.3f}"
        marked = row["hub"] == hub
        told = f"{name}: {row['u_1']:.3f}, {row['u_2']:.3f}{degree}"
        body.append(circle(x, y, 5.5 if marked else 4.2, "own" if marked else "dot", told))
        place = _free_place(x, y, breadth(name), taken, side) if row["u_2"] > 0 or marked else None
        if place is not None:
            taken.append(place)
            body.append(text(place[0], place[1] + 12, name, "bold" if marked else ""))
    body += [
        text((left + side) / 2, _WHEEL + 36, systems[0], "bold", "middle"),
        f'<g transform="rotate(-90 44 {_WHEEL / 2:g})">{text(44, _WHEEL / 2, systems[1], "bold", "middle")}</g>',
        *_beside_wheel(said, rows, shown, lang, side + 20),
    ]
    title = said["picture_wheel_title"].format(year=rows["year"][0])
    return frame("wheel", title, _WHEEL + 46, body, [said["picture_wheel_note"].format(band=BAND, high=HIGH)])


def _quadrant_names(said: Any, systems: tuple[str, str], across: Scale, up: Scale) -> list[str]:
    corners = (
        (0.01, 0.97, said["picture_leads"].format(system=systems[1])),
        (0.52, 0.97, said["picture_both_high"]),
        (0.01, 0.46, said["picture_both_low"]),
        (0.52, 0.46, said["picture_leads"].format(system=systems[0])),
    )
    return [text(across.at(x), up.at(y) + 4, words, "quiet small") for x, y, words in corners]


def _free_place(x: float, y: float, wide: float, taken: list[_Box], side: float) -> _Box | None:
    """Where a name beside a dot meets no other name: right, left, above or below; none where there is no room."""
    for shift_x, shift_y in (
        (8, -8),
        (-8 - wide, -8),
        (-wide / 2, -22),
        (-wide / 2, 7),
        (3, 7),
        (-3 - wide, 7),
        (3, -22),
    ):
        box = (x + shift_x, y + shift_y, x + shift_x + wide, y + shift_y + 15)
        inside = box[0] > 92 and box[2] < side + 4 and box[1] > 0
        if inside and not any(
            box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3] for other in taken
        ):
            return box
    return None


def _beside_wheel(said: Any, rows: pl.DataFrame, shown: pl.DataFrame, lang: Lang, left: float) -> list[str]:
    """The best coordinated cities as a list, and those without the second system."""
    room = WIDTH - left - 24
    best = shown.filter(pl.col("coordination") > 0).sort("rank", "hub").head(12).to_dicts()
    parts = [text(left, 14, said["picture_best_coordinated"], "bold")]
    y = 36.0
    for row in best:
        parts.append(text(left, y, f"{row['rank']}. {row[f'name_{lang}']}"))
        parts.append(text(left + room, y, f"{row['coordination']:.3f}", "quiet", "end"))
        y += 19
    absent = shown.filter(pl.col("u_2") == 0)
    unknown = rows.height - shown.height
    told = [said["picture_at_zero"].format(count=absent.height)] if absent.height else []
    told += [said["picture_without_score"].format(count=unknown)] if unknown else []
    for words in told:
        for part in wrap(words, room):
            y += 18
            parts.append(text(left, y, part, "quiet"))
        y += 6
    return parts


def draw_tiers(hubs: pl.DataFrame, lang: Lang, hub: str | None = None) -> str:
    """The tiers of one year: a strip of totals with a dot a city, and the cities of each tier by name.

    hubs : first table of `api.structure.tiers`; hub : slug of the city to be marked. A tilde marks cities that keep
    their tier in less than four of five resamples.
    """
    said = texts("analyses", lang)
    ranked = hubs.sort("rank", "hub").to_dicts()
    scores = [row["score"] for row in ranked]
    scale = scale_of(min(scores), max(scores), LEFT, RIGHT - 20, 8)
    body = x_axis(scale, 6, 62)
    for tier in sorted({row["tier"] for row in ranked}):
        own = [row["score"] for row in ranked if row["tier"] == tier]
        left, right = scale.at(min(own)) - 8, scale.at(max(own)) + 8
        body.append(rect(left, 10, right - left, 48, _TIER_KINDS[tier - 1], opacity=0.35, radius=6))
        body.append(text((left + right) / 2, 24, str(tier), "bold", "middle"))
    for row in ranked:
        marked = row["hub"] == hub
        told = f"{row[f'name_{lang}']}: {row['score']:.1f}"
        body.append(circle(scale.at(row["score"]), 42, 6 if marked else 4.5, "own" if marked else "dot", told))
    y = 104.0
    for tier in sorted({row["tier"] for row in ranked}):
        own_rows = [row for row in ranked if row["tier"] == tier]
        lowest, highest = own_rows[-1]["score"], own_rows[0]["score"]
        body.append(rect(24, y - 12, 16, 16, _TIER_KINDS[tier - 1], opacity=0.6, radius=3))
        head = said["picture_tier"].format(tier=tier, low=f"{lowest:.1f}", high=f"{highest:.1f}", count=len(own_rows))
        body.append(text(48, y + 1, head, "bold"))
        y += 20
        names = [_tier_name(row, lang) for row in own_rows]
        for part in wrap(("、" if lang == "zh" else ", ").join(names), RIGHT - 60):
            body.append(text(48, y, part))
            y += 18
        y += 10
    title = said["picture_tiers_title"].format(year=ranked[0]["year"])
    notes = [said[f"picture_tiers_{ranked[0]['method']}"], said["picture_tiers_note"]]
    return frame("tiers", title, y, body, notes)


def _tier_name(row: dict[str, Any], lang: Lang) -> str:
    loose = row["stability"] is not None and row["stability"] < _FIRM
    return f"{row[f'name_{lang}']}{'~' if loose else ''}"


def draw_inequality(rows: pl.DataFrame, lang: Lang) -> str:
    """The Gini ratio of the cities' totals by year, stacked of its parts within groups, between them, and overlap.

    rows : first table of `api.structure.inequality_by`; a year without figure is left empty.
    """
    said = texts("analyses", lang)
    years = rows.sort("year").to_dicts()
    most = max([0.01, *(row["gini"] for row in years if row["gini"] is not None)])
    heights = scale_of(0, most, _TALL, 10)
    wide = (RIGHT - LEFT) / len(years)
    body = y_axis(heights, LEFT, RIGHT)
    for number, row in enumerate(years):
        x = LEFT + wide * (number + 0.5)
        body.append(text(x, _TALL + 18, str(row["year"]), "quiet", "middle"))
        if row["gini"] is None:
            body.append(text(x, _TALL - 6, "—", "quiet", "middle"))
            continue
        foot = 0.0
        for part, kind in _GINI:
            top = foot + row[part]
            told = f"{row['year']} {said[f'picture_{part}']}: {row[part]:.4f}"
            body.append(rect(x - 22, heights.at(top), 44, heights.at(foot) - heights.at(top), kind, told))
            foot = top
        body.append(text(x, heights.at(foot) - 5, f"{row['gini']:.3f}", "small", "middle"))
    body.append(line(LEFT, _TALL, RIGHT, _TALL, "axis"))
    body += legend([(kind, said[f"picture_{part}"]) for part, kind in _GINI], _TALL + 44)
    title = said["picture_inequality_title"].format(first=years[0]["year"], last=years[-1]["year"])
    grouped = said[f"picture_by_{years[0]['by']}"]
    return frame("inequality", title, _TALL + 54, body, [said["picture_inequality_note"].format(groups=grouped)])
