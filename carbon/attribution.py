"""Which city a figure of the carbon market belongs to: trades, custody, and what holders hold and owe.

Knows three rules and keeps them apart: a trade belongs to the hub of the exchange, custody and settlement to the hub
of the registry, holdings, compliance and participation to the hub of the entity. Must not know formats, SQL (see
`carbon.attribution_inputs`), an index or today's date. Pure: frames in, frames out. Nothing is dropped: what has no
known hub stands in the row whose hub is null, so that every column adds up to its national figure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "SUMMED",
    "By",
    "LedgerFrames",
    "MarketFrames",
    "attribute",
    "attribute_ledger",
    "attribute_markets",
    "check_sums",
    "national_totals",
    "period_frame",
]

By = Literal["day", "month", "year"]

_STEPS: Final[Mapping[By, tuple[str, str]]] = {
    "day": ("1d", "%Y-%m-%d"),
    "month": ("1mo", "%Y-%m"),
    "year": ("1y", "%Y"),
}
_KEY: Final = ["hub", "period"]
# Role of the facility -> names of its columns: tonnes and fen where all is known, tonnes and fen of what is known.
_SEATED: Final = {
    "exchange": ("traded_volume_t", "traded_value_fen", "traded_known_t", "traded_known_fen", "traded"),
    "registry": ("custody_volume_t", "settled_value_fen", "custody_known_t", "settled_known_fen", "custody"),
}
_KNOWN: Final = {
    **{"traded_known_t": "volume_t", "traded_known_fen": "value_fen"},
    **{"custody_known_t": "volume_t", "settled_known_fen": "value_fen"},
}
_COMPLIANCE: Final = {
    "verified_t": "verified_t",
    "due_t": "obligation_t",
    "surrendered_t": "surrendered_t",
    "offsets_used_t": "offsets_t",
}
_HELD: Final = {"holdings_t": "allowance", "offset_holdings_t": "offset"}
SUMMED: Final = (*_KNOWN, *_HELD, *_COMPLIANCE, "participants")
"""The columns that add up over all hubs, the null one included, to the national figure in every period."""


@dataclass(frozen=True)
class MarketFrames:
    """The market side of an attribution.

    figures : market, period, volume_t and value_fen Int64, first_day Date, coverage, source String; one row a key
    markets : market, opened (Date): which figures a period should have
    facilities : facility, market, role (exchange | registry), hub, since (Date), as `carbon.facts.facilities`
    """

    figures: "pl.DataFrame"
    markets: "pl.DataFrame"
    facilities: "pl.DataFrame"


@dataclass(frozen=True)
class LedgerFrames:
    """The ledger side of an attribution: accounts of holders only, not those of the schemes themselves.

    accounts : account (unique), hub (null where the entity has none), opened, closed (Date, null where open)
    holdings : period, account, kind (allowance | offset), quantity_t Int64 at the end of the period
    compliance : account, hub, compliance_year, verified_t, obligation_t, surrendered_t, offsets_t Int64, as
    `carbon.ledger.compliance.compliance`
    """

    accounts: "pl.DataFrame"
    holdings: "pl.DataFrame"
    compliance: "pl.DataFrame"


def period_frame(by: By, first: date, last: date) -> "pl.DataFrame":
    """The periods that touch first..last, ascending: period String (2025, 2025-01 or 2025-01-02), start, end Date."""
    import polars as pl

    step, form = _STEPS[by]
    start = pl.date_range(first, last, eager=True).dt.truncate(step).unique().sort().alias("start")
    return start.to_frame().select(
        pl.col("start").dt.strftime(form).alias("period"),
        "start",
        pl.col("start").dt.offset_by(step).dt.offset_by("-1d").alias("end"),
    )


def attribute(
    market: MarketFrames, ledger: LedgerFrames, periods: "pl.DataFrame", *, hubs: Sequence[str] = ()
) -> "pl.DataFrame":
    """All columns side by side, one row a hub and period, by period and hub, the null hub last.

    periods : result of `period_frame`; hubs : cities that get a row although nothing belongs to them
    Every column is its own measure, none the sum of others: see `attribute_markets` and `attribute_ledger`.
    """
    import polars as pl

    found = [ledger.accounts["hub"], ledger.compliance["hub"], _seats(market.facilities)["hub"]]
    named = sorted({*hubs, *pl.concat(found).drop_nulls()})
    both = attribute_markets(market, periods, hubs=named).join(
        attribute_ledger(ledger, periods, hubs=named), on=_KEY, how="left", nulls_equal=True, validate="1:1"
    )
    return both.sort("period", "hub", nulls_last=True)


def attribute_markets(market: MarketFrames, periods: "pl.DataFrame", *, hubs: Sequence[str] = ()) -> "pl.DataFrame":
    """Trades by the exchange's hub and custody by the registry's hub, one row a hub and period.

    periods : result of `period_frame`; hubs : cities that get a row although nothing sits there

    A figure belongs to the facility that served its market since its first day; a figure that began before, or that
    no facility serves, or two hubs claim, goes to the null hub. Result for each of `traded_` and `custody_`: tonnes
    and fen where every market seated in the hub has a figure, else null; the same of the markets that are known
    (`_known_t`, `_known_fen`: these always add up); missing (String, markets without figure, joined by "; ", null
    where none lacks) and source (String). Where nothing is placed in a hub, its figure is null if tonnes of the period
    that are placed nowhere, or not known, might be its: those of a market that has another of its facilities there, or
    of a market that has none anywhere. Else it is a true zero.
    """

    expected = _expected(market.figures, market.markets, periods)
    seats = _seats(market.facilities)
    named = sorted({*hubs, *seats["hub"].drop_nulls()})
    exchange, registry = (
        _seated_sums(_placed(expected, seats, role), seats, periods, named, role, names)
        for role, names in _SEATED.items()
    )
    both = exchange.join(registry, on=_KEY, how="left", nulls_equal=True, validate="1:1")
    return both.sort("period", "hub", nulls_last=True)


def _seats(facilities: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return facilities.filter(pl.col("role").is_in(list(_SEATED)) & pl.col("market").is_not_null())


def _expected(figures: "pl.DataFrame", markets: "pl.DataFrame", periods: "pl.DataFrame") -> "pl.DataFrame":
    """Every market and period that is open or has a figure: market, period, from_day, volume_t, value_fen, told."""
    import polars as pl

    opened = markets.select("market", "opened").join(periods, how="cross").filter(pl.col("opened") <= pl.col("end"))
    wanted = figures.join(periods.select("period"), on="period", how="semi")
    keys = pl.concat([opened.select("market", "period"), wanted.select("market", "period")]).unique()
    columns = ("volume_t", "value_fen", "first_day", "coverage", "source")
    joined = (
        keys.join(periods, on="period")
        .join(markets.select("market", "opened"), on="market", how="left")
        .join(wanted.select("market", "period", *columns), on=["market", "period"], how="left", validate="1:1")
    )
    extent = pl.col("coverage").str.replace_all("_", " ").fill_null("extent not stated")
    return joined.select(
        *("market", "period", "volume_t", "value_fen"),
        pl.coalesce("first_day", pl.max_horizontal("start", "opened")).alias("from_day"),
        pl.when(pl.col("volume_t").is_null())
        .then(pl.format("{}: no figure", "market"))
        .otherwise(pl.format("{}: {} ({})", "market", pl.col("source").fill_null("source not stated"), extent))
        .alias("told"),
    )


def _placed(expected: "pl.DataFrame", seats: "pl.DataFrame", role: str) -> "pl.DataFrame":
    """The expected figures with the hub of the facility that served the market from their first day on."""
    import polars as pl

    serving = expected.select("market", "period", "from_day").join(
        seats.filter(pl.col("role") == role).select("market", "facility", "hub", "since"), on="market"
    )
    newest = serving.filter(pl.col("since") <= pl.col("from_day")).filter(
        pl.col("since") == pl.col("since").max().over("market", "period")
    )
    chosen = newest.group_by("market", "period").agg(
        pl.when(pl.col("hub").n_unique() == 1).then(pl.col("hub").first()).alias("hub"),
        pl.col("facility").sort().str.join(", "),
    )
    return expected.join(chosen, on=["market", "period"], how="left")


def _seated_sums(
    placed: "pl.DataFrame",
    seats: "pl.DataFrame",
    periods: "pl.DataFrame",
    hubs: Sequence[str],
    role: str,
    names: tuple[str, ...],
) -> "pl.DataFrame":
    """Sums a hub and period over the markets placed there, in the columns `names`."""
    import polars as pl

    volume, value, known_volume, known_value, stem = names
    told = pl.format(
        "{}{}", pl.when(pl.col("facility").is_null()).then(pl.lit(f"no {role} known; ")).otherwise(pl.lit("")), "told"
    )
    lacking = pl.col("market").filter(pl.any_horizontal(pl.col("volume_t", "value_fen").is_null()))
    sums = placed.group_by(_KEY).agg(
        pl.when(pl.col("volume_t").null_count() == 0).then(pl.col("volume_t").sum()).alias(volume),
        pl.when(pl.col("value_fen").null_count() == 0).then(pl.col("value_fen").sum()).alias(value),
        pl.col("volume_t").sum().alias(known_volume),
        pl.col("value_fen").sum().alias(known_value),
        lacking.sort().str.join("; ").alias(f"{stem}_missing"),
        told.sort_by("market").str.join("; ").alias(f"{stem}_source"),
    )
    grid = (
        _grid(periods, hubs, placed["hub"])
        .join(sums, on=_KEY, how="left", nulls_equal=True)
        .join(_claimable(placed, seats, periods, hubs), on=_KEY, how="left")
    )
    empty = pl.col(f"{stem}_source").is_null()
    nothing = pl.when(pl.col("claimable").is_null()).then(0)
    text = pl.concat_str(
        pl.lit(f"no {role} known to sit here"),
        pl.format("; where that of {} sits is not known", "claimable").fill_null(""),
    )
    missing = f"{stem}_missing"
    return grid.with_columns(
        *(pl.when(empty).then(nothing).otherwise(pl.col(name)).alias(name) for name in (volume, value)),
        pl.col(known_volume, known_value).fill_null(0),
        pl.when(pl.col(missing) != "").then(pl.col(missing)).alias(missing),
        pl.when(empty & pl.col("hub").is_null()).then(pl.lit("nothing unattributed")).when(empty).then(text)
        .otherwise(pl.col(f"{stem}_source")).alias(f"{stem}_source"),
    ).drop("claimable")  # fmt: skip


def _claimable(
    placed: "pl.DataFrame", seats: "pl.DataFrame", periods: "pl.DataFrame", hubs: Sequence[str]
) -> "pl.DataFrame":
    """The markets placed nowhere whose tonnes might be a hub's: hub, period, claimable (markets joined by "; ").

    A market may be that of the hubs where its other facilities sat by the end of the period; without any, of every hub.
    """
    import polars as pl

    unplaced = placed.filter(pl.col("hub").is_null() & pl.col("volume_t").ne_missing(0)).select("market", "period")
    near = (
        unplaced.join(periods.select("period", "end"), on="period")
        .join(seats.drop_nulls("hub").select("market", "hub", "since"), on="market")
        .filter(pl.col("since") <= pl.col("end"))
        .select("market", "period", "hub")
    )
    anywhere = unplaced.join(near, on=["market", "period"], how="anti").join(
        pl.DataFrame({"hub": hubs}, schema={"hub": pl.String}), how="cross"
    )
    markets = pl.col("market").unique().sort().str.join("; ")
    return pl.concat([near, anywhere]).group_by(_KEY).agg(markets.alias("claimable"))


def _grid(periods: "pl.DataFrame", hubs: Sequence[str], found: "pl.Series") -> "pl.DataFrame":
    """Every hub asked for or found, and the null hub, in every period: hub, period."""
    import polars as pl

    named = sorted({*hubs, *found.drop_nulls()})
    frame = pl.DataFrame({"hub": [*named, None]}, schema={"hub": pl.String})
    return frame.join(periods.select("period"), how="cross")


def attribute_ledger(ledger: LedgerFrames, periods: "pl.DataFrame", *, hubs: Sequence[str] = ()) -> "pl.DataFrame":
    """Holdings, compliance and participation by the entity's hub, one row a hub and period.

    periods, hubs : as for `attribute_markets`

    Result: holdings_t, offset_holdings_t (t at the end of the period), verified_t, due_t, surrendered_t,
    offsets_used_t (t of the compliance year that is the period; null in months and days, which are none),
    unreported and undetermined (account-years without verified figure, without obligation), participants (accounts
    open at the end of the period), registry_source. Sums of verified_t and due_t are of what is stated, null where
    accounts are there and nothing is stated. A ledger without any account by the end of a period is one where nothing
    was entered: null throughout, not zero.
    """
    import polars as pl

    accounts, holdings, compliance = ledger.accounts, ledger.holdings, ledger.compliance
    open_now = accounts.join(periods, how="cross").filter(pl.col("opened") <= pl.col("end"))
    still = pl.col("closed").is_null() | (pl.col("closed") > pl.col("end"))
    counted = open_now.filter(still).group_by(_KEY).agg(pl.len().cast(pl.Int64).alias("participants"))
    placed = holdings.join(periods.select("period"), on="period", how="semi").join(
        accounts.select("account", "hub"), on="account", how="left", validate="m:1"
    )
    held = placed.group_by(_KEY).agg(
        pl.col("quantity_t").filter(pl.col("kind") == kind).sum().alias(name) for name, kind in _HELD.items()
    )
    owed = _owed(compliance, periods)
    found = pl.concat([part["hub"] for part in (accounts, held, owed)])
    grid = _grid(periods, hubs, found)
    for part in (counted, held, owed):
        grid = grid.join(part, on=_KEY, how="left", nulls_equal=True)
    entered = pl.concat([open_now["period"], held["period"], owed["period"]]).unique().implode()
    is_entered = pl.col("period").is_in(entered)
    is_year = pl.col("period").str.len_chars() == len("2025")
    no_rows = pl.col("account_years").is_null()
    return grid.select(
        *_KEY,
        *(pl.when(is_entered).then(pl.col(name).fill_null(0)).alias(name) for name in _HELD),
        *(
            pl.when(is_entered & is_year & no_rows).then(0).otherwise(pl.col(name)).alias(name)
            for name in (*_COMPLIANCE, "unreported", "undetermined")
        ),
        pl.when(is_entered).then(pl.col("participants").fill_null(0)).alias("participants"),
        pl.when(is_entered)
        .then(pl.lit("the registry's own log"))
        .otherwise(pl.lit("no account entered in the registry"))
        .alias("registry_source"),
    ).sort("period", pl.col("hub"), nulls_last=True)


def _owed(compliance: "pl.DataFrame", periods: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    years = compliance.with_columns(period=pl.col("compliance_year").cast(pl.String))
    return (
        years.join(periods.select("period"), on="period", how="semi")
        .group_by(_KEY)
        .agg(
            *(
                pl.when(pl.col(column).count() > 0).then(pl.col(column).sum()).alias(name)
                for name, column in _COMPLIANCE.items()
            ),
            pl.col("verified_t").null_count().cast(pl.Int64).alias("unreported"),
            pl.col("obligation_t").null_count().cast(pl.Int64).alias("undetermined"),
            pl.len().cast(pl.Int64).alias("account_years"),
        )
    )


def national_totals(market: MarketFrames, ledger: LedgerFrames, periods: "pl.DataFrame") -> "pl.DataFrame":
    """What each column of SUMMED must add up to, taken from the inputs without looking at any hub.

    Result: period, column String, national Int64 (sums of what is known; zero where nothing is).
    """
    import polars as pl

    holdings = ledger.holdings
    years = ledger.compliance.with_columns(period=pl.col("compliance_year").cast(pl.String))
    open_now = ledger.accounts.join(periods, how="cross").filter(
        (pl.col("opened") <= pl.col("end")) & (pl.col("closed").is_null() | (pl.col("closed") > pl.col("end")))
    )
    pairs = [
        *((market.figures, name, pl.col(column).sum()) for name, column in _KNOWN.items()),
        *((holdings.filter(pl.col("kind") == kind), name, pl.col("quantity_t").sum()) for name, kind in _HELD.items()),
        *((years, name, pl.col(column).sum()) for name, column in _COMPLIANCE.items()),
        (open_now, "participants", pl.len()),
    ]
    totals = [
        frame.group_by("period").agg(total.cast(pl.Int64).alias("national")).with_columns(column=pl.lit(name))
        for frame, name, total in pairs
    ]
    wanted = periods.select("period").join(pl.DataFrame({"column": SUMMED}), how="cross")
    found = pl.concat(totals).select("period", "column", "national")
    return wanted.join(found, on=["period", "column"], how="left", maintain_order="left").with_columns(
        pl.col("national").fill_null(0)
    )


def check_sums(rows: "pl.DataFrame", totals: "pl.DataFrame") -> "pl.DataFrame":
    """Each column's sum over the hubs beside its national figure.

    rows : result of `attribute`; totals : of `national_totals`
    Result: period, column, hubs (sum over known hubs), unattributed (of the null hub), national, difference (zero,
    or the attribution has lost or doubled something); Int64, one row a period and column of SUMMED.
    """
    import polars as pl

    long = rows.unpivot(on=list(SUMMED), index=_KEY, variable_name="column", value_name="figure")
    sums = long.group_by("period", "column").agg(
        pl.col("figure").filter(pl.col("hub").is_not_null()).sum().alias("hubs"),
        pl.col("figure").filter(pl.col("hub").is_null()).sum().alias("unattributed"),
    )
    return (
        totals.join(sums, on=["period", "column"], how="left", maintain_order="left")
        .with_columns(difference=pl.col("hubs") + pl.col("unattributed") - pl.col("national"))
        .select("period", "column", "hubs", "unattributed", "national", "difference")
    )
