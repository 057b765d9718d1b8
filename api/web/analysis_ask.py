"""What every analysis of a page is asked for, and how one that cannot be made says why.

Knows the store, the language, the year, the base and the city of a page. Computes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from api.lang import Lang, texts
from api.store import Store
from api.web.analysis_blocks import Block, block
from green_index.index import Base

__all__ = ["Ask", "made"]


@dataclass(frozen=True)
class Ask:
    """What every analysis of a page is asked for; `city` is the name of `hub`."""

    store: Store
    lang: Lang
    year: int
    base: Base
    hub: str | None
    city: str = ""

    @property
    def own(self) -> str:
        """The city of a page of one city."""
        assert self.hub is not None
        return self.hub

    @property
    def query(self) -> dict[str, Any]:
        """Year and base, as links to the rows need them."""
        return {"year": self.year, "base": self.base}

    @property
    def said(self) -> Mapping[str, str]:
        """The texts of the analyses."""
        return texts("analyses", self.lang)


def made(ask: Ask, key: str, fill: Callable[[Ask, Block], Block]) -> Block:
    """The analysis of this key, or why there is none."""
    title = ask.said[f"page_{key.replace('-', '_')}"].format(city=ask.city, year=ask.year)
    return block(Block(key, title), lambda empty: fill(ask, empty))
