"""The server of one installation, and the command line."""

from typing import Final

__version__: Final = "0.1.0"
