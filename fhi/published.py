"""Indices as printed: the FinTech Hub Index of 2017, later editions as cited, and ranks that a user brings.

Knows what was printed and how a file of printed ranks is laid out. Computes nothing from it: no raw figure and no
weight was ever published, and what is not printed is null.
"""

import difflib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from fhi.errors import PanelError, Problem, UnknownHub
from fhi.hubs import find_hub, hubs
from fhi.panel import PANEL_SCHEMA

PRINTED_PERIOD: Final = "2017"
PRINTED_CODE: Final = "fhi.printed_total"
PRINTED_SOURCE: Final = "FinTech Hub Index report 2017, ranking table"
FHI_2017: Final = "FinTech Hub Index report 2017, Academy of Internet Finance, Zhejiang University (2017-09-29)"
WUHAN_2021: Final = "叶楠 (Ye Nan): 武汉构建绿色金融科技中心的战略与路径研究, ISSN 1003-8477, 2021(11), 63-70"
OVERALL: Final = "overall"
NOT_LISTED: Final = "not listed"
"""The dimension of a total index, in our tables as in a user's file."""

GFHI_GLOBAL_HUBS: Final = 9
GFHI_REGIONAL_HUBS: Final = 41
"""Sizes of the two tiers of GFHI 2021, as printed."""

EDITION_SCHEMA: Final = pl.Schema(
    {
        "index": pl.String,
        "edition": pl.String,
        "place": pl.String,
        "hub": pl.String,
        "dimension": pl.String,
        "score": pl.Float64,
        "rank": pl.Int64,
        "rank_text": pl.String,
        "ranked": pl.Int64,
        "figure": pl.Float64,
        "unit": pl.String,
        "note": pl.String,
        "source": pl.String,
    }
)

_DATA: Final = files("fhi").joinpath("data")
_COLUMNS: Final = ("index", "edition", "dimension", "city", "rank")
_OPTIONAL: Final = ("published", "score", "note", "source_url")
_NODES: Final = ("industry", "experience", "ecosystem")
# The report names these places together, without an order among them: (code, first, last, what it says).
_UNORDERED: Final = (
    ("industry.p2p.firms", 1, 3, "among the first three"),
    ("ecosystem.business.cost", 4, 6, "high, after the first three"),
)


@dataclass(frozen=True)
class PrintedRanks:
    """A user's file of printed ranks: `rows` (EDITION_SCHEMA), and the cities among them that are none of our hubs,
    each once, with the nearest hub name where one is near."""

    rows: pl.DataFrame
    unknown: tuple[Problem, ...]


@cache
def printed_totals() -> pl.DataFrame:
    """The 20 printed cities: hub, total (score 0-100), rank, industry_rank, experience_rank, ecosystem_rank."""
    return pl.read_csv(_DATA.joinpath("fhi2017_totals.csv").read_bytes())


@cache
def printed_partial_ranks() -> pl.DataFrame:
    """Printed orders of the first few cities by node: code, hubs_in_order (list of hubs, best first), note."""
    frame = pl.read_csv(_DATA.joinpath("fhi2017_partial_ranks.csv").read_bytes())
    return frame.with_columns(pl.col("hubs_in_order").str.split("|"))


@cache
def printed_facts() -> pl.DataFrame:
    """Single printed figures: place (hub or `china`), code, value, unit, period, note."""
    return pl.read_csv(_DATA.joinpath("fhi2017_facts.csv").read_bytes(), schema_overrides={"period": pl.String})


@cache
def rank_history() -> pl.DataFrame:
    """Ranks of FHI 2017-2019 and GFHI 2021 as the 2021 paper cites them: index, edition, hub (null for a place that is
    none of ours), place_zh, place_en, measure, value (text: a rank or a tier; null where not listed), note."""
    return pl.read_csv(_DATA.joinpath("rank_history.csv").read_bytes(), infer_schema_length=None)


