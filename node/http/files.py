"""Sends a file, or a range of it: by the server itself where it can (ASGI ``http.response.pathsend``), else in pieces.

Quart's own file response reads 8 KiB at a time, which is some forty times slower on packs. Pathsend knows no ranges.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import aiofiles
from hypercorn.typing import ASGISendCallable
from quart import Response
from quart.asgi import ASGIHTTPConnection
from quart.typing import ResponseTypes
from quart.utils import encode_headers

from node.http.ranges import Span, UnsatisfiableRangeError, asked_span

_PIECE_BYTES: Final = 1024 * 1024
_EXTENSION: Final = "http.response.pathsend"
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFile:
    """An immutable file. ``etag``: strong (RFC 9110 §8.8.3), without its quotes; another for other bytes."""

    path: Path
    size: int
    etag: str


async def _pieces(path: Path, span: Span) -> AsyncIterator[bytes]:
    async with aiofiles.open(path, "rb") as stream:
        await stream.seek(span.first)
        left = span.size
        while left and (piece := await stream.read(min(left, _PIECE_BYTES))):
            left -= len(piece)
            yield piece


class FileResponse(Response):
    """An immutable file of ``size`` bytes, or ``span`` of it."""

    def __init__(self, path: Path, size: int, headers: Mapping[str, str], *, span: Span | None = None) -> None:
        sent = span or Span(0, size)
        status = 200 if span is None else 206
        super().__init__(_pieces(path, sent), status, mimetype="application/octet-stream", headers=dict(headers))
        self.path = path
        self.is_whole = span is None
        self.content_length = sent.size
        # A slow consumer is no reason to cut the body: Quart's 60 s would.
        self.timeout = None


def file_response(file: ServedFile, asked: Mapping[str, str], added: Mapping[str, str] = _NONE) -> Response:
    """What ``asked``, a request's headers by lower-case name, want of ``file``: all, a range, or one that is not there.

    ``added``: headers of the answer.
    """
    tag = f'"{file.etag}"'
    headers = {**added, "ETag": tag, "Accept-Ranges": "bytes"}
    try:
        span = asked_span(asked, size=file.size, etag=tag)
    except UnsatisfiableRangeError:
        return Response(b"", 416, headers={"Content-Range": f"bytes */{file.size}", "Accept-Ranges": "bytes"})
    if span is not None:
        headers["Content-Range"] = span.content_range(file.size)
    return FileResponse(file.path, file.size, headers, span=span)


class Connection(ASGIHTTPConnection):
    """Quart's connection, which hands whole files to a server that can send them."""

    async def _send_response(self, send: ASGISendCallable, response: ResponseTypes) -> None:
        extensions: dict[str, Any] = self.scope.get("extensions") or {}
        if not isinstance(response, FileResponse) or not response.is_whole or _EXTENSION not in extensions:
            await super()._send_response(send, response)
            return
        start = {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": encode_headers(response.headers),
        }
        await send(start)  # type: ignore[arg-type]  # a plain dictionary of this very form
        await send({"type": _EXTENSION, "path": str(response.path)})  # type: ignore[arg-type]  # not in its types
