"""What the commands say and end with when something fails, is refused or is mistaken."""

import json
from pathlib import Path
from typing import Any

import pytest

from federation.errors import AbsentError, ConflictError, DeniedError
from node.model.task import TaskState
from tests.support.cli import Run, shell
from tests.support.graphql_answers import answers
from tests.support.graphql_server import running
from tests.support.graphql_usecases import FakeUsecases
from tests.support.graphql_values import NOW, task


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A shell for the data folder of this test."""
    return shell(tmp_path, capsys, monkeypatch)


@pytest.fixture
def node(tmp_path: Path) -> Any:
    """A node that runs for the data folder of this test."""
    with running(FakeUsecases(answers()), tmp_path) as node:
        yield node


def test_a_build_that_failed_ends_with_one_and_its_reason(run: Run, tmp_path: Path) -> None:
    """The log is shown as it is written, then the outcome; the status tells a script."""
    failed = task(TaskState.FAILED, error="no rule to make target", ended=NOW)
    with running(FakeUsecases({**answers(), "builds.start": task(), "tasks.get": failed}), tmp_path):
        ran = run("build", "guestbook")
        as_json = run("build", "guestbook", "--json")
    assert ran.status == 1
    assert ran.err.splitlines() == [
        "Build guestbook (task t1)",
        "  fetching",
        "  building",
        "  error: no rule",
        "vupdate: Build guestbook: failed: no rule to make target",
    ]
    assert as_json.status == 1
    assert as_json.json["state"] == "FAILED"
    assert json.loads(as_json.err)["error"]["code"] == "task-failed"


def test_a_log_is_followed_across_a_broken_connection(run: Run, tmp_path: Path) -> None:
    """Who follows a log misses nothing and sees nothing twice when the connection breaks."""
    with running(FakeUsecases(answers()), tmp_path) as node:
        node.breaks = 2
        ran = run("tasks", "log", "t1", "--follow", "--json")
    assert ran.status == 0
    assert [json.loads(line)["sequence"] for line in ran.out.splitlines()] == [1, 2, 3]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConflictError("another change came first: revision 5 by ben (since revision 4: shop → acme-2.0.0)"), 5),
        (AbsentError("there is no version acme-9.0.0 of guestbook here"), 6),
        (DeniedError("this needs the role developer"), 4),
    ],
)
def test_a_refusal_of_the_node_reaches_the_person(run: Run, tmp_path: Path, error: Exception, status: int) -> None:
    """Its sentence is shown as it is, and its kind is the status."""
    with running(FakeUsecases({**answers(), "desired.change": error}), tmp_path):
        ran = run("desired", "set", "guestbook=acme-9.0.0")
    assert ran == (status, "", f"vupdate: {error}\n")


def test_a_value_with_a_mistake_is_a_mistake_in_the_command(run: Run, node: object) -> None:
    """The node's word on a malformed name says which one, and the status is that of a wrong command."""
    ran = run("profile", "set", "public", "../etc")
    assert ran.status == 2
    assert "services: '../etc' is not a service name" in ran.err


def test_a_node_that_does_not_run_is_named(run: Run, tmp_path: Path) -> None:
    """Without a node, or with what is left of one, the message says how to start it."""
    expected = f"vupdate: no node is running for {tmp_path}: start it with 'vupdate serve --data {tmp_path}'\n"
    assert run("status") == (3, "", expected)
    with running(FakeUsecases({}), tmp_path):
        pass
    assert run("status") == (3, "", expected)
    assert run("tasks", "log", "t1", "--follow").status == 3


def test_a_damaged_access_file_is_named(run: Run, tmp_path: Path) -> None:
    """A file cut off in the middle is no mystery."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "access.json").write_text('{"url": ')
    ran = run("status", "--json")
    assert ran.status == 3
    assert "access.json is damaged" in json.loads(ran.err)["error"]["message"]


def test_another_node_is_asked_with_a_token_from_the_environment(
    run: Run, node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is never an option; without one, or with a wrong one, the node is not asked or refuses."""
    ran = run("consumer", "list", "--url", node.url)
    assert ran.status == 4
    assert "VUPDATE_TOKEN" in ran.err
    monkeypatch.setenv("VUPDATE_TOKEN", "wrong")
    assert run("consumer", "list", "--url", node.url) == (4, "", "vupdate: you are not logged in\n")
    assert run("tasks", "log", "t1", "--follow", "--url", node.url).status == 4
    monkeypatch.setenv("VUPDATE_TOKEN", "the-right-token")
    assert run("consumer", "list", "--url", node.url).status == 0
    assert run("consumer", "list", "--url", "node.example").status == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["servce"],
        ["service", "add", "guestbook"],
        ["desired", "set", "guestbook"],
        ["desired", "show", "--kind", "both"],
        ["tasks", "list", "--first", "5000"],
        ["client-build"],
        ["client-build", "shop", "--all"],
        ["instance", "assign", "web-1"],
        ["instance", "label", "web-1"],
        ["instance", "label", "web-1", "gpu", "--none"],
        ["service", "place", "shop"],
        ["service", "place", "shop", "gpu", "--anywhere"],
        ["instance", "assign", "web-1", "shop", "--all"],
        ["service", "site", "guestbook", "--clear", "--macro", "a=b"],
        ["service", "site", "guestbook", "--clear", "--watch", "on"],
        ["service", "site", "guestbook", "--watch", "perhaps"],
        ["--nope"],
    ],
)
def test_a_wrong_command_ends_with_two(run: Run, node: object, arguments: list[str]) -> None:
    """A mistake in the command is explained, for people and for tools, and asks nothing of the node."""
    ran = run(*arguments)
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("vupdate: ")
    as_json = run(*arguments, "--json")
    assert as_json.status == 2
    assert json.loads(as_json.err)["error"]["code"] == "usage"


def test_a_noun_alone_shows_its_verbs(run: Run) -> None:
    """Who doesn't know on finds out."""
    for given in ([], ["service"]):
        ran = run(*given)
        assert ran.status == 2
        assert ran.err.startswith("Usage: vupdate")
