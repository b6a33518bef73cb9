"""Writes the systemd unit of an agent (systemd.service(5), systemd.exec(5)). Pure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.errors import InvalidValueError

_TEXT: Final = """\
# The vUpdate agent of this host. Its services run on while it is stopped or updated.
[Unit]
Description=vUpdate agent
Wants=network-online.target
After=network-online.target
# A fault of its own must not end in a unit that systemd gave up on.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
Restart=always
RestartSec=5
# An agent whose loop hangs is started anew.
WatchdogSec=60
TimeoutStopSec=30
# Only the agent itself is stopped: each service lives under a shim of its own and is found again.
KillMode=process
# The agent divides its part of the control groups among the services. Before systemd 254 it stays at the top of
# that part itself, and memory is counted by the process table; 252 tells of a name that it does not know.
Delegate=yes
DelegateSubgroup=agent
# A service that uses up the memory takes neither the agent nor its neighbours with it.
OOMPolicy=continue
{user}\
LimitNOFILE=65536
LimitCORE=infinity
# What no service has a reason to do. More would be inherited by the services and change what they can do.
ProtectClock=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectHostname=yes
RestrictRealtime=yes
LockPersonality=yes

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentUnit:
    """Which agent is to run, as whom; ``user`` empty: as root."""

    program: Path
    home: Path
    user: str = ""

    def __post_init__(self) -> None:
        for text in (str(self.program), str(self.home), self.user):
            if any(not letter.isprintable() for letter in text):
                raise InvalidValueError("a path or user with control characters can't stand in a unit file")
        if not self.program.is_absolute() or not self.home.is_absolute():
            raise InvalidValueError("a unit file needs whole paths")
        if self.user and not self.user.replace("-", "").replace("_", "").isalnum():
            raise InvalidValueError(f"{self.user[:80]!r} is not the name of a user")

    @property
    def text(self) -> str:
        """The unit file."""
        words = (str(self.program), "agent", "run", "--home", str(self.home))
        user = f"User={self.user}\n" if self.user else ""
        return _TEXT.format(command=" ".join(map(_quoted, words)), user=user)


def _quoted(word: str) -> str:
    """``word`` as one word of a command line (systemd.syntax(7)), no part of which is expanded."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if escaped == word and " " not in word and "'" not in word and ";" not in word else f'"{escaped}"'
