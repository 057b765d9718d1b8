from pathlib import Path

import polars as pl
import pytest

from fhi.describe import node_rows, recipe_rows
from fhi.framework import load_framework
from fhi.index import build_index
from fhi.observations import open_panel
from fhi.recipe import Recipe

TREE = load_framework(Path("fhi/frameworks/fhi.toml"), Path("fhi/frameworks/fhi_judgements.toml"))


def test_one_row_a_node_with_meaning_and_weight() -> None:
    rows = node_rows(TREE, build_index(open_panel(), TREE, Recipe()).weights, "mine")
    assert set(rows["code"]) == set(TREE.node)
    assert set(rows["framework"]) == {"mine"}
    assert rows.height == len(TREE.node)
    assert rows["code"].to_list()[:4] == ["fhi", "industry", "industry.p2p", "industry.p2p.firms"]
    indicators = rows.filter(pl.col("kind") == "indicator")
    texts = ("unit", "unit_zh", "definition_zh", "definition_en", "null_means_zh", "zero_means_en", "source")
    for name in ("direction", *texts):
        assert indicators[name].null_count() == 0, name
        assert (indicators[name].cast(pl.String) != "").all(), name
    weight = dict(rows.select("code", "weight").iter_rows())
    assert [weight[code] for code in ("industry", "experience", "ecosystem")] == pytest.approx([0.4, 0.2, 0.4])
    assert weight["fhi"] is None
    root = rows.filter(pl.col("code") == "fhi").row(0, named=True)
    assert root["judgement_rule"] == "ratio"
    assert root["judgement_reason_zh"]


def test_every_option_of_a_recipe_is_told_with_its_default_and_what_it_may_be() -> None:
    table = recipe_rows()
    rows = {(row["step"], row["option"]): row for row in table.iter_rows(named=True)}
    assert rows["normalise", "upper"]["default"] == "100.0"
    assert "zscore" in rows["normalise", "method"]["values"]
    assert rows["weights", "by_level"]["values"].startswith("table: a level (0 is the total) = framework, given")
    assert rows["treat", "by_indicator"]["values"] == "table: a name = table of method, points"
    assert rows["screen", "keep"]["values"] == "list of text"
    assert rows["impute", "group"]["default"] is None
    assert all(step_means for step_means in table["step_means"])
