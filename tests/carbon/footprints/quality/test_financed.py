"""Financed emissions beside the examples printed in the PCAF standard, and rows worked by hand.

PCAF, The Global GHG Accounting and Reporting Standard Part A: Financed Emissions, second edition, December 2022.
"""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.footprints.financed import attribute, portfolio_totals
from carbon.footprints.portfolio_files import portfolio_schema
from carbon.footprints.quality import UnknownGrouping

PLAIN = {"investee": "A", "asset_class": "business_loan", "currency": "CNY", "cny_per_unit": 1.0, "file": "p.csv"}


def portfolio(*rows: dict[str, object]) -> pl.DataFrame:
    whole = [{**dict.fromkeys(portfolio_schema()), **PLAIN, "row": at + 2, **row} for at, row in enumerate(rows)]
    return pl.DataFrame(whole, schema=portfolio_schema(), orient="row")


def test_the_portfolio_of_tables_5_4_and_5_5() -> None:
    """Attribution 10, 25 and 20 %: 6,100 t of scope 1, 1,260 of scope 2 and 10,000 of scope 3 are printed."""
    rows = portfolio(
        {"outstanding": 10.0, "evic": 100.0, "scope_1_t": 1000.0, "scope_2_t": 100.0, "scope_3_t": 5000.0},
        {"outstanding": 25.0, "evic": 100.0, "scope_1_t": 20000.0, "scope_2_t": 5000.0, "scope_3_t": 30000.0},
        {"outstanding": 20.0, "evic": 100.0, "scope_1_t": 5000.0, "scope_2_t": 0.0, "scope_3_t": 10000.0},
    )
    found = attribute(rows)
    assert found.problems == ()
    totals = portfolio_totals(found.rows)
    assert totals["scope"].to_list() == ["1", "2", "3", "1+2"]
    assert totals["financed_t"].to_list() == pytest.approx([6100, 1260, 10000, 7360])
    assert totals["attributed_share"].to_list() == [1, 1, 1, 1]
    assert totals["intensity_t_per_million_cny"][0] == pytest.approx(6100 / 55 * 1e6)


def test_the_weighted_scores_of_box_8() -> None:
    """3.03 for business loans and 3.53 for oil and gas are printed."""
    oil, cattle = "Oil & Gas", "Cattle farming"
    given_rows = [
        (oil, 522_425.0, 15, 3.0),
        (oil, 187_449.0, 7, 5.0),
        (cattle, 82_778.0, 8, 1.0),
        (cattle, 108_997.0, 11, 1.0),
        (cattle, 67_556.0, 7, 2.0),
        (cattle, 54_762.0, 5, 5.0),
    ]
    rows = portfolio(
        *(
            {
                "sector": sector,
                "outstanding": held,
                "evic": held,
                "scope_1_t": kt * 1000.0,
                "scope_2_t": 0.0,
                "score": score,
            }
            for sector, held, kt, score in given_rows
        )
    )
    found = attribute(rows).rows
    assert round(portfolio_totals(found)["score"][0], 2) == 3.03
    by_sector = portfolio_totals(found, by=["sector"]).filter((pl.col("scope") == "1+2") & (pl.col("sector") == oil))
    assert round(by_sector["score"].item(), 2) == 3.53
    assert by_sector["financed_t"].item() == pytest.approx(22_000)


def test_equity_and_debt_of_box_5_share_everything() -> None:
    """Equity 50 and debt 50, cash not deducted: half each, nothing above 100 %."""
    rows = portfolio(
        {"asset_class": "listed_equity", "outstanding": 50.0, "evic": 100.0, "scope_1_t": 80.0},
        {"asset_class": "corporate_bond", "outstanding": 50.0, "evic": 100.0, "scope_1_t": 80.0},
    )
    found = attribute(rows).rows
    assert found["attribution"].to_list() == [0.5, 0.5]
    assert found["financed_1_t"].sum() == 80


