"""The commands `greenfin footprint uncertainty`, `quality` and `disclosure`, and `greenfin financed`.

Knows commands, options and which columns people see. Computes nothing: the measures live in `carbon.footprints`.
Imports what a command needs inside it, so that `--help` stays quick.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.lang import Lang, texts
from api.opened import opened_session
from api.options import INVALID_DATA, NOT_FOUND, FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl
    from sqlmodel import Session


quality_app = typer.Typer(rich_markup_mode=None)
financed_app = typer.Typer(rich_markup_mode=None)

_STANDARDS = ("GRI 305", "IFRS S2", "ESRS E1-6")

EntitiesOption = Annotated[
    list[str] | None, typer.Option("--entity", help="Code of the company or plant; again for more; all without it.")
]
YearOption = Annotated[int | None, typer.Option("--year", help="Year in which the periods end; all without it.")]
ByOption = Annotated[
    str, typer.Option("--by", help="Columns of lines with commas: entity, hub, sector, year, scope, category, ...")
]
MethodOption = Annotated[str, typer.Option("--method", help="location or market: how scope 2 is counted.")]


@quality_app.command()
def uncertainty(
    entities: EntitiesOption = None,
    year: YearOption = None,
    by: ByOption = "",
    method: MethodOption = "location",
    contributions: Annotated[
        bool, typer.Option("--contributions", help="What each factor and activity adds to the variance.")
    ] = False,
    unknown: Annotated[bool, typer.Option("--unknown", help="The lines without any range.")] = False,
    monte_carlo: Annotated[
        bool, typer.Option("--monte-carlo", help="By trial instead of error propagation: for lopsided ranges.")
    ] = False,
    trials: Annotated[int, typer.Option("--trials", min=1, help="Trials of --monte-carlo.")] = 10_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of --monte-carlo; the same gives the same.")] = 1,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Emissions with their 95 % interval, by error propagation or Monte Carlo.

    Lines that share a factor go up and down together. A line without a range is not certain: the share of the emissions
    that ranges cover stands beside each interval.
    """
    from api import footprint_quality_screens as screens
    from api.output import write_lines
    from carbon.footprints import uncertainty as measures
    from carbon.footprints.activity_store import read_stored
    from carbon.footprints.monte_carlo import simulate

    chosen, tongue, way, columns = format_of(form), lang_of(lang), _method_of(method), _columns_of(by)
    _one_of(contributions=contributions, unknown=unknown, monte_carlo=monte_carlo)
    with opened_session() as session:
        lines, factors = _result(session, entities, year, tongue)
        known = (lines, factors, read_stored(session, entities=entities, replaced=True))
    text = texts("cli", tongue)
    if contributions:
        rows = measures.contributions(*known, by=columns, method=way)
        screens.show_contributions(rows, columns, text["title_contributions"], chosen, tongue)
        return
    if unknown:
        rows = measures.unknown_lines(*known, method=way)
        screens.show_figures(rows, screens.LINES, text["title_unknown_lines"], chosen, tongue)
        return
    covered = measures.propagate(*known, by=columns, method=way)
    if monte_carlo:
        shares = covered.select(screens.RANGED)
        rows = simulate(*known, seed=seed, trials=trials, by=columns, method=way).hstack(shares)
        title, shown = text["title_monte_carlo"].format(trials=trials, seed=seed), screens.TRIALS
    else:
        rows, title, shown = covered, text["title_uncertainty"], screens.INTERVALS
    screens.show_figures(rows, [*columns, *shown, *screens.RANGED], title, chosen, tongue)
    write_lines([text["uncertainty_ranged"]] if chosen == "table" else [], chosen)


