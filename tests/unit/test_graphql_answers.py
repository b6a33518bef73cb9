"""What the fields of the API answer, and what they hand to the use cases."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from federation.errors import AbsentError
from federation.names import ServiceName
from node.graphql.schema import schema
from node.model.account import AuditEntry, Role
from node.model.desired import ListKind
from node.model.version import DevelopedService, GitSource, SiteSettings
from tests.support.graphql_answers import answers
from tests.support.graphql_usecases import KEY, FakeUsecases, context
from tests.support.graphql_values import NOW, PEER_KEY, provider, revision, stored_version

MOMENT = "2026-03-04T05:06:07+00:00"


async def ask(text: str, usecases: FakeUsecases, role: Role = Role.ADMINISTRATOR) -> dict[str, Any]:
    """The data of an operation that must not fail."""
    result = await schema().execute(text, context_value=context(usecases, role))
    assert result.errors is None
    assert result.data is not None
    return result.data


async def test_a_node_says_who_it_is_and_who_asks() -> None:
    """Name, id and key for comparison by eye; and the caller's own name and role."""
    found = await ask("{ node { name id key url version } me { name role } }", FakeUsecases({}), Role.VIEWER)
    assert found["node"] == {
        "name": "acme",
        "id": str(KEY.id),
        "key": str(KEY.public),
        "url": "http://127.0.0.1:7420",
        "version": "0.1.0",
    }
    assert found["me"] == {"name": "ann", "role": "VIEWER"}


async def test_services_are_shown_on_their_way() -> None:
    """One answer holds the sources, the versions, what runs where, and what last moved."""
    text = """{ services { name developed provider sources { name url ref directory } developerDesired clientDesired
      site { service overlays { name ref } macros { name value } watch }
      watched looks { url ref commit failed error } latestDeveloper latestClient faults
      running { instance service phase since running failed error moved { version base movedBytes fullBytes } }
      task { id state } lastTransfer { provider movedBytes fullBytes at } withdrawn { version reason } } }"""
    (found,) = (await ask(text, FakeUsecases(answers())))["services"]
    assert found["name"] == "guestbook"
    assert found["developed"]
    assert found["sources"] == [{"name": "guestbook", "url": "/srv/g", "ref": "HEAD", "directory": ""}]
    assert (found["watched"], found["site"]["watch"]) == (True, "ON")
    assert found["looks"] == [{"url": "/srv/site", "ref": "main", "commit": "c" * 40, "failed": 0, "error": ""}]
    assert found["site"]["macros"] == [{"name": "title", "value": "Hello"}]
    assert (found["developerDesired"], found["latestDeveloper"], found["latestClient"]) == (
        "acme-1.0.0",
        "acme-1.0.0",
        None,
    )
    assert [(one["service"], one["phase"]) for one in found["running"]] == [
        ("guestbook", "RUNNING"),
        ("guestbook:worker", "STARTING"),
    ]
    assert found["running"][0]["moved"]["base"] == "acme-1.0.0"
    assert found["task"] == {"id": "t1", "state": "RUNNING"}
    assert found["lastTransfer"] == {"provider": "acme", "movedBytes": 1234.0, "fullBytes": 6e9, "at": MOMENT}
    assert found["faults"] == 1
    assert found["withdrawn"] == [{"version": "acme-1.0.0", "reason": "loses entries"}]


async def test_services_cost_the_same_calls_however_many_there_are() -> None:
    """Fifty services are read by as many calls as one: none is asked for alone."""
    many = {f"service-{number}": f"acme-1.0.{number}" for number in range(50)}
    few, lots = (
        FakeUsecases(answers()),
        FakeUsecases({**answers(), "desired.current": lambda kind: revision(kind, 4, **many)}),
    )
    await ask("{ services { name running { phase } } }", few)
    found = await ask("{ services { name running { phase } } }", lots)
    assert len(found["services"]) == 51
    assert len(few.calls) == len(lots.calls) == 13


