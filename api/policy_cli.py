"""The commands `greenfin policy` and `greenfin coverage`: what a city has done of what the paper proposes, and which
cities are ranked on which figures.

Knows the commands, their options and which columns people see. Computes nothing. Imports what a command needs inside
the command, so that `--help` stays quick.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api import DEFAULT_YEAR
from api.lang import Lang, texts
from api.opened import store_of_settings
from api.options import FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

    from api.output import Format

policy_app = typer.Typer(rich_markup_mode=None)

_LISTS: Final = ("proposals", "areas", "paths", "panel")
_OF_ONE_CITY: Final = ("proposals", "paths")


@policy_app.command()
def policy(
    hub: Annotated[str | None, typer.Argument(help="Slug, name in either language, or GB/T 2260 code.")] = None,
    listed: Annotated[
        str | None,
        typer.Option("--list", help="proposals, areas, paths, or panel (figures for `index build --values`)."),
    ] = None,
    evidence: Annotated[
        list[Path] | None,
        typer.Option(
            "--evidence",
            help="CSV of your own: hub, proposal (or path, step), status, evidence_zh, evidence_en, date, source; "
            "or hub, year, scenario, firm, source.",
        ),
    ] = None,
    year: Annotated[
        int | None, typer.Option("--year", min=1990, max=2100, help="As known at the end of this year.")
    ] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """The 16 policy proposals as a scorecard, by area, and the stages of the three paths: evidence, date, source."""
    from api import policy as rooms

    chosen, tongue = format_of(form), lang_of(lang)
    wanted = listed or ("areas" if hub is None else "proposals")
    if wanted not in _LISTS:
        raise typer.BadParameter(f"found {listed!r}; expected {', '.join(_LISTS)}", param_hint="--list")
    if hub is None and wanted in _OF_ONE_CITY:
        raise typer.BadParameter(f"found no city; expected one for {wanted}", param_hint="HUB")
    own = rooms.own_evidence(evidence) if evidence else None
    store = store_of_settings()
    if wanted == "panel":
        _show_figures(rooms.policy_figures(store, hub, own), chosen, tongue)
    elif wanted == "areas":
        _show_areas(rooms.policy_areas(store, hub, year, own), year, chosen, tongue)
    else:
        assert hub is not None
        rows = (rooms.policy if wanted == "proposals" else rooms.policy_paths)(store, hub, year, own)
        _show_items(rows, wanted, year, chosen, tongue, rooms.policy_areas(store, hub, year, own))


@policy_app.command()
def coverage(
    year: Annotated[int, typer.Option("--year", help="Calendar year.")] = DEFAULT_YEAR,
    base: Annotated[
        str, typer.Option("--base", help="open (open figures) or published (FHI 2017 as printed).")
    ] = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Which cities are ranked, which are not and why: the share of figures that each group of each city rests on."""
    from api import policy as rooms
    from green_index.index import as_base

    chosen, tongue = format_of(form), lang_of(lang)
    store, edition = store_of_settings(), as_base(base)
    _show_coverage(rooms.coverage(store, year, edition), rooms.coverage_rule(store, edition), chosen, tongue)


def _as_of(year: int | None, lang: Lang) -> str:
    return "" if year is None else texts("analyses", lang)["policy_as_of"].format(year=year)


def _show_items(
    rows: "pl.DataFrame", listed: str, year: int | None, form: "Format", lang: Lang, areas: "pl.DataFrame"
) -> None:
    """Proposals or stages of one city: what it is, how it stands, of which date; below, the evidence and its source."""
    from api.analysis_screens import show_analysis

    text = texts("analyses", lang)
    group, number, item = ("area", "proposal", "proposal") if listed == "proposals" else ("path", "step", "stage")
    columns = dict.fromkeys((f"{group}_{lang}", number, f"{item}_{lang}", f"status_{lang}", "date"), "{}")
    # The steps of each path are numbered from one.
    before = () if listed == "proposals" else (f"{group}_{lang}",)
    city = rows[f"name_{lang}"][0]
    remarks = []
    if form == "table":
        total = areas.filter(area="all").row(0, named=True)
        shares = {"low": total["share_low"], "high": total["share_high"], "known": total["known_share"]}
        if listed == "proposals":
            remarks.append(text["policy_areas_remark"].format(city=city, **shares))
        lines = [
            text["policy_evidence_line"].format(
                place=" ".join(str(row[name]) for name in (*before, number, f"{item}_{lang}")),
                status=row[f"status_{lang}"],
                date=row["date"],
                evidence=row[f"evidence_{lang}"],
                source=row["source"],
            )
            for row in rows.drop_nulls("source").iter_rows(named=True)
        ]
        remarks += [text["policy_evidence"], *lines] if lines else []
    title = text[f"title_policy_{listed}"].format(city=city, year=_as_of(year, lang))
    shown = _first_only(rows, f"{group}_{lang}") if form == "table" else rows
    show_analysis(shown, title, columns, form, lang, remarks)


