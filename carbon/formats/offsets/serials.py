"""Serial ranges of credits: how each register prints them, and the arithmetic of splitting and joining.

Knows the printed forms of the registers as patterns. Must not know files, projects or what happened to the credits.

The forms, each with the real example it was made from (registers' own exports, confidence H):
    verra                     19385-941467007-941467431-VCS-VCU-1507-VER-ET-14-1340-01012020-31122020-1, and without VCS
    american_carbon_registry  ACR-FR-1129-2025-2917-30932 to 35143
    art_trees                 ART-GY-102-2021-11-2759599 to 2760598, FCPF-CI-130-2023-20-1 to 46404
    climate_action_reserve    CAR-1-US-1335-31-983-KS-2025-9205-1 to 5000
    gold_standard             GS1-1-UG-GS11236-16-2024-30307-1-19149
    cdm                       RW-5-1459975-2-2-0-7014 - RW-5-1460107-2-2-0-7014 (CERs in Gold Standard's list)
    cercarbono                CDC_1_1_1_321_14_1_2009 4426 to 4971 (the numbers stand in two columns; this form is ours)
    cad_trust                 AXJJFSLGHSHEJ1000-AXJJFSLGHSHEJ1010 (first and last unit of a block)
"""

import re
from dataclasses import dataclass, replace

from carbon.errors import CarbonError

__all__ = [
    "SERIAL_PATTERNS",
    "WIDTH_MARK",
    "SerialError",
    "SerialRange",
    "explain_serial",
    "format_serial",
    "join_serials",
    "parse_serial",
    "split_serial",
]


class SerialError(CarbonError):
    """A text is no serial range of a known form, or ranges cannot be split or joined as asked."""


# Five groups each: text before the first number, first, text between, last, text after. Eighteen digits fit in int64.
SERIAL_PATTERNS: dict[str, str] = {
    "verra": r"^([0-9]+-)([0-9]{1,18})(-)([0-9]{1,18})(-(?:VCS-)?VCU-[0-9A-Z][0-9A-Z-]*)$",
    "american_carbon_registry": r"^(ACR-[A-Z]{2}-[0-9A-Z-]+-)([0-9]{1,18})( to )([0-9]{1,18})()$",
    "art_trees": r"^((?:ART|FCPF)-[A-Z]{2}-[0-9A-Z-]+-)([0-9]{1,18})( to )([0-9]{1,18})()$",
    "climate_action_reserve": r"^(CAR-[0-9A-Z-]+-)([0-9]{1,18})( to )([0-9]{1,18})()$",
    "gold_standard": r"^(GS[0-9]+-[0-9A-Z-]+-)([0-9]{1,18})(-)([0-9]{1,18})()$",
    "cdm": r"^([A-Z]{2}-[0-9]+-)([0-9]{1,18})(-[0-9-]+ - [A-Z]{2}-[0-9]+-)([0-9]{1,18})(-[0-9-]+)$",
    "cercarbono": r"^(CDC_[0-9A-Z_]+ )([0-9]{1,18})( to )([0-9]{1,18})()$",
    "cad_trust": r"^([0-9A-Z]*[A-Z])([0-9]{1,18})(-[0-9A-Z]*[A-Z])([0-9]{1,18})()$",
}
WIDTH_MARK = r":[0-9]+\}"
_PATTERNS = {register: re.compile(pattern) for register, pattern in SERIAL_PATTERNS.items()}
_MARK = re.compile(r"\{(first|last)(?::(\d+))?\}")
_UNFILLED = re.compile(r"\b(?:NaN|undefined|null|None)\b")


