"""Pairing at the command line, as the operator at a terminal sees it."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.cli import main
from tests.support.graphql_answers import answers
from tests.support.graphql_server import running
from tests.support.graphql_usecases import FakeUsecases
from tests.support.pairing_values import linked, pairing, rejected

Typed = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    """Standard input at which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Runs a command line at a terminal; ``given``: what is typed."""
    monkeypatch.setenv("VUPDATE_DATA", str(tmp_path))

    def run(*arguments: str, given: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", Terminal(given))
        status = main.main(list(arguments))
        captured = capsys.readouterr()
        return int(status), captured.out, captured.err

    return run


def node(**more: Any) -> FakeUsecases:
    return FakeUsecases({**answers(), **more})


def test_the_operator_is_asked_and_told_how_it_ended(tmp_path: Path, typed: Typed) -> None:
    """The code is shown before the question, and the answer is waited for."""
    usecases = node(**{"pairing.find": [linked()]})
    with running(usecases, tmp_path):
        status, out, err = typed("pair", "globex", given="y\n")
    code = pairing().code or ""
    assert status == 0
    assert f"The code: {code[:3]} {code[3:]}" in err
    assert "globex is a consumer of this node now, for profile public" in out
    assert f"PairingDesk.confirm(pairing={pairing().id}, code={code}" in " ".join(usecases.calls)


@pytest.mark.parametrize("given", ["n\n", "\n"])
def test_no_answer_is_a_no(tmp_path: Path, typed: Typed, given: str) -> None:
    """The pairing is rejected, and nothing is confirmed."""
    usecases = node()
    with running(usecases, tmp_path):
        status, _, err = typed("pair", "globex", given=given)
    assert (status, "no link was made" in err) == (4, True)
    assert [call.partition("(")[0] for call in usecases.calls] == ["PairingDesk.start", "PairingDesk.reject"]


def test_a_pairing_that_the_other_side_rejected_is_an_error(tmp_path: Path, typed: Typed) -> None:
    """Also when this side has confirmed."""
    usecases = node(**{"pairing.find": [rejected()], "pairing.confirm": pairing()})
    with running(usecases, tmp_path):
        status, _, err = typed("pair", "globex", given="y\n")
    assert (status, "rejected on acme" in err) == (4, True)


def test_without_a_terminal_nothing_is_confirmed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can have compared the codes: the command says how to go on."""
    monkeypatch.setenv("VUPDATE_DATA", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    usecases = node()
    with running(usecases, tmp_path):
        assert main.main(["pair", "globex"]) == 0
    assert f"vupdate pairing confirm {pairing().id}" in capsys.readouterr().out
    assert [call.partition("(")[0] for call in usecases.calls] == ["PairingDesk.start"]
