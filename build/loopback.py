"""Closes the way to the host's loopback in a network namespace; a program of its own, as it changes what it is in.

slirp4netns passes on whatever address is asked of it, 127.0.0.1 too. A program there that binds a socket to the
device, which needs no privilege, sends its packets past the loopback that it has itself. A route that leads nowhere has
the kernel look for that address on the link, where nobody answers for it. Sources: setns(2), rtnetlink(7).

Arguments: descriptors of the user namespace that owns it, and of the network namespace.
"""

import ctypes
import os
import socket
import struct
import sys
from typing import Final

_NEW_USERS: Final = 0x10000000
_NEW_NETWORK: Final = 0x40000000
_NEW_ROUTE: Final = 24
_REQUEST_ACK_CREATE: Final = 0x1 | 0x4 | 0x400
_MAIN_TABLE: Final = 254
_STATIC: Final = 4
_UNREACHABLE: Final = 7
_DESTINATION: Final = 1
_LOOPBACK: Final = bytes([127, 0, 0, 0])
_LOOPBACK_BITS: Final = 8


def enter(users: int, network: int) -> None:
    """Make the namespaces behind the descriptors those of this process, which has one thread only."""
    library = ctypes.CDLL(None, use_errno=True)
    for descriptor, kind in ((users, _NEW_USERS), (network, _NEW_NETWORK)):
        if library.setns(descriptor, kind) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def close_loopback() -> None:
    """Add the route."""
    route = struct.pack("=8BI", socket.AF_INET, _LOOPBACK_BITS, 0, 0, _MAIN_TABLE, _STATIC, 0, _UNREACHABLE, 0)
    route += struct.pack("=HH4s", 8, _DESTINATION, _LOOPBACK)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(struct.pack("=IHHII", 16 + len(route), _NEW_ROUTE, _REQUEST_ACK_CREATE, 1, 0) + route)
        (status,) = struct.unpack_from("=i", kernel.recv(4096), 16)
    if status != 0:
        raise OSError(-status, os.strerror(-status))


if __name__ == "__main__":
    enter(int(sys.argv[1]), int(sys.argv[2]))
    close_loopback()
