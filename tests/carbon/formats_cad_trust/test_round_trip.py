"""Writing and reading CAD Trust tables again loses nothing, in any container, and the bytes are the same twice."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from carbon.formats.cad_trust import CadTrustTables, CannotBeWritten, make_tables, read_cad_trust, write_cad_trust
from carbon.formats.cad_trust.reading import SCHEMAS

# Any text but control signs (XML has none of them) and lone surrogates (no Unicode text has); line ends are in.
TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "007", "12345678901234567890", "1e5", "=1+1", "碳排放权，配额", 'a "b"', "x\ny", "NaN", "-", ","]
    ),
    st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cn")), max_size=8),
)


@st.composite
def table_sets(draw: st.DrawFn) -> CadTrustTables:
    version = draw(st.sampled_from(["v1", "v2"]))
    schema = SCHEMAS[version]
    names = draw(st.lists(st.sampled_from(sorted(schema.tables)), min_size=1, max_size=3, unique=True))
    tables = {}
    for name in names:
        columns = draw(st.lists(st.sampled_from(schema.tables[name].columns), min_size=1, max_size=5, unique=True))
        cell = st.one_of(st.none(), TEXTS.filter(lambda text: text != "null"))
        row = st.tuples(*[cell] * len(columns)).filter(lambda cells: any(value is not None for value in cells))
        rows = draw(st.lists(row, max_size=4))
        tables[name] = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    # The version is told by the columns when read, so one that only it has is always there.
    main = "warehouseUnitId" if version == "v1" else "cadTrustUnitId"
    tables.setdefault("units", pl.DataFrame({main: ["1"]}))
    return make_tables(tables, version)


def whole(tables: CadTrustTables) -> dict[str, pl.DataFrame]:
    return {
        name: pl.concat([frame, *([tables.apart[name]] if name in tables.apart else [])])
        .sort("source_row")
        .drop("source_row")
        for name, frame in tables.tables.items()
    }


@pytest.mark.parametrize("ending", ["xlsx", "zip", "json"])
@given(tables=table_sets())
@example(tables=make_tables({"units": pl.DataFrame({"cadTrustUnitId": [""], "unitLink": [None]})}, "v2"))
@example(tables=make_tables({"units": pl.DataFrame(schema={"cadTrustUnitId": pl.String})}, "v2"))
def test_nothing_is_lost(ending: str, tables: CadTrustTables) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"tables.{ending}"
        assert write_cad_trust(tables, path, include_apart=True) == ()
        back = read_cad_trust(path, version=tables.version)
        before, after = whole(tables), whole(back)
        assert list(before) == list(after)
        for name, frame in before.items():
            assert_frame_equal(frame, after[name])
        assert len(back.problems) == len(tables.problems)
        first = path.read_bytes()
        write_cad_trust(back, path, include_apart=True)
        assert path.read_bytes() == first


def test_rows_apart_are_written_only_when_asked(tmp_path: Path) -> None:
    rows = pl.DataFrame({"cadTrustUnitId": ["a", "a"], "unitStatus": ["Held", "Held"]})
    tables = make_tables({"units": rows}, "v2")
    write_cad_trust(tables, tmp_path / "x.json")
    assert whole(read_cad_trust(tmp_path / "x.json"))["units"].is_empty()
    write_cad_trust(tables, tmp_path / "y.json", include_apart=True)
    assert_frame_equal(whole(read_cad_trust(tmp_path / "y.json"))["units"], rows)


def test_a_workbook_says_that_null_is_lost(tmp_path: Path) -> None:
    tables = make_tables({"units": pl.DataFrame({"cadTrustUnitId": ["a"], "unitLink": ["null"]})}, "v2")
    (problem,) = write_cad_trust(tables, tmp_path / "x.xlsx", include_apart=True)
    assert (problem.code, problem.row, problem.column) == ("null_text", 2, "unitLink")
    assert whole(read_cad_trust(tmp_path / "x.xlsx"))["units"].row(0) == ("a", None)
    assert write_cad_trust(tables, tmp_path / "x.zip", include_apart=True) == ()
    assert whole(read_cad_trust(tmp_path / "x.zip"))["units"].row(0) == ("a", "null")


def test_what_does_not_fit_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    long = make_tables({"units": pl.DataFrame({"cadTrustUnitId": ["a"], "unitLink": ["x" * 32_768]})}, "v2")
    with pytest.raises(CannotBeWritten, match="32768 signs in table units, row 2, column unitLink"):
        write_cad_trust(long, tmp_path / "x.xlsx", include_apart=True)
    with pytest.raises(CannotBeWritten, match=r"x\.txt"):
        write_cad_trust(long, tmp_path / "x.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_csv_files_is_read(tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text("\ufeffcadTrustUnitId,unitLink\n007,碳\n", encoding="utf-8")
    (tmp_path / "labels.csv").write_text("cadTrustLabelId\nL\n", encoding="utf-8")
    back = whole(read_cad_trust(tmp_path))
    assert back["units"].rows() == [("007", "碳")]
    assert back["labels"].rows() == [("L",)]
