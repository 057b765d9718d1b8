"""Random acts on a small town: mostly sensible ones, some refused, some malformed, some repeated.

An act is (verb, id, time, what is asked), plain values all of it, so that it can be written to a file and handed to
another process, to the model and to the ledger alike. What comes next depends on the random numbers alone.
"""

from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from sqlalchemy import Connection

import carbon.ledger.obligations
import carbon.ledger.parties
import carbon.ledger.settlement
import carbon.ledger.verbs
from carbon.errors import CarbonError
from carbon.ledger.book import Act
from carbon.ledger.orders import Receipt
from carbon.ledger.verbs import Movement
from carbon.rules.book import Rules, load_rules

Asked = dict[str, Any]
Step = tuple[str, str, int, Asked]

OPERATORS = ("A", "B", "C", "D")
TRADERS = ("T", "U")
PILOT = ("HA", "HB")
HOLDERS = (*OPERATORS, *TRADERS, *PILOT, "K")
SECTORS = {"A": "power", "B": "steel", "C": "power", "T": "power"}
SINKS = ("CN:government", "CN:surrender", "CN:cancellation", "CN-HB:government", "CN:issuance", "CCER:government")
CN_UNITS = ("CEA24", "CEA23", "PLAIN", "LIMITED")
UNITS = (*CN_UNITS, "CEA25", "HBEA", "CCER", "CNY")
_MODULES = (carbon.ledger.verbs, carbon.ledger.parties, carbon.ledger.settlement, carbon.ledger.obligations)
VERBS = {name: getattr(module, name) for module in _MODULES for name in module.__all__ if name.islower()}
MOVING = ("transfer", "transfer_linked", "surrender", "issue", "settle", "deposit", "finalise_allocation", "cancel",
          "report_verified", "use_offsets", "pre_allocate", "carry_over", "reverse", "open_account")  # fmt: skip
RULED = ("surrender", "use_offsets", "carry_over")
START_US = 1_750_000_000_000_000  # June 2025: the rules of 2024 and 2025 hold
STRANGE = ("", " x", "x" * 129, "a\nb")


def do_step(connection: Connection, step: Step) -> Any:
    """Do one act on the ledger: its Receipt, or the list of them for `expire`."""
    verb, client_id, at, asked = step
    if "movements" in asked:
        asked = asked | {"movements": [Movement(*one) for one in asked["movements"]]}
    if verb in RULED:
        asked = asked | {"rules": national_rules()}
    return VERBS[verb](connection, Act(client_id, at, "tester"), **asked)


@cache
def national_rules() -> Rules:
    return load_rules("CN")


def outcome_of(receipt: Receipt) -> tuple[str, str | None, bool]:
    return receipt.status, receipt.code, receipt.replayed


def outcomes(connection: Connection, step: Step) -> list[tuple[str, str, str | None]]:
    """Id, status and code of what an act came to; none where it leaves no trace."""
    try:
        came = do_step(connection, step)
    except CarbonError:
        return []
    return [(one.client_id, one.status, one.code) for one in (came if isinstance(came, list) else [came])]


def town_steps() -> list[Step]:
    """What every random run begins with: the holders, their accounts, and units in the right hands."""
    people = {"primary": "P", "secondary": "S"}
    asked: list[tuple[str, Asked]] = [
        ("register_entity", {"name": f"Works {code}", "code": code, "sector": SECTORS.get(code)}) for code in HOLDERS
    ]
    for code in HOLDERS:
        scheme = "CN-HB" if code in PILOT else "CCER" if code == "K" else "CN"
        type = "trading" if code in TRADERS or code == "K" else "operator"
        asked.append(("open_account", {"code": code, "scheme": scheme, "type": type, "entity": code, **people}))
    plain = {"scheme": "CN", "kind": "allowance"}
    asked.append(("add_instrument", {"code": "PLAIN", "serialised": False, **plain}))
    only = ["issue", "pre_allocate", "surrender"]
    asked.append(("add_instrument", {"code": "LIMITED", "serialised": True, "only_kinds": only, **plain}))
    asked += [("issue", {"scheme": "CN", "instrument": unit, "quantity": 200_000}) for unit in CN_UNITS]
    asked.append(("issue", {"scheme": "CN-HB", "instrument": "HBEA", "quantity": 50_000}))
    asked.append(("issue", {"scheme": "CCER", "instrument": "CCER", "quantity": 50_000, "target": "K"}))
    for code in OPERATORS:
        for unit in CN_UNITS:
            grant = {"scheme": "CN", "account": code, "instrument": unit, "quantity": 5000, "compliance_year": 2024}
            asked.append(("pre_allocate", grant))
        asked.append(("deposit", {"scheme": "CN", "account": code, "instrument": "CNY", "quantity": 10_000_000}))
        credit = {"source": "K", "target": code, "instrument": "CCER", "quantity": 5000, "kind": "external"}
        asked.append(("transfer", credit))
    return [(verb, f"town{number}", START_US + number, what) for number, (verb, what) in enumerate(asked, 1)]


