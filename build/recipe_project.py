"""Looks at a project's folder and decides how its recipe starts: which tool builds it, what goes along, what is run.

Reads a few small files of the folder. What they say is used only where it is plain: a guess that is wrong costs more
time than a line to fill in.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from build.recipe_starter import CopyLine, Starter
from federation.errors import InvalidValueError
from federation.limits import MIB
from federation.names import ServiceName

_READ_BYTES: Final = 1 * MIB
_FALLBACK: Final = ServiceName("service")
_ENTRY = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*):([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_FILE = re.compile(r"(?!-)[A-Za-z0-9_./-]+", re.ASCII)
_SHELL_SIGNS: Final = frozenset("|&;<>()$`\\*?[]#~=%!{}'\"\n")
_PORT_HINT: Final = "The program that serves; it has to listen where 'health' asks, if you set that."

_PIP: Final = ("python3", "-m", "pip", "install", "--quiet", "--no-compile", "--target", "lib")
# Scripts in lib/bin name the interpreter of the machine that built them, direct_url.json its folder; RECORD has the
# digests of both.
_PIP_LEAVINGS: Final = ("bin/*", "*.dist-info/RECORD", "*.dist-info/direct_url.json", "__pycache__")
_PYTHON_ENV: Final = (("PYTHONPATH", "lib"), ("PYTHONDONTWRITEBYTECODE", "1"))
_PYTHON_PROGRAMS: Final = ("app.py", "main.py", "server.py", "__main__.py")
_PROGRAMS: Final = ("run", "start", "run.sh", "start.sh")


def default_name(folder: Path) -> ServiceName:
    """A service name that resembles the name of ``folder``."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-_")
    try:
        return ServiceName(plain)
    except InvalidValueError:
        return _FALLBACK


def starter_for(folder: Path, service: ServiceName) -> Starter:
    """How the recipe of the project in ``folder`` starts. Blocking.

    Raises:
        OSError: the folder can't be read.
    """
    names = frozenset(entry.name for entry in folder.iterdir())
    for sign, make in _SIGNS:
        if sign in names:
            return make(folder, names, service)
    program = next((name for name in _PROGRAMS if name in names), None)
    return Starter(
        found="nothing that says how it is built was found, so its files are taken as they stand",
        command=(f"./{program or service}",),
        hint="The program that serves, a path in the image or a name found on the PATH.",
    )


def _text(path: Path) -> str:
    """The content of ``path``; nothing where it is missing, too large or no text."""
    try:
        with path.open("rb") as stream:
            content = stream.read(_READ_BYTES + 1)
        return content.decode() if len(content) <= _READ_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _json(path: Path) -> Mapping[str, Any]:
    try:
        return _table(json.loads(_text(path)))
    except (ValueError, RecursionError):
        return {}


def _pyproject(folder: Path, names: frozenset[str], service: ServiceName) -> Starter:
    project = _table(_toml(folder / "pyproject.toml").get("project"))
    if not project:  # it configures tools only
        return _python(folder, names, service)
    return Starter(
        found="a Python project, by its pyproject.toml",
        build=((*_PIP, "."),),
        network=True,
        copy=(CopyLine(source="lib", target="lib", excluded=_PIP_LEAVINGS),),
        command=_python_entry(project, service),
        hint=_PORT_HINT,
        env=_PYTHON_ENV,
    )


def _python_entry(project: Mapping[str, Any], service: ServiceName) -> tuple[str, ...]:
    """The project's first script, called as an installed script calls it; else the module of its name."""
    for entry in _table(project.get("scripts")).values():
        match = _ENTRY.fullmatch(entry) if isinstance(entry, str) else None
        if match is not None:
            return "python3", "-c", f"import sys; from {match[1]} import {match[2]}; sys.exit({match[2]}())"
    name = str(project.get("name", service)).lower()
    module = re.sub(r"[-.]+", "_", name)
    return "python3", "-m", module if _MODULE.fullmatch(module) else service.replace("-", "_")