@pytest.mark.parametrize(
    ("row", "attribution", "basis"),
    [
        ({"asset_class": "listed_equity", "evic": 200.0, "equity": 50.0, "debt": 50.0}, 0.05, "evic"),
        ({"asset_class": "corporate_bond", "evic": 200.0, "equity": 50.0, "debt": 50.0}, 0.05, "evic"),
        ({"asset_class": "corporate_bond", "equity": 50.0, "debt": 50.0}, 0.1, "equity_and_debt"),
        ({"asset_class": "business_loan", "equity": 60.0, "debt": 40.0}, 0.1, "equity_and_debt"),
        ({"asset_class": "business_loan", "equity": 60.0, "total_assets": 400.0}, 0.025, "total_assets"),
        ({"asset_class": "business_loan", "debt": 40.0, "total_assets": 400.0}, 0.025, "total_assets"),
        ({"asset_class": "project_finance", "evic": 1.0, "equity": 60.0, "debt": 40.0}, 0.1, "equity_and_debt"),
        ({"asset_class": "unlisted_equity", "evic": 1.0, "equity": 60.0, "debt": 40.0}, 0.1, "equity_and_debt"),
    ],
)
def test_the_company_value_by_asset_class(row, attribution, basis) -> None:
    found = attribute(portfolio({"outstanding": 10.0, **row})).rows.row(0, named=True)
    assert (found["attribution"], found["basis"]) == (pytest.approx(attribution), basis)


def test_negative_equity_counts_as_nothing_and_is_said() -> None:
    """Notes 57 and 90: all is attributed to debt, nothing to equity."""
    rows = portfolio(
        {"outstanding": 10.0, "equity": -30.0, "debt": 40.0, "scope_1_t": 8.0},
        {"asset_class": "unlisted_equity", "outstanding": 10.0, "equity": -30.0, "debt": 40.0, "scope_1_t": 8.0},
    )
    found = attribute(rows).rows
    assert found["attribution"].to_list() == [0.25, 0.0]
    assert found["remark"].to_list() == ["negative_equity_as_0"] * 2


def test_what_cannot_be_attributed_is_a_problem_and_stays_in_the_coverage() -> None:
    rows = portfolio(
        {"outstanding": 10.0, "evic": 100.0, "scope_1_t": 50.0},
        {"asset_class": "listed_equity", "outstanding": 20.0, "equity": 50.0, "debt": 50.0, "scope_1_t": 50.0},
        {"outstanding": 30.0, "equity": 10.0, "scope_1_t": 50.0},
        {"outstanding": 40.0, "evic": 39.0, "scope_1_t": 50.0},
        {"outstanding": 50.0, "evic": 0.0, "scope_1_t": 50.0},
    )
    found = attribute(rows)
    assert [(problem.row, problem.code) for problem in found.problems] == [
        (3, "missing_denominator"),
        (4, "missing_denominator"),
        (5, "attribution_above_1"),
        (6, "zero_denominator"),
    ]
    assert "p.csv, row 3" in str(found.problems[0])
    assert "expected evic" in str(found.problems[0])
    assert found.rows["attribution"].to_list() == [0.1, None, None, None, None]
    totals = portfolio_totals(found.rows).row(0, named=True)
    assert totals["financed_t"] == pytest.approx(5)
    assert totals["attributed_share"] == pytest.approx(10 / 150)


def test_missing_scopes_are_missing_not_nothing() -> None:
    rows = portfolio(
        {"outstanding": 10.0, "evic": 100.0, "scope_1_t": 50.0, "score": 2.0},
        {"outstanding": 30.0, "evic": 100.0, "scope_1_t": 10.0, "scope_2_t": 20.0, "score": 4.0, "score_3": 5.0},
    )
    totals = portfolio_totals(attribute(rows).rows)
    assert totals["financed_t"].to_list() == [pytest.approx(8), pytest.approx(6), None, pytest.approx(9)]
    assert totals["attributed_share"].to_list() == pytest.approx([1, 0.75, 0, 0.75])
    assert totals["score"].to_list() == pytest.approx([3.5, 3.5, 5.0, 3.5])
    assert totals["score_share"].to_list() == pytest.approx([1, 1, 0.75, 1])


def test_waci_worked_by_hand() -> None:
    """60 % at 50 t a million, 40 % at 10: 34; the investee without revenue is not in the weights."""
    rows = portfolio(
        {"outstanding": 6e6, "evic": 1e9, "scope_1_t": 5000.0, "revenue": 100e6},
        {"outstanding": 4e6, "evic": 1e9, "scope_1_t": 2000.0, "revenue": 200e6},
        {"outstanding": 10e6, "evic": 1e9, "scope_1_t": 2000.0},
    )
    totals = portfolio_totals(attribute(rows).rows).row(0, named=True)
    assert totals["waci_t_per_million_cny"] == pytest.approx(0.6 * 50 + 0.4 * 10)
    assert totals["waci_share"] == pytest.approx(0.5)


