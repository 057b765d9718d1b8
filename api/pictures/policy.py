"""Pictures of policy: the 16 proposals by area as a scorecard, and the three paths as stages.

Knows rows of `api.policy`. Computes no figure.
"""

from typing import Any, Final

import polars as pl

from api.lang import Lang, texts
from api.pictures.canvas import frame, legend, path, rect, shorten, text, wrap

__all__ = ["draw_paths", "draw_scorecard"]

_KINDS: Final = {
    "adopted": "yes",
    "partly": "half",
    "not_adopted": "no",
    "done": "yes",
    "under_way": "half",
    "not_begun": "no",
    "unknown": "unknown",
}
_STATUSES: Final = ("adopted", "partly", "not_adopted", "unknown")
_STAGES: Final = ("done", "under_way", "not_begun", "unknown")
_AREA_END: Final = 214
_CELL: Final = (176, 90)
_PER_LINE: Final = 5
_STAGE: Final = (162, 90)


def draw_scorecard(rows: pl.DataFrame, lang: Lang) -> str:
    """The proposals of each area as cells in the colour of their status, with the status in words and its date.

    rows : of `api.policy.policy` for one city.
    """
    said = texts("analyses", lang)
    body: list[str] = []
    y = 0.0
    for area in rows["area"].unique(maintain_order=True):
        own = rows.filter(pl.col("area") == area).to_dicts()
        for number, part in enumerate(wrap(own[0][f"area_{lang}"], _AREA_END - 44)):
            body.append(text(24, y + 22 + 18 * number, part, "bold"))
        for number, row in enumerate(own):
            dated = f" · {row['date']}" if row["date"] else ""
            foot = f"{row[f'status_{lang}']}{dated}"
            head = f"{row['proposal']}. {row[f'proposal_{lang}']}"
            body += _cell(_AREA_END + number * (_CELL[0] + 6), y, _CELL, head, foot, row["status"])
        y += _CELL[1] + 6
    first = rows.row(0, named=True)
    counts = {status: rows.filter(pl.col("status") == status).height for status in _STATUSES}
    body += legend(
        [(_KINDS[each], f"{said[f'policy_status_{each}']}: {counts[each]}") for each in _STATUSES], y + 22, 24
    )
    title = said["picture_scorecard_title"].format(city=first[f"name_{lang}"])
    return frame("scorecard", title, y + 32, body, [said["picture_scorecard_note"]])


def draw_paths(rows: pl.DataFrame, lang: Lang) -> str:
    """The stages of the three paths in their order, each in the colour of its status.

    rows : of `api.policy.policy_paths` for one city.
    """
    said = texts("analyses", lang)
    wide, tall = _STAGE
    body: list[str] = []
    y = 0.0
    for name in rows["path"].unique(maintain_order=True):
        own = rows.filter(pl.col("path") == name).sort("step").to_dicts()
        body.append(text(24, y + 16, own[0][f"path_{lang}"], "bold"))
        y += 26
        for number, row in enumerate(own):
            place, at = number % _PER_LINE, y + (number // _PER_LINE) * (tall + 16)
            x = 24 + place * (wide + 24)
            if place:
                body.append(_arrow(x - 22, at + tall / 2))
            dated = f" · {row['date']}" if row["date"] else ""
            head = f"{row['step']}. {row[f'stage_{lang}']}"
            body += _cell(x, at, _STAGE, head, f"{row[f'status_{lang}']}{dated}", row["status"])
        y += ((len(own) - 1) // _PER_LINE + 1) * (tall + 16) + 8
    first = rows.row(0, named=True)
    body += legend([(_KINDS[each], said[f"policy_stage_{each}"]) for each in _STAGES], y + 12, 24)
    title = said["picture_paths_title"].format(city=first[f"name_{lang}"])
    return frame("paths", title, y + 22, body, [said["picture_paths_note"]])


def _cell(x: float, y: float, size: tuple[int, int], head: str, foot: str, status: Any) -> list[str]:
    """A box of a status with what it is about and the status in words, each line kept within the box."""
    room = size[0] - 16
    most = (size[1] - 30) // 15
    lines = wrap(head, room, 12)
    if len(lines) > most:
        lines = [*lines[: most - 1], shorten(" ".join(lines[most - 1 :]), room, 12)]
    parts = [rect(x, y, size[0], size[1], _KINDS[status], f"{head} ({foot})", radius=5)]
    parts += [text(x + 8, y + 17 + 15 * number, part, "small") for number, part in enumerate(lines)]
    return [*parts, text(x + 8, y + size[1] - 8, shorten(foot, room, 11), "small bold")]


def _arrow(x: float, y: float) -> str:
    return path([(x, y), (x + 18, y), None, (x + 12, y - 5), (x + 18, y), (x + 12, y + 5)], "flow")
