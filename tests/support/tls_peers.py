"""Peers over TLS on loopback, with real certificates: honest ones, and one in the middle that passes all on."""

import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from federation.digest import Digest
from federation.keys import PrivateKey
from federation.link.identity_proof import IDENTITY_PATH, IdentityProof
from federation.link.tls import make_certificate
from federation.names import NodeName
from tests.support.link_server import FakePeer, Handler

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Shown:
    """A certificate with its chain and key, PEM."""

    chain: bytes
    key: bytes

    @property
    def digest(self) -> Digest:
        """What a client sees of it."""
        return Digest.of(x509.load_pem_x509_certificates(self.chain)[0].public_bytes(serialization.Encoding.DER))

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as both:
            both.write(self.chain + self.key)
            both.flush()
            context.load_cert_chain(both.name)
        return context

    def save(self, folder: Path, name: str = "server") -> tuple[Path, Path]:
        """The files of the chain and of the key."""
        certificate, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
        certificate.write_bytes(self.chain)
        key.write_bytes(self.key)
        key.chmod(0o600)
        return certificate, key


def self_made(name: str = "acme", hosts: Collection[str] = (HOST,), now: datetime | None = None) -> Shown:
    """A certificate as a node makes it."""
    return Shown(*make_certificate(name, hosts, now or datetime.now(UTC)))


class Authority:
    """A certificate authority of the tests."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        self.certificate = self._signed(
            self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0)
        )

    def _signed(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        constraints: x509.BasicConstraints,
        *,
        start: datetime | None = None,
        days: int = 30,
        host: str = "node.example",
    ) -> bytes:
        begin = start or datetime.now(UTC) - timedelta(days=1)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=days))
            .add_extension(constraints, critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)

    def issue(self, host: str = "node.example", *, start: datetime | None = None, days: int = 30) -> Shown:
        """A certificate for ``host``, with this authority's own as its chain."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        leaf = self._signed(
            subject,
            key.public_key(),
            x509.BasicConstraints(ca=False, path_length=None),
            start=start,
            days=days,
            host=host,
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Shown(leaf + self.certificate, pem)


@dataclass(kw_only=True)
class TlsPeer(FakePeer):
    """A peer that proves its identity as a node does. ``vouched``: the certificates that it calls its own.

    ``prover``: whose key signs, if not its own; ``instead``: what it answers instead of a proof.
    """

    vouched: list[Digest] = field(default_factory=list)
    prover: PrivateKey | None = None
    instead: Handler | None = None
    proofs: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == IDENTITY_PATH:
            return await self.instead(request) if self.instead else self.identity(request)
        return await super().handle(request)

    def identity(self, request: web.Request) -> web.Response:
        """The proof over the nonce asked with."""
        self.proofs += 1
        key = self.prover or self.key
        proof = IdentityProof(
            node=NodeName("acme"),
            id=key.id,
            key=key.public,
            url="https://acme.example",
            nonce=request.query["nonce"],
            certificates=tuple(self.vouched),
            at=self.clock.now(),
        )
        return web.Response(body=proof.sign(key))


@dataclass(kw_only=True)
class Middle:
    """One who stands between a client and ``real``: his own certificate to the client, every request passed on."""

    real: str
    url: str = ""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(
            (request.method, request.path, {name.lower(): one for name, one in request.headers.items()})
        )
        headers = {name: one for name, one in request.headers.items() if name.lower() != "host"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method,
                self.real.rstrip("/") + request.path_qs,
                headers=headers,
                data=await request.read(),
                ssl=False,
            ) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())


@contextlib.asynccontextmanager
async def served(peer: FakePeer | Middle, shown: Shown | None, port: int = 0) -> AsyncIterator[None]:
    """``peer`` on a port of loopback under the certificate ``shown``, or without TLS."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", peer.handle)
    server = TestServer(app, host=HOST, port=port, scheme="https" if shown else "http")
    await server.start_server(shutdown_timeout=0.1, ssl=shown.context() if shown else None)
    try:
        peer.url = str(server.make_url("/"))
        yield
    finally:
        await server.close()
