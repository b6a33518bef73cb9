"""The page in a real browser, over a fake node whose data the tests change."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from hatch_build import ensure_built
from tests.support import ui_pages, ui_sample
from tests.support.ui_fake_node import ROOT, UiFakeNode, served

# One browser serves all tests of a file, so they share its event loop.


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
