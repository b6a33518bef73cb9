"""Shows tasks and their logs, cancels them, and resumes what did not succeed."""

from typing import Annotated, Any, Final

import typer

from node.cli import documents
from node.cli.options import Call, First, NoWait, asking, group
from node.cli.output import moment

app: Final = group(
    "tasks",
    "Work longer than a request: builds, client builds, updates from providers.",
    """
    vupdate tasks list
    vupdate tasks log --follow 3f2a…
    vupdate tasks resume 3f2a…
    """,
)
Id = Annotated[str, typer.Argument(metavar="ID", help="The task's id.", show_default=False)]


@asking(app, "list", examples="vupdate tasks list --first 10")
async def show_all(call: Call, *, first: First = 20) -> None:
    """List tasks, newest first."""
    found = (await call.ask(documents.TASKS, first=first))["tasks"]
    call.out.document(found)
    call.out.table(
        ("id", "created", "what", "who", "state", "outcome"),
        [
            (
                one["id"],
                moment(one["created"]),
                one["title"],
                one["who"],
                one["state"].lower(),
                one["result"] or one["error"],
            )
            for one in found
        ],
        empty="no task yet",
    )


def _fields(call: Call, one: dict[str, Any]) -> None:
    call.out.document(one)
    call.out.fields(
        {
            "task": one["id"],
            "what": one["title"],
            "who": one["who"],
            "resumed from": one["resumedFrom"],
            "state": one["state"].lower(),
            "created": moment(one["created"]),
            "started": one["started"] and moment(one["started"]),
            "ended": one["ended"] and moment(one["ended"]),
            "result": one["result"],
            "waits": one["waitsFor"],
            "error": one["error"],
        }
    )


@asking(app, "show", examples="vupdate tasks show 3f2a…")
async def show(call: Call, task: Id) -> None:
    """Show one task and how it stands."""
    from node.cli.client import opened
    from node.cli.follow import outcome

    async with opened(call.data, call.url) as api:
        _fields(call, await outcome(api, task))


@asking(
    app,
    "log",
    examples="""
    vupdate tasks log 3f2a…
    vupdate tasks log --follow 3f2a…      # until the task has ended; with --json a line for each record
    """,
)
async def log(
    call: Call,
    task: Id,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as it is written, until the task has ended.")] = False,
) -> None:
    """Show a task's log."""
    from node.cli.client import opened
    from node.cli.follow import line, log_of, whole_log

    async with opened(call.data, call.url) as api:
        if follow:
            async for record in log_of(api, task):
                call.out.event(record)
                call.out.say(line(record).strip())
            return
        records = await whole_log(api, task)
    call.out.document(records)
    for record in records:
        call.out.say(line(record).strip())


@asking(app, "cancel", examples="vupdate tasks cancel 3f2a…")
async def cancel(call: Call, task: Id) -> None:
    """Stop a task and all its processes. One that has ended stays as it is."""
    _fields(call, (await call.ask(documents.CANCEL_TASK, id=task))["cancelTask"])


@asking(
    app,
    "resume",
    examples="""
    vupdate tasks resume 3f2a…
    vupdate tasks resume 3f2a… --no-wait
    """,
)
async def resume(call: Call, task: Id, *, no_wait: NoWait = False) -> None:
    """Do the work of a task that was interrupted, failed or cancelled again, as a new task. Its log is shown live."""
    from node.cli.follow import run_task

    await run_task(call, documents.RESUME_TASK, wait=not no_wait, id=task)
