import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhi.errors import ConstantIndicator, PanelError
from fhi.framework import Framework, load_framework
from fhi.index import IndexResult, build_index
from fhi.notes import Note
from fhi.panel import PANEL_SCHEMA
from fhi.recipe import AggregateStep, ImputeStep, NormaliseStep, Recipe, WeighStep

TREE = load_framework(Path(__file__).parent / "small.toml")
Figures = dict[str, dict[str, float | None]]

# Three hubs: a is t, b is CNY (less is better), c spans decades, d has goalposts 0 and 10.
FIGURES: Figures = {
    "x": {"a": 1.0, "b": 10.0, "c": 0.0, "d": 2.0},
    "y": {"a": 3.0, "b": 30.0, "c": math.e - 1, "d": 10.0},
    "z": {"a": 5.0, "b": 20.0, "c": math.e**2 - 1, "d": None},
}


def panel(figures: Figures, period: str = "2022") -> pl.DataFrame:
    rows = [
        {"hub": hub, "period": period, "code": code, "value": value, "unit": "u", "status": "observed", "source": "s"}
        for hub, values in figures.items()
        for code, value in values.items()
    ]
    return pl.DataFrame(rows, schema=PANEL_SCHEMA)


def scores_of(result: IndexResult, code: str, period: str = "2022") -> dict[str, float | None]:
    rows = result.scores.filter(pl.col("code") == code, pl.col("period") == period)
    return dict(rows.select("hub", "score").iter_rows())


def test_scores_by_hand() -> None:
    result = build_index(panel(FIGURES), TREE, Recipe())
    g = {"x": (0 + 100) / 2, "y": (50 + 0) / 2, "z": (100 + 50) / 2}
    h = {"x": (0 + 20) / 2, "y": (50 + 100) / 2, "z": 100 / 1}
    assert scores_of(result, "g") == pytest.approx(g)
    assert scores_of(result, "h") == pytest.approx(h)
    assert scores_of(result, "total") == pytest.approx({hub: 3 / 4 * g[hub] + 1 / 4 * h[hub] for hub in g})


def test_ranks_count_the_ranked() -> None:
    result = build_index(panel(FIGURES), TREE, Recipe())
    total = result.scores.filter(pl.col("code") == "total").sort("rank")
    assert total["hub"].to_list() == ["z", "x", "y"]
    assert total["ranked"].to_list() == [3, 3, 3]


def test_coverage_counts_figures_by_weight() -> None:
    result = build_index(panel(FIGURES), TREE, Recipe())
    coverage = dict(result.scores.filter(pl.col("code") == "total").select("hub", "coverage").iter_rows())
    assert coverage == pytest.approx({"x": 1.0, "y": 1.0, "z": 3 / 4 * 1 + 1 / 4 * 1 / 2})


def test_a_hub_without_a_whole_group_is_not_ranked_and_says_why() -> None:
    figures: Figures = {**FIGURES, "w": {"a": None, "b": None, "c": 1.0, "d": 1.0}}
    result = build_index(panel(figures), TREE, Recipe())
    row = result.scores.filter(pl.col("code") == "total", pl.col("hub") == "w").row(0, named=True)
    assert (row["score"], row["rank"], row["reason"], row["ranked"]) == (None, None, "below_min_share", 3)


def test_missing_is_not_zero() -> None:
    with_gap = build_index(panel(FIGURES), TREE, Recipe())
    with_zero = build_index(panel({**FIGURES, "z": {**FIGURES["z"], "d": 0.0}}), TREE, Recipe())
    assert scores_of(with_gap, "h")["z"] != scores_of(with_zero, "h")["z"]


def test_points_add_up_to_the_total() -> None:
    result = build_index(panel(FIGURES), TREE, Recipe())
    points = dict(result.inputs.group_by("hub").agg(pl.col("points").sum()).iter_rows())
    assert points == pytest.approx(scores_of(result, "total"))
    weights = dict(result.inputs.group_by("hub").agg(pl.col("weight").sum()).iter_rows())
    assert weights == pytest.approx(dict.fromkeys("xyz", 1.0))


def test_a_constant_indicator_is_left_out_and_said_or_an_error() -> None:
    figures = {hub: {**values, "a": 7.0} for hub, values in FIGURES.items()}
    result = build_index(panel(figures), TREE, Recipe())
    assert scores_of(result, "g") == pytest.approx({"x": 100, "y": 0, "z": 50})
    assert Note("one_value_only", "a", ("2022",)) in result.notes
    with pytest.raises(ConstantIndicator, match="a in 2022"):
        build_index(panel(figures), TREE, Recipe(normalise=NormaliseStep(constant="error")))


