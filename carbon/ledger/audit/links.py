"""The hash chain as findings of the audit (SEAL).

Knows how a break of the chain is worded as a finding. Must not know how it is found (`carbon.ledger.chain`).
"""

from typing import TYPE_CHECKING

from carbon.ledger.audit.findings import found_in
from carbon.ledger.audit.log import Log

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_breaks"]


def find_breaks(log: Log) -> "pl.DataFrame":
    """SEAL: every sealed row is as it was sealed; the first of each segment that is not is named."""
    import polars as pl

    rows = [(row.table, row.id, row.client_id, row.what, row.found, row.expected) for row in log.chain.breaks]
    names = {"table": pl.String, "id": pl.Int64, "client_id": pl.String}
    words = dict.fromkeys(("what", "found", "expected"), pl.String)
    breaks = pl.DataFrame(rows, {**names, **words}, orient="row").join(
        log.transactions.select("client_id", transaction_id="id").unique("client_id"),
        on="client_id",
        how="left",
        maintain_order="left",
    )
    found = pl.format("{}: {}", "what", "found")
    return found_in(breaks, "", found=found, expected=pl.col("expected")).with_columns(breaks["table"])
