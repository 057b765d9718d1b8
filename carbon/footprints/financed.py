"""Financed emissions: the part of an investee's emissions that a loan or an investment stands for.

Knows attribution, the weighted data-quality score and intensities. Must not know files, storage or how emissions were
calculated. Scopes are never added up in silence: each has its own row, and "1+2" says what it is.

Source: PCAF, The Global GHG Accounting and Reporting Standard Part A: Financed Emissions, second edition (December
2022): attribution 5.1 to 5.3 (outstanding amount over EVIC, or over equity and debt; negative equity counts as 0, notes
57 and 90; the balance sheet total stands in where equity or debt is not known, notes 59 and 92), chapter 6 for the
score weighted by outstanding amount, apart for scope 3. WACI: TCFD (2017), weights times emissions over revenue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem
from carbon.findings import findings_where, to_problems
from carbon.footprints.quality import check_grouping, countable
from carbon.units import KG_PER_T

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SCOPES", "Financed", "attribute", "portfolio_totals"]

SCOPES: Final = ("1", "2", "3", "1+2")
"""What a row of totals is about; 1+2 counts the investees of which both are known."""

_MILLION: Final = 1_000_000
_EVIC_ONLY: Final = ("listed_equity",)
_BALANCE_ONLY: Final = ("unlisted_equity", "project_finance")
_SHARE_OF: Final = {
    "intensity_t_per_million_cny": "attributed_share",
    "score": "score_share",
    "waci_t_per_million_cny": "waci_share",
}


@dataclass(frozen=True, eq=False)
class Financed:
    """A portfolio with what was attributed, and the rows that could not be.

    rows : `attribute`; problems : missing denominators and attributions above 1, by row
    """

    rows: "pl.DataFrame"
    problems: tuple[Problem, ...]


def attribute(portfolio: "pl.DataFrame", lines: "pl.DataFrame | None" = None, *, method: str = "location") -> Financed:
    """The financed emissions of each row of a portfolio.

    portfolio : `carbon.footprints.portfolio_files.portfolio_schema`; lines : `lines_schema` of one year, with scores,
    for investees whose emissions the portfolio does not give; method : of their scope 2
    Result, the rows of the portfolio in their order: row, investee, entity, sector, asset_class, currency;
    outstanding_cny; attribution Float64, 0..1, null where it cannot be told; basis String: evic, equity_and_debt or
    total_assets; remark String: negative_equity_as_0, else null; for each scope 1, 2, 3: scope_n_t of the whole
    investee, from_n String: given or lines, financed_n_t; score of scopes 1 and 2, score_3; revenue_cny.
    Emissions that are not known are null, and so is what follows from them.
    """
    import polars as pl

    rows = _with_lines(portfolio, lines, method)
    is_evic = pl.col("asset_class").is_in(_EVIC_ONLY)
    is_balance = pl.col("asset_class").is_in(_BALANCE_ONLY)
    equity = pl.max_horizontal(pl.col("equity"), 0.0)
    values = {
        "evic": pl.when(~is_balance).then("evic"),
        # A horizontal maximum passes over nulls; a missing equity is not 0.
        "equity_and_debt": pl.when(~is_evic & pl.col("equity").is_not_null()).then(equity + pl.col("debt")),
        "total_assets": pl.when(~is_evic).then("total_assets"),
    }
    basis: pl.Expr = pl.lit(None, dtype=pl.String)
    for name in reversed(values):
        basis = pl.when(pl.col(f"_{name}").is_not_null()).then(pl.lit(name)).otherwise(basis)
    based = rows.with_columns(value.alias(f"_{name}") for name, value in values.items()).with_columns(
        basis=basis, company_value=pl.coalesce(f"_{name}" for name in values)
    )
    is_negative = (pl.col("equity") < 0) & (pl.col("basis") == "equity_and_debt")
    ratio = (
        pl.when(is_negative & (pl.col("asset_class") == "unlisted_equity"))
        .then(0.0)
        .when(pl.col("company_value") > 0)
        .then(pl.col("outstanding") / pl.col("company_value"))
    )
    judged = based.with_columns(ratio=ratio, remark=pl.when(is_negative).then(pl.lit("negative_equity_as_0")))
    told = judged.with_columns(attribution=pl.when(pl.col("ratio") <= 1).then("ratio"))
    scopes = range(1, 4)
    result = told.select(
        "row",
        *("investee", "entity", "sector", "asset_class", "currency"),
        (pl.col("outstanding") * pl.col("cny_per_unit")).alias("outstanding_cny"),
        "attribution",
        "basis",
        "remark",
        *(pl.col(f"scope_{scope}_t") for scope in scopes),
        *(pl.col(f"from_{scope}") for scope in scopes),
        *((pl.col("attribution") * pl.col(f"scope_{scope}_t")).alias(f"financed_{scope}_t") for scope in scopes),
        "score",
        "score_3",
        (pl.col("revenue") * pl.col("cny_per_unit")).alias("revenue_cny"),
    )
    return Financed(result, _problems(judged))


def _with_lines(portfolio: "pl.DataFrame", lines: "pl.DataFrame | None", method: str) -> "pl.DataFrame":
    """The portfolio with emissions and scores from lines where it gives none, and from_1 .. from_3."""
    import polars as pl

    scopes = range(1, 4)
    names = [f"scope_{scope}_t" for scope in scopes]
    if lines is None:
        known = pl.DataFrame(schema={"entity": pl.String, **dict.fromkeys([*names, "score", "score_3"], pl.Float64)})
    else:
        size = pl.col("co2e_kg").abs()

        def score(where: "pl.Expr") -> "pl.Expr":
            weight = size.filter(where & pl.col("pcaf").is_not_null())
            return ((size * pl.col("pcaf")).filter(where).sum() / weight.sum()).fill_nan(None)

        def total(scope: int) -> "pl.Expr":
            mass = pl.col("co2e_kg").filter(pl.col("scope") == scope)
            return pl.when(mass.count() > 0).then(mass.sum() / KG_PER_T)

        known = (
            countable(lines, method)
            .filter(pl.col("entity").is_not_null())
            .group_by("entity")
            .agg(
                *(total(scope).alias(f"scope_{scope}_t") for scope in scopes),
                score=score(pl.col("scope") <= 2),
                score_3=score(pl.col("scope") == 3),
            )
        )
    joined = portfolio.join(known, on="entity", how="left", suffix="_known", maintain_order="left")
    return joined.with_columns(
        *(
            pl.when(pl.col(name).is_not_null())
            .then(pl.lit("given"))
            .when(pl.col(f"{name}_known").is_not_null())
            .then(pl.lit("lines"))
            .alias(f"from_{scope}")
            for scope, name in zip(scopes, names, strict=True)
        )
    ).with_columns(pl.coalesce(name, f"{name}_known").alias(name) for name in [*names, "score", "score_3"])


def _problems(judged: "pl.DataFrame") -> tuple[Problem, ...]:
    import polars as pl

    if judged.is_empty():
        return ()
    needed = (
        pl.when(pl.col("asset_class").is_in(_EVIC_ONLY))
        .then(pl.lit("evic"))
        .when(pl.col("asset_class").is_in(_BALANCE_ONLY))
        .then(pl.lit("equity and debt, or total_assets"))
        .otherwise(pl.lit("evic of a listed company, else equity and debt, or total_assets"))
    )
    missing = findings_where(
        judged,
        pl.col("company_value").is_null(),
        code="missing_denominator",
        severity="error",
        column=None,
        found=pl.format("no value of the company {}", "investee"),
        expected=needed,
    )
    nothing = findings_where(
        judged,
        (pl.col("company_value") <= 0) & pl.col("ratio").is_null(),
        code="zero_denominator",
        severity="error",
        column=None,
        found=pl.format("{} of 0 for {}", "basis", "investee"),
        expected=pl.lit("a value of the company above 0"),
    )
    above = findings_where(
        judged,
        pl.col("ratio") > 1,
        code="attribution_above_1",
        severity="error",
        column=None,
        found=pl.format("outstanding {} over {} {} of {}", "outstanding", "basis", "company_value", "investee"),
        expected=pl.lit("no more than the value of the company"),
    )
    unknown = findings_where(
        judged,
        pl.all_horizontal(pl.col(f"scope_{scope}_t").is_null() for scope in range(1, 4)),
        code="no_emissions",
        severity="warning",
        column=None,
        found=pl.format("no emissions of {}", "investee"),
        expected=pl.lit("scope_1_t, scope_2_t or scope_3_t, or an entity whose footprint is calculated here"),
    )
    findings = pl.concat([missing, nothing, above, unknown])
    files = judged.select("row", "file").unique()
    return tuple(
        problem
        for (file,), part in findings.join(files, on="row").group_by("file", maintain_order=True)
        for problem in to_problems(part, str(file))
    )


def portfolio_totals(financed: "pl.DataFrame", *, by: Sequence[str] = ()) -> "pl.DataFrame":
    """Sums and measures of a portfolio, one row a group and scope.

    financed : rows of `attribute`; by : asset_class, sector, ...; the whole without
    Result: the columns of `by`; scope, one of `SCOPES`; investees UInt32; outstanding_cny; attributed_share, of the
    outstanding amount with an attribution and emissions of the scope; financed_t, the sum of those, null where none;
    intensity_t_per_million_cny, financed_t over what is covered; score, the PCAF score weighted by outstanding amount;
    score_share, of the outstanding amount with one; waci_t_per_million_cny, the emissions of the whole investee over
    its revenue, weighted by outstanding amount; waci_share, of the outstanding amount with both. What no double can
    hold is null, and so is the share of what it would have been made of.
    Raises UnknownGrouping.
    """
    import polars as pl

    keys = check_grouping(financed, by)
    held = pl.col("outstanding_cny")
    is_covered, has_score = pl.col("financed_t").is_not_null(), pl.col("score").is_not_null()
    per_cny = pl.col("emitted_t") / pl.col("revenue_cny") * _MILLION
    intensity = pl.when((pl.col("revenue_cny") > 0) & per_cny.is_finite()).then(per_cny)
    has_intensity = pl.col("_intensity").is_not_null()
    shares = {
        "attributed_share": held.filter(is_covered).sum() / held.sum(),
        "intensity_t_per_million_cny": pl.col("financed_t").sum() / held.filter(is_covered).sum() * _MILLION,
        "score": (held * pl.col("score")).sum() / held.filter(has_score).sum(),
        "score_share": held.filter(has_score).sum() / held.sum(),
        "waci_t_per_million_cny": (held * pl.col("_intensity")).sum() / held.filter(has_intensity).sum(),
        "waci_share": held.filter(has_intensity).sum() / held.sum(),
    }
    order = pl.Enum(SCOPES)
    return (
        _by_scope(financed, keys)
        .with_columns(_intensity=intensity, scope=pl.col("scope").cast(order))
        .group_by(*keys, "scope")
        .agg(
            investees=pl.len(),
            outstanding_cny=held.sum(),
            financed_t=pl.when(is_covered.any()).then(pl.col("financed_t").sum()),
            **shares,
        )
        .with_columns(
            pl.when(pl.col(name).is_finite()).then(name).alias(name)
            for name in ("outstanding_cny", "financed_t", *shares)
        )
        .with_columns(
            pl.when(pl.col(measure).is_not_null() | (pl.col(share) == 0)).then(share).alias(share)
            for measure, share in _SHARE_OF.items()
        )
        .sort(*keys, "scope")
        .with_columns(pl.col("scope").cast(pl.String))
        .select(
            *[*keys, "scope", "investees", "outstanding_cny", "attributed_share", "financed_t"],
            *[name for name in shares if name != "attributed_share"],
        )
    )


def _by_scope(financed: "pl.DataFrame", keys: list[str]) -> "pl.DataFrame":
    """One row an investee and scope: *keys, scope, outstanding_cny, emitted_t, financed_t, score, revenue_cny."""
    import polars as pl

    together = financed.with_columns(
        (pl.col("scope_1_t") + pl.col("scope_2_t")).alias("scope_1+2_t"),
        (pl.col("financed_1_t") + pl.col("financed_2_t")).alias("financed_1+2_t"),
    )
    return pl.concat(
        together.select(
            *keys,
            scope=pl.lit(scope),
            outstanding_cny="outstanding_cny",
            emitted_t=f"scope_{scope}_t",
            financed_t=f"financed_{scope}_t",
            score="score_3" if scope == "3" else "score",
            revenue_cny="revenue_cny",
        )
        for scope in SCOPES
    )
