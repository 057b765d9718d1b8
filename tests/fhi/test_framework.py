from pathlib import Path

import polars as pl
import pytest

from fhi.errors import FrameworkError
from fhi.framework import Framework, Indicator, load_framework

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
    bad_leaf = leaf("a", "rot").replace("direction = 1", "direction = 2") + 'colour = "green"\n'
    first = write(tmp_path, HEAD + ROOT + bad_leaf, "first.toml")
    second = write(tmp_path, leaf("b").replace("direction = 1\n", ""), "second.toml")
    with pytest.raises(FrameworkError) as caught:
        load_framework(first, second)
    text = str(caught.value)
    assert "first.toml: indicator 1 (a).direction: found 2; expected 1 (more is better) or -1 (less" in text
    assert "first.toml: indicator 1 (a).colour: found an unknown key" in text
    assert "first.toml: indicator 1 (a).parent: found 'rot'; expected a group of the tree: 'root'?" in text
    assert "second.toml: indicator 1 (b).direction: found nothing" in text


def test_unknown_parent_names_the_nearest_group(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, HEAD + ROOT + leaf("a") + leaf("b", parent="rooot"))
    assert "tree.toml: indicator 2 (b).parent: found 'rooot'" in problem
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
        (HEAD + ROOT.replace('name_zh = "根"\nname_en = "Root"\n', "") + leaf("a"), "missing_key"),
        (HEAD + ROOT + leaf("a", extra="per = 1000"), "wrong_value"),
        (HEAD + ROOT + leaf("a", extra="weight = -1"), "wrong_value"),
        (HEAD + ROOT + leaf("a", extra="target = inf"), "wrong_value"),
        (HEAD + ROOT + leaf("a", extra='denominator = "area"'), "unknown_denominator"),
        (HEAD + ROOT + leaf("a") + '[[denominator]]\ncode = "a"\nname_en = "A"\n', "duplicate_code"),
        (HEAD + ROOT + leaf("a") + '[[attribute]]\ncode = "root"\nname_en = "A"\n', "duplicate_code"),
        (HEAD + ROOT + leaf("a", extra="weight = 1") + leaf("b"), "missing_weight"),
        (HEAD + ROOT + leaf("a", extra="weight = 0") + leaf("b", extra="weight = 0"), "no_weight"),
        (HEAD + ROOT + leaf("a", extra="weight = 1") + judged("root", '["a"]', 'rule = "equal"'), "two_weightings"),
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
    ],
)
def test_each_fault_has_its_code(tmp_path: Path, text: str, code: str) -> None:
    assert any(problem.endswith(f"[{code}]") for problem in problems_of(tmp_path, text))


def test_cycle_is_found(tmp_path: Path) -> None:
    ring = "".join(
        f'[[group]]\ncode = "{code}"\nparent = "{parent}"\nname_zh = "组"\nname_en = "G"\n'
        for code, parent in (("x", "y"), ("y", "x"))
    )
    assert any("x below y below x" in problem for problem in problems_of(tmp_path, HEAD + ROOT + leaf("a") + ring))


def test_missing_file_is_a_problem_not_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(FrameworkError, match=r"nowhere.toml: found no such file"):
        load_framework(tmp_path / "nowhere.toml")


def test_a_file_of_another_kind_is_a_problem_too(tmp_path: Path) -> None:
    with pytest.raises(FrameworkError, match=r"old.xls: found a name that ends in .xls; expected .*\.toml, \.csv"):
        load_framework(tmp_path / "old.xls")


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
    assert tree.judgement["root"].expert_matrices[0].tolist() == [[1.0, 3.0], [1 / 3, 1.0]]


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ('[[1, "a/b"], [2, 1]]', "row 1, column 2: found 'a/b'"),
        ('[[1, 3], ["1/2", 1]]', "entry (1, 2) is 3 and its mirror 0.5"),
    ],
)
def test_a_wrong_entry_of_a_judgement_is_named(tmp_path: Path, matrix: str, said: str) -> None:
    (problem,) = problems_of(tmp_path, PAIR + judged("root", '["a", "b"]', f'rule = "pairwise"\nmatrix = {matrix}'))
    assert problem.startswith("tree.toml: judgement 1 (root)")
    assert said in problem


