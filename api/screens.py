"""What each command shows a person, and which rows a program gets.

Knows which columns of a frame a reader wants and their labels. Computes nothing.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from api.lang import Lang, texts
from api.output import NONE, Format, share, show, write_lines, write_rows, write_table
from carbon.errors import Problem
from carbon.loading import LoadReport
from fhi.hubs import hubs


def show_table(rows: pl.DataFrame, title: str, form: Format, lang: Lang | None = None) -> None:
    """Any frame: as it is for programs, as a titled table without empty columns for people.

    lang : headings in this language where there are words for them (`column_<name>`); as the columns are named without
    """
    if form != "table":
        write_rows(rows, form)
        return
    text = {} if lang is None else texts("cli", lang)
    filled = [name for name in rows.columns if rows[name].null_count() < rows.height or rows.height == 0]
    headings = {name: text.get(f"column_{name}", name) for name in filled}
    numbers = frozenset(headings[name] for name in filled if rows.schema[name].is_numeric())
    write_table(rows.select(filled).rename(headings), title, numbers)


def show_problems(problems: Sequence[Problem], form: Format, lang: Lang) -> None:
    """Every problem with file, row, column, found and expected; people see none where there is none."""
    text = texts("cli", lang)
    columns = ("file", "row", "column", "found", "expected", "code", "severity")
    table = pl.DataFrame(
        [tuple(getattr(problem, name) for name in columns) for problem in problems],
        schema={name: pl.Int64 if name == "row" else pl.String for name in columns},
        orient="row",
    )
    if form != "table":
        write_rows(table, form)
    elif table.height:
        renamed = {name: text[f"problem_{name}"] for name in columns if name != "code"}
        write_table(table.drop("code").rename(renamed), "", frozenset({text["problem_row"]}))


def show_ranking(rows: pl.DataFrame, notes: pl.DataFrame, form: Format, lang: Lang) -> None:
    """The ranking: rank, city, score, level-1 scores, coverage; reason for cities that are not ranked."""
    text = texts("cli", lang)
    remarks = []
    if form == "table":
        level_one = rows.columns[rows.columns.index("score") + 1 : rows.columns.index("coverage")]
        table = rows.filter(pl.col("rank").is_not_null()).select(
            pl.col("rank").alias(text["rank"]),
            pl.col(f"name_{lang}").alias(text["city"]),
            one_decimal("score").alias(text["score"]),
            *(one_decimal(code).alias(_node_name(code, lang)) for code in level_one),
            pl.col("coverage").map_elements(share, return_dtype=pl.String).alias(text["coverage"]),
        )
        head = rows.row(0, named=True)
        title = text["title_rank"].format(year=head["year"], base=head["base"], ranked=head["ranked"])
        write_table(table, title, frozenset(table.columns) - {text["city"]})
        reason = "reason_zh" if lang == "zh" else "reason"
        unranked = rows.filter(pl.col("rank").is_null()).group_by(reason, maintain_order=True)
        for why, cities in unranked.agg(f"name_{lang}").iter_rows():
            remarks.append(f"{text['not_ranked']} ({why}): {', '.join(cities)}")
    else:
        write_rows(rows, form)
    remarks.append(text["edition"].format(edition=rows["edition"][0]))
    if notes.height:
        remarks += [text["notes"], *(f"  - {note}" for note in notes[f"text_{lang}"])]
    write_lines(remarks, form)


def show_standing(here: pl.DataFrame, every: pl.DataFrame, hub: pl.DataFrame, lang: Lang) -> None:
    """One city's standing for people: groups of one year (`here`), what holds it back, where it leads, and all years
    (`every`)."""
    text, year = texts("cli", lang), here["year"][0]
    city = hub[f"name_{lang}"][0]
    groups = here.filter(pl.col("kind") == "score")
    total = groups.filter(pl.col("level") == 0).row(0, named=True)
    if total["rank"] is None:
        write_lines(
            [
                text["title_standing_unranked"].format(
                    city=city, year=year, reason=total["reason_zh" if lang == "zh" else "reason"]
                )
            ],
            "table",
        )
    else:
        headline = text["title_standing"].format(
            city=city,
            year=year,
            rank=total["rank"],
            ranked=total["ranked"],
            score=show(total["score"]),
            coverage=share(total["coverage"]),
        )
        write_lines([headline, ""], "table")
    write_table(_group_table(groups, text, lang), text["title_groups"], _numeric(text))
    for kind in ("holds_back", "leads"):
        write_lines([""], "table")
        part = here.filter(pl.col("kind") == kind)
        write_table(_indicator_table(part, text, lang), text[f"title_{kind}"], _numeric(text))
        write_lines([text["sources"], *_source_lines(part, lang)], "table")
    write_lines([""], "table")
    write_table(_year_table(every, text), text["title_years"], frozenset(_year_table(every, text).columns))


def show_market(rows: pl.DataFrame, market: str, form: Format, lang: Lang) -> None:
    """A market's statistics: for people, value in millions and shares in per cent."""
    if form != "table":
        write_rows(rows, form)
        return
    text = texts("cli", lang)
    percent = pl.String
    table = rows.select(
        pl.col("period").alias(text["period"]),
        pl.col("volume_t").map_elements(lambda tonnes: f"{tonnes:,}", return_dtype=pl.String).alias(text["volume_t"]),
        (pl.col("value_cny") / 1e6).alias(text["value_million_cny"]),
        decimals("vwap_cny_per_t", 2).alias(text["vwap_cny_per_t"]),
        pl.col("sessions").alias(text["sessions"]),
        pl.col("continuity").map_elements(share, return_dtype=percent).alias(text["continuity"]),
        pl.col("block_share").map_elements(share, return_dtype=percent).alias(text["block_share"]),
        decimals("volatility_annual", 3).alias(text["volatility_annual"]),
        decimals("amihud_per_million_cny", 3).alias(text["amihud"]),
        pl.col("coverage").str.replace_all("_", " ").alias(text["extent"]),
        pl.col("origin").alias(text["origin"]),
    )
    write_table(table, text["title_market"].format(market=market), frozenset(table.columns))
    write_lines([f"  - {note}" for note in rows["note"].drop_nulls().unique(maintain_order=True)], form)


