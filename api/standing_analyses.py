"""The verbs that say why a city stands where it stands: the dual wheel, obstacles, gaps, strengths, and all in one.

Knows which edition answers which question and how the parts of an explanation are joined. Computes nothing: the rules
live in `green_index.coordination`, `green_index.obstacles` and `green_index.strengths`. Knows no HTTP and no screen.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from api import queries
from api.lang import Lang, texts
from api.store import Store, current_edition
from fhi.errors import Problem
from fhi.hubs import find_hub
from fhi.hubs import hubs as all_hubs
from fhi.observations import units
from green_index.coordination import Formula, InvalidSystems, coordination_table, systems_of
from green_index.editions import EditionContent
from green_index.index import RANKING, TRACKING, Base, city_years
from green_index.obstacles import LEADER, NotScored, gap_table, level_one_group, obstacle_table
from green_index.standing import check_period
from green_index.strengths import Rule, position_table

_START: Final = "standing_"
_COLUMNS: Final = (
    *("hub", "year", "base", "edition", "part", "level", "code", "group", "name_zh", "name_en"),
    *("score", "rank", "ranked", "coverage", "weight", "points", "ahead_hub", "gap_to_ahead", "score_pooled"),
    *("value", "unit", "unit_zh", "status", "source"),
    *("points_lost", "obstacle", "obstacle_place", "total_leader", "gap_in_total", "gap_score_part"),
    *("gap_coverage_part", "position", "verdict", "peer_rank", "peers", "peer_distance", "peer_verdict"),
    *("remark", "remark_zh"),
)
_TEXTS: Final = frozenset(
    (
        *("hub", "base", "edition", "part", "code", "group", "name_zh", "name_en", "ahead_hub", "total_leader"),
        *("unit", "unit_zh", "status", "source", "verdict", "peer_verdict", "remark", "remark_zh"),
    )
)
_COUNTS: Final = frozenset(("year", "level", "rank", "ranked", "obstacle_place", "peer_rank", "peers"))
EXPLANATION_SCHEMA: Final = pl.Schema(
    {name: pl.String() if name in _TEXTS else pl.Int64() if name in _COUNTS else pl.Float64() for name in _COLUMNS}
)
_REMARKS: Final[Mapping[str, Lang]] = {"remark": "en", "remark_zh": "zh"}
_PARTS: Final = ("total", "group", "indicator", "no_figure", "note")


def coordination(
    store: Store,
    base: Base,
    systems: str = "dual",
    weights: str | None = None,
    formula: Formula = "corrected",
    hub: str | None = None,
    year: int | None = None,
) -> pl.DataFrame:
    """Coupling coordination of all cities and years, or of one: rows of
    green_index.coordination.COORDINATION_SCHEMA with names, base, edition, and the reason in both languages.

    Scores stand on bounds pooled over the years, so that years compare. systems: `dual`, `three-way`, or codes of the
    tree by comma; weights: numbers by comma, one a system. Raises UnknownHub, UnknownPeriod, InvalidSystems.
    """
    wanted = None if hub is None else find_hub(hub)
    edition = current_edition(store, base, TRACKING)
    if year is not None:
        check_period(edition.scores, str(year))
    table = coordination_table(
        edition.scores, edition.inputs, edition.framework, systems_of(systems), _numbers(weights), formula
    )
    names = all_hubs().select("hub", "name_zh", "name_en")
    rows = table.filter(
        pl.lit(True) if wanted is None else pl.col("hub") == wanted,
        pl.lit(True) if year is None else pl.col("year") == year,
    ).join(names, on="hub", how="left", maintain_order="left")
    head = ("hub", "name_zh", "name_en", "year", "base", "edition")
    return _in_words(_named(rows, base, edition)).select(*head, pl.exclude(*head))


def obstacles(store: Store, name: str, base: Base, year: int | None = None, by: str | None = None) -> pl.DataFrame:
    """What holds a city back, by indicator and group, in all years or one: rows of
    green_index.obstacles.OBSTACLE_SCHEMA with base, edition, and the reason in both languages.

    by: `indicator` or `group` alone. Raises UnknownHub, UnknownPeriod, also where the city has no total.
    """
    edition, wanted = current_edition(store, base, RANKING), find_hub(name)
    if year is not None:
        check_period(edition.scores, str(year))
    table = obstacle_table(edition.scores, edition.inputs, edition.framework, wanted)
    rows = table.filter(pl.lit(True) if year is None else pl.col("year") == year)
    if rows.is_empty():
        raise NotScored(f"{wanted} has no total in {year}, so that nothing can be said to hold it back")
    return _in_words(_named(_of_kind(rows, by), base, edition))


def gaps(store: Store, name: str, base: Base, year: int, to: str = LEADER, by: str | None = None) -> pl.DataFrame:
    """What lies between a city and another, or the leader, in points of the total: rows of
    green_index.obstacles.GAP_SCHEMA with base, edition, and the reason in both languages.

    by: `indicator` or `group` alone. Raises UnknownHub, UnknownPeriod, also where one of them has no total.
    """
    edition, wanted = current_edition(store, base, RANKING), find_hub(name)
    other = to if to == LEADER else find_hub(to)
    rows = gap_table(edition.scores, edition.inputs, edition.framework, wanted, other, str(year))
    return _in_words(_named(_of_kind(rows, by), base, edition))


def strengths(store: Store, name: str, base: Base, year: int, rule: Rule | None = None) -> pl.DataFrame:
    """A city's position in every indicator, among all and among its like: rows of
    green_index.strengths.POSITION_SCHEMA with base, edition, unit_zh, and the reason in both languages.

    Raises UnknownHub, UnknownPeriod, InvalidRule.
    """
    edition, wanted = current_edition(store, base, RANKING), find_hub(name)
    rows = position_table(edition.inputs, edition.framework, city_years(), wanted, str(year), rule)
    return _in_words(_with_unit(_named(rows, base, edition), edition))


def explanation(store: Store, name: str, base: Base, year: int) -> pl.DataFrame:
    """Why a city stands where it stands: one row a node of the tree, and remarks on the figures (EXPLANATION_SCHEMA).

    part `total` and `group`: score, rank, coverage, weight and points in the total, the next better city; `indicator`:
    raw value, unit, status, source, score, weight, points and position; `no_figure`: an indicator that the city has no
    figure of, and what that means; `note`: a remark on a node or on a market of the city. All with what each costs
    (`points_lost`, `obstacle`) and what lies between the city and the best total (`gap_in_total` = gap_score_part +
    gap_coverage_part). A city that is not ranked has the parts that it has figures of. Raises UnknownHub,
    UnknownPeriod.
    """
    edition, wanted = current_edition(store, base, RANKING), find_hub(name)
    groups = queries.standing(store, wanted, base, year).filter(pl.col("kind") == "score")
    inputs = edition.inputs.filter(pl.col("hub") == wanted, pl.col("period") == str(year))
    tree = edition.framework
    root = pl.col("code") == tree.root
    group_rows = groups.select(
        *("code", "score", "rank", "ranked", "coverage", "ahead_hub", "gap_to_ahead", "score_pooled"),
        part=pl.when(root).then(pl.lit("total")).otherwise(pl.lit("group")),
        remark="reason",
        remark_zh="reason_zh",
    )
    present = inputs.drop_nulls("normalised").select(
        *("code", "value", "unit", "status", "source", "weight", "points"),
        part=pl.lit("indicator"),
        score="normalised",
    )
    nodes = pl.concat([group_rows, present, _without_figure(edition, inputs, present)], how="diagonal")
    nodes = _joined(store, wanted, base, year, nodes)
    names = [
        (code, tree.level[code], level_one_group(tree, code), node.name_zh, node.name_en)
        for code, node in tree.node.items()
    ]
    named = pl.DataFrame(names, schema=["code", "level", "group", "name_zh", "name_en"], orient="row")
    rows = nodes.join(named, on="code", how="left").with_columns(hub=pl.lit(wanted), year=pl.lit(year))
    order = pl.col("code").replace_strict({code: i for i, code in enumerate(tree.node)}, return_dtype=pl.Int64)
    rows = rows.sort(pl.col("part").cast(pl.Enum(_PARTS)), pl.when(pl.col("part") == "group").then("level"), order)
    markets = queries.markets(store).filter(pl.col("hub") == wanted)["market"]
    about = pl.col("subject").is_in([*tree.node, *markets])
    notes = (
        queries.notes(store, base, year)
        .filter(about)
        .select(
            pl.lit(wanted).alias("hub"),
            pl.lit(year).alias("year"),
            pl.lit("note").alias("part"),
            "code",
            name_zh="subject_zh",
            name_en="subject_en",
            remark="text_en",
            remark_zh="text_zh",
        )
    )
    whole = _named(pl.concat([_with_unit(rows, edition), notes], how="diagonal"), base, edition)
    absent = [pl.lit(None).alias(name) for name in EXPLANATION_SCHEMA if name not in whole.columns]
    return whole.with_columns(absent).select(EXPLANATION_SCHEMA.names()).cast(EXPLANATION_SCHEMA)


def _without_figure(edition: EditionContent, inputs: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    """Indicators of the tree that the city has no score of, and what a missing figure means there; where there is a
    row, its source says who was asked."""
    lacking = set(edition.framework.indicator) - set(present["code"])
    rows = [
        (entry.code, "no_figure", entry.null_means or None, entry.null_means_zh or None)
        for entry in edition.framework.indicators
        if entry.code in lacking
    ]
    kinds = dict.fromkeys(("code", "part", "remark", "remark_zh"), pl.String)
    asked = inputs.select("code", "value", "unit", "status", "source")
    unscored = pl.col("value").is_not_null()
    said = {name: texts("analyses", lang)["standing_not_scored"] for name, lang in _REMARKS.items()}
    return (
        pl.DataFrame(rows, schema=kinds, orient="row")
        .join(asked, on="code", how="left", maintain_order="left")
        .with_columns(
            pl.when(unscored).then(pl.lit(text)).otherwise(pl.col(name)).alias(name) for name, text in said.items()
        )
    )


def _joined(store: Store, hub: str, base: Base, year: int, nodes: pl.DataFrame) -> pl.DataFrame:
    """The nodes with what each costs, the gap to the best total, and positions; without these where the city has
    no total."""
    try:
        costs, apart = obstacles(store, hub, base, year), gaps(store, hub, base, year)
        places = strengths(store, hub, base, year)
    except NotScored:
        return nodes
    costs = costs.select(*("code", "points_lost", "obstacle"), obstacle_place="place", group_weight="weight")
    apart = apart.select(
        "code",
        group_points="points",
        total_leader="to_hub",
        gap_in_total="gap",
        gap_score_part="score_part",
        gap_coverage_part="coverage_part",
    )
    own = places.select(
        *("code", "position", "verdict", "peer_rank", "peers", "peer_distance", "peer_verdict"),
        indicator_rank="rank",
        indicator_ranked="ranked",
    )
    joined = nodes
    for table in (costs, apart, own):
        joined = joined.join(table, on="code", how="left", maintain_order="left")
    return joined.with_columns(
        weight=pl.coalesce("weight", "group_weight"),
        points=pl.coalesce("points", "group_points"),
        rank=pl.coalesce("rank", "indicator_rank"),
        ranked=pl.coalesce("ranked", "indicator_ranked"),
    )


def _numbers(listed: str | None) -> Sequence[float] | None:
    if listed is None:
        return None
    try:
        return [float(part) for part in listed.split(",")]
    except ValueError:
        raise InvalidSystems([Problem("weights", repr(listed), "numbers by comma", "weights")]) from None


def _of_kind(rows: pl.DataFrame, by: str | None) -> pl.DataFrame:
    return rows if by is None else rows.filter(pl.col("kind") == by)


def _named(rows: pl.DataFrame, base: Base, edition: EditionContent) -> pl.DataFrame:
    """With base and edition after hub and year."""
    head = [name for name in ("hub", "to_hub", "year") if name in rows.columns]
    return rows.select(*head, pl.lit(base).alias("base"), pl.lit(edition.id).alias("edition"), pl.exclude(head))


def _with_unit(rows: pl.DataFrame, edition: EditionContent) -> pl.DataFrame:
    """With the Chinese name of the unit after the English one."""
    after = rows.columns.index("unit") + 1
    named = pl.col("unit").replace_strict(units(edition.framework), default=None, return_dtype=pl.String)
    return rows.insert_column(after, rows.select(named.alias("unit_zh")).to_series())


def _in_words(rows: pl.DataFrame) -> pl.DataFrame:
    """The reason in words of both languages in the place of its code."""
    return rows.with_columns(
        pl.col("reason").replace_strict(_words("en"), default=None, return_dtype=pl.String),
        pl.col("reason").replace_strict(_words("zh"), default=None, return_dtype=pl.String).alias("reason_zh"),
    )


def _words(lang: Lang) -> dict[str, str]:
    text = texts("analyses", lang)
    return {key.removeprefix(_START): word for key, word in text.items() if key.startswith(_START)}
