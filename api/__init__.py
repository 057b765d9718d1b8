"""The shell: everything that touches time, network, environment, disk and screens. No arithmetic of its own."""

__version__ = "0.1.0"
ENGINE = f"greenfin {__version__}"
"""Name and version of this software, as editions record it."""
DEFAULT_YEAR = 2022
"""The year shown unless another is asked for: the last one in which most embedded market years are whole."""
