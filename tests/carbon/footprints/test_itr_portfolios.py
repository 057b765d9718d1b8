"""Portfolios of the ITR tool as it ships them: excerpts of os-climate/ITR, Apache-2.0.

examples/data/rmi-20211120-portfolio.csv @ 03006c4, examples/data/example_portfolio.csv @ 0f5d5fc,
examples/data/template_portfolio.csv @ 029397d and test/inputs/data_test_temperature_score.csv @ 0b6d92b.
company_ev_plus_cash is the enterprise value including cash (docs/DataRequirements.rst there). The workbooks of company
data cannot be read as text: their headings are those of docs/DataTemplateRequirements.rst.
"""

from pathlib import Path

import pytest

from carbon.errors import UnknownFormat, UnreadableFile
from carbon.footprints.financed import attribute
from carbon.footprints.portfolio_files import read_portfolio
from carbon.formats.itr_sample import read_itr

RMI = """company_name;company_lei;company_id;investment_value
AES Corp.;2NUNNB7D43COUIRE5295;US00130H1059;4351252525
ALLETE, Inc.;549300NNLSIMY6Z8OT86;US0185223007;3829481150
OG&E Energy;CE5OG6JPOZMDSA0LAQ19;US6708371033;7251242925
"""
EXAMPLE = """company_name;company_id;company_isin;investment_value [USD]
Company AG;US0079031078;US0079031078;35000000
Company AH;US00724F1012;US00724F1012;10000000
"""
TEMPLATE = """company_name;company_lei;company_id;company_isin;investment_value
AES Corp.;2NUNNB7D43COUIRE5295;US00130H1059;US00130H1059;59205
"""
SCORES = (
    "company_name;company_id;isic;industry;ghg_s1s2;ghg_s3;company_market_cap;investment_value;portfolio_weight;"
    "company_cash_equivalents;company_enterprise_value;company_ev_plus_cash;company_total_assets\n"
    "Company AA;Company AA;A12;test;1601576;1601576;54327;42881;0.128432371;19394739;135763173;51067.38;49437.57\n"
    "Company B;NL0000000002;A12;test;1247710;1247710;93541;56155;0.16818917;24414201;170899407;87928.54;85122.31\n"
)
EQUITY = {"asset_class": "listed_equity"}


def write(folder: Path, text: str, name: str = "portfolio.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_portfolio_between_semicolons(tmp_path: Path) -> None:
    found = read_portfolio(write(tmp_path, RMI), fixed=EQUITY)
    assert found.rows.select("row", "investee", "entity", "outstanding", "asset_class", "currency").rows() == [
        (2, "AES Corp.", "US00130H1059", 4351252525.0, "listed_equity", "CNY"),
        # The comma stands in a name: it separates nothing.
        (3, "ALLETE, Inc.", "US0185223007", 3829481150.0, "listed_equity", "CNY"),
        (4, "OG&E Energy", "US6708371033", 7251242925.0, "listed_equity", "CNY"),
    ]
    assert {(problem.column, problem.severity) for problem in found.problems} == {("company_lei", "warning")}
    assert found.assumed == (
        "asset_class of every row: listed_equity",
        "no column currency: every amount is taken as CNY",
    )


def test_the_currency_of_a_heading(tmp_path: Path) -> None:
    found = read_portfolio(write(tmp_path, EXAMPLE), fixed={**EQUITY, "cny_per_unit": "6.4"})
    assert found.rows.select("investee", "outstanding", "currency", "cny_per_unit").rows() == [
        ("Company AG", 35_000_000.0, "USD", 6.4),
        ("Company AH", 10_000_000.0, "USD", 6.4),
    ]
    assert found.assumed == ("asset_class of every row: listed_equity", "cny_per_unit of every row: 6.4")
    # Dollars are not taken for yuan where nobody says what they are worth.
    without = read_portfolio(write(tmp_path, EXAMPLE), fixed=EQUITY)
    assert without.rows.is_empty()
    assert [(one.row, one.column) for one in without.problems if one.severity == "error"] == [
        (2, "cny_per_unit"),
        (3, "cny_per_unit"),
    ]


def test_without_an_asset_class_the_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="expected also asset_class"):
        read_portfolio(write(tmp_path, TEMPLATE))


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        (TEMPLATE, {**EQUITY, "colour": "green"}),
        (TEMPLATE, {**EQUITY, "outstanding": "5"}),
        (EXAMPLE, {**EQUITY, "currency": "EUR"}),
    ],
)
def test_nothing_is_fixed_that_the_file_says_or_nobody_knows(tmp_path: Path, text: str, fixed: dict[str, str]) -> None:
    with pytest.raises(UnknownFormat, match=f"found {list(fixed)[1]} fixed"):
        read_portfolio(write(tmp_path, text), fixed=fixed)


