"""Gives a credential to Git, and to nothing else, for as long as one command of it takes.

It lies in files that only the node's user can read, in memory where the machine has such a folder, and is gone when the
command has ended. No command line and no variable holds it: they name the files. Git takes a password for an address
only where that begins with the credential's prefix, after a redirect too; a key is used only for a connection that is
under it, which is seen to at the connection itself, as submodules may lead anywhere.
"""

import contextlib
import fcntl
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from build.credentials import Credential

SSH: Final = "ssh -oBatchMode=yes"
_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # the folder in it is made with a name of its own and mode 0700
_NAME: Final = "vupdate-git-"
_LEFT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What Git is told: settings for its configuration, and how it connects by SSH. ``own_key``: by that key alone."""

    settings: Mapping[str, str] = field(default_factory=dict)
    ssh: str = SSH
    own_key: bool = False


@contextlib.contextmanager
def presented(credential: Credential | None) -> Iterator[Presented]:
    """What tells Git where ``credential`` is, which is there within the block only.

    Blocks for a few small files: so no cancel comes between their making and their end.
    """
    if credential is None:
        yield Presented()
        return
    with _closed_folder() as folder:
        yield _of_key(credential, folder) if credential.reach.scheme == "ssh" else _of_password(credential, folder)


def _of_password(credential: Credential, folder: Path) -> Presented:
    answer = b"username=%s\npassword=%s\n" % (credential.user.encode(), credential.secret)
    file = _written(folder / "answer", answer)
    helper = f'!f() {{ test "$1" != get || cat {file}; }}; f'
    return Presented(settings={f"credential.{credential.reach.text}.helper": helper})


def _of_key(credential: Credential, folder: Path) -> Presented:
    key = _written(folder / "key", credential.secret.rstrip(b"\n") + b"\n")
    words = [
        *shlex.split(SSH), "-i", key, "-oIdentitiesOnly=yes", "-oIdentityAgent=none", "-oForwardAgent=no",
        "-oControlPath=none", "-oUpdateHostKeys=no", "-oStrictHostKeyChecking=yes",
    ]  # fmt: skip
    if credential.known_hosts:
        known = _written(folder / "known_hosts", credential.known_hosts)
        words += [f"-oUserKnownHostsFile={known}", f"-oGlobalKnownHostsFile={os.devnull}"]
    script = _written(folder / "connect", _connecting(credential, " ".join(words)).encode())
    return Presented(ssh=f"sh {script}", own_key=True)


def _connecting(credential: Credential, with_key: str) -> str:
    """A shell script in the place of ``ssh``: as Git calls it, its last words are the host and what to run there."""
    reach = credential.reach
    place = shlex.quote(f"{reach.user}@{reach.host}" if reach.user else reach.host)
    path = "/".join(reach.path)
    starts = []
    for verb in ("git-upload-pack", "git-receive-pack"):
        for root in ("/", ""):
            start = f"{verb} '{root}{path}"
            starts += [shlex.quote(f"{start}'"), f"{shlex.quote(f'{start}/')}*"] if path else [f"{shlex.quote(start)}*"]
    return f"""port=22 before= place= asked=
for word do
  if [ "$before" = -p ]; then port=$word; fi
  before=$word place=$asked asked=$word
done
case "$asked" in
  *..*|*//*|*/./*|*\\\\*|*%*) ;;
  {"|".join(starts)})
    if [ "$port" = {reach.port} ] && [ "$place" = {place} ]; then exec {with_key} "$@"; fi ;;
esac
exec {SSH} "$@"
"""


def _written(file: Path, content: bytes) -> str:
    """The name of ``file``, for a shell, with ``content`` in it."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    return shlex.quote(os.fspath(file))


@contextlib.contextmanager
def _closed_folder() -> Iterator[Path]:
    """A fresh folder of mode 0700, held by a lock for as long as it is in use, and removed after."""
    parent = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix=_NAME, dir=parent))
    _clear_leftovers(folder)
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _clear_leftovers(fresh: Path) -> None:
    """Remove what killed processes of this user left before ``fresh`` was made: nobody holds its lock any more."""
    present = fresh.stat().st_mtime
    for folder in fresh.parent.glob(f"{_NAME}*"):
        with contextlib.suppress(OSError):
            found = folder.lstat()
            # One that is this young may be about to be locked.
            if found.st_uid != os.getuid() or present - found.st_mtime < _LEFT_SECONDS:
                continue
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)
