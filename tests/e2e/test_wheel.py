"""The wheel holds what runs and nothing else, and runs with the sources out of sight."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PACKAGES = {"node", "federation", "agent", "build"}


def _run(*command: str | Path, cwd: Path, home: Path) -> str:
    """The output of ``command``, run far from the checkout: no paths of ours in its environment."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ended = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, f"{command}\n{ended.stdout}"
    return ended.stdout


def _copy_of_sources(target: Path) -> None:
    """What a clone holds, and the page that setup has built of it."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a Git checkout: which files belong to a clone can't be told")
    if not (ROOT / "ui" / "dist" / "index.html").is_file():
        pytest.skip("the web page is not built here: run make setup")
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    shutil.copytree(ROOT / "ui" / "dist", target / "ui" / "dist")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a clean copy of the sources as pip builds it."""
    place = tmp_path_factory.mktemp("wheel")
    _copy_of_sources(place / "source")
    (place / "home").mkdir()
    _run(
        *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"),
        *("--wheel-dir", place / "out", place / "source"),
        cwd=place,
        home=place / "home",
    )
    (built,) = (place / "out").glob("vupdate-*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """The files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment that holds the wheel, and sees this one's libraries but not this checkout.

    A path that a ``.pth`` file adds is searched, but the ``.pth`` files in it are not read: so the libraries are
    found without a download, and what makes this checkout importable here is not.
    """
    place = tmp_path_factory.mktemp("installed")
    venv.create(place / "venv", with_pip=False, symlinks=True)
    python = place / "venv" / "bin" / "python"
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    own = _run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place, home=place).strip()
    (Path(own) / "libraries.pth").write_text("\n".join(sorted(libraries)) + "\n")
    _run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel),
        cwd=place,
        home=place,
    )
    return place / "venv"


def test_the_wheel_holds_our_packages_and_no_others(names: set[str]) -> None:
    """``build`` among them, which a tool's ignore rule likes to drop; neither tests nor examples."""
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == PACKAGES


def test_the_wheel_holds_every_module(names: set[str]) -> None:
    """Each one that the checkout has."""
    ours = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert ours - names == set()
    beside = {name for name in names if name.endswith(".py")} - ours
    assert {name for name in beside if not name.startswith("node/examples_data/")} == set()


def test_the_wheel_holds_the_web_page(names: set[str], wheel: Path) -> None:
    """Whole: every script and style that the page names is in it."""
    assert "node/ui_dist/index.html" in names
    with zipfile.ZipFile(wheel) as archive:
        page = archive.read("node/ui_dist/index.html").decode()
    named = re.findall(r"""(?:src|href)=["']\.?/?(assets/[^"']+)""", page)
    assert any(name.endswith(".js") for name in named)
    assert {f"node/ui_dist/{name}" for name in named} - names == set()


def test_the_wheel_holds_what_the_demo_needs(names: set[str]) -> None:
    """The examples as data, each file of them, without what running them has left behind."""
    assert "node/examples_data/guestbook/vupdate.toml" in names
    examples = {name.removeprefix("node/examples_data/") for name in names if name.startswith("node/examples_data/")}
    missing = {
        name
        for path in (ROOT / "examples").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        for name in [str(path.relative_to(ROOT / "examples"))]
        if name not in examples
    }
    assert missing == set()


def test_the_wheel_holds_no_leavings(names: set[str]) -> None:
    """No byte code, no modules of npm, no sources of the page, no maps of a machine."""
    leavings = re.compile(r"__pycache__|\.pyc$|node_modules|\.tsx?$|\.tmp$|(^|/)\.(git|cache|env)")
    found = {name for name in names if leavings.search(name)}
    assert found - {"node/examples_data/guestbook/.gitignore"} == set()  # the example is a repository of its own


def test_the_wheel_bears_its_licence(names: set[str]) -> None:
    """Apache-2.0, whole."""
    assert [name for name in names if name.endswith("/licenses/LICENSE")]


def test_the_command_runs_without_the_sources(installed: Path, tmp_path: Path) -> None:
    """Version and help, from an empty folder with an empty home."""
    command = installed / "bin" / "vupdate"
    assert re.search(r"\d+\.\d+\.\d+", _run(command, "--version", cwd=tmp_path, home=tmp_path))
    told = _run(command, "--help", cwd=tmp_path, home=tmp_path)
    for noun in ("init", "serve", "demo", "service", "versions", "agent"):
        assert noun in told


def test_all_that_runs_comes_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """Every package of ours lies in the new environment, and all modules import there."""
    program = (
        "import importlib, pkgutil, sys\n"
        "for top in ('federation', 'build', 'agent', 'node'):\n"
        "    package = importlib.import_module(top)\n"
        "    print(package.__file__)\n"
        "    for found in pkgutil.walk_packages(package.__path__, top + '.'):\n"
        "        if not found.name.endswith('__main__') and '.examples_data' not in found.name:\n"
        "            importlib.import_module(found.name)\n"
    )
    places = _run(installed / "bin" / "python", "-c", program, cwd=tmp_path, home=tmp_path).split()
    assert len(places) == 4
    assert [place for place in places if not Path(place).is_relative_to(installed)] == []


def test_the_installed_node_finds_its_page_and_examples(installed: Path, tmp_path: Path) -> None:
    """Beside its own modules."""
    program = (
        "import node, pathlib; here = pathlib.Path(node.__file__).parent\n"
        "print((here / 'ui_dist/index.html').is_file(), (here / 'examples_data/guestbook/app.py').is_file())"
    )
    assert _run(installed / "bin" / "python", "-c", program, cwd=tmp_path, home=tmp_path).split() == ["True", "True"]
