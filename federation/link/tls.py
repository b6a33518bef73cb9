"""Certificates that a node is served under: a self-made one, or one that its operator got elsewhere.

Peers don't trust a certificate for what stands in it, but because the node's key vouches for it (``identity_proof``):
a self-made one is as good between nodes. Names and times in it matter to browsers only.
"""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from federation import limits
from federation.digest import Digest
from federation.errors import InvalidValueError
from federation.files import write_atomic

VALID: Final = timedelta(days=3650)
RENEWED_BEFORE: Final = timedelta(days=30)
_CLOCKS_APART: Final = timedelta(days=1)
_COMMON_NAME_CHARS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """A certificate with its chain, and its private key, both PEM."""

    certificate: Path
    key: Path


def fingerprint(certificate: x509.Certificate) -> Digest:
    """SHA-256 of the certificate's DER form: what a client sees on its connection."""
    return Digest(certificate.fingerprint(hashes.SHA256()).hex())


def in_pairs(digest: Digest) -> str:
    """``digest`` as browsers show it: ``AB:CD:…``."""
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)).upper()


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def names_in(certificate: x509.Certificate) -> frozenset[str]:
    """The hosts that ``certificate`` is made out to."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses = found.get_values_for_type(x509.IPAddress)
    return frozenset([*found.get_values_for_type(x509.DNSName), *map(str, addresses)])


def make_certificate(name: str, hosts: Collection[str], now: datetime) -> tuple[bytes, bytes]:
    """A self-signed certificate for ``hosts`` (names or addresses) and its key, both PEM.

    ECDSA on P-256, as browsers do not take Ed25519; good for this server alone, and no authority over others.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_COMMON_NAME_CHARS])])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_APART)
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in sorted(hosts)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM), pem


def _content(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(limits.CERTIFICATE_FILE_BYTES + 1)
    except OSError as error:
        raise InvalidValueError(f"{what} {path} can't be read: {error.strerror}") from error
    if len(content) > limits.CERTIFICATE_FILE_BYTES:
        raise InvalidValueError(
            f"{what} {path} is larger than {limits.CERTIFICATE_FILE_BYTES} bytes: is it another file?"
        )
    return content


def read_certificate(path: Path, what: str = "certificate") -> x509.Certificate:
    """The first certificate of the PEM chain in ``path``: the server's own.

    Raises:
        InvalidValueError: unreadable, or no certificate.
    """
    try:
        return x509.load_pem_x509_certificates(_content(path, what))[0]
    except InvalidValueError:
        raise
    except (ValueError, IndexError, UnsupportedAlgorithm) as error:
        raise InvalidValueError(f"{what} {path} holds no PEM certificate: give the server's own first") from error


def _key_mistakes(path: Path, certificate: x509.Certificate | None) -> list[str]:
    try:
        if path.stat().st_mode & 0o077:
            return [f"key {path} can be read by others: run chmod 600 {path}, or have a new certificate made"]
        key = serialization.load_pem_private_key(_content(path, "key"), password=None)
    except OSError as error:
        return [f"key {path} can't be read: {error.strerror}"]
    except InvalidValueError as error:
        return [str(error)]
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it has a passphrase
        return [f"key {path} holds no PEM key without a passphrase"]
    if certificate is not None and _public(key) != _public(certificate):
        return [f"key {path} is not the key of the certificate: give the two that belong together"]
    return []


def _public(holder: object) -> bytes:
    public = holder.public_key()  # type: ignore[attr-defined]  # certificates and all private keys have it
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(public.public_bytes(serialization.Encoding.DER, form))


def _time_mistakes(path: Path, certificate: x509.Certificate, now: datetime) -> list[str]:
    if now >= certificate.not_valid_after_utc:
        return [f"certificate {path} expired on {certificate.not_valid_after_utc:%Y-%m-%d}: renew it"]
    if now + _CLOCKS_APART < certificate.not_valid_before_utc:
        return [f"certificate {path} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}: check the clock"]
    return []


def check_files(files: CertificateFiles, now: datetime) -> x509.Certificate:
    """The certificate of ``files``, once all of it is seen to be fit for use.

    Raises:
        InvalidValueError: all that is wrong, joined: unreadable, expired, not belonging together, open to others.
    """
    mistakes, certificate = [], None
    try:
        certificate = read_certificate(files.certificate)
        mistakes += _time_mistakes(files.certificate, certificate, now)
    except InvalidValueError as error:
        mistakes.append(str(error))
    mistakes += _key_mistakes(files.key, certificate)
    if mistakes or certificate is None:
        raise InvalidValueError("; ".join(mistakes))
    return certificate


def keep_certificate(files: CertificateFiles, name: str, hosts: Collection[str], now: datetime) -> x509.Certificate:
    """The self-made certificate in ``files``, made anew where it is missing, damaged, near its end or for other hosts.

    Nobody pins it, so a new one does no harm. The key is written first: a certificate without it would be found damaged
    at the next start, and be replaced again.

    Raises:
        DiskFullError: no room.
    """
    try:
        present = check_files(files, now)
        if now + RENEWED_BEFORE < present.not_valid_after_utc and names_in(present) == frozenset(hosts):
            return present
    except InvalidValueError:
        pass  # there was none, or it can't be used: its place is taken by a new one
    certificate, key = make_certificate(name, hosts, now)
    files.key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomic(files.key, key, mode=0o600)
    write_atomic(files.certificate, certificate, mode=0o644)
    return read_certificate(files.certificate)
