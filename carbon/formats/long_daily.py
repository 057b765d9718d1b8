"""A table of daily trading of all markets, stacked from many sources: a line a day, product and source.

Knows its headings (English), which sources it names and what each of them counts. Lines of one source follow the
habits of that source's own format: Wind's pilots are screen trades (H); the tanjiaoyi feed, the Sichuan page and the
exchanges' pages print every method together (L to H, see their modules); a source that nobody knows is taken as every
method together, without any rule on its average. Where the parts of a line make its total, or listing and block are
both printed, the line is read by method. A source's name is part of the feed of its rows ("long_daily:sirui_wind"), so
that two sources of one day are two feeds. cum_reported is left out: it counts tonnes in one market and CNY in another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.embedded import read_embedded
from carbon.findings import no_findings
from carbon.formats.parts import (
    METHOD_COLUMNS,
    Part,
    find_unlike_totals,
    lines_of,
    part_layouts,
    read_parts,
    typed_part,
)
from carbon.formats.reading import Limits, Reading
from carbon.formats.text import read_header
from carbon.layout import Layout, PriceRule
from carbon.rows import ALL, LISTING
from carbon.scope import is_of_others

if TYPE_CHECKING:
    import polars as pl

__all__ = ["KNOWN_HEADER", "NAME", "SCREEN_ONLY_FEEDS", "Source", "find_layout", "read", "read_sources", "source_of"]

NAME = "long_daily"

SHARED = {
    "market": "market",
    "product": "product",
    "day": "date",
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "average": "avg",
}
TOTAL = ("volume_t", "value_cny")
FIGURES = {code: (f"{name}_volume_t", f"{name}_value_cny") for code, name in METHOD_COLUMNS.items()}
SOURCE = "source"
KNOWN_HEADER = ",".join(
    [*SHARED.values(), *TOTAL, *(name for pair in FIGURES.values() for name in pair), "...", SOURCE]
)


@dataclass(frozen=True)
class Source:
    """What the lines of one source count where they do not tell the methods apart.

    average_is_price : nobody says what its average is; the other fields are those of `carbon.layout.Layout`
    """

    method: int = ALL
    price_rule: PriceRule = "none"
    average_is_price: bool = False
    spellings: tuple[str, str] | None = None
    single_precision: bool = False
    zero_is_no_trade: bool = False


_UNKNOWN = Source()
SOURCES = {
    "sirui_wind": Source(method=LISTING, price_rule="average"),
    "zeka_tanjiaoyi": Source(
        price_rule="unstated", average_is_price=True, single_precision=True, zero_is_no_trade=True
    ),
    "ccpred_sceex": Source(price_rule="total", spellings=(r"^SZA(\d{4})$", "SZA-$1")),
    "zzysty": Source(price_rule="average"),
}
# Wind's national total has block deals in it; Tianjin's average is of listed trading, its total is not.
EXCEPTIONS = {("sirui_wind", "CEA"): _UNKNOWN, ("zzysty", "Tianjin"): _UNKNOWN}
SCREEN_ONLY_FEEDS = (f"{NAME}:sirui_wind:screen",)


def source_of(name: str, market: str) -> Source:
    """What is known of a source in one market; of an unknown one only that it prints every method together."""
    return EXCEPTIONS.get((name, market), SOURCES.get(name, _UNKNOWN))


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of the totals for a file with this first line; null where a heading is missing."""
    layouts = _layouts(header)
    return layouts[0] if layouts else None


def _layouts(header: Sequence[str]) -> tuple[Layout, dict[int, Layout]] | None:
    if SOURCE not in header:
        return None
    total = part_layouts(NAME, header, SHARED, {ALL: TOTAL}, price_rule="none")
    parts = part_layouts(NAME, header, SHARED, FIGURES, price_rule="composite")
    if not total or not parts:
        return None
    markets = {key: key for key in read_embedded("markets")["market"].to_list()}
    return replace(total[ALL], markets=markets), {code: replace(part, markets=markets) for code, part in parts.items()}


