"""The commands `greenfin registry` that move units: issue, allocate, transfer, surrender, cancel, carry over, reverse.

Knows commands and options, one for each verb of `carbon.ledger.verbs` and `obligations` that takes one movement.
"""

from typing import Annotated

import typer

from api.options import FormatOption, LangOption
from api.registry.options import (
    AccountCode,
    ActorOption,
    AtOption,
    ComplianceYear,
    FirstSerial,
    FromAccount,
    IdOption,
    InstrumentCode,
    Quantity,
    ReasonOption,
    SchemeName,
    SourceText,
    ToAccount,
    Tonnes,
)
from api.registry.session import ask, perform

movements_app = typer.Typer(rich_markup_mode=None)


@movements_app.command("issue")
def issue(
    scheme: SchemeName,
    instrument: InstrumentCode,
    quantity: Quantity,
    target: Annotated[str | None, typer.Option("--to", help="Account; the government's without it.")] = None,
    first_serial: FirstSerial = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Issue new units, to the scheme's government account unless another is named."""
    asked = {
        "scheme": scheme,
        "instrument": instrument,
        "quantity": quantity,
        "target": target,
        "first_serial": first_serial,
    }
    perform("issue", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("opening")
def opening(
    scheme: SchemeName,
    instrument: InstrumentCode,
    quantity: Quantity,
    target: ToAccount,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Book units that an account held before its imported history begins: assumed, not observed."""
    asked = {"scheme": scheme, "instrument": instrument, "quantity": quantity, "target": target}
    perform("opening", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("pre-allocate")
def pre_allocate(
    scheme: SchemeName,
    account: AccountCode,
    instrument: InstrumentCode,
    quantity: Quantity,
    compliance_year: ComplianceYear,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Hand allowances to an operator before its final allocation is known."""
    asked = {
        "scheme": scheme,
        "account": account,
        "instrument": instrument,
        "quantity": quantity,
        "compliance_year": compliance_year,
    }
    perform("pre_allocate", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("finalise")
def finalise(
    scheme: SchemeName,
    account: AccountCode,
    instrument: InstrumentCode,
    compliance_year: ComplianceYear,
    final_t: Tonnes,
    source: SourceText = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """State the final allocation; the difference to what was granted is supplemented or recalled."""
    asked = {
        "scheme": scheme,
        "account": account,
        "instrument": instrument,
        "compliance_year": compliance_year,
        "final_t": final_t,
        "source": source,
    }
    perform("finalise_allocation", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("report-verified")
def report_verified(
    account: AccountCode,
    compliance_year: ComplianceYear,
    quantity_t: Tonnes,
    source: SourceText = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """State the verified emissions of a compliance year; a later statement replaces it."""
    asked = {"account": account, "compliance_year": compliance_year, "quantity_t": quantity_t, "source": source}
    perform("report_verified", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("transfer")
def transfer(
    source: FromAccount,
    target: ToAccount,
    instrument: InstrumentCode,
    quantity: Quantity,
    first_serial: FirstSerial = None,
    kind: Annotated[str, typer.Option("--kind", help="transfer, auction or external.")] = "transfer",
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Move units from one account to another."""
    asked = {
        "source": source,
        "target": target,
        "instrument": instrument,
        "quantity": quantity,
        "first_serial": first_serial,
        "kind": kind,
    }
    perform("transfer", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("surrender")
def surrender(
    scheme: SchemeName,
    account: AccountCode,
    instrument: InstrumentCode,
    quantity: Quantity,
    compliance_year: ComplianceYear,
    first_serial: FirstSerial = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Hand in allowances for a compliance year, of a vintage that the scheme accepts for it."""
    asked = {
        "scheme": scheme,
        "account": account,
        "instrument": instrument,
        "quantity": quantity,
        "compliance_year": compliance_year,
        "first_serial": first_serial,
    }
    perform("surrender", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("use-offsets")
def use_offsets(
    scheme: SchemeName,
    account: AccountCode,
    instrument: InstrumentCode,
    quantity: Quantity,
    compliance_year: ComplianceYear,
    first_serial: FirstSerial = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Hand in offset credits for a compliance year, within the scheme's limit."""
    asked = {
        "scheme": scheme,
        "account": account,
        "instrument": instrument,
        "quantity": quantity,
        "compliance_year": compliance_year,
        "first_serial": first_serial,
    }
    perform("use_offsets", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("cancel")
def cancel(
    scheme: SchemeName,
    account: AccountCode,
    instrument: InstrumentCode,
    quantity: Quantity,
    first_serial: FirstSerial = None,
    replace: Annotated[bool, typer.Option("--replace", help="Against a replacement.")] = False,
    reason: ReasonOption = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Take units out of the market for ever."""
    asked = {
        "scheme": scheme,
        "account": account,
        "instrument": instrument,
        "quantity": quantity,
        "first_serial": first_serial,
        "replace": replace,
        "reason": reason,
    }
    perform("cancel", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("carry-over")
def carry_over(
    scheme: SchemeName,
    account: AccountCode,
    instrument: InstrumentCode,
    into: Annotated[str, typer.Option("--into", help="Code of the later vintage.")],
    quantity: Quantity,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Turn allowances of an old vintage into as many of a later one, within base plus net sales and holding."""
    asked = {"scheme": scheme, "account": account, "instrument": instrument, "into": into, "quantity": quantity}
    perform("carry_over", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("deposit")
def deposit(
    scheme: SchemeName,
    account: AccountCode,
    instrument: InstrumentCode,
    quantity: Quantity,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Bring money into an account, in fen, for delivery versus payment."""
    asked = {"scheme": scheme, "account": account, "instrument": instrument, "quantity": quantity}
    perform("deposit", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("withdraw")
def withdraw(
    scheme: SchemeName,
    account: AccountCode,
    instrument: InstrumentCode,
    quantity: Quantity,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Take money out of an account, in fen."""
    asked = {"scheme": scheme, "account": account, "instrument": instrument, "quantity": quantity}
    perform("withdraw", asked, ask(client_id, actor, at, form, lang))


@movements_app.command("reverse")
def reverse(
    original: Annotated[str, typer.Option("--original", help="Id of the act to undo.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the log.")],
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Undo an act as a whole, once: every leg goes back with the same units."""
    asked = {"original": original, "reason": reason}
    perform("reverse", asked, ask(client_id, actor, at, form, lang))
