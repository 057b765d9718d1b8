from pathlib import Path

import polars as pl

from fhi.framework import load_framework
from fhi.hubs import hubs
from fhi.observations import doubts, mappings, measures, observations, open_panel, size_codes
from fhi.panel import check_panel

TREE = load_framework(Path("fhi/frameworks/fhi.toml"), Path("fhi/frameworks/fhi_judgements.toml"))


def test_every_hub_and_year_has_a_row() -> None:
    frame = observations()
    assert frame.height == 37 * len(range(2013, 2024))
    assert set(frame["hub"]) == set(hubs()["hub"])


def test_embedded_figures_are_the_published_ones(outside_data: Path) -> None:
    source = pl.read_csv(outside_data / "bundle" / "city_years.csv", infer_schema_length=None)
    names = measures()["measure"].to_list()
    theirs = source.select("hub", pl.col("year").cast(pl.String).alias("period"), pl.col(names).cast(pl.Float64))
    assert observations().select(theirs.columns).equals(theirs)


def test_what_is_unknown_stays_null() -> None:
    frame = observations()
    assert frame.filter(pl.col("period") == "2013")["dfi_investment"].null_count() == 37
    gaps = frame.filter(pl.col("house_price_cny_per_m2").is_null()).select("hub", "period")
    early = {("lhasa", "2013"), ("lhasa", "2014"), ("urumqi", "2013"), ("urumqi", "2014"), ("yinchuan", "2014")}
    late = {("shanghai", year) for year in ("2021", "2022", "2023")}
    assert set(gaps.iter_rows()) == early | late | {("xining", "2013"), ("xining", "2014")}


def test_every_column_names_its_publisher() -> None:
    table = measures()
    assert set(table["measure"]) == set(observations().columns) - {"hub", "period"}
    assert table["publisher"].null_count() == 0
    assert table["unit"].null_count() == 0
    assert table["name_zh"].null_count() == 0


def test_panel_fits_the_tree_and_keeps_gaps() -> None:
    panel = open_panel()
    assert check_panel(panel, TREE) == []
    cost = panel.filter(pl.col("code") == "ecosystem.business.cost")
    assert cost["value"].null_count() == observations()["house_price_cny_per_m2"].null_count()


def test_formulas() -> None:
    frame = observations().filter(pl.col("hub") == "wuhan", pl.col("period") == "2022").row(0, named=True)
    panel = open_panel().filter(pl.col("hub") == "wuhan", pl.col("period") == "2022")
    value = dict(panel.select("code", "value").iter_rows())
    assert value["ecosystem.business.finance"] == frame["loans_100m_cny"] + frame["deposits_100m_cny"]
    assert value["ecosystem.business.cost"] == frame["house_price_cny_per_m2"] / frame["gdp_per_capita_cny"]
    assert value["experience.payment.online_payment"] == frame["dfi_payment"]


def test_doubtful_figures_are_kept_and_say_so() -> None:
    row = open_panel().filter(
        pl.col("hub") == "haikou", pl.col("period") == "2017", pl.col("code") == "ecosystem.business.finance"
    )
    assert row["value"][0] == 7376.55 + 10016.62
    assert "doubtful: deposits_100m_cny suspected slip" in row["source"][0]
    assert "; loans_100m_cny suspected slip" in row["source"][0]
    assert set(doubts()["measure"]) <= set(measures()["measure"])


def test_mappings_point_to_nodes_and_measures() -> None:
    assert {entry.code for entry in mappings()} <= set(TREE.indicator)
    assert {name for entry in mappings() for name in entry.measures} <= set(measures()["measure"])
    assert all(entry.reason for entry in mappings())


def test_only_the_sum_of_loans_and_deposits_is_mere_size() -> None:
    assert size_codes() == {"ecosystem.business.finance"}
