"""The UK flat file through the commands: loaded, shown, and an activity calculated with it."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., tuple[int, str, str]]
EXCERPT = Path(__file__).parents[1] / "carbon" / "footprints" / "defra_2020_excerpt.csv"
ACTIVITIES = """activity_id,entity,region,period,scope,category,activity,amount,unit,series,evidence
boiler,works,GB,2020,1,stationary,natural_gas,1000,m3,,invoice
power,works,GB,2020,2,electricity,electricity,10,MWh,,invoice
vans,works,GB,2020,3,c04,freighting_goods/vans/average_(up_to_3.5_tonnes)/unknown,500,t*km,,supplier
diesel,yard,GB,2020,1,mobile,diesel,1000,L,defra_gases,invoice
"""


@pytest.fixture
def loaded(run: Run, tmp_path: Path) -> Run:
    """A home with the excerpt and four activities of 2020."""
    code, out, err = run("load", "factors", str(EXCERPT))
    assert code == 0, out + err
    path = tmp_path / "activities.csv"
    path.write_text(ACTIVITIES, encoding="utf-8")
    code, out, err = run("load", "activities", str(path))
    assert code == 0, out + err
    return run


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def totals(run: Run, entity: str, *words: str) -> dict[tuple[str, str], float]:
    code, out, err = run("footprint", "calculate", "--entity", entity, "--year", "2020", *words)
    assert code == 0, err
    return {(row["scope"], row["method"]): float(row["co2e_kg"]) for row in rows_of(out)}


def test_loading_counts_every_row_and_twice_changes_nothing(run: Run) -> None:
    for counts in ("99 new, 0 loaded before", "0 new, 99 loaded before"):
        code, out, err = run("load", "factors", str(EXCERPT), "--format", "json")
        assert (code, json.loads(out)) == (0, [])
        assert f"read as defra, 99 rows; {counts}, 0 without a figure, 0 set apart" in err


def test_a_factor_is_found_in_its_country_and_year(loaded: Run) -> None:
    code, out, err = loaded("factors", "find", "natural_gas", "--region", "GB", "--year", "2020", "--format", "json")
    assert code == 0, err
    taken: list[dict[str, Any]] = [row for row in json.loads(out) if row["chosen"]]
    assert {row["series"] for row in taken} == {"defra"}
    assert all("conversion factors for company reporting 2020" in row["source"] for row in taken)


def test_activities_are_counted_with_the_published_totals(loaded: Run) -> None:
    told = totals(loaded, "works")
    assert told["1", ""] == pytest.approx(1000 * 2.02266)
    assert told["2", "location"] == pytest.approx(10_000 * 0.23314)
    assert told["3", ""] == pytest.approx(500 * 0.61986)


def test_the_gases_are_counted_with_the_set_that_is_asked_for(loaded: Run) -> None:
    old = totals(loaded, "yard", "--gwp", "AR4GWP100")["1", ""]
    new = totals(loaded, "yard", "--gwp", "AR5GWP100")["1", ""]
    # 2.51072 + 0.00025 + 0.03506 = 2.54603 kg CO2e a litre, as published.
    assert old == pytest.approx(1000 * 2.54603)
    assert new == pytest.approx(1000 * (2.51072 + 0.00025 / 25 * 28 + 0.03506 / 298 * 265))
