"""The files that `greenfin index build` writes: scores, provenance and every table between data and scores.

Knows names and layouts of the files. Computes nothing.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, get_args

import polars as pl

from api import ENGINE
from fhi.index import IndexResult
from fhi.steps import wide_table

TableFormat = Literal["csv", "parquet"]
FileFormat = Literal["csv", "parquet", "xlsx"]
FILE_FORMATS: Final[tuple[FileFormat, ...]] = get_args(FileFormat)
PROVENANCE: Final = "provenance.json"
WORKBOOK: Final = "index.xlsx"
TABLES: Final = (
    *("scores", "data", "screened", "denominated", "imputed", "treated", "normalised", "weights", "contributions"),
    *("units", "changes", "screening", "imputation", "treatment", "notes", "rejected"),
)
RUN_FILES: Final = (PROVENANCE, WORKBOOK, *(f"{name}.{form}" for name in TABLES for form in get_args(TableFormat)))


def result_tables(result: IndexResult, units: pl.DataFrame, rejected: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Every table of a run by name. What is assessed is called `unit` here, since it need not be a hub.

    scores: unit, code, score, rank, then name, period, level, coverage and reason; data, denominated, imputed, treated
    and normalised: one row a unit and period, one column an indicator; weights, contributions, framework, changes
    (every cell that a step changed), screening, imputation (with the error of a hold-out test), treatment, notes and
    rejected (rows of the input that were set apart). Tables of steps that were not done are absent.
    """
    names = units.select("hub", "name")
    scores = result.scores.join(names, on="hub", how="left", maintain_order="left")
    first = ["hub", "code", "score", "rank", "name", "period"]
    steps = result.steps
    tables = {
        "scores": scores.select(*first, pl.exclude(first)),
        "data": wide_table(steps, "data"),
        **{name: wide_table(steps, name) for name in steps.cubes if name != "data"},
        "weights": result.weights,
        "contributions": result.inputs,
        "units": units,
        "changes": steps.changes,
        "screening": steps.screening,
        "imputation": steps.imputation,
        "treatment": steps.treatment if "treated" in steps.cubes else steps.treatment.clear(),
        "notes": pl.DataFrame(
            [(note.code, note.subject, "; ".join(note.periods), note.detail) for note in result.notes],
            schema=dict.fromkeys(("code", "subject", "periods", "detail"), pl.String),
            orient="row",
        ),
        "rejected": rejected,
    }
    kept = {name: table for name, table in tables.items() if table.height or name in ("scores", "data", "weights")}
    return {name: as_units(table) for name, table in kept.items()}


def as_units(table: pl.DataFrame) -> pl.DataFrame:
    """The table with `unit` for `hub`, as users call what is assessed; a unit of measure makes room for it."""
    named = {"unit": "unit_of_measure", "hub": "unit"}
    return table.rename({old: new for old, new in named.items() if old in table.columns})


def run_provenance(result: IndexResult, files: Mapping[str, str]) -> dict[str, object]:
    """What a run was made from: engine, hashes, all choices, and the SHA-256 of every input file by name."""
    return {
        "engine": ENGINE,
        **result.provenance,
        "input_files": dict(files),
        "recipe": result.recipe.model_dump(mode="json"),
    }


def write_run(
    folder: Path, tables: Mapping[str, pl.DataFrame], provenance: Mapping[str, object], form: FileFormat
) -> list[Path]:
    """Write the tables and the provenance of a run into a folder that is there. Returns the paths in the order written.

    Tables go to CSV (UTF-8) or Parquet; `scores.csv` and `provenance.json` are written in every format.
    """
    kinds: dict[str, tuple[TableFormat, ...]] = {"csv": ("csv",), "parquet": ("parquet",), "xlsx": ()}
    formats = dict.fromkeys(tables, kinds[form]) | {"scores": tuple(dict.fromkeys((*kinds[form], "csv")))}
    made = write_tables(folder, tables, formats)
    made.append(folder / PROVENANCE)
    made[-1].write_text(json.dumps(provenance, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return made


def write_tables(
    folder: Path, tables: Mapping[str, pl.DataFrame], formats: Mapping[str, tuple[TableFormat, ...]]
) -> list[Path]:
    """Write tables, each in its formats, into a folder that is there. Returns the paths in the order written."""
    made = []
    for name, table in tables.items():
        for form in formats[name]:
            made.append(folder / f"{name}.{form}")
            if form == "parquet":
                table.write_parquet(made[-1], compression="zstd")
            else:
                table.write_csv(made[-1])
    return made


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A folder to write into, whose files all come to stand in `out` at the end, or none where anything fails.

    `out` is made where it is absent. Files that an earlier run of `greenfin index build` left in it go, for they would
    stand beside a provenance that is not theirs.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside `out` it may not be allowed to write; and before the end `out` must not appear.
    place = out if out.is_dir() else out.parent
    with tempfile.TemporaryDirectory(dir=place, prefix=".greenfin-") as name:
        folder = Path(name)
        yield folder
        made = sorted(folder.iterdir())
        for path in made:
            if (out / path.name).is_dir():
                raise IsADirectoryError(f"{out / path.name}: found a folder; expected a file or nothing")
        earlier = RUN_FILES if (out / PROVENANCE).is_file() and (folder / PROVENANCE).is_file() else ()
        out.mkdir(exist_ok=True)
        for stale in earlier:
            (out / stale).unlink(missing_ok=True)
        for path in made:
            shutil.move(path, out / path.name)