def test_an_indicator_of_too_few_hubs_is_left_out_and_said() -> None:
    recipe = Recipe(normalise=NormaliseStep(min_hubs=3))
    result = build_index(panel(FIGURES), TREE, recipe)
    assert scores_of(result, "h") == pytest.approx({"x": 0, "y": 50, "z": 100})
    assert Note("too_few_hubs", "d", ("2022",), "3") in result.notes


def test_pooled_bounds_let_years_compare() -> None:
    later = {hub: {**values, "a": (values["a"] or 0) + 4} for hub, values in FIGURES.items()}
    both = pl.concat([panel(FIGURES), panel(later, "2023")])
    pooled = build_index(both, TREE, Recipe(normalise=NormaliseStep(bounds="pooled")))
    each = build_index(both, TREE, Recipe())
    assert scores_of(pooled, "total", "2023")["x"] > scores_of(pooled, "total", "2022")["x"]  # type: ignore[operator]
    assert scores_of(each, "total", "2023") == pytest.approx(scores_of(each, "total", "2022"))


def test_bounds_do_not_change_weights() -> None:
    """Figures that all rise together in time, and correlate otherwise within each period."""
    rng = np.random.default_rng(3)
    tree = Framework.model_validate({**TREE.model_dump(), "judgements": TREE.judgements[:1]})
    rows = [
        panel({hub: {code: 10.0 * year + rng.random() for code in "abcd"} for hub in "pqrstuv"}, str(2000 + year))
        for year in range(5)
    ]
    weights = WeighStep(otherwise="pca_nicoletti")
    recipes = [Recipe(normalise=NormaliseStep(bounds=bounds), weights=weights) for bounds in ("period", "pooled")]
    first, second = (build_index(pl.concat(rows), tree, recipe).weights for recipe in recipes)
    assert first.equals(second)


def test_least_share_is_the_recipes() -> None:
    figures: Figures = {**FIGURES, "z": {**FIGURES["z"], "c": None, "d": 5.0, "a": None}}
    strict = build_index(panel(figures), TREE, Recipe(aggregate=AggregateStep(min_share=0.75)))
    assert scores_of(strict, "g")["z"] is None
    assert scores_of(build_index(panel(figures), TREE, Recipe()), "g")["z"] == 50.0


def test_problems_of_the_panel_come_at_once() -> None:
    broken = panel({"x": {"nothing": 1.0, "a": float("nan")}})
    with pytest.raises(PanelError) as caught:
        build_index(broken, TREE, Recipe())
    assert {problem.code for problem in caught.value.problems} == {"unknown_code", "not_finite"}


def test_a_filled_cell_has_the_unit_of_the_panel_beside_it() -> None:
    rows = panel(FIGURES).filter(pl.col("value").is_not_null())
    result = build_index(rows, TREE, Recipe(impute=ImputeStep(method="mean")))
    filled = result.inputs.filter(pl.col("status") == "imputed").row(0, named=True)
    assert (filled["hub"], filled["code"], filled["unit"]) == ("z", "d", "u")


def test_the_attribute_that_imputation_goes_by_is_part_of_the_data() -> None:
    recipe = Recipe(impute=ImputeStep(method="group_mean", group="region"))
    versions = {
        build_index(panel(FIGURES), TREE, recipe, pl.DataFrame({"hub": ["x", "y", "z"], "region": regions})).provenance[
            "data_version"
        ]
        for regions in (["e", "e", "w"], ["e", "w", "w"])
    }
    assert len(versions) == 2


def test_the_same_inputs_have_the_same_provenance_and_scores() -> None:
    first, second = (build_index(rows, TREE, Recipe()) for rows in (panel(FIGURES), panel(FIGURES).reverse()))
    assert first.provenance == second.provenance
    assert first.scores.equals(second.scores)
    other = build_index(panel(FIGURES), TREE, Recipe(seed=1))
    assert other.provenance != first.provenance


# Whole figures: two that differ by less than a float can tell apart after a change of unit are no figures at all.
cell = st.one_of(st.none(), st.integers(0, 10**6).map(float))
figures_of = st.fixed_dictionaries(dict.fromkeys("abcd", cell))


