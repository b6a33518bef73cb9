"""How the page looks, and what it offers to whom, in a real browser."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.support import ui_links_sample, ui_pages, ui_sample
from tests.support.ui_fake_node import UiFakeNode

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_a_viewer_sees_all_and_is_offered_no_change(context: BrowserContext, node: UiFakeNode, url: str) -> None:
    """Alarms, verdicts, rights and nodes nearby stand there without buttons and boxes that would be refused."""
    node.data["me"] = {"name": "mia", "role": "VIEWER"}
    node.data["pairings"] = [ui_links_sample.pairing("soylent", initiated=False, provides=True)]
    page, watched = await ui_pages.log_in(context, node.login_link(url))
    await expect(page.locator("[data-alarm=catalog-refused]")).to_be_visible()
    await expect(page.locator("[data-link=umbrella]")).to_contain_text("take versions")
    await expect(page.locator("[data-pairing=soylent]")).to_contain_text("compare the codes")
    for name in ("Dismiss", "Check", "Update from", "Pair", "Compare"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    await expect(page.get_by_role("checkbox")).to_have_count(0)
    settings = await ui_pages.open_builds(page, "shop")
    await expect(settings.locator("[data-private-file]")).to_have_count(2)
    for reason in ("started by developers and administrators", "rule is set and removed by administrators",
                   "Private files are put and removed by administrators"):  # fmt: skip
        await expect(settings).to_contain_text(reason)
    await expect(settings.locator("form")).to_have_count(0)
    await expect(settings.get_by_role("button", name="Re")).to_have_count(0)
    await ui_pages.close_drawer(page)
    await expect(await ui_pages.open_fault(page, 1)).to_contain_text("given to administrators only")
    assert "Builders" not in node.requests
    assert watched.errors == []


async def test_a_developer_may_build_and_sees_what_needs_an_administrator(
    context: BrowserContext, node: UiFakeNode, url: str
) -> None:
    """Builds are offered to him; the rule on builders, private files and a fault's files are not, with the reason."""
    node.data["me"] = {"name": "mia", "role": "DEVELOPER"}
    page, watched = await ui_pages.log_in(context, node.login_link(url))
    settings = await ui_pages.open_builds(page, "shop")
    await expect(settings.get_by_role("button", name="Start the build")).to_be_enabled()
    for name in ("Change the rule", "Remove", "Replace", "Add a private file"):
        await expect(settings.get_by_role("button", name=name)).to_have_count(0)
    await expect(settings).to_contain_text("Private files are put and removed by administrators")
    await ui_pages.close_drawer(page)
    version = await ui_pages.open_version(page, "shop", "globex-2.4.11")
    await expect(version.get_by_role("button", name="Build again")).to_be_enabled()
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
    await ui_pages.close_drawer(page)
    drawer = await ui_pages.open_runs(page, "globex-1")
    await drawer.locator('[data-run="2-b"]').click()
    await expect(drawer.locator("[data-log]")).to_be_visible()
    await ui_pages.picture(page, tmp_path / f"{look}-runs.png", whole=False)
    await ui_pages.close_drawer(page)
    await expect((await ui_pages.open_version(page, "shop", "globex-2.4.11")).get_by_text("ANOTHER")).to_be_visible()
    await ui_pages.picture(page, tmp_path / f"{look}-version.png", whole=False)
    await ui_pages.close_drawer(page)
    await ui_pages.open_builds(page, "shop")
    await ui_pages.picture(page, tmp_path / f"{look}-builds.png", whole=False)
    assert await ui_pages.overflow(page) == 0
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
