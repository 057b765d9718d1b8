from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.errors import UnreadableFile
from carbon.formats import read_trades
from carbon.formats.headings import RepeatedHeading
from carbon.reconciliation import identities as rules
from carbon.reconciliation.assertions import InvalidAssertions, check_assertions, read_assertions
from carbon.reconciliation.reconciling import (
    differences_schema,
    lines_schema,
    printed_sums,
    read_sources,
    reconcile,
    sources_of_rows,
)
from carbon.rows import ALL, AUCTION, BLOCK, LISTING, empty_rows, rows_schema

MONDAY = date(2022, 3, 7)


def row(day=0, method=LISTING, volume=100, value=5000_00, **others):
    """One canonical row, some days after a Monday."""
    given = {
        "day": MONDAY + timedelta(days=day),
        "market": "CEA",
        "product": "CEA",
        "method": method,
        "volume_t": volume,
        "value_fen": value,
        "feed": "cneeex_daily",
        "file": "a.csv",
        "row": 2,
    }
    return dict.fromkeys(rows_schema()) | given | others


def frame(*rows):
    return pl.DataFrame(list(rows), schema=rows_schema())


def told(identities):
    """measure -> (left, right, difference) where there is one comparison a measure."""
    assert identities["measure"].is_unique().all()
    return {line["measure"]: (line["left"], line["right"], line["difference"]) for line in identities.to_dicts()}


def test_parts_are_held_against_the_total_of_their_feed():
    parts = [
        row(volume=40, value=2000),
        row(method=BLOCK, volume=50, value=2600),
        row(method=AUCTION, volume=10, value=1),
    ]
    good = rules.compare_parts_with_total(frame(*parts, row(method=ALL, volume=100, value=4602)))
    assert told(good) == {"volume_t": (40 + 50 + 10, 100, 0), "value_fen": (2000 + 2600 + 1, 4602, 4601 - 4602)}
    assert good["must_be_exact"].all()
    assert good["method"].null_count() == 2
    assert rules.compare_parts_with_total(frame(*parts)).is_empty()
    elsewhere = row(method=ALL, feed="other")
    assert rules.compare_parts_with_total(frame(*parts, elsewhere)).is_empty()


def test_a_part_without_figures_counts_as_none_and_an_unknown_value_stays_unknown():
    total = row(method=ALL, volume=40, value=2000)
    empty = row(method=AUCTION, volume=None, value=None)
    assert told(rules.compare_parts_with_total(frame(row(volume=40, value=2000), empty, total)))["volume_t"][2] == 0
    half = rules.compare_parts_with_total(frame(row(volume=40, value=None), total))
    assert told(half) == {"volume_t": (40, 40, 0), "value_fen": (None, 2000, None)}
    assert not rules.summarise_identities(half).filter(measure="value_fen")["holds"].item()


def test_vintages_make_the_composite_in_their_own_feed():
    vintages = [row(product="CEA24", volume=30, value=1), row(product="CEA19-20", volume=12, value=2)]
    composite = row(product="COMCEA", volume=43, value=3)
    assert told(rules.compare_vintages_with_composite(frame(*vintages, composite))) == {
        "volume_t": (30 + 12, 43, -1),
        "value_fen": (1 + 2, 3, 0),
    }


def test_a_feed_by_vintage_makes_the_bulletin_without():
    settled = [
        row(product="CEA24", feed="crc_settlement", volume=30, value=1),
        row(product="CEA25", feed="crc_settlement", volume=12, value=2),
        row(product="CEA25", feed="crc_settlement", method=BLOCK, volume=5, value=9),
    ]
    printed = [row(feed="crc_price", volume=42, value=3), row(feed="crc_price", method=BLOCK, volume=5, value=9)]
    found = rules.compare_vintages_with_composite(frame(*settled, *printed))
    assert found.height == 2 * 2
    assert found["difference"].to_list() == [0] * 4
    assert set(found["method"]) == {"listing", "block"}
    assert set(found["left_from"]) == {"crc_settlement"}
    without_block = rules.compare_vintages_with_composite(frame(*settled, printed[0]))
    missing = without_block.filter(method="block", measure="volume_t").row(0, named=True)
    assert (missing["left"], missing["right"], missing["difference"]) == (5, None, None)


