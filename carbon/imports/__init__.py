"""Outside registers into the ledger and out again, one module a source.

Knows the names and one-line descriptions of the imports and exports. Must not know any format. The modules are loaded
when they are first used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final

__all__ = ["EXPORTS", "IMPORTS", "Door"]


@dataclass(frozen=True, slots=True)
class Door:
    """One way in or out.

    module, verb : where it is; settings : arguments by name that belong to this name
    zh, en : one line on what it takes or gives

    An import is called `load()(connection, act, path, progress=...)` and gives an ImportReport; an export
    `load()(connection, path)`.
    """

    module: str
    verb: str
    zh: str
    en: str
    settings: tuple[tuple[str, Any], ...] = ()

    def load(self) -> Callable[..., Any]:
        """The verb itself, with the settings of this name."""
        return partial(getattr(import_module(f"carbon.imports.{self.module}"), self.verb), **dict(self.settings))


IMPORTS: Final[dict[str, Door]] = {
    "euets": Door(
        "euets",
        "import_euets",
        "euets.info 发布的表（zip、文件夹或单个交易表）：交易入账，其余各表原样保存",
        "tables of euets.info (zip, folder or one table): transactions are booked, all tables are kept whole",
    ),
    "eutl-compliance": Door(
        "compliance",
        "import_compliance",
        "欧盟交易日志的履约行（Parquet）",
        "compliance rows of the EU transaction log (Parquet)",
        (("scheme", "EU"),),
    ),
    "uk-allocations": Door(
        "compliance",
        "import_compliance",
        "英国碳市场的配额分配表（XLSX）",
        "allocation table of the UK ETS (XLSX)",
        (("scheme", "UK"),),
    ),
    "offsets": Door(
        "offsets",
        "import_offsets",
        "抵消登记机构的原始导出（CSV、文件夹或 zip），按序列号入账",
        "raw exports of offset registers (CSV, folder or zip), booked by serial number",
    ),
    "offsetsdb": Door(
        "offsetsdb",
        "import_offsetsdb",
        "OffsetsDB 的 credits 与 projects（CSV 或 Parquet）",
        "credits and projects of OffsetsDB (CSV or Parquet)",
    ),
    "cad-trust": Door(
        "cad_trust",
        "import_cad_trust",
        "本登记簿写出的 CAD Trust 单位（XLSX、zip 或 JSON）",
        "CAD Trust units that a ledger of ours wrote (XLSX, zip or JSON)",
    ),
}
"""Name of a format -> how it is imported."""

EXPORTS: Final[dict[str, Door]] = {
    "euets": Door(
        "euets",
        "export_euets",
        "把导入的 euets.info 表逐值写回",
        "an imported release of euets.info, given back value by value",
    ),
    "euets-ledger": Door(
        "euets_ledger",
        "export_ledger_euets",
        "以 euets.info 的格式写出本登记簿的交易",
        "the transactions of this ledger in the layout of euets.info",
    ),
    "cad-trust": Door(
        "cad_trust",
        "export_cad_trust",
        "以 CAD Trust 第 2 版写出全部号段",
        "all blocks of this ledger as units of CAD Trust, version 2",
    ),
    "cad-trust-v1": Door(
        "cad_trust",
        "export_cad_trust",
        "以 CAD Trust 第 1 版写出全部号段（列出无处可放的内容）",
        "all blocks of this ledger as units of CAD Trust, version 1 (lists what has no place there)",
        (("version", 1),),
    ),
}
"""Name of a format -> how it is exported."""
