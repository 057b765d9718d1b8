from pathlib import Path

import pytest

from api.ranks import read_ranks
from fhi.errors import PanelError

HEAD = "index,edition,dimension,city,rank\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "ranks.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_overall_ranks_of_one_edition_best_first_and_who_is_left_out(tmp_path: Path) -> None:
    rows = "X,1,overall,武汉,2\nX,1,overall,无锡,3\nX,1,talent,西安,1\nX,2,overall,西安,1\nX,1,overall,上海,1\n"
    ranks, left_out = read_ranks(write(tmp_path, HEAD + rows), "X 1")
    assert dict(ranks.iter_rows()) == {"wuhan": -2.0, "shanghai": -1.0}
    assert left_out == ["无锡"]


def test_an_edition_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(PanelError, match="one of X 1"):
        read_ranks(write(tmp_path, HEAD + "X,1,overall,武汉,2\n"), "X 9")


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(PanelError, match=r"columns city, rank; expected columns index, edition"):
        read_ranks(write(tmp_path, "city,rank\n武汉,2\n"), "X 1")


def test_a_rank_that_is_no_number_is_named_with_its_city(tmp_path: Path) -> None:
    with pytest.raises(PanelError, match=r"ranks.csv, X 1, 武汉: found rank 'second'"):
        read_ranks(write(tmp_path, HEAD + "X,1,overall,武汉,second\n"), "X 1")


def test_a_file_that_is_no_table_is_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "ranks.csv"
    path.write_bytes(b"city,rank\n\xff\xfe\x00,1\n")
    with pytest.raises(PanelError, match=r"ranks.csv: found"):
        read_ranks(path, "X 1")
