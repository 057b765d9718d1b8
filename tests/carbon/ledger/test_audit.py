"""The audit: silent on a true history, and every check finds what breaks it, whoever broke it and however."""

import inspect
from importlib import import_module
from random import Random
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import SQLModel

from carbon.ledger.audit import CHECKS, SEVERITIES, UnknownCheck, audit, balances, worst_severity
from carbon.ledger.audit.log import read_log, read_table
from carbon.ledger.book import Act
from carbon.ledger.chain import seal
from carbon.ledger.post import code_names, writing
from carbon.ledger.settlement import reserve, settle, void
from carbon.ledger.verbs import Movement, issue, pre_allocate, reverse, transfer

from .audit_cases import RULES, database, run, strip, tell
from .audit_tampering import TAMPERING, account

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
OURS = [code for code, check in CHECKS.items() if check.find is not None]
ELSEWHERE = [code for code, check in CHECKS.items() if check.find is None]
WAYS = [
    pytest.param(code, way, severity, id=f"{code}-{number}")
    for code, ways in TAMPERING.items()
    for number, (way, severity) in enumerate(ways)
]


@pytest.fixture(scope="module", params=DATABASES)
def bare(request, tmp_path_factory):
    """The history, sealed and then stripped of every constraint."""
    with database(request.param, tmp_path_factory.mktemp("audit")) as engine:
        tell(engine)
        with engine.connect() as connection:
            seal(connection, 11)
        strip(engine)
        yield engine


@pytest.fixture
def attacker(bare):
    with bare.connect() as connection:
        yield connection
        connection.rollback()


def test_the_table_has_all_checks_and_each_its_failing_tests():
    assert list(CHECKS)[:44] == [f"C{number:02}" for number in range(1, 45)] == list(code_names())
    assert set(TAMPERING) == set(OURS)
    assert all(check.code == code for code, check in CHECKS.items())


@pytest.mark.parametrize("code", ELSEWHERE)
def test_a_check_that_runs_elsewhere_is_there(code):
    check = CHECKS[code]
    assert check.applies in ("trades", "imports")
    for name in check.where:
        module, function = name.rsplit(".", 1)
        found = import_module(module)
        assert callable(getattr(found, function))
        assert code in inspect.getsource(found)


@pytest.mark.parametrize("code", OURS)
def test_a_check_of_the_audit_says_which_it_is(code):
    check = CHECKS[code]
    assert check.applies == "ledger"
    assert check.find.__doc__.startswith(f"{code}: ")
    assert check.where == (f"{check.find.__module__}.{check.find.__name__}",)


@pytest.fixture(scope="module")
def true_log(bare):
    """The history as the checks read it."""
    with bare.connect() as connection:
        return read_log(connection, rules=RULES, as_of_us=None, head=None)


@pytest.mark.parametrize("code", OURS)
def test_a_true_history_passes_every_check(true_log, code):
    found = CHECKS[code].find(true_log)
    assert found.height == 0, found


def test_a_true_history_has_no_finding(attacker):
    found = audit(attacker, rules=RULES)
    assert found.height == 0, found
    assert worst_severity(found) is None


@pytest.mark.parametrize(("code", "way", "severity"), WAYS)
def test_a_broken_history_is_found(attacker, code, way, severity):
    table = way(attacker)
    # All checks run, so that none of them breaks on what is broken.
    found = audit(attacker, rules=RULES)
    rows = found.filter(pl.col("code") == code, pl.col("table") == table)
    assert rows.height > 0, found
    assert rows["severity"][0] == severity, found
    assert found.select(pl.col("found", "expected", "table").null_count()).sum_horizontal().item() == 0


def test_the_first_overdraft_is_named_with_its_account_and_response(attacker):
    run(attacker, "UPDATE registry_transfer SET quantity = 40000 WHERE transaction_id ="
        " (SELECT id FROM registry_transaction WHERE client_id = 'tooMuch')")  # fmt: skip
    found = audit(attacker, rules=RULES, codes=["C18"]).row(0, named=True)
    assert (found["client_id"], found["account"], found["instrument"]) == ("tooMuch", "Q", "CEA24")
    # Q had 30,000 t and gave 40,000, reserved 50, got 40, gave 5, got and gave back 123, and 7 are reserved.
    assert "-10,0" in f"{int(found['found'].rsplit(' ', 1)[1]):,}"


def test_findings_carry_the_response_codes_of_the_eu(attacker):
    run(attacker, f"UPDATE registry_transfer SET source_id = 999999 WHERE source_id = {account('owner')}")
    found = audit(attacker, rules=RULES, codes=["C03"])
    assert found["eu_response"].unique().to_list() == ["7021"]
    assert worst_severity(found) == "error"


