from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from carbon.footprints.calculate import calculate
from carbon.footprints.recompute import recompute
from carbon.footprints.run_tables import FootprintRun
from carbon.footprints.runs import (
    RunTerms,
    UnknownRun,
    latest_lines,
    latest_result,
    latest_run,
    list_runs,
    read_run,
    runs_on_other_terms,
    save_run,
)
from carbon.footprints.working import write_out

from .frames import GRID, POWER, RESIDUAL, SCOPE_1, activity_rows, factor_rows, fuel, month

CLINKER: dict[str, Any] = {"scope": 1, "category": "process", "activity": "clinker", "unit": "t"}
CLINKER_FACTOR = factor_rows(
    {"factor_id": "clinker", "activity": "clinker", "value": 0.5, "numerator": "t", "denominator": "t"}
)
FACTORS = pl.concat([GRID, RESIDUAL, CLINKER_FACTOR])
ROWS = activity_rows(
    {**CLINKER, "amount": 10.0}, {**POWER, "amount": 100.0}, {**CLINKER, "amount": 1.0, "activity": "unknown"}
)
BETTER = CLINKER_FACTOR.with_columns(
    factor_id=pl.lit("clinker-2"), replaces=pl.lit("clinker"), value=pl.lit(0.55), recorded=date(2025, 6, 1)
)
NOON_US = 1_735_732_800_000_000
"""Noon of 2025-01-01, UTC."""


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


def save(
    session: Session, rows: pl.DataFrame = ROWS, factors: pl.DataFrame = FACTORS, **terms: Any
) -> tuple[str, bool]:
    made = calculate(rows, factors)
    return save_run(session, made, rows, factors, RunTerms(**terms), created_us=NOON_US)


def stored_bytes(session: Session) -> list[tuple[Any, ...]]:
    query = "SELECT run, name, part, height, sha256, content FROM carbon_footprint_run_part ORDER BY run, name, part"
    return [(*row[:5], bytes(row[5])) for row in session.connection().execute(text(query))]


def test_a_run_is_read_back_as_it_was(session: Session) -> None:
    run, is_new = save(session)
    assert is_new
    made, stored = calculate(ROWS, FACTORS), read_run(session)
    assert stored.run.id == run
    assert stored.lines.equals(made.lines)
    assert stored.left_out.equals(made.left_out)
    assert stored.factors["factor_id"].to_list() == ["clinker", "grid", "residual"]
    assert (stored.run.activities, stored.run.lines, stored.run.left_out) == (3, 3, 1)
    assert read_run(session, run[:8]).lines.equals(made.lines)


def test_the_same_inputs_are_the_same_run_and_the_same_bytes(session: Session) -> None:
    first, _ = save(session)
    before = stored_bytes(session)
    again = save(session, ROWS[::-1], FACTORS[::-1])
    assert again == (first, False)
    # A factor that nothing uses, and where a row was found, say nothing about the result.
    idle = pl.concat([FACTORS, BETTER.with_columns(activity=pl.lit("other"), replaces=pl.lit(None))])
    assert save(session, ROWS.with_columns(file=pl.lit("y.csv")), idle) == (first, False)
    assert stored_bytes(session) == before
    assert list_runs(session).height == 1


@pytest.mark.parametrize(
    "change",
    [
        {"rows": ROWS.with_columns(amount=pl.col("amount") + 1)},
        {"rows": ROWS.with_columns(share=pl.lit(0.5))},
        {"factors": FACTORS.with_columns(value=pl.col("value") * 2)},
        {"as_of": date(2025, 1, 1)},
        {"entity": "E"},
        {"year": 2023},
        {"approach": "equity", "company": "P"},
    ],
)
def test_other_inputs_are_another_run(session: Session, change: dict[str, Any]) -> None:
    first, _ = save(session)
    other, is_new = save(session, **change)
    assert is_new
    assert other != first
    assert read_run(session, first).run.id == first


