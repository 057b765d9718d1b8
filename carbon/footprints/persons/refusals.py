"""Why a record of a person's reduction, a consent or a certification is refused: the codes and their words.

Knows codes and sentences in both languages. Must not know how any of them is found.
"""

from dataclasses import dataclass
from typing import Final

from carbon.errors import CarbonError

__all__ = ["REFUSALS", "PersonRefusal", "Reason"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: what was expected, in both languages."""

    en: str
    zh: str


REFUSALS: Final[dict[str, Reason]] = {
    "bad_claim": Reason("a claim id of 1 to 200 printable characters", "凭证编号须为1至200个可见字符"),
    "bad_person": Reason("a platform's id of 1 to 200 printable characters", "平台用户编号须为1至200个可见字符"),
    "bad_day": Reason("a day from 1990 to the day of the record", "日期须在1990年至记录日之间"),
    "bad_amount": Reason(
        "an amount above zero with at most three decimals, not above a thousand million",
        "数量须大于零、至多三位小数、不超过十亿",
    ),
    "claim_in_use": Reason(
        "a claim id that the platform did not use before for another record", "同一凭证编号不得用于不同内容"
    ),
    "claimed_before": Reason(
        "a trip, kWh or act that nobody claimed before, on this platform or on another one",
        "同一行为不得重复申报（含其他平台）",
    ),
    "counted_in_footprint": Reason(
        "a trip, kWh or act that no company's footprint counts: double counting between platform and person is refused",
        "同一行为已计入企业碳足迹，平台与个人不得重复计算",
    ),
    "unknown_person": Reason("a person with an account on this platform", "该平台无此用户的碳账户"),
    "unknown_method": Reason("a methodology that is in force on that day", "该日期无此有效方法学"),
    "wrong_unit": Reason("the methodology's own unit", "单位与方法学不一致"),
    "outside_region": Reason("a methodology that is for the person's city", "方法学不适用于该用户所在城市"),
    "no_consent": Reason(
        "consent to record that is in force on the day of the act and on the day of the record",
        "行为日与记录日均须有有效的记录同意",
    ),
    "unknown_hub": Reason("a city by its key, such as wuhan", "城市须为已知城市代号，如 wuhan"),
    "bad_consent": Reason(
        "given or withdrawn, purposes record or certify, and method ids or *",
        "须为 given 或 withdrawn，用途为 record 或 certify，方法学编号或 *",
    ),
    "backdated_withdrawal": Reason(
        "a withdrawal from the day of its record on: what was recorded under a consent stays recorded",
        "撤回自登记之日起生效，不追溯",
    ),
    "unknown_platform": Reason("a platform that is registered", "平台未登记"),
    "platform_in_use": Reason("a platform code that is free", "平台编号已被占用"),
    "other_salt": Reason(
        "the salts that the platform was registered with: with others every person would count anew",
        "盐值与登记时不同，会导致重复计数",
    ),
    "no_ledger_account": Reason("a platform with an account in the ledger", "平台未指定登记簿账户"),
    "too_little": Reason(
        "at least as many whole tonnes, recorded by methods of confidence H or M, from persons who consent to certify",
        "可核发减排量不足（须为H或M级方法学且本人同意核发）",
    ),
    "id_in_use": Reason("a new id, or the same certification as before", "同一编号的不同内容被拒绝"),
}
"""Every code, with what was expected."""


class PersonRefusal(CarbonError):
    """A verb on personal accounts was refused; nothing was changed. code : one of REFUSALS."""

    def __init__(self, code: str, found: str) -> None:
        super().__init__(f"found {found}; expected {REFUSALS[code].en} ({code})")
        self.code = code
        self.found = found
