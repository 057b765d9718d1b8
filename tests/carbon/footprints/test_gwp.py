from pathlib import Path

import polars as pl
import pytest

from carbon.footprints.gwp import BLENDS, DEFAULT_GWP_SET, UnknownGwpSet, gwp_sets, gwp_values


def potentials(name: str) -> dict[str, float]:
    return dict(gwp_values(name).iter_rows())


@pytest.mark.parametrize(
    ("name", "methane", "nitrous_oxide"),
    [
        # IPCC assessment reports, 100 years.
        ("SARGWP100", 21, 310),
        ("TARGWP100", 23, 296),
        ("AR4GWP100", 25, 298),
        ("AR5GWP100", 28, 265),
        ("AR5CCFGWP100", 34, 298),
        ("AR6GWP100", 27.9, 273),
    ],
)
def test_published_potentials(name: str, methane: float, nitrous_oxide: float) -> None:
    known = potentials(name)
    assert (known["CH4"], known["N2O"]) == (methane, nitrous_oxide)
    assert known["CO2"] == known["CO2e"] == 1


def test_default_set_has_the_methane_of_the_provincial_guide() -> None:
    assert DEFAULT_GWP_SET in gwp_sets()
    assert potentials(DEFAULT_GWP_SET)["CH4"] == 28


def test_blends_are_the_sum_of_their_parts() -> None:
    # AR4: HFC-32 675, HFC-125 3500, HFC-143a 4470, HFC-134a 1430. R-410A 2088 and R-404A 3922 are the printed sums.
    known = potentials("AR4GWP100")
    assert known["R410A"] == pytest.approx(0.5 * 675 + 0.5 * 3500)
    assert known["R404A"] == pytest.approx(0.44 * 3500 + 0.52 * 4470 + 0.04 * 1430)
    assert known["R404A"] == pytest.approx(3922, abs=0.5)
    assert known["R407C"] == pytest.approx(1774, abs=0.5)
    assert known["R507A"] == pytest.approx(3985)


@pytest.mark.parametrize("blend", BLENDS)
def test_shares_of_a_blend_are_a_whole(blend: str) -> None:
    assert sum(BLENDS[blend].values()) == pytest.approx(1)


def test_a_blend_with_an_unknown_part_is_left_out() -> None:
    assert "R508B" not in potentials("SARGWP100") or {"HFC23", "C2F6"} <= potentials("SARGWP100").keys()
    for name in gwp_sets():
        known = potentials(name)
        assert all(parts.keys() <= known.keys() for blend, parts in BLENDS.items() if blend in known)


@pytest.mark.parametrize("name", ["", "AR5", "ar5gwp100"])
def test_an_unknown_set_is_refused_with_those_that_exist(name: str) -> None:
    with pytest.raises(UnknownGwpSet, match="AR5GWP100"):
        gwp_values(name)


def test_every_set_is_ascending_positive_and_unique() -> None:
    for name in gwp_sets():
        known = gwp_values(name)
        assert known["gas"].to_list() == sorted(set(known["gas"]))
        assert known.filter(pl.col("gwp").is_null() | ~pl.col("gwp").is_finite()).is_empty()


def test_the_same_figures_as_the_shared_copy(outside_data: Path) -> None:
    path = outside_data / "factors" / "globalwarmingpotentials" / "globalwarmingpotentials.csv"
    printed = pl.read_csv(path, comment_prefix="#", infer_schema_length=None)
    first = printed.columns[0]
    for name in set(printed.columns) & set(gwp_sets()):
        copy = {gas: value for gas, value in printed.select(first, name).iter_rows() if value is not None}
        ours = potentials(name)
        assert {gas: ours[gas] for gas in copy} == pytest.approx({gas: float(value) for gas, value in copy.items()})