async def test_a_version_shows_what_its_manifest_says() -> None:
    """The signed manifest is read as it was received; sizes beyond 32 bits are whole."""
    text = """{ versions(kind: DEVELOPER, service: "guestbook", first: 7) { kind service version image manifest
      receivedFrom maker makerId created comment sizeBytes entries sources { name url commit }
      withdrawn { version by reason at } } }"""
    usecases = FakeUsecases(answers())
    (found,) = (await ask(text, usecases))["versions"]
    stored = stored_version()
    assert found["image"] == stored.image
    assert found["manifest"] == stored.manifest
    assert (found["maker"], found["makerId"]) == ("acme", str(KEY.id))
    assert found["sizeBytes"] == 5e9
    assert found["sources"] == [{"name": "guestbook", "url": "file:///srv/guestbook", "commit": "a" * 40}]
    assert found["withdrawn"] == {"version": "acme-1.0.0", "by": "acme", "reason": "loses entries", "at": MOMENT}
    found_here = "Versions.find(kind=ListKind.DEVELOPER, service=guestbook, first=7)"
    assert usecases.calls == [found_here, "Withdrawals.in_force()"]


async def test_a_version_whose_manifest_was_altered_is_not_shown() -> None:
    """The signature is checked again when a version is shown: what is shown is true."""
    stored = stored_version()
    envelope = json.loads(stored.envelope)
    payload = base64.b64decode(envelope["payload"])
    envelope["payload"] = base64.b64encode(payload.replace(b"first", b"other")).decode()
    altered = replace(stored, envelope=json.dumps(envelope).encode())
    usecases = FakeUsecases({"versions.find": [altered], "withdrawals.in_force": []})
    with capture_logs():
        result = await schema().execute("{ versions(kind: DEVELOPER) { version } }", context_value=context(usecases))
    assert result.data is None
    assert result.errors is not None
    assert result.errors[0].extensions is not None
    assert result.errors[0].extensions["code"] == "tampered"


async def test_links_instances_and_their_states_are_shown() -> None:
    """Providers with what they offer, consumers, instances with what runs, all with whether they are connected."""
    text = """{ providers { name id autoUpdate connected checked offered { service version } }
      consumers { name profile connected seen } instances { name id connected revoked services states { service } }
      transfers { version base seconds } profiles { name services } }"""
    found = await ask(text, FakeUsecases(answers()))
    assert found["providers"] == [
        {
            "name": "acme",
            "id": str(PEER_KEY.id),
            "autoUpdate": "INSTALL",
            "connected": True,
            "checked": MOMENT,
            "offered": [{"service": "guestbook", "version": "acme-1.0.0"}],
        }
    ]
    assert found["consumers"] == [{"name": "globex", "profile": "public-services", "connected": True, "seen": None}]
    (host,) = found["instances"]
    assert host["services"] is None
    assert [state["service"] for state in host["states"]] == ["guestbook", "guestbook:worker"]
    assert found["transfers"] == [{"version": "acme-1.0.1", "base": "acme-1.0.0", "seconds": 0.25}]
    assert found["profiles"] == [{"name": "public", "services": ["guestbook"]}]


async def test_a_fault_is_shown_with_its_way() -> None:
    """The last lines, the version put back, and each node that had the report."""
    text = (
        """{ fault(id: "x") { id reason exitStatus putBack inProbation log path { node id } forwardTo forwarded } }"""
    )
    found = (await ask(text, FakeUsecases(answers())))["fault"]
    assert found["log"] == ["starting", "boom"]
    assert found["path"] == [{"node": "globex", "id": str(PEER_KEY.id)}]
    assert (found["exitStatus"], found["putBack"], found["forwardTo"], found["forwarded"]) == (
        3,
        "acme-1.0.0",
        "acme",
        None,
    )


async def test_what_is_not_there_is_null() -> None:
    """A task or a report that does not exist is no error to ask for."""
    usecases = FakeUsecases({"tasks.get": AbsentError("none"), "faults.get": AbsentError("none")})
    assert await ask('{ task(id: "x") { id } fault(id: "x") { id } }', usecases) == {"task": None, "fault": None}


