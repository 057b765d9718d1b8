"""Personal carbon accounts at the command line and over HTTP: the same verbs, keys, salts, and no id in clear."""

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api import person_salts, persons
from api import person_schemas as schemas
from api.app import create_app
from api.keys import create_key
from api.person_salts import SaltsError, load_salts
from api.settings import Settings
from api.store import open_store
from carbon.ledger.book import Act
from carbon.ledger.parties import open_account, register_entity
from carbon.ledger.post import writing

Run = Callable[..., tuple[int, str, str]]
SALTS = (
    'claims = "the salt of the claims, 32 bytes and more"\n'
    '[persons]\napp = "the salt of the persons, 32 bytes and more"\n'
)
METHODS = (
    "method,valid_from,activity,baseline_g,activity_g,unit,cap_day_g,source,confidence,name_zh,name_en\n"
    "walk,2024-01-01,walking,150,50,pkm,1500,invented for tests,M,步行,Walking\n"
    "big,2024-01-01,pv,1000000,0,kWh,,invented for tests,M,光伏,Solar power\n"
)
CONSENTS = "person,hub,event,day,purposes,methods\nann@mail,wuhan,given,2025-01-01,record;certify,*\n"
CLAIMS = (
    "claim,person,day,method,amount,unit\n"
    "r1,ann@mail,2025-06-01,walk,10,pkm\n"
    "r2,ann@mail,2025-06-01,walk,10.001,pkm\n"
    "r3,ann@mail,2025-06-02,big,1.5,kWh\n"
    "r4,bob@mail,2025-06-02,big,1.5,kWh\n"
    "r5,ann@mail,soon,big,a lot,kWh\n"
)


@pytest.fixture
def salts(tmp_path: Path) -> Path:
    """A file of salts apart from the data."""
    path = tmp_path / "secrets" / "salts.toml"
    path.parent.mkdir()
    path.write_text(SALTS, encoding="utf-8")
    return path


@pytest.fixture
def prepared(home: Path, first_home: Path, salts: Path) -> Settings:
    """Settings of a home whose ledger has an account for the platform."""
    shutil.copytree(first_home, home)
    settings = Settings.from_env({"GREENFIN_HOME": str(home), "GREENFIN_PERSON_SALTS": str(salts)})
    store = open_store(settings)
    with writing(store.engine) as connection:
        assert register_entity(connection, Act("e", 1, "t"), name="App", code="APP", contact="K").done
        names = {"primary": "P", "secondary": "S"}
        opened = {"code": "APP", "scheme": "CN-WH-TPH", "type": "trading", "entity": "APP"}
        assert open_account(connection, Act("o", 2, "t"), **opened, **names).done
    store.close()
    return settings


@pytest.fixture
def run(prepared: Settings, salts: Path, monkeypatch: pytest.MonkeyPatch, command: Run) -> Run:
    """Run one command there."""
    monkeypatch.setenv("GREENFIN_HOME", str(prepared.home))
    monkeypatch.setenv("GREENFIN_PERSON_SALTS", str(salts))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return command


