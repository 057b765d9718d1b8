"""The Commission's workbook of verified emissions and free allocation, one row an installation, one column a year.

Knows its headings, its preface, its signs for "none" and its shifted label. Must not know the compliance codes.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import Problem, UnknownFormat
from carbon.findings import findings_where, no_findings, to_problems
from carbon.formats.eu.cells import whole_number
from carbon.formats.eu.sheets import find_header, read_sheets

if TYPE_CHECKING:
    import polars as pl

__all__ = ["OperatorYears", "read_operator_workbook"]

_LABELS = {
    "REGISTRY_CODE": "registry",
    "IDENTIFIER_IN_REG": "identifier_in_registry",
    "INSTALLATION_NAME": "name",
    "INSTALLATION_IDENTIFIER": "identifier",
    "PERMIT_IDENTIFIER": "permit_id",
    "MAIN_ACTIVITY_TYPE_CODE": "activity_code",
    "MAIN_ACTIVITY_TYPE_NAME": "activity_name",
}
_NEEDED = ("REGISTRY_CODE", "INSTALLATION_IDENTIFIER")
# One heading of the real file, ALLOCATION2008, lacks its underscore.
_FIGURE = re.compile(r"^(ALLOCATION_RESERVE|ALLOCATION_TRANSITIONAL|ALLOCATION|VERIFIED_EMISSIONS)_?(\d{4})$")
_FIGURES = {
    "ALLOCATION": "allocated_t",
    "ALLOCATION_RESERVE": "allocated_reserve_t",
    "ALLOCATION_TRANSITIONAL": "allocated_transitional_t",
    "VERIFIED_EMISSIONS": "verified_t",
}
# Printed where there is no figure; -1 is the number the file uses for it.
_NONE = ("-1", "-1.0", "n/a", "N/A")
_EXCLUDED = "Excluded"


@dataclass(frozen=True, eq=False)
class OperatorYears:
    """What the workbook holds.

    installations : installation_id ("registry_identifier"), registry, identifier_in_registry, account_name, name,
    identifier, permit_id (String), activity_code (Int64), activity_name (String), row
    years : installation_id, year (Int64), allocated_t, allocated_reserve_t, allocated_transitional_t, verified_t
    (Int64, null where the file prints none), verified_status ("Excluded" or null), row; a year without any is absent
    rejected : rows set apart as text, with row; labels_shifted : IDENTIFIER_IN_REG holds account names
    """

    installations: "pl.DataFrame"
    years: "pl.DataFrame"
    rejected: "pl.DataFrame"
    labels_shifted: bool
    problems: tuple[Problem, ...]


def read_operator_workbook(path: Path) -> OperatorYears:
    """Read the first sheet that has the headings, wherever below a preface they stand.

    -1 and "n/a" are null, "Excluded" is a status; figures must be whole tonnes, else the row is set apart.
    In the file of 2025 the label IDENTIFIER_IN_REG stands over account names: told by its values, which are then
    given as account_name, with a warning. Raises UnreadableFile, UnknownFormat.
    """
    import polars as pl

    found = next(
        (
            (sheet, cells, header)
            for sheet, cells in read_sheets(path).items()
            if (header := find_header(cells, _NEEDED)) is not None
        ),
        None,
    )
    if found is None:
        raise UnknownFormat(f"found {path.name} without a sheet with {', '.join(_NEEDED)} in one row")
    sheet, cells, header = found
    row, labels = header
    file = f"{path.name} [{sheet}]"
    figures = {label: _figure(label) for label in labels if label and _FIGURE.match(label)}
    body = cells.filter(pl.col("row") > row).select(
        "row",
        *[pl.col(f"c{labels.index(label)}").alias(label) for label in labels if label in _LABELS or label in figures],
    )
    body = body.filter(pl.any_horizontal(pl.all().exclude("row").is_not_null()))
    problems = [
        Problem(file, row, label, "no such column", "a column of the workbook", "missing_column", "warning")
        for label in _LABELS
        if label not in labels
    ]
    body = body.with_columns(pl.lit(None, dtype=pl.String).alias(label) for label in _LABELS if label not in labels)
    shifted = _is_shifted(body)
    if shifted:
        expected = "identifiers in the registry; read as account names"
        problems.append(Problem(file, row, "IDENTIFIER_IN_REG", "names", expected, "shifted_label", "warning"))
    findings = _findings(body, list(figures))
    bad = body["row"].is_in(findings.filter(pl.col("severity") == "error")["row"].implode())
    good = body.filter(~bad).with_columns(
        pl.concat_str("REGISTRY_CODE", "INSTALLATION_IDENTIFIER", separator="_").alias("installation_id")
    )
    return OperatorYears(
        installations=_installations(good, shifted),
        years=_years(good, figures),
        rejected=body.filter(bad),
        labels_shifted=shifted,
        problems=tuple(problems + to_problems(findings, file)),
    )


def _figure(label: str) -> tuple[str, int]:
    match = _FIGURE.match(label)
    if match is None:
        raise ValueError(label)
    return _FIGURES[match[1]], int(match[2])


def _is_shifted(body: "pl.DataFrame") -> bool:
    """True where most cells of IDENTIFIER_IN_REG are no numbers: an identifier within a registry is one."""
    values = body["IDENTIFIER_IN_REG"].drop_nulls()
    return values.len() > 0 and int(values.str.contains(r"^\d+(\.0)?$").sum()) * 2 < values.len()


def _findings(body: "pl.DataFrame", figures: list[str]) -> "pl.DataFrame":
    import polars as pl

    findings = [no_findings()]
    key = pl.struct(_NEEDED)
    findings.append(
        findings_where(
            body,
            pl.any_horizontal(pl.col(_NEEDED).is_null()) | ~key.is_first_distinct(),
            code="repeated_key",
            severity="error",
            column=" + ".join(_NEEDED),
            found=pl.concat_str(pl.col(_NEEDED).fill_null("nothing"), separator=" + "),
            expected=pl.lit("each installation once"),
        )
    )
    for label in figures:
        cell = pl.col(label)
        none = cell.is_in(_NONE)
        excluded = (cell == _EXCLUDED) & label.startswith("VERIFIED")
        whole = whole_number(cell)
        findings.append(
            findings_where(
                body,
                ~none & ~excluded & (whole.is_null() | (whole < 0)),
                code="tonnes",
                severity="error",
                column=label,
                found=cell,
                expected=pl.lit("whole tonnes, -1, n/a or, for emissions, Excluded"),
            )
        )
    return pl.concat(findings)


def _installations(good: "pl.DataFrame", shifted: bool) -> "pl.DataFrame":
    import polars as pl

    label = pl.col("IDENTIFIER_IN_REG")
    nothing = pl.lit(None, dtype=pl.String)
    return good.select(
        "installation_id",
        pl.col("REGISTRY_CODE").alias("registry"),
        (nothing if shifted else label).alias("identifier_in_registry"),
        (label if shifted else nothing).alias("account_name"),
        pl.col("INSTALLATION_NAME").alias("name"),
        pl.col("INSTALLATION_IDENTIFIER").alias("identifier"),
        pl.col("PERMIT_IDENTIFIER").alias("permit_id"),
        whole_number(pl.col("MAIN_ACTIVITY_TYPE_CODE")).alias("activity_code"),
        pl.col("MAIN_ACTIVITY_TYPE_NAME").alias("activity_name"),
        "row",
    )


def _years(good: "pl.DataFrame", figures: dict[str, tuple[str, int]]) -> "pl.DataFrame":
    """The figures, one row an installation and year, in the order of installations and years."""
    import polars as pl

    columns = list(_FIGURES.values())
    schema = {"installation_id": pl.String, "year": pl.Int64, **dict.fromkeys(columns, pl.Int64)}
    parts = [pl.DataFrame(schema={**schema, "verified_status": pl.String, "row": pl.Int64})]
    for year in sorted({year for _, year in figures.values()}):
        labels = {name: label for label, (name, of) in figures.items() if of == year}
        cells = {name: pl.col(labels[name]) if name in labels else pl.lit(None, dtype=pl.String) for name in columns}
        parts.append(
            good.select(
                "installation_id",
                pl.lit(year, dtype=pl.Int64).alias("year"),
                *[pl.when(~cell.is_in(_NONE)).then(whole_number(cell)).alias(name) for name, cell in cells.items()],
                pl.when(cells["verified_t"] == _EXCLUDED).then(pl.lit(_EXCLUDED)).alias("verified_status"),
                "row",
            )
        )
    long = pl.concat(parts)
    return long.filter(pl.any_horizontal(pl.col(*columns, "verified_status").is_not_null())).sort("row", "year")
