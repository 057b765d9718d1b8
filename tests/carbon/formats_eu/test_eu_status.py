"""EU compliance codes derived from figures: each code by example, and every disagreement with the log explained."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.formats.eu import read_eutl_compliance
from carbon.rules.eu_status import EXPLANATIONS, PHASES, derive_status, explain_status, status_agreement

SCHEMA = {
    **{"account_id": pl.Int64, "year": pl.Int64, "verified_t": pl.Int64, "surrendered_t": pl.Int64},
    **{"verified_status": pl.String, "compliance_code": pl.String},
}


def account(*years: tuple[int, int | None, int | None, str | None, str | None]) -> pl.DataFrame:
    """Rows of one account: year, verified, surrendered, status, published code."""
    return pl.DataFrame([(1, *year) for year in years], schema=SCHEMA, orient="row")


def codes(rows: pl.DataFrame) -> list[str | None]:
    return derive_status(rows)["derived_code"].to_list()


def explanations(rows: pl.DataFrame) -> list[str]:
    return explain_status(rows)["explanation"].to_list()


def test_the_balance_runs_over_the_phase() -> None:
    rows = account(
        (2013, 100, 60, None, None),
        (2014, 100, 100, None, None),
        (2015, 100, 140, None, None),
        (2016, 100, 100, None, None),
    )
    status = derive_status(rows)
    assert status["balance_t"].to_list() == [-40, -40, 0, 0]
    assert status["derived_code"].to_list() == ["B", "B", "A", "A"]


def test_a_new_phase_starts_at_nothing() -> None:
    rows = account((2007, 100, 60, None, None), (2008, 100, 100, None, None), (2013, 5, 5, None, None))
    assert codes(rows) == ["B", "A", "A"]
    assert derive_status(rows)["phase"].to_list() == [2005, 2008, 2013]


def test_phases_follow_each_other() -> None:
    assert all(last + 1 == first for (_, last), (first, _) in pairwise(PHASES))
    assert codes(account((2004, 1, 1, None, None))) == [None]


def test_missing_is_not_zero_but_owes_nothing() -> None:
    rows = account(
        (2013, None, None, "Not Reported", None), (2014, None, None, None, None), (2015, 5, None, None, None)
    )
    status = derive_status(rows)
    assert status["derived_code"].to_list() == ["C", "A", "B"]
    assert status["verified_t"].to_list() == [None, None, 5]


def test_what_the_authority_says_goes_first() -> None:
    rows = account(*[(year, 100, 100, None, None) for year in range(2013, 2018)]).with_columns(
        pl.Series("corrected_compliant", [True, False, None, None, None]),
        pl.Series("suspended", [None, False, True, None, None]),
        pl.Series("obliged", [True, None, True, False, None]),
    )
    assert codes(rows) == ["E", "D", "X", "-", "A"]


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        ([(2013, 10, 10, None, "A")], ["agrees"]),
        ([(2020, 10, 10, None, None)], ["no_code"]),
        ([(2008, 10, 10, None, "E*")], ["corrected_by_authority"]),
        ([(2013, 10, 10, None, "C")], ["reported_late"]),
        ([(2013, None, None, "Not Reported", "C")], ["agrees"]),
        ([(2013, None, None, "Excluded", "-")], ["excluded"]),
        ([(2013, 10, 8, None, "A*")], ["verified_changed"]),
        ([(2013, 10, 8, None, "A*"), (2014, 10, 10, None, "A")], ["verified_changed", "earlier_year_changed"]),
        # A late change shows why only where all that is short lies in the years that bear the mark.
        ([(2013, 10, 10, None, "A*"), (2014, 10, 8, None, "A")], ["agrees", "earlier_year_marked"]),
        ([(2013, 10, 9, None, "A*"), (2014, 10, 8, None, "A")], ["verified_changed", "earlier_year_marked"]),
        ([(2013, 10, 8, None, "A*"), (2014, 10, 10, None, "A*")], ["verified_changed", "earlier_year_changed"]),
        ([(2013, 10, 10, None, "A*"), (2014, 10, 10, None, "B")], ["agrees", "surrendered_late"]),
        ([(2009, 10, None, None, "A"), (2010, 10, 20, None, "A")], ["made_good_later", "agrees"]),
        ([(2012, 10, None, None, "A"), (2013, 10, 20, None, "A")], ["made_good_later", "agrees"]),
        ([(2009, 10, None, None, "A"), (2010, 10, 19, None, "A")], ["unexplained", "unexplained"]),
        ([(2007, 10, 8, None, "B"), (2008, 10, 10, None, "B")], ["agrees", "earlier_phase_short"]),
        ([(2013, 10, 10, None, "B")], ["surrendered_late"]),
        ([(2013, None, None, None, "B")], ["unexplained"]),
    ],
)
def test_each_class_of_explanation(
    years: list[tuple[int, int | None, int | None, str | None, str | None]], expected: list[str]
) -> None:
    assert explanations(account(*years)) == expected


def test_the_published_code_is_never_read_to_derive() -> None:
    figures = [(2013, 10, 8, None), (2014, 10, 14, None), (2015, None, None, "Not Reported")]
    without = account(*[(*figure, None) for figure in figures])
    with_codes = account(*[(*figure, code) for figure, code in zip(figures, ["A*", "B", "A"], strict=True)])
    assert codes(without) == codes(with_codes) == codes(without.drop("compliance_code"))


tonnes = st.none() | st.integers(0, 1000)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(2005, 2030), tonnes, tonnes), max_size=40), st.randoms())
def test_the_order_of_rows_does_not_matter(
    drawn: list[tuple[int, int, int | None, int | None]], random: object
) -> None:
    unique = {(one, year): (verified, surrendered) for one, year, verified, surrendered in drawn}
    rows = pl.DataFrame([(*key, *figures, None, None) for key, figures in unique.items()], schema=SCHEMA, orient="row")
    places = list(range(rows.height))
    random.shuffle(places)  # type: ignore[attr-defined]
    shuffled = explain_status(rows[places])
    assert shuffled.equals(explain_status(rows)[places])
    # An independent loop: the balance of an account's phase, year by year.
    for row in shuffled.iter_rows(named=True):
        first = next(start for start, end in PHASES if start <= row["year"] <= end)
        parts = [
            (unique[(one, year)][1] or 0) - (unique[(one, year)][0] or 0)
            for one, year in unique
            if one == row["account_id"] and first <= year <= row["year"]
        ]
        assert row["balance_t"] == sum(parts)
        assert row["derived_code"] == ("A" if sum(parts) >= 0 else "B")


@pytest.fixture(scope="module")
def real(outside_data: Path) -> pl.DataFrame:
    return read_eutl_compliance(outside_data / "registry" / "eutl_installation_year_2005_2020.parquet").rows


def test_every_row_of_the_log_is_explained(real: pl.DataFrame) -> None:
    table = status_agreement(real)
    assert table["rows"].sum() == real.height == 194_078
    assert set(table["explanation"]) <= set(EXPLANATIONS)
    published = table.drop_nulls("source_code")
    assert published["rows"].sum() == real["compliance_code"].drop_nulls().len()
    assert published["share"].sum() == pytest.approx(1, abs=1e-12)
    share = dict(published.group_by("explanation").agg(pl.col("share").sum()).iter_rows())
    assert share["agrees"] > 0.978
    # What is left: B for five accounts in a year without a figure, and nothing before it.
    left = explain_status(real).filter(explanation="unexplained")
    assert left.height == 5
    assert left["verified_t"].null_count() == left["surrendered_t"].null_count() == 5


def test_the_phase_explains_the_log_better_than_the_year(real: pl.DataFrame) -> None:
    """The same agreement computed in plain numpy, for the year alone and for the sum of the phase."""
    ordered = real.sort("account_id", "year")
    change = (ordered["surrendered_t"].fill_null(0) - ordered["verified_t"].fill_null(0)).to_numpy()
    first = np.select([ordered["year"].to_numpy() <= last for _, last in PHASES], [start for start, _ in PHASES])
    group = ordered["account_id"].to_numpy() * 10_000 + first
    total = np.cumsum(change)
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    before = np.repeat(total[starts] - change[starts], np.diff(np.r_[starts, len(group)]))
    missing = (ordered["verified_status"] == "Not Reported").fill_null(False).to_numpy()
    letters = ordered["compliance_code"].str.slice(0, 1).to_numpy()
    coded = ordered["compliance_code"].is_not_null().to_numpy()

    def agreeing(balance: np.ndarray) -> int:
        derived = np.where(missing, "C", np.where(balance >= 0, "A", "B"))
        return int((derived[coded] == letters[coded]).sum())

    table = status_agreement(real)
    assert table.filter(explanation="agrees")["rows"].sum() == agreeing(total - before)
    assert agreeing(total - before) > agreeing(change)
