"""What the commands of the registry show a person, and which rows a program gets.

Knows which columns a reader wants and their labels. Computes nothing.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from api.lang import Lang, texts
from api.output import PIPE_WIDTH, Format, show, write_lines, write_rows

if TYPE_CHECKING:
    from api.registry.batch import Outcome
    from carbon.errors import Problem
    from carbon.imports.report import ImportReport
    from carbon.ledger.orders import Receipt

# Long and for programs only: what was asked for as JSON, its digest, and what a seal covers.
_FOR_PROGRAMS: Final = frozenset({"body", "body_sha256", "covers", "previous_sha256"})
_FEW: Final = 20
_CLIP: Final = 400
_TIME: Final = pl.Datetime("us", "UTC")


def show_rows(rows: pl.DataFrame, title: str, form: Format, lang: Lang) -> None:
    """Any rows of the registry: as they are for programs; for people, labelled and without empty columns."""
    if form != "table":
        write_rows(_plain_times(rows), form)
        return
    filled = [name for name in rows.columns if rows[name].null_count() < rows.height or rows.height == 0]
    shown = _short_times(rows.select(name for name in filled if name not in _FOR_PROGRAMS))
    shown = shown.with_columns(_yes_or_no(name, lang) for name, kind in shown.schema.items() if kind == pl.Boolean)
    numbers = {name for name, kind in shown.schema.items() if kind.is_integer() and not _is_label(name)}
    shown = shown.with_columns(_thousands(name) for name in numbers)
    text = texts("cli", lang)
    write_folding_table(
        shown.rename({name: label(name, text) for name in shown.columns}),
        title,
        frozenset(label(name, text) for name in numbers),
    )


def show_receipts(rows: pl.DataFrame, form: Format, lang: Lang) -> None:
    """What came of acts, for people a line each; why an act was refused is told on standard error."""
    if form != "table":
        write_rows(rows, form)
        return
    text = texts("cli", lang)
    lines = [
        text[f"outcome_{row['status']}{'_before' if row['replayed'] else ''}"].format(**row)
        for row in rows.iter_rows(named=True)
    ]
    write_lines(lines or [text["registry_nothing_done"]], form)


def receipt_rows(receipts: "Sequence[Receipt]") -> pl.DataFrame:
    """Receipts as rows: client_id, kind, status, code and message of a refusal, replayed, transaction."""
    schema = {"client_id": pl.String, "kind": pl.String, "status": pl.String, "code": pl.String, "message": pl.String}
    rows = [
        (one.client_id, one.kind, one.status, one.code, one.message, one.replayed, one.transaction_id)
        for one in receipts
    ]
    return pl.DataFrame(rows, schema={**schema, "replayed": pl.Boolean, "transaction": pl.Int64}, orient="row")


def show_outcomes(outcomes: "Sequence[Outcome]", form: Format, lang: Lang) -> None:
    """What came of the acts of a file: all rows for programs; for people those that were not done, and the counts."""
    rows = pl.DataFrame(
        [(one.act.row, one.act.verb, one.act.client_id, one.status, *_told(one)) for one in outcomes],
        schema={
            **{"row": pl.Int64, "verb": pl.String, "client_id": pl.String, "status": pl.String, "code": pl.String},
            **{"message": pl.String, "replayed": pl.Boolean, "transaction": pl.Int64},
        },
        orient="row",
    )
    counts = {status: rows.filter(status=status).height for status in ("done", "failed", "not_booked", "not_run")}
    replayed = rows["replayed"].sum()
    if form != "table":
        write_rows(rows, form)
    elif counts["done"] < rows.height:
        show_rows(rows.filter(pl.col("status") != "done").drop("replayed"), "", form, lang)
    write_lines([texts("cli", lang)["registry_batch"].format(**counts, replayed=replayed)], form)


def show_account(row: pl.DataFrame, holdings: pl.DataFrame, form: Format, lang: Lang) -> None:
    """One account and what it holds; for programs a row for each holding, or one without."""
    if form != "table":
        more = holdings.drop("scheme", "entity", "account_type")
        show_rows(row.join(more, on="account", how="left", maintain_order="left_right"), "", form, lang)
        return
    text = texts("cli", lang)
    write_lines([*_fields(row.drop("client_id"), text), ""], form)
    hidden = ("account", "scheme", "entity", "account_type", "contra")
    show_rows(holdings.drop(hidden), text["registry_title_holdings"].format(rows=holdings.height), form, lang)


def show_transaction(rows: pl.DataFrame, form: Format, lang: Lang) -> None:
    """One act and its legs; for programs a row for each leg, or one without."""
    if form != "table":
        show_rows(rows, "", form, lang)
        return
    text = texts("cli", lang)
    place = rows.columns.index("transfer")
    legs = rows.select(rows.columns[place:]).drop_nulls("transfer")
    write_lines(_fields(rows.select(rows.columns[:place]).drop("body_sha256").head(1), text), form)
    if legs.height:
        write_lines([""], form)
        show_rows(legs, text["registry_title_transfers"].format(rows=legs.height), form, lang)


def show_trace(rows: pl.DataFrame, serial: str, form: Format, lang: Lang) -> None:
    """The life of units; for people without the blocks they were part of."""
    if form == "table":
        first, last = pl.col("serial_first"), pl.col("serial_last")
        rows = rows.select(
            pl.when(first == last)
            .then(pl.format("{}", first))
            .otherwise(pl.format("{}–{}", first, last))
            .alias("serials"),
            pl.coalesce("kind", "state").alias("kind"),
            *("phase", "client_id", "at"),
            *("source", "target", pl.col("holder_name").alias("holder")),
        )
    show_rows(rows, texts("cli", lang)["registry_title_trace"].format(serial=serial), form, lang)


def show_compliance(rows: pl.DataFrame, day: date, form: Format, lang: Lang) -> None:
    """How accounts stand; for people under short headings, with the status in words."""
    text = texts("cli", lang)
    if form == "table":
        figures = ("verified", "allocated", "final_allocation", "obligation", "surrendered", "offsets", "offset_limit")
        rows = rows.select(
            "account",
            "compliance_year",
            *(pl.col(f"{name}_t").alias(f"short_{name}") for name in (*figures, "outstanding")),
            "deadline",
            pl.col("status").replace({status: text[f"status_{status}"] for status in rows["status"].unique()}),
        )
    show_rows(rows, text["registry_title_compliance"].format(day=day), form, lang)


def show_import(report: "ImportReport", problems: Path | None, form: Format, lang: Lang) -> None:
    """The figures of an import; what was wrong on standard error, the first few or all of them into a CSV file."""
    from carbon.imports.report import report_rows

    text = texts("cli", lang)
    show_rows(report_rows(report), f"{report.source.file} ({report.source.format})", form, lang)
    lines = [text["registry_imported_before"]] if report.replayed else []
    if problems is not None:
        problem_rows(report.problems).write_csv(problems)
        lines.append(text["registry_problems_written"].format(file=problems, problems=len(report.problems)))
    else:
        lines += [str(problem) for problem in report.problems[:_FEW]]
        if len(report.problems) > _FEW:
            lines.append(text["registry_more_problems"].format(more=len(report.problems) - _FEW))
    write_lines(lines, "csv")


def problem_rows(problems: "Sequence[Problem]") -> pl.DataFrame:
    """Problems as rows: file, row, column, found, expected, code, severity."""
    columns = ("file", "row", "column", "found", "expected", "code", "severity")
    schema = {name: pl.Int64 if name == "row" else pl.String for name in columns}
    cells = [tuple(getattr(one, name) for name in columns) for one in problems]
    return pl.DataFrame(cells, schema=schema, orient="row")


def show_export(file: Path, problems: "Sequence[Problem]", form: Format, lang: Lang) -> None:
    """That the file was written, and what has no place in it, as rows for programs."""
    rows = problem_rows(problems)
    if form != "table" or rows.height:
        show_rows(rows, "", form, lang)
    write_lines([texts("cli", lang)["registry_exported"].format(file=file)], form)


def show_head(rows: pl.DataFrame, form: Format, lang: Lang) -> None:
    """The last link of the chain; nothing but a remark where nothing was sealed yet."""
    text = texts("cli", lang)
    if form != "table":
        show_rows(rows, "", form, lang)
    else:
        write_lines(_fields(rows, text) if rows.height else [], form)
    if rows.is_empty():
        write_lines([text["registry_no_seal"]], form)


def label(name: str, text: Mapping[str, str]) -> str:
    """A column's name for people."""
    return text.get(f"registry_{name}", name.replace("_", " "))


