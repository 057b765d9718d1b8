"""The commands `greenfin obstacles`, `gaps`, `strengths` and `explain`: why a city stands where it stands.

Knows the commands, their options and which columns people see. Computes nothing. Imports what a command needs inside
the command, so that `--help` stays quick.
"""

from typing import Annotated, Final

import typer

from api import DEFAULT_YEAR
from api.lang import Lang, texts
from api.opened import store_of_settings
from api.options import BaseOption, FormatOption, HubArgument, LangOption, YearOption, format_of, lang_of

obstacles_app = typer.Typer(rich_markup_mode=None)

ByOption = Annotated[str, typer.Option("--by", help="indicator or group.")]
_KINDS: Final = ("indicator", "group")


@obstacles_app.command()
def obstacles(
    hub: HubArgument,
    year: Annotated[int | None, typer.Option("--year", help=f"Calendar year; {DEFAULT_YEAR} without it.")] = None,
    by: ByOption = "indicator",
    every_year: Annotated[bool, typer.Option("--every-year", help="All years, in place of --year.")] = False,
    top: Annotated[int | None, typer.Option("--top", min=1, help="Only the first so many of a year.")] = None,
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """What holds a city back: obstacle degrees of indicators or groups, most first."""
    import polars as pl

    from api import standing_analyses
    from api.analysis_screens import show_analysis
    from green_index.index import as_base

    chosen, tongue, kind = format_of(form), lang_of(lang), _kind(by)
    if every_year and year is not None:
        raise typer.BadParameter("found --every-year beside it; expected one of them", param_hint="--year")
    chosen_year = DEFAULT_YEAR if year is None else year
    wanted = None if every_year else chosen_year
    rows = standing_analyses.obstacles(store_of_settings(), hub, as_base(base), wanted, kind)
    text = texts("analyses", tongue)
    head = rows.row(0, named=True)
    words = {"city": _name_of(hub, tongue), "by": text[f"by_{kind}"]}
    title = text["title_obstacles"].format(year=wanted, coverage=head["coverage"], **words)
    if every_year:
        title = text["title_obstacles_every_year"].format(**words)
    if top is not None:
        rows = rows.filter(pl.col("place").is_null() | (pl.col("place") <= top))
    columns = {
        **({"year": "{}"} if every_year else {}),
        "node": "{}",
        "level": "{}",
        "score": "{:.1f}",
        "weight": "{:.3f}",
        "points_lost": "{:.2f}",
        "obstacle": "{:.1%}",
        "place": "{}",
    }
    if kind == "indicator":
        del columns["level"]
    shown = rows.rename({f"name_{tongue}": "node"}) if chosen == "table" else rows
    reason = head["reason_zh" if tongue == "zh" else "reason"]
    remarks = ["", *([reason] if reason else []), text["obstacles_remark"]]
    show_analysis(shown, title, columns, chosen, tongue, remarks if chosen == "table" else ())


@obstacles_app.command()
def gaps(
    hub: HubArgument,
    to: Annotated[str, typer.Option("--to", help="A city, or leader (the best total).")] = "leader",
    year: YearOption = DEFAULT_YEAR,
    by: ByOption = "indicator",
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """What lies between a city and another, or the leader, in points of the total score."""
    import polars as pl

    from api import standing_analyses
    from api.analysis_screens import show_analysis
    from api.explanation_screens import plain_zeros
    from green_index.index import as_base

    chosen, tongue, kind = format_of(form), lang_of(lang), _kind(by)
    every = standing_analyses.gaps(store_of_settings(), hub, as_base(base), year, to)
    whole, rows = every.row(0, named=True), every.filter(pl.col("kind") == kind)
    text = texts("analyses", tongue)
    city, other = (_name_of(whole[name], tongue) for name in ("hub", "to_hub"))
    title = text["title_gaps"].format(city=city, other=other, year=year, gap=whole["gap"], by=text[f"by_{kind}"])
    columns = {
        "node": "{}",
        "level": "{}",
        "score": "{:.1f}",
        "score_to": "{:.1f}",
        "gap": "{:.2f}",
        "score_part": "{:.2f}",
        "coverage_part": "{:.2f}",
        "reason_zh" if tongue == "zh" else "reason_en": "{}",
    }
    if kind == "indicator":
        del columns["level"]
    if chosen == "table":
        rows = plain_zeros(
            rows.rename({f"name_{tongue}": "node", "reason": "reason_en"}), ("gap", "score_part", "coverage_part")
        )
    leads = [text["gaps_leads"].format(city=city)] if whole["hub"] == whole["to_hub"] else []
    remark = text["gaps_remark"].format(other=other, here=whole["coverage"], there=whole["coverage_to"])
    show_analysis(rows, title, columns, chosen, tongue, ["", *leads, remark] if chosen == "table" else ())


@obstacles_app.command()
def strengths(
    hub: HubArgument,
    year: YearOption = DEFAULT_YEAR,
    cut: Annotated[float, typer.Option("--cut", help="A strength lies within this share of the best end.")] = 0.1,
    nearest: Annotated[int, typer.Option("--nearest", max=1_000, help="So many nearest cities are peers.")] = 9,
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Strengths and weaknesses: position in every indicator, among all and among cities of like size and income."""
    from api import standing_analyses
    from api.analysis_screens import show_analysis
    from api.explanation_screens import verdicts
    from green_index.index import as_base
    from green_index.strengths import InvalidRule, Rule

    chosen, tongue = format_of(form), lang_of(lang)
    try:
        rows = standing_analyses.strengths(store_of_settings(), hub, as_base(base), year, Rule(cut, nearest))
    except InvalidRule as error:
        raise typer.BadParameter(str(error), param_hint="--cut, --nearest") from None
    text, head = texts("analyses", tongue), rows.row(0, named=True)
    columns = {
        "node": "{}",
        "score": "{:.1f}",
        "rank": "{}",
        "ranked": "{}",
        "position": "{:.2f}",
        "verdict": "{}",
        "peer_rank": "{}",
        "peers": "{}",
        "peer_distance": "{:+.2f}",
        "peer_verdict": "{}",
        "reason_zh" if tongue == "zh" else "reason_en": "{}",
    }
    if chosen == "table":
        rows = verdicts(rows.rename({f"name_{tongue}": "node", "reason": "reason_en"}), tongue)
    peers = text["explain_comma"].join(_name_of(name, tongue) for name in head["peer_hubs"].split(","))
    remark = text["positions_remark"].format(
        rule=head["rule"], peer_rule=head["peer_rule"], peers=peers, cut=cut, nearest=nearest
    )
    title = text["title_positions"].format(city=_name_of(hub, tongue), year=year)
    show_analysis(rows, title, columns, chosen, tongue, ["", remark] if chosen == "table" else ())


@obstacles_app.command()
def explain(
    hub: HubArgument,
    year: YearOption = DEFAULT_YEAR,
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Why a city stands where it stands: groups, every figure with its source and weight, what holds it back, the gap
    to the best, strengths and weaknesses, what has no figure, and remarks."""
    from api import standing_analyses
    from api.output import write_rows
    from green_index.index import as_base

    chosen, tongue = format_of(form), lang_of(lang)
    rows = standing_analyses.explanation(store_of_settings(), hub, as_base(base), year)
    if chosen != "table":
        write_rows(rows, chosen)
        return
    from api.explanation_screens import show_explanation

    show_explanation(rows, tongue)


def _kind(by: str) -> str:
    if by not in _KINDS:
        raise typer.BadParameter(f"found {by!r}; expected {' or '.join(_KINDS)}", param_hint="--by")
    return by


def _name_of(hub: str, lang: Lang) -> str:
    from api.explanation_screens import city_name

    return city_name(hub, lang)
