"""Runs command lines in this process, as a shell would."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from node.cli import main


class Ran(NamedTuple):
    """What came of a command line."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


Run = Callable[..., Ran]


def shell(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs command lines for the node in ``data``; ``given``: their standard input."""
    monkeypatch.setenv("VUPDATE_DATA", str(data))
    for name in ("VUPDATE_TOKEN", "VUPDATE_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, given: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        capsys.readouterr()
        status = main.main(list(arguments))
        captured = capsys.readouterr()
        return Ran(int(status), captured.out, captured.err)

    return run


def leaves(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all commands below ``command``."""
    below = getattr(command, "commands", None)
    if below is None:
        return [path]
    return [leaf for name, one in below.items() for leaf in leaves(one, (*path, name))]
