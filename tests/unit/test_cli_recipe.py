"""``vupdate recipe``: what people and tools are told about a recipe, and the one that a project starts with."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from build.recipe import parse_recipe
from build.recipe_project import default_name
from federation.names import ServiceName
from tests.support.cli import Run, shell

GUESTBOOK = Path(__file__).parents[2] / "examples" / "guestbook"

WRONG = """[services.shop.run]
comand = ["x"]
stop = { grace = "10x" }
"""

FULL = """
[services.shop.build]
commands = [
    { run = ["make", "dist all"], dir = "src", env = { CI = "1" }, timeout = "5m", exit = 3, output_match = "^done" },
    { run = ["true"] },
]
copy = [
    { from = "dist", to = "app", except = ["*.map"], expand = ["config/*.toml", "b.toml"] },
    { from = "run" },
]
network = true
[services.shop.install]
before_stop = [{ run = ["./migrate", "--check"] }]
after_switch = [{ run = ["./migrate", "%%site%%"] }]
[services.shop.run]
command = ["./shop", "--role", "%%role%%"]
env = { LEVEL = "a b" }
stop = { signal = "INT", grace = "30s" }
restart = { policy = "on-failure", backoff = "2s..10m", reset_after = "1h" }
limits = { memory = "512MB", cpu = "150%", core_dump = true }
health = { command = ["./ok"], timeout = "1s" }
logs = { format = "json", upload = false, files = 3 }
faults = { files = ["core*"], keep = 5 }
data = ["data", "uploads"]
after = ["db", "cache:blue"]
[services.api.run]
command = ["./api"]
restart = { policy = "never" }
health = { log = "listening" }
"""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A shell in the folder of this test."""
    monkeypatch.chdir(tmp_path)
    return shell(tmp_path, capsys, monkeypatch)


def test_a_sound_recipe_is_said_to_be(run: Run) -> None:
    """Services and commands are counted, and the status is that of success."""
    ran = run("recipe", "check", str(GUESTBOOK))
    assert ran.status == 0
    assert ran.out.splitlines() == [
        f"{GUESTBOOK / 'vupdate.toml'} is fine: it describes 1 service",
        "  guestbook: 1 build command, no commands around an update",
    ]
    told = run("recipe", "check", str(GUESTBOOK / "vupdate.toml"), "--json").json
    assert told["services"] == [{"service": "guestbook", "buildCommands": 1, "installCommands": 0}]
    assert told["mistakes"] == []


def test_each_mistake_is_told_with_its_place(run: Run) -> None:
    """The lines are of the form that editors jump to, and the status is 1."""
    Path("vupdate.toml").write_text(WRONG)
    ran = run("recipe", "check")
    assert ran.status == 1
    first, second, third = ran.out.splitlines()
    assert first == "vupdate.toml:1: services.shop.run: 'command' is missing"
    assert second == "vupdate.toml:2: services.shop.run.comand: unknown key; did you mean 'command'?"
    assert third.startswith("vupdate.toml:3: services.shop.run.stop.grace: '10x' is not a time")
    assert ran.err == "vupdate: vupdate.toml has 3 mistakes\n"


def test_mistakes_are_data_for_tools(run: Run) -> None:
    """With --json each mistake has its line, its key and its text, and the error its code."""
    Path("vupdate.toml").write_text(WRONG)
    ran = run("recipe", "check", "--json")
    assert ran.status == 1
    assert ran.json["mistakes"][1] == {
        "line": 2,
        "key": "services.shop.run.comand",
        "text": "unknown key; did you mean 'command'?",
    }
    assert json.loads(ran.err)["error"]["code"] == "recipe"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a = \n", "vupdate.toml:1: not TOML: invalid value"),
        (b"\xff", "vupdate.toml:1: not UTF-8 text"),
        (b"#" * 300_000, "vupdate.toml: the file is longer than"),
        (b"[services]\n", "vupdate.toml: services: no service is described here"),
        (b"", "vupdate.toml: 'services' is missing"),
    ],
)
def test_what_is_no_recipe_at_all_is_told_too(run: Run, content: bytes, told: str) -> None:
    """Broken, empty and endless files are mistakes like others."""
    Path("vupdate.toml").write_bytes(content)
    ran = run("recipe", "check")
    assert ran.status == 1
    assert ran.out.startswith(told)


def test_without_a_recipe_the_way_to_one_is_told(run: Run) -> None:
    """A missing file is not a mistake in a recipe: it has a status of its own."""
    for verb in ("check", "explain"):
        ran = run("recipe", verb)
        assert ran.status == 6
        assert "vupdate recipe init" in ran.err


