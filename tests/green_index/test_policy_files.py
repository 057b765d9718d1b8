"""Files of evidence that a user brings: read whole, or refused with everything wrong with them."""

from pathlib import Path

import pytest

from green_index.errors import GreenIndexError
from green_index.policy_files import PolicyFileError, read_evidence

PROPOSALS = "hub,proposal,status,evidence_zh,evidence_en,date,source\n"
STAGES = "hub,path,step,status,evidence_zh,evidence_en,date,source\n"
FIRMS = "hub,year,scenario,firm,source\n"


def written(folder: Path, text: str, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_each_layout_is_told_by_its_headings(tmp_path: Path) -> None:
    own = read_evidence(
        [
            written(tmp_path, PROPOSALS + "武汉,3,adopted,,a rule,2024-05,Gazette\nBeijing,1,unknown,,,,\n", "a.csv"),
            written(tmp_path, STAGES + "420100,wuhan,9,done,已成,,2025,报纸\n", "b.csv"),
            written(tmp_path, FIRMS + "wuhan,2022,esg_analytics,Green Ltd,list\nlhasa,2022,,,list\n", "c.csv"),
        ]
    )
    assert own.proposals.rows() == [
        ("wuhan", 3, "adopted", "a rule", "a rule", "2024-05", "Gazette", "a.csv"),
        ("beijing", 1, "unknown", None, None, None, None, "a.csv"),
    ]
    assert own.stages.rows() == [("wuhan", "wuhan", 9, "done", "已成", "已成", "2025", "报纸", "b.csv")]
    assert own.firms.rows() == [
        ("wuhan", 2022, "esg_analytics", "Green Ltd", "list"),
        ("lhasa", 2022, None, None, "list"),
    ]


def test_no_file_is_no_evidence() -> None:
    own = read_evidence([])
    assert (own.proposals.height, own.stages.height, own.firms.height) == (0, 0, 0)


def test_everything_wrong_in_all_files_is_told_at_once(tmp_path: Path) -> None:
    proposals = written(
        tmp_path,
        PROPOSALS
        + "Atlantis,17,done,,x,2024-13,y\n"
        + "wuhan,2,adopted,,,,\n"
        + "wuhan,3,partly,,x,2024,y\n"
        + "武汉,3,adopted,,x,2024,y\n",
    )
    stages = written(tmp_path, STAGES + "wuhan,wuhan,11,done,,x,2024,y\nwuhan,sideways,1,adopted,,x,2024,y\n", "s.csv")
    firms = written(tmp_path, FIRMS + "wuhan,22,carbon,Green Ltd,\nwuhan,2022,carbon_finance,,z\n", "f.csv")
    with pytest.raises(PolicyFileError) as caught:
        read_evidence([proposals, stages, firms])
    found = [(problem.where, problem.code) for problem in caught.value.problems]
    assert found == [
        ("mine.csv row 2, column hub", "unknown_hub"),
        ("mine.csv row 2, column proposal", "unknown_value"),
        ("mine.csv row 2, column status", "unknown_value"),
        ("mine.csv row 2, column date", "wrong_date"),
        ("mine.csv row 3, column evidence_en", "missing_value"),
        ("mine.csv row 3, column date", "missing_value"),
        ("mine.csv row 3, column source", "missing_value"),
        ("mine.csv row 5", "duplicate"),
        ("s.csv row 2, column step", "unknown_value"),
        ("s.csv row 3, column path", "unknown_value"),
        ("s.csv row 3, column status", "unknown_value"),
        ("f.csv row 2, column year", "wrong_year"),
        ("f.csv row 2, column scenario", "unknown_value"),
        ("f.csv row 2, column source", "missing_value"),
        ("f.csv row 3, column firm", "missing_value"),
    ]
    assert isinstance(caught.value, GreenIndexError)
    assert "'sideways'; expected" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("city,rating\nwuhan,5\n", "unknown_layout"),
        ("hub,proposal,status\nwuhan,1,adopted\n", "missing_column"),
        (PROPOSALS + "wuhan,1,adopted\n", "ragged_row"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(PolicyFileError) as caught:
        read_evidence([written(tmp_path, text)])
    assert code in {problem.code for problem in caught.value.problems}
    assert all(problem.where.startswith("mine.csv") for problem in caught.value.problems)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match="no such file"):
        read_evidence([tmp_path / "none.csv"])