async def test_runs_of_a_service_are_listed() -> None:
    """Of an instance and a service, which may play a role, with all that is known of how each ended."""
    usecases = FakeUsecases(answers())
    text = '{ runs(instance: "web-1", service: "shop:worker") { run alive status signal stopped lostLines } }'
    found = (await ask(text, usecases))["runs"]
    assert usecases.calls == ["Runs.of(name=web-1, service=shop:worker)"]
    assert found[2] == {
        "run": "2-b", "alive": False, "status": None, "signal": "SEGV", "stopped": False, "lostLines": 7.0,
    }  # fmt: skip


async def test_logs_are_found_by_service_and_role() -> None:
    """All that is given narrows the search; a role stands after its service."""
    text = """{ logs(service: "shop:worker", instance: "web-1", text: "boom", level: ERROR, first: 3, run: "r1") {
      service run } }"""
    usecases = FakeUsecases(answers())
    assert (await ask(text, usecases))["logs"] == [{"service": "guestbook", "run": "r1"}]
    (call,) = usecases.calls
    narrowed = (
        "service='shop'",
        "role='worker'",
        "instance='web-1'",
        "run='r1'",
        "text='boom'",
        "Level.ERROR",
        "limit=3",
    )
    for part in narrowed:
        assert part in call


async def test_a_service_is_explained() -> None:
    """Each provider's offer with what is decided, what is followed and desired, and how far it came."""
    text = """{ explain(service: "guestbook") { desired desiredBy client verdicts { provider action reason why }
      unheard { provider known } followed { provider version hops } build { failed error } running { instance } } }"""
    (found,) = (await ask(text, FakeUsecases(answers()))).values()
    assert found["verdicts"] == [
        {
            "provider": "acme",
            "action": "HOLD",
            "reason": "UNTESTED",
            "why": "held until globex marks acme-1.0.1 as tested",
        }
    ]
    assert found["unheard"] == [{"provider": "evil", "known": False}]
    assert found["followed"] == {"provider": "acme", "version": "acme-1.0.0", "hops": 1}
    assert (found["desired"], found["desiredBy"], found["client"]) == (
        "acme-1.0.0",
        "auto-update from acme",
        "acme-1.0.0_1",
    )
    assert found["build"] == {"failed": 2, "error": "no such overlay"}
    assert found["running"] == [{"instance": "web-1"}]


async def test_verdicts_are_told_of_all_providers_or_of_one() -> None:
    """Whoever may look may know why something waits."""
    usecases = FakeUsecases(answers())
    assert len((await ask("{ verdicts { service } }", usecases))["verdicts"]) == 1
    assert (await ask('{ verdicts(provider: "globex") { service } }', usecases))["verdicts"] == []


async def test_the_audit_log_is_shown_to_administrators() -> None:
    """Who did what, when."""
    entry = AuditEntry(at=NOW, who="ann", action="invite", detail="public")
    found = await ask("{ audit { at who action detail } }", FakeUsecases({"audit.find": [entry]}))
    assert found["audit"] == [{"at": MOMENT, "who": "ann", "action": "invite", "detail": "public"}]