def test_attribution_by_the_value_including_cash(tmp_path: Path) -> None:
    found = read_portfolio(write(tmp_path, SCORES), fixed=EQUITY)
    rows = attribute(found.rows).rows
    assert rows["attribution"].to_list() == pytest.approx([42881 / 51067.38, 56155 / 87928.54])
    assert rows["basis"].to_list() == ["evic", "evic"]
    # ghg_s1s2 is a sum of two scopes without a unit: it is told as not read, and no scope is filled with it.
    assert {"ghg_s1s2", "ghg_s3"} <= {problem.column for problem in found.problems}
    assert rows.select("scope_1_t", "scope_2_t", "scope_3_t").null_count().row(0) == (2, 2, 2)


@pytest.mark.parametrize("number", ["335,653", "151,2806092", "1,000.5"])
def test_a_comma_in_a_number_between_semicolons_is_refused(tmp_path: Path, number: str) -> None:
    # ITR/inputs/company_data.csv @ 2f7e19f writes 151,2806092: there a comma stands before decimals.
    path = write(tmp_path, TEMPLATE.replace("59205", number))
    found = read_portfolio(path, fixed=EQUITY)
    assert found.rows.is_empty()
    assert [(one.row, one.column, one.found) for one in found.problems if one.severity == "error"] == [
        (2, "investment_value", number)
    ]


def test_cells_too_many_and_quotes_that_do_not_match(tmp_path: Path) -> None:
    found = read_portfolio(write(tmp_path, TEMPLATE + "X;L;I;I;5;6\n"), fixed=EQUITY)
    assert found.rows["investee"].to_list() == ["AES Corp."]
    assert [(one.row, one.code) for one in found.problems if one.severity == "error"] == [(3, "too_many_cells")]
    with pytest.raises(UnreadableFile, match="semicolons"):
        read_portfolio(write(tmp_path, TEMPLATE + '"X;L;I;I;5\n'), fixed=EQUITY)


def test_an_empty_line_is_no_row(tmp_path: Path) -> None:
    found = read_portfolio(write(tmp_path, RMI.replace("ALLETE", "\nALLETE")), fixed=EQUITY)
    assert found.rows["row"].to_list() == [2, 4, 5]
    assert found.rows_read == 3


def test_scores_without_a_year_are_no_reported_emissions(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="emissions_metric"):
        read_itr(write(tmp_path, SCORES))


def test_a_sheet_of_reported_emissions_between_semicolons(tmp_path: Path) -> None:
    lines = [
        "company_name,company_lei,company_id,country,sector,report_date,emissions_metric,2019_ghg_s1,2019_ghg_s1s2",
        "A,LEI,US01,US,Steel,2021-12-31,Mt CO2,1.25,1.75",
    ]
    plain = read_itr(write(tmp_path, "\n".join(lines) + "\n"))
    spaced = read_itr(write(tmp_path, "\n".join(lines).replace(",", ";") + "\n"))
    assert plain.rows["amount"].to_list() == [1.25]
    assert spaced.rows.equals(plain.rows)
    assert [one.code for one in spaced.problems] == ["combined_scopes"]
    # 1,25 is not 125, whatever stands between the cells.
    for number in ("1,25", "1,250"):
        line = lines[1].replace(",", ";").replace("1.25", number)
        refused = read_itr(write(tmp_path, lines[0].replace(",", ";") + "\n" + line + "\n"))
        assert refused.rows.is_empty()
        assert ("unreadable_cell", number) in [(one.code, one.found) for one in refused.problems]
    quoted = read_itr(write(tmp_path, lines[0] + "\n" + lines[1].replace("1.25", '"1,25"') + "\n"))
    assert ("unreadable_cell", "1,25") in [(one.code, one.found) for one in quoted.problems]
    grouped = read_itr(write(tmp_path, lines[0] + "\n" + lines[1].replace("1.25", '"1,250.5"') + "\n"))
    assert grouped.rows["amount"].to_list() == [1250.5]
