"""A recipe in plain sentences: what vUpdate will do with a service, each default named as one. Pure.

The sentences tell what ``build``'s runner and the agent do; how they decide it is theirs.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from build.private import PrivateRule
from build.recipe import CopyRule, Recipe
from federation.macros import BUILT_IN, macro_names
from federation.service import Command, Faults, Health, Install, Logs, Restart, Run, RunLimits, Stop
from federation.servicefile import write_service
from federation.units import write_bytes, write_seconds

DEFAULT: Final = " (default)"

_PLAIN: Final = Command(run=())
_POLICIES: Final[Mapping[str, str]] = {
    "always": "It is started again whenever it ends by itself",
    "on-failure": "It is started again when it ends by a signal or with another status than 0",
    "never": "It is not started again when it ends by itself",
}
_FORMATS: Final[Mapping[str, str]] = {
    "auto": "The form of its log lines is found out line by line",
    "plain": "Its log lines are plain text",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What is said of one part of a recipe."""

    heading: str
    sentences: tuple[str, ...]


def explain(recipe: Recipe) -> tuple[Passage, ...]:
    """What happens to the service of ``recipe``, from its build to its faults."""
    run = recipe.service.run
    parts: dict[str, Iterator[str]] = {
        "build": _build(recipe),
        "image": _image(recipe.copy),
        "private files": _private(recipe.private),
        "update": _update(recipe.service.install),
        "run": _run(run),
        "stop": _stop(run.stop),
        "restart": _restart(run.restart),
        "health": _health(run.health),
        "limits": _limits(run.limits),
        "logs": _logs(run.logs),
        "faults": _faults(run.faults),
        "data": _data(run.data),
        "macros": _macros(recipe),
    }
    passages = (Passage(heading=heading, sentences=tuple(found)) for heading, found in parts.items())
    return tuple(passage for passage in passages if passage.sentences)


def _or_default(told: str, *, default: bool) -> str:
    return told + (DEFAULT if default else "")


def _time(seconds: float, default: float) -> str:
    return _or_default(write_seconds(seconds), default=seconds == default)


def _size(size: int, default: int) -> str:
    return _or_default(write_bytes(size), default=size == default)