GROUP = '[[group]]\ncode = "g"\nparent = "root"\nname_en = "G"\n'


def test_groups_of_groups_need_no_judgement(tmp_path: Path) -> None:
    tree = load_framework(write(tmp_path, HEAD + ROOT + GROUP + leaf("a", "g")))
    assert tree.judgement == {}
    assert [node.weight for node in tree.node.values()] == [None, None, None]


def test_one_name_and_few_texts_are_enough(tmp_path: Path) -> None:
    bare = '[[indicator]]\ncode = "a"\nparent = "g"\nname_zh = "叶"\ndirection = -1\n'
    tree = load_framework(write(tmp_path, HEAD + ROOT + GROUP + bare))
    assert (tree.node["g"].name_zh, tree.node["a"].name_en) == ("G", "叶")
    assert tree.indicator["a"].definition == ""


def test_weights_target_and_denominator_are_read(tmp_path: Path) -> None:
    more = 'weight = 2\ntarget = 9.5\ndenominator = "people"\nper = 1000'
    people = '[[denominator]]\ncode = "people"\nname_en = "Residents"\nunit = "persons"\n'
    tree = load_framework(write(tmp_path, HEAD + ROOT + leaf("a", extra=more) + leaf("b", extra="weight = 0") + people))
    a = tree.indicator["a"]
    assert (a.weight, a.target, a.denominator, a.per) == (2.0, 9.5, "people", 1000.0)
    assert tree.denominator["people"].unit == "persons"
    assert "people" not in tree.node


def test_a_broken_entry_brings_no_other_problems_along(tmp_path: Path) -> None:
    text = HEAD + ROOT.replace("name_en", "nam_en") + GROUP.replace("name_en", "nam_en") + leaf("a", "g", "weight = -1")
    problems = problems_of(tmp_path, text + leaf("b", "g"))
    assert [problem.split(": found")[0].split(": ", 1)[1] for problem in problems] == [
        "group 1 (root).nam_en",
        "group 2 (g).name_en",
        "group 2 (g).nam_en",
        "indicator 1 (a).weight",
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("fhi/frameworks/fhi.toml", "fhi/frameworks/fhi_judgements.toml"),
        (
            *("fhi/frameworks/fhi.toml", "fhi/frameworks/fhi_judgements.toml"),
            *("green_index/frameworks/green.toml", "green_index/frameworks/green_judgements.toml"),
        ),
    ],
)
def test_shipped_trees_state_everything(names: tuple[str, ...]) -> None:
    tree = load_framework(*(Path(name) for name in names))
    texts = [key for key, info in Indicator.model_fields.items() if info.annotation is str]
    assert {"unit", "unit_zh", "definition_zh", "null_means", "zero_means_zh", "source", "name_zh"} <= set(texts)
    silent = [(leaf.code, key) for leaf in tree.indicators for key in texts if not getattr(leaf, key)]
    assert silent == []
    with_children = {code for code, below in tree.children.items() if set(below) & set(tree.children)}
    assert with_children <= set(tree.judgement)
    assert all(entry.when and entry.reason and entry.reason_zh for entry in tree.judgements)


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


@pytest.mark.parametrize("code", ["hub", "period", "unit"])
def test_codes_that_are_columns_of_our_own_are_taken(tmp_path: Path, code: str) -> None:
    path = tmp_path / "tree.csv"
    path.write_text(f"code,parent,name_en,direction\ntop,,Top,\n{code},top,A,1\n", encoding="utf-8")
    with pytest.raises(FrameworkError, match=f"column code: found '{code}'; expected a code other than hub, period"):
        load_framework(path)


def test_a_folder_is_no_framework(tmp_path: Path) -> None:
    (tmp_path / "tree.toml").mkdir()
    with pytest.raises(FrameworkError, match=r"tree\.toml: found no such file"):
        load_framework(tmp_path / "tree.toml")
