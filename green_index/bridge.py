"""From carbon facts to panel rows of the hubs. The only module of this package that imports `carbon`.

Knows which fact becomes which indicator, and of which hub: trades belong to the exchange's seat, custody to the
registry's seat, inventories to the city, footprints to the city where the activity was, entities to the city that the
registry names. Knows no weights, no scores and no SQL.
"""

from dataclasses import dataclass, replace
from typing import Final

import polars as pl
from sqlmodel import Session

from carbon import facts
from fhi.errors import PanelError, Problem
from fhi.notes import Note
from fhi.panel import PANEL_SCHEMA

MAIN_INVENTORY: Final = "EDGAR"
SECOND_INVENTORY: Final = "CEADS"
TREND_YEARS: Final = 3


@dataclass(frozen=True)
class CarbonFacts:
    """Everything of the carbon side that the index reads, as typed frames (columns: see `carbon.facts`)."""

    markets: pl.DataFrame
    market_years: pl.DataFrame
    facilities: pl.DataFrame
    inventories: pl.DataFrame
    pilots: pl.DataFrame
    footprint_quality: pl.DataFrame
    footprint_entities: pl.DataFrame
    covered_entities: pl.DataFrame
    personal_accounts: pl.DataFrame


def read_facts(session: Session) -> CarbonFacts:
    """The facts as they stand in the database and the embedded tables."""
    lines = facts.footprint_lines(session)
    return CarbonFacts(
        markets=facts.markets(session),
        market_years=facts.market_years(session),
        facilities=facts.facilities(session),
        inventories=facts.city_inventories(),
        pilots=facts.lowcarbon_pilots(),
        footprint_quality=facts.footprint_quality(lines),
        footprint_entities=facts.footprint_entities(lines),
        covered_entities=facts.covered_entities(session),
        personal_accounts=facts.personal_accounts(session),
    )


def carbon_panel(carbon: CarbonFacts, cities: pl.DataFrame) -> pl.DataFrame:
    """Panel rows (fhi.panel.PANEL_SCHEMA) of every added indicator that has facts.

    cities: one row a hub and yearly period: hub, period, gdp_100m_cny (10^8 CNY), population_10k (10^4 persons);
    it says which hubs and periods are wanted. Footprints, entities and personal accounts of other cities are left out:
    people may keep those of any city. Of these indicators one without any figure has no rows. Raises PanelError where
    another fact names a hub that is not among them.
    """
    problems = _unknown_hubs(carbon, set(cities["hub"]))
    if problems:
        raise PanelError(problems)
    grid = cities.select("hub", "period")
    parts = [
        *_market_rows(carbon, grid),
        _custody_rows(carbon, grid),
        _facility_rows(carbon, grid),
        *_footprint_rows(carbon, cities),
        _agreement_rows(carbon, grid),
        _pilot_rows(carbon, grid),
        *_quality_rows(carbon, grid),
        *_disclosure_rows(carbon, grid),
        *_account_rows(carbon, cities),
    ]
    return pl.concat(parts)


