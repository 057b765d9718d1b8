"""The same activity counted twice: in two scopes, in a year and its months, by a platform and by a person.

Knows which activities are one and the same. Must not know files, storage, factors or results. Pure: frames in, a frame
of findings out. Each finding names both rows; the row that is new, and among new ones the later, is the one refused;
of a year and its months the year.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from carbon.footprints.activities import REPORTED, content_hashes
from carbon.footprints.periods import PERIOD_LEVELS, period_level_expr
from carbon.footprints.schemas import SCOPE_2

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_double_counting", "findings_schema"]

_UPSTREAM_ENERGY: Final = "c03"
"""Upstream emissions of fuel and power that scopes 1 and 2 leave out: rightly on the same invoice (Corporate Value
Chain (Scope 3) Standard, table 5.4)."""
_TRUNCATED = {"year": "%Y", "month": "%Y-%m"}


@dataclass(frozen=True)
class _Pairs:
    """Rows that count the same thing: frame of at and other (UInt32), and what to say of them."""

    pairs: "pl.DataFrame"
    code: str
    severity: str
    column: str
    expected: str


def findings_schema() -> "dict[str, type[pl.DataType]]":
    """Columns of `find_double_counting`.

    index : position of the refused row in `new`, from 0; column, found, expected, code, severity as in Problem
    is_stored : whether the other row is one of `stored`
    """
    import polars as pl

    names = ("column", "found", "expected", "code", "severity")
    return {"index": pl.UInt32, **dict.fromkeys(names, pl.String), "is_stored": pl.Boolean}


def find_double_counting(new: "pl.DataFrame", stored: "pl.DataFrame | None" = None) -> "pl.DataFrame":
    """Every new row that counts what another new or stored row counts already, in `findings_schema`, by index.

    new, stored : activities in `activities_schema`, ids filled; rows that another row of either replaces count nothing
    Errors
    repeated_row    the same content or the same id as an earlier new row
    id_used_twice   the id of another row with other content
    period_overlap  a longer period that holds shorter ones of the same entity, city, region, category, activity,
                    method, contract and sign: the longer row is refused, or the shorter where the longer is stored
    two_scopes      the same entity, period, activity, evidence_ref and sign in two scopes, category c03 apart
    purchased_in_scope_1   electricity, heat, steam or cooling both as scope 1 and, bought, as scope 2 of one entity
                    in periods that overlap
    claimed_by_platform    a row whose platform has the same period and activity as its own row, with the same evidence
                    or, where one has none, the same amount and unit
    reported_beside_rows   what an entity reports of a scope or category, beside activities of that scope or category
                    in periods that overlap
    Warnings
    same_evidence   the same evidence_ref for entity, city, period, category, activity, method and sign, other content
    """
    import polars as pl

    told = [pl.DataFrame(schema=findings_schema())]
    left = new.with_row_index("index")
    while True:
        found = _find(left.drop("index"), stored)
        findings = found.with_columns(index=left["index"].gather(found["index"]))
        errors = findings.filter(pl.col("severity") == "error")["index"]
        # A refused correction leaves the row that it names as it was, and that row counts again.
        refused = left.filter(pl.col("index").is_in(errors.implode()) & pl.col("replaces").is_not_null())["index"]
        if refused.is_empty():
            return pl.concat([*told, findings]).sort("index", "code", maintain_order=True)
        told.append(findings.filter(pl.col("index").is_in(refused.implode())))
        left = left.filter(~pl.col("index").is_in(refused.implode()))


def _find(new: "pl.DataFrame", stored: "pl.DataFrame | None") -> "pl.DataFrame":
    import polars as pl

    parts = [new] if stored is None else [stored.select(new.columns), new]
    before = 0 if stored is None else stored.height
    every = pl.concat(parts).with_row_index("at").with_columns(level=period_level_expr(pl.col("period")))
    every = every.with_columns(is_new=pl.col("at") >= before)
    gone = every["replaces"].drop_nulls().unique()
    repeats = _repeats(every)
    rest = every.filter(~pl.col("activity_id").is_in(gone.implode()))
    # A row of the file that is there already, or a second time, says nothing about the others.
    rest = rest.unique("activity_id", keep="first", maintain_order=True)
    found = [*repeats, _same_evidence(rest), _overlaps(rest), _two_scopes(rest), _purchased(rest), _claimed(rest)]
    found.append(_reported(rest))
    findings = [_told(every, one, before) for one in found if one.pairs.height]
    return pl.concat([pl.DataFrame(schema=findings_schema()), *findings])


def _repeats(every: "pl.DataFrame") -> list[_Pairs]:
    import polars as pl

    many = every.filter(pl.col("activity_id").is_duplicated())
    met = many.with_columns(content=content_hashes(many), other=pl.col("at").first().over("activity_id"))
    first_content = pl.col("content").first().over("activity_id")
    again = met.with_columns(is_same=pl.col("content") == first_content).filter(
        pl.col("is_new") & (pl.col("at") > pl.col("other"))
    )
    stored_too = many.filter(~pl.col("is_new"))["activity_id"].implode()
    # What is stored already is loaded again, which is no fault.
    same = again.filter(pl.col("is_same") & ~pl.col("activity_id").is_in(stored_too))
    unlike = again.filter(~pl.col("is_same"))
    expected = "each row once"
    ids = "an id of its own; a correction is a new row that names this id under replaces"
    return [
        _Pairs(same.select("at", "other"), "repeated_row", "error", "activity_id", expected),
        _Pairs(unlike.select("at", "other"), "id_used_twice", "error", "activity_id", ids),
    ]


def _same_evidence(rows: "pl.DataFrame") -> _Pairs:
    import polars as pl

    keys = ["entity", "hub", "period", "category", "activity", "method", "credit_note", "evidence_ref"]
    told = rows.filter(pl.col("evidence_ref").is_not_null())
    pairs = told.with_columns(other=pl.col("at").first().over(keys)).filter(pl.col("at") > pl.col("other"))
    expected = "one row for one piece of evidence, or different evidence"
    return _Pairs(_of_new(pairs), "same_evidence", "warning", "evidence_ref", expected)


def _overlaps(rows: "pl.DataFrame") -> _Pairs:
    import polars as pl

    keys = ["entity", "hub", "region", "category", "activity", "way", "contract", "credit_note"]
    # A row of scope 2 without a method counts in both ways.
    both = pl.when((pl.col("scope") == 2) & pl.col("method").is_null()).then(pl.lit("location,market"))
    ways = rows.with_columns(way=both.otherwise(pl.col("method").fill_null("")).str.split(",")).explode("way")
    order = pl.col("level").replace_strict(list(PERIOD_LEVELS), [0, 1, 2, 3], return_dtype=pl.Int8)
    mixed = ways.with_columns(order=order).filter(pl.col("order").min().over(keys) < pl.col("order").max().over(keys))
    slim = mixed.select("at", "is_new", "order", "period", "first_day", *keys)
    pairs = [_of_level(slim, keys, number, level) for number, level in enumerate(PERIOD_LEVELS[:-1])]
    expected = "one length of period for one activity; the longer row holds the shorter one"
    found = pl.concat(pairs).unique("at", keep="first", maintain_order=True)
    return _Pairs(found, "period_overlap", "error", "period", expected)


def _of_level(rows: "pl.DataFrame", keys: list[str], number: int, level: str) -> "pl.DataFrame":
    """Rows of this length with a shorter one inside, and shorter new ones inside a stored one: at, other."""
    import polars as pl

    day = pl.col("first_day")
    name = (
        pl.format("{}-Q{}", day.dt.year(), day.dt.quarter())
        if level == "quarter"
        else day.dt.strftime(_TRUNCATED[level])
    )
    within = [*keys, "held"]
    long = rows.filter(pl.col("order") == number).with_columns(held=pl.col("period"))
    short = rows.filter(pl.col("order") > number).with_columns(held=name)
    first_short = short.group_by(within).agg(pl.col("at").min().alias("other"))
    stored_long = long.filter(~pl.col("is_new")).group_by(within).agg(pl.col("at").min().alias("other"))
    refused_long = long.filter("is_new").join(first_short, on=within, nulls_equal=True)
    refused_short = short.filter("is_new").join(stored_long, on=within, nulls_equal=True)
    return pl.concat([refused_long.select("at", "other"), refused_short.select("at", "other")]).sort("at", "other")


def _two_scopes(rows: "pl.DataFrame") -> _Pairs:
    import polars as pl

    keys = ["entity", "period", "activity", "evidence_ref", "credit_note"]
    told = rows.filter(pl.col("evidence_ref").is_not_null() & (pl.col("category") != _UPSTREAM_ENERGY))
    met = told.with_columns(other=pl.col("at").first().over(keys), first_scope=pl.col("scope").first().over(keys))
    pairs = met.filter(pl.col("scope") != pl.col("first_scope"))
    return _Pairs(_of_new(pairs), "two_scopes", "error", "scope", "one scope for one activity and piece of evidence")


def _purchased(rows: "pl.DataFrame") -> _Pairs:
    import polars as pl

    carriers = rows.filter(pl.col("activity").is_in(list(SCOPE_2)) & ~pl.col("credit_note"))
    slim = carriers.select("at", "is_new", "entity", "activity", "scope", "first_day", "last_day")
    direct, bought = (slim.filter(pl.col("scope") == scope).drop("scope") for scope in (1, 2))
    both = direct.join(bought, on=["entity", "activity"], suffix="_bought").filter(
        (pl.col("first_day") <= pl.col("last_day_bought")) & (pl.col("first_day_bought") <= pl.col("last_day"))
    )
    expected = "scope 2 alone for energy that was bought; scope 1 takes the fuel burnt, not the energy made of it"
    return _Pairs(_later(both, "at_bought"), "purchased_in_scope_1", "error", "scope", expected)


def _claimed(rows: "pl.DataFrame") -> _Pairs:
    import polars as pl

    slim = rows.select(
        *("at", "is_new", "entity", "platform", "period", "activity", "evidence_ref", "amount", "unit", "credit_note")
    )
    named = slim.filter(pl.col("platform").is_not_null() & (pl.col("platform") != pl.col("entity")))
    own = slim.filter(pl.col("entity").is_in(named["platform"].unique().implode())).drop("platform")
    both = named.join(
        own,
        left_on=["platform", "period", "activity", "credit_note"],
        right_on=["entity", "period", "activity", "credit_note"],
        suffix="_own",
    )
    evidence, own_evidence = pl.col("evidence_ref"), pl.col("evidence_ref_own")
    same_figure = (pl.col("amount") == pl.col("amount_own")) & (pl.col("unit") == pl.col("unit_own"))
    is_one = pl.when(evidence.is_not_null() & own_evidence.is_not_null()).then(evidence == own_evidence)
    both = both.filter(is_one.otherwise(same_figure))
    expected = "one of the two: what a platform counts, the person or company that it serves does not count again"
    return _Pairs(_later(both, "at_own"), "claimed_by_platform", "error", "platform", expected)


def _reported(rows: "pl.DataFrame") -> _Pairs:
    import polars as pl

    names = ("at", "is_new", "entity", "scope", "category", "first_day", "last_day")
    told = rows.filter(pl.col("activity") == REPORTED).select(names)
    summed = rows.filter(pl.col("activity") != REPORTED).select(names)
    both = told.join(summed, on=["entity", "scope"], suffix="_row").filter(
        (pl.col("category").is_null() | (pl.col("category") == pl.col("category_row")))
        & (pl.col("first_day") <= pl.col("last_day_row"))
        & (pl.col("first_day_row") <= pl.col("last_day"))
    )
    expected = "either what is reported of the scope, or the activities that it sums up"
    return _Pairs(_later(both, "at_row"), "reported_beside_rows", "error", "activity", expected)


def _of_new(pairs: "pl.DataFrame") -> "pl.DataFrame":
    return pairs.filter("is_new").select("at", "other")


def _later(pairs: "pl.DataFrame", partner: str) -> "pl.DataFrame":
    """at and other: the later of both, where it is new, with the first row that it stands against."""
    import polars as pl

    is_new = pl.col("is_new") | pl.col(partner.replace("at_", "is_new_"))
    return (
        pairs.filter(is_new)
        .select(at=pl.max_horizontal("at", partner), other=pl.min_horizontal("at", partner))
        .sort("at", "other")
        .unique("at", keep="first", maintain_order=True)
    )


def _told(every: "pl.DataFrame", found: _Pairs, stored: int) -> "pl.DataFrame":
    import polars as pl

    place = pl.when(pl.col("row").is_null()).then(pl.col("file")).otherwise(pl.format("{} row {}", "file", "row"))
    what = pl.format("{} {} {} scope {}", "entity", "period", "activity", "scope")
    shown = every.select("at", what=what, place=place.fill_null("a row without a file"))
    other = pl.format("{}, which {} counts too ({})", "what", "place_other", "what_other")
    return (
        found.pairs.join(shown, on="at", how="left", maintain_order="left")
        .join(shown.rename({"at": "other"}), on="other", how="left", suffix="_other", maintain_order="left")
        .select(
            index=(pl.col("at") - stored).cast(pl.UInt32),
            column=pl.lit(found.column),
            found=other,
            expected=pl.lit(found.expected),
            code=pl.lit(found.code),
            severity=pl.lit(found.severity),
            is_stored=pl.col("other") < stored,
        )
    )
