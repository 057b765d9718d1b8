"""The printed change of a day against the closes beside it.

Knows how a change in per cent relates two closes, and the price limit of listed trading. Must not know any publisher's
headings or how files are opened.
"""

from typing import TYPE_CHECKING

from carbon.findings import findings_where

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_unsigned_changes", "find_wrong_changes"]

# Changes are counted in hundredths of a per cent here, as printed.
_WHOLE = 10_000
# Half a hundredth of a per cent of rounding, and what the rounding of two closes adds (collector of research 7.3).
_TOLERANCE = 1.1
_LIMIT = 0.1
_LIMIT_SLACK_FEN = 2
_EXPECTED_UP = "a fall, -{}: with a rise the close before would be {} CNY/t, and {} CNY/t lies more than 10 % off it"


def find_unsigned_changes(lines: "pl.DataFrame", *, column: str) -> "pl.DataFrame":
    """Warning `unsigned_change`: a fall printed without its sign, told by the limit of 10 % (C36).

    lines : row; open, high, low, close Int64 fen; change Int64 hundredths of a per cent, change_text String
    The close before follows from the close and the change. Where open, high or low lie more than 10 % off it as
    printed, but within 10 % with the other sign, the sign is wrong.
    """
    import polars as pl

    before = pl.col("close") * _WHOLE / (_WHOLE + pl.col("change"))
    turned = pl.col("close") * _WHOLE / (_WHOLE - pl.col("change"))
    prices = ("open", "high", "low")
    off_as_printed = pl.any_horizontal(_is_off(role, before) for role in prices)
    off_when_turned = pl.any_horizontal(_is_off(role, turned) for role in prices)
    farthest = pl.when(_is_off("open", before)).then("open").when(_is_off("high", before)).then("high").otherwise("low")
    return findings_where(
        lines,
        (pl.col("change") > 0) & off_as_printed & ~off_when_turned,
        code="unsigned_change",
        severity="warning",
        column=column,
        found=pl.col("change_text"),
        expected=pl.format(_EXPECTED_UP, "change_text", (before / 100).round(2), farthest / 100),
    )


def _is_off(role: str, before: "pl.Expr") -> "pl.Expr":
    import polars as pl

    return ((pl.col(role) - before).abs() > before * _LIMIT + _LIMIT_SLACK_FEN).fill_null(False)


def find_wrong_changes(lines: "pl.DataFrame", sessions: "pl.Series", *, column: str) -> "pl.DataFrame":
    """Warnings `change_not_closes` and `unsigned_change` where the session before stands in the same file.

    lines : row, product, day, close (fen), change (hundredths of a per cent), change_text; sessions : ascending session
    days. A change may lie 1.1e-4 off close / close before - 1; one that fits with the other sign is `unsigned_change`.
    A line without a change is not compared, and still the one before another.
    """
    import polars as pl

    known = lines.filter(pl.all_horizontal(pl.col("day", "close").is_not_null()) & (pl.col("close") > 0))
    order = sessions.cast(pl.Date).to_frame("day").with_row_index("session")
    ordered = (
        known.join(order, on="day")
        .unique(["product", "day"], keep="first", maintain_order=True)
        .sort("product", "day")
        .with_columns(
            session_before=pl.col("session").shift(1).over("product"),
            close_before=pl.col("close").shift(1).over("product"),
        )
        .filter(pl.col("session").cast(pl.Int64) - pl.col("session_before").cast(pl.Int64) == 1)
        .with_columns(real=(pl.col("close") / pl.col("close_before") - 1) * _WHOLE)
    )
    is_wrong = (pl.col("change") - pl.col("real")).abs() > _TOLERANCE
    is_turned = (pl.col("change") + pl.col("real")).abs() <= _TOLERANCE
    expected = pl.format(
        "{} %, from the close before of {} CNY/t", (pl.col("real") / 100).round(2), pl.col("close_before") / 100
    )
    findings = [
        findings_where(
            ordered,
            is_wrong & where,
            code=code,
            severity="warning",
            column=column,
            found=pl.col("change_text"),
            expected=expected,
        )
        for where, code in ((is_turned, "unsigned_change"), (~is_turned, "change_not_closes"))
    ]
    return pl.concat(findings)
