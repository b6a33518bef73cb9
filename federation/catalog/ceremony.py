"""What is said to the operator when keys of a catalogue change: what was done, and what is left to do by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from federation.catalog.roles import Role
from federation.keys import PublicKey

ROTATE = "vupdate catalog rotate"
PREPARE = "vupdate catalog root prepare"
SIGN = "vupdate catalog root sign"
PUBLISH = "vupdate catalog root publish"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceremony:
    """A change of keys as far as it went. ``document``: the prepared root, when others have to sign it."""

    root_version: int
    done: tuple[str, ...]
    left: tuple[str, ...] = ()
    document: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """A key that the root appoints. ``here``: its private part is on this node."""

    role: Role
    key: PublicKey
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RootInfo:
    """What the newest root says, and the version of the one prepared to follow it, if any."""

    version: int
    expires: datetime
    threshold: int
    keys: tuple[KeyInfo, ...]
    prepared: int | None

    @property
    def online(self) -> bool:
        """Whether this node can sign the next root alone."""
        return sum(one.here for one in self.keys if one.role is Role.ROOT) >= self.threshold


def names(roles: Sequence[Role]) -> str:
    """``roles`` in a sentence."""
    return " and ".join(role.value for role in roles)


def rotated(roles: Sequence[Role], version: int, *, void: bool) -> Ceremony:
    """The root was here: all is done. ``void``: another root waited for signatures, and can't follow any more."""
    return Ceremony(
        root_version=version,
        done=(
            f"made a new key for {names(roles)}",
            f"signed root {version}, which names it instead of the old one, with the old and the new root keys",
            f"published root {version}, and signed again what the old key had signed",
            "removed the old private key from this node",
        ),
        left=(
            *((f"the root {version} that was prepared for signing is void: prepare it again",) if void else ()),
            "nothing more: consumers follow the new root at their next check, and refuse the old key from then on",
        ),
    )


def prepared(profile: str, version: int, document: bytes, lacking: Sequence[str]) -> Ceremony:
    """It is to be signed, by others or, where all keys are here, by nobody else."""
    sign = [f"signatures still needed: {one}" for one in lacking]
    if lacking:
        sign.append(f"on each machine that holds such a key: look at what it says, run '{SIGN} FILE --key KEYFILE'")
    return Ceremony(
        root_version=version,
        done=(
            f"prepared root {version}; until it is published the present keys stay in force",
            "signed it with those root keys that are on this node, if any",
        ),
        left=(
            *sign,
            f"here: run '{PUBLISH} {profile} FILE...' with the signed copies; a later preparation makes this one void",
        ),
        document=document,
    )


def published(version: int, *, online: bool) -> Ceremony:
    """A root signed by others was put in force."""
    kept = (
        "this node can sign the next root alone"
        if online
        else "this node can't sign a root alone: whoever takes it over can't change the keys that consumers trust"
    )
    return Ceremony(
        root_version=version,
        done=(
            f"checked the signatures that root {version} needs, of the old root's keys and of its own",
            f"published root {version}, and signed again what replaced keys had signed",
            "removed the private keys that it no longer names from this node",
        ),
        left=(f"nothing: consumers follow it at their next check; {kept}",),
    )


def offline_root_expires(profile: str, version: int, expires: datetime, now: datetime) -> str:
    """The reminder that people have to sign a new root."""
    day = f"{expires:%Y-%m-%d}"
    when = (
        f"expired on {day}: consumers refuse the catalogue"
        if expires <= now
        else f"expires on {day}; after that consumers refuse the catalogue"
    )
    return (
        f"the offline root {version} of catalogue {profile} {when}: run '{PREPARE} {profile}', have it signed where "
        f"its keys are ('{SIGN}'), and run '{PUBLISH} {profile}'"
    )


def waiting(profile: str, version: int, lacking: Sequence[str]) -> str:
    """The reminder that a prepared root is not in force."""
    return (
        f"root {version} of catalogue {profile} is prepared and not published; it needs {'; '.join(lacking)}: "
        f"run '{SIGN}' where these keys are and '{PUBLISH} {profile}' here"
    )


def key_missing(profile: str, role: Role) -> str:
    """The warning that the node can't sign for ``role``."""
    return (
        f"the private key of {role.value} of catalogue {profile} is not on this node, so nothing new can be published: "
        f"restore its key file from a backup, or run '{ROTATE} {profile} {role.value}'"
    )
