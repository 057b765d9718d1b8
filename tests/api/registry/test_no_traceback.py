"""Whatever is typed, nobody sees a traceback."""

import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbon.ledger.listings import LISTINGS

from .town import A1, COMMANDS, Run, Words

_JUNK = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["--filter", "--sort", "--after", "--limit", "--all", "--format", "json", "table", "--lang", "zh"]),
    st.sampled_from(
        ["account=A-1", "at_from=2026-01-01", "-at", "WyJhIl0", "CEA24:1-5", "2024", "--id", "--at", "x" * 200]
    ),
    st.sampled_from(["0", "-1", "99999999999999999999", "1e9", "nan", "2026-13-45", "0001-01-01T00:00:00+23:59"]),
)
_PHRASES = [
    *(("registry", *words) for words in COMMANDS.values()),
    *(("registry", name, "--sort", "a", "--filter", "account=A-1") for name in LISTINGS),
    *(("registry", *words) for words in (("account", "A-1"), ("transaction", "town-1"), ("trace", "CEA24:1-5"))),
    ("registry", "compliance", "--scheme", "CN", "--year", "2024", "--as-of", "2026-01-01"),
    ("registry", "batch", "acts.csv"),
    ("audit", "--head", "a", "--code", "C18"),
    ("keys", "revoke", "x"),
    ("rules", "--scheme", "CN", "--year", "2024", "--kind", "benchmark"),
    ("allocate", "units.csv", "--scheme", "CN", "--on", "2025-01-01", "--net-sales", "1", "--holding", "1"),
    ("check-code", "91110000600037341L"),
]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(phrase=st.sampled_from(_PHRASES), changes=st.lists(st.tuples(st.integers(1, 12), _JUNK), max_size=3))
def test_no_words_end_in_a_traceback(run: Run, phrase: Words, changes: list[tuple[int, str]]) -> None:
    """Known words with some of them put in the place of others, or added. An error that nobody foresaw would come
    through `main` as itself."""
    words = list(phrase)
    for place, junk in changes:
        words[place : place + 1] = [junk.replace("\x00", "")]
    code, _, err = run(*words)
    assert code in (0, 1, 2, 3, 4)
    assert "Traceback" not in err


def test_words_that_are_no_text(town: Path) -> None:
    """A terminal may hand over bytes that are no UTF-8."""
    start = [sys.executable, "-c", "from api.cli import main; main()", "registry"]
    environ = {"GREENFIN_HOME": str(town), "PATH": ""}
    for words in (["account"], ["close-account", "--account"], ["appoint", *A1, "--role", "primary", "--name"]):
        done = subprocess.run([*start, *words, b"\xff"], env=environ, capture_output=True)
        assert done.returncode == 2, done.stderr
        assert b"Traceback" not in done.stderr
