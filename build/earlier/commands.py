"""What ``buildCommands``, ``installCommands``, ``postInstallCommands`` and ``runService`` come to. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from build.earlier.globs import globs_of
from build.earlier.shell import is_filled, left_over, shell_word
from build.earlier.text import Item, Line, Remark
from build.earlier.values import OldCommand, OldConditions, OldLogs, OldRun
from federation.macros import BUILT_IN, macro_names
from federation.service import Command
from federation.units import write_seconds

_LIMIT: Final = write_seconds(Command(run=("true",)).timeout_seconds)
_STAND_IN: Final = ["sleep", "infinity"]


def _table(command: OldCommand, run: Sequence[str], env: dict[str, str]) -> dict[str, object]:
    table: dict[str, object] = {"run": list(run)}
    if command.directory != ".":
        table["dir"] = command.directory
    if env:
        table["env"] = env
    if command.exit_code:
        table["exit"] = command.exit_code
    if command.output_match is not None:
        table["output_match"] = command.output_match
    return table


def _unfilled(command: OldCommand, place: str, texts: Iterable[str]) -> tuple[Remark, ...]:
    """On macros where nothing fills them in."""
    fields = {"directory": [command.directory], "outputMatch": [command.output_match or ""], "args": [*texts]}
    return tuple(
        Remark(place=f"{place}.{key}", text=f"{', '.join(found)} is not filled in here: write it by hand")
        for key, found in ((key, _macros(key, words)) for key, words in fields.items())
        if found
    )


def _macros(key: str, words: list[str]) -> tuple[str, ...]:
    if key == "args":
        return left_over(words)
    return tuple(f"%%{name}%%" for name in sorted(set().union(*map(macro_names, words))))


def build_command(command: OldCommand, place: str) -> Item:
    """A build command; its macros become variables of a shell."""
    words = (command.command, *command.args)
    texts = (*words, *command.env.values())
    env, run = dict(command.env), list(words)
    if is_filled(texts):
        exports = "".join(f"export {name}={shell_word(text)}; " for name, text in env.items() if is_filled([text]))
        env = {name: text for name, text in env.items() if not is_filled([text])}
        run = ["sh", "-c", f"{exports}exec {' '.join(map(shell_word, words))}"]
    return Item(table=_table(command, run, env), place=place, remarks=_unfilled(command, place, texts))


def install_command(command: OldCommand, place: str) -> Item:
    """A command around a switch; the agent fills in its macros."""
    run = [_with_role(word) for word in (command.command, *command.args)]
    env = {name: _with_role(text) for name, text in command.env.items()}
    return Item(table=_table(command, run, env), place=place, remarks=_unfilled(command, place, ()))


def _with_role(text: str) -> str:
    """``text`` with the older name of the role replaced."""
    return text.replace("%%profile%%", "%%role%%")


def command_remarks(commands: Sequence[OldCommand], place: str) -> tuple[Remark, ...]:
    """What is different for a list of commands."""
    loose = [f"[{row}]" for row, command in enumerate(commands) if command.exit_code is None]
    text = f"a command ends after {_LIMIT} unless 'timeout' says otherwise; before there was no limit"
    found = [Remark(place=place, text=text)]
    if loose:
        named = ", ".join(loose) if len(loose) < len(commands) else "all of them"
        text = f"without exitCode ({named}) any status was a success; here it must be 0 unless 'exit' says otherwise"
        found.append(Remark(place=place, text=text))
    return tuple(found)


def macro_remarks(texts: Iterable[str], place: str) -> tuple[Remark, ...]:
    """What is different for the macros that an agent fills in."""
    names = set().union(*(macro_names(_with_role(text)) for text in texts))
    found = []
    if "version" in names:
        text = "%%version%% is the client version here, such as acme-1.4.2_1; before it was the developer version"
        found.append(Remark(place=place, text=text))
    unknown = ", ".join(f"%%{name}%%" for name in sorted(names - BUILT_IN))
    if unknown:
        found.append(Remark(place=place, text=f"{unknown} needs a value in the settings of each site"))
    return tuple(found)


def stand_in(place: str) -> tuple[Line, ...]:
    """The run of a service that was installed and never ran."""
    text = (
        "the service was installed and ran nothing, and every service of vUpdate runs: this command only waits; put "
        "the service's own here, or copy these files into the image of the service that uses them"
    )
    remark = Remark(place=place, text=text)
    return (Line(key="command", value=_STAND_IN, place=place, remarks=(remark,)),)


def run_lines(run: OldRun, place: str) -> Iterator[Line]:
    """The keys of the section ``run``."""
    words = [_with_role(word) for word in (run.command, *run.args)]
    macros = macro_remarks([*words, *run.env.values()], place)
    yield Line(key="command", value=words, place=place, remarks=macros)
    if run.env:
        env = {name: _with_role(text) for name, text in run.env.items()}
        yield Line(key="env", value=env, place=f"{place}.env")
    if not run.restart:
        yield Line(key="restart", value={"policy": "never"}, place=f"{place}.restartOnFault")
    if run.conditions:
        yield _limits(run.conditions, f"{place}.restartConditions")
    yield _logs(run, place)
    yield _faults(run, f"{place}.faultFilesMatch")


def _limits(conditions: OldConditions, place: str) -> Line:
    table: dict[str, object] = {}
    remarks = []
    if conditions.memory_mib is not None:
        table["memory"] = f"{conditions.memory_mib}MiB"
    if conditions.cpu:
        table["cpu"] = f"{conditions.cpu.percents}%/{write_seconds(float(conditions.cpu.seconds))}"
    if conditions.core:
        table["core_dump"] = True
        text = "core_dump has any crash leave a core dump, not only a stop for one of these limits"
        remarks.append(Remark(place=f"{place}.makeCore", text=text))
    if conditions.check_ms is not None:
        text = f"vUpdate watches limits by itself: the interval of {conditions.check_ms} ms is not converted"
        remarks.append(Remark(place=f"{place}.checkTimeoutMs", text=text))
    return Line(key="limits", value=table or None, place=place, remarks=tuple(remarks))


def _logs(run: OldRun, place: str) -> Line:
    old, key = (run.log_writer, "logWriter") if run.log_writer else (run.write_logs, "writeLogs")
    table: dict[str, object] = {"upload": run.uploader is not None if run.upload is None else run.upload}
    if old:
        table |= {"max_file": f"{old.max_mib}MiB", "files": old.files}
    remarks = [*_kept_elsewhere(old, f"{place}.{key}")]
    if run.uploader:
        text = f"{', '.join(sorted(run.uploader))[:200]} has no counterpart: the agent uploads in its own way"
        remarks.append(Remark(place=f"{place}.logUploader", text=text))
    return Line(key="logs", value=table, place=f"{place}.{key}", remarks=tuple(remarks))


def _kept_elsewhere(old: OldLogs | None, place: str) -> Iterator[Remark]:
    if old is None:
        yield Remark(place=place, text="no log was kept on the instance; vUpdate keeps the newest files of each run")
        return
    text = f"the agent keeps logs in a folder of its own: {old.directory} and {old.prefix} are not used"
    yield Remark(place=place, text=text)
    if old.date_format is not None:
        text = f"dates are recognised or added by vUpdate: the format {old.date_format} is not converted"
        yield Remark(place=f"{place}.dateFormat", text=text)


def _faults(run: OldRun, place: str) -> Line:
    globs = globs_of(run.fault_files)
    if globs is not None:
        return Line(key="faults", value={"files": list(globs)}, place=place)
    text = f'no pattern says the same as {run.fault_files}: write one by hand, such as faults = {{ files = ["core*"] }}'
    return Line(key="faults", value=None, place=place, remarks=(Remark(place=place, text=text),))
