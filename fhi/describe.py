"""A framework and the options of a recipe as flat rows, for readers and programs.

Knows frameworks, weight tables and recipes. Knows no figures and no hubs.
"""

import json
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import polars as pl
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fhi.diagnostics import chi_square_p
from fhi.framework import Framework, Indicator, Judgement, Node
from fhi.recipe import Recipe


def node_rows(framework: Framework, weights: pl.DataFrame, name: str) -> pl.DataFrame:
    """The whole tree as flat rows, children below their parent: one row a node with definition, weight and judgement.

    weights: fhi.weigh.WEIGHT_SCHEMA of a result on this framework; name: what the rows call the tree, since one tree
    of added groups stands on several bases.
    """
    rows = [
        {
            "framework": name,
            "code": code,
            "parent": framework.node[code].parent,
            "level": framework.level[code],
            **_meaning(framework.node[code]),
            **_judging(framework.judgement.get(code)),
        }
        for code in depth_first(framework)
    ]
    stated = weights.select(
        "code",
        "weight",
        "consistency_ratio",
        "random_index",
        "kmo",
        pl.struct("bartlett_chi_square", "bartlett_df")
        .map_elements(_sphericity_p, return_dtype=pl.Float64)
        .alias("bartlett_p"),
        weight_method="method",
        weight_assumed="assumed",
    )
    return pl.DataFrame(rows, infer_schema_length=None).join(stated, on="code", how="left", maintain_order="left")


def depth_first(framework: Framework) -> list[str]:
    """All codes, children right below their parent, in file order."""
    return _below(framework, framework.root)


def _below(framework: Framework, code: str) -> list[str]:
    children = framework.children.get(code, ())
    return [code, *(node for child in children for node in _below(framework, child))]


def _meaning(node: Node) -> dict[str, Any]:
    """What a node means; a group has no unit, direction or source."""
    leaf = node if isinstance(node, Indicator) else None
    return {
        "kind": "indicator" if leaf else "group",
        "name_zh": node.name_zh,
        "name_en": node.name_en,
        "direction": leaf.direction if leaf else None,
        "unit": leaf.unit if leaf else None,
        "unit_zh": leaf.unit_zh if leaf else None,
        "transform": leaf.transform if leaf else None,
        "definition_zh": leaf.definition_zh if leaf else "",
        "definition_en": leaf.definition if leaf else "",
        "null_means_zh": leaf.null_means_zh if leaf else None,
        "null_means_en": leaf.null_means if leaf else None,
        "zero_means_zh": leaf.zero_means_zh if leaf else None,
        "zero_means_en": leaf.zero_means if leaf else None,
        "source": leaf.source if leaf else None,
    }


def _judging(judgement: Judgement | None) -> dict[str, str | None]:
    """Who compared the children of a group, by which rule and why."""
    return {
        "judgement_rule": judgement.rule if judgement else None,
        "judged_by": judgement.who if judgement else None,
        "judged_when": judgement.when if judgement else None,
        "judgement_reason_zh": judgement.reason_zh if judgement else None,
        "judgement_reason_en": judgement.reason if judgement else None,
    }


def _sphericity_p(test: dict[str, float]) -> float | None:
    if test["bartlett_chi_square"] is None:
        return None
    return chi_square_p(test["bartlett_chi_square"], int(test["bartlett_df"]))


def recipe_rows() -> pl.DataFrame:
    """Every option of a recipe: step, option, default (as TOML writes it), values (what it may be), step_means."""
    rows = [
        (step, option, _toml(field.get_default(call_default_factory=True)), _values(field.annotation), about)
        for step, entry in Recipe.model_fields.items()
        for about, fields in [_options(entry.annotation)]
        for option, field in fields.items()
    ]
    columns = ["step", "option", "default", "values", "step_means"]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _options(annotation: object) -> tuple[str, Mapping[str, FieldInfo]]:
    """What a step means and its options; a choice without table is its own option."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation.__doc__ or "").partition("\n\n")[0].replace("\n    ", " "), annotation.model_fields
    return "a number for every draw of a run", {"": Recipe.model_fields["seed"]}


def _values(annotation: object) -> str:
    """What an option may be, in words."""
    if get_origin(annotation) is Literal:
        return ", ".join(map(str, get_args(annotation)))
    if get_origin(annotation) is Annotated:
        return _values(get_args(annotation)[0])
    if get_origin(annotation) is dict:
        of, to = get_args(annotation)
        names = {int: "a level (0 is the total)", str: "a name"}.get(of, _values(of))
        return f"table: {names} = {_values(to)}"
    if get_origin(annotation) is tuple:
        return f"list of {_values(get_args(annotation)[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"table of {', '.join(annotation.model_fields)}"
    if get_origin(annotation) is UnionType:
        return " or ".join(_values(part) for part in get_args(annotation) if part is not NoneType)
    return {"float": "number", "int": "whole number", "str": "text"}[getattr(annotation, "__name__", "str")]


def _toml(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return "{}"
    return json.dumps(list(value) if isinstance(value, tuple) else value)
