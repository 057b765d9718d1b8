"""The verbs that people and programs ask: one frame each, the same for command line, HTTP and pages.

Knows which core verb answers which question. Knows no HTTP and no screen. Names in both languages are in the rows.
"""

from collections.abc import Mapping
from typing import Final, Literal

import polars as pl
from sqlmodel import Session

from api.lang import Lang, texts
from api.notes import note_text
from api.store import Store, current_edition
from carbon import facts
from carbon.embedded import resolve_market
from carbon.loading import ensure_fresh
from fhi.crosswalk import CROSSWALKS, crosswalk_panel, embedded_base, embedded_crosswalk
from fhi.describe import node_rows
from fhi.errors import UnknownFramework
from fhi.frames import BELOW_MIN_SHARE, NO_FIGURES
from fhi.framework import Framework
from fhi.hubs import find_hub
from fhi.hubs import hubs as all_hubs
from fhi.index import build_index
from fhi.observations import open_panel, units
from fhi.observations import sources as fhi_sources
from green_index import editions as stored
from green_index.bridge import passed_over_notes
from green_index.index import RANKING, TRACKING, Base, base_framework, base_panel
from green_index.printed import list_printed, own_files, printed_table
from green_index.sources import own_sources
from green_index.standing import check_period, score_table
from green_index.standing import standing as standing_of

By = Literal["month", "year"]
NOTE_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(("edition", "code", "subject", "subject_zh", "subject_en"), pl.String()),
        "periods": pl.List(pl.String),
        **dict.fromkeys(("detail", "text_zh", "text_en"), pl.String()),
    }
)
BASES_OF_FRAMEWORKS: Final[Mapping[str, tuple[Base, bool]]] = {
    "fhi": ("open", False),
    "fhi-2017": ("published", False),
    "green": ("open", True),
    "green-2017": ("published", True),
}
FRAMEWORKS: Final = (*BASES_OF_FRAMEWORKS, *CROSSWALKS)
"""The trees by name: the base that each stands on, and whether the added groups are in it."""


def hubs(_store: Store) -> pl.DataFrame:
    """The cities: hub, name_zh, name_en, gbt2260, administrative_rank, latitude, longitude."""
    return all_hubs()


def hub(_store: Store, name: str) -> pl.DataFrame:
    """One city by slug, name or code. Raises UnknownHub."""
    return all_hubs().filter(pl.col("hub") == find_hub(name))


def scores(store: Store, year: int, base: Base) -> pl.DataFrame:
    """The ranking of one year, best first, hubs that are not ranked last: hub, name_zh, name_en, year, base, edition,
    rank, ranked (out of how many), score, the level-1 scores by code, coverage (share 0..1 of the whole tree),
    reason and reason_zh (null where ranked). Raises UnknownPeriod.
    """
    edition = current_edition(store, base, RANKING)
    table = score_table(edition.scores, edition.framework, str(year))
    names = all_hubs().select("hub", "name_zh", "name_en")
    level_one = [name for name in table.columns if name in edition.framework.children]
    return (
        table.join(names, on="hub", how="left", maintain_order="left")
        .with_columns(
            pl.lit(year).alias("year"),
            pl.lit(base).alias("base"),
            pl.lit(edition.id).alias("edition"),
            _reason(edition.framework, level_one, "en").alias("reason"),
            _reason(edition.framework, level_one, "zh").alias("reason_zh"),
        )
        .select(
            *("hub", "name_zh", "name_en", "year", "base", "edition", "rank", "ranked", "score"),
            *level_one,
            *("coverage", "reason", "reason_zh"),
        )
    )


def standing(store: Store, name: str, base: Base, year: int | None = None) -> pl.DataFrame:
    """All about one city's standing, in all years or one: rows of green_index.standing.STANDING_SCHEMA
    with unit_zh, and the reason for a missing score in words and in both languages.

    Raises UnknownHub, and UnknownPeriod for a year without figures.
    """
    ranking = current_edition(store, base, RANKING)
    tracking = current_edition(store, base, TRACKING)
    wanted = find_hub(name)
    if year is not None:
        check_period(ranking.scores, str(year))
    rows = standing_of(ranking.scores, ranking.inputs, tracking.scores, ranking.framework, wanted)
    rows = rows.select(
        pl.exclude("unit", "reason"),
        "unit",
        pl.col("unit").replace_strict(units(ranking.framework), default=None).alias("unit_zh"),
        pl.col("reason").replace_strict(_reasons("en"), default=None),
        pl.col("reason").replace_strict(_reasons("zh"), default=None).alias("reason_zh"),
    )
    return rows if year is None else rows.filter(pl.col("year") == year)


