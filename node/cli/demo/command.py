"""Runs the demo: prepares its folder, tells the story step by step, shows the summary, stays or ends."""

import asyncio
import shutil
import signal
import time
from pathlib import Path
from typing import Final

from rich.console import Console

from node.cli.demo import queries, summary
from node.cli.demo.api import StepError
from node.cli.demo.screen import Screen
from node.cli.demo.story import Story, story

_KEPT: Final = "cache"


def _fresh(folder: Path) -> Path:
    """An empty folder for this run; only the download caches of earlier runs stay, so that later ones are quick.

    Raises:
        StepError: the folder holds something that no demo made.
    """
    marker = folder / ".vupdate-demo"
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        raise StepError(f"{folder} holds other files: name an empty folder for the demo with --dir")
    folder.mkdir(parents=True, exist_ok=True)
    marker.touch()
    cache = folder / _KEPT
    if (folder / "acme" / "cache").is_dir():
        shutil.rmtree(cache, ignore_errors=True)
        (folder / "acme" / "cache").rename(cache)
    for path in folder.iterdir():
        if path.is_dir() and path.name != _KEPT:
            shutil.rmtree(path)
    if cache.is_dir():
        (folder / "acme").mkdir()
        cache.rename(folder / "acme" / "cache")
    (folder / "logs").mkdir()
    return folder


async def _tell(told: Story, screen: Screen) -> None:
    with screen.step(1, "Three nodes: acme develops, globex takes from acme, initech takes from globex"):
        await told.make_nodes()
    with screen.step(2, "acme builds guestbook from Git, signs it and makes it desired"):
        await told.first_build()
    with screen.step(3, "globex and initech take it, verify it, adapt it to their sites and run it"):
        await told.arrives_everywhere("acme-1.0.0")
    with screen.step(4, "acme releases a version that crashes: both sites put the old one back by themselves"):
        await told.release("1.0.1", "Clean out spam in the background")
        await told.fails_and_is_put_back("acme-1.0.1", "acme-1.0.0")
    with screen.step(5, "acme repairs it: the new version flows down and stays"):
        await told.release("1.0.2", "Repair the spam cleaner")
        await told.arrives_everywhere("acme-1.0.2")
    with screen.step(6, "What it took"):
        found = await summary.hops(told)
        summary.show(screen, told, found)
        summary.check_deltas(found)


async def _show_addresses(told: Story, screen: Screen) -> None:
    screen.console.print("\nAll of it is running. Open these once-only links to see each node's page:")
    for site in told.sites:
        link = (await site.api.ask(queries.LOGIN_LINK))["createLoginLink"]["url"]
        screen.console.print(f"  {site.name:8} {link}", soft_wrap=True, highlight=False)
    for site in told.consumers:
        screen.console.print(f"  the guestbook of {site.name}: {site.service_url}", soft_wrap=True, highlight=False)
    screen.console.print(f"A new link: vupdate login --data {told.acme.data}", soft_wrap=True, highlight=False)
    screen.console.print("Ctrl-C ends all of it.")


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


async def _demo(folder: Path, screen: Screen, *, leave: bool) -> None:
    started = time.perf_counter()
    async with story(folder, screen) as told:
        await _tell(told, screen)
        screen.console.print(f"\nAll steps came out as they must, in {time.perf_counter() - started:.1f} s.")
        if leave:
            return
        await _show_addresses(told, screen)
        await _until_stopped()


def command(*, leave: bool, folder: Path) -> int:
    """Run the demo in ``folder``; ``leave``: end it after the last step. 0, or 1 when a step failed."""
    screen = Screen(Console(highlight=False))
    try:
        asyncio.run(_demo(_fresh(folder.absolute()), screen, leave=leave))
    except StepError as error:
        screen.failed(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
