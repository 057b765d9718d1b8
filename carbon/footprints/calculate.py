"""From activities and factors to emissions: one line an activity, gas and way to count scope 2.

Knows which formula an activity takes and how a line is made; every line keeps the ids of its inputs. Must not know
files, storage, or whose share of a plant counts (`carbon.footprints.boundary`).

* Scope 1 fuels (stationary, mobile) and processes go by the carbon in them where a carbon content is known
  (`carbon.footprints.combustion`); factors of CH4 and N2O come beside it. A factor of CO2 or CO2e of a narrower region
  is preferred to a carbon content for the whole world, and for a process to any carbon content.
* Everything else is amount x factor. Of a CO2e total and its parts by gas the total alone counts.
* Scope 2 gives two figures, by location and by market (`carbon.footprints.coefficients.market_factors`); where nothing
  is known of the market, the figure of the location stands with the remark market_equals_location.
* Biogenic CO2 has lines of its own, which no total includes.
* An activity that has no factor, whose unit does not meet the factor's, whose gas has no warming potential, or whose
  emissions are more than any total may hold is listed as not calculated, with the reason; nothing is counted as zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem
from carbon.footprints.coefficients import TOTAL, combined_share_expr
from carbon.footprints.gwp import DEFAULT_GWP_SET, gwp_values
from carbon.footprints.month_weights import month_amounts
from carbon.footprints.planning import answer_asks
from carbon.footprints.quality import score_lines
from carbon.footprints.schemas import METHODS, lines_schema
from carbon.footprints.totals import MG_PER_KG, MOST_MG

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

__all__ = ["RULES_VERSION", "Calculation", "calculate", "current_activities", "left_out_schema"]

RULES_VERSION: Final = "2"
"""Raised with every change of the rules that can change a figure: it is part of a run's id."""

