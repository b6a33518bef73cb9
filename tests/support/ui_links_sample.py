"""Sample data for the page's tests on other nodes: alarms, links, verdicts, the outbox, the nodes nearby, pairings."""

from typing import Any, Final

from tests.support.ui_values import OTHER_IDS, Document, ago, ahead

CODE: Final = "042317"
_USUAL: Final = ["FAULTS", "STATES", "TAKE", "TASK_LOGS"]
_REFUSED: Final = (
    "hooli shows a catalogue older than the one seen before (timestamp 41 after 57): nothing of it is taken; "
    "ask its operator whether its disk was put back from a backup"
)


def alarm(kind: str, subject: str, message: str, **more: Any) -> Document:
    """An alarm met once, a while ago."""
    met = {
        "id": f"{kind}/{subject}",
        "kind": kind,
        "subject": subject,
        "message": message,
        "firstSeen": ago(2_000),
        "lastSeen": ago(2_000),
        "count": 1,
        "dismissedBy": None,
        "dismissed": None,
    }
    return {**met, **more}


def verdict(service: str, version: str, action: str, reason: str, why: str, **more: Any) -> Document:
    """What is decided on a version that acme lists, unless told otherwise."""
    judged = {"service": service, "provider": "acme", "version": version, "action": action, "reason": reason}
    return {**judged, "why": why, "until": None, **more}


def withdrawal(version: str, reason: str) -> Document:
    """That acme withdrew a version."""
    return {"version": version, "by": "acme", "reason": reason, "at": ago(600)}


def pairing(node: str, **more: Any) -> Document:
    """A pairing begun here to take versions, whose code is to be compared."""
    begun = {
        "id": f"pairing-{node}",
        "node": node,
        "nodeId": OTHER_IDS[node],
        "url": f"http://{node}.local:7420",
        "initiated": True,
        "provides": False,
        "profile": None,
        "code": CODE,
        "stage": "COMPARING",
        "confirmedHere": False,
        "confirmedThere": False,
        "opened": ago(20),
        "expires": ahead(580),
        "reason": "",
    }
    return {**begun, **more}


def nearby_node(name: str, relation: str) -> Document:
    """A node on the local network."""
    return {
        "id": OTHER_IDS[name],
        "name": name,
        "urls": [f"http://{name}.local:7420"],
        "relation": relation,
        "since": ago(4_000),
        "heard": ago(12),
    }


def provider(name: str, **more: Any) -> Document:
    """A provider whose link is as it should be."""
    linked = {
        "name": name,
        "id": OTHER_IDS[name],
        "url": f"http://{name}.local:7420",
        "profile": "public-services",
        "linked": ago(7_200),
        "autoUpdate": "INSTALL",
        "window": "",
        "testedBy": None,
        "rights": _USUAL,
        "connected": True,
        "checked": ago(80),
        "freshUntil": ahead(80_000),
        "error": "",
        "ended": None,
        "offeredUrl": "",
        "builds": False,
        "offered": [],
    }
    return {**linked, **more}


def consumer(name: str, *, connected: bool, **more: Any) -> Document:
    """A consumer that has reported nothing yet."""
    linked = {
        "name": name,
        "id": OTHER_IDS[name],
        "profile": "public-services",
        "linked": ago(7_000),
        "rights": _USUAL,
        "tester": False,
        "seen": ago(4 if connected else 9_000),
        "connected": connected,
        "report": None,
    }
    return {**linked, **more}


def report(*installed: tuple[str, str], instances: int = 1) -> Document:
    """What a consumer reported as installed."""
    return {
        "received": ago(50),
        "installed": [{"service": service, "version": version} for service, version in installed],
        "instances": [{"name": f"instance-{number}"} for number in range(instances)],
        "leftOut": 0,
    }


def links() -> Document:
    """All that globex shows of other nodes: acme in order but for one held version, hooli refused, two consumers."""
    return {
        "providers": [
            provider(
                "acme",
                window="Mon-Fri 22:00-05:00 Europe/Berlin",
                testedBy="initech",
                offered=[
                    {"service": "billing", "version": "acme-2.0.0"},
                    {"service": "guestbook", "version": "acme-1.0.1"},
                    {"service": "mailer", "version": "acme-3.1.0"},
                ],
            ),
            provider(
                "hooli", connected=False, autoUpdate="OFF", rights=["TAKE"], error=_REFUSED, profile="search",
                checked=ago(400),
            ),
        ],
        "consumers": [
            consumer(
                "initech",
                connected=True,
                tester=True,
                report=report(("guestbook", "acme-1.0.1"), ("mailer", "acme-3.0.4"), instances=3),
            ),
            consumer("umbrella", connected=False, rights=["TAKE"]),
        ],
        "verdicts": [
            verdict("billing", "acme-2.0.0", "HOLD", "UNTESTED", "held until initech marks acme-2.0.0 as tested"),
            verdict("guestbook", "acme-1.0.1", "KEEP", "CURRENT", "acme-1.0.1 is desired here, as acme wants"),
            verdict("mailer", "acme-3.1.0", "KEEP", "CURRENT", "acme-3.1.0 is desired here, as acme wants"),
        ],
        "alarms": [alarm("catalog-refused", "hooli", _REFUSED, count=14, lastSeen=ago(400))],
        "savedBytes": {"moved": 12_100_000, "full": 1_310_000_000, "saved": 1_297_900_000, "transfers": 21},
        "penalties": [],
        "outboxWays": [_way("acme"), _way("hooli", waiting=3, failures=9, due=ahead(300), error="it did not answer")],
        "outbox": [_entry("hooli", 7_300), _entry("hooli", 4_000), _entry("hooli", 60)],
        "nearby": {"on": True, "nodes": [nearby_node("acme", "PROVIDER"), nearby_node("soylent", "STRANGER")]},
        "pairings": [],
    }  # fmt: skip


def no_links() -> Document:
    """A node that knows no other, and does not look for one."""
    lists = ("providers", "consumers", "verdicts", "alarms", "penalties", "outboxWays", "outbox", "pairings")
    nothing: Document = {name: [] for name in lists}
    saved = {"moved": 0, "full": 0, "saved": 0, "transfers": 0}
    return {**nothing, "savedBytes": saved, "nearby": {"on": False, "nodes": []}}


def _way(name: str, **more: Any) -> Document:
    return {"provider": name, "waiting": 0, "failures": 0, "due": None, "error": "", **more}


def _entry(name: str, seconds: float) -> Document:
    return {"provider": name, "standing": "WAITING", "created": ago(seconds), "error": ""}
