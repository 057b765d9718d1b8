"""How each account stands with each compliance year: what was verified, granted, handed in, and what follows.

Knows how these figures are derived from the log, as one frame. Must not know a clock; statuses are derived each time
and kept nowhere.
"""

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from carbon.rules.book import Rules, rules_for
from carbon.rules.selection import choose_rule, find_rules, number, text_of

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "compliance",
    "day_start_us",
    "final_allocation_t",
    "granted_t",
    "handed_in_t",
    "obligation_t",
    "sector_of",
    "verified_t",
]

_ALIVE = "NOT EXISTS (SELECT 1 FROM registry_transfer r WHERE r.reverses_id = l.id)"
_VALID = "NOT EXISTS (SELECT 1 FROM registry_transaction r WHERE r.reverses = s.transaction_id AND r.status = 'done')"
# What is reversed later still stood on the day asked for.
_ALIVE_THEN = _ALIVE.replace("l.id)", "l.id AND r.at_us <= :as_of)")
_VALID_THEN = _VALID.replace("'done')", "'done' AND r.at_us <= :as_of)")
_LEGS = f"""
SELECT a.id AS account_id, l.compliance_year, l.kind, sum(l.quantity) AS quantity
FROM registry_transfer l JOIN registry_account a ON a.id = CASE
  WHEN l.kind IN ('pre_allocate', 'allocate', 'supplement') THEN l.target_id ELSE l.source_id END
WHERE l.kind IN ('pre_allocate', 'allocate', 'supplement', 'recall', 'surrender', 'use_offsets')
  AND l.phase IN ('posted', 'settle') AND l.compliance_year IS NOT NULL AND l.at_us <= :as_of AND {_ALIVE_THEN}
GROUP BY a.id, l.compliance_year, l.kind
"""  # noqa: S608
_STATED = f"""
SELECT s.account_id, s.compliance_year, s.kind, s.quantity_t, s.version FROM registry_statement s
JOIN registry_transaction x ON x.id = s.transaction_id WHERE x.at_us <= :as_of AND {_VALID_THEN}
"""  # noqa: S608
_WHO = """
SELECT a.id AS account_id, a.code AS account, a.scheme, a.status AS account_status, e.code AS entity, e.name,
  e.name_en, e.hub, e.sector
FROM registry_account a LEFT JOIN registry_entity e ON e.id = a.entity_id
WHERE a.type = 'operator'
"""
_US_PER_DAY = 86_400_000_000
_CHINA_US = 8 * 3_600_000_000


def compliance(
    connection: Connection,
    rules: Rules,
    as_of: date,
    *,
    scheme: str | None = None,
    year: int | None = None,
    account: str | None = None,
) -> "pl.DataFrame":
    """One row for each operator account and compliance year of which anything is known at the end of a day in China.

    Result, ordered by scheme, account and year: account, entity, name, name_en, hub, sector, scheme, compliance_year;
    verified_t, allocated_t (granted so far), final_allocation_t, obligation_t, surrendered_t, offsets_t,
    offset_limit_t, outstanding_t (Int64, null where not known), deadline (Date), status (`carbon.rules.status_of`).
    """
    import polars as pl

    from carbon.rules.obligation import deadline_of, status_expr

    known = _known(connection, as_of)
    for name, wanted in (("scheme", scheme), ("compliance_year", year), ("account", account)):
        if wanted is not None:
            known = known.filter(pl.col(name) == wanted)
    rows = known.to_dicts()
    owed = [
        obligation_t(rules, row["scheme"], row["compliance_year"], row["verified_t"], row["final_allocation_t"])
        for row in rows
    ]
    limits = [_offset_limit(rules, row, due) for row, due in zip(rows, owed, strict=True)]
    due_days = [
        deadline_of(rules, row["scheme"], row["compliance_year"], as_of, sector=sector_of(row["sector"]))
        for row in rows
    ]
    return (
        known.with_columns(
            pl.Series("obligation_t", owed, pl.Int64),
            pl.Series("offset_limit_t", limits, pl.Int64),
            pl.Series("deadline", due_days, pl.Date),
        )
        .with_columns(handed=pl.col("surrendered_t") + pl.col("offsets_t"))
        .with_columns(
            outstanding_t=pl.max_horizontal(pl.lit(0), pl.col("obligation_t") - pl.col("handed")),
            status=status_expr(pl.col("obligation_t"), pl.col("handed"), pl.col("deadline"), as_of),
        )
        .with_columns(pl.when(pl.col("obligation_t").is_not_null()).then("outstanding_t").alias("outstanding_t"))
        .select(
            *("account", "entity", "name", "name_en", "hub", "sector", "scheme", "compliance_year", "verified_t"),
            *("allocated_t", "final_allocation_t", "obligation_t", "surrendered_t", "offsets_t", "offset_limit_t"),
            *("outstanding_t", "deadline", "status"),
        )
        .sort("scheme", "account", "compliance_year")
    )


def day_start_us(day: date) -> int:
    """When a day begins in China (UTC+8), whose calendar the rules follow: microseconds since 1970 UTC."""
    return (day - date(1970, 1, 1)).days * _US_PER_DAY - _CHINA_US


def sector_of(sector: str | None) -> str | None:
    """The sector as the rules name it: power, or industry for steel, cement and aluminium; null stays null."""
    return {"steel": "industry", "cement": "industry", "aluminium": "industry"}.get(sector or "", sector)


