"""Analyses of a page that are tables without a picture: figures behind a city, modes, alerts, convergence, coverage,
agreement with printed rankings.

Knows which rows and columns a reader wants of each. Computes nothing and knows no HTTP.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from api import policy, standing_analyses, structure, tracking, validation
from api.lang import texts
from api.pictures.kept import keep
from api.web.analysis_ask import Ask, made
from api.web.analysis_blocks import Block, table
from green_index.modes import RULE_EN, RULE_ZH

__all__ = ["of_agreement", "of_city", "of_field", "of_years"]

ALERT_DRAWS: Final = 2000
SEED: Final = 1
_SIDES: Final = ("finance", "technology", "ecosystem", "regulation")


def of_city(ask: Ask) -> list[Block]:
    """Every figure behind a city, and what drives it."""
    return [made(ask, "figures", _figures), made(ask, "modes", _modes)]


def of_years(ask: Ask) -> list[Block]:
    """Whether the band of a city's ranks moved."""
    return [made(ask, "alerts", _alerts)]


def of_field(ask: Ask) -> list[Block]:
    """What drives the hubs, whether they draw together, and who is ranked."""
    return [
        made(ask, "modes", _modes),
        made(ask, "convergence", _convergence),
        made(ask, "coverage", _coverage),
    ]


def of_agreement(ask: Ask) -> list[Block]:
    """How our indices agree with the printed totals."""
    return [made(ask, "validation", _validation)]


def _figures(ask: Ask, found: Block) -> Block:
    rows = standing_analyses.explanation(ask.store, ask.own, ask.base, ask.year)
    pages = texts("page", ask.lang)
    states = {key.removeprefix("status_"): word for key, word in pages.items() if key.startswith("status_")}
    known = rows.filter(pl.col("part") == "indicator").with_columns(
        pl.col("status").replace_strict(states, default=pl.col("status"), return_dtype=pl.String)
    )
    columns = [(f"name_{ask.lang}", "text"), ("value", "figure"), ("unit_zh" if ask.lang == "zh" else "unit", "text")]
    columns += [("score", "points"), ("rank", "whole"), ("weight", "degree"), ("points", "points")]
    columns += [("obstacle", "share"), ("status", "text"), ("source", "text")]
    headings = {
        f"name_{ask.lang}": ask.said["column_indicator_zh" if ask.lang == "zh" else "column_indicator_en"],
        "unit_zh": ask.said["column_unit"],
        "status": ask.said[f"column_status_{ask.lang}"],
    }
    told = table(known, columns, found.title, ask.lang, headings)
    return replace(found, tables=[told], links=[(f"hubs/{ask.own}/explanation", ask.query)])


def _modes(ask: Ask, found: Block) -> Block:
    rows = structure.modes(ask.store, ask.year, ask.base, ask.hub if ask.city else None)
    rows = rows.filter(pl.col(f"mode_{ask.lang}").is_not_null() | pl.lit(bool(ask.city)))
    columns = [(f"name_{ask.lang}", "hub"), ("scheme", "text"), (f"mode_{ask.lang}", "text")]
    columns += [*((side, "points") for side in _SIDES), ("margin", "points"), (f"decided_by_{ask.lang}", "text")]
    rule = RULE_ZH if ask.lang == "zh" else RULE_EN
    tables = [table(rows, columns, found.title, ask.lang)] if rows.height else []
    query = {**ask.query, **({"hub": ask.own} if ask.city else {})}
    return replace(found, tables=tables, remarks=[ask.said["remark_modes"].format(rule=rule)], links=[("modes", query)])


def _alerts(ask: Ask, found: Block) -> Block:
    edition = structure.edition_of(ask.store, ask.base)
    rows = keep(
        ("alerts", edition, ask.own),
        lambda: tracking.alerts(ask.store, ask.base, None, ask.own, ALERT_DRAWS, SEED),
    )
    remarks = [ask.said["alerts_remark"].format(draws=ALERT_DRAWS, seed=SEED)]
    links = [("alerts", {"base": ask.base, "hub": ask.own})]
    if rows.is_empty():
        return replace(found, remarks=[ask.said["alerts_none"], *remarks], links=links)
    columns = [("to_period", "text"), (f"text_{ask.lang}", "text")]
    return replace(found, tables=[table(rows, columns, found.title, ask.lang)], remarks=remarks, links=links)


def _convergence(ask: Ask, found: Block) -> Block:
    spread, catching_up = structure.convergence(ask.store, ask.base, structure.root_of(ask.store, ask.base), None)
    kinds = {kind: ask.said[f"convergence_{kind}"] for kind in catching_up["kind"].unique()}
    worded = catching_up.with_columns(pl.col("kind").replace_strict(kinds, return_dtype=pl.String))
    columns = [
        ("year", "text"),
        ("hubs", "whole"),
        ("mean", "points"),
        ("variation", "degree"),
        ("log_spread", "degree"),
    ]
    ends = [("kind", "text"), ("first_period", "text"), ("last_period", "text"), ("hubs", "whole")]
    ends += [(name, "degree") for name in ("slope", "slope_se", "slope_se_robust", "p_value", "speed")]
    ends += [("half_life_years", "points")]
    base = {"base": ask.base}
    return replace(
        found,
        tables=[table(rows, each, found.title, ask.lang) for rows, each in ((spread, columns), (worded, ends))],
        remarks=[ask.said["remark_pooled"]],
        links=[("convergence/sigma", base), ("convergence/beta", base)],
    )


def _coverage(ask: Ask, found: Block) -> Block:
    rows = policy.coverage(ask.store, ask.year, ask.base).filter(pl.col("level") == 0)
    columns = [(f"name_{ask.lang}", "hub"), ("rank", "whole"), ("coverage", "share"), (f"why_{ask.lang}", "text")]
    told = table(rows, columns, found.title, ask.lang)
    return replace(found, tables=[told], links=[("coverage", ask.query)])


def _validation(ask: Ask, found: Block) -> Block:
    rows = validation.validation(ask.store).filter(pl.col("dimension") == "overall", pl.col("spearman").is_not_null())
    columns = [("against", "text"), ("candidate_zh" if ask.lang == "zh" else "candidate", "text"), ("hubs", "whole")]
    columns += [("spearman", "degree"), ("kendall", "degree"), ("mean_shift", "points"), ("p_value", "degree")]
    headings = {"candidate_zh": ask.said["column_candidate"]}
    return replace(found, tables=[table(rows, columns, found.title, ask.lang, headings)], links=[("validation", {})])
