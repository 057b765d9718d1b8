"""American Carbon Registry (ACR): its headings and what its rows mean. Must not know how cells are read.

Issuances print the part for the project and the part for the buffer pool; credits moved into the pool afterwards
("Credits Transferred to Buffer Pool") change hands without being issued and are no event here.
Source: acr2.apx.com exports kept by carbonplan/offsets-db-data (April 2026). Confidence H for headings.
"""

from carbon.formats.offsets.layouts import EventRule, RegisterFile

__all__ = ["FILES"]

_REGISTER = "american_carbon_registry"
_ISSUED = "Date Issued (GMT)"
_EFFECTIVE = "Status Effective (GMT)"
_QUANTITY = "Quantity of Credits"

FILES = (
    RegisterFile(
        register=_REGISTER,
        kind="issuances",
        days="us",
        headings={"project_id": "Project ID", "vintage": "Vintage", "account": "Project Developer"},
        total="Total Credits Issued",
        markers=("Credits Transferred to Buffer Pool",),
        rules=(
            EventRule(
                event="issuance",
                quantity="Credits Issued to Project",
                day=_ISSUED,
                raw_event="Credits Issued to Project",
            ),
            EventRule(
                event="issuance",
                quantity="Credits Issued to Buffer Pool",
                day=_ISSUED,
                raw_event="Credits Issued to Buffer Pool",
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
            "serial": "Credit Serial Numbers",
            "account": "Account Holder",
            "beneficiary": "Retired on Behalf of",
            "reason": "Retirement Reason",
            "note": "Purpose of Retirement",
        },
        rules=(EventRule(event="retirement", quantity=_QUANTITY, day=_EFFECTIVE, raw_event="Retirement"),),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="cancellations",
        days="us",
        headings={
            "project_id": "Project ID",
            "vintage": "Vintage",
            "serial": "Credit Serial Numbers",
            "account": "Account Holder",
            "reason": "Cancellation Type",
            "note": "Cancellation Details",
        },
        rules=(EventRule(event="cancellation", quantity=_QUANTITY, day=_EFFECTIVE, raw_event="Cancellation"),),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="projects",
        days="us",
        headings={
            "project_id": "Project ID",
            "name": "Project Name",
            "proponent": "Project Developer",
            "protocol": "Project Methodology/Protocol",
            "project_type": "Project Type",
            "status": "Voluntary Status",
            "country": "Project Site Country",
        },
        markers=("Compliance Program Status (ARB or Ecology)",),
    ),
)
