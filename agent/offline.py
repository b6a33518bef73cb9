"""Does an operator's order while no agent runs: what is wanted is kept for the next one, what runs is stopped now."""

from pathlib import Path

from agent import plan
from agent.errors import NoAgentError
from agent.home import Home
from agent.journal import Journal
from agent.orders import Act, Answer, Request, wish_after
from agent.runner import only_agent
from agent.runs import Runs
from agent.status import read_status
from agent.threads import unbroken
from agent.wishes import keep_wish, read_wish
from federation.errors import AbsentError


async def order_offline(home: Path, request: Request) -> Answer:
    """Do ``request`` in ``home``; what is true then.

    Raises:
        AgentRunningError: an agent runs after all.
        AbsentError: no such service here.
        NoAgentError: only an agent can do it.
    """
    place = Home.at(home)
    place.attached()
    with only_agent(place):
        if request.service not in place.journaled():
            raise AbsentError(f"no service {request.service} is looked after here: `vupdate agent services` lists them")
        if request.act in (Act.RESTART, Act.REPAIR):
            raise NoAgentError(
                f"no agent runs in {home}, and only an agent installs and starts services: `vupdate agent run`"
            )
        unit = place.unit(request.service)
        if request.act is Act.RETRY:
            journal = Journal(place.journal(request.service))
            journal.write(plan.forgiven(journal.read()))
        else:
            keep_wish(unit, wish_after(read_wish(unit), request.act))
        if request.act is Act.STOP:
            await Runs(unit).stop()
    found = await unbroken(read_status, home)
    return Answer(state=next(one for one in found.services if one.key == request.service))
