"""Who tries to read a catalogue that is not for him learns nothing, not even that it is there."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from federation.keys import PrivateKey
from federation.names import NodeName, ProfileName
from node.model.desired import ListKind
from node.model.peer import Right
from tests.support.nodes import WHO, Member, Network

FILES = ("metadata/timestamp.json", "metadata/1.root.json", "metadata/2.root.json", "metadata/1.targets.json")


@pytest.fixture
async def network(tmp_path: Path) -> Network:
    """acme shares a shop with globex, a forum with initech, and a wiki with everybody."""
    network = Network(tmp_path)
    acme = network.add("acme")
    for profile, service in (("shops", "shop"), ("forums", "forum"), ("open", "wiki")):
        await acme.share(profile, service)
        await acme.develop(service, "acme-1.0.0", {"app.py": service.encode()})
    wiki = await acme.use.profiles.get(ProfileName("open"))
    await acme.use.profiles.set(replace(wiki, public=True), who=WHO)
    for name, profile_name in (("globex", "shops"), ("initech", "forums")):
        await network.link(acme, network.add(name), profile_name)
    return network


Answer = tuple[int, bytes]


async def signed(network: Network, name: str, path: str) -> Answer:
    """What acme answers to ``name``, who signs."""
    acme = network.members["acme"]
    status, _, content = await network.between(network.members[name], acme).ask("GET", path)
    return status, content


async def unsigned(acme: Member, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    """What acme answers to nobody."""
    answer = await acme.app.test_client().get(path, headers=headers)
    return answer.status_code, await answer.get_data(as_text=False)


def kept(acme: Member) -> dict[str, bytes]:
    """All that acme published."""
    folder = acme.folder / "tuf"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_each_consumer_reads_the_catalogue_of_its_own_profile(network: Network) -> None:
    """And everybody the public one: otherwise the refusals below would prove nothing."""
    for name, profile in (("globex", "shops"), ("initech", "forums"), ("globex", "open")):
        status, content = await signed(network, name, f"/catalogs/{profile}/metadata/timestamp.json")
        assert (status, json.loads(content)["signed"]["_type"]) == (200, "timestamp")
    assert (await unsigned(network.members["acme"], "/catalogs/open/metadata/timestamp.json"))[0] == 200


async def test_another_profiles_catalogue_cannot_be_told_from_none(network: Network) -> None:
    """Whatever is asked for, a consumer of another profile gets the very answer of a profile that does not exist."""
    acme = network.members["acme"]
    assert (await signed(network, "globex", "/catalogs/shops/metadata/timestamp.json"))[0] == 200
    targets = [f"targets/{name.split('/', 2)[2]}" for name in kept(acme) if name.startswith("shops/targets/")]
    assert len(targets) == 2
    for path in (*FILES, *targets):
        answers = [await signed(network, "initech", f"/catalogs/{name}/{path}") for name in ("shops", "nothing")]
        assert answers[0] == answers[1]
        assert answers[0][0] == 404


async def test_nobody_can_find_out_which_private_profiles_there_are(network: Network) -> None:
    """Unsigned, a private profile, one that never was and a name that can't be are all the same."""
    acme, before = network.members["acme"], kept(network.members["acme"])
    for path in FILES:
        answers = {await unsigned(acme, f"/catalogs/{name}/{path}") for name in ("shops", "nothing", "N0-NAME", "a.b")}
        assert len(answers) == 1
        assert answers.pop()[0] == 404
    assert kept(acme) == before
    assert not (acme.folder / "tuf" / "nothing").exists()


async def test_a_removed_consumer_is_a_stranger(network: Network) -> None:
    """Its signature counts no more, for its old profile as for the public one; unsigned it reads what all may read."""
    acme = network.members["acme"]
    await acme.use.links.remove_consumer(NodeName("globex"), who=WHO)
    for profile in ("shops", "open", "nothing"):
        status, content = await signed(network, "globex", f"/catalogs/{profile}/metadata/timestamp.json")
        assert (status, json.loads(content)["code"]) == (403, "unknown-signer")
    assert (await unsigned(acme, "/catalogs/open/metadata/timestamp.json"))[0] == 200


async def test_a_consumer_without_the_right_to_take_reads_nothing(network: Network) -> None:
    """Its link stands, its catalogue is gone for it."""
    acme = network.members["acme"]
    await acme.use.links.set_rights(NodeName("globex"), frozenset({Right.FAULTS}), who=WHO)
    found = await signed(network, "globex", "/catalogs/shops/metadata/timestamp.json")
    assert found == await signed(network, "globex", "/catalogs/nothing/metadata/timestamp.json")
    assert found[0] == 404


