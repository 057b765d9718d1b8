"""The kernel against a plain group_by, however the rows are spread over files and slices."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from carbon.footprints.bulk import kernel
from carbon.footprints.bulk.kernel import MOST_ROWS, PartTask, TotalsTooLarge, sum_part, sums_schema
from carbon.footprints.bulk.table import write_part

LARGEST = (1 << 31) - 1


def task_of(files: list[pl.DataFrame], folder: Path) -> PartTask:
    """The rows of each file written to a table, as one city and year."""
    parts = [write_part(folder, rows, "wuhan", 2024, f"source {number}") for number, rows in enumerate(files)]
    paths = tuple(str(folder / "personal_activities" / part.path) for part in parts)
    return PartTask("wuhan", 2024, paths, tuple(part.rows for part in parts))


def plain_sums(rows: pl.DataFrame) -> pl.DataFrame:
    """The same by group_by."""
    monthly = rows.with_columns(month=pl.col("day").dt.truncate("1mo"))
    persons = monthly.group_by("month").agg(persons=pl.col("person").n_unique().cast(pl.Int64))
    sums = monthly.group_by("month", "activity").agg(
        rows=pl.len().cast(pl.Int64),
        amount_milli=pl.col("amount_milli").cast(pl.Int64).sum(),
        activity_persons=pl.col("person").n_unique().clip(upper_bound=kernel.MOST_COUNTED).cast(pl.Int64),
    )
    told = sums.join(persons, on="month").with_columns(hub=pl.lit("wuhan"))
    return told.select(sums_schema().keys()).sort("month", "activity")


def frame_of(rows: list[tuple[date, int, int, int]]) -> pl.DataFrame:
    schema = {"day": pl.Date, "person": pl.Int32, "activity": pl.Int16, "amount_milli": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


ROWS = st.lists(
    st.tuples(
        st.dates(date(2024, 1, 1), date(2024, 12, 31)),
        st.integers(0, 4) | st.sampled_from([LARGEST - 1, LARGEST]),
        st.sampled_from([0, 1, 5, 32_767]),
        st.integers(0, 3) | st.integers(LARGEST - 2, LARGEST),
    ),
    min_size=1,
    max_size=60,
)


@given(
    files=st.lists(ROWS, min_size=1, max_size=4),
    slice_rows=st.sampled_from([1, 2, 7, 1 << 22]),
    most=st.sampled_from([1, 2, 3, 100]),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_spread_over_files_and_slices_gives_the_sums_of_a_group_by(
    files: list[list[tuple[date, int, int, int]]],
    slice_rows: int,
    most: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel, "SLICE_ROWS", slice_rows)
    monkeypatch.setattr(kernel, "MOST_COUNTED", most)
    monkeypatch.setattr(kernel, "_BLOCK", 3)
    frames = [frame_of(rows) for rows in files]
    found = sum_part(task_of(frames, tmp_path_factory.mktemp("lake")))
    assert found.schema == sums_schema()
    assert_frame_equal(found, plain_sums(pl.concat(frames)))


def test_persons_of_a_rare_activity_are_counted_beside_a_common_one(tmp_path: Path) -> None:
    """Activity 7: three persons, far apart and often; activity 9: one person of those; activity 1: everybody."""
    everybody = [(date(2024, 3, 1 + person % 31), person, 1, 5) for person in range(20_000)]
    rare = [(date(2024, 3, day), person, 7, 1) for day in range(1, 32) for person in (0, 9_999, 19_999)]
    one = [(date(2024, 3, day), 9_999, 9, 1) for day in range(1, 32)]
    found = sum_part(task_of([frame_of(everybody + rare + one)], tmp_path))
    assert found.select("activity", "rows", "persons", "activity_persons").rows() == [
        (1, 20_000, 20_000, kernel.MOST_COUNTED),
        (7, 93, 20_000, 3),
        (9, 31, 20_000, 1),
    ]


def test_blocks_and_slices_of_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    count = 200_000
    rows = pl.DataFrame(
        {
            "day": pl.Series(rng.integers(19_723, 19_723 + 366, count), dtype=pl.Int32).cast(pl.Date),
            "person": rng.integers(0, 30_000, count, dtype=np.int32),
            "activity": rng.integers(0, 24, count).astype(np.int16),
            "amount_milli": rng.integers(0, LARGEST, count, dtype=np.int32),
        }
    )
    expected = plain_sums(rows)
    assert expected["persons"].max() < 30_000  # so that persons differ from rows
    task = task_of([rows.head(150_000), rows.tail(50_000)], tmp_path)
    assert_frame_equal(sum_part(task), expected)
    monkeypatch.setattr(kernel, "SLICE_ROWS", 9_999)
    assert_frame_equal(sum_part(task), expected)


def test_sums_past_what_a_double_holds_are_exact(tmp_path: Path) -> None:
    count = 5_000_000
    # 5,000,001 x (2**31 - 1) is odd and above 2**53.
    day = pl.Series([date(2024, 2, 29)]).new_from_index(0, count + 1)
    rows = pl.DataFrame({"day": day}).with_columns(
        person=pl.lit(3, pl.Int32), activity=pl.lit(2, pl.Int16), amount_milli=pl.lit(LARGEST, pl.Int32)
    )
    assert (count + 1) * LARGEST > 1 << 53
    assert sum_part(task_of([rows], tmp_path)).rows() == [
        ("wuhan", date(2024, 2, 1), 2, count + 1, (count + 1) * LARGEST, 1, 1)
    ]


def test_more_rows_than_int64_could_sum_are_refused() -> None:
    with pytest.raises(TotalsTooLarge, match=f"found {MOST_ROWS} rows of wuhan in 2024, expected below {MOST_ROWS}"):
        sum_part(PartTask("wuhan", 2024, ("a", "b"), (MOST_ROWS - 1, 1)))
    assert (MOST_ROWS - 1) * LARGEST < 1 << 63


def test_only_a_slice_is_read_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = frame_of([(date(2024, month, 1), person, 0, 1) for month in (1, 2) for person in range(100)])
    task = task_of([rows], tmp_path)
    monkeypatch.setattr(kernel, "SLICE_ROWS", 30)
    sizes: list[int] = []
    collect = pl.LazyFrame.collect

    def watched(self: pl.LazyFrame) -> pl.DataFrame:
        frame = collect(self)
        assert isinstance(frame, pl.DataFrame)
        sizes.append(frame.height)
        return frame

    monkeypatch.setattr(pl.LazyFrame, "collect", watched)
    assert sum_part(task)["persons"].to_list() == [100, 100]
    # Days of 200 rows, then 30 + 30 + 30 + 10 rows of each month.
    assert sizes == [30] * 6 + [20] + [30, 30, 30, 10] * 2