def register(run: Run, tmp_path: Path) -> None:
    """The platform, the methods and Ann's consent."""
    for name, text in (("methods", METHODS), ("consents", CONSENTS), ("claims", CLAIMS)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    ledger = ("--scheme", "CN-WH-TPH", "--account", "APP", "--instrument", "WHTPH")
    assert run("persons", "platform", "app", "--name", "App", *ledger)[0] == 0
    assert run("persons", "methods", str(tmp_path / "methods.csv"))[0] == 0
    code, _out, err = run("persons", "register", str(tmp_path / "consents.csv"), "--platform", "app")
    assert (code, "1 rows kept" in err) == (0, True)


def rows_of(run: Run, *words: str) -> list[dict[str, Any]]:
    code, out, err = run("persons", *words, "--format", "json")
    assert code == 0, err
    found: list[dict[str, Any]] = json.loads(out)
    return found


def test_a_person_from_consent_to_erasure(run: Run, tmp_path: Path) -> None:
    register(run, tmp_path)
    code, out, err = run("persons", "record", str(tmp_path / "claims.csv"), "--platform", "app", "--format", "json")
    told = {row["row"]: (row["status"], row["code"], row["credited_g"], row["over_cap_g"]) for row in json.loads(out)}
    # 1,000 g, then 500 g of 1,000.1 g that are left of 1,500 g a day; 1.5 kWh x 1 t; Bob never consented.
    assert told == {
        2: ("recorded", None, 1000, 0),
        3: ("recorded", None, 500, 500),
        4: ("recorded", None, 1_500_000, 0),
        5: ("refused", "unknown_person", None, None),
    }
    assert code == 0
    assert "row 6, column day" in err
    assert "row 6, column amount" in err
    assert "3 rows kept or there before, 1 refused, 1 lines that cannot be read" in err
    own = rows_of(run, "show", "--platform", "app", "--person", "ann@mail")
    assert [(row["method"], row["balance_g"], row["over_cap_g"]) for row in own] == [
        ("big", 1_500_000, 0),
        ("walk", 1500, 500),
    ]
    assert rows_of(run, "show", "--platform", "app", "--person", "ann@mail", "--consents")[0]["event"] == "given"
    code, out, err = run("persons", "certify", "--platform", "app", "--id", "c1", "--format", "json")
    assert (code, json.loads(out)[0]["status"]) == (0, "done")
    assert "1 t issued" in err
    before = rows_of(run, "totals", "--by", "hub,month,method")
    certified = rows_of(run, "certifications")
    assert [(row["tonnes"], row["grams"]) for row in certified] == [(1, 1_000_000)]
    code, out, _err = run("persons", "erase", "--platform", "app", "--person", "ann@mail")
    assert (code, "are erased" in out) == (0, True)
    code, out, _err = run("persons", "erase", "--platform", "app", "--person", "ann@mail", "--lang", "zh")
    assert (code, "无此账户" in out) == (0, True)
    assert rows_of(run, "show", "--platform", "app", "--person", "ann@mail") == []
    assert (rows_of(run, "totals", "--by", "hub,month,method"), rows_of(run, "certifications")) == (before, certified)


def test_nothing_that_is_printed_or_logged_holds_a_person(
    run: Run, tmp_path: Path, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    register(run, tmp_path)
    bad = tmp_path / "bad.csv"
    bad.write_text(CLAIMS + ",ann@mail,2025-06-01,walk,1,pkm\nr1,ann@mail,2025-06-01,walk,2,pkm\n", encoding="utf-8")
    headless = {name: tmp_path / f"no headings {name}.csv" for name in ("consents", "claims")}
    for name, text in (("consents", CONSENTS), ("claims", CLAIMS)):
        headless[name].write_text(text.split("\n", 1)[1], encoding="utf-8")
    said = [
        run("persons", "record", str(bad), "--platform", "app"),
        run("persons", "record", str(bad), "--platform", "app", "--format", "table"),
        run("persons", "record", str(bad), "--platform", "nowhere"),
        run("persons", "show", "--platform", "app", "--person", "ann@mail"),
        run("persons", "show", "--platform", "app", "--person", " ann@mail"),
        run("persons", "erase", "--platform", "app", "--person", "ann@mail"),
        run("persons", "register", str(headless["consents"]), "--platform", "app"),
        run("persons", "record", str(headless["claims"]), "--platform", "app"),
    ]
    assert "ann@mail" not in str(said)
    assert "ann@mail" not in caplog.text
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"ann@mail" not in kept
    assert b"the salt of" not in kept


def test_a_line_with_more_cells_than_headings_is_not_recorded(run: Run, tmp_path: Path) -> None:
    register(run, tmp_path)
    path = tmp_path / "crowded.csv"
    path.write_text(CLAIMS.split("\n", 1)[0] + "\nr1,ann@mail,2025-06-01,walk,10,pkm,beyond\n", encoding="utf-8")
    code, _out, err = run("persons", "record", str(path), "--platform", "app")
    assert code == 4
    assert "too_many_cells" in err
    assert "0 rows kept or there before, 0 refused, 1 lines that cannot be read" in err
    assert "beyond" not in err


def test_a_platform_of_a_scheme_that_the_ledger_does_not_have_is_refused_in_words(run: Run) -> None:
    nowhere = ("--scheme", "NONE", "--account", "APP", "--instrument", "WHTPH")
    code, _out, err = run("persons", "platform", "app", "--name", "App", *nowhere)
    assert code == 1
    assert "scheme 'NONE'" in err
    assert "no_ledger_account" in err


def test_people_see_why_a_row_was_refused_in_their_language(run: Run, tmp_path: Path) -> None:
    register(run, tmp_path)
    words = ("persons", "record", str(tmp_path / "claims.csv"), "--platform", "app", "--format", "table", "--lang")
    assert "该平台无此用户的碳账户" in run(*words, "zh")[1]
    assert "a person with an account on this platform" in " ".join(run(*words, "en")[1].split())


def test_tables_name_methodologies_cities_and_refusals_in_chinese(run: Run, tmp_path: Path) -> None:
    _, out, _ = run("persons", "methods", "--format", "table", "--lang", "zh")
    heading = out.splitlines()[1]
    assert "方法学" in heading
    assert "方式" not in heading
    register(run, tmp_path)
    path = tmp_path / "claims.csv"
    path.write_text(CLAIMS, encoding="utf-8")
    _, out, _ = run("persons", "record", str(path), "--platform", "app", "--format", "table", "--lang", "zh")
    assert "拒绝原因" in out
    assert "未选原因" not in out
    _, out, _ = run("persons", "totals", "--format", "table", "--lang", "zh")
    assert "武汉" in out
    assert "wuhan" not in out
    _, out, _ = run("persons", "totals", "--format", "json")
    assert {row["hub"] for row in json.loads(out)} == {"wuhan"}


def test_a_file_of_which_nothing_is_kept_ends_with_4(run: Run, tmp_path: Path) -> None:
    register(run, tmp_path)
    bad = tmp_path / "bad.csv"
    bad.write_text(CLAIMS.splitlines()[0] + "\nr4,bob@mail,2025-06-02,big,1.5,kWh\n", encoding="utf-8")
    assert run("persons", "record", str(bad), "--platform", "app")[0] == 4
    bad.write_text("claim,person\nr4,bob@mail\n", encoding="utf-8")
    code, _out, err = run("persons", "record", str(bad), "--platform", "app")
    assert (code, "expected also day, method, amount, unit" in err) == (4, True)
    bad.write_text(METHODS.replace("150", "many").replace(",M,步行", ",good,步行"), encoding="utf-8")
    code, _out, err = run("persons", "methods", str(bad))
    assert (code, "column baseline_g" in err, "column confidence" in err) == (4, True, True)


def test_a_method_that_is_there_with_other_figures_is_kept_as_it_was(run: Run, tmp_path: Path) -> None:
    register(run, tmp_path)
    again = tmp_path / "again.csv"
    again.write_text(METHODS, encoding="utf-8")
    assert run("persons", "methods", str(again))[0] == 0
    again.write_text(
        METHODS.replace("150,50", "160,50")
        .replace("big,2024", "bj-rail,2024")
        .replace("2024-01-01,pv", "2024-10-01,pv"),
        encoding="utf-8",
    )
    code, _out, err = run("persons", "methods", str(again))
    assert code == 4
    assert "walk from 2024-01-01, which is there with other figures" in err
    assert "bj-rail from 2024-10-01" in err
    rows = {row["method"]: row for row in rows_of(run, "methods")}
    assert (rows["walk"]["baseline_g"], rows["bj-rail"]["baseline_g"]) == (150, 104)
    assert all(row["source"] and row["confidence"] for row in rows.values())


def test_a_footprint_cannot_count_what_a_person_was_credited_for(run: Run, tmp_path: Path, prepared: Settings) -> None:
    activities = pl.DataFrame(
        {"activity_id": ["r1", "r9", "x"], "evidence_ref": [None, "r3", "r1"], "platform": ["app", "app", None]}
    )
    store = open_store(prepared)
    none_set = Settings.from_env({"GREENFIN_HOME": str(prepared.home)})
    assert persons.claimed_before(store.engine, none_set, activities).is_empty()
    register(run, tmp_path)
    assert run("persons", "record", str(tmp_path / "claims.csv"), "--platform", "app")[0] == 0
    found = persons.claimed_before(store.engine, prepared, activities)
    assert found.rows() == [("r1", "app"), ("r9", "app")]
    with pytest.raises(SaltsError):
        persons.claimed_before(store.engine, none_set, activities)
    store.close()


def test_loading_activities_refuses_what_a_person_was_credited_for(run: Run, tmp_path: Path) -> None:
    register(run, tmp_path)
    assert run("persons", "record", str(tmp_path / "claims.csv"), "--platform", "app")[0] == 0
    path = tmp_path / "activities.csv"
    head = "entity,period,scope,category,activity,amount,unit,evidence_ref,platform\n"
    trip = "co,2024-05,3,c06,car,12,km,{},app\n"
    path.write_text(head + trip.format("r1") + trip.format("other"), encoding="utf-8")
    code, out, err = run("load", "activities", str(path), "--format", "json")
    assert code == 0
    (problem,) = json.loads(out)
    assert (problem["row"], problem["column"], problem["code"]) == (2, "platform", "claimed_by_person")
    assert "2 rows; 1 new, 0 loaded before, 1 set apart" in err


def test_wrong_usage_is_told(run: Run) -> None:
    for words in (("totals", "--by", "person"), ("certify", "--platform", "app", "--rule", "lifo"), ("platform", "x")):
        code, _out, err = run("persons", *words)
        assert (code, "expected" in err) == (2, True), words
    code, _out, err = run("persons", "certify", "--platform", "nowhere", "--id", "c")
    assert (code, "unknown_platform" in err) == (1, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "is not set"),
        ("claims = 'short'\n[persons]\napp = 'short'", "fewer than 32 bytes"),
        ("claims = 'x", "cannot be read"),
        ("[persons]\napp = 'the salt of the persons, 32 bytes and more'", "has no salt"),
        (SALTS.replace("app", "other"), "has no salt"),
        (SALTS.replace("persons, 32 bytes and more", "claims, 32 bytes and more"), "expected two"),
    ],
)
def test_salts_that_cannot_keep_a_secret_are_refused(home: Path, tmp_path: Path, text: str | None, said: str) -> None:
    environ = {"GREENFIN_HOME": str(home)}
    if text is not None:
        (tmp_path / "salts.toml").write_text(text, encoding="utf-8")
        environ["GREENFIN_PERSON_SALTS"] = str(tmp_path / "salts.toml")
    with pytest.raises(SaltsError, match=said) as caught:
        load_salts(Settings.from_env(environ), "app")
    assert "salt of the" not in str(caught.value)


