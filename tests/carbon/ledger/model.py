"""A plain-Python model of the ledger: dicts and tuples, simple enough to be obviously right.

Says of every leg whether it is booked and, if not, which check refuses it. It shares no code with the ledger beyond
the table of allowed movements and who accepts whose units, which are rule data. An act that is refused half way is
undone by going back to a copy; nothing here is fast.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, replace

LARGEST = 2**53
HELD = ("operator", "trading")
TYPES = (*HELD, "issuance", "government", "surrender", "cancellation", "carried_over", "external", "foreign")


class Malformed(Exception):
    """The act is not even recorded."""


class Clash(Exception):
    """The id was used for another act."""


class Refused(Exception):
    """The act is recorded as failed with a code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Outcome:
    status: str
    code: str | None = None
    replayed: bool = False


@dataclass(frozen=True)
class Account:
    scheme: str
    type: str
    entity: str | None
    status: str = "open"
    primary: str | None = None
    secondary: str | None = None
    first_year: int | None = None
    last_year: int | None = None

    def serves(self, year: int) -> bool:
        return (self.first_year or year) <= year <= (self.last_year or year)


@dataclass(frozen=True)
class Unit:
    scheme: str
    kind: str
    serialised: bool
    only_kinds: tuple[str, ...] = ()
    vintage: int | None = None
    stem: str | None = None


@dataclass(frozen=True)
class Block:
    first: int
    last: int
    account: str
    reserve: int | None = None


@dataclass(frozen=True)
class Leg:
    """One leg; reserve and reverses are places in the list of legs, pieces are (first, last) of its numbers."""

    kind: str
    source: str
    target: str
    unit: str
    quantity: int
    phase: str = "posted"
    first_serial: int | None = None
    year: int | None = None
    expires: int | None = None
    reserve: int | None = None
    reverses: int | None = None
    pieces: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Act:
    """What became of an id: the body it came with, and which legs it booked."""

    kind: str
    body: str
    outcome: Outcome
    legs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Statement:
    """A figure of an account's year, and the act that stated it."""

    account: str
    year: int
    kind: str
    quantity: int
    act: str


Work = Callable[[], None]
Plan = tuple[str, dict[str, object], Work]
Asked = tuple[str, str, str, int, int | None]
"""A linked movement: source, target, unit, quantity, first serial."""


def check_whole(number: object) -> None:
    if type(number) is not int or not 0 < number <= LARGEST:
        raise Malformed


def check_name(client_id: str) -> None:
    if not client_id or len(client_id) > 128 or client_id != client_id.strip() or not client_id.isprintable():
        raise Malformed