TAGGED = DevelopedService(name=ServiceName("guestbook"), sources=(GitSource(name="g", url="/srv/g"),), tag=True)
GIVEN_SITE = SiteSettings(service=ServiceName("guestbook"), macros={"a": "b"})
CHANGES = [
    (
        'addService(name: "guestbook", sources: [{name: "g", url: "/srv/g", directory: "app"}]) { name }',
        "Services.add(service=DevelopedService(name='guestbook', sources=(GitSource(name='g', url='/srv/g',",
    ),
    (
        'addService(name: "guestbook", sources: [{name: "g", url: "/srv/g"}], tag: true) { tagged }',
        f"Services.add(service={TAGGED}, who=ann)",
    ),
    (
        'putCredential(prefix: "https://git.example/", secret: "c2VzYW1l", user: "bob") { prefix }',
        "Credentials.put(prefix=https://git.example/, secret=b'sesame', user=bob, known_hosts=b'', who=ann)",
    ),
    (
        'removeCredential(prefix: "https://git.example/")',
        "Credentials.remove(prefix=https://git.example/, who=ann)",
    ),
    ('removeService(name: "guestbook")', "Services.remove(name=guestbook, who=ann)"),
    (
        'setSite(service: "guestbook", overlays: [], macros: [{name: "a", value: "b"}]) { service }',
        f"Services.set_site(settings={GIVEN_SITE}, who=ann)",
    ),
    (
        'watchSettings(service: "guestbook", watch: ON) { service watch }',
        "Services.watch_site(name=guestbook, watch=Watch.ON, who=ann)",
    ),
    (
        'build(service: "guestbook", version: "acme-2.0.0", comment: "new") { id }',
        "Builds.start(service=guestbook, version=acme-2.0.0, comment=new, on=None, who=ann)",
    ),
    ('build(service: "guestbook") { id }', "Builds.start(service=guestbook, version=None, comment=, on=None, who=ann)"),
    ('clientBuild(service: "guestbook") { id }', "ClientBuilds.start(service=guestbook, who=ann)"),
    ("clientBuildAll { id }", "Adaptation.begin_all(who=ann)"),
    ('resumeTask(id: "t1") { id resumedFrom }', "Resuming.resume(task_id=t1, who=ann, "),
    ('cancelTask(id: "t1") { state }', "Tasks.cancel(task_id=t1, who=ann)"),
    (
        'changeDesired(kind: CLIENT, deltas: [{service: "a", version: "b-1_1"}, {service: "c"}], seen: 4) { number }',
        "Desired.change(kind=ListKind.CLIENT, deltas=(Delta(service='a', version='b-1_1'), Delta(service='c', version",
    ),
    (
        'rollbackDesired(kind: DEVELOPER, to: 3, why: "x") { number }',
        "Desired.rollback(kind=ListKind.DEVELOPER, to=3, who=ann, why=x)",
    ),
    (
        'setProfile(name: "public", services: ["guestbook"], public: true) { name }',
        "Profiles.set(profile=Profile(name='public', services=frozenset({'guestbook'}), public=True), who=ann)",
    ),
    (
        'yankVersion(service: "guestbook", version: "acme-1.0.0", reason: " bad ") { by }',
        "Withdrawals.yank(service=guestbook, version=acme-1.0.0, reason=bad, who=ann)",
    ),
    (
        'unyankVersion(service: "guestbook", version: "acme-1.0.0")',
        "Withdrawals.unyank(service=guestbook, version=acme-1.0.0, who=ann)",
    ),
    (
        'rotateCatalogKeys(profile: "public", roles: [SNAPSHOT, TIMESTAMP]) { done }',
        "CatalogKeys.rotate(profile=public, roles=(<Role.SNAPSHOT: 'snapshot'>, <Role.TIMESTAMP: 'timestamp'>), who=",
    ),
    (
        'prepareCatalogRoot(profile: "public", remove: ["4f0c"], threshold: 2) { document }',
        "CatalogKeys.prepare(profile=public, add=(), remove=('4f0c',), threshold=2, who=ann)",
    ),
    (
        'publishCatalogRoot(profile: "public", documents: ["{}"]) { left }',
        "CatalogKeys.publish_root(profile=public, documents=(b'{}',), who=ann)",
    ),
    ('removeProfile(name: "public")', "Profiles.remove(name=public, who=ann)"),
    ('createInvitation(profile: "public") { text }', "Links.invite(profile=public, who=ann, rights=frozenset("),
    (
        'createInvitation(profile: "public", rights: [TAKE]) { text }',
        "Links.invite(profile=public, who=ann, rights=frozenset({<Right.TAKE: 'take'>}))",
    ),
    (
        'acceptInvitation(text: " vui1:x ") { name }',
        "Links.accept(text=vui1:x, auto_update=AutoUpdate.INSTALL, who=ann)",
    ),
    (
        'setAutoUpdate(provider: "acme", autoUpdate: OFF) { name }',
        "Links.set_auto_update(name=acme, auto_update=AutoUpdate.OFF, who=ann)",
    ),
    (
        'setUpdateWindow(provider: "acme", window: "daily 01:00-02:00") { window }',
        "Following.set_window(name=acme, text=daily 01:00-02:00, who=ann)",
    ),
    (
        'requireTested(provider: "acme", tester: "globex") { testedBy }',
        "Following.require_tested(name=acme, tester=globex, who=ann)",
    ),
    ('requireTested(provider: "acme") { testedBy }', "Following.require_tested(name=acme, tester=None, who=ann)"),
    (
        'setProviderAddress(name: "acme", url: " https://a.example:1 ") { name }',
        "Addresses.move(name=acme, url=https://a.example:1, who=ann)",
    ),
    (
        'startPairing(target: " globex ", wish: GIVE, profile: "public") { code }',
        "PairingDesk.start(target=globex, wish=Wish(role=<Role.GIVE: 'give'>, profile='public'), who=ann)",
    ),
    (
        'confirmPairing(id: "x", code: "123 456", profile: "public", autoUpdate: OFF) { stage }',
        "PairingDesk.confirm(pairing=x, code=123 456, profile=public, auto_update=AutoUpdate.OFF, who=ann)",
    ),
    ('rejectPairing(id: "x") { reason }', "PairingDesk.reject(pairing=x, who=ann)"),
    ('checkProvider(name: "acme") { name }', "Updates.check(name=acme)"),
    ('updateProvider(name: "acme") { id }', "Updates.update(name=acme, who=ann)"),
    ('removeProvider(name: "acme")', "Links.remove_provider(name=acme, who=ann)"),
    ('removeConsumer(name: "globex")', "Links.remove_consumer(name=globex, who=ann)"),
    ('createEnrolment(instance: "web-1") { text }', "Instances.enrolment(name=web-1, who=ann)"),
    (
        'assignServices(instance: "web-1", services: ["shop:worker", "guestbook", "guestbook"]) { services }',
        "Instances.assign(name=web-1, services=('guestbook', 'shop:worker'), who=ann)",
    ),
    (
        'assignServices(instance: "web-1", services: []) { services }',
        "Instances.assign(name=web-1, services=(), who=ann)",
    ),
    ('assignServices(instance: "web-1") { services }', "Instances.assign(name=web-1, services=None, who=ann)"),
    (
        'moveService(service: "shop:worker", fromInstance: "web-1", toInstance: "web-2") { awaits { service source } }',
        "Instances.move(key=shop:worker, source=web-1, target=web-2, at_once=False, who=ann)",
    ),
    (
        'labelInstance(instance: "web-1", labels: ["site=berlin", "gpu"]) { labels due }',
        "Instances.label(name=web-1, labels=('gpu', 'site=berlin'), who=ann)",
    ),
    (
        'placeService(service: "shop:worker", labels: ["gpu"]) { service labels }',
        "Placements.place(key=shop:worker, labels=('gpu',), who=ann)",
    ),
    (
        'putPrivateFile(service: "shop", name: "a/b", content: "c2VjcmV0", into: "conf/b") { size fingerprint }',
        "PrivateFiles.put(service=shop, name=a/b, content=b'secret', into=conf/b, who=ann)",
    ),
    (
        'removePrivateFile(service: "shop", name: "tls.key")',
        "PrivateFiles.remove(service=shop, name=tls.key, who=ann)",
    ),
    ('forgetPlacement(service: "shop:worker")', "Placements.forget(key=shop:worker, who=ann)"),
    ('revokeInstance(name: "web-1") { revoked }', "Instances.revoke(name=web-1, who=ann)"),
    ("createLoginLink(role: VIEWER) { url }", "Accounts.login_link(role=Role.VIEWER, who=ann)"),
]


