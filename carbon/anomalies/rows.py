"""How one anomaly is held in a frame.

Knows the columns of an anomaly. Must not know any rule.
"""

from typing import TYPE_CHECKING

from carbon.rows import METHOD_NAMES

if TYPE_CHECKING:
    import polars as pl

__all__ = ["anomalies_schema", "mark_rows", "no_anomalies"]


def anomalies_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of anomalies: rule, severity (warning or note), market, product, day, method, feed, file, row,
    found, expected (with the limit), source (of the rule).
    """
    import polars as pl

    text = pl.String
    return {
        **dict.fromkeys(["rule", "severity", "market", "product"], text),
        "day": pl.Date,
        **dict.fromkeys(["method", "feed", "file"], text),
        "row": pl.Int64,
        **dict.fromkeys(["found", "expected", "source"], text),
    }


def no_anomalies() -> "pl.DataFrame":
    """A frame of anomalies without rows."""
    import polars as pl

    return pl.DataFrame(schema=anomalies_schema())


def mark_rows(
    rows: "pl.DataFrame",
    rule: str,
    *,
    found: "pl.Expr",
    expected: "pl.Expr",
    source: str,
    severity: "pl.Expr | None" = None,
) -> "pl.DataFrame":
    """One anomaly of a rule for each of these rows, in `anomalies_schema`.

    found, expected : what to print; severity : "warning" unless an expression says otherwise; source : of the rule
    """
    import polars as pl

    told = rows.select(
        pl.lit(rule).alias("rule"),
        (pl.lit("warning") if severity is None else severity).alias("severity"),
        *["market", "product", "day"],
        pl.col("method").replace_strict(METHOD_NAMES, return_dtype=pl.String),
        *["feed", "file", "row"],
        found.alias("found"),
        expected.alias("expected"),
        pl.lit(source).alias("source"),
    )
    return told.cast(dict(anomalies_schema()))  # type: ignore[arg-type]