@dataclass(frozen=True)
class SerialRange:
    """Consecutive credits of one series.

    register : key of SERIAL_PATTERNS; first, last : both inclusive
    stem : the printed text with {first} and {last} where the numbers stand; {first:6} is padded to six digits
    """

    register: str
    stem: str
    first: int
    last: int

    @property
    def series(self) -> str:
        """The stem without widths: 0999 and 1000 are numbers of one series, though only one shows that it is padded."""
        return re.sub(WIDTH_MARK, "}", self.stem)

    @property
    def quantity(self) -> int:
        """Credits in the range: last - first + 1 (check C26)."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        return format_serial(self)


def parse_serial(text: str) -> SerialRange:
    """The range printed in a text; `format_serial` gives back the same text, byte for byte.

    Raises SerialError where no form fits, the last number is before the first, or the padding differs.
    """
    for register, pattern in _PATTERNS.items():
        found = pattern.fullmatch(text)
        if found is None or not _repeats_itself(register, *found.group(1, 3, 5)):
            continue
        before, first, between, last, after = found.groups()
        width = _width(first, last)
        if width is None or int(last) < int(first):
            break
        mark = f":{width}" if width else ""
        stem = f"{before}{{first{mark}}}{between}{{last{mark}}}{after}"
        return SerialRange(register=register, stem=stem, first=int(first), last=int(last))
    raise SerialError(explain_serial(text))


def _repeats_itself(register: str, before: str, between: str, after: str) -> bool:
    """Whether the second half of a form that prints everything twice says the same as the first."""
    if register == "cdm":
        return between == f"{after} - {before}"
    return register != "cad_trust" or between == f"-{before}"


def _width(first: str, last: str) -> int | None:
    """Digits that both numbers are padded to, 0 where neither is padded; null where they differ."""
    is_padded = any(len(number) > 1 and number.startswith("0") for number in (first, last))
    if not is_padded:
        return 0
    return len(first) if len(first) == len(last) else None


def explain_serial(text: str) -> str:
    """Why a text is no serial range, in words."""
    if _UNFILLED.search(text):
        return f"found serial {text!r} with values that were never filled in, expected numbers of a first and last unit"
    for register, pattern in _PATTERNS.items():
        found = pattern.fullmatch(text)
        if found is None:
            continue
        before, first, between, last, after = found.groups()
        if not _repeats_itself(register, before, between, after):
            return f"found serial {text!r} whose two halves name different series, expected one series"
        if _width(first, last) is None:
            return f"found serial {text!r} with numbers padded to different widths, expected one width"
        return f"found serial {text!r} whose last number is before its first, expected first <= last"
    return f"found serial {text!r}, expected a form of one of {', '.join(SERIAL_PATTERNS)}"


def format_serial(serials: SerialRange) -> str:
    """The text of a range as its register prints it."""
    numbers = {"first": serials.first, "last": serials.last}
    return _MARK.sub(lambda mark: str(numbers[mark[1]]).zfill(int(mark[2] or 0)), serials.stem)


def split_serial(serials: SerialRange, quantity_t: int) -> tuple[SerialRange, SerialRange]:
    """The first `quantity_t` credits of a range and the rest; together they are the range (check C27).

    Raises SerialError unless 0 < quantity_t < serials.quantity.
    """
    if not 0 < quantity_t < serials.quantity:
        raise SerialError(f"found {quantity_t} credits to split off {serials}, expected 1 to {serials.quantity - 1}")
    cut = serials.first + quantity_t
    return replace(serials, last=cut - 1), replace(serials, first=cut)


def join_serials(earlier: SerialRange, later: SerialRange) -> SerialRange:
    """One range of two that follow each other in the same series.

    Raises SerialError where the series differ or `later` does not begin right after `earlier`.
    """
    if (earlier.register, earlier.series) != (later.register, later.series):
        raise SerialError(f"found {earlier} and {later}, expected two ranges of one series")
    if later.first != earlier.last + 1:
        raise SerialError(f"found {later} after {earlier}, expected it to begin with {earlier.last + 1}")
    # Of two stems of one series the longer is the one that knows the width.
    return replace(earlier, stem=max(earlier.stem, later.stem, key=len), last=later.last)
