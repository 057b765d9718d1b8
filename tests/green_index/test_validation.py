from pathlib import Path

import polars as pl
import pytest

from fhi.index import build_index
from fhi.observations import observations, open_panel, size_codes
from fhi.panel import PANEL_SCHEMA
from fhi.published import printed_totals, read_printed_ranks
from green_index.errors import UnknownPeriod
from green_index.index import RANKING, base_framework, green_panel
from green_index.validation import (
    ALL_EQUAL,
    FEWEST,
    LIST_SCHEMA,
    NO_FIGURES,
    NO_YEAR,
    TOO_FEW,
    Resampling,
    UnknownList,
    candidates,
    choose_lists,
    own_lists,
    printed_lists,
    validate,
)

FEW = Resampling(draws=200)


@pytest.fixture(scope="module")
def panel() -> pl.DataFrame:
    """Open and policy figures; no carbon market."""
    return green_panel("open", pl.DataFrame(schema=PANEL_SCHEMA))


@pytest.fixture(scope="module")
def printed(panel: pl.DataFrame) -> pl.DataFrame:
    return validate(printed_lists(), panel, FEW)


def _list(hub_standing: pl.DataFrame, year: int = 2017, dimension: str = "overall") -> pl.DataFrame:
    frame = hub_standing.with_columns(
        against=pl.lit("itself"), index=pl.lit("itself"), dimension=pl.lit(dimension), year=pl.lit(year)
    )
    return frame.select(LIST_SCHEMA.names()).cast(LIST_SCHEMA)


def _of(rows: pl.DataFrame, candidate: str, dimension: str = "overall") -> dict[str, object]:
    return rows.filter(pl.col("candidate") == candidate, pl.col("dimension") == dimension).row(0, named=True)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_measure_against_itself_agrees_wholly(panel: pl.DataFrame, sign: int) -> None:
    year = observations().filter(pl.col("period") == "2017")
    found = validate(_list(year.select("hub", standing=sign * pl.col("deposits_100m_cny"))), panel, FEW)
    row = _of(found, "deposits_100m_cny alone")
    assert (row["spearman"], row["kendall"], row["low"], row["high"]) == pytest.approx((sign,) * 4)
    assert row["p_value"] == 1 / 201
    if sign == 1:
        assert row["mean_shift"] == 0


def test_deposits_against_the_printed_totals_by_the_rank_formula(printed: pl.DataFrame) -> None:
    """1 - 6 sum d^2 / (n (n^2 - 1)) with the one tie of the printed totals at its mean rank, within the tie's reach."""
    year = observations().filter(pl.col("period") == "2017").join(printed_totals(), on="hub")
    ranks = year.select(a=pl.col("deposits_100m_cny").rank(), b=pl.col("total").rank())
    squares = ranks.select(((pl.col("a") - pl.col("b")) ** 2).sum()).item()
    by_formula = 1 - 6 * squares / (20 * (20**2 - 1))
    row = _of(printed, "deposits_100m_cny alone")
    assert row["spearman"] == pytest.approx(by_formula, abs=0.002)
    shift = ranks.select((pl.col("a") - pl.col("b")).abs().mean()).item()
    assert row["mean_shift"] == pytest.approx(shift)


def test_every_printed_order_that_we_hold_is_there(printed: pl.DataFrame, reference: Path) -> None:
    partial = pl.read_csv(reference / "fhi2017" / "published_partial_ranks.csv")["code"].to_list()
    lists = {row[:2] for row in printed.select("against", "dimension").iter_rows()}
    totals = ("overall", "industry", "experience", "ecosystem")
    assert {("FHI 2017 as printed", code) for code in (*partial, *totals)} <= lists
    assert {("FHI 2018 as printed", "overall"), ("GFHI 2021 as printed", "overall")} <= lists
    listed = dict(printed.filter(pl.col("against") == "FHI 2017 as printed").select("dimension", "listed").iter_rows())
    assert [listed[code] for code in totals] == [20] * 4
    orders = pl.read_csv(reference / "fhi2017" / "published_partial_ranks.csv").with_columns(
        n=pl.col("order_zh").str.split("|").list.len()
    )
    unordered = {"industry.p2p.firms": 3, "ecosystem.business.cost": 3}
    for code, n in orders.select("code", "n").iter_rows():
        assert listed[code] == n - unordered.get(code, 0), code


def test_the_open_base_is_the_base_tree_alone_with_and_without_size(panel: pl.DataFrame) -> None:
    ours = candidates(panel, [2017])
    for name, rows in (
        ("open base", open_panel()),
        ("open base without size measures", open_panel().filter(~pl.col("code").is_in(list(size_codes())))),
    ):
        scores = build_index(rows, base_framework("open"), RANKING).scores.filter(period="2017", code="fhi")
        mine = ours.filter(pl.col("candidate") == name).join(scores.select("hub", alone="score"), on="hub")
        assert mine.height == 37
        assert mine["score"].to_list() == pytest.approx(mine["alone"].to_list(), abs=1e-9)


