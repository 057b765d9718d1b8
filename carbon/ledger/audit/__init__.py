"""The audit: everything that follows from the log is computed anew and held against what the database says.

Knows how the checks are run and how their findings become one frame. Must not know any one check (`checks`), and trusts
no trigger. Reads no clock: the time of the question is given, or the last of the log.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from carbon.errors import CarbonError
from carbon.ledger.audit.checks import CHECKS, Check, Level
from carbon.ledger.audit.log import Log, read_log

if TYPE_CHECKING:
    import polars as pl

    from carbon.rules.book import Rules

__all__ = ["CHECKS", "SEVERITIES", "Check", "Level", "UnknownCheck", "audit", "worst_severity"]

SEVERITIES: Final[tuple[Level, ...]] = ("error", "warning", "info")
"""From the worst to the least."""


class UnknownCheck(CarbonError):
    """The audit has no check of this code, or it runs elsewhere."""


def audit(
    connection: Connection,
    *,
    rules: "Rules | None" = None,
    as_of_us: int | None = None,
    head: str | None = None,
    max_rows: int | None = None,
    codes: Sequence[str] | None = None,
) -> "pl.DataFrame":
    """Everything in the ledger that is not as it must be; an empty frame where all is well.

    rules : the schemes' rules (`carbon.rules.book.load_rules()`); without them C30, C32 and the figures of C31 and C33
    are left out. as_of_us : the time of the question, microseconds since 1970 UTC; the last of the log by default
    head : a digest of the chain that was published; max_rows : at most so many findings of a check, and a last one that
    says how many more there are; codes : only these checks. The connection sees one state of the ledger where it is
    inside a transaction that does (on PostgreSQL REPEATABLE READ).
    Result, by code in the order of CHECKS and then by row: code, severity, table, id (Int64), client_id, account,
    instrument (their codes), found, expected, eu_response (as printed, ";" between several); String but for id.
    Raises UnknownCheck.
    """
    checks = _chosen(codes)
    chain = any(check.code == "SEAL" for check in checks)
    log = read_log(connection, rules=rules, as_of_us=as_of_us, head=head, chain=chain)
    return _worded(log, [_limited(check, log, max_rows) for check in checks])


def worst_severity(findings: "pl.DataFrame") -> Level | None:
    """The worst severity of the findings: error, warning, info; null where there is no finding."""
    there = set(findings["severity"].unique())
    return next((level for level in SEVERITIES if level in there), None)


def _chosen(codes: Sequence[str] | None) -> list[Check]:
    running = {code: check for code, check in CHECKS.items() if check.find is not None}
    unknown = [code for code in codes or () if code not in running]
    if unknown:
        raise UnknownCheck(f"found the checks {', '.join(unknown)}, expected some of {', '.join(running)}")
    return [check for code, check in running.items() if codes is None or code in codes]


def _limited(check: Check, log: Log, max_rows: int | None) -> "pl.DataFrame":
    import polars as pl

    assert check.find is not None
    found = check.find(log).with_columns(pl.lit(check.code).alias("code"), pl.col("severity").fill_null(check.severity))
    if max_rows is None or found.height <= max_rows:
        return found
    kept = found.head(max_rows)
    more = found.head(1).with_columns(
        *(pl.lit(None, pl.Int64).alias(name) for name in ("id", "transaction_id", "account_id", "instrument_id")),
        found=pl.lit(f"{found.height - max_rows} more findings of this check"),
        expected=pl.lit("none"),
    )
    return pl.concat([kept, more])


def _worded(log: Log, parts: "list[pl.DataFrame]") -> "pl.DataFrame":
    """Codes and clients' ids in the place of ids, and the EU's response codes."""
    import polars as pl

    responses = _eu_responses()
    found = pl.concat(parts)
    lookups = (
        ("transaction_id", log.transactions.select(transaction_id="id", client_id="client_id")),
        ("account_id", log.accounts.select(account_id="id", account="code")),
        ("instrument_id", log.instruments.select(instrument_id="id", instrument="code")),
    )
    for key, names in lookups:
        found = found.join(names.unique(key), on=key, how="left", maintain_order="left")
    order = ("code", "severity", "table", "id", "client_id", "account", "instrument", "found", "expected")
    return found.select(
        *order, pl.col("code").replace_strict(responses, default=None, return_dtype=pl.String).alias("eu_response")
    )


def _eu_responses() -> dict[str, str]:
    import csv
    from importlib.resources import files

    lines = files("carbon.ledger").joinpath("codes.csv").read_text(encoding="utf-8").splitlines()
    return {row["code"]: row["eu_response"] for row in csv.DictReader(lines) if row["eu_response"]}
