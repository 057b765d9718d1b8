"""The rules of single movements, the same as the guards', as masks over a whole batch.

Knows what a movement must be and which two accounts, unit and kind go together. Must not know balances (`overdraft`)
nor a database: it is given what the ledger knows.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from carbon.ledger.batch import LARGEST_QUANTITY, Batch, Book

if TYPE_CHECKING:
    import polars as pl

__all__ = ["BrokenRule", "find_broken_rules"]

Mask = npt.NDArray[np.bool_]

_YEARS: Final = range(1990, 2101)
_TIMES_US: Final = range(-62_135_596_800_000_000, 253_402_300_800_000_000)  # the years 1 to 9999


class BrokenRule(NamedTuple):
    """A check's code, the column it looks at (null for the whole row), what it expects, and where it is broken."""

    code: str
    column: str | None
    expected: str
    rows: Mask


def find_broken_rules(batch: Batch, book: Book) -> list[BrokenRule]:
    """Every rule of single movements that any row of the batch breaks, with the rows that do."""
    known = (batch.source >= 0) & (batch.target >= 0) & (batch.instrument >= 0) & (batch.kind >= 0)
    rules = _single_rules(batch, book)
    if known.any():
        rules += [rule._replace(rows=rule.rows & known) for rule in _pair_rules(batch, book, known)]
    return [rule for rule in rules if rule.rows.any()]


def _single_rules(batch: Batch, book: Book) -> list[BrokenRule]:
    """What can be said of one cell."""
    same = (batch.source == batch.target) & (batch.source >= 0)
    serialised = np.append(book.instruments["serialised"].to_numpy(), False)[batch.instrument]
    unnumbered = "an instrument without serial numbers; numbered units enter by issue and transfer"
    times, years = batch.rows["at_us"], batch.rows["compliance_year"]
    return [
        BrokenRule("C42", "kind", "a kind of movement that the ledger allows", batch.kind < 0),
        BrokenRule("C03", "source", "the code of an account", batch.source < 0),
        BrokenRule("C02", "target", "the code of an account", batch.target < 0),
        BrokenRule("C42", "instrument", "the code of an instrument", batch.instrument < 0),
        BrokenRule("C16", "quantity", f"a whole number from 1 to {LARGEST_QUANTITY}", batch.quantity == 0),
        BrokenRule("C44", "at_us", "microseconds since 1970 within the years 1 to 9999", ~_within(times, _TIMES_US)),
        BrokenRule(
            "C15",
            "compliance_year",
            "a year from 1990 to 2100 or none",
            ~_within(years, _YEARS) & years.is_not_null().to_numpy(),
        ),
        BrokenRule("C42", "reference", "text without NUL", _has_nul(batch.rows["reference"])),
        BrokenRule("C17", "target", "another account than the source", same),
        BrokenRule("C08", "instrument", unnumbered, serialised),
    ]


def _pair_rules(batch: Batch, book: Book, known: Mask) -> list[BrokenRule]:
    """What can be said of two accounts, a unit and a kind that are all known; elsewhere the masks mean nothing."""
    accounts, units = book.accounts, book.instruments
    source, target, unit = batch.source, batch.target, batch.instrument
    status = accounts["status"].to_numpy()
    closed, blocked = status == "closed", status == "blocked"
    schemes, scheme_of = _numbered(accounts["scheme"])
    is_open = np.array([name in book.open_schemes for name in schemes])
    across = scheme_of[source] != scheme_of[target]
    external = batch.kind == (batch.kinds.index("external") if "external" in batch.kinds else -2)
    accepts = _table([[(own, of) in book.acceptances for of in units["scheme"]] for own in schemes])
    barred = _table(
        [[only is not None and f";{kind};" not in only for kind in batch.kinds] for only in units["only_kinds"]]
    )
    allowed, from_blocked = _movement_rules(batch, book, known)
    return [
        BrokenRule("C23", None, "two accounts that are not closed", closed[source] | closed[target]),
        BrokenRule("C01", None, "two open schemes", ~(is_open[scheme_of[source]] & is_open[scheme_of[target]])),
        BrokenRule("C04", None, "two accounts of one scheme", across & ~external),
        BrokenRule("C05", None, "accounts of two schemes", ~across & external),
        BrokenRule(
            "C04",
            "instrument",
            "a unit that both accounts' schemes accept",
            ~(accepts[scheme_of[source], unit] & accepts[scheme_of[target], unit]),
        ),
        BrokenRule("C06", "kind", "a kind of movement that this restricted unit may take", barred[unit, batch.kind]),
        BrokenRule("C29", "kind", "a kind of movement allowed between these types of accounts", ~allowed),
        BrokenRule("C07", "source", "an account that is not blocked", blocked[source] & allowed & ~from_blocked),
    ]


def _movement_rules(batch: Batch, book: Book, known: Mask) -> tuple[Mask, Mask]:
    """Whether each kind is allowed between the two types of accounts for that unit, and from a blocked one."""
    types, type_of = _numbered(book.accounts["type"])
    unit_kinds, unit_kind_of = _numbered(book.instruments["kind"])
    shape = (len(batch.kinds), len(types), len(types), len(unit_kinds))
    cells = [
        (kind, source, target, unit)
        for kind in batch.kinds
        for source in types
        for target in types
        for unit in unit_kinds
    ]
    allowed, from_blocked = (
        _table([cell in book.allowed for cell in cells]),
        _table([book.allowed.get(cell, False) for cell in cells]),
    )
    parts = (batch.kind, type_of[batch.source], type_of[batch.target], unit_kind_of[batch.instrument])
    cell = np.ravel_multi_index([np.where(known, part, 0) for part in parts], shape)
    return allowed[cell], from_blocked[cell]


def _numbered(texts: "pl.Series") -> tuple[list[str], npt.NDArray[np.intp]]:
    """The different texts in order, and where each one stands among them."""
    names = sorted(set(texts.to_list()))
    return names, np.searchsorted(np.array(names, dtype=np.str_), texts.to_numpy().astype(np.str_))


def _table(truths: list[bool] | list[list[bool]]) -> Mask:
    return np.array(truths, dtype=np.bool_)


def _within(numbers: "pl.Series", limits: range) -> Mask:
    """Whether each is a number within the limits; null is none."""
    return numbers.is_between(limits[0], limits[-1]).fill_null(False).to_numpy().astype(np.bool_)


def _has_nul(texts: "pl.Series") -> Mask:
    return texts.str.contains("\0", literal=True).fill_null(False).to_numpy().astype(np.bool_)
