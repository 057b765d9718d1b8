from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.errors import UnknownFormat, UnreadableFile
from carbon.formats.offsets.loads import check_not_fewer
from carbon.formats.offsets.vrod import read_vrod


@pytest.fixture(scope="module")
def table(outside_data: Path) -> Path:
    return outside_data / "offsets" / "vrod_projects_v2025-12.parquet"


def test_the_years_of_all_projects_give_the_printed_totals(table: Path) -> None:
    reading = read_vrod(table)
    printed = pl.read_parquet(table)
    assert reading.rows_read == reading.projects.height == printed.height == 10_975
    assert reading.problems == ()
    sums = dict(reading.years.group_by("measure").agg(pl.col("quantity_t").sum()).iter_rows())
    issued, retired = printed["Total Credits \nIssued"].sum(), printed["Total Credits \nRetired"].sum()
    assert sums == {
        "issued_by_vintage": issued,
        "issued_by_year_of_issuance": issued,
        "retired_by_year_of_retirement": retired,
        "remaining_by_vintage": issued - retired,
    }
    unknown = reading.years.filter(pl.col("year").is_null())
    assert unknown["quantity_t"].sum() == printed["Year \nUnknown"].sum() > 0
    assert set(unknown["measure"]) == {"retired_by_year_of_retirement"}


def test_a_total_that_differs_is_reported_with_its_row(table: Path, tmp_path: Path) -> None:
    changed = pl.read_parquet(table).head(3)
    total = "Total Credits \nRetired"
    is_second = pl.int_range(pl.len()) == 1
    changed = changed.with_columns(pl.when(is_second).then(pl.col(total) + 1).otherwise(pl.col(total)).alias(total))
    path = tmp_path / "vrod.parquet"
    changed.write_parquet(path)
    assert [(problem.row, problem.code, problem.column) for problem in read_vrod(path).problems] == [
        (3, "C25", "Total Credits Remaining"),
        (3, "years_not_total", "Total Credits Retired"),
    ]
    changed.with_columns(pl.col("2003").cast(pl.Float64) + 0.5).write_parquet(path)
    with pytest.raises(UnknownFormat, match="whole tonnes"):
        read_vrod(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(UnknownFormat, match="Project ID"):
        read_vrod(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(UnreadableFile):
        read_vrod(path)


def test_a_cut_off_load_is_found() -> None:
    assert check_not_fewer(99, 100).is_empty()
    assert check_not_fewer(0, 0).is_empty()
    found = check_not_fewer(98, 100)
    assert found.select("code", "severity", "found").rows() == [("C43", "error", "98 rows")]
    with pytest.raises(ValueError, match="share from 0 to 1"):
        check_not_fewer(1, 1, share=1.1)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_share_is_exact(new: int, previous: int) -> None:
    assert check_not_fewer(new, previous).is_empty() == (100 * new >= 99 * previous)
