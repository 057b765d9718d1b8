"""The shell: everything that touches time, network, environment, disk and screens. No arithmetic of its own."""

from importlib.metadata import version


def engine_name() -> str:
    """Name and version of this software, as editions record it."""
    return f"greenfin {version('greenfin')}"
