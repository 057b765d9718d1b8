"""The commands `greenfin registry` for linked movements: all or none at once, or reserved first and settled later.

Knows commands and options. Movements come as words or from a file; both are read by `api.registry.files`.
"""

from pathlib import Path
from typing import Annotated

import typer

from api.options import FormatOption, LangOption
from api.registry.options import (
    ActorOption,
    AtOption,
    IdOption,
    MovementOption,
    ReasonOption,
    time_us_of,
    whole,
)
from api.registry.session import act_now, ask, id_of, perform, registry, show

linked_app = typer.Typer(rich_markup_mode=None)

MovementFile = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="TOML or JSON of movements, instead of --movement.")
]
ReservationId = Annotated[str, typer.Option("--reservation", help="Id of the reservation.")]


@linked_app.command("transfer-linked")
def transfer_linked(
    file: MovementFile = None,
    movement: MovementOption = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Move several things at once, all or none: delivery versus payment, for instance."""
    from api.registry.files import given_movements

    asked = {"movements": given_movements(file, movement or [])}
    perform("transfer_linked", asked, ask(client_id, actor, at, form, lang))


@linked_app.command("reserve")
def reserve(
    until: Annotated[str, typer.Option("--until", help="When it expires, with its zone: 2026-01-31T09:30:00+08:00.")],
    file: MovementFile = None,
    movement: MovementOption = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Keep free what linked movements will take, all or none, until a time; then settle or void it."""
    from api.registry.files import given_movements

    time_us_of(until, "--until")
    asked = {"movements": given_movements(file, movement or []), "expires_at": until}
    perform("reserve", asked, ask(client_id, actor, at, form, lang))


@linked_app.command("settle")
def settle(
    reservation: ReservationId,
    quantity: Annotated[
        list[int] | None,
        typer.Option(
            "--quantity",
            parser=whole,
            metavar="NUMBER",
            help="How much of each leg, once for each in its order; the whole without it.",
        ),
    ] = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Carry out a reservation: every leg, all or none; what is left over is free again."""
    asked = {"reservation": reservation, "quantities": quantity or None}
    perform("settle", asked, ask(client_id, actor, at, form, lang))


@linked_app.command("void")
def void(
    reservation: ReservationId,
    reason: ReasonOption = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Give up a reservation: all of it is free again."""
    perform("void", {"reservation": reservation, "reason": reason}, ask(client_id, actor, at, form, lang))


@linked_app.command("expire")
def expire(
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    at: AtOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Void every reservation that has expired; each gets the id ID:RESERVATION."""
    from api.registry import store as registry_store

    wanted = ask(client_id, actor, at, form, lang)
    client_id = id_of(wanted)
    with registry() as store:
        receipts = registry_store.expire(store, act_now(client_id, wanted))
    show(receipts, wanted)
