"""Sample data for the page's tests: what a node in the middle of a chain shows, in the shapes of schema.graphql.

It decides what ``UiFakeNode`` answers; the way it is asked and told of changes is the fake node's.
"""

import uuid
from typing import Any

from tests.support import ui_builds_sample, ui_links_sample
from tests.support.ui_values import OTHER_IDS, OWN_ID, Document, ago

NODE_ID = OWN_ID
_ACME_ERROR = "RuntimeError: the entries' index is gone"
_ACME_LOG = (
    "listening on 127.0.0.1:8082",
    "GET /health 200 1 ms",
    "Traceback (most recent call last):",
    '  File "guestbook/app.py", line 41, in tick',
    '    raise RuntimeError("the entries\' index is gone")',
    "RuntimeError: the entries' index is gone",
)


def place(instance: str, version: str | None, **more: Any) -> Document:
    """A service on an instance, running ``version`` unless told otherwise."""
    state = {
        "instance": instance,
        "service": "guestbook",
        "phase": "RUNNING",
        "since": ago(40),
        "desired": version,
        "running": version,
        "committed": version,
        "failed": None,
        "error": "",
        "failures": 0,
        "lastExit": "",
        "halted": False,
        "held": False,
        "moved": None,
    }
    return {**state, **more}


def moved(version: str, base: str | None, count: int, full: int) -> Document:
    """What an update cost."""
    return {"version": version, "base": base, "movedBytes": count, "fullBytes": full, "seconds": 0.2}


def service(name: str, **more: Any) -> Document:
    """A service of which nothing is known yet."""
    nothing: Document = {
        "name": name,
        "developed": False,
        "provider": None,
        "sources": [],
        "site": None,
        "developerDesired": None,
        "clientDesired": None,
        "latestDeveloper": None,
        "latestClient": None,
        "running": [],
        "task": None,
        "faults": 0,
        "lastTransfer": None,
        "withdrawn": [],
        "tagged": False,
        "watched": False,
        "looks": [],
    }
    return {**nothing, **more}


def task(key: str, kind: str, title: str, **more: Any) -> Document:
    """A task that succeeded a while ago, unless told otherwise."""
    done = {
        "id": key,
        "kind": kind,
        "title": title,
        "who": "acme",
        "service": "guestbook",
        "subject": "",
        "state": "SUCCEEDED",
        "created": ago(95),
        "started": ago(95),
        "ended": ago(92.6),
        "error": "",
        "result": "",
        "waitsFor": "",
    }
    return {**done, **more}


def run(name: str, version: str, **more: Any) -> Document:
    """A run whose end nobody saw, unless told otherwise."""
    unseen = {"alive": False, "ended": None, "status": None, "signal": None, "stopped": False, "error": ""}
    return {"run": name, "version": version, "lostLines": 0, **unseen, **more}


def line(message: str, level: str = "INFO", sequence: int = 1) -> Document:
    """A record of a service's log."""
    return {"sequence": sequence, "time": ago(76), "level": level, "unit": "", "message": message}


def hop(node: str, seconds: float) -> Document:
    """A node that had a fault report."""
    return {"node": node, "id": OTHER_IDS.get(node, NODE_ID), "received": ago(seconds)}


def fault(instance: str, path: list[Document], **more: Any) -> Document:
    """A crash of acme-1.0.1 in probation."""
    report = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, instance)),
        "service": "guestbook",
        "version": "acme-1.0.1",
        "instance": instance,
        "occurred": ago(75),
        "reason": "exited",
        "exitStatus": 3,
        "signal": None,
        "message": _ACME_ERROR,
        "inProbation": True,
        "putBack": "acme-1.0.0",
        "uptimeSeconds": 0.72,
        "log": list(_ACME_LOG),
        "trace": ["Traceback (most recent call last):", '  File "app.py", line 88', _ACME_ERROR],
        "alike": 4,
        "damaged": ["lib/core.so"],
        "files": ["core.7"],
        "left": [],
        "host": {
            "memoryBytes": 8_300_000_000,
            "memoryFreeBytes": 410_000_000,
            "diskBytes": 64_000_000_000,
            "diskFreeBytes": 12_000_000_000,
            "oomKills": 0,
        },
        "earlier": [{"id": "e1", "occurred": ago(900), "version": "acme-1.0.1", "message": _ACME_ERROR}],
        "path": path,
        "received": ago(74),
        "forwardTo": "acme",
        "forwarded": ago(73),
    }
    return {**report, **more}


