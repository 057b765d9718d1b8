"""Cells of few persons: which are taken out, and that all others and every sum in the lake stay what they are."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from carbon.footprints.bulk.kernel import MOST_COUNTED
from carbon.footprints.bulk.sums import totals_schema
from carbon.footprints.bulk.suppression import InvalidThreshold, suppress_small_cells


def totals_of(persons: list[int]) -> pl.DataFrame:
    rows = [
        (
            "wuhan",
            "2024-10",
            f"act {at}",
            "km",
            9 * count,
            7 * count,
            0.007 * count,
            sum(persons),
            min(count, MOST_COUNTED),
        )
        for at, count in enumerate(persons)
    ]
    return pl.DataFrame(rows, schema=totals_schema(), orient="row")


@given(st.lists(st.integers(1, 120), max_size=12), st.integers(1, MOST_COUNTED))
def test_a_cell_is_shown_as_it_is_or_has_no_figure_at_all(persons: list[int], least: int) -> None:
    totals = totals_of(persons)
    found = suppress_small_cells(totals, least)
    assert found["suppressed"].to_list() == [count < least for count in persons]
    shown = found.filter(~pl.col("suppressed")).drop("suppressed")
    assert_frame_equal(shown, totals.filter(pl.Series([count >= least for count in persons], dtype=pl.Boolean)))
    hidden = found.filter("suppressed")
    figures = ["rows", "amount_milli", "amount", "persons", "activity_persons"]
    assert hidden.select(figures).null_count().sum_horizontal().sum() == len(figures) * hidden.height
    assert_frame_equal(hidden.select("hub", "month", "activity", "unit"), totals.filter(found["suppressed"])[:, :4])


def test_emissions_and_savings_are_taken_out_too() -> None:
    figures = {"co2e_kg": 1.5, "baseline_kg": 3.0, "reduction_kg": 1.5}
    totals = totals_of([4, 5]).with_columns(pl.lit(value).alias(name) for name, value in figures.items())
    found = suppress_small_cells(totals, 5)
    assert found.select(figures.keys()).rows() == [(None, None, None), (1.5, 3.0, 1.5)]
    assert totals.select(figures.keys()).row(0) == (1.5, 3.0, 1.5)


@pytest.mark.parametrize("least", [0, -1, MOST_COUNTED + 1])
def test_a_threshold_that_the_sums_cannot_tell_is_refused(least: int) -> None:
    with pytest.raises(InvalidThreshold, match=f"found {least} persons, expected a number from 1 to {MOST_COUNTED}"):
        suppress_small_cells(totals_of([3]), least)
