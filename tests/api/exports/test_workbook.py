"""The Excel workbook: read as a program reads it, and calculated anew as Excel calculates it."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.exports import layout as layout_module
from api.exports import lists
from api.exports.cells import FILLS
from api.exports.workbook import write_workbook
from api.lang import Lang, texts
from fhi.errors import PanelError
from fhi.formats.panel_files import load_panel
from fhi.framework import Framework, load_framework
from fhi.index import IndexResult, build_index
from fhi.recipe import AggregateStep, ImputeStep, NormaliseRule, NormaliseStep, Recipe, TreatStep, WeighStep

# What the tests are made of: three levels, one direction turned, one with goalposts, one transformed, gaps.

UNITS = pl.DataFrame({"hub": list("pqrs"), "name": ["Pé", "=1+1", "秦", None], "region": ["n", "n", "s", "s"]})
FIGURES: dict[str, dict[str, float | None]] = {
    "p": {"a": 1.0, "b": 10.0, "c": 0.5, "d": 2.0, "e": 3.0},
    "q": {"a": 3.0, "b": 30.0, "c": 1.7, "d": 12.0, "e": None},
    "r": {"a": None, "b": 20.0, "c": 6.4, "d": None, "e": 4.0},
    "s": {"a": 2.5, "b": None, "c": None, "d": 9.0, "e": 8.0},
}
PROVENANCE = {"engine": "test", "input_files": {"figures.csv": "abc"}, "recipe": {"seed": 0}, "seed": 0}


def tree(weights: Mapping[str, float]) -> Framework:
    def node(code: str, parent: str | None, **more: object) -> dict[str, object]:
        return {"code": code, "parent": parent, "name_en": code.upper(), "name_zh": f"{code}项", **more}

    groups = [node("total", None)] + [node(code, parent, weight=weights[code]) for code, parent in _GROUPS.items()]
    indicators = [
        node("a", "g", direction=1, weight=weights["a"]),
        node("b", "g", direction=-1, weight=weights["b"]),
        node("c", "m", direction=1, weight=weights["c"], transform="log1p"),
        node("d", "m", direction=1, weight=weights["d"], lower=0.0, upper=10.0),
        node("e", "h", direction=-1, weight=weights["e"]),
    ]
    head = {"id": "tree", "version": "1", "title_zh": "树", "title_en": "Tree", "source": "test"}
    return Framework.model_validate({**head, "groups": groups, "indicators": indicators})


_GROUPS = {"g": "total", "h": "total", "m": "h"}
WEIGHTS = {"g": 3.0, "h": 1.0, "m": 2.0, "a": 1.0, "b": 2.0, "c": 1.0, "d": 3.0, "e": 1.0}


def two_periods(books: SimpleNamespace) -> pl.DataFrame:
    later = {hub: {code: value and value + 1.0 for code, value in FIGURES[hub].items()} for hub in FIGURES}
    later["r"]["a"] = 0.25
    return pl.concat([books.panel(FIGURES), books.panel(later, "2023")])


def recipe(**steps: object) -> Recipe:
    shares = {"min_share": 0.3, "min_share_root": 0.5}
    aggregate = AggregateStep.model_validate({**shares, **dict(steps.pop("aggregate", {}))})  # type: ignore[call-overload]
    return Recipe.model_validate({"aggregate": aggregate, **steps})


def write(path: Path, result: IndexResult, lang: Lang = "en", units: pl.DataFrame = UNITS) -> Path:
    write_workbook(path / "book.xlsx", result, units, PROVENANCE, lang)
    return path / "book.xlsx"


FROM_ONE = NormaliseStep(lower=1, upper=100)
SCALES = {
    "arithmetic of min-max": recipe(normalise=FROM_ONE),
    "geometric of min-max": recipe(normalise=FROM_ONE, aggregate={"method": "geometric"}),
    "harmonic of min-max": recipe(normalise=FROM_ONE, aggregate={"method": "harmonic"}),
    "power of min-max": recipe(normalise=FROM_ONE, aggregate={"method": "power", "exponent": -2.5}),
    "levels apart": recipe(
        normalise=FROM_ONE, aggregate={"method": "geometric", "by_level": {0: "arithmetic", 2: "harmonic"}}
    ),
    "arithmetic of z-scores": recipe(normalise=NormaliseStep(method="zscore", mean=50, sd=10)),
    "imputed, treated": recipe(
        impute=ImputeStep(method="group_mean", group="region"),
        treat=TreatStep.model_validate({"by_indicator": {"b": {"method": "log"}}}),
    ),
    "every group whole": recipe(aggregate={"min_share": 1.0, "min_share_root": 1.0}),
}


@pytest.mark.parametrize("name", SCALES)
def test_values_and_formulas_are_the_scores_of_the_engine(books: SimpleNamespace, name: str, tmp_path: Path) -> None:
    result = build_index(books.panel(FIGURES), tree(WEIGHTS), SCALES[name], UNITS)
    path = write(tmp_path, result)
    expected = books.expected_scores(result)
    assert books.largest_gap(books.table(path, "Results"), expected, ["unit"]) < 1e-9
    again = books.calculated(path, "Results")
    assert books.largest_gap(again, expected, ["unit"]) < 1e-9
    ranks = result.scores.filter(pl.col("code") == "total").select("hub", pl.col("rank").cast(pl.Float64))
    assert dict(again.select("unit", pl.col("rank").cast(pl.Float64)).iter_rows()) == dict(ranks.iter_rows())


def test_periods_are_ranked_each_by_itself_on_pooled_bounds(books: SimpleNamespace, tmp_path: Path) -> None:
    for bounds in ("period", "pooled"):
        step = NormaliseStep.model_validate({"bounds": bounds, "lower": 1})
        result = build_index(two_periods(books), tree(WEIGHTS), recipe(normalise=step), UNITS)
        path = write(tmp_path, result)
        again = books.calculated(path, "Results")
        assert books.largest_gap(again, books.expected_scores(result), ["unit", "period"]) < 1e-9
        total = result.scores.filter(pl.col("code") == "total").sort("period", "hub")
        found = again.sort("period", "unit")["rank"].cast(pl.Int64)
        assert found.to_list() == total["rank"].to_list()
        shown = books.table(path, "Results")
        assert shown["period"].to_list() == ["2022"] * 4 + ["2023"] * 4
        assert shown["rank"].to_list() == again["rank"].cast(pl.Int64).to_list()


METHODS: dict[str, dict[str, object]] = {
    "minmax": {"lower": 1.0, "upper": 10.0},
    "zscore": {"mean": 100.0, "sd": 15.0},
    "rank": {},
    "percentile_rank": {},
    "borda": {},
    "distance_to_best": {"lower": 1.0, "upper": 7.0},
    "distance_to_reference": {"reference": "q"},
    "distance_to_target": {},
    "goalposts": {"lower": 10.0, "upper": 90.0},
    "scaled": {"from_lower": 2.0, "from_upper": 20.0, "lower": 5.0, "upper": 6.0},
    "share_of_best": {},
}


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("bounds", ["period", "pooled"])
def test_every_way_of_normalising_is_said_in_a_formula(
    books: SimpleNamespace, direction: int, bounds: str, tmp_path: Path
) -> None:
    """Each indicator by a method of its own; unit t has no figures, two others tie, and z has one value only."""
    values = {"p": 4.0, "q": 6.5 if direction > 0 else 4.5, "r": 11.0, "s": 11.0, "t": None, "u": 7.25}
    figures = {hub: dict.fromkeys(METHODS, value) | {"z": 1.0} for hub, value in values.items()}
    later = {hub: dict.fromkeys(METHODS, value and 1.5 * value) | {"z": 1.0} for hub, value in values.items()}
    more = {"direction": direction, "weight": 1.0, "name_en": "x", "parent": "total"}
    marks = {
        "goalposts": {"lower": 5.0, "upper": 9.0},
        "distance_to_target": {"target": 12.0 if direction > 0 else 2.0},
    }
    head = {"id": "flat", "version": "1", "title_zh": "", "title_en": "Flat", "source": "test"}
    flat = Framework.model_validate(
        {
            **head,
            "groups": [{"code": "total", "name_en": "Total"}],
            "indicators": [{"code": code, **more, **marks.get(code, {})} for code in [*METHODS, "z"]],
        }
    )
    rules = {code: NormaliseRule.model_validate({"method": code, **own}) for code, own in METHODS.items()}
    step = NormaliseStep.model_validate({"bounds": bounds, "by_indicator": rules})
    both = pl.concat([books.panel(figures), books.panel(later, "2023")])
    result = build_index(both, flat, recipe(normalise=step))
    path = write(tmp_path, result, units=pl.DataFrame({"hub": list("pqrstu"), "name": list("pqrstu")}))
    cube = result.steps.cubes["normalised"].reshape(-1, len(METHODS) + 1)
    assert np.isfinite(cube[:, :-1]).sum() == 10 * len(METHODS)
    again = books.calculated(path, "Normalised").select(pl.col(*METHODS).cast(pl.Float64)).to_numpy()
    np.testing.assert_allclose(again, cube[:, :-1], rtol=0, atol=1e-9)
    assert books.table(path, "Normalised")["z"].null_count() == 12


@pytest.mark.parametrize("method", ["arithmetic", "geometric"])
def test_a_changed_weight_changes_the_results_as_a_new_run_does(
    books: SimpleNamespace, method: str, tmp_path: Path
) -> None:
    asked = recipe(normalise=NormaliseStep(lower=1), aggregate={"method": method})
    path = write(tmp_path, build_index(books.panel(FIGURES), tree(WEIGHTS), asked, UNITS))
    framework = books.table(path, "Framework")
    column = chr(ord("A") + framework.columns.index("weight"))
    stated = dict(framework.select("code", "weight").iter_rows())
    row = 3 + framework["code"].to_list().index("a")
    again = books.calculated(path, "Results", {("FRAMEWORK", f"{column}{row}"): 5.0})
    rebuilt = build_index(books.panel(FIGURES), tree({**WEIGHTS, "a": 5.0, "b": stated["b"]}), asked, UNITS)
    assert stated["b"] == pytest.approx(2 / 3)
    assert books.largest_gap(again, books.expected_scores(rebuilt), ["unit"]) < 1e-9
    assert books.largest_gap(again, books.table(path, "Results").select("unit", "g", "total"), ["unit"]) > 0.1


def test_a_changed_figure_and_a_changed_least_share_reach_the_results(books: SimpleNamespace, tmp_path: Path) -> None:
    asked = recipe()
    path = write(tmp_path, build_index(books.panel(FIGURES), tree(WEIGHTS), asked, UNITS))
    treated = books.table(path, "Treated")
    place = f"{chr(ord('A') + treated.columns.index('b'))}{3 + treated['unit'].to_list().index('q')}"
    figures = {**FIGURES, "q": {**FIGURES["q"], "b": 12.0}}
    expected = books.expected_scores(build_index(books.panel(figures), tree(WEIGHTS), asked, UNITS))
    assert books.largest_gap(books.calculated(path, "Results", {("TREATED", place): 12.0}), expected, ["unit"]) < 1e-9
    readme = {value: place for (sheet, place), value in books.cells(path).items() if sheet == "README"}
    share = ("README", readme["aggregate.min_share"].replace("B", "C"))
    whole = recipe(aggregate={"min_share": 0.9})
    expected = books.expected_scores(build_index(books.panel(FIGURES), tree(WEIGHTS), whole, UNITS))
    assert expected["g"].null_count() == 2
    assert books.largest_gap(books.calculated(path, "Results", {share: 0.9}), expected, ["unit"]) < 1e-9


@pytest.mark.parametrize("periods", [1, 2])
def test_a_profile_follows_the_chosen_unit(books: SimpleNamespace, periods: int, tmp_path: Path) -> None:
    figures = books.panel(FIGURES) if periods == 1 else two_periods(books)
    result = build_index(figures, tree(WEIGHTS), recipe(), UNITS)
    path = write(tmp_path, result)
    chosen = "=1+1 (q)" if periods == 1 else "=1+1 (q) · 2022"
    assert chosen in books.table(path, "Results")["key"].to_list()
    value = books.calculator(path, {("PROFILES", "B3"): chosen})
    rows = {value("PROFILES", f"A{row}"): row for row in range(9, 18)}
    scores = result.scores.filter(pl.col("period") == "2022")
    for code, row in rows.items():
        node = scores.filter(pl.col("code") == code)
        own = node.row(by_predicate=pl.col("hub") == "q", named=True)
        found = [value("PROFILES", f"{column}{row}") for column in "FGHI"]
        assert found == [
            pytest.approx(x) for x in (own["score"], own["rank"], node["score"].mean(), node["score"].max())
        ]
    assert [value("PROFILES", f"D{rows[code]}") for code in "abcde"] == [3.0, 30.0, 1.7, 12.0, None]


def test_a_profile_is_written_with_the_values_of_the_best_unit(books: SimpleNamespace, tmp_path: Path) -> None:
    result = build_index(two_periods(books), tree(WEIGHTS), recipe(), UNITS)
    path = write(tmp_path, result)
    shown = pl.read_excel(path, sheet_name="Profiles", has_header=False, drop_empty_rows=False)
    best = result.scores.filter(pl.col("period") == "2023", pl.col("code") == "total", pl.col("rank") == 1)
    start = shown["column_0"].to_list().index("total")
    row = shown.row(start)
    mean = result.scores.filter(pl.col("period") == "2023", pl.col("code") == "total")["score"].mean()
    assert [float(x) for x in row[5:9]] == [pytest.approx(best["score"][0]), 1, pytest.approx(mean), float(row[5])]
    value = books.calculator(path)
    for offset in range(9):
        for column, letter in enumerate("DFGHI"):
            there = shown.row(start + offset)[(3, 5, 6, 7, 8)[column]]
            found = value("PROFILES", f"{letter}{start + offset + 1}")
            assert (None if there is None else float(there)) == (None if found is None else pytest.approx(found))


def test_what_no_formula_can_say_is_a_value_and_said(books: SimpleNamespace, tmp_path: Path) -> None:
    asked = recipe(aggregate={"by_level": {1: "copeland"}, "min_share": 0.2})
    result = build_index(books.panel(FIGURES), tree(WEIGHTS), asked, UNITS)
    path = write(tmp_path, result)
    assert books.largest_gap(books.table(path, "Results"), books.expected_scores(result), ["unit"]) < 1e-9
    assert books.largest_gap(books.calculated(path, "Results"), books.expected_scores(result), ["unit"]) < 1e-9
    said = [cell for (sheet, _), cell in books.cells(path).items() if sheet == "README" and "copeland" in str(cell)]
    assert any("G (g)" in str(text) for text in said)
    assert any("H (h)" in str(text) for text in said)
    assert not any("M (m)" in str(text) for text in said)
    doubt = recipe(weights=WeighStep(by_group={"g": "bod"}))
    result = build_index(books.panel(FIGURES), tree(WEIGHTS), doubt, UNITS)
    path = write(tmp_path, result)
    assert books.largest_gap(books.calculated(path, "Results"), books.expected_scores(result), ["unit"]) < 1e-9


def test_large_results_are_values_only(books: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout_module, "MOST_LIVE_CELLS", 19)
    result = build_index(books.panel(FIGURES), tree(WEIGHTS), recipe(), UNITS)
    path = write(tmp_path, result)
    assert books.largest_gap(books.table(path, "Results"), books.expected_scores(result), ["unit"]) < 1e-9
    kinds = {sheet for sheet, _ in books.formulas(path)}
    assert kinds == {"PROFILES", "WEIGHTS", "FRAMEWORK"}
    value = books.calculator(path, {("PROFILES", "B3"): "秦 (r)"})
    own = result.scores.filter(pl.col("code") == "total", pl.col("hub") == "r")["score"][0]
    assert value("PROFILES", "F9") == pytest.approx(own)


def test_too_many_rows_for_excel_are_refused(
    books: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_module, "MOST_ROWS", 9)
    result = build_index(two_periods(books), tree(WEIGHTS), recipe(), UNITS)
    with pytest.raises(PanelError, match=r"10 rows|12 rows"):
        write(tmp_path, result)
    assert not (tmp_path / "book.xlsx").exists()


def test_texts_stay_texts(books: SimpleNamespace, tmp_path: Path) -> None:
    path = write(tmp_path, build_index(books.panel(FIGURES), tree(WEIGHTS), recipe(), UNITS))
    cells = books.cells(path)
    names = [cell for cell in cells.values() if cell == "=1+1"]
    assert len(names) >= 4
    assert not [text for text in books.formulas(path).values() if "1+1" in text]
    assert dict(books.table(path, "Units").select("unit", "name").iter_rows())["s"] == "s"


@pytest.mark.parametrize("live", [True, False])
def test_figures_keep_every_digit_and_texts_every_sign(
    books: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, live: bool
) -> None:
    """Sixteen digits would make a tie of 0.3 and 0.1 + 0.2; large books write their texts another way."""
    if not live:
        monkeypatch.setattr(layout_module, "MOST_LIVE_CELLS", 19)
    close = {"p": 0.3, "q": 0.1 + 0.2, "r": 1e-40, "s": 123456789012345680.0}
    figures = {hub: {**FIGURES[hub], "b": value} for hub, value in close.items()}
    names = [' a <b> & "c" ', "<r><t>x</t></r>", "_x0041_\x01", "=1+1"]
    ranked = recipe(normalise=NormaliseStep.model_validate({"by_indicator": {"b": {"method": "rank"}}}))
    result = build_index(books.panel(figures), tree(WEIGHTS), ranked)
    path = write(tmp_path, result, units=pl.DataFrame({"hub": list("pqrs"), "name": names}))
    assert books.table(path, "Data")["b"].to_list() == list(close.values())
    assert books.calculated(path, "Normalised")["b"].cast(pl.Float64).to_list() == [3.0, 2.0, 4.0, 1.0]
    assert [text.rstrip() for text in books.table(path, "Data")["name"]] == [text.rstrip() for text in names]
    assert books.cells(path)["DATA", "B3"] == names[0]


def test_figures_of_every_step_and_their_marks(books: SimpleNamespace, tmp_path: Path) -> None:
    figures = {**FIGURES, "p": {**FIGURES["p"], "b": 500.0}}
    asked = recipe(
        impute=ImputeStep(method="mean"),
        treat=TreatStep.model_validate({"by_indicator": {"b": {"method": "winsorise", "points": 1}}}),
    )
    result = build_index(books.panel(figures), tree(WEIGHTS), asked, UNITS)
    path = write(tmp_path, result)
    assert books.table(path, "Data")["a"].to_list() == [1.0, 3.0, None, 2.5]
    assert books.table(path, "Imputed")["a"].to_list() == pytest.approx([1.0, 3.0, 6.5 / 3, 2.5])
    filled = (500.0 + 30.0 + 20.0) / 3
    assert books.table(path, "Treated")["b"].to_list() == pytest.approx([filled, 30.0, 20.0, filled])
    marks = books.fills(path, "Treated")
    assert (marks["D3"], marks["C5"], marks["E3"], marks["D6"]) == (
        FILLS["moved"][1:],
        FILLS["imputed"][1:],
        FILLS["transformed"][1:],
        FILLS["imputed"][1:],
    )
    assert "C3" not in marks
    changes = books.table(path, "Changes")
    assert changes.height == result.steps.changes.height == 6
    moved = changes.filter(pl.col("step") == "treat").select("unit", "code", "before", "after")
    assert moved.row(0) == ("p", "b", 500.0, pytest.approx(filled))


def test_a_list_of_changes_too_long_for_a_sheet_says_how_many_are_left_out(
    books: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST_CHANGES", 2)
    result = build_index(books.panel(FIGURES), tree(WEIGHTS), recipe(impute=ImputeStep(method="mean")), UNITS)
    path = write(tmp_path, result)
    shown = books.table(path, "Changes")["unit"].to_list()
    assert shown == ["q", "r", texts("workbook", "en")["changes_more"].format(count=3)]


def test_what_screening_took_out_is_left_out_and_said(books: SimpleNamespace, tmp_path: Path) -> None:
    asked = recipe(screen={"method": "availability", "min_unit_share": 0.7})
    result = build_index(books.panel(FIGURES), tree(WEIGHTS), asked, UNITS)
    path = write(tmp_path, result)
    assert books.table(path, "Screened").filter(pl.col("unit") == "r")["c"].to_list() == [None]
    assert books.table(path, "Data").filter(pl.col("unit") == "r")["c"].to_list() == [6.4]
    assert books.fills(path, "Screened")["E5"] == FILLS["left_out"][1:]
    assert "秦" in books.table(path, "Notes")["note"][0]
    assert books.largest_gap(books.calculated(path, "Results"), books.expected_scores(result), ["unit"]) < 1e-9


FIGURE = st.one_of(st.none(), st.integers(-40, 40).map(lambda number: number / 4))


@settings(max_examples=6, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(*[FIGURE] * 5), min_size=3, max_size=5),
    method=st.sampled_from(["arithmetic", "geometric", "harmonic"]),
    share=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_formulas_are_the_engine_whatever_is_missing(
    books: SimpleNamespace, tmp_path: Path, rows: list[tuple[float | None, ...]], method: str, share: float
) -> None:
    figures = {f"u{i}": dict(zip("abcde", row, strict=True)) for i, row in enumerate(rows)}
    figures = {hub: {**own, "c": own["c"] and abs(own["c"])} for hub, own in figures.items()}
    asked = recipe(normalise=NormaliseStep(lower=1), aggregate={"method": method, "min_share": share})
    result = build_index(books.panel(figures), tree(WEIGHTS), asked)
    units = pl.DataFrame({"hub": list(figures), "name": list(figures)})
    again = books.calculated(write(tmp_path, result, units=units), "Results")
    assert books.largest_gap(again, books.expected_scores(result), ["unit"]) < 1e-9


@pytest.mark.parametrize(
    ("method", "lower", "file"),
    [
        ("arithmetic", 0, "agg_raw_minmax0_100_amean_scores.csv"),
        ("geometric", 1, "agg_raw_minmax1_100_gmean_scores.csv"),
    ],
)
def test_values_and_formulas_give_the_scores_of_coinr(
    books: SimpleNamespace, reference: Path, tmp_path: Path, method: str, lower: float, file: str
) -> None:
    """COINr 1.1.14 on its ASEM data: 51 countries, 49 indicators, 63 gaps, four levels."""
    folder = reference / "composite/coinr_asem"
    framework = load_framework(folder / "iMeta.csv")
    read = load_panel(folder / "iData.csv", framework)
    asked = recipe(normalise=NormaliseStep(lower=lower), aggregate={"method": method})
    path = write(tmp_path, build_index(read.panel, framework, asked, read.units), units=read.units)
    expected = pl.read_csv(folder / file).rename({"uCode": "unit"})
    shown = books.table(path, "Results")
    assert books.largest_gap(shown, expected, ["unit"]) < 1e-9
    if method == "geometric":
        row = 3 + shown["unit"].to_list().index("LAO")
        total = expected.filter(pl.col("unit") == "LAO")["Index"][0]
        assert books.calculator(path)("RESULTS", f"C{row}") == pytest.approx(total, abs=1e-9)


def test_the_same_run_gives_the_same_bytes(books: SimpleNamespace, tmp_path: Path) -> None:
    result = build_index(books.panel(FIGURES), tree(WEIGHTS), recipe(), UNITS)
    first = write(tmp_path, result).read_bytes()
    assert write(tmp_path, result).read_bytes() == first


def test_a_workbook_in_chinese(books: SimpleNamespace, tmp_path: Path) -> None:
    result = build_index(books.panel(FIGURES), tree(WEIGHTS), recipe(), UNITS)
    path = write(tmp_path, result, "zh")
    assert books.sheets(path)[:3] == ["说明", "指标框架", "评价对象"]
    cells = books.cells(path)
    assert cells["结果", "C1"] == "total项"
    assert books.largest_gap(books.calculated(path, "结果"), books.expected_scores(result), ["unit"]) < 1e-9


def test_both_languages_say_the_same_things_with_the_same_places() -> None:
    zh, en = texts("workbook", "zh"), texts("workbook", "en")
    assert list(zh) == list(en) == sorted(en)
    for key in en:
        assert set(re.findall(r"{\w+}", zh[key])) == set(re.findall(r"{\w+}", en[key])), key
        assert zh[key]
        assert en[key]
