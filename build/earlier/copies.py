"""What ``copyFiles`` comes to: copy rules, and build commands where a rule can't say it. Pure.

A file of the old system was copied *to* a path, a folder's content *into* one, and the file does not say which it is. A
copy rule names the folder that things land in. Where one rule is right in both cases it is used; else a command puts a
copy aside under its new path, and the rule takes that.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

from build.earlier.globs import escaped
from build.earlier.shell import is_filled, left_over, replacement, shell_word
from build.earlier.text import Item, Remark
from build.earlier.values import OldBuild, OldCopy
from build.globs import is_glob
from federation.errors import InvalidValueError
from federation.service import FILE_NAME
from federation.toml.kinds import relative_path

ASIDE: Final = ".vupdate-copies"
"""The folder of a build that copies are put aside in."""

Sort = Literal["file", "folder"]
Look = Callable[[str], Sort | None]
"""What stands at a path of the sources before anything is built; ``None``: nothing that one can see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """``commands``: what has to run after all others. ``remarks``: on the rules as a whole."""

    rules: tuple[Item, ...]
    commands: tuple[Item, ...] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """One entry. ``plain``: its source in the form of a rule, where that can be."""

    old: OldCopy
    place: str
    number: int
    plain: str | None
    sort: Sort | None

    @property
    def aside(self) -> str:
        """Where its copy is put aside."""
        return f"{ASIDE}/{self.number}"

    @property
    def holds_itself(self) -> bool:
        """Whether the folder for copies is inside of what is copied."""
        return set(PurePosixPath(self.old.source).parts) <= {".."}


def copies_of(build: OldBuild, place: str, look: Look) -> Copies:
    """The copy rules for ``build``, whose key is ``place``."""
    where = f"{place}.copyFiles"
    if not build.copies:
        remark = Remark(place=where, text="copyFiles is empty: the image holds the service file alone, as it did")
        return Copies(rules=(Item(table={"from": FILE_NAME}, place=where),), remarks=(remark,))
    entries = [_entry(old, f"{where}[{row}]", row, look) for row, old in enumerate(build.copies)]
    rules = [_plain_rule(entry) for entry in entries]
    pairs = [(entry, rule) for entry, rule in zip(entries, rules, strict=True) if rule is None]
    done = tuple(
        _without_aside(rule, bool(pairs)) if rule else _aside_rule(entry)
        for entry, rule in zip(entries, rules, strict=True)
    )
    bracketed = any("[" in str(item.table["from"]) for item in done)
    remarks = (Remark(place=where, text=_OWN_NAME),) if bracketed else ()
    return Copies(rules=done, commands=tuple(_aside_command(entry) for entry, _ in pairs), remarks=remarks)


_OWN_NAME: Final = 'a pattern such as "[a]b" stands for "ab", be it a file or a folder, and keeps its name'


def _entry(old: OldCopy, place: str, number: int, look: Look) -> _Copy:
    try:
        plain = relative_path(old.source)
    except InvalidValueError:
        plain = None
    if plain is not None and (is_glob(plain) or is_filled([plain, old.destination])):
        plain = None
    sort = look(plain) if plain else None
    if sort is None and (old.source.endswith("/") or plain == "." or old.destination == "." or old.excluded):
        sort = "folder"
    return _Copy(old=old, place=place, number=number, plain=plain, sort=sort)


def _plain_rule(entry: _Copy) -> Item | None:
    """The rule that says the same without a command, if one does."""
    old, plain = entry.old, entry.plain
    if plain is None or old.settings:
        return None
    if entry.sort == "folder":
        return _rule(entry, plain, old.destination, old.excluded, _depth_remarks(entry))
    folder, name = str(PurePosixPath(old.destination).parent), PurePosixPath(old.destination).name
    if name != PurePosixPath(plain).name:
        return None
    if entry.sort == "file":
        return _rule(entry, plain, folder, (), _file_remarks(entry))
    bracketed = _own_name(plain)
    return None if bracketed is None else _rule(entry, bracketed, folder, ())


def _own_name(path: str) -> str | None:
    """A pattern for ``path`` alone: what a pattern finds keeps its name."""
    folder, slash, name = path.rpartition("/")
    row = next((row for row, letter in enumerate(name) if letter.isalnum()), None)
    return None if row is None else f"{folder}{slash}{name[:row]}[{name[row]}]{name[row + 1 :]}"


