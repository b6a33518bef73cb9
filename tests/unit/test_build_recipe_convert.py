"""The recipe that an ``update.json`` comes to, key by key, and what is told of it."""

import json
from typing import Any

import pytest

from build.earlier import Converted, convert
from build.earlier.read import ConvertError
from build.recipe import Recipe, parse_recipe
from federation.names import ServiceName

SHOP = ServiceName("shop")

FULL: dict[str, Any] = {
    "service": "shop",
    "build": {
        "buildCommands": [
            {
                "command": "sbt",
                "args": ["assembly", "-Dv=%%version%%"],
                "env": {"CI": "1", "V": "%%version%%"},
                "directory": "core",
                "exitCode": 3,
                "outputMatch": "(?s).*done.*",
            },
            {"command": "my make"},
        ],
        "copyFiles": [
            {"sourceFile": "bin/run.sh", "destinationFile": "bin/run.sh"},
            {"sourceFile": "target/lib", "destinationFile": "jars/lib"},
            {"sourceFile": "dist", "destinationFile": "www/", "except": ["a.map", "x/[y].map"]},
            {"sourceFile": "a-%%version%%.jar", "destinationFile": "a.jar"},
            {"sourceFile": ".", "destinationFile": ".", "except": ["tmp/x"]},
        ],
    },
    "install": {
        "installCommands": [{"command": "./migrate", "args": ["--check"], "exitCode": 0}],
        "postInstallCommands": [{"command": "./migrate", "args": ["%%profile%%", "%%version%%", "%%site%%"]}],
        "runService": {
            "command": "./shop",
            "args": ["--role", "%%role%%"],
            "env": {"LEVEL": "info"},
            "writeLogs": {"directory": "log", "filePrefix": "shop", "maxFileSizeMB": 10, "maxFilesCount": 5},
            "uploadLogs": True,
            "faultFilesMatch": r"core|.*\.hprof",
            "restartOnFault": False,
            "restartConditions": {
                "maxMemoryMB": 512,
                "maxCpu": {"percents": 150, "durationSec": 60},
                "makeCore": True,
                "checkTimeoutMs": 1000,
            },
        },
    },
}

GOLDEN = r"""# Converted from update.json; the comments say where the two differ.
# Look it over, then: vupdate recipe check && vupdate recipe explain

[services.shop.build]
# builds had the network: take this line out if the commands do without
network = true
# a command ends after 10m unless 'timeout' says otherwise; before there was no limit
# without exitCode ([1]) any status was a success; here it must be 0 unless 'exit' says otherwise
commands = [
@COMMANDS@
]
# a pattern such as "[a]b" stands for "ab", be it a file or a folder, and keeps its name
copy = [
    { from = "bin/run.sh", to = "bin" },
    { from = "target/[l]ib", to = "jars" },
    # leaves out a.map at every depth, not only at the top of the folder as before
    { from = "dist", to = "www", except = ["a.map", "x/[[]y].map"] },
    { from = ".vupdate-copies/3" },
    { from = ".", except = ["tmp/x", ".vupdate-copies"] },
]

[services.shop.install]
# a command ends after 10m unless 'timeout' says otherwise; before there was no limit
before_stop = [
    { run = ["./migrate", "--check"] },
]
# a command ends after 10m unless 'timeout' says otherwise; before there was no limit
# without exitCode (all of them) any status was a success; here it must be 0 unless 'exit' says otherwise
# %%version%% is the client version here, such as acme-1.4.2_1; before it was the developer version
# %%site%% needs a value in the settings of each site
after_switch = [
    { run = ["./migrate", "%%role%%", "%%version%%", "%%site%%"] },
]

[services.shop.run]
command = ["./shop", "--role", "%%role%%"]
env = { LEVEL = "info" }
restart = { policy = "never" }
# core_dump has any crash leave a core dump, not only a stop for one of these limits
# vUpdate watches limits by itself: the interval of 1000 ms is not converted
limits = { memory = "512MiB", cpu = "150%/1m", core_dump = true }
# the agent keeps logs in a folder of its own: log and shop are not used
logs = { upload = true, max_file = "10MiB", files = 5 }
faults = { files = ["core", "*.hprof"] }
"""
VERSION = r"\"$VUPDATE_VERSION\""
COMMANDS = rf"""    {{ run = ["sh", "-c", "export V={VERSION}; exec sbt assembly -Dv={VERSION}"], @ }},
    {{ run = ["my make"] }},
    {{ run = ["sh", "-c", "mkdir -p .vupdate-copies/3 && cp -RH -- a-{VERSION}.jar .vupdate-copies/3/a.jar"] }},"""
REST = r'dir = "core", env = { CI = "1" }, exit = 3, output_match = "\\A(?s-m:.*done.*)\\Z"'


def converted(*services: dict[str, Any]) -> Converted:
    return convert(json.dumps({"update": services}).encode())


