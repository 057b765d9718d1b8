from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from carbon.errors import UnknownFormat
from carbon.footprints.boundary import InvalidOwnership, apply_boundary, group_shares, ownership_schema
from carbon.footprints.calculate import calculate
from carbon.footprints.ownership_files import read_ownership
from carbon.footprints.totals import totals

from .frames import activity_rows, factor_rows

CLINKER: dict[str, Any] = {"scope": 1, "category": "process", "activity": "clinker", "unit": "t", "amount": 100.0}
FACTOR = factor_rows({"factor_id": "clinker", "activity": "clinker", "value": 1.0, "denominator": "t"})
FIRST, LAST = date(2023, 1, 1), date(2023, 12, 31)


def links(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Links parent, child, share and, where given, operational, financial, first and last day."""
    names = ("parent", "child", "share", "operational", "financial", "first_day", "last_day")
    filled = [{**dict.fromkeys(ownership_schema()), **dict(zip(names, row, strict=False))} for row in rows]
    return pl.DataFrame(filled, schema=ownership_schema())


def shares(table: pl.DataFrame, approach: Any) -> dict[str, float]:
    found = group_shares(table, "P", approach)
    return dict(found.select("entity", "share").iter_rows())


def lines(*rows: dict[str, Any]) -> pl.DataFrame:
    return calculate(activity_rows(*({**CLINKER, **row} for row in rows)), FACTOR).lines


GROUP = links(
    ("P", "A", 0.8), ("P", "B", 0.5, True), ("A", "C", 0.6), ("B", "C", 0.3), ("A", "D", 0.4), ("X", "P", 1.0)
)


def test_equity_is_multiplied_along_chains_and_added_over_them() -> None:
    assert shares(GROUP, "equity") == pytest.approx(
        {"P": 1.0, "A": 0.8, "B": 0.5, "C": 0.8 * 0.6 + 0.5 * 0.3, "D": 0.8 * 0.4}
    )


def test_control_is_all_or_nothing_along_the_chain() -> None:
    # B is controlled since it is told; C through A; D is not, with two fifths; of X nothing is asked.
    assert shares(GROUP, "operational") == {"P": 1.0, "A": 1.0, "B": 1.0, "C": 1.0}
    found = group_shares(GROUP, "P", "operational")
    remarks = dict(found.select("entity", "remark").iter_rows())
    assert remarks == {"P": None, "A": "control_assumed", "B": None, "C": "control_assumed"}
    with pytest.raises(InvalidOwnership, match="half of B"):
        group_shares(GROUP, "P", "financial")


def test_circles_and_more_than_the_whole_are_refused() -> None:
    with pytest.raises(InvalidOwnership, match="P -> A -> B -> P"):
        group_shares(links(("P", "A", 0.9), ("A", "B", 0.9), ("B", "P", 0.1)), "P", "equity")
    with pytest.raises(InvalidOwnership, match=r"A 1\.1"):
        group_shares(links(("P", "A", 0.6), ("Q", "A", 0.5)), "P", "equity")
    # One after the other is no circle and no more than the whole.
    in_turn = links(
        ("P", "A", 1.0, None, None, FIRST, date(2023, 6, 30)), ("A", "P", 1.0, None, None, date(2023, 7, 1), LAST)
    )
    assert group_shares(in_turn, "P", "equity").filter(pl.col("entity") == "A").select(
        "first_day", "last_day", "share"
    ).rows() == [(FIRST, date(2023, 6, 30), 1.0)]


def test_lines_count_at_the_share_and_strangers_stay_outside() -> None:
    found = apply_boundary(
        lines({"entity": "A", "share": 0.1}, {"entity": "C"}, {"entity": "X"}), group_shares(GROUP, "P", "equity")
    )
    assert dict(found.lines.select("entity", "co2e_kg").iter_rows()) == pytest.approx({"A": 80.0, "C": 63.0})
    assert found.outside.select("entity", "reason", "share").rows() == [("X", "not_in_group", 0.0)]
    assert found.lines.filter(pl.col("entity") == "A")["emissions_kg"].to_list() == [100.0]
    controlled = apply_boundary(lines({"entity": "C"}, {"entity": "D"}), group_shares(GROUP, "P", "operational"))
    assert controlled.lines.select("entity", "co2e_kg", "remarks").rows() == [("C", 100.0, "control_assumed")]
    assert controlled.outside["reason"].to_list() == ["not_in_group"]


def test_a_share_that_changes_within_the_year_is_weighted_by_days() -> None:
    table = links(
        ("P", "A", 0.5, None, None, date(2022, 1, 1), date(2023, 3, 31)), ("P", "A", 0.8, None, None, date(2023, 4, 1))
    )
    found = apply_boundary(lines({"entity": "A"}), group_shares(table, "P", "equity")).lines
    # 90 days at a half, 275 at four fifths
    assert found["co2e_kg"].to_list() == pytest.approx([100 * (90 * 0.5 + 275 * 0.8) / 365])
    assert found["remarks"].to_list() == ["share_changed_in_period"]
    sold = links(("P", "A", 0.5, None, None, None, date(2023, 3, 31)))
    partly = apply_boundary(lines({"entity": "A"}), group_shares(sold, "P", "equity")).lines
    assert partly["co2e_kg"].to_list() == pytest.approx([100 * 90 * 0.5 / 365])


def test_nothing_is_counted_twice_inside_the_group() -> None:
    rows = lines({"entity": "A"}, {"entity": "B"}, {"entity": "C"})
    held = group_shares(links(("P", "A", 1.0), ("P", "B", 1.0), ("P", "C", 0.4)), "P", "equity")
    # B's row is counted by A too, C's by a stranger, A's by C to two fifths.
    counted_by = pl.DataFrame({"activity_id": ["a0", "a1", "a2"], "platform": ["C", "A", "somebody"]})
    found = apply_boundary(rows, held, counted_by)
    assert dict(found.lines.select("entity", "co2e_kg").iter_rows()) == pytest.approx({"A": 60.0, "C": 40.0})
    assert found.lines["remarks"].to_list() == ["intra_group", None]
    assert found.outside.select("entity", "reason").rows() == [("B", "intra_group")]
    twice = apply_boundary(pl.concat([rows, rows]), held)
    assert totals(twice.lines)["co2e_kg"].to_list() == [240.0]
    assert twice.outside["reason"].to_list() == ["counted_twice"] * 3


def test_ownership_is_read_with_every_fault_told(tmp_path: Path) -> None:
    path = tmp_path / "group.csv"
    path.write_text(
        "parent,child,share,operational,from,to\nP,A,0.8,yes,2023-01-01,\nP,B,1.2,,,\n,C,0.5,,,\nP,P,0.5,,,\n"
        "P,D,0.5,perhaps,2023-02-30,\nP,E,0.5,否,2023-05-01,2023-04-01\nP,F,half,no,,\n",
        encoding="utf-8",
    )
    reading = read_ownership(path)
    assert reading.links.drop("row").rows() == [("P", "A", 0.8, True, None, date(2023, 1, 1), None)]
    assert [(problem.row, problem.column, problem.found) for problem in reading.problems] == [
        (3, "share", "1.2"),
        (4, "parent", "nothing"),
        (5, "child", "P"),
        (6, "from", "2023-02-30"),
        (6, "operational", "perhaps"),
        (7, "to", "2023-04-01"),
        (8, "share", "half"),
    ]
    path.write_text("parent,share\nP,1\n", encoding="utf-8")
    with pytest.raises(UnknownFormat, match="headings parent, share; expected also child"):
        read_ownership(path)
