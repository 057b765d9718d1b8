"""The scorecard of proposals and the tracker of stages: what is printed, what is known, and what stays unknown."""

from importlib.resources import as_file, files
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhi.hubs import hubs
from green_index.policy import (
    AREA_SCHEMA,
    PROPOSAL_EVIDENCE,
    PROPOSAL_SCHEMA,
    STAGE_SCHEMA,
    STATUSES,
    area_shares,
    every_hub,
    evidence_sources,
    merge_evidence,
    proposal_evidence,
    proposals,
    scorecard,
    stage_evidence,
    stage_tracker,
    stages,
)
from green_index.policy_files import read_evidence

AREAS = {"data": 3, "startups": 3, "clients": 3, "capital": 3, "ecosystem": 4}


def evidence(*rows: tuple[str, int, str, str]) -> pl.DataFrame:
    """Evidence of proposals: hub, proposal, status, date."""
    full = [(hub, number, status, "文", "text", date, "someone", "test") for hub, number, status, date in rows]
    return pl.DataFrame(full, schema=PROPOSAL_EVIDENCE, orient="row")


def test_the_16_proposals_and_24_steps_are_the_printed_ones(reference: Path) -> None:
    printed = pl.read_csv(reference / "wuhan2021" / "policy_proposals.csv")
    assert proposals().select("area", "proposal", "proposal_zh").rows() == (
        printed.select("area_code", "proposal_code", "proposal_zh").rows()
    )
    paths = pl.read_csv(reference / "wuhan2021" / "paths.csv")
    assert stages().select("path", "step", "stage_zh", "stage_en").rows() == (
        paths.select("path", "step", "stage_zh", "stage_en").rows()
    )


def test_a_city_that_no_evidence_speaks_of_is_unknown_throughout() -> None:
    card = scorecard(proposal_evidence(), ["lhasa"])
    assert card.schema == PROPOSAL_SCHEMA
    assert card["proposal"].to_list() == list(range(1, 17))
    assert set(card["status"]) == {"unknown"}
    assert card.select("evidence_en", "date", "source").null_count().row(0) == (16, 16, 16)
    shares = area_shares(card)
    assert dict(shares.select("area", "proposals").iter_rows()) == {**AREAS, "all": 16}
    assert shares.select("share_low", "share_high", "known_share").unique().rows() == [(0.0, 1.0, 0.0)]
    assert set(stage_tracker(stage_evidence(), ["lhasa"])["status"]) == {"unknown"}


def test_adopted_and_unknown_bound_the_share_and_partly_counts_for_neither() -> None:
    known = evidence(
        ("wuhan", 1, "adopted", "2020"), ("wuhan", 2, "partly", "2021-03"), ("wuhan", 4, "not_adopted", "2021-03-01")
    )
    rows = {row["area"]: row for row in area_shares(scorecard(known, ["wuhan"])).iter_rows(named=True)}
    data = rows["data"]
    assert [data[status] for status in STATUSES] == [1, 1, 0, 1]
    assert (data["share_low"], data["share_high"]) == (1 / 3, (1 + 1) / 3)
    assert data["known_share"] == pytest.approx(2 / 3)
    total = rows["all"]
    assert [total[status] for status in STATUSES] == [1, 1, 1, 13]
    assert (total["share_low"], total["share_high"], total["known_share"]) == (1 / 16, 14 / 16, 3 / 16)


def test_the_latest_evidence_stands_and_none_from_after_the_year() -> None:
    known = evidence(("wuhan", 5, "not_adopted", "2019"), ("wuhan", 5, "adopted", "2022-06"))
    told = {
        year: scorecard(known, ["wuhan"], year).filter(proposal=5).select("status", "date").row(0)
        for year in (2018, 2019, 2021, 2022, None)
    }
    assert told[2018] == ("unknown", None)
    assert told[2019] == told[2021] == ("not_adopted", "2019")
    assert told[2022] == told[None] == ("adopted", "2022-06")


