"""Lines written out as arithmetic, so that a reader can check each by hand.

Knows how a formula is printed with its figures and units. Must not know storage or how factors are chosen.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import polars as pl

__all__ = ["write_out"]

_CARBON_TO_CO2: Final = "44/12"


def write_out(lines: "pl.DataFrame", factors: "pl.DataFrame", lang: Literal["zh", "en"] = "en") -> "pl.DataFrame":
    """Lines with two more columns: factor_names and working, both String.

    lines : `lines_schema`; factors : those that the lines name; lang : of the names
    working reads "100 t x 20 GJ/t x 26.1 t/TJ x 0.93 x 44/12 = 178002 kg CO2; x GWP 1 x share 1 = 178002 kg CO2e".
    Units are as the sources print them: GJ/t meets t/TJ by 1000 GJ a TJ. A mean of several months is written as one;
    its weights, where it has some, are the amounts of those months.
    """
    import polars as pl

    key = ["factor_ids", "formula", "gas", "_weighted"]
    words = pl.col("remarks").fill_null("")
    is_weighted = words.str.contains("weighted_by_amount") & ~words.str.contains("plain_mean_assumed")
    lines = lines.with_columns(_weighted=is_weighted)
    distinct = lines.select(key).unique(maintain_order=True)
    known: dict[str, list[dict[str, Any]]] = {}
    for factor in factors.sort("factor_id", "gas").iter_rows(named=True):
        known.setdefault(factor["factor_id"], []).append(factor)
    told = [_told(ids, formula, gas, known, lang, way) for ids, formula, gas, way in distinct.iter_rows()]
    parts = distinct.with_columns(
        pl.Series("factor_names", [names for names, _ in told], dtype=pl.String),
        pl.Series("product", [product for _, product in told], dtype=pl.String),
    )
    joined = lines.join(parts, on=key, how="left", nulls_equal=True, maintain_order="left")
    working = pl.format(
        "{} {} x {} = {} kg {}; x GWP {} x share {} = {} kg CO2e",
        *(_figure("amount"), "unit", "product", _figure("emissions_kg"), "gas"),
        *(_figure("gwp"), _figure("share"), _figure("co2e_kg")),
    )
    return joined.with_columns(working=working).drop("product", "_weighted")


def _figure(name: str) -> "pl.Expr":
    """Twelve digits: more than any figure has, fewer than the last digits of binary floats."""
    import polars as pl

    text = pl.col(name).round_sig_figs(12).cast(pl.String)
    return text.str.strip_suffix(".0")


def _told(
    ids: Sequence[str], formula: str, gas: str, known: Mapping[str, list[dict[str, Any]]], lang: str, weighted: bool
) -> tuple[str, str]:
    """Names of the factors, and the product of their figures."""
    rows = [_row_of(known.get(factor_id, []), gas) for factor_id in ids]
    names = "; ".join(
        factor_id if row is None else row[f"name_{lang}"] or factor_id for factor_id, row in zip(ids, rows, strict=True)
    )
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row is not None:
            groups.setdefault(row["parameter"], []).append(row)
    figures = [_group(group, "weighted mean" if weighted else "mean") for group in groups.values()]
    if formula.endswith(_CARBON_TO_CO2):
        if "oxidation" not in groups:
            figures.append("1 (oxidation, assumed)")
        figures.append(_CARBON_TO_CO2)
    return names, " x ".join(figures)


def _row_of(rows: Sequence[dict[str, Any]], gas: str) -> dict[str, Any] | None:
    """The row of this gas where one id has several; parameters of fuels have one."""
    same = [row for row in rows if row["gas"] == gas]
    return next(iter(same or rows), None)


def _group(rows: Sequence[dict[str, Any]], mean: str) -> str:
    figures = [
        f"{row['value']:.12g}"
        if (row["numerator"], row["denominator"]) == ("1", "1")
        else f"{row['value']:.12g} {row['numerator']}/{row['denominator']}"
        for row in rows
    ]
    return figures[0] if len(figures) == 1 else f"{mean}({', '.join(figures)})"