def _python(_folder: Path, names: frozenset[str], _service: ServiceName) -> Starter:
    program = next((name for name in _PYTHON_PROGRAMS if name in names), _PYTHON_PROGRAMS[0])
    installs = "requirements.txt" in names
    sign = "requirements.txt" if installs else "pyproject.toml"
    own = CopyLine(source=".", excluded=("lib/*", "__pycache__", ".gitignore"))
    libraries = CopyLine(source="lib", target="lib", excluded=_PIP_LEAVINGS)
    return Starter(
        found=f"a Python program, by its {sign}",
        build=((*_PIP, "-r", "requirements.txt"),) if installs else (),
        network=installs,
        copy=(own, libraries) if installs else (CopyLine(source=".", excluded=("__pycache__", ".gitignore")),),
        command=("python3", program),
        hint=_PORT_HINT,
        env=_PYTHON_ENV if installs else _PYTHON_ENV[1:],
    )


def _node(folder: Path, names: frozenset[str], _service: ServiceName) -> Starter:
    package = _json(folder / "package.json")
    install = ("npm", "ci") if "package-lock.json" in names else ("npm", "install")
    scripts = _table(package.get("scripts"))
    if "vite" in _table(package.get("dependencies")) or "vite" in _table(package.get("devDependencies")):
        build = ("npm", "run", "build") if "build" in scripts else ("npx", "vite", "build")
        return _vite((install, build))
    after = (("npm", "run", "build"), ("npm", "prune", "--omit=dev")) if "build" in scripts else ()
    return Starter(
        found="a Node.js project, by its package.json",
        build=(install, *after) if after else ((*install, "--omit=dev"),),
        network=True,
        copy=(CopyLine(source=".", excluded=(".gitignore", "node_modules/.cache")),),
        command=_node_command(package, scripts),
        hint=_PORT_HINT,
        env=(("NODE_ENV", "production"),),
    )


def _node_command(package: Mapping[str, Any], scripts: Mapping[str, Any]) -> tuple[str, ...]:
    """What ``npm start`` would run, without npm between the agent and the service where that is plain."""
    start = scripts.get("start")
    if isinstance(start, str):
        words = () if _SHELL_SIGNS & set(start) else tuple(start.split())
        return words if words[:1] == ("node",) else ("npm", "start")
    main = package.get("main")
    return "node", main if isinstance(main, str) and _FILE.fullmatch(main) else "index.js"


def _vite(build: tuple[tuple[str, ...], ...]) -> Starter:
    return Starter(
        found="a web page built by Vite, by its package.json",
        build=build,
        network=True,
        copy=(CopyLine(source="dist", target="www"),),
        command=("python3", "-m", "http.server", "8080", "--bind", "127.0.0.1", "--directory", "www"),
        hint="Any server of plain files will do; this one needs Python on the instance.",
        health="http://127.0.0.1:8080/",
    )


def _make(_folder: Path, _names: frozenset[str], service: ServiceName) -> Starter:
    return Starter(
        found="a project built by make, by its Makefile",
        build=(("make",),),
        copy=(CopyLine(source=".", excluded=(".gitignore",)),),
        command=(f"./{service}",),
        hint="The program that make builds, a path in the image. Narrow 'copy' down to what it needs.",
    )


def _maven(_folder: Path, names: frozenset[str], _service: ServiceName) -> Starter:
    maven = "./mvnw" if "mvnw" in names else "mvn"
    return Starter(
        found="a Java project built by Maven, by its pom.xml",
        build=((maven, "--batch-mode", "--no-transfer-progress", "package"),),
        network=True,
        copy=(CopyLine(source="target/*.jar", excluded=("*-sources.jar", "*-javadoc.jar", "original-*.jar")),),
        command=("sh", "-c", "exec java -jar *.jar"),
        hint="The one jar that the image holds, whatever its version: it has to be one that can be run.",
    )


_SIGNS: Final[tuple[tuple[str, Callable[[Path, frozenset[str], ServiceName], Starter]], ...]] = (
    ("pyproject.toml", _pyproject),
    ("requirements.txt", _python),
    ("package.json", _node),
    ("pom.xml", _maven),
    ("Makefile", _make),
)
