"""What each page shows: the rows of `api.queries`, put in the order and shape that its template reads.

Knows which question each page asks. Knows no HTTP and computes no figure: every number is that of the API.
"""

from collections.abc import Iterable
from typing import Any, Final, Literal

import polars as pl

from api import DEFAULT_YEAR, queries
from api.lang import Lang
from api.store import Store
from fhi.errors import UnknownFramework, UnknownHub
from green_index.errors import UnknownBase
from green_index.index import BASES, RANKING, Base, as_base

Row = dict[str, Any]
TREES: Final[dict[Base, str]] = {"open": "green", "published": "green-2017"}
PARTIAL: Final = ("part_of_year", "lower_bound")
_REMARKS: Final = {"proxy": "(proxy)", "part_of_year": "(part of year)", "lower_bound": "(lower bound)"}


class NotFound(Exception):
    """Something that a page was asked for does not exist: what kind of thing, and the words it was asked in."""

    def __init__(self, what: Literal["hub", "year", "base", "framework", "page"], wanted: str) -> None:
        super().__init__(f"no {what} {wanted!r}")
        self.what = what
        self.wanted = wanted


def known_years(store: Store, base: Base) -> list[int]:
    """The years that the current edition on this base covers, oldest first."""
    edition = queries.scores(store, DEFAULT_YEAR, base)["edition"][0]
    found = queries.editions(store).filter(pl.col("edition") == edition).row(0, named=True)
    return list(range(found["first_year"], found["last_year"] + 1))


def cities(store: Store) -> list[Row]:
    """All cities in the order of their codes."""
    return queries.hubs(store).sort("gbt2260").to_dicts()


def show_ranking(store: Store, lang: Lang, year: str, base: str, hub: str) -> Row:
    """Data of the ranking page; `hub` is the city to mark, if any. Raises NotFound."""
    chosen = _choose(store, year, base)
    rows = queries.scores(store, chosen["year"], chosen["base"]).to_dicts()
    nodes = queries.framework(store, TREES[chosen["base"]]).filter(pl.col("level") == 1).to_dicts()
    ranks = [row["rank"] for row in rows]
    return {
        **chosen,
        **_show_notes(store, lang, chosen["base"], chosen["year"]),
        "edition": rows[0]["edition"],
        "groups": [node for node in nodes if node["code"] in rows[0]],
        "ranked": [{**row, "tied": ranks.count(row["rank"]) > 1} for row in rows if row["rank"] is not None],
        "unranked": [row for row in rows if row["rank"] is None],
        "marked": _find_city(store, hub)["hub"] if hub else None,
        "cities": cities(store),
        "api_query": {"year": chosen["year"], "base": chosen["base"]},
    }


def show_hub(store: Store, lang: Lang, hub: str, year: str, base: str, against: str) -> Row:
    """Data of a city's page: its standing in one year beside another city's: the best other one unless one
    is named. Raises NotFound.
    """
    chosen = _choose(store, year, base)
    city = _find_city(store, hub)
    ranking = queries.scores(store, chosen["year"], chosen["base"]).to_dicts()
    other = _choose_other(store, ranking, city["hub"], against)
    rows = queries.standing(store, city["hub"], chosen["base"])
    now = rows.filter(pl.col("year") == chosen["year"])
    theirs = queries.standing(store, other["hub"], chosen["base"], chosen["year"]).filter(pl.col("kind") == "score")
    order = _tree_order(queries.framework(store, TREES[chosen["base"]]).to_dicts())
    groups = sorted(now.filter(pl.col("kind") == "score").to_dicts(), key=lambda row: order[row["code"]])
    their_score = dict(theirs.select("code", "score").iter_rows())
    printed = rows.filter(kind="printed", code="fintech").select("year", printed_rank="rank", printed_source="source")
    years = rows.filter(pl.col("level") == 0).join(printed, on="year", how="left", maintain_order="left").to_dicts()
    return {
        **chosen,
        **_show_notes(store, lang, chosen["base"], chosen["year"]),
        "edition": ranking[0]["edition"],
        "city": city,
        "other": other,
        "total": groups[0],
        "groups": [{**row, "other_score": their_score.get(row["code"])} for row in groups],
        "years_rows": years,
        "chart": {
            "hub": {"hub": city["hub"], "name": city[f"name_{lang}"]},
            "other": {"hub": other["hub"], "name": other[f"name_{lang}"]},
            "axes": _radar_axes(groups),
            "names": {row["code"]: row[f"name_{lang}"] for row in groups},
            "scores": {row["code"]: row["score"] for row in groups},
            "otherScores": their_score,
            "years": [{key: row[key] for key in ("year", "rank", "ranked", "score_pooled")} for row in years],
            "partial": chosen["partial"],
        },
        "leads": [_mark(row) for row in now.filter(pl.col("kind") == "leads").to_dicts()],
        "holds_back": [_mark(row) for row in now.filter(pl.col("kind") == "holds_back").to_dicts()],
        "reason": next(row["reason_zh" if lang == "zh" else "reason"] for row in ranking if row["hub"] == city["hub"]),
        "cities": cities(store),
        "city_names": {row["hub"]: row[f"name_{lang}"] for row in cities(store)},
        "api_query": {"year": chosen["year"], "base": chosen["base"]},
    }