@dataclass
class Source:
    """Where random acts come from; remembers the ids it gave, so that later acts may name them."""

    random: Random
    number: int = 0
    moved: list[str] = field(default_factory=list)
    reservations: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def next(self) -> Step:
        self.number += 1
        chance = self.random.random()
        if self.steps and chance < 0.04:
            return self._repeated()
        verb = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        asked = WISHES[verb](self)
        client_id, at = f"s{self.number}", START_US + 1000 + 10 * self.number
        if chance > 0.97:
            asked, client_id = self._spoiled(asked, client_id)
        step = (verb, client_id, at, asked)
        self._remember(step)
        return step

    def _remember(self, step: Step) -> None:
        verb, client_id, _at, _asked = step
        if verb == "reserve":
            self.reservations.append(client_id)
        if verb in MOVING:
            self.moved.append(client_id)
        self.steps.append(step)

    def _repeated(self) -> Step:
        """An earlier act again, at times with another body or under another verb's id."""
        verb, client_id, at, asked = self.random.choice(self.steps[-200:])
        if self.random.random() < 0.3 and "quantity" in asked:
            asked = asked | {"quantity": 7}
        if self.random.random() < 0.1:
            client_id = self.random.choice(self.steps)[1]
        return verb, client_id, at + 5, asked

    def _spoiled(self, asked: Asked, client_id: str) -> tuple[Asked, str]:
        choose = self.random.choice
        spoiled = dict(asked)
        if "quantity" in asked and self.random.random() < 0.5:
            spoiled["quantity"] = choose([0, -1, 1.5, True, 2**53 + 1, 2**70, "5", None])
        elif "first_serial" in asked and self.random.random() < 0.5:
            spoiled["first_serial"] = choose([0, -1, 2**53 + 1, 2**63, True, 1.5, "1"])
        elif "movements" in asked:
            one = choose([("A", "B", "CEA24", 0, None), ("A", "B", "CEA24", 5, 0), None])
            spoiled["movements"] = [*asked["movements"], one] if one else []
        else:
            client_id = choose(STRANGE)
        return spoiled, client_id

    # --- what each verb asks for

    def quantity(self) -> int:
        return self.random.choice((1, 2, 3, 10, 17, 100, 250, 1000, 4000, 100_000))

    def holder(self) -> str:
        return self.random.choice((*HOLDERS, *OPERATORS, *OPERATORS, *self.made[-3:]))

    def anyone(self) -> str:
        return self.random.choice(("nobody", *SINKS, *HOLDERS, *OPERATORS, *OPERATORS))

    def unit(self) -> str:
        return self.random.choice((*UNITS, "CEA24", "CEA24", "CEA23", "CNY") * 5 + ("CEA99",))

    def scheme(self) -> str:
        return self.random.choice(("CN",) * 12 + ("CN-HB", "CN-HB", "CCER", "XX"))

    def place(self) -> Asked:
        """A scheme, an account and a unit, mostly ones that go together."""
        chance = self.random.random()
        if chance < 0.15:
            return {"scheme": self.scheme(), "account": self.holder(), "instrument": self.unit()}
        if chance < 0.25:
            return {"scheme": "CN-HB", "account": self.random.choice(PILOT), "instrument": "HBEA"}
        account = self.random.choice((*OPERATORS, *OPERATORS, *TRADERS, *self.made[-2:]))
        return {"scheme": "CN", "account": account, "instrument": self.random.choice((*CN_UNITS, "CEA24"))}

    def serial(self) -> int | None:
        return self.random.randint(1, 30_000) if self.random.random() < 0.15 else None

    def old(self, ids: list[str]) -> str:
        return self.random.choice(ids[-6:]) if ids and self.random.random() < 0.97 else "nobody"

    def issue(self) -> Asked:
        unit = self.random.choice((*CN_UNITS, "HBEA", "CCER", "CNY"))
        first = self.random.choice((None,) * 9 + (self.random.randint(1, 10**6),))
        scheme = {"HBEA": "CN-HB", "CCER": "CCER"}.get(unit, "CN") if self.random.random() < 0.9 else self.scheme()
        asked = {"scheme": scheme, "instrument": unit, "quantity": self.quantity(), "first_serial": first}
        return asked | ({"target": self.anyone()} if self.random.random() < 0.2 else {})

    def opening(self) -> Asked:
        asked = {"scheme": self.scheme(), "instrument": self.unit(), "quantity": self.quantity()}
        return asked | {"target": self.holder()}

    def grant(self) -> Asked:
        return self.place() | {"quantity": self.quantity(), "compliance_year": 2024}

    def hand_in(self) -> Asked:
        year = 2024 if self.random.random() < 0.8 else 2025
        return self.grant() | {"first_serial": self.serial(), "compliance_year": year}

    def offsets(self) -> Asked:
        scheme = "CN" if self.random.random() < 0.95 else "XX"
        quantity = self.random.choice((1, 5, 40, 300))
        return self.hand_in() | {"scheme": scheme, "instrument": "CCER", "compliance_year": 2024, "quantity": quantity}

    def verified(self) -> Asked:
        quantity = self.random.choice((0, 100, 5000, 90_000, -1))
        account = self.anyone() if self.random.random() < 0.2 else self.random.choice(OPERATORS)
        return {"account": account, "compliance_year": self.random.choice((2024, 2024, 2025)), "quantity_t": quantity}

    def final(self) -> Asked:
        final = self.random.choice((0, 1000, 5000, 6000, 20_000, True))
        return self.place() | {"compliance_year": self.random.choice((2024, 2024, 2025)), "final_t": final}

    def carried(self) -> Asked:
        into = "CEA25" if self.random.random() < 0.9 else self.unit()
        return self.place() | {"into": into, "quantity": self.quantity()}

    def cancelled(self) -> Asked:
        return self.place() | {"quantity": self.quantity(), "replace": self.random.random() < 0.3, "reason": "x"}

    def cash(self) -> Asked:
        unit = "CNY" if self.random.random() < 0.9 else self.unit()
        return {"scheme": "CN", "account": self.holder(), "instrument": unit, "quantity": 100 * self.quantity()}

    def transfer(self) -> Asked:
        asked = {"source": self.holder(), "target": self.holder(), "instrument": self.unit()}
        chance = self.random.random()
        if chance < 0.7:
            one, other = self.random.sample((*OPERATORS, *TRADERS) if chance < 0.6 else PILOT, 2)
            unit = self.random.choice(("CEA24", "CEA23", "PLAIN", "CNY")) if chance < 0.6 else "HBEA"
            asked = {"source": one, "target": other, "instrument": unit}
        if chance > 0.92:
            asked |= {"source": self.anyone(), "target": self.anyone()}
        if self.random.random() < 0.1:
            kind = self.random.choice(("auction", "external", "allocate", "transfer", "gift"))
            government = {"source": "CN:government"} if kind in ("auction", "allocate") else {}
            credit = {"source": "K", "instrument": "CCER"} if kind == "external" else {}
            asked |= {"kind": kind, **government, **credit}
        return asked | {"quantity": self.quantity(), "first_serial": self.serial()}

    def movements(self) -> list[list[Any]]:
        one, other = self.random.sample(OPERATORS if self.random.random() < 0.8 else HOLDERS, 2)
        tonnes = self.random.choice((1, 5, 60, 700))
        delivery = [one, other, self.random.choice(CN_UNITS[:3]), tonnes, self.serial()]
        payment = [other, one, "CNY", tonnes * 80, None]
        more = [[self.holder(), self.holder(), self.unit(), self.quantity(), None]]
        return self.random.choice(([delivery], [delivery, payment], [delivery, payment], [payment, delivery, *more]))

    def reserved(self) -> Asked:
        lasts = self.random.choice((0, 50, 300, 300, 1000, 3000, 3000, 9000))
        return {"movements": self.movements(), "expires_at_us": START_US + 1000 + 10 * self.number + lasts}

    def settled(self) -> Asked:
        asked: Asked = {"reservation": self.old(self.reservations[-4:])}
        parts = self.random.choice((None,) * 8 + ([1], [1, 80], [1, 80], [1, 10**6], [0, 1], [], [1, 1, 1]))
        return asked if parts is None else asked | {"quantities": parts}

    def new_account(self) -> Asked:
        code = self.random.choice((f"N{self.number}", f"N{self.number}", self.holder()))
        type = self.random.choice(("operator", "trading", "trading", "external", "surrender", "bogus"))
        asked: Asked = {"code": code, "scheme": self.scheme(), "type": type, "primary": "P"}
        if type in ("operator", "trading") or self.random.random() < 0.2:
            asked["entity"] = self.random.choice((*HOLDERS, "nobody"))
        asked["secondary"] = self.random.choice(("S", "S", "S", "P", None))
        if self.random.random() < 0.3:
            asked |= {"first_year": self.random.choice((2020, 2024)), "last_year": 2024}
        if asked["code"].startswith("N"):
            self.made.append(code)
        return asked

    def new_unit(self) -> Asked:
        code = self.random.choice((f"U{self.number}", "CEA24"))
        asked = {"code": code, "scheme": self.scheme(), "serialised": True, "stem": self.random.choice((None, "s"))}
        return asked | {"kind": self.random.choice(("allowance", "offset", "kind"))}


