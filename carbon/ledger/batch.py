"""A batch of movements and what the ledger knows about it: codes looked up, and what is held of what it touches.

Knows how frames of movements are read and their codes found. Must not know rules (`batch_rules`) or write anything.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

from carbon.ledger.columns import Column, read_columns
from carbon.ledger.orders import BadOrder
from carbon.ledger.overdraft import UNLIMITED, Ints

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LARGEST_QUANTITY", "Batch", "Book", "Keys", "check_frame", "keys_of", "read_book", "resolve"]

Mask = npt.NDArray[np.bool_]

_NEEDED: Final = ("kind", "source", "target", "instrument", "quantity", "at_us")
LARGEST_QUANTITY: Final = 2**53
_FEW: Final = 500


@dataclass(frozen=True, eq=False)
class Book:
    """What the ledger knows that a batch is checked against: frames in the order of their ids, and the rules' tables.

    accounts : id, code, scheme, type, status; instruments : id, code, scheme, kind, serialised, only_kinds
    open_schemes, acceptances (scheme, unit_scheme), allowed (kind, source, target, unit kind) with from_blocked
    """

    accounts: "pl.DataFrame"
    instruments: "pl.DataFrame"
    open_schemes: frozenset[str]
    acceptances: frozenset[tuple[str, str]]
    allowed: dict[tuple[str, str, str, str], bool]


@dataclass(frozen=True, eq=False)
class Batch:
    """Movements in the order in which they are booked, with the positions of their codes in the book, -1 unknown.

    rows : the movements as given, and row; source, target : positions in book.accounts; instrument : in
    book.instruments; kind : in kinds; quantity : 0 where it is no number from 1 to 2^53
    """

    rows: "pl.DataFrame"
    kinds: tuple[str, ...]
    kind: Ints
    source: Ints
    target: Ints
    instrument: Ints
    quantity: Ints

    def keep(self, mask: Mask) -> "Batch":
        """The movements where the mask is true."""
        import polars as pl

        parts = (self.kind, self.source, self.target, self.instrument, self.quantity)
        return Batch(self.rows.filter(pl.Series(mask)), self.kinds, *(part[mask] for part in parts))


@dataclass(frozen=True, eq=False)
class Keys:
    """The pairs of account and instrument that a batch touches: positions in the book, and each movement's two keys.

    held : what is there now; free : what may leave, that is without what is reserved, UNLIMITED where units come from
    """

    account: Ints
    instrument: Ints
    held: Ints
    free: Ints
    source_key: Ints
    target_key: Ints


def check_frame(movements: "pl.DataFrame") -> "pl.DataFrame":
    """The movements in the order they are booked in: by time, and as given within one moment; with row.

    Raises BadOrder where a needed column is missing or of another type.
    """
    import polars as pl

    optional = {"compliance_year": pl.Int64, "reference": pl.String, "row": pl.Int64}
    wanted = {**dict.fromkeys(_NEEDED[:4], pl.String), "quantity": pl.Int64, "at_us": pl.Int64}
    wrong = [
        f"{name} {movements.schema.get(name, 'missing')}"
        for name, type in wanted.items()
        if not _fits(movements.schema.get(name), type)
    ]
    wrong += [
        f"{name} {movements.schema[name]}"
        for name, type in optional.items()
        if name in movements.columns and not _fits(movements.schema[name], type)
    ]
    if wrong:
        raise BadOrder(
            f"found movements with {', '.join(wrong)}; expected kind, source, target, instrument and reference as text,"
            " quantity, at_us, compliance_year and row as whole numbers"
        )
    added = [
        pl.lit(None, dtype=type).alias(name)
        for name, type in list(optional.items())[:2]
        if name not in movements.columns
    ]
    typed = [
        pl.col(name).cast(type, strict=False)
        for name, type in {**wanted, **optional}.items()
        if name in movements.columns
    ]
    frame = movements.with_columns(*typed, *added)
    if "row" not in frame.columns:
        frame = frame.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row"))
    return frame if frame["at_us"].is_sorted() else frame.sort("at_us", maintain_order=True, nulls_last=True)


def _fits(found: "pl.DataType | None", wanted: "type[pl.DataType]") -> bool:
    import polars as pl

    if found is None:
        return False
    return found == pl.Null or (found == pl.String if wanted is pl.String else found.is_integer())


def read_book(connection: Connection, frame: "pl.DataFrame", more_accounts: tuple[str, ...] = ()) -> Book:
    """What the batch is checked against: only its own accounts where they are few."""
    import polars as pl

    codes = (
        pl.concat([frame["source"], frame["target"], pl.Series(more_accounts, dtype=pl.String)]).unique().drop_nulls()
    )
    few = codes.len() <= _FEW
    accounts = read_columns(
        connection,
        [Column("id", "a.id"), *(Column(name, f"a.{name}", "text") for name in ("code", "scheme", "type", "status"))],
        "registry_account a",
        key=["id"],
        where=["a.code IN :codes"] if few else (),
        values={"codes": codes.to_list() or [""]} if few else None,
    )
    text_columns = [Column(name, f"i.{name}", "text") for name in ("code", "scheme", "kind")]
    instruments = read_columns(
        connection,
        [
            Column("id", "i.id"),
            *text_columns,
            Column("serialised", "i.serialised", "flag"),
            Column("only_kinds", "i.only_kinds", "text", nullable=True),
        ],
        "registry_instrument i",
        key=["id"],
    )
    schemes = connection.execute(text("SELECT scheme FROM registry_scheme WHERE state = 'open'")).scalars()
    pairs = connection.execute(text("SELECT scheme, unit_scheme FROM registry_acceptance")).all()
    rules = connection.execute(
        text("SELECT kind, source_type, target_type, unit_kind, from_blocked FROM registry_movement")
    ).all()
    allowed = {(kind, source, target, unit): bool(blocked) for kind, source, target, unit, blocked in rules}
    return Book(accounts, instruments, frozenset(schemes), frozenset((a, b) for a, b in pairs), allowed)


def resolve(frame: "pl.DataFrame", book: Book) -> Batch:
    """The batch of a checked frame, its codes looked up in the book."""
    import polars as pl

    kinds = tuple(sorted({kind for kind, *_ in book.allowed}))
    quantity = pl.when(pl.col("quantity").is_between(1, LARGEST_QUANTITY)).then("quantity").otherwise(0)
    return Batch(
        frame,
        kinds,
        _positions(frame["kind"], pl.Series(kinds, dtype=pl.String)),
        _positions(frame["source"], book.accounts["code"]),
        _positions(frame["target"], book.accounts["code"]),
        _positions(frame["instrument"], book.instruments["code"]),
        frame.select(quantity.fill_null(0).cast(pl.Int64)).to_series().to_numpy().astype(np.int64),
    )


def _positions(codes: "pl.Series", known: "pl.Series") -> Ints:
    """Where each code stands among the known ones, -1 for unknown and null."""
    import polars as pl

    places = pl.DataFrame({"code": known, "place": np.arange(known.len())})
    found = codes.cast(pl.String).alias("code").to_frame().join(places, on="code", how="left", maintain_order="left")
    return found["place"].fill_null(-1).to_numpy().astype(np.int64)


def keys_of(connection: Connection, batch: Batch, book: Book) -> Keys:
    """The pairs of account and instrument that the batch touches, with what the ledger holds of each."""
    units = max(book.instruments.height, 1)
    source, target = batch.source * units + batch.instrument, batch.target * units + batch.instrument
    packed, source_key, target_key = _dense(source, target, book.accounts.height * units)
    account, instrument = packed // units, packed % units
    ids = book.accounts["id"].to_numpy()
    held, reserved = _read_holdings(connection, ids[np.unique(account)], ids, book, packed, units)
    contra = (book.accounts["type"] == "issuance").to_numpy()[account]
    free = np.where(contra, UNLIMITED, held - reserved)
    return Keys(account, instrument, held, free, source_key, target_key)


def _dense(source: Ints, target: Ints, size: int) -> tuple[Ints, Ints, Ints]:
    """The different values of both, ascending, and where each stands among them."""
    if size <= max(1 << 22, 8 * source.size):
        seen = np.zeros(size, np.bool_)
        seen[source] = seen[target] = True
        place = np.cumsum(seen) - 1
        return np.flatnonzero(seen), place[source], place[target]
    values, places = np.unique(np.concatenate((source, target)), return_inverse=True)
    return values, places[: source.size], places[source.size :]


def _read_holdings(
    connection: Connection, account_ids: Ints, ids: Ints, book: Book, packed: Ints, units: int
) -> tuple[Ints, Ints]:
    few = account_ids.size <= _FEW
    rows = read_columns(
        connection,
        [Column(name, f"h.{name}") for name in ("account_id", "instrument_id", "quantity", "reserved")],
        "registry_holding h",
        key=["account_id", "instrument_id"],
        where=["h.account_id IN :accounts"] if few else (),
        values={"accounts": account_ids.tolist() or [0]} if few else None,
    )
    held, reserved = np.zeros(packed.size, np.int64), np.zeros(packed.size, np.int64)
    if rows.is_empty() or not packed.size:
        return held, reserved
    place = np.searchsorted(ids, rows["account_id"].to_numpy()) * units + np.searchsorted(
        book.instruments["id"].to_numpy(), rows["instrument_id"].to_numpy()
    )
    at = np.minimum(np.searchsorted(packed, place), packed.size - 1)
    ours = packed[at] == place
    held[at[ours]] = rows["quantity"].to_numpy()[ours]
    reserved[at[ours]] = rows["reserved"].to_numpy()[ours]
    return held, reserved
