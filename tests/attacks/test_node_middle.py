"""Stories of a provider in the middle, and of peers who ask for what is not theirs."""

from pathlib import Path

import pytest

from federation import codec, limits
from federation.digest import Digest
from federation.errors import DeniedError, RemoteError, VUpdateError
from federation.fault import FaultReport
from federation.keys import PrivateKey
from federation.link.answers import PeerAbsentError, PeerDeniedError
from federation.link.messages import Redeem
from federation.names import InstanceName, NodeName, ProfileName, ServiceKey, ServiceName
from federation.versions import ClientVersion
from node.model.desired import ListKind
from node.model.peer import AutoUpdate
from node.model.task import TaskState
from tests.support.nodes import WHO, Member, Network, Tamper, chain

FILES = {"app.py": b"print('hello')\n" * 50, "data/words.txt": b"one two three\n" * 400}


def changed(path_part: str, at: float = 0.5) -> Tamper:
    """Flip one bit of the answers of one kind of route."""

    def tamper(path: str, content: bytes) -> bytes:
        if path_part not in path or not content:
            return content
        spoilt = bytearray(content)
        spoilt[int(len(spoilt) * at)] ^= 0x04
        return bytes(spoilt)

    return tamper


async def state_of(member: Member) -> tuple[object, ...]:
    """What a refused update must leave as it was."""
    versions = await member.use.versions.find(ListKind.DEVELOPER, None, first=100)
    blobs = sorted(path.name for path in (member.folder / "blobs").rglob("*.zst"))
    work = [path for path in (member.folder / "work").rglob("*") if path.is_file()]
    return await member.desired(), [one.version for one in versions], blobs, work


async def test_a_version_passes_through_a_chain_with_its_origins_signature(tmp_path: Path) -> None:
    """initech gets acme's manifest, byte for byte, from globex, and its key pinned to acme."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, initech = network.members.values()
    made = await acme.develop("shop", "acme-1.0.0", FILES)
    async with network.running():
        assert (await globex.update_from("acme")).state is TaskState.SUCCEEDED
        assert (await initech.update_from("globex")).state is TaskState.SUCCEEDED
    got = await initech.use.versions.get(ListKind.DEVELOPER, ServiceName("shop"), "acme-1.0.0")
    assert got.signed.envelope.payload == made.signed.envelope.payload
    assert got.signed.manifest.maker.key == acme.key.public
    assert await initech.desired() == {"shop": "acme-1.0.0"}


@pytest.mark.parametrize(
    "route", ["timestamp.json", "snapshot.json", "targets.json", "listing.json", "targets/manifests/", "/packs/"]
)
@pytest.mark.parametrize("at", [0.1, 0.4, 0.6])
async def test_a_provider_that_alters_what_it_passes_on_is_refused(tmp_path: Path, route: str, at: float) -> None:
    """One bit changed in any part of a catalogue, a manifest or a pack: the update stops, nothing here has changed."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    before = await state_of(globex)
    network.tampers["globex", "acme"] = changed(route, at)
    async with network.running():
        task = await globex.update_from("acme")
        assert task.state is TaskState.FAILED
        assert task.error
        assert await state_of(globex) == before
        network.tampers.clear()
        assert (await globex.update_from("acme")).state is TaskState.SUCCEEDED


async def test_a_middle_node_cannot_pass_its_own_image_off_as_the_origins(tmp_path: Path) -> None:
    """evil signs a version that bears acme's name with its own key: initech has acme's key pinned and refuses."""
    network = await chain(tmp_path, "acme", "evil", "initech")
    acme, evil, initech = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    async with network.running():
        await evil.update_from("acme")
        await initech.update_from("evil")
        before = await state_of(initech)
        evil.name = "acme"
        await evil.develop("shop", "acme-1.0.1", {"app.py": b"print('evil')\n"})
        task = await initech.update_from("evil")
    assert task.state is TaskState.FAILED
    assert "no statement by the old key" in task.error
    assert (await initech.alarms())["origin-key-changed"] == "acme through evil"
    assert await state_of(initech) == before


def replayed(kept: dict[str, bytes]) -> Tamper:
    """Answer by what is ``kept``, where something is."""

    def tamper(path: str, content: bytes) -> bytes:
        return kept.get(path, content)

    return tamper


def recorder(kept: dict[str, bytes]) -> Tamper:
    """Keep what a catalogue answers, in ``kept``."""

    def tamper(path: str, content: bytes) -> bytes:
        if path.startswith("/catalogs/"):
            kept[path] = content
        return content

    return tamper


