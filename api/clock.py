"""The one clock. Knows the time of the machine; everything below `api` is told it."""

from time import time_ns
from typing import Final

__all__ = ["now_us"]

_NS_PER_US: Final = 1000


def now_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time_ns() // _NS_PER_US
