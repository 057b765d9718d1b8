from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhi.errors import PanelError
from fhi.hubs import hubs
from fhi.published import (
    EDITION_SCHEMA,
    GFHI_GLOBAL_HUBS,
    GFHI_REGIONAL_HUBS,
    OVERALL,
    printed_editions,
    printed_facts,
    printed_panel,
    printed_partial_ranks,
    printed_totals,
    rank_history,
    read_printed_ranks,
    read_ranks,
)

HEAD = "index,edition,dimension,city,rank\n"
FULL_HEAD = "index,edition,published,dimension,city,rank,score,note,source_url\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "ranks.csv"
    path.write_text(text, encoding="utf-8")
    return path


def editions(index: str, edition: str, dimension: str = OVERALL) -> pl.DataFrame:
    return printed_editions().filter(index=index, edition=edition, dimension=dimension)


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


def test_editions_have_one_shape_one_row_a_place_and_dimension_and_a_source() -> None:
    frame = printed_editions()
    assert frame.schema == EDITION_SCHEMA
    assert not frame.select(pl.struct("index", "edition", "place", "dimension").is_duplicated().any()).item()
    assert frame.select("index", "edition", "place", "dimension", "source").null_count().sum_horizontal().item() == 0
    says_something = pl.any_horizontal(pl.col("score", "rank", "rank_text", "figure").is_not_null())
    assert frame.filter(~says_something).is_empty()


def test_the_2017_totals_and_sub_ranks_are_the_printed_ones(reference: Path) -> None:
    printed = pl.read_csv(reference / "fhi2017" / "published_scores.csv")
    total = editions("FHI", "2017")
    assert total["score"].to_list() == printed["total"].to_list()
    assert total["rank"].to_list() == printed["rank"].to_list()
    assert total["ranked"].to_list() == [20] * 20
    names = dict(hubs().select("hub", "name_zh").iter_rows())
    for node in ("industry", "experience", "ecosystem"):
        ours = editions("FHI", "2017", node).select(pl.col("hub").replace_strict(names), "rank")
        assert dict(ours.iter_rows()) == dict(printed.select("city_zh", f"{node}_rank").iter_rows())
        assert editions("FHI", "2017", node)["score"].null_count() == 20


def test_partial_ranks_follow_the_printed_order_but_for_places_named_as_a_group(reference: Path) -> None:
    names = dict(hubs().select("hub", "name_zh").iter_rows())
    unordered = {"industry.p2p.firms": {1, 2, 3}, "ecosystem.business.cost": {4, 5, 6}}
    for code, order in (
        pl.read_csv(reference / "fhi2017" / "published_partial_ranks.csv").select("code", "order_zh").iter_rows()
    ):
        ranks = {names[row["hub"]]: row["rank"] for row in editions("FHI", "2017", code).iter_rows(named=True)}
        expected = {
            city: None if position in unordered.get(code, set()) else position
            for position, city in enumerate(order.split("|"), 1)
        }
        assert expected.items() <= ranks.items(), code


def test_places_named_as_a_group_say_so() -> None:
    firms = editions("FHI", "2017", "industry.p2p.firms").filter(pl.col("rank").is_null())
    assert set(firms["hub"]) == {"beijing", "shanghai", "shenzhen"}
    assert set(firms["rank_text"]) == {"among the first three"}


def test_single_figures_stand_beside_the_rank_of_the_same_place(reference: Path) -> None:
    facts = pl.read_csv(reference / "fhi2017" / "published_facts.csv", schema_overrides={"period": pl.String})
    values = printed_editions().filter(pl.col("edition") == "2017", pl.col("dimension") != OVERALL)
    held = [*values["figure"].drop_nulls(), *values["score"].drop_nulls()]
    assert sorted(held) == sorted(facts["value"])
    salary = editions("FHI", "2017", "industry.salary").filter(hub="hangzhou").row(0, named=True)
    assert (salary["rank"], salary["figure"], salary["unit"]) == (3, 7901.34, "CNY per month")
    assert salary["note"].endswith("third highest")
    research = editions("FHI", "2017", "ecosystem.research").filter(hub="beijing").row(0, named=True)
    assert (research["rank"], research["score"], research["figure"], research["unit"]) == (1, 87.07, None, None)
    surveyed = editions("FHI", "2017", "cities.surveyed").row(0, named=True)
    assert (surveyed["place"], surveyed["hub"], surveyed["figure"]) == ("China", None, 37)


