"""The price explorer of the International Carbon Action Partnership: a block of columns for each trading system.

Knows its two lines of headings, its names of systems and its ways to write a day. Row 1 names the system over the first
column of its block, row 2 the columns; blocks differ in width and are parted by a column without a name. The file is
Latin-1. "Secondary Market" is an exchange price whose basis the file does not state and which has changed (for China at
the end of August 2023), "Primary Market" an auction price, older files say "Reference Market". Prices of the stability
reserves are left out. A rate of exchange is printed on each day of a block. It is one for the whole month (446 of 446
months and currencies to July 2024), so an average (M) and no rate of that one day; one that stays the same to the last
digit in the next month was carried forward (all since February 2024), and both are said in its source. Must not know
other formats, nor rows of trades: the file prints no tonnes.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carbon.findings import findings_where, no_findings
from carbon.layout import Layout
from carbon.units import scaled_from_text_expr, well_formed_number_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "KNOWN_HEADER",
    "NAME",
    "Block",
    "decode_icap",
    "find_blocks",
    "find_layout",
    "market_of",
    "name_sources",
    "read_blocks",
]

NAME = "icap_prices"
KNOWN_HEADER = ",New Zealand Emissions Trading System,,,,,,European Union Emissions Trading System,,,..."

KINDS = {"Primary Market": "primary", "Secondary Market": "secondary", "Reference Market": "unstated"}

_SYSTEM = re.compile(r"Emissions Trading S|Cap-and-|Greenhouse Gas Initiative")
_PILOT = re.compile(r"^(?P<place>\w+) \(Pilot\) Emissions Trading System$")
_NATIONAL = "China National Emissions Trading System"
_RATE = re.compile(r"^Exchange rate (?P<currency>[A-Z]{3})/(?P<target>EUR|USD)$")
_STABILITY = re.compile(r"^(?:Primary|Secondary) Stability \d+$")
_CURRENCY = "Market Currency"
_DAY_FIRST = r"^(\d{1,2})/(\d{1,2})/(\d{4})$"
_ISO = r"^\d{4}-\d{2}-\d{2}$"
_HEADER_ROWS = 2
_PRICE_DECIMALS = 6


@dataclass(frozen=True)
class Block:
    """One trading system: its name in the file, its currency by the headings, and its columns by position.

    prices : position -> kind of price; per_eur, per_usd, currency : positions, null where the block has none
    unknown : headings that no rule knows
    repeated : rates and currencies that stand over two columns of the block; neither is read
    """

    name: str
    prices: dict[int, str]
    heading_currency: str | None
    per_eur: int | None
    per_usd: int | None
    currency: int | None
    unknown: tuple[str, ...]
    repeated: tuple[str, ...] = ()


def find_layout(header: Sequence[str]) -> Layout | None:
    """A layout without columns for a first line of system names; null where it is none."""
    if len(header) < 2 or header[0] or not any(_SYSTEM.search(cell) for cell in header):
        return None
    return Layout(feed=NAME, columns={}, positions={}, width=len(header), header_rows=_HEADER_ROWS, price_rule="none")


def decode_icap(data: bytes) -> str:
    """The text of the file: UTF-8 where it is that, else Latin-1, which fits any bytes."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def market_of(name: str) -> str:
    """The key of a Chinese market from its name in the file, "CEA" or "Hubei"; other systems keep their name."""
    if name == _NATIONAL:
        return "CEA"
    pilot = _PILOT.match(name)
    return pilot["place"] if pilot else name


def find_blocks(names: Sequence[str], headings: Sequence[str]) -> list[Block]:
    """The blocks of two lines of headings: each runs from its name to the next one."""
    starts = [position for position, name in enumerate(names) if name]
    ends = [*starts[1:], len(headings)]
    return [_block(names[start], headings, start, end) for start, end in zip(starts, ends, strict=True)]


def _block(name: str, headings: Sequence[str], start: int, end: int) -> Block:
    prices: dict[int, str] = {}
    rates: dict[str, int] = {}
    currencies: set[str] = set()
    unknown = []
    currency = None
    own = [heading for heading in headings[start:end] if heading == _CURRENCY or _RATE.match(heading)]
    repeated = tuple(heading for heading in dict.fromkeys(own) if own.count(heading) > 1)
    for position in range(start, end):
        heading = headings[position]
        rate = _RATE.match(heading)
        if heading in KINDS:
            prices[position] = KINDS[heading]
        elif heading == _CURRENCY:
            currency = position if heading not in repeated else None
        elif rate is not None:
            rates |= {rate["target"]: position} if heading not in repeated else {}
            currencies.add(rate["currency"])
        elif heading and not _STABILITY.match(heading):
            unknown.append(heading)
    return Block(
        name=name,
        prices=prices,
        heading_currency=currencies.pop() if len(currencies) == 1 else None,
        per_eur=rates.get("EUR"),
        per_usd=rates.get("USD"),
        currency=currency,
        unknown=tuple(unknown),
        repeated=repeated,
    )


