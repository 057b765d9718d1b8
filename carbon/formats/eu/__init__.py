"""The files of the European and the British registers: euets.info, the Commission's files, EUTL rows, UK allocations.

Knows who publishes what and how it is printed. Must not know the ledger or the database.
"""

from carbon.formats.eu.ec_transactions import EcTransactions, ec_movements, read_ec_transactions
from carbon.formats.eu.euets_tables import EuetsTables, block_multiplicity, read_euets, write_euets
from carbon.formats.eu.eutl_rows import EutlRows, read_eutl_compliance, read_eutl_installations
from carbon.formats.eu.movements import euets_movements, movements_of, transaction_types
from carbon.formats.eu.operator_workbook import OperatorYears, read_operator_workbook
from carbon.formats.eu.uk_allocations import UkAllocations, read_uk_allocations

__all__ = [
    "EcTransactions",
    "EuetsTables",
    "EutlRows",
    "OperatorYears",
    "UkAllocations",
    "block_multiplicity",
    "ec_movements",
    "euets_movements",
    "movements_of",
    "read_ec_transactions",
    "read_euets",
    "read_eutl_compliance",
    "read_eutl_installations",
    "read_operator_workbook",
    "read_uk_allocations",
    "transaction_types",
    "write_euets",
]
