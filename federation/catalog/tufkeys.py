"""Our Ed25519 keys and signatures in the form that TUF metadata has them (securesystemslib)."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.signer import Key, Signature, SSlibKey
from tuf.api.metadata import Metadata, T

from federation.errors import InvalidValueError
from federation.keys import PrivateKey, PublicKey


def tuf_key(public: PublicKey) -> SSlibKey:
    """``public`` as metadata names it; its id is the SHA-256 of its canonical form (TUF specification §4.2)."""
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(public.raw))


def key_id(public: PublicKey) -> str:
    """The id of ``public`` in metadata: 64 hexadecimal digits."""
    return tuf_key(public).keyid


def public_key(key: Key) -> PublicKey:
    """The key that metadata names.

    Raises:
        InvalidValueError: not an Ed25519 key.
    """
    text = key.keyval.get("public")
    if key.keytype != "ed25519" or not isinstance(text, str):
        raise InvalidValueError(f"key {key.keyid[:8]} is not an Ed25519 key")
    try:
        return PublicKey.from_raw(bytes.fromhex(text))
    except ValueError as error:
        raise InvalidValueError(f"key {key.keyid[:8]} is not an Ed25519 key") from error


def add_signature(metadata: Metadata[T], key: PrivateKey) -> None:
    """Add the signature of ``key`` to ``metadata``; the private key stays in its object."""
    keyid = key_id(key.public)
    metadata.signatures[keyid] = Signature(keyid, key.sign(metadata.signed_bytes).hex())
