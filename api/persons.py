"""Personal carbon accounts over the opened store: the same verbs for HTTP and the command line.

Knows in which database transaction each verb runs and which day it is in China. Knows no HTTP and no screen. Ids of
persons pass through and are never kept, told or logged.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import polars as pl
from sqlalchemy import Engine
from sqlmodel import Session

from api.db import one_state
from api.person_salts import load_salts
from api.settings import Settings
from api.store import Store
from carbon.errors import Problem
from carbon.footprints.persons import accounts, credits, erasure, methods, record, totals
from carbon.footprints.persons.hashing import Salts
from carbon.footprints.persons.refusals import REFUSALS
from carbon.ledger.book import Act
from carbon.ledger.post import writing

__all__ = [
    "accounts_by_city",
    "certifications",
    "certify",
    "change_consents",
    "china_day",
    "claimed_before",
    "erase",
    "is_registered",
    "keep_methods",
    "method_rows",
    "platforms",
    "record_claims",
    "register_platform",
    "show",
    "sums",
    "with_reasons",
]

_CHINA_US: Final = 8 * 3_600_000_000
_UG_PER_G: Final = 1_000_000
_FACTORS: Final = ("baseline", "activity")


def china_day(at_us: int) -> date:
    """The day in China at a time: microseconds since 1970 UTC."""
    return date(1970, 1, 1) + timedelta(microseconds=at_us + _CHINA_US)


def register_platform(store: Store, salts: Salts, at_us: int, asked: Mapping[str, str | None]) -> bool:
    """Register a platform; false where it is there already. asked : platform, name, scheme, ledger_account, instrument.

    Raises PersonRefusal.
    """
    given = {name: asked.get(name) for name in ("scheme", "ledger_account", "instrument")}
    with writing(store.engine) as connection:
        return accounts.register_platform(
            connection,
            platform=asked["platform"] or "",
            name=asked["name"] or "",
            salts=salts,
            at_us=at_us,
            **given,
        )


def change_consents(store: Store, platform: str, salts: Salts, consents: pl.DataFrame, at_us: int) -> pl.DataFrame:
    """Give and withdraw consents: row, status, code, and the reasons in words. Raises PersonRefusal."""
    asked = {"platform": platform, "salts": salts, "consents": consents}
    with writing(store.engine) as connection:
        rows = accounts.change_consents(connection, **asked, today=china_day(at_us), at_us=at_us)  # type: ignore[arg-type]
    return with_reasons(rows)


def record_claims(store: Store, platform: str, salts: Salts, claims: pl.DataFrame, at_us: int) -> pl.DataFrame:
    """Record reductions: the rows of `Recording` with the reasons in words. Raises PersonRefusal."""
    with writing(store.engine) as connection:
        told = record.record_claims(
            connection,
            platform=platform,
            salts=salts,
            claims=claims,
            methods=methods.all_methods(connection),
            today=china_day(at_us),
            at_us=at_us,
        )
    return with_reasons(told.rows)


def certify(
    store: Store, act: Act, *, platform: str, day: date | None, tonnes: int | None, rule: credits.Rule
) -> credits.Certified:
    """Make tonnes of grams and issue them; see `credits.certify`. Raises PersonRefusal, BadOrder, IdInUse."""
    today = china_day(act.at_us)
    with writing(store.engine) as connection:
        return credits.certify(connection, act, platform=platform, today=today, day=day, tonnes=tonnes, rule=rule)


def erase(store: Store, platform: str, salts: Salts, person: str, at_us: int) -> bool:
    """Erase a person and what the database's own files still hold; false where there is none. Raises PersonRefusal."""
    asked = {"platform": platform, "salts": salts, "person": person}
    with writing(store.engine) as connection:
        done = erasure.erase_person(connection, **asked, today=china_day(at_us))  # type: ignore[arg-type]
    if done:
        erasure.overwrite_traces(store.engine)
    return done


def show(store: Store, platform: str, salts: Salts, person: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What a person has, and the person's consents. Raises PersonRefusal."""
    with one_state(store.engine) as connection:
        own = totals.account_rows(connection, platform=platform, salts=salts, person=person)
        return own, totals.consent_rows(connection, platform=platform, salts=salts, person=person)


def keep_methods(store: Store, rows: pl.DataFrame, at_us: int, file: str) -> tuple[int, tuple[Problem, ...]]:
    """Keep a user's methods: how many were new, and what was wrong."""
    with writing(store.engine) as connection:
        return methods.store_methods(connection, rows, at_us=at_us, file=file)


def method_rows(store: Store) -> pl.DataFrame:
    """All methods, factors in grams: see `carbon.footprints.persons.methods.method_schema`."""
    with store.engine.connect() as connection:
        rows = methods.all_methods(connection)
    baseline, activity = ((pl.col(f"{name}_ug") / _UG_PER_G).round(6).alias(f"{name}_g") for name in _FACTORS)
    return rows.select(
        *("method", "valid_from", "valid_to", "activity"),
        baseline,
        activity,
        *("unit", "cap_day_g", "cap_year_g", "region", "source", "published", "confidence", "name_zh", "name_en"),
        *("remark", "origin"),
    )


def sums(store: Store, by: tuple[str, ...]) -> pl.DataFrame:
    """Totals by any of platform, hub, month and method: see `carbon.footprints.persons.totals.totals`."""
    with one_state(store.engine) as connection:
        return totals.totals(connection, by=by)


def certifications(store: Store) -> pl.DataFrame:
    """What was certified: see `carbon.footprints.persons.credits.certification_rows`."""
    with one_state(store.engine) as connection:
        return credits.certification_rows(connection)


def claimed_before(engine: Engine, settings: Settings, activities: pl.DataFrame) -> pl.DataFrame:
    """Activities of a company's footprint that persons were credited for: activity_id, platform; to be refused.

    Only rows with a platform are looked at, and where no platform is registered nothing was claimed and no salt is
    needed. Raises SaltsError where the salts are not set, PersonRefusal where they are others.
    """
    shared = activities.filter(pl.col("platform").is_not_null())
    nothing = shared.head(0).select("activity_id", "platform")
    if shared.is_empty():
        return nothing
    with engine.connect() as connection:
        known = accounts.platform_rows(connection)["platform"].to_list()
        if not known:
            return nothing
        return record.double_counted(connection, salts=load_salts(settings, known[0]), activities=shared)


def is_registered(store: Store, platform: str) -> bool:
    """Whether there is a platform of this code."""
    return platform in platforms(store)["platform"]


def platforms(store: Store) -> pl.DataFrame:
    """The platforms, without their salts."""
    with store.engine.connect() as connection:
        return accounts.platform_rows(connection)


def accounts_by_city(store: Store) -> pl.DataFrame:
    """Personal accounts by city and year, ours and printed ones."""
    with Session(store.engine) as session:
        return totals.personal_accounts(session)


def with_reasons(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with what was expected, `reason_en` and `reason_zh`; null where nothing was refused."""
    found = rows["code"].drop_nulls().unique().to_list()
    return rows.with_columns(
        pl.col("code")
        .replace_strict({code: getattr(REFUSALS[code], lang) for code in found}, default=None, return_dtype=pl.String)
        .alias(f"reason_{lang}")
        for lang in ("en", "zh")
    )
