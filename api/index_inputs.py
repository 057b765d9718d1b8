"""What `greenfin index` works on: figures, a framework and a recipe from files, or a tree that comes with the product,
which files of one's own may extend.

Knows names of embedded trees and where files are. Computes nothing.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from api.lang import Lang
from fhi.crosswalk import CROSSWALKS, embedded_crosswalk
from fhi.errors import FrameworkError, PanelError, Problem, UnknownFramework
from fhi.formats.panel_files import REMARKS, PanelFile, load_panel
from fhi.framework import Framework, load_framework
from fhi.hubs import hubs
from fhi.microdata.reading import label_files
from fhi.observations import open_panel
from fhi.panel import PANEL_SCHEMA
from fhi.recipe import Recipe, load_recipe
from green_index.index import RANKING, READY_JUDGEMENTS, base_framework, extended_framework, green_framework

OPEN: Final = "open"
GREEN: Final = "green"
EXTENDABLE: Final = ("fhi", GREEN)


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


@dataclass(frozen=True)
class Tree:
    """A framework, the user's files in it, is it one of ours, and what is to be said of how they were joined."""

    framework: Framework
    files: tuple[Path, ...]
    ours: bool
    remarks: tuple[Problem, ...] = ()


def embedded_frameworks() -> tuple[str, ...]:
    """Names of the trees that come with the product."""
    return (*EXTENDABLE, *CROSSWALKS)


def find_framework(names: list[str]) -> Tree:
    """The tree of these names: of files, an embedded one, or an embedded one that files extend.

    Beside `green` the name of a set of judgements that comes with the product may stand (`green-policy`). Raises
    FrameworkError for files that make no tree and for names that do not go together, UnknownFramework for a name that
    is neither.
    """
    embedded = [name for name in names if not Path(name).is_file() and not Path(name).suffix]
    files = tuple(Path(name) for name in names if name not in embedded)
    if not embedded:
        return Tree(load_framework(*files), files, ours=False)
    known = (*embedded_frameworks(), *READY_JUDGEMENTS)
    unknown = [name for name in embedded if name not in known]
    if unknown:
        raise UnknownFramework(f"no file and no framework {unknown[0]!r}; known: {', '.join(known)}")
    ready = [name for name in embedded if name in READY_JUDGEMENTS]
    trees = [name for name in embedded if name not in READY_JUDGEMENTS]
    _check_together(trees, ready, files)
    if trees[0] in CROSSWALKS:
        return Tree(embedded_crosswalk(trees[0]), files, ours=True)
    framework, remarks = extended_framework("open", files, green=trees[0] == GREEN, ready=ready)
    return Tree(framework, files, ours=True, remarks=remarks)


def _check_together(trees: list[str], ready: list[str], files: tuple[Path, ...]) -> None:
    """One embedded tree, which can be extended where it is to be, and judgements with the tree that they are of."""
    problems = []
    named = ", ".join([*trees, *ready, *(path.name for path in files)])
    if len(trees) != 1:
        found = f"{len(trees)} trees of the product in {named}"
        problems.append(Problem("--framework", found, f"one of {', '.join(embedded_frameworks())}", "not_one_tree"))
    elif ready and trees != [GREEN]:
        problems.append(Problem("--framework", named, f"{ready[0]} beside {GREEN}", "other_tree"))
    elif files and trees[0] not in EXTENDABLE:
        expected = f"files beside {' or '.join(EXTENDABLE)}, or {trees[0]} alone"
        problems.append(Problem("--framework", named, expected, "not_extendable"))
    if problems:
        raise FrameworkError(problems)


def load_inputs(values: list[str], frameworks: list[str], recipe: Path | None, lang: Lang) -> Inputs:
    """Read everything that a run needs. Several files of values are one panel; the word `open` stands for the open
    figures that come with the product, of which a figure gives way to one of a file. Units that are our cities get
    their names in that language.

    Raises FrameworkError, RecipeError and PanelError, each with all problems of the kind.
    """
    tree = find_framework(frameworks)
    framework = tree.framework
    chosen = load_recipe(recipe) if recipe is not None else _usual_recipe(tree)
    paths = [Path(name) for name in values if name != OPEN]
    read = [(path, load_panel(path, framework)) for path in paths]
    remarks = list(tree.remarks)
    if OPEN in values:
        read, replaced = _with_open(read, _open_figures(framework))
        remarks += replaced
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
    # Beside the embedded figures a file need not bring the whole tree.
    known = {"no_figures"} if OPEN in values else set()
    files = [*paths, *tree.files, *([recipe] if recipe is not None else [])]
    return Inputs(
        framework=framework,
        recipe=chosen,
        panel=panel,
        units=_named(_joined([file.units for _, file in read]), lang),
        rejected=pl.concat(
            [file.rejected.select(pl.lit(path.name).alias("file"), pl.all()) for path, file in read], how="diagonal"
        ),
        problems=tuple(problem for problem in problems if problem.code not in REMARKS),
        remarks=(*remarks, *(problem for problem in problems if problem.code in REMARKS and problem.code not in known)),
        files={
            label: hashlib.sha256(path.read_bytes()).hexdigest()
            for label, path in zip(label_files(files), files, strict=True)
        },
    )


