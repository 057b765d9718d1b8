"""The join: carbon facts and the base index become one green-fintech score of each hub.

The only package that knows both sides; of it, only `bridge` imports `carbon`. Names load lazily.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from green_index.bridge import carbon_panel as carbon_panel
    from green_index.bridge import read_facts as read_facts
    from green_index.editions import load_edition as load_edition
    from green_index.editions import save_edition as save_edition
    from green_index.index import build_green_index as build_green_index

_HOME = {
    "build_green_index": "green_index.index",
    "carbon_panel": "green_index.bridge",
    "load_edition": "green_index.editions",
    "read_facts": "green_index.bridge",
    "save_edition": "green_index.editions",
}
__all__ = ["build_green_index", "carbon_panel", "load_edition", "read_facts", "save_edition"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'green_index' has no attribute {name!r}; known: {', '.join(__all__)}")
    return getattr(import_module(_HOME[name]), name)
