"""Follows a task live: its log as it is written, then its outcome; connects again where it was cut off."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any, Final

from federation.backoff import Backoff
from node.cli import documents
from node.cli.client import CUT_OFF, Api, opened
from node.cli.exits import CommandError, Exit
from node.cli.options import Call

_TRIES: Final = 6
_PAGE: Final = 1000


async def log_of(api: Api, task: str, after: int = 0) -> AsyncIterator[dict[str, Any]]:
    """The records of a task's log, each once, until the task has ended.

    Raises:
        CommandError: refused, or not reachable again and again.
    """
    backoff, failures, stood = Backoff(0.2, 5.0, random.SystemRandom()), 0, False
    while True:
        try:
            async for told in api.follow(documents.TASK_LOG_LIVE, id=task, after=after):
                after, failures, stood = told["taskLog"]["sequence"], 0, True
                yield told["taskLog"]
            return
        except CommandError as error:
            # A node that never answered is not waited for; one that did comes back, perhaps after its restart.
            stood = stood or error.code == CUT_OFF
            failures += 1
            if not stood or error.status is not Exit.UNREACHABLE or failures >= _TRIES:
                raise
        await asyncio.sleep(backoff.delay(failures))


async def outcome(api: Api, task: str) -> dict[str, Any]:
    """The task as it stands."""
    found: dict[str, Any] | None = (await api.ask(documents.TASK, id=task))["task"]
    if found is None:
        raise CommandError(f"there is no task {task}", "not-found", status=Exit.ABSENT)
    return found


def line(record: dict[str, Any]) -> str:
    """A record as people read it."""
    mark = "" if record["level"] in ("TRACE", "DEBUG", "INFO") else f"{record['level'].lower()}: "
    return f"  {mark}{record['message']}"


def conclude(call: Call, task: dict[str, Any]) -> None:
    """Show how a task ended.

    Raises:
        CommandError: it did not succeed.
    """
    call.out.document(task)
    if task["state"] == "SUCCEEDED":
        call.out.say(f"{task['title']}: {task['result'] or 'done'}")
        return
    state = task["state"].lower()
    reason = f": {task['error']}" if task["error"] and task["error"] != state else ""
    raise CommandError(f"{task['title']}: {state}{reason}", f"task-{state}")


async def run_task(call: Call, document: str, *, wait: bool, **variables: object) -> None:
    """Start a task by the change in ``document``, follow it to its end unless told not to, and say how it ended."""
    async with opened(call.data, call.url) as api:
        (task,) = (await api.ask(document, **variables)).values()
        if not wait:
            call.out.document(task)
            call.out.say(
                f"{task['title']}: started as task {task['id']}; follow it with 'vupdate tasks log --follow ID'"
            )
            return
        call.out.note(f"{task['title']} (task {task['id']})")
        try:
            async for record in log_of(api, task["id"]):
                call.out.note(line(record))
        except asyncio.CancelledError:
            call.out.note(f"the task goes on; 'vupdate tasks cancel {task['id']}' stops it")
            raise
        conclude(call, await outcome(api, task["id"]))


async def whole_log(api: Api, task: str) -> list[dict[str, Any]]:
    """All records of a task's log so far, page by page."""
    records: list[dict[str, Any]] = []
    while True:
        after = records[-1]["sequence"] if records else 0
        page = (await api.ask(documents.TASK_LOG, id=task, after=after, first=_PAGE))["taskLog"]
        records.extend(page)
        if len(page) < _PAGE:
            return records
