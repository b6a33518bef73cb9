"""Root metadata: who may sign what in a catalogue. Built, signed by several hands, merged and verified; no disk.

A root is followed by one whose version is one higher and which the threshold of the old root's keys *and* that of its
own have signed (TUF specification §5.3.4 f.). Documents are TUF metadata as JSON, so that any TUF tool can sign them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root
from tuf.api.metadata import Role as Appointed

from federation import limits
from federation.catalog.refusals import LIBRARY_ERRORS
from federation.catalog.roles import Role, expiry
from federation.catalog.tufkeys import add_signature, key_id, public_key, tuf_key
from federation.errors import InvalidValueError, OversizedError, TamperedError
from federation.keys import PrivateKey, PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """The keys that sign for a role, and how many of them must."""

    keys: tuple[PublicKey, ...]
    threshold: int = 1

    def __post_init__(self) -> None:
        if len(set(self.keys)) != len(self.keys):
            raise InvalidValueError("a role names each of its keys once")
        if not 1 <= self.threshold <= len(self.keys):
            raise InvalidValueError(
                f"of {len(self.keys)} keys from 1 to {len(self.keys)} can be asked to sign, not {self.threshold}"
            )

    def changed(
        self, *, add: Sequence[PublicKey] = (), remove: Sequence[PublicKey] = (), threshold: int | None = None
    ) -> "Appointment":
        """This with some keys more, some fewer and another threshold.

        Raises:
            InvalidValueError: a key to be removed isn't there, one to be added is, or the threshold can't be met.
        """
        for key in remove:
            if key not in self.keys:
                raise InvalidValueError(f"{key} is not one of the role's keys: {', '.join(self.keys)}")
        keys = (*(key for key in self.keys if key not in remove), *add)
        return replace(self, keys=keys, threshold=self.threshold if threshold is None else threshold)


def build(version: int, roles: Mapping[Role, Appointment], now: datetime) -> Metadata[Root]:
    """An unsigned root that appoints ``roles``."""
    keys = {key_id(key): tuf_key(key) for appointment in roles.values() for key in appointment.keys}
    appointed = {
        role.value: Appointed([key_id(key) for key in appointment.keys], appointment.threshold)
        for role, appointment in roles.items()
    }
    return Metadata(
        Root(
            version=version, expires=expiry(Role.ROOT, now), keys=dict(keys), roles=appointed, consistent_snapshot=True
        )
    )


def appointments(root: Root) -> dict[Role, Appointment]:
    """Whom ``root`` appoints.

    Raises:
        InvalidValueError: it names keys that are not Ed25519, or a threshold that can't be met.
    """
    return {
        role: Appointment(
            keys=tuple(public_key(root.get_key(keyid)) for keyid in root.roles[role.value].keyids),
            threshold=root.roles[role.value].threshold,
        )
        for role in Role
    }


def parse(document: bytes) -> Metadata[Root]:
    """The root in ``document``; its signatures are not looked at.

    Raises:
        OversizedError: more bytes than a root may have.
        TamperedError: not root metadata of a catalogue.
    """
    if len(document) > limits.CATALOG_ROOT_BYTES:
        raise OversizedError(f"root metadata of more than {limits.CATALOG_ROOT_BYTES} bytes is refused")
    try:
        metadata = Metadata[Root].from_bytes(document)
        _ = metadata.signed_bytes  # that it has a canonical form at all is checked here once
    except RepositoryError as error:
        raise TamperedError("this is not root metadata: give the file as it was made, unchanged") from error
    # By its type in the document: nothing but this says which class python-tuf made of it.
    if metadata.signed.type != Root.type or metadata.signed.consistent_snapshot is not True:
        raise TamperedError("this is metadata, but not the root of a catalogue with consistent snapshots")
    return metadata


def sign_root(document: bytes, key: PrivateKey) -> bytes:
    """``document`` with the signature of ``key`` added; needs nothing else, so it runs on a machine without a network.

    Raises:
        OversizedError, TamperedError: ``document`` is not a root.
    """
    metadata = parse(document)
    add_signature(metadata, key)
    return metadata.to_bytes()


def merge(documents: Sequence[bytes]) -> Metadata[Root]:
    """One root with the signatures of all ``documents``: copies of it that were signed apart.

    Raises:
        InvalidValueError: none, or not copies of the same root.
        OversizedError, TamperedError: one is not a root.
    """
    if not documents:
        raise InvalidValueError("give at least one signed copy of the prepared root")
    first, *others = (parse(document) for document in documents)
    for other in others:
        if other.signed_bytes != first.signed_bytes:
            raise InvalidValueError("these are not copies of one root: give the signed copies of the same preparation")
        for keyid, signature in other.signatures.items():
            # A copy may carry a stale or broken signature under an id whose right one is in another copy.
            if keyid not in first.signatures or not _counts(first, keyid):
                first.signatures[keyid] = signature
    return first


def _counts(metadata: Metadata[Root], keyid: str) -> bool:
    return keyid in metadata.signed.get_verification_result("root", metadata.signed_bytes, metadata.signatures).signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """How many signatures of which keys a root still needs, counted for the old root's keys or for its own."""

    whose: str
    count: int
    keys: tuple[PublicKey, ...]

    def __str__(self) -> str:
        return f"{self.count} more of {self.whose}: {', '.join(self.keys)}"


def missing(metadata: Metadata[Root], previous: Root) -> list[Missing]:
    """What ``metadata`` still needs to follow ``previous``; nothing: it may.

    Raises:
        TamperedError: it can't follow it, whoever signs: its version is not the next one.
    """
    if metadata.signed.version != previous.version + 1:
        raise TamperedError(
            f"root {metadata.signed.version} does not follow root {previous.version}: prepare a new one and sign that"
        )
    result = metadata.signed.get_root_verification_result(previous, metadata.signed_bytes, metadata.signatures)
    halves = ((f"root {previous.version}'s keys", result.first), (f"root {previous.version + 1}'s keys", result.second))
    return [
        Missing(whose=whose, count=half.missing, keys=tuple(public_key(key) for key in half.unsigned.values()))
        for whose, half in halves
        if not half.verified
    ]


def checked_alone(document: bytes) -> Metadata[Root]:
    """The root in ``document``, signed by the threshold of its own keys: what trust can begin with.

    Raises:
        OversizedError, TamperedError: it is no root, or its own keys did not sign it.
    """
    metadata = parse(document)
    try:
        metadata.signed.verify_delegate("root", metadata.signed_bytes, metadata.signatures)
    except LIBRARY_ERRORS as error:
        raise TamperedError(
            "the root of the provider's catalogue is not signed by its own keys: do not link to it; "
            "ask the provider's operator for a new invitation"
        ) from error
    return metadata
