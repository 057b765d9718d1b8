"""What every picture is written of: shapes and texts as SVG, scales, axes, and the frame with title and remarks.

Knows SVG, colours and how long a text is. Knows no rows and no language. A picture has no script and loads nothing, so
that it can stand in a report as a file of its own; the same arguments give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from unicodedata import east_asian_width

from api.web.market_chart import nice_steps

__all__ = [
    "LEFT",
    "MINUS",
    "RIGHT",
    "SIZE",
    "WIDTH",
    "Scale",
    "breadth",
    "circle",
    "frame",
    "legend",
    "line",
    "path",
    "put",
    "rect",
    "scale_of",
    "shorten",
    "signed",
    "text",
    "wrap",
    "x_axis",
    "y_axis",
]

WIDTH: Final = 960
LEFT, RIGHT = 62, 936
SIZE: Final = 13
MINUS: Final = "\u2212"
_TOP: Final = 20
_LEADING: Final = 18
_LINES: Final = ("own-line", "other-line", "even", "whisker")
_DOTS: Final = ("dot", "ring", "own", "own-ring", "other")
_LATIN: Final = 0.56
"""Mean breadth of a letter of the usual fonts, in sizes; a Chinese character has one size."""

_RULES: Final = """
text{font:13px system-ui,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
text{fill:#1c2b33}.paper{fill:#fff}.head{font-size:16px;font-weight:700}.bold{font-weight:700}.small{font-size:11px}
.quiet{fill:#51626c}.grid{stroke:#d5dcdf}.axis{stroke:#51626c}.even{stroke:#51626c;stroke-dasharray:5 4}
.mark{fill:#fff4d6}.shade{fill:#eef1f0}.band{fill:#b9c6cc}.dot{fill:#44555e}.own{fill:#0072b2}.other{fill:#b84f00}
.ring{fill:#fff;stroke:#44555e;stroke-width:1.8}.own-ring{fill:#fff;stroke:#0072b2;stroke-width:1.8}
.own-band{fill:#8fc1e3}.own-line{fill:none;stroke:#0072b2;stroke-width:2.4;stroke-linejoin:round}
.other-line{fill:none;stroke:#b84f00;stroke-width:2;stroke-dasharray:7 5}.whisker{stroke:#1c2b33;stroke-width:1.6}
.c1{fill:#56b4e9}.c2{fill:#e69f00}.c3{fill:#009e73}.c4{fill:#cc79a7}.c5{fill:#f0e442}.c6{fill:#9aa7ad}
.heat{fill:#d55e00}.yes{fill:#7fcfb6}.half{fill:#f3cf80}.no{fill:#efb08a}
.unknown{fill:none;stroke:#8b9aa3;stroke-dasharray:3 3}.flow{stroke:#51626c;stroke-width:1.6;fill:none}
@media (prefers-color-scheme:dark){
text{fill:#e6ecef}.paper{fill:#14191c}.quiet{fill:#aab8bf}.grid{stroke:#37434a}.axis,.even,.flow{stroke:#aab8bf}
.mark{fill:#3d361d}.shade{fill:#1f272b}.band{fill:#4a5a63}.dot{fill:#c9d3d8}.own{fill:#5db3e8}.other{fill:#f0955a}
.ring{fill:#14191c;stroke:#c9d3d8}.own-ring{fill:#14191c;stroke:#5db3e8}.own-band{fill:#235a80}
.own-line{stroke:#5db3e8}.other-line{stroke:#f0955a}.whisker{stroke:#e6ecef}
.c1{fill:#2f7fae}.c2{fill:#a87300}.c3{fill:#007a59}.c4{fill:#9c5580}.c5{fill:#8f8620}.c6{fill:#5c6970}
.yes{fill:#0b6b50}.half{fill:#7a5a12}.no{fill:#8a3d16}
}
"""


@dataclass(frozen=True)
class Scale:
    """A straight scale: figures `low` to `high` lie at `first` to `last`; `steps` are round figures to be marked."""

    low: float
    high: float
    first: float
    last: float
    steps: tuple[float, ...] = ()

    def at(self, figure: float) -> float:
        """Where a figure lies."""
        return self.first + (figure - self.low) / (self.high - self.low) * (self.last - self.first)


def scale_of(low: float, high: float, first: float, last: float, most: int = 5) -> Scale:
    """A scale whose ends are round figures at or outside of `low` and `high`."""
    steps = nice_steps(low, high, most)
    return Scale(steps[0], steps[-1], first, last, tuple(steps))


def put(value: float) -> str:
    """A place as text: one decimal, none where it is whole."""
    told = f"{value:.1f}".removesuffix(".0")
    return "0" if told == "-0" else told


def signed(value: float, decimals: int = 1) -> str:
    """A change as text, with its sign."""
    rounded = round(value, decimals)
    return f"{rounded:+.{decimals}f}".replace("-", MINUS) if rounded else f"{0:.{decimals}f}"


def breadth(words: str, size: float = SIZE) -> float:
    """About how broad a text is."""
    return size * sum(1.0 if east_asian_width(each) in "WF" else _LATIN for each in words)


def wrap(words: str, room: float, size: float = SIZE) -> list[str]:
    """A text in lines that fit into the room; Chinese breaks between any two characters, but not before a mark."""
    lines: list[str] = []
    held = ""
    for piece in _pieces(words):
        if held and breadth((held + piece).rstrip(), size) > room:
            lines.append(held.rstrip())
            held = piece.lstrip()
        else:
            held += piece
    return [*lines, held.rstrip()] if held.strip() else lines


def _pieces(words: str) -> list[str]:
    pieces: list[str] = []
    for each in words:
        wide = east_asian_width(each) in "WF"
        closes = each in "，。；：、）》”！？"
        if not pieces or (wide and not closes) or (not closes and _ends(pieces[-1])):
            pieces.append(each)
        else:
            pieces[-1] += each
    return pieces


def _ends(piece: str) -> bool:
    return piece[-1] == " " or east_asian_width(piece[-1]) in "WF"


def shorten(words: str, room: float, size: float = SIZE) -> str:
    """The text, its end replaced by an ellipsis where it does not fit."""
    if breadth(words, size) <= room:
        return words
    kept = words
    while kept and breadth(kept + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """A text whose foot is at y."""
    named = f' class="{kind}"' if kind else ""
    placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{put(x)}" y="{put(y)}"{named}{placed}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    """A straight line."""
    return f'<line class="{kind}" x1="{put(x1)}" y1="{put(y1)}" x2="{put(x2)}" y2="{put(y2)}"/>'


def rect(
    x: float,
    y: float,
    width: float,
    height: float,
    kind: str,
    told: str = "",
    opacity: float = 1.0,
    radius: float = 0.0,
) -> str:
    """A rectangle; `told` is shown on pointing at it."""
    faint = "" if opacity == 1.0 else f' fill-opacity="{opacity:.2f}"'
    round_off = f' rx="{put(radius)}"' if radius else ""
    place = f'x="{put(x)}" y="{put(y)}" width="{put(max(width, 0))}" height="{put(height)}"'
    shape = f'<rect class="{kind}" {place}{round_off}{faint}'
    return f"{shape}><title>{escape(told)}</title></rect>" if told else f"{shape}/>"


def circle(x: float, y: float, radius: float, kind: str, told: str = "") -> str:
    """A dot; `told` is shown on pointing at it."""
    shape = f'<circle class="{kind}" cx="{put(x)}" cy="{put(y)}" r="{put(radius)}"'
    return f"{shape}><title>{escape(told)}</title></circle>" if told else f"{shape}/>"


def path(places: Sequence[tuple[float, float] | None], kind: str) -> str:
    """A line through places, broken where there is none."""
    drawn, is_open = "", False
    for place in places:
        if place is not None:
            drawn += f"{'L' if is_open else 'M'}{put(place[0])} {put(place[1])}"
        is_open = place is not None
    return f'<path class="{kind}" d="{drawn}"/>' if drawn else ""


def x_axis(scale: Scale, top: float, foot: float, unit: str = "") -> list[str]:
    """Upright grid lines with their figures below."""
    parts = [line(scale.at(step), top, scale.at(step), foot) for step in scale.steps]
    parts += [
        text(scale.at(step), foot + 16, f"{step:g}{unit}".replace("-", MINUS), "quiet", "middle")
        for step in scale.steps
    ]
    return parts


def y_axis(scale: Scale, left: float, right: float, unit: str = "") -> list[str]:
    """Level grid lines with their figures on the left."""
    parts = [line(left, scale.at(step), right, scale.at(step)) for step in scale.steps]
    parts += [
        text(left - 6, scale.at(step) + 4, f"{step:g}{unit}".replace("-", MINUS), "quiet", "end")
        for step in scale.steps
    ]
    return parts


def legend(entries: Sequence[tuple[str, str]], y: float, left: float = LEFT) -> list[str]:
    """Names of what is drawn, each behind a patch of its kind: (kind, words)."""
    parts: list[str] = []
    x = left
    for kind, words in entries:
        if kind in _LINES:
            patch = line(x, y - 4, x + 22, y - 4, kind)
        elif kind in _DOTS:
            patch = circle(x + 11, y - 4, 4.5, kind)
        else:
            patch = rect(x + 2, y - 10, 18, 12, kind)
        parts += [patch, text(x + 28, y, words)]
        x += 28 + breadth(words) + 24
    return parts


def frame(name: str, title: str, height: float, body: Sequence[str], remarks: Sequence[str]) -> str:
    """The whole SVG.

    name : of the picture, which its ids begin with; height : of the body, which is drawn from 0 down and moved below
    the title; remarks : said below the body, and to screen readers, each broken into lines that fit.
    """
    heads = wrap(title, RIGHT - 24, 16)
    begin = _TOP + 22 * len(heads)
    said = [part for remark in remarks for part in wrap(remark, RIGHT - 24)]
    whole = begin + height + _LEADING * len(said) + 14
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {put(whole)}" width="{WIDTH}" '
        f'height="{put(whole)}" role="img" aria-labelledby="{name}-title {name}-desc">',
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-desc">{escape(" ".join(remarks))}</desc>',
        f"<style>{_RULES}</style>",
        rect(0, 0, WIDTH, whole, "paper"),
        *(text(24, _TOP + 6 + 22 * place, words, "head") for place, words in enumerate(heads)),
        f'<g transform="translate(0 {put(begin)})">',
        *(part for part in body if part),
        "</g>",
        *(text(24, begin + height + _LEADING * (place + 1), words, "quiet") for place, words in enumerate(said)),
        "</svg>\n",
    ]
    return "\n".join(parts)
