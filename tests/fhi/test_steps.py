"""The steps before weights, in their order, over a small panel with a denominator."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fhi.errors import ConstantIndicator, RecipeError
from fhi.framework import Denominator, Framework, load_framework
from fhi.notes import Note
from fhi.panel import PANEL_SCHEMA
from fhi.recipe import (
    DenominateStep,
    ForcedTreatment,
    ImputeStep,
    NormaliseRule,
    NormaliseStep,
    Recipe,
    ScreenStep,
    TreatStep,
)
from fhi.steps import Steps, prepare, time_of, wide_table

SMALL = load_framework(Path(__file__).parent / "small.toml")
# Indicator a is counted per head of the denominator.
TREE = Framework.model_validate(
    {
        **SMALL.model_dump(),
        "indicators": [
            {**entry.model_dump(), **({"denominator": "heads", "per": 10.0} if entry.code == "a" else {})}
            for entry in SMALL.indicators
        ],
        "denominators": [Denominator(code="heads", name_en="Heads", name_zh="人口", unit="persons")],
    }
)
FIGURES: dict[str, dict[str, float | None]] = {
    "x": {"a": 1.0, "b": 10.0, "c": 0.0, "d": 2.0, "heads": 10.0},
    "y": {"a": 3.0, "b": 30.0, "c": 1.0, "d": 10.0, "heads": 10.0},
    "z": {"a": 8.0, "b": None, "c": 3.0, "d": None, "heads": 20.0},
    "w": {"a": 9.0, "b": None, "c": None, "d": None, "heads": 0.0},
}
UNITS = pl.DataFrame({"hub": ["x", "y", "z", "w"], "region": ["east", "east", "west", None]})


def panel(figures: dict[str, dict[str, float | None]] = FIGURES, period: str = "2022") -> pl.DataFrame:
    rows = [
        {"hub": hub, "period": period, "code": code, "value": value, "unit": "u", "status": "observed", "source": "s"}
        for hub, values in figures.items()
        for code, value in values.items()
    ]
    return pl.DataFrame(rows, schema=PANEL_SCHEMA)


def steps(recipe: Recipe, rows: pl.DataFrame | None = None, tree: Framework = TREE) -> Steps:
    return prepare(panel() if rows is None else rows, tree, recipe, UNITS)


def column(done: Steps, name: str, code: str) -> dict[str, float | None]:
    table = wide_table(done, name)
    return dict(zip(table["hub"], table[code], strict=True))


def test_without_choices_there_are_figures_and_scores_only() -> None:
    done = steps(Recipe())
    assert list(done.cubes) == ["data", "treated", "normalised"]  # c is declared log1p
    assert column(done, "data", "b") == {"w": None, "x": 10.0, "y": 30.0, "z": None}
    assert done.changes.filter(pl.col("code") != "c").height == 0


def test_a_unit_with_too_few_figures_leaves_and_is_said() -> None:
    done = steps(Recipe(screen=ScreenStep(method="availability", min_unit_share=0.5)))
    assert column(done, "screened", "a") == {"w": None, "x": 1.0, "y": 3.0, "z": 8.0}
    assert Note("unit_screened_out", "w", ("2022",)) in done.notes
    gone = done.screening.row(0, named=True)
    assert (gone["hub"], gone["reason"], gone["share"], gone["min_share"]) == ("w", "unit_share", 0.25, 0.5)


def test_an_indicator_with_too_few_figures_leaves_and_is_said() -> None:
    done = steps(Recipe(screen=ScreenStep(method="availability", min_indicator_share=0.6)))
    assert {note.subject for note in done.notes if note.code == "indicator_screened_out"} == {"b", "d"}
    assert set(column(done, "screened", "b").values()) == {None}


def test_what_was_screened_out_is_not_imputed() -> None:
    recipe = Recipe(screen=ScreenStep(method="availability", min_unit_share=0.5), impute=ImputeStep(method="mean"))
    done = steps(recipe)
    assert column(done, "imputed", "b") == {"w": None, "x": 10.0, "y": 30.0, "z": (10 + 30) / 2}
    counts = dict(done.imputation.select("code", "imputed").iter_rows())
    assert counts == {"a": 0, "b": 1, "c": 0, "d": 1}


def test_figures_per_head_and_what_a_zero_denominator_costs() -> None:
    done = steps(Recipe(denominate=DenominateStep(method="framework")))
    assert column(done, "denominated", "a") == {"w": None, "x": 1 / 10 * 10, "y": 3 / 10 * 10, "z": 8 / 20 * 10}
    assert column(done, "denominated", "b") == column(done, "data", "b")
    lost = done.changes.filter(pl.col("step") == "denominate").row(0, named=True)
    assert (lost["hub"], lost["code"], lost["before"], lost["after"]) == ("w", "a", 9.0, None)
    assert Note("lost_to_denominator", "heads", detail="1") in done.notes


def test_group_means_go_by_an_attribute_of_units() -> None:
    done = steps(Recipe(impute=ImputeStep(method="group_mean", group="region")))
    filled = done.changes.filter(pl.col("step") == "impute group_mean")
    # The west has no figure of b but z's own gap, and w belongs to no region: nothing to go by.
    assert filled.height == 0
    east = {**FIGURES, "v": {"a": 1.0, "b": None, "c": 1.0, "d": 1.0, "heads": 1.0}}
    units = pl.concat([UNITS, pl.DataFrame({"hub": ["v"], "region": ["east"]})])
    done = prepare(panel(east), TREE, Recipe(impute=ImputeStep(method="group_mean", group="region")), units)
    assert column(done, "imputed", "b")["v"] == (10 + 30) / 2
    assert column(done, "imputed", "b")["z"] is None
    assert Note("imputed", "group_mean", detail="1") in done.notes


def test_treatment_lists_every_changed_cell() -> None:
    forced = TreatStep(by_indicator={"a": ForcedTreatment(method="winsorise", points=1)})
    done = steps(Recipe(treat=forced))
    changed = done.changes.filter(pl.col("code") == "a")
    assert changed.select("hub", "step", "before", "after").rows() == [("x", "treat", 1.0, 3.0)]  # skewed to the left


def test_goalposts_are_transformed_as_the_figures_are() -> None:
    """An indicator with log1p and goalposts 0 and e^2 - 1 scores ln(1 + x) / 2."""
    tree = Framework.model_validate(
        {
            **SMALL.model_dump(),
            "indicators": [
                {**entry.model_dump(), **({"lower": 0.0, "upper": float(np.e**2 - 1)} if entry.code == "c" else {})}
                for entry in SMALL.indicators
            ],
        }
    )
    rows = panel({hub: {code: value for code, value in row.items() if code != "heads"} for hub, row in FIGURES.items()})
    done = steps(Recipe(normalise=NormaliseStep(bounds="period")), rows, tree)
    assert column(done, "normalised", "c")["y"] == pytest.approx(100 * np.log(2) / 2)


def test_an_unskewed_rest_is_told_from_one_that_no_treatment_helps() -> None:
    many = {f"u{i:02}": {"a": 0.0, "b": float(i), "c": 1.0 + i, "d": 5.0, "heads": 1.0} for i in range(20)}
    many["u19"]["a"] = 1000.0
    recipe = Recipe(treat=TreatStep(method="winsorise", max_points=0, fall_back="none"))
    done = steps(recipe, panel(many))
    assert Note("still_skewed", "a", ("2022",)) in done.notes


def test_years_and_quarters_together_cannot_be_imputed_along_time() -> None:
    rows = pl.concat([panel(period="2022"), panel(period="2022-Q1")])
    with pytest.raises(RecipeError, match="periods 2022 and 2022-Q1"):
        steps(Recipe(impute=ImputeStep(method="linear")), rows)


@pytest.mark.parametrize(
    ("period", "time"), [("2022", 2022.0), ("2022-Q3", 2022.5), ("2022-04", 2022.25), ("undated", 0.0)]
)
def test_where_a_period_begins(period: str, time: float) -> None:
    assert time_of(period) == time


def test_a_transformation_that_imputed_figures_cannot_take_is_named() -> None:
    """Regression may fill a figure below zero, which ln(1 + x) cannot take."""
    rows = panel({hub: dict(values) for hub, values in FIGURES.items()}).with_columns(
        value=pl.when((pl.col("code") == "c") & (pl.col("hub") == "x")).then(-5.0).otherwise("value")
    )
    with pytest.raises(RecipeError, match="c: found log1p needs figures of zero or more"):
        steps(Recipe(), rows)


def years(first: dict[str, dict[str, float | None]], second: dict[str, dict[str, float | None]]) -> pl.DataFrame:
    return pl.concat([panel(first, "2021"), panel(second, "2022")])


def test_what_varies_over_all_periods_is_no_constant_where_bounds_are_pooled() -> None:
    """One value only in 2021, but others in 2022: an error where periods stand alone, none where they are pooled."""
    flat = {hub: {**values, "b": 20.0} for hub, values in FIGURES.items()}
    pooled = NormaliseStep(bounds="pooled", constant="error")
    done = steps(Recipe(normalise=pooled), years(flat, FIGURES))
    where = (0, slice(None), done.codes.index("b"))
    assert np.allclose(done.cubes["normalised"][where], 100 * (30 - 20) / (30 - 10))
    assert np.isnan(done.within[where]).all()
    with pytest.raises(ConstantIndicator):
        steps(Recipe(normalise=NormaliseStep(constant="error")), years(flat, FIGURES))


def test_pooled_bounds_need_the_reference_in_one_period_only() -> None:
    gone = {hub: {**values, "a": None} if hub == "z" else values for hub, values in FIGURES.items()}
    rule = NormaliseRule(method="distance_to_reference", reference="z")
    done = steps(Recipe(normalise=NormaliseStep(bounds="pooled", by_indicator={"a": rule})), years(gone, FIGURES))
    # Figures 1, 3 and 9 in 2021 and the reference 8 in 2022.
    assert column(done, "normalised", "a")["y"] == pytest.approx((3 - 1) / (8 - 1))
    assert np.array_equal(done.within[:, :, 0], done.cubes["normalised"][:, :, 0], equal_nan=True)


def test_a_transformed_figure_is_not_scored_on_marks_in_its_own_unit() -> None:
    rule = NormaliseRule(method="scaled", from_upper=3)
    with pytest.raises(RecipeError, match="c: found transformed by log1p, then scored by scaled"):
        steps(Recipe(normalise=NormaliseStep(by_indicator={"c": rule})))


def test_quarters_and_months_together_cannot_be_imputed_along_time() -> None:
    """By name June comes before the first quarter, so that its figure would be carried back."""
    rows = pl.concat([panel(period="2022-06"), panel(period="2022-Q1")])
    with pytest.raises(RecipeError, match="periods 2022-Q1 and 2022-06"):
        steps(Recipe(impute=ImputeStep(method="carry_forward")), rows)
