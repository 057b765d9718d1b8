"""Answering a request for bytes as RFC 9110 asks: an entity tag, "not modified", and one byte range.

Knows HTTP headers. Knows no resource and no format.
"""

import hashlib
import re
from http import HTTPStatus
from typing import Final

from fastapi import Request, Response

from api.errors import problem_response

# A position of more digits than any content has bytes is ignored like a range that is none.
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def answer(request: Request, content: bytes, media_type: str, headers: dict[str, str] | None = None) -> Response:
    """The content with its ETag; 304 where the client holds it already, 206 for one byte range that it asks for, 416
    for a range beyond the end. Several ranges at once are answered whole, as the standard allows.
    """
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    common = {**(headers or {}), "ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "no-cache"}
    held = request.headers.get("if-none-match", "")
    if tag in held or held.strip() == "*":
        return Response(status_code=304, headers=common)
    span = _asked_range(request.headers.get("range", ""), len(content))
    if span is None:
        return Response(content, media_type=media_type, headers=common)
    first, last = span
    if first > last or first >= len(content):
        found = request.headers["range"]
        detail = f"found {found}; the content has {len(content)} bytes"
        refusal = problem_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, detail, request.url.path)
        refusal.headers["Content-Range"] = f"bytes */{len(content)}"
        return refusal
    part = {**common, "Content-Range": f"bytes {first}-{last}/{len(content)}"}
    return Response(content[first : last + 1], status_code=206, media_type=media_type, headers=part)


def _asked_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte asked for; None without one single, well-formed range, which the standard says to ignore."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        return max(size - int(last), 0), size - 1
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last), size - 1) if last else size - 1