def test_wuhans_first_stage_was_not_begun_when_the_paper_was_printed_and_is_under_way_since() -> None:
    told = [
        stage_tracker(stage_evidence(), ["wuhan"], year).filter(path="wuhan", step=1)["status"][0]
        for year in (2020, 2021, 2022)
    ]
    assert told == ["unknown", "not_begun", "under_way"]


def test_own_evidence_takes_the_place_of_ours_item_by_item() -> None:
    ours = evidence(("wuhan", 1, "partly", "2020"), ("wuhan", 1, "adopted", "2022"), ("wuhan", 2, "partly", "2020"))
    theirs = evidence(("wuhan", 1, "not_adopted", "2019"), ("beijing", 1, "adopted", "2021"))
    merged = scorecard(merge_evidence(ours, theirs), ["wuhan", "beijing"])
    told = {(hub, number): status for hub, number, status in merged.select("hub", "proposal", "status").iter_rows()}
    assert told["wuhan", 1] == "not_adopted"
    assert told["wuhan", 2] == "partly"
    assert told["beijing", 1] == "adopted"


@pytest.mark.parametrize("name", ["policy_evidence", "path_evidence"])
def test_the_embedded_evidence_passes_the_check_of_a_users_own(name: str) -> None:
    with as_file(files("green_index").joinpath("data", f"{name}.csv")) as path:
        own = read_evidence([path])
    rows, ours = (own.proposals, proposal_evidence()) if name == "policy_evidence" else (own.stages, stage_evidence())
    assert rows.drop("origin").equals(ours.drop("origin"))
    assert set(ours["hub"]) == {"wuhan"}
    assert "unknown" not in set(ours["status"])
    assert set(ours["source"]) <= set(evidence_sources()["publisher"])


def test_every_hub_has_every_item_in_order() -> None:
    assert every_hub() == hubs()["hub"].to_list()
    card = scorecard(proposal_evidence(), every_hub())
    assert card["hub"].unique(maintain_order=True).to_list() == every_hub()
    assert card.height == 37 * 16
    tracker = stage_tracker(stage_evidence(), every_hub())
    assert (tracker.schema, tracker.height) == (STAGE_SCHEMA, 37 * 24)


statuses = st.lists(st.sampled_from(STATUSES), min_size=16, max_size=16)


@given(statuses)
def test_areas_add_up_and_bounds_hold_every_way_that_unknown_ones_may_turn_out(told: list[str]) -> None:
    rows = evidence(*(("wuhan", number, status, "2020") for number, status in enumerate(told, 1)))
    shares = area_shares(scorecard(rows, ["wuhan"]))
    assert shares.schema == AREA_SCHEMA
    counts = shares.select("proposals", *STATUSES)
    assert counts.filter(shares["area"] != "all").sum().row(0) == counts.filter(shares["area"] == "all").row(0)
    assert (counts.select(pl.sum_horizontal(STATUSES)).to_series() == counts["proposals"]).all()
    total = shares.filter(area="all").row(0, named=True)
    worst = sum(status == "adopted" for status in told) / 16
    best = sum(status in ("adopted", "unknown") for status in told) / 16
    assert (total["share_low"], total["share_high"]) == (worst, best)


@given(statuses, st.integers(0, 15), st.sampled_from(STATUSES[:3]))
def test_more_evidence_never_widens_the_bounds(told: list[str], place: int, status: str) -> None:
    before = [*told[:place], "unknown", *told[place + 1 :]]
    after = [*told[:place], status, *told[place + 1 :]]
    widths = []
    for listed in (before, after):
        rows = evidence(*(("wuhan", number, entry, "2020") for number, entry in enumerate(listed, 1)))
        total = area_shares(scorecard(rows, ["wuhan"])).filter(area="all").row(0, named=True)
        widths.append((total["share_low"], total["share_high"]))
    assert widths[0][0] <= widths[1][0] <= widths[1][1] <= widths[0][1]
    assert widths[1][1] - widths[1][0] == pytest.approx(widths[0][1] - widths[0][0] - 1 / 16)