def write_folding_table(
    frame: pl.DataFrame, title: str, right: frozenset[str] = frozenset(), whole: frozenset[str] = frozenset()
) -> None:
    """A titled table in which a text without blanks is broken and never cut off; `right` names columns of numbers,
    which are not broken, `whole` further ones not to be broken."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in frame.columns:
        table.add_column(
            name, justify="right" if name in right else "left", no_wrap=name in right | whole, overflow="fold"
        )
    for row in frame.iter_rows():
        table.add_row(*(show(value) for value in row))
    if title:
        console.print(title, style="italic", highlight=False, soft_wrap=True)
    console.print(table, highlight=False)


def _fields(rows: pl.DataFrame, text: Mapping[str, str]) -> list[str]:
    """The first row, a line a field; missing ones left out."""
    shown = _short_times(rows.head(1)).row(0, named=True)
    told = {name: show(value) for name, value in shown.items() if value is not None}
    # What was asked of an import or a seed fills many screens; programs get all of it.
    clipped = {name: f"{said[:_CLIP]}…" if len(said) > _CLIP else said for name, said in told.items()}
    return [f"{label(name, text)}: {said}" for name, said in clipped.items()]


def _told(one: "Outcome") -> tuple[str | None, str | None, bool | None, int | None]:
    if one.receipt is None:
        return None, one.message, None, None
    return one.receipt.code, one.receipt.message, one.receipt.replayed, one.receipt.transaction_id


def _is_label(name: str) -> bool:
    """Whether a number is a name or a year, which has no thousands signs."""
    return name.endswith(("year", "_from", "_to")) or name in (
        "transaction",
        "transfer",
        "seal",
        "statement",
        "version",
    )


def _thousands(name: str) -> pl.Expr:
    return pl.col(name).map_elements(lambda value: f"{value:,}", return_dtype=pl.String)


def _yes_or_no(name: str, lang: Lang) -> pl.Expr:
    yes, no = ("是", "否") if lang == "zh" else ("yes", "no")
    return pl.when(name).then(pl.lit(yes)).when(~pl.col(name)).then(pl.lit(no)).alias(name)


def _plain_times(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col(_TIME).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))


def _short_times(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col(_TIME).dt.strftime("%Y-%m-%d %H:%M:%SZ"))
