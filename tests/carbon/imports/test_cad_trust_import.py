"""Blocks of the ledger through CAD Trust files into another ledger: the same blocks, statuses and quantities."""

import json

import polars as pl
import pytest

from carbon.imports.cad_trust import export_cad_trust, import_cad_trust, ledger_blocks
from carbon.imports.offsets import import_offsets
from carbon.ledger.book import Act
from carbon.ledger.obligations import surrender
from carbon.ledger.parties import open_account, register_entity
from carbon.ledger.post import writing
from carbon.ledger.settlement import reserve
from carbon.ledger.verbs import Movement, cancel, issue, pre_allocate, transfer
from carbon.rules.book import load_rules

START_US = 1_764_000_000_000_000  # in November 2025


@pytest.fixture
def full(ledger):
    """Two holders with allowances held, surrendered and cancelled, credits of another scheme, and no vintage at all."""
    acts = (Act(f"a{number}", START_US + number, "t") for number in range(100))
    unit, rules = {"scheme": "CN", "instrument": "CEA24"}, load_rules()
    with writing(ledger) as connection:
        done = []
        for name in ("A", "B"):
            done.append(register_entity(connection, next(acts), name=f"武汉 {name}", code=name, contact="K"))
            asked = {"scheme": "CN", "type": "operator", "entity": name, "primary": "P", "secondary": "S"}
            done.append(open_account(connection, next(acts), code=name, **asked))
        done += [
            open_account(connection, next(acts), code="CCER:outside", scheme="CCER", type="external"),
            issue(connection, next(acts), quantity=1_000, **unit),
            pre_allocate(connection, next(acts), account="A", quantity=700, compliance_year=2024, **unit),
            transfer(connection, next(acts), source="A", target="B", instrument="CEA24", quantity=100),
            surrender(connection, next(acts), rules=rules, account="A", quantity=50, compliance_year=2024, **unit),
            cancel(connection, next(acts), account="B", quantity=7, **unit),
            issue(connection, next(acts), scheme="CN", instrument="CEA19-20", quantity=100, target="A"),
            issue(connection, next(acts), scheme="CN-HB", instrument="HBEA", quantity=77),
            issue(connection, next(acts), scheme="CCER", instrument="CCER", quantity=500, target="CCER:outside"),
            transfer(connection, next(acts), source="CCER:outside", target="A", instrument="CCER", quantity=60,
                     kind="external"),
        ]  # fmt: skip
        assert all(receipt.done for receipt in done), [receipt for receipt in done if not receipt.done]
    return ledger


def blocks_of(engine):
    with engine.connect() as connection:
        return ledger_blocks(connection)


def write(engine, path, **asked):
    with engine.connect() as connection:
        return export_cad_trust(connection, path, **asked)


@pytest.mark.parametrize("ending", ["xlsx", "zip", "json"])
def test_a_ledger_comes_back_block_for_block(full, bring, new_ledger, is_sound, tmp_path, ending):
    before = blocks_of(full)
    totals = dict(before.group_by("status").agg(pl.col("quantity").sum()).iter_rows())
    assert totals == {"held": 1_000 - 50 - 7 + 100 + 77 + 500, "surrendered": 50, "cancelled": 7}
    problems = write(full, tmp_path / f"units.{ending}")
    # The register of Hubei and CCER know no vintage, which CAD Trust demands.
    undated = before["vintage"].null_count()
    assert sum(problem.code == "c30_vintage" for problem in problems) == undated == 3
    other = new_ledger()
    report = bring(other, import_cad_trust, tmp_path / f"units.{ending}")
    assert (report.rows_read, report.rows_booked, report.rows_apart) == (before.height, before.height, 0)
    assert report.sums == {f"{status}, t": total for status, total in sorted(totals.items())}
    assert blocks_of(other).equals(before)
    is_sound(other)
    again = bring(other, import_cad_trust, tmp_path / f"units.{ending}")
    assert (again.replayed, again.rows_repeated) == (True, before.height)
    # And once more from the second ledger: holders' names come from the import there.
    write(other, tmp_path / f"again.{ending}")
    third = new_ledger()
    bring(third, import_cad_trust, tmp_path / f"again.{ending}")
    assert blocks_of(third).equals(before)