def read_blocks(text: str) -> "tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]":
    """Prices and rates of every block, and what is wrong with them.

    text : the whole file
    Result : prices (row, day, system, currency, kind, price_micro_per_t), rates (row, day, currency, per_eur, per_usd),
    findings (`carbon.findings`). A cell that is no price or rate is a finding and no figure; lines without a day and
    without a figure are notes and are left out. Rows come in the order of the file.
    """
    import polars as pl

    lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text))]
    names, headings = [*lines, [], []][:_HEADER_ROWS]
    blocks = find_blocks(names, headings)
    cells = pl.DataFrame(
        list(_cells_of(lines, blocks)),
        schema={
            "row": pl.Int64,
            **dict.fromkeys(["day_text", "system", "heading_currency", "currency", "column", "kind"], pl.String),
            **dict.fromkeys(["price_text", "eur_text", "usd_text"], pl.String),
        },
        orient="row",
    )
    typed = cells.with_columns(
        day=_day_expr(pl.col("day_text")),
        price_micro_per_t=scaled_from_text_expr(pl.col("price_text"), _PRICE_DECIMALS),
        per_eur=_rate_expr(pl.col("eur_text")),
        per_usd=_rate_expr(pl.col("usd_text")),
    )
    findings = pl.concat([_findings(typed), _unknown_headings(blocks), _repeated_headings(blocks)])
    known = typed.filter(pl.col("day").is_not_null())
    is_known_currency = pl.col("currency").is_null() | (pl.col("currency") == pl.col("heading_currency"))
    priced = known.filter(pl.col("price_micro_per_t").is_not_null() & (pl.col("price_micro_per_t") > 0))
    prices = priced.filter(is_known_currency).with_columns(currency=pl.coalesce("currency", "heading_currency"))
    has_rate = pl.col("per_eur").is_not_null() | pl.col("per_usd").is_not_null()
    rates = known.filter(has_rate & pl.col("heading_currency").is_not_null()).select(
        "row", "day", pl.col("heading_currency").alias("currency"), "per_eur", "per_usd"
    )
    return (
        prices.select("row", "day", "system", "currency", "kind", "price_micro_per_t"),
        rates.unique(maintain_order=True),
        findings,
    )


def name_sources(rates: "pl.DataFrame") -> "tuple[pl.DataFrame, pl.DataFrame]":
    """Rates with their source, and a warning `rate_carried_forward` for each currency and rate that outlived its month.

    rates : row, day, currency, per_eur, per_usd, one row a day and currency
    Result: the rates with source, "icap_prices (one rate for the month)" or "icap_prices (carried forward since
    2024-02)", ascending by day and currency; and findings (`carbon.findings`), in the first row of the second month.
    """
    import polars as pl

    # The rate of a currency to itself is one for ever.
    to_eur = pl.when(pl.col("currency") != "EUR").then(pl.col("per_eur"))
    to_usd = pl.when(pl.col("currency") != "USD").then(pl.col("per_usd"))
    run = pl.struct(to_eur.alias("eur"), to_usd.alias("usd"))
    month = pl.col("day").dt.strftime("%Y-%m")
    ordered = rates.sort("currency", "day").with_columns(run=run.rle_id().over("currency"))
    begun = ordered.with_columns(since=month.first().over("currency", "run"), given=pl.coalesce(to_eur, to_usd))
    carried = (pl.col("since") != month) & pl.col("given").is_not_null()
    named = begun.with_columns(
        source=pl.when(carried)
        .then(pl.format(f"{NAME} (carried forward since {{}})", "since"))
        .otherwise(pl.lit(f"{NAME} (one rate for the month)"))
    )
    later = (
        named.filter(carried)
        .group_by("currency", "run", maintain_order=True)
        .agg(pl.col("row", "given", "since").first(), pl.len(), pl.col("day").max().cast(pl.String).alias("last"))
    )
    findings = findings_where(
        later,
        pl.lit(True),
        code="rate_carried_forward",
        severity="warning",
        column="Exchange rate",
        found=pl.format("{} {}, the rate of {}, on {} later days to {}", "currency", "given", "since", "len", "last"),
        expected=pl.lit("another rate in another month"),
    )
    return named.sort("day", "currency").drop("run", "since", "given"), findings


