"""The settings of TLS, and the certificates of a node: what is on by itself, what is refused, what proofs vouch for."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from federation.errors import InvalidValueError
from federation.keys import PrivateKey
from federation.link.tls import names_in, read_certificate
from federation.names import NodeName
from node.certificates import Certificates
from node.config import Settings, create_node, load_settings
from tests.support.clock import FIXED_START, FakeClock
from tests.support.tls_peers import Authority, Shown, self_made

BASE = {"name": "acme", "host": "192.0.2.1", "port": 7420, "url": "https://acme.example:7420"}
NODE = PrivateKey(b"n" * 32).id


def settings_of(folder: Path, **values: Any) -> Settings:
    """The settings that a file with these values has; ``None`` takes one out."""
    document = {key: value for key, value in {**BASE, **values}.items() if value is not None}
    (folder / "config.toml").write_text(tomlkit.dumps(document))
    return load_settings(folder)


def an_operators(folder: Path, shown: Shown | None = None) -> dict[str, str]:
    """The settings that name an operator's certificate."""
    made = shown or self_made(now=FIXED_START)
    certificate, key = made.save(folder)
    return {"tls_certificate": str(certificate), "tls_key": str(key)}


@pytest.mark.parametrize(
    ("host", "tls", "serves"),
    [
        ("127.0.0.1", "auto", False),
        ("::1", "auto", False),
        ("localhost", "auto", False),
        ("0.0.0.0", "auto", True),  # noqa: S104
        ("192.0.2.7", "auto", True),
        ("::", "auto", True),
        ("127.0.0.1", "on", True),
        ("0.0.0.0", "off", False),  # noqa: S104
    ],
)
def test_tls_is_on_unless_only_this_machine_can_reach_the_node(
    tmp_path: Path, host: str, tls: str, serves: bool
) -> None:
    """And the operator may say otherwise; the address that others reach the node by follows."""
    settings = create_node(tmp_path / "x", name=NodeName("acme"), host=host, port=7420, url=None, tls=tls)
    assert settings.serves_tls is serves
    assert settings.url.startswith("https://" if serves else "http://")
    assert load_settings(tmp_path / "x") == settings


def test_a_certificate_of_ones_own_turns_tls_on(tmp_path: Path) -> None:
    """Whoever gives one wants it used, also on loopback."""
    settings = settings_of(tmp_path, host="127.0.0.1", **an_operators(tmp_path))
    assert settings.serves_tls


