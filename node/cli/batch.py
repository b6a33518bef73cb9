"""Follows several tasks at once, and says of each how it ended; one that fails does not hold up the others."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from node.cli.client import Api, opened
from node.cli.exits import CommandError
from node.cli.follow import line, log_of, outcome
from node.cli.options import Call

_FOLLOWED_AT_ONCE: Final = 8
_REFUSED: Final = "REFUSED"
"""The state of work that the node did not even begin."""


async def run_all(call: Call, document: str, *, wait: bool) -> None:
    """Start the tasks of the change in ``document``, and follow them to their ends unless told not to.

    Raises:
        CommandError: one did not succeed; all such are named.
    """
    async with opened(call.data, call.url) as api:
        (begun,) = (await api.ask(document)).values()
        await _follow_all(call, api, begun, wait=wait)


async def run_each(call: Call, document: str, services: Sequence[str], *, wait: bool) -> None:
    """The same with a change for each of ``services``."""
    async with opened(call.data, call.url) as api:
        begun = [await _begun(api, document, service) for service in services]
        await _follow_all(call, api, begun, wait=wait)


async def _begun(api: Api, document: str, service: str) -> dict[str, Any]:
    try:
        (task,) = (await api.ask(document, service=service)).values()
    except CommandError as error:
        return {"id": "", "title": service, "service": service, "state": _REFUSED, "error": error.message, "result": ""}
    return dict(task)


async def _follow_all(call: Call, api: Api, begun: Sequence[dict[str, Any]], *, wait: bool) -> None:
    places = asyncio.Semaphore(_FOLLOWED_AT_ONCE)

    async def ended(task: dict[str, Any]) -> dict[str, Any]:
        if task["state"] == _REFUSED or not wait:
            return task
        async with places:
            try:
                async for record in log_of(api, task["id"]):
                    call.out.note(f"{task['service']}:{line(record)[1:]}")
            except asyncio.CancelledError:
                call.out.note(f"the task goes on; 'vupdate tasks cancel {task['id']}' stops it")
                raise
            return await outcome(api, task["id"])

    async with asyncio.TaskGroup() as group:
        running = [group.create_task(ended(task)) for task in begun]
    _conclude(call, [one.result() for one in running], waited=wait)


def _conclude(call: Call, tasks: Sequence[dict[str, Any]], *, waited: bool) -> None:
    call.out.document(tasks)
    failed: list[str] = []
    for one in tasks:
        if one["state"] == _REFUSED or (waited and one["state"] != "SUCCEEDED"):
            failed.append(str(one["service"]))
            call.out.say(f"{one['title']}: {one['state'].lower()}: {one['error']}")
        elif waited:
            call.out.say(f"{one['title']}: {one['result'] or 'done'}")
        else:
            call.out.say(f"{one['title']}: started as task {one['id']}")
    if failed:
        raise CommandError(f"{len(failed)} of {len(tasks)} did not succeed: {', '.join(failed)}", "task-failed")
    if not tasks:
        call.out.say("no service runs at this site")
