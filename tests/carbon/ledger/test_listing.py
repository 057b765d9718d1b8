"""Pages of the ledger's lists: every row once, in order, whatever is asked; nonsense gets a clear refusal."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbon.errors import CarbonError
from carbon.ledger.book import Act
from carbon.ledger.listing import BadCursor, BadFilter, filter_names
from carbon.ledger.listings import LISTINGS, UnknownListing, find_listing, list_rows
from carbon.ledger.parties import appoint, open_account, register_entity
from carbon.ledger.post import begin_writing, writing
from carbon.ledger.settlement import reserve, void
from carbon.ledger.verbs import Movement, cancel, issue, pre_allocate, transfer

DAY_US = 86_400_000_000


@pytest.fixture
def busy(writer, do):
    """A ledger with a little of everything that lists show."""
    do(issue, scheme="CN", instrument="CEA24", quantity=1000)
    for name, quantity in (("A", 300), ("B", 200), ("C", 100)):
        do(transfer, source="CN:government", target=name, instrument="CEA24", quantity=quantity)
    do(transfer, source="A", target="B", instrument="CEA24", quantity=7)
    do(transfer, source="C", target="B", instrument="CEA24", quantity=101)
    do(cancel, scheme="CN", account="B", instrument="CEA24", quantity=5)
    do(pre_allocate, scheme="CN", account="C", instrument="CEA24", quantity=9, compliance_year=2024)
    return writer


def pages(connection, name, *, limit, sort=None, filters=None, private=True, between=lambda: None):
    """All rows of a list, page by page; `between` is called after each page."""
    rows, after = [], None
    while True:
        page = list_rows(connection, name, filters=filters, sort=sort, after=after, limit=limit, private=private)
        assert page.rows.height <= limit
        rows += page.rows.to_dicts()
        if page.next is None:
            return rows
        assert page.rows.height == limit
        after = page.next
        between()


def sorts(name):
    found = [column.name for column in find_listing(name).columns if column.sort]
    return [None, *found, *(f"-{sort}" for sort in found)]


@pytest.mark.parametrize("name", LISTINGS)
def test_any_limit_and_order_give_every_row_once(busy, name):
    whole = list_rows(busy, name, limit=1000, private=True).rows.to_dicts()
    for sort in sorts(name):
        ordered = list_rows(busy, name, sort=sort, limit=1000, private=True).rows.to_dicts()
        assert sorted(map(repr, ordered)) == sorted(map(repr, whole))
        for limit in (1, 3, max(len(whole), 1)):
            assert pages(busy, name, limit=limit, sort=sort) == ordered
        if sort is not None:
            values = [row[sort.removeprefix("-")] for row in ordered]
            present = [value for value in values if value is not None]
            assert values == present + [None] * (len(values) - len(present)), "missing values come last"
            if not isinstance(present[0] if present else 0, str):
                assert present == sorted(present, reverse=sort.startswith("-"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_rows_that_were_there_come_once_though_others_are_added_meanwhile(busy, data):
    sort = data.draw(st.sampled_from(sorts("transfers")))
    limit = data.draw(st.integers(1, 5))
    quantities = data.draw(st.lists(st.integers(1, 300), max_size=8))
    before = pages(busy, "transfers", limit=1000)
    numbers = iter(quantities)

    def add():
        quantity = next(numbers, None)
        if quantity is not None:
            act = Act(
                f"more-{busy.exec_driver_sql('SELECT max(id) FROM registry_transaction').scalar()}", quantity, "t"
            )
            assert issue(busy, act, scheme="CN", instrument="CEA24", quantity=quantity, target="A").done

    found = [row["transfer"] for row in pages(busy, "transfers", limit=limit, sort=sort, between=add)]
    assert len(set(found)) == len(found)
    assert set(found) >= {row["transfer"] for row in before}


def test_filters_by_code_number_time_and_flag(busy):
    def found(name="transfers", **filters):
        return list_rows(busy, name, filters=filters, limit=1000).rows.to_dicts()

    everything = found()
    assert [row["quantity"] for row in found(source="A")] == [7]
    assert [row["quantity"] for row in found(account="B")] == [200, 7, 5]
    assert [row["quantity"] for row in found(account_in="A,C")] == [300, 100, 7, 9]
    assert [row["quantity"] for row in found(account="B", kind_in=["cancel", "issue"])] == [5]
    assert [row["quantity"] for row in found(quantity_from="7", quantity_to=200)] == [200, 100, 7, 9]
    assert [row["quantity"] for row in found(compliance_year=2024)] == [9]
    assert len(found(compliance_year_null="false")) == 1
    assert len(found(compliance_year_null=True)) == len(everything) - 1
    assert found(at_to="1969-12-31") == []
    assert found(at_from="1970-01-01", at_to="1970-01-01") == everything
    assert found(at_from=date(1970, 1, 2)) == []
    third = everything[2]["at"]
    assert [row["at"] for row in found(at=third)] == [third]
    assert [row["at"] for row in found(at_to=third.isoformat())] == [row["at"] for row in everything[:3]]
    assert found("instruments", serialised="true", scheme="CN")
    assert {row["serialised"] for row in found("instruments", serialised=False)} == {False}
    assert found(source="nobody") == []
    assert found("transactions", status="failed")[0]["code"] == "C18"


def test_a_row_says_codes_and_utc_times(busy):
    row = list_rows(busy, "transfers", filters={"source": "A"}).rows.to_dicts()[0]
    assert (row["source"], row["target"], row["instrument"], row["phase"], row["open"]) == (
        "A",
        "B",
        "CEA24",
        "posted",
        None,
    )
    assert row["at"].tzinfo is not None
    assert datetime(1970, 1, 1, tzinfo=UTC) < row["at"] < datetime(1970, 1, 2, tzinfo=UTC)
    (held,) = list_rows(busy, "holdings", filters={"account": "B"}).rows.to_dicts()
    assert (held["quantity"], held["reserved"], held["free"], held["entity"]) == (200 + 7 - 5, 0, 202, "B")


def test_reservations_that_are_open(busy, do):
    later = 2 * DAY_US
    for quantity in (1, 2):
        do(reserve, movements=[Movement("A", "B", "CEA24", quantity)], expires_at_us=later)
    first, second = list_rows(busy, "transfers", filters={"open": "true"}).rows["client_id"]
    do(void, reservation=first)
    assert list_rows(busy, "transfers", filters={"open": "true"}).rows["client_id"].to_list() == [second]
    assert list_rows(busy, "transfers", filters={"open": "false"}).rows["client_id"].to_list() == [first]
    assert list_rows(busy, "blocks", filters={"reserved_by": second}).rows["quantity"].to_list() == [2]
    assert list_rows(busy, "holdings", filters={"account": "A"}).rows["free"].to_list() == [300 - 7 - 2]


def test_persons_are_shown_only_where_asked_for_privately(busy, do):
    do(appoint, account="A", role="primary", name="New")
    rows = list_rows(busy, "representatives", filters={"account": "A"}, private=True).rows.to_dicts()
    assert [(row["role"], row["name"], row["current"]) for row in rows] == [
        ("primary", "P", False),
        ("secondary", "S", True),
        ("primary", "New", True),
    ]
    assert "contact" not in list_rows(busy, "entities").rows.columns
    assert list_rows(busy, "entities", private=True).rows["contact"].to_list() == ["K"] * 3
    assert {"body", "actor"}.isdisjoint(list_rows(busy, "transactions").rows.columns)
    for name, hidden in (("entities", "contact"), ("transactions", "actor"), ("transactions", "body")):
        with pytest.raises(BadFilter, match=hidden):
            list_rows(busy, name, filters={hidden: "K"})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"filters": {"colour": "red"}}, "found the filter colour; transfers has transfer, "),
        ({"filters": {"quantity": "7.0"}}, "quantity = '7.0', expected a whole number"),
        ({"filters": {"quantity": 7.0}}, "expected a whole number"),
        ({"filters": {"quantity": True}}, "expected a whole number"),
        ({"filters": {"quantity": "９"}}, "expected a whole number"),
        ({"filters": {"quantity_from": str(2**63)}}, "expected a whole number"),
        ({"filters": {"at_from": "2026-01-31T09:30:00"}}, "a time with its zone"),
        ({"filters": {"at": "yesterday"}}, "a time with its zone"),
        ({"filters": {"at": 5}}, "a time with its zone"),
        ({"filters": {"at": "2026-02-30"}}, "a time with its zone"),
        ({"filters": {"open": "yes"}}, "true or false"),
        ({"filters": {"compliance_year_null": "1"}}, "true or false"),
        ({"filters": {"source": "A\x00"}}, "printable"),
        ({"filters": {"source": "\ud800"}}, "printable"),
        ({"filters": {"source": "A" * 600}}, "printable"),
        ({"filters": {"source": 3}}, "printable"),
        ({"filters": {"source_in": []}}, "1 to 100 values"),
        ({"filters": {"source_in": 3}}, "1 to 100 values"),
        ({"filters": {"source_in": ",".join("A" * 101)}}, "1 to 100 values"),
        ({"filters": {"source_null": "true"}}, "found the filter source_null"),
        ({"sort": "source"}, "transfers sorts by transfer, quantity"),
        ({"sort": "--at"}, "transfers sorts by"),
        ({"sort": ""}, "transfers sorts by"),
        ({"limit": 0}, "1 to 1000"),
        ({"limit": 1001}, "1 to 1000"),
        ({"limit": True}, "1 to 1000"),
    ],
)
def test_nonsense_is_refused_in_words(busy, asked, said):
    with pytest.raises(BadFilter, match=re.escape(said)):
        list_rows(busy, "transfers", **asked)


def test_an_unknown_list_names_the_known_ones(busy):
    with pytest.raises(UnknownListing, match="unknown list 'sqlite_master'; known: schemes, instruments"):
        list_rows(busy, "sqlite_master")


def test_a_cursor_is_good_for_its_own_question_only(busy):
    given_out = list_rows(busy, "transfers", limit=2, sort="-at", filters={"instrument": "CEA24"}).next
    same = {"sort": "-at", "filters": {"instrument": "CEA24"}}
    assert list_rows(busy, "transfers", limit=5, after=given_out, **same).rows.height == 5
    for other in ({**same, "sort": "at"}, {**same, "filters": {}}, {**same, "sort": None}):
        with pytest.raises(BadCursor, match="that transfers gave"):
            list_rows(busy, "transfers", after=given_out, **other)
    with pytest.raises(BadCursor):
        list_rows(busy, "holdings", after=given_out)
    values = json.loads(urlsafe_b64decode(given_out + "=="))
    forged = urlsafe_b64encode(json.dumps([values[0] + 1, *values[1:]]).encode()).decode()
    with pytest.raises(BadCursor):
        list_rows(busy, "transfers", after=forged, **same)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cursor=st.one_of(
        st.text(max_size=40),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=4),
        ).map(lambda value: urlsafe_b64encode(json.dumps(value).encode()).decode()),
    )
)
def test_no_cursor_of_ones_own_making_is_taken(busy, cursor):
    with pytest.raises(BadCursor):
        list_rows(busy, "transfers", after=cursor)


NAMES = sorted({name for listing in LISTINGS for name in filter_names(find_listing(listing), private=True)})
VALUES = st.one_of(
    st.text(max_size=12),
    st.integers(),
    st.sampled_from(
        ["true", "CN", "2024", "2024-01-01", "2024-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "A,B", ","]
    ),
    st.none(),
    st.floats(),
    st.datetimes(),
    st.lists(st.text(max_size=3), max_size=3),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(LISTINGS),
    filters=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), VALUES, max_size=2),
    sort=st.none() | st.text(max_size=5) | st.sampled_from(["at", "-at", "quantity", "-scheme"]),
    limit=st.integers(-1, 1002),
)
def test_any_question_is_answered_or_refused(busy, name, filters, sort, limit):
    try:
        page = list_rows(busy, name, filters=filters, sort=sort, limit=limit)
    except CarbonError:
        return
    assert page.rows.height <= limit


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # the plan's words are SQLite's
def test_pages_are_found_without_reading_what_was_passed(town):
    """The query plan of the last page of the big tables walks the key, on SQLite."""
    with writing(town) as connection:
        assert register_entity(connection, Act("e", 1, "t"), name="D", code="D").done
        assert open_account(
            connection,
            Act("d", 1, "t"),
            code="D",
            scheme="CN",
            type="trading",
            entity="D",
            primary="P",
            secondary="S",
        ).done
    with town.connect() as connection:
        begin_writing(connection)
        queries = []
        connection.connection.driver_connection.set_trace_callback(queries.append)
        page = list_rows(connection, "accounts", limit=5)
        list_rows(connection, "accounts", limit=5, after=page.next)
        connection.connection.driver_connection.set_trace_callback(None)
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {queries[-1]}").all()
        said = [row[3] for row in plan]
        assert said[0] == "SEARCH registry_account USING INTEGER PRIMARY KEY (rowid>?)"
        assert not any("TEMP B-TREE" in step for step in said)
        connection.rollback()
