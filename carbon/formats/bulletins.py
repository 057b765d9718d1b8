"""The national exchange's bulletins as sentences: daily texts of one price or of composite prices, and weekly texts.

Knows the words of the bulletins and how a sentence becomes statements: one figure with its period, its way of trading
and the precision it was printed with. Must not know rows, markets other than the national one, or the lake; what the
statements of a day make is in `carbon.formats.bulletin_rows`.

A file holds one bulletin a line. A note in brackets in front gives its days, as a transcript writes it: [20210811],
[20240930 ...], [weekly 20220117-20220121], [weekly 2025-12-15..12-19]; without one the text must give them.
Figures in 万 (10^4) and 亿 (10^8) are rounded: each keeps the size of its last printed digit and is never taken for an
exact count. 上涨 is a rise, 下跌 a fall, 持平 no change; 无 says that there was none, a true zero.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["KNOWN_HEADER", "NAME", "Bulletin", "Statement", "looks_like_bulletin", "read_line", "statements_schema"]

NAME = "seee_bulletins"
KNOWN_HEADER = "[20210811] 今日全国碳市场碳排放配额(CEA)挂牌协议交易成交量20,000吨,成交额..."

METHODS = {"挂牌协议": "listing", "大宗协议": "block", "单向竞价": "auction"}
MEASURES = {"成交量": "volume", "成交额": "value", "开盘价": "open", "最高": "high", "最低": "low", "收盘价": "close"}
FACTORS = {"": 1, "万": 10**4, "亿": 10**8}

_SAME_SIGNS = str.maketrans("，：；（）％０１２３４５６７８９．", ",:;()%0123456789.")
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_YMD = r"\d{4}年\d{1,2}月\d{1,2}日"
_MD = r"\d{1,2}月\d{1,2}日"
_CLAUSE = re.compile(
    rf"(?:(?P<today>今日)|(?P<week>本周)(?:\((?P<span>{_MD}至{_MD})\))?|截至(?P<until>今日|本周|{_YMD})"
    rf"|(?P<since>{_YMD})至(?P<to>(?:\d{{4}}年)?{_MD}))?,?"
    r"(?:全国碳市场|全国)?(?:碳排放配额)?(?:\(CEA\))?"
    r"(?P<composite>综合价格行情为:)?"
    r"(?:"
    r"(?P<none>无)(?P<none_method>挂牌协议|大宗协议|单向竞价)(?:交易)?"
    rf"|(?:(?P<method>挂牌协议|大宗协议|单向竞价)(?:交易)?)?周?(?P<all>总|累计)?(?P<amount>成交量|成交额)为?"
    rf"(?P<number>{_NUMBER})(?P<factor>[万亿]?)(?P<unit>吨|元)"
    rf"|(?:本周五)?(?P<price>开盘价|最高(?=成?交?价)|最低(?=成?交?价)|收盘价)(?:成交价|价)?为?(?P<cny>{_NUMBER})元/吨"
    rf"|(?:收盘价)?较(?:前一日|前一交易日|上一交易日|上周五)(?:(?P<way>上涨|下跌)(?P<percent>{_NUMBER})%|(?P<flat>持平))"
    r")?"
)
_TAG = re.compile(r"^\[(?P<tag>[^\]]*)\]")
_DAY_TAG = re.compile(r"^(\d{4})-?(\d{2})-?(\d{2})(?:\s.*)?$")
_WEEK_TAG = re.compile(r"^weekly (\d{4})-?(\d{2})-?(\d{2})(?:-|\.\.)(?:(\d{4})-?)?(\d{2})-?(\d{2})$")
_EXPECTED = "a sentence such as 今日大宗协议交易成交量190,656吨,成交额10,581,408.00元"
_EXPECTED_WHOSE = "whole tonnes or fen, and whose they are: 挂牌协议, 大宗协议, 单向竞价 or 总"
_EXPECTED_DAY = "its days in brackets in front, such as [20210811] or [weekly 20220117-20220121]"


@dataclass(frozen=True)
class Statement:
    """One printed figure.

    period : day, week, year_to_date or to_date (since the opening; first_day null)
    method : listing, block, auction, all (together) or composite (a price across vintages)
    measure : volume, value, open, high, low, close or change
    amount : in unit: t, fen, fen_per_t or 1e-4 (a change of 1.05 % is 105)
    precision : size of the last printed digit, so that the true figure lies within half of it; 1 for an exact one
    printed : the number as text, empty for a "none"
    """

    row: int
    period: str
    first_day: date | None
    last_day: date
    method: str
    measure: str
    amount: int
    unit: str
    precision: int
    printed: str
    text: str


@dataclass(frozen=True)
class Bulletin:
    """What one line says, and the parts of it that could not be read: column, found, expected and code of each."""

    statements: tuple[Statement, ...]
    problems: tuple["tuple[str | None, str, str, str]", ...]


def statements_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of statements: market, the fields of `Statement`, and file."""
    import polars as pl

    return {
        "market": pl.String,
        "period": pl.String,
        "first_day": pl.Date,
        "last_day": pl.Date,
        **dict.fromkeys(["method", "measure"], pl.String),
        "amount": pl.Int64,
        "unit": pl.String,
        "precision": pl.Int64,
        **dict.fromkeys(["printed", "text", "file"], pl.String),
        "row": pl.Int64,
    }