def _cells_of(lines: list[list[str]], blocks: list[Block]) -> Iterator[tuple[object, ...]]:
    """One tuple for each price column of a block, or one without a price where only a rate is printed."""
    width = max((position for block in blocks for position in block.prices), default=0) + 1
    for number, line in enumerate(lines[_HEADER_ROWS:], start=_HEADER_ROWS + 1):
        padded = line + [""] * (max(width, *(_last(block) for block in blocks)) + 1 - len(line)) if blocks else line
        for block in blocks:
            eur, usd, currency = (
                (padded[position] or None) if position is not None else None
                for position in (block.per_eur, block.per_usd, block.currency)
            )
            shared = (number, padded[0] or None, block.name, block.heading_currency, currency)
            printed = [(place, kind) for place, kind in block.prices.items() if padded[place]]
            for place, kind in printed:
                yield (*shared, f"{block.name}: {kind}", kind, padded[place], eur, usd)
            if not printed and (eur or usd):
                yield (*shared, None, None, None, eur, usd)


def _last(block: Block) -> int:
    return max(position for position in (block.per_eur, block.per_usd, block.currency, 0) if position is not None)


def _day_expr(text: "pl.Expr") -> "pl.Expr":
    import polars as pl

    swapped = text.str.replace(_DAY_FIRST, "${3}-${2}-${1}")
    iso = pl.when(text.str.contains(_ISO)).then(text)
    padded = pl.concat_str(
        [
            swapped.str.extract(r"^(\d{4})-", 1),
            swapped.str.extract(r"-(\d{1,2})-", 1).str.zfill(2),
            swapped.str.extract(r"-(\d{1,2})$", 1).str.zfill(2),
        ],
        separator="-",
    )
    return pl.coalesce(iso, padded).str.to_date("%Y-%m-%d", strict=False)


def _rate_expr(text: "pl.Expr") -> "pl.Expr":
    """A rate above zero; null for anything else."""
    import polars as pl

    rate = text.cast(pl.Float64, strict=False)
    return pl.when((rate > 0) & rate.is_finite()).then(rate)


def _findings(typed: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    price = pl.col("price_text")
    column = pl.col("column")
    unreadable = findings_where(
        typed,
        pl.col("day").is_null(),
        code="unreadable_date",
        severity="error",
        column="Date",
        found=pl.col("day_text"),
        expected=pl.lit("a day such as 31/12/2024 or 2024-12-31"),
    ).unique(maintain_order=True)
    bad_price = findings_where(
        typed,
        price.is_not_null()
        & (
            ~well_formed_number_expr(price) | pl.col("price_micro_per_t").is_null() | (pl.col("price_micro_per_t") <= 0)
        ),
        code="unreadable_number",
        severity="error",
        column=None,
        found=pl.format("{} in {}", price, column),
        expected=pl.lit("a price above zero with at most six decimals"),
    )
    currency = findings_where(
        typed,
        pl.col("currency") != pl.col("heading_currency"),
        code="currency_mismatch",
        severity="error",
        column="Market Currency",
        found=pl.format("{} in {}", "currency", "system"),
        expected=pl.format("{}, as the headings of its rates say", "heading_currency"),
    ).unique(maintain_order=True)
    rates = [
        findings_where(
            typed,
            pl.col(text).is_not_null() & pl.col(rate).is_null(),
            code="unreadable_rate",
            severity="error",
            column=f"Exchange rate to {target}",
            found=pl.format("{} in {}", text, "system"),
            expected=pl.lit("a rate above zero"),
        ).unique(maintain_order=True)
        for text, rate, target in (("eur_text", "per_eur", "EUR"), ("usd_text", "per_usd", "USD"))
    ]
    return pl.concat([unreadable, bad_price, currency, *rates])


def _unknown_headings(blocks: list[Block]) -> "pl.DataFrame":
    import polars as pl

    rows = [(2, f"{heading} in {block.name}") for block in blocks for heading in block.unknown]
    if not rows:
        return no_findings()
    return findings_where(
        pl.DataFrame(rows, schema={"row": pl.Int64, "found": pl.String}, orient="row"),
        pl.lit(True),
        code="unknown_column",
        severity="warning",
        column=None,
        found=pl.col("found"),
        expected=pl.lit("one of Primary Market, Secondary Market, Reference Market, Market Currency, a rate"),
    )


def _repeated_headings(blocks: list[Block]) -> "pl.DataFrame":
    """Nothing says which of two columns of one heading is the rate or the currency; of two prices both are read, and
    compared as quotes.
    """
    import polars as pl

    rows = [(2, f"{heading} over several columns of {block.name}") for block in blocks for heading in block.repeated]
    return findings_where(
        pl.DataFrame(rows, schema={"row": pl.Int64, "found": pl.String}, orient="row"),
        pl.lit(True),
        code="repeated_heading",
        severity="error",
        column=None,
        found=pl.col("found"),
        expected=pl.lit("each rate and currency once in a block; none of them is read"),
    )
