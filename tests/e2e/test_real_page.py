"""A real node's page in a real browser, from the log-in link to a release that fails and one that holds."""

import json
from pathlib import Path

import pytest

from node.cli.demo import queries
from tests.support.processes import SERVICE, Sources, stage
from tests.support.ui_pages import browser, faults, lanes, log_in, open_fault, open_page, picture, wait_live, wait_place

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
