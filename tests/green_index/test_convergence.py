import numpy as np
import polars as pl
import pytest

from green_index.convergence import NOT_POSITIVE, TOO_FEW, TOO_FEW_YEARS, beta, fit_line, sigma


def figures(rows: dict[str, dict[str, float | None]]) -> pl.DataFrame:
    flat = [(hub, period, value) for hub, years in rows.items() for period, value in years.items()]
    return pl.DataFrame(flat, schema=["hub", "period", "value"], orient="row")


def test_spread_of_each_year_over_the_hubs_that_every_year_has() -> None:
    table = figures(
        {"a": {"2020": 2.0, "2021": 3.0}, "b": {"2020": 6.0, "2021": 5.0}, "c": {"2020": 100.0, "2021": None}}
    )
    found = sigma(table)
    assert found["hubs"].to_list() == [2, 2]
    # (2, 6): mean 4, deviations 2, variance 8; (3, 5): mean 4, variance 2.
    assert found["variation"].to_list() == pytest.approx([8**0.5 / 4, 2**0.5 / 4])
    assert found["log_spread"].to_list() == pytest.approx([np.log(3) / 2**0.5, np.log(5 / 3) / 2**0.5])


def test_hubs_that_close_a_known_share_of_their_distance_have_that_slope_and_half_life() -> None:
    # ln y moves half of its distance to 5 in ten years: growth a year = (5 - ln y0) / 20, a slope of -1/20.
    began = {f"h{i}": float(np.exp(2 + 0.3 * i)) for i in range(8)}
    table = figures({hub: {"2010": y, "2020": float(np.exp((np.log(y) + 5) / 2))} for hub, y in began.items()})
    row = beta(table).row(0, named=True)
    assert row["slope"] == pytest.approx(-1 / 20)
    assert row["speed"] == pytest.approx(np.log(2) / 10)
    assert row["half_life_years"] == pytest.approx(10)
    assert (row["hubs"], row["years"], row["kind"], row["missing"]) == (8, 10, "absolute", None)


def test_hubs_that_drift_apart_have_a_slope_but_no_half_life() -> None:
    table = figures({f"h{i}": {"2010": float(np.exp(i)), "2020": float(np.exp(1.5 * i))} for i in range(8)})
    row = beta(table).row(0, named=True)
    assert row["slope"] == pytest.approx(0.05)
    assert (row["speed"], row["half_life_years"]) == (None, None)


def test_each_group_may_have_a_level_of_its_own() -> None:
    # Two groups that close half of the distance to levels of their own: absolute growth hides it, conditional shows it.
    level = {"low": 2.0, "high": 6.0}
    rows = {
        f"{group}{i}": (float(np.exp(end - 1 + 0.4 * i)), float(np.exp((2 * end - 1 + 0.4 * i) / 2)))
        for group, end in level.items()
        for i in range(5)
    }
    table = figures({hub: {"2010": first, "2020": last} for hub, (first, last) in rows.items()})
    groups = pl.DataFrame({"hub": list(rows), "group": [hub[:-1] for hub in rows]})
    assert beta(table, groups).row(0, named=True)["slope"] == pytest.approx(-0.05)
    assert beta(table).row(0, named=True)["slope"] > -0.04


def test_errors_of_a_line_by_hand() -> None:
    x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 1.0, 3.0])
    line = fit_line(x, y, np.ones((4, 1)))
    # Means 1.5 and 1.25: slope = 4.5 / 5; residuals 0.1, 0.2, -0.7, 0.4 from the line -0.1 + 0.9 x.
    left = np.array([0.1, 0.2, -0.7, 0.4])
    assert line.slope == pytest.approx(0.9)
    assert line.slope_se == pytest.approx(((left @ left) / 2 / 5) ** 0.5)
    centred = x - 1.5
    assert line.slope_se_robust == pytest.approx(((centred**2 @ left**2) / 25 * 4 / 2) ** 0.5)
    assert line.r_squared == pytest.approx(1 - (left @ left) / 4.75)
    # Student's t with two degrees of freedom has the tail (1 - t / sqrt(2 + t^2)) / 2 on each side.
    t = 0.9 / line.slope_se
    assert line.p_value == pytest.approx(1 - t / (2 + t * t) ** 0.5)


def test_too_few_hubs_and_figures_without_logarithm_say_so() -> None:
    few = figures({hub: {"2010": 1.0, "2020": 2.0} for hub in "ab"})
    assert beta(few)["missing"].item() == TOO_FEW
    assert sigma(figures({"a": {"2010": 1.0}}))["missing"].item() == TOO_FEW
    once = figures({hub: {"2010": float(i)} for i, hub in enumerate("abcdefg", 1)})
    assert beta(once)["missing"].item() == TOO_FEW_YEARS
    zero = figures({hub: {"2010": float(i), "2020": 2.0} for i, hub in enumerate("abcdefg")})
    assert beta(zero)["missing"].item() == NOT_POSITIVE
    assert sigma(zero)["log_spread"][0] is None
    assert sigma(zero)["variation"][0] is not None


def test_a_year_without_any_figure_leaves_too_few_hubs_in_every_year() -> None:
    empty_first = figures({hub: {"2010": 1.0, "2020": 2.0 + i} for i, hub in enumerate("abcdefg")}).with_columns(
        value=pl.when(pl.col("period") == "2020").then("value")
    )
    assert sigma(empty_first)["period"].to_list() == ["2010", "2020"]
    assert sigma(empty_first)["missing"].to_list() == [TOO_FEW, TOO_FEW]
    for row in (beta(empty_first), beta(empty_first.with_columns(value=pl.lit(None, dtype=pl.Float64)))):
        assert (row["hubs"].item(), row["missing"].item()) == (0, TOO_FEW)
