"""The compliance code of an EU ETS installation, derived from its figures, and how well that meets the published code.

Knows the codes, the phases and what can stand between the figures of today and a code of years ago. Must not know
files or the database.

The codes (the euets.info project's code table, H; it goes back to Regulation (EC) 2216/2004 Annex XVI, M):
    A   surrendered by the deadline >= verified emissions
    B   surrendered by the deadline < verified emissions
    C   verified emissions were not entered by the deadline
    D   corrected by the authority after the deadline, decided: not in compliance
    E   corrected by the authority after the deadline, decided: in compliance
    X   entering or surrendering was impossible, the process was suspended
    -   no compliance obligation
    A star after a code: the verified emissions were changed after the deadline (euets.info `verifiedUpdated`; M).

What "surrendered >= verified" sums over is not the year but the phase so far. Measured on 194,078 rows 2005-2020:
of the 172,163 rows with a code, the sum since the start of the phase gives the published letter in 97.8 %, the year
alone in 96.7 %; among A and B of 2005-07 all but 23 of 32,922 agree, by year all but 371 (confidence H, measured).
The regulations call it the compliance status figure: all surrendered less all verified of the period (confidence L:
their text was not read for this module).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["EXPLANATIONS", "PHASES", "derive_status", "explain_status", "status_agreement"]

# First and last year of each phase: Directive 2003/87/EC Articles 11 and 13 as amended; confidence M.
PHASES = ((2005, 2007), (2008, 2012), (2013, 2020), (2021, 2030))

_NOT_REPORTED = "Not Reported"
_EXCLUDED = "Excluded"

# class -> (what it means, where its evidence is). "data": other figures or marks of the same extract show it;
# "definition": it is what the code means, and nothing in the extract contradicts it, but nothing proves it (assumed).
EXPLANATIONS: dict[str, tuple[str, str]] = {
    "agrees": ("the derived letter is the published one", "data"),
    "no_code": ("the extract has no code yet", "data"),
    "corrected_by_authority": ("D or E: a decision of the authority, which no figure shows", "definition"),
    "reported_late": ("C, with figures by now: they were entered after the deadline", "definition"),
    "excluded": ("excluded from the scheme in that year: the log prints -, A, B or C alike, we the balance", "data"),
    "verified_changed": ("the star: verified emissions of this year changed after the code was set", "data"),
    "earlier_year_changed": ("the whole shortage lies in years entered or changed late (C, D, E or a star)", "data"),
    "made_good_later": ("short by today's figures, and covered by what was surrendered for a later year", "data"),
    # Twice as many rows with such a shortage print A (see `derive_status`), so the figures do not prove it.
    "earlier_phase_short": ("B goes on: a shortage of an earlier phase is still open", "definition"),
    "surrendered_late": ("B, with enough surrendered by now: it came after the deadline", "definition"),
    "earlier_year_marked": ("an earlier year was entered or changed late, which may be why: not shown", "definition"),
    "unexplained": ("nothing in the extract explains it", ""),
}


def derive_status(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The compliance code of each row from figures alone; no published code is read.

    rows : account_id (Int64), year (Int64), verified_t, surrendered_t (Int64, null: nothing entered), verified_status
    (String: "Excluded", "Not Reported" or null); optional corrected_compliant (Boolean: the authority corrected the
    emissions and found the operator compliant or not), suspended and obliged (Boolean), null where not known
    Result: the rows in their order with phase (Int64, first year of the phase), balance_t (Int64, surrendered less
    verified of the phase up to this year) and derived_code (A, B, C, D, E, X or "-"; null outside all phases).

    A row "Not Reported" is C; only obliged = false is "-". An excluded row and one with neither figure nor status (an
    installation before its first year or after its last) owe nothing new, so the balance of the phase stands: the
    log itself gives A to 2,791 of 2,979 coded excluded rows ("-" to 14) and to 1,867 of 1,880 rows without figure.
    No figure is invented for them: verified_t stays null.

    A shortage of an earlier phase is not carried in: the log goes on with B for 582 such rows and with A for 1,173,
    and no figure of the extract tells the two apart (`explain_status` names them).
    """
    import polars as pl

    year = pl.col("year")
    phase = pl.coalesce(
        pl.when(year.is_between(first, last)).then(pl.lit(first, dtype=pl.Int64)) for first, last in PHASES
    )
    summed = (
        rows.with_row_index("_place")
        .with_columns(phase.alias("phase"))
        .sort("account_id", "year")
        .with_columns(_change().cum_sum().over("account_id", "phase").alias("balance_t"))
        .sort("_place")
    )
    return summed.with_columns(_code(rows.columns).alias("derived_code")).drop("_place")


