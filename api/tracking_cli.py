"""The commands `greenfin track` and `greenfin alerts`: a city over time, and whose band of ranks moved.

Knows the commands, their options and which columns people see. Computes nothing. Imports what a command needs inside
the command, so that `--help` stays quick.
"""

import re
from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.lang import Lang, texts
from api.opened import store_of_settings
from api.options import BaseOption, FormatOption, LangOption, YearsOption, format_of, lang_of, years_of

if TYPE_CHECKING:
    import polars as pl
    from rich.progress import Progress

    from api.output import Format
    from api.store import Store
    from api.tracking import Step
    from green_index.index import Base

tracking_app = typer.Typer(rich_markup_mode=None)

_YEARS: Final = re.compile(r"(\d{4})-(\d{4})")
_BANDS: Final = ("rank_median", "rank_p05", "rank_p95")
_TRACK: Final = {
    "rank": "{}",
    "rank_pooled": "{}",
    "band": "{}",
    "score_pooled": "{:.2f}",
    "gained": "{:+d}",
    "part_own": "{:+.2f}",
    "part_others": "{:+.2f}",
    "part_method": "{:+.2f}",
    "part_revision": "{:+.2f}",
    "points_gained": "{:+.2f}",
}
HubArgument = Annotated[str | None, typer.Argument(help="Slug, name in either language, or GB/T 2260 code.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, max=2**53, help="Of the draws.")]


@tracking_app.command()
def track(
    hub: HubArgument = None,
    years: YearsOption = None,
    year: Annotated[int | None, typer.Option("--year", help="One year, against the year before.")] = None,
    listed: Annotated[
        str, typer.Option("--list", help="years, or nodes: the first against the last year, by group and indicator.")
    ] = "years",
    draws: Annotated[int, typer.Option("--draws", min=0, max=100_000, help="Rank bands of so many draws.")] = 0,
    seed: SeedOption = 1,
    from_edition: Annotated[str | None, typer.Option("--from-edition", help="A stored edition.")] = None,
    to_edition: Annotated[str | None, typer.Option("--to-edition", help="Another one.")] = None,
    from_period: Annotated[str | None, typer.Option("--from-period", help="Of it; its last without it.")] = None,
    to_period: Annotated[str | None, typer.Option("--to-period", help="Of it; its last without it.")] = None,
    printed: Annotated[bool, typer.Option("--printed", help="Printed ranks beside our back-cast.")] = False,
    monthly: Annotated[bool, typer.Option("--monthly", help="By month, from loaded daily files.")] = False,
    first: Annotated[str | None, typer.Option("--from", help="First month, such as 2022-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last month.")] = None,
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """A city over the years or months: rank, score that compares, and why the rank moved (places gained by part)."""
    from green_index.index import as_base

    chosen, tongue = format_of(form), lang_of(lang)
    _check(hub, listed, from_edition, to_edition, printed=printed, monthly=monthly, months=(first, last))
    if year is not None and years is not None:
        raise typer.BadParameter("found --year and --years; expected one of them", param_hint="--year")
    years = years if year is None else f"{year - 1}-{year}"
    store, edition = store_of_settings(), as_base(base)
    if monthly:
        _show_months(store, edition, hub, (first, last), chosen, tongue)
    elif hub is not None and printed:
        _show_printed(store, hub, years_of(years) if year is None else range(year, year + 1), chosen, tongue)
    elif hub is not None and from_edition and to_edition:
        from api import tracking

        rows = tracking.edition_changes(store, hub, from_edition, to_edition, from_period, to_period)
        _show_changes(rows, chosen, tongue)
    elif hub is not None and listed == "nodes":
        from api import tracking

        span = _years(years, store, edition)
        _show_changes(tracking.rank_changes(store, edition, hub, span[0], span[-1]), chosen, tongue)
    else:
        _show_years(store, edition, hub, _years(years, store, edition), (draws, seed), chosen, tongue)


@tracking_app.command()
def alerts(
    hub: HubArgument = None,
    years: YearsOption = None,
    draws: Annotated[int, typer.Option("--draws", min=1, max=100_000, help="Of weights, for each year.")] = 2000,
    seed: SeedOption = 1,
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Whose rank band moved from one year to the next: strong where bands share no rank, weak where the median left."""
    from api import tracking
    from api.analysis_screens import show_analysis
    from api.output import progress_bar
    from green_index.index import as_base

    chosen, tongue = format_of(form), lang_of(lang)
    store, edition = store_of_settings(), as_base(base)
    span = _years(years, store, edition)
    text = texts("analyses", tongue)
    with progress_bar() as bar:
        rows = tracking.alerts(store, edition, span, hub, draws, seed, _step(bar, text["track_drawing"], len(span)))
    remarks = [text["alerts_remark"].format(draws=draws, seed=seed)]
    if rows.is_empty():
        remarks.insert(0, text["alerts_none"])
    columns = dict.fromkeys(("to_period", f"name_{tongue}", f"text_{tongue}"), "{}")
    title = text["title_alerts"].format(first=span[0], last=span[-1], base=base)
    show_analysis(rows, title, columns, chosen, tongue, remarks)


def _check(
    hub: str | None,
    listed: str,
    from_edition: str | None,
    to_edition: str | None,
    *,
    printed: bool,
    monthly: bool,
    months: tuple[str | None, str | None],
) -> None:
    """Options that do not go together, before anything is opened."""
    if listed not in ("years", "nodes"):
        raise typer.BadParameter(f"found {listed!r}; expected years or nodes", param_hint="--list")
    if (from_edition is None) != (to_edition is None):
        raise typer.BadParameter("found one edition; expected both --from-edition and --to-edition")
    if sum((printed, monthly, from_edition is not None)) > 1:
        raise typer.BadParameter("expected one of --printed, --monthly, or two editions")
    if any(months) and not monthly:
        raise typer.BadParameter("found months; expected --monthly beside --from and --to", param_hint="--from")
    if hub is None and (printed or from_edition or listed == "nodes"):
        raise typer.BadParameter("found no city; expected one", param_hint="HUB")


def _years(span: str | None, store: "Store", base: "Base") -> list[int]:
    """The years of 2013-2023; all that are known for none."""
    from api import tracking

    known = tracking.years_of(store, base)
    if span is None:
        return known
    found = _YEARS.fullmatch(span.strip())
    if found is None or int(found[1]) >= int(found[2]):
        expected = f"two years such as {known[0]}-{known[-1]}, the first before the last"
        raise typer.BadParameter(f"found {span!r}; expected {expected}", param_hint="--years")
    for year in (int(found[1]), int(found[2])):
        if year not in known:
            from green_index.errors import UnknownPeriod

            raise UnknownPeriod(f"no figures for {year}; known: {known[0]} to {known[-1]}")
    return list(range(int(found[1]), int(found[2]) + 1))


def _step(bar: "Progress", label: str, years: int) -> "Step":
    """What tells the bar of years done."""
    task = bar.add_task(label, total=years)
    return lambda done, _of: bar.update(task, completed=done)


def _show_years(
    store: "Store",
    base: "Base",
    hub: str | None,
    span: list[int],
    drawn: tuple[int, int],
    form: "Format",
    lang: Lang,
) -> None:
    """A line a year of one city, or a line a city of the last year."""
    import polars as pl

    from api import tracking
    from api.analysis_screens import show_analysis
    from api.output import progress_bar
    from green_index.rank_change import PARTS

    text = texts("analyses", lang)
    draws, seed = drawn
    with progress_bar() if draws else nullcontext() as bar:
        step = None if bar is None else _step(bar, text["track_drawing"], len(span))
        rows = tracking.track(store, base, span, hub, draws, seed, step)
    remarks = [text["track_remark"]]
    if draws:
        remarks.append(text["alerts_remark"].format(draws=draws, seed=seed))
    if form != "table":
        show_analysis(rows, "", {}, form, lang)
        return
    if hub is not None:
        lacking = rows.filter(pl.col("from_year").is_not_null()).drop_nulls("reason_en")
        remarks += [f"{row['year']}: {row[f'reason_{lang}']}" for row in lacking.iter_rows(named=True)]
    band = pl.format("{}–{}", *(pl.col(name).cast(pl.Int64) for name in _BANDS[1:]))
    told = rows.with_columns(pl.col(*PARTS).name.prefix("part_"), band=band, points_gained="score_change")
    if hub is None:
        told = told.filter(pl.col("year") == span[-1])
        title = text["title_track_all"].format(first=span[-2], last=span[-1], base=base)
        columns: Mapping[str, str] = {f"name_{lang}": "{}", **_TRACK}
    else:
        title = text["title_track"].format(city=rows[f"name_{lang}"][0], base=base)
        columns = {"year": "{}", **_TRACK}
    show_analysis(told, title, columns, form, lang, remarks)


def _show_changes(rows: "pl.DataFrame", form: "Format", lang: Lang) -> None:
    """The change of rank and of score by part, then of points by node."""
    import polars as pl

    from api.analysis_screens import show_analysis

    if form != "table":
        show_analysis(rows, "", {}, form, lang)
        return
    text = texts("analyses", lang)
    head = rows.row(0, named=True)
    names = {"city": head[f"name_{lang}"], **{key: head[key] for key in ("from_period", "to_period")}}
    remarks = [head[f"remark_{lang}"]] if head[f"remark_{lang}"] else []
    for kind, pattern in (("rank", "{:.0f}"), ("score", "{:.2f}"), ("points", "{:.2f}")):
        columns = {f"label_{lang}": "{}", "before": pattern, "after": pattern, "change": "{:+.3f}"}
        if kind == "points":
            columns |= {"by_score": "{:+.3f}", "by_weight": "{:+.3f}"}
        part = rows.filter(pl.col("kind") == kind)
        if part.height:
            show_analysis(part, text[f"title_track_{kind}"].format(**names), columns, form, lang)
    show_analysis(rows.clear(), "", {}, form, lang, [text["track_edition_line"].format(**head), *remarks])


def _show_printed(store: "Store", hub: str, years: range | None, form: "Format", lang: Lang) -> None:
    import polars as pl

    from api import tracking
    from api.analysis_screens import show_analysis
    from fhi.published import NOT_LISTED
    from green_index.errors import UnknownPeriod

    rows = tracking.printed_and_backcast(store, hub)
    if years is not None:
        known = rows["year"].to_list()
        rows = rows.filter(pl.col("year").is_in(list(years)))
        if rows.is_empty():
            raise UnknownPeriod(f"nothing printed and no figures for {years[0]}; known: {min(known)} to {max(known)}")
    text = texts("analyses", lang)
    columns = {"year": "{}", "index": "{}", f"label_{lang}": "{}", "printed_rank": "{}", "printed_text": "{}"}
    columns |= {"printed_ranked": "{}", "backcast_rank": "{}", "backcast_ranked": "{}", "extended_rank": "{}"}
    remarks = [
        text["printed_remark"],
        *(f"  {source}" for source in rows["printed_source"].drop_nulls().unique().sort()),
    ]
    if form == "table":
        rows = rows.with_columns(pl.col("printed_text").replace({NOT_LISTED: text["printed_not_listed"]}))
    show_analysis(rows, text["title_printed_beside"].format(city=rows[f"name_{lang}"][0]), columns, form, lang, remarks)


def _show_months(
    store: "Store", base: "Base", hub: str | None, months: tuple[str | None, str | None], form: "Format", lang: Lang
) -> None:
    """A line a month of one city, or a line a city of the last month. The edition is kept."""
    import polars as pl

    from api import tracking
    from api.analysis_screens import show_analysis
    from fhi.hubs import find_hub
    from green_index.index import green_framework

    wanted = None if hub is None else find_hub(hub)
    rows = tracking.monthly_scores(store, base, *months, keep=True)
    rows = rows if wanted is None else rows.filter(pl.col("hub") == wanted).sort("month")
    if form != "table":
        show_analysis(rows, "", {}, form, lang)
        return
    text = texts("analyses", lang)
    columns = {"rank": "{}", "score": "{:.2f}", "fintech": "{:.1f}", "carbon_finance": "{:.1f}"}
    columns |= {"sustainability_data": "{:.1f}", "coverage": "{:.0%}", "carried_share": "{:.0%}", "no_daily_file": "{}"}
    names = {"first": rows["month"].min(), "last": rows["month"].max(), "base": base}
    title, shown, lead = (
        text["title_months_all"].format(**names),
        rows.filter(pl.col("month") == names["last"]),
        f"name_{lang}",
    )
    if wanted is not None:
        title, shown, lead = text["title_months"].format(city=rows[f"name_{lang}"][0], **names), rows, "month"
    nodes = green_framework(base).node
    named = {code: node.name_zh if lang == "zh" else node.name_en for code, node in nodes.items()}
    short = pl.col("missing").list.eval(pl.element().replace(named)).list.join(", ")
    remarks = [text["months_remark"].format(edition=rows["edition"][0])]
    show_analysis(shown.with_columns(no_daily_file=short), title, {lead: "{}", **columns}, form, lang, remarks)