def test_later_editions_are_those_that_the_paper_cites(reference: Path) -> None:
    printed = pl.read_csv(reference / "wuhan2021" / "rank_history.csv", infer_schema=False)
    assert rank_history()["value"].to_list() == printed["value"].to_list()
    later = printed_editions().filter(pl.col("edition") != "2017")
    cited = printed.filter(pl.col("edition") != "2017")
    assert later.height == cited.height
    assert sorted(later["rank"].drop_nulls()) == sorted(
        int(value) for value in cited["value"].drop_nulls() if value.isdigit()
    )
    assert set(later.filter(index="GFHI")["ranked"]) == {GFHI_GLOBAL_HUBS + GFHI_REGIONAL_HUBS}
    assert later.filter(index="FHI")["ranked"].null_count() == 4


def test_the_papers_citation_of_2017_repeats_the_report() -> None:
    cited = rank_history().filter(index="FHI", edition=2017)
    total = editions("FHI", "2017").select("hub", "rank")
    assert (
        cited.select("hub", rank=pl.col("value").cast(pl.Int64)).join(total, on=["hub", "rank"]).height == cited.height
    )


def test_what_is_not_printed_is_null_and_places_that_are_no_hubs_keep_their_name() -> None:
    london = editions("GFHI", "2021").filter(place="London").row(0, named=True)
    assert (london["hub"], london["rank"], london["score"], london["rank_text"]) == (None, 6, None, None)
    wuhan = editions("GFHI", "2021").filter(hub="wuhan").row(0, named=True)
    assert (wuhan["rank"], wuhan["rank_text"]) == (None, "not listed")
    assert wuhan["note"].startswith("not listed among 9 global and 41 regional hubs")


def test_a_users_ranks_come_in_the_same_shape(tmp_path: Path) -> None:
    rows = (
        "CFCI,14,2022-12,overall,武汉市,10,,,http://a\n"
        "CFCI,14,2022-12,overall, Shanghai ,1,100.5,first,http://a\n"
        "CFCI,14,,talent,无锡,,3,,\n"
    )
    read = read_printed_ranks(write(tmp_path, FULL_HEAD + rows))
    assert read.rows.schema == EDITION_SCHEMA
    columns = ["place", "hub", "dimension", "rank", "score", "note", "source"]
    assert read.rows.select(columns).rows() == [
        ("武汉市", "wuhan", "overall", 10, None, None, "2022-12, http://a"),
        ("Shanghai", "shanghai", "overall", 1, 100.5, "first", "2022-12, http://a"),
        ("无锡", None, "talent", None, 3.0, None, "ranks.csv"),
    ]
    assert [problem.found for problem in read.unknown] == ["city '无锡'"]


def test_an_unknown_city_comes_with_the_nearest_name(tmp_path: Path) -> None:
    read = read_printed_ranks(write(tmp_path, HEAD + "X,1,overall,Wuhn,1\nX,2,overall,Wuhn,1\n"))
    assert [problem.expected for problem in read.unknown] == ["'Wuhan'?"]
    assert read.rows["place"].to_list() == ["Wuhn", "Wuhn"]


def test_all_problems_of_a_file_are_told_at_once_with_their_row(tmp_path: Path) -> None:
    rows = [
        "X,1,overall,武汉,2.5",
        "X,1,overall,上海,0",
        "X,1,overall,北京,-1",
        "X,1,overall,西安,second",
        "X,,overall,成都,1",
        "X,1,overall,重庆,4",
        "X,1,overall,Chongqing,5",
        "X,1,talent,重庆,6",
    ]
    with pytest.raises(PanelError) as raised:
        read_printed_ranks(write(tmp_path, HEAD + "\n".join(rows) + "\n"))
    found = [(problem.where.split(", ")[1], problem.code) for problem in raised.value.problems]
    assert found == [
        ("row 2", "wrong_rank"),
        ("row 3", "wrong_rank"),
        ("row 4", "wrong_rank"),
        ("row 5", "wrong_rank"),
        ("row 6", "blank_key"),
        ("row 7", "duplicate"),
        ("row 8", "duplicate"),
    ]
    assert raised.value.problems[4].found == "no edition"


def test_a_file_without_rows_has_no_ranks(tmp_path: Path) -> None:
    read = read_printed_ranks(write(tmp_path, HEAD))
    assert read.rows.equals(pl.DataFrame(schema=EDITION_SCHEMA))
    assert read.unknown == ()


