"""Lines that hold several ways of trading side by side: each becomes up to three canonical rows.

Knows how a line is taken apart into parts (one a method, each with a layout of its own), and that the parts must make
the printed total. Must not know any one publisher's headings or the lake. The rules for rows are those of every format;
an error in one part sets the whole line apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.checks import ROW_RULES, find_fractions, find_unreadable_dates, find_unreadable_numbers
from carbon.cross_checks import find_repeats, find_unknown_products
from carbon.embedded import product_pattern
from carbon.feed_checks import FEED_RULES
from carbon.findings import findings_where, price_text, to_problems
from carbon.formats.reading import Limits, Reading, canonical_rows, lines_set_apart
from carbon.formats.text import decode, read_bytes, split_cells
from carbon.layout import PRICES, Layout, PriceRule, type_cells
from carbon.rows import AUCTION, BLOCK, LISTING, rows_schema

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "METHOD_COLUMNS",
    "Part",
    "find_unlike_totals",
    "lines_of",
    "part_layouts",
    "read_parts",
    "typed_part",
]

# The names that wide tables give their columns of one method: volume and value.
METHOD_COLUMNS = {LISTING: "listed", BLOCK: "block", AUCTION: "auction"}

_PRICE_ROLES = (*PRICES, "average")


@dataclass(frozen=True, eq=False)
class Part:
    """The typed cells of one method (`carbon.layout.type_cells`) and the layout they were read by."""

    typed: "pl.DataFrame"
    layout: Layout


def part_layouts(
    feed: str,
    header: Sequence[str],
    shared: Mapping[str, str],
    figures: Mapping[int, tuple[str, str]],
    *,
    price_rule: PriceRule,
    fixed_product: str | None = None,
) -> dict[int, Layout] | None:
    """One layout a method for a first line that holds all the headings; null where one is missing.

    shared : role -> heading of what all methods share (day, product, prices); prices other than the close belong to
    listed trading only; figures : method -> headings of its volume and value
    """
    headings = [*shared.values(), *(heading for pair in figures.values() for heading in pair)]
    if any(heading not in header for heading in headings):
        return None
    layouts = {}
    for method, (volume, value) in figures.items():
        columns = {
            role: heading
            for role, heading in shared.items()
            if method not in (BLOCK, AUCTION) or role not in _PRICE_ROLES or role == "close"
        } | {"volume": volume, "value": value}
        layouts[method] = Layout(
            feed=feed,
            columns=columns,
            positions={role: header.index(heading) for role, heading in columns.items()},
            width=len(header),
            header_rows=1,
            price_rule=price_rule,
            fixed_method=method,
            fixed_product=fixed_product,
        )
    return layouts


def lines_of(path: Path, layout: Layout, file: str, limits: Limits) -> "pl.DataFrame":
    """The lines of a file as cells of text (`carbon.formats.text.split_cells`), blank lines left out.

    Raises UnreadableFile, FileTooLarge.
    """
    import polars as pl

    text = decode(read_bytes(path, max_bytes=limits.max_bytes), file)
    cells = split_cells(text, file, width=layout.width, header_rows=layout.header_rows, max_rows=limits.max_rows)
    return cells.filter(pl.any_horizontal(pl.exclude("row").is_not_null()))


def find_unlike_totals(parts: Sequence[Part], total: Part) -> "pl.DataFrame":
    """Error `parts_not_total`: listing + block + auction is not the printed total, in tonnes or in fen (C38).

    A part whose cell is empty counts as none; a line without any part or total, or with a part that cannot be read, is
    not compared. Error `missing_figure`: a total above zero and no part at all, since nothing else would tell that the
    line is lost. Errors `unreadable_number`, `not_whole_tonnes`, `finer_than_fen`: a total that is no such number.
    """
    import polars as pl

    headings = [total.layout.heading(role) for role in ("volume", "value")]
    unreadable = [rule(total.typed, total.layout) for rule in (find_unreadable_numbers, find_fractions)]
    findings = [found.filter(pl.col("column").is_in(headings)) for found in unreadable]
    for role in ("volume", "value"):
        joined = total.typed.select("row", f"{role}_text", total=role)
        for number, part in enumerate(parts):
            unread = pl.col(f"{role}_text").is_not_null() & pl.col(role).is_null()
            own = part.typed.select("row", pl.col(role).alias(f"part{number}"), unread.alias(f"unread{number}"))
            joined = joined.join(own, on="row", how="left")
        names = [f"part{number}" for number in range(len(parts))]
        has_part = pl.any_horizontal(pl.col(names).is_not_null())
        is_known = has_part & ~pl.any_horizontal(pl.col("^unread.*$"))
        summed = joined.with_columns(sum=pl.when(is_known).then(pl.sum_horizontal(names)))
        shown = price_text("sum") if role == "value" else pl.col("sum").cast(pl.String)
        findings.append(
            findings_where(
                summed,
                pl.col("sum") != pl.col("total"),
                code="parts_not_total",
                severity="error",
                column=total.layout.heading(role),
                found=pl.col(f"{role}_text"),
                expected=pl.format("{}, the sum of listing, block and auction", shown),
            )
        )
        findings.append(
            findings_where(
                joined,
                (pl.col("total") > 0) & ~has_part & ~pl.any_horizontal(pl.col("^unread.*$")),
                code="missing_figure",
                severity="error",
                column=total.layout.heading(role),
                found=pl.col(f"{role}_text"),
                expected=pl.lit("listing, block or auction beside the total"),
            )
        )
    return pl.concat(findings)


def read_parts(
    parts: Sequence[Part], findings: "pl.DataFrame", *, market: str, file: str, rows_of_others: int = 0
) -> Reading:
    """Check the parts of all lines and make canonical rows of them.

    parts : for each method the lines that have it; findings : what the format itself found wrong, by line
    market : market key; file : name to print; rows_of_others : lines about other markets, counted and not read
    A part is a row where its volume or value is printed; a block or auction part of zero tonnes and zero value says
    that there was no such deal and makes no row. A listing part of zero tonnes is kept, with the close that the
    exchange printed for the day, unless the layout says that zeros are days without trade. rows_read counts rows, not
    lines; a line that makes no row counts once, as a row without trade or, with an error, as one set apart. Notes of
    one cell do not count. Raises UnknownMarket.
    """
    import polars as pl

    printed = [Part(part.typed.filter(_is_printed()), part.layout) for part in parts]
    checked = [findings]
    for part in printed:
        rules = [*ROW_RULES.values(), *FEED_RULES.values()]
        checked += [rule(part.typed, part.layout) for rule in rules]
        checked.append(find_repeats(part.typed, part.layout))
        checked.append(find_unknown_products(part.typed, part.layout, market=market, pattern=product_pattern(market)))
    undated = [part.typed.filter(~_is_printed() & ~pl.col("is_note")) for part in parts]
    checked += [find_unreadable_dates(rows, part.layout) for rows, part in zip(undated, parts, strict=True)]
    found = pl.concat(checked).unique(maintain_order=True)
    errors = found.filter(pl.col("severity") == "error")
    whole_file = errors.filter((pl.col("code") == "unknown_product") & (pl.col("row") <= 1)).height > 0
    bad = errors["row"]
    is_bad = pl.col("row").is_in(bad.implode())
    is_repeat = pl.col("row").is_in(found.filter(pl.col("code") == "repeated_row")["row"].implode())
    rows, rows_read, rows_repeated = [pl.DataFrame(schema=rows_schema())], 0, 0
    for part in printed:
        traded = part.typed.filter(~_is_none(part.layout))
        kept = traded.filter(~is_bad & ~is_repeat)
        rows_read += traded.height
        rows_repeated += traded.filter(~is_bad & is_repeat).height
        rows.append(canonical_rows(kept.clear() if whole_file else kept, part.layout, market, file))
    silent = _lines_without_trade(parts)
    rows_without_trade = silent.filter(~is_bad).height
    return Reading(
        rows=pl.concat(rows).sort("row", "method", maintain_order=True),
        problems=tuple(to_problems(found, file)),
        rows_read=rows_read + silent.height + rows_of_others,
        rows_without_trade=rows_without_trade,
        rows_repeated=rows_repeated,
        set_apart=lines_set_apart(bad.clear() if whole_file else bad, [part.typed for part in parts]),
        rows_of_others=rows_of_others,
    )


def _is_printed() -> "pl.Expr":
    import polars as pl

    return pl.col("volume_text").is_not_null() | pl.col("value_text").is_not_null()


def _is_none(layout: Layout) -> "pl.Expr":
    """True where a part of zero tonnes and zero value says that there was no deal at all."""
    import polars as pl

    is_zero = ((pl.col("volume") == 0) & (pl.col("value") == 0)).fill_null(False)
    return is_zero & (pl.col("method").is_in([BLOCK, AUCTION]) | pl.lit(layout.zero_is_no_trade))


def _lines_without_trade(parts: Sequence[Part]) -> "pl.DataFrame":
    """Lines of which no part makes a row, but for notes of one cell: column row."""
    import polars as pl

    schema = {"row": pl.Int64, "noted": pl.Boolean, "traded": pl.Boolean}
    is_note = pl.col("is_note") & pl.col("day").is_null()
    marked = [part.typed.select("row", noted=is_note, traded=_is_printed() & ~_is_none(part.layout)) for part in parts]
    lines = (
        pl.concat([pl.DataFrame(schema=schema), *marked])
        .group_by("row")
        .agg(pl.col("traded").any(), pl.col("noted").all())
    )
    return lines.filter(~pl.col("traded") & ~pl.col("noted")).select("row")


def typed_part(cells: "pl.DataFrame", layout: Layout) -> Part:
    """The cells of some lines typed by the layout of one method."""
    return Part(type_cells(cells, layout), layout)
