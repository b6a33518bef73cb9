"""DSSE envelopes: a payload of a stated type with signatures over exactly the bytes received.

Format and pre-authentication encoding: DSSE v1.0.2 (github.com/secure-systems-lab/dsse, envelope.md and protocol.md).
``keyid`` holds the signer's node id; it is a hint for choosing the key, never a reason to trust.
"""

import base64
import binascii
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Self

import msgspec

from federation import limits
from federation.errors import OversizedError, TamperedError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey


class _WireSignature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str = ""


class _WireEnvelope(msgspec.Struct, frozen=True, rename={"payload_type": "payloadType"}):
    payload: str
    payload_type: str
    signatures: list[_WireSignature]


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of an envelope: who says to have made it, and its bytes."""

    key_id: str
    value: bytes


def _pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _base64(text: str) -> bytes:
    """DSSE readers accept the standard and the URL-safe alphabet."""
    return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A signed payload. Holding one proves nothing: call ``verified_payload``."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @classmethod
    def signed(cls, payload_type: str, payload: bytes, key: PrivateKey) -> Self:
        """``payload`` in an envelope with the signature of ``key``."""
        return cls(payload_type=payload_type, payload=payload, signatures=()).with_signature(key)

    def with_signature(self, key: PrivateKey) -> Self:
        """The same with one more signature; another one by the same key is replaced."""
        value = key.sign(_pre_authentication_encoding(self.payload_type, self.payload))
        others = tuple(other for other in self.signatures if other.key_id != key.id)
        return replace(self, signatures=(*others, Signature(str(key.id), value)))

    def with_signature_of(self, key: PublicKey, other: "Envelope") -> "Envelope":
        """The same with the signature by ``key`` that ``other``, an envelope of the same payload, bears.

        Raises:
            TamperedError: ``other`` holds something else, or bears no valid signature by ``key``.
            OversizedError: there would be more signatures than ``limits`` allow.
        """
        message = _pre_authentication_encoding(self.payload_type, self.payload)
        valid = [one for one in other.signatures if key.verifies(one.value, message)]
        if (other.payload_type, other.payload) != (self.payload_type, self.payload) or not valid:
            raise TamperedError(f"no signature of {key.id.short}… over this very payload: refused")
        if self.signers([key]):
            return self
        if len(self.signatures) >= limits.ENVELOPE_SIGNATURES:
            raise OversizedError(f"an envelope with more than {limits.ENVELOPE_SIGNATURES} signatures is refused")
        return replace(self, signatures=(*self.signatures, Signature(str(key.id), valid[0].value)))

    def signers(self, keys: Iterable[PublicKey]) -> frozenset[NodeId]:
        """Those of ``keys`` whose valid signature the envelope bears; each counts once."""
        message = _pre_authentication_encoding(self.payload_type, self.payload)
        return frozenset(
            key.id for key in keys if any(key.verifies(signature.value, message) for signature in self.signatures)
        )

    def verified_payload(self, payload_type: str, keys: Collection[PublicKey], threshold: int = 1) -> bytes:
        """The payload, once at least ``threshold`` of ``keys`` have signed it as ``payload_type``.

        Raises:
            TamperedError: another type, or too few valid signatures.
        """
        if threshold < 1:
            raise ValueError("a threshold below one would accept an unsigned envelope")
        if self.payload_type != payload_type:
            raise TamperedError(f"the envelope holds {self.payload_type[:80]!r} where {payload_type!r} is due")
        count = len(self.signers(keys))
        if count < threshold:
            raise TamperedError(f"{count} valid signatures of known keys where {threshold} are due: refused")
        return self.payload

    def to_bytes(self) -> bytes:
        """The envelope as JSON."""
        wire = _WireEnvelope(
            payload=base64.b64encode(self.payload).decode("ascii"),
            payload_type=self.payload_type,
            signatures=[
                _WireSignature(keyid=one.key_id, sig=base64.b64encode(one.value).decode("ascii"))
                for one in self.signatures
            ],
        )
        return msgspec.json.encode(wire)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The envelope that ``content`` (JSON) holds; nothing is verified yet.

        Raises:
            OversizedError: beyond the bounds of ``limits``.
            TamperedError: not a DSSE envelope.
        """
        if len(content) > limits.ENVELOPE_BYTES:
            raise OversizedError(f"an envelope of {len(content)} bytes is over the bound of {limits.ENVELOPE_BYTES}")
        try:
            wire = msgspec.json.decode(content, type=_WireEnvelope)
            if len(wire.signatures) > limits.ENVELOPE_SIGNATURES:
                raise OversizedError(f"an envelope with more than {limits.ENVELOPE_SIGNATURES} signatures is refused")
            return cls(
                payload_type=wire.payload_type,
                payload=_base64(wire.payload),
                signatures=tuple(Signature(one.keyid, _base64(one.sig)) for one in wire.signatures),
            )
        except (msgspec.DecodeError, binascii.Error, ValueError, RecursionError) as error:
            raise TamperedError("not a DSSE envelope") from error
