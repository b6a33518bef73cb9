"""Fetches a file of any size from a peer: continues after a break, in the same call or in a later process.

Decides what may be continued and when to give up; how a request is made is the client's, how the file lies on the disk
``landing``'s. Continuing rests on a strong entity tag (RFC 9110 §8.8.3, §13.1.5, §14): without one, or under another
one than before, the file starts over. What the bytes are worth, the caller verifies.
"""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from federation.backoff import Backoff
from federation.errors import DiskFullError, OversizedError, RemoteError, TamperedError, UnreachableError
from federation.limits import KIB
from federation.link.answers import PeerError
from federation.link.landing import Landing

PROGRESS_BYTES: Final = 64 * KIB
"""An attempt that brings less counts as none: a peer can't hold a caller by a byte now and then."""

TRIES: Final = 6
"""So many attempts in a row may bring nothing before the call gives up; what came is kept for a later one."""

FIRST_PAUSE_SECONDS: Final = 0.3
MOST_PAUSE_SECONDS: Final = 15.0

_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]{1,200}"', re.ASCII)
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", re.ASCII)
_PARTIAL: Final = 206
_UNSATISFIABLE: Final = "http-416"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """A download that is whole and on disk: its size and the last answer's headers (names in any case).

    ``repeated_bytes``: what came besides: twice, or as a part of something that was another one by then.
    """

    bytes: int
    headers: Mapping[str, str]
    repeated_bytes: int = 0

    @property
    def moved_bytes(self) -> int:
        """All that came for it."""
        return self.bytes + self.repeated_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A good answer. ``length``: bytes announced; ``pieces``: the body, refused when it is over so many bytes."""

    status: int
    headers: Mapping[str, str]
    length: int | None
    pieces: Callable[[int], AsyncGenerator[bytes, None]]


Ask = Callable[[Mapping[str, str]], AbstractAsyncContextManager[Answer]]
"""Makes the request anew, with these headers added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How to go on after a break. ``sleep`` is handed in by tests."""

    backoff: Backoff
    tries: int = TRIES
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep


def usual_patience() -> Patience:
    """Pauses of up to 0.3 s at first and 15 s later."""
    return Patience(backoff=Backoff(FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS, random.SystemRandom()))


async def in_thread(work: Callable[[], _T]) -> _T:
    """Run ``work`` in a thread and wait for its end even when cancelled: no thread may outlive the file it writes."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        raise


@dataclass(frozen=True, slots=True)
class _Span:
    """What one answer brings: the bytes from ``first`` on, before ``end``, of ``total``; None: until it is over."""

    first: int
    end: int | None
    total: int | None
    overlap: bytes = b""
    """What it begins with if it goes on with what is here."""


def _strong_tag(headers: Mapping[str, str]) -> str:
    tag = headers.get("ETag", "")
    return tag if _STRONG_TAG.fullmatch(tag) else ""


