"""The instrumental factors of our own: the open measures of a year, or the normalised indicators of an edition.

Knows the embedded figures and the inputs of an edition. Knows no rating and no model.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from fhi.framework import Framework
from fhi.observations import measures, observations
from green_index.standing import check_period

FACTOR_NAMES: Final = pl.Schema({"factor": pl.String, "name_zh": pl.String, "name_en": pl.String, "unit": pl.String})


@dataclass(frozen=True)
class Factors:
    """Figures of cities: `table` has hub and one column a factor, null where unknown; `names` (FACTOR_NAMES) one row
    a factor, in the order of the columns."""

    table: pl.DataFrame
    names: pl.DataFrame


def measure_factors(year: int) -> Factors:
    """Every open measure of every hub in one year; those that grow with the city as natural logarithms, for a city
    twice as large is rather one step on than twice as good (ours). Raises UnknownPeriod."""
    check_period(observations(), str(year))
    known = measures()
    sizes = known.filter("size")["measure"].to_list()
    table = observations().filter(period=str(year)).select("hub", *known["measure"]).with_columns(pl.col(sizes).log())
    unit = pl.when("size").then(pl.format("ln({})", "unit")).otherwise("unit")
    return Factors(table, known.select("name_zh", "name_en", factor="measure", unit=unit).select(FACTOR_NAMES.names()))


def indicator_factors(inputs: pl.DataFrame, tree: Framework, year: int) -> Factors:
    """The normalised scores, 0 to 100, of every indicator of an edition that has figures in one year.

    inputs: hub, period, code and normalised, of the edition's inputs. Raises UnknownPeriod.
    """
    check_period(inputs, str(year))
    here = inputs.filter(pl.col("period") == str(year), pl.col("normalised").is_not_null())
    codes = [entry.code for entry in tree.indicators if entry.code in set(here["code"])]
    table = here.pivot("code", index="hub", values="normalised").select("hub", *codes)
    rows = [(code, tree.node[code].name_zh, tree.node[code].name_en, "score 0-100") for code in codes]
    return Factors(table, pl.DataFrame(rows, schema=FACTOR_NAMES, orient="row"))


def own_factors(table: pl.DataFrame) -> Factors:
    """A user's factors, each by the name of its column. table: of `green_index.perception.files.read_factors`."""
    names = [name for name in table.columns if name != "hub"]
    return Factors(table, pl.DataFrame([(name, name, name, None) for name in names], schema=FACTOR_NAMES, orient="row"))
