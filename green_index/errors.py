"""What can go wrong in the join.

GreenIndexError
├── UnknownBase           a base edition that does not exist
├── UnknownPeriod         a period that the result does not hold
├── UnknownEdition        an edition id that is not stored
├── UnknownPrintedTable   a printed table that does not exist
└── ChangedEdition        an edition id that is stored already with other bytes
"""


class GreenIndexError(Exception):
    """Base of every error that this package raises on purpose."""


class UnknownBase(GreenIndexError):
    """No base edition has this name."""


class UnknownPeriod(GreenIndexError):
    """The result holds no such period."""


class UnknownEdition(GreenIndexError):
    """No edition with this id is stored."""


class ChangedEdition(GreenIndexError):
    """The id is stored already and its bytes differ: the same inputs gave another result."""


class UnknownPrintedTable(GreenIndexError):
    """No printed table has this name."""
