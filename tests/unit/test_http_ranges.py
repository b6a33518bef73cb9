"""Files and ranges of them over HTTP: every range that can be asked for is the slice that it names."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quart import Quart, Response, request
from werkzeug.datastructures import Headers

from federation.link.request import joined_headers
from node.http.files import Connection, ServedFile, file_response
from node.http.ranges import Span, UnsatisfiableRangeError, asked_span

TAG = '"abc"'
CONTENT = bytes(range(256)) * 10


def span(text: str, size: int = 100, **more: str) -> Span | None:
    return asked_span(
        {"range": text, **{name.replace("_", "-"): value for name, value in more.items()}}, size=size, etag=TAG
    )


@given(st.integers(0, 300), st.integers(0, 320), st.integers(0, 320))
def test_a_range_is_the_slice_that_it_names(size: int, first: int, last: int) -> None:
    """From a first byte, to a last byte, or the last bytes of the file; outside of it there is nothing."""
    content = bytes(n % 256 for n in range(size))
    for text, slice_ in (
        (f"bytes={first}-", content[first:]),
        (f"bytes={first}-{last}", content[first : last + 1]),
        (f"bytes=-{last}", content[-last:] if last else b""),
    ):
        try:
            found = span(text, size)
        except UnsatisfiableRangeError:
            assert not slice_
            continue
        if found is None:  # backwards, or all of nothing
            assert first > last or not size
        else:
            assert found.size > 0
            assert content[found.first : found.first + found.size] == slice_
            assert found.content_range(size) == f"bytes {found.first}-{found.first + len(slice_) - 1}/{size}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=1-2,4-5",
        "bytes=1-2, 4-5",
        "bytes=5-4",
        "bytes=+1-2",
        "bytes=1 -2",
        "bytes=0x1-2",
        "bytes=1-2-3",
        "bytes=1.0-2",
        "words=1-2",
        "bytes 1-2/3",
        "bytes=٣-٤",
        "bytes=1-" + "9" * 30,
        "x" * 10_000,
    ],
)
def test_what_is_no_single_range_is_passed_over(text: str) -> None:
    """The whole file is due then: no error, and nothing of it is guessed."""
    assert span(text) is None


@given(st.text(max_size=60))
def test_no_range_header_does_harm(text: str) -> None:
    """Whatever it says, the answer is the whole, a part that exists, or that there is none."""
    try:
        found = span(text)
    except UnsatisfiableRangeError:
        return
    assert found is None or 0 <= found.first < found.first + found.size <= 100


def test_a_range_counts_only_for_the_file_it_was_meant_for() -> None:
    """``If-Range`` has to be this very entity tag; a weak one, a date and another file's mean: the whole."""
    assert span("bytes=1-2", if_range=TAG) == Span(1, 2)
    for other in ('"other"', f"W/{TAG}", "abc", "Sun, 06 Nov 1994 08:49:37 GMT", ""):
        assert span("bytes=1-2", if_range=other) is None
        assert span("bytes=1000-", if_range=other) is None


def app_of(path: Path) -> Quart:
    app = Quart("test")
    app.asgi_http_class = Connection
    file = ServedFile(path=path, size=path.stat().st_size, etag="abc")

    @app.get("/file")
    async def _file() -> Response:
        return file_response(file, joined_headers(request.headers.items()), {"Vupdate-Pack-Base": "x"})

    return app


async def get(app: Quart, **headers: str) -> tuple[int, Headers, bytes]:
    answer = await app.test_client().get("/file", headers={name.replace("_", "-"): v for name, v in headers.items()})
    return answer.status_code, answer.headers, await answer.get_data(as_text=False)


@pytest.fixture
def app(tmp_path: Path) -> Quart:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return app_of(path)


async def test_the_whole_file_tells_how_to_go_on(app: Quart) -> None:
    """Its entity tag, its length, and that ranges are understood."""
    status, headers, body = await get(app)
    assert (status, body) == (200, CONTENT)
    assert headers["ETag"] == TAG
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Content-Length"] == str(len(CONTENT))
    assert headers["Vupdate-Pack-Base"] == "x"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, len(CONTENT) + 10), st.integers(0, len(CONTENT) + 10))
async def test_a_part_is_sent_as_such(tmp_path_factory: pytest.TempPathFactory, first: int, last: int) -> None:
    """With its place, its own length, the entity tag and what belongs to the whole."""
    path = tmp_path_factory.getbasetemp() / "ranged"
    path.write_bytes(CONTENT)
    status, headers, body = await get(app_of(path), Range=f"bytes={first}-{last}", If_Range=TAG)
    if first > last:
        assert (status, body) == (200, CONTENT)
    elif first >= len(CONTENT):
        assert (status, body) == (416, b"")
        assert headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    else:
        assert (status, body) == (206, CONTENT[first : last + 1])
        assert headers["Content-Range"] == f"bytes {first}-{first + len(body) - 1}/{len(CONTENT)}"
        assert headers["Content-Length"] == str(len(body))
        assert headers["ETag"] == TAG
        assert headers["Vupdate-Pack-Base"] == "x"


async def test_two_range_lines_are_two_ranges(app: Quart) -> None:
    """They are one list by HTTP's rules, and so passed over."""
    client = app.test_client()
    answer = await client.get("/file", headers=Headers([("Range", "bytes=0-1"), ("Range", "bytes=2-3")]))
    assert answer.status_code == 200


async def test_a_server_that_can_send_files_gets_whole_ones_only(app: Quart, tmp_path: Path) -> None:
    """It is told the path; a range is never left to it, because it would send all."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    body = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        return next(body, None) or await asyncio.Event().wait()

    def scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/file",
            "raw_path": b"/file",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"x"), *headers],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 1),
            "extensions": {"http.response.pathsend": {}},
        }

    await app(scope(), receive, send)  # type: ignore[arg-type]
    assert sent[-1] == {"type": "http.response.pathsend", "path": str(tmp_path / "file")}
    sent.clear()
    body = iter([{"type": "http.request", "body": b"", "more_body": False}])
    await app(scope((b"range", b"bytes=10-19")), receive, send)  # type: ignore[arg-type]
    assert b"".join(message.get("body", b"") for message in sent) == CONTENT[10:20]
    assert sent[0]["status"] == 206
