"""Services on their way, their runs, faults and tasks, in a real browser."""

import base64
import re
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.support import ui_builds_sample, ui_links_sample, ui_pages, ui_sample
from tests.support.ui_fake_node import UiFakeNode
from tests.support.ui_sample import place
from tests.support.ui_values import ago

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


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
    node.find_service("guestbook")["running"][1] = place("globex-2", "acme-1.0.1", since=ago(0))
    node.tell("INSTANCES")
    await ui_pages.wait_place(page, "guestbook", "globex-2", phase="RUNNING", version="acme-1.0.1")
    await expect(page.locator("[data-announcer]")).to_contain_text("guestbook on globex-2: Running, acme-1.0.1")
    assert set(node.requests) == {"Services", "Links"}


async def test_an_operators_order_on_a_host_is_shown(page: Page, node: UiFakeNode) -> None:
    """A service that was stopped on its host says so, and by which command it starts; so does what moves to it."""
    node.find_service("guestbook")["running"][1] = place("globex-2", None, phase="STOPPED", halted=True)
    node.data["instances"][0] |= {"services": ["shop"], "awaits": [{"service": "shop", "source": "globex-2"}]}
    node.tell("INSTANCES")
    await expect(page.locator("[data-instance=globex-2] [data-wish]")).to_contain_text("vupdate agent start")
    await expect(page.get_by_text("shop, once globex-2 has left it")).to_be_attached()


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


async def test_the_runs_of_a_service_open_with_what_each_wrote(page: Page, context: BrowserContext, url: str) -> None:
    """Newest first with how each ended; the log is that of the chosen one; the address opens it again."""
    drawer = await ui_pages.open_runs(page, "globex-1")
    await expect(drawer.locator("[data-run]")).to_have_count(3)
    newest, failed, first = [ui_pages.squeezed(text) for text in await drawer.locator("[data-run]").all_inner_texts()]
    assert newest.endswith("runs")
    assert "1.0.1" in failed
    assert failed.endswith("exit status 3")
    assert first.endswith("stopped, exit status 0")
    await expect(drawer.locator("[data-log]")).to_have_text(re.compile("guestbook listens$"))
    await drawer.locator('[data-run="2-b"]').click()
    await expect(drawer.locator("[data-log]")).to_have_text(re.compile("starts.*index is gone$", re.DOTALL))
    await expect(drawer).to_contain_text("7 lines came faster than they could be kept")
    await drawer.locator('[data-run="1-a"]').click()
    await expect(drawer).to_contain_text("Nothing of its log is kept here.")
    linked, _ = await ui_pages.open_page(context, page.url)
    await expect(linked.get_by_text("Runs of guestbook on globex-1")).to_be_visible()
    await linked.close()


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
    assert "4 more crashes since the last report" in text
    assert "Not as signed on that disk lib/core.so" in text
    assert "Put aside on that host core.7" in text
    assert "free of" in text
    await expect(drawer.locator("[data-trace]")).to_contain_text("Traceback (most recent call last):")
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
    task.update(state="FAILED", ended=ago(0), error="an overlay's file is gone: extra.ini")
    node.find_service("mailer")["task"] = None
    node.tell("TASKS", "LOGS")
    await expect(drawer.get_by_text("following live")).to_be_hidden()
    await ui_pages.close_drawer(page)
    await expect(page.locator("article[data-service=mailer] [data-stage=client]")).to_contain_text("extra.ini")


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


async def test_a_withdrawn_version_is_flagged_in_its_lane(page: Page, node: UiFakeNode) -> None:
    """Red, with who withdrew it and why, where it is desired and where it runs, and in the sentence at the head."""
    node.find_service("guestbook")["withdrawn"] = [ui_links_sample.withdrawal("acme-1.0.1", "it loses entries")]
    node.tell("VERSIONS")
    lane = page.locator("article[data-service=guestbook]")
    for place_of in ("[data-stage=developer]", "[data-stage=client]", "[data-instance=globex-2]"):
        told = lane.locator(place_of).locator('[data-withdrawn="acme-1.0.1"]').first
        await expect(told).to_contain_text("acme-1.0.1 was withdrawn by acme: it loses entries")
    await expect(lane.locator("[data-instance=globex-1] [data-withdrawn]")).to_have_count(0)
    await expect(lane.locator("[data-stage=developer] [data-version]").first).to_have_attribute("data-flow", "stopped")
    await expect(page.locator("[data-verdict]")).to_contain_text("1 withdrawn version is in use")


async def test_the_files_of_a_fault_are_downloaded(page: Page) -> None:
    """As the archive that the node keeps; of a fault from another node, the page says where its files stayed."""
    drawer = await ui_pages.open_fault(page, 1)
    async with page.expect_download() as coming:
        await drawer.get_by_role("button", name="Download the files").click()
    download = await coming.value
    assert re.fullmatch(r"fault-[0-9a-f]{8}\.tar\.gz", download.suggested_filename)
    assert (await download.path()).read_bytes() == base64.b64decode(ui_builds_sample.ARCHIVE)
    await ui_pages.close_drawer(page)
    await expect(await ui_pages.open_fault(page, 0)).to_contain_text("The files stayed at initech")
