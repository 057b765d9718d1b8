import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhi.crosswalk import (
    CROSSWALKS,
    crosswalk_panel,
    crosswalk_table,
    embedded_base,
    embedded_crosswalk,
    load_crosswalk,
)
from fhi.errors import FrameworkError, PanelError, UnknownFramework
from fhi.framework import Framework, load_framework
from fhi.index import build_index
from fhi.observations import open_panel
from fhi.recipe import Recipe

SMALL = Path(__file__).with_name("small.toml")
HEAD = """
[framework]
id = "other"
version = "1"
title_zh = "另"
title_en = "Other"
source = "test"

[[group]]
code = "o"
name_zh = "总"
name_en = "Total"

[[group]]
code = "o.a"
parent = "o"
name_zh = "甲"
name_en = "A"

[[group]]
code = "o.b"
parent = "o"
name_zh = "乙"
name_en = "B"
"""
JUDGED = """
[[judgement]]
group = "o"
items = ["o.a", "o.b"]
rule = "equal"
who = "test"
when = "2026-11"
assumed = true
reason = "r"
reason_zh = "由"
"""


def place(code: str, parent: str) -> str:
    return f'\n[[place]]\nindicator = "{code}"\nparent = "{parent}"\nreason = "r"\nreason_zh = "由"\n'


def left_out(code: str) -> str:
    return f'\n[[left_out]]\nindicator = "{code}"\nreason = "r"\nreason_zh = "由"\n'


def base() -> Framework:
    return embedded_base()


def as_it_is(_code: str) -> str | None:
    return None


def entries(change: Callable[[str], str | None] = as_it_is) -> str:
    """Every indicator of the base placed below o.a or o.b in turn, but where `change` says otherwise."""
    parts = []
    for number, code in enumerate(base().indicator):
        changed = change(code)
        parts.append(place(code, "o.a" if number % 2 else "o.b") if changed is None else changed)
    return "".join(parts)


def write(folder: Path, text: str) -> Path:
    path = folder / "other.toml"
    path.write_text(text, encoding="utf-8")
    return path


def crosswalk_path(name: str) -> Path:
    return Path(str(files("fhi").joinpath("frameworks", f"{name}_crosswalk.toml")))


@pytest.mark.parametrize("name", CROSSWALKS)
def test_embedded_crosswalks_place_or_leave_out_all_39_indicators_with_reasons(name: str) -> None:
    table = crosswalk_table(base(), crosswalk_path(name))
    assert table["indicator"].to_list() == list(base().indicator)
    assert table.height == 39
    assert table.select("reason", "reason_zh").null_count().sum_horizontal().item() == 0
    placed = table.drop_nulls("parent")
    crosswalk = embedded_crosswalk(name)
    assert placed["indicator"].to_list() == list(crosswalk.indicator)
    assert {leaf.code: leaf.parent for leaf in crosswalk.indicators} == dict(
        placed.select("indicator", "parent").iter_rows()
    )


@pytest.mark.parametrize(("name", "printed"), [("ey2019", "EY pillars"), ("icaew2019", "ICAEW & ISCA")])
def test_pillars_are_the_printed_ones_weighed_alike_as_assumed(reference: Path, name: str, printed: str) -> None:
    row = pl.read_csv(reference / "wuhan2021" / "other_indices.csv").filter(index=printed).row(0, named=True)
    crosswalk = embedded_crosswalk(name)
    pillars = crosswalk.children[crosswalk.root]
    assert [crosswalk.node[code].name_en.lower() for code in pillars] == row["dimensions"].split(", ")
    judgement = crosswalk.judgement[crosswalk.root]
    assert (judgement.rule, judgement.assumed, judgement.who) == ("equal", True, "this project")
    assert "without scores and without weights" in crosswalk.source


@pytest.mark.parametrize("name", CROSSWALKS)
def test_wuhan_has_a_score_on_open_figures_or_a_reason_for_none(name: str) -> None:
    crosswalk = embedded_crosswalk(name)
    panel = crosswalk_panel(open_panel(), base(), crosswalk)
    scores = build_index(panel, crosswalk, Recipe()).scores
    rows = scores.filter(hub="wuhan", period="2019").select("code", "score", "reason").rows()
    assert {code for code, _, _ in rows} >= {crosswalk.root, *crosswalk.children[crosswalk.root]}
    for code, score, reason in rows:
        assert (score is None) != (reason is None), code
    # No open figure stands for any indicator of the talent pillar: it must not be scored as if one did.
    talent = next(code for code in crosswalk.children[crosswalk.root] if code.endswith(".talent"))
    assert {code: score for code, score, _ in rows}[talent] is None


def test_a_crosswalk_takes_no_row_of_what_it_leaves_out_and_hides_no_unknown_code() -> None:
    crosswalk = embedded_crosswalk("icaew2019")
    panel = crosswalk_panel(open_panel(), base(), crosswalk)
    gone = set(open_panel()["code"]) - set(panel["code"])
    assert gone == {
        "ecosystem.business.cost",
        "ecosystem.infrastructure.financial",
        "ecosystem.infrastructure.information",
    }
    strange = open_panel().with_columns(code=pl.lit("ecosystem.unheard_of")).head(1)
    with pytest.raises(PanelError, match="unheard_of"):
        build_index(crosswalk_panel(strange, base(), crosswalk), crosswalk, Recipe())


