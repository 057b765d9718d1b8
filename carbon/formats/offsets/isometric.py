"""Isometric: its headings and what its rows mean. Must not know how cells are read.

Amounts are credits of one tonne with three decimals and, beside them, whole kilograms: the kilograms are read. A
credit batch is the supplier's part and the buffer pool's part.
Source: registry.isometric.com interface, tables kept by carbonplan/offsets-db-data (April 2026). Confidence H.
"""

from carbon.formats.offsets.layouts import EventRule, RegisterFile

__all__ = ["FILES"]

_REGISTER = "isometric"

FILES = (
    RegisterFile(
        register=_REGISTER,
        kind="issuances",
        days="iso",
        prefix="ISO",
        unit="kg",
        headings={"project_id": "project_id", "account": "supplier.organisation.name", "source_id": "id"},
        extracts={"project_id": r"^prj_(.+)$"},
        total="credit_batch_size_total.credit_kgs",
        rules=(
            EventRule(
                event="issuance",
                quantity="supplier_credit_batch_size_total.credit_kgs",
                day="issued_at",
                raw_event="supplier credit batch",
            ),
            EventRule(
                event="issuance",
                quantity="buffer_pool_credit_batch_size_total.credit_kgs",
                day="issued_at",
                raw_event="buffer pool credit batch",
                is_buffer=True,
                is_main=False,
            ),
        ),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="retirements",
        days="iso",
        prefix="ISO",
        unit="kg",
        headings={
            "project_id": "project_id",
            "vintage": "sequestered_on",
            "account": "owner.name",
            "beneficiary": "beneficiary.name",
            "reason": "purposes",
            "note": "notes",
            "source_id": "retirement_id",
        },
        extracts={"project_id": r"^prj_(.+)$"},
        rules=(
            EventRule(
                event="retirement",
                quantity="credit_batch_size_total.credit_kgs",
                day="retired_at",
                raw_event="retirement",
            ),
        ),
    ),
    RegisterFile(
        register=_REGISTER,
        kind="projects",
        days="iso",
        prefix="ISO",
        headings={
            "project_id": "id",
            "name": "name",
            "proponent": "supplier.organisation.name",
            "protocol": "protocol_slug",
            "project_type": "pathway",
            "status": "status",
            "country": "country_code",
            "url": "url",
        },
        extracts={"project_id": r"^prj_(.+)$"},
        markers=("process_key",),
    ),
)
