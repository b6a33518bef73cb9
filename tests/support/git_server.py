"""A Git server on loopback: Git's own ``http-backend`` over TLS, behind a password; and a ``ssh`` that records.

The certificate is of an authority of the test's own, which Git trusts by ``GIT_SSL_CAINFO``.
"""

import base64
import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.tls_peers import HOST, Authority

BACKEND = Path(
    subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip(),
    "git-http-backend",
)
USER, PASSWORD = "shop-robot", "s3same-öpen"


@dataclass
class GitServer:
    """What it serves: the repositories below ``root``. ``asked``: each request's path and who asked, if anybody.

    ``public``: whether it lets everybody in; ``host``: whose its certificate is.
    """

    root: Path
    authority: Authority
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    echo: bool = False
    password: str = PASSWORD
    public: bool = False
    host: str = "localhost"

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        given = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        self.asked.append((request.path, given))
        length = int(request.headers.get("Content-Length", "0"))
        body = request.rfile.read(length) if length else _chunks(request)
        for start, to in self.redirects.items():
            if request.path.startswith(start):
                return _reply(request, 301, {"Location": to + request.path.removeprefix(start)}, b"")
        if not self.public and given != f"{USER}:{self.password}":
            told = f"not let in: {request.headers.get('Authorization')} {given}".encode() if self.echo else b"no"
            headers = {"WWW-Authenticate": 'Basic realm="git"', "Content-Type": "text/plain"}
            return _reply(request, 403 if given and self.echo else 401, headers, told)
        return self._served(request, body)

    def _served(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        path, _, query = request.path.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "REMOTE_USER": USER,
            "REQUEST_METHOD": request.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run([str(BACKEND)], input=body, env=env, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        _reply(request, int(headers.pop("Status", "200").split()[0]), headers, content)


def _chunks(request: BaseHTTPRequestHandler) -> bytes:
    body = b""
    if request.headers.get("Transfer-Encoding") == "chunked":
        while size := int(request.rfile.readline(), 16):
            body += request.rfile.read(size)
            request.rfile.readline()
        request.rfile.readline()
    return body


def _reply(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], content: bytes) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


@contextlib.contextmanager
def serving(
    root: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority | None = None, *, host: str = "localhost"
) -> Iterator[GitServer]:
    """A server of the repositories below ``root``; this process's Git trusts ``authority``, one of its own if none."""
    authority = authority or Authority()
    told = GitServer(root, authority, host=host)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told.answer(self)

        do_POST = do_GET  # noqa: N815  # the name that the base class calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    server.socket = authority.issue(host).context().wrap_socket(server.socket, server_side=True)
    told.port = server.server_port
    bundle = root / "authority.pem"
    bundle.write_bytes(authority.certificate)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(bundle))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class FakeSsh:
    """A program ``ssh`` that writes down how it was called, shows the key it was given, and serves from ``root``."""

    folder: Path

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        file = self.folder / "calls"
        texts = file.read_text().split("\0\n") if file.exists() else []
        return [text.split("\0") for text in texts if text]

    @property
    def keys(self) -> str:
        """The files that were named by ``-i``, with their modes, one after the other."""
        file = self.folder / "keys"
        return file.read_text() if file.exists() else ""


def fake_ssh(folder: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSsh:
    """Put a ``FakeSsh`` first on this process's PATH; it serves the repositories below ``root``."""
    folder.mkdir()
    program = folder / "ssh"
    program.write_text(f"""#!/bin/sh
for word do printf '%s\\0' "$word" >> {folder}/calls; done
printf '\\n' >> {folder}/calls
before=
for word do
  case "$before" in -i) stat -c %a "$word" "$(dirname "$word")" >> {folder}/keys; cat "$word" >> {folder}/keys ;; esac
  before=$word
done
verb=${{word%% *}}
path=${{word#* \\'}}
exec "$verb" "{root}/${{path%\\'}}"
""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return FakeSsh(folder)
