"""Services as they come: written in several languages, well and badly behaved. Each is the files of a version."""

import subprocess
from pathlib import Path
from typing import Final

from tests.support.agent_node import Files
from tests.support.agent_services import service_file

_HEALTH: Final = 'http = "http://127.0.0.1:{port}/health"\n'

_PYTHON: Final = """#!/usr/bin/env python3
import http.server, os

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(7)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"python VERSION")

http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Page).serve_forever()
"""

_NODE: Final = """#!/usr/bin/env node
require("http").createServer((request, answer) => {
  if (request.url === "/crash") setImmediate(() => { throw new RangeError("asked to crash"); });
  answer.end("node VERSION");
}).listen(PORT, "127.0.0.1");
"""

_C: Final = """
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  int door = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(door, (struct sockaddr *)&here, sizeof here) || listen(door, 16)) return 98;
  for (;;) {
    char asked[2048] = {0};
    int guest = accept(door, 0, 0);
    if (read(guest, asked, sizeof asked - 1) > 0 && strstr(asked, "/crash")) *(volatile int *)8 = 1;
    const char *said = "HTTP/1.0 200 OK\\r\\n\\r\\nc VERSION";
    if (write(guest, said, strlen(said)) < 0) return 1;
    close(guest);
  }
}
"""

_DOUBLE_FORK: Final = """#!/bin/sh
echo parent VERSION
( setsid sh -c 'trap "" TERM HUP; while :; do sleep 0.5; done' & )
( setsid setsid sh -c 'exec env -i sleep 1000' & )
exec sleep 1000
"""

_DEAF: Final = """#!/bin/sh
trap "" TERM INT HUP
echo deaf VERSION
while :; do sleep 0.2; done
"""


def _filled(source: str, port: int, version: str) -> str:
    return source.replace("PORT", str(port)).replace("VERSION", version)


def python_web(port: int, version: str) -> Files:
    """A web application in Python."""
    return _web('["./app.py"]', {"app.py*": _filled(_PYTHON, port, version)}, port)


def node_web(port: int, version: str) -> Files:
    """A web application in JavaScript."""
    return _web('["./app.js"]', {"app.js*": _filled(_NODE, port, version)}, port)


def compiled_web(port: int, version: str, work: Path) -> Files:
    """A program in C that answers HTTP, compiled here."""
    source, program = work / "server.c", work / "server"
    source.write_text(_filled(_C, port, version))
    subprocess.run(["gcc", "-O1", "-o", program, source], check=True)
    return _web('["./server"]', {"server*": program.read_bytes()}, port)


def _web(command: str, files: Files, port: int) -> Files:
    return {**files, "vupdate.toml": service_file("web", command, health=_HEALTH.format(port=port))}


def double_fork(version: str) -> Files:
    """A script that leaves children behind in sessions of their own, one of them with an empty environment."""
    return {"run*": _filled(_DOUBLE_FORK, 0, version), "vupdate.toml": service_file("web", '["./run"]')}


def deaf(version: str) -> Files:
    """A script that ignores every request to stop."""
    return {"run*": _filled(_DEAF, 0, version), "vupdate.toml": service_file("web", '["./run"]')}


def flood() -> Files:
    """A service that writes numbered lines as fast as it can."""
    more = 'logs = { max_file = "2MB", files = 3 }'
    return {"run*": "#!/bin/sh\nexec seq 1 1000000000\n", "vupdate.toml": service_file("web", '["./run"]', more=more)}
