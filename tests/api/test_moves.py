"""What would move a city, over HTTP: documented rows, the numbers of the core, plain words for what cannot be."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import move_schemas as rows
from api import moves
from api.schemas import ProblemBody
from api.store import Store, current_edition
from api.tables import examples
from fhi.errors import UnknownHub
from green_index.index import RANKING, green_framework
from green_index.moves.changes import Change
from green_index.moves.errors import ImpossibleChange

from .conftest import check_documented_rows

VOLUME = "carbon_finance.market.volume"
URLS = {
    f"/v1/what-if?hub=wuhan&set={VOLUME}:by:10%25&year=2022": rows.WhatIfRow,
    f"/v1/what-if?hub=beijing&set={VOLUME}:best&year=2022&draws=20&seed=3": rows.WhatIfRow,
    f"/v1/what-if/figures?hub=%E6%AD%A6%E6%B1%89&set={VOLUME}:best&set=xian/{VOLUME}:5": rows.WhatIfFigureRow,
    "/v1/what-if/shifts?hub=wuhan&set=ecosystem.business.finance:best&year=2022": rows.WhatIfShiftRow,
    "/v1/target?hub=wuhan&rank=1&year=2022": rows.TargetRow,
    "/v1/target?hub=wuhan&score=99&fix=fintech": rows.TargetRow,
    "/v1/target/moves?hub=wuhan&rank=1&year=2022": rows.TargetMoveRow,
    "/v1/break-even?hub=wuhan&year=2022": rows.BreakEvenRow,
    "/v1/break-even/intervals?hub=wuhan&level=carbon_finance&year=2022": rows.WeightIntervalRow,
    "/v1/break-even/pairs?hub=wuhan&level=indicators&year=2022": rows.EvenPairRow,
    "/v1/rank-range?hub=wuhan&year=2022&region=20%25": rows.RankRangeRow,
    "/v1/rank-range?region=10%25": rows.RankRangeRow,
    "/v1/rank-range?hub=wuhan&bound=fintech%3E=0.5&bound=carbon_finance%3E=sustainability_data": rows.RankRangeRow,
    "/v1/rank-range/weights?hub=wuhan&year=2022": rows.RangeWeightRow,
}


EXAMPLES = {
    "getWhatIf": f"/v1/what-if?hub=wuhan&set={VOLUME}:by:10%25&year=2022&draws=1000",
    "getWhatIfFigures": f"/v1/what-if/figures?hub=wuhan&set={VOLUME}:by:10%25&year=2022",
    "getWhatIfShifts": "/v1/what-if/shifts?hub=wuhan&set=ecosystem.business.finance:best&year=2022",
    "getTarget": "/v1/target?hub=wuhan&rank=1&year=2022",
    "getTargetMoves": "/v1/target/moves?hub=wuhan&rank=1&year=2022",
    "getBreakEven": "/v1/break-even?hub=wuhan&year=2022",
    "getBreakEvenIntervals": "/v1/break-even/intervals?hub=wuhan&year=2022",
    "getBreakEvenPairs": "/v1/break-even/pairs?hub=wuhan&year=2022",
    "getRankRange": "/v1/rank-range?hub=wuhan&year=2022&region=20%25",
    "getRankRangeWeights": "/v1/rank-range/weights?hub=wuhan&year=2022&region=20%25",
}


@pytest.fixture
def store(app: FastAPI, client: TestClient) -> Store:  # noqa: ARG001 (the client opens the store)
    opened: Store = app.state.store
    return opened


@pytest.mark.parametrize(("url", "row"), URLS.items())
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str, row: type[Any]) -> None:
    check_documented_rows(client, url, row)


def close(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Are two rows the same, the edition apart, and figures as near as two machines are?"""
    return all(
        (value == pytest.approx(second[name], rel=1e-9, abs=1e-9))
        if isinstance(value, float)
        else value == second[name]
        for name, value in first.items()
        if name != "edition"
    )


@pytest.mark.parametrize(("operation", "url"), EXAMPLES.items())
def test_documented_examples_are_rows_that_the_api_gives(client: TestClient, operation: str, url: str) -> None:
    example = examples()[operation]
    assert any(close(example, row) for row in client.get(url).json())


def test_before_is_the_edition(client: TestClient, store: Store) -> None:
    found = client.get(f"/v1/what-if?hub=beijing&set={VOLUME}:best&year=2022").json()
    total = {row["hub"]: row for row in found if row["code"] == "green"}
    scores = {row["hub"]: row for row in client.get("/v1/scores?year=2022").json()}
    assert len(total) == len(scores) == 37
    for hub, row in total.items():
        assert row["score_before"] == pytest.approx(scores[hub]["score"], abs=1e-9)
        assert row["rank_before"] == scores[hub]["rank"]
    assert {row["edition"] for row in found} == {current_edition(store, "open", RANKING).id}
    # Only the market's volume changed: groups of one city, and of the others nothing but the total.
    assert {row["hub"] for row in found if row["code"] != "green"} == {"beijing"}
    (market,) = (row for row in found if row["code"] == "carbon_finance.market")
    assert market["score_after"] > market["score_before"]


def test_bands_come_from_common_draws(client: TestClient) -> None:
    """Where nothing changes, draws before and after are the same to the last one."""
    url = "/v1/what-if?hub=wuhan&set=carbon_finance.infrastructure.facilities:by:0&year=2022&draws=200"
    wuhan = next(row for row in client.get(url).json() if row["code"] == "green" and row["hub"] == "wuhan")
    assert wuhan["rank_p05_before"] == wuhan["rank_p05_after"] <= wuhan["rank_median_before"]
    assert wuhan["rank_p95_before"] == wuhan["rank_p95_after"]
    assert (wuhan["draws"], wuhan["seed"]) == (200, 0)
    assert "not confidence intervals" in wuhan["kind_en"]
    assert "并非置信区间" in wuhan["kind_zh"]


