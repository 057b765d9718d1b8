"""How a command meets the registry: the store opened and closed, an act carried out, and refusals as exit codes.

Knows exit codes and what is told where. Must not know any one command.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import typer

from api.lang import Lang, texts
from api.options import FAILED, NOT_FOUND, format_of, lang_of
from api.output import Format
from api.registry.options import past_us_of

if TYPE_CHECKING:
    from pydantic import ValidationError

    from api.store import Store
    from carbon.ledger.book import Act
    from carbon.ledger.orders import Receipt

_LONGEST_ACTOR = 128
_LONGEST_FOUND = 80


@dataclass(frozen=True, slots=True)
class Ask:
    """What every act is asked with: its id and time where they were given, who acts, and how to show the receipt."""

    client_id: str | None
    actor: str
    at: str | None
    form: Format
    lang: Lang


def ask(client_id: str | None, actor: str, at: str | None, form: str | None, lang: str) -> Ask:
    """The options that every act has, checked. Raises typer.BadParameter."""
    if not actor.isprintable() or not 0 < len(actor.strip()) == len(actor) <= _LONGEST_ACTOR:
        expected = f"expected 1 to {_LONGEST_ACTOR} printable characters"
        raise typer.BadParameter(f"found {actor[:40]!r}; {expected}", param_hint="--actor")
    if client_id is not None:
        _check_id(client_id)
    if at is not None:
        past_us_of(at, "--at")
    return Ask(client_id, actor, at, format_of(form), lang_of(lang))


def _check_id(client_id: str) -> None:
    from carbon.ledger.orders import BadOrder, check_id

    try:
        check_id(client_id)
    except BadOrder as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--id") from None


def perform(verb: str, asked: Mapping[str, object], wanted: Ask) -> None:
    """Carry out one verb and show its receipt; a refused act ends the command with exit code 1.

    asked : the fields of the verb's body (`bodies`); null is left out. Wrong values are wrong usage.
    """
    from pydantic import ValidationError

    from api.registry import store as registry_store
    from api.registry.bodies import BODIES

    try:
        body = BODIES[verb].model_validate({name: value for name, value in asked.items() if value is not None})
    except ValidationError as error:
        told = [f"{field}: found {found}, expected {expected}" for field, found, expected in value_errors(error)]
        raise typer.BadParameter("; ".join(told)) from None
    client_id = id_of(wanted)
    with registry() as store:
        receipt = registry_store.perform(store, verb, act_now(client_id, wanted), body.asked())
        registry_store.seal_if_due(store, _now_us())
    show([receipt], wanted)


def id_of(wanted: Ask) -> str:
    """The id that was given, or one made up; told before anything happens, so that it cannot be lost."""
    from uuid import uuid4

    if wanted.client_id is not None:
        return wanted.client_id
    client_id = f"cli-{uuid4()}"
    typer.echo(texts("cli", wanted.lang)["registry_id_made"].format(id=client_id), err=True)
    return client_id


def act_now(client_id: str, wanted: Ask) -> "Act":
    """The act under this id, at the time that was given or else now."""
    from carbon.ledger.book import Act

    return Act(client_id, _now_us() if wanted.at is None else past_us_of(wanted.at, "--at"), wanted.actor)


def show(receipts: "list[Receipt]", wanted: Ask) -> None:
    """Show what came of acts. Each refusal is told on standard error too, and the exit code is then 1."""
    from api.registry import screens as registry_screens
    from api.registry import store as registry_store

    registry_screens.show_receipts(registry_screens.receipt_rows(receipts), wanted.form, wanted.lang)
    text = texts("cli", wanted.lang)
    refused = [receipt for receipt in receipts if not receipt.done]
    for receipt in refused:
        # The message is English, as the log keeps it; the check's name says it in Chinese.
        check = registry_store.check_name(receipt.code or "")
        code = f"{check.code}，{check.name_zh}" if wanted.lang == "zh" else check.code
        words = {"code": code, "message": receipt.message, "id": receipt.client_id}
        typer.echo(text["registry_refused"].format(**words), err=True)
    if refused:
        raise typer.Exit(FAILED)


def value_errors(error: "ValidationError") -> list[tuple[str, str, str]]:
    """What pydantic refused: the field, what was found, what was expected."""
    told = []
    for detail in error.errors():
        field = ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "missing":
            told.append((field, "nothing", "a value"))
        elif detail["type"] == "extra_forbidden":
            told.append((field, repr(detail["input"])[:_LONGEST_FOUND], "nothing: this verb has no such field"))
        else:
            expected = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            told.append((field, repr(detail["input"])[:_LONGEST_FOUND], expected))
    return told


@contextmanager
def registry() -> Iterator["Store"]:
    """The store that the environment names, closed at the end.

    What is not in the ledger ends the command with exit code 3, an id in use and a busy log with 1, and a question
    that no list understands is wrong usage.
    """
    from api.registry.store import NotInLedger
    from api.settings import Settings
    from api.store import open_store
    from carbon.ledger.chain import SealBusy
    from carbon.ledger.listing import BadCursor, BadFilter
    from carbon.ledger.orders import IdInUse
    from carbon.ledger.trace import UnknownSerial

    store = open_store(Settings.from_env(os.environ))
    try:
        yield store
    except (BadFilter, BadCursor) as wrong:
        raise typer.BadParameter(str(wrong)) from None
    except (NotInLedger, UnknownSerial) as missing:
        stop(NOT_FOUND, str(missing))
    except (IdInUse, SealBusy) as refused:
        stop(FAILED, str(refused))
    finally:
        store.close()


def stop(code: int, message: str) -> NoReturn:
    """End the command with an exit code and one message on standard error."""
    typer.echo(f"greenfin: {message}", err=True)
    raise typer.Exit(code)


def _now_us() -> int:
    from api.clock import now_us

    return now_us()
