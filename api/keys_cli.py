"""The commands `greenfin keys`: who may write over HTTP.

Knows commands and options. How keys are made and kept stands in `api.keys`.
"""

from typing import Annotated

import typer

from api.lang import texts
from api.options import NOT_FOUND, FormatOption, LangOption, format_of, lang_of
from api.registry.session import registry, stop

keys_app = typer.Typer(help="Make, list and revoke keys of the HTTP API.", no_args_is_help=True, rich_markup_mode=None)

KeyName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the key; the log names it as the actor.")]


@keys_app.command()
def create(
    name: KeyName,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="write (acts, and sees persons' names) or read (sees them); again for both."),
    ] = None,
    lang: LangOption = "en",
) -> None:
    """Make a key and print it: the only time that it can be seen. Only its SHA-256 is kept."""
    from api import keys
    from api.clock import now_us

    tongue = lang_of(lang)
    with registry() as store:
        try:
            secret = keys.create_key(store.engine, name, now_us(), role or ("write",))
        except keys.BadKeyName as wrong:
            raise typer.BadParameter(str(wrong)) from None
    typer.echo(secret)
    typer.echo(texts("cli", tongue)["key_made"].format(name=name), err=True)


@keys_app.command("list")
def list_keys(lang: LangOption = "en", form: FormatOption = None) -> None:
    """List the keys: name, roles, when made and revoked; never the keys themselves."""
    from api import keys
    from api.registry import screens as registry_screens

    chosen, tongue = format_of(form), lang_of(lang)
    with registry() as store:
        rows = keys.list_keys(store.engine)
    registry_screens.show_rows(rows, texts("cli", tongue)["title_keys"].format(rows=rows.height), chosen, tongue)


@keys_app.command()
def revoke(name: KeyName, lang: LangOption = "en") -> None:
    """Make a key useless for ever. Its name is not used again."""
    from api import keys
    from api.clock import now_us

    text = texts("cli", lang_of(lang))
    with registry() as store:
        try:
            revoked = keys.revoke_key(store.engine, name, now_us())
        except keys.UnknownKeyName as missing:
            stop(NOT_FOUND, str(missing))
    typer.echo(text["key_revoked" if revoked else "key_revoked_before"].format(name=name))
