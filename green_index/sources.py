"""Who says what the tables of this package hold.

Knows the list of sources beside the tables, and the sources that single rows of evidence name. Computes nothing.
"""

from importlib.resources import files

import polars as pl

from green_index.policy import evidence_sources


def own_sources() -> pl.DataFrame:
    """Publisher, unit and terms: file, column (`*` for all), publisher, unit, terms, remark."""
    listed = pl.read_csv(files("green_index").joinpath("data", "sources.csv").read_bytes())
    return pl.concat([listed, evidence_sources().select(listed.columns)])