def _open_figures(framework: Framework) -> PanelFile:
    """The embedded figures that the tree has a place for: those of the base, and of the added groups where it has
    any of them."""
    added = set(green_framework("open").indicator) - set(base_framework("open").indicator)
    figures = _green_figures() if added & set(framework.indicator) else open_panel()
    panel = figures.filter(pl.col("code").is_in(list(framework.indicator)))
    units = panel.select("hub").unique().sort("hub").with_columns(name=pl.lit(None, dtype=pl.String))
    return PanelFile(panel, units, pl.DataFrame(schema={"row": pl.Int64}), ())


def _green_figures() -> pl.DataFrame:
    """The embedded figures of base and added groups, by way of a database in memory: the product's own is not asked,
    so that the same files give the same index everywhere."""
    from sqlmodel import Session

    from api.db import create_tables, make_engine
    from carbon.embedded import load_embedded
    from green_index.bridge import carbon_panel, read_facts
    from green_index.index import city_years, green_panel

    engine = make_engine("sqlite://")
    create_tables(engine)
    with Session(engine) as session:
        load_embedded(session)
        panel = green_panel("open", carbon_panel(read_facts(session), city_years()))
    engine.dispose()
    return panel


def _with_open(
    read: list[tuple[Path, PanelFile]], figures: PanelFile
) -> tuple[list[tuple[Path, PanelFile]], list[Problem]]:
    """The files and the embedded figures, of each cell one: that of a file where it has a figure, else the embedded
    one; and how many of each indicator a file replaces."""
    key = ["hub", "period", "code"]
    has = pl.col("value").is_not_null()
    panels = [pl.DataFrame(schema=PANEL_SCHEMA), *(file.panel for _, file in read)]
    theirs = pl.concat(panels).filter(has).select(key).unique()
    gone = figures.panel.filter(has).join(theirs, on=key, how="semi").group_by("code").len().sort("code")
    remarks = [
        Problem(f"{OPEN} {code}", f"{count} figures that a file has too", "those of the file, which count", "replaced")
        for code, count in gone.iter_rows()
    ]
    left = figures.panel.join(theirs, on=key, how="anti", maintain_order="left")
    files = [
        (path, replace(file, panel=pl.concat([file.panel.filter(has), _blanks(file.panel, left)])))
        for path, file in read
    ]
    return [*files, (Path(OPEN), replace(figures, panel=left))], remarks


def _blanks(panel: pl.DataFrame, embedded: pl.DataFrame) -> pl.DataFrame:
    """Cells of a file without figure that the embedded figures say nothing of."""
    key = ["hub", "period", "code"]
    return panel.filter(pl.col("value").is_null()).join(embedded, on=key, how="anti", maintain_order="left")


def _named(units: pl.DataFrame, lang: Lang) -> pl.DataFrame:
    own = hubs().select("hub", own=f"name_{lang}")
    joined = units.join(own, on="hub", how="left", maintain_order="left")
    # A file without names repeats the codes in their place.
    named = pl.when(pl.col("name") != pl.col("hub")).then("name")
    return joined.with_columns(name=pl.coalesce(named, "own", "name")).drop("own")


def _usual_recipe(tree: Tree) -> Recipe:
    """Without a recipe a tree of the product's own, extended or not, is built as the product builds it, any other by
    the defaults."""
    return RANKING if tree.ours else Recipe()


def _joined(tables: list[pl.DataFrame]) -> pl.DataFrame:
    """What all files together say of each unit: the first that says something."""
    together = pl.concat(tables, how="diagonal")
    return together.group_by("hub", maintain_order=True).agg(pl.all().drop_nulls().first()).sort("hub")
