"""Every kind on a few rows, by arithmetic."""

from pathlib import Path

import polars as pl
import pytest

from fhi.framework import load_framework
from fhi.microdata.build import BUILDERS, COMBINED, UNBUILT, MicrodataResult, build_microdata, join_results
from fhi.observations import observations
from fhi.panel import PANEL_SCHEMA, check_panel

TREE = load_framework(Path("fhi/frameworks/fhi.toml"), Path("fhi/frameworks/fhi_judgements.toml"))


def write(folder: Path, header: str, *lines: str, name: str = "given.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def values(frame: pl.DataFrame) -> dict[tuple[str, str, str], float | None]:
    return {(row["hub"], row["period"], row["code"]): row["value"] for row in frame.iter_rows(named=True)}


def value_of(result: MicrodataResult, hub: str, code: str, period: str = "2017") -> float | None:
    return (values(result.panel) | values(result.parts))[hub, period, code]


def row_of(frame: pl.DataFrame, hub: str, code: str) -> dict[str, object]:
    return frame.row(by_predicate=(pl.col("hub") == hub) & (pl.col("code") == code), named=True)


def residents(hub: str, year: str) -> float:
    frame = observations().filter(pl.col("hub") == hub, pl.col("period") == year)
    return float(frame["population_10k"][0]) * 10_000


def test_every_node_of_the_tree_is_built_or_said_not_to_be() -> None:
    built = [code for builder in BUILDERS.values() for code in builder.codes]
    assert sorted([*built, *COMBINED, *UNBUILT]) == sorted(TREE.indicator)


FIRMS = "name,sector,city,operating,registered_capital_cny,founded"


def test_firms_are_counted_by_name_while_they_operate(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        FIRMS,
        "甲,p2p,武汉,是,,2014",
        "甲,网贷,武汉市,是,,2014",
        "乙,p2p,武汉,停业,,2014",
        "丙,p2p,武汉,是,,2018",
        "丁,第三方支付,武汉,yes,100000000,2011",
        "戊,支付,武汉,yes,50000000.5,",
        "己,支付,北京,yes,,",
    )
    result = build_microdata("firms", [path], period="2017")
    assert values(result.panel) == {
        ("beijing", "2017", "industry.payment.firms"): 1,
        ("wuhan", "2017", "industry.p2p.firms"): 1,
        ("wuhan", "2017", "industry.payment.firms"): 2,
    }
    assert value_of(result, "wuhan", "industry.payment.capital.registered") == 100_000_000 + 50_000_000.5
    assert value_of(result, "beijing", "industry.payment.capital.registered") is None
    assert check_panel(result.panel, TREE) == []


def test_a_complete_list_makes_true_zeros_of_what_it_lacks(tmp_path: Path) -> None:
    path = write(tmp_path, FIRMS, "甲,p2p,武汉,是,,2014")
    result = build_microdata("firms", [path], period="2017", complete=True)
    found = values(result.panel)
    assert len(found) == 37
    assert found["wuhan", "2017", "industry.p2p.firms"] == 1
    assert sum(value or 0 for value in found.values()) == 1
    assert "industry.payment.firms" not in {code for _, _, code in found}


DEALS = "sector,city,date,amount_cny,round"


def test_deals_are_summed_a_period_and_undisclosed_ones_make_an_estimate(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        DEALS,
        "区块链,杭州,2017-01-05,1000000.10,A",
        "区块链,杭州,2017-03-31,2000000.20,B",
        "区块链,杭州,2017-04-01,未披露,B",
        "区块链,上海,2017-04-01,,B",
        "区块链,上海,2016-12-31,5,B",
    )
    year = build_microdata("deals", [path])
    code = "industry.blockchain.capital"
    assert values(year.panel) == {
        ("hangzhou", "2017", code): 3000000.30,
        ("shanghai", "2016", code): 5,
        ("shanghai", "2017", code): None,
    }
    assert row_of(year.panel.filter(period="2017"), "hangzhou", code)["status"] == "estimated"
    assert row_of(year.panel.filter(period="2016"), "shanghai", code)["status"] == "observed"
    assert value_of(year, "hangzhou", f"{code}.deals") == 3
    quarters = build_microdata("deals", [path], by="quarter")
    assert value_of(quarters, "hangzhou", code, "2017-Q1") == 3000000.30
    assert value_of(quarters, "hangzhou", code, "2017-Q2") is None
    months = build_microdata("deals", [path], by="month")
    assert value_of(months, "hangzhou", code, "2017-01") == 1000000.10


def test_capital_of_licensed_industries_needs_both_parts(tmp_path: Path) -> None:
    firms = write(tmp_path, FIRMS, "甲,支付,武汉,是,700,", "乙,支付,上海,是,300,", name="firms.csv")
    deals = write(tmp_path, DEALS, "支付,武汉,2017-01-01,50,A", name="deals.csv")
    registered = build_microdata("firms", [firms], period="2017")
    venture = build_microdata("deals", [deals])
    assert venture.panel.height == 0
    panel = join_results([registered, venture])
    code = "industry.payment.capital"
    assert row_of(panel, "wuhan", code)["value"] == 700 + 50
    assert row_of(panel, "wuhan", code)["status"] == "estimated"
    assert row_of(panel, "shanghai", code)["value"] is None
    assert "not given" in str(row_of(panel, "shanghai", code)["source"])
    assert check_panel(panel, TREE) == []
    complete = join_results([registered, build_microdata("deals", [deals], complete=True)])
    assert row_of(complete, "shanghai", code)["value"] == 300


JOBS = "sector,city,date,salary_cny_per_month,degree"


def test_talent_is_the_mean_of_two_scores_over_the_hubs_of_a_period(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        JOBS,
        "p2p,上海,2017-01-01,9000-11000,硕士",
        "p2p,上海,2017-01-01,20000,本科",
        "p2p,武汉,2017-01-01,6000,博士",
        "p2p,武汉,2017-01-01,,不限",
        "p2p,武汉,2017-01-01,,",
        "p2p,武汉,2017-01-01,,硕士",
        "p2p,北京,2017-01-01,12000,本科",
        "众筹,北京,2017-01-01,12000,本科",
    )
    result = build_microdata("jobs", [path])
    salary = {"shanghai": (10000 + 20000) / 2, "wuhan": 6000, "beijing": 12000}
    share = {"shanghai": 1 / 2, "wuhan": 2 / 3, "beijing": 0}
    for hub in salary:
        scores = (salary[hub] - 6000) / (15000 - 6000) * 100, share[hub] / (2 / 3) * 100
        assert value_of(result, hub, "industry.p2p.talent") == pytest.approx(sum(scores) / 2, rel=1e-15)
        assert value_of(result, hub, "industry.p2p.talent.salary") == salary[hub]
        assert value_of(result, hub, "industry.p2p.talent.masters") == share[hub]
    assert value_of(result, "wuhan", "industry.p2p.talent.ads") == 4
    assert value_of(result, "beijing", "industry.crowdfunding.talent") is None
    assert set(result.panel["status"]) == {"estimated"}
    assert result.panel["source"].str.contains("assumed").all()


PROJECTS = "platform_kind,platform_city,borrower_city,date,amount_cny"


def test_projects_count_where_the_platform_sits_and_where_the_borrower_lives(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        PROJECTS,
        "p2p,北京,武汉,2017-01-01,100000",
        "p2p,北京,武汉,2017-01-01,50000",
        "p2p,武汉,宜昌,2017-01-01,30000",
        "p2p,宜昌,成都,2017-01-01,20000",
        "p2p,宜昌,襄阳,2017-01-01,10000",
        "众筹,北京,,2017-01-01,7",
    )
    result = build_microdata("projects", [path])
    lending = "experience.p2p.online_lending"
    assert values(result.panel) == {
        ("beijing", "2017", "industry.p2p.volume"): 150000,
        ("wuhan", "2017", "industry.p2p.volume"): 30000,
        ("beijing", "2017", "industry.crowdfunding.volume"): 7,
        ("wuhan", "2017", lending): 150000 / residents("wuhan", "2017"),
        ("chengdu", "2017", lending): 20000 / residents("chengdu", "2017"),
    }
    assert value_of(result, "wuhan", f"{lending}.number") == 2
    assert value_of(result, "wuhan", f"{lending}.mean_size") == 75000
    assert (result.counts.rows, result.counts.good, result.counts.unknown_city) == (6, 5, 1)
    listed = result.unknown_cities.select("column", "name", "rows").rows()
    assert listed == [("platform_city", "宜昌", 2), ("borrower_city", "宜昌", 1), ("borrower_city", "襄阳", 1)]


def test_services_are_distinct_in_an_app_and_added_over_apps(tmp_path: Path) -> None:
    lines = ["深圳,支付宝,社保", "深圳,alipay,社保", "深圳,微信,社保", "深圳,微信, 公积金 ", "武汉,微信,公积金"]
    result = build_microdata("services", [write(tmp_path, "city,app,service", *lines)], period="2017")
    code = "experience.payment.online_payment"
    assert values(result.panel) == {("shenzhen", "2017", code): 3, ("wuhan", "2017", code): 1}
    assert value_of(result, "shenzhen", f"{code}.wechat") == 2


def test_credit_penetration_as_the_report_printed_it(tmp_path: Path) -> None:
    """Section 05: 58.94 x 10^4 users are 6.54 % of the residents of Hangzhou, who were 901.8 x 10^4 at the end of
    2015 as then published; a census has raised the figure since, so the open one gives less."""
    lines = ["杭州,589400,9018000", "武汉,1000,10000", "上海,1,", "上海,2,", "北京,969700,", "杭州市西湖区,5,"]
    result = build_microdata("credit_users", [write(tmp_path, "city,users,population", *lines)], period="2015")
    code = "experience.credit.penetration"
    share = value_of(result, "hangzhou", code, "2015")
    assert share == 589400 / 9018000
    assert round(share * 100, 2) == 6.54
    assert value_of(result, "beijing", code, "2015") == 969700 / residents("beijing", "2015")
    assert value_of(result, "wuhan", code, "2015") == 0.1
    assert value_of(result, "shanghai", code, "2015") is None
    assert "twice" in str(row_of(result.panel, "shanghai", code)["source"])
    assert result.unknown_cities.row(0, named=True) == {
        "column": "city", "name": "杭州市西湖区", "rows": 1, "reason": "part_of_city", "suggestion": "hangzhou",
    }  # fmt: skip


def test_no_population_no_share(tmp_path: Path) -> None:
    result = build_microdata("credit_users", [write(tmp_path, "city,users", "杭州,5")], period="1999")
    assert result.panel["value"].to_list() == [None]


def test_a_survey_weighs_questions_alike_and_needs_them_all(tmp_path: Path) -> None:
    lines = ["上海,区块链,4", "上海,区块链,5", "上海,比特币,1", "武汉,区块链,3"]
    result = build_microdata("survey", [write(tmp_path, "city,question,score", *lines)], period="2017")
    code = "experience.blockchain.familiarity"
    assert values(result.panel) == {("shanghai", "2017", code): (4.5 + 1) / 2, ("wuhan", "2017", code): None}
    assert value_of(result, "wuhan", f"{code}.blockchain") == 3


def test_searches_a_week_do_not_fall_with_missing_days(tmp_path: Path) -> None:
    lines = [f"北京,2017-01-0{day},金融科技,10,1" for day in (1, 2, 3)]
    lines += ["北京,2017-01-02,Fintech,21,7", "武汉,2017-01-02,金融科技,7,"]
    result = build_microdata("searches", [write(tmp_path, "city,date,term,index,days", *lines)])
    code = "ecosystem.attention.search"
    assert values(result.panel) == {("beijing", "2017", code): 30 / 3 * 7 + 21 / 7 * 7, ("wuhan", "2017", code): None}
    assert value_of(result, "wuhan", f"{code}.fintech_zh") == 49


YEARBOOK = "city,year,item,value,unit"


def test_yearbook_rows_become_nodes_by_the_table(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        YEARBOOK,
        "武汉,2017,人均GDP,123831,元",
        "武汉,2017,金融业增加值,1000,亿元",
        "武汉,2017,房价,12000,元/平方米",
        "武汉,2017,居民人均可支配收入,4,万元",
        "武汉,2017,金融机构网点数,2178,个",
        "武汉,2017,常住人口,1089,万人",
        "武汉,2017,移动电话用户数,1600,万户",
        "武汉,2017,互联网宽带接入用户数,578,万户",
        "武汉,2017,普通高等学校数,84,所",
        "武汉,2017,金融科技研究机构数,3,家",
        "武汉,2017,在校大学生数,108.9,万人",
        "武汉,2017,科学技术支出,100,亿元",
        "武汉市,2017年,科学技术支出,1000000,万元",
        "武汉,2017,国家级科技企业孵化器场地总面积,200,万平方米",
        "武汉,2017,监管机构数,2,个",
        "武汉,2017,自律协会数,1,个",
        "武汉,2017,高新技术产业增加值,2500,亿元",
    )
    result = build_microdata("yearbook", [path])
    found = {code: value for (_, _, code), value in values(result.panel).items()}
    assert found == {
        "ecosystem.business.gdp_per_capita": 123831,
        "ecosystem.business.finance": 1000 * 1e8,
        "ecosystem.business.technology": 2500 * 1e8,
        "ecosystem.business.cost": 12000 / 40000,
        "ecosystem.infrastructure.financial": 2178 / 10_890_000,
        "ecosystem.infrastructure.information": (16_000_000 + 5_780_000) / 2 / 10_890_000,
        "ecosystem.research.universities": 84,
        "ecosystem.research.institutes": 3,
        "ecosystem.research.talent": 1_089_000 / 10_890_000,
        "ecosystem.policy.funding": 100 * 1e8,
        "ecosystem.policy.support": 200 * 1e4,
        "ecosystem.regulation.bodies": 2 + 1,
    }
    assert check_panel(result.panel, TREE) == []


def test_yearbook_figures_that_are_missing_doubled_or_of_a_district(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        YEARBOOK,
        "北京,2017,监管机构数,3,个",
        "北京,2017,科学技术支出,1,亿元",
        "北京,2017,科学技术支出,2,亿元",
        "北京,2017,在校大学生数,60,万人",
        "北京市朝阳区,2017,监管机构数,1,个",
        "北京,2017,监管机构数,1,万元",
    )
    result = build_microdata("yearbook", [path])
    bodies = row_of(result.panel, "beijing", "ecosystem.regulation.bodies")
    assert bodies["value"] is None
    assert "associations missing" in str(bodies["source"])
    funding = row_of(result.panel, "beijing", "ecosystem.policy.funding")
    assert funding["value"] is None
    assert "given twice" in str(funding["source"])
    assert value_of(result, "beijing", "ecosystem.research.talent") == 600_000 / residents("beijing", "2017")
    assert (result.counts.good, result.counts.bad, result.counts.unknown_city) == (4, 1, 1)
    assert result.bad_rows.row(0, named=True)["code"] == "mismatch"


def test_empty_results_keep_their_shape(tmp_path: Path) -> None:
    for kind, builder in BUILDERS.items():
        header = ",".join(column.name for column in builder.schema.columns)
        period = None if builder.dated else "2017"
        result = build_microdata(kind, [write(tmp_path, header)], period=period, complete=True)
        assert result.panel.schema == result.parts.schema == PANEL_SCHEMA
        assert (result.counts.rows, result.panel.height) == (0, 0)
