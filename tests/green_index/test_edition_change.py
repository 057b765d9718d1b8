"""Two runs set against each other, on small made trees and on a real edition."""

import dataclasses

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhi.framework import Framework, Group, Indicator
from fhi.index import IndexResult, build_index
from fhi.recipe import AggregateStep, NormaliseStep, Recipe, WeighStep
from green_index.bridge import CarbonFacts, carbon_panel
from green_index.edition_change import (
    NotRepeatable,
    Run,
    UnlikePeriods,
    combine,
    point_changes,
    rank_changes_between,
    run_of_edition,
)
from green_index.editions import EditionContent, freeze
from green_index.errors import UnknownPeriod
from green_index.index import TRACKING, GreenResult, build_green_index, city_years
from green_index.rank_change import PARTS, rank_change_rows

HUBS = ("h0", "h1", "h2", "h3")
POOLED = Recipe(
    normalise=NormaliseStep(bounds="pooled"),
    weights=WeighStep(method="given"),
    aggregate=AggregateStep(min_share=0, min_share_root=0),
)
EACH = POOLED.model_copy(update={"normalise": NormaliseStep()})
Figures = dict[tuple[str, str, str], float | None]


def tree(*indicators: str, heavy: float = 1.0) -> Framework:
    """Total t of one group g with the indicators but the last, and the last beside it, weighing `heavy`."""
    *inner, last = indicators
    words = {"title_zh": "试", "title_en": "test", "source": "made", "id": "test", "version": "1"}
    groups = (
        Group(code="t", name_zh="t", name_en="t"),
        Group(code="g", name_zh="g", name_en="g", parent="t", weight=1),
    )
    nodes = [(code, "g", 1.0) for code in inner] + [(last, "t", heavy)]
    return Framework(
        groups=groups,
        indicators=tuple(
            Indicator(code=code, name_zh=code, name_en=code, parent=parent, direction=1, weight=weight)
            for code, parent, weight in nodes
        ),
        **words,
    )


def panel(figures: Figures) -> pl.DataFrame:
    rows = [(hub, year, code, value, "point", "observed", "made") for (hub, year, code), value in figures.items()]
    columns = ["hub", "period", "code", "value", "unit", "status", "source"]
    schema = {name: pl.Float64 if name == "value" else pl.String for name in columns}
    return pl.DataFrame(rows, schema=schema, orient="row")


def figures_of(years: tuple[str, ...], codes: tuple[str, ...]) -> st.SearchStrategy[Figures]:
    keys = [(hub, year, code) for hub in HUBS for year in years for code in codes]
    values = st.one_of(st.integers(0, 9).map(float), st.none())
    return st.fixed_dictionaries(dict.fromkeys(keys, values))


def ranks(result: IndexResult, period: str) -> dict[str, int | None]:
    rows = result.scores.filter(pl.col("period") == period, pl.col("code") == "t")
    return dict(rows.select("hub", "rank").iter_rows())


@settings(max_examples=40)
@given(figures_of(("1", "2"), ("a", "b", "c")), figures_of(("1", "2", "3"), ("a", "b", "d")), st.booleans())
def test_random_editions_sum_exactly_to_the_ranks_of_their_own_runs(old: Figures, new: Figures, pooled: bool) -> None:
    """Other figures, another tree, another recipe, another period."""
    years = {year: f"201{year}" for year in "123"}
    panels = [
        panel({(hub, years[year], code): value for (hub, year, code), value in part.items()}) for part in (old, new)
    ]
    one = Run(panels[0], tree("a", "b", "c"), POOLED if pooled else EACH, "2012")
    two = Run(panels[1], tree("a", "b", "d", heavy=3), EACH, "2013")
    combined = combine(one, two)
    rows = rank_change_rows(combined.hubs, combined.scores)
    assert dict(rows.select("hub", "rank_from").iter_rows()) == ranks(
        build_index(one.panel, one.framework, one.recipe), "2012"
    )
    assert dict(rows.select("hub", "rank_to").iter_rows()) == ranks(
        build_index(two.panel, two.framework, two.recipe), "2013"
    )
    for row in rows.filter(pl.col("reason").is_null()).iter_rows(named=True):
        assert sum(row[part] for part in PARTS) == row["rank_from"] - row["rank_to"]
        points = row["score_own"] + row["score_method"] + row["score_revision"]
        assert points == pytest.approx(row["score_to"] - row["score_from"], abs=1e-9)
    assert combined.revised
    assert set(combined.unknown) == {"c"}


@settings(max_examples=30)
@given(figures_of(("1", "2"), ("a", "b", "c")))
def test_two_periods_alone_have_no_method_and_no_revision_either_way(given_figures: Figures) -> None:
    figures = panel({(hub, f"201{year}", code): value for (hub, year, code), value in given_figures.items()})
    runs = [Run(figures, tree("a", "b", "c"), POOLED, period) for period in ("2011", "2012")]
    combined = combine(*runs)
    rows = rank_change_rows(combined.hubs, combined.scores)
    assert not rows["method"].abs().sum()
    assert not rows["revision"].abs().sum()
    result = build_index(figures, runs[0].framework, POOLED)
    assert rank_changes_between(result.scores, "t", "2011", "2012").equals(rows)


