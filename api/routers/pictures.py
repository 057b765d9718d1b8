"""The analyses as pictures: SVG made on the server, the same bytes for the same question."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response

from api import DEFAULT_YEAR
from api.answers import answer
from api.bulk_tables import refuse
from api.deps import BaseQuery, StoreDep, YearQuery
from api.lang import Lang
from api.pictures.catalogue import PICTURES, UnknownPicture, Wanted, WithoutCity, draw
from api.tables import PROBLEMS
from green_index.obstacles import LEADER

router = APIRouter(tags=["analyses"])

SVG = "image/svg+xml"
MOST_DRAWS = 16_384
# A picture that somebody opens by itself may run and load nothing.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
_NAMES = ", ".join(f"`{name}`{'' if picture.hub != 'needed' else ' (hub)'}" for name, picture in PICTURES.items())


def _picture(
    request: Request,
    store: StoreDep,
    name: str,
    hub: Annotated[str | None, Query(description="City that is drawn or marked: slug, name or code / 城市")] = None,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
    lang: Annotated[Lang, Query(description="Language of the words / 语言")] = "en",
    to: Annotated[str, Query(description="For `gap`: another city, or `leader` / 对比城市")] = LEADER,
    draws: Annotated[
        int | None, Query(ge=16, le=MOST_DRAWS, description="Of bands and of `importance` / 抽样次数")
    ] = None,
    seed: Annotated[int, Query(ge=0, le=2**32 - 1, description="Of the draws / 随机种子")] = 1,
) -> Response:
    try:
        drawn = draw(store, name, Wanted(lang, hub, year, base, to, draws, seed))
    except UnknownPicture as error:
        raise HTTPException(404, str(error)) from None
    except WithoutCity:
        raise refuse("hub", "nothing", "a city, whose picture it is") from None
    return answer(request, drawn.encode(), SVG, {**_HEADERS, "Content-Language": lang})


router.add_api_route(
    "/pictures/{name}.svg",
    _picture,
    operation_id="getPicture",
    summary="An analysis as a picture",
    description=f"SVG for a page or a report. Names, with (hub) where a city is needed: {_NAMES}. / 分析图（SVG）。",
    response_class=Response,
    responses={200: {"content": {SVG: {"schema": {"type": "string"}}}}, **PROBLEMS},
)
router.add_api_route("/pictures/{name}.svg", _picture, methods=["HEAD"], include_in_schema=False)
