"""Blocks of the ledger as units of CAD Trust, and such units back into a ledger.

Knows which account of a scheme a status stands for. Must not know CAD Trust's columns (`carbon.formats.cad_trust`).

Out: every block of serial numbers, with the holder's name and its status: with the scheme's surrender, cancellation or
carried-over account, reserved, or held. The stem of an instrument of our own is its code. A vintage of several years is
given by its last one; CAD Trust has no unit without a vintage, so such a unit is written and reported.

In: each unit's numbers are issued to the account it names; where that is a scheme's surrender, cancellation or
carried-over account, they pass through <scheme>:holders on the way. Accounts and instruments that the ledger lacks are
opened (accounts as `foreign`, with their holders' names in the kept table holders/accounts). The history between is not
in the file. A reserved block is booked as held: until when and for whom it was reserved is not in the file either.
Units of other registries are kept and set apart.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Connection, text

from carbon.errors import Problem
from carbon.formats.cad_trust import (
    CadTrustTables,
    blocks_from_units,
    convert,
    make_tables,
    read_cad_trust,
    units_from_blocks,
    write_cad_trust,
)
from carbon.formats.cad_trust.ledger_blocks import blocks_schema
from carbon.imports.parties import add_foreign_accounts, add_instruments
from carbon.imports.range_booking import Step, post_steps
from carbon.imports.ranges import cut, load_runs, place
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
from carbon.imports.rows import pack_tables, read_kept, write_kept
from carbon.ledger.book import Act
from carbon.ledger.orders import Leg
from carbon.ledger.verbs import system_account

if TYPE_CHECKING:
    import polars as pl

__all__ = ["export_cad_trust", "import_cad_trust", "ledger_blocks"]

_FORMAT: Final = "cad-trust"
_DAY_US: Final = 86_400_000_000
_STATUS: Final = {"surrender": "surrendered", "cancellation": "cancelled", "carried_over": "carried_over"}
_KIND: Final = {"surrendered": "surrender", "cancelled": "cancel", "carried_over": "carry_over"}
_HOLDERS: Final = "holders/accounts"
_UNITS: Final = "units"
_BLOCKS: Final = (
    "SELECT i.scheme, i.code AS instrument, i.kind, i.vintage_to AS vintage, i.programme AS register,"
    " i.project AS project_id, coalesce(i.stem, i.code) AS stem, b.serial_first AS first, b.serial_last AS last,"
    " b.serial_last - b.serial_first + 1 AS quantity, a.code AS account, e.name AS holder_name, a.type,"
    " b.reserve_id FROM registry_block b JOIN registry_instrument i ON i.id = b.instrument_id"
    " JOIN registry_account a ON a.id = b.account_id LEFT JOIN registry_entity e ON e.id = a.entity_id"
    " ORDER BY i.code, b.serial_first"
)
_MOVED: Final = (
    "SELECT i.scheme, coalesce(i.stem, i.code) AS stem, p.serial_first AS first, p.serial_last AS last, l.at_us"
    " FROM registry_piece p JOIN registry_transfer l ON l.id = p.transfer_id"
    " JOIN registry_instrument i ON i.id = p.instrument_id WHERE l.phase <> 'void'"
)


@dataclass(frozen=True, eq=False)
class _File:
    """Our blocks of a file, the rows read and set apart, tables to keep, and what was found."""

    blocks: "pl.DataFrame"
    rows_read: int
    apart: int
    kept: "dict[str, pl.DataFrame]"
    problems: tuple[Problem, ...]


def ledger_blocks(connection: Connection) -> "pl.DataFrame":
    """Every block of serial numbers with its holder and status, as `carbon.formats.cad_trust.blocks_schema` has it.

    In order of instrument and number. holder_name is null where neither an entity nor an import names the holder.
    """
    import polars as pl

    schema = {name: dtype for name, dtype in blocks_schema().items() if name != "status"}
    found = [tuple(row) for row in connection.execute(text(_BLOCKS))]
    more = {"type": pl.String(), "reserve_id": pl.Int64()}
    blocks = pl.DataFrame(found, schema={**schema, **more}, orient="row")
    status = (
        pl.when(pl.col("type").is_in(list(_STATUS)))
        .then(pl.col("type").replace(_STATUS))
        .when(pl.col("reserve_id").is_not_null())
        .then(pl.lit("reserved"))
        .otherwise(pl.lit("held"))
    )
    named = blocks.join(kept_holders(connection), on="account", how="left", maintain_order="left")
    return named.with_columns(
        pl.coalesce("holder_name", "imported_name").alias("holder_name"), status.alias("status")
    ).select(*blocks_schema())


def export_cad_trust(connection: Connection, path: Path, *, version: Literal[1, 2] = 2) -> tuple[Problem, ...]:
    """Write all blocks of the ledger as CAD Trust units: .xlsx, .zip (of CSV) or .json, by the ending of the path.

    version : 1 goes through `convert`, which lists what version 1 has no place for
    Result : what CAD Trust or the container cannot carry. Raises CannotBeWritten.
    """
    import polars as pl

    found = [tuple(row) for row in connection.execute(text(_MOVED))]
    schema = {"scheme": pl.String, "stem": pl.String, "first": pl.Int64, "last": pl.Int64, "at_us": pl.Int64}
    moved = pl.DataFrame(found, schema=schema, orient="row").with_columns(
        pl.from_epoch(pl.col("at_us") // _DAY_US, time_unit="d").alias("day")
    )
    units = units_from_blocks(ledger_blocks(connection), moved.drop("at_us"))
    tables = make_tables({"units": units}, "v2", file=path.name)
    problems = tables.problems
    if version == 1:
        conversion = convert(tables, "v1")
        left = conversion.left_behind.group_by("table", "column", "reason", maintain_order=True).len()
        lost = (
            Problem(
                path.name, None, f"{table}.{column}", f"{count} cells: {reason}", "a place", "left_behind", "warning"
            )
            for table, column, reason, count in left.iter_rows()
        )
        tables, problems = conversion.tables, (*problems, *lost, *conversion.tables.problems)
    return (*problems, *write_cad_trust(tables, path, include_apart=True))


def import_cad_trust(
    connection: Connection, act: Act, path: Path, *, progress: Progress = ignore_progress
) -> ImportReport:
    """Book the units of a CAD Trust file that a ledger of ours wrote; other tables and units are kept.

    connection : of a writer (`carbon.ledger.post.writing`); act : an empty client id stands for the file's own
    A block whose numbers the ledger has already is a repeat; one that has some of them is set apart (C27).
    Raises UnreadableFile, FileTooLarge, UnknownFormat, IdInUse, ImportRefused.
    """
    source = named_source(_FORMAT, path, act)
    file = _read(path)
    if booked_before(connection, source):
        return replayed_report(source, file.rows_read, file.problems)
    blocks = file.blocks
    fate: dict[str, int] = {"booked": 0, "apart": file.apart, "repeated": 0}
    problems = list(file.problems)
    sums: dict[str, int] = {}
    holders = blocks.select("account", "holder_name").drop_nulls().unique(maintain_order=True)
    parts = pack_tables({**file.kept, _HOLDERS: holders})

    def effect(transaction_id: int) -> None:
        write_kept(connection, parts, transaction_id)
        homes = _homes(connection, blocks)
        add_foreign_accounts(connection, source, _accounts(blocks, homes))
        add_instruments(connection, source, _instruments(blocks, source))
        steps = _plan(connection, source, blocks, homes, fate, sums, problems)
        post_steps(connection, source, steps, progress)

    facts = {"rows": file.rows_read, "kept": {f"{n}.{p}": sha for (n, p), (_, _, sha) in parts.items()}}
    open_import(connection, source, facts, effect)
    units = file.blocks.height + file.apart
    return ImportReport(
        source=source,
        rows_read=file.rows_read,
        rows_booked=file.rows_read - units + fate["booked"],
        rows_apart=fate["apart"],
        rows_repeated=fate["repeated"],
        openings=no_openings(),
        sums=dict(sorted(sums.items())),
        notes={"blocks booked": fate["booked"], "rows of other tables kept": file.rows_read - units},
        problems=tuple(problems),
    )


def _read(path: Path) -> _File:
    import polars as pl

    read = read_cad_trust(path)
    kept = {f"tables/{name}": frame for name, frame in read.tables.items()}
    kept |= {f"rejected/{name}": frame for name, frame in read.apart.items()}
    rows_read = sum(frame.height for frame in kept.values())
    apart = sum(frame.height for name, frame in read.apart.items() if name != _UNITS)
    tables = read if read.version == "v2" else convert(read, "v2").tables
    units = tables.tables.get(_UNITS)
    if units is None:
        missing = Problem(path.name, None, None, "no table of units", "units of a ledger", "no_units", "warning")
        return _File(pl.DataFrame(schema=blocks_schema()), rows_read, apart, kept, (*read.problems, missing))
    faulty = tables.apart.get(_UNITS, units.clear())
    undated = faulty.filter(pl.col("source_row").is_in(_only_undated(tables).implode()))
    ours = blocks_from_units(pl.concat([units, undated]).sort("source_row"))
    others = faulty.height - undated.height + ours.apart.height
    found = [replace(problem, file=f"{path.name}, {_UNITS}") for problem in ours.problems]
    # A unit of ours without a vintage is an error to CAD Trust; here it is kept, and said.
    rows = set(undated["source_row"]) if read.version == "v2" else set()
    said = [replace(p, severity="warning") if p.row in rows and _of_units(p) else p for p in read.problems]
    return _File(ours.blocks, rows_read, apart + others, kept, (*said, *found))


def _only_undated(tables: CadTrustTables) -> "pl.Series":
    """Rows of units with no other error than a vintage that our instrument does not have."""
    import polars as pl

    errors = [problem for problem in tables.problems if problem.severity == "error" and _of_units(problem)]
    other = {problem.row for problem in errors if problem.code != "c30_vintage" or problem.found != "nothing"}
    return pl.Series([problem.row for problem in errors if problem.row not in other], dtype=pl.Int64)


def _of_units(problem: Problem) -> bool:
    return problem.file.endswith(f", {_UNITS}")


def kept_holders(connection: Connection) -> "pl.DataFrame":
    """Names of holders as imports gave them: account, imported_name; of several imports the latest."""
    import polars as pl

    query = text("SELECT DISTINCT transaction_id FROM registry_kept_table WHERE name = :name ORDER BY transaction_id")
    none = pl.DataFrame(schema={"account": pl.String, "holder_name": pl.String})
    ids = list(connection.execute(query, {"name": _HOLDERS}).scalars())
    frames = [read_kept(connection, id, _HOLDERS) for id in ids]
    named = pl.concat([none, *[frame for frame in frames if frame is not None]])
    return named.unique("account", keep="last").rename({"holder_name": "imported_name"})


def _homes(connection: Connection, blocks: "pl.DataFrame") -> dict[str, str]:
    """The scheme of every account that blocks name or the ledger has.

    Of an account the ledger lacks: what its code begins with, else the scheme of its allowances (an allowance stays in
    its scheme, an offset may go to another), else that of its first block. Assumed, since the file does not say.
    """
    import polars as pl

    schemes = set(connection.execute(text("SELECT scheme FROM registry_scheme")).scalars())
    homes: dict[str, str] = {}
    for block in blocks.sort(pl.col("kind") != "allowance", maintain_order=True).iter_rows(named=True):
        prefix = block["account"].split(":")[0]
        homes.setdefault(block["account"], prefix if prefix in schemes else block["scheme"])
    return {**homes, **_known_accounts(connection)}


def _accounts(blocks: "pl.DataFrame", homes: dict[str, str]) -> "pl.DataFrame":
    """Accounts that a block names or that its units pass through."""
    import polars as pl

    named = [(account, homes[account]) for account in blocks["account"].unique(maintain_order=True)]
    through = {*blocks["scheme"], *(home for _, home in named)}
    rows = [*named, *((scheme_holders(scheme), scheme) for scheme in sorted(through))]
    return pl.DataFrame(rows, schema={"code": pl.String, "scheme": pl.String}, orient="row")


def _known_accounts(connection: Connection) -> dict[str, str]:
    """Scheme of every account by its code."""
    rows = connection.execute(text("SELECT code, scheme FROM registry_account"))
    return {row.code: row.scheme for row in rows}


def scheme_holders(scheme: str) -> str:
    """Code of the account of all holders of a scheme that are not known one by one."""
    return f"{scheme}:holders"


def _instruments(blocks: "pl.DataFrame", source: Source) -> "pl.DataFrame":
    import polars as pl

    stem = pl.when(pl.col("stem") != pl.col("instrument")).then("stem").alias("stem")
    return blocks.unique("instrument", keep="first", maintain_order=True).select(
        pl.col("instrument").alias("code"),
        "scheme",
        "kind",
        pl.lit(True).alias("serialised"),
        pl.col("vintage").alias("vintage_from"),
        pl.col("vintage").alias("vintage_to"),
        stem,
        pl.col("register").alias("programme"),
        pl.col("project_id").alias("project"),
        pl.lit(source.file).alias("source"),
    )


def _plan(
    connection: Connection,
    source: Source,
    blocks: "pl.DataFrame",
    homes: dict[str, str],
    fate: dict[str, int],
    sums: dict[str, int],
    problems: list[Problem],
) -> list[Step]:
    """The legs of each block; what became of it is counted in fate and sums, and said in problems."""
    runs, _types = load_runs(connection, blocks["instrument"].unique())
    steps = []
    for block in blocks.iter_rows(named=True):
        mine = runs.setdefault(block["instrument"], [])
        parts = cut(mine, block["first"], block["last"])
        row = f"{block['instrument']} {block['first']} to {block['last']}"
        if all(holder is not None for _, _, holder in parts):
            fate["repeated"] += 1
            continue
        if len(parts) > 1:
            fate["apart"] += 1
            expected = "numbers that the ledger does not have yet"
            problems.append(Problem(source.file, None, "units", row, expected, "C27", "error"))
            continue
        if block["status"] == "reserved":
            expected = "a block that is free; it is booked as held, for whom it is reserved is not in the file"
            problems.append(Problem(source.file, None, "units", f"{row} reserved", expected, "reserved", "warning"))
        said = {"file": source.file, "block": row, "status": block["status"], "account": block["account"]}
        steps.append(Step(0, source.act.at_us, _legs(block, homes[block["account"]], said["block"]), said))
        place(mine, block["first"], block["last"], block["account"])
        fate["booked"] += 1
        name = f"{block['status']}, t"
        sums[name] = sums.get(name, 0) + block["quantity"]
    return steps


def _legs(block: dict[str, Any], home: str, reference: str) -> tuple[Leg, ...]:
    """Issue, hand over to another scheme where the account is of another, and withdraw where the status says so."""
    own, kind = block["scheme"], _KIND.get(block["status"])
    stops, kinds = [system_account(own, "issuance")], ["issue"]
    if home != own:
        stops.append(scheme_holders(own))
        kinds.append("external")
    if kind is not None:
        stops.append(scheme_holders(home))
        kinds.append("use_offsets" if kind == "surrender" and block["kind"] == "offset" else kind)
    stops.append(block["account"])
    unit, quantity, first = block["instrument"], block["quantity"], block["first"]
    return tuple(
        Leg(kind, giver, taker, unit, quantity, first_serial=first, reference=reference)
        for kind, giver, taker in zip(kinds, stops, stops[1:], strict=False)
    )
