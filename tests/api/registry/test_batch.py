"""Files of acts: checked as a whole, run in order, and the same file again changes nothing."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest

from api.registry import files as registry_files
from api.registry.bodies import BODIES

from .town import RESERVATION, Run, rows, state

_BATCH = [
    {"verb": "transfer", "id": "b1", "source": "A-1", "target": "B-1", "instrument": "CEA24", "quantity": 10},
    {"verb": "pre-allocate", "id": "b2", "scheme": "CN", "account": "B-1", "instrument": "CEA24", "quantity": 20}
    | {"compliance_year": 2024, "at": "2026-02-03T04:05:06Z", "actor": "ministry"},
    {"verb": "add_instrument", "id": "b3", "scheme": "CN", "code": "X", "kind": "allowance", "serialised": True}
    | {"only_kinds": ["issue", "cancel"]},
    {"verb": "transfer_linked", "id": "b4"}
    | {"movements": [{"source": "B-1", "target": "A-1", "instrument": "CEA24", "quantity": 1}]},
    {"verb": "settle", "id": "b5", "reservation": RESERVATION, "quantities": [50, 2500]},
]


def write_csv(path: Path, acts: list[dict[str, Any]]) -> Path:
    def cell(value: Any) -> str | None:
        if isinstance(value, list):
            return json.dumps(value) if value and isinstance(value[0], dict) else ";".join(map(str, value))
        return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    names = list(dict.fromkeys(name for act in acts for name in act))
    pl.DataFrame([{name: cell(act.get(name)) for name in names} for act in acts], infer_schema_length=None).write_csv(
        path
    )
    return path


def write_jsonl(path: Path, acts: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(act, ensure_ascii=False) for act in acts) + "\n", encoding="utf-8")
    return path


def test_cells_become_what_the_bodies_ask_for() -> None:
    """Every field of every verb: a whole number, a flag or a list exactly where the reader of CSV makes one."""

    def kinds(annotation: Any) -> set[Any]:
        return set().union(*map(kinds, get_args(annotation))) if get_args(annotation) else {annotation}

    fields = [(name, field.annotation) for body in BODIES.values() for name, field in body.model_fields.items()]
    for name, annotation in fields:
        if name in ("quantities", "only_kinds", "movements"):
            continue
        assert (int in kinds(annotation)) == (name in registry_files.WHOLE), name
        assert (bool in kinds(annotation)) == (name in registry_files.FLAGS), name
    lists = {name for name, annotation in fields if "list" in str(annotation)}
    assert lists == registry_files.SEVERAL | registry_files.AS_JSON


@pytest.mark.parametrize(("write", "name"), [(write_csv, "acts.csv"), (write_jsonl, "acts.jsonl")])
def test_a_file_of_acts(run: Run, home: Path, tmp_path: Path, write: Callable[..., Path], name: str) -> None:
    path = str(write(tmp_path / name, _BATCH))
    code, out, err = run("registry", "batch", path, "--check")
    assert (code, out) == (0, "")
    assert "5 acts" in err
    assert rows(run, "transactions", "--filter", "client_id=b1") == []
    code, out, err = run("registry", "batch", path, "--format", "json", "--actor", "robot")
    assert code == 0, err
    assert [(row["client_id"], row["status"], row["replayed"]) for row in json.loads(out)] == [
        (act["id"], "done", False) for act in _BATCH
    ]
    assert "5 done (0 of them before)" in err
    (second,) = rows(run, "transaction", "b2")
    assert (second["at"], second["actor"]) == ("2026-02-03T04:05:06.000000Z", "ministry")
    assert rows(run, "transaction", "b1")[0]["actor"] == "robot"
    assert rows(run, "instruments", "--filter", "instrument=X")[0]["only_kinds"] == ";issue;cancel;"
    # 600 - 10 + 1 - 50 and 10 + 20 - 1 + 50
    held = {row["account"]: row["quantity"] for row in rows(run, "holdings", "--filter", "instrument=CEA24")}
    assert (held["A-1"], held["B-1"]) == (541, 79)
    before = state(home)
    code, out, err = run("registry", "batch", path, "--lang", "zh")
    assert code == 0
    assert pl.read_csv(StringIO(out))["replayed"].all()
    assert "其中5项此前已完成" in err
    assert state(home) == before


def test_everything_wrong_with_a_file_at_once(run: Run, home: Path, tmp_path: Path) -> None:
    wrong = [
        _BATCH[0],
        {"verb": "fly", "id": "w1"},
        {"verb": "transfer", "id": "w2", "source": "A-1", "target": "B-1", "instrument": "CEA24", "quantity": "1.0"},
        {"verb": "transfer", "id": "", "source": "A-1", "target": "B-1", "instrument": "CEA24", "quantity": 1},
        {"verb": "transfer", "id": "b1", "source": "A-1", "target": "B-1", "instrument": "CEA24", "quantity": 1},
        {"verb": "register_entity", "id": "w5", "name": "X", "uscc": "91110000600037341K"},
        {"verb": "close_account", "id": "w6", "account": "A-1", "at": "noon", "actor": " "},
        {"verb": "close_account", "id": "w7", "quantity": 5},
    ]
    before = state(home)
    code, out, err = run("registry", "batch", str(write_csv(tmp_path / "wrong.csv", wrong)))
    assert (code, out) == (4, "")
    for row in range(3, 10):
        assert f"row {row}" in err
    assert "row 2," not in err
    for word in ("fly", "quantity", "first on row 2", "check_character", "noon", "account"):
        assert word in err
    for text in ("verb\n", "verb,id,colour\n", "verb,id,id\n", "verb,id\n", "", "verb,id\ntransfer,a,b,c,d\n"):
        (tmp_path / "head.csv").write_text(text, encoding="utf-8")
        assert run("registry", "batch", str(tmp_path / "head.csv"))[0] == 4
    (tmp_path / "lines.jsonl").write_text('{"verb": 1}\n[]\n{\n{"verb":"void","id":5}\n', encoding="utf-8")
    code, _, err = run("registry", "batch", str(tmp_path / "lines.jsonl"))
    assert code == 4
    assert all(f"row {row}" in err for row in (1, 2, 3, 4))
    twice = '{"verb":"transfer","id":"b1","source":"A-1","target":"B-1","instrument":"CEA24","quantity":5,"quantity":7}'
    (tmp_path / "twice.jsonl").write_text(twice + "\n", encoding="utf-8")
    code, _, err = run("registry", "batch", str(tmp_path / "twice.jsonl"))
    assert (code, "row 1: found the name 'quantity' more than once" in err) == (4, True)
    (tmp_path / "wide.csv").write_text("a" * 50_000 + "\n1\n", encoding="utf-8")
    code, _, err = run("registry", "batch", str(tmp_path / "wide.csv"))
    assert (code, len(err) < 5_000) == (4, True)
    assert state(home) == before


def transfer_act(client_id: str, quantity: int, **more: Any) -> dict[str, Any]:
    act = {"verb": "transfer", "id": client_id, "source": "A-1", "target": "B-1", "instrument": "CEA24"}
    return {**act, "quantity": quantity, **more}


def test_a_refusal_leaves_what_follows_for_later(run: Run, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "acts.csv", [transfer_act("1", 1), transfer_act("2", 10_000), transfer_act("3", 3)])
    code, out, err = run("registry", "batch", str(path), "--format", "json")
    assert code == 1
    assert [(row["status"], row["code"]) for row in json.loads(out)] == [
        ("done", None),
        ("failed", "C18"),
        ("not_run", None),
    ]
    assert "1 done (0 of them before), 1 refused, 0 not booked, 1 not run" in err
    assert rows(run, "transactions", "--filter", "client_id=3") == []
    code, out, _ = run("registry", "batch", str(path), "--keep-going", "--format", "table")
    assert code == 1
    assert "C18" in out
    assert rows(run, "transaction", "3")[0]["status"] == "done"


def test_an_id_in_use_spares_the_others_of_its_hundred(run: Run, tmp_path: Path) -> None:
    acts = [transfer_act("x1", 1), transfer_act("town-0", 1), transfer_act("x2", 2)]
    path = str(write_jsonl(tmp_path / "acts.jsonl", acts))
    code, out, _ = run("registry", "batch", path, "--keep-going", "--format", "json")
    assert code == 1
    done, used, later = json.loads(out)
    assert (done["status"], used["status"], later["status"]) == ("done", "not_booked", "done")
    assert "C19" in used["message"]
    code, out, _ = run("registry", "batch", path, "--format", "json")
    assert [row["status"] for row in json.loads(out)] == ["done", "not_booked", "not_run"]


def test_more_acts_than_a_commit_holds(run: Run, tmp_path: Path) -> None:
    """250 transfers of one tonne each, and one more that the reservation of 100 no longer allows, in third place."""
    acts = [transfer_act(f"n{number}", 1) for number in range(250)]
    acts.insert(230, transfer_act("much", 600 - 100 - 230 + 1))
    path = str(write_jsonl(tmp_path / "acts.jsonl", acts))
    code, out, _ = run("registry", "batch", path, "--format", "csv")
    table = pl.read_csv(StringIO(out))
    assert code == 1
    assert table["status"].to_list() == ["done"] * 230 + ["failed"] + ["not_run"] * 20
    code, out, _ = run("registry", "batch", path, "--format", "csv", "--keep-going")
    table = pl.read_csv(StringIO(out))
    assert (table["status"] == "done").sum() == 250
    (held,) = rows(run, "holdings", "--filter", "account=B-1", "--filter", "instrument=CEA24")
    assert held["quantity"] == 250
