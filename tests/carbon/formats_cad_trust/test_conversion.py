"""From v1 to v2 and back: what is mapped comes over, what is not is listed cell by cell."""

import polars as pl
from polars.testing import assert_frame_equal

from carbon.formats.cad_trust import convert, make_tables
from carbon.formats.cad_trust.conversion import load_mapping
from carbon.formats.cad_trust.reading import SCHEMAS

V1 = {
    "projects": pl.DataFrame(
        {
            "warehouseProjectId": ["P"],
            "currentRegistry": ["国家登记"],
            "projectId": ["001"],
            "projectName": ["湿地"],
            "projectStatus": ["Registered"],
            "unitMetric": ["tCO2e"],
            "projectDeveloper": ["someone"],
        }
    ),
    "issuances": pl.DataFrame(
        {
            "id": ["I"],
            "warehouseProjectId": ["P"],
            "startDate": ["2014-01-01"],
            "endDate": ["2019-01-31"],
            "verificationBody": ["Carbon Mapper"],
            "verificationApproach": ["satellite"],
        }
    ),
    "units": pl.DataFrame(
        {
            "warehouseUnitId": ["U1", "U2"],
            "issuanceId": ["I", "I"],
            "serialNumberBlock": [None, "ours"],
            "unitBlockStart": ["N1", "N11"],
            "unitBlockEnd": ["N10", "N20"],
            "unitCount": ["10", "10"],
            "vintageYear": ["2016", "2017"],
            "unitStatus": ["Held", "Exported"],
            "unitTags": ["wetland", None],
        }
    ),
}


def test_v1_to_v2_carries_the_mapped_and_lists_the_rest() -> None:
    result = convert(make_tables(V1, "v1"), "v2")
    units = pl.concat([result.tables.tables["units"], *result.tables.apart.values()], how="diagonal")
    wanted = ["cadTrustUnitId", "cadTrustIssuanceId", "unitSerialId", "unitStartBlock", "unitCount", "unitStatus"]
    assert units.select(wanted).rows()[:2] == [
        ("U1", "I", "N1-N10", "N1", "10", "Held"),
        ("U2", "I", "ours", "N11", "10", None),
    ]
    verification = result.tables.tables["verifications"]
    assert verification.select("cadTrustVerificationId", "verificationStartDate", "cadTrustProjectId").rows() == [
        ("I", "2014-01-01", "P")
    ]
    assert sorted(result.left_behind.rows()) == [
        ("issuances", 2, "verificationApproach", "satellite", "no place on the other side"),
        ("projects", 2, "projectDeveloper", "someone", "no place on the other side"),
        ("units", 2, "unitTags", "wetland", "no place on the other side"),
        ("units", 3, "unitStatus", "Exported", "no such value in v2"),
    ]
    assert len(result.assumed) == 2


def test_there_and_back_gives_the_mapped_cells_again() -> None:
    start = make_tables(V1, "v1")
    there = convert(start, "v2")
    # An issuance of v2 wants a methodology, which v1 has not: it is set apart, and the way back starts with it mended.
    mended = dict(there.tables.tables)
    for name, frame in there.tables.apart.items():
        mended[name] = pl.concat([mended[name], frame]).sort("source_row")
    mended["issuances"] = mended["issuances"].with_columns(pl.lit("M").alias("cadTrustMethodologyId"))
    back = convert(make_tables(mended, "v2"), "v1")
    for name, frame in V1.items():
        lost = [c for t, c in there.left_behind.select("table", "column").rows() if t == name]
        kept = [column for column in frame.columns if column not in [*lost, "serialNumberBlock"]]
        assert_frame_equal(back.tables.tables[name].select(kept), frame.select(kept))
    assert back.tables.tables["units"]["serialNumberBlock"].to_list() == ["N1-N10", "ours"]
    # What v2 had to add has no place in v1, and is listed too.
    assert {row[2] for row in back.left_behind.rows()} == {"cadTrustMethodologyId", "cadTrustVerificationId"}


def test_no_filled_cell_is_lost_in_silence() -> None:
    """Each cell of each column of both versions either comes over or is listed."""
    for version, other in [("v1", "v2"), ("v2", "v1")]:
        schema = SCHEMAS[version]  # type: ignore[index]
        frames = {
            name: pl.DataFrame({column: [f"{name}.{column}"] for column in table.columns})
            for name, table in schema.tables.items()
        }
        # Only rows without errors come over, so they are put in as good ones.
        raw = make_tables(frames, version)  # type: ignore[arg-type]
        good = {n: pl.concat([f, raw.apart.get(n, f.clear())]) for n, f in raw.tables.items()}
        result = convert(type(raw)(version, good, {}, ()), other)  # type: ignore[arg-type]
        arrived = {
            text
            for frames_of in (result.tables.tables, result.tables.apart)
            for frame in frames_of.values()
            for column in frame.columns
            for text in frame[column].cast(pl.String)
        }
        listed = set(result.left_behind["value"])
        everything = {f"{name}.{column}" for name, table in schema.tables.items() for column in table.columns}
        # With one key for all, the verification is not named by an issuance, so all its cells are listed.
        assert everything <= arrived | listed


def test_rows_apart_are_listed() -> None:
    tables = make_tables({"units": V1["units"].with_columns(pl.lit("U").alias("warehouseUnitId"))}, "v1")
    result = convert(tables, "v2")
    filled = sum(V1["units"].height - column.null_count() for column in V1["units"].iter_columns())
    assert result.left_behind.height == filled
    assert set(result.left_behind["reason"]) == {"the row was set apart for its errors"}


def test_the_same_version_is_left_alone() -> None:
    tables = make_tables(V1, "v1")
    result = convert(tables, "v1")
    assert result.tables is tables
    assert result.left_behind.is_empty()


def test_the_mapping_names_columns_that_exist() -> None:
    for v1_table, v1_field, v2_table, v2_field, way, note in load_mapping().iter_rows():
        assert v1_field in SCHEMAS["v1"].tables[v1_table].columns
        if v2_table is None:
            assert (v2_field, way) == (None, None)
            assert note
        else:
            assert v2_field in SCHEMAS["v2"].tables[v2_table].columns
            assert way in {"both", "to_v2"}
