from pathlib import Path

import polars as pl

from fhi.hubs import hubs
from fhi.published import printed_facts, printed_panel, printed_partial_ranks, printed_totals


def test_printed_totals_are_the_printed_ones(reference: Path) -> None:
    printed = pl.read_csv(reference / "fhi2017" / "published_scores.csv")
    named = printed.join(hubs().select("hub", "name_zh"), left_on="city_zh", right_on="name_zh", maintain_order="left")
    assert named.select(printed_totals().columns).equals(printed_totals())


def test_partial_ranks_and_facts_are_all_there(reference: Path) -> None:
    partial = pl.read_csv(reference / "fhi2017" / "published_partial_ranks.csv")
    assert printed_partial_ranks()["code"].to_list() == partial["code"].to_list()
    assert printed_partial_ranks()["hubs_in_order"].list.explode().is_in(hubs()["hub"].to_list()).all()
    facts = pl.read_csv(reference / "fhi2017" / "published_facts.csv")
    assert printed_facts()["value"].to_list() == facts["value"].to_list()


def test_later_years_carry_the_printed_total_forward_and_earlier_ones_have_none() -> None:
    panel = printed_panel(["2016", "2017", "2022"])
    assert set(panel["period"]) == {"2017", "2022"}
    assert set(panel.filter(pl.col("period") == "2017")["status"]) == {"observed"}
    assert set(panel.filter(pl.col("period") == "2022")["status"]) == {"carried_forward"}
    wuhan = panel.filter(pl.col("hub") == "wuhan")
    assert wuhan["value"].to_list() == [47.2, 47.2]