def _first_only(rows: "pl.DataFrame", name: str) -> "pl.DataFrame":
    """The rows with a name left empty where the row above has the same one."""
    import polars as pl

    is_first = pl.col(name).ne_missing(pl.col(name).shift(1))
    return rows.with_columns(pl.when(is_first).then(pl.col(name)).otherwise(pl.lit("")).alias(name))


def _show_figures(rows: "pl.DataFrame", form: "Format", lang: Lang) -> None:
    """Figures as the panel has them; people see the sources below."""
    from api.analysis_screens import show_analysis
    from fhi.hubs import hubs

    text = texts("analyses", lang)
    named = rows.join(hubs().select("hub", f"name_{lang}"), on="hub", how="left", maintain_order="left")
    sources = [f"  {source}" for source in rows["source"].unique(maintain_order=True)]
    remarks = [text["policy_sources"], *sources] if form == "table" and sources else []
    columns = {f"name_{lang}": "{}", "period": "{}", "code": "{}", "value": "{:.3g}", "unit": "{}"}
    show_analysis(named if form == "table" else rows, text["title_policy_panel"], columns, form, lang, remarks)


def _show_areas(rows: "pl.DataFrame", year: int | None, form: "Format", lang: Lang) -> None:
    """Cities with any evidence by area, each cell the least and the most that can be adopted, of how many."""
    import polars as pl

    from api.analysis_screens import show_analysis

    text = texts("analyses", lang)
    if form != "table":
        show_analysis(rows, "", {}, form, lang)
        return
    total = rows.filter(pl.col("area") == "all").select("hub", "partly", "unknown", "known_share")
    known = total.filter(pl.col("known_share") > 0)["hub"]
    shown = rows.filter(pl.col("hub").is_in(known if known.len() else rows["hub"].implode()))
    cell = pl.format("{}–{} / {}", "adopted", pl.col("adopted") + pl.col("unknown"), "proposals")
    wide = (
        shown.with_columns(cell.alias("cell"), pl.format("area_{}", "area").alias("area"))
        .pivot("area", index=["hub", f"name_{lang}"], values="cell", maintain_order=True)
        .join(total, on="hub", how="left", maintain_order="left")
    )
    areas = [name for name in wide.columns if name.startswith("area_")]
    columns = dict.fromkeys((f"name_{lang}", *areas, "partly", "unknown"), "{}")
    remarks = [
        text["policy_areas_remark"].format(city=city, low=low, high=high, known=share)
        for city, low, high, share in shown.filter(pl.col("area") == "all")
        .select(f"name_{lang}", "share_low", "share_high", "known_share")
        .iter_rows()
    ]
    left = total.height - wide.height
    if left:
        remarks.append(text["policy_no_evidence"].format(count=left))
    show_analysis(wide, text["title_policy_areas"].format(year=_as_of(year, lang)), columns, form, lang, remarks)


def _show_coverage(rows: "pl.DataFrame", rule: Mapping[str, float], form: "Format", lang: Lang) -> None:
    """A line a city: its rank, the coverage of each group and of the whole, and why it is ranked or not."""
    import polars as pl

    from api.analysis_screens import show_analysis
    from api.output import NONE

    if form != "table":
        show_analysis(rows, "", {}, form, lang)
        return
    text = texts("analyses", lang)
    total = rows.filter(pl.col("level") == 0)
    groups = rows.filter(pl.col("level") == 1).select("code", "counted", f"group_{lang}").unique(maintain_order=True)
    wide = rows.filter(pl.col("level") == 1).pivot("code", index="hub", values="coverage", maintain_order=True)
    table = total.rename({"coverage": "coverage_total"}).join(wide, on="hub", how="left", maintain_order="left")
    columns = {
        "rank": "{}",
        f"name_{lang}": "{}",
        **dict.fromkeys(groups["code"], "{:.0%}"),
        "coverage_total": "{:.0%}",
        f"why_{lang}": "{}",
    }
    head = total.row(0, named=True)
    counts = {"ranked": total["rank"].count(), "cities": total.height}
    title = text["title_coverage"].format(year=head["year"], base=head["base"], **counts)
    apart = groups.filter(~pl.col("counted"))[f"group_{lang}"]
    shares = {name: f"{share:.0%}" for name, share in rule.items()}
    remarks = [text["coverage_rule"].format(apart=", ".join(apart) or NONE, **shares)]
    show_analysis(table, title, columns, form, lang, remarks)
