"""The euets.info release into the ledger and out again: its transactions as movements, all its tables kept whole.

Knows how accounts, unit types and transaction types of the European log become the ledger's. Must not know how the
files are laid out (`carbon.formats.eu`) nor how a batch is proven (`carbon.ledger.bulk`).

    account 399         account EU:399 of the type foreign; its holder, registry and type stay in the kept table
    unit type EUA2005   instrument EU:EUA2005 without serial numbers, since the log prints none; CER, ERU, RMU and tCER
                        are offsets, all others allowances
    issue               from the scheme's issuance account to the acquiring account, for the log names the receiver on
                        both sides
    external            a transfer: all registries of the log are one scheme here
    reverse             a correction: the log does not say which transaction it undoes
    any other kind      as `carbon.formats.eu.transaction_types` has it

The movements are booked in order of time. What an account gives before it was seen to get it is an `opening`, assumed
and reported: the public sample is an excerpt.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import Connection, text

from carbon.errors import CarbonError, Problem, UnknownFormat
from carbon.formats.eu import EuetsTables, euets_movements, read_euets, write_euets
from carbon.formats.eu.layouts import TABLE_NAMES
from carbon.imports.parties import add_foreign_accounts, add_instruments
from carbon.imports.quantities import Booked, book_movements
from carbon.imports.report import (
    ImportReport,
    Progress,
    Source,
    booked_before,
    ignore_progress,
    named_source,
    no_openings,
    open_import,
    replayed_report,
)
from carbon.imports.rows import KeptTableDiffers, kept_names, pack_tables, read_kept, write_kept
from carbon.ledger.book import Act

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NothingImported", "export_euets", "import_euets"]

_FORMAT: Final = "euets"
_SCHEME: Final = "EU"
_OFFSETS: Final = ("CER", "ERU", "ERU_RMU", "RMU", "tCER", "lCER")
_KINDS: Final = {"external": "transfer", "reverse": "correct"}
_NEEDED: Final = (
    "id",
    "transactionID",
    "date",
    "transactionTypeMain_id",
    "transactionTypeSupplementary_id",
    "transferringAccount_id",
    "acquiringAccount_id",
    "unitType_id",
    "amount",
)


class NothingImported(CarbonError):
    """No import of this format is in the ledger, or none under this id."""


def import_euets(connection: Connection, act: Act, path: Path, *, progress: Progress = ignore_progress) -> ImportReport:
    """Import a release of euets.info: a zip or folder of its tables, or one table.

    connection : of a writer (`carbon.ledger.post.writing`); act : an empty client id stands for the file's own
    Rows are those of all tables; a row of `transaction` is booked as a movement, a row of another table is kept.
    Blocks equal in every column but id are all booked (C41). Raises UnreadableFile, FileTooLarge, UnknownFormat where
    none of its tables is one of euets.info's, IdInUse, ImportRefused.
    """
    source = named_source(_FORMAT, path, act)
    read = read_euets(path)
    rejected = sum(rows.height for rows in read.rejected.values())
    rows_read = rejected + sum(rows.height for rows in (*read.tables.values(), *read.others.values()))
    if booked_before(connection, source):
        return replayed_report(source, rows_read, read.problems)
    if not read.tables and not read.rejected:
        raise UnknownFormat(f"found no table of euets.info in {path.name}, expected one of {', '.join(TABLE_NAMES)}")
    parts = pack_tables(_named(read))
    movements, missing = _movements(read, source)
    booked: list[Booked] = []

    def effect(transaction_id: int) -> None:
        write_kept(connection, parts, transaction_id)
        progress(1, 3)
        add_foreign_accounts(connection, source, _accounts(read, movements))
        add_instruments(connection, source, _instruments(movements, source))
        progress(2, 3)
        booked.append(book_movements(connection, source, "movements", movements, scheme=_SCHEME))
        progress(3, 3)

    facts = {"rows": rows_read, "kept": {f"{n}.{p}": sha for (n, p), (_, _, sha) in parts.items()}}
    open_import(connection, source, facts, effect, scheme=_SCHEME)
    return _report(source, read, rows_read, movements, booked[0], missing)


def export_euets(
    connection: Connection, path: Path, *, form: Literal["zip", "folder"] = "zip", client_id: str | None = None
) -> EuetsTables:
    """Write an imported release as it came, value by value; the latest, or the one imported under `client_id`.

    The movements booked from it are compared with its table of transactions first. Result: the tables written.
    Raises NothingImported, KeptTableDiffers, CannotBeNamed.
    """
    found = _header(connection, client_id)
    tables = _kept(connection, found[0])
    _compare(connection, found[1], tables)
    write_euets(tables, path, form=form)
    return tables


def _named(read: EuetsTables) -> "dict[str, pl.DataFrame]":
    groups = {"tables": read.tables, "extras": read.extras, "rejected": read.rejected, "others": read.others}
    return {f"{group}/{name}": frame for group, frames in groups.items() for name, frame in frames.items()}


def _kept(connection: Connection, transaction_id: int) -> EuetsTables:
    groups: dict[str, dict[str, pl.DataFrame]] = {"tables": {}, "extras": {}, "rejected": {}, "others": {}}
    for name in kept_names(connection, transaction_id):
        group, _, table = name.partition("/")
        frame = read_kept(connection, transaction_id, name)
        if frame is not None and group in groups:
            groups[group][table] = frame
    return EuetsTables(groups["tables"], groups["extras"], groups["rejected"], groups["others"])


def _movements(read: EuetsTables, source: Source) -> "tuple[pl.DataFrame, list[Problem]]":
    """The movements to book, in order of time, with the codes of the ledger; key is the place in the table."""
    import polars as pl

    table = read.tables.get("transaction")
    lacking = [] if table is None else [column for column in _NEEDED if column not in table.columns]
    if table is None or lacking:
        empty = dict.fromkeys(("key", "row", "quantity", "at_us"), pl.Int64)
        words = dict.fromkeys(("kind", "source", "target", "instrument", "reference"), pl.String)
        found = [
            Problem(source.file, None, name, "no such column", "one to book movements", "missing_column", "error")
            for name in lacking
        ]
        return pl.DataFrame(schema={**empty, **words}), found
    account = [pl.format(f"{_SCHEME}:{{}}", side).alias(side) for side in ("source", "target", "instrument")]
    moved = euets_movements(table).with_row_index("key").with_columns(pl.col("key").cast(pl.Int64), *account)
    issued = pl.col("kind") == "issue"
    named = moved.with_columns(
        pl.col("kind").replace(_KINDS),
        pl.when(issued).then(pl.lit(f"{_SCHEME}:issuance")).otherwise("source").alias("source"),
        pl.col("quantity_t").alias("quantity"),
    )
    columns = ("key", "row", "kind", "source", "target", "instrument", "quantity", "at_us", "reference", "eu_code")
    return named.sort("at_us", "key").select(columns), []


def _accounts(read: EuetsTables, movements: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    sides = [movements.select(code=side) for side in ("source", "target")]
    if "account" in read.tables:
        sides.append(read.tables["account"].select(pl.format(f"{_SCHEME}:{{}}", "id").alias("code")))
    return pl.concat(sides).drop_nulls().unique().with_columns(pl.lit(_SCHEME).alias("scheme"))


def _instruments(movements: "pl.DataFrame", source: Source) -> "pl.DataFrame":
    import polars as pl

    unit = pl.col("code").str.strip_prefix(f"{_SCHEME}:")
    return (
        movements.select(code="instrument")
        .drop_nulls()
        .unique()
        .select(
            "code",
            pl.lit(_SCHEME).alias("scheme"),
            pl.when(unit.is_in(_OFFSETS)).then(pl.lit("offset")).otherwise(pl.lit("allowance")).alias("kind"),
            pl.lit(False).alias("serialised"),
            pl.lit("euets.info").alias("programme"),
            pl.lit(source.file).alias("source"),
        )
    )


def _header(connection: Connection, client_id: str | None) -> tuple[int, str]:
    """Id and client id of an import of a release."""
    one = "" if client_id is None else " AND client_id = :id"
    query = (
        "SELECT id, client_id FROM registry_transaction WHERE kind = 'import_file' AND status = 'done'"  # noqa: S608
        f" AND scheme = :scheme AND body LIKE :format{one} ORDER BY id DESC LIMIT 1"
    )
    values = {"scheme": _SCHEME, "format": f'%"format":"{_FORMAT}"%', "id": client_id}
    found = connection.execute(text(query), {k: v for k, v in values.items() if v is not None}).first()
    if found is None:
        raise NothingImported(f"found no import of {_FORMAT}{f' under {client_id!r}' if client_id else ''}")
    return found.id, found.client_id


def _compare(connection: Connection, client_id: str, tables: EuetsTables) -> None:
    """Every movement booked from the release must be a row of it, with the same quantity and time."""
    import polars as pl

    query = (
        "SELECT l.reference, l.quantity, l.at_us FROM registry_transfer l"
        " JOIN registry_transaction t ON t.id = l.transaction_id WHERE t.client_id = :id AND l.kind <> 'opening'"
    )
    found = connection.execute(text(query), {"id": f"{client_id}:movements"}).all()
    schema = {"reference": pl.String, "quantity": pl.Int64, "at_us": pl.Int64}
    legs = pl.DataFrame([tuple(row) for row in found], schema=schema, orient="row")
    if legs.is_empty():
        return
    kept = euets_movements(tables.tables["transaction"]).select("reference", "at_us", quantity="quantity_t")
    lost = legs.join(kept, on=["reference", "quantity", "at_us"], how="anti")
    if lost.height:
        first = lost.row(0, named=True)
        raise KeptTableDiffers(
            f"found {lost.height} booked movements that the kept table has not, first {first['reference']} of "
            f"{first['quantity']} t, expected each to be a row of it"
        )


def _report(
    source: Source, read: EuetsTables, rows_read: int, movements: "pl.DataFrame", booked: Booked, missing: list[Problem]
) -> ImportReport:
    import polars as pl

    fate = movements.join(booked.fate, on="key", how="left")
    done = fate.filter(pl.col("fate") == "booked")
    apart = fate.filter(pl.col("fate") == "apart").height + sum(rows.height for rows in read.rejected.values())
    by_kind = done.group_by("kind").agg(pl.col("quantity").sum()).sort("kind")
    kept = {f"rows of {name} kept": rows.height for name, rows in {**read.tables, **read.others}.items()}
    return ImportReport(
        source=source,
        rows_read=rows_read,
        rows_booked=rows_read - apart,
        rows_apart=apart,
        rows_repeated=0,
        openings=booked.openings if booked.openings.height else no_openings(),
        sums={"all movements, t": int(done["quantity"].sum())} | {f"{k}, t": int(t) for k, t in by_kind.iter_rows()},
        notes={"movements booked": done.height, **kept},
        problems=(*read.problems, *missing, *booked.problems),
    )
