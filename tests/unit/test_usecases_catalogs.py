"""A profile's catalogue says what the node's state says, at once, under a serial that only grows."""

import asyncio
import threading
from pathlib import Path

import pytest

from federation.catalog import listing
from federation.catalog.listing import key_changes_target, manifest_target, marker, withdrawal_target
from federation.catalog.store import CatalogFiles
from federation.digest import Digest
from federation.errors import AbsentError, DiskFullError
from federation.keychange import KeyChange, from_document
from federation.keys import PrivateKey
from federation.limits import TRAIL_HOPS
from federation.names import NodeName, ProfileName
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.peer import Right
from node.usecases.catalogs import UNPUBLISHED
from node.usecases.changes import Change, Topic
from node.usecases.contents import Content
from node.usecases.shelf import Shelf, Standing
from tests.support.publishing import PUBLIC, SHOP, WHO, key_of, published


async def test_the_listing_says_what_is_desired_of_the_profiles_services(tmp_path: Path) -> None:
    """Entries bear image, manifest and our own marker; a service outside the profile is nowhere in the catalogue."""
    acme = await published(tmp_path / "acme", "shop")
    secret = await acme.develop("secret", "acme-9.0.0")
    reader = await acme.reader(tmp_path / "reader")
    catalogue = await acme.read(reader, acme.consumer())
    (entry,) = catalogue.listing.entries
    stored = acme.version("shop", "acme-1.0.0")
    assert (entry.service, entry.version) == ("shop", "acme-1.0.0")
    assert (entry.image, entry.manifest) == (stored.image, stored.manifest)
    assert entry.trail == (marker(acme.key.id, SHOP),)
    content = await acme.answer(acme.consumer(), "public", catalogue.url_path(manifest_target(stored.manifest)))
    assert content is not None
    assert catalogue.check_target(manifest_target(stored.manifest), content) == stored.envelope
    everything = [path.read_bytes() for path in (tmp_path / "acme").rglob("*.json")]
    assert everything
    assert not any(b"secret" in one or secret.manifest.encode() in one for one in everything)


async def test_a_choice_passed_on_bears_the_trail_it_came_by(tmp_path: Path) -> None:
    """Our marker stands last, after those of the nodes before us."""
    acme = await published(tmp_path / "acme", "shop")
    acme.trails[SHOP] = ("a" * 32, "b" * 32)
    catalogue = await acme.read(await acme.reader(tmp_path / "reader"), acme.consumer())
    assert catalogue.listing.entries[0].trail == ("a" * 32, "b" * 32, marker(acme.key.id, SHOP))


async def test_an_entry_that_came_too_far_does_not_stop_the_others(tmp_path: Path) -> None:
    """A provider that hands on the longest possible trail can't keep our own services from being published."""
    acme = await published(tmp_path / "acme", "shop", "forum")
    acme.trails[SHOP] = ("a" * 32,) * TRAIL_HOPS
    catalogue = await acme.read(await acme.reader(tmp_path / "reader"), acme.consumer())
    assert [entry.service for entry in catalogue.listing.entries] == ["forum"]


async def test_tested_marks_and_key_changes_go_along(tmp_path: Path) -> None:
    """Marks of the profile, and the key changes of each origin whose versions are listed."""
    acme = await published(tmp_path / "acme", "shop")
    await acme.develop("shop", "initech-2.0.0", by="initech", received_from="initech")
    mark = listing.Tested(
        tester=NodeName("globex"), service=SHOP, version=DeveloperVersion("initech-2.0.0"), at=acme.clock.now()
    )
    acme.marks[PUBLIC] = (mark,)
    old, new = PrivateKey.generate(), PrivateKey.generate()
    initech = NodeName("initech")
    change = KeyChange(node=initech, old=old.public, new=new.public, at=acme.clock.now(), number=1).sign(old, new)
    acme.changes = {initech: (change,), NodeName("stranger"): (b"not asked for",)}
    catalogue = await acme.read(await acme.reader(tmp_path / "reader"), acme.consumer())
    assert catalogue.listing.tested == (mark,)
    assert catalogue.listing.key_changes == ("initech",)
    content = await acme.answer(acme.consumer(), "public", catalogue.url_path(key_changes_target(initech)))
    assert content is not None
    assert from_document(content) == (change,)


