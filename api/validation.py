"""The verb about agreement with printed rankings: ours and a user's lists against the index of today's figures.

Knows which figures and which lists are asked. Computes nothing: the rules live in `green_index.validation`. Knows no
HTTP and no screen.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from api.lang import texts
from api.store import Store, current_edition, current_panel
from fhi.errors import Problem
from fhi.observations import measures
from fhi.published import read_printed_ranks
from green_index.index import RANKING, green_framework
from green_index.validation import (
    BASE,
    EXTENDED,
    WITHOUT_SIZE,
    Resampling,
    UnknownList,
    choose_lists,
    own_lists,
    printed_lists,
    validate,
)

ALL: Final = "all"


@dataclass(frozen=True)
class _Figures:
    """A panel under the id of the edition that it makes, which stands for it."""

    edition: str
    panel: pl.DataFrame = field(compare=False)


def validation(
    store: Store, against: str | None = None, dimension: str | None = None, terms: Resampling | None = None
) -> pl.DataFrame:
    """Agreement with the printed lists that come with the package: green_index.validation.VALIDATION_SCHEMA, with
    candidate_zh behind `candidate`.

    against: an index or edition such as "FHI 2017", else all; dimension: one list such as `overall`, else all. Raises
    UnknownList."""
    known = printed_lists()
    chosen = known if against in (None, ALL) else choose_lists(known, str(against))
    rows = _printed(_figures(store), terms or Resampling())
    kept = rows.join(chosen.select("against").unique(), on="against", how="semi", maintain_order="left")
    return of_dimension(_named(kept), dimension)


def of_dimension(rows: pl.DataFrame, dimension: str | None) -> pl.DataFrame:
    """Rows of one list such as `overall`, or all. Raises UnknownList, naming the lists that the rows have."""
    if dimension in (None, ALL):
        return rows
    kept = rows.filter(pl.col("dimension") == dimension)
    if kept.is_empty():
        known = ", ".join(rows["dimension"].unique().sort())
        raise UnknownList(f"no list {dimension!r}; known: {known}")
    return kept


def own_validation(
    store: Store, ranks: Path, index: str, year: int, terms: Resampling | None = None
) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """The same for a user's file of ranks, and the cities of it that are none of ours.

    index: an index or edition of the file, or `all`; year: of our figures. Raises PanelError and UnknownPeriod."""
    read = read_printed_ranks(ranks, None if index == ALL else index)
    return _named(validate(own_lists(read.rows, year), _figures(store).panel, terms)), read.unknown


def _figures(store: Store) -> _Figures:
    return _Figures(current_edition(store, "open", RANKING).id, current_panel(store, "open"))


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the Chinese name of each candidate."""
    said = texts("analyses", "zh")
    names = {code: node.name_zh for code, node in green_framework("open").node.items()}
    names |= {f"{name} alone": said["validation_alone"].format(name=zh) for name, zh in _measures()}
    names |= {name: said[key] for name, key in ((BASE, "validation_base"), (EXTENDED, "validation_extended"))}
    names |= {f"{name} {WITHOUT_SIZE}": said["validation_without"].format(name=zh) for name, zh in names.items()}
    worded = rows.with_columns(candidate_zh=pl.col("candidate").replace_strict(names, return_dtype=pl.String))
    place = rows.columns.index("candidate") + 1
    return worded.select(*rows.columns[:place], "candidate_zh", *rows.columns[place:])


def _measures() -> list[tuple[str, str]]:
    return measures().select("measure", "name_zh").rows()


@lru_cache(maxsize=8)
def _printed(figures: _Figures, terms: Resampling) -> pl.DataFrame:
    return validate(printed_lists(), figures.panel, terms)