@pytest.mark.parametrize(("change", "call"), CHANGES, ids=[change.split("(", maxsplit=1)[0] for change, _ in CHANGES])
async def test_a_change_goes_to_its_use_case_with_who_made_it(change: str, call: str) -> None:
    """Each argument becomes a value, and the caller's name goes with it."""
    usecases = FakeUsecases(answers())
    await ask(f"mutation {{ {change} }}", usecases)
    assert usecases.calls[0].startswith(call)


REFUSED = [
    ('addService(name: "../x", sources: []) { name }', "name: "),
    ('addService(name: "shop", sources: [{name: "g", url: "https://a:b@c"}]) { name }', "sources.url: "),
    ('build(service: "shop", version: "acme-01.0") { id }', "version: "),
    ('build(service: "Shop") { id }', "service: "),
    (f'build(service: "shop", comment: "{"x" * 4001}") {{ id }}', "comment: "),
    ('changeDesired(kind: DEVELOPER, deltas: [{service: "a/b"}], seen: 0) { number }', "deltas.service: "),
    ('changeDesired(kind: DEVELOPER, deltas: [{service: "a", version: "x"}], seen: 0) { number }', "deltas.version: "),
    ('changeDesired(kind: DEVELOPER, deltas: [{service: "a"}], seen: -1) { number }', "seen: "),
    ("rollbackDesired(kind: DEVELOPER, to: -2) { number }", "to: "),
    ('setProfile(name: "public", services: ["..", "b"]) { name }', "services: "),
    ('createInvitation(profile: "Public!") { text }', "profile: "),
    (f'acceptInvitation(text: "{"x" * 4097}") {{ name }}', "text: "),
    ('putPrivateFile(service: "shop", name: "../x", content: "eA==") { size }', "name: "),
    ('putPrivateFile(service: "shop", name: "x", content: "no base64") { size }', "content: "),
    ('putPrivateFile(service: "shop", name: "x", content: "eA==", into: "vupdate.toml") { size }', "into: "),
    ('removePrivateFile(service: "shop", name: "/x")', "name: "),
    ('checkProvider(name: "a_b") { name }', "name: "),
    ('createEnrolment(instance: "../web") { text }', "instance: "),
    ('assignServices(instance: "web-1", services: ["a:b:c"]) { name }', "services: "),
    (f'cancelTask(id: "{"x" * 101}") {{ id }}', "id: "),
]


