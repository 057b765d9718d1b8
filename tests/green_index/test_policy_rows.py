"""Figures of green_policy: what the paper names, what evidence makes, and what stays without a row."""

import polars as pl
import pytest

from fhi.framework import Framework
from fhi.index import build_index
from fhi.panel import PANEL_SCHEMA, check_panel
from green_index.bridge import CarbonFacts, carbon_panel
from green_index.index import RANKING, city_years, green_framework, green_panel
from green_index.policy import PROPOSAL_EVIDENCE
from green_index.policy_files import FIRM_SCHEMA
from green_index.policy_rows import MIN_KNOWN, plan_rows, policy_panel, proposal_rows, scenario_rows

YEARS = [str(year) for year in range(2013, 2024)]
UNDATED = ("beijing", "shanghai", "guangzhou", "hangzhou", "chongqing", "xiamen", "suzhou", "chengdu")


def plans() -> dict[tuple[str, str], float]:
    return {
        (hub, period): value for hub, period, value in plan_rows(YEARS).select("hub", "period", "value").iter_rows()
    }


def test_a_plan_counts_from_its_year_or_from_the_papers() -> None:
    found = plans()
    assert {period for hub, period in found if hub == "shenzhen"} == set(YEARS[YEARS.index("2017") :])
    for hub in UNDATED:
        assert {period for named, period in found if named == hub} == {"2021", "2022", "2023"}, hub
        assert found[hub, "2021"] == 1


def test_wuhan_had_none_up_to_the_papers_year_and_is_unknown_after_it() -> None:
    found = {period: value for (hub, period), value in plans().items() if hub == "wuhan"}
    assert found == dict.fromkeys(YEARS[: YEARS.index("2021") + 1], 0.0)


def test_a_province_and_cities_that_are_not_named_have_no_row() -> None:
    assert {hub for hub, _ in plans()} == {"wuhan", "shenzhen", *UNDATED}
    assert "changsha" not in {hub for hub, _ in plans()}


def known(*told: tuple[str, str], hub: str = "wuhan") -> pl.DataFrame:
    """Evidence of proposals 1, 2, ... in order: status, date."""
    rows = [(hub, n, status, "文", "x", date, "s", "test") for n, (status, date) in enumerate(told, 1)]
    return pl.DataFrame(rows, schema=PROPOSAL_EVIDENCE, orient="row")


def test_a_share_is_given_where_three_of_four_proposals_are_known() -> None:
    assert MIN_KNOWN == 16 * 3 / 4
    told = [*[("adopted", "2020")] * 5, *[("partly", "2020")] * 4, *[("adopted", "2021")] * 3]
    rows = proposal_rows(["2020", "2021", "2022"], known(*told))
    assert rows.select("period", "value").rows() == [("2021", 8 / 12), ("2022", 8 / 12)]
    assert "12 of 16 proposals known, 4 partly" in rows["source"][0]
    assert proposal_rows(YEARS, known(*told[:11])).is_empty()


def test_what_was_not_adopted_is_known_for_the_year_of_its_evidence_only() -> None:
    told = [*[("adopted", "2020")] * 11, ("not_adopted", "2021-05")]
    rows = proposal_rows(["2020", "2021", "2022"], known(*told))
    assert rows.select("period", "value").rows() == [("2021", 11 / 12)]


def test_scenarios_are_a_share_of_the_19_with_a_firm_for_hubs_and_years_with_a_list() -> None:
    firms = pl.DataFrame(
        [
            ("wuhan", 2022, "esg_analytics", "A", "list"),
            ("wuhan", 2022, "esg_analytics", "B", "list"),
            ("wuhan", 2022, "carbon_finance", "A", "list"),
            ("lhasa", 2022, None, None, "list"),
            ("wuhan", 1999, "insurtech", "C", "list"),
        ],
        schema=FIRM_SCHEMA,
        orient="row",
    )
    rows = scenario_rows(YEARS, firms)
    assert rows.select("hub", "period", "value").rows() == [("wuhan", "2022", 2 / 19), ("lhasa", "2022", 0.0)]
    assert rows["source"][0] == "list of 2 firms: list"


def test_the_embedded_rows_fit_the_tree() -> None:
    rows = policy_panel(YEARS)
    assert rows.schema == PANEL_SCHEMA
    assert check_panel(rows, green_framework("open")) == []
    # Wuhan's evidence knows too few proposals for a share, and no list of firms ships with the package.
    assert set(rows["code"]) == {"green_policy.plan"}


def test_policy_is_scored_apart_and_moves_no_total(carbon: CarbonFacts) -> None:
    tree: Framework = green_framework("open")
    rows = carbon_panel(carbon, city_years())
    with_policy = build_index(green_panel("open", rows), tree, RANKING).scores
    without = build_index(green_panel("open", rows, policy_panel([])), tree, RANKING).scores
    totals = [
        scores.filter(pl.col("code") == "green").select("hub", "period", "score") for scores in (with_policy, without)
    ]
    assert totals[0].equals(totals[1])
    policy = with_policy.filter(pl.col("code") == "green_policy", pl.col("score").is_not_null())
    # Nine hubs with a plan and Wuhan without one: scores 100 and 0; other years have fewer than MIN_HUBS, or ones only.
    assert policy["period"].unique().to_list() == ["2021"]
    assert policy.filter(hub="wuhan")["score"].to_list() == [0.0]
    assert policy.filter(pl.col("hub") != "wuhan")["score"].to_list() == [100.0] * 9


@pytest.mark.parametrize("base", ["open", "published"])
def test_policy_rows_reach_the_panel_of_either_base(carbon: CarbonFacts, base: str) -> None:
    panel = green_panel("open" if base == "open" else "published", carbon_panel(carbon, city_years()))
    periods = set(panel.filter(pl.col("code") == "green_policy.plan")["period"])
    assert periods == set(panel["period"])