def test_the_newest_run_answers_for_what_it_covers(session: Session) -> None:
    rows = activity_rows(
        {**CLINKER, "amount": 1.0, "entity": "E"},
        {**CLINKER, "amount": 2.0, "entity": "F"},
        {**CLINKER, "amount": 4.0, "entity": "F", "period": "2022"}
        | {"first_day": date(2022, 1, 1), "last_day": date(2022, 12, 31)},
    )
    save(session, rows)
    doubled = FACTORS.with_columns(value=pl.col("value") * 2)
    of_f = rows.filter((pl.col("entity") == "F") & (pl.col("period") == "2023"))
    save(session, of_f, doubled, entity="F", year=2023)
    told = latest_lines(session).sort("activity_id").select("activity_id", "co2e_kg").rows()
    assert told == [("a0", 500.0), ("a1", 2000.0), ("a2", 2000.0)]
    assert len(latest_result(session).runs) == 2
    # A run of another set of potentials is another world.
    other = calculate(rows, FACTORS, gwp_set="AR6GWP100")
    save_run(session, other, rows, FACTORS, RunTerms(gwp_set="AR6GWP100"), created_us=NOON_US)
    assert len(latest_result(session).runs) == 1
    assert len(latest_result(session, gwp_set="AR5GWP100").runs) == 2


def test_runs_on_other_terms_are_named_and_never_mixed(session: Session) -> None:
    usual, _ = save(session)
    assert runs_on_other_terms(session).is_empty()
    other, _ = save(session, gwp_set="AR6GWP100")
    assert latest_result(session).runs == (other,)
    assert runs_on_other_terms(session)["id"].to_list() == [usual]
    assert latest_result(session, gwp_set="AR5GWP100", approach="rows").runs == (usual,)
    assert latest_result(session, approach="equity").runs == ()


def test_the_hash_of_a_result_does_not_tell_where_a_row_was_found(session: Session) -> None:
    def result_of(rows: pl.DataFrame) -> str:
        run, is_new = save(session, rows)
        assert is_new
        found = read_run(session, run).run.result_sha256
        for table in ("carbon_footprint_run_part", "carbon_footprint_run"):
            session.connection().execute(text(f"DELETE FROM {table}"))
        session.commit()
        return found

    told = result_of(ROWS.with_columns(file=pl.lit("x.csv"), row=pl.lit(7, pl.Int64)))
    assert told == result_of(ROWS.with_columns(file=pl.lit("y.csv"), row=pl.lit(8, pl.Int64)))
    assert told != result_of(ROWS.with_columns(amount=pl.col("amount") + 1))


def test_a_recomputation_takes_the_place_of_the_run_that_it_supersedes(session: Session) -> None:
    rows = activity_rows({**CLINKER, "amount": 1.0, "entity": "E"}, {**CLINKER, "amount": 2.0, "entity": "F"})
    whole, _ = save(session, rows)
    of_f = rows.filter(pl.col("entity") == "F")
    special = CLINKER_FACTOR.with_columns(factor_id=pl.lit("special"), value=pl.lit(9.0))
    newer, _ = save(session, of_f, special, entity="F")
    found = recompute(
        session, rows, pl.concat([FACTORS, BETTER]), since=date(2025, 1, 1), created_us=NOON_US + 1, run_id=whole
    )
    # F is still answered by the run made for it.
    assert latest_result(session).runs == (newer, found.new)
    told = latest_lines(session).sort("activity_id").select("activity_id", "co2e_kg").rows()
    assert told == [("a0", pytest.approx(550.0)), ("a1", 18_000.0)]
    assert latest_run(session).id == newer


def test_nothing_calculated_and_unknown_runs(session: Session) -> None:
    assert latest_lines(session).is_empty()
    with pytest.raises(UnknownRun, match="no calculated footprint"):
        read_run(session)
    run, _ = save(session)
    for wrong in ("ffffffffff", run[:7], "%%%%%%%%%", "\0" * 9):
        with pytest.raises(UnknownRun):
            read_run(session, wrong)


def test_a_run_needs_what_its_kind_needs(session: Session) -> None:
    row = save(session) and read_run(session).run.model_dump()
    wrong = ({"kind": "recompute"}, {"approach": "equity"}, {"approach": "rows", "company": "P"}, {"kind": "guess"})
    for at, change in enumerate(wrong):
        session.add(FootprintRun(**{**row, "number": None, "id": f"{at:064}", **change}))
        with pytest.raises(IntegrityError):
            session.commit()
        session.rollback()


