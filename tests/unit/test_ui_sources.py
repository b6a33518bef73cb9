"""What the page's sources promise to the rest of the repository."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import typer

from node.cli.main import make_app

UI: Final = Path(__file__).resolve().parents[2] / "ui"
_COMMAND: Final = re.compile(r"['`]vupdate ([a-z][^'`]*)['`]")
_HOST: Final = re.compile(r"https?://|//[a-z0-9-]+\.[a-z]")


def _command_lines() -> list[str]:
    texts = [path.read_text(encoding="utf-8") for path in (UI / "src" / "texts").glob("*.ts")]
    return sorted({line for text in texts for line in _COMMAND.findall(text)})


@pytest.mark.parametrize("line", _command_lines())
def test_each_command_that_the_page_names_exists(line: str) -> None:
    """What the page tells people to type is a command of vupdate, with its options."""
    # Typer brings its own copy of click's classes: a group is what has commands.
    command: Any = typer.main.get_command(make_app())
    words = line.split()
    while hasattr(command, "commands") and words:
        name = words.pop(0)
        assert name in command.commands, f"vupdate {line}: there is no {name}"
        command = command.commands[name]
    assert not hasattr(command, "commands") or command.invoke_without_command, f"vupdate {line}: lacks its verb"
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
    arguments = [one for one in command.params if one.param_type_name == "argument" and one.required]
    values = [word for word in words if not word.startswith("--")]
    assert len(values) >= len(arguments), f"vupdate {line}: lacks an argument"


def test_the_page_asks_no_other_host() -> None:
    """No address of another host stands in what is served beside the bundle, and the lock file names no registry."""
    for path in [UI / "index.html", *(UI / "public").glob("*.js"), *(UI / "src").rglob("*.css")]:
        assert not _HOST.search(path.read_text(encoding="utf-8")), path.name
    lock = (UI / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "registry" not in lock.replace("omit-lockfile-registry-resolved", "")
