"""What `greenfin index` works on: figures, a framework and a recipe from files, or a tree that comes with the product.

Knows names of embedded trees and where files are. Computes nothing.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from api.lang import Lang
from fhi.crosswalk import CROSSWALKS, embedded_crosswalk
from fhi.errors import PanelError, Problem, UnknownFramework
from fhi.formats.panel_files import REMARKS, PanelFile, load_panel
from fhi.framework import Framework, load_framework
from fhi.hubs import hubs
from fhi.microdata.reading import label_files
from fhi.observations import open_panel
from fhi.recipe import Recipe, load_recipe

OPEN: Final = "open"


@dataclass(frozen=True)
class Inputs:
    """A run's figures and choices.

    panel, units, rejected: as of fhi.formats.panel_files.PanelFile, of all files together, rejected with a column
    `file`. problems: what left a figure out; remarks: what did not. files: SHA-256 of every file by name, or
    by path where two have the same name.
    """

    framework: Framework
    recipe: Recipe
    panel: pl.DataFrame
    units: pl.DataFrame
    rejected: pl.DataFrame
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]
    files: dict[str, str]


def embedded_frameworks() -> tuple[str, ...]:
    """Names of the trees that come with the product."""
    return ("fhi", "green", *CROSSWALKS)


def find_framework(names: list[str]) -> tuple[Framework, list[Path]]:
    """The tree of these files, or the embedded one of this name, with the files it came from.

    Raises FrameworkError for files that make no tree, UnknownFramework for a name that is neither.
    """
    if len(names) == 1 and not Path(names[0]).is_file() and not Path(names[0]).suffix:
        return _embedded(names[0]), []
    paths = [Path(name) for name in names]
    return load_framework(*paths), paths


def _embedded(name: str) -> Framework:
    from green_index.index import base_framework, green_framework

    if name == "fhi":
        return base_framework("open")
    if name == "green":
        return green_framework("open")
    if name in CROSSWALKS:
        return embedded_crosswalk(name)
    raise UnknownFramework(f"no file and no framework {name!r}; known: {', '.join(embedded_frameworks())}")


def load_inputs(values: list[str], frameworks: list[str], recipe: Path | None, lang: Lang) -> Inputs:
    """Read everything that a run needs. Several files of values are one panel; the word `open` stands for the open
    figures that come with the product. Units that are our cities get their names in that language.

    Raises FrameworkError, RecipeError and PanelError, each with all problems of the kind.
    """
    framework, tree_files = find_framework(frameworks)
    chosen = load_recipe(recipe) if recipe is not None else _usual_recipe(tree_files)
    paths = [Path(name) for name in values if name != OPEN]
    read = [(path, load_panel(path, framework)) for path in paths]
    if OPEN in values:
        read.append((Path(OPEN), _open_figures(framework)))
    panel = pl.concat([file.panel for _, file in read])
    clash = panel.filter(pl.struct("hub", "period", "code").is_duplicated()).unique(["hub", "period", "code"])
    if clash.height:
        raise PanelError(
            [
                Problem(
                    f"{row['hub']} {row['period']} {row['code']}",
                    f"figures in {', '.join(path.name for path, _ in read)}",
                    "a figure in one file only",
                    "duplicate",
                )
                for row in clash.sort("hub", "period", "code").head(20).iter_rows(named=True)
            ]
        )
    problems = [problem for _, file in read for problem in file.problems]
    files = [*paths, *tree_files, *([recipe] if recipe is not None else [])]
    return Inputs(
        framework=framework,
        recipe=chosen,
        panel=panel,
        units=_named(_joined([file.units for _, file in read]), lang),
        rejected=pl.concat(
            [file.rejected.select(pl.lit(path.name).alias("file"), pl.all()) for path, file in read], how="diagonal"
        ),
        problems=tuple(problem for problem in problems if problem.code not in REMARKS),
        remarks=tuple(problem for problem in problems if problem.code in REMARKS),
        files={
            label: hashlib.sha256(path.read_bytes()).hexdigest()
            for label, path in zip(label_files(files), files, strict=True)
        },
    )


def _open_figures(framework: Framework) -> PanelFile:
    """The embedded open figures that the tree has a place for."""
    panel = open_panel().filter(pl.col("code").is_in(list(framework.indicator)))
    units = panel.select("hub").unique().sort("hub").with_columns(name=pl.lit(None, dtype=pl.String))
    return PanelFile(panel, units, pl.DataFrame(schema={"row": pl.Int64}), ())


def _named(units: pl.DataFrame, lang: Lang) -> pl.DataFrame:
    own = hubs().select("hub", own=f"name_{lang}")
    joined = units.join(own, on="hub", how="left", maintain_order="left")
    return joined.with_columns(name=pl.coalesce("name", "own")).drop("own")


def _usual_recipe(tree_files: list[Path]) -> Recipe:
    """Without a recipe a tree of the product's own is built as the product builds it, any other by the defaults."""
    from green_index.index import RANKING

    return Recipe() if tree_files else RANKING


def _joined(tables: list[pl.DataFrame]) -> pl.DataFrame:
    """What all files together say of each unit: the first that says something."""
    together = pl.concat(tables, how="diagonal")
    return together.group_by("hub", maintain_order=True).agg(pl.all().drop_nulls().first()).sort("hub")
