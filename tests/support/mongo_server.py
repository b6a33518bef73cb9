"""A MongoDB server for tests: what ``VUPDATE_TEST_MONGO_URL`` names, or ``nx-27017`` on a free loopback port."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pymongo
import pytest

_START_SECONDS = 30
_END_SECONDS = 10
_PROGRAM = "import sys; from nx_27017 import main; sys.exit(main())"


@contextmanager
def mongo_server(folder: Path) -> Iterator[str]:
    """The server's address; the one started here keeps its files in ``folder`` and ends with the block."""
    given = os.environ.get("VUPDATE_TEST_MONGO_URL")
    if given:
        yield given
        return
    if importlib.util.find_spec("nx_27017") is None:
        pytest.skip("nx-27017 is not installed and VUPDATE_TEST_MONGO_URL is not set")
    port = _free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _PROGRAM, "--data-dir", str(folder), "--host", "127.0.0.1", "--port", str(port)),
            *("--log-file", str(folder / "log"), "--pid-file", str(folder / "pid")),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _wait_until_it_listens(process)
        yield f"mongodb://127.0.0.1:{port}/"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_END_SECONDS)
        assert process.stderr is not None
        process.stderr.close()


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The address of a database of its own on ``server``; it is gone after the block."""
    name = f"vupdate_test_{uuid.uuid4().hex[:12]}"
    yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    with pymongo.MongoClient[dict[str, Any]](server, timeoutMS=10_000) as client:
        client.drop_database(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_listens(process: "subprocess.Popen[bytes]") -> None:
    """Returns once the server says so; goes on emptying what it writes, lest it stop at a full pipe."""
    listens = threading.Event()
    lines: list[bytes] = []

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            if not listens.is_set():
                lines.append(line)
            if b"Listening on" in line:
                listens.set()
        listens.set()

    threading.Thread(target=read, daemon=True).start()
    if not listens.wait(_START_SECONDS) or process.poll() is not None:
        pytest.fail(f"nx-27017 did not start: {b''.join(lines[-20:]).decode(errors='replace')}")