def globex() -> Document:
    """All that globex shows: fed by acme, feeding initech and umbrella, with a failed update on one instance."""
    guestbook = service(
        "guestbook",
        provider="acme",
        developerDesired="acme-1.0.1",
        clientDesired="acme-1.0.1",
        latestDeveloper="acme-1.0.1",
        latestClient="acme-1.0.1",
        faults=2,
        lastTransfer={
            "provider": "acme",
            "service": "guestbook",
            **moved("acme-1.0.1", "acme-1.0.0", 1_214, 310_400),
            "at": ago(80),
        },
        running=[
            place(
                "globex-1",
                "acme-1.0.0",
                desired="acme-1.0.1",
                failed="acme-1.0.1",
                error="it ended with status 3 after 0.7 s, before it was healthy for 1.5 s",
                failures=1,
                moved=moved("acme-1.0.1", "acme-1.0.0", 1_198, 310_377),
            ),
            place(
                "globex-2",
                "acme-1.0.1",
                phase="PROBATION",
                committed="acme-1.0.0",
                since=ago(3),
                moved=moved("acme-1.0.1", None, 310_377, 310_377),
            ),
        ],
    )
    shop = service(
        "shop",
        developed=True,
        sources=[{"name": "shop", "url": "https://git.example/shop.git", "ref": "main", "directory": ""}],
        developerDesired="globex-2.4.11",
        clientDesired="globex-2.4.11_2",
        latestDeveloper="globex-2.4.11",
        latestClient="globex-2.4.11_2",
        site={
            "service": "shop",
            "overlays": [{"name": "site", "url": "https://git.example/site.git", "ref": "main", "directory": "shop"}],
            "macros": [],
            "watch": "ON",
        },
        watched=True,
        looks=[
            {
                "url": "https://git.example/site.git",
                "ref": "main",
                "commit": "0123456789abcdef" * 2 + "01234567",
                "tried": ago(140),
                "seen": ago(140),
                "failed": 0,
                "error": "",
            }
        ],
        running=[place("globex-1", "globex-2.4.11_2", service="shop", since=ago(86_400 * 3))],
    )
    mailer = service(
        "mailer",
        provider="acme",
        developerDesired="acme-3.1.0",
        latestDeveloper="acme-3.1.0",
        task=task("t-5", "CLIENT_BUILD", "Make the client version acme-3.1.0 of mailer", service="mailer",
                  state="RUNNING", ended=None, started=ago(4), created=ago(4), subject="acme-3.1.0"),
    )  # fmt: skip
    return {
        "node": {
            "name": "globex",
            "id": NODE_ID,
            "key": "",
            "url": "http://127.0.0.1:8421",
            "version": "0.1.0",
        },
        "me": {"name": "administrator", "role": "ADMINISTRATOR"},
        "services": [guestbook, mailer, shop],
        "profiles": [{"name": "public-services", "services": ["guestbook", "mailer"]}],
        **ui_links_sample.links(),
        **ui_builds_sample.builds(),
        "instances": [_instance("globex-1"), _instance("globex-2")],
        "tasks": [
            mailer["task"],
            task("t-4", "CLIENT_BUILD", "Make the client version acme-1.0.1 of guestbook", created=ago(79),
                 started=ago(79), ended=ago(78.8)),
            task("t-3", "PROVIDER_UPDATE", "Take acme-1.0.1 of guestbook from acme", subject="acme", created=ago(81),
                 started=ago(81), ended=ago(80)),
            task("t-2", "BUILD", "Build globex-2.4.12 of shop", service="shop", state="CANCELLED", who="mia",
                 created=ago(4_000), started=ago(4_000), ended=ago(3_960)),
            task("t-1", "CLIENT_BUILD", "Make the client version acme-1.0.0 of guestbook", created=ago(7_100),
                 started=ago(7_100), ended=ago(7_098)),
        ],
        "faults": [
            fault("initech-1", [hop("initech", 75), hop("globex", 74)], forwarded=None, reason="signalled",
                  exitStatus=None, signal="SIGSEGV", message="the process was killed while it answered /health"),
            fault("globex-1", [hop("globex", 76), hop("acme", 75)]),
        ],
        "runs": {
            "globex-1/guestbook": [
                run("3-c", "acme-1.0.0", started=ago(76), alive=True),
                run("2-b", "acme-1.0.1", started=ago(79), ended=ago(77), status=3, lostLines=7),
                run("1-a", "acme-1.0.0", started=ago(7_000), ended=ago(79), status=0, stopped=True),
            ],
        },
        "logs": {
            "3-c": [line("guestbook listens")],
            "2-b": [line("the entries' index is gone", "ERROR", 2), line("guestbook acme-1.0.1 starts")],
        },
    }  # fmt: skip


def empty() -> Document:
    """A node on its first day."""
    nothing = ("services", "profiles", "instances", "tasks", "faults")
    return {**globex(), **{name: [] for name in nothing}, **ui_links_sample.no_links()}


def _instance(name: str) -> Document:
    return {
        "name": name,
        "id": OTHER_IDS["acme"],
        "enrolled": ago(7_150),
        "seen": ago(2),
        "connected": True,
        "revoked": False,
        "labels": [],
        "clockAheadSeconds": 0,
        "services": None,
        "due": ["guestbook", "mailer", "shop"],
        "states": [],
        "problem": "",
        "awaits": [],
    }
