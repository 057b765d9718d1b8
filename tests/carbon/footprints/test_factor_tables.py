from datetime import date

import polars as pl
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, insert

from carbon.footprints.factor_tables import FootprintFactor, all_factors, store_factors, user_factors
from carbon.footprints.factors import embedded_factors
from carbon.footprints.schemas import factors_schema


def factor(factor_id: str, **given: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(factors_schema())
    row |= {"factor_id": factor_id, "activity": "electricity", "kind": "electricity", "parameter": "emission_factor"}
    row |= {"gas": "CO2", "value": 0.1, "numerator": "kg", "denominator": "kWh", "region": "CN", "series": "own"}
    row |= {"biogenic": False, "assumed": False, "source": "test", "recorded": date(2026, 1, 5), "lower": 0.05}
    return row | given


def table(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=factors_schema())


def test_kept_once_beside_the_embedded(engine: Engine) -> None:
    rows = table(factor("b"), factor("a", valid_from=date(2023, 1, 1), method="market", upper=0.1 + 0.2))
    with Session(engine) as session:
        first = store_factors(session, rows, "f.csv")
        again = store_factors(session, rows.with_columns(recorded=pl.lit(date(2026, 2, 1))), "f.csv")
        assert (first.given, first.new, first.already_loaded, first.refused) == (2, 2, 0, 0)
        assert (again.given, again.new, again.already_loaded, again.refused) == (2, 0, 2, 0)
        assert user_factors(session).equals(rows.sort("factor_id"))
        every = all_factors(session)
        assert every.height == embedded_factors().height + 2
        assert every.schema == pl.Schema(factors_schema())
        assert every["factor_id"].to_list() == sorted(every["factor_id"])
        nothing = store_factors(session, rows.clear(), "f.csv")
        assert (nothing.given, nothing.new) == (0, 0)


def test_an_id_stands_for_one_content_for_ever(engine: Engine) -> None:
    with Session(engine) as session:
        store_factors(session, table(factor("a")), "f.csv")
        report = store_factors(session, table(factor("a", value=0.2), factor("b")), "g.csv")
        assert (report.new, report.refused) == (1, 1)
        (problem,) = report.problems
        assert (problem.file, problem.code, problem.found) == (
            "g.csv",
            "already_loaded_otherwise",
            "a with other figures",
        )
        assert user_factors(session)["value"].to_list() == [0.1, 0.1]
        embedded = embedded_factors().head(1)
        assert store_factors(session, embedded, "e.csv").already_loaded == 1
        assert store_factors(session, embedded.with_columns(value=pl.lit(9.0)), "e.csv").refused == 1


def test_corrections(engine: Engine) -> None:
    rows = table(
        factor("a2", replaces="a"),
        factor("a"),
        factor("embedded2", replaces="cn-grid_average-2023-420000"),
        factor("lost", replaces="nobody"),
        factor("lost2", replaces="lost"),
    )
    with Session(engine) as session:
        report = store_factors(session, rows, "f.csv")
        assert (report.new, report.refused) == (3, 2)
        assert {problem.code for problem in report.problems} == {"unknown_replaced"}
        assert [problem.found for problem in report.problems] == ["nobody in lost", "lost in lost2"]
        twice = store_factors(session, table(factor("a3", replaces="a"), factor("a4", replaces="a2")), "g.csv")
        assert [problem.code for problem in twice.problems] == ["replaced_before"]
        assert user_factors(session)["factor_id"].to_list() == ["a", "a2", "a4", "embedded2"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": -1.0, "lower": None},
        {"upper": 0.01},
        {"lower": 0.5},
        {"parameter": "guess"},
        {"method": "magic"},
        {"confidence": "Z"},
        {"distribution": "bell"},
        {"replaces": "x"},
        {"valid_from": date(2024, 1, 1), "valid_to": date(2023, 1, 1)},
    ],
)
def test_the_database_refuses_what_no_rule_let_through(engine: Engine, wrong: dict[str, object]) -> None:
    with Session(engine) as session, pytest.raises(IntegrityError):
        session.exec(insert(FootprintFactor), params=[{**factor("x"), "content": "0" * 64, **wrong}])
