"""Client builds of several services by one command, against a node that answers from a table."""

from pathlib import Path

import pytest

from federation.errors import AbsentError
from federation.names import ServiceName
from node.model.task import Task, TaskState
from tests.support.cli import Run, shell
from tests.support.graphql_answers import answers
from tests.support.graphql_server import running
from tests.support.graphql_usecases import FakeUsecases
from tests.support.graphql_values import NOW, task


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A shell for the data folder of this test."""
    return shell(tmp_path, capsys, monkeypatch)


def test_of_several_client_builds_each_is_reported_and_the_failed_are_named(run: Run, tmp_path: Path) -> None:
    """One that was refused and one that failed hold up no other; the status tells of them."""
    failed = task(TaskState.FAILED, task_id="t2", service=ServiceName("shop"), error="clash: app.toml", ended=NOW)
    done = task(TaskState.SUCCEEDED, result="acme-1.0.1", ended=NOW)
    by_id = {"t1": done, "t2": failed}

    def start(service: ServiceName, *, who: str) -> Task:
        if service == "till":
            raise AbsentError(f"no developer version of till is desired, {who}")
        return failed if service == "shop" else done

    fake = FakeUsecases({**answers(), "client_builds.start": start, "tasks.get": lambda task_id: by_id[task_id]})
    with running(fake, tmp_path):
        ran = run("client-build", "guestbook", "shop", "till")
        as_json = run("client-build", "guestbook", "till", "--json")
    assert ran.status == as_json.status == 1
    assert "Build guestbook: acme-1.0.1" in ran.out
    assert "failed: clash: app.toml" in ran.out
    assert "till: refused: no developer version of till is desired" in ran.out
    assert ran.err.splitlines()[-1] == "vupdate: 2 of 3 did not succeed: shop, till"
    assert [one["state"] for one in as_json.json] == ["SUCCEEDED", "REFUSED"]