async def test_a_withdrawn_version_is_left_out_and_its_withdrawal_listed(tmp_path: Path) -> None:
    """Until it is taken back; nothing of it stands in the catalogue of a profile without the service."""
    acme = await published(tmp_path / "acme", "shop", "forum")
    await acme.share("others", "forum")
    reader = await acme.reader(tmp_path / "reader")
    yanked = await acme.withdrawals.yank(SHOP, DeveloperVersion("acme-1.0.0"), reason="eats data", who=WHO)
    catalogue = await acme.read(reader, acme.consumer())
    assert [entry.service for entry in catalogue.listing.entries] == ["forum"]
    assert catalogue.listing.withdrawals == (yanked.digest,)
    assert catalogue.listing.withdrawal_trails == ((marker(acme.key.id, SHOP),),)
    content = await acme.answer(acme.consumer(), "public", catalogue.url_path(withdrawal_target(yanked.digest)))
    assert content == yanked.passed_on
    others = acme.consumer("initech", "others")
    assert (await acme.read(await acme.reader(tmp_path / "o", "others"), others, "others")).listing.withdrawals == ()
    await acme.withdrawals.unyank(SHOP, DeveloperVersion("acme-1.0.0"), who=WHO)
    again = (await acme.read(reader, acme.consumer())).listing
    assert ([entry.service for entry in again.entries], again.withdrawals) == (["forum", "shop"], ())


async def test_the_serial_grows_with_each_change_and_only_then(tmp_path: Path) -> None:
    """Asking again, signing again and a new process leave it; each change of what is listed adds one."""
    acme = await published(tmp_path / "acme", "shop")
    assert await acme.catalogs.serial(PUBLIC) == 1
    assert await acme.catalogs.serial(PUBLIC) == 1
    await acme.develop("unshared", "acme-3.0.0")
    acme.fake_clock.advance(7200)
    assert await acme.catalogs.serial(PUBLIC) == 1
    await acme.develop("shop", "acme-1.0.1")
    assert await acme.catalogs.serial(PUBLIC) == 2
    acme = acme.restarted()
    assert await acme.catalogs.serial(PUBLIC) == 2
    await acme.want("shop", "acme-1.0.0")
    assert await acme.catalogs.serial(PUBLIC) == 3


async def test_a_change_of_another_document_counts_too(tmp_path: Path) -> None:
    """More key changes of a node that is listed already are news for consumers, though the listing reads the same."""
    acme = await published(tmp_path / "acme", "shop")
    acme.changes[acme.name] = (b"one",)
    before = await acme.catalogs.serial(PUBLIC)
    acme.changes[acme.name] = (b"one", b"two")
    acme.hub.publish(Topic.VERSIONS)
    assert await acme.catalogs.serial(PUBLIC) == before + 1


async def test_a_publication_that_was_broken_off_leaves_no_number_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills up before the timestamp is written: the old list stays in force, and the next one is its next."""
    acme = await published(tmp_path / "acme", "shop")
    reader = await acme.reader(tmp_path / "reader")
    assert (await acme.read(reader, acme.consumer())).listing.serial == 1
    await acme.develop("shop", "acme-1.0.1")
    real = Shelf.put

    def full(shelf: Shelf, content: Content) -> None:
        def write(files: CatalogFiles, role: object, version: int, document: bytes) -> None:
            raise DiskFullError("no room left on the disk")

        with monkeypatch.context() as patched:
            patched.setattr(CatalogFiles, "write", write)
            real(shelf, content)

    with monkeypatch.context() as patched:
        patched.setattr(Shelf, "put", full)
        with pytest.raises(DiskFullError):
            await acme.catalogs.serial(PUBLIC)
    acme = acme.restarted()
    catalogue = await acme.read(reader, acme.consumer())
    assert (catalogue.listing.serial, catalogue.listing.entries[0].version) == (2, "acme-1.0.1")


async def test_whoever_asks_for_the_timestamp_gets_the_newest_state(tmp_path: Path) -> None:
    """Without any background work: what changed is published before the answer, a stale signature is renewed."""
    acme = await published(tmp_path / "acme", "shop")
    reader = await acme.reader(tmp_path / "reader")
    for number in range(1, 4):
        await acme.develop("shop", f"acme-1.0.{number}")
        assert (await acme.read(reader, acme.consumer())).listing.entries[0].version == f"acme-1.0.{number}"
    acme.fake_clock.advance(40 * 24 * 3600)
    catalogue = await acme.restarted().read(reader, acme.consumer())
    assert (catalogue.listing.serial, catalogue.expires > acme.clock.now()) == (4, True)


async def test_what_only_concerns_this_site_publishes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new list of client versions is not even looked at, however often somebody asks."""
    acme = await published(tmp_path / "acme", "shop")
    await acme.catalogs.serial(PUBLIC)
    monkeypatch.setattr(Shelf, "put", None)
    acme.hub.publish(Topic.DESIRED, "client")
    assert await acme.catalogs.serial(PUBLIC) == 1
    acme.hub.publish(Topic.DESIRED, "developer")
    with pytest.raises(TypeError):
        await acme.catalogs.serial(PUBLIC)


