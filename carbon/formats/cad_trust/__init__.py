"""CAD Trust (Climate Action Data Trust), versions 1 and 2: read, check, write, convert, and our own blocks as units.

Knows the names that others may use. Must not know any column.
"""

from carbon.formats.cad_trust.conversion import Conversion, convert
from carbon.formats.cad_trust.ledger_blocks import BlocksReading, blocks_from_units, units_from_blocks
from carbon.formats.cad_trust.reading import CadTrustTables, make_tables, read_cad_trust
from carbon.formats.cad_trust.writing import CannotBeWritten, write_cad_trust

__all__ = [
    "BlocksReading",
    "CadTrustTables",
    "CannotBeWritten",
    "Conversion",
    "blocks_from_units",
    "convert",
    "make_tables",
    "read_cad_trust",
    "units_from_blocks",
    "write_cad_trust",
]
