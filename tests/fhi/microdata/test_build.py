"""Files, bad rows, unknown cities, and what must not depend on how rows are given."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhi.errors import PanelError
from fhi.microdata.build import MicrodataResult, build_microdata, join_results
from fhi.microdata.reading import scan

HEADER = "sector,city,date,salary_cny_per_month,degree"
CELLS = st.tuples(
    st.sampled_from(["p2p", "网贷", "众筹", "保险", ""]),
    st.sampled_from(["武汉", "武汉市", "北京", "Shanghai", "雅安", "洪山区", "", "420111"]),
    st.sampled_from(["2017-01-01", "2018/2/3", "20170601", "2017-13-01", ""]),
    st.sampled_from(["8000.01", "8k-12k", "0.1", "9000.07", "", "abc", "-5", "1e9"]),
    st.sampled_from(["硕士", "本科", "博士", "不限", "", "其他"]),
)
ROWS = st.lists(CELLS, max_size=25)


def write(path: Path, rows: Sequence[tuple[str, ...]]) -> Path:
    path.write_text("\n".join([HEADER, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return path


def figures(result: MicrodataResult) -> tuple[object, ...]:
    """Everything but names of files and places of rows."""
    return (
        result.panel.drop("source").rows(),
        result.parts.drop("source").rows(),
        result.counts,
        result.bad_counts.rows(),
        result.unknown_cities.rows(),
    )


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, data=st.data())
def test_neither_order_nor_files_matter_and_no_row_is_lost(
    tmp_path: Path, rows: list[tuple[str, ...]], data: st.DataObject
) -> None:
    whole = build_microdata("jobs", [write(tmp_path / "a.csv", rows)])
    counts = whole.counts
    assert counts.rows == len(rows) == counts.good + counts.bad + counts.unknown_city
    assert whole.bad_counts["rows"].sum() == counts.bad == whole.bad_rows.height
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    assert figures(build_microdata("jobs", [write(tmp_path / "b.csv", shuffled)])) == figures(whole)
    halves = [write(tmp_path / "c.csv", shuffled[:cut]), write(tmp_path / "d.csv", shuffled[cut:])]
    assert figures(build_microdata("jobs", halves)) == figures(whole)


def test_bad_rows_say_where_what_and_why_and_good_ones_are_used(tmp_path: Path) -> None:
    rows = [
        ("p2p", "武汉", "2017-01-01", "8000", ""),
        ("p2p", "武汉", "2017-13-01", "8000", ""),
        ("保险", "武汉", "x", "8000", ""),
        ("p2p", "", "2017-01-01", "8000", ""),
        ("p2p", "武汉", "2017-01-01", "-1", ""),
        ("p2p", "wuhann", "2017-01-01", "1", ""),
    ]
    path = write(tmp_path / "ads.csv", rows)
    apart = tmp_path / "apart.csv"
    result = build_microdata("jobs", [path], set_apart=apart)
    listed = result.bad_rows.select("file", "row", "column", "found", "code").rows()
    assert listed == [
        ("ads.csv", 3, "date", "2017-13-01", "unreadable"),
        ("ads.csv", 4, "sector", "保险", "unreadable"),
        ("ads.csv", 5, "city", "nothing", "missing"),
        ("ads.csv", 6, "salary_cny_per_month", "-1", "out_of_range"),
    ]
    assert result.bad_rows["expected"][3].endswith("1 or more; 1e+06 or less")
    assert result.unknown_cities.rows() == [("city", "wuhann", 1, "unknown", "wuhan")]
    assert build_microdata("jobs", [path], limit=2).bad_rows.rows() == result.bad_rows.head(2).rows()
    kept = pl.read_csv(apart, infer_schema=False).sort("row")
    assert kept["row"].to_list() == ["3", "4", "5", "6", "7"]
    assert kept["code"].to_list() == ["unreadable", "unreadable", "missing", "out_of_range", "unknown_city"]
    assert kept["given_city"].to_list() == ["武汉", "武汉", None, "武汉", "wuhann"]
    ads = result.parts.filter(pl.col("code") == "industry.p2p.talent.ads")
    assert ads.select("hub", "value").rows() == [("wuhan", 1.0)]


def test_headers_in_chinese_any_case_with_a_mark_in_front_and_others_beside(tmp_path: Path) -> None:
    path = tmp_path / "ads.csv"
    path.write_text("行业, City ,日期,月薪_元,来源\n网贷,武汉,2017-01-01,8000,某网\n", encoding="utf-8-sig")
    result = build_microdata("jobs", [path])
    assert result.counts.good == 1
    assert result.unread == ("来源",)


def test_text_gzip_and_parquet_give_the_same(tmp_path: Path) -> None:
    rows = [("p2p", "武汉", "2017-01-01", "8000", "硕士"), ("p2p", "北京", "2017-01-01", "9000", "")]
    text = write(tmp_path / "ads.csv", rows)
    packed = tmp_path / "ads.csv.gz"
    packed.write_bytes(gzip.compress(text.read_bytes()))
    columns = tmp_path / "ads.parquet"
    typed = pl.read_csv(text, try_parse_dates=True).with_columns(pl.col("sector").cast(pl.Categorical))
    assert typed.schema["date"] == pl.Date
    typed.write_parquet(columns)
    found = [figures(build_microdata("jobs", [path])) for path in (text, packed, columns)]
    assert found[0] == found[1] == found[2]
    mixed = build_microdata("jobs", [text, columns])
    assert (mixed.counts.good, mixed.parts.filter(hub="wuhan")["value"].sum()) == (4, 2 + 8000 + 1)
    assert scan(text).collect()["row"].to_list() == [2, 3]


def test_files_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    paths = [write(tmp_path / folder / "ads.csv", [("p2p", "", "", "", "")]) for folder in ("a", "b")]
    assert build_microdata("jobs", paths).bad_rows["file"].to_list() == [str(path) for path in paths]


def test_what_cannot_be_read_is_an_error_that_says_so(tmp_path: Path) -> None:
    good = write(tmp_path / "good.csv", [])
    lacking = tmp_path / "lacking.csv"
    lacking.write_text("city,date\n武汉,2017-01-01\n", encoding="utf-8")
    chinese = tmp_path / "gbk.csv"
    chinese.write_bytes((HEADER + "\np2p,武汉,2017-01-01,1,\n").encode("gbk"))
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(PanelError, match="missing_column") as caught:
        build_microdata("jobs", [good, lacking, tmp_path / "absent.csv", tmp_path / "sheet.xls", broken])
    assert [problem.code for problem in caught.value.problems] == ["missing_column"] + ["unreadable_file"] * 3
    with pytest.raises(PanelError, match="UTF-8"):
        build_microdata("jobs", [chinese])
    calls: list[tuple[Callable[[], MicrodataResult], str]] = [
        (lambda: build_microdata("wine", [good]), "unknown_kind"),
        (lambda: build_microdata("jobs", []), "no_files"),
        (lambda: build_microdata("jobs", [good], period="2017"), "wrong_period"),
        (lambda: build_microdata("jobs", [good], by="week"), "wrong_period"),  # type: ignore[arg-type]
        (lambda: build_microdata("firms", [good]), "wrong_period"),
        (lambda: build_microdata("firms", [good], period="2017-5"), "wrong_period"),
        (lambda: build_microdata("yearbook", [good], by="month"), "wrong_period"),
    ]
    for call, code in calls:
        with pytest.raises(PanelError, match=code):
            call()


def test_two_results_for_one_node_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "services.csv"
    path.write_text("city,app,service\n武汉,微信,社保\n", encoding="utf-8")
    result = build_microdata("services", [path], period="2017")
    assert join_results([result]).equals(result.panel)
    with pytest.raises(PanelError, match="duplicate"):
        join_results([result, result])
    assert join_results([]).height == 0


def test_a_hundred_thousand_rows_in_a_stream_by_arithmetic(tmp_path: Path) -> None:
    """Row n: sector by n mod 2, city by n mod 5 (one unknown), pay n + 1; every thousandth has no date."""
    size = 100_000
    number = pl.int_range(size, eager=True)
    frame = pl.DataFrame({"number": number}).select(
        sector=(pl.col("number") % 2).replace_strict({0: "p2p", 1: "区块链"}),
        city=(pl.col("number") % 5).replace_strict({0: "武汉", 1: "北京市", 2: "Shanghai", 3: "雅安", 4: "420111"}),
        date=pl.when(pl.col("number") % 1000 != 0).then(pl.lit("2017-06-01")),
        salary_cny_per_month=(pl.col("number") + 1).cast(pl.String),
        degree=pl.lit("硕士"),
    )
    path = tmp_path / "ads.csv"
    frame.write_csv(path)
    result = build_microdata("jobs", [path], limit=10)
    assert result.counts.bad == size // 1000
    assert result.bad_rows["row"].to_list() == [2 + 1000 * step for step in range(10)]
    assert result.counts.unknown_city == size // 5
    assert result.unknown_cities.select("name", "rows").rows() == [("雅安", size // 5)]
    pay = [n + 1 for n in range(size) if n % 2 == 0 and n % 5 in (0, 4) and n % 1000]
    found = result.parts.filter(hub="wuhan", code="industry.p2p.talent.salary")["value"][0]
    assert found == sum(pay) / len(pay)


def test_a_column_of_lists_is_told_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "deals.parquet"
    pl.DataFrame(
        {"sector": ["p2p"], "city": ["武汉"], "date": ["2017-01-01"], "amount_cny": [1.0], "round": [["A", "B"]]}
    ).write_parquet(path)
    with pytest.raises(PanelError, match=r"column round: found cells of type List\(String\); expected texts"):
        build_microdata("deals", [path])