class Core:
    def __init__(self, accepts: Iterable[tuple[str, str]], allowed: dict[tuple[str, str, str, str], bool]) -> None:
        self.accepts = set(accepts)
        self.allowed = allowed
        self.schemes: dict[str, str] = {}
        self.entities: dict[str, str | None] = {}
        self.sectors: dict[str, str | None] = {}
        self.accounts: dict[str, Account] = {}
        self.units: dict[str, Unit] = {}
        self.next_serial: dict[str, int] = defaultdict(lambda: 1)
        self.held: dict[tuple[str, str], int] = defaultdict(int)
        self.reserved: dict[tuple[str, str], int] = defaultdict(int)
        self.blocks: dict[str, tuple[Block, ...]] = defaultdict(tuple)
        self.legs: tuple[Leg, ...] = ()
        self.acts: dict[str, Act] = {}
        self.statements: tuple[Statement, ...] = ()
        self.reversed: frozenset[str] = frozenset()

    def copied(self) -> "Core":
        """A copy; every value inside is immutable, so the containers are all that must be copied."""
        other = copy(self)
        for name, value in vars(self).items():
            setattr(other, name, copy(value))
        return other

    def do(self, verb: str, client_id: str, at: int, asked: dict[str, object]) -> Outcome:
        """Do one act; raises Malformed or Clash where it leaves no trace."""
        kind, body, work = getattr(self, verb)(client_id, at, **asked)
        check_name(client_id)
        kept = {name: value for name, value in body.items() if value is not None}
        text = json.dumps([kind, kept], sort_keys=True)
        if client_id in self.acts:
            earlier = self.acts[client_id]
            if earlier.body != text:
                raise Clash
            return replace(earlier.outcome, replayed=True)
        before, outcome = self.copied(), Outcome("done")
        try:
            work()
        except (Refused, Malformed) as refusal:
            self.__dict__.update(vars(before))
            if isinstance(refusal, Malformed):
                raise
            outcome = Outcome("failed", refusal.code)
        self.acts[client_id] = Act(kind, text, outcome, tuple(range(len(before.legs), len(self.legs))))
        return outcome

    def _book(self, at: int, leg: Leg) -> None:
        self._check(at, leg)
        source, target = (leg.source, leg.unit), (leg.target, leg.unit)
        if leg.phase == "reserve":
            self.reserved[source] += leg.quantity
        if leg.phase in ("settle", "void"):
            self.reserved[source] -= self.legs[leg.reserve].quantity
        if leg.phase in ("posted", "settle"):
            self.held[source] -= leg.quantity
            self.held[target] += leg.quantity
        if self.accounts[leg.source].type != "issuance" and self.held[source] < self.reserved[source]:
            raise Refused("C18")
        pieces = self._number(leg) if self.units[leg.unit].serialised and leg.phase != "void" else ()
        if leg.reserve is not None:
            kept = self.blocks[leg.unit]
            self.blocks[leg.unit] = tuple(
                replace(block, reserve=None) if block.reserve == leg.reserve else block for block in kept
            )
        self.legs = (*self.legs, replace(leg, pieces=pieces))

    def stated(self, account: str, year: int, kind: str) -> int | None:
        """The figure of an account's year that counts now."""
        found = [
            one.quantity
            for one in self.statements
            if (one.account, one.year, one.kind) == (account, year, kind) and one.act not in self.reversed
        ]
        return found[-1] if found else None

    def _check(self, at: int, leg: Leg) -> None:
        source, target, unit = (
            self.accounts.get(leg.source),
            self.accounts.get(leg.target),
            self.units.get(leg.unit),
        )
        for thing, code in ((source, "C03"), (target, "C02"), (unit, "C42")):
            if thing is None:
                raise Refused(code)
        if source.status == "closed" or (target.status == "closed" and leg.phase != "void"):
            raise Refused("C23")
        if "closed" in (self.schemes[source.scheme], self.schemes[target.scheme]):
            raise Refused("C01")
        if source.scheme != target.scheme and leg.kind not in ("external", "reverse"):
            raise Refused("C04")
        if source.scheme == target.scheme and leg.kind == "external":
            raise Refused("C05")
        if not {(source.scheme, unit.scheme), (target.scheme, unit.scheme)} <= self.accepts:
            raise Refused("C04")
        if source.type == "issuance" and source.scheme != unit.scheme:
            raise Refused("C04")
        if unit.only_kinds and leg.kind not in (*unit.only_kinds, "reverse"):
            raise Refused("C06")
        for account in (source, target) if leg.year is not None else ():
            if not account.serves(leg.year):
                raise Refused("C15")
        if leg.first_serial is not None and not unit.serialised:
            raise Refused("C08")
        if leg.kind != "reverse":
            from_blocked = self.allowed.get((leg.kind, source.type, target.type, unit.kind))
            if from_blocked is None:
                raise Refused("C29")
            if source.status == "blocked" and not from_blocked and leg.phase != "void":
                raise Refused("C07")
        if leg.phase == "settle":
            reserved = self.legs[leg.reserve]
            if leg.quantity > reserved.quantity or at >= reserved.expires:
                raise Refused("C22")
        kind = leg.kind if leg.reverses is None else self.legs[leg.reverses].kind
        grantee = leg.target if leg.reverses is None else leg.source
        if (
            kind in ("pre_allocate", "allocate")
            and leg.year is not None
            and self.stated(grantee, leg.year, "final_allocation") is not None
        ):
            raise Refused("C34")
        if leg.source == leg.target:
            raise Refused("C17")

    def _number(self, leg: Leg) -> tuple[tuple[int, int], ...]:
        """Move or make the numbers of a leg; what it took, ascending."""
        if leg.kind != "reverse" and self.accounts[leg.source].type == "issuance":
            first = leg.first_serial or self.next_serial[leg.unit]
            last = first + leg.quantity - 1
            if any(block.first <= last and first <= block.last for block in self.blocks[leg.unit]):
                raise Refused("C27")
            self.next_serial[leg.unit] = max(self.next_serial[leg.unit], last + 1)
            self._put(leg.unit, [Block(first, last, leg.target)])
            return ((first, last),)
        wanted = [(1, 2 * LARGEST)]
        if leg.first_serial is not None:
            wanted = [(leg.first_serial, leg.first_serial + leg.quantity - 1)]
        if leg.reverses is not None:
            wanted = list(self.legs[leg.reverses].pieces)
        missing, taken, kept = leg.quantity, [], []
        for block in self.blocks[leg.unit]:
            if missing == 0 or block.account != leg.source or block.reserve != leg.reserve:
                kept.append(block)
                continue
            spans = [(max(block.first, low), min(block.last, high)) for low, high in wanted]
            low, high = next(((low, high) for low, high in spans if low <= high), (1, 0))
            if low > high:
                kept.append(block)
                continue
            high = min(high, low + missing - 1)
            missing -= high - low + 1
            taken.append((low, high))
            kept += [replace(block, last=low - 1)] if block.first < low else []
            kept += [replace(block, first=high + 1)] if high < block.last else []
        if missing:
            raise Refused("C18" if leg.first_serial is None and leg.reverses is None else "C08")
        where, reserve = (leg.source, len(self.legs)) if leg.phase == "reserve" else (leg.target, None)
        self.blocks[leg.unit] = tuple(kept)
        self._put(leg.unit, [Block(low, high, where, reserve) for low, high in taken])
        return tuple(taken)

    def _put(self, unit: str, blocks: list[Block]) -> None:
        self.blocks[unit] = tuple(sorted((*self.blocks[unit], *blocks), key=lambda block: block.first))
