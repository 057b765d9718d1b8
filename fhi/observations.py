"""The open base: published city figures mapped to nodes of the FHI tree.

Knows the embedded open figures, their publishers, and which node each stands for. Knows no weights and no scores.
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from fhi.framework import Framework
from fhi.panel import PANEL_SCHEMA

_DATA: Final = files("fhi").joinpath("data")
_FRAMEWORKS: Final = files("fhi").joinpath("frameworks")


class OpenMapping(BaseModel):
    """How open measures stand in for one node: which, by what formula, and how near that is to the node."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    measures: tuple[str, ...]
    formula: Literal["value", "sum", "ratio"]
    unit: str
    unit_zh: str
    fit: Literal["same", "proxy"]
    reason: str
    reason_zh: str


@cache
def measures() -> pl.DataFrame:
    """The open measures: measure, name_zh, name_en, unit, size (does it grow with the city), publisher, licence,
    remark."""
    return pl.read_csv(_DATA.joinpath("open_measures.csv").read_bytes())


@cache
def sources() -> pl.DataFrame:
    """Who published each column of this package's files: file, column, publisher, unit, terms, remark."""
    named = measures().select(
        pl.lit("open_observations.csv").alias("file"),
        column="measure",
        publisher="publisher",
        unit="unit",
        terms="licence",
        remark="remark",
    )
    return pl.concat([named, pl.read_csv(_DATA.joinpath("sources.csv").read_bytes())])


@cache
def observations() -> pl.DataFrame:
    """The open figures, one row a hub and year: hub, period, and one column a measure in the unit of `measures()`.

    Null where the publisher has no figure (dfi_investment 2013, some house prices).
    """
    frame = pl.read_csv(_DATA.joinpath("open_observations.csv").read_bytes(), infer_schema_length=None)
    return frame.with_columns(
        pl.col("period").cast(pl.String), pl.col(measures()["measure"].to_list()).cast(pl.Float64)
    )


@cache
def doubts() -> pl.DataFrame:
    """Figures kept as published though they look wrong: hub, period, measure, doubt."""
    return pl.read_csv(_DATA.joinpath("open_doubts.csv").read_bytes(), schema_overrides={"period": pl.String})


@cache
def mappings() -> tuple[OpenMapping, ...]:
    """Which open measures stand for which node of the FHI tree."""
    content = tomllib.loads(_FRAMEWORKS.joinpath("open_mapping.toml").read_text(encoding="utf-8"))
    return tuple(OpenMapping.model_validate(entry) for entry in content["mapping"])


def units(framework: Framework) -> dict[str, str]:
    """Chinese names of all units that a panel of this framework may use, by their English ones."""
    named = {indicator.unit: indicator.unit_zh for indicator in framework.indicators}
    return named | {entry.unit: entry.unit_zh for entry in mappings()}


def size_codes() -> frozenset[str]:
    """Nodes whose open figure is a mere size of the city (a sum or value of size measures)."""
    size = set(measures().filter("size")["measure"])
    return frozenset(entry.code for entry in mappings() if entry.formula != "ratio" and size & set(entry.measures))


def open_panel() -> pl.DataFrame:
    """Panel rows (fhi.panel.PANEL_SCHEMA) of every mapped node, hub and year; null where a measure is missing.

    `source` names the publishers, the formula where it is not the figure itself, proxies, and doubts.
    """
    frame = observations()
    parts = [_rows_of(frame, entry) for entry in mappings()]
    return pl.concat(parts).select(PANEL_SCHEMA.names()).cast(PANEL_SCHEMA)


def _rows_of(frame: pl.DataFrame, entry: OpenMapping) -> pl.DataFrame:
    publishers = measures().filter(pl.col("measure").is_in(entry.measures))["publisher"].unique(maintain_order=True)
    joined = {"value": "", "sum": " + ", "ratio": " / "}[entry.formula].join(entry.measures)
    source = f"{joined}: {'; '.join(publishers)}" + (" (proxy)" if entry.fit == "proxy" else "")
    doubt = (
        doubts()
        .filter(pl.col("measure").is_in(entry.measures))
        .select("hub", "period", doubt=pl.col("measure") + " " + pl.col("doubt"))
        .group_by("hub", "period", maintain_order=True)
        .agg("doubt")
    )
    return (
        frame.select("hub", "period", value=FORMULAS[entry.formula](entry.measures))
        .join(doubt, on=["hub", "period"], how="left", maintain_order="left")
        .with_columns(
            code=pl.lit(entry.code),
            unit=pl.lit(entry.unit),
            status=pl.lit("observed"),
            source=pl.lit(source) + pl.coalesce("; doubtful: " + pl.col("doubt").list.join("; "), pl.lit("")),
        )
        .select(PANEL_SCHEMA.names())
    )


def _value(names: tuple[str, ...]) -> pl.Expr:
    return pl.col(names[0])


def _sum(names: tuple[str, ...]) -> pl.Expr:
    total = pl.col(names[0])
    for name in names[1:]:
        total = total + pl.col(name)
    return total


def _ratio(names: tuple[str, ...]) -> pl.Expr:
    return pl.col(names[0]) / pl.col(names[1])


FORMULAS: Final[Mapping[str, Callable[[tuple[str, ...]], pl.Expr]]] = {
    "value": _value,
    "sum": _sum,
    "ratio": _ratio,
}
