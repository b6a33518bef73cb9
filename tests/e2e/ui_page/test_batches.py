"""Client versions of many services, tags of sources, and what the page says of withheld versions, in a real browser."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.support import ui_links_sample, ui_pages
from tests.support.ui_fake_node import UiFakeNode
from tests.support.ui_values import ago

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_client_versions_of_all_services_are_made_and_followed(page: Page, node: UiFakeNode) -> None:
    """A task for each service that runs here, with its outcome as it comes; each leads to its log."""
    await page.get_by_role("button", name="Make client versions").click()
    await page.locator("[data-batch-form]").get_by_role("button", name="Start").click()
    batch = page.locator("[data-batch]")
    await expect(batch.locator("[data-task]")).to_have_count(2)
    await expect(batch.get_by_role("status")).to_have_text("0 of 2 done, 2 not ended yet")
    shop, guestbook = node.data["tasks"][:2]
    shop.update(state="SUCCEEDED", ended=ago(0), result="globex-2.4.11_3")
    guestbook.update(state="FAILED", ended=ago(0), error="an overlay's file is gone: extra.ini")
    node.tell("TASKS")
    await expect(batch.get_by_role("status")).to_have_text("1 of 2 done, 1 failed")
    await expect(page.locator("[data-batch=ended] [data-task=c-shop]")).to_contain_text("globex-2.4.11_3")
    await expect(batch.locator("[data-task=c-guestbook]")).to_contain_text("extra.ini")
    await batch.locator("[data-task=c-guestbook] button").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Make the client version acme-1.0.1 of guestbook")
    await ui_pages.close_drawer(page)
    await expect(batch.locator("[data-task]")).to_have_count(2)
    await batch.get_by_role("button", name="Hide").click()
    await expect(batch).to_have_count(0)


async def test_of_several_services_one_that_is_refused_hinders_no_other(page: Page, node: UiFakeNode) -> None:
    """The refusal stands beside the tasks that were begun; nothing is begun that was not ticked."""
    node.builds.refused["mailer"] = "so much is queued already: wait until some of it has ended"
    await page.get_by_role("button", name="Make client versions").click()
    form = page.locator("[data-batch-form]")
    await form.get_by_label("Of these").check()
    await expect(form.get_by_role("button", name="Start")).to_be_disabled()
    await form.get_by_label("mailer").check()
    await form.get_by_label("shop").check()
    await form.get_by_role("button", name="Start").click()
    batch = page.locator("[data-batch]")
    await expect(batch.locator("[data-not-begun=mailer]")).to_contain_text("so much is queued already")
    await expect(batch.locator("[data-task=c-shop]")).to_contain_text("Running")
    assert [one["id"] for one in node.data["tasks"] if one["id"].startswith("c-")] == ["c-shop"]


async def test_a_batch_is_offered_to_those_who_may_begin_it(
    context: BrowserContext, node: UiFakeNode, url: str
) -> None:
    """A viewer is not offered it; nor is anybody where nothing could be adapted."""
    node.data["me"] = {"name": "mia", "role": "VIEWER"}
    page, _ = await ui_pages.log_in(context, node.login_link(url))
    await expect(page.get_by_role("button", name="Make client versions")).to_have_count(0)
    node.data["me"] = {"name": "mia", "role": "DEVELOPER"}
    await page.reload()
    await expect(page.get_by_role("button", name="Make client versions")).to_be_visible()
    for service in node.data["services"]:
        service["developerDesired"] = None
    node.tell("DESIRED")
    await expect(page.get_by_role("button", name="Make client versions")).to_have_count(0)


async def test_tagging_the_sources_is_shown_and_switched(page: Page, node: UiFakeNode) -> None:
    """The sources stay as they are; a service that comes from a provider has no such switch."""
    shop = node.find_service("shop")
    before = [dict(one) for one in shop["sources"]]
    drawer = await ui_pages.open_builds(page, "shop")
    part = drawer.locator("[data-tagged=false]")
    await expect(part).to_contain_text("https://git.example/shop.git")
    await part.get_by_label("Tag the sources of each version").click()
    await expect(drawer.locator("[data-tagged=true]").get_by_role("checkbox")).to_be_checked()
    assert shop["tagged"] is True
    assert shop["sources"] == before
    await ui_pages.close_drawer(page)
    other = await ui_pages.open_builds(page, "guestbook")
    await expect(other.locator("[data-tagged]")).to_have_count(0)


async def test_an_alarm_about_withheld_versions_reads_well(page: Page, node: UiFakeNode) -> None:
    """It says that consumers are offered nothing, and why, under a name that is no code."""
    message = (
        "consumers of the profile public-services are offered no version of what is desired here with private files"
    )
    node.data["alarms"].append(ui_links_sample.alarm("private-withheld", "public-services", message))
    node.tell("ALARMS")
    alarm = page.locator("[data-alarm=private-withheld]")
    await expect(alarm.get_by_role("alert")).to_have_text(message)
    await expect(alarm).to_contain_text("Not offered: private files")
    await expect(alarm).not_to_contain_text("private-withheld")


@pytest.mark.parametrize("look", ["light", "dark"])
async def test_what_is_filled_in_fits_a_narrow_window(
    chromium: Browser, node: UiFakeNode, url: str, look: Literal["light", "dark"], tmp_path: Path
) -> None:
    """The forms of credentials, batches and handed secrets are no wider than a phone, and pictures are taken."""
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme=look)
    page, watched = await ui_pages.log_in(context, node.login_link(url))
    await page.get_by_role("button", name="Add a credential").click()
    await page.get_by_label("SSH, with a private key").check()
    await page.get_by_role("button", name="Make client versions").click()
    await page.get_by_label("Of these").check()
    await ui_pages.picture(page, tmp_path / f"{look}-forms.png")
    assert await ui_pages.overflow(page) == 0
    part = (await ui_pages.open_builds(page, "shop")).locator("[data-entrusted]")
    await part.get_by_role("button", name="Choose others").click()
    await expect(part.get_by_label("hooli")).to_be_visible()
    await part.scroll_into_view_if_needed()
    await ui_pages.picture(page, tmp_path / f"{look}-entrust.png", whole=False)
    assert await ui_pages.overflow(page) == 0
    assert watched.errors == []
    await context.close()