def test_salts_beside_the_data_are_refused(home: Path) -> None:
    home.mkdir()
    (home / "salts.toml").write_text(SALTS, encoding="utf-8")
    environ = {"GREENFIN_HOME": str(home), "GREENFIN_PERSON_SALTS": str(home / "salts.toml")}
    with pytest.raises(SaltsError, match="kept apart"):
        load_salts(Settings.from_env(environ), "app")
    assert person_salts.__doc__


@pytest.fixture
def client(prepared: Settings, run: Run, tmp_path: Path) -> Iterator[TestClient]:
    """The application with the platform and its methods; keys `writer` and `reader` in its headers."""
    register(run, tmp_path)
    with TestClient(create_app(prepared)) as opened:
        engine = opened.app.state.store.engine  # type: ignore[attr-defined]
        opened.headers["x-writer"] = create_key(engine, "writer", 1)
        opened.headers["x-reader"] = create_key(engine, "reader", 1, ("read",))
        yield opened


def post(client: TestClient, path: str, body: object, *, key: str | None = "writer", **headers: str) -> Any:
    sent = dict(headers) if key is None else {"Authorization": f"Bearer {client.headers[f'x-{key}']}", **headers}
    return client.post(f"/v1/registry/persons/{path}", json=body, headers=sent)


