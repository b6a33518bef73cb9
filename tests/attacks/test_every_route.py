"""The story of everybody who knocks at every door: each route, as each kind of caller, with all that can be asked for.

acme shares ``shop`` with globex, and ``payroll`` with initech. Nobody but initech, and those inside, may ever see a
trace of payroll: no name, no digest, no content.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.datastructures import Headers

from federation.digest import Digest
from federation.keys import PrivateKey
from federation.link.request import HttpRequest
from federation.link.signature import signed_headers
from federation.names import InstanceName, NodeName, ProfileName, ServiceName
from node.app import all_routes
from node.http.authentication import session_cookie
from node.http.route import Access, Route
from node.model.account import Role
from node.model.desired import ListKind
from node.model.peer import Right
from tests.support.nodes import WHO, Member, Network

SHOP = {"app.py": b"print('shop')\n" * 40}
PAYROLL = {"pay.txt": b"what everybody earns\n" * 40}
REFUSED = frozenset({400, 401, 403, 404, 422})

NOBODY = "nobody"
STRANGER = "a stranger's key"
OTHER = "a consumer of another profile"
OWNER = "the consumer of the profile"
POOR = "a consumer of the profile without any right"
REMOVED = "a removed consumer of the profile"
AGENT = "an agent that runs nothing of it"
REVOKED = "a revoked agent"
VIEWER = "a viewer"

ADMITTED: Mapping[Access, frozenset[str]] = {
    Access.PUBLIC: frozenset({NOBODY, STRANGER, OTHER, OWNER, POOR, REMOVED, AGENT, REVOKED, VIEWER}),
    Access.PERSON: frozenset({VIEWER}),
    Access.READER: frozenset({OWNER, OTHER}),
    Access.CONSUMER: frozenset({OWNER, OTHER, POOR}),
    Access.AGENT: frozenset({AGENT}),
    Access.NEWCOMER: frozenset(),
    Access.PAIRING: frozenset(),
}
"""Who gets past the door; what he sees behind it is another matter. Newcomers bring a key or a secret, as none here."""

OWN_CATALOG: Mapping[str, str] = {OWNER: "/catalogs/private/", OTHER: "/catalogs/public/"}


def admitted(who: str, route: Route, path: str) -> bool:
    """Whether ``who`` may get an answer at ``path``; a reader only in the catalogue of its own profile."""
    own = route.access is not Access.READER or path.startswith(OWN_CATALOG.get(who, "none"))
    return who in ADMITTED[route.access] and own


@dataclass(frozen=True)
class Scene:
    """acme as it stands, the keys of those who sign, and the words that nobody else may see."""

    acme: Member
    keys: Mapping[str, PrivateKey]
    cookie: str
    secrets: tuple[bytes, ...]
    asked_for: Mapping[str, tuple[str, ...]]

    async def ask(self, who: str, method: str, path: str) -> tuple[int, bytes]:
        """Status and body of one request; of a stream only that it began."""
        body = b"{}" if method == "POST" else b""
        headers = Headers()
        if who in self.keys:
            plain, _, query = path.partition("?")
            request = HttpRequest(method=method, path=plain, query=query, body=body)
            now = self.acme.clock.now()
            headers.update(signed_headers(request, key=self.keys[who], audience=self.acme.key.id, now=now))
        client = self.acme.app.test_client()
        if who == VIEWER:
            headers["Cookie"] = f"{session_cookie(self.acme.key.id)}={self.cookie}"
        ask = client.post if method == "POST" else client.get
        try:
            async with asyncio.timeout(1):
                answer = await ask(path, headers=headers, data=body)
                return answer.status_code, str(answer.headers).encode() + await answer.get_data(as_text=False)
        except TimeoutError:
            return 200, b""

    def paths(self, route: Route) -> Iterator[str]:
        """The route's paths with everything in its place that could be asked for there, payroll's above all."""
        found = [route.rule]
        while any("<" in path for path in found):
            found = [filled for path in found for filled in self._filled(path)]
        for path in found:
            yield path
            if "/packs/" in path:
                yield from (f"{path}?from={image}" for image in self.asked_for["image"])

    def _filled(self, path: str) -> Iterable[str]:
        part = re.search(r"<(?:path:)?(\w+)>", path)
        if part is None:
            return [path]
        return [path[: part.start()] + value + path[part.end() :] for value in self.asked_for[part[1]]]


async def _scene(folder: Path) -> Scene:
    network = Network(folder)
    acme, globex, initech, poor, gone = (
        network.add(name) for name in ("acme", "globex", "initech", "hooli", "umbrella")
    )
    await acme.share("public", "shop")
    await acme.share("private", "payroll")
    shop = await acme.develop("shop", "acme-1.0.0", SHOP)
    payroll = await acme.develop("payroll", "acme-7.7.7", PAYROLL)
    await network.link(acme, globex, "public")
    for member in (initech, poor, gone):
        await network.link(acme, member, "private")
    await acme.use.links.set_rights(NodeName("hooli"), frozenset(), who=WHO)
    await acme.use.links.remove_consumer(NodeName("umbrella"), who=WHO)
    agent, revoked = await network.attach(acme, "host-1"), await network.attach(acme, "host-2")
    await acme.use.instances.assign(InstanceName("host-1"), (), who=WHO)
    await acme.use.instances.revoke(InstanceName("host-2"), who=WHO)
    catalog = acme.folder / "tuf" / "private"
    await acme.use.catalogs.serial(ProfileName("private"))
    image = await acme.use.client_builds._images.load(payroll.image)
    contents = tuple(image.contents)
    targets = tuple(path.relative_to(catalog / "targets").as_posix() for path in _files(catalog / "targets"))
    keys = {
        STRANGER: PrivateKey.generate(),
        OTHER: globex.key,
        OWNER: initech.key,
        POOR: poor.key,
        REMOVED: gone.key,
        AGENT: agent,
        REVOKED: revoked,
    }
    words = [b"payroll", b"acme-7.7.7", payroll.image.encode(), payroll.manifest.encode(), PAYROLL["pay.txt"][:40]]
    asked_for = {
        "profile": ("private", "public"),
        "name": (*(path.name for path in _files(catalog / "metadata")), "root.json", "99.root.json"),
        "path": targets,
        "image": (payroll.image, shop.image, "0" * 64),
        "digest": (payroll.manifest, *contents, "0" * 64),
        "id": ("00000000-0000-0000-0000-000000000000",),
        "pairing": ("00000000-0000-0000-0000-000000000000",),
        "service": ("payroll", "shop"),
        "build": ("0" * 32,),
        "number": ("0" * 32,),
        "version": ("acme-7.7.7", "acme-1.0.0"),
        "fault": ("00000000-0000-0000-0000-000000000000",),
    }
    return Scene(acme, keys, await _viewer(acme), (*words, *(one.encode() for one in contents)), asked_for)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def _viewer(acme: Member) -> str:
    url, _ = await acme.use.accounts.login_link(Role.VIEWER, who=WHO)
    session = await acme.use.accounts.login(re.split(r"[#=/]", url)[-1])
    return session.secret


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    return await _scene(tmp_path)


def test_every_kind_of_access_says_who_gets_in() -> None:
    """A new kind has to be added to the table here, on purpose."""
    assert set(ADMITTED) == set(Access)


async def test_everybody_at_every_route(scene: Scene) -> None:
    """Who is not admitted is refused, and sees nothing of payroll; who is admitted sees nothing of it either."""
    walked = 0
    for route in all_routes(scene.acme.use, None):
        for who in (NOBODY, VIEWER, *scene.keys):
            for path in scene.paths(route):
                status, answer = await scene.ask(who, route.method, path)
                told = f"{who}: {route.method} {path} → {status}"
                walked += 1
                assert status < 500 or route.rule == "/", told
                if not admitted(who, route, path):
                    assert status in REFUSED, told
                if route.right is not None and who == POOR:
                    assert status == 403, told
                if who != OWNER:
                    shown = [word for word in scene.secrets if word in answer and word.decode("latin-1") not in path]
                    assert not shown, f"{told} shows {shown}"
    assert walked > 300


async def test_the_owner_gets_what_the_others_were_refused(scene: Scene) -> None:
    """Else the walk above would prove nothing: the same paths lead initech to all of payroll."""
    seen = b""
    for route in all_routes(scene.acme.use, None):
        if route.access in (Access.READER, Access.CONSUMER) and route.method == "GET":
            for path in scene.paths(route):
                status, answer = await scene.ask(OWNER, route.method, path)
                seen += answer if status == 200 else b""
    assert all(word in seen for word in (b"payroll", b"acme-7.7.7", *scene.secrets[2:4]))
    stored = await scene.acme.use.versions.get(ListKind.DEVELOPER, ServiceName("payroll"), "acme-7.7.7")
    assert any(bytes.fromhex(Digest(stored.image)) in part for part in (seen,)), "the pack itself"


async def test_a_right_taken_away_closes_the_door_at_once(scene: Scene) -> None:
    """Rights change while everything runs; the very next request is refused, and given again, let in."""
    path = next(path for path in scene.asked_for["path"] if "listing" in path)
    url = f"/catalogs/private/targets/{path}"
    assert (await scene.ask(OWNER, "GET", url))[0] == 200
    rights = frozenset(Right) - {Right.TAKE}
    await scene.acme.use.links.set_rights(NodeName("initech"), rights, who=WHO)
    assert (await scene.ask(OWNER, "GET", url))[0] == 404
    assert (await scene.ask(OWNER, "GET", f"/federation/v1/packs/{scene.asked_for['image'][0]}"))[0] in (403, 404)
    await scene.acme.use.links.set_rights(NodeName("initech"), frozenset(Right), who=WHO)
    assert (await scene.ask(OWNER, "GET", url))[0] == 200
