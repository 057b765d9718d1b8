"""Compliance rows of the EU log and the UK's table: counts, sums and nulls as in the source, statuses derived."""

import io

import polars as pl
import pytest
from sqlalchemy.exc import DatabaseError

from carbon.imports.compliance import UnknownComplianceScheme, compliance_view, import_compliance
from carbon.ledger.orders import IdInUse
from carbon.ledger.parties import close_scheme
from carbon.ledger.post import writing
from carbon.rules.eu_status import status_agreement

EU = "registry/eutl_installation_year_2005_2020.parquet"
UK = "registry/ukets_allocation_table_2021_2026.xlsx"
FIGURES = {
    "allocated": "allocated_t",
    "allocated_second": "allocated_second_t",
    "verified": "verified_t",
    "surrendered": "surrendered_t",
}


@pytest.fixture(scope="module")
def plain(outside_data):
    return pl.read_parquet(outside_data / EU)


def test_all_rows_of_the_eu_log_come_in_with_the_sources_counts_sums_and_nulls(
    ledger, bring, look, outside_data, plain
):
    report = bring(ledger, import_compliance, outside_data / EU, scheme="EU")
    assert (report.rows_read, report.rows_booked, report.rows_apart, report.rows_repeated) == (194_078, 194_078, 0, 0)
    columns = ", ".join(f"count({name}), sum({name})" for name in FIGURES.values())
    found = look(ledger, f"SELECT count(*), count(DISTINCT party), {columns} FROM registry_compliance")[0]
    wanted = [plain.height, plain["account_id"].n_unique()]
    for name in FIGURES:
        figures = [int(figure) for figure in plain[name] if figure is not None]
        wanted += [len(figures), sum(figures)]
    assert [int(figure) for figure in found] == wanted
    with ledger.connect() as connection:
        view = compliance_view(connection, scheme="EU")
    printed = plain["compliance_code"].value_counts().sort("count")
    assert view["printed_code"].value_counts().sort("count").equals(printed.rename({"compliance_code": "printed_code"}))
    # The derived statuses are those of the rule on the source's rows, and the unexplained are its residue.
    source = plain.select(
        pl.col("account_id", "year").cast(pl.Int64),
        pl.col("verified").cast(pl.Int64).alias("verified_t"),
        pl.col("surrendered").cast(pl.Int64).alias("surrendered_t"),
        "verified_status",
        "compliance_code",
    )
    agreement = status_agreement(source).group_by("explanation").agg(pl.col("rows").sum())
    counted = view.group_by("explanation").agg(pl.len().cast(pl.Int64).alias("rows"))
    assert counted.sort("explanation").equals(agreement.sort("explanation"))
    again = bring(ledger, import_compliance, outside_data / EU, scheme="EU")
    assert again.replayed
    assert again.rows_repeated == 194_078
    assert look(ledger, "SELECT count(*) FROM registry_compliance") == [(194_078,)]


def test_the_uk_table_comes_in_as_allocations_without_any_invented_figure(ledger, bring, look, outside_data):
    report = bring(ledger, import_compliance, outside_data / UK, scheme="UK")
    sheet = pl.read_excel(outside_data / UK, infer_schema_length=0)
    cells = {
        kind: [
            int(cell)
            for name in sheet.columns
            if f"Allocation ({kind})" in " ".join(name.split())
            for cell in sheet[name].drop_nulls()
        ]
        for kind in ("Standard", "NER")
    }
    assert report.rows_booked == 482 * 6
    found = look(
        ledger,
        "SELECT count(*), sum(allocated_t), sum(allocated_second_t), count(verified_t), count(surrendered_t),"
        " count(printed_code) FROM registry_compliance WHERE scheme = 'UK'",
    )[0]
    assert [int(figure) for figure in found] == [482 * 6, sum(cells["Standard"]), sum(cells["NER"]), 0, 0, 0]
    with ledger.connect() as connection:
        view = compliance_view(connection, scheme="UK", first_year=2022, last_year=2022)
    assert view.height == 482
    assert view["derived_code"].null_count() == 482


