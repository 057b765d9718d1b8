"""CAD Trust version 1: tables, columns and vocabularies.

Knows the data below and nothing else. Source: github.com/Chia-Network/cadt, src/models/*/*.modeltypes.cjs and
src/validations/*.validations.js (columns), docs/cadt_rpc_api.md (vocabularies), read at several commits; columns H,
vocabularies M (the governance body can change them).
"""

from carbon.formats.cad_trust.schema import BlockColumns, Parent, Schema, Table

__all__ = ["SCHEMA_V1"]

_STAMPS = ("orgUid", "timeStaged", "createdAt", "updatedAt")
_OF_PROJECT = (Parent("warehouseProjectId", "projects", required=True),)


def _child(name: str, *columns: str) -> Table:
    return Table(name, "id", ("id", "warehouseProjectId", *columns, *_STAMPS), _OF_PROJECT)


_PROJECTS = Table(
    "projects",
    "warehouseProjectId",
    (
        "warehouseProjectId",
        "currentRegistry",
        "projectId",
        "originProjectId",
        "registryOfOrigin",
        "program",
        "projectName",
        "projectLink",
        "projectDeveloper",
        "sector",
        "projectType",
        "projectTags",
        "coveredByNDC",
        "ndcInformation",
        "projectStatus",
        "projectStatusDate",
        "unitMetric",
        "methodology",
        "methodology2",
        "validationBody",
        "validationDate",
        "description",
        *_STAMPS,
    ),
)

_UNITS = Table(
    "units",
    "warehouseUnitId",
    (
        "warehouseUnitId",
        "issuanceId",
        "projectLocationId",
        "unitOwner",
        "countryJurisdictionOfOwner",
        "inCountryJurisdictionOfOwner",
        "serialNumberBlock",
        "serialNumberPattern",
        "unitBlockStart",
        "unitBlockEnd",
        "unitCount",
        "vintageYear",
        "unitType",
        "marketplace",
        "marketplaceLink",
        "marketplaceIdentifier",
        "unitTags",
        "unitStatus",
        "unitStatusReason",
        "unitRegistryLink",
        "correspondingAdjustmentDeclaration",
        "correspondingAdjustmentStatus",
        *_STAMPS,
    ),
    # The programme fills both in itself, so a file may leave them empty.
    (Parent("issuanceId", "issuances", required=False), Parent("projectLocationId", "projectLocations", False)),
)

_ALL = (
    _PROJECTS,
    _child("projectLocations", "country", "inCountryRegion", "geographicIdentifier"),
    _child(
        "labels",
        "label",
        "labelType",
        "creditingPeriodStartDate",
        "creditingPeriodEndDate",
        "validityPeriodStartDate",
        "validityPeriodEndDate",
        "unitQuantity",
        "labelLink",
    ),
    _child(
        "issuances",
        "startDate",
        "endDate",
        "verificationApproach",
        "verificationReportDate",
        "verificationBody",
    ),
    _child("coBenefits", "cobenefit"),
    _child("relatedProjects", "relatedProjectId", "relationshipType", "registry"),
    _child("projectRatings", "ratingType", "ratingRangeHighest", "ratingRangeLowest", "rating", "ratingLink"),
    _child("estimations", "creditingPeriodStart", "creditingPeriodEnd", "unitCount"),
    _UNITS,
    Table(
        "labelUnits",
        None,
        ("id", "warehouseUnitId", "labelId", *_STAMPS),
        (Parent("warehouseUnitId", "units", required=True), Parent("labelId", "labels", required=True)),
    ),
)

SCHEMA_V1 = Schema(
    version="v1",
    tables={table.name: table for table in _ALL},
    nested={"issuance": "issuances", "locations": "projectLocations", "ratings": "projectRatings"},
    vocabularies={
        ("units", "unitStatus"): (
            "Held",
            "Retired",
            "Cancelled",
            "Expired",
            "Inactive",
            "Buffer",
            "Exported",
            "Rejected",
            "Pending Export",
        ),
        ("units", "unitType"): (
            "Avoidance",
            "Reduction - nature",
            "Reduction - technical",
            "Removal - nature",
            "Removal - technical",
            "Not Determined",
        ),
        ("units", "correspondingAdjustmentDeclaration"): ("Committed", "Not Required", "Unknown"),
        ("units", "correspondingAdjustmentStatus"): ("Not Applicable", "Not Started", "Pending", "Completed"),
        ("projects", "unitMetric"): ("tCO2e",),
        ("projectRatings", "ratingType"): ("CDP", "CCQI"),
        ("labels", "labelType"): ("Endorsement", "Letter of Qualification", "Certification"),
    },
    blocks=BlockColumns(
        start="unitBlockStart",
        end="unitBlockEnd",
        count="unitCount",
        serial="serialNumberBlock",
        issuance="issuanceId",
        vintage="vintageYear",
        vintage_from=1900,
        vintage_to=3000,
    ),
    metrics=(("projects", "unitMetric"),),
)