def test_a_target_is_what_its_figures_give(client: TestClient) -> None:
    (answer,) = client.get("/v1/target?hub=wuhan&rank=1&year=2022").json()
    figures = client.get("/v1/target/moves?hub=wuhan&rank=1&year=2022").json()
    assert (answer["rank_before"], answer["pass_en"], answer["reachable"]) == (2, "Shanghai", True)
    assert answer["score_frozen"] == pytest.approx(answer["score_needed"] + moves.LEAD)
    gain = sum(row["points"] for row in figures)
    assert answer["score_before"] + gain == pytest.approx(answer["score_frozen"])
    sets = "".join(f"&set={row['code']}:{row['value_after']!r}" for row in figures)
    tried = client.get(f"/v1/what-if?hub=wuhan&year=2022{sets}").json()
    wuhan = next(row for row in tried if row["code"] == "green" and row["hub"] == "wuhan")
    assert wuhan["rank_after"] == answer["rank_rebuilt"]
    assert wuhan["score_after"] == pytest.approx(answer["score_rebuilt"])
    assert wuhan["score_frozen"] == pytest.approx(answer["score_frozen"])


def test_ranges_hold_the_rank_and_its_intervals(client: TestClient) -> None:
    (free,) = client.get("/v1/rank-range?hub=wuhan&year=2022").json()
    (near,) = client.get("/v1/rank-range?hub=wuhan&year=2022&region=20%25").json()
    assert free["best_rank"] <= near["best_rank"] <= near["rank"] <= near["worst_rank"] <= free["worst_rank"]
    assert free["verified"]
    assert near["verified"]
    ranks = [row["rank"] for row in client.get("/v1/break-even/intervals?hub=wuhan&year=2022").json()]
    assert free["best_rank"] <= min(ranks)
    assert max(ranks) <= free["worst_rank"]
    weights = client.get("/v1/rank-range/weights?hub=wuhan&year=2022").json()
    for end in ("best", "worst"):
        assert sum(row["weight"] for row in weights if row["end"] == end) == pytest.approx(1)


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("/v1/what-if?hub=wuhan", 422, "query.set: found nothing"),
        ("/v1/what-if?hub=atlantis&set=x:1", 404, "unknown hub 'atlantis'"),
        (f"/v1/what-if?hub=wuhan&set={VOLUME}:as:atlantis", 404, "unknown hub 'atlantis'"),
        (f"/v1/what-if?hub=wuhan&set={VOLUME}:1&year=1999", 404, "2013 to 2023"),
        (f"/v1/what-if?hub=wuhan&set={VOLUME}:much&set=nothing", 422, "2 problem(s)"),
        (f"/v1/what-if?hub=wuhan&set={VOLUME}:-1", 422, "found -1 t; expected a figure of 0 or more"),
        ("/v1/what-if?hub=wuhan&set=carbon_finance.market.continuity:2", 422, "share of sessions"),
        (f"/v1/what-if?hub=wuhan&set={VOLUME}:1&draws=9999999", 422, "query.draws"),
        ("/v1/what-if?hub=wuhan" + f"&set={VOLUME}:1" * 21, 422, "query.set"),
        ("/v1/target?hub=wuhan", 422, "query.rank: found both or neither"),
        ("/v1/target?hub=wuhan&rank=0", 422, "query.rank"),
        ("/v1/target?hub=wuhan&rank=1&fix=fintec", 422, "'fintech'?"),
        ("/v1/break-even?hub=wuhan&level=carbon_finance.market&year=2022", 422, "no score of"),
        ("/v1/break-even?hub=wuhan&level=nowhere", 422, "found 'nowhere'"),
        ("/v1/rank-range?region=wide", 422, "found 'wide'"),
        ("/v1/rank-range?hub=wuhan&bound=fintech%3E=0.9&bound=carbon_finance%3E=0.9", 422, "sums with 1 between"),
        ("/v1/rank-range?hub=wuhan&bound=fintech", 422, "CODE>=SHARE"),
        ("/v1/rank-range?year=1999", 404, "2013 to 2023"),
    ],
)
def test_what_cannot_be_is_a_problem_document(client: TestClient, url: str, status: int, said: str) -> None:
    answer = client.get(url)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    ProblemBody.model_validate(answer.json())
    assert said in answer.json()["detail"]


def test_changes_as_they_are_asked_for() -> None:
    tree = green_framework("open")
    asked = [f"{VOLUME}=5", f"西安/{VOLUME}=best", "fintech=as:上海"]
    assert moves.changes_of("武汉", asked, None, tree) == [
        Change("wuhan", VOLUME, "to", 5.0),
        Change("xian", VOLUME, "best"),
        Change("wuhan", "fintech", "as", other="shanghai"),
    ]
    assert moves.changes_of("wuhan", [], "shanghai", tree) == [Change("wuhan", "green", "as", other="shanghai")]
    assert moves.changes_of("wuhan", ["fintech"], "shanghai", tree) == [
        Change("wuhan", "fintech", "as", other="shanghai")
    ]
    with pytest.raises(ImpossibleChange, match="CODE=VALUE"):
        moves.changes_of("wuhan", ["fintech"], None, tree)
    with pytest.raises(UnknownHub):
        moves.changes_of("wuhan", [f"atlantis/{VOLUME}=5"], None, tree)
    with pytest.raises(ImpossibleChange, match="at most 100"):
        moves.changes_of("wuhan", [f"{VOLUME}=5"] * 101, None, tree)
