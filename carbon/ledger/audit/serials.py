"""Serial numbers replayed: every block comes from one that its sender held, and nothing overlaps (C08, C26, C27).

Knows how a piece takes numbers out of a block and what is left of it. Must not trust the blocks that the database has.

A block is made by being issued, or by a piece that is cut out of a parent: the piece itself and what is left on either
side. It is used up by the next piece that names it as parent. So the whole history of one block (unit, first, last)
must alternate: made, used up, made again, ...; what was made and not used up is there now. This is a statement about
sorted rows, so no loop over the log is needed.
"""

from typing import TYPE_CHECKING, Final

from carbon.ledger.audit.findings import found_in, together
from carbon.ledger.audit.log import Log

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_foreign_units", "find_overlaps", "find_wrong_counts", "replayed_blocks"]

_BLOCK: Final = ["instrument_id", "first", "last"]


def find_foreign_units(log: Log) -> "pl.DataFrame":
    """C08: every number that a leg moves was in a block that its sender held, free or reserved for this very leg."""
    import polars as pl

    found = pl.format("{}-{} out of block {}-{}, {}", "serial_first", "serial_last", "first", "last", "reason")
    lost = _history(log).filter(pl.col("uses")).with_columns(reason=_fault()).drop_nulls("reason").sort("piece")
    wanted = log.legs.filter(pl.col("first_serial").is_not_null())
    firsts = log.pieces.group_by(id="transfer_id").agg(pl.col("serial_first").min(), pl.col("serial_last").max())
    asked = wanted.join(firsts, on="id", how="left", maintain_order="left")
    other = asked.filter(
        pl.col("serial_first").ne_missing(pl.col("first_serial"))
        | pl.col("serial_last").ne_missing(pl.col("first_serial") + pl.col("quantity") - 1)
    ).filter(pl.col("phase") != "void")
    return together(
        [
            found_in(
                lost.with_columns(id=pl.col("piece")),
                "registry_piece",
                found=found,
                expected="a block that the sender holds free",
                account="source_id",
                instrument="instrument_id",
            ),
            found_in(
                other,
                "registry_transfer",
                found=pl.format(
                    "numbers {}-{}", pl.col("serial_first").fill_null(0), pl.col("serial_last").fill_null(0)
                ),
                expected=pl.format("{} from number {}", "quantity", "first_serial"),
                account="source_id",
                instrument="instrument_id",
            ),
        ]
    )


def find_wrong_counts(log: Log) -> "pl.DataFrame":
    """C26: a run of numbers holds last - first + 1 units: pieces of a leg, and blocks of a holding, add up to it."""
    import polars as pl

    size = (pl.col("serial_last") - pl.col("serial_first") + 1).alias("size")
    moved = log.pieces.group_by(id="transfer_id").agg(numbers=size.sum(), wrong=(size < 1).any())
    shown = ("id", "transaction_id", "source_id", "instrument_id", "quantity", "unit_serialised")
    legs = log.legs.filter(pl.col("phase") != "void").select(shown)
    legs = legs.join(moved, on="id", how="full", coalesce=True)
    expected = pl.when(pl.col("unit_serialised").fill_null(False)).then("quantity").otherwise(0)
    apart = legs.filter((pl.col("numbers").fill_null(0) != expected) | pl.col("wrong").fill_null(False)).sort("id")
    keys = ["account_id", "instrument_id"]
    kept = pl.when(pl.col("reserve_id").is_not_null()).then(size).otherwise(0).alias("kept")
    blocks = log.blocks.with_columns(size, kept).group_by(keys).agg(pl.col("size", "kept").sum())
    units = log.instruments.filter(pl.col("serialised")).select(instrument_id="id")
    types = log.accounts.filter(pl.col("type") != "issuance").select(account_id="id")
    held = log.holdings.join(units, on="instrument_id", how="semi").join(types, on="account_id", how="semi")
    both = held.join(blocks.join(types, on="account_id", how="semi"), on=keys, how="full", coalesce=True).sort(keys)
    both = both.with_columns(pl.col("quantity", "reserved", "size", "kept").fill_null(0))
    unequal = both.filter((pl.col("quantity") != pl.col("size")) | (pl.col("reserved") != pl.col("kept")))
    return together(
        [
            found_in(
                apart,
                "registry_transfer",
                found=pl.format("{} serial numbers", pl.col("numbers").fill_null(0)),
                expected=pl.format("{} of them", expected.fill_null(0)),
                account="source_id",
                instrument="instrument_id",
            ),
            found_in(
                unequal,
                "registry_block",
                found=pl.format("blocks of {} units, {} reserved", "size", "kept"),
                expected=pl.format("{} held, {} reserved", "quantity", "reserved"),
                id=None,
                transaction=None,
                account="account_id",
                instrument="instrument_id",
            ),
        ]
    )