def printed_panel(periods: list[str]) -> pl.DataFrame:
    """Panel rows (fhi.panel.PANEL_SCHEMA) of the printed totals for each period from 2017 on.

    Later periods carry the printed total forward and are marked so; earlier ones have no row.
    """
    totals = printed_totals().select("hub", value=pl.col("total"))
    wanted = [period for period in periods if period[:4] >= PRINTED_PERIOD]
    printed = pl.col("period") == PRINTED_PERIOD
    return (
        totals.join(pl.DataFrame({"period": wanted}, schema={"period": pl.String}), how="cross")
        .with_columns(
            code=pl.lit(PRINTED_CODE),
            unit=pl.lit("score 0-100"),
            status=pl.when(printed).then(pl.lit("observed")).otherwise(pl.lit("carried_forward")),
            source=pl.when(printed)
            .then(pl.lit(PRINTED_SOURCE))
            .otherwise(pl.lit(f"{PRINTED_SOURCE}; carried forward from 2017")),
        )
        .select(PANEL_SCHEMA.names())
        .cast(PANEL_SCHEMA)
    )


@cache
def printed_editions() -> pl.DataFrame:
    """Every printed edition of FHI and GFHI in one shape, EDITION_SCHEMA: one row a place and dimension.

    index and edition; place (English name) and hub (null for a place that is none of ours); dimension: `overall`, a
    node of the FHI tree, or what else was printed; score (0-100); rank (1 is first as printed: of
    `ecosystem.business.cost` that is the dearest city); rank_text: what is printed in place of a rank (a tier, "not
    listed", a group without order); ranked: how many places the edition ranks in that dimension; figure in `unit`:
    a single printed figure. All null where not printed. Sources: the 2017 report; Ye Nan 2021 for later editions.
    The paper's citation of FHI 2017 for Wuhan repeats the report and is not held twice.
    """
    order = ["index", "edition", pl.col("dimension") != OVERALL, "dimension", "rank", "place"]
    return _in_shape(_totals_2017(), _nodes_2017(), _later_editions()).sort(order, nulls_last=True)


def _totals_2017() -> pl.DataFrame:
    totals = printed_totals()
    parts = [totals.select("hub", "rank", dimension=pl.lit(OVERALL), score="total")]
    parts += [totals.select("hub", dimension=pl.lit(node), rank=f"{node}_rank") for node in _NODES]
    return _of_report(pl.concat(parts, how="diagonal")).with_columns(ranked=pl.lit(totals.height))


def _nodes_2017() -> pl.DataFrame:
    """The first few places by node, beside the single figures: one row a place and node whichever is printed."""
    ranks = (
        printed_partial_ranks()
        .select("code", "note", hub="hubs_in_order", rank=pl.int_ranges(1, pl.col("hubs_in_order").list.len() + 1))
        .explode("hub", "rank")
    )
    text = pl.lit(None, pl.String)
    for code, first, last, words in _UNORDERED:
        among = (pl.col("code") == code) & pl.col("rank").is_between(first, last)
        text = pl.when(among).then(pl.lit(words)).otherwise(text)
    ranks = ranks.with_columns(rank_text=text)
    ranks = ranks.with_columns(rank=pl.when(pl.col("rank_text").is_null()).then("rank"))
    is_score = pl.col("unit").str.starts_with("score")
    facts = printed_facts().select(
        "code",
        hub=pl.when(pl.col("place") != "china").then("place"),
        score=pl.when(is_score).then("value"),
        figure=pl.when(~is_score).then("value"),
        unit=pl.when(~is_score).then("unit"),
        fact=pl.col("note"),
    )
    both = ranks.join(facts, on=["hub", "code"], how="full", coalesce=True)
    notes = pl.concat_str("note", "fact", separator="; ", ignore_nulls=True).replace("", None)
    return _of_report(both.with_columns(note=notes).drop("fact").rename({"code": "dimension"}))