def small(folder, name="rows.parquet", **changes):
    """Two years of a fictitious account: 5 t short in the first, 5 t too much in the second."""
    rows = {
        "account_id": [7, 7],
        "year": [2013, 2014],
        "allocated": [10.0, None],
        "allocated_second": [None, None],
        "allocated_raw": [None, None],
        "verified": [15.0, 20.0],
        "verified_status": [None, None],
        "surrendered": [10.0, 25.0],
        "compliance_code": ["B", "A"],
    } | changes
    types = dict.fromkeys(("allocated_raw", "verified_status", "compliance_code"), pl.String)
    types |= dict.fromkeys(("allocated", "allocated_second", "verified", "surrendered"), pl.Float64)
    pl.DataFrame(rows, schema_overrides=types).write_parquet(folder / name)
    return folder / name


def test_the_status_is_cumulative_even_where_only_the_last_year_is_asked_for(ledger, bring, tmp_path):
    bring(ledger, import_compliance, small(tmp_path), scheme="EU")
    with ledger.connect() as connection:
        view = compliance_view(connection, scheme="EU", party="7", first_year=2014)
    assert view.select("party", "year", "allocated_t", "balance_t", "derived_code", "printed_code").rows() == [
        ("7", 2014, None, 10 - 15 + 25 - 20, "A", "A")
    ]


def test_a_newer_file_counts_and_the_older_rows_stay(ledger, bring, look, tmp_path):
    bring(ledger, import_compliance, small(tmp_path), scheme="EU")
    bring(ledger, import_compliance, small(tmp_path, "new.parquet", surrendered=[15.0, 20.0]), scheme="EU")
    with ledger.connect() as connection:
        view = compliance_view(connection, scheme="EU")
    assert view["surrendered_t"].to_list() == [15, 20]
    assert look(ledger, "SELECT count(*) FROM registry_compliance") == [(4,)]


def test_rows_cannot_be_changed_or_removed(ledger, bring, tmp_path):
    bring(ledger, import_compliance, small(tmp_path), scheme="EU")
    for statement in ("UPDATE registry_compliance SET verified_t = 1", "DELETE FROM registry_compliance"):
        with pytest.raises(DatabaseError, match="append-only"), ledger.begin() as connection:
            connection.exec_driver_sql(statement)


def test_a_bad_row_is_set_apart_and_kept(ledger, bring, look, tmp_path):
    from carbon.imports.rows import read_kept

    report = bring(ledger, import_compliance, small(tmp_path, verified=[-1.0, 20.0]), scheme="EU")
    assert (report.rows_read, report.rows_booked, report.rows_apart) == (2, 1, 1)
    assert report.problems[0].row == 1
    header = look(ledger, "SELECT id FROM registry_transaction WHERE kind = 'import_file'")[0][0]
    with ledger.connect() as connection:
        kept = read_kept(connection, header, "rejected/compliance")
    assert kept is not None
    assert kept["verified"].to_list() == [-1.0]


def test_an_unknown_scheme_is_refused(ledger, bring, tmp_path):
    with pytest.raises(UnknownComplianceScheme, match="expected EU or UK"):
        bring(ledger, import_compliance, small(tmp_path), scheme="CN")


def test_an_id_used_for_another_act_is_refused(ledger, bring, tmp_path):
    from carbon.ledger.book import Act

    with writing(ledger) as connection:
        close_scheme(connection, Act("mine", 1, "t"), scheme="UK")
    with pytest.raises(IdInUse, match="C19"):
        bring(ledger, import_compliance, small(tmp_path), scheme="EU", client_id="mine")


def test_the_same_file_under_another_id_is_a_repeat(ledger, bring, tmp_path):
    bring(ledger, import_compliance, small(tmp_path), scheme="EU", client_id="one")
    assert bring(ledger, import_compliance, small(tmp_path), scheme="EU", client_id="two").replayed


def test_empty_texts_and_nulls_stay_apart_in_a_frame_written_fast(ledger, bring, look, tmp_path):
    path = small(tmp_path, allocated_raw=["", None])
    bring(ledger, import_compliance, path, scheme="EU")
    assert look(ledger, "SELECT allocated_note FROM registry_compliance ORDER BY year") == [("",), (None,)]
    assert pl.read_parquet(io.BytesIO(path.read_bytes()))["allocated_raw"].to_list() == ["", None]