async def test_an_old_catalogue_played_again_is_refused(tmp_path: Path) -> None:
    """A provider can't take its consumer back to a catalogue that it has seen the successor of."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    old: dict[str, bytes] = {}
    network.tampers["globex", "acme"] = recorder(old)
    async with network.running():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await globex.update_from("acme")
        old = dict(old)
        await acme.develop("shop", "acme-1.0.1", {**FILES, "app.py": b"print(2)\n"})
        await globex.update_from("acme")
        network.tampers["globex", "acme"] = replayed(old)
        task = await globex.update_from("acme")
    assert task.state is TaskState.FAILED
    assert "older than what was seen before" in task.error
    assert (await globex.alarms())["catalog-refused"] == "acme"
    assert await globex.desired() == {"shop": "acme-1.0.1"}


async def test_a_catalogue_that_is_kept_back_too_long_is_refused(tmp_path: Path) -> None:
    """A frozen provider is noticed: its timestamp is good for a day."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    frozen: dict[str, bytes] = {}
    network.tampers["globex", "acme"] = recorder(frozen)
    async with network.running():
        await globex.update_from("acme")
        network.later(hours=25)
        network.tampers["globex", "acme"] = replayed(frozen)
        task = await globex.update_from("acme")
    assert task.state is TaskState.FAILED
    assert "expired" in task.error
    assert (await globex.alarms())["catalog-refused"] == "acme"


async def test_the_catalogue_of_one_profile_is_no_use_to_the_consumer_of_another(tmp_path: Path) -> None:
    """It can't be read from outside, and shown in the place of the own one it is refused."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    initech = network.add("initech")
    await acme.share("partners", "shop", "payroll")
    await network.link(acme, initech, "partners")
    foreign: dict[str, bytes] = {}
    network.tampers["initech", "acme"] = recorder(foreign)
    await initech.use.updates.check(NodeName("acme"))
    for path in foreign:
        with pytest.raises(PeerAbsentError):
            await network.between(globex, acme).get(path, most_bytes=limits.MIB)
    shown = {path.replace("/partners/", "/public/"): content for path, content in foreign.items()}
    network.tampers["globex", "acme"] = replayed(shown)
    with pytest.raises(RemoteError):
        await globex.use.updates.check(NodeName("acme"))
    assert (await globex.provider("acme")).catalog is None


async def test_a_consumer_sees_nothing_outside_its_profile(tmp_path: Path) -> None:
    """Neither the name, nor the manifest, nor the image of a service that its profile leaves out."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    secret = await acme.develop("payroll", "acme-1.0.0", {"pay.txt": b"secret"})
    public = await acme.develop("shop", "acme-1.0.0", FILES)
    peer = network.between(globex, acme)
    seen: dict[str, bytes] = {}
    network.tampers["globex", "acme"] = recorder(seen)
    provider = await globex.use.updates.check(NodeName("acme"))
    assert provider.catalog is not None
    assert [one.service for one in provider.catalog.listing.entries] == ["shop"]
    assert b"payroll" not in b"".join(seen.values())
    manifest = f"/catalogs/public/targets/manifests/{Digest.of(secret.envelope)}.{secret.manifest}.json"
    for path in (manifest, f"/federation/v1/packs/{secret.image}"):
        with pytest.raises(PeerAbsentError):
            await peer.get(path, most_bytes=limits.MIB)
    assert await peer.get(f"/federation/v1/packs/{public.image}", {"from": secret.image}, most_bytes=limits.MIB)


@pytest.mark.parametrize(
    "path",
    [
        "/catalogs/public/metadata/timestamp.json",
        "/federation/v1/link",
        "/federation/v1/events",
        "/agent/v1/assignment",
        "/agent/v1/events",
    ],
)
async def test_a_stranger_gets_nothing(tmp_path: Path, path: str) -> None:
    """A key that was never linked or enrolled is refused, signed or not."""
    network = await chain(tmp_path, "acme", "globex")
    acme = network.members["acme"]
    stranger = network.peer("nobody", acme.url, acme.key.public, PrivateKey.generate())
    with pytest.raises(PeerDeniedError) as refused:
        await stranger.get(path, most_bytes=limits.MIB)
    assert refused.value.remote_code == "unknown-signer"
    unsigned = await acme.app.test_client().get(path)
    # Who does not say who he is asks for a catalogue like anybody: there is none for him.
    status, code = (404, "not-found") if path.startswith("/catalogs/") else (403, "unsigned")
    assert unsigned.status_code == status
    assert codec.decode(await unsigned.get_data(as_text=False), dict)["code"] == code


async def test_a_consumers_key_opens_no_agents_route_and_an_agents_no_consumers(tmp_path: Path) -> None:
    """Each kind of caller stays in its own room."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    agent = await network.attach(acme, "host-1")
    with pytest.raises(PeerDeniedError):
        await network.between(globex, acme).get("/agent/v1/assignment", most_bytes=limits.MIB)
    with pytest.raises(PeerDeniedError):
        await network.agent_of(acme, agent).get("/federation/v1/link", most_bytes=limits.MIB)


async def test_a_removed_consumer_and_a_revoked_agent_are_strangers(tmp_path: Path) -> None:
    """The next request after the end of a link is refused."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    agent = await network.attach(acme, "host-1")
    await acme.use.links.remove_consumer(NodeName("globex"), who=WHO)
    await acme.use.instances.revoke(InstanceName("host-1"), who=WHO)
    with pytest.raises(PeerDeniedError):
        await network.between(globex, acme).get("/federation/v1/link", most_bytes=limits.MIB)
    with pytest.raises(PeerDeniedError):
        await network.agent_of(acme, agent).get("/agent/v1/assignment", most_bytes=limits.MIB)


