"""The recipe's own section, ``build``."""

import pytest

from build.private import PrivateRule
from build.recipe import CopyRule, Recipe, RecipeError, parse_recipe, recipe_of
from federation.names import PrivateFileName, ServiceName
from federation.service import Command, Install, Run, Service

SHOP = ServiceName("shop")

EXAMPLE = b"""
[services.shop.build]
commands = [ { run = ["make"], dir = ".", env = { CI = "1" }, timeout = "10m", exit = 0, output_match = "done" } ]
copy     = [ { from = "dist", to = ".", except = ["*.map"], expand = ["config/*.toml"] } ]
private  = [ { name = "tls.key", to = "conf/tls.key" } ]
network  = true

[services.shop.install]
before_stop = [ { run = ["./migrate", "--check"] } ]

[services.shop.run]
command = ["./shop"]
"""


def mistakes(content: bytes) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(content)
    return caught.value


def test_each_key_is_understood() -> None:
    """Every key of the section fills its field, and the others are those of the service file."""
    service = Service(
        name=SHOP,
        run=Run(command=("./shop",)),
        install=Install(before_stop=(Command(run=("./migrate", "--check")),)),
    )
    assert parse_recipe(EXAMPLE) == {
        SHOP: Recipe(
            service=service,
            commands=(Command(run=("make",), env={"CI": "1"}, timeout_seconds=600, output_match="done"),),
            copy=(CopyRule(source="dist", excluded=("*.map",), expand=("config/*.toml",)),),
            private=(PrivateRule(name=PrivateFileName("tls.key"), target="conf/tls.key"),),
            network=True,
        )
    }


def test_without_a_section_all_is_copied() -> None:
    """A service that needs no build is its repository as it stands, and its build gets no network."""
    recipe = recipe_of(b"[services.shop.run]\ncommand = ['./shop']\n", SHOP)
    assert recipe.copy == (CopyRule(source="."),)
    assert not recipe.network
    assert recipe.commands == ()


def test_one_file_may_describe_several_services() -> None:
    """Each service has its own recipe, and asking for another says which there are."""
    content = b"[services.a.run]\ncommand = ['x']\n[services.b.run]\ncommand = ['y']\n"
    assert recipe_of(content, ServiceName("b")).service.run.command == ("y",)
    with pytest.raises(RecipeError, match="describes no service 'shop', only: a, b"):
        recipe_of(content, SHOP)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("comands = []", "line 4: services.shop.build.comands: unknown key; did you mean 'commands'?"),
        ("copy = []", "line 4: services.shop.build.copy: must have 1 to 200 copy rules, not 0"),
        ("copy = [{ to = '.' }]", "line 4: services.shop.build.copy[0]: 'from' is missing"),
        ("copy = [{ from = '/etc' }]", "line 4: services.shop.build.copy[0].from: '/etc' is an absolute path"),
        ("copy = [{ from = 'a', to = 'b/../..' }]", "services.shop.build.copy[0].to: 'b/../..' leads out of the root"),
        ("copy = [{ from = 'a', except = ['..'] }]", "services.shop.build.copy[0].except[0]: '..' leads out"),
        ("copy = [{ from = 'a\\u0000' }]", "a control character"),
        ("network = 'yes'", "line 4: services.shop.build.network: must be true or false, not a text"),
        ("commands = [{ run = 'make' }]", "commands[0].run: must be a list of words, the program first, not a text"),
        ("commands = [{ run = ['make'], timeout = 5 }]", "commands[0].timeout: must be a time in quotes"),
    ],
)
def test_mistakes_are_exact(line: str, message: str) -> None:
    """A mistake is told with its line, its key and what would be right."""
    error = mistakes(
        f"[services.shop.run]\ncommand = ['x']\n[services.shop.build]\n{line}\n".encode().replace(b"'", b'"')
    )
    assert message in str(error)
    assert error.code == "recipe"
    assert error.line == 4


def test_mistakes_in_build_and_run_are_told_together() -> None:
    """One reading tells what is wrong everywhere in the file."""
    error = mistakes(
        b"[services.shop.biuld]\nx = 1\n[services.shop.run]\ncomand = ['x']\n"
        b"[[services.b.build.copy]]\nfrom = 'a'\n[[services.b.build.copy]]\nform = 'a'\n"
    )
    assert [mistake.line for mistake in error.mistakes] == [1, 3, 4, 5, 7, 8]
    assert "services.shop.biuld: unknown key; did you mean 'build'?" in str(error)
    assert "services.b.build.copy[1].form: unknown key; did you mean 'from'?" in str(error)
