"""Loading rates of exchange into SQL and reading them back.

Knows the order of the steps and what makes them safe to repeat. Must not know headings or how a rate is applied
(`carbon.fx`).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import CarbonError, Problem

if TYPE_CHECKING:
    import polars as pl
    from sqlmodel import Session

__all__ = ["NoRates", "RatesReport", "load_rates", "rates_stamp", "read_rates"]


class NoRates(CarbonError):
    """The file holds prices or trades, but no rates of exchange."""


@dataclass(frozen=True)
class RatesReport:
    """What became of one file: rates_read = rates_new + rates_already_loaded + rates_in_conflict.

    problems : errors and warnings by line; lines with an error hold no rate that was read
    """

    file: str
    rates_read: int
    rates_new: int
    rates_already_loaded: int
    rates_in_conflict: int
    problems: tuple[Problem, ...]


def load_rates(session: "Session", path: Path) -> RatesReport:
    """Load the rates of one file (ICAP price explorer, or a table day,currency,per_eur,per_usd,source).

    Commits one transaction. The same rates again change nothing; another rate for a day, currency and source that is
    loaded already is the error `already_loaded_otherwise` and is left out.
    Raises NoRates where the format has none, UnknownFormat, UnreadableFile, FileTooLarge.
    """
    import polars as pl
    from sqlmodel import insert

    from carbon.findings import findings_where, to_problems
    from carbon.formats import QUOTE_FORMATS, recognise
    from carbon.quotes import read_quotes
    from carbon.rates_tables import FxRate

    name = recognise(path)
    if name not in QUOTE_FORMATS:
        raise NoRates(f"found {path.name} in the format {name}, expected rates: {', '.join(QUOTE_FORMATS)}")
    reading = read_quotes(path, format_name=name)
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    key = ["currency", "day", "source"]
    both = reading.rates.join(read_rates(session), on=key, suffix="_loaded", how="left")
    is_known = pl.col("file").is_not_null()
    is_unlike = is_known & (
        pl.col("per_eur").ne_missing(pl.col("per_eur_loaded")) | pl.col("per_usd").ne_missing(pl.col("per_usd_loaded"))
    )
    conflicts = findings_where(
        both,
        is_unlike,
        code="already_loaded_otherwise",
        severity="error",
        column=None,
        found=_shown("per_eur", "per_usd"),
        expected=pl.format("{}, as loaded from {}", _shown("per_eur_loaded", "per_usd_loaded"), "file"),
    )
    new = (
        both.filter(~is_known)
        .select(*key, "per_eur", "per_usd")
        .with_columns(file=pl.lit(path.name), sha256=pl.lit(sha256))
    )
    try:
        if not new.is_empty():
            session.exec(insert(FxRate), params=new.to_dicts())
        session.commit()
    except Exception:
        session.rollback()
        raise
    return RatesReport(
        file=path.name,
        rates_read=reading.rates.height,
        rates_new=new.height,
        rates_already_loaded=reading.rates.height - new.height - conflicts.height,
        rates_in_conflict=conflicts.height,
        problems=(*reading.problems, *to_problems(conflicts, path.name)),
    )


def read_rates(session: "Session", currency: str | None = None) -> "pl.DataFrame":
    """The loaded rates, ascending by currency, day and source.

    currency : three letters; null gives all
    Result: currency String, day Date, per_eur, per_usd Float64, source, file String.
    """
    import polars as pl
    from sqlmodel import col, select

    from carbon.rates_tables import FxRate

    wanted = select(FxRate)
    if currency is not None:
        wanted = wanted.where(FxRate.currency == currency.upper())
    found = session.exec(wanted.order_by(col(FxRate.currency), col(FxRate.day), col(FxRate.source)))
    schema: dict[str, type[pl.DataType]] = {
        "currency": pl.String,
        "day": pl.Date,
        "per_eur": pl.Float64,
        "per_usd": pl.Float64,
        "source": pl.String,
        "file": pl.String,
    }
    return pl.DataFrame([rate.model_dump(include=set(schema)) for rate in found], schema=schema)


def rates_stamp(session: "Session") -> str:
    """A text that changes with the loaded rates: their files, and how many are of each."""
    from sqlmodel import func, select

    from carbon.rates_tables import FxRate

    counted = select(FxRate.sha256, func.count()).group_by(FxRate.sha256).order_by(FxRate.sha256)
    return " ".join(f"{sha256}:{count}" for sha256, count in session.exec(counted))


def _shown(per_eur: str, per_usd: str) -> "pl.Expr":
    import polars as pl

    texts = [pl.col(name).cast(pl.String).fill_null("nothing") for name in (per_eur, per_usd)]
    return pl.format("{} EUR, {} USD", *texts)