def test_findings_are_limited_and_say_how_many_more(attacker):
    run(attacker, "UPDATE registry_transfer SET quantity = 0")
    whole = audit(attacker, codes=["C16"])
    some = audit(attacker, codes=["C16"], max_rows=2)
    assert some.height == 3
    assert some["found"][-1] == f"{whole.height - 2} more findings of this check"
    assert audit(attacker, codes=["C16"], max_rows=whole.height).equals(whole)


def test_without_rules_what_needs_none_is_still_checked(attacker):
    run(attacker, "UPDATE registry_transfer SET compliance_year = NULL WHERE kind = 'surrender'")
    assert audit(attacker).filter(pl.col("code") == "C31").height == 1


def test_the_time_of_the_question_is_the_last_of_the_log_unless_given(attacker):
    assert audit(attacker, codes=["C22"]).height == 0
    late = audit(attacker, codes=["C22"], as_of_us=2**61)
    assert late["severity"].to_list() == ["warning"]
    assert late["client_id"].to_list() == ["hold3"]


def test_a_published_digest_that_is_gone_is_found(attacker):
    found = audit(attacker, head="0" * 64, codes=["SEAL"])
    assert found["table"].to_list() == ["registry_seal"]


@pytest.mark.parametrize("code", ["C35", "C99"])
def test_a_check_that_the_audit_does_not_run_is_refused(attacker, code):
    with pytest.raises(UnknownCheck, match=code):
        audit(attacker, codes=[code])


def test_severities_are_ordered():
    def of(*levels):
        return pl.DataFrame({"severity": list(levels)}, {"severity": pl.String})

    assert [worst_severity(of(*SEVERITIES[number:])) for number in range(4)] == ["error", "warning", "info", None]


@pytest.mark.parametrize("bare", ["sqlite"], indirect=True)  # PostgreSQL holds no value of a wrong type
def test_values_of_wrong_types_do_not_end_the_audit(attacker):
    for change in ("quantity = 'many'", "compliance_year = 'soon'", "kind = x'ff00'", "kind = CAST(x'ff' AS TEXT)"):
        run(attacker, f"UPDATE registry_transfer SET {change} WHERE id = 3")
        assert worst_severity(audit(attacker, rules=RULES)) == "error"
    run(attacker, "UPDATE registry_transaction SET body = 5.5, at_us = 'now' WHERE id = 3")
    assert "BODY" in audit(attacker, rules=RULES)["code"].to_list()


def test_an_empty_ledger_is_clean(engine):
    with engine.connect() as connection:
        assert audit(connection, rules=RULES).height == 0


def test_both_ways_of_reading_a_table_agree(bare, monkeypatch):
    import carbon.ledger.audit.log as reading

    tables = [name for name in SQLModel.metadata.tables if name.startswith("registry_") and "seal" not in name]
    tables = [name for name in tables if name != "registry_kept_table"]
    with bare.connect() as connection:
        quick = {table: read_table(connection, table) for table in tables}
        refused = pl.exceptions.ComputeError("no")
        monkeypatch.setattr(reading, "read_columns", lambda *_, **__: (_ for _ in ()).throw(refused))
        for table in tables:
            assert read_table(connection, table).equals(quick[table]), table


KEYS = [(name, number) for name in (1, 2, 3) for number in (7, 8)]


