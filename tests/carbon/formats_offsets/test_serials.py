import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.formats.offsets import (
    SerialError,
    SerialRange,
    find_gaps,
    find_overlaps,
    format_serial,
    join_serials,
    parse_serial,
    parse_serials,
    split_serial,
)

# Text as a register prints it, register, and last - first + 1 written out.
PRINTED = [
    ("19385-941467007-941467431-VCS-VCU-1507-VER-ET-14-1340-01012020-31122020-1", "verra", 941467431 - 941467007 + 1),
    ("1301-56364746-56364886-VCU-006-MER-AU-14-587-01032010-28022011-0", "verra", 56364886 - 56364746 + 1),
    ("ACR-FR-1129-2025-2917-30932 to 35143", "american_carbon_registry", 35143 - 30932 + 1),
    ("ART-GY-102-2021-11-2759599 to 2760598", "art_trees", 2760598 - 2759599 + 1),
    ("FCPF-CI-130-2023-20-1 to 46404", "art_trees", 46404),
    ("CAR-1-US-1335-31-983-KS-2025-9205-1 to 5000", "climate_action_reserve", 5000),
    ("CAR-ROC-US-1180-125-897-CA-2024-8950-1 to 46733", "climate_action_reserve", 46733),
    ("GS1-1-UG-GS11236-16-2024-30307-1-19149", "gold_standard", 19149),
    ("RW-5-1459975-2-2-0-7014 - RW-5-1460107-2-2-0-7014", "cdm", 1460107 - 1459975 + 1),
    ("CDC_10_1_29_321_14_R1_XX_CO_1_7_BFC_2022 0 to 9515", "cercarbono", 9515 + 1),
    ("AXJJFSLGHSHEJ1000-AXJJFSLGHSHEJ1010", "cad_trust", 11),
    ("AXJ0999-AXJ1010", "cad_trust", 1010 - 999 + 1),
]

REFUSED = [
    ("SN-BLK-DEMO-D-NaN-NaN-undefined", "never filled in"),
    ("ACR-FR-1129-2025-2917-35143 to 30932", "last number is before its first"),
    ("AXJ099-AXJ1010", "different widths"),
    ("AXJ1000-BXJ1010", "different series"),
    ("RW-5-1459975-2-2-0-7014 - RW-5-1460107-2-2-0-7015", "different series"),
    ("ACR-FR-1129-2025-2917-1 to 1000000000000000000", "expected a form of one of"),
    ("ACR-FR-1129-2025-2917-30932 to", "expected a form of one of"),
    ("ACR-FR-1129-2025-2917-{first} to 7", "expected a form of one of"),
    ("ACR-FR-1129-2025-2917-1 to 7\n", "expected a form of one of"),
    ("", "expected a form of one of"),
]

STEMS = {
    "verra": "19385-{first}-{last}-VCS-VCU-1507-VER-ET-14-1340-01012020-31122020-1",
    "american_carbon_registry": "ACR-FR-1129-2025-2917-{first} to {last}",
    "gold_standard": "GS1-1-UG-GS11236-16-2024-30307-{first}-{last}",
    "cdm": "RW-5-{first}-2-2-0-7014 - RW-5-{last}-2-2-0-7014",
    "cad_trust": "AXJ{first}-AXJ{last}",
}


@st.composite
def ranges(draw: st.DrawFn) -> SerialRange:
    register = draw(st.sampled_from(sorted(STEMS)))
    first = draw(st.integers(0, 10**12))
    return SerialRange(register, STEMS[register], first, first + draw(st.integers(0, 10**6)))


@pytest.mark.parametrize(("text", "register", "quantity"), PRINTED)
def test_every_printed_form_is_read_and_printed_again(text: str, register: str, quantity: int) -> None:
    serials = parse_serial(text)
    assert (serials.register, serials.quantity) == (register, quantity)
    assert format_serial(serials) == text


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_is_no_range_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(SerialError, match=reason):
        parse_serial(text)


def test_the_column_says_the_same_as_the_single_text() -> None:
    texts = [text for text, *_ in PRINTED] + [text for text, _ in REFUSED] + [None]
    read = parse_serials(pl.Series(texts)).to_dicts()
    assert [row["serial"] for row in read] == texts
    for (text, register, quantity), row in zip(PRINTED, read, strict=False):
        single = parse_serial(text)
        assert (row["register"], row["quantity"], row["problem"]) == (register, quantity, None)
        assert (row["stem"], row["first"], row["last"]) == (single.stem, single.first, single.last)
    for (_, reason), row in zip(REFUSED, read[len(PRINTED) :], strict=False):
        assert row["stem"] is None
        assert row["quantity"] is None
        assert reason in row["problem"]
    assert set(read[-1].values()) == {None}
    assert parse_serials(pl.Series([], dtype=pl.String)).height == 0


