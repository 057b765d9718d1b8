"""From grams to tonnes: sums exact to the gram, issued once, used where a pilot accepts them and nowhere else."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from carbon.footprints.persons.credits import GRAMS_PER_TONNE, available, certification_rows, certify, shares_of
from carbon.footprints.persons.refusals import PersonRefusal
from carbon.footprints.persons.totals import account_rows, totals
from carbon.ledger.audit import audit
from carbon.ledger.obligations import finalise_allocation, report_verified, use_offsets
from carbon.ledger.parties import close_scheme, open_account, register_entity
from carbon.ledger.post import writing
from carbon.ledger.verbs import cancel, issue, transfer
from carbon.rules.book import load_rules

from .world import PLATFORM, SALTS, SCHEME, TODAY, act, claim, consents, one, record

HELD = (
    "SELECT h.quantity FROM registry_holding h JOIN registry_account a ON a.id = h.account_id"
    " JOIN registry_instrument i ON i.id = h.instrument_id WHERE a.code = '{}' AND i.code = 'WHTPH'"
)
ISSUED = (
    "SELECT coalesce(sum(l.quantity), 0) FROM registry_transfer l JOIN person_certification c"
    " ON c.transaction_id = l.transaction_id WHERE l.kind = 'issue'"
)


def tonne_and_a_half(writer: Connection) -> None:
    """Ann saves 0.9 t on 1 June (1 t/kWh x 0.9 kWh); Bob 0.6 t on 2 June, which is recorded first."""
    consents(writer, "ann", "bob")
    record(
        writer,
        claim(2, method="big", unit="kWh", amount_milli=600, person="bob", day=date(2025, 6, 2)),
        claim(1, method="big", unit="kWh", amount_milli=900),
    )


def balance(writer: Connection, person: str) -> int:
    return int(account_rows(writer, platform=PLATFORM, salts=SALTS[PLATFORM], person=person)["balance_g"].sum())


def test_the_oldest_grams_go_first(writer: Connection) -> None:
    tonne_and_a_half(writer)
    made = certify(writer, act("c1"), platform=PLATFORM, today=TODAY)
    assert (made.receipt.done, made.tonnes, made.accounts, made.entries, made.replayed) == (True, 1, 2, 2, False)
    assert (balance(writer, "ann"), balance(writer, "bob")) == (0, 600_000 - 100_000)
    assert one(writer, HELD.format("APP")) == 1
    assert totals(writer, by=()).row(0)[-2:] == (GRAMS_PER_TONNE, 1_500_000 - GRAMS_PER_TONNE)


def test_pro_rata_takes_the_same_part_of_each(writer: Connection) -> None:
    tonne_and_a_half(writer)
    certify(writer, act("c1"), platform=PLATFORM, today=TODAY, rule="pro_rata")
    assert (balance(writer, "ann"), balance(writer, "bob")) == (900_000 // 3, 600_000 // 3)


def test_nothing_is_issued_twice(writer: Connection) -> None:
    tonne_and_a_half(writer)
    first = certify(writer, act("c1"), platform=PLATFORM, today=TODAY, tonnes=1)
    again = certify(writer, act("c1"), platform=PLATFORM, today=TODAY)
    assert again.replayed
    assert (again.tonnes, again.accounts, again.entries) == (first.tonnes, first.accounts, first.entries)
    assert again.receipt.transaction_id == first.receipt.transaction_id
    with pytest.raises(PersonRefusal, match="id_in_use"):
        certify(writer, act("c1"), platform=PLATFORM, today=TODAY, tonnes=2)
    with pytest.raises(PersonRefusal, match="too_little"):
        certify(writer, act("c2"), platform=PLATFORM, today=TODAY)
    assert certification_rows(writer).select("tonnes", "grams").rows() == [(1, GRAMS_PER_TONNE)]
    assert one(writer, ISSUED) == 1


def test_an_id_of_other_units_certifies_nothing(writer: Connection) -> None:
    tonne_and_a_half(writer)
    assert issue(writer, act("c1"), scheme=SCHEME, instrument="WHTPH", quantity=1, target="APP").done
    with pytest.raises(PersonRefusal, match="id_in_use"):
        certify(writer, act("c1"), platform=PLATFORM, today=TODAY, tonnes=1)
    assert one(writer, "SELECT count(*) FROM person_share") == 0


def test_where_the_ledger_refuses_no_gram_is_used(writer: Connection) -> None:
    tonne_and_a_half(writer)
    assert close_scheme(writer, act("x1"), scheme=SCHEME).done
    made = certify(writer, act("c1"), platform=PLATFORM, today=TODAY)
    assert (made.receipt.status, made.receipt.code, made.tonnes) == ("failed", "C01", 0)
    assert one(writer, "SELECT count(*) FROM person_share") == 0
    assert one(writer, "SELECT count(*) FROM person_certification") == 0
    assert balance(writer, "ann") == 900_000


def test_only_consented_well_known_grams_are_certified(writer: Connection) -> None:
    consents(writer, "ann", "cat")
    consents(writer, "bob", purposes=["record"])
    big = {"method": "big", "unit": "kWh", "amount_milli": 1_000}
    record(
        writer,
        claim(1, **big, person="bob"),
        claim(2, method="rough", amount_milli=10_000_000),
        claim(3, **big, person="cat"),
    )
    assert available(writer, PLATFORM, TODAY, TODAY)["grams"].to_list() == [GRAMS_PER_TONNE]
    assert available(writer, PLATFORM, date(2025, 5, 31), TODAY).is_empty()
    consents(writer, "cat", event="withdrawn", day=TODAY, purposes=["certify"])
    for until in (None, date(2025, 6, 1)):
        with pytest.raises(PersonRefusal, match="too_little"):
            certify(writer, act("c1"), platform=PLATFORM, today=TODAY, day=until)


def test_a_platform_without_a_ledger_account_certifies_nothing(writer: Connection) -> None:
    for platform, code in (("other", "no_ledger_account"), ("nowhere", "unknown_platform")):
        with pytest.raises(PersonRefusal, match=code):
            certify(writer, act("c1"), platform=platform, today=TODAY)


def _works(writer: Connection, scheme: str, code: str) -> None:
    assert register_entity(writer, act(f"e-{code}"), name=code, code=code, contact="K").done
    opened = open_account(
        writer, act(f"o-{code}"), code=code, scheme=scheme, type="operator", entity=code, primary="P", secondary="S"
    )
    assert opened.done


def test_credits_are_used_in_the_hubei_pilot_and_refused_elsewhere(writer: Connection) -> None:
    consents(writer, "ann")
    record(writer, claim(1, method="big", unit="kWh", amount_milli=3_000))
    assert certify(writer, act("c1"), platform=PLATFORM, today=TODAY).tonnes == 3
    _works(writer, "CN-HB", "HBW")
    unit = {"source": "APP", "instrument": "WHTPH", "quantity": 1, "kind": "external"}
    for number, scheme in enumerate(("CN", "CN-GD", "CN-BJ", "CN-SH")):
        _works(writer, scheme, f"W{number}")
        refused = transfer(writer, act(f"t{number}"), target=f"W{number}", **unit)
        assert (refused.status, refused.code) == ("failed", "C04")
    assert transfer(writer, act("t9"), target="HBW", **unit).done
    year = {"account": "HBW", "compliance_year": 2024}
    assert issue(writer, act("i1"), scheme="CN-HB", instrument="HBEA", quantity=100).done
    assert report_verified(writer, act("v1"), quantity_t=90, **year).done
    assert finalise_allocation(writer, act("f1"), scheme="CN-HB", instrument="HBEA", final_t=100, **year).done
    used = use_offsets(writer, act("u1"), rules=load_rules(), scheme="CN-HB", instrument="WHTPH", quantity=1, **year)
    assert used.done, used.message
    assert cancel(writer, act("k1"), scheme=SCHEME, account="APP", instrument="WHTPH", quantity=2).done
    assert one(writer, HELD.format("APP")) == 0
    assert one(writer, HELD.format("CN-HB:surrender")) == 1
    assert one(writer, HELD.format(f"{SCHEME}:cancellation")) == 2
    # The grams stay certified, whatever becomes of the units.
    assert totals(writer, by=()).row(0)[-2:] == (3 * GRAMS_PER_TONNE, 0)


def test_the_ledger_stays_whole(registry: Engine) -> None:
    with writing(registry) as connection:
        tonne_and_a_half(connection)
        assert certify(connection, act("c1"), platform=PLATFORM, today=TODAY).receipt.done
    with registry.connect() as connection:
        report = audit(connection, rules=load_rules(), as_of_us=1000)
    assert report.filter(pl.col("severity") == "error").rows() == []


entries = st.lists(st.integers(1, 10**13), min_size=1, max_size=40)


@given(grams=entries, data=st.data(), rule=st.sampled_from(["fifo", "pro_rata"]))
def test_shares_add_up_exactly_and_never_take_more_than_is_there(
    grams: list[int], data: st.DataObject, rule: str
) -> None:
    wanted = data.draw(st.integers(1, sum(grams)))
    frame = pl.DataFrame({"entry": range(len(grams)), "grams": grams}, schema={"entry": pl.Int64, "grams": pl.Int64})
    taken = shares_of(frame, wanted, rule)  # type: ignore[arg-type]
    assert taken["taken"].sum() == wanted
    assert ((taken["taken"] > 0) & (taken["taken"] <= taken["grams"])).all()
    given_ = dict(taken.select("entry", "taken").iter_rows())
    if rule == "fifo":
        last = max(given_)
        assert all(given_.get(entry) == grams[entry] for entry in range(last))
    else:
        for entry, own in enumerate(grams):
            assert own * wanted // sum(grams) <= given_.get(entry, 0) <= own * wanted // sum(grams) + 1


def test_the_largest_remainders_get_the_last_grams() -> None:
    # 10 of 3 + 3 + 5 = 11: 2.73, 2.73, 4.55; two of eight whole grams are missing: to the first two.
    frame = pl.DataFrame({"entry": [0, 1, 2], "grams": [3, 3, 5]})
    assert shares_of(frame, 10, "pro_rata")["taken"].to_list() == [3, 3, 4]
    # 1 of 2 + 2: the same remainder, so the older one.
    even = pl.DataFrame({"entry": [7, 8], "grams": [2, 2]})
    assert shares_of(even, 1, "pro_rata").select("entry", "taken").rows() == [(7, 1)]
