"""What the sentences of a file of bulletins make: statements, and canonical rows of the daily ones.

Knows how the statements of one day become rows and what must hold inside a bulletin and between two of them. Must not
know words and sentences (`carbon.formats.bulletins`) or the lake. Weekly and cumulative figures stay statements: no day
is made of them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.calendar import sessions_of_years
from carbon.errors import FileTooLarge, Problem
from carbon.findings import findings_where, no_findings
from carbon.formats.bulletins import NAME, Bulletin, Statement, looks_like_bulletin, read_line, statements_schema
from carbon.formats.changes import find_wrong_changes
from carbon.formats.parts import Part, read_parts, typed_part
from carbon.formats.reading import Limits, Reading
from carbon.formats.text import MAX_BYTES, MAX_ROWS, decode, read_bytes
from carbon.layout import Layout, PriceRule
from carbon.rows import METHOD_NAMES, PARTS

if TYPE_CHECKING:
    import polars as pl

__all__ = ["BulletinReading", "compare_statements", "find_layout", "read", "read_bulletins"]

MARKET = PRODUCT = "CEA"

_ROLES = {
    "open": "开盘价",
    "high": "最高价",
    "low": "最低价",
    "close": "收盘价",
    "volume": "成交量",
    "value": "成交额",
}
_METHODS = {"listing": "挂牌协议", "block": "大宗协议", "auction": "单向竞价"}
_TYPED = ("listing", "block", "auction")


@dataclass(frozen=True, eq=False)
class BulletinReading:
    """What a file of bulletins holds.

    statements : every figure that could be read (`carbon.formats.bulletins.statements_schema`), also of bulletins with
    an error elsewhere; reading : canonical rows of the daily bulletins, and everything wrong with the file by line
    """

    statements: "pl.DataFrame"
    reading: Reading

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All errors and warnings, by line."""
        return self.reading.problems


def find_layout(header: Sequence[str]) -> Layout | None:
    """A layout without columns for a file whose first line begins as a bulletin does; null where it does not."""
    if not looks_like_bulletin(",".join(header)):
        return None
    return Layout(feed=NAME, columns={}, positions={}, width=1, header_rows=0, price_rule="none")


def read(path: Path, market: str, file: str, limits: Limits) -> Reading:
    """The canonical rows of the daily bulletins. Raises UnreadableFile, FileTooLarge, UnknownMarket."""
    return read_bulletins(path, market=market, file=file, limits=limits).reading


def read_bulletins(
    path: Path,
    *,
    market: str = MARKET,
    file: str | None = None,
    closes: "pl.DataFrame | None" = None,
    limits: Limits | None = None,
) -> BulletinReading:
    """Statements and rows of a file with one bulletin a line.

    market : market key asked for; the bulletins are the national market's, so another one gives no rows and one error
    closes : day and close_fen_per_t of days before, for checking the printed changes; the file's own closes are known
    Errors set the rows of a bulletin apart: `unreadable_sentence`, `unreadable_date`, `unlike_day`, `parts_not_total`
    (within the precision printed), and the rules of every format. Warnings: `change_not_closes`, `cumulative_step`,
    `cumulative_falls`. Raises UnreadableFile, FileTooLarge, UnknownMarket.
    """
    import polars as pl

    bounds = limits or Limits(max_bytes=MAX_BYTES, max_rows=MAX_ROWS)
    name = file or path.name
    lines = decode(read_bytes(path, max_bytes=bounds.max_bytes), name).splitlines()
    if len(lines) > bounds.max_rows:
        raise FileTooLarge(f"found {name} with more than {bounds.max_rows} rows, expected at most {bounds.max_rows}")
    bulletins = {row: read_line(line, row) for row, line in enumerate(lines, start=1) if line.strip()}
    statements = _frame_of([statement for bulletin in bulletins.values() for statement in bulletin.statements], name)
    findings = pl.concat(
        [
            _unread(bulletins),
            _find_unlike_totals(statements),
            _find_wrong_changes(statements, closes),
            _find_cumulative_steps(statements),
        ]
    )
    return BulletinReading(statements, read_parts(_parts_of(statements), findings, market=market, file=name))


def _frame_of(statements: list[Statement], file: str) -> "pl.DataFrame":
    import polars as pl

    rows = [{**asdict(statement), "market": MARKET, "file": file} for statement in statements]
    return pl.DataFrame(rows, schema=statements_schema())


def _unread(bulletins: dict[int, Bulletin]) -> "pl.DataFrame":
    import polars as pl

    rows = [(row, *problem, "error") for row, bulletin in bulletins.items() for problem in bulletin.problems]
    return pl.DataFrame(rows, schema=no_findings().schema, orient="row")