_ASK: Final = (
    *("entity", "activity", "region", "first_day", "last_day", "scope", "category", "unit"),
    *("method", "factor_id", "series", "contract"),
)
_ORDER: Final = ("activity_id", "method", "biogenic", "gas")
_EXPECTED: Final = {
    "repeated_activity": "an id that stands for one row only",
    "no_amount": "a finite number",
    "negative_amount": "zero or more; an amount taken back is a credit note",
    "positive_credit_note": "an amount below zero: a credit note takes back what was counted before",
}
_MOST_KG: Final = float(MOST_MG // MG_PER_KG)


@dataclass(frozen=True)
class Calculation:
    """A result with what is missing from it.

    lines : `lines_schema`, ascending by activity_id, method, biogenic, gas; the same inputs in any order give the same
    left_out : `left_out_schema`, one row an activity, method and reason; it may have lines of other gases
    problems : the same for people, by file and row
    activities : how many were asked for, without those that a correction replaces
    """

    lines: "pl.DataFrame"
    left_out: "pl.DataFrame"
    problems: tuple[Problem, ...]
    activities: int


def left_out_schema() -> "dict[str, type[pl.DataType] | pl.DataType]":
    """What was not calculated: the activity, the method, and why (code, column, found, expected)."""
    import polars as pl

    schema = lines_schema()
    names = (
        "activity_id",
        "entity",
        "hub",
        "sector",
        "period",
        "first_day",
        "last_day",
        "scope",
        "category",
        "activity",
    )
    return {
        **{name: schema[name] for name in (*names, "method", "amount", "unit")},
        **dict.fromkeys(("code", "column", "found", "expected", "file"), pl.String),
        "row": pl.Int64,
    }


def calculate(
    activities: "pl.DataFrame",
    factors: "pl.DataFrame",
    *,
    gwp_set: str = DEFAULT_GWP_SET,
    as_of: "date | None" = None,
    methods: Sequence[str] = METHODS,
) -> Calculation:
    """Emissions of activities.

    activities : `activities_schema`; rows that another one replaces are not counted
    factors : `factors_schema`; as_of : only factors recorded by this day; methods : the ways to count scope 2
    emissions_kg : kilograms of the gas, co2e_kg : emissions_kg x GWP x share (a share that is not given is 1, with the
    remark share_assumed). relative_low, relative_high : of the amount and the factors together, as far as known.
    Raises UnknownGwpSet.
    """
    import polars as pl

    warming = gwp_values(gwp_set)
    current = current_activities(activities)
    rows, refused = _usable_rows(current)
    located = _with_region(rows)
    known_entities = factors["region"].unique()
    own = pl.when(pl.col("entity").is_in(known_entities.implode())).then("entity")
    keyed = located.with_columns(ask_entity=own, ask_method=pl.when(pl.col("scope") == 2).then("method"))
    key = ["ask_entity" if n == "entity" else "ask_method" if n == "method" else n for n in _ASK]
    distinct = keyed.select(key).unique().sort(key, nulls_last=True).with_row_index("ask")
    asks = distinct.rename({"ask_entity": "entity", "ask_method": "method"}).with_columns(pl.col("ask").cast(pl.Int64))
    numbered = keyed.join(distinct.with_columns(pl.col("ask").cast(pl.Int64)), on=key, nulls_equal=True, how="left")
    answers, troubles = answer_asks(asks, factors, methods=methods, as_of=as_of, amounts=month_amounts(rows))
    answers = _with_unknown_region(answers, asks)
    weighted = answers.join(warming, on="gas", how="left")
    unknown = weighted.filter(pl.col("gwp").is_null())
    every = _lines(numbered, weighted.filter(pl.col("gwp").is_not_null()), factors, gwp_set)
    lines = every.filter(_is_countable())
    huge = _too_large(every.filter(~_is_countable()), current)
    left = pl.concat([refused, _left_out(numbered, pl.concat([troubles, _gas_troubles(unknown, gwp_set)])), huge])
    left = left.sort("file", "row", "activity_id", "method", "code", "found")
    return Calculation(lines, left, tuple(_problems(left)), current.height)


def current_activities(activities: "pl.DataFrame") -> "pl.DataFrame":
    """The activities that no other one of them replaces."""
    import polars as pl

    replaced = activities["replaces"].drop_nulls().unique()
    return activities.filter(~pl.col("activity_id").is_in(replaced.implode()))


def _usable_rows(activities: "pl.DataFrame") -> "tuple[pl.DataFrame, pl.DataFrame]":
    """Rows that can be counted, and those that cannot, in `left_out_schema`."""
    import polars as pl

    is_note, amount = pl.col("credit_note").fill_null(False), pl.col("amount")
    code = (
        pl.when(pl.len().over("activity_id") > 1)
        .then(pl.lit("repeated_activity"))
        .when(amount.is_null() | ~amount.is_finite())
        .then(pl.lit("no_amount"))
        .when(~is_note & (amount < 0))
        .then(pl.lit("negative_amount"))
        .when(is_note & (amount > 0))
        .then(pl.lit("positive_credit_note"))
    )
    told = activities.with_columns(code=code)
    refused = told.filter(pl.col("code").is_not_null()).with_columns(
        column=pl.when(pl.col("code") == "repeated_activity").then(pl.lit("activity_id")).otherwise(pl.lit("amount")),
        found=pl.format(
            "{} {}", amount.cast(pl.String).fill_null("no amount"), pl.col("unit").fill_null("without unit")
        ),
        expected=pl.col("code").replace_strict(_EXPECTED, return_dtype=pl.String),
    )
    schema = left_out_schema()
    return told.filter(pl.col("code").is_null()).drop("code"), refused.select(
        pl.col(name).cast(kind) for name, kind in schema.items()
    )


def _with_region(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The region of the factor: the row's own, else its city's; null where neither is known."""
    import polars as pl

    from carbon.footprints.factor_regions import embedded_regions

    cities = embedded_regions().filter(pl.col("hub").is_not_null()).select("hub", of_hub="region").unique("hub")
    joined = rows.join(cities, on="hub", how="left", maintain_order="left")
    return joined.with_columns(region=pl.coalesce("region", "of_hub")).drop("of_hub")


def _lines(rows: "pl.DataFrame", answers: "pl.DataFrame", factors: "pl.DataFrame", gwp_set: str) -> "pl.DataFrame":
    import polars as pl

    both = rows.drop("method", "factor_id", "series").join(_worded(answers, gwp_set), on="ask")
    size = pl.col("amount").abs()
    assumed = pl.when(pl.col("share").is_null()).then(pl.lit("share_assumed"))
    told = both.with_columns(
        emissions_kg=pl.col("amount") * pl.col("coefficient_kg"),
        remarks=pl.concat_str("told", assumed, separator="; ", ignore_nulls=True),
        own_low=pl.when(size > 0).then((pl.col("amount") - pl.col("lower")) / size),
        own_high=pl.when(size > 0).then((pl.col("upper") - pl.col("amount")) / size),
        share=pl.col("share").fill_null(1.0),
    ).with_columns(
        remarks=pl.when(pl.col("remarks") != "").then("remarks"),
        co2e_kg=pl.col("emissions_kg") * pl.col("gwp") * pl.col("share"),
        relative_low=combined_share_expr(["low", "own_low"]),
        relative_high=combined_share_expr(["high", "own_high"]),
    )
    scored = _scored(told, factors)
    return scored.select(pl.col(name).cast(kind) for name, kind in lines_schema().items()).sort(_ORDER)


def _scored(lines: "pl.DataFrame", factors: "pl.DataFrame") -> "pl.DataFrame":
    """Lines with their PCAF score; it is found once for all lines that are alike."""
    import polars as pl

    key = ["ask", "method", "gas", "biogenic", "evidence", "verified"]
    alike = lines.unique(key).with_columns(pcaf=pl.lit(None, dtype=pl.Int8))
    scores = score_lines(alike, factors).select(*key, "pcaf")
    return lines.join(scores, on=key, how="left", nulls_equal=True)


def _with_unknown_region(answers: "pl.DataFrame", asks: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    nowhere = asks.filter(pl.col("region").is_null())["ask"].implode()
    remark = pl.when(pl.col("ask").is_in(nowhere)).then(["region_unknown"]).otherwise(pl.lit([], pl.List(pl.String)))
    return answers.with_columns(remarks=pl.concat_list("remarks", remark))


def _worded(answers: "pl.DataFrame", gwp_set: str) -> "pl.DataFrame":
    """Answers with the set that their gas is weighed by, and their remarks as one text (told)."""
    import polars as pl

    remarks = pl.col("remarks").list.unique(maintain_order=True)
    return answers.with_columns(
        told=pl.when(remarks.list.len() > 0).then(remarks.list.join("; ")),
        gwp_set=pl.when(pl.col("gas") != TOTAL).then(pl.lit(gwp_set)),
    ).drop("remarks")


def _gas_troubles(unknown: "pl.DataFrame", gwp_set: str) -> "pl.DataFrame":
    import polars as pl

    from carbon.footprints.coefficients import troubles

    found = pl.format("{} of the factor {}", pl.col("gas"), pl.col("factor_ids").list.join(", "))
    return troubles(unknown, "unknown_gas", "activity", found, pl.lit(f"a gas that {gwp_set} has a potential for"))


def _left_out(rows: "pl.DataFrame", troubles: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    told = rows.drop("method").join(troubles, on="ask")
    return told.select(pl.col(name).cast(kind) for name, kind in left_out_schema().items())


def _is_countable() -> "pl.Expr":
    """False for what no total could hold; one such line would spoil every total for good."""
    import polars as pl

    figures = (pl.col(name) for name in ("emissions_kg", "co2e_kg"))
    return pl.all_horizontal(figure.is_finite() & (figure.abs() <= _MOST_KG) for figure in figures)


def _too_large(lines: "pl.DataFrame", activities: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    told = lines.join(activities.select("activity_id", "file", "row"), on="activity_id", how="left").with_columns(
        code=pl.lit("too_large"),
        column=pl.lit("amount"),
        found=pl.format("{} {} by {}", "amount", "unit", pl.col("factor_ids").list.join(", ")),
        expected=pl.lit(f"emissions of at most {_MOST_KG:,.0f} kg a line"),
    )
    return told.select(pl.col(name).cast(kind) for name, kind in left_out_schema().items())


def _problems(left: "pl.DataFrame") -> list[Problem]:
    names = ("file", "row", "column", "activity_id", "method", "found", "expected", "code")
    return [
        Problem(
            file=file or "activities",
            row=row,
            column=column,
            found=f"{found} (activity {activity_id}{', by ' + method if method else ''})",
            expected=expected,
            code=code,
            severity="error",
        )
        for file, row, column, activity_id, method, found, expected, code in left.select(names).iter_rows()
    ]
