"""Gold Standard: its headings and what its rows mean. Must not know how cells are read.

"Credit Status" tells retired from cancelled rows; cancelled rows print no date. CERs keep their CDM serial numbers.
Source: registry.goldstandard.org exports kept by carbonplan/offsets-db-data (April 2026). Confidence H for headings.
"""

from carbon.formats.offsets.layouts import EventRule, RegisterFile

__all__ = ["FILES"]

_REGISTER = "gold_standard"
_DAY = "Retirement Date"

FILES = (
    RegisterFile(
        register=_REGISTER,
        kind="issuances",
        days="iso",
        prefix="GLD",
        headings={
            "project_id": "GSID",
            "vintage": "Vintage",
            "serial": "Serial Number",
            "account": "Project Developer",
        },
        code="Credit Status",
        markers=("Product Type",),
        absent=(_DAY,),
        rules=(
            EventRule(event="issuance", quantity="Quantity", day="Issuance Date", raw_event="Issued", code="Issued"),
        ),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="retirements",
        days="iso",
        prefix="GLD",
        headings={
            "project_id": "GSID",
            "vintage": "Vintage",
            "serial": "Serial Number",
            "beneficiary": "Using Entity",
            "reason": "Use Case",
            "note": "Note",
        },
        code="Credit Status",
        rules=(
            EventRule(event="retirement", quantity="Quantity", day=_DAY, raw_event="Retired", code="Retired"),
            EventRule(event="cancellation", quantity="Quantity", day=_DAY, raw_event="Canceled", code="Canceled"),
        ),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="projects",
        days="iso",
        prefix="GLD",
        headings={
            "project_id": "GSID",
            "name": "Project Name",
            "proponent": "Project Developer Name",
            "protocol": "Methodology",
            "project_type": "Project Type",
            "status": "Status",
            "country": "Country",
        },
        markers=("Estimated Annual Credits",),
    ),
)