def test_a_recipe_is_explained_from_build_to_faults(run: Run) -> None:
    """Each thing that is written is told, and not as a default."""
    Path("vupdate.toml").write_text(FULL)
    ran = run("recipe", "explain", "--service", "shop")
    assert ran.status == 0
    for sentence in (
        "1. `make 'dist all'` in `src` with CI=1: must end with status 3 within 5m and print what matches `^done`.",
        "2. `true`: must end with status 0 (default) within 10m (default).",
        "The build may use the network.",
        "`dist` is copied to `app` in the image, without `*.map`.",
        "A client build fills in macros in `config/*.toml` and `b.toml` of it.",
        "`run` is copied to the root of the image (default).",
        "While the old version still runs; if one fails, it goes on running:",
        "1. `./migrate --check`: must",
        "Once the new version is current, before it is started; if one fails, the old version is put back:",
        "`./shop --role %%role%%` is started in the version's folder with LEVEL='a b'.",
        "It waits for db and cache:blue on its instance",
        "by SIGINT; what still runs after 30s is killed.",
        "It is started again when it ends by a signal or with another status than 0.",
        "about 2s, doubles from end to end, and is 10m at most; after a run of 1h it begins anew.",
        "It is well while `./ok` ends with status 0 within 1s.",
        "looked at every 5s (default).",
        "not ready within 2m (default), or that fails three checks in a row, is stopped as a fault.",
        "use 512MB of memory together.",
        "use 150 % of a core together, over 30s (default).",
        "A crash leaves a core dump.",
        "Its log lines are read as json.",
        "They stay on the instance.",
        "the newest 3 files are kept on the instance, each of 10MB (default) at most.",
        "match `core*` are put aside",
        "the newest 5 reports are kept.",
        "What lies in `data` and `uploads` outlives an update",
        "`%%role%%` are filled in by vUpdate.",
        "`%%site%%` need a value in the settings of each site.",
    ):
        assert sentence in ran.out, sentence
    assert "./api" not in ran.out


def test_defaults_are_called_defaults(run: Run) -> None:
    """Of a recipe that says next to nothing, all that follows from it is marked."""
    Path("vupdate.toml").write_text("[services.shop.run]\ncommand = ['./shop']\n")
    passages = run("recipe", "explain", "--json").json[0]["passages"]
    unmarked = {
        heading for heading, sentences in passages.items() if not all("(default)" in sentence for sentence in sentences)
    }
    assert unmarked == {"run"}
    assert passages["image"] == [
        "All of the build's folder is copied to the root of the image, without .git (default)."
    ]


def test_what_does_not_apply_is_not_told(run: Run) -> None:
    """A service that is never started again has no waits, and one that says when it is ready fails no later check."""
    Path("vupdate.toml").write_text(FULL)
    passages = run("recipe", "explain", "--service", "api", "--json").json[0]["passages"]
    assert passages["restart"] == ["It is not started again when it ends by itself."]
    assert "A later start that is not ready within 2m (default) is stopped as a fault." in passages["health"]
    assert "macros" not in passages


def test_explaining_needs_a_sound_recipe_and_a_known_service(run: Run) -> None:
    """Mistakes are told instead; a service that is not there is, too, with those that are."""
    Path("vupdate.toml").write_text(WRONG)
    ran = run("recipe", "explain")
    assert ran.status == 1
    assert "vupdate.toml:2: services.shop.run.comand" in ran.err
    Path("vupdate.toml").write_text(FULL)
    ran = run("recipe", "explain", "--service", "shpo")
    assert ran.status == 6
    assert "describes no service 'shpo', only: shop, api" in ran.err


def test_the_schema_is_printed_alone(run: Run) -> None:
    """It can go into a file as it is, with --json or without."""
    schema = run("recipe", "schema").json
    Draft202012Validator.check_schema(schema)
    assert run("recipe", "schema", "--json").json == schema


