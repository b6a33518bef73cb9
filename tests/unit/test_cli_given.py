"""What the commands take from files and standard input, and where they put what is secret."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Run, shell
from tests.support.graphql_answers import answers
from tests.support.graphql_server import running
from tests.support.graphql_usecases import FakeUsecases


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A shell for the data folder of this test."""
    return shell(tmp_path, capsys, monkeypatch)


@pytest.fixture
def node(tmp_path: Path) -> Any:
    """A node that runs for the data folder of this test."""
    with running(FakeUsecases(answers()), tmp_path) as node:
        yield node


@pytest.mark.parametrize("command", [["provider", "add"], ["agent", "enrol"]])
def test_a_secret_on_the_command_line_is_refused(run: Run, node: object, command: list[str]) -> None:
    """Others could read it there; the refusal says so and does not repeat it."""
    ran = run(*command, "vui1:TOPSECRET")
    assert ran.status == 2
    assert "is not taken as an argument" in ran.err
    assert "TOPSECRET" not in ran.err + ran.out


def test_an_invitation_comes_from_a_file_or_from_standard_input(run: Run, tmp_path: Path) -> None:
    """Both ways work; an empty, missing or endless one is refused."""
    usecases = FakeUsecases(answers())
    file = tmp_path / "invitation.txt"
    file.write_text("  vui1:FILE\n")
    with running(usecases, tmp_path):
        assert run("provider", "add", "--file", str(file), "--auto", "download").status == 0
        ran = run("provider", "add", given="vui1:INPUT\n")
        assert "acme is a provider of this node now" in ran.out
        assert "no invitation" in run("provider", "add", given=" \n").err
        assert "longer than 4096" in run("provider", "add", given="x" * 5000).err
        assert "No such file" in run("provider", "add", "--file", str(tmp_path / "none")).err
        (tmp_path / "binary").write_bytes(b"\xff\xfe")
        assert "it is not text" in run("provider", "add", "--file", str(tmp_path / "binary")).err
    accepted = [call for call in usecases.calls if call.startswith("Links.accept")]
    assert [call.split("text=")[1].split(",")[0] for call in accepted] == ["vui1:FILE", "vui1:INPUT"]
    assert "AutoUpdate.DOWNLOAD" in accepted[0]


def test_secrets_stay_out_of_standard_error(run: Run, node: object) -> None:
    """What is shown once goes to standard output alone, so that it can go into a file and into no log."""
    for command in ("login", "invite public", "agent enrolment web-1"):
        ran = run(*command.split())
        assert "SECRET" in ran.out
        assert len(ran.out.splitlines()) == 1
        assert "SECRET" not in ran.err


def test_the_files_of_a_fault_are_written_once(run: Run, node: object, tmp_path: Path) -> None:
    """For the caller alone to read, and never over a file that is there."""
    target = tmp_path / "fault.tar.gz"
    command = ("faults", "files", "6f1c1c1e-3a57-4a3e-9f37-0d0a86a7f0aa", "--to", str(target))
    assert "look before you open them" in run(*command).out
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"packed", 0o600)
    again = run(*command)
    assert again.status != 0
    assert "can't be written" in again.err
