"""Attaches an agent to its node by a one-time enrolment, with a key made here that never leaves the instance."""

from pathlib import Path

from agent.home import Attached, Home
from federation import codec, limits
from federation.clock import Clock
from federation.errors import ExistsError, StaleError, TamperedError
from federation.keys import PrivateKey
from federation.link.client import PeerClient, peer_session
from federation.link.invitation import Enrolment
from federation.link.messages import Enrol, Enrolled
from federation.names import ServiceKey


def _own_key(home: Home) -> PrivateKey:
    # Versions may hold secrets, and data and core dumps do. What its owner has made for it stays as it is.
    if not home.root.exists():
        home.root.parent.mkdir(parents=True, exist_ok=True)
        home.root.mkdir(mode=0o700)
    """The agent's key: one that an interrupted enrolment left, or a new one."""
    if not home.key.exists():
        PrivateKey.generate().save(home.key)
    return PrivateKey.load(home.key)


async def enrol(text: str, home: Path, clock: Clock, *, fixed: tuple[ServiceKey, ...] | None = None) -> Attached:
    """Attach the agent in ``home`` by the enrolment ``text``; ``fixed``: the only services it is ever to run.

    ``home`` is made, closed to other users of the host, where it is not there.

    Raises:
        InvalidValueError: not an enrolment.
        StaleError: expired.
        ExistsError: this agent is attached already.
        TamperedError: the answer is not from the node that made the enrolment.
        DeniedError, ConflictError, UnreachableError, RemoteError: what the node says.
    """
    enrolment, place = Enrolment.from_text(text), Home(home)
    if place.config.exists():
        raise ExistsError(f"{home} already holds an agent: choose another folder, or remove this one first")
    if enrolment.expired(clock.now()):
        raise StaleError("this enrolment has expired: ask for a new one on the node")
    key = _own_key(place)
    async with peer_session() as session:
        client = PeerClient(session, enrolment.url, enrolment.key, key, clock)
        body = codec.encode(Enrol(secret=enrolment.secret, key=key.public))
        answer = await client.post("/agent/v1/enrol", body, most_bytes=limits.ENVELOPE_BYTES)
    enrolled = Enrolled.read(answer, node=enrolment.key, reader=key.id)
    if (enrolled.node, enrolled.instance) != (enrolment.node, enrolment.instance):
        raise TamperedError("the node enrolled this agent under another name: refused; ask for a new enrolment")
    attached = Attached(
        url=enrolment.url, node=enrolment.node, node_key=enrolment.key, instance=enrolment.instance, fixed=fixed
    )
    place.attach(attached)
    return attached