def test_exchange_and_registry_are_compared_on_shared_days_only():
    exchange = [row(day, volume=10 + day, value=day) for day in range(4)]
    registry = [row(day, feed="crc_price", volume=10 + day, value=day) for day in (2, 3)]
    found = rules.compare_exchange_with_registry(frame(*exchange, *registry))
    assert found["day"].unique().sort().to_list() == [MONDAY + timedelta(days=day) for day in (2, 3)]
    assert (found["difference"] == 0).all()
    assert found["must_be_exact"].all()
    broken = frame(*exchange, registry[0], {**registry[1], "volume_t": 1})
    assert rules.compare_exchange_with_registry(broken)["difference"].to_list().count(13 - 1) == 1


def test_a_zero_row_and_no_row_say_the_same():
    exchange = [row(), row(method=BLOCK, volume=0, value=0)]
    assert (
        rules.compare_exchange_with_registry(frame(*exchange, row(feed="crc_price")))["method"].to_list()
        == ["listing"] * 2
    )


def test_totals_are_compared_where_a_feed_does_not_know_methods():
    exchange = [row(volume=10), row(method=BLOCK, volume=20)]
    registry = row(feed="crc_price", method=ALL, volume=30, value=2 * 5000_00)
    assert told(rules.compare_exchange_with_registry(frame(*exchange, registry))) == {
        "volume_t": (10 + 20, 30, 0),
        "value_fen": (2 * 5000_00, 2 * 5000_00, 0),
    }


def test_running_sums_rise_by_the_day():
    days = [row(0, volume=5, cumulative_volume_t=105), row(1, volume=7, cumulative_volume_t=112)]
    late = row(4, volume=1, cumulative_volume_t=115)
    found = rules.compare_running_sums(frame(*days, late))
    assert found.select("left", "right", "difference").rows() == [(112 - 105, 7, 0), (115 - 112, 1, 2)]
    other = frame(*({**line, "feed": "wind_daily"} for line in (*days, late)))
    assert not rules.compare_running_sums(other)["must_be_exact"].any()


def test_a_splice_is_what_the_later_feed_had_before_its_first_day():
    opened = date(2014, 4, 2)
    own = {"market": "Hubei", "product": "HBEA", "value_fen": None}
    early = [
        row(feed="akshare_domestic", volume=volume, **own) | {"day": opened + timedelta(days=n)}
        for n, volume in enumerate((10, 20, 99))
    ]
    later = row(feed="wind_daily", volume=5, cumulative_volume_t=35, **own) | {"day": opened + timedelta(days=2)}
    assert told(rules.compare_splices(frame(*early, later)))["volume_t"] == (10 + 20, 35 - 5, 0)
    assert rules.compare_splices(frame(*early[1:], later)).is_empty()


def test_a_day_counts_once():
    lines = [
        row(volume=1, value=10),
        row(method=BLOCK, volume=2, value=20),
        row(day=1, volume=1),
        row(day=1, method=ALL, volume=9, value=90),
        row(day=2, product="CEA24", volume=3, value=30),
        row(day=2, product="COMCEA", volume=3, value=30),
        row(day=3, product="COMCEA", volume=4, value=None),
    ]
    totals = rules.total_by_day(frame(*lines))
    assert totals["volume_t"].to_list() == [1 + 2, 9, 3, 4]
    assert totals["value_fen"].to_list() == [10 + 20, 90, 30, None]
    assert rules.total_by_day(frame(*lines), by_product=True).height == 5


amounts = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**13)), min_size=1, max_size=20)


