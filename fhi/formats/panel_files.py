"""Figures of units from a file: long, wide as COINr's iData, or our own wide; CSV, XLSX or Parquet.

Knows layouts of panel files and what of them a framework asks for. Must not know a formula or where figures come from.

Long: columns code and value; wide: a column a code. Headings are matched whatever their case, codes exactly; a
heading that is a code of the framework is that code and nothing else.

- The unit is uCode, else hub, else unit. In a long file with hub, unit is the unit of measure, as in a panel of this
  package; without hub it names the unit, and the unit of measure is unit_of_measure.
- Its name is uName or name. The period is Time, period or year, in the form 2022, 2022-Q3 or 2022-06; a file without
  such a column has one period, "undated".
- A long file may have status and source; without them figures are "observed" and the source is the file's name.
- An empty cell, NA and NaN mean "unknown"; but NA in the column of units is a code, Namibia's.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from fhi.errors import PanelError, Problem, one_of
from fhi.formats.cells import BAD_SCHEMA, bad_rows, key_text, read_numbers
from fhi.formats.tables import ROW, Table, read_table
from fhi.framework import Denominator, Framework, Indicator
from fhi.panel import NOT_NEGATIVE, PANEL_SCHEMA, PERIOD, PERIODS, STATUSES, UNDATED

REMARKS: Final = frozenset({"no_figures", "no_attribute", "two_values"})
_UNITS: Final = ("ucode", "hub", "unit")
_NAMES: Final = ("uname", "name")
_PERIODS: Final = ("time", "period", "year")
_SHOWN: Final = 10


@dataclass(frozen=True)
class PanelFile:
    """A file read against a framework.

    panel: fhi.panel.PANEL_SCHEMA, sound rows only, null where the file has no figure. units: `hub`, `name` and one
    column an attribute of the framework; of several periods the latest that is filled. rejected: what was left out,
    BAD_SCHEMA: row, column, found, expected, code; column is null where a whole row is out. problems: the same in
    words, at most ten a column and code; those with a code in REMARKS are remarks and leave nothing out.
    """

    panel: pl.DataFrame
    units: pl.DataFrame
    rejected: pl.DataFrame
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Layout:
    """Which heading is what; None where the file has no such column."""

    unit: str
    name: str | None
    period: str | None
    code: str | None
    value: str | None
    measure: str | None
    status: str | None
    source: str | None
    attributes: tuple[str, ...]
    figures: tuple[str, ...]


def load_panel(path: Path, framework: Framework) -> PanelFile:
    """Read figures of the framework's indicators and denominators, and attributes of units, from one file.

    From XLSX the sheet iData or panel is taken, else the first. Raises PanelError where the file is no table or has no
    column of units; anything else that is wrong leaves out the cell or row in question and stands in `problems`.
    """
    table, problems = read_table(path, ("iData", "panel"))
    if table is None:
        raise PanelError(problems)
    layout, wrong = _layout(table, framework)
    if layout is None:
        raise PanelError([*problems, *wrong])
    keys, bad = _keys(table, layout)
    read = _long if layout.code else _wide
    panel, more = read(table, layout, keys, framework)
    rejected = pl.concat([bad, more]).sort(ROW, "column", nulls_last=True)
    units, remarks = _units(table, layout, keys, framework)
    remarks += _without_figures(table.name, panel, framework)
    return PanelFile(
        panel=panel,
        units=units,
        rejected=rejected.rename({ROW: "row"}),
        problems=(*problems, *wrong, *_in_words(table.name, rejected), *remarks),
    )


def _layout(table: Table, framework: Framework) -> tuple[Layout | None, list[Problem]]:
    """Which heading is what, and every heading that is nothing."""
    codes = {*framework.indicator, *framework.denominator}
    attributes = [heading for heading in table.headings if heading in {entry.code for entry in framework.attributes}]
    free = {
        heading.lower(): heading
        for heading in table.headings
        if heading not in codes and heading not in attributes and heading not in framework.node
    }
    is_long = "code" in free and "value" in free
    unit = next((free[name] for name in _UNITS if name in free), None)
    if unit is None:
        expected = f"a column uCode, hub or unit with a code for every unit; found are {', '.join(table.headings)}"
        return None, [Problem(f"{table.name} row 1", "no column of units", expected, "missing_column")]
    measured = ("unit_of_measure", "unit") if unit.lower() == "hub" else ("unit_of_measure",)
    layout = Layout(
        unit=unit,
        name=next((free[name] for name in _NAMES if name in free), None),
        period=next((free[name] for name in _PERIODS if name in free), None),
        code=free["code"] if is_long else None,
        value=free["value"] if is_long else None,
        measure=next((free[name] for name in measured if is_long and name in free), None),
        status=free.get("status") if is_long else None,
        source=free.get("source") if is_long else None,
        attributes=tuple(attributes),
        figures=() if is_long else tuple(heading for heading in table.headings if heading in codes),
    )
    return layout, _strangers(table, layout, framework)


def _strangers(table: Table, layout: Layout, framework: Framework) -> list[Problem]:
    """Every column that is neither a key, nor a code, nor an attribute."""
    used = {
        *(layout.unit, layout.name, layout.period, layout.code, layout.value),
        *(layout.measure, layout.status, layout.source, *layout.attributes, *layout.figures),
    }
    groups = [group.code for group in framework.groups]
    known = {*framework.indicator, *framework.denominator, *(entry.code for entry in framework.attributes)}
    problems = []
    for heading in table.headings:
        if heading in used:
            continue
        where = f"{table.name} row 1"
        if heading in groups:
            expected = "no such column: the scores of groups are computed, not read"
            problems.append(Problem(where, f"the column {heading}, a group", expected, "unknown_column"))
        else:
            expected = f"{one_of(known, heading)}; or [[attribute]] {heading} in the framework (iMeta: Type Group)"
            problems.append(Problem(where, f"the column {heading}", expected, "unknown_column"))
    return problems


def _keys(table: Table, layout: Layout) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Row, hub and period of every row whose keys hold, and the rows whose keys do not.

    Wide rows that share a unit and period are all left out: nobody knows which of them is right.
    """
    frame = table.frame.select(
        ROW,
        key_text(table.frame[layout.unit], na_is_text=True).alias("hub"),
        key_text(table.frame[layout.period]).alias("period")
        if layout.period
        else pl.repeat(UNDATED, table.frame.height, dtype=pl.String, eager=True).alias("period"),
    )
    no_hub = frame.filter(pl.col("hub").is_null())
    no_period = frame.filter(pl.col("period").is_null())
    wrong_period = frame.filter(~pl.col("period").str.contains(PERIOD))
    bad = [
        bad_rows(no_hub, layout.unit, pl.lit("nothing"), "the code of the unit in every row", "no_unit"),
        bad_rows(no_period, layout.period, pl.lit("nothing"), f"a period in every row: {PERIODS}", "no_period"),
        bad_rows(wrong_period, layout.period, pl.col("period"), PERIODS, "wrong_period"),
    ]
    sound = frame.join(pl.concat(bad), on=ROW, how="anti", maintain_order="left")
    if layout.code is None:
        twice = sound.filter(pl.struct("hub", "period").is_duplicated())
        found = pl.format("{} {} in more than one row", "hub", "period")
        bad.append(bad_rows(twice, layout.unit, found, "one row a unit and period", "duplicate"))
        sound = sound.join(bad[-1], on=ROW, how="anti", maintain_order="left")
    return sound, pl.concat(bad)