def test_an_old_period_that_the_new_panel_lacks_is_taken_as_unrevised() -> None:
    one = panel({(hub, "2011", code): i + len(code) * 1.0 for i, hub in enumerate(HUBS) for code in ("a", "b", "c")})
    two = one.with_columns(period=pl.lit("2012"), value=-pl.col("value"))
    combined = combine(*(Run(p, tree("a", "b", "c"), POOLED, y) for p, y in ((one, "2011"), (two, "2012"))))
    assert not combined.revised
    assert (combined.scores[:, 0] == combined.scores[:, 1]).all()


def test_unknown_and_unlike_periods_are_refused() -> None:
    one = panel({(hub, "2011", code): float(i) for i, hub in enumerate(HUBS) for code in ("a", "b", "c")})
    run = Run(one, tree("a", "b", "c"), POOLED, "2011")
    with pytest.raises(UnknownPeriod, match="2012"):
        combine(run, dataclasses.replace(run, period="2012"))
    months = one.with_columns(period=pl.lit("2011-05"))
    with pytest.raises(UnlikePeriods, match="found 2011 and 2011-05; expected two years, or two months"):
        combine(run, Run(months, run.framework, POOLED, "2011-05"))


@settings(max_examples=40)
@given(figures_of(("1", "2"), ("a", "b", "c")))
def test_points_of_nodes_sum_to_the_change_of_the_total(given_figures: Figures) -> None:
    figures = panel({(hub, f"201{year}", code): value for (hub, year, code), value in given_figures.items()})
    result = build_index(figures, tree("a", "b", "c"), POOLED)
    before, after = (result.inputs.filter(pl.col("period") == year) for year in ("2011", "2012"))
    for hub in HUBS:
        rows = point_changes(before, after, result.framework, result.framework, hub)
        by_code = {row["code"]: row for row in rows.iter_rows(named=True)}
        total = result.scores.filter(pl.col("hub") == hub, pl.col("code") == "t").sort("period")["score"].to_list()
        if None not in total:
            assert by_code["t"]["change"] == pytest.approx(total[1] - total[0], abs=1e-9)
        for row in by_code.values():
            assert row["by_score"] + row["by_weight"] == pytest.approx(row["change"], abs=1e-9)
            assert row["points_to"] - row["points_from"] == pytest.approx(row["change"], abs=1e-9)
        for group, children in result.framework.children.items():
            if group in by_code:
                parts = sum(by_code[child]["change"] for child in children if child in by_code)
                assert by_code[group]["change"] == pytest.approx(parts, abs=1e-9)


def test_points_by_hand() -> None:
    """Weight 0.5 and score 40, then weight 0.3 and score 60: by score 0.4 x 20, by weight 50 x -0.2.

    Another indicator is there before only, with 0.5 x 10: it goes by weight alone, 10 x -0.5.
    """
    framework = tree("a", "b", "c")
    schema = ["hub", "code", "normalised", "weight", "points"]
    before = pl.DataFrame([("h0", "a", 40.0, 0.5, 20.0), ("h0", "b", 10.0, 0.5, 5.0)], schema=schema, orient="row")
    after = pl.DataFrame([("h0", "a", 60.0, 0.3, 18.0)], schema=schema, orient="row")
    rows = {row["code"]: row for row in point_changes(before, after, framework, framework, "h0").iter_rows(named=True)}
    assert (rows["a"]["by_score"], rows["a"]["by_weight"]) == pytest.approx((0.4 * 20, 50 * -0.2))
    assert (rows["b"]["by_score"], rows["b"]["by_weight"]) == pytest.approx((0, 10 * -0.5))
    assert rows["t"]["change"] == pytest.approx(18 - 25)
    assert list(rows) == ["t", "g", "a", "b"]


@pytest.fixture(scope="module")
def frozen_of() -> dict[str, EditionContent]:
    return {}


@pytest.fixture
def frozen(carbon: CarbonFacts, frozen_of: dict[str, EditionContent]) -> EditionContent:
    if not frozen_of:
        frozen_of["it"] = freeze(build_green_index("open", carbon_panel(carbon, city_years()), TRACKING), "test 1")
    return frozen_of["it"]


def test_an_edition_becomes_the_run_that_it_was_made_of(frozen: EditionContent) -> None:
    run = run_of_edition(frozen)
    assert run.period == "2023"
    again = freeze(GreenResult("open", build_index(run.panel, run.framework, run.recipe), frozen.notes), "test 1")
    assert again.scores.equals(frozen.scores)
    assert run_of_edition(frozen, "2015").period == "2015"
    with pytest.raises(UnknownPeriod, match="2050"):
        run_of_edition(frozen, "2050")


def test_an_edition_that_does_not_give_its_scores_again_is_refused(frozen: EditionContent) -> None:
    moved = frozen.scores.with_columns(score=pl.col("score") + 0.01)
    with pytest.raises(NotRepeatable, match=f"edition {frozen.id}.*expected .* as frozen.*test 1"):
        run_of_edition(dataclasses.replace(frozen, scores=moved))


def test_ranks_of_a_real_edition_are_those_of_its_periods(frozen: EditionContent) -> None:
    root = frozen.framework.root
    totals = frozen.scores.filter(pl.col("code") == root)
    for before, after in (("2013", "2014"), ("2013", "2023"), ("2022", "2023")):
        rows = rank_changes_between(frozen.scores, root, before, after)
        for column, period in (("rank_from", before), ("rank_to", after)):
            stored = dict(totals.filter(pl.col("period") == period).select("hub", "rank").iter_rows())
            assert dict(rows.select("hub", column).iter_rows()) == stored
        assert (rows["own"] + rows["others"] == rows["gained"]).all()
        assert rows["gained"].abs().sum() > 0
