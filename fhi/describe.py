"""A framework as flat rows, for readers and programs: what each node means and how it is weighed.

Knows frameworks and weight tables. Knows no figures and no hubs.
"""

from typing import Any

import polars as pl

from fhi.diagnostics import chi_square_p
from fhi.framework import Framework, Indicator, Judgement, Node


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
