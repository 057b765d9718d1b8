"""Registers of carbon offsets: their raw exports, serial numbers and the databases made of them.

Knows what is public of the modules below. Must not know any heading or pattern.
"""

from carbon.formats.offsets.containers import RegistersReading, read_registers
from carbon.formats.offsets.loads import check_not_fewer
from carbon.formats.offsets.offsetsdb import OffsetsDbReading, read_offsetsdb, write_offsetsdb
from carbon.formats.offsets.offsetsdb_rows import credits_from_events, events_from_credits, projects_to_offsetsdb
from carbon.formats.offsets.reading import RegisterReading, read_register
from carbon.formats.offsets.serial_columns import find_gaps, find_overlaps, parse_serials
from carbon.formats.offsets.serials import (
    SerialError,
    SerialRange,
    format_serial,
    join_serials,
    parse_serial,
    split_serial,
)
from carbon.formats.offsets.vrod import VrodReading, read_vrod

__all__ = [
    "OffsetsDbReading",
    "RegisterReading",
    "RegistersReading",
    "SerialError",
    "SerialRange",
    "VrodReading",
    "check_not_fewer",
    "credits_from_events",
    "events_from_credits",
    "find_gaps",
    "find_overlaps",
    "format_serial",
    "join_serials",
    "parse_serial",
    "parse_serials",
    "projects_to_offsetsdb",
    "read_offsetsdb",
    "read_register",
    "read_registers",
    "read_vrod",
    "split_serial",
    "write_offsetsdb",
]
