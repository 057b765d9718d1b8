"""Our own blocks of serial numbers as units of CAD Trust version 2, and back without loss.

Knows the two shapes and what each status becomes. Must not know the ledger's tables, accounts or files.

    column of the block     column of the unit
    stem, first, last       unitSerialId "stem-first-last", unitStartBlock, unitEndBlock: the stem may end in a digit,
                            so it is kept out of the two blocks
    quantity                unitCount (C26 is for the check to say, not for the mapping to mend)
    vintage                 unitVintageYear
    status                  unitStatus: held and reserved -> Held (a reservation moves nothing); surrendered -> Retired
                            (used for a duty, so it can never serve again); cancelled -> Cancelled; carried_over ->
                            Inactive (replaced by units of the next vintage, neither retired nor cancelled)
    holder_name             unitCurrentOwner, and unitRetirementBeneficiary of surrendered units (assumed: an operator
                            surrenders for its own duty)
    last transaction        unitStatusDate
    the other columns       unitStatusReason, one JSON object, since v2 has no columns for them

unitType is "Not Determined" (assumed: an allowance is neither a reduction nor a removal) and unitMetric tCO2e. The
keys are made from the block's names (UUID version 5), so that the same block always has the same key.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from carbon.errors import Problem

if TYPE_CHECKING:
    import polars as pl

__all__ = ["STATUSES", "BlocksReading", "blocks_from_units", "blocks_schema", "units_from_blocks"]

STATUSES = {
    "held": "Held",
    "reserved": "Held",
    "surrendered": "Retired",
    "cancelled": "Cancelled",
    "carried_over": "Inactive",
}

# A name space of our own for the keys; any fixed one serves.
_NAMES = UUID("5b0f6f0e-6c1d-5b52-9a53-0d9a1f3a7c21")
_IN_REASON = ("scheme", "instrument", "kind", "register", "project_id", "account", "status")
_ISSUANCE = ("scheme", "instrument", "kind", "vintage", "register", "project_id")


@dataclass(frozen=True, eq=False)
class BlocksReading:
    """Blocks read back from units, the rows that are no units of ours as they were, and why."""

    blocks: "pl.DataFrame"
    apart: "pl.DataFrame"
    problems: tuple[Problem, ...]


def blocks_schema() -> "dict[str, pl.DataType]":
    """Columns of the frame of blocks: vintage, first, last and quantity (tonnes) Int64, the others String."""
    import polars as pl

    names = [
        "scheme",
        "instrument",
        "kind",
        "vintage",
        "register",
        "project_id",
        "stem",
        "first",
        "last",
        "quantity",
        "account",
        "holder_name",
        "status",
    ]
    numbers = {"vintage", "first", "last", "quantity"}
    return {name: pl.Int64() if name in numbers else pl.String() for name in names}


def units_from_blocks(blocks: "pl.DataFrame", transactions: "pl.DataFrame") -> "pl.DataFrame":
    """The rows of the table "units" of CAD Trust v2 for a frame of blocks, one row a block, in the same order.

    blocks : columns of `blocks_schema`; status one of STATUSES
    transactions : scheme, stem String; first, last Int64; day Date: each with the range it moved. The last one whose
    range covers a block dates its status; without one the date is null. May be empty.
    Result : String columns, as CAD Trust writes them. Raises ValueError for a status outside STATUSES.
    """
    import polars as pl

    strange = set(blocks["status"].drop_nulls()) - set(STATUSES)
    if strange or blocks["status"].null_count():
        raise ValueError(f"found status {sorted(strange) or None}, expected one of {', '.join(STATUSES)}")
    numbered = blocks.select(*blocks_schema()).with_row_index("position")
    keys = [_keys(block) for block in numbered.iter_rows(named=True)]
    reasons = [_reason(block) for block in numbered.iter_rows(named=True)]
    dated = numbered.join(_last_days(numbered, transactions), on="position", how="left", maintain_order="left")
    none = pl.lit(None, dtype=pl.String)
    owner = pl.col("holder_name")
    return dated.select(
        pl.Series("cadTrustUnitId", [unit for unit, _ in keys], dtype=pl.String),
        pl.concat_str(pl.col("stem").fill_null(""), "first", "last", separator="-").alias("unitSerialId"),
        pl.col("first").cast(pl.String).alias("unitStartBlock"),
        pl.col("last").cast(pl.String).alias("unitEndBlock"),
        pl.col("quantity").cast(pl.String).alias("unitCount"),
        pl.lit("Not Determined").alias("unitType"),
        pl.col("vintage").cast(pl.String).alias("unitVintageYear"),
        pl.col("status").replace_strict(STATUSES, return_dtype=pl.String).alias("unitStatus"),
        pl.Series("unitStatusReason", reasons, dtype=pl.String),
        pl.col("day").cast(pl.String).alias("unitStatusDate"),
        none.alias("unitRetirementDetail"),
        pl.when(pl.col("status") == "surrendered").then(owner).alias("unitRetirementBeneficiary"),
        none.alias("unitRetirementBeneficiaryId"),
        none.alias("unitLink"),
        pl.lit("tCO2e").alias("unitMetric"),
        owner.alias("unitCurrentOwner"),
        none.alias("unitItmosReferenceId"),
        pl.Series("cadTrustIssuanceId", [issuance for _, issuance in keys], dtype=pl.String),
    )


def _keys(block: dict[str, Any]) -> tuple[str, str]:
    unit = [block["scheme"], block["stem"], block["first"], block["last"]]
    issuance = [block[name] for name in _ISSUANCE]
    return str(uuid5(_NAMES, json.dumps(unit))), str(uuid5(_NAMES, json.dumps(issuance)))


def _reason(block: dict[str, Any]) -> str:
    # A null stem would read back as an empty one, so it is said here.
    note = {name: block[name] for name in _IN_REASON}
    return json.dumps(note if block["stem"] is not None else {**note, "stem": None}, ensure_ascii=False)


def _last_days(numbered: "pl.DataFrame", transactions: "pl.DataFrame") -> "pl.DataFrame":
    """position, day: of the last transaction that covers each block."""
    import polars as pl

    moved = transactions.select("scheme", "stem", "day", pl.col("first").alias("from"), pl.col("last").alias("to"))
    covering = numbered.select("position", "scheme", "stem", "first", "last").join_where(
        moved.rename({"scheme": "moved_scheme", "stem": "moved_stem"}),
        pl.col("scheme") == pl.col("moved_scheme"),
        pl.col("stem") == pl.col("moved_stem"),
        pl.col("first") >= pl.col("from"),
        pl.col("last") <= pl.col("to"),
    )
    return covering.group_by("position").agg(pl.col("day").max())


def blocks_from_units(units: "pl.DataFrame") -> BlocksReading:
    """The blocks that `units_from_blocks` wrote; units of other programs are set apart, not guessed at.

    units : String columns of the table "units" of CAD Trust v2, source_row Int64 where it was read from a file
    """
    import polars as pl

    found, bad, problems = [], [], []
    for position, unit in enumerate(units.iter_rows(named=True)):
        try:
            found.append(_block(unit))
        except (ValueError, KeyError, TypeError) as error:
            bad.append(position)
            row = unit.get("source_row") or position + 2
            problems.append(
                Problem(
                    "units",
                    row,
                    "unitStatusReason",
                    str(unit.get("unitStatusReason"))[:200],
                    f"a unit written by this registry ({error})",
                    "not_our_unit",
                    "error",
                )
            )
    return BlocksReading(pl.DataFrame(found, schema=blocks_schema(), orient="row"), units[bad], tuple(problems))


def _block(unit: dict[str, Any]) -> dict[str, Any]:
    reason = json.loads(unit["unitStatusReason"] or "")
    status = reason["status"]
    if STATUSES.get(status) != unit["unitStatus"]:
        raise ValueError(f"status {status} beside unitStatus {unit['unitStatus']}")
    tail = f"-{unit['unitStartBlock']}-{unit['unitEndBlock']}"
    if not unit["unitSerialId"].endswith(tail):
        raise ValueError(f"serial {unit['unitSerialId']} without its range {tail}")
    stem = unit["unitSerialId"].removesuffix(tail)
    year = unit["unitVintageYear"]
    return {
        **{name: reason[name] for name in _IN_REASON},
        "vintage": None if year is None else int(year),
        "stem": reason.get("stem", stem),
        "first": int(unit["unitStartBlock"]),
        "last": int(unit["unitEndBlock"]),
        "quantity": int(unit["unitCount"]),
        "holder_name": unit["unitCurrentOwner"],
    }
