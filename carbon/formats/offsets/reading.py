"""From one raw register file to credit events or projects and everything wrong with it.

Knows the list of registers and the order of the steps: recognise, split, type, check, set apart. Must not know any
heading: those are data at the top of each register's module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import Problem, UnknownFormat
from carbon.findings import findings_where, to_problems
from carbon.formats.offsets import (
    american_carbon_registry,
    arb,
    art_trees,
    cercarbono,
    climate_action_reserve,
    gold_standard,
    isometric,
    verra,
)
from carbon.formats.offsets.event_checks import check_event_rows, find_equal_rows, find_event_overlaps
from carbon.formats.offsets.layouts import (
    EVENT_TEXTS,
    PROJECT_TEXTS,
    RegisterFile,
    credit_events_schema,
    first_cells,
    fits_header,
    projects_schema,
)
from carbon.formats.offsets.typing_rows import day_expr, role_cells, type_event_cells
from carbon.formats.text import MAX_BYTES, MAX_ROWS, decode, read_bytes, split_cells

if TYPE_CHECKING:
    import polars as pl

__all__ = ["REGISTER_FILES", "RegisterReading", "read_register", "read_register_bytes", "recognise_register"]

REGISTER_FILES: tuple[RegisterFile, ...] = (
    *verra.FILES,
    *american_carbon_registry.FILES,
    *climate_action_reserve.FILES,
    *art_trees.FILES,
    *gold_standard.FILES,
    *cercarbono.FILES,
    *isometric.FILES,
    *arb.FILES,
)

_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, eq=False)
class RegisterReading:
    """What one raw file holds. rows_read = rows kept + rows set apart.

    name : register and kind of file; events, projects : canonical frames, one of them empty; a row may hold several
    events; quarantine : file, row, raw (the cells as JSON, by heading) of every row set apart
    problems : all errors and warnings, by line; rows_read : rows that are not blank
    """

    name: str
    events: "pl.DataFrame"
    projects: "pl.DataFrame"
    quarantine: "pl.DataFrame"
    problems: tuple[Problem, ...]
    rows_read: int


def recognise_register(header: Sequence[str], *, file: str, register: str | None = None) -> RegisterFile:
    """The kind of file that a first line belongs to.

    register : look among the files of this register only
    Raises UnknownFormat where none or more than one fits, or where there is no such register.
    """
    registers = sorted({layout.register for layout in REGISTER_FILES})
    if register is not None and register not in registers:
        raise UnknownFormat(f"found register {register!r}, expected one of {', '.join(registers)}")
    known = [layout for layout in REGISTER_FILES if register in (None, layout.register)]
    fitting = [layout for layout in known if fits_header(layout, header)]
    if len(fitting) == 1:
        return fitting[0]
    shown = ",".join(header)[:_SHOWN_CHARACTERS] or "an empty line"
    if fitting:
        names = " and ".join(layout.name for layout in fitting)
        raise UnknownFormat(f"found in the first line of {file}: {shown}\nexpected one kind of file, not {names}")
    names = "".join(f"\n  {layout.name}: {', '.join(sorted(layout.all_headings()))}" for layout in known)
    raise UnknownFormat(f"found in the first line of {file}: {shown}\nexpected all headings of one of these:{names}")


def read_register(
    path: Path,
    *,
    register: str | None = None,
    file: str | None = None,
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
) -> RegisterReading:
    """Read one raw export of a register, .csv or .csv.gz.

    register : name of the register, e.g. "verra"; null recognises it by the header
    file : name to print in problems and in the column file, the path's own by default
    Raises UnknownFormat, UnreadableFile, FileTooLarge.
    """
    data = read_bytes(path, max_bytes=max_bytes)
    return read_register_bytes(data, file=file or path.name, register=register, max_rows=max_rows)


def read_register_bytes(
    data: bytes, *, file: str, register: str | None = None, max_rows: int = MAX_ROWS
) -> RegisterReading:
    """The same as `read_register` for the bytes of an unpacked CSV file."""
    import polars as pl

    text = decode(data, file)
    header = first_cells(text, file)
    layout = recognise_register(header, file=file, register=register)
    cells = split_cells(text, file, width=len(header), header_rows=1, max_rows=max_rows)
    cells = cells.filter(pl.any_horizontal(pl.exclude("row").is_not_null()))
    if layout.rules:
        kept, findings = _read_events(cells, layout, header, file)
    else:
        kept, findings = _read_projects(cells, layout, header, file)
    bad = findings.filter(pl.col("severity") == "error")["row"].unique()
    no_events, no_projects = pl.DataFrame(schema=credit_events_schema()), pl.DataFrame(schema=projects_schema())
    return RegisterReading(
        name=layout.name,
        events=kept if layout.rules else no_events,
        projects=no_projects if layout.rules else kept,
        quarantine=_set_apart(cells, header, bad, file),
        problems=tuple(to_problems(findings, file)),
        rows_read=cells.height,
    )


def _set_apart(cells: "pl.DataFrame", header: Sequence[str], bad: "pl.Series", file: str) -> "pl.DataFrame":
    """The raw text of the rows that failed, so that nothing of them is lost."""
    import polars as pl

    # Headings may repeat or be empty; struct fields may not.
    names = [cell if cell and header.count(cell) == 1 else f"{cell} [{place}]" for place, cell in enumerate(header)]
    fields = [pl.col(f"c{place}").alias(name) for place, name in enumerate(names)]
    fields.append(pl.col(f"c{len(header)}").alias(f"[{len(header)}]"))
    return cells.filter(pl.col("row").is_in(bad.implode())).select(
        pl.lit(file).alias("file"), "row", pl.struct(fields).struct.json_encode().alias("raw")
    )


def _good_rows(frame: "pl.DataFrame", findings: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return frame.join(findings.filter(pl.col("severity") == "error"), on="row", how="anti", maintain_order="left")


def _read_events(
    cells: "pl.DataFrame", layout: RegisterFile, header: Sequence[str], file: str
) -> "tuple[pl.DataFrame, pl.DataFrame]":
    import polars as pl

    typed = type_event_cells(cells, layout, header)
    findings = pl.concat([check_event_rows(typed, layout), find_equal_rows(cells)])
    events = _canonical_events(_good_rows(typed, findings), layout, file)
    findings = pl.concat([findings, find_event_overlaps(events)])
    return _good_rows(events, findings), findings


def _canonical_events(typed: "pl.DataFrame", layout: RegisterFile, file: str) -> "pl.DataFrame":
    import polars as pl

    shared = ["project_id", "vintage", "serial", "stem", "first", "last", *EVENT_TEXTS, "row"]
    parts = [
        typed.filter(pl.col(f"applies_{number}") & (pl.col(f"quantity_{number}_t") > 0)).select(
            *shared,
            pl.lit(number).alias("rule"),
            pl.lit(layout.register).alias("register"),
            pl.lit(rule.event).alias("event"),
            pl.col(f"day_{number}").alias("day"),
            pl.col(f"quantity_{number}_t").alias("quantity_t"),
            pl.col(f"quantity_{number}_kg").alias("quantity_kg"),
            pl.lit(rule.is_buffer).alias("is_buffer"),
            pl.lit(rule.raw_event).alias("raw_event"),
            pl.lit(file).alias("file"),
        )
        for number, rule in enumerate(layout.rules)
    ]
    schema = credit_events_schema()
    key = [name for name in schema if name not in ("copy", "file", "row")]
    events = pl.concat(parts).sort("row", "rule").with_columns(copy=pl.int_range(1, pl.len() + 1).over(key))
    return events.select(list(schema)).cast(dict(schema))  # type: ignore[arg-type]


def _read_projects(
    cells: "pl.DataFrame", layout: RegisterFile, header: Sequence[str], file: str
) -> "tuple[pl.DataFrame, pl.DataFrame]":
    import polars as pl

    registered = role_cells(layout, header, "registered_on")
    typed = cells.select(
        pl.lit(layout.register).alias("register"),
        (pl.lit(layout.prefix) + role_cells(layout, header, "project_id")).alias("project_id"),
        *[role_cells(layout, header, role).alias(role) for role in PROJECT_TEXTS],
        day_expr(registered, layout.days).alias("registered_on"),
        registered.alias("registered_text"),
        pl.lit(file).alias("file"),
        "row",
    )
    findings = _check_projects(typed, layout)
    return _good_rows(typed, findings).select(list(projects_schema())), findings


def _check_projects(typed: "pl.DataFrame", layout: RegisterFile) -> "pl.DataFrame":
    import polars as pl

    project = pl.col("project_id")
    return pl.concat(
        [
            findings_where(
                typed,
                project.is_null(),
                code="no_project",
                severity="error",
                column=layout.headings["project_id"],
                found=pl.lit("no project number"),
                expected=pl.lit("the register's number of a project"),
            ),
            findings_where(
                typed,
                project.is_not_null() & ~project.is_first_distinct(),
                code="C41",
                severity="error",
                column=layout.headings["project_id"],
                found=project,
                expected=pl.lit("each project once; the first line counts"),
            ),
            findings_where(
                typed,
                pl.col("registered_text").is_not_null() & pl.col("registered_on").is_null(),
                code="unreadable_day",
                severity="error",
                column=layout.headings.get("registered_on"),
                found=pl.col("registered_text"),
                expected=pl.lit("a day as month/day/year" if layout.days == "us" else "a day as year-month-day"),
            ),
        ]
    )
