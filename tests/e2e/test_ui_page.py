"""The page in a real browser, over a fake node whose data the tests change."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from hatch_build import ensure_built
from tests.support import ui_pages, ui_sample
from tests.support.ui_fake_node import ROOT, UiFakeNode, served
from tests.support.ui_sample import place

# One browser serves all tests of this file, so they share its event loop.
pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def built_page() -> None:
    """The page as its sources are now."""
    ensure_built(ROOT)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with ui_pages.browser() as running:
        yield running


@pytest.fixture
def node() -> UiFakeNode:
    return UiFakeNode(ui_sample.globex())


@pytest_asyncio.fixture(loop_scope="module")
async def url(node: UiFakeNode, chromium: Browser, built_page: None) -> AsyncIterator[str]:
    """The fake node's address. Stands on the browser, so that it is closed before the node is."""
    async with served(node) as address:
        yield address


@pytest_asyncio.fixture(loop_scope="module")
async def context(chromium: Browser, url: str) -> AsyncIterator[BrowserContext]:
    made = await chromium.new_context(viewport=ui_pages.DESKTOP)  # type: ignore[arg-type]  # its type is not public
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(context: BrowserContext, node: UiFakeNode, url: str) -> AsyncIterator[Page]:
    """A logged-in page. At the end of each test it has put nothing on its console and asked no other host."""
    shown, watched = await ui_pages.log_in(context, node.login_link(url))
    yield shown
    assert watched.errors == []
    assert watched.foreign == []


@pytest_asyncio.fixture(loop_scope="module")
async def unwatched(context: BrowserContext, node: UiFakeNode, url: str) -> Page:
    """A logged-in page whose console may hold the browser's own words on broken connections."""
    shown, _ = await ui_pages.log_in(context, node.login_link(url))
    return shown


async def test_a_link_logs_in_once_and_leaves_no_trace_in_the_address(
    context: BrowserContext, node: UiFakeNode, url: str
) -> None:
    """The secret is gone from the address at once; the same link is refused later, with what to do instead."""
    link = node.login_link(url)
    page, _ = await ui_pages.log_in(context, link)
    assert page.url == f"{url}/"
    await expect(page.get_by_role("heading", level=1)).to_have_text("globex")

    await context.clear_cookies()
    again, _ = await ui_pages.open_page(context, link)
    await again.locator("[data-door=refused]").wait_for()
    text = ui_pages.squeezed(await again.locator("main").inner_text())
    assert "used before, or has expired" in text
    assert "vupdate login" in text
    assert again.url == f"{url}/"


async def test_a_used_link_does_no_harm_to_a_session_that_lasts(
    page: Page, context: BrowserContext, node: UiFakeNode, url: str
) -> None:
    """Opening an old link again, e.g. from the history, shows the page and not a refusal."""
    again, _ = await ui_pages.open_page(context, f"{url}/#/login/used-long-ago")
    await ui_pages.wait_live(again)


async def test_who_is_not_logged_in_learns_how_to_get_a_link(context: BrowserContext, url: str) -> None:
    """No data and no error is shown, but the command that makes a link."""
    page, watched = await ui_pages.open_page(context, url)
    await page.locator("[data-door=never]").wait_for()
    await expect(page.get_by_text("vupdate login")).to_be_visible()
    assert "globex" not in await page.content()
    assert watched.errors == []


async def test_logging_out_ends_the_session(page: Page, url: str) -> None:
    """After it the page asks for a link, also when loaded again."""
    await page.get_by_role("button", name="Log out").click()
    await page.locator("[data-door=left]").wait_for()
    await page.reload()
    await page.locator("[data-door=never]").wait_for()