def show_method(store: Store, framework: str) -> Row:
    """Data of the method page: one tree from the top down, and the recipe's numbers. Raises NotFound."""
    try:
        rows = queries.framework(store, framework).to_dicts()
    except UnknownFramework as error:
        raise NotFound("framework", framework) from error
    order = _tree_order(rows)
    nodes = sorted(rows, key=lambda row: order[row["code"]])
    groups = [row for row in nodes if row["kind"] == "group"]
    leaves = [(group, [row for row in nodes if _is_indicator_of(row, group)]) for group in groups]
    step, weights, share = RANKING.normalise, RANKING.weights, RANKING.aggregate
    return {
        "framework": framework,
        "frameworks": queries.FRAMEWORKS,
        "tree": groups,
        "indicators": [(group, found) for group, found in leaves if found],
        "recipe": {
            "lower": f"{step.lower:g}",
            "upper": f"{step.upper:g}",
            "ratio": f"{weights.max_consistency_ratio:g}",
            "share": f"{share.min_share:.0%}",
            "share_root": f"{share.min_share_root:.0%}",
        },
    }


def _is_indicator_of(row: Row, group: Row) -> bool:
    return (row["kind"], row["parent"]) == ("indicator", group["code"])


def _choose(store: Store, year: str, base: str) -> Row:
    """The chosen year and base with all there is to choose from; the latest year and open figures if none is named."""
    try:
        chosen = as_base(base or BASES[0])
    except UnknownBase as error:
        raise NotFound("base", base) from error
    spans = {each: known_years(store, each) for each in BASES}
    wanted = year or str(DEFAULT_YEAR)
    if wanted not in map(str, spans[chosen]):
        raise NotFound("year", wanted)
    return {
        "year": int(wanted),
        "base": chosen,
        "years": spans[chosen][::-1],
        "spans": {each: (years[0], years[-1]) for each, years in spans.items()},
        "partial": _partial_years(store, chosen),
        "tree_id": TREES[chosen],
    }


def _find_city(store: Store, name: str) -> Row:
    try:
        return queries.hub(store, name).row(0, named=True)
    except UnknownHub as error:
        raise NotFound("hub", name) from error


def _choose_other(store: Store, ranking: Iterable[Row], hub: str, against: str) -> Row:
    """The city named to compare with, or the best other one."""
    named = _find_city(store, against) if against else None
    if named is not None and named["hub"] != hub:
        return named
    return _find_city(store, next(row["hub"] for row in ranking if row["hub"] != hub))


def _radar_axes(groups: Iterable[Row]) -> list[str]:
    """Codes of the groups that a radar is drawn of: level 2, and level 1 where there is nothing below."""
    found = [row for row in groups if row["level"] in (1, 2)]
    following = [*found[1:], None]
    return [
        row["code"]
        for row, then in zip(found, following, strict=True)
        if row["level"] == 2 or then is None or then["level"] == 1
    ]


def _tree_order(nodes: Iterable[Row]) -> dict[str, int]:
    """Position of each code when a tree is read from the top down, each group followed by what lies below it."""
    children: dict[str | None, list[str]] = {}
    for node in nodes:
        children.setdefault(node["parent"], []).append(node["code"])
    order: list[str] = []
    waiting = children.get(None, [])[::-1]
    while waiting:
        code = waiting.pop()
        order.append(code)
        waiting.extend(children.get(code, [])[::-1])
    return {code: position for position, code in enumerate(order)}


def _mark(row: Row) -> Row:
    """An indicator row with the remarks that its source carries in brackets."""
    return {**row, "remarks": [key for key, words in _REMARKS.items() if words in (row["source"] or "")]}


def _partial_years(store: Store, base: Base) -> list[int]:
    found = queries.notes(store, base).filter(pl.col("code") == "part_of_year")
    return sorted(map(int, set(found["periods"].list.explode())))


def _show_notes(store: Store, lang: Lang, base: Base, year: int) -> Row:
    """What a reader must know of the year: market figures that are not whole, and every remark as a sentence."""
    found = queries.notes(store, base, year)
    partial = found.filter(pl.col("code").is_in(PARTIAL))
    return {
        "partial_markets": partial.select(market=f"subject_{lang}", extent="code").to_dicts(),
        "notes": found[f"text_{lang}"].to_list(),
    }
