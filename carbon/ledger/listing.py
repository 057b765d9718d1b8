"""Reading the ledger's tables page by page: filters, order and cursors that are safe to take from anybody.

Knows how a question in words (names and texts) becomes one bound query over a `Listing`, and how a page names the next
one. Must not know which tables there are (`listings`), nor who asks. Pages are found by key, not by counting: rows that
are added meanwhile neither repeat nor hide a row, and the last page costs as much as the first.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from operator import gt, lt
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, FromClause, and_, literal, or_, select, tuple_

from carbon.errors import CarbonError
from carbon.ledger.orders import us_from_time

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MOST_ROWS", "BadCursor", "BadFilter", "Column", "Kind", "Listing", "Page", "filter_names", "list_page"]

Kind = Literal["text", "whole", "time", "flag"]
MOST_ROWS: Final = 1000
_MOST_VALUES: Final = 100
_LONGEST_TEXT: Final = 512
_LIMIT_64: Final = 2**63
_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FLAGS: Final = {"true": True, "false": False}
_ENDINGS: Final = ("_in", "_from", "_to", "_null")


class BadFilter(CarbonError):
    """A filter, an order or a limit that this listing does not have, or whose value cannot be understood."""


class BadCursor(CarbonError):
    """A cursor that was not given out for this listing with these filters and this order."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a listing.

    value : the SQL of it; times are integers, microseconds since 1970 UTC
    sort : rows may be put in its order; nullable : it may be missing; shown : it is in the rows, not a filter alone
    private : only for those who may see persons' names
    via : columns holding ids of rows of `of`, whose codes the filter compares, each of them may match; found by index
    """

    name: str
    kind: Kind
    value: ColumnElement[Any]
    sort: bool = False
    nullable: bool = False
    shown: bool = True
    private: bool = False
    via: tuple[ColumnElement[Any], ...] = ()
    of: FromClause | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One list that can be read: where its rows come from, its columns, and the key that numbers the rows.

    key : columns that are never null and together unique; rows come in their order unless another is asked for
    private : the whole list is only for those who may see persons' names
    """

    name: str
    source: FromClause
    columns: tuple[Column, ...]
    key: tuple[ColumnElement[Any], ...]
    private: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a listing, and the cursor of the rows that follow them; null at the end."""

    rows: "pl.DataFrame"
    next: str | None


def filter_names(listing: Listing, *, private: bool = False) -> dict[str, Column]:
    """Every filter of a listing and the column that it looks at: the column's name alone (equal), with `_in` (one of
    several), `_from` and `_to` (numbers and times, both ends included) and `_null` (is it missing).
    """
    found: dict[str, Column] = {}
    for column in _columns(listing, private):
        endings = ["", *(["_in"] if column.kind != "flag" else [])]
        endings += ["_from", "_to"] if column.kind in ("whole", "time") else []
        endings += ["_null"] if column.nullable else []
        found |= {f"{column.name}{ending}": column for ending in endings}
    return found


def list_page(
    connection: Connection,
    listing: Listing,
    *,
    filters: Mapping[str, object] | None = None,
    sort: str | None = None,
    after: str | None = None,
    limit: int = 100,
    private: bool = False,
) -> Page:
    """One page of a listing: all rows that meet every filter, in the order asked for, from the cursor on.

    filters : by names of `filter_names`; values as text ("2024", "A,B" for `_in`, "2026-01-31T09:30:00Z" or a day for
    times, "true") or as Python values. A day after `_to` means the whole of it.
    sort : name of a column, with "-" before it for descending; missing values come last either way
    after : the `next` of the page before, with the same filters and order; limit : rows at most, 1 to 1,000
    Result : text String, whole Int64, time Datetime(us, UTC), flag Boolean. Raises BadFilter, BadCursor.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_ROWS:
        raise BadFilter(f"found the limit {limit!r}, expected a whole number from 1 to {MOST_ROWS}")
    asked = dict(filters or {})
    conditions = _conditions(listing, asked, private)
    by, down = _order(listing, sort, private)
    seal = _question(listing, asked, sort)
    if after is not None:
        conditions.append(_beyond(listing, by, down, _read_cursor(listing, by, after, seal)))
    shown = [column for column in _columns(listing, private) if column.shown]
    places = ([] if by is None else [by.value]) + list(listing.key)
    query = (
        select(
            *(column.value.label(column.name) for column in shown),
            *(place.label(f"place_{number}") for number, place in enumerate(places)),
        )
        .select_from(listing.source)
        .where(*conditions)
        .order_by(*_ordering(listing, by, down))
        .limit(limit + 1)
    )
    rows = connection.execute(query).all()
    cursor = _cursor(list(rows[limit - 1][len(shown) :]), seal) if len(rows) > limit else None
    return Page(_frame(shown, rows[:limit]), cursor)


