"""Distinct names, counted in parts on disk: the answer must not show it."""

from pathlib import Path

import polars as pl
import pytest

from fhi.microdata import grouping
from fhi.microdata.build import BUILDERS, MicrodataResult, build_microdata

SIZE = 3_000
NAMES = 700


def firms(folder: Path) -> list[Path]:
    """Row n: firm n mod 700, in Wuhan where that is even, in Beijing else; every 50th row has no sector."""
    number = pl.int_range(SIZE, eager=True)
    frame = pl.DataFrame({"number": number, "firm": number % NAMES}).select(
        name=pl.format("企业{}", "firm"),
        sector=pl.when(pl.col("number") % 50 != 0).then(pl.lit("支付")),
        city=pl.when(pl.col("firm") % 2 == 0).then(pl.lit("武汉")).otherwise(pl.lit("北京市")),
        operating=pl.when(pl.col("firm") % 3 == 0).then(pl.lit("停业")).otherwise(pl.lit("是")),
        registered_capital_cny="number",
    )
    paths = [folder / "first.csv", folder / "second.csv"]
    frame.head(SIZE // 3).write_csv(paths[0])
    frame.tail(SIZE - SIZE // 3).write_csv(paths[1])
    return paths


def expected() -> dict[str, tuple[int, int]]:
    """Number of operating firms and sum of the largest capital of each, by hub."""
    largest = {n % NAMES: n for n in range(SIZE) if n % 50 and n % NAMES % 3}
    return {
        hub: (len(own), sum(own))
        for hub, odd in (("beijing", 1), ("wuhan", 0))
        if (own := [capital for firm, capital in largest.items() if firm % 2 == odd])
    }


def figures(result: MicrodataResult) -> dict[str, tuple[float, float]]:
    registered = dict(result.parts.select("hub", "value").iter_rows())
    return {hub: (count, registered[hub]) for hub, count in result.panel.select("hub", "value").iter_rows()}


@pytest.mark.parametrize("parts", [1, 7, 64])
def test_names_are_counted_exactly_however_many_parts_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:
    monkeypatch.setattr(grouping, "PARTS", parts)
    result = build_microdata("firms", firms(tmp_path), period="2017")
    assert figures(result) == expected()
    assert (result.counts.rows, result.counts.bad) == (SIZE, SIZE // 50)
    assert result.bad_counts.select("column", "code", "rows").rows() == [("sector", "missing", SIZE // 50)]


def test_nothing_is_left_of_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(grouping.tempfile, "tempdir", str(scratch))
    build_microdata("firms", firms(tmp_path), period="2017")
    assert list(scratch.iterdir()) == []


def test_only_kinds_that_count_names_have_a_distinct_key() -> None:
    assert {kind for kind, builder in BUILDERS.items() if builder.distinct} == {"firms", "services"}
    for builder in BUILDERS.values():
        assert (builder.distinct is None) == (not builder.totals)
        assert builder.distinct is None or builder.distinct in builder.keys
