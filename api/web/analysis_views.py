"""What the pages of analyses show: of all cities in a year, and of one city.

Knows which analyses stand on each page, with how many draws, and which columns of their rows. Knows no HTTP and
computes no figure: every number is that of the API.
"""

from dataclasses import replace
from typing import Any, Final

import polars as pl

from api import moves, perception, policy, queries, standing_analyses, structure
from api.choice_words import in_words
from api.lang import Lang, texts
from api.pictures.catalogue import (
    BAND_DRAWS,
    IMPORTANCE_DRAWS,
    SEED,
    band_rows,
    importance_rows,
    tier_rows,
    track_rows,
    weight_rows,
)
from api.pictures.kept import keep
from api.store import Store, current_edition
from api.web import analysis_tables as tables
from api.web import views
from api.web.analysis_ask import Ask, made
from api.web.analysis_blocks import Block, Form, Section, block, table
from api.web.render import format_figure
from green_index.index import RANKING
from green_index.moves.goals import Goal
from green_index.obstacles import NotScored

__all__ = ["show_analyses", "show_city_analyses"]

_FIFTH: Final = 5


def show_analyses(store: Store, lang: Lang, year: str, base: str, hub: str) -> dict[str, Any]:
    """Data of the page of all cities in one year; `hub` is the city to mark, if any. Raises NotFound."""
    page = views.show_ranking(store, lang, year, base, hub)
    said = texts("analyses", lang)
    ask = Ask(store, lang, page["year"], page["base"], page["marked"])
    together = [made(ask, "wheel", _wheel), made(ask, "tiers", _tiers), made(ask, "inequality", _inequality)]
    sections = [
        Section(said["page_section_sure"], [made(ask, "rank-bands", _bands), made(ask, "importance", _importance)]),
        Section(said["page_section_field"], [*together, *tables.of_field(ask)]),
        Section(said["page_section_seen"], [made(ask, "perception", _perception), *tables.of_agreement(ask)]),
    ]
    return {**page, "sections": sections}


def show_city_analyses(
    store: Store, lang: Lang, hub: str, year: str, base: str, code: str = "", value: str = ""
) -> dict[str, Any]:
    """Data of the page of one city; `code` and `value` are the indicator and the figure of a what-if, if one is asked.
    Raises NotFound."""
    page = views.show_ranking(store, lang, year, base, hub)
    city = next(each for each in page["cities"] if each["hub"] == page["marked"])
    said = texts("analyses", lang)
    ask = Ask(store, lang, page["year"], page["base"], city["hub"], city[f"name_{lang}"])
    why = [made(ask, "gap", _gap), made(ask, "obstacles", _obstacles), made(ask, "strengths", _strengths)]
    why += tables.of_city(ask)
    sure = [made(ask, "rank-bands", _own_band), made(ask, "importance", _importance)]
    what_if = _what_if(ask, code, value.strip())
    sections = [
        Section(said["page_section_why"], why),
        Section(said["page_section_sure"], [*sure, made(ask, "rank-weights", _weights)]),
        Section(said["page_section_moves"], [made(ask, "target", _target), what_if]),
        Section(
            said["page_section_years"],
            [
                made(ask, "rank-years", _years),
                made(ask, "rank-changes", _changes),
                made(ask, "coordination-years", _coordination),
                *tables.of_years(ask),
            ],
        ),
        Section(said["page_section_policy"], [made(ask, "scorecard", _scorecard), made(ask, "paths", _paths)]),
    ]
    return {**page, "city": city, "sections": sections}


def _pictured(ask: Ask, found: Block, picture: str, remarks: list[str]) -> Block:
    """With a picture, which is asked for with the year, base, city and language of the page."""
    hub = {} if ask.hub is None else {"hub": ask.hub}
    return replace(found, picture=picture, query={**hub, **ask.query, "lang": ask.lang}, remarks=remarks)


def _bands(ask: Ask, found: Block) -> Block:
    rows = band_rows(ask.store, ask.year, ask.base).filter(pl.col("rank").is_not_null())
    return _with_bands(ask, found, rows, rows)


def _own_band(ask: Ask, found: Block) -> Block:
    rows = band_rows(ask.store, ask.year, ask.base)
    own = rows.filter(pl.col("hub") == ask.own, pl.col("rank").is_not_null())
    if own.is_empty():
        raise NotScored(f"{ask.own} has no rank in {ask.year}")
    return _with_bands(ask, found, rows, own)


