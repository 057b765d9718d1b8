"""How large the body of a request may be.

Knows ASGI messages and one number. Knows no route. What is too large is refused before it is read, or as soon as it
turns out to be.
"""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem_response

__all__ = ["BodyLimit"]


class BodyLimit:
    """Middleware that answers 413 to a body of more than `most` bytes."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, counting what its body brings."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = dict(scope["headers"]).get(b"content-length", b"")
        detail = f"the body is larger than {self.most} bytes"
        if said.isdigit() and int(said) > self.most:
            refusal = problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, scope["path"])
            await refusal(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
            return message

        await self.app(scope, counted, send)
