"""Every verb by its command: done once, refused for ever, or told that the words are wrong."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import polars as pl
import pytest

from api.registry import store as registry_store
from carbon.ledger.orders import us_from_time

from .town import A1, CEA24, CN, COMMANDS, DAY_US, FAR_US, MOVE, RESERVATION, START_US, Run, Words, rows, state


def test_every_verb_has_a_command() -> None:
    assert set(COMMANDS) == {*registry_store.VERBS, "expire"}


@pytest.mark.parametrize("verb", sorted(COMMANDS))
def test_each_verb_is_done_once(run: Run, home: Path, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Done the first time; done before, with nothing changed, the second; another act under the id is refused."""
    if verb == "expire":
        monkeypatch.setattr("api.registry.options.now_us", lambda: FAR_US + 2 * DAY_US)
    words = ("registry", *COMMANDS[verb], "--id", "mine", "--actor", "clerk", "--format", "json")
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    (receipt,) = json.loads(out)
    client_id = f"mine:{RESERVATION}" if verb == "expire" else "mine"
    kind = {"expire": "void", "transfer_linked": "transfer"}.get(verb, verb)  # as the log has it
    assert (receipt["client_id"], receipt["kind"], receipt["status"]) == (client_id, kind, "done")
    assert not receipt["replayed"]
    (told,) = rows(run, "transactions", "--filter", f"client_id={client_id}")
    assert told["actor"] == "clerk"
    before = state(home)
    code, out, _ = run(*words)
    assert code == 0
    assert all(again["replayed"] for again in json.loads(out))
    assert len(json.loads(out)) == (0 if verb == "expire" else 1)
    assert state(home) == before
    if verb != "expire":
        code, out, err = run("registry", "issue", *CN, *CEA24, "--quantity", "77", "--id", "mine")
        assert (code, out) == (1, "")
        assert "C19" in err
        assert state(home) == before


def test_a_refused_act_says_why_and_stays_failed(run: Run) -> None:
    words = ("registry", "transfer", "--from", "B-1", "--to", "A-1", *CEA24, "--quantity", "1", "--id", "no")
    code, out, err = run(*words, "--format", "json")
    assert code == 1
    (receipt,) = json.loads(out)
    assert (receipt["status"], receipt["code"], receipt["replayed"]) == ("failed", "C18", False)
    assert "refused (C18)" in err
    assert "the id no stays failed" in err.lower()
    code, out, err = run(*words, "--format", "table", "--lang", "zh")
    assert code == 1
    assert "此前已被拒绝" in out
    assert "C18，不得超过可用持有量" in err
    assert "编号no保持失败" in err


def test_an_id_is_made_up_and_told(run: Run) -> None:
    code, out, err = run("registry", "transfer", *MOVE, "--format", "csv")
    assert code == 0
    receipt = pl.read_csv(StringIO(out)).row(0, named=True)
    assert receipt["client_id"].startswith("cli-")
    assert f"--id {receipt['client_id']}" in err
    code, out, _ = run("registry", "transfer", *MOVE, "--format", "table", "--id", receipt["client_id"])
    assert code == 0
    assert out.startswith("done before, nothing changed: transfer")


def test_when_and_by_whom_is_kept(run: Run) -> None:
    at = "2026-03-04T05:06:07+08:00"
    assert run("registry", "transfer", *MOVE, "--id", "x", "--at", at, "--actor", "王")[0] == 0
    (told,) = rows(run, "transaction", "x")
    assert (told["at"], told["actor"]) == ("2026-03-03T21:06:07.000000Z", "王")
    assert (told["source"], told["target"], told["quantity"]) == ("A-1", "B-1", 10)


