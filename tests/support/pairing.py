"""Two nodes that pair in one process, and one who begins pairings by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime

from federation import codec
from federation.discovery import Announcement, Heard
from federation.keys import PrivateKey
from federation.link.pairing import (
    Answer,
    Party,
    Proposal,
    Reveal,
    Role,
    State,
    Transcript,
    Wish,
    commitment,
    new_nonce,
)
from federation.names import NodeName, ProfileName
from node.model.pairing import Pairing
from node.model.peer import AutoUpdate
from node.usecases.pairing import PATH
from tests.support.nodes import WHO, Member, Network, WirePeer

TAKE = Wish(role=Role.TAKE)
GIVE = Wish(role=Role.GIVE, profile=ProfileName("public"))


def heard(member: Member, *, key: PrivateKey | None = None, url: str | None = None, name: str | None = None) -> Heard:
    """What ``member`` announces, or what somebody else announces in its stead."""
    signer = key or member.key
    announcement = Announcement.of(
        key=signer.public,
        name=NodeName(name or member.name),
        url=url or member.url,
        addresses=(),
        port=7420,
        tls=False,
        now=member.clock.now().astimezone(UTC),
    )
    return Heard(instance=f"{announcement.name}._vupdate._tcp.local.", txt=announcement.to_txt(signer))


async def two(network: Network) -> tuple[Member, Member]:
    """``acme``, which shares a profile, and ``globex``, which shares one of the same name."""
    acme, globex = network.add("acme"), network.add("globex")
    for member in (acme, globex):
        await member.share("public", "shop")
    return acme, globex


async def confirm(member: Member, pairing: str, *, profile: str | None = None, code: str | None = None) -> Pairing:
    """``member``'s operator confirms, by the code shown there unless another one is given."""
    shown = next(one for one in member.use.pairing.all() if one.id == pairing)
    return await member.use.pairing.confirm(
        pairing,
        code or shown.code or "",
        profile=ProfileName(profile) if profile else None,
        auto_update=AutoUpdate.DOWNLOAD,
        who=WHO,
    )


def held(member: Member, pairing: str) -> Pairing:
    """The pairing as ``member``'s operator sees it."""
    return next(one for one in member.use.pairing.all() if one.id == pairing)


async def links(member: Member) -> tuple[list[str], list[str]]:
    """The names of its providers and of its consumers."""
    providers = [str(one.name) for one in await member.use.links.providers()]
    return providers, [str(one.name) for one in await member.use.links.consumers()]


@dataclass
class Stranger:
    """Speaks the protocol by hand, under a key of its own."""

    network: Network
    to: Member
    key: PrivateKey
    name: str = "mallory"
    wish: Wish = TAKE

    @property
    def party(self) -> Party:
        return Party(key=self.key.public, node=NodeName(self.name), url=f"http://{self.name}.test:7420")

    @property
    def peer(self) -> WirePeer:
        return self.network.peer(self.name, self.to.url, self.to.key.public, self.key)

    async def propose(self, nonce: str | None = None) -> tuple[Proposal, Answer, str]:
        """What was asked and answered, and the nonce that is still to be revealed."""
        hidden = nonce or new_nonce()
        bound = commitment(self.party, self.to.key.id, self.wish, hidden)
        asked = Proposal(initiator=self.party, wish=self.wish, commitment=bound)
        content = await self.peer.post(PATH, codec.encode(asked))
        return asked, Answer.read(content, responder=self.to.key.public, proposal=asked), hidden

    async def begin(self) -> Transcript:
        """A pairing whose code both sides know."""
        asked, answer, nonce = await self.propose()
        await self.say(asked.id, "reveal", Reveal(nonce=nonce))
        return Transcript.of(asked, answer, nonce)

    async def say(self, pairing: str, what: str, message: object) -> bytes:
        return await self.peer.post(f"{PATH}/{pairing}/{what}", codec.encode(message))

    async def state(self, transcript: Transcript) -> State:
        content = await self.peer.get(f"{PATH}/{transcript.id}", most_bytes=100_000)
        return State.read(content, responder=self.to.key.public, transcript=transcript)


def moment(member: Member) -> datetime:
    """The time at ``member``."""
    return member.clock.now()
