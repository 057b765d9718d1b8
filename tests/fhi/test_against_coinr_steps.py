"""The steps before weighting against COINr 1.1.14 on its ASEM data, and Table 15 of the OECD/JRC Handbook (2008)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fhi.arrays import Array
from fhi.denominate import denominate
from fhi.impute import Context, Imputed, impute
from fhi.normalise import Facts, normalise
from fhi.recipe import ImputeStep, NormaliseRule, TreatStep
from fhi.treat import Treated, kurtosis, skewness, treat

Compare = Callable[..., object]


@dataclass(frozen=True)
class Asem:
    """COINr's example: 51 countries x 49 indicators, one year."""

    folder: Path
    units: list[str]
    codes: list[str]
    raw: Array
    direction: Array
    pillar: list[str]
    unit_group: list[str]
    denominators: Array
    denominator: list[str]

    def table(self, name: str) -> Array:
        """A reference table in the order of the units and indicators here."""
        rows = pl.read_csv(self.folder / f"{name}.csv", null_values=["NA", ""], infer_schema_length=None)
        ordered = pl.DataFrame({"uCode": self.units}).join(rows, on="uCode", how="left", maintain_order="left")
        return to_array(ordered, self.codes)


def to_array(frame: pl.DataFrame, columns: list[str]) -> Array:
    return frame.select(pl.col(columns).cast(pl.Float64).fill_null(np.nan)).to_numpy()


def positions(names: list[str]) -> np.ndarray:
    known = sorted(set(names))
    return np.array([known.index(name) for name in names])


@pytest.fixture(scope="module")
def asem(reference: Path) -> Asem:
    folder = reference / "composite" / "coinr_asem"
    meta = pl.read_csv(folder / "iMeta.csv", null_values=["NA"], infer_schema_length=None)
    data = pl.read_csv(folder / "iData.csv", null_values=["NA"], infer_schema_length=None)
    indicators = meta.filter(pl.col("Type") == "Indicator")
    codes, names = indicators["iCode"].to_list(), ["Area", "Energy", "GDP", "Population"]
    return Asem(
        folder=folder,
        units=data["uCode"].to_list(),
        codes=codes,
        raw=to_array(data, codes)[None],
        direction=indicators["Direction"].cast(pl.Float64).to_numpy(),
        pillar=indicators["Parent"].to_list(),
        unit_group=data["EurAsia_group"].to_list(),
        denominators=to_array(data, names)[None],
        denominator=indicators["Denominator"].fill_null("").to_list(),
    )


def denominated(asem: Asem) -> Array:
    names = ["Area", "Energy", "GDP", "Population"]
    which = np.array([names.index(name) if name in names else -1 for name in asem.denominator])
    found = denominate(asem.raw, asem.denominators, which, np.ones(len(which)))
    # 63 cells are missing in the raw data and 65 here: one country has no figure of energy use.
    places = found.lost.select("unit", "indicator", "denominator").iter_rows()
    energy = pl.read_csv(asem.folder / "iData.csv", null_values=["NA"]).filter(pl.col("Energy").is_null())["uCode"]
    lacking = [(asem.units[u], asem.codes[i], names[d]) for u, i, d in places]
    assert lacking == [(energy.item(), code, "Energy") for code in ("Elec", "Gas")]
    return found.cube


def imputed(asem: Asem, x: Array, method: str) -> Imputed:
    context = Context(positions(asem.unit_group), positions(asem.pillar), asem.direction, np.array([2018.0]))
    group = "EurAsia_group" if method.startswith("group") else None
    return impute(x, ImputeStep(method=method, group=group), context)


def treated(asem: Asem, x: Array) -> Treated:
    return treat(x, TreatStep(method="winsorise"), asem.codes)


def scored(asem: Asem, x: Array, rule: NormaliseRule, lower: Array | None = None, upper: Array | None = None) -> Array:
    none = np.full(len(asem.codes), np.nan)
    facts = Facts(
        tuple(asem.codes),
        asem.direction,
        none if lower is None else lower,
        none if upper is None else upper,
        none,
    )
    return normalise(x, facts, [rule] * len(asem.codes), bounds="period", units=asem.units, periods=["2018"])[0]