def _later_editions() -> pl.DataFrame:
    is_rank = pl.col("measure").str.ends_with(" rank")
    held = (pl.col("index") == "FHI") & (pl.col("edition") == int(PRINTED_PERIOD))
    listed = pl.lit(GFHI_GLOBAL_HUBS + GFHI_REGIONAL_HUBS)
    return (
        rank_history()
        .filter(~held)
        .select(
            "index",
            pl.col("edition").cast(pl.String),
            "hub",
            "note",
            place="place_en",
            dimension=pl.col("measure").str.strip_suffix(" rank").replace({"total": OVERALL, "tier": OVERALL}),
            rank=pl.when(is_rank).then("value").cast(pl.Int64),
            rank_text=pl.when(pl.col("value").is_null()).then(pl.lit(NOT_LISTED)).when(~is_rank).then("value"),
            ranked=pl.when(pl.col("index") == "GFHI").then(listed),
            source=pl.format(f"{{}} {{}}, as cited by {WUHAN_2021}", "index", "edition"),
        )
    )


def _in_shape(*parts: pl.DataFrame) -> pl.DataFrame:
    """The rows of all parts with every column of EDITION_SCHEMA, null where a part does not have it."""
    joined = pl.concat([pl.DataFrame(schema=EDITION_SCHEMA), *parts], how="diagonal_relaxed")
    return joined.select(EDITION_SCHEMA.names()).cast(EDITION_SCHEMA)