def _wide(table: Table, layout: Layout, keys: pl.DataFrame, framework: Framework) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The panel of a wide file, code after code, and its bad cells."""
    frame = keys.join(table.frame.select(ROW, *layout.figures), on=ROW, how="left", maintain_order="left")
    parts, bad = [PANEL_SCHEMA.to_frame()], [BAD_SCHEMA.to_frame()]
    for code in layout.figures:
        cells = read_numbers(frame[ROW], frame[code], code)
        part = frame.select(
            ROW,
            "hub",
            "period",
            pl.lit(code).alias("code"),
            cells.values.alias("value"),
            pl.lit(_entry(framework, code).unit).alias("unit"),
            pl.lit("observed").alias("status"),
            pl.lit(table.name).alias("source"),
        )
        wrong = pl.concat([cells.bad, _below_zero(part, code, framework)])
        if not wrong.is_empty():
            part = part.join(wrong, on=ROW, how="anti", maintain_order="left")
        parts.append(part.drop(ROW))
        bad.append(wrong)
    return pl.concat(parts), pl.concat(bad)


def _long(table: Table, layout: Layout, keys: pl.DataFrame, framework: Framework) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The panel of a long file in file order, and its bad rows."""
    code, value = str(layout.code), str(layout.value)
    frame = keys.join(table.frame, on=ROW, how="left", maintain_order="left", suffix=" of the file")
    cells = read_numbers(frame[ROW], frame[value if value not in keys.columns else f"{value} of the file"], value)
    codes = [*framework.indicator, *framework.denominator]
    units = [_entry(framework, known).unit for known in codes]

    def texts(heading: str | None) -> pl.Series:
        if heading is None:
            return pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
        return key_text(frame[heading if heading not in keys.columns else f"{heading} of the file"])

    panel = keys.with_columns(
        code=texts(code), value=cells.values, unit=texts(layout.measure), status=texts(layout.status)
    ).with_columns(
        pl.coalesce("unit", pl.col("code").replace_strict(codes, units, default="", return_dtype=pl.String)),
        pl.col("status").fill_null("observed"),
        source=texts(layout.source).fill_null(table.name),
    )
    unknown = panel.filter(~pl.col("code").is_in(codes).fill_null(False))
    status = panel.filter(~pl.col("status").is_in(STATUSES))
    twice = panel.filter(pl.struct("hub", "period", "code").is_duplicated() & pl.col("code").is_not_null())
    found = pl.format("{} {} {} in more than one row", "hub", "period", "code")
    bad = pl.concat(
        [
            cells.bad,
            _unknown_codes(unknown, code, codes),
            bad_rows(status, layout.status, pl.col("status"), f"one of {', '.join(STATUSES)}", "wrong_status"),
            bad_rows(twice, code, found, "one row a unit, period and code", "duplicate"),
            _below_zero(panel, value, framework),
        ]
    )
    return panel.join(bad, on=ROW, how="anti", maintain_order="left").select(PANEL_SCHEMA.names()), bad