async def test_services_are_shown_on_their_way(page: Page) -> None:
    """Each stage has its version; a failed update is red at the instance where it stopped, which shows what runs."""
    lanes = await ui_pages.lanes(page)
    guestbook = lanes["guestbook"]
    assert (guestbook.developer, guestbook.client, guestbook.flow) == ("acme-1.0.1", "acme-1.0.1", "stopped")
    assert guestbook.passed_on == ("initech", "umbrella")
    failed, proving = guestbook.places
    assert (failed.instance, failed.phase, failed.version, failed.flow) == (
        "globex-1", "RUNNING", "acme-1.0.0", "stopped",
    )  # fmt: skip
    assert "acme-1.0.1 failed" in failed.text
    assert "acme-1.0.0 was put back and runs." in failed.text
    assert "1.2 kB of 310 kB, 0.4 %" in failed.text
    assert (proving.phase, proving.flow) == ("PROBATION", "moving")
    assert lanes["mailer"].flow == "moving"
    assert "Client build in flight" in lanes["mailer"].text
    assert lanes["shop"].client == "globex-2.4.11_2"
    await expect(page.locator("[data-verdict=stopped]")).to_contain_text("guestbook on globex-1: acme-1.0.1 failed")


async def test_a_change_is_shown_live_and_told_to_screen_readers(page: Page, node: UiFakeNode) -> None:
    """A hint by the subscription makes the page read again what the hint's topic concerns, and only that."""
    await page.wait_for_load_state("networkidle")
    node.requests.clear()
    node.find_service("guestbook")["running"][1] = place("globex-2", "acme-1.0.1", since=ui_sample.ago(0))
    node.tell("INSTANCES")
    await ui_pages.wait_place(page, "guestbook", "globex-2", phase="RUNNING", version="acme-1.0.1")
    await expect(page.locator("[data-announcer]")).to_contain_text("guestbook on globex-2: Running, acme-1.0.1")
    assert set(node.requests) == {"Services", "Links"}


async def test_many_hints_are_read_as_few(page: Page, node: UiFakeNode) -> None:
    """A burst of hints costs a handful of requests, and the last state is what is shown."""
    await page.wait_for_load_state("networkidle")
    node.requests.clear()
    for build in range(2, 40):
        node.find_service("guestbook")["developerDesired"] = f"acme-1.0.{build}"
        node.find_service("guestbook")["latestDeveloper"] = f"acme-1.0.{build}"
        node.tell("VERSIONS", "DESIRED")
    node.data["providers"][0]["offered"] = []
    node.tell("LINKS")
    await page.locator('[data-stage=developer] [data-version="acme-1.0.39"]').wait_for()
    assert node.requests.count("Services") <= 3


async def test_a_fault_report_opens_whole_and_can_be_linked(page: Page, context: BrowserContext, url: str) -> None:
    """The list shows the way it took; the drawer its message, facts and log; its address opens it again."""
    travelled, own = await ui_pages.faults(page)
    assert "killed by a signal, SIGSEGV" in travelled
    assert "initech → globex → acme" in travelled
    assert "exit status 3" in own

    drawer = await ui_pages.open_fault(page, 1)
    await expect(drawer.locator("[data-log]")).to_contain_text("RuntimeError: the entries' index is gone")
    text = ui_pages.squeezed(await drawer.inner_text())
    assert "Fault report of guestbook" in text
    assert "globex-1 → globex → acme" in text
    assert "in probation" in text
    address = page.url
    await ui_pages.close_drawer(page)
    assert page.url.rstrip("#") == f"{url}/"

    linked, _ = await ui_pages.open_page(context, address)
    await expect(linked.get_by_role("dialog").locator("[data-log]")).to_contain_text("RuntimeError")


async def test_a_tasks_log_is_followed_live_until_it_ends(page: Page, node: UiFakeNode) -> None:
    """Lines appear as they are written, and the mark of following goes with the task's end."""
    node.say("t-5", "merging config.toml")
    drawer = await ui_pages.open_task(page, "acme-3.1.0 of mailer")
    await expect(drawer.locator("[data-log]")).to_contain_text("merging config.toml")
    await expect(drawer.get_by_text("following live")).to_be_visible()
    node.say("t-5", "overlay for a file that is gone: extra.ini", "ERROR")
    await expect(drawer.locator("[data-level=ERROR]")).to_contain_text("extra.ini")
    task = node.data["tasks"][0]
    task.update(state="FAILED", ended=ui_sample.ago(0), error="an overlay's file is gone: extra.ini")
    node.find_service("mailer")["task"] = None
    node.tell("TASKS", "LOGS")
    await expect(drawer.get_by_text("following live")).to_be_hidden()
    await ui_pages.close_drawer(page)
    await expect(page.locator("article[data-service=mailer] [data-stage=client]")).to_contain_text("extra.ini")


