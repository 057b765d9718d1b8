"""Sums that somebody printed, held against the rows: "until 2022-12-28 the market traded 229,127,782 t".

Knows the small file of such statements and when rows can answer one. Must not know screens or tolerances: a printed sum
is met to the tonne and the fen or it is not (C39).

The file is a CSV with a header: `day` (or `date`), the last day of the sum; `from`, its first day, empty for the
market's first day; `market`, empty for the one asked for; `volume_t` and `value_cny`, the sums (also under the headings
`cumulative_volume_t`, `official_cum_volume_t` and the like); `source`. Further columns are left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.calendar import market_sessions
from carbon.embedded import read_embedded, resolve_market
from carbon.errors import CarbonError, Problem, UnreadableFile
from carbon.reconciliation.identities import identities_schema, total_by_day
from carbon.units import scaled_from_text_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = ["HEADINGS", "Checked", "InvalidAssertions", "check_assertions", "check_statements", "read_assertions"]

# Role -> the headings it is known by, the first one being ours.
HEADINGS = {
    "day": ("day", "date"),
    "from": ("from", "since"),
    "market": ("market",),
    "volume_t": ("volume_t", "cumulative_volume_t", "official_cum_volume_t"),
    "value_cny": ("value_cny", "cumulative_value_cny", "official_cum_value_cny"),
    "source": ("source", "source_url"),
}
_DECIMALS = {"volume_t": 0, "value_fen": 2}


class InvalidAssertions(CarbonError):
    """A file of printed sums cannot be used; `problems` holds everything wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, eq=False)
class Checked:
    """identities : the comparisons that could be made, in `identities.identities_schema`
    unanswered : market, day, first_day, feed, source, reason for the statements that the rows of a feed cannot answer
    """

    identities: "pl.DataFrame"
    unanswered: "pl.DataFrame"


def read_assertions(path: Path, market: str | None = None) -> "pl.DataFrame":
    """The printed sums of a file: market, first_day and day Date, volume_t and value_fen Int64 (null where not stated),
    source, row (line of the file).

    path : CSV in any encoding that market files come in (`carbon.formats.text.decode`)
    market : key or product code of statements that name none
    Raises InvalidAssertions with every problem at once, UnreadableFile, UnknownMarket, and RepeatedHeading where two
    columns of one heading differ.
    """
    import polars as pl

    from carbon.formats.headings import refuse_repeated_headings
    from carbon.formats.text import decode, read_bytes, read_header

    refuse_repeated_headings(path, read_header(path), {name for names in HEADINGS.values() for name in names})
    text_of_file = decode(read_bytes(path), path.name)
    try:
        cells = pl.read_csv(text_of_file.encode(), infer_schema=False, truncate_ragged_lines=True)
    except pl.exceptions.PolarsError as error:
        raise UnreadableFile(f"{path.name}: found no readable CSV, expected one ({error})") from None
    columns = {role: next((name for name in names if name in cells.columns), None) for role, names in HEADINGS.items()}
    if columns["day"] is None or (columns["volume_t"] is None and columns["value_cny"] is None):
        expected = "a column day and a column volume_t or value_cny"
        found = ", ".join(cells.columns)
        raise InvalidAssertions([Problem(path.name, 1, None, found, expected, "unknown_header", "error")])
    text = {role: pl.lit(None, dtype=pl.String) if name is None else pl.col(name) for role, name in columns.items()}
    texts = cells.select(expr.str.strip_chars().replace("", None).alias(role) for role, expr in text.items())
    typed = texts.with_row_index("row", offset=2).select(
        pl.col("row").cast(pl.Int64),
        pl.all().exclude("row").name.suffix("_text"),
        pl.col("day").str.to_date("%Y-%m-%d", strict=False),
        pl.col("from").str.to_date("%Y-%m-%d", strict=False).alias("first_day"),
        scaled_from_text_expr(pl.col("volume_t"), 0).alias("volume_t"),
        scaled_from_text_expr(pl.col("value_cny"), 2).alias("value_fen"),
    )
    problems = _problems(typed, path.name, columns, market)
    if problems:
        raise InvalidAssertions(problems)
    named = typed["market_text"].fill_null(market or "").to_list()
    opened = read_embedded("markets").select("market", "opened")
    return (
        typed.with_columns(pl.Series("market", [resolve_market(name) for name in named], dtype=pl.String))
        .join(opened, on="market", how="left", maintain_order="left")
        .select(
            "market",
            pl.coalesce("first_day", "opened").alias("first_day"),
            *["day", "volume_t", "value_fen"],
            pl.col("source_text").alias("source"),
            "row",
        )
    )


def _problems(typed: "pl.DataFrame", file: str, columns: dict[str, str | None], market: str | None) -> list[Problem]:
    import polars as pl

    from carbon.findings import findings_where, to_problems

    wrong = [
        ("day", pl.col("day").is_null(), "a day such as 2022-12-28"),
        (
            "from",
            pl.col("first_day").is_null() & pl.col("from_text").is_not_null(),
            "a day such as 2022-01-01, or nothing",
        ),
        ("volume_t", pl.col("volume_t").is_null() & pl.col("volume_t_text").is_not_null(), "whole tonnes"),
        ("value_cny", pl.col("value_fen").is_null() & pl.col("value_cny_text").is_not_null(), "CNY with two decimals"),
        ("volume_t", pl.col("volume_t_text").is_null() & pl.col("value_cny_text").is_null(), "tonnes or CNY"),
    ]
    if market is None:
        wrong.append(("market", pl.col("market_text").is_null(), "a market, or one named for the whole file"))
    findings = pl.concat(
        findings_where(
            typed,
            where,
            code=f"unreadable_{role}",
            severity="error",
            column=columns[role],
            found=pl.col(f"{role}_text"),
            expected=pl.lit(expected),
        )
        for role, where, expected in wrong
    )
    return to_problems(findings, file)


