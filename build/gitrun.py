"""Runs the ``git`` program: in an environment of its own, with a limit, stopped with all its helpers on a cancel.

GitPython reads repositories here, but does not talk to the outside: it would hand Git this process's whole environment,
secrets and ``GIT_*`` variables included, and can't be cancelled.
"""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from build.credentials import Credential
from build.environment import search_path
from build.errors import SourceAbsentError, SourceDeniedError, SourceError, SourceUnreachableError
from build.giturl import GitUrl, masked
from build.presenting import Presented, presented
from build.process import MARK, Log, ProcessTimeoutError, run_process
from federation.errors import DiskFullError, VUpdateError
from federation.units import write_seconds

GIT_SECONDS: Final = 1800.0
PINNING: Final = (2, 37)
"""Git holds to the addresses it is given from this version on."""

_VERSION_SECONDS: Final = 20.0
_VERSION: Final = re.compile(r"git version (\d+)\.(\d+)", re.ASCII)

_HOST_VARIABLES: Final = (
    "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSH_AUTH_SOCK", "HOME",
)  # fmt: skip

_OWN_VARIABLES: Final = ("SSH_AUTH_SOCK", "HOME")
"""By these the keys of our own user are found."""

_REASONS: Final[tuple[tuple[tuple[str, ...], type[VUpdateError], str], ...]] = (
    (
        ("Could not resolve", "Failed to connect", "Connection refused", "Connection timed out", "Connection reset",
         "Network is unreachable", "No route to host", "Operation timed out", "Operation too slow", "early EOF",
         "Couldn't connect", "HTTP 50", "error: 50", "unexpected disconnect"),
        SourceUnreachableError, "its server does not answer; it is tried again with the next build",
    ),
    (
        ("Host key verification failed", "No ED25519 host key is known", "host key is known for"),
        SourceDeniedError, "the key of its host is not known: put the credential again with --known-hosts FILE",
    ),
    (
        ("Authentication failed", "could not read Username", "could not read Password", "Permission denied",
         "error: 401", "error: 403", "terminal prompts disabled"),
        SourceDeniedError, "this node is not let in; check its credentials for it",
    ),
    (("dubious ownership",), SourceDeniedError, "it belongs to another user of this machine"),
    (
        ("does not appear to be a git repository", "repository not found", "Repository not found", "does not exist",
         "not found", "No such file or directory"),
        SourceAbsentError, "there is no such repository",
    ),
    (("No space left on device",), DiskFullError, "no room left on the disk for it"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Git:
    """The ``git`` program for one repository's URL. ``mark``: a folder of this build, to find its helpers by.

    ``trusted``: whether the URL is one of our own operator's. For another's none of our keys is used, and no server
    sends us elsewhere. ``credential``: what opens it; for another's what that one handed over, and none of our own.
    ``pin``: the only addresses that it may connect to for the URL, as ``CURLOPT_RESOLVE`` spells them; empty: any.
    """

    url: GitUrl
    mark: Path
    host: Mapping[str, str] = field(default_factory=lambda: os.environ)
    trusted: bool = True
    credential: Credential | None = None
    pin: str = ""

    def environment(self, given: Presented | None = None) -> dict[str, str]:
        """What ``git`` gets: no configuration but ours, no questions, only the allowed transports."""
        given = given or Presented()
        settings = {"gc.auto": "0", "core.hooksPath": os.devnull, "core.attributesFile": os.devnull}
        settings |= given.settings
        if self.url.header:
            settings[f"http.{self.url.header_for}.extraHeader"] = self.url.header
        if not self.trusted:
            settings["http.followRedirects"] = "false"
        if self.pin:
            settings["http.curloptResolve"] = self.pin
        env = {name: self.host[name] for name in _HOST_VARIABLES if name in self.host}
        if not self.trusted:
            for name in _OWN_VARIABLES:
                env.pop(name, None)
        if given.own_key:
            env["GIT_SSH_VARIANT"] = "ssh"
        env |= {
            "PATH": search_path(self.host, Path(os.devnull)),
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_ALLOW_PROTOCOL": self.url.protocols,
            "GIT_SSH_COMMAND": given.ssh,
            "GIT_HTTP_LOW_SPEED_LIMIT": "1000",
            "GIT_HTTP_LOW_SPEED_TIME": "60",
            "GIT_CONFIG_COUNT": str(len(settings)),
            MARK: os.fspath(self.mark),
        }
        for number, (name, value) in enumerate(settings.items()):
            env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return env

    async def run(self, words: Sequence[str], *, folder: Path, log: Log) -> None:
        """Run ``git`` with ``words`` in ``folder``; its output goes to ``log``, without credentials.

        Raises:
            SourceError, SourceAbsentError, SourceDeniedError, SourceUnreachableError, DiskFullError: by its message.
        """
        with presented(self.credential) as given:
            await self._run(words, folder, self.environment(given), log)

    async def _run(self, words: Sequence[str], folder: Path, env: dict[str, str], log: Log) -> None:
        if shutil.which("git", path=env["PATH"]) is None:
            raise SourceError("the program 'git' is not installed on this machine: install it and build again")
        if self.pin and not await self._can_pin(folder, env):
            raise SourceDeniedError(
                f"{self.url.plain}: to fetch it for a peer the builder needs git {'.'.join(map(str, PINNING))}"
                " or newer, unless its operator names the host in full in peers_sources of [build] in config.toml"
            )
        try:
            ended = await run_process(
                ["git", *words],
                folder=folder,
                env=env,
                mark=env[MARK],
                timeout_seconds=GIT_SECONDS,
                log=lambda line: log(masked(self._without_secret(line))),
            )
        except ProcessTimeoutError as error:
            limit = write_seconds(GIT_SECONDS)
            raise SourceUnreachableError(f"{self.url.plain}: git {words[0]} was not done after {limit}") from error
        if ended.status:
            raise failure(self.url.plain, words[0], self._without_secret(ended.tail))

    async def _can_pin(self, folder: Path, env: dict[str, str]) -> bool:
        """Whether this Git knows of pins: an older one would take no notice of them."""
        try:
            said = await run_process(
                ["git", "version"],
                folder=folder,
                env=env,
                mark=env[MARK],
                timeout_seconds=_VERSION_SECONDS,
                log=lambda _: None,
            )
        except ProcessTimeoutError:
            return False
        found = _VERSION.search(said.tail)
        return found is not None and (int(found[1]), int(found[2])) >= PINNING

    def _without_secret(self, text: str) -> str:
        return text if self.credential is None else self.credential.hidden_in(text)


def failure(url: str, verb: str, output: str) -> VUpdateError:
    """What the last words of a failed ``git`` mean."""
    told = [line for line in output.splitlines() if line.startswith(("fatal:", "error:", "ERROR:", "ssh:", "remote:"))]
    text = masked(" ".join(told or output.splitlines())[-600:])
    if "couldn't find remote ref" in output or "not our ref" in output:
        return SourceAbsentError(f"{url} has no such commit: {text}")
    # The reason may stand in a line of ssh's, which bears no sign of who says it.
    for signs, kind, sentence in _REASONS:
        if any(sign in output for sign in signs):
            return kind(f"{url}: {sentence} ({text})")
    return SourceError(f"{url}: git {verb} failed: {text or 'no message'}")