@given(ranges())
def test_a_range_survives_its_text(serials: SerialRange) -> None:
    assert parse_serial(format_serial(serials)) == serials
    row = parse_serials(pl.Series([format_serial(serials)])).to_dicts()[0]
    assert (row["register"], row["stem"], row["first"], row["last"]) == (
        serials.register,
        serials.stem,
        serials.first,
        serials.last,
    )


@given(ranges().filter(lambda serials: serials.quantity > 1), st.data())
def test_split_then_join_is_the_original(serials: SerialRange, data: st.DataObject) -> None:
    quantity = data.draw(st.integers(1, serials.quantity - 1))
    taken, rest = split_serial(serials, quantity)
    assert taken.quantity == quantity
    assert taken.quantity + rest.quantity == serials.quantity
    assert join_serials(taken, rest) == serials
    with pytest.raises(SerialError):
        join_serials(rest, taken)


def test_padded_numbers_keep_their_width_when_split() -> None:
    whole = parse_serial("AXJ0999-AXJ1010")
    taken, rest = split_serial(whole, 1)
    assert (str(taken), str(rest)) == ("AXJ0999-AXJ0999", "AXJ1000-AXJ1010")
    assert join_serials(taken, parse_serial(str(rest))) == whole
    padded = parse_serials(pl.Series(["AXJ0999-AXJ1010", "AXJ1005-AXJ1006"])).with_row_index("row")
    assert find_overlaps(padded)["row"].to_list() == [1]


@pytest.mark.parametrize("quantity", [0, -1, 11, 12])
def test_no_split_leaves_nothing(quantity: int) -> None:
    with pytest.raises(SerialError, match="expected 1 to 10"):
        split_serial(parse_serial("AXJ1000-AXJ1010"), quantity)


def test_ranges_of_two_series_or_with_a_gap_are_not_joined() -> None:
    first = parse_serial("ACR-US-1-2025-7-1 to 9")
    with pytest.raises(SerialError, match="one series"):
        join_serials(first, parse_serial("ACR-US-1-2025-8-10 to 12"))
    with pytest.raises(SerialError, match="to begin with 10"):
        join_serials(first, parse_serial("ACR-US-1-2025-7-11 to 12"))


TRIPLES = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 30), st.integers(0, 12)), max_size=12)


def _frame(triples: list[tuple[str, int, int]]) -> pl.DataFrame:
    rows = [
        {"row": number, "stem": stem, "first": first, "last": first + more}
        for number, (stem, first, more) in enumerate(triples, start=2)
    ]
    schema = {"row": pl.Int64, "stem": pl.String, "first": pl.Int64, "last": pl.Int64}
    return pl.DataFrame(rows, schema=schema)


@given(TRIPLES)
def test_overlaps_are_those_of_a_plain_loop(triples: list[tuple[str, int, int]]) -> None:
    frame = _frame(triples)
    ordered = sorted(frame.rows(), key=lambda row: (row[1], row[2], row[3], row[0]))
    expected = set()
    for place, (row, stem, first, _) in enumerate(ordered):
        if any(other[1] == stem and other[3] >= first for other in ordered[:place]):
            expected.add(row)
    found = find_overlaps(frame)
    assert set(found["row"]) == expected
    assert set(found["code"]) <= {"C27"}


@given(TRIPLES)
def test_gaps_are_the_numbers_nobody_has(triples: list[tuple[str, int, int]]) -> None:
    frame = _frame(triples)
    missing = 0
    for stem in ("a", "b"):
        held = {n for _, of, first, last in frame.rows() if of == stem for n in range(first, last + 1)}
        missing += len(set(range(min(held), max(held))) - held) if held else 0
    found = find_gaps(frame)["found"].str.extract("^([0-9]+)").cast(pl.Int64).sum()
    assert found == missing


def test_an_overlap_names_the_row_it_meets() -> None:
    frame = _frame([("a", 1, 9), ("a", 5, 1), ("a", 8, 0), ("b", 5, 1)])
    found = find_overlaps(frame).sort("row").to_dicts()
    assert [finding["row"] for finding in found] == [3, 4]
    assert all("which meets row 2" in finding["found"] for finding in found)
