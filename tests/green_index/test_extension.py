"""The tree of the extended index, group by group, and trees of a user's own that extend it."""

from pathlib import Path

import pytest

from fhi.errors import FrameworkError
from fhi.framework import extend_framework
from green_index.index import extended_framework, green_framework

# Section 3 of the domain document, group by group.
SECTION_3 = {
    "carbon_finance.market": {"volume": 1, "value": 1, "liquidity": -1, "continuity": 1, "stability": -1},
    "carbon_finance.infrastructure": {"custody": 1, "facilities": 1},
    "carbon_finance.registry": {"allowances": 1, "compliance": 1, "offsets": 1},
    "carbon_finance.products": {"financing": 1, "diversity": 1},
    "sustainability_data.footprint": {"intensity": -1, "per_capita": -1, "trend": -1},
    "sustainability_data.quality": {"coverage": 1, "score": -1, "agreement": -1, "timeliness": -1},
    "sustainability_data.disclosure": {"entities": 1},
    "sustainability_data.accounts": {"personal": 1},
    "green_policy": {"proposals": 1, "plan": 1, "scenarios": 1},
}
TALENT = """
[[group]]
code = "talent"
parent = "{parent}"
name_en = "Talent"

[[indicator]]
code = "talent.masters"
parent = "talent"
name_en = "Master's programmes"
direction = 1
"""
JUDGED = """
[[judgement]]
group = "{group}"
items = [{items}]
apart = [{apart}]
rule = "equal"
who = "a user"
assumed = true
"""


def judged(group: str, items: tuple[str, ...], apart: tuple[str, ...] = ()) -> str:
    listed, aside = (", ".join(f'"{code}"' for code in codes) for codes in (items, apart))
    return JUDGED.format(group=group, items=listed, apart=aside)


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def codes_of(caught: pytest.ExceptionInfo[FrameworkError]) -> list[str]:
    return sorted(problem.code for problem in caught.value.problems)


@pytest.mark.parametrize("group", SECTION_3)
def test_every_group_of_the_domain_document_is_in_the_tree(group: str) -> None:
    tree = green_framework("open")
    directions = {code: tree.indicator[code].direction for code in tree.children[group]}
    expected = {f"{group}.{name}": direction for name, direction in SECTION_3[group].items()}
    assert expected.items() <= directions.items()


def test_every_added_group_is_judged_and_says_by_whom_and_when() -> None:
    tree = green_framework("open")
    for group in tree.groups:
        if group.code == "green" or group.code.startswith(("carbon_finance", "sustainability_data", "green_policy")):
            judgement = tree.judgement[group.code]
            assert (judgement.assumed, bool(judgement.who), bool(judgement.when)) == (True, True, True), group.code
            assert all((judgement.reason, judgement.reason_zh)), group.code
    assert tree.judgement["green"].apart == ("green_policy",)
    assert tree.judgement["green"].matrix == ((1, 2, 3), ("1/2", 1, 2), ("1/3", "1/2", 1))
    assert tree.judgement["fintech"].scores == (2, 1, 2)


def test_without_own_files_the_tree_is_ours() -> None:
    tree, remarks = extended_framework("open", [])
    assert (tree.hash, remarks) == (green_framework("open").hash, ())


def test_a_group_below_ours_with_a_judgement_that_takes_the_place_of_ours(tmp_path: Path) -> None:
    items = ("fintech", "carbon_finance", "sustainability_data", "talent")
    own = written(tmp_path, TALENT.format(parent="green") + judged("green", items, ("green_policy",)))
    tree, (remark,) = extended_framework("open", [own])
    assert tree.children["green"] == (*green_framework("open").children["green"], "talent")
    assert tree.judgement["green"].who == "a user"
    assert (remark.code, remark.where) == ("replaced_judgement", "mine.toml: judgement 1 (green)")
    assert "green_judgements.toml: judgement 1 (green)" in remark.found


def test_an_indicator_below_a_group_that_principal_components_weigh_needs_no_judgement(tmp_path: Path) -> None:
    own = TALENT.format(parent="ecosystem.research").replace("[[indicator]]", "[[indicator]]\nunit = 'count'")
    tree, remarks = extended_framework("open", [written(tmp_path, own)], green=False)
    assert "talent" in tree.children["ecosystem.research"]
    assert (tree.root, remarks) == ("fhi", ())


def test_a_judgement_of_the_base_root_replaces_that_of_the_group_which_stands_for_it(tmp_path: Path) -> None:
    for name in ("fhi", "fintech"):
        own = written(tmp_path, judged(name, ("industry", "experience"), ("ecosystem",)))
        tree, (remark,) = extended_framework("open", [own])
        assert tree.judgement["fintech"].apart == ("ecosystem",)
        assert "fhi_judgements.toml" in remark.found


def test_policy_may_be_counted_by_a_judgement_that_comes_with_the_product() -> None:
    tree, (remark,) = extended_framework("open", [], ready=["green-policy"])
    assert tree.judgement["green"].items[-1] == "green_policy"
    assert tree.judgement["green"].apart == ()
    assert tree.judgement["green"].assumed
    assert remark.where == "green_policy_judgements.toml: judgement 1 (green)"


def test_a_child_that_our_judgement_does_not_name_asks_for_ones_own(tmp_path: Path) -> None:
    with pytest.raises(FrameworkError) as caught:
        extended_framework("open", [written(tmp_path, TALENT.format(parent="green"))])
    (problem,) = caught.value.problems
    assert problem.code == "missing_item"
    assert "talent" in problem.found
    assert "a [[judgement]] of that group in a file of your own" in problem.expected


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    """A code of ours again, a parent that does not exist, a ring, and an unknown group judged."""
    rings = "".join(
        f'[[group]]\ncode = "{code}"\nparent = "{parent}"\nname_en = "x"\n' for code, parent in (("a", "b"), ("b", "a"))
    )
    again = '[[group]]\ncode = "carbon_finance.market"\nparent = "green"\nname_en = "x"\n'
    stray = TALENT.format(parent="nowhere")
    with pytest.raises(FrameworkError) as caught:
        extended_framework("open", [written(tmp_path, rings + again + stray + judged("nothing", ("a",)))])
    found = codes_of(caught)
    assert {"cycle", "duplicate_code", "unknown_parent", "unknown_group"} <= set(found)


def test_two_judgements_of_ones_own_for_one_group_are_refused(tmp_path: Path) -> None:
    own = judged(
        "carbon_finance.products", ("carbon_finance.products.financing",), ("carbon_finance.products.diversity",)
    )
    paths = [written(tmp_path, own, name) for name in ("a.toml", "b.toml")]
    with pytest.raises(FrameworkError) as caught:
        extended_framework("open", paths)
    assert set(codes_of(caught)) == {"duplicate_judgement"}


def test_a_file_that_cannot_be_read_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(FrameworkError, match=r"none\.toml"):
        extend_framework([], [tmp_path / "none.toml"])
