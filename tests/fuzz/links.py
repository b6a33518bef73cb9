"""What passes between the two ends of a link, from the first announcement to the reports, as fuzz targets."""

from datetime import UTC, datetime

from federation.discovery import Announcement
from federation.link import messages, pairing
from federation.link.messages import LinkAccepted, LinkEnd, LinkState, ReportTaken
from federation.link.pairing import Answer, Confirm, Party, Proposal, Reveal, Role, State, Transcript, Wish
from federation.link.rights import USUAL_RIGHTS
from federation.report import Count, CountsReport, Installed, ReportedInstance, ReportedState, StateReport, TestedReport
from federation.state import Phase
from tests.fuzz.target import Target, signed, value
from tests.fuzz.values import ACME, CLIENT, FAULT, HOST, KEY, NOW, OTHER, PUBLIC, SHOP, VERSION

_ROOT = '{"signed": {}, "signatures": []}'
_NONCE = "ab" * 32
_RESPONDER = Party(key=KEY.public, node=ACME, url="https://acme.example:7420")
_INITIATOR = Party(key=OTHER.public, node=ACME, url="http://192.0.2.7:7420")
_WISH = Wish(role=Role.GIVE, profile=PUBLIC)
_PROPOSAL = Proposal(
    initiator=_INITIATOR,
    wish=_WISH,
    commitment=pairing.commitment(_INITIATOR, KEY.id, _WISH, _NONCE),
)
_ANSWER = Answer(commitment=_PROPOSAL.commitment, responder=_RESPONDER, nonce="cd" * 32)
_TRANSCRIPT = Transcript.of(_PROPOSAL, _ANSWER, _NONCE)
_STATE = State(
    id=_TRANSCRIPT.id, stage=pairing.Stage.COMPARING, confirmed=True, transcript=_TRANSCRIPT.digest, accepted="{}"
)


def _links() -> tuple[Target, ...]:
    accepted = LinkAccepted(provider=ACME, profile=PUBLIC, consumer=OTHER.id, root=_ROOT, rights=USUAL_RIGHTS)
    state = LinkState(
        provider=ACME,
        consumer=OTHER.id,
        profile=PUBLIC,
        rights=USUAL_RIGHTS,
        url="https://acme.example:7420",
        root=_ROOT,
        revision=7,
        issued=NOW,
    )
    return (
        *signed(
            "link accepted",
            messages.LINK_ACCEPTED,
            KEY,
            lambda content: LinkAccepted.read(content, provider=KEY.public, reader=OTHER.id),
            "federation.link.messages:LinkAccepted.read",
            accepted,
        ),
        *signed(
            "link state",
            messages.LINK_STATE,
            KEY,
            lambda content: LinkState.read(content, provider=KEY.public, reader=OTHER.id, now=NOW),
            "federation.link.messages:LinkState.read",
            state,
        ),
        value(LinkEnd, LinkEnd(at=NOW)),
        value(ReportTaken, ReportTaken(id="7")),
    )


def _pairings() -> tuple[Target, ...]:
    return (
        *signed(
            "pairing answer",
            pairing.PAIRING_ANSWER,
            KEY,
            lambda content: Answer.read(content, responder=KEY.public, proposal=_PROPOSAL),
            "federation.link.pairing:Answer.read",
            _ANSWER,
        ),
        *signed(
            "pairing state",
            pairing.PAIRING_STATE,
            KEY,
            lambda content: State.read(content, responder=KEY.public, transcript=_TRANSCRIPT),
            "federation.link.pairing:State.read",
            _STATE,
        ),
        value(Proposal, _PROPOSAL),
        value(Reveal, Reveal(nonce=_NONCE)),
        value(Confirm, Confirm(transcript=_TRANSCRIPT.digest)),
        value(pairing.Handover, pairing.Handover(accepted="{}")),
    )


def _reports() -> tuple[Target, ...]:
    state = ReportedState(key=FAULT.service, phase=Phase.RUNNING, since=NOW, running=CLIENT, error="none")
    count = Count(kind="fault", service=SHOP, version=str(VERSION), why="budget", count=3, first=NOW, last=NOW)
    return (
        value(
            StateReport,
            StateReport(
                sequence=7,
                at=NOW,
                installed=(Installed(service=SHOP, version=VERSION),),
                instances=(ReportedInstance(name=HOST, at=NOW, services=(state,)),),
            ),
        ),
        value(
            TestedReport,
            TestedReport(id=FAULT.id, at=NOW, versions=(Installed(service=SHOP, version=VERSION),), comment="fine"),
        ),
        value(CountsReport, CountsReport(sequence=7, at=NOW, counts=(count,))),
    )


def link_targets() -> tuple[Target, ...]:
    """All of them."""
    announcement = Announcement.of(
        key=KEY.public,
        name=ACME,
        url="https://192.0.2.7:7420",
        addresses=("192.0.2.7", "2001:db8::7"),
        port=7420,
        tls=True,
        now=datetime(2026, 3, 1, tzinfo=UTC),
    )
    seen = Target(
        "announcement",
        Announcement.from_txt,
        (announcement.to_txt(KEY),),
        ("federation.discovery:Announcement.from_txt",),
    )
    return (*_links(), *_pairings(), *_reports(), seen)