def find_overlaps(log: Log) -> "pl.DataFrame":
    """C27: no number is issued twice or in two blocks, parts lie within their parent, and the blocks of now are those
    that the log leaves.
    """
    import polars as pl

    issued = _made(log).filter(pl.col("issued")).rename({"first": "serial_first", "last": "serial_last"})
    twice = _overlapping(issued.with_columns(id=pl.col("piece"))).join(
        log.legs.select("transaction_id", leg="id"), on="leg", how="left"
    )
    outside = log.pieces.filter(
        (pl.col("serial_first") < pl.col("parent_first")) | (pl.col("serial_last") > pl.col("parent_last"))
    )
    number = pl.format("{}-{}", "serial_first", "serial_last")
    unit = {"instrument": "instrument_id"}
    lost = {"transaction": None, "id": None, "account": "account_id", **unit}
    return together(
        [
            found_in(
                twice, "registry_piece", found=pl.format("{} issued again", number), expected="new numbers", **unit
            ),
            found_in(
                outside, "registry_piece", found=number, expected="numbers of the parent", transaction=None, **unit
            ),
            found_in(
                _overlapping(log.blocks),
                "registry_block",
                found=pl.format("{} overlaps", number),
                expected="none",
                **lost,
            ),
            *_blocks_and_log(log),
            _next_serials(log),
        ]
    )


def replayed_blocks(log: Log) -> "pl.DataFrame":
    """The blocks that the log leaves: instrument_id, serial_first, serial_last, account_id, reserve_id."""
    import polars as pl

    history = _history(log)
    last = history.unique(_BLOCK, keep="last", maintain_order=True).filter(~pl.col("uses"))
    ended = pl.col("ended_by").is_not_null()
    reserve = pl.when(~ended).then("reserve_id")
    rows = last.select("instrument_id", "account_id", serial_first="first", serial_last="last", reserve_id=reserve)
    return rows.sort("instrument_id", "serial_first")


def _made(log: Log) -> "pl.DataFrame":
    """Every block that was ever made: instrument_id, first, last, account_id, reserve_id, piece, leg, issued."""
    import polars as pl

    pieces = _with_legs(log)
    target = pl.when(pl.col("phase") == "reserve").then("source_id").otherwise("target_id")
    reserve = pl.when(pl.col("phase") == "reserve").then(pl.col("leg"))
    common = ["instrument_id", "piece", "leg"]
    itself = pieces.select(
        *common,
        first="serial_first",
        last="serial_last",
        account_id=target,
        reserve_id=reserve,
        issued="issued",
    )
    cut = pieces.filter(~pl.col("issued"))
    free, no = pl.lit(None, pl.Int64), pl.lit(False)
    left = cut.filter(pl.col("parent_first") < pl.col("serial_first")).select(
        *common,
        first="parent_first",
        last=pl.col("serial_first") - 1,
        account_id="source_id",
        reserve_id=free,
        issued=no,
    )
    right = cut.filter(pl.col("serial_last") < pl.col("parent_last")).select(
        *common,
        first=pl.col("serial_last") + 1,
        last="parent_last",
        account_id="source_id",
        reserve_id=free,
        issued=no,
    )
    return pl.concat([itself, left, right])


def _with_legs(log: Log) -> "pl.DataFrame":
    """Pieces with their leg; issued : new numbers, which come out of no block."""
    import polars as pl

    names = ("transaction_id", "kind", "phase", "source_id", "target_id", "reserve_id", "source_type")
    legs = log.legs.select(transfer_id="id", **{name: pl.col(name) for name in names})
    pieces = log.pieces.join(legs, on="transfer_id", how="inner", maintain_order="left")
    issued = (pl.col("kind") != "reverse") & (pl.col("source_type") == "issuance")
    return pieces.rename({"id": "piece", "transfer_id": "leg"}).with_columns(issued=issued.fill_null(False))


