from pathlib import Path

import pytest

from fhi.framework import Framework
from green_index.moves.efforts import Effort, fix_indicators, read_efforts
from green_index.moves.errors import UnusableEffort


def write(folder: Path, text: str, name: str = "costs.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_and_toml_say_the_same(tmp_path: Path, framework: Framework) -> None:
    table = write(
        tmp_path,
        "\ufeffcode,cost_per_point,cost_per_unit,lower,upper,fixed_cost,switch\n"
        "size,2,,,80,,\nspeed,,0.5,30,,7,\n\npilot,1,,,,10,yes\n",
    )
    toml = write(
        tmp_path,
        "[[indicator]]\ncode = 'size'\ncost_per_point = 2\nupper = 80\n"
        "[[indicator]]\ncode = 'speed'\ncost_per_unit = 0.5\nlower = 30\nfixed_cost = 7\n"
        "[[indicator]]\ncode = 'pilot'\ncost_per_point = 1\nfixed_cost = 10\nswitch = true\n",
        "costs.toml",
    )
    expected = {
        "size": Effort(cost_per_point=2.0, upper=80.0),
        "speed": Effort(cost_per_unit=0.5, lower=30.0, fixed_cost=7.0),
        "pilot": Effort(cost_per_point=1.0, fixed_cost=10.0, switch=True),
    }
    assert read_efforts(table, framework) == expected
    assert read_efforts(toml, framework) == expected


def test_every_problem_of_a_file_at_once(tmp_path: Path, framework: Framework) -> None:
    path = write(
        tmp_path,
        "code,cost_per_point,cost_per_unit,lower,upper,fixed_cost,switch,price\n"
        "sise,1,,,,,,\nsize,dear,,,,-3,perhaps,\nspeed,1,2,60,40,,,9\nspeed,1,,,,,,\n",
    )
    with pytest.raises(UnusableEffort) as caught:
        read_efforts(path, framework)
    said = [(problem.where.removeprefix("costs.csv "), problem.code) for problem in caught.value.problems]
    assert said == [
        ("row 2, column code", "unknown_code"),
        ("row 3, column cost_per_point", "no_number"),
        ("row 3, column fixed_cost", "no_number"),
        ("row 3, column switch", "no_truth"),
        ("row 4, column price", "unknown_column"),
        ("row 4", "contradiction"),
        ("row 4", "contradiction"),
        ("row 5", "duplicate"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("costs.csv", "", "no_code"),
        ("costs.csv", "name,cost\nsize,1\n", "no_code"),
        ("costs.toml", "code = ", "not_toml"),
        ("costs.toml", "[size]\ncost_per_point = 1\n", "no_indicator"),
        ("costs.toml", "[[indicator]]\ncode = 'size'\ncost_per_point = true\n", "no_number"),
        ("costs.toml", "[[indicator]]\ncode = 'size'\nlower = nan\n", "no_number"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, framework: Framework, name: str, text: str, code: str) -> None:
    with pytest.raises(UnusableEffort) as caught:
        read_efforts(write(tmp_path, text, name), framework)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_file_that_is_not_there(tmp_path: Path, framework: Framework) -> None:
    with pytest.raises(UnusableEffort, match="unreadable"):
        read_efforts(tmp_path / "costs.csv", framework)


def test_groups_are_fixed_as_their_indicators(framework: Framework) -> None:
    assert fix_indicators({}, framework, ["care", "waste", "size"]) == ("waste", "pilot", "size")
    with pytest.raises(UnusableEffort) as caught:
        fix_indicators({"pilot": Effort(lower=100.0)}, framework, ["care", "car"])
    assert [problem.code for problem in caught.value.problems] == ["unknown_code", "contradiction"]
    assert "'care'?" in str(caught.value)
