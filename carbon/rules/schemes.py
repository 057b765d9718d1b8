"""The schemes and their instruments.

Knows the two embedded tables and their schemas. Must not know rules or arithmetic.
"""

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["load_instruments", "load_schemes"]


def load_schemes() -> "pl.DataFrame":
    """The schemes: scheme (key), kind (national|pilot|foreign|offset), name_zh, name_en, registry_hub (hub, null where
    not known), market (key of the market, null where none of ours), source, confidence (high|medium|low). All String.
    """
    import polars as pl

    columns = ["scheme", "kind", "name_zh", "name_en", "registry_hub", "market", "source", "confidence"]
    return pl.read_csv(_bytes_of("schemes"), schema=dict.fromkeys(columns, pl.String))


def load_instruments() -> "pl.DataFrame":
    """The instruments: scheme, code (unique), kind (allowance|offset|money), vintage_from and vintage_to (Int32, null
    where it has none), unit (t|fen), serialised (Boolean), source, confidence, note.
    """
    import polars as pl

    text, year = pl.String, pl.Int32
    schema: dict[str, type[pl.DataType]] = {
        **{"scheme": text, "code": text, "kind": text, "vintage_from": year, "vintage_to": year, "unit": text},
        **{"serialised": pl.Boolean, "source": text, "confidence": text, "note": text},
    }
    return pl.read_csv(_bytes_of("instruments"), schema=schema)


def _bytes_of(name: str) -> bytes:
    return files("carbon.rules").joinpath("data", f"{name}.csv").read_bytes()