@settings(max_examples=40)
@given(
    st.dictionaries(st.sampled_from("pqrstuvw"), figures_of, min_size=2),
    st.sampled_from([0.01, 0.5, 3.0, 50.0]),
    st.integers(-1000, 1000),
)
def test_ranks_survive_renaming_and_affine_rescaling(figures: Figures, factor: float, shift: int) -> None:
    """Other names and, for the two indicators that are scored on their own bounds, another unit and zero."""

    def rescaled(values: dict[str, float | None]) -> dict[str, float | None]:
        return {
            code: value if value is None or code not in "ab" else value * factor + shift
            for code, value in values.items()
        }

    renamed = {chr(ord("z") - i): rescaled(values) for i, values in enumerate(figures.values())}
    back = dict(zip(renamed, figures, strict=True))
    first = scores_of(build_index(panel(figures), TREE, Recipe()), "total")
    second = scores_of(build_index(panel(renamed), TREE, Recipe()), "total")
    for new, old in back.items():
        mine, theirs = second[new], first[old]
        assert (mine is None) == (theirs is None)
        assert mine is None or theirs is None or np.isclose(mine, theirs, atol=1e-6)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from("pqrstuvw"), figures_of, min_size=2))
def test_scores_lie_between_zero_and_a_hundred(figures: Figures) -> None:
    scores = build_index(panel(figures), TREE, Recipe()).scores["score"].drop_nulls()
    assert scores.is_between(-1e-9, 100 + 1e-9).all()


def doubt(**normalise: object) -> Recipe:
    return Recipe.model_validate({"weights": {"method": "bod"}, "normalise": normalise})


def test_the_doubt_hides_no_missing_group() -> None:
    """All of a hub's own best weight is on the figures it has; that must not make it whole."""
    figures: Figures = {**FIGURES, "w": {"a": 4.0, "b": 15.0, "c": None, "d": None}}
    result = build_index(panel(figures), TREE, doubt())
    row = result.scores.filter(pl.col("code") == "total", pl.col("hub") == "w").row(0, named=True)
    assert (row["score"], row["rank"], row["reason"]) == (None, None, "below_min_share")
    assert scores_of(result, "g")["w"] is not None


def test_the_worst_in_everything_has_no_doubt_but_a_score() -> None:
    figures: Figures = {**FIGURES, "w": {"a": 0.0, "b": 40.0, "c": 0.0, "d": 0.0}}
    result = build_index(panel(figures), TREE, doubt())
    assert scores_of(result, "total")["w"] == 0
    points = dict(result.inputs.group_by("hub").agg(pl.col("points").sum()).iter_rows())
    assert points == pytest.approx(scores_of(result, "total"))


def test_the_doubt_stays_within_the_scale_where_bounds_are_pooled() -> None:
    """In 2022 all are far better: weights that are the best within a year would carry y beyond the top."""
    early: Figures = {"x": {"a": 0.0, "b": 40.0}, "y": {"a": 1.0, "b": 39.0}}
    late: Figures = {"x": {"a": 10.0, "b": 2.0}, "y": {"a": 9.5, "b": 1.0}, "z": {"a": 9.0, "b": 2.0}}
    both = pl.concat([panel(early, "2021"), panel(late, "2022")])
    result = build_index(both, TREE, doubt(bounds="pooled"))
    assert scores_of(result, "g", "2022")["x"] == pytest.approx(100)
    # The worst of 2022 is 0 by a within that year, but 90 over both; x = (100, 97.4) and y = (95, 100) bound it.
    b = 100 * (40 - 2) / 39
    weight = np.linalg.solve([[100, b], [95, 100]], [1, 1])
    best = max(float(weight @ [90, b]), 90 / 100, b / 100)
    assert scores_of(result, "g", "2022")["z"] == pytest.approx(100 * best)


def test_a_figure_filled_after_division_says_what_it_is_per() -> None:
    first, *others = TREE.model_dump()["indicators"]
    tree = {
        **TREE.model_dump(),
        "indicators": [{**first, "denominator": "heads", "per": 10.0}, *others],
        "denominators": [{"code": "heads", "name_en": "Heads"}],
    }
    figures: Figures = {hub: {**values, "heads": 5.0} for hub, values in FIGURES.items()}
    figures["z"]["a"] = None
    for method, source in (("framework", "imputed: mean, 10 / heads"), ("none", "imputed: mean")):
        recipe = Recipe.model_validate({"denominate": {"method": method}, "impute": {"method": "mean"}})
        result = build_index(panel(figures), Framework.model_validate(tree), recipe)
        rows = dict(result.inputs.filter(pl.col("status") == "imputed").select("code", "source").iter_rows())
        assert rows == {"a": source, "d": "imputed: mean"}


def test_a_panel_without_rows_makes_no_index() -> None:
    with pytest.raises(PanelError, match="panel: found no row; expected figures of one unit at least"):
        build_index(PANEL_SCHEMA.to_frame(), TREE, Recipe())
