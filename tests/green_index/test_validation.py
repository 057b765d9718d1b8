import polars as pl
import pytest

from fhi.observations import observations
from fhi.published import printed_totals
from green_index.errors import UnknownPeriod
from green_index.validation import printed_fhi, validate_open_base


def test_a_measure_against_itself_agrees_wholly() -> None:
    year = observations().filter(pl.col("period") == "2017")
    found = validate_open_base(year.select("hub", standing="deposits_100m_cny"), "itself", 2017)
    assert dict(found.select("candidate", "spearman").iter_rows())["deposits_100m_cny alone"] == pytest.approx(1)
    backwards = validate_open_base(year.select("hub", standing=-pl.col("deposits_100m_cny")), "itself", 2017)
    assert dict(backwards.select("candidate", "spearman").iter_rows())["deposits_100m_cny alone"] == pytest.approx(-1)


def test_deposits_against_the_printed_totals_by_the_rank_formula() -> None:
    """1 - 6 sum d^2 / (n (n^2 - 1)) with the one tie of the printed totals at its mean rank, within the tie's reach."""
    year = observations().filter(pl.col("period") == "2017").join(printed_totals(), on="hub")
    ranks = year.select(a=pl.col("deposits_100m_cny").rank(), b=pl.col("total").rank())
    squares = ranks.select(((pl.col("a") - pl.col("b")) ** 2).sum()).item()
    by_formula = 1 - 6 * squares / (20 * (20**2 - 1))
    found = validate_open_base(*printed_fhi())
    assert dict(found.select("candidate", "spearman").iter_rows())["deposits_100m_cny alone"] == pytest.approx(
        by_formula, abs=0.002
    )


def test_open_base_comes_first_with_and_without_size_and_counts_cities() -> None:
    found = validate_open_base(*printed_fhi())
    assert found["candidate"].to_list()[:2] == ["open base", "open base without size measures"]
    assert set(found["hubs"]) == {20}
    assert found["spearman"][0] != found["spearman"][1]


def test_a_year_without_open_figures_names_those_that_have_them() -> None:
    printed, name, _ = printed_fhi()
    with pytest.raises(UnknownPeriod, match="2013 to 2023"):
        validate_open_base(printed, name, 1999)
