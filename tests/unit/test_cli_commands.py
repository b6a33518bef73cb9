"""The commands against a node that answers from a table, over the real schema and a real port."""

import json
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate
from typer.main import get_command

from node.cli import documents, main, uplink
from node.cli.commands import versions
from node.graphql.measure import measured
from node.graphql.schema import COST, DEPTH, schema
from tests.support.cli import Run, leaves, shell
from tests.support.graphql_answers import answers
from tests.support.graphql_server import running
from tests.support.graphql_usecases import FakeUsecases
from tests.support.graphql_values import KEY, PEER_KEY
from tests.support.pairing_values import pairing

ALL = leaves(get_command(main.make_app()))


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A shell for the data folder of this test."""
    return shell(tmp_path, capsys, monkeypatch)


PAIRING = pairing()
COMMANDS = [
    ("status", ["acme", "Alarms: 1 open", "! ask acme", "Services", "guestbook"]),
    ("status", ["acme-1.0.1 failed: exit 3", "Latest faults"]),
    ("pins", ["acme", "globex", KEY.id]),
    (f"pin reset acme --key-id {PEER_KEY.id}", ["takes the place of", "when acme next shows it"]),
    ("alarms", ["origin-key-changed/acme", "3 times", "ask acme"]),
    ("alarms dismiss origin-key-changed/acme", ["hidden until"]),
    ("transfers", ["acme", "guestbook", "2 in all: 1.0 kB moved instead of 4.0 kB, 75.0 % saved"]),
    ("login --role viewer", ["#/login/SECRET"]),
    ("service list", ["guestbook", "built here", "guestbook=/srv/g#HEAD"]),
    ("service add guestbook https://git.example/g.git#main:app", ["guestbook=https://git.example/g.git#main:app"]),
    ("service remove guestbook", ["its versions stay"]),
    ("service site guestbook", ["site=/srv/site#main:gb", "Hello"]),
    ("service site guestbook --macro title=Hi --overlay other=https://git.example/o", ["Hi", "other"]),
    ("service site guestbook", ["settings are watched (on)", "/srv/site main at cccccccccccc, seen"]),
    ("service site guestbook --watch off", ["site=/srv/site#main:gb"]),
    ("service site guestbook --clear", ["runs here as its provider made it"]),
    ("build guestbook --version acme-1.0.1 --comment new", ["Build guestbook: acme-1.0.1"]),
    ("build guestbook --no-wait", ["started as task t1"]),
    ("client-build guestbook", ["Build guestbook: acme-1.0.1"]),
    ("client-build guestbook shop", ["Build guestbook: acme-1.0.1"]),
    ("client-build --all", ["Build guestbook: acme-1.0.1"]),
    ("client-build --all --no-wait", ["started as task t1", "started as task t3"]),
    ("versions list guestbook --first 3", ["acme-1.0.0", "5.0 GB", "first", "WITHDRAWN by acme"]),
    ("versions show guestbook acme-1.0.0", ["file:///srv/guestbook at aaaa", "manifest"]),
    (
        "versions compare guestbook acme-1.0.0 acme-1.0.1 --first 3",
        ["1.2 kB", "1.3 kB", "link to run", "removed  old.txt", "1 added, 1 removed, 2 changed"],
    ),
    ("versions compare guestbook acme-1.0.0 acme-1.0.0", ["of guestbook are the same image"]),
    ("versions yank guestbook acme-1.0.0 --reason loses", ["guestbook acme-1.0.0 is withdrawn: loses entries"]),
    ("versions unyank guestbook acme-1.0.0", ["not withdrawn any more"]),
    ("catalog list", ["public", "everybody", "1 of 1, on this node", "have root 4 signed"]),
    ("catalog show public", ["serial", "next root", "timestamp", "To do: have root 4 signed"]),
    ("catalog rotate public timestamp snapshot", ["Done:", "signed root 4", "Left:"]),
    ("desired show", ["developer versions, revision 4 by ann", "client versions"]),
    ("desired show --kind client", ["client versions, revision 4"]),
    ("desired set guestbook=acme-1.0.1 --why test", ["revision 5", "acme-1.0.1"]),
    ("desired set guestbook=acme-1.0.1 --seen 9", ["revision 10"]),
    ("desired unset guestbook --kind client", ["revision 5"]),
    ("desired history --before 9", ["guestbook → acme-1.0.0", "ann"]),
    ("desired rollback 3", ["revision 5"]),
    ("profile list", ["public", "guestbook"]),
    ("profile set public guestbook shop", ["public shares guestbook, shop"]),
    ("profile set public", ["public shares nothing"]),
    ("profile set public guestbook --public", ["Everybody may read its catalogue"]),
    ("profile remove public", ["public is gone"]),
    ("invite public", ["vui1:SECRET"]),
    ("invite public --deny states", ["vui1:SECRET"]),
    ("provider list", ["guestbook acme-1.0.0", "install"]),
    ("provider check acme", ["acme offers guestbook acme-1.0.1"]),
    ("provider update acme", ["acme-1.0.1"]),
    ("provider address acme http://127.0.0.1:7420", ["acme is reached at http://127.0.0.1:7420", "its key answered"]),
    ("provider auto acme download", ["auto-update from acme"]),
    ("provider builds acme on", ["calls in at acme for builds to run here"]),
    ("provider window acme daily_22:00-05:00", ["made by themselves within daily_22:00-05:00"]),
    ("provider window acme off", ["at any time"]),
    ("provider require-tested acme globex", ["what globex marked as tested"]),
    ("provider require-tested acme off", ["whatever it offers"]),
    (
        "provider explain guestbook",
        [
            "acme-1.0.0 from acme, since",
            "by auto-update from acme at",
            "acme-1.0.0_1; the next one failed 2 times",
            "hold",
            "held until globex marks acme-1.0.1 as tested",
            "evil could not be read",
            "exit 3",
        ],
    ),
    ("provider remove acme", ["no provider"]),
    ("nearby", ["globex", "stranger", "https://globex.example:7420"]),
    ("pairings", ["globex takes versions", "compare the codes", "rejected on acme", str(PAIRING.code)[:3]]),
    ("pair globex", ["Pairing", "with globex: code", "vupdate pairing confirm"]),
    ("pair globex --give public", ["with globex: code"]),
    (f"pairing confirm {PAIRING.id} --code 123456 --profile public", ["is a consumer of this node now, for profile"]),
    (f"pairing reject {PAIRING.id}", ["the pairing with globex is rejected"]),
    ("consumer list", ["globex", "faults, states, take, task-logs"]),
    ("consumer show globex", ["acme-1.0.0_1", "running", "2 more instances", "all well", "12 × fault of guestbook"]),
    ("consumer rights globex", ["globex may: faults, states, take, task-logs"]),
    ("consumer rights globex --deny states --allow builds", ["globex may"]),
    ("consumer profile globex public-services", ["globex takes profile"]),
    ("consumer tester globex on", ["are shown to the other consumers"]),
    ("provider redaction acme", ["as they are", "always blotted out", "by their names"]),
    ("provider redaction acme --faults counts --no-states --mask db-*.corp", ["states"]),
    ("provider preview acme", ['{"sequence":7}', "nothing is sent: no"]),
    ("tested mark --service guestbook --comment fine", ["acme is told: guestbook acme-1.0.0 passed"]),
    ("outbox", ["acme: 1 waiting, 1.0 kB, not reached: acme is away", "acme/fault/f", "guestbook acme-1.0.0"]),
    ("outbox show acme/states/states", ['{"sequence":7}']),
    ("outbox retry acme/fault/f", ["is sent again"]),
    ("outbox drop acme/fault/f", ["will not be sent"]),
    ("consumer remove globex", ["no consumer"]),
    ("instance list", ["web-1", "all that is desired", "acme-1.0.1 failed"]),
    ("instance assign web-1 guestbook shop:worker", ["web-1 is to run guestbook, shop:worker"]),
    ("instance assign web-1 --all", ["all that is desired"]),
    ("instance label web-1 gpu site=berlin", ["web-1 has gpu, site=berlin"]),
    ("service place shop:worker gpu", ["shop:worker is to run where an instance has gpu: now nowhere"]),
    ("service place shop:worker --anywhere", ["nothing is said any more"]),
    ("versions provenance guestbook acme-1.0.0", ["globex", "ANOTHER IMAGE", "sandbox", "main 000000000000"]),
    ("builders", ["acme", "provider", "consumer", "yes", "0 of 1", "0.5 on 4", "globex", "has not granted"]),
    ("versions rebuild guestbook acme-1.0.0 --no-wait", []),
    ("build guestbook --on any --no-wait", []),
    ("build explain 3f2a", []),
    ("service builders", ["guestbook", "1"]),
    (f"service builders guestbook {KEY.id} {PEER_KEY.id} --require 1", ["once 1 of 2 builders agree"]),
    ("service builders guestbook --anybody", ["whoever built them"]),
    ("service entrust", ["guestbook", "acme", KEY.id]),
    ("service entrust guestbook acme", ["builds of guestbook at acme", "can read them"]),
    ("service entrust guestbook --nobody", ["nothing of guestbook is handed"]),
    ("service placements", ["shop:worker", "gpu"]),
    ("service secret list guestbook", ["tls.key", "by the recipe", "at conf/db.password", "1.7 kB", "ann", "0f0f"]),
    ("service add guestbook /srv/shop --tag", ["guestbook=/srv/shop#HEAD"]),
    ("credential list", ["https://git.example/shop/", "password", "builder", "ann", "ssh://git@git.example/", "0f0f"]),
    ("credential remove https://git.example/shop/", ["what was kept for https://git.example/shop/ is gone"]),
    ("service secret remove guestbook tls.key", ["tls.key of guestbook is gone"]),
    ("instance move shop:worker web-1 web-2", ["is to run guestbook, shop:worker (once web-1 has left it)"]),
    (
        "instance runs web-1 guestbook",
        ["runs", "its end was not seen", "killed by SIGSEGV", "7", "stopped (exit status 0)", "never began: no such"],
    ),
    ("instance revoke web-1", ["turned away"]),
    ("agent enrolment web-1", ["vua1:SECRET"]),
    ("logs --service guestbook --level warning --text boom --run r1 --first 5", ["web-1/guestbook hello"]),
    ("faults list guestbook", ["exited with status 3", "web-1 → globex"]),
    ("faults show 6f1c1c1e-3a57-4a3e-9f37-0d0a86a7f0aa", ["boom", "in probation", "to acme, not taken yet"]),
    ("tasks list", ["Build guestbook", "running", "succeeded"]),
    ("tasks show t1", ["acme-1.0.1", "succeeded"]),
    ("tasks log t1", ["fetching\nbuilding\nerror: no rule"]),
    ("tasks log t1 --follow", ["fetching\nbuilding\nerror: no rule"]),
    ("tasks cancel t1", ["cancelled"]),
    ("tasks resume t1", ["Build guestbook: acme-1.0.1"]),
    ("tasks resume t1 --no-wait", ["started as task t2"]),
]


@pytest.fixture
def node(tmp_path: Path) -> Any:
    """A node that runs for the data folder of this test."""
    with running(FakeUsecases(answers()), tmp_path) as node:
        yield node


def test_each_command_shows_what_people_want_to_know(run: Run, node: object) -> None:
    """Each command that asks a node does its work and says so in words, without control characters."""
    for command, expected in COMMANDS:
        ran = run(*command.split())
        assert ran.status == 0, f"{command}: {ran.err}"
        for text in expected:
            assert text in ran.out, f"{command}: {ran.out}"
        assert "\x1b" not in ran.out


def test_each_command_prints_one_json_document_for_tools(run: Run, node: object) -> None:
    """With --json there is one document on standard output (a line each where it follows), and no word beside it."""
    for command, _ in COMMANDS:
        ran = run(*command.split(), "--json")
        assert ran.status == 0, f"{command}: {ran.err}"
        if "--follow" in command:
            assert [json.loads(line)["sequence"] for line in ran.out.splitlines()] == [1, 2, 3]
        else:
            assert json.loads(ran.out) is not None
        assert ran.err == "", command


def test_every_command_of_a_node_is_among_those_tested() -> None:
    """A new command can't be forgotten here."""
    tested = {" ".join(command.split()[:words]) for command, _ in COMMANDS for words in (1, 2, 3)}
    # Those that need files of their own have tests of their own.
    local = {"catalog key new", *(f"catalog root {verb}" for verb in ("prepare", "sign", "publish"))}
    local |= {"credential put"} | {f"recipe {verb}" for verb in ("init", "check", "explain", "schema", "convert")}
    local |= {
        "init",
        "serve",
        "demo",
        "provider add",
        "key rotate",
        "faults files",
        "service secret put",
        "credential put",
    } | {
        f"agent {verb}"
        for verb in (
            *("enrol", "enroll", "run", "status", "stop-services", "services", "history", "unit", "address"),
            *("stop", "start", "restart", "hold", "release", "retry", "repair"),
        )
    }
    assert {" ".join(path) for path in ALL} <= tested | local


DOCUMENTS = {
    name: text
    for name, text in {**vars(documents), **uplink.DOCUMENTS, "COMPARE": versions.COMPARE}.items()
    if name.isupper() and name[0] != "_"
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_commands_ask_is_in_the_schema_and_within_its_limits(name: str) -> None:
    """Each document is valid, and asks for no more than the API gives."""
    document = parse(DOCUMENTS[name])
    assert validate(schema()._schema, document) == []
    extent = measured(schema()._schema, document, {"first": 1000})
    assert extent.depth <= DEPTH
    assert extent.cost <= COST
