"""How one finding of a rule is held in a frame, and how it becomes a `Problem`.

Knows the columns of a finding: row, column, found, expected, code, severity. Must not know any rule.
"""

from typing import TYPE_CHECKING

from carbon.errors import Problem, Severity

if TYPE_CHECKING:
    import polars as pl

__all__ = ["findings_where", "no_findings", "price_text", "to_problems"]

_FEN = 100


def findings_where(
    rows: "pl.DataFrame",
    where: "pl.Expr",
    *,
    code: str,
    severity: Severity,
    column: "str | None",
    found: "pl.Expr",
    expected: "pl.Expr",
) -> "pl.DataFrame":
    """One finding for each row where the rule is broken.

    where : Boolean expression, null counts as false; found, expected : what to print, null is printed as "nothing"
    Result : row Int64; column, found, expected, code, severity String.
    """
    import polars as pl

    # One chunk: polars 2.1 panics where it formats texts of a frame some of whose chunks have no rows.
    return (
        rows.filter(where.fill_null(False))
        .rechunk()
        .select(
            pl.col("row"),
            pl.lit(column, dtype=pl.String).alias("column"),
            found.cast(pl.String).fill_null("nothing").alias("found"),
            expected.cast(pl.String).alias("expected"),
            pl.lit(code).alias("code"),
            pl.lit(severity).alias("severity"),
        )
    )


def no_findings() -> "pl.DataFrame":
    """A frame of findings without rows."""
    import polars as pl

    names = ["column", "found", "expected", "code", "severity"]
    return pl.DataFrame(schema={"row": pl.Int64, **dict.fromkeys(names, pl.String)})


def price_text(column: str) -> "pl.Expr":
    """Fen per tonne as printed: 4800 gives "48.00"."""
    import polars as pl

    fen = pl.col(column)
    return pl.format("{}.{}", fen // _FEN, (fen % _FEN).cast(pl.String).str.zfill(2))


def to_problems(findings: "pl.DataFrame", file: str) -> list[Problem]:
    """The findings as `Problem` values of one file, in order of rows (a finding without a row comes first)."""
    ordered = findings.sort("row", "code", "column", nulls_last=False, maintain_order=True)
    return [
        Problem(
            file=file,
            row=finding["row"],
            column=finding["column"],
            found=finding["found"],
            expected=finding["expected"],
            code=finding["code"],
            severity=finding["severity"],
        )
        for finding in ordered.iter_rows(named=True)
    ]
