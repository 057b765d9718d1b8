"""Climate Action Reserve (CAR): its headings and what its rows mean. Must not know how cells are read.

An issuance prints its total and how much of it stands in the reserve's buffer pool on the day of the export; the rest
counts as issued to the project. "Canceled for Compliance" and the pool intended for compliance are today's state of the
same credits and are no events: cancellations have a file of their own.
Source: thereserve2.apx.com exports kept by carbonplan/offsets-db-data (April 2026). Confidence H for headings, M for
reading today's buffer as the buffer's share of the issuance.
"""

from carbon.formats.offsets.layouts import EventRule, RegisterFile

__all__ = ["FILES"]

_REGISTER = "climate_action_reserve"
_TOTAL = "Total Offset Credits Issued"
_BUFFER = "Offset Credits Currently in Reserve Buffer Pool"
_SERIALS = "Offset Credit Serial Numbers"
_QUANTITY = "Quantity of Offset Credits"

FILES = (
    RegisterFile(
        register=_REGISTER,
        kind="issuances",
        days="us",
        headings={"project_id": "Project ID", "vintage": "Vintage", "account": "Project Owner"},
        markers=("Offset Credits Intended for Compliance Buffer Pool", "Canceled for Compliance"),
        rules=(
            EventRule(event="issuance", quantity=_TOTAL, less=_BUFFER, day="Date Issued", raw_event=_TOTAL),
            EventRule(
                event="issuance",
                quantity=_BUFFER,
                day="Date Issued",
                raw_event=_BUFFER,
                is_buffer=True,
                is_main=False,
            ),
        ),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="retirements",
        days="us",
        headings={
            "project_id": "Project ID",
            "vintage": "Vintage",
            "serial": _SERIALS,
            "account": "Account Holder",
            "reason": "Retirement Reason",
            "note": "Retirement Reason Details",
        },
        rules=(EventRule(event="retirement", quantity=_QUANTITY, day="Status Effective", raw_event="Retirement"),),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="cancellations",
        days="us",
        headings={
            "project_id": "Project ID",
            "vintage": "Vintage",
            "serial": _SERIALS,
            "reason": "Cancellation Reason",
            "note": "Export Notes",
        },
        rules=(EventRule(event="cancellation", quantity=_QUANTITY, day="Status Effective", raw_event="Cancellation"),),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="projects",
        days="us",
        headings={
            "project_id": "Project ID",
            "name": "Project Name",
            "proponent": "Project Owner",
            "project_type": "Project Type",
            "status": "Status",
            "country": "Project Site Country",
            "registered_on": "Project Registered Date",
        },
        markers=("Project Listed Date", "WA ECO Project Status"),
    ),
)
