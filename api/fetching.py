"""Asking akshare for the daily figures of a carbon market.

Knows which function of akshare gives what, under which headings, and how to ask it without waiting for ever: akshare
sets no time limit of its own, so it runs in a process that is ended when the time is up. Must not know options, the
store, or what the figures mean (that is `carbon.formats`). akshare is an extra: without it everything else works.

Functions and headings: akshare 1.19.5, energy/energy_carbon.py (research file, section 6; confidence H).
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Literal

from carbon.formats.akshare_domestic import PLACES

__all__ = ["SOURCES", "FetchFailed", "Fetched", "Source", "check_frame", "fetch", "find_source", "write_whole"]

_EXCHANGE_NINE: Final = (
    "交易日期",
    "市场交易指数",
    "开盘价",
    "最高价",
    "最低价",
    "成交均价",
    "收盘价",
    "成交量",
    "成交额",
)
_HUBEI_OLD: Final = ("交易品种", "日期", "最新", "涨跌幅", "最高", "最低", "成交量", "成交额", "昨收盘价")
_GUANGZHOU: Final = (
    "日期",
    "品种",
    "开盘价",
    "收盘价",
    "最高价",
    "最低价",
    "涨跌",
    "涨跌幅",
    "成交数量",
    "成交金额",
)
_DOMESTIC: Final = ("日期", "成交价", "成交量", "成交额", "地点")

# akshare turns whatever it cannot read into nothing, so a page that changed shows as a column without a single figure.
_DAYS: Final = ("日期", "交易日期")
_PRICES: Final = ("成交价", "收盘价", "最新", "成交均价")
_SHOWN_CHARACTERS: Final = 300
_ENDING_S: Final = 10


class FetchFailed(OSError):
    """akshare is not there, did not answer, or gave something else than it used to; nothing was written."""


@dataclass(frozen=True)
class Source:
    """One thing that akshare can be asked for.

    function : its name in akshare; place : what it is called with as `symbol`, null where it takes nothing
    layouts : the headings that it may give, in any order
    market : key of the market that the rows belong to; null where they belong to none of ours
    """

    function: str
    place: str | None
    layouts: tuple[tuple[str, ...], ...]
    market: str | None


@dataclass(frozen=True)
class Fetched:
    """What akshare gave: the frame as CSV text, its rows, how many of them have no day, and akshare's version."""

    text: str
    rows: int
    undated: int
    version: str


_Kind = Literal["frame", "missing", "broken", "gone", "unreached", "failed", "no_frame"]


@dataclass(frozen=True)
class _Answer:
    """What the process that asked has to say: a frame as CSV text, or what went wrong."""

    kind: _Kind
    text: str
    columns: tuple[str, ...] = ()
    version: str = ""


SOURCES: Final[Mapping[str, Source]] = {
    **{place: Source("energy_carbon_domestic", place, (_DOMESTIC,), market) for place, market in PLACES.items()},
    "bj": Source("energy_carbon_bj", None, (("日期", "成交量", "成交均价", "成交额", "成交单位"),), "Beijing"),
    "sz": Source("energy_carbon_sz", None, (_EXCHANGE_NINE,), "Shenzhen"),
    "eu": Source("energy_carbon_eu", None, (_EXCHANGE_NINE,), None),
    "hb": Source("energy_carbon_hb", None, (("日期", "成交价", "成交量", "最新", "涨跌"), _HUBEI_OLD), "Hubei"),
    "gz": Source("energy_carbon_gz", None, (_GUANGZHOU,), "Guangdong"),
}


def find_source(symbol: str) -> Source | None:
    """The source of a symbol of SOURCES, or of a function's full name such as energy_carbon_bj; null for others."""
    return SOURCES.get(symbol.strip().removeprefix("energy_carbon_").lower())


def fetch(source: Source, *, timeout_s: float) -> Fetched:
    """Ask akshare once, in a process of its own, which is ended after `timeout_s` seconds.

    The time holds for all of it: the start of the process, the import of akshare, and every page that it reads.
    Raises FetchFailed, saying what was found and what was expected, when akshare is not installed, cannot reach its
    page, takes too long, or gives no frame, an empty one, or one with other headings.
    """
    return check_frame(source, _ask_in_time(source, timeout_s))


