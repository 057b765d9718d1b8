"""A framework as flat rows, for readers and programs: what each node means and how it is weighed.

Knows frameworks and weight tables. Knows no figures and no hubs.
"""

import polars as pl

from fhi.framework import Framework, Indicator


def node_rows(framework: Framework, weights: pl.DataFrame) -> pl.DataFrame:
    """The whole tree as flat rows, for readers and programs: one row a node with definition, weight and judgement.

    weights: fhi.weigh.WEIGHT_SCHEMA of a result on this framework.
    """
    rows = []
    for code, node in framework.node.items():
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
        "code", "weight", weight_method="method", weight_assumed="assumed", consistency_ratio="consistency_ratio"
    )
    return pl.DataFrame(rows, infer_schema_length=None).join(stated, on="code", how="left", maintain_order="left")