@given(st.lists(st.sampled_from(["o.a", "o.b", None]), min_size=37, max_size=37))
def test_a_crosswalk_keeps_the_set_of_indicators_and_all_of_each_but_its_parent(
    tmp_path_factory: pytest.TempPathFactory, parents: list[str | None]
) -> None:
    chosen = dict(zip(base().indicator, ["o.a", "o.b", *parents], strict=True))
    text = HEAD + JUDGED + "".join(left_out(c) if p is None else place(c, p) for c, p in chosen.items())
    path = write(tmp_path_factory.mktemp("crosswalk"), text)
    crosswalk = load_crosswalk(base(), path)
    table = crosswalk_table(base(), path)
    dropped = set(table.filter(pl.col("parent").is_null())["indicator"])
    assert crosswalk.indicator.keys() | dropped == base().indicator.keys()
    assert not crosswalk.indicator.keys() & dropped
    for code, leaf in crosswalk.indicator.items():
        assert leaf.parent == chosen[code]
        assert leaf.model_dump(exclude={"parent"}) == base().indicator[code].model_dump(exclude={"parent"})
    assert crosswalk.root == "o"
    assert crosswalk.children["o"] == ("o.a", "o.b")


@given(st.integers(0, 38))
def test_an_indicator_that_is_forgotten_is_named_with_the_remedy(
    tmp_path_factory: pytest.TempPathFactory, number: int
) -> None:
    forgotten = list(base().indicator)[number]
    text = HEAD + JUDGED + entries(lambda code: "" if code == forgotten else None)
    with pytest.raises(FrameworkError) as raised:
        load_crosswalk(base(), write(tmp_path_factory.mktemp("crosswalk"), text))
    (problem,) = raised.value.problems
    assert forgotten in problem.where
    assert "[[left_out]]" in problem.expected
    assert "o.a, o.b" in problem.expected


CODE = "industry.p2p.firms"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lambda: HEAD + JUDGED + entries() + left_out(CODE), f"{CODE}: found 1 .* and 1 .*; expected one of the two"),
        (
            lambda: HEAD + JUDGED + entries() + place(CODE, "o.a"),
            f"{CODE}: found 2 .* and 0 .*; expected one of the two",
        ),
        (
            lambda: HEAD + JUDGED + entries() + place("industry.p2p.firm", "o.a"),
            f"industry.p2p.firm: found an unknown indicator; expected an indicator of fhi: '{CODE}'?",
        ),
        (
            lambda: HEAD + JUDGED + entries(lambda code: place(code, "o.aa") if code == CODE else None),
            f"place of {CODE}: found parent 'o.aa'; expected a pillar: 'o.a'?",
        ),
        (
            lambda: HEAD + JUDGED + entries(lambda code: place(code, "o.a")),
            "pillar o.b: found no indicator; expected at least one",
        ),
        (lambda: HEAD + entries(), "judgement: found nothing; expected a value"),
        (lambda: "judgement = []\n" + HEAD + entries(), "o: found no judgement; expected a "),
        (lambda: HEAD + JUDGED.replace(', "o.b"', "") + entries(), "judgement of o: found nothing about o.b"),
        (lambda: HEAD + JUDGED.replace('"o.b"', '"o.b", "o.c"') + entries(), "judgement of o: found item o.c"),
        (lambda: HEAD + JUDGED + JUDGED + entries(), "judgement of o: found 2 judgements; expected one"),
        (lambda: HEAD + JUDGED + JUDGED.replace('"o"', '"p"') + entries(), "judgement of p: found an unknown group"),
        (lambda: HEAD.replace('parent = "o"\n', "") + JUDGED + entries(), "found 3 groups without parent"),
        (lambda: HEAD.replace('parent = "o"\n', 'parent = "o.a"\n') + JUDGED + entries(), "o.b.parent: found 'o.a'"),
        (lambda: HEAD.replace('"o.b"', '"o.a"') + JUDGED + entries(), "group o.a: found 2 entries"),
        (lambda: HEAD.replace("o.b", CODE) + JUDGED.replace("o.b", CODE) + entries(), "found an indicator's code"),
        (lambda: HEAD + JUDGED + entries() + "colour = 1\n", r"place 39 \(.*\).colour: found an unknown key"),
        (lambda: HEAD + JUDGED.replace('"equal"', '"even"') + entries(), r"judgement 1 \(o\).rule: found 'even'"),
        (lambda: "x = [", "found .*; expected valid TOML"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_what_to_do(
    tmp_path: Path, text: Callable[[], str], message: str
) -> None:
    with pytest.raises(FrameworkError, match=message.replace("?", r"\?")):
        load_crosswalk(base(), write(tmp_path, text()))


def test_absent_files_and_unknown_names_are_told(tmp_path: Path) -> None:
    with pytest.raises(FrameworkError, match="no such file"):
        load_crosswalk(base(), tmp_path / "absent.toml")
    with pytest.raises(UnknownFramework, match="known: ey2019, icaew2019"):
        embedded_crosswalk("ey2020")


def test_any_tree_can_be_the_base_and_a_weight_of_it_stays_behind(tmp_path: Path) -> None:
    tree = load_framework(SMALL)
    weighted = tree.model_copy(
        update={"indicators": tuple(leaf.model_copy(update={"weight": 2.0}) for leaf in tree.indicators)}
    )
    codes = list(tree.indicator)
    text = HEAD + JUDGED + place(codes[0], "o.a") + "".join(place(code, "o.b") for code in codes[1:])
    crosswalk = load_crosswalk(weighted, write(tmp_path, text))
    assert list(crosswalk.indicator) == codes
    assert {leaf.weight for leaf in crosswalk.indicators} == {None}


@pytest.mark.parametrize("name", CROSSWALKS)
def test_the_files_say_that_places_and_weights_are_ours(name: str) -> None:
    content = tomllib.loads(crosswalk_path(name).read_text(encoding="utf-8"))
    assert "places of the FHI indicators and equal weights are this project's" in content["framework"]["source"]
