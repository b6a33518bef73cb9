"""A real node's page in a real browser, from the log-in link to a release that fails and one that holds."""

import json
from pathlib import Path

import pytest

from node.cli.demo import queries
from tests.support.processes import SERVICE, Sources, stage
from tests.support.ui_pages import (
    browser,
    close_drawer,
    faults,
    lanes,
    log_in,
    open_builds,
    open_fault,
    open_page,
    open_version,
    picture,
    wait_live,
    wait_place,
)

pytestmark = pytest.mark.e2e


async def test_the_page_follows_a_service_on_its_way_live(tmp_path: Path) -> None:
    """Logged in once by the link, the page shows each release as it comes, the one that fails with its report."""
    async with browser() as chromium, stage(tmp_path / "stage") as on:
        acme, globex = await on.make_node("acme"), await on.make_node("globex")
        await on.link(acme, globex)
        await on.attach_agent(globex)
        port = next(on.ports)
        sources = Sources(tmp_path / "sources", port)
        sources.say("first")
        await acme.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": str(sources.folder)}])
        link = (await globex.ask(queries.LOGIN_LINK))["createLoginLink"]["url"]
        page, watched = await log_in(await chromium.new_context(), link)
        assert "login" not in page.url
        await on.build(acme)
        await wait_place(page, SERVICE, "globex-1", phase="RUNNING", version="acme-1.0.0")
        lane = (await lanes(page))[SERVICE]
        assert (lane.developer, lane.client) == ("acme-1.0.0", "acme-1.0.0")
        version = await open_version(page, SERVICE, "acme-1.0.0")
        await version.locator("[data-built-by=acme][data-agreement=same]").wait_for()
        await picture(page, tmp_path / "version.png", whole=False)
        await close_drawer(page)
        settings = await open_builds(page, SERVICE)
        await settings.get_by_role("button", name="Add a private file").click()
        chosen = settings.get_by_label("File", exact=True)
        await chosen.set_input_files({"name": "tls.key", "mimeType": "text/plain", "buffer": b"no one reads this"})
        await settings.get_by_role("button", name="Keep this file").click()
        await settings.locator("[data-private-file='tls.key']").wait_for()
        await picture(page, tmp_path / "private.png", whole=False)
        await close_drawer(page)
        (sources.folder / "serve.py").write_text("raise RuntimeError('the shelf is empty')\n")
        sources.say("second")
        await on.build(acme)
        await page.locator("li[data-fault]").first.wait_for()
        await wait_place(page, SERVICE, "globex-1", phase="RUNNING", version="acme-1.0.0")
        assert "acme-1.0.1 failed" in (await lanes(page))[SERVICE].text
        assert "the shelf is empty" in (await faults(page))[0]
        await picture(page, tmp_path / "globex.png")
        drawer = await open_fault(page)
        assert "exit status 1" in await drawer.inner_text()
        assert await on.text_at(port) == "first"
        assert (watched.errors, watched.foreign) == ([], [])


async def test_one_browser_is_logged_in_at_two_nodes_of_one_host(tmp_path: Path) -> None:
    """Cookies belong to a host, not to a port: the second log-in must not end the first."""
    async with browser() as chromium, stage(tmp_path / "stage") as on:
        context = await chromium.new_context()
        pages = []
        for name in ("acme", "globex"):
            api = await on.make_node(name)
            page, _ = await log_in(context, (await api.ask(queries.LOGIN_LINK))["createLoginLink"]["url"])
            pages.append(page)
        await pages[0].reload()
        await wait_live(pages[0])
        assert "acme" in await pages[0].locator("header").inner_text()


async def test_a_log_in_link_works_once_and_only_in_its_own_browser(tmp_path: Path) -> None:
    """The second use is refused with what to do; another browser without the cookie sees no data."""
    async with browser() as chromium, stage(tmp_path / "stage") as on:
        acme = await on.make_node("acme")
        link = (await acme.ask(queries.LOGIN_LINK))["createLoginLink"]["url"]
        await log_in(await chromium.new_context(), link)
        again, _ = await open_page(await chromium.new_context(), link)
        await again.locator("[data-door=refused]").wait_for()
        assert "vupdate login" in await again.locator("[data-door=refused]").inner_text()
        answer = await on.session.post(f"{acme.url}/graphql", json={"query": "{ node { name } }"})
        told = json.loads(await answer.text())
        assert told["data"] is None
        assert told["errors"][0]["extensions"]["code"] == "denied"


async def test_two_operators_pair_their_nodes_by_comparing_the_code(tmp_path: Path) -> None:
    """Begun by an address on one page, asked for on the other: one code on both, and a link once both confirmed."""
    async with browser() as chromium, stage(tmp_path / "stage") as on:
        acme, globex = await on.make_node("acme"), await on.make_node("globex")
        await acme.ask(queries.SET_PROFILE, name="public-services", services=[SERVICE])
        pages = []
        for api in (acme, globex):
            link = (await api.ask(queries.LOGIN_LINK))["createLoginLink"]["url"]
            pages.append(await log_in(await chromium.new_context(), link))
        (gives, gives_watched), (takes, takes_watched) = pages
        await takes.get_by_role("button", name="Pair by address").click()
        begun, asked = takes.get_by_role("dialog"), gives.get_by_role("dialog")
        await begun.get_by_label("Address of the other node").fill(acme.url)
        await begun.get_by_role("button", name="Show the code").click()
        await gives.locator("[data-asks=globex]").get_by_role("button").click()
        code = await begun.locator("[data-code]").get_attribute("data-code")
        assert code is not None
        assert code == await asked.locator("[data-code]").get_attribute("data-code")
        await asked.get_by_label("Profile to give").select_option("public-services")
        await asked.get_by_role("button", name="Same code: confirm").click()
        await asked.get_by_text("Waiting for globex").wait_for()
        assert await takes.locator("[data-link=acme]").count() == 0
        await begun.get_by_role("button", name="Same code: confirm").click()
        await begun.get_by_text("acme is now a provider of this node.").wait_for()
        await asked.get_by_text("globex is now a consumer of this node.").wait_for()
        await picture(takes, tmp_path / "paired.png", whole=False)
        await takes.locator("[data-link=acme]").get_by_text("public-services").wait_for()
        await gives.locator("[data-link=globex]").get_by_role("group").wait_for()
        assert (gives_watched.errors, gives_watched.foreign) == ([], [])
        assert (takes_watched.errors, takes_watched.foreign) == ([], [])
