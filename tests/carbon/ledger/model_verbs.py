"""The verbs of the model ledger: what each asks for, what its body is, and what it does to the model.

Each verb gives its kind, its body (the same id with the same kind and body is the same act) and the work to do.
"""

from dataclasses import replace
from hashlib import sha256

from .model import (
    HELD,
    TYPES,
    Account,
    Asked,
    Leg,
    Malformed,
    Outcome,
    Plan,
    Refused,
    Unit,
    Work,
    check_name,
    check_whole,
)
from .model_obligations import Obligations


class Model(Obligations):
    def register_entity(self, _id: str, _at: int, *, name: str, code=None, uscc=None, sector=None) -> Plan:
        own = code or uscc
        if own is None or not name.strip():
            raise Malformed

        def work() -> None:
            if own in self.entities or (uscc is not None and uscc in self.entities.values()):
                raise Refused("C14")
            self.entities[own] = uscc
            self.sectors[own] = sector

        return "register_entity", {"code": own, "uscc": uscc, "name": name, "sector": sector}, work

    def open_account(
        self, _id: str, _at: int, *, code, scheme, type, entity=None, primary=None, secondary=None,
        first_year=None, last_year=None,
    ) -> Plan:  # fmt: skip
        if type not in TYPES:
            raise Malformed
        body = {"code": code, "scheme": scheme, "type": type, "entity": entity, "primary": primary}
        body |= {"secondary": secondary, "first_year": first_year, "last_year": last_year}

        def work() -> None:
            if scheme not in self.schemes:
                raise Refused("C42")
            if entity is not None and entity not in self.entities:
                raise Refused("C10")
            if type in HELD and (primary is None or secondary is None):
                raise Refused("C11")
            if code in self.accounts:
                raise Refused("C09")
            if (type in HELD) != (entity is not None):
                raise Refused("C10")
            if first_year is not None and last_year is not None and first_year > last_year:
                raise Refused("C15")
            if type == "operator" and any(
                (other.type, other.scheme, other.entity) == (type, scheme, entity) and other.status != "closed"
                for other in self.accounts.values()
            ):
                raise Refused("C13")
            if primary is not None and primary == secondary:
                raise Refused("C11")
            self.accounts[code] = Account(scheme, type, entity, "open", primary, secondary, first_year, last_year)

        return "open_account", body, work

    def appoint(self, _id: str, _at: int, *, account, role, name) -> Plan:
        if role not in ("primary", "secondary"):
            raise Malformed

        def work() -> None:
            if account not in self.accounts:
                raise Refused("C03")
            other = "secondary" if role == "primary" else "primary"
            if getattr(self.accounts[account], other) == name:
                raise Refused("C11")
            self.accounts[account] = replace(self.accounts[account], **{role: name})

        return "appoint", {"account": account, "role": role, "name": name}, work

    def _change(self, kind: str, account: str, status: str, reason=None) -> Plan:
        def work() -> None:
            if account not in self.accounts:
                raise Refused("C03")
            if self.accounts[account].status == "closed":
                raise Refused("C23")
            if status == "closed" and any(held for (who, _unit), held in self.held.items() if who == account):
                raise Refused("C23")
            self.accounts[account] = replace(self.accounts[account], status=status)

        return kind, {"subject": account, "reason": reason}, work

    def close_account(self, _id: str, _at: int, *, account) -> Plan:
        return self._change("close_account", account, "closed")

    def block_account(self, _id: str, _at: int, *, account, reason=None) -> Plan:
        return self._change("block_account", account, "blocked", reason)

    def unblock_account(self, _id: str, _at: int, *, account, reason=None) -> Plan:
        return self._change("unblock_account", account, "open", reason)

    def _scheme(self, kind: str, scheme: str, state: str, reason=None) -> Plan:
        def work() -> None:
            if scheme not in self.schemes:
                raise Refused("C01")
            self.schemes[scheme] = state

        return kind, {"subject": scheme, "reason": reason}, work

    def open_scheme(self, _id: str, _at: int, *, scheme) -> Plan:
        return self._scheme("open_scheme", scheme, "open")

    def close_scheme(self, _id: str, _at: int, *, scheme, reason=None) -> Plan:
        return self._scheme("close_scheme", scheme, "closed", reason)

    def add_instrument(self, _id: str, _at: int, *, code, scheme, kind, serialised, only_kinds=(), stem=None) -> Plan:
        if kind not in ("allowance", "offset", "money"):
            raise Malformed
        body = {"code": code, "scheme": scheme, "kind": kind, "serialised": serialised, "stem": stem}
        body["only_kinds"] = list(only_kinds)

        def work() -> None:
            if scheme not in self.schemes:
                raise Refused("C42")
            stems = {unit.stem for unit in self.units.values()} - {None}
            if code in self.units or stem in stems:
                raise Refused("C14")
            self.units[code] = Unit(scheme, kind, serialised, tuple(only_kinds), stem=stem)

        return "add_instrument", body, work

    def _one(self, kind, source, target, unit, quantity, first_serial=None, year=None, reason=None) -> Plan:
        check_whole(quantity)
        if first_serial is not None:
            check_whole(first_serial)
        leg = Leg(kind, source, target, unit, quantity, first_serial=first_serial, year=year)
        body = {"source": source, "target": target, "instrument": unit, "quantity": quantity, "reason": reason}
        body |= {"first_serial": first_serial, "compliance_year": year}
        return kind, body, lambda: self._book(0, leg)

    def issue(self, _id, _at, *, scheme, instrument, quantity, target=None, first_serial=None) -> Plan:
        to = target or f"{scheme}:government"
        return self._one("issue", f"{scheme}:issuance", to, instrument, quantity, first_serial)

    def opening(self, _id, _at, *, scheme, instrument, quantity, target) -> Plan:
        return self._one("opening", f"{scheme}:issuance", target, instrument, quantity)

    def pre_allocate(self, _id, _at, *, scheme, account, instrument, quantity, compliance_year) -> Plan:
        government = f"{scheme}:government"
        return self._one("pre_allocate", government, account, instrument, quantity, year=compliance_year)

    def transfer(self, _id, _at, *, source, target, instrument, quantity, first_serial=None, kind="transfer") -> Plan:
        if kind not in ("transfer", "auction", "external"):
            raise Malformed
        return self._one(kind, source, target, instrument, quantity, first_serial)

    def cancel(
        self, _id, _at, *, scheme, account, instrument, quantity, first_serial=None, replace=False, reason=None
    ) -> Plan:  # fmt: skip
        kind = "cancel_replace" if replace else "cancel"
        return self._one(kind, account, f"{scheme}:cancellation", instrument, quantity, first_serial, reason=reason)

    def deposit(self, _id, _at, *, scheme, account, instrument, quantity) -> Plan:
        return self._one("deposit", f"{scheme}:issuance", account, instrument, quantity)

    def withdraw(self, _id, _at, *, scheme, account, instrument, quantity) -> Plan:
        return self._one("withdraw", account, f"{scheme}:issuance", instrument, quantity)

    def transfer_linked(self, _id, _at, *, movements: list[Asked]) -> Plan:
        return "transfer", {"movements": movements}, self._linked(movements, "posted", None)

    def reserve(self, _id, at, *, movements: list[Asked], expires_at_us: int) -> Plan:
        if type(expires_at_us) is not int or expires_at_us <= at:
            raise Malformed
        body = {"movements": movements, "expires_at_us": expires_at_us}
        return "reserve", body, self._linked(movements, "reserve", expires_at_us)

    def _linked(self, movements: list[Asked], phase: str, expires: int | None) -> Work:
        if not movements:
            raise Malformed
        for *_where, quantity, first in movements:
            check_whole(quantity)
            if first is not None:
                check_whole(first)
        legs = [Leg("transfer", *one[:4], phase, one[4], expires=expires) for one in movements]
        return lambda: [self._book(0, leg) for leg in legs] and None

    def settle(self, _id, at, *, reservation, quantities=None) -> Plan:
        body = {"reservation": reservation, "quantities": quantities}
        return "settle", body, lambda: self._close(reservation, "settle", at, quantities)

    def void(self, _id, at, *, reservation, reason=None) -> Plan:
        return "void", {"reservation": reservation, "reason": reason}, lambda: self._close(reservation, "void", at)

    def _open_legs(self, reservation: str) -> list[int]:
        act = self.acts.get(reservation)
        ended = {leg.reserve for leg in self.legs}
        return [place for place in act.legs if place not in ended] if act and act.kind == "reserve" else []

    def _close(self, reservation: str, phase: str, at: int, quantities: list[int] | None = None) -> None:
        open_legs = self._open_legs(reservation)
        if not open_legs:
            raise Refused("C22")
        wanted = [self.legs[place].quantity for place in open_legs] if quantities is None else quantities
        if len(wanted) != len(open_legs):
            raise Refused("C22")
        for quantity in wanted:
            check_whole(quantity)
        for place, quantity in zip(open_legs, wanted, strict=True):
            leg = self.legs[place]
            self._book(at, Leg(leg.kind, leg.source, leg.target, leg.unit, quantity, phase, reserve=place))

    def reverse(self, _id, _at, *, original, reason) -> Plan:
        def work() -> None:
            act = self.acts.get(original)
            moved = [place for place in act.legs if self.legs[place].phase in ("posted", "settle")] if act else []
            figures = act is not None and act.kind in ("finalise_allocation", "report_verified")
            booked = act is not None and act.outcome.status == "done" and act.kind != "reverse"
            if not booked or not (moved or figures):
                raise Refused("C28")
            if original in self.reversed:
                raise Refused("C28")
            self.reversed |= {original}
            for place in reversed(moved):
                leg = self.legs[place]
                self._book(
                    0, Leg("reverse", leg.target, leg.source, leg.unit, leg.quantity, year=leg.year, reverses=place)
                )

        return "reverse", {"original": original, "reason": reason}, work

    def expire(self, client_id: str, at: int) -> list[Outcome]:
        """Void what has expired, each reservation under an id of its own."""
        check_name(client_id)
        ended = {leg.reserve for leg in self.legs}
        late = [
            name
            for name, act in sorted(self.acts.items())
            if act.kind == "reserve"
            and any(place not in ended and self.legs[place].expires <= at for place in act.legs)
        ]
        names = [f"{client_id}:{name}" for name in late]
        own = [name if len(name) <= 128 else sha256(name.encode()).hexdigest() for name in names]
        asked = [{"reservation": name, "reason": "expired"} for name in late]
        return [self.do("void", name, at, one) for name, one in zip(own, asked, strict=True)]
