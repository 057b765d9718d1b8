"""What the commands `greenfin index` show a person, and which rows a program gets.

Knows which columns of a frame a reader wants. Computes nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from api.index_files import as_units
from api.index_inputs import Inputs
from api.lang import Lang, texts
from api.notes import note_text
from api.output import Format, write_lines, write_rows, write_table
from api.screens import decimals, one_decimal
from fhi.describe import depth_first
from fhi.errors import PanelError, Problem
from fhi.frames import BELOW_MIN_SHARE, NO_FIGURES
from fhi.index import IndexResult
from fhi.notes import Note
from fhi.panel import UNDATED

_MOST_GROUPS: Final = 5


def show_result(result: IndexResult, units: pl.DataFrame, top: int | None, form: Format, lang: Lang) -> None:
    """The ranking, best first, with the level-1 scores; then why a unit is not ranked, and notes. People see the latest
    period, programs all; of each the first `top`."""
    framework, text = result.framework, texts("cli", lang)
    named = result.scores.join(units.select("hub", "name"), on="hub", how="left", maintain_order="left")
    total = named.filter(pl.col("code") == framework.root).sort("period", "rank", "hub", nulls_last=True)
    if form != "table":
        columns = ("hub", "name", "period", "score", "rank", "coverage", "reason")
        rows = total.group_by("period", maintain_order=True).head(top) if top else total
        write_rows(as_units(rows.select(columns)), form)
    else:
        title = framework.title_zh if lang == "zh" else framework.title_en
        groups = framework.children[framework.root][:_MOST_GROUPS]
        period = result.steps.periods[-1]
        total = total.filter(pl.col("period") == period)
        table = _ranking(total.filter(pl.col("rank").is_not_null()), result, groups, lang)
        shown = "" if period == UNDATED else f" {period}"
        write_table(
            table.head(top) if top else table,
            text["title_index"].format(title=title, period=shown, ranked=table.height),
            frozenset(table.columns) - {text["city_or_unit"]},
            frozenset({text["rank"], text["city_or_unit"], text["score"], text["coverage"]}),
        )
    unranked = total.filter(pl.col("rank").is_null())
    reasons = {NO_FIGURES: "reason_no_figures", BELOW_MIN_SHARE: "reason_below_min_share"}
    lines = [
        f"{text['not_ranked']} ({texts('notes', lang)[reasons[why]]}): {', '.join(hubs)}"
        for why, hubs in unranked.group_by("reason", maintain_order=True).agg("hub").iter_rows()
    ]
    if result.notes:
        lines += [
            text["notes"],
            *(f"  - {note_text(note, _name_of(note, result, lang), lang)}" for note in result.notes),
        ]
    write_lines(lines, form)


def _ranking(here: pl.DataFrame, result: IndexResult, groups: Sequence[str], lang: Lang) -> pl.DataFrame:
    text = texts("cli", lang)
    names = _headings(result, groups, lang)
    # Codes of groups may be names of our own columns.
    parts = result.scores.filter(pl.col("code").is_in(groups)).with_columns(
        pl.format("score of {}", "code").alias("code")
    )
    parts = parts.pivot("code", index=["hub", "period"], values="score")
    wide = here.join(parts, on=["hub", "period"], how="left", maintain_order="left")
    return wide.select(
        pl.col("rank").alias(text["rank"]),
        pl.col("name").fill_null(pl.col("hub")).alias(text["city_or_unit"]),
        decimals("score", 2).alias(text["score"]),
        *(one_decimal(f"score of {code}").alias(names[code]) for code in groups),
        pl.format("{}%", (pl.col("coverage") * 100).round(0).cast(pl.Int64)).alias(text["coverage"]),
    )


def _headings(result: IndexResult, groups: Sequence[str], lang: Lang) -> dict[str, str]:
    """Names of groups by code; with the code where a name stands for something else, too."""
    text, node = texts("cli", lang), result.framework.node
    names = [node[code].name_zh if lang == "zh" else node[code].name_en for code in groups]
    taken = [*names, *(text[key] for key in ("rank", "city_or_unit", "score", "coverage"))]
    return {
        code: name if taken.count(name) == 1 else f"{name} ({code})" for code, name in zip(groups, names, strict=True)
    }


def _name_of(note: Note, result: IndexResult, lang: Lang) -> str:
    node = result.framework.node.get(note.subject)
    if node is None:
        return note.subject
    return node.name_zh if lang == "zh" else node.name_en


def show_written(out: Path, paths: Sequence[Path], lang: Lang) -> None:
    """Which files were written, on standard error."""
    names = ", ".join(path.name for path in paths)
    write_lines([texts("cli", lang)["written"].format(out=out, files=names)], "csv")


def show_problems(inputs: Inputs, form: Format, lang: Lang) -> None:
    """Every problem of the files; for people, a line that says so where there is none."""
    text = texts("cli", lang)
    rows = pl.DataFrame(
        [(problem.where, problem.found, problem.expected, problem.code) for problem in inputs.problems],
        schema=dict.fromkeys(("where", "found", "expected", "code"), pl.String),
        orient="row",
    )
    if form != "table":
        write_rows(rows, form)
        return
    if rows.height:
        labels = {"where": text["place"], "found": text["problem_found"], "expected": text["problem_expected"]}
        write_table(rows.drop("code").rename(labels), text["title_problems"])
        return
    figures = inputs.panel.filter(pl.col("code").is_in(list(inputs.framework.indicator)))
    units, periods = figures["hub"].n_unique(), figures["period"].n_unique()
    cells = figures.select("hub", "period").n_unique() * len(inputs.framework.indicators)
    line = text["nothing_wrong"].format(
        units=units,
        periods=periods,
        indicators=len(inputs.framework.indicators),
        cells=cells,
        missing=cells - figures["value"].count(),
    )
    write_lines([line], form)


def show_report(report: pl.DataFrame, tolerance: float, form: Format, lang: Lang) -> None:
    """The largest difference of each table, and whether it agrees."""
    judged = report.with_columns(agrees=(pl.col("largest_difference") <= tolerance).fill_null(value=False))
    if form != "table":
        write_rows(judged, form)
        return
    text = texts("cli", lang)
    shown = judged.select(
        pl.col("table").alias(text["table"]),
        pl.col("file").alias(text["file"]),
        pl.col("cells").alias(text["cells"]),
        pl.col("only_ours").alias(text["only_ours"]),
        pl.col("only_theirs").alias(text["only_theirs"]),
        pl.col("largest_difference")
        .map_elements(lambda value: f"{value:.2e}", return_dtype=pl.String)
        .alias(text["largest_difference"]),
        pl.col("unit").alias(text["at_unit"]),
        pl.col("code").alias(text["at_code"]),
        pl.col("agrees").alias(text["agrees"]),
    )
    write_table(shown, text["title_against"], frozenset(shown.columns[2:6]))


def show_weights(rows: pl.DataFrame, result: IndexResult, form: Format, lang: Lang) -> None:
    """Stated weights beside what they do; for people as a tree, children below their parent."""
    if form != "table":
        write_rows(rows, form)
        return
    text, framework = texts("cli", lang), result.framework
    order = {code: i for i, code in enumerate(depth_first(framework))}
    shown = rows.sort(pl.col("code").replace_strict(order)).select(
        pl.concat_str(
            pl.lit("  ").repeat_by(pl.col("code").replace_strict(framework.level) - 1).list.join(""), "code"
        ).alias(text["node"]),
        decimals("weight", 4).alias(text["weight"]),
        decimals("weight_in_total", 4).alias(text["weight_in_total"]),
        decimals("influence", 3).alias(text["influence"]),
        decimals("r", 3).alias(text["correlation"]),
        pl.col("method").alias(text["method"]),
        pl.when("assumed").then(pl.lit(text["assumed_yes"])).otherwise(pl.lit("")).alias(text["assumed"]),
    )
    write_table(shown, text["title_weights"], frozenset(shown.columns[1:5]), frozenset(shown.columns))


def show_agreement(rows: pl.DataFrame, levels: pl.DataFrame, form: Format, lang: Lang) -> None:
    """How two rankings agree, the total first; people see the groups in the latest period, with three decimals.

    levels: code and level of every node, of either result.
    """
    known = levels.select("code", "level").unique()
    ordered = rows.join(known, on="code", how="left", maintain_order="left").sort("period", "level", "code")
    if form != "table":
        write_rows(ordered, form)
        return
    latest = ordered.filter(pl.col("period") == pl.col("period").max())
    groups = latest.filter(pl.col("level") < pl.col("level").max())
    shown = groups.with_columns(
        decimals("spearman", 3),
        decimals("kendall", 3),
        decimals("mean_shift", 2),
        pl.format("{}%", (pl.col("equal_share") * 100).round(0).cast(pl.Int64)).alias("equal_share"),
    ).drop("level")
    write_table(shown, texts("cli", lang)["title_agreement"], frozenset(shown.columns) - {"period", "code"})


def read_scores(path: Path) -> pl.DataFrame:
    """Scores that `greenfin index build` wrote: a folder or a scores file; hub, period, code, level, score, rank.

    Raises PanelError for a file that is no such table.
    """
    file = path / "scores.csv" if path.is_dir() else path
    try:
        read = (
            pl.read_parquet(file)
            if file.suffix == ".parquet"
            else pl.read_csv(file, schema_overrides={"period": pl.String})
        )
    except (PolarsError, OSError) as error:
        raise PanelError(
            [Problem(str(file), str(error), "a scores file of greenfin index build", "unreadable_file")]
        ) from error
    wanted = ("unit", "period", "code", "level", "score", "rank")
    missing = [name for name in wanted if name not in read.columns]
    if missing:
        expected = f"columns {', '.join(wanted)}"
        raise PanelError([Problem(str(file), f"no column {', '.join(missing)}", expected, "missing_column")])
    return read.select(pl.col("unit").cast(pl.String).alias("hub"), *wanted[1:])
