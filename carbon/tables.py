"""The SQL tables of the registry: small facts and derived figures; the daily rows themselves live in the lake.

Knows columns, keys and CHECK constraints, for SQLite and PostgreSQL alike. Must not know files, frames or formulas.
`DailyBar` and loaded `TradeSummary` rows are derived from the lake and can be made again at any time (`lake_version`
says from which version of it). All money is integer fen, all quantities are integer tonnes; a thing unknown is null.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, UniqueConstraint
from sqlmodel import Field, SQLModel

__all__ = ["DailyBar", "DaySetApart", "EmbeddedStamp", "Facility", "Market", "TradeFile", "TradeSummary"]


class EmbeddedStamp(SQLModel, table=True):
    """Which embedded figures the database holds: one row, with the SHA-256 of the files that they were read from."""

    __tablename__ = "carbon_embedded_stamp"
    __table_args__ = (CheckConstraint("id = 1", name="embedded_stamp_once"),)

    id: int = Field(default=1, primary_key=True)
    sha256: str


class Market(SQLModel, table=True):
    """One carbon market. `products` lists the product codes, separated by semicolons, without vintages."""

    __tablename__ = "carbon_market"
    __table_args__ = (CheckConstraint("scope IN ('national', 'pilot')", name="market_scope"),)

    market: str = Field(primary_key=True)
    scope: str
    name_zh: str
    name_en: str
    exchange_zh: str
    exchange_en: str
    hub: str
    currency: str
    opened: date
    products: str
    note: str | None = None


class Facility(SQLModel, table=True):
    """One institution of the carbon market (registry, exchange) the market it serves, and the hub it sits in."""

    __tablename__ = "carbon_facility"
    __table_args__ = (
        CheckConstraint("scope IN ('national', 'pilot')", name="facility_scope"),
        CheckConstraint("role IN ('registry', 'exchange', 'offset_exchange')", name="facility_role"),
    )

    facility: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    role: str
    scope: str
    market: str | None = Field(default=None, foreign_key="carbon_market.market")
    hub: str
    since: date
    note: str | None = None


class TradeFile(SQLModel, table=True):
    """One file that was loaded: the same bytes for the same market and format are logged once.

    A file none of whose lines could be kept is logged where the days of some of its lines are known (`DaySetApart`); it
    has no first and last day.
    """

    __tablename__ = "carbon_trade_file"
    __table_args__ = (
        UniqueConstraint("sha256", "market", "format", name="trade_file_once"),
        CheckConstraint("length(sha256) = 64", name="trade_file_sha256"),
        CheckConstraint("rows_read >= rows_kept + rows_rejected", name="trade_file_rows"),
        CheckConstraint("rows_kept >= 0 AND rows_rejected >= 0", name="trade_file_counts"),
        CheckConstraint("first_day <= last_day", name="trade_file_days"),
    )

    id: int | None = Field(default=None, primary_key=True)
    sha256: str
    file: str
    market: str = Field(foreign_key="carbon_market.market", index=True)
    format: str
    rows_read: int
    rows_kept: int
    rows_rejected: int
    first_day: date | None = None
    last_day: date | None = None
    loaded_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class DaySetApart(SQLModel, table=True):
    """One day of which a logged file has lines that were set apart, and their number.

    The row without a day counts the lines whose day cannot be read.
    """

    __tablename__ = "carbon_day_set_apart"
    __table_args__ = (
        UniqueConstraint("trade_file", "day", name="day_set_apart_once"),
        CheckConstraint("lines > 0", name="day_set_apart_lines"),
    )

    id: int | None = Field(default=None, primary_key=True)
    trade_file: int = Field(foreign_key="carbon_trade_file.id", index=True)
    day: date | None = None
    lines: int


class DailyBar(SQLModel, table=True):
    """One market and day. Prices are those of listed trading; totals are listing + block + auction.

    Block and auction figures are null where the feed prints screen trades only; listing figures too where it does not
    tell the methods apart, so that only the totals stand.
    """

    __tablename__ = "carbon_daily_bar"
    __table_args__ = (
        CheckConstraint(
            "listing_volume_t >= 0 AND block_volume_t >= 0 AND auction_volume_t >= 0", name="daily_bar_volume"
        ),
        CheckConstraint(
            "listing_value_fen >= 0 AND block_value_fen >= 0 AND auction_value_fen >= 0",
            name="daily_bar_value",
        ),
        CheckConstraint(
            "listing_volume_t IS NULL OR "
            "volume_t = listing_volume_t + coalesce(block_volume_t, 0) + coalesce(auction_volume_t, 0)",
            name="daily_bar_volume_sum",
        ),
        CheckConstraint(
            "listing_value_fen IS NULL OR "
            "value_fen = listing_value_fen + coalesce(block_value_fen, 0) + coalesce(auction_value_fen, 0)",
            name="daily_bar_value_sum",
        ),
        CheckConstraint("volume_t >= 0 AND value_fen >= 0", name="daily_bar_totals"),
        CheckConstraint(
            "(listing_volume_t IS NULL) = (listing_value_fen IS NULL) AND (listing_volume_t IS NOT NULL OR "
            "(block_volume_t IS NULL AND block_value_fen IS NULL "
            "AND auction_volume_t IS NULL AND auction_value_fen IS NULL))",
            name="daily_bar_parts",
        ),
        CheckConstraint("high_fen_per_t >= low_fen_per_t", name="daily_bar_high_low"),
        CheckConstraint("close_fen_per_t > 0", name="daily_bar_close"),
    )

    market: str = Field(primary_key=True, foreign_key="carbon_market.market")
    day: date = Field(primary_key=True)
    open_fen_per_t: int | None = Field(default=None, sa_type=BigInteger)
    high_fen_per_t: int | None = Field(default=None, sa_type=BigInteger)
    low_fen_per_t: int | None = Field(default=None, sa_type=BigInteger)
    close_fen_per_t: int | None = Field(default=None, sa_type=BigInteger)
    listing_volume_t: int | None = Field(default=None, sa_type=BigInteger)
    listing_value_fen: int | None = Field(default=None, sa_type=BigInteger)
    block_volume_t: int | None = Field(default=None, sa_type=BigInteger)
    block_value_fen: int | None = Field(default=None, sa_type=BigInteger)
    auction_volume_t: int | None = Field(default=None, sa_type=BigInteger)
    auction_value_fen: int | None = Field(default=None, sa_type=BigInteger)
    volume_t: int = Field(sa_type=BigInteger)
    value_fen: int = Field(sa_type=BigInteger)
    feed: str


class TradeSummary(SQLModel, table=True):
    """One market and period ("2022" or "2022-06"), either embedded (published) or derived from loaded files."""

    __tablename__ = "carbon_trade_summary"
    __table_args__ = (
        CheckConstraint("\"by\" IN ('year', 'month')", name="trade_summary_by"),
        CheckConstraint("origin IN ('embedded', 'loaded')", name="trade_summary_origin"),
        CheckConstraint("length(period) = CASE \"by\" WHEN 'year' THEN 4 ELSE 7 END", name="trade_summary_period"),
        CheckConstraint("volume_t >= 0 AND value_fen >= 0 AND sessions >= 0", name="trade_summary_amounts"),
        CheckConstraint("calendar_sessions >= 0", name="trade_summary_calendar"),
        CheckConstraint("continuity >= 0 AND continuity <= 1", name="trade_summary_continuity"),
        CheckConstraint("block_share >= 0 AND block_share <= 1", name="trade_summary_block_share"),
        CheckConstraint("zero_return_share >= 0 AND zero_return_share <= 1", name="trade_summary_zero_returns"),
        CheckConstraint("first_day <= last_day", name="trade_summary_days"),
        CheckConstraint(
            "coverage IN ('whole_year', 'part_of_year', 'whole_month', 'part_of_month', 'lower_bound')",
            name="trade_summary_coverage",
        ),
    )

    market: str = Field(primary_key=True, foreign_key="carbon_market.market")
    period: str = Field(primary_key=True)
    by: str = Field(primary_key=True)
    origin: str = Field(primary_key=True)
    volume_t: int = Field(sa_type=BigInteger)
    value_fen: int = Field(sa_type=BigInteger)
    vwap_cny_per_t: float | None = None
    sessions: int
    calendar_sessions: int | None = None
    continuity: float | None = None
    block_share: float | None = None
    volatility_annual: float | None = None
    amihud_per_million_cny: float | None = None
    zero_return_share: float | None = None
    last_close_fen_per_t: int | None = Field(default=None, sa_type=BigInteger)
    first_day: date | None = None
    last_day: date | None = None
    coverage: str
    source: str
    note: str | None = None
    lake_version: int | None = Field(default=None, sa_type=BigInteger)
