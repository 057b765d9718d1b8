"""Pictures of analyses: geometry against arithmetic, words in both languages, and the same bytes by every way."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import polars as pl
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api import queries, tracking
from api.lang import LANGUAGES, Lang, texts
from api.pictures import canvas, choices, city, field, ranks
from api.pictures.catalogue import PICTURES, UnknownPicture, Wanted, WithoutCity, draw
from api.pictures.kept import keep
from api.store import Store

Run = Callable[..., tuple[int, str, str]]
SVG: Final = "{http://www.w3.org/2000/svg}"
HOSTILE: Final = '<b>&"武汉'


@pytest.fixture(scope="module")
def store(client: TestClient) -> Store:
    found: Store = client.app.state.store  # type: ignore[attr-defined]
    return found


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def shapes(svg: str, kind: str, *classes: str) -> list[ElementTree.Element]:
    """Shapes of one kind inside the body, apart from the legend, which have one of the classes."""
    body = parsed(svg).find(f"{SVG}g")
    assert body is not None
    return [
        each
        for each in body.iter(f"{SVG}{kind}")
        if each.get("class") in classes and each.find(f"{SVG}title") is not None
    ]


def numbers(element: ElementTree.Element, *names: str) -> list[float]:
    return [float(element.get(name) or "nan") for name in names]


def words_of(svg: str) -> list[str]:
    return [each.text or "" for each in parsed(svg).iter(f"{SVG}text")]


def band_row(hub: str, rank: int | None, low: float | None, high: float | None) -> dict[str, Any]:
    middle = None if low is None or high is None else (low + high) / 2
    return {
        **{"hub": hub, "name_zh": hub, "name_en": hub, "year": 2020, "rank": rank, "rank_median": middle},
        **{"rank_p05": low, "rank_p95": high, "draws": 100, "seed": 7, "choices": "weights"},
    }


def test_rank_bands_lie_on_one_scale() -> None:
    rows = pl.DataFrame(
        [
            band_row("a", 1, 1.0, 3.0),
            band_row("b", 2, 2.0, 5.0),
            band_row("c", 3, None, None),
            band_row("d", None, None, None),
        ],
        infer_schema_length=None,
    )
    svg = ranks.draw_rank_bands(rows, "en", "b")
    dots = {each.findtext(f"{SVG}title"): numbers(each, "cx", "cy") for each in shapes(svg, "circle", "dot", "own")}
    assert list(dots) == ["a: 1", "b: 2", "c: 3"]
    (first, y_first), (second, y_second), (third, y_third) = dots.values()
    assert second - first == pytest.approx(third - second, abs=0.1)
    assert y_second - y_first == y_third - y_second > 0
    place = second - first
    bars = [numbers(each, "x", "width") for each in shapes(svg, "rect", "band", "own-band")]
    # Each bar is 3 wider on either side, so that a band of one rank is seen.
    assert [wide - 6 for _, wide in bars] == pytest.approx([2 * place, 3 * place], abs=0.2)
    assert [x + 3 for x, _ in bars] == pytest.approx([first, second], abs=0.2)
    assert [each.get("class") for each in shapes(svg, "rect", "band", "own-band")] == ["band", "own-band"]
    said = texts("analyses", "en")
    assert said["picture_sensitivity"] in words_of(svg)
    assert said["picture_not_ranked"].format(cities="d") in words_of(svg)
    assert said["picture_draws"].format(draws="100", seed=7, choices="weights") in words_of(svg)


def track_row(year: int, rank: int | None, gained: int | None = None, **parts: float | None) -> dict[str, Any]:
    band = None if rank is None else float(rank)
    names = {"name_zh": HOSTILE, "name_en": HOSTILE, "rank": rank, "rank_pooled": rank}
    split = {part: parts.get(part) for part in ("own", "others", "method", "revision")}
    return {"year": year, **names, "rank_p05": band, "rank_p95": band, "gained": gained, "from_year": year - 1, **split}


def test_a_year_without_rank_breaks_the_line_and_names_are_escaped() -> None:
    rows = pl.DataFrame([track_row(year, rank) for year, rank in ((2013, 4), (2014, None), (2015, 2), (2016, 1))])
    svg = ranks.draw_rank_years(rows, "zh", 100, 7)
    (line,) = [each.get("d") or "" for each in parsed(svg).iter(f"{SVG}path") if each.get("class") == "own-line"]
    assert (line.count("M"), line.count("L")) == (2, 1)
    heights = [numbers(each, "cy")[0] for each in shapes(svg, "circle", "own")]
    assert heights[0] - heights[1] == pytest.approx(2 * (heights[1] - heights[2]), abs=0.2)
    assert heights == sorted(heights, reverse=True), "a better rank stands higher"
    assert HOSTILE in words_of(svg)[0]
    assert "<b>" not in svg


def test_parts_of_a_change_stack_to_it() -> None:
    parts = {"own": 3.0, "others": -1.5, "method": 0.0, "revision": 0.5}
    rows = pl.DataFrame([track_row(2014, 1, 2, **parts), track_row(2015, None, None)], infer_schema_length=None)
    svg = ranks.draw_rank_changes(rows, "en")
    bars = [numbers(each, "y", "height") for each in shapes(svg, "rect", "c1", "c2", "c3", "c4")]
    point = bars[0][1] / 3
    assert [tall for _, tall in bars] == pytest.approx([3 * point, 1.5 * point, 0.5 * point], abs=0.2)
    (own_top, _), (others_top, _), (revision_top, revision_tall) = bars
    assert revision_top + revision_tall == pytest.approx(own_top, abs=0.1), "gains stand on each other"
    zero = own_top + bars[0][1]
    assert others_top == pytest.approx(zero, abs=0.1), "losses hang below the line"
    (dot,) = shapes(svg, "circle", "ring")
    assert numbers(dot, "cy")[0] == pytest.approx(zero - 2 * point, abs=0.2)
    assert "—" in words_of(svg), "a year without parts is a dash"


def gap_row(kind: str, level: int, code: str, group: str, points: float, gap: float) -> dict[str, Any]:
    name = {"name_zh": code, "name_en": code, "year": 2020}
    return {
        "kind": kind,
        "level": level,
        "code": code,
        "group": group,
        "points": points,
        "points_to": points + gap,
        "gap": gap,
        **name,
    }


def test_a_waterfall_leads_from_one_total_to_the_other() -> None:
    rows = pl.DataFrame(
        [
            gap_row("group", 1, "a", "a", 30.0, 4.0),
            gap_row("group", 2, "a.x", "a", 10.0, 6.0),
            gap_row("group", 2, "a.y", "a", 20.0, -2.0),
            # Half of b is an indicator right below it: its groups do not make it up, so that b stands whole.
            gap_row("group", 1, "b", "b", 20.0, 1.0),
            gap_row("group", 2, "b.x", "b", 20.0, 0.5),
            gap_row("indicator", 2, "b.i", "b", 0.0, 0.5),
        ]
    )
    svg = city.draw_gap(rows, "en", ("one", "two"))
    bars = {
        each.findtext(f"{SVG}title"): numbers(each, "x", "width")
        for each in shapes(svg, "rect", "own", "c2", "c3", "band")
    }
    assert list(bars) == ["one: 50.0", "a.x: +6.0", "b: +1.0", "a.y: −2.0", "two: 55.0"]
    point = bars["a.x: +6.0"][1] / 6
    ends = [sum(place) for place in bars.values()]
    assert ends[1] - ends[0] == pytest.approx(6 * point, abs=0.2)
    assert ends[2] - ends[0] == pytest.approx(7 * point, abs=0.2)
    assert bars["a.y: −2.0"][0] - ends[0] == pytest.approx(5 * point, abs=0.2)
    assert ends[4] - ends[0] == pytest.approx(5 * point, abs=0.2)


def test_inequality_stacks_to_the_ratio() -> None:
    parts = {"gini_within": 0.02, "gini_between": 0.05, "gini_transvariation": 0.03}
    rows = pl.DataFrame(
        [
            {"year": 2013, "by": "region", "gini": 0.1, **parts},
            {"year": 2014, "by": "region", "gini": None, **dict.fromkeys(parts)},
        ]
    )
    bars = [
        numbers(each, "y", "height") for each in shapes(field.draw_inequality(rows, "en"), "rect", "c1", "c2", "c3")
    ]
    whole = sum(tall for _, tall in bars)
    assert [tall / whole for _, tall in bars] == pytest.approx([0.2, 0.5, 0.3], abs=0.005)
    assert bars[2][0] + bars[2][1] == pytest.approx(bars[1][0], abs=0.1)


def test_obstacles_are_the_darker_the_more_and_missing_ones_have_no_cell() -> None:
    cells = [("x", 2013, 0.2), ("x", 2014, 0.4), ("y", 2014, 0.6), ("y", 2013, None)]
    rows = pl.DataFrame(
        [
            {
                "kind": "indicator",
                "level": 2,
                "code": code,
                "group": "g",
                "name_zh": code,
                "name_en": code,
                "year": year,
                "obstacle": share,
            }
            for code, year, share in cells
        ],
        infer_schema_length=None,
    )
    svg = city.draw_obstacles(rows, "en", "Somewhere")
    heat = {each.findtext(f"{SVG}title"): numbers(each, "fill-opacity")[0] for each in shapes(svg, "rect", "heat")}
    assert set(heat) == {"x, 2013: 20.0%", "x, 2014: 40.0%", "y, 2014: 60.0%"}
    assert heat["x, 2013: 20.0%"] < heat["x, 2014: 40.0%"] < heat["y, 2014: 60.0%"]


def test_names_of_the_wheel_do_not_meet() -> None:
    near = [("a", 0.60, 0.40), ("b", 0.61, 0.40), ("c", 0.60, 0.41), ("d", 0.62, 0.41), ("e", 0.9, 0.0)]
    rows = pl.DataFrame(
        [
            {
                "hub": hub,
                "name_zh": "城" * 4,
                "name_en": hub * 8,
                "year": 2020,
                "u_1": u_1,
                "u_2": u_2,
                "coordination": u_2,
                "rank": 1,
            }
            for hub, u_1, u_2 in near
        ]
    )
    for lang in LANGUAGES:
        svg = field.draw_wheel(rows, lang, ("U", "V"), None)
        assert len(shapes(svg, "circle", "dot")) == len(near)
        names = set(rows[f"name_{lang}"])
        beside = [each for each in parsed(svg).iter(f"{SVG}text") if each.text in names and each.get("class") is None]
        boxes = [
            (x, y - 12, x + canvas.breadth(each.text or ""), y + 3)
            for each in beside
            for x, y in [numbers(each, "x", "y")]
        ]
        assert boxes
        for i, one in enumerate(boxes):
            for other in boxes[i + 1 :]:
                assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_an_index_below_zero_goes_left() -> None:
    row = {
        "target": "ranking",
        "name_zh": "全部",
        "name_en": "All",
        "year": 2020,
        "choice_zh": "权重",
        "choice_en": "weights",
    }
    row |= {"between": "a, b", "first_order": -0.1, "first_order_low": -0.2, "first_order_high": 0.0, "total": 0.5}
    row |= {
        "total_low": 0.4,
        "total_high": 0.6,
        "reason": None,
        "reason_zh": None,
        "reason_en": None,
        "runs": 10,
        "seed": 1,
    }
    svg = choices.draw_importance(pl.DataFrame([row]), "en")
    first, total = (numbers(each, "x", "width") for each in shapes(svg, "rect", "c1", "c2"))
    assert sum(first) == pytest.approx(total[0], abs=0.1)
    assert total[1] == pytest.approx(5 * first[1], abs=0.5)


@given(st.text(alphabet="ab cd,武汉碳金融，。（", max_size=60), st.floats(40, 400))
def test_lines_hold_all_words_and_fit(words: str, room: float) -> None:
    lines = canvas.wrap(words, room)
    assert "".join("".join(lines).split()) == "".join(words.split())
    for line in lines:
        # What cannot be broken may be broader: a word, or a character with the mark that closes it.
        if canvas.breadth(line) > room:
            assert len(canvas.wrap(line, 1)) == 1
    short = canvas.shorten(words, room)
    assert short == words or (short.endswith("…") and canvas.breadth(short) <= room)


def test_scales_and_figures() -> None:
    scale = canvas.scale_of(0.0, 9.0, 100, 200)
    assert (scale.at(scale.low), scale.at(scale.high)) == (100, 200)
    assert scale.low <= 0.0
    assert scale.high >= 9.0
    assert [canvas.put(each) for each in (1.0, -0.04, 2.26, 1000.0)] == ["1", "0", "2.3", "1000"]
    assert [canvas.signed(each) for each in (1.26, -0.04, -2.0)] == ["+1.3", "0.0", "−2.0"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_whole_in_both_languages(client: TestClient, name: str, lang: Lang) -> None:
    url = f"/pictures/{name}.svg?hub=wuhan&lang={lang}"
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-language"] == lang
    root = parsed(answer.text)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert (root.get("aria-labelledby") or "").split() == ids
    assert not list(root.iter(f"{SVG}script"))
    assert not re.search(r"href|url\(|@import|\son\w+=", answer.text)
    width, height = numbers(root, "width", "height")
    assert (root.get("viewBox") or "").split() == ["0", "0", canvas.put(width), canvas.put(height)]
    # Words of the other language are not left over.
    other = texts("analyses", "en" if lang == "zh" else "zh")
    own = texts("analyses", lang)
    foreign = {
        other[key] for key in own if key.startswith("picture_") and other[key] != own[key] and "{" not in other[key]
    }
    assert not foreign & set(words_of(answer.text))
    assert client.get(url).content == answer.content
    held = client.get(url, headers={"if-none-match": answer.headers["etag"]})
    assert (held.status_code, held.content) == (304, b"")
    assert client.head(url).headers["etag"] == answer.headers["etag"]


def test_pictures_show_the_rows_of_the_api(client: TestClient, store: Store) -> None:
    rows = client.get("/v1/scores?year=2022").json()
    svg = client.get("/pictures/rank-bands.svg?year=2022&hub=wuhan").text
    stated = [each.findtext(f"{SVG}title") for each in shapes(svg, "circle", "dot", "own")]
    assert stated == [f"{row['name_en']}: {row['rank']}" for row in rows if row["rank"] is not None]
    tracked = tracking.track(store, "open", name="wuhan").sort("year")
    svg = client.get("/pictures/rank-years.svg?hub=wuhan").text
    pooled = [each.findtext(f"{SVG}title") for each in shapes(svg, "circle", "own")]
    known = tracked.filter(pl.col("rank_pooled").is_not_null())
    assert pooled == [f"{year}: {rank}" for year, rank in known.select("year", "rank_pooled").iter_rows()]
    assert queries.hub(store, "wuhan")["name_zh"][0] in client.get("/pictures/scorecard.svg?hub=wuhan&lang=zh").text


def test_what_cannot_be_drawn_is_said(client: TestClient, store: Store) -> None:
    unknown = client.get("/pictures/nope.svg")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")
    assert "rank-bands" in unknown.json()["detail"]
    without = client.get("/pictures/gap.svg")
    assert without.status_code == 422
    assert "hub" in without.json()["detail"]
    assert client.get("/pictures/gap.svg?hub=atlantis").status_code == 404
    assert client.get("/pictures/gap.svg?hub=wuhan&year=1999").status_code == 404
    itself = client.get("/pictures/gap.svg?hub=wuhan&to=武汉")
    assert (itself.status_code, "expected another city" in itself.json()["detail"]) == (422, True)
    assert client.get("/pictures/rank-bands.svg?draws=1000000").status_code == 422
    with pytest.raises(UnknownPicture):
        draw(store, "nope", Wanted("en"))
    with pytest.raises(WithoutCity):
        draw(store, "gap", Wanted("en"))


def test_the_command_writes_what_is_served(run: Run, client: TestClient, tmp_path: Path) -> None:
    out = tmp_path / "wuhan.svg"
    assert run("picture", "gap", "武汉", "--year", "2022", "--lang", "zh", "--out", str(out)) == (0, "", "")
    assert out.read_bytes() == client.get("/pictures/gap.svg?hub=wuhan&year=2022&lang=zh").content
    code, printed, _ = run("picture", "tiers")
    assert (code, printed.encode()) == (0, client.get("/pictures/tiers.svg").content)
    code, _, err = run("picture", "gap")
    assert (code, "expected one, whose picture it is" in " ".join(err.split())) == (2, True)
    code, _, err = run("picture", "nope")
    assert (code, "rank-bands" in err) == (2, True)
    assert run("picture", "tiers", "--out", str(tmp_path))[0] == 2
    assert run("picture", "gap", "atlantis")[0] == 3
    code, help_text, _ = run("picture", "--help")
    assert all(name in " ".join(help_text.replace("│", " ").split()) for name in PICTURES)


def test_answers_are_kept_up_to_a_number() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number

    for number in (*range(70), 69, 0):
        assert keep(("test", number), lambda number=number: make(number)) == number  # type: ignore[misc]
    assert made == [*range(70), 0]
