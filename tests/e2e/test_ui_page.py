"""The page in a real browser, over a fake node whose data the tests change."""

import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from hatch_build import ensure_built
from tests.support import ui_builds_sample, ui_links_sample, ui_pages, ui_sample
from tests.support.ui_fake_node import ROOT, UiFakeNode, served
from tests.support.ui_sample import place
from tests.support.ui_values import ago

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


async def test_a_node_that_does_not_look_around_says_so(page: Page, node: UiFakeNode) -> None:
    """Where discovery is off no list is shown, but how to switch it on."""
    node.data["nearby"] = {"on": False, "nodes": []}
    node.tell("NEARBY")
    await expect(page.locator("[data-discovery=off]")).to_contain_text('discovery = "on"')


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
    await drawer.get_by_label("At any peer that takes it").check()
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
