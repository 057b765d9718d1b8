"""The base index: framework, panel, recipe and the verbs that turn them into scores.

Pure: knows no database, no HTTP and no carbon. Names load lazily, so that importing `fhi` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhi.formats.panel_files import load_panel as load_panel
    from fhi.framework import Framework as Framework
    from fhi.framework import load_framework as load_framework
    from fhi.index import IndexResult as IndexResult
    from fhi.index import build_index as build_index
    from fhi.recipe import Recipe as Recipe
    from fhi.recipe import load_recipe as load_recipe

_HOME = {
    "Framework": "fhi.framework",
    "IndexResult": "fhi.index",
    "Recipe": "fhi.recipe",
    "build_index": "fhi.index",
    "load_framework": "fhi.framework",
    "load_panel": "fhi.formats.panel_files",
    "load_recipe": "fhi.recipe",
}
__all__ = ["Framework", "IndexResult", "Recipe", "build_index", "load_framework", "load_panel", "load_recipe"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'fhi' has no attribute {name!r}; known: {', '.join(__all__)}")
    return getattr(import_module(_HOME[name]), name)