def _parts_of(statements: "pl.DataFrame") -> list[Part]:
    """The daily bulletins as typed parts: those of one price (the close is value / volume) and those of composite ones.

    A composite price stands on the listing row, as the registry's price bulletin prints it.
    """
    import polars as pl

    daily = statements.filter((pl.col("period") == "day") & pl.col("method").is_in([*_TYPED, "composite"]))
    parts = []
    composite_rows = daily.filter(pl.col("method") == "composite")["row"].unique().implode()
    rules: tuple[tuple[pl.Expr, PriceRule], ...] = (
        (~pl.col("row").is_in(composite_rows), "close_is_vwap"),
        (pl.col("row").is_in(composite_rows), "composite"),
    )
    for where, rule in rules:
        lines = daily.filter(where)
        closes = _cells_of(lines.filter(pl.col("method").is_in(["listing", "composite"])), ("close",))
        for code in PARTS:
            method = METHOD_NAMES[code]
            own = (method, "composite") if method == "listing" else (method,)
            cells = _cells_of(lines.filter(pl.col("method").is_in(own)), tuple(_ROLES))
            if method != "listing":
                cells = cells.drop("close").join(closes.select("row", "close"), on="row", how="left")
            layout = _layout(method, code, rule)
            placed = cells.select("row", *(pl.col(role).alias(f"c{at}") for role, at in layout.positions.items()))
            parts.append(typed_part(placed.with_columns(pl.lit(None, pl.String).alias(f"c{layout.width}")), layout))
    return parts


def _cells_of(statements: "pl.DataFrame", roles: tuple[str, ...]) -> "pl.DataFrame":
    """One line a bulletin: row, day and the printed number of each role as text; a "none" is the text 0."""
    import polars as pl

    text = pl.when(pl.col("printed") == "").then(pl.lit("0")).otherwise(pl.col("printed"))
    amount = pl.when(pl.col("unit") == "fen_per_t").then(pl.col("printed")).otherwise(text)
    named = [amount.filter(pl.col("measure") == role).first().alias(role) for role in roles]
    days = pl.col("last_day").first().cast(pl.String).alias("day")
    return statements.group_by("row").agg(days, *named).sort("row")


def _layout(method: str, code: int, rule: PriceRule) -> Layout:
    word = _METHODS[method]
    columns = {"day": "日期", **{role: f"{word}{name}" for role, name in _ROLES.items()}}
    for role in ("open", "high", "low") if method != "listing" else ():
        del columns[role]
    return Layout(
        feed=NAME,
        columns=columns,
        positions={role: position for position, role in enumerate(columns)},
        width=len(columns),
        header_rows=0,
        price_rule=rule,
        fixed_method=code,
        fixed_product=PRODUCT,
    )


def _find_unlike_totals(statements: "pl.DataFrame") -> "pl.DataFrame":
    """Error `parts_not_total`: listing + block + auction against the total of the same day or week (C38).

    A rounded figure may lie half its last digit off; exact ones must agree to the tonne and fen. Ways of trading that a
    bulletin does not mention count as none.
    """
    import polars as pl

    is_part = pl.col("method").is_in(_TYPED)
    is_total = pl.col("method") == "all"
    slack = pl.when(pl.col("precision") > 1).then(pl.col("precision")).otherwise(0)
    summed = (
        statements.filter(pl.col("period").is_in(["day", "week"]) & pl.col("measure").is_in(["volume", "value"]))
        .group_by("row", "measure")
        .agg(
            pl.col("amount").filter(is_part).sum().alias("parts"),
            pl.col("amount").filter(is_total).first().alias("total"),
            slack.sum().alias("slack"),
            pl.col("unit").first(),
            pl.col("printed").filter(is_total).first(),
            is_part.any().alias("has_parts"),
        )
        .sort("row", "measure")
    )
    return findings_where(
        summed,
        pl.col("has_parts") & (2 * (pl.col("parts") - pl.col("total")).abs() > pl.col("slack")),
        code="parts_not_total",
        severity="error",
        column="总成交",
        found=pl.format("{} ({} {})", "printed", "total", "unit"),
        expected=pl.format("{} {}, the sum of the ways of trading", "parts", "unit"),
    )