async def test_a_signed_request_played_again_is_refused(tmp_path: Path) -> None:
    """The very bytes of a good request do nothing the second time."""
    from federation.link.request import HttpRequest
    from federation.link.signature import signed_headers

    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    request = HttpRequest(method="GET", path="/federation/v1/link")
    headers = signed_headers(request, key=globex.key, audience=acme.key.id, now=network.clock.now())
    client = acme.app.test_client()
    assert (await client.get(request.path, headers=headers)).status_code == 200
    again = await client.get(request.path, headers=headers)
    assert again.status_code == 403
    assert codec.decode(await again.get_data(as_text=False), dict)["code"] == "replayed"


async def test_an_invitation_works_once_and_not_after_its_day(tmp_path: Path) -> None:
    """A second node, or the same one a day later, is refused, and no link is made."""
    network = Network(tmp_path)
    acme, globex, initech = (network.add(name) for name in ("acme", "globex", "initech"))
    await acme.share("public", "shop")
    used = await acme.use.links.invite(ProfileName("public"), who=WHO)
    await globex.use.links.accept(used.text, auto_update=AutoUpdate.OFF, who=WHO)
    with pytest.raises(DeniedError, match="used before"):
        await initech.use.links.accept(used.text, auto_update=AutoUpdate.OFF, who=WHO)
    late = await acme.use.links.invite(ProfileName("public"), who=WHO)
    network.later(hours=25)
    with pytest.raises(DeniedError, match="expired"):
        await initech.use.links.accept(late.text, auto_update=AutoUpdate.OFF, who=WHO)
    body = codec.encode(Redeem(secret=late.secret, node=NodeName("initech"), key=initech.key.public))
    with pytest.raises(PeerDeniedError, match="expired"):
        await network.between(initech, acme).post("/federation/v1/links", body)
    assert [one.name for one in await acme.use.links.consumers()] == ["globex"]
    assert await initech.use.links.providers() == []


async def test_an_invitation_can_be_redeemed_only_by_the_key_that_signs(tmp_path: Path) -> None:
    """Who overhears a secret can't link another key by it than his own; a foreign key in the body is refused."""
    network = Network(tmp_path)
    acme, globex = network.add("acme"), network.add("globex")
    await acme.share("public", "shop")
    invitation = await acme.use.links.invite(ProfileName("public"), who=WHO)
    body = codec.encode(Redeem(secret=invitation.secret, node=NodeName("globex"), key=globex.key.public))
    thief = network.peer("thief", acme.url, acme.key.public, PrivateKey.generate())
    with pytest.raises(PeerDeniedError):
        await thief.post("/federation/v1/links", body)
    assert await acme.use.links.consumers() == []


def report(service: str = "shop", instance: str = "host-1") -> FaultReport:
    from tests.support.clock import FIXED_START

    return FaultReport(
        id="11111111-2222-4333-8444-555555555555",
        service=ServiceKey(service),
        version=ClientVersion("acme-1.0.0"),
        instance=InstanceName(instance),
        occurred=FIXED_START,
        reason="exited",
        exit_status=3,
    )


async def test_a_consumer_cannot_report_faults_of_foreign_services_or_in_anothers_name(tmp_path: Path) -> None:
    """A report is taken only for a service of the profile, and only from the last hop that it names."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    peer = network.between(globex, acme)
    now = network.clock.now()
    foreign = report(service="payroll").received_by(NodeName("globex"), globex.key.id, now)
    unhopped = report()
    spoofed = report().received_by(NodeName("globex"), PrivateKey.generate().id, now)
    for bad in (foreign, unhopped, spoofed):
        with pytest.raises(PeerDeniedError):
            await peer.post("/federation/v1/faults", codec.encode(bad))
    assert await acme.use.faults.find(None, first=10) == []
    good = report().received_by(NodeName("globex"), globex.key.id, now)
    for _ in range(2):
        await peer.post("/federation/v1/faults", codec.encode(good))
    assert [[hop.node for hop in one.report.path] for one in await acme.use.faults.find(None, first=10)] == [
        ["globex", "acme"]
    ]


async def test_an_agent_speaks_for_its_own_instance_only(tmp_path: Path) -> None:
    """A fault report in another instance's name is refused."""
    network = await chain(tmp_path, "acme", "globex")
    globex = network.members["globex"]
    key = await network.attach(globex, "host-1")
    with pytest.raises(PeerDeniedError):
        await network.agent_of(globex, key).post("/agent/v1/faults", codec.encode(report(instance="host-2")))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"secret":1}', b'{"id":"../../x"}', b"\xff" * 100])
async def test_a_malformed_body_is_refused_with_its_own_error(tmp_path: Path, body: bytes) -> None:
    """Rubbish from a peer is answered with invalid-value and never with an internal error."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    with pytest.raises(VUpdateError) as refused:
        await network.between(globex, acme).post("/federation/v1/faults", body)
    assert getattr(refused.value, "remote_code", "") == "invalid-value"
