import io
import sys

import pytest

from api.output import chosen_format, share, show


class Terminal(io.StringIO):
    """Standard output that says whether it is a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(("terminal", "form"), [(True, "table"), (False, "csv")])
def test_a_table_on_a_terminal_and_csv_in_a_pipe(monkeypatch: pytest.MonkeyPatch, terminal: bool, form: str) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal(terminal=terminal))
    assert chosen_format(None) == form
    assert chosen_format("json") == "json"


def test_missing_is_a_dash_and_zero_is_zero() -> None:
    assert show(None) == share(None) == "–"
    assert show(0.0) == "0.0"
    assert show(0) == "0"
    assert share(0.0) == "0%"


def test_figures_as_people_read_them() -> None:
    assert show(268545751.51) == "268,545,751.5"
    assert show(0.01234) == "0.0123"
    assert show(-2.25) == "-2.2"
    assert show(["a", "b"]) == "a; b"
    assert show(True) == "yes"
