"""The hubs: cities that are ranked, with their names and codes, and how a name in the wild is read.

Knows names, provinces and administrative codes. Knows nothing measured about the hubs, and never guesses: a name that
could mean something else has no hub, but a reason and the nearest hub to look at.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

from fhi.errors import UnknownHub

RESOLVED: Final = pl.Schema(
    {"name": pl.String, "hub": pl.String, "below": pl.Boolean, "reason": pl.String, "suggestion": pl.String}
)

# Two digits of GB/T 2260, short name, suffix of the full name, romanised names. The four municipalities are hubs.
_PROVINCES: Final = """
13 河北 省 hebei|15 内蒙古 自治区 neimenggu innermongolia|14 山西 省 shanxi|21 辽宁 省 liaoning|22 吉林 省 jilin
23 黑龙江 省 heilongjiang|32 江苏 省 jiangsu|33 浙江 省 zhejiang|34 安徽 省 anhui|35 福建 省 fujian
36 江西 省 jiangxi|37 山东 省 shandong|41 河南 省 henan|42 湖北 省 hubei|43 湖南 省 hunan|44 广东 省 guangdong
45 广西 壮族自治区 guangxi|46 海南 省 hainan|51 四川 省 sichuan|52 贵州 省 guizhou|53 云南 省 yunnan
54 西藏 自治区 xizang tibet|61 陕西 省 shaanxi|62 甘肃 省 gansu|63 青海 省 qinghai|64 宁夏 回族自治区 ningxia
65 新疆 维吾尔自治区 xinjiang|71 台湾 省 taiwan|81 香港 特别行政区 hongkong|82 澳门 特别行政区 macau
"""
# Only the characters of hubs, provinces and the suffixes of places.
_SIMPLIFIED: Final = str.maketrans(
    "莊瀋陽連長爾濱蘇寧門廈濟島鄭漢廣慶貴蘭銀烏魯齊薩遼龍東陝肅雲內壯臺灣區縣鎮鄉號園華國",
    "庄沈阳连长尔滨苏宁门厦济岛郑汉广庆贵兰银乌鲁齐萨辽龙东陕肃云内壮台湾区县镇乡号园华国",
)
_MUNICIPAL: Final = frozenset({"11", "12", "31", "50"})
_CJK: Final = re.compile(r"[㐀-鿿]")
_SPLIT: Final = re.compile(r"[,/;|()\[\]·•、>—–_\-]+")
_SPLIT_CJK: Final = re.compile(r"[\s,/;|()\[\]·•、>—–_\-]+")
_CODE: Final = re.compile(r"^(\d{4}|\d{6}|\d{9}|\d{12})(\.0)?$")
_PART: Final = re.compile(r"^(?!路|街|道|大道|站|湾|合作|区|县|市|旗).{1,14}(区|县|旗|市)$")
_PART_TOKEN: Final = re.compile(r"^.{1,14}(区|县|旗|镇|乡|街道)$")
_ADDRESS: Final = re.compile(r"^[^场].*(区|县|市|旗|镇|乡|街道|路|街|道|号|村|园|巷|弄)")
_PART_EN: Final = re.compile(r"\b(district|county|qu|new area|subdistrict|town|township)$")
_NOISE_EN: Final = re.compile(
    r"\b(people s republic of|peoples republic of|p ?r ?c?|cn|china|city|shi|municipality|province|sheng|prefecture"
    r"|zhuang|hui|uygur|uyghur|autonomous|region)\b"
)


@dataclass(frozen=True)
class _Token:
    """One piece of a name: a province, a hub, a part of some city, nothing, or something else."""

    kind: str
    province: str | None = None
    hub: str | None = None
    below: bool = False


@cache
def hubs() -> pl.DataFrame:
    """All hubs: hub (slug), name_zh, name_en, gbt2260, administrative_rank, latitude and longitude in degrees.

    Coordinates: GeoNames (CC BY 4.0). The 2017 report speaks of 37 cities chosen as municipalities, plan-listed,
    sub-provincial and provincial-capital cities; that rule gives 36, the list is not printed, and Suzhou is added
    as the 37th, marked `prefecture`.
    """
    text = files("fhi").joinpath("data", "hubs.csv").read_bytes()
    return pl.read_csv(text, schema_overrides={"gbt2260": pl.String})


@cache
def hub_aliases() -> pl.DataFrame:
    """Other names: alias, hub (null for a place that is known not to be a hub), note."""
    return pl.read_csv(files("fhi").joinpath("data", "hub_aliases.csv").read_bytes())


def find_hub(name: str) -> str:
    """The hub that a slug, a name in either language or a GB/T 2260 code stands for, read as `resolve_hubs` does.

    Raises UnknownHub with the nearest slugs.
    """
    hub, _, _ = _read(name)
    if hub is not None:
        return hub
    import difflib

    known = hubs()["hub"].to_list()
    near = difflib.get_close_matches(name.strip().lower().removesuffix("市"), known, n=3) or known
    raise UnknownHub(f"unknown hub {name!r}; nearest: {', '.join(near)}")


def resolve_hubs(names: pl.Series, *, suggest: bool = True) -> pl.DataFrame:
    """The hub of every distinct name, in the order of first appearance, as RESOLVED:

    name; hub (slug, null where unknown or ambiguous); below (the name is of a part of the city, such as a district);
    reason where there is no hub; suggestion (nearest slugs, for a person to judge; null where none is near).

    Reasons: `blank`; `province`; `other_city` (known, and no hub); `other_code` (a code of no hub); `two_hubs`;
    `province_conflict` (the province named does not hold the city named); `unknown`.

    Read are slugs, names in both languages with or without province, country and parts of the city, traditional
    characters, full-width letters, and GB/T 2260 codes of 4, 6, 9 or 12 digits (a county stands for its city). A
    part of a city counts only after the city's name: 洪山区 alone has no hub, since parts of many cities share names.
    `Suzhou` and `Fuzhou` without a province mean the hubs, though 宿州 and 抚州 are romanised alike.

    names: text or whole numbers. Without `suggest` the search for near names, the slow part, is left out.
    """
    distinct = names.cast(pl.String).drop_nulls().unique(maintain_order=True).to_list()
    rows = []
    for name in distinct:
        hub, below, reason = _read(name)
        near = _suggest(name, reason) if suggest and hub is None else None
        rows.append((name, hub, below, reason, near))
    return pl.DataFrame(rows, schema=RESOLVED, orient="row")


@cache
def _provinces() -> dict[str, str]:
    """Code of two digits by every name of a province."""
    known = {}
    for entry in re.split(r"[|\n]", _PROVINCES.strip()):
        code, short, suffix, *romanised = entry.split()
        for name in (short, short + suffix, short + "省", short + "自治区", *romanised):
            known[name] = code
    return known


@cache
def _names() -> dict[str, str | None]:
    """Slug by every folded name; null for a place that is known not to be a hub."""
    known: dict[str, str | None] = {_fold(alias): hub for alias, hub, _ in hub_aliases().iter_rows()}
    for row in hubs().iter_rows(named=True):
        known |= {_fold(str(row[column])): row["hub"] for column in ("hub", "name_zh", "name_en")}
    return known


@cache
def _codes() -> dict[str, str]:
    """Slug by code: two digits of a municipality, four of any other city."""
    rows = hubs().select("gbt2260", "hub").iter_rows()
    return {code[:2] if code[:2] in _MUNICIPAL else code[:4]: hub for code, hub in rows}


@cache
def _code_of() -> dict[str, str]:
    return dict(hubs().select("hub", "gbt2260").iter_rows())


@cache
def _chinese(provinces: bool) -> re.Pattern[str]:
    """Longest Chinese name first, at the start of a text: of provinces, or of hubs."""
    names = _provinces() if provinces else {name for name, hub in _names().items() if hub is not None}
    # One character begins too many other names: 京山 and 津市 are no parts of 京 and 津.
    longest_first = sorted((name for name in names if _CJK.search(name) and len(name) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


def _plain(name: str) -> str:
    """The name in half-width letters and simplified characters, without blanks around it."""
    return unicodedata.normalize("NFKC", name).strip().translate(_SIMPLIFIED)


def _is_part(name: str) -> bool:
    return name.endswith(("区", "县"))


def _fold(name: str) -> str:
    """Letters only: width, case, accents, blanks, apostrophes, dots and hyphens do not tell names apart."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in plain.lower() if letter.isalnum())


