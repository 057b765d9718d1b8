"""The verbs about policy and about what a ranking rests on: scorecard, areas, stages of the paths, coverage.

Knows which evidence is asked, embedded or a user's own, and the words of codes. Computes nothing: the rules live in
`green_index.policy` and `green_index.coverage`. Knows no HTTP and no screen.
"""

from typing import Any, Final

import polars as pl

from api.lang import LANGUAGES, Lang, texts
from api.store import Store, current_edition
from fhi.framework import Framework
from fhi.hubs import find_hub, hubs
from green_index.coverage import coverage_table
from green_index.index import RANKING, Base, city_years
from green_index.policy import (
    area_shares,
    every_hub,
    merge_evidence,
    proposal_evidence,
    scorecard,
    stage_evidence,
    stage_tracker,
)
from green_index.policy_files import OwnEvidence
from green_index.policy_files import read_evidence as own_evidence
from green_index.policy_rows import policy_panel

__all__ = ["coverage", "coverage_rule", "own_evidence", "policy", "policy_areas", "policy_figures", "policy_paths"]

_NAMES: Final = ("hub", "name_zh", "name_en")


def policy(_store: Store, name: str, year: int | None = None, own: OwnEvidence | None = None) -> pl.DataFrame:
    """The 16 proposals of one city: rows of `green_index.policy.scorecard` with its names and the status in words.

    year: as known at the end of it, else by all evidence; own: what adds to the embedded evidence or takes its place.
    Raises UnknownHub.
    """
    return _worded(scorecard(_proposals(own), [find_hub(name)], year), "policy_status")


def policy_areas(
    _store: Store, name: str | None = None, year: int | None = None, own: OwnEvidence | None = None
) -> pl.DataFrame:
    """How many proposals one city or each has adopted by area, and the bounds of the share: rows of
    `green_index.policy.area_shares` with names. Raises UnknownHub."""
    wanted = every_hub() if name is None else [find_hub(name)]
    return _named(area_shares(scorecard(_proposals(own), wanted, year)))


def policy_paths(_store: Store, name: str, year: int | None = None, own: OwnEvidence | None = None) -> pl.DataFrame:
    """The stages of the three paths for one city: rows of `green_index.policy.stage_tracker` with its names and the
    status in words. Raises UnknownHub."""
    evidence = stage_evidence() if own is None else merge_evidence(stage_evidence(), own.stages)
    return _worded(stage_tracker(evidence, [find_hub(name)], year), "policy_stage")


def policy_figures(_store: Store, name: str | None = None, own: OwnEvidence | None = None) -> pl.DataFrame:
    """The figures of green_policy that evidence makes, for one city or all: rows of fhi.panel.PANEL_SCHEMA, as
    `greenfin index build --values` reads them. Raises UnknownHub."""
    years = city_years()["period"].unique().sort().to_list()
    rows = policy_panel(years, _proposals(own), None if own is None else own.firms)
    return rows if name is None else rows.filter(pl.col("hub") == find_hub(name))


def coverage(store: Store, year: int, base: Base) -> pl.DataFrame:
    """The total and every level-1 group of every city in one year: hub, name_zh, name_en, year, base, edition, code,
    group_zh, group_en, level, counted, weight, coverage (0..1), score, rank, ranked, missing, and why it is ranked or
    not in both languages. Ranked cities first. Raises UnknownPeriod.
    """
    edition = current_edition(store, base, RANKING)
    rows = coverage_table(edition.scores, edition.weights, edition.framework, str(year))
    nodes = edition.framework.node
    worded = rows.with_columns(
        pl.lit(year).alias("year"),
        pl.lit(base).alias("base"),
        pl.lit(edition.id).alias("edition"),
        pl.col("code").replace_strict({code: node.name_zh for code, node in nodes.items()}).alias("group_zh"),
        pl.col("code").replace_strict({code: node.name_en for code, node in nodes.items()}).alias("group_en"),
        *(_why(rows, edition.framework, _aggregate(edition.provenance)["min_share"], lang) for lang in LANGUAGES),
    )
    return _named(worded).select(
        *_NAMES,
        *("year", "base", "edition", "code", "group_zh", "group_en", "level", "counted", "weight", "coverage"),
        *("score", "rank", "ranked", "missing", "why_zh", "why_en"),
    )


def coverage_rule(store: Store, base: Base) -> dict[str, float]:
    """How much a group (`group`) and the total (`root`) must rest on in the current edition: shares 0..1 of the weight
    that any city has."""
    aggregate = _aggregate(current_edition(store, base, RANKING).provenance)
    return {"group": aggregate["min_share"], "root": aggregate["min_share_root"]}


def _proposals(own: OwnEvidence | None) -> pl.DataFrame:
    return proposal_evidence() if own is None else merge_evidence(proposal_evidence(), own.proposals)


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the city's names behind its slug."""
    joined = rows.join(hubs().select(_NAMES), on="hub", how="left", maintain_order="left")
    return joined.select(*_NAMES, pl.exclude(_NAMES))


def _worded(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The rows with names, and beside the code of the status its words in both languages."""
    columns = [
        pl.col("status").replace_strict(_words(kind, lang), return_dtype=pl.String).alias(f"status_{lang}")
        for lang in LANGUAGES
    ]
    named = _named(rows)
    place = named.columns.index("status") + 1
    return named.select(*named.columns[:place], *columns, *named.columns[place:])


def _words(kind: str, lang: Lang) -> dict[str, str]:
    start = f"{kind}_"
    return {key.removeprefix(start): word for key, word in texts("analyses", lang).items() if key.startswith(start)}


def _aggregate(provenance: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = provenance["recipe"]["aggregate"]
    return found


def _why(rows: pl.DataFrame, tree: Framework, min_share: float, lang: Lang) -> pl.Series:
    """Why a city is ranked or not, and why a group has a score or not, in words."""
    said = texts("analyses", lang)
    needed = f"{min_share:.0%}"
    lacking = {
        (hub, code): said[f"coverage_{reason}"].format(covered=f"{covered or 0:.0%}", needed=needed)
        for hub, code, reason, covered in rows.filter(pl.col("reason").is_not_null(), pl.col("level") == 1)
        .select("hub", "code", "reason", "coverage")
        .iter_rows()
    }
    named = {code: node.name_zh if lang == "zh" else node.name_en for code, node in tree.node.items()}
    words = []
    for row in rows.iter_rows(named=True):
        if row["level"] == 1:
            apart = "" if row["counted"] else said["coverage_apart"]
            words.append(
                "; ".join(part for part in (lacking.get((row["hub"], row["code"]), ""), apart) if part) or None
            )
        elif row["reason"] is None:
            words.append(said["coverage_ranked"])
        else:
            listed = [f"{named[code]}: {lacking[row['hub'], code]}" for code in row["missing"]]
            words.append(said["coverage_unranked"].format(groups="; ".join(listed)))
    return pl.Series(f"why_{lang}", words, dtype=pl.String)