def _columns(listing: Listing, private: bool) -> list[Column]:
    return [column for column in listing.columns if private or not column.private]


def _conditions(listing: Listing, filters: Mapping[str, object], private: bool) -> list[ColumnElement[bool]]:
    known = filter_names(listing, private=private)
    unknown = [name for name in filters if name not in known]
    if unknown:
        raise BadFilter(f"found the filter {', '.join(unknown)}; {listing.name} has {', '.join(known)}")
    return [_condition(name, known[name], value) for name, value in filters.items()]


def _condition(name: str, column: Column, value: object) -> ColumnElement[bool]:
    ending = name.removeprefix(column.name)
    if ending == "_null":
        missing = column.value.is_(None)
        return missing if _flag(name, value) else ~missing
    if ending == "_in":
        several = value.split(",") if isinstance(value, str) else value
        if not isinstance(several, Sequence) or not 1 <= len(several) <= _MOST_VALUES:
            raise _not_understood(name, value, f"1 to {_MOST_VALUES} values with commas between them")
        return _equal(column, [_value(name, column.kind, one) for one in several])
    if ending == "":
        return _equal(column, [_value(name, column.kind, value)])
    last_of_day = ending == "_to" and column.kind == "time"
    bound = _time(name, value, last_of_day) if column.kind == "time" else _value(name, column.kind, value)
    return column.value >= bound if ending == "_from" else column.value <= bound


def _equal(column: Column, values: list[Any]) -> ColumnElement[bool]:
    if column.of is None:
        return column.value.in_(values) if len(values) > 1 else column.value == values[0]
    codes = column.of.c.code
    wanted = select(column.of.c.id).where(codes.in_(values) if len(values) > 1 else codes == values[0])
    return or_(*(ids.in_(wanted) for ids in column.via))


