from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from fhi.microdata.build import build_microdata
from fhi.microdata.policy import CONTEXT, PASSAGES, TERMS, find_passages


def passages(text: str) -> list[tuple[str, int, str]]:
    row = pl.LazyFrame({"file": ["a"], "row": [1], "city": ["wuhan"], "year": [2017], "kind": ["plan"], "text": [text]})
    found = find_passages(row).collect()
    assert found.schema == PASSAGES
    return found.select("term", "position", "passage").rows()


def test_a_stretch_of_text_is_one_mention_from_the_left() -> None:
    assert passages("互联网金融科技") == [("互联网金融", 1, "互联网金融科技")]
    assert passages("科技金融科技") == [("科技金融", 1, "科技金融科技")]
    assert [term for term, _, _ in passages("金融科技金融科技")] == ["金融科技", "金融科技"]
    assert passages("发展金融") == []


def test_positions_count_characters_without_blanks() -> None:
    ((term, position, passage),) = passages("前 言\n发展互联\n网金融。" + "后" * 40)
    assert (term, position) == ("互联网金融", 5)
    assert passage == "前言发展互联网金融。" + "后" * (CONTEXT - 1)
    ((_, position, passage),) = passages("前" * 100 + "金融科技")
    assert (position, passage) == (101, "前" * CONTEXT + "金融科技")


def test_counts_per_document_and_per_ten_thousand_characters(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text(
        "city,year,kind,text\n"
        '武汉,2017,政府工作报告,"互联网金融科技，金融\n科技。科技金融！"\n'
        "武汉,2017,十三五规划,金融科技甲乙丙丁\n"
        "上海,2017,规划,无\n"
        "武汉市洪山区,2017,规划,金融科技\n"
        "武汉,2017,信函,金融科技\n",
        encoding="utf-8",
    )
    result = build_microdata("policy", [path])
    code = "ecosystem.policy.emphasis"
    assert result.panel.select("hub", "value").rows() == [("shanghai", 0.0), ("wuhan", 4.0)]
    parts = {row["code"]: row["value"] for row in result.parts.filter(hub="wuhan").iter_rows(named=True)}
    assert parts == {
        f"{code}.internet_finance": 1,
        f"{code}.fintech": 2,
        f"{code}.technology_finance": 1,
        f"{code}.documents": 2,
        f"{code}.per_10k_characters": 4 / (18 + 8) * 10_000,
    }
    assert (result.counts.good, result.counts.bad, result.counts.unknown_city) == (3, 1, 1)
    assert result.passages is not None
    assert result.passages.select("row", "term", "position").rows() == [
        (2, "互联网金融", 1),
        (2, "金融科技", 9),
        (2, "科技金融", 14),
        (3, "金融科技", 1),
    ]
    assert build_microdata("policy", [path], passage_limit=1).passages.height == 1  # type: ignore[union-attr]


@given(st.lists(st.sampled_from(["互联网", "金融", "科技", "发展", "，"]), max_size=12))
def test_mentions_do_not_overlap_and_stand_where_they_are_said_to(words: list[str]) -> None:
    text = "".join(words)
    end = 0
    for term, position, passage in passages(text):
        assert term in TERMS.values()
        assert text[position - 1 : position - 1 + len(term)] == term
        assert term in passage
        assert position > end
        end = position - 1 + len(term)
        text_between = text[: position - 1]
        assert text_between.count(term) == text_between[:end].count(term)
    assert not any(term in text[end:] for term in TERMS.values())