def read(path: Path, market: str, file: str, limits: Limits) -> Reading:
    """The rows of one market, each line by what its source counts; lines of other markets are counted.

    Raises UnreadableFile, FileTooLarge, UnknownMarket; ValueError where `find_layout` does not know the header.
    """
    parts, findings, others = read_sources(path, market, file, limits)
    return read_parts(parts, findings, market=market, file=file, rows_of_others=others)


def read_sources(path: Path, market: str, file: str, limits: Limits) -> "tuple[list[Part], pl.DataFrame, int]":
    """The lines of one market as parts by source and method, lines whose parts do not make their total as findings, and
    the number of lines about other markets. Raises as `read`.
    """
    import polars as pl

    header = read_header(path)
    layouts = _layouts(header)
    if layouts is None:
        raise ValueError(f"found {file} with other headings, expected {KNOWN_HEADER}")
    total, by_method = layouts
    cells = lines_of(path, total, file, limits)
    others = typed_part(cells, total).typed.filter(is_of_others(total, market))["row"]
    ours = cells.filter(~pl.col("row").is_in(others.implode()))
    names = pl.col(f"c{header.index(SOURCE)}").fill_null("unstated")
    parts: list[Part] = []
    findings = [no_findings()]
    for (name,), lines in ours.group_by(names, maintain_order=True):
        source = source_of(str(name), market)
        told, untold = _split(lines, source, total, by_method)
        of_source = [
            typed_part(told, replace(_by_source(layout, source), feed=f"{NAME}:{name}"))
            for layout in by_method.values()
        ]
        findings.append(find_unlike_totals(of_source, typed_part(told, _by_source(total, source))))
        parts += [*of_source, typed_part(untold, _total_layout(total, str(name), source))]
    return parts, pl.concat(findings), len(others)


def _split(
    lines: "pl.DataFrame", source: Source, total: Layout, by_method: dict[int, Layout]
) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """Lines that tell the methods apart, and lines that do not."""
    import polars as pl

    columns = ["row", *(f"{role}{end}" for role in ("volume", "value") for end in ("", "_text"))]
    compared = typed_part(lines, _by_source(total, source)).typed.select(columns)
    for code, layout in by_method.items():
        part = typed_part(lines, layout).typed.select(pl.col("row"), pl.exclude("row").name.suffix(f"_{code}"))
        compared = compared.join(part, on="row", how="left")
    listed, block = (pl.col(f"volume_text_{code}").is_not_null() for code in list(by_method)[:2])
    volumes, values = ([pl.col(f"{role}_{code}") for code in by_method] for role in ("volume", "value"))
    is_any = pl.any_horizontal(volume.is_not_null() for volume in volumes)
    adds_up = (pl.sum_horizontal(volumes) == pl.col("volume")) & (pl.sum_horizontal(values) == pl.col("value"))
    told = compared.filter((listed & block) | (is_any & adds_up.fill_null(False)))["row"].implode()
    return lines.filter(pl.col("row").is_in(told)), lines.filter(~pl.col("row").is_in(told))


def _by_source(layout: Layout, source: Source) -> Layout:
    """The layout with the spellings and the precision of a source."""
    return replace(layout, spellings=source.spellings, single_precision=source.single_precision)


def _total_layout(total: Layout, name: str, source: Source) -> Layout:
    """The layout of lines of a source that do not tell the methods apart."""
    columns, positions = dict(total.columns), dict(total.positions)
    if source.average_is_price:
        columns["price"], positions["price"] = columns.pop("average"), positions.pop("average")
    return replace(
        _by_source(total, source),
        feed=f"{NAME}:{name}:screen" if source.method == LISTING else f"{NAME}:{name}",
        columns=columns,
        positions=positions,
        fixed_method=source.method,
        price_rule=source.price_rule,
        zero_is_no_trade=source.zero_is_no_trade,
    )