async def test_a_lost_connection_is_said_and_comes_back_with_what_was_missed(unwatched: Page, node: UiFakeNode) -> None:
    """The notice stands over the page while it is disconnected; after the return all is read again, without a hint."""
    await unwatched.context.set_offline(True)
    await node.drop_connections()
    await unwatched.locator("[data-lost]").wait_for()
    await expect(unwatched.locator("[data-connection=lost]")).to_be_visible()
    node.find_service("shop")["latestDeveloper"] = "globex-2.4.12"
    await unwatched.context.set_offline(False)
    await ui_pages.wait_live(unwatched)
    await expect(unwatched.locator("[data-lost]")).to_be_hidden()
    await expect(unwatched.locator("article[data-service=shop]")).to_contain_text("globex-2.4.12 is here, not desired")


async def test_a_session_that_ended_elsewhere_leads_to_the_door(unwatched: Page, node: UiFakeNode) -> None:
    """The page shows nothing of the node any more and says how to get in again."""
    node.end_sessions()
    await node.drop_connections()
    await unwatched.locator("[data-door=ended]").wait_for()
    await expect(unwatched.get_by_text("vupdate login")).to_be_visible()


async def test_an_empty_node_says_what_to_do_next(
    context: BrowserContext, node: UiFakeNode, url: str, tmp_path: Path
) -> None:
    """Each empty part names the command that fills it."""
    node.data = ui_sample.empty()
    page, watched = await ui_pages.log_in(context, node.login_link(url))
    text = await page.locator("main").inner_text()
    for command in ("vupdate service add", "vupdate provider add", "vupdate invite", "vupdate build"):
        assert command in text
    await ui_pages.picture(page, tmp_path / "empty.png")
    assert watched.errors == []


_LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": ui_pages.DESKTOP, "color_scheme": "light"},
    "dark": {"viewport": ui_pages.DESKTOP, "color_scheme": "dark"},
    "phone": {"viewport": ui_pages.PHONE, "color_scheme": "light"},
    "phone-dark": {"viewport": ui_pages.PHONE, "color_scheme": "dark"},
    "tablet": {"viewport": {"width": 820, "height": 1100}, "color_scheme": "light"},
}


@pytest.mark.parametrize("look", _LOOKS)
async def test_the_page_fits_its_window_in_light_and_dark(
    chromium: Browser, node: UiFakeNode, url: str, look: str, tmp_path: Path
) -> None:
    """Nothing is wider than the window, the scheme follows the system, and a picture is taken of it."""
    context = await chromium.new_context(**_LOOKS[look])
    page, watched = await ui_pages.log_in(context, node.login_link(url))
    assert await ui_pages.overflow(page) == 0
    scheme = await page.evaluate("document.documentElement.getAttribute('data-mantine-color-scheme')")
    assert scheme == _LOOKS[look]["color_scheme"]
    await ui_pages.picture(page, tmp_path / f"{look}.png")
    await ui_pages.open_fault(page)
    await ui_pages.picture(page, tmp_path / f"{look}-fault.png", whole=False)
    assert watched.errors == []
    assert watched.foreign == []
    await context.close()


async def test_the_chosen_scheme_lasts(page: Page) -> None:
    """A click changes it; after a reload it stands before anything is painted."""
    await page.get_by_role("button", name="Dark colours").click()
    await page.reload(wait_until="commit")
    await page.locator("html[data-mantine-color-scheme=dark]").wait_for()
    await ui_pages.wait_live(page)


async def test_the_node_id_is_shown_whole_on_demand(page: Page) -> None:
    """In short at first, whole on a click, by keyboard too."""
    button = page.get_by_role("button", name="Node id", exact=False).and_(page.locator("header button"))
    await expect(button).to_have_text("QMTYXZV-5WDLQ2K…")
    await button.press("Enter")
    await expect(page.locator("[data-node-id]")).to_have_text(ui_sample.NODE_ID)
