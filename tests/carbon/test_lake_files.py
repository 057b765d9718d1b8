"""Files of a table named all at once, and codes for words that are never given twice."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier

import polars as pl
import pytest

from carbon import lake_files
from carbon.errors import LakeBusy
from carbon.lake_files import (
    code_words,
    commit_files,
    is_committed,
    listed_files,
    read_words,
    remove_leftovers,
    split_by,
    write_file,
)

COLUMNS = {"key": pl.String, "day": pl.Date, "value": pl.Int32}
WORDS = {"code": pl.Int16, "name": pl.String, "unit": pl.String}
ROWS = pl.DataFrame({"day": [date(2024, 1, 2), date(2024, 1, 1)], "value": [1, 2]}, schema_overrides=COLUMNS)


def test_files_of_a_source_are_seen_all_at_once_and_once_only(tmp_path: Path) -> None:
    place = tmp_path / "table"
    assert listed_files(place) is None
    files = [write_file(place, ROWS, {"key": key}, "source") for key in ("a", "b")]
    assert listed_files(place) is None
    assert not is_committed(place, "source")
    assert commit_files(place, COLUMNS, files, "source")
    assert not commit_files(place, COLUMNS, files, "source")
    assert is_committed(place, "source")
    found = listed_files(place)
    assert found is not None
    assert found.sort("path")["partition.key"].to_list() == ["a", "b"]
    assert found["num_records"].to_list() == [2, 2]
    assert found["min.day"].to_list() == [date(2024, 1, 1)] * 2
    assert found["max.day"].to_list() == [date(2024, 1, 2)] * 2
    assert pl.scan_delta(str(place)).sort("key", "value").collect()["value"].to_list() == [1, 2, 1, 2]


def test_a_table_that_is_always_busy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_files, "_ATTEMPTS", 0)
    file = write_file(tmp_path / "table", ROWS, {"key": "a"}, "source")
    with pytest.raises(LakeBusy, match="within 0 attempts"):
        commit_files(tmp_path / "table", COLUMNS, [file], "source")
    with pytest.raises(LakeBusy, match="within 0 attempts"):
        code_words(tmp_path / "words", WORDS, pl.DataFrame({"name": ["a"], "unit": ["km"]}))


def test_words_keep_their_codes_and_new_ones_get_the_next(tmp_path: Path) -> None:
    place = tmp_path / "words"
    assert read_words(place, WORDS).schema == WORDS
    first = code_words(place, WORDS, pl.DataFrame({"name": ["b", "a"], "unit": ["km", "km"]}), first=5)
    assert first.schema == WORDS
    assert first.rows() == [(5, "b", "km"), (6, "a", "km")]
    again = code_words(place, WORDS, pl.DataFrame({"name": ["a", "a"], "unit": ["m", "km"]}), first=5)
    assert again.rows() == [(7, "a", "m"), (6, "a", "km")]
    assert read_words(place, WORDS)["code"].to_list() == [5, 6, 7]


def test_writers_at_the_same_time_never_give_a_code_twice(tmp_path: Path) -> None:
    barrier = Barrier(6, timeout=30)

    def code(number: int) -> list[tuple[object, ...]]:
        barrier.wait()
        names = ["shared", f"own {number}"]
        return code_words(tmp_path / "words", WORDS, pl.DataFrame({"name": names, "unit": ["km", "km"]})).rows()

    with ThreadPoolExecutor(6) as pool:
        told = [row for rows in pool.map(code, range(6)) for row in rows]
    kept = read_words(tmp_path / "words", WORDS).rows()
    assert set(told) == set(kept)
    assert sorted(row[0] for row in kept) == list(range(7))


@pytest.mark.parametrize("in_memory", [True, False])
def test_rows_are_split_by_part(tmp_path: Path, in_memory: bool) -> None:
    rows = pl.DataFrame({"hub": ["b", "a", "b"], "year": [2024, 2023, 2024], "value": [1, 2, 3]}).lazy()
    parts = dict(split_by(tmp_path, rows, ("hub", "year"), in_memory=in_memory, staging="staging_"))
    assert {key: part["value"].sort().to_list() for key, part in parts.items()} == {
        ("b", "2024"): [1, 3],
        ("a", "2023"): [2],
    }
    assert all(part.columns == ["value"] for part in parts.values())
    assert list(tmp_path.glob("staging_*")) == []


def test_a_large_part_comes_in_pieces(tmp_path: Path) -> None:
    rows = pl.DataFrame({"hub": ["b", "a", "b", "b"], "value": [1, 2, 3, 4]}).lazy()
    pieces = list(split_by(tmp_path, rows, ["hub"], in_memory=False, staging="staging_", most_rows=2))
    assert [(key, piece.height) for key, piece in pieces] == [(("a",), 1), (("b",), 2), (("b",), 1)]
    assert sorted(pl.concat(piece for _, piece in pieces)["value"]) == [1, 2, 3, 4]


def test_leftovers_of_a_day_ago_are_removed(tmp_path: Path) -> None:
    now_ms = 1_700_000_000_000
    for name, age_s in (("staging_old", 86_401), ("staging_new", 86_399), ("other", 90_000)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (now_ms // 1000 - age_s,) * 2)
    remove_leftovers(tmp_path, "staging_", now_ms)
    assert sorted(place.name for place in tmp_path.iterdir()) == ["other", "staging_new"]
