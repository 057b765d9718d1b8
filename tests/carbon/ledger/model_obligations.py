"""The verbs of a compliance year in the model ledger, with the few rules of the national scheme that the runs touch.

The rules, from the documents behind `carbon/rules/data/cn.toml`: for 2019-2024 any vintage may be handed in, for 2025
only 2025; offsets up to 5 % of what is owed; carry-over of 2019-2024 into 2025 up to a base plus 1.5 x net sales and
what is held.
"""

from .model import LARGEST, Core, Leg, Malformed, Plan, Refused, Statement, check_whole

CARRY_BASE = {"power": 10_000, "steel": 100_000}


def check_figure(quantity: object, year: int) -> None:
    if type(quantity) is not int or not 0 <= quantity <= LARGEST or not 1990 <= year <= 2100:
        raise Malformed


class Obligations(Core):
    def _alive(self) -> list[Leg]:
        """The legs that moved units and were not undone."""
        undone = {leg.reverses for leg in self.legs}
        return [
            leg
            for place, leg in enumerate(self.legs)
            if leg.phase in ("posted", "settle") and leg.kind != "reverse" and place not in undone
        ]

    def _state(self, client_id: str, account: str, year: int, kind: str, quantity: int) -> None:
        if account not in self.accounts:
            raise Refused("C03")
        if self.accounts[account].type != "operator":
            raise Refused("C29")
        if not self.accounts[account].serves(year):
            raise Refused("C15")
        if kind == "final_allocation" and self.stated(account, year, kind) is not None:
            raise Refused("C34")
        self.statements = (*self.statements, Statement(account, year, kind, quantity, client_id))

    def report_verified(self, client_id: str, _at: int, *, account, compliance_year, quantity_t) -> Plan:
        check_figure(quantity_t, compliance_year)
        body = {"account": account, "compliance_year": compliance_year, "quantity_t": quantity_t}

        def work() -> None:
            self._state(client_id, account, compliance_year, "verified", quantity_t)

        return "report_verified", body, work

    def finalise_allocation(
        self, client_id: str, _at: int, *, scheme, account, instrument, compliance_year, final_t
    ) -> Plan:
        check_figure(final_t, compliance_year)
        body = {"scheme": scheme, "account": account, "instrument": instrument}
        body |= {"compliance_year": compliance_year, "final_t": final_t}
        government = f"{scheme}:government"

        def work() -> None:
            of_year = [leg for leg in self._alive() if leg.year == compliance_year]
            kinds = ("pre_allocate", "allocate", "supplement")
            got = sum(leg.quantity for leg in of_year if leg.kind in kinds and leg.target == account)
            back = sum(leg.quantity for leg in of_year if leg.kind == "recall" and leg.source == account)
            missing = final_t - (got - back)
            if missing > 0:
                self._book(0, Leg("supplement", government, account, instrument, missing, year=compliance_year))
            if missing < 0:
                self._book(0, Leg("recall", account, government, instrument, -missing, year=compliance_year))
            self._state(client_id, account, compliance_year, "final_allocation", final_t)

        return "finalise_allocation", body, work

    def surrender(
        self, _id: str, _at: int, *, scheme, account, instrument, quantity, compliance_year, first_serial=None
    ) -> Plan:
        body = self._asked(scheme, account, instrument, quantity, compliance_year, first_serial)

        def work() -> None:
            if instrument not in self.units:
                raise Refused("C42")
            vintage = self.units[instrument].vintage
            if scheme == "CN" and vintage is not None and (vintage == 2025) != (compliance_year == 2025):
                raise Refused("C30")
            self._hand_in("surrender", scheme, account, instrument, quantity, compliance_year, first_serial)

        return "surrender", body, work

    def use_offsets(
        self, _id: str, _at: int, *, scheme, account, instrument, quantity, compliance_year, first_serial=None
    ) -> Plan:
        body = self._asked(scheme, account, instrument, quantity, compliance_year, first_serial)

        def work() -> None:
            owed = self.stated(account, compliance_year, "verified")
            used = [leg for leg in self._alive() if (leg.kind, leg.source) == ("use_offsets", account)]
            so_far = sum(leg.quantity for leg in used if leg.year == compliance_year)
            if scheme != "CN" or owed is None or so_far + quantity > owed * 5 // 100:
                raise Refused("C32")
            self._hand_in("use_offsets", scheme, account, instrument, quantity, compliance_year, first_serial)

        return "use_offsets", body, work

    def carry_over(self, _id: str, _at: int, *, scheme, account, instrument, into, quantity) -> Plan:
        check_whole(quantity)
        body = {"scheme": scheme, "account": account, "instrument": instrument, "into": into, "quantity": quantity}

        def work() -> None:
            if instrument not in self.units or into not in self.units:
                raise Refused("C42")
            holder = self.accounts[account].entity if account in self.accounts else None
            base = CARRY_BASE.get(self.sectors.get(holder) or "")
            if base is None or scheme != "CN":
                raise Refused("C33")
            limit = min(base + max(0, 3 * self._net_sales(account, scheme) // 2), self._old_units(account, scheme))
            vintage, later = self.units[instrument].vintage, self.units[into].vintage
            first = 2019 if base == CARRY_BASE["power"] else 2024
            if vintage is None or not first <= vintage <= 2024 or later != 2025:
                raise Refused("C30")
            if self._carried(account) + quantity > limit:
                raise Refused("C33")
            self._book(0, Leg("carry_over", account, f"{scheme}:carried_over", instrument, quantity))
            self._book(0, Leg("carry_over", f"{scheme}:issuance", account, into, quantity))

        return "carry_over", body, work

    def _net_sales(self, account: str, scheme: str) -> int:
        units = {code for code, unit in self.units.items() if (unit.scheme, unit.kind) == (scheme, "allowance")}
        legs = [leg for leg in self._alive() if leg.kind in ("transfer", "auction") and leg.unit in units]
        sold = sum(leg.quantity for leg in legs if leg.source == account)
        return sold - sum(leg.quantity for leg in legs if leg.target == account)

    def _old_units(self, account: str, scheme: str) -> int:
        """What is free of the vintages before 2025, and what was carried over already."""
        old = [
            code
            for code, unit in self.units.items()
            if (unit.scheme, unit.kind) == (scheme, "allowance") and (unit.vintage or 9999) < 2025
        ]
        free = sum(self.held[account, code] - self.reserved[account, code] for code in old)
        return free + self._carried(account)

    def _carried(self, account: str) -> int:
        legs = [leg for leg in self._alive() if (leg.kind, leg.source) == ("carry_over", account)]
        return sum(leg.quantity for leg in legs)

    def _asked(self, scheme, account, instrument, quantity, year, first_serial) -> dict[str, object]:
        check_whole(quantity)
        body = {"scheme": scheme, "account": account, "instrument": instrument, "quantity": quantity}
        return body | {"compliance_year": year, "first_serial": first_serial}

    def _hand_in(self, kind, scheme, account, unit, quantity, year, first_serial) -> None:
        if first_serial is not None:
            check_whole(first_serial)
        sink = f"{scheme}:surrender"
        self._book(0, Leg(kind, account, sink, unit, quantity, first_serial=first_serial, year=year))
