"""What a version's tree says of how to run it."""

from pathlib import Path

import pytest

from agent import settings
from agent.errors import UnfitError
from agent.home import Home, Unit
from agent.settings import Place
from federation.errors import InvalidValueError
from federation.macros import UnknownMacroError
from federation.names import InstanceName, NodeName, ServiceKey
from federation.versions import ClientVersion

PLACE = Place(node=NodeName("globex"), instance=InstanceName("web-1"))
VERSION = ClientVersion("acme-1.0.0")
RECIPE = """
[services.shop.run]
command = ["./shop", "%%role%%", "%%version%%"]
env = { WHERE = "%%instance%% of %%node%%", VUPDATE_RUN = "forged", PATH = "/mine" }
health = { http = "http://127.0.0.1/%%service%%" }
[services.shop.install]
after_switch = [ { run = ["./migrate", "%%role%%"], env = { R = "%%role%%" } } ]
"""


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Home(tmp_path).unit(ServiceKey("shop:worker"))


def load(unit: Unit, content: str | bytes) -> settings.Runnable:
    tree = unit.version(VERSION)
    tree.mkdir(parents=True, exist_ok=True)
    (tree / "vupdate.toml").write_bytes(content.encode() if isinstance(content, str) else content)
    return settings.load(tree, unit, VERSION, PLACE)


def test_macros_are_filled(unit: Unit) -> None:
    """Command, environment, health check and hooks know who and where they are."""
    runnable = load(unit, RECIPE)
    run = runnable.service.run
    assert run.command == ("./shop", "worker", "acme-1.0.0")
    assert run.env["WHERE"] == "web-1 of globex"
    assert run.health.http == "http://127.0.0.1/shop"
    (hook,) = runnable.service.install.after_switch
    assert (hook.run, hook.env) == (("./migrate", "worker"), {"R": "worker"})


def test_the_environment(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds little, the recipe's part wins over ours but for what names the run."""
    monkeypatch.setenv("SECRET", "x")
    env = load(unit, RECIPE).env
    assert "SECRET" not in env
    assert env["PATH"] == "/mine"
    assert env["VUPDATE_SERVICE"] == "shop:worker"
    assert env["VUPDATE_VERSION"] == "acme-1.0.0"
    assert env["VUPDATE_INSTANCE"] == "web-1"


def test_an_unknown_macro(unit: Unit) -> None:
    """A macro without a value is an error that names it; such a version is unfit."""
    with pytest.raises(UnknownMacroError, match="nobody"):
        load(unit, '[services.shop.run]\ncommand = ["%%nobody%%"]\n')


@pytest.mark.parametrize("content", ["", "[services.other.run]\ncommand=['x']", "not toml", b"\xff", "x" * 300_000])
def test_a_bad_service_file(unit: Unit, content: str | bytes) -> None:
    """A file that doesn't say how to run this service makes the version unfit, with the reason."""
    with pytest.raises((UnfitError, InvalidValueError)):
        load(unit, content)


def test_no_service_file(unit: Unit) -> None:
    """A tree without one, or with a link in its place, is refused."""
    tree = unit.version(VERSION)
    tree.mkdir(parents=True)
    with pytest.raises(UnfitError, match=r"vupdate\.toml"):
        settings.load(tree, unit, VERSION, PLACE)
    (tree / "vupdate.toml").symlink_to("/etc/passwd")
    with pytest.raises(UnfitError, match=r"vupdate\.toml"):
        settings.load(tree, unit, VERSION, PLACE)
