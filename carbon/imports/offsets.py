"""Raw exports of offset registers into the ledger: credits issued, retired and cancelled, by their serial numbers.

Knows which programme a register's credits belong to and in which order its events are booked. Must not know a
register's headings (`carbon.formats.offsets`) nor how ranges are cut (`ranges`) or booked (`range_booking`).

What is booked:

* events with serial numbers: each series is an instrument, and each event moves exactly its numbers. Issuances go to
  the account that the export names, else to <programme>:holders (buffers to <programme>:buffer). Retirements and
  cancellations are taken from whoever holds the numbers, for registers do not publish hand-overs. Numbers that were
  never seen issued are booked as an `opening` of exactly these numbers first: assumed, and reported.
* events without: each project and vintage is an instrument without serial numbers, held by <programme>:holders and
  <programme>:buffer together, since quantities alone do not tell whose units were retired; openings are assumed where
  more is retired than was seen issued.

Both ways out of the market are movements of the kind `cancel`; the register's own word stays in the body.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from carbon.errors import Problem, UnreadableFile
from carbon.formats.offsets import RegistersReading, read_registers
from carbon.imports.parties import add_foreign_accounts, add_instruments
from carbon.imports.quantities import Booked, book_quantities
from carbon.imports.range_booking import book_ranges
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

__all__ = ["SCHEME_OF_REGISTER", "EventPlan", "import_offsets", "plan_events"]

SCHEME_OF_REGISTER: Final[Mapping[str, str]] = {
    "verra": "VCS",
    "gold_standard": "GS",
    "american_carbon_registry": "ACR",
    "climate_action_reserve": "CAR",
    "art_trees": "ART",
    "cercarbono": "CDC",
    "isometric": "ISO",
    "arb": "ARB",
}
_DAY_US: Final = 86_400_000_000
_WORDS: Final = ("file", "row", "event", "raw_event", "serial", "account", "beneficiary", "reason", "source_id")


@dataclass(frozen=True, eq=False)
class EventPlan:
    """Events with their codes: `key` (number of the event), scheme, instrument, account, at_us, and the events' own."""

    numbered: "pl.DataFrame"
    plain: "pl.DataFrame"
    instruments: "pl.DataFrame"
    accounts: "pl.DataFrame"


def import_offsets(
    connection: Connection, act: Act, path: Path, *, register: str | None = None, progress: Progress = ignore_progress
) -> ImportReport:
    """Book raw exports of offset registers: one CSV file, a folder or a zip archive of them.

    connection : of a writer (`carbon.ledger.post.writing`); act : an empty client id stands for the file's own
    register : name of the register of all files; null tells it by their headings
    The files' own rows are kept whole (`carbon.imports.rows`): tables/events, tables/projects, rejected/rows. Rows
    whose numbers meet others' are set apart one by one; numbers that the ledger has already are repeats. An event
    without a day gets the time of the act (assumed, counted in the notes).
    Raises UnreadableFile (also where none of the files can be read), FileTooLarge, IdInUse, ImportRefused.
    """
    source = named_source("offsets", path, act)
    read = read_registers(path, register=register)
    if booked_before(connection, source):
        return replayed_report(source, read.rows_read, read.problems)
    if not read.readings:
        raise UnreadableFile("\n".join(str(problem) for problem in read.problems))
    quarantine = _quarantine(read)
    kept = {"tables/events": read.events, "tables/projects": read.projects, "rejected/rows": quarantine}
    parts = pack_tables(kept)
    plan = plan_events(read.events, act.at_us)
    booked: list[Booked] = []

    def effect(transaction_id: int) -> None:
        write_kept(connection, parts, transaction_id)
        add_foreign_accounts(connection, source, plan.accounts)
        add_instruments(connection, source, plan.instruments)
        booked.append(book_ranges(connection, source, plan.numbered, progress=progress))
        booked.append(book_quantities(connection, source, plan.plain))

    facts = {"rows": read.rows_read, "kept": {f"{n}.{p}": sha for (n, p), (_, _, sha) in parts.items()}}
    open_import(connection, source, facts, effect)
    return _report(source, read, quarantine.height, plan, booked)


