"""Versions, who built them, and what a service needs to be built, in a real browser."""

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.support import ui_pages, ui_sample
from tests.support.ui_fake_node import UiFakeNode

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_a_version_shows_who_built_it_and_what_came_out_different(
    page: Page, context: BrowserContext, node: UiFakeNode
) -> None:
    """Each builder with its id, how and from what it built; another image stands out in words; the address opens it."""
    drawer = await ui_pages.open_version(page, "shop", "globex-2.4.11")
    own, acme, hooli = [ui_pages.squeezed(text) for text in await drawer.locator("[data-built-by]").all_inner_texts()]
    assert "globex QMTYXZV-5WDLQ2K… Same image" in own
    assert "in a sandbox, without network" in own
    assert "team/shop 4f1c9d27a0b3" in own
    assert own.endswith("does not count")
    assert "as a process without a sandbox, with network" in acme
    assert "ANOTHER IMAGE" in hooli
    assert "bin/shop has other content" in hooli
    await expect(drawer.locator("[data-rule=open]")).to_contain_text("1 of 2 needed builders")
    linked, _ = await ui_pages.open_page(context, page.url)
    await expect(linked.locator("[data-built-by=hooli]")).to_contain_text("ANOTHER IMAGE")
    await linked.close()
    node.data["provenance"][2]["same"] = True
    node.tell("VERSIONS")
    await expect(drawer.locator("[data-rule=met]")).to_be_visible()
    await expect(drawer).not_to_contain_text("ANOTHER IMAGE")


async def test_a_version_is_built_again_where_the_operator_chooses(page: Page, node: UiFakeNode) -> None:
    """Each peer says whether it takes a build and why not; the task's log opens, and leads back to the version."""
    drawer = await ui_pages.open_version(page, "shop", "globex-2.4.11")
    await drawer.get_by_role("button", name="Build again").click()
    await expect(drawer.get_by_label("Here, at this node")).to_be_focused()
    await expect(drawer.locator("[data-builder=hooli]")).to_contain_text("takes none now: its processors are short")
    await drawer.get_by_label("At acme").check()
    await drawer.get_by_role("button", name="Start the build").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Rebuild shop globex-2.4.11")
    assert node.builds.orders == [{"service": "shop", "version": "globex-2.4.11", "on": ["acme"]}]
    await page.get_by_role("dialog").locator('a[data-version="globex-2.4.11"]').click()
    await expect(page.locator('[data-open-version="globex-2.4.11"]')).to_be_visible()


async def test_two_versions_are_compared_path_by_path(page: Page) -> None:
    """The counts are of all paths, the list is bounded and says so with the command that lists all."""
    drawer = await ui_pages.open_version(page, "shop", "globex-2.4.11")
    await drawer.get_by_role("button", name="Compare with").click()
    await drawer.get_by_label("Another version of the service").select_option("globex-2.4.10")
    await expect(drawer).to_contain_text("212 added, 1 removed, 2 changed")
    await expect(drawer.locator("[data-path='bin/shop']")).to_contain_text("other content and other mode")
    await expect(drawer).to_contain_text("The first 4 of 215 paths are shown")
    await expect(drawer).to_contain_text("vupdate versions compare shop globex-2.4.10 globex-2.4.11")


async def test_a_client_version_with_private_files_says_that_it_is_shared_with_nobody(page: Page) -> None:
    """It leads to the developer version that it is made from, which holds none."""
    drawer = await ui_pages.open_version(page, "shop", "globex-2.4.11_2")
    await expect(drawer.locator("[data-private]")).to_contain_text("shared with nobody")
    await drawer.locator('a[data-version="globex-2.4.11"]').click()
    await page.locator('[data-open-version="globex-2.4.11"]').wait_for()
    await expect(page.locator("[data-private]")).to_have_count(0)


async def test_a_build_is_started_at_a_peer_and_says_what_it_waits_for(page: Page, node: UiFakeNode) -> None:
    """Its log opens; while it is not at work, the task and its lane say why. A provider's service has no such form."""
    drawer = await ui_pages.open_builds(page, "guestbook")
    await expect(drawer).to_contain_text("its versions come from acme")
    await expect(drawer.locator("form")).to_have_count(0)
    await ui_pages.close_drawer(page)
    drawer = await ui_pages.open_builds(page, "shop")
    await drawer.get_by_label("At any provider that takes it").check()
    await drawer.get_by_label("What is new in it").fill("Faster basket")
    await drawer.get_by_role("button", name="Start the build").click()
    dialogue = page.get_by_role("dialog")
    await expect(dialogue).to_contain_text("Build shop")
    assert node.builds.orders == [{"service": "shop", "version": None, "comment": "Faster basket", "on": []}]
    why = "waits for a builder: hooli: its processors are short"
    node.data["tasks"][0].update(service="shop", waitsFor=why)
    node.tell("TASKS")
    await expect(dialogue.locator("[data-waits]")).to_have_text(why)
    await ui_pages.close_drawer(page)
    await expect(page.locator("li[data-task=b-1] [data-waits]")).to_have_text(f"Not at work: {why}")
    await expect(page.locator("article[data-service=shop] [data-stage=developer]")).to_contain_text(why)