@given(amounts)
def test_a_running_sum_of_any_days_holds_and_a_changed_one_is_found(days):
    volumes, values = ([day[place] for day in days] for place in (0, 1))
    lines = [
        row(
            n,
            volume=volumes[n],
            value=values[n],
            cumulative_volume_t=sum(volumes[: n + 1]),
            cumulative_value_fen=sum(values[: n + 1]),
        )
        for n in range(len(days))
    ]
    found = rules.compare_running_sums(frame(*lines))
    assert found.height == 2 * (len(days) - 1)
    assert (found["difference"] == 0).all()
    lines[-1]["cumulative_volume_t"] += 1
    assert rules.compare_running_sums(frame(*lines)).filter(pl.col("difference") != 0).height == (len(days) > 1)


@given(amounts, st.randoms())
def test_the_order_of_rows_makes_no_difference(days, random):
    lines = [row(n, volume=volume, value=value) for n, (volume, value) in enumerate(days)]
    lines += [{**line, "feed": "crc_price"} for line in lines]
    shuffled = random.sample(lines, len(lines))
    assert rules.check_identities(frame(*shuffled)).equals(rules.check_identities(frame(*lines)))


def test_no_rows_give_no_identities():
    assert rules.check_identities(empty_rows()).is_empty()
    assert dict(rules.check_identities(empty_rows()).schema) == rules.identities_schema()
    nothing = reconcile(sources_of_rows(empty_rows()))
    assert nothing.holds
    assert dict(nothing.lines.schema) == lines_schema()
    assert dict(nothing.differences.schema) == differences_schema()


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_printed_sums_are_met_to_the_tonne_and_the_fen(tmp_path):
    path = write(
        tmp_path / "sums.csv",
        "day,from,volume_t,value_cny,source",
        "2022-03-08,2022-03-07,30,0.31,page 1",
        "2022-03-08,2022-03-08,20,,page 2",
        "2022-03-09,,1,,page 3",
    )
    rows = frame(row(0, volume=10, value=11), row(1, volume=20, value=20))
    checked = check_assertions(rows, read_assertions(path, "cea"))
    figures = checked.identities.select("right_from", "measure", "left", "right", "difference").rows()
    assert sorted(figures) == [
        ("page 1", "value_fen", 11 + 20, 31, 0),
        ("page 1", "volume_t", 10 + 20, 30, 0),
        ("page 2", "volume_t", 20, 20, 0),
    ]
    assert checked.unanswered["source"].to_list() == ["page 3"]
    assert checked.unanswered["first_day"].to_list() == [date(2021, 7, 16)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_printed_sums_are_read_in_the_encodings_of_market_files(tmp_path, encoding):
    path = tmp_path / "sums.csv"
    path.write_bytes("day,market,volume_t,source\n2022-03-09,CEA,1,全国碳排放权交易公告第一页\n".encode(encoding))
    found = read_assertions(path)
    assert found.select("day", "volume_t", "source").rows() == [(date(2022, 3, 9), 1, "全国碳排放权交易公告第一页")]


def test_two_columns_of_sums_that_differ_are_refused(tmp_path):
    path = write(tmp_path / "sums.csv", "day,volume_t,source,volume_t", "2022-03-09,1,page 1,2")
    with pytest.raises(RepeatedHeading, match=r"sums.csv heading 'volume_t' over columns 2, 4"):
        read_assertions(path, "CEA")


def test_a_sum_over_a_weekend_is_covered_by_the_sessions(tmp_path):
    path = write(tmp_path / "sums.csv", "day,from,volume_t", "2022-03-13,2022-03-05,300")
    rows = frame(*(row(day) for day in range(5)))
    assert check_assertions(rows, read_assertions(path, "CEA")).identities["difference"].to_list() == [500 - 300]
    assert check_assertions(rows.filter(pl.col("day") > MONDAY), read_assertions(path, "CEA")).identities.is_empty()


def test_every_fault_of_a_file_of_sums_is_told_at_once(tmp_path):
    path = write(
        tmp_path / "sums.csv",
        "market,day,volume_t,value_cny",
        "CEA,2022-02-30,1,1",
        "CEA,2022-03-01,1.5,",
        "CEA,2022-03-01,,1.001",
        "CEA,2022-03-01,,",
        ",2022-03-01,1,",
    )
    with pytest.raises(InvalidAssertions) as caught:
        read_assertions(path)
    assert [(problem.row, problem.column) for problem in caught.value.problems] == [
        (2, "day"),
        (3, "volume_t"),
        (4, "value_cny"),
        (5, "volume_t"),
        (6, "market"),
    ]
    assert "sums.csv, row 2, column day: found 2022-02-30" in str(caught.value)


def test_a_file_that_is_none_of_sums_is_refused(tmp_path):
    with pytest.raises(InvalidAssertions, match="expected a column day"):
        read_assertions(write(tmp_path / "a.csv", "when,what", "1,2"), "CEA")
    with pytest.raises(UnreadableFile, match=r"nothing\.csv"):
        read_assertions(tmp_path / "nothing.csv", "CEA")


def test_the_official_cumulatives_are_met(national_file, outside_data):
    rows = read_trades(national_file, market="CEA")[1].rows
    shipped = check_assertions(rows, printed_sums("CEA"))
    assert shipped.identities.height == 2 * 7
    assert (shipped.identities["difference"] == 0).all()
    assert shipped.unanswered["day"].to_list() == [date(2024, 9, 30), date(2026, 3, 6)]
    facts = read_assertions(outside_data / "facts" / "national_cea_cumulative_check.csv", "CEA")
    checked = check_assertions(rows, facts)
    assert checked.identities.height == 2 * 4
    assert (checked.identities["difference"] == 0).all()
    last = checked.identities.filter(measure="value_fen")["right"].max()
    assert last == 10_447_885_698_39


def test_the_official_cumulative_of_march_2026_is_checked_where_rows_reach_it():
    """To the tonne and fen as mffb.com.cn prints it; rows that begin later or end before cannot answer it."""
    opened, day, printed = date(2021, 7, 16), date(2026, 3, 6), (879_848_826, 58_770_184_263_87)
    first = row(volume=410_000 * 1000, value=21_000_000_000_00) | {"day": opened}
    last = row(volume=printed[0] - 410_000 * 1000 + 1, value=printed[1] - 21_000_000_000_00) | {"day": day}
    checked = check_assertions(frame(first, last), printed_sums("CEA"))
    found = checked.identities.filter(pl.col("day") == day)
    assert found.select("measure", "right", "difference").rows() == [
        ("value_fen", printed[1], 0),
        ("volume_t", printed[0], 1),
    ]
    assert found["right_from"].unique().to_list() == ["official cumulative of 2026-03-06 (mffb.com.cn/a/490816.html)"]
    for short in (frame(last), frame(first, last | {"day": day - timedelta(days=1)})):
        assert day in check_assertions(short, printed_sums("CEA")).unanswered["day"]


def test_the_end_of_2025_follows_from_the_cumulative_of_march_2026(settlement_file):
    """data.md 6: the cumulative less the registry's days of 2026 is that of the end of 2025."""
    days = read_trades(settlement_file, market="CEA")[1].rows.filter(pl.col("day") <= date(2026, 3, 6))
    assert days["day"].min().year == 2026
    march = printed_sums("CEA").filter(pl.col("day") == date(2026, 3, 6)).row(0, named=True)
    assert march["volume_t"] - days["volume_t"].sum() == 864_866_520
    assert march["value_fen"] - days["value_fen"].sum() == 57_662_618_231_57


def test_the_registry_keeps_every_identity(settlement_file, price_file):
    found = reconcile(read_sources([settlement_file, price_file], "CEA"))
    lines = {
        (line["check"], line["measure"]): line
        for line in found.lines.filter(~pl.col("check").eq("two sources")).to_dicts()
    }
    for measure in ("volume_t", "value_fen"):
        assert lines["running sum = days", measure]["compared"] == 135
        assert lines["vintages = composite", measure]["compared"] == 122
    assert all(line["holds"] and line["must_be_exact"] for line in lines.values())
    assert found.holds
    assert found.differences.is_empty()


def test_a_changed_tonne_of_the_registry_is_named(settlement_file, price_file):
    sources = read_sources([settlement_file, price_file], "CEA")
    is_changed = (pl.col("feed") == "crc_price") & (pl.col("row") == 2)
    changed = sources.rows.with_columns(pl.when(is_changed).then(1001).otherwise("volume_t").alias("volume_t"))
    found = reconcile(sources_of_rows(changed))
    assert not found.holds
    first = found.differences.filter("must_be_exact").row(0, named=True)
    assert (first["check"], first["day"], first["left"], first["right"], first["difference"], first["unit"]) == (
        "vintages = composite",
        date(2026, 1, 5),
        1000,
        1001,
        -1,
        "t",
    )


def test_the_parts_of_2025_make_their_totals(market_files):
    found = reconcile(read_sources([market_files / "cea_daily_2025_cneeex.csv"], "CEA"))
    parts = found.lines.filter(pl.col("check") == "parts = total")
    assert parts["compared"].to_list() == [243, 243]
    assert parts["equal"].to_list() == [243, 243]
    assert found.holds


def test_the_wrong_total_of_the_panel_is_found(market_files):
    found = reconcile(read_sources([market_files / "cea_daily_by_vintage_excerpt.csv"], "CEA"))
    wrong = found.differences.filter(pl.col("check") == "parts = total")
    assert wrong.select("day", "measure", "left", "right").rows() == [
        (date(2023, 2, 23), "value_fen", 28250_00, 28500_00)
    ]


def test_hubei_is_spliced_to_the_tonne(market_files, wind_file):
    found = reconcile(read_sources([wind_file, market_files / "raw_tanjiaoyi_hubei.csv.gz"], "Hubei"))
    splice = found.lines.filter(pl.col("check") == "splice").row(0, named=True)
    assert (splice["left"], splice["right"], splice["equal"]) == ("akshare_domestic", "wind_daily", 1)
    assert found.differences.filter(pl.col("check") == "splice").is_empty()


def test_two_files_of_one_format_are_told_apart(price_file, tmp_path):
    copy = write(tmp_path / "old.csv", *price_file.read_text(encoding="utf-8-sig").splitlines()[:4])
    sources = read_sources([price_file, copy], "CEA")
    assert set(sources.rows["feed"]) == {f"crc_price ({price_file.name})", "crc_price (old.csv)"}
    lines = reconcile(sources).lines.filter(pl.col("check") == "two sources")
    assert set(lines["compared"]) == {2}
    assert lines["holds"].all()


def test_the_sentences_of_bulletins_are_met(market_files, national_file):
    files = [market_files / "seee_bulletins.txt", national_file, market_files / "cea_daily_2025_cneeex.csv"]
    found = reconcile(read_sources(files, "CEA"))
    said = found.lines.filter(pl.col("check").str.starts_with("bulletin"))
    assert found.holds
    assert dict(said.group_by("check").agg(pl.col("compared").sum()).iter_rows()) == {
        "bulletin": 2 * (9 + 4 + 3 + 1),
        "bulletin, rounded": 2 * 3,
    }
    changed = read_sources(files, "CEA")
    is_day = (pl.col("feed") == "exchange_year") & (pl.col("day") == date(2025, 12, 17)) & (pl.col("method") == LISTING)
    more = pl.when(is_day).then(pl.col("volume_t") + 100).otherwise("volume_t").alias("volume_t")
    broken = reconcile(replace(changed, rows=changed.rows.with_columns(more)))
    wrong = broken.differences.filter(pl.col("check") == "bulletin, rounded")
    # 526.85 and 972.88 times 10,000 t are printed to 100 t: only more than 50 t is a difference.
    assert set(wrong["method"]) <= {"listing", None}
    assert not wrong.is_empty()
    assert not broken.holds


def test_a_bulletin_about_other_days_says_nothing(market_files, price_file):
    found = reconcile(read_sources([market_files / "seee_bulletins.txt", price_file], "CEA"))
    assert found.lines.filter(pl.col("check").str.starts_with("bulletin")).is_empty()
