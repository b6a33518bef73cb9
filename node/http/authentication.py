"""Finds out who makes a request, by the means that its route demands."""

from urllib.parse import urlsplit

from quart import Request, Websocket

from federation import codec
from federation.clock import Clock
from federation.errors import DeniedError
from federation.identity import NodeId
from federation.keychange import INTRODUCTION_PATH, KeyIntroduction
from federation.keys import PublicKey
from federation.link.messages import Enrol, Redeem
from federation.link.pairing import Proposal
from federation.link.refusals import UnknownSignerError, UnsignedRequestError
from federation.link.request import HttpRequest
from federation.link.signature import RequestVerifier
from node.http.route import Access, Caller
from node.model.account import AgentCaller, Person
from node.model.peer import Consumer
from node.usecases import Usecases
from node.usecases.pairing import PATH as PAIRINGS


def session_cookie(node: NodeId) -> str:
    """The name of a node's session cookie. Cookies belong to a host, not to a port: each node there has its own."""
    return f"vupdate_session_{node.short}"


class Authentication:
    """Checks callers. Strangers' nonces are kept apart, so that they can't crowd out those of known peers."""

    def __init__(self, usecases: Usecases, clock: Clock) -> None:
        self._use = usecases
        former = usecases.key_changes.former_ids
        self._known = RequestVerifier(usecases.identity.id, clock, former=former)
        self._newcomers = RequestVerifier(usecases.identity.id, clock, former=former)

    async def caller(self, access: Access, request: Request, body: bytes) -> Caller:
        """Who makes ``request``, if ``access`` admits him.

        Raises:
            DeniedError: it does not.
        """
        match access:
            case Access.PUBLIC:
                return None
            case Access.PERSON:
                return await self._required_person(request)
            case Access.NEWCOMER:
                return self._newcomer(_signed(request, body))
            case Access.PAIRING:
                return self._pairing(_signed(request, body))
            case Access.READER | Access.CONSUMER:
                nobody = access is Access.READER and not _says_who(request)
                return None if nobody else await self._consumer(_signed(request, body))
            case Access.AGENT:
                return await self._agent(_signed(request, body))

    async def person(self, request: Request | Websocket) -> Person | None:
        """The person whose token or cookie came along; a cookie only counts from this node's own pages."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._use.accounts.person_of_token(token.strip())
        cookie = request.cookies.get(session_cookie(self._use.identity.id), "")
        if cookie and _same_origin(request):
            return await self._use.accounts.person_of_session(cookie)
        return None

    async def _required_person(self, request: Request) -> Person:
        person = await self.person(request)
        if person is None:
            raise DeniedError("log in first: run 'vupdate login' on the node's machine for a link")
        return person

    async def _consumer(self, request: HttpRequest) -> Consumer:
        consumer = await self._use.links.consumer_of_id(self._known.claimed_signer(request))
        if consumer is None:
            raise UnknownSignerError(
                "this node is not linked to yours, or no longer: ask its operator for an invitation"
            )
        self._known.verify(request, consumer.key)
        return consumer

    async def _agent(self, request: HttpRequest) -> AgentCaller:
        instance = await self._use.instances.of_id(self._known.claimed_signer(request))
        if instance is None:
            raise UnknownSignerError("this agent is not attached to the node, or no longer: enrol it again")
        self._known.verify(request, instance.key)
        return AgentCaller(name=instance.name, id=instance.id)

    def _newcomer(self, request: HttpRequest) -> PublicKey:
        brought: Redeem | Enrol | Proposal | KeyIntroduction
        if request.path == PAIRINGS:
            brought = codec.decode(request.body, Proposal)
        elif request.path == INTRODUCTION_PATH:
            brought = codec.decode(request.body, KeyIntroduction)
        elif request.path.startswith("/federation/"):
            brought = codec.decode(request.body, Redeem)
        else:
            brought = codec.decode(request.body, Enrol)
        key = brought.key
        if self._newcomers.claimed_signer(request) != NodeId.of_public_key(key.raw):
            raise DeniedError("the request is signed by another key than the one it brings")
        self._newcomers.verify(request, key)
        return key

    def _pairing(self, request: HttpRequest) -> PublicKey:
        key = self._use.pairing.responder.key_of(self._newcomers.claimed_signer(request))
        if key is None:
            raise UnknownSignerError("this node has no pairing with yours, or no longer: begin a new one")
        self._newcomers.verify(request, key)
        return key


def _says_who(request: Request) -> bool:
    """Whether the caller claims to be somebody: then it is checked, and a false claim is refused."""
    return "signature" in request.headers or "signature-input" in request.headers


def _signed(request: Request, body: bytes) -> HttpRequest:
    if "signature" not in request.headers:
        raise UnsignedRequestError("the request is not signed: only linked peers with their key may ask this")
    return HttpRequest.received(
        method=request.method,
        path=request.path,
        query=request.query_string,
        headers=list(request.headers.items()),
        body=body,
    )


def _same_origin(request: Request | Websocket) -> bool:
    """Whether the browser says that the request comes from a page of this very host (or can't come from another)."""
    origin = request.headers.get("Origin")
    if origin is None:
        # Browsers name the origin with each POST and each WebSocket; others don't hold the cookie.
        return request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
    return urlsplit(origin).netloc == request.headers.get("Host")
