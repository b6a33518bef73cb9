"""Announces a node by multicast DNS and hears others, on the interfaces that it listens at; decides nothing.

``federation.discovery`` says what an announcement is and what to think of one. The library keeps what it receives
within bounds (10,000 records); what is handed on is bounded here. It is imported only when discovery is on: it takes a
few MB of memory.
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import structlog

from federation.discovery import REPEAT_SECONDS, SERVICE_TYPE, Heard
from federation.errors import InvalidValueError, LocalError

ANY_HOST: Final = "::"
"""Listens at all interfaces of the local network."""
LOOK_SECONDS: Final = 5.0
"""How often the machine's addresses are looked at, and the hearer told that time has passed."""
_TTL_SECONDS: Final = 120
_START_SECONDS: Final = 15.0
_STOP_SECONDS: Final = 3.0
_WAITING_MOST: Final = 1000
_log = structlog.get_logger(__name__)

MakeTxt = Callable[[tuple[str, ...]], bytes]
"""The content of the TXT record for a node that listens at these addresses, signed now."""

Hear = Callable[[Heard | None], Awaitable[None]]
"""Takes in what was heard; ``None``: some seconds have passed."""


class LanError(LocalError):
    """The local network can't be used now: no address, no multicast, or the port of mDNS is taken."""

    code = "lan"


def _is_of_the_lan(address: str, *, loopback: bool) -> bool:
    one = ipaddress.ip_address(address)
    # An IPv6 link-local address means nothing without the hearer's own interface.
    return one.is_loopback == loopback and not one.is_unspecified and not (one.version == 6 and one.is_link_local)


def lan_addresses(host: str) -> tuple[str, ...]:
    """The addresses of this machine's interfaces at which a server that listens at ``host`` is reached, sorted.

    All IPv4 and IPv6 addresses for ``::``, all IPv4 ones for ``0.0.0.0``; only its own for one address. Loopback
    only when ``host`` is itself a loopback address.
    """
    import ifaddr

    found = {str(one.ip if one.is_IPv4 else one.ip[0]) for adapter in ifaddr.get_adapters() for one in adapter.ips}
    name = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        bound = ipaddress.ip_address(name)
    except ValueError:
        bound = ipaddress.IPv6Address("::")
    usable = {one for one in found if _is_of_the_lan(one, loopback=bound.is_loopback)}
    if not bound.is_unspecified:
        usable &= {str(bound)}
    elif bound.version == 4:
        usable = {one for one in usable if ":" not in one}
    return tuple(sorted(usable, key=lambda one: (":" in one, one)))