@pytest.mark.parametrize("score", ["nan", "inf", "ten"])
def test_a_score_that_is_no_number_is_named(tmp_path: Path, score: str) -> None:
    row = f"X,1,2020,overall,武汉,1,{score},,\n"
    with pytest.raises(PanelError, match=f"found score '{score}'; expected a number"):
        read_printed_ranks(write(tmp_path, FULL_HEAD + row))


def test_one_index_is_taken_by_its_name_or_by_name_and_edition(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "X,1,overall,武汉,2\nX,2,overall,武汉,1\nY,1,overall,武汉,bad\n")
    assert read_printed_ranks(path, "X").rows["rank"].to_list() == [2, 1]
    assert read_printed_ranks(path, "X 2").rows["rank"].to_list() == [1]
    with pytest.raises(PanelError, match="nothing of 'X 9'; expected one of X 1, X 2, Y 1"):
        read_printed_ranks(path, "X 9")


@given(
    ranks=st.dictionaries(st.sampled_from(hubs()["hub"].to_list()), st.integers(1, 10**6) | st.none(), min_size=1),
    column=st.sampled_from(["hub", "name_zh", "name_en", "gbt2260"]),
)
def test_ranks_come_back_as_written_by_whatever_name(
    tmp_path_factory: pytest.TempPathFactory, ranks: dict[str, int | None], column: str
) -> None:
    names = dict(hubs().select("hub", name=column).iter_rows())
    lines = [f"X,1,overall,{names[hub]},{'' if rank is None else rank}\n" for hub, rank in ranks.items()]
    read = read_printed_ranks(write(tmp_path_factory.mktemp("ranks"), HEAD + "".join(lines)))
    assert dict(read.rows.select("hub", "rank").iter_rows()) == ranks
    assert read.unknown == ()


def test_a_whole_file_of_published_ranks_is_read(outside_data: Path) -> None:
    path = outside_data / "indices" / "city_index_ranks.csv"
    printed = pl.read_csv(path, infer_schema=False)
    read = read_printed_ranks(path)
    assert read.rows["rank"].cast(pl.String).to_list() == printed["rank"].to_list()
    assert read.rows["score"].to_list() == printed["score"].cast(pl.Float64).to_list()
    assert read.rows["place"].to_list() == printed["city"].to_list()
    assert set(read.rows.filter(pl.col("hub").is_null())["place"]) >= {"无锡", "London", "广东"}
    assert read.rows.filter(pl.col("place") == "武汉")["hub"].unique().to_list() == ["wuhan"]


def test_overall_ranks_of_one_edition_best_first_and_who_is_left_out(tmp_path: Path) -> None:
    rows = "X,1,overall,武汉,2\nX,1,overall,无锡,3\nX,1,talent,西安,1\nX,2,overall,西安,1\nX,1,overall,上海,1\n"
    ranks, left_out = read_ranks(write(tmp_path, HEAD + rows), "X 1")
    assert dict(ranks.iter_rows()) == {"wuhan": -2.0, "shanghai": -1.0}
    assert left_out == ["无锡"]


def test_ranks_of_no_one_edition_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "X,1,overall,武汉,2\nX,2,overall,武汉,3\nY,1,talent,武汉,1\n")
    with pytest.raises(PanelError, match="2 editions of 'X'; expected one of X 1, X 2"):
        read_ranks(path, "X")
    with pytest.raises(PanelError, match="no overall ranks of 'Y 1'"):
        read_ranks(path, "Y 1")


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(PanelError, match=r"columns city, rank; expected columns index, edition"):
        read_ranks(write(tmp_path, "city,rank\n武汉,2\n"), "X 1")


def test_a_rank_that_is_no_number_is_named_with_its_city(tmp_path: Path) -> None:
    with pytest.raises(PanelError, match=r"ranks.csv, row 2, X 1 overall 武汉: found rank 'second'"):
        read_ranks(write(tmp_path, HEAD + "X,1,overall,武汉,second\n"), "X 1")


def test_a_file_that_is_no_table_is_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "ranks.csv"
    path.write_bytes(b"city,rank\n\xff\xfe\x00,1\n")
    with pytest.raises(PanelError, match=r"ranks.csv: found"):
        read_ranks(path, "X 1")
    with pytest.raises(PanelError, match="no such file"):
        read_ranks(tmp_path / "absent.csv", "X 1")
