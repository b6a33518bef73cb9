"""Decides what of a node's states and faults one provider gets to see: a value, kept per link and shown before sending.

Pure. How masked text is found stands in ``masking``; who stores the value and applies it, the caller decides.
"""

import enum
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from federation import codec, limits
from federation.errors import InvalidValueError
from federation.fault import FaultReport
from federation.identity import NodeId
from federation.keys import PrivateKey
from federation.masking import Masks
from federation.names import InstanceName

_PSEUDONYM_HEX: Final = 20


class FaultsSent(enum.Enum):
    """How much of a fault report goes to a provider."""

    OFF = "off"
    COUNTS = "counts"
    WITHOUT_LOG = "without-log"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What goes to one provider. ``pseudonyms``: instances under other names; ``masks``: texts that are blotted out.

    ``emails``: whether mail addresses are blotted out too; what looks like a password or a key always is.
    """

    states: bool = True
    installed: bool = True
    faults: FaultsSent = FaultsSent.FULL
    pseudonyms: bool = False
    masks: tuple[str, ...] = ()
    emails: bool = False

    def __post_init__(self) -> None:
        Masks(self.masks, emails=self.emails)  # refuses what can't be a mask


def pseudonym_key(key: PrivateKey, provider: NodeId) -> bytes:
    """The key of the pseudonyms that go to ``provider``: follows from the node key, so nothing has to be kept.

    Ed25519 signatures are deterministic (RFC 8032 §5.1.6) and the message is of no other protocol.
    """
    return hashlib.sha256(key.sign(f"vupdate pseudonyms\n{provider}".encode())).digest()


class Redactor:
    """Applies one ``Redaction``, with the pseudonym key of its provider."""

    def __init__(self, redaction: Redaction, key: bytes) -> None:
        self.rules = redaction
        self._key = key
        self._masks = Masks(redaction.masks, emails=redaction.emails)

    def text(self, text: str) -> str:
        """``text`` with all that is masked blotted out."""
        return self._masks.text(text)

    def lines(self, lines: Iterable[str]) -> tuple[str, ...]:
        """Lines of one log, each blotted out; a key that stands over several of them too."""
        return self._masks.lines(lines)

    def instance(self, name: InstanceName) -> InstanceName:
        """``name``, or what the provider knows it by: always the same for it, and another for each provider.

        A name that holds a masked text is never told.
        """
        if not self.rules.pseudonyms and self._masks.text(name) == name:
            return name
        digest = hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()
        return InstanceName(f"instance-{digest[:_PSEUDONYM_HEX]}")

    def fault(self, report: FaultReport) -> FaultReport:
        """``report`` as it may be sent; its id, service, versions and path stay as they are.

        Raises:
            InvalidValueError: nothing of it may be sent whole.
        """
        if self.rules.faults in (FaultsSent.OFF, FaultsSent.COUNTS):
            raise InvalidValueError("this link sends no fault reports")
        # A stack trace is cut from the log: it goes where the log goes.
        log, trace = (
            () if self.rules.faults is FaultsSent.WITHOUT_LOG else self.lines(lines)
            for lines in (report.log, report.trace)
        )
        told = replace(
            report,
            instance=self.instance(report.instance),
            message=self.text(report.message),
            signal=None if report.signal is None else self.text(report.signal),
            log=log,
            trace=trace,
            damaged=self._paths(report.damaged),
            files=self._paths(report.files),
            left=self._paths(report.left),
            earlier=tuple(replace(one, message=self.text(one.message)) for one in report.earlier),
        )
        return _fitting(told)

    def _paths(self, paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.text(path)[: limits.FAULT_FILE_CHARS] for path in paths)


def _fitting(report: FaultReport) -> FaultReport:
    """``report`` without its oldest log lines, if blotting out made it longer than a report may be."""
    excess = len(codec.encode(report)) - limits.FAULT_REPORT_BYTES
    dropped = 0
    while excess > 0 and dropped < len(report.log):
        excess -= len(codec.encode(report.log[dropped])) + 1
        dropped += 1
    fitting = replace(report, log=report.log[dropped:])
    return fitting if excess <= 0 else replace(fitting, message=fitting.message[: limits.LOG_MESSAGE_CHARS])