def _rule(entry: _Copy, source: str, target: str, excluded: Iterable[str], remarks: tuple[Remark, ...] = ()) -> Item:
    table: dict[str, object] = {"from": source}
    if target != ".":
        table["to"] = target
    patterns = [escaped(path) for path in excluded]
    if patterns:
        table["except"] = patterns
    return Item(table=table, place=entry.place, remarks=(*remarks, *_source_remarks(entry)))


def _without_aside(item: Item, is_used: bool) -> Item:
    if not is_used or item.table["from"] != ".":
        return item
    found = item.table.get("except")
    patterns = [*found, ASIDE] if isinstance(found, list) else [ASIDE]
    return Item(table={**item.table, "except": patterns}, place=item.place, remarks=item.remarks)


def _depth_remarks(entry: _Copy) -> tuple[Remark, ...]:
    names = [path for path in entry.old.excluded if "/" not in path]
    if not names:
        return ()
    text = f"leaves out {', '.join(names)} at every depth, not only at the top of the folder as before"
    return (Remark(place=f"{entry.place}.except", text=text),)


def _file_remarks(entry: _Copy) -> tuple[Remark, ...]:
    if not entry.old.excluded:
        return ()
    text = f"{entry.old.source} is a file, of which nothing can be left out: 'except' is not converted"
    return (Remark(place=f"{entry.place}.except", text=text),)


def _source_remarks(entry: _Copy) -> tuple[Remark, ...]:
    source, destination = entry.old.source, entry.old.destination
    found = []
    if source.startswith("/"):
        found.append(f"{source} is outside the sources: name its folder in 'tools' of the node, or builds can't see it")
    elif ".." in PurePosixPath(source).parts:
        found.append(f"{source} is outside the first source: it must lie in another source of the service")
    macros = left_over([source, destination])
    if macros:
        found.append(f"{', '.join(macros)} in a path is not filled in here: write the path by hand")
    return tuple(Remark(place=f"{entry.place}.sourceFile", text=text) for text in found)


def _aside_rule(entry: _Copy) -> Item:
    old = entry.old
    remarks: tuple[Remark, ...] = ()
    if old.destination == ".":
        excluded, remarks = old.excluded, _depth_remarks(entry)
    elif is_filled([old.destination]):
        excluded = ()
        if old.excluded:
            text = f"add what is left out by hand, below the folder {old.destination}: {', '.join(old.excluded)}"
            remarks = (Remark(place=f"{entry.place}.except", text=text),)
    else:
        excluded = tuple(f"{old.destination}/{path}" for path in old.excluded)
    if entry.holds_itself:
        excluded = (*excluded, ASIDE)
    return _rule(entry, entry.aside, ".", excluded, remarks)


def _aside_command(entry: _Copy) -> Item:
    """The command that puts a copy aside, and fills in its settings."""
    old = entry.old
    target = f"{entry.aside}/{old.destination}"
    into = PurePosixPath(target)
    source = "." if entry.plain == "." else old.source
    if old.destination == "." and not entry.holds_itself:
        steps = [f"mkdir -p {entry.aside}", f"cp -RH -- {shell_word(f'{source}/.')} {entry.aside}/"]
    else:
        steps = [f"mkdir -p {shell_word(str(into.parent))}"]
        first = f'"$TMPDIR"/{entry.number}' if entry.holds_itself else shell_word(str(into))
        steps.append(f"cp -RH -- {shell_word(source)} {first}")
        if entry.holds_itself:  # a folder can't be copied into itself
            steps.append(f"mv {first} {shell_word(str(into))}")
    remarks: tuple[Remark, ...] = ()
    if old.settings:
        words = " ".join(f"-e {replacement(name, value)}" for name, value in old.settings.items())
        steps.append(f"find {entry.aside} -type f -exec sed -i {words} {{}} +")
        remarks = (_settings_remark(entry),)
    return Item(table={"run": ["sh", "-c", " && ".join(steps)]}, place=entry.place, remarks=remarks)


def _settings_remark(entry: _Copy) -> Remark:
    values = ", ".join(f"%%{name}%% = {value}" for name, value in entry.old.settings.items())
    text = (
        f"fills in {values} while building, as before; for values of each site's own take the macros out of this "
        "command, name the files in 'expand' of the rule, and set the values in the settings of each site"
    )
    return Remark(place=f"{entry.place}.settings", text=text)
