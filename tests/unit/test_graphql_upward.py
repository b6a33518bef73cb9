"""What the API answers of links, redaction, tested marks and the outbox, and what it hands to their use cases."""

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from federation.redaction import Redaction
from node.graphql.schema import schema
from node.model.account import Role
from tests.support.graphql_answers import answers
from tests.support.graphql_usecases import FakeUsecases, context
from tests.support.graphql_values import provider


async def ask(text: str, usecases: FakeUsecases, role: Role = Role.ADMINISTRATOR) -> dict[str, Any]:
    """The data of an operation that must not fail."""
    result = await schema().execute(text, context_value=context(usecases, role))
    assert result.errors is None
    assert result.data is not None
    return result.data


CHANGES = [
    (
        'setConsumerRights(name: "globex", rights: [TAKE, TAKE]) { rights }',
        "Links.set_rights(name=globex, rights=frozenset({<Right.TAKE: 'take'>}), who=ann)",
    ),
    (
        'setConsumerProfile(name: "globex", profile: "other") { profile }',
        "Links.set_profile(name=globex, profile=other, who=ann)",
    ),
    (
        'setConsumerTester(name: "globex", tester: true) { tester }',
        "Links.set_tester(name=globex, tester=True, who=ann)",
    ),
    (
        'setRedaction(provider: "acme", redaction: {faults: COUNTS, masks: ["abc"]}) { name }',
        "Links.set_redaction(name=acme, redaction=Redaction(states=True, installed=True, faults=<FaultsSent.COUNTS",
    ),
    (
        'markTested(services: ["guestbook"], comment: "ok") { provider }',
        "Marks.give(services=('guestbook',), comment=ok, who=ann)",
    ),
    ("markTested { provider }", "Marks.give(services=None, comment=, who=ann)"),
    ('retryOutbox(id: "acme/fault/f") { id }', "Outbox.retry(entry_id=acme/fault/f, who=ann)"),
    ('dropOutbox(id: "acme/fault/f")', "Outbox.drop(entry_id=acme/fault/f, who=ann)"),
]


@pytest.mark.parametrize(("change", "call"), CHANGES, ids=[change.split("(", maxsplit=1)[0] for change, _ in CHANGES])
async def test_a_change_goes_to_its_use_case_with_who_made_it(change: str, call: str) -> None:
    """Each argument becomes a value, and the caller's name goes with it."""
    usecases = FakeUsecases(answers())
    await ask(f"mutation {{ {change} }}", usecases)
    assert usecases.calls[0].startswith(call)


REFUSED = [
    ('setConsumerRights(name: "a_b", rights: []) { name }', "name: "),
    ('setRedaction(provider: "acme", redaction: {masks: ["ab"]}) { name }', "mask 'ab'"),
    ('markTested(services: ["../x"]) { provider }', "services: "),
]


@pytest.mark.parametrize(("change", "named"), REFUSED, ids=[named for _, named in REFUSED])
async def test_a_wrong_value_is_refused_by_its_name(change: str, named: str) -> None:
    """The message says which one is wrong; no use case is called."""
    usecases = FakeUsecases(answers())
    with capture_logs():
        result = await schema().execute(f"mutation {{ {change} }}", context_value=context(usecases))
    assert result.errors is not None
    assert named in result.errors[0].message
    assert usecases.calls == []


async def test_a_consumer_is_shown_with_what_it_reported() -> None:
    """Installed versions, states, tested marks, and the numbers of what it left out; each read only when asked for."""
    usecases = FakeUsecases(answers())
    await ask('{ consumer(name: "globex") { name rights tester } }', usecases)
    assert not any(call.startswith("Received.") for call in usecases.calls)
    text = """{ consumer(name: "globex") { report { leftOut installed { service version } instances { name services {
      service running phase } } } marks { comment } omitted { count why } } }"""
    found = (await ask(text, usecases))["consumer"]
    assert found["report"]["installed"] == [{"service": "guestbook", "version": "acme-1.0.0"}]
    (instance,) = found["report"]["instances"]
    assert instance["services"] == [{"service": "guestbook", "running": "acme-1.0.0_1", "phase": "RUNNING"}]
    assert (found["marks"], found["omitted"]) == ([{"comment": "all well"}], [{"count": 12.0, "why": "budget"}])


async def test_the_outbox_is_for_all_to_see_and_its_letters_for_administrators() -> None:
    """A body holds what a log held: who may only look sees that it waits, not what it says."""
    usecases = FakeUsecases(answers())
    found = await ask("{ outbox { id standing } outboxWays { provider failures error } }", usecases, Role.VIEWER)
    assert found["outbox"] == [{"id": "acme/fault/f", "standing": "WAITING"}]
    assert found["outboxWays"] == [{"provider": "acme", "failures": 1, "error": "acme is away"}]
    for text in ('{ outboxLetter(id: "x") { body } }', '{ providerPreview(name: "acme") { body } }'):
        with capture_logs():
            refused = await schema().execute(text, context_value=context(usecases, Role.DEVELOPER))
        assert refused.errors is not None
        assert await ask(text, usecases)


async def test_masks_are_shown_to_administrators_only() -> None:
    """A masked text may be a secret itself: others see how many there are."""
    rules = Redaction(masks=("hunter2",))
    usecases = FakeUsecases({**answers(), "links.providers": [replace(provider(), redaction=rules)]})
    for role, shown in ((Role.ADMINISTRATOR, ["hunter2"]), (Role.DEVELOPER, []), (Role.VIEWER, [])):
        result = await schema().execute(
            "{ providers { redaction { masks maskCount } } }", context_value=context(usecases, role)
        )
        assert result.data == {"providers": [{"redaction": {"masks": shown, "maskCount": 1}}]}
