"""What the commands about rules show a person, and which rows a program gets.

Knows which columns a reader wants and their labels. Computes nothing.
"""

from collections.abc import Sequence
from importlib.resources import files

import polars as pl

from api.lang import Lang, texts
from api.output import NONE, Format, write_lines, write_rows
from api.registry.calculations import Calculation, calculation_rows
from api.registry.screens import write_folding_table
from carbon.rules.units_file import UnitsReading
from carbon.uscc import normalise_uscc, uscc_findings


def show_rules(rows: pl.DataFrame, form: Format, lang: Lang) -> None:
    """Rules: for people, their span, words and figures in one cell each; a line for how they can be trusted."""
    if form != "table":
        write_rows(rows, form)
        return
    text = texts("cli", lang)
    other = "text_en" if lang == "zh" else "text_zh"
    table = rows.select(
        pl.format("{}\n{}, {}", "rule", "kind", _span()).alias(text["rule"]),
        pl.concat_str(
            pl.coalesce(f"text_{lang}", other), pl.col("values"), pl.col("note"), separator="\n", ignore_nulls=True
        ).alias(text["says"]),
        pl.concat_str(
            pl.coalesce("document", pl.lit(NONE)), pl.format("({})", "source"), separator="\n", ignore_nulls=True
        ).alias(text["document"]),
        pl.col("status").alias(text["rule_status"]),
        pl.col("confidence").alias(text["confidence"]),
    )
    title = text["title_rules"].format(rules=rows.height)
    write_folding_table(table, title)


def show_calculations(done: Sequence[Calculation], form: Format, lang: Lang) -> None:
    """Allocations and what follows, a table for each entity and year; notes below it."""
    rows, text = calculation_rows(done, lang), texts("cli", lang)
    if form != "table":
        write_rows(rows, form)
    for number, calculation in enumerate(done):
        allocation = calculation.allocation
        title = f"{allocation.entity} {allocation.year}"
        remarks = [f"  - {note}" for note in calculation.notes]
        if form == "table":
            if number:
                write_lines([""], form)
            own = rows.filter(entity=allocation.entity, year=allocation.year)
            _show_lines(own, title, lang)
            remarks = [
                text["rules_followed"],
                *_rule_lines(own),
                *([text["notes_here"], *remarks] if remarks else []),
            ]
        elif remarks:
            remarks.insert(0, f"{title}:")
        write_lines(remarks, form)


def warn_partly(reading: UnitsReading, refused: int, lang: Lang) -> None:
    """Say on standard error that something was left out, and what that does to the totals."""
    text = texts("cli", lang)["partly_calculated"]
    write_lines([text.format(apart=reading.rows_read - len(reading.units), refused=refused)], "csv")


def show_codes(codes: Sequence[str], form: Format, lang: Lang) -> bool:
    """Whether each text is a credit code, in the order given; true where all are."""
    given = pl.DataFrame({"row": range(1, len(codes) + 1), "code": codes}, schema={"row": pl.Int64, "code": pl.String})
    findings = uscc_findings(given, "code").select("row", "code", "severity", "expected")
    told = given.rename({"code": "found"}).join(findings, on="row", how="left", maintain_order="left")
    valid = pl.col("severity").ne_missing("error")
    rows = told.select(
        "found",
        pl.when(valid).then(pl.Series([normalise_uscc(code) for code in told["found"]])).alias("normalised"),
        valid.alias("valid"),
        pl.col("code").alias("finding"),
        "expected",
    )
    if form != "table":
        write_rows(rows, form)
    else:
        text = texts("cli", lang)
        write_folding_table(rows.rename({name: text[f"code_{name}"] for name in rows.columns}), text["title_codes"])
    return bool(rows["valid"].all())


def units_example() -> str:
    """A file of units to start from, TOML with remarks in both languages."""
    return files("api.registry").joinpath("units_example.toml").read_text(encoding="utf-8")


def _show_lines(rows: pl.DataFrame, title: str, lang: Lang) -> None:
    text = texts("cli", lang)
    table = rows.select(
        pl.col("unit").fill_null("").alias(text["power_unit"]),
        pl.col(f"label_{lang}").alias(text["line"]),
        pl.col("formula").alias(text["formula"]),
        pl.concat_str("value_text", pl.col("value_unit").replace({"1": "", "date": ""}), separator=" ")
        .fill_null("")
        .str.strip_chars()
        .alias(text["result"]),
        pl.col("rule").fill_null("").alias(text["rule"]),
    )
    write_folding_table(table, title, frozenset({text["result"]}), frozenset({text["rule"]}))


def _rule_lines(rows: pl.DataFrame) -> list[str]:
    """Each rule that was followed, once: its document, its status, how far it can be trusted, and whose it is."""
    followed = rows.drop_nulls("rule").unique("rule", maintain_order=True)
    columns = ("rule", "document", "status", "confidence", "origin")
    return [
        f"  - {rule}: {document or NONE}; {status}, {confidence}{', user' if origin == 'user' else ''}"
        for rule, document, status, confidence, origin in followed.select(columns).iter_rows()
    ]


def _span() -> pl.Expr:
    """Compliance years, or else days, that a rule is for."""
    first, last = pl.col("first_year"), pl.col("last_year")
    one = pl.when(first == last).then(pl.format("{}", first))
    years = one.otherwise(pl.format("{}–{}", first.cast(pl.String).fill_null(""), last.cast(pl.String).fill_null("")))
    days = pl.format(
        "{}–{}", pl.col("from_date").cast(pl.String).fill_null(""), pl.col("to_date").cast(pl.String).fill_null("")
    )
    dated = pl.col("from_date").is_not_null() | pl.col("to_date").is_not_null()
    return pl.when(first.is_not_null() | last.is_not_null()).then(years).when(dated).then(days).otherwise(pl.lit(NONE))
