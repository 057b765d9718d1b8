"""Verra: its headings and what its rows mean. Must not know how cells are read.

One line is one block of serial numbers: issued on "Issuance Date", and retired or cancelled on the other date where
there is one. So every line is an issuance and some are a retirement of the same block too; the lines of one vintage add
up to "Total Vintage Quantity" in complete exports (measured on project 605: 5,183 and 10,018, all of it retired).
Whether it was retired or cancelled the file does not say; it counts as retired.
Source: registry.verra.org exports kept by carbonplan/offsets-db-data (April 2026). Confidence H for headings.
"""

from carbon.formats.offsets.layouts import EventRule, RegisterFile

__all__ = ["FILES"]

_RETIRED = "Retirement/Cancellation Date"

FILES = (
    RegisterFile(
        register="verra",
        kind="transactions",
        days="iso",
        prefix="VCS",
        headings={
            "project_id": "ID",
            "vintage": "Vintage End",
            "serial": "Serial Number",
            "beneficiary": "Retirement Beneficiary",
            "reason": "Retirement Reason",
            "note": "Retirement Details",
        },
        markers=("Total Vintage Quantity", "Vintage Start"),
        rules=(
            EventRule(event="issuance", quantity="Quantity Issued", day="Issuance Date", raw_event="Issuance Date"),
            EventRule(event="retirement", quantity="Quantity Issued", day=_RETIRED, raw_event=_RETIRED, where_day=True),
        ),
    ),
    RegisterFile(
        register="verra",
        kind="projects",
        days="iso",
        prefix="VCS",
        headings={
            "project_id": "ID",
            "name": "Name",
            "proponent": "Proponent",
            "protocol": "Methodology",
            "project_type": "Project Type",
            "status": "Status",
            "country": "Country/Area",
            "registered_on": "Project Registration Date",
        },
        markers=("Estimated Annual Emission Reductions",),
    ),
)