def looks_like_bulletin(first_line: str) -> bool:
    """Whether the first line of a file begins as a bulletin does."""
    text = _TAG.sub("", first_line.translate(_SAME_SIGNS)).replace(" ", "")
    return text.startswith(("今日", "本周")) and ("碳排放配额" in text or "全国碳市场" in text)


def read_line(line: str, row: int) -> Bulletin:
    """The statements of one bulletin, and what in it could not be read.

    line : the whole text of one day or week; row : its line in the file
    Sentences end with 。, clauses with a comma or semicolon; what a clause leaves out (period, way of trading) is that
    of the clause before in the same sentence.
    """
    text = line.translate(_SAME_SIGNS)
    tag = _TAG.match(text)
    body = re.sub(r"\s+", "", _TAG.sub("", text))
    days = _days_of(tag["tag"].strip() if tag else None, body)
    if days is None:
        return Bulletin((), ((None, line[:60], _EXPECTED_DAY, "unreadable_date"),))
    statements: list[Statement] = []
    problems: list[tuple[str | None, str, str, str]] = []
    for sentence in filter(None, body.split("。")):
        said, wrong = _read_sentence(sentence, row, *days)
        statements += said
        problems += wrong
    return Bulletin(tuple(statements), tuple(problems))


def _days_of(tag: str | None, body: str) -> tuple[date, date] | None:
    """First and last day of a bulletin; the same for a daily one. Null where neither tag nor text gives them."""
    try:
        if tag is not None and (day := _DAY_TAG.match(tag)):
            only = date(*map(int, day.groups()))
            return only, only
        if tag is not None and (week := _WEEK_TAG.match(tag)):
            year, month, day_of_month, last_year, last_month, last_day = week.groups()
            first = date(int(year), int(month), int(day_of_month))
            return first, date(int(last_year or year), int(last_month), int(last_day))
        if tag is None and body.startswith("今日") and (until := re.search(rf"截至({_YMD})", body)):
            only = _day(until[1])
            return only, only
    except ValueError:
        pass
    return None


