"""Commands of a build: what counts as success, and that nothing of them stays."""

import asyncio
import contextlib
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from build import process, runner
from build.environment import build_environment, search_path, strangers_view
from build.errors import BuildFailedError
from build.process import MARK, kill_all
from build.runner import run_command
from build.walls import NO_WALLS, Rooms
from federation.service import Command

LEAVE_A_FORKED_CHILD = """
import os, sys, time
if os.fork() == 0:
    if os.fork() == 0:
        {session}
        print(os.getpid(), flush=True)
        time.sleep(600)
    os._exit(0)
os.wait()
{then}
"""


class Builder:
    """Runs commands in a folder and keeps their log."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log: list[str] = []
        self.env = {"PATH": os.environ["PATH"], MARK: str(root)}

    async def run(self, *words: str, **options: object) -> list[str]:
        self.log.clear()
        await run_command(Command(run=words, **options), root=self.root, env=self.env, log=self.log.append)  # type: ignore[arg-type]  # each by its field
        return self.log[1:]

    async def run_python(self, script: str, **options: object) -> list[str]:
        return await self.run(sys.executable, "-c", script, **options)


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[Builder]:
    """A builder, all of whose processes are gone at the end."""
    yield Builder(tmp_path)
    assert kill_all(-1, str(tmp_path)) == 0


async def test_output_of_both_streams_is_logged(builder: Builder) -> None:
    """What a command prints gets into the log in its order, after the command itself."""
    assert await builder.run("sh", "-c", "echo one; echo two >&2; printf three") == ["one", "two", "three"]
    assert builder.log[0] == "$ sh -c 'echo one; echo two >&2; printf three'"


async def test_status_counts(builder: Builder) -> None:
    """A command fails on another status than the one that is asked for."""
    with pytest.raises(BuildFailedError, match="command `sh -c 'exit 3'` ended with status 3, not with status 0"):
        await builder.run("sh", "-c", "exit 3")
    await builder.run("sh", "-c", "exit 3", exit_status=3)
    with pytest.raises(BuildFailedError, match="not with status 3"):
        await builder.run("true", exit_status=3)
    with pytest.raises(BuildFailedError, match="was ended by SIGKILL"):
        await builder.run("sh", "-c", "kill -9 $$")


async def test_output_match_counts(builder: Builder) -> None:
    """With output_match, a line of the output must match."""
    await builder.run("printf", "a\\nall done\\n", output_match="^all d.ne$")
    with pytest.raises(BuildFailedError, match="did not print what output_match asks: 'done'"):
        await builder.run("echo", "failed", output_match="done")


async def test_an_output_match_without_end_is_stopped(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern that would keep the machine busy for ever is given up, and the node goes on meanwhile."""
    monkeypatch.setattr(runner, "MATCH_SECONDS", 0.3)
    with pytest.raises(BuildFailedError, match="takes too long"):
        await builder.run("printf", "a" * 60, output_match="(a+)+$b")


async def test_folder_and_variables(builder: Builder) -> None:
    """A command runs in its own folder, with its own variables over the build's."""
    (builder.root / "sub").mkdir()
    (builder.root / "sub/tool").write_text("#!/bin/sh\npwd; echo $A $B\n")
    (builder.root / "sub/tool").chmod(0o755)
    builder.env |= {"A": "build", "B": "build"}
    assert await builder.run("./tool", dir="sub", env={"B": "own"}) == [str(builder.root / "sub"), "build own"]


async def test_what_can_t_start_is_told(builder: Builder) -> None:
    """A program or folder that is not there is an error that names it."""
    with pytest.raises(BuildFailedError, match="program 'no-such-program' is not installed"):
        await builder.run("no-such-program")
    (builder.root / "plain").write_text("x")
    for word in ("./absent", "./plain"):
        with pytest.raises(BuildFailedError, match=f"program '{word}' is not there or not executable"):
            await builder.run(word)
    with pytest.raises(BuildFailedError, match="dir = 'nowhere' is not a folder of the sources"):
        await builder.run("true", dir="nowhere")
    (builder.root / "out").symlink_to("/")
    with pytest.raises(BuildFailedError, match="is not a folder of the sources"):
        await builder.run("true", dir="out")


async def test_limits_hold(builder: Builder) -> None:
    """No core dumps, a bounded file size and number of open files, a session of its own, nothing on the input."""
    core, files, session, pid, text = await builder.run_python(
        "import os, resource as r, sys; print(r.getrlimit(r.RLIMIT_CORE)[1]); print(r.getrlimit(r.RLIMIT_NOFILE)[1]);"
        "print(os.getsid(0)); print(os.getpid()); print(repr(sys.stdin.read()))"
    )
    assert core == "0"
    assert int(files) <= process.OPEN_FILES
    assert session == pid
    assert text == "''"


@pytest.mark.parametrize("session", ["pass", "os.setsid()", "os.setpgid(0, 0)"])
@pytest.mark.parametrize("then", ["pass", "sys.exit(1)"])
async def test_no_process_survives_the_end(builder: Builder, session: str, then: str) -> None:
    """A child that was forked twice is killed at the end, in the same session or another, in success and failure."""
    script = LEAVE_A_FORKED_CHILD.format(session=session, then=f"time.sleep(0.05); {then}")
    with pytest.raises(BuildFailedError) if "exit" in then else contextlib.nullcontext():
        await builder.run_python(script)
    assert not_running(int(builder.log[1 if builder.log[1].isdigit() else 2]))
    if "exit" not in then:
        assert "stopped 1 processes that the command left behind" in builder.log