@given(st.data())
@settings(max_examples=80)
def test_overdrafts_and_holdings_are_those_of_a_plain_loop(data):
    """Account 1 issues; legs of all phases, most of them wrong, against dictionaries."""
    rows, reserves = [], []
    for id in range(1, data.draw(st.integers(1, 25)) + 1):
        phase = data.draw(st.sampled_from(["posted", "posted", "reserve", "settle", "void"]))
        if phase in ("settle", "void") and reserves:
            began = reserves.pop(data.draw(st.integers(0, len(reserves) - 1)))
            quantity = began[5] if phase == "void" else data.draw(st.integers(1, began[5]))
            rows.append((id, phase, *began[2:5], quantity, began[0]))
            continue
        source, target = data.draw(st.sampled_from([(1, 2), (1, 3), (2, 3), (3, 2), (2, 1)]))
        unit, quantity = data.draw(st.sampled_from([7, 8])), data.draw(st.integers(1, 9))
        rows.append((id, "reserve" if phase == "reserve" else "posted", source, target, unit, quantity, None))
        if phase == "reserve":
            reserves.append(rows[-1])
    free, kept, first = dict.fromkeys(KEYS, 0), dict.fromkeys(KEYS, 0), {}
    sizes = {row[0]: row[5] for row in rows}
    for id, phase, source, target, unit, quantity, began in rows:
        if phase == "reserve":
            free[source, unit] -= quantity
            kept[source, unit] += quantity
        else:
            whole = sizes[began] if began else quantity
            kept[source, unit] -= whole if began else 0
            free[source, unit] -= 0 if began else quantity
            free[source, unit] += whole if phase == "void" else whole - quantity
            free[target, unit] += 0 if phase == "void" else quantity
        if source != 1 and free[source, unit] < 0:
            first.setdefault((source, unit), id)
    names = ["id", "phase", "source_id", "target_id", "instrument_id", "quantity", "reserve_id"]
    kinds = {name: pl.String if name == "phase" else pl.Int64 for name in names}
    legs = pl.DataFrame(rows, kinds, orient="row").with_columns(transaction_id=pl.col("id"))
    accounts = pl.DataFrame({"id": [1, 2, 3], "type": ["issuance", "operator", "operator"]})
    log = SimpleNamespace(legs=legs, accounts=accounts)
    found = balances.find_overdrafts(log)
    assert {(row["account_id"], row["instrument_id"]): row["id"] for row in found.to_dicts()} == first
    for row in balances.recomputed_holdings(log).to_dicts():
        key = row["account_id"], row["instrument_id"]
        assert (row["quantity"], row["reserved"]) == (free[key] + kept[key], kept[key])


@pytest.mark.parametrize("seed", range(3))
def test_random_histories_are_clean_and_one_changed_number_is_not(ledger, seed):
    """The replay of serial numbers, balances and reservations against what the guards of the database have kept."""
    dice = Random(seed)
    with writing(ledger) as connection:
        random_history(connection, dice)
    with ledger.connect() as connection:
        found = audit(connection, rules=RULES)
        assert found.height == 0, found
        log = read_log(connection, rules=None, as_of_us=None, head=None)
        assert log.pieces.height > 50
        assert log.legs["phase"].n_unique() == 4
        assert log.legs["kind"].is_in(["reverse"]).any()
    strip(ledger)
    with ledger.connect() as connection:
        id = dice.choice(connection.execute(text("SELECT id FROM registry_piece")).scalars().all())
        run(connection, "UPDATE registry_piece SET serial_first = serial_first + 1 WHERE id = :id", id=id)
        assert {"C26", "C27"} <= set(audit(connection)["code"])


def random_history(connection, dice):
    from carbon.ledger.parties import open_account, register_entity

    clock = iter(range(1, 10**6))

    def act(verb, **asked):
        number = next(clock)
        return verb(connection, Act(f"r{number}", number, "t"), **asked)

    for name in "ABC":
        assert act(register_entity, name=name, code=name, contact="K").done
        opened = {"scheme": "CN", "type": "operator", "entity": name, "primary": "X", "secondary": "Y"}
        assert act(open_account, code=name, **opened).done
    units = ("CEA24", "CNY")
    assert act(issue, scheme="CN", instrument="CEA24", quantity=900).done
    for name in "ABC":
        asked = {"scheme": "CN", "account": name, "instrument": "CEA24", "compliance_year": 2024}
        assert act(pre_allocate, quantity=300, **asked).done
    held, moved = [], []
    for _ in range(90):
        source, target = dice.sample("ABC", 2)
        asked = {"source": source, "target": target, "instrument": units[0]}
        quantity = dice.randrange(1, 120)
        match dice.choice(["transfer", "transfer", "numbered", "reserve", "settle", "void", "reverse"]):
            case "transfer":
                moved.append(act(transfer, quantity=quantity, **asked))
            case "numbered":
                moved.append(act(transfer, quantity=dice.randrange(1, 9), first_serial=dice.randrange(1, 900), **asked))
            case "reserve":
                legs = [Movement(source, target, "CEA24", quantity), Movement(target, source, "CEA24", 3)]
                held.append((act(reserve, movements=legs, expires_at_us=10**15), quantity))
            case "settle" if held:
                receipt, most = held.pop(dice.randrange(len(held)))
                act(settle, reservation=receipt.client_id, quantities=[dice.randrange(1, most + 1), 2])
            case "void" if held:
                act(void, reservation=held.pop(dice.randrange(len(held)))[0].client_id)
            case "reverse" if moved:
                act(reverse, original=dice.choice(moved).client_id, reason="chance")
