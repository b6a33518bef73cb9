"""Agents that die by kill −9 at a chosen record of their journals, forked from one warm process. Run as a script.

Each line of input is ``<home>\\t<number>\\t<mode>``: a new agent runs in ``home`` and kills itself around its
``number``-th journal record: ``before`` it is written (the effect before it is done), right ``after`` it, or
``during`` the effect that follows. With the mode ``agent``, ``shim``, ``service`` or ``all`` these are killed
``number`` milliseconds after the start, the agent itself a moment later. The answer is a line with how it ended.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

from agent.console import log_to_stderr
from agent.home import Home
from agent.journal import Journal
from agent.plan import Record
from agent.runner import run_agent
from agent.runrecord import last_run
from federation.clock import SystemClock

MOST_SECONDS = 20.0
VICTIMS = ("agent", "shim", "service", "all")
_DURING_SECONDS = (0.001, 0.004, 0.010, 0.020, 0.040)


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DeadlyJournal(Journal):
    """A journal whose chosen record is the death of its writer. One count for the whole process."""

    left = 0
    mode = "after"

    def write(self, record: Record) -> None:
        kind = type(self)
        kind.left -= 1
        if kind.left == 0 and kind.mode == "before":
            _die()
        super().write(record)
        if kind.left == 0 and kind.mode == "after":
            _die()
        if kind.left == 0 and kind.mode == "during":
            threading.Timer(random.choice(_DURING_SECONDS), _die).start()


def _strike(home: Path, victims: str) -> None:
    """Kill ``victims`` of all services of ``home``, and then this agent."""
    place = Home.at(home)
    for key in place.journaled():
        run = last_run(place.unit(key))
        if run is None or not run.alive:
            continue
        for victim, process in (("service", run.service), ("shim", run.shim)):
            if victims in (victim, "all"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
    if victims in ("shim", "service"):
        time.sleep(random.choice(_DURING_SECONDS) * 10)
    _die()


async def _run(home: Path) -> None:
    async with asyncio.timeout(MOST_SECONDS):
        await run_agent(home, SystemClock(), stop=asyncio.Event(), make_journal=DeadlyJournal)


def _child(home: str, number: str, mode: str) -> None:
    if mode in VICTIMS:
        threading.Timer(int(number) / 1000, _strike, (Path(home), mode)).start()
    else:
        DeadlyJournal.left, DeadlyJournal.mode = int(number), mode
    asyncio.run(_run(Path(home)))


def main() -> None:
    """Serve orders until the input ends."""
    log_to_stderr()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                _child(*line.rstrip("\n").split("\t"))
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.waitstatus_to_exitcode(status) == -signal.SIGKILL else "ended", flush=True)


if __name__ == "__main__":
    main()
