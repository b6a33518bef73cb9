"""A real OpenSSH server on loopback that lets one key in, as the user that runs the tests."""

import contextlib
import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin")
_START_SECONDS = 10.0


@dataclass(frozen=True)
class SshServer:
    """``key``: what it lets in; ``known_hosts``: its own key, as ``ssh-keyscan`` writes it."""

    folder: Path
    port: int

    @property
    def prefix(self) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"

    @property
    def key(self) -> bytes:
        return (self.folder / "user").read_bytes()

    @property
    def known_hosts(self) -> bytes:
        return f"[127.0.0.1]:{self.port} {(self.folder / 'host.pub').read_text()}".encode()


def new_key(file: Path) -> bytes:
    """A fresh private key at ``file``."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file], check=True)
    return file.read_bytes()


@contextlib.contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """One that keeps what it needs in ``folder``."""
    assert SSHD is not None
    folder.mkdir()
    new_key(folder / "host")
    new_key(folder / "user")
    (folder / "allowed").write_text((folder / "user.pub").read_text())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/allowed\n"
        f"PidFile {folder}/pid\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "config"], stderr=log)
    try:
        _await(port, process)
        yield SshServer(folder, port)
    finally:
        process.terminate()
        process.wait()


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, "sshd ended"
        assert time.monotonic() < deadline, "sshd does not listen"
        time.sleep(0.02)
