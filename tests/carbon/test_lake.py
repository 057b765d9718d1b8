from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbon.errors import LakeBusy
from carbon.formats import read_trades
from carbon.lake import append_rows, lake_markets, lake_version, read_rows
from carbon.rows import empty_rows, rows_schema

FIGURES = pl.exclude("file", "row")


@pytest.fixture
def rows(write_national):
    return read_trades(write_national(), market="CEA")[1].rows


def test_no_lake_is_an_empty_frame(lake):
    assert lake_version(lake) is None
    assert lake_markets(lake) == []
    assert dict(read_rows(lake, "CEA").schema) == rows_schema()
    assert read_rows(lake, "CEA").height == 0


def test_nothing_to_append_makes_no_lake(lake):
    assert append_rows(lake, empty_rows()) == 0
    assert lake_version(lake) is None


def test_rows_come_back_as_they_went_in(lake, rows):
    assert append_rows(lake, rows) == rows.height
    assert read_rows(lake, "CEA").equals(rows.sort("day", "product", "method", "feed"))
    assert dict(read_rows(lake, "CEA").schema) == rows_schema()
    assert read_rows(lake, "Hubei").height == 0
    assert lake_markets(lake) == ["CEA"]


def test_the_same_rows_again_change_nothing(lake, rows):
    append_rows(lake, rows)
    before = lake_version(lake), read_rows(lake, "CEA"), sorted(path.name for path in lake.rglob("*"))
    assert append_rows(lake, rows) == 0
    assert append_rows(lake, rows.with_columns(volume_t=pl.lit(7, dtype=pl.Int64))) == 0
    after = lake_version(lake), read_rows(lake, "CEA"), sorted(path.name for path in lake.rglob("*"))
    assert after[0] == before[0]
    assert after[1].equals(before[1])
    assert after[2] == before[2]


def test_only_new_rows_are_added(lake, rows):
    append_rows(lake, rows.head(2))
    version = lake_version(lake)
    assert append_rows(lake, rows) == rows.height - 2
    assert lake_version(lake) == version + 1


def test_other_feeds_and_years_stand_beside(lake, rows):
    append_rows(lake, rows)
    others = rows.with_columns(feed=pl.lit("crc_price"), day=pl.col("day").dt.offset_by("1y"))
    assert append_rows(lake, others) == rows.height
    assert read_rows(lake, "CEA").height == 2 * rows.height
    assert (lake / "bars" / "market=CEA" / "year=2023").is_dir()


def test_rows_of_two_markets_become_visible_together(lake, rows):
    append_rows(lake, rows.head(1))
    version = lake_version(lake)
    both = pl.concat([rows, rows.with_columns(market=pl.lit("Hubei"), product=pl.lit("HBEA"))])
    assert append_rows(lake, both) == 2 * rows.height - 1
    assert lake_version(lake) == version + 1
    assert lake_markets(lake) == ["CEA", "Hubei"]
    assert read_rows(lake, "Hubei").height == read_rows(lake, "CEA").height == rows.height
    assert append_rows(lake, both) == 0


def test_writers_at_the_same_time_lose_no_row(lake, rows):
    append_rows(lake, rows.head(1))
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda part: append_rows(lake, part), [rows, rows, rows.tail(2), rows.tail(1)]))
    assert sum(added) == rows.height - 1
    assert read_rows(lake, "CEA").height == rows.height


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_and_any_parts_give_the_same_lake(tmp_path_factory, national_file, data):
    rows = read_trades(national_file, market="CEA")[1].rows.sample(40, seed=1)
    order = data.draw(st.permutations(range(rows.height)))
    cut = data.draw(st.integers(min_value=0, max_value=rows.height))
    lake = tmp_path_factory.mktemp("lake")
    shuffled = rows[list(order)]
    added = append_rows(lake, shuffled[:cut]) + append_rows(lake, shuffled[cut:]) + append_rows(lake, rows)
    assert added == rows.height
    assert read_rows(lake, "CEA").equals(rows.sort("day", "product", "method", "feed"))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False), cut=st.integers(min_value=0, max_value=675))
def test_a_file_cut_and_shuffled_gives_the_same_lake(tmp_path_factory, national_file, random, cut):
    folder = tmp_path_factory.mktemp("parts")
    header, *lines = national_file.read_text(encoding="utf-8-sig").splitlines()
    random.shuffle(lines)
    for name, part in (("a.csv", lines[:cut]), ("b.csv", lines[cut:])):
        (folder / name).write_text("\n".join([header, *part]), encoding="utf-8")
        append_rows(folder / "lake", read_trades(folder / name, market="CEA")[1].rows)
    whole = read_trades(national_file, market="CEA")[1].rows.sort("day", "method")
    assert read_rows(folder / "lake", "CEA").select(FIGURES).equals(whole.select(FIGURES))


def test_a_race_that_is_always_lost_is_said(lake, rows, monkeypatch):
    append_rows(lake, rows.head(1))

    class Loser:
        def when_not_matched_insert_all(self):
            return self

        def execute(self):
            raise CommitFailedError("somebody was faster")

    monkeypatch.setattr(DeltaTable, "merge", lambda *_, **__: Loser())
    with pytest.raises(LakeBusy, match="within 5 attempts"):
        append_rows(lake, rows)
    assert read_rows(lake, "CEA").height == 1