def test_indices_come_first_then_groups_then_measures_by_strength(printed: pl.DataFrame) -> None:
    rows = printed.filter(pl.col("against") == "FHI 2017 as printed", pl.col("dimension") == "overall")
    assert rows["candidate"].to_list()[:4] == [
        "open base",
        "open base without size measures",
        "extended index",
        "extended index without size measures",
    ]
    assert {"industry", "experience", "ecosystem", "carbon_finance", "green_policy"} <= set(rows["code"].drop_nulls())
    alone = rows.filter(pl.col("code").is_null())["spearman"].to_list()
    assert alone == sorted(alone, reverse=True)
    assert set(rows["hubs"]) == {0, 20}
    sizes = dict(rows.select("candidate", "size").iter_rows())
    assert (sizes["ecosystem"], sizes["ecosystem without size measures"], sizes["experience"]) == (
        "with",
        "without",
        None,
    )
    assert (sizes["gdp_100m_cny alone"], sizes["gdp_per_capita_cny alone"]) == ("with", None)


def test_a_part_is_held_against_its_own_group_and_node(printed: pl.DataFrame) -> None:
    rows = printed.filter(pl.col("dimension") == "ecosystem.infrastructure.financial")
    codes = ["fintech", "fintech", "green", "green", "ecosystem", "ecosystem", "ecosystem.infrastructure.financial"]
    assert rows["code"].to_list() == codes
    assert rows["p_method"].unique().to_list() == ["exact"]
    assert rows["low"].null_count() == rows.height


def test_the_dearest_city_is_the_worst_one() -> None:
    lists = printed_lists().filter(pl.col("dimension") == "ecosystem.business.cost").drop_nulls("standing")
    standing = dict(lists.select("hub", "standing").iter_rows())
    assert standing["shenzhen"] < standing["shanghai"] < standing["beijing"]


def test_what_cannot_be_computed_is_null_with_the_reason(panel: pl.DataFrame, printed: pl.DataFrame) -> None:
    numbers = ["spearman", "kendall", "mean_shift", "p_value", "low", "high"]
    empty = printed.filter(pl.col("reason").is_not_null())
    assert all(empty[name].null_count() == empty.height for name in numbers)
    assert printed.filter(pl.col("spearman").is_null())["reason"].null_count() == 0
    assert _of(printed, "industry")["reason"] == NO_FIGURES
    (wuhan,) = printed.filter(pl.col("against") == "FHI 2018 as printed").iter_rows(named=True)
    assert (wuhan["candidate"], wuhan["listed"], wuhan["reason"]) == (None, 1, TOO_FEW)
    totals = printed_totals().select("hub", standing="total")
    (early,) = validate(_list(totals, year=1999), panel, FEW).iter_rows(named=True)
    assert (early["reason"], early["listed"]) == (NO_YEAR, 20)
    equal = validate(_list(totals.with_columns(standing=pl.lit(1.0))), panel, FEW)
    assert _of(equal, "open base")["reason"] == ALL_EQUAL
    four = validate(_list(totals.head(FEWEST - 1)), panel, FEW)
    assert four["reason"].to_list() == [TOO_FEW]


def test_a_year_without_open_figures_names_those_that_have_them(panel: pl.DataFrame) -> None:
    with pytest.raises(UnknownPeriod, match="2013 to 2023"):
        candidates(panel, [1999])


def test_lists_are_chosen_by_index_or_edition() -> None:
    lists = printed_lists()
    assert set(choose_lists(lists, "FHI")["against"]) == {f"FHI {year} as printed" for year in (2017, 2018, 2019)}
    assert set(choose_lists(lists, "FHI 2018")["against"]) == {"FHI 2018 as printed"}
    with pytest.raises(UnknownList, match="FHI 2017, FHI 2018, FHI 2019, GFHI 2021"):
        choose_lists(lists, "FHI 2020")


def test_a_users_file_is_held_against_our_figures_of_a_year(panel: pl.DataFrame, outside_data: Path) -> None:
    path = outside_data / "indices" / "city_index_ranks.csv"
    read = read_printed_ranks(path)
    found = validate(own_lists(read.rows, 2022), panel, FEW)
    total = _of(found.filter(pl.col("against") == "CFCI 14"), "open base")
    assert (total["hubs"], total["year"]) == (34, 2022)
    assert {"CFCI 13", "GFCI 38", "FIRE (CASS China fintech index) 2021"} <= set(found["against"])
    strength = found.filter(pl.col("dimension") == "institution strength")
    assert "deposits_100m_cny alone" in strength["candidate"].to_list()


def test_the_seed_makes_the_answer(panel: pl.DataFrame, printed: pl.DataFrame) -> None:
    lists = choose_lists(printed_lists(), "FHI 2017").filter(pl.col("dimension") == "overall")
    first = printed.filter(pl.col("against") == "FHI 2017 as printed", pl.col("dimension") == "overall")
    assert validate(lists, panel, FEW).equals(first)
    other = validate(lists, panel, Resampling(draws=200, seed=2))
    assert other["low"].to_list() != first["low"].to_list()
    assert other["spearman"].to_list() == first["spearman"].to_list()
