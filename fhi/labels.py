"""What the axes of a cube are called, so that an error can say where and not only at which position.

Knows nothing but names.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Labels:
    """Names along the axes of (periods, units, children) and of the group; empty where they are not known."""

    group: str = ""
    periods: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    children: tuple[str, ...] = ()

    def place(self, period: int, unit: int | None = None, child: int | None = None) -> str:
        """Say where a cell stands: by its names, else by positions counted from 1."""
        parts = [f"group {self.group}"] if self.group else []
        parts.append(_name("period", self.periods, period))
        if unit is not None:
            parts.append(_name("unit", self.units, unit))
        if child is not None:
            parts.append(_name("child", self.children, child))
        return ", ".join(parts)


def _name(axis: str, names: tuple[str, ...], position: int) -> str:
    return f"{axis} {names[position]}" if position < len(names) else f"{axis} no. {position + 1}"
