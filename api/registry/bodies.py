"""What a client may ask of the registry: one strict body a verb, apart from the ledger's own functions.

Knows names, types and bounds of what comes over HTTP, and how it becomes the arguments of `registry_store.VERBS`. Must
not know how anything is carried out. Whole numbers are JSON integers (no 1.0, no "1"), times name their zone, a field
that is not known is refused.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict

from carbon.ledger.orders import us_from_time
from carbon.ledger.verbs import Movement

__all__ = ["BODIES", "MOST_MOVEMENTS", "Body"]

_LARGEST: Final = 2**53
MOST_MOVEMENTS: Final = 500


def _tidy(value: str) -> str:
    if value != value.strip() or not value.isprintable():
        raise ValueError("printable characters without spaces at the ends")
    return value


def _as_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("a time as text, such as 2026-01-31T09:30:00Z")
    return value


Code = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_tidy)]
Words = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_tidy)]
Quantity = Annotated[int, Strict(), Field(ge=1, le=_LARGEST, description="Whole tonnes, or fen of money / 整数吨或分")]
Figure = Annotated[int, Strict(), Field(ge=0, le=_LARGEST, description="Whole tonnes / 整数吨")]
Serial = Annotated[int, Strict(), Field(ge=1, le=_LARGEST, description="First of the numbers to move / 起始编号")]
Year = Annotated[int, Strict(), Field(ge=1990, le=2100)]
Flag = Annotated[bool, Strict()]
Time = Annotated[AwareDatetime, BeforeValidator(_as_text), Field(description="ISO 8601 with its zone / 含时区")]
MovementKind = Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")]


class Body(BaseModel):
    """What a verb is asked with."""

    model_config = ConfigDict(extra="forbid")

    def asked(self) -> dict[str, Any]:
        """The arguments of the verb by name."""
        return dict(self)


class RegisterEntity(Body):
    """A holder: a company with its unified social credit code, or another one with a code of its own."""

    name: Words
    uscc: Code | None = Field(default=None, description="Unified social credit code, 18 characters / 统一社会信用代码")
    code: Code | None = Field(default=None, description="Own code where there is no credit code / 自有编号")
    name_en: Words | None = None
    hub: Code | None = None
    sector: Code | None = None
    country: Code | None = None
    contact: Words | None = Field(default=None, description="Shown to holders of a key alone / 仅对密钥持有者显示")


class OpenAccount(Body):
    """An account; `operator` and `trading` accounts belong to an entity and name two representatives."""

    code: Code
    scheme: Code
    type: Literal[
        "issuance",
        "government",
        "operator",
        "trading",
        "surrender",
        "cancellation",
        "carried_over",
        "external",
        "foreign",
    ]
    entity: Code | None = None
    first_year: Year | None = None
    last_year: Year | None = None
    primary: Words | None = None
    secondary: Words | None = None


class Appoint(Body):
    """A representative in the place of the one before."""

    account: Code
    role: Literal["primary", "secondary"]
    name: Words


class CloseAccount(Body):
    """An account to close for ever."""

    account: Code


class BlockAccount(Body):
    """An account to block or to let move again."""

    account: Code
    reason: Words | None = None


class OpenScheme(Body):
    """A scheme whose registry opens."""

    scheme: Code


class CloseScheme(Body):
    """A scheme whose registry closes."""

    scheme: Code
    reason: Words | None = None


class AddInstrument(Body):
    """A kind of unit."""

    code: Code
    scheme: Code
    kind: Literal["allowance", "offset", "money"]
    serialised: Flag
    vintage_from: Year | None = None
    vintage_to: Year | None = None
    stem: Code | None = Field(
        default=None, description="How an outside register writes the numbers, with {first}, {last}"
    )
    programme: Code | None = None
    project: Code | None = None
    only_kinds: Annotated[list[MovementKind], Field(max_length=20)] = Field(
        default=[], description="The movements that a restricted class is limited to / 限定业务"
    )
    source: Words | None = None

    def asked(self) -> dict[str, Any]:
        """The arguments of the verb by name."""
        return {**dict(self), "only_kinds": tuple(self.only_kinds)}


class Issue(Body):
    """Units to issue, to the scheme's government account unless a target is named."""

    scheme: Code
    instrument: Code
    quantity: Quantity
    target: Code | None = None
    first_serial: Serial | None = None