WISHES = {
    "issue": Source.issue,
    "opening": Source.opening,
    "pre_allocate": Source.grant,
    "surrender": Source.hand_in,
    "use_offsets": Source.offsets,
    "report_verified": Source.verified,
    "finalise_allocation": Source.final,
    "carry_over": Source.carried,
    "cancel": Source.cancelled,
    "deposit": Source.cash,
    "withdraw": Source.cash,
    "transfer": Source.transfer,
    "transfer_linked": lambda self: {"movements": self.movements()},
    "reserve": Source.reserved,
    "settle": Source.settled,
    "void": lambda self: {"reservation": self.old(self.reservations), "reason": "x"},
    "expire": lambda _self: {},
    "reverse": lambda self: {"original": self.old(self.moved), "reason": "x"},
    "block_account": lambda self: {"account": self.holder(), "reason": "x"},
    "unblock_account": lambda self: {"account": self.holder()},
    "close_account": lambda self: {"account": self.random.choice((*self.made, *self.made, "nobody", "A", "HB"))},
    "open_account": Source.new_account,
    "register_entity": lambda self: {"name": "Works", "code": self.random.choice((f"E{self.number}", "A"))},
    "add_instrument": Source.new_unit,
    "appoint": lambda self: {
        "account": self.anyone(),
        "role": self.random.choice(("primary", "secondary", "third")),
        "name": self.random.choice(("P", "S", "Q")),
    },
    "open_scheme": lambda self: {"scheme": self.random.choice(("CN", "CN", "CN-HB", "CCER", "XX"))},
    "close_scheme": lambda self: {"scheme": self.random.choice(("CN", "CN-HB", "CCER", "XX"))},
}
WEIGHTS = {
    "issue": 4, "opening": 1, "pre_allocate": 8, "surrender": 5, "cancel": 3, "deposit": 4, "withdraw": 2,
    "transfer": 22, "transfer_linked": 6, "reserve": 9, "settle": 7, "void": 2, "expire": 1, "reverse": 5,
    "use_offsets": 3, "report_verified": 2, "finalise_allocation": 3, "carry_over": 3,
    "block_account": 1, "unblock_account": 4, "close_account": 0.7, "open_account": 1.5, "register_entity": 0.5,
    "add_instrument": 0.5, "appoint": 0.7, "open_scheme": 3, "close_scheme": 0.3,
}  # fmt: skip
