"""A portfolio of loans and investments from a CSV file or a workbook: checked rows and problems out.

Knows headings, words of asset classes and how numbers are written. Must not know emissions, attribution or storage.
Amounts are in the currency of their row; a row in another currency than CNY says how many CNY one unit is worth.
Among the headings are those of the portfolios of the ITR tool (os-climate, github.com/os-climate/ITR, examples/data),
whose cells stand between semicolons, whose heading may say the currency (`investment_value [USD]`) and which name no
asset class: it is given with the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem, UnknownFormat
from carbon.findings import findings_where, no_findings, to_problems
from carbon.formats.semicolons import comma_separated, has_semicolons
from carbon.formats.text import decode, extra_column, read_bytes, read_header, split_cells
from carbon.formats.user_tables import (
    place_headings,
    read_parquet_cells,
    read_sheet_cells,
    table_kind,
    unread_columns,
)

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ASSET_CLASSES", "HEADINGS", "PortfolioReading", "portfolio_schema", "read_portfolio"]

HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "investee": ("investee", "被投资方", "company_name"),
    "entity": ("entity", "企业代码", "company_id"),
    "sector": ("sector", "行业"),
    "asset_class": ("asset_class", "资产类别"),
    "currency": ("currency", "币种"),
    "cny_per_unit": ("cny_per_unit", "汇率"),
    "outstanding": ("outstanding", "未偿余额", "investment_value"),
    "evic": ("evic", "含现金企业价值", "company_ev_plus_cash"),
    "equity": ("equity", "股东权益"),
    "debt": ("debt", "债务"),
    "total_assets": ("total_assets", "资产总计", "company_total_assets"),
    "revenue": ("revenue", "营业收入", "company_revenue"),
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
_EMISSIONS = ("scope_1_t", "scope_2_t", "scope_3_t")
# What no company has, so that no sum over millions of rows leaves the doubles: the world emits some 6e10 t a year, and
# the largest companies are worth some 1e16 of the smallest currencies.
_MOST_T = 1e12
_LEAST, _MOST = 1e-6, 1e18
_LEAST_RATE, _MOST_RATE = 1e-9, 1e6
_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+|\d{1,3}(?:[,，]\d{3})+(?:\.\d*)?)(?:[eE][+-]?\d+)?$"
_NUMBER_WITHOUT_COMMAS = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_CNY = "CNY"
_IN_CURRENCY: Final = re.compile(r"^(.+?)\s*\[([A-Za-z]{3})\]$")
"""A heading that says the currency of its amounts."""


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


def read_portfolio(path: Path, *, file: str | None = None, fixed: Mapping[str, str] | None = None) -> PortfolioReading:
    """Read a portfolio.

    path : .csv (UTF-8, GB18030, Big5 or UTF-16), .xlsx (its first sheet) or .parquet; headings as in `HEADINGS`
    file : name to print in problems, the path's own without it
    fixed : column of `HEADINGS` to the text that stands for it in every row, where the file has no such column; told
    among what was assumed
    Between semicolons a number has no commas: whether one is of thousands or of decimals cannot be told.
    Rows with an error are set apart; columns that are not read are warned of.
    Raises UnreadableFile, FileTooLarge, UnknownFormat (all missing, repeated and unknown columns at once).
    """
    import polars as pl

    name = file or path.name
    header, cells, number = _cells(path, name)
    header, cells, assumed = _with_fixed(header, cells, fixed or {}, name)
    places = place_headings(header, HEADINGS, _REQUIRED, name)
    unread = unread_columns(cells, header, places.values(), name)
    raw = cells.select(
        "row",
        *((pl.col(f"c{places[role]}") if role in places else pl.lit(None, pl.String)).alias(role) for role in HEADINGS),
    ).filter(~pl.all_horizontal(pl.col(role).is_null() for role in HEADINGS))
    typed = raw.select(
        "row",
        *(pl.col(role).alias(f"{role}_raw") for role in HEADINGS),
        *(pl.col(role) for role in ("investee", "entity", "sector")),
        pl.col("asset_class").str.to_lowercase().replace_strict(ASSET_CLASSES, default=None, return_dtype=pl.String),
        pl.col("currency").str.to_uppercase().fill_null(_CNY),
        *(_number(role, number) for role in _NUMBERS),
    ).with_columns(
        pl.when((pl.col("currency") == _CNY) & pl.col("cny_per_unit_raw").is_null())
        .then(1.0)
        .otherwise("cny_per_unit")
        .alias("cny_per_unit")
    )
    headings = {role: header[place] for role, place in places.items()}
    findings = _findings(typed, headings)
    bad = findings.filter(pl.col("severity") == "error")["row"].unique()
    extra = extra_column(len(header))
    crowded = cells.filter(pl.col(extra).is_not_null())["row"].to_list() if extra in cells.columns else []
    good = typed.filter(~pl.col("row").is_in(bad.implode()) & ~pl.col("row").is_in(crowded))
    expected = "no more cells than headings"
    wide = [Problem(name, row, None, "more cells", expected, "too_many_cells", "error") for row in crowded]
    if "currency" not in places:
        assumed = (*assumed, "no column currency: every amount is taken as CNY")
    rows = good.select(
        pl.lit(name).alias(column) if column == "file" else pl.col(column) for column in portfolio_schema()
    )
    return PortfolioReading(rows, typed.height, (*unread, *wide, *to_problems(findings, name)), assumed)


def _cells(path: Path, file: str) -> "tuple[list[str], pl.DataFrame, str]":
    """The headings; below them, row and c0, c1, ... as text; and how a number may be written."""
    kind = table_kind(path, "loans and investments")
    if kind == "parquet":
        return *read_parquet_cells(path), _NUMBER
    if kind == "csv":
        text = decode(read_bytes(path), file)
        if has_semicolons(text):
            plain = comma_separated(text, file)
            header = [cell.strip() for cell in text.split("\n", 1)[0].split(";")]
            return header, split_cells(plain, file, width=len(header), header_rows=1), _NUMBER_WITHOUT_COMMAS
        header = read_header(path)
        return header, split_cells(text, file, width=len(header), header_rows=1), _NUMBER
    first = next(iter(read_sheet_cells(path, lambda names: names[:1]).values()))
    if first.is_empty():
        raise UnknownFormat(f"found nothing in the first sheet of {file}, expected headings")
    return [cell or "" for cell in first.row(0)[1:]], first.slice(1), _NUMBER


def _with_fixed(
    header: list[str], cells: "pl.DataFrame", fixed: Mapping[str, str], file: str
) -> "tuple[list[str], pl.DataFrame, tuple[str, ...]]":
    """Columns of one text for what is fixed, and for a currency that a heading says; what was assumed of them.

    Raises UnknownFormat where something is fixed that is no column or that the file has.
    """
    import polars as pl

    found = [_IN_CURRENCY.match(heading) for heading in header]
    plain = [match[1] if match else heading for match, heading in zip(found, header, strict=True)]
    said = sorted({match[2].upper() for match in found if match})
    if len(said) > 1:
        raise UnknownFormat(f"found in {file} headings in {', '.join(said)}; expected amounts in one currency")
    known = {heading.casefold() for heading in plain}
    wrong = [role for role in fixed if role not in HEADINGS or known & set(HEADINGS[role])]
    wrong += [role for role in fixed if role == "currency" and said]
    if wrong:
        expected = f"one of {', '.join(HEADINGS)} that the file does not say itself"
        raise UnknownFormat(f"found {', '.join(wrong)} fixed for {file}; expected {expected}")
    added = {**fixed, **({"currency": said[0]} if said and not known & set(HEADINGS["currency"]) else {})}
    if not added:
        return plain, cells, ()
    # What stands to the right of the last heading is a fault of the file and stays behind the columns added here.
    extra, width = extra_column(len(header)), len(header) + len(added)
    is_filled = pl.any_horizontal(pl.col(f"c{at}").is_not_null() for at in range(len(header)))
    whole = cells.rename({extra: extra_column(width)}) if extra in cells.columns else cells
    columns = [
        pl.when(is_filled).then(pl.lit(text)).alias(f"c{len(header) + at}") for at, text in enumerate(added.values())
    ]
    assumed = tuple(f"{role} of every row: {text}" for role, text in fixed.items())
    return [*plain, *added], whole.with_columns(columns), assumed


def _number(role: str, pattern: str) -> "pl.Expr":
    import polars as pl

    text = pl.col(role)
    plain = pl.when(text.str.contains(pattern)).then(text.str.replace_all(r"[,，]", ""))
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
            continue
        if role in _ABOVE_ZERO:
            add(value <= 0, role, "not_positive", "a number above 0")
        elif role not in _MAY_BE_NEGATIVE:
            add(value < 0, role, "negative", "0 or more")
        least, most, expected = _bounds(role)
        size = value.abs()
        is_outside = (size > most) | ((size > 0) & (size < least))
        add(value.is_finite() & is_outside, role, "out_of_bounds", expected)
    return pl.concat(found)


def _bounds(role: str) -> tuple[float, float, str]:
    """The least and the most that a number but 0 may be, and that in words."""
    if role in _ABOVE_ZERO:
        return _LEAST_RATE, _MOST_RATE, f"a rate from {_LEAST_RATE:g} to {_MOST_RATE:g}"
    if role in _EMISSIONS:
        return 0.0, _MOST_T, f"at most {_MOST_T:g} t of one investee"
    return _LEAST, _MOST, f"0, or from {_LEAST:g} to {_MOST:g} units of the currency"
