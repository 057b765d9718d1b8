from pathlib import Path

import polars as pl
import pytest

from fhi.hubs import hubs
from green_index.errors import UnknownPrintedTable
from green_index.printed import PRINTED_TABLES, list_printed, printed_ranks, printed_table

ORIGINALS = {
    "rank_history": "rank_history",
    "hub_modes": "hub_modes",
    "fintech_plans": "fintech_plans",
    "firm_counts": "firm_counts",
    "development_paths": "paths",
    "policy_proposals": "policy_proposals",
    "application_scenarios": "scenarios",
    "other_indices": "other_indices",
}


@pytest.mark.parametrize(("ours", "theirs"), ORIGINALS.items())
def test_every_printed_row_is_here(reference: Path, ours: str, theirs: str) -> None:
    original = pl.read_csv(reference / "wuhan2021" / f"{theirs}.csv", infer_schema=False)
    table = printed_table(ours)
    assert table.height == original.height
    for column in original.columns:
        if column in table.columns:
            assert (
                table[column].cast(pl.String).to_list()
                == original[column].str.replace_all("|", "; ", literal=True).to_list()
            )


def test_places_among_our_hubs_carry_their_slug() -> None:
    names = dict(hubs().select("name_zh", "hub").iter_rows())
    for table in ("rank_history", "fintech_plans", "firm_counts"):
        for place, hub in printed_table(table).select("place_zh", "hub").iter_rows():
            assert hub == names.get(place), place


def test_the_list_names_every_table_and_its_source() -> None:
    listed = list_printed()
    assert listed["table"].to_list() == list(PRINTED_TABLES)
    assert listed.null_count().sum_horizontal()[0] == 0


def test_wuhans_printed_ranks() -> None:
    ranks = {(year, code): rank for year, code, rank, _ in printed_ranks("wuhan").iter_rows()}
    assert ranks == {
        (2017, "fintech"): 7,
        (2017, "industry"): 13,
        (2017, "experience"): 6,
        (2017, "ecosystem"): 7,
        (2018, "fintech"): 11,
        (2019, "fintech"): 9,
        (2019, "experience"): 6,
        (2019, "industry"): 16,
    }
    assert printed_ranks("lhasa").is_empty()


def test_an_unknown_table_names_the_known_ones() -> None:
    with pytest.raises(UnknownPrintedTable, match="rank_history"):
        printed_table("nothing")