def _find_wrong_changes(statements: "pl.DataFrame", closes: "pl.DataFrame | None") -> "pl.DataFrame":
    """Printed changes of the day against the closes of this and of the session before."""
    import polars as pl

    daily = statements.filter((pl.col("period") == "day") & pl.col("measure").is_in(["close", "change"]))
    own = daily.group_by("row", pl.col("last_day").alias("day")).agg(
        pl.col("amount").filter(pl.col("measure") == "close").first().alias("close"),
        pl.col("amount").filter(pl.col("measure") == "change").first().alias("change"),
        pl.col("printed").filter(pl.col("measure") == "change").first().alias("change_text"),
    )
    lines = own.with_columns(product=pl.lit(PRODUCT))
    if closes is not None:
        before = closes.filter(~pl.col("day").is_in(own["day"].implode())).select(
            pl.lit(None, pl.Int64).alias("row"),
            "day",
            pl.col("close_fen_per_t").cast(pl.Int64).alias("close"),
            # A change that is not printed is not compared, and the day is still the one before another.
            pl.lit(None, pl.Int64).alias("change"),
            pl.lit(None, pl.String).alias("change_text"),
            pl.lit(PRODUCT).alias("product"),
        )
        lines = pl.concat([lines, before.select(lines.columns)])
    sessions = sessions_of_years(lines["day"].dt.year().drop_nulls().unique().to_list())
    return find_wrong_changes(lines, sessions, column="收盘价较前一日")


def _find_cumulative_steps(statements: "pl.DataFrame") -> "pl.DataFrame":
    """Warnings on sums since the opening: `cumulative_step` where two sessions in a row differ by another figure than
    the day's total, `cumulative_falls` where a later sum is smaller (C38).
    """
    import polars as pl

    exact = statements.filter((pl.col("precision") == 1) & (pl.col("method") == "all"))
    sums = exact.filter(pl.col("period") == "to_date").select("row", "measure", "last_day", "amount", "printed")
    totals = exact.filter(pl.col("period") == "day").select("row", "measure", pl.col("amount").alias("total"))
    sessions = sessions_of_years(statements["last_day"].dt.year().unique().to_list()).to_frame("last_day")
    ordered = (
        sums.join(totals, on=["row", "measure"], how="left")
        .join(sessions.with_row_index("session"), on="last_day", how="left")
        .sort("measure", "last_day", "row")
        .with_columns(
            step=pl.col("amount") - pl.col("amount").shift(1).over("measure"),
            sessions=pl.col("session").cast(pl.Int64) - pl.col("session").shift(1).over("measure").cast(pl.Int64),
        )
    )
    falls = findings_where(
        ordered,
        pl.col("step") < 0,
        code="cumulative_falls",
        severity="warning",
        column="累计",
        found=pl.col("printed"),
        expected=pl.lit("at least the sum printed before"),
    )
    steps = findings_where(
        ordered,
        (pl.col("sessions") == 1) & (pl.col("step") >= 0) & (pl.col("step") != pl.col("total")),
        code="cumulative_step",
        severity="warning",
        column="累计",
        found=pl.format("{} ({} above the session before)", "printed", "step"),
        expected=pl.format("a rise by the day's {}", "total"),
    )
    return pl.concat([falls, steps])


def compare_statements(statements: "pl.DataFrame", rows: "pl.DataFrame") -> "pl.DataFrame":
    """The tonnes and values that rows make for the period of each statement, beside what was printed.

    statements : `carbon.formats.bulletins.statements_schema`; rows : canonical rows of one feed and market
    Result: the statements of volumes and values with computed Int64 (same unit), difference (computed - amount) and
    agrees Boolean: within half the last printed digit, to the unit for exact figures. All three are null where the rows
    do not reach from the first day of the period (since the opening: from the market's first day) to its last.
    """
    import polars as pl

    from carbon.embedded import read_embedded

    opened = read_embedded("markets").filter(pl.col("market") == MARKET)["opened"].item()
    figures = statements.filter(pl.col("unit").is_in(["t", "fen"])).with_row_index("statement")
    codes = {name: code for code, name in METHOD_NAMES.items()}
    code = pl.col("method").replace_strict(codes, default=None, return_dtype=pl.Int8)
    wanted = figures.select(
        "statement", "last_day", "measure", "method", code=code, since=pl.col("first_day").fill_null(opened)
    )
    first, last = rows["day"].min(), rows["day"].max()
    crossed = wanted.join_where(
        rows.select("day", pl.col("method").alias("row_method"), "volume_t", "value_fen"),
        pl.col("day") >= pl.col("since"),
        pl.col("day") <= pl.col("last_day"),
    )
    amount = pl.when(pl.col("measure") == "volume").then("volume_t").otherwise("value_fen")
    sums = (
        crossed.filter((pl.col("method") == "all") | (pl.col("row_method") == pl.col("code")))
        .group_by("statement")
        .agg(amount.sum().alias("computed"))
    )
    is_covered = (pl.col("first_day").fill_null(opened) >= first) & (pl.col("last_day") <= last)
    slack = pl.when(pl.col("precision") > 1).then(pl.col("precision")).otherwise(0)
    return (
        figures.join(sums, on="statement", how="left", maintain_order="left")
        .with_columns(computed=pl.when(is_covered).then(pl.col("computed").fill_null(0)))
        .with_columns(difference=pl.col("computed") - pl.col("amount"))
        .with_columns(agrees=2 * pl.col("difference").abs() <= slack)
        .drop("statement")
    )
