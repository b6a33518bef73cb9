"""Copy rules: what goes into an image and what never does."""

import os
from pathlib import Path

import pytest

from build.copying import Plan, carry_out, plan_copies
from build.errors import BuildFailedError
from build.recipe import CopyRule
from build.threads import Halt, HaltedError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A build's folder after its commands."""
    folder = tmp_path / "src"
    for path in ("dist/app.js", "dist/app.js.map", "dist/config/a.toml", "dist/config/b.json", "bin/run", "README",
                 ".git/config", "vendor/lib/.git", "vendor/lib/x"):  # fmt: skip
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    (folder / "bin/run").chmod(0o700)
    return folder


def planned(root: Path, *rules: CopyRule) -> Plan:
    return plan_copies(root, rules, Halt())


def paths(root: Path, *rules: CopyRule) -> list[str]:
    return sorted(planned(root, *rules).files)


def test_a_folder_lands_with_what_it_holds(root: Path) -> None:
    """Of a folder its contents are taken, less what is excepted, and expand names what a client build fills in."""
    rule = CopyRule(source="dist", excluded=("*.map",), expand=("config/*.toml",))
    plan = planned(root, rule)
    assert sorted(plan.files) == ["app.js", "config/a.toml", "config/b.json"]
    assert plan.expand == ("config/a.toml",)
    moved = planned(root, CopyRule(source="dist", target="web/x", expand=("*.toml",)))
    assert moved.expand == ("web/x/config/a.toml",)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (".", ["README", "bin/run", "dist/app.js", "dist/app.js.map", "dist/config/a.toml", "dist/config/b.json",
               "vendor/lib/x"]),
        ("bin/run", ["run"]),
        ("dist/*.js", ["app.js"]),
        ("dist/config", ["a.toml", "b.json"]),
        ("dist/c*", ["config/a.toml", "config/b.json"]),
        ("dist/**/*.toml", ["config/a.toml"]),
        ("**/*.json", ["dist/config/b.json"]),
        ("*", ["README", "bin/run", "dist/app.js", "dist/app.js.map", "dist/config/a.toml", "dist/config/b.json",
               "vendor/lib/x"]),
    ],
)  # fmt: skip
def test_sources(root: Path, source: str, expected: list[str]) -> None:
    """A source is a file, a folder or a glob; what Git keeps for itself is never copied."""
    assert paths(root, CopyRule(source=source)) == expected


@pytest.mark.parametrize("source", ["absent", "*.absent", ".git", ".git/config", "absent/*"])
def test_a_rule_that_finds_nothing_fails(root: Path, source: str) -> None:
    """A rule that takes nothing is a mistake, not an empty image."""
    with pytest.raises(BuildFailedError, match="finds no file: does the build make it"):
        planned(root, CopyRule(source=source))
    with pytest.raises(BuildFailedError, match=r"expand = \['\*.absent'\] matches none"):
        planned(root, CopyRule(source="dist", expand=("*.absent",)))


def test_of_two_rules_for_a_path_the_later_counts(root: Path) -> None:
    """A later rule replaces a file of an earlier one."""
    plan = planned(root, CopyRule(source="dist"), CopyRule(source="README"), CopyRule(source="bin/run"))
    assert plan.files["README"] == root / "README"
    (root / "other").mkdir()
    (root / "other/README").write_text("other")
    plan = planned(root, CopyRule(source="README"), CopyRule(source="other"))
    assert plan.files["README"] == root / "other/README"


def test_rules_that_clash_are_refused(root: Path) -> None:
    """A path can't be a file by one rule and a folder by another."""
    with pytest.raises(BuildFailedError, match="copy rules clash: 'README' would be a file and hold 'README/run'"):
        planned(root, CopyRule(source="README"), CopyRule(source="bin", target="README"))


def test_modes_are_kept_and_links_stay_links(root: Path, tmp_path: Path) -> None:
    """An executable stays one, all else is plain, and a link inside is copied as it is."""
    (root / "bin/link").symlink_to("run")
    (root / "bin/folder").symlink_to("../dist")
    tree = tmp_path / "tree"
    tree.mkdir()
    carry_out(planned(root, CopyRule(source=".")), tree, Halt())
    assert (tree / "bin/run").stat().st_mode & 0o777 == 0o755
    assert (tree / "README").stat().st_mode & 0o777 == 0o644
    assert (tree / "bin/link").readlink() == Path("run")
    assert (tree / "bin/folder").readlink() == Path("../dist")


def test_what_is_no_file_is_refused(root: Path, tmp_path: Path) -> None:
    """A pipe or a device is no part of an image."""
    os.mkfifo(root / "dist/pipe")
    (tmp_path / "tree").mkdir()
    with pytest.raises(BuildFailedError, match="'dist/pipe' is neither a file nor a link"):
        carry_out(planned(root, CopyRule(source=".")), tmp_path / "tree", Halt())


def test_copying_stops_when_told(root: Path, tmp_path: Path) -> None:
    """A cancel ends the copying between two files."""
    plan = planned(root, CopyRule(source="."))
    (tmp_path / "tree").mkdir()
    halt = Halt()
    halt.tell()
    with pytest.raises(HaltedError):
        carry_out(plan, tmp_path / "tree", halt)
    assert list((tmp_path / "tree").iterdir()) == []
