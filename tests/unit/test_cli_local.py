"""Commands that need no node: help, making one, and what is said where there is none."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.main import get_command

from node.cli import main
from node.cli.exits import MEANINGS
from tests.support.cli import Run, leaves, shell

ALL = leaves(get_command(main.make_app()))


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A shell for the data folder of this test."""
    return shell(tmp_path, capsys, monkeypatch)


def nouns() -> list[tuple[str, ...]]:
    return sorted({path[:-1] for path in ALL})


@pytest.mark.parametrize("path", [*ALL, *nouns()], ids=" ".join)
def test_the_help_of_each_command_shows_an_example(path: tuple[str, ...], run: Run) -> None:
    """Each help has examples, and each command says that it can print JSON."""
    ran = run(*path, "--help")
    assert ran.status == 0
    assert "Examples:\n  " in ran.out
    if path in ALL:
        assert "--json" in ran.out
        assert f"vupdate {' '.join(path)}".replace("enroll", "enrol") in ran.out


def test_making_a_node_never_overwrites_one(run: Run, tmp_path: Path) -> None:
    """A second init is refused, and key and settings stay as they were."""
    made = run("init", "--name", "acme", "--port", "7421", "--json")
    assert made.status == 0
    assert made.json["url"] == "http://127.0.0.1:7421"
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = run("init", "--name", "other")
    assert again.status == 5
    assert "there is a node in" in again.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_node_with_a_bad_name_is_not_made(run: Run, tmp_path: Path) -> None:
    """The name is checked before anything is written."""
    ran = run("init", "--name", "../etc")
    assert ran.status == 2
    assert "is not a node name" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_serving_without_a_node_says_how_to_make_one(run: Run) -> None:
    """Who starts at the wrong end is led to the right one."""
    ran = run("serve")
    assert ran.status == 6
    assert "make one with 'vupdate init --name NAME'" in ran.err


def test_an_agent_without_a_node_says_so(run: Run, tmp_path: Path) -> None:
    """Running and asking an agent that was never enrolled is explained."""
    home = str(tmp_path / "agent")
    for command in ("run", "status"):
        ran = run("agent", command, "--home", home)
        assert ran.status == 1
        assert ran.err.startswith("vupdate: ")
        assert "enrol" in ran.err


def test_an_unexpected_error_is_told_in_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours shows no traceback unless it is asked for, and never passes for success."""
    client = import_module("node.cli.client")
    monkeypatch.setattr(client, "find_access", lambda *_: 1 // 0)
    ran = run("status")
    assert ran.status == 1
    assert "ZeroDivisionError" in ran.err
    assert "VUPDATE_DEBUG=1" in ran.err
    monkeypatch.setenv("VUPDATE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run("status")


def test_the_help_is_there_at_once() -> None:
    """The heavy libraries are not loaded to show a help."""

    heavy = {"strawberry", "quart", "granian", "motor", "aiohttp", "rich", "msgspec", "cryptography", "git", "graphql"}
    code = "import sys, node.cli.main as m; m.make_app(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert heavy & set(done.stdout.split()) == set()


def test_the_documentation_knows_each_status_and_each_command() -> None:
    """docs/cli.md holds the table of the help, and names every verb under its noun."""
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    for status, meaning in MEANINGS.items():
        assert f"| {int(status):>3} | {meaning} |" in page
    rows = [line for line in page.splitlines() if line.startswith("| `vupdate ")]
    for noun, *verb in ALL:
        of_noun = [row for row in rows if f"`vupdate {noun}" in row]
        assert of_noun, noun
        assert not verb or verb == ["enroll"] or any(f"{verb[-1]}`" in row for row in of_noun), (noun, *verb)
