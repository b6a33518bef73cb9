"""The socket the web server listens at, beside that of the server before it and not in its way.

Two listening sockets may share a port, and Linux deals new connections out among them: half would still go to the
server that is about to stop, and those in the middle of their TLS handshake at that moment would be cut. So the kernel
is told to give every new connection to the socket that came last. The one before then only finishes what it has.
"""

import ctypes
import os
import socket
import struct
import sys
from contextlib import suppress
from typing import Any, Final

from granian._granian import ListenerSpec
from granian.server.embed import Server

# Linux, include/uapi/asm-generic/socket.h; Python does not name it.
_SO_ATTACH_REUSEPORT_CBPF: Final = 51
# One instruction of classic BPF, ``ret #1``: the second socket of the port. While there is no second one the answer is
# out of range, and the kernel then takes the one there is (net/core/sock_reuseport.c).
_BPF_RET_CONSTANT: Final = 0x06
_SECOND: Final = struct.pack("HBBI", _BPF_RET_CONSTANT, 0, 0, 1)


class ListeningServer(Server):
    """Granian's server, with a socket that takes all new connections from an earlier server at the same port.

    No more than two may listen at a port at any time.
    """

    def _init_shared_socket(self) -> None:
        """Bind and listen; where the system can't prefer a socket, connections are dealt out among both.

        Raises:
            OSError: the address can't be had.
        """
        self._ssp = None
        self._shd: Any = ListenerSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._sfd: Any = self._shd.get_fd()
        with socket.socket(fileno=os.dup(self._sfd)) as listening:
            listening.listen(self.backlog)
            if sys.platform == "linux":
                with suppress(OSError):
                    _prefer_the_last(listening)

    def stop_listening(self) -> None:
        """Let go of the port, whoever still has the socket open."""
        with socket.socket(fileno=os.dup(self._sfd)) as listening, suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def _prefer_the_last(listening: socket.socket) -> None:
    """Send new connections to the port's second socket, if there is one.

    Raises:
        OSError: this kernel, or what confines this process, does not allow it.
    """
    program = ctypes.create_string_buffer(_SECOND, len(_SECOND))
    # struct sock_fprog: the number of instructions, and where they are.
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, struct.pack("HP", 1, ctypes.addressof(program)))