async def test_many_who_ask_at_once_cause_one_publication(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One profile is published by one at a time; the others find it done."""
    acme = await published(tmp_path / "acme", "shop")
    puts: list[Content] = []
    real = Shelf.put

    def counted(shelf: Shelf, content: Content) -> Standing:
        puts.append(content)
        return real(shelf, content)

    monkeypatch.setattr(Shelf, "put", counted)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(acme.catalogs.serial(PUBLIC)) for _ in range(20)]
    assert {one.result() for one in asked} == {1}
    assert len(puts) == 1


async def test_who_goes_away_while_waiting_takes_no_news_with_him(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request is cut off in the middle of a publication: that ends by itself, and the change is told all the same."""
    acme = await published(tmp_path / "acme", "shop")
    await acme.catalogs.serial(PUBLIC)
    began, go_on, real = threading.Event(), threading.Event(), Shelf.put

    def slow(shelf: Shelf, content: Content) -> Standing:
        began.set()
        assert go_on.wait(10)
        return real(shelf, content)

    monkeypatch.setattr(Shelf, "put", slow)
    await acme.develop("shop", "acme-1.0.1")
    async with acme.hub.subscribe(frozenset({Topic.CATALOGS})) as told:
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(acme.catalogs.serial(PUBLIC))
            assert await asyncio.to_thread(began.wait, 10)
            asking.cancel()
        go_on.set()
        assert await acme.catalogs.serial(PUBLIC) == 2
        async with asyncio.timeout(10):
            assert (await anext(told)).subject == "public"


async def test_the_change_is_told_once_it_is_durable(tmp_path: Path) -> None:
    """Who hears of it finds it on the disk; a publication without news is not told."""
    acme = await published(tmp_path / "acme", "shop")
    await acme.catalogs.serial(PUBLIC)
    seen: list[tuple[Change, bytes]] = []
    listed = tmp_path / "acme" / "tuf" / "public" / "metadata" / "timestamp.json"
    before = listed.read_bytes()

    def noticed(change: Change) -> None:
        if change.topic is Topic.CATALOGS:
            seen.append((change, listed.read_bytes()))

    acme.hub.watch(noticed)
    await acme.develop("shop", "acme-1.0.1")
    await acme.catalogs.serial(PUBLIC)
    acme.hub.publish(Topic.PROFILES, "public")
    await acme.catalogs.serial(PUBLIC)
    assert [change for change, _ in seen] == [Change(Topic.CATALOGS, "public")]
    assert seen[0][1] == listed.read_bytes() != before


async def test_the_loop_publishes_at_once_on_a_change(tmp_path: Path) -> None:
    """Nobody has to ask: the desired version changes, and its consumers are told."""
    acme = await published(tmp_path / "acme", "shop")
    async with acme.hub.subscribe(frozenset({Topic.CATALOGS})) as told, asyncio.TaskGroup() as group:
        loop = group.create_task(acme.catalogs.run())
        async with asyncio.timeout(10):
            await anext(told)
            await acme.develop("shop", "acme-1.0.1")
            assert (await anext(told)).subject == "public"
        loop.cancel()
    assert await acme.catalogs.serial(PUBLIC) == 2


async def test_one_catalogue_that_cannot_be_published_does_not_stop_the_others(tmp_path: Path) -> None:
    """An alarm names it and what is wrong; when it works again the alarm is settled."""
    acme = await published(tmp_path / "acme", "shop")
    await acme.share("second", "shop")
    folder = tmp_path / "acme" / "tuf" / "public"
    await acme.catalogs.serial(PUBLIC)
    kept = {path: path.read_bytes() for path in (folder / "keys").glob("targets-*")}
    for path in kept:
        path.unlink()
    await acme.develop("shop", "acme-1.0.1")
    with pytest.raises(Exception, match="private key of targets"):
        await acme.catalogs._publish_all()
    assert await acme.catalogs.serial(ProfileName("second")) == 1
    (alarm,) = await acme.alarms.open()
    assert (alarm.kind, alarm.subject) == (UNPUBLISHED, "public")
    for path, content in kept.items():
        path.write_bytes(content)
        path.chmod(0o600)
    await acme.catalogs._publish_all()
    assert await acme.alarms.open() == []


async def test_a_profile_removed_is_served_no_more_and_goes_on_where_it_was(tmp_path: Path) -> None:
    """Made again, consumers see no rollback: keys, versions and serial go on."""
    acme = await published(tmp_path / "acme", "shop")
    reader = await acme.reader(tmp_path / "reader")
    first = await acme.read(reader, acme.consumer())
    await acme.profiles.remove(PUBLIC, who=WHO)
    assert await acme.answer(acme.consumer(), "public", "metadata/timestamp.json") is None
    assert await acme.catalogs.serial(PUBLIC) == 0
    with pytest.raises(AbsentError):
        await acme.catalogs.root(PUBLIC)
    await acme.share("public", "shop")
    again = await acme.read(reader, acme.consumer())
    assert again.timestamp_version >= first.timestamp_version
    assert again.listing == first.listing
    await acme.share("public")
    emptied = await acme.read(reader, acme.consumer())
    assert (emptied.listing.serial, emptied.listing.entries) == (2, ())


async def test_images_are_for_consumers_in_whose_catalogue_they_stand(tmp_path: Path) -> None:
    """Not for those of another profile, without the right, or of a profile that is gone; a lost service is lost."""
    acme = await published(tmp_path / "acme", "shop", "forum", public=True)
    await acme.share("others", "forum")
    shop = acme.version("shop", "acme-1.0.0").image
    await acme.catalogs.allowed_image(acme.consumer(), shop)
    for stranger in (
        acme.consumer("initech", "others"),
        acme.consumer(rights=frozenset({Right.FAULTS})),
        acme.consumer("hooli", "nothing"),
    ):
        with pytest.raises(AbsentError):
            await acme.catalogs.allowed_image(stranger, shop)
    with pytest.raises(AbsentError):
        await acme.catalogs.allowed_image(acme.consumer(), Digest.of(b"guessed"))
    await acme.share("public", "forum", public=True)
    with pytest.raises(AbsentError):
        await acme.catalogs.allowed_image(acme.consumer(), shop)


async def test_a_base_is_known_only_within_the_profile(tmp_path: Path) -> None:
    """Older versions of a shared service may be patched from; an image of another service is treated as unknown."""
    acme = await published(tmp_path / "acme", "shop")
    old = acme.version("shop", "acme-1.0.0").image
    await acme.develop("shop", "acme-1.0.1")
    secret = (await acme.develop("secret", "acme-2.0.0")).image
    consumer = acme.consumer()
    assert await acme.catalogs.allowed_base(consumer, old) == old
    assert await acme.catalogs.allowed_base(consumer, secret) is None
    assert await acme.catalogs.allowed_base(consumer, None) is None


async def test_a_version_that_is_signed_again_is_published_again(tmp_path: Path) -> None:
    """A further signature of the origin's newest key reaches consumers, though the version is the same."""
    acme = await published(tmp_path / "acme", "shop")
    reader = await acme.reader(tmp_path / "reader")
    await acme.read(reader, acme.consumer())
    stored = await acme.versions.find(ListKind.DEVELOPER, SHOP, 1)
    newer = key_of("acme again")
    after = await acme.versions.sign_again(stored[0], lambda signed: signed.countersigned(newer))
    catalogue = await acme.read(reader, acme.consumer())
    path = catalogue.url_path(manifest_target(after.manifest))
    assert await acme.answer(acme.consumer(), "public", path) == after.envelope != stored[0].envelope


@pytest.mark.parametrize("damaged", ["*.targets.json", "*.snapshot.json"])
@pytest.mark.parametrize("content", [b"", b"{", b'{"signed": 7}', b"{}"])
@pytest.mark.parametrize("restart", [False, True])
async def test_a_damaged_catalogue_is_written_anew(
    tmp_path: Path, damaged: str, content: bytes, *, restart: bool
) -> None:
    """Consumers go on as if nothing had been: what a disk spoilt is signed again, under a higher version."""
    acme = await published(tmp_path / "acme", "shop")
    reader = await acme.reader(tmp_path / "reader")
    before = await acme.read(reader, acme.consumer())
    for path in (tmp_path / "acme").rglob(damaged):
        path.write_bytes(content)
    acme.fake_clock.advance(7200)
    acme = acme.restarted() if restart else acme
    after = await acme.read(reader, acme.consumer())
    assert after.listing.entries == before.listing.entries
    assert after.targets_version >= before.targets_version