@pytest.mark.parametrize("quantity", ["5.0", "1,000", "-5", "0", "", " 5", "1_0", "٥", "1e3", "9007199254740993"])
def test_a_quantity_is_plain_digits(run: Run, home: Path, quantity: str) -> None:
    before = state(home)
    code, out, err = run("registry", "transfer", *MOVE[:-1], quantity)
    assert (code, out) == (2, "")
    assert "quantity" in err
    assert state(home) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("transfer",), 2),
        (("nonsense",), 2),
        (("transfer", *MOVE, "--kind", "gift"), 2),
        (("transfer", *MOVE, "--at", "yesterday"), 2),
        (("transfer", *MOVE, "--at", "2026-01-01T00:00:00"), 2),
        (("transfer", *MOVE, "--actor", ""), 2),
        (("transfer", *MOVE, "--id", "a\nb"), 2),
        (("open-account", "--code", "Z", *CN, "--type", "pirate"), 2),
        (("transfer-linked",), 2),
        (("transfer-linked", "--movement", "A-1,B-1,CEA24"), 2),
        (("transfer-linked", "x.toml", "--movement", "A-1,B-1,CEA24,1"), 2),
        (("transfer-linked", "absent.toml"), 4),
        (("reserve", "--until", "soon", "--movement", "A-1,B-1,CEA24,1"), 2),
        (("reserve", "--until", "2001-01-01T00:00:00Z", "--movement", "A-1,B-1,CEA24,1"), 4),
        (("register-entity", "--name", "X", "--uscc", "91110000600037341K"), 4),
        (("register-entity", "--name", "X"), 4),
        (("surrender", *CN, *A1, *CEA24, "--quantity", "1", "--year", "24"), 2),
        (("holdings", "--filter", "nonsense=1"), 2),
        (("holdings", "--filter", "account"), 2),
        (("holdings", "--filter", "account=A", "--filter", "account=B"), 2),
        (("holdings", "--sort", "nonsense"), 2),
        (("holdings", "--after", "nonsense"), 2),
        (("holdings", "--limit", "0"), 2),
        (("holdings", "--limit", "1001"), 2),
        (("account", "NOBODY"), 3),
        (("transaction", "nothing"), 3),
        (("trace", "CEA24:99999999"), 3),
        (("trace", "nonsense"), 3),
        (("compliance", "--as-of", "tomorrow"), 2),
        (("compliance", "--account", "NOBODY"), 3),
        (("compliance", "--scheme", "NONE"), 3),
        (("close-account", *A1, "--id", ""), 2),
        (("close-account", *A1, "--at", "0001-01-01T00:00:00+08:00"), 2),
        (("export", "cad-trust", "nowhere/units.json"), 2),
        (("export", "euets-ledger", "release.csv"), 4),
        (("export", "cad-trust", "units.json", "--imported", "x"), 2),
        (("export", "euets", "release.zip", "--imported", "x"), 4),
        (("import", "nonsense", "x"), 2),
        (("import", "cad-trust", "absent.json"), 4),
        (("export", "nonsense", "x"), 2),
        (("batch", "absent.csv"), 4),
        (("accounts", "--format", "xml"), 2),
        (("accounts", "--lang", "fr"), 2),
    ],
)
def test_wrong_words_change_nothing(run: Run, home: Path, words: Words, expected: int) -> None:
    before = state(home)
    code, out, err = run("registry", *words)
    assert (code, out) == (expected, "")
    assert err
    assert state(home) == before


def test_movements_from_files(run: Run, tmp_path: Path) -> None:
    toml = tmp_path / "swap.toml"
    toml.write_text(
        '[[movement]]\nsource = "A-1"\ntarget = "B-1"\ninstrument = "CEA24"\nquantity = 7\n'
        '[[movement]]\nsource = "B-1"\ntarget = "A-1"\ninstrument = "CNY"\nquantity = 70\n',
        encoding="utf-8",
    )
    assert run("registry", "transfer-linked", str(toml), "--id", "t")[0] == 0
    assert [row["quantity"] for row in rows(run, "transaction", "t")] == [7, 70]
    listed = tmp_path / "swap.json"
    listed.write_text(
        json.dumps([{"source": "A-1", "target": "B-1", "instrument": "CEA24", "quantity": 8}]), encoding="utf-8"
    )
    assert run("registry", "reserve", str(listed), "--until", "2100-01-01T00:00:00Z", "--id", "r")[0] == 0
    assert [row["quantity"] for row in rows(run, "transaction", "r")] == [8]
    for wrong in ('{"a": 1}', "[1]", "[", '[{"source": "A-1"}]', '[{"source":"A-1","quantity":1.0}]'):
        listed.write_text(wrong, encoding="utf-8")
        code, _, err = run("registry", "transfer-linked", str(listed))
        assert code in (2, 4)
        assert "found" in err


def test_no_act_is_of_tomorrow(run: Run) -> None:
    code, _, err = run("registry", "issue", *CN, *CEA24, "--quantity", "1", "--at", "2100-01-01T00:00:00Z")
    assert code == 2
    assert "a time that has come" in err


def test_times_of_the_town_are_what_they_say() -> None:
    assert us_from_time(datetime(2026, 1, 1, tzinfo=UTC)) == START_US
    assert us_from_time(datetime(2100, 1, 1, tzinfo=UTC)) == FAR_US
