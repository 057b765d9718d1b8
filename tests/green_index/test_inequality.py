import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from green_index.inequality import NO_FIGURES, NOT_POSITIVE, dagum, group_pairs, inequality, theil

FIGURES = st.lists(st.tuples(st.floats(0.01, 1000), st.sampled_from("abcd")), min_size=1, max_size=25)


@pytest.fixture(scope="module")
def published(reference: Path) -> dict[str, Any]:
    text = (reference / "composite" / "mcdm" / "chinese_methods_reference.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_theil_of_the_reference_case(published: dict[str, Any]) -> None:
    case = published["theil"]
    found = theil(np.array(case["y"]), case["g"])
    assert found.total == pytest.approx(case["T"], abs=1e-12)
    assert found.between == pytest.approx(case["Tb"], abs=1e-12)
    assert found.within == pytest.approx(case["Tw"], abs=1e-12)
    by_group = dict(zip(found.groups, found.within_by_group.tolist(), strict=True))
    assert by_group == pytest.approx(case["within"], abs=1e-12)


def test_gini_and_theil_of_five_incomes() -> None:
    income = np.array([10.0, 20.0, 30.0, 40.0, 100.0])
    # Differences of all ordered pairs sum to 2 x (10 + 20 + 30 + 90 + 10 + 20 + 80 + 10 + 70 + 60).
    assert dagum(income, ["a"] * 5).total == pytest.approx(2 * 400 / 25 / (2 * 40), abs=1e-15)
    relative = [y / 40 for y in income]
    assert theil(income, ["a"] * 5).total == pytest.approx(sum(r * np.log(r) for r in relative) / 5, abs=1e-15)


def test_dagum_of_the_reference_case(published: dict[str, Any]) -> None:
    case = published["dagum_small"]
    found = dagum(np.array(case["y"], dtype=float), case["g"])
    parts = (found.total, found.within, found.between, found.transvariation)
    assert parts == pytest.approx((case["G"], case["Gw"], case["Gnb"], case["Gt"]), abs=1e-12)
    place = {name: i for i, name in enumerate(found.groups)}
    for name, gini in case["Gjj"].items():
        assert found.pairs[place[name], place[name]] == pytest.approx(gini, abs=1e-12)
    for key, gini in case["Gjh"].items():
        a, b = key.split("|")
        assert found.pairs[place[a], place[b]] == pytest.approx(gini, abs=1e-12)
        assert found.affluence[place[a], place[b]] == pytest.approx(case["D"][key], abs=1e-12)


@pytest.mark.parametrize(
    ("key", "column"), [("asem_index_by_EurAsia_group", "EurAsia"), ("asem_index_by_GDP_group", "GDP")]
)
def test_both_measures_of_the_asem_index(published: dict[str, Any], reference: Path, key: str, column: str) -> None:
    folder = reference / "composite" / "coinr_asem"
    units = pl.read_csv(folder / "iData.csv", null_values="NA", infer_schema_length=None)
    scores = pl.read_csv(folder / "pipeline_aggregated.csv", null_values="NA", infer_schema_length=None)
    group = next(name for name in units.columns if name.lower().startswith(column.lower()) and "group" in name.lower())
    joined = scores.select("uCode", "Index").join(units.select("uCode", pl.col(group).alias("group")), on="uCode")
    y, groups = joined["Index"].to_numpy(), joined["group"].to_list()
    split, share, case = dagum(y, groups), theil(y, groups), published[key]
    wanted = case["dagum"]
    found = (split.total, split.within, split.between, split.transvariation)
    assert found == pytest.approx((wanted["G"], wanted["Gw"], wanted["Gnb"], wanted["Gt"]), abs=1e-12)
    assert (share.total, share.between, share.within) == pytest.approx(tuple(case["theil"].values()), abs=1e-12)


@given(FIGURES)
def test_the_parts_add_up_and_none_is_negative(rows: list[tuple[float, str]]) -> None:
    y, groups = np.array([figure for figure, _ in rows]), [group for _, group in rows]
    split, share = dagum(y, groups), theil(y, groups)
    assert split.within + split.between + split.transvariation == pytest.approx(split.total, abs=1e-12)
    assert min(split.within, split.between, split.transvariation) >= 0
    assert share.between + share.within == pytest.approx(share.total, abs=1e-9)
    assert share.between >= -1e-12
    assert (share.within_by_group >= -1e-12).all()
    assert ((split.affluence >= 0) & (split.affluence <= 1)).all()


@given(FIGURES, st.floats(0.1, 50), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_unit_order_and_repetition_do_not_matter(rows: list[tuple[float, str]], scale: float, random: Any) -> None:
    y, groups = np.array([figure for figure, _ in rows]), [group for _, group in rows]
    first = dagum(y, groups)
    shuffled = list(rows)
    random.shuffle(shuffled)
    others = [
        dagum(y * scale, groups),
        dagum(np.array([figure for figure, _ in shuffled]), [group for _, group in shuffled]),
        dagum(np.concatenate([y, y]), groups * 2),
    ]
    for other in others:
        parts = (other.total, other.within, other.between, other.transvariation)
        assert parts == pytest.approx((first.total, first.within, first.between, first.transvariation), abs=1e-9)


def test_groups_of_one_value_each_have_nothing_within_and_nothing_overlapping() -> None:
    found = dagum(np.array([2.0, 2.0, 6.0, 6.0]), ["poor", "poor", "rich", "rich"])
    # Half of all pairs differ by 4: 4 / 2 / (2 x 4).
    assert (found.total, found.within, found.transvariation) == (0.25, 0.0, 0.0)
    assert found.affluence[0, 1] == 1.0


@pytest.mark.parametrize("figures", [[1.0, 0.0], [1.0, -2.0], [1.0, float("nan")], []])
def test_figures_that_have_no_shares_are_refused(figures: list[float]) -> None:
    for measure in (theil, dagum):
        with pytest.raises(ValueError, match="expected"):
            measure(np.array(figures), ["a"] * len(figures))


def test_frames_say_how_many_hubs_are_in_and_why_there_is_no_result() -> None:
    figures = pl.DataFrame(
        [
            ("x", "2020", "green", 2.0),
            ("y", "2020", "green", 6.0),
            ("z", "2020", "green", None),
            ("x", "2021", "green", 0.0),
            ("y", "2021", "green", 6.0),
            ("x", "2022", "green", None),
        ],
        schema=["hub", "period", "code", "value"],
        orient="row",
    )
    groups = pl.DataFrame({"hub": ["x", "y", "z"], "group": ["a", "b", "b"]})
    found = inequality(figures, groups)
    assert found["hubs"].to_list() == [2, 2, 0]
    assert found["gini"].to_list() == [0.25, None, None]
    assert found["missing"].to_list() == [None, NOT_POSITIVE, NO_FIGURES]
    pairs = group_pairs(figures, groups)
    assert pairs.select("group", "other", "gini", "affluence").rows() == [
        ("a", "a", 0.0, None),
        ("a", "b", 0.5, 1.0),
        ("b", "b", 0.0, None),
    ]
