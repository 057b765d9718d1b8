"""Reading and checking CAD Trust tables: their own samples, and each rule broken once."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from carbon.errors import FileTooLarge, UnknownFormat, UnreadableFile
from carbon.formats.cad_trust import CadTrustTables, make_tables, read_cad_trust
from carbon.formats.cad_trust.reading import SCHEMAS

# The programme's own test record (tests/test-data/new-unit.js), whose count is wrong: 1000 to 1010 are 11 units.
NEW_UNIT = {
    "unitOwner": "f1c54511-865e-4611-976c-7c3c1f704662",
    "countryJurisdictionOfOwner": "Netherlands",
    "inCountryJurisdictionOfOwner": "California",
    "unitBlockStart": "AXJJFSLGHSHEJ1000",
    "unitBlockEnd": "AXJJFSLGHSHEJ1010",
    "unitCount": 10,
    "vintageYear": 2016,
    "unitType": "Removal - nature",
    "marketplace": "California Carbon",
    "unitTags": "CC&S, Sequestration, carbon bury",
    "unitStatus": "Held",
    "unitStatusReason": "N/A",
    "correspondingAdjustmentDeclaration": "Committed",
    "correspondingAdjustmentStatus": "Not Started",
    "labels": [
        {
            "warehouseProjectId": "11954678-f7a5-47d2-94f8-f4f3138a529c",
            "label": "Green-e® Climate COC certification",
            "labelType": "Certification",
            "unitQuantity": 7,
        }
    ],
    "issuance": {
        "warehouseProjectId": "11954678-f7a5-47d2-94f8-f4f3138a529c",
        "startDate": "2014-01-01T00:05:45.701Z",
        "verificationBody": "Carbon Mapper",
    },
}

# Units of generate-sample-xlsx.js: two blocks start at 1, under different serials.
SAMPLE_UNITS = pl.DataFrame(
    [
        ["NEW-1", "SAMPLE-UNIT1-BLK-1000-5000", "1000", "5000", "4001", "2024", "Issued"],
        ["NEW-2", "SAMPLE-UNIT2-BLK-5001-7000", "5001", "7000", "2000", "2024", "Retired"],
        ["NEW-3", "SAMPLE-UNIT3-BLK-1-2500", "1", "2500", "2500", "2024", "Buffer"],
        ["NEW-4", "SAMPLE-UNIT4-BLK-1-10000", "1", "10000", "10000", "2025", "Held"],
    ],
    schema=[
        "cadTrustUnitId",
        "unitSerialId",
        "unitStartBlock",
        "unitEndBlock",
        "unitCount",
        "unitVintageYear",
        "unitStatus",
    ],
    orient="row",
).with_columns(
    pl.lit("Removal - nature").alias("unitType"),
    pl.lit("tCO2e").alias("unitMetric"),
    pl.lit("{{ISSUANCE_ID}}").alias("cadTrustIssuanceId"),
)


def codes(tables: CadTrustTables, severity: str = "error") -> list[tuple[str, int | None, str | None]]:
    return [(p.code, p.row, p.column) for p in tables.problems if p.severity == severity]


def units(**changes: list[str | None]) -> CadTrustTables:
    return make_tables(
        {"units": SAMPLE_UNITS.with_columns(pl.Series(k, v, dtype=pl.String) for k, v in changes.items())}, "v2"
    )


def test_their_fixture_breaks_the_count(tmp_path: Path) -> None:
    path = tmp_path / "new-unit.json"
    path.write_text(json.dumps([NEW_UNIT]), encoding="utf-8")
    tables = read_cad_trust(path)
    assert tables.version == "v1"
    assert tables.apart["units"]["unitCount"].to_list() == ["10"]
    assert tables.tables["units"].is_empty()
    (problem,) = [p for p in tables.problems if p.code == "c26_count"]
    # 1010 - 1000 + 1 = 11.
    assert problem.found == "10 for AXJJFSLGHSHEJ1000 to AXJJFSLGHSHEJ1010"
    assert problem.expected.startswith("11,")
    assert problem.where == "new-unit.json, units, row 1, column unitCount"


def test_their_fixture_with_the_right_count_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "new-unit.json"
    path.write_text(json.dumps({**NEW_UNIT, "unitCount": 11}), encoding="utf-8")
    tables = read_cad_trust(path)
    assert codes(tables) == []
    assert tables.tables["units"]["unitCount"].to_list() == ["11"]
    assert tables.tables["labels"]["label"].to_list() == ["Green-e® Climate COC certification"]
    assert tables.tables["issuances"]["verificationBody"].to_list() == ["Carbon Mapper"]


def test_their_sample_passes_with_its_placeholders_named() -> None:
    tables = units()
    assert codes(tables) == []
    assert codes(tables, "warning") == [("parent_not_in_file", None, "cadTrustIssuanceId")]
    assert tables.tables["units"].height == 4


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"unitCount": ["4000", "2000", "2500", "10000"]}, [("c26_count", 2, "unitCount")]),
        ({"unitCount": ["4001.0", "2000.5", "0", None]}, [("c16_count", row, "unitCount") for row in (3, 4, 5)]),
        (
            {"unitStatus": ["Issued", "retired", "Frozen", None]},
            [("c42_unknown_value", r, "unitStatus") for r in (3, 4)],
        ),
        ({"unitType": ["Avoidance", None, None, None]}, [("c42_unknown_value", 2, "unitType")]),
        ({"unitMetric": ["tons", None, None, None]}, [("c42_unknown_value", 2, "unitMetric")]),
        (
            {"unitVintageYear": ["1899", "1900", "2100", "2101"]},
            [("c30_vintage", 2, "unitVintageYear"), ("c30_vintage", 5, "unitVintageYear")],
        ),
        ({"unitVintageYear": [None, "24", "2024.0", "2024"]}, [("c30_vintage", r, "unitVintageYear") for r in (2, 3)]),
        (
            {"cadTrustUnitId": ["A", "B", "A", None]},
            [("c14_key_repeated", 2, "cadTrustUnitId"), ("c14_key_repeated", 4, "cadTrustUnitId")],
        ),
        (
            {"cadTrustIssuanceId": ["x", "x", None, "x"]},
            [("c08_parent_missing", 4, "cadTrustIssuanceId")],
        ),
        ({"unitStartBlock": ["5001", "5001", "1", "1"]}, [("c26_block", 2, "unitStartBlock")]),
        ({"unitEndBlock": ["X5000", "7000", "2500", "10000"]}, [("c26_block", 2, "unitStartBlock")]),
    ],
)
def test_each_rule_broken_once(changes: dict[str, list[str | None]], expected: list[tuple[str, int, str]]) -> None:
    tables = units(**changes)
    assert codes(tables) == expected
    bad = {row for _, row, _ in expected}
    assert set(tables.apart["units"]["source_row"]) == bad
    assert set(tables.tables["units"]["source_row"]) == {2, 3, 4, 5} - bad


@pytest.mark.parametrize(
    ("first", "last", "bad"),
    [
        (["N1", "N11", "N21", "N31"], ["N10", "N20", "N30", "N40"], []),  # blocks that touch share nothing
        (["N1", "N10", "N21", "N31"], ["N10", "N20", "N30", "N40"], [2, 3]),  # number 10 twice
        (["N1", "N2", "N50", "N61"], ["N60", "N3", "N60", "N70"], [2, 3, 4]),  # one holds two others
        (["N1", "M1", "N11", "M11"], ["N10", "M10", "N20", "M20"], []),  # another stem is another scope
    ],
)
def test_blocks_are_disjoint_within_their_stem(first: list[str], last: list[str], bad: list[int]) -> None:
    counts = [str(int(b[1:]) - int(a[1:]) + 1) for a, b in zip(first, last, strict=True)]
    tables = units(unitStartBlock=list(first), unitEndBlock=list(last), unitCount=list(counts))
    assert codes(tables) == [("c27_overlap", row, "unitStartBlock") for row in bad]


def test_blocks_without_a_stem_overlap_within_one_serial() -> None:
    serials = ["S-1000-5000", "S-5000-7000", "T-1-2500", "T-1-10000"]
    tables = units(
        unitSerialId=list(serials),
        unitStartBlock=["1000", "5000", "1", "1"],
        unitCount=["4001", "2001", "2500", "10000"],
    )
    assert [row for _, row, _ in codes(tables)] == [2, 3, 4, 5]
    assert {code for code, _, _ in codes(tables)} == {"c27_overlap"}


def test_a_child_whose_parent_is_not_in_its_table_is_set_apart() -> None:
    projects = pl.DataFrame({"cadTrustProjectId": ["P1", "P2"]})
    # Their sample once lost the parents of child sheets; the second row has none, the third names a stranger.
    locations = pl.DataFrame({"cadTrustLocationId": ["1", "2", "3"], "cadTrustProjectId": ["P2", None, "P3"]})
    tables = make_tables({"projects": projects, "locations": locations}, "v2")
    assert codes(tables) == [
        ("c08_parent_missing", 3, "cadTrustProjectId"),
        ("c08_parent_missing", 4, "cadTrustProjectId"),
    ]
    lost = make_tables({"projects": projects, "locations": locations.drop("cadTrustProjectId")}, "v2")
    assert codes(lost) == [("c08_parent_missing", row, "cadTrustProjectId") for row in (2, 3, 4)]


def test_vintages_of_v1_reach_3000() -> None:
    frame = pl.DataFrame(
        {"warehouseUnitId": ["a", "b"], "unitBlockStart": ["Z1", "Z2"], "unitBlockEnd": ["Z1", "Z2"]}
    ).with_columns(pl.lit("1").alias("unitCount"), pl.Series("vintageYear", ["3000", "3001"]))
    assert codes(make_tables({"units": frame}, "v1")) == [("c30_vintage", 3, "vintageYear")]


def test_kilotonnes_are_named() -> None:
    assert ("c44_metric", 2, "unitMetric") in codes(units(unitMetric=["kt (Kiloton)", None, None, None]), "warning")


def test_unknown_columns_and_tables_are_kept_and_named(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("units.csv", SAMPLE_UNITS.with_columns(pl.lit("007").alias("ours")).write_csv())
        archive.writestr("notes.csv", "a,b\n1,\n")
    tables = read_cad_trust(path)
    assert tables.tables["units"]["ours"].to_list() == ["007"] * 4
    assert tables.tables["notes"].rows() == [(2, "1", None)]
    assert {p.code for p in tables.problems} == {"unknown_column", "unknown_table", "parent_not_in_file"}


def test_nested_projects_keep_their_ties(tmp_path: Path) -> None:
    project = {
        "warehouseProjectId": "P1",
        "projectName": "湿地",
        "projectLocations": [{"id": "L1", "country": "Singapore"}, {"id": "L2", "country": "中国"}],
        "estimations": [{"id": "E1", "unitCount": 27000, "creditingPeriodStart": None}],
        "labels": [],
        "tags": ["a", "b"],
        "longNumber": 12345678901234567890,
    }
    path = tmp_path / "projects.json"
    path.write_text(json.dumps({"page": 1, "pageCount": 1, "data": [project]}), encoding="utf-8")
    tables = read_cad_trust(path).tables
    assert tables["projectLocations"].rows() == [(1, "L1", "Singapore", "P1"), (2, "L2", "中国", "P1")]
    assert tables["estimations"].rows() == [(1, "E1", "27000", None, "P1")]
    assert tables["projects"].select("labels", "tags", "longNumber").rows() == [
        ("[]", '["a", "b"]', "12345678901234567890")
    ]


def test_typed_cells_of_a_workbook_become_text(tmp_path: Path) -> None:
    import datetime as dt

    from xlsxwriter import Workbook

    path = tmp_path / "units.xlsx"
    with Workbook(path) as book:
        sheet = book.add_worksheet("units")
        head = ["unitSerialId", "unitStartBlock", "unitEndBlock", "unitCount", "unitVintageYear", "unitStatusDate", "x"]
        sheet.write_row(0, 0, head)
        sheet.write_row(1, 0, ["S-1-5", "1", "5", 5, 2024])
        sheet.write_datetime(1, 5, dt.datetime(2024, 3, 15), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_string(1, 6, "null")
    rows = read_cad_trust(path)
    both = pl.concat([rows.tables["units"], rows.apart["units"]])
    # A cell that says null is nothing to their program; the row is apart since it names no issuance.
    assert both.row(0) == (2, "S-1-5", "1", "5", "5", "2024", "2024-03-15 00:00:00", None)
    assert codes(rows) == [("c08_parent_missing", 2, "cadTrustIssuanceId")]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("day,price\n1,2\n")
    with pytest.raises(UnknownFormat, match="day, price"):
        read_cad_trust(path)
    path.write_text("unitCount,unitCount\n1,2\n")
    with pytest.raises(UnreadableFile, match="unitCount"):
        read_cad_trust(path)
    path.write_text("unitCount,\n1,2\n")
    with pytest.raises(UnreadableFile, match="without heading"):
        read_cad_trust(path)
    path.write_text("unitCount,unitLink\n1,2,3\n")
    with pytest.raises(UnreadableFile, match="comma-separated"):
        read_cad_trust(path)
    with pytest.raises(UnreadableFile, match=r"none\.zip"):
        read_cad_trust(tmp_path / "none.zip")
    broken = tmp_path / "x.xlsx"
    broken.write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(UnreadableFile, match=r"x\.xlsx"):
        read_cad_trust(broken)
    texts = ["{", "3", "[3]", "[" * 100_000, '{"tables": {"units": 3}}', '{"tables": {}, "columns": 1}']
    texts += ['{"tables": {}, "columns": {"units": ["a", "a"]}}', '{"tables": {"units": [{"source_row": 1}]}}']
    for text in texts:
        bad = tmp_path / "x.json"
        bad.write_text(text)
        with pytest.raises(UnreadableFile):
            read_cad_trust(bad, version="v1")


def test_sizes_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("units.csv", "unitCount\n" + "1\n" * 1_000_000)
    path.write_bytes(buffer.getvalue())
    assert len(buffer.getvalue()) < 10_000
    with pytest.raises(FileTooLarge, match="10000 bytes"):
        read_cad_trust(path, max_bytes=10_000)
    plain = tmp_path / "units.csv"
    plain.write_text("unitCount\n1\n2\n3\n")
    with pytest.raises(FileTooLarge, match="3 rows"):
        read_cad_trust(plain, max_rows=2)


def test_every_parent_and_vocabulary_names_a_column() -> None:
    for schema in SCHEMAS.values():
        for table in schema.tables.values():
            assert len(set(table.columns)) == len(table.columns)
            assert table.key is None or table.key in table.columns
            for parent in table.parents:
                assert parent.column in table.columns
                assert schema.tables[parent.table].key is not None
        for table_name, column in [*schema.vocabularies, *schema.metrics]:
            assert column in schema.tables[table_name].columns
        assert set(schema.nested.values()) <= set(schema.tables)


def test_verra_serials_from_outside_as_units(outside_data: Path) -> None:
    """731 real ranges with the quantities Verra prints: every count agrees, no two share a number."""
    with gzip.open(outside_data / "offsets" / "verra_vcus_sample_with_serials.csv.gz") as stream:
        rows = pl.read_csv(stream.read(), infer_schema=False)
    parts = pl.col("Serial Number").str.split("-")
    frame = rows.select(
        pl.col("Serial Number").alias("unitSerialId"),
        parts.list.get(1).alias("unitStartBlock"),
        parts.list.get(2).alias("unitEndBlock"),
        pl.col("Quantity Issued").str.replace_all(",", "").alias("unitCount"),
        pl.col("Vintage Start").str.slice(0, 4).alias("unitVintageYear"),
        pl.lit("one").alias("cadTrustIssuanceId"),
    )
    tables = make_tables({"units": frame}, "v2")
    assert codes(tables) == []
    assert tables.tables["units"].height == 731
    # The same range a second time is two blocks that overlap.
    twice = make_tables({"units": pl.concat([frame, frame.head(1)])}, "v2")
    assert codes(twice) == [("c27_overlap", row, "unitStartBlock") for row in (2, 733)]