def test_version_1_carries_the_blocks_with_a_vintage(full, bring, new_ledger, tmp_path):
    write(full, tmp_path / "units.json", version=1)
    assert json.loads((tmp_path / "units.json").read_text())["version"] == "v1"
    other = new_ledger()
    bring(other, import_cad_trust, tmp_path / "units.json")
    assert blocks_of(other).equals(blocks_of(full).filter(pl.col("vintage").is_not_null()))


def test_the_731_ranges_of_verra_go_through_xlsx(ledger, bring, new_ledger, outside_data, tmp_path):
    bring(ledger, import_offsets, outside_data / "offsets/verra_vcus_sample_with_serials.csv.gz")
    assert write(ledger, tmp_path / "units.xlsx")
    other = new_ledger()
    report = bring(other, import_cad_trust, tmp_path / "units.xlsx")
    assert report.rows_booked == 731
    assert blocks_of(other).equals(blocks_of(ledger))


def test_a_reserved_block_is_booked_as_held_and_said(full, bring, new_ledger, tmp_path):
    with writing(full) as connection:
        movements = [Movement("A", "B", "CEA24", 20)]
        expires = START_US + 10**12
        assert reserve(connection, Act("r", START_US, "t"), movements=movements, expires_at_us=expires).done
    write(full, tmp_path / "units.json")
    other = new_ledger()
    report = bring(other, import_cad_trust, tmp_path / "units.json")
    assert [problem.found for problem in report.problems if problem.code == "reserved"] == ["CEA24 151 to 170 reserved"]
    free = pl.col("status").replace({"reserved": "held"})
    assert blocks_of(other).equals(blocks_of(full).with_columns(free))


def test_a_block_that_meets_others_is_set_apart_and_one_that_is_there_is_a_repeat(full, bring, look, tmp_path):
    write(full, tmp_path / "units.json")
    content = json.loads((tmp_path / "units.json").read_text())
    units = content["tables"]["units"]
    last = next(unit for unit in units if unit["unitSerialId"].startswith("CEA24-701-"))
    last |= {"unitSerialId": "CEA24-701-1100", "unitEndBlock": "1100", "unitCount": "400"}
    (tmp_path / "wider.json").write_text(json.dumps(content))
    report = bring(full, import_cad_trust, tmp_path / "wider.json")
    assert (report.rows_read, report.rows_repeated, report.rows_apart, report.rows_booked) == (
        len(units), len(units) - 1, 1, 0,
    )  # fmt: skip
    assert [(p.code, p.found) for p in report.problems if p.code == "C27"] == [("C27", "CEA24 701 to 1100")]
    assert look(full, "SELECT count(*) FROM registry_transfer WHERE reference IS NOT NULL") == [(0,)]


def test_units_of_other_registries_are_kept_and_set_apart(ledger, bring, look, tmp_path):
    unit = {
        "cadTrustUnitId": "1", "unitSerialId": "XX-1-10", "unitStartBlock": "1", "unitEndBlock": "10",
        "unitCount": "10", "unitType": "Not Determined", "unitVintageYear": "2020", "unitStatus": "Held",
        "unitMetric": "tCO2e", "cadTrustIssuanceId": "i",
    }  # fmt: skip
    (tmp_path / "other.json").write_text(json.dumps({"version": "v2", "tables": {"units": [unit]}}))
    report = bring(ledger, import_cad_trust, tmp_path / "other.json")
    assert (report.rows_read, report.rows_booked, report.rows_apart) == (1, 0, 1)
    assert "not_our_unit" in {problem.code for problem in report.problems}
    assert look(ledger, "SELECT height FROM registry_kept_table WHERE name = 'tables/units'") == [(1,)]
