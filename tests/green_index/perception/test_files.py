from datetime import date
from pathlib import Path

import pytest

from green_index.perception import files
from green_index.perception.errors import PerceptionError
from green_index.perception.files import read_factors, read_ratings

HEAD = "respondent,home,hub,rating,date\n"


def _write(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_ratings_are_read_with_names_of_any_kind(tmp_path: Path) -> None:
    path = _write(tmp_path, HEAD + "r1,武汉,Beijing,8.5,2024-05-31\nr1,武汉,shanghai,7,\nr2,Elsewhere,420100,6,\n")
    rows = read_ratings(path).rows()
    assert rows == [
        ("r1", "wuhan", "beijing", 8.5, date(2024, 5, 31)),
        ("r1", "wuhan", "shanghai", 7.0, None),
        ("r2", None, "wuhan", 6.0, None),
    ]
    path = _write(tmp_path, "rating,Hub,Home,Respondent\n6,wuhan,elsewhere,r2\n")
    assert read_ratings(path).rows() == [("r2", None, "wuhan", 6.0, None)]


def test_every_problem_of_ratings_is_told_at_once(tmp_path: Path) -> None:
    lines = [
        ",elsewhere,wuhan,5,",
        "r1,,wuhan,5,",
        "r2,atlantis,wuhan,5,",
        "r3,elsewhere,atlantis,5,",
        "r4,elsewhere,wuhan,good,",
        "r5,elsewhere,wuhan,inf,",
        "r6,elsewhere,wuhan,5,May",
        "r7,elsewhere,wuhan,5,2024-01-01",
        "r7,elsewhere,武汉,6,2024-01-01",
    ]
    with pytest.raises(PerceptionError) as caught:
        read_ratings(_write(tmp_path, HEAD + "\n".join([*lines, ""])))
    found = {(problem.where, problem.code) for problem in caught.value.problems}
    assert found == {
        ("mine.csv row 2, column respondent", "missing_value"),
        ("mine.csv row 3, column home", "unknown_hub"),
        ("mine.csv row 4, column home", "unknown_hub"),
        ("mine.csv row 5, column hub", "unknown_hub"),
        ("mine.csv row 6, column rating", "wrong_number"),
        ("mine.csv row 7, column rating", "wrong_number"),
        ("mine.csv row 8, column date", "wrong_date"),
        ("mine.csv row 9, column hub", "duplicate"),
        ("mine.csv row 10, column hub", "duplicate"),
    }


def test_a_file_of_another_shape_or_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PerceptionError, match="no such file"):
        read_ratings(tmp_path / "none.csv")
    with pytest.raises(PerceptionError, match=r"(?s)no column home.*no column rating"):
        read_ratings(_write(tmp_path, "respondent,hub\nr1,wuhan\n"))
    monkeypatch.setattr(files, "MOST_RATINGS", 1)
    with pytest.raises(PerceptionError, match="found 2 ratings; expected at most 1"):
        read_ratings(_write(tmp_path, HEAD + "r1,elsewhere,wuhan,1,\nr1,elsewhere,beijing,1,\n"))


def test_factors_are_read_with_gaps(tmp_path: Path) -> None:
    table = read_factors(_write(tmp_path, "hub,rent,airports\n武汉,3.5,1\nbeijing,,2\n"))
    assert table.columns == ["hub", "rent", "airports"]
    assert table.rows() == [("wuhan", 3.5, 1.0), ("beijing", None, 2.0)]


def test_every_problem_of_factors_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(PerceptionError) as caught:
        read_factors(_write(tmp_path, "hub,rent\nwuhan,1\nwuhan,dear\natlantis,2\n,3\n"))
    found = [(problem.where, problem.code) for problem in caught.value.problems]
    assert sorted(found) == [
        ("mine.csv row 2, column hub", "duplicate"),
        ("mine.csv row 3, column hub", "duplicate"),
        ("mine.csv row 3, column rent", "wrong_number"),
        ("mine.csv row 4, column hub", "unknown_hub"),
        ("mine.csv row 5, column hub", "unknown_hub"),
    ]
    with pytest.raises(PerceptionError, match=r"(?s)no column hub"):
        read_factors(_write(tmp_path, "city,rent\nwuhan,1\n"))
    with pytest.raises(PerceptionError, match="0 factors"):
        read_factors(_write(tmp_path, "hub\nwuhan\n"))
