"""What may be recorded, what it is worth, and what is refused, with its reason."""

from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from carbon.footprints.activity_tables import FootprintActivity
from carbon.footprints.persons.accounts import platform_rows, register_platform
from carbon.footprints.persons.hashing import BadSalt, Salts, claim_hashes, person_hash
from carbon.footprints.persons.record import double_counted
from carbon.footprints.persons.reductions import capped, reduction_g_expr
from carbon.footprints.persons.refusals import REFUSALS, PersonRefusal
from carbon.footprints.persons.totals import account_rows, consent_rows, totals
from carbon.ledger.post import writing

from .world import CLAIMS, JUNE, PLATFORM, SALTS, SCHEME, TODAY, claim, codes, consents, one, outcome, record


def test_a_reduction_is_baseline_minus_activity_times_amount(writer: Connection) -> None:
    assert consents(writer, "ann") == [("opened", None)]
    # (150 - 50) g/pkm x 10 pkm, and x 0.019 pkm, whose 1.9 g are rounded down.
    told = record(writer, claim(1), claim(2, amount_milli=19))
    assert outcome(told) == [("recorded", None, (150 - 50) * 10, 1000), ("recorded", None, 1, 1)]
    assert account_rows(writer, platform=PLATFORM, salts=SALTS[PLATFORM], person="ann").rows() == [
        ("wuhan", "2025-06", "walk", 2, 1001, 1001, 0, 0, 1001)
    ]


def test_an_act_worse_than_its_baseline_saves_nothing(writer: Connection) -> None:
    consents(writer, "ann")
    assert outcome(record(writer, claim(1, method="worse"))) == [("recorded", None, 0, 0)]


def test_caps_of_day_and_year_are_applied_in_order_and_shown(writer: Connection) -> None:
    consents(writer, "ann", "bob")
    days = [JUNE, JUNE, JUNE + timedelta(1), JUNE + timedelta(2)]
    first = record(writer, *(claim(n, method="bus", day=day, amount_milli=8_000) for n, day in enumerate(days)))
    # 800 g each under 1,000 g a day and 2,500 g a year: 800, the 200 left of the day, 800, the 700 left of the year.
    assert first.rows["credited_g"].to_list() == [800, 1000 - 800, 800, 2500 - 800 - 200 - 800]
    assert first.rows["over_cap_g"].to_list() == [0, 600, 0, 100]
    later = record(writer, claim(9, method="bus"), claim(10, method="bus", person="bob"), claim(11))
    assert later.rows["credited_g"].to_list() == [0, 1000, 1000]
    new_year = record(writer, claim(12, method="bus", day=date(2024, 6, 1), amount_milli=1))
    assert codes(new_year) == ["no_consent"]


def test_the_row_of_a_method_is_that_of_the_day(writer: Connection) -> None:
    consents(writer, "ann")
    told = record(
        writer,
        claim(1, method="dated", day=date(2025, 3, 31)),
        claim(2, method="dated", day=date(2025, 4, 1)),
        claim(3, method="dated", day=date(2025, 5, 1)),
    )
    assert outcome(told) == [
        ("recorded", None, 1000, 1000),
        ("refused", "unknown_method", None, None),
        ("recorded", None, (250 - 50) * 10, 2000),
    ]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"claim": None}, "bad_claim"),
        ({"claim": " ride"}, "bad_claim"),
        ({"claim": "x" * 201}, "bad_claim"),
        ({"person": None}, "bad_person"),
        ({"person": ""}, "bad_person"),
        ({"day": None}, "bad_day"),
        ({"day": TODAY + timedelta(1)}, "bad_day"),
        ({"day": date(1989, 12, 31)}, "bad_day"),
        ({"amount_milli": None}, "bad_amount"),
        ({"amount_milli": 0}, "bad_amount"),
        ({"amount_milli": -5}, "bad_amount"),
        ({"amount_milli": 10**12 + 1}, "bad_amount"),
        ({"person": "nobody"}, "unknown_person"),
        ({"method": None}, "unknown_method"),
        ({"method": "teleport"}, "unknown_method"),
        ({"method": "bj-bus", "day": JUNE}, "outside_region"),
        ({"unit": "km"}, "wrong_unit"),
        ({"unit": None}, "wrong_unit"),
        ({"method": "shanghai"}, "outside_region"),
        ({"day": date(2024, 12, 31)}, "no_consent"),
    ],
)
def test_what_cannot_be_recorded_is_refused_by_code(writer: Connection, changed: dict[str, object], code: str) -> None:
    consents(writer, "ann")
    told = record(writer, claim(1, **changed), claim(2))
    assert codes(told) == [code, None]
    assert code in REFUSALS
    assert one(writer, "SELECT count(*) FROM person_entry") == 1
    assert one(writer, "SELECT count(*) FROM person_claim") == 1


