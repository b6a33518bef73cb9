"""Which addresses are public, which hosts an operator has named, and what Git is held to."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.errors import SourceDeniedError, SourceError, SourceUnreachableError
from build.reach import PeersReach, is_public, named, resolved

V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(IPv6Address)
INNER = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",  # noqa: S104
    "100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "2606:4700::1%eth0", "fd00::1", "fec0::1", "ff0e::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::1", "2002:7f00:1::",
    "2001:0:4136:e378::1", "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:10.0.0.1", "", "localhost", "1.2.3",
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
    "2606:4700::5efe:8.8.8.8",
)  # fmt: skip


@pytest.mark.parametrize("address", INNER)
def test_what_is_no_server_of_the_public_internet(address: str) -> None:
    """Loopback, inner networks, link-local, shared, reserved, multicast; and what wraps one of those."""
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_one(address: str) -> None:
    """Of both kinds, and wrapped."""
    assert is_public(address)


@given(V4)
def test_no_wrapping_makes_an_inner_address_public(address: IPv4Address) -> None:
    """However IPv4 is written into IPv6, it is at most as public as by itself."""
    number = int(address)
    wrapped = [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(number),
        IPv6Address(0x64FF9B << 96 | number),
        IPv6Address(0x2002 << 112 | number << 80 | 1),
        IPv6Address(0x26064700 << 96 | 0x5EFE << 32 | number),
    ]
    assert is_public(str(address)) or not any(is_public(str(one)) for one in wrapped)
    assert not is_public(str(address)) or address.is_global


@given(V6)
def test_public_ipv6_is_global_unicast(address: IPv6Address) -> None:
    """Whatever stands outside what is given out to networks is none, but for the prefix of NAT64."""
    if is_public(str(address)):
        inside = address in IPv6Network("2000::/3") or address in IPv6Network("64:ff9b::/96")
        assert inside or address.ipv4_mapped is not None


@pytest.mark.parametrize(
    ("url", "entries", "expected"),
    [
        ("https://git.inner.example/shop", ["https://git.inner.example/"], True),
        ("https://git.inner.example/team/shop", ["https://", "https://git.inner.example/team/"], True),
        ("https://10.0.0.1:8443/shop", ["https://10.0.0.1:8443/"], True),
        ("https://[fd00::1]/shop", ["https://[fd00::1]/"], True),
        ("https://git.inner.example/shop", ["https://"], False),
        ("https://git.inner.example/shop", ["https://git"], False),
        ("https://git.inner.example/shop", ["https://git.inner.example"], False),
        ("https://git.inner.example:99/shop", ["https://git.inner.example/"], False),
        ("https://git.inner.example/shop", ["https:", "h", "https:/"], False),
        ("https://git.inner.example/shop", ["https://other.example/"], False),
        ("ssh://git@git.inner.example/shop", ["ssh://git@git.inner.example/"], True),
        ("ssh://git@git.inner.example/shop", ["ssh://git@", "ssh://"], False),
        ("git@git.inner.example:shop", ["git@git.inner.example:"], True),
        ("git@git.inner.example:shop", ["git@", "git@git.inner.example"], False),
    ],
)
def test_a_host_is_named_in_full_or_not_at_all(url: str, entries: list[str], *, expected: bool) -> None:
    """The entry that lets the URL in ends the host, and its port, itself."""
    assert named(url, entries) == expected


@given(st.text(alphabet="https:/git.example@[]:1", max_size=30))
def test_a_beginning_that_leaves_the_host_open_names_none(entry: str) -> None:
    """What two different hosts can follow is never consent to one of them."""
    urls = [f"{entry}a.example/shop", f"{entry}.b.example/shop"]
    hosts = {url.partition("://")[2].partition("/")[0] for url in urls}
    if entry.startswith("https://") and len(hosts) == 2:
        assert not any(named(url, [entry]) for url in urls)


def answering(*addresses: str) -> PeersReach:
    async def answer(host: str, port: int) -> Sequence[str]:
        return addresses

    return PeersReach(("https://", "ssh://"), answer)


async def test_git_is_held_to_what_was_looked_up() -> None:
    """Every address, with the port, as libcurl reads it."""
    assert (
        await answering("1.1.1.1", "2606:4700::1111").pin("https://Git.Example/shop")
        == "git.example:443:1.1.1.1,[2606:4700::1111]"
    )
    assert await answering("1.1.1.1").pin("https://git.example:8443/shop") == "git.example:8443:1.1.1.1"
    assert await answering().pin("https://1.1.1.1/shop") == ""


@pytest.mark.parametrize(
    "addresses",
    [[], ["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["1.1.1.1", "::ffff:192.168.0.1"], ["1.1.1.1"] * 20 + ["::1"]],
)
async def test_one_inner_address_is_one_too_many(addresses: list[str]) -> None:
    """The refusal says what the operator can do, and not which addresses there are."""
    with pytest.raises(SourceDeniedError, match="names the host in full") as refused:
        await answering(*addresses).pin("https://git.example:8443/shop")
    assert '"https://git.example:8443/"' in str(refused.value)
    assert not any(address in str(refused.value) for address in addresses)


@pytest.mark.parametrize(
    "host",
    ["127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "1.1.1.1.", "git.example.", "127%2e0.0.1",
     "gıt.example", "[::ffff:127.0.0.1]", "[fe80::1%25eth0]", "a..b", "-a.example", "a\\b.example"],
)  # fmt: skip
async def test_a_host_that_can_be_read_in_two_ways_is_none(host: str) -> None:
    """Short and octal addresses, escapes, other alphabets: what Git makes of them may not be what was looked up."""
    with pytest.raises((SourceDeniedError, SourceError)):
        await answering("1.1.1.1").pin(f"https://{host}/shop")


async def test_ssh_needs_a_host_that_is_named() -> None:
    """What it connects to can't be held to an address."""
    for url in ("ssh://git@git.example/shop", "git@git.example:shop"):
        with pytest.raises(SourceDeniedError, match="over SSH"):
            await answering("1.1.1.1").pin(url)


async def test_a_host_that_is_named_is_not_looked_up() -> None:
    """The operator's word counts, wherever it leads."""

    async def never(host: str, port: int) -> Sequence[str]:
        raise AssertionError

    assert await PeersReach(("https://git.inner.example/",), never).pin("https://git.inner.example/shop") == ""


async def test_a_name_server_that_is_down_is_not_an_answer() -> None:
    """It is tried again with the next build."""

    async def down(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with pytest.raises(SourceUnreachableError, match="can't be looked up now"):
        await PeersReach(("https://",), down).pin("https://git.example/shop")


async def test_this_machine_is_asked() -> None:
    """Its own name for itself, without a network."""
    assert set(await resolved("localhost", 443)) <= {"127.0.0.1", "::1"}
