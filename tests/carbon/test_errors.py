import dataclasses

import pytest

from carbon import errors


def test_every_error_is_a_carbon_error():
    kinds = [getattr(errors, name) for name in errors.__all__ if isinstance(getattr(errors, name), type)]
    assert {kind for kind in kinds if issubclass(kind, Exception)} == {
        errors.CarbonError,
        errors.UnreadableFile,
        errors.FileTooLarge,
        errors.UnknownFormat,
        errors.UnknownMarket,
        errors.LakeBusy,
    }
    assert all(issubclass(kind, errors.CarbonError) for kind in kinds if issubclass(kind, Exception))
    assert issubclass(errors.FileTooLarge, errors.UnreadableFile)


def test_a_problem_says_where_what_and_what_else():
    problem = errors.Problem("a.csv", 7, "收盘价", "-3", "zero or more", "negative", "error")
    assert problem.where == "a.csv, row 7, column 收盘价"
    assert str(problem) == "error: a.csv, row 7, column 收盘价: found -3, expected zero or more [negative]"
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.row = 8


def test_a_problem_of_a_whole_file():
    assert errors.Problem("a.csv", None, None, "x", "y", "z", "error").where == "a.csv"
