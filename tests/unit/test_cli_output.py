"""What people and tools get to read."""

import io
import json
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import AbsentError, ConflictError, DeniedError, InvalidValueError, LocalError, UnreachableError
from node.cli.exits import MEANINGS, CommandError, Exit, answered, explained, innermost
from node.cli.output import Output, ago, clean, moment, size

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@given(st.text())
def test_shown_text_can_not_drive_a_terminal(text: str) -> None:
    """No escape sequence, bell, carriage return or change of direction gets through; letters and lines do."""
    shown = clean(text)
    assert not any(char < " " and char not in "\t\n" for char in shown)
    assert "\x9b" not in shown
    assert len(shown) == len(text)


def test_a_log_line_with_an_escape_sequence_is_made_harmless() -> None:
    """An attacker's log message does not clear the screen of who reads it."""
    assert "\x1b" not in clean("ok\x1b[2J\x1b]0;owned\x07")
    assert clean(None) == ""


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (5e9, "5.0 GB"), (7e15, "7000.0 TB"), (None, "–")]
)
def test_sizes_are_shown_in_their_unit(count: float | None, text: str) -> None:
    """Three digits, as people read them."""
    assert size(count) == text


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ("2026-03-04T11:59:50+00:00", "10 s ago"),
        ("2026-03-04T11:30:00+00:00", "30 min ago"),
        ("2026-03-01T12:00:00+00:00", "3 d ago"),
        ("2026-03-04T13:00:00+00:00", "0 s ago"),
        (None, "never"),
    ],
)
def test_ages_are_shown_roughly(when: str | None, text: str) -> None:
    """A clock that is a little ahead is no reason for a negative age."""
    assert ago(when, NOW) == text


def test_a_missing_moment_is_a_dash() -> None:
    """What has not happened has no time."""
    assert moment(None) == "–"


def test_a_table_in_a_pipe_is_aligned_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """No column is cut off when the output is not a terminal, and a line break does not tear a row."""
    Output().table(("name", "what"), [("a", "x" * 300), ("long-name", "two\nlines")], empty="")
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "NAME       WHAT"
    assert second == "a          " + "x" * 300
    assert third == "long-name  two lines"


def test_a_table_on_a_terminal_takes_text_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Square brackets in a value are no markup."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    Output().table(("name",), [("[red]boom[/red]",)], empty="")
    assert "[red]boom[/red]" in screen.getvalue()


def test_no_rows_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty table says what to do instead of showing a bare heading."""
    Output().table(("name",), [], empty="nothing yet: add one")
    assert capsys.readouterr().out == "nothing yet: add one\n"


def test_json_goes_alone_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json there is one document there and not a word beside it."""
    out = Output(as_json=True)
    out.say("a sentence")
    out.note("a note")
    out.raw("a text")
    out.table(("name",), [("x",)], empty="")
    out.fields({"a": 1})
    out.document({"über": [1, None]})
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"über": [1, None]}
    assert captured.err == ""


def test_an_error_is_told_to_people_and_to_tools(capsys: pytest.CaptureFixture[str]) -> None:
    """People get a sentence, tools its code and status; both on standard error."""
    error = answered("another change came first", "conflict", "c0ffee")
    Output().error(error)
    assert capsys.readouterr().err == "vupdate: another change came first\n"
    Output(as_json=True).error(error)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err) == {
        "error": {"code": "conflict", "message": "another change came first", "correlation": "c0ffee", "exit": 5}
    }


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("invalid-value", Exit.USAGE),
        ("unreachable", Exit.UNREACHABLE),
        ("denied", Exit.DENIED),
        ("invitation", Exit.DENIED),
        ("conflict", Exit.CONFLICT),
        ("exists", Exit.CONFLICT),
        ("not-found", Exit.ABSENT),
        ("internal", Exit.FAILED),
        ("a code of next year", Exit.FAILED),
    ],
)
def test_a_node_s_code_gives_the_status(code: str, status: Exit) -> None:
    """Scripts tell by the status what kind of failure it was."""
    assert answered("x", code).status is status


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidValueError("x"), Exit.USAGE),
        (UnreachableError("x"), Exit.UNREACHABLE),
        (DeniedError("x"), Exit.DENIED),
        (ConflictError("x"), Exit.CONFLICT),
        (AbsentError("x"), Exit.ABSENT),
        (LocalError("x"), Exit.FAILED),
        (ExceptionGroup("g", [ExceptionGroup("h", [DeniedError("x")])]), Exit.DENIED),
    ],
)
def test_an_error_on_this_machine_gives_the_same_status(error: Exception, status: Exit) -> None:
    """It makes no difference to a script whether the node or the command itself refused."""
    found = explained(error)
    assert found is not None
    assert (found.status, found.message) == (status, "x")


def test_an_error_that_was_not_meant_for_people_is_not_explained() -> None:
    """A mistake of ours is not dressed up as an answer."""
    assert explained(KeyError("x")) is None
    assert isinstance(innermost(ExceptionGroup("g", [KeyError("x")])), KeyError)
    assert isinstance(CommandError("x"), Exception)


def test_each_status_has_a_meaning() -> None:
    """The table that people read is complete."""
    assert set(MEANINGS) == set(Exit)