@pytest.mark.parametrize(("change", "named"), REFUSED, ids=[f"{named}{change[:20]}" for change, named in REFUSED])
async def test_a_wrong_value_is_refused_by_its_name(change: str, named: str) -> None:
    """The code says that a value is wrong, the message which one; no use case is called."""
    usecases = FakeUsecases(answers())
    with capture_logs():
        result = await schema().execute(f"mutation {{ {change} }}", context_value=context(usecases))
    assert result.errors is not None
    (error,) = result.errors
    assert error.extensions is not None
    assert error.extensions["code"] == "invalid-value"
    assert error.message.startswith(named)
    assert usecases.calls == []


async def test_an_empty_list_is_a_list() -> None:
    """A node where nothing was ever desired answers revision 0 without a time."""
    usecases = FakeUsecases({"desired.current": replace(revision(ListKind.CLIENT, 0), at=None, who="", why="")})
    found = await ask("{ desired(kind: CLIENT) { number at versions { service } } }", usecases)
    assert found["desired"] == {"number": 0, "at": None, "versions": []}


async def test_a_provider_that_was_never_checked_offers_nothing() -> None:
    """No offer is an empty list, not an error."""
    found = await ask(
        "{ providers { offered { service } } }", FakeUsecases({**answers(), "links.providers": [provider()]})
    )
    assert found["providers"] == [{"offered": []}]


async def test_a_developer_may_withdraw_what_was_made_here_and_no_more() -> None:
    """For what another node made it takes an administrator; the refusal comes before anything is done."""
    yank, unyank = (
        'yankVersion(service: "guestbook", version: "%s", reason: "bad") { by }',
        'unyankVersion(service: "guestbook", version: "%s")',
    )
    for text in (yank, unyank):
        usecases = FakeUsecases(answers())
        asked = context(usecases, Role.DEVELOPER)
        own = await schema().execute(f"mutation {{ {text % 'acme-1.0.0'} }}", context_value=asked)
        assert own.errors is None
        usecases.calls.clear()
        with capture_logs():
            foreign = await schema().execute(f"mutation {{ {text % 'initech-1.0.0'} }}", context_value=asked)
        assert foreign.errors is not None
        assert "needs the role administrator" in foreign.errors[0].message
        assert usecases.calls == []
