import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fhi.compare import AGREEMENT_SCHEMA, SHIFT_SCHEMA, agreement, rank_shift
from fhi.errors import PanelError


def result(ranks: dict[str, int | None], code: str = "FHI", period: str = "2024") -> pl.DataFrame:
    rows = [
        {"hub": hub, "period": period, "code": code, "score": None if rank is None else 100.0 - rank, "rank": rank}
        for hub, rank in ranks.items()
    ]
    types = {"hub": pl.String, "period": pl.String, "code": pl.String, "score": pl.Float64, "rank": pl.Int64}
    return pl.DataFrame(rows, schema=types)


def test_shift_is_above_zero_for_a_unit_that_rises() -> None:
    found = rank_shift(result({"A": 1, "B": 2, "C": 3}), result({"A": 2, "B": 1, "C": None, "D": 3}))
    assert found.schema == SHIFT_SCHEMA
    assert found.rows() == [
        ("A", "2024", "FHI", 1, 2, -1, 99.0, 98.0),
        ("B", "2024", "FHI", 2, 1, 1, 98.0, 99.0),
        ("C", "2024", "FHI", 3, None, None, 97.0, None),
        ("D", "2024", "FHI", None, 3, None, None, 97.0),
    ]


def test_agreement_counts_what_both_rank() -> None:
    first = result({"A": 1, "B": 2, "C": 3, "D": 4, "E": 5})
    second = result({"A": 2, "B": 1, "C": 3, "D": 4, "F": 5})
    found = agreement(first, second)
    assert found.schema == AGREEMENT_SCHEMA
    row = found.row(0, named=True)
    assert (row["n"], row["only_first"], row["only_second"]) == (4, 1, 1)
    assert row["spearman"] == pytest.approx(1 - 6 * (1 + 1) / (4 * (16 - 1)))
    assert row["kendall"] == pytest.approx((5 - 1) / 6)
    assert row["mean_shift"] == (1 + 1 + 0 + 0) / 4
    assert row["largest_shift"] == 1
    assert row["equal_share"] == 2 / 4


def test_nodes_and_periods_stand_apart() -> None:
    first = pl.concat([result({"A": 1, "B": 2}), result({"A": 2, "B": 1}, "sub"), result({"A": 1}, period="2023")])
    second = pl.concat([result({"A": 2, "B": 1}), result({"A": 2, "B": 1}, "sub")])
    found = agreement(first, second)
    assert found.select("period", "code", "n", "only_first", "largest_shift", "equal_share").rows() == [
        ("2023", "FHI", 0, 1, None, None),
        ("2024", "FHI", 2, 0, 1, 0.0),
        ("2024", "sub", 2, 0, 0, 1.0),
    ]
    assert found["spearman"].to_list() == [None, None, None]


def test_nothing_to_compare() -> None:
    nobody = result({})
    assert agreement(nobody, nobody).is_empty()
    assert agreement(result({"A": None}), result({"A": None})).row(0)[:5] == ("2024", "FHI", 0, 0, 0)


def test_frames_that_cannot_be_compared_are_named() -> None:
    good = result({"A": 1})
    with pytest.raises(PanelError, match="the second result: found no column rank"):
        rank_shift(good, good.drop("rank"))
    with pytest.raises(PanelError, match="the first result: found several rows of 2024, FHI, A"):
        agreement(pl.concat([good, good]), good)


@given(st.permutations(range(1, 9)), st.permutations(range(1, 9)), st.permutations(range(8)))
def test_agreement_is_that_of_scipy_and_does_not_depend_on_names(
    one: list[int], two: list[int], turn: list[int]
) -> None:
    hubs = "ABCDEFGH"
    first, second = (result(dict(zip(hubs, ranks, strict=True))) for ranks in (one, two))
    row = agreement(first, second).row(0, named=True)
    assert row["spearman"] == pytest.approx(stats.spearmanr(one, two).statistic, abs=1e-12)
    assert row["kendall"] == pytest.approx(stats.kendalltau(one, two).statistic, abs=1e-12)
    assert row["mean_shift"] == pytest.approx(sum(abs(a - b) for a, b in zip(one, two, strict=True)) / 8)
    names = dict(zip(hubs, (hubs[i] for i in turn), strict=True))
    renamed = [frame.with_columns(pl.col("hub").replace(names)) for frame in (first, second)]
    assert agreement(*renamed).row(0, named=True) == pytest.approx(row)
    back = agreement(second, first).row(0, named=True)
    assert back["largest_shift"] == row["largest_shift"]
    assert rank_shift(second, first)["shift"].to_list() == [-shift for shift in rank_shift(first, second)["shift"]]
