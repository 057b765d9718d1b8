"""The registry over HTTP, to read: documented rows, pages, filters, persons' names, CSV, and nothing that breaks it."""

import csv
import io
import json
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import schemas
from api.registry import schemas as registry_schemas
from api.registry.tables import listing_parameters
from api.settings import Settings
from carbon.ledger.listings import LISTINGS, find_listing
from carbon.ledger.orders import canonical_body

from ..conftest import Registry, open_registry
from .story import STORY, play

# Operation, path, and its documented row. "examples" of the documentation are rows that the story gives.
READS: dict[str, tuple[str, type[schemas.Row]]] = {
    "listSchemes": ("/v1/registry/schemes", registry_schemas.SchemeRow),
    "listInstruments": ("/v1/registry/instruments", registry_schemas.InstrumentRow),
    "listEntities": ("/v1/registry/entities", registry_schemas.EntityRow),
    "listAccounts": ("/v1/registry/accounts", registry_schemas.AccountRow),
    "listRepresentatives": ("/v1/registry/representatives", registry_schemas.RepresentativeRow),
    "listHoldings": ("/v1/registry/holdings", registry_schemas.HoldingRow),
    "listTransactions": ("/v1/registry/transactions", registry_schemas.TransactionRow),
    "listTransfers": ("/v1/registry/transfers", registry_schemas.TransferRow),
    "listBlocks": ("/v1/registry/blocks", registry_schemas.BlockRow),
    "listStatements": ("/v1/registry/statements", registry_schemas.StatementRow),
    "listSeals": ("/v1/registry/seals", registry_schemas.SealRow),
    "getAccount": ("/v1/registry/accounts/CN-1001", registry_schemas.OneAccountRow),
    "getTransaction": ("/v1/registry/transactions/example-transfer", registry_schemas.TransactionLegRow),
    "listChecks": ("/v1/registry/checks", registry_schemas.CheckRow),
    "auditLedger": ("/v1/registry/audit", registry_schemas.FindingRow),
    "listCompliance": ("/v1/registry/compliance", registry_schemas.ComplianceRow),
    "listRules": ("/v1/rules?scheme=CN&year=2024", registry_schemas.RuleRow),
    "traceUnit": ("/v1/registry/trace/CEA24:1", registry_schemas.TraceRow),
}
PAGED = {operation: read for operation, read in READS.items() if read[0].removeprefix("/v1/registry/") in LISTINGS}
# What depends on the hour and the machine on which the ledger was set up.
VOLATILE = {"sha256", "previous_sha256", "covers", "body_sha256", "transaction"}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The story, played once; nobody writes to it afterwards."""
    with open_registry(Settings.from_env({"GREENFIN_HOME": str(tmp_path_factory.mktemp("town"))})) as opened:
        play(opened)
        assert opened.client.post("/v1/registry/seals", headers=opened.writer).status_code == 201
        yield opened


def get(town: Registry, url: str, **headers: str) -> Any:
    answer = town.client.get(url, headers={**town.reader, **headers})
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("operation", READS)
def test_rows_are_the_documented_ones(town: Registry, operation: str) -> None:
    url, row = READS[operation]
    with_key = get(town, url).json()
    assert with_key
    without = town.client.get(url)
    for rows, hidden_too in ((with_key, True), (without.json() if without.status_code == 200 else [], False)):
        for entry in rows:
            row.model_validate(entry)
            shown = {name for name, field in row.model_fields.items() if hidden_too or field.is_required()}
            assert set(entry) >= shown
            assert hidden_too or set(entry) == shown


@pytest.mark.parametrize("operation", READS)
def test_csv_has_the_same_columns_and_rows(town: Registry, operation: str) -> None:
    url, _row = READS[operation]
    path, _, query = url.partition("?")
    rows = get(town, url).json()
    answer = get(town, f"{path}.csv" + (f"?{query}" if query else ""))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    table = cells_of(answer.content.decode())
    assert list(table[0]) == list(rows[0])
    assert len(table) == len(rows)
    for entry, cells in zip(rows, table, strict=True):
        for name, value in entry.items():
            text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            assert cells[name] == text


@pytest.mark.parametrize("operation", READS)
def test_documented_examples_are_rows_that_the_api_gives(town: Registry, operation: str) -> None:
    example = json.loads(files("api").joinpath("examples.json").read_text(encoding="utf-8"))[operation]
    # The set-up of the ledger has an id that changes with the embedded data, and the hour of the machine.
    volatile = VOLATILE | ({"client_id"} if operation == "listInstruments" else set())
    kept = {name: value for name, value in example.items() if name not in volatile}
    url = READS[operation][0]
    url += ("&" if "?" in url else "?") + "limit=1000" if operation in PAGED else ""
    answer = town.client.get(url, headers=town.reader if operation == "listRepresentatives" else {})
    assert kept in [{name: row[name] for name in kept} for row in answer.json()]


def cells_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("operation", PAGED)
def test_following_the_links_gives_every_row_once(town: Registry, operation: str) -> None:
    url = PAGED[operation][0]
    whole = get(town, f"{url}?limit=1000")
    assert "link" not in whole.headers
    for kind, read in (("", json.loads), (".csv", cells_of)):
        found: list[Any] = []
        following: str | None = f"{url}{kind}?limit=3"
        while following is not None:
            answer = get(town, following)
            rows = read(answer.text)
            assert 0 < len(rows) <= 3
            found += rows
            following = answer.links.get("next", {}).get("url")
        expected = read(get(town, f"{url}{kind}?limit=1000").text)
        assert found == expected


def test_the_link_keeps_filters_and_order(town: Registry) -> None:
    url = "/v1/registry/transfers?account=CN-1001&sort=-quantity&limit=2&at_from=2025-01-01T00:00:00%2B08:00"
    first = get(town, url)
    second = get(town, first.links["next"]["url"])
    quantities = [row["quantity"] for row in first.json() + second.json()]
    assert quantities == sorted(quantities, reverse=True)
    assert all("CN-1001" in (row["source"], row["target"]) for row in first.json() + second.json())


def test_times_are_utc_with_their_zone(town: Registry) -> None:
    (row,) = town.rows("transactions", client_id="example-transfer")
    assert row["at"] == "2025-11-03T01:00:00.000000Z"
    assert len(town.rows("transactions", at_from=row["at"], at_to=row["at"], limit=1000)) == len(STORY)


def test_persons_are_named_only_to_holders_of_a_key(town: Registry) -> None:
    persons = ["Li Lei", "Han Mei", "Lin Tao", "Wei Hua", "Kang Kang", "Zhang Wei"]
    for url, _row in READS.values():
        answer = town.client.get(url)
        if url.endswith("/representatives"):
            assert answer.status_code == 401
        assert not any(person in answer.text for person in persons), url
    for client_id in (step[2] for step in STORY):
        answer = town.client.get(f"/v1/registry/transactions/{client_id}")
        assert answer.status_code == 200
        assert not any(person in answer.text for person in persons)
    (account,) = get(town, "/v1/registry/accounts/CN-1001").json()
    assert (account["primary"], account["secondary"]) == ("Han Mei", "Zhang Wei")
    assert "Lin Tao" in get(town, "/v1/registry/transactions/s-04").text
    for hidden in ("actor", "body"):
        answer = town.client.get(f"/v1/registry/transactions?{hidden}=writer")
        assert answer.status_code == 422
        assert "actor_in" not in answer.json()["detail"]


def test_answers_depend_on_the_key_and_say_so(town: Registry) -> None:
    url = "/v1/registry/entities"
    with_key, without = get(town, url), town.client.get(url)
    assert with_key.headers["etag"] != without.headers["etag"]
    assert {with_key.headers["vary"], without.headers["vary"]} == {"Authorization"}
    again = town.client.get(url, headers={"If-None-Match": without.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("operation", READS)
def test_head_answers_as_get_without_the_rows(town: Registry, operation: str) -> None:
    url = READS[operation][0]
    head = town.client.head(url, headers=town.reader)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == get(town, url).headers["etag"]


def test_a_wrong_key_is_refused_even_where_none_is_needed(town: Registry) -> None:
    answer = town.client.get("/v1/registry/schemes", headers={"Authorization": "Bearer gfk_nothing"})
    assert answer.status_code == 401
    assert town.client.get("/v1/registry/schemes", headers={"Authorization": "Basic Zm9v"}).status_code == 200


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("/v1/registry/accounts/nobody", 404, "unknown account 'nobody'"),
        ("/v1/registry/accounts/nobody.csv", 404, "unknown account 'nobody'"),
        ("/v1/registry/transactions/none", 404, "unknown client id 'none'"),
        ("/v1/registry/trace/CEA24:99999999", 404, "CEA24"),
        ("/v1/registry/trace/nothing", 404, "nothing"),
        ("/v1/registry/transfers?colour=red", 422, "found the filter colour; transfers has transfer, "),
        ("/v1/registry/transfers?source=A&source=B", 422, "found source more than once"),
        ("/v1/registry/transfers?sort=message", 422, "transfers sorts by"),
        ("/v1/registry/transfers?limit=0", 422, "query.limit"),
        ("/v1/registry/transfers?limit=1001", 422, "query.limit"),
        ("/v1/registry/transfers?after=abc", 422, "found the cursor 'abc'"),
        ("/v1/registry/transfers?quantity=1.5", 422, "expected a whole number"),
        ("/v1/registry/compliance?as_of=9999-12-31", 422, "query.as_of"),
        ("/v1/registry/compliance?year=1", 422, "query.year"),
        ("/v1/registry/compliance?account=NOBODY", 404, "unknown account 'NOBODY'"),
        ("/v1/registry/compliance?scheme=NONE", 404, "unknown scheme 'NONE'"),
        ("/v1/registry/audit?head=xyz", 422, "query.head"),
        ("/v1/registry/nothing", 404, "Not Found"),
    ],
)
def test_errors_are_problem_documents(town: Registry, url: str, status: int, said: str) -> None:
    answer = town.client.get(url)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    schemas.ProblemBody.model_validate(answer.json())
    assert said in answer.json()["detail"]


def test_codes_with_any_characters_are_found(town: Registry) -> None:
    # Codes come from registers of all kinds; a path holds them percent-encoded.
    code = "X/1 号?#.a"
    for verb, client_id, body in (
        ("register_entity", "odd-1", {"name": "Odd", "code": "ODD", "contact": "Li Lei"}),
        (
            "open_account",
            "odd/2?",
            {"code": code, "scheme": "CN", "type": "trading", "entity": "ODD", "primary": "P", "secondary": "S"},
        ),
    ):
        answer = town.act(verb, client_id, **body)
        assert answer.status_code == 201
        (row,) = town.client.get(answer.headers["location"]).json()
        assert row["client_id"] == client_id
    (row,) = town.client.get(f"/v1/registry/accounts/{quote(code, safe='')}").json()
    assert row["account"] == code
    assert town.rows("accounts", account=code) == [row]
    # A path that ends in .csv is another answer's, and dots alone are gone before a path arrives.
    for number, client_id in enumerate(("orders.csv", ".", "..")):
        answer = town.act("open_account", client_id, code=f"E{number}", scheme="CN", type="external")
        (row,) = town.client.get(answer.headers["location"]).json()
        assert row["client_id"] == client_id


def test_no_digest_of_a_name_without_a_key(town: Registry) -> None:
    """All of an appointment but the person is public, so that its digest would tell the person from a list."""
    guessed = canonical_body("appoint", {"account": "CN-1001", "role": "primary", "name": "Wang Fang"})
    assert town.act("appoint", "appointed", account="CN-1001", role="primary", name="Wang Fang").status_code == 201
    (row,) = get(town, "/v1/registry/transactions?client_id=appointed").json()
    assert row["body_sha256"] == sha256(guessed.encode()).hexdigest()
    for url in ("/v1/registry/transactions?client_id=appointed", "/v1/registry/transactions/appointed"):
        assert row["body_sha256"] not in town.client.get(url).text
    assert town.client.get(f"/v1/registry/transactions?body_sha256={row['body_sha256']}").status_code == 422


def test_every_filter_is_documented(town: Registry) -> None:
    paths = town.client.get("/openapi.json").json()["paths"]
    for name in LISTINGS:
        documented = {entry["name"] for entry in paths[f"/v1/registry/{name}"]["get"]["parameters"]}
        assert documented == {entry["name"] for entry in listing_parameters(name)} | {"sort", "after", "limit"}
        assert not {"sort", "after", "limit"} & {column.name for column in find_listing(name).columns}


def test_a_documented_row_has_the_columns_of_its_list() -> None:
    for operation, (url, row) in PAGED.items():
        columns = find_listing(url.split("/")[-1]).columns
        assert list(row.model_fields) == [column.name for column in columns if column.shown], operation
        for column in columns:
            if column.shown:
                assert row.model_fields[column.name].is_required() is not column.private, (operation, column.name)


QUERY = st.dictionaries(
    st.sampled_from(["account", "sort", "after", "limit", "at_from", "quantity_in", "code_null", "scheme", "kind", "é"])
    | st.text(max_size=4),
    st.text(max_size=6) | st.sampled_from(["CN", "1", "-at", "true", "2024-01-01", "\x00", "9" * 20]),
    max_size=3,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from([*LISTINGS, "compliance", "checks", "accounts/", "transactions/", "trace/", "audit"]),
    rest=st.text(max_size=8),
    ending=st.sampled_from(["", ".csv"]),
    query=QUERY,
)
def test_no_question_breaks_the_service(
    town: Registry, name: str, rest: str, ending: str, query: dict[str, str]
) -> None:
    path = f"/v1/registry/{name}{quote(rest) if name.endswith('/') else ''}{ending}"
    answer = town.client.get(path, params=query, headers=town.reader)
    assert answer.status_code in (200, 404, 422), (path, query, answer.text)
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=12).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw)))
def test_no_bytes_in_a_path_or_a_query_break_the_service(town: Registry, raw: str) -> None:
    for url in (f"/v1/registry/accounts/{raw}", f"/v1/registry/trace/{raw}", f"/v1/registry/entities?name={raw}"):
        assert town.client.get(url).status_code in (200, 404, 422), url


def test_the_service_answers_when_the_database_does_not(app: Any) -> None:
    """A database that is busy is said to be busy, and the same request may be sent again."""
    from sqlalchemy.exc import OperationalError

    from api.deps import _store

    class Busy:
        @property
        def engine(self) -> Any:
            raise OperationalError("SELECT 1", {}, Exception("database is locked"))

    app.dependency_overrides[_store] = Busy
    try:
        answer = TestClient(app, raise_server_exceptions=False).get("/v1/registry/schemes")
    finally:
        del app.dependency_overrides[_store]
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "locked" not in answer.text
