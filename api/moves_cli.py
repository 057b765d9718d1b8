"""The commands `greenfin what-if`, `target`, `break-even` and `rank-range`: what would move a city.

Knows the commands, their options and which columns people see. Computes nothing. Imports what a command needs inside
the command, so that `--help` stays quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api import DEFAULT_YEAR
from api.lang import texts
from api.opened import store_of_settings
from api.options import BaseOption, FormatOption, HubArgument, LangOption, YearOption, format_of, lang_of, one_of

if TYPE_CHECKING:
    from api.store import Store
    from green_index.index import Base

moves_app = typer.Typer(rich_markup_mode=None)

_MOST_DRAWS: Final = 1_000_000
LevelOption = Annotated[
    str | None,
    typer.Option("--level", help="A group, whose children are weighed; or indicators. The total's groups without."),
]


def _opened(base: str) -> "tuple[Store, Base]":
    from green_index.index import as_base

    edition = as_base(base)
    return store_of_settings(), edition


@moves_app.command("what-if")
def what_if(
    hub: HubArgument,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="CODE=VALUE, the value a figure, by:AMOUNT, by:PER CENT%, as:CITY or best; CITY/CODE=VALUE for "
            "another city; CODE alone with --to.",
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Take the figures of this city: of each CODE alone, or all.")
    ] = None,
    draws: Annotated[
        int, typer.Option("--draws", min=0, max=_MOST_DRAWS, help="Draws of a robustness run, for rank bands.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**53, help="Of the draws.")] = 0,
    listed: Annotated[
        str, typer.Option("--list", help="ranks, figures (what changed) or shifts (bounds and weights that moved).")
    ] = "ranks",
    year: YearOption = DEFAULT_YEAR,
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """What if figures were others: score and rank of every city before and after, and what else moved."""
    from api import moves, moves_screens

    wanted = one_of(listed, ("ranks", "figures", "shifts"), "--list")
    if not sets and to is None:
        raise typer.BadParameter("found no change; expected --set CODE=VALUE, or --to CITY", param_hint="--set")
    chosen, tongue = format_of(form), lang_of(lang)
    store, edition = _opened(base)
    rows = moves.what_if(store, hub, sets or [], year, edition, to, draws, seed)
    moves_screens.show_what_if(rows, wanted, year, chosen, tongue)


@moves_app.command()
def target(
    hub: HubArgument,
    rank: Annotated[int | None, typer.Option("--rank", min=1, max=1_000, help="The rank to be reached.")] = None,
    score: Annotated[float | None, typer.Option("--score", min=0, max=100, help="Or the score.")] = None,
    costs: Annotated[
        Path | None,
        typer.Option(
            "--costs",
            help="CSV or TOML: code, cost_per_point or cost_per_unit, lower, upper, fixed_cost, switch. 1 a point "
            "without it.",
        ),
    ] = None,
    fix: Annotated[list[str] | None, typer.Option("--fix", help="An indicator or group that stays as it is.")] = None,
    lead: Annotated[float, typer.Option("--lead", min=0, help="Points to be ahead of the city that is passed.")] = 0.01,
    hold: Annotated[
        bool, typer.Option("--hold", help="Aim higher until the goal holds on the index built again too.")
    ] = False,
    base_alone: Annotated[
        bool, typer.Option("--base-alone", help="In the base index (FHI), without the added groups.")
    ] = False,
    listed: Annotated[str, typer.Option("--list", help="moves (figures needed) or answer (one row).")] = "moves",
    year: YearOption = DEFAULT_YEAR,
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """The least effort that brings a city to a rank or a score, tried on the index built again."""
    from api import moves, moves_screens
    from green_index.moves.goals import Goal

    wanted = one_of(listed, ("moves", "answer"), "--list")
    if (rank is None) == (score is None):
        raise typer.BadParameter("found both or neither; expected one of --rank and --score", param_hint="--rank")
    chosen, tongue = format_of(form), lang_of(lang)
    store, edition = _opened(base)
    rows = moves.target(
        store, hub, year, edition, Goal(rank, score, lead, hold), costs, fix or [], base_alone=base_alone
    )
    moves_screens.show_target(rows, wanted, year, chosen, tongue)


@moves_app.command("break-even")
def break_even(
    hub: HubArgument,
    level: LevelOption = None,
    listed: Annotated[
        str,
        typer.Option("--list", help="nearest (change of rank), intervals (rank by weight) or pairs (each other city)."),
    ] = "nearest",
    year: YearOption = DEFAULT_YEAR,
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """At which weight of a group a city's rank changes, its siblings keeping their proportions."""
    from api import moves, moves_screens

    wanted = one_of(listed, ("nearest", "intervals", "pairs"), "--list")
    chosen, tongue = format_of(form), lang_of(lang)
    store, edition = _opened(base)
    moves_screens.show_break_even(moves.break_even(store, hub, year, edition, level), wanted, year, chosen, tongue)


@moves_app.command("rank-range")
def rank_range(
    hub: Annotated[str | None, typer.Argument(help="A city; all of them without it.")] = None,
    region: Annotated[
        str, typer.Option("--region", help="free (any weights), or 20% (within 20 per cent of each stated weight).")
    ] = "free",
    bound: Annotated[
        list[str] | None,
        typer.Option("--bound", help="A further limit: CODE>=SHARE, CODE<=SHARE, or CODE>=CODE for an order."),
    ] = None,
    level: LevelOption = None,
    listed: Annotated[str, typer.Option("--list", help="ranges, or weights (that give each end).")] = "ranges",
    year: YearOption = DEFAULT_YEAR,
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """The best and the worst rank of a city for any weights in a region, exactly, with weights that give them."""
    from api import moves, moves_screens
    from api.output import progress_bar
    from fhi.hubs import hubs

    wanted = one_of(listed, ("ranges", "weights"), "--list")
    chosen, tongue = format_of(form), lang_of(lang)
    store, edition = _opened(base)
    with progress_bar() as bar:
        task = bar.add_task(texts("analyses", tongue)["bar_rank_range"], total=1 if hub else len(hubs()))
        rows = moves.rank_range(store, hub, year, edition, region, level, bound or [], lambda: bar.advance(task))
    moves_screens.show_rank_range(rows, wanted, year, chosen, tongue)