CLAIM = {"claim": "h1", "person": "ann@mail", "day": "2025-06-01", "method": "big", "amount": 2.5, "unit": "kWh"}


def test_acts_over_http(client: TestClient) -> None:
    told = post(client, "app/records", [CLAIM, CLAIM, {**CLAIM, "claim": "h2", "amount": "0"}])
    assert told.status_code == 200
    assert [(row["status"], row["code"], row["credited_g"]) for row in told.json()] == [
        ("recorded", None, 2_500_000),
        ("replayed", None, 2_500_000),
        ("refused", "bad_amount", None),
    ]
    for row in told.json():
        schemas.RecordedRow.model_validate(row)
    own = post(client, "app/person", {"person": "ann@mail"}, key="reader")
    assert [row["balance_g"] for row in own.json()] == [2_500_000]
    schemas.OwnRow.model_validate(own.json()[0])
    made = post(client, "app/certify", {"tonnes": 2}, **{"Idempotency-Key": "k1"})
    assert (made.status_code, made.json()["tonnes"], made.json()["replayed"]) == (200, 2, False)
    again = post(client, "app/certify", {"tonnes": 2}, **{"Idempotency-Key": "k1"})
    assert (again.json()["transaction"], again.headers["Idempotent-Replayed"]) == (made.json()["transaction"], "true")
    short = post(client, "app/certify", {}, **{"Idempotency-Key": "k2"})
    assert (short.status_code, short.json()["code"]) == (409, "too_little")
    (holding,) = client.get("/v1/registry/holdings?account=APP").json()
    assert holding["quantity"] == 2
    stop = {"person": "ann@mail", "hub": "wuhan", "event": "withdrawn", "day": "2099-01-01"}
    assert post(client, "app/consents", [stop]).json()[0]["status"] == "withdrawn"
    assert post(client, "app/erase", {"person": "ann@mail"}).json() == {"erased": True}
    assert post(client, "app/erase", {"person": "ann@mail"}).json() == {"erased": False}
    (total,) = client.get("/v1/registry/persons/totals?by=").json()
    assert (total["entries"], total["credited_g"], total["certified_g"], total["hub"]) == (
        1,
        2_500_000,
        2_000_000,
        None,
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("app/records", [{"claim": "h", "person": "ann@mail"}]),
        ("app/consents", [{"person": "ann@mail", "hub": "wuhan", "event": "given"}]),
        ("app/consents", [{"person": "ann@mail", "hub": "wuhan", "event": "given", "day": "2025-01-01"}] * 2001),
        ("app/person", {"person": ["ann@mail"]}),
        ("app/erase", {"name": "ann@mail"}),
    ],
)
def test_what_is_wrong_with_a_body_is_told_without_the_person(client: TestClient, path: str, body: object) -> None:
    told = post(client, path, body)
    assert told.status_code == 422
    assert "(not shown)" in told.text
    assert "ann@mail" not in told.text


