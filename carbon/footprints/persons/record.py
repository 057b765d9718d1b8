"""Recording what persons did: every claim once, within consent, by a known method, under the caps.

Knows the order of the checks and what is written where. Must not know files, HTTP or credits.

**Double counting.** One trip, kWh or act has one claim id, such as the ride number of the operator or the meter and
period of the supplier, whoever reports it. It is credited once in this registry: a second record of the same id is
refused, on the same platform or on another. Neither may a company's footprint count it: an activity that names a
platform and has the claim id as its activity_id or its evidence_ref is the same act, and whichever comes second is
refused (`record_claims` here, `double_counted` where activities are stored).
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select

from carbon.footprints.persons.accounts import (
    check_claims_salt,
    check_platform,
    consent_events,
    find_accounts,
    has_consent,
)
from carbon.footprints.persons.hashing import Salts, claim_hashes, is_id, person_hashes
from carbon.footprints.persons.methods import methods_in_force
from carbon.footprints.persons.queries import chunks, hold_persons, read_frame, table_of, total, write_rows
from carbon.footprints.persons.reductions import LARGEST_MILLI, capped, reduction_g_expr
from carbon.footprints.persons.tables import Claim, Entry

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Recording", "claims_schema", "double_counted", "record_claims"]

_FIRST_DAY: Final = date(1990, 1, 1)
_CONTENT: Final = ("person", "day", "method", "amount_milli", "unit")
_CERTIFIABLE: Final = ("H", "M")


@dataclass(frozen=True)
class Recording:
    """What came of a batch, a row for each: row, status, code, method String, day Date, reduction_g, credited_g,
    over_cap_g Int64.

    status : recorded now, replayed (recorded before with the same content) or refused, with the code of the reason
    (`refusals.REFUSALS`); over_cap_g : the part of the reduction that the caps do not let count
    """

    rows: "pl.DataFrame"

    def count(self, status: str) -> int:
        """How many rows have this status."""
        return self.rows.filter(status=status).height


def claims_schema() -> "dict[str, type[pl.DataType]]":
    """A frame of claims: row, claim, person, day, method, amount_milli (thousandths of the unit), unit."""
    import polars as pl

    text = pl.String
    return {
        **{"row": pl.Int64, "claim": text, "person": text, "day": pl.Date, "method": text},
        **{"amount_milli": pl.Int64, "unit": text},
    }


def record_claims(
    connection: Connection,
    *,
    platform: str,
    salts: Salts,
    claims: "pl.DataFrame",
    methods: "pl.DataFrame",
    today: date,
    at_us: int,
) -> Recording:
    """Record the reductions of a batch, in the order of its rows; each row is recorded, replayed or refused by itself.

    claims : `claims_schema`; methods : `methods.all_methods`; today : day of the record, by which consent must hold too
    A claim id twice in one batch with different content: the second is refused.
    Raises PersonRefusal: unknown_platform, other_salt.
    """
    import polars as pl

    hold_persons(connection)
    check_platform(connection, platform, salts)
    persons = person_hashes(salts, platform, {one for one in claims["person"].to_list() if is_id(one)})
    hashes = claim_hashes(salts, {one for one in claims["claim"].to_list() if is_id(one)})
    counted = _shared_claims(_shared_activities(connection))
    rows = claims.select(*claims_schema()).with_columns(
        pl.col("person").replace_strict(persons, default=None, return_dtype=pl.String).alias("person_sha256"),
        pl.col("claim").replace_strict(hashes, default=None, return_dtype=pl.String).alias("claim_sha256"),
        pl.col("claim").is_in(counted.implode()).fill_null(False).alias("counted"),
    )
    # Only the first row with a claim id is judged; the others repeat it or contradict it.
    first = rows.filter(pl.col("claim").is_first_distinct() | pl.col("claim").is_null())
    judged = _judged(connection, platform, first, methods, today)
    fresh = judged.filter(pl.col("status") == "recorded")
    _write(connection, platform, fresh, at_us)
    return Recording(_with_repeats(rows, judged))


def _judged(
    connection: Connection, platform: str, rows: "pl.DataFrame", methods: "pl.DataFrame", today: date
) -> "pl.DataFrame":
    """rows with everything known of them, status, code and the grams."""
    import polars as pl

    accounts = find_accounts(connection, rows["person_sha256"].drop_nulls().unique().to_list())
    known = rows.join(accounts, on="person_sha256", how="left", maintain_order="left").join(
        _earlier(connection, rows["claim_sha256"].drop_nulls().to_list()),
        on="claim_sha256",
        how="left",
        maintain_order="left",
    )
    in_force = methods_in_force(known, methods).rename({"method": "of_method", "unit": "method_unit"})
    ruled = known.join(in_force, on="row", how="left", maintain_order="left")
    ruled = ruled.with_columns(
        pl.col("row").is_in(_consented(connection, ruled, today).implode()).alias("consented"),
        pl.col("row").is_in(_in_region(ruled).implode()).alias("in_region"),
    )
    code = _code(platform, today)
    told = ruled.with_columns(code.alias("code")).with_columns(
        pl.when(pl.col("code").is_not_null())
        .then(pl.lit("refused"))
        .when(pl.col("claim_platform").is_not_null())
        .then(pl.lit("replayed"))
        .otherwise(pl.lit("recorded"))
        .alias("status")
    )
    return _with_grams(connection, told)


def _code(platform: str, today: date) -> "pl.Expr":
    """The first check that a row fails, null where it passes all; a claim that is there is judged by that alone."""
    import polars as pl

    column = pl.col
    there = column("claim_platform").is_not_null()
    same = (
        (column("account") == column("entry_account"))
        & (column("day") == column("entry_day"))
        & (column("method") == column("entry_method"))
        & (column("amount_milli") == column("entry_milli"))
    ).fill_null(False)
    own = (column("claim_platform") == platform) & column("entry_account").is_not_null()
    checks: list[tuple[pl.Expr, str]] = [
        (column("claim_sha256").is_null(), "bad_claim"),
        (column("person_sha256").is_null(), "bad_person"),
        (~column("day").is_between(_FIRST_DAY, today).fill_null(False), "bad_day"),
        (~column("amount_milli").is_between(1, LARGEST_MILLI).fill_null(False), "bad_amount"),
        (there & ~own, "claimed_before"),
        (there & ~same, "claim_in_use"),
        (~there & column("counted"), "counted_in_footprint"),
        (~there & column("account").is_null(), "unknown_person"),
        (~there & column("of_method").is_null(), "unknown_method"),
        (~there & column("unit").ne_missing(column("method_unit")), "wrong_unit"),
        (~there & ~column("in_region"), "outside_region"),
        (~there & ~column("consented"), "no_consent"),
    ]
    return pl.coalesce(pl.when(broken.fill_null(False)).then(pl.lit(code)) for broken, code in checks)


def _with_grams(connection: Connection, told: "pl.DataFrame") -> "pl.DataFrame":
    """reduction_g and credited_g: computed for new rows, as recorded for replayed ones, null for refused ones."""
    import polars as pl

    new = told.filter(pl.col("status") == "recorded").with_columns(reduction_g_expr().alias("reduction_g"))
    used = _used(connection, new["account"].unique().to_list())
    fresh = capped(new, used).select("row", "reduction_g", "credited_g")
    return told.join(fresh, on="row", how="left", maintain_order="left").with_columns(
        pl.when(pl.col("status") == "replayed").then(pl.col(f"entry_{name}")).otherwise(pl.col(name)).alias(name)
        for name in ("reduction_g", "credited_g")
    )


def _with_repeats(rows: "pl.DataFrame", judged: "pl.DataFrame") -> "pl.DataFrame":
    """The outcome of every row: its own, or that of the row before it with the same claim."""
    import polars as pl

    shown = judged.select("row", "status", "code", "method", "day", "reduction_g", "credited_g")
    outcome = judged.select(
        "claim",
        *(pl.col(name).alias(f"first_{name}") for name in _CONTENT),
        "status",
        "code",
        "reduction_g",
        "credited_g",
    )
    repeats = rows.join(judged.select("row"), on="row", how="anti").join(outcome, on="claim", maintain_order="left")
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"first_{name}")) for name in _CONTENT)
    was_kept = pl.col("status") != "refused"
    again = repeats.select(
        "row",
        pl.when(same & was_kept).then(pl.lit("replayed")).otherwise(pl.lit("refused")).alias("status"),
        pl.when(same).then(pl.col("code")).otherwise(pl.lit("claim_in_use")).alias("code"),
        *("method", "day"),
        *(pl.when(same).then(pl.col(name)).alias(name) for name in ("reduction_g", "credited_g")),
    )
    over = pl.col("reduction_g") - pl.col("credited_g")
    return pl.concat([shown, again]).sort("row").with_columns(over.alias("over_cap_g"))


def _earlier(connection: Connection, hashes: list[str]) -> "pl.DataFrame":
    """Which of the claims are there, through whom, and what was recorded of them (null after an erasure)."""
    import polars as pl

    claim, entry = table_of(Claim), table_of(Entry)
    schema = {
        **{"claim_sha256": pl.String, "claim_platform": pl.String, "entry_account": pl.String, "entry_day": pl.Date},
        **{"entry_method": pl.String, "entry_milli": pl.Int64, "entry_reduction_g": pl.Int64},
        "entry_credited_g": pl.Int64,
    }
    query = select(
        *(claim.c.claim_sha256, claim.c.platform, entry.c.account, entry.c.day, entry.c.method, entry.c.amount_milli),
        *(entry.c.reduction_g, entry.c.credited_g),
    ).select_from(claim.outerjoin(entry, entry.c.claim_sha256 == claim.c.claim_sha256))
    parts = [read_frame(connection, query.where(claim.c.claim_sha256.in_(part)), schema) for part in chunks(hashes)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _used(connection: Connection, accounts: list[str]) -> "pl.DataFrame":
    """What was credited before, by account, method row and day."""
    import polars as pl

    entry = table_of(Entry)
    schema = {
        **{"account": pl.String, "method": pl.String, "valid_from": pl.Date, "day": pl.Date},
        "credited_g": pl.Int64,
    }
    by = [entry.c.account, entry.c.method, entry.c.valid_from, entry.c.day]
    query = select(*by, total(entry.c.credited_g)).group_by(*by)
    parts = [read_frame(connection, query.where(entry.c.account.in_(part)), schema) for part in chunks(accounts)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _consented(connection: Connection, rows: "pl.DataFrame", today: date) -> "pl.Series":
    """Rows whose person consents to the record on the day of the act and on the day of the record."""
    import polars as pl

    asked = rows.select("row", "account", "method", "day").drop_nulls()
    events = consent_events(connection, asked["account"].unique().to_list(), "record")
    then = has_consent(asked, events)
    now = has_consent(asked.with_columns(pl.lit(today).alias("day")), events)
    return then.filter(then.is_in(now.implode()))


def _in_region(rows: "pl.DataFrame") -> "pl.Series":
    """Rows whose method is for the city of the account: its own code, or a region that the city lies in."""
    import polars as pl

    from carbon.footprints.factor_regions import region_chains, region_of_hub

    anywhere = rows.filter(pl.col("region").is_null())["row"]
    hubs = rows["hub"].drop_nulls().unique().to_list()
    if not hubs:
        return anywhere
    cities = {hub: region_of_hub(hub) for hub in hubs}
    chains = region_chains(pl.Series("region", list(cities.values()), pl.String))
    inside = (
        pl.DataFrame({"hub": list(cities), "city": list(cities.values())}, schema={"hub": pl.String, "city": pl.String})
        .join(chains.select(pl.col("region").alias("city"), pl.col("ancestor").alias("region")), on="city")
        .select("hub", "region")
    )
    return pl.concat([anywhere, rows.join(inside, on=["hub", "region"], how="semi")["row"]])


def _write(connection: Connection, platform: str, fresh: "pl.DataFrame", at_us: int) -> None:
    import polars as pl

    claims = fresh.select("claim_sha256", pl.lit(platform).alias("platform"))
    entries: list[dict[str, Any]] = fresh.select(
        *("account", "claim_sha256", pl.lit(platform).alias("platform"), "hub", "day", "method", "valid_from"),
        *("amount_milli", "reduction_g", "credited_g"),
        pl.col("confidence").is_in(_CERTIFIABLE).alias("certifiable"),
        pl.lit(at_us).alias("at_us"),
    ).to_dicts()
    # By its hash, so that the order of claims tells nothing of the order of entries.
    write_rows(connection, Claim, claims.sort("claim_sha256").to_dicts())
    write_rows(connection, Entry, entries)


def _shared_activities(connection: Connection) -> "pl.DataFrame":
    """The activities that footprints count together with a platform, corrected ones left out."""
    import polars as pl

    from carbon.footprints.activity_tables import FootprintActivity

    table = table_of(FootprintActivity)
    names = ("activity_id", "evidence_ref", "platform")
    corrected = select(table.c.replaces).where(table.c.replaces.is_not(None))
    query = select(*(table.c[name] for name in names)).where(
        table.c.platform.is_not(None), table.c.activity_id.not_in(corrected)
    )
    return read_frame(connection, query, dict.fromkeys(names, pl.String))


def _shared_claims(activities: "pl.DataFrame") -> "pl.Series":
    """The ids under which activities may be claimed."""
    import polars as pl

    ids = [activities[name].cast(pl.String).alias("claim") for name in ("activity_id", "evidence_ref")]
    return pl.concat(ids).drop_nulls().unique()


def double_counted(connection: Connection, *, salts: Salts, activities: "pl.DataFrame") -> "pl.DataFrame":
    """The activities of a company's footprint that a person was credited for already: to be refused.

    activities : as in the contract of footprints; those with a platform are looked at. Result : activity_id, platform.
    Raises PersonRefusal other_salt where the claims were hashed with another salt, so that none would be found.
    """
    import polars as pl

    check_claims_salt(connection, salts)
    shared = activities.filter(pl.col("platform").is_not_null())
    hashes = claim_hashes(salts, _shared_claims(shared).to_list())
    there = set(_earlier(connection, list(hashes.values()))["claim_sha256"])
    claimed = [claim for claim, digest in hashes.items() if digest in there]
    return shared.filter(pl.col("activity_id").is_in(claimed) | pl.col("evidence_ref").is_in(claimed)).select(
        "activity_id", "platform"
    )
