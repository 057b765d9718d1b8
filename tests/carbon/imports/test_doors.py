"""The names under which files come in and go out."""

import inspect

import polars as pl
import pytest
from sqlalchemy import text

from carbon.imports import EXPORTS, IMPORTS
from carbon.imports.report import ImportReport, Source, no_openings, report_rows
from carbon.imports.rows import KeptTableDiffers, pack_tables, read_kept, write_kept
from carbon.ledger.book import Act


@pytest.mark.parametrize("name", IMPORTS)
def test_every_import_takes_a_connection_an_act_and_a_path(name):
    door = IMPORTS[name]
    left = list(inspect.signature(door.load()).parameters)
    assert left[:3] == ["connection", "act", "path"]
    assert "progress" in left
    assert door.zh
    assert door.en


@pytest.mark.parametrize("name", EXPORTS)
def test_every_export_takes_a_connection_and_a_path(name):
    assert list(inspect.signature(EXPORTS[name].load()).parameters)[:2] == ["connection", "path"]
    assert EXPORTS[name].zh


def test_a_report_is_a_table_of_figures():
    report = ImportReport(Source("f", "file", "0" * 64, Act("a", 1, "t")), 3, 2, 1, 0, no_openings(), sums={"x, t": 7})
    rows = dict(report_rows(report).iter_rows())
    assert (rows["rows read"], rows["rows booked"], rows["rows set apart"], rows["x, t"], rows["errors"]) == (
        3, 2, 1, 7, 0,
    )  # fmt: skip


def test_a_kept_table_comes_back_whole_in_parts_and_a_changed_one_is_refused(ledger, look, monkeypatch):
    frame = pl.DataFrame({"a": [1, None, 3, 4, 5], "b": ["x", "", None, "中文", "\n"]})
    monkeypatch.setattr("carbon.imports.rows._ROWS_OF_A_PART", 2)
    parts = pack_tables({"one": frame, "none": frame.clear()})
    assert sorted(parts) == [("none", 0), ("one", 0), ("one", 1), ("one", 2)]
    with ledger.begin() as connection:
        id = look(ledger, "SELECT min(id) FROM registry_transaction")[0][0]
        write_kept(connection, parts, id)
    with ledger.connect() as connection:
        assert read_kept(connection, id, "one").equals(frame)
        assert read_kept(connection, id, "none").equals(frame.clear())
        assert read_kept(connection, id, "other") is None
    with ledger.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER registry_kept_table_fixed")
        else:
            connection.exec_driver_sql("ALTER TABLE registry_kept_table DISABLE TRIGGER USER")
        connection.execute(
            text("UPDATE registry_kept_table SET content = :new WHERE part = 1"), {"new": parts["one", 0][1]}
        )
    with ledger.connect() as connection, pytest.raises(KeptTableDiffers, match="part 1 of one"):
        read_kept(connection, id, "one")
