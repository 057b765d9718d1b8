"""Who may hold what: accounts, holders, representatives and credit codes (C09-C15).

Knows the rows of entities, accounts and representatives, and when an account was open. Must not know movements beyond
the compliance year that a leg names.
"""

from typing import TYPE_CHECKING, Final

from carbon.ledger.audit.findings import found_in, no_findings, together
from carbon.ledger.audit.log import Log
from carbon.ledger.audit.states import state_changes

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "find_equal_representatives",
    "find_holderless",
    "find_repeated_accounts",
    "find_second_operators",
    "find_unreachable_operators",
    "find_wrong_identifiers",
    "find_wrong_periods",
]

_OF_ENTITIES: Final = ["operator", "trading"]


def find_repeated_accounts(log: Log) -> "pl.DataFrame":
    """C09: no account is opened twice, and no two accounts of a scheme differ by case or spaces alone."""
    import polars as pl

    opened = log.transactions.filter(pl.col("kind") == "open_account", pl.col("status") == "done").sort("id")
    again = opened.filter(~pl.col("subject").is_first_distinct())
    alike = log.accounts.with_columns(plain=pl.col("code").str.to_lowercase().str.replace_all(r"\s", ""))
    alike = alike.sort("id").filter(~pl.struct("scheme", "plain").is_first_distinct())
    return together(
        [
            found_in(
                again.with_columns(t=pl.col("id")),
                "registry_transaction",
                found=pl.format("{} opened again", pl.col("subject")),
                expected="an account that was not opened before",
                transaction="t",
            ),
            found_in(
                alike,
                "registry_account",
                found=pl.format("a second account {}", pl.col("code")),
                expected="one account of this name",
                account="id",
            ),
        ]
    )


def find_holderless(log: Log) -> "pl.DataFrame":
    """C10: an operator or trading account has exactly one holder, which exists; other accounts have none."""
    import polars as pl

    held = pl.col("type").is_in(_OF_ENTITIES)
    known = log.accounts.join(
        log.entities.select(pl.col("id").alias("entity_id"), holder="code"), on="entity_id", how="left"
    )
    wrong = known.filter((held & pl.col("holder").is_null()) | (~held & pl.col("entity_id").is_not_null()))
    found = pl.format(
        "{} account with holder {}", pl.col("type"), pl.col("entity_id").cast(pl.String).fill_null("none")
    )
    expected = pl.when(held).then(pl.lit("one holder that exists")).otherwise(pl.lit("no holder"))
    return found_in(wrong, "registry_account", found=found, expected=expected, account="id")


def find_equal_representatives(log: Log) -> "pl.DataFrame":
    """C11: primary and secondary representative of an account differ at every time."""
    import polars as pl

    rows = log.representatives.sort("account_id", "id").with_columns(
        pl.when(pl.col("role") == role).then("name").forward_fill().over("account_id").alias(role)
        for role in ("primary", "secondary")
    )
    other = pl.when(pl.col("role") == "primary").then("secondary").otherwise("primary")
    return found_in(
        rows.filter(pl.col("name") == other),
        "registry_representative",
        found=pl.format("the {} representative is the other one too", pl.col("role")),
        expected="two persons",
        account="account_id",
    )


def find_unreachable_operators(log: Log) -> "pl.DataFrame":
    """C12: the holder of an operator account names a contact."""
    import polars as pl

    operators = log.accounts.filter(pl.col("type") == "operator", pl.col("status") != "closed")
    rows = log.entities.join(operators, left_on="id", right_on="entity_id", how="semi")
    silent = rows.filter(pl.col("contact").fill_null("").str.strip_chars() == "")
    found = pl.format("{} without contact", pl.col("code"))
    return found_in(silent, "registry_entity", found=found, expected="one contact")


