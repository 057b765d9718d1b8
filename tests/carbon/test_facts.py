from datetime import date

import polars as pl
import pytest

from carbon import facts
from carbon.embedded import load_embedded
from carbon.loading import load_trades
from carbon.tables import TradeSummary


def typed(name):
    return {column: getattr(pl, kind) for column, kind in facts.SCHEMAS[name].items()}


FROM_SQL = {
    "markets": facts.markets,
    "facilities": facts.facilities,
    "market_years": facts.market_years,
    "market_periods": lambda session: facts.market_periods(session, "year"),
}
EMBEDDED = {
    "city_inventories": facts.city_inventories,
    "lowcarbon_pilots": facts.lowcarbon_pilots,
    "sources": facts.sources,
}


@pytest.mark.parametrize("name", FROM_SQL)
def test_schemas_with_and_without_rows(session, name):
    assert dict(FROM_SQL[name](session).schema) == typed(name)
    assert FROM_SQL[name](session).height == 0
    load_embedded(session)
    assert dict(FROM_SQL[name](session).schema) == typed(name)
    assert FROM_SQL[name](session).height > 0


@pytest.mark.parametrize("name", EMBEDDED)
def test_schemas_of_embedded_facts(name):
    frame = EMBEDDED[name]()
    assert dict(frame.schema) == typed(name)
    assert frame.height > 0


def test_no_fact_is_nan(session):
    load_embedded(session)
    for frame in [*(read(session) for read in FROM_SQL.values()), *(read() for read in EMBEDDED.values())]:
        for column in frame.select(pl.selectors.float()).iter_columns():
            assert not column.is_nan().any()


def test_wuhan_hosts_a_market_and_the_national_registry(session):
    load_embedded(session)
    assert facts.markets(session).filter(pl.col("hub") == "wuhan")["market"].to_list() == ["Hubei"]
    wuhan = facts.facilities(session).filter(pl.col("hub") == "wuhan")
    assert dict(wuhan.select("facility", "weight").iter_rows()) == {"national_registry": 3.0, "hubei_exchange": 1.0}
    assert wuhan["weight_assumed"].all()
    assert wuhan["name_en"].null_count() == 0


def test_embedded_years(session):
    load_embedded(session)
    years = facts.market_years(session)
    row = years.row(by_predicate=(pl.col("market") == "CEA") & (pl.col("year") == 2022), named=True)
    assert (row["used"], row["period"], row["coverage"]) == ("embedded", "2022", "whole_year")
    assert (row["value_fen"], row["value_cny"]) == (281_400_469_428, 2_814_004_694.28)
    assert (row["last_close_cny_per_t"], row["first_day"], row["last_day"]) == (
        55.0,
        date(2022, 1, 4),
        date(2022, 12, 30),
    )
    assert (row["block_share"], row["volatility_annual"]) == (None, None)
    assert row["source"] == "Wind, citing the Shanghai Environment and Energy Exchange"
    assert years.select("market", "year").is_unique().all()


def loaded(**changes):
    return TradeSummary(
        **{
            **{"market": "CEA", "period": "2022", "by": "year", "origin": "loaded", "volume_t": 10, "value_fen": 500},
            **{"sessions": 242, "coverage": "whole_year", "source": "loaded: a.csv"},
            **{"first_day": date(2022, 1, 4), "last_day": date(2022, 12, 30), **changes},
        }
    )


@pytest.mark.parametrize(
    ("changes", "used", "note"),
    [
        ({}, "loaded", None),
        ({"sessions": 2}, "embedded", "loaded CEA 2022 has 2 days with trades, embedded 242: embedded kept"),
        (
            {"first_day": date(2022, 1, 5)},
            "embedded",
            "loaded CEA 2022 begins 2022-01-05, embedded 2022-01-04: embedded kept",
        ),
        (
            {"last_day": date(2022, 6, 1)},
            "embedded",
            "loaded CEA 2022 ends 2022-06-01, embedded runs to 2022-12-30: embedded kept",
        ),
        ({"period": "2020", "first_day": date(2020, 1, 2), "last_day": date(2020, 1, 2)}, "loaded", None),
    ],
)
def test_which_year_is_used(session, changes, used, note):
    load_embedded(session)
    session.add(loaded(**changes))
    session.commit()
    period = changes.get("period", "2022")
    years = facts.market_years(session).filter((pl.col("market") == "CEA") & (pl.col("period") == period))
    assert years.select("used", "passed_over").rows() == [(used, note)]


