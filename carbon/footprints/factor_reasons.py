"""Why a factor was chosen or left, as a code and in words for people.

Knows the order of `carbon.footprints.factor_ranking` and the names of series. Chooses nothing.
"""

from typing import TYPE_CHECKING, Final

from carbon.footprints.factor_ranking import series_table

if TYPE_CHECKING:
    import polars as pl

__all__ = ["WORDS", "reason_words", "reasons_of"]

WORDS: Final[dict[str, tuple[str, str]]] = {
    "exact": ("地区与期间均相符", "of this place and period"),
    "region_fallback": ("本地无此系列因子，取上一级地区", "the series has none for this place: the next wider region"),
    "period_fallback": ("所求期间无因子，取最近一期", "none covers the whole period: the nearest in time"),
    "both": (
        "本地与所求期间均无，取上一级地区的最近一期",
        "none for this place nor period: next wider region, nearest in time",
    ),
    "other_method": ("另一种范围二核算方法的因子", "for the other way of counting scope 2"),
    "asked_only": ("未指定此系列", "not asked for here"),
    "other_series": ("另一系列，不与所选系列混用", "another series; never mixed with the one chosen"),
    "unit_unlike": (
        "数量单位无法换算为该因子的单位",
        "the unit of the amount cannot be converted to that of the factor",
    ),
    "other_unit": ("按另一类单位计", "per another kind of unit"),
    "wider_region": ("有更贴近的地区", "there is one for a narrower region"),
    "other_period": ("有更贴近的期间", "there is one nearer in time"),
    "in_total": ("已含于二氧化碳当量合计", "held already by the factor of CO2e"),
    "older_version": ("有更新的版本", "there is a newer version"),
}


def reasons_of(ranked: "pl.DataFrame", group: "pl.DataFrame", unlike: "pl.Series") -> "pl.DataFrame":
    """rank, chosen, reason, factor_id: the reason of the chosen rows as ranked, of the others what sets them apart.

    ranked : one request's `rank_rows` of every series; group : the rows chosen of it; unlike : factor_id of those that
    the unit of the amount cannot be turned into
    """
    import polars as pl

    first = group.head(1)
    names = ("series", "depth", "period", "misfit", "valid_from", "valid_to", "region", "measured")
    led = {name: pl.lit(first[name].item() if first.height else None, dtype=first.schema[name]) for name in names}
    chosen = pl.col("factor_id").is_in(group["factor_id"].implode())
    nearer = (pl.col("period") > led["period"]) | pl.col("valid_from").ne_missing(led["valid_from"])
    code = (
        pl.when(chosen)
        .then(pl.col("reason"))
        .when(pl.col("factor_id").is_in(unlike.implode()))
        .then(pl.lit("unit_unlike"))
        .when(~pl.col("is_allowed") & (pl.col("method_rank") == 2) & ~pl.col("asked_only"))
        .then(pl.lit("other_method"))
        .when(~pl.col("is_series") & pl.col("asked_only"))
        .then(pl.lit("asked_only"))
        .when(~pl.col("is_series"))
        .then(pl.lit("other_series"))
        .when(pl.col("misfit") | pl.col("measured").ne_missing(led["measured"]))
        .then(pl.lit("other_unit"))
        .when(pl.col("depth") > led["depth"])
        .then(pl.lit("wider_region"))
        .when(nearer)
        .then(pl.lit("other_period"))
        .when(pl.lit("CO2e" in group["gas"].to_list()) & (pl.col("gas") != "CO2e"))
        .then(pl.lit("in_total"))
        .otherwise(pl.lit("older_version"))
    )
    group_of = pl.struct("series", "region", "valid_from", "valid_to", "measured", "method_rank").rle_id()
    return ranked.select(
        rank=group_of.cast(pl.Int64) + 1,
        chosen=chosen,
        reason=code,
        factor_id="factor_id",
    )


def reason_words(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Add reason_zh and reason_en; with why of the series where it was taken, or must be asked for."""
    import polars as pl

    series = series_table().select("series", "why_zh", "why_en")
    told = rows.join(series, on="series", how="left", maintain_order="left")
    words = {}
    for place, lang, gap in ((0, "zh", "；"), (1, "en", "; ")):
        plain = pl.col("reason").replace_strict({code: text[place] for code, text in WORDS.items()})
        why = pl.concat_str(f"why_{lang}", plain, separator=gap, ignore_nulls=True)
        on_request = pl.when(pl.col("reason") == "asked_only").then(pl.coalesce(f"why_{lang}", plain)).otherwise(plain)
        words[f"reason_{lang}"] = pl.when(pl.col("chosen")).then(why).otherwise(on_request)
    return told.with_columns(**words).drop("why_zh", "why_en")