def find_second_operators(log: Log) -> "pl.DataFrame":
    """C13: an entity has one operator account in a scheme at a time; a closed one may be followed by another."""
    import polars as pl

    ends = (
        state_changes(log, {"close_account": "closed"})
        .unique("subject", keep="first")
        .rename({"transaction_id": "end"})
    )
    operators = log.accounts.filter(pl.col("type") == "operator", pl.col("entity_id").is_not_null())
    rows = operators.join(ends.drop("state"), left_on="code", right_on="subject", how="left")
    rows = rows.sort("scheme", "entity_id", "transaction_id", "id").with_columns(
        before=pl.col("end").fill_null(2**62).cum_max().shift(1).over("scheme", "entity_id")
    )
    second = rows.filter(pl.col("transaction_id") <= pl.col("before"))
    return found_in(
        second,
        "registry_account",
        found=pl.format("a second operator account of entity {} in {}", pl.col("entity_id"), pl.col("scheme")),
        expected="one at a time",
        account="id",
    )


def find_wrong_identifiers(log: Log) -> "pl.DataFrame":
    """C14: codes of accounts, entities and units are unique, and every unified social credit code is a valid one."""
    import polars as pl

    parts = [
        _repeated(log.accounts, "registry_account", "code", "id"),
        _repeated(log.entities, "registry_entity", "code"),
    ]
    parts.append(_repeated(log.entities.drop_nulls("uscc"), "registry_entity", "uscc"))
    for name in ("code", "stem"):
        parts.append(_repeated(log.instruments.drop_nulls(name), "registry_instrument", name))
    reasons = {code: _credit_code_fault(code) for code in log.entities["uscc"].drop_nulls().unique()}
    wrong = {code: reason for code, reason in reasons.items() if reason is not None}
    if wrong:
        rows = log.entities.filter(pl.col("uscc").is_in(list(wrong)))
        found = pl.col("uscc").replace_strict(wrong, return_dtype=pl.String)
        parts.append(found_in(rows, "registry_entity", found=found, expected="a unified social credit code"))
    return together(parts)


def find_wrong_periods(log: Log) -> "pl.DataFrame":
    """C15: a leg or statement that names a compliance year is within the years that the account serves."""
    import polars as pl

    limited = log.accounts.filter(pl.col("first_year").is_not_null() | pl.col("last_year").is_not_null())
    if limited.is_empty():
        return no_findings()
    spans = limited.select(pl.col("id").alias("account_id"), "code", first="first_year", last="last_year")
    legs = log.legs.drop_nulls("compliance_year").select(
        "id", "transaction_id", "compliance_year", "source_id", "target_id"
    )
    sides = [
        legs.with_columns(account_id=pl.col(f"{side}_id")).drop("source_id", "target_id")
        for side in ("source", "target")
    ]
    stated = log.statements.select("id", "transaction_id", "compliance_year", "account_id")
    parts = []
    for table, rows in (("registry_transfer", pl.concat(sides)), ("registry_statement", stated)):
        year = pl.col("compliance_year")
        outside = (year < pl.col("first")).fill_null(False) | (year > pl.col("last")).fill_null(False)
        wrong = rows.join(spans, on="account_id").filter(outside).sort("id")
        expected = pl.format(
            "{} to {}", pl.col("first").cast(pl.String).fill_null(""), pl.col("last").cast(pl.String).fill_null("")
        )
        found = pl.format("compliance year {} for account {}", year, pl.col("code"))
        parts.append(found_in(wrong, table, found=found, expected=expected, account="account_id"))
    return together(parts)


def _repeated(rows: "pl.DataFrame", table: str, column: str, account: str | None = None) -> "pl.DataFrame":
    import polars as pl

    again = rows.sort("id").filter(~pl.col(column).is_first_distinct())
    found = pl.format("{} {} a second time", pl.lit(column), pl.col(column))
    return found_in(again, table, found=found, expected="one row with it", account=account)


def _credit_code_fault(code: str) -> str | None:
    from carbon.uscc import InvalidCreditCode, check_uscc

    try:
        return None if check_uscc(code) == code else f"{code}, which is not written in its normal form"
    except InvalidCreditCode as wrong:
        return str(wrong)