def _read(name: str) -> tuple[str | None, bool, str | None]:
    """Hub, whether a part of it is named, and the reason where there is none."""
    text = _plain(name)
    if not text:
        return None, False, "blank"
    if code := _CODE.match(text):
        return _read_code(code.group(1))
    whole = _fold(text)
    if whole in _names():
        hub = _names()[whole]
        return hub, hub is not None and _is_part(whole), None if hub else "other_city"
    tokens = [_classify(part) for part in (_SPLIT_CJK if _CJK.search(text) else _SPLIT).split(text) if part.strip()]
    found = {token.hub for token in tokens if token.hub is not None}
    provinces = {token.province for token in tokens if token.province is not None}
    if len(found) > 1:
        return None, False, "two_hubs"
    if any(token.kind == "other_city" for token in tokens):
        return None, False, "other_city"
    if any(token.kind == "other" for token in tokens) or (not found and not provinces):
        return None, False, "unknown"
    if not found:
        parts = any(token.kind == "part" for token in tokens)
        return None, False, "unknown" if parts else "province"
    hub = found.pop()
    if hub is not None and provinces - {_code_of()[hub][:2]}:
        return None, False, "province_conflict"
    return hub, any(token.below for token in tokens), None


def _read_code(code: str) -> tuple[str | None, bool, str | None]:
    if len(code) > 4 and code[2:6] == "0000" and code[:2] not in _MUNICIPAL:
        return None, False, "province" if code[:2] in _provinces().values() else "other_code"
    hub = _codes().get(code[:2] if code[:2] in _MUNICIPAL else code[:4])
    if hub is None:
        return None, False, "other_code"
    return hub, not _code_of()[hub].startswith(code.rstrip("0")), None