def write_whole(path: Path, text: str) -> None:
    """Write a UTF-8 file so that whoever looks sees all of it or what was there before. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        # A temporary file is its owner's alone; this one is to be like any other.
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _ask_in_time(source: Source, timeout_s: float) -> _Answer:
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_ask, args=(sender, source.function, source.place), daemon=True)
    try:
        process.start()
        sender.close()
        if not receiver.poll(timeout_s):
            raise FetchFailed(
                f"found no answer of akshare's {source.function} within {timeout_s:g} s, expected one; try again later,"
                " or allow more with --timeout"
            )
        answer = receiver.recv()
        assert isinstance(answer, _Answer)
        return answer
    except EOFError:
        process.join(_ENDING_S)
        raise FetchFailed(
            f"found the process that asked akshare's {source.function} ended with code {process.exitcode} and without"
            " an answer, expected a frame"
        ) from None
    finally:
        receiver.close()
        process.kill()
        process.join(_ENDING_S)


def _ask(sender: "Connection[_Answer, Any]", function: str, place: str | None) -> None:
    """What the other process does: ask, and send one answer. What akshare prints goes nowhere."""
    import warnings

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    warnings.simplefilter("ignore")
    sender.send(_answer(function, place))
    sender.close()


def _answer(function: str, place: str | None) -> _Answer:
    from importlib import import_module

    try:
        akshare = import_module("akshare")
    except Exception as error:
        is_absent = isinstance(error, ModuleNotFoundError) and error.name == "akshare"
        return _Answer("missing" if is_absent else "broken", _described(error))
    version = str(getattr(akshare, "__version__", "of unknown version"))
    ask = getattr(akshare, function, None)
    if ask is None:
        return _Answer("gone", "", version=version)
    try:
        frame = ask() if place is None else ask(symbol=place)
        if not hasattr(frame, "to_csv") or not hasattr(frame, "columns"):
            return _Answer("no_frame", type(frame).__name__, version=version)
        columns = tuple(str(name) for name in frame.columns)
        return _Answer("frame", str(frame.to_csv(index=False, lineterminator="\n")), columns, version)
    except OSError as error:  # every error of the library requests is one
        return _Answer("unreached", _described(error), version=version)
    except Exception as error:
        return _Answer("failed", _described(error), version=version)


def _described(error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}"[:_SHOWN_CHARACTERS]


def check_frame(source: Source, answer: _Answer) -> Fetched:
    """The frame, if it is one of the layouts of its source and holds days and prices. Raises FetchFailed."""
    asked = f"akshare {answer.version}, {source.function}" + (f"({source.place})" if source.place else "")
    if answer.kind != "frame":
        raise FetchFailed(_told(answer, asked))
    expected = " or ".join(", ".join(layout) for layout in source.layouts)
    if sorted(answer.columns) not in [sorted(layout) for layout in source.layouts]:
        found = ", ".join(answer.columns) or "nothing"
        raise FetchFailed(f"{asked}: found the columns {found}; expected {expected}. The page or akshare has changed")
    import polars as pl

    rows = pl.read_csv(answer.text.encode(), infer_schema=False)
    if rows.is_empty():
        raise FetchFailed(f"{asked}: found a frame without rows, expected the days traded. The page may have changed")
    day = next(name for name in _DAYS if name in rows.columns)
    price = next(name for name in _PRICES if name in rows.columns)
    for name in (day, price):
        if rows[name].null_count() == rows.height:
            raise FetchFailed(
                f"{asked}: found nothing in column {name} of all {rows.height} rows, expected figures. The page may"
                " have changed"
            )
    return Fetched(answer.text, rows.height, rows[day].null_count(), answer.version)


def _told(answer: _Answer, asked: str) -> str:
    sentences: dict[str, str] = {
        "missing": "found no akshare, expected it to be installed: pip install 'greenfin[fetch]'",
        "broken": f"found an akshare that cannot be imported ({answer.text}), expected one that can; install it anew:"
        " pip install 'greenfin[fetch]'",
        "gone": f"{asked}: found no such function, expected it; use an akshare that has it:"
        " pip install 'greenfin[fetch]'",
        "unreached": f"{asked}: found its page out of reach ({answer.text}), expected an answer; is there a network?",
        "failed": f"{asked}: found it failing ({answer.text}), expected a frame. The page may have changed",
        "no_frame": f"{asked}: found a value of type {answer.text}, expected a frame",
    }
    return sentences[answer.kind]
