"""Certificates: made, kept and renewed; what is wrong with an operator's own is said at once and in full."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from federation.errors import InvalidValueError
from federation.link.tls import (
    VALID,
    CertificateFiles,
    check_files,
    fingerprint,
    in_pairs,
    keep_certificate,
    names_in,
    read_certificate,
)
from tests.support.tls_peers import Authority, self_made

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTS = ["acme.example", "127.0.0.1", "::1"]


def files_in(folder: Path) -> CertificateFiles:
    return CertificateFiles(certificate=folder / "keys" / "tls.pem", key=folder / "keys" / "tls-key.pem")


def test_a_certificate_is_made_for_its_hosts(tmp_path: Path) -> None:
    """Named after the node, for names and addresses, for ten years, for this server only; the key is its owner's."""
    files = files_in(tmp_path)
    made = keep_certificate(files, "acme ABCDEFG", HOSTS, NOW)
    assert names_in(made) == set(HOSTS)
    assert made.subject.rfc4514_string() == "CN=acme ABCDEFG"
    assert made.not_valid_after_utc == NOW + VALID
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.certificate.stat().st_mode) == 0o644
    assert stat.S_IMODE(files.key.parent.stat().st_mode) == 0o700
    assert fingerprint(check_files(files, NOW)) == fingerprint(made)


def test_the_kept_certificate_is_used_again(tmp_path: Path) -> None:
    """A start doesn't change it, so browsers that were told of it go on."""
    files = files_in(tmp_path)
    first = keep_certificate(files, "acme", HOSTS, NOW)
    assert keep_certificate(files, "acme", HOSTS, NOW + VALID - timedelta(days=31)) == first


@pytest.mark.parametrize(
    "why", ["near its end", "other hosts", "no key", "damaged", "key open to others", "of another key"]
)
def test_a_certificate_is_made_anew_when_due(tmp_path: Path, why: str) -> None:
    """Nobody pins it, so it is replaced whenever it does not serve."""
    files, now, hosts = files_in(tmp_path), NOW, HOSTS
    first = keep_certificate(files, "acme", HOSTS, NOW)
    match why:
        case "near its end":
            now = NOW + VALID - timedelta(days=29)
        case "other hosts":
            hosts = [*HOSTS, "new.example"]
        case "no key":
            files.key.unlink()
        case "damaged":
            files.certificate.write_bytes(files.certificate.read_bytes()[:200])
        case "key open to others":
            files.key.chmod(0o640)
        case _:
            files.key.write_bytes(self_made().key)
    second = keep_certificate(files, "acme", hosts, now)
    assert second != first
    assert names_in(second) == set(hosts)
    assert fingerprint(check_files(files, now)) == fingerprint(second)


def test_an_operators_chain_is_known_by_its_first_certificate(tmp_path: Path) -> None:
    """The server's own stands before its authority's."""
    issued = Authority().issue("acme.example")
    certificate, key = issued.save(tmp_path)
    found = check_files(CertificateFiles(certificate=certificate, key=key), datetime.now(UTC))
    assert fingerprint(found) == issued.digest
    assert names_in(found) == {"acme.example"}


def test_what_is_wrong_with_the_files_is_said_in_full(tmp_path: Path) -> None:
    """One reading names an expired certificate and an open key alike."""
    certificate, key = Authority().issue(start=NOW - timedelta(days=60), days=30).save(tmp_path)
    key.chmod(0o644)
    with pytest.raises(
        InvalidValueError, match=r"expired on 2026-01-30: renew it; key .* can be read by others: run chmod"
    ):
        check_files(CertificateFiles(certificate=certificate, key=key), NOW)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("absent certificate", "can't be read: No such file"),
        ("absent key", r"key .* can't be read: No such file"),
        ("not a certificate", "holds no PEM certificate"),
        ("not a key", "holds no PEM key"),
        ("key of another", "not the key of the certificate"),
        ("not yet valid", "not valid before .* check the clock"),
        ("a huge file", "larger than"),
    ],
)
def test_each_fault_of_the_files_is_named(tmp_path: Path, fault: str, said: str) -> None:
    """With the file that it is in."""
    certificate, key = self_made(now=NOW).save(tmp_path)
    now = NOW
    match fault:
        case "absent certificate":
            certificate.unlink()
        case "absent key":
            key.unlink()
        case "not a certificate":
            certificate.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        case "not a key":
            key.write_bytes(certificate.read_bytes())
        case "key of another":
            key.write_bytes(self_made().key)
        case "not yet valid":
            now = NOW - timedelta(days=30)
        case _:
            certificate.write_bytes(b"x" * 1_000_000)
    with pytest.raises(InvalidValueError, match=said) as caught:
        check_files(CertificateFiles(certificate=certificate, key=key), now)
    assert str(tmp_path) in str(caught.value)


def test_no_private_key_is_repeated_in_an_error(tmp_path: Path) -> None:
    """A key given as the certificate is refused without its text."""
    _, key = self_made().save(tmp_path)
    with pytest.raises(InvalidValueError) as caught:
        read_certificate(key)
    assert "BEGIN" not in str(caught.value)


def test_a_fingerprint_is_shown_as_browsers_show_it() -> None:
    """In pairs of capital letters."""
    digest = self_made().digest
    assert in_pairs(digest).replace(":", "").lower() == digest
    assert in_pairs(digest)[2::3] == ":" * 31
