"""Decides what this node takes from its providers, service by service, and says why not.

Pure. A service stays with the provider it is followed from for as long as that provider's catalogue can be believed and
lists the service, and what it lists is true and can be had; then another one takes over, the one with the shortest
trail first. An offer is taken when it differs from the last one *followed*, whatever the number: so a rollback is taken
like any change, and an operator's own choice stays until the provider changes its mind. Trails (see
``federation.catalog.listing``) keep a choice from coming back.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from federation.catalog.listing import Entry
from federation.limits import TRAIL_HOPS
from federation.names import NodeName, ServiceName
from node.model.following import (
    Action,
    Choice,
    Chosen,
    Decision,
    Followed,
    Offering,
    Reason,
    Situation,
    Verdict,
)
from node.model.peer import AutoUpdate

REFUSED_GRACE: Final = timedelta(minutes=10)
"""A catalogue that can't be believed may be a passing fault of the network: so long nobody takes over."""

TRIES: Final = 3
"""After so many attempts in vain a version is taken from another provider that has the very same one."""


@dataclass(frozen=True, slots=True)
class _Because:
    """A reason in words. ``until``: it ends by then; ``stays``: it is too early for another provider to take over."""

    reason: Reason
    why: str
    until: datetime | None = None
    stays: bool = False


def decide(situation: Situation, forced: NodeName | None = None) -> Decision:
    """What to do with each version that a provider lists.

    ``forced``: an operator told to take what this provider has, so nothing of it is held that he may decide; what
    can't be verified, was withdrawn, comes in a circle or is developed here stays out all the same.
    """
    listed: dict[ServiceName, dict[NodeName, Entry]] = {}
    for offering in situation.offerings:
        for service, entry in offering.entries.items():
            listed.setdefault(service, {})[offering.provider] = entry
    by_name = {offering.provider: offering for offering in situation.offerings}
    verdicts = _gone(situation, listed)
    noted: list[Followed] = []
    for service, entries in listed.items():
        judged, note = _of_service(situation, service, entries, by_name, forced)
        verdicts.extend(judged)
        noted.extend(note)
    verdicts.sort(key=lambda one: (one.service, one.provider))
    return Decision(verdicts=tuple(verdicts), noted=tuple(sorted(noted, key=lambda one: one.service)))


def _gone(situation: Situation, listed: Iterable[ServiceName]) -> list[Verdict]:
    """What runs here and was followed, but is listed nowhere any more: it stays, and is shown as that."""
    present = set(listed) | situation.developed
    found: list[Verdict] = []
    for service, followed in situation.followed.items():
        choice = followed.choice
        if choice is None or service in present or situation.desired.get(service) != choice.version:
            continue
        why = f"no longer offered by {choice.provider}: {choice.version} stays as it is"
        found.append(
            Verdict(
                service=service,
                provider=choice.provider,
                version=choice.version,
                action=Action.KEEP,
                reason=Reason.GONE,
                why=why,
            )
        )
    return found


def _of_service(
    situation: Situation,
    service: ServiceName,
    entries: Mapping[NodeName, Entry],
    by_name: Mapping[NodeName, Offering],
    forced: NodeName | None,
) -> tuple[list[Verdict], list[Followed]]:
    if service in situation.developed:
        why = "this node develops it itself, and so follows nobody"
        return [_verdict(n, e, Action.KEEP, _Because(Reason.DEVELOPED, why)) for n, e in entries.items()], []
    troubles = {
        name: _of_entry(situation, name, entry) or _of_provider(situation, by_name[name])
        for name, entry in entries.items()
    }
    sound = {name: by_name[name] for name, trouble in troubles.items() if trouble is None}
    faults = {name: fault for name in entries if (fault := _fault(situation, by_name[name], sound, entries[name]))}
    leader = _leader(situation.choice(service), entries, troubles, faults)
    verdicts: list[Verdict] = []
    noted: list[Followed] = []
    for name, entry in entries.items():
        trouble = troubles[name]
        if trouble is not None:
            verdicts.append(_verdict(name, entry, Action.HOLD, trouble))
        elif leader is not None and name != leader:
            action = Action.HOLD if name in faults else Action.KEEP
            second = _second(name, leader, troubles[leader], faults.get(name))
            verdicts.append(_verdict(name, entry, action, second))
        else:
            verdicts.append(_led(situation, by_name[name], entry, forced=forced == name))
            if note := _note(situation, name, entry):
                noted.append(note)
    return verdicts, noted