PYPROJECT = '[project]\nname = "My.Shop"\nversion = "1"\n'
PROJECTS = {
    "a Python project": ({"pyproject.toml": PYPROJECT}, ["python3", "-m", "my_shop"]),
    "a script": (
        {"pyproject.toml": PYPROJECT + '[project.scripts]\nshop = "shop.cli:main"\n'},
        ["python3", "-c", "import sys; from shop.cli import main; sys.exit(main())"],
    ),
    "tools only": ({"pyproject.toml": "[tool.ruff]\n", "main.py": ""}, ["python3", "main.py"]),
    "a broken pyproject": ({"pyproject.toml": "["}, ["python3", "app.py"]),
    "requirements": ({"requirements.txt": "bottle\n", "server.py": ""}, ["python3", "server.py"]),
    "Node.js": ({"package.json": '{"main": "src/index.js"}', "package-lock.json": ""}, ["node", "src/index.js"]),
    "Node.js that is built": (
        {"package.json": '{"scripts": {"build": "tsc", "start": "node dist/a.js --x"}}'},
        ["node", "dist/a.js", "--x"],
    ),
    "Node.js by a shell": ({"package.json": '{"scripts": {"start": "A=1 node a.js"}}'}, ["npm", "start"]),
    "a broken package": ({"package.json": "[1]"}, ["node", "index.js"]),
    "hostile names": ({"package.json": '{"main": "a\\"\\n[x]", "scripts": 7}'}, ["node", "index.js"]),
    "Vite": (
        {"package.json": '{"devDependencies": {"vite": "8"}, "scripts": {"build": "vite build"}}'},
        ["python3", "-m", "http.server", "8080", "--bind", "127.0.0.1", "--directory", "www"],
    ),
    "make": ({"Makefile": "all:\n"}, ["./shop"]),
    "Maven": ({"pom.xml": "<project/>", "mvnw": ""}, ["sh", "-c", "exec java -jar *.jar"]),
    "nothing": ({}, ["./shop"]),
    "a start script": ({"run.sh": ""}, ["./run.sh"]),
}
BUILDS = {
    "a Python project": [["python3", "-m", "pip", "install", "--quiet", "--no-compile", "--target", "lib", "."]],
    "Node.js": [["npm", "ci", "--omit=dev"]],
    "Node.js that is built": [["npm", "install"], ["npm", "run", "build"], ["npm", "prune", "--omit=dev"]],
    "Vite": [["npm", "install"], ["npm", "run", "build"]],
    "make": [["make"]],
    "Maven": [["./mvnw", "--batch-mode", "--no-transfer-progress", "package"]],
    "nothing": [],
}


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_starts_with_a_sound_recipe(run: Run, name: str) -> None:
    """Whatever the project, what is written passes the check, and runs what the project's files say."""
    files, command = PROJECTS[name]
    for path, content in files.items():
        Path(path).write_text(content)
    ran = run("recipe", "init", "--service", "shop")
    assert ran.status == 0, ran.err
    checked = run("recipe", "check")
    assert checked.status == 0, checked.out
    recipe = parse_recipe(Path("vupdate.toml").read_bytes())[ServiceName("shop")]
    assert list(recipe.service.run.command) == command
    if name in BUILDS:
        assert [list(one.run) for one in recipe.commands] == BUILDS[name]
    assert {path.name for path in Path().iterdir()} == {*files, "vupdate.toml"}


@pytest.mark.parametrize("name", PROJECTS)
def test_each_commented_key_can_be_used_as_it_stands(run: Run, name: str) -> None:
    """The keys in comments are examples that work, not only ones that look so."""
    for path, content in PROJECTS[name][0].items():
        Path(path).write_text(content)
    run("recipe", "init", "--service", "shop")
    text = Path("vupdate.toml").read_text()
    used = re.sub(r"(?m)^# (?=[a-z_]+ = )", "", text)
    assert used.count("\n# ") < text.count("\n# ") - 6
    parse_recipe(used.encode())


def test_a_recipe_is_never_replaced(run: Run) -> None:
    """What is there stays, be it a broken link, and nothing is left beside it."""
    Path("vupdate.toml").write_text("mine")
    ran = run("recipe", "init")
    assert ran.status == 5
    assert "is there already" in ran.err
    assert Path("vupdate.toml").read_text() == "mine"
    Path("vupdate.toml").unlink()
    Path("vupdate.toml").symlink_to("nowhere")
    assert run("recipe", "init").status == 5
    assert [path.name for path in Path().iterdir()] == ["vupdate.toml"]


def test_a_recipe_is_started_elsewhere(run: Run) -> None:
    """The folder gives the name; one that is missing, and a name that is none, are told before anything is written."""
    Path("My Shop").mkdir()
    assert run("recipe", "init", "My Shop", "--json").json["service"] == "my-shop"
    assert run("recipe", "check", "My Shop").status == 0
    assert run("recipe", "init", "missing").status == 2
    ran = run("recipe", "init", "--service", "../etc")
    assert ran.status == 2
    assert "is not a service name" in ran.err
    assert not Path("vupdate.toml").exists()


@pytest.mark.parametrize(("folder", "name"), [("Shop_2", "shop_2"), ("42", "service"), ("été", "t"), ("--a--", "a")])
def test_names_of_services_resemble_those_of_folders(tmp_path: Path, folder: str, name: str) -> None:
    """A folder whose name gives none is a service all the same."""
    assert default_name(tmp_path / folder) == name