def test_a_proxy_may_do_tls_before_a_node_without_it(tmp_path: Path) -> None:
    """Its address is https then, and the node serves plain HTTP behind it."""
    certificate, _ = self_made().save(tmp_path)
    settings = settings_of(tmp_path, tls="off", tls_proxy_certificate=certificate.name)
    assert not settings.serves_tls
    assert settings.tls_proxy_certificate == certificate


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"url": "http://acme.example:7420"}, 'serves TLS, but its url is http://.* tls = "off"'),
        ({"tls": "yes"}, "tls 'yes' is none of auto, on, off"),
        ({"tls": True}, "tls True is none of"),
        ({"tls_certificate": "a.pem"}, "go together"),
        ({"tls_key": "a.pem"}, "go together"),
        ({"tls_key": 7, "tls_certificate": ""}, "tls_certificate is not the path.*tls_key is not the path"),
        ({"tls": "off", "tls_certificate": "a.pem", "tls_key": "b.pem"}, "take one of the two out"),
        ({"tls": "off", "url": "http://acme.example", "tls_proxy_certificate": "a.pem"}, "reach by https"),
    ],
)
def test_half_set_and_contradictory_options_are_refused(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    """The sentence says what to do."""
    with pytest.raises(InvalidValueError, match=said):
        settings_of(tmp_path, **values)


def test_all_mistakes_are_reported_together(tmp_path: Path) -> None:
    """Those of TLS beside the others."""
    with pytest.raises(InvalidValueError) as caught:
        settings_of(tmp_path, port=0, tls_key="k", url="http://acme.example")
    for part in ("port 0", "go together", "but its url is http://"):
        assert part in str(caught.value)


def test_without_tls_there_is_no_certificate(tmp_path: Path) -> None:
    """Nothing is made, nothing is vouched for."""
    settings = create_node(tmp_path / "x", name=NodeName("acme"), host="127.0.0.1", port=7420, url=None)
    certificates = Certificates(settings, NODE, FakeClock())
    assert (certificates.files, certificates.own, certificates.in_use()) == (None, None, ())
    assert [path.name for path in settings.key_file.parent.iterdir()] == ["node.pem"]


def test_the_self_made_certificate_bears_the_names_the_node_is_reached_by(tmp_path: Path) -> None:
    """That of its address and the one it listens at, unless that stands for any."""
    settings = settings_of(tmp_path, host="192.0.2.7")
    certificates = Certificates(settings, NODE, FakeClock())
    assert certificates.files is not None
    made = read_certificate(certificates.files.certificate)
    assert names_in(made) == {"acme.example", "192.0.2.7"}
    assert made.subject.rfc4514_string() == f"CN=acme {NODE.short}"
    assert len(certificates.in_use()) == 1
    anywhere = settings_of(tmp_path, host="::", url="https://[2001:db8::7]:7420")
    Certificates(anywhere, NODE, FakeClock())
    assert names_in(read_certificate(certificates.files.certificate)) == {"2001:db8::7"}


def test_an_operators_mistake_ends_the_start_with_the_reason(tmp_path: Path) -> None:
    """An expired certificate is not served."""
    clock = FakeClock()
    settings = settings_of(tmp_path, **an_operators(tmp_path, Authority().issue(start=clock.now(), days=30)))
    clock.advance(timedelta(days=31).total_seconds())
    with pytest.raises(InvalidValueError, match="expired"):
        Certificates(settings, NODE, clock)


def test_a_renewed_certificate_is_taken_and_the_old_one_vouched_for_a_while(tmp_path: Path) -> None:
    """For as long as a connection may still show it, and no longer."""
    clock, old, new = FakeClock(), self_made(now=FIXED_START), self_made(now=FIXED_START)
    certificates = Certificates(settings_of(tmp_path, **an_operators(tmp_path, old)), NODE, clock)
    assert not certificates.renewed()
    an_operators(tmp_path, new)
    assert certificates.renewed()
    assert certificates.own == new.digest
    assert certificates.in_use() == (new.digest, old.digest)
    clock.advance(301)
    assert certificates.in_use() == (new.digest,)
    assert not certificates.renewed()


def test_a_half_replaced_pair_is_not_taken(tmp_path: Path) -> None:
    """The certificate is there, its key not yet: the node goes on with what it has until both are."""
    old, new = self_made(now=FIXED_START), self_made(now=FIXED_START)
    certificates = Certificates(settings_of(tmp_path, **an_operators(tmp_path, old)), NODE, FakeClock())
    (tmp_path / "server.pem").write_bytes(new.chain)
    assert not certificates.renewed()
    assert certificates.in_use() == (old.digest,)
    (tmp_path / "server-key.pem").write_bytes(new.key)
    assert certificates.renewed()
    assert certificates.own == new.digest


def test_a_touched_file_is_no_renewal(tmp_path: Path) -> None:
    """The server is not started anew for the same certificate."""
    certificates = Certificates(settings_of(tmp_path, **an_operators(tmp_path)), NODE, FakeClock())
    os.utime(tmp_path / "server.pem", ns=(1, 1))
    assert not certificates.renewed()


def test_a_proxys_certificate_is_vouched_for_as_it_is_renewed(tmp_path: Path) -> None:
    """Nobody tells the node of it; a file that can't be read for a moment changes nothing."""
    clock, old, new = FakeClock(), self_made(), self_made()
    old.save(tmp_path)
    certificates = Certificates(settings_of(tmp_path, tls="off", tls_proxy_certificate="server.pem"), NODE, clock)
    assert certificates.in_use() == (old.digest,)
    (tmp_path / "server.pem").unlink()
    assert certificates.in_use() == (old.digest,)
    new.save(tmp_path)
    assert certificates.in_use() == (new.digest, old.digest)
    clock.advance(301)
    assert certificates.in_use() == (new.digest,)
    assert certificates.own is None