def test_words_of_a_consent_are_few_and_printable(client: TestClient) -> None:
    consent = {"person": "cy", "hub": "wuhan", "event": "given", "day": "2025-01-01"}
    assert post(client, "app/consents", [{**consent, "methods": ["big"] * 201}]).status_code == 422
    (told,) = post(client, "app/consents", [{**consent, "methods": ["big\0"]}]).json()
    assert (told["status"], told["code"]) == ("refused", "bad_consent")


def test_an_account_is_not_there_before_the_day_on_which_it_was_opened(client: TestClient) -> None:
    consent = {"person": "dee", "hub": "wuhan", "event": "given", "day": "2150-01-01"}
    assert post(client, "app/consents", [consent]).json()[0]["status"] == "opened"
    assert max(row["period"] for row in client.get("/v1/registry/persons/accounts").json()) < "2100"


@pytest.mark.parametrize("path", ["records", "consents", "person", "erase", "certify"])
def test_acts_need_a_key_that_may(client: TestClient, path: str) -> None:
    bodies = {
        "records": [CLAIM],
        "certify": {},
        "consents": [{**{"person": "a", "hub": "wuhan", "event": "given"}, "day": "2025-01-01"}],
    }
    body = bodies.get(path, {"person": "ann@mail"})
    assert post(client, f"app/{path}", body, key=None, **{"Idempotency-Key": "k"}).status_code == 401
    if path != "person":
        assert post(client, f"app/{path}", body, key="reader", **{"Idempotency-Key": "k"}).status_code == 403


@pytest.mark.parametrize(
    ("path", "row"),
    [
        ("methods", schemas.MethodRow),
        ("totals", schemas.PersonTotalRow),
        ("accounts", schemas.CityAccountsRow),
        ("certifications", schemas.CertificationRow),
    ],
)
def test_sums_are_for_everybody_and_hold_the_documented_rows(client: TestClient, path: str, row: Any) -> None:
    post(client, "app/records", [CLAIM])
    post(client, "app/certify", {}, **{"Idempotency-Key": "k"})
    rows = client.get(f"/v1/registry/persons/{path}").json()
    assert rows
    for entry in rows:
        row.model_validate(entry)
        assert set(entry) == set(row.model_fields)
    assert client.get(f"/v1/registry/persons/{path}.csv").text.count("\n") == len(rows) + 1
    assert "ann@mail" not in str(rows)


def test_what_is_not_understood_is_a_problem_document(client: TestClient) -> None:
    assert client.get("/v1/registry/persons/totals?by=person").status_code == 422
    assert post(client, "app/records", []).status_code == 422
    assert post(client, "app/records", [{**CLAIM, "amount": 1.2345}]).status_code == 422
    assert post(client, "app/records", [{**CLAIM, "name": "Ann"}]).status_code == 422
    for path, body in (
        ("records", [CLAIM]),
        ("consents", [{"person": "a", "hub": "wuhan", "event": "given", "day": "2025-01-01"}]),
        ("person", {"person": "ann@mail"}),
        ("erase", {"person": "ann@mail"}),
        ("certify", {}),
    ):
        told = post(client, f"nowhere/{path}", body, **{"Idempotency-Key": "k"})
        assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")
        assert "found the platform 'nowhere'" in told.json()["detail"]
    client.app.state.settings = Settings.from_env({})  # type: ignore[attr-defined]
    answer = post(client, "app/erase", {"person": "ann@mail"})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
