"""What `greenfin audit` shows a person, and which rows a program gets.

Knows which columns a reader wants and their labels. Computes nothing.
"""

from collections.abc import Sequence

import polars as pl

from api.lang import Lang, texts
from api.output import Format, write_lines
from api.registry.screens import show_rows


def show_findings(
    findings: pl.DataFrame, severities: Sequence[str], codes: Sequence[str] | None, form: Format, lang: Lang
) -> None:
    """The findings asked for, then how many of each check there are in all, and how many are not shown."""
    from api.registry.store import checks

    text = texts("cli", lang)
    shown = findings.filter(pl.col("severity").is_in(list(severities)))
    if codes:
        shown = shown.filter(pl.col("code").is_in(list(codes)))
    if form != "table" or shown.height:
        show_rows(shown, "", form, lang)
    named = dict(checks().select("code", f"name_{lang}").iter_rows())
    counts = findings.group_by("code", "severity").len().sort("code", "severity")
    lines = []
    for code, severity, count in counts.iter_rows():
        words = {"code": code, "severity": text[f"severity_{severity}"], "name": named.get(code) or text["audit_seal"]}
        lines.append(text["audit_count"].format(**words, count=count))
    if shown.height < findings.height:
        lines.append(text["audit_hidden"].format(hidden=findings.height - shown.height))
    write_lines(lines or [text["audit_clean"]], form)


def show_checks(checks: pl.DataFrame, form: Format, lang: Lang) -> None:
    """The checks: code, what must hold, the EU response codes; for people in one language."""
    other = "name_en" if lang == "zh" else "name_zh"
    rows = checks if form != "table" else checks.drop(other).rename({f"name_{lang}": "check"})
    show_rows(rows, texts("cli", lang)["title_checks"].format(rows=checks.height), form, lang)
