"""Sample data for the page's tests on versions: who built them, builders, differences, and secrets."""

import base64
import gzip
from typing import Any, Final

from tests.support.ui_values import OTHER_IDS, OWN_ID, Document, ago

COMMIT: Final = "4f1c9d27a0b35e8c6d1f2a3b4c5d6e7f80910a2b"
ARCHIVE: Final = base64.b64encode(gzip.compress(b"what was put aside", mtime=0)).decode()
_SHOP: Final = {"name": "shop", "url": "https://git.example/team/shop.git", "commit": COMMIT}


def version(number: str, **more: Any) -> Document:
    """A version of the shop that was made here, unless told otherwise."""
    made = {
        "kind": "DEVELOPER",
        "service": "shop",
        "version": number,
        "image": "a" * 64,
        "manifest": "b" * 64,
        "stored": ago(7_000),
        "receivedFrom": None,
        "maker": "globex",
        "makerId": OWN_ID,
        "created": ago(7_060),
        "comment": "",
        "sizeBytes": 4_812_000,
        "entries": 312,
        "sources": [_SHOP],
        "private": False,
        "withdrawn": None,
    }
    return {**made, **more}


def built(node: str, **more: Any) -> Document:
    """The word of a builder whose image came out alike, unless told otherwise."""
    said = {
        "builder": OTHER_IDS.get(node, OWN_ID),
        "node": node,
        "image": "a" * 64,
        "same": True,
        "walls": "sandbox",
        "network": False,
        "sources": [{**_SHOP, "ref": "main", "directory": ""}],
        "started": ago(7_100),
        "finished": ago(7_061),
        "program": "0.1.0",
        "difference": [],
        "envelope": "{}",
    }
    return {**said, **more}


def builder(name: str, **more: Any) -> Document:
    """A provider that takes a build now, unless told otherwise."""
    state = {
        "name": name,
        "kind": "PROVIDER",
        "takes": True,
        "why": "",
        "running": 0,
        "most": 2,
        "load": 0.4,
        "cpus": 8,
        "freeMemoryBytes": 12_300_000_000.0,
        "freeDiskBytes": 210_000_000_000.0,
    }
    return {**state, **more}


def private_file(name: str, **more: Any) -> Document:
    """A private file of the shop that a recipe places, unless told otherwise."""
    kept = {
        "service": "shop",
        "name": name,
        "into": None,
        "size": 1_704,
        "at": ago(90_000),
        "by": "administrator",
        "fingerprint": "0" * 32,
    }
    return {**kept, **more}


def credential(prefix: str, **more: Any) -> Document:
    """What opens a Git server: a token of a robot, unless told otherwise."""
    kept = {
        "prefix": prefix,
        "kind": "PASSWORD",
        "user": "shop-robot",
        "knownHosts": False,
        "at": ago(170_000),
        "by": "administrator",
        "fingerprint": "5d0c4f7e91b2a863c7d0e14f5a9b3826",
    }
    return {**kept, **more}


def comparison() -> Document:
    """Two images that differ in more paths than are listed."""

    def entry(kind: str, size: float | None = None, target: str | None = None) -> Document:
        return {"kind": kind, "sizeBytes": size, "target": target}

    listed = [
        {"path": "bin/shop", "changes": ["CONTENT", "MODE"], "before": entry("FILE", 1_204_000.0),
         "after": entry("EXECUTABLE", 1_310_500.0)},
        {"path": "conf/legacy.ini", "changes": ["REMOVED"], "before": entry("FILE", 812.0), "after": None},
        {"path": "lib/current", "changes": ["CONTENT"], "before": entry("LINK", target="shop-2.4.10"),
         "after": entry("LINK", target="shop-2.4.11")},
        {"path": "static/a-rather-long-folder-name/with-a-file-of-a-long-name-too.min.js.map", "changes": ["ADDED"],
         "before": None, "after": entry("FILE", 52_400.0)},
    ]  # fmt: skip
    return {
        "same": False,
        "imageBefore": "a" * 64,
        "imageAfter": "c" * 64,
        "sizeBytesBefore": 4_790_000.0,
        "sizeBytesAfter": 4_812_000.0,
        "added": 212,
        "removed": 1,
        "changed": 2,
        "differences": listed,
    }


def builds() -> Document:
    """What globex knows of builds: two that agree and one that does not, a rule, busy and free peers, two secrets."""
    differing = ["bin/shop has other content", "share/build-time.txt is not in the version"]
    return {
        "versions": [
            version("globex-2.4.11", comment="Basket keeps its order"),
            version("globex-2.4.10", stored=ago(90_000), created=ago(90_060)),
            version("globex-2.4.11_2", kind="CLIENT", private=True, sources=[]),
            version("acme-1.0.1", service="guestbook", receivedFrom="acme", maker="acme", makerId=OTHER_IDS["acme"]),
        ],
        "provenance": [
            built("globex"),
            built("acme", walls="process", network=True, finished=ago(3_000), started=ago(3_061)),
            built("hooli", same=False, image="c" * 64, difference=differing, finished=ago(2_000), started=ago(2_100)),
        ],
        "builderPolicies": [
            {"service": "shop", "builders": [OTHER_IDS[one] for one in ("acme", "hooli", "umbrella")], "require": 2},
        ],
        "builders": [
            builder("acme"),
            builder("hooli", takes=False, why="its processors are short: load 9.1 on 4", running=2, load=9.1, cpus=4),
        ],
        "privateFiles": [private_file("db/password", size=33), private_file("tls.key", into="conf/tls.key")],
        "credentials": [
            credential("https://git.example/team/"),
            credential("ssh://git@git.example/", kind="KEY", user="", knownHosts=True, fingerprint="b81e" * 8),
        ],
        "entrusted": [{"service": "shop", "builders": [{"id": OTHER_IDS["acme"], "name": "acme"}]}],
        "compareVersions": comparison(),
        "faultFiles": ARCHIVE,
    }  # fmt: skip
