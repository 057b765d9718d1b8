"""Who judged the groups of a tree, in words: rule, person, date, consistency, reason.

Knows rows of a framework (`fhi.describe.node_rows`) and their texts. Computes nothing.
"""

from typing import TYPE_CHECKING

from api.lang import Lang, texts

if TYPE_CHECKING:
    import polars as pl


def judgement_lines(rows: "pl.DataFrame", lang: Lang) -> list[str]:
    """One line a judged group: its name, the rule, who judged and when, whether that is assumed, the consistency ratio
    where the rule has one, and the reason."""
    import polars as pl

    said = texts("analyses", lang)
    of_children = rows.drop_nulls("parent").group_by("parent", maintain_order=True)
    facts = of_children.agg(pl.col("consistency_ratio", "random_index", "weight_assumed").drop_nulls().first())
    judged = rows.drop_nulls("judgement_rule").select(
        "code", f"name_{lang}", "judgement_rule", "judged_by", "judged_when", f"judgement_reason_{lang}"
    )
    lines = []
    for row in judged.join(facts, left_on="code", right_on="parent", how="left", maintain_order="left").iter_rows(
        named=True
    ):
        ratio = row["consistency_ratio"]
        parts = [
            said["judgement_rule"].format(rule=row["judgement_rule"]),
            said["judgement_by"].format(who=row["judged_by"], when=row["judged_when"] or said["judgement_undated"]),
            said["judgement_assumed"] if row["weight_assumed"] else "",
            "" if ratio is None else said["judgement_ratio"].format(ratio=ratio, index=row["random_index"]),
            row[f"judgement_reason_{lang}"] or "",
        ]
        listing = said["judgement_comma"].join(part for part in parts if part)
        lines.append(said["judgement_line"].format(group=row[f"name_{lang}"], parts=listing))
    return [said["judgements"], *lines] if lines else []
