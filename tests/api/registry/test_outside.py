"""Outside registers in and out, the audit, and keys."""

import json
import sqlite3
import zipfile
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

from api.keys import KeyUnknown, find_key

from .town import Run, rows, state


def test_formats_are_listed(run: Run) -> None:
    listed = {(row["way"], row["format"]) for row in rows(run, "formats")}
    assert {("import", "euets"), ("import", "cad-trust"), ("export", "cad-trust")} <= listed
    assert "CAD Trust" in run("registry", "formats", "--format", "table", "--lang", "zh")[1]


def test_out_to_cad_trust_and_into_an_empty_registry(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "units.json"
    code, _, err = run("registry", "export", "cad-trust", str(target), "--format", "json")
    assert code == 0
    assert str(target) in err
    written = target.read_bytes()
    assert run("registry", "export", "cad-trust", str(target))[0] == 2
    assert target.read_bytes() == written
    assert run("registry", "export", "cad-trust", str(target), "--replace")[0] == 0
    blocks = {(row["instrument"], row["serial_first"], row["quantity"]) for row in rows(run, "blocks")}
    monkeypatch.setenv("GREENFIN_HOME", str(tmp_path / "other"))
    code, out, err = run("registry", "import", "cad-trust", str(target), "--format", "json")
    assert code == 0, err
    figures = {row["what"]: row["figure"] for row in json.loads(out)}
    assert figures["rows booked"] == len(blocks)
    assert {(row["instrument"], row["serial_first"], row["quantity"]) for row in rows(run, "blocks")} == blocks
    before = state(tmp_path / "other")
    code, _, err = run("registry", "import", "cad-trust", str(target), "--lang", "en")
    assert code == 0
    assert "imported before" in err
    assert state(tmp_path / "other") == before


def test_an_earlier_release_is_given_back_by_its_id(run: Run, tmp_path: Path) -> None:
    for number in (1, 2):
        source = tmp_path / f"account{number}" / "account_type.csv"
        source.parent.mkdir()
        source.write_text(f"id,description\n{number},fictitious\n")
        assert run("registry", "import", "euets", str(source), "--id", f"release-{number}")[0] == 0
    for words, number in (((), 2), (("--imported", "release-1"), 1)):
        target = tmp_path / f"back-{number}.zip"
        assert run("registry", "export", "euets", str(target), *words)[0] == 0
        with zipfile.ZipFile(target) as archive:
            assert archive.read("account_type.csv").decode() == f"id,description\n{number},fictitious\n"


@pytest.mark.parametrize("format", ["euets", "offsets"])
def test_what_is_no_such_file_is_not_booked(run: Run, home: Path, tmp_path: Path, format: str) -> None:
    """Else a typing mistake would be a release from then on, and the latest one."""
    (tmp_path / "plants.csv").write_text("entity,unit\nA,1\n")
    (tmp_path / "empty").mkdir()
    with zipfile.ZipFile(tmp_path / "text.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    (tmp_path / "nothing.csv").write_text("")
    before = state(home)
    for name in ("plants.csv", "empty", "text.zip", "nothing.csv"):
        code, _, err = run("registry", "import", format, str(tmp_path / name))
        assert (code, "expected" in err) == (4, True), name
    assert state(home) == before


def test_problems_of_an_import_go_to_a_file(run: Run, outside_data: Path, tmp_path: Path) -> None:
    source = outside_data / "offsets" / "verra_vcus_sample_with_serials.csv.gz"
    listed = tmp_path / "problems.csv"
    code, out, err = run("registry", "import", "offsets", str(source), "--problems", str(listed), "--format", "json")
    assert code == 0, err
    figures = {row["what"]: row["figure"] for row in json.loads(out)}
    assert figures["rows read"] == 731
    assert pl.read_csv(listed).columns == ["file", "row", "column", "found", "expected", "code", "severity"]
    assert run("registry", "import", "offsets", str(source), "--problems", str(listed))[0] == 2


def test_an_audit_without_errors(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The town has not surrendered in time, which is a warning and no error; an empty registry has nothing at all."""
    code, out, err = run("audit", "--format", "json")
    assert code == 0
    assert [(row["code"], row["severity"], row["account"]) for row in json.loads(out)] == [("C31", "warning", "A-1")]
    assert "C31 warning: 1" in err
    code, out, err = run("audit", "--severity", "error", "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert "not shown: 1 of the findings" in err
    monkeypatch.setenv("GREENFIN_HOME", str(tmp_path / "empty"))
    code, out, err = run("audit", "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert "nothing was found" in err
    code, out, _ = run("audit", "--checks", "--format", "json")
    assert [row["code"] for row in json.loads(out)] == [f"C{number:02}" for number in range(1, 45)]


def test_an_audit_after_the_database_was_edited(run: Run, home: Path) -> None:
    (database,) = home.glob("*.sqlite")
    with sqlite3.connect(database) as connection:
        connection.execute(
            "UPDATE registry_holding SET quantity = quantity + 1 WHERE account_id ="
            " (SELECT id FROM registry_account WHERE code = 'B-1')"
        )
    connection.close()
    code, out, err = run("audit", "--format", "json")
    assert code == 1
    found = json.loads(out)
    assert "B-1" in {row["account"] for row in found}
    assert any(row["code"] in err for row in found)
    only = found[0]["code"]
    code, out, _ = run("audit", "--code", only, "--format", "json")
    assert code == 1
    assert {row["code"] for row in json.loads(out)} == {only}
    code, out, err = run("audit", "--code", "C14", "--format", "csv")
    assert code == 1
    assert pl.read_csv(StringIO(out)).height == 0
    assert "not shown" in err
    code, out, _ = run("audit", "--format", "table", "--lang", "zh", "--severity", "error")
    assert code == 1
    assert "错误" in out
    assert run("audit", "--code", "SEAL", "--format", "csv")[0] == 1
    assert run("audit", "--code", "C99")[0] == 2
    assert run("audit", "--severity", "fatal")[0] == 2


def test_a_published_head_that_the_log_no_longer_has(run: Run) -> None:
    _, out, _ = run("registry", "seal", "--format", "json")
    assert run("audit", "--head", json.loads(out)[0]["sha256"])[0] == 0
    # Half of a digest is a slip of the mouse and not a log that was rewritten.
    assert run("audit", "--head", json.loads(out)[0]["sha256"][:32])[0] == 2
    code, _, err = run("audit", "--head", "0" * 64)
    assert code == 1
    assert "SEAL error: 1" in err


def test_keys(run: Run, engine_of: Engine) -> None:
    code, out, err = run("keys", "create", "robot")
    secret = out.strip()
    assert code == 0
    assert "not shown again" in err
    assert secret not in err
    assert find_key(engine_of, secret, "write") == "robot"
    code, out, _ = run("keys", "list", "--format", "json")
    assert [row["name"] for row in json.loads(out)] == ["robot"]
    assert secret not in out
    assert run("keys", "create", "robot")[0] == 2
    assert run("keys", "create", "a b")[0] == 2
    code, _, err = run("keys", "create", "CLI")
    assert (code, "the software itself acts" in err) == (2, True)
    assert run("keys", "create", "other", "--role", "king")[0] == 2
    assert run("keys", "revoke", "nobody")[0] == 3
    assert run("keys", "revoke", "robot", "--lang", "zh")[1] == "密钥robot已吊销\n"
    with pytest.raises(KeyUnknown):
        find_key(engine_of, secret, "write")
    assert "before" in run("keys", "revoke", "robot")[1]