def _verdict(provider: NodeName, entry: Entry, action: Action, because: _Because) -> Verdict:
    return Verdict(
        service=entry.service,
        provider=provider,
        version=entry.version,
        action=action,
        reason=because.reason,
        why=because.why,
        until=because.until,
        entry=entry,
    )


def _of_entry(situation: Situation, name: NodeName, entry: Entry) -> _Because | None:
    """Why ``entry`` can't be followed whatever its provider is like."""
    if entry.passed(situation.node):
        return _Because(Reason.CIRCLE, f"{name} has it from this very node: it would go in a circle")
    if len(entry.trail) >= TRAIL_HOPS:
        return _Because(Reason.TOO_FAR, f"it came through {TRAIL_HOPS} nodes to {name}: no further")
    return None


def _of_provider(situation: Situation, offering: Offering) -> _Because | None:
    """Why nothing can be followed from the provider of ``offering`` now."""
    name, now = offering.provider, situation.now
    if offering.ended:
        return _Because(Reason.ENDED, f"{name} ended the link: ask its operator, or remove it here")
    if offering.refused is not None:
        lost = offering.refused + REFUSED_GRACE
        why = f"what {name} answers can't be believed since {_told(offering.refused)}: see its error"
        return _Because(Reason.REFUSED, why, lost if now < lost else None, stays=now < lost)
    if now >= offering.expires:
        # Nobody is to blame before it was asked again: this node may have slept.
        asked = offering.tried is not None and offering.tried >= offering.expires
        why = f"the catalogue of {name} expired at {_told(offering.expires)}: it has to be reached again"
        return _Because(Reason.EXPIRED, why, stays=not asked)
    return None


def _fault(
    situation: Situation, offering: Offering, sound: Mapping[NodeName, Offering], entry: Entry
) -> _Because | None:
    """Why ``entry`` could not be had from the provider of ``offering``, and is better taken from another one.

    A failure on the way to a version that is here costs nothing.
    """
    failure = situation.failures.get((offering.provider, entry.service))
    if failure is None or not failure.is_about(entry):
        return None
    paid = offering.penalised if offering.penalised and situation.now < offering.penalised else None
    if failure.untrue or paid is not None:
        return _Because(Reason.PENALISED, f"{offering.provider} sent what was not true", paid)
    others = [one for name, one in sound.items() if name != offering.provider]
    if failure.count < TRIES or situation.runs(entry) or not any(_gives(situation, one, entry) for one in others):
        return None
    return _Because(Reason.FAILED, f"{offering.provider} failed {failure.count} times to give it")


def _gives(situation: Situation, offering: Offering, entry: Entry) -> bool:
    """Whether the very version of ``entry`` could be taken from the provider of ``offering`` now."""
    listed = offering.entries.get(entry.service)
    return listed is not None and listed.manifest == entry.manifest and _held(situation, offering, listed) is None


def _leader(
    choice: Choice | None,
    entries: Mapping[NodeName, Entry],
    troubles: Mapping[NodeName, _Because | None],
    faults: Collection[NodeName],
) -> NodeName | None:
    """The provider that a service is followed from now, if one can be; one at fault only where nobody else has it."""
    sound = [name for name in entries if troubles[name] is None]
    good = [name for name in sound if name not in faults]
    if choice is not None and choice.provider in entries:
        trouble = troubles[choice.provider]
        if (trouble is None or trouble.stays) and not (choice.provider in faults and good):
            return choice.provider
    return min(good or sound, key=lambda name: (len(entries[name].trail), name), default=None)


def _second(name: NodeName, leader: NodeName, trouble: _Because | None, fault: _Because | None) -> _Because:
    if fault is not None:
        return replace(fault, why=f"{fault.why}, so it is followed from {leader}")
    if trouble is not None and trouble.until is not None:
        at = _told(trouble.until)
        why = f"{name} takes over from {leader} at {at}, unless {leader} can be believed again by then"
        return _Because(Reason.OTHER_PROVIDER, why, trouble.until)
    why = f"it is followed from {leader}, and {name} takes over when {leader} can't be followed any more"
    return _Because(Reason.OTHER_PROVIDER, why)


