"""``vupdate service secret put``: contents by a file or standard input, never by an argument and never shown."""

import base64
import io
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from federation.errors import InvalidValueError
from federation.limits import PRIVATE_FILE_BYTES
from node.cli import main
from tests.support.cli import Ran, Run, leaves, shell
from tests.support.graphql_answer_values import SECRETS
from tests.support.graphql_answers import answers
from tests.support.graphql_server import running
from tests.support.graphql_usecases import FakeUsecases

SECRET = b"-----BEGIN KEY-----\x00\xff\n"
PUT = ("service", "secret", "put", "guestbook", "db/password")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return shell(tmp_path, capsys, monkeypatch)


def node(**changed: Any) -> FakeUsecases:
    return FakeUsecases({**answers(), **{f"private_files.{name}": answer for name, answer in changed.items()}})


def put_of_stdin(given: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ran:
    """The command with ``given`` on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    capsys.readouterr()
    status = main.main([*PUT, "-", "--into", "conf/pw"])
    captured = capsys.readouterr()
    return Ran(int(status), captured.out, captured.err)


def test_a_file_is_put_byte_by_byte(run: Run, tmp_path: Path) -> None:
    """It need not be text; what is said of it is its size and fingerprint, and what to do next."""
    file = tmp_path / "secret"
    file.write_bytes(SECRET)
    usecases = node(put=SECRETS[0])
    with running(usecases, tmp_path):
        ran = run(*PUT, str(file))
        as_json = run(*PUT, str(file), "--json")
    assert ran.status == 0, ran.err
    assert f"content={SECRET!r}, into=None" in usecases.calls[0]
    assert f"kept: 1.7 kB, fingerprint {'0f' * 16}" in ran.out
    assert 'private = [ { name = "db/password", to = "…" } ]' in ran.err
    assert sorted(as_json.json) == ["at", "by", "fingerprint", "into", "name", "service", "size"]
    for shown in (*ran[1:], *as_json[1:]):
        assert "BEGIN" not in shown
        assert base64.b64encode(SECRET).decode() not in shown


def test_a_secret_comes_from_standard_input(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a byte is taken off it; with a place it is for the client versions of this node."""
    usecases = node()
    with running(usecases, tmp_path):
        ran = put_of_stdin(SECRET, capsys, monkeypatch)
    assert ran.status == 0, ran.err
    assert f"content={SECRET!r}, into=conf/pw" in usecases.calls[0]
    assert "goes to conf/db.password in the client versions" in ran.err


def test_what_is_no_secret_asks_nothing_of_the_node(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is not there, empty, or too large; an empty pipe."""
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(bytes(PRIVATE_FILE_BYTES + 1))
    usecases = node()
    with running(usecases, tmp_path):
        for name, message in (("none", "No such file"), ("empty", "is empty"), ("large", "at most 1 MiB")):
            ran = run(*PUT, str(tmp_path / name))
            assert (ran.status, ran.out) == (2, "")
            assert message in ran.err
        assert "is empty" in put_of_stdin(b"", capsys, monkeypatch).err
        (tmp_path / "large").write_bytes(bytes(PRIVATE_FILE_BYTES))
        assert run(*PUT, str(tmp_path / "large")).status == 0
    assert len(usecases.calls) == 1


def test_a_refusal_does_not_quote_the_secret(run: Run, tmp_path: Path) -> None:
    """The node's sentence is shown, and the status is that of a wrong value."""
    (tmp_path / "secret").write_bytes(SECRET)
    with running(node(put=InvalidValueError("two private files are to stand at 'conf/pw'")), tmp_path):
        ran = run(*PUT, str(tmp_path / "secret"))
    assert ran == (2, "", "vupdate: two private files are to stand at 'conf/pw'\n")


def test_no_command_shows_a_secret() -> None:
    """There is none that could: put, list and remove are all."""
    found = {path[2] for path in leaves(get_command(main.make_app())) if path[:2] == ("service", "secret")}
    assert found == {"put", "list", "remove"}