def test_other_currencies_weigh_in_cny_and_attribute_in_their_own() -> None:
    rows = portfolio(
        {"outstanding": 10.0, "evic": 100.0, "currency": "USD", "cny_per_unit": 7.0, "scope_1_t": 10.0, "score": 1.0},
        {"outstanding": 30.0, "evic": 100.0, "scope_1_t": 10.0, "score": 5.0},
    )
    found = attribute(rows).rows
    assert found["attribution"].to_list() == pytest.approx([0.1, 0.3])
    assert portfolio_totals(found)["score"][0] == pytest.approx((70 * 1 + 30 * 5) / 100)


def test_emissions_from_lines_where_the_portfolio_has_none(make_lines) -> None:
    lines = make_lines(
        {"entity": "E", "co2e_kg": 3000.0, "pcaf": 2},
        {"entity": "E", "scope": 2, "method": "location", "co2e_kg": 1000.0, "pcaf": 4},
        {"entity": "E", "scope": 2, "method": "market", "co2e_kg": 400.0, "pcaf": 4},
        {"entity": "E", "co2e_kg": 9000.0, "biogenic": True},
    )
    rows = portfolio(
        {"outstanding": 10.0, "evic": 100.0, "entity": "E"},
        {"outstanding": 10.0, "evic": 100.0, "entity": "E", "scope_1_t": 7.0, "score": 1.0},
        {"outstanding": 10.0, "evic": 100.0, "entity": "other"},
    )
    told = attribute(rows, lines)
    assert [(problem.row, problem.code, problem.severity) for problem in told.problems] == [
        (4, "no_emissions", "warning")
    ]
    found = told.rows
    assert found["scope_1_t"].to_list() == [3.0, 7.0, None]
    assert found["scope_2_t"].to_list() == [1.0, 1.0, None]
    assert found["scope_3_t"].to_list() == [None, None, None]
    assert found["from_1"].to_list() == ["lines", "given", None]
    assert found["score"].to_list() == [pytest.approx((3 * 2 + 1 * 4) / 4), 1.0, None]
    assert attribute(rows, lines, method="market").rows["scope_2_t"][0] == pytest.approx(0.4)


def test_an_empty_portfolio_and_an_unknown_group() -> None:
    found = attribute(portfolio())
    assert found.rows.is_empty()
    assert found.problems == ()
    assert portfolio_totals(found.rows).is_empty()
    with pytest.raises(UnknownGrouping, match="colour"):
        portfolio_totals(found.rows, by=["colour"])


shares = st.floats(0.001, 1)
holdings = st.lists(st.tuples(st.floats(1, 1e9), shares, st.floats(0, 1e7), st.sampled_from(["a", "b"])), min_size=1)


@given(held=holdings)
def test_parts_add_up_to_the_whole(held) -> None:
    rows = portfolio(
        *(
            {"outstanding": amount, "evic": amount / share, "scope_1_t": tonnes, "sector": sector}
            for amount, share, tonnes, sector in held
        )
    )
    found = attribute(rows).rows
    whole = portfolio_totals(found).filter(pl.col("scope") == "1")
    parts = portfolio_totals(found, by=["sector"]).filter(pl.col("scope") == "1")
    assert parts["financed_t"].sum() == pytest.approx(whole["financed_t"].item())
    assert parts["outstanding_cny"].sum() == pytest.approx(whole["outstanding_cny"].item())
    assert whole["financed_t"].item() <= sum(tonnes for _, _, tonnes, _ in held) * (1 + 1e-9)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, 1e18, 1e200, 1e308]), st.sampled_from([None, 1.0, 5.0])),
        min_size=1,
        max_size=4,
    )
)
def test_no_share_stands_beside_a_measure_that_no_double_holds(held: list[tuple[float, float | None]]) -> None:
    rows = portfolio(
        *(
            {"outstanding": amount, "evic": 1e308, "scope_1_t": 1e308, "revenue": 1e-300, "score": score}
            for amount, score in held
        )
    )
    totals = portfolio_totals(attribute(rows).rows)
    figures = totals.select(pl.selectors.float())
    assert figures.select(pl.all().is_finite().fill_null(True).all()).row(0) == (True,) * figures.width
    for measure, share in (("score", "score_share"), ("waci_t_per_million_cny", "waci_share")):
        for figure, part in totals.select(measure, share).iter_rows():
            assert figure is not None or part in (None, 0)


def test_a_score_of_one_amount_too_large_to_weigh() -> None:
    """1e308 x 5 is no double, so that neither the score nor the share of it is told."""
    rows = portfolio({"outstanding": 1e308, "evic": 1e308, "scope_1_t": 1.0, "score": 5.0})
    first = portfolio_totals(attribute(rows).rows).row(0, named=True)
    assert (first["score"], first["score_share"], first["outstanding_cny"]) == (None, None, 1e308)
