"""Pictures of which choice matters most, and of ratings predicted from figures.

Knows rows of `api.sensitivity.sensitivity` and of predictions of `api.perception`. Computes no figure.
"""

from typing import Final

import polars as pl

from api.choice_words import in_words
from api.lang import Lang, texts
from api.pictures.canvas import (
    RIGHT,
    circle,
    frame,
    legend,
    line,
    rect,
    scale_of,
    shorten,
    text,
    x_axis,
)

__all__ = ["draw_importance", "draw_perception"]

_NAMES_END: Final = 270
_ROW: Final = 20


def draw_importance(rows: pl.DataFrame, lang: Lang) -> str:
    """First-order and total Sobol index of every choice, with their sampling intervals.

    rows : of `api.sensitivity.sensitivity` for one target, the ranking or a city. Choices without an index are named
    below with the reason.
    """
    said = texts("analyses", lang)
    shown = rows.filter(pl.col("total").is_not_null()).to_dicts()
    first = rows.row(0, named=True)
    ends = [value for row in shown for value in (row["first_order_low"], row["total_high"], row["total"])]
    known = [value for value in ends if value is not None]
    scale = scale_of(min([0.0, *known]), max([1.0, *known]), _NAMES_END, RIGHT - 16)
    foot = 62 * len(shown) + 4
    body = [*x_axis(scale, 0, foot), line(scale.at(0), 0, scale.at(0), foot, "axis")]
    for number, row in enumerate(shown):
        y = 62 * number + 8
        body.append(text(_NAMES_END - 12, y + 18, row[f"choice_{lang}"], "bold", "end"))
        body.append(
            text(
                _NAMES_END - 12,
                y + 36,
                shorten(in_words(row["between"], lang), _NAMES_END - 30, 11),
                "quiet small",
                "end",
            )
        )
        for place, (index, kind) in enumerate((("first_order", "c1"), ("total", "c2"))):
            if row[index] is None:
                continue
            top = y + 24 * place
            left, right = sorted((scale.at(0), scale.at(row[index])))
            told = f"{row[f'choice_{lang}']}: {row[index]:.3f}"
            body.append(rect(left, top, right - left, 18, kind, told))
            if row[f"{index}_low"] is not None:
                low, high = scale.at(row[f"{index}_low"]), scale.at(row[f"{index}_high"])
                body.append(line(low, top + 9, high, top + 9, "whisker"))
                body += [line(end, top + 5, end, top + 13, "whisker") for end in (low, high)]
    entries = [
        ("c1", said["picture_first_order"]),
        ("c2", said["picture_total_index"]),
        ("whisker", said["picture_index_interval"]),
    ]
    body += legend(entries, foot + 42)
    notes = [
        said["picture_importance_note"],
        said["picture_runs"].format(runs=f"{first['runs']:,}", seed=first["seed"]),
    ]
    without = [
        f"{row[f'choice_{lang}']} ({row[f'reason_{lang}']})"
        for row in rows.filter(pl.col("total").is_null(), pl.col("reason").is_not_null()).to_dicts()
    ]
    if without:
        notes.append(said["picture_without_index"].format(choices=", ".join(without)))
    title = said["picture_importance_title"].format(target=first[f"name_{lang}"], year=first["year"])
    return frame("importance", title, foot + 52, body, notes)


def draw_perception(rows: pl.DataFrame, lang: Lang, hub: str | None = None) -> str:
    """Predicted rating of every city with its interval, and the actual one where there is one.

    rows : predictions of `api.perception`; hub : slug of the city to be marked. Cities without prediction are named
    below.
    """
    said = texts("analyses", lang)
    shown = rows.filter(pl.col("predicted").is_not_null()).sort("predicted", "hub", descending=[True, False]).to_dicts()
    known = [row[key] for row in shown for key in ("low", "high", "actual", "predicted") if row[key] is not None]
    scale = scale_of(min(known, default=0.0), max(known, default=1.0), 160, RIGHT - 16, 8)
    foot = 6 + _ROW * len(shown)
    body = x_axis(scale, 0, foot)
    for number, row in enumerate(shown):
        y, name, marked = 6 + _ROW * (number + 0.5), row[f"name_{lang}"], row["hub"] == hub
        if marked:
            body.append(rect(16, y - _ROW / 2, RIGHT - 8, _ROW, "mark"))
        body.append(text(148, y + 4.5, shorten(name, 130), "bold" if marked else "", "end"))
        if row["low"] is not None:
            left, right = scale.at(row["low"]), scale.at(row["high"])
            told = f"{name}: {row['low']:.1f}–{row['high']:.1f}"
            body.append(rect(left, y - 5, right - left, 10, "own-band" if marked else "band", told, radius=3))
        if row["actual"] is not None:
            body.append(circle(scale.at(row["actual"]), y, 5.5, "ring", f"{name}: {row['actual']:.1f}"))
        told = f"{name}: {row['predicted']:.1f}"
        body.append(circle(scale.at(row["predicted"]), y, 4, "own" if marked else "other", told))
    entries = [
        ("other", said["picture_predicted"]),
        ("ring", said["picture_actual"]),
        (
            "band",
            said["picture_interval"].format(
                level=f"{100 * rows['level'].drop_nulls()[0]:.0f}" if rows["level"].drop_nulls().len() else "–"
            ),
        ),
    ]
    body += legend(entries, foot + 42)
    notes = [said["picture_perception_note"]]
    absent = rows.filter(pl.col("predicted").is_null()).sort("hub")[f"name_{lang}"].to_list()
    if absent:
        notes.append(said["picture_not_predicted"].format(cities=("、" if lang == "zh" else ", ").join(absent)))
    first = rows.row(0, named=True)
    title = said["picture_perception_title"].format(target=first["target"], year=first["year"])
    return frame("perception", title, foot + 52, body, notes)
