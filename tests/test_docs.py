"""The READMEs tell the truth: every command shown with output is run, and gives just that output."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_FILE = re.compile(r"```\w+ (\w+\.\w+)\n(.*?)```", re.DOTALL)


def shown_commands() -> list[tuple[str, str, str]]:
    """File, command and output of every console transcript."""
    found = []
    for name in READMES:
        for block in _CONSOLE.findall((ROOT / name).read_text(encoding="utf-8")):
            command, _, output = block.partition("\n")
            found.append((name, command.removeprefix("$ "), output))
    return found


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A home for each README, with the files that it prints."""
    made = {name: tmp_path_factory.mktemp("home") for name in READMES}
    for name, home in made.items():
        for file, content in _FILE.findall((ROOT / name).read_text(encoding="utf-8")):
            (home / file).write_text(content, encoding="utf-8")
    return made


@pytest.mark.parametrize(("name", "command", "output"), shown_commands())
def test_transcript(name: str, command: str, output: str, homes: dict[str, Path]) -> None:
    home = homes[name]
    words = command.split()
    assert words[0] == "greenfin", name
    script = f"import sys; from api.cli import main; sys.argv = {words!r}; main()"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"GREENFIN_HOME": str(home), "PATH": "", "PYTHONUTF8": "1"},
        check=True,
        cwd=home,
    )
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines == output.splitlines()


def test_both_readmes_show_the_same_commands() -> None:
    commands = {name: [command for file, command, _ in shown_commands() if file == name] for name in READMES}
    stripped = [[command.replace(" --lang zh", "") for command in commands[name]] for name in READMES]
    assert stripped[0] == stripped[1]
    assert stripped[0]


def test_the_two_commands_come_first() -> None:
    for name in READMES:
        head = (ROOT / name).read_text(encoding="utf-8").splitlines()[:20]
        run = next(i for i, line in enumerate(head) if line.startswith("make run"))
        assert head[run + 1].startswith("make test")


def test_every_command_of_the_command_line_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    from api.cli import app

    for entry in app.registered_commands:
        name = entry.callback.__name__ if entry.callback else ""
        assert re.search(rf"\b{name}\b", text), name