def month_rows(carbon: CarbonFacts, market_months: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """Panel rows of the indicators that are known by month: trading, custody, facilities. The same rules as by year.

    market_months: `carbon.facts.market_months`; months: hub, period (2022-06) that are wanted. A hub with an exchange
    of which no daily file of the month is loaded is null; one without exchange, or before it opened, is a true 0.
    Raises PanelError where a fact names a hub that is not among them.
    """
    problems = _unknown_hubs(carbon, set(months["hub"]))
    if problems:
        raise PanelError(problems)
    traded = replace(carbon, market_years=market_months)
    return pl.concat([*_market_rows(traded, months), _custody_rows(traded, months), _facility_rows(carbon, months)])


def market_notes(carbon: CarbonFacts, periods: list[str]) -> list[Note]:
    """What a reader must know of the market figures used: loaded ones and partial years. The panel's sources say the
    same, so that these notes belong to its edition."""
    used = carbon.market_years.filter(pl.col("period").is_in(periods)).sort("market", "period")
    loaded = used.filter(pl.col("used") == "loaded").with_columns(kind=pl.lit("loaded_figures"))
    partial = used.filter(pl.col("coverage") != "whole_year").with_columns(kind="coverage")
    by_market = pl.concat([loaded, partial]).group_by("kind", "market", maintain_order=True).agg("period")
    return [Note(kind, market, tuple(years)) for kind, market, years in by_market.iter_rows()]


def passed_over_notes(market_years: pl.DataFrame) -> list[Note]:
    """Loaded years that the index does not use, and why. They change no figure and so belong to no edition: they are
    true of the store as it stands. market_years : `carbon.facts.market_years`."""
    passed_over = market_years.filter(pl.col("passed_over").is_not_null()).sort("market", "period")
    rows = passed_over.select("market", "period", "passed_over").iter_rows()
    return [Note("loaded_file_less_complete", market, (period,), why) for market, period, why in rows]


def _unknown_hubs(carbon: CarbonFacts, known: set[str]) -> list[Problem]:
    tables = {
        "markets": carbon.markets,
        "facilities": carbon.facilities,
        "city inventories": carbon.inventories,
        "low-carbon pilots": carbon.pilots,
    }
    return [
        Problem(f"carbon {name}", f"hub {hub}", "a hub of the index", "unknown_hub")
        for name, frame in tables.items()
        for hub in sorted(set(frame["hub"]) - known)
    ]


def _rows(
    frame: pl.DataFrame, code: str, unit: str, value: str, *, status: str = "observed", source: pl.Expr
) -> pl.DataFrame:
    return frame.select(
        "hub",
        "period",
        code=pl.lit(code),
        value=pl.col(value).cast(pl.Float64),
        unit=pl.lit(unit),
        status=pl.lit(status),
        source=source.cast(pl.String),
    ).cast(PANEL_SCHEMA)


def _seated_market_years(carbon: CarbonFacts, grid: pl.DataFrame) -> pl.DataFrame:
    """One row a hub and period with an open exchange: sums over its markets, and means by value."""
    periods = grid.select("period").unique()
    opened = carbon.markets.select("market", "hub", "opened").join(periods, how="cross")
    opened = opened.filter(_begun("opened"))
    years = opened.join(carbon.market_years, on=["market", "period"], how="left")
    known = pl.col("volume_t").is_not_null()
    return years.group_by("hub", "period").agg(
        pl.when(known.any()).then(pl.col("volume_t").sum()).alias("volume_t"),
        pl.when(known.any()).then(pl.col("value_cny").sum()).alias("value_cny"),
        *(_mean_by_value(name) for name in ("continuity", "volatility_annual", "amihud_per_million_cny")),
        pl.when(known)
        .then(pl.format("{}: {} ({})", "market", "source", pl.col("coverage").str.replace_all("_", " ")))
        .otherwise(pl.format("{}: no figure", "market"))
        .sort()
        .str.join("; ")
        .alias("source"),
    )


def _mean_by_value(name: str) -> pl.Expr:
    known = pl.col(name).is_not_null() & (pl.col("value_cny") > 0)
    weight = pl.col("value_cny").filter(known)
    return pl.when(known.any()).then((pl.col(name).filter(known) * weight).sum() / weight.sum()).alias(name)


def _market_rows(carbon: CarbonFacts, grid: pl.DataFrame) -> list[pl.DataFrame]:
    seated = _seated_market_years(carbon, grid)
    frame = grid.join(seated, on=["hub", "period"], how="left", maintain_order="left")
    without = pl.col("source").is_null()
    source = pl.when(without).then(pl.lit("no carbon exchange seated in the hub")).otherwise(pl.col("source"))
    frame = frame.with_columns(
        pl.when(without).then(0).otherwise(pl.col("volume_t")).alias("volume_t"),
        pl.when(without).then(0.0).otherwise(pl.col("value_cny")).alias("value_cny"),
    )
    market = "carbon_finance.market"
    return [
        _rows(frame, f"{market}.volume", "t", "volume_t", source=source),
        _rows(frame, f"{market}.value", "CNY", "value_cny", source=source),
        _rows(
            frame, f"{market}.liquidity", "absolute log return per 10^6 CNY", "amihud_per_million_cny", source=source
        ),
        _rows(frame, f"{market}.continuity", "share of sessions", "continuity", source=source),
        _rows(frame, f"{market}.stability", "per year", "volatility_annual", source=source),
    ]


def _open_facilities(carbon: CarbonFacts, grid: pl.DataFrame) -> pl.DataFrame:
    opened = carbon.facilities.join(grid.select("period").unique(), how="cross")
    return opened.filter(_begun("since"))


def _begun(day: str) -> pl.Expr:
    """Does this day lie in the period, a year or a month, or before it?"""
    return pl.col(day).dt.strftime("%Y-%m").str.slice(0, pl.col("period").str.len_chars()) <= pl.col("period")


def _custody_rows(carbon: CarbonFacts, grid: pl.DataFrame) -> pl.DataFrame:
    """Tonnes settled by a registry: the traded volume of the market that it serves."""
    settled = carbon.market_years.select("market", "period", "volume_t", "source")
    registries = _open_facilities(carbon, grid).filter(pl.col("role") == "registry")
    seated = (
        registries.join(settled, on=["market", "period"], how="left")
        .group_by("hub", "period")
        .agg(
            pl.when(pl.col("volume_t").is_not_null().all()).then(pl.col("volume_t").sum()).alias("volume_t"),
            pl.format("settled by {}: {}", "facility", pl.col("source").fill_null("no figure"))
            .sort()
            .str.join("; ")
            .alias("source"),
        )
    )
    frame = grid.join(seated, on=["hub", "period"], how="left", maintain_order="left")
    without = pl.col("source").is_null()
    source = pl.when(without).then(pl.lit("no registry seated in the hub")).otherwise(pl.col("source"))
    frame = frame.with_columns(pl.when(without).then(0).otherwise(pl.col("volume_t")).alias("volume_t"))
    return _rows(frame, "carbon_finance.infrastructure.custody", "t", "volume_t", source=source)


def _facility_rows(carbon: CarbonFacts, grid: pl.DataFrame) -> pl.DataFrame:
    seated = (
        _open_facilities(carbon, grid)
        .group_by("hub", "period")
        .agg(pl.col("weight").sum(), pl.col("facility").sort().str.join(", ").alias("source"))
    )
    frame = grid.join(seated, on=["hub", "period"], how="left", maintain_order="left")
    without = pl.col("source").is_null()
    source = pl.when(without).then(pl.lit("no facility")).otherwise(pl.col("source") + " (weights assumed)")
    frame = frame.with_columns(pl.col("weight").fill_null(0.0))
    return _rows(frame, "carbon_finance.infrastructure.facilities", "weighted count", "weight", source=source)


def _footprint_rows(carbon: CarbonFacts, cities: pl.DataFrame) -> list[pl.DataFrame]:
    inventory = carbon.inventories.filter(pl.col("series") == MAIN_INVENTORY).select("hub", "period", "co2_t", "source")
    before = inventory.select(
        "hub",
        period=(pl.col("period").cast(pl.Int32) + TREND_YEARS).cast(pl.String),
        before_t=pl.col("co2_t"),
    )
    frame = (
        cities.join(inventory, on=["hub", "period"], how="left", maintain_order="left")
        .join(before, on=["hub", "period"], how="left", maintain_order="left")
        .with_columns(
            intensity=pl.col("co2_t") / (pl.col("gdp_100m_cny") * 1e4),
            per_capita=pl.col("co2_t") / (pl.col("population_10k") * 1e4),
            trend=(pl.col("co2_t") / pl.col("before_t")) ** (1 / TREND_YEARS) - 1,
        )
    )
    inventory_name = pl.col("source").fill_null("no inventory")
    yearbook = pl.lit("; City statistics bureaus")
    footprint = "sustainability_data.footprint"
    modelled = "estimated"
    return [
        _rows(
            frame,
            f"{footprint}.intensity",
            "t CO2 per 10^4 CNY",
            "intensity",
            status=modelled,
            source=inventory_name + yearbook,
        ),
        _rows(
            frame,
            f"{footprint}.per_capita",
            "t CO2 per head",
            "per_capita",
            status=modelled,
            source=inventory_name + yearbook,
        ),
        _rows(frame, f"{footprint}.trend", "per year", "trend", status=modelled, source=inventory_name),
    ]


def _agreement_rows(carbon: CarbonFacts, grid: pl.DataFrame) -> pl.DataFrame:
    main, second = (
        carbon.inventories.filter(pl.col("series") == series).select("hub", "period", "co2_t", "source")
        for series in (MAIN_INVENTORY, SECOND_INVENTORY)
    )
    both = main.join(second, on=["hub", "period"], suffix="_second").select(
        "hub",
        "period",
        agreement=(pl.col("co2_t") / pl.col("co2_t_second")).log().abs(),
        source=pl.col("source") + "; " + pl.col("source_second"),
    )
    frame = grid.join(both, on=["hub", "period"], how="left", maintain_order="left")
    source = pl.col("source").fill_null("one inventory only")
    code = "sustainability_data.quality.agreement"
    return _rows(frame, code, "absolute log ratio", "agreement", status="estimated", source=source)


def _pilot_rows(carbon: CarbonFacts, grid: pl.DataFrame) -> pl.DataFrame:
    frame = grid.join(carbon.pilots, on="hub", how="left", maintain_order="left").with_columns(
        pilot=(pl.col("since_year") <= pl.col("period").cast(pl.Int32)).fill_null(False).cast(pl.Int64)
    )
    source = pl.col("source").fill_null("in none of the lists of national low-carbon pilots")
    return _rows(frame, "sustainability_data.disclosure.lowcarbon_pilot", "0 or 1", "pilot", source=source)


def _known(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The rows of one indicator; none where no hub has a figure, so that an empty store changes no edition."""
    return [rows] if rows["value"].null_count() < rows.height else []


def _quality_rows(carbon: CarbonFacts, grid: pl.DataFrame) -> list[pl.DataFrame]:
    frame = grid.join(carbon.footprint_quality, on=["hub", "period"], how="left", maintain_order="left")
    told = pl.format("calculated footprints of {} entities, scope 2 by location", "entities")
    source = pl.when(pl.col("entities").is_null()).then(pl.lit("no footprints known")).otherwise(told)
    quality = "sustainability_data.quality"
    parts = [("coverage", "share", "measured_or_verified_share"), ("score", "PCAF score 1-5", "score")]
    rows = [
        _rows(frame, f"{quality}.{name}", unit, value, source=source)
        for name, unit, value in [*parts, ("timeliness", "days", "timeliness_days")]
    ]
    return [part for row in rows for part in _known(row)]


def _disclosure_rows(carbon: CarbonFacts, grid: pl.DataFrame) -> list[pl.DataFrame]:
    """Of the entities whose operator account serves a year, the share with a calculated footprint of it. A year of
    which no footprint is stored at all says nothing about who publishes, so it is null."""
    year = pl.col("period").cast(pl.Int32)
    serves = (
        (pl.col("first_year").fill_null(year) <= year)
        & (pl.col("last_year").fill_null(year) >= year)
        & (pl.col("closed_year").fill_null(year) >= year)
    )
    published = carbon.footprint_entities.with_columns(published=pl.lit(True))
    years = grid.join(published, on="period", how="semi").select("hub", "period")
    covered = (
        carbon.covered_entities.join(years, on="hub").filter(serves).unique(["hub", "period", "entity"]).sort("entity")
    )
    by_code = covered.join(published, on=["entity", "period"], how="left", maintain_order="left")
    by_uscc = by_code.join(
        published.rename({"entity": "uscc"}), on=["uscc", "period"], how="left", maintain_order="left", suffix="_uscc"
    )
    shares = by_uscc.group_by("hub", "period").agg(
        found=(pl.col("published") | pl.col("published_uscc")).fill_null(False).sum(), entities=pl.len()
    )
    frame = grid.join(shares, on=["hub", "period"], how="left", maintain_order="left").with_columns(
        share=pl.col("found") / pl.col("entities")
    )
    told = pl.format("{} of {} holders of operator accounts have a calculated footprint", "found", "entities")
    source = pl.when(pl.col("entities").is_null()).then(pl.lit("no entities known")).otherwise(told)
    return _known(_rows(frame, "sustainability_data.disclosure.entities", "share", "share", source=source))


def _account_rows(carbon: CarbonFacts, cities: pl.DataFrame) -> list[pl.DataFrame]:
    """Personal accounts per head. What is counted here and what a publisher prints may be the same persons, and either
    is a lower bound of the city: the larger counts."""
    largest = (
        carbon.personal_accounts.sort("hub", "period", "accounts", "printed", descending=[False, False, True, False])
        .group_by("hub", "period", maintain_order=True)
        .first()
    )
    frame = cities.join(largest, on=["hub", "period"], how="left", maintain_order="left").with_columns(
        per_head=pl.col("accounts") / (pl.col("population_10k") * 1e4)
    )
    source = (pl.col("source") + "; City statistics bureaus").fill_null("no figure known")
    return _known(_rows(frame, "sustainability_data.accounts.personal", "accounts per head", "per_head", source=source))
