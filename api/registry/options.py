"""What the commands of the registry and of the rules share: their options, and how a day, a time and a number are read.

Knows no command. A number is read strictly, so that a slip of the finger is refused and not guessed at.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, Final

import typer

from api.clock import now_us

LARGEST: Final = 2**53  # what every reader of JSON holds exactly
LARGEST_T: Final = 10**12
_WHOLE: Final = re.compile(r"[0-9]{1,16}", re.ASCII)
_YEAR: Final = re.compile(r"[0-9]{4}", re.ASCII)


def whole(text: str) -> int:
    """A whole number of plain digits. Raises typer.BadParameter for signs, blanks, fractions and the rest."""
    if not _WHOLE.fullmatch(text) or int(text) > LARGEST:
        raise typer.BadParameter(f"found {text[:40]!r}; expected a whole number in plain digits, up to {LARGEST}")
    return int(text)


def year(text: str) -> int:
    """A year of four digits. Raises typer.BadParameter."""
    if not _YEAR.fullmatch(text):
        raise typer.BadParameter(f"found {text[:40]!r}; expected a year of four digits")
    return int(text)


def day_of(text: str | None, hint: str) -> date | None:
    """The day of a text such as 2025-12-31, null for none. Raises typer.BadParameter with the option's name."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"found {text[:40]!r}; expected a day such as 2025-12-31", param_hint=hint) from None


def time_us_of(text: str, hint: str) -> int:
    """Microseconds since 1970 UTC of a time with its zone, such as 2026-01-31T09:30:00+08:00.

    Raises typer.BadParameter with the option's name.
    """
    from carbon.ledger.orders import BadOrder, time_from_us, us_from_time

    try:
        at_us = us_from_time(datetime.fromisoformat(text))
        time_from_us(at_us)  # a zone can carry the first and the last day out of the calendar
        return at_us
    except (ValueError, OverflowError, BadOrder):
        found = f"found {text[:40]!r}; expected a time with its zone such as 2026-01-31T09:30:00+08:00"
        raise typer.BadParameter(found, param_hint=hint) from None


def past_us_of(text: str, hint: str) -> int:
    """The same of a time that has come: an act of tomorrow would move holdings today and show in no statement.

    Raises typer.BadParameter with the option's name.
    """
    at_us = time_us_of(text, hint)
    if at_us > now_us():
        raise typer.BadParameter(f"found {text[:40]!r}; expected a time that has come", param_hint=hint)
    return at_us


def _number(flag: str, means: str) -> Any:
    return typer.Option(flag, help=means, parser=whole, metavar="NUMBER")


def _year(flag: str, means: str) -> Any:
    return typer.Option(flag, help=means, parser=year, metavar="YEAR")


IdOption = Annotated[
    str | None,
    typer.Option("--id", help="Id of the act, so that doing it again changes nothing; one is made up without it."),
]
ActorOption = Annotated[str, typer.Option("--actor", help="Who acts, for the log.")]
AtOption = Annotated[
    str | None,
    typer.Option("--at", help="When it took place, with its zone: 2026-01-31T09:30:00+08:00. Now without it."),
]
SchemeName = Annotated[str, typer.Option("--scheme", help="Key of the scheme, such as CN.")]
AccountCode = Annotated[str, typer.Option("--account", help="Code of the account.")]
InstrumentCode = Annotated[str, typer.Option("--instrument", help="Code of the kind of unit, such as CEA24.")]
FromAccount = Annotated[str, typer.Option("--from", help="Account that gives.")]
ToAccount = Annotated[str, typer.Option("--to", help="Account that takes.")]
Quantity = Annotated[int, _number("--quantity", "Whole units: tonnes, or fen of money.")]
FirstSerial = Annotated[
    int | None, _number("--first-serial", "First of the numbers to move; the lowest free ones without it.")
]
ComplianceYear = Annotated[int, _year("--year", "Compliance year.")]
YearOption = Annotated[int | None, _year("--year", "Only this compliance year.")]
FirstYear = Annotated[int | None, _year("--first-year", "First compliance year it serves.")]
LastYear = Annotated[int | None, _year("--last-year", "Last compliance year it serves.")]
VintageFrom = Annotated[int | None, _year("--vintage-from", "First year of the vintage.")]
VintageTo = Annotated[int | None, _year("--vintage-to", "Last year of the vintage.")]
Tonnes = Annotated[int, _number("--tonnes", "Whole tonnes, 0 and more.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why, for the log.")]
SourceText = Annotated[str | None, typer.Option("--source", help="Where the figure comes from.")]
MovementOption = Annotated[
    list[str] | None,
    typer.Option(
        "--movement",
        metavar="FROM,TO,INSTRUMENT,QUANTITY[,FIRST]",
        help="One movement; give it again for each linked one.",
    ),
]
