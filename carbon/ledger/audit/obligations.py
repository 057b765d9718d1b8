"""Compliance years against the rules: vintages, offsets, carry-over, final allocations and status (C30-C34).

Knows how the figures of an account's year follow from the log, now and at the time of a leg. Must not know the rules'
figures (`carbon.rules`). Without rules, only what needs none is checked.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from carbon.ledger.audit.findings import found_in, no_findings, together
from carbon.ledger.audit.log import Log

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "find_excess_carry_overs",
    "find_excess_offsets",
    "find_overdue",
    "find_unsettled_allocations",
    "find_wrong_vintages",
]

_YEAR: Final = ["account_id", "compliance_year"]
_HANDED_IN: Final = ["surrender", "use_offsets"]
_GRANTED: Final = ["pre_allocate", "allocate", "supplement"]
_CHINA_US: Final = 8 * 3_600_000_000
_US_PER_DAY: Final = 86_400_000_000


def find_wrong_vintages(log: Log) -> "pl.DataFrame":
    """C30: every allowance that an operator surrendered was of a vintage usable for that year on that day."""
    import polars as pl

    from carbon.rules.vintages import vintage_use

    rules = log.rules
    if rules is None:
        return no_findings()
    rows = log.legs.filter(
        pl.col("kind") == "surrender",
        pl.col("source_type") == "operator",
        pl.col("compliance_year").is_not_null() & pl.col("unit_vintage_from").is_not_null(),
    ).with_columns(day=(pl.col("at_us") + _CHINA_US) // _US_PER_DAY)
    keys = ["source_scheme", "unit_vintage_from", "unit_vintage_to", "compliance_year", "day"]
    asked = rows.select(keys).unique(maintain_order=True)
    uses = [
        vintage_use(
            rules,
            scheme=scheme,
            vintage_from=first,
            vintage_to=first if last is None else last,
            year=year,
            on_date=_day(day),
        )
        for scheme, first, last, year, day in asked.iter_rows()
    ]
    reasons = [use.reason.removeprefix("found ") if use.allowed is False else None for use in uses]
    wrong = asked.with_columns(pl.Series("reason", reasons, pl.String)).drop_nulls("reason")
    return _of_legs(rows.join(wrong, on=keys, nulls_equal=True).sort("id"), pl.col("reason"), "a usable vintage")


def find_overdue(log: Log) -> "pl.DataFrame":
    """C31: what is handed in names its compliance year; the status of every account and year is derived.

    An error for a leg without year, a warning for a year that is overdue at the time of the question, a notice where
    more was handed in than is owed.
    """
    import polars as pl

    from carbon.ledger.compliance import obligation_t, sector_of
    from carbon.rules.obligation import deadline_of, status_of

    nameless = log.legs.filter(
        pl.col("kind").is_in(_HANDED_IN), pl.col("source_type") == "operator", pl.col("compliance_year").is_null()
    )
    parts = [_of_legs(nameless, pl.lit("units handed in for no year"), "a compliance year")]
    rules = log.rules
    if rules is None:
        return together(parts)
    as_of = _day((log.as_of_us + _CHINA_US) // _US_PER_DAY)
    rows = _figures(log)
    said: dict[str, list[tuple[Any, ...]]] = {"warning": [], "info": []}
    for row in rows.iter_rows(named=True):
        scheme, year, handed = row["scheme"], row["compliance_year"], row["handed_in"]
        owed = obligation_t(rules, scheme, year, row["verified"], row["final_allocation"])
        due = deadline_of(rules, scheme, year, as_of, sector=sector_of(row["sector"]))
        if status_of(owed, handed, due, as_of) == "overdue":
            said["warning"].append((row["account_id"], f"{handed} of {owed} t for {year}", f"all of it by {due}"))
        elif owed is not None and handed > owed:
            said["info"].append((row["account_id"], f"{handed} t handed in for {year}", f"{owed} t owed"))
    schema: dict[str, Any] = {"account_id": pl.Int64, "found": pl.String, "expected": pl.String}
    for severity, found in said.items():
        frame = pl.DataFrame(found, schema, orient="row")
        parts.append(_of_years(frame, pl.col("found"), pl.col("expected"), severity))
    return together(parts)


def find_excess_offsets(log: Log) -> "pl.DataFrame":
    """C32: offsets used for a year stay within the scheme's limit, as the figures stood when the last were used.

    A warning where the limit was kept then and is exceeded now, since a figure was stated anew, or is not known.
    """
    import polars as pl

    used = _handed_in(log, ["use_offsets"])
    if log.rules is None or used.is_empty():
        return no_findings()
    parts = []
    figures = _figures(log)
    for row in used.join(figures.drop("handed_in"), on=_YEAR, how="left").sort("id").iter_rows(named=True):
        limit = _offset_limit(log, row)
        if limit is not None and row["quantity"] <= limit:
            continue
        then = _offset_limit(log, {**row, **_stated_before(log, row)})
        severity = "error" if then is not None and row["quantity"] > then else "warning"
        frame = pl.DataFrame([row]).select(pl.col("account_id", "id", "transaction_id").cast(pl.Int64))
        found = pl.lit(f"{row['quantity']} t of offsets for {row['compliance_year']}")
        expected = "a limit that is known" if limit is None else f"at most {limit} t"
        parts.append(
            found_in(
                frame, "registry_transfer", found=found, expected=expected, account="account_id", severity=severity
            )
        )
    return together(parts)


def find_excess_carry_overs(log: Log) -> "pl.DataFrame":
    """C33: what an account carried over is within base and net sales, in time, and as much came back as went.

    A warning where net sales have fallen since, by a later purchase or reversal. The holding is never exceeded: C18.
    """
    import polars as pl

    legs = log.legs.filter(pl.col("kind") == "carry_over", pl.col("phase") == "posted", ~pl.col("reversed"))
    gone = legs.filter(pl.col("source_type").is_in(["operator", "trading"]))
    back = legs.filter(pl.col("target_type").is_in(["operator", "trading"]))
    pair = ["transaction_id", "account_id"]
    sides = [
        rows.group_by("transaction_id", account_id=f"{side}_id").agg(pl.col("quantity").sum().alias(name))
        for rows, side, name in ((gone, "source", "gone"), (back, "target", "back"))
    ]
    both = sides[0].join(sides[1], on=pair, how="full", coalesce=True).with_columns(pl.col("gone", "back").fill_null(0))
    apart = both.filter(pl.col("gone") != pl.col("back")).sort(pair)
    parts = [
        found_in(
            apart,
            "registry_transaction",
            found=pl.format("{} carried over, {} issued for it", "gone", "back"),
            expected="as much of each",
            id="transaction_id",
            account="account_id",
        )
    ]
    if log.rules is not None:
        total = gone.group_by(account_id="source_id", scheme="source_scheme").agg(
            pl.col("quantity").sum(), pl.col("id").max(), pl.col("transaction_id").max(), pl.col("at_us").max()
        )
        for row in total.sort("id").iter_rows(named=True):
            parts += _excess_carry_over(log, row)
    return together(parts)


def find_unsettled_allocations(log: Log) -> "pl.DataFrame":
    """C34: where a final allocation was decided, what was granted less what was recalled is exactly that."""
    import polars as pl

    rows = _figures(log).filter(pl.col("final_allocation").is_not_null())
    wrong = rows.filter(pl.col("final_allocation") != pl.col("granted") - pl.col("recalled")).sort(_YEAR)
    found = pl.format("{} t granted less {} t recalled for {}", "granted", "recalled", "compliance_year")
    return _of_years(wrong, found, pl.format("{} t, the final allocation", "final_allocation"), None)


def _figures(log: Log) -> "pl.DataFrame":
    """One row for each operator account and year of which anything is known, in tonnes.

    account_id, compliance_year, scheme, sector; verified, final_allocation (null where not stated); granted, recalled,
    handed_in (0 where nothing)
    """
    import polars as pl

    alive = log.legs.filter(pl.col("phase").is_in(["posted", "settle"]), ~pl.col("reversed"))
    alive = alive.drop_nulls("compliance_year")
    parts = [
        alive.filter(pl.col("kind").is_in(kinds))
        .group_by("compliance_year", account_id=f"{side}_id")
        .agg(pl.col("quantity").sum().alias(name))
        for name, kinds, side in (
            ("granted", _GRANTED, "target"),
            ("recalled", ["recall"], "source"),
            ("handed_in", _HANDED_IN, "source"),
        )
    ]
    stated = _stated(log, None)
    parts += [
        stated.filter(pl.col("kind") == kind).select(*_YEAR, pl.col("quantity_t").alias(name))
        for kind, name in (("verified", "verified"), ("final_allocation", "final_allocation"))
    ]
    rows = pl.concat([part.select(_YEAR) for part in parts]).unique()
    for part in parts:
        rows = rows.join(part, on=_YEAR, how="left")
    sectors = log.entities.select("sector", entity_id="id")
    operators = log.accounts.filter(pl.col("type") == "operator").join(sectors, on="entity_id", how="left")
    who = operators.select("scheme", "sector", account_id="id")
    return rows.join(who, on="account_id").with_columns(pl.col("granted", "recalled", "handed_in").fill_null(0))


def _stated(log: Log, before: int | None) -> "pl.DataFrame":
    """The statement of each account, year and kind that counts, of those before a transaction (null for now)."""
    import polars as pl

    limit = 2**62 if before is None else before
    undone = log.transactions.filter(
        pl.col("reverses").is_not_null(), pl.col("status") == "done", pl.col("id") < limit
    ).select(transaction_id="reverses")
    valid = log.statements.filter(pl.col("transaction_id") < limit).join(undone, on="transaction_id", how="anti")
    return valid.sort("version").unique([*_YEAR, "kind"], keep="last")


def _stated_before(log: Log, row: dict[str, Any]) -> dict[str, Any]:
    import polars as pl

    own = _stated(log, row["transaction_id"]).filter(
        pl.col("account_id") == row["account_id"], pl.col("compliance_year") == row["compliance_year"]
    )
    figures = dict(own.select("kind", "quantity_t").iter_rows())
    return {"verified": figures.get("verified"), "final_allocation": figures.get("final_allocation")}


def _handed_in(log: Log, kinds: list[str]) -> "pl.DataFrame":
    """What operators handed in by these kinds: account_id, compliance_year, quantity, and the last leg and its time."""
    import polars as pl

    rows = log.legs.filter(
        pl.col("kind").is_in(kinds),
        pl.col("source_type") == "operator",
        pl.col("compliance_year").is_not_null() & ~pl.col("reversed"),
    )
    return rows.group_by("compliance_year", account_id="source_id").agg(
        pl.col("quantity").sum(), pl.col("id").max(), pl.col("transaction_id").max(), pl.col("at_us").max()
    )


def _offset_limit(log: Log, row: dict[str, Any]) -> int | None:
    """The limit of a year's offsets in tonnes; null where none is known."""
    from carbon.ledger.compliance import obligation_t
    from carbon.rules.offset_limit import offset_limit
    from carbon.rules.selection import NoRule

    assert log.rules is not None
    scheme, year, final = row["scheme"], row["compliance_year"], row["final_allocation"]
    owed = obligation_t(log.rules, scheme, year, row["verified"], final)
    day = _day((row["at_us"] + _CHINA_US) // _US_PER_DAY)
    try:
        limit = offset_limit(log.rules, scheme=scheme, year=year, obligation_t=owed, allocation_t=final, on_date=day)
    except (NoRule, ValueError):
        return None
    return limit.limit_t


def _excess_carry_over(log: Log, row: dict[str, Any]) -> "list[pl.DataFrame]":
    """The finding on what one account carried over, if it is more than its limit now."""
    import polars as pl

    from carbon.rules.selection import NoRule

    try:
        limit = _carry_over_limit(log, row, None)
        if row["quantity"] <= limit:
            return []
        then = _carry_over_limit(log, row, row["id"])
    except NoRule as unknown:
        limit, then, expected = 0, 0, str(unknown).removeprefix("found ")
    else:
        expected = f"at most {limit} t"
    frame = pl.DataFrame([row]).select(pl.col("account_id", "id", "transaction_id").cast(pl.Int64))
    return [
        found_in(
            frame,
            "registry_transfer",
            found=pl.lit(f"{row['quantity']} t carried over"),
            expected=expected,
            account="account_id",
            severity="error" if row["quantity"] > then else "warning",
        )
    ]


def _carry_over_limit(log: Log, row: dict[str, Any], before: int | None) -> int:
    """Base and net sales of one account, of the legs before one (null for all), in tonnes; what is held left aside."""
    import polars as pl

    from carbon.ledger.compliance import sector_of
    from carbon.rules.book import rules_for
    from carbon.rules.carry_over import carry_over_limit
    from carbon.rules.selection import choose_rule, find_rules

    assert log.rules is not None
    account, scheme = row["account_id"], row["scheme"]
    holder = log.accounts.filter(pl.col("id") == account).join(log.entities, left_on="entity_id", right_on="id")
    sector = sector_of(holder["sector"][0] if holder.height else None) or "unknown"
    rule = choose_rule(find_rules(rules_for(log.rules, scheme), "carry_over", sector=sector))
    days = {} if rule is None else {value.name: value.value for value in rule.values if isinstance(value.value, date)}
    from_us, to_us = _start_us(days.get("sales_from"), -(2**62)), _start_us(days.get("sales_to"), 2**61) + _US_PER_DAY
    until = 2**62 if before is None else before
    undone = log.legs.filter(pl.col("reverses_id").is_not_null(), pl.col("id") < until).select(id="reverses_id")
    sold = log.legs.filter(
        pl.col("kind").is_in(["transfer", "auction"]),
        pl.col("phase").is_in(["posted", "settle"]),
        (pl.col("source_id") == account) | (pl.col("target_id") == account),
        pl.col("unit_scheme") == scheme,
        pl.col("unit_kind") == "allowance",
        pl.col("at_us").is_between(from_us, to_us, closed="left"),
        pl.col("id") < until,
    ).join(undone, on="id", how="anti")
    sign = pl.when(pl.col("source_id") == account).then(pl.col("quantity")).otherwise(-pl.col("quantity"))
    limit = carry_over_limit(
        log.rules,
        sector=sector,
        net_sales_t=int(sold.select(sign.sum()).item()),
        holding_t=2**53,
        scheme=scheme,
        on_date=_day((row["at_us"] + _CHINA_US) // _US_PER_DAY),
    )
    return limit.limit_t


def _start_us(day: date | None, otherwise: int) -> int:
    from carbon.ledger.compliance import day_start_us

    return otherwise if day is None else day_start_us(day)


def _day(days: int) -> date:
    """The day so many days after 1970-01-01, kept within the calendar."""
    return date(1970, 1, 1) + timedelta(days=min(max(days, -719_000), 2_900_000))


def _of_legs(rows: "pl.DataFrame", found: "pl.Expr", expected: str) -> "pl.DataFrame":
    return found_in(
        rows, "registry_transfer", found=found, expected=expected, account="source_id", instrument="instrument_id"
    )


def _of_years(rows: "pl.DataFrame", found: "pl.Expr", expected: "pl.Expr", severity: str | None) -> "pl.DataFrame":
    return found_in(
        rows,
        "registry_statement",
        found=found,
        expected=expected,
        id=None,
        transaction=None,
        account="account_id",
        severity=severity,
    )