class Opening(Body):
    """Units that an account held before its imported history begins: assumed, not observed."""

    scheme: Code
    instrument: Code
    quantity: Quantity
    target: Code


class PreAllocate(Body):
    """Allowances for an operator before its final allocation is known."""

    scheme: Code
    account: Code
    instrument: Code
    quantity: Quantity
    compliance_year: Year


class Transfer(Body):
    """Units from one account to another."""

    source: Code
    target: Code
    instrument: Code
    quantity: Quantity
    first_serial: Serial | None = None
    kind: Literal["transfer", "auction", "external"] = "transfer"


class Leg(Body):
    """One of several linked movements."""

    source: Code
    target: Code
    instrument: Code
    quantity: Quantity
    first_serial: Serial | None = None


Legs = Annotated[list[Leg], Field(min_length=1, max_length=MOST_MOVEMENTS)]


class TransferLinked(Body):
    """Several movements at once, all or none."""

    movements: Legs

    def asked(self) -> dict[str, Any]:
        """The arguments of the verb by name."""
        return {"movements": [Movement(**dict(leg)) for leg in self.movements]}


class Cancel(Body):
    """Units to take out of the market for ever."""

    scheme: Code
    account: Code
    instrument: Code
    quantity: Quantity
    first_serial: Serial | None = None
    replace: Flag = False
    reason: Words | None = None


class Deposit(Body):
    """Money that comes into an account, in fen."""

    scheme: Code
    account: Code
    instrument: Code
    quantity: Quantity


class Withdraw(Deposit):
    """Money that leaves an account, in fen."""


class Reverse(Body):
    """A transaction to undo as a whole, by its client's id."""

    original: Code
    reason: Words


class Reserve(Body):
    """What linked movements will take, kept free for them until a time."""

    movements: Legs
    expires_at: Time

    def asked(self) -> dict[str, Any]:
        """The arguments of the verb by name."""
        movements = [Movement(**dict(leg)) for leg in self.movements]
        return {"movements": movements, "expires_at_us": us_from_time(self.expires_at)}


class Settle(Body):
    """A reservation to carry out, by its client's id; the whole of each leg unless quantities are given."""

    reservation: Code
    quantities: Annotated[list[Quantity], Field(min_length=1, max_length=MOST_MOVEMENTS)] | None = None


class Void(Body):
    """A reservation to give up, by its client's id."""

    reservation: Code
    reason: Words | None = None


class ReportVerified(Body):
    """Verified emissions of a compliance year."""

    account: Code
    compliance_year: Year
    quantity_t: Figure
    source: Words | None = None


class FinaliseAllocation(Body):
    """The final allocation of a compliance year; the difference to what was granted is settled."""

    scheme: Code
    account: Code
    instrument: Code
    compliance_year: Year
    final_t: Figure
    source: Words | None = None


class Surrender(Body):
    """Allowances handed in for a compliance year."""

    scheme: Code
    account: Code
    instrument: Code
    quantity: Quantity
    compliance_year: Year
    first_serial: Serial | None = None


class UseOffsets(Surrender):
    """Offset credits handed in for a compliance year, within the scheme's limit."""


class CarryOver(Body):
    """Allowances of an old vintage to turn into as many of a later one."""

    scheme: Code
    account: Code
    instrument: Code
    into: Code
    quantity: Quantity


BODIES: Final[dict[str, type[Body]]] = {
    "register_entity": RegisterEntity,
    "open_account": OpenAccount,
    "appoint": Appoint,
    "close_account": CloseAccount,
    "block_account": BlockAccount,
    "unblock_account": BlockAccount,
    "open_scheme": OpenScheme,
    "close_scheme": CloseScheme,
    "add_instrument": AddInstrument,
    "issue": Issue,
    "opening": Opening,
    "pre_allocate": PreAllocate,
    "transfer": Transfer,
    "transfer_linked": TransferLinked,
    "cancel": Cancel,
    "deposit": Deposit,
    "withdraw": Withdraw,
    "reverse": Reverse,
    "reserve": Reserve,
    "settle": Settle,
    "void": Void,
    "report_verified": ReportVerified,
    "finalise_allocation": FinaliseAllocation,
    "surrender": Surrender,
    "use_offsets": UseOffsets,
    "carry_over": CarryOver,
}
"""The body of each verb of `registry_store.VERBS`."""