def test_a_method_of_the_province_is_for_its_cities(writer: Connection) -> None:
    consents(writer, "ann")
    consents(writer, "bob", hub="shanghai")
    told = record(writer, claim(1, method="hubei"), claim(2, method="hubei", person="bob"))
    assert codes(told) == [None, "outside_region"]


def test_the_same_claim_again_is_replayed_and_another_content_refused(writer: Connection) -> None:
    consents(writer, "ann", "bob")
    before = record(writer, claim(1), claim(1) | {"row": 2}, claim(1, amount_milli=5) | {"row": 3})
    assert outcome(before) == [
        ("recorded", None, 1000, 1000),
        ("replayed", None, 1000, 1000),
        ("refused", "claim_in_use", None, None),
    ]
    again = record(writer, claim(1), claim(1, person="bob") | {"row": 2})
    assert outcome(again)[0] == ("replayed", None, 1000, 1000)
    assert codes(again)[1] == "claim_in_use"
    assert codes(record(writer, claim(1, person="bob"))) == ["claim_in_use"]
    assert totals(writer, by=()).rows() == [(1, 1000, 1000, 0, 0, 1000)]


def test_a_refused_claim_may_come_again(writer: Connection) -> None:
    assert codes(record(writer, claim(1), claim(1) | {"row": 2})) == ["unknown_person", "unknown_person"]
    consents(writer, "ann")
    assert codes(record(writer, claim(1))) == [None]


def test_another_platform_cannot_claim_the_same_act(writer: Connection) -> None:
    consents(writer, "ann")
    consents(writer, "ann-there", platform="other")
    record(writer, claim(1))
    assert codes(record(writer, claim(1, person="ann-there"), platform="other")) == ["claimed_before"]


def test_consent_binds_by_day_method_and_purpose(writer: Connection) -> None:
    assert consents(writer, "ann", methods=["walk"], purposes=["record"]) == [("opened", None)]
    assert codes(record(writer, claim(1), claim(2, method="bus"))) == [None, "no_consent"]
    assert consents(writer, "ann", methods=["walk"], purposes=["record"]) == [("unchanged", None)]
    assert consents(writer, "bob", purposes=["certify"]) == [("opened", None)]
    assert codes(record(writer, claim(3, person="bob"))) == ["no_consent"]
    assert consents(writer, "ann", day=TODAY, event="withdrawn") == [("withdrawn", None)]
    # An act of before, but nobody consents to its record any more; what was recorded is only repeated.
    told = outcome(record(writer, claim(1), claim(4)))
    assert told == [("replayed", None, 1000, 1000), ("refused", "no_consent", None, None)]
    assert consents(writer, "ann", day=TODAY) == [("given", None)]
    assert codes(record(writer, claim(4))) == [None]


@pytest.mark.parametrize(
    ("given_", "code"),
    [
        ({"event": "withdrawn", "day": TODAY - timedelta(1)}, "backdated_withdrawal"),
        ({"event": "taken"}, "bad_consent"),
        ({"purposes": ["sell"]}, "bad_consent"),
        ({"purposes": []}, "bad_consent"),
        ({"methods": []}, "bad_consent"),
        ({"hub": "atlantis"}, "unknown_hub"),
        ({"day": None}, "bad_day"),
    ],
)
def test_a_consent_that_cannot_be_kept_is_refused(writer: Connection, given_: dict[str, object], code: str) -> None:
    consents(writer, "ann")
    assert consents(writer, "ann", **given_) == [("refused", code)]
    assert one(writer, "SELECT count(*) FROM person_consent") == 2


def test_a_stranger_cannot_withdraw_nor_have_an_empty_name(writer: Connection) -> None:
    assert consents(writer, "ann", "", event="withdrawn", day=TODAY) == [
        ("refused", "unknown_person"),
        ("refused", "bad_person"),
    ]
    assert one(writer, "SELECT count(*) FROM person_account") == 0