def recipe(service: dict[str, Any]) -> Recipe:
    return parse_recipe(converted(service).text.encode())[SHOP]


def service(*, build: dict[str, Any] | None = None, **install: object) -> dict[str, Any]:
    """A service that is as short as can be, and what is given."""
    made: dict[str, Any] = {"service": "shop", "build": {"copyFiles": [], **(build or {})}}
    return made | ({"install": install} if install else {})


def test_each_key_has_its_place_in_the_recipe() -> None:
    """What is converted is what people would write, with a comment above each thing that is different."""
    found = convert(json.dumps({"update": [FULL]}).encode(), lambda path: "file" if path == "bin/run.sh" else None)
    assert found.text == GOLDEN.replace("@COMMANDS@", COMMANDS.replace("@", REST))
    assert found.services == ("shop",)
    comments = [line.strip().removeprefix("# ") for line in GOLDEN.splitlines()[2:] if line.strip().startswith("#")]
    assert [note.text for note in found.notes] == comments
    assert {note.service for note in found.notes} == {"shop"}
    places = [note.place for note in found.notes]
    assert "update[0].build.copyFiles[2].except" in places
    assert "update[0].install.runService.restartConditions.checkTimeoutMs" in places


def test_install_may_stand_in_both_places_but_not_at_once() -> None:
    """The published description shows it inside of build, real files have it beside."""
    inside = {"service": "shop", "build": FULL["build"] | {"install": FULL["install"]}}
    beside = converted(FULL)
    found = converted(inside)
    assert found.text == beside.text
    assert "update[0].build.install.runService.writeLogs" in [note.place for note in found.notes]
    with pytest.raises(ConvertError, match=r"^update\[0\]: 'install' stands both beside and inside 'build'"):
        converted(inside | {"install": {}})


def test_what_is_left_out_is_what_it_was_by_default() -> None:
    """Defaults of the two systems differ: those of the old one are written down."""
    run = recipe(service(runService={"command": "./shop"})).service.run
    assert run.command == ("./shop",)
    assert run.restart.policy == "always"
    assert not run.logs.upload
    assert run.faults.files == ("core",)
    assert not run.limits.core_dump


def test_older_names_are_read_too() -> None:
    """logWriter and logUploader are what writeLogs and uploadLogs were called; both at once are a mistake."""
    logs = FULL["install"]["runService"]["writeLogs"] | {"dateFormat": "HH:mm"}
    old = service(
        runService={"command": "x", "logWriter": logs, "logUploader": {"writer": {}}, "faultFilesMatch": None}
    )
    found = recipe(old).service.run
    assert (found.logs.upload, found.logs.max_file_bytes, found.logs.files) == (True, 10 * 2**20, 5)
    told = "\n".join(f"{note.place}: {note.text}" for note in converted(old).notes)
    assert "logWriter.dateFormat: dates are recognised or added by vUpdate: the format HH:mm is not" in told
    assert "logUploader: writer has no counterpart" in told
    with pytest.raises(ConvertError, match="keep one of them"):
        converted(service(runService={"command": "x", "writeLogs": logs, "logWriter": logs}))
    with pytest.raises(ConvertError, match="keep one of them"):
        converted(service(runService={"command": "x", "uploadLogs": True, "logUploader": {}}))


def test_a_service_that_ran_nothing_waits_and_is_told_of() -> None:
    """Every service of a recipe runs: what takes the place of none is named, and what to do."""
    found = converted(service())
    assert 'copy = [\n    { from = "vupdate.toml" },\n]' in found.text
    assert [note.place for note in found.notes] == ["update[0].build.copyFiles", "update[0].install"]
    assert "every service of vUpdate runs" in found.notes[1].text


@pytest.mark.parametrize(
    "settings",
    [{"a": "1", "b": "2"}, [{"a": "1"}, {"b": "2"}], [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]],
)
def test_settings_are_read_in_each_of_their_forms(settings: object) -> None:
    """Macro values are filled in by a build command, and named."""
    old = service(build={"copyFiles": [{"sourceFile": "conf", "destinationFile": "etc", "settings": settings}]})
    (command,) = recipe(old).commands
    assert "sed -i -e s/%%a%%/1/g -e s/%%b%%/2/g {} +" in command.run[2]
    assert any("fills in %%a%% = 1, %%b%% = 2 while building" in note.text for note in converted(old).notes)


def test_an_expression_without_a_pattern_is_left_to_a_hand() -> None:
    """Nothing is guessed: the key is a comment that shows the expression."""
    found = converted(service(runService={"command": "x", "faultFilesMatch": "(core|dump)+"}))
    assert '# no pattern says the same as (core|dump)+: write one by hand, such as faults = { files = ["core*"] }' in (
        found.text
    )
    assert parse_recipe(found.text.encode())[SHOP].service.run.faults.files == ()


