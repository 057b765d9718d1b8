from pathlib import Path

import polars as pl
import pytest

from fhi.errors import FrameworkError
from fhi.framework import Framework, load_framework

HEAD = """
[framework]
id = "small"
version = "1"
title_zh = "小"
title_en = "small"
source = "test"
"""
ROOT = """
[[group]]
code = "root"
name_zh = "根"
name_en = "Root"
"""


def leaf(code: str, parent: str = "root", extra: str = "") -> str:
    return f"""
[[indicator]]
code = "{code}"
parent = "{parent}"
name_zh = "叶"
name_en = "Leaf"
direction = 1
unit = "t"
unit_zh = "吨"
definition = "d"
definition_zh = "定义"
null_means = "unknown"
null_means_zh = "未知"
zero_means = "none"
zero_means_zh = "没有"
source = "s"
{extra}
"""


def judged(group: str, items: str, body: str) -> str:
    return f"""
[[judgement]]
group = "{group}"
items = {items}
who = "test"
when = "2026"
assumed = true
reason = "test"
reason_zh = "测试"
{body}
"""


PAIR = HEAD + ROOT + leaf("a") + leaf("b")


def write(folder: Path, text: str, name: str = "tree.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(folder: Path, text: str) -> list[str]:
    with pytest.raises(FrameworkError) as caught:
        load_framework(write(folder, text))
    return [str(problem) for problem in caught.value.problems]


def test_tree_knows_root_children_and_levels(tmp_path: Path) -> None:
    tree = load_framework(write(tmp_path, HEAD + ROOT + leaf("a") + leaf("b")))
    assert tree.root == "root"
    assert tree.children == {"root": ("a", "b")}
    assert tree.level == {"root": 0, "a": 1, "b": 1}


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    bad_leaf = leaf("a").replace("direction = 1", "direction = 2") + 'colour = "green"\n'
    first = write(tmp_path, HEAD + ROOT + bad_leaf, "first.toml")
    second = write(tmp_path, leaf("b").replace('unit = "t"\n', ""), "second.toml")
    with pytest.raises(FrameworkError) as caught:
        load_framework(first, second)
    text = str(caught.value)
    assert "first.toml: indicator 1 (a).direction: found 2; expected one of 1, -1" in text
    assert "first.toml: indicator 1 (a).colour: found an unknown key" in text
    assert "second.toml: indicator 1 (b).unit: found nothing" in text


def test_unknown_parent_names_the_nearest_group(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, HEAD + ROOT + leaf("a") + leaf("b", parent="rooot"))
    assert "b.parent: found 'rooot'" in problem
    assert "'root'?" in problem


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEAD + ROOT + leaf("a") + leaf("a"), "duplicate_code"),
        (HEAD + ROOT + ROOT.replace("root", "other") + leaf("a") + leaf("b", "other"), "not_one_root"),
        (HEAD + ROOT, "empty_group"),
        (ROOT + leaf("a"), "no_framework"),
        (HEAD + ROOT + leaf("a") + "[[colour]]\nx = 1\n", "unknown_key"),
        (HEAD.replace('version = "1"', "") + ROOT + leaf("a"), "missing_key"),
        (HEAD.replace('version = "1"', "version = 1") + ROOT + leaf("a"), "wrong_value"),
        (HEAD + ROOT + leaf("a", extra="lower = 3"), "wrong_value"),
        (HEAD + ROOT + leaf("a", extra="lower = 3\nupper = 3"), "wrong_value"),
        ("[framework", "not_toml"),
        (HEAD + ROOT + leaf("a") + judged("rot", '["a"]', 'rule = "equal"'), "unknown_group"),
        (HEAD + ROOT + leaf("a") + judged("root", '["b"]', 'rule = "equal"'), "unknown_item"),
        (HEAD + ROOT + leaf("a") + leaf("b") + judged("root", '["a"]', 'rule = "equal"'), "missing_item"),
        (HEAD + ROOT + leaf("a") + judged("root", '["a"]', 'rule = "ratio"\nscores = [0]'), "wrong_value"),
        (HEAD + ROOT + leaf("a") + judged("root", '["a"]', 'rule = "pairwise"\nmatrix = [[1, 2]]'), "wrong_value"),
        (PAIR + judged("root", '["a", "b"]', 'rule = "pairwise"\nmatrix = [[1, "a/b"], [2, 1]]'), "wrong_value"),
        (PAIR + judged("root", '["a", "b"]', 'rule = "pairwise"\nmatrix = [[1, "1/0"], [2, 1]]'), "wrong_value"),
        (PAIR + judged("root", '["a", "b"]', 'rule = "pairwise"\nmatrix = [[1, 3], ["1/2", 1]]'), "wrong_value"),
        (HEAD + ROOT + leaf("a") + 2 * judged("root", '["a"]', 'rule = "equal"'), "duplicate_judgement"),
        (
            HEAD + ROOT + '[[group]]\ncode = "g"\nparent = "root"\nname_zh = "组"\nname_en = "G"\n' + leaf("a", "g"),
            "no_judgement",
        ),
    ],
)
def test_each_fault_has_its_code(tmp_path: Path, text: str, code: str) -> None:
    assert any(problem.endswith(f"[{code}]") for problem in problems_of(tmp_path, text))