def _store_activity(connection: Connection, **more: object) -> None:
    row = {
        **{"entity": "BUS CO", "share": 1.0, "period": "2025-06", "first_day": JUNE, "last_day": TODAY, "scope": 3},
        **{"category": "c06", "activity": "bus", "amount": 1.0, "unit": "pkm", "credit_note": False},
        **{
            "evidence": "metered",
            "activity_id": "a1",
            "platform": PLATFORM,
            "recorded": TODAY,
            "file": "f",
            "row": 2,
            "content": "c" * 64,
            **more,
        },
    }
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        session.add(FootprintActivity(**row))
        session.commit()


def test_what_a_company_counts_with_the_platform_is_not_the_persons_too(writer: Connection) -> None:
    consents(writer, "ann")
    _store_activity(writer, activity_id="ride-1")
    _store_activity(writer, activity_id="a2", evidence_ref="ride-2")
    _store_activity(writer, activity_id="ride-3", platform=None)
    assert codes(record(writer, claim(1), claim(2), claim(3))) == [
        "counted_in_footprint",
        "counted_in_footprint",
        None,
    ]


def test_what_a_person_was_credited_for_is_found_in_a_footprint(writer: Connection) -> None:
    consents(writer, "ann")
    record(writer, claim(1), claim(2))
    activities = pl.DataFrame(
        {
            "activity_id": ["ride-1", "x", "ride-2", "ride-7"],
            "evidence_ref": [None, "ride-2", None, "ride-8"],
            "platform": ["app", "app", None, "app"],
        }
    )
    assert double_counted(writer, salts=SALTS["other"], activities=activities).rows() == [
        ("ride-1", "app"),
        ("x", "app"),
    ]


def test_claims_are_not_sought_under_another_salt(writer: Connection) -> None:
    activities = pl.DataFrame({"activity_id": ["ride-1"], "evidence_ref": [None], "platform": ["app"]})
    with pytest.raises(PersonRefusal, match="other_salt"):
        double_counted(writer, salts=Salts(b"x" * 32, b"y" * 32), activities=activities)


def test_platforms_keep_their_salts(writer: Connection) -> None:
    changed = Salts(b"x" * 32, CLAIMS)
    with pytest.raises(PersonRefusal, match="other_salt"):
        register_platform(writer, platform=PLATFORM, name="App", salts=changed, at_us=1)
    with pytest.raises(PersonRefusal, match="other_salt"):
        register_platform(writer, platform="third", name="T", salts=Salts(b"x" * 32, b"y" * 32), at_us=1)
    with pytest.raises(PersonRefusal, match="platform_in_use"):
        register_platform(writer, platform="other", name="Another name", salts=SALTS["other"], at_us=1)
    assert not register_platform(writer, platform="other", name="Other app", salts=SALTS["other"], at_us=1)
    with pytest.raises(PersonRefusal, match="unknown_platform"):
        consent_rows(writer, platform="nowhere", salts=SALTS["app"], person="ann")


@pytest.mark.parametrize(
    ("scheme", "account", "instrument", "told"),
    [
        (SCHEME, "NOPE", "WHTPH", ["no open account 'NOPE' of 'CN-WH-TPH'"]),
        (SCHEME, "APP", "NOPE", ["no instrument 'NOPE' of 'CN-WH-TPH'"]),
        # An account and an instrument of another scheme than the one named.
        ("CN", "APP", "WHTPH", ["no open account 'APP' of 'CN'", "no instrument 'WHTPH' of 'CN'"]),
        ("X", "Y", "Z", ["no scheme 'X'", "no open account 'Y' of 'X'", "no instrument 'Z' of 'X'"]),
    ],
)
def test_a_platform_needs_an_account_that_the_ledger_has(
    writer: Connection, scheme: str, account: str, instrument: str, told: list[str]
) -> None:
    given = {"scheme": scheme, "ledger_account": account, "instrument": instrument}
    with pytest.raises(PersonRefusal, match="no_ledger_account") as caught:
        register_platform(writer, platform="third", name="T", salts=SALTS["other"], at_us=1, **given)
    assert caught.value.found == ", ".join(told)
    assert "third" not in platform_rows(writer)["platform"].to_list()


@pytest.mark.parametrize("salts", [(b"short", b"y" * 32), (b"x" * 32, b"x" * 32), (b"", b"y" * 32)])
def test_a_weak_salt_is_refused_and_never_shown(salts: tuple[bytes, bytes]) -> None:
    with pytest.raises(BadSalt) as caught:
        Salts(*salts)
    assert "yyy" not in str(caught.value)
    assert "salt of" not in repr(SALTS["app"])


