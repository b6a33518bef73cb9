"""Packs as a fuzz target: each is tried against the right old version, in a folder of its own."""

import tempfile
from pathlib import Path

from tests.fuzz.target import Target
from tests.support.blobs import MemoryBlobs
from tests.support.packs import update


def pack_target() -> Target:
    """A delta pack between two small trees."""
    with tempfile.TemporaryDirectory() as made:
        good = update(Path(made))
        seed = good.content

    def decode(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "spoilt.pack"
            path.write_bytes(content)
            from dataclasses import replace

            sink = MemoryBlobs(())
            before = dict(sink.kept)
            try:
                return replace(good, path=path).apply(sink)
            except Exception:
                if sink.kept != before:
                    raise AssertionError("something unverified was kept") from None
                raise

    return Target(
        "pack",
        decode,
        (seed,),
        ("federation.transfer.format:Header.from_bytes", "federation.transfer.reader:open_pack"),
    )
