"""``vupdate recipe convert``: what is written, what is told, and what is left alone."""

import json
from pathlib import Path

import pytest

from tests.support.cli import Run, shell

OLD = {
    "update": [
        {
            "service": "shop",
            "build": {"copyFiles": [{"sourceFile": "run.sh", "destinationFile": "bin/run.sh"}]},
            "install": {"runService": {"command": "bin/run.sh", "restartConditions": {"checkTimeoutMs": 1000}}},
        }
    ]
}
PLACE = "update[0].install.runService"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A shell in a folder with an old file."""
    monkeypatch.chdir(tmp_path)
    Path("update.json").write_text(json.dumps(OLD))
    Path("run.sh").write_text("#!/bin/sh\n")
    return shell(tmp_path, capsys, monkeypatch)


def test_a_recipe_is_written_beside_the_old_file(run: Run) -> None:
    """It passes the check, files that are there have plain rules, and each note names file, key and service."""
    ran = run("recipe", "convert")
    assert ran.status == 0
    assert '{ from = "run.sh", to = "bin" }' in Path("vupdate.toml").read_text()
    limits, logs, last = ran.out.splitlines()
    assert limits.startswith(f"update.json: {PLACE}.restartConditions.checkTimeoutMs: shop: vUpdate watches limits by")
    assert logs.startswith(f"update.json: {PLACE}.writeLogs: shop: no log was kept on the instance; vUpdate keeps")
    assert last == "vupdate.toml: 1 service, 2 notes"
    assert run("recipe", "check").status == 0
    assert sorted(path.name for path in Path().iterdir()) == ["run.sh", "update.json", "vupdate.toml"]


def test_notes_are_data_for_tools(run: Run) -> None:
    """With --json each note has its service, its key and its text."""
    told = run("recipe", "convert", "update.json", "--to", "new.toml", "--json").json
    assert told["file"] == "new.toml"
    assert told["services"] == ["shop"]
    assert told["notes"][1]["service"] == "shop"
    assert told["notes"][1]["key"] == f"{PLACE}.writeLogs"
    assert Path("new.toml").is_file()
    assert not Path("vupdate.toml").exists()


def test_a_recipe_can_be_printed_alone(run: Run) -> None:
    """With '-' it is the output, the notes are beside it, and nothing is written."""
    ran = run("recipe", "convert", "--to", "-")
    assert ran.status == 0
    assert "of 1000 ms is not converted" in ran.err
    assert not Path("vupdate.toml").exists()
    told = run("recipe", "convert", "--to", "-", "--json").json
    assert (told["file"], told["recipe"]) == (None, ran.out)
    run("recipe", "convert")
    assert Path("vupdate.toml").read_text() == ran.out


def test_what_is_there_is_left_alone(run: Run) -> None:
    """A recipe is never replaced, by whichever name."""
    Path("vupdate.toml").write_text("mine")
    for words in ((), ("--to", "run.sh")):
        ran = run("recipe", "convert", *words)
        assert ran.status == 5
        assert "is there already" in ran.err
    assert (Path("vupdate.toml").read_text(), Path("run.sh").read_text()) == ("mine", "#!/bin/sh\n")


def test_mistakes_of_the_old_file_are_told_by_their_keys(run: Run) -> None:
    """Each on its line, with status 1, and nothing is written."""
    wrong = {"service": "Shop", "build": {"copyFiles": [{"sourceFile": 1}]}}
    Path("update.json").write_text(json.dumps({"update": [wrong]}))
    ran = run("recipe", "convert")
    assert ran.status == 1
    assert "update.json: update[0].build.copyFiles[0].sourceFile: must be a path, not a whole number\n" in ran.err
    assert "update.json: update[0].service: " in ran.err
    Path("update.json").write_text("{")
    ran = run("recipe", "convert", "--json")
    assert json.loads(ran.err)["error"]["code"] == "recipe"
    assert json.loads(ran.err)["error"]["message"].startswith("update.json:1: not JSON")
    assert not Path("vupdate.toml").exists()


def test_without_an_old_file_there_is_nothing_to_convert(run: Run) -> None:
    """A missing file has a status of its own."""
    Path("update.json").unlink()
    ran = run("recipe", "convert")
    assert ran.status == 6
    assert "there is no file update.json: it is the file of the earlier system" in ran.err