def test_hashes_depend_on_salt_and_platform_and_claims_on_neither() -> None:
    ann = {person_hash(SALTS[name], place, "ann") for name in SALTS for place in SALTS}
    assert len(ann) == 4
    assert claim_hashes(SALTS["app"], ["r"]) == claim_hashes(SALTS["other"], ["r"])
    assert len(person_hash(SALTS["app"], "app", "ann")) == 64


def test_no_id_stands_in_any_table_in_clear(registry: Engine) -> None:
    with writing(registry) as connection:
        consents(connection, "ann-of-wuhan")
        record(connection, claim(1, person="ann-of-wuhan", claim="very-own-ride"))
    assert not found_anywhere(registry, "ann-of-wuhan")
    assert not found_anywhere(registry, "very-own-ride")
    assert not found_anywhere(registry, "salt of")


def found_anywhere(engine: Engine, wanted: str) -> list[str]:
    """Tables with a cell that holds the text."""
    from sqlmodel import SQLModel

    with engine.connect() as connection:
        return [
            table.name
            for table in SQLModel.metadata.sorted_tables
            for row in connection.execute(table.select())
            if any(wanted in str(cell) for cell in row)
        ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE person_entry SET credited_g = 0",
        "UPDATE person_account SET hub = 'shanghai'",
        "UPDATE person_consent SET event = 'given'",
        "UPDATE person_method SET baseline_ug = 0",
        "UPDATE person_platform SET name = 'X'",
        "UPDATE person_claim SET platform = 'other'",
        "DELETE FROM person_entry",
        "DELETE FROM person_consent",
        "DELETE FROM person_account",
        "DELETE FROM person_claim",
        "DELETE FROM person_method",
    ],
)
def test_rows_only_ever_grow(registry: Engine, statement: str) -> None:
    with writing(registry) as connection:
        consents(connection, "ann")
        record(connection, claim(1))
    with pytest.raises(DBAPIError), registry.begin() as connection:
        connection.execute(text(statement))


amounts = st.integers(1, 10**12)
factors = st.integers(0, 10**12)


@given(baseline=factors, activity=factors, amount=amounts)
def test_grams_are_exact_and_never_negative(baseline: int, activity: int, amount: int) -> None:
    row = pl.DataFrame({"baseline_ug": [baseline], "activity_ug": [activity], "amount_milli": [amount]})
    exact = Fraction(max(baseline - activity, 0), 10**6) * Fraction(amount, 1000)
    assert row.select(reduction_g_expr().alias("g"))["g"][0] == exact.numerator // exact.denominator


@given(
    rows=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.integers(0, 500)), min_size=0, max_size=30),
    day_cap=st.none() | st.integers(0, 800),
    year_cap=st.none() | st.integers(0, 1500),
    cut=st.integers(0, 30),
)
def test_caps_are_those_of_a_plain_loop_in_one_batch_or_two(
    rows: list[tuple[str, int, int]], day_cap: int | None, year_cap: int | None, cut: int
) -> None:
    first_day = date(2024, 12, 31)
    frame = pl.DataFrame(
        [
            ("m", first_day, account, first_day + timedelta(day), grams, day_cap, year_cap)
            for account, day, grams in rows
        ],
        schema={
            **{"method": pl.String, "valid_from": pl.Date, "account": pl.String, "day": pl.Date},
            **dict.fromkeys(("reduction_g", "cap_day_g", "cap_year_g"), pl.Int64),
        },
        orient="row",
    )
    expected, by_day, by_year = [], dict[tuple[str, int], int](), dict[tuple[str, int], int]()
    for account, day, grams in rows:
        year = (first_day + timedelta(day)).year
        left = [grams]
        if day_cap is not None:
            left.append(max(day_cap - by_day.get((account, day), 0), 0))
        if year_cap is not None:
            left.append(max(year_cap - by_year.get((account, year), 0), 0))
        expected.append(min(left))
        by_day[account, day] = by_day.get((account, day), 0) + min(left)
        by_year[account, year] = by_year.get((account, year), 0) + min(left)
    nothing = frame.head(0).with_columns(pl.lit(0, pl.Int64).alias("credited_g"))
    assert capped(frame, nothing)["credited_g"].to_list() == expected
    before = capped(frame.head(cut), nothing)
    after = capped(frame.slice(cut), before)
    assert [*before["credited_g"], *after["credited_g"]] == expected
