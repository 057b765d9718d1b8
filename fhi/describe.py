"""A framework as flat rows, for readers and programs: what each node means and how it is weighed.

Knows frameworks and weight tables. Knows no figures and no hubs.
"""

import polars as pl

from fhi.diagnostics import chi_square_p
from fhi.framework import Framework, Indicator


def node_rows(framework: Framework, weights: pl.DataFrame) -> pl.DataFrame:
    """The whole tree as flat rows, children below their parent: one row a node with definition, weight and judgement.

    weights: fhi.weigh.WEIGHT_SCHEMA of a result on this framework.
    """
    rows = []
    for code in _depth_first(framework, framework.root):
        node = framework.node[code]
        judgement = framework.judgement.get(code)
        rows.append(
            {
                "framework": framework.id,
                "code": code,
                "parent": node.parent,
                "level": framework.level[code],
                "kind": "indicator" if isinstance(node, Indicator) else "group",
                "name_zh": node.name_zh,
                "name_en": node.name_en,
                "direction": node.direction if isinstance(node, Indicator) else None,
                "unit": node.unit if isinstance(node, Indicator) else None,
                "transform": node.transform if isinstance(node, Indicator) else None,
                "definition_zh": getattr(node, "definition_zh", ""),
                "definition_en": getattr(node, "definition", ""),
                "null_means": node.null_means if isinstance(node, Indicator) else None,
                "zero_means": node.zero_means if isinstance(node, Indicator) else None,
                "source": node.source if isinstance(node, Indicator) else None,
                "judgement_rule": judgement.rule if judgement else None,
                "judged_by": judgement.who if judgement else None,
                "judged_when": judgement.when if judgement else None,
                "judgement_reason": judgement.reason if judgement else None,
            }
        )
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


def _depth_first(framework: Framework, code: str) -> list[str]:
    below = framework.children.get(code, ())
    return [code, *(node for child in below for node in _depth_first(framework, child))]


def _sphericity_p(test: dict[str, float]) -> float | None:
    if test["bartlett_chi_square"] is None:
        return None
    return chi_square_p(test["bartlett_chi_square"], int(test["bartlett_df"]))
