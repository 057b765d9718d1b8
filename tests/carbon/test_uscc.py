"""Unified social credit codes: published ones pass, changed ones are refused and not mended."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.errors import CarbonError
from carbon.uscc import ALPHABET, InvalidCreditCode, check_uscc, follows_organisation_code, uscc_findings

# Printed by their owners or in the doctests and tests of python-stdnum and Hutool.
PUBLISHED = [
    "91110000600037341L",  # python-stdnum
    "91310110666007217T",  # Hutool
    "91310115591693856A",  # Hutool
    "91350100M000100Y43",
    "91440300708461136T",
    "12310000425022547M",  # 上海工程技术大学
    "12100000470095016Q",  # 浙江大学
    "12100000425006117P",  # 复旦大学
    "91330201MA282UF146",
    "91330401MA28ADM67R",
    "91440300MA5H0HLK5U",
    "91341000MA2N0ABGXX",
    "92510100MA61WJ3204",
    "52610500MJU60350X1",
    "11330283002982634F",
]


@pytest.mark.parametrize("code", PUBLISHED)
def test_published_codes_pass_both_checks(code: str) -> None:
    assert check_uscc(code) == code
    assert follows_organisation_code(code)


def test_the_sum_by_hand() -> None:
    # 91110000600037341 L: values of the characters times 3**i mod 31.
    weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
    assert weights == [3**i % 31 for i in range(17)]
    digits = [9, 1, 1, 1, 0, 0, 0, 0, 6, 0, 0, 0, 3, 7, 3, 4, 1]
    total = 9 + 3 + 9 + 27 + 6 * 20 + 3 * 8 + 7 * 24 + 3 * 10 + 4 * 30 + 1 * 28
    assert total == sum(d * w for d, w in zip(digits, weights, strict=True)) == 538
    # 538 = 17 * 31 + 11, and 31 - 11 = 20, which is L: 0-9, A-H are 0 to 17, then J 18, K 19, L 20.
    assert (31 - 538 % 31, ALPHABET[20]) == (20, "L")
    assert check_uscc("91110000600037341L") == "91110000600037341L"


def test_the_sum_of_the_organisation_code_by_hand() -> None:
    # 60003734-1: 6*3 + 3*5 + 7*8 + 3*4 + 4*2 = 18 + 15 + 56 + 12 + 8 = 109 = 9 * 11 + 10, and 11 - 10 = 1.
    assert (6 * 3 + 3 * 5 + 7 * 8 + 3 * 4 + 4 * 2, 109 % 11) == (109, 10)
    assert follows_organisation_code("91110000600037341L")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" 91110000600037341l ", "91110000600037341L"),
        ("９１１１００００６０００３７３４１Ｌ", "91110000600037341L"),
        ("9 1-110000-600037341-L", "91110000600037341L"),
        ("91350100m000100y43", "91350100M000100Y43"),
    ],
)
def test_writing_is_folded(text: str, code: str) -> None:
    assert check_uscc(text) == code


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "length"),
        ("9111000060003734L", "length"),
        ("91110000600037341LL", "length"),
        ("9111000060003734IL", "alphabet"),
        ("91350100M000100Y4!", "alphabet"),
        ("0" + "1110000600037341L", "department"),
        ("B1110000600037341L", "department"),
        ("91A10000600037341L", "region"),
        ("91110000600037341M", "check_character"),
        # Codes of the early pilot area that break the standard: Hutool's tests refuse the first as well.
        ("91350211M00013FA1N", "check_character"),
        ("91350200M000000510", "check_character"),
    ],
)
def test_wrong_codes_name_the_rule(text: str, rule: str) -> None:
    with pytest.raises(InvalidCreditCode, match=rf"\[{rule}\]$") as caught:
        check_uscc(text)
    assert repr(text) in str(caught.value)
    assert isinstance(caught.value, CarbonError)


def test_departments_that_are_letters_are_no_fault() -> None:
    # N2 for rural collectives: the sum decides. N is 22 and 9 was 9: 22 - 9 = 13 more than for the first code of the
    # list, with 2 for 1 in position 2 another 3: 538 + 16 = 554 = 17 * 31 + 27, and 31 - 27 = 4.
    assert (ALPHABET.index("N"), (538 + 13 + 3) % 31, ALPHABET[4]) == (22, 27, "4")
    assert check_uscc("N21100006000373414") == "N21100006000373414"


@given(code=st.sampled_from(PUBLISHED), position=st.integers(0, 17), sign=st.sampled_from(ALPHABET))
def test_one_changed_character_is_always_caught(code: str, position: int, sign: str) -> None:
    # 31 is prime and no weight is a multiple of it, so a change of one value changes the sum.
    changed = code[:position] + sign + code[position + 1 :]
    if changed != code:
        with pytest.raises(InvalidCreditCode) as caught:
            check_uscc(changed)
        # The message must not help to forge: it names no character but those given.
        assert code not in str(caught.value)
        assert str(caught.value).endswith("]")


@given(code=st.sampled_from(PUBLISHED), position=st.integers(0, 15))
def test_two_neighbours_that_change_places_are_caught(code: str, position: int) -> None:
    # The sum moves by (a - b) * 2 * 3**i, which 31 divides for a = b only.
    one, two = code[position], code[position + 1]
    swapped = code[:position] + two + one + code[position + 2 :]
    if one == two:
        assert check_uscc(swapped) == code
    else:
        with pytest.raises(InvalidCreditCode):
            check_uscc(swapped)


def test_no_message_gives_the_right_character_away() -> None:
    # Every wrong character gets the same words, but for the code itself.
    wrong = [f"91110000600037341{sign}" for sign in ALPHABET if sign != "L"]
    texts = set()
    for code in wrong:
        with pytest.raises(InvalidCreditCode) as caught:
            check_uscc(code)
        texts.add(str(caught.value).replace(code, ""))
    assert len(texts) == 1
    assert "L" not in texts.pop()


def test_a_column_is_checked_at_once() -> None:
    codes = ["91110000600037341L", None, "91110000600037341M", "911", "91110000710931153R", "91110000600037341M"]
    frame = pl.DataFrame({"row": [2, 3, 4, 5, 6, 7], "统一社会信用代码": codes})
    findings = uscc_findings(frame, "统一社会信用代码")
    # The fifth is made up: its last character is right, its organisation code is not (7*3 + 1*7 + 0*9 + 9*10 + 3*5 +
    # 1*8 + 1*4 + 5*2 = 155 = 14 * 11 + 1, so 11 - 1 = 10 would be X, and it has 3).
    assert findings.select("row", "code", "severity").rows() == [
        (4, "uscc_check_character", "error"),
        (5, "uscc_length", "error"),
        (6, "uscc_organisation_code", "warning"),
        (7, "uscc_check_character", "error"),
    ]
    assert findings["found"].to_list() == [codes[2], codes[3], codes[4], codes[5]]


def test_a_column_without_faults_or_rows_has_no_findings() -> None:
    good = pl.DataFrame({"row": [2], "code": ["91110000600037341L"]})
    assert uscc_findings(good, "code").is_empty()
    assert uscc_findings(good.clear(), "code").is_empty()
    assert uscc_findings(good.clear(), "code").columns == uscc_findings(good, "code").columns