def _value(name: str, kind: Kind, value: object) -> Any:
    if kind == "flag":
        return _flag(name, value)
    if kind == "time":
        return _time(name, value, False)
    return _whole(name, value) if kind == "whole" else _text(name, value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not _is_plain(value):
        raise _not_understood(name, value, f"at most {_LONGEST_TEXT} printable characters")
    return value


def _is_plain(value: str) -> bool:
    """No character that a database cannot take: NUL, or half of a surrogate pair."""
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _whole(name: str, value: object) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -_LIMIT_64 <= value < _LIMIT_64:
        raise _not_understood(name, value, "a whole number")
    return value


def _flag(name: str, value: object) -> bool:
    found = _FLAGS.get(value) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise _not_understood(name, value, "true or false")
    return found


def _time(name: str, value: object, last_of_day: bool) -> int:
    wanted = "a time with its zone such as 2026-01-31T09:30:00Z, or a day such as 2026-01-31"
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            value = date.fromisoformat(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            start = us_from_time(datetime(value.year, value.month, value.day, tzinfo=UTC))
            return start + (timedelta(days=1) // timedelta(microseconds=1) - 1 if last_of_day else 0)
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(found, datetime):
            return us_from_time(found)
    except (ValueError, CarbonError):
        pass
    raise _not_understood(name, value, wanted)


def _not_understood(name: str, value: object, expected: str) -> BadFilter:
    return BadFilter(f"found {name} = {str(value)[:80]!r}, expected {expected}")


def _order(listing: Listing, sort: str | None, private: bool) -> tuple[Column | None, bool]:
    """The column to sort by, null for the key alone, and whether downwards."""
    if sort is None:
        return None, False
    known = {column.name: column for column in _columns(listing, private) if column.sort}
    wanted = sort.removeprefix("-")
    if wanted not in known:
        raise BadFilter(
            f"found the order {sort[:80]!r}; {listing.name} sorts by {', '.join(known)}, or -{next(iter(known))}"
        )
    return known[wanted], sort.startswith("-")


def _ordering(listing: Listing, by: Column | None, down: bool) -> list[ColumnElement[Any]]:
    places = ([] if by is None else [by.value]) + list(listing.key)
    directed: list[ColumnElement[Any]] = [place.desc() if down else place.asc() for place in places]
    return [by.value.is_(None), *directed] if by is not None and by.nullable else directed


def _beyond(listing: Listing, by: Column | None, down: bool, values: list[Any]) -> ColumnElement[bool]:
    """Rows that come after the place with these values."""
    keys = list(listing.key)
    if by is None:
        return _later(keys, values, down)
    if values[0] is None:
        return and_(by.value.is_(None), _later(keys, values[1:], down))
    later = _later([by.value, *keys], values, down)
    return or_(later, by.value.is_(None)) if by.nullable else later


def _later(places: list[ColumnElement[Any]], values: list[Any], down: bool) -> ColumnElement[bool]:
    compare = lt if down else gt
    if len(places) == 1:
        one: ColumnElement[bool] = compare(places[0], values[0])
        return one
    row: ColumnElement[bool] = compare(tuple_(*places), tuple_(*(literal(value) for value in values)))
    return row


def _question(listing: Listing, filters: Mapping[str, object], sort: str | None) -> str:
    asked = sorted((name, str(value)) for name, value in filters.items())
    return json.dumps([listing.name, asked, sort])


def _check(values: list[Any], question: str) -> str:
    return sha256(json.dumps([question, values]).encode()).hexdigest()[:16]


def _cursor(values: list[Any], question: str) -> str:
    """The place of a row, so that only the same question can go on from it."""
    text = json.dumps([*values, _check(values, question)], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(listing: Listing, by: Column | None, cursor: str, question: str) -> list[Any]:
    places = ([] if by is None else [by.value]) + list(listing.key)
    refusal = BadCursor(
        f"found the cursor {cursor[:80]!r}, expected one that {listing.name} gave with the same filters and order"
    )
    try:
        found = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        raise refusal from None
    if not isinstance(found, list) or len(found) != len(places) + 1:
        raise refusal
    values, check = found[:-1], found[-1]
    if check != _check(values, question) or not all(
        _fits(place, value, nullable=by is not None and by.nullable and number == 0)
        for number, (place, value) in enumerate(zip(places, values, strict=True))
    ):
        raise refusal
    return values


def _fits(place: ColumnElement[Any], value: Any, *, nullable: bool) -> bool:
    """Whether a cursor's value is one that this column can hold."""
    if value is None:
        return nullable
    if place.type.python_type is int:
        return isinstance(value, int) and not isinstance(value, bool) and -_LIMIT_64 <= value < _LIMIT_64
    return isinstance(value, place.type.python_type) and (not isinstance(value, str) or _is_plain(value))


def _frame(columns: list[Column], rows: Sequence[Any]) -> "pl.DataFrame":
    import polars as pl

    kinds: dict[Kind, Any] = {
        "text": pl.String(),
        "whole": pl.Int64(),
        "time": pl.Datetime("us", "UTC"),
        "flag": pl.Boolean(),
    }
    series = []
    for number, column in enumerate(columns):
        values = [row[number] for row in rows]
        if column.kind == "time":
            series.append(pl.Series(column.name, values, pl.Int64).cast(kinds["time"]))
        elif column.kind == "flag":
            series.append(
                pl.Series(column.name, [None if value is None else bool(value) for value in values], pl.Boolean)
            )
        else:
            series.append(pl.Series(column.name, values, kinds[column.kind]))
    return pl.DataFrame(series)