class Download:
    """One file on its way to ``target``. ``origin``: the peer's id and the request; ``url``: the same for people."""

    def __init__(self, ask: Ask, target: Path, *, origin: str, url: str, most_bytes: int, patience: Patience) -> None:
        self._ask = ask
        self._url = url
        self._most = most_bytes
        self._patience = patience
        self._landing = Landing(target, origin)
        self._received = 0
        self._continued = 0

    async def run(self) -> Downloaded:
        """Fetch it; ``target`` appears whole and synced, or not at all.

        Raises:
            UnreachableError: no connection, or it keeps breaking; what came is kept for the next call.
            TamperedError, OversizedError: a lying answer; nothing is kept.
            DiskFullError: no room; nothing is kept.
            ConflictError: somebody fetches it already.
        """
        await in_thread(self._landing.look)
        self._continued = self._landing.size
        try:
            headers = await self._insistently()
            await in_thread(self._landing.finish)
        except (TamperedError, OversizedError, DiskFullError):
            await in_thread(self._landing.discard)
            raise
        except BaseException:
            await in_thread(self._landing.pause)
            raise
        size = self._landing.size
        return Downloaded(bytes=size, headers=headers, repeated_bytes=self._continued + self._received - size)

    async def _insistently(self) -> Mapping[str, str]:
        """The headers of the answer that completed the file."""
        in_vain = 0
        while True:
            before = self._received
            try:
                headers = await self._attempt()
            except UnreachableError:
                if not self._received or not self._landing.etag or in_vain >= self._patience.tries:
                    raise
            else:
                if headers is not None:
                    return headers
                if in_vain >= self._patience.tries:
                    raise UnreachableError(f"{self._url} is answered in pieces that lead nowhere: given up for now")
            in_vain = 0 if self._received - before >= PROGRESS_BYTES else in_vain + 1
            await self._patience.sleep(self._patience.backoff.delay(in_vain))

    async def _attempt(self) -> Mapping[str, str] | None:
        """Ask once and take what comes; None: not all of it yet."""
        # The last byte that is here is asked for again: so there is always one to ask for, and one to compare.
        first = max(0, self._landing.size - 1)
        wanted = {"Range": f"bytes={first}-", "If-Range": self._landing.etag} if first else {}
        try:
            async with self._ask(wanted) as answer:
                span = await self._begun(answer, first if wanted else None)
                await self._take(answer, span)
        except PeerError as error:
            if wanted and error.remote_code == _UNSATISFIABLE:  # it is another file by now, and shorter
                await in_thread(self._landing.discard)
                return None
            raise
        if span.total is not None and self._landing.size < span.total:
            return None
        return answer.headers

    async def _begun(self, answer: Answer, asked: int | None) -> _Span:
        """Make ready for the body of ``answer``, the answer to a request for all from byte ``asked`` on."""
        if answer.status != _PARTIAL:
            if (answer.length or 0) > self._most:
                raise OversizedError(f"{self._url}: {answer.length} bytes announced, {self._most} are the bound")
            tag, length = _strong_tag(answer.headers), answer.length
            await in_thread(lambda: self._landing.begin(tag, length))
            return _Span(0, length, length)
        span = self._partial(answer, asked)
        return replace(span, overlap=await in_thread(self._landing.go_on))

    def _partial(self, answer: Answer, asked: int | None) -> _Span:
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if found is None or asked is None:
            raise TamperedError(f"{self._url} was answered by a part that nobody asked for: refused")
        first, last, total = map(int, found.groups())
        known = self._landing.total
        if first != asked or not first <= last < total or known not in (None, total):
            raise TamperedError(f"{self._url} was answered by another part than was asked for: refused")
        if _strong_tag(answer.headers) != self._landing.etag:
            raise TamperedError(f"{self._url} was answered by a part of another file than was asked for: refused")
        if answer.length not in (None, last + 1 - first):
            raise TamperedError(f"{self._url} was answered by a part of another length than it says: refused")
        if total > self._most:
            raise OversizedError(f"{self._url}: {total} bytes announced, {self._most} are the bound")
        return _Span(first, last + 1, total)

    async def _take(self, answer: Answer, span: _Span) -> None:
        most = self._most if span.end is None else span.end - span.first
        async with contextlib.aclosing(answer.pieces(most)) as pieces:
            overlap = span.overlap
            async for piece in pieces:
                self._received += len(piece)
                if not piece.startswith(overlap):
                    raise TamperedError(f"{self._url} was answered by a part that does not fit what came: refused")
                await in_thread(partial(self._landing.append, piece[len(overlap) :]))
                overlap = b""
        if span.end is not None and self._landing.size < span.end:
            raise UnreachableError(f"{self._url}: the answer ended early")


def check_status(status: int, url: str) -> None:
    """Let pass what brings a file.

    Raises:
        RemoteError: an answer without one.
    """
    if status not in (200, _PARTIAL):
        raise RemoteError(f"{url} answered with status {status} where a file is due: refused")