async def test_a_bad_signature_is_refused_and_not_taken_for_nobody(network: Network) -> None:
    """A stranger's key, a torn header, a name without a signature: refused even where nobody would be let in."""
    acme = network.members["acme"]
    stranger = network.peer("nobody", acme.url, acme.key.public, PrivateKey.generate())
    status, _, content = await stranger.ask("GET", "/catalogs/open/metadata/timestamp.json")
    assert (status, json.loads(content)["code"]) == (403, "unknown-signer")
    for headers in ({"Signature": "sig1=:AAAA:"}, {"Signature-Input": 'sig1=("@method")'}):
        status, _ = await unsigned(acme, "/catalogs/open/metadata/timestamp.json", headers)
        assert status in (400, 403), headers


TRICKS = (
    "metadata/../keys/root.pem",
    "metadata/..%2fkeys%2froot.pem",
    "metadata/%2e%2e/keys/root.pem",
    "metadata/timestamp.json%00",
    "metadata/.timestamp.json",
    "metadata/01.root.json",
    "metadata/keys",
    "metadata/",
    "targets/../keys/root.pem",
    "targets/..%2f..%2fshops%2fmetadata%2ftimestamp.json",
    "targets//etc/passwd",
    "targets/%2fetc%2fpasswd",
    "targets/manifests/../../keys/root.pem",
    "targets/listing.json",
    "targets/manifests",
    "targets/" + "a/" * 500 + "b.json",
    "targets/" + "0" * 64 + "." + "a" * 3000 + ".json",
)


async def test_no_path_leads_out_of_the_catalogue(network: Network) -> None:
    """Not to keys, not to other profiles, not to the machine: there is nothing there, for everybody the same."""
    acme = network.members["acme"]
    assert (await unsigned(acme, "/catalogs/open/metadata/timestamp.json"))[0] == 200
    (key,) = (acme.folder / "tuf" / "open" / "keys").glob("root-*.pem")
    for path in TRICKS:
        status, content = await unsigned(acme, f"/catalogs/open/{path.replace('root.pem', key.name)}")
        assert status in (308, 400, 404), path
        assert b"PRIVATE" not in content, path
        assert b'"signed"' not in content, path


async def test_the_private_keys_lie_where_only_the_owner_reads(network: Network) -> None:
    """Folder 0700, files 0600."""
    await network.members["acme"].use.catalogs.root(ProfileName("shops"))
    folder = network.members["acme"].folder / "tuf" / "shops" / "keys"
    assert folder.stat().st_mode & 0o077 == 0
    found = list(folder.iterdir())
    assert len(found) == 4
    assert all(path.stat().st_mode & 0o077 == 0 for path in found)


async def test_a_service_taken_out_of_the_profile_is_gone_for_its_consumers(network: Network) -> None:
    """From the next catalogue on: neither its name nor its image, and what was replaced is removed after a while."""
    acme = network.members["acme"]
    await acme.share("shops", "shop", "forum")
    assert (await signed(network, "globex", "/catalogs/shops/metadata/timestamp.json"))[0] == 200
    old = [name for name, content in kept(acme).items() if name.startswith("shops/") and b"forum" in content]
    assert old
    await acme.share("shops", "shop")
    assert (await signed(network, "globex", "/catalogs/shops/metadata/timestamp.json"))[0] == 200
    network.later(minutes=21)
    assert (await signed(network, "globex", "/catalogs/shops/metadata/timestamp.json"))[0] == 200
    assert not [name for name, content in kept(acme).items() if name.startswith("shops/") and b"forum" in content]
    for image in {
        one.image for one in await acme.use.versions.find(ListKind.DEVELOPER, None, 10) if one.service == "forum"
    }:
        status, content = await signed(network, "globex", f"/federation/v1/packs/{image}")
        assert (status, json.loads(content)["code"]) == (404, "not-found")


async def test_a_missing_next_root_is_a_plain_404(network: Network) -> None:
    """That is how a TUF client learns that it has the newest one (specification §5.3.3)."""
    acme = network.members["acme"]
    assert (await unsigned(acme, "/catalogs/open/metadata/1.root.json"))[0] == 200
    status, content = await unsigned(acme, "/catalogs/open/metadata/2.root.json")
    assert (status, json.loads(content)["code"]) == (404, "not-found")
