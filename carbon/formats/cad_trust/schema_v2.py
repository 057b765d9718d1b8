"""CAD Trust version 2: tables, columns and vocabularies, with the Article 6 tables T1 to T5.

Knows the data below and nothing else. Source: github.com/Chia-Network/cadt, src/models/v2/*.modeltypes.cjs (read in the
spelling of the API, camelCase), src/validations/v2/*.validations.js, tests/v2/live-api/data/generate-sample-xlsx.js
(sheets) and src/models/governance/governance-v2-real-picklists.js (vocabularies); columns H, vocabularies M.
"""

from carbon.formats.cad_trust.schema import BlockColumns, Parent, Schema, Table

__all__ = ["SCHEMA_V2"]

_STAMPS = ("orgUid", "createdAt", "updatedAt")
_OF_PROJECT = Parent("cadTrustProjectId", "projects", required=True)
_AEF_PARENTS = (
    Parent("cadTrustAefT1SubmissionId", "aefT1Submissions", required=False),
    Parent("cadTrustUnitId", "units", required=False),
    Parent("cadTrustProjectId", "projects", required=False),
)
_AEF_KEYS = tuple(parent.column for parent in _AEF_PARENTS)
_T2_PARENT = Parent("cadTrustAefT2AuthorizationsId", "aefT2Authorizations", required=False)


def _table(name: str, key: str, columns: str, *parents: Parent) -> Table:
    """A table from its own columns (one text, blanks between), its key in front and its parents behind them."""
    keys = tuple(parent.column for parent in parents)
    return Table(name, key, (key, *columns.split(), *keys, *_STAMPS), parents)


def _aef(number: str, columns: str) -> tuple[str, ...]:
    return tuple(f"aef{number}{column}" for column in columns.split())


_MAIN = (
    _table(
        "programs",
        "cadTrustProgramId",
        "programName programRegistry programRegistryProgramId programRegistryActivityId programDescription",
    ),
    _table(
        "projects",
        "cadTrustProjectId",
        "projectRegistryName projectId projectCreditingProgram projectName projectLink projectDescription projectSector"
        " projectType projectSubtype projectStatus projectStatusDate projectUnitMetric cadTrustReferenceProjectId",
        Parent("cadTrustProgramId", "programs", required=False),
    ),
    _table(
        "locations",
        "cadTrustLocationId",
        "locationCountry locationRegion locationGis locationMapType locationMapFileLink",
        _OF_PROJECT,
    ),
    _table(
        "estimations",
        "cadTrustEstimationId",
        "estimationStartDate estimationEndDate estimationUnitCount estimationReferenceNo",
        _OF_PROJECT,
    ),
    _table("ratings", "cadTrustRatingId", "ratingType ratingName ratingValue ratingLink", _OF_PROJECT),
    _table("coBenefits", "cadTrustCoBenefitId", "coBenefitId", _OF_PROJECT),
    _table(
        "validations",
        "cadTrustValidationId",
        "validationId validationType validationBody validationDate validationCreditPeriodStartDate"
        " validationCreditPeriodEndDate",
        _OF_PROJECT,
    ),
    _table(
        "verifications",
        "cadTrustVerificationId",
        "verificationId verificationStartDate verificationEndDate verificationBody",
        _OF_PROJECT,
        Parent("cadTrustValidationId", "validations", required=False),
    ),
    _table(
        "methodologies",
        "cadTrustMethodologyId",
        "methodologyCode methodologyName methodologyVersion methodologyDate methodologyLink methodologyType",
    ),
    _table(
        "projectMethodologies",
        "cadTrustProjectMethodologyId",
        "projectMethodologyDate projectMethodologyDescription",
        _OF_PROJECT,
        Parent("cadTrustMethodologyId", "methodologies", required=True),
    ),
    _table("stakeholders", "cadTrustStakeholderId", "stakeholderName stakeholderType stakeholderLink"),
    _table(
        "stakeholderProjects",
        "cadTrustStakeholderProjectId",
        "",
        _OF_PROJECT,
        Parent("cadTrustStakeholderId", "stakeholders", required=True),
    ),
    _table(
        "issuances",
        "cadTrustIssuanceId",
        "issuanceId issuanceDate",
        Parent("cadTrustVerificationId", "verifications", required=True),
        Parent("cadTrustMethodologyId", "methodologies", required=True),
        Parent("cadTrustLocationId", "locations", required=False),
    ),
    _table(
        "units",
        "cadTrustUnitId",
        "unitSerialId unitStartBlock unitEndBlock unitCount unitType unitVintageYear unitStatus unitStatusReason"
        " unitStatusDate unitRetirementDetail unitRetirementBeneficiary unitRetirementBeneficiaryId unitLink unitMetric"
        " unitCurrentOwner unitItmosReferenceId marketplace marketplaceLink marketplaceIdentifier",
        Parent("cadTrustIssuanceId", "issuances", required=True),
    ),
    _table("labels", "cadTrustLabelId", "labelName labelType labelLink labelDate"),
    _table(
        "unitLabels",
        "cadTrustUnitLabelId",
        "labelUnitDate labelUnitDescription",
        Parent("cadTrustLabelId", "labels", required=True),
        Parent("cadTrustUnitId", "units", required=True),
    ),
)

