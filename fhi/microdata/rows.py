"""From groups of good rows to panel rows: what the builders share.

Knows the panel schema, sectors, true zeros and populations. Knows no file and no kind of input.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import polars as pl

from fhi.hubs import hubs
from fhi.microdata.schema import InputSchema
from fhi.observations import observations
from fhi.panel import PANEL_SCHEMA

By = Literal["year", "quarter", "month"]
MICRO: Final = 1e6

SECTORS: Final[Mapping[str, tuple[str, ...]]] = {
    "p2p": ("网贷", "P2P网贷", "网络借贷", "P2P lending", "p2p借贷"),
    "crowdfunding": ("众筹",),
    "payment": ("第三方支付", "支付", "third-party payment"),
    "credit": ("大数据征信", "征信", "big-data credit", "credit reporting"),
    "blockchain": ("区块链",),
}


@dataclass(frozen=True)
class Given:
    """What the caller says about the input.

    files: names to cite; complete: the files hold every case of the country, so that a hub that is not in them truly
    has none.
    """

    files: str
    complete: bool


@dataclass(frozen=True)
class Rows:
    """What a builder makes, both in PANEL_SCHEMA.

    panel: rows of nodes of the tree; parts: auxiliary rows, whose codes are a node's with the name of the part.
    """

    panel: pl.DataFrame
    parts: pl.DataFrame


@dataclass(frozen=True)
class Builder:
    """How one kind of microdata becomes panel rows.

    dated: the column that gives the period, None where the caller names the period of a snapshot;
    keys: what good rows are grouped by, beside hubs and period; sums: what is kept of a group (a sum must be exact,
    so that the order of rows cannot matter: see `exact_sum`); make: groups to rows. Groups come with `period`,
    `rows` and, for the first city column, `hub`.

    figures: columns made of each row for the sums to use; distinct: the key that may have as many values as there are
    rows, None where none may; totals: what the groups of one `distinct` value each are added up to, which `make` then
    gets in their place (each total must itself be a sum over those groups).
    """

    schema: InputSchema
    codes: tuple[str, ...]
    dated: str | None
    keys: tuple[str, ...]
    sums: Mapping[str, pl.Expr]
    make: Callable[[pl.DataFrame, Given], Rows]
    figures: Mapping[str, pl.Expr] = field(default_factory=dict)
    distinct: str | None = None
    totals: Mapping[str, pl.Expr] = field(default_factory=dict)


def exact_sum(column: str) -> pl.Expr:
    """The sum in whole millionths: exact, so that neither the order of rows nor the number of threads can change it."""
    return (pl.col(column) * MICRO).round().cast(pl.Int128).sum()


def from_micro(column: str) -> pl.Expr:
    """A sum of `exact_sum` in its own unit."""
    return pl.col(column).cast(pl.Float64) / MICRO


def panel_rows(
    frame: pl.DataFrame, code: pl.Expr, value: pl.Expr, unit: str, status: pl.Expr, source: pl.Expr
) -> pl.DataFrame:
    """Rows of PANEL_SCHEMA from a frame with hub and period."""
    made = frame.select("hub", "period", code=code, value=value, unit=pl.lit(unit), status=status, source=source)
    return made.select(PANEL_SCHEMA.names()).cast(PANEL_SCHEMA)


def status_of(estimated: pl.Expr) -> pl.Expr:
    """`estimated` where the flag is true, else `observed`."""
    return pl.when(estimated).then(pl.lit("estimated")).otherwise(pl.lit("observed"))


def no_rows() -> pl.DataFrame:
    """An empty frame of PANEL_SCHEMA."""
    return pl.DataFrame(schema=PANEL_SCHEMA)


def add_true_zeros(frame: pl.DataFrame, keys: Sequence[str], sums: Sequence[str], complete: bool) -> pl.DataFrame:
    """The frame with a row of zeros for every hub that is not in it, at each of its combinations of `keys`.

    Only where the input is complete: otherwise what is not in it is unknown, not zero.
    """
    if not complete:
        return frame
    every = hubs().select("hub").join(frame.select(keys).unique(maintain_order=True), how="cross")
    filled = every.join(frame, on=["hub", *keys], how="left", maintain_order="left")
    return filled.with_columns(pl.col(sums).fill_null(0))


def with_population(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with `population`, resident persons of the hub in the year of its period, from the open figures.

    Null where there is no such figure.
    """
    known = observations().select("hub", year="period", population=pl.col("population_10k") * 1e4)
    return frame.with_columns(year=pl.col("period").str.slice(0, 4)).join(
        known, on=["hub", "year"], how="left", maintain_order="left"
    )
