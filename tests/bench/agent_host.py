"""What an agent costs its host: memory and processor time with 50 services, and lines through the shim."""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

from agent.home import Home
from agent.runner import stop_services
from agent.runrecord import last_run
from agent.runs import Order, Runs
from federation.names import ServiceKey
from federation.service import Run
from federation.state import Phase
from federation.versions import ClientVersion
from tests.support.agent_node import AgentNode, agent_node
from tests.support.agent_services import sleeper

SERVICES = 50
IDLE_SECONDS = 20
LINES = 3_000_000
MIB = 1024 * 1024
AGENT = "import sys; from node.cli.main import main; sys.exit(main(['agent', 'run', '--home', sys.argv[1]]))"


def _all_run(node: AgentNode) -> bool:
    state = node.states[-1] if node.states else None
    return state is not None and sum(one.phase is Phase.RUNNING for one in state.services) == SERVICES


async def _fifty(folder: Path) -> None:
    async with agent_node(folder / "node") as node:
        home = folder / "agent"
        node.attach(home)
        keys = [ServiceKey(f"web{number}") for number in range(SERVICES)]
        await node.assign(*(node.publish(key, "acme-1.0.0", sleeper(key)) for key in sorted(keys)))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", AGENT, str(home)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            began = time.monotonic()
            await node.until(lambda: _all_run(node), 120)
            print(f"{SERVICES} services installed and proved        {time.monotonic() - began:8.1f} s")
            await _measure(process.pid, Home.at(home), keys)
        finally:
            process.terminate()
            await process.wait()
            await stop_services(home)


async def _measure(pid: int, home: Home, keys: list[ServiceKey]) -> None:
    agent = psutil.Process(pid)
    before = sum(agent.cpu_times()[:2])
    await asyncio.sleep(IDLE_SECONDS)
    share = 100 * (sum(agent.cpu_times()[:2]) - before) / IDLE_SECONDS
    runs = [run for key in keys if (run := last_run(home.unit(key))) is not None]
    shims = [psutil.Process(run.shim.pid).memory_full_info() for run in runs]
    print(f"agent, resident                            {agent.memory_info().rss / MIB:8.1f} MiB")
    print(f"agent, share of a core when idle           {share:8.2f} %")
    print(f"a shim, its own part (USS)                 {sum(one.uss for one in shims) / len(shims) / MIB:8.1f} MiB")


async def _lines(folder: Path) -> None:
    unit = Home(folder).unit(ServiceKey("flood"))
    order = Order(
        run="00000001-a",
        version=ClientVersion("acme-1.0.0"),
        argv=("seq", "1", str(LINES)),
        env={"PATH": os.environ["PATH"]},
        cwd=folder,
        settings=Run(command=("seq",)),
    )
    began = time.monotonic()
    live = await Runs(unit).start(order)
    end = (await live.ended()).ended
    live.close()
    seconds = time.monotonic() - began
    lost = 0 if end is None else end.lost_lines
    print(f"lines through the shim                     {LINES / seconds:8,.0f} a second, {lost} lost")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_lines(Path(folder)))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_fifty(Path(folder)))


if __name__ == "__main__":
    main()
