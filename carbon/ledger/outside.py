"""Accounts and instruments that another register names and this ledger does not know yet: brought in as a set.

Knows accounts of type `foreign` and instruments without serial numbers. Must not know movements or any file.
"""

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, text

from carbon.ledger.book import Act, Refusal, book
from carbon.ledger.bulk_write import hold_writers
from carbon.ledger.columns import Column, read_columns
from carbon.ledger.orders import BadOrder, Receipt

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

__all__ = ["ensure_foreign_accounts", "ensure_instruments"]

_ACCOUNT: Final = ("code", "scheme", "type", "status")
_INSTRUMENT: Final = {
    "code": None, "kind": None, "vintage_from": None, "vintage_to": None, "stem": None, "programme": None,
    "project": None, "only_kinds": None, "source": None,
}  # fmt: skip


def ensure_foreign_accounts(connection: Connection, act: Act, codes: "Iterable[str]", scheme: str) -> Receipt:
    """Open those of the accounts that are not there yet, as one transaction; type `foreign`, without a holder.

    codes : accounts of a register outside, nulls and repeats left out. Refused with C09 where a code belongs to an
    account of another type or scheme, C42 where the scheme is unknown. Raises BadOrder on an empty code, IdInUse.
    """
    import polars as pl

    wanted = pl.Series("code", list(codes), dtype=pl.String).drop_nulls().unique().sort()
    if (wanted.str.strip_chars() == "").any():
        raise BadOrder("found an account without a code, expected text")
    body = {"scheme": scheme, "accounts": wanted.len(), "codes_sha256": _digest(wanted)}

    def effect(transaction_id: int) -> None:
        _check_scheme(connection, scheme)
        columns = [Column(name, f"a.{name}", "text") for name in ("code", "scheme", "type")]
        there = read_columns(connection, [Column("id", "a.id"), *columns], "registry_account a", key=["id"])
        found = there.filter(pl.col("code").is_in(wanted.implode()))
        other = found.filter((pl.col("type") != "foreign") | (pl.col("scheme") != scheme))
        if other.height:
            row = other.row(0, named=True)
            raise Refusal("C09", f"account {row['code']!r} of scheme {row['scheme']} and type {row['type']}")
        new = wanted.filter(~wanted.is_in(found["code"].implode()))
        rows = [(code, scheme, "foreign", "open", transaction_id) for code in new.to_list()]
        _insert(connection, "registry_account", (*_ACCOUNT, "transaction_id"), rows)

    hold_writers(connection, accounts=True)
    return book(connection, act, "ensure_accounts", body, scheme=None, subject=scheme, effect=effect)


def ensure_instruments(connection: Connection, act: Act, instruments: "pl.DataFrame", scheme: str) -> Receipt:
    """Add those of the instruments that are not there yet, as one transaction; without serial numbers.

    instruments : code and kind (allowance, offset or money); may have vintage_from, vintage_to, stem, programme,
    project, only_kinds, source as `Instrument` has them. Refused with C14 where a code is taken by an instrument of
    another scheme or kind, C42 where the scheme is unknown. Raises BadOrder, IdInUse.
    """
    import polars as pl

    if not {"code", "kind"} <= set(instruments.columns) <= set(_INSTRUMENT):
        raise BadOrder(f"found instruments with {', '.join(instruments.columns)}, expected {', '.join(_INSTRUMENT)}")
    wanted = instruments.unique().sort("code")
    if wanted["code"].is_duplicated().any() or wanted["code"].null_count():
        raise BadOrder("found an instrument without code or twice with different columns, expected each code once")
    if not wanted["kind"].is_in(["allowance", "offset", "money"]).all():
        raise BadOrder(f"found kinds {sorted(set(wanted['kind']), key=str)}, expected allowance, offset or money")
    lines = wanted.select(sorted(wanted.columns)).write_csv()
    body = {"scheme": scheme, "instruments": wanted.height, "rows_sha256": sha256(lines.encode()).hexdigest()}

    def effect(transaction_id: int) -> None:
        _check_scheme(connection, scheme)
        there = connection.execute(text("SELECT code, scheme, kind FROM registry_instrument")).all()
        known = {row.code: (row.scheme, row.kind) for row in there}
        for code, kind in wanted.select("code", "kind").iter_rows():
            if known.get(code, (scheme, kind)) != (scheme, kind):
                raise Refusal("C14", f"instrument {code!r} of scheme {known[code][0]} and kind {known[code][1]}")
        new = wanted.filter(~pl.col("code").is_in(list(known))).with_columns(
            pl.lit(scheme).alias("scheme"),
            pl.when(pl.col("kind") == "money").then(pl.lit("fen")).otherwise(pl.lit("t")).alias("unit"),
            pl.lit(False).alias("serialised"),
            pl.lit(1).alias("next_serial"),
            pl.lit(transaction_id).alias("transaction_id"),
        )
        _insert(connection, "registry_instrument", tuple(new.columns), new.rows())

    hold_writers(connection, accounts=True)
    return book(connection, act, "ensure_instruments", body, scheme=None, subject=scheme, effect=effect)


def _digest(codes: "pl.Series") -> str:
    return sha256("\n".join(codes.to_list()).encode()).hexdigest()


def _check_scheme(connection: Connection, scheme: str) -> None:
    query = text("SELECT 1 FROM registry_scheme WHERE scheme = :scheme")
    if connection.execute(query, {"scheme": scheme}).first() is None:
        raise Refusal("C42", f"the scheme {scheme!r}")


def _insert(connection: Connection, table: str, columns: tuple[str, ...], rows: list[Any]) -> None:
    """Rows of one table in one stream."""
    cursor: Any = connection.connection.cursor()
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608
    else:
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as stream:
            for row in rows:
                stream.write_row(row)
    cursor.close()