class Lan:
    """mDNS on fixed addresses; ends when those of the machine are others than at the start."""

    def __init__(self, host: str, port: int, node_id: str, name: str, make_txt: MakeTxt) -> None:
        """``name``: of the record, and shown by other tools; another one is taken when it is in use."""
        self._host = host
        self._port = port
        self._server = f"vupdate-{node_id[:15].lower()}.local."
        self._name = name
        self._make_txt = make_txt
        self._heard: asyncio.Queue[Heard] = asyncio.Queue(_WAITING_MOST)
        self._lost = 0

    async def run(self, hear: Hear) -> None:
        """Announce and listen until the machine's addresses change; ``hear`` also gets ``None``, every few seconds.

        Raises:
            LanError: the network can't be used.
        """
        addresses = await asyncio.to_thread(lan_addresses, self._host)
        if not addresses:
            raise LanError(f"no interface of this machine has the address {self._host}, or none at all")
        try:
            await self._run_at(addresses, hear)
        except InvalidValueError as error:
            raise LanError(f"this node can't be announced: {error}") from error
        except (OSError, RuntimeError) as error:  # RuntimeError: an address that went away meanwhile
            raise LanError(f"mDNS can't be used at {', '.join(addresses)}: {error}") from error

    async def _run_at(self, addresses: tuple[str, ...], hear: Hear) -> None:
        from zeroconf import Error
        from zeroconf.asyncio import AsyncServiceBrowser

        async with _opened(addresses) as lan:
            browser = AsyncServiceBrowser(lan.zeroconf, SERVICE_TYPE, handlers=[_nothing])
            lan.zeroconf.async_add_listener(_listener(self._put), None)
            try:
                async with asyncio.timeout(_START_SECONDS):
                    info = self._service(addresses)
                    await (await lan.async_register_service(info, allow_name_change=True))
            except (TimeoutError, Error) as error:
                why = str(error) or "no answer in time"
                raise LanError(f"the name {self._name} can't be announced: {why}") from error
            _log.info("announced on the local network", addresses=addresses, name=info.name)
            try:
                await self._listen(lan, info, addresses, hear)
            finally:
                await browser.async_cancel()

    def _service(self, addresses: tuple[str, ...]) -> Any:
        from zeroconf.asyncio import AsyncServiceInfo

        return AsyncServiceInfo(
            SERVICE_TYPE,
            f"{self._name}.{SERVICE_TYPE}",
            port=self._port,
            parsed_addresses=list(addresses),
            properties=self._make_txt(addresses),
            server=self._server,
            host_ttl=_TTL_SECONDS,
            other_ttl=_TTL_SECONDS,
        )

    def _put(self, heard: Heard) -> None:
        try:
            self._heard.put_nowait(heard)
        except asyncio.QueueFull:
            self._lost += 1

    async def _listen(self, lan: Any, info: Any, addresses: tuple[str, ...], hear: Hear) -> None:
        loop = asyncio.get_running_loop()
        repeat, looked = loop.time() + REPEAT_SECONDS, loop.time()
        while True:
            heard = await self._next()
            if heard is not None:
                await hear(heard)
            if loop.time() - looked < LOOK_SECONDS:
                continue
            looked = loop.time()
            self._tell_losses()
            await hear(None)
            if await asyncio.to_thread(lan_addresses, self._host) != addresses:
                _log.info("the addresses of this machine changed: announcing anew")
                return
            if looked >= repeat:
                repeat = looked + REPEAT_SECONDS
                info = await self._repeated(lan, info, addresses)

    async def _next(self) -> Heard | None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._heard.get()
        except TimeoutError:
            return None

    def _tell_losses(self) -> None:
        if self._lost:
            _log.warning("more announcements on the local network than can be read", lost=self._lost)
            self._lost = 0

    async def _repeated(self, lan: Any, info: Any, addresses: tuple[str, ...]) -> Any:
        """Send the announcement once more, or the one that has been signed anew meanwhile; the one sent."""
        renewed = self._service(addresses)
        if renewed.text == info.text:
            lan.zeroconf.async_send(lan.zeroconf.generate_service_broadcast(info, None))
            return info
        renewed.name = info.name
        await (await lan.async_update_service(renewed))
        return renewed


@contextlib.asynccontextmanager
async def _opened(addresses: tuple[str, ...]) -> AsyncIterator[Any]:
    """The network at ``addresses``; a goodbye is sent at the end."""
    from zeroconf.asyncio import AsyncZeroconf

    lan = AsyncZeroconf(interfaces=list(addresses))
    try:
        yield lan
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await lan.async_close()


@contextlib.asynccontextmanager
async def listening(host: str = ANY_HOST) -> AsyncIterator["asyncio.Queue[Heard]"]:
    """What is announced while the block lasts, asked for at once; nothing is announced. Beyond a bound it is lost.

    Raises:
        LanError: the network can't be used.
    """
    from zeroconf.asyncio import AsyncServiceBrowser

    addresses = await asyncio.to_thread(lan_addresses, host)
    if not addresses:
        raise LanError(f"no interface of this machine has the address {host}, or none at all")
    heard: asyncio.Queue[Heard] = asyncio.Queue(_WAITING_MOST)

    def put(one: Heard) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            heard.put_nowait(one)

    try:
        async with _opened(addresses) as lan:
            lan.zeroconf.async_add_listener(_listener(put), None)
            browser = AsyncServiceBrowser(lan.zeroconf, SERVICE_TYPE, handlers=[_nothing])
            try:
                yield heard
            finally:
                await browser.async_cancel()
    except (OSError, RuntimeError) as error:  # RuntimeError: an address that went away meanwhile
        raise LanError(f"mDNS can't be used at {', '.join(addresses)}: {error}") from error


def _nothing(**_change: object) -> None:
    """The browser is there for its questions; the answers are read by the listener, down to the bytes."""


def _listener(put: Callable[[Heard], None]) -> Any:
    """Hands on each TXT record of the service's type, a repeated one too."""
    from zeroconf import RecordUpdateListener

    class Listener(RecordUpdateListener):
        def async_update_records(self, zc: object, now: float, records: list[Any]) -> None:  # noqa: ARG002  # the library's form
            for update in records:
                record = update.new
                text = getattr(record, "text", None)
                if isinstance(text, bytes) and record.name.lower().endswith(f".{SERVICE_TYPE}"):
                    put(Heard(instance=record.name[:300], txt=text, gone=record.ttl == 0))

        def async_update_records_complete(self) -> None:
            """Nothing is left to do."""

    return Listener()