@pytest.mark.parametrize(
    ("changes", "note"),
    [({}, None), ({"sessions": 2}, "loaded CEA 2022 has 2 days with trades, embedded 242; embedded volume 50889493 t")],
)
def test_statistics_show_what_was_loaded_and_say_what_it_lacks(session, changes, note):
    load_embedded(session)
    session.add(loaded(**changes))
    session.commit()
    rows = facts.market_statistics(session, "year").filter(pl.col("market") == "CEA")
    assert rows["period"].to_list() == ["2021", "2022", "2023", "2024", "2025"]
    assert rows.filter(pl.col("period") == "2022").select("origin", "volume_t", "note").rows() == [("loaded", 10, note)]
    assert set(rows.filter(pl.col("period") != "2022")["origin"]) == {"embedded"}


def test_the_embedded_note_stays_beside_the_reason(session):
    load_embedded(session)
    session.add(loaded(period="2024", first_day=date(2024, 1, 2), last_day=date(2024, 2, 1)))
    session.commit()
    year = facts.market_years(session).filter((pl.col("market") == "CEA") & (pl.col("year") == 2024))
    assert year["note"].item().startswith("the official total is 62277 t")
    assert year["passed_over"].item() == "loaded CEA 2024 ends 2024-02-01, embedded runs to 2024-12-31: embedded kept"


def test_hubei_loaded_years_equal_the_embedded_ones(session, lake, wind_file):
    load_trades(session, lake, wind_file, market="Hubei")
    periods = facts.market_periods(session, "year").filter(pl.col("market") == "Hubei")
    both = periods.filter(pl.col("origin") == "loaded").join(
        periods.filter(pl.col("origin") == "embedded"), on="period", suffix="_embedded"
    )
    later = both.filter(pl.col("period") > "2014")
    assert later.height == 11
    for column in ("volume_t", "value_fen", "sessions", "last_close_cny_per_t", "continuity", "last_day"):
        assert later[column].equals(later[f"{column}_embedded"].rename(column), check_names=False)
    years = facts.market_years(session).filter(pl.col("market") == "Hubei")
    assert years.filter(pl.col("used") == "embedded")["year"].to_list() == [2014]


def test_months_are_only_loaded(session, lake, write_national):
    load_trades(session, lake, write_national(), market="CEA")
    months = facts.market_periods(session, "month")
    assert months.select("market", "period", "origin", "volume_t", "value_cny").rows() == [
        ("CEA", "2022-03", "loaded", 1000 + 100_000 + 2000 + 500, 58_000 + 5_500_000 + 117_160 + 29_290)
    ]


def test_inventories_and_pilots():
    inventories = facts.city_inventories()
    wuhan = inventories.filter((pl.col("hub") == "wuhan") & (pl.col("period") == "2019"))
    assert wuhan["series"].to_list() == ["CEADS", "EDGAR"]
    assert wuhan["source"].null_count() == 0
    assert inventories.filter((pl.col("hub") == "lhasa") & (pl.col("series") == "CEADS")).height == 0
    assert facts.lowcarbon_pilots().filter(pl.col("hub") == "wuhan")["since_year"].to_list() == [2013]


def test_months_are_those_of_loaded_files_alone(session):
    """Embedded sums are of years: no month is made of them, and a loaded year is no month either."""
    load_embedded(session)
    assert dict(facts.market_months(session).schema) == typed("market_months")
    assert facts.market_months(session).height == 0
    session.add(loaded())
    session.add(loaded(by="month", period="2022-05", coverage="whole_month", volume_t=7, value_fen=350))
    session.flush()
    (row,) = facts.market_months(session).to_dicts()
    assert (row["market"], row["period"], row["used"], row["volume_t"]) == ("CEA", "2022-05", "loaded", 7)
    assert (row["value_cny"], row["coverage"]) == (3.5, "whole_month")
