"""``vupdate credential put``: secrets by a file or standard input, never by an argument and never shown."""

import base64
import io
import sys
from pathlib import Path

import pytest

from node.cli import main
from tests.support.cli import Run, shell
from tests.support.graphql_answer_values import CREDENTIALS
from tests.support.graphql_answers import answers
from tests.support.graphql_server import running
from tests.support.graphql_usecases import FakeUsecases

SECRET = "t0ken-of-ann"
HTTPS, SSH = "https://git.example/shop/", "ssh://git@git.example/"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return shell(tmp_path, capsys, monkeypatch)


def test_a_token_comes_from_a_file(run: Run, tmp_path: Path) -> None:
    """What is said of it is for which addresses it is, and its fingerprint."""
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    usecases = FakeUsecases({**answers(), "credentials.put": CREDENTIALS[0]})
    with running(usecases, tmp_path):
        ran = run("credential", "put", HTTPS, str(file), "--user", "ann")
        as_json = run("credential", "put", HTTPS, str(file), "--user", "ann", "--json")
    assert ran.status == 0, ran.err
    given = f"{SECRET}\n".encode()
    assert f"prefix={HTTPS}, secret={given!r}, user=ann, known_hosts=b''" in usecases.calls[0]
    assert f"the password for {HTTPS} is kept: fingerprint {'0f' * 16}" in ran.out
    for shown in (*ran[1:], *as_json[1:]):
        assert SECRET not in shown
        assert base64.b64encode(SECRET.encode()).decode()[:12] not in shown


@pytest.mark.usefixtures("run")
def test_a_token_comes_from_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it need not be in a file at all."""
    usecases = FakeUsecases(answers())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SECRET.encode())))
    with running(usecases, tmp_path):
        status = main.main(["credential", "put", HTTPS, "-", "--user", "ann"])
    assert (int(status), SECRET in capsys.readouterr().out) == (0, False)
    assert f"secret={SECRET.encode()!r}" in usecases.calls[0]


def test_a_key_comes_with_the_keys_of_its_host(run: Run, tmp_path: Path) -> None:
    """Without them it is said where they are looked for."""
    key, known = tmp_path / "key", tmp_path / "known"
    key.write_text(SECRET)
    known.write_text("git.example ssh-ed25519 AAAA\n")
    usecases = FakeUsecases(answers())
    with running(usecases, tmp_path):
        ran = run("credential", "put", SSH, "--key", str(key), "--known-hosts", str(known))
    assert ran.status == 0, ran.err
    assert "user=, known_hosts=b'git.example ssh-ed25519 AAAA\\n'" in usecases.calls[0]
    assert "must be in the known_hosts of the node's user" in ran.err


def test_what_is_no_credential_asks_nothing_of_the_node(run: Run, tmp_path: Path) -> None:
    """Options of the other transport, no secret, none that can be read, one that is too large."""
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(bytes(64 * 1024 + 1))
    (tmp_path / "key").write_text(SECRET)
    key = str(tmp_path / "key")
    usecases = FakeUsecases(answers())
    with running(usecases, tmp_path):
        for words, message in (
            ((HTTPS, key), "give --user NAME"),
            ((HTTPS, "--user", "ann"), "or '-' for standard input"),
            ((HTTPS, key, "--user", "ann", "--key", key), "give --user NAME"),
            ((HTTPS, key, "--user", "ann", "--known-hosts", key), "give --user NAME"),
            ((SSH, key), "give --key FILE"),
            ((SSH, "--key", key, "--user", "git"), "the user in the prefix"),
            ((HTTPS, str(tmp_path / "none"), "--user", "ann"), "No such file"),
            ((HTTPS, str(tmp_path / "empty"), "--user", "ann"), "is empty"),
            ((SSH, "--key", str(tmp_path / "large")), "more than 64 KiB"),
        ):
            ran = run("credential", "put", *words)
            assert (ran.status, message in ran.err) == (2, True), ran.err
            assert SECRET not in ran.err
    assert usecases.calls == []
