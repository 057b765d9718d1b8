"""What others may read: typed frames of markets, facilities, periods, inventories, footprints, accounts and sources.

Knows the declared schema of each frame and how loaded and embedded figures are reconciled. Must not know formats,
rules or formulas. Money comes as integer fen and, beside it, as CNY; a thing unknown is null.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from carbon.embedded import read_embedded
from carbon.units import cny_from_fen_expr, t_from_mt_expr

if TYPE_CHECKING:
    import polars as pl
    from sqlmodel import Session
    from sqlmodel.sql.expression import SelectOfScalar

    from carbon.market import Period

__all__ = [
    "SCHEMAS",
    "city_inventories",
    "covered_entities",
    "facilities",
    "footprint_entities",
    "footprint_lines",
    "footprint_quality",
    "footprints_stamp",
    "lowcarbon_pilots",
    "market_months",
    "market_periods",
    "market_statistics",
    "market_years",
    "markets",
    "personal_accounts",
    "sources",
]

_MARKET_PERIOD = ["market", "period"]
# Closed by the last act that closed it, which nothing undoes.
_OPERATORS = """registry_account a
JOIN registry_entity e ON e.id = a.entity_id
LEFT JOIN (
  SELECT c.subject, MAX(c.at_us) AS at_us FROM registry_transaction c
  WHERE c.kind = 'close_account' AND c.status = 'done' GROUP BY c.subject
) z ON z.subject = a.code AND a.status = 'closed'"""
_FIGURES = {
    "volume_t": "Int64",
    "value_fen": "Int64",
    "value_cny": "Float64",
    "vwap_cny_per_t": "Float64",
    "sessions": "Int64",
    "calendar_sessions": "Int64",
    "continuity": "Float64",
    "block_share": "Float64",
    "volatility_annual": "Float64",
    "amihud_per_million_cny": "Float64",
    "zero_return_share": "Float64",
    "last_close_cny_per_t": "Float64",
    "first_day": "Date",
    "last_day": "Date",
    "coverage": "String",
    "source": "String",
    "note": "String",
}

SCHEMAS: Mapping[str, Mapping[str, str]] = {
    "markets": {
        **dict.fromkeys(["market", "scope", "name_zh", "name_en", "exchange_zh", "exchange_en"], "String"),
        **{"hub": "String", "currency": "String", "opened": "Date", "products": "String", "note": "String"},
    },
    "market_periods": {"market": "String", "period": "String", "by": "String", "origin": "String", **_FIGURES},
    "market_years": {
        **{"market": "String", "year": "Int32", "period": "String", "used": "String"},
        **_FIGURES,
        "passed_over": "String",
    },
    "market_months": {"market": "String", "period": "String", "used": "String", **_FIGURES},
    "facilities": {
        **dict.fromkeys(["facility", "name_zh", "name_en", "role", "scope", "market", "hub"], "String"),
        **{"since": "Date", "weight": "Float64", "weight_assumed": "Boolean"},
    },
    "city_inventories": {
        **{"hub": "String", "period": "String", "series": "String", "co2_t": "Float64", "source": "String"},
    },
    "lowcarbon_pilots": {"hub": "String", "since_year": "Int32", "source": "String"},
    "footprint_quality": {
        **{"hub": "String", "period": "String", "entities": "Int64", "co2e_t": "Float64", "score": "Float64"},
        **dict.fromkeys(["score_share", "measured_or_verified_share", "verified_share", "timeliness_days"], "Float64"),
    },
    "footprint_entities": {"entity": "String", "period": "String"},
    "covered_entities": {
        **dict.fromkeys(["entity", "uscc", "hub", "scheme"], "String"),
        **{"first_year": "Int32", "last_year": "Int32", "closed_year": "Int32"},
    },
    "personal_accounts": {
        **{"hub": "String", "period": "String", "accounts": "Int64", "source": "String", "printed": "Boolean"},
    },
    "sources": dict.fromkeys(["file", "column", "publisher", "unit", "terms", "remark"], "String"),
}


def _typed(name: str) -> "dict[str, type[pl.DataType]]":
    import polars as pl

    return {column: getattr(pl, kind) for column, kind in SCHEMAS[name].items()}


def _frame(name: str, frame: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return frame.select(pl.col(column).cast(kind) for column, kind in _typed(name).items())


def _records(session: "Session", statement: "SelectOfScalar[Any]") -> list[dict[str, Any]]:
    return [record.model_dump() for record in session.exec(statement)]


def markets(session: "Session") -> "pl.DataFrame":
    """The markets, ascending by key.

    market, scope (national|pilot), name_zh, name_en, exchange_zh, exchange_en, hub (where the exchange sits), currency,
    opened (Date, first trading day), products (codes without vintage, by semicolon), note.
    """
    import polars as pl
    from sqlmodel import select

    from carbon.tables import Market

    rows = _records(session, select(Market))
    return pl.DataFrame(rows, schema=_typed("markets")).sort("market")


def facilities(session: "Session") -> "pl.DataFrame":
    """Registries and exchanges, ascending by key.

    facility, name_zh, name_en, role (registry|exchange|offset_exchange), scope, market (the one it
    serves; null where it is none of ours), hub, since (Date), weight (Float64,
    by scope), weight_assumed (true: the weight is our assumption, no measurement; `facility_weights.csv` gives the
    reason).
    """
    import polars as pl
    from sqlmodel import select

    from carbon.tables import Facility

    rows = _records(session, select(Facility))
    if not rows:
        return pl.DataFrame(schema=_typed("facilities"))
    weights = read_embedded("facility_weights").select("scope", "weight", weight_assumed="assumed")
    frame = pl.DataFrame(rows, infer_schema_length=None).join(weights, on="scope", how="left")
    return _frame("facilities", frame).sort("facility")


def market_periods(session: "Session", by: "Period") -> "pl.DataFrame":
    """Figures by market and year or month as stored, embedded and loaded side by side; ascending.

    market, period ("2022" or "2022-06"), by, origin (embedded|loaded), volume_t and value_fen (Int64), value_cny,
    vwap_cny_per_t, sessions (days with trades), calendar_sessions, continuity (0..1), block_share (0..1),
    volatility_annual, amihud_per_million_cny, zero_return_share, last_close_cny_per_t, first_day, last_day, coverage
    (whole_year, part_of_year, whole_month, part_of_month, lower_bound), source (publisher, or loaded file names), note.
    """
    import polars as pl
    from sqlmodel import col, select

    from carbon.tables import TradeSummary

    rows = _records(session, select(TradeSummary).where(col(TradeSummary.by) == by))
    if not rows:
        return pl.DataFrame(schema=_typed("market_periods"))
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        value_cny=cny_from_fen_expr("value_fen"),
        last_close_cny_per_t=cny_from_fen_expr("last_close_fen_per_t"),
    )
    return _frame("market_periods", frame).sort("market", "period", "origin")


def market_years(session: "Session") -> "pl.DataFrame":
    """One row a market and year, as a yearly ranking needs it: loaded figures where they are as complete as the
    embedded ones, else the embedded ones.

    Columns as `market_periods`, with year (Int32) and used (loaded|embedded) in place of by and origin, and
    passed_over. Loaded figures are used where there is no embedded one, or where they span at least its
    first_day..last_day with at least as many days with trades; else passed_over says why they are not.
    """
    import polars as pl

    loaded, embedded = _by_origin(session, "year")
    judged = loaded.join(_spans(embedded), on=_MARKET_PERIOD, how="left").with_columns(shortfall=_shortfall())
    complete = judged.filter(pl.col("shortfall").is_null())
    reasons = judged.select(*_MARKET_PERIOD, passed_over=pl.col("shortfall") + ": embedded kept")
    kept = embedded.join(complete, on=_MARKET_PERIOD, how="anti").join(reasons, on=_MARKET_PERIOD, how="left")
    resolved = pl.concat([complete, kept], how="diagonal")
    named = resolved.rename({"origin": "used"}).with_columns(year=pl.col("period").cast(pl.Int32))
    return _frame("market_years", named).sort("market", "year")


def market_months(session: "Session") -> "pl.DataFrame":
    """One row a market and month with loaded daily figures, columns as `market_years` without year and passed_over.

    Embedded sums are of years and are not split over months, so that a month without a loaded daily file has no row.
    """
    import polars as pl

    loaded = market_periods(session, "month").filter(pl.col("origin") == "loaded")
    return _frame("market_months", loaded.rename({"origin": "used"})).sort(_MARKET_PERIOD)


def market_statistics(session: "Session", by: "Period") -> "pl.DataFrame":
    """One row a market and period, as a reader of market statistics needs it: the loaded figures where there are any,
    else the embedded ones.

    Columns as `market_periods`. Where the loaded figures are less complete than the embedded ones, `note` says so and
    gives the embedded volume.
    """
    import polars as pl

    loaded, embedded = _by_origin(session, by)
    judged = loaded.join(_spans(embedded), on=_MARKET_PERIOD, how="left").with_columns(
        reason=pl.format("{}; embedded volume {} t", _shortfall(), "embedded_volume_t")
    )
    alone = embedded.join(loaded, on=_MARKET_PERIOD, how="anti")
    resolved = pl.concat([judged.with_columns(note=_joined("note", "reason")), alone], how="diagonal")
    return _frame("market_periods", resolved).sort(_MARKET_PERIOD)


def _by_origin(session: "Session", by: "Period") -> "tuple[pl.DataFrame, pl.DataFrame]":
    """The loaded and the embedded rows of `market_periods`."""
    import polars as pl

    periods = market_periods(session, by)
    return periods.filter(pl.col("origin") == "loaded"), periods.filter(pl.col("origin") == "embedded")


def _spans(embedded: "pl.DataFrame") -> "pl.DataFrame":
    """How far the embedded figures reach, to hold loaded ones against."""
    return embedded.select(
        *_MARKET_PERIOD,
        embedded_first="first_day",
        embedded_last="last_day",
        embedded_sessions="sessions",
        embedded_volume_t="volume_t",
    )


def _shortfall() -> "pl.Expr":
    """Why loaded figures are less complete than the embedded ones beside them; null where they are not."""
    import polars as pl

    label = pl.format("loaded {} {}", "market", "period")
    return (
        pl.when(pl.col("first_day") > pl.col("embedded_first"))
        .then(pl.format("{} begins {}, embedded {}", label, "first_day", "embedded_first"))
        .when(pl.col("last_day") < pl.col("embedded_last"))
        .then(pl.format("{} ends {}, embedded runs to {}", label, "last_day", "embedded_last"))
        .when(pl.col("sessions") < pl.col("embedded_sessions"))
        .then(pl.format("{} has {} days with trades, embedded {}", label, "sessions", "embedded_sessions"))
    )


def _joined(*names: str) -> "pl.Expr":
    """Remarks one after another; null where there is none."""
    import polars as pl

    text = pl.concat_str([pl.col(name) for name in names], separator="; ", ignore_nulls=True)
    return pl.when(text != "").then(text)


def city_inventories() -> "pl.DataFrame":
    """Carbon dioxide of cities: hub, period (year), series (EDGAR|CEADS), co2_t (Float64, t a year), source.

    The two series differ by a factor of 0.33 to 4 and are never mixed. A figure that does not exist has no row.
    """
    import polars as pl

    publishers = read_embedded("sources").filter(pl.col("file") == "city_inventories.csv")
    named = publishers.select(
        pl.col("column").str.extract(r"series (\w+)").alias("series"), pl.col("publisher").alias("source")
    ).drop_nulls("series")
    frame = read_embedded("city_inventories").join(named, on="series", how="left")
    typed = frame.with_columns(period=pl.col("year").cast(pl.String), co2_t=t_from_mt_expr("co2_mt"))
    return _frame("city_inventories", typed).sort("hub", "period", "series")


def lowcarbon_pilots() -> "pl.DataFrame":
    """Hubs on the national lists of low-carbon pilots: hub, since_year (Int32), source. Other hubs have no row."""
    return _frame("lowcarbon_pilots", read_embedded("lowcarbon_pilots"))


def sources() -> "pl.DataFrame":
    """Who published each column of the embedded files: file, column, publisher, unit, terms, remark."""
    return _frame("sources", read_embedded("sources"))


def footprint_lines(session: "Session") -> "pl.DataFrame":
    """The lines of footprints that count today, in `carbon.footprints.schemas.lines_schema`; no rows without a run.

    Always on the same terms, whatever somebody calculated last: the default set of warming potentials, each activity at
    its own share.
    """
    from carbon.footprints.gwp import DEFAULT_GWP_SET
    from carbon.footprints.runs import ROWS, latest_lines

    return latest_lines(session, gwp_set=DEFAULT_GWP_SET, approach=ROWS)


def footprint_quality(lines: "pl.DataFrame") -> "pl.DataFrame":
    """How good the footprints of each hub and year are: hub, period, entities, co2e_t (scopes 1 to 3, scope 2 by
    location, no biogenic CO2), score (PCAF 1 best .. 5, weighted by emissions), score_share (of the emissions with a
    score), measured_or_verified_share, verified_share, timeliness_days (median from the end of the period to the
    record). Shares 0..1. Lines of no known hub are no row.

    lines : result of `footprint_lines`
    """
    import polars as pl

    from carbon.footprints.quality import quality

    known = lines.filter(pl.col("hub").is_not_null())
    if known.is_empty():
        return pl.DataFrame(schema=_typed("footprint_quality"))
    entities = known.group_by("hub", year=pl.col("last_day").dt.year()).agg(entities=pl.col("entity").n_unique())
    measures = quality(known, by=("hub", "year")).join(entities, on=["hub", "year"], how="left")
    named = measures.with_columns(period=pl.col("year").cast(pl.String), co2e_t=pl.col("co2e_kg") / 1000)
    return _frame("footprint_quality", named).sort("hub", "period")


def footprint_entities(lines: "pl.DataFrame") -> "pl.DataFrame":
    """The entities that have a calculated footprint of a year: entity, period; ascending.

    lines : result of `footprint_lines`
    """
    import polars as pl

    years = lines.select("entity", period=pl.col("last_day").dt.year().cast(pl.String))
    return _frame("footprint_entities", years.drop_nulls().unique()).sort("entity", "period")


def covered_entities(session: "Session") -> "pl.DataFrame":
    """Who has an operator account of a national or pilot scheme in the registry: entity (code), uscc, hub (null where
    not known), scheme, first_year and last_year (compliance years that the account serves, null without limit),
    closed_year (in China; null while it is open); ascending. An entity with two accounts has two rows.

    The day on which an account was opened here is not told: it is when this registry was filled, not when the entity
    became covered.
    """
    import polars as pl

    from carbon.ledger.columns import Column, read_columns
    from carbon.rules.schemes import load_schemes

    schemes = load_schemes().filter(pl.col("kind").is_in(["national", "pilot"]))["scheme"].to_list()
    texts = {"entity": "e.code", "uscc": "e.uscc", "hub": "e.hub", "scheme": "a.scheme"}
    rows = read_columns(
        session.connection(),
        [
            Column("id", "a.id"),
            *(Column(name, sql, "text", nullable=True) for name, sql in texts.items()),
            *(Column(name, f"a.{name}", nullable=True) for name in ("first_year", "last_year")),
            Column("closed_at", "z.at_us", "time", nullable=True),
        ],
        _OPERATORS,
        key=["id"],
        where=["a.type = 'operator'", "a.scheme IN :schemes"],
        values={"schemes": schemes},
    )
    closed = pl.col("closed_at").dt.convert_time_zone("Asia/Shanghai").dt.year()
    empty = [pl.when(pl.col(name) != "").then(name).alias(name) for name in ("uscc", "hub")]
    return _frame("covered_entities", rows.with_columns(*empty, closed_year=closed)).sort("entity", "scheme")


def personal_accounts(session: "Session") -> "pl.DataFrame":
    """Personal carbon accounts of each city at the end of each year: hub, period, accounts, source, printed (by a
    publisher; else counted here). Where both are known both rows stand: they may count the same persons.
    """
    from carbon.footprints.persons.totals import personal_accounts as counted

    return _frame("personal_accounts", counted(session)).sort("hub", "period", "printed")


def footprints_stamp(session: "Session") -> str:
    """A text that changes whenever a footprint is calculated, an operator's account is opened or closed, or a personal
    account is opened or erased: whoever keeps figures made of them must make them anew.
    """
    from sqlmodel import col, func, select

    from carbon.footprints.persons.tables import Account as Person
    from carbon.footprints.persons.tables import ErasedAccount
    from carbon.footprints.runs import runs_stamp
    from carbon.ledger.tables import Account

    operators = select(func.count(), func.count().filter(col(Account.status) == "closed")).where(
        col(Account.type) == "operator"
    )
    persons = select(func.count()).select_from(Person)
    erased = select(func.coalesce(func.sum(ErasedAccount.accounts), 0))
    counts = [session.exec(operators).one(), session.exec(persons).one(), session.exec(erased).one()]
    return f"{runs_stamp(session)}; {counts}"
