"""What the commands of `api.footprint_quality_cli` show a person, and which rows a program gets.

Knows which columns of a frame a reader wants, in which units, and their labels. Computes nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from api.footprint_words import in_words
from api.lang import Lang, texts
from api.output import NONE, Format, show, write_lines, write_rows, write_table

if TYPE_CHECKING:
    import polars as pl

INTERVALS: Final = ("lines", "co2e_kg", "lower_kg", "upper_kg", "relative_low", "relative_high")
RANGED: Final = ("ranged_share", "fully_ranged_share")
CONTRIBUTIONS: Final = ("kind", "source", "lines", "co2e_kg", "low_kg", "high_kg", "variance_share")
TRIALS: Final = ("co2e_kg", "mean_kg", "p2_5_kg", "p50_kg", "p97_5_kg", "assumed_sources")
LINES: Final = ("activity_id", "entity", "period", "scope", "category", "activity", "gas", "co2e_kg")
QUALITY: Final = (
    *("co2e_kg", "score", "score_share", "measured_or_verified_share", "verified_share"),
    *("timeliness_days", "completeness_share"),
)
EVIDENCE: Final = ("evidence", "lines", "co2e_kg", "share", "score")
TOTALS: Final = (
    *("scope", "outstanding_cny", "attributed_share", "financed_t", "intensity_t_per_million_cny"),
    *("score", "waci_t_per_million_cny"),
)
HOLDINGS: Final = (
    *("investee", "asset_class", "outstanding_cny", "attribution", "basis"),
    *("financed_1_t", "financed_2_t", "financed_3_t", "score"),
)

_WIDE: Final = ("investee", "name", "text", "source", "unit")
"""Columns that may be wrapped; the others are short, and are never cut."""

_ID_SIGNS: Final = 12
_MILLION: Final = 1_000_000
_KG_PER_T: Final = 1000


def show_figures(rows: "pl.DataFrame", columns: Sequence[str], title: str, form: Format, lang: Lang) -> None:
    """The whole frame for programs; for people some columns, in tonnes, per cent and millions of CNY."""
    if form != "table":
        write_rows(rows, form)
        return
    text, rows = texts("cli", lang), in_words(rows, lang)
    names, cells, right = [], [], set()
    for column in columns:
        name, cell = _cell(column, rows)
        heading = text.get(f"column_{name}", name)
        names.append(column)
        cells.append(cell.alias(heading))
        if rows.schema[column].is_numeric():
            right.add(heading)
    table = rows.select(cells)
    whole = frozenset(heading for name, heading in zip(names, table.columns, strict=True) if name not in _WIDE)
    write_table(table, title, frozenset(right), whole)


def _cell(column: str, rows: "pl.DataFrame") -> "tuple[str, pl.Expr]":
    """The name of a column in the unit that people read, and its cells as text."""
    import polars as pl

    name, value = column, pl.col(column)
    if column.endswith("_kg"):
        name, value = f"{column.removesuffix('_kg')}_t", value / _KG_PER_T
    elif column.endswith("_cny") and "_per_" not in column:
        name, value = f"{column.removesuffix('_cny')}_million_cny", value / _MILLION
    if column in ("activity_id", "source"):
        is_id = value.str.contains(r"^[0-9a-f]{64}")
        return name, pl.when(is_id).then(value.str.slice(0, _ID_SIGNS) + value.str.slice(64)).otherwise(value)
    is_share = column.endswith("share") or column.startswith("relative_") or column == "attribution"
    if not rows.schema[column].is_float():
        return name, value
    return name, value.map_elements(_percent if is_share else _number, return_dtype=pl.String)


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _number(value: float) -> str:
    return show(value)


def show_quality(rows: "pl.DataFrame", keys: Sequence[str], title: str, form: Format, lang: Lang) -> None:
    """The measures, and below them the months without data of each group."""
    show_figures(rows, [*keys, *QUALITY], title, form, lang)
    if form != "table":
        return
    for row in rows.iter_rows(named=True):
        if row["gaps"] is not None:
            where = " ".join(NONE if row[key] is None else str(row[key]) for key in keys)
            write_lines([texts("cli", lang)["quality_gaps"].format(where=where, gaps=row["gaps"])], form)


def show_contributions(rows: "pl.DataFrame", keys: Sequence[str], title: str, form: Format, lang: Lang) -> None:
    """What each source adds to the variance, its kind in words for people."""
    import polars as pl

    if form == "table":
        text = texts("cli", lang)
        words = {kind: text[f"uncertainty_{kind}"] for kind in ("factor", "activity", "line")}
        rows = rows.with_columns(pl.col("kind").replace(words))
    show_figures(rows, [*keys, *CONTRIBUTIONS], title, form, lang)


def show_disclosure(rows: "pl.DataFrame", title: str, form: Format, lang: Lang) -> None:
    """The figure, the words or the reason of each row, the last two in one column for people; then remarks."""
    import polars as pl

    if form == "table":
        why = pl.concat_str(pl.lit("("), f"reason_{lang}", pl.lit(")"))
        rows = rows.with_columns(name=pl.col(f"name_{lang}"), text=pl.coalesce("text", why))
    show_figures(rows, ("standard", "paragraph", "name", "value", "unit", "text"), title, form, lang)
    if form == "table":
        filled = rows.filter(pl.col("value").is_not_null() | (pl.col("lines") > 0))
        write_lines(_per_standard(filled, f"gwp_remark_{lang}"), form)


def _per_standard(rows: "pl.DataFrame", column: str) -> list[str]:
    """Each remark of a column once, behind the standard whose rows it is about."""
    told = rows.drop_nulls(column).select("standard", column).unique(maintain_order=True)
    return [f"{standard}: {remark}" for standard, remark in told.iter_rows()]
