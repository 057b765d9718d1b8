"""Names of participants and the codes that stand for them: one Delta table `trade_names` in the lake, only added to.

Knows which code a name has and how a new name gets one. Must not know trades, files of users or statistics. A name is
kept as its file writes it and has one code for good; codes begin above those that files may hold themselves. New names
become visible in one step, and of writers at the same time one wins while the others look again: no code is given
twice.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.lake_files import code_words, read_words
from carbon.trades.records import FIRST_NAME_CODE

if TYPE_CHECKING:
    import polars as pl

__all__ = ["code_names", "names_schema", "read_names"]

_TABLE = "trade_names"


def names_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of `read_names`: participant Int32 (the code), name String."""
    import polars as pl

    return {"participant": pl.Int32, "name": pl.String}


def read_names(lake: Path) -> "pl.DataFrame":
    """Every name and its code, ascending by code, in `names_schema`; no row where no file held names."""
    return read_words(lake / _TABLE, names_schema())


def code_names(lake: Path, names: Sequence[str]) -> "pl.Series":
    """The code of each name, Int32, in the order given; names not seen before get the next codes and are kept.

    names : each once, none empty. When this returns, the codes are in the lake for good.
    Raises LakeBusy when other writers win the race again and again.
    """
    import polars as pl

    asked = pl.DataFrame({"name": names}, schema={"name": pl.String})
    return code_words(lake / _TABLE, names_schema(), asked, first=FIRST_NAME_CODE)["participant"]