def notes(store: Store, base: Base, year: int | None = None) -> pl.DataFrame:
    """What a reader must know of the current edition's figures, and of loaded years that it does not use, for one year
    or all: edition, code, subject (market or node) with both names, periods, detail, and the remark as a sentence in
    both languages.
    """
    edition = current_edition(store, base, RANKING)
    with Session(store.engine) as session:
        passed_over = passed_over_notes(facts.market_years(session))
    named = {row["market"]: (row["name_zh"], row["name_en"]) for row in markets(store).iter_rows(named=True)}
    named |= {code: (node.name_zh, node.name_en) for code, node in edition.framework.node.items()}
    rows = [
        {
            "edition": edition.id,
            "code": note.code,
            "subject": note.subject,
            "subject_zh": named[note.subject][0],
            "subject_en": named[note.subject][1],
            "periods": list(note.periods),
            "detail": note.detail,
            "text_zh": note_text(note, named[note.subject][0], "zh"),
            "text_en": note_text(note, named[note.subject][1], "en"),
        }
        for note in (*edition.notes, *passed_over)
        if year is None or note.holds_for(str(year))
    ]
    return pl.DataFrame(rows, schema=NOTE_SCHEMA)


def framework(store: Store, wanted: str) -> pl.DataFrame:
    """A framework as rows, one a node: see fhi.describe.node_rows. Raises UnknownFramework."""
    if wanted in CROSSWALKS:
        tree = embedded_crosswalk(wanted)
        result = build_index(crosswalk_panel(open_panel(), embedded_base(), tree), tree, RANKING)
        return node_rows(result.framework, result.weights, wanted)
    if wanted not in BASES_OF_FRAMEWORKS:
        raise UnknownFramework(f"unknown framework {wanted!r}; known: {', '.join(FRAMEWORKS)}")
    base, extended = BASES_OF_FRAMEWORKS[wanted]
    if extended:
        edition = current_edition(store, base, RANKING)
        return node_rows(edition.framework, edition.weights, wanted)
    result = build_index(base_panel(base), base_framework(base), RANKING)
    return node_rows(result.framework, result.weights, wanted)


def printed(_store: Store) -> pl.DataFrame:
    """The printed tables of the founding documents: see green_index.printed.list_printed."""
    return list_printed()


def printed_rows(_store: Store, table: str) -> pl.DataFrame:
    """One printed table, each row with its source. Raises UnknownPrintedTable."""
    return printed_table(table)


def sources(_store: Store) -> pl.DataFrame:
    """Who published the embedded figures, column by column, and the printed tables and the evidence of policy as a
    whole (column `*`): file, column, publisher, unit, terms, remark.
    """
    tables = list_printed().filter(pl.col("table").is_in(own_files()))
    printed_files = tables.select(
        (pl.col("table") + ".csv").alias("file"),
        pl.lit("*").alias("column"),
        pl.col("source").alias("publisher"),
        pl.lit("-").alias("unit"),
        pl.lit("cite the paper").alias("terms"),
        pl.col("title_en").alias("remark"),
    )
    return pl.concat([fhi_sources(), facts.sources(), printed_files, own_sources()])


def markets(store: Store) -> pl.DataFrame:
    """The carbon markets: see carbon.facts.markets."""
    with Session(store.engine) as session:
        return facts.markets(session)


def market_statistics(store: Store, market: str, by: By) -> pl.DataFrame:
    """Statistics of one market by month or year: see carbon.facts.market_statistics. Raises UnknownMarket."""
    wanted = resolve_market(market)
    with Session(store.engine) as session:
        ensure_fresh(session, store.lake)
        return facts.market_statistics(session, by).filter(pl.col("market") == wanted)


def editions(store: Store) -> pl.DataFrame:
    """All stored editions, after making sure that today's are among them: see green_index.editions.list_editions."""
    for base in ("open", "published"):
        current_edition(store, base, RANKING)
    with Session(store.engine) as session:
        return stored.list_editions(session)


def _reason(tree: Framework, level_one: list[str], lang: Lang) -> pl.Expr:
    """Why a hub is not ranked: the level-1 groups that it has no score of. Null where it is ranked."""
    name = {code: tree.node[code].name_zh if lang == "zh" else tree.node[code].name_en for code in level_one}
    missing = [pl.when(pl.col(code).is_null()).then(pl.lit(name[code])) for code in level_one]
    listing = pl.concat_str(missing, separator=", ", ignore_nulls=True)
    sentence = texts("notes", lang)["reason_missing_groups"].replace("{subject}", "{}")
    return pl.when(pl.col("rank").is_null()).then(pl.format(sentence, listing))


def _reasons(lang: Lang) -> dict[str, str]:
    """Why a node has no score, as words, by the code that fhi gives."""
    return {code: texts("notes", lang)[f"reason_{code}"] for code in (NO_FIGURES, BELOW_MIN_SHARE)}
