"""Keeps the root of a published catalogue: makes it, renews it, changes its keys, alone or with signers elsewhere.

A root counts from the moment its file is there, and only this object writes one. Key files that neither it nor the
prepared root names are removed; so a change that was interrupted leaves nothing that matters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tuf.api.metadata import Metadata, Root

from federation.catalog import ceremony
from federation.catalog.ceremony import Ceremony, KeyInfo, RootInfo
from federation.catalog.keys import RoleKeys
from federation.catalog.roles import CONTENT_ROLES, OFFLINE_ROOT_NOTICE, Role, due
from federation.catalog.root import Appointment, appointments, build, merge, missing, parse
from federation.catalog.store import CatalogFiles
from federation.catalog.tufkeys import add_signature
from federation.clock import Clock
from federation.errors import AbsentError, ConflictError, CorruptError, InvalidValueError, TamperedError
from federation.files import write_atomic
from federation.keys import PrivateKey, PublicKey

_Roles = Mapping[Role, Appointment]


class RootKeeper:
    """The root of the catalogue in ``folder``, whose name is the profile's."""

    def __init__(self, folder: Path, files: CatalogFiles, clock: Clock) -> None:
        self._profile = folder.name
        self._prepared = folder / "next-root.json"
        self._files = files
        self._keys = RoleKeys(folder / "keys")
        self._clock = clock

    @property
    def document(self) -> bytes:
        """The newest root as it is published.

        Raises:
            AbsentError: none was made yet.
        """
        versions = self._files.versions(Role.ROOT)
        document = self._files.read(Role.ROOT, versions[-1]) if versions else None
        if document is None:
            raise AbsentError(f"catalogue {self._profile} was not made yet")
        return document

    @property
    def newest(self) -> Root:
        """What the newest root says.

        Raises:
            AbsentError: none was made yet.
            CorruptError: its file is damaged.
        """
        document = self.document
        try:
            return parse(document).signed
        except TamperedError as error:
            raise CorruptError(
                f"the root of catalogue {self._profile} is damaged: restore tuf/{self._profile} from a backup"
            ) from error

    def create(self) -> None:
        """Make keys and root 1 unless there is a root."""
        if self._files.versions(Role.ROOT):
            return
        roles = {role: Appointment(keys=(self._keys.make(role),)) for role in Role}
        self._put(self._signed(1, roles, None))

    def signers(self, role: Role) -> list[PrivateKey]:
        """The keys with which this node signs for ``role`` now.

        Raises:
            CorruptError: not enough of them are here.
        """
        appointed = appointments(self.newest)[role]
        held = self._keys.held(role, appointed.keys)
        if len(held) < appointed.threshold:
            raise CorruptError(ceremony.key_missing(self._profile, role))
        return held

    def renew_if_due(self, now: datetime) -> bool:
        """Sign a new root with the same keys if it is time and its keys are here; whether that was done.

        While a prepared root is out for signing, not before it presses: the new one would make that one void.
        """
        root = self.newest
        roles = appointments(root)
        waiting = self._read_prepared(root) is not None and root.expires - now > OFFLINE_ROOT_NOTICE
        if waiting or not due(Role.ROOT, root.expires, now) or not self._online(roles):
            return False
        self._put(self._signed(root.version + 1, roles, roles))
        return True

    def rotate(self, roles: Sequence[Role]) -> Ceremony:
        """Give ``roles`` new keys: at once if the root's keys are here, else in a root prepared for signing.

        Raises:
            InvalidValueError: no role is named, or root, and none of its keys is here to be replaced.
        """
        if not roles:
            raise InvalidValueError(f"name the roles that get new keys: {ceremony.names(tuple(Role))}")
        root = self.newest
        present = appointments(root)
        if not self._online(present):
            return self.prepare(rotate=roles)
        void = self._read_prepared(root) is not None
        wanted = self._with_new_keys(present, roles)
        self._put(self._signed(root.version + 1, wanted, present))
        return ceremony.rotated(roles, root.version + 1, void=void)

    def prepare(
        self,
        *,
        add: Sequence[PublicKey] = (),
        remove: Sequence[PublicKey] = (),
        threshold: int | None = None,
        rotate: Sequence[Role] = (),
    ) -> Ceremony:
        """The next root, to be signed elsewhere: root keys to ``add`` and ``remove``, new keys here for ``rotate``.

        Raises:
            InvalidValueError: the keys or the threshold don't fit.
        """
        root = self.newest
        present = appointments(root)
        changed = present[Role.ROOT].changed(add=add, remove=remove, threshold=threshold)
        wanted = self._with_new_keys({**present, Role.ROOT: changed}, rotate)
        metadata = self._signed(root.version + 1, wanted, present)
        document = metadata.to_bytes()
        write_atomic(self._prepared, document)
        self.remove_old_keys()
        lacking = [str(one) for one in missing(metadata, root)]
        return ceremony.prepared(self._profile, metadata.signed.version, document, lacking)

    def publish(self, documents: Sequence[bytes]) -> Ceremony:
        """Put the root in force that ``documents``, signed copies of one prepared here, hold together.

        Raises:
            InvalidValueError: signatures are missing, or the node could not publish under it.
            TamperedError: not a root, or not the next one.
        """
        root = self.newest
        metadata = merge(documents)
        lacking = missing(metadata, root)
        if lacking:
            raise InvalidValueError(
                f"root {metadata.signed.version} is not signed by enough keys yet; it needs "
                f"{'; '.join(map(str, lacking))}: run '{ceremony.SIGN}' where these are, and publish all copies at once"
            )
        self._check_usable(metadata.signed)
        self._put(metadata)
        return ceremony.published(metadata.signed.version, online=self.info().online)

    def remove_old_keys(self) -> None:
        """Remove the private keys that neither the newest nor the prepared root names; void preparations too."""
        root = self.newest
        prepared = self._read_prepared(root)
        if prepared is None:
            self._prepared.unlink(missing_ok=True)
        counted = [appointments(one) for one in (root, prepared.signed if prepared else None) if one is not None]
        named = {(role, key) for roles in counted for role, appointed in roles.items() for key in appointed.keys}
        self._keys.remove_all_but(named)

    def info(self) -> RootInfo:
        """What the newest root says, and whose private keys are here."""
        root = self.newest
        roles = appointments(root)
        prepared = self._read_prepared(root)
        held = {role: {key.public for key in self._keys.held(role, roles[role].keys)} for role in Role}
        return RootInfo(
            version=root.version,
            expires=root.expires,
            threshold=roles[Role.ROOT].threshold,
            keys=tuple(
                KeyInfo(role=role, key=key, here=key in held[role]) for role in Role for key in roles[role].keys
            ),
            prepared=prepared.signed.version if prepared else None,
        )

    def warnings(self, now: datetime) -> list[str]:
        """What the operator must do by hand, one sentence each."""
        root = self.newest
        roles = appointments(root)
        found = []
        if not self._online(roles) and root.expires - now <= OFFLINE_ROOT_NOTICE:
            found.append(ceremony.offline_root_expires(self._profile, root.version, root.expires, now))
        prepared = self._read_prepared(root)
        if prepared is not None:
            lacking = [str(one) for one in missing(prepared, root)]
            found.append(ceremony.waiting(self._profile, prepared.signed.version, lacking or ["no more signatures"]))
        return [*found, *(ceremony.key_missing(self._profile, role) for role in self._unusable(roles))]

    def _online(self, roles: _Roles) -> bool:
        return len(self._keys.held(Role.ROOT, roles[Role.ROOT].keys)) >= roles[Role.ROOT].threshold

    def _with_new_keys(self, roles: _Roles, rotate: Sequence[Role]) -> dict[Role, Appointment]:
        """``roles`` with new keys, made here, in place of those of ``rotate``; of root's only those held here."""
        changed = dict(roles)
        for role in dict.fromkeys(rotate):
            keys = roles[role].keys
            if role is Role.ROOT:
                old = [key.public for key in self._keys.held(role, keys)]
                if not old:
                    raise InvalidValueError(
                        "no private key of the root is on this node: make the new key where the old one is, and run "
                        f"'{ceremony.PREPARE} {self._profile} --add NEW --remove OLD'"
                    )
            else:
                old = list(keys)
            kept = tuple(key for key in keys if key not in old)
            made = tuple(self._keys.make(role) for _ in old)
            changed[role] = replace(roles[role], keys=(*kept, *made))
        return changed

    def _signed(self, version: int, roles: _Roles, before: _Roles | None) -> Metadata[Root]:
        """A root that appoints ``roles``, signed with the keys of it and of the one before that are here."""
        metadata = build(version, roles, self._clock.now())
        signers = {*roles[Role.ROOT].keys, *(before[Role.ROOT].keys if before else ())}
        for key in self._keys.held(Role.ROOT, sorted(signers)):
            add_signature(metadata, key)
        return metadata

    def _put(self, metadata: Metadata[Root]) -> None:
        self._files.write(Role.ROOT, metadata.signed.version, metadata.to_bytes())

    def _read_prepared(self, root: Root) -> Metadata[Root] | None:
        """The prepared root, if it can still follow ``root``."""
        try:
            prepared = parse(self._prepared.read_bytes())
        except (FileNotFoundError, TamperedError):
            return None
        return prepared if prepared.signed.version == root.version + 1 else None

    def _check_usable(self, root: Root) -> None:
        if root.is_expired(self._clock.now()):
            raise InvalidValueError(f"root {root.version} has expired: prepare a new one and have that signed")
        unusable = self._unusable(appointments(root))
        if unusable:
            raise ConflictError(
                f"root {root.version} names keys for {ceremony.names(unusable)} whose private parts are not on this "
                "node, which then could not publish: it was not prepared here, or a later preparation made it void; "
                "prepare a new one and have that signed"
            )

    def _unusable(self, roles: _Roles) -> list[Role]:
        """The roles for which this node could not sign."""
        return [role for role in CONTENT_ROLES if len(self._keys.held(role, roles[role].keys)) < roles[role].threshold]