def plan_events(events: "pl.DataFrame", now_us: int) -> EventPlan:
    """The events with the ledger's codes, those with serial numbers apart from those without.

    events : columns of `carbon.formats.offsets.credit_events_schema`; now_us : time for events without a day
    The code of a series is its printed text with a star where a number stands, "VCS:VCS1:2020" where there is none.
    """
    import polars as pl

    scheme = pl.col("register").replace_strict(SCHEME_OF_REGISTER, return_dtype=pl.String)
    pool = pl.when(pl.col("is_buffer").fill_null(False)).then(pl.lit("buffer")).otherwise(pl.lit("holders"))
    plain_code = pl.format("{}:{}:{}", "scheme", "project_id", pl.col("vintage").cast(pl.String).fill_null("undated"))
    named = pl.col("first").is_not_null() & pl.col("account").is_not_null() & ~pl.col("is_buffer").fill_null(False)
    planned = (
        events.with_row_index("key")
        .with_columns(pl.col("key").cast(pl.Int64), scheme.alias("scheme"))
        .with_columns(
            pl.when(pl.col("first").is_not_null())
            .then(pl.col("stem").str.replace_all(r"\{(?:first|last)(?::\d+)?\}", "*"))
            .otherwise(plain_code)
            .alias("instrument"),
            pl.when(named)
            .then(pl.format("{}:account:{}", "scheme", "account"))
            .otherwise(pl.format("{}:{}", "scheme", pool))
            .alias("holder"),
            pl.coalesce(pl.col("day").cast(pl.Int64) * _DAY_US, now_us).alias("at_us"),
            (pl.col("event") == "issuance").alias("is_issuance"),
            pl.format("{}:{}:{}", "file", "row", "event").alias("reference"),
            pl.struct(_WORDS).alias("said"),
        )
    )
    numbered = planned.filter(pl.col("first").is_not_null())
    plain = planned.filter(pl.col("first").is_null())
    return EventPlan(numbered, plain, _instruments(planned), planned.select("scheme", code="holder").unique())


def _instruments(planned: "pl.DataFrame") -> "pl.DataFrame":
    """One row an instrument; project and vintage only where all its events agree on them."""
    import polars as pl

    project = pl.col("project_id")
    grouped = planned.group_by("instrument", maintain_order=True).agg(
        pl.col("scheme", "register").first(),
        # Of two stems of one series the longer is the one that knows how far numbers are padded.
        pl.col("stem").sort_by(pl.col("stem").str.len_bytes()).last(),
        pl.col("vintage").min().alias("vintage_from"),
        pl.col("vintage").max().alias("vintage_to"),
        pl.when(project.n_unique() == 1).then(project.first()).alias("project"),
        pl.col("first").is_not_null().first().alias("serialised"),
        pl.col("file").first().alias("source"),
    )
    return grouped.select(
        pl.col("instrument").alias("code"),
        "scheme",
        pl.lit("offset").alias("kind"),
        "serialised",
        "vintage_from",
        "vintage_to",
        pl.when("serialised").then("stem").alias("stem"),
        pl.col("register").alias("programme"),
        "project",
        "source",
    )


def _quarantine(read: RegistersReading) -> "pl.DataFrame":
    import polars as pl

    none = pl.DataFrame(schema={"file": pl.String, "row": pl.Int64, "raw": pl.String})
    return pl.concat([none, *[reading.quarantine for reading in read.readings.values()]])


def _report(
    source: Source, read: RegistersReading, quarantined: int, plan: EventPlan, booked: list[Booked]
) -> ImportReport:
    """Rows are counted, not events: a row is set apart if any of its events is, and booked if any of them is."""
    import polars as pl

    fate = pl.concat([part.fate for part in booked])
    ranks = {"repeated": 0, "booked": 1, "apart": 2}
    events = pl.concat([plan.numbered, plan.plain]).join(fate, on="key", how="left", maintain_order="left")
    rows = events.group_by("file", "row").agg(pl.col("fate").replace_strict(ranks, return_dtype=pl.Int64).max())
    count: dict[int, int] = dict(rows["fate"].value_counts().iter_rows())
    done = events.filter(pl.col("fate") == "booked")
    sums = {
        f"{event}, t": int(total)
        for event, total in done.group_by("event").agg(pl.col("quantity_t").sum()).sort("event").iter_rows()
    }
    problems: list[Problem] = [problem for part in booked for problem in part.problems]
    return ImportReport(
        source=source,
        rows_read=read.rows_read,
        rows_booked=count.get(1, 0) + read.projects.height,
        rows_apart=count.get(2, 0) + quarantined,
        rows_repeated=count.get(0, 0),
        openings=pl.concat([part.openings for part in booked]),
        sums=sums,
        notes=_notes(read, events),
        problems=(*read.problems, *problems),
    )


def _notes(read: RegistersReading, events: "pl.DataFrame") -> dict[str, int]:
    import polars as pl

    done = events.filter(pl.col("fate") == "booked")
    undated = int(done["day"].null_count())
    numbers: dict[str, Any] = {
        "events booked": done.height,
        "events booked without serial numbers": int(done["first"].null_count()),
        "events without a day, booked at the time of the import (assumed)": undated,
        "projects kept": read.projects.height,
    }
    return numbers
