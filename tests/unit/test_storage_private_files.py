"""Private files in a storage: what is in its file, and what becomes of whoever changes it."""

from pathlib import Path

import pytest

from federation import limits
from federation.codec import to_document
from federation.errors import AbsentError, CorruptError, InvalidValueError
from federation.names import PrivateFileName, ServiceName
from node.storage.port import Storage
from node.storage.private_files import PrivateFileStore, Putting
from node.storage.sealing import SealingKeyFile
from node.storage.sqlite import SqliteStorage
from tests.support.clock import FIXED_START
from tests.support.memory_storage import MemoryStorage

SHOP = ServiceName("shop")
NAME = PrivateFileName("db/password")
SECRET = b"correct horse battery staple"


def putting(service: str = SHOP, name: str = NAME, into: str | None = None) -> Putting:
    return Putting(service=ServiceName(service), name=PrivateFileName(name), into=into, at=FIXED_START, by="ann")


def opened(tmp_path: Path, storage: Storage, key: str = "key") -> PrivateFileStore:
    return PrivateFileStore(storage, SealingKeyFile(tmp_path / key))


async def test_what_was_put_is_kept_and_listed_without_its_content(tmp_path: Path) -> None:
    """The newest content counts; the list needs no key."""
    storage = MemoryStorage()
    store = opened(tmp_path, storage)
    first = await store.put(putting(into="conf/pw"), b"first")
    second = await store.put(putting(into="conf/pw"), SECRET)
    await store.put(putting("other"), SECRET)
    assert await store.read(SHOP, NAME) == (second, SECRET)
    assert (second.size, second.by, second.at, second.into) == (len(SECRET), "ann", FIXED_START, "conf/pw")
    assert first.fingerprint != second.fingerprint
    assert await opened(tmp_path, storage, "none").of_service(SHOP) == [second]
    assert await store.remove(SHOP, NAME)
    assert not await store.remove(SHOP, NAME)
    with pytest.raises(AbsentError, match="no private file 'db/password' for shop"):
        await store.read(SHOP, NAME)


@pytest.mark.parametrize("content", [b"", bytes(limits.PRIVATE_FILE_BYTES + 1)])
async def test_nothing_and_too_much_are_not_kept(tmp_path: Path, content: bytes) -> None:
    """The bounds hold at the store itself; the largest file that is allowed is kept."""
    store = opened(tmp_path, MemoryStorage())
    with pytest.raises(InvalidValueError):
        await store.put(putting(), content)
    assert await store.of_service(SHOP) == []
    largest = bytes(limits.PRIVATE_FILE_BYTES)
    await store.put(putting(), largest)
    assert (await store.read(SHOP, NAME))[1] == largest


async def test_the_database_tells_no_content(tmp_path: Path) -> None:
    """Neither its file nor what it leaves beside it holds the secret, its digest, or the key."""
    folder = tmp_path / "data"
    storage = SqliteStorage(folder / "vupdate.db")
    await opened(tmp_path, storage).put(putting(), SECRET)
    await storage.close()
    found = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"db/password" in found
    for hidden in (SECRET, SECRET[:12], (tmp_path / "key").read_bytes()):
        assert hidden not in found


async def test_altered_bytes_on_the_disk_are_an_error(tmp_path: Path) -> None:
    """Damage is told as such, with what to do; it is never an empty file or another content."""
    path = tmp_path / "data" / "vupdate.db"
    storage = SqliteStorage(path)
    await opened(tmp_path, storage).put(putting(), SECRET)
    await storage.close()
    content = bytearray(path.read_bytes())
    content[content.index(b"vps1") + 30] ^= 1
    path.write_bytes(content)
    again = SqliteStorage(path)
    with pytest.raises(CorruptError, match=r"damaged.*put it again") as caught:
        await opened(tmp_path, again).read(SHOP, NAME)
    assert "correct horse" not in str(caught.value)
    await again.close()


async def test_a_record_does_not_stand_in_for_another(tmp_path: Path) -> None:
    """Of another service or another name: refused, whoever moved it."""
    storage = MemoryStorage()
    store = opened(tmp_path, storage)
    for one in (putting(), putting(name="other"), putting("till")):
        await store.put(one, SECRET + one.name.encode() + one.service.encode())
    collection = storage.collection("private_files", ("service",))
    for source in ("shop/other", "till/db/password"):
        strange, own = await collection.get(source), await collection.get("shop/db/password")
        assert strange is not None
        assert own is not None
        for body in (strange.body, own.body):
            present = await collection.get("shop/db/password")
            assert present is not None
            await collection.replace("shop/db/password", body, present.revision, strange.blob)
            with pytest.raises(CorruptError):
                await store.read(SHOP, NAME)


async def test_who_may_write_there_cannot_send_a_secret_elsewhere(tmp_path: Path) -> None:
    """The place where it goes is bound to the content: else it could be sent to where a service serves files from."""
    storage = MemoryStorage()
    store = opened(tmp_path, storage)
    file = await store.put(putting(into="conf/pw"), SECRET)
    collection = storage.collection("private_files", ("service",))
    stored = await collection.get(file.key)
    assert stored is not None
    for changed in ({"into": "www/pw"}, {"into": None}, {"fingerprint": "0" * 32}):
        present = await collection.get(file.key)
        assert present is not None
        await collection.replace(file.key, {**to_document(file), **changed}, present.revision, stored.blob)
        with pytest.raises(CorruptError):
            await store.read(SHOP, NAME)


async def test_without_the_key_or_with_another_nothing_is_opened(tmp_path: Path) -> None:
    """The message says which it is; to put the file again helps in both cases."""
    storage = MemoryStorage()
    await opened(tmp_path, storage).put(putting(), SECRET)
    lost = opened(tmp_path, storage, "lost")
    with pytest.raises(CorruptError, match="is gone"):
        await lost.read(SHOP, NAME)
    await lost.put(putting(name="other"), b"x")
    with pytest.raises(CorruptError, match="another key"):
        await lost.read(SHOP, NAME)
    await lost.put(putting(), SECRET)
    assert (await lost.read(SHOP, NAME))[1] == SECRET


async def test_a_body_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    """In the list, too: it is not passed over as if there was no file."""
    storage = MemoryStorage()
    store = opened(tmp_path, storage)
    file = await store.put(putting(), SECRET)
    collection = storage.collection("private_files", ("service",))
    await collection.replace(file.key, {"service": "shop", "name": "../x"}, 1, b"")
    for asked in (store.of_service(SHOP), store.read(SHOP, NAME)):
        with pytest.raises(CorruptError, match="put it again"):
            await asked