# "Coopoerative" and "Authozied" are their spelling, which older exports carry; both spellings are known.
_BLOCK_OF_ACTION = (
    "CooperativeApproachId CoopoerativeApproachId AuthorizationId FirstTransferringPartyId PartyItmoRegistryId"
    " ItmoFirstId ItmoLastId UnitRegistryId UnitFirstId UnitLastId Metric GwpValue ApplicableNonGhgMetric QuantityTCo2"
    " QuantityNonGhg MitigationType VintageYear"
)

_AEF = (
    Table(
        "aefT1Submissions",
        "cadTrustAefT1SubmissionId",
        (
            "cadTrustAefT1SubmissionId",
            *_aef(
                "T1Submission",
                "Party Version ReportYear SubmissionDate ReviewStatus ResultCheck NdcFirstYear NdcLastYear"
                " ReferenceReviewReport",
            ),
            *_STAMPS,
        ),
    ),
    Table(
        "aefT2Authorizations",
        "cadTrustAefT2AuthorizationsId",
        (
            "cadTrustAefT2AuthorizationsId",
            *_aef(
                "T2Authorizations",
                "Id Date CooperativeApproachId Version Quantity Metric GwpValue ApplicableNonGhgMetric Sector"
                " ActivityType PurposesForAuthorization AuthorizedPartyId AuthorizedEntityId AuthoziedEntityId"
                " OimpAuthorizedParty AuthorizedTimeframe AuthorizationTerms AuthorizationDocumentation"
                " FirstTransferDefinitionOimp AdditionalInformation",
            ),
            *_AEF_KEYS,
            "cadTrustAefT5AuthorizedEntitiesId",
            *_STAMPS,
        ),
        (*_AEF_PARENTS, Parent("cadTrustAefT5AuthorizedEntitiesId", "aefT5AuthorizedEntities", required=False)),
    ),
    Table(
        "aefT3Actions",
        "cadTrustAefT3ActionsId",
        (
            "cadTrustAefT3ActionsId",
            *_aef(
                "T3Actions",
                f"Date Type Subtype {_BLOCK_OF_ACTION} TransferringPartyId AcquiringPartyId PurposeOfUseOimp"
                " UsingParticipatingPartyId UsingAuthorizedEntityId ItmoUsedYear ConsistencyCheckResult"
                " AdditionalInformation",
            ),
            *_AEF_KEYS,
            _T2_PARENT.column,
            *_STAMPS,
        ),
        (*_AEF_PARENTS, _T2_PARENT),
    ),
    Table(
        "aefT4Holdings",
        "cadTrustAefT4HoldingsId",
        ("cadTrustAefT4HoldingsId", *_aef("T4Holdings", _BLOCK_OF_ACTION), *_AEF_KEYS, _T2_PARENT.column, *_STAMPS),
        (*_AEF_PARENTS, _T2_PARENT),
    ),
    Table(
        "aefT5AuthorizedEntities",
        "cadTrustAefT5AuthorizedEntitiesId",
        (
            "cadTrustAefT5AuthorizedEntitiesId",
            *_aef(
                "T5AuthorizedEntities",
                "AuthorizationDate Name Id CooperativeApproachId IncorporationCountry Conditions ChangeConditions"
                " AdditionalInformation",
            ),
            *_AEF_KEYS,
            *_STAMPS,
        ),
        _AEF_PARENTS,
    ),
)

_METRICS = ("tCO2e", "gCO2eq/kWh", "kt (Kiloton)")
_KINDS = (
    "Avoidance - nature",
    "Avoidance - technical",
    "Reduction - nature",
    "Reduction - technical",
    "Removal - nature",
    "Removal - technical",
    "Not Determined",
)

SCHEMA_V2 = Schema(
    version="v2",
    tables={table.name: table for table in (*_MAIN, *_AEF)},
    nested={"issuance": "issuances", "program": "programs", "methodology": "methodologies"},
    vocabularies={
        ("units", "unitStatus"): (
            "Issued",
            "Held",
            "Retired",
            "Cancelled",
            "Expired",
            "Buffer",
            "Inactive",
            "Rejected",
        ),
        ("units", "unitType"): _KINDS,
        ("units", "unitMetric"): _METRICS,
        ("projects", "projectUnitMetric"): _METRICS,
        ("projects", "projectStatus"): (
            "Listed",
            "Registered",
            "Validated",
            "Verified",
            "Certified",
            "Completed",
            "Withdrawn",
            "Inactive",
            "Rejected",
        ),
        ("methodologies", "methodologyType"): _KINDS,
        ("validations", "validationType"): (
            "Validation of Project Design Document",
            "Validation of Post Registration Change",
            "Validation of Renewal of Credit Period",
        ),
        ("ratings", "ratingType"): ("CDP", "CCQI"),
        ("stakeholders", "stakeholderType"): ("Owner", "Developer", "Consultant"),
        ("labels", "labelType"): (
            "Certification",
            "Article 6 - Endorsement",
            "Article 6 - Letter of Qualification",
            "Article 6 - Authorisation",
            "Article 6 - Letter of Approvals",
        ),
    },
    blocks=BlockColumns(
        start="unitStartBlock",
        end="unitEndBlock",
        count="unitCount",
        serial="unitSerialId",
        issuance="cadTrustIssuanceId",
        vintage="unitVintageYear",
        vintage_from=1900,
        vintage_to=2100,
    ),
    metrics=(("units", "unitMetric"), ("projects", "projectUnitMetric")),
)
