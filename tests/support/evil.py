"""A node in the middle that lies: on the wire, where it can change bytes, and with its own keys, where it can sign."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from federation.catalog.listing import Entry, Listing, key_changes_target, manifest_target, withdrawal_target
from federation.digest import Digest
from federation.keychange import KeyChange, to_document
from federation.keys import PrivateKey
from federation.manifest import Maker, SignedManifest
from federation.names import NodeName, ServiceName
from federation.profile import Profile
from federation.versions import ClientVersion, DeveloperVersion
from federation.withdrawal import SignedWithdrawal, Withdrawal
from node.model.desired import ListKind
from node.usecases.changes import Topic
from node.usecases.contents import Content
from tests.support.nodes import Member, Tamper

SHOP = ServiceName("shop")
Lie = Callable[[Content], Content]


def flipped(path_part: str, at: float = 0.5) -> Tamper:
    """Flip one bit of the answers of one kind of route."""

    def tamper(path: str, content: bytes) -> bytes:
        if path_part not in path or not content:
            return content
        spoilt = bytearray(content)
        spoilt[int(len(spoilt) * at)] ^= 0x04
        return bytes(spoilt)

    return tamper


def swapped(path_part: str, other: bytes) -> Tamper:
    """Answer ``other`` instead of one kind of file."""
    return lambda path, content: other if path_part in path else content


@contextlib.contextmanager
def publishing(evil: Member, lie: Lie) -> Iterator[None]:
    """``evil`` signs what ``lie`` makes of its catalogue while the block runs, with all the keys that it has."""
    contents = evil.use.catalogs._contents
    honest = contents.of

    async def of(profile: Profile) -> Content:
        return lie(await honest(profile))

    contents.of = of  # type: ignore[method-assign]  # the lie itself
    evil.use.changes.publish(Topic.DESIRED, ListKind.DEVELOPER.value)
    try:
        yield
    finally:
        contents.of = honest  # type: ignore[method-assign]
        evil.use.changes.publish(Topic.DESIRED, ListKind.DEVELOPER.value)


def _listing(content: Content, documents: Mapping[str, bytes], **changes: object) -> Content:
    listing = dataclasses.replace(content.listing, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(content, listing=listing, documents={**content.documents, **documents})


def _entry(content: Content) -> Entry:
    (entry,) = content.listing.entries
    return entry


def other_image(evil: Member) -> Lie:
    """acme's version is listed with an image of evil's, and acme's manifest."""

    def lie(content: Content) -> Content:
        forged = dataclasses.replace(_entry(content), image=Digest.of(b"evil"))
        return _listing(content, {}, entries=(forged,))

    return lie


def other_manifest(evil: Member) -> Lie:
    """acme's version is listed with a manifest that evil signed in acme's name."""

    def lie(content: Content) -> Content:
        entry = _entry(content)
        signed = SignedManifest.from_bytes(content.documents[manifest_target(entry.manifest)])
        maker = dataclasses.replace(signed.manifest.maker, key=evil.key.public)
        forged = SignedManifest.make(dataclasses.replace(signed.manifest, maker=maker), evil.key)
        target = {manifest_target(forged.digest): forged.envelope.to_bytes()}
        return _listing(content, target, entries=(dataclasses.replace(entry, manifest=forged.digest),))

    return lie


def client_version(evil: Member) -> Lie:
    """A client version that evil made of acme's version, and may sign, is listed as acme's version itself."""

    def lie(content: Content) -> Content:
        entry = _entry(content)
        signed = SignedManifest.from_bytes(content.documents[manifest_target(entry.manifest)])
        made = dataclasses.replace(
            signed.manifest,
            version=ClientVersion(entry.version),
            image=Digest.of(b"evil"),
            maker=Maker(node=NodeName(evil.name), key=evil.key.public),
            base=entry.manifest,
            overlay=Digest.of(b"overlay"),
        )
        forged = SignedManifest.make(made, evil.key)
        listed = dataclasses.replace(entry, manifest=forged.digest, image=made.image)
        return _listing(content, {manifest_target(forged.digest): forged.envelope.to_bytes()}, entries=(listed,))

    return lie


def forged_key_change(evil: Member) -> Lie:
    """The same, with a statement that acme's key is evil's now, which acme never signed."""

    def lie(content: Content) -> Content:
        forged = other_manifest(evil)(content)
        thief = PrivateKey.generate()
        change = KeyChange(node=NodeName("acme"), old=thief.public, new=evil.key.public, at=evil.clock.now(), number=1)
        document = to_document([change.sign(thief, evil.key)])
        return _listing(forged, {key_changes_target(NodeName("acme")): document}, key_changes=(NodeName("acme"),))

    return lie


def other_node(evil: Member) -> Lie:
    """The catalogue says that it is acme's own."""

    def lie(content: Content) -> Content:
        listing: Listing = dataclasses.replace(content.listing, node=NodeName("acme"))
        return dataclasses.replace(content, listing=listing)

    return lie


def huge_manifest(evil: Member) -> Lie:
    """A manifest of two megabytes, most of it blanks."""

    def lie(content: Content) -> Content:
        target = manifest_target(_entry(content).manifest)
        return dataclasses.replace(content, documents={**content.documents, target: b" " * 2_000_000})

    return lie


def missing_manifest(evil: Member) -> Lie:
    """A version is listed whose manifest is nowhere."""

    def lie(content: Content) -> Content:
        return _listing(content, {}, entries=(dataclasses.replace(_entry(content), manifest=Digest.of(b"none")),))

    return lie


def forged_withdrawal(evil: Member, version: str, manifest: Digest) -> Lie:
    """A withdrawal in acme's name, signed by evil."""

    def lie(content: Content) -> Content:
        stated = Withdrawal(
            by=NodeName("acme"),
            key=evil.key.public,
            service=SHOP,
            version=DeveloperVersion(version),
            manifest=manifest,
            reason="stop",
            at=evil.clock.now(),
        )
        envelope = stated.sign(evil.key)
        digest = SignedWithdrawal.read(envelope).digest
        return _listing(content, {withdrawal_target(digest): envelope}, withdrawals=(digest,), withdrawal_trails=())

    return lie


def with_key_changes(node: NodeName, document: bytes) -> Lie:
    """Key changes of ``node`` are listed, whatever is in them."""
    return lambda content: _listing(content, {key_changes_target(node): document}, key_changes=(node,))


async def state_of(member: Member) -> tuple[object, ...]:
    """What a refused update must leave as it was: what is desired, stored and on the disk."""
    versions = await member.use.versions.find(ListKind.DEVELOPER, None, first=100)
    blobs = sorted(path.name for path in (member.folder / "blobs").rglob("*.zst"))
    return await member.desired(), sorted(one.version for one in versions), blobs, files(member.folder / "work")


def files(folder: Path) -> list[Path]:
    """All files below ``folder``."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