def _classify(part: str) -> _Token:
    return _classify_chinese(part) if _CJK.search(part) else _classify_latin(part)


def _classify_chinese(part: str) -> _Token:
    rest = part.removeprefix("中华人民共和国").removeprefix("中国")
    if not rest:
        return _Token("nothing")
    province = None
    if match := _chinese(provinces=True).match(rest):
        province, rest = _provinces()[match.group()], rest[match.end() :]
        if not rest:
            return _Token("province", province)
    if _fold(rest) in _names() and _names()[_fold(rest)] is None:
        return _Token("other_city", province)
    hub, after, below = None, rest, False
    while (match := _chinese(provinces=False).match(after)) and hub in (None, _names()[_fold(match.group())]):
        hub, after, below = _names()[_fold(match.group())], after[match.end() :], below or _is_part(match.group())
        if after == "市" or (after.startswith("市") and _chinese(provinces=False).match(after[1:])):
            after = after[1:]
    if hub is None:
        kind = "part" if province is None and _PART_TOKEN.match(rest) else "other"
        return _Token(kind, province, below=kind == "part")
    if not after:
        return _Token("hub", province, hub, below)
    inside = _ADDRESS.match(after[1:]) if after.startswith("市") else _PART.match(after)
    return _Token("hub", province, hub, below=True) if inside else _Token("other", province)


def _classify_latin(part: str) -> _Token:
    text = "".join(c if c.isalnum() else " " for c in unicodedata.normalize("NFKD", part).lower() if c not in "'’`´")
    text = re.sub(r"\s+", " ", "".join(c for c in text if not unicodedata.combining(c))).strip()
    if _PART_EN.search(text):
        return _Token("part", below=True)
    words = _NOISE_EN.sub(" ", text).split()
    if not words:
        return _Token("nothing")
    for cut in range(len(words) + 1):
        one, other = "".join(words[:cut]), "".join(words[cut:])
        for city, province in ((one, other), (other, one)):
            if city in _names() and (not province or province in _provinces()):
                hub = _names()[city]
                return _Token("hub" if hub else "other_city", _provinces().get(province), hub)
    province_code = _provinces().get("".join(words))
    return _Token("province", province_code) if province_code else _Token("other")


def _suggest(name: str, reason: str | None) -> str | None:
    """Slugs near a name without a hub: those named inside it, those of its province, or the one spelt most alike."""
    text = _plain(name)
    if reason in ("blank", "other_city", "other_code"):
        return None
    match = _chinese(provinces=True).match(text)
    rest = text[match.end() :] if match else text
    inside = [hub for hub, name_zh in hubs().select("hub", "name_zh").iter_rows() if name_zh in rest]
    if inside:
        return ", ".join(inside)
    if match and rest:
        return None
    for province, code in _provinces().items():
        if reason == "province" and (_fold(text).startswith(province) or text[:2] == code):
            return ", ".join(hub for hub, of in _code_of().items() if of.startswith(code)) or None
    import difflib

    known = {alias: hub for alias, hub in _names().items() if hub is not None and len(alias) > 1}
    near = difflib.get_close_matches(
        _fold(text).removesuffix("市"), known, n=1, cutoff=0.5 if _CJK.search(text) else 0.6
    )
    return known[near[0]] if near else None
