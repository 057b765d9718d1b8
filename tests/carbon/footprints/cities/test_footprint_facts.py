"""What the index reads of footprints, covered entities and personal accounts, on each database."""

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from carbon import facts
from carbon.embedded import load_embedded
from carbon.footprints.calculate import Calculation, left_out_schema
from carbon.footprints.runs import RunTerms, save_run
from carbon.footprints.schemas import activities_schema, factors_schema
from carbon.ledger.book import Act
from carbon.ledger.parties import close_account, open_account, register_entity
from carbon.ledger.post import writing
from carbon.ledger.seed import seed_registry

Make = Callable[..., pl.DataFrame]
US_OF_2024 = 1_710_000_000_000_000
"""A moment in March 2024."""


def typed(name: str) -> dict[str, type[pl.DataType]]:
    return {column: getattr(pl, kind) for column, kind in facts.SCHEMAS[name].items()}


@pytest.fixture
def store(engine: Engine) -> Engine:
    with Session(engine) as session:
        load_embedded(session)
    seed_registry(engine, 0)
    return engine


def keep(session: Session, lines: pl.DataFrame, created_us: int = 1) -> None:
    """Store lines as the run of their own number of activities."""
    made = Calculation(lines, pl.DataFrame(schema=left_out_schema()), (), lines.height)
    activities = pl.DataFrame(
        [{**dict.fromkeys(activities_schema()), "activity_id": f"{created_us}-{at}"} for at in range(lines.height)],
        schema=activities_schema(),
    )
    save_run(session, made, activities, pl.DataFrame(schema=factors_schema()), RunTerms(), created_us=created_us)


def test_an_empty_store_has_schemas_and_no_rows(store: Engine) -> None:
    with Session(store) as session:
        lines = facts.footprint_lines(session)
        frames = {
            "footprint_quality": facts.footprint_quality(lines),
            "footprint_entities": facts.footprint_entities(lines),
            "covered_entities": facts.covered_entities(session),
        }
        for name, frame in frames.items():
            assert dict(frame.schema) == typed(name)
            assert frame.height == 0
        accounts = facts.personal_accounts(session)
    assert dict(accounts.schema) == typed("personal_accounts")
    assert accounts.filter(~pl.col("printed")).height == 0


def test_the_printed_accounts_of_wuhan_stay_facts_of_their_years(store: Engine) -> None:
    with Session(store) as session:
        rows = facts.personal_accounts(session).filter(pl.col("hub") == "wuhan")
    assert rows.select("period", "accounts", "printed").rows() == [("2024", 800_000, True), ("2025", 1_600_000, True)]


def test_measures_of_quality_by_hub_and_year(store: Engine, make_lines: Make) -> None:
    """Metered 6 t with score 2, invoiced 3 t with score 4, recorded 30 and 90 days after the year; scope 2 by market
    and biogenic lines do not count."""
    lines = make_lines(
        {"co2e_kg": 6000.0, "pcaf": 2, "evidence": "metered", "recorded": date(2024, 1, 30)},
        {"co2e_kg": 3000.0, "pcaf": 4, "evidence": "invoice", "recorded": date(2024, 3, 30), "entity": "mill"},
        {"co2e_kg": 50_000.0, "pcaf": 5, "scope": 2, "method": "market", "entity": "mill"},
        {"co2e_kg": 70_000.0, "pcaf": 5, "biogenic": True, "entity": "mill"},
        {"co2e_kg": 1000.0, "hub": None},
    )
    with Session(store) as session:
        keep(session, lines)
        found = facts.footprint_lines(session)
    rows = facts.footprint_quality(found)
    assert dict(rows.schema) == typed("footprint_quality")
    (row,) = rows.iter_rows(named=True)
    assert (row["hub"], row["period"], row["entities"], row["co2e_t"]) == ("wuhan", "2023", 2, 9.0)
    assert row["score"] == pytest.approx((6 * 2 + 3 * 4) / 9)
    assert row["measured_or_verified_share"] == pytest.approx(6 / 9)
    assert row["verified_share"] == 0
    assert row["timeliness_days"] == (30 + 90) / 2
    assert facts.footprint_entities(found).rows() == [("mill", "2023"), ("plant", "2023")]


def test_operators_are_covered_and_traders_are_not(store: Engine) -> None:
    people = {"primary": "P", "secondary": "S"}
    acts = iter(Act(f"a{number}", US_OF_2024 + number, "tester") for number in range(20))
    with writing(store) as connection:
        for code, hub in (("A", "wuhan"), ("B", None), ("C", "xian")):
            assert register_entity(connection, next(acts), name=code, code=code, contact="K", hub=hub).done
        for code, entity, kind, scheme in (
            ("A-1", "A", "operator", "CN"),
            ("B-1", "B", "operator", "CN"),
            ("C-1", "C", "trading", "CN"),
            ("A-EU", "A", "operator", "EU"),
        ):
            opened = open_account(connection, next(acts), code=code, scheme=scheme, type=kind, entity=entity, **people)
            assert opened.done
        assert close_account(connection, next(acts), account="B-1").done
    with Session(store) as session:
        rows = facts.covered_entities(session)
    assert dict(rows.schema) == typed("covered_entities")
    assert rows.select("entity", "uscc", "hub", "scheme", "closed_year").rows() == [
        ("A", None, "wuhan", "CN", None),
        ("B", None, None, "CN", 2024),
    ]


def test_the_stamp_changes_with_runs_and_operators(store: Engine, make_lines: Make) -> None:
    with Session(store) as session:
        stamps = [facts.footprints_stamp(session)]
        keep(session, make_lines({"co2e_kg": 1.0}))
        stamps.append(facts.footprints_stamp(session))
    with writing(store) as connection:
        assert register_entity(connection, Act("e", 1, "t"), name="A", code="A", contact="K").done
        opened = open_account(
            connection,
            Act("o", 2, "t"),
            code="A-1",
            scheme="CN",
            type="operator",
            entity="A",
            primary="P",
            secondary="S",
        )
        assert opened.done
    with Session(store) as session:
        stamps += [facts.footprints_stamp(session)] * 2
    with writing(store) as connection:
        assert close_account(connection, Act("c", 3, "t"), account="A-1").done
    with Session(store) as session:
        stamps.append(facts.footprints_stamp(session))
    assert [stamps[at] == stamps[at + 1] for at in range(4)] == [False, False, True, False]
