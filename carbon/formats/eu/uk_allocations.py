"""The allocation table of the UK ETS: free allowances of each installation and year, with the publisher's totals.

Knows the workbook's headings. Must not know how an allocation is calculated.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import Problem, UnknownFormat
from carbon.findings import findings_where, no_findings, to_problems
from carbon.formats.eu.cells import find_untyped, tonnes_rule, whole_number
from carbon.formats.eu.sheets import find_header, read_sheets

if TYPE_CHECKING:
    import polars as pl

__all__ = ["UkAllocations", "read_uk_allocations"]

_INSTALLATION = {
    "Permit ID": "permit_id",
    "Installation ID": "installation_id",
    "Installation Name": "name",
    "Account Holder Name": "account_holder",
}
_FIGURE = re.compile(r"^\(([ABC])\) Allocation \((?:Standard|NER|Total)\) (\d{4})$")
_KINDS = {"A": "standard", "B": "new_entrants", "C": "total"}


@dataclass(frozen=True, eq=False)
class UkAllocations:
    """What the workbook holds.

    installations : permit_id, installation_id, name, account_holder (String), sheet, row
    allocations : installation_id, year (Int64), kind ("standard" or "new_entrants"), allocated_t (Int64, null where
    empty), sheet, row; the publisher's totals are checked and not rows, so that a sum counts every tonne once
    rejected : sheet, row and what the installation's cells hold, for rows set apart; problems : everything found
    """

    installations: "pl.DataFrame"
    allocations: "pl.DataFrame"
    rejected: "pl.DataFrame"
    problems: tuple[Problem, ...]


def read_uk_allocations(path: Path) -> UkAllocations:
    """Read all sheets of the UK ETS allocation workbook.

    A sheet without the four headings of an installation is reported and left. A figure that is negative or not whole,
    and a repeated or empty installation id, set the row apart; a total that is not standard + new entrants is
    reported as an error and the row set apart, for nobody can tell which of the three is wrong.
    Raises UnreadableFile, and UnknownFormat where no sheet has the headings.
    """
    import polars as pl

    parts, problems = [], []
    for sheet, cells in read_sheets(path).items():
        header = find_header(cells, _INSTALLATION)
        if header is None:
            expected = f"the headings {', '.join(_INSTALLATION)}"
            problems.append(Problem(path.name, None, None, f"sheet {sheet}", expected, "unknown_sheet", "warning"))
            continue
        part = _read_sheet(cells, header[0], header[1], f"{path.name} [{sheet}]")
        tag = pl.lit(sheet).alias("sheet")
        # Sheet before row, as a reader looks a place up.
        parts.append(
            (
                part.installations.with_columns(tag).select(*_INSTALLATION.values(), "sheet", "row"),
                part.allocations.with_columns(tag).select(
                    "installation_id", "year", "kind", "allocated_t", "sheet", "row"
                ),
                part.rejected.with_columns(tag).select("sheet", "row", *_INSTALLATION.values()),
            )
        )
        problems += part.problems
    if not parts:
        raise UnknownFormat(f"found {path.name} without a sheet of headings {', '.join(_INSTALLATION)}")
    installations, allocations, rejected = (pl.concat(column) for column in zip(*parts, strict=True))
    return UkAllocations(installations, allocations, rejected, tuple(problems))


def _read_sheet(cells: "pl.DataFrame", header_row: int, header: list[str | None], file: str) -> UkAllocations:
    import polars as pl

    figures = {
        heading: (_KINDS[match[1]], int(match[2]))
        for heading in header
        if heading and (match := _FIGURE.match(" ".join(heading.split())))
    }
    named = cells.filter(pl.col("row") > header_row).select(
        "row",
        *[pl.col(f"c{header.index(heading)}").alias(name) for heading, name in _INSTALLATION.items()],
        *[pl.col(f"c{header.index(heading)}").alias(heading) for heading in figures],
    )
    # A line without any cell is the end of the sheet, not an installation.
    body = named.filter(pl.any_horizontal(pl.all().exclude("row").is_not_null()))
    typed = body.with_columns(whole_number(pl.col(heading)).alias(heading) for heading in figures)
    findings = pl.concat(
        [no_findings(), _find_keys(body)]
        + [find_untyped(body, heading, "whole") for heading in figures]
        + [tonnes_rule(typed, heading) for heading in figures]
        + _find_totals(typed, figures)
    )
    bad = body["row"].is_in(findings["row"].unique().implode())
    good = typed.filter(~bad)
    allocations = [
        good.select(
            "installation_id",
            pl.lit(year, dtype=pl.Int64).alias("year"),
            pl.lit(kind).alias("kind"),
            pl.col(heading).alias("allocated_t"),
            "row",
        )
        for heading, (kind, year) in figures.items()
        if kind != "total"
    ]
    empty = {"installation_id": pl.String, "year": pl.Int64, "kind": pl.String, "allocated_t": pl.Int64}
    return UkAllocations(
        installations=good.select(*_INSTALLATION.values(), "row"),
        allocations=pl.concat([pl.DataFrame(schema={**empty, "row": pl.Int64}), *allocations]),
        rejected=body.filter(bad).select("row", *_INSTALLATION.values()),
        problems=tuple(to_problems(findings, file)),
    )


def _find_keys(body: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return findings_where(
        body,
        pl.col("installation_id").is_null() | ~pl.col("installation_id").is_first_distinct(),
        code="installation_id",
        severity="error",
        column="Installation ID",
        found=pl.col("installation_id"),
        expected=pl.lit("an id that occurs once"),
    )


def _find_totals(typed: "pl.DataFrame", figures: dict[str, tuple[str, int]]) -> "list[pl.DataFrame]":
    """One finding for each printed total that is not the sum of its parts."""
    import polars as pl

    heading_of = {figure: heading for heading, figure in figures.items()}
    findings = []
    for heading, (kind, year) in figures.items():
        parts = [heading_of.get((part, year)) for part in ("standard", "new_entrants")]
        if kind != "total" or None in parts:
            continue
        total = pl.sum_horizontal(pl.col([part for part in parts if part is not None]))
        findings.append(
            findings_where(
                typed,
                pl.col(heading) != total,
                code="total",
                severity="error",
                column=heading,
                found=pl.col(heading),
                expected=pl.format("standard + new entrants = {}", total),
            )
        )
    return findings
