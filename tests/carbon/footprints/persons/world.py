"""Invented methods and how tests ask for things. The factors are round figures made for these tests."""

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, text

from carbon.footprints.persons.accounts import change_consents
from carbon.footprints.persons.hashing import Salts
from carbon.footprints.persons.methods import all_methods, method_schema
from carbon.footprints.persons.record import Recording, claims_schema, record_claims
from carbon.ledger.book import Act

PLATFORM, SCHEME = "app", "CN-WH-TPH"
CLAIMS = b"salt of the claims, one for all platforms!"
SALTS = {name: Salts(f"salt of the persons of {name}".ljust(40, "!").encode(), CLAIMS) for name in ("app", "other")}
TODAY = date(2025, 6, 30)
JUNE = date(2025, 6, 1)


def method(name: str, **given: Any) -> dict[str, Any]:
    """A method worth 100 g a kilometre, without caps, good everywhere, of confidence M."""
    usual = {
        **{"valid_from": date(2024, 1, 1), "valid_to": None, "activity": name, "baseline_ug": 150_000_000},
        **{"activity_ug": 50_000_000, "unit": "pkm", "cap_day_g": None, "cap_year_g": None, "region": None},
        **{"source": "invented for tests", "published": None, "confidence": "M", "name_zh": name, "name_en": name},
        **{"remark": None, "origin": "user"},
    }
    return {**usual, "method": name, **given}


METHODS = pl.DataFrame(
    [
        method("walk"),
        method("bus", cap_day_g=1_000, cap_year_g=2_500),
        method("rough", confidence="L"),
        method("hubei", region="420000"),
        method("shanghai", region="310000"),
        method("worse", baseline_ug=1, activity_ug=2),
        method("big", baseline_ug=10**12, activity_ug=0, unit="kWh"),
        method("dated", valid_from=date(2025, 1, 1), valid_to=date(2025, 3, 31)),
        method("dated", valid_from=date(2025, 5, 1), baseline_ug=250_000_000),
    ],
    schema=method_schema(),
)


def claim(number: int, **given: Any) -> dict[str, Any]:
    """Ann walks ten kilometres on 1 June: 1,000 g."""
    usual = {"person": "ann", "day": JUNE, "method": "walk", "amount_milli": 10_000, "unit": "pkm"}
    return {"row": number, "claim": f"ride-{number}", **usual, **given}


def record(connection: Connection, *claims: dict[str, Any], platform: str = PLATFORM, today: date = TODAY) -> Recording:
    rows = pl.DataFrame(list(claims), schema=claims_schema())
    return record_claims(
        connection,
        platform=platform,
        salts=SALTS[platform],
        claims=rows,
        methods=all_methods(connection),
        today=today,
        at_us=10,
    )


def consents(
    connection: Connection,
    *persons: str,
    event: str = "given",
    day: date = date(2025, 1, 1),
    platform: str = PLATFORM,
    today: date = TODAY,
    **given: Any,
) -> list[tuple[str, str | None]]:
    """Status and code of each person's consent."""
    usual = {"hub": "wuhan", "event": event, "day": day, "purposes": ["record", "certify"], "methods": ["*"]}
    rows = pl.DataFrame(
        [{"row": number, "person": person, **usual, **given} for number, person in enumerate(persons)],
        schema={
            **{"row": pl.Int64, "person": pl.String, "hub": pl.String, "event": pl.String, "day": pl.Date},
            **{"purposes": pl.List(pl.String), "methods": pl.List(pl.String)},
        },
    )
    asked = {"platform": platform, "salts": SALTS[platform], "today": today, "at_us": 9}
    return change_consents(connection, consents=rows, **asked).select("status", "code").rows()


def outcome(recording: Recording) -> list[tuple[str, str | None, int | None, int | None]]:
    return recording.rows.select("status", "code", "reduction_g", "credited_g").rows()


def codes(recording: Recording) -> list[str | None]:
    return recording.rows["code"].to_list()


def act(name: str, at_us: int = 100) -> Act:
    return Act(name, at_us, "tester")


def one(connection: Connection, query: str) -> Any:
    return connection.execute(text(query)).scalar()