def test_cycle_is_found(tmp_path: Path) -> None:
    ring = "".join(
        f'[[group]]\ncode = "{code}"\nparent = "{parent}"\nname_zh = "组"\nname_en = "G"\n'
        for code, parent in (("x", "y"), ("y", "x"))
    )
    assert any("x -> y -> x" in problem for problem in problems_of(tmp_path, HEAD + ROOT + leaf("a") + ring))


def test_missing_file_is_a_problem_not_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(FrameworkError, match=r"nowhere.toml: found no such file"):
        load_framework(tmp_path / "nowhere.toml")


def test_a_group_can_stand_for_another_files_root(tmp_path: Path) -> None:
    wide = """
[[group]]
code = "top"
name_zh = "顶"
name_en = "Top"

[[group]]
code = "base"
parent = "top"
name_zh = "基"
name_en = "Base"
stands_for = "root"
"""
    tree = load_framework(
        write(tmp_path, HEAD + ROOT + leaf("a"), "base.toml"),
        write(tmp_path, HEAD + wide + leaf("b", "top") + judged("top", '["base", "b"]', 'rule = "equal"'), "wide.toml"),
    )
    assert tree.root == "top"
    assert tree.children == {"top": ("base", "b"), "base": ("a",)}


def test_hash_changes_with_a_judgement_only(tmp_path: Path) -> None:
    def tree(scores: str) -> Framework:
        body = judged("root", '["a", "b"]', f'rule = "ratio"\nscores = {scores}')
        return load_framework(write(tmp_path, HEAD + ROOT + leaf("a") + leaf("b") + body))

    assert tree("[1, 2]").hash == tree("[1, 2]").hash
    assert tree("[1, 2]").hash != tree("[1, 3]").hash


def test_pairwise_entries_may_be_fractions(tmp_path: Path) -> None:
    body = judged("root", '["a", "b"]', 'rule = "pairwise"\nmatrix = [[1, 3], ["1/3", 1]]')
    tree = load_framework(write(tmp_path, HEAD + ROOT + leaf("a") + leaf("b") + body))
    assert tree.judgement["root"].pairwise_matrix() == [[1.0, 3.0], [1 / 3, 1.0]]


@pytest.mark.parametrize(
    ("matrix", "said"),
    [('[[1, "a/b"], [2, 1]]', "'a/b' is no ratio"), ('[[1, 3], ["1/2", 1]]', "entry (1, 2) is 3 and its mirror 0.5")],
)
def test_a_wrong_entry_of_a_judgement_is_named(tmp_path: Path, matrix: str, said: str) -> None:
    (problem,) = problems_of(tmp_path, PAIR + judged("root", '["a", "b"]', f'rule = "pairwise"\nmatrix = {matrix}'))
    assert problem.startswith("tree.toml: judgement 1 (root)")
    assert said in problem


def test_fhi_tree_is_the_printed_one(reference: Path) -> None:
    tree = load_framework(*(Path("fhi/frameworks") / name for name in ("fhi.toml", "fhi_judgements.toml")))
    printed = pl.read_csv(reference / "fhi2017" / "framework.csv", encoding="utf8-lossy")
    ours = {code: (node.parent, node.name_zh, node.name_en) for code, node in tree.node.items()}
    theirs = {row["code"]: (row["parent"], row["name_zh"], row["name_en"]) for row in printed.iter_rows(named=True)}
    assert ours == theirs
    counts = [sum(level == wanted for level in tree.level.values()) for wanted in (1, 2, 3)]
    assert counts == [3, 16, 39]
    directions = dict(printed.filter(pl.col("level") == 3).select("code", "direction").iter_rows())
    assert {code: indicator.direction for code, indicator in tree.indicator.items()} == directions
