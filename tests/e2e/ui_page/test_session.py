"""Logging in and out, and what the page does when its connection or its session ends, in a real browser."""

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.support import ui_pages
from tests.support.ui_fake_node import UiFakeNode

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


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
