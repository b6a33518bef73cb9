"""Drives a node's page in a browser, and reads what it shows. Knows the page's marks, and nothing of the node."""

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, async_playwright

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WAIT_MS: Final = 10_000
DESKTOP: Final = {"width": 1280, "height": 900}
PHONE: Final = {"width": 390, "height": 844}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A service on one instance, as the page shows it."""

    instance: str
    phase: str
    version: str | None
    flow: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One service on its way, as the page shows it."""

    service: str
    flow: str
    developer: str | None
    client: str | None
    places: tuple[Place, ...]
    passed_on: tuple[str, ...]
    text: str


@dataclass(kw_only=True)
class Watched:
    """What a page did that no page may do: errors on its console, and requests to other hosts."""

    host: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Watch ``page`` from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != self.host:
            self.foreign.append(request.url)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """The machine's Chromium; where there is none the test is skipped."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        try:
            yield running
        finally:
            await running.close()


async def open_page(context: BrowserContext, url: str) -> tuple[Page, Watched]:
    """A new page at ``url`` (a node's, or a log-in link), watched from its first request on."""
    context.set_default_timeout(WAIT_MS)
    page = await context.new_page()
    watched = Watched(host=urlsplit(url).netloc)
    watched.attach(page)
    await page.goto(url)
    return page, watched


async def log_in(context: BrowserContext, link: str) -> tuple[Page, Watched]:
    """A page logged in by ``link``, live and with its services read."""
    page, watched = await open_page(context, link)
    await wait_live(page)
    return page, watched


async def wait_live(page: Page) -> None:
    """Until the page is connected and shows its verdict."""
    await page.locator("[data-connection=live]").wait_for()
    await page.locator("[data-verdict]").wait_for()


async def lanes(page: Page) -> dict[str, Lane]:
    """The services on their way, by name."""
    found = [await _lane(card) for card in await page.locator("article[data-service]").all()]
    return {lane.service: lane for lane in found}


async def wait_place(page: Page, service: str, instance: str, *, phase: str, version: str | None = None) -> None:
    """Until ``service`` is shown in ``phase`` on ``instance``, and running ``version``."""
    place = page.locator(f"article[data-service={service}] li[data-instance={instance}][data-phase={phase}]")
    if version is not None:
        place = place.filter(has=page.locator(f'[data-version="{version}"]'))
    await place.wait_for()


async def faults(page: Page) -> list[str]:
    """The fault reports' lines."""
    return [squeezed(await row.inner_text()) for row in await page.locator("li[data-fault]").all()]


async def open_fault(page: Page, position: int = 0) -> Locator:
    """The drawer with the report at that place of the list."""
    await page.locator("li[data-fault] button").nth(position).click()
    return await _drawer(page)


async def open_runs(page: Page, instance: str) -> Locator:
    """The drawer with the runs of the first service that is on that instance."""
    await page.locator(f"li[data-instance={instance}] a").first.click()
    return await _drawer(page)


async def open_task(page: Page, title: str) -> Locator:
    """The drawer with the log of the newest task of that title."""
    await page.locator("li[data-task]", has_text=title).first.locator("button").click()
    return await _drawer(page)


async def open_version(page: Page, service: str, version: str) -> Locator:
    """The drawer with that version, opened from where it stands on its way."""
    await page.locator(f'article[data-service={service}] a[data-version="{version}"]').first.click()
    drawer = await _drawer(page)
    await drawer.locator(f'[data-open-version="{version}"]').wait_for()
    return drawer


async def open_builds(page: Page, service: str) -> Locator:
    """The drawer with the builds, the builders and the private files of that service."""
    await page.get_by_role("link", name=f"Builds, builders and private files of {service}").click()
    drawer = await _drawer(page)
    await drawer.get_by_role("heading", name="Private files").wait_for()
    return drawer


async def close_drawer(page: Page) -> None:
    """Close what is open."""
    await page.keyboard.press("Escape")
    await page.get_by_role("dialog").wait_for(state="hidden")


async def picture(page: Page, target: Path, *, whole: bool = True) -> Path:
    """Take the page's picture."""
    await page.screenshot(path=target, full_page=whole, animations="disabled")
    return target


async def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window; more than none is a mistake."""
    width: Any = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return max(0, int(width))


def squeezed(text: str) -> str:
    """``text`` on one line with single spaces."""
    return re.sub(r"\s+", " ", text).strip()


async def _drawer(page: Page) -> Locator:
    drawer = page.get_by_role("dialog")
    await drawer.wait_for()
    return drawer


async def _lane(card: Locator) -> Lane:
    return Lane(
        service=await card.get_attribute("data-service") or "",
        flow=await card.get_attribute("data-flow") or "",
        developer=await _version(card.locator("[data-stage=developer]")),
        client=await _version(card.locator("[data-stage=client]")),
        places=tuple([await _place(place) for place in await card.locator("li[data-instance]").all()]),
        passed_on=tuple(map(squeezed, await card.locator("[data-stage=passed-on] li").all_inner_texts())),
        text=squeezed(await card.inner_text()),
    )


async def _place(place: Locator) -> Place:
    return Place(
        instance=await place.get_attribute("data-instance") or "",
        phase=await place.get_attribute("data-phase") or "",
        version=await _version(place),
        flow=await place.get_attribute("data-flow") or "",
        text=squeezed(await place.inner_text()),
    )


async def _version(within: Locator) -> str | None:
    chips = within.locator("[data-version]")
    return await chips.first.get_attribute("data-version") if await chips.count() else None
