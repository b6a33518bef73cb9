"""Zstandard frames with a prefix: the only module that knows which library compresses.

It decides the parameters of a frame and bounds what a decoder may allocate or give out. What stands in a frame, and
what an error means for its reader, is left to others: they get ``DamagedFrameError`` and name the culprit.

A frame made with a prefix refers back into it, as by ``zstd --patch-from``; maker and reader must hold the same bytes.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from federation.limits import KIB

if sys.version_info >= (3, 14):
    from compression import zstd as _zstd
else:
    from backports import zstd as _zstd

CHUNK_BYTES: Final = 256 * KIB
"""How much is read, compressed or given out at once."""

WINDOW_BITS_MOST: Final = 27
"""128 MiB: the largest window made or accepted, and the bound of a decoder's memory."""

_WINDOW_BITS_LEAST: Final = 10
_PREFIX_BYTES_LEAST: Final = 8
_PATCH_TABLE_BITS: Final = 22
_PATCH_TABLE_LEVELS: Final = 9

_Parameter = _zstd.CompressionParameter


class DamagedFrameError(ValueError):
    """The bytes are no frame of the size due, or ask for more memory than they may."""


def window_bits(size: int) -> int:
    """The smallest window that spans ``size`` bytes, within the bounds."""
    return max(_WINDOW_BITS_LEAST, min(WINDOW_BITS_MOST, (size - 1).bit_length()))


def _dictionary(prefix: bytes | bytearray) -> Any:
    """``prefix`` in the library's form; the library takes none under eight bytes, so neither side uses it."""
    return _zstd.ZstdDict(prefix, is_raw=True).as_prefix if len(prefix) >= _PREFIX_BYTES_LEAST else None


def _parameters(level: int, bits: int, *, patch: bool) -> dict[int, int]:
    parameters: dict[int, int] = {
        _Parameter.compression_level: level,
        _Parameter.window_log: bits,
        _Parameter.enable_long_distance_matching: 1,
    }
    if patch and level <= _PATCH_TABLE_LEVELS:
        # The tables of the low levels hold no more than the last MiB of a prefix; with these all of it is found.
        table = min(bits, _PATCH_TABLE_BITS)
        parameters |= {_Parameter.hash_log: table, _Parameter.chain_log: table}
    return parameters


def compressed(
    chunks: Iterable[bytes], *, size: int, bits: int, level: int, prefix: bytes | bytearray = b""
) -> Iterator[bytes]:
    """One frame of ``chunks``, which together must have ``size`` bytes; references reach back ``2**bits`` bytes."""
    parameters = _parameters(level, bits, patch=len(prefix) >= _PREFIX_BYTES_LEAST)
    compressor = _zstd.ZstdCompressor(options=parameters, zstd_dict=_dictionary(prefix))
    compressor.set_pledged_input_size(size)
    for chunk in chunks:
        yield compressor.compress(chunk)
    yield compressor.flush()


def compressed_plainly(chunks: Iterable[bytes], *, level: int) -> Iterator[bytes]:
    """One frame of ``chunks`` of a size not known before, with the small window of ``level``."""
    compressor = _zstd.ZstdCompressor(level=level)
    for chunk in chunks:
        yield compressor.compress(chunk)
    yield compressor.flush()


class FrameReader:
    """Reads one frame after another out of ``feed``, which gives the next piece of input and ``b""`` at its end."""

    def __init__(self, feed: Callable[[], bytes]) -> None:
        self._feed = feed
        self._left = b""

    def frame(self, *, most: int, bits: int = WINDOW_BITS_MOST, prefix: bytes | bytearray = b"") -> Iterator[bytes]:
        """The content of the next frame, in pieces.

        Raises:
            DamagedFrameError: not a frame, cut short, more than ``most`` bytes, or a window over ``2**bits`` bytes.
        """
        options: dict[int, int] = {_zstd.DecompressionParameter.window_log_max: bits}
        decoder = _zstd.ZstdDecompressor(zstd_dict=_dictionary(prefix), options=options)
        while not decoder.eof:
            piece = self._next(decoder, most)
            most -= len(piece)
            if most < 0:
                raise DamagedFrameError("the frame holds more than is due")
            if piece:
                yield piece
        self._left = decoder.unused_data

    def _next(self, decoder: _zstd.ZstdDecompressor, most: int) -> bytes:
        given = self._input() if decoder.needs_input else b""
        if decoder.needs_input and not given:
            raise DamagedFrameError("the frame is cut short")
        try:
            return decoder.decompress(given, min(CHUNK_BYTES, most + 1))
        except _zstd.ZstdError as error:
            raise DamagedFrameError(str(error)) from error

    def exact_frame(
        self, *, size: int, bits: int = WINDOW_BITS_MOST, prefix: bytes | bytearray = b""
    ) -> Iterator[bytes]:
        """As ``frame``, for content of exactly ``size`` bytes."""
        for piece in self.frame(most=size, bits=bits, prefix=prefix):
            size -= len(piece)
            yield piece
        if size:
            raise DamagedFrameError("the frame holds less than is due")

    def at_end(self) -> bool:
        """Whether nothing follows the frames read so far."""
        self._left = self._input()
        return not self._left

    def _input(self) -> bytes:
        left, self._left = self._left, b""
        return left or self._feed()