def obligation_t(rules: Rules, scheme: str, year: int, verified: int | None, allocation: int | None) -> int | None:
    """What is owed for a year, whole tonnes: verified emissions, less what the year's gap cap takes off.

    verified, allocation : whole tonnes, null where not known. Where a cap on the gap acts on the obligation (2019 and
    2020) it is at most the allocation plus the cap's share of the verified emissions, and not known without the
    allocation. The rule for gas units needs each unit's allocation: see `carbon.rules.obligation_of`.
    """
    if verified is None:
        return None
    cap = choose_rule(find_rules(rules_for(rules, scheme, year), "gap_cap"))
    if cap is None or text_of(cap, "acts_on") != "obligation":
        return verified
    if allocation is None:
        return None
    return min(verified, allocation + int(number(cap, "share") * verified))


def verified_t(connection: Connection, account: str, year: int) -> int | None:
    """The verified emissions of an account's year that count now, tonnes; null where none were reported."""
    return _stated(connection, account, year, "verified")


def final_allocation_t(connection: Connection, account: str, year: int) -> int | None:
    """The final allocation of an account's year that counts now, tonnes; null where it was not decided."""
    return _stated(connection, account, year, "final_allocation")


def granted_t(connection: Connection, account: str, year: int) -> int:
    """What an account was granted for a year so far: pre-allocated and supplemented less recalled, in tonnes."""
    return _moved(connection, account, year, ("pre_allocate", "allocate", "supplement"), "target") - _moved(
        connection, account, year, ("recall",), "source"
    )


def handed_in_t(connection: Connection, account: str, year: int, kind: str) -> int:
    """What an account handed in for a year, tonnes. kind : surrender (allowances) or use_offsets."""
    return _moved(connection, account, year, (kind,), "source")


def _moved(connection: Connection, account: str, year: int, kinds: tuple[str, ...], side: str) -> int:
    marks = ", ".join(f":kind{number}" for number in range(len(kinds)))
    query = (
        f"SELECT coalesce(sum(l.quantity), 0) FROM registry_transfer l JOIN registry_account a ON a.id = l.{side}_id"  # noqa: S608
        f" WHERE a.code = :account AND l.compliance_year = :year AND l.kind IN ({marks})"
        f" AND l.phase IN ('posted', 'settle') AND {_ALIVE}"
    )
    values = {"account": account, "year": year, **{f"kind{number}": kind for number, kind in enumerate(kinds)}}
    return int(connection.execute(text(query), values).scalar_one())


def _stated(connection: Connection, account: str, year: int, kind: str) -> int | None:
    query = (
        "SELECT s.quantity_t FROM registry_statement s JOIN registry_account a ON a.id = s.account_id"  # noqa: S608
        f" WHERE a.code = :account AND s.compliance_year = :year AND s.kind = :kind AND {_VALID}"
        " ORDER BY s.version DESC LIMIT 1"
    )
    found = connection.execute(text(query), {"account": account, "year": year, "kind": kind}).scalar()
    return None if found is None else int(found)


def _known(connection: Connection, as_of: date) -> "pl.DataFrame":
    """The figures that are booked or stated, one row for each operator account and year."""
    import polars as pl

    end_us = day_start_us(as_of) + _US_PER_DAY - 1
    whole, words = pl.Int64, pl.String
    names = ("account", "scheme", "account_status", "entity", "name", "name_en", "hub", "sector")
    legs = _frame(connection, _LEGS, end_us, {"account_id": whole, "compliance_year": whole, "kind": words, "q": whole})
    said = _frame(
        connection,
        _STATED,
        end_us,
        {"account_id": whole, "compliance_year": whole, "kind": words, "q": whole, "version": whole},
    )
    who = _frame(connection, _WHO, None, {"account_id": whole, **dict.fromkeys(names, words)})
    latest = said.sort("version").group_by("account_id", "compliance_year", "kind").last().drop("version")
    keys = ["account_id", "compliance_year"]

    def summed(source: "pl.DataFrame", kinds: list[str], name: str) -> "pl.DataFrame":
        return source.filter(pl.col("kind").is_in(kinds)).group_by(keys).agg(pl.col("q").sum().alias(name))

    both = pl.concat([legs.select(keys), latest.select(keys)]).unique()
    for part in (
        summed(latest, ["verified"], "verified_t"),
        summed(latest, ["final_allocation"], "final_allocation_t"),
        summed(legs, ["pre_allocate", "allocate", "supplement"], "granted"),
        summed(legs, ["recall"], "recalled"),
        summed(legs, ["surrender"], "surrendered_t"),
        summed(legs, ["use_offsets"], "offsets_t"),
    ):
        both = both.join(part, on=keys, how="left")
    # Nothing handed in is a true zero: the log is complete by its nature. What was never stated stays null.
    return (
        both.with_columns(pl.col("granted", "recalled", "surrendered_t", "offsets_t").fill_null(0))
        .with_columns(allocated_t=pl.col("granted") - pl.col("recalled"))
        .join(who, on="account_id")
    )


def _frame(
    connection: Connection, query: str, as_of_us: int | None, schema: "dict[str, type[pl.DataType]]"
) -> "pl.DataFrame":
    import polars as pl

    values = {} if as_of_us is None else {"as_of": as_of_us}
    rows = [
        tuple(int(v) if kind is pl.Int64 and v is not None else v for v, kind in zip(row, schema.values(), strict=True))
        for row in connection.execute(text(query), values)
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _offset_limit(rules: Rules, row: dict[str, object], due: int | None) -> int | None:
    from carbon.rules.offset_limit import offset_limit
    from carbon.rules.selection import NoRule

    scheme, year, final = str(row["scheme"]), row["compliance_year"], row["final_allocation_t"]
    assert isinstance(year, int)
    try:
        found = offset_limit(
            rules, scheme=scheme, year=year, obligation_t=due, allocation_t=final if isinstance(final, int) else None
        )
    except (NoRule, ValueError):
        return None
    return found.limit_t
