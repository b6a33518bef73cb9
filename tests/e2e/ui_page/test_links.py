"""Alarms, links, and pairings with nodes nearby, in a real browser."""

import pytest
from playwright.async_api import Page, expect

from tests.support import ui_links_sample, ui_pages
from tests.support.ui_fake_node import UiFakeNode

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_an_alarm_is_shown_live_and_dismissed(page: Page, node: UiFakeNode) -> None:
    """It stands above all else until an administrator hides it; the sentence is an alert for screen readers."""
    refused = page.locator("[data-alarm=catalog-refused]")
    await expect(refused.get_by_role("alert")).to_contain_text("a catalogue older than the one seen before")
    await expect(refused).to_contain_text("met 14 times")
    changed = ui_links_sample.alarm("origin-key-changed", "initech", "initech has another key: compare it by eye")
    node.data["alarms"].append(changed)
    node.tell("ALARMS")
    await expect(page.get_by_role("heading", name="2 alarms")).to_be_visible()
    await page.get_by_role("button", name="Dismiss the alarm: hooli shows").press("Enter")
    await expect(refused).to_have_count(0)
    await expect(page.get_by_role("heading", name="1 alarm")).to_be_visible()
    assert node.data["alarms"] == [changed]


async def test_a_provider_shows_why_an_update_is_held_back(page: Page, node: UiFakeNode) -> None:
    """The link's state, its settings and the verdict on each version stand in its card, and change with it."""
    acme, hooli = page.locator("[data-link=acme]"), page.locator("[data-link=hooli]")
    billing = acme.locator("[data-offer=billing]")
    await expect(billing).to_contain_text("held until initech marks acme-2.0.0 as tested")
    for text in ("connected", "take versions, send states", "Mon-Fri 22:00-05:00 Europe/Berlin", "only if tested by"):
        await expect(acme).to_contain_text(text)
    await expect(hooli).to_contain_text("refused")
    await expect(hooli.locator("[data-upward]")).to_contain_text("3 messages wait, the oldest from 2 hr. ago")
    await expect(hooli.locator("[data-upward]")).to_contain_text("it did not answer")
    await expect(page.locator("[data-saved]")).to_contain_text("Moved 12 MB where 1.3 GB would have been needed")
    node.data["verdicts"][0].update(reason="WINDOW", why="outside the time window of acme")
    node.tell("LINKS")
    await expect(billing).to_contain_text("outside the time window of acme")


async def test_a_provider_is_checked_and_updated_from(page: Page, node: UiFakeNode) -> None:
    """The check says that it was done; the update opens the log of its task; a refusal is told in its card."""
    await page.get_by_role("button", name="Check what acme offers").click()
    await expect(page.locator("[data-link=acme]").get_by_role("status")).to_have_text("Checked.")
    await page.get_by_role("button", name="Update from acme").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Take what acme offers")
    await ui_pages.close_drawer(page)
    node.data["providers"] = [one for one in node.data["providers"] if one["name"] != "hooli"]
    await page.get_by_role("button", name="Check what hooli offers").click()
    await expect(page.locator("[data-link=hooli]").get_by_role("alert")).to_have_text("there is no hooli")


async def test_builds_of_a_provider_are_let_run_here(page: Page, node: UiFakeNode) -> None:
    """A click switches it on, another one off; whoever may not change it reads how it is."""
    acme = page.locator("[data-link=acme]")
    for wanted in (True, False):
        await acme.get_by_label("Run builds of acme").click()
        await expect(acme.get_by_role("group")).to_have_attribute("aria-busy", "false")
        await expect(acme.get_by_label("Run builds of acme")).to_be_checked(checked=wanted)
        assert next(one["builds"] for one in node.data["providers"] if one["name"] == "acme") is wanted


async def test_the_rights_of_a_consumer_are_toggled(page: Page, node: UiFakeNode) -> None:
    """A click gives one right and leaves the others; what the consumer reported is shown beside them."""
    umbrella = page.locator("[data-link=umbrella]")
    await umbrella.get_by_label("send fault reports").check()
    await expect(umbrella.get_by_role("group")).to_have_attribute("aria-busy", "false")
    await expect(umbrella.get_by_label("send fault reports")).to_be_checked()
    assert node.data["consumers"][1]["rights"] == ["FAULTS", "TAKE"]
    await expect(umbrella).to_contain_text("It has reported nothing yet.")
    initech = page.locator("[data-link=initech]")
    await expect(initech).to_contain_text("on 3 instances")
    await expect(initech.locator('[data-version="acme-3.0.4"]')).to_be_visible()


async def test_a_pairing_begun_here_shows_its_code_until_both_have_confirmed(page: Page, node: UiFakeNode) -> None:
    """The code stands large with what to do; after the confirmation here it waits for the other side, live."""
    await expect(page.locator("[data-nearby=acme]")).to_contain_text("linked: a provider")
    await page.get_by_role("button", name="Pair with soylent").click()
    dialogue = page.get_by_role("dialog")
    await dialogue.get_by_label("Take versions from soylent").check()
    await dialogue.get_by_role("button", name="Show the code").click()
    await expect(dialogue.locator("[data-code]")).to_contain_text("042 317")
    await expect(dialogue).to_contain_text("Compare it by voice or eye")
    await dialogue.get_by_label("When something new is offered").select_option("Download by itself")
    await dialogue.get_by_role("button", name="Same code: confirm").click()
    await expect(dialogue.get_by_role("status")).to_contain_text("Waiting for soylent’s operator")
    assert node.changes.confirmed == [{"code": "042317", "profile": None, "autoUpdate": "DOWNLOAD"}]
    node.changes.change_pairing("pairing-soylent", confirmedThere=True)
    await expect(dialogue.get_by_role("status")).to_contain_text("soylent is now a provider of this node.")


async def test_a_pairing_begun_elsewhere_asks_for_the_profile_and_can_be_rejected(page: Page, node: UiFakeNode) -> None:
    """It is told at the head of the page; who gives chooses the profile before he can confirm."""
    node.data["pairings"] = [ui_links_sample.pairing("soylent", initiated=False, provides=True)]
    node.tell("NEARBY")
    asks = page.locator("[data-asks=soylent]")
    await expect(asks.get_by_role("alert")).to_have_text("soylent wants to pair with this node.")
    await asks.get_by_role("button").click()
    dialogue = page.get_by_role("dialog")
    confirm = dialogue.get_by_role("button", name="Same code: confirm")
    await expect(confirm).to_be_disabled()
    await dialogue.get_by_label("Profile to give").select_option("public-services: guestbook and mailer")
    await confirm.click()
    await expect(dialogue).to_contain_text("Confirmed here.")
    assert node.changes.confirmed[0]["profile"] == "public-services"
    await dialogue.get_by_role("button", name="Give up the pairing").click()
    await expect(dialogue.get_by_role("status")).to_contain_text("rejected. No link was made.")
    await expect(asks).to_have_count(0)
    assert node.data["pairings"][0]["stage"] == "REJECTED"


async def test_a_node_that_does_not_look_around_says_so(page: Page, node: UiFakeNode) -> None:
    """Where discovery is off no list is shown, but how to switch it on."""
    node.data["nearby"] = {"on": False, "nodes": []}
    node.tell("NEARBY")
    await expect(page.locator("[data-discovery=off]")).to_contain_text('discovery = "on"')