def test_nothing_changed_no_new_run(session: Session) -> None:
    run, _ = save(session)
    found = recompute(session, ROWS, FACTORS, since=date(2020, 1, 1), created_us=NOON_US + 1)
    assert (found.old, found.new, found.is_new, found.changes.height) == (run, None, False, 0)
    # The better factor came before the day asked for, and after the run: not looked at.
    late = recompute(session, ROWS, pl.concat([FACTORS, BETTER]), since=date(2025, 7, 1), created_us=NOON_US + 1)
    assert late.new is None
    assert list_runs(session).height == 1


def test_a_replaced_factor_makes_a_new_run_and_leaves_the_old_one(session: Session) -> None:
    run, _ = save(session)
    before = stored_bytes(session)
    factors = pl.concat([FACTORS, BETTER])
    found = recompute(session, ROWS, factors, since=date(2024, 1, 1), created_us=NOON_US + 1)
    assert found.is_new
    (change,) = found.changes.iter_rows(named=True)
    assert (change["activity_id"], change["old_factor_ids"], change["new_factor_ids"]) == (
        "a0",
        ["clinker"],
        ["clinker-2"],
    )
    assert (change["old_co2e_kg"], change["new_co2e_kg"]) == pytest.approx((10 * 500, 10 * 550))
    assert change["difference_kg"] == pytest.approx(10 * 50)
    new = read_run(session, found.new)
    assert (new.run.kind, new.run.supersedes, new.run.since) == ("recompute", run, date(2024, 1, 1))
    assert dict(new.lines.filter(pl.col("method").is_null()).select("activity_id", "co2e_kg").iter_rows()) == {
        "a0": pytest.approx(5500)
    }
    old = read_run(session, run).lines
    assert new.lines.filter(pl.col("activity_id") == "a1").equals(old.filter(pl.col("activity_id") == "a1"))
    assert new.left_out["activity_id"].to_list() == ["a2"]
    assert set(before) <= set(stored_bytes(session))
    runs = list_runs(session)
    assert dict(runs.select("id", "superseded_by").iter_rows()) == {run: found.new, found.new: None}
    # Once more: the new run stands; the old one asked for by name gives the same run again.
    assert recompute(session, ROWS, factors, since=date(2024, 1, 1), created_us=NOON_US + 2).new is None
    again = recompute(session, ROWS, factors, since=date(2024, 1, 1), created_us=NOON_US + 2, run_id=run)
    assert (again.new, again.is_new) == (found.new, False)


def test_a_correction_that_no_longer_fits_takes_its_figure_away(session: Session) -> None:
    worldwide = CLINKER_FACTOR.with_columns(factor_id=pl.lit("clinker-world"), region=pl.lit("World"), value=0.4)
    factors = pl.concat([FACTORS, worldwide])
    run, _ = save(session, ROWS, factors)
    abroad = BETTER.with_columns(region=pl.lit("GB"))
    found = recompute(session, ROWS, pl.concat([factors, abroad]), since=date(2025, 6, 1), created_us=NOON_US + 1)
    # 10 t x 0.5 t/t by the factor that was withdrawn, 10 t x 0.4 t/t by the one that is left.
    row = found.changes.row(0, named=True)
    assert found.changes.height == 1
    assert (row["old_factor_ids"], row["old_co2e_kg"]) == (["clinker"], pytest.approx(5_000))
    assert (row["new_factor_ids"], row["new_co2e_kg"]) == (["clinker-world"], pytest.approx(4_000))
    assert latest_run(session).supersedes == run
    # Nothing else is left for it: no line, and the activity is listed as not calculated.
    alone, _ = save(session)
    none = recompute(
        session, ROWS, pl.concat([FACTORS, abroad]), since=date(2025, 6, 1), created_us=NOON_US + 2, run_id=alone
    )
    assert none.changes.select("activity_id", "new_co2e_kg", "difference_kg").rows() == [("a0", None, -5_000.0)]
    assert none.new is not None
    stored = read_run(session, none.new)
    assert "a0" in stored.left_out["activity_id"]
    assert "a0" not in stored.lines["activity_id"]