def explain_status(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The derived code beside the published one, and for each row why they differ.

    rows : as `derive_status` takes them, and compliance_code (String, as published, with or without *)
    Result: the rows in their order with phase, balance_t, derived_code, source_letter (the code without its star) and
    explanation, a key of EXPLANATIONS. The published codes of other rows are used to explain, never to derive.
    """
    import polars as pl

    code = pl.col("compliance_code")
    letter = pl.col("source_letter")
    group = ["account_id", "phase"]
    late = (pl.col("_star") | letter.is_in(["C", "D", "E"])).fill_null(False)
    marked = (
        derive_status(rows)
        .with_row_index("_place")
        .with_columns(code.str.strip_suffix("*").alias("source_letter"), code.str.ends_with("*").alias("_star"))
        .sort("account_id", "year")
        .with_columns(
            late.cum_max().over(group).alias("_late"),
            pl.when(late).then(_change().clip(upper_bound=0)).otherwise(0).cum_sum().over(group).alias("_marked"),
            # The best any later year makes of this balance, also in the next phase: a shortage covered is covered.
            (_total().reverse().cum_max().reverse() - _total()).over("account_id").alias("_later"),
            (_short_at_end().cum_sum() - _short_at_end()).over("account_id").alias("_open"),
        )
        .sort("_place")
    )
    return marked.with_columns(_explanation().alias("explanation")).drop(
        *("_place", "_star", "_late", "_marked", "_later", "_open")
    )


def status_agreement(rows: "pl.DataFrame") -> "pl.DataFrame":
    """How often the derived code meets the published one, and what explains each disagreement.

    rows : as `explain_status` takes them
    Result: source_code (String, as published), derived_code, rows (Int64), share (Float64, of the rows with a
    published code; null for rows without one), explanation, evidence ("data", "definition" or empty), most rows
    first; the rows sum to the height of the input.
    """
    import polars as pl

    counted = (
        explain_status(rows)
        .group_by(pl.col("compliance_code").alias("source_code"), "derived_code", "explanation")
        .agg(pl.len().cast(pl.Int64).alias("rows"))
    )
    with_code = pl.col("rows").filter(pl.col("source_code").is_not_null()).sum()
    evidence = {name: where for name, (_, where) in EXPLANATIONS.items()}
    return counted.select(
        "source_code",
        "derived_code",
        "rows",
        pl.when(pl.col("source_code").is_not_null()).then(pl.col("rows") / with_code).alias("share"),
        "explanation",
        pl.col("explanation").replace_strict(evidence, return_dtype=pl.String).alias("evidence"),
    ).sort("rows", "source_code", "derived_code", "explanation", descending=[True, False, False, False])


def _code(columns: list[str]) -> "pl.Expr":
    import polars as pl

    status = pl.col("verified_status")
    nothing = pl.lit(None, dtype=pl.Boolean)
    suspended = pl.col("suspended") if "suspended" in columns else nothing
    obliged = pl.col("obliged") if "obliged" in columns else nothing
    corrected = pl.col("corrected_compliant") if "corrected_compliant" in columns else nothing
    return (
        pl.when(pl.col("phase").is_null())
        .then(None)
        .when(~obliged)
        .then(pl.lit("-"))
        .when(suspended)
        .then(pl.lit("X"))
        .when(status == _NOT_REPORTED)
        .then(pl.lit("C"))
        .when(corrected)
        .then(pl.lit("E"))
        .when(~corrected)
        .then(pl.lit("D"))
        .when(pl.col("balance_t") >= 0)
        .then(pl.lit("A"))
        .otherwise(pl.lit("B"))
    )


def _change() -> "pl.Expr":
    """What a year adds to the balance; a year without entry adds nothing."""
    import polars as pl

    return pl.col("surrendered_t").fill_null(0) - pl.col("verified_t").fill_null(0)


def _total() -> "pl.Expr":
    """The balance of all years so far, whatever the phase, in an account's order of years."""
    return _change().cum_sum()


def _short_at_end() -> "pl.Expr":
    """The shortage (below zero or zero) with which a phase of an account ends, on its last row; elsewhere zero."""
    import polars as pl

    last = pl.col("year") == pl.col("year").max().over("account_id", "phase")
    return pl.when(last).then(pl.col("balance_t").clip(upper_bound=0)).otherwise(0)


def _explanation() -> "pl.Expr":
    """The first class that fits, from the code's own meaning to what the other rows of the account show."""
    import polars as pl

    letter, derived = pl.col("source_letter"), pl.col("derived_code")
    reported = pl.any_horizontal(pl.col("verified_t", "surrendered_t").is_not_null())
    is_a, is_b = letter == "A", letter == "B"
    excluded = pl.col("verified_status") == _EXCLUDED
    classes = [
        ("no_code", letter.is_null()),
        ("agrees", letter == derived),
        ("corrected_by_authority", letter.is_in(["D", "E"])),
        ("reported_late", (letter == "C") & reported),
        ("earlier_phase_short", is_b & (pl.col("balance_t") + pl.col("_open") < 0)),
        ("excluded", excluded),
        # A star on a year that is not short itself cannot be why the phase is short.
        ("verified_changed", pl.col("_star") & (is_b | (is_a & (_change() < 0)))),
        ("earlier_year_changed", is_a & (pl.col("balance_t") >= pl.col("_marked"))),
        ("made_good_later", is_a & (pl.col("balance_t") + pl.col("_later") >= 0)),
        ("surrendered_late", is_b & pl.col("surrendered_t").is_not_null()),
        ("earlier_year_marked", (is_a | is_b) & pl.col("_late")),
    ]
    return pl.coalesce(*[pl.when(where).then(pl.lit(name)) for name, where in classes], pl.lit("unexplained"))
