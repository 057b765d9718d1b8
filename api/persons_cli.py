"""The commands `greenfin persons`: personal carbon accounts.

Knows commands, options and how rows look to people. A person's id is read from a file, from an option or, as `-`, from
standard input, so that it need not stand in the shell's history; it is never printed. Imports what a command needs
inside the command, so that `--help` stays quick.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.lang import texts
from api.options import FAILED, INVALID_DATA, FormatOption, LangOption, format_of, lang_of
from api.registry.options import day_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from api.lang import Lang
    from api.output import Format
    from api.settings import Settings
    from api.store import Store
    from carbon.errors import Problem
    from carbon.footprints.persons.credits import Rule

persons_app = typer.Typer(
    help="Personal carbon accounts: consent, reductions, credits, erasure. The salts come from GREENFIN_PERSON_SALTS.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

PlatformOption = Annotated[str, typer.Option("--platform", help="Code of the platform.")]
PersonOption = Annotated[str, typer.Option("--person", help="The platform's id of the person; - reads it from stdin.")]
FilesArgument = Annotated[Path, typer.Argument(metavar="FILE", help="CSV file.")]


@persons_app.command()
def platform(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="A new platform; the list without it.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Who runs it.")] = None,
    scheme: Annotated[str | None, typer.Option("--scheme", help="Scheme of its credits, such as CN-WH-TPH.")] = None,
    account: Annotated[str | None, typer.Option("--account", help="Ledger account its credits go to.")] = None,
    instrument: Annotated[str | None, typer.Option("--instrument", help="Kind of unit, such as WHTPH.")] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Register who runs an app, or list the platforms. With scheme, account and instrument it can certify credits."""
    from api import persons
    from api.clock import now_us
    from api.person_salts import load_salts

    chosen, tongue = format_of(form), lang_of(lang)
    if code is not None and name is None:
        raise typer.BadParameter("found none; expected who runs the platform", param_hint="--name")
    with _opened() as (store, settings):
        if code is not None:
            asked = {"platform": code, "name": name, "scheme": scheme}
            asked |= {"ledger_account": account, "instrument": instrument}
            persons.register_platform(store, load_salts(settings, code), now_us(), asked)
        rows = persons.platforms(store)
    _show(rows, texts("cli", tongue)["persons_title_platforms"], chosen, tongue)


@persons_app.command()
def register(file: FilesArgument, platform: PlatformOption, lang: LangOption = "en", form: FormatOption = None) -> None:
    """Give and withdraw consent: person, hub, event, day, purposes, methods. The first consent opens an account."""
    from api import persons
    from api.clock import now_us
    from api.person_salts import load_salts
    from carbon.footprints.persons.files import read_consents

    chosen, tongue = format_of(form), lang_of(lang)
    read = read_consents(file)
    with _opened() as (store, settings):
        rows = persons.change_consents(store, platform, load_salts(settings, platform), read.rows, now_us())
    _show_outcomes(rows, read.problems, chosen, tongue)


@persons_app.command()
def record(file: FilesArgument, platform: PlatformOption, lang: LangOption = "en", form: FormatOption = None) -> None:
    """Record what persons did: claim, person, day, method, amount, unit. Twice changes nothing."""
    from api import persons
    from api.clock import now_us
    from api.person_salts import load_salts
    from carbon.footprints.persons.files import read_claims

    chosen, tongue = format_of(form), lang_of(lang)
    read = read_claims(file)
    with _opened() as (store, settings):
        rows = persons.record_claims(store, platform, load_salts(settings, platform), read.rows, now_us())
    _show_outcomes(rows, read.problems, chosen, tongue)


