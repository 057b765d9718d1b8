"""What an attribution is made from: market figures by period, and the ledger at the end of each period.

Knows which tables and views these are read from. Must not know hubs' rules (`carbon.attribution`) nor a clock: the day
up to which the ledger is read is given. Writes nothing.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from carbon.attribution import By, LedgerFrames, MarketFrames
from carbon.ledger.columns import Column, read_columns
from carbon.ledger.compliance import compliance, day_start_us

if TYPE_CHECKING:
    import polars as pl
    from sqlmodel import Session

    from carbon.rules.book import Rules

__all__ = ["day_figures", "read_ledger", "read_markets"]

_FIGURES: Final = ["market", "period", "volume_t", "value_fen", "first_day", "coverage", "source"]
# The log itself and not its view of debits and credits, which a store of an earlier version may lack.
_HELD: Final = """(
SELECT v.account_id, v.instrument_id, CAST(SUM(v.change) AS BIGINT) AS quantity FROM (
  SELECT source_id AS account_id, instrument_id, -quantity AS change FROM registry_transfer
  WHERE phase IN ('posted', 'settle') AND at_us < :before
  UNION ALL
  SELECT target_id, instrument_id, quantity FROM registry_transfer
  WHERE phase IN ('posted', 'settle') AND at_us < :before
) v GROUP BY v.account_id, v.instrument_id
) h JOIN registry_account a ON a.id = h.account_id JOIN registry_instrument i ON i.id = h.instrument_id"""
# Opened by the act that wrote the account; closed by the last act that closed it, which nothing undoes.
_ACCOUNTS: Final = """registry_account a
LEFT JOIN registry_entity e ON e.id = a.entity_id
JOIN registry_transaction x ON x.id = a.transaction_id
LEFT JOIN (
  SELECT c.subject, MAX(c.at_us) AS at_us FROM registry_transaction c
  WHERE c.kind = 'close_account' AND c.status = 'done' GROUP BY c.subject
) z ON z.subject = a.code AND a.status = 'closed'"""


def read_markets(session: "Session", by: By) -> MarketFrames:
    """Markets, facilities and the figures of every market and period, one row a key.

    by : year takes loaded figures where they are as complete as the embedded ones, else those (the index's own rule,
    `carbon.facts.market_years`); month has loaded figures only; day the daily bars.
    """
    from carbon import facts

    if by == "day":
        figures = _bars(session)
    elif by == "year":
        figures = facts.market_years(session).select(_FIGURES)
    else:
        figures = facts.market_statistics(session, "month").select(_FIGURES)
    return MarketFrames(figures=figures, markets=facts.markets(session), facilities=facts.facilities(session))


def day_figures(bars: "pl.DataFrame") -> "pl.DataFrame":
    """Daily bars (market, day, volume_t, value_fen, feed) as figures of periods that are days."""
    import polars as pl

    return bars.select(
        "market",
        pl.col("day").dt.strftime("%Y-%m-%d").alias("period"),
        *("volume_t", "value_fen"),
        pl.col("day").alias("first_day"),
        pl.lit("whole_day").alias("coverage"),
        pl.col("feed").alias("source"),
    )


def _bars(session: "Session") -> "pl.DataFrame":
    import polars as pl
    from sqlmodel import select

    from carbon.market import bars_schema
    from carbon.tables import DailyBar

    wanted = ("market", "day", "volume_t", "value_fen", "feed")
    rows = session.exec(select(*(getattr(DailyBar, name) for name in wanted))).all()
    schema = {name: kind for name, kind in bars_schema().items() if name in wanted}
    frame = pl.DataFrame([tuple(row) for row in rows], schema={name: schema[name] for name in wanted}, orient="row")
    return day_figures(frame)


def read_ledger(
    connection: Connection, rules: "Rules", periods: "pl.DataFrame", as_of: date, *, schemes: Sequence[str]
) -> LedgerFrames:
    """The ledger of some schemes as an attribution needs it.

    periods : result of `carbon.attribution.period_frame`; as_of : last day read, in China (UTC+8); a period that ends
    later shows the holdings of this day, one that begins later has none; compliance is as it stands on this day
    schemes : codes of the schemes whose accounts count, so that a foreign register beside ours is no part of a
    national figure
    """
    import polars as pl

    accounts = _accounts(connection, as_of, schemes)
    parts = [
        _holdings(connection, min(end, as_of), schemes).with_columns(period=pl.lit(period))
        for period, start, end in periods.select("period", "start", "end").iter_rows()
        if start <= as_of
    ]
    none = {"account": pl.String, "kind": pl.String, "quantity_t": pl.Int64, "period": pl.String}
    years = periods["start"].dt.year().unique().to_list()
    # A figure is derived for every account and year that is asked for: one year of many is the usual question.
    known = compliance(connection, rules, as_of, year=years[0] if len(years) == 1 else None)
    return LedgerFrames(
        accounts=accounts,
        holdings=pl.concat([pl.DataFrame(schema=none), *parts]),
        compliance=known.filter(pl.col("scheme").is_in(list(schemes))),
    )


def _holdings(connection: Connection, day: date, schemes: Sequence[str]) -> "pl.DataFrame":
    """What holders' accounts hold at the end of a day: account, kind, quantity_t."""
    rows = read_columns(
        connection,
        [
            Column("account_id", "h.account_id"),
            Column("instrument_id", "h.instrument_id"),
            Column("account", "a.code", "text"),
            Column("kind", "i.kind", "text"),
            Column("quantity_t", "h.quantity"),
        ],
        _HELD,
        key=["account_id", "instrument_id"],
        where=["a.entity_id IS NOT NULL", "a.scheme IN :schemes", "i.unit = 't'", "h.quantity <> 0"],
        values={"before": _day_end_us(day), "schemes": list(schemes)},
    )
    return rows.select("account", "kind", "quantity_t")


def _day_end_us(day: date) -> int:
    """When a day ends in China; the last day there is has no other after it."""
    return day_start_us(day) + timedelta(days=1) // timedelta(microseconds=1)


def _accounts(connection: Connection, as_of: date, schemes: Sequence[str]) -> "pl.DataFrame":
    """Accounts of holders opened by a day: account, scheme, entity, hub, opened, closed."""
    import polars as pl

    rows = read_columns(
        connection,
        [
            Column("id", "a.id"),
            *(Column(name, f"a.{source}", "text") for name, source in (("account", "code"), ("scheme", "scheme"))),
            Column("entity", "e.code", "text", nullable=True),
            Column("hub", "e.hub", "text", nullable=True),
            Column("opened_at", "x.at_us", "time"),
            Column("closed_at", "z.at_us", "time", nullable=True),
        ],
        _ACCOUNTS,
        key=["id"],
        where=["a.entity_id IS NOT NULL", "a.scheme IN :schemes", "x.at_us < :before"],
        values={"before": _day_end_us(as_of), "schemes": list(schemes)},
    )
    china = {
        name: pl.col(f"{name}_at").dt.convert_time_zone("Asia/Shanghai").dt.date() for name in ("opened", "closed")
    }
    hub = pl.when(pl.col("hub") != "").then("hub")
    return rows.with_columns(**china, hub=hub).select("account", "scheme", "entity", "hub", "opened", "closed")