def _list(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _quoted(words: Iterable[str]) -> str:
    return _list(f"`{word}`" for word in words)


def _line(words: tuple[str, ...]) -> str:
    return f"`{shlex.join(words)}`"


def _env(env: Mapping[str, str]) -> str:
    return f" with {', '.join(f'{name}={shlex.quote(value)}' for name, value in env.items())}" if env else ""


def _command(command: Command) -> str:
    folder = "" if command.dir == _PLAIN.dir else f" in `{command.dir}`"
    status = _or_default(f"status {command.exit_status}", default=command.exit_status == _PLAIN.exit_status)
    output = "" if command.output_match is None else f" and print what matches `{command.output_match}`"
    took = _time(command.timeout_seconds, _PLAIN.timeout_seconds)
    return f"{_line(command.run)}{folder}{_env(command.env)}: must end with {status} within {took}{output}."


def _commands(commands: Iterable[Command]) -> Iterator[str]:
    return (f"{number}. {_command(command)}" for number, command in enumerate(commands, 1))


def _build(recipe: Recipe) -> Iterator[str]:
    if recipe.commands:
        yield "In a fresh checkout of the first source, in this order; the first command that fails ends the build:"
        yield from _commands(recipe.commands)
    else:
        yield f"No command is run: the sources are taken as they stand{DEFAULT}."
    if recipe.network:
        yield "The build may use the network."
    else:
        yield f"The build has to do without the network{DEFAULT}."


def _image(rules: tuple[CopyRule, ...]) -> Iterator[str]:
    if rules == (CopyRule(source="."),):
        yield f"All of the build's folder is copied to the root of the image, without .git{DEFAULT}."
        return
    yield from map(_copied, rules)
    if len(rules) > 1:
        yield "Where two rules copy to the same path the later one counts."


def _copied(rule: CopyRule) -> str:
    source = "All of the build's folder" if rule.source == "." else f"`{rule.source}`"
    target = "the root of the image" if rule.target == "." else f"`{rule.target}` in the image"
    target = _or_default(target, default=rule.target == CopyRule(source="").target)
    without = f", without {_quoted(rule.excluded)}" if rule.excluded else ""
    expanded = f" A client build fills in macros in {_quoted(rule.expand)} of it." if rule.expand else ""
    return f"{source} is copied to {target}{without}.{expanded}"


def _private(rules: tuple[PrivateRule, ...]) -> Iterator[str]:
    for rule in rules:
        yield f"The private file `{rule.name}`, kept by the node, becomes `{rule.target}` in the image."
    if rules:
        yield "The commands never see them. A version that holds private files is given to no consumer."


def _update(install: Install) -> Iterator[str]:
    if install.before_stop:
        yield "While the old version still runs; if one fails, it goes on running:"
        yield from _commands(install.before_stop)
    else:
        yield f"Nothing is run before the old version is stopped{DEFAULT}."
    if install.after_switch:
        yield "Once the new version is current, before it is started; if one fails, the old version is put back:"
        yield from _commands(install.after_switch)
    else:
        yield f"Nothing is run between the switch to the new version and its start{DEFAULT}."
    if install.before_stop or install.after_switch:
        yield "Each may be run again after an interruption; one that ends with status 75 is tried again later."


def _run(run: Run) -> Iterator[str]:
    yield f"{_line(run.command)} is started in the version's folder{_env(run.env)}."
    if run.after:
        yield f"It waits for {_list(run.after)} on its instance while they are on their way, five minutes at most."


def _stop(stop: Stop) -> Iterator[str]:
    signal = _or_default(f"SIG{stop.signal}", default=stop.signal == Stop().signal)
    grace = _time(stop.grace_seconds, Stop().grace_seconds)
    yield f"All its processes are asked to end by {signal}; what still runs after {grace} is killed."


def _restart(restart: Restart) -> Iterator[str]:
    usual = Restart()
    yield _or_default(_POLICIES[restart.policy], default=restart.policy == usual.policy) + "."
    if restart.policy == "never":
        return
    least, most = restart.backoff_min_seconds, restart.backoff_max_seconds
    first = _time(least, usual.backoff_min_seconds)
    longest = _time(most, usual.backoff_max_seconds)
    reset = _time(restart.reset_after_seconds, usual.reset_after_seconds)
    yield (
        f"The wait before that is about {first}, doubles from end to end, and is {longest} at most; "
        f"after a run of {reset} it begins anew."
    )


def _way(health: Health) -> str:
    within = f" within {_time(health.timeout_seconds, Health().timeout_seconds)}"
    if health.http is not None:
        return f"It is well while `{health.http}` answers with a status of 200 to 399{within}."
    if health.tcp is not None:
        return f"It is well while `{health.tcp}` takes a connection{within}."
    if health.command is not None:
        return f"It is well while {_line(health.command)} ends with status 0{within}."
    if health.log is not None:
        return f"It is ready once a line of its output matches `{health.log}`, and well from then on while it runs."
    return f"It is well while it runs{DEFAULT}."


def _health(health: Health) -> Iterator[str]:
    usual = Health()
    yield _way(health)
    checked = any(way is not None for way in (health.http, health.tcp, health.command, health.log))
    deadline = _time(health.deadline_seconds, usual.deadline_seconds)
    if checked:
        yield f"That is looked at every {_time(health.interval_seconds, usual.interval_seconds)}."
    yield (
        f"A new version stays once it was well for {_time(health.healthy_for_seconds, usual.healthy_for_seconds)} "
        f"without a break; when it was not within {deadline}, the old version is put back."
    )
    if checked:
        failing = "" if health.log is not None else ", or that fails three checks in a row,"
        yield f"A later start that is not ready within {deadline}{failing} is stopped as a fault."


def _limits(limits: RunLimits) -> Iterator[str]:
    if limits.memory_bytes is None:
        yield f"Its memory has no bound{DEFAULT}."
    else:
        yield f"Its processes may use {write_bytes(limits.memory_bytes)} of memory together."
    if limits.cpu_percent is None:
        yield f"Its processor time has no bound{DEFAULT}."
    else:
        window = _time(limits.cpu_window_seconds, RunLimits().cpu_window_seconds)
        yield f"Its processes may use {limits.cpu_percent:g} % of a core together, over {window}."
    if limits.memory_bytes is not None or limits.cpu_percent is not None:
        yield "Over a bound it is stopped as a fault."
    yield "A crash leaves a core dump." if limits.core_dump else f"A crash leaves no core dump{DEFAULT}."


def _logs(logs: Logs) -> Iterator[str]:
    form = _FORMATS.get(logs.format, f"Its log lines are read as {logs.format}")
    yield _or_default(form, default=logs.format == Logs().format) + "."
    yield f"They go to the node{DEFAULT}." if logs.upload else "They stay on the instance."
    files = _or_default(f"the newest {logs.files} files", default=logs.files == Logs().files)
    size = _size(logs.max_file_bytes, Logs().max_file_bytes)
    yield f"Of each run {files} are kept on the instance, each of {size} at most."


def _faults(faults: Faults) -> Iterator[str]:
    if faults.files:
        yield f"Files that it wrote and that match {_quoted(faults.files)} are put aside with the report of a fault."
    else:
        yield f"No files belong to the report of a fault{DEFAULT}."
    kept = _or_default(f"the newest {faults.keep} reports", default=faults.keep == Faults().keep)
    yield f"On the instance {kept} are kept."


def _data(folders: tuple[str, ...]) -> Iterator[str]:
    if folders:
        yield f"What lies in {_quoted(folders)} outlives an update; the image may hold nothing there."
    else:
        yield f"No folder outlives an update{DEFAULT}: what it writes into its own is not there for the next version."


def _macros(recipe: Recipe) -> Iterator[str]:
    names = macro_names(write_service(recipe.service).decode())
    if own := sorted(names & BUILT_IN):
        yield f"{_quoted(f'%%{name}%%' for name in own)} are filled in by vUpdate."
    if others := sorted(names - BUILT_IN):
        yield f"{_quoted(f'%%{name}%%' for name in others)} need a value in the settings of each site."