def test_the_comparison_tells_table_cells_difference_and_place(largest_difference: Compare) -> None:
    found, expected = np.array([[1.0, np.nan], [30.0, 4.0]]), np.array([[1.5, np.nan], [20.0, 4.0]])
    difference = largest_difference("t", found, expected, ["u", "v"], ["a", "b"])
    assert str(difference) == "t: 3 cells, largest difference 10 at v, a (found 30.0, expected 20.0)"
    relative = largest_difference("t", found, expected, relative=True)
    assert (relative.cells, relative.largest) == (3, 10 / 20)
    assert largest_difference("t", found, np.full((2, 2), np.nan)).largest == np.inf
    with pytest.raises(AssertionError, match="t: shape"):
        largest_difference("t", found, expected[:1])


@pytest.mark.parametrize(
    ("name", "rule", "tolerance"),
    [
        ("norm_minmax_0_100", NormaliseRule(), 1e-9),
        ("norm_minmax_1_100", NormaliseRule(lower=1), 1e-9),
        ("norm_zscore_0_1", NormaliseRule(method="zscore"), 1e-9),
        ("norm_rank", NormaliseRule(method="rank"), 0),
        ("norm_prank", NormaliseRule(method="percentile_rank"), 1e-9),
        ("norm_borda", NormaliseRule(method="borda"), 0),
    ],
)
def test_normalised_raw_data(
    asem: Asem, largest_difference: Compare, name: str, rule: NormaliseRule, tolerance: float
) -> None:
    found = largest_difference(name, scored(asem, asem.raw, rule), asem.table(name), asem.units, asem.codes)
    assert found.cells == 51 * 49 - 63
    assert found.largest <= tolerance, str(found)


def test_distance_to_best_is_min_max_from_zero_to_one(asem: Asem, largest_difference: Compare) -> None:
    rule = NormaliseRule(method="distance_to_best", lower=0, upper=1)
    expected = asem.table("norm_minmax_0_100") / 100
    found = largest_difference("distance to best", scored(asem, asem.raw, rule), expected, asem.units, asem.codes)
    assert found.largest <= 1e-9, str(found)


def test_goalposts(asem: Asem, largest_difference: Compare) -> None:
    posts = pl.read_csv(asem.folder / "goalposts_used.csv")
    ordered = pl.DataFrame({"iCode": asem.codes}).join(posts, on="iCode", how="left", maintain_order="left")
    lower, upper = ordered["lower"].to_numpy(), ordered["upper"].to_numpy()
    expected = asem.table("norm_goalposts_p5_p95")
    for method in ("goalposts", "minmax"):
        scores = scored(asem, asem.raw, NormaliseRule(method=method), lower, upper)
        found = largest_difference(f"{method} with goalposts", scores, expected, asem.units, asem.codes)
        assert found.cells == 51 * 49 - 63
        assert found.largest <= 1e-9, str(found)


@pytest.mark.parametrize(
    ("method", "column"),
    [
        ("mean", "mean"),
        ("median", "median"),
        ("group_mean", "group_mean"),
        ("group_median", "group_median"),
        ("row_mean", "row_mean_in_pillar"),
    ],
)
def test_imputed_raw_cells(asem: Asem, largest_difference: Compare, method: str, column: str) -> None:
    cells = pl.read_csv(asem.folder / "imputed_cells_raw.csv")
    found = imputed(asem, asem.raw, method)
    assert found.mask.sum() == len(cells) == 63
    expected = np.full(asem.raw.shape[1:], np.nan)
    for unit, code, figure in cells.select("uCode", "iCode", column).iter_rows():
        expected[asem.units.index(unit), asem.codes.index(code)] = figure
    filled = np.where(found.mask, found.cube, np.nan)[0]
    # The reference has 15 significant digits, and figures up to some thousands.
    difference = largest_difference(f"imputed by {method}", filled, expected, asem.units, asem.codes, relative=True)
    assert difference.cells == 63
    assert difference.largest <= 1e-9, str(difference)