def _of_report(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of the 2017 report with index, edition, source and place; the only place of it that is no hub is China."""
    names = hubs().select("hub", place="name_en")
    return frame.join(names, on="hub", how="left", maintain_order="left").with_columns(
        pl.col("place").fill_null("China"),
        index=pl.lit("FHI"),
        edition=pl.lit(PRINTED_PERIOD),
        source=pl.lit(FHI_2017),
    )


def read_printed_ranks(path: Path, index: str | None = None) -> PrintedRanks:
    """A user's CSV of printed ranks, in the shape of `printed_editions`.

    Columns index, edition, dimension, city, rank; published, score, note and source_url where there are any. `index`
    takes one edition ("CFCI 14") or all editions of an index ("CFCI"). A city that is none of our hubs keeps its name
    and its row, without a hub, and is listed in `unknown`. An empty rank or score is null.

    Raises PanelError with every problem at once: a file that is absent or no table in UTF-8, missing columns, an index
    that it does not hold, a blank index, edition, dimension or city, a rank that is no whole number from 1, a score
    that is no number, a city twice in one dimension of one edition.
    """
    frame = _read_table(path)
    frame = frame if index is None else _only(frame, path.name, index)
    hub_of = {city: _hub_or_none(city) for city in frame["city"].drop_nulls().unique(maintain_order=True)}
    frame = frame.with_columns(hub=pl.col("city").replace_strict(hub_of, default=None, return_dtype=pl.String))
    problems = _faults(frame, path.name)
    if problems:
        raise PanelError(problems)
    source = pl.concat_str("published", "source_url", separator=", ", ignore_nulls=True).replace("", path.name)
    rows = frame.select(
        "index", "edition", "hub", "dimension", "note", pl.col("score", "rank"), place="city", source=source
    )
    typed = rows.with_columns(pl.col("score").cast(pl.Float64), pl.col("rank").cast(pl.Int64))
    unknown = tuple(_unknown(path.name, city) for city, hub in hub_of.items() if hub is None)
    return PrintedRanks(_in_shape(typed), unknown)


def read_ranks(path: Path, index: str) -> tuple[pl.DataFrame, list[str]]:
    """Overall ranks of one index and edition ("CFCI 14"): frame (hub, standing = -rank) and the cities left out.

    Raises the errors of `read_printed_ranks`, and PanelError where `index` has no overall ranks or several editions.
    """
    rows = read_printed_ranks(path, index).rows.filter(pl.col("dimension") == OVERALL, pl.col("rank").is_not_null())
    editions = rows["edition"].unique().sort().to_list()
    if not editions:
        raise PanelError([Problem(path.name, f"no overall ranks of {index!r}", "overall ranks", "no_overall_ranks")])
    if len(editions) > 1:
        expected = f"one of {', '.join(f'{index} {edition}' for edition in editions)}"
        raise PanelError([Problem(path.name, f"{len(editions)} editions of {index!r}", expected, "several_editions")])
    known = rows.filter(pl.col("hub").is_not_null())
    left_out = rows.filter(pl.col("hub").is_null())["place"].to_list()
    return known.select("hub", standing=-pl.col("rank").cast(pl.Float64)), left_out


def _read_table(path: Path) -> pl.DataFrame:
    """The file as text, blanks null, with `row` counted as a spreadsheet counts it: the header is row 1."""
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except FileNotFoundError as error:
        raise PanelError([Problem(path.name, "no such file", "a CSV table in UTF-8", "no_file")]) from error
    except PolarsError as error:
        raise PanelError([Problem(path.name, str(error), "a CSV table in UTF-8", "unreadable_file")]) from error
    missing = [name for name in _COLUMNS if name not in frame.columns]
    if missing:
        found, expected = ", ".join(frame.columns), ", ".join(_COLUMNS)
        raise PanelError([Problem(path.name, f"columns {found}", f"columns {expected}", "missing_column")])
    absent = [pl.lit(None, pl.String).alias(name) for name in _OPTIONAL if name not in frame.columns]
    wanted = frame.with_columns(absent).select(pl.col(*_COLUMNS, *_OPTIONAL).str.strip_chars().replace("", None))
    return wanted.with_row_index("row", offset=2)


def _only(frame: pl.DataFrame, name: str, index: str) -> pl.DataFrame:
    label = pl.concat_str("index", "edition", separator=" ")
    chosen = frame.filter((label == index) | (pl.col("index") == index))
    if chosen.is_empty():
        known = frame.select(label.alias("label"))["label"].drop_nulls().unique().sort()
        expected = f"one of {', '.join(known)}"
        raise PanelError([Problem(name, f"nothing of {index!r}", expected, "unknown_index")])
    return chosen


def _faults(frame: pl.DataFrame, name: str) -> list[Problem]:
    """Everything wrong with the rows of a file, in the order of the rows."""
    names = ("index", "edition", "dimension", "city")
    blank = pl.any_horizontal(pl.col(*names).is_null())
    score = pl.col("score").cast(pl.Float64, strict=False)
    no_number = pl.col("score").is_not_null() & ~score.is_finite().fill_null(False)
    whole_key = pl.struct("index", "edition", "dimension", pl.coalesce("hub", "city"))
    faults: dict[str, tuple[pl.Expr, str | None, str]] = {
        "blank_key": (blank, None, "index, edition, dimension and city in every row"),
        "wrong_rank": (~pl.col("rank").str.contains(r"^[1-9]\d{0,8}$"), "rank", "a whole number from 1, or nothing"),
        "wrong_score": (no_number, "score", "a number, or nothing"),
        "duplicate": (whole_key.is_duplicated() & ~blank, "city", "one row a city in each dimension of an edition"),
    }
    found = []
    for code, (broken, column, expected) in faults.items():
        for row in frame.filter(broken).iter_rows(named=True):
            where = f"{name}, row {row['row']}, " + " ".join(row[key] for key in names if row[key] is not None)
            nothing = "no " + ", no ".join(key for key in names if row[key] is None)
            value = nothing if column is None else f"{column} {row[column]!r}"
            found.append((row["row"], Problem(where, value, expected, code)))
    return [problem for _, problem in sorted(found, key=lambda entry: entry[0])]


def _hub_or_none(city: str) -> str | None:
    try:
        return find_hub(city)
    except UnknownHub:
        return None


def _unknown(name: str, city: str) -> Problem:
    known = [text for column in ("name_en", "hub", "name_zh") for text in hubs()[column].to_list()]
    near = difflib.get_close_matches(city, known, n=1, cutoff=0.75)
    expected = f"{near[0]!r}?" if near else "a hub; no name is near, the row is kept without one"
    return Problem(name, f"city {city!r}", expected, "unknown_city")
