import polars as pl
import pytest

from green_index.bridge import CarbonFacts, carbon_panel
from green_index.errors import UnknownBase
from green_index.index import RANKING, as_base, build_green_index, city_years, green_framework, green_panel


def weight(base: str, code: str, carbon: CarbonFacts) -> float:
    result = build_green_index(as_base(base), carbon_panel(carbon, city_years()))
    return float(result.index.weights.filter(pl.col("code") == code)["weight"][0])


def test_root_judgement_is_the_stated_one(carbon: CarbonFacts) -> None:
    """Eigenvector of 1, 2, 3 / 1/2, 1, 2 / 1/3, 1/2, 1: for n = 3 it equals the normalised geometric row means."""
    rows = [(1 * 2 * 3) ** (1 / 3), (1 / 2 * 1 * 2) ** (1 / 3), (1 / 3 * 1 / 2 * 1) ** (1 / 3)]
    codes = ("fintech", "carbon_finance", "sustainability_data")
    assert [weight("open", code, carbon) for code in codes] == pytest.approx([row / sum(rows) for row in rows])
    assert weight("open", "green_policy", carbon) == 0


def test_the_base_tree_hangs_below_fintech() -> None:
    assert green_framework("open").children["fintech"] == ("industry", "experience", "ecosystem")
    assert green_framework("published").children["fintech"] == ("fhi.printed_total",)


def test_every_indicator_of_the_added_groups_says_what_null_and_zero_mean() -> None:
    for code, indicator in green_framework("published").indicator.items():
        texts = (indicator.definition, indicator.definition_zh, indicator.null_means, indicator.zero_means)
        assert all(texts), code


def test_printed_totals_count_as_printed(carbon: CarbonFacts) -> None:
    result = build_green_index("published", carbon_panel(carbon, city_years()))
    fintech = result.index.scores.filter(pl.col("code") == "fintech", pl.col("period") == "2017")
    assert fintech.filter(pl.col("hub") == "wuhan")["score"].to_list() == [47.2]
    assert fintech["score"].drop_nulls().len() == 20


def test_years_that_carry_the_printed_total_forward_say_so(carbon: CarbonFacts) -> None:
    result = build_green_index("published", carbon_panel(carbon, city_years()))
    (note,) = (note for note in result.notes if note.code == "carried_forward")
    assert note.subject == "fhi.printed_total"
    assert note.periods == ("2018", "2019", "2020", "2021", "2022", "2023")
    assert not note.holds_for("2017")


def test_a_city_without_printed_total_is_not_ranked(carbon: CarbonFacts) -> None:
    result = build_green_index("published", carbon_panel(carbon, city_years()))
    row = result.index.scores.filter(
        pl.col("code") == "green", pl.col("period") == "2017", pl.col("hub") == "suzhou"
    ).row(0, named=True)
    assert (row["rank"], row["score"], row["reason"]) == (None, None, "below_min_share")


def test_published_base_has_no_year_before_it_was_printed(carbon: CarbonFacts) -> None:
    panel = green_panel("published", carbon_panel(carbon, city_years()))
    assert panel["period"].min() == "2017"


def test_same_inputs_same_bytes(carbon: CarbonFacts) -> None:
    rows = carbon_panel(carbon, city_years())
    first, second = (build_green_index("open", table, RANKING).index for table in (rows, rows.reverse()))
    assert first.provenance == second.provenance
    assert first.scores.equals(second.scores)


def test_unknown_base_names_the_known_ones() -> None:
    with pytest.raises(UnknownBase, match="open, published"):
        as_base("printed")
