"""From cells of text to typed activities: numbers, days, periods, words and units.

Knows how a cell may be written. Must not know files, headings, rules or storage. A cell that cannot be read is null in
its column; what was found stays beside it as `<column>_raw`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from carbon.embedded import read_embedded
from carbon.footprints.activity_words import CODES, COLUMNS, words_of
from carbon.footprints.periods import periods_of
from carbon.footprints.schemas import activities_schema
from carbon.footprints.units import unit_names

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NUMBERS", "ResolveHubs", "known_hubs", "type_activities"]

ResolveHubs = Callable[["pl.Series"], "pl.Series"]
"""Distinct names of cities in, the key of each out, null where it is not known."""

NUMBERS: Final = ("amount", "lower", "upper", "share")

_PLAIN = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_THOUSANDS = {
    ".": r"^[+-]?\d{1,3}(?:[,，]\d{3})+(?:\.\d*)?$",
    ",": r"^[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?$",
}


def known_hubs(names: "pl.Series") -> "pl.Series":
    """The key itself where it is that of a city of the embedded inventories, in any case; else null."""
    import polars as pl

    keys = read_embedded("city_inventories")["hub"].unique()
    lowered = names.str.strip_chars().str.to_lowercase()
    return pl.select(pl.when(lowered.is_in(keys.implode())).then(lowered)).to_series()


def type_activities(
    raw: "pl.DataFrame", *, values: Mapping[str, Mapping[str, str]], decimal: str = ".", hubs: ResolveHubs = known_hubs
) -> "pl.DataFrame":
    """Typed activities beside the text they were read from.

    raw : row Int64 and every column of `COLUMNS` as String, empty cells null
    values : column to what the file writes to what is meant; decimal : "." or "," before the decimals
    Result : row, the columns of `activities_schema` but activity_id as given and file, `<column>_raw`, and level (of
    the period). share is 1 and credit_note false where the cell is empty.
    """
    import polars as pl

    names = [one.name for one in COLUMNS]
    text = raw.select("row", *(pl.col(name).alias(f"{name}_raw") for name in names))
    meant = text.with_columns(_meant(name, values.get(name, {})).alias(name) for name in names)
    spans = periods_of(meant["period"]).rename({"text": "_written", "period": "_period"})
    units = _unit_spellings()
    distinct = meant["hub"].drop_nulls().unique().sort()
    cities = pl.DataFrame({"_city": distinct, "_hub": hubs(distinct).cast(pl.String)})
    joined = (
        meant.join(spans, left_on="period", right_on="_written", how="left", maintain_order="left")
        .with_columns(_spelling=pl.col("unit").str.normalize("NFKC"))
        .join(units, left_on="_spelling", right_on="written", how="left", maintain_order="left")
        .join(cities, left_on="hub", right_on="_city", how="left", maintain_order="left")
        .with_columns(pl.col("_period").alias("period"), pl.col("known").alias("unit"), pl.col("_hub").alias("hub"))
    )
    typed = joined.with_columns(
        *(_number(name, decimal) for name in NUMBERS),
        *(_word(name) for name in CODES),
        pl.col("recorded").str.replace(r"[T ]00:00:00(?:\.0+)?$", "").str.to_date("%Y-%m-%d", strict=False),
    ).with_columns(
        pl.when(pl.col("share_raw").is_null()).then(1.0).otherwise(pl.col("share")).alias("share"),
        pl.when(pl.col("credit_note_raw").is_null()).then(False).otherwise(pl.col("credit_note")).alias("credit_note"),
    )
    schema = {name: kind for name, kind in activities_schema().items() if name not in ("file", "row")}
    raws = [f"{name}_raw" for name in names]
    return typed.select("row", *(pl.col(name).cast(kind) for name, kind in schema.items()), *raws, "level")


def _meant(column: str, values: Mapping[str, str]) -> "pl.Expr":
    import polars as pl

    cell = pl.col(f"{column}_raw")
    return cell.replace(dict(values)) if values else cell


def _number(column: str, decimal: str) -> "pl.Expr":
    """Float64; null where the text is no decimal number, or one that no float holds."""
    import polars as pl

    cell = pl.col(column)
    grouped = cell.str.contains(_THOUSANDS[decimal])
    without = cell.str.replace_all(r"[,，]" if decimal == "." else r"\.", "")
    plain = pl.when(grouped).then(without).otherwise(cell)
    if decimal == ",":
        # With a comma before the decimals a point only groups digits: 1.5 would be read as 15 or as 1.5.
        mixed = ~grouped & cell.str.contains(".", literal=True)
        plain = pl.when(~mixed).then(plain.str.replace(",", ".", literal=True))
    figure = pl.when(plain.str.contains(_PLAIN)).then(plain).cast(pl.Float64, strict=False)
    # Adding zero turns a minus zero into the one zero that there is.
    return pl.when(figure.is_finite()).then(figure + 0.0).alias(column)


def _word(column: str) -> "pl.Expr":
    import polars as pl

    text = pl.col(column).str.to_lowercase().str.strip_chars()
    code = text.replace_strict(words_of(column), default=None, return_dtype=pl.String)
    if column in ("credit_note", "verified"):
        return pl.when(code.is_not_null()).then(code == "true").alias(column)
    if column == "scope":
        return code.cast(pl.Int8).alias(column)
    return code.alias(column)


def _unit_spellings() -> "pl.DataFrame":
    """written, known: each way to write a unit, and the unit's own name."""
    import polars as pl

    return (
        unit_names()
        .select(known="unit", written=pl.concat_list(pl.concat_list("unit"), "aliases"))
        .explode("written")
        .select(pl.col("written").str.normalize("NFKC"), "known")
        .drop_nulls()
        .unique("written", keep="first", maintain_order=True)
    )
