"""The first process of a container: starts the agent, passes signals on to it, buries orphans. Run as a script.

The kernel kills everything in a container whose first process ends, so this one ends only with the agent: when the
agent ends by itself, with the agent's status. An agent that was killed is started again; its services did not notice.
Nothing but the standard library: it stays for as long as the container does, and should be small.
"""

import os
import signal
import sys
import time

_PASSED_ON = (signal.SIGTERM, signal.SIGINT)
_LEAST_SECONDS_BETWEEN_STARTS = 1.0


def is_first() -> bool:
    """Whether this process is the first one of its container."""
    return os.getpid() == 1


def receive() -> None:
    """Let through the signals that waited until this agent could handle them."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)


def become(command: list[str]) -> None:
    """Go on as the first process, with ``command`` as the agent below; never returns."""
    os.execv(sys.executable, [sys.executable, "-I", "-S", __file__, *command])  # noqa: S606 - no shell is wanted


class _Init:
    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._child = 0
        self._is_told_to_end = False

    def _pass_on(self, number: int, _: object) -> None:
        self._is_told_to_end = True
        if self._child:
            os.kill(self._child, number)

    def run(self) -> int:
        """Until the agent ends by itself; its status."""
        for number in _PASSED_ON:
            signal.signal(number, self._pass_on)
        while True:
            started = time.monotonic()
            status = self._run_once()
            if status >= 0 or self._is_told_to_end:
                return status if status >= 0 else 128 - status
            sys.stderr.write(f"the agent was killed by signal {-status}: starting it again\n")
            time.sleep(max(0.0, started + _LEAST_SECONDS_BETWEEN_STARTS - time.monotonic()))

    def _run_once(self) -> int:
        """Start the agent and bury whoever ends, up to the agent itself; its status, negative: by that signal."""
        # A signal that comes before the child is known is passed on after it. In the child they wait until it handles
        # them: an agent that died of one while it was starting would leave its services to be killed.
        signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
        self._child = os.posix_spawn(
            self._command[0], self._command, os.environ, setsigmask=_PASSED_ON, setsigdef=_PASSED_ON
        )
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        while True:
            pid, status = os.wait()
            if pid == self._child:
                self._child = 0
                return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(_Init(sys.argv[1:]).run())
