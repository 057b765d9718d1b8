"""Our events and projects as rows of OffsetsDB, and back.

Knows both sets of columns. Must not know files.
"""

from typing import TYPE_CHECKING

from carbon.formats.offsets.layouts import credit_events_schema
from carbon.formats.offsets.offsetsdb import CREDIT_COLUMNS, PREFIXES, PROJECT_COLUMNS
from carbon.units import KG_PER_T

if TYPE_CHECKING:
    import polars as pl

__all__ = ["credits_from_events", "events_from_credits", "projects_to_offsetsdb"]

# Ours -> theirs, where the meaning is the same.
_NAMES = {
    "quantity_t": "quantity",
    "day": "transaction_date",
    "event": "transaction_type",
    "account": "retirement_account",
    "reason": "retirement_reason",
    "note": "retirement_note",
    "beneficiary": "retirement_beneficiary",
}


def credits_from_events(events: "pl.DataFrame", *, aggregate: bool = False) -> "pl.DataFrame":
    """Credit rows of OffsetsDB.

    events : columns of `credit_events_schema`
    aggregate : sum issuances by project, day and vintage, buffers included, and leave out what has no column there; by
    default every event is a row and the columns that only we have follow theirs, so that nothing is lost
    Result : CREDIT_COLUMNS; quantity Int64 in tonnes, transaction_date Date. Sums of quantity are those of the events.
    """
    import polars as pl

    unknown = [
        pl.lit(None, dtype=pl.String).alias(name) for name in ("retirement_beneficiary_harmonized", "transaction_url")
    ]
    rows = events.rename(_NAMES).with_columns(unknown)
    if not aggregate:
        return rows.select(*CREDIT_COLUMNS, pl.exclude(CREDIT_COLUMNS))
    is_issuance = pl.col("transaction_type") == "issuance"
    keys = ["project_id", "transaction_date", "vintage", "transaction_type"]
    summed = rows.filter(is_issuance).group_by(keys, maintain_order=True).agg(pl.col("quantity").sum())
    others = rows.filter(~is_issuance).select(CREDIT_COLUMNS)
    return pl.concat([summed, others], how="diagonal").select(CREDIT_COLUMNS)


def events_from_credits(rows: "pl.DataFrame", *, file: str) -> "pl.DataFrame":
    """Credit events of OffsetsDB's rows; the inverse of `credits_from_events` where our columns are present.

    rows : of `read_offsetsdb`; file : name for rows that name none
    Result : columns of `credit_events_schema`. Without our columns the register is that of the number's prefix, the
    serial range is null, is_buffer is null (not stated), and row is the line of the table.
    """
    import polars as pl

    named = rows.rename({theirs: ours for ours, theirs in _NAMES.items()})
    schema = credit_events_schema()
    register = pl.col("project_id").str.slice(0, 3).replace_strict(PREFIXES, default=None, return_dtype=pl.String)
    defaults = {
        "register": register,
        "quantity_kg": pl.col("quantity_t") * KG_PER_T,
        "file": pl.lit(file),
        "row": pl.int_range(2, pl.len() + 2, dtype=pl.Int64),
        "raw_event": pl.col("event"),
    }
    missing = [name for name in schema if name not in named.columns and name != "copy"]
    filled = named.with_columns([defaults.get(name, pl.lit(None, dtype=schema[name])).alias(name) for name in missing])
    if "copy" not in named.columns:
        key = [name for name in schema if name not in ("copy", "file", "row")]
        filled = filled.with_columns(copy=pl.int_range(1, pl.len() + 1).over(key))
    return filled.select(list(schema)).cast(dict(schema))  # type: ignore[arg-type]


def projects_to_offsetsdb(projects: "pl.DataFrame", events: "pl.DataFrame") -> "pl.DataFrame":
    """Project rows of OffsetsDB, with totals and first days from the events.

    projects : columns of `projects_schema`; events : columns of `credit_events_schema`
    Result : PROJECT_COLUMNS; issued and retired Int64 in tonnes (cancellations are not counted as retired, null without
    any event), days Date. Protocols are not mapped to their codes: the printed text stands in protocol_unassigned, and
    category, type source and compliance are null.
    """
    import polars as pl

    kind, tonnes, day = pl.col("event"), pl.col("quantity_t"), pl.col("day")
    totals = events.group_by("project_id").agg(
        issued=tonnes.filter(kind == "issuance").sum(),
        retired=tonnes.filter(kind == "retirement").sum(),
        first_issuance_at=day.filter(kind == "issuance").min(),
        first_retirement_at=day.filter(kind == "retirement").min(),
    )
    rows = projects.rename({"register": "registry", "url": "project_url", "protocol": "protocol_unassigned"})
    unknown = [pl.lit(None, dtype=pl.String).alias(name) for name in ("protocol", "category", "project_type_source")]
    return (
        rows.join(totals, on="project_id", how="left", maintain_order="left")
        .with_columns(*unknown, pl.lit(None, dtype=pl.Date).alias("listed_at"), is_compliance=pl.lit(None, pl.Boolean))
        .select(PROJECT_COLUMNS)
    )
