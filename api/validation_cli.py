"""The command `greenfin validate`: how our indices agree with printed rankings.

Knows the command, its options and which columns people see. Computes nothing. Imports what it needs inside the
command, so that `--help` stays quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api import DEFAULT_YEAR
from api.lang import Lang, texts
from api.opened import store_of_settings
from api.options import FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

    from green_index.validation import Resampling

validation_app = typer.Typer(rich_markup_mode=None)

_TOTALS: Final = ("overall", "industry", "experience", "ecosystem")


@validation_app.command()
def validate(
    against: Annotated[
        str | None, typer.Option("--against", help='A printed index or edition, such as "FHI 2017"; all without it.')
    ] = None,
    dimension: Annotated[
        str | None,
        typer.Option("--dimension", help="overall, a node, or all; a table shows totals and level 1 without it."),
    ] = None,
    ranks: Annotated[
        Path | None,
        typer.Option("--ranks", help="CSV of printed ranks: index, edition, dimension, city, rank (CFCI and others)."),
    ] = None,
    index: Annotated[str, typer.Option("--index", help="Index or edition to take from --ranks, or all.")] = "CFCI 14",
    year: Annotated[int, typer.Option("--year", help="Year of our figures to set beside --ranks.")] = DEFAULT_YEAR,
    draws: Annotated[
        int, typer.Option("--draws", min=100, max=100_000, help="Of the permutation test and the bootstrap.")
    ] = 2000,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**53, help="Of these draws.")] = 1,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Rank correlation of our indices with printed rankings, with and without size measures.

    The open base, the extended index, every level-1 group and every open measure alone.
    """
    import polars as pl

    from api import validation as room
    from green_index.validation import Resampling

    chosen, tongue = format_of(form), lang_of(lang)
    terms = Resampling(draws, seed)
    store = store_of_settings()
    tables = [room.validation(store, against, None, terms)]
    if ranks is not None:
        own, unknown = room.own_validation(store, ranks, index, year, terms)
        tables.append(own)
        for problem in unknown:
            typer.echo(problem, err=True)
    rows = room.of_dimension(pl.concat(tables), dimension)
    if chosen == "table":
        _show(rows, dimension, terms, tongue)
        return
    from api.output import write_rows

    write_rows(rows, chosen)


def _show(rows: "pl.DataFrame", dimension: str | None, terms: "Resampling", lang: Lang) -> None:
    """Rows with a figure; below, what has none and why."""
    import polars as pl

    from api.analysis_screens import show_analysis
    from green_index.agreement import MOST_EXACT
    from green_index.validation import FEWEST, NO_YEAR

    text = texts("analyses", lang)
    whole = pl.col("dimension").is_in(_TOTALS) | ~pl.col("against").str.ends_with("as printed")
    shown = rows if dimension else rows.filter(whole)
    empty = shown.filter(pl.col("candidate").is_null())
    known = shown.filter(pl.col("spearman").is_not_null())
    table = known.with_columns(
        pl.col("against").str.strip_suffix(" as printed"),
        pl.col("candidate_zh" if lang == "zh" else "candidate").alias("candidate"),
        interval=pl.struct("low", "high").map_elements(_interval, return_dtype=pl.String),
    )
    columns = {"against": "{}", "dimension": "{}", "candidate": "{}", "hubs": "{}", "spearman": "{:.3f}"}
    columns |= {"interval": "{}", "kendall": "{:.3f}", "mean_shift": "{:.1f}", "p_value": "{:.4f}"}
    level = f"{terms.level:.0%}"
    remarks = [
        text["remark_validation"].format(level=level, exact=MOST_EXACT, draws=f"{terms.draws:,}", seed=terms.seed)
    ]
    for row in empty.iter_rows(named=True):
        key = "validation_no_year" if row["reason"] == NO_YEAR else "validation_short"
        remarks.append(text[key].format(**row, needed=FEWEST))
    without = shown.height - known.height - empty.height
    if without:
        remarks.append(text["validation_empty"].format(count=without, needed=FEWEST))
    left = rows.filter(~whole).n_unique(["against", "dimension"]) if not dimension else 0
    if left:
        remarks.append(text["validation_parts"].format(count=left))
    show_analysis(table, text["title_validation"], columns, "table", lang, remarks)


def _interval(ends: dict[str, float | None]) -> str | None:
    return None if ends["low"] is None else f"{ends['low']:.2f} – {ends['high']:.2f}"
