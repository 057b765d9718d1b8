"""OffsetsDB's credits into the ledger: quantities without serial numbers, by programme and vintage.

Knows which instrument and account a row stands for. Must not know OffsetsDB's columns beyond those it books.

Each programme and vintage is one instrument without serial numbers ("VCS:2020", "VCS:undated"), held by
<programme>:holders: OffsetsDB names neither holders nor numbers. The project stands in the reference of the movement
and in the kept tables. These instruments are not those of the raw exports (`offsets`): the same credits may be imported
from both, and are counted in each.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from carbon.formats.offsets import OffsetsDbReading, read_offsetsdb
from carbon.formats.offsets.offsetsdb import PREFIXES
from carbon.imports.offsets import SCHEME_OF_REGISTER
from carbon.imports.parties import add_foreign_accounts, add_instruments
from carbon.imports.quantities import Booked, book_quantities
from carbon.imports.report import (
    ImportReport,
    Progress,
    Source,
    booked_before,
    ignore_progress,
    named_source,
    open_import,
    replayed_report,
)
from carbon.imports.rows import pack_tables, write_kept
from carbon.ledger.book import Act

if TYPE_CHECKING:
    import polars as pl

__all__ = ["import_offsetsdb"]

_DAY_US: Final = 86_400_000_000
_SUFFIXES: Final = (".csv", ".csv.gz", ".parquet")
_SCHEMES: Final = {prefix: SCHEME_OF_REGISTER[register] for prefix, register in PREFIXES.items()}


def import_offsetsdb(
    connection: Connection, act: Act, path: Path, *, progress: Progress = ignore_progress
) -> ImportReport:
    """Book the credits of OffsetsDB and keep its projects: one file, or a folder of them (.csv, .csv.gz, .parquet).

    connection : of a writer (`carbon.ledger.post.writing`); act : an empty client id stands for the file's own
    What is retired beyond what was seen issued is an `opening`, assumed and reported. Equal rows are all booked (C41);
    a row without a day gets the time of the act (assumed, counted in the notes). All rows are kept whole.
    Raises UnreadableFile, FileTooLarge, UnknownFormat, IdInUse, ImportRefused.
    """
    import polars as pl

    source = named_source("offsetsdb", path, act)
    readings = {file.name: read_offsetsdb(file) for file in _files(path)}
    rows_read = sum(reading.rows_read for reading in readings.values())
    problems = tuple(problem for reading in readings.values() for problem in reading.problems)
    if booked_before(connection, source):
        return replayed_report(source, rows_read, problems)
    credits = {file: reading.rows for file, reading in readings.items() if reading.table == "credits"}
    events = pl.concat([_events(rows, file, act.at_us) for file, rows in credits.items()] or [_no_events()])
    events = events.with_row_index("key").with_columns(pl.col("key").cast(pl.Int64))
    parts = pack_tables(_kept(readings))
    booked: list[Booked] = []

    def effect(transaction_id: int) -> None:
        write_kept(connection, parts, transaction_id)
        progress(1, 2)
        add_foreign_accounts(connection, source, events.select("scheme", code="holder").unique())
        add_instruments(connection, source, _instruments(events, source))
        booked.append(book_quantities(connection, source, events))
        progress(2, 2)

    facts = {"rows": rows_read, "kept": {f"{n}.{p}": sha for (n, p), (_, _, sha) in parts.items()}}
    open_import(connection, source, facts, effect)
    done = events.join(booked[0].fate.filter(pl.col("fate") == "booked"), on="key", how="semi")
    apart = events.height - done.height + sum(reading.quarantine.height for reading in readings.values())
    sums = done.group_by("event").agg(pl.col("quantity_t").sum()).sort("event")
    return ImportReport(
        source=source,
        rows_read=rows_read,
        rows_booked=rows_read - apart,
        rows_apart=apart,
        rows_repeated=0,
        openings=booked[0].openings,
        sums={f"{event}, t": int(total) for event, total in sums.iter_rows()},
        notes={
            "credits booked": done.height,
            "credits without a day, booked at the time of the import (assumed)": int(done["day"].null_count()),
            "projects kept": sum(r.rows.height for r in readings.values() if r.table == "projects"),
        },
        problems=(*problems, *booked[0].problems),
    )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.is_file() and file.name.lower().endswith(_SUFFIXES))


def _kept(readings: dict[str, OffsetsDbReading]) -> "dict[str, pl.DataFrame]":
    kept = {f"tables/{reading.table}/{file}": reading.rows for file, reading in readings.items()}
    return kept | {f"rejected/{file}": reading.quarantine for file, reading in readings.items()}


def _events(rows: "pl.DataFrame", file: str, now_us: int) -> "pl.DataFrame":
    """The credits of one file; row counts the rows kept, in the order of the file."""
    import polars as pl

    scheme = pl.col("project_id").str.slice(0, 3).replace_strict(_SCHEMES, return_dtype=pl.String)
    vintage = pl.col("vintage").cast(pl.String).fill_null("undated")
    return (
        rows.with_columns(scheme.alias("scheme"), pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row"))
        .select(
            "scheme",
            pl.format("{}:{}", "scheme", vintage).alias("instrument"),
            "vintage",
            pl.format("{}:holders", "scheme").alias("holder"),
            pl.format("{}:{}:{}:{}", pl.lit(file), "row", "project_id", "transaction_type").alias("reference"),
            pl.lit(file).alias("file"),
            "row",
            pl.col("transaction_date").alias("day"),
            pl.coalesce(pl.col("transaction_date").cast(pl.Int64) * _DAY_US, now_us).alias("at_us"),
            pl.col("quantity").alias("quantity_t"),
            pl.col("transaction_type").alias("event"),
            (pl.col("transaction_type") == "issuance").alias("is_issuance"),
        )
        .cast(_no_events().schema)
    )


def _no_events() -> "pl.DataFrame":
    import polars as pl

    words = dict.fromkeys(("scheme", "instrument", "holder", "reference", "file", "event"), pl.String)
    whole = dict.fromkeys(("vintage", "row", "at_us", "quantity_t"), pl.Int64)
    order = ["scheme", "instrument", "vintage", "holder", "reference", "file", "row", "day", "at_us", "quantity_t"]
    types = {**words, **whole, "day": pl.Date, "is_issuance": pl.Boolean}
    return pl.DataFrame(schema={name: types[name] for name in (*order, "event", "is_issuance")})


def _instruments(events: "pl.DataFrame", source: Source) -> "pl.DataFrame":
    import polars as pl

    return events.unique("instrument", keep="first", maintain_order=True).select(
        "scheme",
        pl.col("instrument").alias("code"),
        pl.lit("offset").alias("kind"),
        pl.lit(False).alias("serialised"),
        pl.col("vintage").alias("vintage_from"),
        pl.col("vintage").alias("vintage_to"),
        pl.lit("OffsetsDB").alias("programme"),
        pl.lit(source.file).alias("source"),
    )