async def test_the_rule_on_builders_is_changed_and_removed(page: Page, node: UiFakeNode) -> None:
    """Nodes are ticked by name, no more are asked for than ticked; the removal is asked for twice."""
    drawer = await ui_pages.open_builds(page, "shop")
    await expect(drawer.locator("[data-policy='2']")).to_contain_text("a node that is not linked")
    await drawer.get_by_role("button", name="Change the rule").click()
    await drawer.get_by_label("globex, this node").check()
    await drawer.get_by_label("a node that is not linked").uncheck()
    await drawer.get_by_label("hooli", exact=True).uncheck()
    await drawer.get_by_role("button", name="Set the rule").click()
    await expect(drawer.locator("[data-policy='2']")).to_contain_text("globex, this node")
    acme = node.data["providers"][0]["id"]
    assert node.data["builderPolicies"] == [{"service": "shop", "builders": [acme, ui_sample.NODE_ID], "require": 2}]
    await drawer.get_by_role("button", name="Remove the rule").click()
    await expect(drawer.get_by_role("button", name="Keep it")).to_be_focused()
    await drawer.get_by_role("button", name="Remove it").click()
    await expect(drawer.locator("[data-policy=none]")).to_be_visible()
    assert node.data["builderPolicies"] == []


async def test_private_files_are_put_replaced_and_removed_and_never_shown(page: Page, node: UiFakeNode) -> None:
    """The content goes to the node as it is; the page shows name, place and size; Enter alone removes nothing."""
    drawer = await ui_pages.open_builds(page, "shop")
    secret = b"hunter2\x00\xff"
    await drawer.get_by_role("button", name="Add a private file").click()
    await drawer.get_by_label("File", exact=True).set_input_files(
        {"name": "mail.key", "mimeType": "text/plain", "buffer": secret}
    )
    await drawer.get_by_label("Place in each client version").fill("conf/mail.key")
    await drawer.get_by_role("button", name="Keep this file").click()
    added = drawer.locator("[data-private-file='mail.key']")
    await expect(added).to_contain_text("goes to conf/mail.key in each client version")
    assert node.builds.contents == {"mail.key": secret}
    assert "hunter2" not in await page.content()

    await drawer.get_by_role("button", name="Replace mail.key").click()
    chosen = drawer.get_by_label("File", exact=True)
    await chosen.set_input_files({"name": "empty", "mimeType": "text/plain", "buffer": b""})
    await expect(added.get_by_role("alert")).to_contain_text("The file is empty")
    await expect(drawer.get_by_role("button", name="Replace the file")).to_be_disabled()
    await chosen.set_input_files({"name": "new", "mimeType": "text/plain", "buffer": b"other"})
    await drawer.get_by_role("button", name="Replace the file").click()
    await expect(added).to_contain_text("5 B")
    await expect(added).to_contain_text("conf/mail.key")
    assert node.builds.contents["mail.key"] == b"other"

    await drawer.get_by_role("button", name="Remove mail.key").press("Enter")
    await page.keyboard.press("Enter")
    await expect(added).to_be_visible()
    await drawer.get_by_role("button", name="Remove mail.key").click()
    await drawer.get_by_role("button", name="Remove it").click()
    await expect(added).to_have_count(0)
    await expect(drawer.get_by_text("mail.key is removed.")).to_be_visible()


async def test_watched_settings_show_what_was_seen_and_can_be_switched(page: Page, node: UiFakeNode) -> None:
    """The commit and when, or the error; a service without settings shows nothing of them."""
    drawer = await ui_pages.open_builds(page, "shop")
    part = drawer.locator("[data-watched=true]")
    await expect(part).to_contain_text("https://git.example/site.git")
    await expect(part).to_contain_text("at 0123456789ab, seen")
    shop = next(one for one in node.data["services"] if one["name"] == "shop")
    shop["looks"][0] |= {"failed": 2, "error": "its server does not answer"}
    node.tell("SERVICES")
    await expect(part).to_contain_text("2 looks failed: its server does not answer")
    await drawer.get_by_label("Watch the repositories").select_option("OFF")
    await expect(drawer.locator("[data-watched=false]")).to_contain_text("Not watched")
    assert shop["site"]["watch"] == "OFF"
    await ui_pages.close_drawer(page)
    other = await ui_pages.open_builds(page, "guestbook")
    await expect(other.locator("[data-watched]")).to_have_count(0)
