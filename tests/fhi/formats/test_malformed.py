"""Every malformed file of tests/fhi/malformed and what is said about it, held against one golden file.

A message is part of what users see, so a change of words must be seen too. After a wanted change, write the golden
file anew and read the difference as a newcomer would:

    GREENFIN_RENEW_GOLDEN=1 pytest tests/fhi/formats/test_malformed.py
"""

import os
from pathlib import Path

import pytest

from fhi.errors import FrameworkError, PanelError, Problem
from fhi.formats.panel_files import load_panel
from fhi.framework import load_framework

FILES = Path(__file__).parents[1] / "malformed"
GOLDEN = Path(__file__).parents[1] / "golden" / "malformed.txt"
FRAMEWORKS = sorted((FILES / "frameworks").iterdir())
PANELS = sorted(path for path in (FILES / "panels").iterdir() if path.name != "tree.toml")


def problems_of_framework(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(FrameworkError) as caught:
        load_framework(path)
    return caught.value.problems


def problems_of_panel(path: Path) -> tuple[Problem, ...]:
    try:
        return load_panel(path, load_framework(FILES / "panels" / "tree.toml")).problems
    except PanelError as error:
        return error.problems


def said_of(path: Path) -> str:
    found = problems_of_framework(path) if path.parent.name == "frameworks" else problems_of_panel(path)
    return "".join(f"  {problem}\n" for problem in found)


def test_every_message_is_the_golden_one() -> None:
    said = "\n".join(f"{path.parent.name}/{path.name}\n{said_of(path)}" for path in [*FRAMEWORKS, *PANELS])
    if os.environ.get("GREENFIN_RENEW_GOLDEN"):
        GOLDEN.write_text(said, encoding="utf-8")
    assert said.splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("path", [*FRAMEWORKS, *PANELS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_problem_names_its_file_or_entry_and_a_remedy(path: Path) -> None:
    problems = problems_of_framework(path) if path.parent.name == "frameworks" else problems_of_panel(path)
    assert problems
    for problem in problems:
        assert problem.where.startswith((path.name, "code ", "group ", "the tree"))
        assert problem.found
        assert problem.expected
