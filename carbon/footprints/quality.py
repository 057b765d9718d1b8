"""How good the data behind emissions are: PCAF score, completeness, timeliness, shares measured and verified.

Knows `carbon/data/pcaf_rules.csv` and the measures. Must not know files of users, storage or how a line was calculated.
Shares are weighted by the size of the emissions, so that a credit note never makes a share negative.

Source of the scores: PCAF, The Global GHG Accounting and Reporting Standard Part A: Financed Emissions, second edition
(December 2022), tables 5-3 and 5-7: 1 best .. 5. Which evidence falls under which option is partly our reading; such
rules are marked as assumed.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "MEASURED_EVIDENCE",
    "UnknownGrouping",
    "check_grouping",
    "completeness",
    "countable",
    "evidence_shares",
    "pcaf_rules",
    "quality",
    "score_lines",
    "with_year",
]

MEASURED_EVIDENCE: Final = ("metered",)
"""Evidence that counts as measured in `measured_or_verified_share`; any other counts there where it is verified."""

_MONTHS = 12
_ALL = "_all"


class UnknownGrouping(CarbonError):
    """Lines have no such column, or it cannot be grouped by."""


def check_grouping(lines: "pl.DataFrame", by: Sequence[str]) -> list[str]:
    """The columns to group by. Raises UnknownGrouping: no such column, one that holds lists, one that comes twice."""
    import polars as pl

    able = [name for name, kind in lines.schema.items() if not isinstance(kind, pl.List)]
    unknown = [name for at, name in enumerate(by) if name not in able or name in by[:at]]
    if unknown:
        raise UnknownGrouping(f"found {', '.join(unknown)} to group by, expected some of, each once: {', '.join(able)}")
    return list(by)


def countable(lines: "pl.DataFrame", method: str) -> "pl.DataFrame":
    """The lines that may be added up: no biogenic CO2, and scope 2 by one method only.

    method : location or market. Lines without a method (scopes 1 and 3) stay.
    """
    import polars as pl

    is_biogenic = pl.col("biogenic").fill_null(False)
    return lines.filter(~is_biogenic & (pl.col("method").is_null() | (pl.col("method") == method)))


def with_year(lines: "pl.DataFrame") -> "pl.DataFrame":
    """Lines with the column year Int32: that in which the period ends."""
    import polars as pl

    return lines.with_columns(year=pl.col("last_day").dt.year())


def pcaf_rules() -> "pl.DataFrame":
    """The rules of the score, in their order: the first that fits a line gives its score.

    rule_id String; order Int64; activity, evidence, scopes: what they ask for, one of several with ";", any where null;
    verified, weak_factor Boolean, any where null; option, name_zh, name_en, source, confidence, remark String;
    score Int8; assumed Boolean.
    """
    return _rules().clone()


@cache
def _rules() -> "pl.DataFrame":
    import polars as pl

    text = files("carbon").joinpath("data", "pcaf_rules.csv").read_bytes()
    kinds = {
        "order": pl.Int64,
        "verified": pl.Boolean,
        "weak_factor": pl.Boolean,
        "score": pl.Int8,
        "assumed": pl.Boolean,
        "scopes": pl.String,
    }
    return pl.read_csv(text, schema_overrides=kinds).sort("order")


def score_lines(lines: "pl.DataFrame", factors: "pl.DataFrame") -> "pl.DataFrame":
    """Lines with their PCAF score by rule.

    lines : `lines_schema`; factors : `factors_schema`, for confidence and assumed; a factor is weak where its
    confidence is L or where it is assumed
    Result: the same lines, pcaf from the rules (null where none fits), and beside it pcaf_rule String, pcaf_confidence
    String and pcaf_assumed Boolean.
    """
    import polars as pl

    weak = factors.filter((pl.col("confidence") == "L") | pl.col("assumed").fill_null(False))["factor_id"].unique()
    is_weak = pl.col("factor_ids").list.eval(pl.element().is_in(weak.implode())).list.any().fill_null(False)
    rule: pl.Expr = pl.lit(None, dtype=pl.String)
    for row in _rules().reverse().iter_rows(named=True):
        rule = pl.when(_fits(row)).then(pl.lit(row["rule_id"])).otherwise(rule)
    told = _rules().select(pcaf_rule="rule_id", pcaf="score", pcaf_confidence="confidence", pcaf_assumed="assumed")
    added = ("pcaf_rule", "pcaf_confidence", "pcaf_assumed")
    scored = lines.with_columns(_weak=is_weak).with_columns(pcaf_rule=rule).drop("pcaf")
    joined = scored.join(told, on="pcaf_rule", how="left", maintain_order="left")
    return joined.select(*[name for name in lines.columns if name not in added], *added)


def _fits(rule: dict[str, object]) -> "pl.Expr":
    """Whether a line is one that the rule is for. Not said to be verified is not verified."""
    import polars as pl

    asked: list[pl.Expr] = [pl.lit(True)]
    for column in ("activity", "evidence"):
        if rule[column] is not None:
            asked.append(pl.col(column).is_in(str(rule[column]).split(";")).fill_null(False))
    if rule["scopes"] is not None:
        scopes = [int(scope) for scope in str(rule["scopes"]).split(";")]
        asked.append(pl.col("scope").is_in(scopes).fill_null(False))
    if rule["verified"] is not None:
        asked.append(pl.col("verified").fill_null(False).eq(rule["verified"]))
    if rule["weak_factor"] is not None:
        asked.append(pl.col("_weak").eq(rule["weak_factor"]))
    return pl.all_horizontal(asked)


def quality(
    lines: "pl.DataFrame", *, by: Sequence[str] = ("entity", "year"), method: str = "location"
) -> "pl.DataFrame":
    """The measures of quality for each group.

    lines : `lines_schema`, with their score (`score_lines`); by : columns of the lines, or year (`with_year`)
    Result: the columns of `by`; lines, activities UInt32; co2e_kg; score Float64, the PCAF score weighted by emissions,
    1 best .. 5; score_share, of the emissions with a score; measured_or_verified_share, of those measured
    (`MEASURED_EVIDENCE`) or verified; verified_share; timeliness_days Float64, the median over activities of the
    days from the end of the period to the record; completeness_share, of the months that the streams of the years
    should have (`completeness`), null where `by` has a column that a stream does not; gaps String, the months
    without data. Shares are null without
    emissions.
    Raises UnknownGrouping.
    """
    import polars as pl

    chosen = with_year(countable(lines, method)).filter(pl.col("co2e_kg").is_not_null())
    group = check_grouping(chosen, by) or [_ALL]
    chosen = chosen.with_columns(_all=pl.lit(0))
    size = pl.col("co2e_kg").abs()
    has_score = pl.col("pcaf").is_not_null()
    is_verified = pl.col("verified").fill_null(False)
    is_measured = pl.col("evidence").is_in(MEASURED_EVIDENCE).fill_null(False)
    late = (pl.col("recorded") - pl.col("last_day")).dt.total_days()
    shares = {
        "score_share": size.filter(has_score).sum() / size.sum(),
        "measured_or_verified_share": size.filter(is_measured | is_verified).sum() / size.sum(),
        "verified_share": size.filter(is_verified).sum() / size.sum(),
    }
    measures = (
        chosen.with_columns(_days=late)
        .group_by(group, maintain_order=True)
        .agg(
            lines=pl.len(),
            activities=pl.col("activity_id").n_unique(),
            co2e_kg=pl.col("co2e_kg").sum(),
            score=(size * pl.col("pcaf")).sum() / size.filter(has_score).sum(),
            **shares,
            timeliness_days=pl.col("_days").filter(pl.col("activity_id").is_first_distinct()).median(),
        )
        .with_columns(pl.col("score", *shares).fill_nan(None))
    )
    found = _completeness_of(chosen, group)
    return (
        measures.join(found, on=group, how="left", nulls_equal=True, maintain_order="left")
        .sort(group)
        .drop(_ALL, strict=False)
    )


def _completeness_of(lines: "pl.DataFrame", group: list[str]) -> "pl.DataFrame":
    """completeness_share and gaps of each group; null where a column is none of streams."""
    import polars as pl

    streams = completeness(lines, also=[name for name in group if name == "hub"]).with_columns(_all=pl.lit(0))
    if any(name not in streams.columns for name in group):
        found = lines.select(group).unique()
        return found.with_columns(completeness_share=pl.lit(None, dtype=pl.Float64), gaps=pl.lit(None, dtype=pl.String))
    told = pl.concat_str(pl.col("activity").fill_null("?"), pl.lit(": "), pl.col("gaps"))
    return (
        streams.group_by(group, maintain_order=True)
        .agg(
            completeness_share=pl.col("months").sum() / (pl.len() * _MONTHS),
            gaps=told.filter(pl.col("gaps") != "").str.join("; "),
        )
        .with_columns(pl.when(pl.col("gaps") != "").then("gaps").alias("gaps"))
    )


def completeness(lines: "pl.DataFrame", *, also: Sequence[str] = ()) -> "pl.DataFrame":
    """How many months of each year each stream of an entity has data for.

    A stream is an entity, scope, category and activity (and the columns of `also`). A row of a year covers its twelve
    months; a month counts where the rows together have as many days as it has.
    Result: entity, scope, category, activity, *also, year Int32; months Int64 of 12; gaps String, the months that are
    missing or partly covered, "2023-04, 2023-05", "" where none.
    """
    import polars as pl

    stream = ["entity", "scope", "category", "activity", *also]
    spans = lines.select(*stream, "first_day", "last_day").drop_nulls(["first_day", "last_day"]).unique()
    months = spans.with_columns(
        month=pl.date_ranges(pl.col("first_day").dt.month_start(), pl.col("last_day"), "1mo")
    ).explode("month", keep_nulls=False, empty_as_null=False)
    month_end = pl.col("month").dt.month_end()
    days = pl.min_horizontal("last_day", month_end) - pl.max_horizontal("first_day", "month")
    covered = (
        months.group_by(*stream, "month")
        .agg(days=(days.dt.total_days() + 1).sum())
        .with_columns(is_whole=pl.col("days") >= month_end.dt.day(), year=pl.col("month").dt.year())
    )
    every = (
        covered.select(*stream, "year")
        .unique()
        .with_columns(month=pl.date_ranges(pl.date("year", 1, 1), pl.date("year", 12, 1), "1mo"))
        .explode("month", keep_nulls=False, empty_as_null=False)
    )
    told = every.join(covered, on=[*stream, "year", "month"], how="left", nulls_equal=True)
    is_whole = pl.col("is_whole").fill_null(False)
    missing = pl.col("month").filter(~is_whole).sort().dt.strftime("%Y-%m").str.join(", ")
    order = [*stream, "year"]
    return told.group_by(order).agg(months=is_whole.sum().cast(pl.Int64), gaps=missing).sort(order)


def evidence_shares(
    lines: "pl.DataFrame", *, by: Sequence[str] = ("entity", "year"), method: str = "location"
) -> "pl.DataFrame":
    """The share of the emissions of each group by kind of evidence: by.., evidence, lines, co2e_kg, share, score."""
    import polars as pl

    chosen = with_year(countable(lines, method)).filter(pl.col("co2e_kg").is_not_null())
    keys = check_grouping(chosen, by)
    size = pl.col("co2e_kg").abs()
    grouped = chosen.group_by(*keys, "evidence").agg(
        lines=pl.len(),
        co2e_kg=pl.col("co2e_kg").sum(),
        _size=size.sum(),
        score=(size * pl.col("pcaf")).sum() / size.filter(pl.col("pcaf").is_not_null()).sum(),
    )
    whole = pl.col("_size").sum().over(keys) if keys else pl.col("_size").sum()
    return (
        grouped.with_columns(share=(pl.col("_size") / whole).fill_nan(None), score=pl.col("score").fill_nan(None))
        .sort(*keys, "evidence", nulls_last=True)
        .select(*keys, "evidence", "lines", "co2e_kg", "share", "score")
    )
