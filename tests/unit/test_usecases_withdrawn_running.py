"""A withdrawn version that is desired or runs here is an alarm until nothing of it is left."""

from pathlib import Path
from typing import cast

from federation.keys import PrivateKey
from federation.names import InstanceName, ServiceKey
from federation.state import InstanceState, Phase, ServiceState
from federation.versions import ClientVersion, DeveloperVersion
from node.model.instance import Instance
from node.usecases.instances import Instances
from node.usecases.withdrawn_running import ALARM, WithdrawnRunning
from tests.support.publishing import SHOP, WHO, Publisher, published

GOOD, BAD = DeveloperVersion("acme-1.0.0"), DeveloperVersion("acme-1.0.1")


class Hosts:
    """What agents reported last."""

    def __init__(self, acme: Publisher) -> None:
        self.acme = acme
        self.found: list[Instance] = []

    def run(self, host: str, version: str | None, *, revoked: bool = False) -> None:
        now = self.acme.clock.now()
        running = ClientVersion(version) if version else None
        states = (ServiceState(key=ServiceKey("shop"), phase=Phase.RUNNING, since=now, running=running),)
        self.found = [one for one in self.found if one.name != host]
        self.found.append(
            Instance(
                name=InstanceName(host),
                key=PrivateKey.generate().public,
                enrolled=now,
                revoked=revoked,
                state=InstanceState(at=now, revision=1, services=states),
            )
        )

    async def all(self) -> list[Instance]:
        return self.found


async def watched(tmp_path: Path) -> tuple[Publisher, Hosts, WithdrawnRunning]:
    acme = await published(tmp_path / "acme", "shop")
    await acme.develop("shop", BAD)
    hosts = Hosts(acme)
    running = WithdrawnRunning(
        withdrawals=acme.withdrawals,
        desired=acme.desired,
        instances=cast("Instances", hosts),
        alarms=acme.alarms,
        hub=acme.hub,
    )
    return acme, hosts, running


async def sounding(acme: Publisher) -> list[tuple[str, str]]:
    assert all(one.kind == ALARM for one in await acme.alarms.open())
    return [(one.subject, one.message) for one in await acme.alarms.open()]


async def test_the_alarm_lasts_until_nothing_of_the_version_is_left(tmp_path: Path) -> None:
    """It says who withdrew it, why, and where it is; replaced everywhere, it settles."""
    acme, hosts, running = await watched(tmp_path)
    await running.look()
    assert await sounding(acme) == []
    hosts.run("web-1", "acme-1.0.1_2")
    hosts.run("web-2", "acme-1.0.0")
    await acme.withdrawals.yank(SHOP, BAD, reason="eats data", who=WHO)
    await running.look()
    ((subject, message),) = await sounding(acme)
    assert subject == "shop/acme-1.0.1"
    assert "withdrawn by acme: eats data; it is desired here, running on web-1:" in message
    await acme.want("shop", GOOD)
    await running.look()
    ((_, message),) = await sounding(acme)
    assert "it is running on web-1:" in message
    hosts.run("web-1", "acme-1.0.0_1")
    await running.look()
    assert await sounding(acme) == []


async def test_looking_again_does_not_sound_again(tmp_path: Path) -> None:
    """The same state is the same alarm, however often agents report."""
    acme, hosts, running = await watched(tmp_path)
    hosts.run("web-1", "acme-1.0.1")
    await acme.withdrawals.yank(SHOP, BAD, reason="eats data", who=WHO)
    for _ in range(3):
        await running.look()
    (alarm,) = await acme.alarms.open()
    assert alarm.count == 1


async def test_a_withdrawal_taken_back_settles_it(tmp_path: Path) -> None:
    """Though the version still runs."""
    acme, hosts, running = await watched(tmp_path)
    hosts.run("web-1", "acme-1.0.1")
    await acme.withdrawals.yank(SHOP, BAD, reason="eats data", who=WHO)
    await running.look()
    assert len(await sounding(acme)) == 1
    await acme.withdrawals.unyank(SHOP, BAD, who=WHO)
    await running.look()
    assert await sounding(acme) == []


async def test_the_last_words_of_a_revoked_agent_do_not_count(tmp_path: Path) -> None:
    """What it said once is not what is true now."""
    acme, hosts, running = await watched(tmp_path)
    await acme.want("shop", GOOD)
    hosts.run("web-1", "acme-1.0.1", revoked=True)
    await acme.withdrawals.yank(SHOP, BAD, reason="eats data", who=WHO)
    await running.look()
    assert await sounding(acme) == []
