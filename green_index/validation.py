"""How the base index agrees with printed rankings, with and without the mere size of a city.

Knows printed totals and any table of ranks that a caller brings. Knows no carbon, no SQL and no HTTP.
"""

from typing import Final

import polars as pl

from fhi.index import build_index
from fhi.observations import measures, observations, open_panel, size_codes
from fhi.published import PRINTED_PERIOD, printed_totals
from green_index.index import RANKING, base_framework
from green_index.standing import check_period

VALIDATION_SCHEMA: Final = pl.Schema(
    {
        "against": pl.String,
        "year": pl.Int64,
        "candidate": pl.String,
        "hubs": pl.Int64,
        "spearman": pl.Float64,
    }
)


def validate_open_base(printed: pl.DataFrame, against: str, year: int) -> pl.DataFrame:
    """Rank correlation of the open base with a printed ranking, and of each open measure alone.

    printed: hub, standing (greater is better; ranks are negated by the caller). Returns VALIDATION_SCHEMA: the open
    base with and without the nodes that are mere size, then every measure alone, strongest first. Ties take mean
    ranks (Spearman 1904). Raises UnknownPeriod for a year without open figures.
    """
    period = str(year)
    check_period(observations(), period)
    with_size = _base_scores(period, without_size=False)
    without_size = _base_scores(period, without_size=True)
    rows = [
        ("open base", with_size),
        ("open base without size measures", without_size),
        *(
            (f"{name} alone", observations().filter(pl.col("period") == period).select("hub", score=name))
            for name in measures()["measure"]
        ),
    ]
    table = pl.DataFrame(
        [(against, year, name, *_spearman(frame, printed)) for name, frame in rows],
        schema=VALIDATION_SCHEMA,
        orient="row",
    )
    return pl.concat([table.head(2), table.slice(2).sort("spearman", descending=True, nulls_last=True)])


def printed_fhi() -> tuple[pl.DataFrame, str, int]:
    """The printed FHI totals as (hub, standing), their name and their year."""
    return printed_totals().select("hub", standing="total"), "FHI 2017 as printed", int(PRINTED_PERIOD)


def _base_scores(period: str, *, without_size: bool) -> pl.DataFrame:
    panel = open_panel()
    if without_size:
        panel = panel.filter(~pl.col("code").is_in(list(size_codes())))
    framework = base_framework("open")
    scores = build_index(panel, framework, RANKING).scores
    return scores.filter(pl.col("period") == period, pl.col("code") == framework.root).select("hub", "score")


def _spearman(frame: pl.DataFrame, printed: pl.DataFrame) -> tuple[int, float | None]:
    both = frame.join(printed, on="hub").drop_nulls()
    if both.height < 3 or both["score"].n_unique() == 1:
        return both.height, None
    return both.height, float(both.select(pl.corr("score", "standing", method="spearman")).item())
