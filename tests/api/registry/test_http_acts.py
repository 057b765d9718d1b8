"""Acts over HTTP: keys, ids, receipts, refusals; the documented bodies played as one story on both databases."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import schemas
from api.errors import PROBLEM_JSON
from api.keys import create_key, revoke_key
from api.registry import store as registry_store
from api.registry.bodies import BODIES
from api.registry.schemas import RefusalBody
from api.routers import registry_acts
from api.routers.registry_acts import MOST_BYTES, act_examples

from ..conftest import Registry
from .story import STORY, play


def test_the_documented_bodies_tell_one_story(fresh_registry: Registry) -> None:
    play(fresh_registry)
    assert {verb for verb, _number, _id in STORY} == set(BODIES) == set(registry_store.VERBS)
    told = {(verb, number) for verb, number, _id in STORY}
    assert told == {(verb, number) for verb, bodies in act_examples().items() for number in range(len(bodies))}
    held = {
        (row["account"], row["instrument"]): row["quantity"]
        for row in fresh_registry.rows("holdings", account_in="CN-1001,CN-1002")
    }
    final, verified = 600_000, 580_000
    moved = 10 + 100 + 5
    assert held["CN-1001", "CEA24"] == final - moved - 560_000
    assert held["CN-1002", "CEA24"] == 10 + 100
    assert held["CN-1002", "CNY"] == 10_000_000 - 97_000 - 970_000
    assert held["CN-1001", "CNY"] == 97_000 + 970_000 - 97_000
    assert (held["CN-1001", "CEA23"], held["CN-1001", "CEA25"]) == (500 - 100, 100)
    (row,) = fresh_registry.rows("compliance", account="CN-1001", year=2024)
    assert (row["verified_t"], row["final_allocation_t"], row["obligation_t"]) == (verified, final, verified)
    assert (row["surrendered_t"], row["offsets_t"], row["outstanding_t"]) == (560_000, 20_000, 0)
    assert row["offset_limit_t"] == verified * 5 // 100
    assert row["status"] == "met"
    (finding,) = fresh_registry.rows("audit")
    assert (finding["code"], finding["severity"]) == ("C12", "warning"), "one holder names no contact"


def test_the_same_act_again_does_nothing_and_says_so(fresh_registry: Registry) -> None:
    play(fresh_registry)
    before = fresh_registry.rows("transactions", limit=1000)
    for verb, number, client_id in STORY:
        answer = fresh_registry.act(verb, client_id, **act_examples()[verb][number])
        assert answer.status_code == 200
        assert answer.headers["idempotent-replayed"] == "true"
        assert answer.json()["replayed"] is True
    assert fresh_registry.rows("transactions", limit=1000) == before


def test_a_reservation_that_has_expired_since_is_still_the_same_act(registry: Registry) -> None:
    store = registry.client.app.state.store  # type: ignore[attr-defined]
    asked = (
        BODIES["reserve"]
        .model_validate(
            {
                "movements": [
                    {"source": "CN:government", "target": "CN:cancellation", "instrument": "CEA24", "quantity": 1}
                ],
                "expires_at": "2020-01-01T00:00:00Z",
            }
        )
        .asked()
    )
    in_time = registry_store.Act("late-1", 1_000_000, "t")
    first = registry_store.perform(store, "reserve", in_time, asked)
    later = registry_store.Act("late-1", 1_700_000_000_000_000, "t")
    again = registry_store.perform(store, "reserve", later, asked)
    assert again.replayed
    assert (again.transaction_id, again.status) == (first.transaction_id, first.status)


def test_a_refusal_has_its_code_in_both_languages_and_stays(registry: Registry) -> None:
    body = {"source": "CN:government", "target": "nobody", "instrument": "CEA24", "quantity": 1}
    first = registry.act("transfer", "refused-1", **body)
    again = registry.act("transfer", "refused-1", **body)
    for answer, replayed in ((first, False), (again, True)):
        assert answer.status_code == 409
        assert answer.headers["content-type"] == PROBLEM_JSON
        problem = RefusalBody.model_validate(answer.json())
        assert (problem.code, problem.eu_response, problem.act_status) == ("C02", "7020", "failed")
        assert (problem.check_en, problem.check_zh) == ("the acquiring account exists", "受让账户存在")
        assert problem.replayed is replayed
        assert ("idempotent-replayed" in answer.headers) is replayed
    assert first.json()["transaction"] == again.json()["transaction"]
    (row,) = registry.rows("transactions/refused-1")
    assert (row["status"], row["code"], row["transfer"]) == ("failed", "C02", None)


def test_an_id_that_was_used_for_another_body_is_refused_and_not_recorded(registry: Registry) -> None:
    body = {"scheme": "CN", "instrument": "CEA22", "quantity": 5}
    assert registry.act("issue", "id-1", **body).status_code == 201
    answer = registry.act("issue", "id-1", **{**body, "quantity": 6})
    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json().get("transaction")) == ("C19", None)
    assert len(registry.rows("transactions", client_id="id-1")) == 1
    assert registry.act("issue", "id-1", **body).status_code == 200


ISSUE = {"scheme": "CN", "instrument": "CEA22", "quantity": 1}


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ({}, 401, 'Bearer realm="greenfin registry"'),
        ({"Authorization": "Basic Zm9vOmJhcg=="}, 401, 'Bearer realm="greenfin registry"'),
        ({"Authorization": "Bearer gfk_wrong"}, 401, 'Bearer realm="greenfin registry", error="invalid_token"'),
        ({"Authorization": "Bearer \xff\xfe"}, 401, 'Bearer realm="greenfin registry", error="invalid_token"'),
    ],
)
def test_writing_needs_a_key(registry: Registry, headers: dict[str, str], status: int, said: str) -> None:
    sent = {name: value.encode("latin-1") for name, value in {**headers, "Idempotency-Key": "no-key"}.items()}
    for url, body in (("acts/issue", ISSUE), ("acts/expire", None), ("seals", None)):
        answer = registry.client.post(f"/v1/registry/{url}", json=body, headers=sent)
        assert answer.status_code == status
        assert answer.headers["www-authenticate"] == said
        assert answer.headers["content-type"] == PROBLEM_JSON
        assert "gfk_wrong" not in answer.text
    assert registry.rows("transactions", client_id="no-key") == []


def test_a_key_that_reads_may_not_write_and_a_revoked_one_may_nothing(registry: Registry) -> None:
    answer = registry.client.post(
        "/v1/registry/acts/issue", json=ISSUE, headers={**registry.reader, "Idempotency-Key": "reader-1"}
    )
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    engine = registry.client.app.state.store.engine  # type: ignore[attr-defined]
    secret = create_key(engine, "leaver", 1)
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "leaver-1"}
    assert registry.client.post("/v1/registry/acts/issue", json=ISSUE, headers=headers).status_code == 201
    revoke_key(engine, "leaver", 2)
    answer = registry.client.post("/v1/registry/acts/issue", json=ISSUE, headers={**headers, "Idempotency-Key": "l-2"})
    assert answer.status_code == 401
    assert secret not in answer.text
    (row,) = registry.client.get("/v1/registry/transactions/leaver-1", headers=registry.reader).json()
    assert row["actor"] == "leaver"


@pytest.mark.parametrize(
    ("verb", "change", "said"),
    [
        ("issue", {"quantity": 1.0}, "body.quantity: found 1.0; Input should be a valid integer"),
        ("issue", {"quantity": "1"}, "body.quantity"),
        ("issue", {"quantity": True}, "body.quantity"),
        ("issue", {"quantity": 0}, "greater than or equal to 1"),
        ("issue", {"quantity": 2**53 + 1}, "less than or equal to"),
        ("issue", {"quantity": None}, "body.quantity"),
        ("issue", {"quantity_t": 1}, "body.quantity_t: found 1; Extra inputs are not permitted"),
        ("issue", {"scheme": "CN "}, "without spaces at the ends"),
        ("issue", {"scheme": "C\x00N"}, "printable"),
        ("issue", {"scheme": "C\ud800"}, "valid string"),
        ("issue", {"scheme": ""}, "at least 1 character"),
        ("issue", {"scheme": "C" * 129}, "at most 128 characters"),
        ("pre_allocate", {"compliance_year": 1889}, "greater than or equal to 1990"),
        ("add_instrument", {"serialised": "no"}, "body.serialised"),
        ("reserve", {"expires_at": "2099-01-01T00:00:00"}, "timezone"),
        ("reserve", {"expires_at": 4070908800}, "a time as text, such as"),
        ("reserve", {"expires_at": "2000-01-01T00:00:00Z"}, "expires before it begins"),
        ("reserve", {"movements": []}, "at least 1 item"),
        ("register_entity", {"uscc": "91420100MA4K00001A"}, "found '91420100MA4K00001A'"),
        ("register_entity", {"code": None, "uscc": None}, "without code"),
    ],
)
def test_a_body_that_cannot_be_understood_leaves_the_id_free(
    registry: Registry, verb: str, change: dict[str, Any], said: str
) -> None:
    body = {**act_examples()[verb][0], **change}
    content = json.dumps(body).encode()
    headers = {**registry.writer, "Idempotency-Key": "not-understood", "Content-Type": "application/json"}
    answer = registry.client.post(f"/v1/registry/acts/{verb}", content=content, headers=headers)
    assert answer.status_code == 422
    schemas.ProblemBody.model_validate(answer.json())
    assert said in answer.json()["detail"]
    assert registry.rows("transactions", client_id="not-understood") == []


@pytest.mark.parametrize("client_id", [None, "", "two words", "a" * 129, "seed:1", "é"])
def test_an_act_needs_a_plain_id(registry: Registry, client_id: str | None) -> None:
    headers = {name: value.encode() for name, value in registry.writer.items()}
    if client_id is not None:
        headers["Idempotency-Key"] = client_id.encode()
    answer = registry.client.post("/v1/registry/acts/issue", json=ISSUE, headers=headers)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]


def test_a_body_that_is_too_large_is_refused_before_and_while_it_is_read(registry: Registry) -> None:
    headers = {**registry.writer, "Idempotency-Key": "large", "Content-Type": "application/json"}
    whole = registry.client.post("/v1/registry/acts/issue", content=b" " * (MOST_BYTES + 1), headers=headers)
    parts = registry.client.post(
        "/v1/registry/acts/issue", content=iter([b" " * 1000] * (MOST_BYTES // 1000 + 1)), headers=headers
    )
    for answer in (whole, parts):
        assert answer.status_code == 413
        assert answer.headers["content-type"] == PROBLEM_JSON
        assert str(MOST_BYTES) in answer.json()["detail"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"1", b"\xff", b'{"a":' * 5000, b"9" * 5000])
def test_what_is_not_a_body_is_refused(registry: Registry, content: bytes) -> None:
    headers = {**registry.writer, "Idempotency-Key": "no-body", "Content-Type": "application/json"}
    answer = registry.client.post("/v1/registry/acts/issue", content=content, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == PROBLEM_JSON


def test_reservations_that_have_expired_are_voided_at_once(registry: Registry) -> None:
    store = registry.client.app.state.store  # type: ignore[attr-defined]
    registry.act("issue", "expire-0", scheme="CN", instrument="CEA21", quantity=10)
    for name in ("X1", "X2"):
        registry.act("register_entity", f"expire-{name}", name=name, code=name)
        registry.act(
            "open_account",
            f"expire-{name}-a",
            code=name,
            scheme="CN",
            type="trading",
            entity=name,
            primary="P",
            secondary="S",
        )
    assert registry.act("transfer", "expire-1", source="CN:government", target="X1", instrument="CEA21", quantity=9)
    asked = (
        BODIES["reserve"]
        .model_validate(
            {
                "movements": [{"source": "X1", "target": "X2", "instrument": "CEA21", "quantity": 4}],
                "expires_at": "2020-01-01T00:00:00Z",
            }
        )
        .asked()
    )
    reserved = registry_store.perform(store, "reserve", registry_store.Act("expire-2", 1_000_000, "t"), asked)
    assert reserved.done, reserved
    (held,) = registry.rows("holdings", account="X1", instrument="CEA21")
    assert (held["quantity"], held["reserved"]) == (9, 4)
    answer = registry.act("expire", "expire-3")
    assert answer.status_code == 200
    assert [row["client_id"] for row in answer.json()] == ["expire-3:expire-2"]
    assert registry.act("expire", "expire-4").json() == []
    (held,) = registry.rows("holdings", account="X1", instrument="CEA21")
    assert (held["quantity"], held["reserved"]) == (9, 0)


def test_the_log_is_sealed_on_demand_and_in_passing(registry: Registry) -> None:
    store = registry.client.app.state.store  # type: ignore[attr-defined]
    registry.act("issue", "seal-1", **ISSUE)
    first = registry.client.post("/v1/registry/seals", headers=registry.writer)
    assert first.status_code == 201
    assert registry.rows("seals", sort="-seal", limit=1)[0]["sha256"] == first.json()["sha256"]
    nothing = registry.client.post("/v1/registry/seals", headers=registry.writer)
    assert (nothing.status_code, nothing.json()) == (200, {**first.json(), "rows": 0})
    for number in range(3):
        registry.act("issue", f"seal-2-{number}", **ISSUE)
    assert registry_store.seal_if_due(store, 1, every=3) is None, "three are not more than three"
    registry.act("issue", "seal-3", **ISSUE)
    made = registry_store.seal_if_due(store, 1, every=3)
    assert made is not None
    assert made.id == first.json()["seal"] + 1


def test_a_writer_seals_once_enough_is_unsealed(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.client.post("/v1/registry/seals", headers=registry.writer)
    before = len(registry.rows("seals", limit=1000))
    monkeypatch.setattr(registry_store.seal_if_due, "__defaults__", (1,))
    registry.act("issue", "passing-1", **ISSUE)
    assert len(registry.rows("seals", limit=1000)) == before
    registry.act("issue", "passing-2", **ISSUE)
    assert len(registry.rows("seals", limit=1000)) == before + 1


def test_many_clients_at_once_with_one_id_do_one_act(fresh_registry: Registry) -> None:
    body = {"scheme": "CN", "instrument": "CEA24", "quantity": 3}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: fresh_registry.act("issue", "race", **body), range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    (held,) = fresh_registry.rows("holdings", account="CN:government", instrument="CEA24")
    assert held["quantity"] == 3


def test_every_verb_has_words_a_body_and_an_example() -> None:
    assert set(registry_acts.WORDS) == set(BODIES) == set(registry_store.VERBS) == set(act_examples())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["CN", "CEA24", "CN:government", "CNY", "CN:issuance", "seed", "2099-01-01T00:00:00Z", "transfer"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_body_breaks_the_service(registry: Registry, data: st.DataObject) -> None:
    verb = data.draw(st.sampled_from(sorted(BODIES)))
    body = dict(data.draw(st.sampled_from(act_examples()[verb])))
    for name in data.draw(st.lists(st.sampled_from(sorted(BODIES[verb].model_fields)), max_size=3)):
        body[name] = data.draw(JSON)
    client_id = data.draw(st.integers(0, 10**9).map(str))
    answer = send(registry.client, verb, body, {**registry.writer, "Idempotency-Key": client_id})
    assert answer.status_code in (200, 201, 409, 422), answer.text
    assert answer.headers["content-type"] in ("application/json", PROBLEM_JSON)
    answer.json()


def send(client: TestClient, verb: str, body: object, headers: dict[str, str]) -> Any:
    content = json.dumps(body).encode()
    headers = {**headers, "Content-Type": "application/json"}
    return client.post(f"/v1/registry/acts/{verb}", content=content, headers=headers)