def _with_bands(ask: Ask, found: Block, rows: pl.DataFrame, shown: pl.DataFrame) -> Block:
    columns = [("rank", "whole"), *((name, "points") for name in ("rank_median", "rank_p05", "rank_p95"))]
    columns += [("rank_min", "whole"), ("rank_max", "whole")]
    columns += [(name, "share") for name in ("share_first", "share_top5", "share_as_stated", "coverage")]
    first = rows.filter(pl.col("rank").is_not_null()).row(0, named=True)
    drawn = ask.said["picture_draws"].format(
        draws=f"{BAND_DRAWS:,}", seed=SEED, choices=in_words(first["choices"], ask.lang)
    )
    told = table(shown, [(f"name_{ask.lang}", "hub"), *columns], found.title, ask.lang)
    query = {**ask.query, "draws": BAND_DRAWS, "seed": SEED}
    links = [("robustness", query), ("robustness/acceptability", query)]
    return replace(
        _pictured(ask, found, "rank-bands", [ask.said["picture_sensitivity"], drawn]), tables=[told], links=links
    )


def _importance(ask: Ask, found: Block) -> Block:
    rows = importance_rows(ask.store, ask.year, ask.base, ask.hub if ask.city else None)
    names = ("first_order", "first_order_low", "first_order_high", "total", "total_low", "total_high")
    columns = [(f"choice_{ask.lang}", "text"), ("between", "text"), *((name, "degree") for name in names)]
    told = table(rows.filter(pl.col("total").is_not_null()), columns, found.title, ask.lang)
    hub = {"hub": ask.own} if ask.city else {}
    query = {
        **hub,
        **ask.query,
        "draws": IMPORTANCE_DRAWS,
        "seed": SEED,
        "choices": "weights,normalisation,aggregation",
    }
    runs = ask.said["picture_runs"].format(runs=f"{rows['runs'][0]:,}", seed=SEED)
    made = _pictured(ask, found, "importance", [ask.said["picture_importance_note"], runs])
    # The page of all cities may mark one, but asks which choice moves the whole ranking.
    asked = made.query if ask.city else {name: value for name, value in made.query.items() if name != "hub"}
    return replace(made, query=asked, tables=[told], links=[("sensitivity", query)])


def _wheel(ask: Ask, found: Block) -> Block:
    rows = standing_analyses.coordination(ask.store, ask.base, year=ask.year).sort("rank", "hub", nulls_last=True)
    columns = [("rank", "whole"), *((name, "degree") for name in ("u_1", "u_2", "coupling", "development"))]
    columns += [("coordination", "degree"), *((f"{name}_{ask.lang}", "text") for name in ("grade", "leading"))]
    told = table(rows, [(f"name_{ask.lang}", "hub"), *columns], found.title, ask.lang)
    made = _pictured(ask, found, "wheel", [ask.said["page_wheel_means"]])
    return replace(made, tables=[told], links=[("coordination", ask.query)])


def _tiers(ask: Ask, found: Block) -> Block:
    hubs, _ = tier_rows(ask.store, ask.year, ask.base)
    columns = [("rank", "whole"), ("score", "points"), ("tier", "whole"), ("stability", "share")]
    columns += [("other_tier", "whole"), ("points_to_other", "points")]
    told = table(hubs, [(f"name_{ask.lang}", "hub"), *columns], found.title, ask.lang)
    made = _pictured(ask, found, "tiers", [ask.said["picture_tiers_natural_breaks"], ask.said["picture_tiers_note"]])
    return replace(made, tables=[told], links=[("tiers", ask.query), ("tiers/summary", ask.query)])


def _inequality(ask: Ask, found: Block) -> Block:
    root = structure.root_of(ask.store, ask.base)
    rows, _ = structure.inequality_by(ask.store, ask.base, root, "region", None)
    names = ("gini", "gini_within", "gini_between", "gini_transvariation", "theil", "theil_within", "theil_between")
    columns = [("year", "text"), ("hubs", "whole"), ("mean", "points"), *((name, "degree") for name in names)]
    grouped = ask.said["picture_inequality_note"].format(groups=ask.said["picture_by_region"])
    made = _pictured(ask, found, "inequality", [grouped])
    told = table(rows, columns, found.title, ask.lang)
    base = {"base": ask.base}
    return replace(made, tables=[told], links=[("inequality", base), ("inequality/pairs", base)])