def _history(log: Log) -> "pl.DataFrame":
    """What happened to each block in turn: made (uses false) or used up (uses true), with the event before it.

    before_* : the event before on the same block; ended_by : the leg that ended the reservation that a made block had
    """
    import polars as pl

    made = _made(log)
    used = _with_legs(log).filter(~pl.col("issued"))
    parent = {"first": "parent_first", "last": "parent_last"}
    shown = ["serial_first", "serial_last", "source_id", "transaction_id"]
    used = used.select("instrument_id", "piece", "leg", *shown, reserve_id="reserve_id", uses=pl.lit(True), **parent)
    made = made.drop("issued").with_columns(uses=pl.lit(False))
    ends = log.legs.filter(pl.col("reserve_id").is_not_null()).select("reserve_id", ended_by="id")
    made = made.join(ends.unique("reserve_id", keep="first"), on="reserve_id", how="left")
    events = pl.concat([made, used], how="diagonal")
    # A piece that is its whole parent uses the block up and makes it again: in this order.
    events = events.sort(*_BLOCK, "piece", pl.col("uses").not_(), maintain_order=True)
    return events.with_columns(
        pl.col(name).shift(1).over(_BLOCK).alias(f"before_{name}")
        for name in ("uses", "account_id", "reserve_id", "ended_by")
    )


def _fault() -> "pl.Expr":
    """Why a piece could not take its numbers from the block that it names as parent; null where it could."""
    import polars as pl

    ended = (pl.col("before_ended_by") < pl.col("leg")).fill_null(False)
    state = pl.when(~ended).then("before_reserve_id")
    return (
        pl.when(pl.col("before_uses").is_null())
        .then(pl.lit("which was never made"))
        .when(pl.col("before_uses"))
        .then(pl.lit("which was used up before"))
        .when(pl.col("before_account_id") != pl.col("source_id"))
        .then(pl.lit("which another account held"))
        .when(state.ne_missing(pl.col("reserve_id")))
        .then(pl.lit("which was reserved otherwise"))
    )


def _overlapping(blocks: "pl.DataFrame") -> "pl.DataFrame":
    """Rows whose numbers begin before an earlier row of the same unit has ended."""
    import polars as pl

    rows = blocks.sort("instrument_id", "serial_first", "serial_last")
    reach = pl.col("serial_last").cum_max().shift(1).over("instrument_id")
    return rows.filter((pl.col("serial_first") <= reach).fill_null(False))


def _blocks_and_log(log: Log) -> "list[pl.DataFrame]":
    import polars as pl

    keys = ["instrument_id", "serial_first", "serial_last", "account_id", "reserve_id"]
    now, then = log.blocks.select(keys), replayed_blocks(log)
    number = pl.format("{}-{} of account {}", "serial_first", "serial_last", "account_id")
    sides = {"id": None, "transaction": None, "account": "account_id", "instrument": "instrument_id"}
    extra = now.join(then, on=keys, how="anti", nulls_equal=True).sort("instrument_id", "serial_first")
    gone = then.join(now, on=keys, how="anti", nulls_equal=True)
    return [
        found_in(extra, "registry_block", found=number, expected="no such block, as the log says", **sides),
        found_in(
            gone,
            "registry_block",
            found=pl.lit("no such block"),
            expected=pl.format("{}, as the log says", number),
            **sides,
        ),
    ]


def _next_serials(log: Log) -> "pl.DataFrame":
    """Units whose next number is not the one after the highest that was issued."""
    import polars as pl

    highest = _made(log).filter(pl.col("issued")).group_by(id="instrument_id").agg(highest=pl.col("last").max())
    units = log.instruments.join(highest, on="id", how="left").sort("id")
    expected = pl.col("highest").fill_null(0) + 1
    wrong = units.filter(pl.col("next_serial").ne_missing(expected))
    found = pl.format("next number {}", pl.col("next_serial").fill_null(0))
    return found_in(
        wrong, "registry_instrument", found=found, expected=pl.format("{}", expected), transaction=None, instrument="id"
    )
