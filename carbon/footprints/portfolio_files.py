"""A portfolio of loans and investments from a CSV file or a workbook: checked rows and problems out.

Knows headings, words of asset classes and how numbers are written. Must not know emissions, attribution or storage.
Amounts are in the currency of their row; a row in another currency than CNY says how many CNY one unit is worth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem, UnknownFormat
from carbon.findings import findings_where, no_findings, to_problems

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ASSET_CLASSES", "HEADINGS", "PortfolioReading", "portfolio_schema", "read_portfolio"]

HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "investee": ("investee", "被投资方"),
    "entity": ("entity", "企业代码"),
    "sector": ("sector", "行业"),
    "asset_class": ("asset_class", "资产类别"),
    "currency": ("currency", "币种"),
    "cny_per_unit": ("cny_per_unit", "汇率"),
    "outstanding": ("outstanding", "未偿余额"),
    "evic": ("evic", "含现金企业价值"),
    "equity": ("equity", "股东权益"),
    "debt": ("debt", "债务"),
    "total_assets": ("total_assets", "资产总计"),
    "revenue": ("revenue", "营业收入"),
    "scope_1_t": ("scope_1_t", "范围1排放吨"),
    "scope_2_t": ("scope_2_t", "范围2排放吨"),
    "scope_3_t": ("scope_3_t", "范围3排放吨"),
    "score": ("score", "数据质量分"),
    "score_3": ("score_3", "范围3数据质量分"),
}
"""Headings that each column may have. entity is the code under which the platform holds footprints of the investee;
score is the PCAF data-quality score of scopes 1 and 2, score_3 that of scope 3."""

ASSET_CLASSES: Final[Mapping[str, str]] = {
    "listed_equity": "listed_equity",
    "上市股权": "listed_equity",
    "corporate_bond": "corporate_bond",
    "公司债券": "corporate_bond",
    "business_loan": "business_loan",
    "企业贷款": "business_loan",
    "unlisted_equity": "unlisted_equity",
    "非上市股权": "unlisted_equity",
    "project_finance": "project_finance",
    "项目融资": "project_finance",
}
"""Words for the asset classes whose attribution is outstanding amount over company value (PCAF 5.1 to 5.3)."""

_REQUIRED = ("investee", "asset_class", "outstanding")
_TEXT = ("investee", "entity", "sector", "asset_class", "currency")
_NUMBERS = tuple(name for name in HEADINGS if name not in _TEXT)
_MAY_BE_NEGATIVE = ("equity",)
_ABOVE_ZERO = ("cny_per_unit",)
_SCORES = ("score", "score_3")
_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+|\d{1,3}(?:[,，]\d{3})+(?:\.\d*)?)(?:[eE][+-]?\d+)?$"
_CNY = "CNY"


@dataclass(frozen=True, eq=False)
class PortfolioReading:
    """What a file holds: rows (`portfolio_schema`), how many were read, everything wrong, and what was assumed."""

    rows: "pl.DataFrame"
    rows_read: int
    problems: tuple[Problem, ...]
    assumed: tuple[str, ...]


def portfolio_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of a portfolio: those of `HEADINGS`, amounts in the currency of the row; emissions in t CO2e of
    the whole investee; file String, row Int64."""
    import polars as pl

    texts = dict.fromkeys(_TEXT, pl.String)
    kinds: dict[str, type[pl.DataType]] = {name: texts.get(name, pl.Float64) for name in HEADINGS}
    return {**kinds, "file": pl.String, "row": pl.Int64}


def read_portfolio(path: Path, *, file: str | None = None) -> PortfolioReading:
    """Read a portfolio.

    path : .xlsx (its first sheet) or .csv (UTF-8, GB18030, Big5 or UTF-16), headings in the first line (`HEADINGS`)
    file : name to print in problems, the path's own without it
    Rows with an error are set apart. Raises UnreadableFile, UnknownFormat (all missing columns at once).
    """
    import polars as pl

    from carbon.formats.text import extra_column

    name = file or path.name
    header, cells = _cells(path, name)
    places = _places(header, name)
    raw = cells.select(
        "row",
        *(
            pl.col(places[role]).alias(role) if role in places else pl.lit(None, pl.String).alias(role)
            for role in HEADINGS
        ),
    ).filter(~pl.all_horizontal(pl.col(role).is_null() for role in HEADINGS))
    typed = raw.select(
        "row",
        *(pl.col(role).alias(f"{role}_raw") for role in HEADINGS),
        *(pl.col(role) for role in ("investee", "entity", "sector")),
        pl.col("asset_class").str.to_lowercase().replace_strict(ASSET_CLASSES, default=None, return_dtype=pl.String),
        pl.col("currency").str.to_uppercase().fill_null(_CNY),
        *(_number(role) for role in _NUMBERS),
    ).with_columns(
        pl.when((pl.col("currency") == _CNY) & pl.col("cny_per_unit_raw").is_null())
        .then(1.0)
        .otherwise("cny_per_unit")
        .alias("cny_per_unit")
    )
    headings = {role: header[int(place[1:])] for role, place in places.items()}
    findings = _findings(typed, headings)
    bad = findings.filter(pl.col("severity") == "error")["row"].unique()
    extra = extra_column(len(header))
    crowded = cells.filter(pl.col(extra).is_not_null())["row"].to_list() if extra in cells.columns else []
    good = typed.filter(~pl.col("row").is_in(bad.implode()) & ~pl.col("row").is_in(crowded))
    expected = "no more cells than headings"
    wide = [Problem(name, row, None, "more cells", expected, "too_many_cells", "error") for row in crowded]
    assumed = () if "currency" in places else ("no column currency: every amount is taken as CNY",)
    rows = good.select(
        pl.lit(name).alias(column) if column == "file" else pl.col(column) for column in portfolio_schema()
    )
    return PortfolioReading(rows, typed.height, (*wide, *to_problems(findings, name)), assumed)


