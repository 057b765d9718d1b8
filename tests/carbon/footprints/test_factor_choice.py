"""Which factor is chosen: series first, then region, then period; never across series."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.footprints.factor_reasons import WORDS
from carbon.footprints.factor_regions import UnknownRegion, region_chains, region_of_hub, resolve_region
from carbon.footprints.factors import candidates, embedded_factors, match_factors
from carbon.footprints.schemas import factors_schema

FACTORS = embedded_factors()


def factor(factor_id: str, **given: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(factors_schema())
    row |= {"factor_id": factor_id, "activity": "thing", "kind": "process", "parameter": "emission_factor"}
    row |= {"gas": "CO2", "value": 1.0, "numerator": "kg", "denominator": "kWh", "region": "CN", "series": "own"}
    row |= {"biogenic": False, "assumed": False, "source": "test", "confidence": "H"}
    return row | given


def table(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=factors_schema())


def ask(activity: str, region: str | None, year: int | None = 2023, **given: object) -> dict[str, object]:
    days = (
        {"first_day": None, "last_day": None}
        if year is None
        else {"first_day": date(year, 1, 1), "last_day": date(year, 12, 31)}
    )
    return {"activity": activity, "region": region, **days, "parameter": "emission_factor"} | given


def answers(
    requests: list[dict[str, object]], factors: pl.DataFrame = FACTORS, as_of: date | None = None
) -> pl.DataFrame:
    rows = [{"request": number, **one} for number, one in enumerate(requests)]
    schema = {"first_day": pl.Date, "last_day": pl.Date}
    return match_factors(pl.DataFrame(rows, schema_overrides=schema), factors, as_of=as_of)


def answer(request: dict[str, object], factors: pl.DataFrame = FACTORS) -> tuple[str | None, str]:
    (row,) = answers([request], factors).select("factor_id", "reason").rows()
    return row


@pytest.mark.parametrize(
    ("request_of", "factor_id", "reason"),
    [
        (ask("electricity", "420100"), "cn-grid_average-2023-420000", "exact"),
        (ask("electricity", "420106"), "cn-grid_average-2023-420000", "exact"),
        (ask("electricity", "CN-grid-central"), "cn-grid_average-2023-central", "exact"),
        (ask("electricity", "CN", 2022), "cn-grid_average-2022-national", "exact"),
        # Tibet is not printed: the grid that it lies in.
        (ask("electricity", "540100"), "cn-grid_average-2023-southwest", "region_fallback"),
        (ask("electricity", "420100", 2019), "cn-grid_average-2021-420000", "period_fallback"),
        (ask("electricity", "420100", 2025), "cn-grid_average-2023-420000", "period_fallback"),
        (ask("electricity", "540100", 2025), "cn-grid_average-2023-southwest", "both"),
        (ask("electricity", "420100", None), "cn-grid_average-2023-420000", "period_fallback"),
        # Hong Kong is not on the mainland grid; a place that is not known is not China.
        (ask("electricity", "810000"), None, "no_factor"),
        (ask("electricity", None), None, "no_factor"),
        (ask("unicorn", "CN"), None, "no_factor"),
        (ask("electricity", "420100", 2022, series="grid_reporting"), "cn-grid_reporting-2022-national", "exact"),
        (ask("electricity", "420100", 2022, series="nothing_like_it"), None, "no_factor"),
        (ask("electricity", "420100", method="location"), "cn-grid_average-2023-420000", "exact"),
        (ask("electricity", "420100", method="market"), "cn-grid_residual-2023-national", "exact"),
        (ask("heat", "420100"), "cn-heat-heat", "exact"),
        # The whole world has one row: nothing narrower exists, so nothing is missed.
        (ask("r134a", "420100"), "leak-R134a", "exact"),
    ],
)
def test_the_factor_and_the_reason(request_of: dict[str, object], factor_id: str | None, reason: str) -> None:
    assert answer(request_of) == (factor_id, reason)


def test_a_span_over_two_years_takes_the_one_with_more_days() -> None:
    span = ask("electricity", "CN") | {"first_day": date(2022, 11, 1), "last_day": date(2023, 10, 31)}
    assert answer(span) == ("cn-grid_average-2023-national", "period_fallback")
    span |= {"first_day": date(2022, 2, 1), "last_day": date(2023, 1, 31)}
    assert answer(span) == ("cn-grid_average-2022-national", "period_fallback")


def test_an_earlier_factor_goes_before_a_later_one() -> None:
    days = {"valid_from": date(2020, 1, 1), "valid_to": date(2020, 12, 31)}
    later = {"valid_from": date(2022, 1, 1), "valid_to": date(2022, 12, 31)}
    factors = table(factor("early", **days), factor("late", **later))
    assert answer(ask("thing", "CN", 2021), factors) == ("early", "period_fallback")
    assert answer(ask("thing", "CN", 2019), factors) == ("early", "period_fallback")
    assert answer(ask("thing", "CN", 2030), factors) == ("late", "period_fallback")


def test_parameters_of_combustion_come_from_one_series() -> None:
    parts = ("net_calorific_value", "carbon_content", "oxidation")
    told = answers([ask("diesel", "420100", parameter=part, unit="t") for part in parts])
    assert told["factor_id"].to_list() == [f"cn-guide2025-{part}-diesel" for part in ("ncv", "carbon", "oxidation")]
    # By mass only the IPCC has a calorific value of natural gas; all three are its own then.
    for unit, series in (("t", "ipcc_default"), ("Nm3", "provincial_guide_2025")):
        told = answers([ask("natural_gas", "420100", parameter=part, unit=unit) for part in parts])
        assert set(told["series"]) == {series}
    # The industry's defaults have no oxidation; another series' is not put in its place.
    told = answers([ask("anthracite", "420100", parameter=part) for part in parts])
    assert told["series"].to_list() == ["industry_guide", "industry_guide", None]
    assert told["reason"].to_list() == ["exact", "exact", "no_factor"]


@pytest.mark.parametrize("day", [date(2022, 6, 7), date(2022, 6, 8)])
def test_a_default_that_changes_within_a_year(day: date) -> None:
    request = ask("coal", "CN", parameter="carbon_content", series="power_guide") | {"first_day": day, "last_day": day}
    (value,) = answers([request])["value"]
    assert value == (33.56 if day < date(2022, 6, 8) else 30.85)


def test_series_for_one_purpose_are_never_taken_unasked() -> None:
    only_reporting = FACTORS.filter(pl.col("series") == "grid_reporting")
    assert answer(ask("electricity", "CN", 2022), only_reporting) == (None, "no_factor")
    only_residual = FACTORS.filter(pl.col("series") == "grid_residual")
    assert answer(ask("electricity", "CN", 2022), only_residual) == (None, "no_factor")
    # Where there is no residual mix, the market-based figure is that of the location (Scope 2 Guidance).
    only_average = FACTORS.filter(pl.col("series") == "grid_average")
    assert answer(ask("electricity", "CN", 2022, method="market"), only_average)[0] == "cn-grid_average-2022-national"


def test_a_users_own_series_does_not_replace_the_average_unasked() -> None:
    own = factor("mine", activity="electricity", region="420100", series="aaa_supplier", method="location")
    factors = pl.concat([FACTORS, table(own)])
    assert answer(ask("electricity", "420100"), factors)[0] == "cn-grid_average-2023-420000"
    assert answer(ask("electricity", "420100", series="aaa_supplier"), factors) == ("mine", "exact")
    assert answer(ask("thing", "CN"), table(factor("mine"))) == ("mine", "exact")


def test_a_blend_gives_a_row_a_gas_in_order() -> None:
    told = answers([ask("heat", "CN"), ask("r410a", "CN"), ask("heat", "CN")])
    assert told["request"].to_list() == [0, 1, 1, 2]
    assert told["gas"].to_list() == ["CO2", "HFC125", "HFC32", "CO2"]


def test_a_total_stands_alone_and_biogenic_apart() -> None:
    factors = table(
        factor("total", gas="CO2e", value=2.0),
        factor("part", gas="CH4"),
        factor("biogenic", gas="CO2", biogenic=True),
    )
    told = answers([ask("thing", "CN")], factors)
    assert sorted(told["factor_id"]) == ["biogenic", "total"]


def test_factors_per_another_kind_of_unit_are_second() -> None:
    factors = table(factor("a-mass", denominator="t"), factor("b-volume", denominator="m3"))
    assert answer(ask("thing", "CN"), factors)[0] == "a-mass"
    assert answer(ask("thing", "CN", unit="L"), factors)[0] == "b-volume"
    assert answer(ask("thing", "CN", unit="kg"), factors)[0] == "a-mass"
    assert answer(ask("thing", "CN", unit="kWh"), factors)[0] == "a-mass"


def test_forced_factors() -> None:
    request = ask("whatever", None, factor_id="cn-grid_average-2022-central")
    assert answer(request) == ("cn-grid_average-2022-central", "forced")
    assert answer(request | {"factor_id": "no such"}) == (None, "no_factor")
    assert answer(request | {"parameter": "oxidation"}) == (None, "no_factor")
    both = answers([request | {"factor_id": "leak-R410A"}])
    assert both["gas"].to_list() == ["HFC125", "HFC32"]
    assert answers([request | {"factor_id": "leak-R410A:HFC32"}])["gas"].to_list() == ["HFC32"]


def test_corrections_and_the_day_of_the_record() -> None:
    factors = table(
        factor("old", value=1.0, recorded=date(2024, 1, 1)),
        factor("new", value=2.0, recorded=date(2024, 7, 1), replaces="old"),
        factor("newest", value=3.0, recorded=date(2024, 9, 1), replaces="new"),
    )
    for as_of, expected in (
        (None, "newest"),
        (date(2024, 8, 1), "new"),
        (date(2024, 6, 30), "old"),
        (date(2023, 1, 1), None),
    ):
        for forced in (None, "old"):
            told = answers([ask("thing", "CN", factor_id=forced)], factors, as_of)
            assert told["factor_id"].to_list() == [expected]


def test_candidates_of_wuhan() -> None:
    told = candidates(FACTORS, "electricity", region="420100", first_day=date(2023, 1, 1), last_day=date(2023, 12, 31))
    by_id = {row["factor_id"]: row for row in told.iter_rows(named=True)}
    assert told["rank"].to_list() == list(range(1, 19))
    assert told.filter("chosen")["factor_id"].to_list() == ["cn-grid_average-2023-420000"]
    reasons = {name: row["reason"] for name, row in by_id.items()}
    assert reasons["cn-grid_average-2023-central"] == "wider_region"
    assert reasons["cn-grid_average-2022-420000"] == "other_period"
    assert reasons["cn-grid_residual-2023-national"] == "other_method"
    assert reasons["cn-grid_reporting-2022-national"] == "asked_only"
    assert "grid" in by_id["cn-grid_average-2023-420000"]["reason_en"]
    assert "电网平均" in by_id["cn-grid_average-2023-420000"]["reason_zh"]
    assert told["reason_en"].null_count() == told["reason_zh"].null_count() == 0


def test_candidates_without_a_choice() -> None:
    days = {"first_day": date(2022, 1, 1), "last_day": date(2022, 12, 31)}
    only = FACTORS.filter(pl.col("series") == "grid_reporting")
    told = candidates(only, "electricity", region="CN", **days)  # type: ignore[arg-type]
    assert not told["chosen"].any()
    assert set(told["reason"]) == {"asked_only"}
    assert candidates(FACTORS, "unicorn", region="CN", **days).is_empty()  # type: ignore[arg-type]


def test_places_lie_in_each_other() -> None:
    chain = region_chains(pl.Series([region_of_hub("wuhan")])).sort("depth")
    assert chain["ancestor"].to_list() == ["420100", "420000", "CN-grid-central", "CN", "World"]
    assert chain["level"].to_list() == [4, 3, 2, 1, 0]
    assert region_chains(pl.Series([None], dtype=pl.String))["ancestor"].to_list() == ["World"]
    for unknown in ("atlantis", ""):
        with pytest.raises(UnknownRegion):
            resolve_region(unknown)
        with pytest.raises(UnknownRegion, match="wuhan"):
            region_of_hub(unknown)


def test_a_million_requests_are_a_join() -> None:
    places = ["420100", "110000", "440300", "540100", "CN"]
    count = 1_000_000
    requests = pl.DataFrame(
        {
            "request": range(count),
            "activity": pl.Series(["electricity", "heat"]).gather([0, 1] * (count // 2)),
            "region": pl.Series(places).gather([0, 1, 2, 3, 4] * (count // 5)),
            "first_day": pl.Series([date(2022, 1, 1), date(2023, 3, 1)]).gather([0, 1] * (count // 2)),
        }
    ).with_columns(last_day=pl.col("first_day"), parameter=pl.lit("emission_factor"))
    told = match_factors(requests, FACTORS)
    assert told["request"].to_list() == list(range(count))
    assert told["value"].null_count() == 0


regions = st.sampled_from(["420100", "420000", "540100", "CN", "CN-grid-east", "World", "FR", None])
series = st.sampled_from(["one", "two", "three"])
rows: st.SearchStrategy[dict[str, object]] = st.builds(
    dict,
    activity=st.sampled_from(["thing", "other"]),
    region=st.sampled_from(["420000", "CN-grid-central", "CN", "World", "420100"]),
    series=series,
    year=st.integers(2018, 2024),
    gas=st.sampled_from(["CO2", "CH4", "CO2e"]),
    method=st.sampled_from([None, "location", "market"]),
    denominator=st.sampled_from(["kWh", "t"]),
)


def made(drawn: list[dict[str, object]]) -> pl.DataFrame:
    years = [date(int(str(one["year"])), 1, 1) for one in drawn]
    return table(
        *(
            factor(
                f"f{number}",
                **{name: value for name, value in one.items() if name != "year"},
                valid_from=year,
                valid_to=year.replace(month=12, day=31),
            )
            for number, (one, year) in enumerate(zip(drawn, years, strict=True))
        )
    )


@settings(max_examples=30)
@given(
    st.lists(rows, min_size=1, max_size=12),
    regions,
    st.sampled_from([None, "market"]),
    st.sampled_from([None, "kg"]),
    st.randoms(),
)
def test_the_choice_does_not_depend_on_the_order_and_never_mixes(
    drawn: list[dict[str, object]], region: str | None, method: str | None, unit: str | None, random: object
) -> None:
    factors = made(drawn)
    request = ask("thing", region, 2021, method=method, unit=unit)
    told = answers([request], factors)
    shuffled = factors.sample(fraction=1, shuffle=True, seed=random.randrange(1000))  # type: ignore[attr-defined]
    assert answers([request], shuffled).equals(told)
    # One factor a gas, all of one series, place, span and way.
    assert told.select("series", "region", "valid_from", "method").unique().height == 1
    assert told["gas"].n_unique() == told.height
    if told["factor_id"].null_count() == 0:
        assert told["region"][0] in region_chains(pl.Series([region], dtype=pl.String))["ancestor"].to_list()
        assert method == "market" or told["method"][0] != "market"
    else:
        assert told["reason"].to_list() == ["no_factor"]


@settings(max_examples=30)
@given(st.lists(rows, min_size=1, max_size=12), regions, series)
def test_a_series_asked_for_is_the_one_given(drawn: list[dict[str, object]], region: str | None, wanted: str) -> None:
    factors = made(drawn)
    told = answers([ask("thing", region, 2021, series=wanted)], factors)
    assert set(told["series"].drop_nulls()) <= {wanted}
    # Taking the other series away changes nothing.
    assert answers([ask("thing", region, 2021, series=wanted)], factors.filter(pl.col("series") == wanted)).equals(told)


@settings(max_examples=30)
@given(st.lists(rows, min_size=1, max_size=12), regions, st.integers(-400, 400))
def test_candidates_choose_what_matching_chooses(
    drawn: list[dict[str, object]], region: str | None, shift: int
) -> None:
    factors = made(drawn)
    first, last = date(2021, 1, 1) + timedelta(shift), date(2021, 3, 31) + timedelta(shift)
    place = region or "World"
    told = candidates(factors, "thing", region=place, first_day=first, last_day=last)
    matched = answers([ask("thing", place) | {"first_day": first, "last_day": last}], factors)
    assert sorted(told.filter("chosen")["factor_id"]) == sorted(matched["factor_id"].drop_nulls())
    assert told["factor_id"].n_unique() == told.height
    assert set(told["reason"]) <= set(WORDS)
    assert told["rank"].to_list() == sorted(told["rank"])
    assert told.filter("chosen")["rank"].unique().to_list() in ([], [1])
