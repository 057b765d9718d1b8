from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon import units

AMOUNTS_FEN = st.integers(min_value=-(10**14) + 1, max_value=10**14 - 1)


def read(text: str, decimals: int) -> int | None:
    return pl.DataFrame({"t": [text]}).select(units.scaled_from_text_expr(pl.col("t"), decimals)).item()


def is_number(text: str) -> bool:
    return pl.DataFrame({"t": [text]}).select(units.well_formed_number_expr(pl.col("t"))).item()


@given(AMOUNTS_FEN)
def test_fen_survive_the_way_to_text_and_back(amount_fen):
    text = str(Decimal(amount_fen) / 100)
    assert units.fen_from_text(text) == amount_fen
    assert read(text, 2) == amount_fen


@given(AMOUNTS_FEN)
def test_fen_with_thousands_signs(amount_fen):
    text = f"{Decimal(amount_fen) / 100:,.2f}"
    assert read(text, 2) == amount_fen
    assert units.fen_from_text(text) == amount_fen


@given(st.integers(min_value=1, max_value=10**11), st.integers(min_value=-2, max_value=4))
def test_exponents_are_exact(mantissa, exponent):
    text = f"{mantissa}E{exponent}"
    expected = Decimal(mantissa).scaleb(exponent + 2)
    assert read(text, 2) == (int(expected) if abs(expected) < 10**14 else None)


@pytest.mark.parametrize(
    ("text", "expected_fen"),
    [
        ("210230053.25", 21_023_005_325),
        ("1.380984421E7", 1_380_984_421),
        ("0.29", 29),  # int(0.29 * 100) is 28
        ("1,234.5", 123_450),
        ("-0.01", -1),
        ("5.", 500),
    ],
)
def test_fen_of_texts(text, expected_fen):
    assert read(text, 2) == expected_fen
    assert units.fen_from_text(text) == expected_fen


@pytest.mark.parametrize("text", ["24.200001", "24.200000762939453", "0.001"])
def test_finer_than_a_fen_is_refused_though_a_number(text):
    assert is_number(text)
    assert read(text, 2) is None
    with pytest.raises(ValueError, match="at most two decimals"):
        units.fen_from_text(text)


@pytest.mark.parametrize("text", ["abc", "12,34", "10000 t", "NaN", "inf", "1e400", "1000000000000", "１２", ""])
def test_what_is_no_number(text):
    assert not is_number(text)
    assert read(text, 2) is None


def test_a_text_that_is_no_amount_is_named():
    with pytest.raises(ValueError, match="found 'abc'"):
        units.fen_from_text("abc")


def test_whole_tonnes():
    assert read("81400.0", 0) == 81_400
    assert read("1.5", 0) is None


def test_mass_and_money():
    assert units.kg_from_t(3) == 3 * 1000
    assert units.t_from_kg(1500) == 1500 / 1000
    assert units.cny_from_fen(5123) == 5123 / 100
    assert units.cny_from_fen(None) is None
    frame = pl.DataFrame({"fen": [5123, None], "mt": [78.137, None]})
    assert frame.select(units.cny_from_fen_expr("fen"))["fen"].to_list() == [51.23, None]
    assert frame.select(units.t_from_mt_expr("mt"))["mt"].to_list() == [78.137 * 10**6, None]


@given(AMOUNTS_FEN)
def test_cny_of_a_column_is_the_nearest_double(amount_fen):
    frame = pl.DataFrame({"fen": [amount_fen]})
    assert frame.select(units.cny_from_fen_expr("fen")).item() == amount_fen / 100
