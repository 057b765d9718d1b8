"""Architecture for REDD+ Transactions (ART, TREES): its headings and what its rows mean. Must not know how cells are
read.

Issuances print the part verified for the programme and the part deposited in the buffer.
Source: art.apx.com exports kept by carbonplan/offsets-db-data (April 2026). Confidence H for headings.
"""

from carbon.formats.offsets.layouts import EventRule, RegisterFile

__all__ = ["FILES"]

_REGISTER = "art_trees"
_QUANTITY = "Quantity of Credits"
_BUFFER = "Credits Deposited in Buffer"

FILES = (
    RegisterFile(
        register=_REGISTER,
        kind="issuances",
        days="us",
        headings={"project_id": "Program ID", "vintage": "Vintage", "account": "Sovereign Program Developer"},
        total="Total Emission Reductions/Removals",
        rules=(
            EventRule(event="issuance", quantity="Credits Verified", day="Date Approved", raw_event="Credits Verified"),
            EventRule(
                event="issuance",
                quantity=_BUFFER,
                day="Date Approved",
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
            "project_id": "Program ID",
            "vintage": "Vintage",
            "serial": "Credit Serial Numbers",
            "account": "Account Holder",
            "beneficiary": "Retired on Behalf of",
            "reason": "Retirement Reason",
            "note": "Purpose of Retirement",
        },
        rules=(EventRule(event="retirement", quantity=_QUANTITY, day="Status Effective", raw_event="Retirement"),),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="cancellations",
        days="us",
        headings={
            "project_id": "Program ID",
            "vintage": "Vintage",
            "serial": "Credit Serial Numbers",
            "account": "Account Holder",
            "reason": "Cancellation Reason",
            "note": "Cancellation Details",
        },
        rules=(EventRule(event="cancellation", quantity=_QUANTITY, day="Status Effective", raw_event="Cancellation"),),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="projects",
        days="us",
        headings={
            "project_id": "Program ID",
            "name": "Program Name",
            "proponent": "Sovereign Program Developer",
            "protocol": "Crediting Program and Standard",
            "project_type": "Program Type",
            "status": "Status",
            "country": "Program Country",
        },
        markers=("Initial Crediting Period Start Date",),
    ),
)
