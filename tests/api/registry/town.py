"""A small town for the commands: two power plants, one year, a little money; and the words that do each verb there."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from carbon.ledger.verbs import Movement

Run = Callable[..., tuple[int, str, str]]
Words = tuple[str, ...]

DAY_US = 86_400_000_000
START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
FAR_US = 4_102_444_800_000_000  # 2100-01-01T00:00:00Z
SWAP = [Movement("A-1", "B-1", "CEA24", 100), Movement("B-1", "A-1", "CNY", 5000)]
OPERATOR = {"scheme": "CN", "type": "operator", "primary": "Jia", "secondary": "Yi"}
TOWN: list[tuple[str, dict[str, Any]]] = [
    ("register_entity", {"name": "甲电厂", "code": "A", "sector": "power", "contact": "K", "hub": "wuhan"}),
    ("register_entity", {"name": "乙电厂", "code": "B", "sector": "power", "contact": "K"}),
    ("open_account", {"code": "A-1", "entity": "A", **OPERATOR}),
    ("open_account", {"code": "B-1", "entity": "B", **OPERATOR}),
    ("issue", {"scheme": "CN", "instrument": "CEA24", "quantity": 10_000}),
    ("issue", {"scheme": "CN", "instrument": "CEA23", "quantity": 500, "target": "A-1"}),
    ("open_account", {"code": "C-1", "scheme": "CCER", "type": "external"}),
    ("issue", {"scheme": "CCER", "instrument": "CCER", "quantity": 500, "target": "C-1"}),
    ("transfer", {"source": "C-1", "target": "A-1", "instrument": "CCER", "quantity": 500, "kind": "external"}),
    (
        "pre_allocate",
        {"scheme": "CN", "account": "A-1", "instrument": "CEA24", "quantity": 600, "compliance_year": 2024},
    ),
    ("deposit", {"scheme": "CN", "account": "B-1", "instrument": "CNY", "quantity": 10_000}),
    ("report_verified", {"account": "A-1", "compliance_year": 2024, "quantity_t": 400}),
    ("reserve", {"movements": SWAP, "expires_at_us": FAR_US}),
]
"""The town's acts in order; each has the id town-<number> from 0."""
RESERVATION = f"town-{len(TOWN) - 1}"

CN = ("--scheme", "CN")
A1 = ("--account", "A-1")
CEA24 = ("--instrument", "CEA24")
Y2024 = ("--year", "2024")
MOVE = ("--from", "A-1", "--to", "B-1", *CEA24, "--quantity", "10")
PERSONS = ("--primary", "Jia", "--secondary", "Yi")
V2026 = ("--vintage-from", "2026", "--vintage-to", "2026")
MAY = ("--at", "2026-05-01T09:00:00+08:00")
# Every verb and `expire`: its command, and words that do it in the town.
COMMANDS: dict[str, Words] = {
    "register_entity": ("register-entity", "--name", "丙电厂", "--uscc", "91110000600037341L"),
    "open_account": ("open-account", "--code", "A-2", *CN, "--type", "trading", "--entity", "A", *PERSONS),
    "appoint": ("appoint", *A1, "--role", "primary", "--name", "Bing"),
    "close_account": ("close-account", "--account", "EU:carried_over"),
    "block_account": ("block", *A1, "--reason", "late"),
    "unblock_account": ("unblock", *A1),
    "open_scheme": ("open-scheme", "--scheme", "UK"),
    "close_scheme": ("close-scheme", "--scheme", "UK"),
    "add_instrument": ("add-instrument", "--code", "CEA26", *CN, "--kind", "allowance", "--serialised", *V2026),
    "issue": ("issue", *CN, *CEA24, "--quantity", "5"),
    "opening": ("opening", *CN, *CEA24, "--quantity", "5", "--to", "B-1"),
    "pre_allocate": ("pre-allocate", *CN, *A1, *CEA24, "--quantity", "5", *Y2024),
    "transfer": ("transfer", *MOVE),
    "transfer_linked": ("transfer-linked", "--movement", "A-1,B-1,CEA24,10", "--movement", "B-1,A-1,CNY,20"),
    "cancel": ("cancel", *CN, *A1, *CEA24, "--quantity", "5", "--reason", "gift"),
    "deposit": ("deposit", *CN, *A1, "--instrument", "CNY", "--quantity", "5"),
    "withdraw": ("withdraw", *CN, "--account", "B-1", "--instrument", "CNY", "--quantity", "5"),
    "reverse": ("reverse", "--original", "town-5", "--reason", "mistake"),
    "reserve": ("reserve", "--until", "2100-01-01T00:00:00Z", "--movement", "A-1,B-1,CEA24,10"),
    "settle": ("settle", "--reservation", RESERVATION, "--quantity", "50", "--quantity", "2500"),
    "void": ("void", "--reservation", RESERVATION),
    "report_verified": ("report-verified", *A1, *Y2024, "--tonnes", "410", "--source", "verifier"),
    "finalise_allocation": ("finalise", *CN, *A1, *CEA24, *Y2024, "--tonnes", "610"),
    "surrender": ("surrender", *CN, *A1, *CEA24, "--quantity", "100", *Y2024),
    "use_offsets": ("use-offsets", *CN, *A1, "--instrument", "CCER", "--quantity", "20", *Y2024),
    "carry_over": ("carry-over", *CN, *A1, "--instrument", "CEA23", "--into", "CEA25", "--quantity", "5", *MAY),
    "expire": ("expire", "--at", "2100-01-02T00:00:00Z"),
}


def rows(run: Run, *words: str) -> list[dict[str, Any]]:
    """The rows of a reading command, as JSON."""
    code, out, err = run("registry", *words, "--format", "json")
    assert code == 0, err
    found: list[dict[str, Any]] = json.loads(out)
    return found


def state(home: Path) -> tuple[str, ...]:
    """Everything in the database that acts can change."""
    (database,) = home.glob("*.sqlite")
    connection = sqlite3.connect(database)
    lines = tuple(line for line in connection.iterdump() if line.startswith('INSERT INTO "registry_'))
    connection.close()
    return lines
