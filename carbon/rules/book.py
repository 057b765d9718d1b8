"""Reading rules from TOML, and finding those that apply.

Knows the files in `carbon/rules/data`, a user's own file, and which rule goes before which. Must not know any formula.
"""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from carbon.errors import CarbonError, Problem
from carbon.rules.models import CONFIDENCES, STATUSES, Rule

if TYPE_CHECKING:
    import polars as pl

__all__ = ["InvalidRules", "Rules", "load_rules", "problems_of", "read_rules", "rule_rows", "rules_for", "scheme_names"]

_TOP_LEVEL = {"scheme", "rule"}
_SET_BY_LOADER = {"scheme", "origin"}


class InvalidRules(CarbonError):
    """A file of rules cannot be used; `problems` holds everything wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Rules:
    """A collection of rules, in the order of their files; drafts: whether drafts may be used."""

    rules: tuple[Rule, ...]
    drafts: bool = False

    @property
    def uses_drafts(self) -> bool:
        """Whether any rule in here is a draft."""
        return any(rule.status == "draft" for rule in self.rules)


def load_rules(scheme: str | None = None, extra: Path | None = None) -> Rules:
    """All embedded rules, or those of one scheme, with a user's own rules added.

    scheme : key such as "CN"; null for all
    extra : a TOML file like the embedded ones; a rule with the id of an embedded one replaces it, others are added.
        Its rules carry origin "user" and go before embedded ones (see `carbon.rules.selection`).
    Raises InvalidRules with all problems of the file at once, and for a scheme that does not exist.
    """
    embedded = _embedded()
    own = read_rules(extra.name, _text_of(extra), origin="user") if extra is not None else ()
    replaced = {rule.id for rule in own}
    merged = (*(rule for rule in embedded if rule.id not in replaced), *own)
    if scheme is None:
        return Rules(merged)
    known = sorted({*scheme_names(), *(rule.scheme for rule in merged)})
    if scheme not in known:
        raise InvalidRules(
            [_problem("rules", None, None, f"scheme {scheme!r}", f"one of {', '.join(known)}", "scheme")]
        )
    return Rules(tuple(rule for rule in merged if rule.scheme == scheme))


def scheme_names() -> list[str]:
    """Keys of all embedded schemes, those without rules too, in the order of their table."""
    lines = files("carbon.rules").joinpath("data", "schemes.csv").read_text(encoding="utf-8").splitlines()
    return [line.split(",", 1)[0] for line in lines[1:]]


def rules_for(
    rules: Rules, scheme: str, year: int | None = None, on_date: date | None = None, *, drafts: bool = False
) -> Rules:
    """The rules of one scheme that apply to a compliance year, as they were known and in force on a day.

    year : null for any; on_date : null for any day; drafts : whether drafts may be used
    A rule without years applies to every year, one without days on every day. Drafts are left out unless asked for.
    """
    found = tuple(rule for rule in rules.rules if rule.scheme == scheme and _applies(rule, year, on_date))
    return Rules(tuple(rule for rule in found if drafts or rule.status != "draft"), drafts=drafts)


def rule_rows(
    rules: Rules, *, scheme: str | None = None, year: int | None = None, kind: str | None = None
) -> "pl.DataFrame":
    """The rules as rows, drafts too, for a reader; ascending by scheme, kind, first year and id.

    Result : scheme, rule, kind, item, sector, classes, first_year and last_year (Int32), from_date and to_date (Date),
    values ("electricity 0.7910 t/MWh; ..."), text_en, text_zh, document, source, confidence, status, origin, note.
    """
    import polars as pl

    text, whole, day = pl.String, pl.Int32, pl.Date
    schema: dict[str, type[pl.DataType]] = {
        **dict.fromkeys(["scheme", "rule", "kind", "item", "sector", "classes"], text),
        **{"first_year": whole, "last_year": whole, "from_date": day, "to_date": day},
        **dict.fromkeys(["values", "text_en", "text_zh", "document", "source", "confidence", "status"], text),
        **{"origin": text, "note": text},
    }
    wanted = [
        rule
        for rule in rules.rules
        if (scheme is None or rule.scheme == scheme)
        and (kind is None or rule.kind == kind)
        and _applies(rule, year, None)
    ]
    rows = [
        {**rule.model_dump(), "rule": rule.id, "classes": ", ".join(rule.classes) or None, "values": _values_text(rule)}
        for rule in wanted
    ]
    frame = pl.DataFrame([{name: row[name] for name in schema} for row in rows], schema=schema)
    return frame.sort("scheme", "kind", "first_year", "rule", nulls_last=True)


def read_rules(file: str, text: str, *, origin: str = "embedded") -> tuple[Rule, ...]:
    """The rules of one TOML text.

    file : name to print in problems; origin : "embedded" or "user"
    Raises InvalidRules with everything wrong at once: syntax, unknown keys, missing figures, wrong units, repeated ids.
    """
    try:
        # Figures stay exact decimals, as printed.
        content = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise InvalidRules([_problem(file, None, None, str(error), "valid TOML", "not_toml")]) from error
    scheme, entries, problems = _outline(file, content)
    rows = _rows_of_rules(text)
    rules: list[Rule] = []
    for position, entry in enumerate(entries):
        row = rows[position] if position < len(rows) else None
        rule, wrong = _rule_of(file, row, entry, scheme, origin)
        if rule is not None and rule.id in {other.id for other in rules}:
            wrong = [_problem(file, row, rule.id, "this id a second time", "each id once", "repeated_rule")]
        problems += wrong
        if rule is not None:
            rules.append(rule)
    if problems:
        raise InvalidRules(problems)
    return tuple(rules)


def problems_of(file: str, row: int | None, name: str, error: ValidationError) -> list[Problem]:
    """What pydantic refused of one record, as problems; name : of the record, to print before the key."""
    problems = []
    for detail in error.errors():
        key = ".".join(str(part) for part in detail["loc"])
        column = f"{name}: {key}" if key else name
        message = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            problems.append(_problem(file, row, column, "an unknown key", "a key of this record", "unknown_key"))
        elif detail["type"] == "missing":
            problems.append(_problem(file, row, column, "nothing", "a value", "missing_key"))
        else:
            found = "the record as it stands" if isinstance(detail["input"], dict) else repr(detail["input"])
            problems.append(_problem(file, row, column, found, message, "wrong_value"))
    return problems


def _embedded() -> tuple[Rule, ...]:
    folder = files("carbon.rules").joinpath("data")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    texts = [(name, folder.joinpath(name).read_text(encoding="utf-8")) for name in names]
    return tuple(rule for name, text in texts for rule in read_rules(name, text))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problem = _problem(path.name, None, None, str(error), "a readable TOML file in UTF-8", "unreadable")
        raise InvalidRules([problem]) from error


def _outline(file: str, content: dict[str, Any]) -> tuple[str, list[dict[str, Any]], list[Problem]]:
    """The scheme and the entries of a file, and what is wrong with its top level."""
    unknown = sorted(set(content) - _TOP_LEVEL)
    problems = [_problem(file, None, name, "an unknown key", "scheme or [[rule]]", "unknown_key") for name in unknown]
    scheme = content.get("scheme")
    if not isinstance(scheme, str) or not scheme:
        problems.append(_problem(file, None, "scheme", repr(scheme), 'a scheme, such as "CN"', "missing_key"))
    entries = content.get("rule", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        problems.append(_problem(file, None, "rule", repr(entries), "[[rule]] tables", "wrong_value"))
        entries = []
    return str(scheme), entries, problems


def _rule_of(
    file: str, row: int | None, entry: dict[str, Any], scheme: str, origin: str
) -> tuple[Rule | None, list[Problem]]:
    name = str(entry.get("id", "a rule without id"))
    own = [
        _problem(file, row, f"{name}: {key}", "an unknown key", "none", "unknown_key")
        for key in entry
        if key in _SET_BY_LOADER
    ]
    try:
        return Rule.model_validate({**entry, "scheme": scheme, "origin": origin}), own
    except ValidationError as error:
        return None, own + problems_of(file, row, name, error)


def _rows_of_rules(text: str) -> list[int]:
    """Lines on which the rules begin, the first line of the file being 1."""
    return [row for row, line in enumerate(text.splitlines(), start=1) if line.strip().startswith("[[rule]]")]


def _applies(rule: Rule, year: int | None, on_date: date | None) -> bool:
    return _within(year, rule.first_year, rule.last_year) and _within(on_date, rule.from_date, rule.to_date)


def _within(value: Any, first: Any, last: Any) -> bool:
    return value is None or ((first is None or first <= value) and (last is None or value <= last))


def _values_text(rule: Rule) -> str | None:
    words = []
    for quantity in rule.values:
        value = str(quantity.value).lower() if isinstance(quantity.value, bool) else str(quantity.value)
        words.append(
            " ".join([quantity.name, value, *([] if quantity.unit in ("text", "date", "1") else [quantity.unit])])
        )
    return "; ".join(words) or None


def _problem(file: str, row: int | None, column: str | None, found: str, expected: str, code: str) -> Problem:
    return Problem(file=file, row=row, column=column, found=found, expected=expected, code=code, severity="error")


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """The rules, the one to be used first: the user's own, then by status, then by confidence."""
    return sorted(
        rules,
        key=lambda rule: (rule.origin != "user", STATUSES.index(rule.status), CONFIDENCES.index(rule.confidence)),
    )


def only(rules: Rules, wanted: Iterable[Rule]) -> Rules:
    """The same collection with other rules."""
    return replace(rules, rules=tuple(wanted))