def test_macros_that_nothing_fills_in_are_named() -> None:
    """A folder, an expression and unknown macros of a build stay as they are, with a note."""
    command = {"command": "x", "args": ["%%role%%"], "directory": "%%version%%", "outputMatch": "%%version%%"}
    old = service(build={"buildCommands": [command]})
    told = {note.place: note.text for note in converted(old).notes}
    for key, macro in (("args", "role"), ("directory", "version"), ("outputMatch", "version")):
        text = f"%%{macro}%% is not filled in here: write it by hand"
        assert told[f"update[0].build.buildCommands[0].{key}"] == text


def build_with(**copy: object) -> str:
    return json.dumps({"update": [service(build={"copyFiles": [copy]})]})


MISTAKES = {
    "": "line 1: not JSON: Expecting value",
    "{": "line 1: not JSON",
    "\ufeff[]": "must be a table, not a list",
    "NaN": "not JSON that can be read: NaN is not a number",
    "[" * 100_000: "not JSON that can be read",
    "9" * 5000: "not JSON that can be read",
    " " * 300_000: "the file is longer than",
    "{}": "'update' is missing",
    '{"update": []}': "update: must have 1 to 100 services, not 0",
    '{"update": [null]}': "update[0]: is null",
    '{"update": [{"service": "shop"}]}': "update[0]: 'build' is missing",
    '{"update": [{"service": "Shop", "build": {"copyFiles": []}}]}': "update[0].service: ",
    '{"update": 1, "update": 2}': "update: stands here more than once",
    json.dumps({"update": [service(), service()]}): "describes more than once: shop",
    json.dumps({"update": [service(runServce={})]}): "update[0].install.runServce: unknown key; did you mean 'runServi",
    json.dumps({"update": [service(runService={"command": ""})]}): "update[0].install.runService.command: the program",
    json.dumps({"update": [service(runService={"command": "\ud800"})]}): "runService.command: holds half of a char",
    json.dumps({"update": [service(runService={"command": "x", "env": {"\ud800": ""}})]}): "env: has a key that holds",
    json.dumps(
        {"update": [service(runService={"command": "x", "env": {"A": None}})]}
    ): "env.A: must be a text, not nul",
    json.dumps({"update": [service(installCommands=[{"command": "x", "directory": "/opt"}])]}): (
        "update[0].install.installCommands[0].directory: '/opt' is an absolute path"
    ),
    json.dumps({"update": [service(installCommands=[{"command": "x", "exitCode": 256}])]}): "exitCode: 256 is not betw",
    json.dumps({"update": [service(installCommands=[{"command": "x", "outputMatch": "a)(b"}])]}): (
        "update[0].install.installCommands[0].outputMatch: 'a)(b' is not a regular expression"
    ),
    json.dumps({"update": [service(build={"buildCommands": [{"command": "%%version%%", "args": ["'" * 32_000]}]})]}): (
        "update[0].build.buildCommands[0]: can't be said by a recipe: holds a zero character or is longer"
    ),
    build_with(
        sourceFile=7, destinationFile="x"
    ): "update[0].build.copyFiles[0].sourceFile: must be a path, not a whol",
    build_with(sourceFile="x"): "update[0].build.copyFiles[0]: 'destinationFile' is missing",
    build_with(sourceFile="x", destinationFile="../y"): "copyFiles[0].destinationFile: '../y' leads out of the root",
    build_with(sourceFile="x", destinationFile="y", except_=[]): "except_: unknown key; did you mean 'except'?",
    build_with(sourceFile="x", destinationFile="y", settings=[{"name": "a"}]): "settings[0]: is ambiguous",
    build_with(sourceFile="x", destinationFile="y", settings=[{"a": "1"}, {"a": "2"}]): "settings[1]: gives the macro",
    build_with(sourceFile="x", destinationFile="y", settings={"a": 1}): "settings.a: must be a text, not a whole num",
    build_with(sourceFile="x", destinationFile="y", settings={"a\n": "1"}): "not the name of a macro",
}


@pytest.mark.parametrize(("content", "told"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_each_mistake_is_told_by_its_place_in_the_old_file(content: str, told: str) -> None:
    """Whatever is wrong, it is the old file that people have before them."""
    with pytest.raises(ConvertError) as refused:
        convert(content.encode())
    assert told in str(refused.value)


def test_what_makes_too_long_a_recipe_is_told() -> None:
    """The bounds of a recipe hold for what is converted too."""
    commands = [{"command": "x", "args": ["a" * 30_000]} for _ in range(8)]
    content = json.dumps({"update": [service(build={"buildCommands": commands}, installCommands=commands[:0])]})
    assert len(convert(content.encode()).text) > 240_000
    copies = [{"sourceFile": f"a{row}", "destinationFile": "b"} for row in range(101)]
    with pytest.raises(ConvertError, match=r"update\[0\]\.build\.buildCommands: can't be said .* 0 to 100 commands"):
        converted(service(build={"copyFiles": copies}))
