"""Settings laid over the files of a base: which formats merge, and how their text is read and written again."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from build.errors import OverlayError
from build.overlay import conf, env, ini, json, properties, toml, yaml

MERGED_BYTES: Final = 1024 * 1024
"""Bound of a file that is merged: settings, not data."""

_MERGES: Final = MappingProxyType(
    {
        ".conf": conf.merge,
        ".env": env.merge,
        ".ini": ini.merge,
        ".json": json.merge,
        ".properties": properties.merge,
        ".toml": toml.merge,
        ".yaml": yaml.merge,
        ".yml": yaml.merge,
    }
)


def _merge_of(path: str) -> Callable[[str, str], str] | None:
    name = path.rpartition("/")[2]
    return _MERGES.get("." + name.rpartition(".")[2].lower()) if "." in name else None


def is_mergeable(path: str) -> bool:
    """Whether an overlay of the file ``path`` merges into it, rather than replacing it."""
    return _merge_of(path) is not None


def replaces(path: str, base: bytes, overlay: bytes) -> bool:
    """Whether ``overlay`` takes the place of ``base`` whole: not every ``.conf`` is of the format that merges.

    Raises:
        OverlayError: of the file's format, and yet not to be merged.
    """
    if _merge_of(path) is not conf.merge or max(len(base), len(overlay)) > MERGED_BYTES:
        return False
    return conf.replaces(base, overlay)


def merge(path: str, base: bytes, overlay: bytes) -> bytes:
    """The content of ``path`` with ``overlay`` over ``base``: encoding, byte order mark and line ends are the base's.

    Raises:
        OverlayError: not of the file's format, a clash, or more than ``MERGED_BYTES``.
    """
    merge_text = _merge_of(path)
    if merge_text is None:
        raise OverlayError(f"files such as {path!r} can't be merged")
    try:
        return _merged(path, base, overlay, merge_text)
    except OverlayError:
        if replaces(path, base, overlay):
            return overlay
        raise


def _merged(path: str, base: bytes, overlay: bytes, merge_text: Callable[[str, str], str]) -> bytes:
    text, encoding = _decoded(base, path)
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    line_end = "\r\n" if "\r\n" in text else "\n"
    old = text.removeprefix(mark).replace("\r\n", "\n")
    new = _decoded(overlay, path)[0].removeprefix("\ufeff").replace("\r\n", "\n")
    result = merge_text(old, new)
    content = base if result == old else (mark + result.replace("\n", line_end)).encode(encoding)
    if len(content) > MERGED_BYTES:
        raise OverlayError(f"with the overlay over it, the file would have more than {MERGED_BYTES} bytes")
    return content


def _decoded(content: bytes, path: str) -> tuple[str, str]:
    """The text, and its encoding: UTF-8, or Latin-1 for the old ``.properties``."""
    if len(content) > MERGED_BYTES:
        raise OverlayError(f"a file of more than {MERGED_BYTES} bytes is not merged")
    try:
        return content.decode(), "utf-8"
    except UnicodeDecodeError as error:
        if path.lower().endswith(".properties"):
            return content.decode("latin-1"), "latin-1"
        raise OverlayError("not UTF-8 text") from error