def _day(text: str, year: int | None = None) -> date:
    """The day of 2024年9月30日, or of 9月30日 in a known year. Raises ValueError for a day that does not exist."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    return date(*numbers) if len(numbers) == 3 else date(year or 0, *numbers)


def _read_sentence(
    sentence: str, row: int, first: date, last: date
) -> tuple[list[Statement], list[tuple[str | None, str, str, str]]]:
    statements: list[Statement] = []
    problems: list[tuple[str | None, str, str, str]] = []
    period: tuple[str, date | None, date] = ("day" if first == last else "week", first, last)
    method: str | None = None
    is_broken = False
    for clause in re.split(r";|(?<!\d),|,(?!\d)", sentence):
        match = _CLAUSE.fullmatch(clause)
        wrong = None if match is not None and clause else (None, clause or sentence, _EXPECTED, "unreadable_sentence")
        found: list[tuple[str, str, int, str, int, str]] | None = None
        if match is not None and wrong is None:
            try:
                period = _period_of(match, period, first, last)
                method = _method_of(match, method, period[0])
                found = _figures_of(match, method)
            except ValueError as unlike:
                wrong = (None, clause, str(unlike), "unlike_day")
        if found is None and wrong is None and not is_broken:
            wrong = (None, clause, _EXPECTED_WHOSE, "unreadable_sentence")
        if wrong is not None:
            problems.append(wrong)
        if found is None:
            # Whose figures follow is not known until a clause says so; these are no faults of their own.
            is_broken, method = True, None
            continue
        is_broken = False
        kind, since, until = period
        statements += [Statement(row, kind, since, until, *figure, sentence) for figure in found]
    return statements, problems


def _period_of(
    match: re.Match[str], before: tuple[str, date | None, date], first: date, last: date
) -> tuple[str, date | None, date]:
    """Period, first and last day. Raises ValueError where the text names other days than those of the bulletin."""
    if match["until"]:
        if match["until"] not in ("今日", "本周") and _day(match["until"]) != last:
            raise ValueError(f"the last day of this bulletin, {last}")
        return "to_date", None, last
    if match["since"]:
        since = _day(match["since"])
        if _day(match["to"], since.year) != last:
            raise ValueError(f"the last day of this bulletin, {last}")
        return "year_to_date", since, last
    if match["span"]:
        start, end = match["span"].split("至")
        if (_day(start, first.year), _day(end, last.year)) != (first, last):
            raise ValueError(f"the days of this bulletin, {first} to {last}")
    if match["today"] and first != last:
        raise ValueError("本周 in a bulletin of several days")
    return ("day" if first == last else "week", first, last) if match["today"] or match["week"] else before


def _method_of(match: re.Match[str], before: str | None, period: str) -> str | None:
    """The way of trading that a clause speaks of; that of the clause before where it names none."""
    if match["composite"]:
        return "composite"
    if match["method"] or match["none_method"]:
        return METHODS[match["method"] or match["none_method"]]
    if match["all"] or (match["amount"] and period.endswith("to_date")):
        return "all"
    return before


def _figures_of(match: re.Match[str], method: str | None) -> list[tuple[str, str, int, str, int, str]] | None:
    """Method, measure, amount, unit, precision and printed number of each figure; null where it is not said whose."""
    if match["none"]:
        return [(method or "", name, 0, unit, 1, "") for name, unit in (("volume", "t"), ("value", "fen"))]
    if not (match["amount"] or match["price"] or match["way"] or match["flat"]):
        return []
    if method is None or (match["amount"] and method == "composite"):
        return None
    if match["amount"]:
        amount, precision = _scaled(match["number"], FACTORS[match["factor"]], 1 if match["unit"] == "吨" else 100)
        measure, unit = MEASURES[match["amount"]], "t" if match["unit"] == "吨" else "fen"
        if amount is None or (measure == "volume") != (unit == "t"):
            return None
        return [(method, measure, amount, unit, precision, match["number"])]
    if match["price"]:
        fen, _ = _scaled(match["cny"], 1, 100)
        return None if fen is None else [(method, MEASURES[match["price"]], fen, "fen_per_t", 1, match["cny"])]
    change, _ = _scaled(match["percent"] or "0", 1, 100)
    sign = -1 if match["way"] == "下跌" else 1
    return None if change is None else [(method, "change", sign * change, "1e-4", 1, match["percent"] or "0")]


def _scaled(number: str, factor: int, units: int) -> tuple[int | None, int]:
    """The number in whole units and the size of its last digit; null where it is finer than the unit.

    units : whole units in one of the printed unit (100 fen in a CNY). A figure printed without 万 or 亿 is exact.
    """
    value = Decimal(number.replace(",", ""))
    amount = value * factor * units
    if amount != amount.to_integral_value():
        return None, 1
    exponent = value.as_tuple().exponent
    last_digit = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0) * factor * units
    return int(amount), 1 if factor == 1 else max(1, int(last_digit))
