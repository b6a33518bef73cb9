"""Files in TOML that people write: exact messages on what is wrong with them, and one spelling when we write them.

A *shape* lists the keys of a table once; reading, the nearest key for a misspelt one, and writing all follow from it.
"""

from federation.toml.document import read_document, read_values, write_document
from federation.toml.mistakes import Mistake, Place, TomlMistakesError
from federation.toml.shape import Key, Kind, ListOf, MapOf, Scalar, Shape

__all__ = [
    "Key",
    "Kind",
    "ListOf",
    "MapOf",
    "Mistake",
    "Place",
    "Scalar",
    "Shape",
    "TomlMistakesError",
    "read_document",
    "read_values",
    "write_document",
]
