"""Sends a file by the server itself where it can (ASGI ``http.response.pathsend``), else in large pieces.

Quart's own file response reads 8 KiB at a time, which is some forty times slower on packs.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiofiles
from hypercorn.typing import ASGISendCallable
from quart import Response
from quart.asgi import ASGIHTTPConnection
from quart.typing import ResponseTypes
from quart.utils import encode_headers

_PIECE_BYTES: Final = 1024 * 1024
_EXTENSION: Final = "http.response.pathsend"


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    async with aiofiles.open(path, "rb") as stream:
        while piece := await stream.read(_PIECE_BYTES):
            yield piece


class FileResponse(Response):
    """The whole of an immutable file."""

    def __init__(self, path: Path, size: int, headers: dict[str, str]) -> None:
        super().__init__(_pieces(path), mimetype="application/octet-stream", headers=headers)
        self.path = path
        self.content_length = size
        # A slow consumer is no reason to cut the body: Quart's 60 s would.
        self.timeout = None


class Connection(ASGIHTTPConnection):
    """Quart's connection, which hands ``FileResponse`` to a server that can send files."""

    async def _send_response(self, send: ASGISendCallable, response: ResponseTypes) -> None:
        extensions: dict[str, Any] = self.scope.get("extensions") or {}
        if not isinstance(response, FileResponse) or _EXTENSION not in extensions:
            await super()._send_response(send, response)
            return
        start = {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": encode_headers(response.headers),
        }
        await send(start)  # type: ignore[arg-type]  # a plain dictionary of this very form
        await send({"type": _EXTENSION, "path": str(response.path)})  # type: ignore[arg-type]  # not in its types