def _note(situation: Situation, name: NodeName, entry: Entry) -> Followed | None:
    """The record that is true by now: the version is the same, but its provider or its trail is another.

    A desired version that happens to be the one listed counts as followed, whoever chose it.
    """
    before = situation.followed.get(entry.service, Followed(service=entry.service))
    same = before.choice is not None and before.choice.lists_the_same(entry)
    now = Choice.of(name, entry)
    if now == before.choice or not (same or situation.runs(entry)):
        return None
    return replace(before, choice=now, taking=None, at=situation.now)


def _led(situation: Situation, offering: Offering, entry: Entry, *, forced: bool) -> Verdict:
    """The verdict on what the leading provider lists."""
    name = offering.provider
    kept = _kept(situation, name, entry)
    if kept is not None and not (forced and kept.reason is Reason.OPERATOR):
        return _verdict(name, entry, Action.KEEP, kept)
    withdrawn = situation.withdrawn.get(entry.manifest)
    if withdrawn is not None:
        why = f"{entry.version} was {withdrawn}; another version is waited for"
        return _verdict(name, entry, Action.HOLD, _Because(Reason.WITHDRAWN, why))
    held = None if forced else _held(situation, offering, entry)
    if held is not None:
        return _verdict(name, entry, Action.HOLD, held)
    wants = f"{name} wants {entry.version} run"
    if forced or offering.auto_update is AutoUpdate.INSTALL:
        return _verdict(name, entry, Action.TAKE, _Because(Reason.NEW, f"{wants}: it is taken"))
    if situation.has(entry):
        why = f"{entry.version} is here; 'vupdate provider update {name}' makes it desired"
        return _verdict(name, entry, Action.KEEP, _Because(Reason.DOWNLOADED, why))
    return _verdict(name, entry, Action.DOWNLOAD, _Because(Reason.NEW, f"{wants}: it is downloaded"))


def _kept(situation: Situation, name: NodeName, entry: Entry) -> _Because | None:
    """Why nothing is to be done: it is desired here, or an operator said otherwise."""
    if situation.runs(entry):
        withdrawn = situation.withdrawn.get(entry.manifest)
        though = f", though it was {withdrawn}" if withdrawn is not None else ""
        return _Because(Reason.CURRENT, f"{entry.version} is desired here, as {name} wants{though}")
    choice = situation.choice(entry.service)
    if choice is None or not choice.lists_the_same(entry):
        return None
    version = situation.desired.get(entry.service)
    chosen = situation.chosen.get(entry.service, Chosen(who="an operator", at=None))
    did = f"set {version}" if version else "removed it"
    when = f" on {_told(chosen.at)}" if chosen.at else ""
    why = f"held by operator: {chosen.who} {did}{when}; 'vupdate provider update {name}' takes the provider's"
    return _Because(Reason.OPERATOR, why)


def _held(situation: Situation, offering: Offering, entry: Entry) -> _Because | None:
    """What has to change before the version is taken by itself."""
    name, now = offering.provider, situation.now
    if offering.auto_update is AutoUpdate.OFF:
        return _Because(Reason.OFF, f"auto-update from {name} is off: 'vupdate provider update {name}' takes it")
    if offering.tested_by is not None and not _tested(offering, entry):
        return _Because(Reason.UNTESTED, f"held until {offering.tested_by} marks {entry.version} as tested")
    opens = offering.windows.opens(now)
    if opens is not None:
        return _Because(Reason.WINDOW, f"outside the time window of {name}: it opens at {_told(opens)}", opens)
    failure = situation.failures.get((name, entry.service))
    if failure is not None and failure.is_about(entry) and now < failure.again:
        times = "once" if failure.count == 1 else f"{failure.count} times"
        why = f"failed {times}, tried again at {_told(failure.again)}; the last error: {failure.error}"
        return _Because(Reason.FAILED, why, failure.again)
    return None


def _tested(offering: Offering, entry: Entry) -> bool:
    return any(
        (mark.tester, mark.service, mark.version) == (offering.tested_by, entry.service, entry.version)
        for mark in offering.listing.tested
    )


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
