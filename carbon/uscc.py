"""统一社会信用代码: the unified social credit code of a Chinese legal entity (GB 32100-2015).

Knows the parts of a code and its two check characters. Must not know entities, accounts or the ledger, and never says
which check character would have been right: a code that fails is asked for again, not mended.

    position 1       登记管理部门, the department that registers: a digit or a letter
    position 2       机构类别, the kind of organisation
    positions 3-8    登记管理机关行政区划码, the place of registration (GB/T 2260): six digits
    positions 9-17   主体标识码, the organisation code with a check character of its own (GB 11714)
    position 18      校验码: the sum of value x 3**(position - 1), over positions 1-17, and it make a multiple of 31
"""

import unicodedata
from typing import TYPE_CHECKING

from carbon.errors import CarbonError
from carbon.findings import findings_where, no_findings

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ALPHABET",
    "InvalidCreditCode",
    "check_uscc",
    "follows_organisation_code",
    "normalise_uscc",
    "uscc_findings",
]

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, Z, S and V
# 1 机构编制, 5 民政 and 9 工商 are the departments of the 2015 text, with Y for others. The further ones were added
# since: 2 外交, 3 司法行政, 4 文化, 6 旅游, 7 宗教, 8 工会, A 中央军委, N 农业 (confidence L: from memory).
DEPARTMENTS = "123456789ANY"

_LENGTH = 18
_REGION = slice(2, 8)
_ORGANISATION = slice(8, 17)
# GB 11714-1997: the weights of the eight characters of an organisation code; letters count 10 to 35.
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_CHECKS = "0123456789X"


class InvalidCreditCode(CarbonError):
    """The text is no unified social credit code."""


def normalise_uscc(text: str) -> str:
    """The code as the standard writes it: full-width signs folded, capitals, without blanks and hyphens.

    Nothing else is changed; the letters I and O are not read as 1 and 0.
    """
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(sign for sign in folded if not (sign.isspace() or sign in "-‐‑–—"))


def _broken_rule(code: str) -> tuple[str, str] | None:
    """Stable name of the first rule a normalised code breaks and what the rule wants; null for a good code."""
    from stdnum.cn.uscc import calc_check_digit

    if len(code) != _LENGTH:
        return "length", f"{_LENGTH} characters (it has {len(code)})"
    strange = sorted({sign for sign in code if sign not in ALPHABET})
    if strange:
        return "alphabet", f"digits and capitals without I, O, Z, S and V (it has {', '.join(strange)})"
    if code[0] not in DEPARTMENTS:
        return "department", f"a registration department in position 1: one of {', '.join(DEPARTMENTS)}"
    region = code[_REGION]
    if not region.isdigit():
        return "region", "six digits for the place of registration in positions 3 to 8"
    # stdnum's own validate() refuses the departments that are letters, so only its sum is used.
    if calc_check_digit(code[:-1]) != code[-1]:
        return "check_character", "a check character in position 18 that agrees with the other 17"
    return None


def check_uscc(text: str) -> str:
    """The normalised code of a text.

    Raises InvalidCreditCode, saying what was found and which rule it breaks, but never the character that would fit.
    Source: GB 32100-2015 (H); the sum by python-stdnum.
    """
    code = normalise_uscc(text)
    broken = _broken_rule(code)
    if broken is not None:
        raise InvalidCreditCode(f"found {text!r}, expected a unified social credit code with {broken[1]} [{broken[0]}]")
    return code


def follows_organisation_code(code: str) -> bool:
    """Whether positions 9 to 17 of a normalised code agree with the check character of GB 11714.

    The standard asks for it, but the text of GB 11714 was not at hand, so a break of it only earns a warning.
    """
    body = code[_ORGANISATION]
    # Base 36 is the value the standard gives: A is 10 and Z is 35.
    total = sum(int(sign, 36) * weight for sign, weight in zip(body[:-1], _ORGANISATION_WEIGHTS, strict=True))
    return _ORGANISATION_CHECKS[(11 - total % 11) % 11] == body[-1]


def uscc_findings(frame: "pl.DataFrame", column: str) -> "pl.DataFrame":
    """All that is wrong with a column of codes, in the columns of `carbon.findings`.

    frame : row Int64 and the column, String; a null code is missing and no finding
    Result : errors uscc_length, uscc_alphabet, uscc_department, uscc_region, uscc_check_character, and the warning
    uscc_organisation_code. Each distinct text is looked at once.
    """
    import polars as pl

    texts = frame[column].drop_nulls().unique().to_list()
    judged = [(text, *_judge(text)) for text in texts]
    schema = {column: pl.String, "rule": pl.String, "wanted": pl.String, "level": pl.String}
    verdicts = pl.DataFrame(judged, schema=schema, orient="row").filter(pl.col("rule").is_not_null())
    bad = frame.select("row", column).join(verdicts, on=column, how="inner")
    parts = [
        findings_where(
            bad,
            (pl.col("rule") == rule) & (pl.col("level") == level),
            code=f"uscc_{rule}",
            severity="error" if level == "error" else "warning",
            column=column,
            found=pl.col(column),
            expected=pl.col("wanted"),
        )
        for rule, level in verdicts.select("rule", "level").unique().sort("rule").rows()
    ]
    return pl.concat([no_findings(), *parts]).sort("row")


def _judge(text: str) -> tuple[str | None, str | None, str]:
    code = normalise_uscc(text)
    broken = _broken_rule(code)
    if broken is not None:
        return broken[0], f"a unified social credit code with {broken[1]}", "error"
    if not follows_organisation_code(code):
        return "organisation_code", "positions 9 to 17 to be an organisation code of GB 11714", "warning"
    return None, None, "none"