def _perception(ask: Ask, found: Block) -> Block:
    rows = perception.printed_study(perception.PRINTED_YEAR).predictions
    columns = [("actual", "points"), ("predicted", "points"), ("low", "points"), ("high", "points")]
    columns.append((f"remark_{ask.lang}", "text"))
    told = table(rows, [(f"name_{ask.lang}", "hub"), *columns], found.title, ask.lang)
    made = _pictured(ask, found, "perception", [ask.said["picture_perception_note"]])
    links = [(name, {"year": perception.PRINTED_YEAR}) for name in ("perception", "perception/errors")]
    return replace(made, tables=[told], links=links)


def _gap(ask: Ask, found: Block) -> Block:
    rows = standing_analyses.gaps(ask.store, ask.own, ask.base, ask.year)
    if rows["to_hub"][0] == ask.own:
        return replace(found, remarks=[ask.said["page_is_leader"]])
    figures = ("score", "score_to", "weight", "weight_to", "gap", "score_part", "coverage_part")
    kinds = ("points", "points", "share", "share", "signed", "signed", "signed")
    columns = [(f"name_{ask.lang}", "text"), ("level", "whole"), *zip(figures, kinds, strict=True)]
    named = {f"name_{ask.lang}": ask.said["column_group"], "weight_to": ask.said["page_weight_to"]}
    told = table(rows.filter(pl.col("kind") == "group"), columns, found.title, ask.lang, named)
    made = _pictured(ask, found, "gap", [ask.said["picture_gap_note"]])
    return replace(made, tables=[told], links=[(f"hubs/{ask.own}/gaps", ask.query)])


def _obstacles(ask: Ask, found: Block) -> Block:
    rows = standing_analyses.obstacles(ask.store, ask.own, ask.base, ask.year, "indicator")
    figures = ("place", "obstacle", "points_lost", "weight", "score")
    kinds = ("whole", "share", "points", "share", "points")
    columns = [(f"name_{ask.lang}", "text"), *zip(figures, kinds, strict=True)]
    told = table(rows, columns, found.title, ask.lang, _indicator(ask))
    made = _pictured(ask, found, "obstacles", [ask.said["picture_obstacles_note"]])
    return replace(made, tables=[told], links=[(f"hubs/{ask.own}/obstacles", ask.query)])


def _strengths(ask: Ask, found: Block) -> Block:
    rows = standing_analyses.strengths(ask.store, ask.own, ask.base, ask.year)
    words = {code: ask.said[f"standing_{code}"] for code in ("strength", "weakness")}
    pages = texts("page", ask.lang).items()
    states = {key.removeprefix("status_"): word for key, word in pages if key.startswith("status_")}
    states["assumed"] = texts("page", ask.lang)["assumed"]
    notable = rows.filter(pl.col("verdict").is_not_null() | pl.col("peer_verdict").is_not_null()).with_columns(
        pl.col("verdict", "peer_verdict").replace_strict(words, default=None, return_dtype=pl.String),
        pl.col("status").replace_strict(states, default=None, return_dtype=pl.String),
    )
    columns = [(f"name_{ask.lang}", "text"), ("verdict", "text"), ("rank", "whole"), ("ranked", "whole")]
    columns += [("peer_verdict", "text"), ("peer_rank", "whole"), ("peers", "whole")]
    columns += [("score", "points"), ("status", "text"), ("source", "text")]
    headings = {**_indicator(ask), "status": ask.said[f"column_status_{ask.lang}"]}
    tables = [table(notable, columns, found.title, ask.lang, headings)] if notable.height else []
    remarks = [ask.said["page_strengths_means"]] if tables else [ask.said["page_no_strengths"]]
    return replace(found, remarks=remarks, tables=tables, links=[(f"hubs/{ask.own}/strengths", ask.query)])


