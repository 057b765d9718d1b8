"""Our blocks as units of CAD Trust and back."""

import datetime as dt
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from carbon.formats.cad_trust import blocks_from_units, make_tables, read_cad_trust, units_from_blocks, write_cad_trust
from carbon.formats.cad_trust.ledger_blocks import STATUSES, blocks_schema

MOVES = {"scheme": pl.String, "stem": pl.String, "first": pl.Int64, "last": pl.Int64, "day": pl.Date}
NO_MOVES = pl.DataFrame(schema=MOVES)
COLUMNS = [*blocks_schema()]


def block(first: int, last: int, status: str, holder: str = "华能电厂") -> tuple[object, ...]:
    place = ("cn-national", "CEA24", "allowance", 2024, "hubei", None, "CN-CEA24-")
    return (*place, first, last, last - first + 1, "A1", holder, status)


def blocks(*rows: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=blocks_schema(), orient="row")


def test_each_status_has_its_unit_status() -> None:
    units = units_from_blocks(blocks(*[block(i * 10 + 1, i * 10 + 10, s) for i, s in enumerate(STATUSES)]), NO_MOVES)
    assert units["unitStatus"].to_list() == ["Held", "Held", "Retired", "Cancelled", "Inactive"]
    assert units["unitRetirementBeneficiary"].to_list() == [None, None, "华能电厂", None, None]
    assert units["unitSerialId"].to_list()[0] == "CN-CEA24--1-10"
    assert units["unitCount"].to_list() == ["10"] * 5
    assert units["unitStatusDate"].null_count() == 5
    checked = make_tables({"units": units}, "v2")
    assert [(p.code, p.severity) for p in checked.problems] == [("parent_not_in_file", "warning")]


def test_the_last_covering_move_dates_the_status() -> None:
    moves = pl.DataFrame(
        [
            ("cn-national", "CN-CEA24-", 1, 100, dt.date(2024, 1, 1)),
            ("cn-national", "CN-CEA24-", 1, 10, dt.date(2024, 12, 31)),
            ("cn-national", "CN-CEA24-", 5, 10, dt.date(2025, 6, 1)),
            ("hubei", "CN-CEA24-", 1, 100, dt.date(2026, 1, 1)),
        ],
        schema=MOVES,
        orient="row",
    )
    held = blocks(block(1, 10, "surrendered"), block(11, 100, "held"), block(101, 110, "held"))
    assert units_from_blocks(held, moves)["unitStatusDate"].to_list() == ["2024-12-31", "2024-01-01", None]


def test_keys_are_the_same_each_time_and_differ_by_block() -> None:
    units = units_from_blocks(blocks(block(1, 10, "held"), block(11, 20, "held")), NO_MOVES)
    again = units_from_blocks(blocks(block(11, 20, "cancelled")), NO_MOVES)
    assert units["cadTrustUnitId"].n_unique() == 2
    assert again["cadTrustUnitId"].to_list() == units["cadTrustUnitId"].to_list()[1:]
    assert units["cadTrustIssuanceId"].n_unique() == 1


def test_a_status_unknown_is_refused() -> None:
    with pytest.raises(ValueError, match="frozen"):
        units_from_blocks(blocks(block(1, 2, "frozen")), NO_MOVES)


TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cn")), max_size=6).filter(lambda text: text != "null")
MAYBE = st.none() | TEXT
NUMBER = st.integers(0, 10**17)
ROWS = st.tuples(
    TEXT, TEXT, TEXT, st.none() | st.integers(1900, 2100), MAYBE, MAYBE, MAYBE | st.just("S1-"), NUMBER, NUMBER,
    st.integers(1, 10**17), MAYBE, MAYBE, st.sampled_from(sorted(STATUSES)),
)  # fmt: skip


@given(rows=st.lists(ROWS, max_size=4), ending=st.sampled_from(["xlsx", "zip", "json"]))
def test_a_round_trip_through_a_file_loses_nothing(rows: list[tuple[object, ...]], ending: str) -> None:
    frame = blocks(*rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"units.{ending}"
        write_cad_trust(make_tables({"units": units_from_blocks(frame, NO_MOVES)}, "v2"), path, include_apart=True)
        back = read_cad_trust(path)
    found = pl.concat([back.tables["units"], *back.apart.values()]).sort("source_row")
    reading = blocks_from_units(found)
    assert reading.problems == ()
    assert_frame_equal(reading.blocks, frame)


def test_units_of_others_are_set_apart() -> None:
    ours = units_from_blocks(blocks(block(1, 10, "held"), block(11, 20, "held"), block(21, 30, "held")), NO_MOVES)
    mixed = ours.with_columns(
        pl.Series("unitStatusReason", ["N/A", None, ours["unitStatusReason"][2]]),
        pl.Series("unitStatus", ["Held", "Held", "Retired"]),
    )
    reading = blocks_from_units(mixed)
    assert reading.blocks.is_empty()
    assert reading.blocks.columns == COLUMNS
    assert_frame_equal(reading.apart, mixed)
    assert [p.row for p in reading.problems] == [2, 3, 4]
    assert "status held beside unitStatus Retired" in reading.problems[2].expected