def show_tree(rows: pl.DataFrame, title: str, form: Format, lang: Lang) -> None:
    """An indicator tree, indented by level for people."""
    if form != "table":
        write_rows(rows, form)
        return
    text = texts("cli", lang)
    table = rows.select(
        (pl.lit("  ").repeat_by("level").list.join("") + pl.col("code")).alias("code"),
        pl.col(f"name_{lang}").alias(text["indicator"]),
        pl.col("weight").round(4).alias("weight"),
        pl.col("weight_method").alias("method"),
        pl.col("weight_assumed").alias("assumed"),
        pl.col("unit" if lang == "en" else "unit_zh").alias(text["unit"]),
    )
    write_table(table, title, frozenset({"weight"}))


def show_load(reports: Sequence[LoadReport], form: Format, lang: Lang) -> None:
    """What came of loading: a line a file, and every problem with file, row, column, found, expected."""
    text = texts("cli", lang)
    lines = []
    for report in reports:
        warnings = sum(problem.severity == "warning" for problem in report.problems)
        lines.append(
            text["loaded"].format(
                file=report.file,
                format=report.format,
                read=report.rows_read,
                new=report.rows_new,
                already=report.rows_already_loaded,
                rejected=report.rejected,
                warnings=warnings,
            )
        )
        if report.rows_without_trade or report.rows_repeated:
            left = {"without": report.rows_without_trade, "repeated": report.rows_repeated}
            lines.append(text["left_out"].format(file=report.file, **left))
        if report.rows_of_others:
            lines.append(text["of_others"].format(file=report.file, others=report.rows_of_others, market=report.market))
        if not report.rows_kept:
            lines.append(text["kept_none"].format(file=report.file))
            lines.append(text["no_row_in_file"].format(file=report.file, market=report.market))
    show_problems([problem for report in reports for problem in report.problems], form, lang)
    write_lines(lines, form)


def _group_table(groups: pl.DataFrame, text: Mapping[str, str], lang: Lang) -> pl.DataFrame:
    return groups.select(
        (pl.lit("  ").repeat_by("level").list.join("") + pl.col(f"name_{lang}")).alias(text["group"]),
        _rank_of().alias(text["rank"]),
        one_decimal("score").alias(text["score"]),
        _city("ahead_hub", lang).alias(text["ahead"]),
        one_decimal("gap_to_ahead").alias(text["gap"]),
        _city("leader_hub", lang).alias(text["leader"]),
        one_decimal("gap_to_leader").alias(text["gap_to_leader"]),
        pl.col("coverage").map_elements(share, return_dtype=pl.String).alias(text["coverage"]),
    )


def _indicator_table(part: pl.DataFrame, text: Mapping[str, str], lang: Lang) -> pl.DataFrame:
    return part.select(
        pl.col(f"name_{lang}").alias(text["indicator"]),
        one_decimal("points").alias(text["points"]),
        _rank_of().alias(text["rank"]),
        pl.col("value").map_elements(show, return_dtype=pl.String).alias(text["value"]),
        pl.col("unit" if lang == "en" else "unit_zh").alias(text["unit"]),
    )


def _year_table(rows: pl.DataFrame, text: Mapping[str, str]) -> pl.DataFrame:
    printed = rows.filter(kind="printed", code="fintech").select("year", printed_rank="rank")
    totals = rows.filter(kind="score", level=0).join(printed, on="year", how="left", maintain_order="left")
    return totals.select(
        pl.col("year").alias(text["year"]),
        _rank_of().alias(text["rank"]),
        one_decimal("score").alias(text["score"]),
        one_decimal("score_pooled").alias(text["score_pooled"]),
        one_decimal("gap_to_leader").alias(text["gap_to_leader"]),
        pl.col("coverage").map_elements(share, return_dtype=pl.String).alias(text["coverage"]),
        pl.col("printed_rank").alias(text["printed_rank"]),
    )


def _numeric(text: Mapping[str, str]) -> frozenset[str]:
    names = ("rank", "score", "gap", "gap_to_leader", "coverage", "points", "value")
    return frozenset(text[name] for name in names)


def _rank_of() -> pl.Expr:
    return pl.when(pl.col("rank").is_not_null()).then(pl.format("{}/{}", "rank", "ranked")).otherwise(pl.lit(NONE))


def _source_lines(part: pl.DataFrame, lang: Lang) -> list[str]:
    rows = part.select(f"name_{lang}", "status", "source").iter_rows()
    return [f"  - {name}: {status}; {source}" for name, status, source in rows]


def one_decimal(name: str) -> pl.Expr:
    """A column of numbers as text with one decimal, a dash for missing."""
    return decimals(name, 1)


def decimals(name: str, count: int) -> pl.Expr:
    """A column of numbers as text with so many decimals, a dash for missing."""
    return pl.col(name).map_elements(lambda value: f"{value:.{count}f}", return_dtype=pl.String).fill_null(NONE)


def _city(name: str, lang: Lang) -> pl.Expr:
    table = hubs()
    return pl.col(name).replace(dict(zip(table["hub"], table[f"name_{lang}"], strict=True)))


def _node_name(code: str, lang: Lang) -> str:
    from green_index.index import green_framework

    node = green_framework("open").node[code]
    return node.name_zh if lang == "zh" else node.name_en