@quality_app.command()
def quality(
    entities: EntitiesOption = None,
    year: YearOption = None,
    by: ByOption = "entity,year",
    method: MethodOption = "location",
    evidence: Annotated[bool, typer.Option("--evidence", help="Emissions by kind of evidence instead.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="The rules of the score, with source and confidence.")] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Quality of the data behind emissions: PCAF score, coverage, completeness, timeliness, verified share."""
    from api import footprint_quality_screens as screens
    from api.screens import show_table
    from carbon.footprints import quality as measures

    chosen, tongue, way, columns = format_of(form), lang_of(lang), _method_of(method), _columns_of(by)
    text = texts("cli", tongue)
    if rules:
        table = measures.pcaf_rules()
        shown = ("option", "score", f"name_{tongue}", "evidence", "scopes", "confidence", "assumed")
        show_table(table if chosen != "table" else table.select(shown), text["title_pcaf_rules"], chosen, tongue)
        return
    with opened_session() as session:
        lines = measures.score_lines(*_result(session, entities, year, tongue))
    if evidence:
        rows = measures.evidence_shares(lines, by=columns, method=way)
        screens.show_figures(rows, [*columns, *screens.EVIDENCE], text["title_quality"], chosen, tongue)
    else:
        rows = measures.quality(lines, by=columns, method=way)
        screens.show_quality(rows, columns, text["title_quality"], chosen, tongue)


@quality_app.command()
def disclosure(
    entities: EntitiesOption = None,
    year: YearOption = None,
    standards: Annotated[
        list[str] | None, typer.Option("--standard", help="GRI 305, IFRS S2 or ESRS E1-6; again for more.")
    ] = None,
    revenue: Annotated[
        float | None, typer.Option("--net-revenue", min=0, help="Net revenue of the same entities and year, in CNY.")
    ] = None,
    ets: Annotated[
        list[str] | None, typer.Option("--ets-entity", help="Entity under an emissions trading scheme; again for more.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option("--group-entity", help="Entity of the consolidated group; again for more.")
    ] = None,
    boundary: Annotated[
        str | None, typer.Option("--boundary", help="Consolidation approach in words; that of the run without it.")
    ] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """The rows that GRI 305, IFRS S2 29(a) and ESRS E1-6 ask for; one that cannot be filled says why."""
    from api.footprint_quality_screens import show_disclosure
    from api.output import write_lines
    from carbon.footprints.disclosure import Facts, disclose
    from carbon.footprints.runs import latest_run

    chosen, tongue = format_of(form), lang_of(lang)
    for name in standards or []:
        if name not in _STANDARDS:
            raise typer.BadParameter(f"found {name!r}; expected {', '.join(_STANDARDS)}", param_hint="--standard")
    if revenue is not None and not math.isfinite(revenue):
        raise typer.BadParameter(f"found {revenue}; expected a finite number", param_hint="--net-revenue")
    with opened_session() as session:
        lines, _ = _result(session, entities, year, tongue)
        approach = latest_run(session).approach
        left = _left_out(session, entities, year)
    text = texts("cli", tongue)
    facts = Facts(boundary or text[f"boundary_{approach}"], revenue, ets, group)
    show_disclosure(disclose(lines, facts, standards=standards), text["title_disclosure"], chosen, tongue)
    write_lines([text["footprint_left"].format(count=left)] if left else [], chosen)


@financed_app.command()
def financed(
    portfolio: Annotated[Path, typer.Argument(metavar="PORTFOLIO", help="Loans and investments (.csv or .xlsx).")],
    year: YearOption = None,
    by: Annotated[str, typer.Option("--by", help="asset_class, sector, or both with a comma.")] = "",
    each: Annotated[bool, typer.Option("--rows", help="Every row of the portfolio instead of the sums.")] = False,
    method: MethodOption = "location",
    fixed: Annotated[
        list[str] | None,
        typer.Option("--set", help="COLUMN=TEXT for a column that the file has not: asset_class=listed_equity."),
    ] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Financed emissions of a portfolio: attribution, data quality, intensity; each scope apart.

    Columns: investee, asset_class, outstanding, currency, cny_per_unit, evic, equity, debt, total_assets, revenue,
    scope_1_t, scope_2_t, scope_3_t, score, score_3, sector, entity. An investee with an entity and no emissions of its
    own in the file takes those of the footprints calculated here. The portfolios of the ITR tool are read as they are
    (company_name, company_id, investment_value); they name no asset class: --set asset_class=listed_equity.
    """
    from api import footprint_quality_screens as screens
    from api.output import write_lines
    from api.screens import show_problems
    from carbon.footprints.financed import attribute, portfolio_totals
    from carbon.footprints.portfolio_files import read_portfolio
    from carbon.footprints.quality import score_lines

    chosen, tongue, way, columns = format_of(form), lang_of(lang), _method_of(method), _columns_of(by)
    text = texts("cli", tongue)
    reading = read_portfolio(portfolio, fixed=_fixed_of(fixed or []))
    lines = None
    if reading.rows["entity"].null_count() < reading.rows.height:
        with opened_session() as session:
            lines = score_lines(*_result(session, None, year, None))
    found = attribute(reading.rows, lines, method=way)
    title = text["title_financed"].format(file=portfolio.name)
    if each:
        screens.show_figures(found.rows, screens.HOLDINGS, title, chosen, tongue)
    else:
        totals = portfolio_totals(found.rows, by=columns)
        screens.show_figures(totals, [*columns, *screens.TOTALS], title, chosen, tongue)
    problems = [*reading.problems, *found.problems]
    if chosen == "table":
        show_problems(problems, chosen, tongue)
    else:
        write_lines([str(problem) for problem in problems], chosen)
    write_lines([text["portfolio_assumed"].format(what=what) for what in reading.assumed], chosen)
    if found.rows["attribution"].count() == 0:
        raise typer.Exit(INVALID_DATA)


def _fixed_of(words: list[str]) -> dict[str, str]:
    """Column to text of COLUMN=TEXT; anything else ends the command with exit code 2."""
    made: dict[str, str] = {}
    for word in words:
        name, is_pair, value = (part.strip() for part in word.partition("="))
        if not (name and is_pair and value) or name in made:
            said = f"found {word!r}; expected COLUMN=TEXT, such as asset_class=listed_equity, a column once"
            raise typer.BadParameter(said, param_hint="--set")
        made[name] = value
    return made


def _result(
    session: "Session", entities: list[str] | None, year: int | None, lang: Lang | None
) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """The lines that count today, of these entities and this year, and the factors that they were calculated with.

    lang : of the message that ends the command with exit code 3 where there are no lines; without it they may be none
    """
    import polars as pl

    from carbon.footprints.runs import latest_result

    result = latest_result(session)
    lines = result.lines
    if entities:
        lines = lines.filter(pl.col("entity").is_in(entities))
    if year is not None:
        lines = lines.filter(pl.col("last_day").dt.year() == year)
    if lines.is_empty() and lang is not None:
        typer.echo(f"greenfin: {texts('cli', lang)['no_footprint_lines']}", err=True)
        raise typer.Exit(NOT_FOUND)
    return lines, result.factors


def _left_out(session: "Session", entities: list[str] | None, year: int | None) -> int:
    """How many activities of these entities and this year could not be calculated, and so are in no figure."""
    import polars as pl

    from carbon.footprints.runs import latest_result

    left = latest_result(session).left_out
    if entities:
        left = left.filter(pl.col("entity").is_in(entities))
    if year is not None:
        left = left.filter(pl.col("last_day").dt.year() == year)
    return left["activity_id"].n_unique()


def _method_of(name: str) -> str:
    if name not in ("location", "market"):
        raise typer.BadParameter(f"found {name!r}; expected location or market", param_hint="--method")
    return name


def _columns_of(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _one_of(*, contributions: bool, unknown: bool, monte_carlo: bool) -> None:
    if contributions + unknown + monte_carlo > 1:
        found = "found several of --contributions, --unknown and --monte-carlo; expected one"
        raise typer.BadParameter(found, param_hint="--contributions")