def _unknown_codes(rows: pl.DataFrame, column: str, codes: list[str]) -> pl.DataFrame:
    """Rows of codes that the framework does not know, each with the nearest one."""
    names = rows["code"].unique().to_list()
    remedies = [f"a code of the framework: {one_of(codes, name)}" for name in names]
    found = pl.col("code").fill_null("nothing")
    bad = bad_rows(rows, column, found, "", "unknown_code")
    return bad.with_columns(expected=rows["code"].replace_strict(names, remedies, return_dtype=pl.String))


def _below_zero(panel: pl.DataFrame, column: str, framework: Framework) -> pl.DataFrame:
    """Rows with a figure below zero of an indicator that is scored on a logarithm."""
    logged = [code for code, entry in framework.indicator.items() if entry.transform == "log1p"]
    below = panel.filter(pl.col("code").is_in(logged) & (pl.col("value") < 0))
    return bad_rows(
        below, column, pl.col("value").cast(pl.String).str.strip_suffix(".0"), NOT_NEGATIVE, "negative_for_log"
    )


def _entry(framework: Framework, code: str) -> Indicator | Denominator:
    return framework.indicator.get(code) or framework.denominator[code]


def _units(
    table: Table, layout: Layout, keys: pl.DataFrame, framework: Framework
) -> tuple[pl.DataFrame, list[Problem]]:
    """One row a unit, in order of the file: hub, name and attributes; and remarks where periods contradict."""
    columns = {"name": layout.name, **{heading: heading for heading in layout.attributes}}
    texts = table.frame.select(ROW).with_columns(
        key_text(table.frame[heading]).alias(column) for column, heading in columns.items() if heading is not None
    )
    told = keys.join(texts, on=ROW, how="left", maintain_order="left").sort("period", maintain_order=True)
    told = told.with_columns(pl.col("hub").alias("name")) if layout.name is None else told
    order = keys.select("hub").unique(maintain_order=True)
    latest = told.group_by("hub").agg(pl.col(column).drop_nulls().last() for column in columns)
    units = order.join(latest, on="hub", how="left", maintain_order="left")
    units = units.with_columns(pl.col("name").fill_null(pl.col("hub")))
    differing = told.group_by("hub", maintain_order=True).agg(
        pl.col(column).drop_nulls().n_unique() for column in columns
    )
    problems = []
    for column, heading in columns.items():
        several = differing.filter(pl.col(column) > 1)["hub"].to_list()
        if several:
            found = f"different values for {', '.join(several[:_SHOWN])}{' ...' if len(several) > _SHOWN else ''}"
            where = f"{table.name}, column {heading}"
            problems.append(Problem(where, found, "one value a unit; the latest period's is taken", "two_values"))
    for entry in framework.attributes:
        if entry.code not in layout.attributes:
            expected = f"a column {entry.code}, where a step is to go by it"
            problems.append(Problem(table.name, f"no column {entry.code}", expected, "no_attribute"))
    return units, problems


def _without_figures(file: str, panel: pl.DataFrame, framework: Framework) -> list[Problem]:
    """A remark for every indicator, and every denominator in use, that has no figure in the file."""
    present = set(panel.filter(pl.col("value").is_not_null())["code"].unique().to_list())
    divides = {entry.denominator for entry in framework.indicators if entry.denominator}
    wanted = [*framework.indicator, *(code for code in framework.denominator if code in divides)]
    return [
        Problem(file, f"no figure of {code} ({_entry(framework, code).name_en})", "at least one", "no_figures")
        for code in wanted
        if code not in present
    ]


def _in_words(file: str, rejected: pl.DataFrame) -> list[Problem]:
    """What was left out as problems: the first ones of each column and code, then how many more there are."""
    ranked = rejected.with_columns(
        nth=pl.int_range(pl.len()).over("column", "code"), of=pl.len().over("column", "code")
    )
    problems = []
    for row in ranked.filter(pl.col("nth") <= _SHOWN).iter_rows(named=True):
        if row["nth"] == _SHOWN:
            where, found = f"{file}, column {row['column']}", f"{row['of'] - _SHOWN} more cells like this"
        else:
            where, found = f"{file} row {row[ROW]}, column {row['column']}", row["found"]
        problems.append(Problem(where, found, row["expected"], row["code"]))
    return problems