def check_assertions(rows: "pl.DataFrame", assertions: "pl.DataFrame") -> Checked:
    """Each printed sum against the same sum of every feed that covers it: rule "printed sum", left the sum of the rows,
    right the printed one, which must be exact.

    rows : canonical rows; assertions : result of `read_assertions`
    A feed covers a sum where no session of the market from its first to its last day lies outside the feed's rows.
    """
    import polars as pl

    by_day = total_by_day(rows)
    spans = by_day.group_by("market", "feed").agg(
        pl.col("day").min().alias("begins"), pl.col("day").max().alias("ends")
    )
    asked = assertions.join(spans, on="market", how="left").with_row_index("id")
    reasons = [_why_not(line) for line in asked.iter_rows(named=True)]
    judged = asked.with_columns(pl.Series("reason", reasons, dtype=pl.String))
    covered = judged.filter(pl.col("reason").is_null())
    summed = (
        covered.join(by_day.rename({"day": "traded"}), on=["market", "feed"], suffix="_day")
        .filter(pl.col("traded").is_between("first_day", "day"))
        .group_by("id")
        .agg(_known_sum("volume_t_day"), _known_sum("value_fen_day"))
    )
    both = covered.join(summed, on="id", how="left", maintain_order="left")
    compared = [_compared(both, measure) for measure in _DECIMALS]
    unanswered = judged.filter(pl.col("reason").is_not_null())
    return Checked(
        identities=pl.concat(compared).sort("market", "day", "left_from", "measure"),
        unanswered=unanswered.select("market", "day", "first_day", "feed", "source", "reason"),
    )


def check_statements(rows: "pl.DataFrame", statements: "pl.DataFrame") -> "pl.DataFrame":
    """What the sentences of bulletins say of a day, a week or all days until then, against every other feed that covers
    it, in `identities.identities_schema`: rule "bulletin", left the sum of the rows, right the printed figure.

    rows : canonical rows; statements : `carbon.formats.bulletins.statements_schema`
    Figures that are printed rounded (in 万 or 亿) have the rule "bulletin, rounded", and their difference is what lies
    beyond half of the last printed digit: zero within it.
    """
    import polars as pl

    from carbon.formats.bulletin_rows import compare_statements
    from carbon.formats.bulletins import NAME

    found = [pl.DataFrame(schema=identities_schema())]
    others = rows.filter(~pl.col("feed").str.starts_with(NAME)).partition_by("market", "feed", maintain_order=True)
    for part in others:
        ours = statements.filter(pl.col("market") == part["market"][0])
        compared = compare_statements(ours, part).filter(pl.col("agrees").is_not_null())
        is_rounded = pl.col("precision") > 1
        named = compared.with_columns(
            rule=pl.when(is_rounded).then(pl.lit("bulletin, rounded")).otherwise(pl.lit("bulletin")),
            product=pl.lit(None, dtype=pl.String),
            method=pl.when(pl.col("method") != "all").then("method"),
            day=pl.col("last_day"),
            measure=pl.col("measure").replace_strict({"volume": "volume_t", "value": "value_fen"}),
            left=pl.col("computed"),
            right=pl.col("amount"),
            difference=pl.when("agrees").then(0).otherwise("difference"),
            left_from=pl.lit(part["feed"][0]),
            right_from=pl.format("bulletin ({})", "period"),
            must_be_exact=pl.lit(True),
        )
        found.append(named.select(pl.col(name).cast(kind) for name, kind in identities_schema().items()))
    return pl.concat(found)


def _why_not(line: dict[str, object]) -> str | None:
    """Why the rows of a feed cannot answer a statement; null where they can."""
    from datetime import date

    first, last, begins, ends = (line[name] for name in ("first_day", "day", "begins", "ends"))
    if not isinstance(begins, date) or not isinstance(ends, date):
        return "no rows of this market"
    if not isinstance(first, date) or not isinstance(last, date):
        return "no days stated"
    sessions = market_sessions(str(line["market"]), range(first.year, last.year + 1))
    outside = sessions.filter(sessions.is_between(first, last) & ~sessions.is_between(begins, ends))
    in_known_years = {first.year, last.year} <= set(sessions.dt.year().to_list())
    is_covered = outside.is_empty() if in_known_years else begins <= first and last <= ends
    return None if is_covered else f"rows from {begins} to {ends} only"


def _known_sum(column: str) -> "pl.Expr":
    import polars as pl

    return pl.when(pl.col(column).null_count() == 0).then(pl.col(column).sum()).alias(column)


def _compared(both: "pl.DataFrame", measure: str) -> "pl.DataFrame":
    import polars as pl

    stated = both.filter(pl.col(measure).is_not_null()).with_columns(
        rule=pl.lit("printed sum"),
        product=pl.lit(None, dtype=pl.String),
        method=pl.lit(None, dtype=pl.String),
        measure=pl.lit(measure),
        left=pl.col(f"{measure}_day"),
        right=pl.col(measure),
        difference=pl.col(f"{measure}_day") - pl.col(measure),
        left_from=pl.col("feed"),
        right_from=pl.col("source").fill_null("printed"),
        must_be_exact=pl.lit(True),
    )
    return stated.select(pl.col(name).cast(kind) for name, kind in identities_schema().items())