async def test_a_process_without_its_variables_is_found_by_its_session(builder: Builder) -> None:
    """Also a child that runs a program with an empty environment is killed at the end."""
    script = LEAVE_A_FORKED_CHILD.format(
        session="print(os.getpid(), flush=True); os.execve('/bin/sleep', ['sleep', '600'], {})", then="time.sleep(0.1)"
    )
    await builder.run_python(script)
    assert not_running(int(builder.log[1]))


async def test_no_process_survives_a_time_out(builder: Builder) -> None:
    """A command over its time is killed with all that it started, and said to be."""
    script = LEAVE_A_FORKED_CHILD.format(session="pass", then="time.sleep(600)")
    with pytest.raises(BuildFailedError, match="was not done after 1s and was stopped"):
        await builder.run_python(script, timeout_seconds=1.0)
    assert not_running(int(builder.log[1]))


async def test_no_process_survives_a_cancel(builder: Builder) -> None:
    """A cancel is passed on once everything is gone."""
    seen = asyncio.Event()
    pids: list[int] = []

    def log(line: str) -> None:
        if line.isdigit():
            pids.append(int(line))
            seen.set()

    script = LEAVE_A_FORKED_CHILD.format(session="pass", then="time.sleep(600)")
    command = Command(run=(sys.executable, "-c", script))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(run_command(command, root=builder.root, env=builder.env, log=log))
        async with asyncio.timeout(20):
            await seen.wait()
        task.cancel()
    assert task.cancelled()
    assert not_running(pids[0])


def not_running(pid: int) -> bool:
    """Whether there is no such process; one that only waits to be seen by its parent counts as none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


ROOMS = Rooms(sources=Path("/b/src"), home=Path("/b/home"), temporary=Path("/b/tmp"), cache=Path("/c"))
HOST = {
    "PATH": f"{Path(sys.executable).parent}:/usr/bin:relative::/bin",
    "HOME": "/home/op",
    "VUPDATE_TOKEN": "secret",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "PIP_INDEX_URL": "https://index",
    "https_proxy": "http://proxy",
}


def environment(host: Mapping[str, str], *, network: bool) -> dict[str, str]:
    return build_environment(host, ROOMS, NO_WALLS, network=network, epoch=1234)


def test_the_environment_is_made_from_nothing() -> None:
    """Of the host only the search path comes through and, for the network, what says how to reach it."""
    closed = environment(HOST, network=False)
    assert "secret" not in closed.values()
    assert "PIP_INDEX_URL" not in closed
    assert closed["PIP_NO_INDEX"] == "1"
    assert (closed["HOME"], closed["TMPDIR"], closed["SOURCE_DATE_EPOCH"]) == ("/b/home", "/b/tmp", "1234")
    assert (closed["LANG"], closed["PIP_CACHE_DIR"], closed["npm_config_cache"]) == ("C.UTF-8", "/c/pip", "/c/npm")
    opened = environment(HOST, network=True)
    assert "secret" not in opened.values()
    assert (opened["PIP_INDEX_URL"], opened["https_proxy"]) == ("https://index", "http://proxy")
    assert "PIP_NO_INDEX" not in opened


def test_maven_keeps_to_the_rooms_of_the_build() -> None:
    """Its downloads go into the cache and its settings come from the build's home, not from that of the node's user."""
    env = environment({**HOST, "MAVEN_OPTS": "-javaagent:/home/op/spy.jar"}, network=True)
    assert env["MAVEN_OPTS"].split() == ["-Duser.home=/b/home", "-Dmaven.repo.local=/c/maven"]
    assert "JDK_JAVA_OPTIONS" not in env


@pytest.mark.parametrize("name", ["a b", "it's", 'the "new" one', "v*", "$HOME"])
def test_maven_s_cache_may_have_any_name(name: str) -> None:
    """What Maven's start script would split or expand is told to the JDK, which minds quotes."""
    rooms = replace(ROOMS, cache=Path("/c") / name)
    env = build_environment(HOST, rooms, NO_WALLS, network=True, epoch=1234)
    assert "MAVEN_OPTS" not in env
    assert shlex.split(env["JDK_JAVA_OPTIONS"]) == ["-Duser.home=/b/home", f"-Dmaven.repo.local=/c/{name}/maven"]


def test_a_stranger_s_recipe_sees_nothing_that_may_hold_a_token() -> None:
    """Neither settings of package registries nor a proxy with a password in its address."""
    host = {**HOST, "PIP_CONFIG_FILE": "/home/op/pip.conf", "http_proxy": "http://op:pass@proxy"}
    seen = strangers_view(host)
    assert set(seen) == {"PATH", "https_proxy"}


def test_the_host_s_programs_come_before_our_own() -> None:
    """The environment that vUpdate itself runs in does not decide which Python builds a service."""
    own = Path(sys.executable).parent
    assert search_path(HOST, own) == f"/usr/bin:/bin:{own}"
    assert search_path({}, own).endswith(f":/bin:{own}")
