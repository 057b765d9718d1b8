import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.embedded import read_embedded
from carbon.products import base_product_expr, vintage_expr

CODES = [
    ("CEA25", 2025, "CEA"),
    ("CEA19-20", 2020, "CEA"),
    ("SZA-2016", 2016, "SZA"),
    ("SZA2013", 2013, "SZA"),
    ("TJEA13", 2013, "TJEA"),
    ("HBEA", None, "HBEA"),
    ("COMCEA", None, "COMCEA"),
    ("CQEA-1", None, "CQEA-1"),
    (" tjea-24 ", 2024, "TJEA"),
    ("CEA1913", None, "CEA1913"),
    ("CEA125", None, "CEA125"),
    ("2016", None, "2016"),
    ("", None, ""),
    (None, None, None),
]


def read(codes: list[str | None]) -> list[tuple[int | None, str | None]]:
    frame = pl.DataFrame({"product": codes}, schema={"product": pl.String})
    told = frame.select(vintage_expr("product").alias("vintage"), base_product_expr("product").alias("base"))
    assert told.schema["vintage"] == pl.Int32
    return told.rows()


@pytest.mark.parametrize(("code", "vintage", "base"), CODES)
def test_what_a_code_says(code: str | None, vintage: int | None, base: str | None) -> None:
    assert read([code]) == [(vintage, base)]


def test_no_product_of_a_market_has_a_vintage_of_itself() -> None:
    products = [code for codes in read_embedded("markets")["products"] for code in codes.split(";")]
    assert len(products) > 8
    assert read(list(products)) == [(None, code) for code in products]


@given(st.sampled_from(["CEA", "SZA", "TJEA"]), st.integers(2000, 2099), st.sampled_from(["", "-"]), st.booleans())
def test_a_code_made_from_product_and_vintage_is_read_back(base: str, year: int, dash: str, short: bool) -> None:
    digits = f"{year % 100:02}" if short else str(year)
    assert read([f"{base}{dash}{digits}"]) == [(year, base)]
