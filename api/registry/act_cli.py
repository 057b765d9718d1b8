"""The commands `greenfin registry` that say who may hold what: entities, accounts, instruments, schemes.

Knows commands and options, one for each verb of `carbon.ledger.parties`. Nothing is ever asked interactively.
"""

from typing import Annotated

import typer

from api.options import FormatOption, LangOption
from api.registry.options import (
    AccountCode,
    ActorOption,
    AtOption,
    FirstYear,
    IdOption,
    LastYear,
    ReasonOption,
    SchemeName,
    SourceText,
    VintageFrom,
    VintageTo,
)
from api.registry.session import ask, perform

parties_app = typer.Typer(rich_markup_mode=None)


@parties_app.command("register-entity")
def register_entity(
    name: Annotated[str, typer.Option("--name", help="Full name.")],
    uscc: Annotated[str | None, typer.Option("--uscc", help="Unified social credit code, checked.")] = None,
    code: Annotated[str | None, typer.Option("--code", help="Own code; the credit code without it.")] = None,
    name_en: Annotated[str | None, typer.Option("--name-en", help="English name.")] = None,
    hub: Annotated[str | None, typer.Option("--hub", help="Slug of its city, such as wuhan.")] = None,
    sector: Annotated[str | None, typer.Option("--sector", help="power, steel, cement, aluminium, ...")] = None,
    country: Annotated[str | None, typer.Option("--country", help="Country code.")] = None,
    contact: Annotated[str | None, typer.Option("--contact", help="The one person an operator names.")] = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Register a holder: a company with its unified social credit code, or another one with a code of its own."""
    asked = {"name": name, "uscc": uscc, "code": code, "name_en": name_en, "hub": hub, "sector": sector}
    wanted = ask(client_id, actor, at, form, lang)
    perform("register_entity", {**asked, "country": country, "contact": contact}, wanted)


@parties_app.command("open-account")
def open_account(
    code: Annotated[str, typer.Option("--code", help="Code of the new account.")],
    scheme: SchemeName,
    type: Annotated[str, typer.Option("--type", help="operator, trading, government, external, foreign, ...")],
    entity: Annotated[str | None, typer.Option("--entity", help="Code of the holder.")] = None,
    first_year: FirstYear = None,
    last_year: LastYear = None,
    primary: Annotated[str | None, typer.Option("--primary", help="Its first representative.")] = None,
    secondary: Annotated[str | None, typer.Option("--secondary", help="Its second one, another person.")] = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Open an account; operator and trading accounts belong to an entity and name two representatives."""
    years = {"first_year": first_year, "last_year": last_year}
    persons = {"primary": primary, "secondary": secondary}
    asked = {"code": code, "scheme": scheme, "type": type, "entity": entity, **years, **persons}
    perform("open_account", asked, ask(client_id, actor, at, form, lang))


@parties_app.command("close-account")
def close_account(
    account: AccountCode,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Close an empty account for ever."""
    perform("close_account", {"account": account}, ask(client_id, actor, at, form, lang))


@parties_app.command("block")
def block(
    account: AccountCode,
    reason: ReasonOption = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Block an account: only surrender, recall and cancellation against replacement leave it."""
    perform("block_account", {"account": account, "reason": reason}, ask(client_id, actor, at, form, lang))


@parties_app.command("unblock")
def unblock(
    account: AccountCode,
    reason: ReasonOption = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Let a blocked account move again."""
    perform("unblock_account", {"account": account, "reason": reason}, ask(client_id, actor, at, form, lang))


@parties_app.command("appoint")
def appoint(
    account: AccountCode,
    role: Annotated[str, typer.Option("--role", help="primary or secondary.")],
    name: Annotated[str, typer.Option("--name", help="Name of the person.")],
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Appoint a representative of an account in the place of the one before."""
    perform("appoint", {"account": account, "role": role, "name": name}, ask(client_id, actor, at, form, lang))


@parties_app.command("add-instrument")
def add_instrument(
    code: Annotated[str, typer.Option("--code", help="Code of the new kind of unit.")],
    scheme: SchemeName,
    kind: Annotated[str, typer.Option("--kind", help="allowance, offset (tonnes) or money (fen).")],
    serialised: Annotated[bool, typer.Option("--serialised/--not-serialised", help="Whether each unit has a number.")],
    vintage_from: VintageFrom = None,
    vintage_to: VintageTo = None,
    stem: Annotated[
        str | None, typer.Option("--stem", help="How an outside register writes numbers, with {first} and {last}.")
    ] = None,
    programme: Annotated[str | None, typer.Option("--programme", help="Programme of an offset.")] = None,
    project: Annotated[str | None, typer.Option("--project", help="Project of an offset.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="A movement it is limited to; may be given again.")
    ] = None,
    source: SourceText = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Add a kind of unit: a vintage of allowances, a batch of offsets, money."""
    asked = {"code": code, "scheme": scheme, "kind": kind, "serialised": serialised, "stem": stem, "source": source}
    vintages = {"vintage_from": vintage_from, "vintage_to": vintage_to}
    origin = {"programme": programme, "project": project, "only_kinds": only}
    perform("add_instrument", {**asked, **vintages, **origin}, ask(client_id, actor, at, form, lang))


@parties_app.command("open-scheme")
def open_scheme(
    scheme: SchemeName,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Open the registry of a scheme for movements."""
    perform("open_scheme", {"scheme": scheme}, ask(client_id, actor, at, form, lang))


@parties_app.command("close-scheme")
def close_scheme(
    scheme: SchemeName,
    reason: ReasonOption = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Close the registry of a scheme: no movement touches its accounts."""
    perform("close_scheme", {"scheme": scheme, "reason": reason}, ask(client_id, actor, at, form, lang))
