"""Reported emissions of companies in the workbooks of the ITR tool (os-climate, github.com/os-climate/ITR).

Knows both layouts. First: sheet "ITR input data", a row a company, columns `2019_ghg_s1` .. with the unit in
`emissions_metric`. Second: sheet "ITR V2 esg data", a row a company and metric (S1, S2, S3, ...), a column a year, the
unit in `unit`, a category of scope 3 or location and market in `submetric`. Either sheet may be saved as CSV, with
commas or, as the sample files of that tool are, semicolons. Layouts as the tool's docs/DataTemplateRequirements.rst
and src/ITR/data/template.py read them. Must not know how emissions are used.

Where that tool fills gaps by interpolation, nothing is filled here: a scope without a figure is null and listed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem, Severity, UnknownFormat
from carbon.findings import findings_where, to_problems
from carbon.footprints.activities import REPORTED, with_ids
from carbon.footprints.activity_words import category_words
from carbon.footprints.periods import first_day_expr, last_day_expr
from carbon.footprints.schemas import activities_schema
from carbon.formats.eu.sheets import find_header, read_sheets
from carbon.formats.semicolons import comma_separated, has_semicolons
from carbon.formats.text import decode, read_bytes, split_cells

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ItrReading", "read_itr"]

_WIDE: Final = r"^(\d{4})_ghg_(s1s2s3|s1s2|s1s3|s2s3|s1|s2|s3)$"
_YEAR: Final = r"^(\d{4})(?:\.0)?$"
_SCOPES: Final = {"S1": 1, "S2": 2, "S3": 3}
_SUMS: Final = ("S1S2", "S1S3", "S2S3", "S1S2S3")
_UNITS: Final = {"": "t", "k": "kt", "M": "Mt"}
_NUMBER: Final = r"^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d*)?(?:[eE][+-]?\d+)?$"
_WITHOUT_COMMAS: Final = r"^[+-]?\d*(?:\.\d*)?(?:[eE][+-]?\d+)?$"
_UNIT: Final = r"^(|k|M)t ?CO2e?$"
_WHOLE: Final = ("all", "total", "combined")
_METHODS: Final = {"location": "location", "location-based": "location", "market": "market", "market-based": "market"}
_S3_WORDS: Final = {
    "fuel and energy-related activities": "c03",
    "upstream transportation": "c04",
    "leased assets (upstream)": "c08",
    "downstream transportation": "c09",
    "end of life treatment": "c12",
    "leased assets (downstream)": "c13",
}


@dataclass(frozen=True)
class ItrReading:
    """What a workbook says: figures_read = rows + figures set apart.

    rows : `activities_schema`, activity reported_emissions, series reported; without a category for a whole scope
    missing : entity, period String, scope Int8, reason (empty or set_apart): scopes without a figure in a year of which
    the company reports another; never zero
    problems : by row; assumed : what was taken for granted, in words
    """

    rows: "pl.DataFrame"
    missing: "pl.DataFrame"
    figures_read: int
    problems: tuple[Problem, ...]
    assumed: tuple[str, ...]


def read_itr(path: Path) -> ItrReading:
    """Read the reported emissions of one workbook (.xlsx) or of one of its sheets (.csv).

    Errors: `missing_cell` (no company_id), `unreadable_cell`, `negative_amount`, `unknown_unit`, `combined_scopes` (a
    sum of scopes is never split), `unknown_submetric`, `recorded_too_early` (a year that had not begun on the day of
    the report). Warnings, set apart too: `older_report` (the latest report of a figure counts), `part_of_total`
    (categories beside the whole of scope 3, or scope 2 without a method beside one with), `disabled_row` (marked x or
    ignore for the tool itself).
    Raises UnknownFormat where no sheet has the headings, UnreadableFile, FileTooLarge.
    """
    import polars as pl

    sheets, number = _sheets(path)
    typed = _typed(_figures(sheets, path.name), number)
    findings = pl.concat([_row_findings(typed), _part_findings(typed)])
    apart = typed.join(findings.select("row", "column").unique(), on=["row", "column"], how="semi")
    kept = typed.join(findings.select("row", "column").unique(), on=["row", "column"], how="anti")
    shared = findings.select("row", "column", "found", "expected", "code", "severity")
    assumed = _assumed(kept)
    return ItrReading(
        _rows(kept, path.name), _missing(kept, apart), typed.height, tuple(to_problems(shared, path.name)), assumed
    )


def _figures(sheets: "dict[str, pl.DataFrame]", file: str) -> "pl.DataFrame":
    """One row a filled cell of emissions: row, column, company_id, sector, report_date, metric, submetric, unit,
    base_year, year, text, all String but row."""
    import polars as pl

    # The second layout has the headings of the first on a sheet of its own, without the figures.
    for wanted, pattern in ((["company_id", "metric", "unit"], _YEAR), (["company_id", "emissions_metric"], _WIDE)):
        for cells in sheets.values():
            header = find_header(cells, wanted)
            if header is None:
                continue
            names = [heading or f"_{place}" for place, heading in enumerate(header[1])]
            # A heading that stands twice is taken where it stands first.
            first = {name: f"c{place}" for place, name in reversed(list(enumerate(names)))}
            table = cells.filter(pl.col("row") > header[0])
            return _melted(
                table.select("row", *(pl.col(column).alias(name) for name, column in first.items())), pattern
            )
    expected = "a sheet with company_id, metric and unit, or with company_id and emissions_metric"
    raise UnknownFormat(f"found no such sheet in {file}, expected {expected}")


def _sheets(path: Path) -> "tuple[dict[str, pl.DataFrame], str]":
    """The cells of each sheet, and how a number may be written: between semicolons without any comma, since it cannot
    be told there whether one is of thousands or of decimals."""
    if path.suffix.casefold() == ".xlsx":
        return read_sheets(path), _NUMBER
    text = decode(read_bytes(path), path.name)
    number = _NUMBER
    if has_semicolons(text):
        text, number = comma_separated(text, path.name), _WITHOUT_COMMAS
    width = text.split("\n", 1)[0].count(",") + 1
    return {path.name: split_cells(text, path.name, width=width, header_rows=0)}, number


def _melted(named: "pl.DataFrame", pattern: str) -> "pl.DataFrame":
    import polars as pl

    texts = ("company_id", "sector", "report_date", "submetric", "base_year")
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in texts if name not in named.columns]
    full = named.with_columns(missing)
    is_wide = pattern == _WIDE
    unit = pl.col("emissions_metric" if is_wide else "unit")
    years = [name for name in full.columns if pl.Series([name]).str.contains(pattern).item()]
    kept = full.select("row", *texts, *([] if is_wide else ["metric"]), unit.alias("unit"), *years)
    index = [name for name in kept.columns if name not in years]
    long = kept.unpivot(years, index=index, variable_name="column", value_name="text").filter(
        pl.col("text").is_not_null()
    )
    metric = pl.col("column").str.extract(_WIDE, 2) if is_wide else pl.col("metric")
    typed = long.with_columns(
        metric=metric.str.to_uppercase().str.replace_all(r"[+ ]", ""), year=pl.col("column").str.extract(pattern, 1)
    )
    # Production, intensities and targets are other sheets' business.
    return typed.filter(pl.col("metric").is_in([*_SCOPES, *_SUMS])).sort("row", "year")


def _typed(figures: "pl.DataFrame", number: str) -> "pl.DataFrame":
    import polars as pl

    part = pl.col("submetric").str.to_lowercase().str.strip_chars()
    category = part.str.extract(r"^cat (\d+):", 1).fill_null(part.str.replace(r"\.0$", ""))
    words = category_words() | _S3_WORDS
    is_third = pl.col("metric") == "S3"
    plain = pl.when(pl.col("text").str.contains(number)).then(pl.col("text").str.replace_all(",", ""))
    amount = plain.cast(pl.Float64, strict=False)
    return figures.with_columns(
        period=pl.col("year"),
        scope=pl.col("metric").replace_strict(_SCOPES, default=None, return_dtype=pl.Int8),
        category=pl.when(is_third).then(category.replace_strict(words, default=None, return_dtype=pl.String)),
        method=pl.when(pl.col("metric") == "S2").then(
            part.replace_strict(_METHODS, default=None, return_dtype=pl.String)
        ),
        amount=pl.when(amount.is_finite()).then(amount),
        known_unit=pl.col("unit")
        .str.strip_chars()
        .str.extract(_UNIT, 1)
        .replace_strict(_UNITS, default=None, return_dtype=pl.String),
        recorded=pl.col("report_date").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False),
        part=part.fill_null(""),
    ).with_columns(first_day=first_day_expr(pl.col("period")), last_day=last_day_expr(pl.col("period")))


def _row_findings(typed: "pl.DataFrame") -> "pl.DataFrame":
    """Errors and disabled rows. column is the heading of the year, so that each figure stands for itself."""
    import polars as pl

    is_named = pl.col("category").is_not_null() | pl.col("method").is_not_null()
    is_sum = pl.col("scope").is_null()
    disabled = (pl.col("base_year").str.to_lowercase() == "x") | (pl.col("part") == "ignore")
    odd_part = ~is_sum & ~is_named & ~pl.col("part").is_in(["", *_WHOLE]) & ~disabled.fill_null(False)
    early = pl.col("recorded") < pl.col("first_day")
    odd_day = pl.col("report_date").is_not_null() & pl.col("recorded").is_null()
    text, unit = pl.col("text"), pl.col("unit")
    rules: list[tuple[pl.Expr, str, pl.Expr, str]] = [
        (pl.col("company_id").is_null(), "missing_cell", pl.col("company_id"), "a company_id in every row"),
        (pl.col("amount").is_null(), "unreadable_cell", text, "a finite number"),
        (odd_day, "unreadable_cell", pl.col("report_date"), "a day of the report such as 2021-12-31"),
        (pl.col("first_day").is_null(), "unknown_period", pl.col("year"), "a year from 1990 to 2100"),
        (pl.col("amount") < 0, "negative_amount", text, "zero or more"),
        (pl.col("known_unit").is_null(), "unknown_unit", unit, "t CO2, kt CO2, Mt CO2, or the same of CO2e"),
        (is_sum, "combined_scopes", pl.col("metric"), "one scope: S1, S2 or S3; a sum of scopes is never split"),
        (odd_part, "unknown_submetric", pl.col("submetric"), "nothing, a category of S3, or location or market of S2"),
        (early, "recorded_too_early", pl.col("report_date"), "a report of a year that had begun"),
    ]
    told = [_told(typed, where, code, "error", found, expected) for where, code, found, expected in rules]
    found = pl.concat_str([pl.col("base_year"), pl.col("submetric")], separator=" ", ignore_nulls=True)
    return pl.concat([*told, _told(typed, disabled, "disabled_row", "warning", found, "a row that the tool uses")])


def _part_findings(typed: "pl.DataFrame") -> "pl.DataFrame":
    """Warnings of figures that stand beside a later or a fuller one."""
    import polars as pl

    usable = typed.join(_row_findings(typed).select("row", "column").unique(), on=["row", "column"], how="anti")
    whole = ["company_id", "period", "scope"]
    order = usable.sort("recorded", "row", descending=[True, False], nulls_last=True)
    latest = order.with_columns(is_first=pl.int_range(pl.len()).over([*whole, "category", "method"]) == 0)
    older = _told(
        latest.sort("row", "year"), ~pl.col("is_first"), "older_report", "warning", pl.col("text"), "the latest report"
    )
    best = latest.filter("is_first")
    has_whole = (pl.col("category").is_null() & (pl.col("scope") == 3)).any().over(whole)
    has_method = pl.col("method").is_not_null().any().over(whole)
    is_part = (has_whole & pl.col("category").is_not_null()) | (has_method & pl.col("method").is_null())
    marked = best.with_columns(is_part=is_part).sort("row", "year")
    expected = "the whole of scope 3 or its categories, scope 2 with its methods or without"
    parts = _told(marked, pl.col("is_part"), "part_of_total", "warning", pl.col("text"), expected)
    return pl.concat([older, parts])


def _told(
    rows: "pl.DataFrame", where: "pl.Expr", code: str, severity: Severity, found: "pl.Expr", expected: str
) -> "pl.DataFrame":
    import polars as pl

    findings = findings_where(
        rows, where, code=code, severity=severity, column=None, found=found, expected=pl.lit(expected)
    )
    return findings.with_columns(column=rows.filter(where.fill_null(False))["column"])


def _rows(kept: "pl.DataFrame", file: str) -> "pl.DataFrame":
    import polars as pl

    shown = kept.with_columns(
        entity=pl.col("company_id"),
        activity=pl.lit(REPORTED),
        unit=pl.col("known_unit"),
        share=pl.lit(1.0),
        credit_note=pl.lit(False),
        series=pl.lit("reported"),
        region=pl.lit("World"),
        evidence=pl.lit("supplier"),
        evidence_ref=pl.format("ITR {}", pl.col("recorded").cast(pl.String)),
        file=pl.lit(file),
    )
    schema = activities_schema()
    empty = [pl.lit(None, dtype=kind).alias(name) for name, kind in schema.items() if name not in shown.columns]
    typed = shown.with_columns(empty).select(pl.col(name).cast(kind) for name, kind in schema.items())
    return with_ids(typed).sort("entity", "first_day", "scope", "category", "method")


def _missing(kept: "pl.DataFrame", apart: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    names = ["entity", "period", "scope"]
    figures = [frame.select(entity="company_id", period="period", scope="scope") for frame in (kept, apart)]
    seen = pl.concat(figures).drop_nulls(["entity", "period"]).select("entity", "period").unique()
    wanted = seen.join(pl.DataFrame({"scope": [1, 2, 3]}, schema={"scope": pl.Int8}), how="cross")
    lost = figures[1].unique().with_columns(reason=pl.lit("set_apart"))
    return (
        wanted.join(figures[0].unique(), on=names, how="anti")
        .join(lost, on=names, how="left")
        .with_columns(pl.col("reason").fill_null("empty"))
        .sort(names)
    )


def _assumed(kept: "pl.DataFrame") -> tuple[str, ...]:
    import polars as pl

    of_co2 = kept.filter(pl.col("unit").str.ends_with("CO2")).height
    told = [f"{of_co2} figures in t CO2 are taken as CO2e, as the ITR tool takes them"] if of_co2 else []
    whole = kept.filter((pl.col("scope") == 2) & pl.col("method").is_null()).height
    return tuple(told + ([f"{whole} figures of scope 2 name no method"] if whole else []))
