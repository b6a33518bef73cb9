"""Keys: RFC 8032, their files, what is never shown."""

import base64
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import CorruptError, InvalidValueError
from federation.keys import PrivateKey, PublicKey
from tests.support import strategies as values


def test_rfc_8032_test_2() -> None:
    """Seed, public key and signature as the RFC prints them (§7.1)."""
    key = PrivateKey(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    assert key.public.raw.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = key.sign(b"\x72")
    assert signature.hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert key.public.verifies(signature, b"\x72")


@given(values.private_keys(), st.binary(max_size=64), st.integers(0, 511))
def test_a_changed_bit_of_a_signature_is_refused(key: PrivateKey, message: bytes, bit: int) -> None:
    """Any of the 512."""
    signature = bytearray(key.sign(message))
    assert key.public.verifies(bytes(signature), message)
    signature[bit // 8] ^= 1 << bit % 8
    assert not key.public.verifies(bytes(signature), message)


@given(values.private_keys(), values.private_keys(), st.binary(max_size=64))
def test_another_message_or_key_is_refused(key: PrivateKey, other: PrivateKey, message: bytes) -> None:
    """A signature says one thing, by one key."""
    signature = key.sign(message)
    assert not key.public.verifies(signature, message + b"!")
    assert key.public == other.public or not other.public.verifies(signature, message)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80))
def test_verifying_never_raises(raw: bytes, signature: bytes) -> None:
    """Whatever stands in for key and signature: the answer is no."""
    assert not PublicKey.from_raw(raw).verifies(signature, b"vUpdate's own message")


@given(values.private_keys())
def test_a_public_key_survives_its_text(key: PrivateKey) -> None:
    """And names the same owner."""
    again = PublicKey(str(key.public))
    assert (again, again.raw, again.id) == (key.public, key.public.raw, key.id)


@pytest.mark.parametrize(
    "text",
    ["", "x", "====", "é" * 44, "A" * 43, base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode()],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    """Base64 of exactly 32 bytes, nothing else."""
    with pytest.raises(InvalidValueError):
        PublicKey(text)


def test_a_public_key_has_one_spelling() -> None:
    """The spare bits of the last letter don't make another key."""
    text = str(PrivateKey(bytes(32)).public)
    last = text[-2]
    twin = text[:-2] + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[ord(last) % 2] + "="
    try:
        other = PublicKey(twin)
    except InvalidValueError:
        return
    assert str(other) == base64.b64encode(other.raw).decode()


def test_a_key_file_is_its_owners_alone(tmp_path: Path, key: PrivateKey) -> None:
    """Mode 0600 in a folder of mode 0700, and it reads back as the same key."""
    path = tmp_path / "keys" / "node.pem"
    key.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert PrivateKey.load(path).id == key.id


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_others_can_read_is_refused(tmp_path: Path, key: PrivateKey, mode: int) -> None:
    """With what to type."""
    path = tmp_path / "node.pem"
    key.save(path)
    path.chmod(mode)
    with pytest.raises(CorruptError, match="chmod 600"):
        PrivateKey.load(path)


def _other_key_files() -> dict[str, bytes]:
    def pem(key: X25519PrivateKey | Ed25519PrivateKey, secret: bytes | None = None) -> bytes:
        way = serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, way)

    return {
        "empty": b"",
        "text": b"hello",
        "half": PrivateKey.generate().to_pem()[:60],
        "other kind": pem(X25519PrivateKey.generate()),
        "with a passphrase": pem(Ed25519PrivateKey.generate(), b"secret"),
    }


@pytest.mark.parametrize("what", ["empty", "text", "half", "other kind", "with a passphrase"])
def test_a_damaged_key_file_is_told_as_such(tmp_path: Path, what: str) -> None:
    """Never a traceback of a library."""
    path = tmp_path / "node.pem"
    path.write_bytes(_other_key_files()[what])
    path.chmod(0o600)
    with pytest.raises(CorruptError):
        PrivateKey.load(path)


def test_a_private_key_is_never_printed() -> None:
    """Neither by str nor by repr."""
    seed = b"\x01\x02" * 16
    shown = f"{PrivateKey(seed)} {PrivateKey(seed)!r}"
    assert seed.hex() not in shown
    assert base64.b64encode(seed).decode() not in shown
    assert "PrivateKey of" in shown
