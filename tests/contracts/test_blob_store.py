"""What every blob store promises, its fake included."""

import io
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pytest

from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, TamperedError
from federation.transfer.blobs import BatchSink, BlobStore, ContentSink, LocalBlobs
from tests.support.blobs import MemoryBatchBlobs, MemoryBlobs
from tests.support.trees import noise

CONTENTS = [b"", b"x", b"hello" * 1000, noise(700_000)]


class BatchStore(BlobStore, Protocol):
    def batch(self) -> AbstractContextManager[ContentSink]: ...


@pytest.fixture(params=["local", "memory", "memory-batch"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    makers: dict[str, Callable[[], BlobStore]] = {
        "local": lambda: LocalBlobs(tmp_path / "blobs"),
        "memory": MemoryBlobs,
        "memory-batch": MemoryBatchBlobs,
    }
    return makers[request.param]()


@pytest.fixture(params=["local", "memory"])
def batch_store(request: pytest.FixtureRequest, tmp_path: Path) -> BatchStore:
    return LocalBlobs(tmp_path / "blobs") if request.param == "local" else MemoryBatchBlobs()


def put(store: ContentSink, content: bytes) -> Digest:
    digest = Digest.of(content)
    store.add(io.BytesIO(content), digest)
    return digest


def get(store: BlobStore, digest: Digest) -> bytes:
    with store.open(digest) as stream:
        return stream.read()


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_what_is_added_comes_back(store: BlobStore, content: bytes) -> None:
    """A content of any size is the same when it is read, however it is read."""
    digest = put(store, content)
    assert store.has(digest)
    assert get(store, digest) == content
    with store.open(digest) as stream:
        assert b"".join(iter(lambda: stream.read(1000), b"")) == content
    assert store.stored_bytes(digest) >= 0


def test_what_was_never_added_is_absent(store: BlobStore) -> None:
    """Absent is an error of its own."""
    digest = Digest.of(b"never")
    assert not store.has(digest)
    with pytest.raises(AbsentError):
        store.open(digest)
    with pytest.raises(AbsentError):
        store.stored_bytes(digest)


@pytest.mark.parametrize("given", [b"", b"other", noise(700_000, 1)], ids=len)
def test_another_content_is_refused(store: BlobStore, given: bytes) -> None:
    """Nothing is kept under the digest of another content."""
    put(store, b"first")
    with pytest.raises(TamperedError):
        store.add(io.BytesIO(given), Digest.of(noise(700_000)))
    assert list(store.digests()) == [Digest.of(b"first")]


def test_adding_twice_changes_nothing(store: BlobStore) -> None:
    """A content that is here already is not even read."""
    digest = put(store, b"same")
    unread = io.BytesIO(b"same")
    store.add(unread, digest)
    assert get(store, digest) == b"same"
    assert list(store.digests()) == [digest]


def test_the_digests_are_those_of_all_contents(store: BlobStore) -> None:
    """Each content is listed once."""
    digests = {put(store, content) for content in CONTENTS}
    assert sorted(store.digests()) == sorted(digests)


def test_removing(store: BlobStore) -> None:
    """What is removed is absent; removing what is absent is no error."""
    digest = put(store, b"gone")
    store.remove(digest)
    store.remove(digest)
    assert not store.has(digest)
    assert list(store.digests()) == []
    put(store, b"gone")
    assert get(store, digest) == b"gone"


def test_many_may_add_the_same_at_once(store: BlobStore) -> None:
    """Concurrent adds of one content all succeed and leave it whole."""
    content = noise(300_000)
    start = threading.Barrier(6)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            start.wait(10)
            put(store, content)
        except BaseException as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failed
    assert get(store, Digest.of(content)) == content


def test_a_store_of_batches_says_so(batch_store: BatchStore) -> None:
    """``unpack`` finds out by this."""
    assert isinstance(batch_store, BatchSink)
    assert not isinstance(MemoryBlobs(), BatchSink)


def test_a_batch_appears_when_it_ends(batch_store: BatchStore) -> None:
    """Contents of a batch are known inside it and to nobody else before its end."""
    before = put(batch_store, b"before")
    with batch_store.batch() as batch:
        digests = [put(batch, content) for content in CONTENTS]
        put(batch, CONTENTS[1])
        assert batch.has(before)
        assert all(map(batch.has, digests))
        assert not any(map(batch_store.has, digests))
    assert sorted(batch_store.digests()) == sorted([before, *digests])
    assert [get(batch_store, digest) for digest in digests] == CONTENTS


def test_a_failed_batch_leaves_nothing(batch_store: BatchStore) -> None:
    """After an error none of the contents is there."""

    def fill() -> None:
        with batch_store.batch() as batch:
            put(batch, b"good")
            batch.add(io.BytesIO(b"bad"), Digest.of(b"other"))

    with pytest.raises(TamperedError):
        fill()
    assert list(batch_store.digests()) == []


def damage(place: Path, offset: int) -> None:
    content = bytearray(place.read_bytes())
    content[offset] ^= 0x10
    place.write_bytes(content)


@pytest.mark.parametrize("offset", [0, 9, -1, 300_000])
def test_a_damaged_file_is_never_given_out_whole(tmp_path: Path, offset: int) -> None:
    """Corrupt is another error than absent, and the last bytes are withheld."""
    store = LocalBlobs(tmp_path)
    digest = put(store, noise(700_000))
    damage(store.path(digest), offset)
    with store.open(digest) as stream, pytest.raises(CorruptError):
        stream.read()
    store.remove(digest)
    put(store, noise(700_000))
    assert get(store, digest) == noise(700_000)


def test_a_file_cut_short_is_corrupt(tmp_path: Path) -> None:
    """A stored file without its end is not taken for a shorter content."""
    store = LocalBlobs(tmp_path)
    digest = put(store, noise(5000))
    place = store.path(digest)
    place.write_bytes(place.read_bytes()[:-10])
    with store.open(digest) as stream, pytest.raises(CorruptError):
        stream.read()


def test_a_file_of_another_content_is_corrupt(tmp_path: Path) -> None:
    """A file under a wrong name is found out."""
    store = LocalBlobs(tmp_path)
    one, two = put(store, b"one"), put(store, b"two")
    store.path(one).write_bytes(store.path(two).read_bytes())
    with store.open(one) as stream, pytest.raises(CorruptError):
        stream.read()


def test_contents_lie_compressed_by_their_first_digits(tmp_path: Path) -> None:
    """The layout on the disk is ``aa/<digest>.zst``, and text takes less room than it has bytes."""
    store = LocalBlobs(tmp_path)
    digest = put(store, b"hello" * 1000)
    assert store.path(digest) == tmp_path / digest[:2] / f"{digest}.zst"
    assert store.stored_bytes(digest) == store.path(digest).stat().st_size < 100
    assert store.path(digest).stat().st_mode & 0o777 == 0o644


def test_leftovers_of_a_killed_process_are_no_contents(tmp_path: Path) -> None:
    """What was half added is not listed, and goes at the next start; whole contents and strangers' files stay."""
    store = LocalBlobs(tmp_path)
    digest = put(store, b"whole")
    (tmp_path / ".adding-x").mkdir()
    (tmp_path / ".adding-x" / Digest.of(b"half")).write_bytes(b"half")
    (tmp_path / digest[:2] / "notes.zst").write_bytes(b"")
    assert list(store.digests()) == [digest]
    store.clean_leftovers()
    assert {path.name for path in tmp_path.iterdir()} == {digest[:2]}
    assert get(store, digest) == b"whole"
