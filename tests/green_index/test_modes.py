import polars as pl
import pytest

from fhi.nodes import Indicator
from green_index.index import green_framework
from green_index.modes import AIF, LI_WEI, hub_modes, mode_rules, side_positions
from green_index.printed import printed_table

FINANCE = "ecosystem.business.finance"
INFORMATION = "ecosystem.infrastructure.information"
INCOME = "ecosystem.business.gdp_per_capita"


def inputs(rows: dict[str, dict[str, float]]) -> pl.DataFrame:
    flat = [(hub, "2022", code, score) for hub, codes in rows.items() for code, score in codes.items()]
    return pl.DataFrame(flat, schema=["hub", "period", "code", "normalised"], orient="row")


TABLE = inputs(
    {
        "shanghai": {FINANCE: 100.0, INFORMATION: 80.0, INCOME: 50.0},
        "shenzhen": {FINANCE: 90.0, INFORMATION: 100.0, INCOME: 100.0},
        "wuhan": {FINANCE: 50.0, INFORMATION: 40.0, INCOME: 50.0},
        "lhasa": {FINANCE: 0.0, INFORMATION: 0.0, INCOME: 0.0},
        "xining": {FINANCE: 10.0, INFORMATION: 10.0},
    }
)


def test_positions_are_the_share_of_other_hubs_that_score_lower() -> None:
    found = side_positions(TABLE, "2022").filter(pl.col("scheme") == LI_WEI)
    position = {(hub, side): place for hub, side, place in found.select("hub", "side", "position").iter_rows()}
    assert position["shanghai", "finance"] == 100.0
    assert position["wuhan", "finance"] == 50.0
    # Of income Shanghai and Wuhan tie above Lhasa and below Shenzhen: (1 + 1/2) of 3 others.
    assert position["wuhan", "ecosystem"] == pytest.approx(50.0)
    assert position["xining", "ecosystem"] is None
    assert position["wuhan", "regulation"] is None


def test_the_greater_of_two_strong_sides_comes_first_and_the_nearest_comparison_is_named() -> None:
    found = {row["hub"]: row for row in hub_modes(TABLE, "2022").filter(pl.col("scheme") == AIF).iter_rows(named=True)}
    # Shanghai: finance 100, technology 75; Shenzhen: 75 and 100; Wuhan: 50 and 50, a tie that finance has by order.
    assert found["shanghai"]["mode_en"] == "finance + technology driven"
    assert (found["shanghai"]["margin"], found["shanghai"]["decided_by_en"]) == (25.0, "finance > technology")
    assert found["shenzhen"]["mode_en"] == "technology + finance driven"
    assert found["shanghai"]["agrees"] is True
    assert found["shenzhen"]["agrees"] is True
    assert (found["wuhan"]["margin"], found["wuhan"]["agrees"]) == (0.0, None)
    assert found["lhasa"]["mode_en"] is None
    assert (found["lhasa"]["margin"], found["lhasa"]["decided_by_en"]) == (50.0, "technology >= 50")


def test_one_side_may_drive_and_sides_without_figures_are_named() -> None:
    found = {
        row["hub"]: row for row in hub_modes(TABLE, "2022").filter(pl.col("scheme") == LI_WEI).iter_rows(named=True)
    }
    assert found["shanghai"]["mode_en"] == "finance driven"
    assert (found["shanghai"]["margin"], found["shanghai"]["decided_by_en"]) == (25.0, "finance > technology")
    assert found["shanghai"]["unknown_sides"] == "regulation"
    assert found["xining"]["unknown_sides"] == "ecosystem; regulation"
    assert found["xining"]["mode_zh"] is None
    assert found["shanghai"]["decided_by_zh"] == "金融 > 科技"
    listed = mode_rules().filter(pl.col("scheme") == LI_WEI).height
    assert found["shanghai"]["coverage"] == pytest.approx(3 / listed)


def test_a_printed_example_that_comes_out_otherwise_is_said_to_disagree() -> None:
    turned = inputs({"shanghai": {FINANCE: 50.0, INFORMATION: 100.0}, "wuhan": {FINANCE: 60.0, INFORMATION: 0.0}})
    found = hub_modes(turned, "2022").filter(pl.col("hub") == "shanghai", pl.col("scheme") == AIF).row(0, named=True)
    assert found["printed_mode_en"] == "finance + technology driven"
    assert (found["mode_en"], found["agrees"]) == (None, False)


def test_no_figures_no_modes() -> None:
    assert hub_modes(TABLE, "1999").is_empty()


def test_rules_name_indicators_of_the_tree_and_schemes_that_are_printed() -> None:
    tree = green_framework("open")
    for code in mode_rules()["code"]:
        assert isinstance(tree.node[code], Indicator), code
    assert set(mode_rules()["scheme"]) == set(printed_table("hub_modes")["scheme"])
