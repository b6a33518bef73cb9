"""A provider's catalogue, a consumer who reads it, and somebody between them who answers what he likes."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import pytest
from securesystemslib.formats import encode_canonical

from federation.catalog.catalogue import Catalogue
from federation.catalog.listing import LISTING_TARGET, Entry, Listing, manifest_target, marker
from federation.catalog.publisher import CatalogPublisher
from federation.catalog.reader import CatalogReader
from federation.catalog.roles import Role
from federation.catalog.tufkeys import key_id
from federation.digest import Digest
from federation.errors import AbsentError, VUpdateError
from federation.keys import PrivateKey
from federation.names import NodeName, ProfileName, ServiceName
from federation.versions import DeveloperVersion
from tests.support.clock import FakeClock

Answer = bytes | None
PROFILE: Final = "shops"
MOST_REQUESTS: Final = 300


def manifest(build: int) -> bytes:
    """Stands for the signed manifest of a build: to a catalogue it is bytes."""
    return f'{{"payload":"acme-1.0.{build}"}}'.encode()


def listing(build: int) -> Listing:
    """What acme lists when ``build`` of its shop is current."""
    key = PrivateKey(b"a" * 32)
    shop = ServiceName("shop")
    entry = Entry(
        service=shop,
        version=DeveloperVersion(f"acme-1.0.{build}"),
        image=Digest.of(str(build).encode()),
        manifest=Digest.of(manifest(build)),
        trail=(marker(key.id, shop),),
    )
    return Listing(node=NodeName("acme"), profile=ProfileName(PROFILE), serial=build, entries=(entry,))


def content(build: int) -> dict[str, bytes]:
    """The targets of a catalogue in which ``build`` is current."""
    signed = manifest(build)
    return {LISTING_TARGET: listing(build).encode(), manifest_target(Digest.of(signed)): signed}


def served(publisher: CatalogPublisher, path: str) -> Answer:
    """What an honest server answers for ``path`` of a catalogue: the file, or 404."""
    kind, _, name = path.partition("/")
    try:
        return (publisher.metadata(name) if kind == "metadata" else publisher.target(name)).read_bytes()
    except AbsentError:
        return None


def disk(folder: Path) -> dict[str, bytes]:
    """Each file below ``folder`` with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Shops:
    """acme's catalogue of the profile ``shops``, its consumer globex, and what is answered between them."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.folder = folder / "acme" / PROFILE
        self.publisher = CatalogPublisher(self.folder, self.clock)
        self.publisher.publish(content(1))
        self.trusted = folder / "globex" / "acme"
        self.reader = CatalogReader(self.trusted)
        self.reader.trust(self.publisher.root)
        self.asked: list[str] = []

    def publish(self, build: int) -> None:
        """Let ``build`` be current, an hour later."""
        self.clock.advance(3600)
        assert self.publisher.publish(content(build))

    def read(self, lies: Mapping[str, Answer] | None = None) -> Catalogue:
        """Read the catalogue as a consumer does; ``lies`` are answered instead of what acme would say."""
        got: dict[str, Answer] = {}
        for _ in range(MOST_REQUESTS):
            step = self.reader.read(got, self.clock.now())
            if isinstance(step, Catalogue):
                self.asked = list(got)
                return step
            assert step.path not in got, "never asked for twice"
            false = (lies or {}).get(step.path, b"")
            got[step.path] = served(self.publisher, step.path) if lies is None or step.path not in lies else false
        raise AssertionError("reading does not come to an end")

    def refuses(self, lies: Mapping[str, Answer], error: type[VUpdateError], match: str) -> None:
        """Reading with ``lies`` ends in ``error``, and what is trusted on the disk is as it was."""
        before = disk(self.trusted)
        with pytest.raises(error, match=match) as caught:
            self.read(lies)
        assert type(caught.value) is error
        assert disk(self.trusted) == before

    def metadata(self, name: str) -> bytes:
        """Metadata as acme has published it."""
        return self.publisher.metadata(name).read_bytes()

    def current(self, role: Role) -> tuple[str, bytes]:
        """Path and content of the metadata of ``role`` in force."""
        if role is Role.TIMESTAMP:
            return "metadata/timestamp.json", self.metadata("timestamp.json")
        versions = [int(name.split(".")[0]) for name in disk(self.folder / "metadata") if f".{role.value}." in name]
        name = f"{max(versions)}.{role.value}.json"
        return f"metadata/{name}", self.metadata(name)

    def stolen(self, role: Role) -> PrivateKey:
        """The private key with which acme signs for ``role``."""
        named = {one.key for one in self.publisher.info().keys if one.role is role}
        keys = (PrivateKey.load(path) for path in (self.folder / "keys").glob(f"{role.value}-*.pem"))
        return next(key for key in keys if key.public in named)

    def forged(self, role: Role, change: Callable[[dict[str, Any]], object], *keys: PrivateKey) -> bytes:
        """The metadata of ``role`` in force after ``change`` to its signed part, signed by ``keys`` alone."""
        signed = json.loads(self.current(role)[1])["signed"]
        change(signed)
        return sealed(signed, *keys)

    def with_stolen_online_keys(self, version: int, snapshot: dict[str, Any]) -> dict[str, Answer]:
        """A snapshot and a timestamp with this version that a thief of both keys makes for the changed ``snapshot``."""
        false = self.forged(
            Role.SNAPSHOT, lambda signed: signed.update(snapshot, version=version), self.stolen(Role.SNAPSHOT)
        )
        named = {"version": version, "length": len(false), "hashes": {"sha256": Digest.of(false)}}
        stamp = self.forged(
            Role.TIMESTAMP,
            lambda signed: signed.update(version=version, meta={"snapshot.json": named}),
            self.stolen(Role.TIMESTAMP),
        )
        return {f"metadata/{version}.snapshot.json": false, "metadata/timestamp.json": stamp}


def sealed(signed: dict[str, Any], *keys: PrivateKey) -> bytes:
    """Metadata with ``signed``, whatever it holds, and valid signatures of ``keys`` over it."""
    message = encode_canonical(signed)
    assert isinstance(message, str)
    signatures = [{"keyid": key_id(key.public), "sig": key.sign(message.encode()).hex()} for key in keys]
    return json.dumps({"signatures": signatures, "signed": signed}, separators=(",", ":"), sort_keys=True).encode()


class PowerCuts:
    """Copies of ``folder`` as each rename in it would have left it, had the power gone right before."""

    def __init__(self, folder: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._kept = kept
        self._patch = monkeypatch
        self.count = 0

    def __enter__(self) -> Self:
        rename = Path.replace

        def recorded(path: Path, target: Path) -> Path:
            if path.is_relative_to(self._folder):
                shutil.copytree(self._folder, self._kept / str(self.count))
                self.count += 1
            return rename(path, target)

        self._patch.setattr(Path, "replace", recorded)
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.undo()

    def __iter__(self) -> Iterator[Path]:
        return (self._kept / str(number) for number in range(self.count))
