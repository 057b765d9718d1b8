"""The verb that turns files of microdata into panel rows, and the one table of its kinds.

Knows files, builders and how to count what was read. Knows no weights and no scores.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from fhi.errors import PanelError, Problem
from fhi.microdata import attention, experience, firms, jobs, policy, projects, yearbook
from fhi.microdata.firms import combine_capital
from fhi.microdata.grouping import group_rows
from fhi.microdata.reading import Checked, bad_rows, check, collect_all, label_files, write_set_apart
from fhi.microdata.rows import Builder, By, Given, Rows, no_rows
from fhi.panel import sort_panel

BUILDERS: Final[Mapping[str, Builder]] = {
    **firms.BUILDERS,
    **jobs.BUILDERS,
    **projects.BUILDERS,
    **experience.BUILDERS,
    **policy.BUILDERS,
    **attention.BUILDERS,
    **yearbook.BUILDERS,
}
# Built from the parts of two kinds, by `join_results`.
COMBINED: Final[Mapping[str, tuple[str, str]]] = {
    f"industry.{sector}.capital": ("firms", "deals") for sector in firms.LICENSED
}
# Nodes that none of these kinds can make, and why.
UNBUILT: Final[Mapping[str, str]] = {
    "industry.payment.volume": "payment firms publish no transactions by row; give the node as a figure of your own",
    "industry.credit.volume": "credit reporting firms publish no queries by row; give the node as a figure of your own",
    "industry.blockchain.volume": "no list of blockchain trades by the firm's city; give the node as your own figure",
}
_PERIOD: Final = r"\d{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?"
_PLACE: Final = ["file", "row", "position"]
BAD_COUNTS: Final = pl.Schema({"column": pl.String, "code": pl.String, "expected": pl.String, "rows": pl.Int64})


@dataclass(frozen=True)
class Counts:
    """What became of the rows: rows = good + bad + unknown_city."""

    rows: int
    good: int
    bad: int
    unknown_city: int


@dataclass(frozen=True)
class MicrodataResult:
    """What one kind of microdata gave.

    panel: rows of nodes of the FHI tree (PANEL_SCHEMA); parts: auxiliary rows of the same shape, whose codes are not
    in the tree; counts: what became of the rows; bad_counts: column, code, expected, rows (each bad row once, by its
    first fault); bad_rows: the first of them, with file and row (the line of a text file); unknown_cities: column,
    name, rows, reason, suggestion; passages: for policy texts, where the terms stand, else None; unread: headers that
    the schema does not declare.
    """

    kind: str
    panel: pl.DataFrame
    parts: pl.DataFrame
    counts: Counts
    bad_counts: pl.DataFrame
    bad_rows: pl.DataFrame
    unknown_cities: pl.DataFrame
    passages: pl.DataFrame | None
    unread: tuple[str, ...]


def build_microdata(
    kind: str,
    paths: Sequence[Path],
    *,
    period: str | None = None,
    by: By = "year",
    complete: bool = False,
    limit: int = 1000,
    passage_limit: int = 100_000,
    set_apart: Path | None = None,
) -> MicrodataResult:
    """Panel rows from files of one kind, with everything that was not used.

    kind: a key of BUILDERS; paths: .csv, .csv.gz or .parquet files, read as one; period: of the snapshot, for kinds
    without a date (firms, services, credit_users, survey); by: length of periods, for kinds with dates; complete: the
    files hold every case of the country, so that a hub that is not in them is a true zero; limit: most bad rows
    listed (all are counted); passage_limit: most passages listed, the first in the order of the files; set_apart: a
    CSV file to write every unused row to.

    Raises PanelError: unknown kind, a period that is missing or not wanted, files that cannot be read.
    """
    builder = _choose(kind, period, by)
    checked = check(paths, builder.schema)
    groups = group_rows(checked, builder, period, by, paths)
    fault, unknown = pl.col("fault"), pl.all_horizontal(pl.col(_hubs(builder)).is_null())
    good = groups.filter(fault.is_null() & ~unknown)
    bad = groups.filter(fault.is_not_null())
    counts = Counts(
        *(int(frame["rows"].sum()) for frame in (groups, good, bad, groups.filter(fault.is_null() & unknown)))
    )
    made: Rows = builder.make(good.rename({_hubs(builder)[0]: "hub"}).drop("fault"), Given(_cite(paths), complete))
    if set_apart is not None:
        write_set_apart(checked, set_apart)
    passages = None
    if kind == "policy":
        texts = checked.frame.filter(fault.is_null() & ~unknown)
        (passages,) = collect_all([policy.find_passages(texts).head(passage_limit)], paths)
        passages = passages.sort(_PLACE)
    return MicrodataResult(
        kind=kind,
        panel=sort_panel(made.panel),
        parts=sort_panel(made.parts),
        counts=counts,
        bad_counts=_count_bad(checked, bad),
        bad_rows=bad_rows(checked, paths, limit if counts.bad else 0),
        unknown_cities=checked.unknown_cities,
        passages=passages,
        unread=checked.unread,
    )


def join_results(results: Sequence[MicrodataResult]) -> pl.DataFrame:
    """One panel of several kinds, with the nodes that need the parts of two of them (COMBINED). In PANEL_SCHEMA.

    Raises PanelError where two results give the same hub, period and node.
    """
    combined = combine_capital(pl.concat([no_rows(), *(result.parts for result in results)]))
    panel = sort_panel(pl.concat([*(result.panel for result in results), combined]))
    twice = panel.filter(pl.struct("hub", "period", "code").is_duplicated())
    if twice.height:
        raise PanelError(
            [
                Problem(
                    f"panel row {row['hub']} {row['period']} {row['code']}",
                    row["source"],
                    "one result a node",
                    "duplicate",
                )
                for row in twice.iter_rows(named=True)
            ]
        )
    return panel


def _choose(kind: str, period: str | None, by: str) -> Builder:
    builder = BUILDERS.get(kind)
    if builder is None:
        raise PanelError([Problem("kind", kind, f"one of {', '.join(BUILDERS)}", "unknown_kind")])
    if by not in ("year", "quarter", "month"):
        raise PanelError([Problem("by", by, "year, quarter or month", "wrong_period")])
    if builder.dated is None and (period is None or not re.fullmatch(_PERIOD, period)):
        found, expected = str(period), "the period of the snapshot: 2022, 2022-Q3 or 2022-06; these rows have no date"
        raise PanelError([Problem("period", found, expected, "wrong_period")])
    if builder.dated is not None and period is not None:
        expected = f"none: the periods come from the column {builder.dated}; filter the panel instead"
        raise PanelError([Problem("period", period, expected, "wrong_period")])
    if builder.dated == "year" and by != "year":
        raise PanelError([Problem("by", by, "year: these rows have no day", "wrong_period")])
    return builder


def _hubs(builder: Builder) -> list[str]:
    return [column.name for column in builder.schema.of_type("city")]


def _count_bad(checked: Checked, bad: pl.DataFrame) -> pl.DataFrame:
    rows = dict(bad.group_by("fault").agg(pl.col("rows").sum()).iter_rows())
    counted = [
        {"column": fault.column, "code": fault.code, "expected": fault.expected, "rows": rows[fault.number]}
        for fault in checked.faults
        if fault.number in rows
    ]
    return pl.DataFrame(counted, schema=BAD_COUNTS)


def _cite(paths: Sequence[Path]) -> str:
    names = sorted(label_files(paths))
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} files, {names[0]} to {names[-1]}"
