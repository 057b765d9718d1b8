"""Answers that take long, kept for the pages and pictures that ask for the same rows again.

Knows keys and answers. A key names the edition that its answer was made of, so that nothing kept grows old.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Final, TypeVar

__all__ = ["keep"]

_MOST: Final = 64
_kept: OrderedDict[Hashable, Any] = OrderedDict()
_lock: Final = Lock()
_Answer = TypeVar("_Answer")


def keep(key: Hashable, make: Callable[[], _Answer]) -> _Answer:
    """The answer kept under this key, or the one that `make` gives, which is kept from now on."""
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            found: _Answer = _kept[key]
            return found
    answer = make()
    with _lock:
        _kept[key] = answer
        while len(_kept) > _MOST:
            _kept.popitem(last=False)
    return answer