def _cells(path: Path, file: str) -> "tuple[list[str], pl.DataFrame]":
    """The headings and, below them, row and c0, c1, ... as text."""
    from carbon.formats.eu.sheets import read_sheets
    from carbon.formats.text import decode, read_bytes, read_header, split_cells

    if path.suffix.casefold() == ".xlsx":
        sheets = read_sheets(path)
        first = next(iter(sheets.values()))
        if first.is_empty():
            raise UnknownFormat(f"found nothing in the first sheet of {file}, expected headings")
        header = [str(cell or "").strip() for cell in first.row(0)[1:]]
        return header, first.slice(1)
    text = decode(read_bytes(path), file)
    header = read_header(path)
    return header, split_cells(text, file, width=len(header), header_rows=1)


def _places(header: list[str], file: str) -> dict[str, str]:
    """Role to column of cells, for the headings that the file has."""
    plain = [heading.strip().casefold() for heading in header]
    found = {
        role: f"c{plain.index(heading)}"
        for role, headings in HEADINGS.items()
        for heading in [next((one for one in headings if one in plain), None)]
        if heading is not None
    }
    missing = [" or ".join(HEADINGS[role]) for role in _REQUIRED if role not in found]
    if missing:
        shown = ", ".join(heading for heading in header if heading) or "none"
        raise UnknownFormat(f"found in {file} the columns {shown}; expected also {'; '.join(missing)}")
    return found


def _number(role: str) -> "pl.Expr":
    import polars as pl

    text = pl.col(role)
    plain = pl.when(text.str.contains(_NUMBER)).then(text.str.replace_all(r"[,，]", ""))
    return plain.cast(pl.Float64, strict=False).alias(role)


def _findings(typed: "pl.DataFrame", headings: Mapping[str, str]) -> "pl.DataFrame":
    import polars as pl

    found = [no_findings()]

    def add(where: "pl.Expr", role: str, code: str, expected: str) -> None:
        told = {"found": pl.col(f"{role}_raw"), "expected": pl.lit(expected)}
        column = headings.get(role, role)
        found.append(findings_where(typed, where, code=code, severity="error", column=column, **told))

    add(pl.col("investee").is_null(), "investee", "missing", "the name of the investee")
    classes = ", ".join(dict.fromkeys(ASSET_CLASSES.values()))
    add(pl.col("asset_class").is_null(), "asset_class", "unknown_asset_class", f"one of {classes}")
    add(pl.col("outstanding_raw").is_null(), "outstanding", "missing", "the outstanding amount")
    is_code = pl.col("currency").str.contains(r"^[A-Z]{3}$")
    add(~is_code, "currency", "unknown_currency", "three letters, such as CNY")
    is_foreign = is_code & (pl.col("currency") != _CNY)
    add(
        is_foreign & pl.col("cny_per_unit_raw").is_null(), "cny_per_unit", "missing", "CNY for one unit of the currency"
    )
    is_own = (pl.col("currency") == _CNY) & (pl.col("cny_per_unit") != 1)
    add(is_own, "cny_per_unit", "rate_of_cny", "1 or nothing for amounts in CNY")
    for role in _NUMBERS:
        value, raw = pl.col(role), pl.col(f"{role}_raw")
        add(raw.is_not_null() & ~(value.is_finite().fill_null(False)), role, "not_a_number", "a number")
        if role in _SCORES:
            add(~value.is_between(1, 5), role, "outside_scores", "a score from 1 to 5")
        elif role in _ABOVE_ZERO:
            add(value <= 0, role, "not_positive", "a number above 0")
        elif role not in _MAY_BE_NEGATIVE:
            add(value < 0, role, "negative", "0 or more")
    return pl.concat(found)
