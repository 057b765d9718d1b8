"""California's Air Resources Board (ARB): the sheet of compliance offsets. Must not know how cells are read.

One line is one issuance, with what has become of it in columns. The sheet prints no day for retirements, only the
compliance period, so their day is empty and the column's heading is the raw event. "ARB Offset Credits Issued" holds
the forest buffer's contribution (measured: project part plus contribution is the total in every retired line).
Projects carry the number of the register that listed them (ACR, CAR or VCS).
Source: nc-arboc_issuance.xlsx, sheet 3, kept by carbonplan/offsets-db-data (April 2026). Confidence H for headings.
"""

from carbon.formats.offsets.layouts import EventRule, RegisterFile

__all__ = ["FILES"]

_ISSUED = "ARB Offset Credits Issued"
_BUFFER = "Forest Buffer Account Contribution"
_RETIRED = (
    "Retired for Intentional Reversal",
    "Retired Voluntarily",
    "Retired 1st Compliance Period (CA)",
    "Retired 2nd Compliance Period (CA)",
    "Retired 3rd Compliance Period (CA)",
    "Retired 4th Compliance Period (CA)",
    "Retired 5th Compliance Period (CA)",
    "Retired for Compliance in Quebec",
)

FILES = (
    RegisterFile(
        register="arb",
        kind="issuances",
        days="iso",
        headings={
            "project_id": "OPR Project ID",
            "vintage": "Vintage",
            "account": "Offset Project Operator",
            "note": "Comment",
            "source_id": "CARB Issuance ID",
        },
        rules=(
            EventRule(event="issuance", quantity=_ISSUED, less=_BUFFER, day="Issuance Date", raw_event=_ISSUED),
            EventRule(
                event="issuance",
                quantity=_BUFFER,
                day="Issuance Date",
                raw_event=_BUFFER,
                is_buffer=True,
                is_main=False,
            ),
            *[
                EventRule(event="retirement", quantity=heading, day=None, raw_event=heading, is_main=False)
                for heading in _RETIRED
            ],
            EventRule(
                event="retirement",
                quantity="Buffer Pool Retired",
                day=None,
                raw_event="Buffer Pool Retired",
                is_buffer=True,
                is_main=False,
            ),
            EventRule(
                event="cancellation",
                quantity="Invalidated or Canceled",
                day=None,
                raw_event="Invalidated or Canceled",
                is_main=False,
            ),
        ),
    ),
)
