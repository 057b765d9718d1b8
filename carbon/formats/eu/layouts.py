"""The tables of the euets.info release: their columns, keys and references, exactly as the release names them.

Knows names and types. Must not know how a file is opened or a cell is typed.
"""

from collections.abc import Mapping
from typing import Literal

__all__ = ["DROPPED", "FOREIGN_KEYS", "KEYS", "LAYOUTS", "TABLE_NAMES", "ColumnType"]

ColumnType = Literal["whole", "real", "text", "flag", "moment"]

# Written by the publisher's own database at load time; they say nothing about the register.
DROPPED = ("created_on", "updated_on")


def _columns(groups: dict[str, str]) -> dict[str, ColumnType]:
    """Columns of one table in the order of the release; each group is one run of names of one type."""
    columns: dict[str, ColumnType] = {}
    for label, names in groups.items():
        kind = label.split("_")[0]
        for name in names.split():
            columns[name] = kind  # type: ignore[assignment]
    return columns


_CODES = _columns(
    {
        "text": "id description",
    }
)
_NUMBERED = _columns(
    {
        "whole": "id",
        "text": "description",
    }
)

LAYOUTS: Mapping[str, Mapping[str, ColumnType]] = {
    "account": _columns(
        {
            "whole_1": "id",
            "text_1": "tradingSystem_id",
            "whole_2": "accountIDEutl",
            "text_2": "accountIDTransactions accountIDESD",
            "whole_3": "yearValid",
            "text_3": "name registry_id",
            "whole_4": "accountHolder_id",
            "text_4": "accountType_id",
            "flag_1": "isOpen",
            "moment": "openingDate closingDate",
            "text_5": "commitmentPeriod companyRegistrationNumber companyRegistrationNumberType",
            "flag_2": "isRegisteredEutl",
            "text_6": "installation_id bvdId",
        }
    ),
    "account_holder": _columns(
        {
            "whole": "id",
            "text": "name tradingSystem_id addressMain addressSecondary postalCode city telephone1 telephone2 eMail "
            "legalEntityIdentifier country_id",
        }
    ),
    "installation": _columns(
        {
            "text_1": "id name tradingSystem_id registry_id",
            "whole_1": "activity_id",
            "text_2": "eprtrID parentCompany subsidiaryCompany permitID designatorICAO monitoringID monitoringExpiry "
            "monitoringFirstYear",
            "moment_1": "permitDateExpiry",
            "flag_1": "isAircraftOperator",
            "text_3": "ec748_2009Code",
            "moment_2": "permitDateEntry",
            "text_4": "addressMain addressSecondary postalCode city country_id",
            "real": "latitudeEutl longitudeEutl latitudeGoogle longitudeGoogle",
            "text_5": "nace15_id nace20_id nace_id",
            "whole_2": "euEntitlement chEntitlement",
            "flag_2": "isMaritimeOperator",
            "text_6": "shippingCompany imoID region",
        }
    ),
    "compliance": _columns(
        {
            "text_1": "installation_id",
            "whole_1": "year",
            "text_2": "reportedInSystem_id euetsPhase compliance_id",
            "whole_2": "allocatedFree allocatedNewEntrance allocatedTotal allocated10c verified verifiedCummulative",
            "flag": "verifiedUpdated",
            "whole_3": "surrendered surrenderedCummulative balance penalty",
        }
    ),
    "surrender": _columns(
        {
            "whole_1": "id",
            "text_1": "installation_id reportedInSystem_id",
            "whole_2": "year",
            "text_2": "unitType_id",
            "whole_3": "amount",
            "text_3": "originatingRegistry_id",
            "whole_4": "project_id",
        }
    ),
    "transaction": _columns(
        {
            "whole_1": "id",
            "text_1": "transactionID tradingSystem_id",
            "moment": "date",
            "whole_2": "acquiringYear transferringYear transactionTypeMain_id transactionTypeSupplementary_id "
            "transferringAccount_id acquiringAccount_id",
            "text_2": "unitType_id",
            "whole_3": "project_id amount",
        }
    ),
    "project": _columns(
        {
            "whole": "id track",
            "text": "country_id",
        }
    ),
    "account_type": _CODES,
    "activity_type": _NUMBERED,
    "compliance_code": _CODES,
    "country_code": _CODES,
    "nace_code": _columns(
        {
            "text_1": "id parent_id",
            "whole": "level",
            "text_2": "description includes includesAlso ruling excludes isic4_id",
        }
    ),
    "trading_system_code": _CODES,
    "transaction_type_main": _NUMBERED,
    "transaction_type_supplementary": _NUMBERED,
    "unit_type": _CODES,
}

TABLE_NAMES = tuple(LAYOUTS)

KEYS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(TABLE_NAMES, ("id",)),
    "compliance": ("installation_id", "year", "reportedInSystem_id"),
}

FOREIGN_KEYS: tuple[tuple[str, str, str], ...] = (
    ("account", "tradingSystem_id", "trading_system_code"),
    ("account", "registry_id", "country_code"),
    ("account", "accountHolder_id", "account_holder"),
    ("account", "accountType_id", "account_type"),
    ("account", "installation_id", "installation"),
    ("account_holder", "tradingSystem_id", "trading_system_code"),
    ("account_holder", "country_id", "country_code"),
    ("installation", "tradingSystem_id", "trading_system_code"),
    ("installation", "registry_id", "country_code"),
    ("installation", "activity_id", "activity_type"),
    ("installation", "country_id", "country_code"),
    ("installation", "nace_id", "nace_code"),
    ("compliance", "installation_id", "installation"),
    ("compliance", "reportedInSystem_id", "trading_system_code"),
    ("compliance", "compliance_id", "compliance_code"),
    ("surrender", "installation_id", "installation"),
    ("surrender", "reportedInSystem_id", "trading_system_code"),
    ("surrender", "unitType_id", "unit_type"),
    ("surrender", "originatingRegistry_id", "country_code"),
    ("surrender", "project_id", "project"),
    ("transaction", "tradingSystem_id", "trading_system_code"),
    ("transaction", "transactionTypeMain_id", "transaction_type_main"),
    ("transaction", "transactionTypeSupplementary_id", "transaction_type_supplementary"),
    ("transaction", "transferringAccount_id", "account"),
    ("transaction", "acquiringAccount_id", "account"),
    ("transaction", "unitType_id", "unit_type"),
    ("transaction", "project_id", "project"),
    ("project", "country_id", "country_code"),
    ("nace_code", "parent_id", "nace_code"),
)
