"""The commands `greenfin registry` that read: lists, one account or transaction, a unit's life, compliance, seals.

Knows commands and options. The acts stand in the modules `registry_*_cli`. Whoever runs a command has the database
itself, so nothing is hidden here that the HTTP API hides. Imports what a command needs inside the command, so that
`--help` stays quick.
"""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.lang import texts
from api.options import FormatOption, LangOption, format_of, lang_of
from api.registry.act_cli import parties_app
from api.registry.many_cli import many_app
from api.registry.move_cli import movements_app
from api.registry.options import YearOption, day_of
from api.registry.session import registry
from api.registry.settle_cli import linked_app

if TYPE_CHECKING:
    import polars as pl

_LISTS: Final = {
    "schemes": "List the schemes: national, pilots, foreign ones, offset programmes.",
    "instruments": "List the kinds of units: vintages of allowances, batches of offsets, money.",
    "entities": "List the holders.",
    "accounts": "List the accounts.",
    "representatives": "List who may act for which account, now and before.",
    "holdings": "List what each account holds and how much of it is reserved.",
    "transactions": "List every act, done or refused.",
    "transfers": "List the legs of all movements.",
    "blocks": "List the runs of serial numbers and who holds them.",
    "statements": "List verified emissions and final allocations as they were stated.",
    "seals": "List the links of the hash chain.",
}
_MOST_ROWS: Final = 1000
_CHINA_US: Final = 8 * 3_600_000_000  # UTC+8, whose calendar the rules follow

registry_app = typer.Typer(
    help="The carbon registry. Lists and views read; all other commands are acts, which happen once for their id.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _add_list(name: str, help: str) -> None:
    @registry_app.command(name, help=help)
    def show(
        filters: Annotated[
            list[str] | None,
            typer.Option(
                "--filter",
                metavar="NAME=VALUE",
                help="A column's value; NAME_in=A,B, NAME_from, NAME_to and NAME_null=true too. May be given again.",
            ),
        ] = None,
        sort: Annotated[str | None, typer.Option("--sort", help="A column; -COLUMN for descending.")] = None,
        after: Annotated[str | None, typer.Option("--after", help="Cursor that the page before named.")] = None,
        limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST_ROWS, help="Rows at most.")] = 100,
        every: Annotated[bool, typer.Option("--all", help="All rows from there on.")] = False,
        lang: LangOption = "en",
        form: FormatOption = None,
    ) -> None:
        chosen, tongue = format_of(form), lang_of(lang)
        rows, following = _list(name, _filters(filters or []), sort, after, _MOST_ROWS if every else limit, every)
        from api.output import write_lines
        from api.registry import screens as registry_screens

        text = texts("cli", tongue)
        registry_screens.show_rows(rows, text[f"registry_title_{name}"].format(rows=rows.height), chosen, tongue)
        if following is not None:
            write_lines([text["registry_next"].format(cursor=following)], chosen)


for _name, _help in _LISTS.items():
    _add_list(_name, _help)


@registry_app.command()
def account(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The account's code.")],
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Show one account: holder, representatives, what it holds."""
    from api.registry import screens as registry_screens
    from api.registry import store as registry_store

    chosen, tongue = format_of(form), lang_of(lang)
    with registry() as store:
        row = registry_store.account(store, code, private=True)
    holdings = _list("holdings", {"account": code}, every=True)[0]
    registry_screens.show_account(row, holdings, chosen, tongue)


@registry_app.command()
def transaction(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="The id that the act was given.")],
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Show one act and its legs: what was asked, what came of it, what moved."""
    from api.registry import screens as registry_screens
    from api.registry import store as registry_store

    chosen, tongue = format_of(form), lang_of(lang)
    with registry() as store:
        rows = registry_store.transaction(store, client_id, private=True)
    registry_screens.show_transaction(rows, chosen, tongue)


@registry_app.command()
def trace(
    serial: Annotated[str, typer.Argument(metavar="SERIAL", help="Such as CEA24:1000 or CEA24:1000-1999.")],
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Tell the whole life of a unit or of a run of units, and where it is now."""
    from api.registry import screens as registry_screens
    from api.registry import store as registry_store

    chosen, tongue = format_of(form), lang_of(lang)
    with registry() as store:
        rows = registry_store.trace(store, serial)
    registry_screens.show_trace(rows, serial, chosen, tongue)


@registry_app.command()
def compliance(
    scheme: Annotated[str | None, typer.Option("--scheme", help="Only this scheme.")] = None,
    year: YearOption = None,
    account: Annotated[str | None, typer.Option("--account", help="Only this account.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="At the end of this day; today without it.")] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Show how each operator stands with each compliance year; every status is derived, none was ever typed."""
    from datetime import date, timedelta

    from api.clock import now_us
    from api.registry import screens as registry_screens
    from api.registry import store as registry_store

    chosen, tongue = format_of(form), lang_of(lang)
    today = date(1970, 1, 1) + timedelta(microseconds=now_us() + _CHINA_US)
    day = day_of(as_of, "--as-of") or today
    with registry() as store:
        rows = registry_store.compliance(store, day, scheme=scheme, year=year, account=account)
    registry_screens.show_compliance(rows, day, chosen, tongue)


@registry_app.command("seal")
def seal_now(lang: LangOption = "en", form: FormatOption = None) -> None:
    """Seal all of the log that is not sealed yet and print the digest to publish."""
    from api.clock import now_us
    from api.registry import screens as registry_screens
    from api.registry import store as registry_store

    chosen, tongue = format_of(form), lang_of(lang)
    with registry() as store:
        made = registry_store.seal(store, now_us())
    if made is None:
        typer.echo(texts("cli", tongue)["registry_nothing_to_seal"], err=True)
    registry_screens.show_head(_head(), chosen, tongue)


@registry_app.command()
def head(lang: LangOption = "en", form: FormatOption = None) -> None:
    """Print the digest of the last seal: published elsewhere, it proves later that nothing before it was changed."""
    from api.registry import screens as registry_screens

    chosen, tongue = format_of(form), lang_of(lang)
    registry_screens.show_head(_head(), chosen, tongue)


def _head() -> "pl.DataFrame":
    return _list("seals", {}, sort="-seal", limit=1)[0].select("seal", "at", "sha256")


def _filters(entries: list[str]) -> dict[str, object]:
    """`account=A` as a name and a text; the same name twice is refused, since one would be lost."""
    found: dict[str, object] = {}
    for entry in entries:
        name, sign, value = entry.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"found {entry[:80]!r}; expected NAME=VALUE", param_hint="--filter")
        if name in found:
            raise typer.BadParameter(f"found {name!r} twice; expected it once, or {name}_in=A,B", param_hint="--filter")
        found[name] = value
    return found


def _list(
    name: str,
    filters: dict[str, object],
    sort: str | None = None,
    after: str | None = None,
    limit: int = _MOST_ROWS,
    every: bool = False,
) -> "tuple[pl.DataFrame, str | None]":
    """Rows of a list and the cursor of those that follow; with `every`, all of them from there on."""
    import polars as pl

    from api.registry import store as registry_store

    pages = []
    with registry() as store:
        while True:
            page = registry_store.page(store, name, filters=filters, sort=sort, after=after, limit=limit, private=True)
            pages.append(page.rows)
            after = page.next
            if after is None or not every:
                return pl.concat(pages), after


for _acts in (parties_app, movements_app, linked_app, many_app):
    registry_app.add_typer(_acts)
