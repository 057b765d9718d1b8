"""Serial ranges by the column: reading a million texts, and finding overlaps and gaps.

Knows the patterns of `serials` and the columns stem, first and last. Must not know files or registers' headings.
"""

from typing import TYPE_CHECKING

from carbon.errors import Severity
from carbon.findings import findings_where, no_findings
from carbon.formats.offsets.serials import SERIAL_PATTERNS, WIDTH_MARK, explain_serial

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_gaps", "find_overlaps", "parse_serials"]

_GROUPS = ("before", "first_text", "between", "last_text", "after")


def parse_serials(serials: "pl.Series") -> "pl.DataFrame":
    """The ranges of a column of texts; the same rule as `parse_serial`, without a loop.

    serials : String, null where nothing is printed
    Result, row by row in the same order: serial String; register String, stem String, first Int64, last Int64,
    quantity Int64; problem String. A text that is no range has nulls and the reason in `problem`, and keeps its text; a
    null has nulls and no problem.
    """
    import polars as pl

    rest = pl.DataFrame({"place": pl.int_range(serials.len(), eager=True), "serial": serials.cast(pl.String)})
    parts = []
    # A column holds the serials of one or two registers, so after its own form little is left for the others.
    for register in SERIAL_PATTERNS:
        if rest.is_empty():
            break
        reading = _by_pattern(rest, register)
        parts.append(reading.filter(pl.col("stem").is_not_null()))
        rest = rest.join(parts[-1], on="place", how="anti")
    parts.append(rest.with_columns([pl.lit(None, dtype=dtype).alias(name) for name, dtype in _fields().items()]))
    bad = rest["serial"].drop_nulls().unique().to_list()
    reasons = pl.DataFrame(
        {"serial": bad, "problem": [explain_serial(text) for text in bad]},
        schema={"serial": pl.String, "problem": pl.String},
    )
    parsed = pl.concat(parts).sort("place").drop("place")
    return parsed.join(reasons, on="serial", how="left", maintain_order="left")


def _fields() -> "dict[str, type[pl.DataType]]":
    import polars as pl

    return {"register": pl.String, "stem": pl.String, "first": pl.Int64, "last": pl.Int64, "quantity": pl.Int64}


def _by_pattern(frame: "pl.DataFrame", register: str) -> "pl.DataFrame":
    """The texts read by one form: place, serial and the fields, null where the form does not fit."""
    import polars as pl

    groups = pl.col("serial").str.extract_groups(SERIAL_PATTERNS[register]).struct.rename_fields(list(_GROUPS))
    parts = frame.with_columns(groups.alias("groups")).unnest("groups")
    before, between, after = pl.col("before"), pl.col("between"), pl.col("after")
    first_text, last_text = pl.col("first_text"), pl.col("last_text")
    same_width = first_text.str.len_chars() == last_text.str.len_chars()
    padded = pl.any_horizontal([text.str.contains("^0.") for text in (first_text, last_text)])
    halves = pl.lit(True)
    if register == "cdm":
        halves = between == pl.concat_str([after, pl.lit(" - "), before])
    if register == "cad_trust":
        halves = between == pl.concat_str([pl.lit("-"), before])
    first, last = first_text.cast(pl.Int64), last_text.cast(pl.Int64)
    width = pl.when(padded).then(pl.format(":{}", first_text.str.len_chars())).otherwise(pl.lit(""))
    marks = [pl.concat_str([pl.lit(name), width, pl.lit("}")]) for name in ("{first", "{last")]
    stem = pl.concat_str([before, marks[0], between, marks[1], after])
    fits = halves & (same_width | ~padded) & (first <= last)
    fields = {"register": pl.lit(register), "stem": stem, "first": first, "last": last, "quantity": last - first + 1}
    return parts.select("place", "serial", *[pl.when(fits).then(field).alias(name) for name, field in fields.items()])


def _with_reach(ranges: "pl.DataFrame") -> "pl.DataFrame":
    """Ranges by stem and first, with the highest number before each (`reach`) and the place of the row that has it."""
    import polars as pl

    known = ranges.filter(pl.col("stem").is_not_null() & pl.col("first").is_not_null())
    place = pl.col("place") if "place" in ranges.columns else pl.format("row {}", pl.col("row"))
    # Rows of equal numbers keep their order in the file, so that the later of two is the one reported.
    by_series = known.with_columns(series=pl.col("stem").str.replace_all(WIDTH_MARK, "}"))
    ordered = by_series.sort("series", "first", "last", maintain_order=True)
    reached = ordered.with_columns(reach=pl.col("last").cum_max().shift(1).over("series"))
    is_higher = pl.col("reach").is_null() | (pl.col("last") > pl.col("reach"))
    held = reached.with_columns(holder=pl.when(is_higher).then(place))
    return held.with_columns(reach_place=pl.col("holder").forward_fill().shift(1).over("series"))


def find_overlaps(ranges: "pl.DataFrame", *, severity: Severity = "error") -> "pl.DataFrame":
    """Every range that shares a number with one that comes before it by stem and first (check C27).

    ranges : row Int64, stem String, first Int64, last Int64 (rows with nulls are passed over); optionally place String,
    how to name a row in words ("row 7" by default)
    Result : findings, code "C27", one a range. n ranges are disjoint if and only if there is none; n log n time.
    """
    import polars as pl

    if ranges.is_empty():
        return no_findings()
    numbers = pl.format("{}..{}", pl.col("first"), pl.col("last"))
    return findings_where(
        _with_reach(ranges),
        pl.col("first") <= pl.col("reach"),
        code="C27",
        severity=severity,
        column=None,
        found=pl.format("{} of series {}, which meets {}", numbers, pl.col("stem"), pl.col("reach_place")),
        expected=pl.format("numbers of their own, above {}", pl.col("reach")),
    )


def find_gaps(ranges: "pl.DataFrame") -> "pl.DataFrame":
    """Numbers between two ranges of a series that no range has; a gap is no error in an excerpt.

    ranges : as for `find_overlaps`
    Result : findings of severity "warning", code "serial_gap", at the row after the gap.
    """
    import polars as pl

    if ranges.is_empty():
        return no_findings()
    first, reach = pl.col("first"), pl.col("reach")
    return findings_where(
        _with_reach(ranges),
        first > reach + 1,
        code="serial_gap",
        severity="warning",
        column=None,
        found=pl.format("{} numbers missing, {}..{}, in series {}", first - reach - 1, reach + 1, first - 1, "stem"),
        expected=pl.format("{} to follow {}", first, reach),
    )
