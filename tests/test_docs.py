"""The READMEs and the studies tell the truth: every command shown with output is run, and gives just that output; every
picture is what the command beside it draws."""

import re
import sys
from pathlib import Path

import pytest

from api import cli

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")
STUDIES = ("docs/wuhan-2013-2023.md", "docs/wuhan-2013-2023.zh-CN.md")
PAGES = (*READMES, *STUDIES)
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_FILE = re.compile(r"```\w+ (\w+\.\w+)\n(.*?)```", re.DOTALL)
_PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")


def shown_commands() -> list[tuple[str, str, str]]:
    """File, command and output of every console transcript."""
    found = []
    for name in PAGES:
        for block in _CONSOLE.findall((ROOT / name).read_text(encoding="utf-8")):
            command, _, output = block.partition("\n")
            found.append((name, command.removeprefix("$ "), output))
    return found


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A home for each page, with the files that it prints and a folder for its pictures."""
    made = {name: tmp_path_factory.mktemp("home") for name in PAGES}
    for name, home in made.items():
        (home / "pictures").mkdir()
        for file, content in _FILE.findall((ROOT / name).read_text(encoding="utf-8")):
            (home / file).write_text(content, encoding="utf-8")
    return made


@pytest.mark.parametrize(("name", "command", "output"), shown_commands())
def test_transcript(
    name: str,
    command: str,
    output: str,
    homes: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = homes[name]
    words = command.split()
    assert words[0] == "greenfin", name
    monkeypatch.chdir(home)
    monkeypatch.setenv("GREENFIN_HOME", str(home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(sys, "argv", words)
    code: object = 0
    try:
        cli.main()
    except SystemExit as stopped:
        code = stopped.code or 0
    assert code == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == output.splitlines()
    if words[1] == "picture":
        drawn = words[words.index("--out") + 1]
        assert (home / drawn).read_bytes() == (ROOT / name).parent.joinpath(drawn).read_bytes()


@pytest.mark.parametrize("name", STUDIES)
def test_every_picture_of_a_study_is_drawn_by_a_command_beside_it(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    drawn = {command.split()[-1] for file, command, _ in shown_commands() if file == name and " picture " in command}
    assert set(_PICTURE.findall(text)) == drawn
    assert drawn


@pytest.mark.parametrize("pages", [READMES, STUDIES])
def test_both_languages_show_the_same_commands(pages: tuple[str, str]) -> None:
    commands = [
        [
            command.replace(" --lang zh", "").replace(".zh.svg", ".svg")
            for file, command, _ in shown_commands()
            if file == name
        ]
        for name in pages
    ]
    assert commands[0] == commands[1]
    assert commands[0]


def test_the_two_commands_come_first() -> None:
    for name in READMES:
        head = (ROOT / name).read_text(encoding="utf-8").splitlines()[:20]
        run = next(i for i, line in enumerate(head) if line.startswith("make run"))
        assert head[run + 1].startswith("make test")


def test_every_command_of_the_command_line_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for entry in cli.app.registered_commands:
        name = entry.callback.__name__ if entry.callback else ""
        assert re.search(rf"\b{name}\b", text), name