def test_what_was_left_out_is_calculated_when_its_factor_comes(session: Session) -> None:
    save(session)
    came = CLINKER_FACTOR.with_columns(
        factor_id=pl.lit("new"), activity=pl.lit("unknown"), value=pl.lit(2.0), recorded=date(2025, 3, 1)
    )
    found = recompute(session, ROWS, pl.concat([FACTORS, came]), since=date(2025, 3, 1), created_us=NOON_US + 1)
    assert found.changes.select("activity_id", "old_co2e_kg", "new_co2e_kg", "difference_kg").rows() == [
        ("a2", None, 2000.0, 2000.0)
    ]
    assert read_run(session).left_out.is_empty()


def test_under_a_boundary_the_share_of_the_run_stays(session: Session) -> None:
    made = calculate(ROWS, FACTORS)
    lines = made.lines.filter(pl.col("activity_id") == "a0").with_columns(
        share=pl.lit(0.25), co2e_kg=pl.col("emissions_kg") * 0.25, remarks=pl.lit("control_assumed")
    )
    kept = type(made)(lines, made.left_out, (), 3)
    terms = RunTerms(approach="operational", company="P")
    save_run(session, kept, ROWS, FACTORS, terms, created_us=NOON_US)
    found = recompute(session, ROWS, pl.concat([FACTORS, BETTER]), since=date(2025, 1, 1), created_us=NOON_US + 1)
    new = read_run(session, found.new)
    assert new.lines.select("activity_id", "share", "co2e_kg", "remarks").rows() == [
        ("a0", 0.25, pytest.approx(5500 * 0.25), "control_assumed")
    ]
    assert (new.run.approach, new.run.company) == ("operational", "P")


def test_lines_are_written_out_as_arithmetic() -> None:
    factors = pl.concat([FACTORS, fuel("coal", 20.0, 0.03, 0.98)]).with_columns(
        name_en=pl.lit("name of ") + pl.col("factor_id")
    )
    coal = {**SCOPE_1, "activity": "coal", "unit": "t", "amount": 100.0, "share": 0.5}
    rows = activity_rows(coal, {**POWER, "amount": 100.0, "method": "location"})
    told = write_out(calculate(rows, factors).lines, factors)
    assert told["working"].to_list() == [
        # 100 x 20 x 0.03 x 0.98 x 44/12 = 215.6 t
        "100 t x 20 GJ/t x 0.03 t/GJ x 0.98 x 44/12 = 215600 kg CO2; x GWP 1 x share 0.5 = 107800 kg CO2e",
        "100 kWh x 0.5 kg/kWh = 50 kg CO2; x GWP 1 x share 1 = 50 kg CO2e",
    ]
    assert told["factor_names"].to_list()[1] == "name of grid"


def test_a_mean_of_months_is_written_as_one() -> None:
    months = factor_rows(
        *(
            {
                **{"factor_id": f"m{number}", "activity": "coal", "parameter": "carbon_content", "gas": "C"},
                **{"value": value, "numerator": "t", "denominator": "GJ", "region": "E", "series": "measured"},
                **{"valid_from": month(number)["first_day"], "valid_to": month(number)["last_day"]},
            }
            for number, value in ((1, 0.026), (2, 0.027), (3, 0.028))
        )
    )
    factors = pl.concat([fuel("coal", 20.0, 0.03, 0.98).filter(pl.col("parameter") != "oxidation"), months])
    rows = activity_rows({**SCOPE_1, "activity": "coal", "unit": "t", "amount": 1.0, **month(7)})
    (working,) = write_out(calculate(rows, factors).lines, factors)["working"]
    assert working.startswith(
        "1 t x 20 GJ/t x mean(0.026 t/GJ, 0.027 t/GJ, 0.028 t/GJ) x 1 (oxidation, assumed) x 44/12 = 1980 kg CO2"
    )
    coal = {**SCOPE_1, "activity": "coal", "unit": "t", "amount": 1.0}
    weighed = activity_rows({**coal, **month(7)}, *({**coal, **month(at)} for at in (1, 2, 3)))
    told = write_out(calculate(weighed, factors).lines, factors).filter(pl.col("period") == "2023-07")
    assert "x weighted mean(0.026 t/GJ, 0.027 t/GJ, 0.028 t/GJ) x" in told["working"][0]