def _weights(ask: Ask, found: Block) -> Block:
    rows = weight_rows(ask.store, ask.own, ask.year, ask.base).nearest
    names = ("weight_stated", "nearest_weight", "nearest_change", "nearest_rank", "best_rank", "worst_rank")
    kinds = ("share", "share", "share", "whole", "whole", "whole")
    columns = [(f"group_{ask.lang}", "text"), ("rank", "whole"), *zip(names, kinds, strict=True)]
    told = table(rows, columns, found.title, ask.lang)
    query = {"hub": ask.own, **ask.query}
    made = _pictured(ask, found, "rank-weights", [ask.said["picture_rank_weights_note"]])
    return replace(made, tables=[told], links=[("break-even", query), ("break-even/intervals", query)])


def _target(ask: Ask, found: Block) -> Block:
    ranking = current_edition(ask.store, ask.base, RANKING)
    own = queries.scores(ask.store, ask.year, ask.base).filter(pl.col("hub") == ask.own)["rank"][0]
    if own == 1:
        return replace(found, remarks=[ask.said["page_is_leader"]])
    goal = None if own is None else own - 1 if own <= _FIFTH else _FIFTH
    if goal is None:
        raise NotScored(f"{ask.own} has no rank in {ask.year}")
    answer = keep(
        ("target", ranking.id, ask.own, ask.year, goal),
        lambda: moves.target(ask.store, ask.own, ask.year, ask.base, Goal(rank=goal, lead=moves.LEAD)),
    )
    told = answer.answer.row(0, named=True)
    remark = ask.said["page_target_reached" if told["reachable"] else "page_target_not"].format(
        city=ask.city, rank=goal, passed=told[f"pass_{ask.lang}"], best=told["best_rank"], rebuilt=told["rank_rebuilt"]
    )
    names = ("value_before", "value_after", "normalised_before", "normalised_after", "weight", "points")
    kinds = ("figure", "figure", "points", "points", "share", "signed")
    unit = "unit_zh" if ask.lang == "zh" else "unit"
    columns = [(f"indicator_{ask.lang}", "text"), *zip(names, kinds, strict=True), (unit, "text")]
    tables = [table(answer.moves, columns, found.title, ask.lang)] if answer.moves.height else []
    query = {"hub": ask.own, "rank": goal, **ask.query}
    links = [("target", query), ("target/moves", query), ("rank-range", {"hub": ask.own, **ask.query})]
    return replace(found, remarks=[remark, ask.said["page_target_means"]], tables=tables, links=links)


def _what_if(ask: Ask, code: str, value: str) -> Block:
    """A form for another figure of an indicator, and what it would make of scores and ranks."""
    key = "what-if"
    empty = Block(key, ask.said["page_what_if"].format(city=ask.city, year=ask.year))
    return _answered(ask, block(empty, lambda found: _asked(ask, found, code, value)))


def _asked(ask: Ask, found: Block, code: str, value: str) -> Block:
    rows = standing_analyses.strengths(ask.store, ask.own, ask.base, ask.year).drop_nulls("value")
    unit = "unit_zh" if ask.lang == "zh" else "unit"
    options = [
        (known, f"{name}: {format_figure(figure)} {measured or ''}".strip())
        for known, name, figure, measured in rows.select("code", f"name_{ask.lang}", "value", unit).iter_rows()
    ]
    return replace(found, form=Form(options, code, value), remarks=[ask.said["page_what_if_means"]])


def _answered(ask: Ask, found: Block) -> Block:
    """The form with its answer, where a question was asked."""
    form = found.form
    if form is None or not form.code or not form.value:
        return found
    return block(found, lambda asked: _suppose(ask, asked, form))


def _suppose(ask: Ask, found: Block, form: Form) -> Block:
    change = f"{form.code}={form.value}"
    ranks = moves.what_if(ask.store, ask.own, [change], ask.year, ask.base, draws=BAND_DRAWS, seed=SEED).ranks
    shown = ranks.filter(
        pl.col("level") == 0, (pl.col("hub") == ask.own) | (pl.col("rank_before") != pl.col("rank_after"))
    )
    names = ("rank_before", "rank_after", "score_before", "score_after", "rank_p05_before", "rank_p95_before")
    kinds = ("whole", "whole", "points", "points", "points", "points")
    columns = [(f"name_{ask.lang}", "hub"), *zip(names, kinds, strict=True)]
    columns += [("rank_p05_after", "points"), ("rank_p95_after", "points")]
    told = table(shown, columns, found.title, ask.lang)
    drawn = ask.said["picture_draws"].format(
        draws=f"{BAND_DRAWS:,}", seed=SEED, choices=ask.said["picture_weights_alone"]
    )
    remarks = [*found.remarks, ask.said["picture_sensitivity"], drawn]
    query = {"hub": ask.own, "set": f"{form.code}:{form.value}", **ask.query}
    return replace(found, tables=[told], remarks=remarks, links=[("what-if", query), ("what-if/figures", query)])


