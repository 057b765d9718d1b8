"""Cercarbono: its headings and what its rows mean. Must not know how cells are read.

A serial is a series; retirements print the numbers in two columns, issuances print a quantity only. Some series are
numbered from 0 and some from 1, so the range of an issuance cannot be known from its quantity and stays empty.
The project's number is the first number of the serial: CDC_12_... and CDC_R_31_... are projects 12 and 31.
Source: ecoregistry.io exports kept by carbonplan/offsets-db-data (April 2026). Confidence H for headings.
"""

from carbon.formats.offsets.layouts import EventRule, RegisterFile

__all__ = ["FILES"]

_REGISTER = "cercarbono"
_ISSUED = "issued_quantity"

FILES = (
    RegisterFile(
        register=_REGISTER,
        kind="issuances",
        days="iso",
        prefix="CCB",
        headings={"project_id": "serial", "vintage": "year", "source_id": "serial"},
        extracts={"project_id": r"^CDC_(?:[A-Z]+_)?([0-9]+)_"},
        code="is_buffer",
        markers=("vintage_of_credits", "verification"),
        rules=(
            EventRule(event="issuance", quantity=_ISSUED, day="issuance_date", raw_event="issuance", code="False"),
            EventRule(
                event="issuance",
                quantity=_ISSUED,
                day="issuance_date",
                raw_event="buffer issuance",
                code="True",
                is_buffer=True,
            ),
        ),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="retirements",
        days="iso",
        prefix="CCB",
        headings={
            "project_id": "project_id",
            "vintage": "vintage",
            "serial": "serial",
            "first": "from",
            "last": "to",
            "beneficiary": "end_user",
            "account": "passive_subject",
            "reason": "certificate_destination",
        },
        rules=(EventRule(event="retirement", quantity="quantity", day="date", raw_event="retirement"),),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="projects",
        days="iso",
        prefix="CCB",
        headings={
            "project_id": "code",
            "name": "name",
            "proponent": "owner",
            "protocol": "quantification_method",
            "project_type": "sector",
            "status": "stage",
            "country": "locations",
        },
        extracts={
            "project_id": r"^CDC-([0-9]+)$",
            "project_type": r"""'description': (?:'|")(.*?)(?:'|")[,}]""",
            "country": r"""'country': (?:'|")(.*?)(?:'|")[,}]""",
        },
        markers=("evaluation_criteria", "credits_type"),
    ),
)
