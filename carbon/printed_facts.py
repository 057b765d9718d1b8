"""Figures that exchanges and the press printed of a city's carbon market, beside what the daily files add up to.

Knows the layout of a file of such facts (as_of, place, fact, value, unit, note, source), which wordings name a figure
that daily files can answer, and how the two are set side by side. Must not know where the daily figures come from, nor
today's date. Nothing is guessed: a fact whose wording fits no rule, or fits one that daily files cannot answer, stays
in the list with the reason why it was not compared.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from carbon.errors import Problem, UnknownFormat

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FACT_COLUMNS", "PILOTS", "FactReading", "FactRule", "classify_facts", "compare_facts", "read_facts"]

FACT_COLUMNS: Final = ("as_of", "place", "fact", "value", "unit", "note", "source")
_NEEDED: Final = ("as_of", "place", "fact", "value", "unit")
_AS_OF: Final = r"^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?$"

PILOTS: Final = "pilots"
"""Stands in the column market for all local pilots together."""

Extent = Literal["cumulative", "period"]
Measure = Literal["volume_t", "value_cny"]


@dataclass(frozen=True)
class FactRule:
    """Which wording names which figure.

    wording : regular expression, matched against the whole fact in lower case; unit : as printed, exactly
    measure, extent : volume_t or value_cny; cumulative since the market opened, or of the day, month or year in as_of
    venues : what the wording leaves open is compared with both screen and all_venue figures
    refusal : why such a fact cannot be compared; null for one that can
    """

    wording: str
    unit: str
    measure: Measure = "volume_t"
    extent: Extent = "cumulative"
    venues: tuple[str, ...] = ("screen", "all_venue")
    pilots: bool = False
    refusal: str | None = None


_FORWARD: Final = "counts forward trade, which no daily file carries"
# The first rule that fits counts.
_RULES: Final = (
    FactRule(r"cumulative .*forward.*", "t", refusal=_FORWARD),
    FactRule(r"cumulative volume all venues\b.*", "t", venues=("all_venue",)),
    FactRule(r"cumulative (?:allowance |pilot-market |spot )?volume\b.*", "t"),
    FactRule(r"cumulative (?:allowance |pilot-market |spot )?value\b.*", "CNY", measure="value_cny"),
    FactRule(r"(?:daily|monthly|annual) volume", "t", extent="period"),
    FactRule(r"(?:daily|monthly|annual) value", "CNY", measure="value_cny", extent="period"),
    FactRule(r"volume of all local pilots in \d{4}", "t", extent="period", venues=("as_stored",), pilots=True),
)
_WORDED_PERIODS: Final = {"daily": len("2025-01-02"), "monthly": len("2025-01"), "annual": len("2025")}


@dataclass(frozen=True)
class FactReading:
    """What one file of facts holds: the good rows (columns: see `read_facts`), and every problem."""

    facts: "pl.DataFrame"
    problems: tuple[Problem, ...]


def read_facts(path: Path, *, file: str | None = None) -> FactReading:
    """The facts of a CSV file, good rows kept and bad ones reported.

    path : .csv or .csv.gz with the columns of FACT_COLUMNS in any order; file : name to report, else the path's own
    facts : as_of String (2014-12-31, 2023-04 or 2015), first_day, last_day Date (the days that as_of spans), place,
    fact String, value Float64, unit, note, source String (null where empty), file String, row Int64
    Errors set a row apart: an empty cell, a date or a number that cannot be read. Warnings keep it: no source, a
    fact that a line above has too. Raises UnknownFormat for another header, UnreadableFile.
    """
    import polars as pl

    from carbon.findings import to_problems
    from carbon.formats.text import decode, read_bytes, read_header, split_cells

    name = file or path.name
    header = read_header(path)
    lacking = [column for column in FACT_COLUMNS if column not in header]
    if lacking:
        raise UnknownFormat(f"found {name} with columns {', '.join(header)}; expected also {', '.join(lacking)}")
    cells = split_cells(decode(read_bytes(path), name), name, width=len(header), header_rows=1)
    places = {column: f"c{header.index(column)}" for column in FACT_COLUMNS}
    texts = cells.select("row", *(pl.col(place).alias(column) for column, place in places.items()))
    rows = texts.filter(pl.any_horizontal(pl.col(FACT_COLUMNS).is_not_null())).with_columns(
        *_span("as_of"), number=pl.col("value").cast(pl.Float64, strict=False)
    )
    findings = _find_problems(rows)
    bad = findings.filter(pl.col("severity") == "error")
    good = rows.join(bad.select("row"), on="row", how="anti").select(
        *("as_of", "first_day", "last_day", "place", "fact"),
        *(pl.col("number").alias("value"), "unit", "note", "source", pl.lit(name).alias("file"), "row"),
    )
    return FactReading(facts=good, problems=tuple(to_problems(findings, name)))


def _span(column: str) -> "list[pl.Expr]":
    """First and last day of a day, month or year written as text."""
    import polars as pl

    year, month, day = (pl.col(column).str.extract(_AS_OF, group) for group in (1, 2, 3))
    start = pl.concat_str([year, month.fill_null("01"), day.fill_null("01")], separator="-").str.to_date(
        "%Y-%m-%d", strict=False
    )
    end = (
        pl.when(month.is_null())
        .then(start.dt.offset_by("1y"))
        .when(day.is_null())
        .then(start.dt.offset_by("1mo"))
        .otherwise(start.dt.offset_by("1d"))
    )
    return [start.alias("first_day"), end.dt.offset_by("-1d").alias("last_day")]


def _find_problems(rows: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    from carbon.findings import findings_where

    repeated = pl.struct("as_of", "place", "fact", "unit").is_first_distinct().not_()
    kinds: list[tuple[str, Literal["error", "warning"], str, pl.Expr, str]] = [
        *(("empty_cell", "error", name, pl.col(name).is_null(), "a text") for name in _NEEDED),
        (
            *("bad_date", "error", "as_of", pl.col("first_day").is_null() & pl.col("as_of").is_not_null()),
            "a day, month or year such as 2014-12-31, 2023-04 or 2015",
        ),
        (
            *("bad_number", "error", "value"),
            *(~pl.col("number").is_finite().fill_null(False) & pl.col("value").is_not_null(), "a number"),
        ),
        ("no_source", "warning", "source", pl.col("source").is_null(), "where the fact was printed"),
        ("repeated_fact", "warning", "fact", repeated, "each date, place, fact and unit once"),
    ]  # fmt: skip
    return pl.concat(
        findings_where(
            rows, where, code=code, severity=severity, column=column, found=pl.col(column), expected=pl.lit(expected)
        )
        for code, severity, column, where, expected in kinds
    )


def classify_facts(facts: "pl.DataFrame", markets: "pl.DataFrame") -> "pl.DataFrame":
    """What each fact is a figure of, as far as its wording says.

    facts : of `read_facts`; markets : market, products
    Adds market (key, or PILOTS), measure (volume_t | value_cny), extent (cumulative | period), venues (List of String:
    those that it may be compared with) and reason (String: why there is nothing to compare; null where there is). A
    place is a market where it is its key or a product code, letter case apart.
    """
    import polars as pl

    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "market": pl.String,
        "measure": pl.String,
        "extent": pl.String,
        "venues": pl.List(pl.String),
        "reason": pl.String,
    }
    keys = {market.casefold(): market for market in markets["market"]}
    keys |= {
        code.casefold(): market for market, codes in markets.select("market", "products").iter_rows()
        for code in codes.split(";")
    }  # fmt: skip
    told = [
        _classified(place, fact, unit, as_of, keys)
        for place, fact, unit, as_of in facts.select("place", "fact", "unit", "as_of").iter_rows()
    ]
    return facts.hstack(pl.DataFrame(told, schema=schema, orient="row"))


_Told = tuple[str | None, str | None, str | None, list[str] | None, str | None]


def _classified(place: str, fact: str, unit: str, as_of: str, keys: dict[str, str]) -> _Told:
    wording = fact.strip().casefold()
    rule = next((one for one in _RULES if one.unit == unit and re.fullmatch(one.wording, wording)), None)
    if rule is None:
        return None, None, None, None, "the wording and unit name no figure of daily trading"
    market = PILOTS if rule.pilots else keys.get(place.strip().casefold())
    if market is None:
        return None, rule.measure, rule.extent, None, f"the place {place} is no market"
    if rule.refusal is not None:
        return market, rule.measure, rule.extent, None, rule.refusal
    length = _WORDED_PERIODS.get(wording.split()[0])
    year = re.search(r"\b\d{4}$", wording) if rule.pilots else None
    if (length is not None and len(as_of) != length) or (year is not None and year[0] != as_of):
        return market, rule.measure, rule.extent, None, f"the wording and the date {as_of} name different periods"
    return market, rule.measure, rule.extent, list(rule.venues), None


def compare_facts(facts: "pl.DataFrame", figures: "pl.DataFrame", opened: "pl.DataFrame") -> "pl.DataFrame":
    """Each fact beside what the figures add up to, a row for each venue; facts that cannot be compared once.

    facts : of `classify_facts`; opened : market, opened (Date)
    figures : market, venue, first_day, last_day (the days that a figure stands for), volume_t, value_cny, whole
    (Boolean, false where the figure itself lacks something that is known to be missing), source; figures of one market
    and venue do not overlap

    A figure counts where its days lie within those of the fact: since the opening for a cumulative one. Result, in
    the order of the file: as_of, place, fact, value, unit (as printed), market, measure, extent, venue, computed
    Float64, difference_percent (computed against printed), computed_from, computed_to Date, status, reason, note,
    source, computed_source, file, row. Status: compared (the figures reach over all days), partly (they begin later,
    end earlier or are incomplete: the reason says so), not_covered, unmatched. Sessions that a feed leaves out between
    its first and last day are not seen here.
    """
    import polars as pl

    comparable = facts.filter(pl.col("reason").is_null()).explode("venues").rename({"venues": "venue"})
    others = facts.filter(pl.col("reason").is_not_null()).drop("venues").with_columns(
        venue=pl.lit(None, dtype=pl.String), status=pl.lit("unmatched")
    )  # fmt: skip
    started = comparable.join(opened.select("market", "opened"), on="market", how="left").with_columns(
        from_day=pl.when(pl.col("extent") == "cumulative")
        .then("opened")
        .otherwise(pl.max_horizontal("first_day", "opened"))
    )
    summed = _sum_within(started, figures)
    percent = (pl.col("computed") / pl.col("value") - 1) * 100
    judged = summed.with_columns(_status(), difference_percent=pl.when(pl.col("value") != 0).then(percent))
    whole = pl.concat([judged.drop("reason").with_columns(_reason()), others], how="diagonal")
    columns = [
        *("as_of", "place", "fact", "value", "unit", "market", "measure", "extent", "venue", "computed"),
        *("difference_percent", "computed_from", "computed_to", "status", "reason", "note", "source"),
        *("computed_source", "file", "row"),
    ]
    return whole.select(columns).sort("row", "venue", descending=[False, True], maintain_order=True)


def _sum_within(facts: "pl.DataFrame", figures: "pl.DataFrame") -> "pl.DataFrame":
    """Add computed, computed_from, computed_to, computed_source, torn (a figure reaches over an edge of the fact),
    whole (no figure is itself incomplete), reach_from and reach_to (of all figures of the venue)."""
    import polars as pl

    keyed = facts.with_row_index("fact_number")
    figure = pl.when(pl.col("measure") == "volume_t").then(pl.col("volume_t").cast(pl.Float64)).otherwise("value_cny")
    met = (
        keyed.select("fact_number", "market", "venue", "measure", "from_day", until="last_day")
        .join(figures, on=["market", "venue"])
        .filter((pl.col("last_day") >= pl.col("from_day")) & (pl.col("first_day") <= pl.col("until")))
        .with_columns(
            figure=figure, torn=(pl.col("first_day") < pl.col("from_day")) | (pl.col("last_day") > pl.col("until"))
        )
    )
    sums = met.group_by("fact_number").agg(
        pl.when(pl.col("figure").null_count() == 0).then(pl.col("figure").sum()).alias("computed"),
        pl.col("torn").any(),
        pl.col("whole").all(),
        pl.col("first_day").min().alias("computed_from"),
        pl.col("last_day").max().alias("computed_to"),
        pl.col("source").unique().sort().str.join("; ").alias("computed_source"),
    )
    reach = figures.group_by("market", "venue").agg(
        pl.col("first_day").min().alias("reach_from"), pl.col("last_day").max().alias("reach_to")
    )
    both = keyed.join(sums, on="fact_number", how="left").join(reach, on=["market", "venue"], how="left")
    usable = ~pl.col("torn").fill_null(True)
    return both.with_columns(
        pl.when(usable).then("computed").alias("computed"),
        pl.when(usable).then("computed_from").alias("computed_from"),
        pl.when(usable).then("computed_to").alias("computed_to"),
    ).sort("fact_number")


def _status() -> "pl.Expr":
    import polars as pl

    reaches = (pl.col("reach_from") <= pl.col("from_day")) & (pl.col("reach_to") >= pl.col("last_day"))
    return (
        pl.when(pl.col("computed").is_null())
        .then(pl.lit("not_covered"))
        .when(reaches & pl.col("whole"))
        .then(pl.lit("compared"))
        .otherwise(pl.lit("partly"))
        .alias("status")
    )


def _reason() -> "pl.Expr":
    """Why a comparison is partial or missing, in words; null where it is whole."""
    import polars as pl

    return (
        pl.when(pl.col("status") == "compared")
        .then(None)
        .when((pl.col("status") == "partly") & ~pl.col("whole"))
        .then(pl.lit("a figure is itself incomplete: see its source"))
        .when(pl.col("status") == "partly")
        .then(pl.format("figures from {} to {}, wanted {} to {}", "reach_from", "reach_to", "from_day", "last_day"))
        .when(pl.col("torn").fill_null(False))
        .then(pl.lit("the figures are of longer periods than the fact"))
        .when(pl.col("reach_from").is_null())
        .then(pl.lit("no figure of this venue is loaded"))
        .otherwise(pl.lit("no figure within the days of the fact, or one is not known"))
        .cast(pl.String)
        .alias("reason")
    )