def _years(ask: Ask, found: Block) -> Block:
    rows = track_rows(ask.store, ask.own, ask.base).sort("year")
    kinds = {"rank": "whole", "ranked": "whole", "rank_pooled": "whole", "score_pooled": "points", "coverage": "share"}
    bands = [(name, "points") for name in ("rank_median", "rank_p05", "rank_p95")]
    told = table(rows, [("year", "text"), *kinds.items(), *bands], found.title, ask.lang)
    drawn = ask.said["picture_draws"].format(
        draws=f"{BAND_DRAWS:,}", seed=SEED, choices=ask.said["picture_weights_alone"]
    )
    remarks = [ask.said["picture_sensitivity"], ask.said["picture_rank_years_note"], drawn]
    query = {"base": ask.base, "draws": BAND_DRAWS, "seed": SEED}
    made = _pictured(ask, found, "rank-years", remarks)
    return replace(made, tables=[told], links=[(f"hubs/{ask.own}/track", query)])


def _changes(ask: Ask, found: Block) -> Block:
    rows = track_rows(ask.store, ask.own, ask.base).sort("year").filter(pl.col("from_year").is_not_null())
    named = {part: ask.said[f"column_part_{part}"] for part in ("own", "others", "method", "revision")}
    columns = [("year", "text"), ("gained", "signed"), *((part, "signed") for part in named)]
    told = table(
        rows, [*columns, ("score_change", "signed"), (f"reason_{ask.lang}", "text")], found.title, ask.lang, named
    )
    made = _pictured(ask, found, "rank-changes", [ask.said["picture_rank_changes_note"]])
    return replace(made, tables=[told], links=[(f"hubs/{ask.own}/track", {"base": ask.base})])


def _coordination(ask: Ask, found: Block) -> Block:
    rows = standing_analyses.coordination(ask.store, ask.base, hub=ask.own).sort("year")
    columns = [("year", "text"), *((name, "degree") for name in ("u_1", "u_2", "coupling", "development"))]
    columns += [("coordination", "degree"), *((f"{name}_{ask.lang}", "text") for name in ("grade", "leading"))]
    told = table(rows, [*columns, ("rank", "whole")], found.title, ask.lang)
    made = _pictured(ask, found, "coordination-years", [ask.said["picture_coordination_years_note"]])
    return replace(made, tables=[told], links=[("coordination", {"hub": ask.own, "base": ask.base})])


def _scorecard(ask: Ask, found: Block) -> Block:
    rows = policy.policy(ask.store, ask.own)
    columns = [(f"{name}_{ask.lang}", "text") for name in ("proposal", "area", "status")]
    told = table(rows, [*columns, *_evidence(ask)], found.title, ask.lang)
    made = _pictured(ask, found, "scorecard", [ask.said["picture_scorecard_note"]])
    return replace(made, tables=[told], links=[(f"hubs/{ask.own}/policy", {})])


def _paths(ask: Ask, found: Block) -> Block:
    rows = policy.policy_paths(ask.store, ask.own)
    columns = [(f"{name}_{ask.lang}", "text") for name in ("stage", "path", "status")]
    told = table(rows, [*columns, *_evidence(ask)], found.title, ask.lang)
    made = _pictured(ask, found, "paths", [ask.said["picture_paths_note"]])
    return replace(made, tables=[told], links=[(f"hubs/{ask.own}/paths", {})])


def _evidence(ask: Ask) -> list[tuple[str, str]]:
    return [(f"evidence_{ask.lang}", "text"), ("date", "text"), ("source", "text")]


def _indicator(ask: Ask) -> dict[str, str]:
    """The heading of names of indicators."""
    return {f"name_{ask.lang}": ask.said[f"column_indicator_{ask.lang}"]}