def test_treated_raw_data(asem: Asem, largest_difference: Compare) -> None:
    found = treated(asem, asem.raw)
    values = largest_difference(
        "treated raw data", found.cube[0], asem.table("treat_raw_default"), asem.units, asem.codes, relative=True
    )
    assert values.largest <= 1e-9, str(values)
    moved = pl.read_csv(asem.folder / "treat_raw_default_points.csv", infer_schema_length=0)
    expected = {
        (unit, code)
        for unit, *row in moved.iter_rows()
        for code, how in zip(moved.columns[1:], row, strict=True)
        if how is not None
    }
    assert len(expected) == found.summary["points"].sum() == 30
    places = found.changes.select("unit", "indicator").iter_rows()
    assert {(asem.units[unit], asem.codes[indicator]) for unit, indicator in places} == expected


def test_skewness_and_kurtosis_before_and_after(asem: Asem, largest_difference: Compare) -> None:
    details = pl.read_csv(asem.folder / "treat_raw_default_details.csv", null_values=["NA", ""], infer_schema_length=99)
    names = ["check_SkewKurt0.Skew", "check_SkewKurt0.Kurt", "check_SkewKurt1.Skew", "check_SkewKurt1.Kurt"]
    ordered = pl.DataFrame({"iCode": asem.codes}).join(details, on="iCode", how="left", maintain_order="left")
    found = treated(asem, asem.raw).summary
    assert found["passed_before"].to_list() == ordered["check_SkewKurt0.Pass"].to_list()
    assert found["points"].to_list() == ordered["winsorise.nwin"].fill_null(0).to_list()
    assert found["passed"].all()
    untouched = ~pl.col("passed_before")
    columns = ["skewness_before", "kurtosis_before"]
    after = found.select(pl.when(untouched).then(pl.col("skewness", "kurtosis")))
    table = to_array(pl.concat([found.select(columns), after], how="horizontal"), [*columns, "skewness", "kurtosis"])
    difference = largest_difference("skewness and kurtosis", table, to_array(ordered, names), asem.codes, names)
    assert difference.cells == 2 * 49 + 2 * ordered["winsorise.nwin"].is_not_null().sum()
    assert difference.largest <= 1e-9, str(difference)
    raw = np.stack([skewness(asem.raw[0]), kurtosis(asem.raw[0])], axis=1)
    assert np.allclose(raw, to_array(ordered, names[:2]), rtol=0, atol=1e-9)


def test_the_whole_pipeline_up_to_scores(asem: Asem, largest_difference: Compare) -> None:
    divided = denominated(asem)
    filled = imputed(asem, divided, "group_mean").cube
    tamed = treated(asem, filled).cube
    scores = scored(asem, tamed, NormaliseRule())
    found = [
        largest_difference(name, table, asem.table(name), asem.units, asem.codes, relative=True)
        for name, table in (
            ("pipeline_denominated", divided[0]),
            ("pipeline_imputed", filled[0]),
            ("pipeline_treated", tamed[0]),
            ("pipeline_normalised", scores),
        )
    ]
    assert [difference.cells for difference in found] == [51 * 49 - 65, *[51 * 49] * 3]
    assert max(difference.largest for difference in found) <= 1e-9, "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("column", "rule", "digit"),
    [
        ("rank_highest_is_23", NormaliseRule(method="rank"), 0),
        ("zscore", NormaliseRule(method="zscore"), 0.005),
        ("minmax", NormaliseRule(lower=0, upper=1), 0.005),
        ("ratio_best", NormaliseRule(method="share_of_best"), 0.005),
    ],
)
def test_handbook_table_15(
    reference: Path, largest_difference: Compare, column: str, rule: NormaliseRule, digit: float
) -> None:
    folder = reference / "composite" / "tai"
    printed = pl.read_csv(folder / "table15_normalisation_schooling_published.csv")
    raw = pl.read_csv(folder / "tai_raw_23.csv")
    joined = printed.select("country").join(raw, on="country", how="left", maintain_order="left")
    years = joined["SCHOOLING"].to_numpy()[None, :, None]
    none = np.array([np.nan])
    facts = Facts(("SCHOOLING",), np.array([1.0]), none, none, none)
    countries = printed["country"].to_list()
    found = normalise(years, facts, [rule], bounds="period", units=countries, periods=["2000"])[0]
    expected = to_array(printed, [column])
    difference = largest_difference(f"Table 15 {column}", found, expected, countries, ["SCHOOLING"])
    # Printed to two digits: half a unit of the last one, and a little for the rounding of halves.
    assert difference.cells == 23
    assert difference.largest <= digit + 1e-9, str(difference)