@persons_app.command()
def show(
    platform: PlatformOption,
    person: PersonOption,
    consents: Annotated[bool, typer.Option("--consents", help="The person's consents instead of the sums.")] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Show what one person has: by month and method, with what went over the caps, was certified, and is left."""
    from api import persons
    from api.person_salts import load_salts

    chosen, tongue = format_of(form), lang_of(lang)
    with _opened() as (store, settings):
        own, given = persons.show(store, platform, load_salts(settings, platform), _person(person))
    title = texts("cli", tongue)["persons_title_consents" if consents else "persons_title_account"]
    _show(given if consents else own, title, chosen, tongue)


@persons_app.command()
def certify(
    platform: PlatformOption,
    client_id: Annotated[str | None, typer.Option("--id", help="Id of the act; the same id happens once.")] = None,
    tonnes: Annotated[int | None, typer.Option("--tonnes", min=1, help="So many; all whole ones without it.")] = None,
    day: Annotated[str | None, typer.Option("--day", help="Entries up to this day; today without it.")] = None,
    rule: Annotated[str, typer.Option("--rule", help="fifo (oldest first) or pro_rata.")] = "fifo",
    actor: Annotated[str, typer.Option("--actor", help="Who acts, for the log.")] = "cli",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Make whole tonnes of persons' grams and issue them to the platform's account in the ledger."""
    from api import persons
    from api.output import write_lines
    from api.registry.session import act_now, ask, id_of, show

    until, chosen = day_of(day, "--day"), _rule(rule)
    wanted = ask(client_id, actor, None, form, lang)
    act = act_now(id_of(wanted), wanted)
    with _opened() as (store, _settings):
        made = persons.certify(store, act, platform=platform, day=until, tonnes=tonnes, rule=chosen)
    if made.receipt.done:
        words = {"tonnes": made.tonnes, "accounts": made.accounts, "entries": made.entries}
        write_lines([texts("cli", wanted.lang)["persons_certified"].format(**words)], wanted.form)
    show([made.receipt], wanted)


@persons_app.command()
def erase(platform: PlatformOption, person: PersonOption, lang: LangOption = "en") -> None:
    """Erase a person: account, consents and entries go, the totals stay. A second time changes nothing."""
    from api import persons
    from api.clock import now_us
    from api.person_salts import load_salts

    text = texts("cli", lang_of(lang))
    with _opened() as (store, settings):
        done = persons.erase(store, platform, load_salts(settings, platform), _person(person), now_us())
    typer.echo(text["persons_erased" if done else "persons_not_there"])


@persons_app.command()
def totals(
    by: Annotated[str, typer.Option("--by", help="Any of platform, hub, month, method, with commas.")] = "hub,month",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Add up all entries, those of erased persons too."""
    from api import persons
    from carbon.footprints.persons.totals import PARTS

    chosen, tongue = format_of(form), lang_of(lang)
    parts = tuple(dict.fromkeys(part.strip() for part in by.split(",") if part.strip()))
    if not set(parts) <= set(PARTS):
        raise typer.BadParameter(f"found {by!r}; expected some of {', '.join(PARTS)}", param_hint="--by")
    with _opened() as (store, _settings):
        rows = persons.sums(store, parts)
    _show(rows, texts("cli", tongue)["persons_title_totals"], chosen, tongue)


@persons_app.command()
def accounts(lang: LangOption = "en", form: FormatOption = None) -> None:
    """Count the accounts of each city by year, with printed figures beside ours."""
    from api import persons

    chosen, tongue = format_of(form), lang_of(lang)
    with _opened() as (store, _settings):
        rows = persons.accounts_by_city(store)
    _show(rows, texts("cli", tongue)["persons_title_accounts"], chosen, tongue)


@persons_app.command()
def certifications(lang: LangOption = "en", form: FormatOption = None) -> None:
    """List what was certified: tonnes, and the grams that they were made of."""
    from api import persons

    chosen, tongue = format_of(form), lang_of(lang)
    with _opened() as (store, _settings):
        rows = persons.certifications(store)
    _show(rows, texts("cli", tongue)["persons_title_certifications"], chosen, tongue)


@persons_app.command()
def methods(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="CSV file of methods to load; the list without it.")
    ] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """List the methods with factors, caps, source and confidence, or load methods of your own first."""
    from api import persons
    from api.clock import now_us
    from carbon.footprints.persons.methods import read_methods

    chosen, tongue = format_of(form), lang_of(lang)
    problems: list[Problem] = []
    with _opened() as (store, _settings):
        if file is not None:
            read = read_methods(file)
            _added, others = persons.keep_methods(store, read.rows, now_us(), read.file)
            problems = [*read.problems, *others]
        rows = persons.method_rows(store)
    if chosen == "table":
        rows = rows.drop("name_en" if tongue == "zh" else "name_zh", "published", "remark", "origin")
    _show(rows, texts("cli", tongue)["persons_title_methods"], chosen, tongue)
    _tell(problems)
    if any(one.severity == "error" for one in problems):
        raise typer.Exit(INVALID_DATA)


def _show(rows: "pl.DataFrame", title: str, form: "Format", lang: "Lang") -> None:
    """The rows as they are for programs, with words for codes for people."""
    from api.footprint_words import person_words
    from api.screens import show_table

    show_table(rows if form != "table" else person_words(rows, lang), title, form, lang)


def _show_outcomes(rows: "pl.DataFrame", problems: "Sequence[Problem]", form: "Format", lang: "Lang") -> None:
    """What came of each row: all rows for programs, for people those that were refused; then the counts."""
    import polars as pl

    from api.output import write_lines

    text = texts("cli", lang)
    refused = rows.filter(status="refused")
    if form != "table":
        _show(rows, "", form, lang)
    elif refused.height:
        shown = refused.select("row", "code", pl.col(f"reason_{lang}").alias("reason"))
        _show(shown, text["persons_title_refused"], form, lang)
    _tell(problems)
    bad = len({one.row for one in problems if one.severity == "error"})
    counts = {"kept": rows.height - refused.height, "refused": refused.height, "bad": bad}
    write_lines([text["persons_outcome"].format(**counts)], form)
    if (refused.height or bad) and not counts["kept"]:
        raise typer.Exit(INVALID_DATA)


def _tell(problems: "Sequence[Problem]") -> None:
    for problem in problems:
        typer.echo(str(problem), err=True)


def _person(given: str) -> str:
    return sys.stdin.readline().rstrip("\r\n") if given == "-" else given


def _rule(name: str) -> "Rule":
    from carbon.footprints.persons.credits import RULES

    for known in RULES:
        if name == known:
            return known
    raise typer.BadParameter(f"found {name!r}; expected {' or '.join(RULES)}", param_hint="--rule")


@contextmanager
def _opened() -> "Iterator[tuple[Store, Settings]]":
    """The store and the settings; a refusal ends the command with exit code 1 and its code."""
    from api.settings import Settings
    from api.store import open_store
    from carbon.footprints.persons.refusals import PersonRefusal
    from carbon.ledger.orders import IdInUse

    settings = Settings.from_env(os.environ)
    store = open_store(settings)
    try:
        yield store, settings
    except (PersonRefusal, IdInUse) as refused:
        typer.echo(f"greenfin: {refused}", err=True)
        raise typer.Exit(FAILED) from None
    finally:
        store.close()
