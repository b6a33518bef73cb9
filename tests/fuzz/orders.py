"""Orders to build, and what is handed over for them, as fuzz targets."""

from federation.link.builds import (
    BuilderState,
    BuildOrder,
    HandedCredential,
    HandedFile,
    HandOver,
    OrderedSource,
    Sealed,
)
from federation.link.work import Question, Refusal, Work, WorkAnswer, WorkCall, WorkKind
from federation.names import PrivateFileName
from federation.versions import DeveloperVersion
from tests.fuzz.target import Target, value
from tests.fuzz.values import SHOP


def order_target() -> Target:
    """The order that a consumer sends."""
    source = OrderedSource(name="shop", url="https://git.example/shop.git", ref="main", directory="src")
    return value(
        BuildOrder, BuildOrder(id="0" * 32, service=SHOP, version=DeveloperVersion("globex-1.0.0"), sources=(source,))
    )


def hand_over_targets() -> list[Target]:
    """What an asker hands over, sealed and opened."""
    file = HandedFile(name=PrivateFileName("tls.key"), content=b"-----")
    credential = HandedCredential(reach="https://git.example/", user="robot", secret=b"s", known_hosts=b"k")
    return [
        value(Sealed, Sealed(content=b"sealed")),
        value(HandOver, HandOver(files=(file,), credentials=(credential,))),
    ]


def work_targets() -> list[Target]:
    """What a builder that calls in says, and what it is asked."""
    state = BuilderState(
        refusal="busy", running=1, most=1, load=0.5, cpus=4, free_memory_bytes=1 << 30, free_disk_bytes=1 << 30
    )
    question = Question(number="1" * 32, kind=WorkKind.PACK, order="0" * 32, after=7)
    return [
        value(WorkCall, WorkCall(state=state)),
        value(Work, Work(questions=(question,))),
        value(WorkAnswer, WorkAnswer(refusal=Refusal(status=409, code="loaded", message="not now"))),
    ]
